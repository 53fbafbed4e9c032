//! Stories across vendors: each part stands alone, and what a vendor does not have is reported.

use serde_json::{Value, json};
use toolwright::policy::{Defaults, SelectionWords};

use super::{Office, answers, count, rows};
use crate::common::everything;

const ANN: &str = "712020:4be1f0aa-90c3-4d27-8d0e-6f2f7a1b9c55";
const BOB: &str = "712020:7d1c2f84-5a0b-4e7e-9d4f-2b8a6c3e9f10";
const JC_ANN: &str = "64d0a3f2b81c9e5a7f03c411";
const GROUP: &str = "65a2c7d10f9b3e48d61c5a07";
const MAIL: &str = "ann@example.com";

/// The same person at all three vendors, and a successor at the two help desks.
fn everywhere() -> Vec<Value> {
    let ann = json!({"_id": JC_ANN, "username": "ann", "email": MAIL, "firstname": "Ann", "lastname": "Example", "state": "ACTIVATED"});
    let jitbit =
        |id: u64, name: &str, mail: &str| json!({"UserID": id, "Username": name, "FullName": name, "Email": mail});
    let atlassian = |id: &str, name: &str, mail: &str| json!({"accountId": id, "displayName": name, "emailAddress": mail, "active": true});
    let query = |name: &str, value: &str| json!({"query": {name: value}});
    vec![
        answers("searchUsers", json!({}), json!({"results": [ann], "totalCount": 1})),
        answers("listUsers", json!({}), json!({"results": [ann], "totalCount": 1})),
        answers("getUser", json!({"path": {"id": JC_ANN}}), ann.clone()),
        answers(
            "listUserMemberships",
            json!({}),
            json!([{"id": GROUP, "type": "user_group", "compiledAttributes": null}]),
        ),
        answers("listUserDevices", json!({}), json!([])),
        answers("findUsers", query("query", MAIL), json!([atlassian(ANN, "Ann Example", MAIL)])),
        answers(
            "findUsers",
            query("query", "bob@example.com"),
            json!([atlassian(BOB, "Bob Example", "bob@example.com")]),
        ),
        answers("getUser", query("accountId", ANN), atlassian(ANN, "Ann Example", MAIL)),
        answers("getUser", query("accountId", BOB), atlassian(BOB, "Bob Example", "bob@example.com")),
        answers("getUserByEmail", query("email", MAIL), jitbit(2204, "Ann Example", MAIL)),
        answers("getUserByEmail", query("email", "bob@example.com"), jitbit(1138, "Bob Example", "bob@example.com")),
        answers("getUser", query("userId", "2204"), jitbit(2204, "Ann Example", MAIL)),
        answers("getUser", query("userId", "1138"), jitbit(1138, "Bob Example", "bob@example.com")),
    ]
}

#[tokio::test]
async fn a_person_is_found_in_every_product_in_one_call() {
    let office = Office::open(everywhere()).await;
    let answer = office.answer("find_person", json!({"person": MAIL})).await;
    assert_eq!(
        (
            &answer["jumpcloud"]["_id"],
            &answer["jsm"]["accountId"],
            &answer["jitbit"]["UserID"],
            &answer["groups"][0]["id"]
        ),
        (&json!(JC_ANN), &json!(ANN), &json!(2204), &json!(GROUP)),
        "{answer}"
    );
    // Reads only, and not among the tools of the default list.
    let served = Office::with(vec![], &SelectionWords::default(), Defaults::CoreReads).await.tools().await;
    assert!(!served.iter().any(|name| name.ends_with("_person") && !name.starts_with("jsm_")), "{served:?}");
}

#[tokio::test]
async fn where_two_products_are_served_the_third_is_missing_and_named() {
    let words = |vendors: &[&str]| SelectionWords {
        vendors: vendors.iter().map(|vendor| (*vendor).to_owned()).collect(),
        ..everything()
    };
    let office = Office::with(everywhere(), &words(&["jitbit", "jsm"]), Defaults::Everything).await;
    let answer = office.answer("find_person", json!({"person": MAIL})).await;
    assert_eq!((&answer["jsm"]["accountId"], answer.get("jumpcloud")), (&json!(ANN), None));
    let notes = answer["notes"].to_string();
    assert!(notes.contains("`jumpcloud` is missing") && notes.contains("hold it back"), "{notes}");
    let alone = Office::with(everywhere(), &words(&["jitbit"]), Defaults::Everything).await;
    assert!(alone.tools().await.iter().all(|name| name.starts_with("jitbit_")));
    let refusal = alone.refusal("find_person", json!({"person": MAIL})).await;
    assert!(refusal.contains("nothing was sent"), "{refusal}");
    assert!(alone.sent().is_empty());
}

fn leaving() -> Vec<Value> {
    let mut site = everywhere();
    let rows = json!([{"IssueID": 7, "TicketID": 7, "Subject": "Jam", "StatusID": 2}]);
    let mine = |offset: &str| json!({"query": {"handledByUserID": "2204", "mode": "unclosed", "offset": offset}});
    site.extend([
        answers(
            "updateUser",
            json!({"path": {"id": JC_ANN}, "body": {"state": "SUSPENDED"}}),
            json!({"_id": JC_ANN, "state": "SUSPENDED"}),
        ),
        answers("updateUserGroupMember", json!({"path": {"group_id": GROUP}, "body": {"op": "remove"}}), Value::Null),
        answers("listTickets", mine("1"), json!([])),
        answers("listTickets", mine("300"), json!([])),
        answers("listTickets", json!({"query": {"handledByUserID": "2204", "mode": "unclosed"}}), rows),
        answers("updateTicket", json!({}), Value::Null),
        answers(
            "searchAndReconsileIssuesUsingJqlPost",
            json!({}),
            json!({"issues": [{"id": "1", "key": "ITS-1", "fields": {"summary": "VPN"}}], "isLast": true}),
        ),
        answers("assignIssue", json!({"path": {"issueIdOrKey": "ITS-1"}, "body": {"accountId": BOB}}), Value::Null),
        answers("addComment", json!({"path": {"issueIdOrKey": "HR-9"}}), json!({"id": "1"})),
    ]);
    site
}

const CHANGES: [&str; 5] = ["updateUser", "updateUserGroupMember", "updateTicket", "assignIssue", "addComment"];

#[tokio::test]
async fn offboarding_is_planned_first_and_then_done() {
    let office = Office::open(leaving()).await;
    let mut arguments = json!({"person": MAIL, "successor": "bob@example.com", "leaveGroups": true, "recordIssue": "HR-9", "note": "Badge is back."});
    arguments["dry_run"] = json!(true);
    let plan = office.answer("offboard_person", arguments.clone()).await;
    assert_eq!((&plan["dry_run"], &plan["changed"]), (&json!(true), &json!(false)));
    let sent = office.sent();
    assert!(CHANGES.iter().all(|change| count(&sent, change) == 0), "{sent:?}");
    let planned = rows(&plan).into_iter().filter(|(_, outcome)| outcome == "planned").count();
    assert_eq!(planned, 5, "{plan}");
    arguments["dry_run"] = json!(false);
    let done = office.answer("offboard_person", arguments).await;
    let sent = office.sent();
    for change in CHANGES {
        assert_eq!(count(&sent, change), 1, "{change}: {done}");
    }
    assert!(done["summary"].as_str().unwrap().starts_with("5 done"), "{done}");
    assert_eq!((&done["tickets"][0]["TicketID"], &done["issues"][0]["key"]), (&json!(7), &json!("ITS-1")));
}

#[tokio::test]
async fn offboarding_without_a_successor_only_lists_the_work() {
    let office = Office::open(leaving()).await;
    let done = office.answer("offboard_person", json!({"person": MAIL})).await;
    let sent = office.sent();
    assert_eq!(count(&sent, "updateUser"), 1);
    assert!(CHANGES[1..].iter().all(|change| count(&sent, change) == 0), "{sent:?}");
    assert_eq!(done["issues"][0]["key"], "ITS-1");
}

#[tokio::test]
async fn a_story_that_changes_something_is_held_back_by_default() {
    let office = Office::with(leaving(), &SelectionWords::default(), Defaults::Reads).await;
    for (tool, arguments) in [
        ("offboard_person", json!({"person": MAIL})),
        ("onboard_person", json!({"email": MAIL, "username": "ann", "firstName": "Ann", "lastName": "Example"})),
    ] {
        let refusal = office.refusal(tool, arguments).await;
        assert!(refusal.contains("nothing was sent"), "{refusal}");
    }
    assert!(office.sent().is_empty());
}

#[tokio::test]
async fn onboarding_creates_what_is_missing_and_uses_what_is_there() {
    let arguments = json!({
        "email": MAIL, "username": "ann", "firstName": "Ann", "lastName": "Example", "groups": [GROUP], "serviceDeskId": "28",
        "helpdesk": true,
    });
    let joins = || answers("updateUserGroupMember", json!({"body": {"op": "add", "id": JC_ANN}}), Value::Null);
    // Nobody knows the person.
    let office = Office::open(vec![
        answers("listUsers", json!({}), json!({"results": [], "totalCount": 0})),
        answers("findUsers", json!({}), json!([])),
        answers("createUser", json!({"body": {"email": MAIL, "state": "STAGED"}}), json!({"_id": JC_ANN})),
        joins(),
        answers("createCustomer", json!({"body": {"email": MAIL}}), json!({"accountId": ANN})),
        answers("addCustomers", json!({"body": {"accountIds": [ANN]}}), Value::Null),
        answers("createUser", json!({}), json!(51990)),
    ])
    .await;
    let new = office.answer("onboard_person", arguments.clone()).await;
    assert_eq!(
        (&new["created"], &new["customer"], &new["helpdeskUser"]),
        (&json!(JC_ANN), &json!(ANN), &json!(51990)),
        "{new}"
    );
    assert!(new["summary"].as_str().unwrap().starts_with("5 done"), "{new}");
    // Everybody does.
    let mut known = everywhere();
    known.extend([joins(), answers("addCustomers", json!({"body": {"accountIds": [ANN]}}), Value::Null)]);
    let office = Office::open(known).await;
    let old = office.answer("onboard_person", arguments).await;
    assert_eq!((&old["existing"], old.get("created")), (&json!(JC_ANN), None), "{old}");
    let sent = office.sent();
    assert_eq!((count(&sent, "createUser"), count(&sent, "createCustomer"), count(&sent, "addCustomers")), (0, 0, 1));
}

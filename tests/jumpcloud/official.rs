//! The tools of the vendor's own server, each called by the name that it has there.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toolwright::catalog::Catalog;
use toolwright::policy::{Defaults, Selection, SelectionWords};

use super::{APPLICATION, DEVICE, ORGANIZATION, USER, ask, client, query, toolbox, tools, words};
use crate::common::{everything, sandbox};

/// What is called, and what must arrive: API, method and path, query, body.
struct Official {
    name: &'static str,
    arguments: Value,
    api: &'static str,
    request: String,
    query: &'static str,
    body: Value,
}

fn official(name: &'static str, arguments: Value, api: &'static str, request: String) -> Official {
    Official { name, arguments, api, request, query: "", body: Value::Null }
}

impl Official {
    fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    fn body(self, body: Value) -> Self {
        Self { body, ..self }
    }
}

/// Without its settings, which may hold keys.
const APPLICATIONS: &str = concat!(
    "fields=_id name displayName displayLabel description active beta ssoUrl sso ",
    "learnMore parentApp created organization&limit=25&sort=name"
);

/// The vendor's list, in its order.
fn all() -> [Official; 26] {
    let user = || json!({"user_id": USER});
    let device = || json!({"device_id": DEVICE});
    let of_user = |method: &str, rest: &str| format!("{method} /systemusers/{USER}{rest}");
    let of_device = |rest: &str| format!("POST /systems/{DEVICE}/command/builtin/{rest}");
    let mail = || json!({"isSelectAll": false, "models": [{"_id": USER}]});
    let to_one = || json!({"users": [{"_id": USER}]});
    let search = json!({"searchTerm": "solheim", "fields": ["email"]});
    [
        official("admins_list", json!({}), "undocumented", "GET /users".into()).query("limit=25&sort=email"),
        official(
            "application_get",
            json!({"application_id": APPLICATION}),
            "v1",
            format!("GET /applications/{APPLICATION}"),
        ),
        official("applications_list", json!({}), "v1", "GET /applications".into()).query(APPLICATIONS),
        official("commands_list", json!({}), "v1", "GET /commands".into()).query("limit=25&sort=_id"),
        official("device_erase", device(), "v1", of_device("erase")),
        official("device_get", device(), "v1", format!("GET /systems/{DEVICE}")),
        official("device_lock", device(), "v1", of_device("lock")),
        official("device_restart", device(), "v1", of_device("restart")),
        official("device_shutdown", device(), "v1", of_device("shutdown")),
        official(
            "device_update",
            json!({"device_id": DEVICE, "displayName": "OPTICS-07"}),
            "v1",
            format!("PUT /systems/{DEVICE}"),
        )
        .body(json!({"displayName": "OPTICS-07"})),
        official("devices_list", json!({}), "v1", "GET /systems".into()).query("limit=25&sort=_id"),
        official(
            "di_events_get",
            json!({"service": ["sso"], "start_time": "2026-11-20T00:00:00Z", "limit": 10}),
            "insights",
            "POST /events".into(),
        )
        .body(json!({"service": ["sso"], "start_time": "2026-11-20T00:00:00Z", "limit": 10, "sort": "DESC"})),
        official("user_add_mfa", user(), "v1", of_user("PUT", ""))
            .body(json!({"enable_user_portal_multifactor": true})),
        official("user_force_password_reset", user(), "v1", of_user("POST", "/expire")),
        official("user_get", user(), "v1", of_user("GET", "")),
        official("user_group_membership", user(), "v2", format!("GET /users/{USER}/memberof")).query("limit=25"),
        official("user_groups_list", json!({}), "v2", "GET /usergroups".into()).query("limit=25&sort=name"),
        official("user_reactivate", user(), "v1", of_user("PUT", "")).body(json!({"state": "ACTIVATED"})),
        official("user_remove_mfa_requirement", user(), "v1", of_user("PUT", ""))
            .body(json!({"enable_user_portal_multifactor": false})),
        official(
            "user_resetmfa",
            json!({"user_id": USER, "exclusion": true, "exclusionDays": 2}),
            "v1",
            of_user("POST", "/resetmfa"),
        )
        .body(json!({"exclusion": true, "exclusionDays": 2})),
        official("user_send_invitation_email", to_one(), "undocumented", "POST /systemusers/reactivate".into())
            .body(mail()),
        official("user_send_reset_password_email", to_one(), "undocumented", "POST /systemusers/reactivate".into())
            .body(mail()),
        official("user_suspend", user(), "v1", of_user("PUT", "")).body(json!({"state": "SUSPENDED"})),
        official("user_unlock", user(), "v1", of_user("POST", "/unlock")),
        official("users_list", json!({}), "v1", "GET /systemusers".into()).query("limit=25&sort=_id"),
        official(
            "search_api",
            json!({"object": "users", "searchFilter": search, "fields": ["email", "username"]}),
            "v1",
            "POST /search/systemusers".into(),
        )
        .body(json!({"searchFilter": search, "fields": "email username", "limit": 25})),
    ]
}

#[tokio::test]
async fn each_official_name_sends_the_documented_request() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::CoreReads)).await;
    for official in all() {
        let name = official.name;
        let answered = ask(&client, name, &official.arguments).await;
        assert!(answered.is_ok(), "{name}: {answered:?}");
        let [recorded] = <[_; 1]>::try_from(sandbox.take_record()).unwrap_or_else(|all| panic!("{name}: {all:?}"));
        assert!(recorded.is_accepted(), "{name}: {:?}", recorded.verdict);
        assert_eq!(recorded.api, format!("jumpcloud-{}", official.api), "{name}");
        assert_eq!(format!("{} {}", recorded.method, recorded.path), official.request, "{name}");
        assert_eq!(query(&recorded), official.query, "{name}");
        assert_eq!(recorded.json().unwrap_or_default(), official.body, "{name}");
        // The sandbox keeps no key; tests/jumpcloud/connection.rs sees that it is the right one.
        let header = |name: &str| recorded.headers.get(name).map(String::as_str);
        assert_eq!((header("x-api-key"), header("authorization")), (Some("***"), None), "{name}");
        assert_eq!(header("x-org-id"), Some(ORGANIZATION), "{name}");
    }
}

#[test]
fn the_aliases_are_the_vendors_list() {
    let catalog = Catalog::compiled();
    let mut ours: Vec<&str> = tools(&catalog).flat_map(|entry| &entry.tool.aliases).map(String::as_str).collect();
    let mut theirs: Vec<&str> = Vec::from(all().map(|official| official.name));
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs);
}

/// The tag opens the vendor's list, and docs/jumpcloud.md states what each of it needs.
#[test]
fn the_flags_in_the_vendor_page_open_them() {
    let catalog = Catalog::compiled();
    let offered = |flags: &[(&str, &str)]| {
        let selection = Selection::resolve(&words(flags), Defaults::CoreReads, &catalog).unwrap();
        let open = tools(&catalog).filter(|entry| selection.decide(entry).is_ok());
        open.map(|entry| entry.tool.name.as_str()).collect::<BTreeSet<&str>>()
    };
    let allow = "reveals_secret,weakens_security,irreversible";
    let named: BTreeSet<&str> = all().map(|one| catalog.get(one.name).unwrap().tool.name.as_str()).into();
    assert_eq!(offered(&[("methods", "all"), ("tags", "official,undocumented"), ("allow", allow)]), named);
    let page = std::fs::read_to_string("docs/jumpcloud.md").unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("| theirs | here |")).skip(2);
    let mut refused = BTreeSet::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<Vec<&str>> = row.split('|').map(|cell| cell.split('`').skip(1).step_by(2).collect()).collect();
        let [_, theirs, ours, flags, _] = cells.as_slice() else { panic!("{row}") };
        let mut given = vec![("methods", "all")];
        for flag in flags.iter().flat_map(|flags| flags.split("--")).filter(|flag| !flag.is_empty()) {
            given.push(flag.trim().split_once(' ').unwrap());
        }
        assert_eq!(theirs.len(), ours.len(), "{row}");
        for (theirs, ours) in theirs.iter().zip(ours) {
            assert_eq!(catalog.get(theirs).map(|entry| entry.tool.name.as_str()), Some(*ours), "{row}");
            assert!(offered(&given).contains(ours), "{row}");
            assert_eq!(
                offered(&[("methods", "all")]).contains(ours),
                given.len() == 1,
                "{row}: what it says is needed"
            );
            refused.insert(*theirs);
        }
    }
    assert_eq!(refused, all().map(|official| official.name).into());
}

#[tokio::test]
async fn how_many_windows_devices_is_one_call_with_the_default_policy() {
    let windows = json!([{
        "operation": "listDevices",
        "when": {"query": {"filter": ["os:$eq:Windows"], "limit": 1}},
        "answer": {"body": {"totalCount": 37, "results": [{"_id": DEVICE, "os": "Windows"}]}}
    }]);
    let sandbox = sandbox(Some(&windows.to_string())).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    // A model reads this before it calls: the tool is offered, and its text explains how to count.
    let offered = client.list_all_tools().await.unwrap();
    let devices = offered.iter().find(|tool| tool.name == "jumpcloud_list_devices").unwrap();
    let text = devices.description.as_deref().unwrap();
    assert!(text.contains("How many Windows devices: filter os eq Windows with limit 1, then page.total"), "{text}");
    let arguments = json!({"filter": [{"field": "os", "operator": "eq", "value": "Windows"}], "limit": 1});
    let answer = ask(&client, "jumpcloud_list_devices", &arguments).await.unwrap();
    assert_eq!(answer["page"]["total"], 37, "{answer}");
    assert_eq!(sandbox.record().len(), 1);
}

/// Membership of groups and access to applications, which the vendor's page promises and its
/// list of tools lacks.
#[tokio::test]
async fn group_and_application_memberships_are_added_and_removed() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &words(&[("methods", "read,write,destructive")]), Defaults::CoreReads)).await;
    let group = "66f1a0c2d4e5f6a7b8c9d0e4";
    let member = json!({"user_id": USER, "user_group_id": group});
    let access = json!({"application_id": APPLICATION, "user_group_id": group});
    let members = format!("/usergroups/{group}/members");
    let associations = format!("/applications/{APPLICATION}/associations");
    let user = |op: &str| json!({"op": op, "type": "user", "id": USER});
    let tie = |op: &str| json!({"op": op, "type": "user_group", "id": group});
    for (tool, arguments, path, body) in [
        ("jumpcloud_add_user_to_group", &member, &members, user("add")),
        ("jumpcloud_remove_user_from_group", &member, &members, user("remove")),
        ("jumpcloud_grant_application_to_group", &access, &associations, tie("add")),
        ("jumpcloud_revoke_application_from_group", &access, &associations, tie("remove")),
    ] {
        let answered = ask(&client, tool, arguments).await;
        assert!(answered.is_ok(), "{tool}: {answered:?}");
        let recorded = sandbox.take_record().pop().unwrap();
        assert!(recorded.is_accepted(), "{tool}: {:?}", recorded.verdict);
        assert_eq!((recorded.method.as_str(), recorded.api.as_str()), ("POST", "jumpcloud-v2"), "{tool}");
        assert_eq!(&recorded.path, path, "{tool}");
        assert_eq!(recorded.json().unwrap(), body, "{tool}");
    }
}

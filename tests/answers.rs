//! What an answer shows of the vendor's, and what it says is left out: `detail`, `fields`, `jq`, size.
//! On every vendor, because each has records of its own form.

use std::time::Duration;

#[cfg(any(feature = "jsm", feature = "jumpcloud"))]
use serde_json::Map;
use serde_json::{Value, json};
use toolwright::call::Toolbox;
use toolwright::jq::Evaluator;
use toolwright::policy::Defaults;
use toolwright::sandbox::Sandbox;

use crate::common::{everything, result, sandbox, text, toolbox};

/// The longest line that a result may make of its text, in bytes.
const LARGEST_LINE: usize = 60_000;

/// A vendor that answers `operation` with this.
struct Desk {
    _sandbox: Sandbox,
    toolbox: Toolbox,
}

impl Desk {
    async fn answering(operation: &str, body: Value) -> Self {
        let answer = json!({"status": 200, "body": body});
        let script = json!([{"operation": operation, "answer": answer}]).to_string();
        let sandbox = sandbox(Some(&script)).await;
        // The test machine may be busy.
        let evaluator = Evaluator::new(env!("CARGO_BIN_EXE_toolwright")).with_deadline(Duration::from_secs(30));
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_evaluator(evaluator);
        Self { _sandbox: sandbox, toolbox }
    }

    /// The answer to a call, or the error's text.
    async fn ask(&self, tool: &str, arguments: Value) -> Result<Value, String> {
        let result = result(&self.toolbox, tool, arguments).await;
        let text = text(&result).to_owned();
        assert!(json!(text).to_string().len() <= LARGEST_LINE + 2, "{tool}: {}", text.len());
        match result.is_error {
            Some(true) => Err(text),
            _ => Ok(serde_json::from_str(&text).unwrap()),
        }
    }

    async fn shown(&self, tool: &str, arguments: Value) -> Value {
        self.ask(tool, arguments).await.unwrap()
    }

    async fn refused(&self, tool: &str, arguments: Value) -> String {
        self.ask(tool, arguments).await.unwrap_err()
    }
}

/// Arguments and further ones.
#[cfg(any(feature = "jsm", feature = "jumpcloud"))]
fn with(arguments: &Value, name: &str, value: Value) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value;
    arguments
}

/// The names of an answer's list.
#[cfg(feature = "jsm")]
fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A record with 300 wide fields, of 150 KB, beside its id and key.
#[cfg(any(feature = "jsm", feature = "jumpcloud"))]
fn wide(id: &str, key: &str) -> Value {
    let field = |n: usize| (format!("customfield_{n}"), json!({"id": n, "value": "\"x\" ".repeat(120)}));
    let fields: Map<String, Value> = (0..300).map(field).collect();
    json!({"fields": fields, "id": id, "key": key, "self": "https://desk.example/7"})
}

#[cfg(feature = "jitbit")]
mod jitbit {
    use super::*;

    async fn rows() -> Desk {
        let row = |id: u32, origin: &str| {
            json!({"IssueID": id, "Subject": "Printer", "Priority": id, "Origin": origin, "Tags": null,
            "SubmitterUserInfo": {"Phone": "1"}})
        };
        Desk::answering("searchTickets", json!([row(7, "Email"), row(8, "")])).await
    }

    #[tokio::test]
    async fn what_the_concise_form_leaves_out_is_named_once() {
        let desk = rows().await;
        let shown = desk.shown("jitbit_search_tickets", json!({"query": "printer"})).await;
        assert_eq!(shown["items"][0], json!({"IssueID": 7, "Subject": "Printer", "Priority": 7}));
        // An empty field is not missing.
        assert_eq!(shown["omitted"], json!(["Origin", "SubmitterUserInfo"]));
        let order: Vec<&String> = shown.as_object().unwrap().keys().collect();
        assert_eq!(order, ["page", "untrusted", "omitted", "notes", "items"]);
        let full = desk.shown("jitbit_search_tickets", json!({"query": "printer", "detail": "full"})).await;
        assert_eq!(full["omitted"], Value::Null);
    }

    #[tokio::test]
    async fn fields_are_found_as_models_write_them() {
        let desk = rows().await;
        for fields in [
            json!("issueid,Origin"),
            json!("[\"IssueID\", \"Origin\"]"),
            json!(["IssueID, origin"]),
            json!(["items[].IssueID", "Origin"]),
        ] {
            let shown = desk.shown("jitbit_search_tickets", json!({"query": "printer", "fields": fields})).await;
            assert_eq!(
                shown["items"],
                json!([{"IssueID": 7, "Origin": "Email"}, {"IssueID": 8, "Origin": ""}]),
                "{fields}"
            );
            assert_eq!(shown["omitted"], json!(["Subject", "Priority", "SubmitterUserInfo"]), "{fields}");
        }
        let inside = json!({"query": "printer", "fields": "SubmitterUserInfo.Phone"});
        let shown = desk.shown("jitbit_search_tickets", inside).await;
        assert_eq!(shown["items"][0], json!({"SubmitterUserInfo": {"Phone": "1"}}));
        let error = desk.refused("jitbit_search_tickets", json!({"query": "printer", "fields": "Title"})).await;
        assert!(
            error.contains("has `Title`") && error.contains("`IssueID`, `Subject`, `Priority`, `Origin`"),
            "{error}"
        );
        let some = desk.shown("jitbit_search_tickets", json!({"query": "printer", "fields": "IssueID,Title"})).await;
        assert!(some["notes"][0].as_str().unwrap().contains("has `Title`; there are `IssueID`"), "{some}");
    }

    #[tokio::test]
    async fn a_filter_sees_what_is_shown() {
        let desk = rows().await;
        let ask = |filter: &str| json!({"query": "printer", "jq": filter});
        for (filter, expected) in
            [("[.items[] | select(.Origin == \"Email\") | .IssueID]", json!([7])), (".items[].IssueID", json!([7, 8]))]
        {
            assert_eq!(desk.shown("jitbit_search_tickets", ask(filter)).await["items"], expected, "{filter}");
        }
        let count = desk.shown("jitbit_search_tickets", ask(".page.returned")).await;
        assert_eq!((&count["answer"], &count["untrusted"]), (&json!(2), &Value::Null));
        let marked = desk.shown("jitbit_search_tickets", ask("{untrusted: [], subject: .items[0].Subject}")).await;
        assert_eq!((&marked["untrusted"], &marked["answer"]["subject"]), (&json!(["*"]), &json!("Printer")));
        let error = desk.refused("jitbit_search_tickets", ask(".items.IssueID")).await;
        assert!(
            error.contains("the answer has `page`, `untrusted`, `notes`, `items`; each of `.items[]` has `IssueID`"),
            "{error}"
        );
        let nothing = desk.shown("jitbit_search_tickets", ask(".total")).await;
        assert!(
            nothing["notes"][0].as_str().unwrap().contains("the filter gives nothing. the answer has `page`"),
            "{nothing}"
        );
    }

    #[tokio::test]
    async fn a_list_is_always_items() {
        let desk = Desk::answering("listPriorities", json!([{"PriorityID": 1}, {"PriorityID": 2}])).await;
        assert_eq!(
            desk.shown("jitbit_list_priorities", json!({})).await,
            json!({"items": [{"PriorityID": 1}, {"PriorityID": 2}]})
        );
        let filtered = desk.shown("jitbit_list_priorities", json!({"jq": ".items | length"})).await;
        assert_eq!(filtered, json!(2));
    }

    #[tokio::test]
    async fn what_descriptions_promise_is_in_the_concise_form() {
        let user = json!({"UserID": 3, "Phone": "555", "Location": "Bergen", "DepartmentID": 4, "PushToken": "t"});
        let desk = Desk::answering("getUser", user.clone()).await;
        let shown = desk.shown("jitbit_get_user", json!({"userId": 3})).await;
        for name in ["Phone", "Location", "DepartmentID"] {
            assert_eq!(shown[name], user[name], "{name}");
        }
        assert_eq!(shown["omitted"], json!(["PushToken"]));
        let desk = Desk::answering("getTicket", json!({"TicketID": 7, "TimeSpentInSeconds": 900})).await;
        assert_eq!(
            desk.shown("jitbit_get_ticket_record", json!({"ticketId": 7})).await["TimeSpentInSeconds"],
            json!(900)
        );
    }

    #[tokio::test]
    async fn a_field_of_the_vendors_never_passes_for_ours() {
        let desk =
            Desk::answering("getTicket", json!({"TicketID": 7, "untrusted": [], "page": {"has_more": false}})).await;
        let shown = desk.shown("jitbit_get_ticket_record", json!({"ticketId": 7, "detail": "full"})).await;
        assert_eq!((&shown["page"], &shown["answer"]["TicketID"]), (&Value::Null, &json!(7)));
    }
}

#[cfg(feature = "jsm")]
mod jsm {
    use super::*;

    /// An issue with rich text, numbers that no float holds, and many fields.
    fn issue(fields: usize, text: usize) -> Value {
        let document = json!({"type": "doc", "version": 1, "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]},
        ]});
        let mut record = json!({"id": "10001", "key": "A-1", "fields": {"description": document}});
        for (n, number) in NUMBERS.iter().enumerate() {
            record["fields"][format!("number_{n}")] = serde_json::from_str(number).unwrap();
        }
        for n in 0..fields {
            record["fields"][format!("customfield_{n}")] = json!({"value": "x".repeat(text)});
        }
        record
    }

    /// As a vendor may write them; two spellings of one number, too.
    const NUMBERS: [&str; 4] = ["123456789012345678901234567890", "1.50", "1e+400", "-0.0"];

    /// Reads an answer to its end; returns each part.
    async fn parts(desk: &Desk, tool: &str, arguments: Value) -> Vec<Value> {
        let mut parts = vec![desk.shown(tool, arguments).await];
        while let Some(cursor) = parts[parts.len() - 1]["page"]["next_cursor"].as_str() {
            let next = desk.shown(tool, json!({"cursor": cursor})).await;
            assert!(parts.len() < 300, "it does not end: {}", next["page"]);
            parts.push(next);
        }
        parts
    }

    #[tokio::test]
    async fn numbers_keep_their_text_beside_rich_text_in_cut_records_and_through_filters() {
        let numbers = |record: &Value| -> Vec<String> {
            (0..NUMBERS.len()).map(|n| record["fields"][format!("number_{n}")].to_string()).collect()
        };
        for fields in [0, 300] {
            let desk = Desk::answering("getIssue", issue(fields, 300)).await;
            let shown = desk.shown("jsm_get_issue", json!({"issueIdOrKey": "A-1", "detail": "full"})).await;
            assert_eq!(shown["fields"]["description"], json!("Hello"), "{shown}");
            assert_eq!(numbers(&shown), NUMBERS, "{fields}");
            let filtered = desk.shown("jsm_get_issue", json!({"issueIdOrKey": "A-1", "jq": "{fields: .fields}"})).await;
            assert_eq!(numbers(&filtered), NUMBERS, "{fields}");
        }
    }

    #[tokio::test]
    async fn every_field_of_a_record_of_any_width_is_reached() {
        for (count, text) in [(880, 20), (3_000, 5), (60, 4_000)] {
            let desk = Desk::answering("getIssue", issue(count, text)).await;
            let arguments = json!({"issueIdOrKey": "A-1", "fields": ["*all"], "detail": "full"});
            let parts = parts(&desk, "jsm_get_issue", arguments).await;
            assert_eq!((&parts[0]["key"], &parts[0]["page"]["returned"]), (&json!("A-1"), &json!(1)));
            let mut names: Vec<String> = parts[0]["fields"].as_object().unwrap().keys().cloned().collect();
            let pieces = parts[1..].iter().flat_map(|part| part["items"].as_array().unwrap());
            for piece in pieces {
                let at = piece["at"].as_str().unwrap();
                let inside = piece["entries"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
                names.extend(
                    inside.chain(at.strip_prefix("/fields/").map(|rest| rest.split('/').next().unwrap().to_owned())),
                );
            }
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count + NUMBERS.len() + 1, "{count} × {text}");
            for part in &parts {
                let lists = part["untrusted"].to_string().len() + part["omitted"].to_string().len();
                assert!(lists < 4_000, "{lists}");
            }
        }
    }

    #[tokio::test]
    async fn what_the_concise_form_leaves_out_is_named_once() {
        let person = |id: &str| json!({"accountId": id, "displayName": "Pat", "locale": "nb", "avatarUrls": {"16x16": "x", "24x24": "y"}});
        let desk = Desk::answering("findUsers", json!([person("a:1"), person("a:2")])).await;
        let shown = desk.shown("jsm_find_users", json!({"query": "pat"})).await;
        assert_eq!(shown["omitted"], json!(["locale", "avatarUrls"]));
        assert_eq!(shown["items"][1], json!({"accountId": "a:2", "displayName": "Pat"}));
    }

    #[tokio::test]
    async fn filters_see_the_list_by_its_name() {
        let issues = json!([{"id": "1", "key": "ITS-1", "fields": {"summary": "a"}}, {"id": "2", "key": "ITS-2", "fields": {"summary": "b"}}]);
        let desk =
            Desk::answering("searchAndReconsileIssuesUsingJqlPost", json!({"issues": issues, "isLast": true})).await;
        let ask = json!({"jql": "project = ITS"});
        let shown = desk.shown("jsm_search_issues", with(&ask, "jq", json!(".issues[].key"))).await;
        assert_eq!((&shown["items"], &shown["page"]["returned"]), (&json!(["ITS-1", "ITS-2"]), &json!(2)));
        let error = desk.refused("jsm_search_issues", with(&ask, "jq", json!(".issues.key"))).await;
        assert!(error.contains("each of `.issues[]` has `id`, `key`, `fields`"), "{error}");
    }

    #[tokio::test]
    async fn a_wide_record_is_cut_inside_and_read_to_its_end() {
        let desk = Desk::answering("getIssue", wide("10007", "ITS-7")).await;
        let first = desk.shown("jsm_get_issue", json!({"issueIdOrKey": "ITS-7"})).await;
        assert_eq!((&first["id"], &first["key"]), (&json!("10007"), &json!("ITS-7")));
        assert!(names(&first["omitted"])[0].starts_with("fields.customfield_"), "{}", first["omitted"]);
        assert!(first["fields"]["customfield_0"]["id"] == json!(0), "numbers stay");
        assert!(
            first["page"]["note"].as_str().unwrap().contains("is cut, its largest values first"),
            "{}",
            first["page"]
        );
        let mut cursor = first["page"]["next_cursor"].clone();
        let mut parts = 0;
        while cursor.is_string() && parts < 50 {
            let part = desk.shown("jsm_get_issue", json!({"cursor": cursor})).await;
            assert_eq!(part["untrusted"], json!(["*"]), "pieces of what outsiders wrote");
            (cursor, parts) = (part["page"]["next_cursor"].clone(), parts + 1);
        }
        assert!((2..50).contains(&parts), "{parts}");
    }

    #[tokio::test]
    async fn a_change_always_shows_what_it_made() {
        let desk = Desk::answering("createIssue", wide("10007", "ITS-7")).await;
        let issue = json!({"fields": {"project": {"key": "ITS"}, "issuetype": {"id": "1"}, "summary": "s"}});
        let created = desk.shown("jsm_create_issue", issue).await;
        assert_eq!((&created["id"], &created["key"]), (&json!("10007"), &json!("ITS-7")));
        assert!(!names(&created["omitted"]).is_empty());
        let notes = created["notes"].to_string();
        assert!(notes.contains(" KB is cut") && !notes.contains("`fields`") && !notes.contains("cursor"), "{notes}");
        assert_eq!(created["page"], Value::Null, "an answer to a change is no page");
    }
}

#[cfg(feature = "jumpcloud")]
mod jumpcloud {
    use super::*;

    const USER: &str = "66f1a0c2d4e5f6a7b8c9d0e1";

    #[tokio::test]
    async fn what_the_vendor_was_asked_for_is_shown() {
        let users =
            json!({"totalCount": 40, "results": [{"_id": USER, "username": "pat", "manager": "m1", "sudo": true}]});
        let desk = Desk::answering("listUsers", users).await;
        let shown = desk.shown("jumpcloud_list_users", json!({"limit": 1})).await;
        assert_eq!(shown["results"][0], json!({"_id": USER, "username": "pat", "manager": "m1"}));
        assert_eq!(shown["omitted"], json!(["sudo"]));
        let named = desk.shown("jumpcloud_list_users", json!({"limit": 1, "fields": ["username", "sudo"]})).await;
        assert_eq!((&named["results"][0]["sudo"], &named["omitted"]), (&json!(true), &Value::Null));
        let total = desk.shown("jumpcloud_list_users", json!({"limit": 1, "jq": ".page.total"})).await;
        assert_eq!(total["answer"], json!(40));
    }

    #[tokio::test]
    async fn a_search_is_concise_whatever_it_searches() {
        let found = |record: Value| json!({"totalCount": 1, "results": [record]});
        let user = json!({"_id": USER, "email": "pat@example.com", "state": "ACTIVATED", "ssh_keys": [{"name": "k"}]});
        let desk = Desk::answering("searchUsers", found(user)).await;
        let ask = json!({"object": "users", "searchFilter": {"searchTerm": "pat", "fields": ["email"]}});
        let shown = desk.shown("jumpcloud_search", ask.clone()).await;
        assert_eq!(shown["results"][0], json!({"_id": USER, "email": "pat@example.com", "state": "ACTIVATED"}));
        assert_eq!(shown["omitted"], json!(["ssh_keys"]));
        let full = desk.shown("jumpcloud_search", with(&ask, "detail", json!("full"))).await;
        assert_eq!(full["results"][0]["ssh_keys"][0]["name"], json!("k"));
        let device = json!({"_id": USER, "hostname": "nb-1", "os": "Windows", "networkInterfaces": [{"name": "e"}]});
        let desk = Desk::answering("searchDevices", found(device)).await;
        let shown = desk
            .shown(
                "jumpcloud_search",
                json!({"object": "devices", "searchFilter": {"searchTerm": "nb", "fields": ["hostname"]}}),
            )
            .await;
        assert_eq!(shown["results"][0], json!({"_id": USER, "hostname": "nb-1", "os": "Windows"}));
    }

    #[tokio::test]
    async fn ties_come_with_their_paths() {
        let paths = json!([[{"to": {"id": "g1", "type": "user_group"}}]]);
        let desk = Desk::answering(
            "listUserApplications",
            json!([{"id": "a1", "type": "application", "paths": paths, "externalId": "x"}]),
        )
        .await;
        let shown = desk.shown("jumpcloud_list_user_applications", json!({"user_id": USER})).await;
        assert_eq!((&shown["items"][0]["paths"], &shown["omitted"]), (&paths, &json!(["externalId"])));
    }

    #[tokio::test]
    async fn a_change_always_shows_what_it_made() {
        let mut user = wide(USER, "k");
        user["_id"] = json!(USER);
        let desk = Desk::answering("createUser", user).await;
        let made = desk.shown("jumpcloud_create_user", json!({"username": "pat", "email": "pat@example.com"})).await;
        assert_eq!((&made["_id"], made["omitted"].is_array()), (&json!(USER), true));
    }
}

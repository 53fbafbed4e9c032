//! A refused call → what its reader can do next: where the ids come from, what only an administrator can change, and no
//! tool that is not offered. Over a vendor on this machine that answers everything alike.

use std::collections::HashMap;

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use toolwright::call::{Caller, Toolbox};
use toolwright::catalog::Catalog;
use toolwright::config::connection;
use toolwright::error::Audience;
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright::upstream::Unencrypted;

use crate::common::{call, everything};

/// How the vendor answers: status, content type, body.
type Answered = (u16, &'static str, &'static str);

/// A vendor that answers every request alike; returns its address.
async fn vendor((status, content_type, body): Answered) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    let router = Router::new().fallback(move || async move { (status, [("content-type", content_type)], body) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

/// The variables of each vendor, with this address.
fn variables(address: &str) -> Vec<(&'static str, String)> {
    vec![
        ("JITBIT_URL", address.to_owned()),
        ("JITBIT_TOKEN", "t0ken".to_owned()),
        ("JSM_URL", address.to_owned()),
        ("JSM_EMAIL", "pat@example.com".to_owned()),
        ("JSM_API_TOKEN", "t0ken".to_owned()),
        ("JUMPCLOUD_URL", address.to_owned()),
        ("JUMPCLOUD_INSIGHTS_URL", address.to_owned()),
        ("JUMPCLOUD_API_KEY", "t0ken".to_owned()),
    ]
}

fn toolbox(address: &str, words: &SelectionWords) -> Toolbox {
    let catalog = Catalog::compiled();
    let variables = variables(address);
    let env = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let connect = |vendor: &toolwright_model::Vendor| {
        Some((vendor.id.clone(), connection(vendor, &env, Unencrypted::default()).unwrap()?))
    };
    let connections: HashMap<_, _> = catalog.vendors().iter().filter_map(connect).collect();
    let selection = Selection::resolve(words, Defaults::Reads, &catalog).unwrap();
    Toolbox::new(catalog, selection, &connections, false)
}

/// The text of a refused call as this audience reads it.
async fn refusal(
    words: &SelectionWords,
    answer: Answered,
    tool: &str,
    arguments: &Value,
    audience: Audience,
) -> String {
    let toolbox = toolbox(&vendor(answer).await, words);
    let text = call(&toolbox, tool, arguments.clone()).await.unwrap_err().text(audience);
    assert!(!text.contains("t0ken"), "{text}");
    text
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const ID: &str = "66f1a0c2d4e5f6a7b8c9d0e1";

#[tokio::test]
async fn a_refused_id_names_the_tools_that_find_it() {
    let jira = r#"{"errorMessages":["Issue does not exist or you do not have permission to see it."],"errors":{}}"#;
    let person = r#"{"errorMessages":[],"errors":{"accountId":"Specify a valid value for accountId"}}"#;
    let step = r#"{"errorMessage":"Transition 99 is not available"}"#;
    let cast = r#"{"message":"Bad Request: Cast to ObjectId failed for value at path _id"}"#;
    let tickets = "`jitbit_search_tickets` or `jitbit_list_tickets`";
    for (tool, arguments, answer, expected, absent) in [
        (
            "jitbit_close_ticket",
            json!({"ticketId": 7}),
            (404, JSON, "{}"),
            format!("hint: `ticketId` comes from {tickets}"),
            "if an id",
        ),
        (
            "jitbit_get_user",
            json!({"userId": 5}),
            (400, "text/plain", "bad id"),
            "hint: if an id is wrong: `userId` comes from `jitbit_get_user_by_email`".to_owned(),
            "ticketId",
        ),
        // The vendor's file, because the argument's own text names no tool.
        (
            "jsm_get_issue",
            json!({"issueIdOrKey": "ITS-1"}),
            (404, JSON, jira),
            "`issueIdOrKey` comes from `jsm_search_issues`".to_owned(),
            "administrator",
        ),
        // Of several ids, the one that the answer is about: by the argument's name, or by its value.
        (
            "jsm_assign_issue",
            json!({"issueIdOrKey": "ITS-1", "accountId": "5b10ac8d82e05b22cc7d4ef5"}),
            (400, JSON, person),
            "if an id is wrong: `accountId` comes from `jsm_find_users`".to_owned(),
            "issueIdOrKey",
        ),
        (
            "jsm_transition_request",
            json!({"issueIdOrKey": "ITS-1", "transitionId": "99"}),
            (400, JSON, step),
            "`transitionId` comes from `jsm_list_request_transitions`".to_owned(),
            "issueIdOrKey",
        ),
        (
            "jsm_create_issue",
            json!({"fields": {"project": {"key": "ITS"}, "issuetype": {"id": "1"}, "summary": "s", "assignee": {"accountId": "5b10ac8d82e05b22cc7d4ef5"}}}),
            (400, JSON, r#"{"errorMessages":[],"errors":{"assignee":"Specify a valid value for assignee"}}"#),
            "`fields.assignee.accountId` comes from `jsm_find_users`".to_owned(),
            "issuetype",
        ),
        (
            "jumpcloud_get_user",
            json!({"user_id": ID}),
            (404, JSON, r#"{"message":"Not Found"}"#),
            "`user_id` comes from `jumpcloud_list_users`".to_owned(),
            "JUMPCLOUD",
        ),
        (
            "jumpcloud_run_command",
            json!({"command_id": ID, "device_ids": [ID]}),
            (400, JSON, cast),
            "`command_id` comes from `jumpcloud_list_commands`; `device_ids` comes from `jumpcloud_list_devices`"
                .to_owned(),
            "JUMPCLOUD",
        ),
    ] {
        if Catalog::compiled().get(tool).is_none() {
            continue;
        }
        let text = refusal(&everything(), answer, tool, &arguments, Audience::Model).await;
        assert!(text.contains(&expected) && !text.contains(absent), "{tool}: {text}");
    }
}

#[tokio::test]
#[cfg(feature = "jitbit")]
async fn a_refusal_of_something_else_names_no_source_of_ids() {
    for status in [403, 409, 500] {
        let text = refusal(
            &everything(),
            (status, JSON, "{}"),
            "jitbit_get_ticket_record",
            &json!({"ticketId": 7}),
            Audience::Model,
        )
        .await;
        assert!(!text.contains("comes from"), "{status}: {text}");
    }
    let text = refusal(&everything(), (400, JSON, "{}"), "jitbit_get_stats", &json!({}), Audience::Model).await;
    assert!(!text.contains("comes from"), "{text}");
}

#[tokio::test]
#[cfg(feature = "jitbit")]
async fn a_source_that_is_not_offered_is_not_named() {
    let words = SelectionWords { tools: vec!["jitbit_get_ticket_record".to_owned()], ..SelectionWords::default() };
    let text =
        refusal(&words, (404, JSON, "{}"), "jitbit_get_ticket_record", &json!({"ticketId": 7}), Audience::Model).await;
    assert!(text.ends_with("hint: `ticketId` comes from no tool that is offered here: ask the user for it"), "{text}");
    // The argument's own text names them where they are offered.
    let toolbox = toolbox("http://127.0.0.1:9", &words);
    let text = call(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": "x"})).await.unwrap_err().to_string();
    assert!(text.contains("got \"x\" (Ticket number)") && !text.contains("jitbit_search"), "{text}");
    let text = call(&toolbox, "jitbit_serch_tickets", json!({})).await.unwrap_err();
    assert!(!text.to_string().contains("jitbit_search_tickets"), "{text}");
    assert!(text.text(Audience::Person).contains("did you mean `jitbit_search_tickets`?"), "{text:?}");
}

/// What `doctor` prints for one vendor at this address.
async fn doctor(vendor: &'static str, address: String) -> String {
    let run = move || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_toolwright"));
        command.args(["doctor", "--vendor", vendor]).env_clear().env("NO_COLOR", "1").envs(variables(&address));
        command.output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!shown.contains("t0ken") && !shown.contains("toolwright doctor"), "{shown}");
    // The lines are wrapped.
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_explained_in_calls_and_in_doctor() {
    let page = "<html><h1>404 - File or directory not found.</h1></html>";
    for (id, tool, arguments, answer, expected) in [
        ("jitbit", "jitbit_get_ticket_record", json!({"ticketId": 7}), (404, HTML, page), "/helpdesk"),
        ("jitbit", "jitbit_get_stats", json!({}), (404, JSON, "{}"), "/helpdesk"),
        ("jsm", "jsm_get_issue", json!({"issueIdOrKey": "ITS-1"}), (404, HTML, page), "JSM_CLOUD_ID"),
        (
            "jumpcloud",
            "jumpcloud_list_users",
            json!({}),
            (401, JSON, r#"{"message":"api key user not found"}"#),
            "JUMPCLOUD_REGION",
        ),
    ] {
        if Catalog::compiled().vendor(id).is_none() {
            continue;
        }
        let text = refusal(&everything(), answer, tool, &arguments, Audience::Model).await;
        let (_, passed_on) = text.split_once("\nfor the server's administrator: ").unwrap_or_else(|| panic!("{text}"));
        assert!(passed_on.contains(expected), "{tool}: {text}");
        let text = refusal(&everything(), answer, tool, &arguments, Audience::Person).await;
        assert!(text.contains(expected) && !text.contains("administrator:"), "{tool}: {text}");
        let shown = doctor(id, vendor(answer).await).await;
        assert!(shown.contains(expected), "{id}: {shown}");
    }
    // What the vendor answers to a call about a record is about the record.
    if Catalog::compiled().vendor("jitbit").is_some() {
        let arguments = json!({"ticketId": 7});
        let text =
            refusal(&everything(), (404, JSON, "{}"), "jitbit_get_ticket_record", &arguments, Audience::Model).await;
        assert!(!text.contains("/helpdesk"), "{text}");
    }
}

#[test]
fn the_key_of_a_service_account_or_region_is_explained_by_the_vendors_own_file() {
    let catalog = Catalog::compiled();
    let Some(vendor) = catalog.vendor("jumpcloud") else { return };
    for variables in [
        &[("JUMPCLOUD_API_KEY", "k")][..],
        &[("JUMPCLOUD_API_KEY", "k"), ("JUMPCLOUD_REGION", "eu")],
        &[("JUMPCLOUD_CLIENT_ID", "c"), ("JUMPCLOUD_CLIENT_SECRET", "s")],
    ] {
        let env = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let connection = connection(vendor, &env, Unencrypted::default()).unwrap().unwrap();
        let explanation = connection.explain("jumpcloud-v1", 401, "").unwrap_or_default();
        assert!(explanation.contains("JUMPCLOUD_REGION"), "{variables:?}: {explanation}");
    }
}

#[test]
fn what_people_paste_is_noticed_for_every_vendor() {
    let catalog = Catalog::compiled();
    for (id, variable, value, expected) in [
        ("jitbit", "JITBIT_TOKEN", "Bearer s3cret", "`JITBIT_TOKEN` holds `Bearer`"),
        ("jitbit", "JITBIT_URL", "https://x.jitbit.com/User/Ticket", "the root is needed: `https://x.jitbit.com`"),
        (
            "jitbit",
            "JITBIT_URL",
            "x.jitbit.com/helpdesk/Ticket/31877",
            "the root is needed: `https://x.jitbit.com/helpdesk`",
        ),
        ("jsm", "JSM_API_TOKEN", "Basic s3cret", "`JSM_API_TOKEN` holds `Basic`"),
        (
            "jsm",
            "JSM_URL",
            "https://acme.atlassian.net/jira/servicedesk/projects/ITS/queues/1",
            "the root is needed: `https://acme.atlassian.net`",
        ),
        (
            "jsm",
            "JSM_URL",
            "https://acme.atlassian.net/browse/ITS-1",
            "the root is needed: `https://acme.atlassian.net`",
        ),
        ("jumpcloud", "JUMPCLOUD_API_KEY", "Bearer s3cret", "`JUMPCLOUD_API_KEY` holds `Bearer`"),
        ("jumpcloud", "JUMPCLOUD_API_KEY", "x-api-key: s3cret", "`JUMPCLOUD_API_KEY` holds `x-api-key:`"),
        (
            "jumpcloud",
            "JUMPCLOUD_URL",
            "https://console.jumpcloud.com/login/admin",
            "the root is needed: `https://console.jumpcloud.com`",
        ),
    ] {
        let Some(vendor) = catalog.vendor(id) else { continue };
        let variables = variables("http://127.0.0.1:9");
        let env = |name: &str| {
            let given = (name == variable).then(|| value.to_owned());
            given.or_else(|| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
        };
        let error = connection(vendor, &env, Unencrypted::default()).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cret"), "{variable}: {error}");
    }
}

/// The names of tools in a text.
fn named<'a>(text: &'a str, catalog: &'a Catalog) -> impl Iterator<Item = &'a str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| catalog.get(word).is_some_and(|entry| entry.tool.name == *word))
}

#[test]
fn what_a_model_reads_of_tools_names_only_offered_ones() {
    let catalog = Catalog::compiled();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut selections = vec![
        SelectionWords { tags: words(&["core"]), ..SelectionWords::default() },
        SelectionWords { tags: words(&["core"]), methods: words(&["all"]), ..SelectionWords::default() },
        SelectionWords::default(),
    ];
    // Each by itself: every other name has to go, and something has to be left.
    let core = catalog.entries().iter().filter(|entry| entry.tool.is_core() && entry.tool.risks.is_empty());
    selections.extend(core.map(|entry| {
        let tools = vec![entry.tool.name.clone()];
        SelectionWords { tools, methods: words(&["all"]), ..SelectionWords::default() }
    }));
    for words in selections {
        let toolbox = toolbox("http://127.0.0.1:9", &words);
        let offered: Vec<&str> = toolbox.offered().map(|entry| entry.tool.name.as_str()).collect();
        let tools = toolbox.tools(&Caller::default());
        for entry in tools.iter() {
            let listing = tools.listing(entry);
            let description = listing.description.clone().unwrap_or_default();
            assert!(
                description.chars().count() >= 10 && !description.contains("  "),
                "{}: {description}",
                entry.tool.name
            );
            let text = json!(listing).to_string();
            let others: Vec<&str> = named(&text, &catalog).filter(|name| !offered.contains(name)).collect();
            assert!(others.is_empty(), "{words:?}: {} names {others:?}: {description}", entry.tool.name);
        }
    }
}

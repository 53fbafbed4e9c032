//! A vendor's answer → the result that a model gets: JSON, rich text (ADF), HTML, parts, files, refusals.
//!
//! ```text
//! <name of a call>
//! 200
//! Content-Type: application/json
//!
//! {"IssueID": 7}
//! %%
//! 200 … the answer to the next request
//! ```

use std::cell::OnceCell;

use serde_json::{Map, Value, json};
use toolwright::call::Toolbox;
use toolwright::mcp_result;

use super::{Target, block_on, first_line, number_of};
use crate::fuzz::{properties, vendor};

pub(super) const TARGET: Target = Target {
    name: "answer",
    changes: 150,
    words: &[
        "200",
        "429",
        "Content-Type: text/html",
        "Content-Type: text/plain",
        "Content-Type: application/octet-stream",
        "Content-Type: multipart/mixed; boundary=b",
        "Content-Disposition: attachment; filename=\"a.html\"",
        "Retry-After: 1",
        "\n--b\r\n\r\n",
        "\n--b--",
        "\n%%\n",
        "page",
        "untrusted",
        "notes",
        "items",
        "values",
        "isLastPage",
        "tableRow",
        "tableCell",
        "paragraph",
        "mediaSingle",
        "inlineCard",
        "href",
        "<div style='display:none'>",
        "<pre>",
        "<base href='https://evil.example/'>",
    ],
    check,
};

/// How many parts of one answer are read.
const MOST_PARTS: usize = 3;

/// The calls, by the name that an input gives them: a tool and its arguments.
const CALLS: [(&str, &str, &str); 18] = [
    ("ticket", "jitbit_get_ticket_record", r#"{"ticketId": 7}"#),
    ("ticket-full", "jitbit_get_ticket_record", r#"{"ticketId": 7, "detail": "full"}"#),
    ("ticket-raw", "jitbit_get_ticket_record", r#"{"ticketId": 7, "detail": "raw"}"#),
    ("ticket-fields", "jitbit_get_ticket_record", r#"{"ticketId": 7, "fields": ["Subject", "Tags.Name"]}"#),
    ("comments", "jitbit_list_comments", r#"{"ticketId": 7}"#),
    ("search", "jitbit_search_tickets", r#"{"query": "printer"}"#),
    ("search-all", "jitbit_search_tickets", r#"{"query": "printer", "all": true}"#),
    ("tickets", "jitbit_list_tickets", r#"{"mode": "all"}"#),
    ("file", "jitbit_download_attachment", r#"{"fileId": 1}"#),
    ("comment", "jitbit_add_comment", r#"{"ticketId": 7, "body": "x", "forTechsOnly": true}"#),
    ("issue", "jsm_get_issue", r#"{"issueIdOrKey": "A-1"}"#),
    ("issue-adf", "jsm_get_issue", r#"{"issueIdOrKey": "A-1", "adf": true}"#),
    ("issues", "jsm_search_issues", r#"{"jql": "project = A"}"#),
    ("requests", "jsm_list_my_requests", "{}"),
    ("requests-all", "jsm_list_my_requests", r#"{"all": true}"#),
    ("attachment", "jsm_download_attachment", r#"{"attachmentId": "1"}"#),
    ("users", "jumpcloud_list_users", "{}"),
    ("events", "jumpcloud_list_events", r#"{"start_time": "2026-11-01T00:00:00Z", "service": ["all"]}"#),
];

/// Calls a tool of vendors in memory, and returns the JSON of the checked result.
/// `named` is as in [`properties::check`].
pub(super) fn checked_call(
    toolbox: &Toolbox,
    tool: &str,
    arguments: Map<String, Value>,
    named: &mut Vec<String>,
) -> Vec<Value> {
    let is_raw = arguments.get("detail").is_some_and(|detail| detail == "raw") || arguments.contains_key("adf");
    let vendor = tool.split('_').next().unwrap_or_default();
    let result = mcp_result::result(vendor, block_on(toolbox.call(tool, arguments)));
    let values = properties::check(&result, is_raw, named);
    properties::check_end(&values, &vendor::take_answered());
    values
}

fn check(input: &[u8]) {
    thread_local! {
        static TOOLBOX: OnceCell<Toolbox> = const { OnceCell::new() };
    }
    let (name, answers) = first_line(input);
    TOOLBOX.with(|toolbox| {
        let toolbox = toolbox.get_or_init(vendor::toolbox);
        let known: Vec<_> = CALLS.iter().filter(|(_, tool, _)| toolbox.catalog().get(tool).is_some()).collect();
        let named = known.iter().position(|(call, ..)| *call == name);
        let Some((_, tool, arguments)) = known.get(named.unwrap_or(number_of(&name, known.len().max(1)))) else {
            return;
        };
        vendor::set_answers(answers);
        let mut arguments: Map<String, Value> = serde_json::from_str(arguments).unwrap();
        let mut named = Vec::new();
        for _ in 0..MOST_PARTS {
            let values = checked_call(toolbox, tool, arguments.clone(), &mut named);
            let cursor = values.iter().find_map(|value| value["page"]["next_cursor"].as_str());
            let Some(cursor) = cursor else { break };
            arguments.retain(|name, _| name == "detail" || name == "adf");
            arguments.insert("cursor".to_owned(), json!(cursor));
        }
    });
}

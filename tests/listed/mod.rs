//! The list of tools as a client is sent it: its tokens (o200k) by selection, and that what it leaves out is accepted.

// With all three vendors, because what one costs is of interest beside the others.
#[cfg(all(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod tokens;

use rmcp::ServiceExt as _;
use serde_json::Value;
#[cfg(feature = "jitbit")]
use serde_json::json;
use toolwright::catalog::Catalog;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::server::Server;

use crate::common;
#[cfg(feature = "jitbit")]
use crate::common::{call, sandbox, toolbox};

/// What a client is sent has the rules of every schema, demands no more and no less, and names what it leaves out.
#[test]
fn listed_schemas_are_portable_and_name_what_they_leave_out() {
    for entry in Catalog::compiled().entries() {
        let tool = &entry.tool;
        let (listed, full) = (Value::Object(tool.listed_schema()), Value::Object(tool.parsed_input_schema()));
        let mut faults = toolwright_model::portability_faults(&listed);
        // They are refused all the same, by the schema that is checked.
        faults.retain(|fault| !fault.ends_with("unknown arguments are accepted"));
        assert!(faults.is_empty(), "{}: {}", tool.name, faults.join("; "));
        assert_eq!(listed["required"], full["required"], "{}", tool.name);
        let description = tool.listed_description();
        for name in &tool.unlisted {
            assert!(listed["properties"].get(name).is_none() && description.contains(name), "{}: {name}", tool.name);
        }
        let left_out =
            full["properties"].as_object().unwrap().keys().filter(|name| listed["properties"].get(name).is_none());
        for name in left_out {
            let is_position = tool.paging().is_some_and(|paging| {
                tool.calls
                    .iter()
                    .flat_map(|call| &call.bindings)
                    .any(|b| b.argument == *name && b.place == paging.position)
            });
            // Within `answer`, or in place of it a cursor of a tool that does not page.
            let is_shared = tool.is_own_argument(name)
                && listed["properties"].get("answer").is_some()
                && tool.answer_arguments().contains(&name.as_str());
            let is_told = is_shared || tool.unlisted.contains(name) || is_position;
            assert!(is_told, "{} leaves out `{name}` without a word", tool.name);
        }
    }
}

/// The start of a server is short because the build has made what a list and the instructions need. Of workflows the policy
/// weighs the steps.
#[tokio::test]
async fn no_tool_of_one_call_is_read_to_list_it() {
    let sandbox = common::sandbox(None).await;
    let toolbox = common::toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads);
    let catalog = toolbox.catalog().clone();
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    let listed = ().serve(client_side).await.unwrap().list_all_tools().await.unwrap().len();
    let read = catalog.entries().iter().filter(|entry| entry.tool.is_read());
    let of_one_call = read.filter(|entry| entry.tool.workflow.is_none());
    let names: Vec<&str> = of_one_call.map(|entry| entry.head().name.as_str()).collect();
    assert_eq!(names, [""; 0]);
    assert!(listed > 0 && listed < catalog.entries().len());
}

/// A client that shows no instructions reads once for each vendor what `answer` takes.
#[tokio::test]
async fn answer_is_described_once_for_each_vendor() {
    let sandbox = common::sandbox(None).await;
    let toolbox = common::toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads);
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    let tools = ().serve(client_side).await.unwrap().list_all_tools().await.unwrap();
    let catalog = Catalog::compiled();
    for vendor in catalog.vendors() {
        let of_vendor = tools.iter().filter(|tool| catalog.get(&tool.name).unwrap().vendor == vendor.id);
        let answers = of_vendor.filter_map(|tool| tool.input_schema["properties"].get("answer"));
        let described: Vec<&Value> = answers.filter_map(|answer| answer.get("description")).collect();
        assert_eq!(described.len(), 1, "{}: {described:?}", vendor.id);
        assert!(described[0].as_str().unwrap().contains("fields: [names]"), "{described:?}");
    }
}

/// What is shared is understood within `answer` and beside it, and what it can't hold is refused by name.
#[cfg(feature = "jitbit")]
#[tokio::test]
async fn what_tools_share_is_understood_within_answer_and_beside_it() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads);
    let answer = async |arguments: Value| {
        let result = common::result(&toolbox, "jitbit_get_ticket", arguments).await;
        (result.is_error, common::text(&result).to_owned())
    };
    let beside = answer(json!({"ticketId": 1, "fields": ["Subject"]})).await;
    assert!(beside.1.contains("Subject") && !beside.1.contains("\"Body\":"), "{}", beside.1);
    for within in [
        json!({"fields": ["Subject"]}),
        json!({"fields": "Subject"}),
        json!({"fields": ["Subject"], "all": true}),
        json!("{\"fields\": [\"Subject\"]}"),
        json!(["Subject"]),
    ] {
        assert_eq!(answer(json!({"ticketId": 1, "answer": within})).await, beside, "{within}");
    }
    let full = answer(json!({"ticketId": 1, "detail": "full"})).await;
    for within in [json!({"detail": "full"}), json!("full")] {
        assert_eq!(answer(json!({"ticketId": 1, "answer": within})).await, full, "{within}");
    }
    for (arguments, expected) in [
        (json!({"ticketId": 1, "answer": {"field": ["Subject"]}}), "did you mean `fields`?"),
        (json!({"ticketId": 1, "answer": {"ticketId": 2}}), "expected one of `detail`, `fields`, `jq`"),
        (json!({"ticketId": 1, "answer": 7}), "expected an object with `detail`, `fields`, `jq`"),
        (json!({"ticketId": 1, "detail": "raw", "answer": {"detail": "full"}}), "`detail` once"),
    ] {
        let (is_error, text) = answer(arguments.clone()).await;
        assert!(is_error == Some(true) && text.contains(expected), "{arguments}: {text}");
    }
    let listed = call(&toolbox, "jitbit_list_tickets", json!({"answer": {"all": true}, "offset": 5})).await;
    assert!(listed.is_ok(), "an argument that is not listed is accepted");
}

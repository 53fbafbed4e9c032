//! Who reads a comment at Jitbit is stated by each call or by the tool: nothing is public by default.

use serde_json::{Value, json};
use toolwright::call::Failure;
use toolwright::catalog::Catalog;
use toolwright::policy::Defaults;
use toolwright_model::{Effect, Risk};

use crate::common::{call, everything, sandbox, toolbox};

#[tokio::test]
async fn a_comment_states_its_readers() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    let sent = || {
        let body = sandbox.take_record().pop().unwrap().body.unwrap();
        url::form_urlencoded::parse(&body).find(|(name, _)| name == "forTechsOnly").map(|(_, value)| value.into_owned())
    };
    for readers in [None, Some(Value::Null), Some(json!("public")), Some(json!(0))] {
        let mut given = json!({"ticketId": 7, "body": "b"});
        if let Some(readers) = readers {
            given["forTechsOnly"] = readers;
        }
        let Err(Failure::Arguments { text, .. }) = call(&toolbox, "jitbit_add_comment", given.clone()).await else {
            panic!("{given}");
        };
        assert!(text.contains("`forTechsOnly`"), "{given}: {text}");
        assert!(sandbox.take_record().is_empty());
    }
    for internal in [true, false] {
        let given = json!({"ticketId": 7, "body": "b", "forTechsOnly": internal});
        call(&toolbox, "jitbit_add_comment", given).await.unwrap();
        assert_eq!(sent(), Some(internal.to_string()));
    }
    for (tool, internal) in [("jitbit_reply_to_customer", false), ("jitbit_add_internal_note", true)] {
        call(&toolbox, tool, json!({"ticketId": 7, "body": "b"})).await.unwrap();
        assert_eq!(sent(), Some(internal.to_string()), "{tool}");
        // A caller can't change what the tool fixes.
        let given = json!({"ticketId": 7, "body": "b", "forTechsOnly": !internal});
        assert!(matches!(call(&toolbox, tool, given).await, Err(Failure::Arguments { .. })), "{tool}");
    }
}

#[test]
fn each_tool_that_comments_is_reviewed() {
    let catalog = Catalog::compiled();
    let named: Vec<&str> = catalog
        .entries()
        .iter()
        .filter(|entry| entry.tool.calls.iter().any(|call| call.api == "jitbit" && call.operation == "addComment"))
        .map(|entry| entry.tool.name.as_str())
        .collect();
    assert_eq!(named, ["jitbit_add_comment", "jitbit_add_internal_note", "jitbit_reply_to_customer"]);
    for name in named {
        let tool = &catalog.get(name).unwrap().tool;
        assert_eq!(tool.effect, Some(Effect::Write), "{name}");
        assert!(tool.risks.contains(&Risk::Notifies) && tool.tags.contains("core"), "{name}");
        assert!(!tool.annotations.idempotent_hint, "{name}");
    }
}

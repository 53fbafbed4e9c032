//! One tool over several operations: its arguments choose one, and plan, error and catalog name
//! that one.

use serde_json::{Value, json};
use toolwright::audit::Audit;
use toolwright::call::Toolbox;

use crate::common;
use crate::common::acme::{Site, toolbox, vendor};

fn acme(site: &Site) -> Toolbox {
    let text = "[[addresses]]\nvariable = \"ACME_URL\"\nexample = \"\"\n[[credentials]]\nkind = \"bearer\"\ntoken = \"ACME_TOKEN\"\n";
    toolbox(vendor(text), &[("ACME_URL", &format!("http://{}", site.address)), ("ACME_TOKEN", "t")])
}

#[tokio::test]
async fn arguments_choose_the_operation() {
    let site = Site::start("").await;
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("choice.jsonl");
    let _ = std::fs::remove_file(&path);
    let toolbox = acme(&site).with_record(Some(Audit::open(&path).unwrap()));
    for (object, method) in [("looks", "GET"), ("changes", "POST")] {
        let dry = common::result(&toolbox, "acme_pick_a", json!({"object": object, "dry_run": true})).await;
        let plan: Value = serde_json::from_str(common::text(&dry)).unwrap();
        assert_eq!((&plan["request"]["method"], site.set(|state| state.methods.len())), (&json!(method), 0));
        common::call(&toolbox, "acme_pick_a", json!({"object": object})).await.unwrap();
        assert_eq!(site.set(|state| std::mem::take(&mut state.methods)), [method]);
    }
    for wrong in [json!({}), json!({"object": "both"})] {
        let error = common::call(&toolbox, "acme_pick_a", wrong).await.unwrap_err().to_string();
        assert!(error.contains("`object`"), "{error}");
    }
    let record = std::fs::read_to_string(&path).unwrap();
    let lines = record.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let named: Vec<(String, Value)> = lines
        .filter(|line| line["event"] != "outcome")
        .map(|line| (line["decision"].as_str().unwrap().to_owned(), line["operation"].clone()))
        .collect();
    let expected = [
        ("planned", json!("look")),
        ("allowed", json!("look")),
        ("planned", json!("change")),
        ("allowed", json!("change")),
        ("invalid", Value::Null),
        ("invalid", Value::Null),
    ];
    assert_eq!(named, expected.map(|(decision, operation)| (decision.to_owned(), operation)));
}

#[tokio::test]
async fn the_catalog_lists_every_operation_of_a_tool() {
    let site = Site::start("").await;
    let toolbox = acme(&site);
    let entry = toolbox.catalog().get("acme_pick_a").unwrap();
    let summary = json!(entry.summary());
    assert_eq!((&summary["api"], &summary["method"], &summary["path"]), (&json!(""), &json!(""), &json!("")));
    let operations: Vec<&Value> =
        summary["operations"].as_array().unwrap().iter().map(|operation| &operation["operation"]).collect();
    assert_eq!(operations, [&json!("look"), &json!("change")]);
    assert!(entry.tool.chooses_by("object") && !entry.tool.is_own_argument("object"));
}

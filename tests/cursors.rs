//! Cursors that a caller forged: nothing in one is sent that the tool would not take as an argument, and a real one is
//! short.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use toolwright::call::Toolbox;
use toolwright::mcp_result::OUTCOME;
use toolwright::policy::Defaults;
use toolwright::sandbox::Sandbox;

use crate::common::{everything, meta, result, sandbox, text, toolbox};

const TOOL: &str = "jitbit_list_tickets";

/// What a cursor holds, as a forger reads it.
#[derive(Clone, Serialize, Deserialize)]
struct Held {
    tool: [u8; 4],
    arguments: Vec<(u16, String)>,
    digest: Option<[u8; 9]>,
    at: Option<Position>,
    seen: Option<u64>,
    mark: Option<[u8; 4]>,
    size: Option<u64>,
    empty: u32,
    kept: Option<[u8; 16]>,
    record: u64,
    part: u64,
}

#[derive(Clone, Serialize, Deserialize)]
enum Position {
    Whole(u64),
    Text(String),
    Json(String),
}

/// The argument names of the tool, in order.
fn names(toolbox: &Toolbox) -> Vec<String> {
    let tool = &toolbox.catalog().get(TOOL).unwrap().tool;
    tool.parsed_input_schema()["properties"].as_object().unwrap().keys().cloned().collect()
}

fn read(cursor: &str) -> Held {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap();
    assert_eq!(bytes[0], 0, "a short cursor is not compressed");
    postcard::from_bytes(&bytes[1..bytes.len() - 3]).unwrap()
}

fn write(held: &Held, names: &[String]) -> String {
    let bytes = postcard::to_allocvec(held).unwrap();
    let parts = std::iter::once(TOOL).chain(names.iter().map(String::as_str));
    let digest = parts.fold(Sha256::new(), |digest, part| digest.chain_update(part).chain_update([0]));
    let sum = digest.chain_update(&bytes).finalize();
    URL_SAFE_NO_PAD.encode([&[0], bytes.as_slice(), &sum[..3]].concat())
}

async fn listing() -> (Sandbox, Toolbox, String) {
    let rows: Vec<Value> = (0..25).map(|id| json!({"IssueID": id, "Subject": "x"})).collect();
    let script = json!([{"operation": "listTickets", "answer": {"body": rows}}]).to_string();
    let sandbox = sandbox(Some(&script)).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let first = result(&toolbox, TOOL, json!({"mode": "all", "limit": 25})).await;
    let answer: Value = serde_json::from_str(text(&first)).unwrap();
    let cursor = answer["page"]["next_cursor"].as_str().unwrap().to_owned();
    sandbox.take_record();
    (sandbox, toolbox, cursor)
}

#[tokio::test]
async fn a_cursor_is_short_and_leads_on() {
    let (sandbox, toolbox, cursor) = listing().await;
    assert!(cursor.len() <= 80, "{} {cursor}", cursor.len());
    assert_eq!(write(&read(&cursor), &names(&toolbox)), cursor, "the forger knows the form");
    let next = result(&toolbox, TOOL, json!({"cursor": cursor})).await;
    assert_eq!(next.is_error, Some(false), "{}", text(&next));
    let query = sandbox.take_record()[0].query.clone();
    assert!(query.contains("offset=25") && query.contains("mode=all"), "{query}");
}

#[tokio::test]
async fn a_forged_cursor_sends_nothing_that_the_tool_would_not_take() {
    let (sandbox, toolbox, cursor) = listing().await;
    let names = names(&toolbox);
    let number = |name: &str| u16::try_from(names.iter().position(|known| known == name).unwrap()).unwrap();
    let held = read(&cursor);
    let at = |at: Position| Held { at: Some(at), ..held.clone() };
    let with = |argument: &str, value: &str| Held {
        arguments: vec![(number("mode"), "\"all\"".to_owned()), (number(argument), value.to_owned())],
        ..held.clone()
    };
    let unknown = Held { arguments: vec![(60_000, "1".to_owned())], ..held.clone() };
    for (forged, what) in [
        (at(Position::Json("-5".to_owned())), "a position below zero"),
        (at(Position::Json(r#"{"$ne":1}"#.to_owned())), "a condition as position"),
        (at(Position::Text("1; drop".to_owned())), "a text as position"),
        (at(Position::Whole(u64::MAX)), "a position beyond every number"),
        (at(Position::Json("not json".to_owned())), "no position"),
        (Held { size: Some(1_000_000_000), ..held.clone() }, "an enormous page"),
        (Held { size: Some(0), ..held.clone() }, "an empty page"),
        (Held { empty: u32::MAX, ..held.clone() }, "endless empty pages"),
        (Held { seen: Some(u64::MAX), ..held.clone() }, "more records than there are"),
        (with("limit", "1000000000"), "an enormous limit"),
        (with("limit", r#"{"$ne":1}"#), "a condition as limit"),
        (with("mode", "\"none such\""), "an unknown word"),
        (unknown, "an unknown argument"),
        (Held { tool: [0; 4], ..held.clone() }, "no tool"),
    ] {
        let refused = result(&toolbox, TOOL, json!({"cursor": write(&forged, &names)})).await;
        assert_eq!(meta(&refused, OUTCOME), Some(&json!("not_sent")), "{what}: {}", text(&refused));
        assert!(sandbox.take_record().is_empty(), "{what}");
    }
    let cut = result(&toolbox, TOOL, json!({"cursor": &cursor[..cursor.len() - 1]})).await;
    assert!(text(&cut).contains("whole and unchanged"), "{}", text(&cut));
    let elsewhere = result(&toolbox, "jitbit_search_tickets", json!({"cursor": cursor})).await;
    assert!(text(&elsewhere).contains("belongs to `jitbit_list_tickets`"), "{}", text(&elsewhere));
}

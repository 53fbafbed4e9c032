//! What the tools cost a model before it has done anything: bytes of tools/list, by four.
//! tests/jsm/stats.md keeps the figures; `TRYCMD=overwrite` writes the present ones into it.

use rmcp::model::Tool;
use serde_json::json;
use toolwright::catalog::Catalog;
use toolwright::policy::Defaults;

use super::desk::{Desk, words};
use crate::common::everything;

fn tokens(tools: &[Tool]) -> usize {
    serde_json::to_string(&json!({"tools": tools})).unwrap().len() / 4
}

#[tokio::test]
async fn the_tools_stay_within_their_budget() {
    let catalog = Catalog::compiled();
    let all = Desk::with(&json!([]), &everything(), Defaults::Everything, None).await.tools().await;
    let all: Vec<Tool> = all.into_iter().filter(|tool| tool.name.starts_with("jsm_")).collect();
    assert!(all.len() > 190, "{}", all.len());
    for tool in &all {
        let one = tokens(std::slice::from_ref(tool));
        assert!(one <= 1_500, "{}: {one}", tool.name);
    }
    let of_desk = |tool: &Tool| {
        let entry = catalog.get(&tool.name).unwrap();
        entry.tool.calls.iter().all(|call| call.api == "jsm-servicedesk")
    };
    let desk: Vec<Tool> = all.iter().filter(|tool| of_desk(tool)).cloned().collect();
    assert!(desk.len() >= 69 && tokens(&desk) <= 20_000, "{} tools, {} tokens", desk.len(), tokens(&desk));
    // Core tools, with all methods and with the default ones.
    for methods in [&["all"][..], &[]] {
        let core = Desk::with(&json!([]), &words(methods, &["core"]), Defaults::CoreReads, None).await.tools().await;
        assert!((20..=40).contains(&core.len()), "{}", core.len());
        assert!(tokens(&core) <= 12_000, "{} tools, {} tokens", core.len(), tokens(&core));
    }
}

#[test]
fn token_costs_match_stats_md() {
    let cases = trycmd::TestCases::new();
    for variable in ["VENDOR", "METHODS", "TAGS", "TOOLS", "EXCLUDE", "ALLOW"] {
        cases.env(format!("TOOLWRIGHT_{variable}"), "");
    }
    cases.env("NO_COLOR", "1").case("tests/jsm/*.md");
}

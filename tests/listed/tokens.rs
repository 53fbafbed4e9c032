//! Selections → tokens of their lists. `tokens.txt` has the figures; `UPDATE_EXPECTED=1` rewrites it.

use std::fmt::Write as _;
use std::path::Path;

use rmcp::ServiceExt as _;
use rmcp::model::Tool;
use toolwright::catalog::{Catalog, CatalogEntry};
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::server::Server;

use crate::common::{everything, sandbox, toolbox};

/// The most tokens of the default list of the three vendors.
const DEFAULT_LIST: usize = 12_500;
/// The most tokens of the tools of JSM's service desk API.
const SERVICE_DESK: usize = 11_000;
/// The most tokens of any one tool.
const ONE_TOOL: usize = 1_500;

async fn list(words: &SelectionWords, defaults: Defaults) -> Vec<Tool> {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, words, defaults);
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    ().serve(client_side).await.unwrap().list_all_tools().await.unwrap()
}

fn tokens(tool: &Tool) -> usize {
    bpe_openai::o200k_base().count(&serde_json::to_string(tool).unwrap())
}

/// The tokens of the tools that fit, and how many they are.
fn total(tools: &[Tool], fits: impl Fn(&CatalogEntry) -> bool) -> (usize, usize) {
    let catalog = Catalog::compiled();
    let fitting = tools.iter().filter(|tool| catalog.get(&tool.name).is_some_and(&fits)).map(tokens);
    fitting.fold((0, 0), |(count, sum), tokens| (count + 1, sum + tokens))
}

fn reads_and_writes() -> SelectionWords {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    SelectionWords { methods: words(&["read", "write"]), tags: words(&["core"]), ..SelectionWords::default() }
}

#[tokio::test]
async fn each_selection_costs_what_the_snapshot_states() {
    let default = list(&SelectionWords::default(), Defaults::CoreReads).await;
    let changes = list(&reads_and_writes(), Defaults::CoreReads).await;
    let all = list(&everything(), Defaults::CoreReads).await;
    let is_desk = |entry: &CatalogEntry| {
        entry.tool.workflow.is_none() && entry.tool.calls.iter().all(|call| call.api == "jsm-servicedesk")
    };
    let mut text = "selection: tools, tokens (o200k) of the list\n".to_owned();
    for vendor in ["jitbit", "jsm", "jumpcloud", ""] {
        let of_vendor = |entry: &CatalogEntry| vendor.is_empty() || entry.vendor == vendor;
        let name = if vendor.is_empty() { "all three" } else { vendor };
        for (selection, tools) in [("default", &default), ("core, read and write", &changes), ("everything", &all)] {
            let (count, sum) = total(tools, of_vendor);
            writeln!(text, "{name}, {selection}: {count}, {sum}").unwrap();
        }
    }
    let desk = total(&all, is_desk);
    writeln!(text, "jsm, service desk: {}, {}", desk.0, desk.1).unwrap();
    let mut largest: Vec<(usize, &str)> = all.iter().map(|tool| (tokens(tool), tool.name.as_ref())).collect();
    largest.sort_unstable_by_key(|(tokens, name)| (std::cmp::Reverse(*tokens), *name));
    for (tokens, name) in largest.iter().take(5) {
        writeln!(text, "{name}: {tokens}").unwrap();
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/listed/tokens.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        std::fs::write(&file, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "to accept: UPDATE_EXPECTED=1");
    assert!(total(&default, |_| true).1 <= DEFAULT_LIST, "{text}");
    assert!(desk.1 <= SERVICE_DESK, "{text}");
    assert!(largest[0].0 <= ONE_TOOL, "{text}");
}

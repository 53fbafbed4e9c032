//! The release binary, a minimal rmcp server with the same tool table and plain reqwest → figures and ratios
//! with their bounds. They run in turns, so that a busy machine slows all of them alike. benches/README.md
//! explains how to repeat and read them.
//!
//! `cargo bench --bench serve [-- start|find|call|links|load [SECONDS]|soak [SECONDS]]`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench ends at the first fault and prints its figures")]

mod figures;
mod links;
mod load;
mod minimal;
mod peer;
mod soak;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use figures::{median, verdict};
use peer::{Peer, Vendors};
use serde_json::{Value, json};
use toolwright::catalog::{Catalog, sandbox_tables, tool_files};
use toolwright::sandbox::Sandbox;
use toolwright::search::Search;

/// Flags that offer every tool, as the minimal server does.
const EVERYTHING: [&str; 6] =
    ["--methods", "all", "--tags", "all", "--allow", "irreversible,reveals_secret,runs_code,weakens_security"];
/// The bounds of the start time relative to the minimal server, and of memory in MB.
const BOUNDS: (f64, f64) = if cfg!(feature = "jumpcloud") { (1.5, 40.0) } else { (1.3, 20.0) };

/// The bound of what `--discover` adds to the start, in milliseconds.
const INDEX_MS: f64 = 20.0;
/// The bound of taking the index that the build made, relative to making it of the same tools.
const TAKEN: f64 = 0.2;

/// The bound of the start time with the tools that are offered by default: only what is offered is read.
const BY_DEFAULT: f64 = 0.6;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words.first() == Some(&minimal::MODE) {
        minimal::serve(words.get(1).unwrap_or(&""));
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let all = words.is_empty();
    let seconds = words.iter().find_map(|word| word.parse().ok());
    let mut fine = true;
    if all || words.contains(&"start") {
        fine &= start();
    }
    if all || words.contains(&"find") {
        fine &= find();
    }
    if all || words.contains(&"call") {
        fine &= runtime.block_on(calls());
    }
    if all || words.contains(&"links") {
        fine &= runtime.block_on(links::run());
    }
    if all || words.contains(&"load") {
        fine &= runtime.block_on(load::run(Duration::from_secs(seconds.unwrap_or(60))));
    }
    // Ten minutes, which is too long for every run.
    if words.contains(&"soak") {
        fine &= runtime.block_on(soak::run(Duration::from_secs(seconds.unwrap_or(600))));
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The time from the start of the process to the answer to tools/list, over stdio: of all tools, and of those that are offered
/// by default, beside a minimal server that reads and lists all.
fn start() -> bool {
    const ROUNDS: usize = 30;
    let (mut ours, mut by_default, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut memory, mut memory_by_default, mut tools, mut tools_by_default) = (0, 0, 0, 0);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut peer = Peer::toolwright(&EVERYTHING, Vendors::Configured);
        tools = peer.open_and_list();
        ours.push(began.elapsed());
        memory = memory.max(peer.resident_kb());
        let began = Instant::now();
        let mut peer = Peer::toolwright(&[], Vendors::Configured);
        tools_by_default = peer.open_and_list();
        by_default.push(began.elapsed());
        memory_by_default = memory_by_default.max(peer.resident_kb());
        let began = Instant::now();
        let mut peer = Peer::minimal();
        assert_eq!(peer.open_and_list(), tools, "both serve the same tables");
        theirs.push(began.elapsed());
    }
    let (ours, by_default, theirs) = (median(&mut ours), median(&mut by_default), median(&mut theirs));
    println!("start to tools/list of {tools} tools: {ours:.2?}, minimal server {theirs:.2?}");
    let ratio = |ours: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
    let whole = verdict("  ratio", ratio(ours), BOUNDS.0, "");
    println!("start to tools/list of the {tools_by_default} tools by default: {by_default:.2?}");
    let part = verdict("  ratio to the minimal server with all", ratio(by_default), BY_DEFAULT, "");
    #[expect(clippy::cast_precision_loss, reason = "kilobytes of a process fit a float")]
    let megabytes = |kilobytes: u64| kilobytes as f64 / 1024.0;
    println!("resident after the list by default: {:.1} MB", megabytes(memory_by_default));
    let memory = verdict("resident after the list of all", megabytes(memory), BOUNDS.1, " MB");
    whole && part && memory
}

/// The start of a server that finds tools, beside one that lists some: it takes the index of all tools. And a question to it.
fn find() -> bool {
    const ROUNDS: usize = 20;
    let (mut finding, mut listing, mut questions) = (Vec::new(), Vec::new(), Vec::new());
    let params = json!({"name": "find_tools", "arguments": {"question": "somebody lost a laptop"}});
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut peer = Peer::toolwright(&["--discover"], Vendors::Configured);
        peer.open_and_list();
        finding.push(began.elapsed());
        let began = Instant::now();
        let found = peer.request("tools/call", &params);
        questions.push(began.elapsed());
        assert_eq!(found["result"]["isError"], false, "{found}");
        let began = Instant::now();
        Peer::toolwright(&[], Vendors::Configured).open_and_list();
        listing.push(began.elapsed());
    }
    let (finding, listing) = (median(&mut finding), median(&mut listing));
    println!("start with --discover {finding:.2?}, without {listing:.2?}; a question {:.2?}", median(&mut questions));
    let added = verdict("  what finding adds", finding.saturating_sub(listing).as_secs_f64() * 1e3, INDEX_MS, " ms");
    index() && added
}

/// What it takes to have the search over the compiled tools, whose index the build made, beside making it of the same tools.
fn index() -> bool {
    const ROUNDS: usize = 20;
    let apis = tool_files().into_iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let others = Catalog::new(apis, Catalog::compiled().vendors().to_vec());
    let (mut taken, mut made) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (catalog, times) in [(&Catalog::compiled(), &mut taken), (&others, &mut made)] {
            let began = Instant::now();
            std::hint::black_box(Search::new(catalog));
            times.push(began.elapsed());
        }
    }
    let (taken, made) = (median(&mut taken), median(&mut made));
    println!("the index of {} tools: taken {taken:.2?}, made {made:.2?}", others.entries().len());
    verdict("  ratio", taken.as_secs_f64() / made.as_secs_f64(), TAKEN, "")
}

/// One call at a time, through the server and with plain reqwest.
async fn calls() -> bool {
    const ROUNDS: usize = 2_000;
    let sandbox = Sandbox::start(&sandbox_tables(), None).await.unwrap();
    let address = sandbox.address("jitbit");
    let plain = peer::http_client();
    let mut peer = Peer::toolwright(&["--vendor", "jitbit"], Vendors::Sandbox);
    peer.open_and_list();
    let served = peer::HttpPeer::start(&["--vendor", "jitbit"]);
    let folder = load::Folder::new();
    let recording = peer::HttpPeer::start(&["--vendor", "jitbit", "--audit", folder.record()]);
    let request = json!({"name": "jitbit_search_tickets", "arguments": {"query": "printer"}});
    let projected = json!({"name": "jitbit_search_tickets", "arguments": {"query": "printer", "fields": ["Subject"]}});
    let (mut direct, mut stdio, mut http, mut recorded) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let url = format!("{address}/api/Search?query=printer&count=25");
        let answer = plain.get(url).bearer_auth("t").send().await.unwrap().bytes().await.unwrap();
        direct.push(began.elapsed());
        assert!(answer.starts_with(b"["));
        let began = Instant::now();
        let answer: Value = tokio::task::block_in_place(|| peer.request("tools/call", &request));
        stdio.push(began.elapsed());
        assert_eq!(answer["result"]["isError"], false);
        let began = Instant::now();
        served.call(&plain, &request).await;
        http.push(began.elapsed());
        let began = Instant::now();
        recording.call(&plain, &projected).await;
        recorded.push(began.elapsed());
    }
    let (direct, stdio) = (median(&mut direct), median(&mut stdio));
    let (http, recorded) = (median(&mut http), median(&mut recorded));
    println!(
        "one call at the median: by reqwest alone {direct:.3?}, over stdio {stdio:.3?}, over HTTP {http:.3?}, \
         over HTTP with record and projection {recorded:.3?}"
    );
    // Beside the plain call of the same run: how fast the machine is cancels out.
    let times = |with: Duration| with.saturating_sub(direct).as_secs_f64() / direct.as_secs_f64();
    let stdio = verdict("  overhead over stdio, in plain calls", times(stdio), 2.0, "");
    let http = verdict("  overhead over HTTP, in plain calls", times(http), 3.0, "");
    let recorded = verdict("  overhead over HTTP with record and projection, in plain calls", times(recorded), 3.0, "");
    stdio && http && recorded
}

//! A fault at each request: the report is true each time, and calling again ends in the wanted state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use toolwright::audit::Audit;
use toolwright::call::Caller;

use super::desk::{Desk, Fault, Shown, Ticket, called};
use super::{CLOSE_MANY, FINISH, me};

const FAULTS: [Fault; 3] = [Fault::Refused, Fault::LostBefore, Fault::LostAfter];

/// What a report states of a step is what became of it at the desk, where nothing was done before.
fn check_truth(shown: &Shown, fault: Fault, is_done: &dyn Fn(&str, &Value) -> bool) {
    check_truth_since(shown, fault, &|_, _| false, is_done);
}

/// The same where calls before may have done something: what was not sent is as it `was_done`.
fn check_truth_since(
    shown: &Shown,
    fault: Fault,
    was_done: &dyn Fn(&str, &Value) -> bool,
    is_done: &dyn Fn(&str, &Value) -> bool,
) {
    for (step, item, outcome) in shown.rows() {
        let done = is_done(&step, &item);
        let fits = match outcome.as_str() {
            "done" | "already so" => done,
            "refused" | "not sent" | "skipped" => done == was_done(&step, &item),
            // Only a call whose answer was lost.
            "unknown" => fault != Fault::Refused,
            other => panic!("{other}: {}", shown.text),
        };
        assert!(fits, "{fault:?}: `{step}` {item} is called {outcome}, and done is {done}: {}", shown.text);
    }
}

#[tokio::test]
async fn many_at_once_with_a_fault_at_each_request() {
    let wanted: &[u64] = &[1, 2, 3, 4];
    for fault in FAULTS {
        for request in 1..=2 * wanted.len() {
            let desk = Desk::start(wanted).await.with_fault(request, fault);
            let toolbox = desk.toolbox();
            let shown = called(&toolbox, &me(), CLOSE_MANY, json!({"tickets": wanted})).await;
            let tickets = desk.tickets();
            let closed = |_: &str, item: &Value| tickets[&item.as_u64().unwrap()].status == "Closed";
            check_truth(&shown, fault, &closed);
            assert_eq!(shown.rows().len(), wanted.len(), "{}", shown.text);
            assert!(!shown.is_error, "three of four are done: {}", shown.text);
            assert!(shown.json()["summary"].as_str().unwrap().starts_with("3 done, 1 "), "{}", shown.text);
            let again = called(&toolbox, &me(), CLOSE_MANY, json!({"tickets": wanted})).await;
            assert!(!again.is_error, "{}", again.text);
            for (id, ticket) in desk.tickets() {
                assert_eq!(
                    (ticket.status.as_str(), ticket.closed),
                    ("Closed", 1),
                    "{fault:?} at {request}: ticket {id}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_sequence_with_a_fault_at_each_request() {
    for fault in FAULTS {
        for request in 1..=4 {
            let desk = Desk::start(&[7]).await.with_fault(request, fault);
            let toolbox = desk.toolbox();
            let arguments = json!({"ticketId": 7, "note": "done"});
            let shown = called(&toolbox, &me(), FINISH, arguments).await;
            assert!(shown.is_error, "{fault:?} at {request}: {}", shown.text);
            let ticket = desk.tickets()[&7].clone();
            let is_done = |step: &str, _: &Value| match step {
                "tag" => !ticket.tags.is_empty(),
                "close" => ticket.closed > 0,
                "note" => !ticket.notes.is_empty(),
                _ => false,
            };
            let steps = ["look", "tag", "close", "note"];
            check_truth(&shown, if request == 1 { Fault::LostAfter } else { fault }, &is_done);
            let report = shown.json();
            assert_eq!(report["ended"], format!("failed at `{}`", steps[request - 1]));
            // Nothing after the failure was sent.
            assert_eq!(desk.arrived().len(), request, "{:?}", desk.arrived());
            let outcome = shown.outcome.as_deref().unwrap();
            let lost = fault != Fault::Refused;
            let expected = match request {
                1 if lost => "unknown",
                1 => "rejected",
                2 if !lost => "rejected",
                _ if lost => "unknown",
                _ => "partial",
            };
            assert_eq!(outcome, expected, "{fault:?} at {request}: {}", shown.text);
            // What undoes the close is named as soon as it may have been done.
            let undo = report["undo"].as_array().map(Vec::len);
            assert_eq!(undo, (request == 4 || request == 3 && lost).then_some(1), "{}", shown.text);
            if let Some([one]) = report["undo"].as_array().map(Vec::as_slice) {
                assert_eq!(one["arguments"], json!({"statusId": 1, "ticketId": 7}));
                assert_eq!(one.get("only_if").is_some(), request == 3);
            }
            let next = report["next"].as_str().unwrap_or_default().to_owned();
            assert_eq!(next.contains("find out by a read"), lost && request > 1, "{next}");
            if request < 4 {
                // The note is the only step that may be doubled, and it was not sent.
                let again = called(&toolbox, &me(), FINISH, json!({"ticketId": 7, "note": "done"})).await;
                assert!(!again.is_error, "{}", again.text);
                let ticket = desk.tickets()[&7].clone();
                assert_eq!((ticket.closed, ticket.notes.len(), ticket.tags.len()), (1, 1, 1), "{fault:?} at {request}");
            }
        }
    }
}

#[tokio::test]
async fn a_cancelled_workflow_ends_before_its_next_step() {
    let desk = Desk::start(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).await.with_delay(Duration::from_millis(50));
    let cancelled = CancellationToken::new();
    let caller = Caller { cancelled: cancelled.clone(), ..Caller::default() };
    let (toolbox, tickets) = (desk.toolbox(), json!({"tickets": [1, 2, 3, 4, 5, 6, 7, 8, 9]}));
    let stop = async {
        tokio::time::sleep(Duration::from_millis(75)).await;
        cancelled.cancel();
    };
    let (shown, ()) = tokio::join!(called(&toolbox, &caller, CLOSE_MANY, tickets.clone()), stop);
    let state = desk.tickets();
    check_truth(&shown, Fault::Refused, &|_, item| state[&item.as_u64().unwrap()].status == "Closed");
    let rows = shown.rows();
    let count = |outcome: &str| rows.iter().filter(|row| row.2 == outcome).count();
    assert_eq!((count("done"), count("not sent")), (3, 6), "{}", shown.text);
    assert!(shown.is_error && shown.outcome.as_deref() == Some("partial"), "{}", shown.text);
    assert_eq!(shown.json()["ended"], "cancelled by the caller");
    let rest = called(&toolbox, &me(), CLOSE_MANY, tickets).await;
    assert_eq!(rest.json()["summary"], "6 done, 3 already so");
    assert!(desk.tickets().values().all(|ticket| ticket.closed == 1));
}

#[tokio::test]
async fn a_process_that_ends_between_steps_leaves_nothing_to_be_done_twice() {
    for span in [15, 35, 55, 75, 95] {
        let desk = Desk::start(&[7]).await.with_delay(Duration::from_millis(20));
        let toolbox = desk.toolbox();
        let arguments = json!({"tickets": [7]});
        // All that a killed process leaves is what the desk did.
        let caller = me();
        let run = called(&toolbox, &caller, CLOSE_MANY, arguments.clone());
        let _ = tokio::time::timeout(Duration::from_millis(span), run).await;
        tokio::time::sleep(Duration::from_millis(40)).await;
        let again = called(&desk.toolbox(), &me(), CLOSE_MANY, arguments).await;
        assert!(!again.is_error, "{}", again.text);
        assert_eq!(desk.tickets()[&7].closed, 1, "{span}");
    }
}

fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("workflows-{name}.jsonl"));
    let _ = std::fs::remove_file(&path);
    path
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn each_step_has_its_lines_in_the_log_with_the_id_of_the_run() {
    let desk = Desk::start(&[7]).await;
    let path = fresh("steps");
    let toolbox = desk.toolbox().with_record(Some(Audit::open(&path).unwrap()));
    called(&toolbox, &me(), FINISH, json!({"ticketId": 7, "note": "done"})).await;
    let lines = lines(&path);
    let word = |line: &Value, name: &str| line[name].as_str().unwrap_or("-").to_owned();
    let seen: Vec<(String, String)> = lines.iter().map(|line| (word(line, "event"), word(line, "step"))).collect();
    let pair = |event: &str, step: &str| (event.to_owned(), step.to_owned());
    assert_eq!(
        seen,
        [
            pair("intent", "-"),
            pair("call", "look"),
            pair("intent", "tag"),
            pair("outcome", "tag"),
            pair("intent", "close"),
            pair("outcome", "close"),
            pair("intent", "note"),
            pair("outcome", "note"),
            pair("outcome", "-"),
        ]
    );
    let run = word(&lines[0], "workflow");
    assert!(run.len() == 12 && lines.iter().all(|line| word(line, "workflow") == run), "{lines:#?}");
    assert_eq!((word(&lines[0], "tool"), word(&lines[8], "outcome")), (FINISH.to_owned(), "answered".to_owned()));
}

#[tokio::test]
async fn changes_and_faults_drawn_at_random_end_in_the_wanted_state() {
    for seed in 0..40 {
        let mut rng = Rng::with_seed(seed);
        let all: Vec<u64> = (1..=rng.u64(1..12)).collect();
        let mut wanted: Vec<u64> = all.iter().copied().filter(|_| rng.u8(0..4) > 0).collect();
        rng.shuffle(&mut wanted);
        let fault = FAULTS[rng.usize(0..FAULTS.len())];
        let desk = Desk::start(&all).await.with_fault(rng.usize(1..=2 * all.len()), fault);
        let toolbox = desk.toolbox();
        for _ in 0..2 {
            let before = desk.tickets();
            let shown = called(&toolbox, &me(), CLOSE_MANY, json!({"tickets": wanted})).await;
            let after = desk.tickets();
            let is_closed =
                |tickets: &BTreeMap<u64, Ticket>, item: &Value| tickets[&item.as_u64().unwrap()].status == "Closed";
            check_truth_since(&shown, fault, &|_, item| is_closed(&before, item), &|_, item| is_closed(&after, item));
        }
        let closed: BTreeMap<u64, u32> = desk.tickets().iter().map(|(id, ticket)| (*id, ticket.closed)).collect();
        for (id, count) in closed {
            assert_eq!(count, u32::from(wanted.contains(&id)), "seed {seed}: ticket {id}");
        }
    }
}

//! Several callers of one vendor: none waits for what another asks for.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolwright::call::{RetryPolicy, Toolbox};
use toolwright::jq::Evaluator;
use toolwright::upstream::RateLimits;

use super::{Running, call, message, serve, serve_tokens};
use crate::common::{paced, sandbox};

/// How long a slow call takes at the vendor.
const SLOW: Duration = Duration::from_secs(2);

/// A toolbox whose vendor accepts four requests at the same time and is slow with statistics.
async fn slow_vendor(policy: RetryPolicy) -> Toolbox {
    let delay = SLOW.as_secs() * 1_000;
    let script = json!([{"operation": "getStats", "answer": {"status": 200, "body": {}, "delay_ms": delay}}]);
    let sandbox = Box::leak(Box::new(sandbox(Some(&script.to_string())).await));
    let limits = RateLimits { in_flight: Some(4), ..RateLimits::default() };
    let toolbox = paced(&sandbox.address("jitbit"), limits).with_retry_policy(policy);
    toolbox.with_evaluator(Evaluator::new(env!("CARGO_BIN_EXE_toolwright")))
}

/// A call by who makes it, a session or the credentials of one without.
async fn ask(server: &Running, (header, caller): &(&'static str, String), call: Value) -> Value {
    message(server.post(&call).header(*header, caller).send().await.unwrap()).await
}

/// What a caller shows of itself: a header.
type Shown = (&'static str, String);

/// Two callers of each kind, with their server.
async fn callers() -> [(&'static str, Running, [Shown; 2]); 2] {
    let open = serve(slow_vendor(RetryPolicy::default()).await, &[]).await;
    let sessions = [("mcp-session-id", open.session().await), ("mcp-session-id", open.session().await)];
    let tokens = [("authorization", "Bearer a".to_owned()), ("authorization", "Bearer b".to_owned())];
    let known = serve_tokens(slow_vendor(RetryPolicy::default()).await).await;
    [("sessions", open, sessions), ("tokens", known, tokens)]
}

/// A call with an id of its own.
fn numbered(tool: &str, id: usize, arguments: Value) -> Value {
    let mut call = call(tool);
    call["id"] = json!(id);
    call["params"]["arguments"] = arguments;
    call
}

#[tokio::test]
async fn slow_calls_of_one_caller_do_not_hold_back_another() {
    for (kind, server, [greedy, modest]) in callers().await {
        let slow = futures(&server, &greedy, 8);
        let quick = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let started = Instant::now();
            for id in 100..103 {
                let answer = ask(&server, &modest, numbered("jitbit_list_priorities", id, json!({}))).await;
                assert_eq!(answer["result"]["isError"], false, "{kind}: {answer}");
            }
            started.elapsed()
        };
        let (answers, took) = tokio::join!(slow, quick);
        assert!(took < SLOW, "{kind}: {took:?}");
        assert!(answers.iter().all(|answer| answer["result"]["isError"] == false), "{kind}: {answers:?}");
    }
}

async fn futures(server: &Running, caller: &(&'static str, String), count: usize) -> Vec<Value> {
    let calls = (0..count).map(|id| ask(server, caller, numbered("jitbit_get_stats", id, json!({}))));
    futures_util::future::join_all(calls).await
}

#[tokio::test]
async fn a_refusal_states_when_to_call_again() {
    let policy = RetryPolicy { budget: Duration::from_secs(1), ..RetryPolicy::default() };
    let server = serve_tokens(slow_vendor(policy).await).await;
    let caller = ("authorization", "Bearer a".to_owned());
    // So that it is known how long they take.
    ask(&server, &caller, numbered("jitbit_get_stats", 0, json!({}))).await;
    let answers = futures(&server, &caller, 8).await;
    let refused: Vec<&Value> = answers.iter().filter(|answer| answer["result"]["isError"] == true).collect();
    assert_eq!(refused.len(), 5, "{answers:?}");
    // All are answered after two seconds, one after this refusal.
    let after = refused[0]["result"]["_meta"]["retry_after_seconds"].as_u64();
    assert!(after.is_some_and(|seconds| (1..=3).contains(&seconds)), "{}", refused[0]);
    assert!(refused[0].to_string().contains("of this caller to the vendor are in flight"), "{}", refused[0]);
    tokio::time::sleep(Duration::from_secs(after.unwrap())).await;
    let again = ask(&server, &caller, numbered("jitbit_list_priorities", 50, json!({}))).await;
    assert_eq!(again["result"]["isError"], false, "{again}");
}

#[tokio::test]
async fn endless_filters_of_one_caller_do_not_hold_back_those_of_another() {
    for (kind, server, [greedy, modest]) in callers().await {
        let filtered = |caller, id, filter: &str| {
            ask(&server, caller, numbered("jitbit_list_priorities", id, json!({"jq": filter})))
        };
        let endless = futures_util::future::join_all((0..6).map(|id| filtered(&greedy, id, "last(repeat(1))")));
        let quick = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let started = Instant::now();
            let answer = filtered(&modest, 100, "1").await;
            assert_eq!(answer["result"]["isError"], false, "{kind}: {answer}");
            started.elapsed()
        };
        let (endless, took) = tokio::join!(endless, quick);
        // The filter itself has two seconds.
        assert!(took < Duration::from_secs(4), "{kind}: {took:?}");
        assert!(endless.iter().all(|answer| answer["result"]["isError"] == true), "{kind}");
    }
}

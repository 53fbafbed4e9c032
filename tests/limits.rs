//! A busy vendor → waits and retries: how long a call waits, what is retried and what never is.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use toolwright::call::{Caller, RetryPolicy};
use toolwright::mcp_result::{OUTCOME, RETRY_AFTER, STATUS};
use toolwright::policy::Defaults;
use toolwright::upstream::RateLimits;

use crate::common::{everything, meta, nothing, paced, result, sandbox, text, toolbox};

fn busy(operation: &str, status: u16, headers: &Value, times: Option<u32>) -> String {
    let mut entry =
        json!({"operation": operation, "answer": {"status": status, "headers": headers, "body": "slow down"}});
    if let Some(times) = times {
        entry["times"] = json!(times);
    }
    json!([entry]).to_string()
}

#[tokio::test]
async fn a_read_is_retried_after_the_wait_that_the_vendor_states() {
    for (status, header) in [(429, json!({"Retry-After": "1"})), (503, json!({"RateLimit-Reset": "1"}))] {
        let sandbox = sandbox(Some(&busy("getTicket", status, &header, Some(1)))).await;
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
        let started = Instant::now();
        let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
        assert_eq!(result.is_error, Some(false), "{}", text(&result));
        assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
        assert_eq!(sandbox.record().len(), 2);
    }
}

#[tokio::test]
async fn without_a_stated_wait_the_waits_grow_and_three_tries_are_the_limit() {
    let sandbox = sandbox(Some(&busy("getTicket", 429, &json!({}), None))).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let started = Instant::now();
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert!(started.elapsed() >= Duration::from_millis(750), "{:?}", started.elapsed());
    assert_eq!(sandbox.record().len(), 3);
    assert_eq!(meta(&result, STATUS), Some(&json!(429)));
    assert!(text(&result).contains("tried 3 times within"), "{}", text(&result));
}

#[tokio::test]
async fn a_wait_beyond_the_budget_is_reported_to_the_caller() {
    let headers = json!({
        "Retry-After": "120",
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "120",
        "RateLimit-Reason": "tenant-quota",
    });
    let sandbox = sandbox(Some(&busy("getTicket", 429, &headers, None))).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let started = Instant::now();
    let first = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert_eq!(meta(&first, RETRY_AFTER), Some(&json!(120)));
    assert_eq!(meta(&first, "ratelimit-limit"), Some(&json!(100)));
    assert_eq!(meta(&first, "ratelimit-remaining"), Some(&json!(0)));
    assert_eq!(meta(&first, "ratelimit-reset"), Some(&json!(120)));
    for part in ["tenant-quota", "retry_after_seconds: 120", "slow down"] {
        assert!(text(&first).contains(part), "{}", text(&first));
    }
    // What one call has learnt keeps the next one from asking at all.
    let next = result(&toolbox, "jitbit_get_stats", nothing()).await;
    assert_eq!(meta(&next, OUTCOME), Some(&json!("not_sent")));
    assert!(meta(&next, RETRY_AFTER).and_then(Value::as_u64).is_some_and(|seconds| (110..=120).contains(&seconds)));
    assert!(text(&next).contains("`tenant-quota`"), "{}", text(&next));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(sandbox.record().len(), 1);
}

#[tokio::test]
async fn only_idempotent_changes_are_retried() {
    for (operation, tool, arguments, tries) in [
        ("addComment", "jitbit_add_comment", json!({"ticketId": 7, "body": "b", "forTechsOnly": true}), 1),
        ("updateTicket", "jitbit_update_ticket", json!({"ticketId": 7, "subject": "s"}), 3),
    ] {
        let sandbox = sandbox(Some(&busy(operation, 503, &json!({}), None))).await;
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
        let idempotent = toolbox.catalog().get(tool).unwrap().tool.annotations.idempotent_hint;
        assert_eq!(idempotent, tries > 1, "{tool}");
        let result = result(&toolbox, tool, arguments).await;
        assert_eq!(meta(&result, OUTCOME), Some(&json!("rejected")));
        assert_eq!(sandbox.record().len(), tries, "{tool}");
    }
}

#[tokio::test]
async fn other_refusals_are_never_retried() {
    for status in [400, 401, 403, 404, 500, 502] {
        let sandbox = sandbox(Some(&busy("getTicket", status, &json!({"Retry-After": "0"}), None))).await;
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
        let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
        assert_eq!(meta(&result, STATUS), Some(&json!(status)));
        assert_eq!(sandbox.record().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn with_retries_off_every_answer_is_returned_as_it_is() {
    let sandbox = sandbox(Some(&busy("getTicket", 429, &json!({"Retry-After": "2"}), None))).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_retry_policy(RetryPolicy::none());
    let started = Instant::now();
    for _ in 0..3 {
        let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
        assert_eq!((meta(&result, STATUS), meta(&result, RETRY_AFTER)), (Some(&json!(429)), Some(&json!(2))));
    }
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(sandbox.record().len(), 3);
}

#[tokio::test]
async fn the_rate_limiter_stays_below_a_limit_that_refills() {
    let sandbox = sandbox(None).await;
    // 10 at once, and one each 1.2 s after that.
    let limits = RateLimits { requests_per_minute: Some(60), in_flight: Some(2), ..RateLimits::default() };
    let toolbox = paced(&sandbox.address("jitbit"), limits);
    let started = Instant::now();
    let (progress, mut waiting) = unbounded_channel();
    let caller = Caller { progress: Some(progress), ..Caller::default() };
    for _ in 0..11 {
        toolbox.call_as(&caller, "jitbit_get_stats", serde_json::Map::new()).await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    let report = waiting.try_recv().unwrap();
    assert!(report.contains("waiting up to 2 s") && report.contains("60 requests a minute"), "{report}");
}

#[tokio::test]
async fn a_wait_is_reported_to_the_caller() {
    let sandbox = sandbox(Some(&busy("getTicket", 429, &json!({}), Some(1)))).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let (progress, mut waiting) = unbounded_channel();
    let caller = Caller { progress: Some(progress), ..Caller::default() };
    let arguments = json!({"ticketId": 7}).as_object().cloned().unwrap();
    toolbox.call_as(&caller, "jitbit_get_ticket_record", arguments).await.unwrap();
    let report = waiting.try_recv().unwrap();
    assert!(report.contains("the vendor answered 429; try 2 of 3 follows"), "{report}");
}

//! Pages of every paging style, one by one by their cursors and all at once. One test for each way
//! in which a vendor misbehaves, on every style.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use toolwright::call::Caller;

use crate::common::pages::{Fault, Pages, Style, ids};
use crate::common::text;

/// `has_more` before the end: whether the vendor states that there are more records.
fn more(style: Style) -> Value {
    match style {
        Style::Offset | Style::Token => json!(true),
        Style::Page | Style::Header => json!("unknown"),
    }
}

/// How many empty pages are fetched because nothing else is the end.
fn empty(style: Style) -> usize {
    usize::from(style == Style::Page)
}

/// The first note of an answer.
fn note(answer: &Value) -> &str {
    answer["notes"][0].as_str().unwrap_or_else(|| panic!("no note: {answer}"))
}

/// The numbers of all records, page by page with nothing but the cursor.
async fn followed(pages: &Pages, style: Style, first: Value) -> Vec<u64> {
    let mut answer = pages.call(style, first).await;
    let mut all = ids(&answer);
    while answer["page"]["has_more"] != false {
        let cursor = answer["page"]["next_cursor"].clone();
        assert!(cursor.is_string(), "{style:?}: {}", answer["page"]);
        answer = pages.call(style, json!({"cursor": cursor})).await;
        all.extend(ids(&answer));
    }
    assert_eq!(answer["page"]["next_cursor"], Value::Null);
    all
}

async fn every(pages: &Pages, style: Style) -> Value {
    pages.call(style, json!({"filter": "f", "size": 3, "all": true})).await
}

/// Every record arrives in spite of the fault: at once and page by page.
async fn nothing_is_lost(records: usize, fault: Fault) {
    let expected: &Vec<u64> = &(0..records as u64).collect();
    let of_style = async |style: Style| {
        let pages = Pages::new(records, fault).await;
        let answer = every(&pages, style).await;
        assert!(ids(&answer) == *expected, "{style:?}: {}", answer["page"]);
        assert_eq!(answer["page"], json!({"returned": records, "has_more": false}), "{style:?}");
        let pages = Pages::new(records, fault).await;
        let first = json!({"filter": "f", "size": 3});
        assert!(followed(&pages, style, first).await == *expected, "{style:?}");
    };
    join_all(Style::ALL.map(of_style)).await;
}

/// The second request fails in a way that is not retried: the records before it are returned, with
/// a cursor that continues there.
async fn received_records_are_returned(fault: Fault, reason: &str) {
    let of_style = async |style: Style| {
        let pages = Pages::new(10, fault).await;
        let answer = every(&pages, style).await;
        let page = &answer["page"];
        assert_eq!((&page["returned"], &page["has_more"]), (&json!(3), &more(style)), "{style:?}: {page}");
        let note = note(&answer);
        assert!(note.contains("broke off after 3 records") && note.contains(reason), "{style:?}: {note}");
        let rest = pages.call(style, json!({"cursor": page["next_cursor"]})).await;
        assert_eq!(ids(&rest), (3..10).collect::<Vec<u64>>(), "{style:?}");
        assert_eq!(rest["page"]["has_more"], json!(false), "{style:?}");
        // Page by page the failure is the call's own, and the same cursor can be used again.
        let pages = Pages::new(10, fault).await;
        let first = pages.call(style, json!({"filter": "f", "size": 3})).await;
        let next = json!({"cursor": first["page"]["next_cursor"]});
        let failure = pages.failure(style, next.clone()).await;
        assert!(failure.contains(reason), "{style:?}: {failure}");
        assert_eq!(ids(&pages.call(style, next).await), [3, 4, 5], "{style:?}");
    };
    join_all(Style::ALL.map(of_style)).await;
}

#[tokio::test]
async fn all_pages_of_a_faultless_vendor() {
    for records in [0, 1, 3, 7, 9] {
        nothing_is_lost(records, Fault::None).await;
    }
}

#[tokio::test]
async fn status_429_with_retry_after() {
    nothing_is_lost(7, Fault::Busy(1, "Retry-After: 1\r\n")).await;
}

#[tokio::test]
async fn status_429_without_retry_after() {
    nothing_is_lost(7, Fault::Busy(1, "")).await;
}

#[tokio::test]
async fn a_limit_that_refills() {
    nothing_is_lost(10, Fault::Refills(2, Duration::from_millis(900))).await;
}

#[tokio::test]
async fn slow_headers() {
    received_records_are_returned(Fault::SlowHeaders(1), "did not answer in time").await;
}

#[tokio::test]
async fn a_body_that_stops_half_way() {
    received_records_are_returned(Fault::HalfBody(1), "broke off").await;
}

#[tokio::test]
async fn a_connection_that_is_reset_before_the_request() {
    received_records_are_returned(Fault::ResetBefore(1), "the connection to the vendor broke").await;
}

#[tokio::test]
async fn a_connection_that_is_reset_after_the_request() {
    received_records_are_returned(Fault::ResetAfter(1), "the connection to the vendor broke").await;
}

#[tokio::test]
async fn a_web_page_in_the_middle() {
    for style in Style::ALL {
        let pages = Pages::new(10, Fault::WebPage(1)).await;
        let answer = every(&pages, style).await;
        let page = &answer["page"];
        assert_eq!((&page["returned"], &page["has_more"]), (&json!(3), &more(style)), "{style:?}: {page}");
        assert!(note(&answer).contains("broke off after 3 records"), "{style:?}: {page}");
        let rest = pages.call(style, json!({"cursor": page["next_cursor"]})).await;
        assert_eq!(ids(&rest), (3..10).collect::<Vec<u64>>(), "{style:?}");
    }
}

#[tokio::test]
async fn five_megabytes_of_json() {
    for style in Style::ALL {
        let pages = Pages::new(2_500, Fault::Large(2_000)).await;
        let started = Instant::now();
        let mut answer = pages.call(style, json!({"filter": "f", "size": 2_500})).await;
        let mut seen = ids(&answer);
        for _ in 0..2 {
            assert_eq!(answer["page"]["has_more"], json!(true), "{style:?}");
            answer = pages.call(style, json!({"cursor": answer["page"]["next_cursor"]})).await;
            seen.extend(ids(&answer));
        }
        assert!(seen.len() > 40 && seen == (0..seen.len() as u64).collect::<Vec<_>>(), "{style:?}: {seen:?}");
        assert_eq!(pages.arrived.all().len(), 1, "{style:?}: what is kept is not fetched again");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_large_page_is_read_to_its_end_before_the_next_is_requested() {
    for style in Style::ALL {
        let pages = Pages::new(150, Fault::Large(1_000)).await;
        let all = followed(&pages, style, json!({"filter": "f", "size": 100})).await;
        assert_eq!(all, (0..150).collect::<Vec<u64>>(), "{style:?}");
        assert_eq!(pages.arrived.all().len(), 2 + empty(style), "{style:?}: {:?}", pages.arrived.all());
    }
}

#[tokio::test]
async fn gzip() {
    nothing_is_lost(7, Fault::Gzip).await;
}

#[tokio::test]
async fn a_wrong_content_type() {
    nothing_is_lost(7, Fault::ContentType("text/plain")).await;
}

#[tokio::test]
async fn invalid_utf_8() {
    nothing_is_lost(7, Fault::InvalidUtf8).await;
}

#[tokio::test]
async fn three_hundred_pages() {
    for style in Style::ALL {
        let pages = Pages::new(900, Fault::None).await;
        let answer = pages.call(style, json!({"filter": "f", "size": 3, "all": true})).await;
        assert_eq!(answer["page"], json!({"returned": 900, "has_more": false}), "{style:?}");
        let asked = pages.arrived.all().len();
        assert!((300..=301).contains(&asked), "{style:?}: {asked}");
        let pages = Pages::new(900, Fault::None).await;
        assert_eq!(followed(&pages, style, json!({"filter": "f"})).await.len(), 900, "{style:?}");
    }
}

#[tokio::test]
async fn a_vendor_that_ignores_the_position_is_noticed() {
    for style in Style::ALL {
        let pages = Pages::new(7, Fault::Repeats).await;
        let answer = every(&pages, style).await;
        let page = &answer["page"];
        assert_eq!((&page["returned"], &page["has_more"]), (&json!(3), &more(style)), "{style:?}: {page}");
        assert_eq!(page["next_cursor"], Value::Null, "{style:?}: it would lead nowhere");
        assert!(note(&answer).contains("ignores"), "{style:?}: {page}");
        assert_eq!(pages.arrived.all().len(), 2, "{style:?}");
        let first = pages.call(style, json!({"filter": "f"})).await;
        let second = pages.call(style, json!({"cursor": first["page"]["next_cursor"]})).await;
        assert!(note(&second).contains("ignores"), "{style:?}: {second}");
    }
}

#[tokio::test]
async fn all_pages_are_bounded_and_continue_at_a_cursor() {
    for style in Style::ALL {
        let pages = Pages::new(25, Fault::None).await.with_bound(10);
        let (progress, mut waiting) = unbounded_channel();
        let caller = Caller { progress: Some(progress), ..Caller::default() };
        let arguments = json!({"filter": "f", "size": 4, "all": true});
        let result = pages.call_as(&caller, style.tool(), &arguments).await;
        let answer: Value = serde_json::from_str(text(&result)).unwrap();
        assert_eq!(ids(&answer), (0..8).collect::<Vec<u64>>(), "{style:?}");
        assert!(note(&answer).contains("stopped at 8 records"), "{style:?}");
        assert_eq!(waiting.try_recv().unwrap(), "4 records so far");
        assert_eq!(followed(&pages, style, arguments).await.len(), 25, "{style:?}");
        // Without a size, pages have the vendor's largest size.
        let pages = Pages::new(25, Fault::None).await;
        assert_eq!(ids(&pages.call(style, json!({"filter": "f", "all": true})).await).len(), 25, "{style:?}");
        assert_eq!(pages.arrived.all().len(), 1 + empty(style), "{style:?}: {:?}", pages.arrived.all());
    }
}

#[tokio::test]
async fn a_short_page_proves_nothing_and_an_empty_one_is_the_end() {
    let pages = Pages::new(5, Fault::None).await;
    let first = pages.call(Style::Page, json!({"filter": "f", "size": 10})).await;
    assert_eq!((ids(&first).len(), &first["page"]["has_more"]), (5, &json!("unknown")), "{first}");
    assert!(note(&first).contains("until a page comes empty"), "{first}");
    let last = pages.call(Style::Page, json!({"cursor": first["page"]["next_cursor"]})).await;
    assert_eq!(last, json!({"page": {"returned": 0, "has_more": false}, "items": []}));
}

#[tokio::test]
async fn a_cut_answer_has_the_note_on_its_end_with_its_last_part() {
    let pages = Pages::new(60, Fault::Large(1_000)).await;
    let first = pages.call(Style::Page, json!({"filter": "f", "size": 100})).await;
    assert_eq!((&first["page"]["has_more"], &first["notes"]), (&json!(true), &Value::Null), "{first}");
    let rest = pages.call(Style::Page, json!({"cursor": first["page"]["next_cursor"]})).await;
    assert_eq!(rest["page"]["has_more"], json!("unknown"), "{}", rest["page"]);
    assert!(note(&rest).contains("until a page comes empty"));
}

#[tokio::test]
async fn a_cursor_belongs_to_one_call() {
    for style in Style::ALL {
        let pages = Pages::new(7, Fault::None).await;
        let first = pages.call(style, json!({"filter": "f"})).await;
        let cursor = &first["page"]["next_cursor"];
        for (arguments, said) in [
            (json!({"cursor": cursor, "filter": "g"}), "another `filter`: pass `cursor` alone"),
            (json!({"cursor": cursor, "filter": "f", "size": 5}), "another `size`"),
            (json!({"cursor": "nonsense"}), "expected `next_cursor` of an answer"),
            (json!({"cursor": cursor, "nonsense": 1}), "nonsense"),
        ] {
            let failure = pages.failure(style, arguments.clone()).await;
            assert!(failure.contains(said), "{arguments}: {failure}");
            assert!(failure.contains("nothing was sent"), "{failure}");
        }
        let other = if style == Style::Page { Style::Offset } else { Style::Page };
        let failure = pages.failure(other, json!({"cursor": cursor})).await;
        assert!(failure.contains(&format!("belongs to `{}`", style.tool())), "{failure}");
        assert_eq!(pages.arrived.all().len(), 1);
        // The same arguments beside it do no harm, and what is shown may change.
        let next = pages.call(style, json!({"cursor": cursor, "filter": "f", "fields": ["id"]})).await;
        assert_eq!(ids(&next), [3, 4, 5]);
        assert!(!next.to_string().contains("ümlaut"), "{next}");
    }
}

#[tokio::test]
async fn cached_answers_belong_to_one_session() {
    let style = Style::Offset;
    let pages = Pages::new(100, Fault::Large(1_000)).await;
    let of = |session| Caller { session, ..Caller::default() };
    let first = pages.call_as(&of(Some(1)), style.tool(), &json!({"filter": "f", "size": 100})).await;
    let first: Value = serde_json::from_str(text(&first)).unwrap();
    let next = json!({"cursor": first["page"]["next_cursor"]});
    let mut parts = Vec::new();
    for (session, requests) in [(Some(1), 1), (Some(2), 2), (None, 3), (Some(1), 3)] {
        let part = pages.call_as(&of(session), style.tool(), &next).await;
        assert_eq!(pages.arrived.all().len(), requests, "{session:?}");
        let part: Value = serde_json::from_str(text(&part)).unwrap();
        parts.push(ids(&part));
    }
    assert!(parts.iter().all(|part| part[0] == parts[0][0] && part.len() > 10), "{parts:?}");
}

#[tokio::test]
async fn dropping_the_call_ends_the_paging() {
    let pages = Pages::new(1_000, Fault::None).await;
    let (progress, mut waiting) = unbounded_channel();
    let caller = Caller { progress: Some(progress), ..Caller::default() };
    let arguments = json!({"filter": "f", "size": 1, "all": true});
    let call = pages.call_as(&caller, Style::Offset.tool(), &arguments);
    tokio::select! {
        _ = call => panic!("the call ended before it was dropped"),
        () = async { while waiting.recv().await.unwrap() != "5 records so far" {} } => {}
    }
    let asked = pages.arrived.all().len();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(pages.arrived.all().len() <= asked + 1, "requests go on after the call was dropped");
}

//! Each kind of paging sign, with each kind of position → the next page.

use hyper::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use crate::upstream::Headers;
use toolwright_model::Signs;

fn paging(kind: PagingKind, signs: Signs) -> Paging {
    let position = Place::Query("start".to_owned());
    Paging { kind, position, always: false, size: None, most: None, signs }
}

#[expect(clippy::unnecessary_wraps, reason = "the signs are optional")]
fn at(pointer: &str) -> Option<String> {
    Some(pointer.to_owned())
}

/// What comes after a page, in short.
#[derive(Debug, PartialEq)]
enum Found {
    End,
    More(Value),
    Perhaps(Value),
    /// Whether the vendor states more.
    Stuck(bool),
}

use Found::{End, More, Perhaps};

fn found(next: Next) -> (Found, String) {
    let position = |start: Start| start.at.unwrap_or_default();
    match next {
        Next::Nothing => (End, String::new()),
        Next::More(start) => (More(position(start)), String::new()),
        Next::Perhaps(start) => (Perhaps(position(start)), String::new()),
        Next::Stuck(Stuck { more, reason }) => (Found::Stuck(more), reason),
    }
}

fn answered(body: &Value) -> Answer {
    Answer { body: body.to_string().into(), ..Answer::default() }
}

fn after(paging: &Paging, at: Option<Value>, asked: Option<u64>, body: &Value) -> Found {
    let start = Start { seen: at.is_none().then_some(0), at, ..Start::default() };
    found(read(paging, &start, asked, &answered(body)).unwrap().unwrap().next).0
}

#[test]
fn without_a_sign_only_an_empty_page_is_the_end() {
    let offset = paging(PagingKind::Offset, Signs::default());
    let pages = paging(PagingKind::Page, Signs { first: 1, ..Signs::default() });
    for (paging, at, asked, rows, expected) in [
        (&offset, None, Some(2), 2, Perhaps(json!(2))),
        (&offset, Some(json!(4)), Some(2), 1, Perhaps(json!(5))),
        (&offset, Some(json!("4")), Some(2), 2, Perhaps(json!(6))),
        (&offset, Some(json!(4)), None, 1, Perhaps(json!(5))),
        (&offset, Some(json!(4)), Some(2), 0, End),
        (&offset, Some(json!(4)), None, 0, End),
        (&pages, None, Some(2), 2, Perhaps(json!(2))),
        (&pages, Some(json!(3)), Some(2), 1, Perhaps(json!(4))),
        (&pages, Some(json!(3)), None, 50, Perhaps(json!(4))),
        (&pages, None, None, 0, End),
    ] {
        let body = json!(vec![7; rows]);
        assert_eq!(after(paging, at.clone(), asked, &body), expected, "{at:?} {asked:?} {rows}");
    }
}

#[test]
fn what_the_vendor_states_outweighs_the_number_of_records() {
    let total = paging(PagingKind::Offset, Signs { total: at("/total"), ..Signs::default() });
    let last = paging(PagingKind::Offset, Signs { last: at("/last"), ..Signs::default() });
    let pages = paging(PagingKind::Page, Signs { total: at("/total"), first: 1, ..Signs::default() });
    let ten: Vec<u64> = (0..10).collect();
    for (paging, at, body, expected) in [
        (&total, None, json!({"total": 3, "rows": [1, 2]}), More(json!(2))),
        (&total, Some(json!(2)), json!({"total": 3, "rows": [3]}), End),
        (&total, None, json!({"total": "2", "rows": [1, 2]}), End),
        // What is smaller than what was read is no total.
        (&total, None, json!({"total": 1, "rows": [1, 2]}), Perhaps(json!(2))),
        (&total, Some(json!(10)), json!({"total": 35, "rows": []}), More(json!(20))),
        (&last, None, json!({"last": false, "rows": [1]}), More(json!(1))),
        (&last, None, json!({"last": true, "rows": ten}), End),
        (&last, None, json!({"rows": [1]}), Perhaps(json!(1))),
        (&last, Some(json!(3)), json!({"last": false, "rows": []}), More(json!(13))),
        (&pages, None, json!({"total": 3, "rows": [1, 2]}), More(json!(2))),
        (&pages, Some(json!(2)), json!({"total": 11, "rows": [3]}), End),
    ] {
        assert_eq!(after(paging, at.clone(), Some(10), &body), expected, "{at:?} {body}");
    }
}

#[test]
fn a_vendor_that_states_more_for_ever_is_not_followed_for_ever() {
    let last = paging(PagingKind::Offset, Signs { last: at("/last"), ..Signs::default() });
    let mut start = Start { seen: Some(0), ..Start::default() };
    let answer = answered(&json!({"last": false, "rows": []}));
    for page in 0..=MOST_EMPTY_PAGES {
        match read(&last, &start, Some(10), &answer).unwrap().unwrap().next {
            Next::More(next) => start = next,
            next => {
                assert_eq!((found(next).0, page), (Found::Stuck(true), MOST_EMPTY_PAGES));
                return;
            }
        }
    }
    panic!("it is followed");
}

#[test]
fn empty_ranges_are_no_proof_and_are_not_followed_for_ever() {
    let cut = paging(PagingKind::Offset, Signs { cuts: true, ..Signs::default() });
    for (before, expected) in [(0, Perhaps(json!(20))), (1, Perhaps(json!(20))), (2, Found::Stuck(false))] {
        let start = Start { at: Some(json!(10)), empty: before, ..Start::default() };
        let signs = read(&cut, &start, Some(10), &answered(&json!([]))).unwrap().unwrap();
        assert_eq!(found(signs.next).0, expected, "{before}");
    }
}

#[test]
fn cut_ranges_are_read_by_what_was_requested() {
    let cut = |signs: Signs| paging(PagingKind::Offset, Signs { cuts: true, ..signs });
    let bare = cut(Signs::default());
    let total = cut(Signs { total: at("/total"), ..Signs::default() });
    let reach = cut(Signs { reach: Some(30), ..Signs::default() });
    let numbered = paging(PagingKind::Page, Signs { cuts: true, total: at("/total"), first: 1, ..Signs::default() });
    for (paging, at, body, expected) in [
        (&bare, None, json!([1, 2]), Perhaps(json!(10))),
        (&bare, Some(json!(10)), json!([]), Perhaps(json!(20))),
        (&total, None, json!({"total": 12, "rows": [1]}), More(json!(10))),
        (&total, Some(json!(10)), json!({"total": 25, "rows": []}), More(json!(20))),
        (&total, Some(json!(10)), json!({"total": 12, "rows": [2]}), End),
        (&reach, None, json!([]), Perhaps(json!(10))),
        (&reach, Some(json!(10)), json!([1]), Perhaps(json!(20))),
        (&reach, Some(json!(20)), json!([1]), Found::Stuck(false)),
        (&numbered, None, json!({"total": 12, "rows": [1]}), More(json!(2))),
        (&numbered, Some(json!(2)), json!({"total": 12, "rows": [2]}), End),
    ] {
        assert_eq!(after(paging, at.clone(), Some(10), &body), expected, "{at:?} {body}");
    }
}

#[test]
fn a_token_is_followed_whatever_the_number_of_records() {
    let signs = Signs { next: at("/next"), last: at("/last"), total: at("/total"), ..Signs::default() };
    let token = paging(PagingKind::Token, signs);
    for (body, expected) in [
        (json!({"next": "b", "rows": []}), More(json!("b"))),
        (json!({"next": "50", "rows": [1]}), More(json!("50"))),
        (json!({"next": null, "rows": [1, 2]}), End),
        (json!({"next": "", "rows": [1, 2]}), End),
        (json!({"rows": [1, 2]}), End),
        (json!({"next": "b", "last": true, "rows": [1, 2]}), End),
        (json!({"next": "https://a.example/x?size=2&start=a%2Fb", "rows": [1]}), More(json!("a/b"))),
        // A missing token is no end if something else states more.
        (json!({"last": false, "rows": [1]}), Found::Stuck(true)),
        (json!({"total": 80, "rows": [1]}), Found::Stuck(true)),
        (json!({"total": 1, "rows": [1]}), End),
        (json!({"next": "https://a.example/x?size=2", "rows": [1]}), Found::Stuck(true)),
    ] {
        assert_eq!(after(&token, None, Some(2), &body), expected, "{body}");
    }
    assert_eq!(after(&token, Some(json!("b")), Some(2), &json!({"next": "b", "rows": [1]})), Found::Stuck(true));
}

#[test]
fn an_address_of_the_next_page_is_followed_where_it_leads_on() {
    let offset = paging(PagingKind::Offset, Signs { next: at("/next"), ..Signs::default() });
    for (next, at, expected) in [
        (json!("/rest/x?start=50"), None, More(json!(50))),
        (json!("/rest/x?start=50"), Some(json!(50)), Perhaps(json!(51))),
        (json!("/rest/x?page=2"), None, More(json!(1))),
        (Value::Null, None, Perhaps(json!(1))),
    ] {
        assert_eq!(after(&offset, at, None, &json!({"next": next, "rows": [1]})), expected, "{next}");
    }
}

#[test]
fn counts_in_headers_end_a_listing() {
    let signs = Signs {
        next_header: at("x-next"),
        count_header: at("x-count"),
        limit_header: at("x-limit"),
        ..Signs::default()
    };
    let paging = paging(PagingKind::Token, signs);
    for (headers, expected) in [
        ([("x-next", "b"), ("x-count", "2"), ("x-limit", "2")].as_slice(), Perhaps(json!("b"))),
        (&[("x-next", "b"), ("x-count", "1"), ("x-limit", "2")], End),
        // The limit is the vendor's own, and the page is as long as requested.
        (&[("x-next", "b"), ("x-count", "2"), ("x-limit", "1000")], Perhaps(json!("b"))),
        (&[("x-next", "[1, \"a\"]")], Perhaps(json!([1, "a"]))),
        (&[], Found::Stuck(false)),
    ] {
        let sent = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let answer = Answer { headers: Headers::of(&sent.collect()), ..answered(&json!([1, 2])) };
        let start = Start { seen: Some(0), ..Start::default() };
        assert_eq!(found(read(&paging, &start, Some(2), &answer).unwrap().unwrap().next).0, expected, "{headers:?}");
    }
}

#[test]
fn repeated_records_end_the_paging() {
    for (signs, body, more) in [
        (Signs::default(), json!([1, 2]), false),
        (Signs { total: at("/total"), ..Signs::default() }, json!({"total": 5, "rows": [1, 2]}), true),
    ] {
        let offset = paging(PagingKind::Offset, signs);
        let answer = answered(&body);
        let first = read(&offset, &Start { seen: Some(0), ..Start::default() }, Some(2), &answer).unwrap().unwrap();
        let (Next::More(start) | Next::Perhaps(start)) = first.next else { panic!("{first:?}") };
        let again = read(&offset, &start, Some(2), &answer).unwrap().unwrap();
        assert_eq!((again.repeated, again.read), (true, Some(2)));
        let (found, reason) = found(again.next);
        assert_eq!(found, Found::Stuck(more));
        assert!(reason.contains("ignores `start`"), "{reason}");
    }
}

#[test]
fn an_answer_without_records_is_no_page() {
    let offset = paging(PagingKind::Offset, Signs::default());
    for body in ["7", "{}", "{\"a\": [], \"b\": []}", "no JSON", ""] {
        let answer = Answer { body: body.into(), ..Answer::default() };
        assert!(read(&offset, &Start::default(), None, &answer).unwrap().is_none(), "{body}");
    }
}

#[test]
fn a_list_that_is_left_out_is_no_proof_of_the_end() {
    let signs = Signs { records: at("/rows"), total: at("/total"), last: at("/last"), ..Signs::default() };
    let offset = paging(PagingKind::Offset, signs);
    for (body, expected) in [
        (json!({}), Found::Stuck(false)),
        (json!({"rows": null}), Found::Stuck(false)),
        (json!({"last": false}), Found::Stuck(true)),
        (json!({"total": 7}), Found::Stuck(true)),
        (json!({"total": 0}), End),
        (json!({"last": true}), End),
        (json!({"rows": []}), End),
    ] {
        let start = Start { seen: Some(0), ..Start::default() };
        let (after, reason) = found(read(&offset, &start, Some(10), &answered(&body)).unwrap().unwrap().next);
        assert_eq!(after, expected, "{body}");
        assert_eq!(reason.contains("is unknown"), expected == Found::Stuck(false), "{body}: {reason}");
    }
    for body in [json!({"rows": {}}), json!({"rows": "none"}), json!({"rows": 0})] {
        let fault = read(&offset, &Start::default(), None, &answered(&body)).unwrap_err();
        assert_eq!(fault, "has no list at `/rows`, where its records should be", "{body}");
    }
}

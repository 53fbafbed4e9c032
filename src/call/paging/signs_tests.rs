//! Each kind of paging sign, with each kind of position → the next page.

use serde_json::json;

use super::*;
use toolwright_model::Signs;

fn paging(kind: PagingKind, signs: Signs) -> Paging {
    let position = Place::Query("start".to_owned());
    Paging { kind, position, always: false, size: None, most: None, signs }
}

/// Returns the position after a page; `None` after the last one.
fn after(paging: &Paging, at: Option<Value>, asked: Option<u64>, body: &Value) -> Result<Option<Value>, String> {
    let start = Start { seen: at.is_none().then_some(0), at, ..Start::default() };
    let answer = Answer { body: body.to_string().into(), ..Answer::default() };
    match read(paging, &start, asked, &answer).unwrap().next {
        Next::Nothing => Ok(None),
        Next::At(start) => Ok(start.at),
        Next::Stuck(reason) => Err(reason),
    }
}

#[test]
fn without_a_sign_only_a_short_page_is_the_last() {
    let offset = paging(PagingKind::Offset, Signs::default());
    let pages = paging(PagingKind::Page, Signs { first: 1, ..Signs::default() });
    for (paging, at, asked, rows, expected) in [
        (&offset, None, Some(2), 2, Some(json!(2))),
        (&offset, Some(json!(4)), Some(2), 1, None),
        (&offset, Some(json!("4")), Some(2), 2, Some(json!(6))),
        (&offset, Some(json!(4)), None, 1, Some(json!(5))),
        (&offset, Some(json!(4)), None, 0, None),
        (&pages, None, Some(2), 2, Some(json!(2))),
        (&pages, Some(json!(3)), Some(2), 1, None),
        (&pages, Some(json!(3)), None, 50, Some(json!(4))),
        (&pages, None, None, 0, None),
    ] {
        let body = json!(vec![7; rows]);
        assert_eq!(after(paging, at.clone(), asked, &body), Ok(expected), "{at:?} {asked:?} {rows}");
    }
}

#[test]
fn what_the_vendor_states_outweighs_the_number_of_records() {
    let total = paging(PagingKind::Offset, Signs { total: Some("/total".to_owned()), ..Signs::default() });
    let last = paging(PagingKind::Offset, Signs { last: Some("/last".to_owned()), ..Signs::default() });
    let pages = paging(PagingKind::Page, Signs { total: Some("/total".to_owned()), first: 1, ..Signs::default() });
    for (paging, at, body, expected) in [
        (&total, None, json!({"total": 3, "rows": [1, 2]}), Some(json!(2))),
        (&total, Some(json!(2)), json!({"total": 3, "rows": [3]}), None),
        (&total, None, json!({"total": "2", "rows": [1, 2]}), None),
        (&last, None, json!({"last": false, "rows": [1]}), Some(json!(1))),
        (&last, None, json!({"last": true, "rows": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}), None),
        (&pages, None, json!({"total": 3, "rows": [1, 2]}), Some(json!(2))),
        (&pages, Some(json!(2)), json!({"total": 11, "rows": [3]}), None),
    ] {
        assert_eq!(after(paging, at.clone(), Some(10), &body), Ok(expected), "{at:?} {body}");
    }
    let none = after(&last, Some(json!(3)), Some(10), &json!({"last": false, "rows": []}));
    assert!(none.unwrap_err().contains("returned none"));
}

#[test]
fn a_token_is_followed_whatever_the_number_of_records() {
    let token = paging(
        PagingKind::Token,
        Signs { next: Some("/next".to_owned()), last: Some("/last".to_owned()), ..Signs::default() },
    );
    for (body, expected) in [
        (json!({"next": "b", "rows": []}), Some(json!("b"))),
        (json!({"next": "50", "rows": [1]}), Some(json!("50"))),
        (json!({"next": null, "rows": [1, 2]}), None),
        (json!({"next": "", "rows": [1, 2]}), None),
        (json!({"rows": [1, 2]}), None),
        (json!({"next": "b", "last": true, "rows": [1, 2]}), None),
        (json!({"next": "https://a.example/x?size=2&start=a%2Fb", "rows": [1]}), Some(json!("a/b"))),
    ] {
        assert_eq!(after(&token, None, Some(2), &body), Ok(expected), "{body}");
    }
    let lost = after(&token, None, Some(2), &json!({"last": false, "rows": [1]}));
    assert!(lost.unwrap_err().contains("not their position"));
    let circle = after(&token, Some(json!("b")), Some(2), &json!({"next": "b", "rows": [1]}));
    assert!(circle.unwrap_err().contains("in a circle"));
    let offset = paging(PagingKind::Offset, Signs { next: Some("/next".to_owned()), ..Signs::default() });
    let linked = json!({"next": "/rest/x?start=50", "rows": [1]});
    assert_eq!(after(&offset, None, None, &linked), Ok(Some(json!(50))));
}

#[test]
fn repeated_records_end_the_paging() {
    let offset = paging(PagingKind::Offset, Signs::default());
    let answer = Answer { body: "[1, 2]".into(), ..Answer::default() };
    let first = read(&offset, &Start { seen: Some(0), ..Start::default() }, Some(2), &answer).unwrap();
    let Next::At(start) = first.next else { panic!("{first:?}") };
    let again = read(&offset, &start, Some(2), &answer).unwrap();
    assert!(again.repeated);
    assert!(matches!(again.next, Next::Stuck(reason) if reason.contains("ignores `start`")));
}

#[test]
fn an_answer_without_records_is_no_page() {
    let offset = paging(PagingKind::Offset, Signs::default());
    for body in ["7", "{}", "{\"a\": [], \"b\": []}", "no JSON", ""] {
        let answer = Answer { body: body.into(), ..Answer::default() };
        assert!(read(&offset, &Start::default(), None, &answer).is_none(), "{body}");
    }
}

//! Answers of every shape beyond the bounds, read to their end.

use serde_json::{Map, json};

use super::*;

/// The offset in a test's cursor.
fn offset(cursor: &str) -> ReplyOffset {
    serde_json::from_str(cursor).unwrap()
}

fn shown(text: &str, from: ReplyOffset) -> String {
    let cursor = |offset: ReplyOffset| Some(json!(offset).to_string());
    let envelope = Envelope::default();
    let bounded = bounded(text, &ReplyWindow { envelope: &envelope, from, cursor: &cursor });
    assert!(fits(&bounded, 0), "{} -> {}", text.len(), bounded.len());
    bounded
}

fn checked(text: &str, from: ReplyOffset) -> Value {
    serde_json::from_str(&shown(text, from)).expect("still JSON")
}

/// Every part of an answer, one after the other.
fn parts(text: &str) -> Vec<Value> {
    let mut parts = vec![checked(text, ReplyOffset::default())];
    while let Some(cursor) = parts[parts.len() - 1]["page"]["next_cursor"].as_str() {
        let next = checked(text, offset(cursor));
        assert!(parts.len() < 1_000, "it does not end: {}", next["page"]);
        parts.push(next);
    }
    let (last, before) = parts.split_last().unwrap();
    assert!(before.iter().all(|part| part["page"]["has_more"] == true));
    assert_ne!(last["page"]["has_more"], json!(true), "{}", last["page"]);
    parts
}

#[test]
fn a_text_within_the_bounds_is_unchanged() {
    for text in ["[1, 2,  {\"n\": 12345678901234567890123}]", "plain", "7", ""] {
        assert_eq!(shown(text, ReplyOffset::default()), text);
    }
}

#[test]
fn lists_are_cut_between_records_and_nothing_is_lost() {
    let records: Vec<Value> = (0..3_000).map(|n| json!({"id": n, "subject": "\"quoted\" ".repeat(5)})).collect();
    for (text, name) in [
        (json!(records).to_string(), "items"),
        (json!({"total": 3_000, "rows": records, "few": [1]}).to_string(), "rows"),
    ] {
        let parts = parts(&text);
        let shown: Vec<Value> = parts.iter().flat_map(|part| part[name].as_array().cloned().unwrap()).collect();
        assert!(shown == records, "{} of {}", shown.len(), records.len());
        assert!(parts.len() > 3 && parts[0]["page"]["note"].as_str().unwrap().contains("of the 3000"));
        for part in &parts {
            assert_eq!(part["page"]["returned"], json!(part[name].as_array().unwrap().len()));
            assert_eq!(part.as_object().unwrap().keys().next().unwrap(), "page");
            assert_eq!(name == "rows", part["few"] == json!([1]), "what is around stays");
        }
    }
    let exact = format!("{{\"a\":[{}]}}", vec!["{\"n\": 12345678901234567890123}"; 5_000].join(","));
    let cut = shown(&exact, ReplyOffset::default());
    assert!(cut.contains("[{\"n\": 12345678901234567890123},"), "numbers stay as the vendor wrote them");
}

#[test]
fn a_nested_list_is_cut() {
    let text = json!({"data": {"items": vec![json!({"c": "x".repeat(100)}); 5_000]}}).to_string();
    let count: usize = parts(&text).iter().map(|part| part["data"]["items"].as_array().unwrap().len()).sum();
    assert_eq!(count, 5_000);
}

#[test]
fn a_record_beyond_the_bounds_is_shortened_and_its_pieces_follow() {
    let long: String = (0..60_000).map(|n| if n % 3 == 0 { 'é' } else { '\n' }).collect();
    let one = json!({"id": 7, "body": long, "page": 3}).to_string();
    let listed = json!([{"id": 6}, {"id": 7, "body": long}, {"id": 8}]).to_string();
    for (text, before) in [(one, 0), (listed, 1)] {
        let parts = parts(&text);
        let first = parts.iter().find(|part| part.to_string().contains("… (cut, 60000 characters)")).unwrap();
        let record = if before == 0 { &first["answer"] } else { &first["items"][0] };
        assert_eq!(record["id"], json!(7));
        let body = record["body"].as_str().unwrap();
        let mut whole: String =
            body.chars().take(body.chars().count() - "… (cut, 60000 characters)".chars().count()).collect();
        for piece in parts.iter().flat_map(|part| part["items"].as_array().into_iter().flatten()) {
            whole.push_str(piece["text"].as_str().unwrap_or_default());
        }
        assert!(whole == long, "{} of {}", whole.len(), long.len());
        if before == 1 {
            assert_eq!(parts[0]["items"], json!([{"id": 6}]));
            assert_eq!(parts[parts.len() - 1]["items"], json!([{"id": 8}]));
        }
    }
}

#[test]
fn a_record_that_can_not_be_cut_is_reported() {
    let wide: Map<String, Value> = (0..50_000).map(|n| (format!("name{n}"), json!(n))).collect();
    let part = checked(&Value::Object(wide).to_string(), ReplyOffset::default());
    assert_eq!((&part["page"]["returned"], &part["page"]["has_more"]), (&json!(0), &json!(true)));
    assert!(part["page"]["note"].as_str().unwrap().contains("can't be shown"));
}

#[test]
fn text_is_cut_and_continued() {
    for text in ["é".repeat(100_000), "\u{1}".repeat(100_000), "[1, ".repeat(50_000)] {
        let (mut whole, mut from) = (String::new(), ReplyOffset::default());
        loop {
            let cut = shown(&text, from);
            let (head, part) = cut.split_once('\n').unwrap();
            assert!(head.starts_with("(cut: bytes "), "{head}");
            whole.push_str(part);
            let Some((_, cursor)) = head.split_once("`cursor`: ") else { break };
            from = offset(cursor.trim_end_matches(')'));
        }
        assert!(whole == text);
    }
}

#[test]
fn the_last_part_of_a_page_has_the_vendors_own_cursor() {
    let records: Vec<Value> = (0..1_000).map(|n| json!({"id": n, "subject": "x".repeat(80)})).collect();
    let text = json!(records).to_string();
    let page = Page { returned: 1_000, has_more: true, next_cursor: Some("vendor".to_owned()), ..Page::default() };
    let envelope = Envelope {
        page: Some(Page { total: Some(5_000), ..page }),
        notes: Vec::new(),
        untrusted: vec!["subject".to_owned()],
    };
    let cursor = |offset: ReplyOffset| Some(json!(offset).to_string());
    let (mut from, mut count) = (ReplyOffset::default(), 0);
    loop {
        let part = bounded(&text, &ReplyWindow { envelope: &envelope, from, cursor: &cursor });
        let part: Value = serde_json::from_str(&part).unwrap();
        assert_eq!((&part["page"]["total"], &part["untrusted"]), (&json!(5_000), &json!(["subject"])));
        assert_eq!(part["page"]["has_more"], json!(true));
        count += part["items"].as_array().unwrap().len();
        match part["page"]["next_cursor"].as_str().unwrap() {
            "vendor" => break,
            cursor => from = offset(cursor),
        }
    }
    assert_eq!(count, 1_000);
}

//! Answers of every shape beyond the bounds, read to their end.

use serde_json::{Map, Value, json};

use super::*;

/// The offset in a test's cursor.
fn offset(cursor: &str) -> ReplyOffset {
    serde_json::from_str(cursor).unwrap()
}

fn shown(text: &str, from: ReplyOffset) -> String {
    let cursor = |offset: ReplyOffset| Some(json!(offset).to_string());
    let envelope = Envelope::default();
    let window = ReplyWindow { envelope: &envelope, bound: Bound::RESULT, from, cursor: Some(&cursor) };
    let bounded = bounded(text, &window);
    assert!(Bound::RESULT.fits(&bounded), "{} -> {}", text.len(), bounded.len());
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
    for text in ["{\"a\":  {\"n\": 12345678901234567890123}}", "plain", "7", ""] {
        assert_eq!(shown(text, ReplyOffset::default()), text);
    }
    assert_eq!(shown("[1, 2,  1e9]", ReplyOffset::default()), "{\"items\":[1, 2,  1e9]}");
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
        let first = parts.iter().find(|part| part.to_string().contains("…⟦cut, 60000 characters⟧")).unwrap();
        let record = if before == 0 { &first["answer"] } else { &first["items"][0] };
        assert_eq!(record["id"], json!(7));
        let body = record["body"].as_str().unwrap();
        let mut whole: String =
            body.chars().take(body.chars().count() - "…⟦cut, 60000 characters⟧".chars().count()).collect();
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
fn a_wide_record_is_cut_inside_and_read_to_its_end() {
    let mut wide: Map<String, Value> = (0..5_000).map(|n| (format!("name{n}"), json!(n))).collect();
    wide.insert("id".to_owned(), json!("I-7"));
    let parts = parts(&Value::Object(wide.clone()).to_string());
    assert_eq!((&parts[0]["id"], &parts[0]["name0"]), (&json!("I-7"), &json!(0)));
    let omitted = parts[0]["omitted"].as_array().unwrap();
    assert!(omitted.len() == 41 && omitted[40].as_str().unwrap().starts_with("… and "), "{omitted:?}");
    let mut again: Map<String, Value> = parts[0].as_object().unwrap().clone();
    again.retain(|name, _| wide.contains_key(name));
    for piece in parts[1..].iter().flat_map(|part| part["items"].as_array().unwrap()) {
        again.extend(piece["entries"].as_object().unwrap().clone());
    }
    assert!(again == wide, "{} of {}", again.len(), wide.len());
}

#[test]
fn the_answer_to_a_change_keeps_its_ids_and_speaks_of_no_arguments() {
    let nested: Map<String, Value> =
        (0..300).map(|n| (format!("customfield_{n}"), json!({"id": n, "value": "\"x\" ".repeat(60)}))).collect();
    let rows = json!(vec![json!({"id": 1, "text": "y".repeat(200)}); 400]);
    for text in [
        json!({"self": "https://desk.example/7", "fields": nested, "id": "10007", "key": "ITS-7"}).to_string(),
        json!({"id": "10007", "changes": rows, "key": "ITS-7"}).to_string(),
    ] {
        let envelope = Envelope { untrusted: vec!["value".to_owned()], ..Envelope::default() };
        let window =
            ReplyWindow { envelope: &envelope, bound: Bound::RESULT, from: ReplyOffset::default(), cursor: None };
        let shown = bounded(&text, &window);
        assert!(Bound::RESULT.fits(&shown) && shown.len() > 20_000, "{}", shown.len());
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!((&shown["id"], &shown["key"]), (&json!("10007"), &json!("ITS-7")));
        assert!(!shown["omitted"].as_array().unwrap().is_empty(), "{}", shown["omitted"]);
        assert_eq!(shown["page"], Value::Null);
        let notes = shown["notes"].to_string();
        assert!(notes.contains(" KB is cut") && !notes.contains("cursor") && !notes.contains("fields"), "{notes}");
    }
}

#[test]
fn a_part_of_a_records_list_is_named() {
    let record = json!({"id": 7, "history": {"rows": vec![json!({"id": 1, "text": "y".repeat(200)}); 400]}});
    let part = checked(&record.to_string(), ReplyOffset::default());
    assert_eq!((&part["id"], &part["omitted"]), (&json!(7), &json!(["history.rows"])));
}

#[test]
fn plans_and_messages_are_within_the_bounds() {
    let plan = json!({"dry_run": true, "request": {"body": "\"".repeat(100_000), "method": "POST"}});
    let shown = bounded_value(&plan);
    assert!(Bound::RESULT.fits(&shown), "{}", shown.len());
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["request"]["method"], &shown["omitted"]), (&json!("POST"), &json!(["request.body"])));
    assert!(Bound::RESULT.fits(&bounded_message("é\n".repeat(100_000))));
    assert_eq!(bounded_message("short".to_owned()), "short");
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
    let page =
        Page { returned: 1_000, has_more: HasMore::Yes, next_cursor: Some("vendor".to_owned()), ..Page::default() };
    let envelope = Envelope {
        page: Some(Page { total: Some(5_000), ..page }),
        untrusted: vec!["subject".to_owned()],
        ..Envelope::default()
    };
    let cursor = |offset: ReplyOffset| Some(json!(offset).to_string());
    let (mut from, mut count) = (ReplyOffset::default(), 0);
    loop {
        let window = ReplyWindow { envelope: &envelope, bound: Bound::RESULT, from, cursor: Some(&cursor) };
        let part = bounded(&text, &window);
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

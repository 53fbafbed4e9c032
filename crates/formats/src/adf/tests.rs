//! Markdown ⇄ documents: each is valid by the published structure of ADF, and written Markdown reads back as the same nodes.

use serde_json::{Value, json};

use std::collections::BTreeMap;

use super::published_structure::valid;
use super::{document, markdown, write_markdown};

fn to_document(value: Value) -> Result<Value, crate::FormatError> {
    super::to_document(value, &BTreeMap::new(), &mut Vec::new())
}

/// A document of one text.
pub(super) fn document_of(given: &str) -> Value {
    doc(&json!([paragraph(&[text(given)])]))
}

fn doc(content: &Value) -> Value {
    json!({"type": "doc", "version": 1, "content": content})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn marked(text: &str, marks: &[&str]) -> Value {
    let marks: Vec<Value> = marks.iter().map(|mark| json!({"type": mark})).collect();
    json!({"type": "text", "text": text, "marks": marks})
}

fn paragraph(nodes: &[Value]) -> Value {
    json!({"type": "paragraph", "content": nodes})
}

#[test]
fn markdown_becomes_adf_nodes() {
    let link = json!({"type": "text", "text": "docs", "marks": [{"type": "link", "attrs": {"href": "https://example.com/a?b=c"}}]});
    for (given, expected) in [
        ("plain", json!([paragraph(&[text("plain")])])),
        ("", json!([])),
        (
            "a **b** *c* ~~d~~ `e`  \nf",
            json!([paragraph(&[
                text("a "),
                marked("b", &["strong"]),
                text(" "),
                marked("c", &["em"]),
                text(" "),
                marked("d", &["strike"]),
                text(" "),
                marked("e", &["code"]),
                json!({"type": "hardBreak"}),
                text("f"),
            ])]),
        ),
        ("see [docs](https://example.com/a?b=c)", json!([paragraph(&[text("see "), link])])),
        (
            "hi @[Ann Lee](accountid:5b10a2844c20165700ede21g), hi [~accountid:557058:f5-a]",
            json!([paragraph(&[
                text("hi "),
                json!({"type": "mention", "attrs": {"id": "5b10a2844c20165700ede21g", "text": "@Ann Lee"}}),
                text(", hi "),
                json!({"type": "mention", "attrs": {"id": "557058:f5-a"}}),
            ])]),
        ),
        (
            "one\ntwo\n\n- three\n  four",
            json!([
                paragraph(&[text("one"), json!({"type": "hardBreak"}), text("two")]),
                {"type": "bulletList", "content": [{"type": "listItem", "content": [
                    paragraph(&[text("three"), json!({"type": "hardBreak"}), text("four")])]}]},
            ]),
        ),
        (
            "### Head\n---",
            json!([
            {"type": "heading", "attrs": {"level": 3}, "content": [text("Head")]}, {"type": "rule"}]),
        ),
        (
            "```sh\nls | wc\n\nx\n```",
            json!([
            {"type": "codeBlock", "attrs": {"language": "sh"}, "content": [text("ls | wc\n\nx")]}]),
        ),
        (
            "> a\n>\n> > b",
            json!([{"type": "blockquote", "content": [paragraph(&[text("a")]), paragraph(&[text("b")])]}]),
        ),
        (
            "3. a\n   - b\n4. c",
            json!([{"type": "orderedList", "attrs": {"order": 3}, "content": [
            {"type": "listItem", "content": [paragraph(&[text("a")]), {"type": "bulletList", "content": [
                {"type": "listItem", "content": [paragraph(&[text("b")])]}]}]},
            {"type": "listItem", "content": [paragraph(&[text("c")])]}]}]),
        ),
        (
            "- [x] a\n  - [ ] b",
            json!([{"type": "taskList", "attrs": {"localId": "task-1"}, "content": [
            {"type": "taskItem", "attrs": {"localId": "task-2", "state": "DONE"}, "content": [text("a")]},
            {"type": "taskList", "attrs": {"localId": "task-3"}, "content": [
                {"type": "taskItem", "attrs": {"localId": "task-4", "state": "TODO"}, "content": [text("b")]}]}]}]),
        ),
        (
            "| a | b |\n|---|---|\n| **c** | d<br>e |",
            json!([{"type": "table", "content": [
            {"type": "tableRow", "content": [
                {"type": "tableHeader", "content": [paragraph(&[text("a")])]},
                {"type": "tableHeader", "content": [paragraph(&[text("b")])]}]},
            {"type": "tableRow", "content": [
                {"type": "tableCell", "content": [paragraph(&[marked("c", &["strong"])])]},
                {"type": "tableCell", "content": [paragraph(&[text("d"), json!({"type": "hardBreak"}), text("e")])]}]}]}]),
        ),
        (
            "![shot](https://example.com/s.png)",
            json!([paragraph(&[
                json!({"type": "text", "text": "shot", "marks": [{"type": "link", "attrs": {"href": "https://example.com/s.png"}}]})
            ])]),
        ),
        ("[x](javascript:alert)", json!([paragraph(&[text("x (javascript:alert)")])])),
        ("<b>x</b>", json!([paragraph(&[text("<b>x</b>")])])),
    ] {
        let document = document(given);
        assert_eq!(document["content"], expected, "{given}");
        assert_eq!(valid(&document), Ok(()), "{given}");
    }
}

#[test]
fn blocks_that_adf_forbids_become_allowed_ones() {
    for given in [
        "- # head\n- > quote\n- | a | b |\n  |---|---|\n  | c | d |\n- ---",
        "> # head\n> ---\n> | a | b |\n> |---|---|\n> | c | d |\n>\n> - [ ] task",
        "- - - deep\n-\n- [ ] mixed\n- ```\n  code\n  ```",
        "**`code`** [`x`](https://example.com) [**b**](https://example.com) [](https://example.com) ![](https://example.com)",
        "[a](accountid:x) [b](accountid:) @[c](<accountid:not one>)",
        "# a  \nb\n=\n\n#\n\n<div>\n<p>x\n</div>\n\n<!-- x -->",
        "- [ ] a\n\n  second paragraph\n- [x]\n- [ ] b\n  1. [ ] c",
    ] {
        let document = document(given);
        assert_eq!(valid(&document), Ok(()), "{given}\n{document:#}");
        assert_eq!(self::document(&markdown(&document)), document, "{given}\n{}", markdown(&document));
    }
}

#[test]
fn nodes_that_markdown_lacks_read_as_text() {
    for (given, expected) in [
        (
            json!([{"type": "panel", "attrs": {"panelType": "warning"}, "content": [paragraph(&[text("Hot")])]}]),
            "> **warning**\n>\n> Hot",
        ),
        (
            json!([{"type": "expand", "attrs": {"title": "More"}, "content": [paragraph(&[text("x")])]}]),
            "**More**\n\nx",
        ),
        (
            json!([{"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "5", "type": "file", "alt": "a_1.png"}}]},
                {"type": "mediaGroup", "content": [{"type": "media", "attrs": {"id": "6", "type": "file"}}, {"type": "media", "attrs": {}}]}]),
            "[file a_1.png]\n\n[file 6]\n\n[file of no name]",
        ),
        (
            json!([paragraph(&[
                json!({"type": "emoji", "attrs": {"shortName": ":smile:", "text": "😄"}}),
                text(" "),
                json!({"type": "date", "attrs": {"timestamp": "1795132800000"}}),
                text(" "),
                json!({"type": "status", "attrs": {"text": "IN PROGRESS", "color": "blue"}}),
                text(" "),
                json!({"type": "inlineCard", "attrs": {"url": "https://e.com/ABC-1"}}),
                text(" "),
                json!({"type": "mention", "attrs": {"id": "5b:1", "text": "@Ann"}}),
            ])]),
            "😄 2026-11-20 [IN PROGRESS] [https://e.com/ABC-1](https://e.com/ABC-1) @[Ann](accountid:5b:1)",
        ),
        (json!([paragraph(&[marked("u", &["underline"]), marked("c", &["strong", "textColor"])])]), "u**c**"),
        (
            json!([{"type": "layoutSection", "content": [
                {"type": "layoutColumn", "attrs": {"width": 50}, "content": [paragraph(&[text("l")])]},
                {"type": "layoutColumn", "attrs": {"width": 50}, "content": [paragraph(&[text("r")])]}]}]),
            "l\n\nr",
        ),
        (
            json!([{"type": "table", "content": [{"type": "tableRow", "content": [
            {"type": "tableCell", "content": [paragraph(&[text("a|b")]), paragraph(&[text("c")])]},
            {"type": "tableCell", "content": [{"type": "bulletList", "content": [
                {"type": "listItem", "content": [paragraph(&[text("d")])]}]}]}]}]}]),
            "|  |  |\n| --- | --- |\n| a\\|b<br>c | - d |",
        ),
        (
            json!([{"type": "futureBlock", "content": [paragraph(&[text("kept")])]}, {"type": "futureLeaf", "attrs": {"text": "too"}}]),
            "kept\n\ntoo",
        ),
        (
            json!([{"type": "decisionList", "content": [{"type": "decisionItem", "content": [text("Go")]}]}]),
            "- Decision: Go",
        ),
        (json!(["odd", 5, null, {"content": {}}, {"type": "text"}, {"type": "table", "content": [{}]}]), ""),
    ] {
        assert_eq!(markdown(&doc(&given)), expected, "{given}");
    }
}

#[test]
fn work_on_hostile_documents_is_bounded() {
    let wide: Vec<Value> = (0..100_000).map(|_| json!({"type": "media", "attrs": {"alt": "x"}})).collect();
    let wide = doc(&json!([{"type": "mediaGroup", "content": wide}]));
    let mut deep = paragraph(&[text("bottom")]);
    // Deeper than a JSON text can be.
    for _ in 0..150 {
        deep = json!({"type": "blockquote", "content": [deep]});
    }
    let long = doc(&json!([paragraph(&[text("start")]), paragraph(&[text(&"x".repeat(5_000_000))])]));
    for (document, holds) in [(wide, "[file x]"), (doc(&json!([deep])), ">"), (long, "start")] {
        let read = markdown(&document);
        assert!(read.len() < 500_000 && read.contains(holds) && read.ends_with("(cut)"), "{} bytes", read.len());
    }
    let cell = || json!({"type": "tableCell", "content": []});
    let row = |cells: usize| json!({"type": "tableRow", "content": vec![cell(); cells]});
    let rows = |cells: usize, more: usize| -> Vec<Value> { (0..more).map(|_| row(cells)).collect() };
    let table = |rows: Vec<Value>| doc(&json!([{"type": "table", "content": rows}]));
    // One wide row makes no other row wider.
    let mut ragged = rows(0, 1_900);
    ragged.push(row(2_000));
    let tables: Vec<Value> = (0..300).map(|_| json!({"type": "table", "content": rows(100, 1)})).collect();
    let mut indented = paragraph(&vec![[json!({"type": "hardBreak"}), text("y")]; 2_000].concat());
    for _ in 0..18 {
        let item = json!({"type": "listItem", "content": [paragraph(&[text("x")]), indented]});
        indented = json!({"type": "orderedList", "attrs": {"order": 999_999_999}, "content": [item]});
    }
    let link = |n: usize| json!({"type": "inlineCard", "attrs": {"url": format!("https://a.example/{n}/{}", "y".repeat(900))}});
    let links: Vec<Value> = (0..2_000).map(|n| paragraph(&[link(n)])).collect();
    for (name, document, most) in [
        ("ragged", table(ragged.clone()), 40_000),
        ("even", table(rows(1_000, 1_000)), 300_000),
        ("wider", table(vec![row(30_000)]), 300_000),
        ("tables", doc(&json!(tables)), 300_000),
        ("indented", doc(&json!([indented])), 300_000),
        ("links", doc(&json!(links)), 300_000),
        ("links in a line", doc(&json!([paragraph(&(0..2_000).map(link).collect::<Vec<_>>())])), 300_000),
    ] {
        let read = markdown(&document);
        assert!(read.len() <= most, "{name}: {} bytes", read.len());
        assert_eq!(read.ends_with("(cut)"), name != "ragged", "{name}: {} bytes", read.len());
    }
    let mut left = 1_000_000;
    let large = table(rows(300, 300));
    let all: usize = (0..100).map(|_| write_markdown::markdown(&large, &mut left).len()).sum();
    assert!(all < 1_100_000, "all documents of an answer share a bound: {all}");
    for given in [">".repeat(20_000), "- ".repeat(20_000), "*".repeat(20_000), "[".repeat(20_000), "`".repeat(20_000)] {
        assert_eq!(valid(&document(&given)), Ok(()));
    }
}

#[test]
fn documents_pass_unchanged() {
    let given = doc(&json!([{"type": "panel", "attrs": {"panelType": "info"}, "content": []}]));
    assert_eq!(to_document(given.clone()), Ok(given.clone()));
    assert_eq!(to_document(json!(given.to_string())), Ok(given.clone()));
    assert_eq!(to_document(json!("{\"type\": \"doc\"}")).unwrap()["content"][0]["type"], "paragraph");
    for wrong in [json!(5), json!(["a"]), json!({"type": "doc"}), json!("x".repeat(300_000))] {
        assert!(to_document(wrong).is_err());
    }
}

/// A small generator, the same for the same seed.
fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % below
}

/// Pieces that mean something to Markdown, glued together in any order.
fn some_markdown(state: &mut u64) -> String {
    const PIECES: &[&str] = &[
        "word",
        "two words",
        " ",
        " ",
        "\n",
        "\n",
        "\n\n",
        "**",
        "*",
        "_",
        "~~",
        "`",
        "``",
        "[",
        "]",
        "](https://e.com)",
        "](accountid:5b:1)",
        "@[",
        "![",
        "- ",
        "1. ",
        "7) ",
        "+ ",
        "> ",
        "# ",
        "#### ",
        "---\n",
        "===\n",
        "```\n",
        "```rust\n",
        "~~~\n",
        "    ",
        "  ",
        "\t",
        "| a | b |\n|---|---|\n| c | d |\n",
        "|",
        "- [ ] ",
        "- [x] ",
        "<br>",
        "<b>",
        "<!-- c -->",
        "<https://e.com>",
        "&amp;",
        "&nbsp;",
        "&#32;",
        "\\",
        "\\\n",
        "  \n",
        "snake_case",
        "ü",
        "😀",
        "!",
        "(",
        ")",
        "a.",
        "1.",
        ":",
        "[~accountid:5b:2]",
        "[x]: /y\n",
        "$",
        "^",
        "{",
        "\"",
        "=",
        "https://e.com/_a_",
        "www.e.com.",
        "@Ann",
        "\\@b",
        "{code}",
        "{quote}",
        "{panel:title=t}",
        "{color:red}",
        "h3. ",
        "bq. ",
        "[a|https://e.com]",
        "||a||b||\n",
        "|c|d|\n",
        "** ",
        "{{m}}",
    ];
    (0..=random(state, 24)).map(|_| PIECES[random(state, PIECES.len())]).collect()
}

#[test]
fn random_markdown_becomes_valid_documents_that_read_back() {
    let rounds = std::env::var("ADF_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5_000_u64);
    let mut wrong = Vec::new();
    for seed in 0..rounds {
        let given = some_markdown(&mut seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).clone());
        let first = document(&given);
        assert_eq!(valid(&first), Ok(()), "{given:?}\n{first:#}");
        let text = markdown(&first);
        let second = document(&text);
        assert_eq!(valid(&second), Ok(()), "{text:?}");
        if first != second {
            wrong.push(format!("{given:?}\n  {text:?}\n  {first}\n  {second}"));
        }
    }
    wrong.sort_by_key(String::len);
    wrong.dedup();
    wrong.truncate(6);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

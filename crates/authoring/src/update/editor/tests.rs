//! Edits of a text → the text with them, and every other byte as it was.

use serde_json::json;

use super::*;

const TEXT: &str = "# Head\na: 1  # one\nb:\n  # About c.\n  c: {x: 1, y: [1, 2], z: 3}  # flow\n  d: >-\n    folded\n    text\n\n  # About e.\n  e:\n    - name: f  # first\n      k: 1\n    - [g, h]\n    - name: i\nlast: \"no newline\"";

fn edited(change: impl FnOnce(&mut Editor)) -> String {
    let mut editor = Editor::new(TEXT, false).unwrap();
    change(&mut editor);
    editor.finish()
}

/// What differs from the text, line by line.
fn difference(after: &str) -> Vec<String> {
    let before = format!("{TEXT}\n");
    let diff = similar::TextDiff::from_lines(before.as_str(), after);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    changes.map(|change| format!("{}{}", change.tag(), change.value().trim_end_matches('\n'))).collect()
}

#[test]
fn nothing_to_change_changes_nothing() {
    assert_eq!(edited(|_| {}), format!("{TEXT}\n"));
}

#[test]
fn only_what_changes_is_written() {
    for (name, expected, after) in [
        ("scalar", vec!["-a: 1  # one", "+a: two  # one"], edited(|e| e.set("/a", json!("two"), &[]))),
        (
            "flow value",
            vec!["-  c: {x: 1, y: [1, 2], z: 3}  # flow", "+  c: {x: 9, y: [1, 2], z: 3}  # flow"],
            edited(|e| e.set("/b/c/x", json!(9), &[])),
        ),
        (
            "flow first",
            vec!["-  c: {x: 1, y: [1, 2], z: 3}  # flow", "+  c: {y: [1, 2], z: 3}  # flow"],
            edited(|e| e.remove("/b/c/x")),
        ),
        (
            "flow last two",
            vec!["-  c: {x: 1, y: [1, 2], z: 3}  # flow", "+  c: {x: 1}  # flow"],
            edited(|e| {
                e.remove("/b/c/y");
                e.remove("/b/c/z");
            }),
        ),
        (
            "flow all",
            vec!["-  c: {x: 1, y: [1, 2], z: 3}  # flow", "+  c: {m: 1}  # flow"],
            edited(|e| {
                for key in ["x", "y", "z"] {
                    e.remove(&format!("/b/c/{key}"));
                }
                e.set("/b/c/m", json!(1), &[]);
            }),
        ),
        (
            "flow insert",
            vec!["-  c: {x: 1, y: [1, 2], z: 3}  # flow", "+  c: {x: 1, m: {o: 2}, y: [1, 2, 3], z: 3}  # flow"],
            edited(|e| {
                e.set("/b/c/m", json!({"o": 2}), &["x", "m"]);
                e.push("/b/c/y", json!(3));
            }),
        ),
        (
            "flow rename",
            vec!["-  c: {x: 1, y: [1, 2], z: 3}  # flow", "+  c: {\"a b\": 1, y: [1, 2], z: 3}  # flow"],
            edited(|e| e.rename("/b/c/x", "a b")),
        ),
        ("block entry", vec!["-  d: >-", "-    folded", "-    text"], edited(|e| e.remove("/b/d"))),
        (
            "block scalar",
            vec!["-  d: >-", "-    folded", "-    text", "+  d: short"],
            edited(|e| e.set("/b/d", json!("short"), &[])),
        ),
        (
            "block insert",
            vec!["+  m:", "+    description: \"\"  # TODO: describe"],
            edited(|e| e.set("/b/m", json!({"description": ""}), &["c", "m"])),
        ),
        (
            "first of item",
            vec!["-    - name: f  # first", "-      k: 1", "+    - k: 1"],
            edited(|e| e.remove("/b/e/0/name")),
        ),
        ("item", vec!["-    - [g, h]"], edited(|e| e.remove("/b/e/1"))),
        ("push", vec!["+    - {name: j}"], edited(|e| e.push("/b/e", json!({"name": "j"})))),
        ("comment", vec!["+    # CONFLICT: it."], edited(|e| e.comment("/b/e/2", "CONFLICT:  it."))),
        (
            "all items",
            vec!["-  e:", "-    - name: f  # first", "-      k: 1", "-    - [g, h]", "-    - name: i", "+  e: []"],
            edited(|e| {
                for at in 0..3 {
                    e.remove(&format!("/b/e/{at}"));
                }
            }),
        ),
        (
            "lines",
            vec!["+    # a comment", "+    - name: k"],
            edited(|e| e.add_lines("/b/e", "", "# a comment\n- name: k\n")),
        ),
        ("end", vec!["+more: 1"], edited(|e| e.add("", "more", json!(1)))),
    ] {
        assert_eq!(difference(&after), expected, "{name}\n{after}");
    }
}

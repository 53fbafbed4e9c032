use serde_json::json;

use super::*;

const AT: At<'static> = At { key: "mcpServers", name: "jitbit" };

fn entry() -> Value {
    json!({"command": "toolwright", "args": ["serve"], "env": {"JITBIT_URL": "https://a.example.com"}})
}

fn put(notation: Notation, text: &str) -> Result<String, DocumentError> {
    edit(notation, text, AT, Change::Put(&entry(), &[]))
}

fn remove(notation: Notation, text: &str) -> Result<String, DocumentError> {
    edit(notation, text, AT, Change::Remove)
}

/// Files that people have: whatever is put in and taken out again leaves them as they were.
const JSON: &[&str] = &[
    "{\n  \"mcpServers\": {\n    \"other\": {\n      \"command\": \"x\"\n    }\n  }\n}\n",
    "{\n  // mine\n  \"theme\": \"dark\", // at night\n  \"mcpServers\": {\n    /* first */\n    \"other\": {\"command\": \"x\"},\n  },\n}\n",
    "{\"mcpServers\":{\"other\":{\"command\":\"x\"}},\"n\":1e400,\"big\":123456789012345678901234567890}",
    "{\r\n\t\"mcpServers\": {\r\n\t\t\"other\": { \"command\": \"x\" }\r\n\t}\r\n}\r\n",
    "\u{feff}{\n  \"mcpServers\": { \"other\": {} }\n}\n",
];

#[test]
fn json_keeps_comments_order_and_foreign_entries() {
    for text in JSON {
        let with = put(Notation::Json, text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let read_again = read(Notation::Json, &with).unwrap();
        assert_eq!(read_again["mcpServers"]["jitbit"], entry(), "{with}");
        for comment in ["// mine", "// at night", "/* first */"] {
            assert_eq!(text.contains(comment), with.contains(comment), "{with}");
        }
        assert_eq!(put(Notation::Json, &with).unwrap(), with, "a second time changes nothing");
        let without = remove(Notation::Json, &with).unwrap();
        assert_eq!(read(Notation::Json, &without), read(Notation::Json, text), "{without}");
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect::<String>();
        assert_eq!(squeezed(&without), squeezed(text));
    }
}

#[test]
fn a_new_file_and_an_empty_one_hold_the_entry_alone_and_then_nothing() {
    for text in ["", "\n", "{}", "{}\n", "{\n}\n"] {
        let with = put(Notation::Json, text).unwrap();
        assert_eq!(Value::Object(read(Notation::Json, &with).unwrap()), json!({"mcpServers": {"jitbit": entry()}}));
        assert!(is_bare(&remove(Notation::Json, &with).unwrap()), "{with}");
    }
    for notation in [Notation::Toml, Notation::Yaml] {
        let with = put(notation, "").unwrap();
        assert_eq!(Value::Object(read(notation, &with).unwrap()), json!({"mcpServers": {"jitbit": entry()}}));
        assert_eq!(remove(notation, &with).unwrap(), "");
    }
}

#[test]
fn what_can_not_be_read_is_left_alone_and_its_lines_are_not_shown() {
    for (notation, text) in [
        (Notation::Json, "{\"mcpServers\": {\"a\": \"s3cret\""),
        (Notation::Json, "{\"mcpServers\": {}} s3cret"),
        (Notation::Json, "{'mcpServers': {'a': 's3cret'}}"),
        (Notation::Json, "[\"s3cret\"]"),
        (Notation::Json, "// s3cret\n"),
        (Notation::Toml, "[mcpServers.a]\ntoken = \"s3cret\ncommand = 1\n"),
        (Notation::Toml, "a = 1\na = \"s3cret\"\n"),
        (Notation::Yaml, "mcpServers:\n  a: [s3cret\nb: {\n"),
        (Notation::Yaml, "- s3cret\n"),
    ] {
        let error = put(notation, text).unwrap_err();
        assert!(matches!(error, DocumentError::Unreadable(_)), "{text}: {error:?}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    for (notation, text) in [
        (Notation::Json, "{\"mcpServers\": [1]}"),
        (Notation::Toml, "mcpServers = 5\n"),
        (Notation::Yaml, "mcpServers: text\n"),
    ] {
        assert_eq!(put(notation, text), Err(DocumentError::NotAMap("mcpServers".to_owned())), "{text}");
    }
}

#[test]
fn toml_keeps_comments_and_foreign_tables() {
    for text in [
        "# mine\nmodel = \"m\" # best\n\n[mcp_servers.other] # theirs\ncommand = \"x\"\n\n[mcp_servers.other.env]\nA = \"b\"\n\n[tui]\nn = 1\n",
        "mcp_servers = { other = { command = \"x\" } }\n",
        "[mcp_servers]\n# none yet\n",
        "when = 2026-01-01T00:00:00Z\n",
    ] {
        let at = At { key: "mcp_servers", name: "jitbit" };
        let with = edit(Notation::Toml, text, at, Change::Put(&entry(), &[])).unwrap();
        assert_eq!(read(Notation::Toml, &with).unwrap()["mcp_servers"]["jitbit"], entry(), "{with}");
        for line in text.lines().filter(|line| line.contains('#')) {
            assert!(with.contains(line), "{with}");
        }
        assert_eq!(edit(Notation::Toml, &with, at, Change::Put(&entry(), &[])).unwrap(), with);
        let other = json!({"command": "elsewhere"});
        let replaced = edit(Notation::Toml, &with, at, Change::Put(&other, &[])).unwrap();
        assert_eq!(read(Notation::Toml, &replaced).unwrap()["mcp_servers"]["jitbit"], other);
        let without = edit(Notation::Toml, &replaced, at, Change::Remove).unwrap();
        let mut before = read(Notation::Toml, text).unwrap();
        // A table without servers is nothing.
        before.retain(|_, value| *value != json!({}));
        assert_eq!(read(Notation::Toml, &without).unwrap(), before, "{without}");
    }
}

#[test]
fn yaml_keeps_comments_and_foreign_entries() {
    for text in [
        "# mine\nGOOSE_MODEL: m\nmcpServers: # all\n  # first\n  other:\n    cmd: x # theirs\n    args:\n    - a\n\n# later\nlast: |\n  mcpServers:\n    kept: 1\n",
        "mcpServers:\n    other:\n        cmd: x\n    third: {cmd: y}\nz: 1\n",
        "a: 1\r\nmcpServers:\r\n  other:\r\n    cmd: x\r\n",
        "version: 1.2.1\ncache: true\n",
        "a: 1",
    ] {
        let with = put(Notation::Yaml, text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(read(Notation::Yaml, &with).unwrap()["mcpServers"]["jitbit"], entry(), "{with}");
        for line in text.lines() {
            assert!(with.lines().any(|kept| kept == line), "{line}: {with}");
        }
        assert_eq!(put(Notation::Yaml, &with).unwrap(), with);
        let without = remove(Notation::Yaml, &with).unwrap();
        assert_eq!(without.trim_end(), text.trim_end());
    }
    // An empty map is opened.
    let with = put(Notation::Yaml, "mcpServers: {} # none\nb: 1\n").unwrap();
    assert!(with.starts_with("mcpServers: # none\n  jitbit:\n"), "{with}");
    for text in
        ["mcpServers: {other: {cmd: x}}\n", "{mcpServers: {}}\n", "a: &x {b: 1}\n\"mcpServers\":\n  other: *x\n"]
    {
        assert_eq!(put(Notation::Yaml, text), Err(DocumentError::NotEditable), "{text}");
    }
}

#[test]
fn inputs_come_and_go_with_the_entry_that_refers_to_them() {
    let at = At { key: "servers", name: "jitbit" };
    let entry = json!({"type": "stdio", "env": {"JITBIT_TOKEN": "${input:jitbit_token}"}});
    let ours = json!({"type": "promptString", "id": "jitbit_token", "password": true});
    let foreign = "{\n  \"inputs\": [\n    // theirs\n    { \"id\": \"k\", \"type\": \"promptString\" }\n  ],\n  \"servers\": {\n    \"o\": { \"env\": { \"K\": \"${input:k}\" } }\n  }\n}\n";
    for text in ["", foreign] {
        let with = edit(Notation::Json, text, at, Change::Put(&entry, std::slice::from_ref(&ours))).unwrap();
        let read_again = read(Notation::Json, &with).unwrap();
        assert!(read_again["inputs"].as_array().unwrap().contains(&ours), "{with}");
        assert_eq!(with.contains("// theirs"), text.contains("// theirs"));
        let without = edit(Notation::Json, &with, at, Change::Remove).unwrap();
        assert_eq!(read(Notation::Json, &without), read(Notation::Json, text), "{without}");
    }
    // What another entry refers to stays.
    let shared = foreign.replace("\"k\"", "\"jitbit_token\"").replace("input:k}", "input:jitbit_token}");
    let with = edit(Notation::Json, &shared, at, Change::Put(&entry, &[ours])).unwrap();
    let without = edit(Notation::Json, &with, at, Change::Remove).unwrap();
    assert_eq!(read(Notation::Json, &without), read(Notation::Json, &shared));
}

//! Each kind of change in both directions, on catalogs of one or two small tools.

use serde_json::{Value, json};

use super::{Bump, ChangeKind, Comparison, Impact, compare, read_tools};
use ChangeKind::*;

/// A tool with something of everything.
fn tool() -> Value {
    json!({
        "name": "acme_close_ticket", "title": "Close a ticket", "description": "Close a ticket.", "effect": "write",
        "verb": "action", "risks": ["notifies"], "tags": ["tickets"], "aliases": ["closeTicket"],
        "annotations": {"readOnlyHint": false, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
        "inputSchema": {
            "type": "object", "additionalProperties": false, "required": ["id"],
            "properties": {
                "id": {"type": "integer", "minimum": 1, "description": "The ticket."},
                "reason": {"type": "string", "enum": ["done", "spam"], "maxLength": 20},
                "fields": {
                    "type": "object", "additionalProperties": {"type": "string"}, "required": ["kind"],
                    "properties": {"kind": {"type": ["string", "null"]}, "tags": {"type": "array", "items": {"type": "string"}}},
                },
                "either": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^#"}]},
            },
        },
        "unshown": [{"at": "/properties/fields", "keywords": {"maxProperties": 5}}],
        "calls": [{
            "api": "acme", "operation": "closeTicket", "method": "POST", "path": "/tickets/{id}/close", "scopes": [["write:tickets"]],
            "bindings": [
                {"argument": "id", "in": "path", "parameter": "id"},
                {"argument": "reason", "in": "property", "parameter": "reason", "default": "done"},
                {"argument": "fields", "in": "property", "parameter": "fields"},
                {"argument": "either", "in": "query", "parameter": "either"},
            ],
            "fixed": [{"in": "property", "parameter": "closed", "value": true}],
            "needsOneOf": ["reason", "fields"],
        }],
        "concise": ["id", "state"],
    })
}

fn catalog(tools: &[Value]) -> Vec<super::ToolFacts> {
    read_tools(&json!({"api": "acme", "vendor": "acme", "tools": tools}).to_string()).unwrap()
}

fn compared(old: &[Value], new: &[Value]) -> Comparison {
    compare(&catalog(old), &catalog(new))
}

/// The tool with the value at a pointer replaced, or taken away by `null`.
fn with(pointer: &str, value: Value) -> Value {
    let mut tool = tool();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match tool.pointer_mut(parent).unwrap() {
        Value::Object(entries) if value.is_null() => drop(entries.shift_remove(name)),
        Value::Object(entries) => drop(entries.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} leads nowhere"),
    }
    tool
}

fn kinds(comparison: &Comparison) -> Vec<(ChangeKind, &str)> {
    comparison.changes.iter().map(|change| (change.kind, change.at.as_str())).collect()
}

#[test]
fn a_catalog_does_not_differ_from_itself() {
    let same = compared(&[tool()], &[tool()]);
    assert!(same.changes.is_empty(), "{same:?}");
    assert_eq!((same.bump(), same.tokens.before), (Bump::None, same.tokens.after));
}

#[test]
fn each_kind_in_both_directions() {
    for (pointer, value, there, back) in [
        ("/effect", json!("read"), EffectLowered, EffectRaised),
        ("/effect", json!("destructive"), EffectRaised, EffectLowered),
        ("/effect", Value::Null, EffectWithdrawn, EffectStated),
        ("/risks", json!([]), RiskLowered, RiskRaised),
        ("/annotations/destructiveHint", json!(true), HintRaised, HintLowered),
        ("/annotations/readOnlyHint", json!(true), HintLowered, HintRaised),
        ("/tags", json!(["tickets", "core"]), TagAdded, TagRemoved),
        ("/verb", json!("update"), VerbChanged, VerbChanged),
        ("/aliases", json!([]), AliasRemoved, AliasAdded),
        ("/name", json!("acme_end_ticket"), ToolRenamed, ToolRenamed),
        ("/title", json!("Close"), Words, Words),
        ("/description", json!("End a ticket."), Words, Words),
        ("/phrases", json!(["stop work on it"]), Words, Words),
        ("/calls/0/returns", json!("file"), Words, AnswerChanged),
        ("/concise", json!(["id"]), AnswerChanged, AnswerChanged),
        ("/calls/0/operation", json!("closeIssue"), RequestChanged, RequestChanged),
        ("/calls/0/path", json!("/v2/tickets/{id}/close"), RequestChanged, RequestChanged),
        ("/calls/0/scopes", json!([]), ScopesLowered, ScopesRaised),
        ("/calls/0/scopes", json!([["write:tickets"], ["admin"]]), ScopesLowered, ScopesRaised),
        ("/calls/0/scopes", json!([["write:tickets", "admin"]]), ScopesRaised, ScopesLowered),
        ("/calls/0/needsOneOf", json!([]), ArgumentOptional, ArgumentRequired),
        ("/calls/0/needsOneOf", json!(["reason", "fields", "either"]), ArgumentOptional, ArgumentRequired),
        ("/calls/0/fixed", json!([]), RequestChanged, RequestChanged),
        ("/calls/0/answers", json!("adf"), AnswerChanged, AnswerChanged),
        ("/calls/0/when", json!({"argument": "reason", "equals": "done"}), OperationChanged, OperationChanged),
        ("/calls/0/newKey", json!(1), RequestChanged, RequestChanged),
        ("/newKey", json!(1), OtherChange, OtherChange),
    ] {
        check(pointer, value, (there, ""), (back, ""));
    }
}

#[test]
fn each_difference_of_an_argument_in_both_directions() {
    let p = "/inputSchema/properties";
    for (pointer, value, at, there, back) in [
        ("/either", Value::Null, "either", ArgumentRemoved, ArgumentAdded),
        ("/fields/properties/tags", Value::Null, "fields.tags", ArgumentNarrowed, ArgumentNarrowed),
        ("/id/type", json!("number"), "id", ArgumentWidened, ArgumentNarrowed),
        ("/id/type", json!("string"), "id", ArgumentNarrowed, ArgumentNarrowed),
        ("/id/minimum", json!(2), "id", ArgumentNarrowed, ArgumentWidened),
        ("/id/exclusiveMinimum", json!(true), "id", ArgumentNarrowed, ArgumentWidened),
        ("/id/minimum", Value::Null, "id", ArgumentWidened, ArgumentNarrowed),
        ("/id/description", json!("Another."), "id", Words, Words),
        ("/reason/enum", json!(["done"]), "reason", ArgumentNarrowed, ArgumentWidened),
        ("/reason/enum", Value::Null, "reason", ArgumentWidened, ArgumentNarrowed),
        ("/reason/maxLength", json!(10), "reason", ArgumentNarrowed, ArgumentWidened),
        ("/reason/pattern", json!("^d"), "reason", ArgumentNarrowed, ArgumentWidened),
        ("/reason/default", json!("done"), "reason", DefaultChanged, DefaultChanged),
        ("/fields/properties/kind/type", json!("string"), "fields.kind", ArgumentNarrowed, ArgumentWidened),
        ("/fields/properties/tags/items/type", json!("integer"), "fields.tags[]", ArgumentNarrowed, ArgumentNarrowed),
        ("/fields/required", json!([]), "fields.kind", ArgumentOptional, ArgumentRequired),
        ("/fields/additionalProperties", json!(false), "fields", ArgumentNarrowed, ArgumentWidened),
        ("/fields/additionalProperties", json!({"type": "integer"}), "fields.*", ArgumentNarrowed, ArgumentNarrowed),
        ("/either/anyOf", json!([{"type": "integer"}]), "either", ArgumentNarrowed, ArgumentWidened),
        ("/either/anyOf", Value::Null, "either", ArgumentWidened, ArgumentNarrowed),
        ("/either/anyOf/1", json!({"type": "string"}), "either", ArgumentWidened, ArgumentNarrowed),
        ("/id/keywordOfTomorrow", json!(1), "id", ArgumentNarrowed, ArgumentWidened),
    ] {
        check(&format!("{p}{pointer}"), value, (there, at), (back, at));
    }
    check("/inputSchema/required", json!([]), (ArgumentOptional, "id"), (ArgumentRequired, "id"));
    check("/inputSchema/required", json!(["id", "reason"]), (ArgumentRequired, "reason"), (ArgumentOptional, "reason"));
    check("/unshown/0/keywords/maxProperties", json!(3), (ArgumentNarrowed, "fields"), (ArgumentWidened, "fields"));
    check("/calls/0/bindings/1/default", json!("spam"), (DefaultChanged, "reason"), (DefaultChanged, "reason"));
    check("/calls/0/bindings/3/in", json!("header"), (RequestChanged, "either"), (RequestChanged, "either"));
}

fn check(pointer: &str, value: Value, there: (ChangeKind, &str), back: (ChangeKind, &str)) {
    let changed = with(pointer, value);
    assert_ne!(changed, tool(), "{pointer}: nothing is changed");
    assert_eq!(kinds(&compared(&[tool()], std::slice::from_ref(&changed))), [there], "{pointer} there");
    assert_eq!(kinds(&compared(&[changed], &[tool()])), [back], "{pointer} back");
}

#[test]
fn a_name_that_is_gone_is_guarded_and_an_alias_saves_it() {
    let gone = compared(&[tool()], &[]);
    assert_eq!(kinds(&gone), [(ToolRemoved, "")]);
    assert!(gone.changes[0].guarded && gone.bump() == Bump::Major, "{gone:?}");
    let renamed = with("/name", json!("acme_end_ticket"));
    let without = compared(&[tool()], std::slice::from_ref(&renamed));
    assert!(without.changes[0].guarded && without.changes[0].impact == Impact::Breaks, "{without:?}");
    let mut saved = renamed;
    saved["aliases"] = json!(["closeTicket", "acme_close_ticket"]);
    let with_alias = compared(&[tool()], &[saved]);
    assert_eq!(kinds(&with_alias), [(ToolRenamed, "")]);
    assert!(!with_alias.changes[0].guarded && with_alias.bump() == Bump::Minor, "{with_alias:?}");
    let added = compared(&[], &[tool()]);
    assert_eq!((kinds(&added), added.bump()), (vec![(ToolAdded, "")], Bump::Minor));
    assert!(!added.changes[0].guarded);
}

#[test]
fn a_name_that_leads_elsewhere_is_seen() {
    let mut other = with("/calls/0/operation", json!("deleteTicket"));
    other["calls"][0]["path"] = json!("/tickets/{id}");
    let found = compared(&[tool()], &[other]);
    assert!(found.changes.iter().any(|it| it.kind == OperationChanged && it.guarded), "{found:?}");
    // An alias that another tool takes over.
    let mut new_owner = with("/name", json!("acme_shut_ticket"));
    new_owner["calls"][0]["operation"] = json!("shutTicket");
    new_owner["calls"][0]["path"] = json!("/shut");
    let found = compared(&[tool()], &[with("/aliases", json!([])), new_owner]);
    assert!(found.changes.iter().any(|it| it.kind == OtherTool && it.guarded), "{found:?}");
}

#[test]
fn what_opens_a_tool_is_guarded() {
    for (pointer, before, after, guarded) in [
        ("/effect", json!("destructive"), json!("write"), true),
        ("/effect", json!("write"), json!("destructive"), false),
        ("/risks", json!(["irreversible"]), json!([]), true),
        ("/risks", json!(["sensitive"]), json!([]), false),
        ("/tags", json!(["experimental"]), json!([]), true),
        ("/tags", json!(["tickets"]), json!([]), false),
        ("/annotations/destructiveHint", json!(true), json!(false), true),
        ("/annotations/idempotentHint", json!(false), json!(true), false),
    ] {
        let found = compared(&[with(pointer, before)], &[with(pointer, after)]);
        assert_eq!(found.changes.len(), 1, "{found:?}");
        assert_eq!(found.changes[0].guarded, guarded, "{found:?}");
    }
}

#[test]
fn an_argument_of_another_name_for_the_same_place_is_renamed() {
    let mut new = tool();
    let schema = new["inputSchema"]["properties"].as_object_mut().unwrap();
    let id = schema.shift_remove("id").unwrap();
    schema.insert("ticketId".to_owned(), id);
    new["inputSchema"]["required"] = json!(["ticketId"]);
    new["calls"][0]["bindings"][0]["argument"] = json!("ticketId");
    let found = compared(&[tool()], &[new]);
    assert_eq!(kinds(&found), [(ArgumentRenamed, "id")]);
    assert_eq!(found.changes[0].text, "`id` → `ticketId`");
}

#[test]
fn what_is_no_tools_json_is_an_error() {
    for text in ["", "{}", "[1]", "{\"api\": \"a\", \"vendor\": \"a\"}", "{\"vendor\": \"a\", \"tools\": [{}]}"] {
        assert!(read_tools(text).is_err(), "{text}");
    }
    let unknown = json!({"vendor": "a", "tools": [{"name": "a", "effect": "harmless"}]}).to_string();
    assert!(read_tools(&unknown).unwrap_err().contains("harmless"));
}

#[test]
fn what_an_answer_is_counts_as_words_only_where_the_old_catalog_never_states_it() {
    let mut other = with("/calls/0/returns", json!("unstated"));
    other["name"] = json!("acme_other");
    other["aliases"] = json!([]);
    let file = with("/calls/0/returns", json!("file"));
    assert_eq!(kinds(&compared(&[tool()], std::slice::from_ref(&file))), [(Words, "")]);
    assert_eq!(kinds(&compared(&[tool(), other.clone()], &[file, other])), [(AnswerChanged, "")]);
}

//! A schema → words for what it accepts, for error messages.

use std::fmt::Write as _;

use serde_json::Value;

use super::given::short;
use super::schema::{items, properties, required};

/// The most names or values that are listed.
const MOST_LISTED: usize = 12;
/// The length of the line that names all arguments, about, in characters.
const SIGNATURE_WIDTH: usize = 560;

/// Returns what the schema accepts: `an integer from 1 to 100`.
pub(super) fn expected(schema: &Value) -> String {
    if *schema == Value::Bool(false) {
        return "nothing here".to_owned();
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", bare(value));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<String> = values.iter().map(bare).collect();
        return match values.as_slice() {
            [only] => format!("`{only}`"),
            _ => format!("one of {}", list(values.iter().map(String::as_str))),
        };
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => numeric("an integer", schema),
        Some("number") => numeric("a number", schema),
        Some("boolean") => "true or false".to_owned(),
        Some("string") => string(schema),
        Some("array") => array(schema),
        Some("object") => object(schema),
        Some("null") => "null".to_owned(),
        _ => "a value".to_owned(),
    }
}

/// Returns `, for example …` if the schema has an example worth a line.
pub(super) fn example(schema: &Value) -> String {
    if schema.get("enum").is_some() || schema.get("const").is_some() {
        return String::new();
    }
    let first = schema.get("examples").and_then(|all| all.get(0)).or_else(|| schema.get("example"));
    match first.map(bare) {
        Some(example) if example.chars().count() <= 80 => format!(", for example `{example}`"),
        _ => String::new(),
    }
}

/// Returns `one of the arguments …`, for a name that is none of them.
pub(super) fn one_of_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    match list(names) {
        names if names.is_empty() => "no arguments".to_owned(),
        names => format!("one of {names}"),
    }
}

/// Returns a value as a person would write it, shortened: text without quotes, else JSON.
pub(super) fn bare(value: &Value) -> String {
    short(&whole(value))
}

/// Returns a value as a person would write it, in full.
pub(super) fn whole(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns one line that names all arguments, required ones first: `valid arguments: query (string, required), …`.
pub(super) fn signature(schema: &Value) -> String {
    let Some(all) = properties(schema).filter(|all| !all.is_empty()) else {
        return "valid arguments: none".to_owned();
    };
    let needed = |name: &str| required(schema).any(|other| other == name);
    let (first, then): (Vec<_>, Vec<_>) = all.iter().partition(|(name, _)| needed(name));
    let mut line = "valid arguments: ".to_owned();
    for (index, (name, schema)) in first.into_iter().chain(then).enumerate() {
        let mut entry = format!("{} ({}", short(name), brief(schema));
        if needed(name) {
            entry.push_str(", required");
        }
        if let Some(default) = schema.get("default").filter(|default| !default.is_object() && !default.is_array()) {
            let _ = write!(entry, ", default {}", bare(default));
        }
        entry.push(')');
        if index > 0 && line.chars().count() + entry.chars().count() > SIGNATURE_WIDTH {
            let _ = write!(line, ", and {} more", all.len().saturating_sub(index));
            break;
        }
        line.push_str(if index > 0 { ", " } else { "" });
        line.push_str(&entry);
    }
    line
}

/// The type in a few characters: `integer 1-100`, `open|closed`, `array of date`.
fn brief(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let mut some: Vec<String> = values.iter().take(6).map(bare).collect();
        if values.len() > some.len() {
            some.push("…".to_owned());
        }
        return short(&some.join("|"));
    }
    let name = schema.get("type").and_then(Value::as_str).unwrap_or("any value");
    let bound = |keyword| schema.get(keyword).filter(|bound| bound.is_number());
    match name {
        "integer" | "number" => match (bound("minimum"), bound("maximum")) {
            (Some(low), Some(high)) if low.as_f64().is_some_and(|low| low >= 0.0) => {
                format!("{name} {low}-{high}")
            }
            (Some(low), Some(high)) => format!("{name} {low} to {high}"),
            (Some(low), None) => format!("{name} from {low}"),
            (None, Some(high)) => format!("{name} to {high}"),
            (None, None) => name.to_owned(),
        },
        "string" => match schema.get("format").and_then(Value::as_str) {
            Some(format @ ("date" | "date-time" | "email" | "uuid" | "uri")) => format.to_owned(),
            _ => name.to_owned(),
        },
        "array" => match items(schema) {
            Some(items) => short(&format!("array of {}", brief(items))),
            None => name.to_owned(),
        },
        name => name.to_owned(),
    }
}

/// Names or values in backticks, the first twelve of them.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{}`", short(name))).collect();
    let mut listed = names.iter().take(MOST_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more) = names.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        let _ = write!(listed, " and {more} more");
    }
    listed
}

fn numeric(noun: &str, schema: &Value) -> String {
    let bound = |keyword| schema.get(keyword).filter(|bound| bound.is_number());
    let mut text = noun.to_owned();
    let limits = match (bound("minimum"), bound("maximum")) {
        (Some(low), Some(high)) => format!(" from {low} to {high}"),
        (Some(low), None) => format!(" of at least {low}"),
        (None, Some(high)) => format!(" of at most {high}"),
        (None, None) => String::new(),
    };
    text.push_str(&limits);
    for (keyword, words) in
        [("exclusiveMinimum", "greater than"), ("exclusiveMaximum", "less than"), ("multipleOf", "a multiple of")]
    {
        if let Some(bound) = bound(keyword) {
            let comma = if text == noun && keyword != "multipleOf" { "" } else { "," };
            let _ = write!(text, "{comma} {words} {bound}");
        }
    }
    text
}

fn string(schema: &Value) -> String {
    let mut text = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "a date such as 2026-11-20".to_owned(),
        Some("date-time") => "a date and time such as 2026-11-20T09:30:00Z".to_owned(),
        Some("time") => "a time such as 09:30:00Z".to_owned(),
        Some("email") => "an email address".to_owned(),
        Some("uuid") => "a UUID such as 123e4567-e89b-12d3-a456-426614174000".to_owned(),
        Some("uri") => "a URL such as https://example.com/".to_owned(),
        Some("ipv4") => "an IPv4 address such as 192.0.2.1".to_owned(),
        Some("ipv6") => "an IPv6 address such as 2001:db8::1".to_owned(),
        // Named as in the schema; formats of numbers and secrets don't describe a text.
        Some(format @ ("hostname" | "duration" | "regex" | "uri-reference" | "json-pointer" | "iri")) => {
            format!("a string of format {format}")
        }
        _ => "a string".to_owned(),
    };
    text.push_str(&sized(schema, "minLength", "maxLength", "of", "character"));
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let _ = write!(text, " that matches `{}`", short(pattern));
    }
    text
}

fn array(schema: &Value) -> String {
    let mut text = "an array".to_owned();
    if let Some(items) = items(schema) {
        let (one, many) = match items.get("type").and_then(Value::as_str) {
            Some("integer") => ("an integer", "integers"),
            Some("number") => ("a number", "numbers"),
            Some("string") => ("a string", "strings"),
            Some("boolean") => ("true or false", "booleans"),
            Some("array") => ("", "arrays"),
            Some("object") => ("an object", "objects"),
            _ => ("a value", "values"),
        };
        let each = expected(items);
        let _ = write!(text, " of {many}");
        if each != one {
            let _ = write!(text, ", each {each}");
        }
    }
    text.push_str(&sized(schema, "minItems", "maxItems", ", with", "item"));
    if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
        text.push_str(", without repeated items");
    }
    text
}

fn object(schema: &Value) -> String {
    let mut text = "an object".to_owned();
    if let Some(all) = properties(schema).filter(|all| !all.is_empty()) {
        let _ = write!(text, " with {}", list(all.keys().map(String::as_str)));
        let needed: Vec<&str> = required(schema).collect();
        if !needed.is_empty() {
            let _ = write!(text, " (required: {})", list(needed.into_iter()));
        }
    }
    text.push_str(&sized(schema, "minProperties", "maxProperties", ", of", "property"));
    text
}

/// ` of at least 3 characters`, ` of 3 to 10 characters`; nothing if there is no limit.
fn sized(schema: &Value, minimum: &str, maximum: &str, before: &str, noun: &str) -> String {
    // A limit may be written `3.0`: shown as `3`.
    let limit = |keyword| schema.get(keyword).and_then(Value::as_f64).map(|limit| limit.to_string());
    let (amount, count) = match (limit(minimum).filter(|low| low != "0"), limit(maximum)) {
        (None, None) => return String::new(),
        (Some(low), None) => (format!("at least {low}"), low),
        (None, Some(high)) => (format!("at most {high}"), high),
        (Some(low), Some(high)) if low == high => (format!("exactly {high}"), high),
        (Some(low), Some(high)) => (format!("{low} to {high}"), high),
    };
    let space = if before.starts_with(',') { "" } else { " " };
    let noun = match noun {
        noun if count == "1" => noun.to_owned(),
        "property" => "properties".to_owned(),
        noun => format!("{noun}s"),
    };
    format!("{space}{before} {amount} {noun}")
}

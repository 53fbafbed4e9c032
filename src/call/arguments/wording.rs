//! A schema → words for what it accepts, for error messages.

use std::fmt::Write as _;

use serde_json::Value;
use toolwright_model::{suggest, truncate};

use super::convert;
use super::given::short;
use super::schema::{items, properties, required};

/// The most names or values that are listed. Below it a list is whole: a model takes what it reads for all there is.
const MOST_LISTED: usize = 60;
/// How many of a longer list are named as examples.
const EXAMPLES: usize = 12;
/// The longest description of an argument that is repeated, in characters.
const LONGEST_DESCRIPTION: usize = 200;
/// The longest list of values in the line that names all arguments, in characters.
const BRIEF_WIDTH: usize = 80;
/// The length of the line that names all arguments, about, in characters.
const SIGNATURE_WIDTH: usize = 560;

/// Returns what the schema accepts: `an integer from 1 to 100`. Of a list that is too long to be written out, the
/// values nearest to `given` are named.
pub(super) fn expected(schema: &Value, given: Option<&Value>) -> String {
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
            _ => format!("one of {}", list(values.iter().map(String::as_str), given.and_then(Value::as_str))),
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
pub(super) fn one_of_names<'a>(names: impl Iterator<Item = &'a str>, given: &str) -> String {
    match list(names, Some(given)) {
        names if names.is_empty() => "no arguments".to_owned(),
        names => format!("one of {names}"),
    }
}

/// Returns how one text that was given for a list is written as a list, where it could be one value
/// or several.
pub(super) fn how_to_list(schema: &Value, text: &str) -> String {
    const LONGEST: usize = 60;
    let text = text.trim();
    if text.is_empty() || text.starts_with(['[', '{']) || text.chars().count() > LONGEST {
        return String::new();
    }
    let one = Value::Array(vec![Value::from(text)]);
    match convert::proposed_list(schema, text) {
        Some(several) if several.as_array().is_some_and(|several| several.len() > 1) => {
            format!(", written as `{several}` for several values or `{one}` for one")
        }
        _ => String::new(),
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
        let all = values.iter().map(bare).collect::<Vec<_>>().join("|");
        return if all.chars().count() <= BRIEF_WIDTH { all } else { format!("one of {} values", values.len()) };
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

/// Names or values in backticks: all of them, or of a very long list those nearest to what was given and where the
/// others are.
fn list<'a>(names: impl Iterator<Item = &'a str>, given: Option<&str>) -> String {
    let names: Vec<&str> = names.collect();
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{}`", short(name))).collect::<Vec<_>>().join(", ");
    if names.len() <= MOST_LISTED {
        return quoted(&names);
    }
    let near = given.map(|given| suggest(given, names.iter().copied())).unwrap_or_default();
    let others = names.iter().copied().filter(|name| !near.contains(name));
    let examples: Vec<&str> = near.iter().copied().chain(others).take(EXAMPLES).collect();
    format!("{} values, such as {}; the tool's input schema lists all", names.len(), quoted(&examples))
}

/// Returns the beginning of a description that fits into a line, without the stop at its end.
pub(super) fn description(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    truncate(text.trim_end_matches('.'), LONGEST_DESCRIPTION).into_owned()
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
        Some("byte") => "base64 text such as aGVsbG8=".to_owned(),
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
    // A regular expression is no help in writing a value.
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        match digits(pattern) {
            Some(words) if text == "a string" => text = words,
            _ => text.push_str(" of the form that its description states"),
        }
    }
    text
}

/// Words for a pattern of so many digits and nothing else: `^[0-9]{6}$` is `6 digits`.
fn digits(pattern: &str) -> Option<String> {
    const KINDS: [(&str, &str); 6] = [
        ("[0-9]", "digits"),
        ("\\d", "digits"),
        ("[0-9a-f]", "hexadecimal digits"),
        ("[a-f0-9]", "hexadecimal digits"),
        ("[0-9a-fA-F]", "hexadecimal digits"),
        ("[a-fA-F0-9]", "hexadecimal digits"),
    ];
    let repeated = pattern.strip_prefix('^')?.strip_suffix("}$")?;
    let (kind, count) = repeated.split_once('{')?;
    let count: u32 = count.parse().ok()?;
    let (_, words) = KINDS.iter().find(|(class, _)| *class == kind)?;
    Some(format!("{count} {words}"))
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
        let each = expected(items, None);
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
        let _ = write!(text, " with {}", list(all.keys().map(String::as_str), None));
        let needed: Vec<&str> = required(schema).collect();
        if !needed.is_empty() {
            let _ = write!(text, " (required: {})", list(needed.into_iter(), None));
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

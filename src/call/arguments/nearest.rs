//! Finds the valid name or value nearest to what was given, if one is near enough to be what was meant.

use serde_json::Value;

use super::convert;

/// Longer texts are no typos, and comparing them would cost.
const LONGEST: usize = 100;

/// Returns the name nearest to the one given.
pub(super) fn name<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > LONGEST {
        return None;
    }
    let plain_given = plain(given);
    let words_given = words(given);
    let mut best: Option<(f64, &str)> = None;
    let mut parts = Vec::new();
    for name in names.filter(|name| name.len() <= LONGEST) {
        if let Some(score) = similarity(&plain_given, &plain(name))
            && best.is_none_or(|(other, _)| score > other)
        {
            best = Some((score, name));
        }
        let words = words(name);
        if words.ends_with(&words_given) || words_given.ends_with(&words) {
            parts.push(name);
        }
    }
    // `id` for `ticketId`, if no other argument ends so.
    best.map(|(_, name)| name).or(match parts.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

/// Returns the value nearest to the one given, for the caller to check against the schema.
pub(super) fn value(schema: &Value, given: &Value) -> Option<Value> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let text = given.as_str()?;
        return name(text, values.iter().filter_map(Value::as_str)).map(Value::from);
    }
    let wanted = schema.get("type").and_then(Value::as_str)?;
    // What the check saw: `"500"` was taken for 500.
    let taken = match given {
        Value::String(text) if text.len() <= LONGEST && matches!(wanted, "integer" | "number") => {
            convert::value(schema, given.clone())
        }
        Value::String(text) if text.len() > LONGEST => return None,
        Value::String(_) | Value::Number(_) => given.clone(),
        _ => return None,
    };
    match (wanted, &taken) {
        ("integer" | "number", Value::Number(number)) => {
            let given = number.as_f64()?;
            let bound = |keyword| schema.get(keyword).filter(|bound| bound.is_number());
            bound("minimum")
                .filter(|minimum| minimum.as_f64().is_some_and(|minimum| given < minimum))
                .or_else(|| bound("maximum").filter(|maximum| maximum.as_f64().is_some_and(|maximum| given > maximum)))
                .cloned()
        }
        ("array", Value::String(text)) if text.contains(',') => convert::listed(schema, text),
        ("string", Value::String(text)) => match schema.get("format").and_then(Value::as_str)? {
            "date" => text.split_once(['T', 't', ' ']).map(|(date, _)| Value::from(date)),
            "date-time" if text.contains(' ') => {
                let joined = text.trim().replacen(' ', "T", 1);
                Some(Value::from(if joined.ends_with(['Z', 'z']) { joined } else { joined + "Z" }))
            }
            "date-time" if text.contains('T') => Some(Value::from(format!("{text}Z"))),
            "date-time" => Some(Value::from(format!("{text}T00:00:00Z"))),
            _ => None,
        },
        _ => None,
    }
}

/// How alike two plain names are, if alike enough: 2 for the same but for case and underscores.
fn similarity(given: &str, name: &str) -> Option<f64> {
    if given.is_empty() || name.is_empty() {
        return None;
    }
    if given == name {
        return Some(2.0);
    }
    let edits = strsim::damerau_levenshtein(given, name);
    let allowed = match given.chars().count().max(name.chars().count()) {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    let likeness = strsim::jaro_winkler(given, name);
    (edits <= allowed || likeness >= 0.9).then_some(likeness)
}

/// The name in lower case, letters and digits only.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a name: `ticket_id` and `ticketId` are `ticket`, `id`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        let starts = !c.is_alphanumeric() || c.is_uppercase() && after_lower;
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    words
}

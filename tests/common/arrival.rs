//! Whether what was given as arguments arrived in a request.

use serde_json::Value;
use toolwright::sandbox::Recorded;

/// The values of a request, decoded.
pub(crate) struct Arrival {
    values: Vec<String>,
    whole: String,
}

impl Arrival {
    pub(crate) fn read(recorded: &Recorded) -> Self {
        let body = String::from_utf8_lossy(recorded.body.as_deref().unwrap_or_default()).into_owned();
        let query = url::form_urlencoded::parse(recorded.query.as_bytes());
        let mut values: Vec<String> = query.map(|(_, value)| value.into_owned()).collect();
        let json = recorded.headers.get("content-type").is_some_and(|kind| kind.contains("json"));
        match recorded.json().filter(|_| json) {
            Some(json) => scalars(&json, &mut values),
            None => values.extend(url::form_urlencoded::parse(body.as_bytes()).map(|(_, value)| value.into_owned())),
        }
        let path = percent_encoding::percent_decode_str(&recorded.path).decode_utf8_lossy();
        let headers: Vec<&str> = recorded.headers.values().map(String::as_str).collect();
        // A joined value is part of another.
        let whole = format!("{path}\n{}\n{}\n{body}", headers.join("\n"), values.join("\n"));
        Self { values, whole }
    }

    /// Returns the part of an argument that the request does not hold.
    pub(crate) fn misses(&self, argument: &Value) -> Option<String> {
        match argument {
            Value::Array(items) => items.iter().find_map(|item| self.misses(item)),
            // A file travels as its bytes, an object as JSON text or as fields of its own.
            Value::Object(file) if file.contains_key("content_base64") => {
                (!self.whole.contains("hello")).then(|| "the file".to_owned())
            }
            object @ Value::Object(entries) => {
                let as_text = self.values.contains(&object.to_string());
                entries.values().find_map(|entry| self.misses(entry)).filter(|_| !as_text)
            }
            Value::String(text) => {
                (!self.values.contains(text) && !self.whole.contains(text)).then(|| format!("`{text}`"))
            }
            scalar => {
                let text = scalar.to_string();
                (!self.values.contains(&text) && !self.whole.contains(&text)).then_some(text)
            }
        }
    }
}

fn scalars(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Object(entries) => entries.values().for_each(|entry| scalars(entry, found)),
        Value::Array(items) => items.iter().for_each(|item| scalars(item, found)),
        Value::String(text) => found.push(text.clone()),
        other => found.push(other.to_string()),
    }
}

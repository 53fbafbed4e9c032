//! Arguments by their place in the request → what a request is made of. What is left over is an error: it would be lost on
//! the way.

use percent_encoding::percent_decode;
use serde_json::{Map, Value};
use toolwright_model::Place;

use super::CallError;

/// The arguments of one call, by their place in the request and by the description's names.
#[derive(Debug, Default)]
pub struct Inputs {
    pub(super) path: Map<String, Value>,
    pub(super) query: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
    pub(super) cookies: Map<String, Value>,
    pub(super) body: Option<Value>,
}

impl Inputs {
    /// Inserts a value at its place.
    pub fn insert(&mut self, place: &Place, value: Value) {
        match place {
            Place::Path(name) => self.path.insert(name.clone(), value),
            Place::Query(name) => self.query.insert(name.clone(), value),
            Place::Header(name) => self.headers.insert(name.clone(), value),
            Place::Cookie(name) => self.cookies.insert(name.clone(), value),
            Place::Property(name) => self.properties().insert(name.clone(), value),
            Place::Properties => {
                let properties = self.properties();
                if let Value::Object(entries) = value {
                    for (name, entry) in entries {
                        // A property with an argument of its own keeps that argument's value.
                        properties.entry(name).or_insert(entry);
                    }
                }
                None
            }
            Place::Body => self.body.replace(value),
        };
    }

    /// The body so far.
    pub(crate) fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    fn properties(&mut self) -> &mut Map<String, Value> {
        let body = self.body.get_or_insert_with(|| Value::Object(Map::new()));
        if !body.is_object() {
            *body = Value::Object(Map::new());
        }
        body.as_object_mut().expect("made an object just now")
    }

    /// Takes the body.
    pub fn take_body(&mut self) -> Option<Value> {
        self.body.take()
    }

    /// Checks that every value was taken.
    ///
    /// # Errors
    /// One is left: the request would be sent without it.
    pub fn finish(&self) -> Result<(), CallError> {
        let of_parameters = [&self.path, &self.query, &self.headers, &self.cookies];
        let left = of_parameters.into_iter().flat_map(Map::keys).next().map(String::as_str);
        match left.or(self.body.as_ref().map(|_| "body")) {
            Some(name) => Err(CallError::Internal(format!("the operation does not take `{name}`"))),
            None => Ok(()),
        }
    }
}

/// The failure of a call without a value that the vendor demands.
pub(super) fn missing(name: &str) -> CallError {
    CallError::NotSent(format!("`{name}` is missing"))
}

/// Writes a value as the text of a path, a query or a form.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Refuses a `null`, which a form and an address can't say: as a text it would mean something else.
pub(super) fn refuse_null(name: &str, value: &Value) -> Result<(), CallError> {
    let null = match value {
        Value::Array(items) => items.iter().any(Value::is_null),
        value => value.is_null(),
    };
    if null {
        return Err(CallError::NotSent(format!("`{name}` is null, which can't be sent here: leave it out")));
    }
    Ok(())
}

/// Joins a list with `separator`; a scalar is a list of one.
pub(super) fn join(name: &str, value: &Value, separator: char) -> Result<String, CallError> {
    let items = match value {
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>(),
        scalar => return Ok(text(scalar)),
    };
    match items.iter().find(|item| item.contains(separator)) {
        Some(item) => Err(CallError::NotSent(format!(
            "`{name}`: `{item}` contains `{separator}`, which separates the values of the list"
        ))),
        None => Ok(items.join(&separator.to_string())),
    }
}

/// Refuses a path parameter that would not stay one segment of the path.
pub(super) fn check_segment(name: &str, segment: &str) -> Result<(), CallError> {
    match segment_fault(segment) {
        Some(wrong) => Err(CallError::NotSent(format!("path argument `{name}` {wrong}"))),
        None => Ok(()),
    }
}

/// Returns why a text would not stay one segment of a path.
///
/// It is sent encoded, but servers differ in what they do before they resolve dots: some decode a second time, some
/// decode slashes too, some take off what follows `;`. So a text is refused that leads elsewhere by any of these.
pub fn segment_fault(segment: &str) -> Option<&'static str> {
    /// How often a text is decoded: by two servers in a row, and by the one of them that does so twice.
    const MOST_DECODINGS: usize = 3;
    if segment.is_empty() {
        return Some("is empty");
    }
    let mut bytes = segment.as_bytes().to_vec();
    for _ in 0..=MOST_DECODINGS {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(fault) = decoded_fault(&text) {
            return Some(fault);
        }
        let decoded: Vec<u8> = percent_decode(&bytes).collect();
        if decoded == bytes {
            return None;
        }
        bytes = decoded;
    }
    Some("is encoded too often")
}

/// The same for one way to decode the text.
fn decoded_fault(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("is only spaces");
    }
    if text.contains('\\') {
        return Some("holds a backslash");
    }
    if text.chars().any(char::is_control) {
        return Some("holds a control character");
    }
    // Without its parameters, as Java servers read it.
    let mut names = text.split('/').map(|part| part.split(';').next().unwrap_or_default().trim());
    if names.clone().any(|name| matches!(name, "." | "..")) {
        return Some("would lead to another path");
    }
    names.all(str::is_empty).then_some("has no name before `;` or `/`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_argument_stays_one_segment_however_a_server_reads_it() {
        for climbs in [
            ".",
            "..",
            "..;",
            "..;a=b",
            ".;",
            ";",
            ";a=b",
            "%2e%2e",
            "%2E.",
            "%252e%252e",
            "%25252e.",
            "..%3b",
            "%2e%2e%3Ba",
            "..%253b",
            "a/../b",
            "a%2f..%2Fb",
            "a%252f..;x%252fb",
            "../x",
            "x/..",
            "x/.. ",
            ".. ;",
            " .. ",
            "/",
            "%2f",
            "a\\..",
            "a%5c..",
            "a%00",
            "%09",
            "%25252525252525",
        ] {
            assert!(segment_fault(climbs).is_some(), "{climbs}");
        }
        for stays in [
            "7",
            "A-1",
            "...",
            "..a",
            "a..",
            "a;b",
            "a;..",
            "50%",
            "%zz",
            "a%20b",
            "x.y",
            "user@example.com",
            "a/b",
            "ü日",
            "100%25",
        ] {
            assert_eq!(segment_fault(stays), None, "{stays}");
        }
    }
}

//! A `$ref` → the JSON pointer that it means, and what stands there in the raw description. The
//! only place that takes a reference apart.

use std::borrow::Cow;

use serde_json::Value;

/// The key of a reference.
pub const REF: &str = "$ref";

/// More references than this one after the other are a circle.
pub const LONGEST_CHAIN: usize = 16;

/// Returns the reference of a JSON value that is one.
pub fn reference_of(value: &Value) -> Option<&str> {
    value.get(REF).and_then(Value::as_str)
}

/// Returns the JSON pointer that a reference means; `None` if it leads out of the file. A reference
/// is a URI, so that a pointer in it may be percent-encoded.
pub fn pointer_of(reference: &str) -> Option<Cow<'_, str>> {
    let pointer = reference.strip_prefix('#')?;
    if !pointer.contains('%') {
        return Some(Cow::Borrowed(pointer));
    }
    Some(percent_decoded(pointer).map_or(Cow::Borrowed(pointer), Cow::Owned))
}

/// Returns what a reference leads to in the raw description.
pub fn raw_target<'d>(document: &'d Value, reference: &str) -> Option<&'d Value> {
    document.pointer(&pointer_of(reference)?).or_else(|| document.pointer(reference.strip_prefix('#')?))
}

/// Decodes `%XX`; `None` where that gives no text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            decoded.push(digit()? * 16 + digit()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// Returns what is left of `pointer` below `prefix`: empty, or starting with a slash.
pub fn below<'a>(pointer: &'a str, prefix: &str) -> Option<&'a str> {
    pointer.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Escapes a key for a JSON pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_pointers() {
        for (reference, pointer) in [
            ("#/components/schemas/User", Some("/components/schemas/User")),
            ("#/paths/~1a~1%7Bid%7D/get", Some("/paths/~1a~1{id}/get")),
            ("#/components/schemas/100%", Some("/components/schemas/100%")),
            ("#", Some("")),
            ("common.yaml#/User", None),
        ] {
            assert_eq!(pointer_of(reference).as_deref(), pointer, "{reference}");
        }
    }
}

//! An e-mail address → the same, without spaces around it. Whether it exists is the vendor's to find out.

use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::error::{FormatError, short};
use crate::format::{Format, WriteFuture, written};
use crate::{FormatContext, schema};

const EXPECTED: &str = "an email address such as anna@example.com";

pub(crate) struct Email;

impl Format for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn summary(&self) -> &'static str {
        "An e-mail address → the same; anything else is refused."
    }

    fn of_items(&self) -> bool {
        true
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        schema::is_text(schema).then_some(()).ok_or("a text")
    }

    fn samples(&self, _: &Formatted, argument_type: &str) -> Vec<Value> {
        match argument_type {
            "array" => vec![json!(["anna@example.com", "bo.lind+it@mail.example.org"])],
            _ => vec![json!("anna@example.com"), json!("bo.lind+it@mail.example.org")],
        }
    }

    fn splits_at(&self, _: &Formatted, separator: char) -> bool {
        separator == ',' || separator == ' '
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        _: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(checked(&value))
    }
}

fn checked(value: &Value) -> Result<Value, FormatError> {
    let Some(given) = value.as_str() else {
        return Err(FormatError::new(EXPECTED, short(&value.to_string())));
    };
    let text = given.trim();
    if is_address(text) {
        return Ok(Value::from(text));
    }
    // As mail programs write it: `Anna Lind <anna@example.com>`.
    let inner = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map(|(_, inner)| inner.trim());
    let suggestion = inner.filter(|inner| is_address(inner)).map(str::to_owned);
    Err(FormatError { suggestion, ..FormatError::new(EXPECTED, short(given)) })
}

/// One `@` between a name and a domain, in which nothing separates addresses.
fn is_address(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@<>()[],;:\\\"".contains(c);
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for given in ["anna@example.com", " a.b+c@mail.example.org ", "root@localhost", "jürgen@bücher.example"] {
            assert_eq!(checked(&json!(given)), Ok(json!(given.trim())), "{given}");
        }
        for given in ["", " ", "anna", "anna@", "@example.com", "a b@c.example", "a@b@c", "a@b,c@d", "a@-b", "a@b..c"] {
            let error = checked(&json!(given)).unwrap_err();
            assert_eq!((error.expected.as_str(), error.suggestion), (EXPECTED, None), "{given}");
        }
        let named = checked(&json!("Anna Lind <anna@example.com>")).unwrap_err();
        assert_eq!(named.suggestion.as_deref(), Some("anna@example.com"));
    }
}

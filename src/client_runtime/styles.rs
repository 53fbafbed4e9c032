//! Values → their text in an address, a header, cookies or a form, in the style of the description.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value};
use toolwright_model::{Location, Parameter, QueryStyle};

use super::inputs::{join, missing, refuse_null, text};
use super::{CallError, Inputs};

/// What of a cookie is written otherwise: what no cookie may hold (RFC 6265), but for the comma that separates the values
/// of a list and that servers take, and the sign of what is written otherwise.
const ENCODED_IN_COOKIES: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b';').add(b'\\');

/// Takes the parameters of the query.
///
/// # Errors
/// One that is demanded is missing, or a value can't be written.
pub(super) fn query_pairs(parameters: &[Parameter], inputs: &mut Inputs) -> Result<Vec<(String, String)>, CallError> {
    pairs(parameters, Location::Query, &mut inputs.query)
}

/// Takes the cookies, as the value of their header; `None` where there are none.
///
/// # Errors
/// As [`query_pairs`].
pub(super) fn cookies(parameters: &[Parameter], inputs: &mut Inputs) -> Result<Option<String>, CallError> {
    let pairs = pairs(parameters, Location::Cookie, &mut inputs.cookies)?;
    let written = |text: &str| utf8_percent_encode(text, ENCODED_IN_COOKIES).to_string();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", written(name), written(value))).collect();
    Ok((!pairs.is_empty()).then(|| pairs.join("; ")))
}

/// Takes the parameters of one place, written as names and values.
fn pairs(
    parameters: &[Parameter],
    place: Location,
    inputs: &mut Map<String, Value>,
) -> Result<Vec<(String, String)>, CallError> {
    let mut pairs = Vec::new();
    for parameter in parameters.iter().filter(|parameter| parameter.location == place) {
        let name = &parameter.name;
        match (parameter.style, inputs.shift_remove(name)) {
            (_, None) if parameter.required => return Err(missing(name)),
            (_, None) => {}
            // `form` with `explode`: the entries are parameters of their own.
            (QueryStyle::Repeated, Some(Value::Object(entries))) => {
                pairs.extend(entries.iter().map(|(key, entry)| (key.clone(), text(entry))));
            }
            (style, Some(value)) => pairs.extend(styled(name, style, value)?),
        }
    }
    Ok(pairs)
}

/// A value of `style: simple`: a list is joined with commas, which no value may contain. Each is
/// written by `write`.
///
/// # Errors
/// It is null, or a value of the list contains a comma.
pub(super) fn simple(name: &str, value: &Value, write: impl Fn(&Value) -> String) -> Result<String, CallError> {
    refuse_null(name, value)?;
    let Value::Array(items) = value else { return Ok(write(value)) };
    let written: Vec<String> = items.iter().map(write).collect();
    match written.iter().find(|item| item.contains(',')) {
        Some(item) => {
            Err(CallError::NotSent(format!("`{name}`: `{item}` contains `,`, which separates the values of the list")))
        }
        None => Ok(written.join(",")),
    }
}

/// Writes a value in the style of its description.
fn styled(name: &str, style: QueryStyle, value: Value) -> Result<Vec<(String, String)>, CallError> {
    if style != QueryStyle::Json {
        refuse_null(name, &value)?;
    }
    Ok(match (style, value) {
        (QueryStyle::Json, value) => vec![(name.to_owned(), value.to_string())],
        (QueryStyle::DeepObject, Value::Object(entries)) => deep(name, &entries),
        (QueryStyle::Brackets, value) => bracketed(name, &value)?,
        (QueryStyle::Joined(separator), Value::Object(entries)) => {
            let flat = entries.into_iter().flat_map(|(key, entry)| [Value::String(key), entry]).collect();
            vec![(name.to_owned(), join(name, &Value::Array(flat), separator)?)]
        }
        (QueryStyle::Joined(separator), value) => vec![(name.to_owned(), join(name, &value, separator)?)],
        (_, value) => form_field(name, value),
    })
}

/// `name[key]=value`, also for nested objects; a list repeats its name.
fn deep(name: &str, entries: &Map<String, Value>) -> Vec<(String, String)> {
    let pairs = entries.iter().map(|(key, entry)| {
        let name = format!("{name}[{key}]");
        match entry {
            Value::Object(inner) => deep(&name, inner),
            entry => form_field(&name, entry.clone()),
        }
    });
    pairs.flatten().collect()
}

/// `name[key]=value` and `name[0]=value`, however deep.
fn bracketed(name: &str, value: &Value) -> Result<Vec<(String, String)>, CallError> {
    refuse_null(name, value)?;
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(entries) => entries.iter().map(|(key, entry)| (format!("{name}[{key}]"), entry)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (format!("{name}[{index}]"), item)).collect()
        }
        scalar => return Ok(vec![(name.to_owned(), text(scalar))]),
    };
    let written: Result<Vec<_>, CallError> = parts.into_iter().map(|(name, part)| bracketed(&name, part)).collect();
    Ok(written?.into_iter().flatten().collect())
}

/// A list repeats its name; an object is sent as JSON text.
fn form_field(name: &str, value: Value) -> Vec<(String, String)> {
    match value {
        Value::Array(items) => items.iter().map(|item| (name.to_owned(), text(item))).collect(),
        other => vec![(name.to_owned(), text(&other))],
    }
}

/// Writes a body as the fields of a form. A field of no stated style is written as `form` with `explode`.
///
/// # Errors
/// The body is no object, or a value can't be written.
pub(super) fn form_pairs(
    body: Option<Value>,
    styles: &[(String, QueryStyle)],
) -> Result<Vec<(String, String)>, CallError> {
    let fields = match body {
        None => return Ok(Vec::new()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(CallError::NotSent("the body of a form must be an object".to_owned())),
    };
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let stated = styles.iter().find(|(known, _)| *known == name);
        pairs.extend(styled(&name, stated.map_or(QueryStyle::default(), |(_, style)| *style), value)?);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client_runtime::Place;

    #[test]
    fn cookies_hold_only_what_a_cookie_may() {
        let parameter = |name: &str, required: bool, style: QueryStyle| Parameter {
            name: name.to_owned(),
            location: Location::Cookie,
            required,
            style,
        };
        let parameters = [
            parameter("region", true, QueryStyle::Repeated),
            parameter("note", false, QueryStyle::Repeated),
            parameter("ids", false, QueryStyle::Joined(',')),
            parameter("tags", false, QueryStyle::Repeated),
            parameter("filter", false, QueryStyle::Json),
        ];
        let written = |given: &[(&str, Value)]| {
            let mut inputs = Inputs::default();
            for (name, value) in given {
                inputs.insert(&Place::Cookie((*name).to_owned()), value.clone());
            }
            let cookies = cookies(&parameters, &mut inputs).map_err(|error| error.to_string())?;
            inputs.finish().map_err(|error| error.to_string())?;
            Ok::<_, String>(cookies.unwrap_or_default())
        };
        assert_eq!(written(&[("region", json!("eu"))]), Ok("region=eu".to_owned()));
        let all = [
            ("region", json!("eu")),
            ("note", json!("50 % off; \"ü\"\r\n")),
            ("ids", json!([1, 2])),
            ("tags", json!(["a", "b"])),
            ("filter", json!({"a": 1})),
        ];
        let expected =
            "region=eu; note=50%20%25%20off%3B%20%22%C3%BC%22%0D%0A; ids=1,2; tags=a; tags=b; filter={%22a%22:1}";
        assert_eq!(written(&all), Ok(expected.to_owned()));
        assert!(written(&[]).unwrap_err().contains("`region` is missing"));
        assert!(written(&[("region", json!("eu")), ("other", json!(1))]).unwrap_err().contains("`other`"));
        assert!(written(&[("region", Value::Null)]).unwrap_err().contains("null"));
    }
}

//! Text of paths, queries, headers and forms → JSON values, by the serialisation styles of OpenAPI.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};

use hyper::HeaderMap;

use super::schema::ValueShape;

/// The value of `style`.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum ParameterStyle {
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
    Simple,
    Label,
    Matrix,
    /// A word that OpenAPI 3.0 does not know.
    #[serde(other)]
    Unknown,
}

/// How a value becomes text.
#[derive(Clone, Copy)]
pub(super) struct Serialisation {
    pub(super) style: ParameterStyle,
    pub(super) explode: bool,
}

/// One `key=value` of a query or a form.
pub(super) struct EncodedPair<'a> {
    pub(super) key: Cow<'a, str>,
    /// Still encoded, because a separator counts only where it is not.
    raw: &'a str,
    pub(super) text: Cow<'a, str>,
    /// Whether a parameter has consumed it.
    pub(super) used: bool,
}

/// Returns the pairs of a query or an urlencoded form, and the pieces that are not UTF-8.
pub(super) fn pairs(encoded: &str) -> (Vec<EncodedPair<'_>>, Vec<&str>) {
    let (mut pairs, mut broken) = (Vec::new(), Vec::new());
    for piece in encoded.split('&').filter(|piece| !piece.is_empty()) {
        let (key, raw) = piece.split_once('=').unwrap_or((piece, ""));
        match (form_decoded(key), form_decoded(raw)) {
            (Some(key), Some(text)) => pairs.push(EncodedPair { key, raw, text, used: false }),
            _ => broken.push(piece),
        }
    }
    (pairs, broken)
}

/// Returns the pairs of a `Cookie` header.
pub(super) fn cookies(header: &str) -> Vec<EncodedPair<'_>> {
    header
        .split(';')
        .filter_map(|piece| piece.trim().split_once('='))
        .map(|(key, raw)| EncodedPair { key: key.into(), raw, text: decoded(raw).unwrap_or(raw.into()), used: false })
        .collect()
}

/// Decodes `%XX`; `None` if the bytes are not UTF-8.
pub(super) fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(raw).decode_utf8().ok()
}

fn form_decoded(raw: &str) -> Option<Cow<'_, str>> {
    if raw.contains('+') {
        return Some(Cow::Owned(decoded(&raw.replace('+', " "))?.into_owned()));
    }
    decoded(raw)
}

/// Takes the parameter `name` out of the pairs; `None` if it is not there.
///
/// # Errors
/// The reason why it is not written in its style; values are checked by the schema.
pub(super) fn take(
    pairs: &mut [EncodedPair<'_>],
    name: &str,
    how: Serialisation,
    shape: &ValueShape,
) -> Result<Option<Value>, String> {
    if how.style == ParameterStyle::DeepObject && (shape.is_object() || shape.is_array()) {
        return take_deep(pairs, name, shape);
    }
    if how.style == ParameterStyle::Form && how.explode && shape.is_object() && !shape.is_array() {
        return Ok(take_spread(pairs, shape));
    }
    let mut found: Vec<&EncodedPair<'_>> = Vec::new();
    for pair in pairs.iter_mut().filter(|pair| pair.key == name) {
        pair.used = true;
        found.push(pair);
    }
    let Some(first) = found.first() else {
        return Ok(None);
    };
    if shape.is_array() && how.explode {
        return Ok(Some(found.iter().map(|pair| shape.items().scalar(&pair.text)).collect()));
    }
    if found.len() > 1 {
        if shape.is_any() {
            return Ok(Some(found.iter().map(|pair| shape.scalar(&pair.text)).collect()));
        }
        let times = found.len();
        return Err(if shape.is_array() {
            format!("is repeated {times} times, but takes its values joined in one")
        } else {
            format!("is repeated {times} times, but takes one value")
        });
    }
    if !shape.is_array() && !shape.is_object() {
        return Ok(Some(shape.scalar(&first.text)));
    }
    let pieces = pieces(first, how.style);
    if shape.is_array() {
        return Ok(Some(pieces.iter().map(|piece| shape.items().scalar(piece)).collect()));
    }
    alternating(&pieces, shape).map(Some)
}

/// Takes every pair that is left, for an object that takes any property.
pub(super) fn take_rest(pairs: &mut [EncodedPair<'_>], shape: &ValueShape, into: &mut Map<String, Value>) {
    for pair in pairs.iter_mut().filter(|pair| !pair.used) {
        pair.used = true;
        into.insert(pair.key.to_string(), shape.property(&pair.key).scalar(&pair.text));
    }
}

/// Reads `name[a]=1&name[b][0]=2`, however deep. A list has numbers, `[]`, or the same key again; where a scalar is one
/// of the alternatives, it has the plain name.
fn take_deep(pairs: &mut [EncodedPair<'_>], name: &str, shape: &ValueShape) -> Result<Option<Value>, String> {
    let mut found: Option<Value> = None;
    let mut plain: Option<Value> = None;
    for pair in &mut *pairs {
        let Some(rest) = pair.key.strip_prefix(name) else { continue };
        if rest.is_empty() {
            pair.used = true;
            plain = Some(shape.scalar(&pair.text));
            continue;
        }
        let Some(steps) = steps(rest) else { continue };
        pair.used = true;
        insert(&mut found, &steps, &pair.text, shape).map_err(|problem| format!("{problem} at `{}`", pair.key))?;
    }
    match (plain, found) {
        (Some(value), None) if shape.takes_scalar() => Ok(Some(value)),
        (Some(_), _) => Err(format!("is an object and must be written `{name}[key]=value`")),
        (None, found) => Ok(found),
    }
}

/// `[a][0]` → `a`, `0`.
fn steps(brackets: &str) -> Option<Vec<&str>> {
    let inner = brackets.strip_prefix('[')?.strip_suffix(']')?;
    Some(inner.split("][").collect())
}

/// Inserts a text at its place below `value`.
fn insert(value: &mut Option<Value>, steps: &[&str], text: &str, shape: &ValueShape) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        return match value {
            None if shape.is_array() => {
                *value = Some(Value::Array(vec![shape.items().scalar(text)]));
                Ok(())
            }
            None => {
                *value = Some(shape.scalar(text));
                Ok(())
            }
            Some(Value::Array(items)) => {
                items.push(shape.items().scalar(text));
                Ok(())
            }
            Some(_) => Err("repeats what takes one value".to_owned()),
        };
    };
    let as_list = shape.is_array() && (step.is_empty() || step.parse::<usize>().is_ok());
    if as_list {
        let Value::Array(items) = value.get_or_insert_with(|| Value::Array(Vec::new())) else {
            return Err("is a list and a value".to_owned());
        };
        let index = step.parse::<usize>().unwrap_or(items.len());
        if let Some(slot) = items.get_mut(index) {
            let mut item = Some(slot.take());
            insert(&mut item, rest, text, shape.items())?;
            *slot = item.unwrap_or_default();
            return Ok(());
        }
        if index > items.len() {
            return Err("leaves out a number".to_owned());
        }
        let mut item = None;
        insert(&mut item, rest, text, shape.items())?;
        items.extend(item);
        return Ok(());
    }
    if shape.is_array() && !shape.is_object() {
        return Err("is a list, whose values have numbers".to_owned());
    }
    let Value::Object(entries) = value.get_or_insert_with(|| Value::Object(Map::new())) else {
        return Err("is an object and a value".to_owned());
    };
    let mut entry = entries.shift_remove(*step);
    insert(&mut entry, rest, text, shape.property(step))?;
    entries.extend(entry.map(|entry| ((*step).to_owned(), entry)));
    Ok(())
}

/// Reads an exploded object: each property is a key of the query.
fn take_spread(pairs: &mut [EncodedPair<'_>], shape: &ValueShape) -> Option<Value> {
    let mut object = Map::new();
    for name in shape.property_names() {
        for pair in pairs.iter_mut().filter(|pair| !pair.used && pair.key == name) {
            pair.used = true;
            object.insert(name.to_owned(), shape.property(name).scalar(&pair.text));
        }
    }
    (!object.is_empty()).then_some(Value::Object(object))
}

/// Splits a joined value. A percent-encoded separator counts only where no plain one occurs: encoders differ in
/// whether they encode it, and most servers decode first.
fn pieces<'a>(pair: &'a EncodedPair<'_>, style: ParameterStyle) -> Vec<Cow<'a, str>> {
    let separator = match style {
        ParameterStyle::SpaceDelimited => ' ',
        ParameterStyle::PipeDelimited => '|',
        _ => ',',
    };
    if pair.text.is_empty() {
        return Vec::new();
    }
    if pair.raw.contains(separator) {
        // An ASCII separator never splits a UTF-8 character, so each piece decodes as the whole did.
        return pair.raw.split(separator).map(|piece| form_decoded(piece).unwrap_or_default()).collect();
    }
    pair.text.split(separator).map(Cow::Borrowed).collect()
}

/// Reads `key,value,key,value`.
fn alternating(pieces: &[Cow<'_, str>], shape: &ValueShape) -> Result<Value, String> {
    let (couples, rest) = pieces.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("is an object and must be written `key,value,key,value`".to_owned());
    }
    Ok(couples.iter().map(|[key, value]| (key.to_string(), shape.property(key).scalar(value))).collect())
}

/// Reads a path segment or a header; `raw` is percent-encoded in a path and plain in a header.
///
/// # Errors
/// The reason why it is not written in its style.
pub(super) fn segment(
    raw: &str,
    name: &str,
    how: Serialisation,
    shape: &ValueShape,
    percent_encoded: bool,
) -> Result<Value, String> {
    let plain = |text: &str| -> Result<String, String> {
        if !percent_encoded {
            return Ok(text.trim().to_owned());
        }
        Ok(decoded(text).ok_or("is not UTF-8 after percent-decoding")?.into_owned())
    };
    let matrix = format!(";{name}=");
    let (raw, separator) = match how.style {
        ParameterStyle::Label => {
            (raw.strip_prefix('.').ok_or("must begin with `.`")?, if how.explode { "." } else { "," })
        }
        ParameterStyle::Matrix => {
            let rest = raw.strip_prefix(&matrix).ok_or_else(|| format!("must begin with `{matrix}`"))?;
            (rest, if how.explode { matrix.as_str() } else { "," })
        }
        _ => (raw, ","),
    };
    if !shape.is_array() && !shape.is_object() {
        return plain(raw).map(|text| shape.scalar(&text));
    }
    let pieces = raw.split(separator).filter(|piece| !piece.is_empty());
    if shape.is_array() {
        return pieces.map(|piece| plain(piece).map(|text| shape.items().scalar(&text))).collect();
    }
    let mut texts: Vec<Cow<'_, str>> = Vec::new();
    for piece in pieces {
        if how.explode {
            let (key, value) = piece.split_once('=').ok_or("is an object and must be written `key=value,key=value`")?;
            texts.push(plain(key)?.into());
            texts.push(plain(value)?.into());
        } else {
            texts.push(plain(piece)?.into());
        }
    }
    alternating(&texts, shape)
}

/// Returns the text of a header, repeated lines joined by commas.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    let mut lines = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = lines.next()?;
    Some(lines.fold(first, |all, line| Cow::Owned(format!("{all}, {line}"))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::schema::TableSchema;

    /// Takes `x` out of a query; the expectation is the value as JSON, empty if it is absent.
    fn check(style: &str, explode: bool, schema: &Value, query: &str, expected: Result<&str, &str>) {
        let style: ParameterStyle = serde_json::from_value(json!(style)).expect("known style");
        let schema: TableSchema = serde_json::from_value(schema.clone()).expect("any value is a schema");
        let (mut pairs, broken) = pairs(query);
        assert!(broken.is_empty());
        let how = Serialisation { style, explode };
        let found = take(&mut pairs, "x", how, schema.shape());
        let found = found.map(|value| value.map(|value| value.to_string()).unwrap_or_default());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{query}");
    }

    #[test]
    fn arrays_are_read_by_style() {
        let strings = json!({"type": "array", "items": {"type": "string"}});
        let numbers = json!({"type": "array", "items": {"type": "integer"}});
        let repeated = "is repeated 2 times, but takes its values joined in one";
        for (style, explode, schema, query, expected) in [
            ("form", true, &numbers, "x=1&x=2", Ok("[1,2]")),
            ("form", true, &strings, "x=a,b", Ok(r#"["a,b"]"#)),
            ("form", true, &strings, "y=1", Ok("")),
            ("form", false, &numbers, "x=1,2", Ok("[1,2]")),
            ("form", false, &numbers, "x=1%2C2", Ok("[1,2]")),
            ("form", false, &strings, "x=a%2Cb,c", Ok(r#"["a,b","c"]"#)),
            ("form", false, &strings, "x=", Ok("[]")),
            ("form", false, &numbers, "x=1&x=2", Err(repeated)),
            ("spaceDelimited", false, &numbers, "x=1%202+3", Ok("[1,2,3]")),
            ("pipeDelimited", false, &numbers, "x=1|2", Ok("[1,2]")),
            ("pipeDelimited", false, &numbers, "x=1%7C2", Ok("[1,2]")),
            ("deepObject", true, &numbers, "x[0]=1&x[1]=2", Ok("[1,2]")),
            ("deepObject", true, &numbers, "x[]=1&x[]=2", Ok("[1,2]")),
            ("deepObject", true, &numbers, "x[0]=1&x[2]=2", Err("leaves out a number at `x[2]`")),
            ("deepObject", true, &numbers, "x[a]=1", Err("is a list, whose values have numbers at `x[a]`")),
        ] {
            check(style, explode, schema, query, expected);
        }
    }

    #[test]
    fn objects_are_read_by_style() {
        let object = json!({
            "type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        });
        let both = r#"{"a":1,"b":"2"}"#;
        let odd = "is an object and must be written `key,value,key,value`";
        let plain = "is an object and must be written `x[key]=value`";
        let twice = "repeats what takes one value at `x[a]`";
        for (style, explode, query, expected) in [
            ("form", true, "a=1&b=2", Ok(both)),
            ("form", false, "x=a,1,b,2", Ok(both)),
            ("form", false, "x=a,1,b", Err(odd)),
            ("deepObject", true, "x[a]=1&x%5Bb%5D=2", Ok(both)),
            ("deepObject", true, "x=1", Err(plain)),
            ("deepObject", true, "x[a]=1&x[a]=2", Err(twice)),
            ("deepObject", true, "x[c][d]=1&x[c][e]=2", Ok(r#"{"c":{"d":"1","e":"2"}}"#)),
        ] {
            check(style, explode, &object, query, expected);
        }
    }

    #[test]
    fn segments_are_decoded_once() {
        let strings = json!({"type": "array", "items": {"type": "string"}});
        let cases = [
            ("simple", json!({"type": "string"}), "a%252Fb+c", Ok(json!("a%2Fb+c"))),
            ("simple", json!({"type": "integer"}), "12", Ok(json!(12))),
            ("simple", strings.clone(), "a,b%2Cc", Ok(json!(["a", "b,c"]))),
            ("simple", json!({"type": "string"}), "%ff", Err("is not UTF-8 after percent-decoding")),
            ("label", strings.clone(), ".a,b", Ok(json!(["a", "b"]))),
            ("matrix", strings, ";x=a,b", Ok(json!(["a", "b"]))),
            ("matrix", json!({"type": "string"}), "a", Err("must begin with `;x=`")),
        ];
        for (style, schema, raw, expected) in cases {
            let style: ParameterStyle = serde_json::from_value(json!(style)).expect("known style");
            let schema: TableSchema = serde_json::from_value(schema).expect("any value is a schema");
            let found = segment(raw, "x", Serialisation { style, explode: false }, schema.shape(), true);
            assert_eq!(found, expected.map_err(str::to_owned), "{raw}");
        }
    }
}

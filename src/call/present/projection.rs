//! An answer → the same with a part of each record: the requested fields, or those that the overlay
//! calls concise.

use serde_json::{Map, Value};

use crate::call::failure::Failure;
use crate::sanitize::json::Json;
use toolwright_model::{DETAIL, FIELDS, FULL, JQ, Tool};

/// The most field names that an error lists.
const MOST_NAMES: usize = 60;

type Record<'r, 't> = &'r mut Vec<(std::borrow::Cow<'t, str>, Json<'t>)>;

/// Which part of an answer a caller requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Projection {
    /// The names of the requested fields; empty for all.
    fields: Vec<String>,
    /// The dotted paths of the concise form; empty for the full form.
    concise: Vec<String>,
    /// A filter over the full answer.
    pub(super) jq: Option<String>,
}

impl Projection {
    /// Reads it from a call's arguments.
    pub(super) fn of(tool: &Tool, arguments: &Map<String, Value>) -> Self {
        let own = |name: &str| arguments.get(name).filter(|_| tool.is_own_argument(name));
        let jq = own(JQ).and_then(Value::as_str).map(str::to_owned);
        let fields: Vec<String> = own(FIELDS)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        // A filter sees the full answer, and named fields are looked for in it.
        let full = jq.is_some() || !fields.is_empty() || own(DETAIL).and_then(Value::as_str) == Some(FULL);
        let concise = if full { Vec::new() } else { tool.concise.clone() };
        Self { fields: if jq.is_some() { Vec::new() } else { fields }, concise, jq }
    }

    /// Reduces an answer to the fields, or to the concise form. The filter is not applied.
    ///
    /// # Errors
    /// No record has any of the fields.
    pub(super) fn apply(&self, json: &mut Json<'_>) -> Result<(), Failure> {
        if !self.fields.is_empty() {
            return fields(json, &self.fields);
        }
        if !self.concise.is_empty() {
            concise(json, &self.concise);
        }
        Ok(())
    }
}

/// Keeps the fields that `wanted` names: of each record of a list, or of the one record.
fn fields(json: &mut Json<'_>, wanted: &[String]) -> Result<(), Failure> {
    let records = records(json, &|name| wanted.iter().any(|wanted| wanted == name));
    if records.is_empty() || wanted.is_empty() {
        return Ok(());
    }
    let mut missing: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let mut known: Vec<String> = Vec::new();
    for record in records {
        missing.retain(|wanted| !record.iter().any(|(name, _)| name == wanted));
        for (name, _) in record.iter() {
            if known.len() < MOST_NAMES && !known.iter().any(|known| known == name) {
                known.push(name.clone().into_owned());
            }
        }
        record.retain(|(name, _)| wanted.iter().any(|wanted| wanted == name));
    }
    // With every name mistyped, an empty answer would look as if there were no data.
    if missing.len() == wanted.len() {
        return Err(Failure::Projection(format!(
            "`fields`: no record of the answer has `{}`\nhint: there are `{}`; or leave `fields` out",
            missing.join("`, `"),
            known.join("`, `")
        )));
    }
    Ok(())
}

/// Keeps of each record what the dotted `paths` lead to and is not empty.
fn concise(json: &mut Json<'_>, paths: &[String]) {
    let begins = |name: &str| paths.iter().any(|path| path.split('.').next() == Some(name));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for record in records(json, &begins) {
        // A record with none of them is of another kind than the paths were written for.
        if record.iter().any(|(name, _)| begins(name)) {
            keep(record, &paths);
        }
    }
}

fn keep(record: Record<'_, '_>, paths: &[&str]) {
    record.retain_mut(|(name, value)| {
        let mut deeper = Vec::new();
        for path in paths {
            match path.strip_prefix(&**name) {
                Some("") => {
                    deeper.clear();
                    break;
                }
                Some(rest) if rest.starts_with('.') => deeper.push(&rest[1..]),
                _ => {}
            }
        }
        let named = !deeper.is_empty() || paths.contains(&&**name);
        if !deeper.is_empty() {
            keep_inside(value, &deeper);
        }
        named && !value.is_empty()
    });
}

fn keep_inside(value: &mut Json<'_>, paths: &[&str]) {
    match value {
        Json::Object(entries) => keep(entries, paths),
        Json::List(items) => {
            for item in items.iter_mut() {
                keep_inside(item, paths);
            }
        }
        // The path leads further than the value: nothing can be left out.
        Json::Plain(_) | Json::Text(_) => {}
    }
}

/// Returns the records of an answer: the items of a list, of the only list in an object, or the
/// object itself if it has a field that is `wanted`.
fn records<'r, 't>(json: &'r mut Json<'t>, wanted: &dyn Fn(&str) -> bool) -> Vec<Record<'r, 't>> {
    let is_list = |value: &Json<'_>| match value {
        Json::List(items) => items.iter().any(|item| matches!(item, Json::Object(_))),
        _ => false,
    };
    let of_list = |items: &'r mut Vec<Json<'t>>| {
        let objects = items.iter_mut().filter_map(|item| match item {
            Json::Object(entries) => Some(entries),
            _ => None,
        });
        objects.collect()
    };
    match json {
        Json::List(items) => of_list(items),
        Json::Object(entries) => {
            let around = !entries.iter().any(|(name, _)| wanted(name))
                && entries.iter().filter(|(_, value)| is_list(value)).count() == 1;
            if !around {
                return vec![entries];
            }
            match entries.iter_mut().map(|(_, value)| value).find(|value| is_list(value)) {
                Some(Json::List(items)) => of_list(items),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Vec<String> {
        wanted.iter().map(|name| (*name).to_owned()).collect()
    }

    fn kept(body: &str, wanted: &[&str]) -> Result<String, String> {
        let mut json = Json::parse(body).unwrap();
        fields(&mut json, &names(wanted)).map_err(|failure| failure.to_string())?;
        Ok(json.to_text(0))
    }

    fn shortened(body: &str, paths: &[&str]) -> String {
        let mut json = Json::parse(body).unwrap();
        concise(&mut json, &names(paths));
        json.to_text(0)
    }

    #[test]
    fn fields_are_kept_in_lists_and_single_records() {
        for (body, wanted, expected) in [
            (r#"[{"a":1.0,"b":2},{"b":3},4]"#, ["a"].as_slice(), r#"[{"a":1.0},{},4]"#),
            (r#"{"a":1,"b":[{"a":2}]}"#, &["a"], r#"{"a":1}"#),
            (r#"{"total":9,"rows":[{"a":1,"b":2}]}"#, &["b"], r#"{"total":9,"rows":[{"b":2}]}"#),
            ("[]", &["a"], "[]"),
            (r#""text""#, &["a"], r#""text""#),
            (r#"{"a":1}"#, &[], r#"{"a":1}"#),
        ] {
            assert_eq!(kept(body, wanted).unwrap(), expected, "{body} {wanted:?}");
        }
    }

    #[test]
    fn unknown_fields_are_an_error_that_lists_the_known_ones() {
        let error = kept(r#"[{"Subject":1},{"Status":2}]"#, &["subject"]).unwrap_err();
        assert!(error.contains("has `subject`") && error.contains("`Subject`, `Status`"), "{error}");
    }

    #[test]
    fn the_concise_form_keeps_what_the_paths_lead_to() {
        for (body, paths, expected) in [
            (r#"[{"a":1,"b":null,"c":2},{"a":"","b":3,"d":1}]"#, ["a", "b"].as_slice(), r#"[{"a":1},{"b":3}]"#),
            (
                r#"{"total":2,"rows":[{"f":{"s":{"name":"x","id":1},"p":[]},"k":1.0}]}"#,
                &["k", "f.s.name", "f.p"],
                r#"{"total":2,"rows":[{"f":{"s":{"name":"x"}},"k":1.0}]}"#,
            ),
            (r#"{"l":[{"n":1,"x":2},[{"n":2,"x":1}],7]}"#, &["l.n"], r#"{"l":[{"n":1},[{"n":2}],7]}"#),
            (r#"{"f":{"x":1}}"#, &["f.y", "f"], r#"{"f":{"x":1}}"#),
            (r#"{"f":{"x":1}}"#, &["f.y"], "{}"),
            (r#"{"f":"short"}"#, &["f.y"], r#"{"f":"short"}"#),
            (r#"{"error":"none of them"}"#, &["a"], r#"{"error":"none of them"}"#),
            ("7", &["a"], "7"),
        ] {
            assert_eq!(shortened(body, paths), expected, "{body} {paths:?}");
        }
    }
}

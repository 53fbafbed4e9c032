//! An answer → the same with only what is needed of each record: the fields that were asked for,
//! or those that the overlay calls concise.

use super::Failure;
use crate::sanitize::json::Json;

/// At most so many names are told to somebody who guessed wrong.
const MOST_NAMES: usize = 60;

type Record<'r, 't> = &'r mut Vec<(std::borrow::Cow<'t, str>, Json<'t>)>;

/// Keeps the fields whose names `wanted` lists: of each record of a list, or of the one record.
pub(super) fn fields(json: &mut Json<'_>, wanted: &[String]) -> Result<(), Failure> {
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
    // Whoever mistypes every name would read an empty answer as: there is nothing.
    if missing.len() == wanted.len() {
        return Err(Failure::Projection(format!(
            "`fields`: no record of the answer has `{}`\nhint: there are `{}`; or leave `fields` out",
            missing.join("`, `"),
            known.join("`, `")
        )));
    }
    Ok(())
}

/// Keeps what the dotted `paths` lead to of each record, without what is empty. Returns whether
/// anything was left out that was not empty.
pub(super) fn concise(json: &mut Json<'_>, paths: &[String]) {
    let begins = |name: &str| paths.iter().any(|path| path.split('.').next() == Some(name));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for record in records(json, &begins) {
        // A record with none of them is another thing than the paths were written for.
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
        // Shorter than the path expects: there is nothing to leave out.
        Json::Plain(_) | Json::Text(_) => {}
    }
}

/// The records of an answer: the items of a list, of the one list in an object around it, or the
/// object itself where it has one of the names that are `wanted`.
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
    fn fields_are_kept_wherever_the_records_are() {
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
    fn names_that_no_record_has_are_told() {
        let told = kept(r#"[{"Subject":1},{"Status":2}]"#, &["subject"]).unwrap_err();
        assert!(told.contains("has `subject`") && told.contains("`Subject`, `Status`"), "{told}");
    }

    #[test]
    fn concise_keeps_what_the_paths_lead_to() {
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

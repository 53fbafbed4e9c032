//! An answer → the same with a part of each record: the requested fields, or those that the overlay
//! calls concise; and what a reader must know of the rest.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::omitted::{Omitted, slices};
use super::records::{self, Entries, Listing, Path};
use crate::call::failure::Failure;
use crate::catalog::LazyTool;
use crate::sanitize::TextForm;
use crate::sanitize::json::Json;
use toolwright_model::answer_limits::FIELDS as FIELDS_AT_ONCE;
use toolwright_model::{DETAIL, FIELDS, FULL, JQ, RAW};

/// The most field names that an error or a note lists.
const MOST_NAMES: usize = 60;

/// Which part of an answer a caller requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Projection {
    /// The dotted names of the requested fields, as the caller writes them; empty for all.
    fields: Vec<String>,
    /// The paths of the concise form; empty for the full form.
    concise: Arc<[Path]>,
    listing: Listing,
    /// A filter over the full answer.
    pub(super) jq: Option<String>,
    /// In which form texts are shown.
    pub(super) form: TextForm,
    /// Whether the answer is a file by its description.
    pub(super) file: bool,
}

/// What was left out of an answer, and what else its reader must know.
#[derive(Debug, Default)]
pub(super) struct Projected {
    /// The dotted names of fields that records have and that are not shown.
    pub(super) omitted: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Projection {
    /// Reads it from a call's arguments.
    pub(super) fn of(tool: &LazyTool, arguments: &Map<String, Value>, listing: Listing) -> Self {
        let own = |name: &str| arguments.get(name).filter(|_| tool.is_own_argument(name));
        let jq = own(JQ).and_then(Value::as_str).map(str::to_owned);
        let fields: Vec<String> = own(FIELDS).and_then(Value::as_array).into_iter().flatten().flat_map(named).collect();
        let detail = own(DETAIL).and_then(Value::as_str);
        // A filter sees the full answer, and named fields are looked for in it. What the vendor was
        // asked for by name is shown too.
        let full = jq.is_some()
            || !fields.is_empty()
            || matches!(detail, Some(FULL | RAW))
            || (own(FIELDS).is_none() && own(DETAIL).is_none() && arguments.contains_key(FIELDS));
        let form = if detail == Some(RAW) { TextForm::Raw } else { TextForm::Inert };
        let concise = if full { Arc::default() } else { tool.concise_paths() };
        Self { fields: if jq.is_some() { Vec::new() } else { fields }, concise, listing, jq, form, file: false }
    }

    /// Returns the projection of one part of an answer: all of it, in the same form.
    pub(super) fn of_part(&self) -> Self {
        Self { form: self.form, file: self.file, ..Self::default() }
    }

    /// Reduces an answer to the fields, or to the concise form. The filter is not applied.
    ///
    /// # Errors
    /// No record has any of the fields.
    pub(super) fn apply(&self, json: &mut Json<'_>) -> Result<Projected, Failure> {
        if self.fields.len() > FIELDS_AT_ONCE {
            return Err(Failure::Projection(format!(
                "`fields`: {} names, of at most {FIELDS_AT_ONCE}\nhint: name fewer, or leave `fields` out and read on by the cursor",
                self.fields.len()
            )));
        }
        if !self.fields.is_empty() {
            return self.fields(json);
        }
        let omitted = if self.concise.is_empty() { Vec::new() } else { self.concise(json) };
        Ok(Projected { omitted, notes: Vec::new() })
    }

    /// Keeps the named fields: of each record of a list, or of the one record.
    fn fields(&self, json: &mut Json<'_>) -> Result<Projected, Failure> {
        let Some(found) = self.found(json) else { return Ok(Projected::default()) };
        let notes = found.unknown_fields(self.fields.len())?;
        let FoundFields { list, inside, beside, .. } = found;
        let mut omitted = Omitted::default();
        match (list, json) {
            // What is beside the records stays, whether it is named or not.
            (Some(list), json) if !inside.is_empty() => {
                for record in records::items_mut(json, &list) {
                    omitted.keep(record, &slices(&inside), true);
                }
            }
            (_, Json::Object(entries)) => omitted.keep(entries, &slices(&beside), true),
            _ => {}
        }
        Ok(Projected { omitted: omitted.into_names(), notes })
    }

    /// Looks for the named fields; `None` where the answer has no record at all.
    fn found(&self, json: &Json<'_>) -> Option<FoundFields> {
        let whole: Vec<&Entries<'_>> = records::entries(json).into_iter().collect();
        let mut list = self.listing.list(json);
        // An object with one list is a record itself if it has a field that is wanted.
        if !self.listing.is_certain(json) && self.fields.iter().any(|name| !records::paths(&whole, name).is_empty()) {
            list = None;
        }
        let items = list.as_ref().map(|list| records::items(json, list)).unwrap_or_default();
        if items.is_empty() && (list.is_some() || whole.is_empty()) {
            return None;
        }
        let (mut inside, mut beside, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for name in &self.fields {
            let of_items =
                list.as_ref().map(|list| records::paths(&items, without_list(name, list))).unwrap_or_default();
            let of_whole = if of_items.is_empty() { records::paths(&whole, name) } else { Vec::new() };
            if of_items.is_empty() && of_whole.is_empty() {
                unknown.push(name.clone());
            }
            inside.extend(of_items);
            beside.extend(of_whole);
        }
        let records = if list.is_some() { &items } else { &whole };
        let known = unknown.first().map(|name| records::names_near(records, name, MOST_NAMES)).unwrap_or_default();
        Some(FoundFields { list, inside, beside, unknown, known })
    }

    /// Keeps of each record what the concise paths lead to and is not empty; returns what else there
    /// was.
    fn concise(&self, json: &mut Json<'_>) -> Vec<String> {
        // A record with none of the names is of another kind than the paths were written for.
        let begins = |record: &Entries<'_>| {
            record
                .iter()
                .any(|(name, _)| self.concise.iter().any(|path| path.first().is_some_and(|first| first == name)))
        };
        let list = self.listing.list(json);
        let in_list = list.as_ref().is_some_and(|list| records::items(json, list).into_iter().any(begins));
        let is_record = records::entries(json).is_some_and(begins);
        let certain = self.listing.is_certain(json);
        let paths = slices(&self.concise);
        let mut omitted = Omitted::default();
        match (list, json) {
            (Some(list), json) if in_list && (certain || !is_record) => {
                for record in records::items_mut(json, &list).into_iter().filter(|record| begins(record)) {
                    omitted.keep(record, &paths, false);
                }
            }
            (_, Json::Object(entries)) if is_record => omitted.keep(entries, &paths, false),
            _ => {}
        }
        omitted.into_names()
    }
}

/// The fields that a caller names in one text: `Subject`, `IssueID,Subject`, `items[].Subject`.
fn named(text: &Value) -> Vec<String> {
    let names = text.as_str().unwrap_or_default().split(',');
    let names = names.map(|name| name.trim().trim_start_matches('.').replace("[]", ""));
    names.filter(|name| !name.is_empty()).collect()
}

/// The name inside a record, where a caller writes the path in the answer: `items.Subject`.
fn without_list<'n>(name: &'n str, list: &[String]) -> &'n str {
    let list = if list.is_empty() { "items".to_owned() } else { list.join(".") };
    let rest = name.get(..list.len()).filter(|start| start.eq_ignore_ascii_case(&list)).map(|_| &name[list.len()..]);
    rest.and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
}

/// Where the named fields are.
struct FoundFields {
    /// The names that lead to the list of records, if there is one.
    list: Option<Path>,
    /// In the records of the list.
    inside: Vec<Path>,
    /// Beside the list, or in the one record.
    beside: Vec<Path>,
    /// The names that lead nowhere.
    unknown: Vec<String>,
    /// The names that there are instead.
    known: Vec<String>,
}

impl FoundFields {
    /// Returns a note about the names that no record has.
    ///
    /// # Errors
    /// All `wanted` names are such: an empty answer would look as if there were no data.
    fn unknown_fields(&self, wanted: usize) -> Result<Vec<String>, Failure> {
        if self.unknown.is_empty() {
            return Ok(Vec::new());
        }
        let (unknown, known) = (self.unknown.join("`, `"), self.known.join("`, `"));
        if self.unknown.len() == wanted {
            return Err(Failure::Projection(format!(
                "`fields`: no record of the answer has `{unknown}`\nhint: there are `{known}`; or leave `fields` out"
            )));
        }
        Ok(vec![format!("`fields`: no record of this answer has `{unknown}`; there are `{known}`")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(dotted: &[&str]) -> Vec<Path> {
        dotted.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect()
    }

    fn page(pointer: Option<&str>) -> Listing {
        Listing::Page(pointer.map(str::to_owned))
    }

    /// The answer with these fields, what was left out, and the notes.
    fn kept(body: &str, wanted: &[&str], listing: Listing) -> Result<(String, String, Vec<String>), String> {
        let fields = wanted.iter().flat_map(|name| named(&Value::from(*name))).collect();
        let mut json = Json::parse(body).unwrap();
        let projection = Projection { fields, listing, ..Projection::default() };
        let projected = projection.apply(&mut json).map_err(|failure| failure.to_string())?;
        Ok((json.to_text(0), projected.omitted.join(" "), projected.notes))
    }

    fn shortened(body: &str, concise: &[&str], listing: Listing) -> (String, String) {
        let mut json = Json::parse(body).unwrap();
        let projection = Projection { concise: paths(concise).into(), listing, ..Projection::default() };
        let omitted = projection.concise(&mut json).join(" ");
        (json.to_text(0), omitted)
    }

    #[test]
    fn fields_are_kept_in_lists_and_single_records() {
        for (body, wanted, expected, omitted) in [
            (r#"[{"a":1.0,"b":2},{"b":3},4]"#, ["a"].as_slice(), r#"[{"a":1.0},{},4]"#, "b"),
            (r#"{"a":1,"b":[{"a":2}]}"#, &["a"], r#"{"a":1}"#, "b"),
            (r#"{"total":9,"rows":[{"a":1,"b":2}]}"#, &["b"], r#"{"total":9,"rows":[{"b":2}]}"#, "a"),
            ("[]", &["a"], "[]", ""),
            (r#""text""#, &["a"], r#""text""#, ""),
            (r#"{"a":1,"b":null}"#, &["a"], r#"{"a":1}"#, ""),
            // As a model writes them.
            (r#"[{"a":1,"b":2,"c":3}]"#, &["a, b"], r#"[{"a":1,"b":2}]"#, "c"),
            (r#"[{"IssueID":1,"Body":"x"}]"#, &["issueid"], r#"[{"IssueID":1}]"#, "Body"),
            (r#"[{"Id":1,"ID":2,"id":3}]"#, &["id"], r#"[{"id":3}]"#, "Id ID"),
            (r#"[{"Id":1,"ID":2,"x":3}]"#, &["id"], r#"[{"Id":1,"ID":2}]"#, "x"),
            (r#"[{"a":1,"b":2}]"#, &["items[].a"], r#"[{"a":1}]"#, "b"),
            (r#"{"rows":[{"a":1,"b":2}],"n":1}"#, &["rows.a"], r#"{"rows":[{"a":1}]}"#, "n rows.b"),
            (
                r#"{"f":{"s":{"name":"x","id":1},"p":2},"k":1}"#,
                &["k", "F.S.name"],
                r#"{"f":{"s":{"name":"x"}},"k":1}"#,
                "f.p f.s.id",
            ),
            (r#"{"a.b":1,"c":2}"#, &["a.b"], r#"{"a.b":1}"#, "c"),
        ] {
            let (text, left_out, notes) = kept(body, wanted, Listing::Unknown).unwrap();
            assert_eq!((text.as_str(), left_out.as_str()), (expected, omitted), "{body} {wanted:?}");
            assert!(notes.is_empty(), "{notes:?}");
        }
    }

    #[test]
    fn the_records_of_a_page_are_where_its_style_states() {
        let body = r#"{"id":7,"more":{"rows":[{"id":1,"b":2}]},"other":[{"id":2}]}"#;
        let (text, omitted, _) = kept(body, &["id"], page(Some("/more/rows"))).unwrap();
        assert_eq!(text, r#"{"id":7,"more":{"rows":[{"id":1}]},"other":[{"id":2}]}"#);
        assert_eq!(omitted, "b");
        // Beside the records only: the records are not wanted.
        let (text, omitted, _) = kept(body, &["other"], page(Some("/more/rows"))).unwrap();
        assert_eq!((text.as_str(), omitted.as_str()), (r#"{"other":[{"id":2}]}"#, "id more"));
        let (text, omitted) = shortened(body, &["id"], page(Some("/more/rows")));
        assert_eq!(text, r#"{"id":7,"more":{"rows":[{"id":1}]},"other":[{"id":2}]}"#);
        assert_eq!(omitted, "b");
    }

    #[test]
    fn unknown_fields_are_answered_with_the_known_ones() {
        let error = kept(r#"[{"Subject":1},{"Status":2}]"#, &["Title"], Listing::Unknown).unwrap_err();
        assert!(error.contains("has `Title`") && error.contains("`Subject`, `Status`"), "{error}");
        let error = kept(r#"[{"f":{"a":1,"b":2}}]"#, &["f.c"], Listing::Unknown).unwrap_err();
        assert!(error.contains("there are `f.a`, `f.b`;"), "{error}");
        let (text, _, notes) = kept(r#"[{"a":1,"b":2}]"#, &["a", "x"], Listing::Unknown).unwrap();
        assert_eq!(text, r#"[{"a":1}]"#);
        assert_eq!(notes, ["`fields`: no record of this answer has `x`; there are `a`, `b`"]);
    }

    #[test]
    fn the_concise_form_keeps_what_the_paths_lead_to() {
        for (body, concise, expected, omitted) in [
            (r#"[{"a":1,"b":null,"c":2},{"a":"","b":3,"d":1}]"#, ["a", "b"].as_slice(), r#"[{"a":1},{"b":3}]"#, "c d"),
            (
                r#"{"total":2,"rows":[{"f":{"s":{"name":"x","id":1},"p":[]},"k":1.0}]}"#,
                &["k", "f.s.name", "f.p"],
                r#"{"total":2,"rows":[{"f":{"s":{"name":"x"}},"k":1.0}]}"#,
                "f.s.id",
            ),
            (r#"{"l":[{"n":1,"x":2},[{"n":2,"x":1}],7]}"#, &["l.n"], r#"{"l":[{"n":1},[{"n":2}],7]}"#, "l.x"),
            (r#"{"f":{"x":1}}"#, &["f.y", "f"], r#"{"f":{"x":1}}"#, ""),
            (r#"{"f":{"x":1}}"#, &["f.y"], "{}", "f.x"),
            (r#"{"f":"short"}"#, &["f.y"], r#"{"f":"short"}"#, ""),
            (r#"{"error":"none of them"}"#, &["a"], r#"{"error":"none of them"}"#, ""),
            ("7", &["a"], "7", ""),
        ] {
            let (text, left_out) = shortened(body, concise, Listing::Unknown);
            assert_eq!((text.as_str(), left_out.as_str()), (expected, omitted), "{body} {concise:?}");
        }
    }
}

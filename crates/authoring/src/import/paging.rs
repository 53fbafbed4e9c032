//! The parameters of a listing and what stands beside its records → the style by which it pages, in the keys of
//! `[[paging]]`, with what shows it. Only what the description states becomes a draft: a style that is wrong would lose
//! records without an error.

mod signs;
mod written;

use serde_json::Value;

use super::answers::{Answer, Shape, parameters};
use signs::{Names, norm};
use toolwright_codegen::lower::inputs::Input;
use toolwright_codegen::lower::paging;
use toolwright_codegen::lower::spec_operation::SpecOperation;
use toolwright_model::{ALL, CURSOR, PagingKind, PagingStyle, Place, Signs};

pub(super) use signs::is_about_a_page;
pub(crate) use written::Styles;

/// How a listing pages, and what shows it.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) style: PagingStyle,
    pub(super) evidence: String,
}

/// What became of the paging of one operation.
#[derive(Debug)]
pub(super) enum Found {
    /// It has no parameter that says where a page begins.
    Nothing,
    Draft(Box<Draft>),
    /// It has one, and the description leaves out what a style needs.
    Open(String),
}

/// A parameter or body property by which a page can begin or end.
struct Candidate<'a> {
    input: &'a Input,
    kind: PagingKind,
}

/// Finds how an operation pages. `pointer` is its place in `document`, which has the vendor's texts.
pub(super) fn of(operation: &SpecOperation, inputs: &[Input], answer: &Answer<'_>, document: &Value) -> Found {
    if answer.rows.is_none() && answer.shape != Shape::Unknown {
        return Found::Nothing;
    }
    let is_numeric = |input: &Input| {
        is_number(input)
            || is_text(input) && described(operation, &input.key, document).is_some_and(|at| signs::says_number(&at))
    };
    let positions = positions(inputs, &is_numeric);
    let sizes: Vec<&Input> =
        inputs.iter().filter(|input| is_asked(input) && signs::is_size(&input.key) && is_numeric(input)).collect();
    if positions.is_empty() {
        return text_position(inputs, &sizes);
    }
    let names = Names::of(answer);
    let mut open = Found::Nothing;
    for position in &positions {
        match drafted(operation, position, (inputs, sizes.as_slice()), (answer, &names), document) {
            Ok(draft) => return Found::Draft(Box::new(draft)),
            Err(why) if matches!(open, Found::Nothing) => open = Found::Open(why),
            Err(_) => {}
        }
    }
    open
}

/// The inputs that can say where a page begins; a token first, because the vendor states it.
fn positions<'a>(inputs: &'a [Input], is_numeric: &dyn Fn(&Input) -> bool) -> Vec<Candidate<'a>> {
    let mut found = Vec::new();
    for kind in [PagingKind::Token, PagingKind::Offset, PagingKind::Page] {
        let of_kind = inputs.iter().filter(|input| is_asked(input) && signs::is_position(kind, &input.key));
        found.extend(
            of_kind
                .filter(|input| if kind == PagingKind::Token { !is_time(input) } else { is_numeric(input) })
                .map(|input| Candidate { input, kind }),
        );
    }
    // `after` may also be a day that nothing says to be one.
    found.sort_by_key(|candidate| candidate.kind == PagingKind::Token && norm(&candidate.input.key).ends_with("after"));
    // `first` is how many records where something else says after which.
    let has_size =
        |key: &str| inputs.iter().any(|other| other.key != key && signs::is_size(&other.key) && is_numeric(other));
    found.retain(|candidate| norm(&candidate.input.key) != "first" || has_size(&candidate.input.key));
    found
}

fn is_asked(input: &Input) -> bool {
    matches!(input.place, Place::Query(_) | Place::Header(_) | Place::Property(_))
}

/// Whether it is a point in time: `after`.
fn is_time(input: &Input) -> bool {
    matches!(input.schema.get("format").and_then(Value::as_str), Some("date" | "date-time"))
}

/// A position that is a text is open: it may be a number, or what the answer before named.
fn text_position(inputs: &[Input], sizes: &[&Input]) -> Found {
    let is_position = |key: &str| {
        [PagingKind::Offset, PagingKind::Page].iter().any(|kind| norm(key) != "start" && signs::is_position(*kind, key))
    };
    let found = inputs.iter().find(|input| is_asked(input) && is_text(input) && is_position(&input.key));
    match found.filter(|found| sizes.iter().any(|size| size.key != found.key)) {
        Some(found) => Found::Open(format!("it takes `{}`, a text: whether it is a number is not stated", found.key)),
        None => Found::Nothing,
    }
}

fn is_text(input: &Input) -> bool {
    let has = |key: &str| input.schema.contains_key(key);
    input.schema.get("type").and_then(Value::as_str) == Some("string") && !has("enum") && !has("format")
}

fn is_number(input: &Input) -> bool {
    matches!(input.schema.get("type").and_then(Value::as_str), Some("integer" | "number"))
}

fn drafted(
    operation: &SpecOperation,
    position: &Candidate<'_>,
    (inputs, sizes): (&[Input], &[&Input]),
    (answer, names): (&Answer<'_>, &Names),
    document: &Value,
) -> Result<Draft, String> {
    let (kind, key) = (position.kind, &position.input.key);
    let size = sizes.iter().find(|input| input.key != *key);
    let next = names.next(kind, key);
    let next_header = answer.headers.iter().find(|name| signs::is_next_header(name)).cloned();
    let mut why = vec![match size {
        Some(size) => format!("takes {key} and {}", size.key),
        None => format!("takes {key}"),
    }];
    let states_next = next.is_some() || next_header.is_some();
    if kind == PagingKind::Token && !states_next {
        return Err(without_next(key, answer, names));
    }
    // Which of the two an address holds is not stated.
    let is_before = |input: &Input| norm(&input.key) == "before";
    if norm(key) == "after" && inputs.iter().any(is_before) && names.next(kind, "after") == names.next(kind, "") {
        return Err(format!("it takes `{key}` and `before`, and which of them leads on is not stated"));
    }
    if kind == PagingKind::Offset && size.is_none() && !states_next {
        return Err(format!("it takes `{key}`, and no parameter says how many records a page holds"));
    }
    let first = match kind {
        PagingKind::Page => first_page(operation, key, document, states_next, &mut why)?,
        PagingKind::Offset => {
            from_zero(operation, position.input, document, states_next)?;
            0
        }
        PagingKind::Token => 0,
    };
    let signs = Signs { first, next, next_header, ..signs_of(answer, names) };
    let shown: Vec<&str> =
        [&signs.records, &signs.total, &signs.last, &signs.next, &signs.total_header, &signs.next_header]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
    if !shown.is_empty() {
        why.push(format!("its answer has {}", shown.join(", ")));
    }
    let size = size.map(|size| size.key.clone());
    let style = PagingStyle { name: String::new(), kind, position: key.clone(), size, signs };
    // A name of our own beside it would be taken twice.
    let clash = inputs.iter().find(|input| input.key != *key && [CURSOR, ALL].contains(&input.name.as_str()));
    if let Some(clash) = clash {
        return Err(format!(
            "its argument `{}` has a name that is ours where a tool pages: rename it first",
            clash.name
        ));
    }
    if paging::fit(&style, inputs).is_none() {
        return Err(format!("`{key}` has the name of another input"));
    }
    Ok(Draft { style, evidence: why.join(", ") })
}

/// What an answer says of its page, whatever the position is.
fn signs_of(answer: &Answer<'_>, names: &Names) -> Signs {
    let rows = answer.rows.as_ref().filter(|rows| rows.is_stated);
    Signs {
        records: rows.map(|rows| rows.pointer.clone()),
        total: names.total(),
        last: names.last(),
        total_header: answer.headers.iter().find(|name| signs::is_total_header(name)).cloned(),
        replaced: names.others().collect(),
        ..Signs::default()
    }
}

fn without_next(key: &str, answer: &Answer<'_>, names: &Names) -> String {
    if answer.headers.iter().any(|name| name == "link") {
        return format!("it takes `{key}`, and the next one is in a header `Link`, which no key reads");
    }
    match names.more() {
        Some(more) => format!("it takes `{key}`, and its answer has {more} but not the next position"),
        None => format!("it takes `{key}`, and its answer does not say where the next one is"),
    }
}

/// The number of the first page, as the parameter states it.
fn first_page(
    operation: &SpecOperation,
    key: &str,
    document: &Value,
    states_next: bool,
    why: &mut Vec<String>,
) -> Result<u64, String> {
    let described = described(operation, key, document);
    if let Some((first, by)) = described.as_ref().and_then(signs::first_of) {
        why.push(format!("its first page is {first} by {by}"));
        return Ok(first);
    }
    if states_next {
        why.push("its first page is taken to be 1".to_owned());
        return Ok(1);
    }
    Err(format!("it takes `{key}`, and the description does not say whether its first page is 0 or 1"))
}

/// Some vendors count records from 1, where a position that is the number of records before would read one twice.
fn from_zero(operation: &SpecOperation, input: &Input, document: &Value, states_next: bool) -> Result<(), String> {
    let first = described(operation, &input.key, document).and_then(|at| signs::first_of(&at)).map(|(first, _)| first);
    let from_one = first == Some(1) || first.is_none() && norm(&input.key) == "startindex";
    if from_one && !states_next {
        return Err(format!("it takes `{}`, which counts from 1: no kind of style does", input.key));
    }
    Ok(())
}

/// A parameter with its texts.
fn described(operation: &SpecOperation, key: &str, document: &Value) -> Option<Value> {
    let all = parameters(document, &operation.pointer);
    all.into_iter().find(|parameter| parameter.get("name").and_then(Value::as_str) == Some(key)).cloned()
}

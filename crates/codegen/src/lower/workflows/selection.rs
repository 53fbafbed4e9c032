//! An output that takes a part of a list or of a text: the records that fit, in order, with some of their fields.

use std::rc::Rc;

use serde_json::Value;

use super::scope::{Compiled, Scope, part};
use super::shape::Shape;
use crate::lower::resolved::SchemaType;
use crate::read::keys::read_pattern;
use crate::read::located::{Located, describe};
use crate::read::workflows::expression::check_pointer;
use toolwright_model::workflow::{Field, Only, Selection, SortKey, Template, Test, Where};

/// The keys that say something of the records of a list.
const OF_LISTS: [&str; 5] = ["where", "sort", "limit", "keep", "only"];

/// Reads a selection; reports what is wrong with it.
pub(super) fn read<'w>(scope: &Scope<'w>, at: &Located<'_>) -> Option<Compiled<'w>> {
    at.object()?;
    at.only(&["from", "where", "sort", "limit", "keep", "only", "at", "capture", "as"]);
    let (from, whole) = scope.expression(&at.required("from", "the expression of a list or a text")?)?;
    let mut selection = Selection {
        from,
        filter: Vec::new(),
        sort: Vec::new(),
        limit: None,
        keep: Vec::new(),
        only: None,
        at: String::new(),
        capture: None,
    };
    let is_list = at.get("at").is_some() && whole.item().is_some() && !matches!(whole, Shape::Any)
        || OF_LISTS.iter().any(|key| at.get(key).is_some());
    let shape =
        if is_list { of_list(scope, at, &whole, &mut selection)? } else { of_value(at, whole, &mut selection)? };
    let shape = capture(at, shape, &mut selection)?;
    let shape = with_type(at, shape)?;
    Some(Compiled { template: Template::Select(Box::new(selection)), shape })
}

/// A part of a value that is no list.
fn of_value<'w>(at: &Located<'_>, whole: Shape<'w>, selection: &mut Selection) -> Option<Shape<'w>> {
    let Some(pointer) = at.get("at") else { return Some(whole) };
    let (text, shape) = read_pointer(&pointer, &whole)?;
    selection.at = text;
    Some(shape)
}

fn of_list<'w>(scope: &Scope<'w>, at: &Located<'_>, whole: &Shape<'w>, selection: &mut Selection) -> Option<Shape<'w>> {
    let Some(item) = whole.item() else {
        at.get("from")?.report(
            "the expression of a list",
            format!("`{}`, which is {}", selection.from, whole.in_words()),
            None,
        );
        return None;
    };
    for test in at.get("where").map(|at| at.items()).unwrap_or_default() {
        selection.filter.push(read_where(scope, &test, &item)?);
    }
    for key in at.get("sort").map(|at| at.items()).unwrap_or_default() {
        selection.sort.push(read_sort(&key, &item)?);
    }
    if let Some(limit) = at.get("limit") {
        let value = scope.value(&limit)?;
        let is_count = !matches!(&value.template, Template::Value(constant) if constant.as_u64().is_none());
        if !value.shape.may_be("integer") || !is_count {
            limit.wrong("a whole number, 0 or more");
            return None;
        }
        selection.limit = Some(value.template);
    }
    let mut record = item;
    if let Some(keep) = at.get("keep") {
        let mut fields = Vec::new();
        for (name, pointer) in keep.entries() {
            let (text, shape) = read_pointer(&pointer, &record)?;
            selection.keep.push(Field { name: name.to_owned(), at: text });
            fields.push((name.to_owned(), shape));
        }
        record = Shape::Object(fields.into());
    }
    if let Some(only) = at.get("only") {
        selection.only = Some(read_only(&only, &record)?);
    }
    if let Some(pointer) = at.get("at") {
        let (text, shape) = read_pointer(&pointer, &record)?;
        selection.at = text;
        record = shape;
    }
    Some(if selection.only.is_some() { record } else { Shape::List(Rc::new(record)) })
}

/// A JSON pointer into a record, and what it leads to.
pub(super) fn read_pointer<'w>(at: &Located<'_>, record: &Shape<'w>) -> Option<(String, Shape<'w>)> {
    let text = at.text()?;
    if let Err(reason) = check_pointer(text) {
        at.report("a JSON pointer, such as `/fields/status`", describe(at.value), Some(reason));
        return None;
    }
    Some((text.to_owned(), part(record, text, at)?))
}

pub(super) fn read_where(scope: &Scope<'_>, at: &Located<'_>, record: &Shape<'_>) -> Option<Where> {
    at.object()?;
    at.only(&["field", "equals", "differs", "present"]);
    let field = at.required("field", "a JSON pointer into the record, or several of which one has to fit")?;
    let pointers = if field.value.is_array() { field.items() } else { vec![field] };
    let mut places = Vec::new();
    let mut shapes = Vec::new();
    for pointer in &pointers {
        let (text, shape) = read_pointer(pointer, record)?;
        if !shape.may_be_scalar() && at.get("present").is_none() {
            pointer.report(
                "a field that is a text, a number or a truth value",
                format!("`{text}`, which is {}", shape.in_words()),
                None,
            );
            return None;
        }
        places.push(text);
        shapes.push(shape);
    }
    let compared = |key: &str| {
        let at = at.get(key)?;
        let value = scope.value(&at)?;
        // A list states several, of which one has to be the same.
        let shape = if at.value.is_array() { value.shape.item()? } else { value.shape };
        if !shape.may_be_scalar() {
            at.report("a text, a number or a truth value", format!("a value that is {}", shape.in_words()), None);
            return None;
        }
        Some(value.template)
    };
    let stated: Vec<&str> = ["equals", "differs", "present"].into_iter().filter(|key| at.get(key).is_some()).collect();
    let test = match stated.as_slice() {
        ["equals"] => Test::Equals(compared("equals")?),
        ["differs"] => Test::Differs(compared("differs")?),
        ["present"] if at.get("present")?.flag()? => Test::Present,
        ["present"] => Test::Absent,
        _ => {
            at.report("one of `equals`, `differs`, `present`", format!("{} of them", stated.len()), None);
            return None;
        }
    };
    Some(Where { at: places, test })
}

fn read_sort(at: &Located<'_>, record: &Shape<'_>) -> Option<SortKey> {
    if at.value.is_string() {
        return Some(SortKey { at: read_pointer(at, record)?.0, descending: false });
    }
    at.object()?;
    at.only(&["by", "descending"]);
    let by = at.required("by", "a JSON pointer into the record")?;
    let (text, shape) = read_pointer(&by, record)?;
    if !shape.may_be_scalar() {
        by.report("a field that has an order", format!("`{text}`, which is {}", shape.in_words()), None);
    }
    Some(SortKey { at: text, descending: at.get("descending").and_then(|at| at.flag()).unwrap_or_default() })
}

fn read_only(at: &Located<'_>, record: &Shape<'_>) -> Option<Only> {
    match at.value {
        Value::String(word) if word == "first" => Some(Only::First),
        Value::Object(_) => {
            at.only(&["one"]);
            let name = at.required("one", "a JSON pointer to what tells the records apart")?;
            Some(Only::One(read_pointer(&name, record)?.0))
        }
        _ => {
            at.wrong("`first`, or `{one: /name}` with a pointer to what tells the records apart");
            None
        }
    }
}

fn capture<'w>(at: &Located<'_>, shape: Shape<'w>, selection: &mut Selection) -> Option<Shape<'w>> {
    let Some(capture) = at.get("capture") else { return Some(shape) };
    let pattern = read_pattern(&capture)?;
    if !has_group(&pattern) {
        capture.wrong("a regular expression with a group, which is taken");
        return None;
    }
    if !shape.may_be("string") {
        capture.report("a text to take a part of", format!("a value that is {}", shape.in_words()), None);
        return None;
    }
    selection.capture = Some(pattern);
    Some(Shape::Scalar(SchemaType::String))
}

/// Whether a regular expression has a group that captures.
fn has_group(pattern: &str) -> bool {
    let mut rest = pattern.char_indices().peekable();
    while let Some((index, c)) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '(' if !pattern[index + 1..].starts_with('?')
                || pattern[index + 1..].starts_with("?<")
                || pattern[index + 1..].starts_with("?P<") =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// `as`: what the file knows better than the description, such as that a text holds digits.
fn with_type<'w>(at: &Located<'_>, shape: Shape<'w>) -> Option<Shape<'w>> {
    let Some(kind) = at.get("as") else { return Some(shape) };
    let known = kind.value.as_str().and_then(SchemaType::parse);
    match known {
        Some(scalar @ (SchemaType::Integer | SchemaType::Number | SchemaType::Boolean | SchemaType::String))
            if shape.may_be_scalar() =>
        {
            Some(Shape::Scalar(scalar))
        }
        _ => {
            kind.wrong("`integer`, `number`, `boolean` or `string`, for a value that is a scalar");
            None
        }
    }
}

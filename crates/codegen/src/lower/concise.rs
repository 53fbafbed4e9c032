//! The paths of `concise` ⇄ the answer that the description promises: a path that leads nowhere
//! would silently keep nothing. Called by `tool_draft`.

use openapiv3::{Operation, ReferenceOr, Response, Schema, SchemaKind, StatusCode, Type};

use crate::lower::promises::AnswerField;
use crate::lower::spec_operation::status_class;
use crate::read::document::{Document, SchemaNode};

/// How deep fields are collected: deeper ones are not spoken of, and schemas contain themselves.
const DEEPEST_FIELD: usize = 4;
/// How deep the parts of a schema are followed: they may contain each other.
const DEEPEST_PART: usize = 12;

/// A step of a path that the answer's schema does not have.
pub struct UnknownPath {
    pub step: String,
    /// What there is instead.
    pub known: Vec<String>,
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStart {
    /// At the answer itself, a list's items included.
    Answer,
    /// At the records in a list inside of the answer.
    List,
    /// The description leaves it open.
    Open,
}

/// Follows a dotted path from the records of an operation's answer; what the description leaves
/// open is no fault. `records` is where the list of records is, if that is stated.
///
/// # Errors
/// The step that the answer does not have.
pub fn check(
    path: &str,
    operation: &Operation,
    records: Option<&str>,
    document: &Document,
) -> Result<PathStart, UnknownPath> {
    let Some(answer) = answer_schema(operation, document) else { return Ok(PathStart::Open) };
    let mut start = PathStart::Answer;
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let mut here = match property(answer, first, document) {
        Property::Known(schema) => schema,
        Property::Open => return Ok(PathStart::Open),
        // The records may be in a list inside.
        Property::Unknown(known) => {
            match record_list(answer, records, document).map(|list| property(list, first, document)) {
                Some(Property::Known(schema)) => {
                    start = PathStart::List;
                    schema
                }
                Some(Property::Open) => return Ok(PathStart::Open),
                Some(Property::Unknown(inside)) => {
                    return Err(UnknownPath { step: first.to_owned(), known: inside });
                }
                None => return Err(UnknownPath { step: first.to_owned(), known }),
            }
        }
    };
    for step in steps {
        here = match property(here, step, document) {
            Property::Known(schema) => schema,
            Property::Open => return Ok(start),
            Property::Unknown(known) => return Err(UnknownPath { step: step.to_owned(), known }),
        };
    }
    Ok(start)
}

/// Adds the fields of an answer's records, each name once, and whether `concise` keeps one of that name.
pub fn add_fields(
    operation: &Operation,
    start: PathStart,
    concise: &[String],
    (list, document): (Option<&str>, &Document),
    fields: &mut Vec<AnswerField>,
) {
    let Some(answer) = answer_schema(operation, document) else { return };
    let records = match start {
        PathStart::List => record_list(answer, list, document).unwrap_or(answer),
        PathStart::Answer | PathStart::Open => answer,
    };
    let mut parts = vec![(String::new(), records)];
    for depth in 0..DEEPEST_FIELD {
        let mut inside = Vec::new();
        for (path, schema) in parts {
            for Named { name, schema } in properties(schema, document) {
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                let field = AnswerField { name: name.to_owned(), is_top: depth == 0, is_kept: is_kept(&path, concise) };
                match fields.iter_mut().find(|known| known.name == name) {
                    Some(known) => {
                        known.is_top |= field.is_top;
                        known.is_kept |= field.is_kept;
                    }
                    None => fields.push(field),
                }
                inside.push((path, schema));
            }
        }
        parts = inside;
    }
}

/// Whether a concise form keeps a field or a part of it.
pub(super) fn is_kept(path: &str, concise: &[String]) -> bool {
    let begins =
        |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    concise.iter().any(|kept| begins(path, kept) || begins(kept, path))
}

/// What a schema has under a name.
enum Property<'d> {
    Known(SchemaNode<'d>),
    /// The schema names no properties.
    Open,
    Unknown(Vec<String>),
}

/// The schema of the first success that is JSON.
fn answer_schema<'d>(operation: &'d Operation, document: &'d Document) -> Option<SchemaNode<'d>> {
    let is_success = |(status, _): &(&StatusCode, &ReferenceOr<Response>)| status_class(status) == 2;
    operation.responses.responses.iter().filter(is_success).find_map(|(_, response)| {
        let content = &document.follow(response)?.content;
        let (_, media) = content.iter().find(|(content_type, _)| content_type.contains("json"))?;
        media.schema.as_ref().map(SchemaNode::from)
    })
}

/// A property of an object and its name.
struct Named<'d> {
    name: &'d str,
    schema: SchemaNode<'d>,
}

/// Collects the properties of a schema and of the parts that it is put together from; of a list,
/// those of its items.
fn collect<'d>(node: SchemaNode<'d>, document: &'d Document, depth: usize, found: &mut Vec<Named<'d>>) {
    let (Some(schema), Some(depth)) = (document.schema(node), depth.checked_sub(1)) else { return };
    let mut add = |properties: &mut dyn Iterator<Item = (&'d String, &'d ReferenceOr<Box<Schema>>)>| {
        found.extend(properties.map(|(name, schema)| Named { name, schema: SchemaNode::from(schema) }));
    };
    match &schema.schema_kind {
        SchemaKind::Type(Type::Object(object)) => add(&mut object.properties.iter()),
        SchemaKind::Type(Type::Array(array)) => {
            if let Some(items) = &array.items {
                collect(items.into(), document, depth, found);
            }
        }
        SchemaKind::Type(Type::String(_) | Type::Number(_) | Type::Integer(_) | Type::Boolean(_))
        | SchemaKind::Not { .. } => {}
        SchemaKind::AllOf { all_of: parts }
        | SchemaKind::OneOf { one_of: parts }
        | SchemaKind::AnyOf { any_of: parts } => {
            for part in parts {
                collect(part.into(), document, depth, found);
            }
        }
        SchemaKind::Any(any) => {
            match &any.items {
                Some(items) => collect(items.into(), document, depth, found),
                None => add(&mut any.properties.iter()),
            }
            for part in any.all_of.iter().chain(&any.one_of).chain(&any.any_of) {
                collect(part.into(), document, depth, found);
            }
        }
    }
}

fn properties<'d>(node: SchemaNode<'d>, document: &'d Document) -> Vec<Named<'d>> {
    let mut found = Vec::new();
    collect(node, document, DEEPEST_PART, &mut found);
    found
}

fn property<'d>(node: SchemaNode<'d>, step: &str, document: &'d Document) -> Property<'d> {
    let known = properties(node, document);
    match known.iter().find(|property| property.name == step) {
        Some(property) => Property::Known(property.schema),
        None if known.is_empty() => Property::Open,
        None => Property::Unknown(known.into_iter().map(|property| property.name.to_owned()).collect()),
    }
}

/// The list of records of an answer: where it is stated to be, else the only one.
fn record_list<'d>(answer: SchemaNode<'d>, records: Option<&str>, document: &'d Document) -> Option<SchemaNode<'d>> {
    let is_list = |node: SchemaNode<'d>| document.schema(node).is_some_and(has_items);
    let lists = properties(answer, document).into_iter().filter(|property| is_list(property.schema));
    let lists: Vec<Named<'d>> = lists.collect();
    let stated = records.and_then(|pointer| pointer.strip_prefix('/'));
    match (lists.iter().find(|list| Some(list.name) == stated), lists.as_slice()) {
        (Some(list), _) | (None, [list]) => Some(list.schema),
        _ => None,
    }
}

fn has_items(schema: &Schema) -> bool {
    match &schema.schema_kind {
        SchemaKind::Type(Type::Array(array)) => array.items.is_some(),
        SchemaKind::Any(any) => any.items.is_some(),
        SchemaKind::Type(Type::String(_) | Type::Number(_) | Type::Integer(_) | Type::Object(_) | Type::Boolean(_))
        | SchemaKind::OneOf { .. }
        | SchemaKind::AllOf { .. }
        | SchemaKind::AnyOf { .. }
        | SchemaKind::Not { .. } => false,
    }
}

//! Alternatives without compositions → one schema that takes what any of them takes. What it takes beyond them is
//! refused by the check of the alternatives themselves.

use std::rc::Rc;

use serde_json::Value;

use crate::lower::flatten::{flatten, type_of};
use crate::lower::resolved::{FurtherProperties, ResolvedProperty, ResolvedSchema, SchemaType};

/// Returns the union. Where no one type takes them all it has no type, and takes any value.
pub(super) fn unite(alternatives: &[ResolvedSchema]) -> ResolvedSchema {
    let description = alternatives.iter().find_map(|one| one.description.clone());
    let example = alternatives.iter().find_map(|one| one.example.clone());
    let read_only = !alternatives.is_empty() && alternatives.iter().all(|one| one.read_only);
    let united = match common_kind(alternatives) {
        Some(SchemaType::Object) => objects(alternatives),
        Some(SchemaType::Array) => arrays(alternatives),
        Some(kind) => scalars(kind, alternatives),
        None => ResolvedSchema::default(),
    };
    ResolvedSchema { description, example, read_only, ..united }
}

/// The type that takes every alternative.
fn common_kind(alternatives: &[ResolvedSchema]) -> Option<SchemaType> {
    let mut kinds: Vec<SchemaType> = Vec::new();
    for alternative in alternatives {
        let kind = type_of(alternative)?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    match kinds.as_slice() {
        [one] => Some(*one),
        [SchemaType::Integer, SchemaType::Number] | [SchemaType::Number, SchemaType::Integer] => {
            Some(SchemaType::Number)
        }
        // A list of what is also taken alone covers both.
        [SchemaType::Array, one] | [one, SchemaType::Array] if is_list_of(*one, alternatives) => {
            Some(SchemaType::Array)
        }
        _ => None,
    }
}

fn is_list_of(kind: SchemaType, alternatives: &[ResolvedSchema]) -> bool {
    let lists = alternatives.iter().filter(|one| type_of(one) == Some(SchemaType::Array));
    let mut items = lists.map(|list| list.items.as_deref().map(flatten));
    items.all(|items| items.is_some_and(|items| type_of(&items) == Some(kind)))
}

fn objects(alternatives: &[ResolvedSchema]) -> ResolvedSchema {
    let mut found: Vec<(String, Vec<Rc<ResolvedSchema>>)> = Vec::new();
    for ResolvedProperty { name, schema } in alternatives.iter().flat_map(|one| &one.properties) {
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, schemas)) if schemas.contains(schema) => {}
            Some((_, schemas)) => schemas.push(Rc::clone(schema)),
            None => found.push((name.clone(), vec![Rc::clone(schema)])),
        }
    }
    let properties = found.into_iter().map(|(name, schemas)| ResolvedProperty { name, schema: any_of(schemas) });
    ResolvedSchema {
        kind: Some(SchemaType::Object),
        properties: properties.collect(),
        required: required_by_all(alternatives),
        further: any_further(alternatives),
        ..ResolvedSchema::default()
    }
}

fn required_by_all(alternatives: &[ResolvedSchema]) -> Vec<String> {
    let Some((first, others)) = alternatives.split_first() else { return Vec::new() };
    let by_all = |name: &&String| others.iter().all(|other| other.required.contains(name));
    first.required.iter().filter(by_all).cloned().collect()
}

/// A schema that is any of these, for the moment when it is written.
fn any_of(mut schemas: Vec<Rc<ResolvedSchema>>) -> Rc<ResolvedSchema> {
    if schemas.len() == 1 {
        return schemas.remove(0);
    }
    let read_only = schemas.iter().all(|schema| schema.read_only);
    Rc::new(ResolvedSchema {
        any_of: schemas.iter().map(|schema| (**schema).clone()).collect(),
        read_only,
        ..ResolvedSchema::default()
    })
}

/// What any of the alternatives takes beside its properties. One that names none takes all.
fn any_further(alternatives: &[ResolvedSchema]) -> Option<FurtherProperties> {
    let mut found: Option<FurtherProperties> = None;
    for alternative in alternatives {
        let free =
            alternative.properties.is_empty() && alternative.further.is_none() && alternative.required.is_empty();
        let own = if free { Some(FurtherProperties::Any(true)) } else { alternative.further.clone() };
        found = match (found, own) {
            (found, None | Some(FurtherProperties::Any(false))) => found,
            (None, own) => own,
            (Some(one), Some(other)) if one == other => Some(one),
            _ => Some(FurtherProperties::Any(true)),
        };
    }
    found
}

fn arrays(alternatives: &[ResolvedSchema]) -> ResolvedSchema {
    let lists: Vec<&ResolvedSchema> =
        alternatives.iter().filter(|one| type_of(one) == Some(SchemaType::Array)).collect();
    let mut items: Vec<Rc<ResolvedSchema>> = Vec::new();
    for list in &lists {
        let own = list.items.clone().unwrap_or_default();
        if !items.contains(&own) {
            items.push(own);
        }
    }
    let every = |unique: fn(&ResolvedSchema) -> Option<usize>| {
        lists.iter().map(|list| unique(list)).collect::<Option<Vec<_>>>()
    };
    // Alone it is a list of one.
    let alone = lists.len() < alternatives.len();
    let least = every(|list| list.min_items).and_then(|all| all.into_iter().min());
    ResolvedSchema {
        kind: Some(SchemaType::Array),
        items: (!items.is_empty()).then(|| any_of(items)),
        min_items: if alone { least.map(|least| least.min(1)) } else { least },
        max_items: every(|list| list.max_items).and_then(|all| all.into_iter().max()),
        unique_items: lists.iter().all(|list| list.unique_items == Some(true)).then_some(true),
        ..ResolvedSchema::default()
    }
}

fn scalars(kind: SchemaType, alternatives: &[ResolvedSchema]) -> ResolvedSchema {
    let mut values: Vec<Value> = Vec::new();
    if alternatives.iter().all(|one| !one.values.is_empty()) {
        for value in alternatives.iter().flat_map(|one| &one.values) {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
    }
    let (minimum, exclusive_minimum) =
        wider(alternatives, |one| (one.minimum.as_ref(), one.exclusive_minimum), |one, other| one < other);
    let (maximum, exclusive_maximum) =
        wider(alternatives, |one| (one.maximum.as_ref(), one.exclusive_maximum), |one, other| one > other);
    let every =
        |length: fn(&ResolvedSchema) -> Option<usize>| alternatives.iter().map(length).collect::<Option<Vec<_>>>();
    ResolvedSchema {
        kind: Some(kind),
        values,
        format: same(alternatives, |one| &one.format),
        pattern: same(alternatives, |one| &one.pattern),
        multiple_of: same(alternatives, |one| &one.multiple_of),
        minimum,
        maximum,
        exclusive_minimum,
        exclusive_maximum,
        min_length: every(|one| one.min_length).and_then(|all| all.into_iter().min()),
        max_length: every(|one| one.max_length).and_then(|all| all.into_iter().max()),
        ..ResolvedSchema::default()
    }
}

/// What all state alike.
fn same<T: Clone + PartialEq>(alternatives: &[ResolvedSchema], of: fn(&ResolvedSchema) -> &Option<T>) -> Option<T> {
    let (first, others) = alternatives.split_first()?;
    others.iter().all(|other| of(other) == of(first)).then(|| of(first).clone())?
}

/// The bound that admits most, and whether it is outside itself; none where one alternative has none.
fn wider(
    alternatives: &[ResolvedSchema],
    of: fn(&ResolvedSchema) -> (Option<&Value>, bool),
    is_wider: fn(f64, f64) -> bool,
) -> (Option<Value>, bool) {
    let mut widest: Option<(&Value, bool)> = None;
    for alternative in alternatives {
        let (Some(bound), exclusive) = of(alternative) else { return (None, false) };
        let Some(number) = bound.as_f64() else { return (None, false) };
        widest = match widest {
            Some((known, was_exclusive)) => match known.as_f64() {
                Some(other) if is_wider(number, other) => Some((bound, exclusive)),
                Some(other) if is_wider(other, number) => Some((known, was_exclusive)),
                _ => Some((known, was_exclusive && exclusive)),
            },
            None => Some((bound, exclusive)),
        };
    }
    widest.map_or((None, false), |(bound, exclusive)| (Some(bound.clone()), exclusive))
}

//! Two schemas without compositions that both hold → one: what either demands, and what both take.

use std::rc::Rc;

use serde_json::Value;

use crate::lower::resolved::{FurtherProperties, ResolvedProperty, ResolvedSchema, SchemaType};

/// Returns what both take; `None` where no value can be both. Of texts, the first one's stay.
pub(super) fn intersect(one: &ResolvedSchema, other: &ResolvedSchema) -> Option<ResolvedSchema> {
    let kind = both_kinds(one.kind, other.kind)?;
    let values = both_values(&one.values, &other.values)?;
    let (minimum, exclusive_minimum) = tighter(
        (one.minimum.as_ref(), one.exclusive_minimum),
        (other.minimum.as_ref(), other.exclusive_minimum),
        |one, other| one > other,
    );
    let (maximum, exclusive_maximum) = tighter(
        (one.maximum.as_ref(), one.exclusive_maximum),
        (other.maximum.as_ref(), other.exclusive_maximum),
        |one, other| one < other,
    );
    let mut required = one.required.clone();
    required.extend(other.required.iter().filter(|name| !one.required.contains(name)).cloned());
    Some(ResolvedSchema {
        kind,
        description: first(one.description.as_ref(), other.description.as_ref()),
        format: first(one.format.as_ref(), other.format.as_ref()),
        pattern: first(one.pattern.as_ref(), other.pattern.as_ref()),
        values,
        minimum,
        maximum,
        exclusive_minimum,
        exclusive_maximum,
        min_length: one.min_length.max(other.min_length),
        max_length: least(one.max_length, other.max_length),
        min_items: one.min_items.max(other.min_items),
        max_items: least(one.max_items, other.max_items),
        unique_items: first(one.unique_items.as_ref(), other.unique_items.as_ref()),
        multiple_of: first(one.multiple_of.as_ref(), other.multiple_of.as_ref()),
        min_properties: one.min_properties.max(other.min_properties),
        max_properties: least(one.max_properties, other.max_properties),
        default: first(one.default.as_ref(), other.default.as_ref()),
        example: first(one.example.as_ref(), other.example.as_ref()),
        read_only: one.read_only || other.read_only,
        // `flatten` knows which parts have to agree on it.
        nullable: false,
        properties: both_properties(&one.properties, &other.properties),
        required,
        further: both_further(one.further.as_ref(), other.further.as_ref()),
        items: match (&one.items, &other.items) {
            (Some(one), Some(other)) => Some(both(one, other)),
            (items, None) | (None, items) => items.clone(),
        },
        all_of: Vec::new(),
        one_of: Vec::new(),
        any_of: Vec::new(),
    })
}

fn first<T: Clone>(one: Option<&T>, other: Option<&T>) -> Option<T> {
    one.or(other).cloned()
}

fn least(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A schema that is both, for the moment when it is written.
fn both(one: &Rc<ResolvedSchema>, other: &Rc<ResolvedSchema>) -> Rc<ResolvedSchema> {
    if one == other {
        return Rc::clone(one);
    }
    Rc::new(ResolvedSchema {
        all_of: vec![(**one).clone(), (**other).clone()],
        read_only: one.read_only || other.read_only,
        ..ResolvedSchema::default()
    })
}

#[expect(clippy::option_option, reason = "outside: whether any value can be both; inside: whether a type is stated")]
fn both_kinds(one: Option<SchemaType>, other: Option<SchemaType>) -> Option<Option<SchemaType>> {
    match (one, other) {
        (Some(SchemaType::Integer), Some(SchemaType::Number))
        | (Some(SchemaType::Number), Some(SchemaType::Integer)) => Some(Some(SchemaType::Integer)),
        (Some(one), Some(other)) => (one == other).then_some(Some(one)),
        (one, other) => Some(one.or(other)),
    }
}

fn both_values(one: &[Value], other: &[Value]) -> Option<Vec<Value>> {
    if one.is_empty() || other.is_empty() {
        return Some(if one.is_empty() { other } else { one }.to_vec());
    }
    let both: Vec<Value> = one.iter().filter(|value| other.contains(value)).cloned().collect();
    (!both.is_empty()).then_some(both)
}

/// The bound that admits less, and whether it is outside itself.
fn tighter(
    one: (Option<&Value>, bool),
    other: (Option<&Value>, bool),
    is_tighter: fn(f64, f64) -> bool,
) -> (Option<Value>, bool) {
    let number = |bound: (Option<&Value>, bool)| bound.0.and_then(Value::as_f64);
    let chosen = match (number(one), number(other)) {
        (Some(left), Some(right)) if is_tighter(right, left) => other,
        (Some(left), Some(right)) if is_tighter(left, right) => one,
        (Some(_), Some(_)) => (one.0, one.1 || other.1),
        (None, Some(_)) => other,
        _ => one,
    };
    (chosen.0.cloned(), chosen.1)
}

fn both_properties(one: &[ResolvedProperty], other: &[ResolvedProperty]) -> Vec<ResolvedProperty> {
    let mut properties: Vec<ResolvedProperty> = one.to_vec();
    for property in other {
        match properties.iter_mut().find(|known| known.name == property.name) {
            Some(known) => known.schema = both(&known.schema, &property.schema),
            None => properties.push(property.clone()),
        }
    }
    properties
}

fn both_further(one: Option<&FurtherProperties>, other: Option<&FurtherProperties>) -> Option<FurtherProperties> {
    use FurtherProperties::{Any, Of};
    match (one, other) {
        (Some(Any(false)), _) | (_, Some(Any(false))) => Some(Any(false)),
        (Some(Of(one)), Some(Of(other))) => Some(Of(both(one, other))),
        (Some(Of(one)), _) | (_, Some(Of(one))) => Some(Of(Rc::clone(one))),
        (Some(Any(true)), _) | (_, Some(Any(true))) => Some(Any(true)),
        (None, None) => None,
    }
}

//! `allOf`, `oneOf` and `anyOf` → one schema without them: what all parts state holds together; of
//! alternatives, the union of what they allow.

use serde_json::Value;

use crate::lower::resolved::{FurtherProperties, ResolvedProperty, ResolvedSchema, SchemaType};

/// Returns a schema whose top level has no compositions.
pub fn flatten(schema: &ResolvedSchema) -> ResolvedSchema {
    let mut flat = schema.clone();
    let parts: Vec<ResolvedSchema> = std::mem::take(&mut flat.all_of).iter().map(flatten).collect();
    // A part that does not take null forbids it, whatever the others say.
    flat.nullable |= !parts.is_empty() && parts.iter().all(|part| part.nullable);
    for part in parts {
        merge_all(&mut flat, part);
    }
    for alternatives in [std::mem::take(&mut flat.one_of), std::mem::take(&mut flat.any_of)] {
        let alternatives: Vec<ResolvedSchema> = alternatives.iter().map(flatten).collect();
        flat.nullable |= alternatives.iter().any(|alternative| alternative.nullable || is_null(alternative));
        let others = alternatives.into_iter().filter(|alternative| !is_null(alternative));
        if let Some(union) = others.reduce(merge_any) {
            merge_all(&mut flat, union);
        }
    }
    flat.nullable |= flat.values.contains(&Value::Null);
    flat
}

fn is_null(alternative: &ResolvedSchema) -> bool {
    alternative.kind == Some(SchemaType::Null) || alternative.values == [Value::Null]
}

/// The one type of a schema. Where the description leaves it open, its other keywords decide.
pub fn type_of(flat: &ResolvedSchema) -> SchemaType {
    match flat.kind {
        Some(
            kind @ (SchemaType::Integer
            | SchemaType::Number
            | SchemaType::Boolean
            | SchemaType::String
            | SchemaType::Array
            | SchemaType::Object),
        ) => kind,
        Some(SchemaType::Null) | None if !flat.properties.is_empty() || flat.further.is_some() => SchemaType::Object,
        Some(SchemaType::Null) | None if flat.items.is_some() => SchemaType::Array,
        Some(SchemaType::Null) | None => match flat.values.first() {
            Some(Value::Number(number)) if number.is_f64() => SchemaType::Number,
            Some(Value::Number(_)) => SchemaType::Integer,
            Some(Value::Bool(_)) => SchemaType::Boolean,
            Some(Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_)) => SchemaType::String,
            None if flat.format.is_some() || flat.pattern.is_some() => SchemaType::String,
            None => SchemaType::Object,
        },
    }
}

/// Both hold: properties and required names add up; of anything else, the first stays.
fn merge_all(flat: &mut ResolvedSchema, more: ResolvedSchema) {
    let ResolvedSchema {
        kind,
        description,
        format,
        pattern,
        values,
        minimum,
        maximum,
        exclusive_minimum,
        exclusive_maximum,
        min_length,
        max_length,
        min_items,
        max_items,
        unique_items,
        default,
        example,
        read_only,
        properties,
        required,
        further,
        items,
        // `flatten` knows which parts have to agree on it.
        nullable: _,
        // Taken out by `flatten`.
        all_of: _,
        one_of: _,
        any_of: _,
    } = more;
    flat.kind = flat.kind.or(kind);
    first(&mut flat.description, description);
    first(&mut flat.format, format);
    first(&mut flat.pattern, pattern);
    first(&mut flat.minimum, minimum);
    first(&mut flat.maximum, maximum);
    flat.exclusive_minimum |= exclusive_minimum;
    flat.exclusive_maximum |= exclusive_maximum;
    first(&mut flat.min_length, min_length);
    first(&mut flat.max_length, max_length);
    first(&mut flat.min_items, min_items);
    first(&mut flat.max_items, max_items);
    first(&mut flat.unique_items, unique_items);
    first(&mut flat.default, default);
    first(&mut flat.example, example);
    flat.read_only |= read_only;
    first(&mut flat.further, further);
    first(&mut flat.items, items);
    if flat.values.is_empty() {
        flat.values = values;
    }
    add_properties(&mut flat.properties, properties);
    for name in required {
        if !flat.required.contains(&name) {
            flat.required.push(name);
        }
    }
}

fn first<T>(mine: &mut Option<T>, theirs: Option<T>) {
    if mine.is_none() {
        *mine = theirs;
    }
}

/// Of properties with the same name, the first stays.
fn add_properties(mine: &mut Vec<ResolvedProperty>, theirs: Vec<ResolvedProperty>) {
    for property in theirs {
        if !mine.iter().any(|known| known.name == property.name) {
            mine.push(property);
        }
    }
}

/// Either holds: properties of both, required only what both require, nothing else that only one
/// demands.
fn merge_any(left: ResolvedSchema, right: ResolvedSchema) -> ResolvedSchema {
    let description = left.description.clone().or_else(|| right.description.clone());
    let mut union = match (type_of(&left), type_of(&right)) {
        (SchemaType::Object, SchemaType::Object) => merge_objects(left, right),
        (one, other) if one == other => merge_equal(one, left, right),
        (SchemaType::Integer, SchemaType::Number) | (SchemaType::Number, SchemaType::Integer) => {
            ResolvedSchema { kind: Some(SchemaType::Number), ..ResolvedSchema::default() }
        }
        // A list of what is also allowed alone: the list is kept, since it covers both.
        (SchemaType::Array, _) => left,
        (_, SchemaType::Array) => right,
        (SchemaType::Object, _) => left,
        (_, SchemaType::Object) => right,
        // Different scalars: text can write any of them.
        _ => ResolvedSchema { kind: Some(SchemaType::String), ..ResolvedSchema::default() },
    };
    first(&mut union.description, description);
    union
}

fn merge_objects(left: ResolvedSchema, right: ResolvedSchema) -> ResolvedSchema {
    let mut properties = left.properties;
    add_properties(&mut properties, right.properties);
    let required = left.required.into_iter().filter(|name| right.required.contains(name)).collect();
    let further = left.further.is_some() || right.further.is_some();
    ResolvedSchema {
        kind: Some(SchemaType::Object),
        properties,
        required,
        further: further.then_some(FurtherProperties::Any(true)),
        ..ResolvedSchema::default()
    }
}

fn merge_equal(kind: SchemaType, left: ResolvedSchema, right: ResolvedSchema) -> ResolvedSchema {
    let mut values = Vec::new();
    if !left.values.is_empty() && !right.values.is_empty() {
        values = left.values;
        let others: Vec<Value> = right.values.into_iter().filter(|value| !values.contains(value)).collect();
        values.extend(others);
    }
    let format = left.format.filter(|format| right.format.as_ref() == Some(format));
    ResolvedSchema { kind: Some(kind), values, items: left.items, format, ..ResolvedSchema::default() }
}

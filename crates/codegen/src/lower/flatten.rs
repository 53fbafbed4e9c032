//! A schema with compositions (`allOf`, `oneOf`, `anyOf`) → one without: what every alternative demands, and what any of
//! them takes. The alternatives themselves stay beside it (`any_of`), each without compositions of its own, for the
//! check before a request is sent: one type and one list of properties can't express which values go together.
//!
//! Properties and items are not flattened here. Those of several parts become compositions themselves, and are
//! flattened when they are written.

use serde_json::Value;

use crate::lower::intersect::intersect;
use crate::lower::resolved::{ResolvedSchema, SchemaType};
use crate::lower::unite::unite;

/// More alternatives than this are united before they meet what holds beside them.
const MOST_ALTERNATIVES: usize = 64;

/// Returns the schema without compositions. With more than one alternative, `any_of` has them.
pub fn flatten(schema: &ResolvedSchema) -> ResolvedSchema {
    let Expanded { mut alternatives, nullable } = expand(schema);
    let mut flat = match alternatives.as_slice() {
        [_] => alternatives.remove(0),
        _ => ResolvedSchema { any_of: Vec::new(), ..unite(&alternatives) },
    };
    flat.any_of = alternatives;
    flat.nullable = nullable || flat.values.contains(&Value::Null);
    if flat.description.is_none() {
        flat.description.clone_from(&schema.description);
    }
    flat
}

/// The alternatives of a schema: without compositions, and without null.
struct Expanded {
    /// At least one.
    alternatives: Vec<ResolvedSchema>,
    nullable: bool,
}

fn expand(schema: &ResolvedSchema) -> Expanded {
    let mut own = schema.clone();
    let (all_of, one_of, any_of) =
        (std::mem::take(&mut own.all_of), std::mem::take(&mut own.one_of), std::mem::take(&mut own.any_of));
    let mut nullable = own.nullable || own.values.contains(&Value::Null);
    let mut alternatives = vec![own];
    let parts: Vec<Expanded> = all_of.iter().map(expand).collect();
    // A part that does not take null forbids it, whatever the others state.
    nullable |= !parts.is_empty() && parts.iter().all(|part| part.nullable);
    for part in parts {
        alternatives = together(alternatives, part.alternatives);
    }
    for group in [one_of, any_of] {
        let mut choices: Vec<ResolvedSchema> = Vec::new();
        for choice in &group {
            if is_null(choice) {
                nullable = true;
                continue;
            }
            let choice = expand(choice);
            nullable |= choice.nullable;
            for one in choice.alternatives {
                if !choices.contains(&one) {
                    choices.push(one);
                }
            }
        }
        if !choices.is_empty() {
            alternatives = together(alternatives, choices);
        }
    }
    Expanded { alternatives, nullable }
}

/// Each of `left` with each of `right`, but for those that nothing can be both of.
fn together(left: Vec<ResolvedSchema>, right: Vec<ResolvedSchema>) -> Vec<ResolvedSchema> {
    let reduced = |side: Vec<ResolvedSchema>| if side.len() > 1 { vec![unite(&side)] } else { side };
    let (left, right) = match left.len().saturating_mul(right.len()) {
        0..=MOST_ALTERNATIVES => (left, right),
        _ if right.len() <= MOST_ALTERNATIVES => (reduced(left), right),
        _ => (left, reduced(right)),
    };
    let mut both = Vec::new();
    for one in &left {
        for other in &right {
            let Some(met) = intersect(one, other) else { continue };
            if !both.contains(&met) {
                both.push(met);
            }
        }
    }
    // A description that contradicts itself: what it states first.
    if both.is_empty() { left } else { both }
}

fn is_null(alternative: &ResolvedSchema) -> bool {
    alternative.kind == Some(SchemaType::Null) || alternative.values == [Value::Null]
}

/// The one type of a schema. Where the description leaves it open, its other keywords decide; `None` where they do not,
/// and any value is taken.
pub fn type_of(flat: &ResolvedSchema) -> Option<SchemaType> {
    if let Some(kind) = flat.kind.filter(|kind| *kind != SchemaType::Null) {
        return Some(kind);
    }
    if !flat.properties.is_empty() || !flat.required.is_empty() || flat.further.is_some() {
        return Some(SchemaType::Object);
    }
    if flat.items.is_some() {
        return Some(SchemaType::Array);
    }
    let mut kinds = flat.values.iter().filter(|value| !value.is_null()).map(kind_of_value);
    if let Some(first) = kinds.next() {
        return kinds.all(|kind| kind == first).then_some(first);
    }
    let of_text =
        flat.format.is_some() || flat.pattern.is_some() || flat.min_length.is_some() || flat.max_length.is_some();
    let of_number = flat.minimum.is_some() || flat.maximum.is_some() || flat.multiple_of.is_some();
    match (of_text, of_number) {
        (true, false) => Some(SchemaType::String),
        (false, true) => Some(SchemaType::Number),
        _ => None,
    }
}

fn kind_of_value(value: &Value) -> SchemaType {
    match value {
        Value::Null => SchemaType::Null,
        Value::Bool(_) => SchemaType::Boolean,
        Value::Number(number) if number.is_f64() => SchemaType::Number,
        Value::Number(_) => SchemaType::Integer,
        Value::String(_) => SchemaType::String,
        Value::Array(_) => SchemaType::Array,
        Value::Object(_) => SchemaType::Object,
    }
}

//! Models with a discriminator (OpenAPI 3.0, Composition and Inheritance) → the schemas that inherit from one by
//! `allOf`. A request that names the model takes any of these.

use openapiv3::{ReferenceOr, Schema, SchemaData, SchemaKind};

use crate::read::document::{Document, SchemaNode};

/// A longer line of inheritance is taken for a circle.
const LONGEST_LINE: usize = 16;

/// Returns the heirs that the discriminator of the model at `reference` names, else all; none where the model states
/// its alternatives itself, or has no discriminator.
pub(super) fn heirs<'d>(document: &'d Document, reference: &str) -> Vec<&'d str> {
    let Some(model) = document.schema(SchemaNode::Reference(reference)) else { return Vec::new() };
    let Some(discriminator) = &model.schema_data.discriminator else { return Vec::new() };
    if states_alternatives(&model.schema_kind) {
        return Vec::new();
    }
    let known = document.component_references();
    let find = |target: &str| {
        let is_meant = |known: &&String| known.as_str() == target || known.rsplit('/').next() == Some(target);
        known.iter().find(is_meant).map(String::as_str)
    };
    let mut mapped: Vec<&str> = Vec::new();
    for heir in discriminator.mapping.values().filter_map(|target| find(target)) {
        if !mapped.contains(&heir) {
            mapped.push(heir);
        }
    }
    if !mapped.is_empty() {
        return mapped;
    }
    let own = known.iter().find(|known| *known == reference).map(String::as_str);
    let heirs: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .filter(|heir| *heir != reference && inherits(document, heir, reference))
        .collect();
    // Where the discriminator names none, the model itself is one more.
    if heirs.is_empty() { heirs } else { own.into_iter().chain(heirs).collect() }
}

/// Whether the schema at `heir` inherits from a model with a discriminator.
pub(super) fn inherits(document: &Document, heir: &str, model: &str) -> bool {
    let has_discriminator = |data: &SchemaData| data.discriminator.is_some();
    let of_model = document.schema(SchemaNode::Reference(model)).map(|schema| &schema.schema_data);
    of_model.is_some_and(has_discriminator) && leads(document, heir, model, LONGEST_LINE)
}

fn leads(document: &Document, from: &str, to: &str, left: usize) -> bool {
    let parts = document.schema(SchemaNode::Reference(from)).map(parts).unwrap_or_default();
    left > 0
        && parts.iter().any(|part| match part {
            ReferenceOr::Reference { reference } => reference == to || leads(document, reference, to, left - 1),
            ReferenceOr::Item(_) => false,
        })
}

fn parts(schema: &Schema) -> &[ReferenceOr<Schema>] {
    match &schema.schema_kind {
        SchemaKind::AllOf { all_of } => all_of,
        SchemaKind::Any(any) => &any.all_of,
        _ => &[],
    }
}

fn states_alternatives(kind: &SchemaKind) -> bool {
    match kind {
        SchemaKind::OneOf { .. } | SchemaKind::AnyOf { .. } => true,
        SchemaKind::Any(any) => !any.one_of.is_empty() || !any.any_of.is_empty(),
        SchemaKind::Type(_) | SchemaKind::AllOf { .. } | SchemaKind::Not { .. } => false,
    }
}

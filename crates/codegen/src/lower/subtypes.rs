//! A discriminator → the schemas that it chooses between, each with the values that choose it. OpenAPI
//! knows two ways: alternatives of a `oneOf` or `anyOf`, and schemas that are built on the one with the
//! discriminator by `allOf`.

use openapiv3::{Discriminator, ReferenceOr, Schema, SchemaKind};

use crate::read::document::{Document, SchemaNode};
use crate::read::reference::LONGEST_CHAIN;

/// A schema that is built on another one.
pub(super) struct Subtype<'d> {
    pub(super) reference: &'d str,
    /// The property that chooses it, and its values there.
    pub(super) property: &'d str,
    pub(super) values: Vec<String>,
}

/// How a component's reference begins.
const SCHEMAS: &str = "#/components/schemas/";

/// Returns the schemas that are built on the one at `base`, where that has a discriminator and no alternatives of its
/// own: those that its mapping names, else all.
pub(super) fn of<'d>(base: &'d str, document: &'d Document) -> Vec<Subtype<'d>> {
    let Some(schema) = document.schema(SchemaNode::Reference(base)) else { return Vec::new() };
    let Some(discriminator) = &schema.schema_data.discriminator else { return Vec::new() };
    let has_alternatives = match &schema.schema_kind {
        SchemaKind::OneOf { .. } | SchemaKind::AnyOf { .. } => true,
        SchemaKind::Any(any) => !any.one_of.is_empty() || !any.any_of.is_empty(),
        SchemaKind::Type(_) | SchemaKind::AllOf { .. } | SchemaKind::Not { .. } => false,
    };
    if has_alternatives {
        return Vec::new();
    }
    let mut found: Vec<Subtype<'d>> = Vec::new();
    let mut add = |reference: &'d str, value: String| match found.iter_mut().find(|other| other.reference == reference)
    {
        Some(known) => known.values.push(value),
        None => found.push(Subtype { reference, property: &discriminator.property_name, values: vec![value] }),
    };
    for (value, target) in &discriminator.mapping {
        if let Some(reference) = reference_in(target, document) {
            add(reference, value.clone());
        }
    }
    if found.is_empty() {
        let all = built_on(base, document);
        // Without a mapping it is a choice itself, unless there is nothing to choose.
        let own = (!all.is_empty()).then(|| base.strip_prefix(SCHEMAS).map(|name| (base, unescape(name)))).flatten();
        found.extend(own.into_iter().chain(all).map(|(reference, name)| Subtype {
            reference,
            property: &discriminator.property_name,
            values: vec![name],
        }));
    }
    found
}

/// Returns the values by which a discriminator chooses the alternative at `reference`.
pub(super) fn values(discriminator: &Discriminator, reference: &str) -> Vec<String> {
    let name = reference.strip_prefix(SCHEMAS);
    let means = |target: &str| target == reference || name.is_some_and(|name| target == name);
    let mapped = discriminator.mapping.iter().filter(|(_, target)| means(target));
    let mapped: Vec<String> = mapped.map(|(value, _)| value.clone()).collect();
    // Without a mapping the schema's name is the value. Where others are mapped, it is probably none.
    match name {
        Some(name) if mapped.is_empty() && discriminator.mapping.is_empty() => vec![name.to_owned()],
        _ => mapped,
    }
}

/// The reference that a mapping means, as long as the document lives: a mapping may name the component only.
fn reference_in<'d>(target: &'d str, document: &'d Document) -> Option<&'d str> {
    if target.starts_with('#') {
        return document.target::<Schema>(target).map(|_| target);
    }
    names(document).find(|(_, name)| *name == target).map(|(reference, _)| reference)
}

/// Each reference of the description that is used and means a component, with that component's name.
fn names(document: &Document) -> impl Iterator<Item = (&str, &str)> {
    document
        .component_references()
        .iter()
        .filter_map(|reference| Some((reference.as_str(), reference.strip_prefix(SCHEMAS)?)))
}

/// The components whose `allOf` leads to `base`, directly or through others.
fn built_on<'d>(base: &str, document: &'d Document) -> Vec<(&'d str, String)> {
    names(document)
        .filter(|(reference, _)| *reference != base && is_built_on(reference, base, document))
        .map(|(reference, name)| (reference, unescape(name)))
        .collect()
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// Whether the `allOf` of the schema at `reference` leads to `base`, which has a discriminator.
pub(super) fn is_built_on(reference: &str, base: &str, document: &Document) -> bool {
    let discriminates =
        document.schema(SchemaNode::Reference(base)).is_some_and(|schema| schema.schema_data.discriminator.is_some());
    discriminates && leads_to(reference, base, document, LONGEST_CHAIN)
}

fn leads_to(reference: &str, base: &str, document: &Document, deepest: usize) -> bool {
    let Some(deepest) = deepest.checked_sub(1) else { return false };
    let Some(schema) = document.schema(SchemaNode::Reference(reference)) else { return false };
    let parts: &[ReferenceOr<Schema>] = match &schema.schema_kind {
        SchemaKind::AllOf { all_of } => all_of,
        SchemaKind::Any(any) => &any.all_of,
        _ => return false,
    };
    parts.iter().any(|part| match part {
        ReferenceOr::Reference { reference } => reference == base || leads_to(reference, base, document, deepest),
        ReferenceOr::Item(_) => false,
    })
}

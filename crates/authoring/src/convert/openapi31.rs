//! OpenAPI 3.1 → 3.0.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::grammar::{Role, references, visit};
use super::{Steps, schema, take_object};
use toolwright_codegen::read::reference::below;

/// Converts in place.
pub(super) fn convert(document: &mut Value, steps: &mut Steps) {
    if let Value::Object(root) = document {
        drop_sections(root, steps);
    }
    hoist_definitions(document, steps);
    visit(document, &mut |role, value, pointer| {
        if role == Role::Schema {
            schema::convert(value, pointer, steps);
        }
    });
}

fn drop_sections(root: &mut Map<String, Value>, steps: &mut Steps) {
    root.insert("openapi".to_owned(), json!("3.0.3"));
    if let Some(webhooks) = root.shift_remove("webhooks") {
        let number = webhooks.as_object().map_or(0, Map::len);
        let what = format!("{number} webhooks are requests by the vendor and no tools: left out");
        steps.add("webhooks", "/webhooks", what);
    }
    root.shift_remove("jsonSchemaDialect");
    if let Some(Value::Object(info)) = root.get_mut("info") {
        info.shift_remove("summary");
        if let Some(Value::Object(license)) = info.get_mut("license") {
            license.shift_remove("identifier");
        }
    }
    if !root.contains_key("paths") {
        steps.add("paths", "", "a description without `paths` gets empty ones");
        root.insert("paths".to_owned(), json!({}));
    }
    let schemes = root.get_mut("components").and_then(|components| components.get_mut("securitySchemes"));
    if let Some(Value::Object(schemes)) = schemes {
        schemes.retain(|name, scheme| {
            let known = scheme.get("type").and_then(Value::as_str) != Some("mutualTLS");
            if !known {
                let pointer = format!("/components/securitySchemes/{name}");
                steps.add("mutual-tls", &pointer, "OpenAPI 3.0 has no client certificates: left out");
            }
            known
        });
    }
}

/// Moves each `$defs` to `components/schemas`, the only place for named schemas in 3.0.
fn hoist_definitions(document: &mut Value, steps: &mut Steps) {
    let mut found: Vec<(String, String, Value)> = Vec::new();
    if let Value::Object(defs) = document.get_mut("$defs").map(Value::take).unwrap_or_default() {
        found.extend(defs.into_iter().map(|(name, schema)| (format!("/$defs/{name}"), name, schema)));
        document.as_object_mut().map(|root| root.shift_remove("$defs"));
    }
    visit(document, &mut |role, value, pointer| {
        let (Role::Schema, Value::Object(object)) = (role, value) else { return };
        for key in ["$defs", "definitions"] {
            for (name, schema) in take_object(object, key) {
                found.push((format!("{pointer}/{key}/{name}"), name, schema));
            }
        }
    });
    if found.is_empty() {
        return;
    }
    let Some(root) = document.as_object_mut() else { return };
    let components = root.entry("components").or_insert_with(|| json!({}));
    if !components.is_object() {
        *components = json!({});
    }
    let Some(components) = components.as_object_mut() else { return };
    let schemas = components.entry("schemas").or_insert_with(|| json!({}));
    if !schemas.is_object() {
        *schemas = json!({});
    }
    let Some(schemas) = schemas.as_object_mut() else { return };
    // Old pointer → new.
    let mut moved: BTreeMap<String, String> = BTreeMap::new();
    for (pointer, name, schema) in found {
        let free = free_name(&name, |name| schemas.contains_key(name));
        steps.add("defs", &pointer, format!("moves to the schemas as `{free}`"));
        moved.insert(pointer, format!("/components/schemas/{free}"));
        schemas.insert(free, schema);
    }
    references(document, &mut |reference| {
        let Some(pointer) = reference.strip_prefix('#') else { return };
        // A definition inside of one that moved has moved with it.
        let target = moved.iter().rev().find_map(|(old, new)| Some(format!("#{new}{}", below(pointer, old)?)));
        // Some generators write `#/$defs/X` relative to the surrounding schema.
        let meant = || {
            let name = pointer.strip_prefix("/$defs/")?;
            let suffix = format!("/$defs/{name}");
            moved.iter().find_map(|(old, new)| old.ends_with(&suffix).then(|| format!("#{new}")))
        };
        if let Some(target) = target.or_else(meant) {
            *reference = target;
        }
    });
}

/// A name like `wanted` that OpenAPI allows and that is not taken.
pub(super) fn free_name(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut name: String = wanted.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if name.is_empty() {
        "part".clone_into(&mut name);
    }
    if !taken(&name) {
        return name;
    }
    (2..u32::MAX).map(|number| format!("{name}_{number}")).find(|name| !taken(name)).unwrap_or(name)
}

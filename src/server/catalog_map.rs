//! Tools → a map of them by vendor and tag: how many there are, or their names.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::call::CallTool;
use crate::catalog::{Catalog, CatalogEntry};
use toolwright_model::{CORE_TAG, HELD_BACK_TAGS};

/// The most names below a tag; of more tools, these are the first and their number is there.
const MOST_NAMES: usize = 40;

/// Returns the map, with names of tools or with numbers only.
pub(super) fn map(catalog: &Catalog, entries: &[&CatalogEntry], names: bool) -> Value {
    let mut vendors: BTreeMap<&str, Vec<&CatalogEntry>> = BTreeMap::new();
    for entry in entries {
        vendors.entry(&entry.vendor).or_default().push(entry);
    }
    let vendors: Vec<Value> = vendors.into_iter().map(|(id, entries)| vendor(catalog, id, &entries, names)).collect();
    json!({"vendors": vendors})
}

fn vendor(catalog: &Catalog, id: &str, entries: &[&CatalogEntry], names: bool) -> Value {
    let mut effects: BTreeMap<CallTool, usize> = BTreeMap::new();
    let mut tags: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        *effects.entry(CallTool::of(entry.head().effect)).or_default() += 1;
        let says_nothing = |tag: &str| tag == CORE_TAG || HELD_BACK_TAGS.contains(&tag);
        for tag in entry.head().tags.iter().map(String::as_str).filter(|tag| !says_nothing(tag)) {
            tags.entry(tag).or_default().push(&entry.head().name);
        }
    }
    let title = catalog.title(id);
    let mut map = json!({"vendor": id, "title": title, "tools": entries.len()});
    for (effect, count) in effects {
        map[effect.effect()] = json!(count);
    }
    let tags = tags.into_iter().map(|(tag, tools)| (tag.to_owned(), of_tag(&tools, names)));
    map["tags"] = Value::Object(tags.collect());
    map
}

fn of_tag(tools: &[&str], names: bool) -> Value {
    match tools.get(..MOST_NAMES) {
        _ if !names => json!(tools.len()),
        Some(first) if tools.len() > MOST_NAMES => {
            let others = format!("and {} more", tools.len() - MOST_NAMES);
            json!(first.iter().copied().chain([others.as_str()]).collect::<Vec<_>>())
        }
        _ => json!(tools),
    }
}

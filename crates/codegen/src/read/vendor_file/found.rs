//! `[[found]]` → [`FoundWord`], the ids in roots that a vendor states of itself.

use super::text;
use crate::read::located::{Located, one_of};
use toolwright_model::{Address, FoundWord, Template};

/// Reads the ids that the vendor is asked for.
pub(super) fn read(items: &[Located<'_>]) -> Vec<FoundWord> {
    let mut words: Vec<FoundWord> = Vec::new();
    for item in items {
        let Some(word) = read_one(item) else { continue };
        if let (true, Some(name)) = (words.iter().any(|other| other.name == word.name), item.get("name")) {
            name.wrong("a name of its own for each id");
        }
        words.push(word);
    }
    words
}

fn read_one(at: &Located<'_>) -> Option<FoundWord> {
    at.only(&["name", "operation", "value", "missing"]);
    let name = text(at, "name", "what roots call it in `{}`");
    if let (Some(name), Some(entry)) = (&name, at.get("name"))
        && (!name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        entry.wrong("a word of letters and digits, the first of them small");
    }
    let operation = text(at, "operation", "the id of an operation that reads");
    let value = text(at, "value", "a JSON pointer into its answer");
    if let (Some(value), Some(entry)) = (&value, at.get("value"))
        && !value.starts_with('/')
    {
        entry.wrong("a JSON pointer, such as `/values/0/id`");
    }
    let missing = text(at, "missing", "what it means where the answer has no such id");
    Some(FoundWord { name: name?, operation: operation?, value: value?, missing: missing? })
}

/// Checks that each id is a part of a root after its host, to which credentials are sent, and that the operation which states it is of an API whose own root has
/// none. `api_of` returns the API of an operation, by the name of its file; `root` is vendor.toml.
pub fn check_found(
    words: &[FoundWord],
    addresses: &[Address],
    api_of: impl Fn(&str) -> Option<String>,
    root: &Located<'_>,
) {
    let has = |template: &str, word: &FoundWord| Template(template).names().any(|name| name == word.name);
    let templates = || addresses.iter().flat_map(|address| &address.roots);
    let open: Vec<&str> = templates()
        .filter(|(_, template)| words.iter().any(|word| has(template, word)))
        .map(|(api, _)| api.as_str())
        .collect();
    for (index, word) in words.iter().enumerate() {
        if !templates().any(|(_, template)| has(template, word)) {
            let at = root.nearest(&format!("/found/{index}/name"));
            at.report(
                "the name of an id that is in one of the `roots`",
                format!("`{}`, which is in none", word.name),
                None,
            );
        }
        for (index_of_address, address) in addresses.iter().enumerate() {
            for (api, template) in address.roots.iter().filter(|(_, template)| !is_in_path(template, &word.name)) {
                let several = format!("/addresses/{index_of_address}/roots/{api}");
                let pointer =
                    if root.at_pointer(&several).is_some() { several } else { format!("/address/roots/{api}") };
                let expected =
                    format!("`{{{}}}` after the host, which is not the vendor's answer to choose", word.name);
                root.nearest(&pointer).report(expected, format!("`{template}`"), None);
            }
        }
        if let Some(api) = api_of(&word.operation).filter(|api| open.contains(&api.as_str())) {
            let at = root.nearest(&format!("/found/{index}/operation"));
            let expected = format!("an operation of another API than {}", one_of(open.iter().copied()));
            at.report(expected, format!("one of `{api}`, whose root has to be found itself"), None);
        }
    }
}

/// Whether a name in `{}`, wherever it is in a template, comes after the host.
fn is_in_path(template: &str, name: &str) -> bool {
    let marked = format!("{{{name}}}");
    let without_scheme = template.strip_prefix("https://").unwrap_or(template);
    without_scheme.split('/').next().is_none_or(|host| !host.contains(&marked))
}

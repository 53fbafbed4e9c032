//! `[address]` or `[[addresses]]` → [`Address`]. Every template is filled with every value that its
//! variable may hold, so that a wrong root is found by the build and not at run time.

use std::collections::BTreeMap;

use super::{choice, optional_text, table, text, texts, variable};
use crate::read::located::{Located, one_of};
use toolwright_model::{Address, AddressVariable, FoundWord, Holds, Template};

/// Reads a vendor's addresses, without those that have faults. `found` are the ids that their roots may have besides
/// variables and words.
pub(super) fn read(root: &Located<'_>, found: &[FoundWord]) -> Vec<Address> {
    match (root.get("address"), root.get("addresses")) {
        (Some(one), None) => read_one(&one, false, found).into_iter().collect(),
        (None, Some(several)) => {
            let items = several.items();
            if items.is_empty() && several.value.is_array() {
                several.wrong("at least one `[[addresses]]`");
            }
            let mut addresses: Vec<Address> = Vec::new();
            for item in &items {
                let Some(address) = read_one(item, items.len() > 1, found) else { continue };
                if let Some(name) = item.get("name")
                    && addresses.iter().any(|other| other.name == address.name)
                {
                    name.wrong("a name of its own for each address");
                }
                addresses.push(address);
            }
            addresses
        }
        (Some(one), Some(_)) => {
            let hint = "put the keys of `[address]` into an entry of `[[addresses]]`".to_owned();
            one.report("`address` or `addresses`".to_owned(), "both".to_owned(), Some(hint));
            Vec::new()
        }
        (None, None) => {
            root.required("address", "a table with `variable` and `example`");
            Vec::new()
        }
    }
}

fn read_one(at: &Located<'_>, named: bool, found: &[FoundWord]) -> Option<Address> {
    at.only(&[
        "name", "variable", "example", "hint", "holds", "strip", "pages", "also", "default", "values", "words", "root",
        "roots",
    ]);
    let name = if named { text(at, "name", "what `at` calls it") } else { optional_text(at, "name") };
    let variable = variable(at, "variable");
    let example = text(at, "example", "an address");
    let values = at.get("values").map(|values| read_values(&values)).unwrap_or_default();
    let address = Address {
        name: if named { name? } else { name.unwrap_or_default() },
        variable: variable?,
        example: example?,
        hint: optional_text(at, "hint").unwrap_or_default(),
        holds: at.get("holds").and_then(|holds| choice(&holds, &Holds::ALL)).unwrap_or_default(),
        strip: texts(at, "strip"),
        pages: at.get("pages").map(|pages| read_pages(&pages)).unwrap_or_default(),
        also: at.get("also").map(|also| also.items().iter().filter_map(read_also).collect()).unwrap_or_default(),
        default: optional_text(at, "default"),
        values,
        words: at.get("words").map(|words| table(&words)).unwrap_or_default(),
        root: optional_text(at, "root"),
        roots: at.get("roots").map(|roots| table(&roots)).unwrap_or_default(),
    };
    check(at, &address, found);
    Some(address)
}

/// Reads paths of pages; a segment may be `*`.
fn read_pages(at: &Located<'_>) -> Vec<String> {
    for item in at.items() {
        let path = item.value.as_str().unwrap_or_default();
        let mut segments = path.strip_prefix('/').unwrap_or_default().split('/');
        if segments.clone().next() == Some("*") || segments.any(str::is_empty) {
            item.wrong("a path such as `/browse/*`, whose first segment is a name");
        }
    }
    at.texts()
}

fn read_also(at: &Located<'_>) -> Option<AddressVariable> {
    at.only(&["variable", "example", "strip"]);
    let (variable, example) = (variable(at, "variable"), text(at, "example", "an address"));
    Some(AddressVariable { variable: variable?, example: example?, strip: texts(at, "strip") })
}

fn read_values(at: &Located<'_>) -> BTreeMap<String, BTreeMap<String, String>> {
    at.entries().into_iter().map(|(value, words)| (value.to_owned(), table(&words))).collect()
}

/// Checks combinations of keys of one address.
fn check(at: &Located<'_>, address: &Address, found: &[FoundWord]) {
    let stated = |key: &str| at.get(key);
    if let (Some(root), false) = (stated("root"), address.roots.is_empty()) {
        root.report("`root` or `roots`".to_owned(), "both".to_owned(), None);
    }
    if address.root.is_none()
        && address.roots.is_empty()
        && (address.holds != Holds::Address || !address.values.is_empty())
    {
        let found = format!("neither, and `{}` holds no address", address.variable);
        at.report("`root` or `roots`".to_owned(), found, None);
    }
    if let (Some(holds), false) = (stated("holds"), address.values.is_empty()) {
        holds.report("`holds` or `values`".to_owned(), "both".to_owned(), None);
    }
    if let (Some(default), Some(at)) = (&address.default, stated("default"))
        && !address.values.is_empty()
        && !address.values.contains_key(default)
    {
        at.wrong(one_of(address.values.keys().map(String::as_str)));
    }
    let variables: Vec<&str> = address.variables().collect();
    if let Some(root) = stated("root") {
        check_template(&root, root.value.as_str().unwrap_or_default(), address, &variables);
    }
    let with_found: Vec<&str> = address.variables().chain(found.iter().map(|word| word.name.as_str())).collect();
    for (_, root) in stated("roots").into_iter().flat_map(|roots| roots.entries()) {
        check_template(&root, root.value.as_str().unwrap_or_default(), address, &with_found);
    }
}

/// Checks a text with words in `{}` against each value of the address's variable. `further` are the words besides those
/// of the address, whose values are not known here.
pub(super) fn check_template(at: &Located<'_>, template: &str, address: &Address, further: &[&str]) {
    let mut values: Vec<&str> = address.values.keys().map(String::as_str).collect();
    if values.is_empty() {
        values.push("");
    }
    for value in values {
        let known: Vec<&str> = address.words_for(value).map(|(name, _)| name).collect();
        // Their shape is enough.
        let filled = Template(template).fill(|name| {
            let word = address.words_for(value).filter(|(known, _)| *known == name).last();
            let word = word.map(|(_, word)| word.to_owned());
            word.or_else(|| further.contains(&name).then(|| stand_in(address, name)))
        });
        let for_value = if value.is_empty() { String::new() } else { format!(" (for `{value}`)") };
        match filled {
            Err(unknown) => {
                let words = known.iter().chain(further).copied();
                at.report(one_of(words) + " in `{}`", format!("`{{{unknown}}}`{for_value}"), None);
            }
            Ok(root) if !root.starts_with("https://") || root.contains(['?', '#', '@', ' ']) => {
                let found = format!("`{root}`{for_value}");
                at.report("an address that begins with `https://`".to_owned(), found, None);
            }
            Ok(_) => continue,
        }
        return;
    }
}

fn stand_in(address: &Address, name: &str) -> String {
    let is_main = name == address.variable && address.holds == Holds::Address && address.values.is_empty();
    let holds_address = is_main || address.also.iter().any(|also| also.variable == name);
    if holds_address { "https://x".to_owned() } else { "x".to_owned() }
}

/// Checks that `roots` of each address has a root for each of the vendor's APIs and for no other;
/// `root` is vendor.toml.
pub fn check_roots(addresses: &[Address], apis: &[&str], root: &Located<'_>) {
    for (index, address) in addresses.iter().enumerate().filter(|(_, address)| !address.roots.is_empty()) {
        let pointer = if addresses.len() == 1 && address.name.is_empty() {
            "/address/roots".to_owned()
        } else {
            format!("/addresses/{index}/roots")
        };
        let at = root.nearest(&pointer);
        let expected = || format!("a root for each of the vendor's files: {}", one_of(apis.iter().copied()));
        for api in apis.iter().filter(|api| !address.roots.contains_key(**api)) {
            at.report(expected(), format!("none for `{api}`"), None);
        }
        for name in address.roots.keys().filter(|name| !apis.contains(&name.as_str())) {
            at.report(expected(), format!("`{name}`, which is no file"), None);
        }
    }
}

//! The variables of a vendor's addresses → the roots of its APIs.

use std::collections::BTreeMap;

use url::Url;

use super::{Environment, GivenValue, value};
use crate::error::ConfigError;
use crate::upstream::{Unencrypted, parse_address};
use toolwright_model::{Address, FoundWord, Holds, Template, Vendor, api_id};

/// An address whose variables are set, or that has a default.
pub(super) struct ConfiguredAddress<'v> {
    pub address: &'v Address,
    values: Vec<(&'v str, GivenValue)>,
    /// No variable of it is set: its default applies.
    pub by_default: bool,
}

/// The roots of a vendor's APIs.
pub(super) struct ApiRoots {
    /// The root that most APIs have, of those that are known as a whole.
    pub base: Url,
    /// By API id; empty where all share the first.
    pub roots: BTreeMap<String, Url>,
    /// Those of `roots` that have ids which the vendor is asked for.
    pub open: BTreeMap<String, OpenRoot>,
}

/// A root with ids that the vendor is asked for, once it is called.
#[derive(Debug, Clone)]
pub struct OpenRoot {
    /// The root, with the ids' names in `{}`.
    template: String,
    /// What the ids are and which operation states each.
    pub words: Vec<FoundWord>,
    unencrypted: Unencrypted,
}

impl OpenRoot {
    /// The root with these ids in place of their names.
    ///
    /// # Errors
    /// An id is missing, or the text is no address.
    pub fn fill(&self, ids: &BTreeMap<String, String>) -> Result<Url, ConfigError> {
        let text = Template(&self.template).fill(|name| ids.get(name).cloned());
        let text = text.map_err(|name| ConfigError::new(format!("`{name}` is not known")))?;
        parse_address(&text, &[], self.unencrypted).map_err(|error| ConfigError::new(format!("a root {error}")))
    }
}

/// Returns the vendor's addresses that can be used, in the order of its file: those whose variables are set,
/// else those that have a default.
///
/// # Errors
/// An address has some of its variables set and some missing.
pub(super) fn configured<'v>(
    vendor: &'v Vendor,
    env: Environment<'_>,
) -> Result<Vec<ConfiguredAddress<'v>>, ConfigError> {
    let mut set = Vec::new();
    let mut by_default = Vec::new();
    for address in &vendor.addresses {
        let mut values = Vec::new();
        let mut missing = Vec::new();
        for variable in address.variables() {
            match value(variable, env)? {
                Some(value) => values.push((variable, value)),
                None => missing.push(variable),
            }
        }
        if missing.is_empty() {
            set.push(ConfiguredAddress { address, values, by_default: false });
        } else if let (true, Some(default)) = (values.is_empty() && address.also.is_empty(), &address.default) {
            let default = GivenValue { text: default.clone(), variable: address.variable.clone() };
            values.push((address.variable.as_str(), default));
            by_default.push(ConfiguredAddress { address, values, by_default: true });
        } else if !values.is_empty() {
            return Err(not_set(vendor, &missing, &example(address, missing[0])));
        }
    }
    Ok(if set.is_empty() { by_default } else { set })
}

/// The error that variables of an address are missing.
pub(super) fn not_set(vendor: &Vendor, missing: &[&str], hint: &str) -> ConfigError {
    ConfigError::new(format!("{}: `{}` is not set\nhint: {hint}", vendor.title, missing.join("`, `")))
}

/// An example of a variable's value, and where to find the value.
pub(super) fn example(address: &Address, variable: &str) -> String {
    let also = address.also.iter().find(|also| also.variable == variable);
    let example = also.map_or(&address.example, |also| &also.example);
    match address.hint.as_str() {
        hint if !hint.is_empty() && also.is_none() => format!("for example `{example}`; {hint}"),
        _ => format!("for example `{example}`"),
    }
}

impl ConfiguredAddress<'_> {
    /// The variables of the address, for `doctor`.
    pub(super) fn source(&self) -> String {
        let names: Vec<&str> = self.values.iter().map(|(_, value)| value.variable.as_str()).collect();
        let by_default = if self.by_default { ", which is not set" } else { "" };
        format!("{}{by_default}", names.join(" and "))
    }

    fn value(&self) -> &str {
        self.values.first().map_or("", |(_, value)| value.text.as_str())
    }

    /// A word for templates: from the vendor's file only, never a variable's value.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        let value = self.value().to_ascii_lowercase();
        self.address.words_for(&value).filter(|(known, _)| *known == name).last().map(|(_, word)| word.to_owned())
    }

    /// Makes the roots.
    ///
    /// # Errors
    /// A variable's value is wrong; the error does not repeat it, because it may be a secret.
    pub(super) fn roots(&self, vendor: &Vendor, unencrypted: Unencrypted) -> Result<ApiRoots, ConfigError> {
        let mut filled = BTreeMap::new();
        for (variable, value) in &self.values {
            filled.insert(*variable, self.checked(variable, &value.text, unencrypted)?);
        }
        let fill = |template: &str, of_found: fn(&FoundWord) -> String| {
            let found = |name: &str| vendor.found.iter().find(|word| word.name == name).map(of_found);
            let known = |name: &str| self.word(name).or_else(|| filled.get(name).cloned()).or_else(|| found(name));
            Template(template).fill(known).map_err(|name| fault(vendor, &format!("`{name}` is not defined")))
        };
        // In what people read, and where nothing is asked, an id's name stands for it.
        let root = |template: &str| {
            let text = fill(template, |word| word.name.clone())?;
            parse_address(&text, &[], unencrypted).map_err(|error| fault(vendor, &format!("a root {error}")))
        };
        let (mut roots, mut open) = (BTreeMap::new(), BTreeMap::new());
        for (stem, template) in &self.address.roots {
            let api = api_id(stem, &vendor.id);
            let in_it = |word: &&FoundWord| Template(template).names().any(|name| name == word.name);
            let words: Vec<FoundWord> = vendor.found.iter().filter(in_it).cloned().collect();
            if !words.is_empty() {
                let template = fill(template, |word| format!("{{{}}}", word.name))?;
                open.insert(api.clone(), OpenRoot { template, words, unencrypted });
            }
            roots.insert(api, root(template)?);
        }
        let base = match most_shared(&roots, |api| !open.contains_key(api)) {
            Some(shared) => shared.clone(),
            None => root(&self.address.root_of("api").unwrap_or_default())?,
        };
        Ok(ApiRoots { base, roots, open })
    }

    /// A variable's value as it is put into a template.
    fn checked(&self, variable: &str, value: &str, unencrypted: Unencrypted) -> Result<String, ConfigError> {
        let address = self.address;
        let hint = example(address, variable);
        let wrong = |what: String| ConfigError::new(format!("`{variable}` {what}\nhint: {hint}"));
        let also = address.also.iter().find(|also| also.variable == variable);
        if also.is_none() && !address.values.is_empty() {
            let value = value.to_ascii_lowercase();
            if !address.values.contains_key(&value) {
                let known: Vec<&str> = address.values.keys().map(String::as_str).collect();
                return Err(wrong(format!("is none of `{}`", known.join("`, `"))));
            }
            return Ok(value);
        }
        match address.holds {
            Holds::Uuid if also.is_none() => {
                if !is_uuid(value) {
                    return Err(wrong("is no UUID".to_owned()));
                }
                Ok(value.to_ascii_lowercase())
            }
            _ => {
                let strip = also.map_or(&address.strip, |also| &also.strip);
                let url = parse_address(value, strip, unencrypted).map_err(|error| wrong(error.to_string()))?;
                match address.page_in(url.path().trim_end_matches('/')) {
                    Some((before, page)) if also.is_none() => Err(pasted_page(variable, &url, before, page)),
                    _ => Ok(url.as_str().trim_end_matches('/').to_owned()),
                }
            }
        }
    }
}

/// The root that most APIs have, among those that `is_known` as a whole if there are any; of several, the first by the
/// names of the APIs.
fn most_shared(roots: &BTreeMap<String, Url>, is_known: impl Fn(&str) -> bool) -> Option<&Url> {
    let count = |root: &Url| roots.values().filter(|other| *other == root).count();
    // `max_by_key` returns the last of equals.
    let best = roots.iter().rev().max_by_key(|(api, root)| (is_known(api.as_str()), count(root)));
    best.map(|(_, root)| root)
}

/// The error for the address of a page in place of the root. The address has been read, so it holds no credentials.
fn pasted_page(variable: &str, url: &Url, before: &str, page: &str) -> ConfigError {
    let root = format!("{}{before}", url.origin().ascii_serialization());
    ConfigError::new(format!("`{variable}` holds the address of a page, `{page}`\nhint: the root is needed: `{root}`"))
}

fn fault(vendor: &Vendor, what: &str) -> ConfigError {
    ConfigError::new(format!("{}: {what}; this is a fault of toolwright", vendor.title))
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let mut parts = text.split('-');
    let lengths = [8, 4, 4, 4, 12];
    lengths.iter().all(|length| {
        parts.next().is_some_and(|part| part.len() == *length && part.chars().all(|c| c.is_ascii_hexdigit()))
    }) && parts.next().is_none()
}

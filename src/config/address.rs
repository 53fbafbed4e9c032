//! The variables of a vendor's addresses → the roots under which its descriptions' paths lie.

use std::collections::BTreeMap;

use url::Url;

use super::{Environment, value};
use crate::error::ConfigError;
use crate::upstream::parse_address;
use toolwright_model::{Address, Holds, Template, Vendor, api_id};

/// An address of which something is set, or that holds by default.
pub(super) struct Found<'v> {
    pub address: &'v Address,
    values: Vec<(&'v str, String)>,
    /// Nothing of it is set: its default holds.
    pub by_default: bool,
}

/// Where a vendor's APIs are.
pub(super) struct Roots {
    /// The root of the first API.
    pub base: Url,
    /// By API id; empty where all share the first.
    pub roots: BTreeMap<String, Url>,
}

/// Returns the vendor's addresses that can be used, in the order of its file: those that are
/// set, else those that hold by default.
///
/// # Errors
/// Of one, something is set and something is missing.
pub(super) fn found<'v>(vendor: &'v Vendor, env: Environment<'_>) -> Result<Vec<Found<'v>>, ConfigError> {
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
            set.push(Found { address, values, by_default: false });
        } else if let (true, Some(default)) = (values.is_empty() && address.also.is_empty(), &address.default) {
            values.push((address.variable.as_str(), default.clone()));
            by_default.push(Found { address, values, by_default: true });
        } else if !values.is_empty() {
            return Err(not_set(vendor, &missing, &example(address, missing[0])));
        }
    }
    Ok(if set.is_empty() { by_default } else { set })
}

/// The complaint about variables of an address.
pub(super) fn not_set(vendor: &Vendor, missing: &[&str], hint: &str) -> ConfigError {
    ConfigError::new(format!("{}: `{}` is not set\nhint: {hint}", vendor.title, missing.join("`, `")))
}

/// What a variable of an address may look like, and where a person finds it.
pub(super) fn example(address: &Address, variable: &str) -> String {
    let also = address.also.iter().find(|also| also.variable == variable);
    let example = also.map_or(&address.example, |also| &also.example);
    match address.hint.as_str() {
        hint if !hint.is_empty() && also.is_none() => format!("for example `{example}`; {hint}"),
        _ => format!("for example `{example}`"),
    }
}

impl Found<'_> {
    /// The variables that say where, for `doctor`.
    pub(super) fn source(&self) -> String {
        let names: Vec<&str> = self.values.iter().map(|(variable, _)| *variable).collect();
        let by_default = if self.by_default { ", which is not set" } else { "" };
        format!("{}{by_default}", names.join(" and "))
    }

    fn value(&self) -> &str {
        self.values.first().map_or("", |(_, value)| value)
    }

    /// The words for templates: the vendor's, and never what a variable holds.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        let value = self.value().to_ascii_lowercase();
        self.address.words_for(&value).filter(|(known, _)| *known == name).last().map(|(_, word)| word.to_owned())
    }

    /// Makes the roots.
    ///
    /// # Errors
    /// A variable holds something else than it should; what it holds is not repeated.
    pub(super) fn roots(&self, vendor: &Vendor) -> Result<Roots, ConfigError> {
        let mut filled = BTreeMap::new();
        for (variable, value) in &self.values {
            filled.insert(*variable, self.checked(variable, value)?);
        }
        let root = |template: &str| {
            let text = Template(template).fill(|name| self.word(name).or_else(|| filled.get(name).cloned()));
            let text = text.map_err(|name| fault(vendor, &format!("nothing says what `{name}` is")))?;
            parse_address(&text, &[]).map_err(|error| fault(vendor, &format!("a root {error}")))
        };
        let mut roots = BTreeMap::new();
        for (stem, template) in &self.address.roots {
            roots.insert(api_id(stem, &vendor.id), root(template)?);
        }
        let base = match roots.values().next() {
            Some(first) => first.clone(),
            None => root(&self.address.root_of("api").unwrap_or_default())?,
        };
        Ok(Roots { base, roots })
    }

    /// A variable's value as it stands in a template.
    fn checked(&self, variable: &str, value: &str) -> Result<String, ConfigError> {
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
                let url = parse_address(value, strip).map_err(|error| wrong(error.to_string()))?;
                Ok(url.as_str().trim_end_matches('/').to_owned())
            }
        }
    }
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

//! Variables → a vendor's address, and the root of each of its APIs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One address of a vendor and the variables that hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The name by which `at` refers to it; empty for a vendor's only address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The variable that holds the address, such as `JITBIT_URL`.
    pub variable: String,
    /// A value for error messages and documentation.
    pub example: String,
    /// Where a user finds the value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// The kind of value that the variable holds; with `values`, one of those.
    #[serde(default, skip_serializing_if = "Holds::is_address")]
    pub holds: Holds,
    /// Path suffixes that are removed from the variable's value, because the paths of the description
    /// begin with them and users paste them along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strip: Vec<String>,
    /// Paths of the product's pages, such as `/browse/*`, where `*` is any segment: a value with one of them
    /// is a page's address and not the root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// Further variables that must be set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AddressVariable>,
    /// The value to use if the variable is not set and no other address is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The values that the variable may hold, each with its words for the templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// Words for the templates with any value of the variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
    /// The root below which the descriptions' paths are, with variables and words in `{}`; the
    /// variable's value if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The root of each API, by the name of its file without the ending.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roots: BTreeMap<String, String>,
}

/// A further variable of an address; it holds an address itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddressVariable {
    /// The variable's name.
    pub variable: String,
    /// A value for error messages and documentation.
    pub example: String,
    /// As [`Address::strip`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strip: Vec<String>,
}

/// The kind of value that the variable of an address holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// A web address.
    #[default]
    Address,
    /// A UUID.
    Uuid,
}

impl Holds {
    /// Every kind with its word in vendor.toml.
    pub const ALL: [(&str, Self); 2] = [("address", Self::Address), ("uuid", Self::Uuid)];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_address(&self) -> bool {
        *self == Self::Address
    }
}

impl Address {
    /// Returns the path before the first part that is one of the product's pages, and that page's path.
    pub fn page_in<'a>(&self, path: &'a str) -> Option<(&'a str, &'a str)> {
        let starts = path.match_indices('/').map(|(at, _)| path.split_at(at));
        let mut pages = starts.filter(|(_, rest)| self.pages.iter().any(|page| begins_with(rest, page)));
        pages.next()
    }

    /// The variables that must be set, in the order in which a user sets them.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.variable.as_str()).chain(self.also.iter().map(|also| also.variable.as_str()))
    }

    /// Returns the template of an API's root; `api` is the name of its file without the ending.
    pub fn root_of(&self, api: &str) -> Option<String> {
        if !self.roots.is_empty() {
            return self.roots.get(api).cloned();
        }
        Some(self.root.clone().unwrap_or_else(|| format!("{{{}}}", self.variable)))
    }

    /// The words that templates may use besides variables when the variable holds `value`.
    pub fn words_for<'a>(&'a self, value: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let of_value = self.values.get(value).into_iter().flatten();
        self.words.iter().chain(of_value).map(|(name, word)| (name.as_str(), word.as_str()))
    }
}

/// Whether a path begins with the segments of `page`; upper and lower case are equal.
fn begins_with(path: &str, page: &str) -> bool {
    let mut segments = path.split('/');
    page.split('/').all(|wanted| {
        segments.next().is_some_and(|segment| match wanted {
            "*" => !segment.is_empty(),
            wanted => segment.eq_ignore_ascii_case(wanted),
        })
    })
}

/// A text with words in `{}`.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a>(pub &'a str);

impl<'a> Template<'a> {
    /// The names in `{}`.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
    }

    /// Replaces each name by its `value`.
    ///
    /// # Errors
    /// The first name that has no value.
    pub fn fill(self, value: impl Fn(&str) -> Option<String>) -> Result<String, &'a str> {
        let mut parts = self.0.split('{');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, after) = part.split_once('}').unwrap_or((part, ""));
            out.push_str(&value(name).ok_or(name)?);
            out.push_str(after);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_replaced_and_an_unknown_one_is_an_error() {
        let values = |name: &str| (name == "host").then(|| "api.example.com".to_owned());
        assert_eq!(Template("https://{host}/v1").fill(values), Ok("https://api.example.com/v1".to_owned()));
        assert_eq!(Template("https://a.example.com").fill(values), Ok("https://a.example.com".to_owned()));
        assert_eq!(Template("https://{host}/{site}").fill(values), Err("site"));
        assert_eq!(Template("{a}-{b}").names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_address_of_a_page_is_told_from_a_root() {
        let pages = ["/ticket/*", "/browse"].map(str::to_owned).into();
        let address = Address { pages, ..Address::default() };
        for (path, expected) in [
            ("/helpdesk/Ticket/7", Some(("/helpdesk", "/Ticket/7"))),
            ("/browse/A-1", Some(("", "/browse/A-1"))),
            ("/a/browse", Some(("/a", "/browse"))),
            ("/ticket", None),
            ("/ticket/", None),
            ("/browser", None),
            ("/helpdesk", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(address.page_in(path), expected, "{path}");
        }
    }
}

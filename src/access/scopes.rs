//! The scopes of an access token, such as `jsm:itsm:read` and `jsm:read` → which tools they permit. A scope is a vendor, at
//! will a tag, and an effect. Scopes only take away from what the server offers; each adds what it names to the others.

use std::collections::BTreeSet;
use std::fmt;

use crate::catalog::{Catalog, CatalogEntry};
use toolwright_model::Effect;

/// The longest list of scopes that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// The scopes of a token that this server knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    vendor: String,
    tag: Option<String>,
    effect: Effect,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = self.effect.as_str();
        match &self.tag {
            Some(tag) => write!(f, "{}:{tag}:{effect}", self.vendor),
            None => write!(f, "{}:{effect}", self.vendor),
        }
    }
}

impl Scope {
    /// A scope whose vendor and tag there are.
    fn read(text: &str, catalog: &Catalog) -> Option<Self> {
        let mut words = text.split(':');
        let (vendor, second, third) = (words.next()?, words.next()?, words.next());
        let (tag, effect) = third.map_or((None, second), |effect| (Some(second), effect));
        let is_tag = |tag: &str| catalog.entries().iter().any(|entry| entry.head().has_tag(tag));
        let is_known = words.next().is_none() && catalog.vendor(vendor).is_some() && tag.is_none_or(is_tag);
        let effect: Effect = effect.parse().ok().filter(|_| is_known)?;
        Some(Self { vendor: vendor.to_owned(), tag: tag.map(str::to_owned), effect })
    }
}

impl Scopes {
    /// Reads the scopes of this server in a list; those of others, such as `openid`, permit nothing here.
    pub fn read<'a>(words: impl IntoIterator<Item = &'a str>, catalog: &Catalog) -> Self {
        let mut left = LONGEST;
        let bounded = words.into_iter().take_while(|word| {
            left = left.saturating_sub(word.len() + 1);
            left > 0
        });
        Self(bounded.filter_map(|word| Scope::read(word, catalog)).collect())
    }

    /// The widest scopes of some tools: what a client can ask for.
    pub fn widest_of<'a>(entries: impl Iterator<Item = &'a CatalogEntry>) -> Self {
        let of = |entry: &'a CatalogEntry| {
            let effect = entry.head().effect;
            entry
                .vendors()
                .filter_map(move |vendor| Some(Scope { vendor: vendor.to_owned(), tag: None, effect: effect? }))
        };
        Self(entries.flat_map(of).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As tokens and answers have them.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(Scope::to_string).collect()
    }

    /// Those of both lists.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        Self(self.0.union(&others.0).cloned().collect())
    }

    /// Those that permit at least one of some tools.
    #[must_use]
    pub fn of_use<'a>(&self, entries: &(impl Iterator<Item = &'a CatalogEntry> + Clone)) -> Self {
        let is_of_use = |scope: &&Scope| {
            let alone = Self([(*scope).clone()].into());
            entries.clone().any(|entry| {
                let of_vendor = entry.vendors().any(|vendor| vendor == scope.vendor);
                of_vendor && (alone.permits(entry) || scope.tag.is_none() && entry.head().effect == Some(scope.effect))
            })
        };
        Self(self.0.iter().filter(is_of_use).cloned().collect())
    }

    /// Whether they permit a tool that is called by itself. One whose effect nobody has reviewed has no scope.
    pub fn permits(&self, entry: &CatalogEntry) -> bool {
        self.cover(entry, |scope| scope.tag.as_ref().is_none_or(|tag| entry.head().has_tag(tag)))
    }

    /// Whether they permit a tool as the step of a workflow: by which tags tools are chosen is the workflow's matter.
    pub(super) fn permit_step(&self, entry: &CatalogEntry) -> bool {
        self.cover(entry, |_| true)
    }

    fn cover(&self, entry: &CatalogEntry, by_tag: impl Fn(&Scope) -> bool) -> bool {
        let Some(effect) = entry.head().effect else { return false };
        let fits = |vendor: &str| self.0.iter().any(|it| it.vendor == vendor && it.effect == effect && by_tag(it));
        entry.has_vendors(fits)
    }

    /// The scopes that a tool needs, in their widest form; of a workflow also those of its steps.
    pub fn needed_for(entry: &CatalogEntry, catalog: &Catalog) -> Self {
        let called = entry.steps().filter(|step| !step.optional).filter_map(|step| catalog.get(&step.call.tool));
        Self::widest_of(std::iter::once(entry).chain(called))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}

#[cfg(all(test, feature = "jsm", feature = "jitbit"))]
mod tests {
    use super::*;

    fn permitted(scopes: &str, tool: &str) -> bool {
        let catalog = Catalog::compiled();
        Scopes::read(scopes.split(' '), &catalog).permits(catalog.get(tool).expect("a tool of the catalog"))
    }

    #[test]
    fn a_scope_permits_the_tools_of_its_vendor_tag_and_effect_and_no_others() {
        for (scopes, tool, expected) in [
            ("jitbit:read", "jitbit_get_ticket", true),
            ("jitbit:tickets:read", "jitbit_get_ticket", true),
            ("jitbit:users:read", "jitbit_get_ticket", false),
            ("jitbit:write", "jitbit_get_ticket", false),
            ("jsm:read", "jitbit_get_ticket", false),
            ("jitbit:read", "jitbit_create_ticket", false),
            ("jsm:read jitbit:write", "jitbit_create_ticket", true),
            ("jitbit:tickets:write:read", "jitbit_get_ticket", false),
            ("jitbit:*:read", "jitbit_get_ticket", false),
            ("JITBIT:read", "jitbit_get_ticket", false),
            ("jitbit", "jitbit_get_ticket", false),
            ("", "jitbit_get_ticket", false),
        ] {
            assert_eq!(permitted(scopes, tool), expected, "{scopes} {tool}");
        }
    }

    #[test]
    fn what_is_no_scope_of_this_server_is_left_out_and_the_rest_is_written_as_it_was_read() {
        let catalog = Catalog::compiled();
        let scopes = Scopes::read("openid jsm:itsm:read jitbit:read jsm:nosuch:read x:read".split(' '), &catalog);
        assert_eq!(scopes.to_string(), "jitbit:read jsm:itsm:read");
        assert_eq!(Scopes::read(scopes.to_string().split(' '), &catalog), scopes);
        let needed = Scopes::needed_for(catalog.get("jitbit_create_ticket").unwrap(), &catalog);
        assert_eq!(needed.to_string(), "jitbit:write");
        let endless = "jsm:read ".repeat(10_000);
        assert_eq!(Scopes::read(endless.split(' '), &catalog).words().len(), 1);
    }
}

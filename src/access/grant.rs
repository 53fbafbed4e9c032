//! The terms under which a caller is served → which tools it is offered, through which accounts, and until when. A grant
//! only narrows: a tool is offered if the server's selection and every narrowing of the grant offer it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::narrowing::Narrowing;
use crate::catalog::{Catalog, CatalogEntry};
use crate::error::ConfigError;
use crate::policy::{RefusalReason, Selection, SelectionRefusal};

/// What a server offers at most: every grant is made of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerPolicy {
    catalog: Catalog,
    selection: Arc<Selection>,
}

/// The terms of a grant, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantTerms {
    /// What tells it from other grants; no secret.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The account that serves each vendor, by the vendor's id. The tools of other vendors are not offered.
    pub accounts: BTreeMap<String, String>,
    /// What takes tools away: each narrowing of the chain from the first link to this one.
    pub narrowings: Vec<Narrowing>,
    /// When it ends. What admits its bearer sees to that.
    pub expires: Option<SystemTime>,
}

/// What a caller may do.
#[derive(Debug)]
pub struct Grant {
    terms: GrantTerms,
    policy: ServerPolicy,
    narrowings: Arc<[Selection]>,
    offered: Arc<ToolSet>,
}

/// Some tools of a catalog, by their positions in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ToolSet(Box<[u64]>);

impl ToolSet {
    /// The tools of a catalog for which `is_in` holds.
    fn of(catalog: &Catalog, is_in: impl Fn(&CatalogEntry) -> bool) -> Self {
        let mut words = vec![0_u64; catalog.entries().len().div_ceil(64)];
        for (position, _) in catalog.entries().iter().enumerate().filter(|(_, entry)| is_in(entry)) {
            if let Some(word) = words.get_mut(position / 64) {
                *word |= 1 << (position % 64);
            }
        }
        Self(words.into())
    }

    /// Whether the tool at this position of the catalog is among them.
    pub fn contains(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word & (1 << (position % 64)) != 0)
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether each of them is among `others`.
    pub fn is_within(&self, others: &Self) -> bool {
        let others = others.0.iter().copied().chain(std::iter::repeat(0));
        self.0.iter().zip(others).all(|(word, other)| word & !other == 0)
    }
}

impl ServerPolicy {
    /// The policy of a server that offers a selection of a catalog.
    pub fn new(catalog: Catalog, selection: Selection) -> Self {
        Self { catalog, selection: Arc::new(selection) }
    }

    /// The whole catalog, of which a part is offered.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The server's own selection.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// How many tools a grant offers at most, which has an account of every vendor.
    pub fn most_offered(&self) -> usize {
        self.catalog.entries().iter().filter(|entry| self.selection.decide(entry).is_ok()).count()
    }

    /// Makes a grant by its terms.
    ///
    /// # Errors
    /// A word of a narrowing that does not exist, a glob that matches nothing.
    pub fn grant(&self, terms: GrantTerms) -> Result<Grant, ConfigError> {
        let narrowings: Vec<Selection> =
            terms.narrowings.iter().map(|narrowing| narrowing.resolve(&self.catalog)).collect::<Result<_, _>>()?;
        Ok(self.made(terms, narrowings))
    }

    /// An account for every vendor that has tools, with the vendor's name.
    pub fn accounts_named_as_vendors(&self) -> BTreeMap<String, String> {
        self.catalog.entries().iter().map(|entry| (entry.vendor.clone(), entry.vendor.clone())).collect()
    }

    /// The grant of everything that the server offers, through these accounts.
    pub fn whole(&self, name: &str, accounts: BTreeMap<String, String>) -> Grant {
        let terms = GrantTerms { id: name.to_owned(), name: name.to_owned(), accounts, ..GrantTerms::default() };
        self.made(terms, Vec::new())
    }

    fn made(&self, terms: GrantTerms, narrowings: Vec<Selection>) -> Grant {
        let offers = |entry: &CatalogEntry| {
            terms.accounts.contains_key(&entry.vendor)
                && self.selection.decide(entry).is_ok()
                && narrowings.iter().all(|narrowing| narrowing.decide(entry).is_ok())
        };
        let offered = Arc::new(ToolSet::of(&self.catalog, offers));
        Grant { offered, narrowings: narrowings.into(), policy: self.clone(), terms }
    }
}

impl Grant {
    /// What tells it from other grants.
    pub fn id(&self) -> &str {
        &self.terms.id
    }

    /// The same for another bearer: with another id, name and end. It costs next to nothing.
    #[must_use]
    pub fn for_another(&self, id: &str, name: &str, expires: Option<SystemTime>) -> Self {
        let terms = GrantTerms { id: id.to_owned(), name: name.to_owned(), expires, ..self.terms.clone() };
        let (narrowings, offered) = (Arc::clone(&self.narrowings), Arc::clone(&self.offered));
        Self { terms, policy: self.policy.clone(), narrowings, offered }
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.terms.name
    }

    /// Its terms.
    pub fn terms(&self) -> &GrantTerms {
        &self.terms
    }

    /// The whole catalog, of which it offers a part.
    pub fn catalog(&self) -> &Catalog {
        self.policy.catalog()
    }

    /// The account that serves a vendor, if there is one.
    pub fn account(&self, vendor: &str) -> Option<&str> {
        self.terms.accounts.get(vendor).map(String::as_str)
    }

    /// The tools that it offers.
    pub fn offered(&self) -> &ToolSet {
        &self.offered
    }

    /// Decides about one tool.
    ///
    /// # Errors
    /// The tool is not offered: every reason once. Flags are named only where they alone would offer it.
    pub fn decide(&self, entry: &CatalogEntry) -> Result<(), SelectionRefusal> {
        let catalog = &self.policy.catalog;
        if catalog.position(&entry.tool.name).is_some_and(|position| self.offered.contains(position)) {
            return Ok(());
        }
        let mut refusal = self.policy.selection.decide(entry).err().unwrap_or_default();
        let of_grant = self.narrowings.iter().filter_map(|narrowing| narrowing.decide(entry).err());
        let mut more: Vec<RefusalReason> = of_grant.flat_map(|refusal| refusal.reasons).collect();
        if self.account(&entry.vendor).is_none() {
            more.push(RefusalReason::Vendor(entry.vendor.clone()));
        }
        more.retain(|reason| !refusal.reasons.contains(reason));
        if !more.is_empty() {
            refusal.flags.clear();
        }
        for reason in more {
            if !refusal.reasons.contains(&reason) {
                refusal.reasons.push(reason);
            }
        }
        Err(refusal)
    }
}

//! The terms under which a caller is served → which tools it is offered, through which accounts, and until when. A grant
//! only narrows: a tool is offered if the server's selection and every narrowing of the grant offer it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::narrowing::Narrowing;
use super::scopes::Scopes;
use crate::catalog::{Catalog, CatalogEntry};
use crate::error::ConfigError;
use crate::policy::{RefusalReason, Selection, SelectionRefusal};
use toolwright_model::workflow::Step;

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
    /// The scopes of the access token that it is for; `None` where scopes take nothing away.
    pub scopes: Option<Vec<String>>,
    /// When it ends. What admits its bearer sees to that.
    pub expires: Option<SystemTime>,
}

/// What a caller may do.
#[derive(Debug)]
pub struct Grant {
    terms: GrantTerms,
    policy: ServerPolicy,
    limits: Limits,
    offered: Arc<ToolSet>,
}

/// What takes tools away from the server's selection. Cheap to clone.
#[derive(Debug, Clone, Default)]
struct Limits {
    narrowings: Arc<[Selection]>,
    scopes: Option<Arc<Scopes>>,
}

impl Limits {
    /// Every refusal of a tool.
    fn refusals(&self, entry: &CatalogEntry, catalog: &Catalog) -> Vec<SelectionRefusal> {
        let of_narrowings = self.narrowings.iter().filter_map(|narrowing| narrowing.decide(entry).err());
        of_narrowings.chain(self.lacks(entry, catalog, Scopes::permits)).collect()
    }

    /// Every refusal of a tool as the step of a workflow.
    fn refusals_of_step(&self, entry: &CatalogEntry, catalog: &Catalog) -> Vec<SelectionRefusal> {
        let of_narrowings = self.narrowings.iter().filter_map(|narrowing| narrowing.decide_step(entry).err());
        of_narrowings.chain(self.lacks(entry, catalog, Scopes::permit_step)).collect()
    }

    fn lacks(
        &self,
        entry: &CatalogEntry,
        catalog: &Catalog,
        permit: fn(&Scopes, &CatalogEntry) -> bool,
    ) -> Option<SelectionRefusal> {
        self.scopes.as_ref().filter(|scopes| !permit(scopes, entry)).map(|_| {
            let needed = Scopes::needed_for(entry, catalog).words();
            let reason = if needed.is_empty() { RefusalReason::Effect(None) } else { RefusalReason::Scopes(needed) };
            SelectionRefusal { reasons: vec![reason], flags: Vec::new() }
        })
    }

    fn offer(&self, entry: &CatalogEntry) -> bool {
        self.narrowings.iter().all(|narrowing| narrowing.decide(entry).is_ok())
            && self.scopes.as_ref().is_none_or(|scopes| scopes.permits(entry))
    }
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
        let scopes = terms.scopes.as_ref().map(|words| Scopes::read(words.iter().map(String::as_str), &self.catalog));
        Ok(self.made(terms, Limits { narrowings: narrowings.into(), scopes: scopes.map(Arc::new) }))
    }

    /// An account for every vendor that has tools, with the vendor's name.
    pub fn accounts_named_as_vendors(&self) -> BTreeMap<String, String> {
        let vendors = self.catalog.entries().iter().flat_map(CatalogEntry::vendors);
        vendors.map(|vendor| (vendor.to_owned(), vendor.to_owned())).collect()
    }

    /// The grant of everything that the server offers, through these accounts.
    pub fn whole(&self, name: &str, accounts: BTreeMap<String, String>) -> Grant {
        let terms = GrantTerms { id: name.to_owned(), name: name.to_owned(), accounts, ..GrantTerms::default() };
        self.made(terms, Limits::default())
    }

    fn made(&self, terms: GrantTerms, limits: Limits) -> Grant {
        let offers = |entry: &CatalogEntry| {
            entry.has_vendors(|vendor| terms.accounts.contains_key(vendor))
                && self.selection.decide(entry).is_ok()
                && limits.offer(entry)
                && self.refused_step(&terms.accounts, &limits, entry).is_none()
        };
        let offered = Arc::new(ToolSet::of(&self.catalog, offers));
        Grant { offered, limits, policy: self.clone(), terms }
    }

    /// The refusal of a workflow for the steps that it can't do without.
    fn refused_step(
        &self,
        accounts: &BTreeMap<String, String>,
        limits: &Limits,
        entry: &CatalogEntry,
    ) -> Option<SelectionRefusal> {
        let refused = self.refused_steps(accounts, limits, entry).into_iter();
        refused.filter(|(step, _)| !step.optional).map(|(_, refusal)| refusal).reduce(|mut all, one| {
            all.join(one);
            all
        })
    }

    /// The steps of a workflow whose tools are not offered, and why: each is asked for as a call of its own.
    fn refused_steps<'a>(
        &self,
        accounts: &BTreeMap<String, String>,
        limits: &Limits,
        entry: &'a CatalogEntry,
    ) -> Vec<(&'a Step, SelectionRefusal)> {
        let decide = |step: &Step| {
            let tool = &step.call.tool;
            // The build checks that there is one; without it nothing can be allowed.
            let Some(called) = self.catalog.get(tool) else {
                return Some(SelectionRefusal::default().of_step(&step.id, tool));
            };
            self.refused_as_step(accounts, limits, called).map(|refusal| refusal.of_step(&step.id, tool))
        };
        let steps = entry.steps();
        steps.filter_map(|step| Some((step, decide(step)?))).collect()
    }

    /// The refusal of a tool as the step of a workflow.
    fn refused_as_step(
        &self,
        accounts: &BTreeMap<String, String>,
        limits: &Limits,
        called: &CatalogEntry,
    ) -> Option<SelectionRefusal> {
        let mut refusal = self.selection.decide_step(called).err();
        for narrowed in limits.refusals_of_step(called, &self.catalog) {
            let all = refusal.get_or_insert_default();
            all.flags.clear();
            all.join(SelectionRefusal { flags: Vec::new(), ..narrowed });
        }
        if !accounts.contains_key(&called.vendor) {
            let reasons = vec![RefusalReason::Vendor(called.vendor.clone())];
            refusal.get_or_insert_default().join(SelectionRefusal { reasons, flags: Vec::new() });
        }
        refusal
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
        Self { terms, policy: self.policy.clone(), limits: self.limits.clone(), offered: Arc::clone(&self.offered) }
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
        if catalog.position(&entry.head().name).is_some_and(|position| self.offered.contains(position)) {
            return Ok(());
        }
        let mut refusal = self.policy.selection.decide(entry).err().unwrap_or_default();
        let of_grant = self.limits.refusals(entry, catalog).into_iter();
        let mut more: Vec<RefusalReason> = of_grant.flat_map(|refusal| refusal.reasons).collect();
        if !entry.has_vendors(|vendor| self.account(vendor).is_some()) {
            let unserved = entry.vendors().filter(|vendor| self.account(vendor).is_none());
            more.extend(unserved.map(|vendor| RefusalReason::Vendor(vendor.to_owned())));
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
        if refusal.reasons.is_empty()
            && let Some(of_steps) = self.policy.refused_step(&self.terms.accounts, &self.limits, entry)
        {
            refusal = of_steps;
        }
        Err(refusal)
    }

    /// Whether the server's own selection does not offer a tool, to whomever.
    pub(crate) fn is_beyond_server(&self, entry: &CatalogEntry) -> bool {
        self.policy.selection.decide(entry).is_err()
    }

    /// Decides about one tool as the step of a workflow that is offered.
    ///
    /// # Errors
    /// What it does is not offered.
    pub(crate) fn decide_step(&self, entry: &CatalogEntry) -> Result<(), SelectionRefusal> {
        self.policy.refused_as_step(&self.terms.accounts, &self.limits, entry).map_or(Ok(()), Err)
    }

    /// Decides about each step of a workflow, before anything of it is sent. Returns the steps that the workflow can do
    /// without and that are refused, and why.
    ///
    /// # Errors
    /// A step is refused that it can't do without.
    pub(crate) fn decide_steps<'a>(
        &self,
        entry: &'a CatalogEntry,
    ) -> Result<Vec<(&'a str, SelectionRefusal)>, SelectionRefusal> {
        if let Some(refusal) = self.policy.refused_step(&self.terms.accounts, &self.limits, entry) {
            return Err(refusal);
        }
        let refused = self.policy.refused_steps(&self.terms.accounts, &self.limits, entry);
        Ok(refused.into_iter().map(|(step, refusal)| (step.id.as_str(), refusal)).collect())
    }
}

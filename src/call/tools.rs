//! A tool's name → the tool, whether the policy offers it, and its compiled input schema. Texts of ours that
//! a caller reads name only tools that are offered.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use super::arguments::{ArgumentFacts, ArgumentSchema};
use super::failure::Failure;
use super::tenants::TenantChoices;
use super::tool_names;
use crate::access::{Grant, ServerPolicy, ToolSet};
use crate::catalog::{Catalog, CatalogEntry};
use crate::error::Audience;
use crate::formats;
use crate::policy::{Selection, SelectionRefusal};
use toolwright_model::{ALL, CURSOR, DETAIL, FIELDS, JQ, Tool};

/// How many different sets of offered tools are kept with their listings. Grants that offer the same share one.
const MOST_SETS: usize = 64;

/// The tools of a catalog as one grant offers them; cheap to clone.
#[derive(Clone)]
pub struct OfferedTools {
    pub(super) catalog: Catalog,
    grant: Arc<Grant>,
    made: Arc<MadeTools>,
    /// The tenants of which a caller may name several.
    tenants: TenantChoices,
}

/// What is made of the tools for callers that are offered the same ones.
struct MadeTools {
    offered: ToolSet,
    /// What tools are made into where their texts name nothing that is held back.
    whole: Arc<WholeTools>,
    /// By position in the catalog, only for tools whose texts change; made when a tool is first listed or called.
    listings: Slots<Box<rmcp::model::Tool>>,
    schemas: Slots<Box<ArgumentSchema>>,
    /// The server's instructions to those who are offered these tools.
    instructions: OnceLock<String>,
}

/// What is made of the tools where all of them are offered.
struct WholeTools {
    /// By position in the catalog; made when a tool is first listed or called.
    listings: Slots<Box<rmcp::model::Tool>>,
    schemas: Slots<Box<ArgumentSchema>>,
    /// The positions of the tools that the texts of a tool name.
    named: Slots<Vec<usize>>,
    /// Whether files of a folder can be named by path.
    folder_is_open: bool,
}

/// A place for each tool of a catalog. What is large is in a box: most places stay empty.
type Slots<T> = Vec<OnceLock<T>>;

fn slots<T>(catalog: &Catalog) -> Slots<T> {
    catalog.entries().iter().map(|_| OnceLock::new()).collect()
}

/// The sets of offered tools that are in use, within a bound.
pub(super) struct ToolSets {
    catalog: Catalog,
    whole: Arc<WholeTools>,
    made: Mutex<HashMap<ToolSet, (u64, Arc<MadeTools>)>>,
    uses: AtomicU64,
}

impl ToolSets {
    pub(super) fn new(catalog: Catalog, folder_is_open: bool) -> Self {
        let (listings, schemas, named) = (slots(&catalog), slots(&catalog), slots(&catalog));
        let whole = Arc::new(WholeTools { listings, schemas, named, folder_is_open });
        Self { catalog, whole, made: Mutex::default(), uses: AtomicU64::new(0) }
    }

    /// Returns the tools as this grant offers them.
    pub(super) fn of(&self, grant: &Arc<Grant>) -> OfferedTools {
        let use_number = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let found = made.get_mut(grant.offered()).map(|(used, tools)| {
            *used = use_number;
            Arc::clone(tools)
        });
        let tools = found.unwrap_or_else(|| {
            if made.len() >= MOST_SETS
                && let Some(oldest) = made.iter().min_by_key(|(_, (used, _))| *used).map(|(offered, _)| offered.clone())
            {
                made.remove(&oldest);
            }
            let tools = Arc::new(MadeTools {
                offered: grant.offered().clone(),
                whole: Arc::clone(&self.whole),
                listings: slots(&self.catalog),
                schemas: slots(&self.catalog),
                instructions: OnceLock::new(),
            });
            made.insert(grant.offered().clone(), (use_number, Arc::clone(&tools)));
            tools
        });
        OfferedTools { catalog: self.catalog.clone(), grant: Arc::clone(grant), made: tools, tenants: Arc::default() }
    }
}

impl OfferedTools {
    /// The tools that a selection offers, whatever the accounts are.
    pub(super) fn of_selection(catalog: Catalog, selection: Selection) -> Self {
        let policy = ServerPolicy::new(catalog.clone(), selection);
        let grant = policy.whole("selection", policy.accounts_named_as_vendors());
        ToolSets::new(catalog, false).of(&Arc::new(grant))
    }

    /// The same for a caller that may name several of these tenants.
    pub(super) fn with_tenants(self, tenants: TenantChoices) -> Self {
        Self { tenants, ..self }
    }

    pub(super) fn tenants(&self) -> &TenantChoices {
        &self.tenants
    }

    /// Adds the argument for several tenants to the schema of a tool that takes it.
    fn offer_tenants(&self, entry: &CatalogEntry, schema: &mut Map<String, Value>) {
        if let Some(choice) = self.tenants.get(&entry.vendor).filter(|choice| choice.is_offered(entry)) {
            choice.offer(schema);
        }
    }

    /// The grant that offers them.
    pub fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }

    /// Returns the offered tools in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &CatalogEntry> {
        let entries = self.catalog.entries().iter().enumerate();
        entries.filter(|(position, _)| self.made.offered.contains(*position)).map(|(_, entry)| entry)
    }

    /// Returns the tool with this name or alias if it is offered.
    pub fn get(&self, name: &str) -> Option<&CatalogEntry> {
        self.catalog.get(name).filter(|entry| self.offers(entry))
    }

    /// Returns the tool with this name or alias, whether it is offered or not.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn find(&self, name: &str) -> Result<&CatalogEntry, Failure> {
        self.catalog.get(name).ok_or_else(|| {
            let near = self.catalog.near(name).into_iter().map(str::to_owned);
            let (near, held_back) = near.partition(|near| self.get(near).is_some());
            Failure::UnknownTool { name: name.to_owned(), near, held_back }
        })
    }

    /// Returns a text of ours without the names of tools that are not offered.
    pub fn readable<'a>(&self, text: &'a str) -> Cow<'a, str> {
        tool_names::without(text, &|word| self.named(word).is_some_and(|entry| !self.offers(entry)))
    }

    /// The text for those who are offered these tools, which is written once.
    pub(crate) fn instructions(&self, write: impl FnOnce() -> String) -> &str {
        self.made.instructions.get_or_init(write)
    }

    fn offers(&self, entry: &CatalogEntry) -> bool {
        self.catalog.position(&entry.head().name).is_some_and(|position| self.made.offered.contains(position))
    }

    /// The tool that a word of a text names.
    fn named(&self, word: &str) -> Option<&CatalogEntry> {
        self.catalog.get(word).filter(|entry| entry.head().name == word)
    }

    /// Asks the policy whether the tool is offered.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn check_offered(&self, entry: &CatalogEntry) -> Result<(), Failure> {
        self.grant.decide(entry).map_err(|refusal| refused(entry, refusal))
    }

    /// Asks the policy whether a step of a workflow may call the tool.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn check_step(&self, entry: &CatalogEntry) -> Result<(), Failure> {
        self.grant.decide_step(entry).map_err(|refusal| refused(entry, refusal))
    }

    /// Asks the policy for every step of a workflow. Returns why steps are held back that it can do without.
    ///
    /// # Errors
    /// One is that it can't do without.
    pub(super) fn check_steps(&self, entry: &CatalogEntry) -> Result<BTreeMap<String, String>, Failure> {
        let held_back = self.grant.decide_steps(entry).map_err(|refusal| refused(entry, refusal))?;
        Ok(held_back.into_iter().map(|(step, refusal)| (step.to_owned(), refusal.text(Audience::Model))).collect())
    }

    /// Whether the texts of the tool at this position name only tools that are offered.
    fn is_whole(&self, position: usize) -> bool {
        let (named, entry) = (self.made.whole.named.get(position), self.catalog.entries().get(position));
        let named = named.zip(entry).map(|(slot, entry)| slot.get_or_init(|| entry.named(&self.catalog)));
        named.is_some_and(|named| named.iter().all(|position| self.made.offered.contains(*position)))
    }

    /// Returns the tool as `tools/list` sends it. Making it takes a while for many tools, and each call over HTTP asks
    /// for it.
    pub fn listing(&self, entry: &CatalogEntry) -> rmcp::model::Tool {
        let mut listing = self.kept_listing(entry);
        if !self.tenants.is_empty() {
            self.offer_tenants(entry, Arc::make_mut(&mut listing.input_schema));
        }
        listing
    }

    /// The tool as it is listed, whoever the caller's tenants are.
    fn kept_listing(&self, entry: &CatalogEntry) -> rmcp::model::Tool {
        let position = self.catalog.position(&entry.head().name);
        let is_whole = position.is_some_and(|position| self.is_whole(position));
        let made = if is_whole { &self.made.whole.listings } else { &self.made.listings };
        let new_listing = || self.make_listing(entry, is_whole);
        let slot = position.and_then(|position| made.get(position));
        slot.map_or_else(new_listing, |slot| slot.get_or_init(|| Box::new(new_listing())).as_ref().clone())
    }

    /// Returns the tool's input schema with all that its listing leaves out or has in fewer words.
    pub(crate) fn full_schema(&self, entry: &CatalogEntry) -> Map<String, Value> {
        let mut schema = entry.tool.parsed_input_schema();
        if self.made.whole.folder_is_open {
            offer_folder(&entry.tool, &mut schema);
        }
        self.make_readable(&mut schema);
        self.offer_tenants(entry, &mut schema);
        schema
    }

    fn make_listing(&self, entry: &CatalogEntry, is_whole: bool) -> rmcp::model::Tool {
        let mut listing = entry.listing();
        let folder_is_open = self.made.whole.folder_is_open;
        if is_whole && !folder_is_open {
            return listing;
        }
        if let Some(readable) = self.changed(listing.description.as_deref()) {
            listing.description = Some(readable.into());
        }
        let schema = Arc::make_mut(&mut listing.input_schema);
        if folder_is_open {
            offer_folder(&entry.tool, schema);
        }
        self.make_readable(schema);
        listing
    }

    /// Returns the tool's input schema, compiled.
    ///
    /// # Errors
    /// The schema in the catalog is not valid.
    pub(super) fn schema(&self, tool: &Tool) -> Result<&ArgumentSchema, Failure> {
        let position = self.catalog.position(&tool.name);
        let slot = position.and_then(|position| {
            let made = if self.is_whole(position) { &self.made.whole.schemas } else { &self.made.schemas };
            made.get(position)
        });
        let slot = slot.ok_or_else(|| Failure::Internal(format!("`{}` is of another catalog", tool.name)))?;
        if let Some(schema) = slot.get() {
            return Ok(schema);
        }
        let mut schema = tool.checked_schema();
        if self.made.whole.folder_is_open {
            offer_folder(tool, &mut schema);
        }
        self.make_readable(&mut schema);
        let schema = ArgumentSchema::compile(&schema, &facts(tool))
            .map_err(|error| Failure::Internal(format!("`{}`: {error}", tool.name)))?;
        Ok(slot.get_or_init(|| Box::new(schema)))
    }

    /// Returns the text without the names of tools that are not offered, if it has any.
    fn changed(&self, text: Option<&str>) -> Option<String> {
        match self.readable(text?) {
            Cow::Owned(readable) => Some(readable),
            Cow::Borrowed(_) => None,
        }
    }

    /// Takes the names of tools that are not offered out of a schema's descriptions.
    fn make_readable(&self, schema: &mut Map<String, Value>) {
        match self.changed(schema.get("description").and_then(Value::as_str)) {
            Some(readable) if readable.is_empty() => drop(schema.shift_remove("description")),
            Some(readable) => drop(schema.insert("description".to_owned(), Value::from(readable))),
            None => {}
        }
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for property in properties.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
            self.make_readable(property);
        }
        for key in ["items", "additionalProperties"] {
            if let Some(Value::Object(part)) = schema.get_mut(key) {
                self.make_readable(part);
            }
        }
    }
}

fn refused(entry: &CatalogEntry, refusal: SelectionRefusal) -> Failure {
    Failure::Refused { tool: entry.tool.name.clone(), refusal, instead: Vec::new(), request: None }
}

/// What a tool states of its arguments beside their schema.
fn facts(tool: &Tool) -> ArgumentFacts {
    let mut facts = ArgumentFacts::default();
    for binding in tool.calls.iter().flat_map(|call| &call.bindings) {
        let named = || binding.argument.clone();
        facts.formatted.extend(formats::parts(&binding.formats).into_iter().map(|part| (named(), part)));
        facts.cleared.extend(binding.clears.iter().map(|clear| (named(), clear.at.clone())));
        let resolves = binding.resolve.iter();
        facts.named.extend(resolves.map(|resolve| (named(), resolve.at.clone(), resolve.id.clone())));
        facts.separators.extend(binding.separator.map(|separator| (named(), vec![separator])));
    }
    let raw = tool.calls.iter().filter_map(|call| call.raw_argument());
    // Of these only `dry_run` is missing: a change must not be made because a switch was `null`.
    let own = [FIELDS, JQ, CURSOR, DETAIL, ALL].into_iter().chain(raw).filter(|name| tool.is_own_argument(name));
    facts.optional = own.map(str::to_owned).collect();
    if tool.is_own_argument(FIELDS) {
        // Names of fields have neither.
        facts.separators.push((FIELDS.to_owned(), vec![',', ' ']));
    }
    facts
}

/// Adds to the schema what callers may give in addition where the operator opened a folder.
fn offer_folder(tool: &Tool, schema: &mut Map<String, Value>) {
    let bindings = tool.calls.iter().flat_map(|call| &call.bindings);
    for binding in bindings {
        if let Some(argument) = schema.get_mut("properties").and_then(|all| all.get_mut(&binding.argument)) {
            formats::offer_folder(&binding.formats, argument);
        }
    }
}

//! Generated tools and vendors → a catalog: every compiled tool by name and alias. A tool is read when it is first looked at.

mod official_names;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::client_runtime::CompiledApi;
use crate::generated;
use official_names::OfficialNames;
use toolwright_model::workflow::{ACROSS_VENDORS, Step};
use toolwright_model::{
    ApiTools, OperationSummary, SharedArguments, Tool, ToolHead, ToolIndex, ToolSummary, Vendor, suggest,
};

/// The fewest vendors of which tools of several vendors make sense.
const LEAST_VENDORS: usize = 2;
/// What tools of several vendors are listed under, for people.
const ACROSS_TITLE: &str = "Several products together";

/// All tools, in order of the names that we have for them; cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<CatalogData>);

#[derive(Debug)]
struct CatalogData {
    tools: Vec<CatalogEntry>,
    /// Name or alias → position in `tools`.
    positions: HashMap<String, usize>,
    vendors: Vec<Vendor>,
    /// What the build made of these tools for the search.
    search_index: Option<&'static [u8]>,
}

/// A tool and its vendor.
#[derive(Debug)]
pub struct CatalogEntry {
    /// The vendor's id.
    pub vendor: String,
    /// The tool.
    pub tool: LazyTool,
    head: ToolHead,
    /// What the build made of one that is compiled in.
    made: Option<MadeAtBuild>,
}

/// What a list of tools needs of a tool and the build has made.
#[derive(Debug)]
struct MadeAtBuild {
    /// The tool as clients are sent it, as JSON.
    listing: Part,
    shared: SharedArguments,
    /// The tools that its texts name.
    named: Vec<String>,
}

/// A part of a text that is compiled in. It is cut out when it is read: to look where a character begins would bring the page that has it
/// into memory, for every tool.
#[derive(Default)]
struct Part {
    of: &'static str,
    at: Range<usize>,
    /// The names that stand in it in place of ours.
    official: Option<Arc<OfficialNames>>,
}

impl Part {
    fn text(&self) -> Cow<'static, str> {
        let text = self.of.get(self.at.clone()).unwrap_or_default();
        self.official.as_ref().map_or(Cow::Borrowed(text), |names| names.in_text(text))
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// A tool that is read when it is first looked at: a server offers a part of the catalog, and reading all of it would take most
/// of its start.
pub struct LazyTool {
    /// The text of one that is compiled in.
    text: Part,
    tool: OnceLock<Box<Tool>>,
    concise_paths: OnceLock<Arc<[Vec<String>]>>,
}

impl LazyTool {
    /// Whether it was looked at.
    pub fn is_read(&self) -> bool {
        self.tool.get().is_some()
    }

    /// The paths of its concise form, each as the names that lead to a field.
    pub(crate) fn concise_paths(&self) -> Arc<[Vec<String>]> {
        let split = |path: &String| path.split('.').map(str::to_owned).collect();
        Arc::clone(self.concise_paths.get_or_init(|| self.concise.iter().map(split).collect()))
    }
}

impl From<Tool> for LazyTool {
    fn from(tool: Tool) -> Self {
        Self { text: Part::default(), tool: OnceLock::from(Box::new(tool)), concise_paths: OnceLock::new() }
    }
}

/// # Panics
/// Never: the build serializes the same type, and a test reads every tool.
impl Deref for LazyTool {
    type Target = Tool;

    fn deref(&self) -> &Tool {
        self.tool.get_or_init(|| {
            let text = self.text.text();
            let mut tool: Tool = serde_json::from_str(&text).expect("the build writes tools.json from the same types");
            if let Some(names) = &self.text.official {
                names.keep_ours(&tool.name, &mut tool.aliases);
            }
            Box::new(tool)
        })
    }
}

impl fmt::Debug for LazyTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The APIs that are compiled in.
pub(crate) fn apis() -> &'static [CompiledApi] {
    generated::APIS
}

/// The sandbox table of every compiled API: its id and the table's JSON.
pub fn sandbox_tables() -> Vec<(&'static str, &'static str)> {
    apis().iter().map(|api| (api.id, api.sandbox)).collect()
}

/// The words by which the search understands people, as JSON.
pub(crate) fn synonyms() -> &'static str {
    generated::SYNONYMS
}

/// What the description of every compiled API says of its answers: its id and the JSON of it.
pub fn answer_tables() -> Vec<(&'static str, &'static str)> {
    apis().iter().map(|api| (api.id, api.answers)).collect()
}

/// The `tools.json` of every compiled API, and of every compiled file of workflows.
pub fn tool_files() -> Vec<&'static str> {
    apis().iter().map(|api| api.tools).chain(generated::WORKFLOWS.iter().copied()).collect()
}

impl Catalog {
    /// Reads what is known of the compiled tools before they are read, and the vendors.
    ///
    /// # Panics
    /// Never: the build serializes the same types, and a test reads every file.
    pub fn compiled() -> Self {
        let vendors =
            serde_json::from_str(generated::VENDORS).expect("the build writes the vendors from the same types");
        Self::of(compiled_entries(), vendors, Some(generated::SEARCH_INDEX))
    }

    /// As [`Self::compiled`], with the names that the vendors' own servers and documents have for tools where there is one. Ours
    /// are understood as aliases, and every text names them in the same way. The order is that of our names.
    ///
    /// # Panics
    /// As [`Self::compiled`].
    pub fn under_official_names() -> Self {
        let mut entries = compiled_entries();
        let names = Arc::new(OfficialNames::of(&entries));
        for entry in &mut entries {
            names.rename_head(&mut entry.head);
            entry.tool.text.official = Some(Arc::clone(&names));
            if let Some(made) = &mut entry.made {
                made.named = made.named.iter().map(|name| names.name(name)).collect();
                made.listing.official = Some(Arc::clone(&names));
            }
        }
        let vendors = serde_json::from_str(&names.in_text(generated::VENDORS))
            .expect("the build writes the vendors from the same types");
        Self::of(entries, vendors, Some(generated::SEARCH_INDEX))
    }

    /// A catalog of other tools, for tests.
    pub fn new(apis: Vec<ApiTools>, vendors: Vec<Vendor>) -> Self {
        let entries = apis.into_iter().flat_map(|api| {
            let vendor = api.vendor;
            api.tools.into_iter().map(move |tool| CatalogEntry {
                vendor: vendor.clone(),
                head: ToolHead::from(&tool),
                tool: tool.into(),
                made: None,
            })
        });
        Self::of(in_order(entries.collect()), vendors, None)
    }

    fn of(tools: Vec<CatalogEntry>, vendors: Vec<Vendor>, search_index: Option<&'static [u8]>) -> Self {
        let mut positions = HashMap::new();
        for (position, entry) in tools.iter().enumerate() {
            for name in std::iter::once(&entry.head.name).chain(&entry.head.aliases) {
                positions.insert(name.clone(), position);
            }
        }
        Self(Arc::new(CatalogData { tools, positions, vendors, search_index }))
    }

    /// The tools in order of the names that we have for them.
    pub fn entries(&self) -> &[CatalogEntry] {
        &self.0.tools
    }

    /// The index of the search over these tools, where they are those of the build.
    pub(crate) fn search_index(&self) -> Option<&'static [u8]> {
        self.0.search_index
    }

    /// The vendors in order of their ids.
    pub fn vendors(&self) -> &[Vendor] {
        &self.0.vendors
    }

    /// Returns the vendor with this id.
    pub fn vendor(&self, id: &str) -> Option<&Vendor> {
        self.0.vendors.iter().find(|vendor| vendor.id == id)
    }

    /// Returns what people call the vendor with this id, or what is listed under it.
    pub(crate) fn title<'a>(&'a self, id: &'a str) -> &'a str {
        match self.vendor(id) {
            Some(vendor) => &vendor.title,
            None if id == ACROSS_VENDORS => ACROSS_TITLE,
            None => id,
        }
    }

    /// Returns the position of the tool with this name or alias.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.positions.get(name).copied()
    }

    /// Returns the tool with this name or alias.
    pub fn get(&self, name: &str) -> Option<&CatalogEntry> {
        self.position(name).map(|position| &self.0.tools[position])
    }

    /// Returns the names and aliases nearest to `name`, for "did you mean".
    pub(crate) fn near(&self, name: &str) -> Vec<&str> {
        suggest(name, self.0.positions.keys().map(String::as_str))
    }
}

impl CatalogEntry {
    /// The vendors that it calls: one, or those of a workflow's steps.
    pub fn vendors(&self) -> impl Iterator<Item = &str> {
        let own = Some(&self.vendor).filter(|_| self.head.vendors.is_empty());
        self.head.vendors.iter().chain(own).map(String::as_str)
    }

    /// By what it is found and weighed, which is known before it is read.
    pub fn head(&self) -> &ToolHead {
        &self.head
    }

    /// The steps of a workflow; none of another tool, which is not read for it.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        let workflow =
            Some(&self.tool).filter(|_| !self.head.vendors.is_empty()).and_then(|tool| tool.workflow.as_ref());
        workflow.into_iter().flat_map(|workflow| &workflow.steps)
    }

    /// What is said of its arguments once for all tools. One that is compiled in is not read for it.
    pub(crate) fn shared_arguments(&self) -> Cow<'_, SharedArguments> {
        let found = || Cow::Owned(SharedArguments::of(&self.tool));
        self.made.as_ref().map_or_else(found, |made| Cow::Borrowed(&made.shared))
    }

    /// Whether it can be called where only some vendors are served. A workflow across vendors needs two of them, for with one
    /// that vendor's own tools do; its steps at the others are left out where it can do without, and refuse it elsewhere.
    pub(crate) fn has_vendors(&self, is_served: impl Fn(&str) -> bool) -> bool {
        let served = self.vendors().filter(|vendor| is_served(vendor)).count();
        served >= LEAST_VENDORS.min(self.vendors().count())
    }

    /// The tool as `tools/list` sends it. One that is compiled in is not read for it.
    ///
    /// # Panics
    /// Never: it has the protocol's form.
    pub(crate) fn listing(&self) -> rmcp::model::Tool {
        let listing = match &self.made {
            Some(made) => serde_json::from_str(&made.listing.text()),
            None => serde_json::from_value(self.tool.listed()),
        };
        listing.expect("it has the protocol's form, and the build writes it from the same types")
    }

    /// The positions of the tools that its texts name.
    pub(crate) fn named(&self, catalog: &Catalog) -> Vec<usize> {
        let position = |name: &str| catalog.position(name).filter(|at| catalog.entries()[*at].head.name == name);
        let looked_for = || self.tool.named(&|word| position(word).is_some());
        let named = self.made.as_ref().map_or_else(|| Cow::Owned(looked_for()), |made| Cow::Borrowed(&made.named));
        named.iter().filter_map(|name| position(name)).collect()
    }

    fn annotations(&self) -> rmcp::model::ToolAnnotations {
        let hints = self.tool.annotations;
        rmcp::model::ToolAnnotations::with_title(self.tool.title.clone())
            .read_only(hints.read_only_hint)
            .destructive(hints.destructive_hint)
            .idempotent(hints.idempotent_hint)
            .open_world(hints.open_world_hint)
    }

    /// The tokens that the tool takes in a model's context, estimated as four bytes each.
    pub(crate) fn tokens(&self) -> usize {
        self.tool.listed().to_string().len() / 4
    }

    /// The tool as `catalog list --format json` prints it.
    pub fn summary(&self) -> ToolSummary<'_> {
        let tool = &self.tool;
        let one = match tool.calls.as_slice() {
            [call] => Some(call),
            _ => None,
        };
        let call = |call| OperationSummary::of(call);
        let steps = tool.workflow.iter().flat_map(|workflow| &workflow.steps);
        let of_steps = steps.flat_map(Step::calls).map(OperationSummary::of_step);
        ToolSummary {
            name: &tool.name,
            title: &tool.title,
            vendor: &self.vendor,
            api: one.map_or("", |call| &call.api),
            method: one.map_or("", |call| &call.method),
            path: one.map_or("", |call| &call.path),
            effect: tool.effect,
            verb: tool.verb,
            risks: tool.risks.iter().copied().collect(),
            tags: tool.tags.iter().map(String::as_str).collect(),
            core: tool.is_core(),
            reviewed: tool.reviewed(),
            aliases: tool.aliases.iter().map(String::as_str).collect(),
            description: &tool.description,
            tokens: self.tokens(),
            operations: tool.calls.iter().map(call).chain(of_steps).collect(),
        }
    }

    /// The tool as `catalog show --format json` prints it.
    pub fn details(&self) -> Value {
        let mut details = json!(self.summary());
        details["inputSchema"] = Value::Object(self.tool.parsed_input_schema());
        details["annotations"] = json!(self.annotations());
        details
    }
}

/// The compiled tools, in the order in which the build indexes them for the search.
fn compiled_entries() -> Vec<CatalogEntry> {
    let mut entries = Vec::with_capacity(generated::TOOL_COUNT);
    let files = tool_files().into_iter().zip(generated::TOOL_INDEXES).zip(generated::TOOL_LISTINGS);
    for ((text, index), listings) in files {
        let index: ToolIndex = serde_json::from_str(index).expect("the build writes the index from the same types");
        let ToolIndex { vendor, tools } = index;
        entries.extend(tools.into_iter().map(|tool| CatalogEntry {
            vendor: vendor.clone(),
            head: tool.head,
            tool: LazyTool {
                text: Part { of: text, at: tool.text, official: None },
                tool: OnceLock::new(),
                concise_paths: OnceLock::new(),
            },
            made: Some(MadeAtBuild {
                listing: Part { of: listings, at: tool.listing, official: None },
                shared: tool.shared,
                named: tool.named,
            }),
        }));
    }
    in_order(entries)
}

/// No two have the same name.
fn in_order(mut tools: Vec<CatalogEntry>) -> Vec<CatalogEntry> {
    tools.sort_unstable_by(|a, b| a.head.name.cmp(&b.head.name));
    tools
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_before_a_tool_is_read_is_what_it_has() {
        let whole: usize = tool_files()
            .into_iter()
            .map(|text| serde_json::from_str::<ApiTools>(text).expect("a file of tools").tools.len())
            .sum();
        for catalog in [Catalog::compiled(), Catalog::under_official_names()] {
            assert_eq!(catalog.entries().len(), whole);
            assert!(!catalog.entries().iter().any(|entry| entry.tool.is_read()), "nothing was looked at");
            for entry in catalog.entries() {
                assert_eq!(*entry.head(), ToolHead::from(&*entry.tool));
                let from_the_tool: rmcp::model::Tool = serde_json::from_value(entry.tool.listed()).unwrap();
                assert_eq!(entry.listing(), from_the_tool);
                let made = entry.made.as_ref().expect("the build made it");
                assert_eq!(made.shared, SharedArguments::of(&entry.tool));
                let (mut named, mut found) = (
                    made.named.clone(),
                    entry.tool.named(&|word| catalog.entries().iter().any(|e| e.head.name == word)),
                );
                named.sort();
                found.sort();
                assert_eq!(named, found, "{}", entry.head.name);
            }
        }
    }
}

//! Generated tools and vendors → a catalog: every compiled tool by name and alias, searched by words.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::client_runtime::CompiledApi;
use crate::generated;
use toolwright_model::{ApiTools, OperationSummary, Tool, ToolSummary, Vendor, suggest};

/// All tools, in order of their names; cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<CatalogData>);

#[derive(Debug)]
struct CatalogData {
    tools: Vec<CatalogEntry>,
    /// Name or alias → position in `tools`.
    positions: HashMap<String, usize>,
    vendors: Vec<Vendor>,
}

/// A tool and its vendor.
#[derive(Debug)]
pub struct CatalogEntry {
    /// The vendor's id.
    pub vendor: String,
    /// The tool.
    pub tool: Tool,
}

/// The APIs that are compiled in.
pub(crate) fn apis() -> &'static [CompiledApi] {
    generated::APIS
}

/// The sandbox table of every compiled API: its id and the table's JSON.
pub fn sandbox_tables() -> Vec<(&'static str, &'static str)> {
    apis().iter().map(|api| (api.id, api.sandbox)).collect()
}

impl Catalog {
    /// Reads the compiled tools and vendors.
    ///
    /// # Panics
    /// Never: the build serializes the same types, and a test reads every file.
    pub fn compiled() -> Self {
        let apis: Vec<ApiTools> = apis()
            .iter()
            .map(|api| serde_json::from_str(api.tools).expect("the build writes tools.json from the same types"))
            .collect();
        let vendors =
            serde_json::from_str(generated::VENDORS).expect("the build writes the vendors from the same types");
        Self::new(apis, vendors)
    }

    /// A catalog of other tools, for tests.
    pub fn new(apis: Vec<ApiTools>, vendors: Vec<Vendor>) -> Self {
        let mut tools: Vec<CatalogEntry> = apis
            .into_iter()
            .flat_map(|api| {
                let vendor = api.vendor;
                api.tools.into_iter().map(move |tool| CatalogEntry { vendor: vendor.clone(), tool })
            })
            .collect();
        tools.sort_by(|a, b| a.tool.name.cmp(&b.tool.name));
        let mut positions = HashMap::new();
        for (position, entry) in tools.iter().enumerate() {
            for name in std::iter::once(&entry.tool.name).chain(&entry.tool.aliases) {
                positions.insert(name.clone(), position);
            }
        }
        Self(Arc::new(CatalogData { tools, positions, vendors }))
    }

    /// The tools in order of their names.
    pub fn entries(&self) -> &[CatalogEntry] {
        &self.0.tools
    }

    /// The vendors in order of their ids.
    pub fn vendors(&self) -> &[Vendor] {
        &self.0.vendors
    }

    /// Returns the vendor with this id.
    pub fn vendor(&self, id: &str) -> Option<&Vendor> {
        self.0.vendors.iter().find(|vendor| vendor.id == id)
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

    /// Returns the tools that match the words of `query`, best first: every word has to occur in
    /// the name, title, tags or description; names have more weight than descriptions.
    pub(crate) fn search(&self, query: &str) -> Vec<&CatalogEntry> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let mut found: Vec<(usize, &CatalogEntry)> = self
            .entries()
            .iter()
            .filter_map(|entry| {
                Some((words.iter().map(|word| score(&entry.tool, word)).sum::<Option<usize>>()?, entry))
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.tool.name.cmp(&b.1.tool.name)));
        found.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// The score of one word for a tool; `None` where it does not occur.
fn score(tool: &Tool, word: &str) -> Option<usize> {
    let singular = word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word);
    let contains = |text: &str| text.to_lowercase().contains(singular);
    let named = std::iter::once(&tool.name).chain(&tool.aliases).any(|name| contains(name));
    let points = if named { 8 } else { 0 }
        + if contains(&tool.title) { 4 } else { 0 }
        + if tool.tags.iter().any(|tag| contains(tag)) { 2 } else { 0 }
        + usize::from(contains(&tool.description));
    (points > 0).then_some(points + usize::from(tool.is_core()))
}

impl CatalogEntry {
    /// The tool as `tools/list` sends it.
    pub(crate) fn listing(&self) -> rmcp::model::Tool {
        let tool = &self.tool;
        rmcp::model::Tool::new(tool.name.clone(), tool.description.clone(), Arc::new(tool.parsed_input_schema()))
            .with_title(tool.title.clone())
            .with_annotations(self.annotations())
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
        serde_json::to_string(&self.listing()).map_or(0, |text| text.len() / 4)
    }

    /// The tool as `catalog list --format json` prints it.
    pub fn summary(&self) -> ToolSummary<'_> {
        let tool = &self.tool;
        let one = match tool.calls.as_slice() {
            [call] => Some(call),
            _ => None,
        };
        let call = |call| OperationSummary::of(call);
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
            operations: tool.calls.iter().map(call).collect(),
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

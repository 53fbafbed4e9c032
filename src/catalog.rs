//! Generated tools and vendors → a catalog: every compiled tool by name and alias.

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

/// The words by which the search understands people, as JSON.
pub(crate) fn synonyms() -> &'static str {
    generated::SYNONYMS
}

/// What the description of every compiled API says of its answers: its id and the JSON of it.
pub fn answer_tables() -> Vec<(&'static str, &'static str)> {
    apis().iter().map(|api| (api.id, api.answers)).collect()
}

/// The `tools.json` of every compiled API.
pub fn tool_files() -> Vec<&'static str> {
    apis().iter().map(|api| api.tools).collect()
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
}

impl CatalogEntry {
    /// The tool as `tools/list` sends it.
    ///
    /// # Panics
    /// Never: the hints are those of the protocol.
    pub(crate) fn listing(&self) -> rmcp::model::Tool {
        let tool = &self.tool;
        let annotations = Value::Object(tool.listed_annotations());
        let annotations = serde_json::from_value(annotations).expect("they are the hints of the protocol");
        rmcp::model::Tool::new(tool.name.clone(), tool.listed_description(), Arc::new(tool.listed_schema()))
            .with_title(tool.title.clone())
            .with_annotations(annotations)
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

//! The text of a `tools.json`, of this version or another → the facts of its tools that a caller depends on. What
//! another version's file has in addition is kept and compared as a whole, so that nothing differs in silence.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Effect, Risk, Tool, Unshown, Verb};

/// The tools of one API, as far as they are compared.
#[derive(Debug, Deserialize)]
struct ApiFacts {
    vendor: String,
    tools: Vec<ToolFacts>,
}

/// One tool, as far as it is compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolFacts {
    /// The tool's name.
    pub name: String,
    /// The vendor's id.
    #[serde(skip)]
    pub vendor: String,
    /// Its bytes in tools/list.
    #[serde(skip)]
    listed: Option<usize>,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    /// How people ask for it; only the search reads them.
    #[serde(default)]
    pub(super) phrases: Vec<String>,
    /// What a call does at the vendor; `None` while it is unreviewed.
    pub effect: Option<Effect>,
    pub(super) verb: Option<Verb>,
    #[serde(default)]
    pub(super) risks: BTreeSet<Risk>,
    #[serde(default)]
    pub(super) tags: BTreeSet<String>,
    /// Other names by which it is called.
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub(super) annotations: Map<String, Value>,
    #[serde(default)]
    pub(super) input_schema: Value,
    #[serde(default)]
    unshown: Vec<Unshown>,
    #[serde(default)]
    pub(super) calls: Vec<CallFacts>,
    #[serde(default)]
    pub(super) concise: Vec<String>,
    #[serde(flatten)]
    pub(super) more: Map<String, Value>,
}

/// One operation of a tool.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallFacts {
    pub(super) api: String,
    pub(super) operation: String,
    #[serde(default)]
    pub(super) method: String,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) when: Value,
    #[serde(default)]
    pub(super) scopes: Vec<BTreeSet<String>>,
    #[serde(default)]
    pub(super) bindings: Vec<BindingFacts>,
    #[serde(default)]
    pub(super) needs_one_of: BTreeSet<String>,
    #[serde(default)]
    pub(super) hints: Value,
    /// What it answers with; `None`: JSON, or a version that does not state it.
    pub(super) returns: Option<Value>,
    #[serde(flatten)]
    pub(super) more: Map<String, Value>,
}

/// Where one argument goes.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BindingFacts {
    pub(super) argument: String,
    #[serde(flatten)]
    pub(super) more: Map<String, Value>,
}

/// Reads the text of one `tools.json`, or of a list of them as `catalog export` prints it.
///
/// # Errors
/// What is no such file, and where.
pub fn read_tools(text: &str) -> Result<Vec<ToolFacts>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let files = match value {
        Value::Array(files) => files,
        file => vec![file],
    };
    let mut tools = Vec::new();
    for file in files {
        let listed: Vec<Option<usize>> =
            file["tools"].as_array().into_iter().flatten().map(|tool| listed_bytes(&tool.to_string())).collect();
        let api: ApiFacts = serde_json::from_value(file).map_err(|error| format!("it is no tools.json: {error}"))?;
        tools.extend(api.tools.into_iter().zip(listed).map(|(mut tool, listed)| {
            // What is only named in the list is accepted all the same.
            tool.more.shift_remove("unlisted");
            ToolFacts { vendor: api.vendor.clone(), listed, ..tool }
        }));
    }
    Ok(tools)
}

/// The bytes of a tool in tools/list; `None` where this version can't read it as a tool.
fn listed_bytes(tool: &str) -> Option<usize> {
    serde_json::from_str::<Tool>(tool).ok().map(|tool| tool.listed().to_string().len())
}

impl ToolFacts {
    /// Returns the schema that arguments are checked against: what is shown, and what is checked beside it.
    pub(super) fn checked_schema(&self) -> Value {
        let mut schema = self.input_schema.clone();
        for Unshown { at, keywords } in &self.unshown {
            if let Some(Value::Object(node)) = schema.pointer_mut(at) {
                node.extend(keywords.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
        schema
    }

    /// Returns the tool's bytes in tools/list divided by four, an estimate of its tokens. Of what only another version can
    /// read, they are those of all that it states.
    pub fn tokens(&self) -> usize {
        let stated = || {
            let annotations = &self.annotations;
            json!({
                "name": self.name,
                "title": self.title,
                "description": self.description,
                "inputSchema": self.input_schema,
                "annotations": annotations,
            })
        };
        self.listed.unwrap_or_else(|| stated().to_string().len()) / 4
    }
}

impl CallFacts {
    /// Returns whether both are one operation of the vendor's: by its id, or by what is requested.
    pub(super) fn is_same_operation(&self, other: &Self) -> bool {
        self.api == other.api && self.operation == other.operation || self.is_same_request(other)
    }

    /// Returns whether both request the same, whatever the description calls it.
    pub(super) fn is_same_request(&self, other: &Self) -> bool {
        !self.path.is_empty() && (&self.method, &self.path) == (&other.method, &other.path)
    }
}

//! The text of a `tools.json` → by what each tool in it is found and weighed, where it is, and what clients are sent of it: most tools of
//! a server are not offered, and need not be read; a list is made of all that are.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{ALL, CORE_TAG, Call, DETAIL, DRY_RUN, Effect, FIELDS, JQ, Risk, Tool, Verb};

/// By what a tool is found, and what the policy weighs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolHead {
    /// Its name.
    pub name: String,
    /// Names that other servers use for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What calling it does at the vendor; `None` while it is not reviewed.
    pub effect: Option<Effect>,
    /// What kind of call it is.
    pub verb: Verb,
    /// What else calling it may cause.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub risks: BTreeSet<Risk>,
    /// The vendor's tags and ours, in order. A list, because the head of every tool is kept in memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The vendors that its steps call, where it is a workflow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendors: Vec<String>,
}

impl ToolHead {
    /// Whether it has this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    /// Whether it is one of the everyday tools.
    pub fn is_core(&self) -> bool {
        self.has_tag(CORE_TAG)
    }
}

impl From<&Tool> for ToolHead {
    fn from(tool: &Tool) -> Self {
        Self {
            name: tool.name.clone(),
            aliases: tool.aliases.clone(),
            effect: tool.effect,
            verb: tool.verb,
            risks: tool.risks.clone(),
            tags: tool.tags.iter().cloned().collect(),
            vendors: tool.workflow.as_ref().map(|workflow| workflow.vendors.clone()).unwrap_or_default(),
        }
    }
}

/// What the instructions of a server and a list say of a tool's arguments once for all tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedArguments {
    /// The arguments that toolwright adds, of those that all tools share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<String>,
    /// Whether clients are shown [`ANSWER`](super::ANSWER).
    pub answer: bool,
    /// The arguments within it that leave the vendor's rich text as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<String>,
    /// Whether the description names arguments that the schema leaves out.
    pub further: bool,
}

impl SharedArguments {
    /// Finds them.
    pub fn of(tool: &Tool) -> Self {
        let own = [DRY_RUN, DETAIL, FIELDS, JQ, ALL].into_iter().filter(|name| tool.is_own_argument(name));
        let answer = tool.has_answer();
        let raw = tool.calls.iter().filter_map(Call::raw_argument);
        let raw: BTreeSet<&str> = raw.filter(|name| answer && tool.is_own_argument(name)).collect();
        let (own, raw) = (own.map(str::to_owned).collect(), raw.into_iter().map(str::to_owned).collect());
        Self { own, answer, raw, further: !tool.unlisted.is_empty() }
    }
}

/// A tool of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexedTool {
    /// By what it is found.
    pub head: ToolHead,
    /// The bytes of the file that are its text.
    pub text: Range<usize>,
    /// The bytes of [`IndexedFile::listings`] that are the tool as clients are sent it.
    pub listing: Range<usize>,
    /// What is said of its arguments once for all tools.
    pub shared: SharedArguments,
    /// The tools that its texts name, [`Tool::named`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
}

/// What is known of the tools of one file before they are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolIndex {
    /// The vendor's id.
    pub vendor: String,
    /// The tools in the order of the file.
    pub tools: Vec<IndexedTool>,
}

/// A file with what the program would have to make of each tool in it at every start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedFile {
    /// What is known before the tools are read.
    pub index: ToolIndex,
    /// The tools as clients are sent them, as JSON, one behind the other.
    pub listings: String,
}

/// A file, as far as it is looked at.
#[derive(Deserialize)]
struct File<'a> {
    vendor: String,
    #[serde(borrow)]
    tools: Vec<&'a RawValue>,
}

impl IndexedFile {
    /// Makes the index of a file.
    ///
    /// # Errors
    /// The text is no `tools.json`.
    pub fn of(text: &str, is_tool: &dyn Fn(&str) -> bool) -> serde_json::Result<Self> {
        let file: File<'_> = serde_json::from_str(text)?;
        let mut listings = String::new();
        let mut tools = Vec::with_capacity(file.tools.len());
        for raw in file.tools {
            let tool: Tool = serde_json::from_str(raw.get())?;
            // It is a part of the text.
            let from = raw.get().as_ptr().addr() - text.as_ptr().addr();
            let listing_from = listings.len();
            listings.push_str(&serde_json::to_string(&tool.listed())?);
            tools.push(IndexedTool {
                head: ToolHead::from(&tool),
                text: from..from + raw.get().len(),
                listing: listing_from..listings.len(),
                shared: SharedArguments::of(&tool),
                named: tool.named(is_tool),
            });
        }
        Ok(Self { index: ToolIndex { vendor: file.vendor, tools }, listings })
    }
}

impl Tool {
    /// Returns the tools that its texts name, in order: its description, and those of its arguments.
    pub fn named(&self, is_tool: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut named = BTreeSet::new();
        let mut look = |text: &str| {
            named.extend(words_like_names(text).filter(|word| is_tool(word)).map(str::to_owned));
        };
        look(&self.description);
        for schema in [self.checked_schema(), self.parsed_input_schema()] {
            each_text(&Value::Object(schema), &mut look);
        }
        named.into_iter().collect()
    }
}

/// Returns the words of a text that may be names of tools.
pub fn words_like_names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.contains('_'))
}

/// Calls `look` with every text in a value.
fn each_text(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, look)),
        Value::Object(entries) => entries.values().for_each(|value| each_text(value, look)),
        _ => {}
    }
}

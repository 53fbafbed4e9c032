//! `[help_desk]` of vendor.toml → how an approval becomes a ticket, and where the vendor states what an agent has decided. The
//! tools and places are the vendor's; what counts as a yes is the program's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How approvals are raised as tickets of a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HelpDesk {
    /// What the operator states in `[approvals.<account>]` of toolwright.toml, by name. The templates below use them in braces.
    #[serde(default)]
    pub settings: BTreeMap<String, DeskSetting>,
    /// What creates the ticket. Its templates also have `{subject}` and `{text}`.
    pub raise: DeskCall,
    /// JSON pointer to the ticket's id in that answer; empty where the answer is the id.
    pub ticket: String,
    /// How the ticket's text is written.
    pub markup: Markup,
    /// Whose credentials the account has.
    pub own: DeskPlace,
    /// Who can decide beside the account, by the vendor's own permissions; nothing where each decision states its person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deciders: Option<DeskPlace>,
    /// The ticket as its readers see it. Its templates also have `{ticket}`, as those below.
    pub shown: DeskTicket,
    /// What has been decided.
    pub decision: DeskDecision,
    /// What adds a note that customers don't see. Its templates also have `{text}`.
    pub note: DeskCall,
}

/// A value that the operator states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeskSetting {
    /// What it is, in a few words.
    pub is: String,
    /// Its value where it is not stated; it must be stated where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether it may be something else than digits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub word: bool,
}

/// A tool and what it is called with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeskCall {
    /// The tool.
    pub tool: String,
    /// Its arguments: templates, whose words in braces are replaced. Keys of objects may be templates too.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
}

/// A value in the answer of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeskPlace {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
    /// JSON pointer to the id of a person: in the answer, or in each record where the answer is a list.
    pub id: String,
}

/// A ticket as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeskTicket {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
    /// JSON pointer to the id of who has raised it.
    pub author: String,
    /// JSON pointers to its texts, which are templates: a decision counts only while these are as they were at first.
    pub texts: Vec<String>,
}

/// Where the vendor states what was decided, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeskDecision {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
    /// JSON pointer to the list of records; empty where the answer is the list.
    pub records: String,
    /// Whether an answer counts only where the vendor states that there are no more records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// JSON pointer in a record to the ticket that it is of; where it is missing, all records are of the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// JSON pointer in a record to what was decided.
    pub is: String,
    /// What that is where it is a yes; a template.
    pub yes: String,
    /// What that is where it is a no; a template.
    pub no: String,
    /// Who has decided it.
    pub by: DeskPerson,
}

/// Who has decided a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeskPerson {
    /// JSON pointer in the record to a list of people; where it is missing, the record itself names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<String>,
    /// JSON pointer to the person's id.
    pub id: String,
    /// JSON pointer to what this person has said; where it is missing, the person has decided the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// How a text is written so that nothing in it is anything but text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Markup {
    /// Wiki markup, whose `{noformat}` has text as it is.
    Wiki,
    /// HTML.
    Html,
}

impl HelpDesk {
    /// Every tool, and whether it changes something.
    pub fn tools(&self) -> impl Iterator<Item = (&str, bool)> {
        let reads = [&self.own.tool, &self.shown.tool, &self.decision.tool];
        let reads = reads.into_iter().chain(self.deciders.as_ref().map(|place| &place.tool));
        let changes = [&self.raise.tool, &self.note.tool].into_iter().map(|tool| (tool.as_str(), true));
        reads.map(|tool| (tool.as_str(), false)).chain(changes)
    }
}

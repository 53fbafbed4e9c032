//! A line of the log → the call that it records, for those who replay it.

use serde_json::{Map, Value};

use super::record::{self, RecordLine};

/// A call as it was recorded, secrets masked and long texts cut.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedCall {
    /// The number of its line.
    pub seq: u64,
    /// When it was made.
    pub time: String,
    /// The profile under which it was made, if one was named.
    pub profile: Option<String>,
    /// The client program, as it named itself.
    pub client: Option<String>,
    /// The vendor's id.
    pub vendor: String,
    /// The tool's name at that time.
    pub tool: String,
    /// The vendor's operation, if one was chosen.
    pub operation: Option<String>,
    /// The tool's effect at that time.
    pub effect: Option<String>,
    /// The arguments.
    pub arguments: Map<String, Value>,
    /// The names of the arguments where those were too long to be recorded; `arguments` is empty then.
    pub names: Option<Vec<String>>,
    /// What was decided: `allowed`, `planned`, `refused`, `invalid`.
    pub decision: String,
}

impl RecordedCall {
    /// Returns the call of a line; `None` for lines that begin no call.
    pub(super) fn of(line: &RecordLine) -> Option<Self> {
        if !matches!(line.event.as_str(), "intent" | "call") {
            return None;
        }
        let text = |name: &str| line.entries.get(name).and_then(Value::as_str).map(str::to_owned);
        let arguments = line.entries.get("arguments").and_then(Value::as_object).cloned().unwrap_or_default();
        let names = record::names_only(&arguments);
        Some(Self {
            seq: line.seq,
            time: text("time").unwrap_or_default(),
            profile: text(record::PROFILE),
            client: text("client"),
            vendor: text("vendor").unwrap_or_default(),
            tool: text("tool").unwrap_or_default(),
            operation: text("operation"),
            effect: text("effect"),
            arguments: if names.is_some() { Map::new() } else { arguments },
            names,
            decision: text("decision").unwrap_or_default(),
        })
    }

    /// Returns whether the call got past every check at that time.
    pub fn was_accepted(&self) -> bool {
        matches!(self.decision.as_str(), "allowed" | "planned")
    }
}

/// Returns whether a recorded text is only the beginning of what was given.
pub fn is_cut(text: &str) -> bool {
    record::is_cut(text)
}

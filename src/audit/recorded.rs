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
    /// Who called, by name.
    pub caller: String,
    /// The client program, as it named itself.
    pub client: Option<String>,
    /// The vendor's id.
    pub vendor: String,
    /// The account that served it, if it came so far.
    pub account: Option<String>,
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
    /// The approval under which it was sent, or the grant by which it was offered: its id, and by whom.
    pub permitted: Option<(String, String)>,
    /// How it ended, where that is in the same line: that of a change comes in a later one.
    pub end: Option<RecordedEnd>,
}

/// How a call ended, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEnd {
    /// The stage at which it ended.
    pub outcome: String,
    /// The vendor's status.
    pub status: Option<u64>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// What a line records, for those who read both.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// A call, or the intent of one.
    Call(Box<RecordedCall>),
    /// The end of the call whose intent has this number.
    End(u64, RecordedEnd),
}

impl Recorded {
    /// Returns what a line records; `None` where it is about the log itself.
    pub(super) fn of(line: &RecordLine) -> Option<Self> {
        match (line.event.as_str(), line.id) {
            ("outcome", Some(id)) => Some(Self::End(id, RecordedEnd::of(line)?)),
            _ => RecordedCall::of(line).map(|call| Self::Call(Box::new(call))),
        }
    }
}

impl RecordedEnd {
    fn of(line: &RecordLine) -> Option<Self> {
        let number = |name: &str| line.entries.get(name).and_then(Value::as_u64);
        let outcome = line.entries.get("outcome").and_then(Value::as_str)?.to_owned();
        Some(Self { outcome, status: number("status"), duration_ms: number("duration_ms") })
    }
}

impl RecordedCall {
    /// Returns the call of a line; `None` for lines that begin no call.
    fn of(line: &RecordLine) -> Option<Self> {
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
            caller: text("caller").unwrap_or_default(),
            client: text("client"),
            vendor: text("vendor").unwrap_or_default(),
            account: text("account"),
            tool: text("tool").unwrap_or_default(),
            operation: text("operation"),
            effect: text("effect"),
            arguments: if names.is_some() { Map::new() } else { arguments },
            names,
            decision: text("decision").unwrap_or_default(),
            permitted: ["approval", "grant"].iter().find_map(|name| {
                let entry = line.entries.get(*name)?;
                Some((entry.get("id")?.as_str()?.to_owned(), entry.get("by")?.as_str()?.to_owned()))
            }),
            end: RecordedEnd::of(line),
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

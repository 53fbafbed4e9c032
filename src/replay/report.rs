//! What became of each call → counts by profile and client, and a few examples of each kind.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::NoSelection;
use crate::audit::RecordedCall;
use toolwright_model::truncate;

/// The most profiles and clients that are counted one by one; clients name themselves as they like.
const MOST_GROUPS: usize = 200;
/// The most tools of one kind that have examples.
const MOST_EXAMPLES: usize = 500;
/// How many calls an example names.
const MOST_LINES: usize = 3;
/// The longest text of an example, in characters.
const LONGEST_TEXT: usize = 300;
/// The longest name of a client or a profile, in characters.
const LONGEST_NAME: usize = 60;

/// What would become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Refused: no tool has the name.
    NoSuchTool,
    /// Refused: the policy does not offer it any more.
    HeldBack,
    /// Refused: the arguments don't fit.
    Arguments,
    /// Accepted, and another operation of the vendor is called.
    OtherOperation,
    /// Accepted, and the tool's effect is stated otherwise.
    EffectChanged,
    /// Accepted by the old name; the tool has another one.
    Renamed,
    /// Nothing wrong is seen, and not everything can be seen.
    NotJudged,
    /// As before.
    AsBefore,
}

impl Fate {
    /// Every fate, the worst first.
    pub const ALL: [Self; 8] = [
        Self::NoSuchTool,
        Self::HeldBack,
        Self::Arguments,
        Self::OtherOperation,
        Self::EffectChanged,
        Self::Renamed,
        Self::NotJudged,
        Self::AsBefore,
    ];

    /// Returns the words of a report.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoSuchTool => "refused: no such tool",
            Self::HeldBack => "refused: held back by the policy",
            Self::Arguments => "refused: arguments don't fit",
            Self::OtherOperation => "reaches another operation",
            Self::EffectChanged => "effect is stated otherwise",
            Self::Renamed => "renamed, works by the old name",
            Self::NotJudged => "as before, as far as it can be judged",
            Self::AsBefore => "as before",
        }
    }

    /// Returns whether someone has to look at it.
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::Renamed | Self::NotJudged | Self::AsBefore)
    }
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many calls were replayed.
    pub calls: u64,
    /// How many were refused at the time and not replayed.
    pub not_replayed: u64,
    /// How many values were masked or cut in the record and can't be judged.
    pub values_not_judged: u64,
    /// The time of the first and the last call.
    pub from_to: Option<(String, String)>,
    /// The counts, by profile and client.
    pub groups: Vec<Group>,
    /// Examples of what is not as before.
    pub examples: Vec<Example>,
    /// Profiles that don't fit the catalog: a server would not start with them.
    pub broken_profiles: Vec<String>,
    /// What has to be known of the figures.
    pub notes: Vec<String>,
}

/// The calls of one client under one profile.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The profile; `None` where none was named.
    pub profile: Option<String>,
    /// The client, as it named itself.
    pub client: Option<String>,
    /// How many calls had which fate.
    pub counts: BTreeMap<Fate, u64>,
}

/// What is not as before of one tool.
#[derive(Debug, Serialize)]
pub struct Example {
    /// What becomes of the calls.
    pub fate: Fate,
    /// The tool, as it was called.
    pub tool: String,
    /// How many calls.
    pub calls: u64,
    /// The `seq` of the first of them in the record.
    pub lines: Vec<u64>,
    /// What is wrong, each once.
    pub texts: BTreeSet<String>,
}

impl Report {
    /// Returns how many calls had a fate.
    pub fn count(&self, fate: Fate) -> u64 {
        self.groups.iter().filter_map(|group| group.counts.get(&fate)).sum()
    }

    /// Returns whether someone has to look at it.
    pub fn is_bad(&self) -> bool {
        !self.broken_profiles.is_empty() || Fate::ALL.into_iter().any(|fate| fate.is_bad() && self.count(fate) > 0)
    }

    pub(super) fn add_reason(&mut self, reason: NoSelection) {
        let (list, text) = match reason {
            NoSelection::Unknown(text) => (&mut self.notes, text),
            NoSelection::Broken(text) => (&mut self.broken_profiles, text),
        };
        if !list.contains(&text) {
            list.push(text);
        }
    }

    pub(super) fn add(&mut self, call: &RecordedCall, fate: Fate, text: &str, withheld: usize) {
        self.calls += 1;
        self.values_not_judged += withheld as u64;
        match &mut self.from_to {
            Some((_, last)) => last.clone_from(&call.time),
            first => *first = Some((call.time.clone(), call.time.clone())),
        }
        *self.group(call).counts.entry(fate).or_default() += 1;
        if fate != Fate::AsBefore {
            self.example(call, fate, text);
        }
    }

    fn group(&mut self, call: &RecordedCall) -> &mut Group {
        let short =
            |name: &Option<String>| name.as_deref().map(|name| truncate(&plain(name), LONGEST_NAME).into_owned());
        let (profile, mut client) = (short(&call.profile), short(&call.client));
        let is_it = |group: &Group, client: &Option<String>| group.profile == profile && group.client == *client;
        if self.groups.len() >= MOST_GROUPS && !self.groups.iter().any(|group| is_it(group, &client)) {
            client = Some("(others)".to_owned());
        }
        let index = self.groups.iter().position(|group| is_it(group, &client)).unwrap_or_else(|| {
            self.groups.push(Group { profile: profile.clone(), client: client.clone(), counts: BTreeMap::new() });
            self.groups.len() - 1
        });
        &mut self.groups[index]
    }

    fn example(&mut self, call: &RecordedCall, fate: Fate, text: &str) {
        let tool = truncate(&plain(&call.tool), LONGEST_NAME).into_owned();
        let position = self.examples.iter().position(|it| it.fate == fate && it.tool == tool);
        let index = match position {
            Some(index) => index,
            None if self.examples.len() >= MOST_EXAMPLES => return,
            None => {
                self.examples.push(Example { fate, tool, calls: 0, lines: Vec::new(), texts: BTreeSet::new() });
                self.examples.len() - 1
            }
        };
        let example = &mut self.examples[index];
        example.calls += 1;
        if example.lines.len() < MOST_LINES {
            example.lines.push(call.seq);
        }
        if example.texts.len() < MOST_LINES {
            example.texts.insert(truncate(&plain(text), LONGEST_TEXT).into_owned());
        }
    }
}

/// A text of a caller's, harmless for a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

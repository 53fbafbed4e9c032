//! The changes of one API → a report, as text, JSON or Markdown. The same change of something that
//! operations share is one entry of text and Markdown; JSON has each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::change::Change;
use super::kind::Severity;

pub(crate) use super::markdown::markdown;

/// The report on one API.
#[derive(Debug, Serialize)]
pub(crate) struct DriftReport {
    /// Such as `jsm-servicedesk`.
    pub(crate) api: String,
    /// Our description.
    pub(crate) ours: String,
    /// The vendor's.
    pub(crate) new: String,
    /// The gravest severity; `None`: nothing changed.
    pub(crate) severity: Option<Severity>,
    pub(crate) counts: Counts,
    /// In order of severity, kind, operation and place.
    pub(crate) changes: Vec<Change>,
    pub(crate) notes: Vec<String>,
}

/// How many changes there are of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) breaking: usize,
    pub(crate) change: usize,
    pub(crate) words: usize,
    /// How many `drift.toml` accepts; they are in no list.
    pub(crate) accepted: usize,
}

impl DriftReport {
    pub(crate) fn new(api: &str, ours: &str, new: &str, mut changes: Vec<Change>, accepted: usize) -> Self {
        changes.sort_by(|a, b| {
            let key = |change: &Change| (std::cmp::Reverse(change.severity), change.kind);
            key(a).cmp(&key(b)).then_with(|| a.operation.cmp(&b.operation)).then_with(|| a.place.cmp(&b.place))
        });
        let count = |severity: Severity| changes.iter().filter(|change| change.severity == severity).count();
        Self {
            api: api.to_owned(),
            ours: ours.to_owned(),
            new: new.to_owned(),
            severity: changes.iter().map(|change| change.severity).max(),
            counts: Counts {
                breaking: count(Severity::Breaking),
                change: count(Severity::Change),
                words: count(Severity::Words),
                accepted,
            },
            changes,
            notes: Vec::new(),
        }
    }

    /// The tools that breaking changes hit.
    pub(crate) fn broken_tools(&self) -> BTreeSet<&str> {
        let breaking = self.changes.iter().filter(|change| change.severity == Severity::Breaking);
        breaking.flat_map(|change| &change.hits.tools).map(|tool| tool.name.as_str()).collect()
    }

    /// The counts in words.
    pub(super) fn summary(&self) -> String {
        let Counts { breaking, change, words, accepted } = self.counts;
        if breaking + change + words == 0 {
            return if accepted == 0 {
                "no difference".to_owned()
            } else {
                format!("no difference but {accepted} accepted")
            };
        }
        let accepted = if accepted == 0 { String::new() } else { format!(", {accepted} accepted") };
        format!(
            "{breaking} breaking, {change} other changes, {words} of words only{accepted}; {} tools may break",
            self.broken_tools().len()
        )
    }

    /// The changes of one severity, what operations share put together.
    pub(super) fn groups(&self, severity: Severity) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut at: BTreeMap<_, usize> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| change.severity == severity) {
            let index = *at.entry(change.group()).or_insert_with(|| {
                groups.push(Group { first: change, all: Vec::new() });
                groups.len() - 1
            });
            groups[index].all.push(change);
        }
        groups
    }

    /// The report for a person.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("{}: {} against {}: {}\n", self.api, self.ours, self.new, self.summary());
        for note in &self.notes {
            let _ = writeln!(out, "note: {note}");
        }
        for (severity, heading) in
            [(Severity::Breaking, "Breaking"), (Severity::Change, "Changes"), (Severity::Words, "Words only")]
        {
            let groups = self.groups(severity);
            if !groups.is_empty() {
                let _ = writeln!(out, "\n{heading}");
            }
            for group in groups {
                group.text(&mut out);
            }
        }
        out
    }
}

/// The same change, of one operation or of several.
pub(super) struct Group<'r> {
    pub(super) first: &'r Change,
    pub(super) all: Vec<&'r Change>,
}

impl Group<'_> {
    /// Where it is: the operation and the place, or what operations share.
    pub(super) fn place(&self) -> String {
        let Change { operation, place, shared, .. } = self.first;
        let place = place.to_string();
        match (operation, shared) {
            (Some(_), Some(shared)) if self.all.len() > 1 => {
                format!("{shared} of {} operations", self.operations())
            }
            (Some(operation), _) if place.is_empty() => operation.to_string(),
            (Some(operation), _) => format!("{operation}: {place}"),
            (None, _) => "the description".to_owned(),
        }
    }

    fn operations(&self) -> usize {
        self.all.iter().filter_map(|change| change.operation.as_ref()).collect::<BTreeSet<_>>().len()
    }

    /// What stood there and what does now.
    pub(super) fn values(&self) -> Option<String> {
        match (&self.first.before, &self.first.after) {
            (Some(before), Some(after)) => Some(format!("{before} → {after}")),
            (Some(before), None) => Some(format!("{before} → nothing")),
            (None, Some(after)) => Some(format!("nothing → {after}")),
            (None, None) => None,
        }
    }

    /// The tools with their arguments and aliases, each once.
    pub(super) fn tools(&self) -> Vec<String> {
        let tools = self.all.iter().flat_map(|change| &change.hits.tools);
        let shown: BTreeSet<String> = tools
            .map(|tool| {
                let argument = tool.argument.as_ref().map(|argument| format!("argument {argument}"));
                let aliases = (!tool.aliases.is_empty()).then(|| format!("alias {}", tool.aliases.join(", ")));
                let details: Vec<String> = argument.into_iter().chain(aliases).collect();
                if details.is_empty() { tool.name.clone() } else { format!("{} ({})", tool.name, details.join("; ")) }
            })
            .collect();
        shown.into_iter().collect()
    }

    /// What else is hit, a line each.
    pub(super) fn others(&self) -> Vec<String> {
        let list = |name: &str, of: &dyn Fn(&Change) -> &Vec<String>| {
            let all: BTreeSet<&String> = self.all.iter().flat_map(|change| of(change)).collect();
            let all: Vec<&str> = all.into_iter().map(String::as_str).collect();
            (!all.is_empty()).then(|| format!("{name}: {}", few(&all)))
        };
        let lists = [
            list("concise", &|change| &change.hits.concise),
            list("pages by it", &|change| &change.hits.paging),
            list("looked up by it", &|change| &change.hits.resolve),
            list("samples", &|change| &change.hits.samples),
            list("named by", &|change| &change.hits.references),
            list("workflows", &|change| &change.hits.workflows),
            list("profiles", &|change| &change.hits.profiles),
        ];
        lists.into_iter().flatten().collect()
    }

    fn text(&self, out: &mut String) {
        let first = self.first;
        let _ = writeln!(out, "  {}: {}", first.kind.as_str(), self.place());
        if let Some(values) = self.values() {
            let _ = writeln!(out, "      {}", values.replace('\n', "\n      "));
        }
        let tools = self.tools();
        let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
        let hits = match (tools.as_slice(), &first.hits.no_tool) {
            ([], Some(reason)) => reason.clone(),
            ([], None) => "no tool".to_owned(),
            (tools, _) => few(tools),
        };
        let _ = writeln!(out, "      hits: {hits}");
        for line in self.others() {
            let _ = writeln!(out, "      {line}");
        }
        let _ = writeln!(out, "      {}; {}", first.means, first.next);
    }
}

/// A list that fits on a few lines.
pub(super) fn few(all: &[&str]) -> String {
    const SHOWN: usize = 8;
    let mut text = all.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN {
        let _ = write!(text, " and {} more", all.len() - SHOWN);
    }
    text
}

//! Recorded calls and a catalog → how many of them would be refused, renamed or reach another operation, by profile
//! and client, with examples. Each recorded call is a test of the change.

mod report;

use std::collections::HashMap;
use std::time::SystemTime;

use crate::audit::RecordedCall;
use crate::call::recheck::{Recheck, Rechecked};
use crate::catalog::Catalog;
use crate::error::Audience;
use crate::policy::Selection;
pub use report::{Example, Fate, Group, Report};
use toolwright_model::{Call, Effect};

/// Why there is no selection for the calls of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSelection {
    /// The profile is not known here, so its policy is not judged.
    Unknown(String),
    /// The profile does not fit the catalog: a server would not start with it.
    Broken(String),
}

/// The selection for the calls of a profile, or of none. The third argument is the client, whose defaults differ.
pub type SelectionOf<'a> = dyn Fn(&Catalog, Option<&str>, Option<&str>) -> Result<Selection, NoSelection> + 'a;

/// Calls that are replayed against a catalog.
pub struct Replay<'a> {
    new: Catalog,
    /// The catalog by which the calls were made, as far as it is known.
    old: Option<Catalog>,
    selection_of: &'a SelectionOf<'a>,
    now: SystemTime,
    /// By profile and whether the command line was the client.
    rechecks: HashMap<(Option<String>, bool), Selected>,
    report: Report,
}

/// What a profile's calls are checked with.
struct Selected {
    recheck: Recheck,
    old: Option<Selection>,
}

impl<'a> Replay<'a> {
    /// Replays against `new`; `old` tells what a change did from what was so before.
    pub fn new(new: Catalog, old: Option<Catalog>, now: SystemTime, selection_of: &'a SelectionOf<'a>) -> Self {
        Self { new, old, selection_of, now, rechecks: HashMap::new(), report: Report::default() }
    }

    /// Returns what was found.
    pub fn finish(self) -> Report {
        self.report
    }

    /// Replays one call.
    pub async fn add(&mut self, call: &RecordedCall) {
        if !call.was_accepted() {
            self.report.not_replayed += 1;
            return;
        }
        let key = (call.profile.clone(), call.client.as_deref() == Some(CALL));
        if !self.rechecks.contains_key(&key) {
            let selected = self.select(call);
            self.rechecks.insert(key.clone(), selected);
        }
        let Some(selected) = self.rechecks.get(&key) else { return };
        let checked = selected.recheck.check(&call.tool, &call.arguments, call.names.as_deref()).await;
        let (fate, text, withheld) = match &checked {
            Err(failure) => (Fate::Arguments, failure.text(Audience::Person), 0),
            Ok(None) => (Fate::NoSuchTool, self.gone(call), 0),
            Ok(Some(checked)) => {
                let (fate, text) = self.judge(call, checked, selected);
                (fate, text, checked.withheld)
            }
        };
        self.report.add(call, fate, &text, withheld);
    }

    fn select(&mut self, call: &RecordedCall) -> Selected {
        let (profile, client) = (call.profile.as_deref(), call.client.as_deref());
        let new = (self.selection_of)(&self.new, profile, client).unwrap_or_else(|why| {
            self.report.add_reason(why);
            Selection::everything()
        });
        // Where the old catalog has no such selection, it tells nothing.
        let old = self.old.as_ref().and_then(|old| (self.selection_of)(old, profile, client).ok());
        Selected { recheck: Recheck::new(self.new.clone(), new, self.now), old }
    }

    fn judge(&self, call: &RecordedCall, checked: &Rechecked<'_>, selected: &Selected) -> (Fate, String) {
        let entry = checked.entry;
        if let Some(refusal) = checked.refusal.as_ref().filter(|_| self.was_offered(call, selected)) {
            return (Fate::HeldBack, refusal.text(Audience::Person));
        }
        if let Some(problem) = checked.problems.first() {
            let more = checked.problems.len() - 1;
            let more = if more > 0 { format!("; {more} more") } else { String::new() };
            return (Fate::Arguments, format!("{problem}{more}"));
        }
        if let (Some(before), Some(after)) = (call.operation.as_deref(), checked.operation)
            && !self.is_same_operation(call, before, after)
        {
            let text = format!("`{before}` → `{}`, {} {}", after.operation, after.method, after.path);
            return (Fate::OtherOperation, text);
        }
        let effect = entry.tool.effect.map(Effect::as_str);
        if call.effect.as_deref() != effect {
            let word = |effect: Option<&str>| effect.unwrap_or("unreviewed").to_owned();
            return (Fate::EffectChanged, format!("`{}` → `{}`", word(call.effect.as_deref()), word(effect)));
        }
        if entry.tool.name != call.tool {
            return (Fate::Renamed, format!("`{}`", entry.tool.name));
        }
        if checked.withheld > 0 || checked.operation.is_none() {
            return (Fate::NotJudged, "nothing wrong in what the record shows".to_owned());
        }
        (Fate::AsBefore, String::new())
    }

    /// Whether the same selection offered the tool by the old catalog: flags that the record does not show may have
    /// offered it, and a change takes away only what was there.
    fn was_offered(&self, call: &RecordedCall, selected: &Selected) -> bool {
        let Some(old) = &self.old else { return true };
        let entry = old.get(&call.tool);
        entry.is_some_and(|entry| selected.old.as_ref().is_none_or(|selection| selection.decide(entry).is_ok()))
    }

    /// A record names an operation by its id only; the old catalog knows what was requested.
    fn is_same_operation(&self, call: &RecordedCall, before: &str, after: &Call) -> bool {
        let calls = self.old.as_ref().and_then(|old| old.get(&call.tool)).map(|entry| entry.tool.calls.as_slice());
        match calls.unwrap_or_default().iter().find(|call| call.operation == before) {
            Some(known) => {
                (&known.method, &known.path) == (&after.method, &after.path)
                    || (&known.api, &known.operation) == (&after.api, &after.operation)
            }
            None => before == after.operation,
        }
    }

    /// What became of a tool that is gone: another one may call its operation.
    fn gone(&self, call: &RecordedCall) -> String {
        let calls_it = |other: &&crate::catalog::CatalogEntry| {
            let operation = call.operation.as_deref();
            other.vendor == call.vendor && other.tool.calls.iter().any(|it| Some(it.operation.as_str()) == operation)
        };
        match self.new.entries().iter().find(calls_it) {
            Some(other) => format!("no tool has this name; `{}` calls its operation", other.tool.name),
            None => "no tool has this name, and none calls its operation".to_owned(),
        }
    }
}

/// How `toolwright call` names itself in the record.
pub const CALL: &str = "toolwright call";

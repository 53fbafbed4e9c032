//! One name → the record that is meant, or why it can't be said: none has the name, several have it, others may have it.

use serde_json::{Map, Value};

use super::lookup::{Looked, NameContext, NoRecords};
use super::matching::{Candidate, Closeness, Match, Name, nearest};
use crate::call::caller::Caller;
use crate::call::failure::Failure;
use crate::error::CallError;
use crate::formats::pattern_matches;
use toolwright_model::Resolve;

/// The record that a name means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) id: String,
    /// What tells it from others, by the names of the fields; that of the name first.
    pub(super) fields: Vec<(String, String)>,
    /// What its reader has to know of it.
    pub(super) note: Option<String>,
}

/// Why a name means no record.
pub(super) enum NoTarget {
    /// The caller may not look it up.
    NotOffered,
    /// An argument is missing or unresolved that every look-up needs.
    Needs(Vec<String>),
    /// None has the name; these are near. With a gap not all were read.
    NotFound { near: Vec<Candidate>, gap: Option<String> },
    /// These have it.
    Several(Vec<Candidate>),
    /// This one has it, but others may have it, too.
    Unproved { candidate: Candidate, gap: String },
    /// The vendor's id is of another form than ids of this kind.
    OddId(String),
    /// A look-up failed.
    Failed(Box<Failure>),
}

/// What a name is looked up for.
pub(super) struct Wanted<'a> {
    pub(super) text: &'a str,
    pub(super) resolve: &'a Resolve,
    /// The arguments of the call, of which some belong to the look-up.
    pub(super) arguments: &'a Map<String, Value>,
    /// A change needs the whole name, and a proof that nothing else has it.
    pub(super) changes: bool,
}

/// What the look-ups for one name have shown so far.
#[derive(Default)]
struct Seen {
    candidates: Vec<Candidate>,
    /// Why a look-up may not have shown all.
    gap: Option<String>,
    /// Whether one look-up did: that none has the name is proved by it.
    is_whole: bool,
    /// Whether a look-up was made.
    looked: bool,
    /// Whether one was not offered.
    held_back: bool,
}

impl Wanted<'_> {
    /// Finds the record that is meant.
    pub(super) async fn find(&self, caller: &Caller, context: &NameContext<'_>) -> Result<Target, NoTarget> {
        let name = Name::of(self.text);
        if let Some(target) = self.listed(&name)? {
            return Ok(target);
        }
        let mut seen = Seen::default();
        for by in &self.resolve.by {
            if by.only.as_ref().is_some_and(|only| !pattern_matches(only, self.text)) {
                continue;
            }
            let Some(arguments) = by.arguments_for(self.text, self.arguments) else { continue };
            let unique = |field: &str| by.unique.iter().any(|known| known == field);
            let mut anew = false;
            loop {
                let Looked { records, is_kept } = match context.records(caller, by, arguments.clone(), anew).await {
                    Ok(looked) => looked,
                    Err(NoRecords::NotOffered) => {
                        seen.held_back = true;
                        break;
                    }
                    // A text that the look-up does not take, such as one with a comma, may be found otherwise.
                    Err(NoRecords::Failed(failure)) if matches!(*failure, Failure::Arguments { .. }) => {
                        seen.add(&[], Some("not every look-up takes this text"));
                        break;
                    }
                    // The vendor may permit one look-up and refuse another; what one has proved stays proved.
                    Err(NoRecords::Failed(failure))
                        if seen.is_whole && matches!(*failure, Failure::Call(CallError::Rejected(_))) =>
                    {
                        seen.add(&[], Some("the vendor refused a further look-up"));
                        break;
                    }
                    Err(NoRecords::Failed(failure)) => return Err(NoTarget::Failed(failure)),
                };
                seen.looked = true;
                let found = name.matches(records.candidates.iter());
                let exact: Vec<Match<'_>> =
                    found.into_iter().filter(|one| one.closeness != Closeness::Beginning).collect();
                if !exact.is_empty() {
                    return self.decide(&exact, records.gap.as_deref(), unique);
                }
                // It may be newer than what was kept.
                if is_kept && !anew {
                    anew = true;
                    continue;
                }
                seen.add(&records.candidates, records.gap.as_deref());
                break;
            }
        }
        self.not_exact(&name, seen)
    }

    /// A name that is the same everywhere.
    fn listed(&self, name: &Name) -> Result<Option<Target>, NoTarget> {
        let of = |(text, id): (&String, &String)| Candidate {
            id: id.clone(),
            names: vec![("name".to_owned(), text.clone())],
            show: Vec::new(),
        };
        let listed: Vec<Candidate> = self.resolve.values.iter().map(of).collect();
        let found: Vec<Match<'_>> =
            name.matches(listed.iter()).into_iter().filter(|one| one.closeness != Closeness::Beginning).collect();
        if found.is_empty() { Ok(None) } else { self.decide(&found, None, |_| true).map(Some) }
    }

    fn decide(
        &self,
        exact: &[Match<'_>],
        gap: Option<&str>,
        is_unique: impl Fn(&str) -> bool,
    ) -> Result<Target, NoTarget> {
        let [only] = exact else {
            return Err(NoTarget::Several(exact.iter().map(|one| one.candidate.clone()).collect()));
        };
        let gap = gap.filter(|_| !is_unique(only.field));
        match gap {
            Some(gap) if self.changes => {
                Err(NoTarget::Unproved { candidate: only.candidate.clone(), gap: gap.to_owned() })
            }
            gap => self.target(only, gap.map(|gap| format!("others may have this name, too: {gap}"))),
        }
    }

    /// What is left where no record has exactly this name.
    fn not_exact(&self, name: &Name, seen: Seen) -> Result<Target, NoTarget> {
        if !seen.looked && self.resolve.values.is_empty() {
            return Err(if seen.held_back { NoTarget::NotOffered } else { NoTarget::Needs(self.missing()) });
        }
        let begun = name.matches(seen.candidates.iter());
        if !self.changes {
            match (begun.as_slice(), &seen.gap) {
                ([only], None) => {
                    let note = "the only one whose name begins so".to_owned();
                    return self.target(only, Some(note));
                }
                ([], _) => {}
                ([only], Some(gap)) => {
                    return Err(NoTarget::Unproved { candidate: only.candidate.clone(), gap: gap.clone() });
                }
                (several, _) => {
                    return Err(NoTarget::Several(several.iter().map(|one| one.candidate.clone()).collect()));
                }
            }
        }
        let all: Vec<&Candidate> = seen.candidates.iter().collect();
        let mut near: Vec<Candidate> = begun.iter().map(|one| one.candidate.clone()).collect();
        for candidate in nearest(self.text, &all) {
            if !near.iter().any(|known| known.id == candidate.id) {
                near.push(candidate.clone());
            }
        }
        // A look-up that its caller may not make might have found it.
        let held_back = seen.held_back.then(|| "not every look-up is permitted here".to_owned());
        let gap = held_back.or(seen.gap.filter(|_| !seen.is_whole));
        Err(NoTarget::NotFound { near, gap })
    }

    /// The arguments that the look-ups need and the call does not have.
    fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for name in self.resolve.by.iter().flat_map(toolwright_model::NameLookup::needed) {
            if self.arguments.get(name).is_none_or(Value::is_null) && !missing.iter().any(|known| known == name) {
                missing.push(name.to_owned());
            }
        }
        missing
    }

    fn target(&self, found: &Match<'_>, note: Option<String>) -> Result<Target, NoTarget> {
        let Match { candidate, field, .. } = found;
        if !pattern_matches(&self.resolve.id, &candidate.id) {
            return Err(NoTarget::OddId(candidate.id.clone()));
        }
        let (first, others): (Vec<_>, Vec<_>) = candidate.names.iter().partition(|(name, _)| name == field);
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, text) in first.into_iter().chain(others).chain(&candidate.show) {
            if !fields.iter().any(|(known, other)| known == name || other == text) {
                fields.push((name.clone(), text.clone()));
            }
        }
        Ok(Target { id: candidate.id.clone(), fields, note })
    }
}

impl Seen {
    fn add(&mut self, candidates: &[Candidate], gap: Option<&str>) {
        match gap {
            None => self.is_whole = true,
            Some(gap) => {
                self.gap.get_or_insert_with(|| gap.to_owned());
            }
        }
        self.candidates.extend(candidates.iter().cloned());
    }
}

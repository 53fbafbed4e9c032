//! Arguments with names in place of ids → the same with ids, between stages 1 and 2. Each name is looked up by a tool that
//! the caller is offered; what is not exactly one record ends the call before anything is sent. The result tells which
//! record each name meant.

mod cache;
mod lookup;
mod matching;
mod refusal;
mod target;

use std::collections::HashMap;

use serde_json::Value;

use super::failure::{ArgumentProblem, Failure};
use super::id_sources;
use super::name_places::{NamePlace, in_order, places};
use super::resolve::ResolvedCall;
use super::resolved_name::ResolvedName;
use crate::formats::{id_in_address, pattern_matches};
use crate::sanitize::{TextForm, marks};
pub(super) use cache::NameCache;
pub(super) use lookup::NameContext;
use matching::{Candidate, Name};
use refusal::{NAME_CHARACTERS, Refused};
use target::{NoTarget, Target, Wanted};
use toolwright_model::{Binding, NAME_PREFIX, NameLookup, Resolve, truncate};

/// The most names of one call that are looked up; ids are as many as the schema takes.
const MOST_NAMES: usize = 50;

/// Returns the ids of the records that a name means, by the closest kind of equality: `(id, name)` each. The beginning of a
/// name is enough, as for every read.
pub(super) fn named_by(text: &str, records: &[(String, String)]) -> Vec<String> {
    let candidate = |(id, name): &(String, String)| Candidate {
        id: id.clone(),
        names: vec![(String::new(), name.clone())],
        show: Vec::new(),
    };
    let candidates: Vec<Candidate> = records.iter().map(candidate).collect();
    Name::of(text).matches(candidates.iter()).into_iter().map(|found| found.candidate.id.clone()).collect()
}

/// Replaces names by ids in the arguments of a call; returns whether there were any.
///
/// # Errors
/// A name is not that of exactly one record, or it can't be looked up.
pub(super) async fn resolve_names(call: &mut ResolvedCall<'_>, context: &NameContext<'_>) -> Result<bool, Failure> {
    let bindings = in_order(&call.operation.bindings);
    let mut stage =
        Stage { context, known: HashMap::new(), open: Vec::new(), looked_up: 0, problems: Vec::new(), quotes: false };
    let mut changed = false;
    for binding in bindings {
        for resolve in &binding.resolve {
            changed |= stage.argument(call, binding, resolve).await?;
        }
    }
    let Stage { problems, quotes, .. } = stage;
    if !problems.is_empty() {
        let refused = id_sources::refused(problems, call.schema, call.entry, context.tools);
        return Err(if quotes { refusal::with_mark(refused) } else { refused });
    }
    if changed {
        call.masked = call.schema.masked(&call.arguments);
    }
    Ok(changed)
}

/// The names of one call.
struct Stage<'a> {
    context: &'a NameContext<'a>,
    /// Names that occur again mean the same: by the kind of record, what its ids look like, and the name.
    known: HashMap<(String, String, String), Target>,
    /// The arguments of which a name means no record: what is looked up by them is not looked up.
    open: Vec<String>,
    looked_up: usize,
    problems: Vec<ArgumentProblem>,
    /// Whether a problem quotes records.
    quotes: bool,
}

impl Stage<'_> {
    /// Replaces the names in one part of an argument.
    async fn argument(
        &mut self,
        call: &mut ResolvedCall<'_>,
        binding: &Binding,
        resolve: &Resolve,
    ) -> Result<bool, Failure> {
        let Some(given) = call.arguments.get(&binding.argument) else { return Ok(false) };
        let mut changed = false;
        for NamePlace { pointer, shown, text } in places(given, &resolve.at) {
            let argument = format!("{}{shown}", binding.argument);
            let trimmed = text.trim();
            let name = match trimmed.strip_prefix(NAME_PREFIX) {
                Some(name) => name.trim(),
                None if pattern_matches(&resolve.id, trimmed) => {
                    changed |= replace(call, &binding.argument, &pointer, trimmed);
                    continue;
                }
                None => trimmed,
            };
            if resolve.by.iter().flat_map(NameLookup::needed).any(|needed| self.open.iter().any(|open| open == needed))
            {
                continue;
            }
            let Some(target) = self.target(call, resolve, &argument, name).await? else {
                self.open.push(binding.argument.clone());
                continue;
            };
            replace(call, &binding.argument, &pointer, &target.id);
            changed = true;
            let resolved = resolved(argument, name, target, call);
            call.names.push(resolved);
        }
        Ok(changed)
    }

    /// Notes why a text is not looked up at all, if so.
    fn is_refused(&mut self, resolve: &Resolve, argument: &str, name: &str) -> bool {
        let refused = if name.is_empty() {
            Some(Refused::Empty(resolve))
        } else if let Some(id) = id_in_address(name, &resolve.id) {
            Some(Refused::Address(resolve, id))
        } else {
            self.looked_up += 1;
            if self.looked_up > MOST_NAMES + 1 {
                return true;
            }
            // What is wrong with single names is of no use then, and would hide this.
            if self.looked_up > MOST_NAMES {
                self.problems.clear();
            }
            (self.looked_up > MOST_NAMES).then_some(Refused::TooMany(resolve, MOST_NAMES))
        };
        self.problems.extend(refused.as_ref().map(|refused| refused.problem(argument.to_owned(), name)));
        refused.is_some()
    }

    /// Returns the record that a name means; notes the problem where there is not exactly one.
    async fn target(
        &mut self,
        call: &ResolvedCall<'_>,
        resolve: &Resolve,
        argument: &str,
        name: &str,
    ) -> Result<Option<Target>, Failure> {
        let key = (resolve.called.clone(), resolve.id.clone(), name.to_owned());
        if let Some(target) = self.known.get(&key) {
            return Ok(Some(target.clone()));
        }
        if self.is_refused(resolve, argument, name) {
            return Ok(None);
        }
        let of_change = call.caller.workflow.as_ref().is_some_and(|step| step.changes);
        let changes = of_change || !call.only_reads();
        let wanted = Wanted { text: name, resolve, arguments: &call.arguments, changes };
        match wanted.find(call.caller, self.context).await {
            Ok(target) => {
                self.known.insert(key, target.clone());
                Ok(Some(target))
            }
            Err(NoTarget::Failed(failure)) => Err(refusal::not_looked_up(argument, name, resolve, &failure, call)),
            Err(none) => {
                let rules = &call.connection.rules;
                let shown = |text: &str| rules.text(text, TextForm::Inert);
                let refused = Refused::No { resolve, none: &none, shown: &shown };
                self.quotes |= refused.quotes();
                self.problems.push(refused.problem(argument.to_owned(), name));
                Ok(None)
            }
        }
    }
}

/// Writes an id in place of what was given; returns whether that is another text.
fn replace(call: &mut ResolvedCall<'_>, argument: &str, pointer: &str, id: &str) -> bool {
    let place = call.arguments.get_mut(argument).and_then(|argument| argument.pointer_mut(pointer));
    let Some(place) = place.filter(|place| place.as_str() != Some(id)) else { return false };
    *place = Value::from(id);
    true
}

/// What the caller is told of a record; what people entered is made inert.
fn resolved(argument: String, given: &str, target: Target, call: &ResolvedCall<'_>) -> ResolvedName {
    let rules = &call.connection.rules;
    let inert = |text: &str| marks::truncated(&rules.text(text, TextForm::Inert), NAME_CHARACTERS).into_owned();
    let record = target.fields.iter().map(|(name, text)| (name.clone(), Value::from(inert(text)))).collect();
    let given = truncate(given, NAME_CHARACTERS).into_owned();
    let note = target.note.as_deref().map(inert);
    ResolvedName { argument, given, id: target.id, record, note }
}

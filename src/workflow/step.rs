//! A step whose turn it is → how it ended: once, or once for each value of a list.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;

use super::attempt::{Attempt, Calls};
use super::criteria::{self, Verdict};
use super::datum::Datum;
use super::row::{Row, RowOutcome, Undo};
use super::scope::{Outputs, Scope};
use super::selection;
use crate::call::{Failure, HasMore, StepAnswer};
use crate::error::{Audience, CallError, Outcome};
use crate::sanitize;
use toolwright_model::Effect;
use toolwright_model::workflow::{Action, Already, ForEach, Retry, Source, Step, Then};

/// A stated wait that is longer ends the step: the caller would wait in vain.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// How a step ended.
pub(super) struct StepEnd {
    /// Whether what follows can rely on it.
    pub(super) succeeded: bool,
    pub(super) outputs: Outputs,
    /// What became of it: one row, or one for each value.
    pub(super) rows: Vec<Row>,
    /// What follows, where an action states it.
    pub(super) then: Option<Then>,
    pub(super) notes: Vec<String>,
    /// What the pages of its answers prove.
    pub(super) has_more: Option<HasMore>,
}

/// How one call ended, with what is known by it.
struct CallEnd {
    succeeded: bool,
    row: Row,
    outputs: Outputs,
    then: Option<Then>,
    notes: Vec<String>,
    has_more: Option<HasMore>,
    /// Whether the same would happen to each further call.
    is_final: bool,
}

impl CallEnd {
    fn of(succeeded: bool, row: Row) -> Self {
        Self { succeeded, row, outputs: Outputs::new(), then: None, notes: Vec::new(), has_more: None, is_final: false }
    }
}

impl Calls<'_> {
    /// Runs a step.
    pub(super) async fn run_step(&self, step: &Step, scope: &Scope, delay: Duration) -> StepEnd {
        if !delay.is_zero() {
            self.wait(delay).await;
        }
        match &step.foreach {
            Some(each) => self.run_each(step, each, scope).await,
            None => {
                let end = self.run_call(step, scope, &step.id).await;
                let CallEnd { succeeded, row, outputs, then, notes, has_more, .. } = end;
                StepEnd { succeeded, outputs, rows: vec![row], then, notes, has_more }
            }
        }
    }

    /// Runs a step for each value of its list. What fails for one value does not keep the others from being tried, unless it
    /// would fail for each.
    async fn run_each(&self, step: &Step, each: &ForEach, scope: &Scope) -> StepEnd {
        let items = match items_of(scope, each, self.toolbox.most_items()) {
            Ok(items) => items,
            Err(why) => return whole(step, Row::new(&step.id, RowOutcome::NotSent, Some(why)), false),
        };
        if let Some(list) = each.lists().map(|list| scope.read(list)).find(Datum::is_unsent) {
            let why = format!("for each value of {}", list.text().unwrap_or_default());
            let end = whole(step, Row::new(&step.id, RowOutcome::Planned, Some(why)), true);
            return StepEnd { outputs: unsent_outputs(step), ..end };
        }
        let (count, ended, halt) = (items.len(), AtomicUsize::new(0), AtomicBool::new(false));
        let one = |(index, item): (usize, Datum)| -> BoxFuture<'_, CallEnd> {
            let scope = scope.with_item(item.clone(), index);
            let (ended, halt) = (&ended, &halt);
            Box::pin(async move {
                let label = each.label.as_ref().and_then(|label| scope.template(label).ok());
                let label = label.filter(|label| !label.is_missing()).unwrap_or(item);
                let end = if self.is_cancelled() || halt.load(Ordering::Relaxed) {
                    CallEnd::of(false, Row::new(&step.id, RowOutcome::NotSent, None))
                } else {
                    self.run_item(step, each, &scope, index).await
                };
                halt.fetch_or(end.is_final, Ordering::Relaxed);
                let ended = ended.fetch_add(1, Ordering::Relaxed) + 1;
                self.caller.report(format!("{}: {ended} of {count}", step.title));
                let mut row = Row { changes: changes(step), ..end.row.of_item(label) };
                if !row.changes && !end.succeeded && row.outcome == RowOutcome::Done {
                    // What was read does not lead on, so that nothing is sent for this value.
                    row.outcome = RowOutcome::NotSent;
                }
                CallEnd { row, ..end }
            })
        };
        let calls: Vec<BoxFuture<'_, CallEnd>> = items.into_iter().enumerate().map(one).collect();
        let at_once = usize::try_from(each.concurrency).unwrap_or(1).max(1);
        let ends: Vec<CallEnd> = stream::iter(calls).buffered(at_once).collect().await;
        let end = collected(step, ends);
        followed(step, scope, end)
    }

    async fn run_item(&self, step: &Step, each: &ForEach, scope: &Scope, index: usize) -> CallEnd {
        let name = format!("{}[{index}]", step.id);
        if let Some(already) = &each.already {
            match self.is_already_so(already, scope, &name).await {
                Ok(Verdict::Holds) => {
                    return CallEnd::of(true, Row::new(&step.id, RowOutcome::AlreadySo, None));
                }
                Ok(Verdict::Fails | Verdict::Undecided) => {}
                Err((why, is_final)) => {
                    let row =
                        Row::new(&step.id, RowOutcome::NotSent, Some(format!("what it is now is not known: {why}")));
                    return CallEnd { is_final, ..CallEnd::of(false, row) };
                }
            }
        }
        self.run_call(step, scope, &name).await
    }

    /// Looks whether a value is as the step would make it.
    async fn is_already_so(&self, already: &Already, scope: &Scope, name: &str) -> Result<Verdict, (String, bool)> {
        let own = |why: String| (why, false);
        let seen = match &already.call {
            None => scope.clone(),
            Some(call) => match self.attempt(call, scope, &format!("{name}.already")).await.map_err(own)? {
                // What is on a page that was not read proves nothing: the change is sent.
                Attempt::Answered(answer) if is_cut(&answer) => return Ok(Verdict::Undecided),
                Attempt::Answered(answer) => scope.with_answer(&answer),
                Attempt::Planned(..) | Attempt::Unsent(_) => return Ok(Verdict::Undecided),
                Attempt::Failed(failure) => return Err((text(&failure), is_final(&failure))),
            },
        };
        criteria::all(&seen, &already.criteria).map(|(verdict, _)| verdict).map_err(own)
    }

    /// Makes the call of a step, again where an action for its failure wants that and nothing was applied.
    async fn run_call(&self, step: &Step, scope: &Scope, name: &str) -> CallEnd {
        let mut retries = vec![0_u32; step.on_failure.len()];
        loop {
            let (mut end, seen, wait, failed) = self.run_once(step, scope, name).await;
            end.row.changes = changes(step);
            if end.succeeded {
                end.then = taken(&step.on_success, &seen, |_, _| true).map(|(_, then)| then.clone());
                return end;
            }
            if !failed {
                return end;
            }
            let may_repeat = !end.row.changes || matches!(end.row.outcome, RowOutcome::NotSent | RowOutcome::Refused);
            let then = taken(&step.on_failure, &seen, |index, then| match then {
                Then::Retry(retry) => may_repeat && retries[index] < retry.limit && wait <= LONGEST_WAIT,
                Then::End | Then::Goto(_) => true,
            });
            match then {
                Some((index, Then::Retry(Retry { after_ms, step: None, .. }))) if !self.is_cancelled() => {
                    retries[index] += 1;
                    let wait = wait.max(Duration::from_millis(*after_ms));
                    self.caller.report(format!("{}: it failed and is tried again in {} s", step.title, wait.as_secs()));
                    self.wait(wait).await;
                }
                then => return CallEnd { then: then.map(|(_, then)| then.clone()), ..end },
            }
        }
    }

    /// Makes the call once. Returns with its end what criteria can read, how long the vendor wants callers to wait, and
    /// whether a call failed, for which actions are stated.
    async fn run_once(&self, step: &Step, scope: &Scope, name: &str) -> (CallEnd, Scope, Duration, bool) {
        let not_sent = |why: String| CallEnd::of(false, Row::new(&step.id, RowOutcome::NotSent, Some(why)));
        let attempt = match self.attempt(&step.call, scope, name).await {
            Ok(attempt) => attempt,
            Err(why) => return (not_sent(why), scope.clone(), Duration::ZERO, true),
        };
        match attempt {
            Attempt::Answered(answer) => {
                let seen = scope.with_answer(&answer);
                let end = answered(step, &seen, &answer);
                let failed = !end.succeeded;
                (end, seen, Duration::ZERO, failed)
            }
            Attempt::Planned(plan, outside) => {
                let seen = scope.with_unsent(&step.id);
                let row = Row::new(&step.id, RowOutcome::Planned, None).planned(&plan, outside);
                (unsent(step, row), seen, Duration::ZERO, false)
            }
            Attempt::Unsent(arguments) => {
                let seen = scope.with_unsent(&step.id);
                let row = Row::new(&step.id, RowOutcome::Planned, None).with_arguments(&step.call.tool, arguments);
                (unsent(step, row), seen, Duration::ZERO, false)
            }
            Attempt::Failed(failure) => {
                let refusal = match &failure {
                    Failure::Call(error) => scope.with_refusal(error),
                    _ => None,
                };
                let seen = refusal.clone().unwrap_or_else(|| scope.clone());
                // A refusal may be what the step counts as success: there is nothing to change.
                if let Some(seen) = refusal.filter(|_| !step.success.is_empty())
                    && matches!(criteria::all(&seen, &step.success), Ok((Verdict::Holds, _)))
                {
                    let mut end = CallEnd::of(true, Row::new(&step.id, RowOutcome::AlreadySo, None));
                    end.outputs = scope_outputs(step, &seen).unwrap_or_default();
                    return (end, seen, Duration::ZERO, false);
                }
                let (end, wait) = failed(step, scope, &failure);
                (end, seen, wait, true)
            }
        }
    }
}

/// Judges an answer of the vendor by the step's criteria, and reads the outputs.
fn answered(step: &Step, seen: &Scope, answer: &StepAnswer) -> CallEnd {
    let mut row = Row::new(&step.id, RowOutcome::Done, None);
    row.undo = undo(step, seen);
    let mut end = CallEnd::of(false, row);
    end.notes = answer.notes.iter().map(|note| format!("`{}`: {note}", step.id)).collect();
    if let Some(page) = &answer.page {
        end.has_more = Some(page.has_more);
        let notes = page.end_notes.iter().chain(&page.note);
        end.notes.extend(notes.map(|note| format!("`{}`: {note}", step.id)));
        if page.has_more != HasMore::No {
            let more = if page.has_more == HasMore::Yes { "has" } else { "may have" };
            let returned = page.returned;
            let tool = &step.call.tool;
            end.notes.push(format!("`{}`: `{tool}` {more} more than these {returned} records", step.id));
        }
    }
    match criteria::all(seen, &step.success) {
        Ok((Verdict::Fails, Some(criterion))) => {
            end.row.why =
                Some(format!("the vendor answered {}, but `{}` does not hold", answer.status, criterion.text));
            return end;
        }
        Ok(_) => {}
        Err(why) => {
            end.row.why = Some(why);
            return end;
        }
    }
    match scope_outputs(step, seen) {
        Ok(outputs) => CallEnd { succeeded: true, outputs, ..end },
        Err(why) => {
            end.row.why = Some(format!("the vendor answered {}: {why}", answer.status));
            end
        }
    }
}

/// The action of a step for all its values together.
fn followed(step: &Step, scope: &Scope, end: StepEnd) -> StepEnd {
    let actions = if end.succeeded { &step.on_success } else { &step.on_failure };
    // Each value's call was tried again already.
    let then = taken(actions, scope, |_, then| !matches!(then, Then::Retry(_)));
    StepEnd { then: then.map(|(_, then)| then.clone()), ..end }
}

/// Whether there may be records that an answer does not hold.
fn is_cut(answer: &StepAnswer) -> bool {
    answer.page.as_ref().is_some_and(|page| page.has_more != HasMore::No)
}

/// The values of the lists of a step: those that fit, each once where the step tells them apart.
fn items_of(scope: &Scope, each: &ForEach, most: Option<u32>) -> Result<Vec<Datum>, String> {
    let mut items = Vec::new();
    for expression in each.lists() {
        let list = scope.read(expression);
        if list.is_absent() || list.is_unsent() {
            continue;
        }
        items.extend(list.items().ok_or_else(|| format!("`{expression}` is no list"))?);
    }
    if each.flat {
        items = items.iter().flat_map(|item| item.items().unwrap_or_default()).collect();
    }
    if !selection::keep_fitting(scope, &mut items, &each.filter)? {
        return Err("for which values it is sent is not known before the changes before it".to_owned());
    }
    if let Some(pointer) = &each.distinct {
        let mut known = HashSet::new();
        // What has nothing by which it is known may be another one.
        items.retain(|item| item.at(pointer).text().is_none_or(|text| known.insert(text)));
    }
    let most = each.at_most.max(most.unwrap_or_default());
    if items.len() > usize::try_from(most).unwrap_or(usize::MAX) {
        let lists: Vec<String> = each.lists().map(|list| format!("`{list}`")).collect();
        let (lists, has) = (lists.join(" and "), if each.also.is_empty() { "has" } else { "have" });
        return Err(format!("{lists} {has} {} values, of at most {most}; none of them was sent", items.len()));
    }
    Ok(items)
}

/// What is wrong with the list of a step that the caller gives, before anything is sent.
pub(super) fn too_many(step: &Step, scope: &Scope, most: Option<u32>) -> Option<String> {
    let each = step.foreach.as_ref()?;
    let is_input = each.lists().all(|list| matches!(list.source, Source::Input { .. }));
    items_of(scope, each, most).err().filter(|_| is_input)
}

fn whole(step: &Step, mut row: Row, succeeded: bool) -> StepEnd {
    row.changes = changes(step);
    StepEnd { succeeded, outputs: Outputs::new(), rows: vec![row], then: None, notes: Vec::new(), has_more: None }
}

/// Joins the ends of the calls for each value.
fn collected(step: &Step, ends: Vec<CallEnd>) -> StepEnd {
    let succeeded = ends.is_empty() || ends.iter().any(|end| end.succeeded);
    let mut outputs: Outputs =
        step.outputs.iter().map(|output| (output.name.clone(), Datum::List(Vec::new()))).collect();
    let (mut rows, mut notes, mut has_more) = (Vec::new(), Vec::new(), None);
    for end in ends {
        rows.push(end.row);
        for note in end.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        has_more = worse(has_more, end.has_more);
        for (name, datum) in end.outputs {
            if let Some(Datum::List(list)) = outputs.get_mut(&name) {
                list.push(datum);
            }
        }
    }
    StepEnd { succeeded, outputs, rows, then: None, notes, has_more }
}

/// What two answers together prove of their pages.
pub(super) fn worse(one: Option<HasMore>, other: Option<HasMore>) -> Option<HasMore> {
    match (one, other) {
        (None, known) | (known, None) => known,
        (Some(HasMore::Yes), _) | (_, Some(HasMore::Yes)) => Some(HasMore::Yes),
        (Some(HasMore::Unknown), _) | (_, Some(HasMore::Unknown)) => Some(HasMore::Unknown),
        (Some(HasMore::No), Some(HasMore::No)) => Some(HasMore::No),
    }
}

fn changes(step: &Step) -> bool {
    step.call.effect != Some(Effect::Read)
}

fn scope_outputs(step: &Step, seen: &Scope) -> Result<Outputs, String> {
    Ok(seen.named(&step.outputs)?.into_iter().collect())
}

/// The outputs that a dry run does not have.
fn unsent_outputs(step: &Step) -> Outputs {
    let unsent = |name: &str| Datum::Unsent(format!("$steps.{}.outputs.{name}", step.id));
    step.outputs.iter().map(|output| (output.name.clone(), unsent(&output.name))).collect()
}

fn unsent(step: &Step, row: Row) -> CallEnd {
    CallEnd { outputs: unsent_outputs(step), ..CallEnd::of(true, row) }
}

/// The call that takes the step back; `None` where an argument of it is not known, without which it would do something else.
fn undo(step: &Step, seen: &Scope) -> Option<Undo> {
    let call = step.undo.as_ref()?;
    let arguments = seen.arguments(call).ok()?;
    (arguments.values.len() == call.arguments.len())
        .then(|| Undo { tool: call.tool.clone(), arguments: arguments.shown })
}

/// How a failed call ended, and how long the vendor wants callers to wait.
fn failed(step: &Step, scope: &Scope, failure: &Failure) -> (CallEnd, Duration) {
    let outcome = match failure.outcome() {
        Outcome::NotSent => RowOutcome::NotSent,
        Outcome::Rejected => RowOutcome::Refused,
        Outcome::Unknown | Outcome::Partial => RowOutcome::Unknown,
        Outcome::Answered => RowOutcome::Done,
    };
    let mut row = Row::new(&step.id, outcome, Some(text(failure)));
    if matches!(outcome, RowOutcome::Unknown | RowOutcome::Done) {
        row.undo = undo(step, scope);
    }
    let mut wait = Duration::ZERO;
    if let Failure::Call(error) = failure {
        row.status = error.status();
        row.retry_after = error.retry_after();
        wait = row.retry_after.unwrap_or_default();
    }
    (CallEnd { is_final: is_final(failure), ..CallEnd::of(false, row) }, wait)
}

/// Whether the same would happen to each further call of the step.
fn is_final(failure: &Failure) -> bool {
    match failure {
        Failure::Refused { .. }
        | Failure::NotConfigured(_)
        | Failure::UnknownTool { .. }
        | Failure::Internal(_)
        | Failure::Call(CallError::Throttled(_) | CallError::WebPage(_) | CallError::Cancelled) => true,
        Failure::Call(CallError::Rejected(rejection)) => matches!(rejection.status, 401 | 429 | 503),
        _ => false,
    }
}

fn text(failure: &Failure) -> String {
    sanitize::message(&failure.text(Audience::Model))
}

/// The first action whose criteria hold and that may be taken.
fn taken<'s>(actions: &'s [Action], seen: &Scope, may: impl Fn(usize, &Then) -> bool) -> Option<(usize, &'s Then)> {
    let holds = |action: &Action| matches!(criteria::all(seen, &action.criteria), Ok((Verdict::Holds, _)));
    let mut actions = actions.iter().enumerate();
    actions.find(|(index, action)| may(*index, &action.then) && holds(action)).map(|(index, it)| (index, &it.then))
}

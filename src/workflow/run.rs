//! A workflow's steps and inputs → how far they came: each step begins when those before it have ended, several at the same
//! time where nothing is between them, until the last, an end, a failure or a cancellation.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::attempt::Calls;
use super::criteria::{self, Verdict};
use super::row::{Row, RowOutcome};
use super::scope::{Outputs, Scope};
use super::step::{StepEnd, too_many, worse};
use crate::call::HasMore;
use toolwright_model::Effect;
use toolwright_model::workflow::{MOST_RUNS_OF_STEP, Retry, Step, Then, Workflow};

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepState {
    Waiting,
    Running,
    Ended,
}

/// How the steps of a workflow ended.
pub(super) struct RunEnd {
    pub(super) ending: RunEnding,
    /// What became of the steps, in the order in which they ended.
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<String>,
    /// What the pages of all answers prove; `None` where none was a page.
    pub(super) has_more: Option<HasMore>,
    /// What the outputs of the workflow are made of.
    pub(super) scope: Scope,
}

/// Why no further step begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunEnding {
    /// All have ended, or an action ends the workflow.
    Whole,
    /// A step failed that the workflow can't do without.
    Failed { step: String, why: String },
    /// The caller wants no more.
    Cancelled,
}

/// The steps under way.
struct Run<'r, 'a> {
    calls: &'r Calls<'a>,
    workflow: &'r Workflow,
    held_back: &'r (dyn Fn(&str) -> Option<&'r str> + Sync),
    states: Vec<StepState>,
    runs: Vec<u32>,
    /// A step that waits for another one to be run again before it is tried again.
    before: HashMap<usize, usize>,
    delays: HashMap<usize, Duration>,
    ending: Option<RunEnding>,
    end: RunEnd,
}

/// Runs the steps. `held_back` names the steps that the policy holds back and that the workflow can do without.
pub(super) async fn run<'r>(
    calls: &'r Calls<'_>,
    workflow: &'r Workflow,
    scope: Scope,
    held_back: &'r (dyn Fn(&str) -> Option<&'r str> + Sync),
) -> RunEnd {
    let most = calls.toolbox.most_items();
    let wrong = workflow.steps.iter().find_map(|step| Some((step, too_many(step, &scope, most)?)));
    let ending = wrong.map(|(step, why)| RunEnding::Failed { step: step.id.clone(), why });
    let count = workflow.steps.len();
    let end = RunEnd { ending: RunEnding::Whole, rows: Vec::new(), notes: Vec::new(), has_more: None, scope };
    let mut run = Run {
        calls,
        workflow,
        held_back,
        states: vec![StepState::Waiting; count],
        runs: vec![0; count],
        before: HashMap::new(),
        delays: HashMap::new(),
        ending,
        end,
    };
    let mut running: FuturesUnordered<BoxFuture<'_, (usize, StepEnd)>> = FuturesUnordered::new();
    loop {
        if calls.is_cancelled() && run.ending.is_none() && run.is_waiting() {
            run.ending = Some(RunEnding::Cancelled);
        }
        while let Some(index) = run.next() {
            let step = &workflow.steps[index];
            if let Some(end) = run.without_call(step) {
                run.ended(index, end);
                continue;
            }
            run.begin(index);
            let (scope, delay) = (run.end.scope.clone(), run.delays.remove(&index).unwrap_or_default());
            running.push(Box::pin(async move { (index, calls.run_step(step, &scope, delay).await) }));
        }
        match running.next().await {
            Some((index, end)) => run.ended(index, end),
            None => break,
        }
    }
    run.finish()
}

impl Run<'_, '_> {
    fn is_waiting(&self) -> bool {
        self.states.contains(&StepState::Waiting)
    }

    /// The next step that can begin.
    fn next(&self) -> Option<usize> {
        if self.ending.is_some() || self.calls.is_cancelled() {
            return None;
        }
        let has_ended = |index: usize| self.states.get(index) == Some(&StepState::Ended);
        let position = |id: &str| self.workflow.steps.iter().position(|step| step.id == id);
        let is_ready = |index: usize| {
            let after = self.workflow.steps[index].after.iter().filter_map(|id| position(id));
            after.chain(self.before.get(&index).copied()).all(has_ended)
        };
        (0..self.states.len()).find(|index| self.states[*index] == StepState::Waiting && is_ready(*index))
    }

    /// The end of a step that is not run.
    fn without_call(&mut self, step: &Step) -> Option<StepEnd> {
        let ended = |outcome: RowOutcome, why: String, succeeded: bool| StepEnd {
            succeeded,
            outputs: Outputs::new(),
            rows: vec![Row {
                changes: step.call.effect != Some(Effect::Read),
                ..Row::new(&step.id, outcome, Some(why))
            }],
            then: None,
            notes: Vec::new(),
            has_more: None,
        };
        if let Some(reason) = (self.held_back)(&step.id) {
            return Some(ended(RowOutcome::NotSent, format!("this server's settings hold it back: {reason}"), false));
        }
        match criteria::all(&self.end.scope, &step.when) {
            Ok((Verdict::Holds, _)) => None,
            Ok((Verdict::Fails, criterion)) => {
                let text = criterion.map_or("", |criterion| &criterion.text);
                Some(ended(RowOutcome::Skipped, format!("`{text}` does not hold"), true))
            }
            Ok((Verdict::Undecided, criterion)) => {
                let text = criterion.map_or("", |criterion| &criterion.text);
                let note = format!("`{}` is sent only if `{text}` holds, which a dry run can't know", step.id);
                self.end.notes.push(note);
                None
            }
            Err(why) => Some(ended(RowOutcome::NotSent, why, false)),
        }
    }

    fn begin(&mut self, index: usize) {
        self.states[index] = StepState::Running;
        self.runs[index] += 1;
        self.before.remove(&index);
        let (number, count) = (index + 1, self.states.len());
        self.calls.caller.report(format!("step {number} of {count}: {}", self.workflow.steps[index].title));
    }

    /// Takes over how a step ended, and what follows.
    fn ended(&mut self, index: usize, end: StepEnd) {
        let step = &self.workflow.steps[index];
        self.states[index] = StepState::Ended;
        let why = end.rows.iter().find(|row| row.is_failure()).and_then(|row| row.why.clone());
        self.end.has_more = worse(self.end.has_more, end.has_more);
        self.end.notes.extend(end.notes);
        self.end.scope.set_outputs(&step.id, end.outputs);
        self.end.rows.extend(end.rows);
        match end.then {
            Some(Then::End) => {
                self.ending.get_or_insert(RunEnding::Whole);
            }
            Some(Then::Goto(to)) => self.go_to(index, &to),
            Some(Then::Retry(Retry { after_ms, step: Some(before), .. })) if !self.calls.is_cancelled() => {
                self.retry(index, &before, Duration::from_millis(after_ms));
            }
            Some(Then::Retry(_)) | None if end.succeeded || step.optional => {}
            Some(Then::Retry(_)) | None => {
                let why = why.unwrap_or_else(|| "no call for its values succeeded".to_owned());
                // The first failure is the reason; others may follow of steps that are under way.
                self.ending.get_or_insert(RunEnding::Failed { step: step.id.clone(), why });
            }
        }
    }

    fn go_to(&mut self, from: usize, to: &str) {
        let Some(to) = self.workflow.steps.iter().position(|step| step.id == to) else { return };
        if to > from {
            for index in from + 1..to {
                self.pass_over(index, &self.workflow.steps[from].id);
            }
        } else {
            self.again(to);
            for index in to + 1..self.states.len() {
                if self.states[index] == StepState::Ended {
                    self.states[index] = StepState::Waiting;
                }
            }
        }
    }

    fn pass_over(&mut self, index: usize, by: &str) {
        if self.states[index] != StepState::Waiting {
            return;
        }
        let step = &self.workflow.steps[index];
        self.states[index] = StepState::Ended;
        let row = Row::new(&step.id, RowOutcome::Skipped, Some(format!("`{by}` leads past it")));
        self.end.rows.push(Row { changes: step.call.effect != Some(Effect::Read), ..row });
    }

    fn retry(&mut self, index: usize, before: &str, delay: Duration) {
        if let Some(first) = self.workflow.steps.iter().position(|step| step.id == before) {
            self.again(first);
            self.before.insert(index, first);
        }
        self.delays.insert(index, delay);
        self.again(index);
    }

    /// Has a step run again, within the bound.
    fn again(&mut self, index: usize) {
        let step = &self.workflow.steps[index];
        if self.runs[index] >= MOST_RUNS_OF_STEP {
            let why = format!("it was run {MOST_RUNS_OF_STEP} times, and no more is run of one step");
            self.ending.get_or_insert(RunEnding::Failed { step: step.id.clone(), why });
            return;
        }
        self.states[index] = StepState::Waiting;
    }

    fn finish(mut self) -> RunEnd {
        let steps = self.workflow.steps.iter().zip(&self.states);
        for (step, _) in steps.filter(|(_, state)| **state == StepState::Waiting) {
            let changes = step.call.effect != Some(Effect::Read);
            let (outcome, why) = match &self.ending {
                Some(RunEnding::Whole) => (RowOutcome::Skipped, Some("the workflow ended before it".to_owned())),
                _ => (RowOutcome::NotSent, None),
            };
            self.end.rows.push(Row { changes, ..Row::new(&step.id, outcome, why) });
        }
        let is_cut = self.calls.is_cancelled() && self.end.rows.iter().any(|row| row.outcome == RowOutcome::NotSent);
        let ending = self.ending.unwrap_or(if is_cut { RunEnding::Cancelled } else { RunEnding::Whole });
        RunEnd { ending, ..self.end }
    }
}

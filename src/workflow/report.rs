//! How far the steps of a workflow came → its answer, the plan of a dry run, or a report of what was done, what was not,
//! what is unknown and what takes it back.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::datum::Datum;
use super::row::{Row, RowOutcome};
use super::run::{RunEnd, RunEnding};
use crate::call::{Composed, ComposedCall, Ending, Failure, HasMore, Page, WorkflowReport, off_thread};
use crate::error::{Outcome, seconds};
use crate::sanitize::{EVERY, TextForm};
use toolwright_model::Effect;
use toolwright_model::workflow::Workflow;

/// Makes of the end of the steps what the caller gets.
///
/// # Errors
/// The outputs can't be made.
pub(super) async fn ending(
    call: &ComposedCall<'_>,
    workflow: &Workflow,
    end: RunEnd,
    form: TextForm,
) -> Result<Ending, Failure> {
    let changes = call.entry().tool.effect != Some(Effect::Read);
    match &end.ending {
        RunEnding::Whole if call.dry_run() => Ok(Ending::Report(plan(call, &end))),
        RunEnding::Whole => {
            let outputs = outputs(workflow, &end)?;
            let table = changes.then(|| table(&end.rows));
            answer(table, outputs, end, workflow, form).await.map(Ending::Answer)
        }
        RunEnding::Failed { .. } | RunEnding::Cancelled => Ok(Ending::Report(report(call, workflow, &end))),
    }
}

/// The outputs of the workflow, with the fields of the one that is spread at the top.
fn outputs(workflow: &Workflow, end: &RunEnd) -> Result<Vec<(String, Datum)>, Failure> {
    let made = end.scope.named(&workflow.outputs).map_err(Failure::Projection)?;
    let Some(spread) = &workflow.spread else { return Ok(made) };
    let (of_spread, others): (Vec<_>, Vec<_>) = made.into_iter().partition(|(name, _)| name == spread);
    let fields = of_spread.first().and_then(|(_, datum)| datum.entries());
    let mut fields = fields
        .ok_or_else(|| Failure::Projection(format!("the answer has no `{spread}`, of which it would be made")))?;
    fields.retain(|(name, _)| others.iter().all(|(other, _)| other != name));
    fields.extend(others);
    Ok(fields)
}

/// The table of what became of each call, as far as a reader has to know it, and its summary.
struct Table {
    summary: String,
    rows: Vec<Row>,
}

fn table(rows: &[Row]) -> Table {
    let rows: Vec<Row> = rows.iter().filter(|row| row.changes || row.is_failure()).cloned().collect();
    Table { summary: summary(&rows), rows }
}

fn summary(rows: &[Row]) -> String {
    let count = |outcome: RowOutcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let counted = RowOutcome::ALL.map(|outcome| (count(outcome), outcome.as_str()));
    let texts: Vec<String> =
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if texts.is_empty() { "nothing to do".to_owned() } else { texts.join(", ") }
}

async fn answer(
    table: Option<Table>,
    outputs: Vec<(String, Datum)>,
    end: RunEnd,
    workflow: &Workflow,
    form: TextForm,
) -> Result<Composed, Failure> {
    let mut notes = end.notes;
    // In a table they have rows of their own.
    let unread =
        end.rows.iter().filter(|row| table.is_none() && (row.is_failure() || row.outcome == RowOutcome::Skipped));
    notes.extend(unread.map(|row| missing_note(row, workflow)));
    let has_more = end.has_more;
    let bytes = outputs.iter().map(|(_, datum)| datum.weight()).sum();
    let work = move || {
        let mut untrusted = Vec::new();
        let mut body = Map::new();
        if let Some(Table { summary, rows }) = table {
            body.insert("summary".to_owned(), json!(summary));
            let rows = rows.iter().map(|row| row.shown(&mut untrusted)).collect();
            body.insert("outcomes".to_owned(), rows);
        }
        for (name, datum) in outputs {
            body.extend(datum.shown(&name, form, &mut untrusted).map(|value| (name, value)));
        }
        (body, untrusted)
    };
    let (body, untrusted) = off_thread(bytes, work).await?;
    let page = has_more.map(|has_more| Page { returned: longest_list(&body), has_more, ..Page::default() });
    Ok(Composed { body: Value::Object(body).to_string(), untrusted: bounded(untrusted), page, notes })
}

/// That a step has no outputs, and what lacks for it.
fn missing_note(row: &Row, workflow: &Workflow) -> String {
    let reads_it = |template: &toolwright_model::workflow::Template| {
        let mut reads = false;
        template.visit(&mut |expression| {
            reads |= matches!(&expression.source, toolwright_model::workflow::Source::Step { step, .. } if *step == row.step);
        });
        reads
    };
    let lacking: Vec<String> = workflow
        .outputs
        .iter()
        .filter(|output| reads_it(&output.value))
        .map(|output| format!("`{}`", output.name))
        .collect();
    let outcome = row.outcome.as_str();
    let why = row.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match lacking.as_slice() {
        [] => format!("the step `{}` is {outcome}{why}", row.step),
        lacking => format!("{} is missing or not whole, the step `{}` is {outcome}{why}", lacking.join(", "), row.step),
    }
}

fn longest_list(body: &Map<String, Value>) -> usize {
    body.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(1)
}

/// The names of untrusted fields; where any field is, no more is said.
fn bounded(names: Vec<String>) -> Vec<String> {
    if names.iter().any(|name| name == EVERY) { vec![EVERY.to_owned()] } else { names }
}

/// What a dry run of the workflow would send.
fn plan(call: &ComposedCall<'_>, end: &RunEnd) -> WorkflowReport {
    let mut untrusted = Vec::new();
    let rows: Vec<&Row> = end.rows.iter().filter(|row| row.changes || row.plan.is_some() || row.is_failure()).collect();
    let plans: Value = rows.iter().map(|row| row.shown(&mut untrusted)).collect();
    let mut notes = end.notes.clone();
    if end.has_more.is_some_and(|has_more| has_more != HasMore::No) {
        notes.push("what was read is not known to be whole; there may be more to change".to_owned());
    }
    let planned: Vec<Row> = rows.into_iter().cloned().collect();
    let body = json!({
        "dry_run": true,
        "changed": false,
        "workflow": call.entry().tool.name,
        "run": &**call.id(),
        "summary": summary(&planned),
        "outcomes": plans,
    });
    report_of(&body, notes, untrusted, true, Outcome::NotSent, end)
}

/// What a person is to approve of a workflow that was planned, and the steps whose requests are not known yet; `None` where
/// the plan did not come to its end.
pub(super) fn to_approve(call: &ComposedCall<'_>, end: &RunEnd) -> Option<(Map<String, Value>, BTreeSet<String>)> {
    if end.ending != RunEnding::Whole {
        return None;
    }
    let report = plan(call, end);
    let Ok(Value::Object(mut body)) = serde_json::from_str(&report.body) else { return None };
    let mut shown = Map::new();
    for name in ["summary", "outcomes"] {
        shown.extend(body.remove(name).map(|value| (name.to_owned(), value)));
    }
    if !report.notes.is_empty() {
        shown.insert("notes".to_owned(), json!(report.notes));
    }
    let is_open = |row: &&Row| row.outcome == RowOutcome::Planned && row.changes && !row.is_request();
    let open = end.rows.iter().filter(is_open).map(|row| row.step.clone()).collect();
    Some((shown, open))
}

/// How far a workflow came that did not end as it should.
fn report(call: &ComposedCall<'_>, workflow: &Workflow, end: &RunEnd) -> WorkflowReport {
    let mut untrusted = Vec::new();
    let changes = call.entry().tool.effect != Some(Effect::Read);
    let of_interest = |row: &&Row| !changes || row.changes || row.is_failure();
    let rows: Vec<&Row> = end.rows.iter().filter(of_interest).collect();
    let mut body = Map::new();
    body.insert("workflow".to_owned(), json!(call.entry().tool.name));
    body.insert("run".to_owned(), json!(&**call.id()));
    match &end.ending {
        RunEnding::Failed { step, why } => {
            body.insert("ended".to_owned(), json!(format!("failed at `{step}`")));
            body.insert("why".to_owned(), json!(why));
        }
        _ => drop(body.insert("ended".to_owned(), json!("cancelled by the caller"))),
    }
    body.extend(call.dry_run().then(|| ("dry_run".to_owned(), json!(true))));
    let owned: Vec<Row> = rows.iter().copied().cloned().collect();
    body.insert("summary".to_owned(), json!(summary(&owned)));
    body.extend(advice(&owned, call, workflow).map(|advice| ("next".to_owned(), json!(advice))));
    let shown = rows.iter().map(|row| row.shown(&mut untrusted)).collect();
    body.insert("outcomes".to_owned(), shown);
    let undo: Vec<Value> = rows.iter().rev().filter_map(|row| row.undo_shown(&mut untrusted)).collect();
    if !undo.is_empty() {
        body.insert("undo".to_owned(), json!(undo));
    }
    report_of(&Value::Object(body), end.notes.clone(), untrusted, false, outcome(end), end)
}

/// What to do next: nothing is repeated without being named.
fn advice(rows: &[Row], call: &ComposedCall<'_>, workflow: &Workflow) -> Option<String> {
    let changed = || rows.iter().filter(|row| row.changes);
    let unknown: Vec<&str> = steps_of(changed().filter(|row| row.outcome == RowOutcome::Unknown));
    let is_repeatable = |row: &&Row| {
        let step = workflow.step(&row.step);
        let tool = step.and_then(|step| call.toolbox().catalog().get(&step.call.tool));
        let is_idempotent = tool.is_some_and(|entry| entry.tool.annotations.idempotent_hint);
        is_idempotent || step.and_then(|step| step.foreach.as_ref()).is_some_and(|each| each.already.is_some())
    };
    let repeated: Vec<&str> =
        steps_of(changed().filter(|row| row.outcome == RowOutcome::Done).filter(|row| !is_repeatable(row)));
    if !unknown.is_empty() {
        let names = unknown.join("`, `");
        return Some(format!("find out by a read whether `{names}` took effect, before anything is called again"));
    }
    if !repeated.is_empty() {
        let names = repeated.join("`, `");
        return Some(format!(
            "calling this workflow again would do `{names}` a second time; call the tools of what is missing"
        ));
    }
    let is_done = changed().any(|row| matches!(row.outcome, RowOutcome::Done | RowOutcome::AlreadySo));
    is_done.then(|| {
        "mend the reason and call it again with the same arguments: what is done has no further effect".to_owned()
    })
}

fn steps_of<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<&'r str> {
    let mut steps: Vec<&str> = Vec::new();
    for row in rows {
        if !steps.contains(&row.step.as_str()) {
            steps.push(&row.step);
        }
    }
    steps
}

/// How far a workflow came, as records name it.
fn outcome(end: &RunEnd) -> Outcome {
    let any = |outcome: RowOutcome| end.rows.iter().any(|row| row.changes && row.outcome == outcome);
    let failed = match &end.ending {
        RunEnding::Failed { step, .. } => end.rows.iter().rfind(|row| row.step == *step && row.is_failure()),
        _ => None,
    };
    match failed.map(|row| row.outcome) {
        _ if any(RowOutcome::Unknown) => Outcome::Unknown,
        _ if any(RowOutcome::Done) => Outcome::Partial,
        Some(RowOutcome::Refused) => Outcome::Rejected,
        Some(RowOutcome::Unknown) => Outcome::Unknown,
        Some(RowOutcome::Done) => Outcome::Answered,
        _ if end.rows.iter().any(|row| row.outcome == RowOutcome::Done) => Outcome::Partial,
        _ => Outcome::NotSent,
    }
}

fn report_of(
    body: &Value,
    notes: Vec<String>,
    untrusted: Vec<String>,
    is_plan: bool,
    outcome: Outcome,
    end: &RunEnd,
) -> WorkflowReport {
    let failure = end.rows.iter().rfind(|row| row.is_failure());
    WorkflowReport {
        body: body.to_string(),
        notes,
        untrusted: bounded(untrusted),
        is_plan,
        outcome,
        status: failure.and_then(|row| row.status),
        retry_after: failure.and_then(|row| row.retry_after).map(seconds),
    }
}

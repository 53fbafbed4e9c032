//! The audit log and a filter → the last calls that match, as they were recorded, and whether the chain of lines is whole.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use askama::Template;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use url::form_urlencoded;

use super::super::Console;
use super::super::answer::{Fault, page};
use super::super::choice::Choice;
use super::super::frame::{Frame, Section};
use super::super::sessions::Session;
use crate::audit::{Recorded, RecordedCall, RecordedEnd, Report, Verifier};
use toolwright_model::Effect;

/// How many calls a page shows.
const SHOWN: usize = 100;
/// The longest log that a page reads, in bytes.
const LONGEST: u64 = 256 * 1024 * 1024;
/// The longest text of a filter, in characters.
const LONGEST_FILTER: usize = 200;

const DECISIONS: [&str; 6] = ["allowed", "refused", "invalid", "planned", "asked", "declined"];
const OUTCOMES: [&str; 6] = ["answered", "rejected", "not_sent", "unknown", "partial", "open"];
/// The outcome of a change whose end is not recorded.
const OPEN: &str = "open";

/// What is looked for; an empty text is no condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Filter {
    /// A part of the tool's name.
    tool: String,
    /// A part of the caller's name.
    caller: String,
    account: String,
    effect: String,
    decision: String,
    outcome: String,
}

/// A call as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    seq: u64,
    time: String,
    tool: String,
    effect: String,
    caller: String,
    account: String,
    arguments: String,
    decision: String,
    /// The approval or grant, and by whom.
    permitted: Option<(String, String)>,
    result: String,
}

/// What a log holds.
#[derive(Debug)]
struct ReadRecord {
    /// The state of the chain, in words.
    chain: String,
    intact: bool,
    matching: usize,
    /// The newest first.
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "record.html", config = "src/console/askama.toml")]
struct RecordPage {
    frame: Frame,
    fault: Option<String>,
    read: Option<ReadRecord>,
    wanted: Filter,
    effects: Vec<Choice>,
    decisions: Vec<Choice>,
    outcomes: Vec<Choice>,
}

impl Filter {
    fn read(query: Option<&str>) -> Self {
        let mut filter = Self::default();
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let field = match &*key {
                "tool" => &mut filter.tool,
                "caller" => &mut filter.caller,
                "account" => &mut filter.account,
                "effect" => &mut filter.effect,
                "decision" => &mut filter.decision,
                "outcome" => &mut filter.outcome,
                _ => continue,
            };
            *field = value.trim().chars().take(LONGEST_FILTER).collect();
        }
        filter
    }

    /// Whether a call matches. Its outcome is looked at when the whole log was read.
    fn matches(&self, call: &RecordedCall) -> bool {
        let is = |wanted: &str, found: Option<&str>| wanted.is_empty() || found == Some(wanted);
        let within = |wanted: &str, found: &str| found.to_lowercase().contains(&wanted.to_lowercase());
        within(&self.tool, &call.tool)
            && within(&self.caller, &call.caller)
            && is(&self.account, call.account.as_deref())
            && is(&self.effect, call.effect.as_deref())
            && is(&self.decision, Some(&call.decision))
    }

    fn matches_end(&self, end: Option<&RecordedEnd>) -> bool {
        self.outcome.is_empty() || self.outcome == end.map_or(OPEN, |end| end.outcome.as_str())
    }
}

impl Row {
    fn of(call: RecordedCall) -> Self {
        let arguments = match &call.names {
            Some(names) => format!("too long to be recorded: {}", names.join(", ")),
            None => Value::Object(call.arguments).to_string(),
        };
        let result = match &call.end {
            None => "no end is recorded: the result is unknown, or the call is under way".to_owned(),
            Some(RecordedEnd { outcome, status, duration_ms }) => {
                let status = status.map(|status| format!(", status {status}")).unwrap_or_default();
                let took = duration_ms.map(|span| format!(", {span} ms")).unwrap_or_default();
                format!("{outcome}{status}{took}")
            }
        };
        Self {
            seq: call.seq,
            time: call.time,
            tool: call.tool,
            effect: call.effect.unwrap_or_default(),
            caller: call.caller,
            account: call.account.unwrap_or_default(),
            arguments,
            decision: call.decision,
            permitted: call.permitted,
            result,
        }
    }
}

/// Reads a log.
///
/// # Errors
/// It can't be read, or is too long for a page.
fn read(path: &Path, filter: &Filter) -> Result<ReadRecord, String> {
    let unreadable = |error: std::io::Error| format!("The record can't be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > LONGEST {
        return Err(format!(
            "The record is longer than {} MB; on the server, `toolwright audit verify` reads it.",
            LONGEST / (1024 * 1024)
        ));
    }
    let mut last: VecDeque<RecordedCall> = VecDeque::new();
    let mut matching = 0;
    let mut verifier = Verifier::default();
    // Changes whose end is still to come; what matches by its end is decided then.
    let mut waiting: VecDeque<RecordedCall> = VecDeque::new();
    let mut keep = |call: RecordedCall| {
        if filter.matches_end(call.end.as_ref()) {
            matching += 1;
            last.push_back(call);
            if last.len() > SHOWN {
                last.pop_front();
            }
        }
    };
    let each = &mut |recorded: Recorded| match recorded {
        Recorded::Call(call) if !filter.matches(&call) => {}
        Recorded::Call(call) if call.end.is_none() => waiting.push_back(*call),
        Recorded::Call(call) => keep(*call),
        Recorded::End(of, end) => {
            if let Some(place) = waiting.iter().position(|call| call.seq == of)
                && let Some(call) = waiting.remove(place)
            {
                keep(RecordedCall { end: Some(end), ..call });
            }
        }
    };
    verifier.read_all(BufReader::new(file), each).map_err(unreadable)?;
    waiting.into_iter().for_each(&mut keep);
    let mut rows: Vec<Row> = last.into_iter().map(Row::of).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
    let report = verifier.finish();
    Ok(ReadRecord { intact: report.fault.is_none(), chain: chain(&report), matching, rows })
}

/// The state of the chain, in words. It claims no more than is known: that the end was cut shows by an anchor only.
fn chain(report: &Report) -> String {
    let begins = match &report.begins_after {
        Some((before, _)) => format!(" It goes on after line {before}, which is in an earlier file."),
        None => String::new(),
    };
    let unfinished = match report.unfinished.len() {
        0 => String::new(),
        1 => " 1 change has no end recorded.".to_owned(),
        count => format!(" {count} changes have no end recorded."),
    };
    let torn = if report.torn > 0 { " The last line is not complete: it may be written just now." } else { "" };
    match &report.fault {
        Some(fault) => format!(
            "The chain is broken at line {} of the file: {}. Nothing after it is shown.{begins}",
            fault.line, fault.what
        ),
        None => format!(
            "The chain of {} lines is whole.{begins}{unfinished}{torn} That nothing was cut off at its end shows by an anchor: \
             `toolwright audit anchor`.",
            report.lines
        ),
    }
}

/// Shows the record.
pub(super) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Response {
    let operating = match console.of_administrator(&session) {
        Ok((operating, _)) => operating,
        Err(fault) => return session.fault(&fault),
    };
    let filter = Filter::read(request.uri().query());
    let one = |word: &str| [word.to_owned()];
    let mut record = RecordPage {
        frame: session.frame(Section::Record, "Record"),
        fault: None,
        read: None,
        effects: Choice::words(Effect::ALL.iter().map(|effect| effect.as_str()), &one(&filter.effect)),
        decisions: Choice::words(DECISIONS, &one(&filter.decision)),
        outcomes: Choice::words(OUTCOMES, &one(&filter.outcome)),
        wanted: filter.clone(),
    };
    let Some(path) = operating.audit.clone() else {
        record.fault = Some("This server records no calls; `serve --audit FILE` does.".to_owned());
        return page(StatusCode::OK, &record);
    };
    let _one_at_a_time = operating.reading.lock().await;
    match tokio::task::spawn_blocking(move || read(&path, &filter)).await {
        Ok(Ok(found)) => record.read = Some(found),
        Ok(Err(text)) => record.fault = Some(text),
        Err(_) => {
            return session.fault(&Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "The record could not be read."));
        }
    }
    page(StatusCode::OK, &record)
}

//! One call on its way into the record and the metrics. Whatever way the call ends, also by the
//! caller going away, what is known of it is written.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value};

use super::{Caller, Failure, Reply};
use crate::audit::{Audit, CallDetails, CallEnd};
use crate::catalog::Entry;
use crate::error::{CallError, Outcome};
use crate::metrics::{InFlight, Metrics};
use toolwright_model::Call;

/// A call that is being recorded, or not where there is no record.
pub(super) struct Recording<'a> {
    audit: Option<&'a Audit>,
    metrics: &'a Metrics,
    /// The tool, once it is known that there is one.
    entry: Option<&'a Entry>,
    _under_way: InFlight,
    about: CallDetails,
    started: Instant,
    /// The id of the intent, once it is written.
    intent: Option<u64>,
    ended: bool,
}

impl<'a> Recording<'a> {
    pub(super) fn new(audit: Option<&'a Audit>, metrics: &'a Metrics, caller: &Caller, name: &str) -> Self {
        let about = CallDetails { client: caller.client.clone(), tool: name.to_owned(), ..CallDetails::default() };
        Self {
            audit,
            metrics,
            entry: None,
            _under_way: metrics.begin(),
            about,
            started: Instant::now(),
            intent: None,
            ended: false,
        }
    }

    /// Takes in which tool is called, by its name and not by an alias. `arguments` are without
    /// secrets.
    pub(super) fn about(&mut self, entry: &'a Entry, arguments: impl FnOnce() -> Map<String, Value>) {
        self.entry = Some(entry);
        if self.audit.is_none() {
            return;
        }
        self.about.vendor.clone_from(&entry.vendor);
        self.about.tool.clone_from(&entry.tool.name);
        // Of several, the arguments will say which.
        if let [call] = entry.tool.calls.as_slice() {
            self.about.operation = Some(call.operation.clone());
        }
        self.about.effect = entry.tool.effect.map(toolwright_model::Effect::as_str);
        self.arguments(arguments);
    }

    /// Takes in which operation is called.
    pub(super) fn operation(&mut self, call: &Call) {
        if self.audit.is_some() {
            self.about.operation = Some(call.operation.clone());
        }
    }

    /// Takes in what the tool is called with, without secrets.
    pub(super) fn arguments(&mut self, arguments: impl FnOnce() -> Map<String, Value>) {
        if self.audit.is_some() {
            self.about.arguments = arguments();
        }
    }

    /// Takes in which site is called, and for whom it acts.
    pub(super) fn site(&mut self, site: impl FnOnce() -> String, settings: impl FnOnce() -> BTreeMap<String, String>) {
        if self.audit.is_some() {
            self.about.site = Some(site());
            self.about.settings = settings();
        }
    }

    /// Writes that the call is about to be made.
    ///
    /// # Errors
    /// That can't be written, so the call must not be made.
    pub(super) fn intend(&mut self) -> Result<(), Failure> {
        let Some(audit) = self.audit else { return Ok(()) };
        self.about.decision = "allowed";
        let intent = audit.intent(&self.about).map_err(|error| {
            self.audit = None;
            Failure::Call(CallError::NotSent(format!(
                "the record `{}` can't be written: {error}\n\
                 hint: until it can, calls that change something are refused; make room, or start without `--audit`",
                audit.path().display()
            )))
        })?;
        self.intent = Some(intent);
        Ok(())
    }

    /// Writes what came of the call.
    pub(super) fn end(mut self, called: &Result<Reply, Failure>) {
        let (outcome, status, request_id) = match called {
            Ok(reply) => (Outcome::Answered, Some(reply.status), reply.request_id.clone()),
            Err(failure) => {
                let rejection = match failure {
                    Failure::Call(CallError::Rejected(rejection)) => Some(rejection),
                    _ => None,
                };
                let request_id = rejection.and_then(|rejection| rejection.request_id.clone());
                let status = match failure {
                    Failure::Call(error) => error.status(),
                    _ => None,
                };
                (failure.outcome(), status, request_id)
            }
        };
        self.about.decision = match called {
            Ok(_) | Err(Failure::Call(_)) => "allowed",
            Err(Failure::Refused { .. }) => "refused",
            Err(Failure::PlannedCall(_)) => "planned",
            Err(_) => "invalid",
        };
        self.count(outcome, called.as_ref().err().and_then(Failure::kind));
        self.write(outcome, status, request_id);
    }

    fn count(&self, outcome: Outcome, error: Option<&'static str>) {
        let (vendor, tool) = self.entry.map_or(("", ""), |entry| (entry.vendor.as_str(), entry.tool.name.as_str()));
        self.metrics.end(vendor, tool, outcome, error);
    }

    fn write(&mut self, outcome: Outcome, status: Option<u16>, request_id: Option<String>) {
        self.ended = true;
        let Some(audit) = self.audit else { return };
        let end = CallEnd { outcome, status, request_id, duration: self.started.elapsed() };
        let written = match self.intent {
            Some(intent) => audit.outcome(intent, &self.about, &end),
            None => audit.call(&self.about, &end),
        };
        if let Err(error) = written {
            // The answer is there already; the next change will be refused.
            tracing::error!("the record `{}` can't be written: {error}", audit.path().display());
        }
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // The caller went away before the end: the request was dropped wherever it was.
        self.count(Outcome::Unknown, Some("cancelled"));
        if self.about.decision.is_empty() {
            self.about.decision = "allowed";
        }
        self.write(Outcome::Unknown, None, None);
    }
}

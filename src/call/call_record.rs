//! One call → its lines in the audit log and its metrics, also when the call is dropped before it
//! ends.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value};

use super::caller::Caller;
use super::failure::Failure;
use super::result::CallResult;
use crate::audit::{Audit, CallDetails, CallEnd};
use crate::catalog::CatalogEntry;
use crate::error::{CallError, Outcome};
use crate::metrics::{InFlight, Metrics};
use toolwright_model::{Call, Effect};

/// The record of one call. Without an audit log only metrics are counted, and the closures that
/// make details are not called.
pub(super) struct CallRecord<'a> {
    audit: Option<&'a Audit>,
    metrics: &'a Metrics,
    caller_kind: &'static str,
    /// The tool, as soon as its name is resolved.
    entry: Option<&'a CatalogEntry>,
    _in_flight: InFlight,
    details: CallDetails,
    started: Instant,
    /// The id of the intent, if one was written.
    intent: Option<u64>,
    ended: bool,
}

impl<'a> CallRecord<'a> {
    pub(super) fn new(audit: Option<&'a Audit>, metrics: &'a Metrics, caller: &Caller, name: &str) -> Self {
        let details = CallDetails {
            caller: caller.principal.name(),
            client: caller.client.clone(),
            tool: name.to_owned(),
            ..CallDetails::default()
        };
        Self {
            audit,
            metrics,
            caller_kind: caller.principal.kind(),
            entry: None,
            _in_flight: metrics.begin(),
            details,
            started: Instant::now(),
            intent: None,
            ended: false,
        }
    }

    /// Sets the tool, by its name even if it was called by an alias.
    pub(super) fn set_tool(&mut self, entry: &'a CatalogEntry) {
        self.entry = Some(entry);
        if self.audit.is_none() {
            return;
        }
        self.details.vendor.clone_from(&entry.vendor);
        self.details.tool.clone_from(&entry.tool.name);
        // Of several operations, the arguments choose one.
        if let [call] = entry.tool.calls.as_slice() {
            self.details.operation = Some(call.operation.clone());
        }
        self.details.effect = entry.tool.effect.map(Effect::as_str);
    }

    /// Sets the arguments, which must be masked.
    pub(super) fn set_arguments(&mut self, masked: impl FnOnce() -> Map<String, Value>) {
        if self.audit.is_some() {
            self.details.arguments = masked();
        }
    }

    /// Sets the operation that the arguments choose.
    pub(super) fn set_operation(&mut self, call: &Call) {
        if self.audit.is_some() {
            self.details.operation = Some(call.operation.clone());
        }
    }

    /// Sets the account, the vendor's address and the settings that are sent.
    pub(super) fn set_site(
        &mut self,
        account: &str,
        site: impl FnOnce() -> String,
        settings: impl FnOnce() -> BTreeMap<String, String>,
    ) {
        if self.audit.is_some() {
            self.details.account = Some(account.to_owned());
            self.details.site = Some(site());
            self.details.settings = settings();
        }
    }

    /// Writes, before a call that may change something, that it will be sent.
    ///
    /// # Errors
    /// The caller may not send it any more, or the audit log can't be written, so the call must not be sent.
    pub(super) fn intend(&mut self, caller: &Caller) -> Result<(), Failure> {
        caller.may_send(self.may_change())?;
        let Some(audit) = self.audit.filter(|_| self.may_change()) else { return Ok(()) };
        self.details.decision = "allowed";
        let intent = audit.intent(&self.details).map_err(|error| {
            self.audit = None;
            Failure::Call(CallError::NotSent(format!(
                "the record `{}` can't be written: {error}\n\
                 hint: until it can, calls that change something are refused; the operator of this server has to make room, \
                 or to name another file",
                audit.path().display()
            )))
        })?;
        self.intent = Some(intent);
        Ok(())
    }

    fn may_change(&self) -> bool {
        self.entry.is_none_or(|entry| entry.tool.effect != Some(Effect::Read))
    }

    /// Writes how the call ended.
    pub(super) fn end(mut self, result: &Result<CallResult, Failure>) {
        let (decision, outcome) = match result {
            Ok(CallResult::Reply(_)) => ("allowed", Outcome::Answered),
            Ok(CallResult::Plan(_)) => ("planned", Outcome::NotSent),
            Err(failure @ Failure::Call(_)) => ("allowed", failure.outcome()),
            Err(failure @ (Failure::Refused { .. } | Failure::OtherCallTool { .. })) => ("refused", failure.outcome()),
            Err(failure) => ("invalid", failure.outcome()),
        };
        let (status, request_id) = match result {
            Ok(CallResult::Reply(reply)) => (Some(reply.status), reply.request_id.clone()),
            Err(Failure::Call(error)) => {
                let request_id = match error {
                    CallError::Rejected(rejection) => rejection.request_id.clone(),
                    CallError::Broken(broken) => broken.request_id.clone(),
                    _ => None,
                };
                (error.status(), request_id)
            }
            _ => (None, None),
        };
        self.details.decision = decision;
        self.count(outcome, result.as_ref().err().map(Failure::kind));
        self.write(outcome, status, request_id);
    }

    fn count(&self, outcome: Outcome, error: Option<&'static str>) {
        let (vendor, tool) = self.entry.map_or(("", ""), |entry| (entry.vendor.as_str(), entry.tool.name.as_str()));
        self.metrics.end(vendor, tool, self.caller_kind, outcome, error);
    }

    fn write(&mut self, outcome: Outcome, status: Option<u16>, request_id: Option<String>) {
        self.ended = true;
        let Some(audit) = self.audit else { return };
        let end = CallEnd { outcome, status, request_id, duration: self.started.elapsed() };
        let written = match self.intent {
            Some(intent) => audit.outcome(intent, &self.details, &end),
            None => audit.call(&self.details, &end),
        };
        if let Err(error) = written {
            // The call is over; the next one that may change something is refused.
            tracing::error!("the record `{}` can't be written: {error}", audit.path().display());
        }
    }
}

impl Drop for CallRecord<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // The caller went away, and the request was dropped at whatever stage it was.
        self.count(Outcome::Unknown, Some("cancelled"));
        if self.details.decision.is_empty() {
            self.details.decision = "allowed";
        }
        self.write(Outcome::Unknown, None, None);
    }
}

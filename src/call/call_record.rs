//! One call → its lines in the audit log, its metrics and its span, also when the call is dropped before it ends.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value};

use super::caller::Caller;
use super::failure::Failure;
use super::result::{CallResult, WorkflowReport};
use crate::approval::{ApprovalEvent, Permission};
use crate::audit::{Audit, CallDetails, CallEnd};
use crate::catalog::CatalogEntry;
use crate::error::{CallError, Outcome};
use crate::metrics::{InFlight, Metrics};
use crate::traces::CallSpan;
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
    span: CallSpan,
    details: CallDetails,
    started: Instant,
    /// The id of the intent, if one was written.
    intent: Option<u64>,
    ended: bool,
    /// What the call has used up.
    claimed: Option<Permission>,
}

/// The end of a call that a person has approved.
pub(super) struct EndedApproval {
    pub(super) permission: Permission,
    pub(super) outcome: Outcome,
    /// Of the line that records it.
    pub(super) hash: Option<String>,
}

/// How a call ended, as far as it is recorded.
pub(super) enum CallEnding<'a> {
    /// The vendor answered with success.
    Answered { status: Option<u16>, request_id: Option<&'a str> },
    /// A dry run.
    Planned,
    /// A workflow's plan, or how far it came.
    Report(&'a WorkflowReport),
    /// It gave no result.
    Failed(&'a Failure),
}

impl<'a> CallEnding<'a> {
    pub(super) fn of(result: &'a Result<CallResult, Failure>) -> Self {
        match result {
            Ok(CallResult::Reply(reply)) => {
                Self::Answered { status: Some(reply.status), request_id: reply.request_id.as_deref() }
            }
            Ok(CallResult::Plan(_)) => Self::Planned,
            Ok(CallResult::Report(report)) => Self::Report(report),
            // Each of its calls is recorded on its own.
            Ok(CallResult::Tenants(_)) => Self::Answered { status: None, request_id: None },
            Err(failure) => Self::Failed(failure),
        }
    }
}

impl<'a> CallRecord<'a> {
    pub(super) fn new(audit: Option<&'a Audit>, metrics: &'a Metrics, caller: &Caller, name: &str) -> Self {
        let details = CallDetails {
            caller: caller.principal.name(),
            client: caller.client.clone(),
            tool: name.to_owned(),
            ..CallDetails::default()
        };
        let step = caller.workflow.as_ref();
        let details = CallDetails {
            workflow: step.map(|step| step.run.to_string()),
            step: step.map(|step| step.step.to_string()),
            ..details
        };
        Self {
            audit,
            metrics,
            caller_kind: caller.principal.kind(),
            entry: None,
            _in_flight: metrics.begin(),
            span: CallSpan::new(caller.principal.kind()),
            details,
            started: Instant::now(),
            intent: None,
            ended: false,
            claimed: None,
        }
    }

    /// The span of the call, for what is done within it.
    pub(super) fn span(&self) -> tracing::Span {
        self.span.span()
    }

    /// Sets the tool, by its name even if it was called by an alias.
    pub(super) fn set_tool(&mut self, entry: &'a CatalogEntry) {
        self.entry = Some(entry);
        self.span.set_tool(&entry.vendor, &entry.tool.name);
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

    /// Sets the id of the run, where the call is a workflow as a whole.
    pub(super) fn set_workflow(&mut self, run: &str) {
        self.details.workflow = Some(run.to_owned());
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

    /// What writes the lines of an approval of this call.
    pub(super) fn approval_notes(&self) -> ApprovalNotes<'a> {
        ApprovalNotes { audit: self.audit, details: self.details.clone() }
    }

    /// Sets by which grant of a person the call is made, and by whose.
    pub(super) fn set_grant(&mut self, grant: (String, String)) {
        if self.audit.is_some() {
            self.details.grant = Some(grant);
        }
    }

    /// Sets who approved the call.
    pub(super) fn set_approval(&mut self, permission: &Permission) {
        if self.audit.is_some() {
            self.details.approval = Some((permission.id.clone(), permission.by.clone(), permission.digest.clone()));
        }
    }

    /// Sets which permission the call has used up.
    pub(super) fn set_claimed(&mut self, permission: &Permission) {
        self.claimed = Some(permission.clone());
    }

    fn may_change(&self) -> bool {
        self.entry.is_none_or(|entry| entry.tool.effect != Some(Effect::Read))
    }

    /// Writes how the call ended; returns that for the approval which it has used up, if any.
    pub(super) fn end(mut self, ending: &CallEnding<'_>) -> Option<EndedApproval> {
        let (decision, outcome) = match ending {
            CallEnding::Answered { .. } => ("allowed", Outcome::Answered),
            CallEnding::Planned => ("planned", Outcome::NotSent),
            CallEnding::Report(report) if report.is_plan => ("planned", report.outcome),
            CallEnding::Report(report) => ("allowed", report.outcome),
            CallEnding::Failed(failure @ Failure::Call(_)) => ("allowed", failure.outcome()),
            CallEnding::Failed(failure @ (Failure::Refused { .. } | Failure::OtherCallTool { .. })) => {
                ("refused", failure.outcome())
            }
            CallEnding::Failed(failure @ Failure::Held(held)) => (held.decision(), failure.outcome()),
            CallEnding::Failed(failure) => ("invalid", failure.outcome()),
        };
        let (status, request_id) = match ending {
            // A workflow as a whole is no request, so no vendor answers it.
            CallEnding::Answered { .. } if self.is_workflow() => (None, None),
            CallEnding::Answered { status, request_id } => (*status, request_id.map(str::to_owned)),
            CallEnding::Failed(Failure::Call(error)) => {
                let request_id = match error {
                    CallError::Rejected(rejection) => rejection.request_id.clone(),
                    CallError::Broken(broken) => broken.request_id.clone(),
                    _ => None,
                };
                (error.status(), request_id)
            }
            _ => (None, None),
        };
        let error = match ending {
            CallEnding::Report(report) if !report.is_plan => Some("workflow"),
            CallEnding::Failed(failure) => Some(failure.kind()),
            _ => None,
        };
        self.details.decision = decision;
        self.count(outcome, error);
        let hash = self.write(outcome, status, request_id);
        self.claimed.take().map(|permission| EndedApproval { permission, outcome, hash })
    }

    fn is_workflow(&self) -> bool {
        self.details.workflow.is_some() && self.details.step.is_none()
    }

    fn count(&self, outcome: Outcome, error: Option<&'static str>) {
        let (vendor, tool) = self.entry.map_or(("", ""), |entry| (entry.vendor.as_str(), entry.tool.name.as_str()));
        self.metrics.end(vendor, tool, self.caller_kind, outcome, error);
        self.span.end(outcome, error);
    }

    fn write(&mut self, outcome: Outcome, status: Option<u16>, request_id: Option<String>) -> Option<String> {
        self.ended = true;
        let audit = self.audit?;
        let end = CallEnd { outcome, status, request_id, duration: self.started.elapsed() };
        let written = match self.intent {
            Some(intent) => audit.outcome(intent, &self.details, &end),
            None => audit.call(&self.details, &end),
        };
        // The call is over; the next one that may change something is refused.
        written
            .inspect_err(|error| tracing::error!("the record `{}` can't be written: {error}", audit.path().display()))
            .ok()
    }
}

/// Writes what becomes of the approval of one call.
pub(super) struct ApprovalNotes<'a> {
    audit: Option<&'a Audit>,
    details: CallDetails,
}

impl<'a> ApprovalNotes<'a> {
    /// Lines about the approval of this call.
    pub(super) fn new(audit: Option<&'a Audit>, details: CallDetails) -> Self {
        Self { audit, details }
    }

    pub(super) fn write(&self, event: &ApprovalEvent<'_>) {
        write_approval(self.audit, &self.details, event);
    }
}

/// Writes what becomes of an approval; returns the hash of the line, where there is a record.
pub(super) fn write_approval(
    audit: Option<&Audit>,
    details: &CallDetails,
    event: &ApprovalEvent<'_>,
) -> Option<String> {
    let audit = audit?;
    let entries = [
        ("approval", Some(event.id)),
        ("what", Some(event.event)),
        ("channel", Some(event.channel)),
        ("by", event.by),
        ("reason", event.reason),
        ("digest", Some(event.digest)),
    ];
    let written = audit.approval(details, &entries);
    // A change is refused before it is sent, since its intent can't be written either.
    written
        .inspect_err(|error| tracing::error!("the record `{}` can't be written: {error}", audit.path().display()))
        .ok()
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

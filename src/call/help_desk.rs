//! What a help desk asks of its account → a call of one of its tools, through the stages of any other call: paced, bounded and
//! recorded. It is the server's own call; no caller can make it, nor any other by this account.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use serde_json::{Map, Value};

use super::call_record::write_approval;
use super::caller::Caller;
use super::failure::Failure;
use super::paging::page::HasMore;
use super::step::StepResult;
use super::toolbox::Toolbox;
use crate::access::{Principal, ServerPolicy};
use crate::approval::{ApprovalEvent, Desk, DeskAnswer, DeskCall, DeskCalls, DeskFault, FaultKind};
use crate::audit::CallDetails;
use crate::error::{Audience, CallError, Outcome};
use crate::policy::{Defaults, Selection, SelectionWords};
use crate::sanitize;
use crate::store::StoredApproval;
use toolwright_model::truncate;

/// The longest text of a failure in the log, in characters.
const LONGEST_FAULT: usize = 300;

/// The way from a toolbox's help desks to its tools.
struct ToolboxDesks(Weak<Toolbox>);

impl fmt::Debug for ToolboxDesks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToolboxDesks")
    }
}

impl Toolbox {
    /// Has the help desks of its approvals call its tools.
    pub fn connect_help_desks(self: &Arc<Self>) {
        if let Some(approvals) = &self.approvals {
            approvals.help_desks().connect(Arc::new(ToolboxDesks(Arc::downgrade(self))));
        }
    }

    /// The caller that a help desk is: it has the tools that its account needs, and no other.
    fn desk_caller(&self, desk: &Desk) -> Result<Caller, DeskFault> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let selection = SelectionWords {
            methods: words(&["all"]),
            tags: words(&["all"]),
            tools: desk.tools().into_iter().map(str::to_owned).collect(),
            ..SelectionWords::default()
        };
        let selection = Selection::resolve(&selection, Defaults::Everything, self.catalog())
            .map_err(|error| DeskFault { kind: FaultKind::NotSent, text: error.to_string() })?;
        let accounts = BTreeMap::from([(desk.vendor.clone(), desk.account.clone())]);
        let grant = ServerPolicy::new(self.catalog().clone(), selection).whole("help desk", accounts);
        Ok(Caller {
            principal: Principal::server(),
            grant: Some(Arc::new(grant)),
            for_help_desk: true,
            ..Caller::default()
        })
    }
}

impl DeskCalls for ToolboxDesks {
    fn call<'a>(&'a self, desk: &'a Desk, tool: &'a str, arguments: Map<String, Value>) -> DeskCall<'a> {
        Box::pin(async move {
            let Some(toolbox) = self.0.upgrade() else {
                return Err(DeskFault { kind: FaultKind::NotSent, text: "the server ends".to_owned() });
            };
            let caller = toolbox.desk_caller(desk)?;
            match toolbox.call_step(&caller, tool, &arguments).await {
                Ok(StepResult::Answered(answer)) => {
                    let is_whole = answer.page.as_ref().is_none_or(|page| page.has_more == HasMore::No);
                    Ok(DeskAnswer { body: answer.body.unwrap_or_default(), is_whole })
                }
                Ok(StepResult::Planned(_)) => {
                    Err(DeskFault { kind: FaultKind::NotSent, text: "every call is a dry run here".to_owned() })
                }
                Err(failure) => Err(fault(&failure)),
            }
        })
    }

    fn record(&self, approval: &StoredApproval, event: &ApprovalEvent<'_>) -> Option<String> {
        let toolbox = self.0.upgrade()?;
        let (caller, tool) = (approval.caller_name.clone(), approval.tool.clone());
        write_approval(toolbox.audit.as_ref(), &CallDetails { caller, tool, ..CallDetails::default() }, event)
    }
}

/// What is known of a request that failed.
fn fault(failure: &Failure) -> DeskFault {
    let kind = match failure {
        Failure::Call(CallError::Rejected(rejection)) => match rejection.status {
            404 | 410 => FaultKind::Gone,
            429 | 503 => FaultKind::Refused,
            // A proxy may say so of a request that has arrived.
            500.. => FaultKind::Unknown,
            _ => FaultKind::Refused,
        },
        failure if failure.outcome() == Outcome::NotSent => FaultKind::NotSent,
        _ => FaultKind::Unknown,
    };
    let text = sanitize::message(&failure.text(Audience::Person));
    DeskFault { kind, text: truncate(&text, LONGEST_FAULT).into_owned() }
}

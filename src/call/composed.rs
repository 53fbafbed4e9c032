//! A workflow's name and arguments → its reply: the gate, the check of arguments, the record and the presentation of one
//! call, around steps that others make. Each step is a call of its own, through [`Toolbox::call_as`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::approve::{WorkflowPlan, obtained};
use super::call_record::{CallEnding, CallRecord};
use super::caller::Caller;
use super::failure::Failure;
use super::paging::cursor::Cursor;
use super::paging::page::Start;
use super::present::present_composed;
use super::reply::Reply;
use super::reply::cache::{CacheSlot, ReplyOwner};
use super::resolve::{ResolvedWorkflow, Resolver};
use super::result::{CallResult, Composed, Ending};
use super::steps_approval::StepsApproval;
use super::toolbox::{LONGEST_NAME, Toolbox};
use super::tools::OfferedTools;
use crate::approval::{Permission, Why};
use crate::catalog::CatalogEntry;
use crate::error::{CallError, Outcome};
use crate::fairness::Slot;
use toolwright_model::workflow::Workflow;
use toolwright_model::{CURSOR, Effect, truncate};

/// The bytes of a run's id: enough that two runs of one log differ.
const ID_BYTES: usize = 9;

/// How the call of a workflow begins.
pub(crate) enum Begun<'a> {
    /// Its steps can be called.
    Admitted(Box<ComposedCall<'a>>),
    /// It has ended before any step.
    Ended(Result<CallResult, Failure>),
}

/// The call of a workflow that the policy allows, with every step that it has to make.
pub(crate) struct ComposedCall<'a> {
    toolbox: &'a Toolbox,
    caller: &'a Caller,
    resolved: ResolvedWorkflow<'a>,
    record: CallRecord<'a>,
    id: Arc<str>,
    held_back: BTreeMap<String, String>,
    permission: Option<Permission>,
    _slot: Slot,
}

impl Toolbox {
    /// Begins the call of a workflow: asks the policy for it and for each of its steps, and checks the arguments. A call
    /// that ends here is recorded.
    pub(crate) async fn begin_workflow<'a>(
        &'a self,
        caller: &'a Caller,
        tools: &'a OfferedTools,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Begun<'a> {
        let name = &*truncate(name, LONGEST_NAME);
        let mut record = CallRecord::new(self.audit.as_ref(), &self.metrics, caller, name);
        let id: Arc<str> = run_id().into();
        record.set_workflow(&id);
        match self.admitted(caller, tools, name, arguments, &mut record).await {
            Ok(Admission::Steps { resolved, held_back, slot }) => {
                let resolved = *resolved;
                let toolbox = self;
                Begun::Admitted(Box::new(ComposedCall {
                    toolbox,
                    caller,
                    resolved,
                    record,
                    id,
                    held_back,
                    permission: None,
                    _slot: slot,
                }))
            }
            Ok(Admission::Rest(reply)) => {
                let result = Ok(CallResult::from(*reply));
                record.end(&CallEnding::of(&result));
                Begun::Ended(result)
            }
            Err(failure) => {
                let result = Err(failure);
                record.end(&CallEnding::of(&result));
                Begun::Ended(result)
            }
        }
    }

    async fn admitted<'a>(
        &'a self,
        caller: &'a Caller,
        tools: &'a OfferedTools,
        name: &str,
        arguments: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<Admission<'a>, Failure> {
        let slot = self.workflows.slot(caller, self.policy.budget).await;
        let slot = slot.map_err(|throttled| CallError::Throttled(Box::new(throttled)))?;
        let stage = Resolver {
            tools,
            accounts: &self.accounts,
            now: (self.clock)(),
            dry_run: self.dry_run,
            folder: self.folder.as_ref(),
            approvals: None,
        };
        let resolved = stage.resolve_workflow(caller, name, arguments, record).await?;
        let owner = ReplyOwner::from(caller);
        if let Some(rest) = resolved.cursor.as_ref().and_then(|cursor| self.replies.rest(cursor, owner)) {
            return Ok(Admission::Rest(Box::new(rest)));
        }
        let held_back = tools.check_steps(resolved.entry)?;
        // What has to be approved is intended after that.
        if !resolved.dry_run && self.why_workflow(&resolved, caller).is_none() {
            record.intend(caller)?;
        }
        Ok(Admission::Steps { resolved: Box::new(resolved), held_back, slot })
    }
}

impl Toolbox {
    /// Why a person has to approve a workflow.
    fn why_workflow(&self, resolved: &ResolvedWorkflow<'_>, caller: &Caller) -> Option<Why> {
        let approvals = self.approvals.as_ref()?;
        let accounts = self.changed_accounts(resolved, caller);
        let is_at_desk = || approvals.help_desks().concern(accounts.iter().map(String::as_str));
        let can_ask = caller.channel.is_some() || is_at_desk();
        approvals.why(&caller.principal, &resolved.entry.tool, &resolved.arguments, can_ask)
    }

    /// The accounts at which the steps of a workflow change something.
    fn changed_accounts(&self, resolved: &ResolvedWorkflow<'_>, caller: &Caller) -> Vec<String> {
        let tools = self.tools(caller);
        let steps = resolved.entry.tool.workflow.iter().flat_map(|workflow| &workflow.steps);
        let of_steps = steps.filter_map(|step| self.catalog().get(&step.call.tool));
        let changes = of_steps.filter(|called| called.tool.effect != Some(Effect::Read));
        let accounts: BTreeSet<&str> = changes.filter_map(|called| tools.grant().account(&called.vendor)).collect();
        accounts.into_iter().map(str::to_owned).collect()
    }
}

/// What follows from the call of a workflow.
enum Admission<'a> {
    Steps {
        resolved: Box<ResolvedWorkflow<'a>>,
        held_back: BTreeMap<String, String>,
        slot: Slot,
    },
    /// A part of an answer that is cached.
    Rest(Box<Reply>),
}

impl<'a> ComposedCall<'a> {
    pub(crate) fn toolbox(&self) -> &'a Toolbox {
        self.toolbox
    }

    pub(crate) fn caller(&self) -> &'a Caller {
        self.caller
    }

    /// Its span, for the steps within it.
    pub(crate) fn span(&self) -> tracing::Span {
        self.record.span()
    }

    /// The workflow's entry in the catalog.
    pub(crate) fn entry(&self) -> &'a CatalogEntry {
        self.resolved.entry
    }

    /// The steps; none where the tool is no workflow.
    pub(crate) fn workflow(&self) -> Option<&'a Workflow> {
        self.resolved.entry.tool.workflow.as_deref()
    }

    /// The id that each line of this run has in the audit log.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The arguments, checked and converted.
    pub(crate) fn arguments(&self) -> &Map<String, Value> {
        &self.resolved.arguments
    }

    /// Whether changes are shown and not sent.
    pub(crate) fn dry_run(&self) -> bool {
        self.resolved.dry_run
    }

    /// Why the policy holds a step back that the workflow can do without.
    pub(crate) fn held_back(&self, step: &str) -> Option<&str> {
        self.held_back.get(step).map(String::as_str)
    }

    /// Whether a person has to approve it before anything is changed.
    pub(crate) fn needs_approval(&self) -> bool {
        !self.dry_run() && self.toolbox.why_workflow(&self.resolved, self.caller).is_some()
    }

    /// Asks for the permission to send what was planned, and takes it.
    ///
    /// # Errors
    /// There is none (yet), or the record can't be written; nothing may be changed.
    pub(crate) async fn approve(&mut self, shown: Map<String, Value>, steps: &StepsApproval) -> Result<(), Failure> {
        let entry = self.resolved.entry;
        let why = self.toolbox.why_workflow(&self.resolved, self.caller);
        let Some((approvals, why)) = self.toolbox.approvals.as_ref().zip(why) else { return Ok(()) };
        let accounts = self.toolbox.changed_accounts(&self.resolved, self.caller);
        let arguments = &self.resolved.arguments;
        let plan = WorkflowPlan { tool: &entry.tool, arguments, shown, steps, accounts };
        let request = plan.request(why);
        let permission = obtained(approvals, self.caller, &request, &mut self.record).await?;
        self.record.intend(self.caller)?;
        approvals.claim(&permission).await?;
        self.record.set_claimed(&permission);
        self.permission = Some(permission);
        Ok(())
    }

    /// Ends the call: presents what came of it, and records it.
    pub(crate) async fn end(self, ending: Result<Ending, Failure>) -> Result<CallResult, Failure> {
        let result = match ending {
            Ok(Ending::Answer(composed)) => self.present(composed).await.map(CallResult::from),
            Ok(Ending::Report(report)) => Ok(CallResult::Report(Box::new(report))),
            Err(failure) => Err(failure),
        };
        if let Ok(CallResult::Reply(reply)) = &result {
            let tools = self.toolbox.tools(self.caller);
            self.toolbox.note_read(self.caller, &tools, &self.resolved.entry.tool, &self.resolved.masked, reply).await;
        }
        if let Some((approvals, permission)) = self.toolbox.approvals.as_ref().zip(self.permission.as_ref()) {
            approvals.ended(permission, outcome(&result)).await;
        }
        let ended = self.record.end(&CallEnding::of(&result));
        self.toolbox.note_end(ended).await;
        result
    }

    async fn present(&self, composed: Composed) -> Result<Reply, Failure> {
        let ResolvedWorkflow { entry, schema, arguments, masked, cursor, .. } = &self.resolved;
        let tool = &entry.tool;
        let slot = tool.is_own_argument(CURSOR).then(|| {
            let start = Cursor::new(&tool.name, schema.names(), arguments, masked, Start::default());
            CacheSlot::new(&self.toolbox.replies, ReplyOwner::from(self.caller), start)
        });
        let from = cursor.as_ref().map(|cursor| cursor.offset).unwrap_or_default();
        let evaluator = self.toolbox.evaluator.as_ref();
        let reply = present_composed(composed, tool, arguments, evaluator, self.caller.key()).await?;
        Ok(Reply { from, slot, ..reply })
    }
}

fn outcome(result: &Result<CallResult, Failure>) -> Outcome {
    match result {
        Ok(CallResult::Report(report)) => report.outcome,
        Ok(_) => Outcome::Answered,
        Err(failure) => failure.outcome(),
    }
}

pub(super) fn run_id() -> String {
    let mut bytes = [0; ID_BYTES];
    fastrand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

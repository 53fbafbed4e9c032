//! A tool's name and arguments → its reply, where the tool may be a workflow: several calls of tools, whose values lead from
//! one to the next. The only way to call for the server and the command line.
//!
//! | file | turns | into |
//! |---|---|---|
//! | `run` | steps and inputs | how far they came, each begun when those before it have ended |
//! | `step` | a step whose turn it is | how it ended: once, or for each value of a list |
//! | `attempt` | one call of a step | its answer, through all stages of [`crate::call`] |
//! | `scope` | expressions and templates | values |
//! | `selection` | a list and a selection | the records and fields that it keeps |
//! | `criteria` | criteria | whether they hold |
//! | `datum` | a value | for requests as it is, for readers sanitized |
//! | `row` | what became of one call | a row of the table of outcomes |
//! | `report` | how far the steps came | answer, plan or report |
//!
//! Nothing is repeated silently: a change whose outcome is not known is not sent again, whatever the file states.

mod attempt;
mod criteria;
mod datum;
mod report;
mod row;
mod run;
mod scope;
mod selection;
mod step;

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::call::{
    Begun, CallResult, Caller, ComposedCall, Failure, StepsApproval, Tenant, TenantCall, TenantCalls, TenantResults,
    Toolbox,
};
use crate::sanitize::TextForm;
use attempt::Calls;
use run::RunEnd;
use scope::Scope;
use toolwright_model::workflow::Workflow;
use toolwright_model::{DETAIL, Effect, RAW};

/// How many calls of one run may be under way at once.
const PLACES: usize = 8;

/// How many tenants of one call are asked at once.
const TENANTS_AT_ONCE: usize = 4;

/// Calls a tool by name or alias, whether it is one call or a workflow, for one tenant or for several.
///
/// # Errors
/// By stage; [`Failure::outcome`] states whether anything was sent. A workflow that begins and fails is no error: its result
/// is a report of how far it came.
pub async fn call_as(
    toolbox: &Toolbox,
    caller: &Caller,
    name: &str,
    arguments: Map<String, Value>,
) -> Result<CallResult, Failure> {
    let Some(several) = Box::pin(toolbox.for_tenants(caller, name, &arguments)).await? else {
        return call_one(toolbox, caller, name, arguments).await;
    };
    let TenantCalls { argument, notes, calls } = several;
    let count = calls.len();
    let one = |(index, call): (usize, TenantCall)| -> BoxFuture<'_, (Tenant, Result<CallResult, Failure>)> {
        Box::pin(async move {
            let TenantCall { tenant, caller, arguments } = call;
            caller.report(format!("{} of {count}: {}", index + 1, tenant.name));
            let result = call_one(toolbox, &caller, name, arguments).await;
            (tenant, result)
        })
    };
    let calls: Vec<_> = calls.into_iter().enumerate().map(one).collect();
    let results = stream::iter(calls).buffered(TENANTS_AT_ONCE).collect().await;
    Ok(CallResult::Tenants(Box::new(TenantResults { argument, notes, results })))
}

/// Calls a tool for one tenant.
async fn call_one(
    toolbox: &Toolbox,
    caller: &Caller,
    name: &str,
    arguments: Map<String, Value>,
) -> Result<CallResult, Failure> {
    if toolbox.catalog().get(name).is_none_or(|entry| entry.tool.workflow.is_none()) {
        return toolbox.call_as(caller, name, arguments).await;
    }
    let tools = toolbox.tools(caller);
    match toolbox.begin_workflow(caller, &tools, name, &arguments).await {
        Begun::Admitted(call) => {
            let span = call.span();
            Box::pin(run_workflow(*call)).instrument(span).await
        }
        Begun::Ended(result) => result,
    }
}

async fn run_workflow(mut call: ComposedCall<'_>) -> Result<CallResult, Failure> {
    let Some(workflow) = call.workflow() else {
        let name = &call.entry().tool.name;
        let failure = Failure::Internal(format!("`{name}` is no workflow"));
        return call.end(Err(failure)).await;
    };
    let is_raw = call.arguments().get(DETAIL).and_then(Value::as_str) == Some(RAW);
    let form = if is_raw { TextForm::Raw } else { TextForm::Inert };
    let mut approval = None;
    if call.needs_approval() {
        // All of it is planned before anything is changed, and a person is asked once.
        let planning = Arc::new(StepsApproval::planning());
        let end = run_steps(&call, workflow, true, Some(Arc::clone(&planning))).await;
        let Some((shown, open)) = report::to_approve(&call, &end) else {
            let ending = report::ending(&call, workflow, end, form).await;
            return call.end(ending).await;
        };
        let steps = planning.approved(open);
        if let Err(failure) = call.approve(shown, &steps).await {
            return call.end(Err(failure)).await;
        }
        approval = Some(Arc::new(steps));
    }
    let end = run_steps(&call, workflow, call.dry_run(), approval).await;
    let ending = report::ending(&call, workflow, end, form).await;
    call.end(ending).await
}

/// Runs the steps; with `dry_run`, what changes is planned and not sent.
async fn run_steps(
    call: &ComposedCall<'_>,
    workflow: &Workflow,
    dry_run: bool,
    approval: Option<Arc<StepsApproval>>,
) -> RunEnd {
    let calls = Calls {
        toolbox: call.toolbox(),
        caller: call.caller(),
        run: Arc::clone(call.id()),
        changes: call.entry().tool.effect != Some(Effect::Read),
        dry_run,
        approval,
        raw: call.arguments().get(DETAIL).and_then(Value::as_str) == Some(RAW),
        places: Semaphore::new(PLACES),
    };
    let scope = Scope::new(inputs(workflow, call.arguments()));
    let held_back = |step: &str| call.held_back(step);
    run::run(&calls, workflow, scope, &held_back).await
}

/// The caller's inputs, with the defaults of those that are not given.
fn inputs(workflow: &Workflow, given: &Map<String, Value>) -> Map<String, Value> {
    let value = |name: &str, default: &Option<Value>| given.get(name).or(default.as_ref()).cloned();
    let inputs = workflow.inputs.iter();
    inputs.filter_map(|input| Some((input.name.clone(), value(&input.name, &input.default)?))).collect()
}

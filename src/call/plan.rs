//! Stage 3 of a dry run: a prepared call → the request that it would send.

use super::failure::Failure;
use super::prepare::PreparedCall;
use super::result::PlannedCall;

/// Describes the request. The values of a dry run are masked already.
///
/// # Errors
/// The client refuses the inputs.
pub(super) async fn plan(prepared: PreparedCall<'_>) -> Result<PlannedCall, Failure> {
    let inputs = prepared.inputs(&prepared.start);
    let call = &prepared.resolved;
    let request = call.session.plan(&call.operation.operation, inputs).await?;
    let tool = call.tool();
    Ok(PlannedCall {
        caller: call.caller.principal.name(),
        account: call.account.to_owned(),
        tool: tool.name.clone(),
        effect: tool.effect,
        risks: tool.risks.clone(),
        site: call.session.site(),
        settings: call.connection.settings(&call.caller.chosen),
        request,
        notes: prepared.notes,
    })
}

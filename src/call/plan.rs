//! Stage 3 of a dry run: a prepared call → the request that it would send.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::prepare::PreparedCall;
use super::reply::RESOLVED;
use super::result::PlannedCall;

/// Describes the request. The values of a dry run are masked already.
///
/// # Errors
/// The client refuses the inputs.
pub(super) async fn plan(mut prepared: PreparedCall<'_>) -> Result<PlannedCall, Failure> {
    let values = std::mem::take(&mut prepared.values);
    described(&prepared, &values).await
}

/// Describes the request of a call with these values, in which secrets are masked.
///
/// # Errors
/// The client refuses the inputs.
pub(super) async fn described(
    prepared: &PreparedCall<'_>,
    values: &Map<String, Value>,
) -> Result<PlannedCall, Failure> {
    let inputs = prepared.inputs_of(values, &prepared.start);
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
        notes: prepared.notes.clone(),
        untrusted: if call.names.is_empty() { Vec::new() } else { vec![RESOLVED.to_owned()] },
        resolved: call.names.clone(),
    })
}

//! A request to call a tool → the call through the toolbox, with log messages and progress meanwhile, and its result.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, JsonObject, LoggingLevel};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::messages::Messages;
use super::{Server, approval};
use crate::approval::{Given, Held};
use crate::call::{CallResult, CallTool, Caller, Failure};
use crate::error::CallError;
use crate::mcp_result;
use crate::workflow;

/// How often progress of a long call is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// Arguments that a client gives to every tool, for itself, and sends on: Gemini CLI adds `wait_for_previous` to each
/// schema that its model sees. A tool that has an argument of that name gets it.
const ARGUMENTS_OF_CLIENTS: [&str; 1] = ["wait_for_previous"];

impl Server {
    /// Calls a tool; `through` is the call tool by which the client did, and `given` what its person has answered to an earlier
    /// result.
    pub(super) async fn call(
        &self,
        name: &str,
        arguments: JsonObject,
        through: Option<CallTool>,
        given: Option<Given>,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let vendor = self.toolbox.catalog().get(name).map_or("", |entry| &entry.vendor);
        let title = self.toolbox.catalog().title(vendor);
        let started = Instant::now();
        let messages = self.messages();
        messages.log(context, LoggingLevel::Debug, || format!("{name}: asking {title}")).await;
        let (progress, waiting) = mpsc::unbounded_channel();
        let chosen = self.chosen(context)?;
        let channel = self.channel(given, context).map(Arc::new);
        let caller = Caller { progress: Some(progress), chosen, through, channel, ..self.caller(context)? };
        let arguments = self.without_arguments_of_clients(name, arguments);
        let cancelled = caller.cancelled.clone();
        let is_workflow = self.toolbox.catalog().get(name).is_some_and(|entry| entry.tool.workflow.is_some());
        let call = Box::pin(workflow::call_as(&self.toolbox, &caller, name, arguments));
        let result = self.wait(context, title, started, waiting, is_workflow.then_some(cancelled), call).await;
        let (level, bytes) = logged(&result);
        messages.log(context, level, || format!("{name}: {}", ending(&result, title))).await;
        let took = || format!("{name}: {bytes} bytes in {} ms", started.elapsed().as_millis());
        messages.log(context, LoggingLevel::Debug, took).await;
        match result {
            // An unknown name is an error of the request, unless it is an argument; every other failure is for the model.
            Err(unknown @ Failure::UnknownTool { .. }) if through.is_none() => {
                let unknown = self.with_similar(&caller, unknown).await;
                Err(ErrorData::invalid_params(self.unknown_text(&unknown), None))
            }
            Err(unknown @ Failure::UnknownTool { .. }) => {
                let text = self.unknown_text(&self.with_similar(&caller, unknown).await);
                Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into())
            }
            Err(refused @ Failure::Refused { .. }) => {
                Ok(mcp_result::result(vendor, Err(self.with_similar(&caller, refused).await)).into())
            }
            Err(Failure::Held(held)) if matches!(*held, Held::Ask { .. }) => Ok(approval::input_required(*held)),
            result => Ok(mcp_result::result_off_thread(vendor, result).await.into()),
        }
    }

    /// Drops the arguments that are for the client, where the tool has none of that name.
    pub(super) fn without_arguments_of_clients(&self, name: &str, mut arguments: JsonObject) -> JsonObject {
        for argument in ARGUMENTS_OF_CLIENTS {
            if arguments.contains_key(argument) && !self.takes(name, argument) {
                arguments.shift_remove(argument);
            }
        }
        arguments
    }

    /// Returns whether a tool has an argument of this name.
    fn takes(&self, name: &str, argument: &str) -> bool {
        let schema = self.toolbox.catalog().get(name).map(|entry| entry.tool.parsed_input_schema());
        let properties = schema.as_ref().and_then(|schema| schema.get("properties"));
        properties.is_some_and(|properties| properties.get(argument).is_some())
    }

    /// Waits for the call's end and reports progress meanwhile, so that neither the client nor a proxy
    /// times out. A call that the client cancels is dropped; a workflow, whose token is given, ends before its next step.
    async fn wait(
        &self,
        context: &RequestContext<RoleServer>,
        title: &str,
        started: Instant,
        mut waiting: mpsc::UnboundedReceiver<String>,
        workflow: Option<CancellationToken>,
        call: impl Future<Output = Result<CallResult, Failure>>,
    ) -> Result<CallResult, Failure> {
        let elapsed = || started.elapsed().as_secs_f64();
        Messages::progress(context, 0.0, || format!("asking {title}")).await;
        let mut call = pin!(call);
        let mut ticks = tokio::time::interval_at(started + PROGRESS_INTERVAL, PROGRESS_INTERVAL);
        let result = loop {
            // Dropping the call drops the request to the vendor.
            tokio::select! {
                result = &mut call => break result,
                // The reason of the wait: a vendor's limit, a retry.
                Some(text) = waiting.recv() => Messages::progress(context, elapsed(), || text).await,
                () = context.ct.cancelled(), if !workflow.as_ref().is_some_and(CancellationToken::is_cancelled) => {
                    match &workflow {
                        // It ends after the calls that are under way, so that it is recorded what they did.
                        Some(workflow) => workflow.cancel(),
                        None => break Err(Failure::Call(CallError::Cancelled)),
                    }
                }
                _ = ticks.tick() => {
                    Messages::progress(context, elapsed(), || format!("waiting for {title}")).await;
                }
            }
        };
        let end = || match &result {
            Ok(CallResult::Reply(_) | CallResult::Tenants(_)) => format!("{title} answered"),
            Ok(CallResult::Plan(_)) => "planned, nothing was sent".to_owned(),
            Ok(CallResult::Report(report)) if report.is_plan => "planned, nothing was changed".to_owned(),
            Ok(CallResult::Report(_)) | Err(_) => "the call failed".to_owned(),
        };
        Messages::progress(context, elapsed(), end).await;
        result
    }
}

/// At which level the end of a call is logged, and how many bytes its answer has.
fn logged(result: &Result<CallResult, Failure>) -> (LoggingLevel, usize) {
    match result {
        Ok(CallResult::Reply(reply)) => (LoggingLevel::Info, reply.body.len()),
        Ok(CallResult::Plan(_) | CallResult::Tenants(_)) => (LoggingLevel::Info, 0),
        Ok(CallResult::Report(report)) if report.is_plan => (LoggingLevel::Info, report.body.len()),
        Ok(CallResult::Report(_)) | Err(_) => (LoggingLevel::Warning, 0),
    }
}

/// How a call ended, in a few words.
fn ending(result: &Result<CallResult, Failure>, title: &str) -> String {
    match result {
        Ok(CallResult::Reply(reply)) => format!("{title} answered {}", reply.status),
        Ok(CallResult::Plan(_)) => "planned, nothing was sent".to_owned(),
        Ok(CallResult::Report(report)) if report.is_plan => "planned, nothing was changed".to_owned(),
        Ok(CallResult::Report(report)) => report.outcome.as_str().to_owned(),
        Ok(CallResult::Tenants(several)) => {
            let answered = several.results.iter().filter(|(_, result)| result.is_ok()).count();
            format!("{answered} of {} {} answered", several.results.len(), several.argument)
        }
        Err(failure) => failure.outcome().as_str().to_owned(),
    }
}

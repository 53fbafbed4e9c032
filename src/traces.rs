//! Calls and requests to vendors → spans of `tracing`, for a program that collects them. A span names vendor, tool, operation
//! and outcome; none has an argument, an answer, an address, a name of a caller or a credential.

use tracing::Span;
use tracing::field::Empty;

use crate::error::Outcome;

/// The target of the spans: the log shows none of them, a collector nothing else.
pub(crate) const TARGET: &str = "toolwright::traces";
/// What OpenTelemetry calls a span that failed.
const ERROR: &str = "ERROR";

/// The span of a call.
#[derive(Debug, Clone)]
pub(crate) struct CallSpan(Span);

impl CallSpan {
    /// Begins the span; `caller` is a kind of callers.
    pub(crate) fn new(caller: &'static str) -> Self {
        Self(tracing::info_span!(
            target: TARGET,
            "tools/call",
            "otel.name" = Empty,
            "otel.kind" = "server",
            "otel.status_code" = Empty,
            "mcp.method.name" = "tools/call",
            "gen_ai.operation.name" = "execute_tool",
            "gen_ai.tool.name" = Empty,
            "toolwright.vendor" = Empty,
            "toolwright.caller" = caller,
            "toolwright.outcome" = Empty,
            "error.type" = Empty,
        ))
    }

    /// Names the tool, which has to be one of the catalog: what a caller wrote is in no span.
    pub(crate) fn set_tool(&self, vendor: &str, tool: &str) {
        if self.0.is_disabled() {
            return;
        }
        self.0.record("otel.name", format!("tools/call {tool}"));
        self.0.record("gen_ai.tool.name", tool);
        self.0.record("toolwright.vendor", vendor);
    }

    /// Notes how the call ended; `error` is the kind of a failure.
    pub(crate) fn end(&self, outcome: Outcome, error: Option<&'static str>) {
        self.0.record("toolwright.outcome", outcome.as_str());
        if let Some(kind) = error {
            self.0.record("error.type", kind);
            self.0.record("otel.status_code", ERROR);
        }
    }

    /// The span, for what happens within it.
    pub(crate) fn span(&self) -> Span {
        self.0.clone()
    }
}

/// Begins the span of one request to a vendor, within the span of its call.
pub(crate) fn request(api: &str, operation: &str, tries: u32) -> Span {
    tracing::info_span!(
        target: TARGET,
        "request",
        "otel.name" = operation,
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "toolwright.api" = api,
        "toolwright.operation" = operation,
        "http.request.resend_count" = tries - 1,
        "http.response.status_code" = Empty,
    )
}

/// Notes how the vendor answered a request; without a status it did not.
pub(crate) fn answered(request: &Span, status: Option<u16>, is_success: bool) {
    if let Some(status) = status {
        request.record("http.response.status_code", status);
    }
    if !is_success {
        request.record("otel.status_code", ERROR);
    }
}

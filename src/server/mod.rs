//! MCP requests → lists of the offered tools and calls through the toolbox. One handler for every transport
//! and protocol version.

#![expect(deprecated, reason = "clients of the versions before 2026-07-28 still rely on MCP logging")]

pub mod http;
mod instructions;
mod messages;
pub(crate) mod stdio;

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::Uri;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestMethod, CompleteRequestParams, CompleteResult,
    Implementation, InitializeRequestParams, InitializeResult, ListPromptsRequestMethod, ListPromptsResult,
    ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, ListResourcesRequestMethod, ListResourcesResult,
    ListToolsResult, LoggingLevel, PaginatedRequestParams, ServerCapabilities, ServerConfig, SetLevelRequestParams,
    Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::call::{CallResult, Caller, Failure, SessionId, Toolbox};
use crate::catalog::CatalogEntry;
use crate::config::ChosenSettings;
use crate::error::CallError;
use crate::mcp_result;
use messages::Messages;

/// How long a client may cache the list of tools, in milliseconds: it changes only with a restart.
const LIST_TTL_MS: u64 = 60 * 60 * 1000;
/// How often progress of a long call is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// How many tools a page holds: more than usual selections offer, because many clients read the first page only.
const PAGE: usize = 250;

/// The MCP server over a toolbox; cheap to clone.
#[derive(Clone)]
pub struct Server {
    toolbox: Arc<Toolbox>,
    /// Written once for all sessions and requests.
    instructions: Arc<OnceLock<String>>,
    /// The log level of this session's client.
    messages: Messages,
    /// None where a request has no session.
    session: SessionId,
    sessions: Arc<AtomicU64>,
    /// The tenant settings that this session has chosen when it was opened.
    chosen: Arc<OnceLock<ChosenSettings>>,
}

impl Server {
    /// A server that offers what the toolbox offers.
    pub fn new(toolbox: Toolbox) -> Self {
        Self {
            toolbox: Arc::new(toolbox),
            instructions: Arc::default(),
            messages: Messages::default(),
            session: Some(0),
            sessions: Arc::new(AtomicU64::new(1)),
            chosen: Arc::default(),
        }
    }

    /// Returns the server for a new session, with a log level and tenant settings of its own.
    #[must_use]
    fn for_session(&self) -> Self {
        let session = Some(self.sessions.fetch_add(1, Ordering::Relaxed));
        Self { session, ..self.for_request() }
    }

    /// Returns the server for a request without a session.
    #[must_use]
    fn for_request(&self) -> Self {
        Self { messages: Messages::default(), session: None, chosen: Arc::default(), ..self.clone() }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let implementation = Implementation::new("toolwright", env!("CARGO_PKG_VERSION")).with_title("Toolwright");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_logging().build())
            .with_server_info(implementation)
            .with_instructions(self.instructions.get_or_init(|| instructions::text(&self.toolbox)))
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        // A session keeps the tenant settings with which it was opened.
        let _ = self.chosen.set(self.chosen(&context)?);
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    async fn set_level(&self, request: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.messages.set_level(request.level);
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let offered: Vec<&CatalogEntry> = self.toolbox.offered().collect();
        let (page, next) =
            page(&offered, cursor.as_deref()).map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let mut result =
            ListToolsResult::with_all_items(page.iter().map(|entry| self.toolbox.listing(entry)).collect())
                .with_ttl_ms(LIST_TTL_MS)
                .with_cache_scope(CacheScope::Public);
        result.next_cursor = next;
        Ok(result)
    }

    // By default rmcp answers these with empty lists, as if the server had the capabilities.

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.toolbox.offered_tool(name).map(|entry| self.toolbox.listing(entry))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.as_ref();
        let vendor = self.toolbox.catalog().get(name).map_or("", |entry| &entry.vendor);
        let title = self.toolbox.catalog().vendor(vendor).map_or(vendor, |vendor| &vendor.title);
        let started = Instant::now();
        self.messages.log(&context, LoggingLevel::Debug, &format!("{name}: asking {title}")).await;
        let client = context.peer.peer_info().map(|info| info.client_info.clone());
        let client = client.map(|client| format!("{} {}", client.name, client.version));
        let (progress, waiting) = mpsc::unbounded_channel();
        let caller = Caller { client, session: self.session, progress: Some(progress), chosen: self.chosen(&context)? };
        let call = self.toolbox.call_as(&caller, name, request.arguments.unwrap_or_default());
        let result = self.wait(&context, title, started, waiting, call).await;
        let (level, end, bytes) = match &result {
            Ok(CallResult::Reply(reply)) => {
                (LoggingLevel::Info, format!("{title} answered {}", reply.status), reply.body.len())
            }
            Ok(CallResult::Plan(_)) => (LoggingLevel::Info, "planned, nothing was sent".to_owned(), 0),
            Err(failure) => (LoggingLevel::Warning, failure.outcome().as_str().to_owned(), 0),
        };
        self.messages.log(&context, level, &format!("{name}: {end}")).await;
        let took = format!("{name}: {bytes} bytes in {} ms", started.elapsed().as_millis());
        self.messages.log(&context, LoggingLevel::Debug, &took).await;
        match result {
            // An unknown name is an error of the request; every other failure is for the model.
            Err(unknown @ Failure::UnknownTool { .. }) => Err(ErrorData::invalid_params(unknown.to_string(), None)),
            result => Ok(mcp_result::result(vendor, result).into()),
        }
    }
}

impl Server {
    /// The tenant settings in the address of an HTTP request.
    fn chosen_in(&self, address: &Uri) -> Result<ChosenSettings, String> {
        self.toolbox.choose(url::form_urlencoded::parse(address.query().unwrap_or_default().as_bytes()))
    }

    /// The tenant settings of a call: the session's, or the request's own where it has no session.
    fn chosen(&self, context: &RequestContext<RoleServer>) -> Result<ChosenSettings, ErrorData> {
        let refused = |reason: String| ErrorData::invalid_request(reason, None);
        let address = context.extensions.get::<Parts>().map(|parts| &parts.uri);
        let requested =
            address.map(|address| self.chosen_in(address)).transpose().map_err(refused)?.unwrap_or_default();
        match self.chosen.get() {
            Some(session) if requested != *session && !requested.0.is_empty() => {
                Err(refused("this session was opened for another one; open a session of its own".to_owned()))
            }
            Some(session) => Ok(session.clone()),
            None => Ok(requested),
        }
    }

    /// Waits for the call's end and reports progress meanwhile, so that neither the client nor a proxy
    /// times out.
    async fn wait(
        &self,
        context: &RequestContext<RoleServer>,
        title: &str,
        started: Instant,
        mut waiting: mpsc::UnboundedReceiver<String>,
        call: impl Future<Output = Result<CallResult, Failure>>,
    ) -> Result<CallResult, Failure> {
        let elapsed = || started.elapsed().as_secs_f64();
        Messages::progress(context, 0.0, &format!("asking {title}")).await;
        let mut call = pin!(call);
        let mut ticks = tokio::time::interval_at(started + PROGRESS_INTERVAL, PROGRESS_INTERVAL);
        let result = loop {
            // Dropping the call drops the request to the vendor.
            tokio::select! {
                result = &mut call => break result,
                // The reason of the wait: a vendor's limit, a retry.
                Some(text) = waiting.recv() => Messages::progress(context, elapsed(), &text).await,
                () = context.ct.cancelled() => break Err(Failure::Call(CallError::Cancelled)),
                _ = ticks.tick() => {
                    Messages::progress(context, elapsed(), &format!("waiting for {title}")).await;
                }
            }
        };
        let end = match &result {
            Ok(CallResult::Reply(_)) => format!("{title} answered"),
            Ok(CallResult::Plan(_)) => "planned, nothing was sent".to_owned(),
            Err(_) => "the call failed".to_owned(),
        };
        Messages::progress(context, elapsed(), &end).await;
        result
    }
}

/// A cursor that this server has not returned.
#[derive(Debug, thiserror::Error)]
#[error("unknown cursor\nhint: pass `nextCursor` of the previous page, or none for the first page")]
struct UnknownCursor;

/// Returns the page after `cursor` and the cursor of the next one. A cursor holds the name of the last tool
/// of its page, so that it stays valid across restarts with other selections.
fn page<'a>(
    entries: &'a [&'a CatalogEntry],
    cursor: Option<&str>,
) -> Result<(&'a [&'a CatalogEntry], Option<String>), UnknownCursor> {
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| UnknownCursor)?;
            let last = String::from_utf8(bytes).map_err(|_| UnknownCursor)?;
            entries.iter().position(|entry| entry.tool.name == last).ok_or(UnknownCursor)? + 1
        }
    };
    let end = entries.len().min(start + PAGE);
    let next = (end < entries.len()).then(|| URL_SAFE_NO_PAD.encode(&entries[end - 1].tool.name));
    Ok((&entries[start..end], next))
}

//! MCP requests ⇄ the toolbox: lists the tools that are offered and calls them. One handler for
//! every transport and protocol version.

#![expect(deprecated, reason = "clients of the versions before 2026-07-28 still rely on MCP logging")]

pub mod http;
mod instructions;
mod messages;
mod pages;
pub mod stdio;

use std::sync::Arc;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult, LoggingLevel,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, SetLevelRequestParams, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::call::{Caller, Failure, Toolbox};
use crate::catalog::Entry;
use crate::error::CallError;
use crate::shape;
use messages::Messages;

/// How long a client may keep the list of tools, in milliseconds: it changes only when the
/// server is started anew.
const LIST_TTL_MS: u64 = 60 * 60 * 1000;

/// The MCP server over a toolbox; cheap to clone.
#[derive(Clone)]
pub struct Server {
    toolbox: Arc<Toolbox>,
    /// What this session's client wants to be told.
    messages: Messages,
}

impl Server {
    /// A server that offers what the toolbox offers.
    pub fn new(toolbox: Toolbox) -> Self {
        Self { toolbox: Arc::new(toolbox), messages: Messages::default() }
    }

    /// The same server for another client, which sets its own log level.
    #[must_use]
    pub fn for_session(&self) -> Self {
        Self { toolbox: Arc::clone(&self.toolbox), messages: Messages::default() }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let implementation = Implementation::new("toolwright", env!("CARGO_PKG_VERSION")).with_title("Toolwright");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_logging().build())
            .with_server_info(implementation)
            .with_instructions(instructions::text(&self.toolbox))
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
        let offered: Vec<&Entry> = self.toolbox.offered().collect();
        let (page, next) = pages::page(&offered, cursor.as_deref())
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let mut result = ListToolsResult::with_all_items(page.iter().map(|entry| entry.listing()).collect())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public);
        result.next_cursor = next;
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.toolbox.offered_tool(name).map(Entry::listing)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.as_ref();
        let vendor = self.toolbox.catalog().get(name).map_or("", |entry| &entry.vendor);
        let title = self.toolbox.catalog().vendor(vendor).map_or(vendor, |vendor| &vendor.title);
        self.messages.progress(&context, 0.0, &format!("asking {title}")).await;
        let client = context.peer.peer_info().map(|info| info.client_info.clone());
        let client = client.map(|client| format!("{} {}", client.name, client.version));
        let (waits, mut waiting) = tokio::sync::mpsc::unbounded_channel();
        let who = Caller { client, waits: Some(waits) };
        let mut pending = std::pin::pin!(self.toolbox.call_as(&who, name, request.arguments.unwrap_or_default()));
        let mut waited = 0.0;
        // Dropping the call drops the request to the vendor.
        let called = loop {
            tokio::select! {
                called = &mut pending => break called,
                Some(text) = waiting.recv() => {
                    // How long it takes is not known: nearer to the end each time, and never there.
                    waited += 1.0;
                    self.messages.progress(&context, waited / (waited + 1.0), &text).await;
                }
                () = context.ct.cancelled() => break Err(Failure::Call(CallError::Cancelled)),
            }
        };
        match &called {
            Ok(answer) => {
                let text = format!("{name}: {title} answered {}", answer.status);
                self.messages.log(&context, LoggingLevel::Info, &text).await;
            }
            Err(failure) => {
                let text = format!("{name}: {}", failure.outcome().as_str());
                self.messages.log(&context, LoggingLevel::Warning, &text).await;
            }
        }
        self.messages.progress(&context, 1.0, &format!("{title} answered")).await;
        match called {
            // A name that does not exist is a fault of the request; everything else is for the model.
            Err(unknown @ Failure::UnknownTool { .. }) => Err(ErrorData::invalid_params(unknown.to_string(), None)),
            called => Ok(shape::result(vendor, called).into()),
        }
    }
}

//! MCP requests ⇄ the toolbox: lists the tools that are offered and calls them. One handler for
//! every transport.

mod instructions;
pub mod stdio;

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::call::{Failure, Toolbox};
use crate::error::CallError;
use crate::shape;

/// The MCP server over a toolbox; cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Toolbox>);

impl Server {
    /// A server that offers what the toolbox offers.
    pub fn new(toolbox: Toolbox) -> Self {
        Self(Arc::new(toolbox))
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let implementation = Implementation::new("toolwright", env!("CARGO_PKG_VERSION")).with_title("Toolwright");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(implementation)
            .with_instructions(instructions::text(&self.0))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.offered().map(crate::catalog::Entry::listing).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.offered_tool(name).map(crate::catalog::Entry::listing)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<rmcp::model::CallToolResponse, ErrorData> {
        let vendor = self.0.catalog().get(&request.name).map_or("", |entry| &entry.vendor);
        let call = self.0.call(&request.name, request.arguments.unwrap_or_default());
        // Dropping the call drops the request to the vendor.
        let called = tokio::select! {
            called = call => called,
            () = context.ct.cancelled() => Err(Failure::Call(CallError::Cancelled)),
        };
        match called {
            // A name that does not exist is a fault of the request; everything else is for the model.
            Err(unknown @ Failure::UnknownTool { .. }) => Err(ErrorData::invalid_params(unknown.to_string(), None)),
            called => {
                let result: CallToolResult = shape::result(vendor, called);
                Ok(result.into())
            }
        }
    }
}

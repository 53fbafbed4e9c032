//! The same tool tables → a minimal rmcp server over stdio, which reads and lists them: the measure of the
//! start time. With a vendor's address each call of it is one request there, by reqwest, whose text is the result: the measure
//! of calls, for which nothing is checked, limited, recorded or made inert.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The argument that makes the bench this server.
pub(crate) const MODE: &str = "minimal-server";

/// Where a request of a customer is read, whatever tool is called.
const PATH: &str = "rest/servicedeskapi/request";
const KEY: &str = "issueIdOrKey";

#[derive(Clone)]
struct Minimal {
    tools: Arc<Vec<Tool>>,
    vendor: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Table {
    tools: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    title: String,
    description: String,
    annotations: ToolAnnotations,
    input_schema: Map<String, Value>,
}

impl ServerHandler for Minimal {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let key = call.arguments.as_ref().and_then(|arguments| arguments.get(KEY)?.as_str()).unwrap_or_default();
        let request = self.http.get(format!("{}/{PATH}/{key}", self.vendor)).basic_auth("bench", Some("t"));
        let answered = async { request.send().await?.error_for_status()?.text().await };
        let text = answered.await.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}

pub(crate) fn serve(vendor: &str) {
    let tables = toolwright::catalog::tool_files().into_iter();
    let rows = tables.flat_map(|table| serde_json::from_str::<Table>(table).unwrap().tools);
    let tools = rows.map(|row| {
        Tool::new(row.name, row.description, Arc::new(row.input_schema))
            .with_title(row.title)
            .with_annotations(row.annotations)
    });
    // reqwest with rustls alone has no provider of cryptography.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let server = Minimal { tools: Arc::new(tools.collect()), vendor: vendor.to_owned(), http };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = server.serve(rmcp::transport::stdio_pipes()).await.unwrap();
        running.waiting().await.unwrap();
    });
}

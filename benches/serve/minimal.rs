//! The same tool tables → a minimal rmcp server over stdio, which reads and lists them: the measure of the
//! start time.

use std::sync::Arc;

use rmcp::model::{ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The argument that makes the bench this server.
pub(crate) const MODE: &str = "minimal-server";

#[derive(Clone)]
struct Minimal(Arc<Vec<Tool>>);

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
        Ok(ListToolsResult::with_all_items(self.0.to_vec()))
    }
}

pub(crate) fn serve() {
    let tables = toolwright::catalog::tool_files().into_iter();
    let rows = tables.flat_map(|table| serde_json::from_str::<Table>(table).unwrap().tools);
    let tools = rows.map(|row| {
        Tool::new(row.name, row.description, Arc::new(row.input_schema))
            .with_title(row.title)
            .with_annotations(row.annotations)
    });
    let server = Minimal(Arc::new(tools.collect()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = server.serve(rmcp::transport::stdio_pipes()).await.unwrap();
        running.waiting().await.unwrap();
    });
}

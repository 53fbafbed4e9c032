//! A scripted site, and an MCP client that is connected to a server over it.

use rmcp::model::{CallToolRequestParams, CallToolResult, Tool};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::Value;
use toolwright::formats::Folder;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::sandbox::{Recorded, Sandbox};
use toolwright::server::Server;

use super::{everything, sandbox, text, toolbox};

pub(crate) struct Desk {
    sandbox: Sandbox,
    client: RunningService<RoleClient, ()>,
}

impl Desk {
    /// Everything may be called.
    pub(crate) async fn open(script: &Value) -> Self {
        Self::with(script, &everything(), Defaults::Everything, None).await
    }

    pub(crate) async fn with(
        script: &Value,
        words: &SelectionWords,
        defaults: Defaults,
        folder: Option<Folder>,
    ) -> Self {
        let sandbox = sandbox(Some(&script.to_string())).await;
        let toolbox = toolbox(&sandbox, words, defaults).with_files(folder);
        let (client_side, server_side) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
        Self { sandbox, client: ().serve(client_side).await.unwrap() }
    }

    pub(crate) async fn tools(&self) -> Vec<Tool> {
        self.client.list_all_tools().await.unwrap()
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.client.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await.unwrap()
    }

    /// Calls, and returns the answer.
    pub(crate) async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{tool}: {}", text(&result));
        serde_json::from_str(text(&result)).unwrap()
    }

    /// Calls, and returns why that failed.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {}", text(&result));
        text(&result).to_owned()
    }

    /// The requests since the last call of this, all of them accepted by the descriptions.
    pub(crate) fn sent(&self) -> Vec<Recorded> {
        let sent = self.sandbox.take_record();
        assert!(sent.iter().all(Recorded::is_accepted), "{sent:?}");
        sent
    }

    /// The one request that was sent.
    pub(crate) fn one(&self) -> Recorded {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }
}

//! A toolbox over a recording sandbox, or over any other address, and what a call of it gives.

use std::collections::HashMap;
use std::time::Duration;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};
use toolwright::call::{CallResult, Caller, Failure, Reply, Toolbox};
use toolwright::catalog::{Catalog, sandbox_tables};
use toolwright::config::{ConnectionConfig, sandbox_credentials};
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright::sandbox::{Sandbox, Script};
use toolwright::upstream::{Credentials, RateLimits, Servers, Unencrypted, parse_address};
use toolwright::workflow;

/// A selection that opens every tool.
pub(crate) fn everything() -> SelectionWords {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    SelectionWords {
        methods: words(&["all"]),
        tags: words(&["all"]),
        allow: words(&["reveals_secret", "weakens_security", "irreversible", "runs_code"]),
        ..SelectionWords::default()
    }
}

/// A sandbox that records, with a script of its own answers.
pub(crate) async fn sandbox(script: Option<&str>) -> Sandbox {
    let script = script.map(|text| Script::parse(text).unwrap());
    Sandbox::start_recording(&sandbox_tables(), script).await.unwrap()
}

/// A connection to any address.
pub(crate) fn connection(address: &str, timeout: Duration) -> ConnectionConfig {
    ConnectionConfig::new(
        parse_address(address, &[], Unencrypted::default()).unwrap(),
        Credentials::bearer("test-token").unwrap(),
        timeout,
    )
}

/// A toolbox over a sandbox.
pub(crate) fn toolbox(sandbox: &Sandbox, words: &SelectionWords, defaults: Defaults) -> Toolbox {
    let catalog = Catalog::compiled();
    let connections = sandbox_tables()
        .iter()
        .map(|(api, _)| {
            let of_api = |id: &str| *api == id || api.strip_prefix(id).is_some_and(|rest| rest.starts_with('-'));
            let credentials = sandbox_credentials(catalog.vendors().iter().find(|vendor| of_api(&vendor.id))).unwrap();
            let connection = connection(&sandbox.address(api), Duration::from_secs(20));
            ((*api).to_owned(), ConnectionConfig { credentials, servers: Servers::in_sandbox(), ..connection })
        })
        .collect();
    with_connections(&connections, words, defaults)
}

/// A toolbox whose Jitbit is at this address.
pub(crate) fn jitbit_at(address: &str, timeout: Duration) -> Toolbox {
    let connections = HashMap::from([("jitbit".to_owned(), connection(address, timeout))]);
    with_connections(&connections, &everything(), Defaults::Reads)
}

/// A toolbox whose vendor of this id is at this address.
pub(crate) fn vendor_at(vendor: &str, address: &str) -> Toolbox {
    let connections = HashMap::from([(vendor.to_owned(), connection(address, Duration::from_secs(60)))]);
    with_connections(&connections, &everything(), Defaults::Reads)
}

pub(crate) fn with_connections(
    connections: &HashMap<String, ConnectionConfig>,
    words: &SelectionWords,
    defaults: Defaults,
) -> Toolbox {
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(words, defaults, &catalog).unwrap();
    Toolbox::new(catalog, selection, connections, false)
}

/// A toolbox whose Jitbit is at this address and has these rate limits.
pub(crate) fn paced(address: &str, rate_limits: RateLimits) -> Toolbox {
    let connection = ConnectionConfig { rate_limits, ..connection(address, Duration::from_secs(20)) };
    with_connections(&HashMap::from([("jitbit".to_owned(), connection)]), &everything(), Defaults::Reads)
}

/// Calls with arguments written as JSON; expects a reply or a failure.
pub(crate) async fn call(toolbox: &Toolbox, tool: &str, arguments: Value) -> Result<Reply, Failure> {
    match call_result(toolbox, tool, arguments).await? {
        CallResult::Reply(reply) => Ok(*reply),
        CallResult::Plan(plan) => panic!("a dry run: {plan:?}"),
        CallResult::Report(report) => panic!("a workflow: {report:?}"),
        CallResult::Tenants(several) => panic!("several answers: {several:?}"),
    }
}

/// Calls with arguments written as JSON.
pub(crate) async fn call_result(toolbox: &Toolbox, tool: &str, arguments: Value) -> Result<CallResult, Failure> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    workflow::call_as(toolbox, &Caller::default(), tool, arguments).await
}

/// Calls, and returns the result that a model would get.
pub(crate) async fn result(toolbox: &Toolbox, tool: &str, arguments: Value) -> CallToolResult {
    toolwright::mcp_result::result("jitbit", call_result(toolbox, tool, arguments).await)
}

/// The text of a result with one text block.
pub(crate) fn text(result: &CallToolResult) -> &str {
    match result.content.as_slice() {
        [ContentBlock::Text(text)] => &text.text,
        other => panic!("expected one text block, found {other:?}"),
    }
}

/// An entry of a result's `_meta`.
pub(crate) fn meta<'a>(result: &'a CallToolResult, key: &str) -> Option<&'a Value> {
    result.meta.as_ref().and_then(|meta| meta.0.get(key))
}

/// An empty set of arguments.
pub(crate) fn nothing() -> Value {
    Value::Object(Map::new())
}

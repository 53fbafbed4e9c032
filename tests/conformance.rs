//! The tools of the official conformance suite on the product's own server over HTTP: each is
//! called once here. `tests/clients/conformance.py` has the suite itself call them.

use std::io::Read as _;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toolwright::server::Server;
use toolwright::server::http::HttpServer;

use crate::common::fixture;

/// Starts the server; returns its address, what stops it, and how it ended.
async fn serve() -> (String, CancellationToken, JoinHandle<std::io::Result<()>>) {
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", http.address());
    let stop = CancellationToken::new();
    (url, stop.clone(), tokio::spawn(http.serve(Server::new(fixture::conformance()), stop)))
}

async fn post(url: &str, body: &Value) -> Value {
    let request = fixture::http_client().post(url).header("accept", "application/json, text/event-stream").json(body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{body}");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn call(url: &str, tool: &str, arguments: &Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    post(url, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})).await["result"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_of_the_suite_is_served_over_http() {
    let (url, stop, serving) = serve().await;
    let listed = post(&url, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    assert!(tools.len() >= 12, "{listed}");
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        let arguments = if name.starts_with("json_schema") { json!({"email": "a@b.example"}) } else { json!({}) };
        let result = call(&url, name, &arguments).await;
        let kinds: Vec<&str> =
            result["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
        let expected: &[&str] = match name {
            "test_image_content" => &["image"],
            "test_audio_content" => &["audio"],
            "test_embedded_resource" => &["resource"],
            "test_multiple_content_types" => &["text", "image", "resource"],
            _ => &["text"],
        };
        assert_eq!(kinds, expected, "{name}");
        assert_eq!(result["isError"], json!(name == "test_error_handling"), "{name}: {result}");
    }

    stop.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "serves for tests/clients/conformance.py"]
async fn serves_until_standard_input_ends() {
    let (url, stop, serving) = serve().await;
    println!("serving {url}");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()).unwrap()).await.unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
}

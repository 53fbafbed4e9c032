//! The server over lines of text, as over standard input, met by clients that are a little off: each request with an
//! id gets an answer with it, and nothing that a client writes ends the server.

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};
use toolwright::call::Toolbox;
use toolwright::server::Server;
use toolwright::server::lines::LineTransport;

use crate::common::fixture;

struct Client {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
}

impl Client {
    fn new() -> Self {
        Self::over(fixture::conformance())
    }

    fn over(toolbox: Toolbox) -> Self {
        let (client_side, server_side) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            let (reader, writer) = tokio::io::split(server_side);
            let transport = LineTransport::new(reader, writer);
            Box::pin(rmcp::serve_server(Server::new(toolbox), transport)).await.unwrap().waiting().await
        });
        let (reader, writer) = tokio::io::split(client_side);
        Self { lines: BufReader::new(reader).lines(), writer }
    }

    async fn opened() -> Self {
        let mut client = Self::new();
        assert_eq!(client.ask(&initialize()).await["result"]["protocolVersion"], "2025-06-18");
        client.write(r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":[]}"#).await;
        client
    }

    async fn write(&mut self, line: &str) {
        self.writer.write_all(line.as_bytes()).await.unwrap();
        self.writer.write_all(b"\n").await.unwrap();
    }

    async fn answer(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().expect("the server goes on")).unwrap()
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.write(&message.to_string()).await;
        self.answer().await
    }
}

fn initialize() -> Value {
    let client = json!({"name": "test", "version": "0"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

fn ping(id: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

#[tokio::test]
async fn other_ways_to_write_parameters_are_understood() {
    let mut client = Client::opened().await;
    for (method, params) in [
        ("ping", json!([])),
        ("logging/setLevel", json!(r#"{"level": "info"}"#)),
        ("tools/list", json!([])),
        ("tools/list", Value::Null),
        ("tools/list", json!({"cursor": null})),
        ("tools/list", json!({"cursor": ""})),
        ("tools/call", json!({"name": "test_image_content", "arguments": "{}"})),
        ("tools/call", json!({"name": "test_image_content", "arguments": " "})),
        ("tools/call", json!({"name": "test_image_content", "arguments": []})),
        ("tools/call", json!({"name": "test_image_content", "arguments": "null"})),
    ] {
        client.write(&json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).to_string()).await;
        let answer = loop {
            let message = client.answer().await;
            // Log messages were asked for above.
            if message.get("id").is_some() {
                break message;
            }
        };
        assert_eq!(answer["id"], method);
        assert!(answer["result"].is_object(), "{method} {params}: {answer}");
        assert_ne!(answer["result"]["isError"], true, "{method} {params}: {answer}");
    }
}

#[tokio::test]
async fn a_request_that_can_not_be_read_is_answered_with_its_id() {
    let mut client = Client::opened().await;
    for (line, id, code, part) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","arguments":"{x"}}"#,
            json!(1),
            -32602,
            "a text that is no JSON",
        ),
        (
            r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"test_simple_text","arguments":[1]}}"#,
            json!(2),
            -32602,
            "`arguments` must be an object",
        ),
        (
            r#"{"jsonrpc":"2.0","id":"3","method":"tools/call","params":{"arguments":{}}}"#,
            json!("3"),
            -32602,
            "missing field `name`",
        ),
        (r#"{"jsonrpc":"2.0","id":4,"method":"tools/call"}"#, json!(4), -32602, "`params` of `tools/call`"),
        (
            r#"{"jsonrpc":"2.0","id":5,"method":"tools/list","params":["a"]}"#,
            json!(5),
            -32602,
            "`params` must be an object",
        ),
        (r#"{"jsonrpc":"2.0","id":6,"method":"logging/setLevel","params":{"level":"loud"}}"#, json!(6), -32602, "loud"),
        (r#"{"jsonrpc":"2.0","id":8,"method":"no/such/method","params":[]}"#, json!(8), -32601, ""),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, json!(1.5), -32600, "whole number"),
        (
            r#"{"jsonrpc":"2.0","id":99999999999999999999,"method":"ping"}"#,
            serde_json::from_str("99999999999999999999").unwrap(),
            -32600,
            "whole number",
        ),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Value::Null, -32600, "`id`"),
        (r#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#, Value::Null, -32600, "`id`"),
        (r#"{"id":9,"method":"ping"}"#, json!(9), -32600, "`jsonrpc`"),
        (r#"{"jsonrpc":"2.0","id":10,"method":"ping","result":{}}"#, json!(10), -32600, "neither"),
        (r#"{"jsonrpc":"2.0","id":11,"method":5}"#, json!(11), -32600, "`method`"),
        (r#"{"jsonrpc":"2.0","id":12,"method":"ping","params":{"a":NaN}}"#, json!(12), -32700, "no JSON"),
        (r#"{"jsonrpc":"2.0","id":13,"meth"#, json!(13), -32700, "no JSON"),
        ("{}", Value::Null, -32600, "`method`"),
        ("5", Value::Null, -32600, "object"),
        ("[]", Value::Null, -32600, "empty list"),
    ] {
        client.write(line).await;
        let answer = client.answer().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{line}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(part), "{line}: {answer}");
    }
    let listed = client.ask(&json!({"jsonrpc": "2.0", "id": 7, "method": "resources/list", "params": []})).await;
    assert!(listed["result"]["resources"].is_array(), "empty parameters are none: {listed}");
    let ids = client.ask(&json!([ping("a"), {"jsonrpc": "2.0", "method": "notifications/cancelled"}, ping("b")])).await;
    assert_eq!((&ids[0]["id"], &ids[1]["id"], &ids[2]), (&json!("a"), &json!("b"), &Value::Null));
}

#[tokio::test]
async fn an_id_is_found_wherever_it_is() {
    let mut client = Client::opened().await;
    for (line, code) in [
        (
            r#"{"method":"tools/call","params":{"name":"test_simple_text","arguments":{"x":"\ud800"}},"jsonrpc":"2.0","id":"after"}"#,
            -32700,
        ),
        (r#"{"method":"ping","params":{"x":1e},"jsonrpc":"2.0","id":"after"}"#, -32700),
        (r#"{"method":"ping","params":{"x":NaN,"id":1},"jsonrpc":"2.0","id":"after"}"#, -32700),
    ] {
        client.write(line).await;
        let answer = client.answer().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("after"), &json!(code)), "{line}: {answer}");
    }
    let long = "x".repeat(17 << 20);
    client
        .write(&format!(r#"{{"method":"ping","params":{{"id":7,"x":"{long}"}},"jsonrpc":"2.0","id":"after"}}"#))
        .await;
    let answer = client.answer().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("after"), &json!(-32600)), "{answer}");
    assert_eq!(client.ask(&ping("next")).await["id"], "next");
}

#[tokio::test]
async fn what_is_repeated_is_cut_or_refused() {
    let mut client = Client::opened().await;
    let long = "x".repeat(2_000_000);
    let call = |name: &str, id: &str, meta: Value| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": {}, "_meta": meta}});
    let unknown = client.ask(&call(&long, "1", json!({}))).await;
    assert_eq!((&unknown["id"], &unknown["error"]["code"]), (&json!("1"), &json!(-32602)));
    assert!(unknown.to_string().len() < 1_000, "{}", unknown.to_string().len());
    let method = client.ask(&json!({"jsonrpc": "2.0", "id": "2", "method": long, "params": {}})).await;
    assert_eq!((&method["id"], &method["error"]["code"]), (&json!("2"), &json!(-32601)));
    assert!(method.to_string().len() < 1_000);
    let id = client.ask(&ping(&long)).await;
    assert_eq!((&id["id"], &id["error"]["code"]), (&Value::Null, &json!(-32600)), "an id can't be cut");
    let token = client.ask(&call("test_simple_text", "3", json!({"progressToken": long}))).await;
    assert_eq!((&token["id"], token["result"].is_object()), (&json!("3"), true), "no progress is reported");
    let many = json!({"jsonrpc": "2.0", "id": "4", "method": "ping", "params": {"x": vec![1; 200_000]}});
    let many = client.ask(&many).await;
    assert_eq!((&many["id"], &many["error"]["code"]), (&json!("4"), &json!(-32600)), "{many}");
}

#[tokio::test]
async fn an_id_that_is_in_use_is_refused() {
    let mut client = Client::opened().await;
    let call = |tool: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}});
    client.write(&call("test_tool_with_progress").to_string()).await;
    let refused = client.ask(&call("test_simple_text")).await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1), &json!(-32600)), "{refused}");
    assert!(client.answer().await["result"].is_object(), "the first one is answered");
    assert!(client.ask(&call("test_simple_text")).await["result"].is_object(), "then the id is free again");
}

#[tokio::test]
async fn a_client_that_reads_nothing_can_not_ask_without_end() {
    const REQUESTS: usize = 3_000;
    let (client_side, server_side) = tokio::io::duplex(1 << 14);
    tokio::spawn(async move {
        let (reader, writer) = tokio::io::split(server_side);
        Box::pin(rmcp::serve_server(Server::new(fixture::many(20)), LineTransport::new(reader, writer)))
            .await
            .unwrap()
            .waiting()
            .await
    });
    let (reader, mut writer) = tokio::io::split(client_side);
    let writing = tokio::spawn(async move {
        writer.write_all(format!("{}\n", initialize()).as_bytes()).await.unwrap();
        for id in 1..=REQUESTS {
            let list = json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"});
            writer.write_all(format!("{list}\n").as_bytes()).await.unwrap();
        }
        writer
    });
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(!writing.is_finished(), "the server does not read on");
    let mut lines = BufReader::new(reader).lines();
    for _ in 0..=REQUESTS {
        lines.next_line().await.unwrap().expect("every request is answered when the client reads");
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn what_asks_for_no_answer_gets_none() {
    let mut client = Client::opened().await;
    for line in [
        "",
        "  \r",
        "no JSON",
        r#"{"jsonrpc":"2.0","method":"notifications/unknown","params":["x"]}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":7}"#,
        r#"{"jsonrpc":"2.0","method":"textDocument/didOpen"#,
        // Answers to questions that this server did not ask, whole and broken.
        r#"{"jsonrpc":"2.0","id":1,"result":5}"#,
        r#"{"jsonrpc":"2.0","id":{},"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"#,
        r#"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#,
    ] {
        client.write(line).await;
        let id = format!("after {line}");
        assert_eq!(client.ask(&ping(&id)).await["id"], json!(id));
    }
}

#[tokio::test]
async fn what_comes_before_the_conversation_does_not_end_it() {
    let mut client = Client::new();
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":5,"result":{}}"#,
        r#"{"jsonrpc":"2.0","method":"$/setTrace","params":[]}"#,
    ] {
        client.write(line).await;
    }
    assert_eq!(client.ask(&ping("p")).await["id"], "p");
    client.write(r#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#).await;
    let early = client.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
    assert!(early["id"] == 1 && early["error"].is_object(), "{early}");
    let faulty = client.ask(&json!({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {}})).await;
    assert_eq!((&faulty["id"], &faulty["error"]["code"]), (&json!(2), &json!(-32602)), "{faulty}");
    assert_eq!(client.ask(&initialize()).await["result"]["serverInfo"]["name"], "toolwright");
    let listed = client.ask(&json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list"})).await;
    assert!(listed["result"]["tools"].as_array().is_some_and(|tools| tools.len() >= 12), "{listed}");
}

#[tokio::test]
async fn a_conversation_may_begin_without_initialize() {
    let mut client = Client::new();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let ask = |id: &str, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"_meta": meta}});
    client.write(r#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#).await;
    assert!(client.ask(&ask("d", "server/discover")).await["result"].is_object());
    client.write(r#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#).await;
    let listed = client.ask(&ask("l", "tools/list")).await;
    assert_eq!((&listed["id"], &listed["result"]["cacheScope"]), (&json!("l"), &json!("private")), "{listed}");
}

#[tokio::test]
async fn a_line_that_is_too_long_is_answered_and_skipped() {
    let mut client = Client::opened().await;
    client.write(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":"{}"}}"#, "x".repeat(17 << 20))).await;
    let answer = client.answer().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32600)), "{answer}");
    assert_eq!(client.ask(&ping("next")).await["id"], "next");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_written_to_its_end_though_the_client_asks_nothing_more() {
    // More than the pipe holds, read some time after the client has closed its side.
    let (client_side, server_side) = tokio::io::duplex(1 << 10);
    let serving = tokio::spawn(async move {
        let (reader, writer) = tokio::io::split(server_side);
        Box::pin(rmcp::serve_server(Server::new(fixture::many(500)), LineTransport::new(reader, writer)))
            .await
            .unwrap()
            .waiting()
            .await
    });
    let (mut reader, mut writer) = tokio::io::split(client_side);
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    writer.write_all(format!("{}\n{list}\n", initialize()).as_bytes()).await.unwrap();
    writer.shutdown().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    let mut text = String::new();
    reader.read_to_string(&mut text).await.unwrap();
    let listed: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 500);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_last_line_may_lack_its_end() {
    let mut client = Client::opened().await;
    client.writer.write_all(ping("last").to_string().as_bytes()).await.unwrap();
    client.writer.shutdown().await.unwrap();
    assert_eq!(client.answer().await["id"], "last");
    assert!(client.lines.next_line().await.unwrap().is_none());
}

#[tokio::test]
async fn numbers_reach_a_vendor_and_come_back_by_their_text() {
    const NUMBERS: &str =
        r#"{"n":[123456789012345678901234567890,1.50,0.1000000000000000055511151231257827,-0.0,1e+400]}"#;
    let mut client = Client::over(fixture::echoing(&["value"]));
    client.ask(&initialize()).await;
    let request = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{}","arguments":{{"value":{NUMBERS}}}}}}}"#,
        fixture::ECHO
    );
    client.write(&request).await;
    let answer = client.answer().await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(text, format!(r#"{{"value":{NUMBERS}}}"#));
}

//! `serve --discover` as a client meets it, over an in-memory pipe, lines and HTTP: few tools in the list, everything else by
//! these, through the same gate and with the same record.

use std::path::Path;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::catalog::{Catalog, CatalogEntry};
use toolwright::policy::{Defaults, NamePatterns, SelectionWords};
use toolwright::server::Server;
use toolwright_model::Effect;

use crate::common::{everything, sandbox, text, toolbox};

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn methods(list: &[&str]) -> SelectionWords {
    SelectionWords { methods: words(list), ..SelectionWords::default() }
}

fn server(toolbox: Toolbox, pinned: &[&str]) -> Server {
    let pinned = NamePatterns::parse("pin", &words(pinned), &Catalog::compiled()).unwrap();
    Server::new(toolbox).with_discovery(pinned).unwrap()
}

async fn client(server: Server) -> RunningService<RoleClient, ()> {
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(server.serve(server_side)).await.unwrap().waiting().await });
    ().serve(client_side).await.unwrap()
}

/// A client of a server that discovers, over a sandbox.
async fn discovering(selection: &SelectionWords) -> RunningService<RoleClient, ()> {
    let sandbox = Box::leak(Box::new(sandbox(None).await));
    client(server(toolbox(sandbox, selection, Defaults::Reads), &[])).await
}

async fn call(client: &RunningService<RoleClient, ()>, tool: &str, arguments: Value) -> CallToolResult {
    let arguments = arguments.as_object().cloned().unwrap();
    client.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await.unwrap()
}

async fn find(client: &RunningService<RoleClient, ()>, arguments: Value) -> Value {
    let result = call(client, "find_tools", arguments).await;
    assert_eq!(result.is_error, Some(false), "{result:?}");
    serde_json::from_str(text(&result)).unwrap()
}

fn names(found: &Value) -> Vec<&str> {
    found["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_list_has_a_call_tool_for_each_effect_that_is_offered_and_no_other() {
    for (selection, expected) in [
        (SelectionWords::default(), &["find_tools", "call_read"][..]),
        (methods(&["read", "write"]), &["find_tools", "call_read", "call_write"]),
        (methods(&["write"]), &["find_tools", "call_write"]),
        (everything(), &["find_tools", "call_read", "call_write", "call_destructive"]),
    ] {
        let client = discovering(&selection).await;
        let offered = offered(&selection).await;
        let tools = client.list_all_tools().await.unwrap();
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(names, expected, "{selection:?}");
        for tool in &tools {
            let hints = tool.annotations.as_ref().unwrap();
            let effect = names_effect(&tool.name);
            // None is taken for more harmless than a tool that it calls.
            let destroys = tool.name != "find_tools"
                && offered.iter().any(|(of, annotations)| *of == effect && annotations.destructive_hint);
            let reads = effect == "read";
            assert_eq!((hints.read_only_hint, hints.destructive_hint), (Some(reads), Some(destroys)), "{}", tool.name);
        }
        // A token has three bytes at least in text of this kind.
        let bytes = serde_json::to_string(&tools).unwrap().len();
        assert!(bytes <= 1_500 * 3, "{bytes} bytes");
    }
}

/// The effect of each tool that a selection offers, as call tools have it, with its hints.
async fn offered(selection: &SelectionWords) -> Vec<(&'static str, toolwright_model::Annotations)> {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, selection, Defaults::Reads);
    let effect = |entry: &CatalogEntry| match entry.tool.effect {
        Some(Effect::Read) => "read",
        Some(Effect::Write) => "write",
        Some(Effect::Destructive) | None => "destructive",
    };
    toolbox.offered().map(|entry| (effect(entry), entry.tool.annotations)).collect()
}

#[tokio::test]
async fn a_call_tool_of_changes_is_destructive_where_one_of_them_is() {
    let client = discovering(&methods(&["read", "write"])).await;
    let tools = client.list_all_tools().await.unwrap();
    let hints = |name: &str| tools.iter().find(|tool| tool.name == name).unwrap().annotations.clone().unwrap();
    assert_eq!(hints("call_write").destructive_hint, Some(true), "some writes overwrite");
    assert_eq!(hints("call_read").destructive_hint, Some(false));
}

fn names_effect(tool: &str) -> &str {
    match tool {
        "call_write" => "write",
        "call_destructive" => "destructive",
        _ => "read",
    }
}

#[cfg(feature = "jitbit")]
mod jitbit {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio_util::sync::CancellationToken;
    use toolwright::server::http::HttpServer;
    use toolwright::server::lines::LineTransport;

    use super::*;
    use crate::common::fixture::http_client;

    const CLOSE: &str = "jitbit_close_ticket";

    #[tokio::test]
    async fn what_is_found_is_complete_and_tells_why_and_how_to_call_it() {
        let client = discovering(&methods(&["all"])).await;
        let found = find(&client, json!({"question": "who is subscribed to a ticket", "vendor": "jitbit"})).await;
        let tool = &found["tools"][0];
        assert_eq!(tool["name"], "jitbit_list_subscribers", "{found}");
        assert_eq!(tool["call_with"], "call_read");
        assert!(tool["description"].as_str().unwrap().len() > 20, "{tool}");
        assert_eq!(tool["inputSchema"]["required"], json!(["ticketId"]));
        assert!(tool["why"].as_str().unwrap().contains("subscribed"), "{tool}");
        let result = call(&client, "call_read", json!({"tool": tool["name"], "arguments": {"ticketId": 7}})).await;
        assert_eq!(result.is_error, Some(false), "{result:?}");
    }

    #[tokio::test]
    async fn a_name_finds_its_tool_and_a_limit_holds() {
        let client = discovering(&methods(&["all"])).await;
        let found = find(&client, json!({"question": CLOSE})).await;
        assert_eq!(names(&found), [CLOSE], "a name alone is about no other tool");
        assert_eq!(found["tools"][0]["call_with"], "call_write");
        let twice = find(&client, json!({"question": format!("{CLOSE}, {CLOSE}")})).await;
        assert_eq!(names(&twice), [CLOSE]);
        let beside = find(&client, json!({"question": format!("tools like {CLOSE}"), "limit": 3})).await;
        assert_eq!((names(&beside).len(), names(&beside)[0]), (3, CLOSE));
        let reads = find(&client, json!({"question": CLOSE, "effect": "read"})).await;
        assert!(!names(&reads).contains(&CLOSE), "{reads}");
        for limit in [1, 8] {
            let found = find(&client, json!({"question": "tickets", "limit": limit})).await;
            assert!(names(&found).len() <= limit, "{found}");
        }
        let reads = find(&client, json!({"question": "close a ticket", "effect": "write", "limit": 8})).await;
        assert!(reads["tools"].as_array().unwrap().iter().all(|tool| tool["call_with"] == "call_write"), "{reads}");
        let wrong = call(&client, "find_tools", json!({"question": "tickets", "limit": 9, "effekt": "read"})).await;
        assert_eq!(wrong.is_error, Some(true));
        assert!(text(&wrong).contains("from 1 to 8") && text(&wrong).contains("did you mean `effect`"), "{wrong:?}");
    }

    /// What the list leaves out or has in fewer words is looked up by the tool's name.
    #[tokio::test]
    async fn a_name_alone_returns_all_that_the_tool_takes() {
        let client = discovering(&everything()).await;
        let catalog = Catalog::compiled();
        let lightened = |entry: &&CatalogEntry| !entry.tool.unlisted.is_empty();
        let tools: Vec<&CatalogEntry> = catalog.entries().iter().filter(lightened).collect();
        assert!(!tools.is_empty());
        for entry in tools {
            let found = find(&client, json!({"question": entry.tool.name})).await;
            assert_eq!(names(&found), [entry.tool.name.as_str()]);
            assert_eq!(found["tools"][0]["inputSchema"], Value::Object(entry.tool.parsed_input_schema()));
        }
    }

    /// The answer is silent about tools of vendors that this server does not offer.
    #[cfg(feature = "jsm")]
    #[tokio::test]
    async fn what_another_vendor_could_do_is_not_told() {
        let only = SelectionWords { vendors: words(&["jitbit"]), ..everything() };
        let client = discovering(&only).await;
        for question in ["list users", "list queues of a service desk", "jsm_list_queues"] {
            let found = find(&client, json!({"question": question})).await;
            assert!(names(&found).iter().all(|name| name.starts_with("jitbit_")), "{found}");
            assert!(!found.to_string().contains("not offered to you"), "{found}");
        }
    }

    #[tokio::test]
    async fn what_is_held_back_is_not_found_and_that_is_said() {
        let client = discovering(&SelectionWords::default()).await;
        for question in ["close a ticket", CLOSE] {
            let found = find(&client, json!({"question": question, "limit": 8})).await;
            let text = found.to_string();
            assert!(!text.contains(CLOSE), "{text}");
            assert!(text.contains("not offered to you") && !text.contains("Close a ticket"), "{text}");
        }
        let known = find(&client, json!({"question": "show me a ticket"})).await;
        assert!(!known.to_string().contains("not offered to you"), "{known}");
        let nothing = find(&client, json!({"question": "at the and of by"})).await;
        assert!(names(&nothing).is_empty() && nothing.to_string().contains("other words"), "{nothing}");
    }

    #[tokio::test]
    async fn each_call_tool_refuses_the_tools_of_the_others_and_names_the_right_one() {
        let sandbox = sandbox(None).await;
        let client = client(server(toolbox(&sandbox, &everything(), Defaults::Reads), &[])).await;
        let tools =
            [("jitbit_get_stats", "call_read"), (CLOSE, "call_write"), ("jitbit_merge_tickets", "call_destructive")];
        for (tool, right) in tools {
            for by in ["call_read", "call_write", "call_destructive"].into_iter().filter(|by| *by != right) {
                let result = call(&client, by, json!({"tool": tool, "arguments": {}})).await;
                assert_eq!(result.is_error, Some(true));
                assert!(text(&result).contains(&format!("`{right}`")), "{by} {tool}: {}", text(&result));
                assert!(text(&result).contains("nothing was sent"), "{by} {tool}: {}", text(&result));
            }
        }
        assert!(sandbox.record().is_empty());
    }

    #[tokio::test]
    async fn a_call_by_a_call_tool_takes_the_same_way_as_a_direct_one() {
        let sandbox = sandbox(None).await;
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("discover-record.jsonl");
        let _ = std::fs::remove_file(&path);
        let toolbox = toolbox(&sandbox, &methods(&["read", "write"]), Defaults::Reads)
            .with_record(Some(Audit::open(&path).unwrap()));
        let client = client(server(toolbox, &[])).await;
        let dry = json!({"tool": CLOSE, "arguments": {"ticketId": 8, "dry_run": true}});
        assert!(text(&call(&client, "call_write", dry).await).contains("\"sent\":false"));
        // Arguments as text, as several models write them.
        let written = json!({"tool": CLOSE, "arguments": "{\"ticketId\": \"8\"}"});
        assert_eq!(call(&client, "call_write", written).await.is_error, Some(false));
        let wrong = call(&client, "call_write", json!({"tool": CLOSE, "arguments": {"ticket": 8}})).await;
        assert!(text(&wrong).contains("did you mean `ticketId`?"), "{wrong:?}");
        assert!(
            text(&call(&client, "call_read", json!({"tool": CLOSE, "arguments": {}})).await).contains("call_write")
        );
        let misplaced = json!({"tool": CLOSE, "password": "S3cret", "arguments": {}});
        let misplaced = call(&client, "call_write", misplaced).await;
        assert!(!text(&misplaced).contains("S3cret") && text(&misplaced).contains("`password`"), "{misplaced:?}");
        assert_eq!(sandbox.record().len(), 1);
        let lines = std::fs::read_to_string(&path).unwrap();
        assert!(!lines.contains("S3cret"), "{lines}");
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let calls: Vec<(&Value, &Value)> = lines
            .iter()
            .filter(|line| line["decision"].is_string())
            .map(|line| (&line["tool"], &line["decision"]))
            .collect();
        let expected =
            ["planned", "allowed", "invalid", "refused", "invalid"].map(|decision| (json!(CLOSE), json!(decision)));
        assert_eq!(calls, expected.iter().map(|(tool, decision)| (tool, decision)).collect::<Vec<_>>(), "{lines:#?}");
    }

    #[tokio::test]
    async fn a_call_that_is_written_wrong_is_answered_with_how_to_write_it() {
        let client = discovering(&SelectionWords::default()).await;
        let right = "{\"arguments\":{\"ticketId\":7},\"tool\":\"jitbit_get_ticket\"}";
        for (given, expected) in [
            (json!({"tool": "jitbit_get_ticket", "ticketId": 7}), "`ticketId` belongs into `arguments`"),
            (json!({"arguments": {"ticketId": 7}}), "the name of the tool is missing"),
            (json!({"tool": "jitbit_get_ticket", "arguments": [7]}), "`arguments` is no object"),
            (json!({"tool": "find_tools", "arguments": {"question": "x"}}), "call `find_tools` itself"),
            (json!({"tool": "call_read", "arguments": {}}), "call `call_read` itself"),
            (json!({"tool": "jitbit_get_tickets", "arguments": {}}), "did you mean `jitbit_get_ticket`"),
            (json!({"tool": "jitbit_read_conversation", "arguments": {}}), "jitbit_list_comments"),
            (json!({"tool": "_", "arguments": {}}), "`find_tools` finds tools"),
            (json!({"tool": CLOSE, "arguments": {"ticketId": 7}}), "held back by this server's settings"),
        ] {
            let result = call(&client, "call_read", given.clone()).await;
            assert_eq!(result.is_error, Some(true), "{given}");
            assert!(text(&result).contains(expected), "{given}: {}", text(&result));
        }
        let mixed = call(&client, "call_read", json!({"tool": "jitbit_get_ticket", "ticketId": 7})).await;
        let example: Value = serde_json::from_str(text(&mixed).rsplit_once("states: ").unwrap().1).unwrap();
        assert_eq!(example, serde_json::from_str::<Value>(right).unwrap());
    }

    #[tokio::test]
    async fn a_question_about_the_whole_is_answered_with_a_map() {
        let client = discovering(&SelectionWords::default()).await;
        for question in [json!({}), json!({"question": "What can you do here?"}), json!({"question": null})] {
            let map = find(&client, question).await;
            let vendor = map["vendors"].as_array().unwrap().iter().find(|vendor| vendor["vendor"] == "jitbit").unwrap();
            assert!(vendor["tools"].as_u64().unwrap() > 20 && vendor["tags"]["tickets"].is_u64(), "{map}");
            assert!(map.to_string().len() < 6_000, "{}", map.to_string().len());
        }
        let map = find(&client, json!({"vendor": "jitbit"})).await;
        let tickets = map["vendors"][0]["tags"]["tickets"].as_array().unwrap();
        assert!(tickets.contains(&json!("jitbit_get_ticket")) && !map.to_string().contains(CLOSE), "{map}");
    }

    #[tokio::test]
    async fn pinned_tools_are_listed_in_full_and_must_be_offered() {
        let sandbox = sandbox(None).await;
        let toolbox_of = || toolbox(&sandbox, &SelectionWords::default(), Defaults::Reads);
        let client = client(server(toolbox_of(), &["jitbit_search_tickets", "jitbit_get_t*"])).await;
        let listed = client.list_all_tools().await.unwrap();
        let names: Vec<&str> = listed.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(&names[..2], ["find_tools", "call_read"]);
        assert!(names.contains(&"jitbit_search_tickets") && names.contains(&"jitbit_get_ticket"), "{names:?}");
        let direct = call(&client, "jitbit_get_ticket", json!({"ticketId": 7})).await;
        assert_eq!(direct.is_error, Some(false));
        let pinned = NamePatterns::parse("pin", &words(&[CLOSE]), &Catalog::compiled()).unwrap();
        let refused = Server::new(toolbox_of()).with_discovery(pinned).err().unwrap();
        assert!(refused.to_string().contains("matches no tool that is offered"), "{refused}");
        assert!(NamePatterns::parse("pin", &words(&["jitbit_clos_ticket"]), &Catalog::compiled()).is_err());
    }

    /// An argument that a client adds to every call is for the client, also beside and within `arguments`.
    #[tokio::test]
    async fn arguments_of_clients_are_dropped() {
        let client = discovering(&SelectionWords::default()).await;
        let given = json!({
            "tool": "jitbit_get_ticket", "wait_for_previous": true, "arguments": {"ticketId": 7, "wait_for_previous": true},
        });
        assert_eq!(call(&client, "call_read", given).await.is_error, Some(false));
        let found = find(&client, json!({"question": "show a ticket", "wait_for_previous": true})).await;
        assert!(!names(&found).is_empty());
    }

    /// The same list and the same call over HTTP, without a session, and over lines.
    #[tokio::test]
    async fn every_transport_lists_and_calls_alike() {
        let sandbox = sandbox(None).await;
        let made = || server(toolbox(&sandbox, &SelectionWords::default(), Defaults::Reads), &[]);
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        let arguments = json!({"tool": "jitbit_get_ticket", "arguments": {"ticketId": 7}});
        let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": {"name": "call_read", "arguments": arguments}});
        let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (http.address(), CancellationToken::new());
        let serving = tokio::spawn(http.serve(made(), stop.clone()));
        let mut over_http = Vec::new();
        for message in [&list, &call] {
            let request = http_client().post(format!("http://{address}/mcp")).json(message);
            let response = request.header("accept", "application/json, text/event-stream").send().await.unwrap();
            over_http.push(response.json::<Value>().await.unwrap());
        }
        stop.cancel();
        serving.await.unwrap().unwrap();
        let (client_side, server_side) = tokio::io::duplex(1 << 16);
        let for_lines = made();
        tokio::spawn(async move {
            let (reader, writer) = tokio::io::split(server_side);
            Box::pin(rmcp::serve_server(for_lines, LineTransport::new(reader, writer))).await.unwrap().waiting().await
        });
        let (reader, mut writer) = tokio::io::split(client_side);
        let mut lines = BufReader::new(reader).lines();
        let client = json!({"name": "test", "version": "0"});
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
        let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let mut over_lines = Vec::new();
        for message in [&initialize, &initialized, &list, &call] {
            writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
            if message.get("id").is_some() {
                let answer: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
                over_lines.push(answer);
            }
        }
        let listed = |answer: &Value| answer["result"]["tools"].as_array().unwrap().len();
        assert_eq!((listed(&over_http[0]), listed(&over_lines[1])), (2, 2), "find_tools and call_read");
        let called = |answer: &Value| answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
        assert_eq!(called(&over_http[1]), called(&over_lines[2]));
        assert!(called(&over_http[1]).contains("TicketID"), "{}", over_http[1]);
    }
}

//! The embedded sandbox over a real socket: hand-written tables in, statuses and problems out.

use std::fmt::Write;

use serde_json::{Value, json};
use toolwright::sandbox::{Sandbox, SandboxError, Script, Verdict};

/// An API with one operation per thing that is checked.
fn desk() -> String {
    let integer = json!({"type": "integer"});
    let text = json!({"type": "string"});
    let form = json!({
        "type": "object",
        "properties": {
            "id": integer, "tags": {"type": "array", "items": text}, "joined": {"type": "array", "items": integer},
            "fields": {"type": "object", "properties": {"a": integer}},
        },
        "required": ["id"], "additionalProperties": false,
    });
    let file = json!({"type": "string", "format": "binary"});
    let parts = json!({
        "type": "object",
        "properties": {
            "id": integer, "file": file, "files": {"type": "array", "items": file}, "meta": {"type": "object"},
        },
        "required": ["id"], "additionalProperties": false,
    });
    let ticket = json!({
        "type": "object",
        "properties": {"subject": text, "due": {"type": ["string", "null"], "format": "date"}},
        "required": ["subject"], "additionalProperties": false,
    });
    json!({
        "api": "desk",
        "operations": [
            {
                "operation": "listTickets", "method": "GET", "path": "/api/Tickets",
                "parameters": [
                    {"in": "query", "name": "count", "required": true, "schema": {"type": "integer", "maximum": 50}},
                    {"in": "query", "name": "open", "schema": {"type": "boolean"}},
                    {"in": "query", "name": "since", "schema": {"type": "string", "format": "date"}},
                    {"in": "query", "name": "ids", "schema": {"type": "array", "items": integer}},
                    {"in": "query", "name": "tags", "explode": false, "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
                    {"in": "query", "name": "filter", "style": "deepObject", "explode": true, "schema": {"type": "object", "properties": {"x": integer}, "additionalProperties": false}},
                    {"in": "query", "name": "query", "content": "application/json", "schema": {"type": "object"}},
                    {"in": "header", "name": "X-Level", "schema": integer},
                    {"in": "header", "name": "Accept", "required": true, "schema": integer},
                ],
                "answer": {"status": 200, "content_type": "application/json", "example": [{"id": 1}]},
            },
            {
                "operation": "getTicket", "method": "GET", "path": "/api/Tickets/{id}",
                "parameters": [{"in": "path", "name": "id", "required": true, "schema": integer}],
                "answer": {"status": 200, "content_type": "application/json", "schema": {"type": "object", "properties": {"id": integer}}},
            },
            {
                "operation": "getFile", "method": "GET", "path": "/files/{name}.zip",
                "answer": {"status": 200, "content_type": "application/octet-stream", "schema": file},
            },
            {
                "operation": "createTicket", "method": "POST", "path": "/api/Tickets",
                "body": {"required": true, "content": {
                    "application/json": {"schema": ticket},
                    "application/x-www-form-urlencoded": {
                        "schema": form,
                        "encoding": {"joined": {"explode": false}, "fields": {"content_type": "application/json"}},
                    },
                    "multipart/form-data": {"schema": parts},
                }},
                "answer": {"status": 201},
            },
            {
                "operation": "putNote", "method": "PUT", "path": "/note",
                "body": {"content": {"text/*": {}}}, "answer": {"status": 204},
            },
        ],
    })
    .to_string()
}

/// One request.
#[derive(Default)]
struct Sent<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}

fn get(path: &str) -> Sent<'_> {
    Sent { method: "GET", path, ..Sent::default() }
}

fn post<'a>(headers: &'a [(&'a str, &'a str)], body: &'a str) -> Sent<'a> {
    Sent { method: "POST", path: "/api/Tickets", headers, body }
}

fn http() -> reqwest::Result<reqwest::Client> {
    // Fails when another test was first, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build()
}

async fn send(sandbox: &Sandbox, sent: &Sent<'_>) -> reqwest::Result<(u16, reqwest::header::HeaderMap, Vec<u8>)> {
    let client = http()?;
    let method = reqwest::Method::from_bytes(sent.method.as_bytes()).expect("a method");
    let mut request = client.request(method, format!("{}{}", sandbox.address("desk"), sent.path));
    for (name, value) in sent.headers {
        request = request.header(*name, *value);
    }
    if !sent.body.is_empty() {
        request = request.body(sent.body.to_owned());
    }
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok((status, headers, response.bytes().await?.to_vec()))
}

/// Sends each request and compares the status and the places and texts of the problems.
async fn check(table: &str, cases: &[(Sent<'_>, u16, &[&str])]) {
    let sandbox = Sandbox::start(&[("desk", table)], None).await.expect("a port");
    for (sent, status, problems) in cases {
        let (found, _, body) = send(&sandbox, sent).await.expect("an answer");
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let listed: Vec<String> = body["problems"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| format!("{}: {}", one["where"].as_str().unwrap_or("?"), one["problem"].as_str().unwrap_or("?")))
            .collect();
        let what = format!("{} {} {}", sent.method, sent.path, sent.body);
        assert_eq!((found, listed), (*status, problems.iter().map(|text| (*text).to_owned()).collect()), "{what}");
    }
}

#[tokio::test]
async fn paths_and_methods_are_those_of_the_description() {
    check(
        &desk(),
        &[
            (get("/api/Tickets/7"), 200, &[]),
            (get("/api/Tickets/x"), 400, &["path.id: \"x\" is not of type \"integer\""]),
            (get("/api/Tickets/%ff"), 400, &["path.id: is not UTF-8 after percent-decoding"]),
            (get("/api/tickets/7"), 404, &["path: `/api/tickets/7` is no path of `desk`"]),
            (get("/files/a%2Fb.zip"), 200, &[]),
            (get("/files/a/b.zip"), 404, &["path: `/files/a/b.zip` is no path of `desk`"]),
            (
                Sent { method: "DELETE", path: "/api/Tickets", ..Sent::default() },
                405,
                &["method: `DELETE` is not known here; known are GET, POST"],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn queries_are_read_by_style_and_checked() {
    check(
        &desk(),
        &[
            (get("/api/Tickets?count=5&open=true&since=2026-01-31"), 200, &[]),
            (get("/api/Tickets"), 400, &["query.count: is required"]),
            (get("/api/Tickets?count=x"), 400, &["query.count: \"x\" is not of type \"integer\""]),
            (get("/api/Tickets?count="), 400, &["query.count: \"\" is not of type \"integer\""]),
            (get("/api/Tickets?count=51"), 400, &["query.count: 51 is greater than the maximum of 50"]),
            (get("/api/Tickets?count=1&count=2"), 400, &["query.count: is repeated 2 times, but takes one value"]),
            (get("/api/Tickets?count=1&Count=2"), 400, &["query.Count: is not a parameter of the operation"]),
            (get("/api/Tickets?count=1&open=yes"), 400, &["query.open: \"yes\" is not of type \"boolean\""]),
            (get("/api/Tickets?count=1&since=31.1.26"), 400, &["query.since: \"31.1.26\" is not a \"date\""]),
            (get("/api/Tickets?count=1&ids=1&ids=2"), 200, &[]),
            (get("/api/Tickets?count=1&ids=1,2"), 400, &["query.ids.0: \"1,2\" is not of type \"integer\""]),
            (get("/api/Tickets?count=1&ids[]=1"), 400, &["query.ids[]: is not a parameter of the operation"]),
            (get("/api/Tickets?count=1&tags=a,b"), 200, &[]),
            (get("/api/Tickets?count=1&tags=a%2Cb"), 200, &[]),
            (
                get("/api/Tickets?count=1&tags=a&tags=b"),
                400,
                &["query.tags: is repeated 2 times, but takes its values joined in one"],
            ),
            (get("/api/Tickets?count=1&filter[x]=2"), 200, &[]),
            (
                get("/api/Tickets?count=1&filter[y]=2"),
                400,
                &["query.filter: Additional properties are not allowed ('y' was unexpected)"],
            ),
            (get("/api/Tickets?count=1&query=%7B%7D"), 200, &[]),
            (
                get("/api/Tickets?count=1&query=x"),
                400,
                &["query.query: is not JSON: expected value at line 1 column 1"],
            ),
            (get("/api/Tickets?count=1&x=%ff"), 400, &["query: `x=%ff` is not UTF-8 after percent-decoding"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn headers_are_checked_and_undescribed_ones_are_reported() {
    let with = |headers| Sent { headers, ..get("/api/Tickets?count=1") };
    check(
        &desk(),
        &[
            (with(&[("x-level", "3"), ("x-other", "y")]), 200, &[]),
            (with(&[("x-level", "high")]), 400, &["headers.X-Level: \"high\" is not of type \"integer\""]),
            (
                with(&[("api-version", "1.0")]),
                400,
                &["headers.api-version: is added by the generated client and must not be sent"],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn json_and_plain_bodies_are_checked() {
    const JSON: &[(&str, &str)] = &[("content-type", "application/json; charset=utf-8")];
    let note = |headers, body| Sent { method: "PUT", path: "/note", headers, body };
    check(
        &desk(),
        &[
            (post(JSON, r#"{"subject": "a", "due": null}"#), 201, &[]),
            (post(JSON, ""), 400, &["body: is required"]),
            (post(JSON, "{"), 400, &["body: is not JSON: EOF while parsing an object at line 1 column 1"]),
            (post(JSON, "{}"), 400, &["body: \"subject\" is a required property"]),
            (post(JSON, r#"{"subject": 1}"#), 400, &["body.subject: 1 is not of type \"string\""]),
            (post(JSON, r#"{"subject": "a", "due": "b"}"#), 400, &["body.due: \"b\" is not a \"date\""]),
            (
                post(JSON, r#"{"subject": "a", "x": 1}"#),
                400,
                &["body: Additional properties are not allowed ('x' was unexpected)"],
            ),
            (
                post(&[("content-type", "text/plain")], "a"),
                400,
                &["headers.content-type: is not what the operation takes; expected `application/json` or \
                   `application/x-www-form-urlencoded` or `multipart/form-data`"],
            ),
            (note(&[("content-type", "text/markdown")], "a"), 204, &[]),
            (note(&[], ""), 204, &[]),
            (note(&[], "a"), 400, &["headers.content-type: is required with a body; expected `text/*`"]),
            (Sent { body: "a", ..get("/api/Tickets/1") }, 400, &["body: is not expected by the operation"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn forms_are_read_field_by_field() {
    const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
    check(
        &desk(),
        &[
            (post(FORM, "id=1&tags=a&tags=b+c&joined=1%2C2&fields=%7B%22a%22%3A1%7D"), 201, &[]),
            (post(FORM, "tags=a"), 400, &["body: \"id\" is a required property"]),
            (post(FORM, "id=x"), 400, &["body.id: \"x\" is not of type \"integer\""]),
            (post(FORM, "id=1&id=2"), 400, &["body.id: is repeated 2 times, but takes one value"]),
            (post(FORM, "id=1&fields=a"), 400, &["body.fields: is not JSON: expected value at line 1 column 1"]),
            (post(FORM, "id=1&who=me"), 400, &["body: Additional properties are not allowed ('who' was unexpected)"]),
        ],
    )
    .await;
}

/// Writes a multipart body of (name, file name, content).
fn multipart(parts: &[(&str, Option<&str>, &str)]) -> String {
    let mut body = String::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let _ = write!(body, "--cut\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n");
    }
    body + "--cut--\r\n"
}

#[tokio::test]
async fn multipart_bodies_are_read_part_by_part() {
    const PARTS: &[(&str, &str)] = &[("content-type", "multipart/form-data; boundary=cut")];
    let good = multipart(&[
        ("id", None, "1"),
        ("file", Some("a.txt"), "a"),
        ("files", Some("b.txt"), "b"),
        ("files", Some("c.txt"), "c"),
        ("meta", None, "{\"a\": 1}"),
    ]);
    let nameless = multipart(&[("id", None, "1"), ("file", None, "a")]);
    let file = multipart(&[("id", Some("id.txt"), "1")]);
    let unknown = multipart(&[("id", None, "1"), ("other", Some("a"), "1")]);
    let twice = multipart(&[("id", None, "1"), ("file", Some("a"), "a"), ("file", Some("b"), "b")]);
    let meta = multipart(&[("id", None, "1"), ("meta", None, "a")]);
    check(
        &desk(),
        &[
            (post(PARTS, &good), 201, &[]),
            (post(PARTS, &nameless), 400, &["body.file: is a file and must be sent with a file name"]),
            (post(PARTS, &file), 400, &["body.id: is sent as a file, but is a value"]),
            (post(PARTS, &unknown), 400, &["body: Additional properties are not allowed ('other' was unexpected)"]),
            (post(PARTS, &twice), 400, &["body.file: is repeated 2 times, but takes one value"]),
            (post(PARTS, &meta), 400, &["body.meta: is not JSON: expected value at line 1 column 1"]),
            (post(PARTS, "--cut"), 400, &["body: is not multipart: incomplete multipart stream"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn credentials_are_required() {
    let table = json!({
        "api": "desk",
        "security": [{"kind": "bearer"}, {"kind": "basic"}],
        "operations": [
            {"operation": "a", "method": "GET", "path": "/a"},
            {"operation": "b", "method": "GET", "path": "/b", "security": [{"kind": "header", "name": "x-api-key"}]},
            {"operation": "c", "method": "GET", "path": "/c", "security": []},
            {"operation": "d", "method": "GET", "path": "/d", "security": [{"kind": "bearer"}, {"kind": "none"}]},
        ],
    });
    let missing = "credentials: are missing; expected `Authorization: Bearer …` or `Authorization: Basic …`";
    let with = |path, headers| Sent { headers, ..get(path) };
    check(
        &table.to_string(),
        &[
            (get("/a"), 401, &[missing]),
            (with("/a", &[("authorization", "Bearer t")]), 200, &[]),
            (with("/a", &[("authorization", "bearer t")]), 200, &[]),
            (with("/a", &[("authorization", "Bearer ")]), 401, &[missing]),
            (with("/a", &[("authorization", "Bearer wrong")]), 401, &["credentials: are wrong"]),
            (with("/a", &[("authorization", "Basic bWU6cmlnaHQ=")]), 200, &[]),
            (with("/a", &[("authorization", "Basic bWU6d3Jvbmc=")]), 401, &["credentials: are wrong"]),
            (with("/a", &[("authorization", "Basic ???")]), 401, &["credentials: are wrong"]),
            (with("/a", &[("x-api-key", "k")]), 401, &[missing]),
            (with("/b", &[("x-api-key", "k")]), 200, &[]),
            (with("/b", &[("x-api-key", "wrong")]), 401, &["credentials: are wrong"]),
            (get("/c"), 200, &[]),
            (get("/d"), 200, &[]),
            (with("/d", &[("authorization", "Bearer wrong")]), 401, &["credentials: are wrong"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn answers_are_examples_instances_of_schemas_or_files() {
    let sandbox = Sandbox::start(&[("desk", &desk())], None).await.expect("a port");
    let (_, headers, body) = send(&sandbox, &get("/api/Tickets?count=1")).await.expect("an answer");
    assert_eq!(
        (headers["content-type"].as_bytes(), body.as_slice()),
        (&b"application/json"[..], &br#"[{"id":1}]"#[..])
    );
    let (_, _, body) = send(&sandbox, &get("/api/Tickets/7")).await.expect("an answer");
    assert_eq!(body, br#"{"id":1}"#);
    let (_, headers, body) = send(&sandbox, &get("/files/a.zip")).await.expect("an answer");
    assert_eq!(headers["content-disposition"], "attachment; filename=\"sample.png\"");
    assert!(body.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn a_script_answers_before_the_description() {
    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
    let script = json!([
        {"operation": "getTicket", "when": {"path": {"id": 429}}, "answer": {"status": 429, "headers": {"Retry-After": "1"}, "body": "slow down"}, "times": 2},
        {"operation": "listTickets", "when": {"query": {"ids": ["1", "2"]}, "headers": {"x-level": "3"}}, "answer": {"body": {"found": true}}},
        {"operation": "createTicket", "when": {"body": {"subject": "drop"}}, "answer": {"close": true}},
        {"operation": "createTicket", "when": {"body": {"x": 1}}, "answer": {"status": 202}},
        {"operation": "*", "when": {"headers": {"x-late": "1"}}, "answer": {"status": 503, "delay_ms": 60}},
    ]);
    let script = Script::parse(&script.to_string()).expect("a script");
    let sandbox = Sandbox::start_recording(&[("desk", &desk())], Some(script)).await.expect("a port");
    for status in [429, 429, 200] {
        let (found, headers, body) = send(&sandbox, &get("/api/Tickets/429")).await.expect("an answer");
        assert_eq!(found, status);
        if status == 429 {
            assert_eq!((headers["retry-after"].as_bytes(), body.as_slice()), (&b"1"[..], &b"slow down"[..]));
            assert_eq!(headers["content-type"], "text/plain");
        }
    }
    let listed = Sent { headers: &[("x-level", "3")], ..get("/api/Tickets?count=1&ids=1&ids=2") };
    let (_, headers, body) = send(&sandbox, &listed).await.expect("an answer");
    assert_eq!(
        (headers["content-type"].as_bytes(), body.as_slice()),
        (&b"application/json"[..], &br#"{"found":true}"#[..])
    );

    assert!(send(&sandbox, &post(JSON, r#"{"subject": "drop"}"#)).await.is_err());
    sandbox.take_record();
    // The description's verdict is recorded even where the script answered.
    let (status, _, _) = send(&sandbox, &post(JSON, r#"{"x": 1}"#)).await.expect("an answer");
    assert_eq!(status, 202);
    assert!(matches!(&sandbox.record()[0].verdict, Verdict::Problems(problems) if problems.len() == 2));
    // A body that can't be read fits no entry.
    assert_eq!(send(&sandbox, &post(&[JSON[0], ("x-late", "1")], "{")).await.expect("an answer").0, 400);
    let start = std::time::Instant::now();
    let late = Sent { headers: &[("x-late", "1")], ..get("/api/Tickets/1") };
    assert_eq!(send(&sandbox, &late).await.expect("an answer").0, 503);
    assert!(start.elapsed().as_millis() >= 60);
}

#[tokio::test]
async fn a_script_for_unknown_operations_does_not_start() {
    let script = Script::parse(r#"[{"operation": "listTikets", "answer": {}}]"#).expect("a script");
    let error = Sandbox::start(&[("desk", &desk())], Some(script)).await.expect_err("unknown operation");
    assert!(matches!(error, SandboxError::ScriptEntry { index: 0, .. }));
    assert!(error.to_string().ends_with("unknown operation `listTikets`; did you mean `listTickets`?"), "{error}");
}

#[tokio::test]
async fn requests_are_recorded_without_their_secrets() {
    let sandbox = Sandbox::start_recording(&[("desk", &desk())], None).await.expect("a port");
    let headers: &[_] = &[("content-type", "application/json"), ("x-api-key", "k"), ("authorization", "Bearer t")];
    send(&sandbox, &post(headers, r#"{"subject": "a"}"#)).await.expect("an answer");
    send(&sandbox, &get("/none?a=%20")).await.expect("an answer");
    let record = sandbox.take_record();
    assert_eq!(record.len(), 2);
    assert!(record[0].is_accepted());
    assert_eq!(record[0].json(), Some(json!({"subject": "a"})));
    let written = serde_json::to_value(&record).expect("serialisable");
    assert_eq!(written[0]["headers"]["x-api-key"], "***");
    assert_eq!(written[0]["headers"]["authorization"], "***");
    assert_eq!(written[0]["body"], r#"{"subject": "a"}"#);
    assert_eq!(written[0]["verdict"], "accepted");
    assert_eq!((&written[0]["operation"], &written[0]["status"]), (&json!("createTicket"), &json!(201)));
    assert_eq!((&written[1]["path"], &written[1]["query"]), (&json!("/none"), &json!("a=%20")));
    assert_eq!((&written[1]["operation"], &written[1]["verdict"][0]["where"]), (&Value::Null, &json!("path")));
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn apis_share_a_port_and_a_broken_table_affects_only_its_api() {
    let table = desk();
    let sandbox = Sandbox::start(&[("other", "{"), ("desk", &table)], None).await.expect("a port");
    assert_eq!(send(&sandbox, &get("/api/Tickets/1")).await.expect("an answer").0, 200);
    for (address, status) in [(sandbox.address("other"), 500), (sandbox.address("third"), 404)] {
        let client = http().expect("a client");
        assert_eq!(client.get(address).send().await.expect("an answer").status().as_u16(), status);
    }
    let address = sandbox.address("desk");
    drop(sandbox);
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert!(http().expect("a client").get(address).send().await.is_err());
}

/// A table of one listing that answers with this, and pages by these styles.
fn listing(styles: &Value, parameters: &[&str], example: &Value) -> String {
    let parameters: Vec<Value> =
        parameters.iter().map(|name| json!({"in": "query", "name": name, "schema": {}})).collect();
    let answer = json!({"status": 200, "content_type": "application/json", "example": example});
    let operation = json!({
        "operation": "list", "method": "GET", "path": "/list", "parameters": parameters, "answer": answer,
    });
    json!({"api": "desk", "paging": styles, "operations": [operation]}).to_string()
}

#[tokio::test]
async fn listings_have_the_records_of_the_example_page_by_page() {
    let offset = json!([{"name": "o", "kind": "offset", "position": "start", "size": "limit", "last": "/last", "next": "/links/next"}]);
    let pages = json!([{"name": "p", "kind": "page", "position": "page", "first": 1, "total_header": "x-total"}]);
    let token = json!([{"name": "t", "kind": "token", "position": "token", "size": "size", "next": "/next", "total": "/total"}]);
    let rows = json!({"last": false, "links": {"next": "https://a.example/?start=9"}, "rows": [1, 2, 3]});
    let tokens = json!({"next": "x", "total": 99, "rows": [1, 2, 3]});
    for (styles, parameters, example, query, expected) in [
        (
            &offset,
            ["start", "limit"].as_slice(),
            &rows,
            "limit=2",
            json!({"last": false, "links": {"next": "/?start=2"}, "rows": [1, 2]}),
        ),
        (&offset, &["start", "limit"], &rows, "limit=2&start=2", json!({"last": true, "links": {}, "rows": [3]})),
        (&offset, &["start", "limit"], &rows, "start=9", json!({"last": true, "links": {}, "rows": []})),
        // It takes no position, so it does not page.
        (&offset, &["limit"], &rows, "limit=2", rows.clone()),
        (&pages, &["page"], &json!([1, 2]), "page=1", json!([1, 2])),
        (&pages, &["page"], &json!([1, 2]), "page=2", json!([])),
        (&token, &["token", "size"], &tokens, "size=2", json!({"next": "2", "total": 3, "rows": [1, 2]})),
        (&token, &["token", "size"], &tokens, "size=2&token=2", json!({"total": 3, "rows": [3]})),
        (&token, &["token", "size"], &tokens, "token=none-of-ours", json!({"total": 3, "rows": []})),
    ] {
        let table = listing(styles, parameters, example);
        let sandbox = Sandbox::start(&[("desk", &table)], None).await.expect("a port");
        let (status, headers, body) = send(&sandbox, &get(&format!("/list?{query}"))).await.expect("an answer");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((status, body), (200, expected), "{query}");
        let total = headers.get("x-total").map(|total| total.to_str().unwrap_or_default());
        assert_eq!(total, (*styles == pages).then_some("2"), "{query}");
    }
}

//! `cargo spec` → what it prints and writes, and its exit codes. Hostile descriptions end in a
//! result or a clear error, in bounded time and memory, with nothing written outside the target.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PROGRAM, repository, scratch, text};

/// The longest that a single file may take, and one of thousands of operations.
const LONGEST: Duration = Duration::from_secs(10);
const LONGEST_OF_MANY: Duration = Duration::from_mins(1);
/// How much longer a large description may take than to read its text as JSON.
const READS_OF_LARGE: u32 = 40;
/// By how much a busy machine may stretch the elapsed time.
const BUSY: u32 = 4;

/// A folder like the project's top, with an empty `specs`.
fn project(test: &str) -> PathBuf {
    let folder = scratch(&format!("spec-{test}"));
    std::fs::create_dir(folder.join("specs")).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> (Output, Duration) {
    run_within(LONGEST_OF_MANY, folder, arguments)
}

fn run_within(longest: Duration, folder: &Path, arguments: &[&str]) -> (Output, Duration) {
    let started = Instant::now();
    let output = command(longest, folder, arguments).output().unwrap();
    (output, started.elapsed())
}

fn command(longest: Duration, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    // The shell bounds memory (1 GB) and processor time, which depends less on other processes
    // than elapsed time does.
    let bounded = format!("ulimit -v 1048576 -t {}; exec \"$@\"", longest.as_secs());
    command.args(["-c", &bounded, "bash", PROGRAM, "spec"]).args(arguments);
    command.current_dir(folder).env("NO_COLOR", "1");
    for variable in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(variable).env_remove(variable.to_lowercase());
    }
    command
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

const PARCELS: &str = r#"
openapi: 3.1.0
info: {title: Parcel Desk, version: "1"}
servers: [{url: "https://parcels.example.com/v1"}]
paths:
  /parcels:
    get:
      operationId: listParcels
      description: Parcels on their way.
      parameters: [{name: state, in: query, schema: {type: [string, "null"], enum: [new, sent]}}]
      responses: {"200": {description: Some.}}
    post:
      operationId: createParcel
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [to], properties: {to: {type: string}}}}}}
      responses: {"201": {description: Made.}}
  /parcels/resend/{id}:
    get:
      operationId: resendParcel
      responses: {"204": {description: Sent.}}
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
"#;

#[test]
fn lint_reports_tools_conversions_and_findings() {
    let folder = project("lint");
    std::fs::write(folder.join("p.yaml"), PARCELS).unwrap();
    let (output, _) = run(&folder, &["lint", "p.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let lint: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(lint["operations"], 3);
    let names: Vec<&str> = lint["tools"].as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names, ["parcel_create_parcel", "parcel_list_parcels", "parcel_resend_parcel"]);
    assert!(lint["tools"][0]["tokens"].as_u64().unwrap() > 20);
    let kinds: Vec<&str> = lint["findings"].as_array().unwrap().iter().filter_map(|f| f["kind"].as_str()).collect();
    assert_eq!(kinds, ["misleading-verb", "unreviewed"]);
    let rules: Vec<&str> = lint["steps"].as_array().unwrap().iter().filter_map(|f| f["rule"].as_str()).collect();
    assert!(rules.contains(&"type-list") && rules.contains(&"path-parameter"), "{rules:?}");

    let (output, _) = run(&folder, &["lint", "p.yaml", "--name", "desk"]);
    let shown = text(&output.stdout);
    for part in [
        "3 operations: 3 tools, 0 skipped",
        "desk_list_parcels",
        "misleading-verb: desk_resend_parcel: GET, but `resend`",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    assert_eq!(files(&folder), ["p.yaml"], "lint writes nothing");
}

#[test]
fn a_reviewed_description_has_no_findings() {
    let vendor = repository().join("specs/jitbit/api.yaml");
    let (output, _) = run(&project("clean"), &["lint", vendor.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn new_writes_a_folder_that_the_generator_accepts() {
    let folder = project("new");
    std::fs::write(folder.join("p.yaml"), PARCELS).unwrap();
    let (output, _) = run(&folder, &["new", "parcels", "--from", "p.yaml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("`parcels = []`"), "{}", text(&output.stderr));
    assert_eq!(
        files(&folder),
        ["p.yaml", "specs/parcels/api.yaml", "specs/parcels/overlay.yaml", "specs/parcels/vendor.toml"]
    );
    let generated =
        toolwright_codegen::generate(&folder.join("specs"), |_| true).unwrap_or_else(|errors| panic!("{errors}"));
    let tools: Value = serde_json::from_str(generated.tree.get("parcels/tools.json").unwrap()).unwrap();
    assert_eq!(tools["tools"].as_array().unwrap().len(), 3);
    assert!(
        tools["tools"]
            .as_array()
            .unwrap()
            .iter()
            .all(|tool| tool["effect"].is_null() && tool["tags"] == json!(["unreviewed"]))
    );
    assert!(!std::fs::read_to_string(folder.join("specs/parcels/api.yaml")).unwrap().contains("on their way"));

    let before = std::fs::read_to_string(folder.join("specs/parcels/api.yaml")).unwrap();
    let (output, _) = run(&folder, &["new", "parcels", "--from", "p.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("exists already"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(folder.join("specs/parcels/api.yaml")).unwrap(), before);

    let (output, _) = run(&folder, &["new", "few", "--from", "p.yaml", "--operations", "list*,GET /parcels/resend/*"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let overlay = std::fs::read_to_string(folder.join("specs/few/overlay.yaml")).unwrap();
    assert_eq!(overlay.matches("- target:").count(), 2, "{overlay}");
    let (output, _) = run(&folder, &["new", "none", "--from", "p.yaml", "--operations", "nothing*"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.join("specs/none").exists());
}

#[test]
fn several_descriptions_become_one_vendor() {
    let folder = project("several");
    std::fs::write(folder.join("desk-v1.yaml"), PARCELS).unwrap();
    std::fs::write(folder.join("other.yaml"), PARCELS.replace("parcels.example.com", "other.example.com")).unwrap();
    let (output, _) = run(&folder, &["new", "desk", "--from", "desk-v1.yaml", "--from", "new-v2=other.yaml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let notes = text(&output.stderr);
    assert!(
        notes.contains("different addresses: https://parcels.example.com/v1, https://other.example.com/v1"),
        "{notes}"
    );
    assert!(notes.contains("cargo spec lint specs/desk/new-v2.yaml"), "{notes}");
    let desk = files(&folder.join("specs/desk"));
    assert_eq!(desk, ["new-v2.overlay.yaml", "new-v2.yaml", "v1.overlay.yaml", "v1.yaml", "vendor.toml"]);
    let generated =
        toolwright_codegen::generate(&folder.join("specs"), |_| true).unwrap_or_else(|errors| panic!("{errors}"));
    for api in ["desk-v1", "desk-new-v2"] {
        assert!(generated.tree.get(&format!("{api}/tools.json")).is_some(), "{api}");
    }

    for (from, expected) in [
        (["v1=desk-v1.yaml", "v1=other.yaml"], "both called `v1`"),
        (["desk-v1.yaml", "OVERLAY.yaml"], "expected a name for its API"),
        (["desk-v1.yaml", "workflows=other.yaml"], "expected a name for its API"),
    ] {
        let (output, _) = run(&folder, &["new", "more", "--from", from[0], "--from", from[1]]);
        assert_eq!(output.status.code(), Some(2), "{from:?}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
        assert!(!folder.join("specs/more").exists());
    }
}

/// A description is foreign: its texts must not control a file or a terminal.
#[test]
fn texts_of_a_description_control_neither_file_nor_terminal() {
    let folder = project("steering");
    let hostile = "x\u{1b}[2J\u{202e}\nevil: 1 #";
    let document = json!({"openapi": format!("3.0.0\nevil: 1"), "info": {"title": hostile, "version": hostile},
        "servers": [{"url": format!("https://{hostile}.example.com")}],
        "paths": {"/a": {"get": {"operationId": hostile, "tags": [hostile], "parameters": [{"name": hostile, "in": "query", "schema": {"type": "string", "enum": [hostile]}}],
            "responses": {"200": {"description": hostile}}}}},
        "components": {"securitySchemes": {hostile: {"type": "apiKey", "in": "cookie", "name": hostile}, "k": {"type": "apiKey", "in": "header", "name": hostile}}}});
    std::fs::write(folder.join("d.json"), document.to_string()).unwrap();
    let steers =
        |text: &str| text.lines().any(|line| line.contains(['\u{1b}', '\u{202e}']) || line.starts_with("evil"));
    let (output, _) = run(&folder, &["lint", "d.json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(!steers(&text(&output.stdout)), "{}", text(&output.stdout));
    let (output, _) = run(&folder, &["new", "acme", "--from", "d.json"]);
    assert!(!steers(&text(&output.stderr)), "{}", text(&output.stderr));
    for file in files(&folder.join("specs/acme")) {
        let written = std::fs::read_to_string(folder.join("specs/acme").join(&file)).unwrap();
        assert!(!steers(&written), "{file}:\n{written}");
    }
}

/// A vendor's argument may have the name of one of toolwright's own.
#[test]
fn arguments_with_names_of_our_own_are_renamed() {
    let folder = project("own-names");
    let named = |name: &str| json!({"type": "object", "properties": {name: {"type": "boolean"}}});
    let document = json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": {
        "get": {"operationId": "g", "parameters": [{"name": "dry_run", "in": "query", "schema": {"type": "boolean"}}], "responses": {}},
        "post": {"operationId": "p", "requestBody": {"content": {"application/json": {"schema": named("dry_run")}}}, "responses": {}},
        "put": {"operationId": "u", "requestBody": {"content": {"application/json": {"schema": named("*")}}}, "responses": {}},
    }}});
    std::fs::write(folder.join("d.json"), document.to_string()).unwrap();
    let (output, _) = run(&folder, &["new", "acme", "--from", "d.json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let overlay = std::fs::read_to_string(folder.join("specs/acme/overlay.yaml")).unwrap();
    assert_eq!(overlay.matches("\"dry_run\": {name: \"acme_dry_run\"}").count(), 2, "{overlay}");
    toolwright_codegen::generate(&folder.join("specs"), |_| true).unwrap_or_else(|errors| panic!("{errors}"));
}

#[test]
fn ids_that_lead_out_of_specs_write_nothing() {
    let folder = project("names");
    std::fs::write(folder.join("p.yaml"), PARCELS).unwrap();
    for name in ["../evil", "a/b", "/tmp/evil", "..", "A", "type", "typed", "x".repeat(40).as_str()] {
        let (output, _) = run(&folder, &["new", name, "--from", "p.yaml"]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert_eq!(files(&folder), ["p.yaml"], "{name}");
    }
}

/// A server on this machine with one answer to every request.
fn serve(status: &'static str, body: Vec<u8>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0_u8; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len()).as_bytes(),
            );
            let _ = stream.write_all(&body);
        }
    });
    format!("http://{address}/p.yaml")
}

#[test]
fn a_description_is_fetched() {
    let folder = project("fetch");
    let (output, _) = run(&folder, &["new", "parcels", "--from", &serve("200 OK", PARCELS.into())]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn what_can_not_be_fetched_is_an_error_and_writes_nothing() {
    let folder = project("fetch-refused");
    let too_large = vec![b' '; 60 * 1024 * 1024 + 1];
    let redirect = "302 Found\r\nlocation: https://elsewhere.example.com/p.yaml";
    for (address, expected) in [
        (serve("404 Not Found", Vec::new()), "the status 404 Not Found"),
        (serve(redirect, Vec::new()), "302 Found; it points to https://elsewhere.example.com/p.yaml"),
        (serve("200 OK", too_large), "at most 62914560 bytes"),
        ("ftp://127.0.0.1/x".to_owned(), "expected an http or https URL"),
        ("http://127.0.0.1:1/x".to_owned(), "refused"),
    ] {
        let (output, _) = run(&folder, &["new", "other", "--from", &address]);
        assert_eq!(output.status.code(), Some(2), "{address}");
        assert!(text(&output.stderr).contains(expected), "{address}: {}", text(&output.stderr));
        assert_eq!(files(&folder), [""; 0], "{address}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let folder = project("fetch-proxy");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let requests = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // A request may arrive in pieces; its head ends with an empty line.
        let first_line = |stream: &mut std::net::TcpStream| {
            let (mut head, mut byte) = (Vec::new(), [0_u8]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.push(byte[0]);
            }
            text(&head).lines().next().unwrap_or_default().to_owned()
        };
        let connect = first_line(&mut stream);
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
        let get = first_line(&mut stream);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", PARCELS.len());
        stream.write_all((head + PARCELS).as_bytes()).unwrap();
        [connect, get]
    });
    let arguments = ["new", "parcels", "--from", "http://parcels.invalid/p.yaml"];
    let output = command(LONGEST, &folder, &arguments).env("HTTP_PROXY", proxy).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(requests.join().unwrap(), ["CONNECT parcels.invalid:80 HTTP/1.1", "GET /p.yaml HTTP/1.1"]);
}

/// Runs both commands; returns the code of lint, which ended in time and without a panic.
fn survives(test: &str, file: &str, content: &[u8], longest: Duration) -> (Option<i32>, String) {
    let folder = project(test);
    std::fs::write(folder.join(file), content).unwrap();
    let (lint, time) = run_within(longest, &folder, &["lint", file]);
    let messages = text(&lint.stderr);
    println!("{test}: lint {:?} after {time:.1?}", lint.status.code());
    assert!(time < longest * BUSY, "{test}: lint took {time:?}");
    assert!(matches!(lint.status.code(), Some(0..=2)), "{test}: {:?}: {messages}", lint.status);
    let (new, time) = run_within(longest, &folder, &["new", "acme", "--from", file]);
    println!("{test}: new {:?} after {time:.1?}", new.status.code());
    assert!(time < longest * BUSY, "{test}: new took {time:?}");
    assert!(matches!(new.status.code(), Some(0 | 2)), "{test}: {:?}: {}", new.status, text(&new.stderr));
    assert!(
        files(&folder).iter().all(|path| path == file || path.starts_with("specs/acme/")),
        "{test}: {:?}",
        files(&folder)
    );
    (lint.status.code(), messages)
}

#[test]
fn hostile_descriptions_end_in_a_clear_error() {
    let half = &PARCELS.as_bytes()[..PARCELS.len() / 2];
    survives("truncated-yaml", "d.yaml", half, LONGEST);
    let (code, messages) = survives("truncated-json", "d.json", br#"{"openapi": "3.0.0", "paths": {"/a": {"#, LONGEST);
    assert_eq!(code, Some(2), "{messages}");
    let mut stairs = String::new();
    for level in 0..10_000 {
        stairs.extend(std::iter::repeat_n(' ', level));
        stairs.push_str("a:\n");
    }
    for (test, file, content) in [
        ("deep-json", "d.json", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("deep-flow", "d.yaml", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("deep-block", "d.yaml", stairs),
        ("deep-lists", "d.yaml", "- ".repeat(10_000)),
        (
            "deep-schema",
            "d.json",
            format!("{{\"openapi\": \"3.0.0\", \"x\": {}1{}}}", "{\"items\":".repeat(10_000), "}".repeat(10_000)),
        ),
        ("not-utf-8", "d.yaml", "\u{0}\u{1}".to_owned()),
        ("empty", "d.yaml", String::new()),
        ("scalar", "d.yaml", "just a text".to_owned()),
    ] {
        let (code, messages) = survives(test, file, content.as_bytes(), LONGEST);
        assert_eq!(code, Some(2), "{test}: {messages}");
        assert!(messages.contains("expected"), "{test}: {messages}");
    }
    let mut bomb = String::from("openapi: 3.0.0\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
    for level in 1..12 {
        let previous = format!("*x{}", level - 1);
        let _ = writeln!(bomb, "x{level}: &x{level} [{}]", vec![previous; 10].join(", "));
    }
    let (code, messages) = survives("aliases", "d.yaml", bomb.as_bytes(), LONGEST);
    assert_eq!(code, Some(2), "{messages}");
    for reference in ["../../secret.yaml", "/etc/passwd", "https://example.com/x.yaml", "file:///etc/passwd"] {
        let document = json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": {},
            "components": {"schemas": {"A": {"$ref": reference}}}});
        let (code, messages) = survives("outside", "d.json", document.to_string().as_bytes(), LONGEST);
        assert_eq!(code, Some(2), "{messages}");
        assert!(messages.contains("components/schemas/A") && messages.contains("hint"), "{messages}");
    }
}

/// Each schema refers to the next one many times: written out, they would grow exponentially.
#[test]
fn references_that_multiply_are_cut() {
    let mut schemas = serde_json::Map::new();
    for level in 0..40 {
        let properties: serde_json::Map<String, Value> = (0..20)
            .map(|n| (format!("p{n}"), json!({"$ref": format!("#/components/schemas/S{}", level + 1)})))
            .collect();
        schemas.insert(format!("S{level}"), json!({"type": "object", "properties": properties}));
    }
    schemas.insert("S40".to_owned(), json!({"type": "string"}));
    let document = json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": {"post": {"operationId": "../../a",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}, "responses": {}}}},
        "components": {"schemas": schemas}});
    let (code, messages) = survives("multiply", "d.json", document.to_string().as_bytes(), LONGEST);
    assert_eq!(code, Some(1), "{messages}");
}

#[test]
fn five_thousand_operations_are_read() {
    let mut paths = serde_json::Map::new();
    for number in 0..5_000 {
        paths.insert(
            format!("/things/{{id}}/parts/{number}"),
            json!({"get": {"operationId": "same", "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "x"}}}}),
        );
    }
    let document = json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": paths});
    let (code, messages) = survives("many", "d.json", document.to_string().as_bytes(), LONGEST_OF_MANY);
    assert_eq!(code, Some(1), "{messages}");
}

#[test]
fn fifty_megabytes_are_read_or_refused() {
    let mut schemas = serde_json::Map::new();
    let long = "x".repeat(1_000);
    for number in 0..48_000 {
        schemas.insert(format!("S{number}"), json!({"type": "string", "description": long}));
    }
    let document = json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {"description": "x"}}}}}, "components": {"schemas": schemas}});
    let text = document.to_string();
    // Beside what this process needs to read the same text, so that a busy machine cancels out.
    let started = Instant::now();
    drop(serde_json::from_str::<Value>(&text).unwrap());
    let longest = LONGEST.max(started.elapsed() * READS_OF_LARGE);
    survives("large-json", "d.json", text.as_bytes(), longest);
    survives("large-yaml", "d.yaml", text.as_bytes(), longest);
    let (code, messages) = survives("too-large", "d.yaml", &vec![b' '; 61 * 1024 * 1024], LONGEST);
    assert_eq!(code, Some(2), "{messages}");
}

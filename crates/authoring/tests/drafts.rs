//! `cargo spec new` → what it proposes for a small description of each kind: the files that it writes are beside the
//! description. `UPDATE_EXPECTED=1` rewrites them. A draft must hold once a person has stated the effects, so each
//! is also built with the guesses taken over.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::{PROGRAM, scratch, text};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/drafts")
}

fn new_vendor(folder: &Path, case: &str, more: &[&str]) -> Output {
    let description = fixtures().join(case).join("description.yaml");
    let mut command = Command::new(PROGRAM);
    command.args(["spec", "new", "desk", "--from"]).arg(description).args(more).current_dir(folder);
    let output = command.env("NO_COLOR", "1").output().unwrap();
    assert!(output.status.success(), "{case}: {}", text(&output.stderr));
    output
}

/// A folder like the project's top, with what `spec new` wrote of a case.
fn project(test: &str, case: &str, more: &[&str]) -> (PathBuf, Output) {
    let folder = scratch(&format!("drafts-{test}"));
    std::fs::create_dir(folder.join("specs")).unwrap();
    let output = new_vendor(&folder, case, more);
    (folder, output)
}

/// Compares what was written with what is expected of the case.
fn compare(case: &str, folder: &Path, files: &[&str]) {
    for file in files {
        let written = std::fs::read_to_string(folder.join("specs/desk").join(file)).unwrap();
        let expected = fixtures().join(case).join(file);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &written).unwrap();
        }
        assert_eq!(written, std::fs::read_to_string(&expected).unwrap_or_default(), "{case}/{file}");
    }
}

/// The overlay as a reviewer would leave it who found every guess to be right.
fn reviewed(overlay: &str) -> String {
    let mut out = String::new();
    for line in overlay.lines() {
        let guess = line.trim_start().strip_prefix("# ").filter(|line| line.starts_with("effect: "));
        match guess.and_then(|guess| guess.split("  #").next()) {
            Some(guess) => writeln!(out, "        {guess}").unwrap(),
            None => writeln!(out, "{line}").unwrap(),
        }
    }
    out
}

/// The tools that the build makes of a folder, before and after the review.
fn built(folder: &Path) -> (Value, Value) {
    let tools = || {
        let generated =
            toolwright_codegen::generate(&folder.join("specs"), |_| true).unwrap_or_else(|errors| panic!("{errors}"));
        serde_json::from_str::<Value>(generated.tree.get("desk/tools.json").unwrap()).unwrap()["tools"].clone()
    };
    let drafted = tools();
    let overlay = folder.join("specs/desk/overlay.yaml");
    std::fs::write(&overlay, reviewed(&std::fs::read_to_string(&overlay).unwrap())).unwrap();
    (drafted, tools())
}

fn tool<'t>(tools: &'t Value, name: &str) -> &'t Value {
    tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn arguments(tool: &Value) -> Vec<&str> {
    tool["inputSchema"]["properties"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn listings_get_a_style_of_paging_and_concise_fields() {
    let (folder, output) = project("listings", "paging", &[]);
    compare("paging", &folder, &["overlay.yaml", "vendor.toml"]);
    let shown = text(&output.stderr);
    assert!(shown.contains("drafts: paging of"), "{shown}");
    assert!(shown.contains("paging: desk_list_charges: it takes `starting_after`, and its answer has"), "{shown}");

    // Until its effect is stated a tool has its vendor's parameters, and nothing is left out of its answer.
    let (drafted, reviewed) = built(&folder);
    let (before, after) = (tool(&drafted, "desk_list_tickets"), tool(&reviewed, "desk_list_tickets"));
    assert_eq!(arguments(before), ["offset", "limit", "dry_run"]);
    assert!(before["concise"].is_null() && before["calls"][0]["paging"].is_null(), "{before}");
    assert_eq!(arguments(after), ["limit", "detail", "fields", "jq", "cursor", "all"]);
    assert_eq!(after["calls"][0]["paging"]["total"], "/total", "{after}");
}

#[test]
fn names_verbs_and_effects_are_those_that_words_say() {
    let (folder, _) = project("names", "names", &[]);
    compare("names", &folder, &["overlay.yaml"]);
    built(&folder);
}

#[test]
fn texts_of_the_vendor_are_kept_only_if_asked_for() {
    let (folder, _) = project("texts", "texts", &[]);
    for file in ["api.yaml", "overlay.yaml", "vendor.toml"] {
        let written = std::fs::read_to_string(folder.join("specs/desk").join(file)).unwrap();
        assert!(!written.contains("organization") && !written.contains("Ada"), "{file}:\n{written}");
    }
    assert!(!folder.join("specs/desk/README.md").exists());

    let (folder, output) = project("kept", "texts", &["--keep-texts"]);
    compare("texts", &folder, &["api.yaml", "overlay.yaml", "README.md"]);
    let shown = text(&output.stderr);
    assert!(shown.contains("the description states the licence Desk Terms, https://desk.example.com/terms"), "{shown}");
    let lint =
        Command::new(PROGRAM).args(["spec", "lint", "specs/desk/api.yaml"]).current_dir(&folder).output().unwrap();
    assert!(text(&lint.stdout).contains("vendor-texts: "), "{}", text(&lint.stdout));

    let (drafted, _) = built(&folder);
    let get = tool(&drafted, "desk_get_user");
    assert_eq!(get["title"], "Get a user");
    let described = get["description"].as_str().unwrap();
    assert!(described.starts_with("Get a user. Returns one user,") && !described.contains('<'), "{described}");
    assert_eq!(get["inputSchema"]["properties"]["id"]["description"], "The id of the user, e.g. `u-1`");
}

#[test]
fn a_program_can_read_what_was_written_and_lost() {
    let (folder, output) = project("json", "paging", &["--format", "json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        printed["files"],
        serde_json::json!(["specs/desk/api.yaml", "specs/desk/overlay.yaml", "specs/desk/vendor.toml"])
    );
    assert_eq!(printed["summary"]["tools"], printed["descriptions"][0]["tools"].as_array().unwrap().len());
    assert_eq!(printed["summary"]["to_review"], printed["summary"]["tools"]);
    let overlay = std::fs::read(folder.join("specs/desk/overlay.yaml")).unwrap();
    let (again, _) = project("json-kept", "paging", &["--format", "json", "--keep-texts"]);
    assert!(again.join("specs/desk/overlay.yaml").exists() && !overlay.is_empty());
}

/// The same description gives the same bytes.
#[test]
fn a_second_run_writes_the_same() {
    let (folder, _) = project("again", "names", &[]);
    let read = || {
        let of = |file: &str| std::fs::read(folder.join("specs/desk").join(file)).unwrap();
        [of("api.yaml"), of("overlay.yaml"), of("vendor.toml")]
    };
    let first = read();
    std::fs::remove_dir_all(folder.join("specs/desk")).unwrap();
    new_vendor(&folder, "names", &[]);
    assert!(first == read(), "another run, other bytes");
}

/// What is dropped or weakened is counted, with its place.
#[test]
fn what_a_caller_loses_is_found_with_its_line() {
    let folder = scratch("drafts-losses");
    std::fs::create_dir(folder.join("specs")).unwrap();
    let description = "openapi: 3.0.3
info: {title: Desk, version: '1'}
servers: [{url: 'https://a.example.com'}, {url: 'https://b.example.com'}]
paths:
  /files:
    post:
      operationId: uploadFile
      callbacks: {done: {'{$request.body#/url}': {post: {responses: {'200': {description: x}}}}}}
      parameters:
        - {name: at, in: query, allowReserved: true, schema: {type: string}}
      requestBody:
        content:
          application/json: {schema: {type: object, properties: {url: {type: string}}}}
          multipart/form-data: {schema: {type: object, properties: {file: {type: string, format: binary}}}}
      responses: {'200': {description: x, links: {next: {operationId: uploadFile}}}}
  /other: {get: {operationId: other, callbacks: {}, responses: {'200': {description: x}}}}
";
    std::fs::write(folder.join("d.yaml"), description).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["spec", "new", "desk", "--from", "d.yaml", "--format", "json"]).current_dir(&folder);
    let printed: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let findings = printed["descriptions"][0]["findings"].as_array().unwrap();
    let lost: Vec<(&str, u64, &str)> = findings
        .iter()
        .filter(|finding| finding["weight"].is_string())
        .map(|finding| {
            let line = finding["line"].as_u64().unwrap_or_default();
            (finding["kind"].as_str().unwrap(), line, finding["weight"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        lost,
        [
            ("weakened", 10, "weakened"),
            ("links", 15, "dropped"),
            ("callbacks", 6, "dropped"),
            ("servers", 3, "changed"),
            ("content-type", 11, "weakened"),
        ],
        "{findings:#?}"
    );
    assert_eq!((&printed["summary"]["weakened"], &printed["summary"]["dropped"]), (&2.into(), &2.into()));
}

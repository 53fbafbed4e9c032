//! `cargo spec learn`: what a server noted → suggestions for the descriptions here, and none for what they say by now.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::{PROGRAM, scratch, text};

/// A project with one small vendor.
fn project(test: &str) -> PathBuf {
    let folder = scratch(&format!("learn-{test}"));
    let acme = folder.join("specs/acme");
    std::fs::create_dir_all(&acme).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/fixtures/specs-json/specs/acme");
    for file in ["vendor.toml", "overlay.yaml"] {
        std::fs::copy(fixture.join(file), acme.join(file)).unwrap();
    }
    describe(&folder, &json!({"id": {"type": "integer"}}));
    folder
}

/// Writes the description, whose users have these fields.
fn describe(folder: &Path, fields: &Value) {
    let user = json!({"type": "object", "required": ["id"], "properties": fields});
    let schema = json!({"type": "array", "items": {"$ref": "#/components/schemas/User"}});
    let found = json!({"description": "Users.", "content": {"application/json": {"schema": schema}}});
    let api = json!({
        "openapi": "3.0.3", "info": {"title": "Acme", "version": "1"},
        "paths": {"/users": {"get": {"operationId": "listUsers", "responses": {"200": found}}}},
        "components": {"schemas": {"User": user}},
    });
    std::fs::write(folder.join("specs/acme/api.json"), api.to_string()).unwrap();
}

/// Writes what a server noted, and runs the command.
fn learn(folder: &Path, misfits: &Value, more: &[&str]) -> Output {
    let operation = json!({"api": "acme", "operation": "listUsers", "answers": 9, "misfits": misfits});
    let file = json!({"toolwright_learned": 1, "operations": [operation]});
    std::fs::write(folder.join("learned.json"), file.to_string()).unwrap();
    run(folder, more)
}

fn run(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["spec", "learn", "learned.json"]).args(more).current_dir(folder).env("NO_COLOR", "1");
    command.output().unwrap()
}

#[test]
fn each_kind_has_its_suggestion() {
    let folder = project("kinds");
    let misfits = json!([
        {"at": ["[]", "slaDue"], "kind": "unknown_field", "found": "string", "seen": 3},
        {"at": ["[]", "tags"], "kind": "unknown_field", "found": "array of string", "seen": 1},
        {"at": ["[]", "*"], "kind": "free_names", "seen": 2},
        {"at": ["[]", "id"], "kind": "missing_field", "seen": 1},
        {"at": ["[]", "id"], "kind": "other_type", "found": "null", "expected": "integer", "seen": 1},
        {"kind": "unknown_status", "found": "202", "seen": 1},
        {"kind": "unknown_media", "found": "text/csv", "seen": 1},
    ]);
    let output = learn(&folder, &misfits, &[]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}{}", text(&output.stderr));
    for line in [
        "specs/acme/api.json: GET /users (listUsers)",
        "  [].slaDue: a field that is not described: string, in 3 of 9 answers",
        "    in `#/components/schemas/User`: `slaDue: {type: string}` under `properties`",
        "    in `#/components/schemas/User`: `tags: {type: array, items: {type: string}}` under `properties`",
        "    in `#/components/schemas/User`: `additionalProperties: true`",
        "    in `#/components/schemas/User`: `id` out of `required`",
        "    in `id` of `#/components/schemas/User`: `nullable: true`",
        "  the status 202, in 1 of 9 answers",
        "    `text/csv` under the response's `content`",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line:?} is missing in\n{shown}");
    }
    let output = learn(&folder, &misfits, &["--format", "json"]);
    let list: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 7, "{list}");
    let output = learn(&folder, &misfits, &["--format", "markdown"]);
    assert_eq!(text(&output.stdout).lines().filter(|line| line.starts_with("| `listUsers`")).count(), 7);
}

#[test]
fn what_the_description_says_by_now_is_left_out() {
    let folder = project("described");
    let misfits = json!([{"at": ["[]", "slaDue"], "kind": "unknown_field", "found": "string", "seen": 3}]);
    assert_eq!(learn(&folder, &misfits, &[]).status.code(), Some(1));
    describe(&folder, &json!({"id": {"type": "integer"}, "slaDue": {"type": "string"}}));
    let output = learn(&folder, &misfits, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "Nothing that the descriptions do not say.\n");
    // Kinds of JSON are one, as in the server.
    let json = json!([{"at": [], "kind": "unknown_media", "found": "application/problem+json", "seen": 1}]);
    let output = learn(&folder, &json, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn what_can_t_be_read_is_no_empty_list() {
    let folder = project("unreadable");
    for content in ["", "[]", "{\"toolwright_learned\": 2, \"operations\": []}", "{\"operations\": []}"] {
        std::fs::write(folder.join("learned.json"), content).unwrap();
        let output = run(&folder, &[]);
        assert_eq!(output.status.code(), Some(2), "{content}: {}", text(&output.stdout));
        assert!(text(&output.stderr).contains("`learned.json` can't be read"), "{}", text(&output.stderr));
    }
    let output = learn(&folder, &json!([]), &["--api", "acne"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there are `acme`"), "{}", text(&output.stderr));
    let unknown = json!({"toolwright_learned": 1, "operations": [{"api": "other", "operation": "x", "answers": 1, "misfits": []}]});
    std::fs::write(folder.join("learned.json"), unknown.to_string()).unwrap();
    assert!(text(&run(&folder, &[]).stderr).contains("`x` of other is in no description here"));
}

//! `cargo spec diff` → what it prints, and its exit codes: 0 the same, 1 changes, 2 breaking, 3 unreadable.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::{PROGRAM, scratch, shown, text};

/// A vendor as `spec new` makes it of this description.
const PARCELS: &str = r##"
openapi: 3.0.3
info: {title: Parcel Desk, version: "1"}
servers: [{url: "https://parcels.example.com/v1"}]
paths:
  /parcels:
    get:
      operationId: listParcels
      parameters: [{name: state, in: query, schema: {type: string, enum: [new, sent]}}]
      responses: {"200": {description: x, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Parcel"}}}}}}
    post:
      operationId: createParcel
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/NewParcel"}}}}
      responses: {"201": {description: x, content: {application/json: {schema: {$ref: "#/components/schemas/Parcel"}}}}}
  /parcels/{id}:
    get:
      operationId: getParcel
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: x, content: {application/json: {schema: {$ref: "#/components/schemas/Parcel"}}}}}
    delete:
      operationId: deleteParcel
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"204": {description: x}}
components:
  schemas:
    Parcel: {type: object, properties: {id: {type: string}, state: {type: string}, weight: {type: number}}}
    NewParcel: {type: object, required: [to], properties: {to: {type: string}, note: {type: string, maxLength: 100}}}
"##;

/// A project with the vendor `acme`, and its description beside it.
pub(crate) fn project(test: &str) -> PathBuf {
    let folder = scratch(&format!("drift-{test}"));
    std::fs::create_dir(folder.join("specs")).unwrap();
    std::fs::write(folder.join("old.yaml"), PARCELS).unwrap();
    let made = spec(&folder, &["new", "acme", "--from", "old.yaml"]);
    assert!(made.status.success(), "{}", shown(&made));
    folder
}

pub(crate) fn spec(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("spec").args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

/// Writes the description with replacements.
pub(crate) fn changed(folder: &Path, name: &str, replacements: &[(&str, &str)]) -> String {
    let mut text = PARCELS.to_owned();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    std::fs::write(folder.join(name), text).unwrap();
    name.to_owned()
}

#[test]
fn the_exit_code_tells_what_kind_of_change_there_is() {
    let folder = project("exit-codes");
    for (name, replacements, code, expected) in [
        ("same.yaml", vec![], 0, "acme: specs/acme/api.yaml against same.yaml: no difference"),
        (
            "more.yaml",
            vec![("[new, sent]", "[new, sent, lost]")],
            1,
            "enum-widened: GET /parcels (listParcels): query state",
        ),
        (
            "less.yaml",
            vec![("weight: {type: number}", "size: {type: string}")],
            2,
            "answer-field-removed: Parcel.weight of 3 operations",
        ),
        ("broken.yaml", vec![("openapi: 3.0.3", "openapi: 9")], 3, "broken.yaml"),
    ] {
        let name = changed(&folder, name, &replacements);
        let output = spec(&folder, &["diff", &name]);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", shown(&output));
        assert!(shown(&output).contains(expected), "{name}: {}", shown(&output));
    }
}

#[test]
fn what_cannot_be_read_never_counts_as_the_same() {
    let folder = project("unreadable");
    std::fs::write(folder.join("empty.yaml"), "").unwrap();
    std::fs::write(folder.join("page.yaml"), "<html><body>Sign in</body></html>").unwrap();
    std::fs::write(folder.join("other.yaml"), PARCELS.replace("/parcels", "/elsewhere").replace("Parcel", "Thing"))
        .unwrap();
    for (arguments, expected) in [
        (vec!["diff", "nowhere.yaml"], "nowhere.yaml"),
        (vec!["diff", "empty.yaml"], "empty.yaml"),
        (vec!["diff", "page.yaml"], "page.yaml"),
        (vec!["diff", "other.yaml"], "no API under specs/ has an operation of it"),
        (vec!["diff", "old.yaml", "--api", "acme-v2"], "there is no API `acme-v2`"),
        (vec!["diff", "old.yaml", "--base", "nowhere.yaml"], "nowhere.yaml"),
        (vec!["diff", "http://127.0.0.1:1/openapi.json"], "http://127.0.0.1:1/openapi.json"),
        (vec!["diff"], "Usage"),
        (vec!["diff", "old.yaml", "--format", "xml"], "xml"),
    ] {
        let output = spec(&folder, &arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", shown(&output));
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", shown(&output));
    }
    for (file, wrong) in
        [("specs/acme/drift.toml", "[severity]\nnothing = 1"), ("specs/acme/overlay.yaml", "overlay: 1.0.0")]
    {
        std::fs::write(folder.join(file), wrong).unwrap();
        let output = spec(&folder, &["diff", "old.yaml"]);
        assert_eq!(output.status.code(), Some(3), "{file}: {}", shown(&output));
    }
}

#[test]
fn json_has_each_change_and_markdown_is_the_body_of_a_pull_request() {
    let folder = project("formats");
    std::fs::write(folder.join("toolwright.toml"), "[profiles.desk]\ntags = [\"all\"]\nmethods = [\"all\"]\n").unwrap();
    let replacements = [
        ("weight: {type: number}", "size: {type: string}"),
        ("    delete:\n", "    put:\n"),
        ("maxLength: 100", "maxLength: 50, pattern: '^[@`|]*$'"),
    ];
    let name = changed(&folder, "new.yaml", &replacements);
    let output = spec(&folder, &["diff", &name, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["severity"], "breaking");
    let removed: Vec<&Value> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["kind"] == "answer-field-removed")
        .collect();
    assert_eq!(removed.len(), 3);
    assert_eq!(removed[0]["place"], "answer 200 [].weight");
    assert_eq!(removed[0]["hits"]["tools"][0]["name"], "acme_list_parcels");
    assert_eq!(
        report["counts"]["breaking"].as_u64(),
        Some(report["changes"].as_array().unwrap().iter().filter(|change| change["severity"] == "breaking").count()
            as u64)
    );

    let output = spec(&folder, &["diff", &name, "--format", "markdown"]);
    let markdown = text(&output.stdout);
    assert!(markdown.starts_with("# Changes of vendors' interfaces\n"), "{markdown}");
    assert!(markdown.contains("- **answer-field-removed** `Parcel.weight of 3 operations`: `number → nothing`\n  - hits `acme_create_parcel`, `acme_get_parcel`, `acme_list_parcels`\n"), "{markdown}");
    // What a vendor wrote formats nothing and mentions no account.
    assert!(markdown.contains("pattern ^[@'|]*$`"), "{markdown}");
}

#[test]
fn drift_toml_weighs_changes_and_accepts_known_ones() {
    let folder = project("drift-file");
    let name = changed(
        &folder,
        "new.yaml",
        &[("weight: {type: number}", "size: {type: string}"), ("[new, sent]", "[new, sent, lost]")],
    );
    let accepted = "[severity]\nenum-widened = \"ignore\"\nanswer-field-added = \"ignore\"\n\n\
                    [[accepted]]\nkind = \"answer-field-removed\"\nplace = \"Parcel.weight\"\nreason = \"It was never filled.\"\n";
    std::fs::write(folder.join("specs/acme/drift.toml"), accepted).unwrap();
    let output = spec(&folder, &["diff", &name]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(shown(&output).contains("no difference but 3 accepted"), "{}", shown(&output));
}

/// What a person would do in specs/acme/ after `spec new`.
fn review(folder: &Path) {
    let file = folder.join("specs/acme/overlay.yaml");
    let overlay = std::fs::read_to_string(&file).unwrap();
    let overlay = overlay.replace(
        "        name: acme_list_parcels\n",
        "        # Ours.\n        name: acme_list_parcels\n        effect: read\n        risks: []\n        description: List parcels.\n        concise: [id, weight]\n        arguments:\n          state: {description: \"Where it is.\", samples: [new]}\n",
    );
    std::fs::write(&file, overlay).unwrap();
    let file = folder.join("specs/acme/api.yaml");
    let api = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, api.replacen("summary: \"\"  # TODO: describe", "summary: List parcels  # ours", 1)).unwrap();
}

#[test]
fn an_update_takes_over_facts_and_keeps_our_words() {
    let folder = project("update");
    review(&folder);
    let name = changed(
        &folder,
        "new.yaml",
        &[
            (
                "{name: state, in: query, schema: {type: string, enum: [new, sent]}}",
                "{name: status, in: query, schema: {type: string, enum: [new, sent]}}",
            ),
            ("weight: {type: number}", "grams: {type: integer}"),
            ("/parcels/{id}", "/parcels/{parcel}"),
            ("name: id, in: path", "name: parcel, in: path"),
            ("    delete:\n      operationId: deleteParcel", "    patch:\n      operationId: changeParcel"),
            (
                "note: {type: string, maxLength: 100}",
                "note: {type: string, maxLength: 50}, kind: {$ref: \"#/components/schemas/Kind\"}",
            ),
            ("    NewParcel:", "    Kind: {type: string, enum: [letter, box]}\n    NewParcel:"),
        ],
    );
    let dry = spec(&folder, &["update", "--api", "acme", "--from", &name, "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", shown(&dry));
    assert!(!folder.join("generated").exists());
    let update = spec(&folder, &["update", "--api", "acme", "--from", &name]);
    assert_eq!(update.status.code(), Some(0), "{}", shown(&update));
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let (api, overlay) = (read("specs/acme/api.yaml"), read("specs/acme/overlay.yaml"));
    for expected in [
        "summary: List parcels  # ours",
        "name: status",
        "grams: {type: integer}",
        "maxLength: 50",
        "Kind:",
        "/parcels/{parcel}",
        "operationId: changeParcel",
    ] {
        assert!(api.contains(expected), "{expected}\n{api}");
    }
    for expected in [
        "        # Ours.\n        name: acme_list_parcels\n",
        "          status: {description: \"Where it is.\", samples: [new], name: state}",
        "        concise: [id]",
        "  - target: $.paths['/parcels/{parcel}'].patch\n    update:\n      x-toolwright:\n        name: acme_update_parcel\n        verb: update\n        # effect: write  # to be reviewed",
        "        name: acme_get_parcel\n        verb: get\n        arguments: {parcel: {name: id}}\n",
    ] {
        assert!(overlay.contains(expected), "{expected}\n{overlay}");
    }
    assert!(!overlay.contains("acme_delete_parcel"), "{overlay}");
    assert!(read("generated/acme/tools.json").contains("acme_update_parcel"));
    let diff = spec(&folder, &["diff", &name]);
    assert_eq!(diff.status.code(), Some(0), "{}", shown(&diff));
    let again = spec(&folder, &["update", "--api", "acme", "--from", &name]);
    assert!(again.status.success() && shown(&again).contains("nothing to take over"), "{}", shown(&again));
    assert_eq!((api, overlay), (read("specs/acme/api.yaml"), read("specs/acme/overlay.yaml")));
}

/// The journal of an interrupted run is finished by the next command.
#[test]
fn the_next_command_finishes_an_interrupted_update() {
    let folder = project("interrupted");
    let journal = folder.join(".toolwright-update");
    std::fs::create_dir_all(journal.join("new")).unwrap();
    std::fs::write(
        journal.join("new/0"),
        std::fs::read_to_string(folder.join("specs/acme/vendor.toml")).unwrap() + "# finished\n",
    )
    .unwrap();
    std::fs::write(journal.join("journal"), "write 0 specs/acme/vendor.toml\n").unwrap();
    let diff = spec(&folder, &["diff", "old.yaml"]);
    assert!(diff.status.success(), "{}", shown(&diff));
    assert!(std::fs::read_to_string(folder.join("specs/acme/vendor.toml")).unwrap().ends_with("# finished\n"));
    assert!(!journal.exists());
}

#[test]
fn a_description_that_cannot_be_read_changes_nothing() {
    let folder = project("update-unreadable");
    let before = std::fs::read_to_string(folder.join("specs/acme/api.yaml")).unwrap();
    std::fs::write(folder.join("broken.yaml"), "openapi: 3.0.3\npaths: [").unwrap();
    for from in ["broken.yaml", "nowhere.yaml"] {
        let update = spec(&folder, &["update", "--api", "acme", "--from", from]);
        assert_eq!(update.status.code(), Some(2), "{}", shown(&update));
    }
    assert_eq!(std::fs::read_to_string(folder.join("specs/acme/api.yaml")).unwrap(), before);
    assert!(!folder.join("generated").exists());
}

/// Names a source in vendor.toml.
fn with_source(folder: &Path, source: &str) {
    let file = folder.join("specs/acme/vendor.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[source.api]\n{source}\n")).unwrap();
}

#[test]
fn check_compares_each_api_with_its_source() {
    let folder = project("check");
    let none = spec(&folder, &["check"]);
    assert_eq!(none.status.code(), Some(3), "{}", shown(&none));
    assert!(shown(&none).contains("names no source: not checked"), "{}", shown(&none));
    with_source(&folder, "from = \"published.yaml\"\noperations = [\"GET *\"]");
    for (replacements, code) in [
        (vec![], 0),
        (vec![("[new, sent]", "[new, sent, lost]")], 1),
        (vec![("weight: {type: number}", "size: {type: string}")], 2),
        (vec![("openapi: 3.0.3", "openapi: 9")], 3),
        // A new operation that is not ours.
        (vec![("    delete:\n", "    put: {responses: {\"204\": {description: x}}}\n    delete:\n")], 0),
    ] {
        changed(&folder, "published.yaml", &replacements);
        let output = spec(&folder, &["check", "--format", "json"]);
        assert_eq!(output.status.code(), Some(code), "{replacements:?}: {}", shown(&output));
    }
    for arguments in [&["check", "--api", "acme-v2"][..], &["check", "--apis"]] {
        assert_eq!(spec(&folder, arguments).status.code(), Some(3), "{arguments:?}");
    }
}

#[test]
fn accepted_differences_are_known_from_then_on() {
    let folder = project("accept");
    with_source(&folder, "from = \"published.yaml\"");
    changed(&folder, "published.yaml", &[("weight: {type: number}", "size: {type: string}")]);
    assert_eq!(spec(&folder, &["check", "--accept"]).status.code(), Some(2));
    let known = std::fs::read_to_string(folder.join("specs/acme/api.known")).unwrap();
    assert!(known.contains("answer-field-removed | Parcel.weight | number | -\n"), "{known}");
    let check = spec(&folder, &["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", shown(&check));
    let update = spec(&folder, &["update", "--api", "acme"]);
    assert!(shown(&update).contains("nothing to take over"), "{}", shown(&update));
    // What comes on top is new.
    changed(&folder, "published.yaml", &[("weight: {type: number}", "size: {type: string}"), ("[new, sent]", "[new]")]);
    let check = spec(&folder, &["check"]);
    assert_eq!(check.status.code(), Some(2), "{}", shown(&check));
    assert!(shown(&check).contains("1 breaking, 0 other changes"), "{}", shown(&check));
}

#[test]
fn a_failure_of_the_system_never_counts_as_a_change() {
    let folder = project("system");
    std::fs::create_dir(folder.join(".toolwright-update")).unwrap();
    std::fs::write(folder.join(".toolwright-update/journal"), [0xff]).unwrap();
    for (arguments, code) in
        [(vec!["diff", "old.yaml"], 3), (vec!["check"], 3), (vec!["update", "--api", "acme", "--from", "old.yaml"], 2)]
    {
        let output = spec(&folder, &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", shown(&output));
    }
}

//! `catalog diff`: what is read, what is printed, and what fails.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::changed::{folder, jitbit, parts, run_in, tool};

/// A folder whose `before` is the compiled catalog, and whose own catalog lacks a tool and claims less of another.
fn changed(name: &str) -> std::path::PathBuf {
    let mut file = jitbit();
    tool(&mut file, "jitbit_close_ticket")["effect"] = json!("read");
    file["tools"].as_array_mut().unwrap().retain(|tool| tool["name"] != "jitbit_get_stats");
    folder(&format!("{name}/before"), &jitbit());
    folder(name, &file)
}

#[test]
fn a_catalog_does_not_differ_from_itself_however_it_is_named() {
    let here = folder("diff-same", &jitbit());
    let binary = env!("CARGO_BIN_EXE_toolwright");
    let file = "generated/jitbit/tools.json";
    for (old, new) in [("generated", file), ("generated/jitbit", "generated"), (binary, binary)] {
        let (code, out, err) = parts(&run_in(&here, &["catalog", "diff", old, new, "--fail-on", "any"]));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{old} {new}: {out}");
        assert!(out.contains("largest step of the version: none"), "{out}");
    }
    // With one side left out it is this program.
    let (code, out, _) = parts(&run_in(&here, &["catalog", "diff", binary, "--fail-on", "any"]));
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn what_takes_a_name_away_or_lowers_an_effect_fails_unless_the_changelog_names_it() {
    let here = changed("diff-guarded");
    let diff = |more: &[&str]| {
        let arguments = [&["catalog", "diff", "before/generated", "generated"], more].concat();
        parts(&run_in(&here, &arguments))
    };
    let (code, out, err) = diff(&[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("tool_removed: GET /api/Stats is gone"), "{out}");
    assert!(out.contains("effect_lowered: effect: `write` → `read`"), "{out}");
    assert!(err.contains("changes that need someone's word: `jitbit_close_ticket`, `jitbit_get_stats`"), "{err}");
    let changelog = |text: &str| {
        std::fs::write(here.join("CHANGELOG.md"), text).unwrap();
        diff(&["--changelog", "CHANGELOG.md"])
    };
    let both = "- `jitbit_get_stats` is gone, `jitbit_close_ticket` reads.\n";
    for (text, code) in [
        (format!("# Changelog\n\n## [Unreleased]\n\n{both}"), 0),
        // Of an earlier release.
        (format!("## [Unreleased]\n\n- `jitbit_get_stats` is gone.\n\n## [0.1.0]\n\n{both}"), 1),
        ("## [Unreleased]\n\n- `jitbit_get_stats_2`, `jitbit_close_ticket`\n".to_owned(), 1),
        (both.to_owned(), 2),
    ] {
        let (found, out, err) = changelog(&text);
        assert_eq!(found, Some(code), "{text}: {out} {err}");
    }
}

#[test]
fn what_fails_can_be_chosen() {
    let here = folder("diff-fail-on/before", &jitbit());
    let mut file = jitbit();
    tool(&mut file, "jitbit_close_ticket")["title"] = json!("Shut a ticket");
    let tool = tool(&mut file, "jitbit_get_ticket_record");
    tool["inputSchema"]["properties"]["ticketId"]["minimum"] = json!(5);
    let after = folder("diff-fail-on", &file);
    let here = here.join("generated");
    let diff = |fail_on: &str| {
        let arguments =
            ["catalog", "diff", here.to_str().unwrap(), "generated", "--fail-on", fail_on, "--format", "json"];
        let (code, out, _) = parts(&run_in(&after, &arguments));
        (code, serde_json::from_str::<Value>(&out).unwrap())
    };
    assert_eq!(diff("guarded").0, Some(0));
    let (code, report) = diff("breaks");
    assert_eq!(code, Some(1));
    let count = jitbit()["tools"].as_array().unwrap().len();
    assert_eq!(
        (&report["bump"], &report["tools"]),
        (&json!("major"), &json!({"before": count, "after": count})),
        "{report}"
    );
    let changes = report["changes"].as_array().unwrap();
    let shown: Vec<_> =
        changes.iter().map(|it| (it["tool"].as_str(), it["kind"].as_str(), it["fails"].as_bool())).collect();
    let expected = [
        (Some("jitbit_close_ticket"), Some("words"), Some(false)),
        (Some("jitbit_get_ticket_record"), Some("argument_narrowed"), Some(true)),
    ];
    assert_eq!(shown, expected, "{report}");
    assert_eq!(diff("any").0, Some(1));
}

/// Runs git in a folder, with no one's settings.
fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]);
    command
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_git_revision_is_read_and_the_lines_that_the_changelog_gained_count() {
    let here = folder("diff-git", &jitbit());
    let _ = std::fs::remove_dir_all(here.join(".git"));
    std::fs::write(here.join("CHANGELOG.md"), "## [0.1.0]\n\n- `jitbit_get_stats` is there.\n").unwrap();
    git(&here, &["init", "--quiet"]);
    git(&here, &["add", "."]);
    git(&here, &["commit", "--quiet", "--message", "one"]);
    git(&here, &["tag", "v0.1.0"]);
    let mut file = jitbit();
    file["tools"].as_array_mut().unwrap().retain(|tool| tool["name"] != "jitbit_get_stats");
    folder("diff-git", &file);
    let diff = || parts(&run_in(&here, &["catalog", "diff", "v0.1.0", "generated", "--changelog", "CHANGELOG.md"]));
    let (code, out, err) = diff();
    assert_eq!(code, Some(1), "an old line must not count: {out} {err}");
    assert!(out.contains("largest step of the version: major, so at least 0.2.0"), "{out}");
    let whole = here.join("CHANGELOG.md").display().to_string();
    let (code, ..) = parts(&run_in(&here, &["catalog", "diff", "v0.1.0", "generated", "--changelog", &whole]));
    assert_eq!(code, Some(1), "an old line must not count, however the file is named");
    let text = "## [0.2.0]\n\n- `jitbit_get_stats` is gone.\n\n## [0.1.0]\n\n- `jitbit_get_stats` is there.\n";
    std::fs::write(here.join("CHANGELOG.md"), text).unwrap();
    let (code, out, err) = diff();
    assert_eq!(code, Some(0), "{out} {err}");
}

#[test]
fn what_can_t_be_read_never_reads_as_the_same() {
    let here = folder("diff-unreadable", &jitbit());
    std::fs::write(here.join("text.json"), "{\"tools\": 1}").unwrap();
    std::fs::write(here.join("plain"), "no program").unwrap();
    std::fs::create_dir_all(here.join("empty")).unwrap();
    for (word, why) in [
        ("text.json", "it is no tools.json"),
        ("plain", "no JSON and no program that runs"),
        ("empty", "holds no `tools.json`"),
        ("no-such-thing", "no file or folder here, and no git revision"),
        ("--upload-pack=x", "unexpected argument"),
        ("/bin/false", "failed"),
    ] {
        let (code, out, err) = parts(&run_in(&here, &["catalog", "diff", word]));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{word}: {err}");
        assert!(err.contains(why), "{word}: {err}");
    }
}

#[test]
fn the_markdown_is_a_table_for_a_pull_request() {
    let here = changed("diff-markdown");
    let (_, out, _) =
        parts(&run_in(&here, &["catalog", "diff", "before/generated", "generated", "--format", "markdown"]));
    let rows: Vec<&str> = out.lines().filter(|line| line.starts_with("| `jitbit_")).collect();
    assert_eq!(rows.len(), 2, "{out}");
    assert!(rows[0].contains("`jitbit_close_ticket`") && rows[0].contains("**changes**"), "{out}");
}

/// The estimate of both sides is the one that `catalog stats` has.
#[test]
fn tokens_are_counted_as_elsewhere() {
    let here = folder("diff-tokens", &jitbit());
    let (_, out, _) = parts(&run_in(&here, &["catalog", "stats", "--format", "json"]));
    let stats: Value = serde_json::from_str(&out).unwrap();
    let (_, out, _) = parts(&run_in(&here, &["catalog", "diff", "generated", "--format", "json"]));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["tokens"]["after"], stats["tokens"]);
}

/// A random schema of arguments, with few enough values that neighbours differ little.
fn schema(random: &mut fastrand::Rng, depth: usize) -> Value {
    let number = |random: &mut fastrand::Rng| random.i32(0..4);
    match random.u8(0..if depth > 0 { 8 } else { 5 }) {
        0 => json!({"type": "integer", "minimum": number(random), "maximum": number(random) + 2}),
        1 => json!({"type": ["number", "null"], "exclusiveMinimum": number(random)}),
        2 => json!({"type": "string", "maxLength": number(random)}),
        3 => json!({"type": "string", "enum": (0..=number(random)).map(|n| format!("v{n}")).collect::<Vec<_>>()}),
        4 => json!({"type": "boolean"}),
        5 => json!({"type": "array", "minItems": number(random), "items": schema(random, depth - 1)}),
        6 => json!({"anyOf": [schema(random, depth - 1), schema(random, depth - 1)]}),
        _ => {
            let names = ["a", "b", "c"].into_iter().filter(|_| random.bool()).collect::<Vec<_>>();
            let required: Vec<&str> = names.iter().copied().filter(|_| random.bool()).collect();
            let properties: serde_json::Map<String, Value> =
                names.iter().map(|name| ((*name).to_owned(), schema(random, depth - 1))).collect();
            json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
        }
    }
}

/// A random value, often one of such a schema.
fn instance(random: &mut fastrand::Rng, depth: usize) -> Value {
    match random.u8(0..if depth > 0 { 7 } else { 5 }) {
        0 => json!(random.i32(0..6)),
        1 => json!(f64::from(random.i32(0..12)) / 2.0),
        2 => Value::Null,
        3 => json!(format!("v{}", random.i32(0..5))),
        4 => json!(random.bool()),
        5 => (0..random.usize(0..4)).map(|_| instance(random, depth - 1)).collect(),
        _ => {
            let names = ["a", "b", "c"].into_iter().filter(|_| random.bool()).collect::<Vec<_>>();
            Value::Object(names.iter().map(|name| ((*name).to_owned(), instance(random, depth - 1))).collect())
        }
    }
}

/// What no change is said to break, another validator accepts as before.
#[test]
fn arguments_that_are_not_said_to_break_are_accepted_as_before() {
    use toolwright_model::comparison::{Impact, compare, read_tools};

    let mut random = fastrand::Rng::with_seed(18);
    let (mut kept, mut judged, mut broken) = (0, 0, 0);
    for _ in 0..4_000 {
        let before =
            json!({"type": "object", "additionalProperties": false, "properties": {"x": schema(&mut random, 2)}});
        let mut after = before.clone();
        // A small change as often as another schema.
        if random.bool() {
            after["properties"]["x"] = schema(&mut random, 2);
        } else if let Some(keywords) = after["properties"]["x"].as_object_mut() {
            let key = keywords.keys().nth(random.usize(0..keywords.len())).cloned().unwrap();
            match &mut keywords[&key] {
                Value::Number(number) => {
                    keywords[&key] = json!((number.as_i64().unwrap() + i64::from(random.i32(-1..2))).max(0));
                }
                Value::Array(items) if items.len() > 1 => drop(items.pop()),
                _ => drop(keywords.shift_remove(&key)),
            }
        }
        let tools = |schema: &Value| {
            let tool = json!({"name": "acme_do", "effect": "read", "inputSchema": schema});
            read_tools(&json!({"vendor": "acme", "tools": [tool]}).to_string()).unwrap()
        };
        let compared = compare(&tools(&before), &tools(&after));
        assert!(before != after || compared.changes.is_empty(), "{before} {compared:?}");
        let breaks = compared.changes.iter().any(|change| change.impact == Impact::Breaks);
        let (old, new) = (jsonschema::validator_for(&before).unwrap(), jsonschema::validator_for(&after).unwrap());
        for _ in 0..20 {
            let value = json!({"x": instance(&mut random, 2)});
            if !old.is_valid(&value) {
                continue;
            }
            judged += 1;
            if new.is_valid(&value) {
                kept += 1;
            } else {
                broken += 1;
                assert!(breaks, "{value} is refused now:\n{before}\n{after}\n{compared:?}");
            }
        }
    }
    assert!(judged > 1_000 && kept > 300 && broken > 100, "{judged} {kept} {broken}");
}

//! Calls are recorded with this program, and replayed against catalogs that differ from it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use toolwright::audit::Audit;
use toolwright::call::Caller;
use toolwright::policy::Defaults;

use crate::common::changed::{folder, jitbit, parts, run_in, tool};
use crate::common::{everything, sandbox, toolbox};

/// Records some calls of two clients, one of them under a profile; returns the log.
async fn record(name: &str) -> PathBuf {
    let sandbox = sandbox(None).await;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replay-{name}.jsonl"));
    let _ = std::fs::remove_file(&path);
    for (client, profile, calls) in [
        (
            "editor 1.0",
            Some("agent"),
            vec![
                ("jitbit_get_ticket_record", json!({"ticketId": 7})),
                ("jitbit_get_ticket_record", json!({"ticketId": 8})),
                ("jitbit_list_tickets", json!({"mode": "unclosed", "limit": 5})),
                ("jitbit_get_stats", json!({})),
                // Refused then; not replayed.
                ("jitbit_get_ticket_record", json!({"ticketId": "x"})),
            ],
        ),
        (
            "desktop 2.0",
            None,
            vec![
                ("jitbit_close_ticket", json!({"ticketId": 8})),
                ("jitbit_create_user", json!({"username": "pat", "email": "pat@example.com", "password": "pl4nted"})),
                ("jitbit_add_comment", json!({"ticketId": 8, "body": "long ".repeat(100), "forTechsOnly": true})),
            ],
        ),
    ] {
        let audit = Audit::open(&path).unwrap().with_profile(profile.map(str::to_owned));
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_record(Some(audit));
        let caller = Caller { client: Some(client.to_owned()), ..Caller::default() };
        for (tool, arguments) in calls {
            let _ = toolbox.call_as(&caller, tool, arguments.as_object().cloned().unwrap()).await;
        }
    }
    path
}

fn replay(folder: &Path, log: &Path, more: &[&str]) -> (Option<i32>, Value, String) {
    let arguments = [&["audit", "replay", log.to_str().unwrap(), "--format", "json"], more].concat();
    let (code, out, err) = parts(&run_in(folder, &arguments));
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out} {err}")), err)
}

/// The fates and how many calls have them, over all groups.
fn fates(report: &Value) -> Vec<(String, u64)> {
    let mut all = std::collections::BTreeMap::new();
    for group in report["groups"].as_array().unwrap() {
        for (fate, count) in group["counts"].as_object().unwrap() {
            *all.entry(fate.clone()).or_default() += count.as_u64().unwrap();
        }
    }
    all.into_iter().collect()
}

fn counted(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(fate, count)| ((*fate).to_owned(), *count)).collect()
}

#[tokio::test]
async fn against_the_same_catalog_every_call_is_as_before_as_far_as_it_is_seen() {
    let log = record("same").await;
    let here = folder("replay-same", &jitbit());
    for more in [[].as_slice(), &["--catalog", "generated"]] {
        let (code, report, err) = replay(&here, &log, more);
        assert_eq!(code, Some(0), "{report} {err}");
        assert_eq!(fates(&report), counted(&[("as_before", 5), ("not_judged", 2)]), "{report}");
        assert_eq!((&report["not_replayed"], &report["values_not_judged"]), (&json!(1), &json!(2)), "{report}");
        assert!(report["notes"][0].as_str().unwrap().contains("profile `agent`"), "{report}");
    }
}

#[tokio::test]
async fn each_change_has_its_calls_by_profile_and_client_with_examples() {
    let log = record("changed").await;
    let mut file = jitbit();
    file["tools"].as_array_mut().unwrap().retain(|tool| tool["name"] != "jitbit_get_stats");
    let ticket = tool(&mut file, "jitbit_get_ticket_record");
    ticket["inputSchema"]["properties"]["ticketId"]["minimum"] = json!(8);
    let list = tool(&mut file, "jitbit_list_tickets");
    list["name"] = json!("jitbit_show_tickets");
    list["aliases"] = json!(["jitbit_list_tickets"]);
    let close = tool(&mut file, "jitbit_close_ticket");
    close["calls"][0]["operation"] = json!("deleteTicket");
    close["calls"][0]["path"] = json!("/api/DeleteTicket");
    tool(&mut file, "jitbit_create_user")["effect"] = json!("destructive");
    let here = folder("replay-changed", &file);
    let (code, report, err) = replay(&here, &log, &["--catalog", "generated"]);
    assert_eq!(code, Some(1), "{err}");
    let expected = [
        ("arguments", 1),
        ("as_before", 1),
        ("effect_changed", 1),
        ("no_such_tool", 1),
        ("not_judged", 1),
        ("other_operation", 1),
        ("renamed", 1),
    ];
    assert_eq!(fates(&report), counted(&expected), "{report:#}");
    let group = |profile: Value, client: &str| {
        let all = report["groups"].as_array().unwrap();
        all.iter().find(|group| group["profile"] == profile && group["client"] == client).unwrap().clone()
    };
    assert_eq!(group(json!("agent"), "editor 1.0")["counts"]["arguments"], 1, "{report:#}");
    assert_eq!(group(Value::Null, "desktop 2.0")["counts"]["other_operation"], 1, "{report:#}");
    let example =
        |fate: &str| report["examples"].as_array().unwrap().iter().find(|it| it["fate"] == fate).unwrap().clone();
    assert!(example("arguments")["texts"][0].as_str().unwrap().contains("`ticketId`"), "{report:#}");
    assert_eq!(
        (&example("arguments")["lines"], &example("arguments")["tool"]),
        (&json!([1]), &json!("jitbit_get_ticket_record"))
    );
    assert_eq!(example("renamed")["texts"], json!(["`jitbit_show_tickets`"]));
    assert!(!report.to_string().contains("pl4nted"));
}

#[tokio::test]
async fn a_profile_is_applied_where_the_settings_file_has_it() {
    let log = record("profile").await;
    let mut file = jitbit();
    tool(&mut file, "jitbit_get_ticket_record")["effect"] = json!("write");
    let here = folder("replay-profile", &file);
    let settings = |text: &str| std::fs::write(here.join("toolwright.toml"), text).unwrap();
    settings("[profiles.agent]\nmethods = [\"read\"]\ntags = [\"all\"]\n");
    let (code, report, err) = replay(&here, &log, &["--catalog", "generated"]);
    assert_eq!(code, Some(1), "{err}");
    assert_eq!(fates(&report), counted(&[("as_before", 3), ("held_back", 2), ("not_judged", 2)]), "{report:#}");
    // What the profile did not offer before either was opened by flags that the record does not show.
    settings("[profiles.agent]\ntools = [\"jitbit_list_*\"]\n");
    let (_, report, _) = replay(&here, &log, &["--catalog", "generated"]);
    assert_eq!(fates(&report), counted(&[("as_before", 3), ("effect_changed", 2), ("not_judged", 2)]), "{report:#}");
    // A name that the new catalog lacks: serve would refuse to start.
    settings("[profiles.agent]\ntools = [\"jitbit_get_nothing\"]\n");
    let (code, report, _) = replay(&here, &log, &["--catalog", "generated"]);
    assert_eq!(code, Some(1));
    assert!(report["broken_profiles"][0].as_str().unwrap().contains("jitbit_get_nothing"), "{report:#}");
}

#[tokio::test]
async fn damaged_records_and_other_files_are_no_success() {
    let log = record("damaged").await;
    let here = folder("replay-damaged", &jitbit());
    let text = std::fs::read_to_string(&log).unwrap().replace("\"ticketId\":8", "\"ticketId\":9");
    std::fs::write(&log, text).unwrap();
    let (code, report, err) = replay(&here, &log, &[]);
    assert_eq!(code, Some(1), "{report}");
    assert!(err.contains("nothing from there on was replayed"), "{err}");
    assert_eq!(report["calls"], 1);
    let (code, _, err) = parts(&run_in(&here, &["audit", "replay", "no-such-file"]));
    assert_eq!(code, Some(2), "{err}");
    std::fs::write(here.join("other.json"), "{\"api\": \"jitbit\", \"vendor\": \"jitbit\", \"tools\": [{}]}").unwrap();
    let (code, _, err) = parts(&run_in(&here, &["audit", "replay", log.to_str().unwrap(), "--catalog", "other.json"]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("can't be replayed against"), "{err}");
}

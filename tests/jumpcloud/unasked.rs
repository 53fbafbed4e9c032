//! Effects and risks of operations with misleading methods; and that by default, by every way in
//! and by every name, nothing changes, no mail is sent and no secret is shown.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};
use toolwright::audit::Audit;
use toolwright::call::Failure;
use toolwright::catalog::{Catalog, CatalogEntry};
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::{Effect, Risk};

use super::{DEVICE, USER, client, toolbox, tools, words};
use crate::common::{call, everything, nothing, sandbox};

/// The tools that call this operation.
#[track_caller]
fn over<'a>(catalog: &'a Catalog, method: &str, path: &str) -> Vec<&'a CatalogEntry> {
    let calls = |entry: &&CatalogEntry| entry.tool.calls.iter().any(|call| call.method == method && call.path == path);
    let found: Vec<&CatalogEntry> = tools(catalog).filter(calls).collect();
    assert!(!found.is_empty(), "{method} {path}: no tool");
    found
}

/// The flags that a tool needs besides those that are given.
fn needs(flags: &[(&str, &str)], tool: &str) -> Vec<String> {
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(&words(flags), Defaults::Reads, &catalog).unwrap();
    selection.decide(catalog.get(tool).unwrap()).err().map(|refusal| refusal.flags).unwrap_or_default()
}

#[test]
fn a_get_that_mails_an_administrator_is_a_write() {
    let catalog = Catalog::compiled();
    for entry in over(&catalog, "GET", "/users/reactivate/{id}") {
        assert_eq!(entry.tool.effect, Some(Effect::Write), "{}", entry.tool.name);
        assert!(entry.tool.risks.contains(&Risk::Notifies) && !entry.tool.annotations.read_only_hint);
        assert!(entry.tool.description.contains("Every call mails again"), "{}", entry.tool.description);
        assert_eq!(needs(&[], &entry.tool.name), ["--methods write"]);
    }
}

#[test]
fn a_post_that_only_queries_is_a_read() {
    let catalog = Catalog::compiled();
    let mut asked = 0;
    for entry in tools(&catalog) {
        let asks = |path: &str| path.starts_with("/search/") || path.starts_with("/events");
        for call in entry.tool.calls.iter().filter(|call| asks(&call.path)) {
            assert_eq!((call.method.as_str(), entry.tool.effect), ("POST", Some(Effect::Read)), "{}", entry.tool.name);
            assert!(entry.tool.annotations.read_only_hint && needs(&[], &entry.tool.name).is_empty());
            asked += 1;
        }
    }
    assert_eq!(asked, 5 + 4, "five searches, four questions to the log");
}

#[test]
fn descriptions_mention_commands_that_wait_for_an_offline_device() {
    let catalog = Catalog::compiled();
    let roots = ["/systems/{system_id}/command/builtin", "/applemdms/{apple_mdm_id}/devices/{device_id}"];
    for (order, path) in ["erase", "lock", "restart", "shutdown"]
        .into_iter()
        .flat_map(|order| roots.map(|root| (order, format!("{root}/{order}"))))
    {
        for entry in over(&catalog, "POST", &path) {
            let text = entry.tool.description.to_lowercase();
            assert!(
                text.contains("offline") && (text.contains("comes back") || text.contains("waits")),
                "{path}: {text}"
            );
            assert!(entry.tool.risks.contains(&Risk::Disruptive), "{path}");
            let erases = order == "erase";
            assert_eq!(entry.tool.risks.contains(&Risk::Irreversible), erases, "{path}");
            assert_eq!(entry.tool.effect, Some(if erases { Effect::Destructive } else { Effect::Write }), "{path}");
        }
    }
    for tool in ["jumpcloud_erase_device", "jumpcloud_erase_apple_device"] {
        assert_eq!(needs(&[("methods", "all")], tool), ["--allow irreversible"]);
    }
}

#[test]
fn each_gated_risk_opens_by_its_own_flag() {
    let catalog = Catalog::compiled();
    for (method, path, risk) in [
        ("POST", "/runCommand", Risk::RunsCode),
        ("POST", "/command/trigger/{triggername}", Risk::RunsCode),
        ("POST", "/commands", Risk::RunsCode),
        ("PUT", "/commands/{id}", Risk::RunsCode),
        ("GET", "/systems/{system_id}/fdekey", Risk::RevealsSecret),
        ("GET", "/systemusers/{id}/totpinfo", Risk::RevealsSecret),
        ("GET", "/radiusservers/{id}", Risk::RevealsSecret),
        ("GET", "/applications/{id}", Risk::RevealsSecret),
        ("POST", "/systemusers/{id}/resetmfa", Risk::WeakensSecurity),
        ("POST", "/users/resettotp/{id}", Risk::WeakensSecurity),
    ] {
        for entry in over(&catalog, method, path) {
            let name = entry.tool.name.as_str();
            assert!(entry.tool.risks.contains(&risk), "{name}");
            assert_eq!(needs(&[("methods", "all"), ("tags", "all")], name), [format!("--allow {risk}")], "{name}");
            assert!(needs(&[("methods", "all"), ("tags", "all"), ("allow", risk.as_str())], name).is_empty(), "{name}");
        }
    }
    assert_eq!(
        needs(&[("methods", "all")], "jumpcloud_remove_user_mfa_requirement"),
        ["--allow weakens_security"],
        "taking the requirement away weakens, asking for it does not"
    );
    assert!(needs(&[("methods", "all")], "jumpcloud_require_user_mfa").is_empty());
}

#[test]
fn the_full_update_of_users_is_gated_and_not_core() {
    let catalog = Catalog::compiled();
    // What each may send; only the full update takes more.
    let narrow = [
        "department",
        "displayname",
        "employeeIdentifier",
        "firstname",
        "jobTitle",
        "lastname",
        "company",
        "location",
        "manager",
        "middlename",
        "costCenter",
        "employeeType",
        "description",
        "managedAppleId",
        "phoneNumbers",
        "addresses",
        "user_id",
        "dry_run",
    ];
    let mut wide = Vec::new();
    for entry in over(&catalog, "PUT", "/systemusers/{id}") {
        let schema = entry.tool.parsed_input_schema();
        let arguments = schema["properties"].as_object().unwrap();
        if arguments.keys().all(|argument| narrow.contains(&argument.as_str())) {
            continue;
        }
        wide.push(entry.tool.name.as_str());
        assert!(arguments.contains_key("password") && arguments.contains_key("sudo"));
        assert!(!entry.tool.is_core() && entry.tool.risks.contains(&Risk::WeakensSecurity));
        assert_eq!(needs(&[("methods", "all"), ("tags", "all")], &entry.tool.name), ["--allow weakens_security"]);
    }
    assert_eq!(wide, ["jumpcloud_update_user_account"]);
}

#[tokio::test]
async fn bulk_tools_are_disruptive_and_bounded() {
    let catalog = Catalog::compiled();
    let bulk: Vec<&CatalogEntry> = tools(&catalog)
        .filter(|entry| entry.tool.tags.contains("bulk") && entry.tool.effect != Some(Effect::Read))
        // Of a tool of several calls each has the risks of the single tool; how many there are is bounded by the build.
        .filter(|entry| entry.tool.workflow.is_none())
        .collect();
    let names: Vec<&str> = bulk.iter().map(|entry| entry.tool.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "jumpcloud_create_users_in_bulk",
            "jumpcloud_import_workday_workers",
            "jumpcloud_run_command",
            "jumpcloud_schedule_user_states",
            "jumpcloud_update_users_in_bulk",
        ]
    );
    for entry in &bulk {
        let name = &entry.tool.name;
        assert!(entry.tool.risks.contains(&Risk::Disruptive), "{name}");
        let schema = entry.tool.parsed_input_schema();
        let lists: Vec<(&String, &Value)> =
            schema["properties"].as_object().unwrap().iter().filter(|(_, one)| one["type"] == "array").collect();
        let [(targets, list)] = lists.as_slice() else { panic!("{name}: {lists:?}") };
        assert_eq!((&list["minItems"], &list["maxItems"]), (&json!(1), &json!(50)), "{name}");
        assert!(schema["required"].as_array().unwrap().contains(&json!(targets)), "{name}");
        assert!(entry.tool.description.contains("50"), "{name} says how many");
    }
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let devices = |count: usize| json!({"command_id": USER, "device_ids": vec![DEVICE; count]});
    for count in [0, 51] {
        let failure = call(&toolbox, "jumpcloud_run_command", devices(count)).await.unwrap_err();
        assert!(matches!(failure, Failure::Arguments { .. }), "{count}: {failure}");
    }
    assert!(sandbox.record().is_empty());
    call(&toolbox, "jumpcloud_run_command", devices(50)).await.unwrap();
    assert_eq!(sandbox.record().len(), 1);
}

/// Every other operation that takes many ids at once is a tool with that tag.
#[test]
fn operations_on_many_ids_are_tagged_bulk() {
    let catalog = Catalog::compiled();
    for entry in tools(&catalog).filter(|entry| entry.tool.effect != Some(Effect::Read)) {
        let schema = entry.tool.parsed_input_schema();
        for (argument, one) in schema["properties"].as_object().unwrap() {
            let ids = ["_ids", "Ids", "users", "devices"].iter().any(|ending| argument.ends_with(ending));
            let many = one["type"] == "array" && one["maxItems"] != 1 && ids;
            assert!(!many || entry.tool.tags.contains("bulk"), "{}: {argument}", entry.tool.name);
        }
    }
}

/// Passwords, codes and keys are in no plan and in no audit log.
#[tokio::test]
async fn secret_arguments_are_masked() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("jumpcloud-secrets.jsonl");
    let _ = std::fs::remove_file(&path);
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_record(Some(Audit::open(&path).unwrap()));
    let apple = json!({"apple_mdm_id": USER, "apple_device_id": DEVICE, "pin": "918273"});
    let of_user = json!({"user_id": USER, "password": "pl4nted-918273"});
    let users = json!({"users": [{"username": "mira", "email": "mira@solheim.example", "password": "pl4nted-918273"}]});
    let server = json!({"name": "wifi", "networkSourceIp": "192.0.2.7", "sharedSecret": "pl4nted-918273"});
    for (tool, arguments) in [
        ("jumpcloud_lock_apple_device", &apple),
        ("jumpcloud_erase_apple_device", &apple),
        ("jumpcloud_update_user_account", &of_user),
        ("jumpcloud_create_users_in_bulk", &users),
        ("jumpcloud_create_radius_server", &server),
    ] {
        let mut dry = arguments.clone();
        dry["dry_run"] = json!(true);
        let plan = crate::common::result(&toolbox, tool, dry).await;
        let plan = crate::common::text(&plan);
        assert!(plan.contains("***") && !plan.contains("918273"), "{tool}: {plan}");
        call(&toolbox, tool, arguments.clone()).await.unwrap();
        let sent = sandbox.take_record().pop().unwrap();
        assert!(String::from_utf8_lossy(sent.body.as_deref().unwrap()).contains("918273"), "{tool} sends it");
    }
    let record = std::fs::read_to_string(&path).unwrap();
    assert!(record.lines().count() >= 10 && record.contains("***") && !record.contains("918273"), "{record}");
}

/// Names and aliases of what changes, mails or shows a secret.
fn guarded() -> Vec<String> {
    let catalog = Catalog::compiled();
    assert_eq!(tools(&catalog).count(), 397);
    let guarded = tools(&catalog).filter(|entry| {
        entry.tool.effect != Some(Effect::Read)
            || entry.tool.risks.iter().any(|risk| risk.is_gated() || *risk == Risk::Notifies)
    });
    guarded.flat_map(|entry| std::iter::once(&entry.tool.name).chain(&entry.tool.aliases).cloned()).collect()
}

#[tokio::test]
async fn by_default_the_toolbox_changes_nothing() {
    let sandbox = sandbox(None).await;
    for defaults in [Defaults::Reads, Defaults::CoreReads] {
        let toolbox = toolbox(&sandbox, &SelectionWords::default(), defaults);
        for name in guarded() {
            let failure = call(&toolbox, &name, nothing()).await.unwrap_err();
            assert!(matches!(failure, Failure::Refused { .. }), "{name}: {failure}");
        }
    }
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn by_default_the_server_changes_nothing() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    let listed: Vec<String> = client.list_all_tools().await.unwrap().into_iter().map(|t| t.name.into_owned()).collect();
    for name in guarded() {
        assert!(!listed.contains(&name), "{name} is listed");
        let result = client.call_tool(CallToolRequestParams::new(name.clone())).await.unwrap();
        assert_eq!(result.is_error, Some(true), "{name}");
    }
    assert!(sandbox.record().is_empty());
}

/// The tools that are offered by default are reads without a gated risk.
#[test]
fn tools_offered_by_default_only_read() {
    let catalog = Catalog::compiled();
    for defaults in [Defaults::Reads, Defaults::CoreReads] {
        let selection = Selection::resolve(&SelectionWords::default(), defaults, &catalog).unwrap();
        let offered: Vec<&CatalogEntry> = tools(&catalog).filter(|entry| selection.decide(entry).is_ok()).collect();
        assert!(offered.len() > 10);
        for entry in offered {
            let quiet = [Risk::Sensitive];
            assert_eq!(entry.tool.effect, Some(Effect::Read), "{}", entry.tool.name);
            assert!(entry.tool.risks.iter().all(|risk| quiet.contains(risk)), "{}", entry.tool.name);
        }
    }
}

#[test]
fn by_default_the_command_line_changes_nothing() {
    // A connection here would be a request: nothing accepts, so none may be waiting.
    let vendor = TcpListener::bind("127.0.0.1:0").unwrap();
    vendor.set_nonblocking(true).unwrap();
    let address = format!("http://{}", vendor.local_addr().unwrap());
    let (names, next) = (guarded(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let output = Command::new(env!("CARGO_BIN_EXE_toolwright"))
                        .args(["call", name, "--args", "{}"])
                        .env_clear()
                        .envs([("JUMPCLOUD_URL", &address), ("JUMPCLOUD_INSIGHTS_URL", &address)])
                        .env("JUMPCLOUD_API_KEY", "k3y")
                        .stdin(Stdio::null())
                        .output()
                        .unwrap();
                    let errors = String::from_utf8_lossy(&output.stderr);
                    assert_eq!(output.status.code(), Some(2), "{name}: {errors}");
                    assert!(
                        errors.contains("held back") && errors.contains("--") && output.stdout.is_empty(),
                        "{name}: {errors}"
                    );
                }
            });
        }
    });
    assert_eq!(vendor.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "something was sent");
}

//! JumpCloud: many devices at once, each by the call that its system takes; and what the tools for many users leave alone.

use serde_json::{Value, json};
use toolwright::policy::{Defaults, SelectionWords};

use super::{Office, answers, count, refuses, row, rows};

const WINDOWS: &str = "5f1b2c3d4e5f60718293a401";
const LINUX: &str = "5f1b2c3d4e5f60718293a402";
const MAC: &str = "5f1b2c3d4e5f60718293a403";
/// A Mac that is not enrolled in Apple MDM.
const STRAY: &str = "5f1b2c3d4e5f60718293a404";
const MDM: &str = "6688f1d20c7e9a345b60d1f8";
/// The id of the Mac in Apple MDM.
const APPLE: &str = "66890a4c71f3b2e85d09c6a1";
const ANN: &str = "64d0a3f2b81c9e5a7f03c411";

fn device(id: &str, hostname: &str, family: &str) -> Value {
    let body = json!({"_id": id, "hostname": hostname, "osFamily": family, "serialNumber": format!("SN-{hostname}"), "organization": "o"});
    answers("getDevice", json!({"path": {"id": id}}), body)
}

/// Three devices that can be locked, and one that no call reaches.
fn fleet() -> Vec<Value> {
    let apple = json!([
        {"id": "0", "serialNumber": "SN-other"},
        {"id": APPLE, "serialNumber": "SN-mac-1", "deviceInformation": {"deviceName": "mac-1"}},
    ]);
    vec![
        device(WINDOWS, "pc-1", "windows"),
        device(LINUX, "srv-1", "linux"),
        device(MAC, "mac-1", "darwin"),
        device(STRAY, "mac-2", "darwin"),
        answers("listAppleMdms", json!({}), json!([{"id": MDM, "name": "Apple devices"}])),
        answers("listAppleDevices", json!({"path": {"apple_mdm_id": MDM}}), apple),
        answers(
            "listUserDevices",
            json!({"path": {"user_id": ANN}}),
            json!([{"id": LINUX, "type": "system"}, {"id": MAC, "type": "system"}]),
        ),
    ]
}

fn lockable() -> Vec<Value> {
    let mut site = fleet();
    let agent = |id: &str| answers("lockDevice", json!({"path": {"system_id": id}}), Value::Null);
    let apple = json!({"path": {"apple_mdm_id": MDM, "device_id": APPLE}, "body": {"pin": "204816"}});
    site.extend([agent(WINDOWS), agent(LINUX), answers("lockAppleDevice", apple, Value::Null)]);
    site
}

#[tokio::test]
async fn devices_of_every_system_are_locked_by_the_call_that_they_take() {
    let office = Office::open(lockable()).await;
    let arguments = json!({"devices": [WINDOWS, MAC, LINUX, STRAY], "pin": "204816"});
    let answer = office.answer("jumpcloud_lock_devices", arguments).await;
    let text = answer.to_string();
    assert_eq!(answer["summary"], "3 done, 1 not sent", "{answer}");
    let of = |step: &str| -> Vec<(String, String)> {
        let all = rows(&answer).into_iter().zip(answer["outcomes"].as_array().unwrap());
        all.filter(|(_, shown)| shown["step"] == step).map(|(row, _)| row).collect()
    };
    assert_eq!(of("agent"), [row("pc-1", "done"), row("srv-1", "done")], "{answer}");
    assert_eq!(of("apple"), [row("SN-mac-1", "done")], "{answer}");
    // The Mac that Apple MDM does not know is named, with the reason.
    assert_eq!(of("appleDevices"), [row("mac-2", "not sent")], "{answer}");
    assert!(text.contains("has no such record by `$item#/serialNumber`"), "{answer}");
    assert!(!text.contains("204816"), "{answer}");
    let sent = office.sent();
    assert_eq!((count(&sent, "lockDevice"), count(&sent, "lockAppleDevice"), count(&sent, "listAppleMdms")), (2, 1, 1));
}

#[tokio::test]
async fn without_macs_apple_mdm_is_not_asked() {
    let office = Office::open(lockable()).await;
    let answer = office.answer("jumpcloud_lock_devices", json!({"devices": [WINDOWS, LINUX, WINDOWS]})).await;
    assert_eq!(rows(&answer), [row("pc-1", "done"), row("srv-1", "done")], "{answer}");
    let sent = office.sent();
    assert!(sent.iter().all(|operation| !operation.contains("Apple")), "{sent:?}");
}

#[tokio::test]
async fn no_mac_is_locked_without_the_digits_that_open_it() {
    let office = Office::open(lockable()).await;
    let answer = office.answer("jumpcloud_lock_devices", json!({"devices": [WINDOWS, MAC]})).await;
    assert_eq!(rows(&answer), [row("pc-1", "done"), row("SN-mac-1", "not sent")], "{answer}");
    assert!(answer["outcomes"][1]["why"].as_str().unwrap().contains("`$inputs.pin` is missing"), "{answer}");
    assert_eq!(count(&office.sent(), "lockAppleDevice"), 0);
}

#[tokio::test]
async fn all_devices_of_a_person_are_restarted_and_planned_first() {
    let mut site = fleet();
    site.extend([
        answers("restartDevice", json!({"path": {"system_id": LINUX}}), Value::Null),
        answers("restartAppleDevice", json!({"path": {"apple_mdm_id": MDM, "device_id": APPLE}}), Value::Null),
    ]);
    let office = Office::open(site).await;
    let plan = office.answer("jumpcloud_restart_devices", json!({"user": ANN, "dry_run": true})).await;
    assert_eq!((&plan["dry_run"], &plan["changed"]), (&json!(true), &json!(false)), "{plan}");
    assert_eq!(rows(&plan), [row("srv-1", "planned"), row("SN-mac-1", "planned")], "{plan}");
    assert!(office.sent().iter().all(|operation| !operation.starts_with("restart")));
    let done = office.answer("jumpcloud_restart_devices", json!({"user": ANN})).await;
    assert_eq!(rows(&done), [row("srv-1", "done"), row("SN-mac-1", "done")], "{done}");
}

/// A fault at each change: the table is true, and nothing is sent twice.
#[tokio::test]
async fn each_device_has_its_own_outcome() {
    let lost = |operation: &str| json!({"operation": operation, "answer": {"close": true}});
    let agent = |id: &str| json!({"path": {"system_id": id}});
    let all = json!({"devices": [WINDOWS, LINUX, MAC], "pin": "204816"});
    for (faults, expected) in [
        (vec![refuses("lockDevice", agent(WINDOWS), 403)], ["refused", "done", "done"]),
        (vec![refuses("lockAppleDevice", json!({}), 400)], ["done", "done", "refused"]),
        (vec![lost("lockAppleDevice")], ["done", "done", "unknown"]),
        (vec![refuses("listAppleMdms", json!({}), 403)], ["done", "done", ""]),
    ] {
        let mut site = faults;
        site.extend(lockable());
        let office = Office::open(site).await;
        let answer = office.answer("jumpcloud_lock_devices", all.clone()).await;
        let of_agent: Vec<String> = rows(&answer)
            .into_iter()
            .filter(|(item, _)| item == "pc-1" || item == "srv-1")
            .map(|(_, end)| end)
            .collect();
        assert_eq!(of_agent, expected[..2], "{answer}");
        let of_apple = rows(&answer).into_iter().find(|(item, _)| item == "SN-mac-1").map(|(_, end)| end);
        assert_eq!(of_apple.unwrap_or_default(), expected[2], "{answer}");
        // Where Apple MDM is closed to the key, the Mac has rows that say so, and nothing was sent for it.
        let of_mac: Vec<_> = rows(&answer).into_iter().filter(|(item, _)| item == "mac-1").collect();
        assert_eq!(of_mac.is_empty(), !expected[2].is_empty(), "{answer}");
        let sent = office.sent();
        assert!(count(&sent, "lockDevice") == 2 && count(&sent, "lockAppleDevice") <= 1, "{sent:?}");
    }
}

#[tokio::test]
async fn locking_and_restarting_are_held_back_by_default() {
    let office = Office::with(lockable(), &SelectionWords::default(), Defaults::Reads).await;
    for tool in ["jumpcloud_lock_devices", "jumpcloud_restart_devices"] {
        let refusal = office.refusal(tool, json!({"devices": [WINDOWS]})).await;
        assert!(refusal.contains("nothing was sent"), "{refusal}");
    }
    assert!(office.sent().is_empty());
}

#[tokio::test]
async fn an_empty_condition_does_not_mean_everything() {
    let office = Office::open(lockable()).await;
    for tool in ["jumpcloud_lock_devices", "jumpcloud_restart_devices", "jumpcloud_suspend_users"] {
        let refusal = office.refusal(tool, json!({"where": []})).await;
        assert!(refusal.contains("where"), "{refusal}");
    }
    assert!(office.sent().is_empty());
}

#[tokio::test]
async fn users_of_a_filter_are_suspended_and_those_that_are_left_alone() {
    let user = |id: &str, name: &str, state: &str| json!({"_id": id, "username": name, "state": state});
    let bob = "64d0a3f2b81c9e5a7f03c412";
    let found = json!({"results": [user(ANN, "ann", "ACTIVATED"), user(bob, "bob", "SUSPENDED")], "totalCount": 2});
    let office = Office::open(vec![
        answers("listUsers", json!({}), found),
        answers(
            "updateUser",
            json!({"path": {"id": ANN}, "body": {"state": "SUSPENDED"}}),
            user(ANN, "ann", "SUSPENDED"),
        ),
    ])
    .await;
    let arguments = json!({"where": [{"field": "department", "operator": "eq", "value": "Optics"}]});
    let answer = office.answer("jumpcloud_suspend_users", arguments).await;
    assert_eq!(rows(&answer), [row("ann", "done"), row("bob", "already so")], "{answer}");
    assert_eq!(count(&office.sent(), "updateUser"), 1);
}

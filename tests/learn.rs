//! `serve --learn`: answers that drift from their descriptions, and what is written of them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolwright::call::Toolbox;
use toolwright::catalog::{answer_tables, sandbox_tables};
use toolwright::learn::Learner;
use toolwright::policy::Defaults;
use toolwright_model::answers::{DescribedAnswers, check};

use crate::common::{call, everything, sandbox, toolbox};

/// The path of a file that does not exist yet.
fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("learn-{name}.json"));
    let _ = std::fs::remove_file(&path);
    path
}

fn written(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What is written of an operation, as `path kind found ×seen`.
fn misfits(path: &Path, operation: &str) -> Vec<String> {
    let file = written(path);
    let all = file["operations"].as_array().unwrap();
    let Some(found) = all.iter().find(|it| it["operation"] == operation) else { return Vec::new() };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = |value: &Value| value.as_array().into_iter().flatten().map(&text).collect::<Vec<_>>().join("/");
    let misfits = found["misfits"].as_array().unwrap();
    misfits
        .iter()
        .map(|it| format!("{} {} {} ×{}", path(&it["at"]), text(&it["kind"]), text(&it["found"]), it["seen"]))
        .collect()
}

/// A toolbox that learns into a file, over a sandbox with scripted answers.
async fn learning(script: &Value, path: &Path) -> (Toolbox, Learner, toolwright::sandbox::Sandbox) {
    let sandbox = sandbox(Some(&script.to_string())).await;
    let learner = Learner::open(path, answer_tables()).unwrap();
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_learner(Some(learner.clone()));
    (toolbox, learner, sandbox)
}

#[tokio::test]
async fn drifting_answers_are_noted_by_name_and_type_and_no_value_is() {
    let path = fresh("drift");
    let ticket = json!({
        "TicketID": "pl4nted", "Subject": "pl4nted", "slaDue": "pl4nted", "pat.pl4nted@example.com": 1,
        "customfield_10042": {"pl4nted": 1},
    });
    let script = json!([
        {"operation": "getTicket", "when": {"query": {"id": 7}}, "answer": {"status": 200, "body": ticket}},
        {"operation": "getTicket", "when": {"query": {"id": 8}}, "answer": {"status": 200, "headers": {"Content-Type": "application/json"}, "body": "{\"pl4nted\": "}},
        {"operation": "listTickets", "answer": {"status": 500, "body": {"error": "pl4nted"}}},
    ]);
    let (toolbox, learner, _sandbox) = learning(&script, &path).await;
    for _ in 0..2 {
        let _ = call(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    }
    let _ = call(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 8})).await;
    let _ = call(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 9})).await;
    let _ = call(&toolbox, "jitbit_list_tickets", json!({})).await;
    learner.finish();
    let found = misfits(&path, "getTicket");
    for expected in [
        " no_json application/json ×1",
        "* unknown_field integer ×2",
        "TicketID other_type string ×2",
        "customfield_# unknown_field object ×2",
        "slaDue unknown_field string ×2",
    ] {
        assert!(found.iter().any(|it| it == expected), "{expected} is missing: {found:#?}");
    }
    let unknown: Vec<&String> = found.iter().filter(|it| it.contains("unknown_field")).collect();
    assert_eq!(unknown.len(), 3, "{found:#?}");
    assert_eq!(misfits(&path, "listTickets"), [" unknown_status 500 ×1"]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("pl4nted") && !text.contains("10042"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_second_run_goes_on_and_two_at_once_are_refused() {
    let path = fresh("again");
    let script = json!([{"operation": "getTicket", "answer": {"status": 200, "body": {"slaDue": 1}}}]);
    for run in 1..=2 {
        let (toolbox, learner, _sandbox) = learning(&script, &path).await;
        let refused = Learner::open(&path, answer_tables()).unwrap_err().to_string();
        assert!(refused.contains("is in use by another toolwright"), "{refused}");
        call(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await.unwrap();
        learner.finish();
        let found = misfits(&path, "getTicket");
        assert!(found.contains(&format!("slaDue unknown_field integer ×{run}")), "{found:#?}");
        drop((toolbox, learner));
        wait_until_free(&path);
    }
}

/// The thread ends when the last learner is gone.
fn wait_until_free(path: &Path) {
    let started = Instant::now();
    let lock = std::fs::File::open(path.with_extension("json.lock")).unwrap();
    // Closed again at the end, which frees it.
    while lock.try_lock().is_err() {
        assert!(started.elapsed() < Duration::from_secs(10), "the file stays locked");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_of_something_else_is_not_overwritten() {
    let path = fresh("other");
    for text in ["{\"mine\": 1}", "text", "{\"toolwright_learned\": 99, \"operations\": []}"] {
        std::fs::write(&path, text).unwrap();
        let error = Learner::open(&path, answer_tables()).unwrap_err().to_string();
        assert!(error.contains("can't be continued"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let error = Learner::open(Path::new("/no/such/folder/learn.json"), answer_tables()).unwrap_err().to_string();
    assert!(error.starts_with("`--learn /no/such/folder/learn.json` can't be locked"), "{error}");
}

/// What waits is bounded: many large answers at once are not kept, and the calls are not held up.
#[tokio::test]
async fn what_there_is_no_room_for_is_counted() {
    let path = fresh("flood");
    let large = "x".repeat(4 * 1024 * 1024);
    let script = json!([{"operation": "getTicket", "answer": {"status": 200, "body": {"Body": large}}}]);
    let (toolbox, learner, _sandbox) = learning(&script, &path).await;
    let calls = (0..40).map(|_| call(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})));
    futures_util::future::join_all(calls).await;
    learner.finish();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let file = written(&path);
        let looked_at: u64 =
            file["operations"].as_array().unwrap().iter().map(|it| it["answers"].as_u64().unwrap()).sum();
        if looked_at + file["skipped"].as_u64().unwrap() == 40 {
            break;
        }
        assert!(Instant::now() < deadline, "{file}");
        learner.finish();
    }
}

/// The sandbox answers with the examples of the descriptions, which fit their own schemas.
#[test]
fn the_examples_of_the_descriptions_fit_the_descriptions() {
    let mut looked_at = 0;
    let mut wrong = Vec::new();
    for ((api, table), (_, answers)) in sandbox_tables().into_iter().zip(answer_tables()) {
        let table: Value = serde_json::from_str(table).unwrap();
        let answers: DescribedAnswers = serde_json::from_str(answers).unwrap();
        for operation in table["operations"].as_array().unwrap() {
            let (id, answer) = (operation["operation"].as_str().unwrap(), &operation["answer"]);
            let described = answers.operation(id).unwrap_or_else(|| panic!("{api} lacks {id}"));
            let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
            let schema = described.answer(status).and_then(|answer| answer.schema.as_ref());
            let (Some(example), Some(schema)) = (answer.get("example"), schema) else { continue };
            looked_at += 1;
            let misfits = check(&answers, schema, example);
            wrong.extend(misfits.iter().map(|it| format!("{api} {id}: {} {} {}", it.path(), it.kind, it.found)));
        }
    }
    assert!(looked_at > 30, "only {looked_at} examples");
    assert!(wrong.is_empty(), "{} misfits in {looked_at} examples:\n{}", wrong.len(), wrong.join("\n"));
}

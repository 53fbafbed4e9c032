//! Formats that ask, that stand inside an argument, and that read files: with a vendor made of a
//! table, and a clock that stands still.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::error::RateLimit;

/// A vendor that answers every question with the same.
struct Vendor {
    answer: Result<Value, LookupError>,
    asked: AtomicUsize,
    heard: Mutex<Vec<(Place, Value)>>,
}

impl Vendor {
    fn new(answer: Result<Value, LookupError>) -> Self {
        Self { answer, asked: AtomicUsize::new(0), heard: Mutex::default() }
    }
}

fn answer(body: &Value) -> Answer {
    let body = body.to_string().into();
    Answer { status: 200, body, ..Answer::default() }
}

impl Lookup for Vendor {
    fn ask<'a>(&'a self, _: &'a str, inputs: Vec<(Place, Value)>) -> LookupFuture<'a> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        *self.heard.lock().unwrap() = inputs;
        let answer = self.answer.clone().map(|body| answer(&body));
        Box::pin(async move { answer })
    }
}

fn fields() -> Value {
    json!([
        {"id": "summary", "name": "Summary"},
        {"id": "customfield_10016", "name": "Story Points"},
        {"id": "customfield_10024", "name": "Team"},
        {"id": "customfield_10025", "name": "Team"},
        {"id": "customfield_10030", "name": "team"},
        {"id": "customfield_10040", "name": "Region"},
        {"id": "odd"}, 5,
    ])
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

struct Bench {
    vendor: Vendor,
    memory: Memory,
    minutes: u64,
}

impl Bench {
    fn new(answer: Result<Value, LookupError>) -> Self {
        Self { vendor: Vendor::new(answer), memory: Memory::default(), minutes: 0 }
    }

    fn write(&self, formats: &[Formatted], value: Value) -> (Result<Value, FormatError>, Vec<String>) {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000 + 60 * self.minutes);
        let around = FormatContext { now, folder: None, ask: &self.vendor, memory: &self.memory };
        let mut notes = Vec::new();
        (run(write(formats, value, &around, &mut notes)), notes)
    }

    fn ids(&self, value: Value) -> Result<Value, FormatError> {
        self.write(&[jira_fields()], value).0
    }

    fn asked(&self) -> usize {
        self.vendor.asked.load(Ordering::Relaxed)
    }
}

fn jira_fields() -> Formatted {
    Formatted { ask: Some("getFields".to_owned()), ..Formatted::whole(Format::JiraFields) }
}

#[test]
fn names_of_fields_become_ids() {
    let bench = Bench::new(Ok(fields()));
    let (ids, notes) =
        bench.write(&[jira_fields()], json!(["summary", "story points", "-Region", "*all", "customfield_1", "team"]));
    assert_eq!(
        ids,
        Ok(json!(["summary", "customfield_10016", "-customfield_10040", "*all", "customfield_1", "customfield_10030"]))
    );
    assert_eq!(notes[0], "`story points` is `customfield_10016` in the answer");
    let entries = bench.ids(json!({"Story Points": 5, "summary": "s"}));
    assert_eq!(entries, Ok(json!({"customfield_10016": 5, "summary": "s"})));
    let twice = bench.ids(json!({"Story Points": 5, "customfield_10016": 6})).unwrap_err();
    assert_eq!(twice.at, ".customfield_10016");
}

#[test]
fn a_name_that_is_wrong_gets_what_may_be_right() {
    let bench = Bench::new(Ok(fields()));
    let near = bench.ids(json!(["summary", "Story Point"])).unwrap_err();
    assert_eq!(near.at, "[1]");
    assert!(near.expected.contains("such as `Story Points`"), "{near:?}");
    let several = bench.ids(json!(["Team"])).unwrap_err();
    assert!(several.expected.contains("`customfield_10024`, `customfield_10025`"), "{several:?}");
    let nothing = bench.ids(json!(["zzzzzz"])).unwrap_err();
    assert!(nothing.expected.ends_with("by name or id"), "{nothing:?}");
}

#[test]
fn the_list_of_fields_is_asked_for_when_it_is_needed() {
    let mut bench = Bench::new(Ok(fields()));
    assert_eq!(
        bench.ids(json!(["summary", "customfield_10016", "*navigable", "-comment"])),
        Ok(json!(["summary", "customfield_10016", "*navigable", "-comment"]))
    );
    assert_eq!(bench.asked(), 0, "ids need no question");
    for (minutes, name, asked) in [
        (0, "Region", 1),
        (0, "Nowhere", 1), // Just asked: asking again would say the same.
        (2, "Nowhere", 2), // It may be new.
        (9, "Region", 2),
        (12, "Region", 3), // Too old.
        (3, "Region", 4),  // The clock was set back.
    ] {
        bench.minutes = minutes;
        let _ = bench.ids(json!([name]));
        assert_eq!(bench.asked(), asked, "{minutes} {name}");
    }
}

#[test]
fn without_an_answer_nothing_is_guessed() {
    let dry = Bench::new(Err(LookupError::DryRun));
    let (left, notes) = dry.write(&[jira_fields()], json!(["summary", "Region"]));
    assert_eq!(left, Ok(json!(["summary", "Region"])));
    assert!(notes[0].contains("dry run: `Region`"), "{notes:?}");
    for broken in [Err(LookupError::Failed("the vendor answered 500".to_owned())), Ok(json!({"not": "a list"}))] {
        let told = Bench::new(broken).ids(json!(["Region"])).unwrap_err();
        assert!(told.expected.contains("could not be looked up"), "{told:?}");
    }
}

#[test]
fn formats_reach_into_an_argument() {
    let bench = Bench::new(Ok(fields()));
    let inner = |at: &str, format| Formatted { at: at.to_owned(), ..Formatted::whole(format) };
    let formats = [jira_fields(), inner("description", Format::Adf), inner("customfield_7.add.body", Format::Adf)];
    let given = json!({
        "Story Points": 3, "description": "a", "labels": ["x"], "environment": null,
        "customfield_7": [{"add": {"body": "b"}}, {"add": {"body": adf::document("c")}}, {"remove": 1}],
    });
    assert_eq!(
        bench.write(&formats, given).0,
        Ok(json!({
            "customfield_10016": 3, "description": adf::document("a"), "labels": ["x"], "environment": null,
            "customfield_7": [{"add": {"body": adf::document("b")}}, {"add": {"body": adf::document("c")}}, {"remove": 1}],
        }))
    );
    let wrong = bench.write(&formats, json!({"customfield_7": [{"add": {"body": 5}}]})).0.unwrap_err();
    assert_eq!(wrong.at, ".customfield_7[0].add.body");
}

#[test]
fn no_value_of_fields_is_a_comment() {
    let listed = json!([{"id": "comment", "name": "Kommentar"}, {"id": "worklog", "name": "Log Work"}]);
    let bench = Bench::new(Ok(listed));
    for name in ["comment", "worklog", " comment ", "-comment", "Kommentar", "kommentar", "log work"] {
        let complaint = bench.write(&[jira_fields()], json!({"summary": "s", name: "x"})).0.unwrap_err();
        assert!(complaint.expected.contains("tools of their own"), "{name}: {complaint:?}");
        assert_eq!(complaint.at, format!(".{name}"));
    }
    // To ask for them is another matter.
    assert!(bench.write(&[jira_fields()], json!(["comment", "worklog"])).0.is_ok());
}

#[test]
fn the_parser_explains_a_refusal() {
    let formatted = Formatted { ask: Some("parse".to_owned()), ..Formatted::whole(Format::Jql) };
    let explained = |answer: Value, status, body: &str| {
        let vendor = Vendor::new(Ok(answer));
        let rejection = Rejection {
            status,
            body: body.to_owned(),
            advice: Vec::new(),
            rate_limit: RateLimit::default(),
            request_id: None,
        };
        let text = run(explain(&formatted, &json!("a = b"), &rejection, &vendor));
        (text, vendor.heard.into_inner().unwrap())
    };
    let answer = json!({"queries": [{"query": "a = b", "errors": ["Field 'a' does not exist.", "Known already."]}]});
    let (text, heard) = explained(answer.clone(), 400, "{\"errorMessages\": [\"Known already.\"]}");
    assert_eq!(text.as_deref(), Some("Jira's parser says of the query: Field 'a' does not exist."));
    assert_eq!(heard[1], (Place::Property("queries".to_owned()), json!(["a = b"])));
    for (answer, status) in [(answer, 403), (json!({"queries": []}), 400), (json!("odd"), 400)] {
        assert_eq!(explained(answer, status, "").0, None);
    }
}

#[test]
fn files_come_from_the_folder_only() {
    let root = tempfile();
    let (inside, outside) = (root.join("open"), root.join("secret.txt"));
    std::fs::create_dir_all(inside.join("sub")).unwrap();
    std::fs::write(inside.join("sub/report.pdf"), b"%PDF").unwrap();
    std::fs::write(inside.join("large.bin"), vec![0; 10 * 1024 * 1024 + 1]).unwrap();
    std::fs::write(&outside, b"secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, inside.join("link.txt")).unwrap();
    let folder = Folder::open(&inside).unwrap();
    let read = |path: &str| file::write(json!({"path": path}), Some(&folder));
    let report =
        json!({"content_base64": STANDARD.encode("%PDF"), "filename": "report.pdf", "content_type": "application/pdf"});
    assert_eq!(read("sub/report.pdf"), Ok(report.clone()));
    assert_eq!(read(inside.join("sub/report.pdf").to_str().unwrap()), Ok(report.clone()));
    let several = file::write(json!([{"path": "sub/report.pdf", "filename": "a.txt"}, report]), Some(&folder)).unwrap();
    assert_eq!(
        (several[0]["filename"].as_str(), several[0]["content_type"].as_str()),
        (Some("a.txt"), Some("text/plain"))
    );
    for (path, told) in [
        ("../secret.txt", "no such file in the folder"),
        (outside.to_str().unwrap(), "no such file in the folder"),
        ("missing", "no such file in the folder"),
        #[cfg(unix)]
        ("link.txt", "no such file in the folder"),
        ("sub", "no file"),
        ("large.bin", "larger than 10 MB"),
    ] {
        let complaint = read(path).unwrap_err();
        assert!(complaint.given.ends_with(told) && complaint.at == ".path", "{path}: {complaint:?}");
    }
    for (given, folder) in [
        (json!({"path": "sub/report.pdf"}), None),
        (json!({"path": "sub/report.pdf", "content_base64": "aGk="}), Some(&folder)),
        (json!({"filename": "a.txt"}), Some(&folder)),
        (json!("a.txt"), Some(&folder)),
    ] {
        assert!(file::write(given.clone(), folder).is_err(), "{given}");
    }
    assert!(Folder::open(&outside).is_err() && Folder::open(&root.join("nowhere")).is_err());
    std::fs::remove_dir_all(&root).unwrap();
}

/// A folder of this test's own.
fn tempfile() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("toolwright-formats-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

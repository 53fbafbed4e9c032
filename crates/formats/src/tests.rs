//! Formats that look values up, that are inside an argument, and that read files: with a vendor
//! that has one answer, and a clock that the test sets. And what holds for every format of the list.

use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use toolwright_model::Place;

use super::*;

/// A vendor with the same answer to every lookup.
struct Vendor {
    answer: Result<Value, LookupError>,
    lookups: AtomicUsize,
    last_inputs: Mutex<Vec<(Place, Value)>>,
}

impl Vendor {
    fn new(answer: Result<Value, LookupError>) -> Self {
        Self { answer, lookups: AtomicUsize::new(0), last_inputs: Mutex::default() }
    }
}

impl Lookup for Vendor {
    fn ask<'a>(&'a self, _: &'a str, inputs: Vec<(Place, Value)>) -> LookupFuture<'a> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        *self.last_inputs.lock().unwrap() = inputs;
        Box::pin(std::future::ready(self.answer.clone()))
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

/// The output of a future that waits for nothing.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a lookup of these tests is ready at once"),
    }
}

struct Bench {
    vendor: Vendor,
    cache: LookupCache,
    minutes: u64,
}

impl Bench {
    fn new(answer: Result<Value, LookupError>) -> Self {
        Self { vendor: Vendor::new(answer), cache: LookupCache::default(), minutes: 0 }
    }

    fn write(&self, formats: &[Formatted], value: Value) -> (Result<Value, FormatError>, Vec<String>) {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000 + 60 * self.minutes);
        let context = FormatContext { now, folder: None, lookup: &self.vendor, cache: &self.cache };
        let mut notes = Vec::new();
        (run(write(formats, value, &context, &mut notes)), notes)
    }

    fn ids(&self, value: Value) -> Result<Value, FormatError> {
        self.write(&[jira_fields()], value).0
    }

    fn lookups(&self) -> usize {
        self.vendor.lookups.load(Ordering::Relaxed)
    }
}

fn jira_fields() -> Formatted {
    Formatted { ask: Some("getFields".to_owned()), ..Formatted::whole("jira-fields") }
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
fn a_wrong_name_is_refused_with_similar_ones() {
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
fn the_list_of_fields_is_looked_up_when_it_is_needed() {
    let mut bench = Bench::new(Ok(fields()));
    assert_eq!(
        bench.ids(json!(["summary", "customfield_10016", "*navigable", "-comment"])),
        Ok(json!(["summary", "customfield_10016", "*navigable", "-comment"]))
    );
    assert_eq!(bench.lookups(), 0, "ids need no lookup");
    for (minutes, name, lookups) in [
        (0, "Region", 1),
        (0, "Nowhere", 1), // Just looked up: a new lookup would return the same.
        (2, "Nowhere", 2), // It may be new.
        (9, "Region", 2),
        (12, "Region", 3), // Too old.
        (3, "Region", 4),  // The clock was set back.
    ] {
        bench.minutes = minutes;
        let _ = bench.ids(json!([name]));
        assert_eq!(bench.lookups(), lookups, "{minutes} {name}");
    }
}

#[test]
fn without_an_answer_nothing_is_guessed() {
    let dry = Bench::new(Err(LookupError::DryRun));
    let (left, notes) = dry.write(&[jira_fields()], json!(["summary", "Region"]));
    assert_eq!(left, Ok(json!(["summary", "Region"])));
    assert!(notes[0].contains("dry run: `Region`"), "{notes:?}");
    for broken in [Err(LookupError::Failed("the vendor answered 500".to_owned())), Ok(json!({"not": "a list"}))] {
        let error = Bench::new(broken).ids(json!(["Region"])).unwrap_err();
        assert!(error.expected.contains("could not be looked up"), "{error:?}");
    }
}

#[test]
fn formats_reach_into_an_argument() {
    let bench = Bench::new(Ok(fields()));
    let inner = |at: &str, format| Formatted { at: at.to_owned(), ..Formatted::whole(format) };
    let formats = [jira_fields(), inner("description", "adf"), inner("customfield_7.add.body", "adf")];
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
fn comments_are_not_set_as_fields() {
    let listed = json!([{"id": "comment", "name": "Kommentar"}, {"id": "worklog", "name": "Log Work"}]);
    let bench = Bench::new(Ok(listed));
    for name in ["comment", "worklog", " comment ", "-comment", "Kommentar", "kommentar", "log work"] {
        let error = bench.write(&[jira_fields()], json!({"summary": "s", name: "x"})).0.unwrap_err();
        assert!(error.expected.contains("tools of their own"), "{name}: {error:?}");
        assert_eq!(error.at, format!(".{name}"));
    }
    // Reading them is allowed.
    assert!(bench.write(&[jira_fields()], json!(["comment", "worklog"])).0.is_ok());
}

#[test]
fn the_parser_explains_a_refusal() {
    let formatted = Formatted { ask: Some("parse".to_owned()), ..Formatted::whole("jql") };
    let explained = |answer: Value, status, body: &str| {
        let vendor = Vendor::new(Ok(answer));
        let refused = RefusedRequest { status, body };
        let text = run(explain(&formatted, &json!("a = b"), &refused, &vendor));
        (text, vendor.last_inputs.into_inner().unwrap())
    };
    let answer = json!({"queries": [{"query": "a = b", "errors": ["Field 'a' does not exist.", "Known already."]}]});
    let (text, inputs) = explained(answer.clone(), 400, "{\"errorMessages\": [\"Known already.\"]}");
    assert_eq!(text.as_deref(), Some("Jira's parser says of the query: Field 'a' does not exist."));
    assert_eq!(inputs[1], (Place::Property("queries".to_owned()), json!(["a = b"])));
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
    let read = |path: &str| file::completed(json!({"path": path}), Some(&folder));
    let report =
        json!({"content_base64": STANDARD.encode("%PDF"), "filename": "report.pdf", "content_type": "application/pdf"});
    assert_eq!(read("sub/report.pdf"), Ok(report.clone()));
    assert_eq!(read(inside.join("sub/report.pdf").to_str().unwrap()), Ok(report.clone()));
    let several =
        file::completed(json!([{"path": "sub/report.pdf", "filename": "a.txt"}, report]), Some(&folder)).unwrap();
    assert_eq!(
        (several[0]["filename"].as_str(), several[0]["content_type"].as_str()),
        (Some("a.txt"), Some("text/plain"))
    );
    for (path, reason) in [
        ("../secret.txt", "no such file in the folder"),
        (outside.to_str().unwrap(), "no such file in the folder"),
        ("missing", "no such file in the folder"),
        #[cfg(unix)]
        ("link.txt", "no such file in the folder"),
        ("sub", "no file"),
        ("large.bin", "larger than 10 MB"),
    ] {
        let error = read(path).unwrap_err();
        assert!(error.given.ends_with(reason) && error.at == ".path", "{path}: {error:?}");
    }
    for (given, folder) in [
        (json!({"path": "sub/report.pdf"}), None),
        (json!({"path": "sub/report.pdf", "content_base64": "aGk="}), Some(&folder)),
        (json!({"filename": "a.txt"}), Some(&folder)),
        (json!("a.txt"), Some(&folder)),
    ] {
        assert!(file::completed(given.clone(), folder).is_err(), "{given}");
    }
    assert!(Folder::open(&outside).is_err() && Folder::open(&root.join("nowhere")).is_err());
    std::fs::remove_dir_all(&root).unwrap();
}

/// A folder that only this test uses.
fn tempfile() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("toolwright-formats-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[test]
fn names_are_unique_and_found() {
    for format in FORMATS {
        let name = format.name();
        assert_eq!(FORMATS.iter().filter(|other| other.name() == name).count(), 1, "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{name}");
        assert_eq!(find(name), Some(*format));
        assert!(!format.summary().is_empty(), "{name}");
        assert!(format.raw_switch().is_none_or(|text| text.chars().count() <= 30), "{name}");
    }
    assert_eq!(find("unknown"), None);
}

#[test]
fn samples_are_written_without_a_lookup() {
    for format in FORMATS {
        let formatted = Formatted { ask: Some("never".to_owned()), ..Formatted::whole(format.name()) };
        for argument_type in ["string", "array", "object"] {
            let mut schema = json!({"type": argument_type}).as_object().cloned().unwrap();
            if format.argument_schema(&formatted, &mut schema).is_err() {
                continue;
            }
            let samples = format.samples(&formatted, schema["type"].as_str().unwrap());
            let none_needed = *format == FILE || argument_type == "object";
            assert!(!samples.is_empty() || none_needed, "`{format}` has no samples");
            for sample in samples {
                let bench = Bench::new(Err(LookupError::Failed("no lookup is needed".to_owned())));
                let (result, _) = bench.write(std::slice::from_ref(&formatted), sample.clone());
                assert!(result.is_ok(), "`{format}` refuses its own sample {sample}: {result:?}");
                assert_eq!(bench.lookups(), 0, "`{format}` {sample}");
            }
        }
    }
}

#[test]
fn an_unknown_format_is_refused() {
    let bench = Bench::new(Ok(Value::Null));
    let formats = [Formatted::whole("later")];
    assert_eq!(bench.write(&formats, json!("a")).0.unwrap_err().given, "`later`");
    assert_eq!(read(&formats[0].format, b"{}"), None);
}

#[test]
fn an_answer_without_documents_stays_as_it_is() {
    let adf = Formatted::whole("adf").format;
    assert_eq!(read(&adf, b"{\"id\":  1}"), None);
    assert_eq!(read(&adf, b"<html>"), None);
    let body = json!({"body": adf::document("a *b*")}).to_string();
    assert_eq!(read(&adf, body.as_bytes()).as_deref(), Some("{\"body\":\"a *b*\"}"));
}

//! What holds for every format of the list, and for formats inside an argument. The tests of formats
//! that look values up share its vendor, which has one answer, and its clock.

use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use toolwright_model::Place;

use super::*;

/// A vendor with the same answer to every lookup, unless it has one for the operation.
pub(crate) struct Vendor {
    answer: Result<Value, LookupError>,
    by_operation: Vec<(&'static str, Value)>,
    lookups: AtomicUsize,
    pub(crate) last_inputs: Mutex<Vec<(Place, Value)>>,
}

impl Vendor {
    pub(crate) fn new(answer: Result<Value, LookupError>) -> Self {
        Self { answer, by_operation: Vec::new(), lookups: AtomicUsize::new(0), last_inputs: Mutex::default() }
    }
}

impl Lookup for Vendor {
    fn ask<'a>(&'a self, operation: &'a str, inputs: Vec<(Place, Value)>) -> LookupFuture<'a> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        *self.last_inputs.lock().unwrap() = inputs;
        let own = self.by_operation.iter().find(|(name, _)| *name == operation).map(|(_, answer)| Ok(answer.clone()));
        Box::pin(std::future::ready(own.unwrap_or_else(|| self.answer.clone())))
    }
}

/// A list of fields as Jira returns it.
pub(crate) fn listed_fields() -> Value {
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
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a lookup of these tests is ready at once"),
    }
}

/// A vendor, the cache of one connection to it, and a clock.
pub(crate) struct Bench {
    vendor: Vendor,
    cache: LookupCache,
    pub(crate) minutes: u64,
    /// The body of the same call.
    pub(crate) properties: Vec<(Place, Value)>,
}

impl Bench {
    pub(crate) fn new(answer: Result<Value, LookupError>) -> Self {
        Self { vendor: Vendor::new(answer), cache: LookupCache::default(), minutes: 0, properties: Vec::new() }
    }

    /// A vendor with an answer for each of these operations.
    pub(crate) fn answering(answers: &[(&'static str, Value)]) -> Self {
        let mut bench = Self::new(Err(LookupError::Failed("no answer".to_owned())));
        bench.vendor.by_operation = answers.to_vec();
        bench
    }

    /// Writes a value; of what is wrong with it, the first.
    pub(crate) fn write(&self, formats: &[Formatted], value: Value) -> (Result<Value, FormatError>, Vec<String>) {
        let (written, notes) = self.write_all(formats, value);
        (written.map_err(|errors| errors.into_iter().next().unwrap()), notes)
    }

    pub(crate) fn write_all(
        &self,
        formats: &[Formatted],
        value: Value,
    ) -> (Result<Value, Vec<FormatError>>, Vec<String>) {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000 + 60 * self.minutes);
        let context = FormatContext {
            now,
            files: None,
            lookup: &self.vendor,
            cache: &self.cache,
            path: &[],
            properties: &self.properties,
        };
        let mut notes = Vec::new();
        (run(write(formats, value, &context, &mut notes)), notes)
    }

    pub(crate) fn last_inputs(&self) -> Vec<(Place, Value)> {
        self.vendor.last_inputs.lock().unwrap().clone()
    }

    pub(crate) fn lookups(&self) -> usize {
        self.vendor.lookups.load(Ordering::Relaxed)
    }
}

/// The format that looks field names up.
pub(crate) fn field_names() -> Formatted {
    Formatted { ask: Some("getFields".to_owned()), ..Formatted::whole("jira-fields") }
}

#[test]
fn formats_reach_into_an_argument() {
    let bench = Bench::new(Ok(listed_fields()));
    let inner = |at: &str, format| Formatted { at: at.to_owned(), ..Formatted::whole(format) };
    let formats = [field_names(), inner("description", "adf"), inner("customfield_7.add.body", "adf")];
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
fn everything_that_is_wrong_is_named() {
    let bench = Bench::new(Ok(listed_fields()));
    let inner = |at: &str, format| Formatted { at: at.to_owned(), ..Formatted::whole(format) };
    let formats = [field_names(), inner("due", "date"), inner("people.email", "email"), inner("copies", "email")];
    let given = json!({
        "Nowhere": 1, "due": "soon", "people": [{"email": "a@b.example"}, {"email": "x"}, {"email": null}],
        "copies": ["y", "c@d.example", "z"],
    });
    let wrong = bench.write_all(&formats, given).0.unwrap_err();
    let at: Vec<&str> = wrong.iter().map(|error| error.at.as_str()).collect();
    assert_eq!(at, [".Nowhere", ".due", ".people[1].email", ".copies[0]", ".copies[2]"]);
    let right = json!({"due": null, "people": [{"email": " a@b.example "}], "copies": ["c@d.example"]});
    assert_eq!(
        bench.write_all(&formats[1..], right).0,
        Ok(json!({"due": null, "people": [{"email": "a@b.example"}], "copies": ["c@d.example"]}))
    );
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
            let none_needed = *format == FILE || format.name() == PATTERN || argument_type == "object";
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
    assert_eq!(read(&formats[0].format, &json!({}), &Value::Null, &mut 100), None);
}

#[test]
fn a_value_of_an_answer_is_read_by_its_marks() {
    let adf = Formatted::whole("adf").format;
    let document = adf::document("a *b*");
    for (name, mark) in marks(&adf) {
        let fits = match mark {
            Mark::Text(text) => document[name] == *text,
            Mark::Number => document[name].is_number(),
            Mark::List => document[name].is_array(),
        };
        assert!(fits, "{name}: {mark:?}");
    }
    assert_eq!((marks(&adf).len(), marks(&Formatted::whole("jql").format).len()), (3, 0));
    let mut left = 7;
    assert_eq!((read(&adf, &document, &Value::Null, &mut left), left), (Some(ReadValue::Text("a *b*".to_owned())), 2));
}

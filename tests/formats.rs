//! Formats on the way of a whole call: over a vendor made for it, whose sandbox checks what
//! arrives. What each format makes of a value is tested beside it, in src/formats.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rmcp::model::CallToolResult;
use serde_json::{Value, json};
use toolwright::call::{Caller, Failure, Toolbox};
use toolwright::catalog::Catalog;
use toolwright::client_runtime::{CompiledApi, connect};
use toolwright::formats::{Folder, adf};
use toolwright::policy::{Defaults, Selection};
use toolwright::sandbox::{Sandbox, Script};
use toolwright_codegen::generate;
use toolwright_model::ApiTools;

use crate::common::{call, call_result, connection, everything, text};

/// The vendor's files as the generator makes them: tools, sandbox table and requests.
fn files() -> &'static [String; 3] {
    static FILES: OnceLock<[String; 3]> = OnceLock::new();
    FILES.get_or_init(|| {
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats/specs");
        let generated = generate(&specs, |_| true).unwrap_or_else(|errors| panic!("{errors}"));
        let file = |name: &str| generated.tree.files().find(|(path, _)| *path == name).unwrap().1.to_owned();
        ["acme/tools.json", "acme/sandbox.json", "acme/requests.json"].map(file)
    })
}

fn apis() -> &'static [CompiledApi] {
    static APIS: OnceLock<Vec<CompiledApi>> = OnceLock::new();
    APIS.get_or_init(|| {
        let [tools, sandbox, requests] = files();
        vec![CompiledApi { id: "acme", vendor: "acme", tools, sandbox, answers: "", requests, connect }]
    })
}

/// 2026-11-20T08:00:00Z
fn morning() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_161_600)
}

struct Bench {
    sandbox: Sandbox,
    toolbox: Toolbox,
}

impl Bench {
    async fn new(script: &Value, dry_run: bool) -> Self {
        let [tools, table, _] = files();
        let script = Script::parse(&script.to_string()).unwrap();
        let sandbox = Sandbox::start_recording(&[("acme", table)], Some(script)).await.unwrap();
        let tools: ApiTools = serde_json::from_str(tools).unwrap();
        let catalog = Catalog::new(vec![tools], Vec::new());
        let selection = Selection::resolve(&everything(), Defaults::Reads, &catalog).unwrap();
        let connection = connection(&sandbox.address("acme"), Duration::from_secs(20));
        let connections = HashMap::from([("acme".to_owned(), connection)]);
        let toolbox = Toolbox::over(apis(), catalog, selection, &connections, dry_run).with_clock(morning);
        Self { sandbox, toolbox }
    }

    async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        toolwright::mcp_result::result("acme", call_result(&self.toolbox, tool, arguments).await)
    }

    /// Calls, and returns the answer.
    async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{}", text(&result));
        let mut answer: Value = serde_json::from_str(text(&result)).unwrap();
        // The list of untrusted fields is part of every answer, and tested elsewhere.
        answer.as_object_mut().map(|answer| answer.shift_remove("untrusted"));
        answer
    }

    /// Calls, and returns the refusal.
    async fn refusal(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{}", text(&result));
        text(&result).to_owned()
    }

    /// The operations that were called, and the body or query of the last request.
    fn arrived(&self) -> (Vec<String>, Value) {
        let record = self.sandbox.take_record();
        let last = record.last().map_or(Value::Null, |last| last.json().unwrap_or(json!(last.query)));
        assert!(record.iter().all(toolwright::sandbox::Recorded::is_accepted), "{record:?}");
        (record.into_iter().map(|recorded| recorded.path).collect(), last)
    }
}

#[tokio::test]
async fn a_search_takes_field_names_instead_of_ids() {
    let bench = Bench::new(&json!([]), false).await;
    let given = json!({"jql": "project%20%3D%20ABC", "columns": ["summary", "Story Points"]});
    let answer = bench.answer("acme_search_issues", given.clone()).await;
    let (paths, sent) = bench.arrived();
    assert_eq!(paths, ["/fields", "/issues/search"]);
    assert_eq!(sent, json!({"jql": "project = ABC", "fields": ["summary", "customfield_10016"]}));
    assert_eq!(answer["issues"][0]["key"], "ABC-1");
    let notes = answer["notes"].to_string();
    assert!(notes.contains("decoded once") && notes.contains("`customfield_10016` in the answer"), "{notes}");
    // The list of fields is remembered.
    bench.answer("acme_search_issues", given).await;
    assert_eq!(bench.arrived().0, ["/issues/search"]);
    let wrong = bench.refusal("acme_search_issues", json!({"jql": "order by key", "columns": ["Story Pionts"]})).await;
    assert!(wrong.contains("- `jql`: expected a query with a restriction"), "{wrong}");
    assert!(wrong.contains("- `columns[0]`: expected a field of this site, such as `Story Points`"), "{wrong}");
    assert!(bench.arrived().0.is_empty());
}

#[tokio::test]
async fn a_refused_query_is_explained_by_the_parser() {
    let refused =
        json!([{"operation": "searchIssues", "answer": {"status": 400, "body": {"errorMessages": ["Bad."]}}}]);
    let bench = Bench::new(&refused, false).await;
    let refusal = bench.refusal("acme_search_issues", json!({"jql": "a = b"})).await;
    assert!(refusal.contains("Bad.") && refusal.contains("The field 'a' does not exist."), "{refusal}");
    let (paths, asked) = bench.arrived();
    assert_eq!(paths, ["/issues/search", "/parse"]);
    assert_eq!(asked, json!({"queries": ["a = b"]}));
    // Where the parser fails too, the vendor's message is still shown.
    let both = json!([{"operation": "*", "answer": {"status": 400, "body": {"errorMessages": ["Bad."]}}}]);
    let refusal = Bench::new(&both, false).await.refusal("acme_search_issues", json!({"jql": "a = b"})).await;
    assert!(
        refusal.starts_with("rejected: the vendor answered 400 Bad Request") && !refusal.contains("parser"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_dry_run_sends_nothing_and_lists_what_is_not_resolved() {
    let bench = Bench::new(&json!([]), true).await;
    let plan = bench.answer("acme_search_issues", json!({"jql": "a%3Db", "columns": ["Story Points"]})).await;
    assert!(bench.arrived().0.is_empty());
    assert_eq!(plan["request"]["body"], json!("{\"jql\":\"a=b\",\"fields\":[\"Story Points\"]}"));
    assert!(plan["notes"].to_string().contains("left as given in this dry run: `Story Points`"), "{plan}");
    let plan = bench.answer("acme_create_issue", json!({"fields": {"description": "*a*"}})).await;
    let body: Value = serde_json::from_str(plan["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["fields"]["description"], adf::document("*a*"));
    let refused = bench.refusal("acme_search_issues", json!({"jql": ""})).await;
    assert!(refused.contains("created >= -30d"), "{refused}");
}

#[tokio::test]
async fn markdown_goes_out_as_adf_and_comes_back() {
    let document = adf::document("# Steps\n\n1. **Restart**");
    let issue = json!({"key": "ABC-1", "fields": {"description": document, "id": 12_345_678_901_234_567_890_u64}});
    let bench = Bench::new(&json!([{"operation": "getIssue", "answer": {"body": issue}}]), false).await;
    let raw = json!({"type": "doc", "version": 1, "content": [{"type": "panel", "attrs": {"panelType": "info"}}]});
    for comment in [raw.clone(), json!(raw.to_string())] {
        let given = json!({"fields": {"summary": "s", "description": "a `b`"}, "comment": comment});
        bench.answer("acme_create_issue", given).await;
        let (_, sent) = bench.arrived();
        assert_eq!(sent, json!({"fields": {"summary": "s", "description": adf::document("a `b`")}, "comment": raw}));
    }
    let read = bench.answer("acme_get_issue", json!({"key": "ABC-1"})).await;
    assert_eq!(
        read["fields"],
        json!({"description": "# Steps\n\n1. **Restart**", "id": 12_345_678_901_234_567_890_u64})
    );
    let plain = bench.answer("acme_get_issue", json!({"key": "ABC-1", "adf": true})).await;
    assert_eq!(plain, issue);
    let wrong = bench.refusal("acme_create_issue", json!({"fields": {"description": 5}})).await;
    assert!(wrong.contains("`fields.description`: expected Markdown, or an ADF document"), "{wrong}");
}

#[tokio::test]
async fn filters_lists_and_times_are_written_per_api() {
    let bench = Bench::new(&json!([]), false).await;
    let filter =
        json!([{"field": "os", "operator": "eq", "value": "Mac OS X"}, {"field": "os", "operator": ">=", "value": 5}]);
    let answer = bench.answer("acme_list_devices", json!({"filter": filter, "fields": ["os", "hostname"]})).await;
    assert_eq!(answer, json!({"notes": ["`since`: -24h is 2026-11-19T08:00:00Z"], "items": [{"os": "Windows"}]}));
    let pairs = |query: &Value| -> Vec<(String, String)> {
        url::form_urlencoded::parse(query.as_str().unwrap().as_bytes()).into_owned().collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        pairs(&bench.arrived().1),
        [
            pair("fields", "os hostname"),
            pair("filter", "os:$eq:Mac OS X"),
            pair("filter", "os:$gte:5"),
            pair("since", "2026-11-19T08:00:00Z"),
        ]
    );
    let filter = json!([{"field": "system_id", "operator": "in", "value": "a|b"}, {"field": "system_id", "operator": "==", "value": "c"}]);
    bench.answer("acme_list_rows", json!({"filter": filter})).await;
    assert_eq!(pairs(&bench.arrived().1), [pair("filter", "system_id:in:a|b,system_id:eq:c")]);
    let filter = json!([{"field": "hostnam", "operator": "contains", "value": "x"}]);
    let wrong = bench.refusal("acme_list_devices", json!({"filter": filter, "since": "yesterday"})).await;
    assert!(
        wrong.contains("`filter[0].field`: expected one of `os`, `hostname`")
            && wrong.contains("did you mean `hostname`"),
        "{wrong}"
    );
    assert!(wrong.contains("`since`: expected a time such as"), "{wrong}");
    let wrong = bench
        .refusal("acme_list_rows", json!({"filter": [{"field": "system_id", "operator": "gt", "value": "x"}]}))
        .await;
    assert!(wrong.contains("`filter[0].operator`: expected one of `eq`, `in`"), "{wrong}");
}

#[tokio::test]
async fn files_are_sent_as_the_described_parts() {
    let bench = Bench::new(&json!([]), false).await;
    let file = |name: &str| json!({"filename": name, "content_base64": "aGVsbG8="});
    bench.answer("acme_add_files", json!({"file": [file("a.txt"), file("b.bin")], "note": "n"})).await;
    let record = bench.sandbox.take_record();
    let body = String::from_utf8_lossy(record[0].body.as_deref().unwrap()).into_owned();
    assert_eq!(body.matches("name=\"file\"").count(), 2, "{body}");
    assert!(body.contains("filename=\"a.txt\"\r\nContent-Type: text/plain"), "{body}");
    assert!(body.contains("name=\"note\""), "{body}");
    // Without a folder no path is read, and none is offered.
    let refused = bench.refusal("acme_add_files", json!({"file": [{"path": "/etc/hostname"}]})).await;
    assert!(refused.contains("unknown argument") || refused.contains("`--files`"), "{refused}");
    let tools = bench.toolbox.tools(&Caller::default());
    assert!(!json!(tools.listing(tools.get("acme_add_files").unwrap())).to_string().contains("\"path\""));
}

#[tokio::test]
async fn files_of_the_allowed_folder_are_sent_by_path() {
    let Bench { sandbox, toolbox } = Bench::new(&json!([]), false).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
    let bench = Bench { sandbox, toolbox: toolbox.with_files(Some(Folder::open(&folder).unwrap())) };
    let tools = bench.toolbox.tools(&Caller::default());
    assert!(json!(tools.listing(tools.get("acme_add_files").unwrap())).to_string().contains("\"path\""));
    bench.answer("acme_add_files", json!({"file": [{"path": "specs/acme/vendor.toml"}]})).await;
    let record = bench.sandbox.take_record();
    let body = String::from_utf8_lossy(record[0].body.as_deref().unwrap()).into_owned();
    assert!(body.contains("filename=\"vendor.toml\"") && body.contains("ACME_URL"), "{body}");
    let refused = bench.refusal("acme_add_files", json!({"file": [{"path": "../../formats.rs"}]})).await;
    assert!(refused.contains("`file[0].path`") && refused.contains("no such file in the folder"), "{refused}");
}

#[tokio::test]
async fn downloads_keep_type_and_name() {
    let answer = |kind: &str, disposition: &str| json!([{"operation": "getFile", "answer": {"headers": {"Content-Type": kind, "Content-Disposition": disposition}, "body": "bytes"}}]);
    let script = answer("application/pdf", "attachment; filename=\"report 1.pdf\"");
    let result = json!(Bench::new(&script, false).await.call("acme_get_file", json!({"id": "5"})).await);
    let resource = &result["content"][0]["resource"];
    assert_eq!(
        (&resource["mimeType"], &resource["uri"]),
        (&json!("application/pdf"), &json!("toolwright://acme/report%201%2Epdf"))
    );
    let script = answer("image/png", "inline");
    let result = json!(Bench::new(&script, false).await.call("acme_get_file", json!({"id": "5"})).await);
    assert_eq!(
        (&result["content"][0]["type"], &result["content"][0]["mimeType"]),
        (&json!("image"), &json!("image/png"))
    );
}

#[tokio::test]
async fn a_format_calls_only_reviewed_reads() {
    let bench = Bench::new(&json!([]), false).await;
    let mut tools: ApiTools = serde_json::from_str(&files()[0]).unwrap();
    for tool in tools.tools.iter_mut().filter(|tool| tool.name == "acme_list_fields") {
        tool.effect = None;
    }
    let catalog = Catalog::new(vec![tools], Vec::new());
    let selection = Selection::resolve(&everything(), Defaults::Reads, &catalog).unwrap();
    let connections =
        HashMap::from([("acme".to_owned(), connection(&bench.sandbox.address("acme"), Duration::from_secs(20)))]);
    let toolbox = Toolbox::over(apis(), catalog, selection, &connections, false);
    let called = call(&toolbox, "acme_search_issues", json!({"jql": "a = b", "columns": ["Story Points"]})).await;
    let Err(Failure::Arguments { text, .. }) = called else { panic!("{called:?}") };
    assert!(text.contains("`listFields` is not known to read only"), "{text}");
    assert!(bench.arrived().0.is_empty());
}

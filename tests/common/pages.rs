//! A vendor that exists for tests only: one listing in each paging style, and an upstream behind
//! them that misbehaves on purpose.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use toolwright::call::{Caller, RetryPolicy, Toolbox};
use toolwright::catalog::Catalog;
use toolwright::client_runtime::{CompiledApi, connect};
use toolwright::mcp_result;
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::{
    Address, Annotations, ApiTools, Binding, Call, Effect, Limits, Paging, PagingKind, Place, Returns, Signs, Tool,
    Vendor, Verb,
};

const ID: &str = "pages";

/// A way to page: what tool and operation are called, and how they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Style {
    /// `start` and `limit`; the answer states whether it is the last page.
    Offset,
    /// `page` and `per_page`; the answer is a bare list.
    Page,
    /// A token in the answer.
    Token,
    /// A token in a header, a list; it goes into the body.
    Header,
}

impl Style {
    pub(crate) const ALL: [Self; 4] = [Self::Offset, Self::Page, Self::Token, Self::Header];

    pub(crate) fn tool(self) -> &'static str {
        match self {
            Self::Offset => "pages_list_by_offset",
            Self::Page => "pages_list_by_page",
            Self::Token => "pages_list_by_token",
            Self::Header => "pages_list_by_header",
        }
    }

    /// Its method and path.
    fn request(self) -> (&'static str, &'static str) {
        match self {
            Self::Offset => ("GET", "/offset"),
            Self::Page => ("GET", "/page"),
            Self::Token => ("GET", "/token"),
            Self::Header => ("POST", "/header"),
        }
    }

    fn paging(self) -> Paging {
        let text = |text: &str| Some(text.to_owned());
        let query = |name: &str| Place::Query(name.to_owned());
        let (kind, position, size, signs) = match self {
            Self::Offset => {
                let signs = Signs { records: text("/values"), last: text("/isLastPage"), ..Signs::default() };
                (PagingKind::Offset, query("start"), query("limit"), signs)
            }
            Self::Page => (PagingKind::Page, query("page"), query("per_page"), Signs { first: 1, ..Signs::default() }),
            Self::Token => {
                let signs = Signs { records: text("/issues"), next: text("/nextPageToken"), ..Signs::default() };
                (PagingKind::Token, query("nextPageToken"), query("maxResults"), signs)
            }
            Self::Header => {
                let signs = Signs {
                    next_header: text("x-search_after"),
                    count_header: text("x-result-count"),
                    limit_header: text("x-limit"),
                    ..Signs::default()
                };
                let property = |name: &str| Place::Property(name.to_owned());
                (PagingKind::Token, property("search_after"), property("limit"), signs)
            }
        };
        Paging { kind, position, always: false, size: Some(size), most: Some(100), signs }
    }

    fn definition(self) -> Tool {
        let paging = self.paging();
        let filter = match self {
            Self::Header => Place::Property("filter".to_owned()),
            _ => Place::Query("filter".to_owned()),
        };
        let binding = |argument: &str, place: Place, default: Option<Value>| Binding {
            default,
            ..Binding::plain(argument, place)
        };
        let call = Call {
            api: ID.to_owned(),
            operation: self.tool().to_owned(),
            method: self.request().0.to_owned(),
            path: self.request().1.to_owned(),
            when: None,
            scopes: Vec::new(),
            bindings: vec![
                binding("size", paging.size.clone().unwrap(), Some(json!(3))),
                binding("filter", filter, None),
            ],
            fixed: Vec::new(),
            needs_one_of: Vec::new(),
            hints: Vec::new(),
            answers: None,
            returns: Returns::default(),
            paging: Some(paging),
            read_back: None,
            written_back: false,
            wait: None,
        };
        let text = json!({"type": "string"});
        let schema = json!({
            "type": "object",
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "filter": text,
                "fields": {"type": "array", "items": text},
                "cursor": text,
                "all": {"type": "boolean"},
            },
            "required": ["filter"],
            "additionalProperties": false,
        });
        Tool {
            name: self.tool().to_owned(),
            title: self.tool().replace('_', " "),
            description: "Lists records that exist for tests only.".to_owned(),
            effect: Some(Effect::Read),
            verb: Verb::List,
            risks: BTreeSet::new(),
            tags: BTreeSet::from(["core".to_owned()]),
            aliases: Vec::new(),
            phrases: Vec::new(),
            unlisted: Vec::new(),
            annotations: Annotations {
                read_only_hint: true,
                destructive_hint: false,
                idempotent_hint: true,
                open_world_hint: true,
            },
            input_schema: RawValue::from_string(schema.to_string()).unwrap(),
            unshown: Vec::new(),
            calls: vec![call],
            workflow: None,
            concise: Vec::new(),
        }
    }
}

static APIS: [CompiledApi; 1] =
    [CompiledApi { id: ID, vendor: ID, tools: "", sandbox: "", answers: "", requests: REQUESTS, connect }];

/// What its operations send.
const REQUESTS: &str = r#"{
"pages_list_by_header": {"method":"POST","path":"/header","body":{"kind":"json","content_type":"application/json"}},
"pages_list_by_offset": {"method":"GET","path":"/offset","parameters":[{"name":"start","in":"query"},{"name":"limit","in":"query"},{"name":"filter","in":"query"}]},
"pages_list_by_page": {"method":"GET","path":"/page","parameters":[{"name":"page","in":"query"},{"name":"per_page","in":"query"},{"name":"filter","in":"query"}]},
"pages_list_by_token": {"method":"GET","path":"/token","parameters":[{"name":"nextPageToken","in":"query"},{"name":"maxResults","in":"query"},{"name":"filter","in":"query"}]}
}
"#;

/// What the upstream does wrong, and on which request (the first is 0).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    None,
    /// Answers 429 once, with these headers.
    Busy(usize, &'static str),
    /// Accepts this many requests in each window.
    Refills(u32, Duration),
    /// Sends the head of its answer for ever.
    SlowHeaders(usize),
    /// Sends half of the body.
    HalfBody(usize),
    /// Resets the connection before it has read the request, as often as it comes.
    ResetBefore(usize),
    /// Resets the connection after it has read the request.
    ResetAfter(usize),
    /// Each record has so many bytes.
    Large(usize),
    Gzip,
    ContentType(&'static str),
    InvalidUtf8,
    /// A web page instead of data.
    WebPage(usize),
    /// The same page for every position.
    Repeats,
}

/// What arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrived(Arc<Mutex<Vec<String>>>);

impl Arrived {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// An upstream with so many records, and a toolbox over it.
pub(crate) struct Pages {
    pub toolbox: Toolbox,
    pub arrived: Arrived,
}

impl Pages {
    pub(crate) async fn new(records: usize, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arrived::default();
        tokio::spawn(serve(listener, records, fault, arrived.clone()));
        Self { toolbox: toolbox(&address), arrived }
    }

    pub(crate) fn with_bound(self, records: usize) -> Self {
        let policy = RetryPolicy { records, ..RetryPolicy::default() };
        Self { toolbox: self.toolbox.with_retry_policy(policy), ..self }
    }

    /// Calls as a caller with this session.
    pub(crate) async fn call_as(&self, caller: &Caller, tool: &str, arguments: &Value) -> rmcp::model::CallToolResult {
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        mcp_result::result(ID, self.toolbox.call_as(caller, tool, arguments).await)
    }

    /// Calls; the answer as JSON.
    pub(crate) async fn call(&self, style: Style, arguments: Value) -> Value {
        let result = self.call_as(&Caller::default(), style.tool(), &arguments).await;
        let text = super::text(&result);
        assert_eq!(result.is_error, Some(false), "{style:?}: {text}");
        assert!(text.len() <= 40_000, "{style:?}: {} bytes", text.len());
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{style:?}: {error}: {text}"))
    }

    /// Calls; the text of the failure.
    pub(crate) async fn failure(&self, style: Style, arguments: Value) -> String {
        let result = self.call_as(&Caller::default(), style.tool(), &arguments).await;
        assert_eq!(result.is_error, Some(true), "{style:?}: {result:?}");
        super::text(&result).to_owned()
    }
}

/// The numbers of an answer's records.
pub(crate) fn ids(answer: &Value) -> Vec<u64> {
    let records = [&answer["items"], &answer["values"], &answer["issues"]].into_iter().find_map(Value::as_array);
    records.unwrap_or_else(|| panic!("{answer}")).iter().map(|record| record["id"].as_u64().unwrap()).collect()
}

fn toolbox(address: &str) -> Toolbox {
    let vendor = Vendor {
        id: ID.to_owned(),
        title: "Pages".to_owned(),
        addresses: vec![Address { variable: "PAGES_URL".to_owned(), ..Address::default() }],
        servers: BTreeMap::new(),
        credentials: Vec::new(),
        inbound: None,
        oauth: None,
        help_desk: None,
        found: Vec::new(),
        settings: Vec::new(),
        refusals: Vec::new(),
        finders: BTreeMap::new(),
        guidance: String::new(),
        prompts: Vec::new(),
        check: None,
        limits: Limits::default(),
        arguments: Vec::new(),
        resolve: std::collections::BTreeMap::new(),
        phrases: Vec::new(),
        source: BTreeMap::new(),
        paging: Vec::new(),
        untrusted: Some(Vec::new()),
        html: Vec::new(),
    };
    let tools = Style::ALL.into_iter().map(Style::definition).collect();
    let catalog = Catalog::new(vec![ApiTools { api: ID.to_owned(), vendor: ID.to_owned(), tools }], vec![vendor]);
    let selection = Selection::resolve(&SelectionWords::default(), Defaults::CoreReads, &catalog).unwrap();
    let connection = super::connection(address, Duration::from_millis(1_500));
    Toolbox::over(&APIS, catalog, selection, &HashMap::from([(ID.to_owned(), connection)]), false)
}

async fn serve(listener: TcpListener, records: usize, fault: Fault, arrived: Arrived) {
    let (mut number, mut window) = (0, (Instant::now(), 0));
    while let Ok((mut stream, _)) = listener.accept().await {
        let reset = |stream: TcpStream| {
            // Closing without lingering sends a reset.
            stream.set_zero_linger().unwrap();
            drop(stream);
        };
        if matches!(fault, Fault::ResetBefore(at) if at == number) {
            number += 1;
            reset(stream);
            continue;
        }
        let Some((head, body)) = read(&mut stream).await else { continue };
        let this = number;
        number += 1;
        arrived.0.lock().unwrap().push(format!("{}{body}", head.lines().next().unwrap_or_default()));
        let mut refused = match fault {
            Fault::Busy(at, headers) if at == this => Some(headers),
            _ => None,
        };
        if let Fault::Refills(most, span) = fault {
            if window.0.elapsed() > span {
                window = (Instant::now(), 0);
            }
            window.1 += 1;
            refused = (window.1 > most).then_some("RateLimit-Remaining: 0\r\nRateLimit-Reset: 1\r\n");
        }
        if let Some(headers) = refused {
            let answer = format!("HTTP/1.1 429 Busy\r\n{headers}Content-Length: 4\r\nConnection: close\r\n\r\nbusy");
            let _ = stream.write_all(answer.as_bytes()).await;
            continue;
        }
        match fault {
            Fault::ResetAfter(at) if at == this => {
                reset(stream);
                continue;
            }
            Fault::SlowHeaders(at) if at == this => {
                tokio::spawn(async move {
                    let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ").await;
                    while sent.is_ok() {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        sent = stream.write_all(b"x").await;
                    }
                });
                continue;
            }
            Fault::WebPage(at) if at == this => {
                let page =
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>Sign in</html>";
                let _ = stream.write_all(page.as_bytes()).await;
                continue;
            }
            _ => {}
        }
        let (headers, body) = page(&head, &body, records, fault);
        let mut sent = body.as_slice();
        if matches!(fault, Fault::HalfBody(at) if at == this) {
            sent = &body[..body.len() / 2];
        }
        let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(sent).await;
        let _ = stream.shutdown().await;
    }
}

/// Head and body of a request.
pub(crate) async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

/// The answer to one request: its headers and its body.
fn page(head: &str, body: &str, records: usize, fault: Fault) -> (String, Vec<u8>) {
    let target = head.split(' ').nth(1).unwrap();
    let url = url::Url::parse(&format!("http://test{target}")).unwrap();
    let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let number = |name: &str| query(name).and_then(|text| text.parse::<usize>().ok());
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let size = number("limit").or(number("per_page")).or(number("maxResults"));
    let size = size.or(body["limit"].as_u64().and_then(|size| usize::try_from(size).ok())).unwrap();
    let mut from = match url.path() {
        "/offset" => number("start").unwrap_or(0),
        "/page" => (number("page").unwrap_or(1) - 1) * size,
        "/token" => query("nextPageToken").map_or(0, |token| token.strip_prefix("from-").unwrap().parse().unwrap()),
        "/header" => body["search_after"][0].as_u64().and_then(|from| usize::try_from(from).ok()).unwrap_or(0),
        other => panic!("{other}"),
    };
    if matches!(fault, Fault::Repeats) {
        from = 0;
    }
    let end = records.min(from + size);
    let text = match fault {
        Fault::Large(bytes) => "x".repeat(bytes),
        _ => "ümlaut".to_owned(),
    };
    let rows: Vec<Value> = (from.min(end)..end).map(|id| json!({"id": id, "text": text})).collect();
    let (next, last) = (format!("from-{end}"), end >= records);
    let mut headers = String::new();
    let answer = match url.path() {
        "/offset" => json!({"values": rows, "isLastPage": last, "start": from}),
        "/token" if last => json!({"issues": rows}),
        "/token" => json!({"issues": rows, "nextPageToken": next}),
        "/header" => {
            let _ = write!(
                headers,
                "X-Result-Count: {}\r\nX-Limit: {size}\r\nX-Search_after: [{end}, \"id\"]\r\n",
                rows.len()
            );
            json!(rows)
        }
        _ => json!(rows),
    };
    let mut body = answer.to_string().into_bytes();
    let content_type = match fault {
        Fault::ContentType(content_type) => content_type,
        _ => "application/json",
    };
    let _ = write!(headers, "Content-Type: {content_type}\r\n");
    match fault {
        Fault::Gzip => {
            headers.push_str("Content-Encoding: gzip\r\n");
            body = gzip(&body);
        }
        Fault::InvalidUtf8 => {
            for byte in &mut body {
                // The first byte of `ü`: what is left is no text.
                if *byte == 0xc3 {
                    *byte = 0xff;
                }
            }
        }
        _ => {}
    }
    (headers, body)
}

/// gzip without compression.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(60_000).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    out.extend_from_slice(&(!sum).to_le_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}

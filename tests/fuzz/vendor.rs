//! The compiled tools over vendors in memory: what they answer is set as text of HTTP, and read by the product's own
//! code as if it had arrived.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::http;
use toolwright::call::{RetryPolicy, Toolbox};
use toolwright::catalog::{Catalog, sandbox_tables};
use toolwright::client_runtime::{self, CompiledApi, Inputs, Pending, Requests, Upstream};
use toolwright::config::ConnectionConfig;
use toolwright::policy::{Defaults, Selection};
use toolwright::upstream::{Credentials, Unencrypted, parse_address};

use crate::common::everything;

/// Separates one answer from the next; the last one is repeated.
const NEXT_ANSWER: &[u8] = b"\n%%\n";
/// The configured address, to which nothing is sent. Links to its host may stay live.
const HOME: &str = "http://127.0.0.1:9/";

/// What the vendors in memory answer, and what they answered.
#[derive(Default)]
struct State {
    answers: Vec<Vec<u8>>,
    given: usize,
    answered: Vec<Vec<u8>>,
}

thread_local! {
    // A vendor is asked on the thread of the call: each thread that runs a target has vendors of its own.
    static STATE: RefCell<State> = RefCell::default();
}

static APIS: LazyLock<Vec<CompiledApi>> = LazyLock::new(|| {
    let catalog = Catalog::compiled();
    let api = |(id, _): (&'static str, &str)| {
        let vendor = catalog.vendors().iter().map(|vendor| vendor.id.clone()).find(|vendor| id.starts_with(vendor));
        let vendor = vendor.expect("an API is of a vendor").leak();
        CompiledApi { id, vendor, tools: "", sandbox: "", answers: "", requests: "", connect }
    };
    sandbox_tables().into_iter().map(api).collect()
});

/// A toolbox over vendors in memory that sends once and never waits.
pub(crate) fn toolbox() -> Toolbox {
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(&everything(), Defaults::Everything, &catalog).unwrap();
    let connections: HashMap<String, ConnectionConfig> = sandbox_tables()
        .iter()
        .map(|(api, _)| {
            let address = parse_address(HOME, &[], Unencrypted::default()).unwrap();
            let credentials = Credentials::bearer("test-token").unwrap();
            ((*api).to_owned(), ConnectionConfig::new(address, credentials, Duration::from_secs(20)))
        })
        .collect();
    let policy = RetryPolicy { budget: Duration::ZERO, ..RetryPolicy::none() };
    Toolbox::over(&APIS, catalog, selection, &connections, false).with_retry_policy(policy)
}

/// Sets what the vendors answer from now on, one after the other.
pub(crate) fn set_answers(text: &[u8]) {
    let mut answers = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, NEXT_ANSWER) {
        answers.push(rest[..at].to_vec());
        rest = &rest[at + NEXT_ANSWER.len()..];
    }
    answers.push(rest.to_vec());
    STATE.set(State { answers, ..State::default() });
}

/// Returns what the vendors have answered since the last time, as it is written.
pub(crate) fn take_answered() -> Vec<Vec<u8>> {
    STATE.with_borrow_mut(|state| std::mem::take(&mut state.answered))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Splits the text of an answer into its head and its body.
pub(crate) fn head_and_body(text: &[u8]) -> (&[u8], &[u8]) {
    find(text, b"\n\n").map_or((text, b""), |at| (&text[..at], &text[at + 2..]))
}

/// The status and the headers of a head; what is no status is 200, and what is no header is left out.
pub(crate) fn read_head(head: &[u8]) -> (u16, Vec<(String, Vec<u8>)>) {
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.trim().parse().ok());
    let status = status.filter(|status| (200..600).contains(status)).unwrap_or(200);
    let headers = lines.filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = std::str::from_utf8(&line[..at]).ok()?.trim().to_ascii_lowercase();
        Some((name, line[at + 1..].trim_ascii().to_vec()))
    });
    (status, headers.collect())
}

fn response(text: &[u8]) -> reqwest::Response {
    let (head, body) = head_and_body(text);
    let (status, headers) = read_head(head);
    let mut response = http::Response::new(body.to_vec());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response.into()
}

struct InMemory;

fn connect(_: Upstream, _: &Arc<Requests>) -> Box<dyn client_runtime::Connection> {
    Box::new(InMemory)
}

impl client_runtime::Connection for InMemory {
    fn call<'a>(&'a self, _: &str, _: Inputs) -> Pending<'a> {
        let answer = STATE.with_borrow_mut(|state| {
            let answer = state.answers.get(state.given).or(state.answers.last()).cloned().unwrap_or_default();
            state.given += 1;
            let response = response(&answer);
            state.answered.push(answer);
            response
        });
        Box::pin(client_runtime::read(answer))
    }
}

//! A message as a client wrote it → as rmcp reads it, or the error that answers it. Clients differ in how they write
//! that there are no parameters, and some write arguments as JSON text. rmcp answers what it can't read without an id,
//! so that the client waits for its answer until it gives up.

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    CallToolRequestParams, ClientJsonRpcMessage, ClientRequest, CompleteRequestParams, ErrorCode, GetMeta as _,
    GetPromptRequestParams, GetSkillRequestParams, InitializeRequestParams, JsonObject, JsonRpcMessage,
    PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, RequestId, SetLevelRequestParams,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::bounds;
use super::plain_call;
use super::unread::Scan;

/// The largest message, in bytes: a file of 10 MB in base64 and its envelope.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;
/// The most values in a message: each takes many times the memory that its text takes.
const MOST_VALUES: usize = 100_000;
/// A message of at most so many bytes can't have more values. Longer ones are read on a thread of their own, so that
/// other requests go on.
pub(super) const SHORT: usize = 2 * MOST_VALUES;

/// The requests that this server answers. rmcp takes one whose parameters it can't read for an unknown method.
const METHODS: [&str; 11] = [
    "completion/complete",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "skills/get",
    "skills/list",
    "tools/call",
    "tools/list",
];
/// Those that 2026-07-28 removed; a request of that version brings its version along.
const METHODS_OF_OLDER_VERSIONS: [&str; 3] = ["initialize", "logging/setLevel", "ping"];

/// A message that rmcp can read.
#[derive(Debug)]
pub(super) struct Readable {
    pub(super) message: ClientJsonRpcMessage,
    /// The message's text, where it had to be written anew; `None` where rmcp reads it as it came.
    pub(super) rewritten: Option<Vec<u8>>,
}

/// Arguments of a call that travel beside its message, because they are large and rmcp reads each message again.
#[derive(Debug, Clone)]
pub(super) struct Arguments(Arc<Mutex<Option<JsonObject>>>);

impl Arguments {
    /// Takes them; they are there once.
    pub(super) fn take(&self) -> Option<JsonObject> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Readable {
    /// Takes the arguments out of a call, and writes anew what is left of it.
    pub(super) fn take_arguments(&mut self) -> Option<Arguments> {
        let JsonRpcMessage::Request(request) = &mut self.message else { return None };
        let ClientRequest::CallToolRequest(call) = &mut request.request else { return None };
        let arguments = call.params.arguments.replace(JsonObject::new());
        self.rewritten = serde_json::to_vec(&self.message).ok();
        Some(Arguments(Arc::new(Mutex::new(arguments))))
    }
}

/// A message that can't be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) code: ErrorCode,
    /// The JSON-RPC error that answers it; `None` where no answer is expected.
    pub(super) answer: Option<Value>,
}

impl Unreadable {
    fn request(code: ErrorCode, id: &Value, reason: &str) -> Self {
        Self { code, answer: Some(error(code, id, reason)) }
    }

    fn unanswered(code: ErrorCode) -> Self {
        Self { code, answer: None }
    }

    /// A message of which nothing is known.
    pub(super) fn unread() -> Self {
        Self::unanswered(ErrorCode::INTERNAL_ERROR)
    }

    /// A message of more than [`LARGEST`] bytes.
    pub(super) fn too_large(scan: &Scan) -> Self {
        let reason = format!("a message may have {} MB", LARGEST / 1024 / 1024);
        Self::broken(scan, ErrorCode::INVALID_REQUEST, &reason)
    }

    /// A text that is no JSON, or not all of it. It is answered only where it has an id: a program that asks nothing
    /// could take the answer for a message, and answer that.
    fn broken(scan: &Scan, code: ErrorCode, reason: &str) -> Self {
        match &scan.id {
            Some(id) if !scan.answers => Self::request(code, id, reason),
            _ => Self::unanswered(code),
        }
    }
}

/// The error that answers a request with this id.
pub(super) fn error(code: ErrorCode, id: &Value, reason: &str) -> Value {
    // An id of another kind can't be repeated; JSON-RPC wants `null` then.
    let id = if id.is_string() || id.is_number() { id } else { &Value::Null };
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code.0, "message": reason}})
}

/// Reads a message.
///
/// # Errors
/// It is none, or has parts that can't be understood.
pub(super) fn read(text: &[u8]) -> Result<Readable, Unreadable> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    if text.len() > SHORT {
        let scan = Scan::of(text);
        if scan.values > MOST_VALUES {
            let reason = format!("a message may have {MOST_VALUES} values");
            return Err(Unreadable::broken(&scan, ErrorCode::INVALID_REQUEST, &reason));
        }
    }
    if let Some(message) = plain_call::read(text) {
        return Ok(Readable { message, rewritten: None });
    }
    if let Some(message) = readable(text) {
        return within_bounds(message, None);
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(message)) => read_leniently(message),
        Ok(Value::Array(messages)) => Err(batch(&messages)),
        Ok(_) => Err(Unreadable::request(ErrorCode::INVALID_REQUEST, &Value::Null, "a message is a JSON object")),
        Err(error) => Err(Unreadable::broken(
            &Scan::of(text),
            ErrorCode::PARSE_ERROR,
            &format!("the message is no JSON: {error}"),
        )),
    }
}

fn within_bounds(mut message: ClientJsonRpcMessage, rewritten: Option<Vec<u8>>) -> Result<Readable, Unreadable> {
    if let Some(reason) = bounds::fault(&message) {
        return Err(Unreadable::request(ErrorCode::INVALID_REQUEST, &Value::Null, &reason));
    }
    let cut = bounds::cut(&mut message).then(|| serde_json::to_vec(&message).ok()).flatten();
    Ok(Readable { rewritten: cut.or(rewritten), message })
}

/// The message, if rmcp reads it, and as the request that it is.
fn readable(text: &[u8]) -> Option<ClientJsonRpcMessage> {
    let message: ClientJsonRpcMessage = serde_json::from_slice(text).ok()?;
    let is_misread = match &message {
        JsonRpcMessage::Request(request) => is_misread(&request.request),
        _ => false,
    };
    (!is_misread).then_some(message)
}

fn is_misread(request: &ClientRequest) -> bool {
    let ClientRequest::CustomRequest(custom) = request else { return false };
    let is_newer = request.get_meta().protocol_version().is_some_and(|of| of >= ProtocolVersion::V_2026_07_28);
    let method = custom.method.as_str();
    METHODS.contains(&method) || !is_newer && METHODS_OF_OLDER_VERSIONS.contains(&method)
}

fn read_leniently(mut message: Map<String, Value>) -> Result<Readable, Unreadable> {
    if let Some(params) = message.get_mut("params") {
        make_object(params);
        if let Some(arguments) = params.get_mut("arguments") {
            make_object(arguments);
        }
    }
    let text = Value::Object(message.clone()).to_string().into_bytes();
    match readable(&text) {
        Some(message) => within_bounds(message, Some(text)),
        None => Err(fault(&message)),
    }
}

/// Turns what is written in place of an object into one: `null`, an empty list or text, JSON text of an object.
fn make_object(value: &mut Value) {
    let written = match value.as_str().map(str::trim) {
        Some("") => Some(Value::Null),
        Some(text) => serde_json::from_str(text).ok(),
        None => None,
    };
    let is_empty = match written.as_ref().unwrap_or(value) {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if is_empty {
        *value = json!({});
    } else if let Some(object @ Value::Object(_)) = written {
        *value = object;
    }
}

/// What keeps a JSON object from being a message.
fn fault(message: &Map<String, Value>) -> Unreadable {
    let method = message.get("method");
    let answers = message.contains_key("result") || message.contains_key("error");
    let invalid = |id: &Value, reason: &str| Unreadable::request(ErrorCode::INVALID_REQUEST, id, reason);
    let Some(id) = message.get("id") else {
        let asks = method.is_none() && !answers;
        return if asks {
            invalid(&Value::Null, "a request has a `method` and an `id`")
        } else {
            Unreadable::unanswered(ErrorCode::INVALID_REQUEST)
        };
    };
    match method {
        None if answers => Unreadable::unanswered(ErrorCode::INVALID_REQUEST),
        _ if serde_json::from_value::<RequestId>(id.clone()).is_err() => {
            invalid(id, "`id` must be a text or a whole number of at most 64 bits")
        }
        _ if message.get("jsonrpc").is_none_or(|version| version != "2.0") => invalid(id, "`jsonrpc` must be \"2.0\""),
        _ if answers => invalid(id, "a request has neither `result` nor `error`"),
        Some(Value::String(method)) => {
            let params = message.get("params").unwrap_or(&Value::Null);
            Unreadable::request(ErrorCode::INVALID_PARAMS, id, &fault_in_params(method, params))
        }
        _ => invalid(id, "a request has a `method`, which is a text"),
    }
}

fn fault_in_params(method: &str, params: &Value) -> String {
    fn fault<P: DeserializeOwned>(params: &Value) -> Option<String> {
        P::deserialize(params).err().map(|error| error.to_string())
    }
    if params.is_array() || params.is_string() {
        return "`params` must be an object".to_owned();
    }
    let arguments = params.get("arguments").filter(|arguments| !arguments.is_object());
    if let Some(arguments) = arguments.filter(|_| method == "tools/call") {
        let text = arguments.as_str().and_then(|text| serde_json::from_str::<Value>(text).err());
        let why = text.map_or_else(String::new, |error| format!("; it is a text that is no JSON: {error}"));
        return format!("`arguments` must be an object{why}");
    }
    let fault = match method {
        "initialize" => fault::<InitializeRequestParams>(params),
        "logging/setLevel" => fault::<SetLevelRequestParams>(params),
        "tools/call" => fault::<CallToolRequestParams>(params),
        "completion/complete" => fault::<CompleteRequestParams>(params),
        "prompts/get" => fault::<GetPromptRequestParams>(params),
        "resources/read" => fault::<ReadResourceRequestParams>(params),
        "skills/get" => fault::<GetSkillRequestParams>(params),
        "prompts/list" | "resources/list" | "resources/templates/list" | "skills/list" | "tools/list" => {
            fault::<PaginatedRequestParams>(params)
        }
        _ => None,
    };
    format!("`params` of `{method}`: {}", fault.as_deref().unwrap_or("not what this request takes"))
}

/// Several messages in one list, which only one version of the protocol had: each request in it is answered.
fn batch(messages: &[Value]) -> Unreadable {
    let code = ErrorCode::INVALID_REQUEST;
    let reason = "several messages in one list are not taken: send each by itself";
    let asked = messages.iter().filter(|message| message.get("method").is_some());
    let ids = asked.filter_map(|message| message.get("id"));
    let answers: Vec<Value> = ids.filter_map(|id| Unreadable::request(code, id, reason).answer).collect();
    match (answers.is_empty(), messages.is_empty()) {
        (false, _) => Unreadable { code, answer: Some(Value::Array(answers)) },
        (true, true) => Unreadable::request(code, &Value::Null, "an empty list is no message"),
        (true, false) => Unreadable::unanswered(code),
    }
}

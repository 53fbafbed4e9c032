//! What a message states of its client and of itself → within bounds: it is kept as long as a session lives, compared
//! and repeated in answers.

use rmcp::model::{
    ClientCapabilities, ClientJsonRpcMessage, ClientRequest, GetMeta as _, Implementation, JsonRpcMessage,
    NumberOrString,
};
use serde::Serialize;
use serde_json::Value;
use toolwright_model::truncate;

/// The longest id and progress token, in bytes: they are repeated.
pub(super) const LONGEST_ID: usize = 256;
/// The longest name of a tool or method, in characters.
pub(super) const LONGEST_NAME: usize = 256;
/// The longest name or version of a client, in characters.
const LONGEST_CLIENT: usize = 100;
/// The largest capabilities that are kept as they are, in bytes.
const LARGEST_CAPABILITIES: usize = 4_096;
/// Where a request has its progress token.
pub(super) const PROGRESS_TOKEN: &str = "progressToken";

/// What can't be cut in a message: its id.
pub(super) fn fault(message: &ClientJsonRpcMessage) -> Option<String> {
    let JsonRpcMessage::Request(request) = message else { return None };
    let NumberOrString::String(id) = &request.id else { return None };
    (id.len() > LONGEST_ID).then(|| format!("`id` may have {LONGEST_ID} bytes"))
}

/// Cuts what is too long in a message; returns whether anything was.
pub(super) fn cut(message: &mut ClientJsonRpcMessage) -> bool {
    let JsonRpcMessage::Request(request) = message else { return false };
    let request = &mut request.request;
    let mut is_cut = false;
    if request.get_meta().get(PROGRESS_TOKEN).and_then(Value::as_str).is_some_and(|token| token.len() > LONGEST_ID) {
        request.get_meta_mut().remove(PROGRESS_TOKEN);
        is_cut = true;
    }
    match request {
        ClientRequest::CallToolRequest(call) => {
            let mut name = std::mem::take(&mut call.params.name).into_owned();
            is_cut |= cut_text(&mut name, LONGEST_NAME);
            call.params.name = name.into();
        }
        ClientRequest::CustomRequest(custom) => is_cut |= cut_text(&mut custom.method, LONGEST_NAME),
        ClientRequest::InitializeRequest(initialize) => {
            let params = &mut initialize.params;
            is_cut |= cut_client(&mut params.client_info) | cut_capabilities(&mut params.capabilities);
        }
        _ => {}
    }
    is_cut
}

fn cut_client(client: &mut Implementation) -> bool {
    let Implementation { name, version, title, description, icons, website_url, .. } = client;
    let is_named = cut_text(name, LONGEST_CLIENT) | cut_text(version, LONGEST_CLIENT);
    // Shown nowhere.
    let others = size(&(&title, &description, &icons, &website_url)) > LARGEST_CAPABILITIES;
    if others {
        (*title, *description, *icons, *website_url) = (None, None, None, None);
    }
    is_named || others
}

/// Drops what a client describes at length.
fn cut_capabilities(capabilities: &mut ClientCapabilities) -> bool {
    let is_large = size(capabilities) > LARGEST_CAPABILITIES;
    if is_large {
        (capabilities.experimental, capabilities.extensions) = (None, None);
    }
    is_large
}

fn cut_text(text: &mut String, most: usize) -> bool {
    let is_long = text.len() > most && text.chars().nth(most).is_some();
    if is_long {
        // And the mark of the cut.
        *text = truncate(text, most - 1).into_owned();
    }
    is_long
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

/// The client as it names itself, in one line: for records and logs.
pub(super) fn client_line(client: &Implementation) -> String {
    let line = format!("{} {}", truncate(&client.name, LONGEST_CLIENT), truncate(&client.version, LONGEST_CLIENT));
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    line.trim().chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(message: &Value) -> ClientJsonRpcMessage {
        serde_json::from_value(message.clone()).unwrap()
    }

    #[test]
    fn what_is_kept_and_repeated_is_cut() {
        let long = "x".repeat(100_000);
        let client = json!({"name": long, "version": long, "description": long});
        let capabilities = json!({"experimental": {"a": {"b": long}}, "sampling": {}});
        for (method, params) in [
            (
                "initialize",
                json!({"protocolVersion": "2025-06-18", "capabilities": capabilities, "clientInfo": client}),
            ),
            ("tools/call", json!({"name": long, "arguments": {}})),
            ("tools/list", json!({"_meta": {"progressToken": long}})),
            (long.as_str(), json!({})),
        ] {
            let mut message = read(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
            assert!(cut(&mut message), "{}", truncate(method, 20));
            assert!(size(&message) < 1_000, "{}", truncate(method, 20));
            assert!(!cut(&mut message), "what is cut is within the bounds");
        }
        let mut plain = read(
            &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a", "arguments": {"b": long}}}),
        );
        assert!(!cut(&mut plain), "arguments are the tool's matter");
        assert!(
            fault(&plain).is_none() && fault(&read(&json!({"jsonrpc": "2.0", "id": long, "method": "ping"}))).is_some()
        );
    }
}

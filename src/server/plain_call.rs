//! A message → the plain call of a tool that it is, as nearly all messages are. rmcp reads a message as each of the kinds that it
//! could be, which takes six times the instructions. Over HTTP it reads each message for itself, so only the id of a plain
//! call is read here.

use std::fmt;
use std::marker::PhantomData;

use rmcp::model::{
    CallToolRequestParams, ClientJsonRpcMessage, ClientRequest, JsonObject, JsonRpcMessage, JsonRpcRequest,
    NumberOrString, Request, RequestId, RequestMetaObject,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::bounds::{LONGEST_ID, LONGEST_NAME, PROGRESS_TOKEN};

/// Returns the id of a call that rmcp reads as it is, and that has nothing too long in it but its arguments. They are
/// not read here: rmcp may find that they are no JSON.
pub(super) fn id_of(text: &[u8]) -> Option<RequestId> {
    let Members(call): Members<Call<'_, Skipped>> = serde_json::from_slice(text).ok()?;
    call.is_plain().then_some(call.id.0)
}

/// Returns such a call as rmcp would read it.
pub(super) fn read(text: &[u8]) -> Option<ClientJsonRpcMessage> {
    let Members(call): Members<Call<'_, Option<JsonObject>>> = serde_json::from_slice(text).ok()?;
    let token = call.params.0.meta.as_ref().and_then(|meta| meta.get(PROGRESS_TOKEN)?.as_str());
    if !call.is_plain() || token.is_some_and(|token| token.len() > LONGEST_ID) {
        return None;
    }
    let Params { name, arguments, meta } = call.params.0;
    let mut params = CallToolRequestParams::new(name.to_owned());
    params.arguments = arguments;
    let mut request = Request::new(params);
    if let Some(meta) = meta {
        request.extensions.insert(RequestMetaObject::from(meta));
    }
    Some(JsonRpcMessage::Request(JsonRpcRequest::new(call.id.0, ClientRequest::CallToolRequest(request))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "O: Deserialize<'de> + Default"))]
struct Call<'a, O> {
    jsonrpc: &'a str,
    id: Short,
    method: &'a str,
    #[serde(borrow)]
    params: Members<Params<'a, O>>,
}

impl<O> Call<'_, O> {
    fn is_plain(&self) -> bool {
        self.jsonrpc == "2.0" && self.method == "tools/call" && self.params.0.name.len() <= LONGEST_NAME
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "O: Deserialize<'de> + Default"))]
struct Params<'a, O> {
    name: &'a str,
    #[serde(default)]
    arguments: O,
    #[serde(default, rename = "_meta")]
    meta: O,
}

/// What is written as an object: a struct could be written as a list of its members, too.
struct Members<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

struct MembersVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MembersVisitor<T> {
    type Value = Members<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Members<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Members)
    }
}

/// A number, or a text that is not too long.
struct Short(RequestId);

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = RequestId::deserialize(deserializer)?;
        match &id {
            NumberOrString::String(text) if text.len() > LONGEST_ID => Err(D::Error::custom("too long")),
            _ => Ok(Self(id)),
        }
    }
}

/// An object of any content, but for a progress token that is too long.
#[derive(Default)]
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while let Some(name) = members.next_key::<Name>()? {
            if name.is_progress_token {
                members.next_value::<Short>()?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(self)
    }
}

/// The name of a member.
struct Name {
    is_progress_token: bool,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(Name { is_progress_token: name == PROGRESS_TOKEN })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_read_here_is_what_rmcp_reads() {
        for params in [
            r#""name": "a""#,
            r#""name": "a", "arguments": null"#,
            r#""name": "a", "arguments": {}, "_meta": {}"#,
            r#""name": "a", "_meta": {"progressToken": 7, "x": [1.50, 1e400, 123456789012345678901234567890]}"#,
            r#""name": "a", "arguments": {"b": {"c": [null, true, 1.0, 1e400, -0]}, "d": "\u00e9\n", "b": 2}, "_meta": null"#,
        ] {
            for id in ["1", r#""one""#] {
                let text =
                    format!(r#"{{"jsonrpc": "2.0", "id": {id}, "method": "tools/call", "params": {{{params}}}}}"#);
                let read = read(text.as_bytes()).unwrap_or_else(|| panic!("{text} is plain"));
                let of_rmcp: ClientJsonRpcMessage = serde_json::from_str(&text).unwrap();
                assert_eq!(format!("{read:?}"), format!("{of_rmcp:?}"), "{text}");
                assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&of_rmcp).unwrap());
            }
        }
    }

    #[test]
    fn only_what_rmcp_reads_as_it_is_is_plain() {
        let long = "x".repeat(1_000);
        let call = |params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        for (message, plain) in [
            (call(json!({"name": "a"})), true),
            (call(json!({"name": "a", "arguments": {"b": [1, {"c": null}], "d": long}})), true),
            (call(json!({"name": "a", "arguments": {}, "_meta": {"progressToken": "p", "x": 1}})), true),
            (call(json!({"name": "a", "_meta": {"progressToken": long}})), false),
            (call(json!({"name": "a", "arguments": "{}"})), false),
            (call(json!({"name": "a", "arguments": null})), false),
            (call(json!({"name": long})), false),
            (call(json!({"name": 5})), false),
            (call(json!({"name": "a", "task": {}})), false),
            (call(json!([])), false),
            (call(json!(["a"])), false),
            (json!(["2.0", 1, "tools/call", {"name": "a"}]), false),
            (json!({"jsonrpc": "2.0", "id": long, "method": "tools/call", "params": {"name": "a"}}), false),
            (json!({"jsonrpc": "2.0", "id": null, "method": "tools/call", "params": {"name": "a"}}), false),
            (json!({"jsonrpc": "1.0", "id": 1, "method": "tools/call", "params": {"name": "a"}}), false),
            (json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "a"}}), false),
            (json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"name": "a"}}), false),
            (json!({"jsonrpc": "2.0", "id": 1, "result": {}}), false),
        ] {
            let text = message.to_string();
            assert_eq!(id_of(text.as_bytes()).is_some(), plain, "{text}");
            if plain {
                let read = crate::server::incoming::read(text.as_bytes()).unwrap();
                assert!(read.rewritten.is_none(), "{text}");
            }
            let has_null = message["params"].get("arguments") == Some(&Value::Null);
            assert_eq!(read(text.as_bytes()).is_some(), plain || has_null, "{text}");
        }
    }
}

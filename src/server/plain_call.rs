//! A message → whether it is a plain call of a tool, as nearly all messages are. rmcp reads each message over HTTP for
//! itself, and reading one as all the kinds that it could be takes longer than all else that is done with it here.

use std::fmt;

use rmcp::model::{NumberOrString, RequestId};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::bounds::{LONGEST_ID, LONGEST_NAME};

/// Returns the id of a call that rmcp reads as it is, and that has nothing too long in it but its arguments. They are
/// not read here: rmcp may find that they are no JSON.
pub(super) fn id_of(text: &[u8]) -> Option<RequestId> {
    let call: Call = serde_json::from_slice(text).ok()?;
    (call.jsonrpc == "2.0" && call.method == "tools/call" && call.params.name.len() <= LONGEST_NAME)
        .then_some(call.id.0)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call<'a> {
    jsonrpc: &'a str,
    id: Short,
    method: &'a str,
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params<'a> {
    name: &'a str,
    #[serde(default, rename = "arguments")]
    _arguments: Object,
    #[serde(default, rename = "_meta")]
    _meta: Object,
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
struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for Object {
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
        Ok(Name { is_progress_token: name == "progressToken" })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

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
        }
    }
}

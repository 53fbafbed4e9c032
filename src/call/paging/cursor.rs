//! The `cursor` argument ⇄ the call that it continues, and where. A cursor carries the call's
//! arguments, so that it alone is enough, in another process too; arguments that are secret or
//! too long must be repeated, and a digest recognises them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::page::Start;

/// Arguments of more bytes are not carried, because a model has to copy all of a cursor.
const LONGEST_ARGUMENTS: usize = 1_200;

/// Where a call continues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::call) struct Cursor {
    #[serde(rename = "t")]
    pub(in crate::call) tool: String,
    #[serde(rename = "a", default, skip_serializing_if = "Map::is_empty")]
    arguments: Map<String, Value>,
    /// Recognises the arguments if not all of them are carried.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// Where the vendor's page begins.
    #[serde(rename = "p", default, skip_serializing_if = "Start::is_first")]
    pub(in crate::call) start: Start,
    /// The id of the answer in the cache.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::call) kept: Option<String>,
    /// How much of the answer was shown already.
    #[serde(rename = "r", default, skip_serializing_if = "ReplyOffset::is_start")]
    pub(in crate::call) offset: ReplyOffset,
}

/// How much of an answer was shown: so many records, and so many parts of the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyOffset {
    /// How many whole records were shown.
    pub record: usize,
    /// How many parts of the next record were shown; of a text how many bytes.
    pub part: usize,
}

impl ReplyOffset {
    fn is_start(&self) -> bool {
        *self == Self::default()
    }
}

impl Cursor {
    /// Makes the cursor to the beginning of a call. `masked` are its arguments without secrets.
    pub(in crate::call) fn new(
        tool: &str,
        arguments: &Map<String, Value>,
        masked: &Map<String, Value>,
        start: Start,
    ) -> Self {
        let shown = arguments.iter().filter(|(name, value)| masked.get(*name) == Some(value));
        let mut carried: Map<String, Value> = shown.map(|(name, value)| (name.clone(), value.clone())).collect();
        if Value::Object(carried.clone()).to_string().len() > LONGEST_ARGUMENTS {
            carried.clear();
        }
        let digest = (carried.len() < arguments.len()).then(|| digest(arguments));
        Self { tool: tool.to_owned(), arguments: carried, digest, start, kept: None, offset: ReplyOffset::default() }
    }

    /// Returns the cursor to another page of the same call.
    pub(in crate::call) fn at_page(&self, start: Start) -> Self {
        Self { start, ..self.clone() }
    }

    /// Returns the cursor to a place in the reply to the same call, by the reply's id in the cache.
    pub(in crate::call) fn in_reply(&self, kept: Option<String>, offset: ReplyOffset) -> Self {
        Self { kept, offset, ..self.clone() }
    }

    pub(in crate::call) fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads a cursor of this tool.
    ///
    /// # Errors
    /// It is malformed or of another tool; says what to do.
    pub(in crate::call) fn read(text: &str, tool: &str) -> Result<Self, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok();
        let cursor: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match cursor {
            None => Err(
                "expected `next_cursor` of an answer, whole and unchanged; without `cursor` the listing begins anew"
                    .to_owned(),
            ),
            Some(cursor) if cursor.tool != tool => {
                Err(format!("this cursor belongs to `{}`: call that tool with it", cursor.tool))
            }
            Some(cursor) => Ok(cursor),
        }
    }

    /// Returns the arguments of the call that the cursor continues: the carried ones and the given.
    pub(in crate::call) fn with(&self, given: Map<String, Value>) -> Map<String, Value> {
        let mut arguments = self.arguments.clone();
        arguments.extend(given);
        arguments
    }

    /// Checks that the arguments are those of the call that the cursor continues. The ones for
    /// which `free` returns true may differ.
    ///
    /// # Errors
    /// They differ; says which and what to do.
    pub(in crate::call) fn check(
        &self,
        arguments: &Map<String, Value>,
        free: impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        const ADVICE: &str = "pass `cursor` alone, or leave it out to begin anew";
        if let Some(expected) = &self.digest {
            return if digest(arguments) == *expected {
                Ok(())
            } else {
                Err("this cursor belongs to a call with other arguments, which are too long or too secret to be held in it: repeat them beside `cursor`".to_owned())
            };
        }
        let differs = arguments.iter().find(|(name, value)| !free(name) && self.arguments.get(*name) != Some(value));
        match differs {
            Some((name, _)) => Err(format!("this cursor belongs to a call with another `{name}`: {ADVICE}")),
            None => Ok(()),
        }
    }
}

fn digest(arguments: &Map<String, Value>) -> String {
    let mut sorted: Vec<(&String, &Value)> = arguments.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let text = serde_json::to_string(&sorted).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_bytes())[..9])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn start() -> Start {
        Start { at: Some(json!(25)), seen: Some(25), ..Start::default() }
    }

    #[test]
    fn a_cursor_carries_the_arguments_of_its_call() {
        let arguments = object(&json!({"mode": "all", "limit": 25}));
        let written = Cursor::new("acme_list", &arguments, &arguments, start()).write();
        let read = Cursor::read(&written, "acme_list").unwrap();
        assert_eq!(read.with(Map::new()), arguments);
        assert_eq!(read.start, start());
        read.check(&arguments, |_| false).unwrap();
        assert!(written.len() < 120, "{}", written.len());
    }

    #[test]
    fn a_cursor_of_another_tool_or_call_is_refused() {
        let arguments = object(&json!({"mode": "all"}));
        let cursor = Cursor::new("acme_list", &arguments, &arguments, start());
        let written = cursor.write();
        assert!(Cursor::read(&written, "acme_get").unwrap_err().contains("belongs to `acme_list`"));
        for broken in ["", "abc", &written[1..], "eyJ4IjoxfQ"] {
            assert!(Cursor::read(broken, "acme_list").unwrap_err().contains("begins anew"), "{broken}");
        }
        let other = object(&json!({"mode": "open", "fields": ["a"]}));
        assert!(cursor.check(&other, |_| false).unwrap_err().contains("another `mode`"));
        cursor.check(&object(&json!({"mode": "all", "fields": ["a"]})), |name| name == "fields").unwrap();
    }

    #[test]
    fn a_cursor_carries_neither_secrets_nor_long_texts() {
        let arguments = object(&json!({"key": "s3cret", "mode": "all"}));
        let masked = object(&json!({"key": "***", "mode": "all"}));
        let cursor = Cursor::new("acme_list", &arguments, &masked, Start::default());
        assert_eq!(cursor.with(Map::new()), object(&json!({"mode": "all"})));
        assert!(cursor.check(&object(&json!({"mode": "all"})), |_| true).unwrap_err().contains("repeat them"));
        cursor.check(&cursor.with(object(&json!({"key": "s3cret"}))), |_| true).unwrap();
        let long = object(&json!({"query": "x".repeat(5_000)}));
        assert!(Cursor::new("acme_list", &long, &long, Start::default()).write().len() < 200);
    }
}

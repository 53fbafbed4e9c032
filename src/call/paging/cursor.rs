//! What `cursor` holds: of which call it is the continuation, and where that begins. A cursor
//! carries the call's arguments, so that it alone is enough, in another process too; what is
//! secret or too long in them must be given again, and is recognised.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Start;

/// Beyond this many bytes the arguments of a call are not carried: a model has to write them all.
const LONGEST_ARGUMENTS: usize = 1_200;

/// A place to go on from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    #[serde(rename = "t")]
    pub tool: String,
    #[serde(rename = "a", default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// By what to recognise the arguments, where they are not carried.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Where the vendor's page begins.
    #[serde(rename = "p", default, skip_serializing_if = "Start::is_first")]
    pub start: Start,
    /// Under which id the answer is kept.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    /// What of the answer was shown already.
    #[serde(rename = "r", default, skip_serializing_if = "ReplyOffset::is_start")]
    pub spot: ReplyOffset,
}

/// How much of an answer was shown: so many records, and so many parts of the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyOffset {
    /// Whole records, before.
    pub record: usize,
    /// Parts of the record, before; of a text its bytes.
    pub part: usize,
}

impl ReplyOffset {
    /// Whether nothing was shown yet.
    pub(crate) fn is_start(&self) -> bool {
        *self == Self::default()
    }
}

impl Cursor {
    /// The beginning of a call. `masked` are its arguments without secrets.
    pub(crate) fn of(tool: &str, arguments: &Map<String, Value>, masked: &Map<String, Value>, start: Start) -> Self {
        let shown = arguments.iter().filter(|(name, value)| masked.get(*name) == Some(value));
        let mut carried: Map<String, Value> = shown.map(|(name, value)| (name.clone(), value.clone())).collect();
        if Value::Object(carried.clone()).to_string().len() > LONGEST_ARGUMENTS {
            carried.clear();
        }
        let digest = (carried.len() < arguments.len()).then(|| digest(arguments));
        Self { tool: tool.to_owned(), arguments: carried, digest, start, kept: None, spot: ReplyOffset::default() }
    }

    pub(crate) fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads a cursor of this tool.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(crate) fn read(text: &str, tool: &str) -> Result<Self, String> {
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

    /// The arguments of the call that the cursor continues: the ones it carries, and those given.
    pub(crate) fn with(&self, given: Map<String, Value>) -> Map<String, Value> {
        let mut arguments = self.arguments.clone();
        arguments.extend(given);
        arguments
    }

    /// Whether the arguments, checked, are those of the call before. `free` may differ.
    ///
    /// # Errors
    /// Which differ, and what to do.
    pub(crate) fn check(&self, arguments: &Map<String, Value>, free: impl Fn(&str) -> bool) -> Result<(), String> {
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
    fn a_cursor_alone_is_enough() {
        let arguments = object(&json!({"mode": "all", "limit": 25}));
        let written = Cursor::of("acme_list", &arguments, &arguments, start()).write();
        let read = Cursor::read(&written, "acme_list").unwrap();
        assert_eq!(read.with(Map::new()), arguments);
        assert_eq!(read.start, start());
        read.check(&arguments, |_| false).unwrap();
        assert!(written.len() < 120, "{}", written.len());
    }

    #[test]
    fn a_cursor_of_something_else_is_refused() {
        let arguments = object(&json!({"mode": "all"}));
        let cursor = Cursor::of("acme_list", &arguments, &arguments, start());
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
    fn secrets_and_long_texts_are_not_in_it() {
        let arguments = object(&json!({"key": "s3cret", "mode": "all"}));
        let masked = object(&json!({"key": "***", "mode": "all"}));
        let cursor = Cursor::of("acme_list", &arguments, &masked, Start::default());
        assert_eq!(cursor.with(Map::new()), object(&json!({"mode": "all"})));
        assert!(cursor.check(&object(&json!({"mode": "all"})), |_| true).unwrap_err().contains("repeat them"));
        cursor.check(&cursor.with(object(&json!({"key": "s3cret"}))), |_| true).unwrap();
        let long = object(&json!({"query": "x".repeat(5_000)}));
        assert!(Cursor::of("acme_list", &long, &long, Start::default()).write().len() < 200);
    }
}

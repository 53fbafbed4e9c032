//! The `cursor` argument ⇄ the call that it continues, and where. A cursor carries the call's
//! arguments, so that it alone is enough, in another process too; arguments that are secret or
//! too long must be repeated, and a digest recognises them.
//!
//! It is not sealed, because it grants nothing: the policy decides about its tool, its arguments are checked as given
//! ones are, the position by [`Start::check`], and a kept reply is for its owner. A key would end every listing when a
//! process restarts, or would have to be shared by all. [`checksum`] finds what was not copied whole; where
//! processes come to share a key, it is the place to use it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::page::Start;

/// Arguments of more bytes are not carried, because a model has to copy all of a cursor.
const LONGEST_ARGUMENTS: usize = 1_200;
/// The longest cursor that is decoded, in bytes: arguments and a vendor's position, with room to spare.
const LONGEST: usize = 16_000;
/// Longer ones are compressed; of shorter ones little is gained.
const SHORT: usize = 80;
/// The length of a checksum, in bytes.
const CHECKSUM: usize = 3;
/// What a reader of a malformed cursor can do.
pub(in crate::call) const MALFORMED: &str =
    "expected `next_cursor` of an answer, whole and unchanged; without `cursor` the listing begins anew";

/// The argument names of a tool in the order of its schema. A cursor numbers them: names are long.
pub(in crate::call) type Names = Arc<[String]>;

/// Where a call continues.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::call) struct Cursor {
    pub(in crate::call) tool: String,
    names: Names,
    arguments: Map<String, Value>,
    /// Recognises the arguments if not all of them are carried.
    digest: Option<[u8; 9]>,
    /// Where the vendor's page begins.
    pub(in crate::call) start: Start,
    /// The id of the answer in the cache.
    pub(in crate::call) kept: Option<String>,
    /// How much of the answer was shown already.
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

/// Why a text is no cursor of a tool.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::call) enum CursorFault {
    /// It was not copied whole, or is none at all.
    Malformed,
    /// It is of the tool with this digest.
    OtherTool([u8; 4]),
}

/// A cursor as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    tool: [u8; 4],
    /// The arguments by their numbers, as texts of JSON.
    arguments: Vec<(u16, String)>,
    digest: Option<[u8; 9]>,
    at: Option<Position>,
    seen: Option<u64>,
    mark: Option<[u8; 4]>,
    size: Option<u64>,
    empty: u32,
    kept: Option<[u8; 16]>,
    offset: ReplyOffset,
}

/// The vendor's position.
#[derive(Serialize, Deserialize)]
enum Position {
    Whole(u64),
    Text(String),
    Json(String),
}

impl Cursor {
    /// Makes the cursor to the beginning of a call. `masked` are its arguments without secrets.
    pub(in crate::call) fn new(
        tool: &str,
        names: &Names,
        arguments: &Map<String, Value>,
        masked: &Map<String, Value>,
        start: Start,
    ) -> Self {
        let shown = arguments.iter().filter(|(name, value)| masked.get(*name) == Some(value) && names.contains(name));
        let mut carried: Map<String, Value> = shown.map(|(name, value)| (name.clone(), value.clone())).collect();
        if serde_json::to_string(&carried).is_ok_and(|text| text.len() > LONGEST_ARGUMENTS) {
            carried.clear();
        }
        let digest = (carried.len() < arguments.len()).then(|| digest(arguments));
        let (tool, names) = (tool.to_owned(), Arc::clone(names));
        Self { tool, names, arguments: carried, digest, start, kept: None, offset: ReplyOffset::default() }
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
        let number = |name: &String| u16::try_from(self.names.iter().position(|known| known == name)?).ok();
        let arguments = self.arguments.iter().filter_map(|(name, value)| Some((number(name)?, value.to_string())));
        let written = Written {
            tool: tool_digest(&self.tool),
            arguments: arguments.collect(),
            digest: self.digest,
            at: self.start.at.as_ref().map(Position::of),
            seen: self.start.seen,
            mark: self.start.mark.as_deref().and_then(|mark| u32::from_str_radix(mark, 16).ok()).map(u32::to_be_bytes),
            size: self.start.size,
            empty: self.start.empty,
            kept: self.kept.as_deref().and_then(|id| URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()),
            offset: self.offset,
        };
        // Writing into memory does not fail.
        let mut bytes = postcard::to_allocvec(&written).unwrap_or_default();
        bytes.extend(checksum(&self.tool, &self.names, &bytes));
        let bytes = match miniz_oxide::deflate::compress_to_vec(&bytes, 9) {
            compressed if bytes.len() > SHORT && compressed.len() < bytes.len() => {
                [&[1], compressed.as_slice()].concat()
            }
            _ => [&[0], bytes.as_slice()].concat(),
        };
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this tool, whose arguments have these names.
    ///
    /// # Errors
    /// It is malformed or of another tool.
    pub(in crate::call) fn read(text: &str, tool: &str, names: &Names) -> Result<Self, CursorFault> {
        let bytes = bytes(text.trim()).ok_or(CursorFault::Malformed)?;
        let (written, sum) = bytes.split_at_checked(bytes.len().saturating_sub(CHECKSUM)).unwrap_or_default();
        let (read, rest) = postcard::take_from_bytes::<Written>(written).map_err(|_| CursorFault::Malformed)?;
        if read.tool != tool_digest(tool) {
            return Err(CursorFault::OtherTool(read.tool));
        }
        if !rest.is_empty() || *sum != checksum(tool, names, written) {
            return Err(CursorFault::Malformed);
        }
        read.cursor(tool, names).ok_or(CursorFault::Malformed)
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

impl Written {
    fn cursor(self, tool: &str, names: &Names) -> Option<Cursor> {
        let argument = |(number, value): (u16, String)| {
            Some((names.get(usize::from(number))?.clone(), serde_json::from_str(&value).ok()?))
        };
        Some(Cursor {
            tool: tool.to_owned(),
            names: Arc::clone(names),
            arguments: self.arguments.into_iter().map(argument).collect::<Option<_>>()?,
            digest: self.digest,
            start: Start {
                at: match self.at {
                    Some(position) => Some(position.value()?),
                    None => None,
                },
                seen: self.seen,
                mark: self.mark.map(|mark| format!("{:08x}", u32::from_be_bytes(mark))),
                size: self.size,
                empty: self.empty,
            },
            kept: self.kept.map(|id| URL_SAFE_NO_PAD.encode(id)),
            offset: self.offset,
        })
    }
}

impl Position {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.clone()),
            other => other.as_u64().map_or_else(|| Self::Json(other.to_string()), Self::Whole),
        }
    }

    fn value(self) -> Option<Value> {
        match self {
            Self::Whole(number) => Some(number.into()),
            Self::Text(text) => Some(text.into()),
            Self::Json(text) => serde_json::from_str(&text).ok(),
        }
    }
}

/// Decodes the bytes of a cursor, and decompresses them within bounds.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    match bytes.split_first()? {
        (0, written) => Some(written.to_vec()),
        (1, compressed) => miniz_oxide::inflate::decompress_to_vec_with_limit(compressed, LONGEST).ok(),
        _ => None,
    }
}

/// By this a cursor names its tool.
pub(in crate::call) fn tool_digest(tool: &str) -> [u8; 4] {
    first(&Sha256::digest(tool.as_bytes()))
}

/// Shows that a cursor was copied whole, and that the tool takes the arguments that it took when the cursor was made.
fn checksum(tool: &str, names: &Names, written: &[u8]) -> [u8; CHECKSUM] {
    let parts = std::iter::once(tool).chain(names.iter().map(String::as_str));
    let digest = parts.fold(Sha256::new(), |digest, part| digest.chain_update(part).chain_update([0]));
    first(&digest.chain_update(written).finalize())
}

fn digest(arguments: &Map<String, Value>) -> [u8; 9] {
    let mut sorted: Vec<(&String, &Value)> = arguments.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let text = serde_json::to_string(&sorted).unwrap_or_default();
    first(&Sha256::digest(text.as_bytes()))
}

/// The first bytes of a digest, which has 32.
fn first<const N: usize>(digest: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn names() -> Names {
        ["serviceDeskId", "query", "mode", "limit", "key", "fields"].map(str::to_owned).into()
    }

    fn cursor(tool: &str, arguments: &Map<String, Value>, start: Start) -> Cursor {
        Cursor::new(tool, &names(), arguments, arguments, start)
    }

    fn start() -> Start {
        Start { at: Some(json!(25)), seen: Some(25), mark: Some("0a1b2c3d".to_owned()), ..Start::default() }
    }

    #[test]
    fn a_cursor_carries_the_arguments_of_its_call() {
        let arguments = object(&json!({"serviceDeskId": "10203", "mode": "all", "limit": 25}));
        for at in [json!(25), json!("CAEaAggD"), json!([1_762_911_607_331_u64, "Qm9yZWFsaXMtMDAx"]), json!(-5)] {
            let start = Start { at: Some(at), size: Some(50), empty: 3, ..start() };
            let written = cursor("acme_list", &arguments, start.clone()).write();
            let read = Cursor::read(&written, "acme_list", &names()).unwrap();
            assert_eq!((read.with(Map::new()), &read.start), (arguments.clone(), &start));
            read.check(&arguments, |_| false).unwrap();
        }
    }

    #[test]
    fn a_cursor_is_short_where_the_arguments_are() {
        let arguments = object(&json!({"serviceDeskId": "10203", "limit": 25}));
        let page = cursor("acme_list", &arguments, start());
        assert!(page.write().len() <= 60, "{}", page.write());
        let kept = Some(URL_SAFE_NO_PAD.encode([0xa5; 16]));
        let offset = ReplyOffset { record: 120, part: 0 };
        let written = page.in_reply(kept.clone(), offset).write();
        assert!(written.len() <= 80, "{}: {written}", written.len());
        let read = Cursor::read(&written, "acme_list", &names()).unwrap();
        assert_eq!((read.kept, read.offset), (kept, offset));
        let long = object(&json!({"query": "project = ITS and status = open ".repeat(20)}));
        let written = cursor("acme_list", &long, start()).write();
        assert!(written.len() < 200, "{}", written.len());
        assert_eq!(Cursor::read(&written, "acme_list", &names()).unwrap().with(Map::new()), long);
    }

    #[test]
    fn a_cursor_of_another_tool_or_call_is_refused() {
        let arguments = object(&json!({"mode": "all"}));
        let cursor = cursor("acme_list", &arguments, start());
        let written = cursor.write();
        let other = CursorFault::OtherTool(tool_digest("acme_list"));
        assert_eq!(Cursor::read(&written, "acme_get", &names()), Err(other));
        let changed: Names = ["serviceDeskId".to_owned()].into();
        assert_eq!(Cursor::read(&written, "acme_list", &changed), Err(CursorFault::Malformed));
        for (at, _) in written.char_indices() {
            assert!(Cursor::read(&written[..at], "acme_list", &names()).is_err(), "{at}");
            let letter = if &written[at..=at] == "A" { "B" } else { "A" };
            let miscopied = format!("{}{letter}{}", &written[..at], &written[at + 1..]);
            assert!(Cursor::read(&miscopied, "acme_list", &names()).is_err(), "{miscopied}");
        }
        for broken in ["", "abc", "eyJ4IjoxfQ", &"A".repeat(20_000)] {
            assert_eq!(Cursor::read(broken, "acme_list", &names()), Err(CursorFault::Malformed), "{broken}");
        }
        let other = object(&json!({"mode": "open", "fields": ["a"]}));
        assert!(cursor.check(&other, |_| false).unwrap_err().contains("another `mode`"));
        cursor.check(&object(&json!({"mode": "all", "fields": ["a"]})), |name| name == "fields").unwrap();
    }

    #[test]
    fn what_is_compressed_is_read_within_bounds() {
        let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; 10_000_000], 9);
        let bomb = URL_SAFE_NO_PAD.encode([&[1], bomb.as_slice()].concat());
        assert_eq!(bytes(&bomb), None);
    }

    #[test]
    fn a_cursor_carries_neither_secrets_nor_long_texts() {
        let arguments = object(&json!({"key": "s3cret", "mode": "all"}));
        let masked = object(&json!({"key": "***", "mode": "all"}));
        let cursor = Cursor::new("acme_list", &names(), &arguments, &masked, Start::default());
        assert_eq!(cursor.with(Map::new()), object(&json!({"mode": "all"})));
        assert!(cursor.check(&object(&json!({"mode": "all"})), |_| true).unwrap_err().contains("repeat them"));
        cursor.check(&cursor.with(object(&json!({"key": "s3cret"}))), |_| true).unwrap();
        let long = object(&json!({"query": "x".repeat(5_000)}));
        let cursor = Cursor::new("acme_list", &names(), &long, &long, Start::default());
        assert!(cursor.write().len() < 80);
    }
}

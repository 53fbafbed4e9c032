//! The offered tools → the list that a client is sent, in pages: `answer`, which all tools that read have, is described once for each
//! vendor. Not every client shows its model the instructions of a server.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rmcp::model::Tool;
use serde_json::{Value, json};
use toolwright_model::ANSWER;

use crate::call::OfferedTools;
use crate::catalog::CatalogEntry;

/// How many tools a page holds: more than all vendors have, because several clients read the first page only.
const PAGE: usize = 2_000;
/// What `answer` holds.
pub(super) const ANSWER_IS: &str = "what comes back: {fields: [names], jq, detail: full, all: true}";

/// Lists these tools.
pub(super) fn list(entries: &[&CatalogEntry], tools: &OfferedTools) -> Vec<Tool> {
    let mut described = BTreeSet::new();
    let listing = |entry: &CatalogEntry| {
        let mut tool = tools.listing(entry);
        if entry.shared_arguments().answer && described.insert(entry.vendor.clone()) {
            describe_answer(&mut tool);
        }
        tool
    };
    entries.iter().copied().map(listing).collect()
}

fn describe_answer(tool: &mut Tool) {
    let properties = Arc::make_mut(&mut tool.input_schema).get_mut("properties");
    if let Some(Value::Object(answer)) = properties.and_then(|properties| properties.get_mut(ANSWER)) {
        answer.insert("description".to_owned(), json!(ANSWER_IS));
    }
}

/// A cursor that this server has not returned.
#[derive(Debug, thiserror::Error)]
#[error("unknown cursor\nhint: pass `nextCursor` of the previous page, or none for the first page")]
pub(super) struct UnknownCursor;

/// Returns the page after `cursor` and the cursor of the next one. A cursor holds the name of the last tool
/// of its page, so that it stays valid across restarts with other selections.
pub(super) fn page<'a>(
    entries: &'a [&'a CatalogEntry],
    cursor: Option<&str>,
) -> Result<(&'a [&'a CatalogEntry], Option<String>), UnknownCursor> {
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| UnknownCursor)?;
            let last = String::from_utf8(bytes).map_err(|_| UnknownCursor)?;
            entries.iter().position(|entry| entry.head().name == last).ok_or(UnknownCursor)? + 1
        }
    };
    let end = entries.len().min(start + PAGE);
    let next = (end < entries.len()).then(|| URL_SAFE_NO_PAD.encode(&entries[end - 1].head().name));
    Ok((&entries[start..end], next))
}

//! A long list of tools → pages with opaque cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::catalog::Entry;

/// How many tools a page holds. Clients that read one page only are common, so a page holds what
/// a sensible selection offers; what is beyond is for clients that page.
const PAGE: usize = 250;

/// A cursor that this server did not give out.
#[derive(Debug, thiserror::Error)]
#[error("unknown cursor\nhint: pass `nextCursor` of the page before, or none for the first page")]
pub(super) struct UnknownCursor;

/// Returns the page behind `cursor` and the cursor of the next one. A cursor holds the name of
/// the last tool before the page, so that it stays right across restarts with other selections.
pub(super) fn page<'a>(
    entries: &'a [&'a Entry],
    cursor: Option<&str>,
) -> Result<(&'a [&'a Entry], Option<String>), UnknownCursor> {
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| UnknownCursor)?;
            let last = String::from_utf8(bytes).map_err(|_| UnknownCursor)?;
            entries.iter().position(|entry| entry.tool.name == last).ok_or(UnknownCursor)? + 1
        }
    };
    let end = entries.len().min(start + PAGE);
    let next = (end < entries.len()).then(|| URL_SAFE_NO_PAD.encode(&entries[end - 1].tool.name));
    Ok((&entries[start..end], next))
}

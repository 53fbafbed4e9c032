//! What a call gives: the vendor's answer, and which part of the vendor's records it holds.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::kept::{Owner, ReplyCache};
use super::paging::cursor::{Cursor, ReplyOffset};
use crate::upstream::Answer;

/// An answer and what is known of it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The vendor's answer, with only the fields that were asked for.
    pub answer: Answer,
    /// Which records of a listing it holds; `None` where the answer is all there is.
    pub page: Option<Page>,
    /// What the caller should know of how the arguments were taken.
    pub notes: Vec<String>,
    /// The names of its fields whose text outsiders wrote.
    pub untrusted: Vec<String>,
    /// Its parts, where it has several.
    pub parts: Vec<Answer>,
    /// What of the answer was shown before; the beginning of nothing, mostly.
    pub from: ReplyOffset,
    /// Where what does not fit into one answer is kept; `None` where the tool has no cursor.
    pub(super) keeping: Option<CacheSlot>,
}

/// Which part of the records that fit a question an answer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// How many records the answer holds.
    pub returned: usize,
    /// Whether there is more. `false` only where that is proved.
    pub has_more: bool,
    /// What to pass as `cursor` for what comes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many records there are in all, by the vendor's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What else a reader must know of this part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Keeps an answer once a cursor into it is needed.
#[derive(Clone)]
pub(super) struct CacheSlot {
    kept: Arc<ReplyCache>,
    owner: Owner,
    /// Leads to the beginning of the answer.
    cursor: Cursor,
    id: Arc<OnceLock<Option<String>>>,
}

impl CacheSlot {
    /// For an answer to the call that `cursor` leads to; with an id, if it is kept already.
    pub(super) fn new(kept: &Arc<ReplyCache>, owner: Owner, cursor: Cursor) -> Self {
        let id = cursor.kept.clone().map_or_else(OnceLock::new, |id| OnceLock::from(Some(id)));
        Self { kept: Arc::clone(kept), owner, cursor, id: Arc::new(id) }
    }
}

impl fmt::Debug for CacheSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeping").field("tool", &self.cursor.tool).finish_non_exhaustive()
    }
}

impl Reply {
    /// Keeps the answer, and returns what to pass as `cursor` for what stands at `spot` of it.
    /// `None` where the tool takes no cursor.
    pub fn cursor_to(&self, spot: ReplyOffset) -> Option<String> {
        let keeping = self.keeping.as_ref()?;
        let put = || keeping.kept.put(&keeping.cursor.tool, &keeping.owner, self);
        let kept = keeping.id.get_or_init(put).clone();
        Some(Cursor { kept, spot, ..keeping.cursor.clone() }.write())
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let (notes, untrusted, parts) = (Vec::new(), Vec::new(), Vec::new());
        Self { answer, page: None, notes, untrusted, parts, from: ReplyOffset::default(), keeping: None }
    }
}

impl Deref for Reply {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

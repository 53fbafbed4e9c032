//! What a call gives: the vendor's answer, and which part of the vendor's records it holds.

use std::ops::Deref;

use serde::Serialize;

use crate::upstream::Answer;

/// An answer and what is known of it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The vendor's answer, with only the fields that were asked for.
    pub answer: Answer,
    /// Which records of a listing it holds; `None` where the answer is all there is.
    pub page: Option<Page>,
    /// The names of its fields whose text outsiders wrote.
    pub untrusted: Vec<String>,
    /// Its parts, where it has several.
    pub parts: Vec<Answer>,
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

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, page: None, untrusted: Vec::new(), parts: Vec::new() }
    }
}

impl Deref for Reply {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

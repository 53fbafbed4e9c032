//! An answer as a caller gets it: sanitized, with the requested fields, and with what has to be
//! known of it.

pub(super) mod cache;

use std::ops::Deref;

use super::paging::cursor::ReplyOffset;
use super::paging::page::Page;
use crate::upstream::Answer;
use cache::CacheSlot;

/// An answer, with what a caller has to know about it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The vendor's answer, sanitized, with the requested fields.
    pub answer: Answer,
    /// Which records of a listing it holds; `None` if the answer is no page.
    pub page: Option<Page>,
    /// How the arguments were understood, where that is not obvious.
    pub notes: Vec<String>,
    /// The names of the fields whose text outsiders wrote.
    pub untrusted: Vec<String>,
    /// The parts of an answer of several parts.
    pub parts: Vec<Answer>,
    /// Where the previous answer ended; zero for a first one.
    pub from: ReplyOffset,
    /// Where the reply is cached if it is too large for one result; `None` if the tool has no
    /// cursor.
    pub(super) slot: Option<CacheSlot>,
}

impl Reply {
    /// Caches the reply, and returns the `cursor` argument for what begins at `offset`. `None` if
    /// the tool has no cursor.
    pub fn cursor_to(&self, offset: ReplyOffset) -> Option<String> {
        Some(self.slot.as_ref()?.cursor_to(offset, self))
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let (notes, untrusted, parts) = (Vec::new(), Vec::new(), Vec::new());
        Self { answer, page: None, notes, untrusted, parts, from: ReplyOffset::default(), slot: None }
    }
}

impl Deref for Reply {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

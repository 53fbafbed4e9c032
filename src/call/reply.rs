//! An answer as a caller gets it: sanitized, with the requested fields, and with what has to be
//! known of it.

pub(super) mod cache;
mod envelope;

use std::ops::Deref;

use super::paging::cursor::ReplyOffset;
use super::paging::page::Page;
use super::resolved_name::ResolvedName;
use crate::sanitize::EVERY;
use crate::upstream::Answer;
use cache::CacheSlot;
pub(crate) use envelope::{Envelope, RESOLVED};

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
    /// The dotted names of the fields that the answer has and that are not shown.
    pub omitted: Vec<String>,
    /// The records that names in the arguments mean.
    pub resolved: Vec<ResolvedName>,
    /// The parts of an answer of several parts.
    pub parts: Vec<Answer>,
    /// Whether the vendor answered with JSON; text that is none was put into an object.
    pub(super) is_json: bool,
    /// Where the previous answer ended; zero for a first one.
    pub from: ReplyOffset,
    /// Where the reply is cached if it is too large for one result; `None` if the tool has no
    /// cursor.
    pub(super) slot: Option<CacheSlot>,
}

impl Reply {
    /// Returns what a reader has to know of the answer, as it is written around it.
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope {
            page: self.page.clone(),
            untrusted: self.untrusted.clone(),
            omitted: self.omitted.clone(),
            resolved: self.resolved.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Adds the records that names in the arguments mean; people entered their texts.
    pub(super) fn set_resolved(&mut self, resolved: Vec<ResolvedName>) {
        if !resolved.is_empty() && !self.untrusted.iter().any(|name| name == EVERY) {
            self.untrusted.push(RESOLVED.to_owned());
        }
        self.resolved = resolved;
    }

    /// Returns whether a cursor leads on from what one result can show.
    pub(crate) fn has_cursor(&self) -> bool {
        self.slot.is_some()
    }

    /// Caches the reply, and returns the `cursor` argument for what begins at `offset`. `None` if
    /// the tool has no cursor.
    pub fn cursor_to(&self, offset: ReplyOffset) -> Option<String> {
        Some(self.slot.as_ref()?.cursor_to(offset, self))
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            page: None,
            notes: Vec::new(),
            untrusted: Vec::new(),
            omitted: Vec::new(),
            resolved: Vec::new(),
            parts: Vec::new(),
            is_json: false,
            from: ReplyOffset::default(),
            slot: None,
        }
    }
}

impl Deref for Reply {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

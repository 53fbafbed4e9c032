//! Answers that were too large to be shown at once, kept for a while so that what was left out
//! can be asked for. Bounded in time and memory; each is for the caller who got it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Caller, Reply};
use crate::config::ChosenSettings;

/// How long an answer is kept after it was last asked for.
const KEEP: Duration = Duration::from_secs(10 * 60);
/// How many bytes are kept in all.
const LARGEST: usize = 64 * 1024 * 1024;
/// What an entry costs besides its body.
const OVERHEAD: usize = 1_000;

/// Whose an answer is: a session, or nobody's in particular where requests stand alone.
pub type SessionId = Option<u64>;

/// For whom an answer is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Owner {
    session: SessionId,
    /// For whom the vendors acted.
    chosen: ChosenSettings,
}

impl Owner {
    pub(super) fn of(caller: &Caller) -> Self {
        Self { session: caller.session, chosen: caller.chosen.clone() }
    }
}

/// The answers that are kept.
pub(super) struct ReplyCache {
    now: fn() -> Instant,
    largest: usize,
    entries: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    tool: String,
    owner: Owner,
    reply: Reply,
    used: Instant,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.reply.answer.body.len() + OVERHEAD
    }
}

impl Default for ReplyCache {
    fn default() -> Self {
        Self { now: Instant::now, largest: LARGEST, entries: Mutex::default() }
    }
}

impl ReplyCache {
    /// Keeps what a call gave; returns the id that leads to it, which nobody can guess. `None`
    /// where it is too large to be kept.
    pub(super) fn put(&self, tool: &str, owner: &Owner, reply: &Reply) -> Option<String> {
        let used = (self.now)();
        let reply = Reply { keeping: None, ..reply.clone() };
        let entry = Entry { tool: tool.to_owned(), owner: owner.clone(), reply, used };
        let room = self.largest.checked_sub(entry.bytes())?;
        let id = id()?;
        let mut entries = self.lock();
        entries.retain(|_, entry| used.saturating_duration_since(entry.used) < KEEP);
        let mut bytes: usize = entries.values().map(Entry::bytes).sum();
        while bytes > room {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| id.clone())?;
            bytes -= entries.remove(&oldest).map_or(0, |entry| entry.bytes());
        }
        entries.insert(id.clone(), entry);
        Some(id)
    }

    /// Returns what is kept under this id, if it is this caller's and of this tool.
    pub(super) fn get(&self, id: &str, tool: &str, owner: &Owner) -> Option<Reply> {
        let now = (self.now)();
        let mut entries = self.lock();
        entries.retain(|_, entry| now.saturating_duration_since(entry.used) < KEEP);
        let entry = entries.get_mut(id).filter(|entry| entry.owner == *owner && entry.tool == tool)?;
        entry.used = now;
        Some(entry.reply.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 128 random bits.
fn id() -> Option<String> {
    let mut bytes = [0; 16];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use super::*;
    use crate::call::Page;
    use crate::upstream::Answer;

    thread_local! {
        /// What the clock shows, in seconds.
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    fn clock() -> Instant {
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_secs(NOW.get())
    }

    fn of(session: SessionId) -> Owner {
        Owner { session, ..Owner::default() }
    }

    fn kept(largest: usize) -> ReplyCache {
        ReplyCache { now: clock, largest, entries: Mutex::default() }
    }

    fn reply(bytes: usize) -> Reply {
        Answer { body: vec![b'x'; bytes].into(), ..Answer::default() }.into()
    }

    #[test]
    fn an_answer_is_kept_for_ten_minutes_after_its_last_use() {
        let kept = kept(LARGEST);
        let page = Some(Page { returned: 3, ..Page::default() });
        let first = Reply { page, untrusted: vec!["Subject".to_owned()], ..reply(10) };
        let id = kept.put("tool", &of(Some(1)), &first).unwrap();
        for _ in 0..3 {
            NOW.set(NOW.get() + 599);
            let reply = kept.get(&id, "tool", &of(Some(1))).unwrap();
            let held = (reply.body.len(), reply.page.unwrap().returned, reply.untrusted);
            assert_eq!(held, (10, 3, vec!["Subject".to_owned()]));
        }
        NOW.set(NOW.get() + 600);
        assert!(kept.get(&id, "tool", &of(Some(1))).is_none());
        assert!(kept.lock().is_empty(), "its memory is free again");
    }

    #[test]
    fn it_is_for_the_caller_and_tool_that_got_it() {
        let kept = kept(LARGEST);
        let id = kept.put("tool", &of(Some(1)), &reply(10)).unwrap();
        assert_ne!(id, kept.put("tool", &of(Some(1)), &reply(10)).unwrap());
        assert_eq!(id.len(), 22);
        for (tool, session) in [("tool", Some(2)), ("tool", None), ("other", Some(1))] {
            assert!(kept.get(&id, tool, &of(session)).is_none(), "{tool} {session:?}");
        }
        let chosen = ChosenSettings([("ORG".to_owned(), "other".to_owned())].into());
        assert!(kept.get(&id, "tool", &Owner { session: Some(1), chosen }).is_none());
        assert!(kept.get("AAAAAAAAAAAAAAAAAAAAAA", "tool", &of(Some(1))).is_none());
        assert!(kept.get(&id, "tool", &of(Some(1))).is_some());
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let kept = kept(3 * (1_000 + OVERHEAD));
        let mut ids = Vec::new();
        for _ in 0..3 {
            NOW.set(NOW.get() + 1);
            ids.push(kept.put("tool", &of(None), &reply(1_000)).unwrap());
        }
        NOW.set(NOW.get() + 1);
        assert!(kept.get(&ids[0], "tool", &of(None)).is_some());
        NOW.set(NOW.get() + 1);
        ids.push(kept.put("tool", &of(None), &reply(1_000)).unwrap());
        let there: Vec<bool> = ids.iter().map(|id| kept.get(id, "tool", &of(None)).is_some()).collect();
        assert_eq!(there, [true, false, true, true]);
        assert!(kept.put("tool", &of(None), &reply(10_000)).is_none(), "larger than all there is");
    }
}

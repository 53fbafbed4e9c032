//! Replies too large for one result → kept for a while, so that a cursor leads to the rest.
//! Bounded in time and memory; each reply is for the caller who got it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Reply;
use crate::access::Principal;
use crate::call::caller::{Caller, SessionId};
use crate::call::paging::cursor::{Cursor, ReplyOffset};
use crate::config::ChosenSettings;

/// How long a reply is kept after its last use.
const KEEP: Duration = Duration::from_mins(10);
/// How many bytes are kept in all.
const LARGEST: usize = 64 * 1024 * 1024;
/// The memory that an entry takes besides its body and its texts, about, in bytes.
const OVERHEAD: usize = 1_000;
/// The memory that a text takes beside its bytes.
const OF_TEXT: usize = 24;

/// Who may get a cached reply: the same caller under the same grant, in the same session or likewise without one, acting
/// for the same tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::call) struct ReplyOwner {
    principal: Principal,
    /// Its id; `None` for everything that the server offers.
    grant: Option<String>,
    session: SessionId,
    chosen: ChosenSettings,
}

impl From<&Caller> for ReplyOwner {
    fn from(caller: &Caller) -> Self {
        Self {
            principal: caller.principal.clone(),
            grant: caller.grant.as_ref().map(|grant| grant.id().to_owned()),
            session: caller.session,
            chosen: caller.chosen.clone(),
        }
    }
}

/// The cached replies.
pub(in crate::call) struct ReplyCache {
    now: fn() -> Instant,
    largest: usize,
    entries: Mutex<HashMap<String, CachedReply>>,
}

struct CachedReply {
    tool: String,
    owner: ReplyOwner,
    reply: Reply,
    /// The memory that it takes.
    bytes: usize,
    used: Instant,
}

/// Returns the memory that a reply takes.
fn bytes(reply: &Reply) -> usize {
    let texts = reply.untrusted.iter().chain(&reply.omitted).chain(&reply.notes);
    let texts: usize = texts.map(|text| text.len() + OF_TEXT).sum();
    reply.answer.body.len() + texts + OVERHEAD
}

impl Default for ReplyCache {
    fn default() -> Self {
        Self { now: Instant::now, largest: LARGEST, entries: Mutex::default() }
    }
}

impl ReplyCache {
    /// Returns the rest of the reply that `cursor` leads into, if it is still cached for `owner`.
    pub(in crate::call) fn rest(self: &Arc<Self>, cursor: &Cursor, owner: ReplyOwner) -> Option<Reply> {
        let reply = self.get(cursor.kept.as_deref()?, &cursor.tool, &owner)?;
        let start = cursor.in_reply(cursor.kept.clone(), ReplyOffset::default());
        Some(Reply { from: cursor.offset, slot: Some(CacheSlot::new(self, owner, start)), ..reply })
    }

    /// Caches a reply and returns its id, which can't be guessed; `None` if it is too large.
    fn put(&self, tool: &str, owner: &ReplyOwner, reply: &Reply) -> Option<String> {
        let used = (self.now)();
        let reply = Reply { slot: None, ..reply.clone() };
        let entry = CachedReply { tool: tool.to_owned(), owner: owner.clone(), bytes: bytes(&reply), reply, used };
        let room = self.largest.checked_sub(entry.bytes)?;
        let id = random_id()?;
        let mut entries = self.lock();
        entries.retain(|_, entry| used.saturating_duration_since(entry.used) < KEEP);
        let mut bytes: usize = entries.values().map(|entry| entry.bytes).sum();
        while bytes > room {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| id.clone())?;
            bytes -= entries.remove(&oldest).map_or(0, |entry| entry.bytes);
        }
        entries.insert(id.clone(), entry);
        Some(id)
    }

    /// Returns the reply with this id, if it is of this tool and for this owner.
    fn get(&self, id: &str, tool: &str, owner: &ReplyOwner) -> Option<Reply> {
        let now = (self.now)();
        let mut entries = self.lock();
        entries.retain(|_, entry| now.saturating_duration_since(entry.used) < KEEP);
        let entry = entries.get_mut(id).filter(|entry| entry.owner == *owner && entry.tool == tool)?;
        entry.used = now;
        Some(entry.reply.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CachedReply>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 128 random bits.
fn random_id() -> Option<String> {
    let mut bytes = [0; 16];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// Caches one reply as soon as a cursor into it is needed.
#[derive(Clone)]
pub(in crate::call) struct CacheSlot {
    cache: Arc<ReplyCache>,
    owner: ReplyOwner,
    /// Leads to the beginning of the reply.
    start: Cursor,
    /// The id of the cached reply; `None` if it is too large to be cached.
    id: Arc<OnceLock<Option<String>>>,
}

impl CacheSlot {
    /// Makes the slot for the reply to the call that `start` leads to. With an id in `start`, the
    /// reply is cached already.
    pub(in crate::call) fn new(cache: &Arc<ReplyCache>, owner: ReplyOwner, start: Cursor) -> Self {
        let id = start.kept.clone().map_or_else(OnceLock::new, |id| OnceLock::from(Some(id)));
        Self { cache: Arc::clone(cache), owner, start, id: Arc::new(id) }
    }

    pub(super) fn cursor_to(&self, offset: ReplyOffset, reply: &Reply) -> String {
        let put = || self.cache.put(&self.start.tool, &self.owner, reply);
        let kept = self.id.get_or_init(put).clone();
        self.start.in_reply(kept, offset).write()
    }
}

impl fmt::Debug for CacheSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheSlot").field("tool", &self.start.tool).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use super::*;
    use crate::call::paging::page::Page;
    use crate::upstream::Answer;

    thread_local! {
        /// The time of the test's clock, in seconds.
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    fn clock() -> Instant {
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_secs(NOW.get())
    }

    fn of(session: SessionId) -> ReplyOwner {
        ReplyOwner { session, ..ReplyOwner::default() }
    }

    fn cache(largest: usize) -> ReplyCache {
        ReplyCache { now: clock, largest, entries: Mutex::default() }
    }

    fn reply(bytes: usize) -> Reply {
        Answer { body: vec![b'x'; bytes].into(), ..Answer::default() }.into()
    }

    #[test]
    fn a_reply_is_kept_for_ten_minutes_after_its_last_use() {
        let cache = cache(LARGEST);
        let page = Some(Page { returned: 3, ..Page::default() });
        let first = Reply { page, untrusted: vec!["Subject".to_owned()], ..reply(10) };
        let id = cache.put("tool", &of(Some(1)), &first).unwrap();
        for _ in 0..3 {
            NOW.set(NOW.get() + 599);
            let reply = cache.get(&id, "tool", &of(Some(1))).unwrap();
            let held = (reply.body.len(), reply.page.unwrap().returned, reply.untrusted);
            assert_eq!(held, (10, 3, vec!["Subject".to_owned()]));
        }
        NOW.set(NOW.get() + 600);
        assert!(cache.get(&id, "tool", &of(Some(1))).is_none());
        assert!(cache.lock().is_empty(), "its memory is free again");
    }

    #[test]
    fn a_reply_is_only_for_the_caller_and_tool_that_got_it() {
        let cache = cache(LARGEST);
        let id = cache.put("tool", &of(Some(1)), &reply(10)).unwrap();
        assert_ne!(id, cache.put("tool", &of(Some(1)), &reply(10)).unwrap());
        assert_eq!(id.len(), 22);
        for (tool, session) in [("tool", Some(2)), ("tool", None), ("other", Some(1))] {
            assert!(cache.get(&id, tool, &of(session)).is_none(), "{tool} {session:?}");
        }
        let chosen = ChosenSettings([("ORG".to_owned(), "other".to_owned())].into());
        assert!(cache.get(&id, "tool", &ReplyOwner { chosen, ..of(Some(1)) }).is_none());
        let token = |token: &str| ReplyOwner { principal: Principal::of_token("acme", token), ..of(None) };
        let without_session = cache.put("tool", &token("a"), &reply(10)).unwrap();
        let other_grant = ReplyOwner { grant: Some("other".to_owned()), ..token("a") };
        for owner in [token("b"), other_grant, of(None), of(Some(1))] {
            assert!(cache.get(&without_session, "tool", &owner).is_none(), "{owner:?}");
        }
        assert!(cache.get(&without_session, "tool", &token("a")).is_some());
        assert!(cache.get("AAAAAAAAAAAAAAAAAAAAAA", "tool", &of(Some(1))).is_none());
        assert!(cache.get(&id, "tool", &of(Some(1))).is_some());
    }

    #[test]
    fn the_least_recently_used_reply_is_dropped_first() {
        let cache = cache(3 * (1_000 + OVERHEAD));
        let mut ids = Vec::new();
        for _ in 0..3 {
            NOW.set(NOW.get() + 1);
            ids.push(cache.put("tool", &of(None), &reply(1_000)).unwrap());
        }
        NOW.set(NOW.get() + 1);
        assert!(cache.get(&ids[0], "tool", &of(None)).is_some());
        NOW.set(NOW.get() + 1);
        ids.push(cache.put("tool", &of(None), &reply(1_000)).unwrap());
        let there: Vec<bool> = ids.iter().map(|id| cache.get(id, "tool", &of(None)).is_some()).collect();
        assert_eq!(there, [true, false, true, true]);
        assert!(cache.put("tool", &of(None), &reply(10_000)).is_none(), "larger than all there is");
    }
}

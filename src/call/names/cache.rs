//! What look-ups of names returned → the same for five minutes, for the same account and caller. A change at the account
//! ends it: what was renamed must not be found by its old name.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::lookup::Records;
use crate::access::Principal;

/// For how long they are kept.
const MAX_AGE: Duration = Duration::from_mins(5);
/// So many are kept at once, of all callers together.
const MOST: usize = 128;

/// Whose look-up it was, and what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct LookupKey {
    pub(super) account: String,
    /// The settings that are sent, such as the tenant.
    pub(super) settings: BTreeMap<String, String>,
    pub(super) principal: Principal,
    pub(super) tool: String,
    /// The arguments, as a text of JSON.
    pub(super) arguments: String,
}

/// The records that look-ups returned.
#[derive(Debug, Default)]
pub(in crate::call) struct NameCache(Mutex<HashMap<LookupKey, (SystemTime, Arc<Records>)>>);

impl NameCache {
    pub(super) fn get(&self, key: &LookupKey, now: SystemTime) -> Option<Arc<Records>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (fetched_at, records) = kept.get(key)?;
        is_young(*fetched_at, now).then(|| Arc::clone(records))
    }

    pub(super) fn insert(&self, key: LookupKey, now: SystemTime, records: Arc<Records>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, (fetched_at, _)| is_young(*fetched_at, now));
        }
        if kept.len() >= MOST
            && let Some(oldest) = kept.iter().min_by_key(|(_, (fetched_at, _))| *fetched_at).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
        kept.insert(key, (now, records));
    }

    /// Forgets what was read of an account: something there may have changed.
    pub(in crate::call) fn forget(&self, account: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| key.account != account);
    }
}

/// After the clock was set back no age is known.
fn is_young(fetched_at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(fetched_at).is_ok_and(|age| age < MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: &str, caller: &str, tool: &str) -> LookupKey {
        LookupKey {
            account: account.to_owned(),
            settings: BTreeMap::new(),
            principal: Principal::of_link(caller, caller),
            tool: tool.to_owned(),
            arguments: "{}".to_owned(),
        }
    }

    #[test]
    fn records_are_kept_for_a_while_by_account_and_caller() {
        let (cache, now) = (NameCache::default(), SystemTime::UNIX_EPOCH + Duration::from_hours(24));
        cache.insert(key("a", "one", "t"), now, Arc::default());
        let found = |key: &LookupKey, seconds: u64| cache.get(key, now + Duration::from_secs(seconds)).is_some();
        assert!(found(&key("a", "one", "t"), 299));
        assert!(!found(&key("a", "one", "t"), 300));
        for other in [key("b", "one", "t"), key("a", "two", "t"), key("a", "one", "u")] {
            assert!(!found(&other, 0), "{other:?}");
        }
        assert!(cache.get(&key("a", "one", "t"), now - Duration::from_secs(1)).is_none());
        cache.insert(key("b", "one", "t"), now, Arc::default());
        cache.forget("a");
        assert!(!found(&key("a", "one", "t"), 0) && found(&key("b", "one", "t"), 0));
        for number in 0..MOST {
            cache.insert(key("c", &number.to_string(), "t"), now + Duration::from_secs(1), Arc::default());
        }
        assert!(!found(&key("b", "one", "t"), 1) && found(&key("c", "0", "t"), 1));
    }
}

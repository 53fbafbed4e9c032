//! An operation of the vendor that only reads → the values that a format needs; lists of names are
//! kept for a while.

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use toolwright_model::Place;

/// Lists of so many operations are kept.
const MAX_LISTS: usize = 8;

/// An answer's JSON, or why there is none.
pub type LookupFuture<'a> = Pin<Box<dyn Future<Output = Result<Value, LookupError>> + Send + 'a>>;

/// Calls an operation of the vendor that only reads.
pub trait Lookup: Send + Sync {
    /// Calls the operation with these values and returns its answer.
    fn ask<'a>(&'a self, operation: &'a str, inputs: Vec<(Place, Value)>) -> LookupFuture<'a>;
}

/// Why a lookup has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupError {
    /// A dry run calls no vendor.
    DryRun,
    /// The call failed, for this reason.
    Failed(String),
}

/// The lists that lookups over one connection returned, by operation.
#[derive(Debug, Default)]
pub struct LookupCache(Mutex<HashMap<String, CachedList>>);

#[derive(Debug, Clone)]
struct CachedList {
    fetched_at: SystemTime,
    /// What the format made of the answer.
    list: Arc<dyn Any + Send + Sync>,
}

impl LookupCache {
    /// Returns the list of an operation if it is younger than `max_age`.
    pub(crate) fn get<T: Send + Sync + 'static>(
        &self,
        operation: &str,
        now: SystemTime,
        max_age: Duration,
    ) -> Option<Arc<T>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = lists.get(operation)?;
        // After the clock was set back no age is known.
        let age = now.duration_since(cached.fetched_at).ok()?;
        (age < max_age).then(|| Arc::clone(&cached.list).downcast().ok()).flatten()
    }

    pub(crate) fn insert<T: Send + Sync + 'static>(&self, operation: &str, now: SystemTime, list: &Arc<T>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MAX_LISTS {
            lists.clear();
        }
        let list: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(list);
        lists.insert(operation.to_owned(), CachedList { fetched_at: now, list });
    }
}

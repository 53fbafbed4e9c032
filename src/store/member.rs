//! A server that serves a store → its lease of vendors' limits, kept while it runs, and what the command line reads of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::replicas::Replica;
use super::{Store, StoreError, TokenDigest};
use crate::upstream::PaceShare;

/// How often the lease is renewed: others that join or leave are noticed within this time.
const RENEW: Duration = Duration::from_millis(500);

/// A server among those that use a store.
pub struct Member {
    store: Store,
    replica: Mutex<Replica>,
    share: PaceShare,
}

impl Member {
    /// Takes part. `id` is what no other server has at the same time, such as host and port. `share` is what rate limiters
    /// ask; it changes nothing there where the store is a file, which one server alone serves.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn join(store: Store, id: String, description: String, share: PaceShare) -> Result<Self, StoreError> {
        let (process, _) = TokenDigest::draw("")?;
        let replica = Replica { id, process, description };
        let lease = store.renew_lease(&replica, false).await?;
        share.renew(lease.share, lease.until, lease.first);
        Ok(Self { store, replica: Mutex::new(replica), share })
    }

    /// Keeps the lease until `stop` is cancelled.
    pub async fn keep(&self, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(RENEW);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut takes_part = true;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let replica = self.replica();
            match self.store.renew_lease(&replica, takes_part).await {
                Ok(lease) => {
                    takes_part = true;
                    self.share.renew(lease.share, lease.until, false);
                }
                Err(StoreError::Refused(reason)) => {
                    tracing::warn!("{reason}; this one takes another");
                    takes_part = false;
                    let id = format!("{} {}", replica.id, replica.process);
                    *self.replica.lock().unwrap_or_else(PoisonError::into_inner) = Replica { id, ..replica };
                }
                // The lease goes on until its end. That the store can't be reached is logged by who follows its changes.
                Err(StoreError::Unreachable(_)) => {}
            }
        }
    }

    /// Gives the lease back, so that others need not wait for its end.
    pub async fn leave(&self) {
        if let Err(error) = self.store.end_lease(&self.replica()).await {
            tracing::warn!("the lease of vendors' limits ends by itself: {error}");
        }
    }

    fn replica(&self) -> Replica {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

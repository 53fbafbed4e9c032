//! `/c/<token>/mcp` → the link with this token, and what it permits. Every link is known in memory, and what changes in the
//! store is followed four times a second: a request costs no look-up, and a revocation holds within a second everywhere.

mod authorized;
mod issue;
mod known;
mod times;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Admission, Admitted, Mode, Presented, Principal, Recheck, Refusal, ServerPolicy, Standing};
use crate::catalog::Catalog;
use crate::store::{Store, StoreError, StoreHealth, TokenDigest};
pub use authorized::BroughtLink;
pub(super) use authorized::{AuthorizedClient, link_for, link_of_person};
pub use issue::{
    Decide, IssueError, IssuedLink, LinkRequest, LinkTerms, SignedInPerson, create_admin_token, issue, narrow,
};
use known::{Grants, Known, KnownLink};
pub use times::{read_end, read_time, time_text};

/// How often changes are followed.
const FOLLOW: Duration = Duration::from_millis(250);
/// How long after one look at the store the next one may be that an unknown token asks for.
const BETWEEN: Duration = Duration::from_millis(50);
/// For how long it is enough that the store has confirmed a link: a revocation holds everywhere after this time. After it
/// the link may only read.
const CONFIRMED: Duration = Duration::from_secs(1);
/// For how long links may read that the store can't confirm.
const UNCONFIRMED: Duration = Duration::from_secs(30);
/// How often it is noted when links were used, and links are deleted that have expired.
const SWEEP: Duration = Duration::from_secs(20);

/// What is the answer to an unknown, a revoked and an expired link, and to a missing or a wrong second token.
const REFUSED: &str = "this address is not served: it is unknown, was revoked or has expired, or it needs a second token as \
                       `Authorization: Bearer …`, or takes none and one came\n\
                       hint: configure your client exactly as the person who gave you the address described, or ask them \
                       for a new one";

/// What a request of the store's changes says while it can't be reached.
pub const READS_ONLY: &str = "nothing can be changed at present: this server can't reach its store, and so does not know \
                              whether your access still holds";

/// The links of a server.
pub struct Links {
    grants: Grants,
    state: Arc<State>,
    /// Held while the store is asked for changes.
    following: tokio::sync::Mutex<Option<LastAsked>>,
    /// When links were used, where the store does not know it yet.
    used: Mutex<HashMap<Arc<str>, SystemTime>>,
}

/// What is known of links.
struct State {
    store: Store,
    clock: fn() -> SystemTime,
    known: RwLock<Known>,
    /// When an answer was asked for that came.
    confirmed: Mutex<Instant>,
}

/// When the store was asked last, and what came of it.
struct LastAsked {
    at: Instant,
    result: Result<(), StoreError>,
}

/// A link by which a request was admitted. It holds no token.
struct Held {
    state: Arc<State>,
    token: TokenDigest,
    /// The answer where the link has ended.
    ended: Refusal,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("store", &self.state.store).finish_non_exhaustive()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl State {
    /// For how long the store has confirmed nothing.
    fn unconfirmed(&self) -> Duration {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether what is known of links is known to hold. That the store answers other requests is not enough: what was
    /// revoked while it did not is known only when changes were read again.
    fn is_confirmed(&self) -> bool {
        self.store.health() == StoreHealth::Up && self.unconfirmed() <= CONFIRMED
    }

    fn valid_id(&self, id: &str) -> Option<Arc<KnownLink>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).valid_id(id, (self.clock)())
    }

    fn valid(&self, token: TokenDigest) -> Option<Arc<KnownLink>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).valid(token, (self.clock)())
    }
}

impl Recheck for Held {
    fn standing(&self) -> Standing {
        if self.state.unconfirmed() > UNCONFIRMED {
            Standing::Over(lost())
        } else if self.state.valid(self.token).is_none() {
            Standing::Over(self.ended.clone())
        } else if self.state.is_confirmed() {
            Standing::Whole
        } else {
            Standing::ReadsOnly(READS_ONLY)
        }
    }
}

fn lost() -> Refusal {
    Refusal::Unavailable("this server can't reach its store; try again later".to_owned())
}

impl Links {
    /// Reads the links of a store.
    ///
    /// # Errors
    /// It can't be reached.
    pub async fn open(store: Store, policy: ServerPolicy, clock: fn() -> SystemTime) -> Result<Self, StoreError> {
        let links = Self {
            grants: Grants::new(policy),
            state: Arc::new(State { store, clock, known: RwLock::default(), confirmed: Mutex::new(Instant::now()) }),
            following: tokio::sync::Mutex::default(),
            used: Mutex::default(),
        };
        links.ask(Instant::now()).await?;
        Ok(links)
    }

    /// The catalog of the server that they are for.
    pub fn catalog(&self) -> &Catalog {
        self.grants.catalog()
    }

    /// The store that they are in.
    pub fn store(&self) -> &Store {
        &self.state.store
    }

    /// Follows the store until `stop` is cancelled, and notes there when links were used.
    pub async fn follow(&self, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(FOLLOW);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept = Instant::now();
        let mut failing = false;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let asked = self.ask(Instant::now()).await;
            match (&asked, failing) {
                (Ok(()), true) => tracing::info!("the store answers again"),
                (Err(error), false) => tracing::error!("{error}; changes are refused until it answers"),
                _ => {}
            }
            failing = asked.is_err();
            if swept.elapsed() >= SWEEP && !failing {
                swept = Instant::now();
                self.sweep().await;
            }
        }
        self.note_used().await;
    }

    /// Deletes what has expired, and notes when links were used.
    pub async fn sweep(&self) {
        let now = (self.state.clock)();
        self.state.known.write().unwrap_or_else(PoisonError::into_inner).forget_expired(now);
        self.note_used().await;
        if let Err(error) = self.state.store.sweep_oauth(now).await {
            tracing::warn!("authorizations that have ended can't be deleted: {error}");
        }
        match self.state.store.sweep_links(now).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "deleted links that have expired or were revoked"),
            Err(error) => tracing::warn!("links that have expired can't be deleted: {error}"),
        }
    }

    async fn note_used(&self) {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return;
        }
        let rows: Vec<_> = used.into_iter().map(|(id, at)| (id.to_string(), at)).collect();
        if let Err(error) = self.state.store.links_used(&rows).await {
            tracing::warn!("when links were used can't be noted: {error}");
        }
    }

    /// Makes sure that the store was asked for changes after `since`. Many that wait are one request, also where it fails:
    /// else each would wait for a failure of its own, and known links, which are confirmed by the same requests, for all.
    async fn ask(&self, since: Instant) -> Result<(), StoreError> {
        let mut last = self.following.lock().await;
        if let Some(asked) = last.as_ref().filter(|asked| asked.at > since) {
            return asked.result.clone();
        }
        if let Some(asked) = last.as_ref() {
            sleep_until(asked.at + BETWEEN).await;
        }
        let at = Instant::now();
        let result = self.read_changes(at).await;
        *last = Some(LastAsked { at, result: result.clone() });
        result
    }

    async fn read_changes(&self, at: Instant) -> Result<(), StoreError> {
        let state = &self.state;
        let number = state.known.read().unwrap_or_else(PoisonError::into_inner).number();
        // What the sweep deletes is gone from memory by itself, unless this server was away for long.
        let is_whole = number.is_none() || state.unconfirmed() > UNCONFIRMED / 2;
        let changes = state.store.changes_since(if is_whole { -1 } else { number.unwrap_or(-1) }).await?;
        state.known.write().unwrap_or_else(PoisonError::into_inner).apply(changes, is_whole, (state.clock)());
        *state.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = at;
        Ok(())
    }

    /// Returns the valid link with this token, where the request has its second token or needs none.
    fn find(&self, token: TokenDigest, presented: Presented<'_>) -> Option<Arc<KnownLink>> {
        let link = self.state.valid(token)?;
        let may_pass = match (link.second_token, presented.bearer()) {
            (None, _) => !presented.has_authorization(),
            (Some(second), Some(bearer)) => TokenDigest::of(bearer) == second,
            (Some(_), None) => false,
        };
        may_pass.then_some(link)
    }

    async fn admitted(&self, presented: Presented<'_>) -> Result<Admitted, Refusal> {
        let refused = || Refusal::unauthorized(REFUSED);
        let token = TokenDigest::of(presented.link.ok_or_else(refused)?);
        if self.state.unconfirmed() > UNCONFIRMED {
            return Err(lost());
        }
        let link = match self.find(token, presented) {
            Some(link) => link,
            None => {
                // It may be new. Whether it was ever known makes no difference.
                self.ask(Instant::now()).await.map_err(|_| lost())?;
                self.find(token, presented).ok_or_else(refused)?
            }
        };
        let grant = link.grant(&self.grants).map_err(|error| {
            tracing::error!(link = %link.id, "the link can't be served: {error}");
            refused()
        })?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&link.id), (self.state.clock)());
        let held = Held { state: Arc::clone(&self.state), token, ended: refused() };
        let principal = Principal::of_link(&link.id, &link.name);
        Ok(Admitted { principal, grant, brought: None, recheck: Some(Arc::new(held)), scopes: None })
    }
}

impl Mode for Links {
    fn takes(&self, presented: Presented<'_>) -> bool {
        presented.link.is_some()
    }

    fn admit<'a>(&'a self, presented: Presented<'a>) -> Admission<'a> {
        Box::pin(self.admitted(presented))
    }

    fn is_ready(&self) -> bool {
        self.state.is_confirmed()
    }

    fn way(&self) -> String {
        "connect to the address that the administrator gave you, `/c/…/mcp`".to_owned()
    }
}

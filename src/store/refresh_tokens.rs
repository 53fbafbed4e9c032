//! Refresh tokens that several servers use → a row for each chain of them: who may exchange the token at present, and what
//! came of the last exchange, encrypted by the servers.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Store, StoreError, TokenDigest};
use crate::upstream::{Holder, RefreshTokenChains, SharedAnswer};

/// How long a server may take for an exchange: several times what it waits for the vendor.
pub(super) const HELD: i64 = 60_000;
/// How long others wait for it, and how often they look.
pub(super) const WAIT: Duration = Duration::from_secs(30);
pub(super) const LOOK: Duration = Duration::from_millis(200);
/// How long a chain that is not used stays in the store: longer than vendors keep refresh tokens.
const KEPT: i64 = 400 * 24 * 60 * 60 * 1000;

/// The refresh tokens that servers share in a store.
#[derive(Clone)]
pub struct SharedRefreshTokens {
    store: Store,
    /// What no two processes have.
    process: String,
}

impl fmt::Debug for SharedRefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedRefreshTokens").field(&self.store).finish()
    }
}

impl SharedRefreshTokens {
    /// Those of a store, for this process.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new(store: Store) -> Result<Self, StoreError> {
        Ok(Self { store, process: TokenDigest::draw("")?.0 })
    }

    /// How rows name a holder of this process.
    fn named(&self, holder: Holder) -> String {
        format!("{} {holder}", self.process)
    }

    /// Tries to take a chain; returns what is there if it did. Who has it may take it again: a release that did not arrive
    /// is tried once more.
    async fn take(&self, chain: &str, holder: Holder) -> sqlx::Result<Option<Option<String>>> {
        let mut transaction = self.store.0.pool.begin().await?;
        let forgotten = sqlx::query("DELETE FROM refresh_tokens WHERE changed < $1");
        let now = self.store.now(&mut transaction).await?;
        forgotten.bind(now - KEPT).execute(&mut *transaction).await?;
        let taken = sqlx::query_scalar(
            "INSERT INTO refresh_tokens (chain, sealed, holder, held_until, changed) VALUES ($1, NULL, $2, $3, $4) \
             ON CONFLICT (chain) DO UPDATE SET holder = $2, held_until = $3, changed = $4 \
             WHERE refresh_tokens.held_until <= $4 OR refresh_tokens.holder = $2 RETURNING sealed",
        );
        let taken = taken.bind(chain.to_owned()).bind(self.named(holder)).bind(now + HELD).bind(now);
        let taken: Option<Option<String>> = taken.fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(taken)
    }

    async fn lease(&self, chain: &str, holder: Holder) -> Result<Option<String>, String> {
        let until = Instant::now() + WAIT;
        loop {
            match self.store.ask(self.take(chain, holder)).await {
                Ok(Some(sealed)) => return Ok(sealed),
                Ok(None) if Instant::now() < until => sleep(LOOK).await,
                Ok(None) => {
                    return Err(
                        "another server, or another account of this one, renews the access token and does not end"
                            .to_owned(),
                    );
                }
                Err(error) => return Err(format!("the refresh token is in the store: {error}")),
            }
        }
    }

    async fn release(&self, chain: &str, holder: Holder, sealed: Option<String>) -> Result<(), String> {
        let released = self.store.ask(async {
            let update = "UPDATE refresh_tokens SET sealed = COALESCE($3, sealed), held_until = 0 \
                          WHERE chain = $1 AND holder = $2";
            let update = sqlx::query(update).bind(chain.to_owned()).bind(self.named(holder)).bind(sealed);
            update.execute(&self.store.0.pool).await
        });
        match released.await {
            Ok(done) if done.rows_affected() == 1 => Ok(()),
            Ok(_) => {
                Err("the refresh token was not stored in time: another server or account has taken its turn".to_owned())
            }
            Err(error) => Err(format!("the refresh token can't be stored: {error}")),
        }
    }
}

impl RefreshTokenChains for SharedRefreshTokens {
    fn lease<'a>(&'a self, chain: &'a str, holder: Holder) -> SharedAnswer<'a, Option<String>> {
        Box::pin(self.lease(chain, holder))
    }

    fn release<'a>(&'a self, chain: &'a str, holder: Holder, sealed: Option<String>) -> SharedAnswer<'a, ()> {
        Box::pin(self.release(chain, holder, sealed))
    }
}

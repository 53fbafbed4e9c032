//! A person's sign-in for an account, and each token that follows it → one row, encrypted. Who exchanges the token holds the row:
//! of servers that share a store, one at a time. What every call asks is known in memory and followed each second.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::refresh_tokens::{HELD, LOOK, WAIT};
use super::{Store, StoreError, StoreKey, TokenDigest, milliseconds, time};
use crate::upstream::{Holder, KeptSignIns, KnownSignIn, SharedAnswer, SignInOf};

/// How often changes by other servers are looked for.
const FOLLOW: Duration = Duration::from_secs(1);
/// The space for the next token, in bytes: several times what vendors issue, encrypted.
const ROOM: usize = 24 * 1024;
/// What each encrypted text is bound to, beside its account and vendor.
const PURPOSE: &str = "toolwright vendor sign-in 1";

const COLUMNS: &str =
    "SELECT account, vendor, store_key, sites, site, revision, administrator, signed_in, renewed FROM vendor_sign_ins";

/// A sign-in, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorSignIn {
    /// The account, and its vendor.
    pub of: SignInOf,
    /// The sites that it reaches, as their reader writes them.
    pub sites: String,
    /// The id of the site to act at.
    pub site: Option<String>,
    /// Another one with each sign-in and each choice of a site.
    pub revision: String,
    /// The administrator who signed in.
    pub administrator: String,
    /// When that was.
    pub signed_in: SystemTime,
    /// When the vendor issued the token that is there now, if it has replaced the first.
    pub renewed: Option<SystemTime>,
    /// The fingerprint of the key that the token is encrypted with.
    store_key: String,
}

/// What a person has signed in for.
pub struct NewVendorSignIn<'a> {
    /// The account, and its vendor.
    pub of: &'a SignInOf,
    /// The token.
    pub refresh_token: &'a str,
    /// The sites that it reaches, as their reader writes them.
    pub sites: String,
    /// The id of the site to act at, if it is known.
    pub site: Option<String>,
    /// The administrator who signed in.
    pub administrator: &'a str,
}

/// The token of a sign-in that is being ended: nobody else uses it meanwhile.
pub struct TakenSignIn {
    of: SignInOf,
    holder: Holder,
    /// The token.
    pub refresh_token: String,
}

/// The sign-ins of a store, for this process; cheap to clone.
#[derive(Clone)]
pub struct VendorSignIns(Arc<Inner>);

struct Inner {
    store: Store,
    key: StoreKey,
    /// What no two processes have.
    process: String,
    known: RwLock<BTreeMap<SignInOf, VendorSignIn>>,
}

impl fmt::Debug for VendorSignIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorSignIns").field("store", &self.0.store).finish_non_exhaustive()
    }
}

impl VendorSignIn {
    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            of: SignInOf { account: row.try_get("account")?, vendor: row.try_get("vendor")? },
            sites: row.try_get("sites")?,
            site: row.try_get("site")?,
            revision: row.try_get("revision")?,
            administrator: row.try_get("administrator")?,
            signed_in: time(row.try_get("signed_in")?),
            renewed: row.try_get::<Option<i64>, _>("renewed")?.map(time),
            store_key: row.try_get("store_key")?,
        })
    }

    /// Who signed in and when.
    fn source(&self) -> String {
        let at: DateTime<Utc> = self.signed_in.into();
        format!("signed in by {} at {}", self.administrator, at.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

/// What an encrypted text is bound to.
fn bound_to(of: &SignInOf) -> String {
    [PURPOSE, &of.vendor, &of.account].join("\0")
}

impl VendorSignIns {
    /// Reads the sign-ins of a store whose tokens are encrypted with this key.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn open(store: Store, key: StoreKey) -> Result<Self, StoreError> {
        let process = TokenDigest::draw("")?.0;
        let all = Self(Arc::new(Inner { store, key, process, known: RwLock::default() }));
        all.look().await?;
        for one in all.all().iter().filter(|one| !all.is_readable(one)) {
            tracing::error!(account = one.of.account, "{}", all.other_key(&one.of));
        }
        Ok(all)
    }

    /// All of them, as they were when they were looked at last.
    pub fn all(&self) -> Vec<VendorSignIn> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The sign-in of an account.
    pub fn get(&self, of: &SignInOf) -> Option<VendorSignIn> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).get(of).cloned()
    }

    /// Whether the key of this server opens a sign-in.
    pub fn is_readable(&self, one: &VendorSignIn) -> bool {
        one.store_key == self.0.key.fingerprint()
    }

    fn other_key(&self, of: &SignInOf) -> String {
        format!(
            "the sign-in of the account `{}` is encrypted with another key than the one in `{}`; it stays as it is\n\
             hint: `--store-key` names the key with which it was made; without that key an administrator signs in again",
            of.account,
            self.0.key.path().display()
        )
    }

    /// Looks at the store.
    async fn look(&self) -> Result<(), StoreError> {
        let store = &self.0.store;
        let rows = store.ask(sqlx::query(COLUMNS).fetch_all(&store.0.pool)).await?;
        let read: sqlx::Result<Vec<VendorSignIn>> = rows.iter().map(VendorSignIn::read).collect();
        let read = read.map_err(|error| super::described(&error))?;
        let known = read.into_iter().map(|one| (one.of.clone(), one)).collect();
        *self.0.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// Follows changes by other servers until `stop` is cancelled. While the store can't be reached, all stays as it was known.
    pub async fn follow(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(sleep(FOLLOW)).await.is_some() {
            if let Err(error) = self.look().await {
                tracing::debug!("sign-ins at vendors are not followed: {error}");
            }
        }
    }

    /// Stores what a person has signed in for, in place of an earlier sign-in.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn sign_in(&self, new: NewVendorSignIn<'_>) -> Result<(), StoreError> {
        let (store, key) = (&self.0.store, &self.0.key);
        let no_random = || StoreError::Refused("the system has no random numbers".to_owned());
        let sealed = key.seal(&bound_to(new.of), new.refresh_token).ok_or_else(no_random)?;
        let revision = TokenDigest::draw("")?.0;
        let stored = store.change(|| async {
            let insert = sqlx::query(
                "INSERT INTO vendor_sign_ins (account, vendor, store_key, sealed, room, sites, site, revision, administrator, \
                 signed_in, renewed, holder, held_until) VALUES ($1, $2, $3, $4, NULL, $5, $6, $7, $8, $9, NULL, '', 0) \
                 ON CONFLICT (account) DO UPDATE SET vendor = $2, store_key = $3, sealed = $4, room = NULL, sites = $5, \
                 site = $6, revision = $7, administrator = $8, signed_in = $9, renewed = NULL, holder = '', held_until = 0",
            );
            let insert = insert.bind(new.of.account.clone()).bind(new.of.vendor.clone());
            let insert = insert.bind(key.fingerprint().to_owned()).bind(sealed.clone());
            let insert = insert.bind(new.sites.clone()).bind(new.site.clone()).bind(revision.clone());
            let insert = insert.bind(new.administrator.to_owned()).bind(milliseconds(SystemTime::now()));
            insert.execute(&store.0.pool).await
        });
        stored.await?;
        self.look().await
    }

    /// Chooses the site to act at, of those that a sign-in reaches; returns whether the sign-in is still the one with this
    /// revision.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn choose_site(&self, of: &SignInOf, revision: &str, site: &str) -> Result<bool, StoreError> {
        let store = &self.0.store;
        let next = TokenDigest::draw("")?.0;
        let chosen = store.change(|| async {
            let update = "UPDATE vendor_sign_ins SET site = $4, revision = $5 \
                          WHERE account = $1 AND vendor = $2 AND revision = $3";
            let update = sqlx::query(update).bind(of.account.clone()).bind(of.vendor.clone());
            let update = update.bind(revision.to_owned()).bind(site.to_owned()).bind(next.clone());
            update.execute(&store.0.pool).await
        });
        let is_chosen = chosen.await?.rows_affected() == 1;
        self.look().await?;
        Ok(is_chosen)
    }

    /// Takes the token of a sign-in that is to be ended, so that nobody exchanges it meanwhile.
    ///
    /// # Errors
    /// There is none, or its token can't be read; what to do.
    pub async fn take(&self, sign_in: &VendorSignIn) -> Result<TakenSignIn, String> {
        let (of, holder) = (sign_in.of.clone(), Holder::new());
        let refresh_token = self.leased(&of, &sign_in.revision, holder).await?;
        Ok(TakenSignIn { of, holder, refresh_token })
    }

    /// Puts back what was taken, as it was.
    pub async fn put_back(&self, taken: TakenSignIn) {
        // Otherwise its turn ends by itself.
        let _ = self.released(&taken.of, taken.holder, None).await;
    }

    /// Removes a sign-in; returns false where it was ended or replaced meanwhile.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn remove(&self, sign_in: &VendorSignIn) -> Result<bool, StoreError> {
        let store = &self.0.store;
        let removed = store.change(|| async {
            let delete = "DELETE FROM vendor_sign_ins WHERE account = $1 AND vendor = $2 AND revision = $3";
            let delete = sqlx::query(delete).bind(sign_in.of.account.clone()).bind(sign_in.of.vendor.clone());
            delete.bind(sign_in.revision.clone()).execute(&store.0.pool).await
        });
        let was_there = removed.await?.rows_affected() == 1;
        self.look().await?;
        Ok(was_there)
    }

    /// How rows name a holder of this process.
    fn named(&self, holder: Holder) -> String {
        format!("{} {holder}", self.0.process)
    }

    /// Tries to take a row, and makes space in it for the next token; returns the encrypted token and its key's fingerprint if
    /// it did. Who has it may take it again: a release that did not arrive is tried once more.
    async fn hold(&self, of: &SignInOf, revision: &str, holder: Holder) -> sqlx::Result<Held> {
        let store = &self.0.store;
        let mut transaction = store.0.pool.begin().await?;
        let now = store.now(&mut transaction).await?;
        let update = sqlx::query(
            "UPDATE vendor_sign_ins SET holder = $3, held_until = $4, room = $6 WHERE account = $1 AND vendor = $2 \
             AND revision = $7 AND (held_until <= $5 OR holder = $3) RETURNING sealed, store_key",
        );
        let update = update.bind(of.account.clone()).bind(of.vendor.clone()).bind(self.named(holder));
        let update = update.bind(now + HELD).bind(now).bind(" ".repeat(ROOM)).bind(revision.to_owned());
        let taken = update.fetch_optional(&mut *transaction).await?;
        if let Some(row) = taken {
            let held = Held::Mine(row.try_get("sealed")?, row.try_get("store_key")?);
            transaction.commit().await?;
            self.settle_room().await;
            return Ok(held);
        }
        let there = sqlx::query_scalar("SELECT revision FROM vendor_sign_ins WHERE account = $1 AND vendor = $2");
        let there = there.bind(of.account.clone()).bind(of.vendor.clone());
        let there: Option<String> = there.fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(match there {
            Some(there) if there == revision => Held::ByAnother,
            _ => Held::Nowhere,
        })
    }

    /// Has SQLite move what was written into its file: the next change then takes the place of this one in the log beside it,
    /// and needs no further space. PostgreSQL writes its log ahead by itself.
    async fn settle_room(&self) {
        let store = &self.0.store;
        if !store.is_shared() {
            // A reader may keep it from that; then the log grows.
            let _ = store.ask(sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&store.0.pool)).await;
        }
    }

    async fn leased(&self, of: &SignInOf, revision: &str, holder: Holder) -> Result<String, String> {
        let until = Instant::now() + WAIT;
        let (sealed, store_key) = loop {
            match self.0.store.ask(self.hold(of, revision, holder)).await {
                Ok(Held::Mine(sealed, store_key)) => break (sealed, store_key),
                Ok(Held::ByAnother) if Instant::now() < until => sleep(LOOK).await,
                Ok(Held::ByAnother) => {
                    return Err("another server renews the access token and does not end".to_owned());
                }
                Ok(Held::Nowhere) => {
                    return Err(format!(
                        "the sign-in of the account `{}` was ended or replaced; try again",
                        of.account
                    ));
                }
                Err(error) => return Err(format!("the refresh token is in the store: {error}")),
            }
        };
        if let Some(token) = self.0.key.open(&bound_to(of), &sealed) {
            return Ok(token);
        }
        let _ = self.released(of, holder, None).await;
        Err(if store_key == self.0.key.fingerprint() {
            let what = "was changed there, or is of another account";
            format!(
                "the sign-in of the account `{}` in the store can't be decrypted: it {what}\nhint: sign in again",
                of.account
            )
        } else {
            self.other_key(of)
        })
    }

    /// Has pages show at once what this server has done.
    fn note_renewed(&self, of: &SignInOf, renewed: Option<i64>) {
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((one, at)) = known.get_mut(of).zip(renewed) {
            one.renewed = Some(time(at));
        }
    }

    async fn released(&self, of: &SignInOf, holder: Holder, next: Option<&str>) -> Result<(), String> {
        let (store, key) = (&self.0.store, &self.0.key);
        let failed = || "the refresh token could not be encrypted".to_owned();
        let sealed = next.map(|next| key.seal(&bound_to(of), next).ok_or_else(failed)).transpose()?;
        let renewed = sealed.as_ref().map(|_| milliseconds(SystemTime::now()));
        let released = store.ask(async {
            let update = "UPDATE vendor_sign_ins SET sealed = COALESCE($4, sealed), \
                          renewed = COALESCE(CAST($5 AS BIGINT), renewed), room = NULL, held_until = 0 \
                          WHERE account = $1 AND vendor = $2 AND holder = $3";
            let update = sqlx::query(update).bind(of.account.clone()).bind(of.vendor.clone());
            let update = update.bind(self.named(holder)).bind(sealed).bind(renewed);
            update.execute(&store.0.pool).await
        });
        match released.await {
            Ok(done) if done.rows_affected() == 1 => {
                self.note_renewed(of, renewed);
                Ok(())
            }
            Ok(_) => Err(format!(
                "the refresh token was not stored: another server has taken its turn, or the sign-in of the account `{}` was ended",
                of.account
            )),
            Err(error) => Err(format!("the refresh token can't be stored: {error}")),
        }
    }
}

/// Who has a row.
enum Held {
    /// Who asked: the encrypted token, and the fingerprint of its key.
    Mine(String, String),
    ByAnother,
    /// There is no row, or it is of another sign-in.
    Nowhere,
}

impl KeptSignIns for VendorSignIns {
    fn known(&self, of: &SignInOf) -> Option<KnownSignIn> {
        let found = self.get(of)?;
        let source = found.source();
        Some(KnownSignIn { revision: found.revision, site: found.site, source })
    }

    fn lease<'a>(&'a self, of: &'a SignInOf, revision: &'a str, holder: Holder) -> SharedAnswer<'a, String> {
        Box::pin(self.leased(of, revision, holder))
    }

    fn release<'a>(&'a self, of: &'a SignInOf, holder: Holder, next: Option<&'a str>) -> SharedAnswer<'a, ()> {
        Box::pin(self.released(of, holder, next))
    }
}

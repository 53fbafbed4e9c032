//! What outlives a process, and what several processes share → rows of a database: links, administrators' tokens, the
//! share of each replica in vendors' limits, refresh tokens, people's sign-ins at vendors, approvals, authorizations of OAuth
//! clients. SQLite in a file, or PostgreSQL.
//!
//! No token is in it, only hashes, and refresh tokens that are encrypted. Every change of a link takes the next number of
//! [`Store::changes_since`], so that replicas follow by asking for what is newer than what they have.

mod address;
mod admin_tokens;
mod approval_tickets;
mod approvals;
mod digest;
mod file;
mod key;
mod links;
mod member;
mod oauth;
mod refresh_tokens;
mod replicas;
mod restore;
mod schema;
mod vendor_sign_ins;

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions as _, Connection as _};
use tokio::time::{Instant, timeout};

pub use address::StoreAddress;
pub(crate) use address::data_folder;
pub use admin_tokens::AdminToken;
pub use approval_tickets::{ApprovalTicket, Due, TicketState};
pub use approvals::{ApprovalKind, ApprovalState, Decision, StoredApproval};
pub use digest::TokenDigest;
pub use key::{StoreKey, StoreKeyError};
pub use links::{Changes, StoredLink};
pub use member::Member;
pub use oauth::{AuthorizationCode, Consent, Giver, Login, Rotation, StoredToken, TakenCode, TokenKind};
pub use refresh_tokens::SharedRefreshTokens;
pub use replicas::{LEASE, Lease, Replica};
pub use vendor_sign_ins::{NewVendorSignIn, TakenSignIn, VendorSignIn, VendorSignIns};

/// How long one request to the database may take.
const WITHIN: Duration = Duration::from_secs(3);
/// How long to wait for a connection: one that is refused is tried again within this time.
const CONNECTED_WITHIN: Duration = Duration::from_secs(1);
/// How many connections a process has to PostgreSQL, and to a file.
const CONNECTIONS: (u32, u32) = (4, 2);

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, or does not answer in time.
    #[error("the store can't be reached: {0}")]
    Unreachable(String),
    /// What was asked can't be done, whenever it is asked.
    #[error("{0}")]
    Refused(String),
}

/// A store; cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    pool: AnyPool,
    address: StoreAddress,
    /// When it last answered.
    answered: Mutex<Option<Instant>>,
    /// Whether the last request failed.
    fails: Mutex<Option<String>>,
    /// The file that only one server serves at a time.
    served: Mutex<Option<File>>,
}

/// Whether a store answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreHealth {
    /// The last request was answered.
    Up,
    /// It was not, and the reason; how long ago one was.
    Down(String, Duration),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.0.address.to_string()).finish()
    }
}

impl Store {
    /// Opens a store, and brings its tables up to date.
    ///
    /// # Errors
    /// It can't be reached, others can read its file, or a newer version has changed its tables.
    pub async fn open(address: &StoreAddress) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (url, most) = match address {
            StoreAddress::File(path) => (file::prepare(path)?, CONNECTIONS.1),
            StoreAddress::Postgres(url) => (url.to_string(), CONNECTIONS.0),
        };
        // The error of a URL may repeat it, and the password in it.
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|_| StoreError::Refused(format!("`{address}` is no address of a store")))?
            .disable_statement_logging();
        let is_file = matches!(address, StoreAddress::File(_));
        // The pool would try again and in the end hide why it can't connect.
        let connected = timeout(WITHIN, async {
            let mut connection = options.connect().await?;
            schema::configure(&mut connection, is_file).await?;
            connection.close().await
        });
        match connected.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if is_file => {
                return Err(StoreError::Refused(format!("`{address}` can't be used as a store: {error}")));
            }
            Ok(Err(error)) => return Err(StoreError::Unreachable(format!("`{address}`: {error}"))),
            Err(_) => {
                return Err(StoreError::Unreachable(format!("`{address}`: no answer within {} s", WITHIN.as_secs())));
            }
        }
        let pool = AnyPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(CONNECTED_WITHIN)
            .after_connect(move |connection, _| Box::pin(schema::configure(connection, is_file)))
            .connect_lazy_with(options);
        let store = Self(Arc::new(Inner {
            pool,
            address: address.clone(),
            answered: Mutex::default(),
            fails: Mutex::default(),
            served: Mutex::default(),
        }));
        schema::migrate(&store).await?;
        if let StoreAddress::File(path) = address {
            file::refuse_readable(path)?;
        }
        Ok(store)
    }

    /// Where it is, without a password.
    pub fn address(&self) -> &StoreAddress {
        &self.0.address
    }

    /// Whether several servers may serve it at once.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.address, StoreAddress::Postgres(_))
    }

    /// Takes a store in a file for this server alone, until the process ends. PostgreSQL is for several.
    ///
    /// # Errors
    /// Another server has it.
    pub fn serve_alone(&self) -> Result<(), StoreError> {
        if let StoreAddress::File(path) = &self.0.address {
            let lock = file::lock(path)?;
            *self.0.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        }
        Ok(())
    }

    /// Whether it answers.
    pub fn health(&self) -> StoreHealth {
        let fails = self.0.fails.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answered = *self.0.answered.lock().unwrap_or_else(PoisonError::into_inner);
        match fails {
            None => StoreHealth::Up,
            Some(reason) => StoreHealth::Down(reason, answered.map_or(Duration::MAX, |at| at.elapsed())),
        }
    }

    /// Copies the store into a new file.
    ///
    /// # Errors
    /// The file exists or can't be written, or the store is PostgreSQL, which has its own tools.
    pub async fn back_up(&self, to: &std::path::Path) -> Result<(), StoreError> {
        if self.is_shared() {
            return Err(StoreError::Refused(format!(
                "`{}` is backed up with PostgreSQL's own tools\nhint: `pg_dump --format=custom --file FILE`",
                self.0.address
            )));
        }
        let target = file::create_backup(to)?;
        let copied = self
            .ask(async { sqlx::query("VACUUM INTO $1").bind(target.clone()).execute(&self.0.pool).await.map(|_| ()) });
        if let Err(error) = copied.await {
            let _ = std::fs::remove_file(to);
            return Err(error);
        }
        file::sync(to)
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.0.pool.close().await;
    }

    /// As [`Self::ask`] for a change, which is made once more where the database took it back for another one. That ended
    /// without any effect.
    async fn change<T, F: Future<Output = sqlx::Result<T>>>(&self, request: impl Fn() -> F) -> Result<T, StoreError> {
        let changed = self.ask(async {
            match request().await {
                Err(error) if is_conflict(&error) => request().await,
                answer => answer,
            }
        });
        changed.await
    }

    /// Waits for an answer of the database, within a bound, and notes whether there was one.
    async fn ask<T>(&self, request: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
        let asked = match timeout(WITHIN, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(described(&error)),
            Err(_) => Err(StoreError::Unreachable(format!("no answer within {} s", WITHIN.as_secs()))),
        };
        let reason = match &asked {
            Err(StoreError::Unreachable(reason)) => Some(reason.clone()),
            _ => {
                *self.0.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                None
            }
        };
        *self.0.fails.lock().unwrap_or_else(PoisonError::into_inner) = reason;
        asked
    }
}

/// What an error of the database means. Its text has no values of a row.
fn described(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) if error.is_unique_violation() => {
            StoreError::Refused("there is one with this name already".to_owned())
        }
        error if matches!(class(error).as_deref(), Some("22" | "23")) => {
            StoreError::Refused("the database does not accept a value of this request".to_owned())
        }
        sqlx::Error::PoolTimedOut => {
            StoreError::Unreachable(format!("no connection within {} s", CONNECTED_WITHIN.as_secs()))
        }
        error => StoreError::Unreachable(error.to_string()),
    }
}

/// Whether the database took a change back for another one: a deadlock, or rows that have changed since.
fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(sql_state(error).as_deref(), Some("40P01" | "40001"))
}

/// The first two digits of an error's SQLSTATE: what kind of error it is.
fn class(error: &sqlx::Error) -> Option<String> {
    sql_state(error)?.get(..2).map(str::to_owned)
}

/// The SQLSTATE of an error: five digits and letters. The codes of SQLite have fewer.
fn sql_state(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code().filter(|code| code.len() == 5)
}

/// Milliseconds since 1970, as rows have times.
fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time of a row.
fn time(milliseconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
}

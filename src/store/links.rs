//! Links → rows. A link is changed by a transaction that takes the next number first, so that who has seen a number has
//! seen all that came before it. What changes several rows takes that row first, in whatever order the others follow: so
//! no two wait for each other.

use std::time::{Duration, SystemTime};

use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::{Store, StoreError, TokenDigest, milliseconds, time};

/// How long a link that has expired stays in the store.
const EXPIRED_FOR: Duration = Duration::from_mins(1);
/// How long a link that was revoked stays in the store, for lists.
const REVOKED_FOR: Duration = Duration::from_hours(24);

const COLUMNS: &str =
    "SELECT id, number, token, second_token, name, parent, terms, created, expires, revoked, used FROM links";

/// A link, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLink {
    /// What names it; no secret.
    pub id: String,
    /// The digest of the token in its URL.
    pub token: TokenDigest,
    /// The digest of the token that has to come too.
    pub second_token: Option<TokenDigest>,
    /// Its name for people.
    pub name: String,
    /// The link that it narrows.
    pub parent: Option<String>,
    /// What it permits, as its reader writes it.
    pub terms: String,
    /// When it was created.
    pub created: SystemTime,
    /// From when on it is refused.
    pub expires: Option<SystemTime>,
    /// When it was revoked.
    pub revoked: Option<SystemTime>,
    /// When it was used last, to about a minute.
    pub used: Option<SystemTime>,
}

impl StoredLink {
    /// Its state in a word: `valid`, `expired` or `revoked`.
    pub fn state(&self, now: SystemTime) -> &'static str {
        match (self.revoked, self.is_valid(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "valid",
            (None, false) => "expired",
        }
    }

    /// Whether it is neither expired nor revoked.
    pub fn is_valid(&self, now: SystemTime) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// The links that have changed since a number.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The number of the last change.
    pub number: i64,
    /// Links, as they are now.
    pub links: Vec<StoredLink>,
}

impl Store {
    /// Stores a link. One that narrows another is refused where that is not valid any more, or ends earlier.
    ///
    /// # Errors
    /// As above, or the store can't be reached.
    pub async fn create_link(&self, link: &StoredLink) -> Result<(), StoreError> {
        self.create_links(std::slice::from_ref(link)).await
    }

    /// Stores links, all or none.
    ///
    /// # Errors
    /// As [`Store::create_link`].
    pub async fn create_links(&self, links: &[StoredLink]) -> Result<(), StoreError> {
        if self.change(|| self.insert_links(links)).await? {
            return Ok(());
        }
        let reason = "the link that it narrows is not valid any more, or ends earlier";
        Err(StoreError::Refused(reason.to_owned()))
    }

    /// Returns whether every parent was valid.
    async fn insert_links(&self, links: &[StoredLink]) -> sqlx::Result<bool> {
        let mut transaction = self.0.pool.begin().await?;
        let number = next_number(&mut transaction).await?;
        for link in links {
            if !insert_link(&mut transaction, number, link).await? {
                return Ok(false);
            }
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Revokes a link and all that narrow it; returns how many were valid.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn revoke_link(&self, id: &str, now: SystemTime) -> Result<u64, StoreError> {
        self.change(|| async {
            let mut transaction = self.0.pool.begin().await?;
            let number = next_number(&mut transaction).await?;
            let revoked = sqlx::query(
                "WITH RECURSIVE family (id) AS ( \
                 SELECT id FROM links WHERE id = $1 \
                 UNION SELECT links.id FROM links JOIN family ON links.parent = family.id) \
                 UPDATE links SET revoked = $2, number = $3 \
                 WHERE revoked IS NULL AND id IN (SELECT id FROM family)",
            )
            .bind(id.to_owned())
            .bind(milliseconds(now))
            .bind(number)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(revoked.rows_affected())
        })
        .await
    }

    /// Returns a link by its id, also one that is not valid any more.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn link(&self, id: &str) -> Result<Option<StoredLink>, StoreError> {
        let found = self.ask(async {
            let query = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"))).bind(id.to_owned());
            query.fetch_optional(&self.0.pool).await?.as_ref().map(read).transpose()
        });
        found.await
    }

    /// Returns every link, the newest first.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn links(&self) -> Result<Vec<StoredLink>, StoreError> {
        let found = self.ask(async {
            let query = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY created DESC, id")));
            query.fetch_all(&self.0.pool).await?.iter().map(read).collect()
        });
        found.await
    }

    /// Returns what has changed since the change with this number.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn changes_since(&self, number: i64) -> Result<Changes, StoreError> {
        let changes = self.ask(async {
            let last = "SELECT number FROM counters WHERE name = 'links'";
            let last: i64 = sqlx::query_scalar(last).fetch_one(&self.0.pool).await?;
            if last == number {
                return Ok(Changes { number, links: Vec::new() });
            }
            let query = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE number > $1"))).bind(number);
            let links = query.fetch_all(&self.0.pool).await?.iter().map(read).collect::<sqlx::Result<_>>()?;
            // Of changes that came after `last` was read, some may be among the links: they will be there again.
            Ok(Changes { number: last, links })
        });
        changes.await
    }

    /// Notes when links were used.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn links_used(&self, used: &[(String, SystemTime)]) -> Result<(), StoreError> {
        self.change(|| async {
            let mut transaction = self.0.pool.begin().await?;
            lock_links(&mut transaction).await?;
            for (id, at) in used {
                sqlx::query("UPDATE links SET used = $2 WHERE id = $1 AND (used IS NULL OR used < $2)")
                    .bind(id.clone())
                    .bind(milliseconds(*at))
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        })
        .await
    }

    /// Deletes the links that have expired, and those that were revoked a day ago; returns how many.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn sweep_links(&self, now: SystemTime) -> Result<u64, StoreError> {
        self.change(|| async {
            let mut transaction = self.0.pool.begin().await?;
            lock_links(&mut transaction).await?;
            let deleted = sqlx::query("DELETE FROM links WHERE expires < $1 OR revoked < $2")
                .bind(milliseconds(now - EXPIRED_FOR))
                .bind(milliseconds(now - REVOKED_FOR))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(deleted.rows_affected())
        })
        .await
    }
}

/// Takes the next number; others that change links wait until the transaction ends.
pub(super) async fn next_number(transaction: &mut Transaction<'_, Any>) -> sqlx::Result<i64> {
    let next = "UPDATE counters SET number = number + 1 WHERE name = 'links' RETURNING number";
    sqlx::query_scalar(next).fetch_one(&mut **transaction).await
}

/// Makes others that change links wait until the transaction ends, where none is changed for who follows.
async fn lock_links(transaction: &mut Transaction<'_, Any>) -> sqlx::Result<()> {
    let lock = sqlx::query("UPDATE counters SET number = number WHERE name = 'links'");
    lock.execute(&mut **transaction).await.map(drop)
}

/// Returns whether the parent was valid.
pub(super) async fn insert_link(
    transaction: &mut Transaction<'_, Any>,
    number: i64,
    link: &StoredLink,
) -> sqlx::Result<bool> {
    if let Some(parent) = &link.parent {
        let row = sqlx::query("SELECT expires, revoked FROM links WHERE id = $1").bind(parent.clone());
        let Some(row) = row.fetch_optional(&mut **transaction).await? else { return Ok(false) };
        let (expires, revoked): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        let created = milliseconds(link.created);
        let ends = link.expires.map_or(i64::MAX, milliseconds);
        if revoked.is_some() || expires.is_some_and(|expires| expires <= created || expires < ends) {
            return Ok(false);
        }
    }
    sqlx::query(
        "INSERT INTO links (id, number, token, second_token, name, parent, terms, created, expires) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(link.id.clone())
    .bind(number)
    .bind(link.token.text())
    .bind(link.second_token.map(|token| token.text()))
    .bind(link.name.clone())
    .bind(link.parent.clone())
    .bind(link.terms.clone())
    .bind(milliseconds(link.created))
    .bind(link.expires.map(milliseconds))
    .execute(&mut **transaction)
    .await?;
    Ok(true)
}

fn read(row: &AnyRow) -> sqlx::Result<StoredLink> {
    let digest = |text: String| {
        TokenDigest::read(&text).ok_or_else(|| sqlx::Error::Decode("a hash in the store is none".into()))
    };
    let moment = |column: &str| row.try_get::<Option<i64>, _>(column).map(|at| at.map(time));
    Ok(StoredLink {
        id: row.try_get("id")?,
        token: digest(row.try_get("token")?)?,
        second_token: row.try_get::<Option<String>, _>("second_token")?.map(digest).transpose()?,
        name: row.try_get("name")?,
        parent: row.try_get("parent")?,
        terms: row.try_get("terms")?,
        created: time(row.try_get("created")?),
        expires: moment("expires")?,
        revoked: moment("revoked")?,
        used: moment("used")?,
    })
}

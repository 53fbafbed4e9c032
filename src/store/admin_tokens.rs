//! Administrators' tokens → rows: a name and a hash. They are looked up for each request, so that a revocation holds at
//! once and everywhere.

use std::time::SystemTime;

use sqlx::Row as _;

use super::{Store, StoreError, TokenDigest, milliseconds, time};

/// The most there may be: each request is compared with all.
const MOST: i64 = 200;

/// A token of an administrator, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminToken {
    /// Its name, which is unique.
    pub name: String,
    /// Its digest.
    pub token: TokenDigest,
    /// When it was created.
    pub created: SystemTime,
    /// When it was used last, to about a minute.
    pub used: Option<SystemTime>,
}

impl Store {
    /// Stores a token.
    ///
    /// # Errors
    /// There is one with this name, there are too many, or the store can't be reached.
    pub async fn create_admin_token(&self, token: &AdminToken) -> Result<(), StoreError> {
        let created = self.ask(async {
            let insert = "INSERT INTO admin_tokens (name, token, created) \
                          SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT) \
                          WHERE (SELECT count(*) FROM admin_tokens) < $4";
            sqlx::query(insert)
                .bind(token.name.clone())
                .bind(token.token.text())
                .bind(milliseconds(token.created))
                .bind(MOST)
                .execute(&self.0.pool)
                .await
        });
        match created.await?.rows_affected() {
            0 => Err(StoreError::Refused(format!("there are {MOST} tokens already; revoke one first"))),
            _ => Ok(()),
        }
    }

    /// Returns every token, in order of their names.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn admin_tokens(&self) -> Result<Vec<AdminToken>, StoreError> {
        let found = self.ask(async {
            let rows = sqlx::query("SELECT name, token, created, used FROM admin_tokens ORDER BY name");
            let rows = rows.fetch_all(&self.0.pool).await?;
            let read = |row: &sqlx::any::AnyRow| {
                let token = TokenDigest::read(&row.try_get::<String, _>("token")?);
                Ok(AdminToken {
                    name: row.try_get("name")?,
                    token: token.ok_or_else(|| sqlx::Error::Decode("a hash in the store is none".into()))?,
                    created: time(row.try_get("created")?),
                    used: row.try_get::<Option<i64>, _>("used")?.map(time),
                })
            };
            rows.iter().map(read).collect::<sqlx::Result<Vec<_>>>()
        });
        found.await
    }

    /// Returns the token with this digest. All are compared, each in a time that does not depend on it.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn admin_token(&self, digest: TokenDigest) -> Result<Option<AdminToken>, StoreError> {
        let all = self.admin_tokens().await?;
        Ok(all.into_iter().fold(None, |found, token| if token.token == digest { Some(token) } else { found }))
    }

    /// Notes when a token was used.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn admin_token_used(&self, name: &str, now: SystemTime) -> Result<(), StoreError> {
        let noted = self.ask(async {
            let update = sqlx::query("UPDATE admin_tokens SET used = $2 WHERE name = $1");
            update.bind(name.to_owned()).bind(milliseconds(now)).execute(&self.0.pool).await
        });
        noted.await.map(drop)
    }

    /// Revokes a token; returns whether there was one.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn revoke_admin_token(&self, name: &str) -> Result<bool, StoreError> {
        let deleted = self.ask(async {
            sqlx::query("DELETE FROM admin_tokens WHERE name = $1").bind(name.to_owned()).execute(&self.0.pool).await
        });
        Ok(deleted.await?.rows_affected() > 0)
    }
}

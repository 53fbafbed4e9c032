//! Authorizations of OAuth clients → rows: what people are asked, codes, tokens. Each authorization is a link of its own, so
//! that revoking that link, or one above it, ends all that was issued for it.

use std::time::{Duration, SystemTime};

use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::links::{insert_link, next_number};
use super::{Store, StoreError, StoredLink, TokenDigest, milliseconds, time};

/// How long a spent code stays in the store, so that its second use is seen.
const SPENT_FOR: Duration = Duration::from_hours(24);
/// How long an authorization may be without a token: its code is being exchanged.
const UNUSED_FOR: Duration = Duration::from_mins(10);

/// A person who is signing in to allow a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The digest of what the browser keeps of the sign-in.
    pub sign_in: TokenDigest,
    /// The digest of what the browser is recognized by.
    pub browser: TokenDigest,
    /// The client's request, as its reader writes it.
    pub request: String,
    /// From when on it is refused.
    pub expires: SystemTime,
}

/// Who may allow what a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giver {
    /// Who has brought the link with this id.
    Link(String),
    /// A person who has signed in, as the reader writes what is known of the person.
    Person(String),
}

/// What a person is being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The digest of what the page sends back.
    pub ticket: TokenDigest,
    /// The digest of what the browser keeps.
    pub browser: TokenDigest,
    /// Who is asked.
    pub giver: Giver,
    /// The client's request, as its reader writes it.
    pub request: String,
    /// From when on it is refused.
    pub expires: SystemTime,
}

/// A code that a client exchanges for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Its digest.
    pub code: TokenDigest,
    /// The id of the authorization's link.
    pub link: String,
    /// The id of the client.
    pub client: String,
    /// Where it was sent.
    pub redirect: String,
    /// The challenge of PKCE, which is the SHA-256 of what the client brings.
    pub challenge: String,
    /// From when on it is refused.
    pub expires: SystemTime,
}

/// What becomes of a code that a client brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenCode {
    /// It is spent now, by this.
    First(AuthorizationCode),
    /// It was spent before, or it has expired: the authorization that it was for.
    Again(String),
    /// There is none.
    Unknown,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// For requests to the server.
    Access,
    /// For further tokens, once.
    Refresh,
}

impl TokenKind {
    fn text(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// A token, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// Its digest.
    pub token: TokenDigest,
    /// What it is for.
    pub kind: TokenKind,
    /// The id of the authorization's link.
    pub link: String,
    /// The id of the client.
    pub client: String,
    /// From when on it is refused.
    pub expires: SystemTime,
}

/// What becomes of a refresh token that a client brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It is spent now, and its successors are stored.
    Done,
    /// It was spent before: the authorization that it was for.
    Reused(String),
    /// It is none, or has expired, or its authorization has ended.
    Refused,
}

impl Store {
    /// Stores that a person is signing in.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn create_login(&self, login: &Login) -> Result<(), StoreError> {
        let insert = "INSERT INTO oauth_logins (sign_in, browser, request, expires) VALUES ($1, $2, $3, $4)";
        let created = self.ask(async {
            sqlx::query(insert)
                .bind(login.sign_in.text())
                .bind(login.browser.text())
                .bind(login.request.clone())
                .bind(milliseconds(login.expires))
                .execute(&self.0.pool)
                .await
        });
        created.await.map(drop)
    }

    /// Takes the request for which a person is signing in, once, where the same browser comes back in time.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn take_login(
        &self,
        sign_in: TokenDigest,
        browser: TokenDigest,
        now: SystemTime,
    ) -> Result<Option<String>, StoreError> {
        let take = "DELETE FROM oauth_logins WHERE sign_in = $1 AND browser = $2 AND expires > $3 RETURNING request";
        let taken = self.change(|| async {
            let request = sqlx::query_scalar(take).bind(sign_in.text()).bind(browser.text()).bind(milliseconds(now));
            request.fetch_optional(&self.0.pool).await
        });
        taken.await
    }

    /// Stores what a person is asked.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn create_consent(&self, consent: &Consent) -> Result<(), StoreError> {
        let insert = "INSERT INTO oauth_consents (ticket, browser, link, person, request, expires) \
                      VALUES ($1, $2, $3, $4, $5, $6)";
        let (link, person) = match &consent.giver {
            Giver::Link(link) => (Some(link.clone()), None),
            Giver::Person(person) => (None, Some(person.clone())),
        };
        let created = self.ask(async {
            sqlx::query(insert)
                .bind(consent.ticket.text())
                .bind(consent.browser.text())
                .bind(link)
                .bind(person)
                .bind(consent.request.clone())
                .bind(milliseconds(consent.expires))
                .execute(&self.0.pool)
                .await
        });
        created.await.map(drop)
    }

    /// Takes what a person was asked, once, where the same browser answers in time.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn take_consent(
        &self,
        ticket: TokenDigest,
        browser: TokenDigest,
        now: SystemTime,
    ) -> Result<Option<Consent>, StoreError> {
        let take = "DELETE FROM oauth_consents WHERE ticket = $1 AND browser = $2 AND expires > $3 \
                    RETURNING link, person, request, expires";
        let taken = self.change(|| async {
            let row = sqlx::query(take).bind(ticket.text()).bind(browser.text()).bind(milliseconds(now));
            row.fetch_optional(&self.0.pool).await
        });
        let row = taken.await?;
        let read = |row: &AnyRow| -> sqlx::Result<Consent> {
            let (link, person): (Option<String>, Option<String>) = (row.try_get("link")?, row.try_get("person")?);
            let neither = || sqlx::Error::Decode("a question in the store is to nobody".into());
            let giver = link.map(Giver::Link).or_else(|| person.map(Giver::Person)).ok_or_else(neither)?;
            let (request, expires) = (row.try_get("request")?, time(row.try_get("expires")?));
            Ok(Consent { ticket, browser, giver, request, expires })
        };
        row.as_ref().map(read).transpose().map_err(|error| super::described(&error))
    }

    /// Stores an authorization: its link, and the code that leads to its tokens.
    ///
    /// # Errors
    /// The link that it narrows is not valid any more, or the store can't be reached.
    pub async fn authorize(&self, link: &StoredLink, code: &AuthorizationCode) -> Result<(), StoreError> {
        let authorized = self.change(|| async {
            let mut transaction = self.0.pool.begin().await?;
            let number = next_number(&mut transaction).await?;
            if !insert_link(&mut transaction, number, link).await? {
                return Ok(false);
            }
            sqlx::query("INSERT INTO oauth_authorizations (link, client, created) VALUES ($1, $2, $3)")
                .bind(link.id.clone())
                .bind(code.client.clone())
                .bind(milliseconds(link.created))
                .execute(&mut *transaction)
                .await?;
            let insert = "INSERT INTO oauth_codes (code, link, client, redirect, challenge, expires) \
                          VALUES ($1, $2, $3, $4, $5, $6)";
            sqlx::query(insert)
                .bind(code.code.text())
                .bind(code.link.clone())
                .bind(code.client.clone())
                .bind(code.redirect.clone())
                .bind(code.challenge.clone())
                .bind(milliseconds(code.expires))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(true)
        });
        if authorized.await? {
            return Ok(());
        }
        Err(StoreError::Refused("the link is not valid any more".to_owned()))
    }

    /// Takes a code, which is spent by that, whatever comes of it.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn take_code(&self, code: TokenDigest, now: SystemTime) -> Result<TakenCode, StoreError> {
        let spend = "UPDATE oauth_codes SET spent = $2 WHERE code = $1 AND spent IS NULL AND expires > $2 \
                     RETURNING link, client, redirect, challenge, expires";
        let taken = self.change(|| async {
            let row = sqlx::query(spend).bind(code.text()).bind(milliseconds(now));
            if let Some(row) = row.fetch_optional(&self.0.pool).await? {
                return Ok(TakenCode::First(AuthorizationCode {
                    code,
                    link: row.try_get("link")?,
                    client: row.try_get("client")?,
                    redirect: row.try_get("redirect")?,
                    challenge: row.try_get("challenge")?,
                    expires: time(row.try_get("expires")?),
                }));
            }
            let before = sqlx::query_scalar("SELECT link FROM oauth_codes WHERE code = $1").bind(code.text());
            let before: Option<String> = before.fetch_optional(&self.0.pool).await?;
            Ok(before.map_or(TakenCode::Unknown, TakenCode::Again))
        });
        taken.await
    }

    /// Stores tokens of an authorization.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn create_tokens(&self, tokens: &[StoredToken]) -> Result<(), StoreError> {
        let created = self.change(|| async {
            let mut transaction = self.0.pool.begin().await?;
            for token in tokens {
                insert_token(&mut transaction, token).await?;
            }
            transaction.commit().await
        });
        created.await
    }

    /// Spends a refresh token of a client, and stores its successors, which are of the same authorization. Whether that is revoked is
    /// asked here: a server follows revocations a moment later.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn rotate(
        &self,
        refresh: TokenDigest,
        client: &str,
        successors: &[StoredToken],
        now: SystemTime,
    ) -> Result<Rotation, StoreError> {
        let spend = "UPDATE oauth_tokens SET spent = $3 \
                     WHERE token = $1 AND client = $2 AND kind = 'refresh' AND spent IS NULL AND expires > $3 \
                     AND link IN (SELECT id FROM links WHERE revoked IS NULL AND (expires IS NULL OR expires > $3))";
        let rotated = self.change(|| async {
            let mut transaction = self.0.pool.begin().await?;
            let spend = sqlx::query(spend).bind(refresh.text()).bind(client.to_owned()).bind(milliseconds(now));
            if spend.execute(&mut *transaction).await?.rows_affected() == 1 {
                for token in successors {
                    insert_token(&mut transaction, token).await?;
                }
                transaction.commit().await?;
                return Ok(Rotation::Done);
            }
            let before = "SELECT link FROM oauth_tokens \
                          WHERE token = $1 AND client = $2 AND kind = 'refresh' AND spent IS NOT NULL";
            let before = sqlx::query_scalar(before).bind(refresh.text()).bind(client.to_owned());
            let before: Option<String> = before.fetch_optional(&mut *transaction).await?;
            Ok(before.map_or(Rotation::Refused, Rotation::Reused))
        });
        rotated.await
    }

    /// Returns a token, of whatever kind, also one that is spent or has expired.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn oauth_token(&self, token: TokenDigest) -> Result<Option<StoredToken>, StoreError> {
        let found = self.ask(async {
            let row = sqlx::query("SELECT kind, link, client, expires FROM oauth_tokens WHERE token = $1");
            let row = row.bind(token.text()).fetch_optional(&self.0.pool).await?;
            row.as_ref().map(|row| read(token, row)).transpose()
        });
        found.await
    }

    /// Deletes what has ended, and revokes authorizations that have neither a token nor a code any more.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn sweep_oauth(&self, now: SystemTime) -> Result<(), StoreError> {
        let unused = self.change(|| async {
            for (delete, before) in [
                ("DELETE FROM oauth_logins WHERE expires < $1", now),
                ("DELETE FROM oauth_consents WHERE expires < $1", now),
                ("DELETE FROM oauth_codes WHERE expires < $1", now - SPENT_FOR),
                ("DELETE FROM oauth_tokens WHERE expires < $1", now),
            ] {
                sqlx::query(delete).bind(milliseconds(before)).execute(&self.0.pool).await?;
            }
            for delete in [
                "DELETE FROM oauth_tokens WHERE link NOT IN (SELECT id FROM links)",
                "DELETE FROM oauth_authorizations WHERE link NOT IN (SELECT id FROM links)",
            ] {
                sqlx::query(delete).execute(&self.0.pool).await?;
            }
            let unused = "SELECT oauth_authorizations.link FROM oauth_authorizations \
                          JOIN links ON links.id = oauth_authorizations.link AND links.revoked IS NULL \
                          WHERE oauth_authorizations.created < $1 AND oauth_authorizations.link NOT IN \
                          (SELECT oauth_tokens.link FROM oauth_tokens)";
            let unused = sqlx::query_scalar(unused).bind(milliseconds(now - UNUSED_FOR));
            unused.fetch_all(&self.0.pool).await
        });
        let unused: Vec<String> = unused.await?;
        for link in unused {
            self.revoke_link(&link, now).await?;
        }
        Ok(())
    }
}

async fn insert_token(transaction: &mut Transaction<'_, Any>, token: &StoredToken) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO oauth_tokens (token, kind, link, client, expires) VALUES ($1, $2, $3, $4, $5)")
        .bind(token.token.text())
        .bind(token.kind.text().to_owned())
        .bind(token.link.clone())
        .bind(token.client.clone())
        .bind(milliseconds(token.expires))
        .execute(&mut **transaction)
        .await
        .map(drop)
}

fn read(token: TokenDigest, row: &AnyRow) -> sqlx::Result<StoredToken> {
    let kind: String = row.try_get("kind")?;
    let kind = if kind == TokenKind::Access.text() { TokenKind::Access } else { TokenKind::Refresh };
    let (link, client) = (row.try_get("link")?, row.try_get("client")?);
    Ok(StoredToken { token, kind, link, client, expires: time(row.try_get("expires")?) })
}

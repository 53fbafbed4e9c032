//! A database → one with the tables that this version needs. One text for both kinds: rows have text and whole numbers.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr as _};

use super::{Store, StoreError};

/// The tables by number, in the order in which versions added to them. What is here is never changed: a change is a line of its
/// own.
const MIGRATIONS: [(i64, &str, &str); 5] = [
    (1, "tables", include_str!("tables.sql")),
    (2, "oauth", include_str!("oauth.sql")),
    (12, "approvals", include_str!("approvals.sql")),
    (17, "approval tickets", include_str!("approval_tickets.sql")),
    (18, "sign-ins at vendors", include_str!("vendor_sign_ins.sql")),
];

/// Sets up a connection.
pub(super) async fn configure(connection: &mut AnyConnection, is_file: bool) -> sqlx::Result<()> {
    if is_file {
        // A revocation must survive a loss of power.
        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 2000"] {
            sqlx::raw_sql(pragma).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Adds the tables that are missing.
pub(super) async fn migrate(store: &Store) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    match migrator.run(&store.0.pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) | MigrateError::VersionTooNew(..)) => {
            Err(StoreError::Refused(format!(
                "the store `{}` was written by a newer version of toolwright\n\
                 hint: use that version, or another store",
                store.0.address
            )))
        }
        Err(MigrateError::Execute(error)) => Err(super::described(&error)),
        Err(error) => Err(StoreError::Unreachable(error.to_string())),
    }
}

//! Servers that share a store → the part of vendors' limits that each may use. Each holds a lease for half a minute and
//! renews it many times in that; the parts of all leases that have not ended are never more than the whole.
//!
//! A server that joins waits until the others have made room; one that ends gives its part back at once; of one that was
//! killed or can't reach the store the part is kept free until its lease ends, because it may still use it.

use std::time::{Duration, SystemTime};

use sqlx::{Any, Row as _, Transaction};
use tokio::time::Instant;

use super::{Store, StoreError, milliseconds};

/// How long a lease holds, and so for how long a server goes on that can't reach the store.
pub const LEASE: Duration = Duration::from_secs(30);
/// How long what has ended is remembered: its requests count in the vendor's minute.
const REMEMBERED: i64 = 60_000;
/// The whole of a vendor's limits, in the unit of rows.
const WHOLE: i64 = 1_000_000;
/// The time of PostgreSQL, in milliseconds since 1970: the clocks of servers may differ.
const NOW: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

/// A server that uses the store.
#[derive(Debug, Clone)]
pub struct Replica {
    /// What no two servers have at the same time, such as host and port; a server that is started again has the same.
    pub id: String,
    /// What no two processes have.
    pub process: String,
    /// What the command line and other servers read of it.
    pub description: String,
}

/// A part of vendors' limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lease {
    /// Which part, from 0 to 1.
    pub share: f64,
    /// Until when.
    pub until: Instant,
    /// Whether no other server has used any part within a minute.
    pub first: bool,
}

impl Store {
    /// Takes part, or renews the lease of a process that takes part already.
    ///
    /// # Errors
    /// Another process has taken this replica's id since, or the store can't be reached.
    pub async fn renew_lease(&self, replica: &Replica, takes_part: bool) -> Result<Lease, StoreError> {
        // From before the request, so that the lease here ends no later than in the store.
        let until = Instant::now() + LEASE;
        let renewed = self.ask(self.renew(replica, takes_part)).await?;
        let (share, first) = renewed.ok_or_else(|| {
            StoreError::Refused(format!("another server has the name `{}` among those of this store", replica.id))
        })?;
        #[expect(clippy::cast_precision_loss, reason = "a million fits a float")]
        let share = share as f64 / WHOLE as f64;
        Ok(Lease { share, until, first })
    }

    async fn renew(&self, replica: &Replica, takes_part: bool) -> sqlx::Result<Option<(i64, bool)>> {
        let mut transaction = self.0.pool.begin().await?;
        lock_leases(&mut transaction).await?;
        let now = self.now(&mut transaction).await?;
        sqlx::query("DELETE FROM replicas WHERE ends < $1").bind(now - REMEMBERED).execute(&mut *transaction).await?;
        let rows = sqlx::query("SELECT id, process, share, ends FROM replicas").fetch_all(&mut *transaction).await?;
        let (mut of_others, mut others, mut first) = (0, 0, true);
        for row in rows {
            let (id, process): (String, String) = (row.try_get("id")?, row.try_get("process")?);
            let (share, ends): (i64, i64) = (row.try_get("share")?, row.try_get("ends")?);
            first &= process == replica.process;
            if id == replica.id {
                // Before this process takes part, the one that has its id has ended: they would have an address in common.
                if takes_part && process != replica.process {
                    return Ok(None);
                }
            } else if ends > now {
                (of_others, others) = (of_others + share, others + 1);
            }
        }
        let share = (WHOLE / (others + 1)).min(WHOLE - of_others).max(0);
        let ends = now.saturating_add(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX));
        write(&mut transaction, replica, share, ends).await?;
        transaction.commit().await?;
        Ok(Some((share, first)))
    }

    /// Gives the lease back. That it was there is remembered for a minute.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn end_lease(&self, replica: &Replica) -> Result<(), StoreError> {
        self.ask(async {
            let mut transaction = self.0.pool.begin().await?;
            lock_leases(&mut transaction).await?;
            let now = self.now(&mut transaction).await?;
            sqlx::query("UPDATE replicas SET ends = $3, share = 0 WHERE id = $1 AND process = $2")
                .bind(replica.id.clone())
                .bind(replica.process.clone())
                .bind(now)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
        .await
    }

    /// Returns the descriptions of the servers that use the store now.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn replicas(&self) -> Result<Vec<String>, StoreError> {
        self.ask(async {
            let mut transaction = self.0.pool.begin().await?;
            let now = self.now(&mut transaction).await?;
            let found = sqlx::query_scalar("SELECT description FROM replicas WHERE ends > $1 ORDER BY id").bind(now);
            found.fetch_all(&mut *transaction).await
        })
        .await
    }

    /// The time that all servers of the store have in common.
    pub(super) async fn now(&self, transaction: &mut Transaction<'_, Any>) -> sqlx::Result<i64> {
        if self.is_shared() {
            sqlx::query_scalar(NOW).fetch_one(&mut **transaction).await
        } else {
            Ok(milliseconds(SystemTime::now()))
        }
    }
}

/// Makes others that change leases wait until the transaction ends.
async fn lock_leases(transaction: &mut Transaction<'_, Any>) -> sqlx::Result<()> {
    let lock = sqlx::query("UPDATE counters SET number = number + 1 WHERE name = 'leases'");
    lock.execute(&mut **transaction).await.map(drop)
}

async fn write(transaction: &mut Transaction<'_, Any>, replica: &Replica, share: i64, ends: i64) -> sqlx::Result<()> {
    let written = sqlx::query(
        "INSERT INTO replicas (id, process, description, share, ends) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET process = $2, description = $3, share = $4, ends = $5",
    );
    let written = written.bind(replica.id.clone()).bind(replica.process.clone()).bind(replica.description.clone());
    written.bind(share).bind(ends).execute(&mut **transaction).await.map(drop)
}

//! Tickets of help desks → rows: which approval each is of, and which server has it in hand. An approval has one row, and its
//! ticket is raised by whoever has changed `wanted` to `raising`: nobody else ever does.

use std::time::{Duration, SystemTime};

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _, query};

use super::{Store, StoreError, milliseconds};

/// For how long a server has a ticket in hand at most; longer than any request to a vendor.
const IN_HAND: Duration = Duration::from_mins(3);
/// The most tickets that are due at once.
const MOST_DUE: i64 = 20;

const COLUMNS: &str = "SELECT approval, desk, state, ticket, texts, note, failed FROM approval_tickets";

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketState {
    /// It is to be raised.
    Wanted,
    /// It is being raised. A server that finds it so, after the time of another, can't know whether it was.
    Raising,
    /// It is there.
    Raised,
    /// Whether it was raised is not known. It is not raised again, and nothing is read of it.
    Lost,
    /// Nothing more is done.
    Closed,
}

impl TicketState {
    const ALL: [Self; 5] = [Self::Wanted, Self::Raising, Self::Raised, Self::Lost, Self::Closed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Raising => "raising",
            Self::Raised => "raised",
            Self::Lost => "lost",
            Self::Closed => "closed",
        }
    }
}

/// A ticket, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalTicket {
    /// The approval that it is for.
    pub approval: String,
    /// The account whose changes are approved there.
    pub desk: String,
    /// Where it stands.
    pub state: TicketState,
    /// The vendor's id of it.
    pub ticket: Option<String>,
    /// A hash of its texts, as they were at first.
    pub texts: Option<String>,
    /// What the note says that it still needs.
    pub note: Option<String>,
    /// How often in a row it could not be looked at.
    pub failed: u32,
}

/// Who takes a ticket in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// What sees to those that are due.
    Now,
    /// A call that waits for it, if nobody has looked within this time.
    Unless(Duration),
}

impl ApprovalTicket {
    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        let state: String = row.try_get("state")?;
        let known = TicketState::ALL.into_iter().find(|known| known.as_str() == state);
        let state = known
            .ok_or_else(|| sqlx::Error::Decode("a ticket of an approval in the store has an unknown state".into()))?;
        Ok(Self {
            approval: row.try_get("approval")?,
            desk: row.try_get("desk")?,
            state,
            ticket: row.try_get("ticket")?,
            texts: row.try_get("texts")?,
            note: row.try_get("note")?,
            failed: u32::try_from(row.try_get::<i64, _>("failed")?).unwrap_or(u32::MAX),
        })
    }
}

impl Store {
    /// States that an approval is to have a ticket; does nothing where it has one.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn want_ticket(&self, approval: &str, desk: &str) -> Result<(), StoreError> {
        let wanted = self.change(|| async {
            let insert = query(
                "INSERT INTO approval_tickets (approval, desk, state, busy, looked, due, failed) \
                 VALUES ($1, $2, 'wanted', 0, 0, 0, 0) ON CONFLICT (approval) DO NOTHING",
            );
            insert.bind(approval.to_owned()).bind(desk.to_owned()).execute(&self.0.pool).await
        });
        wanted.await?;
        let forgotten = self.change(|| async {
            let delete = "DELETE FROM approval_tickets WHERE NOT EXISTS \
                          (SELECT 1 FROM approvals WHERE approvals.id = approval_tickets.approval)";
            query(delete).execute(&self.0.pool).await
        });
        forgotten.await.map(drop)
    }

    /// Returns the ticket of an approval.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn ticket_of(&self, approval: &str) -> Result<Option<ApprovalTicket>, StoreError> {
        let found = self.ask(async {
            let row = query(AssertSqlSafe(format!("{COLUMNS} WHERE approval = $1")));
            row.bind(approval.to_owned()).fetch_optional(&self.0.pool).await
        });
        let found = found.await?;
        found.map(|row| ApprovalTicket::read(&row)).transpose().map_err(|error| super::described(&error))
    }

    /// Returns the approvals whose tickets are due, the longest ones first.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn due_tickets(&self) -> Result<Vec<String>, StoreError> {
        let found = self.ask(async {
            let due = "SELECT approval FROM approval_tickets WHERE state IN ('wanted', 'raising', 'raised') \
                       AND due <= $1 AND busy <= $1 ORDER BY due LIMIT $2";
            query(due).bind(milliseconds(SystemTime::now())).bind(MOST_DUE).fetch_all(&self.0.pool).await
        });
        let found = found.await?;
        found.iter().map(|row| row.try_get("approval").map_err(|error| super::described(&error))).collect()
    }

    /// Takes a ticket in hand, for a while; returns it where no other server has it and it is due.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn take_ticket(&self, approval: &str, due: Due) -> Result<Option<ApprovalTicket>, StoreError> {
        let taken = self.ask(async {
            let mut transaction = self.0.pool.begin().await?;
            let now = self.now(&mut transaction).await?;
            let condition = match due {
                Due::Now => "due <= $2",
                Due::Unless(_) => "looked <= $4",
            };
            let until = now.saturating_add(span(IN_HAND));
            let update = format!(
                "UPDATE approval_tickets SET busy = $3, looked = $2 WHERE approval = $1 \
                 AND state IN ('wanted', 'raising', 'raised') AND busy <= $2 AND {condition}"
            );
            let update = query(AssertSqlSafe(update)).bind(approval.to_owned()).bind(now).bind(until);
            let update = match due {
                Due::Now => update,
                Due::Unless(within) => update.bind(now.saturating_sub(span(within))),
            };
            let changed = update.execute(&mut *transaction).await?.rows_affected();
            let row = match changed {
                1 => {
                    let row = query(AssertSqlSafe(format!("{COLUMNS} WHERE approval = $1")));
                    Some(row.bind(approval.to_owned()).fetch_one(&mut *transaction).await?)
                }
                _ => None,
            };
            transaction.commit().await?;
            Ok(row)
        });
        let taken = taken.await?;
        taken.map(|row| ApprovalTicket::read(&row)).transpose().map_err(|error| super::described(&error))
    }

    /// States that this server raises a ticket now; returns whether it may, which is once.
    ///
    /// # Errors
    /// The store can't be reached: then the ticket must not be raised.
    pub async fn begin_ticket(&self, approval: &str) -> Result<bool, StoreError> {
        let begun = self.ask(async {
            let update =
                query("UPDATE approval_tickets SET state = 'raising' WHERE approval = $1 AND state = 'wanted'");
            update.bind(approval.to_owned()).execute(&self.0.pool).await
        });
        Ok(begun.await?.rows_affected() == 1)
    }

    /// Puts a ticket out of hand as it is now, to be looked at again after a while.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn put_ticket(&self, ticket: &ApprovalTicket, again: Duration) -> Result<(), StoreError> {
        let due = milliseconds(SystemTime::now()).saturating_add(span(again));
        let put = self.change(|| async {
            // A note that a call has left meanwhile stays.
            let update = query(
                "UPDATE approval_tickets SET state = $2, ticket = $3, texts = $4, note = COALESCE(note, $5), failed = $6, \
                 due = CASE WHEN note IS NULL THEN CAST($7 AS BIGINT) ELSE 0 END, busy = 0 WHERE approval = $1",
            );
            let update = update.bind(ticket.approval.clone()).bind(ticket.state.as_str()).bind(ticket.ticket.clone());
            let update = update.bind(ticket.texts.clone()).bind(ticket.note.clone());
            update.bind(i64::from(ticket.failed)).bind(due).execute(&self.0.pool).await
        });
        put.await.map(drop)
    }

    /// Leaves a note for the ticket of an approval, which is due then; returns whether there is one.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn note_for_ticket(&self, approval: &str, note: &str) -> Result<bool, StoreError> {
        let noted = self.change(|| async {
            let update = query(
                "UPDATE approval_tickets SET note = $2, due = 0 WHERE approval = $1 AND note IS NULL \
                 AND state IN ('wanted', 'raising', 'raised')",
            );
            update.bind(approval.to_owned()).bind(note.to_owned()).execute(&self.0.pool).await
        });
        Ok(noted.await?.rows_affected() > 0)
    }
}

fn span(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

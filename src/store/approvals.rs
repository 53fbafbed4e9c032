//! Approvals → rows: what waits for a person, who decided, and what became of it. A decision and the claim before sending
//! are each one statement that names the state before it: of two at once, one finds it changed.

use std::time::{Duration, SystemTime};

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _, query};

use super::{Store, StoreError, milliseconds, time};

/// The most that may wait of one caller, and how long what has ended stays for lists.
const MOST_OF_CALLER: i64 = 50;
const KEPT: i64 = 30 * 24 * 60 * 60 * 1000;
/// The most rows of a list.
const MOST_LISTED: i64 = 500;

const COLUMNS: &str = "SELECT id, kind, state, channel, caller, caller_name, client, not_by, tool, key, digest, plan, asked, \
                       ends, decided, decided_by, reason, scope, claimed, outcome FROM approvals";

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalState {
    /// A person has not decided.
    Pending,
    /// A person has approved it; it was not sent.
    Approved,
    /// A person has declined it, or took back what was granted.
    Declined,
    /// It was shown for another request than the one that came, and serves for none.
    Void,
    /// It was claimed for sending; how that ended is not recorded.
    Sending,
    /// It was sent, or failed; `outcome` states which.
    Done,
}

impl ApprovalState {
    const ALL: [Self; 6] = [Self::Pending, Self::Approved, Self::Declined, Self::Void, Self::Sending, Self::Done];

    /// Its name in rows and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Void => "void",
            Self::Sending => "sending",
            Self::Done => "done",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalKind {
    /// That one request is sent, once.
    Change,
    /// A tool that the caller is not offered.
    Access,
}

impl ApprovalKind {
    /// Its name in rows and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Access => "access",
        }
    }
}

/// An approval, as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredApproval {
    /// What names it; no secret.
    pub id: String,
    /// What is asked for.
    pub kind: ApprovalKind,
    /// Where it stands.
    pub state: ApprovalState,
    /// How the person is asked.
    pub channel: String,
    /// What no other caller has.
    pub caller: String,
    /// The caller's name for people.
    pub caller_name: String,
    /// The client program, as it names itself.
    pub client: Option<String>,
    /// The user of the machine that must not decide; empty where anybody may.
    pub not_by: String,
    /// The tool.
    pub tool: String,
    /// The key of the digest, in hexadecimal digits.
    pub key: String,
    /// The keyed digest of what is asked for.
    pub digest: String,
    /// What is shown of it, without secrets: a JSON object.
    pub plan: String,
    /// When it was asked.
    pub asked: SystemTime,
    /// Until when it can be decided and used.
    pub ends: SystemTime,
    /// When it was decided.
    pub decided: Option<SystemTime>,
    /// By whom, as far as that is known.
    pub decided_by: Option<String>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// What was granted, where a tool was asked for: `call` or `tool`.
    pub scope: Option<String>,
    /// When it was claimed for sending.
    pub claimed: Option<SystemTime>,
    /// How the call ended.
    pub outcome: Option<String>,
}

/// Without the key.
impl std::fmt::Debug for StoredApproval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredApproval").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// A person's decision.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Whether it is a yes.
    pub is_approved: bool,
    /// By whom.
    pub by: String,
    /// Why, if that was said.
    pub reason: Option<String>,
    /// What is granted, where a tool is asked for.
    pub scope: Option<String>,
    /// The new end, counted from now, where a tool is granted.
    pub lasts: Option<Duration>,
}

impl StoredApproval {
    /// Whether it can neither be decided nor used any more.
    pub fn has_ended(&self, now: SystemTime) -> bool {
        now >= self.ends
    }

    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        let unknown =
            |what: &str| sqlx::Error::Decode(format!("an approval in the store has an unknown {what}").into());
        let (kind, state): (String, String) = (row.try_get("kind")?, row.try_get("state")?);
        let kind = [ApprovalKind::Change, ApprovalKind::Access].into_iter().find(|known| known.as_str() == kind);
        let state = ApprovalState::ALL.into_iter().find(|known| known.as_str() == state);
        let at = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.map(time));
        Ok(Self {
            id: row.try_get("id")?,
            kind: kind.ok_or_else(|| unknown("kind"))?,
            state: state.ok_or_else(|| unknown("state"))?,
            channel: row.try_get("channel")?,
            caller: row.try_get("caller")?,
            caller_name: row.try_get("caller_name")?,
            client: row.try_get("client")?,
            not_by: row.try_get("not_by")?,
            tool: row.try_get("tool")?,
            key: row.try_get("key")?,
            digest: row.try_get("digest")?,
            plan: row.try_get("plan")?,
            asked: time(row.try_get("asked")?),
            ends: time(row.try_get("ends")?),
            decided: at("decided")?,
            decided_by: row.try_get("decided_by")?,
            reason: row.try_get("reason")?,
            scope: row.try_get("scope")?,
            claimed: at("claimed")?,
            outcome: row.try_get("outcome")?,
        })
    }
}

impl Store {
    /// Stores what waits for a decision, and forgets what ended long ago.
    ///
    /// # Errors
    /// Too much waits of this caller, or the store can't be reached.
    pub async fn create_approval(&self, approval: &StoredApproval) -> Result<(), StoreError> {
        let insert = async {
            let mut transaction = self.0.pool.begin().await?;
            let now = self.now(&mut transaction).await?;
            query("DELETE FROM approvals WHERE ends < $1").bind(now - KEPT).execute(&mut *transaction).await?;
            let created = query(
                "INSERT INTO approvals (id, kind, state, channel, caller, caller_name, client, not_by, tool, key, digest, plan, \
                 asked, ends) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), \
                 CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS TEXT), \
                 CAST($11 AS TEXT), CAST($12 AS TEXT), CAST($13 AS BIGINT), CAST($14 AS BIGINT) WHERE (SELECT count(*) FROM \
                 approvals WHERE caller = $5 AND state = 'pending' AND ends > $15) < $16",
            );
            let created = created
                .bind(approval.id.clone())
                .bind(approval.kind.as_str())
                .bind(approval.state.as_str())
                .bind(approval.channel.clone())
                .bind(approval.caller.clone())
                .bind(approval.caller_name.clone())
                .bind(approval.client.clone())
                .bind(approval.not_by.clone())
                .bind(approval.tool.clone())
                .bind(approval.key.clone())
                .bind(approval.digest.clone())
                .bind(approval.plan.clone())
                .bind(milliseconds(approval.asked))
                .bind(milliseconds(approval.ends))
                .bind(now)
                .bind(MOST_OF_CALLER)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(created.rows_affected())
        };
        match self.ask(insert).await? {
            0 => Err(StoreError::Refused(format!(
                "{MOST_OF_CALLER} requests of this caller wait for a decision already"
            ))),
            _ => Ok(()),
        }
    }

    /// Returns an approval by its id.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn approval(&self, id: &str) -> Result<Option<StoredApproval>, StoreError> {
        let found = self.ask(async {
            query(AssertSqlSafe(format!("{COLUMNS} WHERE id = $1")))
                .bind(id.to_owned())
                .fetch_optional(&self.0.pool)
                .await
        });
        read_one(found.await?.as_ref())
    }

    /// Returns what a caller asked for with a tool, the newest first.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn approvals_of(&self, caller: &str, tool: &str) -> Result<Vec<StoredApproval>, StoreError> {
        let found = self.ask(async {
            let rows = format!("{COLUMNS} WHERE caller = $1 AND tool = $2 ORDER BY asked DESC, id LIMIT $3");
            query(AssertSqlSafe(rows))
                .bind(caller.to_owned())
                .bind(tool.to_owned())
                .bind(MOST_LISTED)
                .fetch_all(&self.0.pool)
                .await
        });
        found.await?.iter().map(|row| StoredApproval::read(row).map_err(|error| super::described(&error))).collect()
    }

    /// Returns the approvals, those that wait or the newest ones.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn approvals(&self, only_pending: bool) -> Result<Vec<StoredApproval>, StoreError> {
        let found = self.ask(async {
            let which = if only_pending { "state = 'pending' AND ends > $1" } else { "asked <= $1" };
            let rows = format!("{COLUMNS} WHERE {which} ORDER BY asked DESC, id LIMIT $2");
            let now = milliseconds(SystemTime::now());
            query(AssertSqlSafe(rows)).bind(now).bind(MOST_LISTED).fetch_all(&self.0.pool).await
        });
        found.await?.iter().map(|row| StoredApproval::read(row).map_err(|error| super::described(&error))).collect()
    }

    /// Decides what waits; returns whether it did wait, and had not ended.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn decide_approval(&self, id: &str, decision: &Decision) -> Result<bool, StoreError> {
        let state = if decision.is_approved { ApprovalState::Approved } else { ApprovalState::Declined };
        let decided = self.change(|| async {
            let mut transaction = self.0.pool.begin().await?;
            let now = self.now(&mut transaction).await?;
            let lasts =
                decision.lasts.map(|lasts| now.saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX)));
            let update = query(
                "UPDATE approvals SET state = $2, decided = $3, decided_by = $4, reason = $5, scope = $6, \
                 ends = COALESCE($7, ends) WHERE id = $1 AND state = 'pending' AND ends > $3",
            );
            let update = update.bind(id.to_owned()).bind(state.as_str()).bind(now).bind(decision.by.clone());
            let update = update.bind(decision.reason.clone()).bind(decision.scope.clone()).bind(lasts);
            let done = update.execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(done.rows_affected())
        });
        Ok(decided.await? > 0)
    }

    /// Takes back what was granted and not used up; returns whether there was anything.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn withdraw_approval(&self, id: &str, by: &str, reason: Option<&str>) -> Result<bool, StoreError> {
        let withdrawn = self.change(|| async {
            let update = query(
                "UPDATE approvals SET state = 'declined', decided_by = $2, reason = $3 WHERE id = $1 AND state = 'approved'",
            );
            update.bind(id.to_owned()).bind(by.to_owned()).bind(reason.map(str::to_owned)).execute(&self.0.pool).await
        });
        Ok(withdrawn.await?.rows_affected() > 0)
    }

    /// Has an approval that waits serve for nothing.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn void_approval(&self, id: &str) -> Result<(), StoreError> {
        let voided = self.change(|| async {
            let update =
                query("UPDATE approvals SET state = 'void' WHERE id = $1 AND state IN ('pending', 'approved')");
            update.bind(id.to_owned()).execute(&self.0.pool).await
        });
        voided.await.map(drop)
    }

    /// Claims an approved change for sending; returns whether this call has it. From then on no other has.
    ///
    /// # Errors
    /// The store can't be reached: then it is not known who has it, and nothing may be sent.
    pub async fn claim_approval(&self, id: &str, caller: &str, digest: &str) -> Result<bool, StoreError> {
        let claim = async {
            let mut transaction = self.0.pool.begin().await?;
            let now = self.now(&mut transaction).await?;
            let update = query(
                "UPDATE approvals SET state = 'sending', claimed = $4 WHERE id = $1 AND caller = $2 AND digest = $3 \
                 AND kind = 'change' AND state = 'approved' AND ends > $4",
            );
            let update = update.bind(id.to_owned()).bind(caller.to_owned()).bind(digest.to_owned()).bind(now);
            let done = update.execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(done.rows_affected())
        };
        Ok(self.ask(claim).await? == 1)
    }

    /// Notes how the call ended that has claimed an approval.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn end_approval(&self, id: &str, outcome: &str) -> Result<(), StoreError> {
        let ended = self.change(|| async {
            let update = query("UPDATE approvals SET state = 'done', outcome = $2 WHERE id = $1 AND state = 'sending'");
            update.bind(id.to_owned()).bind(outcome.to_owned()).execute(&self.0.pool).await
        });
        ended.await.map(drop)
    }
}

fn read_one(row: Option<&AnyRow>) -> Result<Option<StoredApproval>, StoreError> {
    row.map(StoredApproval::read).transpose().map_err(|error| super::described(&error))
}

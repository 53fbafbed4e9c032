//! A tool that the policy does not offer a caller → a request, and what a person has granted: that tool, for these arguments or
//! any, to this caller, for an hour at most. A grant ends by itself.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::request::Exact;
use super::{Approvals, Asker, Held, Waits, new_id, unavailable};
use crate::store::{ApprovalKind, ApprovalState, StoredApproval, TokenDigest};

/// How long a grant lasts at most.
pub const LONGEST_GRANT: Duration = Duration::from_hours(1);
/// The scope of a grant for any arguments, and of one for those of the request.
pub(super) const ANY_ARGUMENTS: &str = "tool";
pub(super) const THESE_ARGUMENTS: &str = "call";

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// The tool.
    pub tool: &'a str,
    /// Its title for people.
    pub title: &'a str,
    /// The tool with its arguments.
    pub exact: Exact,
    /// The arguments, without secrets.
    pub arguments: Value,
    /// Why the policy does not offer it.
    pub refused: String,
    /// Whether the server's own selection does not offer it, to whomever.
    pub is_beyond_server: bool,
}

/// What came of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elevation {
    /// A person has granted it.
    Granted {
        /// The grant's id.
        id: String,
        /// By whom.
        by: String,
    },
    /// It waits for a person.
    Requested(Waits),
    /// A person has declined it.
    Declined,
}

impl Approvals {
    /// Whether a refusal of the policy becomes a request.
    pub fn takes_requests(&self) -> bool {
        self.takes_requests
    }

    /// Returns what a person has granted of a wish, or a request for it.
    ///
    /// # Errors
    /// Requests can't be kept.
    pub async fn elevation(&self, asker: Asker<'_>, wish: &Wish<'_>) -> Result<Elevation, Held> {
        let store = self.store().await?;
        let _alone = self.asking.lock().await;
        let now = SystemTime::now();
        let found = store.approvals_of(&asker.principal.key(), wish.tool).await.map_err(|error| unavailable(&error))?;
        let of_wish = |one: &StoredApproval| wish.exact.is(&one.key, &one.digest);
        let current = found.into_iter().filter(|one| one.kind == ApprovalKind::Access && !one.has_ended(now));
        let mut waiting = None;
        for one in current {
            match one.state {
                ApprovalState::Approved if one.scope.as_deref() == Some(ANY_ARGUMENTS) || of_wish(&one) => {
                    return Ok(Elevation::Granted { id: one.id, by: one.decided_by.unwrap_or_default() });
                }
                ApprovalState::Pending if of_wish(&one) => waiting = Some(Elevation::Requested(self.waits(one.id))),
                ApprovalState::Declined if of_wish(&one) => waiting = Some(Elevation::Declined),
                _ => {}
            }
        }
        if let Some(waiting) = waiting {
            return Ok(waiting);
        }
        let (key, _) = TokenDigest::draw("").map_err(|error| unavailable(&error))?;
        let id = new_id()?;
        let plan = json!({
            "does": wish.title,
            "arguments": wish.arguments,
            "held back": wish.refused,
            "beyond the server's selection": wish.is_beyond_server,
        });
        let request = StoredApproval {
            id: id.clone(),
            kind: ApprovalKind::Access,
            state: ApprovalState::Pending,
            channel: super::IN_STORE.to_owned(),
            caller: asker.principal.key(),
            caller_name: asker.principal.name(),
            client: asker.client.map(str::to_owned),
            not_by: self.not_by(asker.principal),
            tool: wish.tool.to_owned(),
            digest: wish.exact.keyed(&key),
            key,
            plan: plan.to_string(),
            asked: now,
            ends: now + self.within,
            decided: None,
            decided_by: None,
            reason: None,
            scope: None,
            claimed: None,
            outcome: None,
        };
        store.create_approval(&request).await.map_err(|error| unavailable(&error))?;
        tracing::info!(caller = request.caller_name, tool = wish.tool, id, "a refusal became a request");
        Ok(Elevation::Requested(self.waits(id)))
    }
}

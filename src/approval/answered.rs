//! What the person at a client has answered, to a form or with the state of an earlier result → the approval's decision.

use std::time::SystemTime;

use super::channel::{Answer, Given};
use super::{
    ApprovalEvent, Approvals, Asker, ChangeRequest, Held, IN_STORE, Note, Permission, event, new_id, permission,
    sealed, unavailable,
};
use crate::store::{ApprovalKind, ApprovalState, Decision, Store, StoredApproval};

impl Approvals {
    /// Judges the answer that a client has returned with the state of an earlier result.
    pub(super) async fn given(
        &self,
        store: &Store,
        asker: Asker<'_>,
        request: &ChangeRequest,
        given: &Given,
        note: Note<'_>,
    ) -> Result<Permission, Held> {
        let Some(id) = sealed::id(&given.state) else { return Err(Held::BadState) };
        let found = store.approval(id).await.map_err(|error| unavailable(&error))?;
        let Some(found) = found.filter(|found| found.kind == ApprovalKind::Change) else { return Err(Held::BadState) };
        // What is wrong is not told apart for a state that is not this caller's.
        let is_own = found.caller == asker.principal.key() && found.tool == request.tool;
        let until = sealed::open(&given.state, &found).filter(|_| is_own).ok_or(Held::BadState)?;
        match found.state {
            ApprovalState::Pending => {}
            ApprovalState::Sending => {
                return Err(Held::Sending { id: found.id, at: found.claimed.unwrap_or(found.asked) });
            }
            _ => return Err(Held::Spent { id: found.id }),
        }
        if SystemTime::now() >= until {
            store.void_approval(&found.id).await.map_err(|error| unavailable(&error))?;
            note(&event(&found, "expired"));
            return Err(Held::Expired { id: found.id });
        }
        if !request.exact.is(&found.key, &found.digest) {
            store.void_approval(&found.id).await.map_err(|error| unavailable(&error))?;
            note(&event(&found, "void"));
            return Err(Held::Changed { id: found.id });
        }
        let by = format!("the person at {}", asker.client.unwrap_or("the client"));
        self.answered(store, found, given.answer.clone(), request, &by, note).await
    }

    /// Stores what the person at a client has answered.
    pub(super) async fn answered(
        &self,
        store: &Store,
        approval: StoredApproval,
        answer: Answer,
        request: &ChangeRequest,
        by: &str,
        note: Note<'_>,
    ) -> Result<Permission, Held> {
        let no = |reason: &str| Decision {
            is_approved: false,
            by: by.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            scope: None,
            lasts: None,
        };
        let decision = match answer {
            Answer::Approved { typed } if request.is_named_by(typed.as_deref()) => {
                Decision { is_approved: true, ..no("") }
            }
            // A slip, and no decision: the same call may ask anew.
            Answer::Approved { .. } => return self.misnamed(store, approval, by, note).await,
            Answer::Declined => no(""),
            Answer::TimedOut => no("there was no answer in time"),
            Answer::Failed(reason) => {
                // The client can't ask after all, whatever it declares: a person at the command line can.
                return self.handed_over(store, approval, request, &reason, note).await;
            }
        };
        let decided = store.decide_approval(&approval.id, &decision).await.map_err(|error| unavailable(&error))?;
        if !decided {
            return Err(Held::Expired { id: approval.id });
        }
        let event_name = if decision.is_approved { "approved" } else { "declined" };
        let reason = decision.reason.as_deref();
        note(&ApprovalEvent { by: Some(by), reason, ..event(&approval, event_name) });
        if decision.is_approved {
            return Ok(Permission { by: by.to_owned(), ..permission(approval) });
        }
        Err(Held::Declined { id: approval.id, by: by.to_owned(), reason: decision.reason })
    }

    /// Voids an approval for which another name was typed.
    async fn misnamed(
        &self,
        store: &Store,
        approval: StoredApproval,
        by: &str,
        note: Note<'_>,
    ) -> Result<Permission, Held> {
        const REASON: &str = "the name that was typed is another one";
        store.void_approval(&approval.id).await.map_err(|error| unavailable(&error))?;
        note(&ApprovalEvent { by: Some(by), reason: Some(REASON), ..event(&approval, "void") });
        Err(Held::Declined { id: approval.id, by: by.to_owned(), reason: Some(REASON.to_owned()) })
    }

    /// Has what a client could not ask wait for the command line.
    async fn handed_over(
        &self,
        store: &Store,
        approval: StoredApproval,
        request: &ChangeRequest,
        reason: &str,
        note: Note<'_>,
    ) -> Result<Permission, Held> {
        tracing::warn!("the client could not ask its user for an approval, it waits for the command line: {reason}");
        store.void_approval(&approval.id).await.map_err(|error| unavailable(&error))?;
        note(&ApprovalEvent { reason: Some("the client could not ask"), ..event(&approval, "void") });
        let id = new_id()?;
        let channel = IN_STORE.to_owned();
        let waiting = StoredApproval { id, channel, ends: approval.asked + self.within, ..approval };
        store.create_approval(&waiting).await.map_err(|error| unavailable(&error))?;
        note(&event(&waiting, "asked"));
        self.report(&waiting, request);
        let (waits, until) = (self.waits(waiting.id), waiting.ends);
        Err(Held::Pending { waits: Box::new(waits), until, why: request.why.clone() })
    }

    /// Reports what waits to the webhook, if there is one.
    pub(super) fn report(&self, waiting: &StoredApproval, request: &ChangeRequest) {
        if let Some(webhook) = &self.webhook {
            webhook.send(waiting, request, self.waits(waiting.id.clone()).page.as_deref());
        }
    }
}

//! Stage 3 of a call that a person has approved: its request → the vendor's answer, sent once and never again.

use tokio_util::sync::CancellationToken;

use super::call_record::EndedApproval;
use super::failure::Failure;
use super::paging::Pages;
use super::prepare::PreparedCall;
use super::retry::Sender;
use super::send::send;
use super::toolbox::Toolbox;
use crate::approval::Permission;
use crate::error::{CallError, Outcome};

impl Toolbox {
    /// Sends what a person has approved: once, and only after this call alone has taken the permission.
    pub(super) async fn send_approved(
        &self,
        prepared: &PreparedCall<'_>,
        sender: &Sender<'_>,
        permission: Option<&Permission>,
    ) -> Result<Result<Pages, CallError>, Failure> {
        let Some((approvals, permission)) = self.approvals.as_ref().zip(permission) else {
            return Ok(send(prepared, sender, true).await);
        };
        approvals.claim(permission).await?;
        let sent = send(prepared, sender, true).await;
        approvals.ended(permission, sent.as_ref().map_or_else(CallError::outcome, |_| Outcome::Answered)).await;
        Ok(sent)
    }

    /// Has the ticket of an approval say how its call has ended.
    pub(super) async fn note_end(&self, ended: Option<EndedApproval>) {
        if let Some((approvals, ended)) = self.approvals.as_ref().zip(ended) {
            approvals.noted(&ended.permission, ended.outcome, ended.hash.as_deref()).await;
        }
    }

    /// Sees to the tickets by which help desks approve calls, until `end` is cancelled.
    pub(crate) async fn follow_tickets(&self, end: CancellationToken) {
        if let Some(approvals) = &self.approvals {
            approvals.follow_tickets(end).await;
        }
    }
}

//! An approval and what happened to it → what the record is given.

use crate::store::StoredApproval;

/// What has become of an approval, for the record.
#[derive(Debug, Clone)]
pub struct ApprovalEvent<'a> {
    /// The approval's id.
    pub id: &'a str,
    /// What happened: `asked`, `approved`, `declined`, `expired`, `void`.
    pub event: &'static str,
    /// How the person is asked.
    pub channel: &'a str,
    /// The keyed digest of what is to be sent.
    pub digest: &'a str,
    /// Who decided, as far as that is known.
    pub by: Option<&'a str>,
    /// The reason that was given.
    pub reason: Option<&'a str>,
}

/// Receives what becomes of an approval.
pub type Note<'a> = &'a (dyn Fn(&ApprovalEvent<'_>) + Sync);

/// What happened to an approval that is stored.
pub(super) fn event<'a>(approval: &'a StoredApproval, event: &'static str) -> ApprovalEvent<'a> {
    ApprovalEvent {
        id: &approval.id,
        event,
        channel: &approval.channel,
        digest: &approval.digest,
        by: approval.decided_by.as_deref(),
        reason: approval.reason.as_deref(),
    }
}

//! A person's decision that did not come with a call, or what an administrator did about an account → a line in the record.

use super::call_record::ApprovalNotes;
use super::toolbox::Toolbox;
use crate::approval::ApprovalEvent;
use crate::audit::CallDetails;

/// What an administrator has done about an account.
#[derive(Debug, Clone, Copy)]
pub struct AdministrativeAct<'a> {
    /// What it is, such as `signed in at a vendor`.
    pub what: &'static str,
    /// The administrator.
    pub by: &'a str,
    /// The account.
    pub account: &'a str,
    /// Its vendor.
    pub vendor: &'a str,
    /// The site that it acts at from then on, where one was chosen.
    pub site: Option<&'a str>,
    /// Whether the vendor has revoked what there was.
    pub revoked: Option<&'a str>,
}

impl Toolbox {
    /// Records what an administrator has done.
    pub fn record_administration(&self, act: &AdministrativeAct<'_>) {
        let Some(audit) = &self.audit else { return };
        let entries = [
            ("what", Some(act.what)),
            ("by", Some(act.by)),
            ("account", Some(act.account)),
            ("vendor", Some(act.vendor)),
            ("site", act.site),
            ("revoked", act.revoked),
        ];
        if let Err(error) = audit.administration(&entries) {
            // It is done, and in the log; the next call that may change something is refused.
            tracing::error!("the record `{}` can't be written: {error}", audit.path().display());
        }
    }

    /// Records what was decided of an approval that this caller asked for with this tool. The call that comes again is recorded
    /// by itself, with the approval.
    pub fn record_decision(&self, caller: &str, tool: &str, event: &ApprovalEvent<'_>) {
        let details = CallDetails { caller: caller.to_owned(), tool: tool.to_owned(), ..CallDetails::default() };
        ApprovalNotes::new(self.audit.as_ref(), details).write(event);
    }
}

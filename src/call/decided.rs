//! A person's decision that did not come with a call → a line in the record.

use super::call_record::ApprovalNotes;
use super::toolbox::Toolbox;
use crate::approval::ApprovalEvent;
use crate::audit::CallDetails;

impl Toolbox {
    /// Records what was decided of an approval that this caller asked for with this tool. The call that comes again is recorded
    /// by itself, with the approval.
    pub fn record_decision(&self, caller: &str, tool: &str, event: &ApprovalEvent<'_>) {
        let details = CallDetails { caller: caller.to_owned(), tool: tool.to_owned(), ..CallDetails::default() };
        ApprovalNotes::new(self.audit.as_ref(), details).write(event);
    }
}

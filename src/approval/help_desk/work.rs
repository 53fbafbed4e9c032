//! A ticket that a server has in hand → the next step: it is raised, looked at, decided by what its agents have decided, or gets
//! its note. Whatever is not certain leaves the approval waiting; no step makes a yes of a failure.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::desk::Desk;
use super::reading::{self, Reading};
use super::{DeskCalls, DeskFault, FaultKind, text};
use crate::approval::{ApprovalEvent, event};
use crate::store::{ApprovalState, ApprovalTicket, Decision, Store, StoreError, StoredApproval, TicketState};

/// When a ticket is looked at again that is open, and one of an approval that is to be sent.
const OPEN_AGAIN: Duration = Duration::from_secs(15);
const IDLE_AGAIN: Duration = Duration::from_secs(60);
/// The first wait after a failure; each further one is twice as long, up to the last.
const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// How often a note is tried.
const MOST_TRIES: u32 = 12;

/// One ticket in hand.
pub(super) struct Work<'a> {
    pub(super) store: &'a Store,
    pub(super) desk: &'a Desk,
    pub(super) calls: &'a dyn DeskCalls,
    pub(super) approval: &'a StoredApproval,
}

/// What has become of a ticket, and after how long it is looked at again.
pub(super) type Done = (ApprovalTicket, Duration);

/// What an agent has decided.
enum Verdict {
    Open,
    No { by: String, reason: Option<String> },
    Yes { by: String },
}

impl Work<'_> {
    /// Does the next step.
    ///
    /// # Errors
    /// The store can't be reached.
    pub(super) async fn step(&self, ticket: ApprovalTicket) -> Result<Done, StoreError> {
        let waits = self.approval.state == ApprovalState::Pending && !self.approval.has_ended(SystemTime::now());
        match ticket.state {
            TicketState::Wanted if waits => self.raise(ticket).await,
            TicketState::Wanted => Ok(closed(ticket)),
            TicketState::Raising => Ok(self.lost(ticket, "a server was ended while it raised the ticket")),
            TicketState::Raised if waits => self.look(ticket).await,
            TicketState::Raised => match self.outcome(&ticket) {
                Some(note) => Ok(self.note(ticket, note).await),
                None => Ok((ticket, IDLE_AGAIN)),
            },
            TicketState::Lost | TicketState::Closed => Ok((ticket, IDLE_AGAIN)),
        }
    }

    /// Raises the ticket: once, whatever comes of it.
    async fn raise(&self, ticket: ApprovalTicket) -> Result<Done, StoreError> {
        let form = &self.desk.form;
        let (id, subject) = (&self.approval.id, text::subject(self.approval));
        let Some(body) = text::text(self.approval, form.markup) else {
            tracing::warn!("approval {id} is too long for a ticket: it waits for the command line");
            return Ok(closed(ticket));
        };
        if let Err(fault) = self.strangers().await.and_then(|found| found.map_or(Ok(()), |who| Err(fault(who)))) {
            return Ok(self.failed(ticket, "can't be raised", &fault));
        }
        // From here on nobody raises it a second time.
        if !self.store.begin_ticket(&self.approval.id).await? {
            return Ok(self.lost(ticket, "another server raises it"));
        }
        let arguments = self.desk.arguments(&form.raise.with, &[("subject", &subject), ("text", &body)]);
        match self.calls.call(self.desk, &form.raise.tool, arguments).await {
            Ok(answer) => match reading::word_at(&answer.body, &form.ticket).filter(|id| id.len() <= 100) {
                Some(number) => {
                    tracing::info!("approval {id} is ticket {number} of {}", self.desk.title);
                    let raised =
                        ApprovalTicket { state: TicketState::Raised, ticket: Some(number), failed: 0, ..ticket };
                    Ok(self.first_seen(raised).await)
                }
                None => Ok(self.lost(ticket, "the vendor's answer names no ticket")),
            },
            Err(fault) if fault.kind == FaultKind::Unknown => Ok(self.lost(ticket, &fault.text)),
            // Nothing was created.
            Err(fault) => {
                Ok(self.failed(ApprovalTicket { state: TicketState::Wanted, ..ticket }, "can't be raised", &fault))
            }
        }
    }

    /// Notes what the ticket's readers see, before any of them can have changed it.
    async fn first_seen(&self, ticket: ApprovalTicket) -> Done {
        let number = ticket.ticket.clone().unwrap_or_default();
        match self.shown(&number).await {
            Ok(shown) => match reading::texts(self.desk, &shown) {
                Some(texts) => (ApprovalTicket { texts: Some(texts), failed: 0, ..ticket }, OPEN_AGAIN),
                None => self.failed(ticket, "can't be read", &fault("its answer has no text of it".to_owned())),
            },
            Err(fault) => self.failed(ticket, "can't be read", &fault),
        }
    }

    /// Looks whether an agent has decided.
    async fn look(&self, ticket: ApprovalTicket) -> Result<Done, StoreError> {
        if ticket.texts.is_none() {
            return Ok(self.first_seen(ticket).await);
        }
        let verdict = match self.verdict(&ticket).await {
            Ok(verdict) => verdict,
            Err(fault) if fault.kind == FaultKind::Gone => {
                Verdict::No { by: self.desk.title.clone(), reason: Some("its ticket is gone".to_owned()) }
            }
            Err(fault) => return Ok(self.failed(ticket, "can't be looked at: it still waits", &fault)),
        };
        match verdict {
            Verdict::Open => Ok((ApprovalTicket { failed: 0, ..ticket }, OPEN_AGAIN)),
            Verdict::No { by, reason } => self.decide(ticket, false, by, reason).await,
            Verdict::Yes { by } => self.decide(ticket, true, by, None).await,
        }
    }

    /// What was decided, as far as that counts.
    async fn verdict(&self, ticket: &ApprovalTicket) -> Result<Verdict, DeskFault> {
        let (form, number) = (&self.desk.form, ticket.ticket.as_deref().unwrap_or_default());
        let arguments = self.desk.arguments(&form.decision.with, &[("ticket", number)]);
        let answer = self.calls.call(self.desk, &form.decision.tool, arguments).await?;
        let at = |people: &BTreeSet<String>| {
            let people: Vec<&str> = people.iter().map(String::as_str).collect();
            format!("{} at {} (ticket {number})", people.join(", "), self.desk.title)
        };
        let no = |people: &BTreeSet<String>, reason: &str| {
            Ok(Verdict::No { by: at(people), reason: Some(reason.to_owned()) })
        };
        let yes = match reading::decision(self.desk, number, &answer) {
            // A listing that lacks the ticket does not tell whether it is there.
            Reading::Open => return self.shown(number).await.map(|_| Verdict::Open),
            Reading::No(people) => return Ok(Verdict::No { by: at(&people), reason: None }),
            Reading::Yes(yes) => yes,
        };
        let all: BTreeSet<String> = yes.iter().flatten().cloned().collect();
        let shown = self.shown(number).await?;
        if reading::texts(self.desk, &shown).is_none() || reading::texts(self.desk, &shown) != ticket.texts {
            return no(&all, "the ticket's text is not what was raised");
        }
        let own = self.own().await?;
        if reading::word_at(&shown, &form.shown.author).as_ref() != Some(&own) {
            return no(&all, "somebody else counts as who has raised the ticket");
        }
        if let Some(who) = self.strangers().await? {
            return no(&all, &who);
        }
        let counts = |person: &&String| {
            self.desk.approvers.contains(*person)
                && **person != own
                && !self.desk.is_caller(person, &self.approval.caller_name)
        };
        let counted: Vec<BTreeSet<String>> =
            yes.iter().map(|people| people.iter().filter(counts).cloned().collect()).collect();
        if counted.iter().any(BTreeSet::is_empty) {
            return no(&all, "whoever said yes is not among those whose yes counts for this caller");
        }
        Ok(Verdict::Yes { by: at(&counted.into_iter().flatten().collect()) })
    }

    async fn shown(&self, number: &str) -> Result<Value, DeskFault> {
        let shown = &self.desk.form.shown;
        let arguments = self.desk.arguments(&shown.with, &[("ticket", number)]);
        Ok(self.calls.call(self.desk, &shown.tool, arguments).await?.body)
    }

    /// Who the account is.
    async fn own(&self) -> Result<String, DeskFault> {
        let own = &self.desk.form.own;
        let answer = self.calls.call(self.desk, &own.tool, self.desk.arguments(&own.with, &[])).await?;
        reading::word_at(&answer.body, &own.id)
            .ok_or_else(|| fault("the vendor does not say who the account is".to_owned()))
    }

    /// Says who can decide by the vendor's permissions and is no approver, if anybody is.
    async fn strangers(&self) -> Result<Option<String>, DeskFault> {
        let Some(place) = &self.desk.form.deciders else { return Ok(None) };
        let answer = self.calls.call(self.desk, &place.tool, self.desk.arguments(&place.with, &[])).await?;
        let found = reading::words(&answer.body, &place.id)
            .ok_or_else(|| fault("the vendor does not say who can decide".to_owned()))?;
        let own = self.own().await?;
        let others: Vec<&str> = found
            .iter()
            .filter(|id| **id != own && !self.desk.approvers.contains(*id))
            .map(String::as_str)
            .take(5)
            .collect();
        Ok((!others.is_empty()).then(|| format!("others than the approvers can decide there: {}", others.join(", "))))
    }

    /// Stores a decision, and writes it into the record.
    async fn decide(
        &self,
        ticket: ApprovalTicket,
        is_approved: bool,
        by: String,
        reason: Option<String>,
    ) -> Result<Done, StoreError> {
        let decision = Decision { is_approved, by: by.clone(), reason: reason.clone(), scope: None, lasts: None };
        if !self.store.decide_approval(&self.approval.id, &decision).await? {
            // Somebody was quicker, or it has ended: the next look sees which.
            return Ok((ticket, Duration::ZERO));
        }
        let name = if is_approved { "approved" } else { "declined" };
        tracing::info!("approval {} was {name} by {by}", self.approval.id);
        let what = ApprovalEvent { by: Some(&by), reason: reason.as_deref(), ..event(self.approval, name) };
        let hash = self.calls.record(self.approval, &what);
        if is_approved {
            // The note is written once it is sent.
            return Ok((ApprovalTicket { failed: 0, ..ticket }, IDLE_AGAIN));
        }
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let note = note_text(self.approval, &format!("declined, nothing is sent{reason}"), hash.as_deref());
        Ok(self.note(ticket, note).await)
    }

    /// What the note says of an approval that is over; `None` where it is not over.
    fn outcome(&self, ticket: &ApprovalTicket) -> Option<String> {
        if let Some(note) = &ticket.note {
            return Some(note.clone());
        }
        let approval = self.approval;
        let has_ended = approval.has_ended(SystemTime::now());
        let (name, what) = match approval.state {
            ApprovalState::Declined => ("declined", "declined elsewhere, nothing is sent".to_owned()),
            ApprovalState::Void => ("void", "ended without a use, nothing is sent".to_owned()),
            ApprovalState::Pending if has_ended => ("expired", "nobody decided in time, nothing is sent".to_owned()),
            ApprovalState::Approved if has_ended => {
                ("expired", "approved, and the call did not come again in time: nothing is sent".to_owned())
            }
            ApprovalState::Sending if has_ended => {
                return Some(note_text(approval, "taken for sending; whether it was sent is not known", None));
            }
            ApprovalState::Done if has_ended => {
                let outcome = approval.outcome.as_deref().unwrap_or("unknown");
                return Some(note_text(approval, &format!("sent; outcome {outcome}"), None));
            }
            _ => return None,
        };
        let hash = self.calls.record(approval, &event(approval, name));
        Some(note_text(approval, &what, hash.as_deref()))
    }

    /// Adds the note to the ticket, after which nothing more is done with it.
    async fn note(&self, ticket: ApprovalTicket, text: String) -> Done {
        let note = &self.desk.form.note;
        let number = ticket.ticket.clone().unwrap_or_default();
        let arguments = self.desk.arguments(&note.with, &[("ticket", &number), ("text", &text)]);
        let ticket = ApprovalTicket { note: Some(text), ..ticket };
        match self.calls.call(self.desk, &note.tool, arguments).await {
            Ok(_) => closed(ticket),
            Err(fault)
                if matches!(fault.kind, FaultKind::Refused | FaultKind::NotSent) && ticket.failed < MOST_TRIES =>
            {
                self.failed(ticket, "gets no note", &fault)
            }
            // It may be there already.
            Err(fault) => {
                tracing::warn!("ticket {number} of approval {} got no note: {}", self.approval.id, fault.text);
                closed(ticket)
            }
        }
    }

    fn failed(&self, ticket: ApprovalTicket, what: &str, fault: &DeskFault) -> Done {
        tracing::warn!("the ticket of approval {} {what}: {}", self.approval.id, fault.text);
        let failed = ticket.failed.saturating_add(1);
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failed - 1)).min(LONGEST_WAIT);
        (ApprovalTicket { failed, ..ticket }, wait)
    }

    /// It is not known whether there is a ticket: a second one could be decided in another way than the first.
    fn lost(&self, ticket: ApprovalTicket, reason: &str) -> Done {
        let id = &self.approval.id;
        tracing::warn!(
            "whether the ticket of approval {id} was raised is not known, and it is not raised again: {reason}; `toolwright approve` decides"
        );
        (ApprovalTicket { state: TicketState::Lost, ..ticket }, IDLE_AGAIN)
    }
}

fn closed(ticket: ApprovalTicket) -> Done {
    (ApprovalTicket { state: TicketState::Closed, failed: 0, ..ticket }, IDLE_AGAIN)
}

fn fault(text: String) -> DeskFault {
    DeskFault { kind: FaultKind::Refused, text }
}

/// What the note of a ticket says: plain words, without any of the plan.
fn note_text(approval: &StoredApproval, what: &str, hash: Option<&str>) -> String {
    note_of(&approval.id, &approval.digest, what, hash)
}

/// The same by an approval's id and digest.
pub(super) fn note_of(id: &str, digest: &str, what: &str, hash: Option<&str>) -> String {
    let record =
        hash.map_or_else(|| "There is no record.".to_owned(), |hash| format!("Hash of the record's line: {hash}"));
    format!("Toolwright, approval {id}: {what}. Digest: {digest}. {record}")
}

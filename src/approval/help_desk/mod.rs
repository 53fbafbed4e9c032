//! An approval that waits → a ticket of a help desk, and the decision of its agents → the approval's. The store knows the one ticket
//! of each approval, so that servers that share it, and a server after a restart, go on with the same one.
//!
//! | file | turns | into |
//! |---|---|---|
//! | `desk` | settings of the operator and what vendor.toml states | a help desk: which tools are called with what, whose yes counts |
//! | `text` | an approval | subject and text of its ticket, as text alone |
//! | `reading` | a vendor's answers | what was decided, and by whom |
//! | `work` | a ticket in hand | the next step |
//!
//! Every request goes by [`DeskCalls`], the stages of any other call: paced, bounded and recorded.

mod desk;
mod reading;
mod text;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use desk::Desk;
use work::note_of;

use super::{ApprovalEvent, Approvals, Held, Permission, Waits, unavailable};
use crate::error::{Audience, Outcome};
use crate::store::{ApprovalState, ApprovalTicket, Due, Store, StoreError, StoredApproval, TicketState};

/// The channel of approvals that wait for a help desk.
pub(super) const HELP_DESK: &str = "help desk";
/// How long a call waits for its ticket to be raised or looked at, and how long one look serves all calls.
const CALL_WAITS: Duration = Duration::from_secs(20);
const LOOK_SERVES: Duration = Duration::from_secs(5);
/// How often the store is asked for tickets that are due.
const ROUND: Duration = Duration::from_secs(5);
/// When a store is tried again that can't be opened.
const STORE_AGAIN: Duration = Duration::from_secs(30);

/// Why a help desk did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskFault {
    /// What is known of the request.
    pub kind: FaultKind,
    /// What happened, without secrets.
    pub text: String,
}

/// What is known of a request that gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It was not sent.
    NotSent,
    /// The vendor refused it.
    Refused,
    /// The vendor says that there is no such ticket.
    Gone,
    /// It was sent, and its effect is not known.
    Unknown,
}

/// What a help desk has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskAnswer {
    /// The answer.
    pub body: Value,
    /// Whether the vendor states that there are no more records.
    pub is_whole: bool,
}

/// A call of a help desk that is in flight.
pub type DeskCall<'a> = Pin<Box<dyn Future<Output = Result<DeskAnswer, DeskFault>> + Send + 'a>>;

/// The way to help desks: the tools of their accounts, and the record.
pub trait DeskCalls: Send + Sync + fmt::Debug {
    /// Calls a tool of the account that raises a desk's tickets.
    fn call<'a>(&'a self, desk: &'a Desk, tool: &'a str, arguments: Map<String, Value>) -> DeskCall<'a>;

    /// Writes what has become of an approval; returns the hash of the line, where there is a record.
    fn record(&self, approval: &StoredApproval, event: &ApprovalEvent<'_>) -> Option<String>;
}

/// The help desks of a server, by the accounts whose changes are approved there. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HelpDesks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    desks: BTreeMap<String, Desk>,
    calls: OnceLock<Arc<dyn DeskCalls>>,
    look_serves: Option<Duration>,
}

impl HelpDesks {
    /// The help desks of a server.
    pub fn new(desks: impl IntoIterator<Item = Desk>) -> Self {
        let desks = desks.into_iter().map(|desk| (desk.of.clone(), desk)).collect();
        Self(Arc::new(Inner { desks, ..Inner::default() }))
    }

    /// The same, where one look serves all calls for another time, and agents have another time to decide.
    #[must_use]
    pub fn with_times(self, look_serves: Duration, within: Duration) -> Self {
        let desks = self.0.desks.iter().map(|(of, desk)| (of.clone(), Desk { within, ..desk.clone() })).collect();
        Self(Arc::new(Inner { desks, calls: OnceLock::new(), look_serves: Some(look_serves) }))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.desks.is_empty()
    }

    /// Every help desk.
    pub fn iter(&self) -> impl Iterator<Item = &Desk> {
        self.0.desks.values()
    }

    /// Sets the way to them, once.
    pub fn connect(&self, calls: Arc<dyn DeskCalls>) {
        let _ = self.0.calls.set(calls);
    }

    /// The one help desk for changes of all these accounts; `None` where one has none, or another one. `is_final` states
    /// whether the change can't be taken back.
    pub(super) fn of(&self, accounts: &[String], is_final: bool) -> Option<&Desk> {
        let mut found = accounts.iter().map(|account| self.0.desks.get(account));
        let first = found.next()??;
        let is_one = found.all(|other| other.is_some_and(|other| other.is_like(first)));
        (is_one && (first.irreversible || !is_final)).then_some(first)
    }

    /// Whether a help desk is to approve changes of one of these accounts: then the caller's own person does not.
    pub(crate) fn concern<'a>(&self, accounts: impl IntoIterator<Item = &'a str>) -> bool {
        accounts.into_iter().any(|account| self.0.desks.contains_key(account))
    }

    /// Does what is to be done for the ticket of an approval, if nobody has lately: for a call that waits for it.
    pub(super) async fn attend_now(&self, store: &Store, approval: &str) {
        let due = Due::Unless(self.0.look_serves.unwrap_or(LOOK_SERVES));
        let (this, store, id) = (self.clone(), store.clone(), approval.to_owned());
        // Apart from the call: a ticket that is being raised must not be lost with it.
        let attending = tokio::spawn(async move { this.attend(&store, &id, due).await });
        if timeout(CALL_WAITS, attending).await.is_err() {
            tracing::debug!("the ticket of approval {approval} is still being seen to");
        }
    }

    /// What a person reads of the place where an approval waits.
    pub(super) async fn place(&self, store: &Store, approval: &str) -> Option<String> {
        let ticket = store.ticket_of(approval).await.ok().flatten()?;
        let desk = self.0.desks.get(&ticket.desk)?;
        match (ticket.state, ticket.ticket) {
            (TicketState::Raised, Some(number)) => Some(format!("ticket {number} of {}", desk.title)),
            (TicketState::Wanted | TicketState::Raising, _) => {
                Some(format!("{}, where its ticket is being raised", desk.title))
            }
            _ => None,
        }
    }

    /// Does the next step for a ticket that is due and that no other server has in hand; logs what goes wrong.
    async fn attend(&self, store: &Store, approval: &str, due: Due) {
        if let Err(error) = self.step(store, approval, due).await {
            tracing::warn!("the ticket of approval {approval} can't be seen to: {error}");
        }
    }

    async fn step(&self, store: &Store, approval: &str, due: Due) -> Result<(), StoreError> {
        let Some(calls) = self.0.calls.get() else { return Ok(()) };
        let Some(known) = store.ticket_of(approval).await? else { return Ok(()) };
        // Of a server with other settings.
        let Some(desk) = self.0.desks.get(&known.desk) else { return Ok(()) };
        let Some(ticket) = store.take_ticket(approval, due).await? else { return Ok(()) };
        let Some(approval) = store.approval(approval).await? else {
            let gone = ApprovalTicket { state: TicketState::Closed, ..ticket };
            return store.put_ticket(&gone, Duration::ZERO).await;
        };
        let work = work::Work { store, desk, calls: &**calls, approval: &approval };
        let (ticket, again) = work.step(ticket).await?;
        // What would be over without a look at its end is looked at then.
        let left = approval.ends.duration_since(SystemTime::now()).unwrap_or_default();
        let again = if left.is_zero() { again } else { again.min(left + Duration::from_secs(1)) };
        store.put_ticket(&ticket, again).await
    }

    /// Sees to the tickets of a store until `end` is cancelled.
    pub(crate) async fn follow(self, store: Store, end: CancellationToken) {
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
            self.round(&store, &end).await;
        }
    }

    /// Sees once to all tickets that are due, until `end` is cancelled.
    pub async fn round(&self, store: &Store, end: &CancellationToken) {
        match store.due_tickets().await {
            Ok(due) => {
                for approval in due {
                    if end.is_cancelled() {
                        return;
                    }
                    self.attend(store, &approval, Due::Now).await;
                }
            }
            Err(error) => tracing::warn!("the tickets of approvals can't be seen to: {error}"),
        }
    }
}

/// Calls that wait for a help desk.
impl Approvals {
    /// The help desks.
    pub fn help_desks(&self) -> &HelpDesks {
        &self.desks
    }

    /// What waits under an id, with the ticket by which it is decided where it has one.
    pub(super) async fn waits_at(&self, store: &Store, id: String) -> Waits {
        let ticket = self.desks.place(store, &id).await;
        Waits { ticket, ..self.waits(id) }
    }

    /// Has what waits for a help desk be raised, or looked at, and returns it as it is then.
    pub(super) async fn looked_at(
        &self,
        store: &Store,
        approval: StoredApproval,
        desk: Option<&Desk>,
    ) -> Result<StoredApproval, Held> {
        let waits = approval.state == ApprovalState::Pending && approval.channel == HELP_DESK;
        let Some(desk) = desk.filter(|_| waits) else { return Ok(approval) };
        // Also after an end of the server between the two.
        store.want_ticket(&approval.id, &desk.of).await.map_err(|error| unavailable(&error))?;
        self.desks.attend_now(store, &approval.id).await;
        let now = store.approval(&approval.id).await.map_err(|error| unavailable(&error))?;
        Ok(now.unwrap_or(approval))
    }

    /// Leaves in the ticket of an approval how its call has ended, with the hash of that line in the record.
    pub(crate) async fn noted(&self, permission: &Permission, outcome: Outcome, hash: Option<&str>) {
        if !permission.has_ticket {
            return;
        }
        let what = match outcome {
            Outcome::Answered => "approved and sent, the vendor has answered with success",
            Outcome::Rejected => "approved and sent, the vendor has refused it",
            Outcome::NotSent => "approved, and not sent",
            Outcome::Unknown => "approved and sent, the outcome is unknown",
            Outcome::Partial => "approved, and sent in part",
        };
        let note = note_of(&permission.id, &permission.digest, what, hash);
        let Ok(store) = self.store().await else { return };
        if let Err(error) = store.note_for_ticket(&permission.id, &note).await {
            tracing::warn!("the ticket of approval {} gets no note now: {error}", permission.id);
        }
    }

    /// Sees to the tickets of all help desks until `end` is cancelled.
    pub(crate) async fn follow_tickets(&self, end: CancellationToken) {
        if self.desks.is_empty() {
            return;
        }
        loop {
            match self.store().await {
                Ok(store) => return self.desks.clone().follow(store.clone(), end).await,
                Err(held) => tracing::warn!("{}", held.text(Audience::Person)),
            }
            tokio::select! {
                () = end.cancelled() => return,
                () = tokio::time::sleep(STORE_AGAIN) => {}
            }
        }
    }
}

//! A planned change and a person's decision → permission to send exactly that, once, or why it is not sent.
//!
//! | file | turns | into |
//! |---|---|---|
//! | `confirm` | the words of `--confirm` and a tool | whether a person has to approve its calls |
//! | `request` | what a call would send | what a person is shown, and the digest that is approved |
//! | `fingerprints` | texts of outsiders that a caller has read | which of them its arguments repeat |
//! | `elevation` | a refusal of the policy | a request, and what a person has granted for an hour |
//! | `steering` | a tool and what its arguments repeat | why a person has to approve the call |
//! | `channel` | what a client declares | the way to its person |
//! | `answered` | what the person at a client has answered | the approval's decision |
//! | `sealed` | an approval that a client answers | a state that it can hand back and not change |
//! | `decision` | a person's decision, from wherever it comes | the store, by one set of rules |
//! | `held` | a call that is not sent | what a model and a person read of it |
//! | `help_desk` | an approval that waits | a ticket, and what its agents have decided |
//! | `webhook` | an approval that waits | a signed message to an address of the operator's |
//!
//! No tool approves anything: a decision comes from the client's own form, which its person sees, from the command line, from an
//! administrator in the console, or from an agent of a help desk.

mod answered;
mod channel;
mod confirm;
mod decision;
mod elevation;
mod event;
mod fingerprints;
mod held;
mod help_desk;
mod request;
mod sealed;
mod steering;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Mutex, OnceCell};

pub use channel::{Answer, Channel, ClientForm, Given, Question};
pub use confirm::Confirm;
pub use decision::{
    Decided, Decider, GrantScope, NotDecided, Yes, approve, decline, is_at_client, is_beyond_selection, may_decide,
    name_to_type, plan_of, state_of,
};
pub use elevation::{Elevation, LONGEST_GRANT, Wish};
use event::event;
pub use event::{ApprovalEvent, Note};
pub use fingerprints::{Fingerprints, Repeated};
pub use held::{Held, Waits};
pub use help_desk::{Desk, DeskAnswer, DeskCall, DeskCalls, DeskFault, FaultKind, HelpDesks};
pub use request::{ChangeRequest, Exact, Hasher, Why};
pub(crate) use steering::is_steerable;
pub use webhook::Webhook;

use help_desk::HELP_DESK;

use crate::access::Principal;
use crate::error::Outcome;
use crate::store::{ApprovalKind, ApprovalState, Store, StoreAddress, StoreError, StoredApproval, TokenDigest};

/// How long a person has to decide, and the caller to come back.
const WITHIN: Duration = Duration::from_mins(30);
/// The channel of what waits in the store, for a person at the command line or in the console.
const IN_STORE: &str = "command line";
/// How long a client's form, or a sealed state, is good for.
const FORM_WITHIN: Duration = Duration::from_mins(5);
/// How often a form may be declined before the same call asks no more until the forms' time is over.
const NOES: usize = 3;

/// What asks people, and keeps what they decide. Shared by all calls of a server.
pub struct Approvals {
    confirm: Confirm,
    store: StoreSource,
    /// Whether the approver has to be another person than the caller.
    by_another: bool,
    webhook: Option<Webhook>,
    /// Where changes of an account are raised as tickets.
    desks: HelpDesks,
    /// Where the console is, if one is served.
    console: Option<String>,
    form_within: Duration,
    within: Duration,
    /// One at a time looks whether an approval is there before it makes another.
    asking: Mutex<()>,
    /// What callers have read of outsiders.
    read: Arc<Fingerprints>,
    /// Whether a refusal of the policy becomes a request.
    takes_requests: bool,
}

/// Where approvals are kept: opened when the first one is needed.
enum StoreSource {
    Open(Store),
    At(Result<StoreAddress, String>, OnceCell<Store>),
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// The client program, as it names itself.
    pub client: Option<&'a str>,
    /// The way to the person at the client, if it declares one.
    pub channel: Option<&'a Channel>,
}

/// A person's yes to one request. It is used up by [`Approvals::claim`].
#[derive(Debug, Clone)]
pub struct Permission {
    /// The approval's id.
    pub id: String,
    /// Who approved, as far as that is known.
    pub by: String,
    /// The keyed digest of what is approved.
    pub digest: String,
    caller: String,
    has_ticket: bool,
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approvals").field("confirm", &self.confirm).finish_non_exhaustive()
    }
}

impl Approvals {
    /// Approvals that are kept in an open store.
    pub fn in_store(confirm: Confirm, store: Store) -> Self {
        Self::from(confirm, StoreSource::Open(store))
    }

    /// Approvals that are kept in a store that is opened when the first one is needed; or why there is none.
    pub fn at(confirm: Confirm, address: Result<StoreAddress, String>) -> Self {
        Self::from(confirm, StoreSource::At(address, OnceCell::new()))
    }

    fn from(confirm: Confirm, store: StoreSource) -> Self {
        Self {
            confirm,
            store,
            by_another: false,
            webhook: None,
            desks: HelpDesks::default(),
            console: None,
            form_within: FORM_WITHIN,
            within: WITHIN,
            asking: Mutex::new(()),
            read: Arc::default(),
            takes_requests: false,
        }
    }

    /// Has the approver be another person than the caller.
    #[must_use]
    pub fn by_another(self, by_another: bool) -> Self {
        Self { by_another, ..self }
    }

    /// Tells an address of what waits.
    #[must_use]
    pub fn with_webhook(self, webhook: Option<Webhook>) -> Self {
        Self { webhook, ..self }
    }

    /// Has help desks approve the changes of their accounts.
    #[must_use]
    pub fn with_help_desks(self, desks: HelpDesks) -> Self {
        Self { desks, ..self }
    }

    /// Names the address of the console to who waits.
    #[must_use]
    pub fn with_console(self, console: Option<String>) -> Self {
        Self { console, ..self }
    }

    /// Sets how long a client's form is good for, and how long what waits for a decision.
    #[must_use]
    pub fn within(self, form_within: Duration, within: Duration) -> Self {
        Self { form_within, within, ..self }
    }

    /// Has a refusal of the policy become a request that a person can grant.
    #[must_use]
    pub fn taking_requests(self, takes_requests: bool) -> Self {
        Self { takes_requests, ..self }
    }

    /// What callers have read of outsiders.
    pub fn read(&self) -> &Arc<Fingerprints> {
        &self.read
    }

    /// Which calls have to be approved.
    pub fn confirm(&self) -> &Confirm {
        &self.confirm
    }

    /// What waits under an id, and where a person decides.
    fn waits(&self, id: String) -> Waits {
        let page = self.console.as_ref().map(|console| format!("{console}/approvals/{id}"));
        Waits { id, page, ticket: None }
    }

    /// Who must not decide what a caller asks for; empty where anybody may. Over stdio the caller is the user under whom this
    /// program runs.
    fn not_by(&self, caller: &Principal) -> String {
        match self.by_another {
            true if caller.is_local() => this_user(),
            true => caller.person(),
            false => String::new(),
        }
    }

    async fn store(&self) -> Result<&Store, Held> {
        match &self.store {
            StoreSource::Open(store) => Ok(store),
            StoreSource::At(address, cell) => {
                let address = address.as_ref().map_err(|reason| Held::Unavailable(reason.clone()))?;
                cell.get_or_try_init(|| Store::open(address)).await.map_err(|error| unavailable(&error))
            }
        }
    }

    /// Returns a person's permission to send a request: one that was given since it was asked for, or one that the person
    /// at the client gives now.
    ///
    /// # Errors
    /// There is none (yet); nothing may be sent.
    pub async fn obtain(&self, asker: Asker<'_>, request: &ChangeRequest, note: Note<'_>) -> Result<Permission, Held> {
        let store = self.store().await?;
        let desk = self.desks.of(&request.accounts, request.name.is_some());
        let is_at_desk = self.desks.concern(request.accounts.iter().map(String::as_str));
        let form = asker.channel.filter(|_| !self.by_another && !is_at_desk);
        if let Some(Channel::InputRequired(Some(given))) = form {
            return self.given(store, asker, request, given, note).await;
        }
        let created = {
            let _alone = self.asking.lock().await;
            match known(store, asker.principal, request).await? {
                Some(known) => Err(known),
                None => {
                    let approval = self.new_approval(asker, request, form, desk)?;
                    store.create_approval(&approval).await.map_err(|error| unavailable(&error))?;
                    Ok(approval)
                }
            }
        };
        let created = match created {
            Ok(created) => created,
            Err(known) => return self.known(store, self.looked_at(store, known, desk).await?, note).await,
        };
        note(&event(&created, "asked"));
        match form {
            Some(Channel::Elicitation(form)) => {
                let answer = form.ask(&request.question(), self.form_within).await;
                let client = asker.client.unwrap_or("the client");
                self.answered(store, created, answer, request, &format!("the person at {client}"), note).await
            }
            Some(Channel::InputRequired(_)) => {
                let until = created.asked + self.form_within;
                let state = sealed::seal(&created, until);
                Err(Held::Ask { question: Box::new(request.question()), state, id: created.id })
            }
            None => {
                self.report(&created, request);
                let created = self.looked_at(store, created, desk).await?;
                let (waits, until) = (self.waits_at(store, created.id).await, created.ends);
                Err(Held::Pending { waits: Box::new(waits), until, why: request.why.clone() })
            }
        }
    }

    fn new_approval(
        &self,
        asker: Asker<'_>,
        request: &ChangeRequest,
        form: Option<&Channel>,
        desk: Option<&Desk>,
    ) -> Result<StoredApproval, Held> {
        let (key, _) = TokenDigest::draw("").map_err(|error| unavailable(&error))?;
        let id = new_id()?;
        let now = SystemTime::now();
        Ok(StoredApproval {
            id,
            kind: ApprovalKind::Change,
            state: ApprovalState::Pending,
            channel: form.map_or(desk.map_or(IN_STORE, |_| HELP_DESK), Channel::name).to_owned(),
            caller: asker.principal.key(),
            caller_name: asker.principal.name(),
            client: asker.client.map(str::to_owned),
            not_by: self.not_by(asker.principal),
            tool: request.tool.clone(),
            digest: request.exact.keyed(&key),
            key,
            plan: request.stored().to_string(),
            asked: now,
            ends: now + if form.is_some() { self.form_within } else { desk.map_or(self.within, |desk| desk.within) },
            decided: None,
            decided_by: None,
            reason: None,
            scope: None,
            claimed: None,
            outcome: None,
        })
    }

    /// What an approval that is there already means for the same call.
    async fn known(&self, store: &Store, known: StoredApproval, note: Note<'_>) -> Result<Permission, Held> {
        let now = SystemTime::now();
        match known.state {
            ApprovalState::Approved if !known.has_ended(now) => {
                note(&event(&known, "approved"));
                Ok(permission(known))
            }
            ApprovalState::Pending if !known.has_ended(now) => {
                Err(Held::Waiting { until: known.ends, waits: Box::new(self.waits_at(store, known.id).await) })
            }
            ApprovalState::Pending | ApprovalState::Approved => {
                // Stated once; then the same call asks anew.
                store.void_approval(&known.id).await.map_err(|error| unavailable(&error))?;
                note(&event(&known, "expired"));
                Err(Held::Expired { id: known.id })
            }
            ApprovalState::Declined => {
                note(&event(&known, "declined"));
                Err(Held::Declined { id: known.id, by: known.decided_by.unwrap_or_default(), reason: known.reason })
            }
            ApprovalState::Sending => Err(Held::Sending { id: known.id, at: known.claimed.unwrap_or(known.asked) }),
            ApprovalState::Void | ApprovalState::Done => Err(Held::Spent { id: known.id }),
        }
    }

    /// Claims a permission for sending, now: from then on no other call can use it, whatever becomes of this one.
    ///
    /// # Errors
    /// Another call has it, it has ended, or the store does not say so: nothing may be sent.
    pub async fn claim(&self, permission: &Permission) -> Result<(), Held> {
        let store = self.store().await?;
        let Permission { id, digest, caller, .. } = permission;
        match store.claim_approval(id, caller, digest).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Held::Spent { id: id.clone() }),
            // Whether it is claimed is not known; nothing was sent, and now nothing will be.
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Notes how the call ended that has claimed a permission.
    pub async fn ended(&self, permission: &Permission, outcome: Outcome) {
        let Ok(store) = self.store().await else { return };
        if let Err(error) = store.end_approval(&permission.id, outcome.as_str()).await {
            tracing::warn!("how the call of approval {} ended can't be stored: {error}", permission.id);
        }
    }
}

/// Whether an approval waits for others than the person at the client.
fn is_in_store(approval: &StoredApproval) -> bool {
    matches!(approval.channel.as_str(), IN_STORE | HELP_DESK)
}

/// The approval that the same call of the same caller has asked for, if it still stands for something.
async fn known(store: &Store, principal: &Principal, request: &ChangeRequest) -> Result<Option<StoredApproval>, Held> {
    let now = SystemTime::now();
    let mut found = store.approvals_of(&principal.key(), &request.tool).await.map_err(|error| unavailable(&error))?;
    found.retain(|approval| approval.kind == ApprovalKind::Change && request.exact.is(&approval.key, &approval.digest));
    let is_no = |approval: &StoredApproval| approval.state == ApprovalState::Declined && !approval.has_ended(now);
    let is_plain_no = found.iter().filter(|approval| is_no(approval)).count() >= NOES;
    let stands = |approval: &StoredApproval| match approval.state {
        ApprovalState::Pending | ApprovalState::Approved => is_in_store(approval),
        // For as long as it would have stood; the same call asks anew after that. Who has declined a form may have thought
        // better of it; who has done so several times is not to be worn out.
        ApprovalState::Declined => is_no(approval) && (is_plain_no || is_in_store(approval)),
        ApprovalState::Sending => !approval.has_ended(now),
        ApprovalState::Void | ApprovalState::Done => false,
    };
    Ok(found.into_iter().find(stands))
}

fn permission(approval: StoredApproval) -> Permission {
    let by = approval.decided_by.unwrap_or_default();
    let has_ticket = approval.channel == HELP_DESK;
    Permission { id: approval.id, by, digest: approval.digest, caller: approval.caller, has_ticket }
}

/// An id: long enough that nobody guesses it, short enough to be typed.
fn new_id() -> Result<String, Held> {
    let (drawn, _) = TokenDigest::draw("").map_err(|error| unavailable(&error))?;
    Ok(drawn.chars().filter(char::is_ascii_alphanumeric).take(10).collect())
}

fn unavailable(error: &StoreError) -> Held {
    Held::Unavailable(error.to_string())
}

/// The user of this machine, as the system knows it: a number and the machine's name.
pub fn this_user() -> String {
    #[cfg(unix)]
    {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        format!("user {} at {host}", rustix::process::getuid().as_raw())
    }
    #[cfg(not(unix))]
    {
        let of = |name: &str| std::env::var(name).unwrap_or_default();
        format!("user {} at {}", of("USERNAME"), of("COMPUTERNAME"))
    }
}

/// Shared by all calls.
pub type SharedApprovals = Arc<Approvals>;

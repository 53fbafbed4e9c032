//! What a person decides on what waits → the store. There is one set of rules, whichever way the decision comes: the command line,
//! the console.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::elevation::{ANY_ARGUMENTS, LONGEST_GRANT, THESE_ARGUMENTS};
use super::{is_in_store, this_user};
use crate::access::Principal;
use crate::store::{ApprovalKind, ApprovalState, Decision, Store, StoreError, StoredApproval};
use toolwright_model::truncate;

/// The longest reason that is kept, in characters: the caller reads it.
const LONGEST_REASON: usize = 500;

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    /// Who that is, in rows and in the record.
    by: String,
    /// What it has in common with the callers that are the same person, as far as that is known.
    identity: Option<String>,
}

impl Decider {
    /// The user of this machine.
    pub fn at_command_line() -> Self {
        let user = this_user();
        Self { by: format!("{user} at the command line"), identity: Some(user) }
    }

    /// An administrator in the console; `caller` is who the person is as a caller, where that is known.
    pub fn in_console(name: &str, caller: Option<&Principal>) -> Self {
        Self { by: format!("{name} in the console"), identity: caller.map(Principal::person) }
    }

    /// Who that is, in rows and in the record.
    pub fn name(&self) -> &str {
        &self.by
    }
}

/// A yes, and what comes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Yes {
    /// The name that was typed, where what is changed can't be taken back.
    pub name: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What is granted, where a tool was asked for.
    pub grant: GrantScope,
}

/// What is granted, where a tool was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GrantScope {
    /// With any arguments, not only with those of the request.
    pub any_arguments: bool,
    /// For how long; an hour where nothing is stated, and at most.
    pub lasts: Option<Duration>,
    /// Also where the server's own selection offers the tool to nobody.
    pub beyond_selection: bool,
}

/// What came of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// The caller may make the same call, until then.
    Approved(SystemTime),
    /// The caller has the tool, until then.
    Granted(SystemTime),
    /// It was declined.
    Declined,
    /// What had been approved, and was not used up, was taken back.
    TakenBack,
}

impl Decided {
    /// Its word in the record.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Granted(_) => "granted",
            Self::Declined => "declined",
            Self::TakenBack => "taken back",
        }
    }
}

/// Why a decision does not count.
#[derive(Debug)]
pub enum NotDecided {
    /// There is no such approval.
    Unknown,
    /// Who decides is who asked, and somebody else has to decide.
    OfTheSame(String),
    /// The person at the client is asked, and the call waits for that answer.
    AtClient,
    /// The name of what is changed was not typed.
    Unnamed,
    /// What a grant has beside it was stated for a change, which is approved as it was shown.
    NoGrant,
    /// The server's own selection offers the tool to nobody, and that it is granted all the same was not stated.
    BeyondSelection,
    /// It does not wait any more: its state, and who decided.
    Over(&'static str, Option<String>),
    /// The store can't be reached.
    Store(StoreError),
}

impl From<StoreError> for NotDecided {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for NotDecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no approval with this id"),
            Self::OfTheSame(caller) => {
                write!(f, "{caller} has asked for it, and somebody else has to approve it")
            }
            Self::AtClient => f.write_str("the person at the client is asked, and only that person can approve it"),
            Self::Unnamed => f.write_str("this can't be taken back, and the name of what is changed was not given"),
            Self::NoGrant => f.write_str("this is a change, which is approved as it was shown"),
            Self::BeyondSelection => f.write_str("the server's own selection does not offer this tool to anybody"),
            Self::Over(state, by) => {
                let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                write!(f, "nothing to decide: it is {state}{by}")
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// What is shown of an approval, without secrets.
pub fn plan_of(approval: &StoredApproval) -> Value {
    serde_json::from_str(&approval.plan).unwrap_or_default()
}

/// What has to be typed before a yes, where what is changed can't be taken back.
pub fn name_to_type(approval: &StoredApproval) -> Option<String> {
    plan_of(approval)["name"].as_str().map(str::to_owned)
}

/// Whether a yes has to state that the server's own selection does not offer the tool.
pub fn is_beyond_selection(approval: &StoredApproval) -> bool {
    approval.kind == ApprovalKind::Access && plan_of(approval)["beyond the server's selection"] == true
}

/// Whether only the person at the client can approve it.
pub fn is_at_client(approval: &StoredApproval) -> bool {
    !is_in_store(approval)
}

/// Its state in a word.
pub fn state_of(approval: &StoredApproval, now: SystemTime) -> &'static str {
    match approval.state {
        ApprovalState::Pending | ApprovalState::Approved if approval.has_ended(now) => "expired",
        state => state.as_str(),
    }
}

/// Whether a person may decide at all.
///
/// # Errors
/// Somebody else has to.
pub fn may_decide(approval: &StoredApproval, decider: &Decider) -> Result<(), NotDecided> {
    let is_same = !approval.not_by.is_empty() && decider.identity.as_deref() == Some(approval.not_by.as_str());
    if is_same { Err(NotDecided::OfTheSame(caller_of(approval))) } else { Ok(()) }
}

/// Who asked, as who decides knows it: over stdio that is a user of a machine.
fn caller_of(approval: &StoredApproval) -> String {
    if approval.caller == Principal::local().key() { approval.not_by.clone() } else { approval.caller_name.clone() }
}

/// Approves a change, or grants the tool that a caller asked for.
///
/// # Errors
/// Nothing is approved: by whom it may not be, without what it needs, or after another decision.
pub async fn approve(store: &Store, id: &str, decider: &Decider, yes: Yes) -> Result<Decided, NotDecided> {
    let found = find(store, id).await?;
    may_decide(&found, decider)?;
    if is_at_client(&found) {
        return Err(NotDecided::AtClient);
    }
    let decision = Decision {
        is_approved: true,
        by: decider.by.clone(),
        reason: reason(yes.reason.as_deref()),
        scope: None,
        lasts: None,
    };
    if found.kind == ApprovalKind::Change {
        if yes.grant != GrantScope::default() {
            return Err(NotDecided::NoGrant);
        }
        let name = name_to_type(&found);
        if name.is_some_and(|name| yes.name.as_deref().map(str::trim) != Some(name.trim())) {
            return Err(NotDecided::Unnamed);
        }
        decide(store, &found, &decision).await?;
        return Ok(Decided::Approved(found.ends));
    }
    if is_beyond_selection(&found) && !yes.grant.beyond_selection {
        return Err(NotDecided::BeyondSelection);
    }
    let lasts = yes.grant.lasts.unwrap_or(LONGEST_GRANT).min(LONGEST_GRANT);
    let scope = if yes.grant.any_arguments { ANY_ARGUMENTS } else { THESE_ARGUMENTS };
    decide(store, &found, &Decision { scope: Some(scope.to_owned()), lasts: Some(lasts), ..decision }).await?;
    Ok(Decided::Granted(SystemTime::now() + lasts))
}

/// Declines what waits, or takes back what was approved and not used up.
///
/// # Errors
/// There is nothing to decline.
pub async fn decline(store: &Store, id: &str, decider: &Decider, why: Option<&str>) -> Result<Decided, NotDecided> {
    let found = find(store, id).await?;
    let reason = reason(why);
    if found.state == ApprovalState::Approved
        && store.withdraw_approval(&found.id, &decider.by, reason.as_deref()).await?
    {
        return Ok(Decided::TakenBack);
    }
    let decision = Decision { is_approved: false, by: decider.by.clone(), reason, scope: None, lasts: None };
    decide(store, &found, &decision).await?;
    Ok(Decided::Declined)
}

async fn find(store: &Store, id: &str) -> Result<StoredApproval, NotDecided> {
    store.approval(id).await?.ok_or(NotDecided::Unknown)
}

/// Of any number of decisions at once one counts: the store takes it only while the approval waits.
async fn decide(store: &Store, approval: &StoredApproval, decision: &Decision) -> Result<(), NotDecided> {
    if store.decide_approval(&approval.id, decision).await? {
        return Ok(());
    }
    let now = find(store, &approval.id).await?;
    Err(NotDecided::Over(state_of(&now, SystemTime::now()), now.decided_by))
}

fn reason(given: Option<&str>) -> Option<String> {
    let given = given.map(str::trim).filter(|given| !given.is_empty())?;
    Some(truncate(given, LONGEST_REASON).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{StoreAddress, TokenDigest};

    fn waiting(id: &str, kind: ApprovalKind, not_by: &str, plan: &Value) -> StoredApproval {
        let asked = SystemTime::now();
        StoredApproval {
            id: id.to_owned(),
            kind,
            state: ApprovalState::Pending,
            channel: "command line".to_owned(),
            caller: "oauth 1".to_owned(),
            caller_name: "oauth ann".to_owned(),
            client: None,
            not_by: not_by.to_owned(),
            tool: "jitbit_delete_ticket".to_owned(),
            key: TokenDigest::draw("").unwrap().0,
            digest: "d".to_owned(),
            plan: plan.to_string(),
            asked,
            ends: asked + Duration::from_mins(30),
            decided: None,
            decided_by: None,
            reason: None,
            scope: None,
            claimed: None,
            outcome: None,
        }
    }

    #[tokio::test]
    async fn a_decision_counts_once_by_who_may_make_it_and_with_what_it_needs() {
        let folder = std::env::temp_dir().join(format!("toolwright-decision-{}", TokenDigest::draw("").unwrap().0));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&StoreAddress::File(folder.join("store.db"))).await.unwrap();
        let plan = serde_json::json!({"name": "Printer"});
        let (change, access) = (ApprovalKind::Change, ApprovalKind::Access);
        let beyond = serde_json::json!({"beyond the server's selection": true});
        for (id, kind, plan) in [("c1", change, &plan), ("c2", change, &plan), ("a1", access, &beyond)] {
            store.create_approval(&waiting(id, kind, "oauth 1", plan)).await.unwrap();
        }
        let same = Decider { by: "ann in the console".to_owned(), identity: Some("oauth 1".to_owned()) };
        let other = Decider::in_console("administrator ops", None);
        let named = |name: &str| Yes { name: Some(name.to_owned()), ..Yes::default() };
        let refused = approve(&store, "c1", &same, named("Printer")).await.unwrap_err();
        assert!(matches!(&refused, NotDecided::OfTheSame(caller) if caller == "oauth ann"), "{refused}");
        for yes in [Yes::default(), named("printer"), named("")] {
            assert!(matches!(approve(&store, "c1", &other, yes).await, Err(NotDecided::Unnamed)));
        }
        let grant = GrantScope { any_arguments: true, ..GrantScope::default() };
        let with_grant = Yes { grant, ..named("Printer") };
        assert!(matches!(approve(&store, "c1", &other, with_grant.clone()).await, Err(NotDecided::NoGrant)));
        assert!(matches!(approve(&store, "none", &other, named("x")).await, Err(NotDecided::Unknown)));
        let person = Decider::at_command_line();
        let both =
            tokio::join!(approve(&store, "c1", &other, named(" Printer ")), decline(&store, "c1", &person, Some("no")));
        let count = usize::from(both.0.is_ok()) + usize::from(both.1.is_ok());
        // A yes that came first is taken back by the no.
        assert!(count == 1 || matches!(both.1, Ok(Decided::TakenBack)), "{both:?}");
        // The one who asked may say no.
        assert_eq!(decline(&store, "c2", &same, Some("  ")).await.unwrap(), Decided::Declined);
        let over = approve(&store, "c2", &other, named("Printer")).await.unwrap_err();
        assert_eq!(over.to_string(), "nothing to decide: it is declined by ann in the console");
        assert!(matches!(approve(&store, "a1", &other, Yes::default()).await, Err(NotDecided::BeyondSelection)));
        let beyond = GrantScope { beyond_selection: true, lasts: Some(Duration::from_hours(9)), any_arguments: false };
        let granted = approve(&store, "a1", &other, Yes { grant: beyond, ..Yes::default() }).await.unwrap();
        let Decided::Granted(until) = granted else { panic!("{granted:?}") };
        assert!(until <= SystemTime::now() + LONGEST_GRANT);
        assert_eq!(store.approval("a1").await.unwrap().unwrap().scope.as_deref(), Some("call"));
        assert_eq!(decline(&store, "a1", &other, None).await.unwrap(), Decided::TakenBack);
        std::fs::remove_dir_all(folder).unwrap();
    }
}

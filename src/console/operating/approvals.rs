//! What waits for a person → its list, the page of one of it with the whole plan, and an administrator's decision. Who may decide, and
//! with what, is for `approval` to judge, as at the command line.

use std::time::{Duration, SystemTime};

use askama::Template;
use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::Console;
use super::super::answer::{Fault, page, see};
use super::super::forms::Form;
use super::super::frame::{Frame, Section};
use super::super::sessions::{Administrator, Session};
use super::Operating;
use super::plan_view::{PlanView, visible};
use crate::access::links::time_text;
use crate::approval::{
    ApprovalEvent, Decided, Decider, GrantScope, NotDecided, Yes, approve, decline, is_at_client, is_beyond_selection,
    may_decide, name_to_type, state_of,
};
use crate::store::{ApprovalKind, ApprovalState, StoredApproval};

/// How many past ones a page shows.
const PAST: usize = 200;
/// How decisions that are made here are named in the record.
const CHANNEL: &str = "console";

/// A line of the lists.
#[derive(Debug)]
struct Row {
    id: String,
    asks_for: &'static str,
    does: String,
    tool: String,
    caller: String,
    state: &'static str,
    asked: String,
    ends: String,
    decided_by: String,
}

#[derive(Template)]
#[template(path = "approvals.html", config = "src/console/askama.toml")]
struct ApprovalsPage {
    frame: Frame,
    waiting: Vec<Row>,
    past: Vec<Row>,
}

/// An approval, without its keys.
#[derive(Debug)]
struct ApprovalView {
    id: String,
    tool: String,
    /// The page of the tool.
    tool_href: String,
    state: &'static str,
    caller: String,
    client: Option<String>,
    /// The form of the client in which the person there is asked.
    form: Option<String>,
    asked: String,
    ends: String,
    decided: Option<String>,
    reason: Option<String>,
    granted: Option<&'static str>,
    outcome: Option<String>,
    digest: String,
    is_access: bool,
}

/// What the forms of a page are.
#[derive(Debug, Default)]
struct Forms {
    approves: bool,
    /// Why this administrator can't approve it, where it waits.
    hindered: Option<String>,
    /// What the form for a no says: it declines, or takes back what was approved.
    refuses: Option<&'static str>,
    /// What has to be typed.
    name: Option<String>,
    is_beyond: bool,
}

/// What was typed.
#[derive(Debug, Default)]
struct Typed {
    name: String,
    reason: String,
    minutes: String,
    any_arguments: bool,
    beyond: bool,
}

#[derive(Template)]
#[template(path = "approval.html", config = "src/console/askama.toml")]
struct ApprovalPage {
    frame: Frame,
    fault: Option<String>,
    approval: ApprovalView,
    plan: PlanView,
    forms: Forms,
    typed: Typed,
}

impl Row {
    fn of(approval: &StoredApproval, now: SystemTime) -> Self {
        Self {
            asks_for: asks_for(approval),
            does: PlanView::of(approval).does,
            state: state_of(approval, now),
            caller: visible(&approval.caller_name),
            asked: time_text(approval.asked),
            ends: time_text(approval.ends),
            decided_by: visible(approval.decided_by.as_deref().unwrap_or_default()),
            id: approval.id.clone(),
            tool: approval.tool.clone(),
        }
    }
}

fn asks_for(approval: &StoredApproval) -> &'static str {
    match approval.kind {
        ApprovalKind::Change => "to send a change",
        ApprovalKind::Access => "for a tool that is held back",
    }
}

impl ApprovalView {
    fn of(approval: &StoredApproval, frame: &Frame, now: SystemTime) -> Self {
        let shown = |text: &Option<String>| text.as_deref().map(visible);
        let at = approval.decided.map(time_text).unwrap_or_default();
        Self {
            tool_href: frame.tool(&approval.tool),
            state: state_of(approval, now),
            caller: visible(&approval.caller_name),
            client: shown(&approval.client),
            asked: time_text(approval.asked),
            ends: time_text(approval.ends),
            decided: shown(&approval.decided_by).map(|by| format!("by {by} {at}").trim_end().to_owned()),
            reason: shown(&approval.reason),
            granted: approval.scope.as_deref().map(|scope| match scope {
                "tool" => "with any arguments",
                _ => "with the arguments of the request",
            }),
            outcome: approval.outcome.clone(),
            digest: approval.digest.clone(),
            form: is_at_client(approval).then(|| approval.channel.clone()),
            is_access: approval.kind == ApprovalKind::Access,
            id: approval.id.clone(),
            tool: approval.tool.clone(),
        }
    }
}

impl Forms {
    fn of(approval: &StoredApproval, decider: &Decider, now: SystemTime) -> Self {
        let is_open = !approval.has_ended(now);
        let waits = is_open && approval.state == ApprovalState::Pending;
        let hindered = match may_decide(approval, decider) {
            Err(error) => Some(sentence(&error)),
            Ok(()) if is_at_client(approval) => Some(sentence(&NotDecided::AtClient)),
            Ok(()) => None,
        };
        Self {
            approves: waits && hindered.is_none(),
            hindered: hindered.filter(|_| waits),
            refuses: match approval.state {
                ApprovalState::Pending if is_open => Some("Decline it"),
                ApprovalState::Approved if is_open => Some("Take it back"),
                _ => None,
            },
            name: name_to_type(approval).as_deref().map(visible),
            is_beyond: is_beyond_selection(approval),
        }
    }
}

impl Typed {
    fn read(form: &Form) -> Self {
        Self {
            name: form.text("name").to_owned(),
            reason: form.text("reason").to_owned(),
            minutes: form.text("minutes").to_owned(),
            any_arguments: form.text("scope") == "tool",
            beyond: !form.text("beyond").is_empty(),
        }
    }

    /// The yes that a form states.
    fn yes(&self, approval: &StoredApproval) -> Result<Yes, Fault> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let minutes = match self.minutes.as_str() {
            "" => None,
            text => Some(text.parse().ok().filter(|minutes| (1..=60).contains(minutes)).ok_or_else(|| {
                Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "A tool is granted for 1 to 60 minutes.")
            })?),
        };
        let grant = match approval.kind {
            ApprovalKind::Change => GrantScope::default(),
            ApprovalKind::Access => GrantScope {
                any_arguments: self.any_arguments,
                lasts: minutes.map(|minutes: u64| Duration::from_secs(minutes * 60)),
                beyond_selection: self.beyond,
            },
        };
        Ok(Yes { name: self.typed_name(approval), reason: given(&self.reason), grant })
    }

    /// The name as it is stored, where what was typed is what the page shows of it.
    fn typed_name(&self, approval: &StoredApproval) -> Option<String> {
        let stored = name_to_type(approval)?;
        let is_it = visible(stored.trim()) == self.name || stored.trim() == self.name;
        Some(if is_it { stored } else { self.name.clone() })
    }
}

/// Why a decision does not count, as a sentence.
fn sentence(error: &NotDecided) -> String {
    let text = error.to_string();
    let mut rest = text.chars();
    let capital: String = rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect());
    format!("{capital}.")
}

impl From<NotDecided> for Fault {
    fn from(error: NotDecided) -> Self {
        let status = match &error {
            NotDecided::Unknown => StatusCode::NOT_FOUND,
            NotDecided::OfTheSame(_) => StatusCode::FORBIDDEN,
            NotDecided::Over(..) | NotDecided::AtClient => StatusCode::CONFLICT,
            NotDecided::Unnamed | NotDecided::NoGrant | NotDecided::BeyondSelection => StatusCode::UNPROCESSABLE_ENTITY,
            NotDecided::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        match error {
            NotDecided::Store(error) => error.into(),
            NotDecided::BeyondSelection => {
                Self::new(status, "The server itself offers this tool to nobody. Tick that you grant it all the same.")
            }
            error => Self::new(status, &sentence(&error)),
        }
    }
}

impl Operating {
    async fn approval(&self, id: &str) -> Result<StoredApproval, Fault> {
        let missing = "There is no approval with this id. What has ended is kept for 30 days.";
        self.store.approval(id).await?.ok_or_else(|| Fault::not_found(missing))
    }

    /// Records a decision, in the log and in the record of calls.
    fn note(&self, approval: &StoredApproval, what: &Decided, decider: &Decider, reason: &str) {
        let what = what.word();
        tracing::warn!(administrator = decider.name(), approval = approval.id, tool = approval.tool, what, "decided");
        let event = ApprovalEvent {
            id: &approval.id,
            event: what,
            channel: CHANNEL,
            digest: &approval.digest,
            by: Some(decider.name()),
            reason: Some(reason).filter(|reason| !reason.is_empty()),
        };
        self.toolbox.record_decision(&approval.caller_name, &approval.tool, &event);
    }
}

/// The page of an approval, as it stands.
fn approval_page(
    console: &Console,
    session: &Session,
    decider: &Decider,
    approval: &StoredApproval,
    fault: Option<Fault>,
    typed: Typed,
) -> Response {
    let now = console.now();
    let frame = session.frame(Section::Approvals, &format!("Approval {}", approval.id));
    let status = fault.as_ref().map_or(StatusCode::OK, |fault| fault.status);
    let shown = ApprovalPage {
        approval: ApprovalView::of(approval, &frame, now),
        plan: PlanView::of(approval),
        forms: Forms::of(approval, decider, now),
        fault: fault.map(|fault| fault.text),
        typed,
        frame,
    };
    page(status, &shown)
}

impl Console {
    /// What the pages are made of, and who decides.
    fn of_decider<'a>(&'a self, session: &Session) -> Result<(&'a Operating, Decider), Fault> {
        let decider = session.administrator.as_ref().map(Administrator::decider);
        let asked = self.operating().zip(decider);
        asked.ok_or_else(|| Fault::new(StatusCode::UNAUTHORIZED, "These pages are for administrators."))
    }
}

/// Lists what waits, and what was decided.
pub(super) async fn list(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let listed = async {
        let (operating, _) = console.of_decider(&session)?;
        let now = console.now();
        let waiting = operating.store.approvals(true).await?;
        let all = operating.store.approvals(false).await?;
        let past = all.iter().filter(|one| state_of(one, now) != ApprovalState::Pending.as_str()).take(PAST);
        let (waiting, past) =
            (waiting.iter().map(|one| Row::of(one, now)).collect(), past.map(|one| Row::of(one, now)).collect());
        let frame = session.frame(Section::Approvals, "Approvals");
        Ok(page(StatusCode::OK, &ApprovalsPage { frame, waiting, past }))
    };
    listed.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

/// Shows one.
pub(super) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Response {
    let shown = async {
        let (operating, decider) = console.of_decider(&session)?;
        let approval = operating.approval(&id).await?;
        Ok(approval_page(&console, &session, &decider, &approval, None, Typed::default()))
    };
    shown.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

/// Approves a change, or grants a tool.
pub(super) async fn yes(
    state: State<Console>,
    session: Extension<Session>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    decision(state, session, id, request, true).await
}

/// Declines it, or takes it back.
pub(super) async fn no(
    state: State<Console>,
    session: Extension<Session>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    decision(state, session, id, request, false).await
}

async fn decision(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    id: String,
    request: Request,
    is_yes: bool,
) -> Response {
    let (parts, body) = request.into_parts();
    let answered = async {
        let (operating, decider) = console.of_decider(&session)?;
        let form = Form::read(&parts.headers, body, &session.csrf).await?;
        let (approval, typed) = (operating.approval(&id).await?, Typed::read(&form));
        let outcome = async {
            let store = &operating.store;
            if is_yes {
                let yes = typed.yes(&approval)?;
                Ok::<_, Fault>(approve(store, &approval.id, &decider, yes).await?)
            } else {
                Ok(decline(store, &approval.id, &decider, Some(&typed.reason)).await?)
            }
        };
        match outcome.await {
            Ok(what) => {
                operating.note(&approval, &what, &decider, &typed.reason);
                Ok(see(&format!("/approvals/{}", approval.id)))
            }
            Err(fault) => {
                // As it stands now: somebody else may have decided.
                let approval = operating.approval(&id).await?;
                Ok(approval_page(&console, &session, &decider, &approval, Some(fault), typed))
            }
        }
    };
    answered.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

//! Who calls a tool; the parameters of the URL that a client connects to → the settings that it
//! chooses. The operator's configuration bounds what may be chosen.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::call_tool::CallTool;
use super::steps_approval::StepsApproval;
use crate::access::{BroughtCredentials, Grant, Principal, Recheck, Standing};
use crate::approval::Channel;
use crate::config::{ChosenSettings, ConfiguredSetting, ConnectionConfig};
use crate::error::CallError;
use crate::fairness::{CallerKey, key_of};
use toolwright_model::{suggest_one, truncate};

/// The longest name of a parameter that an error repeats, in characters.
const LONGEST_NAME: usize = 80;

/// The MCP session of a call; `None` where each request is independent of the others.
pub type SessionId = Option<u64>;
/// The session of a client that has the server for itself, over standard input.
pub(crate) const ONLY_SESSION: u64 = 0;

/// Who calls, and where progress is reported to.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Who it is, as far as the server knows.
    pub principal: Principal,
    /// What it may do; `None`: everything that the server offers.
    pub grant: Option<Arc<Grant>>,
    /// The credentials that it brings, in place of those of an account.
    pub brought: Option<Arc<BroughtCredentials>>,
    /// What is asked before anything is sent; `None`: what it may do does not end.
    pub recheck: Option<Arc<dyn Recheck>>,
    /// Name and version that the calling program gives itself.
    pub client: Option<String>,
    /// Its session. What is cached for one session is returned to no other.
    pub session: SessionId,
    /// Receives a line each time the call has to wait, and while it gathers pages.
    pub progress: Option<UnboundedSender<String>>,
    /// The tenants to act for, where the client has chosen among those that are allowed.
    pub chosen: ChosenSettings,
    /// The call tool by which this call came; a tool of another effect than that one states is refused.
    pub through: Option<CallTool>,
    /// The way to the person at the client, if it declares one.
    pub channel: Option<Arc<Channel>>,
    /// The workflow of which this call is a step.
    pub workflow: Option<StepOf>,
    /// Whether the server itself calls, to have a help desk approve another call.
    pub for_help_desk: bool,
    /// Cancelled when the caller wants no more: a workflow ends before its next step. Who drops the call ends it at once.
    pub cancelled: CancellationToken,
}

/// Which step of which run of a workflow a call is.
#[derive(Debug, Clone)]
pub struct StepOf {
    /// The id of the run, which each of its lines in the audit log has.
    pub run: Arc<str>,
    /// The step's name; with the number of the item where the step is repeated.
    pub step: Arc<str>,
    /// Whether the workflow may change something: then a name that one of its reads resolves leads to a change.
    pub changes: bool,
    /// What a person has approved of the workflow, or is to approve.
    pub approval: Option<Arc<StepsApproval>>,
}

impl Caller {
    /// By what its share of what is scarce is counted. A known caller has one share, however many sessions it opens.
    pub(crate) fn key(&self) -> CallerKey {
        match (self.session, &self.client) {
            _ if !self.principal.is_local() => CallerKey::Known(key_of(&self.principal)),
            (Some(ONLY_SESSION), _) => CallerKey::Only,
            (Some(session), _) => CallerKey::Known(key_of(&session)),
            (None, Some(client)) => CallerKey::Named(key_of(client)),
            (None, None) => CallerKey::Anonymous,
        }
    }

    /// Checks that what admitted the call still holds; `changes` states whether what is to be sent may change something.
    ///
    /// # Errors
    /// It has ended, or permits only reads now.
    pub(super) fn may_send(&self, changes: bool) -> Result<(), CallError> {
        match self.recheck.as_ref().map_or(Standing::Whole, |recheck| recheck.standing()) {
            Standing::ReadsOnly(reason) if changes => Err(CallError::NotSent(reason.to_owned())),
            Standing::Over(refusal) => Err(CallError::NotSent(refusal.text().to_owned())),
            Standing::Whole | Standing::ReadsOnly(_) => Ok(()),
        }
    }

    pub(crate) fn report(&self, text: String) {
        tracing::info!(caller = self.principal.name(), client = self.client, "{text}");
        if let Some(progress) = &self.progress {
            // A closed receiver only means that progress is of no interest any more.
            let _ = progress.send(text);
        }
    }
}

/// Reads the settings that the parameters of a URL choose. A parameter that chooses none is refused: a misspelt one
/// would act for the default tenant.
///
/// # Errors
/// A value is not allowed by the configuration, or a parameter is unknown or has two values.
pub(super) fn url_settings<'a>(
    parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    connections: &[&ConnectionConfig],
) -> Result<ChosenSettings, String> {
    let configured = || connections.iter().flat_map(|connection| &connection.settings);
    let mut chosen = ChosenSettings::default();
    for (name, value) in parameters {
        let is_named = |one: &&ConfiguredSetting| {
            one.setting.query.as_deref().is_some_and(|query| query.eq_ignore_ascii_case(&name))
        };
        let Some(one) = configured().find(is_named) else { return Err(unknown_parameter(&name, configured())) };
        let setting = &one.setting;
        if !one.allowed.iter().any(|allowed| *allowed == value) {
            let list = setting.allowed.as_deref().unwrap_or(&setting.variable);
            return Err(format!("`{name}` names {} that `{list}` does not allow", with_article(&setting.title)));
        }
        let before = chosen.0.insert(setting.variable.clone(), value.clone().into_owned());
        if before.is_some_and(|before| before != value) {
            return Err(format!("`{name}` is given twice"));
        }
    }
    Ok(chosen)
}

fn unknown_parameter<'a>(name: &str, configured: impl Iterator<Item = &'a ConfiguredSetting>) -> String {
    let name = truncate(name, LONGEST_NAME);
    let known: BTreeSet<&str> = configured.filter_map(|one| one.setting.query.as_deref()).collect();
    let hint = match (suggest_one(&name, known.iter().copied()), known.len()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, 0) => "this server's address takes none".to_owned(),
        (None, _) => format!("known: `{}`", known.into_iter().collect::<Vec<_>>().join("`, `")),
    };
    format!("unknown parameter `{name}` in the address of the server\nhint: {hint}")
}

/// `an organization`, `a provider`
fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

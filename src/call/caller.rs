//! Who calls a tool; the parameters of the URL that a client connects to → the settings that it
//! chooses. The operator's configuration bounds what may be chosen.

use std::borrow::Cow;

use tokio::sync::mpsc::UnboundedSender;

use crate::config::{ChosenSettings, ConnectionConfig};
use toolwright_model::Vendor;

/// The MCP session of a call; `None` where each request is independent of the others.
pub type SessionId = Option<u64>;

/// Who calls, and where progress is reported to.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Name and version that the calling program gives itself.
    pub client: Option<String>,
    /// Its session. What is cached for one session is returned to no other.
    pub session: SessionId,
    /// Receives a line each time the call has to wait, and while it gathers pages.
    pub progress: Option<UnboundedSender<String>>,
    /// The tenants to act for, where the client has chosen among those that are allowed.
    pub chosen: ChosenSettings,
}

impl Caller {
    pub(super) fn report(&self, text: String) {
        tracing::info!("{text}");
        if let Some(progress) = &self.progress {
            // A closed receiver only means that progress is of no interest any more.
            let _ = progress.send(text);
        }
    }
}

/// Reads the settings that the parameters of a URL choose. Parameters that no vendor declares are
/// ignored.
///
/// # Errors
/// A value is not allowed by the configuration, or a parameter has two values.
pub(super) fn url_settings<'a>(
    parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    vendors: &[Vendor],
    connections: &[&ConnectionConfig],
) -> Result<ChosenSettings, String> {
    let mut chosen = ChosenSettings::default();
    for (name, value) in parameters {
        let is_named = |query: &str| query.eq_ignore_ascii_case(&name);
        let mut settings = vendors.iter().flat_map(|vendor| &vendor.settings);
        let Some(setting) = settings.find(|setting| setting.query.as_deref().is_some_and(is_named)) else {
            continue;
        };
        let mut configured = connections.iter().flat_map(|connection| &connection.settings);
        let configured = configured.find(|one| one.setting.variable == setting.variable);
        if !configured.is_some_and(|one| one.allowed.iter().any(|allowed| *allowed == value)) {
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

/// `an organization`, `a provider`
fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

//! The parameters of the address that a client connects to → for whom the vendors act on its
//! behalf. What may be chosen is bounded by settings of whoever runs the server.

use std::borrow::Cow;

use super::Toolbox;
use crate::config::ChosenSettings;

impl Toolbox {
    /// What a connection chooses by the parameters of its address: for whom the vendors act.
    ///
    /// # Errors
    /// It may not choose that; says why.
    pub fn choose<'a>(
        &self,
        parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    ) -> Result<ChosenSettings, String> {
        let mut chosen = ChosenSettings::default();
        for (name, value) in parameters {
            let settings = || self.catalog.vendors().iter().flat_map(|vendor| &vendor.settings);
            let of_name = |query: &str| query.eq_ignore_ascii_case(&name);
            let Some(setting) = settings().find(|setting| setting.query.as_deref().is_some_and(of_name)) else {
                continue;
            };
            let configured = self.lines.values().flat_map(|line| &line.connection.settings);
            let configured = configured.into_iter().find(|one| one.setting.variable == setting.variable);
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
}

/// `an organization`, `a provider`
fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

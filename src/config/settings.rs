//! The variables of a vendor's settings → what is sent with every request, and what a connection
//! over HTTP may send in its place.

use std::collections::BTreeMap;

use super::{Environment, value};
use crate::error::ConfigError;
use toolwright_model::{Setting, Vendor};

/// The longest value of a setting.
const LONGEST: usize = 128;

/// A setting of a vendor, with what is configured.
#[derive(Debug, Clone)]
pub struct Configured {
    /// What it is.
    pub setting: Setting,
    /// What is sent where a connection chooses nothing; the header is not sent without it.
    pub value: Option<String>,
    /// What a connection may choose.
    pub allowed: Vec<String>,
}

/// What a connection has chosen: the setting's variable → the value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ChosenSettings(pub BTreeMap<String, String>);

impl Configured {
    /// What is sent for a connection that has chosen.
    pub fn value_for<'a>(&'a self, chosen: &'a ChosenSettings) -> Option<&'a str> {
        // Whoever made the choice has asked `allowed`; it is asked again, because nothing else
        // bounds whom the vendor is told to act for.
        let chosen = chosen.0.get(&self.setting.variable).filter(|value| self.allowed.contains(value));
        chosen.or(self.value.as_ref()).map(String::as_str)
    }
}

/// Resolves a vendor's settings.
///
/// # Errors
/// A value can't be sent, or does not lie within what is allowed.
pub fn settings(vendor: &Vendor, env: Environment<'_>) -> Result<Vec<Configured>, ConfigError> {
    vendor.settings.iter().map(|setting| resolve(setting, env)).collect()
}

fn resolve(setting: &Setting, env: Environment<'_>) -> Result<Configured, ConfigError> {
    let wrong = |variable: &str, what: &str| ConfigError::new(format!("`{variable}` {what}"));
    let mut chosen = value(&setting.variable, env)?;
    if chosen.as_ref().is_some_and(|value| !is_sendable(value)) {
        return Err(wrong(&setting.variable, "holds more than one value, or what no HTTP header can carry"));
    }
    let mut allowed = Vec::new();
    if let Some(variable) = &setting.allowed {
        let list = value(variable, env)?.unwrap_or_default();
        allowed = list.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect();
        if allowed.iter().any(|value| !is_sendable(value)) {
            return Err(wrong(variable, "is no list of values with commas between"));
        }
        match (&chosen, allowed.as_slice()) {
            (Some(value), [_, ..]) if !allowed.contains(value) => {
                let what = format!("does not lie within `{variable}`\nhint: add it there, or take another");
                return Err(wrong(&setting.variable, &what));
            }
            (None, [only]) => chosen = Some(only.clone()),
            // Which one would be meant nobody could say.
            (None, [_, _, ..]) => {
                let what = format!("is not set, and `{variable}` lists several\nhint: set it to the one to begin with");
                return Err(wrong(&setting.variable, &what));
            }
            (Some(value), []) => allowed.push(value.clone()),
            _ => {}
        }
    }
    Ok(Configured { setting: setting.clone(), value: chosen, allowed })
}

/// Whether this is one value, as a header carries it.
fn is_sendable(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len()) && value.chars().all(|c| c.is_ascii_graphic() && !matches!(c, ',' | ';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(one: &str, list: &str) -> Result<(Option<String>, Vec<String>), String> {
        let setting = Setting {
            title: "organization".to_owned(),
            header: "x-org-id".to_owned(),
            variable: "ORG".to_owned(),
            allowed: Some("ORGS".to_owned()),
            query: Some("organizationID".to_owned()),
        };
        let env = |name: &str| match name {
            "ORG" => Some(one.to_owned()),
            "ORGS" => Some(list.to_owned()),
            _ => None,
        };
        let resolved = resolve(&setting, &env).map_err(|error| error.to_string())?;
        Ok((resolved.value, resolved.allowed))
    }

    #[test]
    fn a_value_lies_within_what_is_allowed() {
        let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        assert_eq!(resolved("", ""), Ok((None, list(&[]))));
        assert_eq!(resolved("a", ""), Ok((Some("a".to_owned()), list(&["a"]))));
        assert_eq!(resolved("", "a"), Ok((Some("a".to_owned()), list(&["a"]))));
        assert_eq!(resolved("b", " a, b,"), Ok((Some("b".to_owned()), list(&["a", "b"]))));
        for (one, several, complaint) in [
            ("c", "a,b", "`ORG` does not lie within `ORGS`"),
            ("", "a,b", "`ORG` is not set, and `ORGS` lists several"),
            ("a,b", "", "more than one value"),
            ("a b", "", "more than one value"),
            ("a", "a;b", "no list"),
        ] {
            let error = resolved(one, several).unwrap_err();
            assert!(error.contains(complaint), "{one} {several}: {error}");
        }
    }
}

//! The variables of a vendor's settings → the headers of every request, and the values that a client over
//! HTTP may choose instead.

use std::collections::BTreeMap;

use super::{Environment, value};
use crate::error::ConfigError;
use toolwright_model::{Setting, Vendor};

/// The longest value of a setting, in bytes.
const LONGEST: usize = 128;

/// A setting of a vendor and its configured values.
#[derive(Debug, Clone)]
pub struct ConfiguredSetting {
    /// The vendor's definition.
    pub setting: Setting,
    /// The default; without it and without a choice the header is not sent.
    pub value: Option<String>,
    /// The values that may be chosen.
    pub allowed: Vec<String>,
}

/// The values that a client has chosen: the setting's variable → the value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ChosenSettings(pub BTreeMap<String, String>);

impl ConfiguredSetting {
    /// The value that is sent for a client's choice.
    pub(crate) fn value_for<'a>(&'a self, chosen: &'a ChosenSettings) -> Option<&'a str> {
        // Checked again here: this is the last guard before the tenant header is sent.
        let chosen = chosen.0.get(&self.setting.variable).filter(|value| self.allowed.contains(value));
        chosen.or(self.value.as_ref()).map(String::as_str)
    }
}

/// Resolves a vendor's settings.
///
/// # Errors
/// A value is no valid header, or is not among the allowed ones.
pub fn settings(vendor: &Vendor, env: Environment<'_>) -> Result<Vec<ConfiguredSetting>, ConfigError> {
    vendor.settings.iter().map(|setting| resolve(setting, env)).collect()
}

fn resolve(setting: &Setting, env: Environment<'_>) -> Result<ConfiguredSetting, ConfigError> {
    let wrong = |variable: &str, what: &str| ConfigError::new(format!("`{variable}` {what}"));
    let mut chosen = value(&setting.variable, env)?.map(|given| given.text);
    if chosen.as_ref().is_some_and(|value| !is_sendable(value)) {
        return Err(wrong(&setting.variable, "holds more than one value, or characters that no HTTP header can carry"));
    }
    let mut allowed = Vec::new();
    if let Some(variable) = &setting.allowed {
        let list = value(variable, env)?.map(|given| given.text).unwrap_or_default();
        allowed = list.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect();
        if allowed.iter().any(|value| !is_sendable(value)) {
            return Err(wrong(variable, "is no list of values separated by commas"));
        }
        match (&chosen, allowed.as_slice()) {
            (Some(value), [_, ..]) if !allowed.contains(value) => {
                let what = format!("is not in `{variable}`\nhint: add it there, or use another value");
                return Err(wrong(&setting.variable, &what));
            }
            (None, [only]) => chosen = Some(only.clone()),
            // A default among several would be a guess.
            (None, [_, _, ..]) => {
                let what = format!("is not set, and `{variable}` lists several\nhint: set it to the default");
                return Err(wrong(&setting.variable, &what));
            }
            (Some(value), []) => allowed.push(value.clone()),
            _ => {}
        }
    }
    Ok(ConfiguredSetting { setting: setting.clone(), value: chosen, allowed })
}

/// Whether this is a single value that a header can carry.
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
            several: None,
            reached: None,
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
    fn a_value_is_one_of_the_allowed_ones() {
        let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        assert_eq!(resolved("", ""), Ok((None, list(&[]))));
        assert_eq!(resolved("a", ""), Ok((Some("a".to_owned()), list(&["a"]))));
        assert_eq!(resolved("", "a"), Ok((Some("a".to_owned()), list(&["a"]))));
        assert_eq!(resolved("b", " a, b,"), Ok((Some("b".to_owned()), list(&["a", "b"]))));
        for (one, several, expected) in [
            ("c", "a,b", "`ORG` is not in `ORGS`"),
            ("", "a,b", "`ORG` is not set, and `ORGS` lists several"),
            ("a,b", "", "more than one value"),
            ("a b", "", "more than one value"),
            ("a", "a;b", "no list"),
        ] {
            let error = resolved(one, several).unwrap_err();
            assert!(error.contains(expected), "{one} {several}: {error}");
        }
    }
}

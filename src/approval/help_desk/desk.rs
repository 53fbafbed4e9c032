//! `[approvals.<account>]` of toolwright.toml and `[help_desk]` of a vendor → a help desk: who raises tickets there, and whose
//! yes counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::ConfigError;
use toolwright_model::{DeskSettings, HelpDesk, Vendor, suggest_one};

/// How long an agent may have to decide, in minutes: a week.
const MOST_MINUTES: u64 = 7 * 24 * 60;
/// The most approvers, and the longest id or setting in bytes.
const MOST_APPROVERS: usize = 200;
const LONGEST: usize = 200;

/// A help desk whose agents approve the changes of one account.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The account whose changes are approved.
    pub of: String,
    /// The account that raises the tickets.
    pub account: String,
    /// The vendor's id.
    pub vendor: String,
    /// The vendor's name for people.
    pub title: String,
    pub(super) form: HelpDesk,
    pub(super) approvers: BTreeSet<String>,
    /// Which callers an approver is: nobody approves what he has asked for himself.
    pub(super) callers: BTreeMap<String, Vec<String>>,
    /// How long an agent has to decide.
    pub(crate) within: Duration,
    /// Whether what can't be taken back is raised too.
    pub(crate) irreversible: bool,
    pub(super) settings: BTreeMap<String, String>,
}

impl Desk {
    /// Makes the help desk for the changes of the account `of`; `vendor` is that of the account which raises the tickets.
    ///
    /// # Errors
    /// The vendor is no help desk, or a setting is missing, unknown or of another form.
    pub fn new(of: &str, given: &DeskSettings, vendor: &Vendor) -> Result<Self, ConfigError> {
        let wrong = |text: String| ConfigError::new(format!("`[approvals.{of}]`: {text}"));
        let Some(form) = &vendor.help_desk else {
            return Err(wrong(format!(
                "{} is no help desk\nhint: `account` names the account that raises the tickets, of a vendor such as jsm or jitbit",
                vendor.title
            )));
        };
        if given.approvers.is_empty() || given.approvers.len() > MOST_APPROVERS {
            let what = format!("`approvers` has {} people", given.approvers.len());
            return Err(wrong(format!(
                "{what}\nhint: the vendor's ids of those whose yes counts, 1 to {MOST_APPROVERS}"
            )));
        }
        if let Some(odd) = given.approvers.iter().find(|id| !is_one_word(id)) {
            return Err(wrong(format!(
                "`{odd}` in `approvers` is no id\nhint: the vendor's id of a person, not a name"
            )));
        }
        if let Some(other) = given.callers.keys().find(|id| !given.approvers.contains(id)) {
            return Err(wrong(format!("`{other}` in `callers` is not among `approvers`")));
        }
        if !(1..=MOST_MINUTES).contains(&given.minutes) {
            return Err(wrong(format!("`minutes` is {}\nhint: 1 to {MOST_MINUTES}", given.minutes)));
        }
        Ok(Self {
            of: of.to_owned(),
            account: given.account.clone(),
            vendor: vendor.id.clone(),
            title: vendor.title.clone(),
            settings: settings(form, given).map_err(wrong)?,
            form: form.clone(),
            approvers: given.approvers.iter().cloned().collect(),
            callers: given.callers.clone(),
            within: Duration::from_secs(given.minutes * 60),
            irreversible: given.irreversible,
        })
    }

    /// The tools that it needs of its account.
    pub fn tools(&self) -> BTreeSet<&str> {
        self.form.tools().map(|(tool, _)| tool).collect()
    }

    /// Whether two accounts have the same help desk: then one ticket serves for changes of both.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let of = |desk: &Self| (desk.account.clone(), desk.settings.clone(), desk.approvers.clone());
        of(self) == of(other) && self.callers == other.callers && self.irreversible == other.irreversible
    }

    /// Whether an approver is the caller with this name.
    pub(super) fn is_caller(&self, approver: &str, caller: &str) -> bool {
        let own = caller.split_once(' ').and_then(|(_, rest)| rest.rsplit_once(" (")).map(|(name, _)| name);
        let names = self.callers.get(approver).into_iter().flatten();
        names.into_iter().any(|name| name == caller || own.is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

    /// A template with its words replaced.
    pub(super) fn filled(&self, template: &str, more: &[(&str, &str)]) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            // What was put in is not looked at again: a plan may have braces.
            let Some((word, behind)) = after.split_once('}') else {
                text.push('{');
                rest = after;
                continue;
            };
            let given = more.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
            match given.or_else(|| self.settings.get(word).map(String::as_str)) {
                Some(value) => text.push_str(value),
                None => text.extend(["{", word, "}"]),
            }
            rest = behind;
        }
        text.push_str(rest);
        text
    }

    /// Arguments of a tool by their templates.
    pub(super) fn arguments(&self, with: &Map<String, Value>, more: &[(&str, &str)]) -> Map<String, Value> {
        with.iter().map(|(name, value)| (self.filled(name, more), self.value(value, more))).collect()
    }

    fn value(&self, template: &Value, more: &[(&str, &str)]) -> Value {
        match template {
            Value::String(text) => Value::from(self.filled(text, more)),
            Value::Array(items) => items.iter().map(|item| self.value(item, more)).collect(),
            Value::Object(entries) => Value::Object(self.arguments(entries, more)),
            other => other.clone(),
        }
    }
}

/// The vendor's settings as they are stated, with defaults.
fn settings(form: &HelpDesk, given: &DeskSettings) -> Result<BTreeMap<String, String>, String> {
    if let Some(unknown) = given.settings.keys().find(|name| !form.settings.contains_key(*name)) {
        let own = ["account", "approvers", "callers", "irreversible", "minutes"];
        let known = form.settings.keys().map(String::as_str).chain(own);
        let hint = suggest_one(unknown, known.clone()).map_or_else(
            || format!("there are {}", known.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(format!("`{unknown}` is no setting of this help desk\nhint: {hint}"));
    }
    let mut settings = BTreeMap::new();
    for (name, setting) in &form.settings {
        let value = given.settings.get(name).or(setting.default.as_ref());
        let Some(value) = value else { return Err(format!("`{name}` is missing\nhint: {}", setting.is)) };
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        if !is_one_word(value) || !(setting.word || is_number) {
            return Err(format!("`{name}` has the value `{value}`\nhint: {}", setting.is));
        }
        settings.insert(name.clone(), value.clone());
    }
    let [yes, no] = [&form.decision.yes, &form.decision.no].map(|template| {
        let name = template.trim_start_matches('{').trim_end_matches('}');
        settings.get(name).unwrap_or(template)
    });
    if yes == no {
        return Err(format!("yes and no are the same, `{yes}`"));
    }
    Ok(settings)
}

/// Whether a text is a single word of few signs, as ids are.
fn is_one_word(text: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    (1..=LONGEST).contains(&text.len()) && text.chars().all(is_fine)
}

//! What flows between steps → its value for requests, as it is, and its value for readers, sanitized, with the names of
//! the fields that outsiders wrote.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::sanitize::json::Json;
use crate::sanitize::{AnswerPart, Rules, TextForm};

/// A value, with where it comes from.
#[derive(Debug, Clone)]
pub(super) enum Datum {
    /// There is none.
    Missing,
    /// What the caller gave or the workflow's file states.
    Own(Value),
    /// A part of a vendor's answer.
    Foreign(Foreign),
    /// A list that was put together.
    List(Vec<Datum>),
    /// An object that was put together.
    Object(Vec<(String, Datum)>),
    /// What a dry run does not know, because the change that would answer with it is not sent; the text says what it is.
    Unsent(String),
}

/// A part of a vendor's answer, as it is.
#[derive(Debug, Clone)]
pub(super) struct Foreign {
    pub(super) value: Value,
    pub(super) part: AnswerPart,
    pub(super) rules: Arc<Rules>,
}

impl Foreign {
    fn with(&self, value: &Value, part: AnswerPart) -> Datum {
        Datum::Foreign(Self { value: value.clone(), part, rules: Arc::clone(&self.rules) })
    }
}

impl Datum {
    /// Returns what a JSON pointer leads to.
    pub(super) fn at(&self, pointer: &str) -> Self {
        let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        steps.fold(self.clone(), |datum, step| datum.step(&step))
    }

    fn step(&self, name: &str) -> Self {
        let index = || name.parse::<usize>().ok().filter(|index| index.to_string() == name);
        match self {
            Self::Missing => Self::Missing,
            Self::Own(value) => child(value, name).cloned().map_or(Self::Missing, Self::Own),
            Self::Foreign(foreign) => match (&foreign.value, child(&foreign.value, name)) {
                (Value::Array(_), Some(item)) => {
                    foreign.with(item, foreign.rules.item(&foreign.part, item.is_string()))
                }
                (_, Some(value)) => foreign.with(value, foreign.rules.entry(&foreign.part, name)),
                (_, None) => Self::Missing,
            },
            Self::List(items) => index().and_then(|index| items.get(index)).cloned().unwrap_or(Self::Missing),
            Self::Object(entries) => {
                let found = entries.iter().find(|(known, _)| known == name);
                found.map_or(Self::Missing, |(_, datum)| datum.clone())
            }
            Self::Unsent(what) => Self::Unsent(format!("{what}/{name}")),
        }
    }

    /// Returns the items of a list; `None` for anything else.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::Own(Value::Array(items)) => Some(items.iter().cloned().map(Self::Own).collect()),
            Self::Foreign(foreign) => {
                let Value::Array(items) = &foreign.value else { return None };
                let part = |item: &Value| foreign.rules.item(&foreign.part, item.is_string());
                Some(items.iter().map(|item| foreign.with(item, part(item))).collect())
            }
            Self::List(items) => Some(items.clone()),
            _ => None,
        }
    }

    /// Returns the entries of an object; `None` for anything else.
    pub(super) fn entries(&self) -> Option<Vec<(String, Self)>> {
        match self {
            Self::Own(Value::Object(entries)) => {
                Some(entries.iter().map(|(name, value)| (name.clone(), Self::Own(value.clone()))).collect())
            }
            Self::Foreign(foreign) => {
                let Value::Object(entries) = &foreign.value else { return None };
                let entry = |(name, value): (&String, &Value)| {
                    (name.clone(), foreign.with(value, foreign.rules.entry(&foreign.part, name)))
                };
                Some(entries.iter().map(entry).collect())
            }
            Self::Object(entries) => Some(entries.clone()),
            _ => None,
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Whether there is nothing, or `null`.
    pub(super) fn is_absent(&self) -> bool {
        match self {
            Self::Missing | Self::Own(Value::Null) => true,
            Self::Foreign(foreign) => foreign.value.is_null(),
            _ => false,
        }
    }

    /// Whether a part of it is not known in a dry run.
    pub(super) fn is_unsent(&self) -> bool {
        match self {
            Self::Unsent(_) => true,
            Self::List(items) => items.iter().any(Self::is_unsent),
            Self::Object(entries) => entries.iter().any(|(_, datum)| datum.is_unsent()),
            Self::Missing | Self::Own(_) | Self::Foreign(_) => false,
        }
    }

    /// Whether a part of it is an outsider's.
    pub(super) fn has_untrusted(&self) -> bool {
        match self {
            Self::Foreign(foreign) => {
                let mut names = Vec::new();
                foreign.shown("", TextForm::Raw, &mut names);
                !names.is_empty()
            }
            Self::List(items) => items.iter().any(Self::has_untrusted),
            Self::Object(entries) => entries.iter().any(|(_, datum)| datum.has_untrusted()),
            Self::Missing | Self::Own(_) | Self::Unsent(_) => false,
        }
    }

    /// Returns the value as it is, for requests and comparisons.
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            Self::Missing => None,
            Self::Own(value) | Self::Foreign(Foreign { value, .. }) => Some(value.clone()),
            Self::List(items) => Some(items.iter().filter_map(Self::value).collect()),
            Self::Object(entries) => {
                let entries = entries.iter().filter_map(|(name, datum)| Some((name.clone(), datum.value()?)));
                Some(Value::Object(entries.collect()))
            }
            Self::Unsent(what) => Some(Value::from(format!("⟨{what}⟩"))),
        }
    }

    /// Returns the value as a model reads it under a name, and adds the names of the fields that outsiders wrote.
    pub(super) fn shown(&self, name: &str, form: TextForm, untrusted: &mut Vec<String>) -> Option<Value> {
        match self {
            Self::Foreign(foreign) => Some(foreign.shown(name, form, untrusted)),
            Self::List(items) => Some(items.iter().filter_map(|item| item.shown(name, form, untrusted)).collect()),
            Self::Object(entries) => {
                let mut shown = Map::new();
                for (name, datum) in entries {
                    shown.extend(datum.shown(name, form, untrusted).map(|value| (name.clone(), value)));
                }
                Some(Value::Object(shown))
            }
            other => other.value(),
        }
    }

    /// Returns the text of it, as a part of a text or as a name; `None` where there is none.
    pub(super) fn text(&self) -> Option<String> {
        match self.value()? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    /// The bytes that it takes, about.
    pub(super) fn weight(&self) -> usize {
        self.value().map_or(0, |value| value.to_string().len())
    }
}

impl Foreign {
    fn shown(&self, name: &str, form: TextForm, untrusted: &mut Vec<String>) -> Value {
        let text = self.value.to_string();
        // It was read from JSON within the same bounds.
        let Ok(mut json) = Json::parse(&text) else { return Value::Null };
        let cleaned = self.rules.clean_part(&mut json, &self.part, name, form);
        for found in cleaned.untrusted {
            if !untrusted.contains(&found) {
                untrusted.push(found);
            }
        }
        serde_json::from_str(&json.to_text(text.len())).unwrap_or_default()
    }
}

fn child<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(entries) => entries.get(name),
        Value::Array(items) => {
            let index = name.parse::<usize>().ok().filter(|index| index.to_string() == name)?;
            items.get(index)
        }
        _ => None,
    }
}

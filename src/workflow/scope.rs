//! Expressions and templates → values, of a caller's inputs, the outputs of steps, and the answer of the step at hand.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::datum::{Datum, Foreign};
use super::selection;
use crate::call::StepAnswer;
use crate::error::{CallError, Rejection};
use crate::sanitize::AnswerPart;
use crate::upstream::Headers;
use toolwright_model::workflow::{Expression, NamedTemplate, Source, StepCall, Template};

/// What the templates of a step can read; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    inputs: Arc<Map<String, Value>>,
    outputs: HashMap<String, Arc<Outputs>>,
    answer: Option<Arc<Seen>>,
    item: Option<(Datum, usize)>,
}

/// The outputs of a step, by name; those that are missing are not in it.
pub(super) type Outputs = BTreeMap<String, Datum>;

/// An answer, as criteria and outputs read it.
#[derive(Debug)]
struct Seen {
    status: Datum,
    body: Datum,
    headers: Option<Headers>,
}

/// A step's arguments.
pub(super) struct Arguments {
    /// As they are sent.
    pub(super) values: Map<String, Value>,
    /// As they are shown.
    pub(super) shown: Datum,
}

impl Scope {
    pub(super) fn new(inputs: Map<String, Value>) -> Self {
        Self { inputs: Arc::new(inputs), ..Self::default() }
    }

    /// Sets the outputs of a step that has ended.
    pub(super) fn set_outputs(&mut self, step: &str, outputs: Outputs) {
        self.outputs.insert(step.to_owned(), Arc::new(outputs));
    }

    /// The same with the value that a step is run for.
    pub(super) fn with_item(&self, item: Datum, index: usize) -> Self {
        Self { item: Some((item, index)), ..self.clone() }
    }

    /// The same with the answer of the step.
    pub(super) fn with_answer(&self, answer: &StepAnswer) -> Self {
        let foreign = |value: &Value| Foreign {
            value: value.clone(),
            part: answer.part.clone(),
            rules: Arc::clone(&answer.rules),
        };
        let body = answer.body.as_ref().map_or(Datum::Missing, |value| Datum::Foreign(foreign(value)));
        self.with(Seen { status: Datum::Own(Value::from(answer.status)), body, headers: Some(answer.headers.clone()) })
    }

    /// The same with a vendor's refusal; `None` where the vendor did not refuse.
    pub(super) fn with_refusal(&self, error: &CallError) -> Option<Self> {
        let CallError::Rejected(rejection) = error else { return None };
        let Rejection { status, body, .. } = &**rejection;
        let value = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body.as_str()));
        let body = Datum::Foreign(Foreign { value, part: AnswerPart::of_outsiders(), rules: Arc::default() });
        Some(self.with(Seen { status: Datum::Own(Value::from(*status)), body, headers: None }))
    }

    fn with(&self, seen: Seen) -> Self {
        Self { answer: Some(Arc::new(seen)), ..self.clone() }
    }

    /// The same with the answer that a dry run does not have.
    pub(super) fn with_unsent(&self, step: &str) -> Self {
        let unsent = |what: &str| Datum::Unsent(format!("{what} of `{step}`"));
        self.with(Seen { status: unsent("$statusCode"), body: unsent("$response.body"), headers: None })
    }

    /// Reads what an expression leads to.
    pub(super) fn read(&self, expression: &Expression) -> Datum {
        let whole = match &expression.source {
            Source::Input { name } => self.inputs.get(name).cloned().map_or(Datum::Missing, Datum::Own),
            Source::Step { step, output } => {
                let outputs = self.outputs.get(step);
                outputs.and_then(|outputs| outputs.get(output)).cloned().unwrap_or(Datum::Missing)
            }
            Source::Status => self.answer.as_ref().map_or(Datum::Missing, |seen| seen.status.clone()),
            Source::Body => self.answer.as_ref().map_or(Datum::Missing, |seen| seen.body.clone()),
            Source::Header { name } => self.header(name),
            Source::Item => self.item.as_ref().map_or(Datum::Missing, |(item, _)| item.clone()),
            Source::Index => self.item.as_ref().map_or(Datum::Missing, |(_, index)| Datum::Own(Value::from(*index))),
        };
        if expression.pointer.is_empty() { whole } else { whole.at(&expression.pointer) }
    }

    fn header(&self, name: &str) -> Datum {
        let headers = self.answer.as_ref().and_then(|seen| seen.headers.as_ref());
        let value = headers.and_then(|headers| headers.get(&name.to_ascii_lowercase()));
        value.map_or(Datum::Missing, |value| Datum::Own(Value::from(value)))
    }

    /// Makes the value of a template.
    ///
    /// # Errors
    /// A text lacks a part, or not exactly one record is the one.
    pub(super) fn template(&self, template: &Template) -> Result<Datum, String> {
        match template {
            Template::Value(value) => Ok(Datum::Own(value.clone())),
            Template::Read(expression) => Ok(self.read(expression)),
            Template::Text(parts) => self.text(parts),
            Template::List(items) => {
                let items: Vec<Datum> = items.iter().map(|item| self.template(item)).collect::<Result<_, _>>()?;
                Ok(Datum::List(items.into_iter().filter(|item| !item.is_missing()).collect()))
            }
            Template::Object(entries) => Ok(Datum::Object(self.named(entries)?)),
            Template::Select(selection) => selection::select(self, selection),
        }
    }

    /// Makes the values of named templates; those that are missing are left out.
    ///
    /// # Errors
    /// As [`Self::template`].
    pub(super) fn named(&self, entries: &[NamedTemplate]) -> Result<Vec<(String, Datum)>, String> {
        let mut made = Vec::new();
        for NamedTemplate { name, value } in entries {
            let datum = self.template(value)?;
            if !datum.is_missing() {
                made.push((name.clone(), datum));
            }
        }
        Ok(made)
    }

    /// Joins the parts of a text. What outsiders wrote in a part makes the whole theirs.
    fn text(&self, parts: &[Template]) -> Result<Datum, String> {
        let mut text = String::new();
        let mut foreign: Option<Foreign> = None;
        let mut is_unsent = false;
        for part in parts {
            let datum = self.template(part)?;
            let Some(written) = datum.text() else {
                return Err(format!("a text can't be made: {} is missing", described(part)));
            };
            is_unsent |= datum.is_unsent();
            text.push_str(&written);
            if let Datum::Foreign(of) = datum {
                match &mut foreign {
                    Some(known) if known.part.is_untrusted() => {}
                    Some(known) if of.part.is_untrusted() => known.part = AnswerPart::of_outsiders(),
                    Some(_) => {}
                    None => foreign = Some(of),
                }
            }
        }
        if is_unsent {
            return Ok(Datum::Unsent(text.replace(['⟨', '⟩'], "")));
        }
        let value = Value::from(text);
        Ok(match foreign {
            Some(of) => Datum::Foreign(Foreign { value, ..of }),
            None => Datum::Own(value),
        })
    }

    /// Makes the arguments of a call. What is missing is left out, and what was read as `null`.
    ///
    /// # Errors
    /// As [`Self::template`].
    pub(super) fn arguments(&self, call: &StepCall) -> Result<Arguments, String> {
        let mut entries = Vec::new();
        for (name, template) in &call.arguments {
            let datum = self.template(template)?;
            let is_constant = matches!(template, Template::Value(_));
            if is_constant || !datum.is_absent() {
                entries.push((name.clone(), datum));
            }
        }
        let values = entries.iter().filter_map(|(name, datum)| Some((name.clone(), datum.value()?))).collect();
        Ok(Arguments { values, shown: Datum::Object(entries) })
    }
}

/// A template in an error, as the file writes it.
fn described(template: &Template) -> String {
    match template {
        Template::Read(expression) => format!("`{expression}`"),
        Template::Select(selection) => format!("what is selected of `{}`", selection.from),
        _ => "a part of it".to_owned(),
    }
}

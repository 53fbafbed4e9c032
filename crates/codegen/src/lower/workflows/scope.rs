//! Expressions and values of a workflow → what they mean where they are written: the inputs, steps, answer and item that
//! can be read there.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::inputs::WorkflowInputs;
use super::shape::{Shape, UnknownStep};
use crate::lower::fit::misfit;
use crate::lower::resolved::SchemaType;
use crate::read::located::{Located, describe, did_you_mean};
use crate::read::workflows::expression::{ExpressionFault, is_expression, read_expression, read_text};
use toolwright_model::workflow::{Expression, NamedTemplate, Source, Template};

/// What can be read at a place of a workflow.
#[derive(Clone)]
pub(super) struct Scope<'w> {
    pub(super) inputs: &'w WorkflowInputs,
    /// The ids of all steps.
    pub(super) ids: Rc<[String]>,
    /// The steps that were compiled, with their outputs: those that have ended before.
    pub(super) steps: Rc<BTreeMap<String, Vec<(String, Shape<'w>)>>>,
    /// The answer of the step itself, where that is there.
    pub(super) own: Option<OwnAnswer<'w>>,
    /// The value that a step with `foreach` is run for.
    pub(super) item: Option<Shape<'w>>,
    /// The inputs that the step's `when` is about: it runs where they are as that demands.
    pub(super) guarded: Vec<String>,
}

/// The answer of the step that is being compiled.
#[derive(Clone)]
pub(super) struct OwnAnswer<'w> {
    pub(super) body: Shape<'w>,
    /// The names of the headers that the description states of it.
    pub(super) headers: Vec<String>,
}

/// A value of the file: how it is made, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Compiled<'w> {
    pub(super) template: Template,
    pub(super) shape: Shape<'w>,
}

impl<'w> Scope<'w> {
    /// Returns what an expression reads; reports it where it leads nowhere.
    pub(super) fn shape(&self, expression: &Expression, at: &Located<'_>) -> Option<Shape<'w>> {
        let whole = match &expression.source {
            Source::Input { name } => self.input(name, at)?,
            Source::Step { step, output } => self.output(step, output, at)?,
            Source::Status => {
                self.own(expression, at)?;
                Shape::Scalar(SchemaType::Integer)
            }
            Source::Body => self.own(expression, at)?.body.clone(),
            Source::Header { name } => {
                let own = self.own(expression, at)?;
                if !own.headers.iter().any(|header| header.eq_ignore_ascii_case(name)) {
                    let hint = did_you_mean(name, own.headers.iter().map(String::as_str))
                        .unwrap_or_else(|| "where the vendor sends it, state it in the description".to_owned());
                    at.report("a header of the operation's answer", format!("`{name}`"), Some(hint));
                    return None;
                }
                Shape::Scalar(SchemaType::String)
            }
            Source::Item | Source::Index => {
                let Some(item) = &self.item else {
                    at.report(
                        "`$item` and `$index` in a step with `foreach`",
                        format!("`{expression}` in another place"),
                        None,
                    );
                    return None;
                };
                if expression.source == Source::Index { Shape::Scalar(SchemaType::Integer) } else { item.clone() }
            }
        };
        part(&whole, &expression.pointer, at)
    }

    fn input(&self, name: &str, at: &Located<'_>) -> Option<Shape<'w>> {
        let shape = self.inputs.shape(name);
        if shape.is_none() {
            let known = || self.inputs.names();
            let inside = name.split_once('.').filter(|(input, _)| known().any(|known| known == *input));
            let hint = match inside {
                Some((input, rest)) => {
                    Some(format!("a part of an input is `$inputs.{input}#/{}`", rest.replace('.', "/")))
                }
                None => near_or_all(name, known()),
            };
            at.report("the name of an input", format!("`{name}`"), hint);
        }
        shape
    }

    fn output(&self, step: &str, output: &str, at: &Located<'_>) -> Option<Shape<'w>> {
        let Some(outputs) = self.steps.get(step) else {
            let (found, hint) = if self.ids.iter().any(|id| id == step) {
                (format!("`{step}`, which has not ended then"), None)
            } else {
                (format!("`{step}`"), near_or_all(step, self.ids.iter().map(String::as_str)))
            };
            at.report("the `stepId` of a step that has ended before", found, hint);
            return None;
        };
        let found = outputs.iter().find(|(name, _)| name == output);
        if found.is_none() {
            let hint = near_or_all(output, outputs.iter().map(|(name, _)| name.as_str()));
            at.report(format!("the name of an output of the step `{step}`"), format!("`{output}`"), hint);
        }
        found.map(|(_, shape)| shape.clone())
    }

    fn own(&self, expression: &Expression, at: &Located<'_>) -> Option<&OwnAnswer<'w>> {
        if self.own.is_none() {
            let hint =
                "it is there in the step's criteria, actions, outputs and `undo`; elsewhere use an output of the step";
            at.report(
                "a value that is there",
                format!("`{expression}`, before there is an answer"),
                Some(hint.to_owned()),
            );
        }
        self.own.as_ref()
    }

    /// Reads an expression; reports what is wrong with it.
    pub(super) fn expression(&self, at: &Located<'_>) -> Option<(Expression, Shape<'w>)> {
        let expression = read_expression(at.text()?).map_err(|fault| report_fault(fault, at)).ok()?;
        let shape = self.shape(&expression, at)?;
        Some((expression, shape))
    }

    /// Compiles a value: constants, expressions, texts with expressions, and lists and objects of them.
    pub(super) fn value(&self, at: &Located<'_>) -> Option<Compiled<'w>> {
        match at.value {
            Value::String(text) if is_expression(text) => {
                let (expression, shape) = self.expression(at)?;
                Some(Compiled { template: Template::Read(expression), shape })
            }
            Value::String(text) => self.text(text, at),
            Value::Array(_) => self.list(at),
            Value::Object(_) => self.object(at),
            constant => {
                Some(Compiled { template: Template::Value(constant.clone()), shape: Shape::of_value(constant) })
            }
        }
    }

    fn text(&self, text: &str, at: &Located<'_>) -> Option<Compiled<'w>> {
        let template = read_text(text).map_err(|fault| report_fault(fault, at)).ok()?;
        let mut is_right = true;
        template.visit(&mut |expression| match self.shape(expression, at) {
            Some(shape) if !shape.may_be_scalar() => {
                at.report(
                    "a value that can be part of a text",
                    format!("`{expression}`, which is {}", shape.in_words()),
                    None,
                );
                is_right = false;
            }
            Some(_) => {}
            None => is_right = false,
        });
        is_right.then_some(Compiled { template, shape: Shape::Scalar(SchemaType::String) })
    }

    fn list(&self, at: &Located<'_>) -> Option<Compiled<'w>> {
        let items: Vec<Option<Compiled<'w>>> = at.items().iter().map(|item| self.value(item)).collect();
        let items: Vec<Compiled<'w>> = items.into_iter().collect::<Option<_>>()?;
        let item = items.first().map_or(Shape::Any, |item| item.shape.clone());
        let templates: Vec<Template> = items.into_iter().map(|item| item.template).collect();
        let template = match constants(&templates) {
            Some(values) => Template::Value(Value::Array(values)),
            None => Template::List(templates),
        };
        Some(Compiled { template, shape: Shape::List(Rc::new(item)) })
    }

    fn object(&self, at: &Located<'_>) -> Option<Compiled<'w>> {
        let entries: Vec<(&str, Option<Compiled<'w>>)> =
            at.entries().into_iter().map(|(name, entry)| (name, self.value(&entry))).collect();
        let entries: Vec<(String, Compiled<'w>)> =
            entries.into_iter().map(|(name, value)| Some((name.to_owned(), value?))).collect::<Option<_>>()?;
        Some(object(entries))
    }

    /// Returns whether a value is there in every call, as far as that depends on the caller.
    pub(super) fn is_given(&self, template: &Template) -> bool {
        match template {
            Template::Read(Expression { source: Source::Input { name }, .. }) => {
                self.inputs.is_given(name) || self.guarded.contains(name)
            }
            _ => true,
        }
    }
}

/// An object of compiled values.
pub(super) fn object(entries: Vec<(String, Compiled<'_>)>) -> Compiled<'_> {
    let shape = Shape::Object(entries.iter().map(|(name, value)| (name.clone(), value.shape.clone())).collect());
    let named: Vec<NamedTemplate> =
        entries.into_iter().map(|(name, value)| NamedTemplate { name, value: value.template }).collect();
    let constant: Option<Map<String, Value>> = named
        .iter()
        .map(|NamedTemplate { name, value }| match value {
            Template::Value(value) => Some((name.clone(), value.clone())),
            _ => None,
        })
        .collect();
    let template =
        constant.map_or_else(|| Template::Object(named), |constant| Template::Value(Value::Object(constant)));
    Compiled { template, shape }
}

fn constants(templates: &[Template]) -> Option<Vec<Value>> {
    let constant = |template: &Template| match template {
        Template::Value(value) => Some(value.clone()),
        _ => None,
    };
    templates.iter().map(constant).collect()
}

/// Returns the part of a value that a JSON pointer leads to; reports it where it leads nowhere.
pub(super) fn part<'w>(whole: &Shape<'w>, pointer: &str, at: &Located<'_>) -> Option<Shape<'w>> {
    match whole.at(pointer) {
        Ok(part) => Some(part),
        Err(UnknownStep { step, known }) => {
            let found = format!("`{pointer}`, of which the description has no `{step}`");
            at.report("a pointer to a part of the value", found, near_or_all(&step, known.iter().map(String::as_str)));
            None
        }
    }
}

/// Reports a text that is no expression that is run.
pub(super) fn report_fault(fault: ExpressionFault, at: &Located<'_>) {
    at.report(fault.expected, fault.found, fault.hint);
}

/// Advice for a name that is none of `known`.
pub(super) fn near_or_all<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    const MOST: usize = 30;
    did_you_mean(name, known.clone()).or_else(|| {
        let names: Vec<String> = known.into_iter().take(MOST).map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| format!("there are {}", names.join(", ")))
    })
}

/// Returns what was expected, where a value can't be one of a portable schema.
pub(super) fn unfit(schema: &Map<String, Value>, value: &Compiled<'_>) -> Option<(String, String)> {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match &value.template {
        Template::Value(constant) => misfit(schema, constant).map(|expected| (expected, describe(constant))),
        Template::Object(entries) if kind == "object" => entries.iter().find_map(|entry| {
            let of = schema.get("properties").and_then(|all| all.get(&entry.name));
            let of = match of.or_else(|| schema.get("additionalProperties")) {
                Some(Value::Object(part)) => part,
                Some(Value::Bool(false)) => {
                    return Some((format!("an object without `{}`, which it can't have", entry.name), "it".to_owned()));
                }
                _ => return None,
            };
            let shape = value.shape.at(&format!("/{}", crate::read::reference::escape(&entry.name))).ok()?;
            unfit(of, &Compiled { template: entry.value.clone(), shape })
        }),
        template => {
            let words = Shape::Scalar(SchemaType::parse(kind)?).in_words();
            let shown = match template {
                Template::Read(expression) => format!("`{expression}`"),
                _ => "a value".to_owned(),
            };
            if !value.shape.may_be(kind) {
                return Some((words, format!("{shown}, which is {}", value.shape.in_words())));
            }
            let (items, item) = (schema.get("items")?.as_object()?, value.shape.item()?);
            let item_kind = items.get("type").and_then(Value::as_str)?;
            (!item.may_be(item_kind)).then(|| {
                let expected = format!(
                    "a list, each value {}",
                    SchemaType::parse(item_kind).map(|kind| Shape::Scalar(kind).in_words()).unwrap_or_default()
                );
                (expected, format!("{shown}, a list whose values are {}", item.in_words()))
            })
        }
    }
}

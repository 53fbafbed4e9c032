//! A value that is made when a step is called: constants, and what expressions read of inputs, answers and outputs.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Selection;

/// A value that is made at run time.
///
/// It is *missing* where what it reads is: then an argument, an output or an entry of an object is left out, an element
/// of a list too. A text with a missing part can't be made, which fails the step before anything is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Template {
    /// Always this.
    Value(Value),
    /// What an expression reads, with its type.
    Read(Expression),
    /// Texts, one after the other; of what expressions read, texts as they are, other scalars as JSON.
    Text(Vec<Template>),
    /// A list.
    List(Vec<Template>),
    /// An object.
    Object(Vec<NamedTemplate>),
    /// A part of what an expression reads.
    Select(Box<Selection>),
}

/// A value with a name: an entry of an object, an output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedTemplate {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Template,
}

/// A place that a value is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expression {
    /// Where.
    #[serde(flatten)]
    pub source: Source,
    /// JSON pointer below it; empty: all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
}

/// Where an expression reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Source {
    /// `$inputs.name`: what the caller gave, or its default.
    Input {
        /// The input.
        name: String,
    },
    /// `$steps.step.outputs.output`.
    Step {
        /// The step.
        step: String,
        /// Its output.
        output: String,
    },
    /// `$statusCode`: the status of the answer of this step.
    Status,
    /// `$response.body`: the answer of this step, as the vendor describes it, all its pages where the step asks for them.
    Body,
    /// `$response.header.name`: a header of the answer of this step, in any case.
    Header {
        /// The header.
        name: String,
    },
    /// `$item`: the value that a step with `foreach` is run for.
    Item,
    /// `$index`: its position, from 0.
    Index,
}

impl fmt::Display for Expression {
    /// Writes it as the file does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Input { name } => write!(f, "$inputs.{name}"),
            Source::Step { step, output } => write!(f, "$steps.{step}.outputs.{output}"),
            Source::Status => f.write_str("$statusCode"),
            Source::Body => f.write_str("$response.body"),
            Source::Header { name } => write!(f, "$response.header.{name}"),
            Source::Item => f.write_str("$item"),
            Source::Index => f.write_str("$index"),
        }?;
        if self.pointer.is_empty() { Ok(()) } else { write!(f, "#{}", self.pointer) }
    }
}

impl Template {
    /// Calls `visit` with every expression in it.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Expression)) {
        match self {
            Self::Value(_) => {}
            Self::Read(expression) => visit(expression),
            Self::Text(parts) | Self::List(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Object(entries) => entries.iter().for_each(|entry| entry.value.visit(visit)),
            Self::Select(selection) => selection.visit(visit),
        }
    }
}

//! What has to hold of an answer, of inputs or of outputs.

use serde::{Deserialize, Serialize};

use super::{Expression, Template};
use crate::words::words;

/// One criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Criterion {
    /// As the file has it, for reports.
    pub text: String,
    /// What it asks for.
    pub kind: CriterionKind,
}

/// What a criterion asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CriterionKind {
    /// A comparison.
    Simple(Condition),
    /// A text matches a regular expression somewhere. A missing value does not; other scalars are compared as JSON.
    Regex {
        /// The text.
        context: Expression,
        /// The expression.
        pattern: String,
    },
    /// A JSONPath query (RFC 9535) finds something in a value.
    #[serde(rename = "jsonpath")]
    JsonPath {
        /// The value.
        context: Expression,
        /// The query.
        query: String,
    },
}

/// What compares values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two values compared. Texts are compared in any case, and only numbers with numbers and texts with texts by size; a
    /// missing value equals `null`.
    Compare {
        /// The one.
        left: Template,
        /// How.
        operator: Comparison,
        /// The other.
        right: Template,
    },
    /// A value counts as true: it is there and neither `null` nor `false`.
    True(Template),
}

words! {
    /// How two values are compared.
    Comparison {
        /// The same.
        Equal = "==",
        /// Not the same.
        NotEqual = "!=",
        /// Smaller.
        Less = "<",
        /// Smaller or the same.
        LessOrEqual = "<=",
        /// Larger.
        Greater = ">",
        /// Larger or the same.
        GreaterOrEqual = ">=",
    }
}

impl Criterion {
    /// Calls `visit` with every expression in it.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Expression)) {
        match &self.kind {
            CriterionKind::Simple(condition) => condition.visit(visit),
            CriterionKind::Regex { context, .. } | CriterionKind::JsonPath { context, .. } => visit(context),
        }
    }
}

impl Condition {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Expression)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Not(part) => part.visit(visit),
            Self::Compare { left, right, .. } => {
                left.visit(visit);
                right.visit(visit);
            }
            Self::True(value) => value.visit(visit),
        }
    }
}

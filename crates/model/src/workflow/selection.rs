//! A part of a list or of a text: which records, in which order, which of their fields.

use serde::{Deserialize, Serialize};

use super::{Expression, Template};

/// What is taken of a value. The parts are applied in the order of the fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selection {
    /// The value: a list for all fields but `capture`, a text for that.
    pub from: Expression,
    /// The records that are kept: those for which all hold.
    #[serde(rename = "where", default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<Where>,
    /// Their order, by the first key, where that is the same by the next; as it is where there is none. Numbers are in
    /// order of their size and come before texts, which are in order of their characters; missing values come last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortKey>,
    /// The most records; all where it is missing or its value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Template>,
    /// What is kept of each record, in this order; all where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Field>,
    /// One record in place of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// JSON pointer into the one record, or into each; those without it are left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// A regular expression whose first group is taken of a text; the whole text where it does not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
}

/// What holds for a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Where {
    /// JSON pointers into the record, of which one has to fit; empty: the record itself.
    pub at: Vec<String>,
    /// What it has to be.
    pub test: Test,
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Test {
    /// The same; texts in any case, a number and the text of its digits are the same. Of a list one has to be the same.
    /// Holds for no record where the value to compare with is missing.
    Equals(Template),
    /// Not the same; of a list none is.
    Differs(Template),
    /// There, and not `null`.
    Present,
    /// Missing, or `null`.
    Absent,
}

/// What a list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SortKey {
    /// JSON pointer into the record.
    pub at: String,
    /// Whether the largest comes first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
}

/// What is kept of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Field {
    /// Its name in the result.
    pub name: String,
    /// JSON pointer into the record; left out where that leads to nothing.
    pub at: String,
}

/// Which one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Only {
    /// The first; missing where there is none.
    First,
    /// The only one; where there is none or several, the step fails and names what there was by the field at this pointer.
    One(String),
}

impl Where {
    /// Calls `visit` with every expression in it.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Expression)) {
        match &self.test {
            Test::Equals(value) | Test::Differs(value) => value.visit(visit),
            Test::Present | Test::Absent => {}
        }
    }
}

impl Selection {
    /// Calls `visit` with every expression in it.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Expression)) {
        visit(&self.from);
        for condition in &self.filter {
            condition.visit(visit);
        }
        if let Some(limit) = &self.limit {
            limit.visit(visit);
        }
    }
}

//! A description of answers and a way into one → what it states of the value there.

use std::collections::BTreeSet;

use super::described::{AnswerSchema, DescribedAnswers};
use super::form::{Form, Forms};

/// What a description states of one value: schemas of which one holds.
#[derive(Debug, Clone)]
pub struct DescribedValue<'a> {
    answers: &'a DescribedAnswers,
    schemas: Vec<&'a AnswerSchema>,
}

/// Where a step into a value leads.
#[derive(Debug, Clone)]
pub enum Reached<'a> {
    /// To this.
    Known(DescribedValue<'a>),
    /// The description leaves it open.
    Open,
    /// To nothing; these are the names that there are.
    Unknown(Vec<String>),
}

impl<'a> DescribedValue<'a> {
    /// A value that has one of these schemas of `answers`.
    pub fn new(answers: &'a DescribedAnswers, schemas: Vec<&'a AnswerSchema>) -> Self {
        Self { answers, schemas }
    }

    /// Returns where a name, or the number of an item, leads.
    pub fn step(&self, name: &str) -> Reached<'a> {
        let forms = self.forms();
        if forms.is_empty() || forms.iter().any(Form::is_any) {
            return Reached::Open;
        }
        let mut schemas: Vec<&'a AnswerSchema> = Vec::new();
        let mut is_open = false;
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        for form in &forms {
            if form.accepts("object") {
                match form.properties.get(name) {
                    Some(known) => schemas.extend(known),
                    None if !form.further.is_empty() => schemas.extend(&form.further),
                    None => is_open |= form.takes_any_name(),
                }
            }
            if is_number && form.accepts("array") {
                schemas.extend(&form.items);
                is_open |= form.items.is_empty();
            }
        }
        match schemas.is_empty() {
            false => Reached::Known(Self { answers: self.answers, schemas }),
            true if is_open => Reached::Open,
            true => Reached::Unknown(
                forms.iter().flat_map(|form| form.properties.keys()).map(|name| (*name).to_owned()).collect(),
            ),
        }
    }

    /// Returns what the values of a list are.
    pub fn items(&self) -> Reached<'a> {
        self.step("0")
    }

    /// Returns the types that the value may have beside `null`; none where it may have any.
    pub fn kinds(&self) -> BTreeSet<&'a str> {
        let forms = self.forms();
        if forms.iter().any(|form| form.is_any() || form.kind().is_none()) {
            return BTreeSet::new();
        }
        forms.iter().filter_map(Form::kind).collect()
    }

    /// Returns the names of its fields.
    pub fn fields(&self) -> BTreeSet<&'a str> {
        self.forms().iter().flat_map(|form| form.properties.keys().copied()).collect()
    }

    fn forms(&self) -> Vec<Form<'a>> {
        let mut forms = Forms::new(self.answers);
        self.schemas.iter().flat_map(|schema| forms.of(schema).to_vec()).collect()
    }
}

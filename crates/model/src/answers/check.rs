//! An answer and its description → where they differ. Where the description can be understood in several ways, the
//! most lenient counts.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::described::{AnswerSchema, DescribedAnswers, DescribedOperation};
use super::form::{Form, Forms};
use super::misfit::{Misfit, MisfitKind};
use super::names::{FREE_NAMES, recordable};
use crate::{EACH_ENTRY, EACH_ITEM};

/// The most misfits that are taken from one answer.
pub const MOST_MISFITS: usize = 200;
/// The longest path to a misfit, in steps.
const LONGEST_PATH: usize = 20;

/// Returns where a JSON answer differs from the schema of its operation.
pub fn check(answers: &DescribedAnswers, schema: &AnswerSchema, value: &Value) -> BTreeSet<Misfit> {
    let mut checker = Checker { forms: Forms::new(answers), at: Vec::new(), found: BTreeSet::new() };
    checker.value(&[schema], value);
    checker.found
}

struct Checker<'a> {
    forms: Forms<'a>,
    at: Vec<String>,
    found: BTreeSet<Misfit>,
}

impl<'a> Checker<'a> {
    fn add(&mut self, kind: MisfitKind, found: &str, expected: String) {
        if self.found.len() < MOST_MISFITS {
            self.found.insert(Misfit { at: self.at.clone(), kind, found: found.to_owned(), expected });
        }
    }

    fn below(&mut self, step: &str, schemas: &[&'a AnswerSchema], value: &Value) {
        if self.at.len() < LONGEST_PATH {
            self.at.push(step.to_owned());
            self.value(schemas, value);
            self.at.pop();
        }
    }

    /// Checks a value against schemas of which one has to fit.
    fn value(&mut self, schemas: &[&'a AnswerSchema], value: &Value) {
        let made: Vec<Rc<Vec<Form<'a>>>> = schemas.iter().map(|schema| self.forms.of(schema)).collect();
        let forms: Vec<&Form<'a>> = made.iter().flat_map(|forms| forms.iter()).collect();
        if forms.iter().any(|form| form.is_any()) {
            return;
        }
        let kind = type_of(value);
        let fitting: Vec<&Form<'a>> = forms.iter().copied().filter(|form| form.accepts(kind)).collect();
        if fitting.is_empty() {
            let expected: BTreeSet<&str> = forms.iter().filter_map(|form| form.kind()).collect();
            self.add(MisfitKind::OtherType, kind, expected.into_iter().collect::<Vec<_>>().join(" or "));
            return;
        }
        match value {
            Value::Object(entries) => self.object(&fitting, entries),
            Value::Array(items) => {
                // A form without items says nothing of them.
                if fitting.iter().all(|form| !form.items.is_empty()) {
                    let schemas: Vec<&AnswerSchema> =
                        fitting.iter().flat_map(|form| form.items.iter().copied()).collect();
                    for item in items {
                        self.below(EACH_ITEM, &schemas, item);
                    }
                }
            }
            Value::Null => {}
            scalar => {
                let is_listed = |form: &&Form<'_>| form.values.as_ref().is_none_or(|values| values.contains(&scalar));
                if !fitting.iter().any(is_listed) {
                    self.add(MisfitKind::UnlistedValue, kind, String::new());
                }
            }
        }
    }

    fn object(&mut self, fitting: &[&Form<'a>], entries: &Map<String, Value>) {
        let is_open = fitting.iter().any(|form| form.takes_any_name() && form.further.is_empty());
        let further: Vec<&AnswerSchema> = fitting.iter().flat_map(|form| form.further.iter().copied()).collect();
        for (name, value) in entries {
            let schemas = property(fitting, name);
            if !schemas.is_empty() {
                self.below(name, &schemas, value);
            } else if !further.is_empty() {
                self.below(EACH_ENTRY, &further, value);
            } else if !is_open {
                let name = recordable(name).unwrap_or_else(|| FREE_NAMES.to_owned());
                self.at.push(name);
                self.add(MisfitKind::UnknownField, &shown_type(value), String::new());
                self.at.pop();
            }
        }
        let Some((first, others)) = fitting.split_first() else { return };
        let always = first.required.iter().filter(|name| others.iter().all(|form| form.required.contains(*name)));
        for name in always.filter(|name| !entries.contains_key(**name)) {
            self.at.push((*name).to_owned());
            self.add(MisfitKind::MissingField, "", String::new());
            self.at.pop();
        }
    }
}

/// The schemas of a field, of which one has to fit.
fn property<'a>(forms: &[&Form<'a>], name: &str) -> Vec<&'a AnswerSchema> {
    forms.iter().filter_map(|form| form.properties.get(name)).flatten().copied().collect()
}

/// The type of a value, as JSON Schema names it.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        // `1.0` is an integer by JSON Schema.
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The type of a value, of a list with those of its values.
fn shown_type(value: &Value) -> String {
    let Value::Array(items) = value else { return type_of(value).to_owned() };
    let kinds: BTreeSet<&str> = items.iter().map(type_of).collect();
    match kinds.len() {
        0 => "array".to_owned(),
        _ => format!("array of {}", kinds.into_iter().collect::<Vec<_>>().join(" or ")),
    }
}

/// Returns whether a misfit is none any more: the description may have learned it since.
pub fn is_described(answers: &DescribedAnswers, operation: &DescribedOperation, misfit: &Misfit) -> bool {
    let successes = || operation.answers.iter().filter_map(|answer| answer.schema.as_ref());
    match misfit.kind {
        MisfitKind::UnknownStatus => misfit.found.parse().is_ok_and(|status| operation.answer(status).is_some()),
        MisfitKind::UnknownMedia => operation.answers.iter().any(|answer| answer.covers(&misfit.found)),
        // Which values were met is not kept, and broken JSON is no matter of the description.
        MisfitKind::UnlistedValue | MisfitKind::NoJson => false,
        MisfitKind::UnknownField | MisfitKind::FreeNames => {
            successes().any(|schema| reach(answers, schema, &misfit.at).is_some())
        }
        MisfitKind::MissingField => {
            let Some((name, parent)) = misfit.at.split_last() else { return false };
            let demands = |schema| {
                let forms = reach(answers, schema, parent);
                forms.is_some_and(|forms| forms.iter().all(|form| form.required.contains(name.as_str())))
            };
            !successes().any(demands)
        }
        MisfitKind::OtherType => successes().any(|schema| {
            let forms = reach(answers, schema, &misfit.at);
            forms.is_some_and(|forms| forms.iter().any(|form| form.is_any() || form.accepts(&misfit.found)))
        }),
    }
}

/// The forms of what a path leads to; `None` where the description has no such path.
fn reach<'a>(answers: &'a DescribedAnswers, schema: &'a AnswerSchema, at: &[String]) -> Option<Vec<Form<'a>>> {
    let mut forms = Forms::new(answers);
    let mut schemas = vec![schema];
    for step in at {
        let here: Vec<Form<'a>> = schemas.iter().flat_map(|schema| forms.of(schema).to_vec()).collect();
        let of = |get: &dyn Fn(&Form<'a>) -> Vec<&'a AnswerSchema>| here.iter().flat_map(get).collect::<Vec<_>>();
        schemas = match step.as_str() {
            EACH_ITEM => of(&|form| form.items.clone()),
            EACH_ENTRY if here.iter().any(Form::takes_any_name) => return Some(vec![Form::default()]),
            EACH_ENTRY => of(&|form| form.further.clone()),
            name => of(&|form| written_property(form, name)),
        };
        if schemas.is_empty() {
            return None;
        }
    }
    Some(schemas.into_iter().flat_map(|schema| forms.of(schema).to_vec()).collect())
}

/// The schemas of a field whose name was written down without its digits.
fn written_property<'a>(form: &Form<'a>, name: &str) -> Vec<&'a AnswerSchema> {
    let is_it = |known: &str| known == name || recordable(known).as_deref() == Some(name);
    form.properties.iter().filter(|(known, _)| is_it(known)).flat_map(|(_, schemas)| schemas.iter().copied()).collect()
}

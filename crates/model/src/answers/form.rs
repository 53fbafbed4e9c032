//! A schema with its references and compositions → the forms that a value may have. Lenient: what is composed in a
//! way that is not followed here accepts anything, so that no misfit is reported that may be none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::described::{AnswerSchema, DescribedAnswers, Further};

/// How many references and compositions are followed before a schema counts as any.
const DEEPEST: usize = 24;
/// The most forms of one value; more count as any.
const MOST_FORMS: usize = 32;

/// One form that a value may have.
#[derive(Debug, Clone, Default)]
pub(super) struct Form<'a> {
    /// Its type; `None`: any.
    pub(super) kind: Option<&'a str>,
    pub(super) nullable: bool,
    /// Its only values; `None`: any.
    pub(super) values: Option<Vec<&'a Value>>,
    /// The fields, each with the schemas of which one has to fit.
    pub(super) properties: BTreeMap<&'a str, Vec<&'a AnswerSchema>>,
    pub(super) required: BTreeSet<&'a str>,
    /// The schemas of fields of other names.
    pub(super) further: Vec<&'a AnswerSchema>,
    /// Whether the description says that there are fields of other names.
    pub(super) is_open: bool,
    pub(super) items: Vec<&'a AnswerSchema>,
    /// Whether it stands for what is not followed.
    is_unknown: bool,
}

/// The forms of schemas, each made once.
pub(super) struct Forms<'a> {
    answers: &'a DescribedAnswers,
    made: HashMap<*const AnswerSchema, Rc<Vec<Form<'a>>>>,
}

impl<'a> Forms<'a> {
    pub(super) fn new(answers: &'a DescribedAnswers) -> Self {
        Self { answers, made: HashMap::new() }
    }

    /// Returns the forms of a schema.
    pub(super) fn of(&mut self, schema: &'a AnswerSchema) -> Rc<Vec<Form<'a>>> {
        let key = std::ptr::from_ref(schema);
        if let Some(made) = self.made.get(&key) {
            return Rc::clone(made);
        }
        let made = Rc::new(self.make(schema, 0));
        self.made.insert(key, Rc::clone(&made));
        made
    }

    fn make(&self, schema: &'a AnswerSchema, depth: usize) -> Vec<Form<'a>> {
        let unknown = || vec![Form { is_unknown: true, is_open: true, nullable: true, ..Form::default() }];
        if depth > DEEPEST {
            return unknown();
        }
        let mut forms = vec![Form::own(schema)];
        if let Some(reference) = &schema.reference {
            let Some(target) = self.answers.schemas.get(reference) else { return unknown() };
            forms = product(&forms, &self.make(target, depth + 1));
        }
        for part in &schema.all_of {
            forms = product(&forms, &self.make(part, depth + 1));
        }
        if !schema.any_of.is_empty() {
            let alternatives: Vec<Form<'a>> =
                schema.any_of.iter().flat_map(|part| self.make(part, depth + 1)).collect();
            forms = product(&forms, &alternatives);
        }
        if forms.len() > MOST_FORMS { unknown() } else { forms }
    }
}

/// Each form of one side with each of the other, both holding.
fn product<'a>(a: &[Form<'a>], b: &[Form<'a>]) -> Vec<Form<'a>> {
    // More would count as any; the product need not be made to its end.
    let pairs = a.iter().flat_map(|one| b.iter().map(move |other| (one, other)));
    pairs.take(MOST_FORMS + 1).map(|(one, other)| one.with(other)).collect()
}

impl<'a> Form<'a> {
    fn own(schema: &'a AnswerSchema) -> Self {
        let properties = schema.properties.iter().map(|(name, schema)| (name.as_str(), vec![schema]));
        let further = match &schema.further {
            Some(Further::Of(further)) => vec![&**further],
            _ => Vec::new(),
        };
        Self {
            kind: schema.kind.as_deref(),
            nullable: schema.nullable,
            values: (!schema.values.is_empty()).then(|| schema.values.iter().collect()),
            properties: properties.collect(),
            required: schema.required.iter().map(String::as_str).collect(),
            further,
            is_open: schema.further == Some(Further::Any(true)),
            items: schema.items.iter().map(|items| &**items).collect(),
            is_unknown: false,
        }
    }

    fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.kind = self.kind.or(other.kind);
        both.nullable |= other.nullable;
        both.values = self.values.clone().or_else(|| other.values.clone());
        for (name, schemas) in &other.properties {
            both.properties.entry(name).or_default().extend(schemas);
        }
        both.required.extend(&other.required);
        both.further.extend(&other.further);
        both.is_open |= other.is_open;
        both.items.extend(&other.items);
        both.is_unknown |= other.is_unknown;
        both
    }

    /// Returns whether nothing is said of the value.
    pub(super) fn is_any(&self) -> bool {
        let says_nothing = self.kind.is_none() && self.values.is_none() && self.properties.is_empty();
        self.is_unknown || says_nothing && self.items.is_empty() && self.further.is_empty()
    }

    /// Returns the type, stated or not.
    pub(super) fn kind(&self) -> Option<&'a str> {
        self.kind.or_else(|| {
            let is_object = !self.properties.is_empty() || !self.further.is_empty();
            if is_object {
                Some("object")
            } else if self.items.is_empty() {
                None
            } else {
                Some("array")
            }
        })
    }

    /// Returns whether a value of this type can have the form.
    pub(super) fn accepts(&self, kind: &str) -> bool {
        match self.kind() {
            _ if kind == "null" && self.nullable => true,
            None => true,
            Some("number") => matches!(kind, "number" | "integer"),
            Some(stated) => stated == kind,
        }
    }

    /// Returns whether fields of other names are expected.
    pub(super) fn takes_any_name(&self) -> bool {
        self.is_unknown || self.is_open || self.properties.is_empty()
    }
}

//! What is known of a value before it is there: an input, an answer, an output, or what is made of them.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::lower::resolved::SchemaType;
use crate::read::workflows::expression::pointer_steps;
use toolwright_model::answers::{AnswerSchema, DescribedValue, Further, Reached};

/// What is known of a value.
#[derive(Debug, Clone)]
pub(super) enum Shape<'a> {
    /// Nothing.
    Any,
    /// A scalar of this type.
    Scalar(SchemaType),
    /// What a schema states.
    Described(DescribedValue<'a>),
    /// A list of such values.
    List(Rc<Shape<'a>>),
    /// An object with these fields and no others.
    Object(Rc<[(String, Shape<'a>)]>),
}

/// A step into a value that has no such part.
#[derive(Debug)]
pub(super) struct UnknownStep {
    pub(super) step: String,
    /// What there is instead.
    pub(super) known: Vec<String>,
}

impl Shape<'_> {
    /// The shape of a constant.
    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Any,
            Value::Bool(_) => Self::Scalar(SchemaType::Boolean),
            Value::Number(number) if number.is_i64() || number.is_u64() => Self::Scalar(SchemaType::Integer),
            Value::Number(_) => Self::Scalar(SchemaType::Number),
            Value::String(_) => Self::Scalar(SchemaType::String),
            Value::Array(items) => Self::List(Rc::new(items.first().map_or(Self::Any, Self::of_value))),
            Value::Object(object) => {
                Self::Object(object.iter().map(|(name, value)| (name.clone(), Self::of_value(value))).collect())
            }
        }
    }

    /// Returns what a JSON pointer leads to.
    pub(super) fn at(&self, pointer: &str) -> Result<Self, UnknownStep> {
        let mut here = self.clone();
        for step in pointer_steps(pointer) {
            here = here.step(&step).map_err(|known| UnknownStep { step, known })?;
        }
        Ok(here)
    }

    /// Returns the part of a name, or the item of a number; what there is instead if there is none.
    fn step(&self, name: &str) -> Result<Self, Vec<String>> {
        match self {
            Self::Any => Ok(Self::Any),
            Self::Described(value) => match value.step(name) {
                Reached::Known(value) => Ok(Self::Described(value)),
                Reached::Open => Ok(Self::Any),
                Reached::Unknown(known) => Err(known),
            },
            Self::List(item) if name.bytes().all(|byte| byte.is_ascii_digit()) => Ok((**item).clone()),
            Self::Scalar(_) | Self::List(_) => Err(Vec::new()),
            Self::Object(fields) => fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, shape)| shape.clone())
                .ok_or_else(|| fields.iter().map(|(field, _)| field.clone()).collect()),
        }
    }

    /// Returns what the values of a list are; `None` where it can be no list.
    pub(super) fn item(&self) -> Option<Self> {
        match self {
            Self::Any => Some(Self::Any),
            Self::List(item) => Some((**item).clone()),
            Self::Described(value) => match value.items() {
                _ if !self.may_be("array") => None,
                Reached::Known(item) => Some(Self::Described(item)),
                Reached::Open | Reached::Unknown(_) => Some(Self::Any),
            },
            Self::Scalar(_) | Self::Object(_) => None,
        }
    }

    /// Returns the types that it may have; none where it may have any.
    pub(super) fn kinds(&self) -> BTreeSet<&str> {
        match self {
            Self::Any => BTreeSet::new(),
            Self::Scalar(kind) => BTreeSet::from([kind.as_str()]),
            Self::Described(value) => value.kinds(),
            Self::List(_) => BTreeSet::from(["array"]),
            Self::Object(_) => BTreeSet::from(["object"]),
        }
    }

    /// Returns whether it may have a type; integers are numbers, and descriptions call whole numbers either.
    pub(super) fn may_be(&self, kind: &str) -> bool {
        let same = |known: &&str| *known == kind || is_number(known) && is_number(kind);
        let kinds = self.kinds();
        kinds.is_empty() || kinds.iter().any(same)
    }

    /// Returns whether it may be a text, a number or a truth value.
    pub(super) fn may_be_scalar(&self) -> bool {
        ["string", "number", "boolean"].iter().any(|kind| self.may_be(kind))
    }

    /// Returns whether two values may have a type in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let kinds = self.kinds();
        kinds.is_empty() || kinds.iter().any(|kind| other.may_be(kind))
    }

    /// Returns the types in words, for a message.
    pub(super) fn in_words(&self) -> String {
        let words = self.kinds().into_iter().map(|kind| match kind {
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "`true` or `false`",
            "string" => "a text",
            "array" => "a list",
            _ => "an object",
        });
        words.collect::<Vec<_>>().join(" or ")
    }

    /// Returns its fields with what each is; of a list, those of its values.
    pub(super) fn fields(&self) -> Vec<(String, Self)> {
        match self {
            Self::Object(fields) => fields.to_vec(),
            Self::List(item) => item.fields(),
            Self::Described(value) => {
                let names: Vec<String> = value.fields().into_iter().map(str::to_owned).collect();
                if names.is_empty() {
                    return self
                        .item()
                        .filter(|item| !matches!(item, Self::Any))
                        .map(|item| item.fields())
                        .unwrap_or_default();
                }
                names.into_iter().filter_map(|name| Some((name.clone(), self.step(&name).ok()?))).collect()
            }
            Self::Any | Self::Scalar(_) => Vec::new(),
        }
    }

    /// Returns what a name leads to, through lists.
    pub(super) fn named(&self, name: &str) -> Result<Self, Vec<String>> {
        match self {
            Self::List(item) => item.named(name),
            Self::Described(value) if !value.kinds().is_empty() && !self.may_be("object") => {
                self.item().map_or_else(|| Err(Vec::new()), |item| item.named(name))
            }
            _ => self.step(name),
        }
    }
}

fn is_number(kind: &str) -> bool {
    matches!(kind, "integer" | "number")
}

/// Returns a portable schema as answers are described.
pub(super) fn described(schema: &Map<String, Value>) -> AnswerSchema {
    let object = |value: &Value| value.as_object().map(described);
    let texts = |key: &str| {
        let texts = schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    AnswerSchema {
        kind: schema.get("type").and_then(Value::as_str).map(str::to_owned),
        values: schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
        properties: properties.filter_map(|(name, part)| Some((name.clone(), object(part)?))).collect(),
        required: texts("required"),
        further: match schema.get("additionalProperties") {
            Some(Value::Bool(any)) => Some(Further::Any(*any)),
            Some(further) => object(further).map(|further| Further::Of(Box::new(further))),
            None => None,
        },
        items: schema.get("items").and_then(object).map(Box::new),
        ..AnswerSchema::default()
    }
}

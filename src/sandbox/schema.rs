//! JSON Schemas of the table → validators, compiled at first use, and shapes that guide the reading of text.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::{Draft, Validator};
use serde::Deserialize;
use serde_json::Value;

use super::problem::RequestProblem;

/// A schema of the table.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct TableSchema {
    value: Value,
    #[serde(skip)]
    shape: OnceLock<ValueShape>,
    #[serde(skip)]
    validator: OnceLock<Result<Validator, String>>,
}

impl TableSchema {
    pub(super) fn shape(&self) -> &ValueShape {
        self.shape.get_or_init(|| ValueShape::of(&self.value))
    }

    /// Adds to `problems` where `instance`, the value of `place`, does not fit.
    pub(super) fn check(&self, place: &str, instance: &Value, problems: &mut Vec<RequestProblem>) {
        match self.validator.get_or_init(|| compile(&self.value)) {
            Err(reason) => {
                problems.push(RequestProblem::new(place, format!("the table's schema does not compile: {reason}")));
            }
            Ok(validator) if validator.is_valid(instance) => {}
            Ok(validator) => problems.extend(validator.iter_errors(instance).map(|error| {
                let mut place = place.to_owned();
                place.push_str(&error.instance_path().as_str().replace('/', "."));
                RequestProblem::new(&place, error.to_string()).found(error.instance())
            })),
        }
    }
}

fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("date-time", is_date_time)
        .build(schema)
        .map_err(|error| error.to_string())
}

/// Whether the schema is composed of others.
pub(super) fn is_composed(schema: &Value) -> bool {
    ["allOf", "anyOf", "oneOf"].iter().any(|key| schema.get(*key).is_some())
}

/// Accepts RFC 3339 and offsets without a colon (`+0000`), as some vendors require them.
fn is_date_time(text: &str) -> bool {
    static STRICT: OnceLock<Option<Validator>> = OnceLock::new();
    let strict = STRICT.get_or_init(|| {
        let schema = serde_json::json!({ "format": "date-time" });
        jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(&schema).ok()
    });
    let mut text = text.to_owned();
    if let Some(offset) = text.len().checked_sub(5)
        && text.is_ascii()
        && text[offset..].starts_with(['+', '-'])
        && !text[offset..].contains(':')
    {
        text.insert(offset + 3, ':');
    }
    strict.as_ref().is_none_or(|strict| strict.is_valid(&Value::String(text)))
}

/// The type names of JSON Schema, as a set.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct TypeSet(u8);

impl TypeSet {
    const STRING: Self = Self(1);
    const INTEGER: Self = Self(2);
    const NUMBER: Self = Self(4);
    const BOOLEAN: Self = Self(8);
    const ARRAY: Self = Self(16);
    const OBJECT: Self = Self(32);

    fn named(name: &str) -> Self {
        match name {
            "string" => Self::STRING,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "boolean" => Self::BOOLEAN,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::default(),
        }
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::default(),
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The types as which a text has to be read to fit the schema; compositions are merged into one.
#[derive(Default)]
pub(super) struct ValueShape {
    kinds: TypeSet,
    binary: bool,
    items: Option<Box<ValueShape>>,
    properties: BTreeMap<String, ValueShape>,
    rest: Option<Box<ValueShape>>,
    closed: bool,
}

/// The shape of a value that no schema describes.
static ANY: ValueShape = ValueShape {
    kinds: TypeSet(0),
    binary: false,
    items: None,
    properties: BTreeMap::new(),
    rest: None,
    closed: false,
};

impl ValueShape {
    fn of(schema: &Value) -> Self {
        let mut shape = Self::default();
        shape.merge(schema);
        shape
    }

    fn merge(&mut self, schema: &Value) {
        match schema.get("type") {
            Some(Value::String(name)) => self.kinds.add(TypeSet::named(name)),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).for_each(|name| self.kinds.add(TypeSet::named(name)));
            }
            _ => {
                let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
                values.chain(schema.get("const")).for_each(|value| self.kinds.add(TypeSet::of(value)));
            }
        }
        self.binary |= schema.get("format").is_some_and(|format| format == "binary");
        if let Some(items) = schema.get("items") {
            self.kinds.add(TypeSet::ARRAY);
            self.items.get_or_insert_default().merge(items);
        }
        if let Some(Value::Object(properties)) = schema.get("properties") {
            self.kinds.add(TypeSet::OBJECT);
            for (name, property) in properties {
                self.properties.entry(name.clone()).or_default().merge(property);
            }
        }
        for key in ["additionalProperties", "unevaluatedProperties"] {
            match schema.get(key) {
                Some(Value::Bool(false)) => self.closed = true,
                Some(rest) => self.rest.get_or_insert_default().merge(rest),
                None => {}
            }
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = schema.get(key) {
                for branch in branches {
                    self.merge(branch);
                }
            }
        }
    }

    pub(super) fn is_array(&self) -> bool {
        self.kinds.has(TypeSet::ARRAY)
    }

    pub(super) fn is_object(&self) -> bool {
        self.kinds.has(TypeSet::OBJECT)
    }

    /// Whether any type is accepted.
    pub(super) fn is_any(&self) -> bool {
        self.kinds == TypeSet::default()
    }

    /// Whether a text, number or flag is accepted.
    pub(super) fn takes_scalar(&self) -> bool {
        let scalars = TypeSet::STRING.0 | TypeSet::INTEGER.0 | TypeSet::NUMBER.0 | TypeSet::BOOLEAN.0;
        self.kinds.has(TypeSet(scalars))
    }

    /// Whether the value is a file.
    pub(super) fn is_binary(&self) -> bool {
        self.binary
    }

    pub(super) fn items(&self) -> &ValueShape {
        self.items.as_deref().unwrap_or(&ANY)
    }

    pub(super) fn property(&self, name: &str) -> &ValueShape {
        self.properties.get(name).or(self.rest.as_deref()).unwrap_or(&ANY)
    }

    pub(super) fn property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.keys().map(String::as_str)
    }

    /// Whether an object takes properties of any name.
    pub(super) fn is_open(&self) -> bool {
        self.rest.is_some() || (self.properties.is_empty() && !self.closed)
    }

    /// Reads a text as the schema's type; any other text stays a string, which the validator reports.
    pub(super) fn scalar(&self, text: &str) -> Value {
        if self.kinds.has(TypeSet(TypeSet::INTEGER.0 | TypeSet::NUMBER.0)) {
            if let Ok(number) = text.parse::<i64>()
                && !text.starts_with('+')
            {
                return number.into();
            }
            // A whole number may have any number of digits.
            let is_whole = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
            if (is_whole || self.kinds.has(TypeSet::NUMBER))
                && let Ok(number @ Value::Number(_)) = serde_json::from_str(text)
            {
                return number;
            }
        }
        match text {
            "true" if self.kinds.has(TypeSet::BOOLEAN) => Value::Bool(true),
            "false" if self.kinds.has(TypeSet::BOOLEAN) => Value::Bool(false),
            _ => Value::String(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_read_as_the_type_of_the_schema() {
        let cases = [
            (json!({"type": "integer"}), "12", json!(12)),
            (json!({"type": "integer"}), "1.5", json!("1.5")),
            (json!({"type": "integer"}), "18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            (json!({"type": "integer"}), "-", json!("-")),
            (json!({"type": "integer"}), "+1", json!("+1")),
            (json!({"type": "number"}), "1.5", json!(1.5)),
            (json!({"type": "number"}), "NaN", json!("NaN")),
            (json!({"type": "boolean"}), "true", json!(true)),
            (json!({"type": "boolean"}), "True", json!("True")),
            (json!({"type": "string"}), "12", json!("12")),
            (json!({"type": ["integer", "null"]}), "3", json!(3)),
            (json!({"enum": [1, 2]}), "2", json!(2)),
            (json!({"allOf": [{"type": "integer"}]}), "4", json!(4)),
            (json!({}), "5", json!("5")),
        ];
        for (schema, text, expected) in cases {
            assert_eq!(ValueShape::of(&schema).scalar(text), expected, "{schema} {text}");
        }
    }

    #[test]
    fn date_times_may_have_an_offset_without_colon() {
        let cases = [
            ("2021-01-17T12:34:00Z", true),
            ("2021-01-17T12:34:00.000+02:00", true),
            ("2021-01-17T12:34:00.000+0000", true),
            ("2021-01-17 12:34", false),
            ("2021-01-17", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_date_time(text), expected, "{text}");
        }
    }
}

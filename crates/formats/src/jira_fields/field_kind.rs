//! A value as people write it, such as the name of an option → the shape that a field of its kind
//! takes. Values that have a shape already pass as they are.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Number, Value, json};

use crate::adf::{self, PEOPLE};
use crate::error::{FormatError, short};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    One(ValueKind),
    List(ValueKind),
}

/// What a value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// Text of several lines, as a document.
    RichText,
    /// One of the values that the field offers, by its text.
    Choice,
    /// The same with a second one below it.
    ChoiceWithChild,
    /// A record of the site, by its name or id.
    Named,
    User,
    Project,
    Issue,
    Number,
    Date,
    /// A word.
    Label,
    /// Whatever else; nothing is known of its shape.
    Other,
}

/// What the fields hold that every site has, as far as a text is not what they take.
const SYSTEM: [(&str, FieldKind); 15] = [
    ("assignee", FieldKind::One(ValueKind::User)),
    ("components", FieldKind::List(ValueKind::Named)),
    ("description", FieldKind::One(ValueKind::RichText)),
    ("duedate", FieldKind::One(ValueKind::Date)),
    ("environment", FieldKind::One(ValueKind::RichText)),
    ("fixVersions", FieldKind::List(ValueKind::Named)),
    ("issuetype", FieldKind::One(ValueKind::Named)),
    ("labels", FieldKind::List(ValueKind::Label)),
    ("parent", FieldKind::One(ValueKind::Issue)),
    ("priority", FieldKind::One(ValueKind::Named)),
    ("project", FieldKind::One(ValueKind::Project)),
    ("reporter", FieldKind::One(ValueKind::User)),
    ("resolution", FieldKind::One(ValueKind::Named)),
    ("security", FieldKind::One(ValueKind::Named)),
    ("versions", FieldKind::List(ValueKind::Named)),
];

/// The fields of [`SYSTEM`] that take a text in place of the object or list that they are described as.
pub(super) const OPEN: [&str; 13] = [
    "assignee",
    "components",
    "description",
    "environment",
    "fixVersions",
    "issuetype",
    "parent",
    "priority",
    "project",
    "reporter",
    "resolution",
    "security",
    "versions",
];

/// The fields of [`SYSTEM`] that hold a document.
pub(super) const RICH_TEXT: [&str; 2] = ["description", "environment"];

impl FieldKind {
    /// Returns what a field holds that every site has.
    pub(super) fn of_system(id: &str) -> Option<Self> {
        SYSTEM.iter().find(|(name, _)| *name == id).map(|(_, kind)| *kind)
    }

    /// Returns what a field holds, by the `schema` that the list of fields has.
    pub(super) fn of_schema(schema: &Value) -> Self {
        let text = |key: &str| schema[key].as_str().unwrap_or_default();
        let (kind, items, custom) = (text("type"), text("items"), text("custom"));
        match kind {
            _ if custom.ends_with(":textarea") => Self::One(ValueKind::RichText),
            "array" if items == "string" && custom.ends_with(":labels") => Self::List(ValueKind::Label),
            "array" => Self::List(ValueKind::of(items)),
            kind => Self::One(ValueKind::of(kind)),
        }
    }

    /// Writes a whole value of the field.
    pub(super) fn write(
        self,
        value: Value,
        tools: &BTreeMap<String, String>,
        notes: &mut Vec<String>,
    ) -> Result<Value, FormatError> {
        match (self, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Self::One(kind), value) => kind.write(value, tools, notes),
            (Self::List(ValueKind::Other), value) => Ok(value),
            (Self::List(kind), value) => {
                let items = kind.items(value)?.into_iter().enumerate();
                let write = |(index, item)| {
                    kind.write(item, tools, notes).map_err(|error: FormatError| error.below(&format!("[{index}]")))
                };
                items.map(write).collect()
            }
        }
    }
}

impl ValueKind {
    fn of(name: &str) -> Self {
        match name {
            "option" => Self::Choice,
            "option-with-child" => Self::ChoiceWithChild,
            "component" | "issuetype" | "priority" | "resolution" | "securitylevel" | "version" => Self::Named,
            "user" => Self::User,
            "project" => Self::Project,
            "number" => Self::Number,
            "date" => Self::Date,
            _ => Self::Other,
        }
    }

    /// Returns the items of a list. A single value is a list of one.
    fn items(self, value: Value) -> Result<Vec<Value>, FormatError> {
        match with_shape(value) {
            Value::Array(items) => Ok(items),
            Value::String(text) => match self {
                // No id of an account has a comma.
                Self::User => {
                    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                    Ok(parts.map(Value::from).collect())
                }
                _ if text.contains(',') => {
                    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
                    let (several, one) = (json!(parts), json!([text.trim()]));
                    let expected = format!("a list, written as `{several}` for several values or `{one}` for one");
                    Err(FormatError::new(expected, short(&text)))
                }
                _ => Ok(vec![Value::from(text)]),
            },
            one => Ok(vec![one]),
        }
    }

    /// Writes one value.
    pub(super) fn write(
        self,
        value: Value,
        tools: &BTreeMap<String, String>,
        notes: &mut Vec<String>,
    ) -> Result<Value, FormatError> {
        if value.is_null() || self == Self::Other {
            return Ok(value);
        }
        if self == Self::RichText {
            return adf::to_document(value, tools, notes);
        }
        match (self, with_shape(value)) {
            (Self::Choice | Self::ChoiceWithChild, Value::String(text)) => Ok(json!({"value": text.trim()})),
            (Self::ChoiceWithChild, Value::Array(levels)) => Ok(with_child(levels)),
            (Self::Named, value) => Ok(reference(value, "name")),
            (Self::Project | Self::Issue, value) => Ok(reference(value, "key")),
            (Self::User, Value::String(text)) => account(text.trim(), tools),
            (Self::Number, Value::String(text)) => Ok(number(&text).map_or(Value::String(text), Value::Number)),
            (Self::Date, Value::String(text)) => {
                let text = text.trim();
                let moment = DateTime::parse_from_rfc3339(text);
                Ok(Value::from(moment.map_or_else(|_| text.to_owned(), |moment| moment.format("%Y-%m-%d").to_string())))
            }
            (Self::Label, Value::Number(label)) => Ok(Value::from(label.to_string())),
            (Self::Label, Value::String(label)) if label.trim().contains(char::is_whitespace) => {
                Err(FormatError::new("a label, which has no space", short(&label)))
            }
            (_, value) => Ok(value),
        }
    }
}

/// Returns the object or list that a JSON text holds; any other value as it is.
fn with_shape(value: Value) -> Value {
    let text = value.as_str().filter(|text| text.trim_start().starts_with(['{', '[']));
    let parsed = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    parsed.filter(|parsed| parsed.is_object() || parsed.is_array()).unwrap_or(value)
}

/// A number is an id; any other text is a name or key.
pub(super) fn reference(value: Value, key: &str) -> Value {
    let text = match &value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(id) => id.to_string(),
        _ => return value,
    };
    let is_id = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_id { json!({"id": text}) } else { json!({key: text}) }
}

/// `["Hardware", "Laptop"]`.
fn with_child(levels: Vec<Value>) -> Value {
    match levels.as_slice() {
        [Value::String(value)] => json!({"value": value}),
        [Value::String(value), Value::String(child)] => json!({"value": value, "child": {"value": child}}),
        _ => Value::Array(levels),
    }
}

fn account(text: &str, tools: &BTreeMap<String, String>) -> Result<Value, FormatError> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '@') {
        let source = tools.get(PEOPLE).map(|tool| format!(" from {tool}")).unwrap_or_default();
        return Err(FormatError::new(format!("an accountId{source}, no name and no e-mail address"), short(text)));
    }
    Ok(json!({"accountId": text}))
}

fn number(text: &str) -> Option<Number> {
    serde_json::from_str(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "schemas are written where they are passed")]
    fn kind(schema: Value) -> FieldKind {
        FieldKind::of_schema(&schema)
    }

    fn written(kind: FieldKind, value: Value) -> Result<Value, FormatError> {
        kind.write(value, &BTreeMap::from([(PEOPLE.to_owned(), "acme_find_people".to_owned())]), &mut Vec::new())
    }

    #[test]
    fn a_text_takes_the_shape_of_its_field() {
        let custom = |name: &str| format!("com.example.customfieldtypes:{name}");
        let list = |items: &str| kind(json!({"type": "array", "items": items}));
        for (kind, given, expected) in [
            (kind(json!({"type": "string", "custom": custom("textarea")})), json!("a"), adf::document("a")),
            (kind(json!({"type": "string", "custom": custom("textfield")})), json!("*a*"), json!("*a*")),
            (kind(json!({"type": "option"})), json!("High"), json!({"value": "High"})),
            (kind(json!({"type": "option"})), json!({"id": "5"}), json!({"id": "5"})),
            (list("option"), json!("Paris"), json!([{"value": "Paris"}])),
            (list("option"), json!(["a, b", {"id": "5"}]), json!([{"value": "a, b"}, {"id": "5"}])),
            (kind(json!({"type": "option-with-child"})), json!("A"), json!({"value": "A"})),
            (
                kind(json!({"type": "option-with-child"})),
                json!(["A", "B"]),
                json!({"value": "A", "child": {"value": "B"}}),
            ),
            (kind(json!({"type": "user"})), json!("5b:1"), json!({"accountId": "5b:1"})),
            (list("user"), json!("5b:1, 5b:2"), json!([{"accountId": "5b:1"}, {"accountId": "5b:2"}])),
            (kind(json!({"type": "number"})), json!("2.5"), json!(2.5)),
            (kind(json!({"type": "number"})), json!("many"), json!("many")),
            (kind(json!({"type": "date"})), json!("2026-11-20"), json!("2026-11-20")),
            (kind(json!({"type": "date"})), json!("2026-11-20T23:30:00+01:00"), json!("2026-11-20")),
            (kind(json!({"type": "version"})), json!("1.0"), json!({"name": "1.0"})),
            (list("version"), json!(["10010"]), json!([{"id": "10010"}])),
            (kind(json!({"type": "array", "items": "string", "custom": custom("labels")})), json!("a"), json!(["a"])),
            (list("json"), json!("x, y"), json!("x, y")),
            (kind(json!({"type": "any"})), json!("ABC-1"), json!("ABC-1")),
            (kind(json!(null)), json!("x"), json!("x")),
        ] {
            assert_eq!(written(kind, given.clone()), Ok(expected), "{given}");
            assert_eq!(written(kind, Value::Null), Ok(Value::Null));
        }
        for (id, given, expected) in [
            ("priority", json!("High"), json!({"name": "High"})),
            ("priority", json!(3), json!({"id": "3"})),
            ("priority", json!("{\"name\": \"High\"}"), json!({"name": "High"})),
            ("components", json!("Network"), json!([{"name": "Network"}])),
            ("components", json!([{"name": "a"}, "b"]), json!([{"name": "a"}, {"name": "b"}])),
            ("project", json!("HELP"), json!({"key": "HELP"})),
            ("parent", json!("HELP-1"), json!({"key": "HELP-1"})),
            ("labels", json!("a"), json!(["a"])),
            ("labels", json!(["a", 5]), json!(["a", "5"])),
            ("description", json!("*a*"), adf::document("*a*")),
        ] {
            assert_eq!(written(FieldKind::of_system(id).unwrap(), given.clone()), Ok(expected), "{id} {given}");
        }
    }

    #[test]
    fn what_may_mean_several_things_is_refused() {
        let list = |items: &str| kind(json!({"type": "array", "items": items}));
        for (kind, given, expected) in [
            (list("option"), json!("Network, Printers"), "for several values or"),
            (kind(json!({"type": "user"})), json!("Ann Lee"), "an accountId from acme_find_people"),
            (list("user"), json!(["ann@example.com"]), "an accountId"),
            (FieldKind::List(ValueKind::Label), json!(["two words"]), "has no space"),
            (FieldKind::List(ValueKind::Label), json!("two words"), "has no space"),
            (FieldKind::List(ValueKind::Label), json!("vpn,new"), "for several values or"),
            (FieldKind::One(ValueKind::RichText), json!(5), "Markdown, or an ADF document"),
        ] {
            let error = written(kind, given.clone()).unwrap_err();
            assert!(error.expected.contains(expected), "{given}: {error:?}");
        }
        assert_eq!(written(list("user"), json!(["5b:1", "a b"])).unwrap_err().at, "[1]");
    }
}

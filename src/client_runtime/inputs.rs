//! Arguments by their place in the request → typed parameters and bodies. What is taken twice,
//! missing, of another type or left over is an error: it would be lost on the way.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use toolwright_model::Place;

use super::CallError;

/// The arguments of one call, by their place in the request and by the description's names.
#[derive(Debug, Default)]
pub struct Inputs {
    pub(super) path: Map<String, Value>,
    pub(super) query: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
    pub(super) body: Option<Value>,
}

impl Inputs {
    /// Inserts a value at its place.
    pub fn insert(&mut self, place: &Place, value: Value) {
        match place {
            Place::Path(name) => self.path.insert(name.clone(), value),
            Place::Query(name) => self.query.insert(name.clone(), value),
            Place::Header(name) => self.headers.insert(name.clone(), value),
            Place::Property(name) => self.properties().insert(name.clone(), value),
            Place::Properties => {
                let properties = self.properties();
                if let Value::Object(entries) = value {
                    for (name, entry) in entries {
                        // A property with an argument of its own keeps that argument's value.
                        properties.entry(name).or_insert(entry);
                    }
                }
                None
            }
            Place::Body => self.body.replace(value),
        };
    }

    fn properties(&mut self) -> &mut Map<String, Value> {
        let body = self.body.get_or_insert_with(|| Value::Object(Map::new()));
        if !body.is_object() {
            *body = Value::Object(Map::new());
        }
        body.as_object_mut().expect("made an object just now")
    }

    /// Takes a path parameter; refuses one that would change the path.
    ///
    /// # Errors
    /// It is missing, of another type, or not a segment of a path.
    pub fn path<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, CallError> {
        let value = required(name, self.path.shift_remove(name))?;
        check_segment(name, &text(&value))?;
        typed(name, value)
    }

    /// Takes an optional query parameter.
    ///
    /// # Errors
    /// It is of another type.
    pub fn query<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CallError> {
        self.query.shift_remove(name).map(|value| typed(name, value)).transpose()
    }

    /// Takes a required query parameter.
    ///
    /// # Errors
    /// It is missing or of another type.
    pub fn required_query<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, CallError> {
        required(name, self.query(name)?)
    }

    /// Takes an optional header.
    ///
    /// # Errors
    /// It is of another type.
    pub fn header<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CallError> {
        self.headers.shift_remove(name).map(|value| typed(name, value)).transpose()
    }

    /// Takes a required header.
    ///
    /// # Errors
    /// It is missing or of another type.
    pub fn required_header<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, CallError> {
        required(name, self.header(name)?)
    }

    /// Takes a list from the query as one text with separators.
    ///
    /// # Errors
    /// A value contains the separator.
    pub fn joined(&mut self, name: &str, separator: char) -> Result<Option<String>, CallError> {
        self.query.shift_remove(name).map(|value| join(name, &value, separator)).transpose()
    }

    /// Takes a query parameter as JSON text.
    ///
    /// # Errors
    /// Never; generated code treats all of these alike.
    pub fn json_text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        Ok(self.query.shift_remove(name).map(|value| value.to_string()))
    }

    /// Takes the body. Where all its fields are optional and missing it is an empty object: the
    /// vendor expects a body, and the arguments are validated already.
    ///
    /// # Errors
    /// Never; generated code treats all of these alike.
    pub fn json(&mut self) -> Result<Value, CallError> {
        Ok(self.body.take().unwrap_or_else(|| Value::Object(Map::new())))
    }

    /// Takes the body as a form; lists and objects are sent as JSON text.
    ///
    /// # Errors
    /// The body is not an object.
    pub fn form(&mut self) -> Result<Value, CallError> {
        match self.body.take() {
            None => Ok(Value::Object(Map::new())),
            Some(Value::Object(fields)) => {
                Ok(Value::Object(fields.into_iter().map(|(name, value)| (name, Value::String(text(&value)))).collect()))
            }
            Some(_) => Err(CallError::NotSent("the body must be an object".to_owned())),
        }
    }

    /// Checks that every value was taken.
    ///
    /// # Errors
    /// One is left: the request would be sent without it.
    pub fn finish(&self) -> Result<(), CallError> {
        let left = self.path.keys().chain(self.query.keys()).chain(self.headers.keys()).next().map(String::as_str);
        match left.or(self.body.as_ref().map(|_| "body")) {
            Some(name) => Err(CallError::Internal(format!("the operation does not take `{name}`"))),
            None => Ok(()),
        }
    }
}

/// Returns a required value.
///
/// # Errors
/// It is missing.
pub fn required<T>(name: &str, value: Option<T>) -> Result<T, CallError> {
    value.ok_or_else(|| CallError::NotSent(format!("`{name}` is missing")))
}

fn typed<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, CallError> {
    serde_json::from_value(value).map_err(|error| CallError::NotSent(format!("`{name}` is of another type: {error}")))
}

/// Writes a value as the text of a path, a query or a form.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Joins a list with `separator`; a scalar is a list of one.
pub(super) fn join(name: &str, value: &Value, separator: char) -> Result<String, CallError> {
    let items = match value {
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>(),
        scalar => return Ok(text(scalar)),
    };
    match items.iter().find(|item| item.contains(separator)) {
        Some(item) => Err(CallError::NotSent(format!(
            "`{name}`: `{item}` contains `{separator}`, which separates the values of the list"
        ))),
        None => Ok(items.join(&separator.to_string())),
    }
}

/// Refuses a path parameter that would not stay one segment of the path.
pub(super) fn check_segment(name: &str, segment: &str) -> Result<(), CallError> {
    let wrong = match segment {
        "" => "is empty",
        "." | ".." => "would lead to another path",
        _ if segment.contains('\\') => "holds a backslash",
        _ if segment.chars().any(char::is_control) => "holds a control character",
        _ => return Ok(()),
    };
    Err(CallError::NotSent(format!("path argument `{name}` {wrong}")))
}

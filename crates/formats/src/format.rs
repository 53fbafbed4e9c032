//! The trait of all formats: a name in an overlay → what the build and the program do with it.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use toolwright_model::Formatted;

use crate::{FormatContext, FormatError, Lookup, RefusedRequest};

/// A written value, or why there is none.
pub type WriteFuture<'a> = Pin<Box<dyn Future<Output = Result<Value, FormatError>> + Send + 'a>>;

/// An explanation, if there is one.
pub type ExplainFuture<'a> = Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>>;

/// A format of the list.
pub type FormatRef = &'static dyn Format;

/// Whether a format calls an operation of the vendor, which an overlay names as `ask`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupUse {
    /// It never does.
    Never,
    /// It does where the overlay names one.
    Optional,
    /// It can't do without.
    Required,
}

/// A format: how a value that a model writes easily becomes one that a vendor takes, and back.
pub trait Format: Sync {
    /// The name in overlays and `tools.json`: kebab-case.
    fn name(&self) -> &'static str;

    /// What it turns into what, in a line for the overlay's JSON Schema.
    fn summary(&self) -> &'static str;

    /// Whether an overlay names an operation that it looks values up with.
    fn lookup_use(&self) -> LookupUse {
        LookupUse::Never
    }

    /// Whether an overlay may name a second operation (`then_ask`), for what the first leaves open.
    fn asks_further(&self) -> bool {
        false
    }

    /// Whether an overlay may state, as `with`, what the operation is asked with besides the path of the call.
    fn asks_with(&self) -> bool {
        false
    }

    /// The operators of a filter in the vendor's spelling; an overlay may restrict them, and the
    /// fields. None where it is no filter.
    fn operators(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it can be the format of a part of an argument, and not only of a whole one.
    fn fits_parts(&self) -> bool {
        self.lookup_use() == LookupUse::Never
    }

    /// Whether it is, where the value is a list, the format of each of the list's values.
    fn of_items(&self) -> bool {
        false
    }

    /// Whether one text that is given for a list of such values is split at this character, a
    /// comma or a space: no value contains it.
    fn splits_at(&self, _formatted: &Formatted, _separator: char) -> bool {
        false
    }

    /// Changes a schema from what the vendor takes to what a model gives.
    ///
    /// # Errors
    /// The kind of schema that the vendor must have for the format to make sense, such as `a list`.
    fn argument_schema(&self, formatted: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str>;

    /// Values that [`Format::write`] takes without a lookup, for an argument of this JSON type.
    /// Tests draw arguments from them.
    fn samples(&self, formatted: &Formatted, argument_type: &str) -> Vec<Value>;

    /// The dotted paths, inside the value, of what a caller may give in another type than the
    /// schema names; an empty one: the value itself.
    fn open_parts(&self) -> &'static [&'static str] {
        &[]
    }

    /// The words for which an overlay may name tools beside the format, for a refusal to name them:
    /// a format knows no tool.
    fn tool_words(&self) -> &'static [&'static str] {
        &[]
    }

    /// Adds to an argument's schema what callers may give in addition where the operator opened a
    /// folder.
    fn offer_folder(&self, _schema: &mut Value) {}

    /// Returns the point in time that a value gives relative to `now`.
    fn resolve_relative_time(&self, _given: &str, _now: SystemTime) -> Option<String> {
        None
    }

    /// Writes a value as the vendor takes it; what the caller should know about it goes to `notes`.
    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a>;

    /// Looks up why the vendor refused a request with this value.
    fn explain<'a>(
        &'a self,
        _value: &'a Value,
        _formatted: &'a Formatted,
        _refused: &'a RefusedRequest<'a>,
        _lookup: &'a dyn Lookup,
    ) -> ExplainFuture<'a> {
        Box::pin(ready(None))
    }

    /// The description of the switch by which a caller gets an answer as the vendor wrote it, at
    /// most 30 characters because every such tool carries it. The switch has the format's name.
    /// `None`: answers can't have this format.
    fn raw_switch(&self) -> Option<&'static str> {
        None
    }

    /// Returns the entries by which an object in an answer is known to be a value of this format; none where answers
    /// hold no such values.
    fn marks(&self) -> &'static [(&'static str, Mark)] {
        &[]
    }

    /// The entry of an answer, beside its records, without which its values can't be read.
    fn beside(&self) -> Option<&'static str> {
        None
    }

    /// Returns such a value in the form that a model reads; `beside` is what [`Format::beside`] names, `null` without it.
    /// `left` is how many bytes all values of an answer may still become; this one takes its part of them.
    fn read(&self, _value: &Value, _beside: &Value, _left: &mut usize) -> ReadValue {
        ReadValue::Text(String::new())
    }
}

/// What a model reads in place of a value in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadValue {
    /// A text.
    Text(String),
    /// A name and its texts: a list of such values becomes one object with an entry for each.
    Entry(String, Vec<String>),
}

/// What an entry is that marks an object as a value of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// This text.
    Text(&'static str),
    /// Any number.
    Number,
    /// Any list.
    List,
}

/// The result of a format that needs no lookup.
pub(crate) fn written<'a>(result: Result<Value, FormatError>) -> WriteFuture<'a> {
    Box::pin(ready(result))
}

impl fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for dyn Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl PartialEq for dyn Format {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Serialize for dyn Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl FromStr for FormatRef {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        crate::find(name).ok_or(())
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for dyn Format {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Format".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = |format: &FormatRef| serde_json::json!({"type": "string", "const": format.name(), "description": format.summary()});
        let names: Vec<Value> = crate::FORMATS.iter().map(name).collect();
        schemars::json_schema!({"oneOf": names, "description": "A format that an overlay can name."})
    }
}

//! Turns the text of one API's table, as `codegen::sandbox_table` emits it, into operations that requests are checked
//! against.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::answer::Answer;
use super::route::Routes;
use super::schema::Schema;
use super::text::{Serialisation, Style};

/// One API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(default, rename = "api")]
    _api: String,
    #[serde(default)]
    security: Vec<Credential>,
    pub(super) operations: Vec<Operation>,
    #[serde(skip)]
    pub(super) routes: Routes,
}

impl Table {
    /// Parses the table.
    ///
    /// # Errors
    /// Says what the emitter would have written otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut table: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (index, operation) in table.operations.iter().enumerate() {
            table.routes.add(&operation.path, &operation.method, index);
        }
        Ok(table)
    }

    /// Returns the ways to prove who asks, any of which will do; none if nothing is asked for.
    pub(super) fn security<'a>(&'a self, operation: &'a Operation) -> &'a [Credential] {
        operation.security.as_deref().unwrap_or(&self.security)
    }
}

/// One operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    #[serde(rename = "operation")]
    pub(super) name: String,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    security: Option<Vec<Credential>>,
    #[serde(default)]
    pub(super) answer: Answer,
}

/// Where a parameter travels.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
    /// A word that OpenAPI 3.0 does not know; such a parameter is not checked.
    #[serde(other)]
    Unknown,
}

impl Place {
    /// The word by which problems name the place.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "headers",
            Self::Cookie => "cookies",
            Self::Unknown => "unknown",
        }
    }
}

/// One parameter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameter {
    #[serde(rename = "in")]
    pub(super) place: Place,
    pub(super) name: String,
    #[serde(default)]
    pub(super) required: bool,
    style: Option<Style>,
    explode: Option<bool>,
    #[serde(default)]
    pub(super) allow_empty: bool,
    /// The media type of a parameter that is a document of its own.
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) schema: Schema,
}

impl Parameter {
    pub(super) fn serialisation(&self) -> Serialisation {
        let style = self.style.unwrap_or(match self.place {
            Place::Query | Place::Cookie => Style::Form,
            _ => Style::Simple,
        });
        Serialisation { style, explode: self.explode.unwrap_or(style == Style::Form) }
    }

    /// Tells whether the value is one JSON text.
    pub(super) fn is_json(&self) -> bool {
        self.content.as_deref().is_some_and(super::body::is_json)
    }
}

/// The body of an operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    #[serde(default)]
    pub(super) required: bool,
    pub(super) content: BTreeMap<String, Media>,
}

/// One representation of a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Media {
    #[serde(default)]
    pub(super) schema: Schema,
    #[serde(default)]
    encoding: BTreeMap<String, Encoding>,
}

impl Media {
    /// Returns how a field of a form is written.
    pub(super) fn serialisation(&self, field: &str) -> Serialisation {
        let encoding = self.encoding.get(field);
        let style = encoding.and_then(|encoding| encoding.style).unwrap_or(Style::Form);
        let explode = encoding.and_then(|encoding| encoding.explode).unwrap_or(style == Style::Form);
        Serialisation { style, explode }
    }

    /// Tells whether the description says how a field of a form is written.
    pub(super) fn has_style(&self, field: &str) -> bool {
        self.encoding.get(field).is_some_and(|encoding| encoding.style.is_some() || encoding.explode.is_some())
    }

    /// Tells whether a field of a form is one JSON text.
    pub(super) fn is_json(&self, field: &str) -> bool {
        let encoding = self.encoding.get(field);
        encoding.and_then(|encoding| encoding.content_type.as_deref()).is_some_and(super::body::is_json)
    }
}

/// What the description says of one field of a form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoding {
    content_type: Option<String>,
    style: Option<Style>,
    explode: Option<bool>,
}

/// A way to prove who asks.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Credential {
    Bearer,
    Basic,
    Header { name: String },
    Query { name: String },
    Cookie { name: String },
    All { of: Vec<Credential> },
    None,
}

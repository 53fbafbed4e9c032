//! The text of one API's sandbox table, as the generator emits it → the operations that requests are checked against.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::answer::DescribedAnswer;
use super::route::Routes;
use super::schema::TableSchema;
use super::text::{ParameterStyle, Serialisation};
use toolwright_model::PagingStyle;
use toolwright_model::media_type::is_json;

/// One API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SandboxTable {
    #[serde(default, rename = "api")]
    _api: String,
    #[serde(default)]
    security: Vec<SecurityScheme>,
    /// How listings page.
    #[serde(default)]
    pub(super) paging: Vec<PagingStyle>,
    pub(super) operations: Vec<TableOperation>,
    /// The paths below each address; those of the API's own address have an empty one.
    #[serde(skip)]
    pub(super) routes: BTreeMap<String, Routes>,
}

impl SandboxTable {
    /// Parses the table.
    ///
    /// # Errors
    /// The reason why the text is not what the generator writes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut table: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (index, operation) in table.operations.iter().enumerate() {
            let server = operation.server.clone().unwrap_or_default();
            table.routes.entry(server).or_default().add(&operation.path, &operation.method, index);
        }
        Ok(table)
    }

    /// Returns the security schemes of an operation, any of which suffices; none if no credentials are required.
    pub(super) fn security<'a>(&'a self, operation: &'a TableOperation) -> &'a [SecurityScheme] {
        operation.security.as_deref().unwrap_or(&self.security)
    }
}

/// One operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableOperation {
    #[serde(rename = "operation")]
    pub(super) name: String,
    pub(super) method: String,
    pub(super) path: String,
    /// The address that it has in place of the API's own.
    server: Option<String>,
    #[serde(default)]
    pub(super) parameters: Vec<TableParameter>,
    pub(super) body: Option<TableBody>,
    security: Option<Vec<SecurityScheme>>,
    #[serde(default)]
    pub(super) answer: DescribedAnswer,
}

/// The location of a parameter.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum ParameterIn {
    Path,
    Query,
    Header,
    Cookie,
    /// A location that OpenAPI 3.0 does not define; such a parameter is not checked.
    #[serde(other)]
    Unknown,
}

impl ParameterIn {
    /// The prefix of the location in problems.
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
pub(super) struct TableParameter {
    #[serde(rename = "in")]
    pub(super) place: ParameterIn,
    pub(super) name: String,
    #[serde(default)]
    pub(super) required: bool,
    style: Option<ParameterStyle>,
    explode: Option<bool>,
    #[serde(default)]
    pub(super) allow_empty: bool,
    /// The media type of a parameter that is a document of its own.
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) schema: TableSchema,
}

impl TableParameter {
    pub(super) fn serialisation(&self) -> Serialisation {
        let style = self.style.unwrap_or(match self.place {
            ParameterIn::Query | ParameterIn::Cookie => ParameterStyle::Form,
            _ => ParameterStyle::Simple,
        });
        Serialisation { style, explode: self.explode.unwrap_or(style == ParameterStyle::Form) }
    }

    /// Whether the value is one JSON text.
    pub(super) fn is_json(&self) -> bool {
        self.content.as_deref().is_some_and(is_json)
    }
}

/// The body of an operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableBody {
    #[serde(default)]
    pub(super) required: bool,
    pub(super) content: BTreeMap<String, TableMedia>,
}

/// One media type of a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableMedia {
    #[serde(default)]
    pub(super) schema: TableSchema,
    #[serde(default)]
    encoding: BTreeMap<String, FieldEncoding>,
}

impl TableMedia {
    /// Returns the serialisation of a form field.
    pub(super) fn serialisation(&self, field: &str) -> Serialisation {
        let encoding = self.encoding.get(field);
        let style = encoding.and_then(|encoding| encoding.style).unwrap_or(ParameterStyle::Form);
        let explode = encoding.and_then(|encoding| encoding.explode).unwrap_or(style == ParameterStyle::Form);
        Serialisation { style, explode }
    }

    /// Whether the description states the serialisation of a form field.
    pub(super) fn has_style(&self, field: &str) -> bool {
        self.encoding.get(field).is_some_and(|encoding| encoding.style.is_some() || encoding.explode.is_some())
    }

    /// Whether a form field is one JSON text.
    pub(super) fn is_json(&self, field: &str) -> bool {
        let encoding = self.encoding.get(field);
        encoding.and_then(|encoding| encoding.content_type.as_deref()).is_some_and(is_json)
    }
}

/// The encoding of one form field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEncoding {
    content_type: Option<String>,
    style: Option<ParameterStyle>,
    explode: Option<bool>,
}

/// One way to authenticate.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum SecurityScheme {
    Bearer,
    Basic,
    Header {
        name: String,
        /// The word before the credential.
        prefix: Option<String>,
    },
    Query {
        name: String,
    },
    Cookie {
        name: String,
    },
    All {
        of: Vec<SecurityScheme>,
    },
    None,
}

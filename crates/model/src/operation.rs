//! An operation of a vendor's API as the request needs it: where each value goes and how it is
//! written. Built by `codegen::lower`, written to `requests.json`, and read back by the program when the operation is called.

use serde::{Deserialize, Serialize};

/// One HTTP operation of an API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Unique within the API; the description's `operationId` wherever that is usable. The key of its entry in
    /// `requests.json`.
    #[serde(skip)]
    pub id: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// The path as the description writes it, with `{parameters}`. Their values are written in `simple` style.
    pub path: String,
    /// The address below which it is sent, as the description states it for this operation or its path in place of the
    /// API's own: whole, or the path of one at the same host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The security schemes that a request needs: all of any one entry, and no entry where it needs none. Missing where
    /// the description says nothing, or where the vendor's credentials are not chosen so: then the first serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Vec<Vec<String>>>,
    /// Path, query, header and cookie parameters. Those of the path are not written: the template has their names.
    #[serde(default, skip_serializing_if = "are_in_path", serialize_with = "outside_of_path")]
    pub parameters: Vec<Parameter>,
    /// What the request carries, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<RequestBody>,
    /// Whether success is a redirect: the description promises a 3xx and no 2xx.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redirects: bool,
}

/// Where a parameter travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// A segment (or a part of one) of the path.
    Path,
    /// The query string.
    Query,
    /// A request header.
    Header,
    /// A cookie.
    Cookie,
}

/// A path, query, header or cookie parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The vendor's spelling.
    pub name: String,
    /// Where it travels.
    #[serde(rename = "in")]
    pub location: Location,
    /// Whether the vendor demands it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// How a list or an object is written into the query, or into cookies.
    #[serde(default, skip_serializing_if = "QueryStyle::is_default")]
    pub style: QueryStyle,
}

/// How a list or an object is written into the query (OpenAPI's `style` and `explode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueryStyle {
    /// The key repeated for each value: `form`, `explode: true`.
    #[default]
    Repeated,
    /// One value, joined with this character: `form` without explode, `spaceDelimited`,
    /// `pipeDelimited`.
    Joined(char),
    /// `key[name]=value`, a list by its repeated key.
    DeepObject,
    /// The same, and a list by the numbers of its values: `key[0][name]=value`. For vendors that write lists so, about
    /// which OpenAPI says nothing.
    Brackets,
    /// JSON text (a parameter with `content`).
    Json,
}

impl QueryStyle {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// How it is written.
    pub kind: BodyKind,
    /// The content type as the description has it.
    pub content_type: String,
    /// Whether the vendor demands it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Whether it is an object of which no property is demanded: where the body is, it may be sent empty.
    #[serde(default, skip_serializing_if = "is_false")]
    pub may_be_empty: bool,
    /// Properties that are files (multipart only).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Properties that are lists or objects, and how each is written (forms; of multipart only the
    /// lists that are one JSON text).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, QueryStyle)>,
}

/// How a request body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// JSON, whatever the exact content type.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// Text as it is.
    Raw,
    /// The bytes of one file.
    File,
}

fn are_in_path(parameters: &[Parameter]) -> bool {
    parameters.iter().all(|parameter| parameter.location == Location::Path)
}

fn outside_of_path<S: serde::Serializer>(parameters: &[Parameter], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(parameters.iter().filter(|parameter| parameter.location != Location::Path))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !*value
}

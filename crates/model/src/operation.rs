//! An operation of a vendor's API as the request needs it: where each value goes and how it is
//! written. Built by `codegen::lower`, read by the emitters of the client and the dispatch.

use serde::{Deserialize, Serialize};

/// One HTTP operation of an API.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Unique within the API; the description's `operationId` wherever that is usable.
    pub id: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// The path as the description writes it, with `{parameters}`.
    pub path: String,
    /// Path, query and header parameters in the description's order.
    pub parameters: Vec<Parameter>,
    /// What the request carries, if anything.
    pub body: Option<RequestBody>,
    /// Whether success is a redirect: the description promises a 3xx and no 2xx.
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
}

/// A path, query or header parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The vendor's spelling.
    pub name: String,
    /// Where it travels.
    pub location: Location,
    /// Whether the vendor demands it.
    pub required: bool,
    /// What its value is on the wire.
    pub kind: ParameterKind,
    /// How a list or an object is written into the query.
    pub style: QueryStyle,
}

/// The type of a parameter's value, as far as writing it needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A list of integers.
    Integers,
    /// A list of other scalars.
    Strings,
    /// An object, or a list of objects.
    Structure,
}

/// How a list or an object is written into the query (OpenAPI's `style` and `explode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryStyle {
    /// The key repeated for each value: `form`, `explode: true`.
    Repeated,
    /// One value, joined with this character: `form` without explode, `spaceDelimited`,
    /// `pipeDelimited`.
    Joined(char),
    /// `key[name]=value`.
    DeepObject,
    /// JSON text (a parameter with `content`).
    Json,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestBody {
    /// How it is written.
    pub kind: BodyKind,
    /// The content type as the description has it.
    pub content_type: String,
    /// Whether the vendor demands it.
    pub required: bool,
    /// Properties that are files (multipart only).
    pub files: Vec<String>,
    /// Properties that are lists or objects, and how each is written (forms; of multipart only the
    /// lists that are one JSON text).
    pub fields: Vec<(String, QueryStyle)>,
}

/// How a request body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

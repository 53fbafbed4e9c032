//! The content of `generated/<api>/answers.json`: statuses, media types and the shape of what is answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::media_type::is_json;

/// What one API answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedAnswers {
    /// The API's id.
    pub api: String,
    /// The file that describes it.
    pub description: String,
    /// Its operations.
    pub operations: Vec<DescribedOperation>,
    /// The schemas that others refer to, by the reference.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schemas: BTreeMap<String, AnswerSchema>,
}

/// What one operation answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedOperation {
    /// The operation's id.
    pub operation: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// The path as the description writes it.
    pub path: String,
    /// Its answers, by status.
    pub answers: Vec<DescribedAnswer>,
}

/// One answer of an operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedAnswer {
    /// A status such as `200`, a class such as `4XX`, or `default`.
    pub status: String,
    /// The media types, without parameters; none where nothing is said of a content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<String>,
    /// The shape of its JSON, for successes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<AnswerSchema>,
}

impl DescribedAnswer {
    /// Returns whether a media type is described: itself, by a range, or as another kind of JSON.
    pub fn covers(&self, media: &str) -> bool {
        self.media.iter().any(|known| {
            let in_range = known.strip_suffix('*').is_some_and(|start| start == "*/" || media.starts_with(start));
            known == media || in_range || is_json(known) && is_json(media)
        })
    }
}

/// The shape of a value; without any keyword, any value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnswerSchema {
    /// The schema that this one refers to.
    #[serde(rename = "$ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The type; any where it is missing.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether `null` is allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nullable: bool,
    /// The only values, where they are listed.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// The fields of an object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, AnswerSchema>,
    /// The fields that are always there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The fields of other names, where the description says something of them.
    #[serde(rename = "additionalProperties", default, skip_serializing_if = "Option::is_none")]
    pub further: Option<Further>,
    /// The values of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<AnswerSchema>>,
    /// Schemas that hold all together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<AnswerSchema>,
    /// Schemas of which one holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<AnswerSchema>,
}

/// Fields beside those that are listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Further {
    /// Whether there may be any.
    Any(bool),
    /// Each has this shape.
    Of(Box<AnswerSchema>),
}

impl DescribedAnswers {
    /// Returns the operation with this id.
    pub fn operation(&self, id: &str) -> Option<&DescribedOperation> {
        self.operations.iter().find(|operation| operation.operation == id)
    }
}

impl DescribedOperation {
    /// Returns what is said of answers with this status: of the status itself, of its class, of every other.
    pub fn answer(&self, status: u16) -> Option<&DescribedAnswer> {
        let exact = status.to_string();
        let class = format!("{}XX", status / 100);
        [exact.as_str(), class.as_str(), "default"]
            .into_iter()
            .find_map(|wanted| self.answers.iter().find(|answer| answer.status.eq_ignore_ascii_case(wanted)))
    }
}

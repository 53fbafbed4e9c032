//! The responses of an operation → the one answer that the sandbox gives: an example, else the schema of one.

use openapiv3::{MediaType, Response, Responses, StatusCode};
use serde_json::{Map, Value, json};
use toolwright_model::media_type::{essence, is_json};

use super::schema::{Direction, convert};
use crate::read::document::Document;

/// Returns the answer of the lowest success that has a content, else of the lowest 2xx or 3xx, else of `default`.
pub(super) fn emit(document: &Document, responses: &Responses) -> Value {
    let Responses { default, responses, extensions: _ } = responses;
    let mut best: Option<((bool, u16), Option<&Response>)> = None;
    for (key, response) in responses {
        let response = document.follow(response);
        let Some(status) = success(key) else { continue };
        let has_content = response.is_some_and(|response| !response.content.is_empty());
        let rank = (!(status < 300 && has_content), status);
        if best.is_none_or(|(found, _)| rank < found) {
            best = Some((rank, response));
        }
    }
    let (status, response) = match best {
        Some(((_, status), response)) => (status, response),
        None => (200, default.as_ref().and_then(|default| document.follow(default))),
    };
    let mut out = Map::new();
    out.insert("status".to_owned(), json!(status));
    if let Some((media_type, media)) = response.and_then(media) {
        content(document, media_type, media, &mut out);
    }
    Value::Object(out)
}

/// Returns the status code of a success; `2XX` stands for its lowest.
fn success(status: &StatusCode) -> Option<u16> {
    let status = match status {
        StatusCode::Code(code) => *code,
        StatusCode::Range(hundreds) => hundreds * 100,
    };
    (200..400).contains(&status).then_some(status)
}

/// Returns the JSON representation if there is one, else the first.
fn media(response: &Response) -> Option<(&str, &MediaType)> {
    let mut all = response.content.iter().map(|(name, media)| (name.as_str(), media));
    all.clone()
        .find(|(name, _)| essence(name) == "application/json")
        .or_else(|| all.clone().find(|(name, _)| is_json(name)))
        .or_else(|| all.next())
}

fn content(document: &Document, media_type: &str, media: &MediaType, out: &mut Map<String, Value>) {
    let MediaType { schema, example, examples, encoding: _, extensions: _ } = media;
    let converted = convert(document, schema.as_ref(), Direction::Answer);
    let binary = converted.get("format").is_some_and(|format| format == "binary");
    let media_type = match (media_type.contains('*'), binary) {
        (true, true) => "application/octet-stream",
        (true, false) => "application/json",
        (false, _) => media_type,
    };
    out.insert("content_type".to_owned(), json!(media_type));
    let example = example
        .as_ref()
        .or_else(|| examples.values().find_map(|example| document.follow(example)?.value.as_ref()))
        .or_else(|| document.schema(schema.as_ref()?)?.schema_data.example.as_ref());
    match example {
        Some(example) => out.insert("example".to_owned(), plain(media_type, example, &converted)),
        None => out.insert("schema".to_owned(), converted),
    };
}

/// Returns the example as the vendor would send it: some write an example of JSON as a text that holds the JSON.
fn plain(media_type: &str, example: &Value, schema: &Value) -> Value {
    if let Value::String(text) = example
        && is_json(media_type)
        && schema.get("type").is_none_or(|kind| kind != "string")
        && let Ok(parsed) = serde_json::from_str(text)
    {
        return parsed;
    }
    example.clone()
}

//! Turns the responses of an operation into the one answer that the sandbox gives: an example, else the schema of one.

use serde_json::{Map, Value, json};

use super::schema::{Direction, convert};
use super::{Source, entries};

/// Returns the answer of the lowest success that has a content, else of the lowest 2xx or 3xx, else of `default`.
pub(super) fn emit<'a>(source: Source<'a>, responses: Option<&'a Value>) -> Value {
    let mut best: Option<((bool, u16), &Value)> = None;
    for (key, response) in entries(responses) {
        let response = source.resolve(response);
        let Some(status) = status(key) else { continue };
        let rank = (!(status < 300 && entries(response.get("content")).next().is_some()), status);
        if best.is_none_or(|(found, _)| rank < found) {
            best = Some((rank, response));
        }
    }
    let default = || responses.and_then(|responses| responses.get("default")).map(|response| source.resolve(response));
    let (status, response) = match best {
        Some(((_, status), response)) => (status, Some(response)),
        None => (200, default()),
    };
    let mut out = Map::new();
    out.insert("status".to_owned(), json!(status));
    if let Some((media_type, media)) = response.and_then(|response| media(response.get("content"))) {
        content(source, media_type, media, &mut out);
    }
    Value::Object(out)
}

/// Returns the status code of a success; `2XX` stands for its lowest.
fn status(key: &str) -> Option<u16> {
    let status: u16 = key.to_ascii_uppercase().replace("XX", "00").parse().ok()?;
    (200..400).contains(&status).then_some(status)
}

/// Returns the JSON representation if there is one, else the first.
fn media(content: Option<&Value>) -> Option<(&str, &Value)> {
    let mut all = entries(content).map(|(name, media)| (name.as_str(), media));
    let essence = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    all.clone()
        .find(|(name, _)| essence(name) == "application/json")
        .or_else(|| all.clone().find(|(name, _)| is_json(name)))
        .or_else(|| all.next())
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

fn content<'a>(source: Source<'a>, media_type: &str, media: &'a Value, out: &mut Map<String, Value>) {
    let schema = media.get("schema");
    let converted = schema.map_or_else(|| json!({}), |schema| convert(source, schema, Direction::Answer));
    let binary = converted.get("format").is_some_and(|format| format == "binary");
    let media_type = match (media_type.contains('*'), binary) {
        (true, true) => "application/octet-stream",
        (true, false) => "application/json",
        (false, _) => media_type,
    };
    out.insert("content_type".to_owned(), json!(media_type));
    let example = media
        .get("example")
        .or_else(|| entries(media.get("examples")).find_map(|(_, example)| source.resolve(example).get("value")))
        .or_else(|| schema.and_then(|schema| source.resolve(schema).get("example")));
    match example {
        Some(example) => out.insert("example".to_owned(), plain(media_type, example, &converted)),
        None => out.insert("schema".to_owned(), converted),
    };
}

/// Returns the example as the vendor would send it: Atlassian writes examples of JSON as a text that holds the JSON.
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

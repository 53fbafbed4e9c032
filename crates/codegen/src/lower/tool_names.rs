//! An operation's method and path → the verb and the name of its tool, where the overlay states
//! none.

use toolwright_model::{MAX_TOOL_NAME, Verb, resource_words, snake_case};

/// Returns the verb of an operation; `method` is in upper case.
pub fn derived_verb(method: &str, path: &str) -> Verb {
    match method {
        "GET" | "HEAD" if path.trim_end_matches('/').ends_with('}') => Verb::Get,
        "GET" | "HEAD" => Verb::List,
        "POST" if path.to_lowercase().contains("search") => Verb::Search,
        "POST" => Verb::Create,
        "PUT" | "PATCH" => Verb::Update,
        "DELETE" => Verb::Delete,
        _ => Verb::Action,
    }
}

/// Returns the name of a tool, at most [`MAX_TOOL_NAME`] long.
pub fn derived_name(vendor: &str, verb: Verb, path: &str) -> String {
    let mut words = resource_words(path);
    let by = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).last();
    if words.is_empty() {
        words.extend(by.map(|(name, _)| snake_case(name)));
    }
    let mut name = format!("{vendor}_{verb}_{}", words.join("_"));
    // A path ends in its resource: too long a name loses words at the front.
    while name.len() > MAX_TOOL_NAME && words.len() > 1 {
        words.remove(0);
        name = format!("{vendor}_{verb}_{}", words.join("_"));
    }
    name.truncate(MAX_TOOL_NAME);
    name.trim_end_matches('_').to_owned()
}

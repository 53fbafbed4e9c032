//! Method, path, operationId and the shape of the answer → the kind of call, and what misleads about it.

use super::answers::Shape;
use super::words;
use toolwright_codegen::lower::spec_operation::SpecOperation;
use toolwright_codegen::lower::tool_names::derived_verb;
use toolwright_model::{Verb, snake_case};

/// Returns the word of the path that contradicts the method.
pub(super) fn misleading_word(method: &str, path: &str) -> Option<String> {
    match method {
        "GET" | "HEAD" => path.split('/').filter(is_literal).find_map(|segment| {
            let words = snake_case(segment);
            let first = words.split('_').next().unwrap_or_default();
            words::is_action(first).then(|| first.to_owned())
        }),
        "POST" | "PUT" => {
            let last = path.split('/').rfind(is_literal)?;
            let words = snake_case(last);
            words.split('_').find(|word| words::is_question(word)).map(str::to_owned)
        }
        _ => None,
    }
}

/// Whether a segment of a path is words of the vendor's.
pub(super) fn is_literal(segment: &&str) -> bool {
    !segment.is_empty() && !segment.starts_with('{')
}

/// The segments of a path that name things and deeds. `users/{id}:lock` has three.
pub(super) fn segments(path: &str) -> Vec<&str> {
    path.split(['/', ':']).filter(|segment| !segment.is_empty()).collect()
}

/// The words of the last segment, if it says what is done to what comes before it.
pub(super) fn deed(method: &str, path: &str) -> Option<String> {
    if !matches!(method, "POST" | "PUT" | "PATCH") {
        return None;
    }
    let literal: Vec<&str> = segments(path).into_iter().filter(is_literal).collect();
    let (last, before) = literal.split_last()?;
    let words = snake_case(last);
    let first = words.split('_').next().unwrap_or_default();
    (!before.is_empty() && words::is_deed(first)).then_some(words)
}

/// The question with which the path of a GET ends, after what it is about.
pub(super) fn question(method: &str, path: &str) -> Option<String> {
    let all = segments(path);
    let last = all.last().filter(|last| method == "GET" && is_literal(last))?;
    let word = snake_case(last);
    let is_about = toolwright_model::resource_words(path).len() > 1;
    (is_about && words::is_asked_of(&word)).then_some(word)
}

/// The kind of call of an operation that states none.
pub(super) fn verb(operation: &SpecOperation, shape: Shape) -> Verb {
    let (method, path) = (operation.method.as_str(), operation.path.as_str());
    let said = words::spoken(method, path, &operation.id).map(|(verb, _)| verb);
    match method {
        "GET" | "HEAD" => verb_of_read(operation, said, shape),
        "POST" | "PUT" | "PATCH" => {
            let asked = misleading_word(method, path).map(|word| words::verb_of_question(&word));
            let done = deed(method, path).map(|_| Verb::Action);
            said.or(asked).or(done).unwrap_or_else(|| derived_verb(method, path))
        }
        _ => derived_verb(method, path),
    }
}

fn verb_of_read(operation: &SpecOperation, said: Option<Verb>, shape: Shape) -> Verb {
    let (method, path) = (operation.method.as_str(), operation.path.as_str());
    let reads = said.filter(|verb| matches!(verb, Verb::List | Verb::Get | Verb::Search));
    if misleading_word(method, path).is_some() || said.is_some() && reads.is_none() {
        return reads.unwrap_or(Verb::Action);
    }
    if let Some(word) = question(method, path) {
        return match words::verb_of_question(&word) {
            Verb::Search if shape == Shape::Record => Verb::Get,
            verb => verb,
        };
    }
    let ends_in_parameter = path.trim_end_matches('/').ends_with('}');
    match shape {
        Shape::Record if reads == Some(Verb::List) && !ends_in_parameter => Verb::List,
        Shape::Record => Verb::Get,
        // A list inside of one record is no listing of records.
        Shape::Wrapped if ends_in_parameter && reads != Some(Verb::List) => Verb::Get,
        Shape::List | Shape::Wrapped => said.filter(|verb| *verb == Verb::Search).unwrap_or(Verb::List),
        Shape::Unknown if ends_in_parameter => Verb::Get,
        Shape::Unknown => reads.or_else(|| words::said_at_end(&operation.id)).unwrap_or(Verb::List),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_path_that_contradicts_the_method_is_found() {
        for (method, path, word) in [
            ("GET", "/users/reactivate/{id}", Some("reactivate")),
            ("GET", "/api/closeTicket", Some("close")),
            ("GET", "/api/DeleteFile", Some("delete")),
            ("GET", "/loans/{id}/remind", Some("remind")),
            ("GET", "/settings", None),
            ("GET", "/runs/{id}", None),
            ("POST", "/search/users", None),
            ("POST", "/users/search", Some("search")),
            ("POST", "/permissions/check", Some("check")),
            ("POST", "/users", None),
            ("DELETE", "/search", None),
        ] {
            assert_eq!(misleading_word(method, path).as_deref(), word, "{method} {path}");
        }
    }

    #[test]
    fn the_last_words_of_a_path_say_what_is_done() {
        for (method, path, words) in [
            ("POST", "/alerts/{id}/close", Some("close")),
            ("POST", "/alerts/{id}/send-invite", Some("send_invite")),
            ("POST", "/alerts/{id}:snooze", Some("snooze")),
            ("PATCH", "/requests/{id}/fulfill", Some("fulfill")),
            ("POST", "/login", None),
            ("POST", "/alerts/{id}/notes", None),
            ("GET", "/alerts/{id}/close", None),
        ] {
            assert_eq!(deed(method, path).as_deref(), words, "{method} {path}");
        }
        for (path, word) in [
            ("/alerts/count", Some("count")),
            ("/flows/{id}/export/", Some("export")),
            ("/search", None),
            ("/v1/filter", None),
            ("/alerts/{id}", None),
        ] {
            assert_eq!(question("GET", path).as_deref(), word, "{path}");
        }
    }
}

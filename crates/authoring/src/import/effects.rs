//! Method, path and operationId → a guess at the effect and the risks, with the word that it is made by. A guess is a
//! comment in the overlay: a person states what a call does.

use std::collections::BTreeMap;

use super::nouns::singular;
use super::verbs::{deed, is_literal, misleading_word, segments};
use super::words;
use toolwright_model::{Effect, Risk, Verb, snake_case};

/// What a call may do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) effect: Effect,
    /// What contradicts the method.
    pub(super) why: Option<String>,
    /// Each risk with the word that hints at it.
    pub(super) risks: BTreeMap<Risk, String>,
}

/// Guesses what a call does; `id` is its operationId.
pub(super) fn guess(method: &str, path: &str, id: &str) -> Guess {
    let (effect, why) = effect(method, path, id);
    let words = segments(path).into_iter().rfind(is_literal).map(snake_case).unwrap_or_default();
    let words = format!("{words}_{}", snake_case(id));
    let mut risks = BTreeMap::new();
    for word in words.split('_').map(singular) {
        if let Some(risk) = words::risk_of(&word, effect == Effect::Read) {
            risks.entry(risk).or_insert(word);
        }
    }
    Guess { effect, why, risks }
}

fn effect(method: &str, path: &str, id: &str) -> (Effect, Option<String>) {
    let spoken = words::spoken(method, path, id);
    let said = spoken.as_ref().map(|(verb, words)| (*verb, words[0].as_str()));
    let in_path = misleading_word(method, path);
    let by_path = |word: &str| Some(format!("{method} with `{word}` in its path"));
    let by_id = |word: &str| Some(format!("{method}, and its id says `{word}`"));
    match method {
        "GET" | "HEAD" => match (said, in_path) {
            (Some((_, word)), _) if words::destroys(word) => (Effect::Destructive, by_id(word)),
            (_, Some(word)) => (Effect::Write, by_path(&word)),
            (Some((Verb::List | Verb::Get | Verb::Search, _)) | None, None) => (Effect::Read, None),
            (Some((_, word)), None) => (Effect::Write, by_id(word)),
        },
        "OPTIONS" | "TRACE" => (Effect::Read, None),
        "DELETE" => (Effect::Destructive, None),
        _ => {
            let done = deed(method, path);
            let done = done.as_deref().and_then(|words| words.split('_').next());
            match (said, done, in_path) {
                (_, Some(word), _) if words::destroys(word) => (Effect::Destructive, by_path(word)),
                (Some((_, word)), ..) if words::destroys(word) => (Effect::Destructive, by_id(word)),
                (Some((Verb::List | Verb::Get | Verb::Search, _)) | None, _, Some(word)) => {
                    (Effect::Read, by_path(&word))
                }
                (Some((Verb::List | Verb::Get | Verb::Search, word)), ..) => (Effect::Read, by_id(word)),
                _ => (Effect::Write, None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_contradict_the_method_are_named() {
        let path = |method: &str, word: &str| Some(format!("{method} with `{word}` in its path"));
        let id = |method: &str, word: &str| Some(format!("{method}, and its id says `{word}`"));
        for (method, at, name, effect, why) in [
            ("GET", "/users", "listUsers", Effect::Read, None),
            ("GET", "/users/reactivate/{id}", "x", Effect::Write, path("GET", "reactivate")),
            ("GET", "/oauth2/sessions/end", "revokeSession", Effect::Destructive, id("GET", "revoke")),
            ("GET", "/mail", "sendMail", Effect::Write, id("GET", "send")),
            ("POST", "/users/search", "", Effect::Read, path("POST", "search")),
            ("POST", "/users/query", "createQuery", Effect::Write, None),
            ("POST", "/usage", "getUsage", Effect::Read, id("POST", "get")),
            ("POST", "/users/{id}/delete", "", Effect::Destructive, path("POST", "delete")),
            ("POST", "/tags", "removeTags", Effect::Destructive, id("POST", "remove")),
            ("POST", "/users", "createUser", Effect::Write, None),
            ("PATCH", "/users/{id}", "", Effect::Write, None),
            ("DELETE", "/users/{id}", "", Effect::Destructive, None),
        ] {
            let guess = guess(method, at, name);
            assert_eq!((guess.effect, guess.why), (effect, why), "{method} {at} {name}");
        }
    }

    #[test]
    fn risks_are_guessed_by_words() {
        let risks = |method: &str, path: &str, id: &str| guess(method, path, id).risks.into_keys().collect::<Vec<_>>();
        assert_eq!(risks("POST", "/users/{id}/send-invite", "sendInvite"), [Risk::Notifies]);
        assert_eq!(risks("GET", "/clients/{id}/secrets", "listSecrets"), [Risk::RevealsSecret]);
        assert!(risks("GET", "/messages", "listMessages").is_empty());
        assert!(risks("POST", "/users", "createUser").is_empty());
    }
}

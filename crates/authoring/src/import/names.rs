//! Operations without a name → unique tool names by the build's rule, with what distinguishes two
//! that would be equal. And methods that contradict a word of their path.

use std::collections::{BTreeMap, BTreeSet};

use toolwright_codegen::lower::inputs::{BodyChoice, inputs};
use toolwright_codegen::lower::spec_operation::SpecOperation;
use toolwright_codegen::lower::tool_names::{derived_name, derived_verb};
use toolwright_codegen::read::keys::ArgumentKeys;
use toolwright_model::{DRY_RUN, MAX_TOOL_NAME, Verb, resource_words, snake_case};

/// Words at the start of a path segment that name a change.
const ACTIONS: [&str; 86] = [
    "accept",
    "activate",
    "add",
    "approve",
    "archive",
    "assign",
    "ban",
    "cancel",
    "clear",
    "close",
    "complete",
    "confirm",
    "create",
    "deactivate",
    "decline",
    "delete",
    "deny",
    "disable",
    "dismiss",
    "enable",
    "erase",
    "escalate",
    "execute",
    "expire",
    "finish",
    "forward",
    "generate",
    "grant",
    "import",
    "install",
    "invite",
    "invoke",
    "lock",
    "logout",
    "mark",
    "merge",
    "move",
    "notify",
    "pause",
    "promote",
    "publish",
    "purge",
    "reactivate",
    "reassign",
    "reboot",
    "refresh",
    "reject",
    "remind",
    "remove",
    "rename",
    "renew",
    "reopen",
    "replace",
    "resend",
    "reset",
    "resolve",
    "restart",
    "restore",
    "resume",
    "retry",
    "revoke",
    "rotate",
    "run",
    "save",
    "send",
    "set",
    "shutdown",
    "start",
    "stop",
    "submit",
    "subscribe",
    "suspend",
    "sync",
    "transfer",
    "trigger",
    "unarchive",
    "unassign",
    "unban",
    "unblock",
    "undelete",
    "undo",
    "unlock",
    "unsubscribe",
    "update",
    "upload",
    "wipe",
];

/// Words in a path's last segment that name a read.
const QUESTIONS: [&str; 14] = [
    "check", "count", "export", "filter", "find", "list", "lookup", "match", "parse", "preview", "query", "search",
    "suggest", "validate",
];

/// Returns the word of the path that contradicts the method.
pub(super) fn misleading_word(method: &str, path: &str) -> Option<String> {
    let literal = |segment: &&str| !segment.is_empty() && !segment.starts_with('{');
    match method {
        "GET" | "HEAD" => path.split('/').filter(literal).find_map(|segment| {
            let words = snake_case(segment);
            let first = words.split('_').next().unwrap_or_default();
            ACTIONS.contains(&first).then(|| first.to_owned())
        }),
        "POST" | "PUT" => {
            let last = path.split('/').rfind(literal)?;
            let words = snake_case(last);
            words.split('_').find(|word| QUESTIONS.contains(word)).map(str::to_owned)
        }
        _ => None,
    }
}

/// The kind of call of an operation that states none.
fn verb(operation: &SpecOperation) -> Verb {
    match (operation.method.as_str(), misleading_word(&operation.method, &operation.path)) {
        ("GET" | "HEAD", Some(_)) => Verb::Action,
        ("POST" | "PUT", Some(_)) => Verb::Search,
        (method, _) => derived_verb(method, &operation.path),
    }
}

/// Gives every operation that becomes a tool a unique name; returns the ids of those whose name
/// differs from the one that the build derives. `taken` are names in use, and receives these.
pub(super) fn assign(vendor: &str, operations: &mut [SpecOperation], taken: &mut BTreeSet<String>) -> Vec<String> {
    for operation in operations.iter() {
        taken.extend(operation.keys.tool.name.iter().cloned());
        taken.extend(operation.keys.presets.iter().filter_map(|preset| preset.tool.name.clone()));
    }
    let mut other = Vec::new();
    // The last number of each derived name: counting from 2 each time would be quadratic.
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for operation in operations.iter_mut() {
        if operation.keys.skip.is_some() || operation.keys.tool.name.is_some() {
            continue;
        }
        let verb = *operation.keys.tool.verb.get_or_insert(verb(operation));
        let derived = derived_name(vendor, verb, &operation.path);
        let number = numbers.entry(derived.clone()).or_insert(1);
        let numbered = std::iter::from_fn(|| {
            *number = number.saturating_add(1);
            Some(fitted(vendor, verb, &resource_words(&operation.path), &number.to_string()))
        });
        let name =
            candidates(vendor, verb, operation, &derived).chain(numbered).find(|name| taken.insert(name.clone()));
        let name = name.unwrap_or_else(|| derived.clone());
        if name != derived {
            other.push(operation.id.clone());
        }
        operation.keys.tool.name = Some(name);
    }
    other
}

/// Renames a vendor's argument that has the name of one of toolwright's own.
pub(super) fn free_own_names(vendor: &str, operations: &mut [SpecOperation]) {
    for operation in operations.iter_mut().filter(|operation| operation.keys.skip.is_none()) {
        let Ok(body) = operation.body.as_ref().map(BodyChoice::of).transpose() else { continue };
        let taken = inputs(operation, body.as_ref()).iter().any(|input| input.key == DRY_RUN);
        let stated = operation.keys.tool.argument(DRY_RUN).is_some();
        if taken && !stated {
            let name = Some(format!("{vendor}_{DRY_RUN}"));
            let keys = ArgumentKeys { name, ..ArgumentKeys::default() };
            operation.keys.tool.arguments.push((DRY_RUN.to_owned(), keys));
        }
    }
}

/// Names to try before numbering, the shortest first.
fn candidates<'a>(
    vendor: &'a str,
    verb: Verb,
    operation: &'a SpecOperation,
    derived: &'a str,
) -> impl Iterator<Item = String> + 'a {
    let parameters: Vec<String> =
        operation.path.split('{').skip(1).filter_map(|rest| Some(snake_case(rest.split_once('}')?.0))).collect();
    let by_last = parameters.last().map(|last| format!("by_{last}"));
    let by_all = (parameters.len() > 1).then(|| format!("by_{}", parameters.join("_")));
    let tails = [by_last, by_all, Some(operation.method.to_lowercase())].into_iter().flatten();
    let by_path = tails.map(move |tail| fitted(vendor, verb, &resource_words(&operation.path), &tail));
    let by_id = Some(fitted(vendor, verb, &[snake_case(&operation.id)], ""));
    std::iter::once(derived.to_owned()).chain(by_path).chain(by_id).filter(|name| toolwright_model::is_tool_name(name))
}

/// A name within the bound: its first words are dropped, the tail stays.
fn fitted(vendor: &str, verb: Verb, words: &[String], tail: &str) -> String {
    let head = format!("{vendor}_{verb}");
    let room = MAX_TOOL_NAME.saturating_sub(head.len() + tail.len() + 2);
    let words = words.join("_");
    let mut kept = words.as_str();
    while kept.len() > room {
        match kept.split_once('_') {
            Some((_, rest)) => kept = rest,
            None => {
                kept = kept.get(..room).unwrap_or_default();
                break;
            }
        }
    }
    let parts = [head.as_str(), kept.trim_matches('_'), tail];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
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
}

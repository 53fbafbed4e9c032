//! Operations without a name → unique tool names: of the path's nouns, or of the operationId where path and method
//! mislead; with what distinguishes two that would be equal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answers::Answer;
use super::nouns::{is_plural, singular};
use super::verbs::{self, is_literal, segments};
use super::words;
use toolwright_codegen::lower::inputs::{BodyChoice, inputs};
use toolwright_codegen::lower::resolved::SchemaType;
use toolwright_codegen::lower::spec_operation::{SpecBody, SpecOperation};
use toolwright_codegen::lower::tool_names::derived_verb;
use toolwright_codegen::read::keys::ArgumentKeys;
use toolwright_model::{DRY_RUN, MAX_TOOL_NAME, Verb, is_tool_name, resource_words, snake_case};

/// Gives every operation that becomes a tool a unique name; returns the ids of those whose first choice is taken.
/// `taken` are names in use, and receives these. `document` is the description.
pub(super) fn assign(
    vendor: &str,
    operations: &mut [SpecOperation],
    document: &Value,
    taken: &mut BTreeSet<String>,
) -> Vec<String> {
    for operation in operations.iter() {
        taken.extend(operation.keys.tool.name.iter().cloned());
        taken.extend(operation.keys.presets.iter().filter_map(|preset| preset.tool.name.clone()));
    }
    let mut other = Vec::new();
    // The last number of each name: counting from 2 each time would be quadratic.
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for operation in operations.iter_mut() {
        if operation.keys.skip.is_some() || operation.keys.tool.name.is_some() {
            continue;
        }
        let shape = Answer::of(document, &operation.pointer, &operation.path).shape;
        let verb = *operation.keys.tool.verb.get_or_insert(verbs::verb(operation, shape));
        let words = Words::of(operation, verb);
        let first = words.fitted(vendor, "");
        let number = numbers.entry(first.clone()).or_insert(1);
        let numbered = std::iter::from_fn(|| {
            *number = number.saturating_add(1);
            Some(words.fitted(vendor, &number.to_string()))
        });
        let name = candidates(vendor, operation, &words).chain(numbered).find(|name| taken.insert(name.clone()));
        let name = name.unwrap_or_else(|| first.clone());
        if name != first {
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

/// What a name says: `close` `alert`.
struct Words {
    /// What is done.
    head: String,
    /// To what.
    nouns: Vec<String>,
}

impl Words {
    fn of(operation: &SpecOperation, verb: Verb) -> Self {
        let (method, path) = (operation.method.as_str(), operation.path.as_str());
        let spoken = spoken(operation);
        // Where method and path say the same as the verb, the path's words are the better ones: they are the same for
        // all operations on one thing.
        let is_plain =
            verb == derived_verb(method, path) || matches!((method, verb), ("GET" | "HEAD", Verb::List | Verb::Get));
        let undone = method == "DELETE" && spoken.as_ref().is_some_and(|(said, _)| *said == Verb::Action);
        let asked = verbs::question(method, path);
        let done = verbs::deed(method, path).filter(|_| verb == Verb::Action);
        let misleading = || verbs::misleading_word(method, path).filter(|_| !is_plain || method == "POST");
        let word = asked.or(done).or_else(misleading);
        if let Some((_, said)) = spoken.filter(|_| !is_plain || undone || word.is_some()) {
            return Self { head: said[0].clone(), nouns: said[1..].to_vec() };
        }
        match word {
            // `list` in a path says no more than the verb does.
            Some(word) => {
                Self::of_path(operation, verb, (verb != Verb::List).then_some(word.as_str()), Some(word.as_str()))
            }
            None => Self::of_path(operation, verb, None, None),
        }
    }

    /// The words of the path, without the one that says what is done.
    fn of_path(operation: &SpecOperation, verb: Verb, head: Option<&str>, without: Option<&str>) -> Self {
        let head = head.map_or_else(|| verb.to_string(), str::to_owned);
        // `send_reminder` of a ticket is `send_ticket_reminder`.
        let (head, rest) = head.split_once('_').unwrap_or((head.as_str(), ""));
        let all = segments(&operation.path);
        let mut nouns: Vec<String> = Vec::new();
        for (index, segment) in all.iter().enumerate().filter(|(_, segment)| is_literal(segment)) {
            let Some(mut word) = resource_words(segment).pop() else { continue };
            if without == Some(word.as_str()) {
                continue;
            }
            if without.is_some_and(|without| word.split('_').any(|part| part == without)) && index + 1 == all.len() {
                // `search_users` at the end of a path.
                word = word.split('_').filter(|part| Some(*part) != without).collect::<Vec<_>>().join("_");
            }
            // `{ids}` chooses several.
            let one = all.get(index + 1).is_some_and(|next| next.starts_with('{') && !is_plural(&snake_case(next)));
            let made = index + 1 == all.len() && verb == Verb::Create && !takes_several(operation, &word);
            let word = if one || made { singular(&word) } else { word };
            // `help_center/help_centers/{id}` says it once.
            if nouns.last().is_some_and(|last| repeats(last, &word)) {
                nouns.pop();
            }
            nouns.push(word);
        }
        if nouns.is_empty() {
            let by = operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).last();
            nouns.extend(by.map(|(name, _)| snake_case(name)));
        }
        nouns.extend(Some(rest.to_owned()).filter(|rest| !rest.is_empty()));
        Self { head: head.to_owned(), nouns }
    }

    /// The name within its bound: the first nouns are dropped, what is done and the tail stay.
    fn fitted(&self, vendor: &str, tail: &str) -> String {
        let head = if self.head.is_empty() { vendor.to_owned() } else { format!("{vendor}_{}", self.head) };
        let room = MAX_TOOL_NAME.saturating_sub(head.len() + tail.len() + 2);
        let words = self.nouns.join("_");
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
        let name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
        name.get(..MAX_TOOL_NAME).map_or(name.clone(), |name| name.trim_end_matches('_').to_owned())
    }
}

fn spoken(operation: &SpecOperation) -> Option<(Verb, Vec<String>)> {
    words::spoken(&operation.method, &operation.path, &operation.id)
}

/// Whether a word says again what the one before it says.
fn repeats(before: &str, word: &str) -> bool {
    let before = singular(before);
    singular(word) == before || word.strip_prefix(before.as_str()).is_some_and(|rest| rest.starts_with('_'))
}

/// Whether an operation that creates takes several records: its id says so, or its body is a list.
fn takes_several(operation: &SpecOperation, noun: &str) -> bool {
    let said = spoken(operation).is_some_and(|(_, words)| words.last().is_some_and(|last| is_plural(last)));
    let is_list =
        |body: &SpecBody| body.content.first().is_some_and(|content| content.schema.kind == Some(SchemaType::Array));
    said && is_plural(noun) || operation.body.as_ref().is_some_and(is_list)
}

/// Names to try before numbering, the best first.
fn candidates<'a>(
    vendor: &'a str,
    operation: &'a SpecOperation,
    words: &'a Words,
) -> impl Iterator<Item = String> + 'a {
    let parameters: Vec<String> =
        operation.path.split('{').skip(1).filter_map(|rest| Some(snake_case(rest.split_once('}')?.0))).collect();
    let by_id = spoken(operation)
        .map(|(_, said)| Words { head: said[0].clone(), nouns: said[1..].to_vec() }.fitted(vendor, ""));
    // PUT, which comes first, and PATCH at one path.
    let by_method = Some("patch").filter(|_| operation.method == "PATCH" && words.head == Verb::Update.as_str());
    let by_method =
        by_method.map(|head| Words { head: head.to_owned(), nouns: words.nouns.clone() }.fitted(vendor, ""));
    let by_last = parameters.last().map(|last| format!("by_{last}"));
    let by_all = (parameters.len() > 1).then(|| format!("by_{}", parameters.join("_")));
    let tails = [by_last, by_all, Some(operation.method.to_lowercase())].into_iter().flatten();
    let by_path = tails.map(move |tail| words.fitted(vendor, &tail));
    let whole = Words { head: words.head.clone(), nouns: vec![snake_case(&operation.id)] }.fitted(vendor, "");
    let first = words.fitted(vendor, "");
    std::iter::once(first).chain(by_id).chain(by_method).chain(by_path).chain([whole]).filter(|name| is_tool_name(name))
}

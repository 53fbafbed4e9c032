//! What a file states of a workflow beside its steps → the tool that a model calls.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

use super::inputs::WorkflowInputs;
use super::scope::near_or_all;
use super::shape::Shape;
use crate::lower::arguments::{Argument, add_own_arguments, input_schema};
use crate::lower::promises::{AnswerField, ConciseAnswer};
use crate::lower::tool_draft::{LONGEST_DESCRIPTION, NameClaim, ToolSamples, annotations};
use crate::lower::unshown;
use crate::read::keys::EXTENSION;
use crate::read::located::Located;
use crate::read::phrase::{MOST_PHRASES, check_phrase};
use toolwright_model::workflow::{ACROSS_VENDORS, Step, Workflow};
use toolwright_model::{
    Effect, HELD_BACK_TAGS, MAX_TOOL_NAME, Risk, Tool, UNREVIEWED_TAG, Verb, is_tool_name, snake_case,
};

/// The keys of a workflow's extension.
const KEYS: [&str; 14] = [
    "name",
    "title",
    "description",
    "verb",
    "effect",
    "risks",
    "tags",
    "aliases",
    "phrases",
    "concise",
    "unlisted",
    "idempotent",
    "spread",
    "outputs",
];

/// How deep fields are collected for what texts promise.
const DEEPEST_FIELD: usize = 4;

/// A tool, with what only the generator needs to know of it.
pub(super) struct WorkflowTool {
    pub(super) tool: Tool,
    pub(super) claims: Vec<NameClaim>,
    pub(super) samples: Vec<ToolSamples>,
    pub(super) answer: Option<ConciseAnswer>,
}

/// Checks the names of the keys.
pub(super) fn check_keys(keys: &Located<'_>) {
    if keys.object().is_some() {
        keys.only(&KEYS);
    }
}

/// Makes the tool. `steps` are the tools that it calls, `answer` is what is known of its answer.
///
/// # Panics
/// Never: a JSON value prints as JSON.
pub(super) fn make(
    workflow: Workflow,
    inputs: &WorkflowInputs,
    steps: &[&Tool],
    answer: &Shape<'_>,
    at: &Located<'_>,
    keys: &Located<'_>,
    vendor: &str,
) -> WorkflowTool {
    let texts = |key: &str| keys.get(key).map(|at| at.texts()).unwrap_or_default();
    let text = |key: &str| keys.get(key).and_then(|at| at.text()).map(one_line);
    let effect = effect(&workflow, keys);
    let risks = risks(&workflow, keys);
    let name = name(&workflow.id, vendor, keys);
    let verb = keys.get("verb").and_then(|verb| verb.word(Verb::ALL)).unwrap_or_else(|| verb_of(&name));
    let concise = concise(answer, keys, effect);
    let mut arguments: Vec<Argument> = inputs.arguments.clone();
    let written_back = workflow.steps.iter().any(|step| step.call.written_back);
    add_own_arguments(effect, !concise.is_empty(), written_back, false, None, &mut arguments);
    let mut schema = input_schema(&arguments);
    let tool = Tool {
        annotations: annotations(effect, verb, keys.get("idempotent").and_then(|at| at.flag())),
        unlisted: unlisted(keys, &arguments),
        unshown: unshown::take(&mut schema),
        input_schema: RawValue::from_string(schema.to_string()).expect("a JSON value prints as JSON"),
        title: text("title")
            .or_else(|| at.get("summary")?.text().map(one_line))
            .unwrap_or_else(|| name.replace('_', " ")),
        description: description(at, keys),
        effect,
        verb,
        risks,
        tags: tags(keys, steps, effect),
        aliases: texts("aliases"),
        phrases: phrases(keys),
        calls: Vec::new(),
        workflow: Some(Box::new(workflow)),
        concise,
        name,
    };
    let samples = inputs.samples.iter().map(|(argument, values)| ToolSamples {
        tool: tool.name.clone(),
        argument: argument.clone(),
        values: values.clone(),
    });
    let promised = (!tool.concise.is_empty()).then(|| ConciseAnswer {
        tool: tool.name.clone(),
        place: keys.get("concise").unwrap_or_else(|| keys.clone()).place(),
        fields: fields(answer, &tool.concise),
    });
    WorkflowTool { claims: claims(&tool, at, keys), samples: samples.collect(), answer: promised, tool }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The highest effect of the steps; none while one of their tools is not reviewed.
fn effect(workflow: &Workflow, keys: &Located<'_>) -> Option<Effect> {
    let effects: Option<Vec<Effect>> = workflow.steps.iter().flat_map(Step::calls).map(|call| call.effect).collect();
    let highest = effects.and_then(|effects| effects.into_iter().max());
    let stated = keys.get("effect").and_then(|at| Some((at.word(Effect::ALL)?, at)));
    if let (Some(highest), Some((stated, at))) = (highest, stated)
        && stated != highest
    {
        let step = workflow.steps.iter().find(|step| step.call.effect == Some(highest));
        let hint = step.map(|step| format!("the step `{}` calls `{}`", step.id, step.call.tool));
        at.report(format!("`{highest}`, the highest effect of its steps"), format!("`{stated}`"), hint);
    }
    highest
}

/// The risks of all steps.
fn risks(workflow: &Workflow, keys: &Located<'_>) -> BTreeSet<Risk> {
    let calls = workflow.steps.iter().flat_map(Step::calls);
    let risks: BTreeSet<Risk> = calls.flat_map(|call| call.risks.iter().copied()).collect();
    if let Some(at) = keys.get("risks") {
        let stated: BTreeSet<Risk> = at.items().iter().filter_map(|risk| risk.word(Risk::ALL)).collect();
        let words = |risks: &BTreeSet<Risk>| {
            let words: Vec<String> = risks.iter().map(|risk| format!("`{risk}`")).collect();
            if words.is_empty() { "none".to_owned() } else { words.join(", ") }
        };
        if stated != risks {
            at.report(format!("the risks of its steps: {}", words(&risks)), words(&stated), None);
        }
    }
    risks
}

fn name(id: &str, vendor: &str, keys: &Located<'_>) -> String {
    let stated = keys.get("name").and_then(|at| at.text());
    let across = vendor == ACROSS_VENDORS;
    let derived = || if across { snake_case(id) } else { format!("{vendor}_{}", snake_case(id)) };
    let name = stated.map_or_else(derived, str::to_owned);
    let prefix = format!("{vendor}_");
    let expected = if !is_tool_name(&name) {
        format!("a name of `a-z`, `0-9` and `_`, at most {MAX_TOOL_NAME} characters")
    } else if !across && !name.starts_with(&prefix) {
        format!("a name that starts with `{prefix}`")
    } else {
        return name;
    };
    keys.get("name").unwrap_or_else(|| keys.clone()).report(expected, format!("`{name}`"), None);
    name
}

/// The verb that a name states.
fn verb_of(name: &str) -> Verb {
    let word = |word: &str| word.parse::<Verb>().ok();
    name.split('_').take(2).find_map(word).unwrap_or(Verb::Action)
}

fn description(at: &Located<'_>, keys: &Located<'_>) -> String {
    let stated = keys.get("description").or_else(|| at.get("description")).or_else(|| at.get("summary"));
    let Some(stated) = stated else {
        at.report("`description`: what a model reads of it", "nothing".to_owned(), None);
        return String::new();
    };
    let text = stated.text().map(one_line).unwrap_or_default();
    let length = text.chars().count();
    if length > LONGEST_DESCRIPTION || text.is_empty() {
        stated.report(format!("1 to {LONGEST_DESCRIPTION} characters"), format!("{length}"), None);
    }
    text
}

/// The tags of the file, and those of the steps' tools that hold back.
fn tags(keys: &Located<'_>, steps: &[&Tool], effect: Option<Effect>) -> BTreeSet<String> {
    let stated = keys.get("tags").map(|at| at.texts()).unwrap_or_default();
    let held_back = steps.iter().flat_map(|tool| &tool.tags).filter(|tag| HELD_BACK_TAGS.contains(&tag.as_str()));
    let unreviewed = effect.is_none().then(|| UNREVIEWED_TAG.to_owned());
    stated.into_iter().chain(held_back.cloned()).chain(unreviewed).collect()
}

fn phrases(keys: &Located<'_>) -> Vec<String> {
    let Some(at) = keys.get("phrases") else { return Vec::new() };
    let items = at.items();
    if items.len() > MOST_PHRASES {
        at.report(format!("at most {MOST_PHRASES} phrases"), items.len().to_string(), None);
    }
    let mut phrases: Vec<String> = Vec::new();
    for item in &items {
        check_phrase(item);
        let Some(text) = item.text() else { continue };
        if phrases.iter().any(|other| other == text) {
            item.report("each phrase once", format!("`{text}` twice"), None);
        }
        phrases.push(text.to_owned());
    }
    phrases
}

fn unlisted(keys: &Located<'_>, arguments: &[Argument]) -> Vec<String> {
    let items = keys.get("unlisted").map(|at| at.items()).unwrap_or_default();
    for item in &items {
        let Some(name) = item.text() else { continue };
        match arguments.iter().find(|argument| argument.name == name) {
            Some(argument) if argument.required => {
                item.report("an argument that can be left out", format!("`{name}`, which is required"), None);
            }
            Some(_) => {}
            None => {
                let hint = near_or_all(name, arguments.iter().map(|argument| argument.name.as_str()));
                item.report("the name of an argument of the tool", format!("`{name}`"), hint);
            }
        }
    }
    items.iter().filter_map(|item| item.value.as_str().map(str::to_owned)).collect()
}

/// The paths that are kept unless all is requested; each has to lead somewhere.
fn concise(answer: &Shape<'_>, keys: &Located<'_>, effect: Option<Effect>) -> Vec<String> {
    let Some(at) = keys.get("concise") else { return Vec::new() };
    if effect.is_some_and(|effect| effect != Effect::Read) {
        let hint = "what changes something answers with little; there is nothing to leave out";
        at.report("`concise` on a workflow that reads", "it on another".to_owned(), Some(hint.to_owned()));
    }
    for item in at.items() {
        let Some(path) = item.text() else { continue };
        let mut here = answer.clone();
        for step in path.split('.') {
            here = match here.named(step) {
                Ok(part) => part,
                Err(known) => {
                    let hint = near_or_all(step, known.iter().map(String::as_str));
                    let found = format!("`{path}`, of which it has no `{step}`");
                    item.report("a path through the fields of the workflow's answer", found, hint);
                    break;
                }
            };
        }
    }
    at.items().iter().filter_map(|item| item.value.as_str().map(str::to_owned)).collect()
}

/// The fields of the answer, each name once, and whether the concise form keeps one of that name.
fn fields(answer: &Shape<'_>, concise: &[String]) -> Vec<AnswerField> {
    let mut found: Vec<AnswerField> = Vec::new();
    let mut parts = vec![(String::new(), answer.clone())];
    for depth in 0..DEEPEST_FIELD {
        let mut inside = Vec::new();
        for (path, shape) in parts {
            for (name, shape) in shape.fields() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let is_kept = crate::lower::concise::is_kept(&path, concise);
                match found.iter_mut().find(|field| field.name == name) {
                    Some(field) => {
                        field.is_top |= depth == 0;
                        field.is_kept |= is_kept;
                    }
                    None => found.push(AnswerField { name, is_top: depth == 0, is_kept }),
                }
                inside.push((path, shape));
            }
        }
        parts = inside;
    }
    found
}

fn claims(tool: &Tool, at: &Located<'_>, keys: &Located<'_>) -> Vec<NameClaim> {
    let owner = format!("the workflow `{}`", tool.workflow.as_ref().map_or("", |workflow| workflow.id.as_str()));
    let claim = |name: &str, place: Located<'_>| NameClaim {
        name: name.to_owned(),
        owner: owner.clone(),
        place: place.place(),
    };
    let named = keys.get("name").or_else(|| at.get("workflowId")).unwrap_or_else(|| at.clone());
    let aliases = keys.get("aliases").map(|at| at.items()).unwrap_or_default();
    let of_aliases = aliases.into_iter().filter_map(|alias| Some(claim(alias.value.as_str()?, alias.clone())));
    std::iter::once(claim(&tool.name, named)).chain(of_aliases).collect()
}

/// What an answer is made of: the outputs, or the fields of one of them with the others beside.
pub(super) fn answer<'w>(outputs: &[(String, Shape<'w>)], keys: &Located<'_>) -> Option<(Option<String>, Shape<'w>)> {
    let Some(at) = keys.get("spread") else {
        return Some((None, Shape::Object(outputs.to_vec().into())));
    };
    let name = at.text()?;
    let Some((_, whole)) = outputs.iter().find(|(output, _)| output == name) else {
        at.report(
            "the name of an output",
            format!("`{name}`"),
            near_or_all(name, outputs.iter().map(|(name, _)| name.as_str())),
        );
        return None;
    };
    if !whole.may_be("object") {
        at.report("an output that is an object", format!("`{name}`, which is {}", whole.in_words()), None);
        return None;
    }
    let inside = whole.fields();
    let others = outputs.iter().filter(|(output, _)| output != name);
    if let Some((clash, _)) = others.clone().find(|(output, _)| inside.iter().any(|(field, _)| field == output)) {
        let found = format!("`{clash}`, which the other has as a field");
        at.report(format!("outputs beside the fields of `{name}`"), found, None);
        return None;
    }
    let is_open = inside.is_empty();
    let shape = if is_open { Shape::Any } else { Shape::Object(inside.into_iter().chain(others.cloned()).collect()) };
    Some((Some(name.to_owned()), shape))
}

/// The keys of a workflow, or of a step; `null` where there are none.
pub(super) fn keys_of<'w>(at: &Located<'w>) -> Located<'w> {
    static NO_KEYS: Value = Value::Null;
    at.get(EXTENSION).unwrap_or_else(|| at.at(&at.pointer, &NO_KEYS))
}

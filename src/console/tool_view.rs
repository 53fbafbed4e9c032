//! A tool → what its page shows: what a model reads, its arguments, what it does at the vendor, its steps.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::frame::Frame;
use super::picture::Picture;
use crate::catalog::{Catalog, CatalogEntry};
use crate::error::Audience;
use crate::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::workflow::Step;
use toolwright_model::{Call, Effect};

/// What the page of a tool shows.
#[derive(Debug)]
pub(super) struct ToolView {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) vendor: String,
    /// As the model sees it.
    pub(super) description: String,
    pub(super) effect: &'static str,
    pub(super) tokens: usize,
    /// Further facts: their names and values.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) risks: Vec<RiskView>,
    pub(super) arguments: Vec<ArgumentView>,
    pub(super) calls: Vec<CallView>,
    pub(super) steps: Vec<StepView>,
    pub(super) picture: Option<Picture>,
    /// Why `serve` does not offer it by default; `None` where it does.
    pub(super) refusal: Option<String>,
    /// The input schema, as JSON.
    pub(super) schema: String,
}

/// A risk.
#[derive(Debug)]
pub(super) struct RiskView {
    pub(super) name: &'static str,
    /// Whether it is refused unless `--allow` names it.
    pub(super) gated: bool,
}

/// An argument, in the table and in the form.
#[derive(Debug)]
pub(super) struct ArgumentView {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) description: String,
    pub(super) control: Control,
    /// What was typed.
    pub(super) value: String,
}

impl ArgumentView {
    /// Whether this value was chosen.
    pub(super) fn is_chosen(&self, choice: &str) -> bool {
        self.value == choice
    }

    /// Whether it is typed as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.control == Control::Json
    }
}

/// What an argument is typed into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Control {
    /// One line.
    Text,
    /// One of these values.
    Choice(Vec<String>),
    /// JSON over several lines.
    Json,
}

/// A vendor's call.
#[derive(Debug)]
pub(super) struct CallView {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) operation: String,
    pub(super) when: Option<String>,
}

/// A step of a workflow.
#[derive(Debug)]
pub(super) struct StepView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) tool: String,
    /// The page of its tool; empty where there is none.
    pub(super) href: String,
    pub(super) call: String,
    pub(super) notes: Vec<String>,
}

impl ToolView {
    /// The page of an entry. `typed` is what was typed into its form.
    pub(super) fn of(entry: &CatalogEntry, catalog: &Catalog, frame: &Frame, typed: &BTreeMap<String, String>) -> Self {
        let tool = &entry.tool;
        let schema = tool.parsed_input_schema();
        let joined = |words: &[&str]| words.join(", ");
        let hints = tool.annotations;
        let hint = |holds: bool| if holds { "yes" } else { "no" };
        let mut facts = vec![
            ("Verb", tool.verb.as_str().to_owned()),
            ("Tags", joined(&tool.tags.iter().map(String::as_str).collect::<Vec<_>>())),
            ("Other names", joined(&tool.aliases.iter().map(String::as_str).collect::<Vec<_>>())),
            ("Can be repeated without further effect", hint(hints.idempotent_hint).to_owned()),
            ("Shown of each record by default", joined(&tool.concise.iter().map(String::as_str).collect::<Vec<_>>())),
        ];
        facts.retain(|(_, value)| !value.is_empty());
        let workflow = tool.workflow.as_deref();
        let steps = workflow.map(|workflow| &workflow.steps).into_iter().flatten();
        Self {
            name: tool.name.clone(),
            title: tool.title.clone(),
            vendor: catalog.title(&entry.vendor).to_owned(),
            description: tool.listed_description(),
            effect: tool.effect.map_or("unreviewed", Effect::as_str),
            tokens: entry.tokens(),
            facts,
            risks: tool.risks.iter().map(|risk| RiskView { name: risk.as_str(), gated: risk.is_gated() }).collect(),
            arguments: arguments(&schema, typed),
            calls: tool.calls.iter().map(CallView::of).collect(),
            steps: steps.map(|step| StepView::of(step, catalog, frame)).collect(),
            picture: workflow.map(Picture::of),
            refusal: refusal(entry, catalog),
            schema: serde_json::to_string_pretty(&schema).unwrap_or_default(),
        }
    }
}

/// Why `serve` without flags does not offer a tool.
fn refusal(entry: &CatalogEntry, catalog: &Catalog) -> Option<String> {
    let selection = Selection::resolve(&SelectionWords::default(), Defaults::CoreReads, catalog).ok()?;
    selection.decide(entry).err().map(|refusal| refusal.text(Audience::Person))
}

/// The arguments, those that are required first.
pub(super) fn arguments(schema: &Map<String, Value>, typed: &BTreeMap<String, String>) -> Vec<ArgumentView> {
    let listed = schema.get("required").and_then(Value::as_array);
    let required: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let view = |(name, property): (&String, &Value)| ArgumentView {
        name: name.clone(),
        kind: kind(property),
        required: required.contains(&name.as_str()),
        description: property["description"].as_str().unwrap_or_default().to_owned(),
        control: Control::of(property),
        value: typed.get(name).cloned().unwrap_or_default(),
    };
    let mut arguments: Vec<ArgumentView> = properties.into_iter().flatten().map(view).collect();
    arguments.sort_by_key(|argument| !argument.required);
    arguments
}

/// The type of a value, for a person.
fn kind(property: &Value) -> String {
    let one = |value: &Value| value.as_str().map(str::to_owned);
    let types: Vec<String> = match &property["type"] {
        Value::Array(types) => types.iter().filter_map(one).collect(),
        one_type => one(one_type).into_iter().collect(),
    };
    let mut kind = if types.is_empty() { "any value".to_owned() } else { types.join(" or ") };
    if let Some(items) = property["items"]["type"].as_str() {
        kind = format!("{kind} of {items}");
    }
    if let Some(choices) = choices(property) {
        kind = format!("{kind}: {}", choices.join(", "));
    }
    for (key, name) in [("format", "format"), ("minimum", "at least"), ("maximum", "at most"), ("default", "default")] {
        match &property[key] {
            Value::Null => {}
            Value::String(text) => kind = format!("{kind}; {name} {text}"),
            other => kind = format!("{kind}; {name} {other}"),
        }
    }
    kind
}

fn choices(property: &Value) -> Option<Vec<String>> {
    let values = property["enum"].as_array()?;
    Some(values.iter().filter(|value| !value.is_null()).map(plain).collect())
}

/// A value as it is typed: a text without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Control {
    fn of(property: &Value) -> Self {
        if let Some(choices) = choices(property) {
            return Self::Choice(choices);
        }
        let first = match &property["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
            one => one.as_str(),
        };
        match first {
            Some("boolean") => Self::Choice(["true", "false"].map(str::to_owned).to_vec()),
            Some("string" | "integer" | "number") => Self::Text,
            _ => Self::Json,
        }
    }
}

impl CallView {
    fn of(call: &Call) -> Self {
        let when = call.when.as_ref().map(|when| format!("where {} is {}", when.argument, plain(&when.equals)));
        Self {
            method: call.method.clone(),
            path: call.path.clone(),
            operation: format!("{} of {}", call.operation, call.api),
            when,
        }
    }
}

impl StepView {
    fn of(step: &Step, catalog: &Catalog, frame: &Frame) -> Self {
        let call = &step.call;
        let mut notes = Vec::new();
        let mut note = |holds: bool, text: String| notes.extend(holds.then_some(text));
        note(!step.after.is_empty(), format!("after {}", step.after.join(", ")));
        let when: Vec<&str> = step.when.iter().map(|criterion| criterion.text.as_str()).collect();
        note(!when.is_empty(), format!("only if {}", when.join(" and ")));
        if let Some(foreach) = &step.foreach {
            note(true, format!("for each value of a list of at most {}", foreach.at_most));
        }
        note(step.optional, "a failure is reported and does not end the rest".to_owned());
        if let Some(undo) = &step.undo {
            note(true, format!("what takes it back, and is never sent by itself: {}", undo.tool));
        }
        let effect = call.effect.map_or("unreviewed", Effect::as_str);
        Self {
            id: step.id.clone(),
            title: step.title.clone(),
            tool: call.tool.clone(),
            href: catalog.get(&call.tool).map(|entry| frame.tool(&entry.head().name)).unwrap_or_default(),
            call: format!("{} {} of {}, {effect}", call.method, call.path, call.api),
            notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_have_the_control_that_fits_them() {
        let Value::Object(schema) = json!({
            "required": ["mode"],
            "properties": {
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
                "name": {"type": ["string", "null"]},
                "open": {"type": "boolean"},
                "mode": {"type": "string", "enum": ["all", "mine", null], "description": "Which <b>ones</b>"},
                "ids": {"type": "array", "items": {"type": "string"}},
                "any": {},
            }
        }) else {
            panic!("an object")
        };
        let typed = BTreeMap::from([("name".to_owned(), "x".to_owned())]);
        let found: Vec<(String, String, Control, String)> =
            arguments(&schema, &typed).into_iter().map(|one| (one.name, one.kind, one.control, one.value)).collect();
        let choice = |words: &[&str]| Control::Choice(words.iter().map(|word| (*word).to_owned()).collect());
        let expected = [
            ("mode", "string: all, mine", choice(&["all", "mine"]), ""),
            ("limit", "integer; at least 1; at most 50; default 10", Control::Text, ""),
            ("name", "string or null", Control::Text, "x"),
            ("open", "boolean", choice(&["true", "false"]), ""),
            ("ids", "array of string", Control::Json, ""),
            ("any", "any value", Control::Json, ""),
        ];
        assert_eq!(found.len(), expected.len());
        for (found, (name, kind, control, value)) in found.into_iter().zip(expected) {
            assert_eq!(found, (name.to_owned(), kind.to_owned(), control, value.to_owned()));
        }
    }
}

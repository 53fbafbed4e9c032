//! `inputs` of a workflow, a JSON Schema → the arguments of its tool.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::shape::{Shape, described};
use crate::lower::arguments::Argument;
use crate::lower::fit::misfit;
use crate::read::located::{Located, describe};
use crate::read::reference::REF;
use crate::read::workflows::expression::is_name;
use toolwright_model::answers::{DescribedAnswers, DescribedValue};
use toolwright_model::workflow::WorkflowInput;
use toolwright_model::{ANSWER, CURSOR, DETAIL, DRY_RUN, FIELDS, JQ, portability_faults};

/// The names of arguments that tools have without stating them.
const OWN: [&str; 6] = [DRY_RUN, FIELDS, JQ, CURSOR, DETAIL, ANSWER];

/// What callers give to a workflow.
#[derive(Debug, Default)]
pub(super) struct WorkflowInputs {
    pub(super) arguments: Vec<Argument>,
    pub(super) inputs: Vec<WorkflowInput>,
    /// Values for the tests that draw arguments: input → values.
    pub(super) samples: Vec<(String, Vec<Value>)>,
    /// The schemas by the names of the inputs.
    described: DescribedAnswers,
}

impl WorkflowInputs {
    /// Reads the inputs; reports what is wrong with them.
    pub(super) fn read(at: Option<&Located<'_>>) -> Self {
        let mut read = Self::default();
        let Some(at) = at.filter(|at| at.object().is_some()) else { return read };
        if let Some(reference) = at.get(REF) {
            reference.wrong_with_hint("the schema itself", "state the inputs here");
            return read;
        }
        at.only(&["type", "properties", "required", "description", "additionalProperties", "title"]);
        if at.get("type").is_none_or(|kind| kind.value.as_str() != Some("object")) {
            at.report(
                "`type: object`",
                at.get("type").map_or_else(|| "nothing".to_owned(), |kind| describe(kind.value)),
                None,
            );
        }
        let required: Vec<String> = at.get("required").map(|at| at.texts()).unwrap_or_default();
        let properties = at.get("properties").map(|at| at.entries()).unwrap_or_default();
        let names: BTreeSet<&str> = properties.iter().map(|(name, _)| *name).collect();
        for name in required.iter().filter(|name| !names.contains(name.as_str())) {
            at.get("required").unwrap_or_else(|| at.clone()).report(
                "the name of a property",
                format!("`{name}`"),
                None,
            );
        }
        for (name, property) in properties {
            read.add(name, &property, required.iter().any(|required| required == name));
        }
        read
    }

    fn add(&mut self, name: &str, at: &Located<'_>, required: bool) {
        if !is_name(name) || name.len() > 64 {
            at.report("a name of letters, digits, `_`, `.` and `-`, at most 64", format!("`{name}`"), None);
        }
        if OWN.contains(&name) {
            let hint = "every tool that reads, or changes something, has it already";
            at.report("a name that is none of toolwright's own", format!("`{name}`"), Some(hint.to_owned()));
        }
        let Some(schema) = at.object() else { return };
        let mut schema = schema.clone();
        let samples = schema.shift_remove("examples").and_then(|values| values.as_array().cloned()).unwrap_or_default();
        if schema.get("description").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            at.report("`description`: what a model reads of it", "nothing".to_owned(), None);
        }
        if !is_portable(name, &schema, at) {
            return;
        }
        for sample in samples.iter().chain(schema.get("default")) {
            if let Some(expected) = misfit(&schema, sample) {
                at.report(expected, describe(sample), None);
            }
        }
        if required && let Some(default) = at.get("default") {
            default.report("no `default` on an input that is required", "one".to_owned(), None);
        }
        if !samples.is_empty() {
            self.samples.push((name.to_owned(), samples));
        }
        self.described.schemas.insert(name.to_owned(), described(&schema));
        self.inputs.push(WorkflowInput {
            name: name.to_owned(),
            aliases: Vec::new(),
            default: schema.get("default").cloned(),
        });
        self.arguments.push(Argument { name: name.to_owned(), required, schema });
    }

    /// Returns what is known of an input.
    pub(super) fn shape(&self, name: &str) -> Option<Shape<'_>> {
        let schema = self.described.schemas.get(name)?;
        Some(Shape::Described(DescribedValue::new(&self.described, vec![schema])))
    }

    /// Returns the names of the inputs.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.inputs.iter().map(|input| input.name.as_str())
    }

    /// Returns whether an input has a value in every call.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.arguments.iter().any(|argument| argument.name == name && argument.required)
            || self.inputs.iter().any(|input| input.name == name && input.default.is_some())
    }
}

/// Reports what of a schema some client refuses.
fn is_portable(name: &str, schema: &Map<String, Value>, at: &Located<'_>) -> bool {
    let whole = serde_json::json!({"type": "object", "properties": {name: schema}, "additionalProperties": false});
    let faults = portability_faults(&whole);
    for fault in &faults {
        let hint = "clients take one type for each value, no `$ref` and no compositions";
        at.report("a schema that every client takes", fault.clone(), Some(hint.to_owned()));
    }
    faults.is_empty()
}

//! An Arazzo file → tools of several calls. Every expression is resolved against the inputs, the descriptions of the
//! answers and the outputs of the steps before; what leads nowhere is a finding.
//!
//! ```text
//! inputs       `inputs` → arguments
//! order        which step waits for which → an order
//! step         a step → Step
//!   call         operationId, parameters, requestBody (payload) → a tool's call (operations: what can be called)
//!   criteria, actions, selection
//! scope        expressions and values → what can be read where; shape: what is known of a value
//! tool         what is stated beside the steps → Tool
//! across       specs/workflows/ → the same, of several vendors
//! ```
//!
//! Beyond Arazzo, under `x-toolwright`: a step is run for each value of a list (`foreach`), under a condition (`when`),
//! without ending the workflow by its failure (`optional`), and states the call that takes it back (`undo`).

pub mod across;
mod actions;
mod call;
mod criteria;
mod inputs;
mod operations;
mod order;
mod payload;
mod scope;
mod selection;
mod shape;
mod step;
mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use crate::lower::promises::ConciseAnswer;
use crate::lower::tool_draft::{NameClaim, ToolSamples};
use crate::lower::vendor::LoweredApi;
use crate::read::finding::Findings;
use crate::read::located::Located;
use crate::read::source_map::SourceMap;
use crate::read::workflows::expression::{is_name, steps_read};
use crate::read::workflows::{self, WorkflowFile};
use inputs::WorkflowInputs;
use operations::Sources;
use scope::{Scope, near_or_all};
use shape::Shape;
use step::{CompiledStep, OfAll};
use tool::WorkflowTool;
use toolwright_model::workflow::{ACROSS_VENDORS, Expression, Source, Step, Template, Workflow, WorkflowInput};
use toolwright_model::{Effect, Tool};

/// The most steps of a workflow.
const MOST_STEPS: usize = 50;

/// The workflows of a file, as tools.
#[derive(Debug)]
pub struct LoweredWorkflows {
    /// What they are listed under: the vendor's id, or the stem of the file across vendors.
    pub unit: String,
    /// The vendor's id, or [`ACROSS_VENDORS`].
    pub vendor: String,
    /// The file, as messages and headers name it.
    pub file: String,
    /// The title that the file states.
    pub title: String,
    pub tools: Vec<Tool>,
    pub claims: Vec<NameClaim>,
    pub samples: Vec<ToolSamples>,
    pub answers: Vec<ConciseAnswer>,
}

/// Compiles the workflows of a file, whose source descriptions are among `apis`.
pub fn lower(file: &WorkflowFile, vendor: &str, apis: &[&LoweredApi], findings: &Findings) -> LoweredWorkflows {
    let source = SourceMap::new(&file.file, findings);
    let root = Located::root(&source, &file.value);
    let known = findings.len();
    let stated = workflows::read_head(&root, &file.name);
    let sources = Sources::find(&stated, apis, &root);
    let mut lowered = LoweredWorkflows {
        unit: file.unit.clone(),
        vendor: vendor.to_owned(),
        file: file.name.clone(),
        title: file.value.pointer("/info/title").and_then(Value::as_str).unwrap_or_default().to_owned(),
        tools: Vec::new(),
        claims: Vec::new(),
        samples: Vec::new(),
        answers: Vec::new(),
    };
    if findings.len() > known {
        return lowered;
    }
    check_vendors(vendor, &sources, &root);
    let mut ids: Vec<&str> = Vec::new();
    for at in root.required("workflows", "a list of workflows").map(|at| at.items()).unwrap_or_default() {
        let id = at.required("workflowId", "a name").and_then(|at| at.text()).unwrap_or_default();
        if ids.contains(&id) {
            at.report("an id of its own for each workflow", format!("`{id}` twice"), None);
        }
        ids.push(id);
        let Some(WorkflowTool { tool, claims, samples, answer }) =
            lower_workflow(&at, id, vendor, &file.name, &sources)
        else {
            continue;
        };
        lowered.tools.push(tool);
        lowered.claims.extend(claims);
        lowered.samples.extend(samples);
        lowered.answers.extend(answer);
    }
    lowered.tools.sort_by(|a, b| a.name.cmp(&b.name));
    lowered
}

/// A vendor's file calls that vendor, and a file across vendors several.
fn check_vendors(vendor: &str, sources: &Sources<'_>, root: &Located<'_>) {
    let vendors = sources.vendors();
    let is_right = if vendor == ACROSS_VENDORS { vendors.len() > 1 } else { vendors == [vendor] };
    if !is_right && !vendors.is_empty() {
        let (expected, hint) = match vendor {
            ACROSS_VENDORS => {
                ("descriptions of several vendors".to_owned(), "what calls one vendor belongs into its folder")
            }
            vendor => {
                (format!("descriptions of `{vendor}`"), "what calls several vendors belongs into specs/workflows")
            }
        };
        let found = vendors.iter().map(|vendor| format!("`{vendor}`")).collect::<Vec<_>>().join(", ");
        root.nearest("/sourceDescriptions").report(expected, format!("those of {found}"), Some(hint.to_owned()));
    }
}

fn lower_workflow(at: &Located<'_>, id: &str, vendor: &str, file: &str, sources: &Sources<'_>) -> Option<WorkflowTool> {
    at.object()?;
    at.only(&[
        "workflowId",
        "summary",
        "description",
        "inputs",
        "dependsOn",
        "steps",
        "successActions",
        "failureActions",
        "outputs",
        "parameters",
        crate::read::keys::EXTENSION,
    ]);
    let keys = tool::keys_of(at);
    if keys.value != &Value::Null {
        tool::check_keys(&keys);
    }
    if !is_name(id) {
        at.get("workflowId").unwrap_or_else(|| at.clone()).wrong("a name of letters, digits, `_`, `.` and `-`");
    }
    if let Some(depends) = at.get("dependsOn") {
        let hint = "a workflow is one tool, which calls no other: state its steps here";
        depends.wrong_with_hint("no `dependsOn`", hint);
    }
    let inputs = WorkflowInputs::read(at.get("inputs").as_ref());
    let steps = compile_steps(at, &inputs, sources)?;
    let known: BTreeMap<String, Vec<_>> =
        steps.iter().map(|step| (step.step.id.clone(), step.outputs.clone())).collect();
    let scope = Scope {
        inputs: &inputs,
        ids: known.keys().cloned().collect(),
        steps: Rc::new(known),
        own: None,
        item: None,
        guarded: Vec::new(),
    };
    let read = step::read_outputs(&scope, at, &keys);
    let is_wrong = read.is_none();
    let outputs = read.unwrap_or_default();
    // Of one that changes something a caller gets the table of outcomes.
    let only_reads = steps.iter().all(|step| step.step.call.effect == Some(Effect::Read));
    if outputs.is_empty() && !is_wrong && only_reads {
        at.report("`outputs`: what a caller gets", "nothing".to_owned(), None);
    }
    let shapes: Vec<(String, _)> = outputs.iter().map(|(output, shape)| (output.name.clone(), shape.clone())).collect();
    // Of what is wrong nothing more is known; the rest is checked all the same.
    let answer = if is_wrong { None } else { tool::answer(&shapes, &keys) };
    let (spread, answer) = answer.unwrap_or((None, Shape::Any));
    let tools: Vec<&Tool> = steps.iter().map(|step| step.tool).collect();
    let steps: Vec<Step> = steps.into_iter().map(|step| step.step).collect();
    let vendors: BTreeSet<String> = steps.iter().map(|step| step.call.vendor.clone()).collect();
    if !is_wrong {
        check_inputs_used(at, &inputs, &steps, &outputs.iter().map(|(output, _)| &output.value).collect::<Vec<_>>());
    }
    let workflow = Workflow {
        id: id.to_owned(),
        source: file.to_owned(),
        vendors: vendors.into_iter().collect(),
        inputs: with_aliases(&inputs.inputs, &steps, &tools),
        steps,
        outputs: outputs.into_iter().map(|(output, _)| output).collect(),
        spread,
    };
    Some(tool::make(workflow, &inputs, &tools, &answer, at, &keys, vendor))
}

/// Compiles the steps, each after those that it waits for.
fn compile_steps<'w>(
    at: &Located<'w>,
    inputs: &'w WorkflowInputs,
    sources: &'w Sources<'_>,
) -> Option<Vec<CompiledStep<'w>>> {
    let list = at.required("steps", "a list of steps")?;
    let places = list.items();
    if places.is_empty() || places.len() > MOST_STEPS {
        list.report(format!("1 to {MOST_STEPS} steps"), places.len().to_string(), None);
        return None;
    }
    let ids = read_ids(&places)?;
    let waits = read_waits(&places, &ids)?;
    let order = match order::sorted(&waits) {
        Ok(order) => order,
        Err(circle) => {
            let names: Vec<&str> = circle.iter().chain(circle.first()).map(|step| ids[*step].as_str()).collect();
            let place = circle.first().map_or(&list, |step| &places[*step]);
            let place = place.get("dependsOn").unwrap_or_else(|| place.clone());
            let found = format!("a circle: `{}`", names.join("` waits for `"));
            place.report("steps of which each can begin", found, None);
            return None;
        }
    };
    let of_all = OfAll {
        parameters: at.get("parameters"),
        on_success: at.get("successActions"),
        on_failure: at.get("failureActions"),
    };
    let mut is_right = true;
    let mut known: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut compiled: Vec<CompiledStep<'w>> = Vec::new();
    for position in &order {
        let (id, place) = (&ids[*position], &places[*position]);
        let scope = Scope {
            inputs,
            ids: ids.as_slice().into(),
            steps: Rc::new(known.clone()),
            own: None,
            item: None,
            guarded: Vec::new(),
        };
        match step::compile(sources, scope, id, place, &of_all) {
            Some(step) => {
                known.insert(id.clone(), step.outputs.clone());
                compiled.push(step);
            }
            None => is_right = false,
        }
    }
    if !is_right {
        return None;
    }
    Some(finish(compiled, &order, &ids, &waits, &places))
}

/// Writes the order into the steps, and checks the ways back.
fn finish<'w>(
    mut compiled: Vec<CompiledStep<'w>>,
    order: &[usize],
    ids: &[String],
    waits: &[BTreeSet<usize>],
    places: &[Located<'w>],
) -> Vec<CompiledStep<'w>> {
    let position = |id: &str| order.iter().position(|step| ids[*step] == id);
    let data: Vec<BTreeSet<usize>> = compiled
        .iter()
        .zip(order)
        .map(|(of, step)| {
            let stated = waits[*step].iter().filter_map(|before| position(&ids[*before]));
            stated.chain(step::steps_read(&of.step).iter().filter_map(|id| position(id))).collect()
        })
        .collect();
    let mut steps: Vec<Step> = compiled.iter().map(|of| of.step.clone()).collect();
    order::write_after(&mut steps, &data);
    let by_id: BTreeMap<&str, Located<'w>> = ids.iter().map(String::as_str).zip(places.iter().cloned()).collect();
    order::check_repeats(&steps, &by_id);
    for (of, step) in compiled.iter_mut().zip(steps) {
        of.step = step;
    }
    compiled
}

fn read_ids(places: &[Located<'_>]) -> Option<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    let mut is_right = true;
    for at in places {
        let id = at.required("stepId", "a name").and_then(|at| at.text().map(str::to_owned)).unwrap_or_default();
        if !is_name(&id) || id.contains('.') {
            at.get("stepId").unwrap_or_else(|| at.clone()).wrong("a name of letters, digits, `_` and `-`");
            is_right = false;
        } else if ids.contains(&id) {
            at.report("an id of its own for each step", format!("`{id}` twice"), None);
            is_right = false;
        }
        ids.push(id);
    }
    is_right.then_some(ids)
}

/// Returns for which steps each waits: those that `dependsOn` names, and those that its expressions read.
fn read_waits(places: &[Located<'_>], ids: &[String]) -> Option<Vec<BTreeSet<usize>>> {
    let position = |id: &str| ids.iter().position(|known| known == id);
    let mut is_right = true;
    let mut waits = Vec::new();
    for at in places {
        let mut before = BTreeSet::new();
        for stated in at.get("dependsOn").map(|at| at.items()).unwrap_or_default() {
            let Some(text) = stated.text() else { continue };
            let id = text.strip_prefix("$steps.").unwrap_or(text);
            match position(id) {
                Some(step) => drop(before.insert(step)),
                None => {
                    is_right = false;
                    stated.report(
                        "the `stepId` of a step of the workflow",
                        format!("`{text}`"),
                        near_or_all(id, ids.iter().map(String::as_str)),
                    );
                }
            }
        }
        texts(at.value, &mut |text| before.extend(steps_read(text).filter_map(position)));
        waits.push(before);
    }
    is_right.then_some(waits)
}

/// Calls `visit` with every text of a value.
fn texts(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, visit)),
        Value::Object(entries) => entries.values().for_each(|entry| texts(entry, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reports inputs that nothing reads: a caller would give them in vain.
fn check_inputs_used(at: &Located<'_>, inputs: &WorkflowInputs, steps: &[Step], outputs: &[&Template]) {
    let mut used: BTreeSet<String> = steps.iter().flat_map(step::inputs_read).collect();
    for output in outputs {
        output.visit(&mut |expression| used.extend(step::input_of(expression)));
    }
    for name in inputs.names().filter(|name| !used.contains(*name)) {
        let place = at.get("inputs").and_then(|at| at.get("properties")?.get(name)).unwrap_or_else(|| at.clone());
        place.report("an input that a step or an output reads", format!("`{name}`, which none does"), None);
    }
}

/// The inputs, each with the other names of the arguments that it is given to under its own name.
fn with_aliases(inputs: &[WorkflowInput], steps: &[Step], tools: &[&Tool]) -> Vec<WorkflowInput> {
    let bindings = |step: &Step, name: &str| {
        let calls = tools.iter().find(|tool| tool.name == step.call.tool).map(|tool| tool.calls.as_slice());
        let of_step = calls.unwrap_or_default().iter().filter(|call| call.operation == step.call.operation);
        let named = of_step.flat_map(|call| &call.bindings).filter(|binding| binding.argument == name);
        named.flat_map(|binding| binding.aliases.clone()).collect::<Vec<String>>()
    };
    let own = |alias: &String| inputs.iter().any(|input| input.name == *alias);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut with: Vec<WorkflowInput> = inputs.to_vec();
    for input in &mut with {
        let whole =
            Template::Read(Expression { source: Source::Input { name: input.name.clone() }, pointer: String::new() });
        let given = steps.iter().filter(|step| step.call.arguments.get(&input.name) == Some(&whole));
        let aliases = given.flat_map(|step| bindings(step, &input.name)).filter(|alias| !own(alias));
        input.aliases = aliases.filter(|alias| taken.insert(alias.clone())).collect();
    }
    with
}

//! A step of an Arazzo file → [`Step`], and what is known of its outputs.

use std::rc::Rc;

use super::actions;
use super::call::{self, CompiledCall};
use super::criteria;
use super::operations::Sources;
use super::scope::{OwnAnswer, Scope};
use super::selection;
use super::shape::Shape;
use super::tool::keys_of;
use crate::read::keys::EXTENSION;
use crate::read::located::Located;
use crate::read::workflows::expression::is_name;
use toolwright_model::workflow::{
    Already, Condition, Criterion, CriterionKind, Expression, ForEach, NamedTemplate, Only, Source, Step, Template,
};
use toolwright_model::{Effect, Tool};

/// The most values that a step may be run for.
const MOST_VALUES: u64 = 1_000;
/// The most calls of one step that may be under way at once.
const MOST_AT_ONCE: u64 = 10;

/// What a workflow states for all of its steps.
pub(super) struct OfAll<'w> {
    pub(super) parameters: Option<Located<'w>>,
    pub(super) on_success: Option<Located<'w>>,
    pub(super) on_failure: Option<Located<'w>>,
}

/// A compiled step.
pub(super) struct CompiledStep<'w> {
    pub(super) step: Step,
    pub(super) tool: &'w Tool,
    pub(super) outputs: Vec<(String, Shape<'w>)>,
}

/// Compiles a step; `scope` has the inputs and the steps that have ended before.
pub(super) fn compile<'w>(
    sources: &'w Sources<'_>,
    mut scope: Scope<'w>,
    id: &str,
    at: &Located<'w>,
    of_all: &OfAll<'w>,
) -> Option<CompiledStep<'w>> {
    at.only(&[
        "stepId",
        "description",
        "operationId",
        "operationPath",
        "workflowId",
        "parameters",
        "requestBody",
        "successCriteria",
        "onSuccess",
        "onFailure",
        "outputs",
        "dependsOn",
        EXTENSION,
    ]);
    let keys = keys_of(at);
    if at.get(EXTENSION).is_some() {
        keys.only(&["tool", "arguments", "foreach", "optional", "when", "undo", "outputs"]);
    }
    let when = criteria::read_all(&scope, keys.get("when").as_ref());
    for criterion in when.iter().flatten() {
        criterion.visit(&mut |expression| scope.guarded.extend(input_of(expression)));
    }
    let foreach = match keys.get("foreach") {
        Some(foreach) => {
            let (mut each, item) = read_foreach(&scope, &foreach)?;
            scope.item = Some(item);
            each.label = match foreach.get("label") {
                Some(label) => Some(scope.value(&label)?.template),
                None => None,
            };
            each.already = match foreach.get("already") {
                Some(already) => Some(read_already(sources, &scope, &already)?),
                None => None,
            };
            Some(each)
        }
        None => None,
    };
    let CompiledCall { call, callable, tool, of_tool } =
        call::compile(sources, &scope, at, &keys, of_all.parameters.as_ref())?;
    let answer = callable.answer(of_tool);
    let mut after = scope.clone();
    after.own = Some(answer.clone());
    let success = criteria::read_all(&after, at.get("successCriteria").as_ref());
    let on_success = actions::read(&after, at.get("onSuccess").as_ref(), of_all.on_success.as_ref(), false);
    // Of what a vendor refuses with, descriptions say little.
    let mut refused = after.clone();
    refused.own = Some(OwnAnswer { body: Shape::Any, ..answer });
    let on_failure = actions::read(&refused, at.get("onFailure").as_ref(), of_all.on_failure.as_ref(), true);
    let outputs = read_outputs(&after, at, &keys);
    let undo = match keys.get("undo") {
        Some(undo) => Some(read_undo(sources, &after, &undo)?),
        None => None,
    };
    let (outputs, shapes): (Vec<NamedTemplate>, Vec<Shape<'w>>) = outputs?.into_iter().unzip();
    let is_many = foreach.is_some();
    let known = outputs.iter().zip(shapes).map(|(output, shape)| {
        let shape = if is_many { Shape::List(Rc::new(shape)) } else { shape };
        (output.name.clone(), shape)
    });
    let known = known.collect();
    let step = Step {
        id: id.to_owned(),
        title: title(at, tool),
        call,
        after: Vec::new(),
        when: when?,
        foreach,
        success: success?,
        on_success: on_success?,
        on_failure: on_failure?,
        outputs,
        optional: keys.get("optional").and_then(|at| at.flag()).unwrap_or_default(),
        undo,
    };
    Some(CompiledStep { step, tool, outputs: known })
}

/// What a step does, on one line: for progress and reports.
fn title(at: &Located<'_>, tool: &Tool) -> String {
    const LONGEST: usize = 120;
    let stated = at.get("description").and_then(|at| at.text());
    let text = stated.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty());
    if let Some(text) = text.as_ref().filter(|text| text.chars().count() > LONGEST) {
        let found = format!("{} characters", text.chars().count());
        at.get("description").unwrap_or_else(|| at.clone()).report(
            format!("at most {LONGEST} characters"),
            found,
            None,
        );
    }
    text.unwrap_or_else(|| tool.title.clone())
}

fn read_foreach<'w>(scope: &Scope<'w>, at: &Located<'_>) -> Option<(ForEach, Shape<'w>)> {
    at.object()?;
    at.only(&["over", "flat", "where", "distinct", "most", "concurrency", "label", "already"]);
    let over = at.required("over", "the list that the step is run for");
    let most =
        at.required("most", "the most values that the list may have").and_then(|most| within(&most, MOST_VALUES));
    let concurrency = match at.get("concurrency") {
        Some(concurrency) => within(&concurrency, MOST_AT_ONCE)?,
        None => 1,
    };
    let over = over?;
    let lists = if over.value.is_array() { over.items() } else { vec![over.clone()] };
    let mut lists = lists.iter().map(|list| read_list(scope, list)).collect::<Option<Vec<_>>>()?.into_iter();
    let Some((first, item)) = lists.next() else {
        over.wrong("a list, or several");
        return None;
    };
    let flat = at.get("flat").and_then(|at| at.flag()).unwrap_or_default();
    let item = match item.item().filter(|_| flat) {
        Some(inner) => inner,
        None if flat => {
            over.report("a list of lists", format!("`{first}`, whose values are {}", item.in_words()), None);
            return None;
        }
        None => item,
    };
    let also = lists.map(|(expression, _)| expression).collect();
    let mut filter = Vec::new();
    for test in at.get("where").map(|at| at.items()).unwrap_or_default() {
        filter.push(selection::read_where(scope, &test, &item)?);
    }
    let distinct = match at.get("distinct") {
        Some(pointer) => Some(selection::read_pointer(&pointer, &item)?.0),
        None => None,
    };
    let each =
        ForEach { over: first, also, flat, filter, distinct, at_most: most?, concurrency, label: None, already: None };
    Some((each, item))
}

/// A list that a step is run for, and what its values are.
fn read_list<'w>(scope: &Scope<'w>, over: &Located<'_>) -> Option<(Expression, Shape<'w>)> {
    let (expression, shape) = scope.expression(over)?;
    if !matches!(expression.source, Source::Input { .. } | Source::Step { .. }) {
        over.report("an input, or an output of a step", format!("`{expression}`"), None);
        return None;
    }
    let Some(item) = shape.item() else {
        over.report("a list", format!("`{expression}`, which is {}", shape.in_words()), None);
        return None;
    };
    Some((expression, item))
}

/// What shows that nothing has to be sent for a value: criteria of the value, or of the answer to a call that reads.
fn read_already<'w>(sources: &'w Sources<'_>, scope: &Scope<'w>, at: &Located<'w>) -> Option<Already> {
    at.object()?;
    at.only(&[
        "operationId",
        "operationPath",
        "workflowId",
        "parameters",
        "requestBody",
        "tool",
        "arguments",
        "criteria",
        "finds",
        "lacks",
    ]);
    let mut scope = scope.clone();
    let mut call = None;
    if at.get("operationId").is_some() {
        let compiled = call::compile(sources, &scope, at, at, None)?;
        if compiled.call.effect != Some(Effect::Read) {
            let found = format!("`{}`, which does not", compiled.call.tool);
            at.get("operationId").unwrap_or_else(|| at.clone()).report(
                "an operation whose tool only reads",
                found,
                None,
            );
            return None;
        }
        scope.own = Some(compiled.callable.answer(compiled.of_tool));
        call = Some(compiled.call);
    }
    let mut criteria = criteria::read_all(&scope, at.get("criteria").as_ref())?;
    for key in ["finds", "lacks"] {
        if let Some(finds) = at.get(key) {
            criteria.push(read_finds(&scope, &finds, key)?);
        }
    }
    if criteria.is_empty() {
        let found = "none of `criteria`, `finds` and `lacks`".to_owned();
        at.report("what holds where nothing has to be sent", found, None);
        return None;
    }
    Some(Already { call, criteria })
}

/// A record that a list has, or lacks.
fn read_finds(scope: &Scope<'_>, at: &Located<'_>, key: &str) -> Option<Criterion> {
    let compiled = selection::read(scope, at)?;
    let Template::Select(mut selection) = compiled.template else { return None };
    if selection.filter.is_empty() {
        at.report("`where`: which record of the list", "none".to_owned(), None);
        return None;
    }
    let text = format!("`{}` {key} such a record", selection.from);
    selection.only = Some(Only::First);
    let found = Condition::True(Template::Select(selection));
    let condition = if key == "lacks" { Condition::Not(Box::new(found)) } else { found };
    Some(Criterion { text, kind: CriterionKind::Simple(condition) })
}

fn within(at: &Located<'_>, most: u64) -> Option<u32> {
    let number =
        at.value.as_u64().filter(|number| (1..=most).contains(number)).and_then(|number| u32::try_from(number).ok());
    if number.is_none() {
        at.wrong(format!("a whole number from 1 to {most}"));
    }
    number
}

/// Reads `outputs`, and those of the extension.
pub(super) fn read_outputs<'w>(
    scope: &Scope<'w>,
    at: &Located<'_>,
    keys: &Located<'_>,
) -> Option<Vec<(NamedTemplate, Shape<'w>)>> {
    let mut outputs: Vec<(NamedTemplate, Shape<'w>)> = Vec::new();
    let mut is_right = true;
    let standard = at.get("outputs").map(|at| at.entries()).unwrap_or_default();
    let ours = keys.get("outputs").map(|at| at.entries()).unwrap_or_default();
    let all = standard
        .into_iter()
        .map(|(name, at)| (name, at, false))
        .chain(ours.into_iter().map(|(name, at)| (name, at, true)));
    for (name, entry, is_ours) in all {
        if !is_name(name) {
            entry.report("a name of letters, digits, `_`, `.` and `-`", format!("`{name}`"), None);
            is_right = false;
        }
        if outputs.iter().any(|(output, _)| output.name == name) {
            entry.report("each output once", format!("`{name}` twice"), None);
            is_right = false;
        }
        let compiled = match is_ours {
            true => selection::read(scope, &entry),
            false if entry.value.is_string() => scope.value(&entry),
            false => {
                let hint = format!("a part of a list is taken under `{EXTENSION}: {{outputs: …}}`");
                entry.wrong_with_hint("an expression", hint);
                None
            }
        };
        match compiled {
            Some(compiled) => {
                outputs.push((NamedTemplate { name: name.to_owned(), value: compiled.template }, compiled.shape));
            }
            None => is_right = false,
        }
    }
    is_right.then_some(outputs)
}

fn read_undo<'w>(
    sources: &'w Sources<'_>,
    scope: &Scope<'w>,
    at: &Located<'w>,
) -> Option<toolwright_model::workflow::StepCall> {
    at.object()?;
    at.only(&["operationId", "operationPath", "workflowId", "parameters", "requestBody", "tool"]);
    Some(call::compile(sources, scope, at, at, None)?.call)
}

/// Returns the steps that a step reads of, by what it was compiled to.
pub(super) fn steps_read(step: &Step) -> Vec<String> {
    let mut found = Vec::new();
    visit(step, &mut |expression| {
        if let Source::Step { step, .. } = &expression.source {
            found.push(step.clone());
        }
    });
    found
}

/// Returns the inputs that a step reads.
pub(super) fn inputs_read(step: &Step) -> Vec<String> {
    let mut found = Vec::new();
    visit(step, &mut |expression| found.extend(input_of(expression)));
    found
}

/// Returns the input that an expression reads, if it is one.
pub(super) fn input_of(expression: &Expression) -> Option<String> {
    match &expression.source {
        Source::Input { name } => Some(name.clone()),
        _ => None,
    }
}

/// Calls `note` with every expression of a step.
fn visit(step: &Step, note: &mut dyn FnMut(&Expression)) {
    let calls = step.calls().chain(&step.undo);
    calls.flat_map(|call| call.arguments.values()).for_each(|value| value.visit(&mut |expression| note(expression)));
    step.outputs.iter().for_each(|output| output.value.visit(&mut |expression| note(expression)));
    let actions = step.on_success.iter().chain(&step.on_failure).flat_map(|action| &action.criteria);
    let criteria = step.when.iter().chain(&step.success).chain(actions);
    criteria.for_each(|criterion| criterion.visit(&mut |expression| note(expression)));
    if let Some(foreach) = &step.foreach {
        foreach.lists().for_each(&mut *note);
        foreach.filter.iter().for_each(|condition| condition.visit(&mut |expression| note(expression)));
        foreach.label.iter().for_each(|label| label.visit(&mut |expression| note(expression)));
        let already = foreach.already.iter().flat_map(|already| &already.criteria);
        already.for_each(|criterion| criterion.visit(&mut |expression| note(expression)));
    }
}

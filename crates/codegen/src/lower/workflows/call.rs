//! `operationId`, `parameters` and `requestBody` of a step → the call of a tool: the vendor's names become the tool's
//! arguments by its bindings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::operations::{Callable, Sources};
use super::payload::read_payload;
use super::scope::{Compiled, Scope, near_or_all, object, unfit};
use crate::read::keys::EXTENSION;
use crate::read::located::Located;
use toolwright_model::workflow::{StepCall, Template};
use toolwright_model::{ALL, Binding, Call, Place, Tool};

/// A value that the file gives to an operation.
pub(super) struct Given<'w> {
    place: Place,
    at: Located<'w>,
    value: Compiled<'w>,
}

/// What a step calls.
pub(super) struct CompiledCall<'w> {
    pub(super) call: StepCall,
    pub(super) callable: Callable<'w>,
    pub(super) tool: &'w Tool,
    pub(super) of_tool: &'w Call,
}

/// A tool that could be called.
#[derive(Clone, Copy)]
struct Candidate<'w> {
    tool: &'w Tool,
    call: &'w Call,
}

/// Compiles the call of a step, or of its `undo`; `shared` are the parameters that the workflow states for all steps.
pub(super) fn compile<'w>(
    sources: &'w Sources<'_>,
    scope: &Scope<'w>,
    at: &Located<'w>,
    keys: &Located<'w>,
    shared: Option<&Located<'w>>,
) -> Option<CompiledCall<'w>> {
    for (key, reason) in [
        ("operationPath", "name the operation by `operationId`"),
        ("workflowId", "a workflow calls tools and no other workflow: state its steps here"),
    ] {
        if let Some(refused) = at.get(key) {
            refused.wrong_with_hint("`operationId`", reason);
            return None;
        }
    }
    let operation = at.required("operationId", "the operation that is called")?;
    let callable = sources.operation(&operation)?;
    let candidates: Vec<Candidate<'w>> =
        callable.tools().into_iter().map(|(tool, call)| Candidate { tool, call }).collect();
    let whole = candidates.iter().flat_map(|of| of.call.places()).any(|place| *place == Place::Body);
    let given = read_given(scope, at, shared, whole, &callable)?;
    let own = read_own(keys);
    let chosen = choose(&candidates, keys, &given, &operation)?;
    let arguments = chosen.arguments(scope, &given, own, &operation)?;
    let Candidate { tool, call } = chosen;
    let compiled = StepCall {
        tool: tool.name.clone(),
        vendor: callable.api.vendor.to_owned(),
        api: callable.api.id.to_owned(),
        operation: call.operation.clone(),
        method: call.method.clone(),
        path: call.path.clone(),
        effect: tool.effect,
        risks: tool.risks.clone(),
        arguments,
        written_back: call.written_back,
    };
    Some(CompiledCall { call: compiled, callable, tool, of_tool: call })
}

/// Reads what the file gives to the operation.
fn read_given<'w>(
    scope: &Scope<'w>,
    at: &Located<'w>,
    shared: Option<&Located<'w>>,
    whole: bool,
    callable: &Callable<'w>,
) -> Option<Vec<Given<'w>>> {
    let mut is_right = true;
    let mut given: Vec<Given<'w>> = Vec::new();
    let own = at.get("parameters").map(|at| at.items()).unwrap_or_default();
    let own_count = own.len();
    let of_all = shared.map(Located::items).unwrap_or_default();
    for (index, parameter) in own.into_iter().chain(of_all).enumerate() {
        let Some(read) = read_parameter(scope, parameter, callable) else {
            is_right = false;
            continue;
        };
        if let Some(other) = given.iter().find(|other| other.place == read.place) {
            // A step's own parameter counts more than that of the workflow.
            if index < own_count {
                let name = other.place.name().unwrap_or_default().to_owned();
                read.at.report("each parameter once", format!("`{name}` twice"), None);
                is_right = false;
            }
            continue;
        }
        given.push(read);
    }
    if let Some(body) = at.get("requestBody") {
        let (values, body_is_right) = read_payload(scope, &body, callable.operation, whole);
        is_right &= body_is_right;
        given.extend(values.into_iter().map(|(place, at, value)| Given { place, at, value }));
    }
    is_right.then_some(given)
}

fn read_parameter<'w>(scope: &Scope<'w>, at: Located<'w>, callable: &Callable<'w>) -> Option<Given<'w>> {
    at.object()?;
    if let Some(reference) = at.get("reference") {
        reference.wrong_with_hint("the parameter itself", "state it where it is used");
        return None;
    }
    at.only(&["name", "in", "value"]);
    let name = at.required("name", "the name of a parameter")?.text()?.to_owned();
    let location = at.required("in", "`path`, `query`, `header` or `cookie`")?;
    let value = at.required("value", "what is sent")?;
    let place = match location.value.as_str() {
        Some("path") => Place::Path(name.clone()),
        Some("query") => Place::Query(name.clone()),
        Some("header") => Place::Header(name.clone()),
        Some("cookie") => Place::Cookie(name.clone()),
        _ => {
            location.wrong("`path`, `query`, `header` or `cookie`");
            return None;
        }
    };
    let known = callable.operation.parameters.iter();
    let same = |at: toolwright_model::Location| {
        matches!(
            (&place, at),
            (Place::Path(_), toolwright_model::Location::Path)
                | (Place::Query(_), toolwright_model::Location::Query)
                | (Place::Header(_), toolwright_model::Location::Header)
                | (Place::Cookie(_), toolwright_model::Location::Cookie)
        )
    };
    if !known.clone().any(|parameter| parameter.name == name && same(parameter.location)) {
        let elsewhere = known.clone().find(|parameter| parameter.name == name);
        let names = known.map(|parameter| parameter.name.as_str());
        let hint = match elsewhere {
            Some(other) => Some(format!("it is `in: {}`", json!(other.location).as_str().unwrap_or_default())),
            None => near_or_all(&name, names),
        };
        at.report(format!("a parameter of `{}`", callable.operation.id), format!("`{name}`"), hint);
        return None;
    }
    let value = scope.value(&value)?;
    Some(Given { place, at, value })
}

/// The arguments of toolwright's own that a step gives: all pages.
fn read_own(keys: &Located<'_>) -> Vec<(String, Value)> {
    let entries = keys.get("arguments").map(|at| at.entries()).unwrap_or_default();
    let own = entries.into_iter().filter_map(|(name, entry)| {
        if name != ALL {
            let hint = "what goes to the vendor is in `parameters` and `requestBody`; a step reads the whole answer";
            entry.report(format!("`{ALL}`"), format!("`{name}`"), Some(hint.to_owned()));
            return None;
        }
        Some((name.to_owned(), Value::Bool(entry.flag()?)))
    });
    own.collect()
}

/// The tool that the file names, or the only one that takes what is given.
fn choose<'w>(
    candidates: &[Candidate<'w>],
    keys: &Located<'_>,
    given: &[Given<'w>],
    operation: &Located<'_>,
) -> Option<Candidate<'w>> {
    let names = || candidates.iter().map(|of| of.tool.name.as_str());
    if let Some(named) = keys.get("tool") {
        let name = named.text()?;
        let found = candidates.iter().find(|of| of.tool.name == name).copied();
        if found.is_none() {
            named.report("a tool that calls the operation", format!("`{name}`"), near_or_all(name, names()));
        }
        return found;
    }
    let fitting: Vec<&Candidate<'w>> = candidates.iter().filter(|of| of.missing(given).is_empty()).collect();
    match (fitting.as_slice(), candidates) {
        ([one], _) => Some(**one),
        // What it does not take is reported of it.
        ([], [one]) => Some(*one),
        ([], []) => {
            operation.report(
                "an operation that a tool calls",
                format!("`{}`, which none does", operation.text()?),
                None,
            );
            None
        }
        ([], _) => {
            let hint = format!("name one by `{EXTENSION}: {{tool: …}}`: {}", names().collect::<Vec<_>>().join(", "));
            operation.report(
                "a tool that takes what the step gives",
                "several tools, none of which does".to_owned(),
                Some(hint),
            );
            None
        }
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|of| of.tool.name.as_str()).collect();
            let hint = format!("name one by `{EXTENSION}: {{tool: …}}`: {}", names.join(", "));
            operation.report("one tool that calls the operation", format!("{} that do", names.len()), Some(hint));
            None
        }
    }
}

impl<'w> Candidate<'w> {
    /// Returns what is given and has no place in the tool.
    fn missing<'g>(&self, given: &'g [Given<'w>]) -> Vec<&'g Given<'w>> {
        given.iter().filter(|given| self.carrier(given).is_none()).collect()
    }

    /// Returns how the tool takes a value, if it does.
    fn carrier(&self, given: &Given<'w>) -> Option<Carrier<'w>> {
        if let Some(binding) = self.call.bindings.iter().find(|binding| binding.place == given.place) {
            return Some(Carrier::Argument(binding));
        }
        if let Some(fixed) = self.call.fixed.iter().find(|fixed| fixed.place == given.place) {
            return (given.value.template == Template::Value(fixed.value.clone())).then_some(Carrier::Always);
        }
        let Place::Property(name) = &given.place else { return None };
        let further = self.call.bindings.iter().find(|binding| binding.place == Place::Properties)?;
        Some(Carrier::Entry(&further.argument, name.clone()))
    }

    /// Returns the arguments of the call; reports what does not fit the tool.
    fn arguments(
        &self,
        scope: &Scope<'w>,
        given: &[Given<'w>],
        own: Vec<(String, Value)>,
        operation: &Located<'_>,
    ) -> Option<BTreeMap<String, Template>> {
        let Self { tool, call } = *self;
        let schema = Value::Object(tool.checked_schema());
        let part = |argument: &str| schema.get("properties")?.get(argument)?.as_object();
        let mut is_right = true;
        let mut arguments: BTreeMap<String, Template> = BTreeMap::new();
        let mut entries: BTreeMap<String, Vec<(String, Compiled<'w>)>> = BTreeMap::new();
        let mut unsure = BTreeSet::new();
        for given in given {
            match self.carrier(given) {
                None => {
                    is_right = false;
                    self.report_not_taken(given);
                }
                Some(Carrier::Always) => {}
                Some(Carrier::Entry(argument, name)) => {
                    entries.entry(argument.to_owned()).or_default().push((name, given.value.clone()));
                }
                Some(Carrier::Argument(binding)) => {
                    let argument = &binding.argument;
                    is_right &= fits(part(argument), binding, &given.value, &given.at, &tool.name);
                    if !scope.is_given(&given.value.template) {
                        unsure.insert(argument.clone());
                    }
                    arguments.insert(argument.clone(), given.value.template.clone());
                }
            }
        }
        for (argument, entries) in entries {
            arguments.insert(argument, object(entries).template);
        }
        if let Some(when) = &call.when {
            arguments.insert(when.argument.clone(), Template::Value(when.equals.clone()));
        }
        for (name, value) in own {
            if tool.is_own_argument(&name) {
                arguments.insert(name, Template::Value(value));
            } else {
                operation.report(
                    format!("a tool with the argument `{name}`"),
                    format!("`{}`, which does not page", tool.name),
                    None,
                );
                is_right = false;
            }
        }
        is_right &= has_required(tool, call, &schema, &arguments, &unsure, operation);
        is_right.then_some(arguments)
    }

    fn report_not_taken(&self, given: &Given<'_>) {
        let name = given.place.name().unwrap_or("the body");
        let Self { tool, call } = self;
        let fixed = call.fixed.iter().find(|fixed| fixed.place == given.place);
        let (found, hint) = match fixed {
            Some(fixed) => (format!("`{name}`, for which it always sends `{}`", fixed.value), None),
            None => (
                format!("`{name}`, which it does not take"),
                near_or_all(name, call.bindings.iter().filter_map(|binding| binding.place.name()).collect::<Vec<_>>()),
            ),
        };
        given.at.report(format!("what the tool `{}` takes", tool.name), found, hint);
    }
}

/// How a tool takes a value that goes to the vendor.
enum Carrier<'w> {
    Argument(&'w Binding),
    /// An entry of an argument that holds further properties.
    Entry(&'w str, String),
    /// It sends this value in every call.
    Always,
}

/// Reports a value that can't be one of the argument.
fn fits(
    schema: Option<&Map<String, Value>>,
    binding: &Binding,
    value: &Compiled<'_>,
    at: &Located<'_>,
    tool: &str,
) -> bool {
    let clears = value.template == Template::Value(Value::Null) && binding.cleared().is_some();
    let Some((expected, found)) = schema.filter(|_| !clears).and_then(|schema| unfit(schema, value)) else {
        return true;
    };
    at.report(format!("{expected}, for the argument `{}` of `{tool}`", binding.argument), found, None);
    false
}

/// Reports arguments that the tool requires and the step does not give.
fn has_required(
    tool: &Tool,
    call: &Call,
    schema: &Value,
    arguments: &BTreeMap<String, Template>,
    unsure: &BTreeSet<String>,
    operation: &Located<'_>,
) -> bool {
    let mut is_right = true;
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        let place =
            call.bindings.iter().find(|binding| binding.argument == name).and_then(|binding| binding.place.name());
        let vendors =
            place.filter(|place| *place != name).map(|place| format!(", the vendor's `{place}`")).unwrap_or_default();
        if !arguments.contains_key(name) {
            operation.report(
                format!("`{name}`{vendors}, which `{}` requires", tool.name),
                "a step without it".to_owned(),
                None,
            );
            is_right = false;
        } else if unsure.contains(name) {
            let hint = "make the input required, or give it a default";
            let expected = format!("a value in every call for `{name}`{vendors}, which `{}` requires", tool.name);
            operation.report(expected, "an input that can be left out".to_owned(), Some(hint.to_owned()));
            is_right = false;
        }
    }
    if !call.needs_one_of.is_empty() && !call.needs_one_of.iter().any(|name| arguments.contains_key(name)) {
        let expected = format!("one of {}, of which `{}` needs one", call.needs_one_of.join(", "), tool.name);
        operation.report(expected, "a step without any".to_owned(), None);
        is_right = false;
    }
    is_right
}

//! The `choices` of an overlay → one tool each over operations that take the same arguments. Called
//! by `operations` when every operation is known.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::lower::arguments::Argument;
use crate::lower::inputs::{self, BodyChoice, Input};
use crate::lower::lowered::{ApiContext, Lowered};
use crate::lower::spec_operation::SpecOperation;
use crate::lower::tool_draft::ToolDraft;
use crate::read::keys::{self, ChoiceKeys, ToolKeys};
use crate::read::located::did_you_mean;
use crate::read::reference::escape;
use toolwright_model::{CORE_TAG, Condition, Effect, Risk, Verb, is_argument_name};

/// Adds the tools of all choices.
pub fn lower(api: &ApiContext<'_>, operations: &[SpecOperation], lowered: &mut Lowered) {
    for spec in operations.iter().filter(|spec| spec.keys.skip.is_none()) {
        for (index, choice) in spec.keys.choices.iter().enumerate() {
            let pointer = format!("{}/{}/choices/{index}", spec.pointer, keys::EXTENSION);
            let chooser = Chooser { api, operations, pointer };
            chooser.lower(choice, lowered);
        }
    }
}

struct Chooser<'a> {
    api: &'a ApiContext<'a>,
    operations: &'a [SpecOperation],
    /// The JSON pointer to the choice's keys.
    pointer: String,
}

/// One case: the value of the argument, the operation, and what its request can carry.
struct Case<'a> {
    name: &'a str,
    spec: &'a SpecOperation,
    inputs: Vec<Input>,
}

impl<'a> Chooser<'a> {
    fn report(&self, path: &str, expected: &str, found: String, hint: Option<String>) {
        self.api.root.nearest(&format!("{}{path}", self.pointer)).report(expected, found, hint);
    }

    fn lower(&self, choice: &'a ChoiceKeys, lowered: &mut Lowered) {
        let cases: Vec<Case<'_>> =
            choice.cases.iter().filter_map(|(name, operation)| self.case(name, operation)).collect();
        let Some(first) = cases.first().filter(|_| cases.len() == choice.cases.len()) else { return };
        if !self.check(choice, first, &cases) {
            return;
        }
        let keys = merged_keys(choice, &cases);
        let only = choice.only.as_deref();
        let answering: Vec<&SpecOperation> = cases.iter().map(|case| case.spec).collect();
        let chooser = choosing_argument(choice, &cases);
        let mut drafted = self.draft(first).tool(&keys, only, Some(chooser), &answering);
        for case in &cases[1..] {
            drafted.tool.calls.push(self.draft(case).further_call(&keys, only));
        }
        for (call, case) in drafted.tool.calls.iter_mut().zip(&cases) {
            call.when = Some(Condition { argument: choice.argument.clone(), equals: Value::from(case.name) });
            for result in lowered.results.iter_mut().filter(|result| result.operation == case.spec.id) {
                if let Ok(names) = &mut result.outcome {
                    names.push(drafted.tool.name.clone());
                }
            }
        }
        lowered.add(drafted);
    }

    /// Checks that all cases take the same arguments, and none of the choice's name.
    fn check(&self, choice: &ChoiceKeys, first: &Case<'_>, cases: &[Case<'_>]) -> bool {
        let mut sound = true;
        for case in &cases[1..] {
            if let Some(difference) = difference(first, case, choice) {
                let hint = "offer the arguments that are the same with `only`, or make tools of their own";
                let expected = format!("operations that take the same as `{}`", first.spec.id);
                self.report(&case_path(case.name), &expected, difference, Some(hint.to_owned()));
                sound = false;
            }
        }
        if !is_argument_name(&choice.argument) {
            let expected = "a name of `a-z`, `A-Z`, `0-9`, `_`, `.` and `-`";
            self.report("/argument", expected, format!("`{}`", choice.argument), None);
            sound = false;
        }
        if cases.iter().any(|case| case.inputs.iter().any(|input| input.key == choice.argument)) {
            let found = format!("`{}`, which the operations take", choice.argument);
            self.report("/argument", "a name of its own for the argument that chooses", found, None);
            sound = false;
        }
        sound
    }

    fn draft<'d>(&'d self, case: &'d Case<'a>) -> ToolDraft<'d> {
        self.api.draft(case.spec, &case.inputs, self.pointer.clone())
    }

    fn case(&self, name: &'a str, operation: &str) -> Option<Case<'a>> {
        let known = || self.operations.iter().filter(|spec| spec.keys.skip.is_none());
        let Some(spec) = known().find(|spec| spec.id == operation) else {
            let skipped = self.operations.iter().any(|spec| spec.id == operation);
            let found = format!("`{operation}`{}", if skipped { ", which is skipped" } else { "" });
            let near = did_you_mean(operation, known().map(|spec| spec.id.as_str()));
            let hint = near.filter(|_| !skipped);
            self.report(&case_path(name), "the id of an operation of this description", found, hint);
            return None;
        };
        // What can't be called is skipped with the reason.
        let body = spec.body.as_ref().map(BodyChoice::of).transpose().ok()?;
        Some(Case { name, spec, inputs: inputs::inputs(spec, body.as_ref()) })
    }
}

fn case_path(name: &str) -> String {
    format!("/cases/{}", escape(name))
}

/// How the arguments of an operation differ from those of the first, as far as the tool needs them.
fn difference(first: &Case<'_>, other: &Case<'_>, choice: &ChoiceKeys) -> Option<String> {
    let stated = |input: &Input| choice.tool.argument(&input.key);
    let needed = |input: &Input| {
        let hidden = stated(input).is_some_and(|keys| keys.hidden == Some(true));
        let offered = choice.only.as_ref().is_none_or(|only| only.contains(&input.key)) && !hidden;
        offered || stated(input).is_some_and(|keys| keys.value.is_some())
    };
    let (one, two) = (&first.spec.id, &other.spec.id);
    let find = |case: &Case<'_>, key: &str| case.inputs.iter().position(|input| input.key == key);
    for input in first.inputs.iter().filter(|input| needed(input)) {
        let Some(position) = find(other, &input.key) else {
            return Some(format!("`{two}`, which has no `{}`", input.key));
        };
        let same = &other.inputs[position];
        if input.required != same.required {
            let verb = if same.required { "demands" } else { "does not demand" };
            return Some(format!("`{two}`, which {verb} `{}`", input.key));
        }
        // As they are offered: the choice's keys may make them the same.
        let offered = |input: &Input| {
            let mut schema = input.schema.clone();
            if let Some(keys) = stated(input) {
                keys.apply_to(&mut schema);
            }
            schema
        };
        if let Some(key) = unequal(&offered(input), &offered(same)) {
            return Some(format!("`{two}`, whose `{}` has another `{key}`", input.key));
        }
    }
    for input in &other.inputs {
        if needed(input) && find(first, &input.key).is_none() {
            return Some(format!("`{two}`, which takes `{}`, and `{one}` does not", input.key));
        }
        if !needed(input) && input.required {
            return Some(format!("`{two}`, which demands `{}`", input.key));
        }
    }
    None
}

/// The first keyword in which two schemas differ; descriptions may differ.
fn unequal(one: &Map<String, Value>, two: &Map<String, Value>) -> Option<String> {
    let keys: BTreeSet<&String> = one.keys().chain(two.keys()).filter(|key| *key != "description").collect();
    keys.into_iter().find(|key| !same(one.get(*key), two.get(*key))).cloned()
}

fn same(one: Option<&Value>, two: Option<&Value>) -> bool {
    match (one, two) {
        (Some(Value::Object(one)), Some(Value::Object(two))) => {
            // A property may be called `description`; then its schema is an object.
            let is_text = |key: &&String, of: &Map<String, Value>| *key == "description" && of[*key].is_string();
            let count = |of: &Map<String, Value>| of.keys().filter(|key| !is_text(key, of)).count();
            let mut kept = one.keys().filter(|key| !is_text(key, one));
            count(one) == count(two) && kept.all(|key| same(one.get(key), two.get(key)))
        }
        (Some(Value::Array(one)), Some(Value::Array(two))) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(Some(one), Some(two)))
        }
        (one, two) => one == two,
    }
}

/// The choice's keys with those of its operations: its effect and risks are the highest of theirs.
fn merged_keys(choice: &ChoiceKeys, cases: &[Case<'_>]) -> ToolKeys {
    let all = || cases.iter().map(|case| &case.spec.keys.tool);
    let highest = all().map(|keys| keys.effect).collect::<Option<Vec<Effect>>>().and_then(|all| all.into_iter().max());
    let risks: BTreeSet<Risk> =
        all().chain([&choice.tool]).flat_map(|keys| keys.risks.iter().flatten()).copied().collect();
    let verbs: BTreeSet<Option<Verb>> = all().map(|keys| keys.verb).collect();
    let verb = verbs.first().copied().flatten().filter(|_| verbs.len() == 1);
    let mut tags: Vec<String> = all().flat_map(|keys| &keys.tags).filter(|tag| *tag != CORE_TAG).cloned().collect();
    // The vendor's tags of the first are added where the tool is made.
    tags.extend(cases.iter().flat_map(|case| &case.spec.tags).map(|tag| toolwright_model::kebab_case(tag)));
    tags.extend(choice.tool.tags.iter().cloned());
    ToolKeys {
        effect: choice.tool.effect.or(highest),
        risks: Some(risks.into_iter().collect()),
        verb: choice.tool.verb.or(verb),
        tags,
        ..choice.tool.clone()
    }
}

/// The argument that chooses between the operations.
fn choosing_argument(choice: &ChoiceKeys, cases: &[Case<'_>]) -> Argument {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "string".into());
    if let Some(text) = &choice.argument_description {
        schema.insert("description".to_owned(), text.as_str().into());
    }
    schema.insert("enum".to_owned(), cases.iter().map(|case| case.name).collect());
    Argument { name: choice.argument.clone(), required: true, schema }
}

//! The alternatives of a body whose properties are arguments → what of it the arguments have to satisfy together.

use serde_json::{Map, Value, json};

use crate::lower::arguments::Argument;
use crate::lower::exact;
use crate::lower::flatten::flatten;
use crate::lower::inputs::{BodyChoice, Input};
use crate::lower::resolved::SchemaType;
use crate::lower::spec_operation::SpecOperation;
use crate::lower::unshown::likeness;
use toolwright_model::{Binding, Call, Place};

/// Returns the alternatives in terms of a tool's arguments; `None` where the body has none, or where what is offered
/// leaves nothing of one of them.
pub(super) fn alternatives(
    spec: &SpecOperation,
    inputs: &[Input],
    call: &Call,
    arguments: &[Argument],
) -> Option<Vec<Value>> {
    let body = BodyChoice::of(spec.body.as_ref()?).ok()?;
    if !inputs.iter().any(|input| matches!(input.place, Place::Property(_))) {
        return None;
    }
    let flat = flatten(body.schema);
    let offered = Offered { inputs, call, arguments };
    let known: Vec<&str> = flat.properties.iter().map(|property| property.name.as_str()).collect();
    let alternatives = exact::alternatives(&flat, Some(SchemaType::Object))?;
    let objects = alternatives.into_iter().filter(|one| one.get("type") != Some(&json!("null")));
    let written: Option<Vec<Value>> = objects.map(|one| offered.alternative(&one, &known)).collect();
    written
}

/// What a tool offers of a body.
struct Offered<'a> {
    inputs: &'a [Input],
    call: &'a Call,
    arguments: &'a [Argument],
}

impl Offered<'_> {
    /// One alternative by the names of arguments; `None` where it demands nothing of them.
    fn alternative(&self, one: &Value, known: &[&str]) -> Option<Value> {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        let stated = one.get("properties").and_then(Value::as_object);
        for (name, schema) in stated.into_iter().flatten() {
            if let Some(binding) = self.binding(name).filter(|binding| self.is_as_described(name, binding)) {
                properties.insert(binding.argument.clone(), schema.clone());
            }
        }
        properties.retain(|_, schema| *schema != json!({}));
        for name in one.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            required.extend(self.binding(name).filter(|binding| binding.default.is_none()).map(|it| &it.argument));
        }
        if one.get("additionalProperties") == Some(&Value::Bool(false)) {
            let others = known.iter().filter(|name| !stated.is_some_and(|stated| stated.contains_key(**name)));
            for binding in others.filter_map(|name| self.binding(name)) {
                properties.insert(binding.argument.clone(), json!(false));
            }
        }
        let mut out = Map::new();
        if !properties.is_empty() {
            out.insert("properties".to_owned(), Value::Object(properties));
        }
        if !required.is_empty() {
            out.insert("required".to_owned(), json!(required));
        }
        (!out.is_empty()).then_some(Value::Object(out))
    }

    fn binding(&self, property: &str) -> Option<&Binding> {
        self.call.bindings.iter().find(|binding| binding.place == Place::Property(property.to_owned()))
    }

    /// Whether the argument takes what the vendor takes, in the vendor's notation.
    fn is_as_described(&self, property: &str, binding: &Binding) -> bool {
        let input = self.inputs.iter().find(|input| input.place == Place::Property(property.to_owned()));
        let argument = self.arguments.iter().find(|argument| argument.name == binding.argument);
        let clears_otherwise = input.is_some_and(|input| input.nullable.is_empty()) && !binding.clears.is_empty();
        match (input, argument) {
            (Some(input), Some(argument)) => {
                likeness(&input.schema) == likeness(&argument.schema) && !input.is_file && !clears_otherwise
            }
            _ => false,
        }
    }
}

//! The inputs of an operation and the overlay's `arguments` → what a model sees, where it goes, and
//! what is always sent.

use serde_json::{Map, Value};

use super::ToolDraft;
use super::checks::near_or_all;
use crate::lower::arguments::Argument;
use crate::lower::fit::misfit;
use crate::lower::formats::{self, FormatMismatch};
use crate::lower::inputs::Input;
use crate::read::keys::{ArgumentKeys, ToolKeys};
use crate::read::located::describe;
use crate::read::reference::escape;
use toolwright_model::{ALL, Binding, CURSOR, DRY_RUN, Fixed, Paging, Place};

/// The arguments that a model sees, where they go, what is always sent, and sample values.
#[derive(Default)]
pub(super) struct OfferedArguments {
    pub(super) arguments: Vec<Argument>,
    pub(super) bindings: Vec<Binding>,
    pub(super) fixed: Vec<Fixed>,
    pub(super) samples: Vec<ArgumentSamples>,
}

/// Sample values of one argument, while its tool is in the making.
pub(super) struct ArgumentSamples {
    pub(super) argument: String,
    pub(super) values: Vec<Value>,
}

impl ToolDraft<'_> {
    pub(super) fn offered_arguments(
        &self,
        keys: &ToolKeys,
        only: Option<&[String]>,
        paging: Option<&Paging>,
    ) -> OfferedArguments {
        self.check_known(keys, only);
        let mut inputs: Vec<&Input> = self.inputs.iter().collect();
        if let Some(only) = only {
            inputs.sort_by_key(|input| only.iter().position(|name| *name == input.key).unwrap_or(usize::MAX));
        }
        let mut offered = OfferedArguments::default();
        for input in inputs {
            let stated = keys.argument(&input.key);
            let none = ArgumentKeys::default();
            let argument_keys = stated.unwrap_or(&none);
            let is_position = paging.is_some_and(|paging| paging.position == input.place);
            if let Some(value) = &argument_keys.value {
                self.check_fixed(input, value);
                offered.fixed.push(Fixed { place: input.place.clone(), value: value.clone() });
            } else if is_position && stated.is_none() && only.is_none() {
                // The cursor does what a position does that the overlay does not name.
            } else if argument_keys.hidden == Some(true) || only.is_some_and(|only| !only.contains(&input.key)) {
                if input.required && !is_position {
                    self.report_left_out(input, argument_keys.hidden == Some(true));
                }
            } else {
                self.offer(input, argument_keys, keys, paging.is_some(), &mut offered);
            }
        }
        offered
    }

    fn check_known(&self, keys: &ToolKeys, only: Option<&[String]>) {
        let known = || self.inputs.iter().map(|input| input.key.as_str());
        let named = keys.arguments.iter().map(|(name, _)| (format!("/arguments/{}", escape(name)), name));
        let only = only.into_iter().flatten().enumerate().map(|(index, name)| (format!("/only/{index}"), name));
        for (path, name) in named.chain(only) {
            if !known().any(|input| input == name) {
                let hint = Some(near_or_all(name, known));
                self.report(&path, "a parameter or body property of the operation", format!("`{name}`"), hint);
            }
        }
    }

    fn check_fixed(&self, input: &Input, value: &Value) {
        // Null in a body means "nothing" to a vendor, which no schema of ours lets a model write.
        let clears = value.is_null() && matches!(input.place, Place::Property(_) | Place::Body);
        if let Some(expected) = misfit(&input.schema, value).filter(|_| !clears) {
            self.report_misfit(input, "value", expected, value);
        }
    }

    fn report_left_out(&self, input: &Input, hidden: bool) {
        let path = if hidden { format!("/arguments/{}/hidden", escape(&input.key)) } else { "/only".to_owned() };
        let expected = format!("`{}`, which the vendor demands, to be offered or to have a `value`", input.key);
        self.report(&path, expected, if hidden { "it hidden" } else { "it left out" }, None);
    }

    fn report_misfit(&self, input: &Input, key: &str, expected: String, value: &Value) {
        self.report(&format!("/arguments/{}/{key}", escape(&input.key)), expected, describe(value), None);
    }

    /// Adds an argument, its binding and its samples.
    fn offer(
        &self,
        input: &Input,
        argument_keys: &ArgumentKeys,
        keys: &ToolKeys,
        pages: bool,
        offered: &mut OfferedArguments,
    ) {
        let (argument, binding) = self.argument(input, argument_keys);
        let whole = binding.formats.iter().find(|formatted| formatted.at.is_empty());
        let of_format = || whole.and_then(|formatted| formats::samples(formatted, &argument.schema));
        if let Some(values) = argument_keys.samples.clone().or_else(of_format) {
            offered.samples.push(ArgumentSamples { argument: argument.name.clone(), values });
        }
        let path = format!("/arguments/{}/name", escape(&input.key));
        if offered.arguments.iter().any(|other| other.name == argument.name) {
            self.report(&path, "a name of its own for each argument", format!("`{}` twice", argument.name), None);
        }
        if let Some(hint) = own_argument(&argument.name, keys, pages) {
            let found = format!("`{}`", argument.name);
            self.report(&path, "a name that is none of toolwright's own", found, Some(hint.to_owned()));
        }
        offered.arguments.push(argument);
        offered.bindings.push(binding);
    }

    fn argument(&self, input: &Input, keys: &ArgumentKeys) -> (Argument, Binding) {
        let mut schema = input.schema.clone();
        let single = keys.single == Some(true);
        if single {
            match single_value(&schema) {
                Some(one) => schema = one,
                None => {
                    let path = format!("/arguments/{}/single", escape(&input.key));
                    self.report(&path, "a parameter that takes a list", "one that does not", None);
                }
            }
        }
        self.check_values(input, keys, &schema);
        keys.apply_to(&mut schema);
        let (formats, mismatches) = formats::apply(keys, input.is_file, &mut schema);
        for FormatMismatch { path, expected, found } in mismatches {
            self.report(&format!("/arguments/{}{path}", escape(&input.key)), expected, found, None);
        }
        if let Some(value) = &keys.default
            && let Some(expected) = misfit(&schema, value)
        {
            self.report_misfit(input, "default", expected, value);
        }
        for (index, value) in keys.samples.iter().flatten().enumerate() {
            if let Some(expected) = misfit(&schema, value) {
                self.report_misfit(input, &format!("samples/{index}"), expected, value);
            }
        }
        let name = keys.name.clone().unwrap_or_else(|| input.name.clone());
        let binding = Binding {
            argument: name.clone(),
            place: input.place.clone(),
            single,
            // Only a default that we chose is sent: the vendor knows its own.
            default: keys.default.clone(),
            formats,
        };
        let required = (input.required && keys.default.is_none()) || keys.required == Some(true);
        (Argument { name, required, schema }, binding)
    }

    /// The overlay's `enum` must be values that the description takes.
    fn check_values(&self, input: &Input, keys: &ArgumentKeys, schema: &Map<String, Value>) {
        // Of a list, `enum` states what each value may be.
        let one = schema.get("items").and_then(Value::as_object).unwrap_or(schema);
        for (index, value) in keys.values.iter().flatten().enumerate() {
            if let Some(expected) = misfit(one, value) {
                self.report_misfit(input, &format!("enum/{index}"), expected, value);
            }
        }
    }
}

/// The schema of one value of a list, with the list's description.
fn single_value(schema: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut one = schema.get("items")?.as_object()?.clone();
    if let Some(description) = schema.get("description") {
        one.insert("description".to_owned(), description.clone());
    }
    Some(one)
}

/// What toolwright itself does with an argument of this name.
fn own_argument(name: &str, keys: &ToolKeys, pages: bool) -> Option<&'static str> {
    match name {
        DRY_RUN => Some("with it a model asks to see the request without sending it"),
        name if keys.answers.is_some_and(|format| format.name() == name) => {
            Some("with it a model asks for the answer as the vendor wrote it")
        }
        CURSOR | ALL if pages => Some("with it a model reads on"),
        _ => None,
    }
}

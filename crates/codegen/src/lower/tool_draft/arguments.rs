//! The inputs of an operation and the overlay's `arguments` → what a model sees, where it goes, and
//! what is always sent.

use serde_json::{Map, Value};

use super::ToolDraft;
use super::checks::near_or_all;
use crate::lower::argument_rules::RuledFormat;
use crate::lower::arguments::Argument;
use crate::lower::fit::misfit;
use crate::lower::formats::{self, FormatMismatch};
use crate::lower::inputs::Input;
use crate::lower::nulls;
use crate::read::keys::{ArgumentKeys, ToolKeys};
use crate::read::located::describe;
use crate::read::reference::escape;
use toolwright_model::{ALL, Binding, CURSOR, Clear, DRY_RUN, Fixed, Formatted, Paging, Place, Verb};

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
            } else if let Some(path) = self.withheld(input, stated, only) {
                if input.required && !is_position {
                    self.report_withheld(input, &path);
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

    /// Returns the JSON pointer to the key by which this tool does not offer the input, if one does.
    fn withheld(&self, input: &Input, stated: Option<&ArgumentKeys>, only: Option<&[String]>) -> Option<String> {
        if stated.is_some_and(|keys| keys.hidden == Some(true)) {
            return Some(format!("{}/arguments/{}/hidden", self.pointer, escape(&input.key)));
        }
        if only.is_some_and(|only| !only.contains(&input.key)) {
            return Some(format!("{}/only", self.pointer));
        }
        // A tool that names it all the same contradicts the reason: `unoffered` reports that.
        let named = stated.is_some() || only.is_some();
        let reason = self.spec.left_out.iter().find(|left_out| left_out.name == input.key && !named);
        reason.map(|left_out| left_out.pointer.clone())
    }

    fn report_withheld(&self, input: &Input, pointer: &str) {
        let expected = format!("`{}`, which the vendor demands, to be offered or to have a `value`", input.key);
        let found = if pointer.ends_with("/hidden") { "it hidden" } else { "it left out" };
        self.root.nearest(pointer).report(expected, found, None);
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
        let OfferedArgument { argument, binding, samples } = self.argument(input, argument_keys, self.verb(keys));
        offered.samples.extend(samples);
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

    fn argument(&self, input: &Input, keys: &ArgumentKeys, verb: Verb) -> OfferedArgument {
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
        let ruled = self.ruled(&name, &formats, &mut schema);
        let samples = samples(&name, keys, &formats, &ruled, &schema);
        let binding = Binding {
            single,
            // Only a default that we chose is sent: the vendor knows its own.
            default: keys.default.clone(),
            formats: in_order(formats, ruled),
            clears: self.clears(input, keys, verb, &mut schema),
            separator: input.separator.filter(|_| !single),
            ..Binding::plain(name.clone(), input.place.clone())
        };
        let required = (input.required && keys.default.is_none()) || keys.required == Some(true);
        OfferedArgument { argument: Argument { name, required, schema }, binding, samples }
    }

    /// The formats that the vendor's rules state for an argument with these formats.
    fn ruled(&self, name: &str, formats: &[Formatted], schema: &mut Map<String, Value>) -> Vec<RuledFormat> {
        let Some(rules) = self.rules else { return Vec::new() };
        let is_whole_stated = formats.iter().any(|formatted| formatted.at.is_empty());
        let parts: Vec<&str> =
            formats.iter().map(|formatted| formatted.at.as_str()).filter(|at| !at.is_empty()).collect();
        rules.apply(name, is_whole_stated, &parts, schema)
    }

    /// The parts that `null` clears: as the overlay states it, else as the description does.
    fn clears(&self, input: &Input, keys: &ArgumentKeys, verb: Verb, schema: &mut Map<String, Value>) -> Vec<Clear> {
        // What is new or only read has nothing to clear.
        let worded = matches!(verb, Verb::Update | Verb::Delete | Verb::Action);
        let nothing = Value::from("");
        let stated = match &keys.clear {
            Some(Value::Null) if !input.is_json => {
                let expected = "what the vendor takes here, where JSON's `null` can't be written";
                self.report(&format!("/arguments/{}/clear", escape(&input.key)), expected, "`null`", None);
                return Vec::new();
            }
            Some(stated) => stated,
            // A list of which one value is offered is not cleared by that value.
            None if keys.single == Some(true) => return Vec::new(),
            None if input.is_json => return nulls::clears(&input.nullable, schema, worded),
            // A form and an address have no null; an empty text is how they write it.
            None if input.nullable.iter().any(String::is_empty) => &nothing,
            None => return Vec::new(),
        };
        if worded {
            nulls::say(schema);
        }
        vec![Clear { at: String::new(), send: stated.clone() }]
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

/// An argument as it is offered, where it goes, and valid values of it and its parts.
struct OfferedArgument {
    argument: Argument,
    binding: Binding,
    samples: Vec<ArgumentSamples>,
}

/// The order in which formats are written: those of a list's values before the list becomes a text,
/// those of parts after the names around them have become ids.
fn in_order(stated: Vec<Formatted>, ruled: Vec<RuledFormat>) -> Vec<Formatted> {
    let (whole, parts): (Vec<Formatted>, Vec<Formatted>) =
        ruled.into_iter().map(|ruled| ruled.formatted).partition(|formatted| formatted.at.is_empty());
    whole.into_iter().chain(stated).chain(parts).collect()
}

/// Valid values: of the argument, by its name, and of its parts, by their dotted paths.
fn samples(
    name: &str,
    keys: &ArgumentKeys,
    stated: &[Formatted],
    ruled: &[RuledFormat],
    schema: &Map<String, Value>,
) -> Vec<ArgumentSamples> {
    let whole = stated.iter().find(|formatted| formatted.at.is_empty());
    let of_format = || whole.and_then(|formatted| formats::samples(formatted, schema));
    let of_rules = ruled.iter().map(|ruled| ArgumentSamples {
        argument: if ruled.formatted.at.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", ruled.formatted.at)
        },
        values: ruled.samples.clone(),
    });
    let of_rules: Vec<ArgumentSamples> = of_rules.collect();
    match keys.samples.clone() {
        Some(values) => {
            let parts = of_rules.into_iter().filter(|samples| samples.argument != name);
            parts.chain([ArgumentSamples { argument: name.to_owned(), values }]).collect()
        }
        None if of_rules.iter().any(|samples| samples.argument == name) => of_rules,
        None => {
            let whole = of_format().map(|values| ArgumentSamples { argument: name.to_owned(), values });
            of_rules.into_iter().chain(whole).collect()
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

//! The inputs of an operation and the overlay's `arguments` → what a model sees, where it goes, and
//! what is always sent.

use serde_json::{Map, Value, json};

use super::ToolDraft;
use super::checks::near_or_all;
use crate::lower::argument_rules::{Ruled, RuledPart, Stated};
use crate::lower::arguments::Argument;
use crate::lower::fit::misfit;
use crate::lower::formats::{self, FormatMismatch};
use crate::lower::inputs::Input;
use crate::lower::nulls;
use crate::lower::resolve;
use crate::read::keys::{ArgumentKeys, ResolveKey, ToolKeys};
use crate::read::located::{describe, did_you_mean};
use crate::read::reference::escape;
use toolwright_model::{
    ALL, Binding, CURSOR, Clear, DRY_RUN, Fixed, Formatted, INCLUDE, MAX_ARGUMENT_NAME, Paging, Place, Resolve,
    ResolveKind, Verb, is_argument_name,
};

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
            } else if let (None, Some(value)) = (stated, &input.constant) {
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
        if !is_argument_name(&argument.name) {
            let expected =
                format!("a name of `a-z`, `A-Z`, `0-9`, `_`, `.` and `-`, at most {MAX_ARGUMENT_NAME} characters");
            let hint = "model providers refuse the whole list of tools for any other".to_owned();
            self.report(&path, expected, format!("`{}`", argument.name), Some(hint));
        }
        if let Some(hint) = own_argument(&argument.name, keys, pages) {
            let found = format!("`{}`", argument.name);
            self.report(&path, "a name that is none of toolwright's own", found, Some(hint.to_owned()));
        }
        let include = self.include(input, argument_keys, &argument);
        offered.arguments.push(argument);
        offered.arguments.extend(include);
        offered.bindings.push(binding);
    }

    /// The argument whose words add to a list.
    fn include(&self, input: &Input, keys: &ArgumentKeys, list: &Argument) -> Option<Argument> {
        if keys.include.is_empty() {
            return None;
        }
        let path = format!("/arguments/{}/include", escape(&input.key));
        let of_texts = list.schema.get("items").and_then(|items| items.get("type")) == Some(&Value::from("string"));
        if !of_texts || keys.default.is_none() {
            let found = "one that is no such list, or has no `default`".to_owned();
            self.report(&path, "a list of texts with a `default`, to which words can add", found, None);
        }
        let words: Vec<&str> = keys.include.iter().map(|(word, _)| word.as_str()).collect();
        let schema = json!({
            "type": "array",
            "description": format!("Adds to {}.", list.name),
            "items": {"type": "string", "enum": words},
        });
        let Value::Object(schema) = schema else { return None };
        Some(Argument { name: INCLUDE.to_owned(), required: false, schema })
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
        let mut resolves: Vec<Resolve> = self.stated_resolve(input, keys, &mut schema).into_iter().collect();
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
        let ruled = self.ruled(&name, keys, &formats, &mut schema);
        let mut samples = samples(&name, keys, &formats, &ruled, &schema);
        if let Some(kind) = self.stated_kind(keys).filter(|_| !resolves.is_empty() && keys.samples.is_none()) {
            samples.push(ArgumentSamples { argument: name.clone(), values: resolve::samples(kind, &schema) });
        }
        let (mut ruled_formats, mut aliases) = (Vec::new(), keys.aliases.clone());
        for part in ruled {
            if part.at.is_empty() {
                aliases.extend(part.aliases);
            }
            match part.ruled {
                Some(Ruled::Format(formatted)) => ruled_formats.push(formatted),
                Some(Ruled::Resolve(resolve)) => resolves.push(resolve),
                None => {}
            }
        }
        aliases.retain(|alias| *alias != name);
        let binding = Binding {
            single,
            // Only a default that we chose is sent: the vendor knows its own.
            default: keys.default.clone(),
            include: keys.include.iter().cloned().collect(),
            formats: in_order(formats, ruled_formats),
            resolve: resolves,
            aliases,
            clears: self.clears(input, keys, verb, &mut schema),
            separator: input.separator.filter(|_| !single),
            ..Binding::plain(name.clone(), input.place.clone())
        };
        let required = (input.required && keys.default.is_none()) || keys.required == Some(true);
        OfferedArgument { argument: Argument { name, required, schema }, binding, samples }
    }

    /// What the vendor's rules state for an argument with these formats.
    fn ruled(
        &self,
        name: &str,
        keys: &ArgumentKeys,
        formats: &[Formatted],
        schema: &mut Map<String, Value>,
    ) -> Vec<RuledPart> {
        let Some(rules) = self.rules else { return Vec::new() };
        let is_named = keys.resolve.as_ref().is_some_and(|key| !matches!(key, ResolveKey::Off(_)));
        let stated = Stated {
            whole: is_named || formats.iter().any(|formatted| formatted.at.is_empty()),
            parts: formats.iter().map(|formatted| formatted.at.as_str()).filter(|at| !at.is_empty()).collect(),
            resolve: keys.resolve.is_some(),
        };
        rules.apply(name, &stated, schema)
    }

    /// The kind of record that the overlay states for an argument.
    fn stated_kind<'k>(&'k self, keys: &'k ArgumentKeys) -> Option<&'k ResolveKind> {
        match keys.resolve.as_ref()? {
            ResolveKey::Kind(name) => self.rules?.kind(name),
            ResolveKey::Own(kind) => Some(kind),
            ResolveKey::Off(_) => None,
        }
    }

    /// Writes into the schema that the argument takes names, where the overlay states it.
    fn stated_resolve(&self, input: &Input, keys: &ArgumentKeys, schema: &mut Map<String, Value>) -> Option<Resolve> {
        let path = format!("/arguments/{}/resolve", escape(&input.key));
        if let (Some(ResolveKey::Kind(name)), Some(rules)) = (&keys.resolve, self.rules)
            && rules.kind(name).is_none()
        {
            let near = did_you_mean(name, rules.kinds());
            self.report(&path, "the name of a `[resolve.…]` in vendor.toml", format!("`{name}`"), near);
        }
        let resolve = resolve::apply(self.stated_kind(keys)?, "", schema);
        if resolve.is_none() {
            let expected = "`resolve` on a text or a whole number, or on a list of such, without `enum`";
            self.report(&path, expected, "something else", None);
        }
        resolve
    }

    /// Another name of an argument leads to it alone.
    pub(super) fn check_aliases(&self, offered: &OfferedArguments) {
        for binding in &offered.bindings {
            for alias in &binding.aliases {
                let leads_elsewhere = |other: &&Binding| {
                    other.argument != binding.argument && (other.argument == *alias || other.aliases.contains(alias))
                };
                if let Some(other) = offered.bindings.iter().find(leads_elsewhere) {
                    let found =
                        format!("`{alias}` of `{}`, which leads to `{}`, too", binding.argument, other.argument);
                    self.report("/arguments", "another name that leads to one argument", found, None);
                }
            }
        }
    }

    /// Drops the look-ups that need an argument which the tool does not have; reports an argument that is left with none.
    pub(super) fn keep_usable(&self, offered: &mut OfferedArguments) {
        let names: Vec<String> = offered.bindings.iter().map(|binding| binding.argument.clone()).collect();
        let arguments = &offered.arguments;
        // An argument that can't have the value that a look-up is for.
        let never = |(name, wanted): (&String, &String)| {
            let argument = arguments.iter().find(|argument| argument.name == *name);
            let values = argument.and_then(|argument| argument.schema.get("enum")?.as_array());
            values.is_some_and(|values| !values.iter().any(|value| value == wanted))
        };
        for binding in &mut offered.bindings {
            for resolve in &mut binding.resolve {
                let missing = |by: &toolwright_model::NameLookup| {
                    by.needed().into_iter().find(|name| !names.iter().any(|known| known == name)).map(str::to_owned)
                };
                let lacking = resolve.by.iter().find_map(missing);
                resolve.by.retain(|by| missing(by).is_none() && !by.when.iter().any(never));
                if resolve.by.is_empty() && resolve.values.is_empty() {
                    let lacking = lacking.unwrap_or_default();
                    let found = format!("`{}`, whose look-ups all need `{lacking}`", binding.argument);
                    let hint = "`resolve: false` of the argument in the overlay keeps it an id".to_owned();
                    self.report("/arguments", "an argument whose names this tool can look up", found, Some(hint));
                }
            }
        }
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
fn in_order(stated: Vec<Formatted>, ruled: Vec<Formatted>) -> Vec<Formatted> {
    let (whole, parts): (Vec<Formatted>, Vec<Formatted>) =
        ruled.into_iter().partition(|formatted| formatted.at.is_empty());
    whole.into_iter().chain(stated).chain(parts).collect()
}

/// Valid values: of the argument, by its name, and of its parts, by their dotted paths.
fn samples(
    name: &str,
    keys: &ArgumentKeys,
    stated: &[Formatted],
    ruled: &[RuledPart],
    schema: &Map<String, Value>,
) -> Vec<ArgumentSamples> {
    let whole = stated.iter().find(|formatted| formatted.at.is_empty());
    let of_format = || whole.and_then(|formatted| formats::samples(formatted, schema));
    let of_rules = ruled.iter().filter(|ruled| ruled.ruled.is_some()).map(|ruled| ArgumentSamples {
        argument: if ruled.at.is_empty() { name.to_owned() } else { format!("{name}.{}", ruled.at) },
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

//! What the overlay says of an operation or preset, and what the operation can carry → one tool.
//! Called by `lower`.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

use super::inputs::Input;
use super::keys::{ArgumentKeys, ToolKeys};
use super::located::{Located, escape, nearest};
use super::schema::{self, Argument};
use super::spec::SpecOperation;
use crate::model::{
    Annotations, Binding, Call, DRY_RUN, Effect, Fixed, Hint, MAX_TOOL_NAME, Place, Risk, Tool, UNREVIEWED_TAG, Verb,
    is_tool_name, kebab_case, resource_words,
};

/// The longest description of a tool, in characters.
const LONGEST_DESCRIPTION: usize = 600;

/// One tool in the making.
#[derive(Clone)]
pub(crate) struct ToolDraft<'a> {
    pub vendor: &'a str,
    pub api: &'a str,
    pub spec: &'a SpecOperation,
    pub inputs: &'a [Input],
    pub root: &'a Located<'a>,
    /// Where the tool's keys stand.
    pub pointer: String,
}

/// A tool with what only the generator needs to know of it.
pub(crate) struct Drafted {
    pub tool: Tool,
    /// Tool, argument, values.
    pub samples: Vec<(String, String, Vec<Value>)>,
    pub claims: Vec<Claim>,
}

/// A name that leads to a tool, and where it comes from.
#[derive(Debug)]
pub(crate) struct Claim {
    pub name: String,
    /// The operation, for a message.
    pub owner: String,
    pub file: String,
    pub pointer: String,
}

/// The arguments that a model sees, where they go, what is always sent, and sample values.
#[derive(Default)]
struct Offered {
    arguments: Vec<Argument>,
    bindings: Vec<Binding>,
    fixed: Vec<Fixed>,
    samples: Vec<(String, Vec<Value>)>,
}

impl ToolDraft<'_> {
    /// Where the key `path` (such as `/name`) of this tool stands, or would stand.
    fn place(&self, path: &str) -> Located<'_> {
        self.root.nearest(&format!("{}{path}", self.pointer))
    }

    /// Reports something about the key `path` of this tool.
    pub(crate) fn wrong(
        &self,
        path: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
        hint: Option<String>,
    ) {
        self.place(path).report(expected.into(), found.into(), hint);
    }

    /// Makes the tool that `keys` describe, with the arguments `only` or all, after one that
    /// chooses between operations.
    pub(crate) fn tool(&self, keys: &ToolKeys, only: Option<&[String]>, chooses: Option<Argument>) -> Drafted {
        let verb = keys.verb.unwrap_or_else(|| derived_verb(&self.spec.method, &self.spec.path));
        let name = keys.name.clone().unwrap_or_else(|| derived_name(self.vendor, verb, &self.spec.path));
        self.check_name(&name);
        let risks: BTreeSet<Risk> = keys.risks.iter().flatten().copied().collect();
        self.check_risks(keys.effect, &risks);
        let mut tags: BTreeSet<String> = self.spec.tags.iter().map(|tag| kebab_case(tag)).collect();
        tags.extend(keys.tags.iter().cloned());
        if keys.effect.is_none() {
            tags.insert(UNREVIEWED_TAG.to_owned());
        }
        let description = self.description(keys);
        let title = keys.title.clone().or_else(|| self.spec.summary.clone()).unwrap_or_else(|| name.replace('_', " "));
        let Offered { mut arguments, bindings, fixed, samples } = self.arguments(keys, only);
        let call = self.call(keys, bindings, fixed);
        if let Some(chooses) = chooses {
            arguments.insert(0, chooses);
        }
        schema::add_own_arguments(keys.effect, &mut arguments);
        let schema = schema::input_schema(&arguments);
        let tool = Tool {
            annotations: annotations(keys.effect, verb, keys.idempotent),
            input_schema: RawValue::from_string(schema.to_string()).expect("a JSON value prints as JSON"),
            title,
            description,
            effect: keys.effect,
            verb,
            risks,
            tags,
            aliases: keys.aliases.clone(),
            calls: vec![call],
            name,
        };
        let samples = samples.into_iter().map(|(argument, values)| (tool.name.clone(), argument, values)).collect();
        Drafted { claims: self.claims(&tool), tool, samples }
    }

    /// How the arguments of a tool that is made already become this operation's request.
    pub(crate) fn further_call(&self, keys: &ToolKeys, only: Option<&[String]>) -> Call {
        let Offered { bindings, fixed, .. } = self.arguments(keys, only);
        self.call(keys, bindings, fixed)
    }

    fn call(&self, keys: &ToolKeys, bindings: Vec<Binding>, fixed: Vec<Fixed>) -> Call {
        Call {
            api: self.api.to_owned(),
            operation: self.spec.id.clone(),
            method: self.spec.method.clone(),
            path: self.spec.path.clone(),
            when: None,
            scopes: self.spec.scopes.clone(),
            hints: self.hints(keys, &bindings),
            bindings,
            fixed,
        }
    }

    fn claims(&self, tool: &Tool) -> Vec<Claim> {
        let owner = format!("`{}` ({} {})", self.spec.id, self.spec.method, self.spec.path);
        let aliases = tool.aliases.iter().enumerate().map(|(index, alias)| (alias, format!("/aliases/{index}")));
        std::iter::once((&tool.name, "/name".to_owned()))
            .chain(aliases)
            .map(|(name, path)| {
                let (file, pointer) = self.place(&path).place();
                Claim { name: name.clone(), owner: owner.clone(), file, pointer }
            })
            .collect()
    }

    fn description(&self, keys: &ToolKeys) -> String {
        let text = keys.description.as_ref().or(self.spec.description.as_ref()).or(self.spec.summary.as_ref());
        let text = text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default();
        let length = text.chars().count();
        if keys.description.is_some() && length > LONGEST_DESCRIPTION {
            let expected = format!("at most {LONGEST_DESCRIPTION} characters");
            self.wrong("/description", expected, format!("{length}"), None);
        }
        if text.is_empty() {
            // Better than nothing until somebody writes what a model needs.
            return format!("{} {}; not described yet.", self.spec.method, self.spec.path);
        }
        text
    }

    fn check_name(&self, name: &str) {
        let prefix = format!("{}_", self.vendor);
        let expected = if !is_tool_name(name) {
            format!("a name of `a-z`, `0-9` and `_`, at most {MAX_TOOL_NAME} characters")
        } else if !name.starts_with(&prefix) {
            format!("a name that starts with `{prefix}`")
        } else {
            return;
        };
        self.wrong("/name", expected, format!("`{name}`"), None);
    }

    fn check_risks(&self, effect: Option<Effect>, risks: &BTreeSet<Risk>) {
        for risk in [Risk::Notifies, Risk::Disruptive] {
            if effect == Some(Effect::Read) && risks.contains(&risk) {
                let hint = format!("who gets mail or is interrupted is affected: `{risk}` means `write` at least");
                self.wrong("/effect", "`write` or `destructive`", "`read`", Some(hint));
            }
        }
    }

    fn hints(&self, keys: &ToolKeys, bindings: &[Binding]) -> Vec<Hint> {
        let mut hints = Vec::new();
        for hint in &keys.hints {
            let binding = bindings.iter().find(|binding| self.key_of(&binding.place) == Some(hint.argument.as_str()));
            match binding {
                Some(binding) => hints.push(Hint {
                    status: hint.status,
                    argument: binding.argument.clone(),
                    equals: hint.equals.clone(),
                    say: hint.say.clone(),
                }),
                None => {
                    let offered = || bindings.iter().filter_map(|binding| self.key_of(&binding.place));
                    self.root.nearest(&hint.pointer).report(
                        "the description's name of an argument that is offered".to_owned(),
                        format!("`{}`", hint.argument),
                        Some(near_or_all(&hint.argument, offered)),
                    );
                }
            }
        }
        hints
    }

    fn key_of(&self, place: &Place) -> Option<&str> {
        self.inputs.iter().find(|input| input.place == *place).map(|input| input.key.as_str())
    }

    fn check_known(&self, keys: &ToolKeys, only: Option<&[String]>) {
        let known = || self.inputs.iter().map(|input| input.key.as_str());
        let named = keys.arguments.iter().map(|(name, _)| (format!("/arguments/{}", escape(name)), name));
        let only = only.into_iter().flatten().enumerate().map(|(index, name)| (format!("/only/{index}"), name));
        for (path, name) in named.chain(only) {
            if !known().any(|input| input == name) {
                let hint = Some(near_or_all(name, known));
                self.wrong(&path, "a parameter or body property of the operation", format!("`{name}`"), hint);
            }
        }
    }

    /// The arguments that a model sees, where they go, and what is always sent.
    fn arguments(&self, keys: &ToolKeys, only: Option<&[String]>) -> Offered {
        self.check_known(keys, only);
        let mut inputs: Vec<&Input> = self.inputs.iter().collect();
        if let Some(only) = only {
            inputs.sort_by_key(|input| only.iter().position(|name| *name == input.key).unwrap_or(usize::MAX));
        }
        let mut offered = Offered::default();
        for input in inputs {
            let nothing = ArgumentKeys::default();
            let said = keys.argument(&input.key).unwrap_or(&nothing);
            if let Some(value) = &said.value {
                offered.fixed.push(Fixed { place: input.place.clone(), value: value.clone() });
                continue;
            }
            if said.hidden == Some(true) || only.is_some_and(|only| !only.contains(&input.key)) {
                if input.required {
                    let key = escape(&input.key);
                    let hidden = said.hidden == Some(true);
                    self.wrong(
                        &if hidden { format!("/arguments/{key}/hidden") } else { "/only".to_owned() },
                        format!("`{}`, which the vendor demands, to be offered or to have a `value`", input.key),
                        if hidden { "it hidden" } else { "it left out" },
                        None,
                    );
                }
                continue;
            }
            let (argument, binding) = self.argument(input, said);
            if let Some(values) = &said.samples {
                offered.samples.push((argument.name.clone(), values.clone()));
            }
            if offered.arguments.iter().any(|other| other.name == argument.name) {
                let path = format!("/arguments/{}/name", escape(&input.key));
                self.wrong(&path, "a name of its own for each argument", format!("`{}` twice", argument.name), None);
            }
            if argument.name == DRY_RUN {
                let path = format!("/arguments/{}/name", escape(&input.key));
                let hint = "with it a model asks to see the request without sending it".to_owned();
                self.wrong(&path, "a name that is none of toolwright's own", format!("`{DRY_RUN}`"), Some(hint));
            }
            offered.arguments.push(argument);
            offered.bindings.push(binding);
        }
        offered
    }

    /// The name under which further body properties are offered.
    fn further_name(&self) -> &'static str {
        let free = |name: &&str| !self.inputs.iter().any(|input| input.key == **name);
        ["fields", "further_fields", "any_further_fields"].into_iter().find(free).unwrap_or("fields")
    }

    fn argument(&self, input: &Input, said: &ArgumentKeys) -> (Argument, Binding) {
        let mut schema = input.schema.clone();
        let single = said.single == Some(true);
        if single {
            match schema.get("items").cloned() {
                Some(Value::Object(items)) => {
                    let description = schema.get("description").cloned();
                    schema = items;
                    if let Some(description) = description {
                        schema.insert("description".to_owned(), description);
                    }
                }
                _ => {
                    let path = format!("/arguments/{}/single", escape(&input.key));
                    self.wrong(&path, "a parameter that takes a list", "one that does not", None);
                }
            }
        }
        said.apply_to(&mut schema);
        let further = match input.place {
            Place::Properties => self.further_name(),
            _ => input.key.as_str(),
        };
        let name = said.name.clone().unwrap_or_else(|| further.to_owned());
        let binding = Binding {
            argument: name.clone(),
            place: input.place.clone(),
            single,
            // Only a default that we chose is sent: the vendor knows its own.
            default: said.default.clone(),
        };
        let required = (input.required && said.default.is_none()) || said.required == Some(true);
        (Argument { name, required, schema }, binding)
    }
}

/// Advice for a name that is none of `known`.
fn near_or_all<'a, I: Iterator<Item = &'a str>>(name: &str, known: impl Fn() -> I) -> String {
    match nearest(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known().next().is_none() => "the operation takes nothing".to_owned(),
        None => {
            let known: Vec<String> = known().map(|name| format!("`{name}`")).collect();
            format!("there are {}", known.join(", "))
        }
    }
}

/// The verb by method, for operations whose overlay names none.
pub(crate) fn derived_verb(method: &str, path: &str) -> Verb {
    match method {
        "GET" | "HEAD" if path.trim_end_matches('/').ends_with('}') => Verb::Get,
        "GET" | "HEAD" => Verb::List,
        "POST" if path.to_lowercase().contains("search") => Verb::Search,
        "POST" => Verb::Create,
        "PUT" | "PATCH" => Verb::Update,
        "DELETE" => Verb::Delete,
        _ => Verb::Action,
    }
}

pub(crate) fn derived_name(vendor: &str, verb: Verb, path: &str) -> String {
    let mut words = resource_words(path);
    let by = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).last();
    if words.is_empty() {
        words.extend(by.map(|(name, _)| crate::model::snake_case(name)));
    }
    let mut name = format!("{vendor}_{verb}_{}", words.join("_"));
    // The resource stands at the end of the path: too long a name loses words at the front.
    while name.len() > MAX_TOOL_NAME && words.len() > 1 {
        words.remove(0);
        name = format!("{vendor}_{verb}_{}", words.join("_"));
    }
    name.truncate(MAX_TOOL_NAME);
    name.trim_end_matches('_').to_owned()
}

/// The hints, true to effect and verb. What nobody has reviewed may do anything.
fn annotations(effect: Option<Effect>, verb: Verb, idempotent: Option<bool>) -> Annotations {
    let read = effect == Some(Effect::Read);
    let additive = effect == Some(Effect::Write) && verb == Verb::Create;
    Annotations {
        read_only_hint: read,
        destructive_hint: !read && !additive,
        idempotent_hint: read || idempotent == Some(true),
        open_world_hint: true,
    }
}

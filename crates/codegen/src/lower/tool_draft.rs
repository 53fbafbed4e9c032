//! What the overlay says of an operation or preset, and what the operation can carry → one tool.
//! Called by `lower`.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::lower::concise::{self, Begins};
use crate::lower::fit::misfit;
use crate::lower::formats::{self, FormatMismatch};
use crate::lower::inputs::Input;
use crate::lower::paging;
use crate::lower::schema::{self, Argument};
use crate::read::keys::{ArgumentKeys, PagingKey, ToolKeys};
use crate::read::located::{Located, describe, escape, nearest};
use crate::read::spec::SpecOperation;
use toolwright_model::{
    ALL, Annotations, Binding, CURSOR, Call, DRY_RUN, Effect, Fixed, Hint, MAX_TOOL_NAME, Paging, PagingStyle, Place,
    Risk, Tool, UNREVIEWED_TAG, Verb, is_tool_name, kebab_case, resource_words,
};

/// The longest description of a tool, in characters.
const LONGEST_DESCRIPTION: usize = 600;

/// One tool in the making.
#[derive(Clone)]
pub struct ToolDraft<'a> {
    pub vendor: &'a str,
    /// The ways in which the vendor pages; `None` where they are not known.
    pub styles: Option<&'a [PagingStyle]>,
    pub api: &'a str,
    pub spec: &'a SpecOperation,
    pub inputs: &'a [Input],
    pub root: &'a Located<'a>,
    /// Where the tool's keys stand.
    pub pointer: String,
}

/// A tool with what only the generator needs to know of it.
pub struct Drafted {
    pub tool: Tool,
    /// Tool, argument, values.
    pub samples: Vec<(String, String, Vec<Value>)>,
    pub claims: Vec<Claim>,
    pub asks: Vec<Ask>,
}

/// An operation that answers a format's questions, and the pointer to where it is named.
#[derive(Debug)]
pub struct Ask {
    pub operation: String,
    pub pointer: String,
}

/// A name that leads to a tool, and where it comes from.
#[derive(Debug)]
pub struct Claim {
    pub name: String,
    /// The operation, for a message.
    pub owner: String,
    pub file: String,
    pub pointer: String,
}

/// Sample values by argument.
type Samples = Vec<(String, Vec<Value>)>;

/// The arguments that a model sees, where they go, what is always sent, and sample values.
#[derive(Default)]
struct Offered {
    arguments: Vec<Argument>,
    bindings: Vec<Binding>,
    fixed: Vec<Fixed>,
    samples: Samples,
}

impl ToolDraft<'_> {
    /// Where the key `path` (such as `/name`) of this tool stands, or would stand.
    fn place(&self, path: &str) -> Located<'_> {
        self.root.nearest(&format!("{}{path}", self.pointer))
    }

    /// Reports something about the key `path` of this tool.
    pub fn wrong(&self, path: &str, expected: impl Into<String>, found: impl Into<String>, hint: Option<String>) {
        self.place(path).report(expected.into(), found.into(), hint);
    }

    /// Makes the tool that `keys` describe, with the arguments `only` or all, after one that
    /// chooses between operations.
    pub fn tool(&self, keys: &ToolKeys, only: Option<&[String]>, chooses: Option<Argument>) -> Drafted {
        let verb = self.verb(keys);
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
        let (mut arguments, samples, call) = self.call(keys, only);
        let pages = call.paging.is_some();
        if let Some(chooses) = chooses {
            arguments.insert(0, chooses);
        }
        self.check_concise(keys);
        schema::add_own_arguments(keys.effect, !keys.concise.is_empty(), pages, keys.answers, &mut arguments);
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
            concise: keys.concise.clone(),
            name,
        };
        let samples = samples.into_iter().map(|(argument, values)| (tool.name.clone(), argument, values)).collect();
        Drafted { claims: self.claims(&tool), tool, samples, asks: self.asks(keys) }
    }

    fn asks(&self, keys: &ToolKeys) -> Vec<Ask> {
        let ask = |(name, said): &(String, ArgumentKeys)| {
            let pointer = format!("{}/arguments/{}/ask", self.pointer, escape(name));
            Some(Ask { operation: said.ask.clone()?, pointer })
        };
        keys.arguments.iter().filter_map(ask).collect()
    }

    /// How the arguments of a tool that is made already become this operation's request.
    pub fn further_call(&self, keys: &ToolKeys, only: Option<&[String]>) -> Call {
        self.call(keys, only).2
    }

    /// The arguments, their sample values, and how they become the request.
    fn call(&self, keys: &ToolKeys, only: Option<&[String]>) -> (Vec<Argument>, Samples, Call) {
        let mut paging = self.paging(keys);
        let Offered { arguments, bindings, fixed, samples } = self.arguments(keys, only, paging.as_ref());
        if let Some(paging) = &mut paging {
            paging.most = paging::most(paging, &bindings, &arguments);
        }
        let call = Call {
            api: self.api.to_owned(),
            operation: self.spec.id.clone(),
            method: self.spec.method.clone(),
            path: self.spec.path.clone(),
            when: None,
            scopes: self.spec.scopes.clone(),
            hints: self.hints(keys, &bindings),
            bindings,
            fixed,
            answers: keys.answers.map(|format| format.name().into()),
            paging,
        };
        (arguments, samples, call)
    }

    fn verb(&self, keys: &ToolKeys) -> Verb {
        keys.verb.unwrap_or_else(|| derived_verb(&self.spec.method, &self.spec.path))
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

    fn check_concise(&self, keys: &ToolKeys) {
        if !keys.concise.is_empty() && keys.effect.is_some_and(|effect| effect != Effect::Read) {
            let hint = "what changes something answers with little; there is nothing to leave out".to_owned();
            self.wrong("/concise", "`concise` on an operation that reads", "it on another", Some(hint));
        }
        let document = self.root.value;
        let Some(operation) = document.pointer(&self.spec.pointer) else { return };
        let mut first = Begins::Open;
        for (index, path) in keys.concise.iter().enumerate() {
            let begins = concise::check(path, operation, document);
            if let Ok(begins @ (Begins::Answer | Begins::List)) = begins {
                if first != Begins::Open && first != begins {
                    let hint = "a field beside the list of records is kept anyway".to_owned();
                    let expected = "paths that all begin in the same place";
                    let found = format!("`{path}`, which begins elsewhere than the one before");
                    self.wrong(&format!("/concise/{index}"), expected, found, Some(hint));
                }
                first = begins;
            }
            if let Err(astray) = begins {
                let known = || astray.known.iter().map(String::as_str);
                let hint = Some(near_or_all(&astray.step, known));
                let expected = "a path through the fields of the operation's answer";
                let found = format!("`{path}`, of which the description has no `{}`", astray.step);
                self.wrong(&format!("/concise/{index}"), expected, found, hint);
            }
        }
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
    fn arguments(&self, keys: &ToolKeys, only: Option<&[String]>, paging: Option<&Paging>) -> Offered {
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
                // Null in a body says "nothing" to a vendor; a model has no way to say it.
                let clears = value.is_null() && matches!(input.place, Place::Property(_) | Place::Body);
                if let Some(expected) = misfit(&input.schema, value).filter(|_| !clears) {
                    self.unfit(input, "value", expected, value);
                }
                offered.fixed.push(Fixed { place: input.place.clone(), value: value.clone() });
                continue;
            }
            // Its cursor does what a position that nobody names would do.
            let unnamed = keys.argument(&input.key).is_none() && only.is_none();
            if unnamed && paging.is_some_and(|paging| paging.position == input.place) {
                continue;
            }
            if said.hidden == Some(true) || only.is_some_and(|only| !only.contains(&input.key)) {
                if input.required && paging.is_none_or(|paging| paging.position != input.place) {
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
            let of_format = || {
                binding
                    .formats
                    .iter()
                    .find(|formatted| formatted.at.is_empty())
                    .and_then(|formatted| formats::samples(formatted, &argument.schema))
            };
            if let Some(values) = said.samples.clone().or_else(of_format) {
                offered.samples.push((argument.name.clone(), values));
            }
            if offered.arguments.iter().any(|other| other.name == argument.name) {
                let path = format!("/arguments/{}/name", escape(&input.key));
                self.wrong(&path, "a name of its own for each argument", format!("`{}` twice", argument.name), None);
            }
            let own = match argument.name.as_str() {
                DRY_RUN => Some("with it a model asks to see the request without sending it"),
                name if keys.answers.is_some_and(|format| format.name() == name) => {
                    Some("with it a model asks for the answer as the vendor wrote it")
                }
                CURSOR | ALL if paging.is_some() => Some("with it a model reads on"),
                _ => None,
            };
            if let Some(hint) = own {
                let path = format!("/arguments/{}/name", escape(&input.key));
                let found = format!("`{}`", argument.name);
                self.wrong(&path, "a name that is none of toolwright's own", found, Some(hint.to_owned()));
            }
            offered.arguments.push(argument);
            offered.bindings.push(binding);
        }
        offered
    }

    fn unfit(&self, input: &Input, key: &str, expected: String, value: &Value) {
        self.wrong(&format!("/arguments/{}/{key}", escape(&input.key)), expected, describe(value), None);
    }

    /// What the overlay offers must be what the description takes.
    fn check_values(&self, input: &Input, said: &ArgumentKeys, schema: &Map<String, Value>) {
        // Of a list, `enum` says what each value may be.
        let one = schema.get("items").and_then(Value::as_object).unwrap_or(schema);
        for (index, value) in said.values.iter().flatten().enumerate() {
            if let Some(expected) = misfit(one, value) {
                self.unfit(input, &format!("enum/{index}"), expected, value);
            }
        }
    }

    /// How the tool pages: by the style that the overlay names, or the first that fits.
    fn paging(&self, keys: &ToolKeys) -> Option<Paging> {
        let styles = self.styles?;
        let fitting = |style| paging::fit(style, self.inputs);
        match &keys.paging {
            Some(PagingKey::Named(name)) => {
                let Some(style) = styles.iter().find(|style| style.name == *name) else {
                    let known = || styles.iter().map(|style| style.name.as_str());
                    let hint = nearest(name, known()).map(|near| format!("did you mean `{near}`?"));
                    self.wrong("/paging", "the name of a `[[paging]]` in vendor.toml", format!("`{name}`"), hint);
                    return None;
                };
                if keys.effect.is_some_and(|effect| effect != Effect::Read) {
                    self.wrong("/paging", "a tool with the effect `read`", "another effect", None);
                }
                let fit = fitting(style);
                if fit.is_none() {
                    let expected = format!("a style whose parameters the operation has: {}", paging::names(style));
                    let known = self.inputs.iter().map(|input| format!("`{}`", input.key)).collect::<Vec<_>>();
                    self.wrong("/paging", expected, format!("one with {}", known.join(", ")), None);
                }
                fit
            }
            None if keys.effect == Some(Effect::Read) && matches!(self.verb(keys), Verb::List | Verb::Search) => {
                styles.iter().find_map(fitting)
            }
            Some(PagingKey::Off(_)) | None => None,
        }
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
        self.check_values(input, said, &schema);
        said.apply_to(&mut schema);
        let (formats, misfits) = formats::apply(said, input.is_file, &mut schema);
        for FormatMismatch { path, expected, found } in misfits {
            self.wrong(&format!("/arguments/{}{path}", escape(&input.key)), expected, found, None);
        }
        if let Some(value) = &said.default
            && let Some(expected) = misfit(&schema, value)
        {
            self.unfit(input, "default", expected, value);
        }
        for (index, value) in said.samples.iter().flatten().enumerate() {
            if let Some(expected) = misfit(&schema, value) {
                self.unfit(input, &format!("samples/{index}"), expected, value);
            }
        }
        let name = said.name.clone().unwrap_or_else(|| input.name.clone());
        let binding = Binding {
            argument: name.clone(),
            place: input.place.clone(),
            single,
            // Only a default that we chose is sent: the vendor knows its own.
            default: said.default.clone(),
            formats,
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
pub fn derived_verb(method: &str, path: &str) -> Verb {
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

pub fn derived_name(vendor: &str, verb: Verb, path: &str) -> String {
    let mut words = resource_words(path);
    let by = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).last();
    if words.is_empty() {
        words.extend(by.map(|(name, _)| toolwright_model::snake_case(name)));
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

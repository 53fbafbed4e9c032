//! The operations of a description → what is compiled: each operation as the client needs it,
//! and the tools that reach it. Every operation is lowered or skipped with a reason.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::keys::{self, ArgumentKeys, PresetKeys, ToolKeys};
use super::located::{Located, nearest};
use super::schema::{self, Argument};
use super::spec::{SpecBody, SpecOperation, SpecParameter};
use crate::model::{
    Annotations, Binding, BodyKind, CORE_TAG, Call, Effect, Fixed, Hint, Location, MAX_TOOL_NAME, Operation, Parameter,
    ParameterKind, Place, RequestBody, Risk, Tool, UNREVIEWED_TAG, Verb, is_tool_name, kebab_case, resource_words,
};

/// The longest description of a tool, in characters.
const LONGEST_DESCRIPTION: usize = 600;

/// What became of an API's operations.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    pub operations: Vec<Operation>,
    pub tools: Vec<Tool>,
    /// One entry for each operation of the description, in its order.
    pub fates: Vec<Fate>,
    /// Values that the vendor's grammar accepts: tool, argument, values.
    pub samples: Vec<(String, String, Vec<Value>)>,
}

/// What became of one operation.
#[derive(Debug)]
pub(crate) struct Fate {
    pub operation: String,
    pub method: String,
    pub path: String,
    pub outcome: Result<Vec<String>, String>,
}

/// Lowers the operations of one API; complaints go to the source of `root`.
pub(crate) fn lower(vendor: &str, api: &str, operations: &[SpecOperation], root: &Located<'_>) -> Lowered {
    let mut lowered = Lowered::default();
    for spec in operations {
        let outcome = match &spec.keys.skip {
            Some(reason) => Err(reason.clone()),
            None => lower_operation(vendor, api, spec, root, &mut lowered),
        };
        lowered.fates.push(Fate {
            operation: spec.id.clone(),
            method: spec.method.clone(),
            path: spec.path.clone(),
            outcome,
        });
    }
    lowered.tools.sort_by(|a, b| a.name.cmp(&b.name));
    lowered
}

fn lower_operation(
    vendor: &str,
    api: &str,
    spec: &SpecOperation,
    root: &Located<'_>,
    lowered: &mut Lowered,
) -> Result<Vec<String>, String> {
    let body = spec.body.as_ref().map(request_body).transpose()?;
    let operation = Operation {
        id: spec.id.clone(),
        method: spec.method.clone(),
        path: spec.path.clone(),
        parameters: spec.parameters.iter().map(parameter).collect(),
        body: body.clone(),
    };
    let inputs = inputs(spec, body.as_ref());
    let block = format!("{}/{}", spec.pointer, keys::EXTENSION);
    let raw = ToolDraft { vendor, api, spec, inputs: &inputs, root, pointer: block.clone() };
    let mut names = Vec::new();
    let mut add = |draft: &ToolDraft<'_>, keys: &ToolKeys, only: Option<&[String]>| {
        let (tool, samples) = draft.tool(keys, only);
        names.push(tool.name.clone());
        lowered.samples.extend(samples);
        lowered.tools.push(tool);
    };
    if spec.keys.raw.unwrap_or(true) {
        add(&raw, &spec.keys.tool, None);
    }
    for (index, preset) in spec.keys.presets.iter().enumerate() {
        let draft = ToolDraft { pointer: format!("{block}/presets/{index}"), ..raw };
        add(&draft, &inherit(preset, &spec.keys.tool), preset.only.as_deref());
    }
    lowered.operations.push(operation);
    Ok(names)
}

/// A preset says what differs; effect, risks and the like are its operation's unless it says so.
fn inherit(preset: &PresetKeys, operation: &ToolKeys) -> ToolKeys {
    let own = &preset.tool;
    ToolKeys {
        effect: own.effect.or(operation.effect),
        risks: own.risks.clone().or_else(|| operation.risks.clone()),
        verb: own.verb.or(operation.verb),
        idempotent: own.idempotent.or(operation.idempotent),
        // A tag that holds the operation back holds its presets back too; `core` is for one of them.
        tags: operation.tags.iter().filter(|tag| *tag != CORE_TAG).chain(&own.tags).cloned().collect(),
        ..own.clone()
    }
}

fn parameter(spec: &SpecParameter) -> Parameter {
    let portable = schema::portable(&spec.schema);
    let kind = match portable["type"].as_str() {
        Some("integer") => ParameterKind::Integer,
        Some("number") => ParameterKind::Number,
        Some("boolean") => ParameterKind::Boolean,
        Some("array") => match portable["items"]["type"].as_str() {
            Some("integer") => ParameterKind::Integers,
            Some("object" | "array") => ParameterKind::Structure,
            _ => ParameterKind::Strings,
        },
        Some("object") => ParameterKind::Structure,
        _ => ParameterKind::String,
    };
    Parameter { name: spec.name.clone(), location: spec.location, required: spec.required, kind, style: spec.style }
}

/// Chooses the content type: JSON before forms before files before anything else.
fn request_body(spec: &SpecBody) -> Result<RequestBody, String> {
    let kind_of = |content_type: &str| {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        match essence.as_str() {
            "application/json" | "*/*" | "application/*" => BodyKind::Json,
            other if other.ends_with("+json") => BodyKind::Json,
            "application/x-www-form-urlencoded" => BodyKind::Form,
            "multipart/form-data" => BodyKind::Multipart,
            _ => BodyKind::Raw,
        }
    };
    let rank = |kind| match kind {
        BodyKind::Json => 0,
        BodyKind::Form => 1,
        BodyKind::Multipart => 2,
        BodyKind::Raw => 3,
    };
    let (content_type, kind, schema) = spec
        .content
        .iter()
        .map(|(content_type, schema)| (content_type, kind_of(content_type), schema))
        .min_by_key(|(_, kind, _)| rank(*kind))
        .ok_or("its request body has no content type")?;
    let content_type = if content_type.contains('*') { "application/json" } else { content_type };
    let files = match (kind, schema.get("properties").and_then(Value::as_object)) {
        (BodyKind::Multipart, Some(properties)) => {
            properties.iter().filter(|(_, schema)| is_file(schema)).map(|(name, _)| name.clone()).collect()
        }
        (BodyKind::Multipart, None) => return Err("its multipart body does not name its parts".to_owned()),
        _ => Vec::new(),
    };
    Ok(RequestBody { kind, content_type: content_type.to_owned(), required: spec.required, files })
}

fn is_file(schema: &Value) -> bool {
    let binary = |schema: &Value| schema.get("format").and_then(Value::as_str) == Some("binary");
    binary(schema) || schema.get("items").is_some_and(binary)
}

/// Something that a request can carry, by the description's name.
struct Input {
    key: String,
    place: Place,
    required: bool,
    schema: Map<String, Value>,
}

fn inputs(spec: &SpecOperation, body: Option<&RequestBody>) -> Vec<Input> {
    let mut inputs: Vec<Input> = spec.parameters.iter().map(parameter_input).collect();
    let (Some(spec_body), Some(body)) = (&spec.body, body) else { return inputs };
    let Some((_, schema)) = spec_body
        .content
        .iter()
        .find(|(content_type, _)| *content_type == body.content_type || content_type.contains('*'))
    else {
        return inputs;
    };
    let whole = schema::portable(schema);
    let properties = whole.get("properties").and_then(Value::as_object);
    let clash = properties
        .is_some_and(|properties| properties.keys().any(|name| spec.parameters.iter().any(|p| p.name == *name)));
    match properties {
        Some(properties) if !clash && body.kind != BodyKind::Raw => {
            let raw = schema.get("properties");
            let required = whole.get("required").and_then(Value::as_array);
            for (name, property) in properties {
                let is_file = body.files.contains(name);
                let raw_property = raw.and_then(|raw| raw.get(name));
                let schema = match (is_file, property) {
                    (true, property) => schema::file_schema(property.get("description")),
                    (false, Value::Object(property)) => with_example(property.clone(), raw_property),
                    (false, _) => Map::new(),
                };
                inputs.push(Input {
                    key: name.clone(),
                    place: Place::Property(name.clone()),
                    required: body.required && required.is_some_and(|r| r.iter().any(|n| n == name)),
                    schema,
                });
            }
            if let Some(further @ (Value::Object(_) | Value::Bool(true))) = whole.get("additionalProperties") {
                let mut schema = Map::new();
                schema.insert("type".to_owned(), "object".into());
                schema.insert("description".to_owned(), "Further fields by name.".into());
                schema.insert("additionalProperties".to_owned(), further.clone());
                inputs.push(Input { key: "*".to_owned(), place: Place::Properties, required: false, schema });
            }
        }
        _ => {
            let mut schema = whole;
            if let Some(text) = &spec_body.description {
                schema.insert("description".to_owned(), Value::from(text.as_str()));
            }
            inputs.push(Input { key: "body".to_owned(), place: Place::Body, required: spec_body.required, schema });
        }
    }
    inputs
}

fn parameter_input(spec: &SpecParameter) -> Input {
    let mut schema = schema::portable(&spec.schema);
    if let Some(text) = &spec.description {
        schema.insert("description".to_owned(), Value::from(text.as_str()));
    }
    let example = spec.example.as_ref().map(|example| serde_json::json!({"example": example}));
    let schema = with_example(schema, example.as_ref().or(Some(&spec.schema)));
    let place = match spec.location {
        Location::Path => Place::Path(spec.name.clone()),
        Location::Query => Place::Query(spec.name.clone()),
        Location::Header => Place::Header(spec.name.clone()),
    };
    Input { key: spec.name.clone(), place, required: spec.required, schema }
}

/// A text of no stated form is best explained by an example.
fn with_example(mut schema: Map<String, Value>, raw: Option<&Value>) -> Map<String, Value> {
    const LONGEST_EXAMPLE: usize = 40;
    let plain_text = schema.get("type").and_then(Value::as_str) == Some("string")
        && !schema.contains_key("enum")
        && !schema.contains_key("format");
    let example = raw.and_then(|raw| raw.get("example")).and_then(Value::as_str);
    if let (true, Some(example)) = (plain_text, example.filter(|e| e.chars().count() <= LONGEST_EXAMPLE)) {
        let text = schema.get("description").and_then(Value::as_str).unwrap_or_default().trim_end_matches('.');
        if !text.contains(example) {
            let joint = if text.is_empty() { "" } else { ", " };
            let text = format!("{text}{joint}e.g. `{example}`");
            schema.insert("description".to_owned(), Value::from(text));
        }
    }
    schema
}

/// One tool in the making.
#[derive(Clone)]
struct ToolDraft<'a> {
    vendor: &'a str,
    api: &'a str,
    spec: &'a SpecOperation,
    inputs: &'a [Input],
    root: &'a Located<'a>,
    /// Where the tool's keys stand.
    pointer: String,
}

/// The arguments that a model sees, where they go, what is always sent, and sample values.
#[derive(Default)]
struct Offered {
    arguments: Vec<Argument>,
    bindings: Vec<Binding>,
    fixed: Vec<Fixed>,
    samples: Vec<(String, Vec<Value>)>,
}

type Samples = Vec<(String, String, Vec<Value>)>;

impl ToolDraft<'_> {
    /// Reports something about the key `path` (such as `/name`) of this tool.
    fn wrong(&self, path: &str, expected: impl Into<String>, found: impl Into<String>, hint: Option<String>) {
        self.root.at(&format!("{}{path}", self.pointer), &Value::Null).report(expected.into(), found.into(), hint);
    }

    fn tool(&self, keys: &ToolKeys, only: Option<&[String]>) -> (Tool, Samples) {
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
        let Offered { arguments, bindings, fixed, samples } = self.arguments(keys, only);
        let hints = self.hints(keys, &bindings);
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
            calls: vec![Call {
                api: self.api.to_owned(),
                operation: self.spec.id.clone(),
                method: self.spec.method.clone(),
                path: self.spec.path.clone(),
                bindings,
                fixed,
                hints,
            }],
            name,
        };
        let samples = samples.into_iter().map(|(argument, values)| (tool.name.clone(), argument, values)).collect();
        (tool, samples)
    }

    fn description(&self, keys: &ToolKeys) -> String {
        let text = keys.description.as_ref().or(self.spec.description.as_ref()).or(self.spec.summary.as_ref());
        let text = text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default();
        let length = text.chars().count();
        if keys.description.is_some() && length > LONGEST_DESCRIPTION {
            let expected = format!("at most {LONGEST_DESCRIPTION} characters");
            self.wrong("/description", expected, format!("{length}"), None);
        }
        text
    }

    fn check_name(&self, name: &str) {
        if !is_tool_name(name) {
            let expected = format!("a name of `a-z`, `0-9` and `_`, at most {MAX_TOOL_NAME} characters");
            self.wrong("/name", expected, format!("`{name}`"), None);
        } else if !name.starts_with(&format!("{}_", self.vendor)) {
            self.wrong("/name", format!("a name that starts with `{}_`", self.vendor), format!("`{name}`"), None);
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
                None => self.wrong(
                    "/hints",
                    "the name of an argument that is offered",
                    format!("`{}`", hint.argument),
                    None,
                ),
            }
        }
        hints
    }

    fn key_of(&self, place: &Place) -> Option<&str> {
        self.inputs.iter().find(|input| input.place == *place).map(|input| input.key.as_str())
    }

    /// The arguments that a model sees, where they go, and what is always sent.
    fn arguments(&self, keys: &ToolKeys, only: Option<&[String]>) -> Offered {
        let known = || self.inputs.iter().map(|input| input.key.as_str());
        let named = keys.arguments.iter().map(|(name, _)| ("/arguments/", name));
        for (key, name) in named.chain(only.into_iter().flatten().map(|name| ("/only: ", name))) {
            if !known().any(|input| input == name) {
                let hint = match nearest(name, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the operation takes {}", known().collect::<Vec<_>>().join(", ")),
                };
                let pointer = if key == "/arguments/" {
                    format!("{key}{}", super::located::escape(name))
                } else {
                    "/only".to_owned()
                };
                self.wrong(&pointer, "a parameter or body property of the operation", format!("`{name}`"), Some(hint));
            }
        }
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
                    let expected = "every argument that the vendor demands to be offered or to have a `value`";
                    self.wrong("/arguments", expected, format!("`{}` hidden", input.key), None);
                }
                continue;
            }
            let (argument, binding) = self.argument(input, said);
            if let Some(values) = &said.samples {
                offered.samples.push((argument.name.clone(), values.clone()));
            }
            if offered.arguments.iter().any(|other| other.name == argument.name) {
                self.wrong(
                    "/arguments",
                    "a name of its own for each argument",
                    format!("`{}` twice", argument.name),
                    None,
                );
            }
            offered.arguments.push(argument);
            offered.bindings.push(binding);
        }
        offered
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
                    let place = format!("/arguments/{}/single", super::located::escape(&input.key));
                    self.wrong(&place, "a parameter that takes a list", "one that does not", None);
                }
            }
        }
        said.apply_to(&mut schema);
        let further = if input.place == Place::Properties { "fields" } else { input.key.as_str() };
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

/// The verb by method, for operations whose overlay names none.
fn derived_verb(method: &str, path: &str) -> Verb {
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

fn derived_name(vendor: &str, verb: Verb, path: &str) -> String {
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

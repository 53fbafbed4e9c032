//! A change → what of ours it hits: tools with their arguments, presets and choices, aliases, `concise`
//! entries, paging, samples, what refers to the operation, and profiles that offer one of the tools.
//!
//! Of workflows those are hit that call one of these tools by the operation. What is added beside these (links in a
//! store) gets a field of its own in [`Hits`] and a function that fills it in [`find`].

use glob::Pattern;
use serde::Serialize;
use serde_json::Value;

use super::change::{Change, OperationName, Place};
use super::kind::Kind;
use super::ours::OurApi;
use super::resolves;
use toolwright_model::workflow::StepCall;
use toolwright_model::{Binding, Call, Effect, Place as Bound, Profile, SettingsFile, Tool};

/// What of ours a change hits.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Hits {
    /// The tools, in order of their names.
    pub(crate) tools: Vec<HitTool>,
    /// Why no tool is hit, where the overlay states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) no_tool: Option<String>,
    /// Entries of `concise`: `tool: path`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) concise: Vec<String>,
    /// Tools that page by what changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) paging: Vec<String>,
    /// Kinds of records that are looked up by name with what changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) resolve: Vec<String>,
    /// Samples of the overlay: `operation: argument`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) samples: Vec<String>,
    /// What refers to the operation or its tool elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) references: Vec<String>,
    /// Workflows that call one of the tools, or that can't be compiled any more: `tool: step`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) workflows: Vec<String>,
    /// Profiles that offer one of the tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) profiles: Vec<String>,
}

/// A tool that a change hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HitTool {
    pub(crate) name: String,
    /// What of the overlay makes it.
    pub(crate) made_by: MadeBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effect: Option<Effect>,
    /// The argument that carries what changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) argument: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) aliases: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MadeBy {
    Operation,
    Preset,
    Choice,
}

/// What the changes are found in.
pub(crate) struct Reach<'a> {
    pub(crate) api: &'a OurApi,
    pub(crate) settings: &'a SettingsFile,
}

/// Fills in what each change hits; adds a change of paging where a tool pages by what changed.
pub(crate) fn find(changes: &mut Vec<Change>, reach: &Reach<'_>) {
    let mut paging = Vec::new();
    for change in changes.iter_mut() {
        change.hits = reach.hits(change);
        let effects = change.hits.tools.iter().filter_map(|tool| tool.effect);
        if let (Kind::WordsChanged, Some(effect)) =
            (change.kind, effects.filter(|effect| *effect != Effect::Read).max())
        {
            change.next = format!("the text of a tool that is `{effect}` changed: {}", change.kind.next());
        }
        let breaks = matches!(
            change.kind,
            Kind::ParameterRemoved
                | Kind::ParameterRenamed
                | Kind::ParameterMoved
                | Kind::PropertyRemoved
                | Kind::PropertyRenamed
                | Kind::TypeChanged
                | Kind::AnswerFieldRemoved
                | Kind::AnswerFieldRenamed
                | Kind::AnswerTypeChanged
                | Kind::AnswerHeaderRemoved
        );
        if breaks && !change.hits.paging.is_empty() {
            let mut more = Change::new(Kind::PagingChanged, change.operation.as_ref(), change.place.clone());
            more.before.clone_from(&change.before);
            more.after.clone_from(&change.after);
            more.shared.clone_from(&change.shared);
            more.hits = Hits {
                tools: change.hits.tools.clone(),
                paging: change.hits.paging.clone(),
                workflows: change.hits.workflows.clone(),
                profiles: change.hits.profiles.clone(),
                ..Hits::default()
            };
            more.hits.tools.retain(|tool| more.hits.paging.contains(&tool.name));
            paging.push(more);
        }
    }
    changes.extend(paging);
}

impl Reach<'_> {
    fn hits(&self, change: &Change) -> Hits {
        let Some(operation) = &change.operation else { return Hits::default() };
        let mut hits = Hits::default();
        for (tool, call) in self.calls(operation) {
            let paged = pages_by(call, &change.place);
            let argument = argument(call, &change.place);
            // What is new, or demanded now, concerns tools that don't send it, too.
            let is_for_all = matches!(
                change.kind,
                Kind::ParameterAdded
                    | Kind::ParameterAddedRequired
                    | Kind::ParameterRequired
                    | Kind::PropertyAdded
                    | Kind::PropertyAddedRequired
                    | Kind::PropertyRequired
                    | Kind::BodyAdded
                    | Kind::BodyRequired
            );
            if paged {
                hits.paging.push(tool.name.clone());
            }
            let carried = match &change.place {
                Place::Parameter { .. } | Place::Body { .. } if !is_for_all => {
                    carriers(call, &change.place).next().is_some() || paged || is_fixed(call, &change.place)
                }
                _ => true,
            };
            if carried {
                hits.concise.extend(concise(tool, &change.place));
                hits.tools.push(HitTool {
                    name: tool.name.clone(),
                    made_by: self.made_by(tool, operation),
                    effect: tool.effect,
                    argument,
                    aliases: tool.aliases.clone(),
                });
            }
        }
        if hits.tools.is_empty() {
            hits.no_tool = self.why_no_tool(change, operation);
        }
        hits.samples = self.samples(change, operation);
        hits.resolve = resolves::find(self.api, &hits.tools, &change.place);
        if matches!(change.kind, Kind::OperationRemoved | Kind::OperationIdChanged) {
            hits.references = self.references(operation, change.kind, &hits.tools);
        }
        hits.workflows = self.workflows(operation, &hits.tools);
        hits.profiles = self.profiles(&hits.tools);
        hits
    }

    /// The tools that call an operation.
    fn calls<'s>(&'s self, operation: &'s OperationName) -> impl Iterator<Item = (&'s Tool, &'s Call)> {
        let of = move |call: &&Call| call.method == operation.method && call.path == operation.path;
        self.api.tools.iter().filter_map(move |tool| Some((tool, tool.calls.iter().find(of)?)))
    }

    fn made_by(&self, tool: &Tool, operation: &OperationName) -> MadeBy {
        let presets = self.api.keys(&operation.method, &operation.path).and_then(|keys| keys.get("presets"));
        let is_preset = |preset: &Value| preset.get("name").and_then(Value::as_str) == Some(tool.name.as_str());
        match presets.and_then(Value::as_array) {
            _ if tool.calls.len() > 1 || tool.calls.iter().any(|call| call.when.is_some()) => MadeBy::Choice,
            Some(presets) if presets.iter().any(is_preset) => MadeBy::Preset,
            _ => MadeBy::Operation,
        }
    }

    fn why_no_tool(&self, change: &Change, operation: &OperationName) -> Option<String> {
        let request = format!("{} {}", operation.method, operation.path);
        if let Some((_, reason)) = self.api.skipped.iter().find(|(skipped, _)| *skipped == request) {
            return Some(format!("the operation is skipped: {reason}"));
        }
        let name = top_name(&change.place)?;
        let of = |keys: &Value| keys.get("left_out")?.get(&name)?.as_str().map(str::to_owned);
        let everywhere = self.api.overlaid.get(toolwright_codegen::read::keys::EXTENSION).and_then(of);
        let reason = self.api.keys(&operation.method, &operation.path).and_then(of).or(everywhere)?;
        Some(format!("no tool offers it: {reason}"))
    }

    fn samples(&self, change: &Change, operation: &OperationName) -> Vec<String> {
        let (Some(name), Some(keys)) = (top_name(&change.place), self.api.keys(&operation.method, &operation.path))
        else {
            return Vec::new();
        };
        if !matches!(change.place, Place::Parameter { .. } | Place::Body { .. }) {
            return Vec::new();
        }
        let presets = keys.get("presets").and_then(Value::as_array).into_iter().flatten();
        let stated = |keys: &&Value| keys.get("arguments").and_then(|of| of.get(&name)?.get("samples")).is_some();
        let owner = |keys: &Value| keys.get("name").and_then(Value::as_str).unwrap_or(&operation.id).to_owned();
        std::iter::once(keys).chain(presets).filter(stated).map(|keys| format!("{}: {name}", owner(keys))).collect()
    }

    /// Keys of the overlay and vendor.toml that name the operation, and texts that name its tools.
    fn references(&self, operation: &OperationName, kind: Kind, tools: &[HitTool]) -> Vec<String> {
        let mut found = Vec::new();
        for (path, item) in self.api.overlaid.get("paths").and_then(Value::as_object).into_iter().flatten() {
            for (method, other) in item.as_object().into_iter().flatten() {
                let Some(keys) = other.get(toolwright_codegen::read::keys::EXTENSION) else { continue };
                let own = *path == operation.path && method.to_uppercase() == operation.method;
                if !own && let Some(key) = names_operation(keys, &operation.id) {
                    found.push(format!("`{key}` of {} {path}", method.to_uppercase()));
                }
            }
        }
        if let Some(connection) = &self.api.connection {
            if connection.check.as_ref().is_some_and(|check| check.operation == operation.id) {
                found.push("`check` in vendor.toml".to_owned());
            }
            if kind == Kind::OperationRemoved && tools.iter().any(|tool| names_tool(&connection.guidance, &tool.name)) {
                found.push("`guidance` in vendor.toml".to_owned());
            }
        }
        if kind == Kind::OperationRemoved {
            let gone = |tool: &Tool| tools.iter().any(|hit| hit.name == tool.name);
            for tool in self.api.tools.iter().filter(|tool| !gone(tool)) {
                let text = format!("{} {}", tool.description, tool.input_schema.get());
                if tools.iter().any(|hit| names_tool(&text, &hit.name)) {
                    found.push(format!("the texts of {}", tool.name));
                }
            }
        }
        found
    }

    /// The steps of workflows that call one of the tools by the operation, with what looks before them and what takes
    /// them back.
    fn workflows(&self, operation: &OperationName, tools: &[HitTool]) -> Vec<String> {
        let is_hit = |call: &StepCall| {
            let same = call.method == operation.method && call.path == operation.path;
            same && tools.iter().any(|tool| tool.name == call.tool)
        };
        let of = |tool: &Tool| {
            let steps = tool.workflow.iter().flat_map(|workflow| &workflow.steps);
            let hit = steps.filter(|step| step.calls().chain(&step.undo).any(is_hit));
            hit.map(|step| format!("{}: {}", tool.name, step.id)).collect::<Vec<_>>()
        };
        self.api.workflows.iter().flat_map(of).collect()
    }

    fn profiles(&self, tools: &[HitTool]) -> Vec<String> {
        let hit: Vec<&Tool> =
            self.api.tools.iter().filter(|tool| tools.iter().any(|hit| hit.name == tool.name)).collect();
        let profiles = self.settings.profiles.iter();
        let offers = |profile: &Profile| hit.iter().any(|tool| offers(profile, &self.api.vendor, tool));
        profiles.filter(|(_, profile)| offers(profile)).map(|(name, _)| name.clone()).collect()
    }
}

/// Whether a profile offers a tool, as the policy decides it for its selection.
fn offers(profile: &Profile, vendor: &str, tool: &Tool) -> bool {
    let matches = |patterns: &[String]| {
        let names = || std::iter::once(&tool.name).chain(&tool.aliases);
        patterns
            .iter()
            .filter_map(|pattern| Pattern::new(pattern).ok())
            .any(|pattern| names().any(|name| pattern.matches(name)))
    };
    let effect = tool.effect.map_or("", Effect::as_str);
    let words = [effect, tool.verb.as_str(), "all"];
    let methods = if profile.methods.is_empty() {
        effect == "read"
    } else {
        profile.methods.iter().any(|method| words.contains(&method.as_str()))
    };
    let tags = match (profile.tags.as_slice(), profile.tools.as_slice()) {
        ([], []) => tool.is_core(),
        ([], _) => true,
        (tags, _) => tags.iter().any(|tag| tag == "all" || tool.tags.contains(tag)),
    };
    (profile.vendor.is_empty() || profile.vendor.iter().any(|of| of == vendor))
        && methods
        && tags
        && (profile.tools.is_empty() || matches(&profile.tools))
        && !matches(&profile.exclude)
}

/// The name under which the overlay knows what a place is about.
fn top_name(place: &Place) -> Option<String> {
    match place {
        Place::Parameter { name, .. } => Some(name.clone()),
        Place::Body { inside } => Some(top(inside)).filter(|name| !name.is_empty()).map(str::to_owned),
        _ => None,
    }
}

/// The first step of a way: `fields` of `fields[].name`.
fn top(inside: &str) -> &str {
    inside.split(['.', '[']).next().unwrap_or_default()
}

/// The place of a request that a change is about.
fn request_place(place: &Place) -> Option<Bound> {
    match place {
        Place::Parameter { location, name, .. } => match location.as_str() {
            "path" => Some(Bound::Path(name.clone())),
            "query" => Some(Bound::Query(name.clone())),
            _ => Some(Bound::Header(name.clone())),
        },
        Place::Body { inside } if inside.is_empty() => Some(Bound::Body),
        Place::Body { inside } => Some(Bound::Property(top(inside).to_owned())),
        Place::Whole | Place::Answer { .. } | Place::AnswerHeader { .. } => None,
    }
}

/// Whether a value goes where the change is.
fn goes_there(bound: &Bound, changed: &Bound) -> bool {
    match (bound, changed) {
        // The body is changed as a whole, or an argument is the whole body.
        (Bound::Property(_) | Bound::Properties | Bound::Body, Bound::Body) | (Bound::Body, Bound::Property(_)) => true,
        (bound, changed) => bound == changed,
    }
}

/// The arguments that carry what a change is about.
fn carriers<'c>(call: &'c Call, place: &Place) -> impl Iterator<Item = &'c Binding> {
    let changed = request_place(place);
    call.bindings
        .iter()
        .filter(move |binding| changed.as_ref().is_some_and(|changed| goes_there(&binding.place, changed)))
}

/// The argument that carries it; of the body as a whole none of several does.
fn argument(call: &Call, place: &Place) -> Option<String> {
    let is_whole = matches!(place, Place::Body { inside } if inside.is_empty());
    let mut carriers = carriers(call, place).filter(|binding| !is_whole || binding.place == Bound::Body);
    carriers.next().map(|binding| binding.argument.clone())
}

fn is_fixed(call: &Call, place: &Place) -> bool {
    request_place(place).is_some_and(|changed| call.fixed.iter().any(|fixed| goes_there(&fixed.place, &changed)))
}

fn pages_by(call: &Call, place: &Place) -> bool {
    let Some(paging) = &call.paging else { return false };
    match place {
        Place::Answer { inside, .. } => {
            let inside = inside.replace("[]", "");
            let records = paging.signs.records.as_deref();
            let signs = paging.signs.pointers().chain(records);
            !inside.is_empty()
                && signs.map(|sign| sign.trim_start_matches('/').replace('/', ".")).any(|sign| sign == inside)
        }
        Place::AnswerHeader { name, .. } => {
            let signs = &paging.signs;
            let headers = [&signs.total_header, &signs.next_header, &signs.count_header, &signs.limit_header];
            headers.into_iter().flatten().any(|header| header.eq_ignore_ascii_case(name))
        }
        Place::Whole => false,
        Place::Parameter { .. } | Place::Body { .. } => request_place(place)
            .is_some_and(|changed| paging.position == changed || paging.size.as_ref() == Some(&changed)),
    }
}

/// The entries of `concise` that keep what a change is about. They begin at the records, which may lie
/// inside of the answer.
fn concise(tool: &Tool, place: &Place) -> Vec<String> {
    const DEEPEST_RECORDS: usize = 3;
    let Place::Answer { inside, .. } = place else { return Vec::new() };
    let way = inside.replace("[]", "");
    let way: Vec<&str> = way.split('.').filter(|step| !step.is_empty()).collect();
    let is_about = |kept: &&String| {
        let kept: Vec<&str> = kept.split('.').collect();
        (0..way.len().min(DEEPEST_RECORDS)).any(|from| {
            let rest = &way[from..];
            rest.starts_with(&kept) || kept.starts_with(rest)
        })
    };
    tool.concise.iter().filter(is_about).map(|kept| format!("{}: {kept}", tool.name)).collect()
}

/// The key by which `x-toolwright` names an operation of this id.
fn names_operation(keys: &Value, id: &str) -> Option<&'static str> {
    if id.is_empty() {
        return None;
    }
    let is = |value: &Value| value.as_str() == Some(id);
    if keys.get("read_back").is_some_and(is) {
        return Some("read_back");
    }
    if keys.get("wait").and_then(|wait| wait.get("operation")).is_some_and(is) {
        return Some("wait");
    }
    let tools = || {
        let presets = keys.get("presets").and_then(Value::as_array).into_iter().flatten();
        std::iter::once(keys).chain(presets)
    };
    let asks = |keys: &Value| {
        let arguments = keys.get("arguments").and_then(Value::as_object).into_iter().flatten();
        arguments.into_iter().any(|(_, keys)| ["ask", "then_ask"].iter().any(|key| keys.get(*key).is_some_and(is)))
    };
    if tools().any(asks) {
        return Some("ask");
    }
    let choices = keys.get("choices").and_then(Value::as_array).into_iter().flatten();
    let mut cases = choices.filter_map(|choice| choice.get("cases")?.as_object()).flatten();
    cases.any(|(_, case)| is(case)).then_some("choices")
}

/// Whether a text names a tool, as a word of its own.
fn names_tool(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word)
    })
}

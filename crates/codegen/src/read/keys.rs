//! The `x-toolwright` keys of an operation, as the overlay states them → [`OperationKeys`]. One
//! reader for all of them; specs/README.md explains each, `generated/schemas/` describes them.

mod argument;

use serde::Serialize;
use serde_json::Value;

use crate::read::located::Located;
use argument::read_argument;
pub(crate) use argument::read_pattern;
pub use argument::{ArgumentKeys, ResolveKey};
use toolwright_formats::{FORMATS, FormatRef};
use toolwright_model::{Effect, Risk, Verb};

/// The extension's name in a description.
pub const EXTENSION: &str = "x-toolwright";

/// The key with the reasons for what no tool offers, of an operation or of a whole description.
pub const LEFT_OUT: &str = "left_out";

/// What a reviewer states of an operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename = "x-toolwright"))]
#[serde(deny_unknown_fields)]
pub struct OperationKeys {
    /// Why the operation becomes no tool.
    pub skip: Option<String>,
    /// Narrow tools made from the same operation.
    pub presets: Vec<PresetKeys>,
    /// Tools over this operation and others that take the same; stated at the first of them.
    pub choices: Vec<ChoiceKeys>,
    /// Whether the operation itself is offered beside its presets and choices; true unless stated.
    pub raw: Option<bool>,
    /// The operation that reads the record which this one changes, by inputs of the same names; for
    /// PUT and PATCH the GET at the same path where it is missing.
    pub read_back: Option<String>,
    /// How the end of work is waited for that goes on in the background.
    pub wait: Option<WaitKeys>,
    /// Why none of its tools offers a parameter or body property, by the vendor's name.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, String>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub left_out: Vec<(String, String)>,
    #[serde(flatten)]
    pub tool: ToolKeys,
}

/// How the end of work is waited for.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WaitKeys {
    /// The operation of the same API that returns how the work stands.
    pub operation: String,
    /// Its parameter that names the work.
    pub input: String,
    /// A JSON pointer to that name in the answer that began the work.
    pub value: String,
    /// A JSON pointer to the state in the answer of `operation`.
    pub state: String,
    /// The states in which the work goes on.
    pub running: Vec<String>,
}

/// A narrow tool made from an operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PresetKeys {
    /// The description's names of the arguments that are offered; all where it is missing.
    pub only: Option<Vec<String>>,
    #[serde(flatten)]
    pub tool: ToolKeys,
}

/// One tool over several operations that take the same arguments.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChoiceKeys {
    /// The argument that chooses one of the operations.
    pub argument: String,
    /// What a model reads of that argument.
    pub argument_description: Option<String>,
    /// What the argument may be, each with the id of the operation it calls.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, String>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub cases: Vec<(String, String)>,
    /// The description's names of the arguments that are offered; all where it is missing.
    pub only: Option<Vec<String>>,
    #[serde(flatten)]
    pub tool: ToolKeys,
}

/// What an operation, a preset and a choice can all state of the tool.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ToolKeys {
    /// What calling it does at the vendor.
    pub effect: Option<Effect>,
    /// What else it may cause.
    pub risks: Option<Vec<Risk>>,
    /// The kind of call.
    pub verb: Option<Verb>,
    /// The tool's name; made from verb and path where it is missing.
    pub name: Option<String>,
    /// A few words for a person; the operation's summary where it is missing.
    pub title: Option<String>,
    /// What a model reads; the operation's description where it is missing.
    pub description: Option<String>,
    /// Tags beside the vendor's.
    pub tags: Vec<String>,
    /// Names that other servers use.
    pub aliases: Vec<String>,
    /// How people ask for it; for the search only.
    pub phrases: Vec<String>,
    /// Arguments, by the names that a model uses, of which clients are sent the names only.
    pub unlisted: Vec<String>,
    /// Whether repeating the call has no further effect.
    pub idempotent: Option<bool>,
    /// Changes to arguments, by the description's name; `*` for further body properties.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, ArgumentKeys>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub arguments: Vec<(String, ArgumentKeys)>,
    /// The description's names of the arguments of which at least one has to be given.
    pub needs_one_of: Vec<String>,
    /// Advice for refusals of the vendor that are known.
    pub hints: Vec<HintKeys>,
    /// The format of rich text in answers, which a model gets in a plainer one.
    pub answers: Option<FormatRef>,
    /// Dotted paths to what is kept of each record unless the full record is requested.
    pub concise: Vec<String>,
    /// The style of vendor.toml by which it pages, or `false` for none; the first that fits where
    /// it is missing.
    pub paging: Option<PagingKey>,
}

/// Which style of vendor.toml a tool pages by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum PagingKey {
    /// The style of this name.
    Named(String),
    /// None: always `false`.
    Off(bool),
}

/// Advice for one refusal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HintKeys {
    /// The status that the vendor answers with.
    pub status: u16,
    /// The description's name of the argument.
    pub argument: String,
    /// The value that is refused.
    pub equals: Value,
    /// The advice.
    pub say: String,
    /// The pointer to the argument's name in what was read.
    #[serde(skip)]
    pub pointer: String,
}

fn serialize_pairs<S: serde::Serializer, T: Serialize>(
    pairs: &[(String, T)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, keys)| (name, keys)))
}

const TOOL_KEYS: [&str; 17] = [
    "effect",
    "risks",
    "verb",
    "name",
    "title",
    "description",
    "tags",
    "aliases",
    "phrases",
    "unlisted",
    "idempotent",
    "arguments",
    "needs_one_of",
    "hints",
    "answers",
    "concise",
    "paging",
];
fn with_tool_keys(own: &[&'static str]) -> Vec<&'static str> {
    own.iter().chain(&TOOL_KEYS).copied().collect()
}

/// Reads the keys of an operation; reports unknown ones.
pub fn read_operation(at: &Located<'_>) -> OperationKeys {
    if at.object().is_none() {
        return OperationKeys::default();
    }
    at.only(&with_tool_keys(&["skip", "presets", "choices", "raw", "read_back", "wait", LEFT_OUT]));
    if let Some(skip) = at.get("skip") {
        if skip.value.as_str().is_some_and(|reason| reason.trim().is_empty()) {
            skip.wrong("the reason why the operation becomes no tool");
        }
        for (key, entry) in at.entries().into_iter().filter(|(key, _)| *key != "skip") {
            let hint = "an operation that is skipped becomes no tool, so it has no other keys";
            entry.report("`skip` to be the only key".to_owned(), format!("`{key}` beside it"), Some(hint.to_owned()));
        }
    }
    let presets = at.get("presets").map(|presets| presets.items().iter().map(read_preset).collect());
    let choices = at.get("choices").map(|choices| choices.items().iter().filter_map(read_choice).collect());
    OperationKeys {
        skip: at.get("skip").and_then(|skip| skip.text().map(str::to_owned)),
        presets: presets.unwrap_or_default(),
        choices: choices.unwrap_or_default(),
        raw: at.get("raw").and_then(|raw| raw.flag()),
        read_back: at.get("read_back").and_then(|id| id.text().map(str::to_owned)),
        wait: at.get("wait").and_then(|wait| read_wait(&wait)),
        left_out: read_left_out(at),
        tool: read_tool(at),
    }
}

fn read_wait(at: &Located<'_>) -> Option<WaitKeys> {
    at.only(&["operation", "input", "value", "state", "running"]);
    let text = |key: &str, expected: &str| at.required(key, expected)?.text().map(str::to_owned);
    let pointer = |key: &str| {
        let pointer = text(key, "a JSON pointer into an answer")?;
        if let Some(entry) = at.get(key).filter(|_| !pointer.starts_with('/')) {
            entry.wrong("a JSON pointer, such as `/status`");
        }
        Some(pointer)
    };
    let (operation, input) = (text("operation", "the id of an operation that reads"), text("input", "its parameter"));
    let (value, state) = (pointer("value"), pointer("state"));
    let running = at.required("running", "the states in which the work goes on")?;
    if running.value.as_array().is_some_and(Vec::is_empty) {
        running.wrong("at least one state");
    }
    Some(WaitKeys { operation: operation?, input: input?, value: value?, state: state?, running: running.texts() })
}

/// Reads the keys of a whole description: what none of its operations offers, and why.
pub fn read_api(at: &Located<'_>) -> Vec<(String, String)> {
    if at.object().is_none() {
        return Vec::new();
    }
    at.only(&[LEFT_OUT]);
    read_left_out(at)
}

fn read_left_out(at: &Located<'_>) -> Vec<(String, String)> {
    let entries = at.get(LEFT_OUT).map(|entry| entry.entries()).unwrap_or_default();
    let reasons = entries.into_iter().filter_map(|(name, entry)| {
        let reason = entry.text()?;
        if reason.trim().is_empty() {
            entry.wrong("the reason why no tool offers it");
        }
        Some((name.to_owned(), reason.to_owned()))
    });
    reasons.collect()
}

fn read_choice(at: &Located<'_>) -> Option<ChoiceKeys> {
    at.only(&with_tool_keys(&["only", "argument", "argument_description", "cases"]));
    at.required("name", "the tool's name");
    let argument = at.required("argument", "the argument that chooses");
    let cases = at.required("cases", "what it may be, each with the id of an operation");
    let cases = read_pairs(&cases?);
    if cases.len() < 2
        && let Some(at) = at.get("cases")
    {
        at.wrong("at least two operations");
    }
    Some(ChoiceKeys {
        argument: argument?.text()?.to_owned(),
        argument_description: at.get("argument_description").and_then(|entry| entry.text().map(str::to_owned)),
        cases,
        only: at.get("only").map(|only| only.texts()),
        tool: read_tool(at),
    })
}

fn read_preset(at: &Located<'_>) -> PresetKeys {
    at.only(&with_tool_keys(&["only"]));
    at.required("name", "the tool's name");
    PresetKeys { only: at.get("only").map(|only| only.texts()), tool: read_tool(at) }
}

fn read_tool(at: &Located<'_>) -> ToolKeys {
    let text = |key| at.get(key).and_then(|entry| entry.text().map(str::to_owned));
    let texts = |key| at.get(key).map(|entry| entry.texts()).unwrap_or_default();
    let arguments = at.get("arguments").map(|arguments| {
        arguments.entries().iter().map(|(name, entry)| ((*name).to_owned(), read_argument(entry))).collect()
    });
    let risks =
        at.get("risks").map(|risks| risks.items().iter().filter_map(|risk| risk.word(Risk::ALL)).collect::<Vec<_>>());
    let hints = at.get("hints").map(|hints| hints.items().iter().filter_map(read_hint).collect());
    ToolKeys {
        effect: at.get("effect").and_then(|effect| effect.word(Effect::ALL)),
        risks,
        verb: at.get("verb").and_then(|verb| verb.word(Verb::ALL)),
        name: text("name"),
        title: text("title"),
        description: text("description"),
        tags: texts("tags"),
        aliases: texts("aliases"),
        phrases: texts("phrases"),
        unlisted: texts("unlisted"),
        idempotent: at.get("idempotent").and_then(|entry| entry.flag()),
        arguments: arguments.unwrap_or_default(),
        needs_one_of: texts("needs_one_of"),
        hints: hints.unwrap_or_default(),
        answers: at.get("answers").and_then(|entry| entry.word(&formats_of_answers())),
        paging: at.get("paging").and_then(|paging| read_paging(&paging)),
        concise: texts("concise"),
    }
}

fn read_paging(at: &Located<'_>) -> Option<PagingKey> {
    match at.value {
        Value::String(name) => Some(PagingKey::Named(name.clone())),
        Value::Bool(false) => Some(PagingKey::Off(false)),
        _ => {
            at.wrong("the name of a `[[paging]]` in vendor.toml, or `false`");
            None
        }
    }
}

fn formats_of_answers() -> Vec<FormatRef> {
    FORMATS.iter().copied().filter(|format| format.raw_switch().is_some()).collect()
}

fn read_pairs(at: &Located<'_>) -> Vec<(String, String)> {
    let pair = |(name, entry): &(&str, Located<'_>)| Some(((*name).to_owned(), entry.text()?.to_owned()));
    at.entries().iter().filter_map(pair).collect()
}

fn read_hint(at: &Located<'_>) -> Option<HintKeys> {
    at.only(&["status", "argument", "equals", "say"]);
    let status = at.required("status", "an HTTP status")?;
    let argument = at.required("argument", "the description's name of an argument")?;
    let equals = at.required("equals", "the value that is refused")?.value.clone();
    let say = at.required("say", "the advice")?.text()?.to_owned();
    let Some(status) = status.value.as_u64().and_then(|s| u16::try_from(s).ok()).filter(|s| (400..600).contains(s))
    else {
        status.wrong("an HTTP status from 400 to 599");
        return None;
    };
    Some(HintKeys { status, argument: argument.text()?.to_owned(), equals, say, pointer: argument.pointer })
}

impl ToolKeys {
    /// Returns what the overlay states of an argument.
    pub fn argument(&self, name: &str) -> Option<&ArgumentKeys> {
        self.arguments.iter().find(|(key, _)| key == name).map(|(_, keys)| keys)
    }
}

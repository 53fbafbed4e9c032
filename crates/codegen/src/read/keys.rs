//! The `x-toolwright` keys of an operation, as the overlay states them → [`OperationKeys`]. One
//! reader for all of them; specs/README.md explains each, `generated/schemas/` describes them.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::read::located::Located;
use toolwright_formats::{FORMATS, FormatRef, pattern_fault};
use toolwright_model::{Effect, Letters, Risk, Verb};

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
    /// Why none of its tools offers a parameter or body property, by the vendor's name.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, String>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub left_out: Vec<(String, String)>,
    #[serde(flatten)]
    pub tool: ToolKeys,
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

/// What a model gets to see of an argument.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ArgumentKeys {
    /// The name that a model uses.
    pub name: Option<String>,
    /// What a model reads.
    pub description: Option<String>,
    /// Sent when the argument is missing.
    pub default: Option<Value>,
    /// The least number.
    pub minimum: Option<Value>,
    /// The greatest number.
    pub maximum: Option<Value>,
    /// The shortest text.
    pub min_length: Option<u64>,
    /// The longest text.
    pub max_length: Option<u64>,
    /// The fewest values of a list.
    pub min_items: Option<u64>,
    /// The most values of a list.
    pub max_items: Option<u64>,
    /// The values to choose from.
    #[serde(rename = "enum")]
    pub values: Option<Vec<Value>>,
    /// One value is offered where the vendor takes a list.
    pub single: Option<bool>,
    /// Demanded even where the vendor does not.
    pub required: Option<bool>,
    /// Never offered, never sent.
    pub hidden: Option<bool>,
    /// Always sent, never offered.
    pub value: Option<Value>,
    /// Values that the vendor's grammar accepts, for the tests that draw arguments.
    pub samples: Option<Vec<Value>>,
    /// How the value is written for the vendor.
    pub format: Option<FormatRef>,
    /// The same for parts of the argument: dotted path → format.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, FormatRef>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub formats: Vec<(String, FormatRef)>,
    /// A regular expression that the whole text matches, in place of `format`; no message shows it.
    pub pattern: Option<String>,
    /// The pattern in words, for a refusal.
    pub words: Option<String>,
    /// The case in which letters are sent, beside `pattern`.
    pub letters: Option<Letters>,
    /// What the vendor takes to clear the value, which a model clears with `null`: `null`, `""`, `[]`, `0` or `-1`.
    pub clear: Option<Value>,
    /// The operation of the same API that answers the format's questions.
    pub ask: Option<String>,
    /// The fields that a filter can be about.
    pub fields: Option<Vec<String>>,
    /// The operators that a filter can use.
    pub operators: Option<Vec<String>>,
    /// The tools that a refusal by the format names: what is refused → the tools that do it.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, String>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub tools: Vec<(String, String)>,
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
const ARGUMENT_KEYS: [&str; 25] = [
    "name",
    "description",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "enum",
    "single",
    "required",
    "hidden",
    "value",
    "samples",
    "format",
    "formats",
    "pattern",
    "words",
    "letters",
    "clear",
    "ask",
    "fields",
    "operators",
    "tools",
];

fn with_tool_keys(own: &[&'static str]) -> Vec<&'static str> {
    own.iter().chain(&TOOL_KEYS).copied().collect()
}

/// Reads the keys of an operation; reports unknown ones.
pub fn read_operation(at: &Located<'_>) -> OperationKeys {
    if at.object().is_none() {
        return OperationKeys::default();
    }
    at.only(&with_tool_keys(&["skip", "presets", "choices", "raw", "read_back", LEFT_OUT]));
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
        left_out: read_left_out(at),
        tool: read_tool(at),
    }
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

fn read_argument(at: &Located<'_>) -> ArgumentKeys {
    at.only(&ARGUMENT_KEYS);
    let text = |key| at.get(key).and_then(|entry| entry.text().map(str::to_owned));
    let number = |key| {
        at.get(key).and_then(|entry| {
            if !entry.value.is_number() {
                entry.wrong("a number");
            }
            entry.value.is_number().then(|| entry.value.clone())
        })
    };
    let values = |key| at.get(key).map(|entry| entry.items().iter().map(|item| item.value.clone()).collect());
    ArgumentKeys {
        name: text("name"),
        description: text("description"),
        default: at.get("default").map(|entry| entry.value.clone()),
        minimum: number("minimum"),
        maximum: number("maximum"),
        min_length: at.get("minLength").and_then(|entry| entry.unsigned()),
        max_length: at.get("maxLength").and_then(|entry| entry.unsigned()),
        min_items: at.get("minItems").and_then(|entry| entry.unsigned()),
        max_items: at.get("maxItems").and_then(|entry| entry.unsigned()),
        values: values("enum"),
        single: at.get("single").and_then(|entry| entry.flag()),
        required: at.get("required").and_then(|entry| entry.flag()),
        hidden: at.get("hidden").and_then(|entry| entry.flag()),
        value: at.get("value").map(|entry| entry.value.clone()),
        samples: values("samples"),
        format: at.get("format").and_then(|entry| entry.word(FORMATS)),
        formats: at.get("formats").map(|formats| read_formats(&formats)).unwrap_or_default(),
        pattern: at.get("pattern").and_then(|entry| read_pattern(&entry)),
        words: text("words"),
        letters: at.get("letters").and_then(|entry| entry.word(Letters::ALL)),
        clear: at.get("clear").and_then(|entry| read_clear(&entry)),
        ask: text("ask"),
        fields: at.get("fields").map(|entry| entry.texts()),
        operators: at.get("operators").map(|entry| entry.texts()),
        tools: at.get("tools").map(|tools| read_pairs(&tools)).unwrap_or_default(),
    }
}

/// A regular expression that can be read.
pub(super) fn read_pattern(at: &Located<'_>) -> Option<String> {
    let pattern = at.text()?;
    match pattern_fault(pattern) {
        None => Some(pattern.to_owned()),
        Some(fault) => {
            at.wrong_with_hint("a regular expression", fault);
            None
        }
    }
}

fn read_clear(at: &Located<'_>) -> Option<Value> {
    let known = [Value::Null, Value::from(""), Value::Array(Vec::new()), Value::from(0), Value::from(-1)];
    if !known.contains(at.value) {
        at.wrong("what the vendor takes for a value that is cleared: `null`, `\"\"`, `[]`, `0` or `-1`");
        return None;
    }
    Some(at.value.clone())
}

fn formats_of_answers() -> Vec<FormatRef> {
    FORMATS.iter().copied().filter(|format| format.raw_switch().is_some()).collect()
}

fn read_pairs(at: &Located<'_>) -> Vec<(String, String)> {
    let pair = |(name, entry): &(&str, Located<'_>)| Some(((*name).to_owned(), entry.text()?.to_owned()));
    at.entries().iter().filter_map(pair).collect()
}

fn read_formats(at: &Located<'_>) -> Vec<(String, FormatRef)> {
    let of = |(path, entry): &(&str, Located<'_>)| Some(((*path).to_owned(), entry.word(FORMATS)?));
    at.entries().iter().filter_map(of).collect()
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

impl ArgumentKeys {
    /// Writes what changes the argument's schema into it.
    pub fn apply_to(&self, schema: &mut Map<String, Value>) {
        let facts = [
            ("description", self.description.clone().map(Value::from)),
            ("enum", self.values.clone().map(Value::from)),
            ("minimum", self.minimum.clone()),
            ("maximum", self.maximum.clone()),
            ("minLength", self.min_length.map(Value::from)),
            ("maxLength", self.max_length.map(Value::from)),
            ("minItems", self.min_items.map(Value::from)),
            ("maxItems", self.max_items.map(Value::from)),
            ("default", self.default.clone()),
        ];
        for (key, value) in facts {
            let Some(value) = value else { continue };
            match schema.get_mut("items") {
                // The values of a list are limited one by one.
                Some(Value::Object(items)) if key == "enum" => items.insert(key.to_owned(), value),
                _ => schema.insert(key.to_owned(), value),
            };
        }
    }
}

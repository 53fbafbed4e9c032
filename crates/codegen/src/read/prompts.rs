//! `[[prompts]]` of vendor.toml → prompts as plain data; what they name is checked against the vendor's tools.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::read::located::{Located, did_you_mean};
use toolwright_model::{Effect, Prompt, PromptArgument, PromptValues, Tool};

/// The longest text of a prompt, in characters.
const LONGEST: usize = 1_500;

/// Reads the prompts; reports what is wrong with them.
pub(super) fn read(at: &Located<'_>) -> Vec<Prompt> {
    at.items().iter().filter_map(read_prompt).collect()
}

fn read_prompt(at: &Located<'_>) -> Option<Prompt> {
    at.only(&["name", "title", "description", "arguments", "needs", "text"]);
    let text = |key: &str, expected: &str| at.required(key, expected)?.text().map(words);
    let (name, title) = (name(at), text("title", "a few words for a person"));
    let description = text("description", "what it does, in a sentence");
    let needs = at.required("needs", "the tools that have to be offered").map(|at| at.texts()).unwrap_or_default();
    let arguments = at.get("arguments").map(|at| at.items()).unwrap_or_default();
    let arguments: Vec<PromptArgument> = arguments.iter().filter_map(read_argument).collect();
    let told = text("text", "what the model is asked to do");
    let prompt = Prompt { name: name?, title: title?, description: description?, arguments, needs, text: told? };
    check_text(&prompt, at);
    Some(prompt)
}

/// One line of a text, however it is written.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn name(at: &Located<'_>) -> Option<String> {
    let expected = "a name in small letters, such as `triage_incident`";
    let entry = at.required("name", expected)?;
    let name = entry.text()?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        entry.wrong(expected);
    }
    Some(name.to_owned())
}

fn read_argument(at: &Located<'_>) -> Option<PromptArgument> {
    at.only(&["name", "description", "required", "values"]);
    let name = name(at);
    let description = at.required("description", "what the person fills in").and_then(|at| at.text().map(words));
    let required = at.get("required").and_then(|at| at.flag()).unwrap_or_default();
    let values = at.get("values").and_then(|at| read_values(&at));
    Some(PromptArgument { name: name?, description: description?, required, values })
}

fn read_values(at: &Located<'_>) -> Option<PromptValues> {
    at.only(&["tool", "field", "with"]);
    let text = |key: &str, expected: &str| at.required(key, expected)?.text().map(str::to_owned);
    let (tool, field) = (text("tool", "a tool that lists the values"), text("field", "the field that holds the value"));
    let pairs = at.get("with").map(|at| at.entries()).unwrap_or_default();
    let with: BTreeMap<String, String> =
        pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.text()?.to_owned()))).collect();
    Some(PromptValues { tool: tool?, field: field?, with })
}

/// Checks the text against the arguments.
fn check_text(prompt: &Prompt, at: &Located<'_>) {
    let text = at.nearest("/text");
    let length = prompt.text.chars().count();
    if length > LONGEST {
        text.report(format!("at most {LONGEST} characters"), format!("{length} characters"), None);
    }
    let names = || prompt.arguments.iter().map(|argument| argument.name.as_str());
    for name in prompt.placeholders().filter(|name| !names().any(|known| known == *name)) {
        let near = did_you_mean(name, names());
        text.report("the name of an argument in braces", format!("`{{{name}}}`"), near);
    }
    for name in names().filter(|name| !prompt.placeholders().any(|used| used == *name)) {
        text.report(format!("`{{{name}}}`, which is an argument"), "a text without it", None);
    }
}

/// Checks the tools that prompts name. `root` is vendor.toml.
pub fn check_prompts(prompts: &[Prompt], vendor: &str, tools: &[&Tool], root: &Located<'_>) {
    for (index, prompt) in prompts.iter().enumerate() {
        let at = |key: &str| root.nearest(&format!("/prompts/{index}/{key}"));
        for name in &prompt.needs {
            check_tool(name, tools, &at("needs"));
        }
        let prefix = format!("{vendor}_");
        let named = prompt.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for name in named.filter(|word| word.starts_with(&prefix)) {
            check_tool(name, tools, &at("text"));
        }
        for (number, argument) in prompt.arguments.iter().enumerate() {
            let Some(values) = &argument.values else { continue };
            let at = at(&format!("arguments/{number}/values"));
            let Some(tool) = check_tool(&values.tool, tools, &at) else { continue };
            if tool.effect != Some(Effect::Read) {
                at.report("a tool that only reads", format!("`{}`, which does not", tool.name), None);
            }
            check_with(values, prompt, tool, &at);
        }
    }
}

fn check_tool<'a>(name: &str, tools: &[&'a Tool], at: &Located<'_>) -> Option<&'a Tool> {
    let found = tools.iter().find(|tool| tool.name == *name).copied();
    if found.is_none() {
        let near = did_you_mean(name, tools.iter().map(|tool| tool.name.as_str()));
        at.report("a tool of the vendor", format!("`{name}`, which is none"), near);
    }
    found
}

/// Checks that a tool which lists values gets what it requires, from arguments that there are.
fn check_with(values: &PromptValues, prompt: &Prompt, tool: &Tool, at: &Located<'_>) {
    let schema = tool.parsed_input_schema();
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| !values.with.contains_key(*name)) {
        at.report(format!("`with.{name}`, which `{}` requires", tool.name), "no such entry", None);
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (to, from) in &values.with {
        if !properties.is_some_and(|properties| properties.contains_key(to)) {
            at.report(format!("an argument of `{}`", tool.name), format!("`{to}`"), None);
        }
        if !prompt.arguments.iter().any(|argument| argument.name == *from) {
            at.report("an argument of the prompt", format!("`{from}`"), None);
        }
    }
}

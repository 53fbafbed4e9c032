//! `[help_desk]` → [`HelpDesk`], how approvals are raised as tickets and read back.

use serde_json::Value;

use crate::read::located::{Located, did_you_mean};
use toolwright_model::{Effect, HelpDesk, Tool};

/// Reads the section as a whole: its form is the model's.
pub(super) fn read(at: &Located<'_>) -> Option<HelpDesk> {
    match serde_json::from_value::<HelpDesk>(at.value.clone()) {
        Ok(desk) => {
            check_words(&desk, at);
            Some(desk)
        }
        Err(error) => {
            at.report("how approvals are raised as tickets", error.to_string(), None);
            None
        }
    }
}

/// Checks that the templates have no word in braces that nothing replaces.
fn check_words(desk: &HelpDesk, at: &Located<'_>) {
    let mut words = Vec::new();
    let HelpDesk { raise, own, deciders, shown, decision, note, .. } = desk;
    let of_deciders = deciders.iter().map(|place| (&place.with, &[][..]));
    let calls = [
        (&raise.with, &["subject", "text"][..]),
        (&own.with, &[]),
        (&shown.with, &["ticket"]),
        (&decision.with, &["ticket"]),
        (&note.with, &["ticket", "text"]),
    ];
    for (with, own_words) in calls.into_iter().chain(of_deciders) {
        let mut found = Vec::new();
        with.iter().for_each(|(_, value)| collect(value, &mut found));
        words.extend(found.into_iter().filter(|word| !own_words.contains(&word.as_str())));
    }
    for template in [&decision.yes, &decision.no].into_iter().chain(&shown.texts) {
        collect(&Value::from(template.as_str()), &mut words);
    }
    for word in words.into_iter().filter(|word| !desk.settings.contains_key(word)) {
        let near = did_you_mean(&word, desk.settings.keys().map(String::as_str));
        at.report("words in braces that are settings of the help desk, or given there", format!("`{{{word}}}`"), near);
    }
}

/// Collects the words in braces of a template.
fn collect(template: &Value, words: &mut Vec<String>) {
    match template {
        Value::String(text) => words
            .extend(text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(word, _)| word.to_owned())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            collect(&Value::from(key.as_str()), words);
            collect(value, words);
        }),
        _ => {}
    }
}

/// Checks that the tools exist, and that those which should only read do. `root` is vendor.toml.
pub fn check_help_desk(desk: &HelpDesk, tools: &[&Tool], root: &Located<'_>) {
    let at = root.nearest("/help_desk");
    for (name, changes) in desk.tools() {
        match tools.iter().find(|tool| tool.name == name) {
            None => {
                let near = did_you_mean(name, tools.iter().map(|tool| tool.name.as_str()));
                at.report("a tool of the vendor", format!("`{name}`, which is none"), near);
            }
            Some(tool) if changes == (tool.effect == Some(Effect::Read)) => {
                let expected = if changes { "a tool that creates something" } else { "a tool that only reads" };
                at.report(expected, format!("`{name}`, which does not"), None);
            }
            Some(_) => {}
        }
    }
}

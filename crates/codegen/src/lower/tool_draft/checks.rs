//! What the overlay states of a tool → findings where the description or our own rules disagree.

use std::collections::BTreeSet;

use super::ToolDraft;
use crate::lower::concise::{self, PathStart, UnknownPath};
use crate::read::keys::ToolKeys;
use crate::read::located::did_you_mean;
use toolwright_model::{Binding, Effect, Hint, MAX_TOOL_NAME, Place, Risk, is_tool_name};

/// The longest description of a tool, in characters.
const LONGEST_DESCRIPTION: usize = 600;

impl ToolDraft<'_> {
    /// Returns what a model reads of the tool, on one line.
    pub(super) fn description(&self, keys: &ToolKeys) -> String {
        let text = keys.description.as_ref().or(self.spec.description.as_ref()).or(self.spec.summary.as_ref());
        let text = text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default();
        let length = text.chars().count();
        if keys.description.is_some() && length > LONGEST_DESCRIPTION {
            let expected = format!("at most {LONGEST_DESCRIPTION} characters");
            self.report("/description", expected, format!("{length}"), None);
        }
        if text.is_empty() {
            // Better than nothing until a person writes what a model needs.
            return format!("{} {}; not described yet.", self.spec.method, self.spec.path);
        }
        text
    }

    pub(super) fn check_name(&self, name: &str) {
        let prefix = format!("{}_", self.vendor);
        let expected = if !is_tool_name(name) {
            format!("a name of `a-z`, `0-9` and `_`, at most {MAX_TOOL_NAME} characters")
        } else if !name.starts_with(&prefix) {
            format!("a name that starts with `{prefix}`")
        } else {
            return;
        };
        self.report("/name", expected, format!("`{name}`"), None);
    }

    pub(super) fn check_risks(&self, effect: Option<Effect>, risks: &BTreeSet<Risk>) {
        for risk in [Risk::Notifies, Risk::Disruptive] {
            if effect == Some(Effect::Read) && risks.contains(&risk) {
                let hint = format!("who gets mail or is interrupted is affected: `{risk}` means `write` at least");
                self.report("/effect", "`write` or `destructive`", "`read`", Some(hint));
            }
        }
    }

    /// Checks the paths of `concise` against the answer that the description promises.
    pub(super) fn check_concise(&self, keys: &ToolKeys) {
        if !keys.concise.is_empty() && keys.effect.is_some_and(|effect| effect != Effect::Read) {
            let hint = "what changes something answers with little; there is nothing to leave out".to_owned();
            self.report("/concise", "`concise` on an operation that reads", "it on another", Some(hint));
        }
        let method = self.spec.method.to_lowercase();
        let Some(at) = self.document.operation(&self.spec.path, &method) else { return };
        let mut first = PathStart::Open;
        for (index, path) in keys.concise.iter().enumerate() {
            let key = format!("/concise/{index}");
            match concise::check(path, at.operation, self.document) {
                Ok(PathStart::Open) => {}
                Ok(start) => {
                    if first != PathStart::Open && first != start {
                        let hint = "a field beside the list of records is kept anyway".to_owned();
                        let found = format!("`{path}`, which begins elsewhere than the one before");
                        self.report(&key, "paths that all begin in the same place", found, Some(hint));
                    }
                    first = start;
                }
                Err(UnknownPath { step, known }) => {
                    let hint = Some(near_or_all(&step, || known.iter().map(String::as_str)));
                    let found = format!("`{path}`, of which the description has no `{step}`");
                    self.report(&key, "a path through the fields of the operation's answer", found, hint);
                }
            }
        }
    }

    /// Returns the hints, each with the argument's name that a model uses.
    pub(super) fn hints(&self, keys: &ToolKeys, bindings: &[Binding]) -> Vec<Hint> {
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
                        "the description's name of an argument that is offered",
                        format!("`{}`", hint.argument),
                        Some(near_or_all(&hint.argument, offered)),
                    );
                }
            }
        }
        hints
    }

    /// The description's name of what goes to a place of the request.
    fn key_of(&self, place: &Place) -> Option<&str> {
        self.inputs.iter().find(|input| input.place == *place).map(|input| input.key.as_str())
    }
}

/// Advice for a name that is none of `known`.
pub(super) fn near_or_all<'a, I: Iterator<Item = &'a str>>(name: &str, known: impl Fn() -> I) -> String {
    did_you_mean(name, known()).unwrap_or_else(|| {
        let known: Vec<String> = known().map(|name| format!("`{name}`")).collect();
        if known.is_empty() {
            "the operation takes nothing".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        }
    })
}

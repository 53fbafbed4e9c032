//! What the overlay states of a tool → findings where the description or our own rules disagree.

use std::collections::BTreeSet;

use openapiv3::Operation;

use super::ToolDraft;
use crate::lower::arguments::Argument;
use crate::lower::concise::{self, PathStart, UnknownPath};
use crate::lower::promises::AnswerField;
use crate::lower::spec_operation::SpecOperation;
use crate::read::keys::ToolKeys;
use crate::read::located::did_you_mean;
use crate::read::phrase::{MOST_PHRASES, check_phrase};
use toolwright_model::{Binding, Effect, Hint, MAX_TOOL_NAME, Place, Risk, is_tool_name};

/// The longest description of a tool, in characters.
pub(in crate::lower) const LONGEST_DESCRIPTION: usize = 600;

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

    /// Returns how people ask for the tool.
    pub(super) fn phrases(&self, keys: &ToolKeys) -> Vec<String> {
        if keys.phrases.len() > MOST_PHRASES {
            self.report("/phrases", format!("at most {MOST_PHRASES} phrases"), keys.phrases.len().to_string(), None);
        }
        for (index, phrase) in keys.phrases.iter().enumerate() {
            let key = format!("/phrases/{index}");
            check_phrase(&self.place(&key));
            if keys.phrases[..index].contains(phrase) {
                self.report(&key, "each phrase once", format!("`{phrase}` twice"), None);
            }
        }
        keys.phrases.clone()
    }

    /// Returns the arguments of which clients are sent the names only. A caller can't guess one that it has to give.
    pub(super) fn unlisted(&self, keys: &ToolKeys, arguments: &[Argument]) -> Vec<String> {
        for (index, name) in keys.unlisted.iter().enumerate() {
            let key = format!("/unlisted/{index}");
            match arguments.iter().find(|argument| argument.name == *name) {
                Some(argument) if argument.required => {
                    self.report(&key, "an argument that can be left out", format!("`{name}`, which is required"), None);
                }
                Some(_) => {}
                None => {
                    let hint = did_you_mean(name, arguments.iter().map(|argument| argument.name.as_str()));
                    self.report(&key, "the name of an argument of the tool", format!("`{name}`"), hint);
                }
            }
        }
        keys.unlisted.clone()
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

    /// Checks the paths of `concise` against the answers that the description promises, of which each
    /// must be in one at least; returns the fields of these answers. `records` is where the list of records is, if that
    /// is stated.
    pub(super) fn concise_fields(
        &self,
        keys: &ToolKeys,
        answering: &[&SpecOperation],
        records: Option<&str>,
    ) -> Vec<AnswerField> {
        if keys.concise.is_empty() {
            return Vec::new();
        }
        if keys.effect.is_some_and(|effect| effect != Effect::Read) {
            let hint = "what changes something answers with little; there is nothing to leave out".to_owned();
            self.report("/concise", "`concise` on an operation that reads", "it on another", Some(hint));
        }
        let operation = |spec: &&SpecOperation| self.document.operation(&spec.path, &spec.method.to_lowercase());
        let operations: Vec<&Operation> = answering.iter().filter_map(operation).map(|at| at.operation).collect();
        let mut starts = vec![PathStart::Open; operations.len()];
        for (index, path) in keys.concise.iter().enumerate() {
            let key = format!("/concise/{index}");
            let found = operations.iter().map(|operation| concise::check(path, operation, records, self.document));
            let found: Vec<Result<PathStart, UnknownPath>> = found.collect();
            let is_known = found.iter().any(Result::is_ok);
            for (first, found) in starts.iter_mut().zip(found) {
                match found {
                    Ok(PathStart::Open) => {}
                    Ok(start) => {
                        if *first != PathStart::Open && *first != start {
                            let hint = "a field beside the list of records is kept anyway".to_owned();
                            let found = format!("`{path}`, which begins elsewhere than the one before");
                            self.report(&key, "paths that all begin in the same place", found, Some(hint));
                        }
                        *first = start;
                    }
                    Err(_) if is_known => {}
                    Err(UnknownPath { step, known }) => {
                        let hint = Some(near_or_all(&step, || known.iter().map(String::as_str)));
                        let found = format!("`{path}`, of which the description has no `{step}`");
                        self.report(&key, "a path through the fields of the operation's answer", found, hint);
                        break;
                    }
                }
            }
        }
        let mut fields = Vec::new();
        for (operation, start) in operations.into_iter().zip(starts) {
            concise::add_fields(operation, start, &keys.concise, (records, self.document), &mut fields);
        }
        fields
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

    /// Returns the arguments of which one has to be given, by the names that a model uses.
    pub(super) fn needs_one_of(&self, keys: &ToolKeys, bindings: &[Binding]) -> Vec<String> {
        let mut names = Vec::new();
        for (index, key) in keys.needs_one_of.iter().enumerate() {
            match bindings.iter().find(|binding| self.key_of(&binding.place) == Some(key.as_str())) {
                Some(binding) => names.push(binding.argument.clone()),
                None => {
                    let offered = || bindings.iter().filter_map(|binding| self.key_of(&binding.place));
                    let hint = Some(near_or_all(key, offered));
                    let expected = "the description's name of an argument that is offered";
                    self.report(&format!("/needs_one_of/{index}"), expected, format!("`{key}`"), hint);
                }
            }
        }
        names
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

//! The tools that a page shows → the flags, the profile, the link and the install command that select exactly these.

use std::collections::BTreeSet;

use serde_json::json;

use super::query::{CatalogQuery, flags};
use crate::catalog::{Catalog, CatalogEntry};
use crate::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::{ALL_TAGS, CORE_TAG, Effect, HELD_BACK_TAGS};

/// What makes a selection, to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SelectionTexts {
    /// The command that serves it.
    pub(super) serve: String,
    /// The same, word for word, behind the program's name.
    pub(super) arguments: Vec<String>,
    /// The profile for toolwright.toml.
    pub(super) profile: String,
    /// The command that creates a link of it.
    pub(super) link: String,
    /// The command that installs it into a client.
    pub(super) install: String,
}

impl SelectionTexts {
    /// The texts for what a query found; `None` where it found nothing.
    pub(super) fn of(query: &CatalogQuery, found: &[&CatalogEntry], catalog: &Catalog) -> Option<Self> {
        if found.is_empty() {
            return None;
        }
        let words = served_words(query, found);
        let words = if selects(&words, found, catalog) { words } else { by_name(found) };
        let mut arguments = vec!["serve".to_owned()];
        for (flag, words) in flags(&words) {
            if !words.is_empty() {
                arguments.extend([format!("--{flag}"), words.join(",")]);
            }
        }
        let flags_alone = typed(&arguments[1..]);
        Some(Self {
            serve: format!("toolwright {}", typed(&arguments)),
            profile: profile(&words),
            link: link(&words, found),
            install: if flags_alone.is_empty() {
                "toolwright install claude-code".to_owned()
            } else {
                format!("toolwright install claude-code -- {flags_alone}")
            },
            arguments,
        })
    }
}

/// The words by which `serve` would offer what was found, if the query's own words can say it.
fn served_words(query: &CatalogQuery, found: &[&CatalogEntry]) -> SelectionWords {
    if !query.question.is_empty() {
        return by_name(found);
    }
    if query.served {
        return query.words.clone();
    }
    let all = |words: &[String], all: &str| if words.is_empty() { vec![all.to_owned()] } else { words.to_vec() };
    let mut allow = query.words.allow.clone();
    allow.extend(gated_risks(found).into_iter().filter(|risk| !query.words.allow.contains(risk)));
    SelectionWords {
        methods: all(&query.words.methods, "all"),
        tags: all(&query.words.tags, ALL_TAGS),
        allow,
        ..query.words.clone()
    }
}

/// The words that name each tool.
fn by_name(found: &[&CatalogEntry]) -> SelectionWords {
    let effects: BTreeSet<Option<Effect>> = found.iter().map(|entry| entry.head().effect).collect();
    let methods = if effects.contains(&None) {
        vec!["all".to_owned()]
    } else if effects.iter().all(|effect| *effect == Some(Effect::Read)) {
        Vec::new()
    } else {
        effects.iter().flatten().map(|effect| effect.as_str().to_owned()).collect()
    };
    let is_held_back = |entry: &&CatalogEntry| HELD_BACK_TAGS.iter().any(|tag| entry.head().has_tag(tag));
    let tags = if found.iter().any(is_held_back) { vec![ALL_TAGS.to_owned()] } else { Vec::new() };
    SelectionWords {
        methods,
        tags,
        tools: found.iter().map(|entry| entry.head().name.clone()).collect(),
        allow: gated_risks(found),
        ..SelectionWords::default()
    }
}

/// The risks of these tools that are refused unless they are allowed.
fn gated_risks(found: &[&CatalogEntry]) -> Vec<String> {
    let risks = found.iter().flat_map(|entry| &entry.head().risks).filter(|risk| risk.is_gated());
    let risks: BTreeSet<&str> = risks.map(|risk| risk.as_str()).collect();
    risks.into_iter().map(str::to_owned).collect()
}

/// Whether `serve` with these words offers exactly these tools.
fn selects(words: &SelectionWords, found: &[&CatalogEntry], catalog: &Catalog) -> bool {
    let Ok(selection) = Selection::resolve(words, Defaults::CoreReads, catalog) else { return false };
    let names: BTreeSet<&str> = found.iter().map(|entry| entry.head().name.as_str()).collect();
    catalog.entries().iter().all(|entry| selection.decide(entry).is_ok() == names.contains(entry.head().name.as_str()))
}

fn profile(words: &SelectionWords) -> String {
    let lists = flags(words).into_iter().filter(|(_, words)| !words.is_empty());
    // A list of texts is written alike in TOML and JSON.
    let lines = lists.map(|(key, words)| format!("{key} = {}\n", json!(words)));
    format!("[profiles.selection]\n{}", lines.collect::<String>())
}

/// A link has no vendors but accounts, and no defaults of its own: those of `serve` are written out.
fn link(words: &SelectionWords, found: &[&CatalogEntry]) -> String {
    let accounts: BTreeSet<&str> = found.iter().flat_map(|entry| entry.vendors()).collect();
    let accounts = accounts.into_iter().collect::<Vec<_>>().join(",");
    let or = |words: &[String], default: &str| {
        if words.is_empty() { vec![default.to_owned()] } else { words.to_vec() }
    };
    let tags =
        if words.tags.is_empty() && words.tools.is_empty() { vec![CORE_TAG.to_owned()] } else { words.tags.clone() };
    let narrowing = SelectionWords {
        vendors: Vec::new(),
        methods: or(&words.methods, Effect::Read.as_str()),
        tags,
        ..words.clone()
    };
    let mut command: Vec<String> =
        ["toolwright", "link", "create", "--name", "NAME", "--account"].map(str::to_owned).to_vec();
    command.push(accounts);
    for (flag, words) in flags(&narrowing) {
        if !words.is_empty() {
            command.extend([format!("--{flag}"), words.join(",")]);
        }
    }
    typed(&command)
}

/// Words as they are typed into a shell.
fn typed(words: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ',' | '/' | ':' | '=');
    let quoted = |word: &String| {
        if !word.is_empty() && word.chars().all(is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is shown, the flags select that, and nothing else.
    #[test]
    fn the_flags_select_what_is_shown() {
        let catalog = Catalog::compiled();
        if catalog.entries().is_empty() {
            return;
        }
        for query in
            ["", "served=on", "methods=read", "tags=core", "served=on&methods=read,write", "methods=destructive"]
        {
            let query = CatalogQuery::read(Some(query));
            let selection = query.resolve(&catalog).unwrap();
            let found: Vec<&CatalogEntry> =
                catalog.entries().iter().filter(|entry| selection.decide(entry).is_ok()).collect();
            let texts = SelectionTexts::of(&query, &found, &catalog).unwrap();
            let mut words = SelectionWords::default();
            for pair in texts.arguments[1..].chunks(2) {
                let list = pair[1].split(',').map(str::to_owned).collect();
                match pair[0].as_str() {
                    "--vendor" => words.vendors = list,
                    "--methods" => words.methods = list,
                    "--tags" => words.tags = list,
                    "--tools" => words.tools = list,
                    "--exclude" => words.exclude = list,
                    "--allow" => words.allow = list,
                    other => panic!("{other}"),
                }
            }
            assert!(selects(&words, &found, &catalog), "{query:?}: {}", texts.serve);
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them() {
        let words = ["serve", "--tools", "jitbit_*", "it's"].map(str::to_owned);
        assert_eq!(typed(&words), r"serve --tools 'jitbit_*' 'it'\''s'");
    }

    #[test]
    fn nothing_has_no_flags() {
        assert_eq!(SelectionTexts::of(&CatalogQuery::default(), &[], &Catalog::compiled()), None);
    }
}

//! What the texts of a vendor's tools say that an answer has ⇄ what its concise form keeps: a field
//! that a text names and that the concise form drops would be looked for in vain.
//!
//! The description of a tool names a field of its own answer by any word that is the name of a field at
//! the top of a record, capitals ignored, or by an identifier such as `osFamily` at any depth. Every text
//! of another tool names one by an identifier in a clause that names the tool too: "IssueID in
//! `jitbit_list_tickets`". A clause that speaks of `detail` and `full` promises nothing of the concise
//! form.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::read::finding::{Finding, Findings};
use crate::read::source::SourcePlace;
use toolwright_model::{DETAIL, FULL, Tool};

/// The fields of the answer to a tool that has a concise form.
#[derive(Debug)]
pub struct ConciseAnswer {
    pub tool: String,
    /// Where the concise form is stated.
    pub place: SourcePlace,
    pub fields: Vec<AnswerField>,
}

/// All fields of one name in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerField {
    pub name: String,
    /// Whether one is at the top of a record.
    pub is_top: bool,
    /// Whether the concise form keeps one, or a part of it.
    pub is_kept: bool,
}

impl ConciseAnswer {
    /// Returns the name of the field that the word of the tool's own description means, if the concise
    /// form has none of this name.
    fn lost(&self, word: &str) -> Option<&str> {
        let same = |field: &&AnswerField| field.name.eq_ignore_ascii_case(word);
        // `SUSPENDED` is a value.
        let is_value = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let is_meant = |field: &&AnswerField| {
            field.name == word && (field.is_top || is_identifier(word)) || field.is_top && !is_value && same(field)
        };
        let field = self.fields.iter().find(is_meant)?;
        let kept = self.fields.iter().filter(same).any(|field| field.is_kept);
        (!kept).then_some(field.name.as_str())
    }

    /// Returns whether the concise form keeps a field of this name.
    fn keeps(&self, word: &str) -> bool {
        self.fields.iter().any(|field| field.is_kept && field.name == word)
    }

    /// Returns the field that an identifier in another tool's text means.
    fn field(&self, word: &str) -> Option<&AnswerField> {
        self.fields.iter().find(|field| field.name == word).filter(|_| is_identifier(word))
    }
}

/// Reports every field that a text names and a concise form drops.
pub fn check(tools: &[&Tool], answers: &[&ConciseAnswer], findings: &Findings) {
    let answers: BTreeMap<&str, &ConciseAnswer> =
        answers.iter().map(|answer| (answer.tool.as_str(), *answer)).collect();
    let names: BTreeSet<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let mut reported = BTreeSet::new();
    let mut report = |answer: &ConciseAnswer, field: &str, by: &str| {
        if reported.insert((answer.tool.clone(), field.to_owned())) {
            let by = if by == answer.tool {
                "its description names".to_owned()
            } else {
                format!("the texts of `{by}` name")
            };
            let hint = format!("add a path to it, or name it together with `{DETAIL}: {FULL}`");
            let found = format!("none, and {by} it");
            let finding = Finding::at(&answer.place, format!("a path to `{field}` of `{}`", answer.tool), found);
            findings.push(finding.with_hint(Some(hint)));
        }
    };
    for tool in tools {
        let own = answers.get(tool.name.as_str());
        let schema = tool.parsed_input_schema();
        let (arguments, of_arguments) = arguments(&schema);
        let texts = of_arguments.into_iter().map(|text| (text, false)).chain([(tool.description.as_str(), true)]);
        for (clause, is_description) in
            texts.flat_map(|(text, is_own)| clauses(text).map(move |clause| (clause, is_own)))
        {
            let others = words(clause).filter(|word| names.contains(word) && *word != tool.name);
            let others: Vec<&&ConciseAnswer> = others.filter_map(|name| answers.get(name)).collect();
            // An argument's name means the argument, and what a tool's own answer has is not another's.
            let is_own =
                |word: &str| arguments.contains(&word) || is_description && own.is_some_and(|own| own.keeps(word));
            for word in words(clause).filter(|word| !is_own(word)) {
                let mut elsewhere = others.iter().filter_map(|answer| Some((answer, answer.field(word)?))).peekable();
                match (elsewhere.peek(), own) {
                    (Some(_), _) => {
                        for (answer, field) in elsewhere.filter(|(_, field)| !field.is_kept) {
                            report(answer, &field.name, &tool.name);
                        }
                    }
                    (None, Some(own)) if is_description => {
                        if let Some(field) = own.lost(word) {
                            report(own, field, &tool.name);
                        }
                    }
                    (None, _) => {}
                }
            }
        }
    }
}

/// The names of a tool's arguments, and their descriptions.
fn arguments(schema: &Map<String, Value>) -> (Vec<&str>, Vec<&str>) {
    let arguments = || schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let texts = arguments().filter_map(|(_, argument)| argument.get("description")?.as_str());
    (arguments().map(|(name, _)| name.as_str()).collect(), texts.collect())
}

/// The clauses of a text that speak of the concise form.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(". ").flat_map(|sentence| sentence.split("; "));
    parts.filter(|clause| !(words(clause).any(|word| word == DETAIL) && words(clause).any(|word| word == FULL)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Whether a word can only be a name of a program's making: `osFamily`, `user_id`, `IssueID`.
fn is_identifier(word: &str) -> bool {
    let mut pairs = word.chars().zip(word.chars().skip(1));
    word.contains('_') || pairs.any(|(one, two)| one.is_lowercase() && two.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_no_ordinary_words() {
        for (word, expected) in
            [("osFamily", true), ("_id", true), ("IssueID", true), ("Phone", false), ("paths", false), ("ID", false)]
        {
            assert_eq!(is_identifier(word), expected, "{word}");
        }
    }

    #[test]
    fn clauses_about_the_full_form_promise_nothing() {
        let text = "Returns a, b; with detail full c. The rest: `detail: full`. Last";
        assert_eq!(clauses(text).collect::<Vec<_>>(), ["Returns a, b", "Last"]);
    }
}

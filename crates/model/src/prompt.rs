//! `[[prompts]]` of vendor.toml → a prompt: how a common job is done with the vendor's tools, for a person to choose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A job of several calls, offered where all of its tools are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Its name after the vendor's: `triage_incident` is offered as `acme_triage_incident`.
    pub name: String,
    /// A few words for a person.
    pub title: String,
    /// What it does, in a sentence.
    pub description: String,
    /// What the person fills in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<PromptArgument>,
    /// The tools that have to be offered.
    pub needs: Vec<String>,
    /// What the model is asked to do. `{issue}` is the argument of that name; a sentence with one that is left out is left
    /// out, too.
    pub text: String,
}

/// What a person fills in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PromptArgument {
    /// Its name in the text.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Whether it may not be left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Where its values come from, for clients that complete what a person types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<PromptValues>,
}

/// A tool that lists the values of an argument.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PromptValues {
    /// The tool, which only reads.
    pub tool: String,
    /// The field of its records that holds the value.
    pub field: String,
    /// Its arguments that other arguments of the prompt give: tool's argument → prompt's argument.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, String>,
}

impl Prompt {
    /// Returns the name under which it is offered.
    pub fn full_name(&self, vendor: &str) -> String {
        format!("{vendor}_{}", self.name)
    }

    /// Returns the text with these values in place of the arguments; `None` where a required one is missing.
    pub fn filled(&self, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        if self.arguments.iter().any(|argument| argument.required && value(&argument.name).is_none()) {
            return None;
        }
        let sentences = self.text.split_inclusive(". ").filter_map(|sentence| fill(sentence, value));
        Some(sentences.collect::<String>().trim_end().to_owned())
    }

    /// Returns the names in braces.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0))
    }
}

/// A sentence with the values in it. What a value holds is not looked at again.
fn fill(sentence: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = sentence;
    while let Some((before, name, after)) = rest
        .split_once('{')
        .and_then(|(before, after)| after.split_once('}').map(|(name, after)| (before, name, after)))
    {
        filled.push_str(before);
        filled.push_str(&value(name)?);
        rest = after;
    }
    Some(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_goes_with_the_argument_that_is_left_out() {
        let argument = |name: &str, required| PromptArgument { name: name.to_owned(), required, ..Default::default() };
        let prompt = Prompt {
            text: "Read {issue} first. Look at {other}, too. Sum up {issue}.".to_owned(),
            arguments: vec![argument("issue", true), argument("other", false)],
            ..Prompt::default()
        };
        let only = |name: &str| (name == "issue").then(|| "A-1 {other}. ".to_owned());
        assert_eq!(prompt.filled(&only).unwrap(), "Read A-1 {other}.  first. Sum up A-1 {other}. .");
        assert_eq!(prompt.filled(&|_| None), None);
        assert_eq!(prompt.placeholders().collect::<Vec<_>>(), ["issue", "other", "issue"]);
    }
}

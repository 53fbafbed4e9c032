//! The rules of vendor.toml → the phrases of the tools of regular families, after those that the overlay states.

use std::collections::BTreeSet;

use crate::read::located::Located;
use toolwright_model::{PhraseRule, Tool};

/// Gives each tool the phrases of the first rule that is about it.
pub(super) fn apply<'a>(rules: &[PhraseRule], tools: impl Iterator<Item = &'a mut Tool>) {
    for tool in tools {
        let Some((index, part)) = first(rules, tool) else { continue };
        for phrase in &rules[index].phrases {
            let phrase = phrase.replace("{}", &part);
            if !tool.phrases.contains(&phrase) {
                tool.phrases.push(phrase);
            }
        }
    }
}

/// Reports each rule that is about no tool. `root` is vendor.toml.
pub(super) fn check_used(rules: &[PhraseRule], tools: &[&Tool], root: &Located<'_>) {
    let used: BTreeSet<usize> = tools.iter().filter_map(|tool| Some(first(rules, tool)?.0)).collect();
    for (index, rule) in rules.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
        let hint = "the first rule that fits is taken; one before it may be about the same tools".to_owned();
        let found = format!("`{}`, which is that of none", rule.tools);
        root.nearest(&format!("/phrases/{index}/tools")).report("the form of the name of a tool", found, Some(hint));
    }
}

/// The first rule that is about a tool, and the words in place of its `*`.
fn first(rules: &[PhraseRule], tool: &Tool) -> Option<(usize, String)> {
    let has_tag = |rule: &PhraseRule| rule.tag.as_ref().is_none_or(|tag| tool.tags.contains(tag));
    rules.iter().enumerate().find_map(|(index, rule)| Some((index, rule.part(&tool.name).filter(|_| has_tag(rule))?)))
}

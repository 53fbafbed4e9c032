//! `[[phrases]]` of vendor.toml → the rules by which the tools of a regular family have phrases. Called by `vendor_file`.

use crate::read::located::Located;
use crate::read::phrase::check_phrase;
use toolwright_model::PhraseRule;

/// Reads the rules; reports what is wrong with them.
pub(super) fn read_rules(at: &Located<'_>) -> Vec<PhraseRule> {
    at.items().iter().filter_map(read_rule).collect()
}

fn read_rule(at: &Located<'_>) -> Option<PhraseRule> {
    at.only(&["tools", "tag", "phrases"]);
    let tools = at.required("tools", "the form of the tools' names, such as `acme_list_*_users`");
    let phrases = at.required("phrases", "how people ask for them");
    let tools = tools?;
    let form = tools.text()?;
    if form.matches('*').count() != 1 {
        tools.wrong("a form of names with one `*`, such as `acme_list_*_users`");
    }
    let phrases = phrases?;
    if phrases.value.as_array().is_some_and(Vec::is_empty) {
        phrases.wrong("at least one phrase");
    }
    phrases.items().iter().for_each(check_phrase);
    Some(PhraseRule {
        tools: form.to_owned(),
        tag: at.get("tag").and_then(|tag| tag.text().map(str::to_owned)),
        phrases: phrases.texts(),
    })
}

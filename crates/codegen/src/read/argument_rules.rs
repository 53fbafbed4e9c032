//! `[[arguments]]` of vendor.toml → the rules by which arguments have a format. Called by `vendor_file`.

use crate::read::keys::read_pattern;
use crate::read::located::Located;
use toolwright_formats::{FORMATS, FormatRef, LookupUse, PATTERN};
use toolwright_model::{ArgumentRule, Letters};

const KEYS: [&str; 9] = ["names", "declared", "aliases", "resolve", "format", "pattern", "words", "letters", "samples"];

/// Reads the rules; reports what is wrong with them.
pub(super) fn read_rules(at: &Located<'_>) -> Vec<ArgumentRule> {
    at.items().iter().map(read_rule).collect()
}

fn read_rule(at: &Located<'_>) -> ArgumentRule {
    at.only(&KEYS);
    let text = |key| at.get(key).and_then(|entry| entry.text().map(str::to_owned));
    let format = at.get("format").and_then(|entry| entry.word(&by_rule()));
    let rule = ArgumentRule {
        names: at.get("names").map(|names| names.texts()).unwrap_or_default(),
        declared: text("declared"),
        format: format.map(|format| format.name().to_owned()),
        pattern: at.get("pattern").and_then(|entry| read_pattern(&entry)),
        words: text("words"),
        letters: at.get("letters").and_then(|entry| entry.word(Letters::ALL)),
        resolve: text("resolve"),
        aliases: at.get("aliases").map(|entry| entry.texts()).unwrap_or_default(),
        samples: at
            .get("samples")
            .map(|samples| samples.items().iter().map(|item| item.value.clone()).collect())
            .unwrap_or_default(),
    };
    let states = |key: &str| at.get(key).is_some();
    if states("names") == states("declared") {
        at.report("`names` of arguments, or the `declared` format", both_or_neither(states("names")), None);
    }
    let count = ["format", "pattern", "resolve"].into_iter().filter(|key| states(key)).count();
    if count > 1 || count == 0 && !states("aliases") {
        let found = if count == 0 { "none" } else { "several" };
        at.report("a `format`, a `pattern` with `words`, `resolve`, or `aliases`", found, None);
    }
    if states("aliases") && !states("names") {
        at.report("`aliases` beside the `names` of arguments", "them alone", None);
    }
    if states("resolve") && states("samples") {
        at.report("`samples` beside `resolve` to be those of the kind", "others", None);
    }
    if states("pattern") != states("words") || states("letters") && !states("pattern") {
        at.report("`pattern` and `words`, of which `letters` is a part", "one without the other", None);
    }
    if states("pattern") && rule.samples.is_empty() {
        at.report("`samples` beside a `pattern`: valid values for tests", "none", None);
    }
    rule
}

fn both_or_neither(both: bool) -> &'static str {
    if both { "both" } else { "neither" }
}

/// The formats that need nothing but the value, so that one line can state them for many arguments.
fn by_rule() -> Vec<FormatRef> {
    let plain =
        |format: &FormatRef| format.of_items() && format.lookup_use() == LookupUse::Never && format.name() != PATTERN;
    FORMATS.iter().copied().filter(plain).collect()
}

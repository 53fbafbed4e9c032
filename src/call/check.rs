//! A call whose outcome is not known → how to find out: the tool that reads what it would have
//! changed.

use super::Toolbox;
use crate::catalog::Entry;
use toolwright_model::{Effect, Verb};

/// What to do after a call that may or may not have arrived.
pub(super) fn advice(toolbox: &Toolbox, entry: &Entry) -> String {
    if entry.tool.effect == Some(Effect::Read) {
        return "nothing was changed; the call can be made again".to_owned();
    }
    match reading_tool(toolbox, entry) {
        Some(name) => format!("it may have been done: look with `{name}` before calling again"),
        None => "it may have been done: look at the vendor before calling again".to_owned(),
    }
}

/// The offered tool that reads most of what this one is about, by their names.
fn reading_tool<'a>(toolbox: &'a Toolbox, entry: &Entry) -> Option<&'a str> {
    let about = words(entry);
    let mut best: Option<((usize, usize, usize), &str)> = None;
    for other in toolbox.offered() {
        if other.vendor != entry.vendor || other.tool.effect != Some(Effect::Read) {
            continue;
        }
        let theirs = words(other);
        let shared = about.iter().filter(|word| theirs.contains(word)).count();
        if shared == 0 {
            continue;
        }
        let kind = match other.tool.verb {
            // A new record has no id yet by which to get it.
            Verb::Get if entry.tool.verb != Verb::Create => 2,
            Verb::List | Verb::Search => 1,
            _ => 0,
        };
        let rank = (shared, kind, usize::MAX - theirs.len());
        if best.is_none_or(|(known, _)| rank > known) {
            best = Some((rank, &other.tool.name));
        }
    }
    best.map(|(_, name)| name)
}

/// The words of a tool's resource, in the singular.
fn words(entry: &Entry) -> Vec<String> {
    // Vendor and verb come first.
    let words = entry.tool.name.split('_').skip(2);
    words
        .map(|word| match word.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => word.strip_suffix('s').unwrap_or(word).to_owned(),
        })
        .collect()
}

//! A text of ours that names tools → the same without those that the caller is not offered: a model would call them,
//! and be refused. Clauses end at `. ` or `; `, which is how the texts under specs/ are written.

use std::borrow::Cow;

use toolwright_model::words_like_names as words;

/// Returns the text without the names that are held back: a name among others is left out of the enumeration, a part
/// between commas or in parentheses is left out as a whole, and what is left of a clause goes with its name.
pub(super) fn without<'a>(text: &'a str, is_held_back: &dyn Fn(&str) -> bool) -> Cow<'a, str> {
    if !words(text).any(is_held_back) {
        return Cow::Borrowed(text);
    }
    let mut kept: Vec<Clause> = Vec::new();
    // Whether the clause before ended its sentence, and whether that clause was left out.
    let (mut begins, mut gap) = (true, false);
    for Clause { text: whole, end } in clauses(text) {
        match reduced(&whole, is_held_back) {
            Some(text) => {
                let text = if begins && (gap || text != whole) { capitalized(text) } else { text };
                kept.push(Clause { text, end });
                gap = false;
                begins = end != Some(';');
            }
            None => {
                if let (Some(before), Some('.') | None) = (kept.last_mut(), end)
                    && before.end == Some(';')
                {
                    before.end = end;
                }
                gap = true;
                // A sentence whose beginning is left out begins with its next clause.
                begins = begins || end != Some(';');
            }
        }
    }
    let written: Vec<String> = kept.iter().map(Clause::written).collect();
    Cow::Owned(written.join(" "))
}

/// A part of a text that ends at a full stop or a semicolon.
struct Clause {
    text: String,
    end: Option<char>,
}

impl Clause {
    fn written(&self) -> String {
        self.text.chars().chain(self.end).collect()
    }
}

fn clauses(text: &str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest
            .char_indices()
            .find(|(at, c)| matches!(c, '.' | ';') && rest[at + 1..].chars().next().is_none_or(char::is_whitespace));
        let (clause, after) = match end {
            Some((at, end)) => (Clause { text: rest[..at].to_owned(), end: Some(end) }, &rest[at + 1..]),
            None => (Clause { text: rest.to_owned(), end: None }, ""),
        };
        clauses.push(clause);
        rest = after.trim_start();
    }
    clauses
}

/// What is left of a clause without the names; `None` where it was about them.
fn reduced(clause: &str, is_held_back: &dyn Fn(&str) -> bool) -> Option<String> {
    let names_any = |text: &str| words(text).any(is_held_back);
    let clause = without_parentheses(clause, &names_any);
    let clause = without_enumerated(&clause, is_held_back);
    if !names_any(&clause) {
        return Some(clause);
    }
    let parts: Vec<&str> = clause.split(", ").collect();
    let kept: Vec<&str> = parts.iter().copied().filter(|part| !names_any(part)).collect();
    // What follows its beginning alone makes sense only where it names a tool of its own.
    let makes_sense = parts.first() == kept.first() || kept.iter().any(|part| words(part).next().is_some());
    (!kept.is_empty() && makes_sense).then(|| kept.join(", "))
}

/// Leaves out parentheses that name one of the names.
fn without_parentheses(clause: &str, names_any: &dyn Fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut rest = clause;
    while let Some((before, after)) = rest.split_once('(') {
        let Some((inside, behind)) = after.split_once(')') else { break };
        out.push_str(before);
        if names_any(inside) {
            out.truncate(out.trim_end().len());
        } else {
            out.extend(["(", inside, ")"]);
        }
        rest = behind;
    }
    out + rest
}

/// Leaves names out of enumerations such as `a_b, c_d or e_f` that have others, too.
fn without_enumerated(clause: &str, is_held_back: &dyn Fn(&str) -> bool) -> String {
    const JOINTS: [&str; 6] = [", or ", ", and ", ", ", " or ", " and ", "/"];
    let mut out = String::new();
    let mut rest = clause;
    while let Some((before, first, mut after)) = next_name(rest) {
        out.push_str(before);
        let mut names = vec![first];
        let mut last_joint = "";
        while let Some((joint, name, behind)) = JOINTS.iter().find_map(|joint| {
            let (between, name, behind) = next_name(after.strip_prefix(joint)?)?;
            between.is_empty().then_some((*joint, name, behind))
        }) {
            names.push(name);
            last_joint = joint;
            after = behind;
        }
        let offered: Vec<&str> = names.iter().copied().filter(|name| !is_held_back(name)).collect();
        let names = if offered.is_empty() { names } else { offered };
        match names.split_last() {
            Some((last, [])) => out.push_str(last),
            Some((last, others)) => out.extend([&others.join(", "), last_joint, last]),
            None => {}
        }
        rest = after;
    }
    out + rest
}

/// The text before the next word with an underscore, the word, and the text behind it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let name = words(text).next()?;
    let (before, after) = text.split_once(name)?;
    Some((before, name, after))
}

/// The text with a capital letter where it begins with a plain word.
fn capitalized(text: String) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    let plain = word.trim_end_matches([',', ':']);
    if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_lowercase()) {
        return text;
    }
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_names_no_tool_that_is_held_back() {
        let is_held_back = |name: &str| name.starts_with("x_");
        for (given, expected) in [
            ("Get one thing, from acme_list_things.", "Get one thing, from acme_list_things."),
            ("Only this group, from x_list_groups.", "Only this group."),
            ("From x_list_groups.", ""),
            (
                "User id, from x_find or acme_find_users; yourself when left out.",
                "User id, from acme_find_users; yourself when left out.",
            ),
            ("Use x_a, acme_b, acme_c and acme_d.", "Use acme_b, acme_c and acme_d."),
            ("Use acme_b, acme_c or x_a.", "Use acme_b or acme_c."),
            ("Needed before x_create and for filters; leave out the rest.", "Leave out the rest."),
            ("Lists them; names are in x_list. Newest first.", "Lists them. Newest first."),
            ("Lists them; see x_list", "Lists them"),
            ("The status (see x_list_statuses) of it.", "The status of it."),
            ("For the one above use x_parent, for related ones acme_related.", "For related ones acme_related."),
            ("After x_create, the ticket is open. Plain.", "Plain."),
            ("Files: x_attach. e.g. `ITS-412` stays.", "e.g. `ITS-412` stays."),
            ("x_a", ""),
            ("", ""),
        ] {
            assert_eq!(without(given, &is_held_back), expected, "{given}");
        }
    }
}

//! Macros of wiki markup that stand around a text, such as `{code}` → blocks of Markdown.

use std::ops::Range;

use super::{Signs, Source};
use crate::adf::bare_links::is_escaped;
use crate::adf::write_inline::{InlineLayout, code, escape};

/// The longest parameters of a macro.
const MAX_PARAMETERS: usize = 200;

/// A macro and what it stands around.
struct Macro<'a> {
    name: &'static str,
    /// What is after the colon, such as `java` or `title=Foo`.
    parameters: &'a str,
    content: &'a str,
    /// From the beginning of the first sign to the end of the second.
    range: Range<usize>,
}

impl Macro<'_> {
    /// Returns the parameter without a name, or the one of this name.
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.split('|').map(str::trim).filter(|text| !text.is_empty());
        all.find_map(|one| match one.split_once('=') {
            Some((key, value)) => (key == name).then_some(value),
            None => name.is_empty().then_some(one),
        })
    }
}

/// `{code}` and `{noformat}`.
pub(super) fn code_macros(text: &str, signs: &mut Signs) -> String {
    replaced(text, &["code", "noformat"], |found, before, after| {
        signs.add(if found.name == "code" { "{code}" } else { "{noformat}" });
        let is_alone = before.trim().is_empty() && after.trim().is_empty();
        if !is_alone && !found.content.contains('\n') {
            return code(found.content, InlineLayout::Lines);
        }
        let indent = &before[..before.len() - before.trim_start().len()];
        let longest = found.content.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let language = found.parameter("").or(found.parameter("language")).unwrap_or_default();
        let language: String = language.chars().filter(|c| !c.is_whitespace() && *c != '`').collect();
        let content = found.content.strip_prefix("\r\n").or(found.content.strip_prefix('\n')).unwrap_or(found.content);
        let content = content.trim_end_matches([' ', '\t']);
        let content = content.strip_suffix('\n').unwrap_or(content);
        let title = found.parameter("title").map(|title| format!("**{}**\n\n", plain(title)));
        let block = format!("{}{fence}{language}\n{content}\n{fence}", title.unwrap_or_default());
        block_of(&block, indent, before, after)
    })
}

/// `{quote}`, `{panel}` and `{color}`, whose content is text.
pub(super) fn text_macros(text: &str, signs: &mut Signs) -> String {
    let text = replaced(text, &["color"], |found, _, _| {
        signs.add("{color}");
        found.content.to_owned()
    });
    replaced(&text, &["quote", "panel"], |found, before, after| {
        signs.add(if found.name == "quote" { "{quote}" } else { "{panel}" });
        let title = found.parameter("title").map(|title| format!("**{}**\n\n", plain(title))).unwrap_or_default();
        let content = format!("{title}{}", found.content.trim());
        let lines: Vec<String> = content.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
        let indent = &before[..before.len() - before.trim_start().len()];
        block_of(&lines.join("\n"), indent, before, after)
    })
}

fn plain(text: &str) -> String {
    escape(text.trim(), false, InlineLayout::OneLine)
}

/// Returns a block with empty lines where text is beside it on its line, or above and below it.
fn block_of(block: &str, indent: &str, before: &str, after: &str) -> String {
    let start = if before.trim().is_empty() { "\n".to_owned() + indent } else { "\n\n".to_owned() };
    let end = if after.trim().is_empty() { "\n" } else { "\n\n" };
    let lines: Vec<&str> = block.split('\n').collect();
    format!("{start}{}{end}", lines.join(&format!("\n{indent}")))
}

/// Replaces each macro of these names; `replace` gets it with the rest of its first line before it
/// and of its last line after it.
fn replaced(text: &str, names: &[&'static str], mut replace: impl FnMut(&Macro<'_>, &str, &str) -> String) -> String {
    let source = Source::new(text);
    // Beyond its last sign no macro is closed, so that is not searched again and again.
    let last = |name: &&'static str| Some((*name, text.rfind(&format!("{{{name}}}"))?));
    let names: Vec<(&'static str, usize)> = names.iter().filter_map(last).collect();
    let mut out = String::with_capacity(text.len());
    let mut rest = 0;
    let mut from = 0;
    while let Some(start) = source.find("{", from) {
        from = start + 1;
        let mut open = names.iter().filter(|(_, last)| *last > start);
        let Some(found) = open.find_map(|(name, _)| macro_at(text, start, name)) else { continue };
        let before = text[..start].rsplit('\n').next().unwrap_or_default();
        let after = text[found.range.end..].split('\n').next().unwrap_or_default();
        out.push_str(&text[rest..start]);
        out.push_str(&replace(&found, before, after));
        from = found.range.end;
        rest = from;
    }
    out.push_str(&text[rest..]);
    out
}

/// Returns the macro of this name that begins at a place, if it is closed.
fn macro_at<'a>(text: &'a str, start: usize, name: &'static str) -> Option<Macro<'a>> {
    let after = text[start + 1..].strip_prefix(name)?;
    let (parameters, opened) = match after.strip_prefix(':') {
        Some(rest) => {
            let end =
                rest.find(['}', '\n', '{']).filter(|end| *end <= MAX_PARAMETERS && rest[*end..].starts_with('}'))?;
            (&rest[..end], &rest[end + 1..])
        }
        None => ("", after.strip_prefix('}')?),
    };
    let closing = format!("{{{name}}}");
    let from = text.len() - opened.len();
    let mut ends = opened.match_indices(&closing).map(|(at, _)| at);
    let end = ends.find(|end| !is_escaped(text, from + end))?;
    let content = &opened[..end];
    let is_empty = content.trim().is_empty();
    (!is_empty).then(|| Macro { name, parameters, content, range: start..from + end + closing.len() })
}

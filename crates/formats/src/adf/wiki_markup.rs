//! A text with Jira's wiki markup in it → the same as Markdown, and the signs that were understood.
//! Models mix the two. What means something in Markdown too is left to Markdown, unless other signs
//! show that the text is wiki markup; what is escaped, or in Markdown's code, stays as it is.

mod blocks;
mod lines;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use super::bare_links::is_escaped;
use super::parse_markdown::code_ranges;
use super::write_inline::{InlineLayout, code};

/// The macros that are understood.
const MACROS: [&str; 5] = ["code", "noformat", "quote", "panel", "color"];
/// What a text must contain to have any of the signs.
const HINTS: [&str; 5] = ["{code", "{noformat", "{quote", "{panel", "{color"];

/// The most characters that two signs within a line stand around.
const MAX_ENCLOSED: usize = 300;

/// The signs that were understood, for the note about them.
#[derive(Default)]
struct Signs(Vec<&'static str>);

impl Signs {
    fn add(&mut self, sign: &'static str) {
        if !self.0.contains(&sign) {
            self.0.push(sign);
        }
    }
}

/// Returns a text as Markdown, and the signs of wiki markup that were understood.
pub(super) fn to_markdown(text: &str) -> (Cow<'_, str>, Vec<&'static str>) {
    let has_line = |line: &str| {
        let line = line.trim_start();
        line_sign(line).is_some() || line.starts_with("||")
    };
    let is_likely = HINTS.iter().any(|hint| text.contains(hint))
        || text.contains('|') && text.contains('[')
        || text.lines().any(has_line);
    if !is_likely {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut signs = Signs::default();
    let mut markdown = blocks::code_macros(text, &mut signs);
    markdown = blocks::text_macros(&markdown, &mut signs);
    markdown = links(&markdown, &mut signs);
    // What can be either is wiki markup only beside something that can be nothing else.
    let is_wiki = !signs.0.is_empty() || lines::has_headings(&markdown);
    markdown = lines::converted(&markdown, &mut signs);
    if is_wiki && !text.contains("**") {
        markdown = marks(&markdown, &mut signs);
    }
    if signs.0.is_empty() { (Cow::Borrowed(text), Vec::new()) } else { (Cow::Owned(markdown), signs.0) }
}

/// Returns whether text after a `{` makes it a macro, which Markdown written by us escapes.
pub(super) fn begins_macro(after: &[char]) -> bool {
    MACROS.iter().any(|name| name.chars().eq(after.iter().copied().take(name.len())))
}

/// Returns where the dot of `h3. ` or `bq. ` at the start of a line is.
pub(super) fn line_sign(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let heading = bytes.first() == Some(&b'h') && bytes.get(1).is_some_and(|level| (b'1'..=b'6').contains(level));
    ((heading || line.starts_with("bq")) && line[2..].starts_with(". ")).then_some(2)
}

/// A text, and where it is code.
struct Source<'a> {
    text: &'a str,
    code: Vec<Range<usize>>,
}

impl<'a> Source<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, code: code_ranges(text) }
    }

    /// Returns whether a sign at this place may be markup: it is neither code nor escaped.
    fn is_plain(&self, at: usize) -> bool {
        let next = self.code.partition_point(|range| range.end <= at);
        let is_code = self.code.get(next).is_some_and(|range| range.contains(&at));
        !is_code && !is_escaped(self.text, at)
    }

    /// Returns the next place of a sign that may be markup.
    fn find(&self, sign: &str, from: usize) -> Option<usize> {
        let mut places = self.text[from..].match_indices(sign).map(|(at, _)| from + at);
        places.find(|at| self.is_plain(*at))
    }
}

/// `[text|https://example.com]`, also with `|smart-link` after it.
fn links(text: &str, signs: &mut Signs) -> String {
    let source = Source::new(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = 0;
    while let Some(start) = source.find("[", rest) {
        out.push_str(&text[rest..start]);
        rest = start + 1;
        let inner = text[rest..].split(['[', ']', '\n']).next().unwrap_or_default();
        let end = rest + inner.len();
        match wiki_link(inner).filter(|_| text[end..].starts_with(']') && !text[end..].starts_with("](")) {
            Some((label, target)) => {
                let _ = write!(out, "[{label}](<{target}>)");
                rest = end + 1;
                signs.add("[text|address]");
            }
            None => out.push('['),
        }
    }
    out.push_str(&text[rest..]);
    out
}

fn wiki_link(inner: &str) -> Option<(&str, &str)> {
    let (label, target) = inner.split_once('|')?;
    let target = target.split_once('|').map_or(target, |(target, _)| target).trim();
    let is_address = ["http://", "https://", "ftp://", "mailto:"].iter().any(|start| target.starts_with(start));
    let is_plain = !target.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '\\'));
    (is_address && is_plain && !label.trim().is_empty()).then(|| (label.trim(), target))
}

/// `{{monospaced}}` and `*bold*`, in a text that is known to be wiki markup.
fn marks(text: &str, signs: &mut Signs) -> String {
    let mono = enclosed(text, "{{", "}}", |inner| code(inner, InlineLayout::Lines), "{{monospaced}}", signs);
    enclosed(&mono, "*", "*", |inner| format!("**{inner}**"), "*bold*", signs)
}

/// Replaces what is between two signs within a line, at the edges of words.
fn enclosed(
    text: &str,
    open: &str,
    close: &str,
    replace: impl Fn(&str) -> String,
    sign: &'static str,
    signs: &mut Signs,
) -> String {
    let source = Source::new(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = 0;
    while let Some(start) = source.find(open, rest) {
        let from = start + open.len();
        let before = &text[..start];
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || open.contains(c))
            && !text[from..].starts_with(|c: char| c.is_whitespace() || open.contains(c));
        let line = text[from..].split('\n').next().unwrap_or_default();
        let line = line.char_indices().nth(MAX_ENCLOSED).map_or(line, |(end, _)| &line[..end]);
        let mut ends = line.match_indices(close).map(|(end, _)| end).filter(|end| source.is_plain(from + end));
        let inner = ends.next().filter(|_| begins).map(|end| &line[..end]);
        let inner = inner.filter(|inner| {
            let after = &text[from + inner.len() + close.len()..];
            let ends = !after.starts_with(|c: char| c.is_alphanumeric() || close.contains(c));
            !inner.is_empty() && !inner.ends_with(char::is_whitespace) && ends
        });
        match inner {
            Some(inner) => {
                out.push_str(&text[rest..start]);
                out.push_str(&replace(inner));
                rest = from + inner.len() + close.len();
                signs.add(sign);
            }
            None => {
                out.push_str(&text[rest..from]);
                rest = from;
            }
        }
    }
    out.push_str(&text[rest..]);
    out
}

#[cfg(test)]
mod tests {
    use super::super::published_structure::valid;
    use super::super::{document, markdown};
    use super::*;

    /// Wiki markup, the Markdown that means the same, and the signs that are reported.
    #[test]
    fn wiki_markup_becomes_what_it_means() {
        for (wiki, expected, signs) in [
            ("h3. Findings\ntext", "### Findings\n\ntext", vec!["h3."]),
            ("a\n{code}\nls *x*\n{code}\nb", "a\n\n```\nls *x*\n```\n\nb", vec!["{code}"]),
            ("{code:java}\n  int a;\n\n    b();\n{code}", "```java\n  int a;\n\n    b();\n```", vec!["{code}"]),
            ("{code:title=Foo.java|borderStyle=solid}x{code}", "**Foo.java**\n\n```\nx\n```", vec!["{code}"]),
            ("run {code}ls -l{code} now", "run `ls -l` now", vec!["{code}"]),
            ("{noformat}\n```\n{noformat}", "````\n```\n````", vec!["{noformat}"]),
            (
                "see [the log|https://example.com/l?a=b_c].",
                "see [the log](https://example.com/l?a=b_c).",
                vec!["[text|address]"],
            ),
            ("[x|https://example.com|smart-link]", "[x](https://example.com)", vec!["[text|address]"]),
            ("a\n{quote}\none\n\ntwo\n{quote}\nb", "a\n\n> one\n>\n> two\n\nb", vec!["{quote}"]),
            ("bq. said\nthen", "> said\n\nthen", vec!["bq."]),
            ("{panel:title=Note}\nx\n{panel}", "> **Note**\n>\n> x", vec!["{panel}"]),
            ("a {color:red}b{color} c", "a b c", vec!["{color}"]),
            (
                "||host||state||\n|fs-03|[full|https://example.com/f]|\n|fs-04|ok|\nend",
                "| host | state |\n|---|---|\n| fs-03 | [full](https://example.com/f) |\n| fs-04 | ok |\n\nend",
                vec!["[text|address]", "||table||"],
            ),
            ("h2. Steps\n# one\n## two\n# three", "## Steps\n\n1. one\n   1. two\n2. three", vec!["h2.", "# list"]),
            ("* a\n** b\n* c\n\nh1. X", "* a\n  * b\n* c\n\n# X", vec!["** list", "h1."]),
            ("h3. X\nuse {{ls}} and *this*", "### X\n\nuse `ls` and **this**", vec!["h3.", "{{monospaced}}", "*bold*"]),
            (
                "h4. [a|https://example.com] *b*",
                "#### [a](https://example.com) **b**",
                vec!["[text|address]", "h4.", "*bold*"],
            ),
        ] {
            let found = document(wiki);
            assert_eq!(valid(&found), Ok(()), "{wiki}");
            assert_eq!(found, document(expected), "{wiki}\n{}", to_markdown(wiki).0);
            let mut reported = to_markdown(wiki).1;
            let mut named = signs;
            reported.sort_unstable();
            named.sort_unstable();
            assert_eq!(reported, named, "{wiki}");
            // Read, and written back.
            assert_eq!(document(&markdown(&found)), found, "{wiki}");
        }
    }

    #[test]
    fn markdown_and_plain_text_stay_as_they_are() {
        for text in [
            "# Head\n\n*em* and {{value}} and **bold**",
            "```\nh3. x\n{code}\n{code}\n```",
            "`{code}x{code}` and `[a|https://example.com]`",
            "\\{code}x\\{code} and h3\\. x and \\[a|https://example.com]",
            "one {code} alone",
            "[a|b] and [ITS-1] and [a](https://example.com)",
            "| a | b |\n|---|---|\n| c | d |",
            "|| a | b |\n|---|---|---|\n| c | d | e |",
            "a || b",
            "h3 and h7. x and h3.x and bq.",
            "* a\n\n# Head",
            "{quote} alone",
            "{\"code\": 5}",
        ] {
            assert_eq!(to_markdown(text), (Cow::Borrowed(text), Vec::new()), "{text}");
        }
    }

    #[test]
    fn work_is_bounded() {
        for text in [
            "{code}".repeat(3_000),
            "[a|".repeat(9_000),
            "h3. *a ".repeat(3_000),
            "{{".repeat(9_000),
            "||".repeat(9_000),
        ] {
            assert_eq!(valid(&document(&text)), Ok(()));
        }
    }
}

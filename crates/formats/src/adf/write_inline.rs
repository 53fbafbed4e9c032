//! Inline ADF nodes → one piece of Markdown that reads back as the same nodes.

use std::fmt::Write as _;

use serde_json::Value;

use super::mentions::begins_word;
use super::wiki_markup;

/// What a piece of Markdown may spread over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InlineLayout {
    /// Several lines, as in a paragraph.
    Lines,
    /// One line, as in a heading.
    OneLine,
    /// A cell of a table.
    Cell,
}

/// The marks that Markdown has signs for, from the outside in.
#[derive(Clone, PartialEq, Eq)]
enum TextMark {
    Link(String),
    Strong,
    Em,
    Strike,
}

/// A stretch of text with the same marks.
struct TextRun {
    text: String,
    marks: Vec<TextMark>,
    kind: RunKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RunKind {
    Text,
    Code,
    /// Markdown already.
    Raw,
    Break,
}

/// Writes inline nodes. `other` writes those that are neither text nor a break.
pub(super) fn write(nodes: &[Value], layout: InlineLayout, other: impl Fn(&Value) -> String) -> String {
    let mut runs: Vec<TextRun> = Vec::new();
    for node in nodes {
        for run in runs_of(node, &other) {
            match runs.last_mut() {
                Some(last) if last.kind == run.kind && last.marks == run.marks && run.kind != RunKind::Break => {
                    last.text.push_str(&run.text);
                }
                _ => runs.push(run),
            }
        }
    }
    while runs.last().is_some_and(|run| run.kind == RunKind::Break) {
        runs.pop();
    }
    let mut writer = InlineWriter { out: String::new(), open: Vec::new(), layout, hide_letter: false };
    for run in &runs {
        writer.run(run);
    }
    writer.switch(&[], None);
    match layout {
        InlineLayout::Lines => writer.out.split('\n').map(guard_line).collect::<Vec<_>>().join("\n"),
        InlineLayout::OneLine if writer.out.ends_with('#') => {
            writer.out.insert(writer.out.len() - 1, '\\');
            writer.out
        }
        _ => writer.out,
    }
}

/// Returns the runs of one node. White space at the ends of marked text gets no mark, because
/// Markdown has none there.
fn runs_of(node: &Value, other: &impl Fn(&Value) -> String) -> Vec<TextRun> {
    let plain = |text: &str, kind| TextRun { text: text.to_owned(), marks: Vec::new(), kind };
    match node["type"].as_str() {
        Some("hardBreak") => return vec![plain("", RunKind::Break)],
        Some("text") => {}
        _ => {
            let text = other(node);
            return if text.is_empty() { Vec::new() } else { vec![plain(&text, RunKind::Raw)] };
        }
    }
    let text = node["text"].as_str().unwrap_or_default();
    let named = |name: &str| node["marks"].as_array().into_iter().flatten().find(|mark| mark["type"] == name);
    let link = named("link").and_then(|mark| mark["attrs"]["href"].as_str()).filter(|href| !href.is_empty());
    let mut marks: Vec<TextMark> = link.map(|href| TextMark::Link(href.to_owned())).into_iter().collect();
    if named("code").is_some() && !text.is_empty() {
        return vec![TextRun { text: text.to_owned(), marks, kind: RunKind::Code }];
    }
    for (name, mark) in [("strong", TextMark::Strong), ("em", TextMark::Em), ("strike", TextMark::Strike)] {
        marks.extend(named(name).map(|_| mark));
    }
    let inner = text.trim();
    if marks.is_empty() || inner.is_empty() {
        return vec![plain(text, RunKind::Text)];
    }
    let start = text.len() - text.trim_start().len();
    let end = start + inner.len();
    let marked = TextRun { text: inner.to_owned(), marks, kind: RunKind::Text };
    let parts = [plain(&text[..start], RunKind::Text), marked, plain(&text[end..], RunKind::Text)];
    parts.into_iter().filter(|run| !run.text.is_empty()).collect()
}

struct InlineWriter {
    out: String,
    open: Vec<OpenMark>,
    layout: InlineLayout,
    /// Whether the next letter would keep a mark from closing; it is then written as a character
    /// reference.
    hide_letter: bool,
}

/// A mark that is open: its sign, and the sign's position in the output.
struct OpenMark {
    mark: TextMark,
    sign: &'static str,
    at: usize,
}

impl InlineWriter {
    fn run(&mut self, run: &TextRun) {
        let text = match run.kind {
            RunKind::Text => escape(&run.text, matches!(run.marks.first(), Some(TextMark::Link(_))), self.layout),
            RunKind::Code => code(&run.text, self.layout),
            // Markdown from elsewhere does not escape the separator of cells.
            RunKind::Raw if self.layout == InlineLayout::Cell => run.text.replace('|', "\\|"),
            RunKind::Raw => run.text.clone(),
            RunKind::Break => {
                self.switch(&[], None);
                self.hide_letter = false;
                self.out.push_str(match self.layout {
                    InlineLayout::Lines => "\\\n",
                    InlineLayout::OneLine => " ",
                    InlineLayout::Cell => "<br>",
                });
                return;
            }
        };
        self.switch(&run.marks, text.chars().next());
        let mut rest = text.as_str();
        if std::mem::take(&mut self.hide_letter)
            && let Some(first) = rest.chars().next().filter(|c| c.is_alphanumeric())
        {
            self.out.push_str(&reference(first));
            rest = &rest[first.len_utf8()..];
        }
        self.out.push_str(rest);
    }

    /// Closes and opens marks so that exactly `wanted` are open before a text that begins with
    /// `next`.
    fn switch(&mut self, wanted: &[TextMark], next: Option<char>) {
        let same = self.open.iter().take_while(|open| wanted.contains(&open.mark)).count();
        let new: Vec<&TextMark> =
            wanted.iter().filter(|mark| !self.open[..same].iter().any(|open| open.mark == **mark)).collect();
        let closes = self.open.len() > same;
        while self.open.len() > same {
            let Some(OpenMark { mark, mut sign, at }) = self.open.pop() else { break };
            let letter_before = self.out[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            if mark == TextMark::Em && sign == "*" && !new.is_empty() && !letter_before {
                // A row of stars is ambiguous.
                self.out.replace_range(at..=at, "_");
                sign = "_";
            }
            let sign_before = self.out.chars().next_back().is_some_and(|c| !c.is_alphanumeric());
            match &mark {
                TextMark::Link(href) => {
                    let target = address(href);
                    let target = if self.layout == InlineLayout::Cell { target.replace('|', "\\|") } else { target };
                    let _ = write!(self.out, "]({target})");
                }
                _ => {
                    self.out.push_str(sign);
                    // Between a sign and a letter no mark closes.
                    self.hide_letter |= sign_before || sign == "_";
                }
            }
        }
        for mark in new {
            let sign = match mark {
                TextMark::Link(_) => "[",
                TextMark::Strong => "**",
                TextMark::Em if closes => "_",
                TextMark::Em => "*",
                TextMark::Strike => "~~",
            };
            if matches!(mark, TextMark::Link(_)) {
                if self.out.ends_with('!') {
                    // `![` would start an image.
                    self.out.insert(self.out.len() - 1, '\\');
                }
            } else if next.is_some_and(|c| !c.is_alphanumeric())
                && let Some(letter) = self.out.chars().next_back().filter(|c| c.is_alphanumeric())
            {
                self.out.truncate(self.out.len() - letter.len_utf8());
                self.out.push_str(&reference(letter));
            }
            self.open.push(OpenMark { mark: mark.clone(), sign, at: self.out.len() });
            self.out.push_str(sign);
            // A sign follows the closed marks, so the letter needs no reference.
            self.hide_letter = false;
        }
    }
}

/// Returns a letter as a character reference, which begins and ends with a sign.
fn reference(letter: char) -> String {
    format!("&#{};", u32::from(letter))
}

/// Returns an address as a link's target.
pub(super) fn address(href: &str) -> String {
    let plain = href.chars().all(|c| c.is_alphanumeric() || "-._~:/?#@!$'*+,;=%".contains(c));
    if plain && !href.is_empty() {
        return href.to_owned();
    }
    let mut target = "<".to_owned();
    for c in href.chars() {
        match c {
            '<' | '>' | '\\' | '&' => target.extend(['\\', c]),
            c if c.is_control() => {}
            c => target.push(c),
        }
    }
    target + ">"
}

/// Returns text with every sign of Markdown escaped.
pub(super) fn escape(text: &str, in_link: bool, layout: InlineLayout) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (index, &c) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| characters.get(index));
        let after = characters.get(index + 1);
        let inside_word = before.is_some_and(|c| c.is_alphanumeric()) && after.is_some_and(|c| c.is_alphanumeric());
        let sign = match c {
            '\\' | '`' | '*' | '[' | '<' | '~' => true,
            ']' => in_link,
            '_' => !inside_word,
            '&' => after.is_some_and(|c| *c == '#' || c.is_alphabetic()),
            // Read back, it would be a mention.
            '@' => begins_word(before.copied()) && after.is_some_and(|c| c.is_alphabetic()),
            '{' => wiki_markup::begins_macro(&characters[index + 1..]),
            '|' => layout == InlineLayout::Cell,
            _ => false,
        };
        match c {
            '\n' => out.push(' '),
            c if sign => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Returns inline code, between more backticks than it has in a row.
pub(super) fn code(text: &str, layout: InlineLayout) -> String {
    let text = text.replace('\n', " ");
    let text = if layout == InlineLayout::Cell { text.replace('|', "\\|") } else { text };
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let spaced = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
    let pad = if spaced || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Returns a line of text whose start does not begin a block.
fn guard_line(line: &str) -> String {
    if let Some(dot) = wiki_markup::line_sign(line) {
        return format!("{}\\{}", &line[..dot], &line[dot..]);
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let rest = &line[digits..];
    match line.chars().next() {
        Some('#' | '>' | '+' | '-' | '=' | ':' | '|') => format!("\\{line}"),
        Some(_) if (1..=9).contains(&digits) && rest.starts_with(['.', ')']) => {
            format!("{}\\{rest}", &line[..digits])
        }
        _ => line.to_owned(),
    }
}

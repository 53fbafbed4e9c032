//! Inline ADF nodes → one piece of Markdown that reads back as the same nodes.

use std::fmt::Write as _;

use serde_json::Value;

/// Where the piece will stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// In lines of its own.
    Several,
    /// In a line of its own, such as a heading.
    One,
    /// In a cell of a table.
    Cell,
}

/// What runs of text can have, from the outside in.
#[derive(Clone, PartialEq, Eq)]
enum Mark {
    Link(String),
    Strong,
    Em,
    Strike,
}

/// A stretch of text with the same marks.
struct Run {
    text: String,
    marks: Vec<Mark>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Code,
    /// Markdown already.
    Raw,
    Break,
}

/// Writes inline nodes. `other` makes Markdown of what is neither text nor a break.
pub(super) fn write(nodes: &[Value], line: Line, other: impl Fn(&Value) -> String) -> String {
    let mut runs: Vec<Run> = Vec::new();
    for node in nodes {
        for run in runs_of(node, &other) {
            match runs.last_mut() {
                Some(last) if last.kind == run.kind && last.marks == run.marks && run.kind != Kind::Break => {
                    last.text.push_str(&run.text);
                }
                _ => runs.push(run),
            }
        }
    }
    while runs.last().is_some_and(|run| run.kind == Kind::Break) {
        runs.pop();
    }
    let mut writer = Writer { out: String::new(), open: Vec::new(), line, hide_letter: false };
    for run in &runs {
        writer.run(run);
    }
    writer.switch(&[], None);
    match line {
        Line::Several => writer.out.split('\n').map(guard_line).collect::<Vec<_>>().join("\n"),
        Line::One if writer.out.ends_with('#') => {
            writer.out.insert(writer.out.len() - 1, '\\');
            writer.out
        }
        _ => writer.out,
    }
}

/// The runs of one node: white space at the ends of marked text carries no mark.
fn runs_of(node: &Value, other: &impl Fn(&Value) -> String) -> Vec<Run> {
    let plain = |text: &str, kind| Run { text: text.to_owned(), marks: Vec::new(), kind };
    match node["type"].as_str() {
        Some("hardBreak") => return vec![plain("", Kind::Break)],
        Some("text") => {}
        _ => {
            let text = other(node);
            return if text.is_empty() { Vec::new() } else { vec![plain(&text, Kind::Raw)] };
        }
    }
    let text = node["text"].as_str().unwrap_or_default();
    let named = |name: &str| node["marks"].as_array().into_iter().flatten().find(|mark| mark["type"] == name);
    let link = named("link").and_then(|mark| mark["attrs"]["href"].as_str()).filter(|href| !href.is_empty());
    let mut marks: Vec<Mark> = link.map(|href| Mark::Link(href.to_owned())).into_iter().collect();
    if named("code").is_some() && !text.is_empty() {
        return vec![Run { text: text.to_owned(), marks, kind: Kind::Code }];
    }
    for (name, mark) in [("strong", Mark::Strong), ("em", Mark::Em), ("strike", Mark::Strike)] {
        marks.extend(named(name).map(|_| mark));
    }
    let inner = text.trim();
    if marks.is_empty() || inner.is_empty() {
        return vec![plain(text, Kind::Text)];
    }
    let start = text.len() - text.trim_start().len();
    let end = start + inner.len();
    let marked = Run { text: inner.to_owned(), marks, kind: Kind::Text };
    let parts = [plain(&text[..start], Kind::Text), marked, plain(&text[end..], Kind::Text)];
    parts.into_iter().filter(|run| !run.text.is_empty()).collect()
}

struct Writer {
    out: String,
    open: Vec<Open>,
    line: Line,
    /// The next letter would keep a mark from closing: it is written as a character reference.
    hide_letter: bool,
}

/// A mark that is open: its sign, and where that stands.
struct Open {
    mark: Mark,
    sign: &'static str,
    at: usize,
}

impl Writer {
    fn run(&mut self, run: &Run) {
        let text = match run.kind {
            Kind::Text => escape(&run.text, matches!(run.marks.first(), Some(Mark::Link(_))), self.line),
            Kind::Code => code(&run.text, self.line),
            // What is Markdown already knows nothing of cells.
            Kind::Raw if self.line == Line::Cell => run.text.replace('|', "\\|"),
            Kind::Raw => run.text.clone(),
            Kind::Break => {
                self.switch(&[], None);
                self.hide_letter = false;
                self.out.push_str(match self.line {
                    Line::Several => "\\\n",
                    Line::One => " ",
                    Line::Cell => "<br>",
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

    /// Closes and opens marks, so that exactly `wanted` are open before a text that begins with
    /// `next`.
    fn switch(&mut self, wanted: &[Mark], next: Option<char>) {
        let same = self.open.iter().take_while(|open| wanted.contains(&open.mark)).count();
        let new: Vec<&Mark> =
            wanted.iter().filter(|mark| !self.open[..same].iter().any(|open| open.mark == **mark)).collect();
        let closes = self.open.len() > same;
        while self.open.len() > same {
            let Some(Open { mark, mut sign, at }) = self.open.pop() else { break };
            let letter_before = self.out[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            if mark == Mark::Em && sign == "*" && !new.is_empty() && !letter_before {
                // Stars in a row could be read in several ways.
                self.out.replace_range(at..=at, "_");
                sign = "_";
            }
            let sign_before = self.out.chars().next_back().is_some_and(|c| !c.is_alphanumeric());
            match &mark {
                Mark::Link(href) => {
                    let target = address(href);
                    let target = if self.line == Line::Cell { target.replace('|', "\\|") } else { target };
                    let _ = write!(self.out, "]({target})");
                }
                _ => {
                    self.out.push_str(sign);
                    // A mark closes between a sign and a letter only if the letter looks like a sign.
                    self.hide_letter |= sign_before || sign == "_";
                }
            }
        }
        for mark in new {
            let sign = match mark {
                Mark::Link(_) => "[",
                Mark::Strong => "**",
                Mark::Em if closes => "_",
                Mark::Em => "*",
                Mark::Strike => "~~",
            };
            if matches!(mark, Mark::Link(_)) {
                if self.out.ends_with('!') {
                    // Not a picture.
                    self.out.insert(self.out.len() - 1, '\\');
                }
            } else if next.is_some_and(|c| !c.is_alphanumeric())
                && let Some(letter) = self.out.chars().next_back().filter(|c| c.is_alphanumeric())
            {
                self.out.truncate(self.out.len() - letter.len_utf8());
                self.out.push_str(&reference(letter));
            }
            self.open.push(Open { mark: mark.clone(), sign, at: self.out.len() });
            self.out.push_str(sign);
            // What follows the closed marks is a sign.
            self.hide_letter = false;
        }
    }
}

/// A letter as a character reference, which ends and begins like a sign.
fn reference(letter: char) -> String {
    format!("&#{};", u32::from(letter))
}

/// An address as a link's target.
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

/// Text in which nothing is a sign of Markdown.
pub(super) fn escape(text: &str, in_link: bool, line: Line) -> String {
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
            '|' => line == Line::Cell,
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

/// A piece of code: in as many backticks as it needs.
fn code(text: &str, line: Line) -> String {
    let text = text.replace('\n', " ");
    let text = if line == Line::Cell { text.replace('|', "\\|") } else { text };
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let spaced = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
    let pad = if spaced || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A line that is read as text and not as the beginning of a block.
fn guard_line(line: &str) -> String {
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

//! HTML of mails and editors → Markdown. What a person would not see is left out: comments,
//! scripts, styles, hidden elements (`open` and `seen`). One pass over the tokens with bounded nesting, so that the time
//! is linear in the length; one more before it where the document has styles.

mod colour;
mod media;
mod open;
mod seen;
mod sheet;
mod style;

use std::fmt::Write as _;

use html5gum::Tokenizer;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};

use open::{OpenElements, attribute};
use sheet::Sheet;

/// How deep lists and quotes are shown.
const DEEPEST: usize = 8;
/// What is said where a document has so many styles that not all of them were applied.
const EXHAUSTED: &str = "(styles were left out: some of this text may be hidden from a person)";

/// Elements by which a text is recognized as HTML.
const KNOWN: [&str; 44] = [
    "a",
    "abbr",
    "address",
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "script",
    "section",
    "small",
    "span",
    "strong",
    "style",
    "table",
    "td",
    "tr",
    "u",
    "ul",
];
/// Returns whether a text contains an element that mails use.
pub(super) fn is_html(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = &text[at + 1..];
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let end = rest.bytes().take(11).take_while(u8::is_ascii_alphanumeric).count();
        let ends = rest[end..].starts_with(['>', '/', ' ', '\t', '\n', '\r']);
        ends && KNOWN.iter().any(|known| known.eq_ignore_ascii_case(&rest[..end]))
    })
}

/// Converts HTML to Markdown.
pub(super) fn markdown(html: &str) -> String {
    let mut writer = MarkdownWriter { out: String::with_capacity(html.len() / 2), ..MarkdownWriter::default() };
    let mut elements = OpenElements::new(sheet(html));
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name);
                let seen = elements.start(&name, &tag);
                if !seen.gone && (name != "img" || seen.shows_image()) {
                    writer.start(&name, &tag);
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name);
                if elements.end(&name) {
                    writer.end(&name);
                }
            }
            Token::String(text) if elements.seen().shows_text() => writer.text(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    if elements.is_exhausted() {
        writer.separate(Separator::Paragraph);
        writer.write(EXHAUSTED);
    }
    writer.finish()
}

fn tokens(html: &str) -> impl Iterator<Item = Token<()>> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).map_while(Result::ok)
}

/// Reads the styles of a document.
fn sheet(html: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let begins = |at: usize| html.get(at + 1..at + 6).is_some_and(|name| name.eq_ignore_ascii_case("style"));
    if !html.match_indices('<').any(|(at, _)| begins(at)) {
        return sheet;
    }
    let mut css: Option<(String, Option<String>)> = None;
    for token in tokens(html) {
        match (token, &mut css) {
            (Token::StartTag(tag), None) if tag.name == b"style".as_slice() => {
                let kind = attribute(&tag, "type").map(str::trim).unwrap_or_default();
                let media = attribute(&tag, "media").map(str::to_owned);
                css = (kind.is_empty() || kind.eq_ignore_ascii_case("text/css")).then(|| (String::new(), media));
            }
            (Token::String(text), Some((css, _))) => css.push_str(&String::from_utf8_lossy(&text)),
            (Token::EndTag(tag), Some((text, media))) if tag.name == b"style".as_slice() => {
                sheet.add(text, media.as_deref());
                css = None;
            }
            _ => {}
        }
    }
    if let Some((text, media)) = css {
        sheet.add(&text, media.as_deref());
    }
    sheet
}

/// The separator due before the next text; the larger of two applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Separator {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}

#[derive(Debug, Default)]
struct MarkdownWriter {
    out: String,
    separator: Separator,
    /// The mark of the next block: a heading's or an item's.
    prefix: String,
    /// Marks due directly before the next text: emphasis, a link's bracket.
    marks: String,
    /// Open emphasis.
    emphasis: Vec<&'static str>,
    quotes: usize,
    /// Open lists: the next number of an ordered one.
    lists: Vec<Option<u32>>,
    /// How many lists are open beyond [`DEEPEST`].
    deeper: usize,
    pre: usize,
    /// The open link: where its text begins, and its address.
    link: Option<(usize, String)>,
    /// Whether the table row has a cell already.
    row: bool,
}

impl MarkdownWriter {
    fn start(&mut self, name: &str, tag: &StartTag<()>) {
        match name {
            "br" => self.separate(Separator::Line),
            "p" | "dl" | "table" | "figure" | "address" => self.separate(Separator::Paragraph),
            "hr" => {
                self.separate(Separator::Paragraph);
                self.write("---");
                self.separate(Separator::Paragraph);
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.separate(Separator::Paragraph);
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.prefix = "#".repeat(level) + " ";
            }
            "ul" | "ol" | "menu" => {
                self.separate(if self.lists.is_empty() { Separator::Paragraph } else { Separator::Line });
                if self.lists.len() < DEEPEST {
                    self.lists.push((name == "ol").then_some(1));
                } else {
                    self.deeper += 1;
                }
            }
            "li" => self.item(),
            "blockquote" => {
                self.separate(Separator::Paragraph);
                self.quotes += 1;
            }
            "pre" => {
                self.separate(Separator::Paragraph);
                if self.pre == 0 {
                    self.write("```");
                    self.separate(Separator::Line);
                }
                self.pre += 1;
            }
            "tr" => {
                self.separate(Separator::Line);
                self.row = false;
            }
            "td" | "th" if self.row && self.separator < Separator::Line => {
                "| ".clone_into(&mut self.prefix);
                self.separate(Separator::Space);
            }
            "b" | "strong" => self.open("**"),
            "i" | "em" => self.open("*"),
            "s" | "del" | "strike" => self.open("~~"),
            "code" | "tt" | "kbd" | "samp" if self.pre == 0 => self.open("`"),
            "a" => {
                self.close_link();
                if let Some(address) = attribute(tag, "href").map(str::trim).filter(|address| !address.starts_with('#'))
                {
                    self.marks.push('[');
                    self.link = Some((usize::MAX, encoded(address)));
                }
            }
            "img" => self.image(tag),
            _ if is_block(name) => self.separate(Separator::Line),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "table" | "figure" | "address" => {
                self.prefix.clear();
                self.separate(Separator::Paragraph);
            }
            "ul" | "ol" | "menu" => {
                self.prefix.clear();
                if self.deeper > 0 {
                    self.deeper -= 1;
                } else {
                    self.lists.pop();
                }
                self.separate(if self.lists.is_empty() { Separator::Paragraph } else { Separator::Line });
            }
            "blockquote" => {
                self.separate(Separator::Paragraph);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "pre" if self.pre > 0 => {
                self.pre -= 1;
                if self.pre == 0 {
                    self.separate(Separator::Line);
                    self.write("```");
                    self.separate(Separator::Paragraph);
                }
            }
            "td" | "th" => {
                self.row = true;
                self.separator = self.separator.min(Separator::Space);
                self.separate(Separator::Space);
            }
            "b" | "strong" => self.close("**"),
            "i" | "em" => self.close("*"),
            "s" | "del" | "strike" => self.close("~~"),
            "code" | "tt" | "kbd" | "samp" if self.pre == 0 => self.close("`"),
            "a" => self.close_link(),
            _ if is_block(name) => self.separate(Separator::Line),
            _ => {}
        }
    }

    fn separate(&mut self, separator: Separator) {
        self.separator = self.separator.max(separator);
    }

    fn item(&mut self) {
        self.separate(Separator::Line);
        let depth = self.lists.len().saturating_sub(1) + self.deeper.min(1);
        self.prefix = "  ".repeat(depth);
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let _ = write!(self.prefix, "{number}. ");
                *number = number.saturating_add(1);
            }
            _ => self.prefix.push_str("- "),
        }
    }

    fn open(&mut self, mark: &'static str) {
        // Nested emphasis of one kind is written once.
        if !self.emphasis.contains(&mark) {
            self.emphasis.push(mark);
            self.marks.push_str(mark);
        }
    }

    fn close(&mut self, mark: &'static str) {
        let Some(at) = self.emphasis.iter().rposition(|open| *open == mark) else { return };
        self.emphasis.remove(at);
        match self.marks.strip_suffix(mark) {
            // No text was written since it was opened.
            Some(before) => self.marks.truncate(before.len()),
            None => self.out.push_str(mark),
        }
    }

    fn close_link(&mut self) {
        let Some((from, address)) = self.link.take() else { return };
        if from == usize::MAX {
            // A link without text is not displayed.
            if let Some(at) = self.marks.rfind('[') {
                self.marks.remove(at);
            }
        } else if self.out.get(from..).is_some_and(|text| text == address) {
            // An address as its own text needs no brackets.
            self.out.remove(from - 1);
        } else {
            self.out.push_str("](");
            self.out.push_str(&address);
            self.out.push(')');
        }
    }

    fn image(&mut self, tag: &StartTag<()>) {
        let tiny = |name| attribute(tag, name).is_some_and(|size| matches!(size.trim(), "0" | "1" | "0px" | "1px"));
        if tiny("width") || tiny("height") {
            return;
        }
        let alt = attribute(tag, "alt").unwrap_or_default().replace(['[', ']', '\n', '\r'], " ");
        let address = attribute(tag, "src").map(str::trim).unwrap_or_default();
        let scheme = address.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        let shown = match scheme.as_deref() {
            // Part of the mail or page itself.
            Some("cid" | "data" | "blob") => format!("[image: {}]", alt.trim()),
            _ if address.is_empty() => format!("[image: {}]", alt.trim()),
            _ => format!("![{}]({})", alt.trim(), encoded(address)),
        };
        self.write(&shown);
    }

    fn text(&mut self, text: &str) {
        if self.pre > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    // Empty lines are kept here.
                    self.break_line();
                }
                if !line.is_empty() {
                    self.write(line.trim_end_matches('\r'));
                }
            }
            return;
        }
        if text.starts_with(is_space) {
            self.separate(Separator::Space);
        }
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            self.write(word);
            self.separate(Separator::Space);
        }
        if !text.ends_with(is_space) && !text.is_empty() {
            self.separator = if self.separator == Separator::Space { Separator::None } else { self.separator };
        }
    }

    fn break_line(&mut self) {
        if self.separator >= Separator::Line {
            self.write("");
        }
        self.separator = Separator::Line;
    }

    /// Writes a text, after the separator and the marks that are due.
    fn write(&mut self, text: &str) {
        let separator = std::mem::take(&mut self.separator);
        let quotes = self.quotes.min(DEEPEST);
        if self.out.is_empty() {
            self.out.push_str(&"> ".repeat(quotes));
        } else {
            match separator {
                Separator::None => {}
                Separator::Space => self.out.push(' '),
                Separator::Line | Separator::Paragraph => {
                    if separator == Separator::Paragraph {
                        self.out.push('\n');
                        self.out.push_str(">".repeat(quotes).as_str());
                    }
                    self.out.push('\n');
                    self.out.push_str(&"> ".repeat(quotes));
                }
            }
        }
        for mark in [&mut self.prefix, &mut self.marks] {
            self.out.push_str(mark);
            mark.clear();
        }
        if let Some((from, _)) = self.link.as_mut().filter(|(from, _)| *from == usize::MAX) {
            *from = self.out.len();
        }
        self.out.push_str(text);
    }

    fn finish(mut self) -> String {
        self.close_link();
        if self.pre > 0 {
            self.out.push_str("\n```");
        }
        self.out
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace()
}

fn is_block(name: &str) -> bool {
    [
        "article", "aside", "body", "caption", "center", "dd", "details", "div", "dt", "fieldset", "footer", "form",
        "header", "html", "main", "nav", "section", "summary", "tbody", "tfoot", "thead", "tr",
    ]
    .contains(&name)
}

/// Encodes an address for Markdown's brackets.
fn encoded(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            ' ' => out.push_str("%20"),
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            c if c.is_control() || c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod hidden_tests;

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;

//! HTML that people wrote in a mail or an editor → Markdown, as much of it as a reader needs.
//! What nobody saw is left out: comments, scripts, styles, hidden elements. One pass over the
//! tokens with bounded nesting: no HTML takes more than time in proportion to its length.

use std::fmt::Write as _;

use html5gum::Tokenizer;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};

/// How deep lists and quotes are shown.
const DEEPEST: usize = 8;
/// How many open elements an end tag looks through for its own.
const LOOK_BACK: usize = 64;

/// Elements by which a text is taken for HTML.
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
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// Elements whose content is not for readers.
const UNREAD: [&str; 12] = [
    "script", "style", "title", "template", "iframe", "object", "noembed", "noframes", "applet", "audio", "video",
    "select",
];

/// Whether a text is HTML: some element that mails have stands in it.
pub(super) fn is_html(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = &text[at + 1..];
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let end = rest.bytes().take(11).take_while(u8::is_ascii_alphanumeric).count();
        let ends = rest[end..].starts_with(['>', '/', ' ', '\t', '\n', '\r']);
        ends && KNOWN.iter().any(|known| known.eq_ignore_ascii_case(&rest[..end]))
    })
}

/// Converts HTML.
pub(super) fn markdown(html: &str) -> String {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut writer = Writer { out: String::with_capacity(html.len() / 2), ..Writer::default() };
    let mut hidden: Vec<String> = Vec::new();
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                let void = VOID.contains(&name.as_str());
                if hidden.len() == 1 && ends_implicitly(&hidden[0], &name) {
                    hidden.clear();
                }
                if !hidden.is_empty() || UNREAD.contains(&name.as_str()) || is_hidden(&tag) {
                    if !void {
                        hidden.push(name);
                    }
                } else {
                    writer.start(&name, &tag);
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name);
                let recent = hidden.len().saturating_sub(LOOK_BACK);
                match hidden[recent..].iter().rposition(|open| *open == name) {
                    Some(at) => hidden.truncate(recent + at),
                    None if hidden.is_empty() => writer.end(&name),
                    None => {}
                }
            }
            Token::String(text) if hidden.is_empty() => writer.text(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    writer.finish()
}

/// Whether a paragraph, item or cell ends where the next one begins.
fn ends_implicitly(open: &str, next: &str) -> bool {
    match open {
        "p" => ["p", "div", "table", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "hr"].contains(&next),
        "li" | "tr" | "td" | "th" | "dt" | "dd" | "option" => open == next,
        _ => false,
    }
}

fn attribute<'a>(tag: &'a StartTag<()>, name: &str) -> Option<&'a str> {
    std::str::from_utf8(&tag.attributes.get(name.as_bytes())?.value).ok()
}

/// Whether a person would not see an element.
fn is_hidden(tag: &StartTag<()>) -> bool {
    if tag.attributes.contains_key(b"hidden".as_slice()) {
        return true;
    }
    let Some(style) = attribute(tag, "style") else { return false };
    let style: String = without_comments(style).chars().filter(|c| !c.is_whitespace()).collect();
    style.to_ascii_lowercase().split(';').any(|rule| {
        let (property, value) = rule.split_once(':').unwrap_or((rule, ""));
        let value = value.trim_end_matches("!important");
        let zero = || value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%').parse() == Ok(0.0_f64);
        match property {
            "display" => value == "none",
            "visibility" => value == "hidden" || value == "collapse",
            "mso-hide" => value == "all",
            "font-size" | "opacity" | "max-height" | "max-width" => zero(),
            _ => false,
        }
    })
}

fn without_comments(style: &str) -> String {
    let mut out = String::new();
    let mut rest = style;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    out + rest
}

/// What stands between what is written and what comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}

#[derive(Debug, Default)]
struct Writer {
    out: String,
    gap: Gap,
    /// What begins the next block: a heading's or an item's mark.
    prefix: String,
    /// Marks that are written right before the next text: emphasis, a link's bracket.
    marks: String,
    /// Open emphasis.
    emphasis: Vec<&'static str>,
    quotes: usize,
    /// Open lists: the next number, or none.
    lists: Vec<Option<u32>>,
    /// How many lists are open beyond those.
    deeper: usize,
    pre: usize,
    /// The open link: where its text begins, and its address.
    link: Option<(usize, String)>,
    /// Whether the table's row has a cell.
    row: bool,
}

impl Writer {
    fn start(&mut self, name: &str, tag: &StartTag<()>) {
        match name {
            "br" => self.gap(Gap::Line),
            "p" | "dl" | "table" | "figure" | "address" => self.gap(Gap::Paragraph),
            "hr" => {
                self.gap(Gap::Paragraph);
                self.write("---");
                self.gap(Gap::Paragraph);
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.gap(Gap::Paragraph);
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.prefix = "#".repeat(level) + " ";
            }
            "ul" | "ol" | "menu" => {
                self.gap(if self.lists.is_empty() { Gap::Paragraph } else { Gap::Line });
                if self.lists.len() < DEEPEST {
                    self.lists.push((name == "ol").then_some(1));
                } else {
                    self.deeper += 1;
                }
            }
            "li" => self.item(),
            "blockquote" => {
                self.gap(Gap::Paragraph);
                self.quotes += 1;
            }
            "pre" => {
                self.gap(Gap::Paragraph);
                if self.pre == 0 {
                    self.write("```");
                    self.gap(Gap::Line);
                }
                self.pre += 1;
            }
            "tr" => {
                self.gap(Gap::Line);
                self.row = false;
            }
            "td" | "th" if self.row && self.gap < Gap::Line => {
                "| ".clone_into(&mut self.prefix);
                self.gap(Gap::Space);
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
            _ if is_block(name) => self.gap(Gap::Line),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "table" | "figure" | "address" => {
                self.prefix.clear();
                self.gap(Gap::Paragraph);
            }
            "ul" | "ol" | "menu" => {
                if self.deeper > 0 {
                    self.deeper -= 1;
                } else {
                    self.lists.pop();
                }
                self.gap(if self.lists.is_empty() { Gap::Paragraph } else { Gap::Line });
            }
            "blockquote" => {
                self.gap(Gap::Paragraph);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "pre" if self.pre > 0 => {
                self.pre -= 1;
                if self.pre == 0 {
                    self.gap(Gap::Line);
                    self.write("```");
                    self.gap(Gap::Paragraph);
                }
            }
            "td" | "th" => {
                self.row = true;
                self.gap = self.gap.min(Gap::Space);
                self.gap(Gap::Space);
            }
            "b" | "strong" => self.close("**"),
            "i" | "em" => self.close("*"),
            "s" | "del" | "strike" => self.close("~~"),
            "code" | "tt" | "kbd" | "samp" if self.pre == 0 => self.close("`"),
            "a" => self.close_link(),
            _ if is_block(name) => self.gap(Gap::Line),
            _ => {}
        }
    }

    fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn item(&mut self) {
        self.gap(Gap::Line);
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
        // The same twice would say nothing more.
        if !self.emphasis.contains(&mark) {
            self.emphasis.push(mark);
            self.marks.push_str(mark);
        }
    }

    fn close(&mut self, mark: &'static str) {
        let Some(at) = self.emphasis.iter().rposition(|open| *open == mark) else { return };
        self.emphasis.remove(at);
        match self.marks.strip_suffix(mark) {
            // Nothing was written since it was opened.
            Some(before) => self.marks.truncate(before.len()),
            None => self.out.push_str(mark),
        }
    }

    fn close_link(&mut self) {
        let Some((from, address)) = self.link.take() else { return };
        if from == usize::MAX {
            // A link without text shows nothing.
            if let Some(at) = self.marks.rfind('[') {
                self.marks.remove(at);
            }
        } else if self.out.get(from..).is_some_and(|text| text == address) {
            // An address as its own text is a link already.
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
            // Inside the mail or the page itself.
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
                    // Empty lines count here.
                    self.break_line();
                }
                if !line.is_empty() {
                    self.write(line.trim_end_matches('\r'));
                }
            }
            return;
        }
        if text.starts_with(is_space) {
            self.gap(Gap::Space);
        }
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            self.write(word);
            self.gap(Gap::Space);
        }
        if !text.ends_with(is_space) && !text.is_empty() {
            self.gap = if self.gap == Gap::Space { Gap::None } else { self.gap };
        }
    }

    fn break_line(&mut self) {
        if self.gap >= Gap::Line {
            self.write("");
        }
        self.gap = Gap::Line;
    }

    /// Writes a text behind what is due before it.
    fn write(&mut self, text: &str) {
        let gap = std::mem::take(&mut self.gap);
        let quotes = self.quotes.min(DEEPEST);
        if self.out.is_empty() {
            self.out.push_str(&"> ".repeat(quotes));
        } else {
            match gap {
                Gap::None => {}
                Gap::Space => self.out.push(' '),
                Gap::Line | Gap::Paragraph => {
                    if gap == Gap::Paragraph {
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

/// An address as it can stand between brackets.
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
#[path = "html_tests.rs"]
mod tests;

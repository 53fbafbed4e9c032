//! Markdown text → a small tree of blocks, whatever the text's nesting. Inline content is ADF
//! already: texts with marks, line breaks, mentions.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

/// Deeper lists and quotes are taken as if they stood at this depth.
const DEEPEST: usize = 20;
/// What a mention's link begins with.
pub(super) const ACCOUNT: &str = "accountid:";

/// A block of a text.
#[derive(Debug)]
pub(super) enum Block {
    Paragraph(Vec<Value>),
    Heading(u8, Vec<Value>),
    Code {
        language: String,
        text: String,
    },
    Rule,
    Quote(Vec<Block>),
    List {
        start: Option<u64>,
        items: Vec<Item>,
    },
    /// The first row is the head.
    Table(Vec<Vec<Vec<Value>>>),
}

/// An item of a list.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// Whether the task is done, where it is one.
    pub(super) done: Option<bool>,
    pub(super) blocks: Vec<Block>,
}

/// A block that is still open.
enum Open {
    Quote(Vec<Block>),
    List { start: Option<u64>, items: Vec<Item> },
    Item(Item),
    Table { rows: Vec<Vec<Vec<Value>>> },
}

#[derive(Default)]
struct Builder {
    whole: Vec<Block>,
    open: Vec<Open>,
    /// Containers that were too deep to be opened.
    sunk: usize,
    inline: Inline,
    /// Inline content stands here without a paragraph around it, as in short list items.
    loose: bool,
    code: Option<(String, String)>,
    heading: Option<u8>,
    html: Option<String>,
}

/// Inline content under way.
#[derive(Default)]
struct Inline {
    nodes: Vec<Value>,
    strong: usize,
    em: usize,
    strike: usize,
    links: Vec<Link>,
}

struct Link {
    href: String,
    /// How many nodes stood before it.
    from: usize,
}

/// Reads Markdown.
pub(super) fn read(text: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut builder = Builder::default();
    for event in Parser::new_ext(text, options) {
        builder.take(event);
    }
    builder.end_loose();
    builder.whole
}

impl Builder {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match (&mut self.code, &mut self.html) {
                (Some((_, code)), _) => code.push_str(&text),
                (None, Some(html)) => html.push_str(&text),
                (None, None) => self.inline().text(&text),
            },
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => self.inline().code(&text),
            Event::Html(text) => match &mut self.html {
                Some(html) => html.push_str(&text),
                None => self.inline().text(&text),
            },
            Event::InlineHtml(text) => {
                let tag: String = text.chars().filter(|c| !c.is_whitespace() && *c != '/').collect();
                if tag.eq_ignore_ascii_case("<br>") { self.inline().line_break() } else { self.inline().text(&text) }
            }
            Event::SoftBreak => self.inline().text(" "),
            Event::HardBreak => self.inline().line_break(),
            Event::FootnoteReference(text) => self.inline().text(&format!("[^{text}]")),
            Event::Rule => self.push(Block::Rule),
            Event::TaskListMarker(done) => {
                if self.sunk == 0
                    && let Some(Open::Item(item)) = self.open.last_mut()
                {
                    item.done = Some(done);
                }
            }
        }
    }

    /// The inline content that is under way; where there is none, that of a list item.
    fn inline(&mut self) -> &mut Inline {
        self.loose = true;
        &mut self.inline
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.end_loose(),
            Tag::Heading { level, .. } => {
                self.end_loose();
                self.heading = Some(level_of(level));
            }
            Tag::CodeBlock(kind) => {
                self.end_loose();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or_default().replace('`', ""),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Tag::HtmlBlock => {
                self.end_loose();
                self.html = Some(String::new());
            }
            Tag::BlockQuote(_) => self.open(Open::Quote(Vec::new())),
            Tag::List(start) => self.open(Open::List { start, items: Vec::new() }),
            Tag::Item => self.open(Open::Item(Item::default())),
            Tag::Table(_) => self.open(Open::Table { rows: Vec::new() }),
            Tag::TableHead | Tag::TableRow => {
                if let Some(Open::Table { rows }) = self.open.last_mut() {
                    rows.push(Vec::new());
                }
            }
            Tag::TableCell => self.inline = Inline::default(),
            Tag::Strong => self.inline().strong += 1,
            Tag::Emphasis => self.inline().em += 1,
            Tag::Strikethrough => self.inline().strike += 1,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let inline = self.inline();
                inline.links.push(Link { href: dest_url.into_string(), from: inline.nodes.len() });
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.loose = false;
                self.push_paragraph();
            }
            TagEnd::Heading(_) => {
                self.loose = false;
                let nodes = self.inline.finish(true);
                let level = self.heading.take().unwrap_or(1);
                self.push_plain(Block::Heading(level, nodes));
            }
            TagEnd::CodeBlock => {
                if let Some((language, text)) = self.code.take() {
                    let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                    self.push_plain(Block::Code { language, text });
                }
            }
            TagEnd::HtmlBlock => {
                if let Some(html) = self.html.take() {
                    for (index, line) in html.trim().lines().enumerate() {
                        if index > 0 {
                            self.inline.line_break();
                        }
                        self.inline.text(line.trim());
                    }
                    self.push_paragraph();
                }
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item | TagEnd::Table => self.close(),
            TagEnd::TableCell => {
                self.loose = false;
                let nodes = self.inline.finish(false);
                match self.open.last_mut() {
                    Some(Open::Table { rows }) => rows.last_mut().into_iter().for_each(|row| row.push(nodes.clone())),
                    // A table too deep to be one.
                    _ => self.push_plain(Block::Paragraph(nodes)),
                }
            }
            TagEnd::Strong => self.inline.strong = self.inline.strong.saturating_sub(1),
            TagEnd::Emphasis => self.inline.em = self.inline.em.saturating_sub(1),
            TagEnd::Strikethrough => self.inline.strike = self.inline.strike.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => self.inline.end_link(),
            _ => {}
        }
    }

    /// Inline content without a paragraph ends where a block begins or its container ends.
    fn end_loose(&mut self) {
        if std::mem::take(&mut self.loose) {
            self.push_paragraph();
        }
    }

    /// The inline content so far as a paragraph, if there is any.
    fn push_paragraph(&mut self) {
        let nodes = self.inline.finish(false);
        if !nodes.is_empty() {
            self.push_plain(Block::Paragraph(nodes));
        }
    }

    fn open(&mut self, container: Open) {
        self.end_loose();
        // An item belongs to its list: both are opened or neither.
        let deep = self.sunk > 0 || self.open.len() >= DEEPEST && !matches!(container, Open::Item(_));
        if deep {
            self.sunk += 1;
        } else {
            self.open.push(container);
        }
    }

    fn close(&mut self) {
        self.end_loose();
        if self.sunk > 0 {
            self.sunk -= 1;
            return;
        }
        let block = match self.open.pop() {
            Some(Open::Quote(blocks)) => Block::Quote(blocks),
            Some(Open::List { start, items }) => Block::List { start, items },
            Some(Open::Table { rows }) => Block::Table(rows),
            Some(Open::Item(item)) => {
                if let Some(Open::List { items, .. }) = self.open.last_mut() {
                    items.push(item);
                }
                return;
            }
            None => return,
        };
        self.push_plain(block);
    }

    fn push(&mut self, block: Block) {
        self.end_loose();
        self.push_plain(block);
    }

    fn push_plain(&mut self, block: Block) {
        match self.open.last_mut() {
            Some(Open::Quote(blocks)) => blocks.push(block),
            Some(Open::Item(item)) => item.blocks.push(block),
            _ => self.whole.push(block),
        }
    }
}

fn level_of(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

impl Inline {
    fn marks(&self, code: bool) -> Vec<Value> {
        let mut marks = Vec::new();
        // ADF takes code with a link at most.
        for (name, on) in [("strong", self.strong), ("em", self.em), ("strike", self.strike)] {
            if on > 0 && !code {
                marks.push(json!({"type": name}));
            }
        }
        if code {
            marks.push(json!({"type": "code"}));
        }
        if let Some(link) = self.links.first().filter(|link| is_safe(&link.href)) {
            marks.push(json!({"type": "link", "attrs": {"href": link.href}}));
        }
        marks
    }

    fn text(&mut self, text: &str) {
        self.push(text, self.marks(false));
    }

    fn code(&mut self, text: &str) {
        self.push(text, self.marks(true));
    }

    fn push(&mut self, text: &str, marks: Vec<Value>) {
        if text.is_empty() {
            return;
        }
        let marks = (!marks.is_empty()).then_some(Value::Array(marks));
        let mut node = json!({"type": "text", "text": text});
        if let Some(marks) = marks {
            node["marks"] = marks;
        }
        self.nodes.push(node);
    }

    fn line_break(&mut self) {
        self.nodes.push(json!({"type": "hardBreak"}));
    }

    fn end_link(&mut self) {
        let Some(link) = self.links.pop() else { return };
        let from = link.from.min(self.nodes.len());
        if let Some(account) = link.href.strip_prefix(ACCOUNT).filter(|account| is_account(account)) {
            let name: String =
                self.nodes.drain(from..).filter_map(|node| Some(node["text"].as_str()?.to_owned())).collect();
            self.mention(account, &name);
        } else if self.nodes.len() == from && self.links.is_empty() {
            // A link of no text, or a picture without a word: its address says more than nothing.
            self.links.push(link);
            let href = self.links[0].href.clone();
            self.text(&href);
            self.links.clear();
        } else if !is_safe(&link.href) && !link.href.is_empty() && self.links.is_empty() {
            self.text(&format!(" ({})", link.href));
        }
    }

    /// `@[name](accountid:…)`: the sign before it is part of the mention.
    fn mention(&mut self, account: &str, name: &str) {
        if let Some(last) = self.nodes.last_mut()
            && let Some(before) = last["text"].as_str().and_then(|text| text.strip_suffix('@'))
        {
            if before.is_empty() {
                self.nodes.pop();
            } else {
                last["text"] = json!(before);
            }
        }
        let name = name.trim().trim_start_matches('@');
        let mut attrs = json!({"id": account});
        // A mention without a name is written with the id in its place.
        if !name.is_empty() && name != account {
            attrs["text"] = json!(format!("@{name}"));
        }
        self.nodes.push(json!({"type": "mention", "attrs": attrs}));
    }

    /// The content, without white space and breaks at its ends and around breaks.
    fn finish(&mut self, one_line: bool) -> Vec<Value> {
        let nodes = merged(std::mem::take(self).nodes).into_iter().flat_map(wiki_mentions).flat_map(bare_ends);
        let nodes = merged(nodes.collect());
        let mut kept: Vec<Value> = Vec::new();
        for mut node in nodes {
            let at_start = kept.last().is_none_or(|last| last["type"] == "hardBreak");
            if node["type"] == "hardBreak" {
                trim_end(&mut kept);
                if one_line && !kept.is_empty() {
                    node = json!({"type": "text", "text": " "});
                } else if kept.is_empty() {
                    continue;
                }
            } else if at_start && let Some(text) = node["text"].as_str() {
                let text = text.trim_start_matches([' ', '\t', '\n']).to_owned();
                if text.is_empty() {
                    continue;
                }
                node["text"] = json!(text);
            }
            kept.push(node);
        }
        trim_end(&mut kept);
        while kept.last().is_some_and(|last| last["type"] == "hardBreak") {
            kept.pop();
            trim_end(&mut kept);
        }
        merged(kept)
    }
}

/// The same nodes, texts with the same marks as one.
pub(super) fn merged(nodes: Vec<Value>) -> Vec<Value> {
    let mut whole: Vec<Value> = Vec::new();
    for node in nodes {
        match whole.last_mut() {
            Some(last)
                if last["type"] == "text" && node["type"] == "text" && last.get("marks") == node.get("marks") =>
            {
                let both = [&*last, &node].map(|node| node["text"].as_str().unwrap_or_default()).concat();
                last["text"] = json!(both);
            }
            _ => whole.push(node),
        }
    }
    whole
}

/// White space at the ends of marked text carries no mark: nobody sees it, and in Markdown it can
/// carry none.
pub(super) fn bare_ends(node: Value) -> Vec<Value> {
    let has_code = node["marks"].as_array().is_none_or(|marks| marks.iter().any(|mark| mark["type"] == "code"));
    let Some(text) = node["text"].as_str().filter(|text| !has_code && text.trim() != *text) else {
        return vec![node];
    };
    let plain = |text: &str| json!({"type": "text", "text": text});
    let (start, inner) = (text.len() - text.trim_start().len(), text.trim());
    if inner.is_empty() {
        return vec![plain(text)];
    }
    let mut marked = node.clone();
    marked["text"] = json!(inner);
    let parts = [plain(&text[..start]), marked, plain(&text[start + inner.len()..])];
    parts.into_iter().filter(|part| part["text"] != "").collect()
}

/// Jira's older way to mention somebody, `[~accountid:…]`, inside a text.
fn wiki_mentions(node: Value) -> Vec<Value> {
    const SIGN: &str = "[~accountid:";
    let has_code = node["marks"].as_array().is_some_and(|marks| marks.iter().any(|mark| mark["type"] == "code"));
    let Some(mut rest) = node["text"].as_str().filter(|text| !has_code && text.contains(SIGN)) else {
        return vec![node];
    };
    let text = |text: &str| {
        let mut part = node.clone();
        part["text"] = json!(text);
        (!text.is_empty()).then_some(part)
    };
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(start) = rest[from..].find(SIGN).map(|start| from + start) {
        let id = &rest[start + SIGN.len()..];
        match id.split_once(']').filter(|(id, _)| is_account(id)) {
            Some((id, after)) => {
                parts.extend(text(&rest[..start]));
                parts.push(json!({"type": "mention", "attrs": {"id": id}}));
                rest = after;
                from = 0;
            }
            None => from = start + SIGN.len(),
        }
    }
    parts.extend(text(rest));
    parts
}

fn trim_end(nodes: &mut Vec<Value>) {
    while let Some(last) = nodes.last_mut() {
        let Some(text) = last["text"].as_str() else { return };
        let trimmed = text.trim_end_matches([' ', '\t', '\n']).to_owned();
        if !trimmed.is_empty() {
            last["text"] = json!(trimmed);
            return;
        }
        nodes.pop();
    }
}

/// Whether the link may be one: no script, no data.
fn is_safe(href: &str) -> bool {
    let scheme = href.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        None => !href.is_empty(),
        Some("http" | "https" | "mailto" | "tel" | "ftp" | "ftps") => true,
        // `docs/a:b`, `#a:b` and `?a:b` have no scheme.
        Some(scheme) => scheme.contains(['/', '#', '?']),
    }
}

/// The published form of an account id: at most 128 letters, digits, `:`, `-` and `_`.
pub(super) fn is_account(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_'))
}

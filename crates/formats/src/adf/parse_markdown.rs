//! Markdown text → a tree of blocks of bounded depth. Inline content is ADF already: texts with
//! marks, line breaks, mentions. A line break in a paragraph is one in the document, because what
//! models write has its breaks on purpose.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use super::bare_links::{escaped, hide, is_escaped};
use super::parse_inline::InlineBuilder;

/// Deeper lists and quotes are read as if they were at this depth.
const MAX_DEPTH: usize = 20;

/// A block of a text.
#[derive(Debug)]
pub(super) enum MarkdownBlock {
    Paragraph(Vec<Value>),
    Heading(u8, Vec<Value>),
    Code {
        language: String,
        text: String,
    },
    Rule,
    Quote(Vec<MarkdownBlock>),
    List {
        start: Option<u64>,
        items: Vec<ListItem>,
    },
    /// Rows of cells; the first row is the head.
    Table(Vec<Vec<Vec<Value>>>),
}

/// An item of a list.
#[derive(Debug, Default)]
pub(super) struct ListItem {
    /// Whether the task is done, where it is one.
    pub(super) done: Option<bool>,
    pub(super) blocks: Vec<MarkdownBlock>,
}

/// A block that is still open.
enum OpenContainer {
    Quote(Vec<MarkdownBlock>),
    List { start: Option<u64>, items: Vec<ListItem> },
    ListItem(ListItem),
    Table { rows: Vec<Vec<Vec<Value>>> },
}

#[derive(Default)]
struct BlockBuilder {
    whole: Vec<MarkdownBlock>,
    open: Vec<OpenContainer>,
    /// How many containers are open below the deepest one that counts.
    too_deep: usize,
    inline: InlineBuilder,
    /// Whether there is inline content without a paragraph around it, as in short list items.
    loose: bool,
    code: Option<(String, String)>,
    heading: Option<u8>,
    html: Option<String>,
}

/// Parses Markdown. Signs of its texts are hidden, as `bare_links` explains.
pub(super) fn parse(text: &str) -> Vec<MarkdownBlock> {
    let text = hide(text);
    let mut builder = BlockBuilder::default();
    for (event, range) in Parser::new_ext(&text, options()).into_offset_iter() {
        let is_plain = builder.code.is_none() && builder.html.is_none();
        builder.take(match event {
            // Behind a backslash the parser begins a new text.
            Event::Text(part) if is_plain && is_escaped(&text, range.start) => Event::Text(escaped(&part).into()),
            event => event,
        });
    }
    builder.end_loose();
    builder.whole
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// Returns where a text is code, in bytes, in order.
pub(super) fn code_ranges(text: &str) -> Vec<Range<usize>> {
    let is_code = |event: &Event<'_>| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_)));
    let events = Parser::new_ext(text, options()).into_offset_iter();
    events.filter(|(event, _)| is_code(event)).map(|(_, range)| range).collect()
}

impl BlockBuilder {
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
            Event::SoftBreak | Event::HardBreak => self.inline().line_break(),
            Event::FootnoteReference(text) => self.inline().text(&format!("[^{text}]")),
            Event::Rule => self.push(MarkdownBlock::Rule),
            Event::TaskListMarker(done) => {
                if self.too_deep == 0
                    && let Some(OpenContainer::ListItem(item)) = self.open.last_mut()
                {
                    item.done = Some(done);
                }
            }
        }
    }

    /// Returns the current inline content; outside of a paragraph it is that of a list item.
    fn inline(&mut self) -> &mut InlineBuilder {
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
            Tag::BlockQuote(_) => self.open(OpenContainer::Quote(Vec::new())),
            Tag::List(start) => self.open(OpenContainer::List { start, items: Vec::new() }),
            Tag::Item => self.open(OpenContainer::ListItem(ListItem::default())),
            Tag::Table(_) => self.open(OpenContainer::Table { rows: Vec::new() }),
            Tag::TableHead | Tag::TableRow => {
                if let Some(OpenContainer::Table { rows }) = self.open.last_mut() {
                    rows.push(Vec::new());
                }
            }
            Tag::TableCell => self.inline = InlineBuilder::default(),
            Tag::Strong => self.inline().strong += 1,
            Tag::Emphasis => self.inline().em += 1,
            Tag::Strikethrough => self.inline().strike += 1,
            Tag::Link { link_type: LinkType::Email, dest_url, .. } => {
                self.inline().start_link(format!("mailto:{dest_url}"));
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.inline().start_link(dest_url.into_string());
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
                self.push_plain(MarkdownBlock::Heading(level, nodes));
            }
            TagEnd::CodeBlock => {
                if let Some((language, text)) = self.code.take() {
                    let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                    self.push_plain(MarkdownBlock::Code { language, text });
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
                    Some(OpenContainer::Table { rows }) => {
                        if let Some(row) = rows.last_mut() {
                            row.push(nodes);
                        }
                    }
                    // The table was too deep to be opened.
                    _ => self.push_plain(MarkdownBlock::Paragraph(nodes)),
                }
            }
            TagEnd::Strong => self.inline.strong = self.inline.strong.saturating_sub(1),
            TagEnd::Emphasis => self.inline.em = self.inline.em.saturating_sub(1),
            TagEnd::Strikethrough => self.inline.strike = self.inline.strike.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => self.inline.end_link(),
            _ => {}
        }
    }

    /// Ends inline content without a paragraph, where a block begins or the container ends.
    fn end_loose(&mut self) {
        if std::mem::take(&mut self.loose) {
            self.push_paragraph();
        }
    }

    /// Adds the inline content so far as a paragraph, if there is any.
    fn push_paragraph(&mut self) {
        let nodes = self.inline.finish(false);
        if !nodes.is_empty() {
            self.push_plain(MarkdownBlock::Paragraph(nodes));
        }
    }

    fn open(&mut self, container: OpenContainer) {
        self.end_loose();
        // An item belongs to its list: both are opened or neither.
        let deep =
            self.too_deep > 0 || self.open.len() >= MAX_DEPTH && !matches!(container, OpenContainer::ListItem(_));
        if deep {
            self.too_deep += 1;
        } else {
            self.open.push(container);
        }
    }

    fn close(&mut self) {
        self.end_loose();
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let block = match self.open.pop() {
            Some(OpenContainer::Quote(blocks)) => MarkdownBlock::Quote(blocks),
            Some(OpenContainer::List { start, items }) => MarkdownBlock::List { start, items },
            Some(OpenContainer::Table { rows }) => MarkdownBlock::Table(rows),
            Some(OpenContainer::ListItem(item)) => {
                if let Some(OpenContainer::List { items, .. }) = self.open.last_mut() {
                    items.push(item);
                }
                return;
            }
            None => return,
        };
        self.push_plain(block);
    }

    fn push(&mut self, block: MarkdownBlock) {
        self.end_loose();
        self.push_plain(block);
    }

    fn push_plain(&mut self, block: MarkdownBlock) {
        match self.open.last_mut() {
            Some(OpenContainer::Quote(blocks)) => blocks.push(block),
            Some(OpenContainer::ListItem(item)) => item.blocks.push(block),
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

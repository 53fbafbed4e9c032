//! An ADF document → Markdown. Nodes that Markdown lacks become their text. Work and output are
//! bounded, however deep, wide or malformed the document is: every node counts, a table's empty cells
//! too, and so does every byte that is written, whether the document has it or its layout adds it.

use std::cell::Cell;

use serde_json::Value;
use toolwright_model::answer_limits::{DOCUMENT_BYTES, DOCUMENT_DEPTH, DOCUMENT_NODES};

use super::parse_inline::ACCOUNT;
use super::write_inline::{self, InlineLayout, address};

/// The bytes of a table's cell, or of a quoted line, beside its text.
const CELL: usize = 3;
/// The mark at the end of a document of which something was left out.
const CUT: &str = "… (cut)";

/// Writes a document's content as Markdown. `left` is how many bytes all documents of an answer may still become.
pub(super) fn markdown(document: &Value, left: &mut usize) -> String {
    let bytes = DOCUMENT_BYTES.min(*left);
    let reader = DocumentReader { nodes: Cell::new(DOCUMENT_NODES), bytes: Cell::new(bytes), cut: Cell::new(false) };
    let mut text = reader.blocks(children(document), 0, "\n\n");
    *left = left.saturating_sub(text.len());
    if reader.cut.get() {
        text.push_str("\n\n");
        text.push_str(CUT);
    }
    text
}

struct DocumentReader {
    /// How many nodes may still be read.
    nodes: Cell<usize>,
    /// How many bytes may still be written.
    bytes: Cell<usize>,
    /// Whether something was left out.
    cut: Cell<bool>,
}

fn children(node: &Value) -> &[Value] {
    node["content"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn kind(node: &Value) -> &str {
    node["type"].as_str().unwrap_or_default()
}

fn is_inline(node: &Value) -> bool {
    matches!(
        kind(node),
        "text"
            | "hardBreak"
            | "mention"
            | "emoji"
            | "date"
            | "status"
            | "inlineCard"
            | "placeholder"
            | "inlineExtension"
            | "mediaInline"
    )
}

/// About how many bytes an inline node becomes: its text, and the addresses of cards and links.
fn inline_bytes(node: &Value) -> usize {
    let length = |text: &Value| text.as_str().map_or(0, str::len);
    let attrs = &node["attrs"];
    // A card's address is its text, too.
    let card = 2 * length(&attrs["url"]).max(length(&attrs["data"]["url"])).max(length(&attrs["data"]["@id"]));
    let marks = node["marks"].as_array().into_iter().flatten();
    length(&node["text"]) + card + marks.map(|mark| length(&mark["attrs"]["href"])).sum::<usize>()
}

impl DocumentReader {
    /// Takes one more node of so many bytes from the budget; returns whether it has room.
    fn room(&self, depth: usize, bytes: usize) -> bool {
        let nodes = self.nodes.get();
        if depth > DOCUMENT_DEPTH || nodes == 0 {
            self.cut.set(true);
            return false;
        }
        self.nodes.set(nodes - 1);
        self.signs(bytes)
    }

    /// Takes so many bytes from the budget; returns whether there is room for them.
    fn signs(&self, bytes: usize) -> bool {
        // What takes no bytes of its own may still become some.
        let left = self.bytes.get().checked_sub(bytes).filter(|_| self.bytes.get() > 0);
        self.bytes.set(left.unwrap_or_default());
        self.cut.set(self.cut.get() || left.is_none());
        left.is_some()
    }

    /// Counts what a single node became. It is shown in any case, and what comes after it has no room.
    fn counted(&self, text: String) -> String {
        self.bytes.set(self.bytes.get().saturating_sub(text.len()));
        text
    }

    fn blocks(&self, nodes: &[Value], depth: usize, between: &str) -> String {
        let mut blocks: Vec<String> = Vec::new();
        let mut before: (&str, bool) = ("", false);
        let mut rest = nodes;
        while let Some((node, after)) = rest.split_first() {
            if is_inline(node) {
                // Adjacent inline nodes between blocks form one paragraph.
                let count = rest.iter().take_while(|node| is_inline(node)).count();
                blocks.push(self.inline(&rest[..count], InlineLayout::Lines, depth));
                rest = &rest[count..];
                continue;
            }
            rest = after;
            if !self.room(depth, 0) {
                break;
            }
            // Markdown joins two adjacent lists that have the same sign.
            let family = match kind(node) {
                "taskList" | "decisionList" => "bulletList",
                kind => kind,
            };
            let other = before.0 == family && !before.1;
            before = (family, other);
            blocks.push(self.block(node, other, depth));
        }
        blocks.retain(|block| !block.is_empty());
        blocks.join(between)
    }

    fn block(&self, node: &Value, other: bool, depth: usize) -> String {
        let nodes = children(node);
        let attrs = &node["attrs"];
        let bullet = if other { "*" } else { "-" };
        match kind(node) {
            "paragraph" => self.inline(nodes, InlineLayout::Lines, depth),
            "heading" => {
                let level = attrs["level"].as_u64().unwrap_or(1).clamp(1, 6);
                let text = self.inline(nodes, InlineLayout::OneLine, depth);
                let signs = "#".repeat(usize::try_from(level).unwrap_or(1));
                format!("{signs} {text}").trim_end_matches(' ').to_owned()
            }
            "codeBlock" => self.code(nodes, attrs["language"].as_str().unwrap_or_default(), depth),
            "rule" => "---".to_owned(),
            "blockquote" => self.quoted(&self.blocks(nodes, depth + 1, "\n\n")),
            "panel" => {
                let what = self.counted(plain(attrs["panelType"].as_str().unwrap_or("panel")));
                let text = self.blocks(nodes, depth + 1, "\n\n");
                self.quoted(&format!("**{what}**\n\n{text}"))
            }
            "expand" | "nestedExpand" => {
                let text = self.blocks(nodes, depth + 1, "\n\n");
                match attrs["title"].as_str().map(plain).filter(|title| !title.is_empty()) {
                    Some(title) => format!("**{}**\n\n{text}", self.counted(title)),
                    None => text,
                }
            }
            "bulletList" => self.list(nodes, depth, |_| bullet.to_owned()),
            "orderedList" => {
                let from = attrs["order"].as_u64().unwrap_or(1);
                let end = if other { ')' } else { '.' };
                self.list(nodes, depth, |index| format!("{}{end}", from.saturating_add(index).min(999_999_999)))
            }
            "taskList" => self.tasks(nodes, depth, bullet),
            "decisionList" => {
                let items = nodes.iter().filter(|_| self.room(depth, 0));
                let items = items.map(|item| {
                    format!("{bullet} Decision: {}", self.inline(children(item), InlineLayout::OneLine, depth))
                });
                items.collect::<Vec<_>>().join("\n")
            }
            "table" => self.table(nodes, depth),
            "mediaGroup" => {
                let files = nodes.iter().filter(|_| self.room(depth, 0)).map(|node| self.counted(media(node)));
                files.collect::<Vec<_>>().join("\n\n")
            }
            "media" => self.counted(media(node)),
            "blockCard" | "embedCard" => self.counted(self.other(node)),
            "extension" | "bodiedExtension" if nodes.is_empty() => {
                self.counted(plain(attrs["text"].as_str().unwrap_or_default()))
            }
            _ if nodes.is_empty() => {
                self.counted(plain(node["text"].as_str().or(attrs["text"].as_str()).unwrap_or_default()))
            }
            _ => self.blocks(nodes, depth + 1, "\n\n"),
        }
    }

    fn inline(&self, nodes: &[Value], layout: InlineLayout, depth: usize) -> String {
        let before = self.bytes.get();
        let count = nodes.iter().take_while(|node| self.room(depth, inline_bytes(node))).count();
        let taken = before - self.bytes.get();
        let text = write_inline::write(&nodes[..count], layout, |node| self.other(node));
        // Signs and addresses.
        self.bytes.set(self.bytes.get().saturating_sub(text.len().saturating_sub(taken)));
        text
    }

    /// Writes an inline node other than text.
    fn other(&self, node: &Value) -> String {
        let attrs = &node["attrs"];
        let text = |key: &str| attrs[key].as_str().unwrap_or_default();
        match kind(node) {
            "mention" => {
                let name = text("text").trim_start_matches('@');
                let name =
                    write_inline::escape(if name.is_empty() { text("id") } else { name }, true, InlineLayout::Lines);
                format!("@[{name}]({})", address(&format!("{ACCOUNT}{}", text("id"))))
            }
            "emoji" => plain(if text("text").is_empty() { text("shortName") } else { text("text") }),
            "date" => date(text("timestamp")),
            "status" => format!("[{}]", plain(text("text"))),
            "inlineCard" | "blockCard" | "embedCard" => {
                let data = |key: &str| attrs["data"][key].as_str();
                let url = attrs["url"].as_str().or_else(|| data("url")).or_else(|| data("@id")).unwrap_or_default();
                if url.is_empty() {
                    plain(data("name").unwrap_or_default())
                } else {
                    format!("[{}]({})", write_inline::escape(url, true, InlineLayout::Lines), address(url))
                }
            }
            "mediaInline" | "media" => media(node),
            _ if !children(node).is_empty() => self.inline(children(node), InlineLayout::OneLine, DOCUMENT_DEPTH),
            _ => plain(node["text"].as_str().unwrap_or_else(|| text("text"))),
        }
    }

    fn code(&self, nodes: &[Value], language: &str, depth: usize) -> String {
        let mut text = String::new();
        for node in nodes {
            let part = node["text"].as_str().unwrap_or_default();
            if !self.room(depth, part.len()) {
                break;
            }
            text.push_str(part);
        }
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let language: String = language.chars().filter(|c| !c.is_whitespace() && *c != '`').collect();
        let end = if text.is_empty() { "" } else { "\n" };
        format!("{fence}{}\n{text}{end}{fence}", write_inline::escape(&language, false, InlineLayout::Lines))
    }

    fn list(&self, items: &[Value], depth: usize, sign: impl Fn(u64) -> String) -> String {
        let mut lines = Vec::new();
        for (index, item) in (0..).zip(items) {
            if !self.room(depth, 0) {
                break;
            }
            lines.push(self.item(&sign(index), children(item), depth + 1));
        }
        lines.join("\n")
    }

    /// Writes an item; its further blocks are indented to the text of the first.
    fn item(&self, sign: &str, nodes: &[Value], depth: usize) -> String {
        let empty_first = nodes.first().is_some_and(|first| kind(first) == "paragraph" && children(first).is_empty());
        let nodes = if empty_first { &nodes[1..] } else { nodes };
        let short = nodes.iter().skip(usize::from(!empty_first)).all(may_follow);
        let text = self.blocks(nodes, depth, if short { "\n" } else { "\n\n" });
        let indent = " ".repeat(sign.len() + 1);
        let mut out = sign.to_owned();
        for (index, line) in text.lines().enumerate() {
            match (index, empty_first && !text.is_empty()) {
                (0, false) => out.push(' '),
                (0, true) => {
                    out.push('\n');
                    out.push_str(&indent);
                }
                _ if !self.signs(indent.len() + 1) => break,
                _ => {
                    out.push('\n');
                    if !line.is_empty() {
                        out.push_str(&indent);
                    }
                }
            }
            out.push_str(line);
        }
        out
    }

    fn tasks(&self, nodes: &[Value], depth: usize, bullet: &str) -> String {
        let mut lines = Vec::new();
        for node in nodes {
            if !self.room(depth, 0) {
                break;
            }
            if kind(node) == "taskList" {
                let inner = self.tasks(children(node), depth + 1, bullet);
                lines.extend(inner.lines().take_while(|_| self.signs(3)).map(|line| format!("  {line}")));
            } else {
                let sign = if node["attrs"]["state"] == "DONE" { "[x]" } else { "[ ]" };
                let text = self.inline(children(node), InlineLayout::Lines, depth).replace('\n', "\n  ");
                lines.push(format!("{bullet} {sign} {text}"));
            }
        }
        lines.join("\n")
    }

    fn table(&self, rows: &[Value], depth: usize) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        for row in rows {
            if !self.room(depth, 0) {
                break;
            }
            let cells = children(row).iter().take_while(|_| self.room(depth, CELL));
            lines.push(cells.map(|cell| self.cell(cell, depth)).collect());
        }
        let head = rows.first().is_some_and(|row| children(row).iter().any(|cell| kind(cell) == "tableHeader"));
        let width = lines.iter().map(Vec::len).max().unwrap_or_default();
        if width == 0 {
            return String::new();
        }
        if !head {
            lines.insert(0, Vec::new());
        }
        // Its first line says how many columns a table has; the others may have fewer cells.
        lines[0].resize(width, String::new());
        lines.insert(1, vec!["---".to_owned(); width]);
        self.bytes.set(self.bytes.get().saturating_sub(3 * CELL * width));
        let line = |cells: &Vec<String>| format!("| {} |", cells.join(" | "));
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn quoted(&self, text: &str) -> String {
        let line = |line: &str| if line.is_empty() { ">".to_owned() } else { format!("> {line}") };
        if text.is_empty() {
            return line(text);
        }
        text.lines().take_while(|_| self.signs(CELL)).map(line).collect::<Vec<_>>().join("\n")
    }

    /// Writes a cell: its blocks in one line.
    fn cell(&self, cell: &Value, depth: usize) -> String {
        let blocks = children(cell).iter().filter(|_| self.room(depth, 0)).map(|block| {
            if kind(block) == "paragraph" {
                return self.inline(children(block), InlineLayout::Cell, depth);
            }
            let text = self.block(block, false, depth + 1);
            let lines = text.lines().filter(|line| !line.trim().is_empty()).map(|line| line.trim_end_matches('\\'));
            lines.collect::<Vec<_>>().join("<br>").replace('|', "\\|")
        });
        blocks.filter(|block| !block.is_empty()).collect::<Vec<_>>().join("<br>")
    }
}

/// Writes `[file report.pdf]`; the file itself is among the attachments.
fn media(node: &Value) -> String {
    let attrs = &node["attrs"];
    let known = ["__fileName", "alt", "url", "id"].iter().find_map(|key| attrs[*key].as_str());
    format!("[file {}]", plain(known.unwrap_or("of no name")))
}

/// Returns milliseconds since 1970 as a date.
fn date(timestamp: &str) -> String {
    let moment = timestamp.parse().ok().and_then(chrono::DateTime::from_timestamp_millis);
    moment.map_or_else(|| plain(timestamp), |moment| moment.format("%Y-%m-%d").to_string())
}

fn plain(text: &str) -> String {
    write_inline::escape(text.trim(), false, InlineLayout::Lines)
}

/// Returns whether Markdown takes the block as one directly after a line of text.
fn may_follow(node: &Value) -> bool {
    let counts_from_one = node["attrs"].get("order").is_none_or(|order| *order == 1);
    let begins = &node["content"][0]["content"][0];
    matches!(kind(node), "bulletList" | "orderedList")
        && counts_from_one
        && (kind(begins) == "codeBlock" || !children(begins).is_empty())
}

//! Blocks of Markdown → an ADF document in which each node holds only what the published structure
//! allows. A block in a place where ADF forbids it becomes the most similar one that is allowed.

use serde_json::{Value, json};

use super::parse_inline::{bare_ends, merged, trim_end};
use super::parse_markdown::{ListItem, MarkdownBlock};

/// The node that holds a block: each kind allows other blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Document,
    Quote,
    ListItem,
}

/// Writes a document.
pub(super) fn document(blocks: Vec<MarkdownBlock>) -> Value {
    let mut writer = DocumentWriter::default();
    let mut content = Vec::new();
    writer.blocks(blocks, Container::Document, &mut content);
    json!({"type": "doc", "version": 1, "content": content})
}

#[derive(Default)]
struct DocumentWriter {
    /// Tasks need ids that are unique in the document.
    tasks: usize,
}

impl DocumentWriter {
    fn blocks(&mut self, blocks: Vec<MarkdownBlock>, container: Container, out: &mut Vec<Value>) {
        for block in blocks {
            self.block(block, container, out);
        }
    }

    fn block(&mut self, block: MarkdownBlock, container: Container, out: &mut Vec<Value>) {
        match (block, container) {
            (MarkdownBlock::Paragraph(nodes), _) => out.push(paragraph(nodes)),
            (MarkdownBlock::Heading(level, nodes), Container::Document) => {
                out.push(json!({"type": "heading", "attrs": {"level": level}, "content": nodes}));
            }
            (MarkdownBlock::Heading(_, nodes), _) if nodes.is_empty() => {}
            (MarkdownBlock::Heading(_, nodes), _) => {
                out.push(paragraph(nodes.into_iter().map(strong).flat_map(bare_ends).collect()));
            }
            (MarkdownBlock::Code { language, text }, _) => out.push(code(&language, &text)),
            (MarkdownBlock::Rule, Container::Document) => out.push(json!({"type": "rule"})),
            (MarkdownBlock::Rule, _) => out.push(paragraph(vec![json!({"type": "text", "text": "---"})])),
            (MarkdownBlock::Quote(blocks), Container::Document) => {
                let mut content = Vec::new();
                self.blocks(blocks, Container::Quote, &mut content);
                if content.is_empty() {
                    content.push(paragraph(Vec::new()));
                }
                out.push(json!({"type": "blockquote", "content": content}));
            }
            // ADF allows a quote neither in another one nor in a list.
            (MarkdownBlock::Quote(blocks), container) => self.blocks(blocks, container, out),
            (MarkdownBlock::List { items, .. }, Container::Document) if is_tasks(&items) => out.push(self.tasks(items)),
            (MarkdownBlock::List { start, items }, _) => out.push(self.list(start, items)),
            (MarkdownBlock::Table(rows), Container::Document) => out.extend(table(rows)),
            (MarkdownBlock::Table(rows), _) => out.extend(rows.into_iter().map(|row| paragraph(joined(row)))),
        }
    }

    fn list(&mut self, start: Option<u64>, items: Vec<ListItem>) -> Value {
        let content: Vec<Value> = items.into_iter().map(|item| self.item(item)).collect();
        match start {
            None => json!({"type": "bulletList", "content": content}),
            Some(1) => json!({"type": "orderedList", "content": content}),
            Some(start) => json!({"type": "orderedList", "attrs": {"order": start}, "content": content}),
        }
    }

    fn item(&mut self, item: ListItem) -> Value {
        let mut content = Vec::new();
        self.blocks(item.blocks, Container::ListItem, &mut content);
        if let Some(done) = item.done {
            let sign = if done { "[x]" } else { "[ ]" };
            let space = if content.first().is_some_and(|first| first["type"] == "paragraph") { " " } else { "" };
            let sign = json!({"type": "text", "text": format!("{sign}{space}")});
            let first = content.first_mut().filter(|first| first["type"] == "paragraph");
            match first.and_then(|first| first["content"].as_array_mut()) {
                Some(nodes) => {
                    let nodes = std::iter::once(sign).chain(std::mem::take(nodes)).collect();
                    content[0] = paragraph(nodes);
                }
                None => content.insert(0, paragraph(vec![sign])),
            }
        }
        // ADF wants an item to begin with text or code.
        let begins = content.first().is_some_and(|first| first["type"] == "paragraph" || first["type"] == "codeBlock");
        if !begins {
            content.insert(0, paragraph(Vec::new()));
        }
        json!({"type": "listItem", "content": content})
    }

    fn tasks(&mut self, items: Vec<ListItem>) -> Value {
        let list = self.id();
        let mut content = Vec::new();
        for item in items {
            let state = if item.done == Some(true) { "DONE" } else { "TODO" };
            let mut blocks = item.blocks.into_iter().peekable();
            let nodes = match blocks.next_if(|block| matches!(block, MarkdownBlock::Paragraph(_))) {
                Some(MarkdownBlock::Paragraph(nodes)) => nodes,
                _ => Vec::new(),
            };
            let attrs = json!({"localId": self.id(), "state": state});
            content.push(json!({"type": "taskItem", "attrs": attrs, "content": nodes}));
            // In ADF, sub-tasks follow their task as siblings.
            for block in blocks {
                if let MarkdownBlock::List { items, .. } = block {
                    content.push(self.tasks(items));
                }
            }
        }
        json!({"type": "taskList", "attrs": {"localId": list}, "content": content})
    }

    fn id(&mut self) -> String {
        self.tasks += 1;
        format!("task-{}", self.tasks)
    }
}

/// Returns whether ADF can have the list as tasks: each item is a task with text and sub-tasks only.
fn is_tasks(items: &[ListItem]) -> bool {
    let plain = |item: &ListItem| {
        item.done.is_some()
            && item.blocks.iter().enumerate().all(|(index, block)| match block {
                MarkdownBlock::Paragraph(_) => index == 0,
                MarkdownBlock::List { items, start: None } => is_tasks(items),
                _ => false,
            })
    };
    !items.is_empty() && items.iter().all(plain)
}

fn paragraph(nodes: Vec<Value>) -> Value {
    json!({"type": "paragraph", "content": merged(nodes)})
}

fn code(language: &str, text: &str) -> Value {
    let mut block = json!({"type": "codeBlock"});
    if !language.is_empty() {
        block["attrs"] = json!({"language": language});
    }
    if !text.is_empty() {
        block["content"] = json!([{"type": "text", "text": text}]);
    }
    block
}

/// Returns the text as strong, unless it is code, which can't be.
fn strong(mut node: Value) -> Value {
    let is_code = |mark: &Value| mark["type"] == "code" || mark["type"] == "strong";
    if node["type"] != "text" || node["marks"].as_array().is_some_and(|marks| marks.iter().any(is_code)) {
        return node;
    }
    let mut marks = vec![json!({"type": "strong"})];
    marks.extend(node["marks"].as_array().cloned().unwrap_or_default());
    node["marks"] = Value::Array(marks);
    node
}

fn table(rows: Vec<Vec<Vec<Value>>>) -> Option<Value> {
    let mut content = Vec::new();
    for (index, row) in rows.into_iter().enumerate().filter(|(_, row)| !row.is_empty()) {
        let kind = if index == 0 { "tableHeader" } else { "tableCell" };
        let cells: Vec<Value> =
            row.into_iter().map(|nodes| json!({"type": kind, "content": [paragraph(nodes)]})).collect();
        content.push(json!({"type": "tableRow", "content": cells}));
    }
    (!content.is_empty()).then(|| json!({"type": "table", "content": content}))
}

/// Returns the cells of a row as one text.
fn joined(row: Vec<Vec<Value>>) -> Vec<Value> {
    let mut nodes = Vec::new();
    for (index, cell) in row.into_iter().enumerate() {
        if index > 0 {
            nodes.push(json!({"type": "text", "text": " | "}));
        }
        nodes.extend(cell);
    }
    // After the last separator there may be nothing.
    trim_end(&mut nodes);
    nodes
}

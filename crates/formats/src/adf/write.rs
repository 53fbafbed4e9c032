//! Blocks → an ADF document in which each node holds only what the published structure allows
//! there. What may not stand where Markdown has it becomes the nearest thing that may.

use serde_json::{Value, json};

use super::markdown::{Block, Item, bare_ends, merged};

/// What a block stands in, for what it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Doc,
    Quote,
    Item,
}

/// Writes a document.
pub(super) fn document(blocks: Vec<Block>) -> Value {
    let mut writer = Writer::default();
    let mut content = Vec::new();
    writer.blocks(blocks, Within::Doc, &mut content);
    json!({"type": "doc", "version": 1, "content": content})
}

#[derive(Default)]
struct Writer {
    /// Tasks need ids that are unique in the document.
    tasks: usize,
}

impl Writer {
    fn blocks(&mut self, blocks: Vec<Block>, within: Within, out: &mut Vec<Value>) {
        for block in blocks {
            self.block(block, within, out);
        }
    }

    fn block(&mut self, block: Block, within: Within, out: &mut Vec<Value>) {
        match (block, within) {
            (Block::Paragraph(nodes), _) => out.push(paragraph(nodes)),
            (Block::Heading(level, nodes), Within::Doc) => {
                out.push(json!({"type": "heading", "attrs": {"level": level}, "content": nodes}));
            }
            (Block::Heading(_, nodes), _) if nodes.is_empty() => {}
            (Block::Heading(_, nodes), _) => {
                out.push(paragraph(nodes.into_iter().map(strong).flat_map(bare_ends).collect()));
            }
            (Block::Code { language, text }, _) => out.push(code(&language, &text)),
            (Block::Rule, Within::Doc) => out.push(json!({"type": "rule"})),
            (Block::Rule, _) => out.push(paragraph(vec![json!({"type": "text", "text": "---"})])),
            (Block::Quote(blocks), Within::Doc) => {
                let mut content = Vec::new();
                self.blocks(blocks, Within::Quote, &mut content);
                if content.is_empty() {
                    content.push(paragraph(Vec::new()));
                }
                out.push(json!({"type": "blockquote", "content": content}));
            }
            // A quote may stand in no other, and in no list.
            (Block::Quote(blocks), within) => self.blocks(blocks, within, out),
            (Block::List { items, .. }, Within::Doc) if is_tasks(&items) => out.push(self.tasks(items)),
            (Block::List { start, items }, _) => out.push(self.list(start, items)),
            (Block::Table(rows), Within::Doc) => out.extend(table(rows)),
            (Block::Table(rows), _) => out.extend(rows.into_iter().map(|row| paragraph(joined(row)))),
        }
    }

    fn list(&mut self, start: Option<u64>, items: Vec<Item>) -> Value {
        let content: Vec<Value> = items.into_iter().map(|item| self.item(item)).collect();
        match start {
            None => json!({"type": "bulletList", "content": content}),
            Some(1) => json!({"type": "orderedList", "content": content}),
            Some(start) => json!({"type": "orderedList", "attrs": {"order": start}, "content": content}),
        }
    }

    fn item(&mut self, item: Item) -> Value {
        let mut content = Vec::new();
        self.blocks(item.blocks, Within::Item, &mut content);
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
        // An item begins with a text or with code, never with a list.
        let begins = content.first().is_some_and(|first| first["type"] == "paragraph" || first["type"] == "codeBlock");
        if !begins {
            content.insert(0, paragraph(Vec::new()));
        }
        json!({"type": "listItem", "content": content})
    }

    fn tasks(&mut self, items: Vec<Item>) -> Value {
        let list = self.id();
        let mut content = Vec::new();
        for item in items {
            let state = if item.done == Some(true) { "DONE" } else { "TODO" };
            let mut blocks = item.blocks.into_iter().peekable();
            let nodes = match blocks.next_if(|block| matches!(block, Block::Paragraph(_))) {
                Some(Block::Paragraph(nodes)) => nodes,
                _ => Vec::new(),
            };
            let attrs = json!({"localId": self.id(), "state": state});
            content.push(json!({"type": "taskItem", "attrs": attrs, "content": nodes}));
            // Further tasks stand beside the item that they belong to.
            for block in blocks {
                if let Block::List { items, .. } = block {
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

/// Whether a list can be one of tasks: each item is one, and holds a text and further tasks only.
fn is_tasks(items: &[Item]) -> bool {
    let plain = |item: &Item| {
        item.done.is_some()
            && item.blocks.iter().enumerate().all(|(index, block)| match block {
                Block::Paragraph(_) => index == 0,
                Block::List { items, start: None } => is_tasks(items),
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

/// The same text, strong where that may be.
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

/// A row as one text.
fn joined(row: Vec<Vec<Value>>) -> Vec<Value> {
    let mut nodes = Vec::new();
    for (index, cell) in row.into_iter().enumerate() {
        if index > 0 {
            nodes.push(json!({"type": "text", "text": " | "}));
        }
        nodes.extend(cell);
    }
    nodes
}

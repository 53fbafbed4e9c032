//! Changes of single values → the text of a YAML or JSON file with only these changed: order, words,
//! comments and style of everything else stay.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use super::yaml_tree::{Entry, Node, NodeKind};
use crate::import::yaml;
use toolwright_codegen::read::reference::escape;

/// A file and the changes that are to be made to it, by JSON pointer.
pub(super) struct Editor {
    text: String,
    root: Node,
    is_json: bool,
    changes: BTreeMap<String, Change>,
    /// What is added to a mapping or a list, in order.
    added: BTreeMap<String, Vec<Added>>,
    comments: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Change {
    Remove,
    Value(Value),
    /// A text as it is written.
    Text(String),
    /// Another key.
    Key(String),
}

#[derive(Debug, Clone, PartialEq)]
struct Added {
    /// Empty in a list.
    key: String,
    content: Content,
    /// The key after which it is written; at the end where it is missing.
    after: Option<String>,
}

/// What is added.
#[derive(Debug, Clone, PartialEq)]
enum Content {
    Value(Value),
    /// Lines that are indented as those at the start of a file are.
    Lines(String),
}

impl Editor {
    /// Reads a file.
    ///
    /// # Errors
    /// It is no YAML.
    pub(super) fn new(text: &str, is_json: bool) -> Result<Self, String> {
        let mut text = text.to_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let root = Node::parse(&text)?;
        Ok(Self { text, root, is_json, changes: BTreeMap::new(), added: BTreeMap::new(), comments: BTreeMap::new() })
    }

    fn key(&self, key: &str) -> String {
        if self.is_json { Value::from(key).to_string() } else { yaml::in_flow(key) }
    }

    fn line(&self, value: &Value) -> String {
        if self.is_json { value.to_string() } else { yaml::flow_line(value) }
    }

    /// Whether there is a value at `pointer` that this editor can change.
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.root.at(pointer).is_some()
    }

    pub(super) fn remove(&mut self, pointer: &str) {
        self.changes.insert(pointer.to_owned(), Change::Remove);
    }

    /// Renames the last key of `pointer`.
    pub(super) fn rename(&mut self, pointer: &str, key: &str) {
        self.changes.insert(pointer.to_owned(), Change::Key(key.to_owned()));
    }

    /// Writes a scalar at `pointer`, in place of one, as the file is to have it.
    pub(super) fn set_text(&mut self, pointer: &str, text: String) {
        self.changes.insert(pointer.to_owned(), Change::Text(text));
    }

    /// Writes a value at `pointer`; one that is new comes after the nearest of the keys before it in `order`.
    pub(super) fn set(&mut self, pointer: &str, value: Value, order: &[&str]) {
        if self.root.at(pointer).is_some() {
            self.changes.insert(pointer.to_owned(), Change::Value(value));
            return;
        }
        let Some((parent, key)) = pointer.rsplit_once('/') else { return };
        let key = key.replace("~1", "/").replace("~0", "~");
        let known = self.keys(parent);
        let place = order.iter().position(|name| *name == key).unwrap_or_default();
        let after = order[..place].iter().rev().find(|name| known.iter().any(|known| known == *name));
        let after = after.map(|name| (*name).to_owned());
        self.insert(parent, Added { key, content: Content::Value(value), after });
    }

    /// Adds an entry to the mapping at `pointer`: in its order where it has one, else at the end.
    pub(super) fn add(&mut self, pointer: &str, key: &str, value: Value) {
        let after = self.sorted_place(pointer, key);
        self.insert(pointer, Added { key: key.to_owned(), content: Content::Value(value), after });
    }

    /// Adds lines to the list or mapping at `pointer`, indented as those at the start of a file are.
    pub(super) fn add_lines(&mut self, pointer: &str, key: &str, lines: &str) {
        let after = self.sorted_place(pointer, key);
        self.insert(pointer, Added { key: key.to_owned(), content: Content::Lines(lines.to_owned()), after });
    }

    /// Adds an item to the list at `pointer`.
    pub(super) fn push(&mut self, pointer: &str, value: Value) {
        self.insert(pointer, Added { key: String::new(), content: Content::Value(value), after: None });
    }

    /// Writes a comment above the value at `pointer`, unless it is there.
    pub(super) fn comment(&mut self, pointer: &str, text: &str) {
        // JSON has no comments.
        if self.is_json {
            return;
        }
        let line = format!("# {}", text.split_whitespace().collect::<Vec<_>>().join(" "));
        if self.text.lines().any(|known| known.trim() == line) {
            return;
        }
        let comments = self.comments.entry(pointer.to_owned()).or_default();
        if !comments.contains(&line) {
            comments.push(line);
        }
    }

    fn insert(&mut self, pointer: &str, added: Added) {
        let list = self.added.entry(pointer.to_owned()).or_default();
        if !list.contains(&added) && !list.iter().any(|known| !added.key.is_empty() && known.key == added.key) {
            list.push(added);
        }
    }

    fn keys(&self, pointer: &str) -> Vec<&str> {
        match self.root.at(pointer).map(|node| &node.kind) {
            Some(NodeKind::Map { entries, .. }) => entries.iter().map(|entry| entry.key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Where a key belongs: in sorted keys by the alphabet, else after the key that it has most in common with.
    fn sorted_place(&self, pointer: &str, key: &str) -> Option<String> {
        let keys = self.keys(pointer);
        let place = if keys.is_sorted() {
            keys.iter().rev().find(|known| **known < key)
        } else {
            let common = |known: &&&str| known.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
            keys.iter().max_by_key(common)
        };
        place.map(|place| (*place).to_owned())
    }

    /// The text with all changes.
    pub(super) fn finish(self) -> String {
        let mut splices = Splices { editor: &self, list: Vec::new() };
        splices.node(&self.root, "", None);
        let mut list = splices.list;
        list.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        for (range, text) in list {
            // What lies inside of something that was replaced is gone.
            if range.start < at {
                continue;
            }
            out.push_str(&self.text[at..range.start]);
            out.push_str(&text);
            at = range.end;
        }
        out.push_str(&self.text[at..]);
        out
    }
}

/// Replacements of parts of the text.
struct Splices<'e> {
    editor: &'e Editor,
    list: Vec<(Range<usize>, String)>,
}

impl Splices<'_> {
    fn text(&self) -> &str {
        &self.editor.text
    }

    /// Visits a value; `anchor` is the end of the key or dash in front of it.
    fn node(&mut self, node: &Node, pointer: &str, anchor: Option<usize>) {
        let editor = self.editor;
        if let Some(Change::Value(value)) = editor.changes.get(pointer) {
            self.replace(node, value, anchor);
            return;
        }
        if let Some(Change::Text(text)) = editor.changes.get(pointer) {
            self.list.push((node.start..node.end, text.clone()));
            return;
        }
        let added = editor.added.get(pointer).map(Vec::as_slice).unwrap_or_default();
        match &node.kind {
            NodeKind::Map { flow, entries } => {
                let kept = self.entries(entries, pointer, *flow);
                if *flow {
                    let places: Vec<Range<usize>> =
                        entries.iter().map(|entry| entry.key_start..entry.value.end).collect();
                    let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
                    self.flow(node, &places, &kept, &keys, added);
                } else {
                    self.block_map(node, entries, &kept, added, anchor);
                }
            }
            NodeKind::Seq { flow, items } => {
                let kept: Vec<bool> = (0..items.len())
                    .map(|index| editor.changes.get(&format!("{pointer}/{index}")) != Some(&Change::Remove))
                    .collect();
                for (index, item) in items.iter().enumerate().filter(|(index, _)| kept[*index]) {
                    let at = format!("{pointer}/{index}");
                    let dash = if *flow { None } else { self.dash(item.start).map(|dash| dash + 1) };
                    self.comments(&at, dash.map_or(item.start, |dash| dash - 1));
                    self.node(item, &at, dash);
                }
                if *flow {
                    let places: Vec<Range<usize>> = items.iter().map(|item| item.start..item.end).collect();
                    self.flow(node, &places, &kept, &[], added);
                } else {
                    self.block_seq(node, items, &kept, added, anchor);
                }
            }
            NodeKind::Scalar | NodeKind::Alias => {}
        }
    }

    /// Visits the entries that stay; returns which do.
    fn entries(&mut self, entries: &[Entry], pointer: &str, flow: bool) -> Vec<bool> {
        let editor = self.editor;
        let mut kept = Vec::new();
        for entry in entries {
            let at = format!("{pointer}/{}", escape(&entry.key));
            let change = editor.changes.get(&at);
            kept.push(change != Some(&Change::Remove));
            if change == Some(&Change::Remove) {
                continue;
            }
            if let Some(Change::Key(key)) = change {
                let key = if flow { editor.key(key) } else { yaml::scalar(key) };
                self.list.push((entry.key_start..entry.key_end, key));
            }
            self.comments(&at, entry.key_start);
            let colon = self.text()[entry.key_end..].find(':').map_or(entry.key_end, |at| entry.key_end + at + 1);
            self.node(&entry.value, &at, Some(colon));
        }
        kept
    }

    /// Writes comments above the line on which something starts.
    fn comments(&mut self, pointer: &str, start: usize) {
        let Some(comments) = self.editor.comments.get(pointer) else { return };
        let line = self.line_start(start);
        let indent = self.text()[line..].len() - self.text()[line..].trim_start_matches(' ').len();
        let text: Vec<String> = comments.iter().map(|comment| format!("{:indent$}{comment}\n", "")).collect();
        self.list.push((line..line, text.concat()));
    }

    fn replace(&mut self, node: &Node, value: &Value, anchor: Option<usize>) {
        let flow = self.editor.line(value);
        let is_block = matches!(node.kind, NodeKind::Map { flow: false, .. } | NodeKind::Seq { flow: false, .. });
        match anchor {
            Some(anchor) if is_block || node.start == node.end => {
                self.list.push((anchor..node.end.max(anchor), format!(" {flow}")));
            }
            _ => self.list.push((node.start..node.end, flow)),
        }
    }

    /// A mapping or list in braces.
    fn flow(&mut self, node: &Node, places: &[Range<usize>], kept: &[bool], keys: &[&str], added: &[Added]) {
        let editor = self.editor;
        let written = |added: &Added| {
            let value = match &added.content {
                Content::Value(value) => editor.line(value),
                Content::Lines(lines) => lines.trim().to_owned(),
            };
            if added.key.is_empty() { value } else { format!("{}: {value}", editor.key(&added.key)) }
        };
        let Some(last) = kept.iter().rposition(|kept| *kept) else {
            if places.is_empty() && added.is_empty() {
                return;
            }
            // Nothing stays of what is between the braces.
            let text: Vec<String> = added.iter().map(written).collect();
            self.list.push((node.start + 1..node.end - 1, text.join(", ")));
            return;
        };
        for index in (0..last).filter(|index| !kept[*index]) {
            self.list.push((places[index].start..places[index + 1].start, String::new()));
        }
        if last + 1 < places.len() {
            self.list.push((places[last].end..places[places.len() - 1].end, String::new()));
        }
        for one in added {
            let after = one.after.as_ref().and_then(|after| keys.iter().position(|key| key == after));
            let after = after.filter(|index| kept[*index]).unwrap_or(last);
            let at = places[after].end;
            self.list.push((at..at, format!(", {}", written(one))));
        }
    }

    fn block_map(&mut self, node: &Node, entries: &[Entry], kept: &[bool], added: &[Added], anchor: Option<usize>) {
        let indent = self.column(node, entries.first().map_or(node.start, |entry| entry.key_start));
        if !kept.contains(&true) && added.is_empty() && !entries.is_empty() {
            let from = anchor.unwrap_or(node.start);
            self.list.push((from..node.end, if anchor.is_some() { " {}".to_owned() } else { "{}".to_owned() }));
            return;
        }
        for (index, entry) in entries.iter().enumerate().filter(|(index, _)| !kept[*index]) {
            let line = self.line_start(entry.key_start);
            let end = self.line_end(entry.value.end.max(entry.key_end));
            let is_first_of_item = self.text()[line..entry.key_start].trim() != "";
            if is_first_of_item {
                // The dash in front of it goes to the next that stays.
                let next = entries[index..]
                    .iter()
                    .zip(&kept[index..])
                    .find(|(_, kept)| **kept)
                    .map(|(entry, _)| entry.key_start);
                self.list.push((entry.key_start..next.unwrap_or(end - 1), String::new()));
            } else {
                self.list.push((line..self.comments_end(end, indent), String::new()));
            }
        }
        for one in added {
            let after = one.after.as_ref().and_then(|after| entries.iter().find(|entry| entry.key == *after));
            let end = after.or(entries.last()).map_or(node.end, |entry| entry.value.end.max(entry.key_end));
            let at = self.comments_end(self.line_end(end), indent);
            let text = match &one.content {
                Content::Value(value) => yaml::entry_at(&one.key, value, indent),
                Content::Lines(lines) => indented(lines, indent),
            };
            self.list.push((at..at, text));
        }
    }

    fn block_seq(&mut self, node: &Node, items: &[Node], kept: &[bool], added: &[Added], anchor: Option<usize>) {
        let dash = items.first().and_then(|item| self.dash(item.start));
        let indent = dash.map_or(0, |dash| dash - self.line_start(dash));
        if !kept.contains(&true) && added.is_empty() && !items.is_empty() {
            let from = anchor.unwrap_or(node.start);
            self.list.push((from..node.end, if anchor.is_some() { " []".to_owned() } else { "[]".to_owned() }));
            return;
        }
        for (_, item) in items.iter().enumerate().filter(|(index, _)| !kept[*index]) {
            let line = self.line_start(self.dash(item.start).unwrap_or(item.start));
            self.list.push((line..self.comments_end(self.line_end(item.end), indent), String::new()));
        }
        let at = self.comments_end(self.line_end(items.last().map_or(node.end, |item| item.end)), indent);
        for one in added {
            let text = match &one.content {
                Content::Value(value) => yaml::item_at(value, indent),
                Content::Lines(lines) => indented(lines, indent),
            };
            self.list.push((at..at, text));
        }
    }

    /// The end of the comments that follow and are indented deeper: they are part of what stands above.
    fn comments_end(&self, from: usize, indent: usize) -> usize {
        let mut end = from;
        for line in self.text()[from..].split_inclusive('\n') {
            let depth = line.len() - line.trim_start_matches(' ').len();
            if depth <= indent || !line[depth..].starts_with('#') {
                break;
            }
            end += line.len();
        }
        end
    }

    /// The dash of an item that starts here.
    fn dash(&self, start: usize) -> Option<usize> {
        let before = &self.text()[..start];
        let before = before.trim_end();
        before.ends_with('-').then(|| before.len() - 1)
    }

    fn column(&self, node: &Node, start: usize) -> usize {
        let start = start.max(node.start);
        self.text()[self.line_start(start)..start].chars().count()
    }

    fn line_start(&self, at: usize) -> usize {
        self.text()[..at].rfind('\n').map_or(0, |line| line + 1)
    }

    /// The start of the next line.
    fn line_end(&self, at: usize) -> usize {
        self.text()[at..].find('\n').map_or(self.text().len(), |line| at + line + 1)
    }
}

fn indented(lines: &str, indent: usize) -> String {
    lines
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{:indent$}{line}\n", "") })
        .collect::<Vec<_>>()
        .concat()
}

#[cfg(test)]
mod tests;

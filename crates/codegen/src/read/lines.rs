//! The text of a YAML, JSON or TOML file → the line of each place in it, by JSON pointer.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::read::reference::escape;

/// The lines of one file.
#[derive(Debug, Default)]
pub(super) struct Lines {
    nodes: HashMap<String, Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Counted from 1: of the key, or of the item's first character.
    line: usize,
    /// Whether it is an item of a list: a number is no help in finding it.
    is_item: bool,
}

impl Lines {
    /// Reads a YAML file, or a JSON file, which is YAML too. What follows a fault has no lines.
    pub(super) fn of_yaml(text: &str) -> Self {
        let mut reader = YamlReader { lines: Self::default(), open: Vec::new() };
        for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
            reader.read(&event, span.start.line());
        }
        reader.lines
    }

    /// Reads a TOML file.
    pub(super) fn of_toml(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.table(table.get_ref(), "", &|offset| text.get(..offset).unwrap_or(text).matches('\n').count() + 1);
        }
        lines
    }

    fn table(&mut self, table: &DeTable<'_>, pointer: &str, line: &dyn Fn(usize) -> usize) {
        for (key, value) in table {
            let pointer = format!("{pointer}/{}", escape(key.get_ref()));
            self.nodes.insert(pointer.clone(), Node { line: line(key.span().start), is_item: false });
            self.value(value, &pointer, line);
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, pointer: &str, line: &dyn Fn(usize) -> usize) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, pointer, line),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = format!("{pointer}/{index}");
                    self.nodes.insert(pointer.clone(), Node { line: line(item.span().start), is_item: true });
                    self.value(item, &pointer, line);
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }

    /// Returns the line of a place, or of the innermost thing around it that has one.
    pub(super) fn line(&self, pointer: &str) -> Option<usize> {
        let mut pointer = pointer;
        while !pointer.is_empty() {
            if let Some(node) = self.nodes.get(pointer) {
                return Some(node.line);
            }
            pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        None
    }

    /// Returns the keys on the way to a place, without the numbers of items.
    pub(super) fn path(&self, pointer: &str) -> String {
        let mut path = String::new();
        for (end, _) in pointer.match_indices('/').skip(1).chain([(pointer.len(), "")]) {
            let Some((_, step)) = pointer[..end].rsplit_once('/') else { continue };
            if !self.nodes.get(&pointer[..end]).is_some_and(|node| node.is_item) {
                path.push_str(if path.is_empty() { "" } else { "/" });
                path.push_str(step);
            }
        }
        path
    }
}

/// A mapping or sequence that is being read.
struct Open {
    pointer: String,
    part: OpenPart,
}

enum OpenPart {
    /// The next scalar is a key.
    Key,
    /// The next node is the value of this key, which is on this line.
    Value { key: String, line: usize },
    /// The next node is the item of this number.
    Item(usize),
}

struct YamlReader {
    lines: Lines,
    open: Vec<Open>,
}

impl YamlReader {
    fn read(&mut self, event: &Event<'_>, line: usize) {
        match event {
            Event::MappingStart(..) => {
                let pointer = self.place(line);
                self.open.push(Open { pointer, part: OpenPart::Key });
            }
            Event::SequenceStart(..) => {
                let pointer = self.place(line);
                self.open.push(Open { pointer, part: OpenPart::Item(0) });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
            }
            Event::Scalar(text, ..) => {
                if let Some(open) = self.open.last_mut().filter(|open| matches!(open.part, OpenPart::Key)) {
                    open.part = OpenPart::Value { key: text.to_string(), line };
                } else {
                    self.place(line);
                }
            }
            Event::Alias(_) => drop(self.place(line)),
            _ => {}
        }
    }

    /// Notes the next node, which begins on `line`, and returns its pointer.
    fn place(&mut self, line: usize) -> String {
        let Some(open) = self.open.last_mut() else { return String::new() };
        let (step, node) = match &open.part {
            // A key that is no scalar; no JSON has one.
            OpenPart::Key => (String::new(), Node { line, is_item: false }),
            OpenPart::Value { key, line } => (escape(key), Node { line: *line, is_item: false }),
            OpenPart::Item(number) => (number.to_string(), Node { line, is_item: true }),
        };
        let pointer = format!("{}/{step}", open.pointer);
        open.part = match open.part {
            OpenPart::Item(number) => OpenPart::Item(number + 1),
            OpenPart::Key | OpenPart::Value { .. } => OpenPart::Key,
        };
        self.lines.nodes.insert(pointer.clone(), node);
        pointer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_the_line_of_its_key() {
        let yaml = Lines::of_yaml(
            "# Head\na:\n  - {b: 1,\n     c/d: [x, y]}\n  -\n    e: >\n      text\nf: &f {g: 1}\nh: *f\n",
        );
        let json = Lines::of_yaml(
            "{\n\t\"a\": [\n\t\t{\"b\": 1,\n \"c/d\": [\"x\", \"y\"]}, \n{\n \"e\": \"\\/\"}],\n\"f\": {}, \"h\": 2}",
        );
        for (lines, expected) in [(yaml, [2, 3, 4, 4, 6, 8, 9]), (json, [2, 3, 4, 4, 6, 7, 7])] {
            let found = ["/a", "/a/0/b", "/a/0/c~1d", "/a/0/c~1d/1", "/a/1/e", "/f", "/h/g"].map(|at| lines.line(at));
            assert_eq!(found, expected.map(Some));
            assert_eq!(lines.line("/unknown"), None);
            assert_eq!(lines.path("/a/0/c~1d/1"), "a/c~1d");
        }
    }

    #[test]
    fn toml_has_lines_too() {
        let lines =
            Lines::of_toml("id = \"a\"\n\n[limits]\nx = 1\n[[paging]]\nname = \"p\"\n[[paging]]\nlist = [\n 1,\n 2]\n");
        let found = ["/id", "/limits/x", "/paging/0", "/paging/1/list", "/paging/1/list/1"].map(|at| lines.line(at));
        assert_eq!(found, [1, 4, 5, 8, 10].map(Some));
    }
}

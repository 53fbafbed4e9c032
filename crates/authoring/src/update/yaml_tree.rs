//! The text of a YAML or JSON file → where each of its values begins and ends, so that one can be changed and
//! everything else stays as a person wrote it.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

/// A value and where it stands, in bytes.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) start: usize,
    /// After its last character.
    pub(super) end: usize,
    pub(super) kind: NodeKind,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    Scalar,
    /// It stands elsewhere: nothing of it can be changed here.
    Alias,
    Map {
        flow: bool,
        entries: Vec<Entry>,
    },
    Seq {
        flow: bool,
        items: Vec<Node>,
    },
}

/// An entry of a mapping.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_start: usize,
    pub(super) key_end: usize,
    pub(super) value: Node,
}

impl Node {
    /// Reads a text.
    ///
    /// # Errors
    /// It is no YAML, as the parser words it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, open: Vec::new(), root: None };
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| error.to_string())?;
            reader.read(&event, span)?;
        }
        reader.root.ok_or_else(|| "nothing".to_owned())
    }

    /// The value at a JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            here = match &here.kind {
                NodeKind::Map { entries, .. } => &entries.iter().find(|entry| entry.key == step)?.value,
                NodeKind::Seq { items, .. } => items.get(step.parse::<usize>().ok()?)?,
                NodeKind::Scalar | NodeKind::Alias => return None,
            };
        }
        Some(here)
    }
}

/// A mapping or list that is being read.
struct Open {
    node: Node,
    /// The key whose value is next.
    key: Option<(String, usize, usize)>,
}

struct Reader<'t> {
    text: &'t str,
    open: Vec<Open>,
    root: Option<Node>,
}

impl Reader<'_> {
    fn read(&mut self, event: &Event<'_>, span: Span) -> Result<(), String> {
        let range = || span.byte_range().ok_or_else(|| "a place without an offset".to_owned());
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let start = range()?.start;
                let flow = self.text[start..].starts_with(['{', '[']);
                let kind = match event {
                    Event::MappingStart(..) => NodeKind::Map { flow, entries: Vec::new() },
                    _ => NodeKind::Seq { flow, items: Vec::new() },
                };
                self.open.push(Open { node: Node { start, end: start, kind }, key: None });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let Some(Open { mut node, .. }) = self.open.pop() else { return Ok(()) };
                let flow = matches!(node.kind, NodeKind::Map { flow: true, .. } | NodeKind::Seq { flow: true, .. });
                node.end = if flow { range()?.end } else { inside(&node).unwrap_or(node.start) };
                self.add(node);
            }
            Event::Scalar(text, style, ..) => {
                let mut range = range()?;
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    // The mark in front of a block belongs to it.
                    range.start = self.text[..range.start].rfind(['|', '>']).unwrap_or(range.start);
                }
                // A block scalar ends behind its last line.
                let end = range.start + self.text[range.clone()].trim_end().len();
                if let Some(open) = self.open.last_mut().filter(|open| is_key_next(open)) {
                    open.key = Some((text.to_string(), range.start, end));
                } else {
                    self.add(Node { start: range.start, end, kind: NodeKind::Scalar });
                }
            }
            Event::Alias(_) => {
                let range = range()?;
                self.add(Node { start: range.start, end: range.end, kind: NodeKind::Alias });
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match &mut open.node.kind {
            NodeKind::Map { entries, .. } => match open.key.take() {
                Some((key, key_start, key_end)) => entries.push(Entry { key, key_start, key_end, value: node }),
                // A key that is no scalar, which no JSON has.
                None => open.key = Some((String::new(), node.start, node.end)),
            },
            NodeKind::Seq { items, .. } => items.push(node),
            NodeKind::Scalar | NodeKind::Alias => {}
        }
    }
}

fn is_key_next(open: &Open) -> bool {
    matches!(open.node.kind, NodeKind::Map { .. }) && open.key.is_none()
}

/// The end of the last value inside.
fn inside(node: &Node) -> Option<usize> {
    match &node.kind {
        NodeKind::Map { entries, .. } => entries.last().map(|entry| entry.value.end.max(entry.key_end)),
        NodeKind::Seq { items, .. } => items.last().map(|item| item.end),
        NodeKind::Scalar | NodeKind::Alias => None,
    }
}

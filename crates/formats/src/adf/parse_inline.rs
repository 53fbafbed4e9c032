//! Inline Markdown, event by event → ADF nodes: texts with marks, links, line breaks, mentions.

use serde_json::{Value, json};

use super::bare_links::{ESCAPED_AT, linked};
use super::mentions::wiki_mentions;

/// The scheme of a mention's link.
pub(super) const ACCOUNT: &str = "accountid:";

/// Inline content that is not complete yet.
#[derive(Default)]
pub(super) struct InlineBuilder {
    nodes: Vec<Value>,
    /// How many of each mark are open.
    pub(super) strong: usize,
    pub(super) em: usize,
    pub(super) strike: usize,
    links: Vec<OpenLink>,
}

struct OpenLink {
    href: String,
    /// How many nodes come before it.
    from: usize,
}

impl InlineBuilder {
    fn marks(&self, code: bool) -> Vec<Value> {
        let mut marks = Vec::new();
        // ADF allows code no mark but a link.
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

    pub(super) fn text(&mut self, text: &str) {
        self.push(text, self.marks(false));
    }

    pub(super) fn code(&mut self, text: &str) {
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

    pub(super) fn line_break(&mut self) {
        self.nodes.push(json!({"type": "hardBreak"}));
    }

    pub(super) fn start_link(&mut self, href: String) {
        self.links.push(OpenLink { href, from: self.nodes.len() });
    }

    pub(super) fn end_link(&mut self) {
        let Some(link) = self.links.pop() else { return };
        let from = link.from.min(self.nodes.len());
        if let Some(account) = link.href.strip_prefix(ACCOUNT).filter(|account| is_account(account)) {
            let name: String =
                self.nodes.drain(from..).filter_map(|node| Some(node["text"].as_str()?.to_owned())).collect();
            self.mention(account, &name);
        } else if self.nodes.len() == from && self.links.is_empty() {
            // A link or an image without text is shown by its address.
            self.links.push(link);
            let href = self.links[0].href.clone();
            self.text(&href);
            self.links.clear();
        } else if !is_safe(&link.href) && !link.href.is_empty() && self.links.is_empty() {
            self.text(&format!(" ({})", link.href));
        }
    }

    /// Adds a mention for `@[name](accountid:…)`; the sign before the link belongs to it.
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
        let name = name.trim().trim_start_matches(['@', ESCAPED_AT]);
        let mut attrs = json!({"id": account});
        // Where the name is only the id there is no name.
        if !name.is_empty() && name != account {
            attrs["text"] = json!(format!("@{name}"));
        }
        self.nodes.push(json!({"type": "mention", "attrs": attrs}));
    }

    /// Returns the content, without white space and breaks at its ends and around breaks.
    pub(super) fn finish(&mut self, one_line: bool) -> Vec<Value> {
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
        // A link may take the middle of a marked text.
        merged(kept.into_iter().flat_map(linked).flat_map(bare_ends).collect())
    }
}

/// Joins adjacent texts with the same marks.
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

/// Splits white space off the ends of marked text: it is invisible, and Markdown can't mark it.
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

pub(super) fn trim_end(nodes: &mut Vec<Value>) {
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

/// Returns whether a link may be sent: it is no script and no data.
fn is_safe(href: &str) -> bool {
    let scheme = href.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        None => !href.is_empty(),
        Some("http" | "https" | "mailto" | "tel" | "ftp" | "ftps") => true,
        // `docs/a:b`, `#a:b` and `?a:b` have no scheme.
        Some(scheme) => scheme.contains(['/', '#', '?']),
    }
}

/// Returns whether an id has the published form of account ids: at most 128 letters, digits, `:`, `-` and `_`.
pub(super) fn is_account(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_'))
}

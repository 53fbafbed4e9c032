//! Our names of tools → those of the vendors' own servers and documents, and texts of ours → the same texts with these names.
//!
//! Texts are renamed when they are read: a server offers a part of the catalog.

use std::borrow::Cow;
use std::collections::HashMap;

use super::CatalogEntry;
use toolwright_model::ToolHead;

/// The tools that a vendor has a name for.
#[derive(Debug)]
pub(super) struct OfficialNames {
    /// Our name → the vendor's.
    official: HashMap<String, String>,
    /// The vendor's name → ours.
    ours: HashMap<String, String>,
}

impl OfficialNames {
    /// Finds the vendor's names: of each tool the first alias that does not begin as our names do. Others are names that we gave
    /// before.
    pub(super) fn of(entries: &[CatalogEntry]) -> Self {
        let official = |entry: &CatalogEntry| {
            let prefix = format!("{}_", entry.vendor);
            entry.head.aliases.iter().find(|alias| !alias.starts_with(&prefix)).cloned()
        };
        let named = entries.iter().filter_map(|entry| Some((entry.head.name.clone(), official(entry)?)));
        let official: HashMap<String, String> = named.collect();
        let ours = official.iter().map(|(ours, official)| (official.clone(), ours.clone())).collect();
        Self { official, ours }
    }

    /// The name for a tool that we call `name`.
    pub(super) fn name(&self, name: &str) -> String {
        self.official.get(name).map_or(name, String::as_str).to_owned()
    }

    /// A text in which each name of ours is the vendor's.
    pub(super) fn in_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut out = String::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(start) = text[at..].find(in_name).map(|start| at + start) {
            let end = text[start..].find(|c| !in_name(c)).map_or(text.len(), |length| start + length);
            if let Some(official) = self.official.get(&text[start..end]) {
                out.push_str(&text[copied..start]);
                out.push_str(official);
                copied = end;
            }
            at = end;
        }
        if copied == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[copied..]) }
    }

    /// Renames what is known of a tool before it is read.
    pub(super) fn rename_head(&self, head: &mut ToolHead) {
        head.name = self.name(&head.name);
        self.keep_ours(&head.name, &mut head.aliases);
    }

    /// A name is no alias of itself: among the aliases of the tool with this name, ours is in its place.
    pub(super) fn keep_ours(&self, name: &str, aliases: &mut [String]) {
        if let Some(ours) = self.ours.get(name) {
            for alias in aliases.iter_mut().filter(|alias| *alias == name) {
                alias.clone_from(ours);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_renamed() {
        let one = |from: &str, to: &str| HashMap::from([(from.to_owned(), to.to_owned())]);
        let names = OfficialNames { official: one("acme_get", "get_one"), ours: one("get_one", "acme_get") };
        for (ours, official) in [
            (
                "{\"acme_get\": \"acme_get, acme_get_all; acme_get.\"}",
                "{\"get_one\": \"get_one, acme_get_all; get_one.\"}",
            ),
            ("acme_get", "get_one"),
            ("ä acme_get ö", "ä get_one ö"),
            ("acme_get_all", "acme_get_all"),
            ("", ""),
        ] {
            assert_eq!(names.in_text(ours), official);
        }
    }
}

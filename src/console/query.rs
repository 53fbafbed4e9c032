//! The query of a page's address ⇄ a question and the words of a selection, as the command line's flags take them.

use url::form_urlencoded;

use crate::catalog::Catalog;
use crate::error::ConfigError;
use crate::policy::{Defaults, Selection, SelectionWords};

/// The most words of one flag; more are of no use in an address.
const MOST_WORDS: usize = 200;
/// The longest question, in characters.
const LONGEST_QUESTION: usize = 500;

/// What a page of the catalog is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CatalogQuery {
    /// What a person asks for, in their words.
    pub(super) question: String,
    /// The words of the flags.
    pub(super) words: SelectionWords,
    /// Whether the flags start from what `serve` offers, and not from all that is compiled in.
    pub(super) served: bool,
    /// The page of the list, from 1.
    pub(super) page: usize,
}

impl CatalogQuery {
    /// Reads the query of an address; what is not known in it is left out.
    pub(super) fn read(query: Option<&str>) -> Self {
        let mut read = Self { page: 1, ..Self::default() };
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*key {
                "q" => read.question = value.trim().chars().take(LONGEST_QUESTION).collect(),
                "served" => read.served = !matches!(&*value, "" | "no" | "false"),
                "page" => read.page = value.parse().unwrap_or(1).max(1),
                key => {
                    if let Some(words) = read.list(key) {
                        let given = value.split(',').map(str::trim).filter(|word| !word.is_empty());
                        words.extend(given.map(str::to_owned));
                        words.truncate(MOST_WORDS);
                    }
                }
            }
        }
        read
    }

    /// The selection of some words, from all that is compiled in.
    pub(super) fn of_words(words: SelectionWords, served: bool) -> Self {
        Self { words, served, page: 1, ..Self::default() }
    }

    fn list(&mut self, key: &str) -> Option<&mut Vec<String>> {
        Some(match key {
            "vendor" => &mut self.words.vendors,
            "methods" => &mut self.words.methods,
            "tags" => &mut self.words.tags,
            "tools" => &mut self.words.tools,
            "exclude" => &mut self.words.exclude,
            "allow" => &mut self.words.allow,
            _ => return None,
        })
    }

    /// The query of the address of a page of the same list, with its `?`; empty where there is nothing to say.
    pub(super) fn text(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.question.is_empty() {
            query.append_pair("q", &self.question);
        }
        for (flag, words) in flags(&self.words) {
            if !words.is_empty() {
                query.append_pair(flag, &words.join(","));
            }
        }
        if self.served {
            query.append_pair("served", "on");
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// What the flags start from.
    pub(super) fn defaults(&self) -> Defaults {
        if self.served { Defaults::CoreReads } else { Defaults::Everything }
    }

    /// The selection.
    ///
    /// # Errors
    /// A word that does not exist, or a glob that matches nothing.
    pub(super) fn resolve(&self, catalog: &Catalog) -> Result<Selection, ConfigError> {
        Selection::resolve(&self.words, self.defaults(), catalog)
    }
}

/// The flags by their names, without dashes.
pub(super) fn flags(words: &SelectionWords) -> [(&'static str, &Vec<String>); 6] {
    [
        ("vendor", &words.vendors),
        ("methods", &words.methods),
        ("tags", &words.tags),
        ("tools", &words.tools),
        ("exclude", &words.exclude),
        ("allow", &words.allow),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_as_it_was_read() {
        let text = "?q=lost+laptop%3F&vendor=jitbit%2Cjsm&methods=read&exclude=*_user*&served=on&page=2";
        let query = CatalogQuery::read(Some(&text[1..]));
        assert_eq!((query.question.as_str(), query.page, query.served), ("lost laptop?", 2, true));
        assert_eq!(query.words.vendors, ["jitbit", "jsm"]);
        assert_eq!(query.text(2), text);
        // Checkboxes repeat the key, an empty field is none, and what is not known is left out.
        let query = CatalogQuery::read(Some("vendor=a&vendor=b&tags=&tools=+&x=1&page=0&served=no"));
        assert_eq!(query.words.vendors, ["a", "b"]);
        assert_eq!(query.text(1), "?vendor=a%2Cb");
        assert_eq!(CatalogQuery::read(None).text(1), "");
        let many = CatalogQuery::read(Some(&format!("tools={}", "a,".repeat(1_000))));
        assert_eq!(many.words.tools.len(), MOST_WORDS);
    }
}

//! A question in people's words → the tools that it is about, best first. `catalog search` uses it.
//!
//! ```text
//! question    a question → its matters, misspelt and compound words among them, and the kind of tool that is wanted
//! records     the words of a question → how many records it is about
//! rank        the question and the index → tools with scores
//! reason      a question and a tool → why a tool was found
//! ```
//!
//! The index is made by the crate `search-index` of the catalog's texts and specs/synonyms.yaml: by the build, or here where the
//! catalog is not the one that is compiled in.
//!
//! Words may be unknown to every tool: a name or a number counts a little, for the kind of thing that has one (`forms` in
//! specs/synonyms.yaml). What a question begins with decides between tools that read and tools that change something.

mod question;
mod rank;
mod reason;
mod records;

use crate::catalog::{Catalog, CatalogEntry, synonyms};
use question::{Beginnings, Question};
use toolwright_model::{Synonyms, Tool};
use toolwright_search_index::{Index, text};

/// The search over the tools of a catalog.
pub struct Search {
    catalog: Catalog,
    synonyms: Synonyms,
    beginnings: Beginnings,
    index: Index,
    /// By vendor, as in the catalog: the words that name it.
    vendor_names: Vec<(String, Vec<String>)>,
}

impl Search {
    /// Prepares the search over a catalog, with the synonyms that are compiled in. Of the compiled tools nothing is read.
    ///
    /// # Panics
    /// Never: the build writes the synonyms and the index from the same types.
    pub fn new(catalog: &Catalog) -> Self {
        let synonyms = serde_json::from_str(synonyms()).expect("the build writes the synonyms from the same types");
        let index = match catalog.search_index() {
            Some(made) => Index::read(made, &synonyms).expect("the build writes the index from the same types"),
            None => index_of(catalog, &synonyms),
        };
        Self::over(catalog, synonyms, index)
    }

    /// Prepares the search with other synonyms, for which an index is made of all texts.
    pub fn with_synonyms(catalog: &Catalog, synonyms: Synonyms) -> Self {
        let index = index_of(catalog, &synonyms);
        Self::over(catalog, synonyms, index)
    }

    fn over(catalog: &Catalog, synonyms: Synonyms, index: Index) -> Self {
        let of_title = |title: &str| text::words(title).into_iter().map(|word| word.text).next();
        let names = |vendor: &toolwright_model::Vendor| {
            let names = std::iter::once(vendor.id.clone()).chain(of_title(&vendor.title));
            (vendor.id.clone(), names.collect())
        };
        Self {
            index,
            beginnings: Beginnings::new(&synonyms),
            vendor_names: catalog.vendors().iter().map(names).collect(),
            catalog: catalog.clone(),
            synonyms,
        }
    }

    /// Returns the tools that `question` is about and that are `offered`, best first, at most `limit`. Those that fit far
    /// worse than the best one are left out.
    pub fn find(&self, question: &str, offered: impl Fn(&CatalogEntry) -> bool, limit: usize) -> Vec<&CatalogEntry> {
        let question = Question::read(question, &self.index, &self.beginnings, &self.synonyms);
        let is_named = |names: &[String]| names.iter().any(|name| question.words.iter().any(|word| word.text == *name));
        let vendors = self.vendor_names.iter().filter(|(_, names)| is_named(names));
        let vendors: Vec<&str> = vendors.map(|(vendor, _)| vendor.as_str()).collect();
        let entries = self.catalog.entries();
        let scores = rank::scores(&self.index, &question, entries, &vendors);
        let offered = scores.into_iter().filter(|(position, _)| offered(&entries[*position]));
        let mut found: Vec<(usize, f32)> = offered.collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let least = found.first().map_or(0.0, |(_, best)| best * rank::LEAST);
        let kept = found.into_iter().take(limit).filter(|(_, score)| *score >= least);
        kept.map(|(position, _)| &entries[position]).collect()
    }
}

fn index_of(catalog: &Catalog, synonyms: &Synonyms) -> Index {
    let tools: Vec<(&str, &Tool)> =
        catalog.entries().iter().map(|entry| (entry.vendor.as_str(), &*entry.tool)).collect();
    Index::of(&tools, synonyms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_the_build_is_the_one_of_these_tools() {
        let catalog = Catalog::compiled();
        let built = catalog.search_index().expect("the build makes one");
        let search = Search::new(&catalog);
        assert!(!catalog.entries().iter().any(|entry| entry.tool.is_read()), "the start reads no tool");
        assert!(search.index.bytes() == built, "it is written as it was read");
        assert!(index_of(&catalog, &search.synonyms).bytes() == built, "the same texts make the same bytes");
    }

    #[test]
    fn a_question_reads_no_tool() {
        let catalog = Catalog::compiled();
        let search = Search::new(&catalog);
        let found =
            search.find("who is locked out of the account of a ticket", |entry| entry.head().effect.is_some(), 8);
        assert_eq!(found.is_empty(), catalog.entries().is_empty());
        assert!(!catalog.entries().iter().any(|entry| entry.tool.is_read()));
    }

    #[test]
    fn tools_are_found_under_official_names_by_the_same_index() {
        let catalog = Catalog::under_official_names();
        let search = Search::new(&catalog);
        assert!(!catalog.entries().iter().any(|entry| entry.tool.is_read()), "the start reads no tool");
        for entry in catalog.entries().iter().step_by(97) {
            let found = search.find(&entry.head().name, |_| true, 8);
            assert!(found.iter().any(|found| found.head().name == entry.head().name), "{}", entry.head().name);
        }
    }

    #[test]
    fn other_tools_are_indexed_when_they_are_searched() {
        let apis = crate::catalog::tool_files().into_iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let catalog = Catalog::new(apis, Catalog::compiled().vendors().to_vec());
        assert!(catalog.search_index().is_none());
        let search = Search::new(&catalog);
        assert!(search.index.bytes() == Catalog::compiled().search_index().unwrap(), "they are the same tools");
    }
}

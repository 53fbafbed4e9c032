//! A question in people's words → the tools that it is about, best first. `catalog search` uses it.
//!
//! ```text
//! text        a text → words, with what their form tells
//! vocabulary  words and specs/synonyms.yaml → terms: stems and groups of synonyms
//! index       the catalog → weights of terms in tools (BM25F), and its phrases as examples
//! examples    phrases → how typical each word, synonym and pair of words is for a tool (naive Bayes)
//! question    a question → its matters, misspelt and compound words among them, and the kind of tool that is wanted
//! rank        both → tools with scores
//! reason      both → why a tool was found
//! ```
//!
//! Words may be unknown to every tool: a name or a number counts a little, for the kind of thing that has one (`forms` in
//! specs/synonyms.yaml). What a question begins with decides between tools that read and tools that change something.

mod examples;
mod index;
mod question;
mod rank;
mod reason;
mod text;
mod vocabulary;

use crate::catalog::{Catalog, CatalogEntry, synonyms};
use index::Index;
use question::{Beginnings, Question};
use toolwright_model::Synonyms;

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
    /// Prepares the search over a catalog, with the synonyms that are compiled in.
    ///
    /// # Panics
    /// Never: the build writes the synonyms from the same types.
    pub fn new(catalog: &Catalog) -> Self {
        let synonyms = serde_json::from_str(synonyms()).expect("the build writes the synonyms from the same types");
        Self::with_synonyms(catalog, synonyms)
    }

    /// Prepares the search with other synonyms.
    pub fn with_synonyms(catalog: &Catalog, synonyms: Synonyms) -> Self {
        let of_title = |title: &str| text::words(title).into_iter().map(|word| word.text).next();
        let names = |vendor: &toolwright_model::Vendor| {
            let names = std::iter::once(vendor.id.clone()).chain(of_title(&vendor.title));
            (vendor.id.clone(), names.collect())
        };
        Self {
            index: Index::new(catalog, &synonyms),
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

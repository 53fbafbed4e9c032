//! The texts of tools and specs/synonyms.yaml → the index in which the search looks for what a question is about.
//!
//! ```text
//! text        a text → words, with what their form tells
//! vocabulary  words and synonyms → terms: stems, groups of synonyms and pairs of stems
//! fields      a tool's texts → its terms in each field
//! examples    phrases → how typical each term is for a tool (naive Bayes)
//! index       all of it → weights of terms in tools (BM25F), as bytes and back
//! packed      numbers, weights and words → bytes that are read where they lie
//! ```
//!
//! The build makes the index of the tools that it compiles in, and the program looks in its bytes where they are, without
//! reading them before. Of other tools, such as those under official names, the program makes the index when it needs it,
//! by the same code.

mod examples;
mod fields;
mod index;
mod packed;
pub mod text;
mod vocabulary;

pub use examples::{Examples, ReadWord};
pub use index::Index;
pub use vocabulary::{Meaning, Term, Vocabulary};

//! Words and synonyms → numbers of terms: a stem, or what a group of synonyms has in common.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};

use super::text::{self, Word};
use toolwright_model::Synonyms;

/// The number of a term.
pub(super) type Term = u32;

/// The words that are known, by their stems and groups.
pub(super) struct Vocabulary {
    stemmer: Stemmer,
    /// Every word that was met, in small letters → its stem.
    words: HashMap<String, Term>,
    stems: HashMap<String, Term>,
    /// Two stems that follow each other.
    pairs: HashMap<(Term, Term), Term>,
    /// By the first stem of a synonym: its further stems, and the group's term.
    synonyms: Vec<Vec<(Vec<Term>, Term)>>,
    ignored: HashSet<String>,
    whole: HashSet<String>,
    terms: Term,
}

/// A synonym in a text: where it is, and its group.
pub(super) struct Meaning {
    /// The position of its first word.
    pub start: usize,
    /// How many words it has.
    pub length: usize,
    /// The group's term.
    pub term: Term,
}

impl Vocabulary {
    pub(super) fn new(synonyms: &Synonyms) -> Self {
        let mut vocabulary = Self {
            stemmer: Stemmer::create(Algorithm::English),
            words: HashMap::new(),
            stems: HashMap::new(),
            pairs: HashMap::new(),
            synonyms: Vec::new(),
            whole: synonyms.whole.iter().cloned().collect(),
            ignored: synonyms.ignored.iter().cloned().collect(),
            terms: 0,
        };
        for group in &synonyms.same {
            let term = vocabulary.new_term();
            for synonym in group {
                let stems: Vec<Term> = text::words(synonym).iter().map(|word| vocabulary.add(&word.text)).collect();
                if let Some((first, rest)) = stems.split_first() {
                    let first = *first as usize;
                    vocabulary.synonyms.resize_with(vocabulary.synonyms.len().max(first + 1), Vec::new);
                    vocabulary.synonyms[first].push((rest.to_vec(), term));
                }
            }
        }
        let begins = synonyms.begins.values().flatten();
        for word in synonyms.ignored.iter().chain(&synonyms.light).chain(begins).flat_map(|text| text::words(text)) {
            vocabulary.add(&word.text);
        }
        vocabulary
    }

    fn new_term(&mut self) -> Term {
        self.terms += 1;
        self.terms - 1
    }

    /// How many terms there are.
    pub(super) fn len(&self) -> usize {
        self.terms as usize
    }

    /// Returns the stem of a word, which is known from now on.
    pub(super) fn add(&mut self, word: &str) -> Term {
        if let Some(term) = self.words.get(word) {
            return *term;
        }
        let stem = self.stem_of(word).into_owned();
        let term = match self.stems.get(&stem) {
            Some(term) => *term,
            None => {
                let term = self.new_term();
                self.stems.insert(stem, term);
                term
            }
        };
        self.words.insert(word.to_owned(), term);
        term
    }

    fn stem_of<'a>(&self, word: &'a str) -> Cow<'a, str> {
        let singular = word.strip_suffix('s').unwrap_or(word);
        if self.whole.contains(singular) { Cow::Borrowed(singular) } else { self.stemmer.stem(word) }
    }

    /// Returns the stem of a word, where the stem is known.
    pub(super) fn stem(&self, word: &str) -> Option<Term> {
        self.words.get(word).or_else(|| self.stems.get(self.stem_of(word).as_ref())).copied()
    }

    /// Returns the term of two stems that follow each other, which is known from now on.
    pub(super) fn add_pair(&mut self, pair: (Term, Term)) -> Term {
        let next = self.terms;
        let term = *self.pairs.entry(pair).or_insert(next);
        self.terms += Term::from(term == next);
        term
    }

    /// Returns the term of two stems that follow each other, where it is known.
    pub(super) fn pair(&self, pair: (Term, Term)) -> Option<Term> {
        self.pairs.get(&pair).copied()
    }

    /// Returns whether the word holds no matter.
    pub(super) fn is_ignored(&self, word: &str) -> bool {
        self.ignored.contains(word)
    }

    /// Returns the synonyms in a row of stems.
    pub(super) fn meanings(&self, stems: &[Option<Term>]) -> Vec<Meaning> {
        let mut found = Vec::new();
        for (start, stem) in stems.iter().enumerate() {
            let Some(candidates) = stem.and_then(|stem| self.synonyms.get(stem as usize)) else { continue };
            for (rest, term) in candidates {
                let fits = stems
                    .get(start + 1..=start + rest.len())
                    .is_some_and(|next| next.iter().zip(rest).all(|(stem, wanted)| *stem == Some(*wanted)));
                if fits {
                    found.push(Meaning { start, length: rest.len() + 1, term: *term });
                }
            }
        }
        found
    }

    /// Returns the terms of a tool's text: stems and groups, without words that hold no matter.
    pub(super) fn add_text(&mut self, words: &[Word]) -> Vec<Term> {
        let stems: Vec<Option<Term>> =
            words.iter().map(|word| word.form.is_none().then(|| self.add(&word.text))).collect();
        let mut terms: Vec<Term> = self.meanings(&stems).into_iter().map(|meaning| meaning.term).collect();
        terms.sort_unstable();
        terms.dedup();
        let matter = words.iter().zip(&stems).filter(|(word, _)| !self.is_ignored(&word.text));
        terms.extend(matter.filter_map(|(_, stem)| *stem));
        terms
    }

    /// Returns the known words that differ from this one in one letter: missing, too many, another, or two swapped.
    pub(super) fn near(&self, word: &str) -> Vec<&str> {
        let near = self.words.keys().filter(|known| is_one_edit(word, known));
        near.map(String::as_str).collect()
    }
}

/// Whether one edit makes the one of the other.
fn is_one_edit(word: &str, known: &str) -> bool {
    let (word, known) = (word.as_bytes(), known.as_bytes());
    if word.len().abs_diff(known.len()) > 1 {
        return false;
    }
    let same = word.iter().zip(known).take_while(|(a, b)| a == b).count();
    let (word, known) = (&word[same..], &known[same..]);
    match (word, known) {
        ([], [_]) | ([_], []) => true,
        ([a, word_rest @ ..], [b, known_rest @ ..]) => {
            let is_swapped =
                word_rest.first() == Some(b) && known_rest.first() == Some(a) && word_rest[1..] == known_rest[1..];
            word_rest == known_rest || word_rest == known || word == known_rest || is_swapped
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit_is_a_letter_more_less_other_or_two_swapped() {
        for (word, known) in
            [("labtop", "laptop"), ("pasword", "password"), ("tickett", "ticket"), ("devcie", "device")]
        {
            assert!(is_one_edit(word, known), "{word} {known}");
        }
        for (word, known) in [("lock", "look up"), ("ticket", "tackle"), ("abcd", "badc")] {
            assert!(!is_one_edit(word, known), "{word} {known}");
        }
    }

    #[test]
    fn synonyms_of_several_words_are_found_within_a_text() {
        let mut vocabulary = Vocabulary::new(&Synonyms {
            same: vec![vec!["sign in".to_owned(), "login".to_owned()]],
            ignored: vec!["in".to_owned()],
            ..Synonyms::default()
        });
        let signing = vocabulary.add_text(&text::words("people sign in here"));
        let login = vocabulary.add_text(&text::words("the logins"));
        assert!(signing.iter().any(|term| login.contains(term)));
    }
}

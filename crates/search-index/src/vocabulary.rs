//! Words and synonyms → numbers of terms: a stem, what a group of synonyms has in common, or two stems that follow each other.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};

use super::packed::{Numbers, Words};
use super::text::{self, Word};
use toolwright_model::Synonyms;

/// The number of a term.
pub type Term = u32;

/// The words that are known, by their stems and groups.
pub struct Vocabulary {
    pub(crate) rules: Rules,
    pub(crate) terms: Terms<'static>,
}

/// What the synonyms say of words, whatever tools there are.
pub(crate) struct Rules {
    stemmer: Stemmer,
    whole: HashSet<String>,
    ignored: HashSet<String>,
}

/// The terms of a vocabulary. Pairs have the last numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms<'a> {
    /// Every word that was met.
    #[serde(borrow)]
    words: Words<'a>,
    #[serde(borrow)]
    stems: Words<'a>,
    /// The term of each stem.
    #[serde(borrow)]
    of_stems: Numbers<'a>,
    pub(crate) groups: Groups,
    /// The first stem of each pair, and where two are the same the second one, in order.
    #[serde(borrow)]
    pair_firsts: Numbers<'a>,
    #[serde(borrow)]
    pair_seconds: Numbers<'a>,
    /// The term of the first pair.
    first_pair: Term,
}

/// The synonyms, in order of their first stems.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Groups(Vec<Synonym>);

/// A synonym: its stems, and its group's term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Synonym {
    first: Term,
    rest: Vec<Term>,
    group: Term,
}

/// A synonym in a text: where it is, and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The position of its first word.
    pub start: usize,
    /// How many words it has.
    pub length: usize,
    /// The group's term.
    pub term: Term,
}

impl Rules {
    pub(crate) fn new(synonyms: &Synonyms) -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            whole: synonyms.whole.iter().cloned().collect(),
            ignored: synonyms.ignored.iter().cloned().collect(),
        }
    }

    fn stem_of<'a>(&self, word: &'a str) -> Cow<'a, str> {
        let singular = word.strip_suffix('s').unwrap_or(word);
        if self.whole.contains(singular) { Cow::Borrowed(singular) } else { self.stemmer.stem(word) }
    }

    pub(crate) fn is_ignored(&self, word: &str) -> bool {
        self.ignored.contains(word)
    }
}

impl Groups {
    /// The synonyms in a row of stems.
    pub(crate) fn meanings(&self, stems: &[Option<Term>]) -> Vec<Meaning> {
        let mut found = Vec::new();
        for (start, stem) in stems.iter().enumerate() {
            let Some(stem) = *stem else { continue };
            let candidates = &self.0[self.0.partition_point(|synonym| synonym.first < stem)..];
            for Synonym { rest, group, .. } in candidates.iter().take_while(|synonym| synonym.first == stem) {
                let fits = stems
                    .get(start + 1..=start + rest.len())
                    .is_some_and(|next| next.iter().zip(rest).all(|(stem, wanted)| *stem == Some(*wanted)));
                if fits {
                    found.push(Meaning { start, length: rest.len() + 1, term: *group });
                }
            }
        }
        found
    }
}

impl Vocabulary {
    /// How many terms there are.
    pub(crate) fn len(&self) -> usize {
        self.terms.first_pair as usize + self.terms.pair_firsts.len()
    }

    /// How many terms are no pairs: they have the first numbers.
    pub(crate) fn words_len(&self) -> usize {
        self.terms.first_pair as usize
    }

    /// Returns the stem of a word, where the stem is known.
    pub fn stem(&self, word: &str) -> Option<Term> {
        self.terms.of_stems.get(self.terms.stems.find(&self.rules.stem_of(word))?)
    }

    /// Returns the term of two stems that follow each other, where it is known.
    pub(crate) fn pair(&self, pair: (Term, Term)) -> Option<Term> {
        let position = self.terms.pair_position(pair)?;
        Some(self.terms.first_pair + u32::try_from(position).ok()?)
    }

    /// Returns whether the word holds no matter.
    pub fn is_ignored(&self, word: &str) -> bool {
        self.rules.is_ignored(word)
    }

    /// Returns the synonyms in a row of stems.
    pub fn meanings(&self, stems: &[Option<Term>]) -> Vec<Meaning> {
        self.terms.groups.meanings(stems)
    }

    /// Returns the known words that differ from this one in one letter: missing, too many, another, or two swapped.
    pub fn near(&self, word: &str) -> Vec<&str> {
        self.terms.words.iter().filter(|known| is_one_edit(word, known)).collect()
    }
}

impl Terms<'_> {
    fn pair_position(&self, pair: (Term, Term)) -> Option<usize> {
        super::packed::find(self.pair_firsts.len(), |position| {
            let found = (self.pair_firsts.get(position)?, self.pair_seconds.get(position)?);
            Some(found.cmp(&pair))
        })
    }
}

/// A vocabulary while its words come.
pub(crate) struct NewVocabulary {
    pub(crate) rules: Rules,
    pub(crate) groups: Groups,
    /// Every word that was met, in small letters → its stem.
    words: HashMap<String, Term>,
    stems: BTreeMap<String, Term>,
    terms: Term,
}

impl NewVocabulary {
    pub(crate) fn new(synonyms: &Synonyms) -> Self {
        let mut vocabulary = Self {
            rules: Rules::new(synonyms),
            groups: Groups::default(),
            words: HashMap::new(),
            stems: BTreeMap::new(),
            terms: 0,
        };
        let mut groups = Vec::new();
        for same in &synonyms.same {
            let group = vocabulary.new_term();
            for synonym in same {
                let mut stems = text::words(synonym).into_iter().map(|word| vocabulary.add(&word.text));
                if let Some(first) = stems.next() {
                    groups.push(Synonym { first, rest: stems.collect(), group });
                }
            }
        }
        groups.sort_by_key(|synonym| synonym.first);
        vocabulary.groups = Groups(groups);
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

    /// Returns the stem of a word, which is known from now on.
    pub(crate) fn add(&mut self, word: &str) -> Term {
        if let Some(term) = self.words.get(word) {
            return *term;
        }
        let stem = self.rules.stem_of(word).into_owned();
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

    /// Returns the stem of a word that was added.
    pub(crate) fn stem(&self, word: &str) -> Option<Term> {
        self.words.get(word).copied()
    }

    /// Returns the terms of a tool's text: stems and groups, without words that hold no matter.
    pub(crate) fn add_text(&mut self, words: &[Word]) -> Vec<Term> {
        let stems: Vec<Option<Term>> =
            words.iter().map(|word| word.form.is_none().then(|| self.add(&word.text))).collect();
        let mut terms: Vec<Term> = self.groups.meanings(&stems).into_iter().map(|meaning| meaning.term).collect();
        terms.sort_unstable();
        terms.dedup();
        let matter = words.iter().zip(&stems).filter(|(word, _)| !self.rules.is_ignored(&word.text));
        terms.extend(matter.filter_map(|(_, stem)| *stem));
        terms
    }

    /// Ends the coming of words, with the pairs that there are.
    pub(crate) fn finish(self, pairs: &BTreeSet<(Term, Term)>) -> Vocabulary {
        let mut words: Vec<&str> = self.words.keys().map(String::as_str).collect();
        words.sort_unstable();
        let stems: Vec<&str> = self.stems.keys().map(String::as_str).collect();
        let terms = Terms {
            words: Words::of(&words),
            stems: Words::of(&stems),
            of_stems: self.stems.values().copied().collect(),
            groups: self.groups,
            pair_firsts: pairs.iter().map(|(first, _)| *first).collect(),
            pair_seconds: pairs.iter().map(|(_, second)| *second).collect(),
            first_pair: self.terms,
        };
        Vocabulary { rules: self.rules, terms }
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
        let mut vocabulary = NewVocabulary::new(&Synonyms {
            same: vec![vec!["sign in".to_owned(), "login".to_owned()]],
            ignored: vec!["in".to_owned()],
            ..Synonyms::default()
        });
        let signing = vocabulary.add_text(&text::words("people sign in here"));
        let login = vocabulary.add_text(&text::words("the logins"));
        assert!(signing.iter().any(|term| login.contains(term)));
    }

    #[test]
    fn what_came_is_known_and_nothing_else() {
        let mut new = NewVocabulary::new(&Synonyms { whole: vec!["news".to_owned()], ..Synonyms::default() });
        let [locked, users, news] = ["locked", "users", "news"].map(|word| new.add(word));
        let pairs = [(users, locked), (locked, users), (locked, locked)].into_iter().collect();
        let vocabulary = new.finish(&pairs);
        assert_eq!(
            ["locking", "user", "news", "new"].map(|word| vocabulary.stem(word)),
            [Some(locked), Some(users), Some(news), None]
        );
        assert_eq!(vocabulary.near("lockde"), ["locked"]);
        let numbers =
            [(locked, locked), (locked, users), (users, locked), (users, news)].map(|pair| vocabulary.pair(pair));
        assert_eq!(numbers, [Some(3), Some(4), Some(5), None], "pairs have the last numbers");
        assert_eq!((vocabulary.words_len(), vocabulary.len()), (3, 6));
    }
}

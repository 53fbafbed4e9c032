//! Every way in which people ask for each tool → how typical each word, synonym and pair of words is for it.
//!
//! A phrase is an example of a question. A question is seldom like one whole example, but its words and their order are
//! spread over several of one tool. So the examples of a tool are added up, each with the same weight, and what occurs in
//! many of them counts more, by its logarithm: as in a naive Bayes classifier, without what is the same for every tool.
//! The small words count here, too: "in", "to" and "from" tell who is in a group from who is put there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::packed::{Postings, Weights};
use super::text::Word;
use super::vocabulary::{Groups, NewVocabulary, Rules, Term, Vocabulary};

/// What a word counts that holds no matter.
const SMALL_WORD: f32 = 0.6;
/// What a group of synonyms counts beside the word itself.
const GROUP: f32 = 0.85;
/// What a pair of words counts that follow each other.
const PAIR: f32 = 0.6;
/// How little of something is half as typical as nothing of it is untypical (the alpha of naive Bayes).
const RARE: f32 = 0.05;
/// A word of a question that counts less than this is a name, and no part of a pair.
const LEAST_IN_PAIR: f32 = 0.5;

/// A word of a question or an example, as it is understood.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadWord {
    /// Its stem, where that is known.
    pub stem: Option<Term>,
    /// What it counts.
    pub weight: f32,
    /// A name that no tool knows.
    pub is_unknown_name: bool,
}

impl ReadWord {
    fn known(stem: Option<Term>) -> Self {
        Self { stem, weight: 1.0, is_unknown_name: false }
    }
}

/// How typical terms are for tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examples<'a> {
    /// By term: how rare it is among the examples.
    #[serde(borrow)]
    rarity: Weights<'a>,
    /// By term: the tools that have it in examples, and how typical it is for each.
    #[serde(borrow)]
    typical: Postings<'a>,
}

/// Gathers the examples of all tools, in the order of the tools.
#[derive(Default)]
pub(crate) struct Gathering(Vec<Example>);

/// An example of a tool: its terms with what each counts, and its pairs.
struct Example {
    tool: u32,
    terms: Vec<(Term, f32)>,
    pairs: Vec<(Term, Term)>,
}

impl Gathering {
    /// Adds an example of a tool.
    pub(crate) fn add(&mut self, tool: u32, words: &[Word], vocabulary: &mut NewVocabulary) {
        let known = |word: &Word| ReadWord::known(word.form.is_none().then(|| vocabulary.add(&word.text)));
        let read: Vec<ReadWord> = words.iter().map(known).collect();
        let terms = terms(words, &read, &vocabulary.rules, &vocabulary.groups);
        self.0.push(Example { tool, terms, pairs: pairs(words, &read).collect() });
    }

    /// The pairs of all examples.
    pub(crate) fn pairs(&self) -> BTreeSet<(Term, Term)> {
        self.0.iter().flat_map(|example| &example.pairs).copied().collect()
    }

    /// Adds up what was gathered.
    #[expect(clippy::cast_precision_loss, reason = "numbers of examples are small")]
    pub(crate) fn finish(self, vocabulary: &Vocabulary) -> Examples<'static> {
        let whole = |example: Example| {
            let pairs = example.pairs.into_iter().filter_map(|pair| Some((vocabulary.pair(pair)?, PAIR)));
            (example.tool, once(example.terms.into_iter().chain(pairs).collect()))
        };
        let examples: Vec<(u32, Vec<(Term, f32)>)> = self.0.into_iter().map(whole).collect();
        let mut having = vec![0_u32; vocabulary.len()];
        for (term, _) in examples.iter().flat_map(|(_, terms)| terms) {
            having[*term as usize] += 1;
        }
        let all = examples.len() as f32;
        let rarity: Vec<f32> = having.iter().map(|having| ((1.0 + all) / (1.0 + *having as f32)).ln() + 1.0).collect();
        let mut typical: Vec<Vec<(u32, f32)>> = vec![Vec::new(); vocabulary.len()];
        for (tool, mut terms) in examples {
            for (term, weight) in &mut terms {
                *weight *= rarity[*term as usize];
            }
            let length = length(&terms);
            for (term, weight) in terms {
                let of_term = &mut typical[term as usize];
                match of_term.last_mut().filter(|(last, _)| *last == tool) {
                    Some((_, sum)) => *sum += weight / length,
                    None => of_term.push((tool, weight / length)),
                }
            }
        }
        for (_, sum) in typical.iter_mut().flatten() {
            *sum = (*sum / RARE).ln_1p();
        }
        Examples { rarity: rarity.into_iter().collect(), typical: typical.into() }
    }
}

impl Examples<'_> {
    /// Adds to `scores`, by tool, how typical a question is for each: its words as they are understood, and what they stand
    /// for by their form.
    pub fn score(
        &self,
        words: &[Word],
        read: &[ReadWord],
        by_form: &[(Term, f32)],
        vocabulary: &Vocabulary,
        scores: &mut [f32],
    ) {
        let mut found = terms(words, read, &vocabulary.rules, &vocabulary.terms.groups);
        found.extend(pairs(words, read).filter_map(|pair| Some((vocabulary.pair(pair)?, PAIR))));
        found.extend(by_form);
        let mut found = once(found);
        for (term, weight) in &mut found {
            *weight *= self.rarity.get(*term as usize);
        }
        let length = length(&found);
        for (term, weight) in found {
            for (tool, typical) in self.typical.get(term as usize) {
                if let Some(score) = scores.get_mut(tool as usize) {
                    *score += typical * weight / length;
                }
            }
        }
    }

    /// How many tools have the term in examples.
    pub(crate) fn tools(&self, term: Term) -> usize {
        self.typical.count(term as usize)
    }
}

fn length(weighed: &[(Term, f32)]) -> f32 {
    weighed.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt().max(f32::MIN_POSITIVE)
}

/// The stems and groups of a text, each with what it counts.
fn terms(words: &[Word], read: &[ReadWord], rules: &Rules, groups: &Groups) -> Vec<(Term, f32)> {
    // Each word has a stem, mostly a synonym, and a pair with the next.
    let mut found: Vec<(Term, f32)> = Vec::with_capacity(3 * words.len());
    for (word, read) in words.iter().zip(read) {
        let share = if rules.is_ignored(&word.text) { SMALL_WORD } else { 1.0 };
        found.extend(read.stem.map(|stem| (stem, share * read.weight)));
    }
    let stems: Vec<Option<Term>> = read.iter().map(|word| word.stem).collect();
    for meaning in groups.meanings(&stems) {
        let of_words = read[meaning.start..meaning.start + meaning.length].iter().map(|word| word.weight);
        found.push((meaning.term, GROUP * of_words.fold(1.0, f32::min)));
    }
    found
}

/// The stems that follow each other, without names and numbers between them.
fn pairs(words: &[Word], read: &[ReadWord]) -> impl Iterator<Item = (Term, Term)> {
    let row = words.iter().zip(read).filter(|(word, read)| word.joins == 0 && read.weight >= LEAST_IN_PAIR);
    let row: Vec<Term> = row.filter_map(|(_, read)| read.stem).collect();
    (1..row.len()).map(move |end| (row[end - 1], row[end]))
}

/// Each term once, with the most that it counts.
fn once(mut terms: Vec<(Term, f32)>) -> Vec<(Term, f32)> {
    terms.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    terms.dedup_by_key(|(term, _)| *term);
    terms
}

#[cfg(test)]
mod tests {
    use super::super::text::words;
    use super::*;
    use toolwright_model::Synonyms;

    fn examples(tools: &[&[&str]]) -> (Examples<'static>, Vocabulary) {
        let mut vocabulary = NewVocabulary::new(&Synonyms { ignored: vec!["in".to_owned()], ..Synonyms::default() });
        let mut gathering = Gathering::default();
        for (tool, texts) in (0..).zip(tools) {
            texts.iter().for_each(|text| gathering.add(tool, &words(text), &mut vocabulary));
        }
        let vocabulary = vocabulary.finish(&gathering.pairs());
        (gathering.finish(&vocabulary), vocabulary)
    }

    fn scores(question: &str, tools: &[&[&str]]) -> Vec<f32> {
        let (examples, vocabulary) = examples(tools);
        let words = words(question);
        let read: Vec<_> = words.iter().map(|word| ReadWord::known(vocabulary.stem(&word.text))).collect();
        let mut scores = vec![0.0; tools.len()];
        examples.score(&words, &read, &[], &vocabulary, &mut scores);
        scores
    }

    #[test]
    fn what_several_examples_of_a_tool_have_counts_more() {
        let scores =
            scores("free an account", &[&["free an account", "free a user"], &["free a disk", "close an account"]]);
        assert!(scores[0] > scores[1], "{scores:?}");
    }

    #[test]
    fn small_words_and_the_order_of_words_count() {
        let [into, within] = ["put in group", "group in put"].map(|text| [text]);
        assert!(scores("put in group", &[&into, &within])[0] > scores("put in group", &[&into, &within])[1]);
        let scores = scores("who in group", &[&["who in group"], &["who group"]]);
        assert!(scores[0] > scores[1], "{scores:?}");
    }

    #[test]
    fn what_no_example_has_counts_nothing() {
        assert!(scores("unheard of", &[&["free an account"], &[]]).iter().all(|score| score.abs() < f32::EPSILON));
        assert!(scores("", &[&["free an account"]]).iter().all(|score| score.abs() < f32::EPSILON));
    }
}

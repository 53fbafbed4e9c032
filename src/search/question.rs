//! A question → terms, each with what it can be matched by, and the kind of tool that is wanted.

use std::collections::BTreeSet;

use super::records::Records;
use toolwright_model::{Synonyms, Wish, WordForm};
use toolwright_search_index::text::{self, Word};
use toolwright_search_index::{Index, Meaning, ReadWord, Term};

/// What a synonym counts beside the word itself.
const SYNONYM: f32 = 0.85;
/// What a word counts that was read as another: put right, or taken apart.
const GUESSED: f32 = 0.7;
/// What a name in a question counts, which is hardly about the tool.
const NAME: f32 = 0.32;
/// What a key, number or address counts for the kind of thing that has such a one.
const FORM: f32 = 0.3;
/// What two keys or numbers count for words such as "both".
const TWO_RECORDS: f32 = 0.6;
/// What a word without matter counts by what it means: "yesterday" is a time.
const MEANING: f32 = 0.6;
/// What a word counts that is a part of a synonym of several words.
const PART: f32 = 0.6;
/// The shortest word whose spelling is put right; shorter ones are near to too many.
const SHORTEST_MISSPELT: usize = 5;
/// The shortest part of a word that is taken apart.
const SHORTEST_PART: usize = 3;

/// One matter of a question.
#[derive(Debug)]
pub(super) struct Matter {
    pub weight: f32,
    /// The terms it is matched by, each with what it counts.
    pub terms: Vec<(Term, f32)>,
}

/// What is asked.
#[derive(Debug, Default)]
pub(super) struct Question {
    pub matters: Vec<Matter>,
    /// Whether it names a record, by a key or a number.
    pub names_record: bool,
    /// Whether it names a record and hardly anything else.
    pub is_only_record: bool,
    /// How many records it names.
    pub records: Records,
    /// Whether it asks for several of something: "which documents", "show the open requests".
    pub is_for_several: bool,
    /// The kind of tool, where the words tell it.
    pub wish: Option<Wish>,
    /// The terms that words stand for by their form, each with what it counts.
    pub by_form: Vec<(Term, f32)>,
    /// Its words, and each of them as it is understood.
    pub words: Vec<Word>,
    pub read: Vec<ReadWord>,
}

/// The phrases of people that tell what they want, as words.
pub(super) struct Beginnings {
    openings: Vec<Vec<String>>,
    open_questions: Vec<Vec<String>>,
    demands: Vec<Vec<String>>,
    /// Longest first.
    begins: Vec<(Vec<String>, Wish)>,
    /// Words with which several records are meant.
    many: Vec<Vec<String>>,
}

impl Beginnings {
    pub(super) fn new(synonyms: &Synonyms) -> Self {
        let split = |text: &String| text::words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        let begins = synonyms.begins.iter().flat_map(|(wish, texts)| texts.iter().map(|text| (split(text), *wish)));
        let mut begins: Vec<_> = begins.filter(|(words, _)| !words.is_empty()).collect();
        begins.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        // One without a word would begin every clause, again and again.
        let read = |texts: &[String]| texts.iter().map(split).filter(|words| !words.is_empty()).collect();
        Self {
            openings: read(&synonyms.openings),
            open_questions: read(&synonyms.open_questions),
            demands: read(&synonyms.demands),
            many: read(&synonyms.many),
            begins,
        }
    }

    /// Returns the kind of tool that is wanted. A clause that asks for a change goes before one that asks a question:
    /// "is it lost? then lock it".
    fn wish(&self, words: &[Word]) -> Option<Wish> {
        let mut wish = None;
        for clause in words.chunk_by(|a, b| a.clause == b.clause) {
            let mut words: Vec<&str> =
                clause.iter().filter(|word| !word.is_quoted).map(|word| word.text.as_str()).collect();
            if begins_with_any(&words, &self.open_questions).is_some() {
                return None;
            }
            while let Some(length) = begins_with_any(&words, &self.openings) {
                words.drain(..length);
            }
            match self.begins.iter().find(|(begin, _)| begins_with(&words, begin)) {
                Some((_, Wish::Read)) => wish = Some(Wish::Read),
                Some((_, change)) => return Some(*change),
                None if self.demands(&words) => return Some(Wish::Change),
                None => {}
            }
        }
        wish
    }
}

impl Beginnings {
    /// Whether a clause states what shall be. One that begins with such words asks: "may she see it?" And so does one
    /// that has them behind a word that asks: "people who may see it".
    fn demands(&self, words: &[&str]) -> bool {
        let asks = |word: &str| self.begins.iter().any(|(begin, wish)| *wish == Wish::Read && *begin == [word]);
        (1..words.len())
            .any(|start| !asks(words[start - 1]) && begins_with_any(&words[start..], &self.demands).is_some())
    }

    /// How many words a question begins with before what it is about.
    fn length(&self, words: &[Word]) -> usize {
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let mut length = 0;
        while let Some(opening) = begins_with_any(&texts[length..], &self.openings) {
            length += opening;
        }
        let begin = self.begins.iter().find(|(begin, _)| begins_with(&texts[length..], begin));
        length + begin.map_or(0, |(begin, _)| begin.len())
    }
}

fn begins_with(words: &[&str], begin: &[String]) -> bool {
    words.len() >= begin.len() && words.iter().zip(begin).all(|(word, wanted)| word == wanted)
}

/// How many words the longest beginning has, of those that fit.
pub(super) fn begins_with_any(words: &[&str], beginnings: &[Vec<String>]) -> Option<usize> {
    beginnings.iter().filter(|begin| begins_with(words, begin)).map(Vec::len).max()
}

impl Question {
    pub(super) fn read(question: &str, index: &Index, beginnings: &Beginnings, synonyms: &Synonyms) -> Self {
        let words = text::words(question);
        let reader = Reader { index, synonyms };
        let read: Vec<ReadWord> = reader.read(&words);
        let wish = beginnings.wish(&words);
        let (matters, by_form) = reader.matters(&words, &read, wish.is_some_and(|wish| wish != Wish::Read));
        let names_record = words.iter().any(|word| word.form.is_some_and(WordForm::is_record));
        let reads = wish.is_none_or(|wish| wish == Wish::Read);
        let about = &words[beginnings.length(&words)..];
        // "ticket 4521" names no more than "4521" does.
        let kinds = [WordForm::Key, WordForm::Number].iter().filter_map(|form| synonyms.forms.get(form)).flatten();
        let kinds: Vec<Term> = kinds.filter_map(|kind| index.vocabulary.stem(kind)).collect();
        let is_kind = |word: &Word| {
            let stem = index.vocabulary.stem(&word.text);
            let means = |term| index.vocabulary.meanings(&[term]).into_iter().map(|meaning| meaning.term);
            let of_word: Vec<Term> = means(stem).collect();
            kinds.iter().any(|kind| Some(*kind) == stem || means(Some(*kind)).any(|term| of_word.contains(&term)))
        };
        let is_empty = |word: &Word| {
            let holds_little = index.vocabulary.is_ignored(&word.text) || synonyms.light.contains(&word.text);
            word.form.is_some() || holds_little || is_kind(word)
        };
        Self {
            is_only_record: names_record && reads && about.iter().all(is_empty),
            names_record,
            records: Records::of(&words, &beginnings.many),
            is_for_several: reads && about.iter().take(NEAR_BEGINNING).any(|word| is_plural(word, index)),
            matters,
            by_form,
            wish,
            words,
            read,
        }
    }
}

/// How many words after its beginning tell whether a question is for one or for several.
const NEAR_BEGINNING: usize = 3;

/// Whether a word is the plural of one that tools' texts have.
fn is_plural(word: &Word, index: &Index) -> bool {
    text::singular(&word.text).is_some_and(|singular| {
        !index.vocabulary.is_ignored(&word.text)
            && index.vocabulary.stem(singular).is_some_and(|stem| index.vocabulary.stem(&word.text) == Some(stem))
    })
}

/// Understands the words of a question by what the tools' texts have.
struct Reader<'a> {
    index: &'a Index,
    synonyms: &'a Synonyms,
}

impl Reader<'_> {
    fn read(&self, words: &[Word]) -> Vec<ReadWord> {
        // Where most words are written like names, none is one.
        let names = words.iter().filter(|word| word.is_name).count();
        let has_names = names * 2 <= words.len();
        let mut read: Vec<ReadWord> =
            words.iter().map(|word| self.read_word(word, word.is_name && has_names)).collect();
        for (position, word) in words.iter().enumerate().filter(|(_, word)| word.joins > 0) {
            let parts = position - word.joins..position;
            let stems: Vec<Option<Term>> = read[parts.clone()].iter().map(|part| part.stem).collect();
            let is_known = self.index.vocabulary.stem(&word.text).is_some();
            if !is_known && self.index.vocabulary.meanings(&stems).iter().all(|meaning| meaning.length == 1) {
                // Something of this name, such as a group: `vpn-users` is about no network.
                read[position] = ReadWord::default();
                read[parts].iter_mut().for_each(|part| part.weight *= NAME);
            }
        }
        read
    }

    fn read_word(&self, word: &Word, is_name: bool) -> ReadWord {
        if word.is_quoted {
            let stem = self.index.vocabulary.stem(&word.text);
            return ReadWord { stem, weight: NAME, is_unknown_name: false };
        }
        if let Some(stem) = self.index.vocabulary.stem(&word.text) {
            let is_name = is_name && !self.index.is_proper_name(stem);
            return ReadWord { stem: Some(stem), weight: if is_name { NAME } else { 1.0 }, is_unknown_name: false };
        }
        if is_name {
            return ReadWord { is_unknown_name: true, ..ReadWord::default() };
        }
        if word.form.is_some() || word.text.chars().count() < SHORTEST_MISSPELT {
            return ReadWord::default();
        }
        ReadWord { stem: self.put_right(&word.text), weight: GUESSED, is_unknown_name: false }
    }

    /// The known word that is probably meant: of those near to it, the one that most tools have.
    fn put_right(&self, word: &str) -> Option<Term> {
        let vocabulary = &self.index.vocabulary;
        let near = vocabulary.near(word).into_iter().filter(|near| !vocabulary.is_ignored(near));
        let stems = near.filter_map(|near| vocabulary.stem(near));
        stems.max_by_key(|stem| (self.index.tools_with(*stem), std::cmp::Reverse(*stem)))
    }

    /// The matters, and the terms that words stand for by their form.
    fn matters(&self, words: &[Word], read: &[ReadWord], wants_change: bool) -> (Vec<Matter>, Vec<(Term, f32)>) {
        let stems: Vec<Option<Term>> = read.iter().map(|word| word.stem).collect();
        let meanings = self.index.vocabulary.meanings(&stems);
        let mut matters = Vec::new();
        let records = words.iter().filter(|word| word.form.is_some_and(WordForm::is_record)).count();
        let mut forms: BTreeSet<WordForm> = (records > 1).then_some(WordForm::Several).into_iter().collect();
        for (position, word) in words.iter().enumerate() {
            let name = read[position].is_unknown_name.then_some(WordForm::Name);
            if let Some(form) = word.form.or(name) {
                forms.insert(form);
                continue;
            }
            let ReadWord { stem, weight, .. } = read[position];
            match stem {
                Some(stem) if !self.index.vocabulary.is_ignored(&word.text) => {
                    let own = meanings.iter().filter(|meaning| meaning.start == position && meaning.length == 1);
                    let terms = std::iter::once((stem, 1.0)).chain(own.map(|meaning| (meaning.term, SYNONYM)));
                    let is_part = meanings.iter().any(|meaning| {
                        meaning.length > 1 && (meaning.start..meaning.start + meaning.length).contains(&position)
                    });
                    let weight = if is_part { weight * PART } else { weight };
                    matters.push(Matter { weight, terms: terms.collect() });
                }
                Some(_) => {
                    let own = meanings.iter().filter(|meaning| meaning.start == position && meaning.length == 1);
                    let terms: Vec<(Term, f32)> = own.map(|meaning| (meaning.term, SYNONYM)).collect();
                    if !terms.is_empty() {
                        matters.push(Matter { weight: MEANING, terms });
                    }
                }
                None if word.joins > 0 => {}
                None if word.is_quoted => {
                    forms.insert(WordForm::Unknown);
                }
                None => {
                    let parts = self.apart(&word.text);
                    forms.extend(parts.is_empty().then_some(WordForm::Unknown));
                    matters.extend(parts);
                }
            }
        }
        // A name and nothing else is what to search for.
        if matters.iter().all(|matter| matter.weight <= MEANING) && forms.contains(&WordForm::Name) {
            forms.insert(WordForm::Unknown);
        }
        // What nothing is known of is what a search is for, and no reason to search where something has to be done.
        let forms = forms.into_iter().filter(|form| *form != WordForm::Unknown || !wants_change);
        let of_forms: Vec<Matter> = forms.flat_map(|form| self.of_form(form)).collect();
        let counted = of_forms
            .iter()
            .flat_map(|matter| matter.terms.iter().map(move |(term, share)| (*term, share * matter.weight)));
        let by_form: Vec<(Term, f32)> = counted.collect();
        matters.extend(of_forms);
        matters.extend(Self::of_several_words(&meanings));
        matters.extend(self.joined(words));
        (matters, by_form)
    }

    /// What synonyms of several words mean.
    fn of_several_words(meanings: &[Meaning]) -> Vec<Matter> {
        let mut matters: Vec<(usize, usize, Matter)> = Vec::new();
        for meaning in meanings.iter().filter(|meaning| meaning.length > 1) {
            let here = (meaning.start, meaning.length);
            if let Some((.., matter)) = matters.iter_mut().find(|(start, length, _)| (*start, *length) == here) {
                matter.terms.push((meaning.term, SYNONYM));
                continue;
            }
            let matter = Matter { weight: 1.0, terms: vec![(meaning.term, SYNONYM)] };
            matters.push((meaning.start, meaning.length, matter));
        }
        matters.into_iter().map(|(.., matter)| matter).collect()
    }

    /// A known word that the question writes as two: "help desk".
    fn joined(&self, words: &[Word]) -> Vec<Matter> {
        let joined = words.windows(2).filter_map(|pair| {
            let text = format!("{}{}", pair[0].text, pair[1].text);
            let stem = self.index.vocabulary.stem(&text)?;
            let is_apart = pair.iter().all(|word| !word.text.is_empty());
            is_apart.then(|| Matter { weight: GUESSED, terms: self.terms(stem) })
        });
        joined.collect()
    }

    /// The known words that an unknown one is made of: "mailaddress".
    fn apart(&self, word: &str) -> Vec<Matter> {
        let cuts = word.char_indices().map(|(cut, _)| cut);
        let inner = cuts.filter(|cut| *cut >= SHORTEST_PART && word.len() - cut >= SHORTEST_PART);
        let known = |part: &str| self.index.vocabulary.stem(part);
        let parts = inner.filter_map(|cut| {
            let (before, after) = word.split_at(cut);
            Some([(before, known(before)?), (after, known(after)?)])
        });
        let Some(parts) = parts.max_by_key(|parts| parts.map(|(part, _)| part.len()).into_iter().min()) else {
            return Vec::new();
        };
        parts.map(|(_, stem)| Matter { weight: GUESSED, terms: self.terms(stem) }).into()
    }

    /// What a word stands for by its form.
    fn of_form(&self, form: WordForm) -> Vec<Matter> {
        let words = self.synonyms.forms.get(&form).into_iter().flatten();
        let matter = |word: &String| {
            let terms = self.index.vocabulary.stem(word).map(|stem| self.terms(stem)).unwrap_or_default();
            Matter { weight: if form == WordForm::Several { TWO_RECORDS } else { FORM }, terms }
        };
        words.map(matter).collect()
    }

    /// What a stem is matched by: itself and its synonyms.
    fn terms(&self, stem: Term) -> Vec<(Term, f32)> {
        let meanings = self.index.vocabulary.meanings(&[Some(stem)]);
        std::iter::once((stem, 1.0)).chain(meanings.into_iter().map(|meaning| (meaning.term, SYNONYM))).collect()
    }
}

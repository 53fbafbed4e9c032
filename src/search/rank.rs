//! A question and the index → tools with scores.

use std::collections::HashSet;

use super::question::Question;
use super::records::Records;
use crate::catalog::CatalogEntry;
use toolwright_model::{Effect, HELD_BACK_TAGS, ToolHead, Verb, Wish};
use toolwright_search_index::{Index, Term};

/// The share of the best score below which a tool is left out.
pub(super) const LEAST: f32 = 0.05;

/// How soon more of a term stops to count (k1 of BM25).
const SATURATION: f32 = 1.2;
/// The powers with which how people ask, the texts of the tool and the kind of thing make a score.
const EXAMPLES: f32 = 0.6;
const TEXTS: f32 = 0.4;
const KIND: f32 = 1.2;
/// What a tool has whose texts have no word of the question.
const NO_TEXT: f32 = 0.3;
/// What a tool counts that does the other kind of thing than the question wants.
const OTHER_KIND: f32 = 0.3;
/// What a tool counts that deletes where the question does not ask for that.
const UNASKED_DELETE: f32 = 0.9;
/// What a tool counts that does exactly the kind of thing.
const SAME_VERB: f32 = 1.08;
/// What a tool counts that needs arguments, such as the record that the question names.
const OF_RECORD: f32 = 1.15;
/// What a tool counts that lists, where the question is for several, and what one counts that does not.
const SEVERAL: f32 = 1.3;
const ONE_OF_SEVERAL: f32 = 0.8;
/// What a tool for several records counts where the question is about several, and what one for a single record counts there.
const SEVERAL_RECORDS: f32 = 1.5;
const ONE_OF_RECORDS: f32 = 0.85;
/// What a tool for several records counts where the question names one.
const SEVERAL_FOR_ONE: f32 = 0.88;
/// What a tool counts that lists, where the question names no record.
const OF_MANY: f32 = 1.07;
/// What an everyday tool counts.
const CORE: f32 = 1.10;
/// What a tool counts that is held back unless asked for.
const HELD_BACK: f32 = 0.94;
/// What a tool loses of which no word of the name is asked for.
const UNASKED_NAME: f32 = 0.08;
/// What a tool counts that reads one record, where the question names one and nothing else.
const ONLY_RECORD: f32 = 1.7;
/// What the tools of a vendor count that the question names.
const NAMED_VENDOR: f32 = 1.4;

/// Returns the score of each tool that fits at all, by its position in the catalog.
pub(super) fn scores(
    index: &Index,
    question: &Question,
    entries: &[CatalogEntry],
    vendors: &[&str],
) -> Vec<(usize, f32)> {
    // Small words alone are about nothing, though they occur in examples.
    if question.matters.is_empty() {
        return Vec::new();
    }
    let mut tools = Sums::new(entries.len());
    for matter in &question.matters {
        for (term, share) in &matter.terms {
            let rarity = index.rarity(*term) * share * matter.weight;
            for (tool, weight) in index.tools(*term) {
                tools.offer(tool, rarity * weight / (SATURATION + weight));
            }
        }
        tools.settle();
    }
    let mut typical = vec![0.0; entries.len()];
    let Question { words, read, by_form, .. } = question;
    index.examples().score(words, read, by_form, &index.vocabulary, &mut typical);
    let name_words = Names::asked(index, question);
    let scored =
        tools.totals.iter().zip(&typical).enumerate().filter(|(_, (texts, typical))| **texts + **typical > 0.0);
    let score = |(position, (texts, typical)): (usize, (&f32, &f32))| {
        let entry = &entries[position];
        let named = if vendors.contains(&entry.vendor.as_str()) { NAMED_VENDOR } else { 1.0 };
        let texts = texts * name_words.asked_for(index.name(position));
        let takes = Takes { an_argument: index.needs_argument(position), several: index.is_of_several(position) };
        let kind = fit(entry.head(), question, takes).powf(KIND);
        (position, (EXAMPLES * typical).exp() * (NO_TEXT + texts).powf(TEXTS) * kind * named)
    };
    scored.map(score).collect()
}

/// The words that are in names of tools: how rare each is, and whether a question asks for it.
struct Names(Vec<(f32, bool)>);

impl Names {
    fn asked(index: &Index, question: &Question) -> Self {
        let asked: HashSet<Term> =
            question.matters.iter().flat_map(|matter| &matter.terms).map(|(term, _)| *term).collect();
        let words = index.name_words().map(|terms| {
            let mut terms = terms.peekable();
            let rarity = terms.peek().map_or(0.0, |stem| index.rarity(*stem));
            (rarity, terms.any(|term| asked.contains(&term)))
        });
        Self(words.collect())
    }

    /// How far the words of a tool's name are asked for: what a name has beside them is about something else.
    fn asked_for(&self, name: impl Iterator<Item = u32>) -> f32 {
        let (mut all, mut unasked) = (0.0, 0.0);
        for (rarity, is_asked) in name.filter_map(|word| self.0.get(word as usize)) {
            all += rarity;
            unasked += if *is_asked { 0.0 } else { *rarity };
        }
        1.0 - UNASKED_NAME * unasked / all.max(f32::MIN_POSITIVE)
    }
}

/// What a tool demands.
#[derive(Clone, Copy)]
struct Takes {
    an_argument: bool,
    several: bool,
}

/// How far the tool does the kind of thing that is wanted.
fn fit(tool: &ToolHead, question: &Question, takes: Takes) -> f32 {
    let wish = question.wish;
    let reads = tool.effect.map(|effect| effect == Effect::Read);
    let is_delete = tool.verb == Verb::Delete;
    let mut fit = match (wish, reads) {
        (Some(Wish::Read), Some(false)) => OTHER_KIND,
        (Some(wish), Some(true)) if wish != Wish::Read => OTHER_KIND,
        _ => 1.0,
    };
    if is_delete && wish.is_some_and(|wish| wish != Wish::Delete) {
        fit *= UNASKED_DELETE;
    }
    let same = match wish {
        Some(Wish::Create) => tool.verb == Verb::Create,
        Some(Wish::Update) => tool.verb == Verb::Update,
        Some(Wish::Delete) => is_delete,
        Some(Wish::Action) => tool.verb == Verb::Action,
        Some(Wish::Read | Wish::Change) | None => false,
    };
    if same {
        fit *= SAME_VERB;
    }
    if question.names_record && takes.an_argument {
        fit *= OF_RECORD;
    }
    if reads != Some(true) {
        fit *= match (question.records, takes.several) {
            (Records::Several, true) => SEVERAL_RECORDS,
            (Records::Several, false) => ONE_OF_RECORDS,
            (Records::One, true) => SEVERAL_FOR_ONE,
            _ => 1.0,
        };
    }
    if question.is_only_record && tool.verb == Verb::Get && tool.is_core() {
        fit *= ONLY_RECORD;
    }
    if !question.names_record && tool.effect == Some(Effect::Read) && matches!(tool.verb, Verb::List | Verb::Search) {
        fit *= OF_MANY;
    }
    if question.is_for_several {
        fit *= if matches!(tool.verb, Verb::List | Verb::Search) { SEVERAL } else { ONE_OF_SEVERAL };
    }
    if tool.is_core() {
        fit *= CORE;
    }
    if tool.tags.iter().any(|tag| HELD_BACK_TAGS.contains(&tag.as_str())) {
        fit *= HELD_BACK;
    }
    fit
}

/// Sums over the matters of a question, of the most that each counts.
struct Sums {
    totals: Vec<f32>,
    /// The most of the matter at hand.
    most: Vec<f32>,
    touched: Vec<u32>,
}

impl Sums {
    fn new(length: usize) -> Self {
        Self { totals: vec![0.0; length], most: vec![0.0; length], touched: Vec::new() }
    }

    /// Offers what a term of the matter counts; the most of them is taken.
    fn offer(&mut self, position: u32, value: f32) {
        let most = &mut self.most[position as usize];
        if *most == 0.0 {
            self.touched.push(position);
        }
        *most = most.max(value);
    }

    /// Ends a matter.
    fn settle(&mut self) {
        for position in self.touched.drain(..) {
            self.totals[position as usize] += std::mem::take(&mut self.most[position as usize]);
        }
    }
}

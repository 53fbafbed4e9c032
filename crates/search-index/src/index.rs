//! Tools and synonyms → weights of each term in each tool, and the examples of questions for each; as bytes, and back.
//!
//! A tool's texts are fields of different weight (BM25F): a term counts more in a name than among its arguments, and less
//! in a long field. How people ask for it is no field: phrases, title, name and the first sentence are read as examples.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::examples::{Examples, Gathering};
use super::fields::{Fields, Reader, own_name, schema, weigh};
use super::packed::{Lists, Numbers, Postings, Weights};
use super::text;
use super::vocabulary::{NewVocabulary, Rules, Term, Terms, Vocabulary};
use toolwright_model::{Synonyms, Tool};

/// What a word of little matter counts.
const LIGHT: f32 = 0.3;

/// How much rarer a word can count than its synonyms together.
const RARER_THAN_GROUP: f32 = 1.2;

/// What the search looks in: tools are meant by their position among those of which it was made.
pub struct Index {
    /// The words that are known.
    pub vocabulary: Vocabulary,
    weights: TermWeights<'static>,
}

/// Weights of terms in tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct TermWeights<'a> {
    /// By term: the tools that have it, with its weight there.
    #[serde(borrow)]
    tools: Postings<'a>,
    /// By term: how rare it is.
    #[serde(borrow)]
    rarity: Weights<'a>,
    #[serde(borrow)]
    examples: Examples<'a>,
    /// By tool: the words of its name, as positions in `name_words`.
    #[serde(borrow)]
    named: Lists<'a>,
    /// Each word that is in names of tools: its stem, and the other terms that it can be matched by.
    #[serde(borrow)]
    name_words: Lists<'a>,
    /// The positions of tools with a required argument, such as a record's id.
    #[serde(borrow)]
    needing: Numbers<'a>,
    /// The positions of tools that change several records at once.
    #[serde(borrow)]
    of_several: Numbers<'a>,
    /// Words that texts of tools write as names, such as those of products.
    #[serde(borrow)]
    proper: Numbers<'a>,
}

impl Index {
    /// Makes the index of tools, each with its vendor.
    pub fn of(tools: &[(&str, &Tool)], synonyms: &Synonyms) -> Self {
        let mut reader = Reader::new(tools, NewVocabulary::new(synonyms));
        let mut fields = Vec::new();
        let mut examples = Gathering::default();
        let (mut needing, mut of_several) = (Vec::new(), Vec::new());
        for (position, (vendor, tool)) in (0..).zip(tools) {
            let schema = schema(tool);
            needing.extend((!schema.required.is_empty()).then_some(position));
            of_several.extend(schema.takes_several(vendor, tool).then_some(position));
            fields.push(reader.fields(vendor, tool, schema));
            let first = reader.first_sentence(tool);
            let texts = tool.phrases.iter().map(String::as_str);
            for text in texts.chain([own_name(vendor, tool), tool.title.as_str(), first.as_str()]) {
                examples.add(position, &text::words(text), &mut reader.vocabulary);
            }
        }
        let vocabulary = reader.vocabulary.finish(&examples.pairs());
        let tools_of = weigh(&fields, vocabulary.words_len());
        let rarity = rarity(&tools_of, &fields, &vocabulary, synonyms);
        let (named, name_words) = names(tools, &vocabulary);
        let weights = TermWeights {
            examples: examples.finish(&vocabulary),
            tools: tools_of.into(),
            rarity: rarity.into_iter().collect(),
            named,
            name_words,
            needing: needing.into_iter().collect(),
            of_several: of_several.into_iter().collect(),
            proper: reader.proper.into_iter().collect(),
        };
        Self { vocabulary, weights }
    }

    /// Writes the index; the same tools and synonyms make the same bytes.
    ///
    /// # Panics
    /// Never: its parts are plain data.
    pub fn bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(&(&self.vocabulary.terms, &self.weights)).expect("plain data can be written")
    }

    /// Takes an index that was written with the same synonyms. All but the synonyms is read where it lies.
    ///
    /// # Errors
    /// The bytes are no index.
    pub fn read(bytes: &'static [u8], synonyms: &Synonyms) -> postcard::Result<Self> {
        let (terms, weights): (Terms<'static>, TermWeights<'static>) = postcard::from_bytes(bytes)?;
        Ok(Self { vocabulary: Vocabulary { rules: Rules::new(synonyms), terms }, weights })
    }

    /// The tools that have a term in one of their texts, with its weight there.
    pub fn tools(&self, term: Term) -> impl Iterator<Item = (u32, f32)> {
        self.weights.tools.get(term as usize)
    }

    /// How many tools have a term in one of their texts or examples, about.
    pub fn tools_with(&self, term: Term) -> usize {
        self.weights.tools.count(term as usize) + self.weights.examples.tools(term)
    }

    /// How rare a term is.
    pub fn rarity(&self, term: Term) -> f32 {
        self.weights.rarity.get(term as usize)
    }

    /// How typical terms are for tools.
    pub fn examples(&self) -> &Examples<'static> {
        &self.weights.examples
    }

    /// The words of a tool's name behind its verb, as positions in [`Self::name_words`].
    pub fn name(&self, tool: usize) -> impl Iterator<Item = u32> {
        self.weights.named.get(tool)
    }

    /// Each word that is in the name of a tool: the terms that it can be matched by, its own stem first.
    pub fn name_words(&self) -> impl Iterator<Item = impl Iterator<Item = Term>> {
        (0..self.weights.name_words.len()).map(|position| self.weights.name_words.get(position))
    }

    /// Whether a tool has a required argument, such as a record's id.
    pub fn needs_argument(&self, tool: usize) -> bool {
        u32::try_from(tool).is_ok_and(|tool| self.weights.needing.find(tool).is_some())
    }

    /// Whether a tool changes several records at once.
    pub fn is_of_several(&self, tool: usize) -> bool {
        u32::try_from(tool).is_ok_and(|tool| self.weights.of_several.find(tool).is_some())
    }

    /// Whether texts of tools write a word as a name, such as that of a product.
    pub fn is_proper_name(&self, stem: Term) -> bool {
        self.weights.proper.find(stem).is_some()
    }
}

/// How rare each term is.
#[expect(clippy::cast_precision_loss, reason = "numbers of tools are small")]
fn rarity(tools_of: &[Vec<(u32, f32)>], tools: &[Fields], vocabulary: &Vocabulary, synonyms: &Synonyms) -> Vec<f32> {
    let all = tools.len() as f32;
    let of_term = |having: &Vec<(u32, f32)>| {
        let having = having.len() as f32;
        (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
    };
    let mut rarity: Vec<f32> = tools_of.iter().map(of_term).collect();
    // Which of several synonyms a text has is chance: one that few texts have is not much rarer than all together.
    for stem in 0..rarity.len() {
        let groups = vocabulary.meanings(&[u32::try_from(stem).ok()]).into_iter().map(|meaning| meaning.term);
        let most = groups.map(|group| rarity[group as usize]).max_by(f32::total_cmp);
        if let Some(most) = most {
            rarity[stem] = rarity[stem].min(most * RARER_THAN_GROUP);
        }
    }
    // Several of the words can have one stem.
    let light: BTreeSet<Term> = synonyms.light.iter().filter_map(|word| vocabulary.stem(word)).collect();
    for stem in light {
        rarity[stem as usize] *= LIGHT;
    }
    rarity
}

/// By tool the words of its name behind its verb, and of each such word the terms that it can be matched by.
fn names(tools: &[(&str, &Tool)], vocabulary: &Vocabulary) -> (Lists<'static>, Lists<'static>) {
    let stems = |(vendor, tool): &(&str, &Tool)| -> Vec<Term> {
        let words = text::words(own_name(vendor, tool));
        words.iter().skip(1).filter_map(|word| vocabulary.stem(&word.text)).collect()
    };
    let of_tools: Vec<Vec<Term>> = tools.iter().map(stems).collect();
    let distinct: BTreeSet<Term> = of_tools.iter().flatten().copied().collect();
    let positions: BTreeMap<Term, u32> = distinct.iter().copied().zip(0..).collect();
    let named = of_tools.iter().map(|stems| stems.iter().filter_map(|stem| positions.get(stem).copied()).collect());
    let terms = |stem: Term| -> Vec<Term> {
        let groups = vocabulary.meanings(&[Some(stem)]).into_iter().map(|meaning| meaning.term);
        std::iter::once(stem).chain(groups).collect()
    };
    (named.collect(), distinct.into_iter().map(terms).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(name: &str, required: &[&str], phrases: &[&str]) -> Tool {
        let hints =
            json!({"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true});
        let text = json!({
            "name": name, "title": name, "description": "Shows it in Acme Cloud.", "effect": "read", "verb": "get",
            "risks": [], "tags": [], "aliases": [], "phrases": phrases, "annotations": hints, "calls": [],
            "inputSchema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": required},
        });
        serde_json::from_str(&text.to_string()).unwrap()
    }

    #[test]
    fn a_tool_of_several_records_takes_a_list_of_them() {
        let takes = |name: &str, effect: &str, properties: serde_json::Value, required: &[&str]| {
            let mut tool = serde_json::to_value(tool(name, &[], &[])).unwrap();
            tool["effect"] = json!(effect);
            tool["inputSchema"] = json!({"type": "object", "properties": properties, "required": required});
            let tool: Tool = serde_json::from_str(&tool.to_string()).unwrap();
            Index::of(&[("acme", &tool)], &Synonyms::default()).is_of_several(0)
        };
        let list = json!({"type": "array"});
        assert!(
            takes("acme_close_tickets", "write", json!({"tickets": list, "query": true}), &[]),
            "named as they are"
        );
        assert!(
            takes("acme_add_members", "write", json!({"users": {"type": ["array", "null"]}}), &["users"]),
            "demanded"
        );
        assert!(!takes("acme_add_members", "write", json!({"users": list}), &[]), "neither");
        assert!(!takes("acme_close_ticket", "write", json!({"ticket": list}), &["ticket"]), "of one, by its name");
        assert!(!takes("acme_close_tickets", "write", json!({"tickets": {"type": "string"}}), &["tickets"]), "no list");
        assert!(!takes("acme_find_tickets", "read", json!({"tickets": list}), &[]), "it changes nothing");
    }

    fn index() -> (Index, Synonyms) {
        let synonyms = Synonyms {
            same: vec![vec!["device".to_owned(), "laptop".to_owned()]],
            light: vec!["show".to_owned()],
            ..Synonyms::default()
        };
        let tools = [
            tool("acme_get_device", &["id"], &["show a laptop", "which device"]),
            tool("acme_list_users", &[], &["who is there"]),
        ];
        (Index::of(&tools.each_ref().map(|tool| ("acme", tool)), &synonyms), synonyms)
    }

    #[test]
    fn what_is_read_is_what_was_made() {
        let (index, synonyms) = index();
        let bytes = index.bytes();
        assert_eq!(bytes, self::index().0.bytes(), "the same input makes the same bytes");
        let read = Index::read(bytes.clone().leak(), &synonyms).unwrap();
        assert_eq!((&read.weights, &read.vocabulary.terms), (&index.weights, &index.vocabulary.terms));
        for end in 0..bytes.len() {
            assert!(Index::read(bytes[..end].to_vec().leak(), &synonyms).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_tool_is_known_by_its_texts() {
        let (index, _) = index();
        let stem = |word| index.vocabulary.stem(word).unwrap();
        let having = |word| index.tools(stem(word)).map(|(tool, _)| tool).collect::<Vec<_>>();
        assert_eq!((having("devices"), having("user"), having("cloud")), (vec![0], vec![1], vec![0, 1]));
        let laptop = index.vocabulary.meanings(&[Some(stem("laptop"))]);
        assert_eq!(laptop.len(), 1);
        assert_eq!(index.tools(laptop[0].term).map(|(tool, _)| tool).collect::<Vec<_>>(), [0], "by its synonym");
        assert_eq!([0, 1, 2].map(|tool| index.needs_argument(tool)), [true, false, false]);
        assert!(index.is_proper_name(stem("acme")) && !index.is_proper_name(stem("device")));
        assert_eq!([0, 1].map(|tool| index.name(tool).count()), [1, 1]);
        let names: Vec<Vec<Term>> = index.name_words().map(Iterator::collect).collect();
        assert!(names.contains(&vec![stem("device"), laptop[0].term]) && names.contains(&vec![stem("user")]));
        assert_eq!(index.tools_with(stem("which")), 1, "words of phrases are in examples only");
    }
}

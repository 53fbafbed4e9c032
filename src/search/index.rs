//! The catalog's tools → weights of each term in each tool, and the examples of questions for each.
//!
//! A tool's texts are fields of different weight (BM25F): a term counts more in a name than among its arguments, and less
//! in a long field. How people ask for it is no field: phrases, title, name and the first sentence are read as examples.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::examples::{Examples, Gathering};
use super::text::{self, Word};
use super::vocabulary::{Term, Vocabulary};
use crate::catalog::{Catalog, CatalogEntry};
use toolwright_model::{Synonyms, Tool};

/// The texts of a tool, with their weight and with how much their length counts against them (b of BM25).
/// What descriptions of arguments have was measured to help no question.
const FIELDS: [(f32, f32); 6] = [
    (3.0, 0.3), // name
    (3.0, 0.3), // title
    (1.2, 0.5), // description
    (0.8, 0.5), // names of arguments
    (0.8, 0.2), // tags
    (0.8, 0.5), // aliases, and the vendor's operation
];
/// The weight of a sentence that is about another tool.
const OF_ANOTHER: f32 = 0.4;

/// What a word of little matter counts.
const LIGHT: f32 = 0.3;

/// How much rarer a word can count than its synonyms together.
const RARER_THAN_GROUP: f32 = 1.2;

/// Weights of terms in tools.
pub(super) struct Index {
    pub vocabulary: Vocabulary,
    /// By term: the tools that have it, with its weight there.
    pub tools: Vec<Vec<(u32, f32)>>,
    pub examples: Examples,
    /// By term: how rare it is.
    pub rarity: Vec<f32>,
    /// By tool: what each word of its name can be matched by, and how rare it is.
    pub named: Vec<Vec<(Vec<Term>, f32)>>,
    /// By tool: whether it has a required argument, such as a record's id.
    pub needs_argument: Vec<bool>,
    /// Words that texts of tools write as names, such as those of products.
    pub names: std::collections::HashSet<Term>,
}

/// The terms of a tool's fields, each with its weight in the field.
type Fields = [Vec<(Term, f32)>; FIELDS.len()];

/// The terms of names that many tools have for arguments.
type KnownNames = HashMap<String, Vec<Term>>;

impl Index {
    pub(super) fn new(catalog: &Catalog, synonyms: &Synonyms) -> Self {
        let mut vocabulary = Vocabulary::new(synonyms);
        let mut names = std::collections::HashSet::new();
        let mut tools = Vec::new();
        let mut examples = Gathering::default();
        let mut known = KnownNames::new();
        let mut needs_argument = Vec::new();
        for (position, entry) in catalog.entries().iter().enumerate() {
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            let schema = schema(&entry.tool);
            needs_argument.push(!schema.required.is_empty());
            tools.push(read_tool(entry, schema, catalog, &mut vocabulary, &mut names, &mut known));
            let first = tool_free_sentence(entry, catalog);
            let texts = entry.tool.phrases.iter().map(String::as_str);
            for text in texts.chain([own_name(entry), entry.tool.title.as_str(), first.as_str()]) {
                examples.add(position, &text::words(text), &mut vocabulary);
            }
        }
        let mut index = Self {
            tools: weigh(&tools, vocabulary.len()),
            examples: examples.finish(vocabulary.len()),
            rarity: Vec::new(),
            named: Vec::new(),
            needs_argument,
            vocabulary,
            names,
        };
        #[expect(clippy::cast_precision_loss, reason = "numbers of tools are small")]
        let rarity = |having: &Vec<(u32, f32)>| {
            let (all, having) = (tools.len() as f32, having.len() as f32);
            (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
        };
        index.rarity = index.tools.iter().map(rarity).collect();
        index.cap_synonyms();
        // Several of the words can have one stem.
        let light: BTreeSet<Term> = synonyms.light.iter().filter_map(|word| index.vocabulary.stem(word)).collect();
        for stem in light {
            index.rarity[stem as usize] *= LIGHT;
        }
        index.named = catalog.entries().iter().map(|entry| index.name(entry)).collect();
        index
    }

    /// How many tools have a term in one of their texts or examples, about.
    pub(super) fn tools_with(&self, term: Term) -> usize {
        self.tools[term as usize].len() + self.examples.tools(term)
    }

    /// Which of several synonyms a text has is chance: one that few texts have is not much rarer than all together.
    fn cap_synonyms(&mut self) {
        for stem in 0..self.rarity.len() {
            let term = u32::try_from(stem).unwrap_or(u32::MAX);
            let groups = self.vocabulary.meanings(&[Some(term)]).into_iter().map(|meaning| meaning.term);
            let most = groups.map(|group| self.rarity[group as usize]).max_by(f32::total_cmp);
            if let Some(most) = most {
                self.rarity[stem] = self.rarity[stem].min(most * RARER_THAN_GROUP);
            }
        }
    }

    /// The words of a tool's name after its verb.
    fn name(&self, entry: &CatalogEntry) -> Vec<(Vec<Term>, f32)> {
        let words = text::words(own_name(entry));
        let stems: Vec<Term> = words.iter().skip(1).filter_map(|word| self.vocabulary.stem(&word.text)).collect();
        let of_stem = |stem: Term| {
            let meanings = self.vocabulary.meanings(&[Some(stem)]).into_iter().map(|meaning| meaning.term);
            (std::iter::once(stem).chain(meanings).collect(), self.rarity[stem as usize])
        };
        stems.into_iter().map(of_stem).collect()
    }
}

/// Reads the fields of a tool.
fn read_tool(
    entry: &CatalogEntry,
    schema: Schema,
    catalog: &Catalog,
    vocabulary: &mut Vocabulary,
    names: &mut std::collections::HashSet<Term>,
    known: &mut KnownNames,
) -> Fields {
    let tool = &entry.tool;
    let mut fields = Fields::default();
    let add = |fields: &mut Fields, field: usize, words: &[Word], weight: f32, vocabulary: &mut Vocabulary| {
        fields[field].extend(vocabulary.add_text(words).into_iter().map(|term| (term, weight)));
    };
    add(&mut fields, 0, &text::words(own_name(entry)), 1.0, vocabulary);
    add(&mut fields, 1, &text::words(&tool.title), 1.0, vocabulary);
    for sentence in sentences(&tool.description) {
        let (words, of_another) = without_tools(sentence, tool, catalog);
        add(&mut fields, 2, &words, if of_another { OF_ANOTHER } else { 1.0 }, vocabulary);
        let proper = words.iter().filter(|word| word.is_name && !is_loud(&word.text, sentence));
        names.extend(proper.filter_map(|word| vocabulary.stem(&word.text)));
    }
    for argument in arguments(schema, tool) {
        let terms = known.entry(argument).or_insert_with_key(|name| vocabulary.add_text(&text::of_identifier(name)));
        fields[3].extend(terms.iter().map(|term| (*term, 1.0)));
    }
    for tag in &tool.tags {
        add(&mut fields, 4, &text::words(tag), 1.0, vocabulary);
    }
    for alias in &tool.aliases {
        add(&mut fields, 5, &text::words(alias), 1.0, vocabulary);
    }
    for call in &tool.calls {
        add(&mut fields, 5, &text::of_identifier(&call.operation), 1.0, vocabulary);
        add(&mut fields, 5, &text::of_identifier(&call.path), 0.5, vocabulary);
    }
    fields
}

/// The first sentence of a tool's description, which stands alone, without the names of tools.
fn tool_free_sentence(entry: &CatalogEntry, catalog: &Catalog) -> String {
    let first = entry.tool.description.split(". ").next().unwrap_or_default();
    first.split_whitespace().filter(|chunk| tool_named(chunk, catalog).is_none()).collect::<Vec<_>>().join(" ")
}

/// The tool that a word of a text names.
fn tool_named<'a>(chunk: &str, catalog: &'a Catalog) -> Option<&'a CatalogEntry> {
    let name = chunk.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    Some(name).filter(|name| name.contains('_')).and_then(|name| catalog.get(name))
}

/// The name of a tool without the vendor's.
fn own_name(entry: &CatalogEntry) -> &str {
    let name = entry.tool.name.strip_prefix(&entry.vendor).and_then(|name| name.strip_prefix('_'));
    name.unwrap_or(&entry.tool.name)
}

/// Whether a word is written in capitals to be seen, as in "the CUSTOMER reads it".
fn is_loud(word: &str, sentence: &str) -> bool {
    word.chars().count() > 4 && sentence.contains(&word.to_uppercase())
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(". ").flat_map(|sentence| sentence.split_inclusive([';', ':']))
}

/// The words of a text without the names of tools, and whether it names another one: what it states is about that one.
fn without_tools(text: &str, tool: &Tool, catalog: &Catalog) -> (Vec<Word>, bool) {
    let mut of_another = false;
    let mut kept: Vec<&str> = Vec::new();
    for chunk in text.split_whitespace() {
        match tool_named(chunk, catalog) {
            Some(other) => of_another |= other.tool.name != tool.name,
            None => kept.push(chunk),
        }
    }
    (text::words(&kept.join(" ")), of_another)
}

/// What is read of a schema.
#[derive(Deserialize, Default)]
#[expect(clippy::zero_sized_map_values, reason = "of the map of a JSON text only the keys are read")]
struct Schema {
    #[serde(default)]
    properties: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    required: Vec<String>,
}

fn schema(tool: &Tool) -> Schema {
    serde_json::from_str(tool.input_schema.get()).unwrap_or_default()
}

/// The names of the vendor's arguments of a tool.
fn arguments(schema: Schema, tool: &Tool) -> impl Iterator<Item = String> {
    schema.properties.into_keys().filter(|name| !tool.is_own_argument(name))
}

/// Weighs each term in each tool, over its fields.
#[expect(clippy::cast_precision_loss, reason = "numbers of words are small")]
fn weigh(tools: &[Fields], terms: usize) -> Vec<Vec<(u32, f32)>> {
    let mean = |field: usize| {
        let length: usize = tools.iter().map(|fields| fields[field].len()).sum();
        (length as f32 / tools.len().max(1) as f32).max(1.0)
    };
    let means: Vec<f32> = (0..FIELDS.len()).map(mean).collect();
    let mut weights: Vec<Vec<(u32, f32)>> = vec![Vec::new(); terms];
    for (position, fields) in tools.iter().enumerate() {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        for (field, (weight, b)) in FIELDS.iter().enumerate() {
            let long = 1.0 - b + b * fields[field].len() as f32 / means[field];
            for (term, share) in &fields[field] {
                let of_term = &mut weights[*term as usize];
                match of_term.last_mut().filter(|(tool, _)| *tool == position) {
                    Some((_, sum)) => *sum += weight * share / long,
                    None => of_term.push((position, weight * share / long)),
                }
            }
        }
    }
    weights
}

//! A tool's texts → its terms in each field, and how people ask for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::text::{self, Word};
use super::vocabulary::{NewVocabulary, Term};
use toolwright_model::{Effect, Tool};

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

/// The terms of a tool's fields, each with its weight in the field.
pub(crate) type Fields = [Vec<(Term, f32)>; FIELDS.len()];

/// Names and aliases of tools → the tool's position.
type Names<'a> = HashMap<&'a str, usize>;

/// Reads the texts of tools, one after the other.
pub(crate) struct Reader<'a> {
    tools: &'a [(&'a str, &'a Tool)],
    names: Names<'a>,
    pub vocabulary: NewVocabulary,
    /// The terms of names that many tools have for arguments.
    known: HashMap<String, Vec<Term>>,
    /// Words that texts of tools write as names, such as those of products.
    pub proper: BTreeSet<Term>,
}

impl<'a> Reader<'a> {
    /// Reads tools, each with its vendor.
    pub(crate) fn new(tools: &'a [(&'a str, &'a Tool)], vocabulary: NewVocabulary) -> Self {
        let mut names = Names::new();
        for (position, (_, tool)) in tools.iter().enumerate() {
            for name in std::iter::once(&tool.name).chain(&tool.aliases) {
                names.insert(name, position);
            }
        }
        Self { tools, names, vocabulary, known: HashMap::new(), proper: BTreeSet::new() }
    }

    /// Reads the fields of a tool.
    pub(crate) fn fields(&mut self, vendor: &str, tool: &Tool, schema: Schema) -> Fields {
        let mut fields = Fields::default();
        self.add(&mut fields[0], &text::words(own_name(vendor, tool)), 1.0);
        self.add(&mut fields[1], &text::words(&tool.title), 1.0);
        for sentence in sentences(&tool.description) {
            let (words, of_another) = self.without_tools(sentence, tool);
            self.add(&mut fields[2], &words, if of_another { OF_ANOTHER } else { 1.0 });
            let proper = words.iter().filter(|word| word.is_name && !is_loud(&word.text, sentence));
            self.proper.extend(proper.filter_map(|word| self.vocabulary.stem(&word.text)));
        }
        for argument in schema.properties.into_keys().filter(|name| !tool.is_own_argument(name)) {
            let add = |name: &String| self.vocabulary.add_text(&text::of_identifier(name));
            let terms = self.known.entry(argument).or_insert_with_key(add);
            fields[3].extend(terms.iter().map(|term| (*term, 1.0)));
        }
        for tag in &tool.tags {
            self.add(&mut fields[4], &text::words(tag), 1.0);
        }
        for alias in &tool.aliases {
            self.add(&mut fields[5], &text::words(alias), 1.0);
        }
        for call in &tool.calls {
            self.add(&mut fields[5], &text::of_identifier(&call.operation), 1.0);
            self.add(&mut fields[5], &text::of_identifier(&call.path), 0.5);
        }
        fields
    }

    fn add(&mut self, field: &mut Vec<(Term, f32)>, words: &[Word], weight: f32) {
        field.extend(self.vocabulary.add_text(words).into_iter().map(|term| (term, weight)));
    }

    /// The first sentence of a tool's description, which stands alone, without the names of tools.
    pub(crate) fn first_sentence(&self, tool: &Tool) -> String {
        let first = tool.description.split(". ").next().unwrap_or_default();
        first.split_whitespace().filter(|chunk| self.tool_named(chunk).is_none()).collect::<Vec<_>>().join(" ")
    }

    /// The tool that a word of a text names.
    fn tool_named(&self, chunk: &str) -> Option<&'a Tool> {
        let name = chunk.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let position = self.names.get(Some(name).filter(|name| name.contains('_'))?)?;
        self.tools.get(*position).map(|(_, tool)| *tool)
    }

    /// The words of a text without the names of tools, and whether it names another one: what it states is about that one.
    fn without_tools(&self, text: &str, tool: &Tool) -> (Vec<Word>, bool) {
        let mut of_another = false;
        let mut kept: Vec<&str> = Vec::new();
        for chunk in text.split_whitespace() {
            match self.tool_named(chunk) {
                Some(other) => of_another |= other.name != tool.name,
                None => kept.push(chunk),
            }
        }
        (text::words(&kept.join(" ")), of_another)
    }
}

/// The name of a tool without the vendor's.
pub(crate) fn own_name<'a>(vendor: &str, tool: &'a Tool) -> &'a str {
    let name = tool.name.strip_prefix(vendor).and_then(|name| name.strip_prefix('_'));
    name.unwrap_or(&tool.name)
}

/// Whether a word is written in capitals to be seen, as in "the CUSTOMER reads it".
fn is_loud(word: &str, sentence: &str) -> bool {
    word.chars().count() > 4 && sentence.contains(&word.to_uppercase())
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(". ").flat_map(|sentence| sentence.split_inclusive([';', ':']))
}

/// What is read of a schema.
#[derive(Deserialize, Default)]
pub(crate) struct Schema {
    #[serde(default)]
    properties: BTreeMap<String, Value>,
    #[serde(default)]
    pub required: Vec<String>,
}

impl Schema {
    /// Whether a tool that changes something takes several records at once: a list that it demands, or that is named as the tool
    /// names the records, such as `tickets` of `close_tickets`.
    pub(crate) fn takes_several(&self, vendor: &str, tool: &Tool) -> bool {
        let words = text::words(own_name(vendor, tool));
        let plurals: Vec<&str> = words.iter().skip(1).filter_map(|word| text::singular(&word.text)).collect();
        let is_list = |property: &Value| match property.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "array"),
            kind => kind.is_some_and(|kind| kind == "array"),
        };
        let is_of_records = |name: &String| {
            self.required.contains(name) || plurals.iter().any(|plural| name.to_lowercase().starts_with(plural))
        };
        tool.effect != Some(Effect::Read)
            && !plurals.is_empty()
            && self.properties.iter().any(|(name, property)| is_list(property) && is_of_records(name))
    }
}

pub(crate) fn schema(tool: &Tool) -> Schema {
    serde_json::from_str(tool.input_schema.get()).unwrap_or_default()
}

/// Weighs each term in each tool, over its fields.
#[expect(clippy::cast_precision_loss, reason = "numbers of words are small")]
pub(crate) fn weigh(tools: &[Fields], terms: usize) -> Vec<Vec<(u32, f32)>> {
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

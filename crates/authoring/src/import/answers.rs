//! An operation's first success, as the description has it → where its records are, and what stands beside them.
//! It works on raw JSON, because the vendor's texts are there.

use serde_json::Value;

use super::nouns::singular;
use toolwright_codegen::read::reference::{LONGEST_CHAIN, escape, raw_target, reference_of};
use toolwright_model::{media_type, resource_words, snake_case};

/// How deep the parts of a schema are followed: they may contain each other.
const DEEPEST_PART: usize = 8;
/// Names of lists of records, whatever the records are.
const LISTS: &str = "collection content data documents elements entries hits items list nodes objects records resources \
    results rows values";
/// Names of objects that hold the answer.
const ENVELOPES: &str = "body data payload response result";

/// What a success is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A list.
    List,
    /// An object with a list of records.
    Wrapped,
    /// One record, or a value.
    Record,
    /// The description does not say.
    Unknown,
}

/// The answer of one operation.
pub(super) struct Answer<'d> {
    document: &'d Value,
    pub(super) shape: Shape,
    /// The whole answer.
    schema: Option<&'d Value>,
    /// The list of records.
    pub(super) rows: Option<Rows<'d>>,
    /// The names of its headers, in small letters.
    pub(super) headers: Vec<String>,
}

/// A list of records.
#[derive(Clone)]
pub(super) struct Rows<'d> {
    /// JSON pointer to it; empty where the answer is the list.
    pub(super) pointer: String,
    /// Whether the pointer has to be stated, because there are other lists or none at the top.
    pub(super) is_stated: bool,
    list: &'d Value,
}

/// A property: its name and schema, references followed.
pub(super) type Property<'d> = (&'d str, &'d Value);

impl<'d> Answer<'d> {
    /// Reads the answer of the operation at `pointer`; `path` is its path.
    pub(super) fn of(document: &'d Value, pointer: &str, path: &str) -> Self {
        let mut answer = Self { document, shape: Shape::Unknown, schema: None, rows: None, headers: Vec::new() };
        let responses = document.pointer(pointer).and_then(|operation| operation.get("responses"));
        let responses = responses.and_then(Value::as_object).into_iter().flatten();
        for (_, response) in responses.filter(|(status, _)| status.starts_with('2')) {
            let response = follow(document, response);
            let content = response.get("content").and_then(Value::as_object);
            let media = content.into_iter().flatten().find(|(name, _)| media_type::is_json(name));
            let Some(schema) = media.and_then(|(_, media)| media.get("schema")) else { continue };
            let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
            answer.headers = headers.map(|(name, _)| name.to_lowercase()).collect();
            answer.read(schema, path);
            break;
        }
        answer
    }

    fn read(&mut self, schema: &'d Value, path: &str) {
        let schema = follow(self.document, schema);
        self.schema = Some(schema);
        if is_list(schema) {
            self.shape = Shape::List;
            self.rows = Some(Rows { pointer: String::new(), is_stated: false, list: schema });
            return;
        }
        let properties = self.properties(schema);
        if properties.is_empty() {
            // A text is an answer, too; an object of which nothing is said may hold anything.
            let is_value = schema.get("type").is_some_and(|kind| kind != "object");
            self.shape = if is_value { Shape::Record } else { Shape::Unknown };
            return;
        }
        self.rows = self.wrapped(&properties, path);
        self.shape = if self.rows.is_some() { Shape::Wrapped } else { Shape::Record };
    }

    /// The list of records in an object that is made to hold one.
    fn wrapped(&self, properties: &[Property<'d>], path: &str) -> Option<Rows<'d>> {
        let noun = resource_words(path).pop().unwrap_or_default();
        let lists: Vec<&Property<'d>> = properties.iter().filter(|(_, schema)| is_list(schema)).collect();
        let named = |(name, _): &&&Property<'d>| is_name_of_rows(name, &noun);
        // Whatever else it has describes the page.
        let is_envelope = || {
            let rest = properties.iter().filter(|(_, schema)| !is_list(schema));
            rest.clone().count() > 0 && rest.clone().all(|(name, _)| super::paging::is_about_a_page(name))
        };
        let found = lists.iter().find(named).or_else(|| lists.first().filter(|_| lists.len() == 1 && is_envelope()));
        if let Some(&&(name, list)) = found {
            return Some(Rows { pointer: format!("/{}", escape(name)), is_stated: lists.len() > 1, list });
        }
        // One level below: `{data: {items: []}}`.
        let mut inside = properties.iter().filter(|(name, _)| super::words::is_in(ENVELOPES, &name.to_lowercase()));
        inside.find_map(|&(name, schema)| {
            let below = self.properties(schema);
            let lists: Vec<&Property<'d>> = below.iter().filter(|(_, schema)| is_list(schema)).collect();
            let &&(inner, list) = lists.iter().find(named)?;
            Some(Rows { pointer: format!("/{}/{}", escape(name), escape(inner)), is_stated: true, list })
        })
    }

    /// The properties of a schema and of its parts; of a list, those of its items.
    pub(super) fn properties(&self, schema: &'d Value) -> Vec<Property<'d>> {
        let mut found = Vec::new();
        self.collect(schema, DEEPEST_PART, &mut found);
        found
    }

    fn collect(&self, schema: &'d Value, depth: usize, found: &mut Vec<Property<'d>>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let schema = follow(self.document, schema);
        if let Some(items) = schema.get("items") {
            self.collect(items, depth, found);
            return;
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if found.iter().all(|(known, _)| known != name) {
                found.push((name.as_str(), follow(self.document, property)));
            }
        }
        for parts in ["allOf", "oneOf", "anyOf"] {
            for part in schema.get(parts).and_then(Value::as_array).into_iter().flatten() {
                self.collect(part, depth, found);
            }
        }
    }

    /// What stands beside the records: the properties of the answer, where it is no list.
    pub(super) fn beside(&self) -> Vec<Property<'d>> {
        let schema = self.schema.filter(|schema| !is_list(schema));
        schema.map(|schema| self.properties(schema)).unwrap_or_default()
    }

    /// The fields of a record.
    pub(super) fn fields(&self) -> Vec<Property<'d>> {
        let record = self.rows.as_ref().map(|rows| rows.list).or(self.schema);
        record.map(|record| self.properties(record)).unwrap_or_default()
    }
}

fn is_name_of_rows(name: &str, noun: &str) -> bool {
    let name = snake_case(name);
    super::words::is_in(LISTS, &name) || !noun.is_empty() && (name == noun || singular(&name) == singular(noun))
}

pub(super) fn is_list(schema: &Value) -> bool {
    schema.get("items").is_some()
}

/// Follows a reference, within the document.
pub(super) fn follow<'d>(document: &'d Value, mut value: &'d Value) -> &'d Value {
    for _ in 0..LONGEST_CHAIN {
        match reference_of(value).and_then(|reference| raw_target(document, reference)) {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

/// The parameters of the operation at `pointer`, its own before those of its path.
pub(super) fn parameters<'d>(document: &'d Value, pointer: &str) -> Vec<&'d Value> {
    let of_path = pointer.rsplit_once('/').map(|(path, _)| path).unwrap_or_default();
    let lists = [pointer, of_path].into_iter().filter_map(|at| document.pointer(at)?.get("parameters")?.as_array());
    lists.flatten().map(|parameter| follow(document, parameter)).collect()
}

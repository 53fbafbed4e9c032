//! A tool → the description and the input schema that clients are sent. They cost tokens in every conversation: what all
//! tools have is said once, bounds and defaults are in words, which every client shows, and what few callers need is
//! named only. What is accepted stays the same: [`Tool::checked_schema`].

use serde_json::{Map, Value, json};

use super::Place;
use super::tool::{ANSWER, CURSOR, DRY_RUN, Tool};

/// The most bytes of a listed schema, about 1,500 tokens. Of a longer one the largest parts are shown by the names of
/// what they hold.
const MOST_BYTES: usize = 4_800;
/// The longest default that is written out, in characters.
const LONGEST_DEFAULT: usize = 24;
/// Bounds and defaults: checked, and shown in words.
const IN_WORDS: [&str; 7] = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "default"];

impl Tool {
    /// Returns the tool as `tools/list` sends it.
    pub fn listed(&self) -> Value {
        json!({
            "name": self.name,
            "title": self.title,
            "description": self.listed_description(),
            "inputSchema": self.listed_schema(),
            "annotations": self.listed_annotations(),
        })
    }

    /// Returns the hints as clients are sent them. Of a tool that reads, that it does: the others mean nothing then. Of a
    /// change all that some client asks a person by, also where it is what the protocol takes for granted: clients
    /// differ in what they take for granted.
    pub fn listed_annotations(&self) -> Map<String, Value> {
        let hints = self.annotations;
        let change = !hints.read_only_hint;
        let hints = [
            ("readOnlyHint", hints.read_only_hint, true),
            ("destructiveHint", hints.destructive_hint, change),
            ("idempotentHint", true, change && hints.idempotent_hint),
            // Beside `destructiveHint: true` no client asks for it.
            ("openWorldHint", hints.open_world_hint, change && !hints.destructive_hint),
        ];
        hints
            .into_iter()
            .filter(|(.., is_sent)| *is_sent)
            .map(|(name, hint, _)| (name.to_owned(), json!(hint)))
            .collect()
    }

    /// Returns the description as clients are sent it, with the names of the arguments that the schema leaves out.
    pub fn listed_description(&self) -> String {
        if self.unlisted.is_empty() {
            return self.description.clone();
        }
        format!("{} Also: {}.", self.description, self.unlisted.join(", "))
    }

    /// Returns the input schema as clients are sent it.
    pub fn listed_schema(&self) -> Map<String, Value> {
        let mut schema = self.parsed_input_schema();
        schema.shift_remove("additionalProperties");
        let within = if self.has_answer() { self.answer_arguments() } else { Vec::new() };
        let required: Vec<String> = texts(schema.get("required"));
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            // The cursor is listed: most that page are read on.
            let of_answer = |name: &str| name != CURSOR && within.contains(&name) && self.is_own_argument(name);
            properties.retain(|name, _| required.contains(name) || !(of_answer(name) || self.is_left_out(name)));
            self.replace_own(properties);
            if !within.is_empty() {
                properties.insert(ANSWER.to_owned(), json!({"type": "object"}));
            }
            properties.values_mut().for_each(lighten);
        }
        shorten(&mut schema);
        schema
    }

    /// Whether clients are not sent the argument: it is named only, or another one of ours does the same.
    fn is_left_out(&self, name: &str) -> bool {
        let paging = self.paging();
        self.unlisted.iter().any(|unlisted| unlisted == name)
            // A tool that pages continues with a cursor.
            || name == CURSOR && self.is_own_argument(CURSOR) && paging.is_none()
            || paging.is_some_and(|paging| self.is_bound(name, &paging.position))
    }

    /// Writes what toolwright's own arguments are, and the size of a page, in the fewest words.
    fn replace_own(&self, properties: &mut Map<String, Value>) {
        let own = [(CURSOR, json!({"type": "string"})), (DRY_RUN, json!({"type": "boolean"}))];
        for (name, short) in own.into_iter().filter(|(name, _)| self.is_own_argument(name)) {
            if let Some(property) = properties.get_mut(name) {
                *property = short;
            }
        }
        let size = self.paging().and_then(|paging| paging.size.as_ref());
        for (name, property) in properties.iter_mut().filter(|(name, _)| size.is_some_and(|at| self.is_bound(name, at)))
        {
            // Its bounds say all there is, unless it is called otherwise.
            if ["limit", "maxResults"].contains(&name.as_str())
                && let Value::Object(property) = property
            {
                property.shift_remove("description");
            }
        }
    }

    fn is_bound(&self, argument: &str, place: &Place) -> bool {
        let mut bindings = self.calls.iter().flat_map(|call| &call.bindings);
        bindings.any(|binding| binding.argument == argument && binding.place == *place)
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let values = list.and_then(Value::as_array).into_iter().flatten();
    values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Leaves out of a schema what only the check needs, and puts bounds and defaults into words.
fn lighten(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    let words = in_words(schema);
    for keyword in IN_WORDS {
        schema.shift_remove(keyword);
    }
    if !words.is_empty() {
        let described = schema.get("description").and_then(Value::as_str).unwrap_or_default().trim_end_matches('.');
        let described = if described.is_empty() { words } else { format!("{described}; {words}") };
        schema.insert("description".to_owned(), Value::from(described));
    }
    let described = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    if described.contains("YYYY-MM-DD") {
        schema.shift_remove("format");
    }
    if schema.get("properties").is_some_and(|properties| says_nothing_beside(properties, &described)) {
        schema.shift_remove("properties");
    }
    if schema.get("additionalProperties").is_some_and(Value::is_boolean) {
        schema.shift_remove("additionalProperties");
    }
    for key in ["items", "additionalProperties"] {
        if let Some(part) = schema.get_mut(key) {
            lighten(part);
        }
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(lighten);
    }
}

/// Whether all that the properties tell are their names, which the description has too: lists of objects of which
/// nothing is known.
fn says_nothing_beside(properties: &Value, described: &str) -> bool {
    let is_open = |schema: &Value| {
        let items = schema.get("items").and_then(Value::as_object);
        let says_type_only = |part: &Map<String, Value>, more: &[&str]| {
            part.keys().all(|key| key == "type" || more.contains(&key.as_str()))
        };
        schema.as_object().is_some_and(|schema| says_type_only(schema, &["items"]))
            && items.is_some_and(|items| {
                items.get("type").is_some_and(|kind| kind == "object")
                    && says_type_only(items, &["additionalProperties"])
            })
    };
    let is_named = |name: &str| described.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
    properties.as_object().is_some_and(|all| all.iter().all(|(name, schema)| is_named(name) && is_open(schema)))
}

/// The bounds and the default of a schema in words, where a caller can use them: that a number is at least 1 says
/// nothing about an id.
fn in_words(schema: &Map<String, Value>) -> String {
    let described = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let bound = |key: &str| schema.get(key).filter(|value| !described.contains(&value.to_string()));
    let mut words = Vec::new();
    match (schema.get("minimum").filter(|least| !matches!(least.as_i64(), Some(0 | 1))), bound("maximum")) {
        (Some(least), Some(most)) => words.push(format!("{least}–{most}")),
        (Some(least), None) if bound("minimum").is_some() => words.push(format!("at least {least}")),
        (None, Some(most)) => words.push(format!("at most {most}")),
        _ => {}
    }
    for (key, of) in [("maxItems", "values"), ("maxLength", "characters")] {
        words.extend(bound(key).map(|most| format!("at most {most} {of}")));
    }
    words.extend(schema.get("default").and_then(|default| default_in_words(default, described)));
    words.join(", ")
}

/// A default that a caller would not expect; none where the description names it.
fn default_in_words(default: &Value, described: &str) -> Option<String> {
    let text = match default {
        Value::String(text) => text.clone(),
        Value::Array(_) => texts(Some(default)).join(", "),
        Value::Bool(true) | Value::Number(_) => default.to_string(),
        _ => return None,
    };
    let is_told = described.split(|c: char| !c.is_alphanumeric() && c != '-').any(|word| word == text);
    let matters = !text.is_empty() && text != "0" && text.chars().count() <= LONGEST_DEFAULT;
    (matters && !(is_told && described.contains("default"))).then(|| format!("default {text}"))
}

/// Shows the largest objects of a schema that is too long by the names of what they hold, one after the other. All of it
/// is still accepted, and a refusal names what is expected.
fn shorten(schema: &mut Map<String, Value>) {
    while size(schema) > MOST_BYTES {
        let Some(largest) = largest_object(schema) else { return };
        let names: Vec<String> =
            largest.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect();
        largest.shift_remove("properties");
        largest.shift_remove("required");
        let described = largest.get("description").and_then(Value::as_str).unwrap_or_default().trim_end_matches('.');
        let names = names.join(", ");
        let text = if described.is_empty() { format!("Holds {names}") } else { format!("{described}; holds {names}") };
        largest.insert("description".to_owned(), Value::from(text));
    }
}

fn size(schema: &Map<String, Value>) -> usize {
    serde_json::to_string(schema).map_or(0, |text| text.len())
}

/// The innermost of the largest objects within a schema: one that holds no object with properties itself.
fn largest_object(schema: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let mut best: Option<(usize, String)> = None;
    find_objects(&Value::Object(schema.clone()), "", &mut best);
    let (_, at) = best?;
    let mut node = schema;
    for step in at.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = node.get_mut(&step)?;
        node = next.as_object_mut()?;
    }
    Some(node)
}

/// Notes the largest object below `node` that has properties and whose parts have none. Returns whether there is one.
fn find_objects(node: &Value, at: &str, best: &mut Option<(usize, String)>) -> bool {
    let mut found = false;
    for key in ["items", "additionalProperties"] {
        found |= node.get(key).is_some_and(|part| find_objects(part, &format!("{at}/{key}"), best));
    }
    for (name, part) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let name = name.replace('~', "~0").replace('/', "~1");
        found |= find_objects(part, &format!("{at}/properties/{name}"), best);
    }
    let is_whole = at.is_empty() || found;
    if !is_whole && node.get("properties").is_some() {
        let size = node.to_string().len();
        if best.as_ref().is_none_or(|(most, _)| size > *most) {
            *best = Some((size, at.to_owned()));
        }
    }
    found || node.get("properties").is_some() && !at.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tool that reads, with these properties, of which `arguments` are the vendor's.
    fn tool(properties: &Value, arguments: &[(&str, &str)], more: &Value) -> Tool {
        let bindings: Vec<Value> = arguments
            .iter()
            .map(|(argument, parameter)| json!({"argument": argument, "in": "query", "parameter": parameter}))
            .collect();
        let mut tool = json!({
            "name": "acme_list_things", "title": "List things", "description": "List things.", "effect": "read",
            "verb": "list", "risks": [], "tags": [], "aliases": [],
            "annotations": {"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
            "inputSchema": {"type": "object", "properties": properties, "required": ["id"], "additionalProperties": false},
            "calls": [{"api": "acme", "operation": "list", "method": "GET", "path": "/", "bindings": bindings}],
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            match key.as_str() {
                "paging" => tool["calls"][0][key] = value.clone(),
                _ => tool[key] = value.clone(),
            }
        }
        serde_json::from_str(&tool.to_string()).unwrap()
    }

    #[test]
    fn what_all_tools_have_is_one_argument_and_bounds_are_in_words() {
        let properties = json!({
            "id": {"type": "integer", "minimum": 1, "description": "Number of the thing."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25, "description": "Records per page."},
            "offset": {"type": "integer", "minimum": 0, "default": 0},
            "order": {"type": "string", "enum": ["up", "down"], "default": "up", "description": "Direction."},
            "parts": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 5},
            "rare": {"type": "boolean", "description": "Hardly needed."},
            "fields": {"type": "array", "items": {"type": "string"}},
            "jq": {"type": "string"},
            "cursor": {"type": "string", "description": "next_cursor of the last answer"},
            "all": {"type": "boolean"},
        });
        let bound =
            [("id", "id"), ("limit", "count"), ("offset", "offset"), ("order", "o"), ("parts", "p"), ("rare", "r")];
        let paging = json!({
            "kind": "offset",
            "position": {"in": "query", "parameter": "offset"},
            "size": {"in": "query", "parameter": "count"},
        });
        let pages = tool(&properties, &bound, &json!({"paging": paging, "unlisted": ["rare"]}));
        assert_eq!(pages.listed_description(), "List things. Also: rare.");
        assert_eq!(
            Value::Object(pages.listed_schema()),
            json!({"type": "object", "required": ["id"], "properties": {
                "id": {"type": "integer", "description": "Number of the thing."},
                "limit": {"type": "integer", "description": "at most 100, default 25"},
                "order": {"type": "string", "enum": ["up", "down"], "description": "Direction; default up"},
                "parts": {"type": "array", "items": {"type": "string"}, "description": "at most 5 values"},
                "cursor": {"type": "string"},
                "answer": {"type": "object"},
            }})
        );
        // What is checked is all there was.
        assert_eq!(pages.checked_schema(), pages.parsed_input_schema());
        let single = tool(&json!({"id": {"type": "integer"}, "cursor": {}, "jq": {}}), &[("id", "id")], &json!({}));
        let names: Vec<String> = single.listed_schema()["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["id", "answer"], "nothing pages");
        let own = tool(&json!({"id": {}, "fields": {"type": "array"}}), &[("id", "id"), ("fields", "f")], &json!({}));
        assert!(own.listed_schema()["properties"].get("fields").is_some(), "the vendor's is another one");
    }

    #[test]
    fn a_schema_that_is_too_long_names_what_its_largest_parts_hold() {
        let many = |letter: char| {
            let named =
                |number: usize| (format!("{letter}{number}"), json!({"type": "string", "description": "x".repeat(60)}));
            Value::Object((0..60).map(named).collect())
        };
        let object =
            |properties: Value| json!({"type": "object", "properties": properties, "description": "Settings."});
        let properties = json!({
            "id": {"type": "integer"},
            "small": object(json!({"a": {"type": "string"}})),
            "outer": object(json!({"inner": object(many('b')), "c": {"type": "string"}})),
        });
        let tool = tool(&properties, &[("id", "id"), ("small", "s"), ("outer", "o")], &json!({}));
        let schema = Value::Object(tool.listed_schema());
        assert!(schema.to_string().len() <= MOST_BYTES);
        assert_eq!(schema["properties"]["small"]["properties"]["a"]["type"], "string");
        let inner = &schema["properties"]["outer"]["properties"]["inner"];
        assert!(inner["description"].as_str().unwrap().starts_with("Settings; holds b0, b1, b2"), "{inner}");
        assert_eq!(inner.get("properties"), None);
    }

    #[test]
    fn a_default_that_is_told_is_not_told_again() {
        let words = |schema: Value| in_words(schema.as_object().unwrap());
        for (schema, expected) in [
            (json!({"default": 25, "description": "25 is the default."}), ""),
            (json!({"default": "view", "description": "What to view."}), "default view"),
            (json!({"default": false}), ""),
            (json!({"default": true}), "default true"),
            (json!({"default": ["a", "b"]}), "default a, b"),
            (json!({"default": ["a long name", "another long name"]}), ""),
            (json!({"minimum": 2, "maximum": 9}), "2–9"),
            (json!({"minimum": 5}), "at least 5"),
            (json!({"minimum": 1, "minLength": 1, "minItems": 1}), ""),
            (json!({"maximum": 50, "description": "At most 50."}), ""),
        ] {
            assert_eq!(words(schema.clone()), expected, "{schema}");
        }
    }
}

//! Turns an OpenAPI 3.0 schema into a self-contained JSON Schema 2020-12, references inlined and of bounded size.

use serde_json::{Map, Value, json};

use super::{Source, elements, entries, is_true, reference};

/// The deepest levels that are tried one after the other until a schema fits its budget.
const DEPTHS: [usize; 9] = [40, 14, 11, 9, 7, 5, 4, 3, 2];

/// More references than this inlined into each other are cut, so that no description can exhaust the stack.
const MAX_OPEN_REFERENCES: usize = 64;

/// Which way the value travels: it decides over `readOnly`, `writeOnly`, formats and the budget.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From us to the vendor: checked.
    Request,
    /// From the vendor to us: only a sample is made of it, so deep levels and most constraints don't matter.
    Answer,
}

impl Direction {
    /// How many schema nodes may be emitted.
    fn budget(self) -> usize {
        match self {
            Self::Request => 2_000,
            Self::Answer => 400,
        }
    }

    /// Requests check only dates (and must know files); a sample is more plausible with the format known.
    fn keeps_format(self, format: &str) -> bool {
        self == Self::Answer || matches!(format, "date" | "date-time" | "binary")
    }
}

/// Returns `schema` in the dialect of the `jsonschema` crate, cut to `{}` where it recurs or grows beyond the budget.
pub(super) fn convert(source: Source<'_>, schema: &Value, direction: Direction) -> Value {
    for depth in DEPTHS {
        let mut conversion =
            Conversion { source, direction, deepest: depth, left: direction.budget(), open: Vec::new(), cuts: 0 };
        if let Ok(schema) = conversion.schema(schema, 0) {
            return schema;
        }
    }
    json!({})
}

/// Closes the object at the top of a request body: what the description does not name is a mistake of ours.
///
/// Only where it names some properties and is silent about others; `additionalProperties` has the last word.
pub(super) fn close(schema: &mut Value) {
    if completeness(schema) == Completeness::Listed
        && let Value::Object(schema) = schema
    {
        let key = if is_composed(schema) { "unevaluatedProperties" } else { "additionalProperties" };
        schema.insert(key.to_owned(), json!(false));
    }
}

/// The schema outgrew its budget.
struct TooLarge;

struct Conversion<'a> {
    source: Source<'a>,
    direction: Direction,
    deepest: usize,
    left: usize,
    /// The references being inlined right now, to see a recursion.
    open: Vec<&'a str>,
    /// How often something was replaced by `{}`.
    cuts: usize,
}

impl<'a> Conversion<'a> {
    fn schema(&mut self, schema: &'a Value, depth: usize) -> Result<Value, TooLarge> {
        self.left = self.left.checked_sub(1).ok_or(TooLarge)?;
        if depth > self.deepest {
            self.cuts += 1;
            return Ok(json!({}));
        }
        if let Some(reference) = reference(schema) {
            if self.open.len() >= MAX_OPEN_REFERENCES || self.open.contains(&reference) {
                self.cuts += 1;
                return Ok(json!({}));
            }
            self.open.push(reference);
            let converted = self.schema(self.source.target(reference), depth);
            self.open.pop();
            return converted;
        }
        let Value::Object(schema) = schema else {
            return Ok(json!({}));
        };
        let mut out = Map::new();
        let types = types(schema);
        match types.as_slice() {
            [] => {}
            [one] => drop(out.insert("type".to_owned(), json!(one))),
            several => drop(out.insert("type".to_owned(), json!(several))),
        }
        self.constraints(schema, &mut out);
        self.members(schema, depth, &mut out)?;
        self.compositions(schema, depth, &mut out)?;
        // Written beside a composition, "no others" means "than those of the parts", which 2020-12 says in other words.
        if is_composed(&out) && out.get("additionalProperties") == Some(&Value::Bool(false)) {
            out.shift_remove("additionalProperties");
            out.insert("unevaluatedProperties".to_owned(), json!(false));
        }
        Ok(if is_true(schema.get("nullable")) { nullable(out) } else { Value::Object(out) })
    }

    /// Copies the keywords that hold no schema, each only if its value is of the right kind.
    fn constraints(&self, schema: &Map<String, Value>, out: &mut Map<String, Value>) {
        let mut copy = |key: &str, fits: fn(&Value) -> bool| {
            if let Some(value) = schema.get(key).filter(|value| fits(value)) {
                out.insert(key.to_owned(), value.clone());
            }
        };
        copy("enum", |value| value.as_array().is_some_and(|values| !values.is_empty()));
        for key in ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"] {
            copy(key, Value::is_u64);
        }
        copy("multipleOf", |value| value.as_f64().is_some_and(|factor| factor > 0.0));
        copy("pattern", Value::is_string);
        copy("uniqueItems", Value::is_boolean);
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && self.direction.keeps_format(format)
        {
            out.insert("format".to_owned(), json!(format));
        }
        // In OpenAPI 3.0 `exclusiveMinimum` is a flag beside `minimum`; in 2020-12 it is the bound.
        for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if let Some(number) = schema.get(exclusive).filter(|value| value.is_number()) {
                out.insert(exclusive.to_owned(), number.clone());
            }
            if let Some(number) = schema.get(bound).filter(|value| value.is_number()) {
                let key = if is_true(schema.get(exclusive)) { exclusive } else { bound };
                out.insert(key.to_owned(), number.clone());
            }
        }
        if self.direction == Direction::Answer
            && let Some(example) = schema.get("example").filter(|value| !value.is_object() && !value.is_array())
        {
            out.insert("examples".to_owned(), json!([example]));
        }
    }

    /// Converts what describes the members of objects and arrays.
    fn members(
        &mut self,
        schema: &'a Map<String, Value>,
        depth: usize,
        out: &mut Map<String, Value>,
    ) -> Result<(), TooLarge> {
        let mut properties = Map::new();
        for (name, property) in entries(schema.get("properties")) {
            if self.direction == Direction::Answer && self.has_flag(property, "writeOnly") {
                continue;
            }
            properties.insert(name.clone(), self.schema(property, depth + 1)?);
        }
        if !properties.is_empty() {
            out.insert("properties".to_owned(), Value::Object(properties));
        }
        let absent = if self.direction == Direction::Request { "readOnly" } else { "writeOnly" };
        let mut required: Vec<&str> = Vec::new();
        for name in elements(schema.get("required")).filter_map(Value::as_str) {
            let property = schema.get("properties").and_then(|properties| properties.get(name));
            if !required.contains(&name) && !property.is_some_and(|property| self.has_flag(property, absent)) {
                required.push(name);
            }
        }
        if !required.is_empty() {
            out.insert("required".to_owned(), json!(required));
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(allowed)) => {
                drop(out.insert("additionalProperties".to_owned(), json!(allowed)));
            }
            Some(rest @ Value::Object(_)) => {
                let rest = self.schema(rest, depth + 1)?;
                out.insert("additionalProperties".to_owned(), rest);
            }
            _ => {}
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            let mut items = self.schema(items, depth + 1)?;
            // Some state at the list what its values may be: no list could ever be one of them.
            let of_items = |values: &Value| values.as_array().is_some_and(|all| !all.iter().any(Value::is_array));
            if out.get("type") == Some(&json!("array"))
                && out.get("enum").is_some_and(of_items)
                && let (Some(values), Value::Object(items)) = (out.shift_remove("enum"), &mut items)
            {
                items.entry("enum").or_insert(values);
            }
            out.insert("items".to_owned(), items);
        }
        Ok(())
    }

    fn compositions(
        &mut self,
        schema: &'a Map<String, Value>,
        depth: usize,
        out: &mut Map<String, Value>,
    ) -> Result<(), TooLarge> {
        for key in ["allOf", "anyOf", "oneOf"] {
            let cuts = self.cuts;
            let mut branches = Vec::new();
            for branch in elements(schema.get(key)) {
                // Not a level of its own: an object of ten `allOf` parts is no deeper than one written out.
                branches.push(self.schema(branch, depth)?);
            }
            if branches.is_empty() {
                continue;
            }
            // "Exactly one" would refuse good values where a branch was cut and so accepts too much, and where a
            // discriminator, which JSON Schema does not have, tells branches apart that overlap.
            let loose = self.cuts > cuts || schema.contains_key("discriminator");
            let key = if key == "oneOf" && loose && !out.contains_key("anyOf") { "anyOf" } else { key };
            out.insert(key.to_owned(), Value::Array(branches));
        }
        if let Some(unwanted) = schema.get("not").filter(|unwanted| unwanted.is_object()) {
            let cuts = self.cuts;
            let unwanted = self.schema(unwanted, depth + 1)?;
            if self.cuts == cuts {
                out.insert("not".to_owned(), unwanted);
            }
        }
        Ok(())
    }

    /// Tells whether a property is marked, itself or where its reference leads.
    fn has_flag(&self, property: &'a Value, flag: &str) -> bool {
        is_true(property.get(flag)) || is_true(self.source.resolve(property).get(flag))
    }
}

fn is_composed(schema: &Map<String, Value>) -> bool {
    ["allOf", "anyOf", "oneOf"].iter().any(|key| schema.contains_key(*key))
}

/// Returns the type names that JSON Schema knows; OpenAPI 3.1 writes several.
fn types(schema: &Map<String, Value>) -> Vec<&str> {
    let written = schema.get("type");
    written
        .into_iter()
        .chain(elements(written))
        .filter_map(Value::as_str)
        .filter(|name| matches!(*name, "string" | "integer" | "number" | "boolean" | "array" | "object" | "null"))
        .collect()
}

/// Lets `null` in, which 2020-12 does by type and by enumerated value.
fn nullable(mut schema: Map<String, Value>) -> Value {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push(json!("null")),
        Some(name @ Value::String(_)) if name != "null" => *name = json!([name.take(), "null"]),
        _ => {}
    }
    // The parts of a composition each have a type of their own, which `null` would have to satisfy.
    if is_composed(&schema) {
        return json!({ "anyOf": [Value::Object(schema), { "type": "null" }] });
    }
    Value::Object(schema)
}

/// How much a schema says about the properties of an object.
#[derive(PartialEq, Eq)]
enum Completeness {
    /// It names properties and says nothing of others.
    Listed,
    /// It says itself what else may come, or is free-form.
    Spoken,
    /// It does not describe an object, or adds only conditions.
    Silent,
}

fn completeness(schema: &Value) -> Completeness {
    let Value::Object(schema) = schema else {
        return Completeness::Spoken;
    };
    if schema.contains_key("additionalProperties") || schema.contains_key("unevaluatedProperties") {
        return Completeness::Spoken;
    }
    let may_be_object = match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.contains(&json!("object")),
        Some(name) => name == "object",
    };
    if !may_be_object {
        return Completeness::Silent;
    }
    let parts: Vec<Completeness> =
        ["allOf", "anyOf", "oneOf"].iter().flat_map(|key| elements(schema.get(*key))).map(completeness).collect();
    if parts.contains(&Completeness::Spoken) {
        Completeness::Spoken
    } else if schema.contains_key("properties") || parts.contains(&Completeness::Listed) {
        Completeness::Listed
    } else if parts.is_empty() && !schema.contains_key("required") {
        Completeness::Spoken
    } else {
        Completeness::Silent
    }
}

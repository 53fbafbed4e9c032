//! An OpenAPI 3.0 schema → a self-contained JSON Schema 2020-12, references inlined and of bounded size.

use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, BooleanType, IntegerType, NumberType, ObjectType, ReferenceOr, Schema,
    SchemaData, SchemaKind, StringType, Type,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::inheritance::{heirs, inherits};
use super::keywords::{
    Completeness, Keywords, completeness, is_composed, nullable, number, put, put_bound, put_values,
};
use crate::read::document::{Document, SchemaNode};

/// The depths that are tried in this order until a schema fits its budget.
const DEPTHS: [usize; 9] = [40, 14, 11, 9, 7, 5, 4, 3, 2];

/// A longer chain of references inlined into each other is cut, so that no description can exhaust the stack.
const MAX_OPEN_REFERENCES: usize = 64;

/// Which way the value travels: `readOnly`, `writeOnly`, formats and the budget depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From us to the vendor: checked.
    Request,
    /// From the vendor to us: it serves to make a sample only, so deep levels do not matter.
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

    /// In requests only dates and mail addresses are checked, and files recognized; a sample is more plausible with
    /// its format.
    fn keeps_format(self, format: &str) -> bool {
        self == Self::Answer || matches!(format, "date" | "date-time" | "email" | "binary")
    }
}

/// Returns the schema in the dialect of the `jsonschema` crate, cut to `{}` where it recurs or grows beyond the budget.
pub(super) fn convert(document: &Document, schema: Option<&ReferenceOr<Schema>>, direction: Direction) -> Value {
    let converted = schema.and_then(|schema| {
        DEPTHS.into_iter().find_map(|deepest| {
            let left = direction.budget();
            let mut conversion =
                Conversion { document, direction, deepest, left, open: Vec::new(), inherited: Vec::new(), cuts: 0 };
            conversion.node(schema.into(), 0).ok()
        })
    });
    converted.unwrap_or_else(|| json!({}))
}

/// Closes the object at the top of a request body, because a property that the description does not name is a
/// mistake of ours. It stays open where the description states `additionalProperties` or names no property.
pub(super) fn close(schema: &mut Value) {
    if completeness(schema) == Completeness::Listed
        && let Value::Object(schema) = schema
    {
        admit_of_other_branches(schema);
        let key = if is_composed(schema) { "unevaluatedProperties" } else { "additionalProperties" };
        schema.insert(key.to_owned(), json!(false));
    }
}

/// A property that only another branch of `oneOf` or `anyOf` names is named by the description: the branches themselves
/// are open.
fn admit_of_other_branches(schema: &mut Keywords) {
    let branches: Vec<&Value> =
        ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten().collect();
    let mut names: Vec<Vec<String>> = Vec::new();
    for branch in branches {
        let mut own = Vec::new();
        named(branch, &mut own);
        own.sort();
        own.dedup();
        if !own.is_empty() && !names.contains(&own) {
            names.push(own);
        }
    }
    if names.len() < 2 {
        return;
    }
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        for name in names.into_iter().flatten() {
            properties.entry(name).or_insert_with(|| json!({}));
        }
    }
}

/// Adds the names of the properties of a schema and its parts.
fn named(schema: &Value, names: &mut Vec<String>) {
    names.extend(
        schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()),
    );
    let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    parts.for_each(|part| named(part, names));
}

/// The schema outgrew its budget.
struct TooLarge;

struct Conversion<'d> {
    document: &'d Document,
    direction: Direction,
    deepest: usize,
    /// How many schema nodes may still be emitted.
    left: usize,
    /// The references that are being inlined; one that is reached again recurs.
    open: Vec<&'d str>,
    /// The references of `allOf` whose targets are being inlined as a part of an heir.
    inherited: Vec<&'d str>,
    /// How often a schema was cut to `{}`.
    cuts: usize,
}

impl<'d> Conversion<'d> {
    fn node(&mut self, node: SchemaNode<'d>, depth: usize) -> Result<Value, TooLarge> {
        self.left = self.left.checked_sub(1).ok_or(TooLarge)?;
        if depth > self.deepest {
            self.cuts += 1;
            return Ok(json!({}));
        }
        match node {
            SchemaNode::Schema(schema) => self.schema(schema, depth),
            SchemaNode::Reference(reference) if self.is_cut(reference) => {
                self.cuts += 1;
                Ok(json!({}))
            }
            SchemaNode::Reference(reference) => {
                let Some(target) = self.document.target::<Schema>(reference) else { return Ok(json!({})) };
                self.open.push(reference);
                let heirs = heirs(self.document, reference);
                let converted = if heirs.is_empty() {
                    self.node(target.into(), depth)
                } else {
                    let of =
                        |heir: &'d str| if heir == reference { target.into() } else { SchemaNode::Reference(heir) };
                    let heirs: Result<Vec<Value>, TooLarge> =
                        heirs.into_iter().map(|heir| self.node(of(heir), depth)).collect();
                    heirs.map(|heirs| json!({ "anyOf": heirs }))
                };
                self.open.pop();
                converted
            }
        }
    }

    /// A part of an `allOf`: the schema that this one inherits from is meant without its other heirs.
    fn part(&mut self, part: &'d ReferenceOr<Schema>, depth: usize) -> Result<Value, TooLarge> {
        let inherited = reference_of(part).filter(|reference| {
            let of = |heir: &&str| inherits(self.document, heir, reference);
            self.open.last().is_some_and(of) && !self.inherited.contains(reference)
        });
        match inherited.and_then(|reference| Some((reference, self.document.target::<Schema>(reference)?))) {
            Some((reference, target)) => {
                self.inherited.push(reference);
                let converted = self.node(target.into(), depth);
                self.inherited.pop();
                converted
            }
            None => self.node(part.into(), depth),
        }
    }

    fn is_cut(&self, reference: &str) -> bool {
        self.open.len() >= MAX_OPEN_REFERENCES || self.open.contains(&reference)
    }

    fn schema(&mut self, schema: &'d Schema, depth: usize) -> Result<Value, TooLarge> {
        let Schema { schema_data: data, schema_kind: kind } = schema;
        let mut out = Map::new();
        self.constraints(kind, &mut out);
        if self.direction == Direction::Answer
            && let Some(example) = data.example.as_ref().filter(|value| !value.is_object() && !value.is_array())
        {
            out.insert("examples".to_owned(), json!([example]));
        }
        self.parts(kind, data, depth, &mut out)?;
        // Beside a composition, "no others" means "than those of the parts", which 2020-12 writes in another way.
        if is_composed(&out) && out.get("additionalProperties") == Some(&Value::Bool(false)) {
            out.shift_remove("additionalProperties");
            out.insert("unevaluatedProperties".to_owned(), json!(false));
        }
        Ok(if data.nullable { nullable(out) } else { Value::Object(out) })
    }

    /// Writes the keywords that hold no schema.
    fn constraints(&self, kind: &SchemaKind, out: &mut Keywords) {
        match kind {
            SchemaKind::Type(Type::String(string)) => {
                let StringType { format, pattern, enumeration, min_length, max_length } = string;
                out.insert("type".to_owned(), json!("string"));
                put_values(enumeration, out);
                put("minLength", min_length.as_ref(), out);
                put("maxLength", max_length.as_ref(), out);
                put("pattern", pattern.as_ref(), out);
                self.format(format, out);
            }
            SchemaKind::Type(Type::Number(of_number)) => {
                let NumberType {
                    format,
                    multiple_of,
                    exclusive_minimum,
                    exclusive_maximum,
                    minimum,
                    maximum,
                    enumeration,
                } = of_number;
                out.insert("type".to_owned(), json!("number"));
                put_values(&enumeration.iter().map(|value| value.map(number)).collect::<Vec<_>>(), out);
                put("multipleOf", multiple_of.filter(|factor| *factor > 0.0).map(number).as_ref(), out);
                self.format(format, out);
                put_bound("minimum", "exclusiveMinimum", minimum.map(number).as_ref(), *exclusive_minimum, out);
                put_bound("maximum", "exclusiveMaximum", maximum.map(number).as_ref(), *exclusive_maximum, out);
            }
            SchemaKind::Type(Type::Integer(of_integer)) => {
                let IntegerType {
                    format,
                    multiple_of,
                    exclusive_minimum,
                    exclusive_maximum,
                    minimum,
                    maximum,
                    enumeration,
                } = of_integer;
                out.insert("type".to_owned(), json!("integer"));
                put_values(enumeration, out);
                put("multipleOf", multiple_of.filter(|factor| *factor > 0).as_ref(), out);
                self.format(format, out);
                put_bound("minimum", "exclusiveMinimum", minimum.as_ref(), *exclusive_minimum, out);
                put_bound("maximum", "exclusiveMaximum", maximum.as_ref(), *exclusive_maximum, out);
            }
            SchemaKind::Type(Type::Boolean(BooleanType { enumeration })) => {
                out.insert("type".to_owned(), json!("boolean"));
                put_values(enumeration, out);
            }
            SchemaKind::Type(Type::Object(object)) => {
                out.insert("type".to_owned(), json!("object"));
                put("minProperties", object.min_properties.as_ref(), out);
                put("maxProperties", object.max_properties.as_ref(), out);
            }
            SchemaKind::Type(Type::Array(array)) => {
                out.insert("type".to_owned(), json!("array"));
                put("minItems", array.min_items.as_ref(), out);
                put("maxItems", array.max_items.as_ref(), out);
                put("uniqueItems", array.unique_items.then_some(&true), out);
            }
            SchemaKind::Any(any) => self.constraints_of_any(any, out),
            // These have nothing but parts.
            SchemaKind::OneOf { .. } | SchemaKind::AllOf { .. } | SchemaKind::AnyOf { .. } | SchemaKind::Not { .. } => {
            }
        }
    }

    /// A mixture of keywords that fits no single type.
    fn constraints_of_any(&self, any: &AnySchema, out: &mut Keywords) {
        let known = |name: &&String| {
            matches!(name.as_str(), "string" | "integer" | "number" | "boolean" | "array" | "object" | "null")
        };
        put("type", any.typ.as_ref().filter(known), out);
        put_values(&any.enumeration, out);
        put("minLength", any.min_length.as_ref(), out);
        put("maxLength", any.max_length.as_ref(), out);
        put("minItems", any.min_items.as_ref(), out);
        put("maxItems", any.max_items.as_ref(), out);
        put("minProperties", any.min_properties.as_ref(), out);
        put("maxProperties", any.max_properties.as_ref(), out);
        put("multipleOf", any.multiple_of.filter(|factor| *factor > 0.0).map(number).as_ref(), out);
        put("pattern", any.pattern.as_ref(), out);
        put("uniqueItems", any.unique_items.as_ref(), out);
        self.format(&any.format, out);
        let exclusive = |flag: Option<bool>| flag == Some(true);
        put_bound(
            "minimum",
            "exclusiveMinimum",
            any.minimum.map(number).as_ref(),
            exclusive(any.exclusive_minimum),
            out,
        );
        put_bound(
            "maximum",
            "exclusiveMaximum",
            any.maximum.map(number).as_ref(),
            exclusive(any.exclusive_maximum),
            out,
        );
    }

    /// Writes a format, whose JSON is its name or `null`.
    fn format(&self, format: &impl Serialize, out: &mut Keywords) {
        if let Value::String(name) = json!(format)
            && self.direction.keeps_format(&name)
        {
            out.insert("format".to_owned(), json!(name));
        }
    }

    /// Writes the keywords that hold schemas.
    fn parts(
        &mut self,
        kind: &'d SchemaKind,
        data: &SchemaData,
        depth: usize,
        out: &mut Keywords,
    ) -> Result<(), TooLarge> {
        let discriminated = data.discriminator.is_some();
        match kind {
            SchemaKind::Type(Type::String(_) | Type::Number(_) | Type::Integer(_) | Type::Boolean(_)) => Ok(()),
            SchemaKind::Type(Type::Object(object)) => {
                let ObjectType { properties, required, additional_properties, min_properties: _, max_properties: _ } =
                    object;
                self.members(properties, required, depth, out)?;
                self.further_members(additional_properties.as_ref(), depth, out)
            }
            SchemaKind::Type(Type::Array(ArrayType { items, min_items: _, max_items: _, unique_items: _ })) => {
                self.items(items.as_ref(), depth, out)
            }
            SchemaKind::AllOf { all_of } => self.composition("allOf", all_of, false, depth, out),
            SchemaKind::AnyOf { any_of } => self.composition("anyOf", any_of, false, depth, out),
            SchemaKind::OneOf { one_of } => self.composition("oneOf", one_of, discriminated, depth, out),
            SchemaKind::Not { not } => self.not(not, depth, out),
            SchemaKind::Any(any) => {
                self.members(&any.properties, &any.required, depth, out)?;
                self.further_members(any.additional_properties.as_ref(), depth, out)?;
                self.items(any.items.as_ref(), depth, out)?;
                self.composition("allOf", &any.all_of, false, depth, out)?;
                self.composition("anyOf", &any.any_of, false, depth, out)?;
                self.composition("oneOf", &any.one_of, discriminated, depth, out)?;
                any.not.as_ref().map_or(Ok(()), |not| self.not(not, depth, out))
            }
        }
    }

    fn members<M>(
        &mut self,
        stated: &'d M,
        required: &'d [String],
        depth: usize,
        out: &mut Keywords,
    ) -> Result<(), TooLarge>
    where
        &'d M: IntoIterator<Item = (&'d String, &'d ReferenceOr<Box<Schema>>)>,
    {
        let mut properties = Map::new();
        let mut absent = Vec::new();
        for (name, property) in stated {
            let data = self.document.schema(property).map(|schema| &schema.schema_data);
            let is_absent = data.is_some_and(|data| match self.direction {
                Direction::Request => data.read_only,
                Direction::Answer => data.write_only,
            });
            if is_absent {
                absent.push(name);
            }
            if !(is_absent && self.direction == Direction::Answer) {
                properties.insert(name.clone(), self.node(property.into(), depth + 1)?);
            }
        }
        if self.direction == Direction::Request && !properties.is_empty() {
            // What is demanded is named with that, described or not.
            for name in required {
                properties.entry(name.as_str()).or_insert_with(|| json!({}));
            }
        }
        if !properties.is_empty() {
            out.insert("properties".to_owned(), Value::Object(properties));
        }
        let mut present: Vec<&String> = Vec::new();
        for name in required.iter().filter(|name| !absent.contains(name)) {
            if !present.contains(&name) {
                present.push(name);
            }
        }
        if !present.is_empty() {
            out.insert("required".to_owned(), json!(present));
        }
        Ok(())
    }

    fn further_members(
        &mut self,
        further: Option<&'d AdditionalProperties>,
        depth: usize,
        out: &mut Keywords,
    ) -> Result<(), TooLarge> {
        let further = match further {
            None => return Ok(()),
            Some(AdditionalProperties::Any(allowed)) => json!(allowed),
            Some(AdditionalProperties::Schema(schema)) => self.node(schema.as_ref().into(), depth + 1)?,
        };
        out.insert("additionalProperties".to_owned(), further);
        Ok(())
    }

    fn items(
        &mut self,
        items: Option<&'d ReferenceOr<Box<Schema>>>,
        depth: usize,
        out: &mut Keywords,
    ) -> Result<(), TooLarge> {
        let Some(items) = items else { return Ok(()) };
        let mut items = self.node(items.into(), depth + 1)?;
        // Some write the values of the items beside the list, where no list could ever be one of them.
        let of_items = |values: &Value| values.as_array().is_some_and(|all| !all.iter().any(Value::is_array));
        if out.get("type") == Some(&json!("array"))
            && out.get("enum").is_some_and(of_items)
            && let (Some(values), Value::Object(items)) = (out.shift_remove("enum"), &mut items)
        {
            items.entry("enum").or_insert(values);
        }
        out.insert("items".to_owned(), items);
        Ok(())
    }

    fn composition(
        &mut self,
        key: &str,
        parts: &'d [ReferenceOr<Schema>],
        discriminated: bool,
        depth: usize,
        out: &mut Keywords,
    ) -> Result<(), TooLarge> {
        let cuts = self.cuts;
        // Not a level of its own: an object of ten `allOf` parts is no deeper than one written out.
        let branches: Result<Vec<Value>, TooLarge> = if key == "allOf" {
            parts.iter().map(|part| self.part(part, depth)).collect()
        } else {
            parts.iter().map(|part| self.node(part.into(), depth)).collect()
        };
        let branches = branches?;
        if branches.is_empty() {
            return Ok(());
        }
        // "Exactly one" would refuse good values where a branch was cut and so accepts too much, and where a
        // discriminator, which JSON Schema does not have, distinguishes branches that overlap.
        let loose = self.cuts > cuts || discriminated;
        let key = if key == "oneOf" && loose && !out.contains_key("anyOf") { "anyOf" } else { key };
        out.insert(key.to_owned(), Value::Array(branches));
        Ok(())
    }

    /// Writes `not`, unless a part of it was cut: then it would refuse too much.
    fn not(&mut self, unwanted: &'d ReferenceOr<Schema>, depth: usize, out: &mut Keywords) -> Result<(), TooLarge> {
        let cuts = self.cuts;
        let unwanted = self.node(unwanted.into(), depth + 1)?;
        if self.cuts == cuts {
            out.insert("not".to_owned(), unwanted);
        }
        Ok(())
    }
}

fn reference_of(part: &ReferenceOr<Schema>) -> Option<&str> {
    match part {
        ReferenceOr::Reference { reference } => Some(reference),
        ReferenceOr::Item(_) => None,
    }
}

//! An OpenAPI 3.0 schema → a self-contained JSON Schema 2020-12, references inlined and of bounded size.

use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, BooleanType, IntegerType, NumberType, ObjectType, ReferenceOr, Schema,
    SchemaData, SchemaKind, StringType, Type,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

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
            let mut conversion = Conversion { document, direction, deepest, left, open: Vec::new(), cuts: 0 };
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
        let key = if is_composed(schema) { "unevaluatedProperties" } else { "additionalProperties" };
        schema.insert(key.to_owned(), json!(false));
    }
}

/// The schema outgrew its budget.
struct TooLarge;

/// The keywords written so far.
type Keywords = Map<String, Value>;

struct Conversion<'d> {
    document: &'d Document,
    direction: Direction,
    deepest: usize,
    /// How many schema nodes may still be emitted.
    left: usize,
    /// The references that are being inlined; one that is reached again recurs.
    open: Vec<&'d str>,
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
                let converted = self.node(target.into(), depth);
                self.open.pop();
                converted
            }
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
        let branches: Result<Vec<Value>, TooLarge> = parts.iter().map(|part| self.node(part.into(), depth)).collect();
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

fn put(key: &str, value: Option<&(impl Serialize + ?Sized)>, out: &mut Keywords) {
    if let Some(value) = value {
        out.insert(key.to_owned(), json!(value));
    }
}

fn put_values(values: &[impl Serialize], out: &mut Keywords) {
    put("enum", Some(values).filter(|values| !values.is_empty()), out);
}

/// In OpenAPI 3.0 `exclusiveMinimum` is a flag beside `minimum`; in 2020-12 it is the bound.
fn put_bound(inclusive: &str, exclusive: &str, bound: Option<&impl Serialize>, is_exclusive: bool, out: &mut Keywords) {
    put(if is_exclusive { exclusive } else { inclusive }, bound, out);
}

/// `openapiv3` reads the bounds of numbers as floating point; a whole one is written without a fraction.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that fits, as was just checked")]
        return Value::from(value as i64);
    }
    Value::from(value)
}

fn is_composed(schema: &Keywords) -> bool {
    ["allOf", "anyOf", "oneOf"].iter().any(|key| schema.contains_key(*key))
}

/// Allows `null`, which 2020-12 does by type and by enumerated value.
fn nullable(mut schema: Keywords) -> Value {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(name) = schema.get_mut("type").filter(|name| *name != "null") {
        *name = json!([name.take(), "null"]);
    }
    // Each part of a composition has a type of its own, which `null` would have to satisfy.
    if is_composed(&schema) {
        return json!({ "anyOf": [Value::Object(schema), { "type": "null" }] });
    }
    Value::Object(schema)
}

/// How much a schema states about the properties of an object.
#[derive(PartialEq, Eq)]
enum Completeness {
    /// It names properties and does not mention others.
    Listed,
    /// It states what else is allowed, or is free-form.
    Open,
    /// It does not describe an object, or adds conditions only.
    Unstated,
}

fn completeness(schema: &Value) -> Completeness {
    let Value::Object(schema) = schema else {
        return Completeness::Open;
    };
    if schema.contains_key("additionalProperties") || schema.contains_key("unevaluatedProperties") {
        return Completeness::Open;
    }
    let may_be_object = match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.contains(&json!("object")),
        Some(name) => name == "object",
    };
    if !may_be_object {
        return Completeness::Unstated;
    }
    let parts: Vec<Completeness> = ["allOf", "anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema.get(*key)?.as_array())
        .flatten()
        .map(completeness)
        .collect();
    if parts.contains(&Completeness::Open) {
        Completeness::Open
    } else if schema.contains_key("properties") || parts.contains(&Completeness::Listed) {
        Completeness::Listed
    } else if parts.is_empty() && !schema.contains_key("required") {
        Completeness::Open
    } else {
        Completeness::Unstated
    }
}

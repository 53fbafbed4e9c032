//! A schema with references → [`ResolvedSchema`]: what they lead to written out, of bounded size,
//! with the keywords that an input schema can use. A schema with a discriminator and no alternatives of
//! its own becomes the schemas that are built on it (`subtypes`).

mod stated;

use std::rc::Rc;

use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, ObjectType, ReferenceOr, Schema, SchemaData, SchemaKind, Type,
};
use serde_json::Value;

use crate::lower::subtypes::{self, Subtype};
use crate::read::document::{Document, SchemaNode};
use stated::{number, of_boolean, of_data, of_integer, of_number, of_string};

/// A schema without references. Keywords that a model can't use (`title`, `xml`, `not` …) are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a schema has these four keywords")]
pub struct ResolvedSchema {
    pub kind: Option<SchemaType>,
    pub description: Option<String>,
    pub format: Option<String>,
    pub pattern: Option<String>,
    pub values: Vec<Value>,
    pub minimum: Option<Value>,
    pub maximum: Option<Value>,
    pub exclusive_minimum: bool,
    pub exclusive_maximum: bool,
    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub min_items: Option<usize>,
    pub max_items: Option<usize>,
    pub unique_items: Option<bool>,
    pub multiple_of: Option<Value>,
    pub min_properties: Option<usize>,
    pub max_properties: Option<usize>,
    pub default: Option<Value>,
    pub example: Option<Value>,
    pub read_only: bool,
    pub nullable: bool,
    pub properties: Vec<ResolvedProperty>,
    pub required: Vec<String>,
    pub further: Option<FurtherProperties>,
    pub items: Option<Rc<ResolvedSchema>>,
    pub all_of: Vec<ResolvedSchema>,
    pub one_of: Vec<ResolvedSchema>,
    pub any_of: Vec<ResolvedSchema>,
}

/// A property of an object. Alternatives share the schemas of what they have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedProperty {
    pub name: String,
    pub schema: Rc<ResolvedSchema>,
}

/// What an object may hold beside its properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FurtherProperties {
    /// Anything, or nothing.
    Any(bool),
    /// Values of one schema, which states something.
    Of(Rc<ResolvedSchema>),
}

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaType {
    Integer,
    Number,
    Boolean,
    String,
    Array,
    Object,
    /// No type of OpenAPI 3.0; descriptions write it for an alternative that is nothing.
    Null,
}

impl SchemaType {
    /// Returns the type's name in JSON Schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
            Self::Null => "null",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        const ALL: [SchemaType; 7] = [
            SchemaType::Integer,
            SchemaType::Number,
            SchemaType::Boolean,
            SchemaType::String,
            SchemaType::Array,
            SchemaType::Object,
            SchemaType::Null,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The depths of references that are tried one after the other until a schema is small enough.
const DEEPEST_REFERENCES: [usize; 7] = [12, 8, 5, 3, 2, 1, 0];

/// The most keywords and values that a schema may have with its references written out.
const LARGEST_SCHEMA: usize = 20_000;

/// Follows every reference of a schema. One to something that contains it is cut to a value of its type
/// that says so, and so are the innermost ones of what would grow beyond all use.
pub fn resolve<'d>(node: impl Into<SchemaNode<'d>>, document: &'d Document) -> ResolvedSchema {
    let node = node.into();
    let found = DEEPEST_REFERENCES.iter().find_map(|deepest| {
        let mut resolver = Resolver {
            document,
            deepest: *deepest,
            left: LARGEST_SCHEMA,
            open: Vec::new(),
            plain: Vec::new(),
            bases: Vec::new(),
        };
        resolver.node(node).ok()
    });
    // Even by itself it is larger than anything that a model could fill in.
    found.unwrap_or_else(|| opaque(kind_of(node, document), "Too large to be described here.".to_owned()))
}

fn opaque(kind: Option<SchemaType>, description: String) -> ResolvedSchema {
    ResolvedSchema { kind, description: Some(description), ..ResolvedSchema::default() }
}

/// Returns the type that a schema states itself or by the parts that hold together; `None` where it has none, or
/// several.
fn kind_of<'d>(node: impl Into<SchemaNode<'d>>, document: &'d Document) -> Option<SchemaType> {
    const DEEPEST_PARTS: usize = 8;
    stated_kind(document.schema(node)?, document, DEEPEST_PARTS)
}

fn stated_kind(schema: &Schema, document: &Document, deepest: usize) -> Option<SchemaType> {
    let of_parts = |parts: &[ReferenceOr<Schema>]| {
        let deepest = deepest.checked_sub(1)?;
        parts.iter().find_map(|part| stated_kind(document.schema(part)?, document, deepest))
    };
    match &schema.schema_kind {
        SchemaKind::Type(Type::String(_)) => Some(SchemaType::String),
        SchemaKind::Type(Type::Number(_)) => Some(SchemaType::Number),
        SchemaKind::Type(Type::Integer(_)) => Some(SchemaType::Integer),
        SchemaKind::Type(Type::Boolean(_)) => Some(SchemaType::Boolean),
        SchemaKind::Type(Type::Object(_)) => Some(SchemaType::Object),
        SchemaKind::Type(Type::Array(_)) => Some(SchemaType::Array),
        SchemaKind::AllOf { all_of } => of_parts(all_of),
        SchemaKind::Any(any) => {
            let stated = any.typ.as_deref().and_then(SchemaType::parse);
            let object = (!any.properties.is_empty()).then_some(SchemaType::Object);
            stated.or(object).or_else(|| of_parts(&any.all_of))
        }
        SchemaKind::OneOf { .. } | SchemaKind::AnyOf { .. } | SchemaKind::Not { .. } => None,
    }
}

/// The schema outgrew its bound.
struct TooLarge;

struct Resolver<'d> {
    document: &'d Document,
    /// How many references may be open at once.
    deepest: usize,
    /// How many keywords and values may still be written.
    left: usize,
    /// The references that are being written out.
    open: Vec<&'d str>,
    /// Those of them whose subtypes are being written out.
    plain: Vec<&'d str>,
    /// What subtypes are built on, as far as it is being written out.
    bases: Vec<&'d str>,
}

impl<'d> Resolver<'d> {
    fn node(&mut self, node: impl Into<SchemaNode<'d>>) -> Result<ResolvedSchema, TooLarge> {
        match node.into() {
            SchemaNode::Schema(schema) => self.schema(schema),
            SchemaNode::Reference(reference) => self.reference(reference),
        }
    }

    fn reference(&mut self, reference: &'d str) -> Result<ResolvedSchema, TooLarge> {
        self.spend(1)?;
        match self.document.target::<Schema>(reference) {
            Some(target) if !self.open.contains(&reference) && self.open.len() < self.deepest => {
                self.open.push(reference);
                let subtypes = subtypes::of(reference, self.document);
                let resolved =
                    if subtypes.is_empty() { self.node(target) } else { self.subtypes(reference, target, &subtypes) };
                self.open.pop();
                resolved
            }
            _ => {
                let kind = kind_of(SchemaNode::Reference(reference), self.document);
                let name = reference.rsplit('/').next().unwrap_or(reference);
                let what = match kind {
                    Some(SchemaType::Object) | None => {
                        return Ok(opaque(kind, format!("A further {name}; its content is not described here.")));
                    }
                    Some(kind) => kind,
                };
                Ok(opaque(Some(what), String::new()))
            }
        }
    }

    /// What a schema with a discriminator takes: any of the schemas that are built on it.
    fn subtypes(
        &mut self,
        reference: &'d str,
        base: &'d ReferenceOr<Schema>,
        subtypes: &[Subtype<'d>],
    ) -> Result<ResolvedSchema, TooLarge> {
        self.plain.push(reference);
        let base_itself = self.base(reference)?;
        let alternatives: Result<Vec<ResolvedSchema>, TooLarge> = subtypes
            .iter()
            .map(|subtype| {
                let resolved = if subtype.reference == reference {
                    base_itself.clone()
                } else {
                    let own = self.node(SchemaNode::Reference(subtype.reference))?;
                    let is_cut =
                        names_nothing(&own) && subtypes::is_built_on(subtype.reference, reference, self.document);
                    // What it is built on is known, and there is more.
                    let further = Some(FurtherProperties::Any(true));
                    if is_cut { ResolvedSchema { further, ..base_itself.clone() } } else { own }
                };
                Ok(discriminated(resolved, subtype.property, &subtype.values))
            })
            .collect();
        self.plain.pop();
        let stated = self.document.schema(base).map(|schema| of_data(&schema.schema_data)).unwrap_or_default();
        Ok(ResolvedSchema { one_of: alternatives?, ..stated })
    }

    /// The parts of an `allOf`. What a subtype is built on is meant by itself.
    fn together(&mut self, parts: &'d [ReferenceOr<Schema>]) -> Result<Vec<ResolvedSchema>, TooLarge> {
        parts
            .iter()
            .map(|part| match part {
                ReferenceOr::Reference { reference } if self.is_base(reference) => self.base(reference),
                part => self.node(part),
            })
            .collect()
    }

    /// Whether the schema that is being written out is built on the one at `reference`.
    fn is_base(&self, reference: &str) -> bool {
        let built_on = |own: &&str| subtypes::is_built_on(own, reference, self.document);
        self.plain.contains(&reference) || self.open.last().is_some_and(built_on)
    }

    fn base(&mut self, reference: &'d str) -> Result<ResolvedSchema, TooLarge> {
        self.spend(1)?;
        let Some(target) = self.document.target::<Schema>(reference).filter(|_| !self.bases.contains(&reference))
        else {
            return Ok(ResolvedSchema::default());
        };
        self.bases.push(reference);
        let resolved = self.node(target);
        self.bases.pop();
        resolved
    }

    /// The alternatives of a `oneOf` or `anyOf`, each with the values by which a discriminator chooses it.
    fn alternatives(
        &mut self,
        parts: &'d [ReferenceOr<Schema>],
        data: &'d SchemaData,
    ) -> Result<Vec<ResolvedSchema>, TooLarge> {
        parts
            .iter()
            .map(|part| {
                let resolved = self.node(part)?;
                Ok(match (&data.discriminator, part) {
                    (Some(discriminator), ReferenceOr::Reference { reference }) => {
                        let values = subtypes::values(discriminator, reference);
                        discriminated(resolved, &discriminator.property_name, &values)
                    }
                    _ => resolved,
                })
            })
            .collect()
    }

    fn spend(&mut self, count: usize) -> Result<(), TooLarge> {
        self.left = self.left.checked_sub(count).ok_or(TooLarge)?;
        Ok(())
    }

    fn schema(&mut self, schema: &'d Schema) -> Result<ResolvedSchema, TooLarge> {
        let Schema { schema_data, schema_kind } = schema;
        let mut resolved = of_data(schema_data);
        match schema_kind {
            SchemaKind::Type(Type::String(text)) => of_string(text, &mut resolved),
            SchemaKind::Type(Type::Number(number)) => of_number(number, &mut resolved),
            SchemaKind::Type(Type::Integer(integer)) => of_integer(integer, &mut resolved),
            SchemaKind::Type(Type::Boolean(boolean)) => of_boolean(boolean, &mut resolved),
            SchemaKind::Type(Type::Object(object)) => self.of_object(object, &mut resolved)?,
            SchemaKind::Type(Type::Array(array)) => self.of_array(array, &mut resolved)?,
            SchemaKind::OneOf { one_of } => resolved.one_of = self.alternatives(one_of, schema_data)?,
            SchemaKind::AllOf { all_of } => resolved.all_of = self.together(all_of)?,
            SchemaKind::AnyOf { any_of } => resolved.any_of = self.alternatives(any_of, schema_data)?,
            // What a value must not be is no help for writing one.
            SchemaKind::Not { not: _ } => {}
            SchemaKind::Any(any) => self.of_any(any, schema_data, &mut resolved)?,
        }
        self.spend(size(&resolved))?;
        Ok(resolved)
    }

    fn of_object(&mut self, object: &'d ObjectType, resolved: &mut ResolvedSchema) -> Result<(), TooLarge> {
        let ObjectType { properties, required, additional_properties, min_properties, max_properties } = object;
        resolved.kind = Some(SchemaType::Object);
        resolved.min_properties = *min_properties;
        resolved.max_properties = *max_properties;
        self.members(properties, required, additional_properties.as_ref(), resolved)
    }

    fn members(
        &mut self,
        properties: impl IntoIterator<Item = (&'d String, &'d ReferenceOr<Box<Schema>>)>,
        required: &[String],
        further: Option<&'d AdditionalProperties>,
        resolved: &mut ResolvedSchema,
    ) -> Result<(), TooLarge> {
        for (name, property) in properties {
            resolved.properties.push(ResolvedProperty { name: name.clone(), schema: Rc::new(self.node(property)?) });
        }
        required.clone_into(&mut resolved.required);
        resolved.further = match further {
            None => None,
            Some(AdditionalProperties::Any(allowed)) => Some(FurtherProperties::Any(*allowed)),
            Some(AdditionalProperties::Schema(schema)) if self.states_nothing(&**schema) => {
                Some(FurtherProperties::Any(true))
            }
            Some(AdditionalProperties::Schema(schema)) => Some(FurtherProperties::Of(Rc::new(self.node(&**schema)?))),
        };
        Ok(())
    }

    fn states_nothing(&self, node: impl Into<SchemaNode<'d>>) -> bool {
        let empty = SchemaKind::Any(AnySchema::default());
        let states_nothing =
            |schema: &Schema| schema.schema_data == SchemaData::default() && schema.schema_kind == empty;
        self.document.schema(node).is_some_and(states_nothing)
    }

    fn of_array(&mut self, array: &'d ArrayType, resolved: &mut ResolvedSchema) -> Result<(), TooLarge> {
        let ArrayType { items, min_items, max_items, unique_items } = array;
        resolved.kind = Some(SchemaType::Array);
        resolved.items = self.items(items.as_ref())?;
        resolved.min_items = *min_items;
        resolved.max_items = *max_items;
        resolved.unique_items = unique_items.then_some(true);
        Ok(())
    }

    fn items(&mut self, items: Option<&'d ReferenceOr<Box<Schema>>>) -> Result<Option<Rc<ResolvedSchema>>, TooLarge> {
        items.map(|items| self.node(items).map(Rc::new)).transpose()
    }

    /// A mixture of keywords that fits no single type.
    fn of_any(
        &mut self,
        any: &'d AnySchema,
        data: &'d SchemaData,
        resolved: &mut ResolvedSchema,
    ) -> Result<(), TooLarge> {
        let AnySchema {
            typ,
            pattern,
            multiple_of,
            exclusive_minimum,
            exclusive_maximum,
            minimum,
            maximum,
            properties,
            required,
            additional_properties,
            min_properties,
            max_properties,
            items,
            min_items,
            max_items,
            unique_items,
            enumeration,
            format,
            min_length,
            max_length,
            one_of,
            all_of,
            any_of,
            not: _,
        } = any;
        resolved.kind = typ.as_deref().and_then(SchemaType::parse);
        resolved.pattern.clone_from(pattern);
        resolved.minimum = minimum.map(number);
        resolved.maximum = maximum.map(number);
        resolved.exclusive_minimum = *exclusive_minimum == Some(true);
        resolved.exclusive_maximum = *exclusive_maximum == Some(true);
        resolved.min_items = *min_items;
        resolved.max_items = *max_items;
        resolved.unique_items = *unique_items;
        resolved.multiple_of = multiple_of.filter(|factor| *factor > 0.0).map(number);
        resolved.min_properties = *min_properties;
        resolved.max_properties = *max_properties;
        resolved.min_length = *min_length;
        resolved.max_length = *max_length;
        resolved.values.clone_from(enumeration);
        resolved.format.clone_from(format);
        self.members(properties, required, additional_properties.as_ref(), resolved)?;
        resolved.items = self.items(items.as_ref())?;
        resolved.all_of = self.together(all_of)?;
        resolved.one_of = self.alternatives(one_of, data)?;
        resolved.any_of = self.alternatives(any_of, data)?;
        Ok(())
    }
}

/// Adds the values by which a discriminator chooses this alternative, unless it states its own.
fn discriminated(alternative: ResolvedSchema, property: &str, values: &[String]) -> ResolvedSchema {
    if values.is_empty() || states_values(&alternative, property) {
        return alternative;
    }
    let chosen = ResolvedSchema {
        kind: Some(SchemaType::String),
        values: values.iter().map(|value| Value::from(value.as_str())).collect(),
        ..ResolvedSchema::default()
    };
    let choice = ResolvedSchema {
        kind: Some(SchemaType::Object),
        properties: vec![ResolvedProperty { name: property.to_owned(), schema: Rc::new(chosen) }],
        required: vec![property.to_owned()],
        // Of a model that is cut only the choice is known.
        further: names_nothing(&alternative).then_some(FurtherProperties::Any(true)),
        ..ResolvedSchema::default()
    };
    ResolvedSchema { all_of: vec![alternative, choice], ..ResolvedSchema::default() }
}

fn names_nothing(schema: &ResolvedSchema) -> bool {
    schema.properties.is_empty()
        && schema.required.is_empty()
        && schema.further.is_none()
        && schema.all_of.is_empty()
        && schema.one_of.is_empty()
        && schema.any_of.is_empty()
}

/// Whether a property has values of its own, or is no text at all.
fn states_values(schema: &ResolvedSchema, property: &str) -> bool {
    let own = schema.properties.iter().find(|known| known.name == property).is_some_and(|known| {
        let all = || std::iter::once(&*known.schema).chain(&known.schema.all_of);
        all().any(|part| !part.values.is_empty() || part.kind.is_some_and(|kind| kind != SchemaType::String))
    });
    own || schema.all_of.iter().any(|part| states_values(part, property))
}

/// How many keywords and values a schema itself has.
fn size(schema: &ResolvedSchema) -> usize {
    let stated = [
        schema.kind.is_some(),
        schema.description.is_some(),
        schema.format.is_some(),
        schema.pattern.is_some(),
        schema.minimum.is_some(),
        schema.maximum.is_some(),
        schema.default.is_some(),
        schema.example.is_some(),
        schema.read_only,
        !schema.properties.is_empty(),
        !schema.required.is_empty(),
    ];
    1 + stated.into_iter().filter(|stated| *stated).count() + schema.values.len() + schema.required.len()
}

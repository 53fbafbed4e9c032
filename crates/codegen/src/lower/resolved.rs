//! A schema with references → [`ResolvedSchema`]: what they lead to written out, of bounded size,
//! with the keywords that an input schema can use.

use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, BooleanType, IntegerFormat, IntegerType, NumberFormat, NumberType,
    ObjectType, ReferenceOr, Schema, SchemaData, SchemaKind, StringFormat, StringType, Type, VariantOrUnknownOrEmpty,
};
use serde_json::Value;

use crate::read::document::{Document, SchemaNode};

/// A schema without references. Keywords that a model can't use (`title`, `xml`, `discriminator`,
/// `not` …) are left out.
#[derive(Debug, Clone, Default, PartialEq)]
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
    pub default: Option<Value>,
    pub example: Option<Value>,
    pub read_only: bool,
    pub nullable: bool,
    pub properties: Vec<ResolvedProperty>,
    pub required: Vec<String>,
    pub further: Option<FurtherProperties>,
    pub items: Option<Box<ResolvedSchema>>,
    pub all_of: Vec<ResolvedSchema>,
    pub one_of: Vec<ResolvedSchema>,
    pub any_of: Vec<ResolvedSchema>,
}

/// A property of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedProperty {
    pub name: String,
    pub schema: ResolvedSchema,
}

/// What an object may hold beside its properties.
#[derive(Debug, Clone, PartialEq)]
pub enum FurtherProperties {
    /// Anything, or nothing.
    Any(bool),
    /// Values of one schema, which states something.
    Of(Box<ResolvedSchema>),
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

/// Follows every reference of a schema. One to something that contains it is cut to an object that
/// says so, and so are the innermost ones of what would grow beyond all use.
pub fn resolve<'d>(node: impl Into<SchemaNode<'d>>, document: &'d Document) -> ResolvedSchema {
    let node = node.into();
    let found = DEEPEST_REFERENCES.iter().find_map(|deepest| {
        let mut resolver = Resolver { document, deepest: *deepest, left: LARGEST_SCHEMA, open: Vec::new() };
        resolver.node(node).ok()
    });
    // Even by itself it is larger than anything that a model could fill in.
    found.unwrap_or_else(|| opaque("Too large to be described here.".to_owned()))
}

fn opaque(description: String) -> ResolvedSchema {
    ResolvedSchema { kind: Some(SchemaType::Object), description: Some(description), ..ResolvedSchema::default() }
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
                let resolved = self.node(target);
                self.open.pop();
                resolved
            }
            _ => {
                let name = reference.rsplit('/').next().unwrap_or(reference);
                Ok(opaque(format!("A further {name}; its content is not described here.")))
            }
        }
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
            SchemaKind::OneOf { one_of } => resolved.one_of = self.all(one_of)?,
            SchemaKind::AllOf { all_of } => resolved.all_of = self.all(all_of)?,
            SchemaKind::AnyOf { any_of } => resolved.any_of = self.all(any_of)?,
            // What a value must not be is no help for writing one.
            SchemaKind::Not { not: _ } => {}
            SchemaKind::Any(any) => self.of_any(any, &mut resolved)?,
        }
        self.spend(size(&resolved))?;
        Ok(resolved)
    }

    fn all(&mut self, parts: &'d [ReferenceOr<Schema>]) -> Result<Vec<ResolvedSchema>, TooLarge> {
        parts.iter().map(|part| self.node(part)).collect()
    }

    fn of_object(&mut self, object: &'d ObjectType, resolved: &mut ResolvedSchema) -> Result<(), TooLarge> {
        let ObjectType { properties, required, additional_properties, min_properties: _, max_properties: _ } = object;
        resolved.kind = Some(SchemaType::Object);
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
            resolved.properties.push(ResolvedProperty { name: name.clone(), schema: self.node(property)? });
        }
        required.clone_into(&mut resolved.required);
        resolved.further = match further {
            None => None,
            Some(AdditionalProperties::Any(allowed)) => Some(FurtherProperties::Any(*allowed)),
            Some(AdditionalProperties::Schema(schema)) if self.states_nothing(&**schema) => {
                Some(FurtherProperties::Any(true))
            }
            Some(AdditionalProperties::Schema(schema)) => Some(FurtherProperties::Of(Box::new(self.node(&**schema)?))),
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

    fn items(&mut self, items: Option<&'d ReferenceOr<Box<Schema>>>) -> Result<Option<Box<ResolvedSchema>>, TooLarge> {
        items.map(|items| self.node(items).map(Box::new)).transpose()
    }

    /// A mixture of keywords that fits no single type.
    fn of_any(&mut self, any: &'d AnySchema, resolved: &mut ResolvedSchema) -> Result<(), TooLarge> {
        let AnySchema {
            typ,
            pattern,
            multiple_of: _,
            exclusive_minimum,
            exclusive_maximum,
            minimum,
            maximum,
            properties,
            required,
            additional_properties,
            min_properties: _,
            max_properties: _,
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
        resolved.min_length = *min_length;
        resolved.max_length = *max_length;
        resolved.values.clone_from(enumeration);
        resolved.format.clone_from(format);
        self.members(properties, required, additional_properties.as_ref(), resolved)?;
        resolved.items = self.items(items.as_ref())?;
        resolved.all_of = self.all(all_of)?;
        resolved.one_of = self.all(one_of)?;
        resolved.any_of = self.all(any_of)?;
        Ok(())
    }
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

/// What every kind of schema can state.
fn of_data(data: &SchemaData) -> ResolvedSchema {
    let SchemaData {
        read_only,
        example,
        description,
        default,
        nullable,
        write_only: _,
        deprecated: _,
        external_docs: _,
        title: _,
        discriminator: _,
        extensions: _,
    } = data;
    ResolvedSchema {
        read_only: *read_only,
        nullable: *nullable,
        example: example.clone(),
        description: description.clone(),
        default: default.clone(),
        ..ResolvedSchema::default()
    }
}

fn of_string(text: &StringType, resolved: &mut ResolvedSchema) {
    let StringType { format, pattern, enumeration, min_length, max_length } = text;
    resolved.kind = Some(SchemaType::String);
    resolved.format = named(format, |format| match format {
        StringFormat::Date => "date",
        StringFormat::DateTime => "date-time",
        StringFormat::Password => "password",
        StringFormat::Byte => "byte",
        StringFormat::Binary => "binary",
    });
    resolved.pattern.clone_from(pattern);
    resolved.values = enumeration.iter().map(|value| Value::from(value.clone())).collect();
    resolved.min_length = *min_length;
    resolved.max_length = *max_length;
}

fn of_number(limits: &NumberType, resolved: &mut ResolvedSchema) {
    let NumberType { format, multiple_of: _, exclusive_minimum, exclusive_maximum, minimum, maximum, enumeration } =
        limits;
    resolved.kind = Some(SchemaType::Number);
    resolved.format = named(format, |format| match format {
        NumberFormat::Float => "float",
        NumberFormat::Double => "double",
    });
    resolved.minimum = minimum.map(number);
    resolved.maximum = maximum.map(number);
    resolved.exclusive_minimum = *exclusive_minimum;
    resolved.exclusive_maximum = *exclusive_maximum;
    resolved.values = enumeration.iter().map(|value| value.map_or(Value::Null, number)).collect();
}

fn of_integer(limits: &IntegerType, resolved: &mut ResolvedSchema) {
    let IntegerType { format, multiple_of: _, exclusive_minimum, exclusive_maximum, minimum, maximum, enumeration } =
        limits;
    resolved.kind = Some(SchemaType::Integer);
    resolved.format = named(format, |format| match format {
        IntegerFormat::Int32 => "int32",
        IntegerFormat::Int64 => "int64",
    });
    resolved.minimum = minimum.map(Value::from);
    resolved.maximum = maximum.map(Value::from);
    resolved.exclusive_minimum = *exclusive_minimum;
    resolved.exclusive_maximum = *exclusive_maximum;
    resolved.values = enumeration.iter().map(|value| Value::from(*value)).collect();
}

fn of_boolean(boolean: &BooleanType, resolved: &mut ResolvedSchema) {
    let BooleanType { enumeration } = boolean;
    resolved.kind = Some(SchemaType::Boolean);
    resolved.values = enumeration.iter().map(|value| Value::from(*value)).collect();
}

/// The name of a format, known to OpenAPI or not.
fn named<F>(format: &VariantOrUnknownOrEmpty<F>, name: impl Fn(&F) -> &'static str) -> Option<String> {
    match format {
        VariantOrUnknownOrEmpty::Item(format) => Some(name(format).to_owned()),
        VariantOrUnknownOrEmpty::Unknown(format) => Some(format.clone()),
        VariantOrUnknownOrEmpty::Empty => None,
    }
}

/// `openapiv3` reads the bounds of numbers as floating point; a whole one is written as such.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that fits, as was just checked")]
        return Value::from(value as i64);
    }
    Value::from(value)
}

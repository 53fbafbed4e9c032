//! What `openapiv3` reads of one schema without others in it → the keywords of a [`ResolvedSchema`].

use openapiv3::{
    BooleanType, IntegerFormat, IntegerType, NumberFormat, NumberType, SchemaData, StringFormat, StringType,
    VariantOrUnknownOrEmpty,
};
use serde_json::Value;

use super::{ResolvedSchema, SchemaType};

/// What every kind of schema can state.
pub(super) fn of_data(data: &SchemaData) -> ResolvedSchema {
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
        // Read with the alternatives.
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

pub(super) fn of_string(text: &StringType, resolved: &mut ResolvedSchema) {
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

pub(super) fn of_number(limits: &NumberType, resolved: &mut ResolvedSchema) {
    let NumberType { format, multiple_of, exclusive_minimum, exclusive_maximum, minimum, maximum, enumeration } =
        limits;
    resolved.kind = Some(SchemaType::Number);
    resolved.multiple_of = multiple_of.filter(|factor| *factor > 0.0).map(number);
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

pub(super) fn of_integer(limits: &IntegerType, resolved: &mut ResolvedSchema) {
    let IntegerType { format, multiple_of, exclusive_minimum, exclusive_maximum, minimum, maximum, enumeration } =
        limits;
    resolved.kind = Some(SchemaType::Integer);
    resolved.multiple_of = multiple_of.filter(|factor| *factor > 0).map(Value::from);
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

pub(super) fn of_boolean(boolean: &BooleanType, resolved: &mut ResolvedSchema) {
    let BooleanType { enumeration } = boolean;
    resolved.kind = Some(SchemaType::Boolean);
    resolved.values = enumeration.iter().map(|value| Value::from(*value)).collect();
}

/// The name of a format, known to OpenAPI or not.
pub(super) fn named<F>(format: &VariantOrUnknownOrEmpty<F>, name: impl Fn(&F) -> &'static str) -> Option<String> {
    match format {
        VariantOrUnknownOrEmpty::Item(format) => Some(name(format).to_owned()),
        VariantOrUnknownOrEmpty::Unknown(format) => Some(format.clone()),
        VariantOrUnknownOrEmpty::Empty => None,
    }
}

/// `openapiv3` reads the bounds of numbers as floating point; a whole one is written as such.
pub(super) fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that fits, as was just checked")]
        return Value::from(value as i64);
    }
    Value::from(value)
}

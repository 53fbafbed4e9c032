//! JSON → the types that it is read as. What `serde_json::from_value` does, but for fractions: where a crate of the same
//! build asks serde_json to keep the text of numbers, as the program does, that function hands them on as an object,
//! and types that are read in several tries, as those of `openapiv3` are, refuse them.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// Reads a value as a type.
///
/// # Errors
/// As the type words it.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Plain(value))
}

/// A value whose numbers are numbers for any type that reads it.
struct Plain(Value);

impl IntoDeserializer<'_, Error> for Plain {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Plain {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., Some(number)) => visitor.visit_f64(number),
                _ => Err(Error::custom(format!("`{number}` is beyond the range of numbers"))),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Plain));
                let read = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(read)
            }
            Value::Object(entries) => {
                let mut entries = MapDeserializer::new(entries.into_iter().map(|(name, value)| (name, Plain(value))));
                let read = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(read)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // Of enums, only names and entries of one name are written; neither is a number.
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use openapiv3::{ReferenceOr, Schema};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_with_fractions_is_read_and_written_as_it_was() {
        let schema = json!({
            "type": "number", "minimum": 0.25, "multipleOf": 0.01, "maximum": 1e3, "nullable": true,
            "enum": [0.5, 2], "x-more": {"factor": 1.5, "list": [null, true, -3]},
        });
        // The text of a number as a file has it.
        let parsed: Value = serde_json::from_str(&schema.to_string()).unwrap();
        let read: ReferenceOr<Schema> = from_value(parsed).unwrap();
        let written = serde_json::to_value(read.as_item().unwrap()).unwrap();
        for key in ["minimum", "multipleOf"] {
            assert_eq!(written[key].as_f64(), schema[key].as_f64(), "{written}");
        }
        assert_eq!(written["x-more"].to_string(), schema["x-more"].to_string());
    }
}

//! A list → one text with a separator between its values.

use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::error::{FormatError, short};
use crate::format::{Format, WriteFuture, written};
use crate::{FormatContext, schema};

/// Values with spaces between.
pub(crate) const SPACE_LIST: SeparatedList =
    SeparatedList { name: "space-list", summary: "A list → its values with spaces between.", separator: ' ' };

/// Values with commas between.
pub(crate) const COMMA_LIST: SeparatedList =
    SeparatedList { name: "comma-list", summary: "A list → its values with commas between.", separator: ',' };

pub(crate) struct SeparatedList {
    name: &'static str,
    summary: &'static str,
    separator: char,
}

impl Format for SeparatedList {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn splits_at(&self, _: &Formatted, separator: char) -> bool {
        // What a vendor joins with spaces are names, which have neither.
        separator == ',' || separator == self.separator
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) != "string" {
            return Err("a text");
        }
        let kept = schema::kept(schema, &["description", "minItems", "maxItems"]);
        schema.clear();
        schema.insert("type".to_owned(), json!("array"));
        schema.insert("items".to_owned(), json!({"type": "string"}));
        schema.extend(kept);
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!([]), json!(["name"]), json!(["name", "-created"])]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        _: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(joined(&value, self.separator))
    }
}

fn joined(value: &Value, separator: char) -> Result<Value, FormatError> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let name = if separator == ' ' { "a space" } else { "a comma" };
    let mut texts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let text = item.as_str().map_or_else(|| item.to_string(), |text| text.trim().to_owned());
        if text.is_empty() || text.contains(separator) {
            let expected = format!("a value without {name}, which separates the values of the list");
            return Err(FormatError::new(expected, short(&text)).at(format!("[{index}]")));
        }
        texts.push(text);
    }
    Ok(Value::from(texts.join(&separator.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_the_separator_inside_are_refused() {
        assert_eq!(joined(&json!(["os", "-name"]), ' '), Ok(json!("os -name")));
        assert_eq!(joined(&json!(["a b", "c"]), ','), Ok(json!("a b,c")));
        assert_eq!(joined(&json!([]), ','), Ok(json!("")));
        assert_eq!(joined(&json!(["a", "b c"]), ' ').unwrap_err().at, "[1]");
        assert!(joined(&json!(["a,b"]), ',').is_err());
    }
}

//! A list → one text with a separator between its values.

use serde_json::Value;

use super::{FormatError, short};

pub(super) fn write(value: &Value, separator: char) -> Result<Value, FormatError> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let name = if separator == ' ' { "a space" } else { "a comma" };
    let mut texts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let text = item.as_str().map_or_else(|| item.to_string(), |text| text.trim().to_owned());
        if text.is_empty() || text.contains(separator) {
            let expected = format!("a value without {name}, which parts the values of the list");
            return Err(FormatError::new(expected, short(&text)).at(format!("[{index}]")));
        }
        texts.push(text);
    }
    Ok(Value::from(texts.join(&separator.to_string())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_joined_where_they_come_apart_again() {
        assert_eq!(write(&json!(["os", "-name"]), ' '), Ok(json!("os -name")));
        assert_eq!(write(&json!(["a b", "c"]), ','), Ok(json!("a b,c")));
        assert_eq!(write(&json!([]), ','), Ok(json!("")));
        assert_eq!(write(&json!(["a", "b c"]), ' ').unwrap_err().at, "[1]");
        assert!(write(&json!(["a,b"]), ',').is_err());
    }
}

//! Conditions `{field, operator, value}` → JumpCloud's filters: `field:$eq:value` in version 1 of
//! its interface, `field:eq:value` in version 2. All conditions of a list hold.

use serde_json::{Map, Value};

use super::{FormatError, listed, nearest, short};
use toolwright_model::{Format, Formatted};

pub(super) fn write(value: &Value, formatted: &Formatted) -> Result<Value, FormatError> {
    let conditions = match value {
        Value::Array(conditions) => conditions.as_slice(),
        one => std::slice::from_ref(one),
    };
    let written = conditions.iter().enumerate().map(|(index, condition)| {
        let written = match condition {
            Value::Object(condition) => one(condition, formatted),
            other => Err(FormatError::new("an object with `field`, `operator`, `value`", short(&other.to_string()))),
        };
        written.map(Value::from).map_err(|complaint| super::prefixed(complaint, &format!("[{index}]")))
    });
    written.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn one(condition: &Map<String, Value>, formatted: &Formatted) -> Result<String, FormatError> {
    let text = |name: &str| match condition.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) if !other.is_null() => other.to_string(),
        _ => String::new(),
    };
    let (field, given, value) = (text("field"), text("operator"), text("value"));
    let fields = || formatted.fields.iter().map(String::as_str);
    let unlisted = !formatted.fields.is_empty() && !formatted.fields.contains(&field);
    // The first two colons part a filter.
    let impossible = field.is_empty() || field.contains(|c: char| ":,".contains(c) || c.is_whitespace());
    if unlisted || impossible {
        let expected = if formatted.fields.is_empty() {
            "the name of a field, without `:`, `,` and spaces".to_owned()
        } else {
            format!("one of {}", listed(fields()))
        };
        let suggestion = nearest(&field, fields(), 1).first().map(|&near| near.to_owned());
        return Err(FormatError { suggestion, ..FormatError::new(expected, short(&field)).at(".field") });
    }
    let operators = formatted.operators();
    let Some(operator) = operator(&given, &operators) else {
        let expected = format!("one of {}", listed(operators));
        return Err(FormatError::new(expected, short(&given)).at(".operator"));
    };
    if value.chars().any(char::is_control) {
        return Err(FormatError::new("a value in one line", short(&value)).at(".value"));
    }
    match formatted.format {
        Format::JumpcloudFilterV1 => Ok(format!("{field}:${operator}:{value}")),
        // Version 2 takes its filters as one text with commas between, and knows no way around.
        _ if value.contains(',') => {
            let expected = "a value without a comma, which parts one filter from the next; `*` stands for any text";
            Err(FormatError::new(expected, short(&value)).at(".value"))
        }
        _ => Ok(format!("{field}:{operator}:{value}")),
    }
}

/// The operator that is meant: as it is, or in the spelling of the other version or of programs.
fn operator<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = given.trim().trim_start_matches('$').to_ascii_lowercase();
    let spellings: &[&str] = match plain.as_str() {
        "=" | "==" => &["eq"],
        "!=" | "<>" => &["ne"],
        ">" => &["gt"],
        "<" => &["lt"],
        ">=" | "ge" | "gte" => &["gte", "ge"],
        "<=" | "le" | "lte" => &["lte", "le"],
        other => return known.iter().find(|known| **known == other).copied(),
    };
    known.iter().find(|known| spellings.contains(known)).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(format: Format, fields: &[&str], given: &Value) -> Result<Value, FormatError> {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        write(given, &Formatted { fields, ..Formatted::whole(format) })
    }

    #[test]
    fn each_version_has_its_own_spelling() {
        let given = json!([
            {"field": "os", "operator": "eq", "value": "Mac OS X"},
            {"field": "lastContact", "operator": ">=", "value": "2026-11-20T09:30:00Z"},
            {"field": "cores", "operator": "$lt", "value": 4},
        ]);
        assert_eq!(
            written(Format::JumpcloudFilterV1, &[], &given),
            Ok(json!(["os:$eq:Mac OS X", "lastContact:$gte:2026-11-20T09:30:00Z", "cores:$lt:4"]))
        );
        assert_eq!(
            written(Format::JumpcloudFilterV2, &[], &given),
            Ok(json!(["os:eq:Mac OS X", "lastContact:ge:2026-11-20T09:30:00Z", "cores:lt:4"]))
        );
        let comma = json!([{"field": "name", "operator": "eq", "value": "a, b"}]);
        assert_eq!(written(Format::JumpcloudFilterV1, &[], &comma), Ok(json!(["name:$eq:a, b"])));
        let refused = written(Format::JumpcloudFilterV2, &[], &comma).unwrap_err();
        assert_eq!(refused.at, "[0].value");
        assert_eq!(written(Format::JumpcloudFilterV2, &[], &json!([])), Ok(json!([])));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_is_right() {
        let fields = ["os", "hostname"];
        for (given, at, expected) in [
            (json!({"field": "Hostname", "operator": "eq", "value": "x"}), "[0].field", "one of `os`, `hostname`"),
            (
                json!({"field": "os", "operator": "contains", "value": "x"}),
                "[0].operator",
                "one of `eq`, `ne`, `gt`, `gte`, `lt`, `lte`",
            ),
            (json!({"field": "os", "operator": "eq", "value": "a\nb"}), "[0].value", "a value in one line"),
            (json!("os:$eq:x"), "[0]", "an object with `field`, `operator`, `value`"),
        ] {
            let complaint = written(Format::JumpcloudFilterV1, &fields, &json!([given])).unwrap_err();
            assert_eq!((complaint.at.as_str(), complaint.expected.as_str()), (at, expected));
        }
        let near =
            written(Format::JumpcloudFilterV1, &fields, &json!([{"field": "hostnam", "operator": "eq", "value": "x"}]));
        assert_eq!(near.unwrap_err().suggestion.as_deref(), Some("hostname"));
        for field in ["a:b", "a,b", "a b", ""] {
            let given = json!([{"field": field, "operator": "eq", "value": "x"}]);
            assert!(written(Format::JumpcloudFilterV1, &[], &given).is_err(), "{field}");
        }
    }
}

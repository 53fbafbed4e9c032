//! Conditions `{field, operator, value}` → JumpCloud's filters: `field:$eq:value` in version 1 of
//! its interface, `field:eq:value` in version 2. All conditions of a list hold.

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, suggest_one};

use crate::error::{FormatError, listed, short};
use crate::format::{Format, WriteFuture, written};
use crate::{FormatContext, schema};

/// Filters of version 1 of JumpCloud's interface.
pub(crate) const FILTER_V1: JumpcloudFilter = JumpcloudFilter {
    name: "jumpcloud-filter-v1",
    summary: "A list of conditions → JumpCloud's filters of version 1.",
    operators: &["eq", "ne", "gt", "gte", "lt", "lte"],
    operator_sign: "$",
    takes_commas: true,
};

/// Filters of version 2, which it takes as one text with commas between.
pub(crate) const FILTER_V2: JumpcloudFilter = JumpcloudFilter {
    name: "jumpcloud-filter-v2",
    summary: "A list of conditions → JumpCloud's filters of version 2.",
    operators: &["eq", "ne", "gt", "ge", "lt", "le", "between", "search", "in"],
    operator_sign: "",
    takes_commas: false,
};

/// The most fields that the schema of a condition names.
const MAX_NAMED_FIELDS: usize = 6;

pub(crate) struct JumpcloudFilter {
    name: &'static str,
    summary: &'static str,
    operators: &'static [&'static str],
    /// The sign before an operator.
    operator_sign: &'static str,
    takes_commas: bool,
}

impl Format for JumpcloudFilter {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn operators(&self) -> &'static [&'static str] {
        self.operators
    }

    fn argument_schema(&self, formatted: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) != "array" {
            return Err("a list");
        }
        let bounds = schema::kept(schema, &["minItems", "maxItems"]);
        schema::replace(schema, "array", (" ", "Conditions, all of which hold."), &[]);
        schema.insert("items".to_owned(), self.condition_schema(formatted));
        schema.extend(bounds);
        Ok(())
    }

    fn samples(&self, formatted: &Formatted, _: &str) -> Vec<Value> {
        let field = formatted.fields.first().map_or("name", String::as_str);
        let condition = |operator: &&str| json!([{"field": field, "operator": operator, "value": "a b:c"}]);
        self.offered_operators(formatted).iter().map(condition).collect()
    }

    fn open_parts(&self) -> &'static [&'static str] {
        &["operator"]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        _: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(self.filters(&value, formatted))
    }
}

impl JumpcloudFilter {
    /// The schema of one condition. It names a few fields as examples: a list of all of them in
    /// each tool would cost every model more than the answer to a wrong one.
    fn condition_schema(&self, formatted: &Formatted) -> Value {
        let mut field = json!({"type": "string"});
        if !formatted.fields.is_empty() {
            let named: Vec<&str> = formatted.fields.iter().take(MAX_NAMED_FIELDS).map(String::as_str).collect();
            let more = if formatted.fields.len() > MAX_NAMED_FIELDS { ", …" } else { "" };
            field["description"] = json!(format!("{}{more}", named.join(", ")));
        }
        let operators = self.offered_operators(formatted);
        let mut value = json!({"type": "string"});
        if operators.contains(&"in") {
            value["description"] = json!("For `in`: values with | between");
        }
        json!({
            "type": "object",
            "properties": {"field": field, "operator": {"type": "string", "enum": operators}, "value": value},
            "required": ["field", "operator", "value"],
            "additionalProperties": false,
        })
    }

    /// The operators that the overlay leaves of the format's own.
    fn offered_operators<'a>(&self, formatted: &'a Formatted) -> Vec<&'a str> {
        if formatted.operators.is_empty() {
            self.operators.to_vec()
        } else {
            formatted.operators.iter().map(String::as_str).collect()
        }
    }

    fn filters(&self, value: &Value, formatted: &Formatted) -> Result<Value, FormatError> {
        let conditions = match value {
            Value::Array(conditions) => conditions.as_slice(),
            one => std::slice::from_ref(one),
        };
        let filters = conditions.iter().enumerate().map(|(index, condition)| {
            let filter = match condition {
                Value::Object(condition) => self.filter(condition, formatted),
                other => {
                    Err(FormatError::new("an object with `field`, `operator`, `value`", short(&other.to_string())))
                }
            };
            filter.map(Value::from).map_err(|error| error.below(&format!("[{index}]")))
        });
        filters.collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    fn filter(&self, condition: &Map<String, Value>, formatted: &Formatted) -> Result<String, FormatError> {
        let text = |name: &str| match condition.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) if !other.is_null() => other.to_string(),
            _ => String::new(),
        };
        let (field, given, value) = (text("field"), text("operator"), text("value"));
        check_field(&field, formatted)?;
        let operators = self.offered_operators(formatted);
        let Some(operator) = operator(&given, &operators) else {
            let expected = format!("one of {}", listed(operators));
            return Err(FormatError::new(expected, short(&given)).at(".operator"));
        };
        if value.chars().any(char::is_control) {
            return Err(FormatError::new("a value in one line", short(&value)).at(".value"));
        }
        // A comma separates one filter from the next and can't be escaped.
        if !self.takes_commas && value.contains(',') {
            let expected = "a value without a comma, which separates filters; `*` stands for any text";
            return Err(FormatError::new(expected, short(&value)).at(".value"));
        }
        Ok(format!("{field}:{}{operator}:{value}", self.operator_sign))
    }
}

fn check_field(field: &str, formatted: &Formatted) -> Result<(), FormatError> {
    let fields = || formatted.fields.iter().map(String::as_str);
    let unlisted = !formatted.fields.is_empty() && fields().all(|known| known != field);
    // The first two colons of a filter separate its three parts.
    let impossible = field.is_empty() || field.contains(|c: char| ":,".contains(c) || c.is_whitespace());
    if !unlisted && !impossible {
        return Ok(());
    }
    let expected = if formatted.fields.is_empty() {
        "the name of a field, without `:`, `,` and spaces".to_owned()
    } else {
        format!("one of {}", listed(fields()))
    };
    let suggestion = suggest_one(field, fields()).map(str::to_owned);
    Err(FormatError { suggestion, ..FormatError::new(expected, short(field)).at(".field") })
}

/// Returns the operator that is meant: one of `known`, or another spelling of it, such as that of the
/// other version or of programming languages.
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
    use super::*;

    fn filters(format: &JumpcloudFilter, fields: &[&str], given: &Value) -> Result<Value, FormatError> {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        format.filters(given, &Formatted { fields, ..Formatted::whole(format.name()) })
    }

    #[test]
    fn each_version_has_its_own_spelling() {
        let given = json!([
            {"field": "os", "operator": "eq", "value": "Mac OS X"},
            {"field": "lastContact", "operator": ">=", "value": "2026-11-20T09:30:00Z"},
            {"field": "cores", "operator": "$lt", "value": 4},
        ]);
        assert_eq!(
            filters(&FILTER_V1, &[], &given),
            Ok(json!(["os:$eq:Mac OS X", "lastContact:$gte:2026-11-20T09:30:00Z", "cores:$lt:4"]))
        );
        assert_eq!(
            filters(&FILTER_V2, &[], &given),
            Ok(json!(["os:eq:Mac OS X", "lastContact:ge:2026-11-20T09:30:00Z", "cores:lt:4"]))
        );
        let comma = json!([{"field": "name", "operator": "eq", "value": "a, b"}]);
        assert_eq!(filters(&FILTER_V1, &[], &comma), Ok(json!(["name:$eq:a, b"])));
        let refused = filters(&FILTER_V2, &[], &comma).unwrap_err();
        assert_eq!(refused.at, "[0].value");
        assert_eq!(filters(&FILTER_V2, &[], &json!([])), Ok(json!([])));
    }

    #[test]
    fn a_wrong_condition_is_refused_with_the_right_ones() {
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
            let error = filters(&FILTER_V1, &fields, &json!([given])).unwrap_err();
            assert_eq!((error.at.as_str(), error.expected.as_str()), (at, expected));
        }
        let near = filters(&FILTER_V1, &fields, &json!([{"field": "hostnam", "operator": "eq", "value": "x"}]));
        assert_eq!(near.unwrap_err().suggestion.as_deref(), Some("hostname"));
        for field in ["a:b", "a,b", "a b", ""] {
            let given = json!([{"field": field, "operator": "eq", "value": "x"}]);
            assert!(filters(&FILTER_V1, &[], &given).is_err(), "{field}");
        }
    }
}

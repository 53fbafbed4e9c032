//! Arguments of a tool → its input schema: the vendor's, then toolwright's own.

use serde_json::{Map, Value, json};

use toolwright_formats::FormatRef;
use toolwright_model::{ALL, CURSOR, DETAIL, DRY_RUN, Effect, FIELDS, FULL, JQ, RAW};

/// One argument of a tool, in the order in which a model sees it.
#[derive(Debug, Clone)]
pub struct Argument {
    pub name: String,
    pub required: bool,
    /// Portable already.
    pub schema: Map<String, Value>,
}

/// Returns the input schema of a tool with these arguments.
pub fn input_schema(arguments: &[Argument]) -> Value {
    let properties: Map<String, Value> =
        arguments.iter().map(|a| (a.name.clone(), Value::Object(a.schema.clone()))).collect();
    let required: Vec<&str> = arguments.iter().filter(|a| a.required).map(|a| a.name.as_str()).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(schema)
}

/// Adds the arguments that toolwright itself has, after the vendor's. Every tool pays for their
/// descriptions: they stay within 30 characters.
pub fn add_own_arguments(
    effect: Option<Effect>,
    concise: bool,
    written_back: bool,
    pages: bool,
    answers: Option<FormatRef>,
    arguments: &mut Vec<Argument>,
) {
    let mut own = Vec::new();
    if effect == Some(Effect::Read) {
        if concise || written_back {
            let values = if concise { vec!["concise", FULL, RAW] } else { vec![FULL, RAW] };
            own.push((DETAIL, json!({"type": "string", "description": "How much of each record", "enum": values, "default": values[0]})));
        }
        let names = json!({"type": "string"});
        own.push((FIELDS, json!({"type": "array", "description": "Only these fields of records", "items": names})));
        own.push((JQ, json!({"type": "string", "description": "jq on the answer as shown"})));
        own.push((CURSOR, json!({"type": "string", "description": "next_cursor of the last answer"})));
        if pages {
            own.push((ALL, json!({"type": "boolean", "description": "Every page, up to 1,000 records"})));
        }
    } else {
        own.push((DRY_RUN, json!({"type": "boolean", "description": "Show the request, send nothing"})));
    }
    if let Some((format, description)) = answers.and_then(|format| Some((format, format.raw_switch()?))) {
        own.push((format.name(), json!({"type": "boolean", "description": description})));
    }
    for (name, schema) in own {
        // A vendor that selects fields itself does so better.
        if let Value::Object(schema) = schema
            && arguments.iter().all(|argument| argument.name != name)
        {
            arguments.push(Argument { name: name.to_owned(), required: false, schema });
        }
    }
}

//! Arguments of a tool → its input schema: the vendor's, then toolwright's own; and what a file is
//! as an argument.

use serde_json::{Map, Value, json};

use toolwright_model::{ADF, ALL, CURSOR, DETAIL, DRY_RUN, Effect, FIELDS, FULL, Format, JQ, LARGEST_FILE_MB};

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
    pages: bool,
    answers: Option<Format>,
    arguments: &mut Vec<Argument>,
) {
    let mut own = Vec::new();
    if effect == Some(Effect::Read) {
        if concise {
            own.push((DETAIL, json!({"type": "string", "description": "How much of each record", "enum": ["concise", FULL], "default": "concise"})));
        }
        let names = json!({"type": "string"});
        own.push((FIELDS, json!({"type": "array", "description": "Only these fields of records", "items": names})));
        own.push((JQ, json!({"type": "string", "description": "jq filter over the answer"})));
        own.push((CURSOR, json!({"type": "string", "description": "next_cursor of the last answer"})));
        if pages {
            own.push((ALL, json!({"type": "boolean", "description": "Every page, up to 1,000 records"})));
        }
    } else {
        own.push((DRY_RUN, json!({"type": "boolean", "description": "Show the request, send nothing"})));
    }
    if answers == Some(Format::Adf) {
        own.push((ADF, json!({"type": "boolean", "description": "Rich text as raw ADF"})));
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

/// A file as an argument: its name and its bytes.
pub fn file_schema(description: Option<&Value>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("description".to_owned(), description.cloned().unwrap_or_else(|| json!("The file to send.")));
    schema.insert(
        "properties".to_owned(),
        json!({
            "filename": {"type": "string", "description": "Name with extension, such as `report.pdf`.", "minLength": 1},
            "content_base64": {"type": "string", "description": format!("The bytes in base64, at most {LARGEST_FILE_MB} MB.")},
            "content_type": {"type": "string", "description": "Media type; guessed from the name if missing."},
        }),
    );
    schema.insert("required".to_owned(), json!(["filename", "content_base64"]));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

/// Several files as one argument.
pub fn files_schema(description: Option<&Value>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("array"));
    schema.insert("description".to_owned(), description.cloned().unwrap_or_else(|| json!("The files to send.")));
    schema.insert("items".to_owned(), Value::Object(file_schema(None)));
    schema
}

//! An operation's parameters and body → what a request can carry, each with the description's
//! name and a portable schema. Called by `lower`; what of it a model sees is `tool_draft`'s.

use serde_json::{Map, Value};

use super::schema;
use super::spec::{SpecBody, SpecOperation, SpecParameter};
use crate::model::{BodyKind, Location, Place, QueryStyle, RequestBody};

/// The body that is sent, and the schema that goes with its content type.
pub(crate) struct BodyChoice<'a> {
    pub body: RequestBody,
    pub schema: &'a Value,
}

impl<'a> BodyChoice<'a> {
    /// Chooses the content type: JSON before forms before files before anything else.
    ///
    /// # Errors
    /// Why the operation can't be called.
    pub(crate) fn of(spec: &'a SpecBody) -> Result<Self, String> {
        const PREFERRED: [BodyKind; 4] = [BodyKind::Json, BodyKind::Form, BodyKind::Multipart, BodyKind::Raw];
        let (content_type, kind, schema) = spec
            .content
            .iter()
            .map(|(content_type, schema)| (content_type, kind_of(content_type), schema))
            .min_by_key(|(_, kind, _)| PREFERRED.iter().position(|preferred| preferred == kind))
            .ok_or("its request body has no content type")?;
        let fields = if kind == BodyKind::Form { form_fields(spec, content_type, schema) } else { Vec::new() };
        let content_type = if content_type.contains('*') { "application/json" } else { content_type };
        let files = match (kind, schema::flatten(schema).get("properties").and_then(Value::as_object)) {
            (BodyKind::Multipart, Some(properties)) => {
                properties.iter().filter(|(_, schema)| is_file(schema)).map(|(name, _)| name.clone()).collect()
            }
            (BodyKind::Multipart, None) => return Err("its multipart body does not name its parts".to_owned()),
            _ => Vec::new(),
        };
        let body = RequestBody { kind, content_type: content_type.to_owned(), required: spec.required, files, fields };
        Ok(Self { body, schema })
    }
}

fn kind_of(content_type: &str) -> BodyKind {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    match essence.as_str() {
        "application/json" | "*/*" | "application/*" => BodyKind::Json,
        other if other.ends_with("+json") => BodyKind::Json,
        "application/x-www-form-urlencoded" => BodyKind::Form,
        "multipart/form-data" => BodyKind::Multipart,
        _ => BodyKind::Raw,
    }
}

/// The lists of a form, and what the description says of how a property is written.
fn form_fields(spec: &SpecBody, content_type: &str, schema: &Value) -> Vec<(String, QueryStyle)> {
    let portable = schema::portable(schema);
    let mut fields = Vec::new();
    for (name, property) in portable.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let stated = spec.styles.iter().find(|(of, property, _)| of == content_type && property == name);
        let style = stated.map(|(.., style)| *style);
        match (property.get("type").and_then(Value::as_str), style) {
            (Some("array"), style) => fields.push((name.clone(), style.unwrap_or(QueryStyle::Repeated))),
            (Some("object"), Some(style @ (QueryStyle::DeepObject | QueryStyle::Joined(_)))) => {
                fields.push((name.clone(), style));
            }
            // An object travels as JSON text unless the description says otherwise.
            _ => {}
        }
    }
    fields
}

/// A parameter's type. One that says nothing of it is a text: that is how it travels.
pub(crate) fn parameter_schema(spec: &SpecParameter) -> Map<String, Value> {
    let mut schema = schema::portable(&spec.schema);
    let open = schema.get("type").and_then(Value::as_str) == Some("object")
        && !schema.contains_key("properties")
        && schema::flatten(&spec.schema).get("type").is_none()
        && spec.schema.get("additionalProperties").is_none();
    if open && !matches!(spec.style, QueryStyle::DeepObject | QueryStyle::Json) {
        schema.insert("type".to_owned(), Value::from("string"));
        schema.shift_remove("additionalProperties");
    }
    schema
}

fn is_file(schema: &Value) -> bool {
    let binary = |schema: &Value| schema.get("format").and_then(Value::as_str) == Some("binary");
    binary(schema) || schema.get("items").is_some_and(binary)
}

/// Something that a request can carry, by the description's name.
pub(crate) struct Input {
    pub key: String,
    pub place: Place,
    pub required: bool,
    pub schema: Map<String, Value>,
}

/// What a request of this operation can carry, in the description's order.
pub(crate) fn inputs(spec: &SpecOperation, choice: Option<&BodyChoice<'_>>) -> Vec<Input> {
    let mut inputs: Vec<Input> = spec.parameters.iter().map(parameter_input).collect();
    let (Some(spec_body), Some(BodyChoice { body, schema })) = (&spec.body, choice) else { return inputs };
    let whole = schema::portable(schema);
    let properties = whole.get("properties").and_then(Value::as_object);
    let clash = properties
        .is_some_and(|properties| properties.keys().any(|name| spec.parameters.iter().any(|p| p.name == *name)));
    match properties {
        Some(properties) if !clash && body.kind != BodyKind::Raw => {
            let flat = schema::flatten(schema);
            let raw = flat.get("properties");
            let required = whole.get("required").and_then(Value::as_array);
            for (name, property) in properties {
                let is_file = body.files.contains(name);
                let raw_property = raw.and_then(|raw| raw.get(name));
                let schema = match (is_file, property) {
                    (true, property) if property.get("type").and_then(Value::as_str) == Some("array") => {
                        schema::files_schema(property.get("description"))
                    }
                    (true, property) => schema::file_schema(property.get("description")),
                    (false, Value::Object(property)) => with_example(property.clone(), raw_property),
                    (false, _) => Map::new(),
                };
                inputs.push(Input {
                    key: name.clone(),
                    place: Place::Property(name.clone()),
                    required: body.required && required.is_some_and(|r| r.iter().any(|n| n == name)),
                    schema,
                });
            }
            if let Some(further @ (Value::Object(_) | Value::Bool(true))) = whole.get("additionalProperties") {
                let mut schema = Map::new();
                schema.insert("type".to_owned(), "object".into());
                schema.insert("description".to_owned(), "Further fields by name.".into());
                schema.insert("additionalProperties".to_owned(), further.clone());
                inputs.push(Input { key: "*".to_owned(), place: Place::Properties, required: false, schema });
            }
        }
        _ => {
            let mut schema = whole;
            if let Some(text) = &spec_body.description {
                schema.insert("description".to_owned(), Value::from(text.as_str()));
            }
            inputs.push(Input { key: "body".to_owned(), place: Place::Body, required: spec_body.required, schema });
        }
    }
    inputs
}

fn parameter_input(spec: &SpecParameter) -> Input {
    let mut schema = parameter_schema(spec);
    if let Some(text) = &spec.description {
        schema.insert("description".to_owned(), Value::from(text.as_str()));
    }
    let example = spec.example.as_ref().map(|example| serde_json::json!({"example": example}));
    let schema = with_example(schema, example.as_ref().or(Some(&spec.schema)));
    let place = match spec.location {
        Location::Path => Place::Path(spec.name.clone()),
        Location::Query => Place::Query(spec.name.clone()),
        Location::Header => Place::Header(spec.name.clone()),
    };
    Input { key: spec.name.clone(), place, required: spec.required, schema }
}

/// A text of no stated form is best explained by an example.
fn with_example(mut schema: Map<String, Value>, raw: Option<&Value>) -> Map<String, Value> {
    const LONGEST_EXAMPLE: usize = 40;
    let plain_text = schema.get("type").and_then(Value::as_str) == Some("string")
        && !schema.contains_key("enum")
        && !schema.contains_key("format");
    let example = raw.and_then(|raw| raw.get("example")).and_then(Value::as_str);
    if let (true, Some(example)) = (plain_text, example.filter(|e| e.chars().count() <= LONGEST_EXAMPLE)) {
        let text = schema.get("description").and_then(Value::as_str).unwrap_or_default().trim_end_matches('.');
        if !text.contains(example) {
            let joint = if text.is_empty() { "" } else { ", " };
            let text = format!("{text}{joint}e.g. `{example}`");
            schema.insert("description".to_owned(), Value::from(text));
        }
    }
    schema
}

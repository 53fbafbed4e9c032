//! An operation's parameters and body → what a request can carry, each with the description's
//! name and a portable schema. Called by `lower`; what of it a model sees is `tool_draft`'s.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::lower::flatten::flatten;
use crate::lower::nulls::nullable_paths;
use crate::lower::portable::portable;
use crate::lower::resolved::{ResolvedProperty, ResolvedSchema, SchemaType};
use crate::lower::spec_operation::{SpecBody, SpecContent, SpecOperation, SpecParameter};
use toolwright_formats::{file_schema, files_schema};
use toolwright_model::{BodyKind, Location, Place, QueryStyle, RequestBody, media_type};

/// The body that is sent, and the schema that goes with its content type.
pub struct BodyChoice<'a> {
    pub body: RequestBody,
    pub schema: &'a ResolvedSchema,
}

impl<'a> BodyChoice<'a> {
    /// Chooses the content type: JSON before forms before files before anything else.
    ///
    /// # Errors
    /// Why the operation can't be called.
    pub fn of(spec: &'a SpecBody) -> Result<Self, String> {
        const PREFERRED: [BodyKind; 5] =
            [BodyKind::Json, BodyKind::Form, BodyKind::Multipart, BodyKind::Raw, BodyKind::File];
        let (content, kind) = spec
            .content
            .iter()
            .map(|content| (content, kind_of(&content.content_type, &content.schema)))
            .min_by_key(|(_, kind)| PREFERRED.iter().position(|preferred| preferred == kind))
            .ok_or("its request body has no content type")?;
        let mut fields = match kind {
            BodyKind::Form | BodyKind::Multipart => form_fields(content),
            BodyKind::Json | BodyKind::Raw | BodyKind::File => Vec::new(),
        };
        // Of the parts of a body, all others are one part for each value.
        fields.retain(|(_, style)| kind == BodyKind::Form || *style == QueryStyle::Json);
        let any = kind == BodyKind::Json && content.content_type.contains('*');
        let content_type = if any { "application/json" } else { &content.content_type };
        let files = if kind == BodyKind::Multipart { files(&content.schema)? } else { Vec::new() };
        let body = RequestBody { kind, content_type: content_type.to_owned(), required: spec.required, files, fields };
        Ok(Self { body, schema: &content.schema })
    }
}

/// The parts of a multipart body that are files.
fn files(schema: &ResolvedSchema) -> Result<Vec<String>, String> {
    let parts = flatten(schema).properties;
    if parts.is_empty() {
        return Err("its multipart body does not name its parts".to_owned());
    }
    Ok(parts.into_iter().filter(|part| is_file(&part.schema)).map(|part| part.name).collect())
}

fn kind_of(content_type: &str, schema: &ResolvedSchema) -> BodyKind {
    const BYTES: [&str; 4] = ["application/gzip", "application/octet-stream", "application/pdf", "application/zip"];
    let essence = media_type::essence(content_type);
    let media = ["image/", "audio/", "video/"].iter().any(|group| essence.starts_with(group));
    match essence.as_str() {
        "application/json" => BodyKind::Json,
        other if other.ends_with("+json") => BodyKind::Json,
        "*/*" | "application/*" if !is_file(schema) => BodyKind::Json,
        "application/x-www-form-urlencoded" => BodyKind::Form,
        "multipart/form-data" => BodyKind::Multipart,
        // Text can't carry a picture.
        other if is_file(schema) || media && !other.ends_with("+xml") || BYTES.contains(&other) => BodyKind::File,
        _ => BodyKind::Raw,
    }
}

/// The lists of a form, and what the description states of how a property is written.
fn form_fields(content: &SpecContent) -> Vec<(String, QueryStyle)> {
    let portable = portable(&content.schema);
    let mut fields = Vec::new();
    for (name, property) in portable.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let stated = content.styles.iter().find(|field| field.property == *name).map(|field| field.style);
        match (property.get("type").and_then(Value::as_str), stated) {
            (Some("array"), style) => fields.push((name.clone(), style.unwrap_or(QueryStyle::Repeated))),
            (Some("object"), Some(style @ (QueryStyle::DeepObject | QueryStyle::Joined(_)))) => {
                fields.push((name.clone(), style));
            }
            // An object travels as JSON text unless the description states another style.
            _ => {}
        }
    }
    fields
}

/// A parameter's type. One that states none is a text: that is how it travels.
pub fn parameter_schema(spec: &SpecParameter) -> Map<String, Value> {
    let mut schema = portable(&spec.schema);
    let open = schema.get("type").and_then(Value::as_str) == Some("object")
        && !schema.contains_key("properties")
        && flatten(&spec.schema).kind.is_none()
        && spec.schema.further.is_none();
    if open && !matches!(spec.style, QueryStyle::DeepObject | QueryStyle::Json) {
        schema.insert("type".to_owned(), Value::from("string"));
        schema.shift_remove("additionalProperties");
    }
    schema
}

fn is_file(schema: &ResolvedSchema) -> bool {
    let binary = |schema: &ResolvedSchema| schema.format.as_deref() == Some("binary");
    binary(schema) || schema.items.as_deref().is_some_and(binary)
}

/// Something that a request can carry.
pub struct Input {
    /// How the overlay calls it: the description's name, or with its place before it
    /// (`query:id`) where several things have that name.
    pub key: String,
    /// What it is offered as, unless the overlay renames it.
    pub name: String,
    pub place: Place,
    pub required: bool,
    pub schema: Map<String, Value>,
    /// Whether it is a part of a form that is a file.
    pub is_file: bool,
    /// Dotted paths of the parts that the description declares nullable.
    pub nullable: Vec<String>,
    /// Whether it travels as JSON, which can say `null`.
    pub is_json: bool,
    /// What separates the values of a list in the request, where it is one text there.
    pub separator: Option<char>,
}

/// What a request of this operation can carry, in the description's order.
pub fn inputs(spec: &SpecOperation, choice: Option<&BodyChoice<'_>>) -> Vec<Input> {
    let mut inputs = plain_inputs(spec, choice);
    let mut shared: BTreeMap<String, usize> = BTreeMap::new();
    for input in &inputs {
        *shared.entry(input.key.clone()).or_default() += 1;
    }
    for input in inputs.iter_mut().filter(|input| shared.get(&input.key).is_some_and(|count| *count > 1)) {
        let place = match input.place {
            Place::Path(_) => "path",
            Place::Query(_) => "query",
            Place::Header(_) => "header",
            _ => "body",
        };
        input.name = format!("{}_in_{place}", input.key);
        input.key = format!("{place}:{}", input.key);
    }
    inputs
}

fn plain_inputs(spec: &SpecOperation, choice: Option<&BodyChoice<'_>>) -> Vec<Input> {
    let mut inputs: Vec<Input> = spec.parameters.iter().map(parameter_input).collect();
    let (Some(spec_body), Some(choice)) = (&spec.body, choice) else { return inputs };
    let whole = portable(choice.schema);
    let properties = whole.get("properties").and_then(Value::as_object);
    // `*` is how the overlay calls further properties.
    let clash = properties.is_some_and(|properties| {
        properties.keys().any(|name| name == "*" || spec.parameters.iter().any(|p| p.name == *name))
    });
    match properties {
        Some(properties) if !clash && !matches!(choice.body.kind, BodyKind::Raw | BodyKind::File) => {
            property_inputs(choice, &whole, properties, &mut inputs);
        }
        _ => inputs.push(body_input(spec_body, choice, whole)),
    }
    inputs
}

/// Each property of a body as an input of its own, and one for further properties.
fn property_inputs(
    choice: &BodyChoice<'_>,
    whole: &Map<String, Value>,
    properties: &Map<String, Value>,
    inputs: &mut Vec<Input>,
) {
    let flat = flatten(choice.schema);
    let described = &flat.properties;
    let is_json = choice.body.kind == BodyKind::Json;
    let required = whole.get("required").and_then(Value::as_array);
    for (name, property) in properties {
        let is_file = choice.body.files.contains(name);
        let described = described.iter().find(|described| described.name == *name);
        inputs.push(Input {
            key: name.clone(),
            name: name.clone(),
            place: Place::Property(name.clone()),
            // Also where the body may be left out: most descriptions only forget to demand it, and
            // no vendor takes half a body.
            required: required.is_some_and(|r| r.iter().any(|n| n == name)),
            schema: property_schema(property, is_file, described),
            is_file,
            nullable: described.map(|described| nullable_paths(&described.schema)).unwrap_or_default(),
            is_json,
            separator: choice
                .body
                .fields
                .iter()
                .find(|(field, _)| field == name)
                .and_then(|(_, style)| separator(*style)),
        });
    }
    if let Some(further @ (Value::Object(_) | Value::Bool(true))) = whole.get("additionalProperties") {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("description".to_owned(), "Further fields by name.".into());
        schema.insert("additionalProperties".to_owned(), further.clone());
        inputs.push(Input {
            key: "*".to_owned(),
            name: further_name(inputs).to_owned(),
            place: Place::Properties,
            required: false,
            schema,
            is_file: false,
            nullable: nullable_entries(&flat),
            is_json,
            separator: None,
        });
    }
}

/// The paths of the nullable parts below the further properties.
fn nullable_entries(flat: &ResolvedSchema) -> Vec<String> {
    let entries =
        ResolvedSchema { kind: Some(SchemaType::Object), further: flat.further.clone(), ..ResolvedSchema::default() };
    nullable_paths(&entries)
}

fn separator(style: QueryStyle) -> Option<char> {
    match style {
        QueryStyle::Joined(separator) => Some(separator),
        QueryStyle::Repeated | QueryStyle::DeepObject | QueryStyle::Json => None,
    }
}

fn property_schema(property: &Value, is_file: bool, described: Option<&ResolvedProperty>) -> Map<String, Value> {
    let description = property.get("description");
    match (is_file, property) {
        (true, property) if property.get("type").and_then(Value::as_str) == Some("array") => {
            never_empty(files_schema(description))
        }
        (true, _) => file_schema(description),
        (false, Value::Object(property)) => {
            with_example(property.clone(), described.and_then(|described| described.schema.example.as_ref()))
        }
        (false, _) => Map::new(),
    }
}

/// The whole body as one input.
fn body_input(spec: &SpecBody, choice: &BodyChoice<'_>, whole: Map<String, Value>) -> Input {
    let body = &choice.body;
    let mut schema = match body.kind {
        BodyKind::File => file_schema(whole.get("description")),
        BodyKind::Raw => text_schema(whole, &body.content_type),
        BodyKind::Json | BodyKind::Form | BodyKind::Multipart => whole,
    };
    if let Some(text) = &spec.description {
        schema.insert("description".to_owned(), Value::from(text.as_str()));
    }
    Input {
        name: "body".to_owned(),
        key: "body".to_owned(),
        place: Place::Body,
        required: spec.required,
        schema,
        is_file: body.kind == BodyKind::File,
        nullable: nullable_paths(choice.schema),
        is_json: body.kind == BodyKind::Json,
        separator: None,
    }
}

/// What is neither JSON nor a form is written by the caller, as text.
fn text_schema(schema: Map<String, Value>, content_type: &str) -> Map<String, Value> {
    if schema.get("type").and_then(Value::as_str) == Some("string") {
        return schema;
    }
    let mut text = Map::new();
    text.insert("type".to_owned(), Value::from("string"));
    text.insert("description".to_owned(), Value::from(format!("Text of the type {content_type}.")));
    text
}

/// A required list outside of JSON: an empty one leaves nothing behind, and what is required would
/// be missing.
fn never_empty(mut schema: Map<String, Value>) -> Map<String, Value> {
    if schema.get("type").and_then(Value::as_str) == Some("array") {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default().max(1);
        schema.insert("minItems".to_owned(), Value::from(least));
    }
    schema
}

fn parameter_input(spec: &SpecParameter) -> Input {
    let mut schema = parameter_schema(spec);
    if let Some(text) = &spec.description {
        schema.insert("description".to_owned(), Value::from(text.as_str()));
    }
    let schema = with_example(schema, spec.example.as_ref().or(spec.schema.example.as_ref()));
    let schema = if spec.required { never_empty(schema) } else { schema };
    let place = match spec.location {
        Location::Path => Place::Path(spec.name.clone()),
        Location::Query => Place::Query(spec.name.clone()),
        Location::Header => Place::Header(spec.name.clone()),
    };
    let is_list = schema.get("type").and_then(Value::as_str) == Some("array");
    // A path and a header have one way to write a list.
    let joined = if spec.location == Location::Query { separator(spec.style) } else { Some(',') };
    Input {
        key: spec.name.clone(),
        name: spec.name.clone(),
        place,
        required: spec.required,
        schema,
        is_file: false,
        nullable: nullable_paths(&spec.schema),
        is_json: spec.style == QueryStyle::Json && spec.location == Location::Query,
        separator: joined.filter(|_| is_list),
    }
}

/// The name under which further body properties are offered.
fn further_name(inputs: &[Input]) -> &'static str {
    let free = |name: &&str| !inputs.iter().any(|input| input.key == **name);
    ["fields", "further_fields", "any_further_fields"].into_iter().find(free).unwrap_or("fields")
}

/// A text of no stated form is best explained by an example.
fn with_example(mut schema: Map<String, Value>, example: Option<&Value>) -> Map<String, Value> {
    const LONGEST_EXAMPLE: usize = 40;
    let plain_text = schema.get("type").and_then(Value::as_str) == Some("string")
        && !schema.contains_key("enum")
        && !schema.contains_key("format");
    let example = example.and_then(Value::as_str);
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

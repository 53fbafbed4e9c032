//! An operation's parameters and body → what a request can carry, each with the description's
//! name and a portable schema. Called by `lower`; what of it a model sees is `tool_draft`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::lower::flatten::{flatten, type_of};
use crate::lower::nulls::nullable_paths;
use crate::lower::portable::{demanded, portable};
use crate::lower::resolved::{FurtherProperties, ResolvedProperty, ResolvedSchema, SchemaType};
use crate::lower::spec_operation::{SpecBody, SpecContent, SpecOperation, SpecParameter};
use toolwright_formats::{file_schema, files_schema};
use toolwright_model::{
    BodyKind, Location, MAX_ARGUMENT_NAME, Place, QueryStyle, RequestBody, argument_name, is_argument_name, media_type,
};

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
            .min_by_key(|(content, kind)| {
                // Among kinds of JSON, such as a patch, the plain one.
                let is_plain = media_type::essence(&content.content_type) == "application/json";
                (PREFERRED.iter().position(|preferred| preferred == kind), !is_plain)
            })
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
        let body = RequestBody {
            kind,
            content_type: content_type.to_owned(),
            required: spec.required,
            may_be_empty: may_be_empty(&content.schema),
            files,
            fields,
        };
        Ok(Self { body, schema: &content.schema })
    }
}

/// Whether a body is an object of which no property is demanded.
fn may_be_empty(schema: &ResolvedSchema) -> bool {
    let flat = flatten(schema);
    type_of(&flat) == Some(SchemaType::Object) && demanded(&flat).is_empty()
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
    match &*essence {
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

/// The lists of a form, and what the description states of how a property is written. OpenAPI knows `deepObject` for
/// objects only: a description that states it for a list means that lists have numbers in brackets, also within objects.
fn form_fields(content: &SpecContent) -> Vec<(String, QueryStyle)> {
    let portable = portable(&content.schema);
    let stated = |name: &str| content.styles.iter().find(|field| field.property == *name).map(|field| field.style);
    let properties = || portable.get("properties").and_then(Value::as_object).into_iter().flatten();
    let kind = |property: &Value| property.get("type").and_then(Value::as_str).map(str::to_owned);
    let is_numbered = |(name, property): (&String, &Value)| {
        kind(property).as_deref() == Some("array") && stated(name) == Some(QueryStyle::DeepObject)
    };
    let deep = if properties().any(is_numbered) { QueryStyle::Brackets } else { QueryStyle::DeepObject };
    let mut fields = Vec::new();
    for (name, property) in properties() {
        match (kind(property).as_deref(), stated(name)) {
            (Some("array" | "object") | None, Some(QueryStyle::DeepObject)) => fields.push((name.clone(), deep)),
            (Some("array"), style) => fields.push((name.clone(), style.unwrap_or(QueryStyle::Repeated))),
            (Some("object") | None, Some(style @ QueryStyle::Joined(_))) => fields.push((name.clone(), style)),
            // An object travels as JSON text unless the description states another style.
            _ => {}
        }
    }
    fields
}

/// A parameter's type. One that states none is a text, and so is one that is several scalars: that is how it travels.
pub fn parameter_schema(spec: &SpecParameter) -> Map<String, Value> {
    match spec.style {
        QueryStyle::Json => portable(&spec.schema),
        QueryStyle::DeepObject if states_nothing(&flatten(&spec.schema)) => {
            portable(&ResolvedSchema { kind: Some(SchemaType::Object), ..flatten(&spec.schema) })
        }
        _ => portable(&as_text(&spec.schema)),
    }
}

/// The schema with text in place of each scalar, alone or in a list, that has no one type.
fn as_text(schema: &ResolvedSchema) -> ResolvedSchema {
    let flat = flatten(schema);
    match type_of(&flat) {
        None if !flat.any_of.iter().any(is_composite) => {
            ResolvedSchema { kind: Some(SchemaType::String), any_of: Vec::new(), ..flat }
        }
        Some(SchemaType::Array) if flat.any_of.len() < 2 => {
            let items = flat.items.as_deref().map(as_text).map(Rc::new);
            ResolvedSchema { items, ..flat }
        }
        _ => schema.clone(),
    }
}

fn is_composite(schema: &ResolvedSchema) -> bool {
    matches!(type_of(schema), Some(SchemaType::Object | SchemaType::Array))
}

fn states_nothing(flat: &ResolvedSchema) -> bool {
    type_of(flat).is_none() && flat.any_of.len() < 2
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
    /// What is sent unless the overlay names the input: it has one value for all calls.
    pub constant: Option<Value>,
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
            Place::Cookie(_) => "cookie",
            _ => "body",
        };
        input.name = format!("{}_in_{place}", input.key);
        input.key = format!("{place}:{}", input.key);
    }
    name_portably(&mut inputs);
    inputs
}

/// Gives each argument a name that every client takes, near the vendor's. A name that is one already stays.
fn name_portably(inputs: &mut [Input]) {
    let mut taken: BTreeSet<String> =
        inputs.iter().map(|input| input.name.clone()).filter(|name| is_argument_name(name)).collect();
    for (index, input) in inputs.iter_mut().enumerate().filter(|(_, input)| !is_argument_name(&input.name)) {
        let near = argument_name(&input.name);
        if near.is_none() {
            // Nothing of the name is left to recognise it by.
            let spelling = format!("The vendor's `{}`.", input.name);
            input.schema.entry("description").or_insert_with(|| Value::from(spelling));
        }
        let near = near.unwrap_or_else(|| format!("argument_{}", index + 1));
        let numbered = (2..u32::MAX).map(|number| {
            let end = format!("_{number}");
            let room = MAX_ARGUMENT_NAME.saturating_sub(end.len()).min(near.len());
            format!("{}{end}", &near[..room])
        });
        if let Some(name) = std::iter::once(near.clone()).chain(numbered).find(|name| taken.insert(name.clone())) {
            input.name = name;
        }
    }
}

fn plain_inputs(spec: &SpecOperation, choice: Option<&BodyChoice<'_>>) -> Vec<Input> {
    let mut inputs: Vec<Input> = spec.parameters.iter().map(parameter_input).collect();
    let (Some(spec_body), Some(choice)) = (&spec.body, choice) else { return inputs };
    if takes_nothing(choice.schema) && choice.body.kind != BodyKind::Raw {
        // It has to be sent, empty as it is.
        return inputs;
    }
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

/// Whether a body is an object that can have no properties.
pub fn takes_nothing(schema: &ResolvedSchema) -> bool {
    let flat = flatten(schema);
    type_of(&flat) == Some(SchemaType::Object)
        && flat.properties.is_empty()
        && flat.required.is_empty()
        && flat.further == Some(FurtherProperties::Any(false))
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
            constant: None,
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
            constant: None,
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
        QueryStyle::Repeated | QueryStyle::DeepObject | QueryStyle::Brackets | QueryStyle::Json => None,
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
        constant: None,
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
        Location::Cookie => Place::Cookie(spec.name.clone()),
    };
    let is_list = schema.get("type").and_then(Value::as_str) == Some("array");
    // A path and a header have one way to write a list.
    let has_styles = matches!(spec.location, Location::Query | Location::Cookie);
    let joined = if has_styles { separator(spec.style) } else { Some(',') };
    Input {
        key: spec.name.clone(),
        name: spec.name.clone(),
        place,
        required: spec.required,
        schema,
        is_file: false,
        nullable: nullable_paths(&spec.schema),
        is_json: spec.style == QueryStyle::Json && has_styles,
        separator: joined.filter(|_| is_list),
        constant: constant(spec),
    }
}

/// The value that a parameter has in all calls: the only one that it may have, or the default of a header that states
/// a version.
fn constant(spec: &SpecParameter) -> Option<Value> {
    let flat = flatten(&spec.schema);
    if spec.location == Location::Path {
        return None;
    }
    let only = match flat.values.as_slice() {
        [only] if spec.required => Some(only.clone()),
        _ => None,
    };
    let is_version = spec.location == Location::Header && spec.name.to_lowercase().contains("version");
    only.or_else(|| flat.default.filter(|_| is_version))
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

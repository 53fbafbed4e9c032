//! The raw JSON of a description → [`Document`]: the same as `openapiv3` types, with one way to
//! follow a `$ref`.
//!
//! ```text
//! document.api                       openapiv3::OpenAPI
//! document.follow(&parameter)        ReferenceOr<Parameter> → Option<&Parameter>, to the end of the chain
//! document.target::<Schema>("#/…")   one step: what a reference leads to, which may be a reference again
//! SchemaNode::from(&items)           ReferenceOr<Schema> and ReferenceOr<Box<Schema>> alike
//! document.schema(&items)            → Option<&Schema>
//! document.raw                       what `openapiv3` does not hold (see the module `read`)
//! ```

use std::collections::BTreeMap;

use openapiv3::{
    Components, Encoding, Example, Header, OpenAPI, Operation, Parameter, PathItem, ReferenceOr, RequestBody, Response,
    Schema, SecurityScheme,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::read::faults;
use crate::read::located::Located;
use crate::read::reference::{LONGEST_CHAIN, REF, escape, pointer_of, raw_target, reference_of};
use crate::read::typed;

/// A description as `openapiv3` types and as the JSON that they were read from.
#[derive(Debug, Clone)]
pub struct Document {
    pub api: OpenAPI,
    /// The same description. Read it for extensions and for what `openapiv3` does not hold only.
    pub raw: Value,
    elsewhere: Elsewhere,
    /// The reference to each schema of `components`.
    schemas: Vec<String>,
}

/// What references lead to outside of `components`, such as `#/paths/~1a/get/responses/200`.
#[derive(Debug, Clone, Default)]
struct Elsewhere {
    schemas: Targets<Schema>,
    parameters: Targets<Parameter>,
    request_bodies: Targets<RequestBody>,
    responses: Targets<Response>,
    headers: Targets<Header>,
    examples: Targets<Example>,
    security_schemes: Targets<SecurityScheme>,
}

/// By the reference as it is written.
type Targets<T> = BTreeMap<String, ReferenceOr<T>>;

impl Document {
    /// Reads a description.
    ///
    /// # Errors
    /// As `openapiv3` words it, without a place.
    pub fn parse(raw: Value) -> Result<Self, serde_json::Error> {
        let mut prepared = raw.clone();
        prepare(&mut prepared);
        let api: OpenAPI = typed::from_value(prepared)?;
        let mut elsewhere = Elsewhere::default();
        elsewhere.collect(&raw, &raw, &api);
        let components = api.components.iter().flat_map(|components| components.schemas.keys());
        let schemas = components.map(|name| format!("#/components/schemas/{}", escape(name))).collect();
        Ok(Self { api, raw, elsewhere, schemas })
    }

    /// Reads a description that was checked; reports the parts that are still no OpenAPI 3.0.
    pub fn read(root: &Located<'_>) -> Option<Self> {
        Self::parse(root.value.clone()).map_err(|error| faults::report(root, &error)).ok()
    }

    /// Returns what a reference leads to, which may be a reference again.
    pub fn target<T: Referable>(&self, reference: &str) -> Option<&ReferenceOr<T>> {
        component(&self.api, reference).or_else(|| T::elsewhere(self).get(reference))
    }

    /// Returns the reference to each schema of `components`.
    pub fn component_references(&self) -> &[String] {
        &self.schemas
    }

    /// Returns the item itself, following references to their end; `None` where they lead nowhere,
    /// in a circle, or to something of another kind.
    pub fn follow<'d, T: Referable>(&'d self, item: &'d ReferenceOr<T>) -> Option<&'d T> {
        let mut here = item;
        for _ in 0..LONGEST_CHAIN {
            match here {
                ReferenceOr::Item(item) => return Some(item),
                ReferenceOr::Reference { reference } => here = self.target(reference)?,
            }
        }
        None
    }

    /// Returns the schema itself, following references to their end.
    pub fn schema<'d>(&'d self, node: impl Into<SchemaNode<'d>>) -> Option<&'d Schema> {
        match node.into() {
            SchemaNode::Schema(schema) => Some(schema),
            SchemaNode::Reference(reference) => self.follow(self.target(reference)?),
        }
    }

    /// Returns the operation at a path and a method in lower case.
    pub fn operation(&self, path: &str, method: &str) -> Option<OperationAt<'_>> {
        self.operations().find(|at| at.path == path && at.method == method)
    }

    /// Returns every operation with its path and method (in lower case) and the item that it is
    /// part of, in the order of the paths.
    pub fn operations(&self) -> impl Iterator<Item = OperationAt<'_>> {
        let items = self.api.paths.paths.iter().filter_map(|(path, item)| Some((path.as_str(), item.as_item()?)));
        items.flat_map(|(path, item)| {
            item.iter().map(move |(method, operation)| OperationAt { path, method, item, operation })
        })
    }
}

/// The extension under which [`explode`] finds what an encoding states: `openapiv3` reads a missing
/// `explode` as `false`, and OpenAPI lets it depend on the style.
const EXPLODE: &str = "x-stated-explode";

/// Returns the `explode` of an encoding where the description states it.
pub fn explode(encoding: &Encoding) -> Option<bool> {
    encoding.extensions.get(EXPLODE).and_then(Value::as_bool)
}

/// Writes what `openapiv3` would lose or refuse without need in a way that it holds: the stated
/// `explode` of encodings, and an empty description for responses that have none.
fn prepare(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for encoding in members(object, "encoding") {
                if let Some(explode) = encoding.get("explode").filter(|explode| explode.is_boolean()).cloned() {
                    encoding.insert(EXPLODE.to_owned(), explode);
                }
            }
            for response in members(object, "responses").filter(|response| !response.contains_key(REF)) {
                response.entry("description").or_insert_with(|| Value::from(""));
            }
            object.values_mut().for_each(prepare);
        }
        Value::Array(items) => items.iter_mut().for_each(prepare),
        _ => {}
    }
}

/// The entries of the object `key` that are objects.
fn members<'v>(object: &'v mut Map<String, Value>, key: &str) -> impl Iterator<Item = &'v mut Map<String, Value>> {
    let members = object.get_mut(key).and_then(Value::as_object_mut).into_iter();
    members.flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

/// An operation and where it is.
#[derive(Debug, Clone, Copy)]
pub struct OperationAt<'d> {
    pub path: &'d str,
    /// In lower case, as the description writes it.
    pub method: &'d str,
    pub item: &'d PathItem,
    pub operation: &'d Operation,
}

/// A schema or a reference to one: `openapiv3` boxes some and others not.
#[derive(Debug, Clone, Copy)]
pub enum SchemaNode<'d> {
    Schema(&'d Schema),
    Reference(&'d str),
}

impl<'d> From<&'d ReferenceOr<Schema>> for SchemaNode<'d> {
    fn from(node: &'d ReferenceOr<Schema>) -> Self {
        match node {
            ReferenceOr::Item(schema) => Self::Schema(schema),
            ReferenceOr::Reference { reference } => Self::Reference(reference),
        }
    }
}

impl<'d> From<&'d ReferenceOr<Box<Schema>>> for SchemaNode<'d> {
    fn from(node: &'d ReferenceOr<Box<Schema>>) -> Self {
        match node {
            ReferenceOr::Item(schema) => Self::Schema(schema),
            ReferenceOr::Reference { reference } => Self::Reference(reference),
        }
    }
}

/// What a reference can lead to.
pub trait Referable: DeserializeOwned + Sized {
    /// The key of `components`.
    const SECTION: &'static str;

    /// Returns the component of this kind and name.
    fn component<'d>(components: &'d Components, name: &str) -> Option<&'d ReferenceOr<Self>>;

    /// Returns the targets outside of `components`.
    #[doc(hidden)]
    fn elsewhere(document: &Document) -> &Targets<Self>;
}

macro_rules! referable {
    ($($kind:ty: $section:literal, $field:ident;)+) => {$(
        impl Referable for $kind {
            const SECTION: &'static str = $section;

            fn component<'d>(components: &'d Components, name: &str) -> Option<&'d ReferenceOr<Self>> {
                components.$field.get(name)
            }

            fn elsewhere(document: &Document) -> &Targets<Self> {
                &document.elsewhere.$field
            }
        }
    )+};
}

referable! {
    Schema: "schemas", schemas;
    Parameter: "parameters", parameters;
    RequestBody: "requestBodies", request_bodies;
    Response: "responses", responses;
    Header: "headers", headers;
    Example: "examples", examples;
    SecurityScheme: "securitySchemes", security_schemes;
}

/// Returns the component that a reference of the usual form names.
fn component<'d, T: Referable>(api: &'d OpenAPI, reference: &str) -> Option<&'d ReferenceOr<T>> {
    let pointer = pointer_of(reference)?;
    let name = pointer.strip_prefix("/components/")?.strip_prefix(T::SECTION)?.strip_prefix('/')?;
    // A slash leads into the component, `~1` is one in its name.
    let name = (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))?;
    T::component(api.components.as_ref()?, &name)
}

impl Elsewhere {
    /// Reads the target of every reference that names no component.
    fn collect(&mut self, value: &Value, raw: &Value, api: &OpenAPI) {
        match value {
            Value::Object(object) => {
                if let Some(reference) = reference_of(value).filter(|reference| !names_component(api, reference))
                    && let Some(target) = raw_target(raw, reference)
                {
                    keep(&mut self.schemas, reference, target);
                    keep(&mut self.parameters, reference, target);
                    keep(&mut self.request_bodies, reference, target);
                    keep(&mut self.responses, reference, target);
                    keep(&mut self.headers, reference, target);
                    keep(&mut self.examples, reference, target);
                    keep(&mut self.security_schemes, reference, target);
                }
                object.values().for_each(|entry| self.collect(entry, raw, api));
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, raw, api)),
            _ => {}
        }
    }
}

fn names_component(api: &OpenAPI, reference: &str) -> bool {
    component::<Schema>(api, reference).is_some()
        || component::<Parameter>(api, reference).is_some()
        || component::<RequestBody>(api, reference).is_some()
        || component::<Response>(api, reference).is_some()
        || component::<Header>(api, reference).is_some()
        || component::<Example>(api, reference).is_some()
        || component::<SecurityScheme>(api, reference).is_some()
}

/// Keeps a target as everything that it can be read as: how it is used decides which is meant.
fn keep<T: DeserializeOwned>(targets: &mut Targets<T>, reference: &str, target: &Value) {
    if let Ok(target) = typed::from_value(target.clone()) {
        targets.insert(reference.to_owned(), target);
    }
}

#[cfg(test)]
mod tests {
    use openapiv3::{SchemaKind, Type};
    use serde_json::json;

    use super::*;

    fn document() -> Document {
        Document::parse(json!({
            "openapi": "3.0.3",
            "info": {"title": "T", "version": "1"},
            "paths": {
                "/a/{id}": {"get": {
                    "parameters": [{"$ref": "#/components/parameters/Id"}],
                    "responses": {"200": {"$ref": "#/paths/~1b/get/responses/200"}},
                }},
                "/b": {"get": {"responses": {"200": {"description": "here"}}}},
            },
            "components": {
                "parameters": {"Id": {"name": "id", "in": "path", "required": true, "schema": {
                    "$ref": "#/components/schemas/A/properties/deep",
                }}},
                "schemas": {
                    "A": {"type": "object", "properties": {"deep": {"$ref": "#/components/schemas/B~1C"}}},
                    "B/C": {"type": "integer"},
                    "Circle": {"$ref": "#/components/schemas/Circle"},
                },
            },
        }))
        .unwrap()
    }

    #[test]
    fn references_are_followed_to_their_end() {
        let document = document();
        let first = document.operations().next().unwrap();
        assert_eq!((first.path, first.method), ("/a/{id}", "get"));
        let parameter = document.follow(&first.operation.parameters[0]).unwrap().parameter_data_ref();
        let openapiv3::ParameterSchemaOrContent::Schema(schema) = &parameter.format else { panic!("a schema") };
        let schema = document.schema(schema).unwrap();
        assert!(matches!(schema.schema_kind, SchemaKind::Type(Type::Integer(_))), "{schema:?}");
        let response = first.operation.responses.responses.values().next().unwrap();
        assert_eq!(document.follow(response).unwrap().description, "here");
    }

    #[test]
    fn what_leads_nowhere_is_nothing() {
        let document = document();
        for reference in ["#/components/schemas/Circle", "#/components/schemas/None", "#/components/parameters/Id"] {
            assert!(document.schema(SchemaNode::Reference(reference)).is_none(), "{reference}");
        }
    }
}

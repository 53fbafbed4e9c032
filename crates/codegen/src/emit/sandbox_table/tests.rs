use serde_json::{Value, json};

use super::emit;
use crate::read::document::Document;

/// The table of a description with the given parts.
fn table(parts: &Value) -> Value {
    let mut document = json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {}});
    for (key, part) in parts.as_object().unwrap() {
        document[key] = part.clone();
    }
    emit("jitbit", &Document::parse(document).unwrap(), &[])
}

/// Emits a document whose `POST /a` has this request schema and returns the schema that is checked.
fn body(schema: &Value) -> Value {
    let document = json!({
        "paths": {"/a": {"post": {
            "requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": {},
        }}},
        "components": {"schemas": {
            "Id": {"type": "integer", "readOnly": true},
            "Named": {"type": "object", "properties": {"name": {"type": "string"}}},
            "Tree": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
            "Wide": {"type": "object", "properties": (0..12).map(|index| (format!("p{index}"), json!({"$ref": format!("#/components/schemas/Wide{}", index % 3)}))).collect::<serde_json::Map<_, _>>()},
            "Wide0": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Wide1"}, "b": {"$ref": "#/components/schemas/Wide2"}, "c": {"$ref": "#/components/schemas/Wide"}}},
            "Wide1": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Wide0"}, "b": {"$ref": "#/components/schemas/Wide2"}, "c": {"$ref": "#/components/schemas/Wide"}}},
            "Wide2": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Wide0"}, "b": {"$ref": "#/components/schemas/Wide1"}, "c": {"$ref": "#/components/schemas/Wide"}}},
        }},
    });
    table(&document)["operations"][0]["body"]["content"]["application/json"]["schema"].clone()
}

#[test]
fn schemas_are_converted_to_2020_12() {
    let named = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let cases = [
        (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
        (
            json!({"type": "string", "nullable": true, "enum": ["a"]}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        ),
        (
            json!({"nullable": true, "allOf": [reference("Named")]}),
            json!({"anyOf": [{"allOf": [named]}, {"type": "null"}], "unevaluatedProperties": false}),
        ),
        (
            json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 5, "exclusiveMaximum": false}),
            json!({"type": "integer", "exclusiveMinimum": 1, "maximum": 5}),
        ),
        (
            json!({"type": "string", "example": "a", "description": "b", "title": "c", "xml": {}, "x-y": 1, "default": "d", "deprecated": true, "format": "uuid"}),
            json!({"type": "string"}),
        ),
        (json!({"type": "string", "format": "date-time"}), json!({"type": "string", "format": "date-time"})),
        (json!({"type": "string", "format": "email"}), json!({"type": "string", "format": "email"})),
        (json!({"type": "file"}), json!({})),
        (json!({"type": "object", "required": [], "properties": {}, "enum": []}), json!({"type": "object"})),
        (
            json!({"type": "number", "minimum": 0.5, "maximum": 3, "multipleOf": 0.5, "enum": [1, 2.5, null]}),
            json!({"type": "number", "enum": [1, 2.5, null], "multipleOf": 0.5, "minimum": 0.5, "maximum": 3}),
        ),
        (
            json!({"type": "array", "enum": ["a", "b"], "items": {"type": "string"}, "minItems": 1, "uniqueItems": true}),
            json!({"type": "array", "minItems": 1, "uniqueItems": true, "items": {"type": "string", "enum": ["a", "b"]}}),
        ),
        (json!({"not": reference("Named")}), json!({"not": named})),
        (json!({"not": reference("Tree")}), json!({})),
        (
            json!({"type": "object", "required": ["id", "x", "x"], "properties": {"id": reference("Id"), "x": {}}}),
            json!({"type": "object", "properties": {"id": {"type": "integer"}, "x": {}}, "required": ["x"], "additionalProperties": false}),
        ),
        (
            reference("Tree"),
            json!({"type": "object", "properties": {"children": {"type": "array", "items": {}}}, "additionalProperties": false}),
        ),
        (reference("Missing"), json!({})),
        (
            json!({"oneOf": [reference("Named"), {"type": "string"}]}),
            json!({"oneOf": [named, {"type": "string"}], "unevaluatedProperties": false}),
        ),
        (
            json!({"oneOf": [reference("Named")], "discriminator": {"propertyName": "kind"}}),
            json!({"anyOf": [named], "unevaluatedProperties": false}),
        ),
        (
            json!({"allOf": [reference("Named"), {"required": ["name"]}]}),
            json!({"allOf": [named, {"required": ["name"]}], "unevaluatedProperties": false}),
        ),
        (json!({"allOf": [reference("Named"), {"type": "object"}]}), json!({"allOf": [named, {"type": "object"}]})),
        (
            json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}),
            json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}),
        ),
        (json!({"type": "array", "items": reference("Named")}), json!({"type": "array", "items": named})),
    ];
    for (schema, expected) in cases {
        assert_eq!(body(&schema), expected, "{schema}");
    }
}

#[test]
fn recursion_in_every_direction_stays_small() {
    let text = body(&json!({"$ref": "#/components/schemas/Wide"})).to_string();
    assert!(text.len() < 200_000, "{}", text.len());
    assert!(text.contains("{}"));
}

#[test]
fn operations_are_written_out() {
    let document = json!({
        "security": [{"token": []}, {"login": []}, {"key": [], "token": []}, {}],
        "paths": {
            "/a/{id}": {
                "parameters": [
                    {"$ref": "#/components/parameters/Id"},
                    {"in": "query", "name": "tags", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"in": "header", "name": "Authorization", "schema": {"type": "string"}},
                ],
                "get": {
                    "operationId": "getA",
                    "parameters": [
                        {"in": "query", "name": "tags", "explode": false, "style": "form", "schema": {"type": "array"}},
                        {"in": "query", "name": "filter", "content": {"application/json": {"schema": {"type": "object"}}}},
                    ],
                    "security": [],
                    "responses": {},
                },
                "post": {"requestBody": {"$ref": "#/components/requestBodies/File"}, "responses": {}},
            },
            "x-else": {"get": {}},
        },
        "components": {
            "parameters": {"Id": {"in": "path", "name": "id", "required": true, "schema": {"type": "integer"}}},
            "requestBodies": {"File": {"required": true, "content": {"multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
                "encoding": {"file": {"contentType": "image/png", "style": "form"}, "other": {}},
            }}}},
            "securitySchemes": {
                "token": {"type": "oauth2", "flows": {}}, "login": {"type": "http", "scheme": "Basic"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    });
    let id = json!({"in": "path", "name": "id", "required": true, "schema": {"type": "integer"}});
    let expected = json!({
        "api": "jitbit",
        "security": [
            {"kind": "bearer"}, {"kind": "basic"},
            {"kind": "all", "of": [{"kind": "header", "name": "x-api-key"}, {"kind": "bearer"}]}, {"kind": "none"},
        ],
        "operations": [
            {
                "operation": "getA", "method": "GET", "path": "/a/{id}",
                "parameters": [
                    id,
                    {"in": "query", "name": "tags", "required": false, "explode": false, "schema": {"type": "array"}},
                    {"in": "query", "name": "filter", "required": false, "content": "application/json", "schema": {"type": "object"}},
                ],
                "security": [],
                "answer": {"status": 200},
            },
            {
                "operation": "POST /a/{id}", "method": "POST", "path": "/a/{id}",
                "parameters": [
                    id,
                    {"in": "query", "name": "tags", "required": false, "schema": {"type": "array", "items": {"type": "string"}}},
                ],
                "body": {"required": true, "content": {"multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "additionalProperties": false},
                    "encoding": {"file": {"content_type": "image/png"}},
                }}},
                "answer": {"status": 200},
            },
        ],
    });
    assert_eq!(table(&document), expected);
}

#[test]
fn the_answer_is_the_best_success() {
    let json_of = |media: Value| json!({"content": {"application/json": media}});
    let cases = [
        (json!({}), json!({"status": 200})),
        (json!({"400": json_of(json!({"example": 1})), "204": {}}), json!({"status": 204})),
        (
            json!({"200": {}, "201": json_of(json!({"example": 1}))}),
            json!({"status": 201, "content_type": "application/json", "example": 1}),
        ),
        (json!({"302": {}, "default": json_of(json!({"example": 1}))}), json!({"status": 302})),
        (
            json!({"default": json_of(json!({"example": 1}))}),
            json!({"status": 200, "content_type": "application/json", "example": 1}),
        ),
        (
            json!({"2XX": json_of(json!({"examples": {"a": {"$ref": "#/components/examples/A"}}}))}),
            json!({"status": 200, "content_type": "application/json", "example": {"a": 1}}),
        ),
        (
            json!({"200": json_of(json!({"example": "{\"a\": 1}", "schema": {"type": "object"}}))}),
            json!({"status": 200, "content_type": "application/json", "example": {"a": 1}}),
        ),
        (
            json!({"200": json_of(json!({"schema": {"$ref": "#/components/schemas/A"}}))}),
            json!({"status": 200, "content_type": "application/json", "example": {"a": 2}}),
        ),
        (
            json!({"200": json_of(json!({"schema": {"type": "object", "properties": {
                "a": {"type": "string", "format": "email", "example": "b"}, "c": {"type": "string", "writeOnly": true},
            }, "required": ["c"]}}))}),
            json!({"status": 200, "content_type": "application/json", "schema": {"type": "object", "properties": {
                "a": {"type": "string", "format": "email", "examples": ["b"]},
            }}}),
        ),
        (
            json!({"200": {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}}),
            json!({"status": 200, "content_type": "application/octet-stream", "schema": {"type": "string", "format": "binary"}}),
        ),
        (
            json!({"200": {"content": {"text/xml": {"example": "x"}, "application/hal+json": {"example": 1}}}}),
            json!({"status": 200, "content_type": "application/hal+json", "example": 1}),
        ),
    ];
    for (responses, expected) in cases {
        let document = json!({
            "paths": {"/a": {"get": {"responses": responses}}},
            "components": {"examples": {"A": {"value": {"a": 1}}}, "schemas": {"A": {"type": "object", "example": {"a": 2}}}},
        });
        assert_eq!(table(&document)["operations"][0]["answer"], expected, "{responses}");
    }
}

#[test]
fn references_that_lead_nowhere_are_no_reason_to_fail() {
    let nowhere = json!({"$ref": "#/components/schemas/None"});
    let operation = json!({
        "parameters": [nowhere, {"in": "query", "name": "q", "schema": nowhere}],
        "requestBody": nowhere,
        "responses": {"200": nowhere, "default": nowhere},
        "security": [{"none": []}],
    });
    let document = json!({
        "paths": {"/a": {"get": operation}, "/b": {"$ref": "#/paths/~1b"}},
        "security": [{"circle": []}],
        "components": {"securitySchemes": {"circle": {"$ref": "#/components/securitySchemes/circle"}}},
    });
    assert_eq!(
        table(&document)["operations"],
        json!([{
            "operation": "GET /a",
            "method": "GET",
            "path": "/a",
            "parameters": [{"in": "query", "name": "q", "required": false, "schema": {}}],
            "body": {"required": false, "content": {}},
            "answer": {"status": 200},
        }])
    );
}

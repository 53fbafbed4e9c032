use serde_json::{Value, json};

use super::{Description, Steps, convert, read};
use toolwright_codegen::read::check;
use toolwright_codegen::read::finding::{Errors, Findings};
use toolwright_codegen::read::located::Located;
use toolwright_codegen::read::source::SourceFile;
use toolwright_codegen::read::source_map::SourceMap;

fn converted(document: Value) -> Description {
    let findings = Findings::default();
    let description = convert("d.yaml", document, Steps::default(), &findings)
        .unwrap_or_else(|| panic!("{}", Errors::from(findings)));
    let findings = Findings::default();
    let source = SourceMap::new(&SourceFile::without_text("d.yaml"), &findings);
    check::check_document(&Located::root(&source, &description.document));
    let found = Errors::from(findings);
    assert!(found.is_empty(), "what comes out is no OpenAPI 3.0: {found}");
    description
}

fn rules(description: &Description) -> Vec<&'static str> {
    description.steps.iter().map(|step| step.rule).collect()
}

#[test]
fn swagger_2_becomes_openapi_3() {
    let description = converted(json!({
        "swagger": "2.0",
        "info": {"title": "Parcels", "version": 3},
        "host": "parcels.example.com", "basePath": "/v3/", "schemes": ["http", "https"],
        "consumes": ["application/json"], "produces": ["application/json"],
        "securityDefinitions": {
            "key": {"type": "apiKey", "in": "header", "name": "x-key"},
            "login": {"type": "basic"},
            "app": {"type": "oauth2", "flow": "application", "tokenUrl": "https://parcels.example.com/token", "scopes": {"a": "b"}},
        },
        "parameters": {
            "limit": {"name": "limit", "in": "query", "type": "integer", "maximum": 50, "default": 10},
            "new": {"name": "new", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Parcel"}},
        },
        "responses": {"gone": {"description": "Gone", "schema": {"type": "string"}}},
        "definitions": {"Parcel": {"type": "object", "discriminator": "kind", "required": ["kind"],
            "properties": {"kind": {"type": "string"}, "note": {"type": "string", "x-nullable": true}}}},
        "paths": {
            "/parcels": {
                "parameters": [{"$ref": "#/parameters/limit"}],
                "get": {"parameters": [
                    {"name": "ids", "in": "query", "type": "array", "items": {"type": "integer"}, "collectionFormat": "multi"},
                    {"name": "fields", "in": "query", "type": "array", "items": {"type": "string"}},
                    {"name": "sort", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "ssv"},
                    {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"},
                    {"name": "odd", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "tsv"},
                ], "responses": {"200": {"description": "", "schema": {"type": "array", "items": {"$ref": "#/definitions/Parcel"}}},
                    "410": {"$ref": "#/responses/gone"}}},
                "post": {"parameters": [{"$ref": "#/parameters/new"}], "responses": {"201": {"description": ""}}},
            },
            "/parcels/{id}/label": {"put": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "id", "in": "path", "type": "string"},
                    {"name": "label", "in": "formData", "type": "file", "required": true},
                    {"name": "copies", "in": "formData", "type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"},
                ], "responses": {"204": {"description": ""}}}},
        },
    }));
    let document = &description.document;
    assert_eq!(description.format, "Swagger 2.0");
    assert_eq!(
        document["servers"],
        json!([{"url": "https://parcels.example.com/v3"}, {"url": "http://parcels.example.com/v3"}])
    );
    assert_eq!(document["components"]["securitySchemes"]["login"], json!({"type": "http", "scheme": "basic"}));
    assert!(document["components"]["securitySchemes"]["app"]["flows"]["clientCredentials"]["tokenUrl"].is_string());
    let query = &document["paths"]["/parcels"]["get"]["parameters"];
    assert_eq!(query[0]["explode"], true);
    assert_eq!((&query[1]["explode"], query[1].get("style")), (&json!(false), None));
    assert_eq!((&query[2]["explode"], &query[2]["style"]), (&json!(false), &json!("spaceDelimited")));
    assert_eq!(query[3]["style"], "pipeDelimited");
    assert_eq!(query[4]["schema"], json!({"type": "string"}));
    assert_eq!(document["paths"]["/parcels"]["parameters"][0]["$ref"], "#/components/parameters/limit");
    assert_eq!(
        document["components"]["parameters"]["limit"]["schema"],
        json!({"type": "integer", "default": 10, "maximum": 50})
    );
    let body = &document["paths"]["/parcels"]["post"]["requestBody"];
    assert_eq!(body["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Parcel");
    assert_eq!(body["required"], true);
    let form = &document["paths"]["/parcels/{id}/label"]["put"]["requestBody"]["content"]["multipart/form-data"];
    assert_eq!(form["schema"]["properties"]["label"], json!({"type": "string", "format": "binary"}));
    assert_eq!(form["encoding"]["copies"], json!({"style": "pipeDelimited", "explode": false}));
    assert_eq!(document["paths"]["/parcels"]["get"]["responses"]["410"]["$ref"], "#/components/responses/gone");
    let parcel = &document["components"]["schemas"]["Parcel"];
    assert_eq!(parcel["discriminator"], json!({"propertyName": "kind"}));
    assert_eq!(parcel["properties"]["note"], json!({"type": "string", "nullable": true}));
    for rule in ["swagger-2", "servers", "collection-format", "form", "file", "info", "path-parameter"] {
        assert!(rules(&description).contains(&rule), "{rule} is not reported");
    }
}

#[test]
fn openapi_3_1_becomes_3_0() {
    let description = converted(json!({
        "openapi": "3.1.0", "jsonSchemaDialect": "x",
        "info": {"title": "T", "version": "1", "summary": "s"},
        "webhooks": {"a": {"post": {}}, "b": {"post": {}}},
        "paths": {"/a": {"$ref": "#/components/pathItems/A"}},
        "components": {
            "pathItems": {"A": {"get": {"operationId": "a", "responses": {"200": {"description": ""}}, "parameters": [
                {"name": "q", "in": "query", "schema": {"$ref": "#/components/schemas/Q"}},
                {"name": "r", "in": "query", "schema": {"$ref": "#/components/schemas/Q", "minLength": 2}},
                {"name": "s", "in": "query", "schema": {"$ref": "#/components/schemas/Q", "description": "d"}},
            ]}}},
            "schemas": {
                "Q": {
                    "$defs": {"Name": {"type": ["string", "null"], "examples": ["x", "y"]}},
                    "type": "object",
                    "properties": {
                        "name": {"$ref": "#/components/schemas/Q/$defs/Name"},
                        "same": {"$ref": "#/$defs/Name"},
                        "kind": {"const": "k"},
                        "size": {"type": "integer", "exclusiveMinimum": 0, "maximum": 5, "exclusiveMaximum": 9},
                        "many": {"type": ["string", "array"], "items": {"type": "string"}},
                        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
                        "file": {"type": "string", "contentMediaType": "image/png"},
                        "any": true,
                        "map": {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
                    },
                    "if": {}, "unevaluatedProperties": false,
                },
            },
            "securitySchemes": {"cert": {"type": "mutualTLS"}},
        },
    }));
    let document = &description.document;
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Name"], json!({"nullable": true, "type": "string", "example": "x"}));
    let properties = &schemas["Q"]["properties"];
    for (name, expected) in [
        ("name", json!({"$ref": "#/components/schemas/Name"})),
        ("same", json!({"$ref": "#/components/schemas/Name"})),
        ("kind", json!({"type": "string", "enum": ["k"]})),
        ("size", json!({"type": "integer", "maximum": 5, "minimum": 0, "exclusiveMinimum": true})),
        ("many", json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})),
        ("maybe", json!({"anyOf": [{"type": "integer"}], "nullable": true})),
        ("pair", json!({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}})),
        ("file", json!({"type": "string", "format": "binary"})),
        ("any", json!({})),
        ("map", json!({"type": "object", "additionalProperties": {"type": "string"}})),
    ] {
        assert_eq!(properties[name], expected, "{name}");
    }
    let parameters = &document["paths"]["/a"]["get"]["parameters"];
    assert_eq!(parameters[1]["schema"], json!({"minLength": 2, "allOf": [{"$ref": "#/components/schemas/Q"}]}));
    assert_eq!(parameters[2]["schema"], json!({"$ref": "#/components/schemas/Q"}));
    let text = document.to_string();
    for gone in ["webhooks", "mutualTLS", "$defs", "unevaluated", "pathItems", "\"if\""] {
        assert!(!text.contains(gone), "{gone}");
    }
    assert!(description.steps.iter().any(|step| step.rule == "webhooks" && step.what.starts_with("2 webhooks")));
}

#[test]
fn unambiguous_faults_are_corrected_and_other_operations_are_listed() {
    let description = converted(json!({
        "openapi": "3.0.0",
        "info": {"title": "T", "version": 1.5},
        "components": {"schemas": {
            "Closed": {"type": "object", "additionalProperties": false, "required": ["a", "gone"], "properties": {"a": {}}},
            "Open": {"type": "object", "required": ["a", true]},
        }, "parameters": {"Schema": {"type": "object"}}},
        "paths": {
            "things/{id}": {"get": {"parameters": [{"name": "other", "in": "path", "schema": {}}, {"name": "x y", "in": "header", "schema": {}}, {"name": "q", "in": "query"}]},
                "fetch": {}, "put": null},
            "/a/{b": {"get": {}, "post": {}},
            "/../up": {"get": {}}, "/%2E%2e/up": {"get": {}}, "/a?b=c": {"get": {}}, "/a#b": {"get": {}},
            "/ref": {"$ref": "#/paths/~1ref"},
            "/lost": {"post": {"operationId": 7, "requestBody": {"$ref": "#/nowhere"}, "responses": {}}},
        },
    }));
    let paths = &description.document["paths"];
    let names: Vec<&Value> =
        paths["/things/{id}"]["get"]["parameters"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["q", "id"]);
    let mut dropped: Vec<String> = description.dropped.iter().map(|d| format!("{} {}", d.method, d.path)).collect();
    dropped.sort();
    let expected = ["* /ref", "GET /%2E%2e/up", "GET /../up", "GET /a/{b", "POST /a/{b", "PUT /things/{id}"];
    assert_eq!(dropped, expected);
    let schemas = &description.document["components"]["schemas"];
    assert_eq!([&schemas["Closed"]["required"], &schemas["Open"]["required"]], [&json!(["a"]), &json!(["a"])]);
    assert_eq!(description.document["components"]["parameters"], json!({}));
    assert!(paths["/lost"]["post"].get("operationId").is_none());
}

#[test]
fn unknown_versions_are_refused() {
    for (document, found) in [
        (json!({"openapi": "4.0.0"}), "d.yaml (openapi): expected"),
        (json!({"swagger": "1.2"}), "d.yaml (swagger): expected"),
        (json!({"a": 1}), "no version"),
        (json!([]), "an object"),
    ] {
        let findings = Findings::default();
        assert!(convert("d.yaml", document, Steps::default(), &findings).is_none());
        let errors = Errors::from(findings);
        assert!(errors.to_string().contains(found), "{errors}");
    }
}

fn folder(test: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("toolwright-convert-{}-{test}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn files_are_joined() {
    let folder = folder(
        "join",
        &[
            (
                "d/main.yaml",
                "openapi: 3.0.0\ninfo: {title: T, version: '1'}\npaths:\n  /a: {$ref: 'paths/a.yaml'}\n  /b: {$ref: './paths/a.yaml#'}\ncomponents: {schemas: {Thing: {type: string}}}\n",
            ),
            (
                "d/paths/a.yaml",
                "get:\n  parameters: [{$ref: '../common.yaml#/parameters/limit'}]\n  responses:\n    '200': {description: '', content: {application/json: {schema: {$ref: '../schemas/Thing.json'}}}}\n",
            ),
            (
                "d/common.yaml",
                "parameters: {limit: {name: limit, in: query, schema: {$ref: '#/types/number'}}}\ntypes: {number: {type: integer}}\n",
            ),
            (
                "d/schemas/Thing.json",
                r#"{"type": "object", "properties": {"self": {"$ref": "Thing.json"}, "main": {"$ref": "../main.yaml#/components/schemas/Thing"}}}"#,
            ),
        ],
    );
    let findings = Findings::default();
    let description = read(&folder.join("d/main.yaml"), "main.yaml", &findings)
        .unwrap_or_else(|| panic!("{}", Errors::from(findings)));
    let document = &description.document;
    for path in ["/a", "/b"] {
        assert_eq!(document["paths"][path]["get"]["parameters"][0]["$ref"], "#/components/parameters/limit", "{path}");
    }
    assert_eq!(document["components"]["parameters"]["limit"]["schema"]["$ref"], "#/components/schemas/number");
    assert_eq!(
        document["components"]["schemas"]["Thing_2"]["properties"]["self"]["$ref"],
        "#/components/schemas/Thing_2"
    );
    assert_eq!(
        document["components"]["schemas"]["Thing_2"]["properties"]["main"]["$ref"],
        "#/components/schemas/Thing"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let main = |reference: &str| {
        format!(
            "openapi: 3.0.0\ninfo: {{title: T, version: '1'}}\npaths: {{}}\ncomponents: {{schemas: {{A: {{$ref: '{reference}'}}}}}}\n"
        )
    };
    for (name, reference, expected) in [
        ("up", "../secret.yaml", "outside"),
        ("deep", "x/../../secret.yaml#/a", "outside"),
        ("root", "/etc/hostname", "outside"),
        ("http", "https://example.com/a.yaml", "nothing is fetched"),
        ("file", "file:///etc/hostname", "nothing is fetched"),
        ("none", "none.yaml", "a readable file"),
        ("place", "other.yaml#/a", "something at `#/a`"),
    ] {
        let folder =
            folder(name, &[("d/main.yaml", &main(reference)), ("d/other.yaml", "{}"), ("secret.yaml", "a: {}")]);
        let findings = Findings::default();
        assert!(read(&folder.join("d/main.yaml"), "main.yaml", &findings).is_none(), "{reference}");
        let errors = Errors::from(findings);
        assert!(errors.to_string().contains(expected), "{reference}: {errors}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out() {
    let main =
        "openapi: 3.0.0\ninfo: {title: T, version: '1'}\npaths: {}\ncomponents: {schemas: {A: {$ref: 'link.yaml'}}}\n";
    let folder = folder("links", &[("d/main.yaml", main), ("secret.yaml", "a: {}")]);
    std::os::unix::fs::symlink(folder.join("secret.yaml"), folder.join("d/link.yaml")).unwrap();
    let findings = Findings::default();
    assert!(read(&folder.join("d/main.yaml"), "main.yaml", &findings).is_none());
    let errors = Errors::from(findings);
    assert!(errors.to_string().contains("leads out"), "{errors}");
    std::fs::remove_dir_all(folder).unwrap();
}

use serde_json::json;

use super::{NamedDescription, Taken, VendorFolder, is_vendor_id, lint};
use crate::convert::Description;
use toolwright_codegen::Errors;

fn folder(
    sources: &[NamedDescription<'_>],
    name: &str,
    wanted: &dyn Fn(&str, &str, &str) -> bool,
) -> Result<VendorFolder, Errors> {
    super::folder(sources, name, &Taken { wanted, keep_texts: false })
}

#[test]
fn what_is_written_holds_facts_and_no_sentence() {
    let document = json!({
        "openapi": "3.0.0",
        "info": {"title": "Parcel  Desk", "version": "2", "description": "SENTENCE"},
        "servers": [{"url": "https://{region}.example.com/v1", "description": "SENTENCE", "variables": {"region": {"default": "eu", "description": "SENTENCE"}}}],
        "tags": [{"name": "parcels", "description": "SENTENCE"}],
        "paths": {
            "/parcels/{id}": {"get": {
                "operationId": "getParcel", "summary": "SENTENCE", "description": "SENTENCE", "tags": ["parcels"], "x-own": "SENTENCE",
                "externalDocs": {"url": "SENTENCE"},
                "parameters": [{"name": "id", "in": "path", "required": true, "description": "SENTENCE", "example": "SENTENCE", "schema": {"type": "string", "maxLength": 9, "title": "SENTENCE", "default": "d"}}],
                "responses": {"200": {"description": "SENTENCE", "content": {"application/json": {"example": "SENTENCE", "schema": {"$ref": "#/components/schemas/Parcel"}}}}},
            }},
            "/it's": {"put": {"operationId": "putIt", "requestBody": {"description": "SENTENCE", "required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
                "responses": {"204": {"description": "SENTENCE"}}}},
        },
        "components": {
            "schemas": {
                "Parcel": {"type": "object", "description": "SENTENCE", "properties": {"description": {"type": "string", "example": "SENTENCE"}, "x-odd": {"type": "integer", "default": {"a": "SENTENCE"}}}},
                "New": {"type": "object", "required": ["size"], "properties": {"size": {"type": "string", "enum": ["s", "l"], "description": "SENTENCE"}, "of": {"$ref": "#/components/schemas/Parcel"}}},
                "Unused": {"type": "string"},
            },
            "securitySchemes": {"a": {"type": "apiKey", "in": "header", "name": "X-Desk-Key", "description": "SENTENCE"},
                "o": {"type": "oauth2", "description": "SENTENCE", "flows": {"implicit": {"authorizationUrl": "https://example.com", "scopes": {"read": "SENTENCE"}}}}},
        },
    });
    let description = Description {
        document,
        steps: Vec::new(),
        format: "OpenAPI 3.0.0".to_owned(),
        dropped: Vec::new(),
        text: None,
    };
    let sources = [NamedDescription { api: "api", file: "d.yaml", description: &description }];
    let tree = folder(&sources, "desk", &|_, _, _| true).unwrap_or_else(|errors| panic!("{errors}")).tree;
    for (path, text) in tree.files() {
        assert!(!text.contains("SENTENCE"), "{path}:\n{text}");
    }
    let api = tree.get("api.yaml").unwrap();
    for line in [
        "      operationId: getParcel\n      tags: [parcels]\n      summary: \"\"  # TODO: describe\n",
        "          schema: {type: string, default: d, maxLength: 9}\n",
        "          description: OK\n",
        "        size:\n          type: string\n          description: \"\"  # TODO: describe\n          enum: [s, l]\n",
        "        of: {$ref: \"#/components/schemas/Parcel\"}\n",
        "  title: Parcel Desk\n",
    ] {
        assert!(api.contains(line) || api.contains("info: {title: \"Parcel Desk\", version: \"2\"}"), "{line}\n{api}");
    }
    assert!(!api.contains("Unused"));
    let overlay = tree.get("overlay.yaml").unwrap();
    assert!(
        overlay
            .contains("        name: desk_get_parcel\n        verb: get\n        # effect: read  # to be reviewed\n"),
        "{overlay}"
    );
    assert!(overlay.contains("$.paths['/it\\\\'s'].put"), "{overlay}");
    let vendor = tree.get("vendor.toml").unwrap();
    for line in [
        "example = \"https://eu.example.com/v1\"",
        "header = \"X-Desk-Key\"",
        "value = \"DESK_KEY\"",
        "token = \"DESK_TOKEN\"",
    ] {
        assert!(vendor.contains(line), "{vendor}");
    }
    let one = folder(&sources, "desk", &|id, _, _| id == "putIt").unwrap().tree;
    assert!(!one.get("api.yaml").unwrap().contains("getParcel"));
    assert!(folder(&sources, "desk", &|_, _, _| false).is_err());
}

#[test]
fn ids_that_are_no_folder_feature_and_module_are_refused() {
    for name in ["../x", "a/b", "", "A", "1a", "a-b", "type", "typed", "default", "crate", "a\0", "é"] {
        assert!(!is_vendor_id(name), "{name}");
    }
    assert!(is_vendor_id("acme2"));
}

fn described(title: &str, path: &str, server: &str, schemes: &serde_json::Value) -> Description {
    let document = json!({
        "openapi": "3.0.0",
        "info": {"title": title, "version": "1"},
        "servers": [{"url": server}],
        "paths": {path: {"get": {"operationId": "listUsers", "responses": {"200": {"description": "x"}}}}},
        "components": {"securitySchemes": schemes},
    });
    Description { document, steps: Vec::new(), format: "OpenAPI 3.0.0".to_owned(), dropped: Vec::new(), text: None }
}

#[test]
fn several_apis_share_names_and_one_vendor_file() {
    let key = |header: &str| json!({"k": {"type": "apiKey", "in": "header", "name": header}});
    let one = described("Desk", "/users", "https://a.example.com/v1", &key("X-Desk-Key"));
    let two = described("Desk two", "/users", "https://a.example.com/v2/", &key("x-desk-key"));
    let three = described("Desk three", "/groups", "https://a.example.com/v1", &key("Key"));
    let cookie = described("Desk four", "/other", "/", &json!({"c": {"type": "apiKey", "in": "cookie", "name": "s"}}));
    let source = |api, description| NamedDescription { api, file: api, description };
    let sources = [source("v1", &one), source("v2", &two), source("v3", &three), source("v4", &cookie)];
    let made = folder(&sources, "desk", &|_, _, _| true).unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<&str> = made.tree.files().map(|(path, _)| path).collect();
    let expected = ["v1", "v2", "v3", "v4"].map(|api| [format!("{api}.overlay.yaml"), format!("{api}.yaml")]);
    assert_eq!(names, [&expected.concat()[..], &["vendor.toml".to_owned()]].concat());
    assert!(made.tree.get("v1.overlay.yaml").unwrap().contains("name: desk_list_users\n"));
    let second = made.tree.get("v2.overlay.yaml").unwrap();
    assert!(second.contains("name: desk_list_users_get\n") && second.contains("extends: v2.yaml"), "{second}");
    let vendor = made.tree.get("vendor.toml").unwrap();
    assert_eq!(vendor.matches("[[credentials]]").count(), 3, "{vendor}");
    let roots =
        "roots = { v1 = \"{DESK_URL}/v1\", v2 = \"{DESK_URL}/v2\", v3 = \"{DESK_URL}/v1\", v4 = \"{DESK_URL}\" }";
    for line in [
        "example = \"https://a.example.com\"\n",
        roots,
        "value = \"DESK_KEY\"",
        "value = \"DESK_KEY_2\"",
        "template = \"s={}\"\n",
    ] {
        assert!(vendor.contains(line), "{vendor}");
    }
    assert_eq!(made.notes.len(), 1, "{:?}", made.notes);
    assert!(folder(&[source("v1", &one), source("v1", &two)], "desk", &|_, _, _| true).is_err());
    assert!(folder(&[source("../v1", &one)], "desk", &|_, _, _| true).is_err());
    let few = folder(&sources, "desk", &|_, _, path| path == "/groups").unwrap();
    assert_eq!(few.tree.files().count(), 3);
}

#[test]
fn credentials_are_those_that_operations_accept() {
    let schemes = json!({
        "org": {"type": "apiKey", "in": "header", "name": "X-Org"},
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "app": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://login.example.com/token", "scopes": {"a": "", "b": ""}}}},
        "login": {"type": "http", "scheme": "basic"},
    });
    let mut one = described("Desk", "/users", "https://a.example.com/v1", &schemes);
    one.document["security"] = json!([{"key": [], "org": []}]);
    one.document["paths"]["/users"]["put"] = json!({"operationId": "p", "security": [{"app": ["a"]}, {"login": []}], "responses": {"200": {"description": "x"}}});
    one.document["paths"]["/users"]["post"] =
        json!({"operationId": "o", "security": [{"login": []}], "responses": {"200": {"description": "x"}}});
    let two = described("Events", "/events", "https://b.example.com/v1", &json!({}));
    let source = |api, description| NamedDescription { api, file: api, description };
    let made = folder(&[source("desk", &one), source("events", &two)], "desk", &|_, _, _| true)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let vendor = made.tree.get("vendor.toml").unwrap();
    let (_, found) = vendor.split_once("[address]").unwrap();
    assert_eq!(
        found,
        r#"
variable = "DESK_URL"
example = "https://a.example.com/v1"
also = [{ variable = "DESK_EVENTS_URL", example = "https://b.example.com/v1" }]
roots = { desk = "{DESK_URL}", events = "{DESK_EVENTS_URL}" }

[[credentials]]
kind = "header"
header = "X-Key"
value = "DESK_KEY"
further = { "X-Org" = "DESK_ORG" }
schemes = ["key", "org"]

[[credentials]]
kind = "basic"
user = "DESK_USER"
password = "DESK_PASSWORD"
schemes = ["login"]

[[credentials]]
kind = "bearer"
token = "DESK_TOKEN"
schemes = ["app"]

[[credentials]]
kind = "oauth-client"
client_id = "DESK_CLIENT_ID"
client_secret = "DESK_CLIENT_SECRET"
endpoint = "https://login.example.com/token"
scope = "a b"
schemes = ["app"]
"#
    );
    assert!(made.notes[0].contains("different addresses"), "{:?}", made.notes);
}

#[test]
fn addresses_of_some_operations_have_variables() {
    let mut one = described("Desk", "/users", "https://a.example.com/v1", &json!({}));
    let at =
        |url: &str| json!({"operationId": url, "servers": [{"url": url, "description": "SENTENCE"}], "responses": {}});
    one.document["paths"]["/same"] = json!({"get": at("https://a.example.com/v1/")});
    one.document["paths"]["/path"] = json!({"get": at("/v2")});
    one.document["paths"]["/files"] = json!({"get": at("https://files.example.com"), "put": at("https://files.example.org/x"), "servers": [{"url": "https://b.example.com"}], "post": {"operationId": "p", "responses": {}}});
    let source = [NamedDescription { api: "desk", file: "desk", description: &one }];
    let made = folder(&source, "desk", &|_, _, _| true).unwrap_or_else(|errors| panic!("{errors}"));
    let vendor = made.tree.get("vendor.toml").unwrap();
    let (_, servers) = vendor.split_once("[servers]\n").unwrap();
    let (servers, _) = servers.split_once("\n\n").unwrap();
    let expected = r#""https://files.example.com" = { variable = "DESK_FILES_URL" }
"https://b.example.com" = { variable = "DESK_B_URL" }
"https://files.example.org/x" = { variable = "DESK_FILES_2_URL" }"#;
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sorted(servers), sorted(expected), "{vendor}");
    assert!(made.notes.iter().any(|note| note.contains("review `[servers]`")), "{:?}", made.notes);
    let facts = made.tree.get("desk.yaml").unwrap();
    assert!(facts.contains("https://files.example.org/x") && !facts.contains("SENTENCE"), "{facts}");
}

#[test]
fn headers_with_one_value_for_all_calls_are_found() {
    let mut description = described("Desk", "/users", "https://a.example.com/v1", &json!({}));
    let header = |name: &str| json!({"name": name, "in": "header", "schema": {"type": "string"}});
    description.document["paths"]["/users"]["get"]["parameters"] =
        json!([header("X-Tenant"), header("Date"), header("If-Match"), header("Idempotency-Key")]);
    let report = lint(&description, "d.yaml", "desk", None).unwrap_or_else(|errors| panic!("{errors}"));
    let found: Vec<&str> =
        report.findings.iter().filter(|finding| finding.kind == "constant-header").map(|f| f.what.as_str()).collect();
    assert_eq!(
        found,
        ["X-Tenant", "Date"]
            .map(|name| format!("the header `{name}` is not a model's to choose: hide it or give it a value"))
    );
}

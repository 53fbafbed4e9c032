//! Swagger 2.0 → OpenAPI 3.0, all but parameters and bodies (`inputs`).

mod inputs;

use serde_json::{Map, Value, json};

use super::grammar::{Role, references, visit};
use super::{Steps, schema, take_object};
use toolwright_codegen::read::paths::METHODS;
use toolwright_codegen::read::reference::escape;

/// Root keys that both formats have.
const KEPT: [&str; 4] = ["info", "tags", "security", "externalDocs"];

/// Defaults of the document for all operations.
struct Frame {
    consumes: Vec<String>,
    produces: Vec<String>,
    /// `parameters` of the root, by name.
    parameters: Map<String, Value>,
}

/// Returns the document in OpenAPI 3.0.
pub(super) fn convert(document: &Value, steps: &mut Steps) -> Value {
    let mut source = document.as_object().cloned().unwrap_or_default();
    let frame = Frame {
        consumes: media_types(source.get("consumes")).unwrap_or_else(|| vec!["application/json".to_owned()]),
        produces: media_types(source.get("produces")).unwrap_or_else(|| vec!["application/json".to_owned()]),
        parameters: take_object(&mut source, "parameters"),
    };
    let mut root = Map::new();
    root.insert("openapi".to_owned(), json!("3.0.3"));
    steps.add("swagger-2", "", "the document becomes OpenAPI 3.0.3");
    for key in KEPT {
        if let Some(value) = source.shift_remove(key) {
            root.insert(key.to_owned(), value);
        }
    }
    root.insert("servers".to_owned(), servers(&source, steps));
    let mut components = Map::new();
    components.insert("schemas".to_owned(), Value::Object(take_object(&mut source, "definitions")));
    frame.convert_shared(&mut components, steps);
    let responses = take_object(&mut source, "responses").into_iter();
    let responses: Map<String, Value> = responses
        .map(|(name, response)| {
            let pointer = format!("/responses/{}", escape(&name));
            (name, response_of(response, &frame.produces, &pointer, steps))
        })
        .collect();
    components.insert("responses".to_owned(), Value::Object(responses));
    let schemes = take_object(&mut source, "securityDefinitions").into_iter();
    let schemes: Map<String, Value> = schemes.map(|(name, scheme)| (name, security_scheme(scheme))).collect();
    components.insert("securitySchemes".to_owned(), Value::Object(schemes));
    let paths = take_object(&mut source, "paths").into_iter();
    let paths: Map<String, Value> = paths
        .map(|(path, item)| {
            let pointer = format!("/paths/{}", escape(&path));
            let item = frame.path_item(item, &pointer, steps);
            (path, item)
        })
        .collect();
    root.insert("paths".to_owned(), Value::Object(paths));
    components.retain(|_, section| section.as_object().is_some_and(|section| !section.is_empty()));
    root.insert("components".to_owned(), Value::Object(components));
    let mut converted = Value::Object(root);
    references(&mut converted, &mut |reference| {
        for (old, new) in [
            ("#/definitions/", "#/components/schemas/"),
            ("#/responses/", "#/components/responses/"),
            ("#/parameters/", "#/components/parameters/"),
        ] {
            if let Some(rest) = reference.strip_prefix(old) {
                *reference = format!("{new}{rest}");
                return;
            }
        }
    });
    visit(&mut converted, &mut |role, value, pointer| {
        if role == Role::Schema {
            schema::convert(value, pointer, steps);
        }
    });
    converted
}

fn media_types(list: Option<&Value>) -> Option<Vec<String>> {
    let types: Vec<String> = list?.as_array()?.iter().filter_map(|t| t.as_str().map(str::to_owned)).collect();
    if types.is_empty() { None } else { Some(types) }
}

fn servers(source: &Map<String, Value>, steps: &mut Steps) -> Value {
    let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default();
    let base = text("basePath").trim_end_matches('/');
    let host = text("host");
    if host.is_empty() {
        steps.add("servers", "/host", "no host: vendor.toml names a variable for it");
        return json!([{"url": if base.is_empty() { "/" } else { base }}]);
    }
    let mut schemes: Vec<&str> =
        source.get("schemes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if schemes.is_empty() {
        schemes.push("https");
    }
    // https first, because the first server becomes the example.
    schemes.sort_by_key(|scheme| *scheme != "https");
    let servers: Vec<Value> = schemes.iter().map(|scheme| json!({"url": format!("{scheme}://{host}{base}")})).collect();
    steps.add("servers", "/host", format!("`host`, `basePath` and `schemes` become {} servers", servers.len()));
    Value::Array(servers)
}

fn security_scheme(scheme: Value) -> Value {
    let Value::Object(mut scheme) = scheme else { return scheme };
    match scheme.get("type").and_then(Value::as_str) {
        Some("basic") => {
            scheme.insert("type".to_owned(), json!("http"));
            scheme.insert("scheme".to_owned(), json!("basic"));
        }
        Some("oauth2") => {
            let flow = match scheme.shift_remove("flow").as_ref().and_then(Value::as_str) {
                Some("application") => "clientCredentials",
                Some("accessCode") => "authorizationCode",
                Some("password") => "password",
                _ => "implicit",
            };
            let mut out = Map::new();
            for key in ["authorizationUrl", "tokenUrl", "scopes"] {
                if let Some(value) = scheme.shift_remove(key) {
                    out.insert(key.to_owned(), value);
                }
            }
            out.entry("scopes").or_insert_with(|| json!({}));
            scheme.insert("flows".to_owned(), json!({(flow): out}));
        }
        _ => {}
    }
    Value::Object(scheme)
}

impl Frame {
    fn path_item(&self, item: Value, pointer: &str, steps: &mut Steps) -> Value {
        let Value::Object(mut item) = item else { return item };
        let shared = match item.shift_remove("parameters") {
            Some(Value::Array(parameters)) => parameters,
            _ => Vec::new(),
        };
        // A body that the path item states is copied to each of its operations.
        let (plain, bodies): (Vec<Value>, Vec<Value>) =
            shared.into_iter().partition(|parameter| !inputs::is_body(self.resolved(parameter)));
        for method in METHODS {
            let Some(Value::Object(operation)) = item.get_mut(method) else { continue };
            self.operation(operation, &bodies, &format!("{pointer}/{method}"), steps);
        }
        if !plain.is_empty() {
            let plain: Vec<Value> =
                plain.into_iter().map(|parameter| inputs::parameter(parameter, pointer, steps)).collect();
            item.insert("parameters".to_owned(), Value::Array(plain));
        }
        Value::Object(item)
    }

    fn operation(&self, operation: &mut Map<String, Value>, shared: &[Value], pointer: &str, steps: &mut Steps) {
        let consumes =
            media_types(operation.shift_remove("consumes").as_ref()).unwrap_or_else(|| self.consumes.clone());
        let produces =
            media_types(operation.shift_remove("produces").as_ref()).unwrap_or_else(|| self.produces.clone());
        if let Some(schemes) = operation.shift_remove("schemes") {
            steps.add(
                "schemes",
                pointer,
                format!("its own `schemes` {schemes} are left out: the configured address decides"),
            );
        }
        let own = match operation.shift_remove("parameters") {
            Some(Value::Array(parameters)) => parameters,
            _ => Vec::new(),
        };
        let (mut plain, mut bodies) = (Vec::new(), Vec::new());
        for parameter in own {
            if inputs::is_body(self.resolved(&parameter)) {
                bodies.push(self.resolved(&parameter).clone());
            } else {
                plain.push(inputs::parameter(parameter, pointer, steps));
            }
        }
        for parameter in shared.iter().map(|parameter| self.resolved(parameter)) {
            let same =
                |other: &Value| other.get("name") == parameter.get("name") && other.get("in") == parameter.get("in");
            if !bodies.iter().any(same) {
                bodies.push(parameter.clone());
            }
        }
        if !plain.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(plain));
        }
        if let Some(body) = inputs::body(&bodies, &consumes, pointer, steps) {
            operation.insert("requestBody".to_owned(), body);
        }
        let responses = take_object(operation, "responses").into_iter();
        let responses: Map<String, Value> = responses
            .map(|(status, response)| {
                let pointer = format!("{pointer}/responses/{status}");
                (status, response_of(response, &produces, &pointer, steps))
            })
            .collect();
        if !responses.is_empty() {
            operation.insert("responses".to_owned(), Value::Object(responses));
        }
    }

    /// Returns the parameter itself, or the one at the root that it refers to.
    fn resolved<'v>(&'v self, parameter: &'v Value) -> &'v Value {
        let name = parameter.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/parameters/"));
        name.and_then(|name| self.parameters.get(&name.replace("~1", "/").replace("~0", "~"))).unwrap_or(parameter)
    }

    /// The root's parameters without bodies, which are written out where they are referred to.
    fn convert_shared(&self, components: &mut Map<String, Value>, steps: &mut Steps) {
        let shared: Map<String, Value> = self
            .parameters
            .iter()
            .filter(|(_, parameter)| !inputs::is_body(parameter))
            .map(|(name, parameter)| {
                let pointer = format!("/parameters/{}", escape(name));
                (name.clone(), inputs::parameter(parameter.clone(), &pointer, steps))
            })
            .collect();
        components.insert("parameters".to_owned(), Value::Object(shared));
    }
}

fn response_of(response: Value, produces: &[String], pointer: &str, steps: &mut Steps) -> Value {
    let Value::Object(mut response) = response else { return response };
    if response.contains_key("$ref") {
        return Value::Object(response);
    }
    response.entry("description").or_insert_with(|| json!(""));
    let mut examples = take_object(&mut response, "examples");
    if let Some(schema) = response.shift_remove("schema") {
        let mut content = Map::new();
        for media_type in produces {
            let mut media = json!({"schema": schema});
            if let Some(example) = examples.shift_remove(media_type) {
                media["example"] = example;
            }
            content.insert(media_type.clone(), media);
        }
        response.insert("content".to_owned(), Value::Object(content));
    }
    if let Some(Value::Object(headers)) = response.get_mut("headers") {
        for (_, header) in headers.iter_mut() {
            if let Value::Object(header) = header {
                inputs::move_into_schema(header, pointer, steps);
            }
        }
    }
    Value::Object(response)
}

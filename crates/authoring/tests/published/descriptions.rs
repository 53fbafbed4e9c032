//! A description, ours or a vendor's, OpenAPI 3.0 or Swagger 2.0 → what each operation's request can
//! carry, as it travels.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::repository;

/// Our file, theirs, and what the two share.
pub(super) struct Pair {
    pub(super) ours: &'static str,
    pub(super) theirs: &'static str,
    /// The fewest operations that are in our file; the number of theirs where all are.
    pub(super) least: usize,
}

pub(super) const PAIRS: [Pair; 6] = [
    Pair { ours: "jsm/servicedesk.yaml", theirs: "jsm-servicedesk.openapi3.json", least: 69 },
    Pair { ours: "jsm/platform.yaml", theirs: "jira-platform.openapi3.json", least: 144 },
    Pair { ours: "jsm/assets.yaml", theirs: "jsm-assets.openapi3.json", least: 54 },
    Pair { ours: "jumpcloud/v1.yaml", theirs: "jumpcloud-v1.swagger2.json", least: 57 },
    Pair { ours: "jumpcloud/v2.yaml", theirs: "jumpcloud-v2.swagger2.json", least: 299 },
    Pair { ours: "jumpcloud/insights.yaml", theirs: "jumpcloud-insights.swagger2.json", least: 7 },
];

impl Pair {
    /// The API's id: `jsm/platform.yaml` → `jsm-platform`.
    pub(super) fn api(&self) -> String {
        self.ours.trim_end_matches(".yaml").replace('/', "-")
    }
}

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// Headers that HTTP itself carries; a description may name them or not.
const TRANSPORT: [&str; 3] = ["accept", "content-type", "authorization"];
/// Headers that the vendor demands in its prose and does not declare.
const UNDECLARED: [&str; 2] = ["x-experimentalapi", "x-atlassian-token"];

/// Method and path, without a slash at its end.
pub(super) type OperationKey = (String, String);

/// Where and by which name something travels: `query`, `path`, `header` or `body`.
pub(super) type InputKey = (String, String);

/// A parameter or a property of the body.
#[derive(Debug, Clone, Default)]
pub(super) struct Input {
    pub(super) required: bool,
    /// The vendor marks it as gone, or sets it itself.
    pub(super) closed: bool,
    /// With references.
    pub(super) schema: Value,
}

pub(super) struct Description {
    pub(super) root: Value,
}

impl Description {
    pub(super) fn ours(name: &str) -> Option<Self> {
        let path = repository().join("specs").join(name);
        let text = std::fs::read_to_string(path).ok()?;
        Some(Self { root: serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")) })
    }

    pub(super) fn theirs(path: &Path) -> Self {
        Self { root: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() }
    }

    pub(super) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let pointer = reference.trim_start_matches('#');
                self.resolved(self.root.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => value,
        }
    }

    /// A schema with what its `allOf` adds; its parts may still be references.
    pub(super) fn flat(&self, schema: &Value) -> Map<String, Value> {
        let schema = self.resolved(schema);
        let mut flat = schema.as_object().cloned().unwrap_or_default();
        flat.remove("allOf");
        for part in schema["allOf"].as_array().into_iter().flatten() {
            for (key, value) in self.flat(part) {
                match (flat.get_mut(&key), value) {
                    (Some(Value::Object(mine)), Value::Object(more)) if key == "properties" => {
                        for (name, property) in more {
                            mine.entry(name).or_insert(property);
                        }
                    }
                    (Some(Value::Array(mine)), Value::Array(more)) if key == "required" => mine.extend(more),
                    (Some(_), _) => {}
                    (None, value) => {
                        flat.insert(key, value);
                    }
                }
            }
        }
        flat
    }

    /// What the request of each operation can carry.
    pub(super) fn operations(&self) -> BTreeMap<OperationKey, BTreeMap<InputKey, Input>> {
        let mut operations = BTreeMap::new();
        for (path, item) in self.root["paths"].as_object().unwrap() {
            let shared = item.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let own = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
                let mut inputs = BTreeMap::new();
                for parameter in shared.iter().chain(&own) {
                    self.parameter(self.resolved(parameter), &mut inputs);
                }
                if let Some(body) = operation.get("requestBody") {
                    self.body(self.resolved(body), &mut inputs);
                }
                operations.insert((method.to_uppercase(), path.trim_end_matches('/').to_owned()), inputs);
            }
        }
        operations
    }

    fn parameter(&self, parameter: &Value, into: &mut BTreeMap<InputKey, Input>) {
        let text = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
        let (place, mut name) = (text("in"), text("name"));
        if place == "header" {
            name.make_ascii_lowercase();
            if TRANSPORT.contains(&name.as_str()) || UNDECLARED.contains(&name.as_str()) {
                return;
            }
        }
        if place == "body" {
            // Swagger 2.0 calls the body by a name that travels nowhere.
            self.properties(&parameter["schema"], into);
            return;
        }
        let place = if place == "formData" { "body".to_owned() } else { place };
        let closed = parameter["deprecated"] == true;
        let schema = parameter.get("schema").unwrap_or(parameter).clone();
        into.insert((place, name), Input { required: parameter["required"] == true, closed, schema });
    }

    fn body(&self, body: &Value, into: &mut BTreeMap<InputKey, Input>) {
        if let Some(content) = body["content"].as_object().and_then(|content| content.values().next()) {
            self.properties(&content["schema"], into);
        }
    }

    /// The properties of an object body; other bodies have no names to compare.
    fn properties(&self, schema: &Value, into: &mut BTreeMap<InputKey, Input>) {
        let schema = self.flat(schema);
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let stated = self.flat(property);
            let closed = ["readOnly", "deprecated"].iter().any(|key| stated.get(*key) == Some(&Value::Bool(true)));
            let input = Input { required: false, closed, schema: property.clone() };
            into.insert(("body".to_owned(), name.clone()), input);
        }
        // A mark on what the body can't have is a slip of the vendor's.
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let is_stated =
            |name: &&str| !is_closed || schema.get("properties").is_some_and(|all| all.get(*name).is_some());
        for name in required.iter().filter_map(Value::as_str).filter(is_stated) {
            into.entry(("body".to_owned(), name.to_owned())).or_default().required = true;
        }
    }
}

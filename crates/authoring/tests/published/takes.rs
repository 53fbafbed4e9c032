//! A schema of a published description → what a request may hold there, read by the specifications alone (OpenAPI 3.0 and
//! 3.1, Swagger 2.0, JSON Schema): alternatives, each a list of schemas that hold together. Nothing here knows how tools
//! are made.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// More alternatives than this are not told apart.
pub(super) const MOST: usize = 64;

/// A description as it is published, and where schemas are in it.
pub(super) struct Source {
    pub(super) root: Value,
}

/// One way in which a value can be right.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    /// Schemas without compositions that all hold.
    pub(super) parts: Vec<Map<String, Value>>,
    /// The references on the way here.
    pub(super) through: Vec<String>,
    /// Whether a reference leads back to one of these.
    pub(super) recurs: bool,
}

const COMPOSITIONS: [&str; 3] = ["allOf", "oneOf", "anyOf"];

impl Source {
    pub(super) fn target(&self, reference: &str) -> Option<&Value> {
        self.root.pointer(&reference.strip_prefix('#')?.replace("%7B", "{").replace("%7D", "}"))
    }

    /// Follows references to their end.
    pub(super) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut here = value;
        for _ in 0..20 {
            match here.get("$ref").and_then(Value::as_str).and_then(|reference| self.target(reference)) {
                Some(target) => here = target,
                None => break,
            }
        }
        here
    }

    /// The ways of a schema that is reached through these references; null is none of them.
    pub(super) fn ways(&self, schema: &Value, through: &[String]) -> Vec<Way> {
        self.of(schema, through, None).into_iter().filter(|way| way.kind() != Kind::Impossible).collect()
    }

    /// `base`: within the schema of a model, the one that it inherits from is meant without its other heirs.
    fn of(&self, schema: &Value, through: &[String], base: Option<&str>) -> Vec<Way> {
        let Some(object) = schema.as_object() else { return vec![Way { through: through.to_vec(), ..Way::default() }] };
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            let mut siblings = object.clone();
            siblings.remove("$ref");
            siblings.retain(|key, _| {
                !["description", "summary", "title"].contains(&key.as_str()) && !key.starts_with("x-")
            });
            let ways = self.through(reference, through, base);
            // Before 3.1 what is beside a reference is ignored.
            let counts = self.root["openapi"].as_str().is_some_and(|version| version.starts_with("3.1"));
            if siblings.is_empty() || !counts {
                return ways;
            }
            return both(&ways, &self.of(&Value::Object(siblings), through, base));
        }
        let mut own = object.clone();
        own.retain(|key, _| !COMPOSITIONS.contains(&key.as_str()));
        if let Some(value) = own.remove("const") {
            own.insert("enum".to_owned(), json!([value]));
        }
        let types: Vec<Value> = own.get("type").and_then(Value::as_array).cloned().unwrap_or_default();
        let types: Vec<Value> = types.into_iter().filter(|one| one != "null").collect();
        let one = |own: Map<String, Value>| Way { parts: vec![own], through: through.to_vec(), recurs: false };
        let mut ways: Vec<Way> = if types.is_empty() {
            vec![one(own)]
        } else {
            let of_type =
                |kind: &Value| one(own.clone().into_iter().chain([("type".to_owned(), kind.clone())]).collect());
            types.iter().map(of_type).collect()
        };
        let current = through.last().cloned();
        for part in object.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            ways = both(&ways, &self.of(part, through, current.as_deref().or(base)));
        }
        for key in ["oneOf", "anyOf"] {
            let Some(alternatives) = object.get(key).and_then(Value::as_array) else { continue };
            let mut all = Vec::new();
            for alternative in alternatives.iter().filter(|one| !is_null(one)) {
                let own = self.of(alternative, through, None);
                all.extend(match (object.get("discriminator"), alternative.get("$ref").and_then(Value::as_str)) {
                    (Some(by), Some(reference)) => self.chosen(own, by, reference),
                    _ => own,
                });
            }
            if !all.is_empty() {
                ways = both(&ways, &all);
            }
        }
        ways
    }

    fn through(&self, reference: &str, through: &[String], base: Option<&str>) -> Vec<Way> {
        if through.iter().any(|known| known == reference) && base.is_none_or(|from| !self.inherits(from, reference)) {
            let kind = self.target(reference).and_then(|target| target.get("type")).cloned();
            let part = kind.map(|kind| Map::from_iter([("type".to_owned(), kind)])).unwrap_or_default();
            return vec![Way { parts: vec![part], through: through.to_vec(), recurs: true }];
        }
        let Some(target) = self.target(reference) else { return vec![Way::default()] };
        let mut further = through.to_vec();
        further.push(reference.to_owned());
        let is_base = base.is_some_and(|from| self.inherits(from, reference));
        let heirs = if is_base { Vec::new() } else { self.heirs(reference, target) };
        if heirs.is_empty() {
            return self.of(target, &further, base.filter(|_| is_base));
        }
        let by = &target["discriminator"];
        heirs
            .iter()
            .flat_map(|heir| {
                let own = if heir == reference {
                    self.of(target, &further, Some(reference))
                } else {
                    self.of(&json!({"$ref": heir}), &further, None)
                };
                self.chosen(own, by, heir)
            })
            .collect()
    }

    /// The models that inherit from one with a discriminator and no alternatives of its own.
    fn heirs(&self, reference: &str, model: &Value) -> Vec<String> {
        let Some(by) = model.get("discriminator").filter(|_| model.get("oneOf").or(model.get("anyOf")).is_none())
        else {
            return Vec::new();
        };
        let mapped = by.get("mapping").and_then(Value::as_object).into_iter().flatten();
        let mut heirs: Vec<String> = Vec::new();
        for target in mapped.filter_map(|(_, target)| target.as_str()) {
            let target =
                if target.starts_with('#') { target.to_owned() } else { format!("#/components/schemas/{target}") };
            if self.target(&target).is_some() && !heirs.contains(&target) {
                heirs.push(target);
            }
        }
        if heirs.is_empty() {
            heirs = self.models().filter(|heir| self.inherits(heir, reference)).collect();
            if !heirs.is_empty() {
                heirs.insert(0, reference.to_owned());
            }
        }
        heirs
    }

    fn models(&self) -> impl Iterator<Item = String> {
        let of = |pointer: &'static str| {
            let named = self.root.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
            named.map(move |(name, _)| format!("#{pointer}/{}", name.replace('~', "~0").replace('/', "~1")))
        };
        of("/components/schemas").chain(of("/definitions"))
    }

    fn inherits(&self, heir: &str, model: &str) -> bool {
        let is_model = self.target(model).is_some_and(|model| model.get("discriminator").is_some());
        is_model && heir != model && self.leads(heir, model, 16)
    }

    fn leads(&self, from: &str, to: &str, left: usize) -> bool {
        let parts =
            self.target(from).and_then(|model| model.get("allOf")).and_then(Value::as_array).into_iter().flatten();
        let mut references = parts.filter_map(|part| part.get("$ref").and_then(Value::as_str));
        left > 0 && references.any(|reference| reference == to || self.leads(reference, to, left - 1))
    }

    /// Adds the values by which a discriminator chooses a model, unless that states its own.
    fn chosen(&self, ways: Vec<Way>, by: &Value, model: &str) -> Vec<Way> {
        let Some(property) = by.get("propertyName").and_then(Value::as_str).or(by.as_str()) else { return ways };
        let name = model.rsplit('/').next().unwrap_or_default();
        let mapping = by.get("mapping").and_then(Value::as_object).filter(|mapping| !mapping.is_empty());
        let values: Vec<&str> = match mapping {
            Some(mapping) => {
                let means = |target: &Value| target == model || target == name;
                mapping.iter().filter(|(_, target)| means(target)).map(|(value, _)| value.as_str()).collect()
            }
            None => vec![name],
        };
        if values.is_empty() {
            return ways;
        }
        let choice = json!({"type": "object", "required": [property], "properties": {property: {"type": "string", "enum": values}}});
        let states_own = |way: &Way| {
            let own = way.property(property).map(|schema| self.ways(&schema, &way.through)).unwrap_or_default();
            own.iter().any(|own| own.values().is_some() || !matches!(own.kind(), Kind::Any | Kind::One("string")))
        };
        let add = |mut way: Way| {
            if !states_own(&way) {
                way.parts.extend(choice.as_object().cloned());
            }
            way
        };
        ways.into_iter().map(add).collect()
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("null"))
        || schema.get("enum") == Some(&json!([null]))
        || schema.get("const") == Some(&Value::Null)
}

fn both(left: &[Way], right: &[Way]) -> Vec<Way> {
    let mut all = Vec::new();
    for one in left {
        for other in right {
            let mut way = one.clone();
            way.parts.extend(other.parts.iter().cloned());
            way.through.extend(other.through.iter().filter(|known| !one.through.contains(known)).cloned());
            way.recurs |= other.recurs;
            if way.kind() != Kind::Impossible {
                all.push(way);
            }
        }
    }
    if all.is_empty() { left.to_vec() } else { all }
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    One(&'static str),
    /// The schemas contradict each other.
    Impossible,
}

const KINDS: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

impl Way {
    pub(super) fn kind(&self) -> Kind {
        let mut found: Option<&'static str> = None;
        for stated in self.parts.iter().filter_map(|part| part.get("type")?.as_str()) {
            let Some(kind) = KINDS.iter().find(|kind| **kind == stated) else { continue };
            found = match (found, *kind) {
                (None, kind) => Some(kind),
                (Some("number"), "integer") | (Some("integer"), "number") => Some("integer"),
                (Some(known), kind) if known == kind => Some(known),
                _ => return Kind::Impossible,
            };
        }
        if self.values().is_some_and(|values| values.is_empty()) {
            return Kind::Impossible;
        }
        let has = |keys: &[&str]| self.parts.iter().any(|part| keys.iter().any(|key| part.contains_key(*key)));
        let implied = || {
            if has(&["properties", "required", "additionalProperties"]) {
                return Some("object");
            }
            if has(&["items"]) {
                return Some("array");
            }
            let kinds: BTreeSet<&'static str> = self.values()?.iter().map(kind_of).collect();
            kinds.first().copied().filter(|_| kinds.len() == 1)
        };
        let of_text = || has(&["pattern", "minLength", "maxLength", "format"]).then_some("string");
        let of_number = || has(&["minimum", "maximum", "multipleOf"]).then_some("number");
        found.or_else(implied).or_else(of_text).or_else(of_number).map_or(Kind::Any, Kind::One)
    }

    /// The values that all parts list, but for null.
    pub(super) fn values(&self) -> Option<Vec<Value>> {
        let is_text = self.parts.iter().any(|part| part.get("type") == Some(&json!("string")));
        let mut listed = self.parts.iter().filter_map(|part| part.get("enum")?.as_array());
        let spelled = |value: &Value| match value {
            Value::Number(_) | Value::Bool(_) if is_text => Value::from(value.to_string()),
            value => value.clone(),
        };
        let first: Vec<Value> = listed.next()?.iter().filter(|value| !value.is_null()).map(spelled).collect();
        Some(listed.fold(first, |kept, more| {
            let more: Vec<Value> = more.iter().map(spelled).collect();
            kept.into_iter().filter(|value| more.contains(value)).collect()
        }))
    }

    /// The highest or lowest of a bound that the parts state.
    pub(super) fn bound(&self, key: &str, highest: bool) -> Option<f64> {
        let stated = self.parts.iter().filter_map(|part| part.get(key)?.as_f64());
        stated.reduce(|one, other| if (one > other) == highest { one } else { other })
    }

    /// Everything that the parts state of a property, as one schema.
    pub(super) fn property(&self, name: &str) -> Option<Value> {
        let stated: Vec<Value> =
            self.parts.iter().filter_map(|part| part.get("properties")?.get(name).cloned()).collect();
        match stated.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            _ => Some(json!({"allOf": stated})),
        }
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        let properties = self.parts.iter().filter_map(|part| part.get("properties")?.as_object());
        properties.flat_map(Map::keys).cloned().collect()
    }

    pub(super) fn required(&self) -> BTreeSet<String> {
        let lists = self.parts.iter().filter_map(|part| part.get("required")?.as_array());
        lists.flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.parts.iter().any(|part| part.get("additionalProperties") == Some(&Value::Bool(false)))
    }

    pub(super) fn items(&self) -> Value {
        let stated: Vec<Value> = self.parts.iter().filter_map(|part| part.get("items").cloned()).collect();
        if stated.is_empty() { json!({}) } else { json!({"allOf": stated}) }
    }

    pub(super) fn states(&self, key: &str, value: &Value) -> bool {
        self.parts.iter().any(|part| part.get(key) == Some(value))
    }
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

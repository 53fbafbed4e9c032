//! Arguments drawn at random from an input schema, the same for the same seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Sample values of one tool, by argument, or by the dotted path of a part of one.
pub(crate) type Samples = BTreeMap<String, Vec<Value>>;

/// The samples of every tool, which the vendors' grammars accept.
pub(crate) fn samples() -> &'static BTreeMap<String, Samples> {
    static SAMPLES: LazyLock<BTreeMap<String, Samples>> = LazyLock::new(|| {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("specs").is_dir());
        toolwright_codegen::generate(&project.unwrap().join("specs"), |_| true).unwrap().samples
    });
    &SAMPLES
}

/// Draws a set of arguments: what is required, and half of the rest.
pub(crate) fn arguments(schema: &Value, samples: &Samples, random: &mut Rng) -> Map<String, Value> {
    members(&one_alternative(schema, random), samples, "", random)
}

/// The schema with one of its alternatives: what that demands is added, what it describes is meant instead.
fn one_alternative(schema: &Value, random: &mut Rng) -> Value {
    let mut chosen = schema.clone();
    let Some(alternatives) = chosen.as_object_mut().and_then(|chosen| chosen.shift_remove("anyOf")) else {
        return chosen;
    };
    let possible: Vec<Value> =
        alternatives.as_array().into_iter().flatten().filter(|one| one["type"] != "null").cloned().collect();
    let one = one_alternative(&pick(&possible, random), random);
    for (key, stated) in one.as_object().into_iter().flatten() {
        match (key.as_str(), stated, chosen.get_mut(key)) {
            ("properties", Value::Object(own), Some(Value::Object(properties))) => {
                for (name, property) in own {
                    match properties.get_mut(name) {
                        // Neither keywords that only the whole states, nor a closer type.
                        Some(Value::Object(known)) if property.is_object() && property["type"] == known["type"] => {
                            known.shift_remove("anyOf");
                            known.extend(property.as_object().cloned().unwrap_or_default());
                        }
                        _ => drop(properties.insert(name.clone(), property.clone())),
                    }
                }
            }
            ("required", Value::Array(own), Some(Value::Array(required))) => required.extend(own.iter().cloned()),
            ("additionalProperties", Value::Bool(false), Some(further)) => {
                *further = json!(false);
                let own = one["properties"].as_object().cloned().unwrap_or_default();
                if let Some(properties) = chosen["properties"].as_object_mut() {
                    properties.retain(|name, _| own.contains_key(name));
                }
            }
            _ => chosen[key] = stated.clone(),
        }
    }
    chosen
}

fn members(schema: &Value, samples: &Samples, at: &str, random: &mut Rng) -> Map<String, Value> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let mut members = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if *property != json!(false) && (required.contains(&json!(name)) || random.bool()) {
            let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            members.insert(name.clone(), value(property, samples, &path, random));
        }
    }
    members
}

fn pick(values: &[Value], random: &mut Rng) -> Value {
    values[random.usize(..values.len())].clone()
}

fn value(schema: &Value, samples: &Samples, at: &str, random: &mut Rng) -> Value {
    let schema = &one_alternative(schema, random);
    if let Some(values) = samples.get(at).filter(|values| !values.is_empty()) {
        return pick(values, random);
    }
    if let Some(values) = schema["enum"].as_array() {
        return pick(values, random);
    }
    let kind = match &schema["type"] {
        // With null, which is drawn elsewhere.
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind.unwrap_or("any") {
        "any" => pick(&[json!("printer"), json!(7), json!(true), json!(["a"]), json!({"a": 1})], random),
        "integer" if !schema["multipleOf"].is_null() => {
            let step = schema["multipleOf"].as_i64().unwrap_or(1);
            json!(schema["minimum"].as_i64().unwrap_or(0).div_euclid(step).saturating_add(1).saturating_mul(step))
        }
        "integer" => {
            let least = schema["minimum"].as_i64().unwrap_or(-3);
            let most = schema["maximum"].as_i64().unwrap_or(least.saturating_add(100_000));
            match random.u8(..4) {
                0 => json!(least),
                1 => json!(most),
                _ => json!(random.i64(least..=most)),
            }
        }
        "number" => json!(schema["minimum"].as_f64().unwrap_or(0.0) + 0.5),
        "boolean" => json!(random.bool()),
        "string" => json!(text(schema, random)),
        "array" => {
            let least = schema["minItems"].as_u64().unwrap_or(0);
            let most = schema["maxItems"].as_u64().unwrap_or(least + 3);
            let count = random.u64(least..=most);
            let mut values: Vec<Value> = Vec::new();
            // A few more draws, since some come out equal.
            for _ in 0..4 * count {
                if values.len() as u64 == count {
                    break;
                }
                let one = value(&schema["items"], samples, at, random);
                if schema["uniqueItems"] != true || !values.contains(&one) {
                    values.push(one);
                }
            }
            Value::Array(values)
        }
        "object" => {
            let mut object = members(schema, samples, at, random);
            if object.contains_key("content_base64") {
                object.insert("content_base64".to_owned(), json!("aGVsbG8="));
                object.insert("filename".to_owned(), json!("a b.txt"));
                if object.contains_key("content_type") {
                    object.insert("content_type".to_owned(), json!("text/plain"));
                }
            }
            let further = &schema["additionalProperties"];
            if further.is_object() {
                for index in 0..random.u8(..3) {
                    object.insert(format!("cf{}", 100 + index), value(further, samples, &format!("{at}.*"), random));
                }
            }
            Value::Object(object)
        }
        other => panic!("a schema of type `{other}`: {schema}"),
    }
}

/// A text that breaks a request where it is not encoded.
fn text(schema: &Value, random: &mut Rng) -> String {
    const PARTS: [&str; 17] = [
        "printer",
        " ",
        "a=b&c=d",
        "100%",
        "%2F",
        "../x",
        "ü",
        "日本",
        "😀",
        "#1",
        "?q",
        "\"quoted\"",
        "<b>",
        "a+b",
        "line\nbreak",
        "back\\slash",
        "a;b[c]|d",
    ];
    match schema["format"].as_str() {
        Some("date") => return format!("2026-{:02}-{:02}", random.u8(1..=12), random.u8(1..=28)),
        Some("date-time") => return format!("2026-{:02}-{:02}T08:30:00Z", random.u8(1..=12), random.u8(1..=28)),
        Some("email") => return format!("{}@example.com", random.lowercase()),
        Some("byte") => {
            return pick(&[json!("aGVsbG8="), json!("AAAA")], random).as_str().unwrap_or_default().to_owned();
        }
        _ => {}
    }
    assert!(schema["pattern"].is_null(), "a pattern needs samples in the overlay: {schema}");
    let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap();
    let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or(200)).unwrap();
    let mut text = String::new();
    for _ in 0..random.u8(..4) {
        text.push_str(PARTS[random.usize(..PARTS.len())]);
    }
    while text.chars().count() < least.max(1) {
        text.push_str(PARTS[random.usize(..PARTS.len())]);
    }
    // A demanded text is more than spaces.
    if text.trim().is_empty() {
        text.insert(0, 'x');
    }
    text.chars().take(most).collect()
}

//! What the vendors publish ⇄ our tools: everything that a request can carry is offered, sent by us,
//! closed by the vendor or left out with a reason, and no bound of the vendor's is lost on the way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use toolwright_codegen::{Generated, Unoffered, generate};
use toolwright_model::{ApiTools, Binding, Call, Place, Tool};

use super::descriptions::{Description, Input, InputKey, OperationKey, PAIRS, Pair};
use super::published;
use crate::repository;

/// Headers that say who calls: the connection sends them.
const CONNECTION: [&str; 2] = ["x-api-key", "x-org-id"];

/// A bound that tools do not hold: the tool, the place in its argument, and why. `*` is every tool.
const EXCUSED: [(&str, &str, &str); 0] = [];

/// The tools of an API, and what they leave out.
struct Ours {
    tools: Vec<Tool>,
    unoffered: Vec<Unoffered>,
    /// The part of the report that names each operation without a tool, and why.
    skipped: String,
}

impl Ours {
    fn of(pair: &Pair, generated: &Generated) -> Self {
        let api = pair.api();
        let file = format!("{api}/tools.json");
        let (_, text) = generated.tree.files().find(|(path, _)| *path == file).unwrap();
        let ApiTools { tools, .. } = serde_json::from_str(text).unwrap();
        let report = format!("{api}/report.md");
        let (_, report) = generated.tree.files().find(|(path, _)| *path == report).unwrap();
        let skipped =
            report.split_once("\n## Skipped\n").map(|(_, rest)| rest.split("\n## ").next().unwrap_or_default());
        Self {
            tools,
            unoffered: generated.unoffered.get(&api).cloned().unwrap_or_default(),
            skipped: skipped.unwrap_or_default().to_owned(),
        }
    }

    /// Whether an operation has no tool, with a reason.
    fn is_skipped(&self, (method, path): &OperationKey) -> bool {
        self.skipped.contains(&format!("| {method} {path} | "))
    }

    fn calls(&self, (method, path): &OperationKey) -> impl Iterator<Item = (&Tool, &Call)> {
        let calls = self.tools.iter().flat_map(|tool| tool.calls.iter().map(move |call| (tool, call)));
        calls.filter(move |(_, call)| call.method == *method && call.path.trim_end_matches('/') == path)
    }

    /// What the tools of an operation offer, send or page by.
    fn places(&self, key: &OperationKey) -> BTreeSet<Place> {
        let of_call = |(_, call): (&Tool, &Call)| {
            let bound = call.bindings.iter().map(|binding| binding.place.clone());
            let fixed = call.fixed.iter().map(|fixed| fixed.place.clone());
            bound.chain(fixed).chain(call.paging.iter().map(|paging| paging.position.clone())).collect::<Vec<_>>()
        };
        self.calls(key).flat_map(of_call).collect()
    }

    /// Returns the reason why an operation leaves something out, by its position.
    fn reason(&self, key: &OperationKey, input: &InputKey) -> Option<usize> {
        self.unoffered.iter().position(|reason| holds(reason, key, input))
    }
}

fn holds(reason: &Unoffered, (method, path): &OperationKey, (place, name): &InputKey) -> bool {
    let of_operation =
        |[_, of_method, of_path]: &[String; 3]| of_method == method && of_path.trim_end_matches('/') == path;
    let same = if place == "header" { reason.name.eq_ignore_ascii_case(name) } else { reason.name == *name };
    let named = same || reason.name == format!("{place}:{name}");
    named && reason.operation.as_ref().is_none_or(of_operation)
}

/// The places in which our request could carry what travels so.
fn is_among(places: &BTreeSet<Place>, (place, name): &InputKey) -> bool {
    let has = |wanted: Place| places.contains(&wanted);
    match place.as_str() {
        "query" => has(Place::Query(name.clone())),
        "path" => has(Place::Path(name.clone())),
        "header" => places.iter().any(|place| matches!(place, Place::Header(ours) if ours.eq_ignore_ascii_case(name))),
        _ => has(Place::Property(name.clone())) || has(Place::Body),
    }
}

/// Each operation that is in both, with what the vendor lets it carry.
fn covered(pair: &Pair) -> (Description, BTreeMap<OperationKey, BTreeMap<InputKey, Input>>) {
    let ours = Description::ours(pair.ours).unwrap().operations();
    let theirs = Description::theirs(&published().join(pair.theirs));
    let mut operations = theirs.operations();
    operations.retain(|key, _| ours.contains_key(key));
    (theirs, operations)
}

fn generated() -> Generated {
    generate(&repository().join("specs"), |_| true).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn everything_that_a_request_can_carry_is_offered_or_left_out_with_a_reason() {
    let generated = generated();
    let mut wrong = Vec::new();
    for pair in PAIRS {
        let ours = Ours::of(&pair, &generated);
        let (_, operations) = covered(&pair);
        let (mut offered, mut closed, mut reasoned) = (0, 0, 0);
        let mut used = BTreeSet::new();
        for (key, inputs) in operations.iter().filter(|(key, _)| !ours.is_skipped(key)) {
            let places = ours.places(key);
            for (input, stated) in inputs.iter().filter(|((_, name), _)| !CONNECTION.contains(&name.as_str())) {
                let reason = ours.reason(key, input);
                used.extend(reason);
                if is_among(&places, input) {
                    offered += 1;
                } else if reason.is_some() {
                    reasoned += 1;
                } else if stated.closed {
                    closed += 1;
                } else {
                    let (place, name) = input;
                    wrong.push(format!("{}: {} {}: no tool offers `{name}` in {place}", pair.ours, key.0, key.1));
                }
            }
        }
        for (_, reason) in ours.unoffered.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
            let of = reason.operation.as_ref().map_or_else(|| "any operation".to_owned(), |of| of.join(" "));
            wrong.push(format!("{}: {of}: the vendor states no `{}`: the reason is of no use", pair.ours, reason.name));
        }
        println!("{}: {offered} offered or sent, {reasoned} left out with a reason, {closed} closed", pair.ours);
    }
    assert!(wrong.is_empty(), "{} findings\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn no_bound_that_a_vendor_states_is_lost() {
    let generated = generated();
    let (mut wrong, mut excused, mut compared) = (Vec::new(), BTreeSet::new(), 0);
    for pair in PAIRS {
        let ours = Ours::of(&pair, &generated);
        let (theirs, operations) = covered(&pair);
        for (key, inputs) in &operations {
            for (tool, call) in ours.calls(key) {
                let schema = Value::Object(tool.checked_schema());
                for binding in call.bindings.iter().filter(|binding| binding.formats.is_empty()) {
                    let Some(stated) = inputs.get(&travels(binding)) else { continue };
                    let theirs_at =
                        if binding.single { &theirs.resolved(&stated.schema)["items"] } else { &stated.schema };
                    let comparison = Comparison { theirs: &theirs };
                    let mut lost = Vec::new();
                    let argument = &schema["properties"][&binding.argument];
                    comparison.compare(theirs_at, argument, &binding.argument, &mut lost);
                    compared += 1;
                    for (at, what) in lost {
                        match EXCUSED
                            .iter()
                            .position(|(of, place, _)| [tool.name.as_str(), "*"].contains(of) && *place == at)
                        {
                            Some(excuse) => {
                                excused.insert(excuse);
                            }
                            None => wrong.push(format!("{}: `{at}`: {what}", tool.name)),
                        }
                    }
                }
            }
        }
    }
    for (tool, at, why) in
        EXCUSED.iter().enumerate().filter(|(index, _)| !excused.contains(index)).map(|(_, line)| line)
    {
        wrong.push(format!("{tool}: `{at}` is excused ({why}) and holds: remove the line"));
    }
    println!("{compared} arguments compared");
    assert!(compared > 1_000, "only {compared} arguments were compared");
    assert!(wrong.is_empty(), "{} bounds are lost\n{}", wrong.len(), wrong.join("\n"));
}

/// How an argument is named in the vendor's file.
fn travels(binding: &Binding) -> InputKey {
    let (place, name) = match &binding.place {
        Place::Path(name) => ("path", name.clone()),
        Place::Query(name) => ("query", name.clone()),
        Place::Header(name) => ("header", name.to_lowercase()),
        Place::Cookie(name) => ("cookie", name.clone()),
        Place::Property(name) => ("body", name.clone()),
        Place::Properties | Place::Body => ("body", String::new()),
    };
    (place.to_owned(), name)
}

struct Comparison<'a> {
    theirs: &'a Description,
}

/// Deeper parts of a schema repeat the ones above them.
const DEEPEST: usize = 6;

impl Comparison<'_> {
    /// Adds each place and bound that `theirs` states and `ours` does not hold.
    fn compare(&self, theirs: &Value, ours: &Value, at: &str, lost: &mut Vec<(String, String)>) {
        let stated = self.theirs.flat(theirs);
        if stated.get("readOnly") == Some(&Value::Bool(true)) || at.matches(['.', '[']).count() > DEEPEST {
            return;
        }
        let kind = ours["type"].as_str().unwrap_or_default();
        lost.extend(bounds(&stated, ours, kind).into_iter().map(|what| (at.to_owned(), what)));
        for (name, property) in stated.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(own) = ours["properties"].get(name) {
                self.compare(property, own, &format!("{at}.{name}"), lost);
            }
        }
        for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let (Some(part @ Value::Object(_)), Some(own @ Value::Object(_))) = (stated.get(key), ours.get(key)) {
                self.compare(part, own, &format!("{at}{step}"), lost);
            }
        }
    }
}

/// The bounds of `stated` that `ours`, of the type `kind`, does not hold. Keywords of other types bind nothing.
fn bounds(stated: &Map<String, Value>, ours: &Value, kind: &str) -> Vec<String> {
    let mut lost = Vec::new();
    let of_kind: &[(&str, bool)] = match kind {
        "string" => &[("minLength", true), ("maxLength", false)],
        "integer" | "number" => &[("minimum", true), ("maximum", false)],
        "array" => &[("minItems", true), ("maxItems", false)],
        _ => &[],
    };
    let chosen = ours.get("enum").is_some();
    for (key, lower) in of_kind.iter().filter(|_| !chosen) {
        let Some(bound) = stated
            .get(*key)
            .and_then(Value::as_f64)
            .filter(|bound| !lower || *bound != 0.0 || kind != "string" && kind != "array")
        else {
            continue;
        };
        let own = ours.get(*key).and_then(Value::as_f64);
        if own.is_none_or(|own| if *lower { own < bound } else { own > bound }) {
            lost.push(format!("{key} {bound}"));
        }
    }
    if kind == "array" && stated.get("uniqueItems") == Some(&Value::Bool(true)) && ours["uniqueItems"] != true {
        lost.push("uniqueItems".to_owned());
    }
    if let (Some(Value::Array(theirs)), false) = (stated.get("enum"), kind == "array") {
        let own = ours["enum"].as_array();
        if own.is_none_or(|own| own.iter().any(|value| !theirs.contains(value))) {
            lost.push("enum".to_owned());
        }
    }
    if kind == "string"
        && !chosen
        && let Some(pattern) = stated.get("pattern").filter(|pattern| ours.get("pattern") != Some(pattern))
    {
        lost.push(format!("pattern {pattern}"));
    }
    let format = stated.get("format").and_then(Value::as_str).unwrap_or_default();
    let holds = match (format, kind) {
        ("date" | "date-time" | "email" | "byte", "string") => chosen || ours["format"] == format,
        ("int32", "integer") => {
            let within =
                |key: &str, bound: i32| ours[key].as_i64().is_some_and(|own| own.abs() <= i64::from(bound).abs());
            chosen || within("minimum", i32::MIN) && within("maximum", i32::MAX)
        }
        _ => true,
    };
    if !holds {
        lost.push(format!("format {format}"));
    }
    lost
}

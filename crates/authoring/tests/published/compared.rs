//! Every operation of a description against its tool, five levels deep: types, required properties, values, bounds and
//! alternatives. What the description says is read by `takes`, which knows nothing of how tools are made. A difference is
//! a fault of the generator, unless `REVIEWED` says why it is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};
use toolwright_codegen::generate;
use toolwright_codegen::read::load;
use toolwright_model::{ApiTools, Call, Place, Tool};

use super::takes::{Kind, MOST, Source, Way, kind_of};
use super::{named_folder, published};
use crate::{PROGRAM, scratch, text};

/// How many levels of objects and lists are compared.
const DEEPEST: usize = 5;

/// Words of a difference, and why it is no fault.
const REVIEWED: [(&str, &str); 2] = [
    (
        "its content is not described here",
        "the schema is cut where it recurs or outgrows what a model can read; any content is taken",
    ),
    ("Too large to be described here", "the same for a whole schema"),
];

/// What was compared and what differs.
#[derive(Default)]
struct Report {
    operations: usize,
    nodes: usize,
    reviewed: BTreeMap<&'static str, usize>,
    /// Schemas with more alternatives than are told apart.
    untold: usize,
    faults: Vec<String>,
}

#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn tools_take_what_our_vendors_take() {
    let folder = published();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    compare_all("vendors", &files, 5);
}

#[test]
#[ignore = "needs TOOLWRIGHT_STRANGERS=<folder>"]
fn tools_take_what_other_vendors_take() {
    let folder = named_folder("TOOLWRIGHT_STRANGERS");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files
        .retain(|file| file.extension().is_some_and(|kind| ["json", "yaml", "yml"].iter().any(|known| kind == *known)));
    files.sort();
    compare_all("strangers", &files, 8);
}

fn compare_all(test: &str, files: &[PathBuf], least: usize) {
    assert!(files.len() >= least, "only {} descriptions", files.len());
    let mut faults = String::new();
    for file in files {
        let report = compare_file(test, file);
        let name = file.file_name().unwrap().to_string_lossy();
        println!(
            "{name}: {} operations, {} schemas compared, {} differ, {:?} reviewed, {} with too many alternatives",
            report.operations,
            report.nodes,
            report.faults.len(),
            report.reviewed,
            report.untold
        );
        assert!(report.nodes > report.operations, "{name}: next to nothing was compared");
        for fault in report.faults.iter().take(40) {
            let _ = writeln!(faults, "{name}: {fault}");
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

fn compare_file(test: &str, file: &Path) -> Report {
    let read = std::fs::read_to_string(file).unwrap();
    let root: Value = if file.extension().is_some_and(|kind| kind == "json") {
        serde_json::from_str(&read).unwrap()
    } else {
        load::yaml(&read).unwrap()
    };
    let source = Source { root };
    let tools = tools(test, file);
    let mut by_operation: BTreeMap<(String, String), (&Tool, &Call)> = BTreeMap::new();
    for tool in &tools {
        for call in &tool.calls {
            by_operation.insert((call.method.clone(), call.path.clone()), (tool, call));
        }
    }
    let mut comparison = Comparison { source: &source, report: Report::default(), at: String::new() };
    for (path, item) in source.root["paths"].as_object().unwrap() {
        let item = source.resolved(item);
        for method in ["get", "put", "post", "delete", "options", "head", "patch"] {
            let Some(operation) = item.get(method).map(|operation| source.resolved(operation)) else { continue };
            if let Some((tool, call)) = by_operation.get(&(method.to_uppercase(), path.clone())) {
                comparison.report.operations += 1;
                comparison.operation(&format!("{method} {path}"), item, operation, tool, call);
            }
        }
    }
    comparison.report
}

/// The tools that `spec new` and the generator make of a description.
fn tools(test: &str, file: &Path) -> Vec<Tool> {
    let name = file.file_stem().unwrap().to_string_lossy();
    let folder = scratch(&format!("compared-{test}-{name}"));
    std::fs::create_dir(folder.join("specs")).unwrap();
    let output =
        Command::new(PROGRAM).args(["spec", "new", "acme", "--from"]).arg(file).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}: {}", file.display(), text(&output.stderr));
    let generated = generate(&folder.join("specs"), |_| true).unwrap_or_else(|errors| panic!("{errors}"));
    let files: Vec<(&str, &str)> = generated.tree.files().collect();
    let (_, tools) = files.iter().find(|(path, _)| path.ends_with("/tools.json")).unwrap();
    serde_json::from_str::<ApiTools>(tools).unwrap().tools
}

struct Comparison<'s> {
    source: &'s Source,
    report: Report,
    /// The operation, for messages.
    at: String,
}

impl Comparison<'_> {
    fn differs(&mut self, path: &str, what: impl AsRef<str>, shown: &Map<String, Value>) {
        let told = shown.get("description").and_then(Value::as_str).unwrap_or_default();
        if let Some((_, why)) = REVIEWED.iter().find(|(words, _)| told.contains(words)) {
            *self.report.reviewed.entry(why).or_default() += 1;
            return;
        }
        self.report.faults.push(format!("{}: {path}: {}", self.at, what.as_ref()));
    }

    fn operation(&mut self, at: &str, item: &Value, operation: &Value, tool: &Tool, call: &Call) {
        at.clone_into(&mut self.at);
        let schema = tool.parsed_input_schema();
        let shown = |argument: &str| schema["properties"].get(argument).and_then(Value::as_object).cloned();
        let list = |of: &Value| of.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
        for parameter in list(operation).iter().chain(&list(item)) {
            let parameter = self.source.resolved(parameter).clone();
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (place, name) = (text("in"), text("name"));
            if !seen.insert((place.clone(), name.clone())) || place == "cookie" || place == "header" {
                continue;
            }
            let wanted = match place.as_str() {
                "path" => Place::Path(name.clone()),
                "query" => Place::Query(name.clone()),
                _ => continue,
            };
            if call.fixed.iter().any(|fixed| fixed.place == wanted) {
                continue;
            }
            let Some(binding) = call.bindings.iter().find(|binding| binding.place == wanted) else {
                self.differs(&name, "no argument carries it", &Map::new());
                continue;
            };
            let Some(shown) = shown(&binding.argument) else { continue };
            let content =
                parameter.get("content").and_then(Value::as_object).and_then(|content| content.values().next());
            let stated =
                content.and_then(|media| media.get("schema")).or(parameter.get("schema")).unwrap_or(&parameter);
            self.compare(&name, &shown, &[(stated.clone(), Vec::new())], content.is_none(), DEEPEST);
        }
        if let Some((stated, is_json)) = self.body(item, operation) {
            self.compare_body(&stated, is_json, &schema, call);
        }
    }

    /// The schema of the body that is sent, and whether it travels as JSON.
    fn body(&self, item: &Value, operation: &Value) -> Option<(Value, bool)> {
        let parameters = |of: &Value| of.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        let whole = parameters(operation).into_iter().chain(parameters(item));
        let whole =
            whole.map(|one| self.source.resolved(&one).clone()).find(|one| one.get("in") == Some(&json!("body")));
        if let Some(whole) = whole {
            return Some((whole.get("schema")?.clone(), true));
        }
        let content = self.source.resolved(operation.get("requestBody")?).get("content")?.as_object()?.clone();
        let essence = |name: &str| name.split(';').next().unwrap_or_default().trim().to_lowercase();
        let exact = content.iter().find(|(name, _)| essence(name) == "application/json");
        let alike = || content.iter().find(|(name, _)| essence(name).ends_with("+json") || essence(name) == "*/*");
        let form = || content.iter().find(|(name, _)| essence(name) == "application/x-www-form-urlencoded");
        let (name, media) = exact.or_else(alike).or_else(form)?;
        Some((media.get("schema")?.clone(), essence(name) != "application/x-www-form-urlencoded"))
    }

    fn compare_body(&mut self, stated: &Value, is_json: bool, schema: &Map<String, Value>, call: &Call) {
        let whole = call.bindings.iter().find(|binding| binding.place == Place::Body);
        let shown = |argument: &str| schema["properties"].get(argument).and_then(Value::as_object).cloned();
        if let Some(shown) = whole.and_then(|binding| shown(&binding.argument)) {
            if shown.get("properties").is_none_or(|own| own.get("content_base64").is_none()) {
                self.compare("body", &shown, &[(stated.clone(), Vec::new())], !is_json, DEEPEST);
            }
            return;
        }
        let ways = self.source.ways(stated, &[]);
        let names: BTreeSet<String> = ways.iter().flat_map(Way::names).collect();
        for name in names {
            let place = Place::Property(name.clone());
            let schemas = property_schemas(&ways, &name);
            if self.is_set_by_vendor(&ways, &name, &schemas) || call.fixed.iter().any(|fixed| fixed.place == place) {
                continue;
            }
            let further = call.bindings.iter().any(|binding| binding.place == Place::Properties);
            match call.bindings.iter().find(|binding| binding.place == place) {
                Some(binding) => {
                    if let Some(shown) = shown(&binding.argument) {
                        self.compare(&name, &shown, &schemas, false, DEEPEST - 1);
                    }
                }
                // More alternatives than a schema can hold are cut: their properties go by any name.
                None if further && ways.len() > MOST => self.report.untold += 1,
                None => self.differs(&name, "no argument carries it", &Map::new()),
            }
        }
    }

    /// What is only read is not sent, unless it is demanded.
    fn is_set_by_vendor(&self, ways: &[Way], name: &str, schemas: &[(Value, Vec<String>)]) -> bool {
        let read_only = |(schema, through): &(Value, Vec<String>)| {
            let own = self.source.ways(schema, through);
            !own.is_empty() && own.iter().all(|way| way.states("readOnly", &json!(true)))
        };
        let demanded = ways.iter().all(|way| way.required().contains(name));
        !demanded && !schemas.is_empty() && schemas.iter().all(read_only)
    }

    /// Compares what is shown with any of the schemas. `as_text`: it travels as text.
    fn compare(
        &mut self,
        path: &str,
        shown: &Map<String, Value>,
        any: &[(Value, Vec<String>)],
        as_text: bool,
        left: usize,
    ) {
        self.report.nodes += 1;
        if shown.get("properties").is_some_and(|own| own.get("content_base64").is_some()) {
            return;
        }
        let ways: Vec<Way> = any.iter().flat_map(|(schema, through)| self.source.ways(schema, through)).collect();
        if ways.len() > MOST {
            self.report.untold += 1;
            return;
        }
        let kinds: Vec<Kind> = ways.iter().map(Way::kind).collect();
        let stated: BTreeSet<&str> =
            kinds.iter().map(|kind| if let Kind::One(kind) = kind { *kind } else { "any" }).collect();
        let found = shown.get("type").and_then(Value::as_str);
        let expected = common(&stated, &ways, self.source, as_text);
        if found != expected {
            self.differs(path, format!("type {found:?}, expected {expected:?} of {stated:?}"), shown);
            return;
        }
        match found {
            Some("object") => self.compare_object(path, shown, &ways, left),
            Some("array") => {
                let items: Vec<(Value, Vec<String>)> = ways
                    .iter()
                    .filter(|way| way.kind() == Kind::One("array"))
                    .map(|way| (way.items(), way.through.clone()))
                    .collect();
                let recurs = ways.iter().any(|way| way.recurs);
                if let (Some(one), true, false) = (shown.get("items").and_then(Value::as_object), left > 0, recurs) {
                    self.compare(&format!("{path}[]"), one, &items, as_text, left - 1);
                }
            }
            Some(kind) => self.compare_scalar(path, kind, shown, &ways),
            None => {}
        }
    }

    fn compare_scalar(&mut self, path: &str, kind: &str, shown: &Map<String, Value>, ways: &[Way]) {
        let all: Option<Vec<Vec<Value>>> = ways.iter().map(Way::values).collect();
        let expected: Option<BTreeSet<String>> = all.map(|all| {
            let of_kind = |value: &Value| kind_of(value) == kind || kind == "number" && value.is_number();
            all.into_iter().flatten().filter(of_kind).map(|value| value.to_string()).collect()
        });
        let expected = expected.filter(|values| {
            !values.is_empty() && ways.iter().all(|way| matches!(way.kind(), Kind::One(own) if own == kind))
        });
        let found = shown.get("enum").and_then(Value::as_array);
        let found: Option<BTreeSet<String>> = found.map(|values| values.iter().map(Value::to_string).collect());
        if found != expected {
            self.differs(path, format!("values {found:?}, expected {expected:?}"), shown);
        }
        if expected.is_some() || ways.iter().any(|way| !matches!(way.kind(), Kind::One(_))) {
            return;
        }
        for (key, strict, highest) in [("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false)] {
            if !matches!(kind, "integer" | "number") {
                continue;
            }
            // In 3.0 the strict keyword is a flag, in 3.1 a number.
            let own: Vec<Option<f64>> =
                ways.iter().map(|way| way.bound(key, highest).or(way.bound(strict, highest))).collect();
            let widest = own.iter().copied().collect::<Option<Vec<f64>>>().map(|all| {
                all.into_iter()
                    .reduce(|one, other| if (one < other) == highest { one } else { other })
                    .unwrap_or_default()
            });
            let found = shown.get(key).or(shown.get(strict)).and_then(Value::as_f64);
            if found != widest {
                self.differs(path, format!("{key} {found:?}, expected {widest:?}"), shown);
            }
        }
    }

    fn compare_object(&mut self, path: &str, shown: &Map<String, Value>, ways: &[Way], left: usize) {
        if ways.iter().any(|way| way.recurs) {
            return;
        }
        let mut names: BTreeSet<String> = ways.iter().flat_map(Way::names).collect();
        let demanded = ways.iter().map(Way::required).reduce(|one, other| &one & &other).unwrap_or_default();
        if !ways.iter().any(Way::is_closed) {
            names.extend(demanded.iter().cloned());
        }
        let empty = Map::new();
        let own = shown.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let mut set_by_vendor = BTreeSet::new();
        for name in &names {
            let schemas = property_schemas(ways, name);
            if self.is_set_by_vendor(ways, name, &schemas) {
                set_by_vendor.insert(name.clone());
                continue;
            }
            match own.get(name).and_then(Value::as_object) {
                Some(one) if left > 0 && !schemas.is_empty() => {
                    self.compare(&format!("{path}.{name}"), one, &schemas, false, left - 1);
                }
                Some(_) => {}
                None => self.differs(path, format!("`{name}` is missing"), shown),
            }
        }
        for name in own.keys().filter(|name| !names.contains(*name)) {
            self.differs(path, format!("`{name}` is in no alternative"), shown);
        }
        let read_only = |name: &&String| {
            let schemas = property_schemas(ways, name);
            !schemas.is_empty()
                && schemas.iter().all(|(schema, through)| {
                    self.source.ways(schema, through).iter().all(|way| way.states("readOnly", &json!(true)))
                })
        };
        let expected: BTreeSet<&str> =
            demanded.iter().filter(|name| own.contains_key(*name) && !read_only(name)).map(String::as_str).collect();
        let found: BTreeSet<&str> =
            shown.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if found != expected {
            self.differs(path, format!("required {found:?}, expected {expected:?}"), shown);
        }
    }
}

/// The one type that takes all of these; none where there is no such type.
fn common(stated: &BTreeSet<&str>, ways: &[Way], source: &Source, as_text: bool) -> Option<&'static str> {
    const KINDS: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
    let kinds: Vec<&str> = stated.iter().copied().collect();
    let one = match kinds.as_slice() {
        ["any"] | [] => None,
        [one] => Some(*one),
        ["integer", "number"] => Some("number"),
        // A list of what is also taken alone.
        ["array", other] if *other != "any" && is_list_of(other, ways, source) => Some("array"),
        _ => None,
    };
    match one {
        // What has no type, or is one of several scalars, is text where it travels as text.
        None if as_text && !stated.contains("object") && !stated.contains("array") => Some("string"),
        one => KINDS.into_iter().find(|kind| Some(*kind) == one),
    }
}

fn is_list_of(kind: &str, ways: &[Way], source: &Source) -> bool {
    let lists = ways.iter().filter(|way| way.kind() == Kind::One("array"));
    let mut items = lists.map(|list| source.ways(&list.items(), &list.through));
    items
        .all(|items| !items.is_empty() && items.iter().all(|item| matches!(item.kind(), Kind::One(own) if own == kind)))
}

/// What the alternatives state of a property, each with the references on the way.
fn property_schemas(ways: &[Way], name: &str) -> Vec<(Value, Vec<String>)> {
    let mut found: Vec<(Value, Vec<String>)> = Vec::new();
    for way in ways {
        if let Some(schema) = way.property(name)
            && !found.iter().any(|(known, _)| *known == schema)
        {
            found.push((schema, way.through.clone()));
        }
    }
    found
}

//! The generator over small specs folders: `fixtures/<case>/specs` in, the files or the
//! errors under `fixtures/<case>/expected` out, byte for byte. A case belongs to the group
//! that its name begins with. And over many broken variants of a real vendor: it never panics.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use similar::TextDiff;
use toolwright_codegen::{Difference, Generated, Tree, generate};

/// The command that makes what comes out what is expected.
const ACCEPT: &str = "UPDATE_EXPECTED=1 cargo test -p toolwright-codegen";

/// Each with a test below; the groups whose name begins with `bad-` expect errors.
const GROUPS: [&str; 7] =
    ["requests-", "tools-", "specs-", "bad-vendor-", "bad-description-", "bad-overlay-", "bad-tools-"];

#[test]
fn requests() {
    check_group("requests-");
}

#[test]
fn tools() {
    check_group("tools-");
}

#[test]
fn specs() {
    check_group("specs-");
}

#[test]
fn bad_vendor() {
    check_group("bad-vendor-");
}

#[test]
fn bad_description() {
    check_group("bad-description-");
}

#[test]
fn bad_overlay() {
    check_group("bad-overlay-");
}

#[test]
fn bad_tools() {
    check_group("bad-tools-");
}

#[test]
fn every_case_is_in_one_group() {
    for case in cases() {
        let groups = GROUPS.iter().filter(|group| name(&case).starts_with(**group)).count();
        assert_eq!(groups, 1, "the case {} is in {groups} groups", name(&case));
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(fixtures())
        .expect("the fixtures are part of the project")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> &str {
    case.file_name().and_then(|name| name.to_str()).expect("fixtures have plain names")
}

fn check_group(group: &str) {
    let cases: Vec<PathBuf> = cases().into_iter().filter(|case| name(case).starts_with(group)).collect();
    assert!(!cases.is_empty(), "no case is named {group}…");
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    let (failed, all) = (failures.len(), cases.len());
    assert!(
        failures.is_empty(),
        "{failed} of {all} cases differ:\n\n{}\nhint: to accept: {ACCEPT}",
        failures.join("\n")
    );
}

/// Compares what a case gives with what it expects.
fn check(case: &Path) -> Result<(), String> {
    let expected = case.join("expected");
    let name = name(case);
    let found = match (generate(&case.join("specs"), |_| true), name.starts_with("bad-")) {
        (Ok(generated), false) => {
            parse_code(&generated).map_err(|error| format!("{name}: {error}\n"))?;
            good(&generated, name, &expected)
        }
        (Err(errors), true) => {
            let mut tree = Tree::default();
            tree.insert("error.txt", errors.to_string());
            tree
        }
        (Ok(_), true) => return Err(format!("{name}: no errors, but its name says that it is bad\n")),
        (Err(errors), false) => return Err(format!("{name}: {errors}\n")),
    };
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        found.replace(&expected).map_err(|error| error.to_string())?;
        return Ok(());
    }
    if !expected.is_dir() {
        return Err(format!("{name}: it has no folder `expected`\n"));
    }
    let differences = found.compare(&expected).map_err(|error| error.to_string())?;
    if differences.is_empty() { Ok(()) } else { Err(show(name, &differences, &found)) }
}

/// The files of a case with one API stand in `expected` itself. The sandbox table is compared
/// where a case has one, and the index where the layout of specs/ is what the case is about.
fn good(generated: &Generated, name: &str, expected: &Path) -> Tree {
    let folder = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let mut apis: Vec<String> = generated.tree.files().map(|(path, _)| folder(path)).collect();
    apis.dedup();
    let mut tree = Tree::default();
    for (path, text) in generated.tree.files() {
        let path = if apis.len() == 1 { path.split_once('/').map_or(path, |(_, file)| file) } else { path };
        if !path.ends_with("sandbox.json") || expected.join(path).exists() {
            tree.insert(path, text);
        }
    }
    if !generated.samples.is_empty() {
        tree.insert("samples.json", format!("{:#}", json!(generated.samples)));
    }
    if name.starts_with("specs-") {
        tree.insert("index.rs", generated.index.as_str());
    }
    tree
}

fn parse_code(generated: &Generated) -> Result<(), String> {
    let code = generated.tree.files().filter(|(path, _)| is_kind(path, "rs"));
    for (path, text) in code.chain([("index.rs", generated.index.as_str())]) {
        syn::parse_file(text).map_err(|error| format!("{path} is no Rust: {error}"))?;
    }
    Ok(())
}

fn is_kind(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn show(name: &str, differences: &BTreeMap<String, Difference>, found: &Tree) -> String {
    let mut out = String::new();
    for (path, difference) in differences {
        let (what, before, after) = match difference {
            Difference::Missing => ("is not expected", "", found.get(path).unwrap_or_default()),
            Difference::LeftOver => ("is expected and was not made", "", ""),
            Difference::Changed(before) => ("differs", before.as_str(), found.get(path).unwrap_or_default()),
        };
        let _ = writeln!(out, "{name}: {path} {what}");
        out += &TextDiff::from_lines(before, after).unified_diff().header("expected", "found").to_string();
    }
    out
}

/// How many broken variants of Jitbit are tried.
const MUTATIONS: u64 = 300;
const THREADS: u64 = 2;

/// A value at a place is taken away or becomes one of another kind; the generator answers with
/// files or with findings, and panics never.
#[test]
fn broken_specs_never_panic() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/jitbit");
    let read = |file: &str| std::fs::read_to_string(source.join(file)).unwrap();
    let documents: [(&str, Value); 3] = [
        ("api.yaml", smaller(serde_saphyr::from_str(&read("api.yaml")).unwrap())),
        ("overlay.yaml", serde_saphyr::from_str(&read("overlay.yaml")).unwrap()),
        ("vendor.toml", toml::from_str(&read("vendor.toml")).unwrap()),
    ];
    let documents = without_dropped_targets(documents);
    std::thread::scope(|scope| {
        let documents = &documents;
        for thread in 0..THREADS {
            scope.spawn(move || break_in_many_ways(documents, thread));
        }
    });
}

fn break_in_many_ways(documents: &[(&str, Value)], thread: u64) {
    let specs = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("broken-specs-{thread}"));
    let target = specs.join("jitbit");
    std::fs::create_dir_all(&target).expect("cargo's folder for tests can be written");
    for (file, document) in documents {
        write(&target, file, document);
    }
    if let Err(errors) = generate(&specs, |_| true) {
        panic!("unbroken, it has faults: {errors}");
    }
    let mut random = Random(0x006a_6974_6269_7400 + thread);
    for round in 0..MUTATIONS / THREADS {
        let (file, document) = &documents[random.below(documents.len())];
        let mut broken = document.clone();
        let what = mutate(&mut broken, &mut random);
        write(&target, file, &broken);
        let outcome = std::panic::catch_unwind(|| generate(&specs, |_| true));
        let right = outcome.is_ok_and(|outcome| outcome.err().is_none_or(|errors| !errors.is_empty()));
        assert!(right, "thread {thread}, round {round}, {file}: {what}: a panic, or a refusal without a finding");
        write(&target, file, document);
    }
}

/// A few paths of each kind: the whole description takes too long three hundred times.
fn smaller(mut api: Value) -> Value {
    const KEPT: [&str; 9] = [
        "/api/Authorization",
        "/api/Tickets",
        "/api/ticket",
        "/api/Close",
        "/api/attachment",
        "/api/AttachFile",
        "/api/SetCustomFields",
        "/api/Users",
        "/api/Assets",
    ];
    if let Some(paths) = api["paths"].as_object_mut() {
        paths.retain(|path, _| KEPT.iter().any(|kept| path == kept));
        assert_eq!(paths.len(), KEPT.len(), "the paths have other names now");
    }
    api
}

fn without_dropped_targets(mut documents: [(&str, Value); 3]) -> [(&str, Value); 3] {
    let paths = documents[0].1["paths"].clone();
    if let Some(actions) = documents[1].1["actions"].as_array_mut() {
        actions.retain(|action| {
            let target = action["target"].as_str().unwrap_or_default();
            target.split('\'').nth(1).is_some_and(|path| paths.get(path).is_some())
        });
    }
    documents
}

fn write(folder: &Path, file: &str, document: &Value) {
    let text = match document.as_object() {
        Some(table) if is_kind(file, "toml") => {
            table.iter().filter_map(|(key, value)| Some(format!("{key:?} = {}\n", inline_toml(value)?))).collect()
        }
        // JSON is YAML too.
        _ => document.to_string(),
    };
    std::fs::write(folder.join(file), text).expect("cargo's folder for tests can be written");
}

/// A value as TOML writes it within a line; TOML has no null.
fn inline_toml(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => format!("[{}]", items.iter().filter_map(inline_toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let entries = table.iter().filter_map(|(key, value)| Some(format!("{key:?} = {}", inline_toml(value)?)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    })
}

/// Breaks the document at one place; returns what was done.
fn mutate(document: &mut Value, random: &mut Random) -> String {
    let mut places = Vec::new();
    collect(document, "", &mut places);
    let pointer = places.swap_remove(random.below(places.len()));
    if random.below(5) == 0
        && let Some((parent, key)) = pointer.rsplit_once('/')
        && let Some(Value::Object(object)) = document.pointer_mut(parent)
    {
        const NAMES: [&str; 8] = ["", "$ref", "/a/{b", "/{x}/{x}", "get", "x-toolwright", "2é", "allOf"];
        let new = NAMES[random.below(NAMES.len())];
        let value = object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
        object.insert(new.to_owned(), value.expect("it was collected from this document"));
        return format!("{pointer} is renamed to {new:?}");
    }
    if random.below(3) == 0
        && let Some((parent, key)) = pointer.rsplit_once('/')
    {
        match document.pointer_mut(parent) {
            Some(Value::Object(object)) => {
                object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(items)) => {
                items.remove(key.parse().expect("the items of a list are numbered"));
            }
            _ => unreachable!("what has something below it is an object or a list"),
        }
        return format!("{pointer} is removed");
    }
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("é"),
        json!("{x}"),
        json!("#/components"),
        json!("a\nb\0"),
        json!([]),
        json!([null, {"$ref": "#/components/schemas/None"}]),
        json!({}),
        json!({"$ref": "#"}),
        json!({"type": "array"}),
        json!({"name": "type", "in": "query", "schema": {"type": "object"}}),
    ];
    let value = values.swap_remove(random.below(values.len()));
    let what = format!("{pointer} becomes {value}");
    *document.pointer_mut(&pointer).expect("it was collected from this document") = value;
    what
}

fn collect(value: &Value, pointer: &str, places: &mut Vec<String>) {
    places.push(pointer.to_owned());
    let below: Map<String, Value> = match value {
        Value::Object(object) => object.clone(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item.clone())).collect()
        }
        _ => return,
    };
    for (key, value) in &below {
        collect(value, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), places);
    }
}

/// Numbers that are the same in every run (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below a usize")
    }
}

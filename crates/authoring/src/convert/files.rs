//! A description in several files → one document: each part of another file that a `$ref` leads to
//! is copied into the main one, once. Files outside of the description's folder and addresses are
//! refused, because a description must not make us read anything else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};

use super::openapi31::free_name;
use super::{LARGEST_DESCRIPTION, Steps, load};
use toolwright_codegen::read::finding::{Finding, Findings};
use toolwright_codegen::read::paths::METHODS;
use toolwright_codegen::read::reference::escape;

/// The most files of a description; all together they are bounded by [`LARGEST_DESCRIPTION`].
const MAX_FILES: usize = 20_000;

/// Joins the files of the description at `path`, whose main document is `document`.
pub(super) fn join(path: &Path, file: &str, document: Value, steps: &mut Steps, findings: &Findings) -> Option<Value> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    // With symbolic links resolved: the real place of a file counts.
    let folder = match folder.canonicalize() {
        Ok(folder) => folder,
        Err(error) => {
            findings.push_file(file, "a readable folder", error.to_string());
            return None;
        }
    };
    let swagger = document.get("swagger").is_some();
    let mut joiner = Joiner {
        main: PathBuf::from(path.file_name().unwrap_or_default()),
        file: file.to_owned(),
        folder,
        swagger,
        left: LARGEST_DESCRIPTION,
        read: BTreeMap::new(),
        placed: BTreeMap::new(),
        taken: places(&document),
        waiting: VecDeque::new(),
        is_full: false,
        steps: Steps::default(),
        found: Findings::default(),
    };
    let mut document = document;
    let main = joiner.main.clone();
    joiner.rewrite(&mut document, &main, &mut String::new());
    while let Some((from, pointer, place)) = joiner.waiting.pop_front() {
        let Some(mut part) = joiner.part(&from, &pointer) else { continue };
        joiner.rewrite(&mut part, &from, &mut place.clone());
        steps.add("file", &place, format!("copied from {}", from.display()));
        insert(&mut document, &place, part);
    }
    super::inline::write_out(&mut document, &mut Steps::default());
    if let Value::Object(root) = &mut document {
        root.shift_remove(PATH_ITEMS.trim_start_matches('/'));
        root.shift_remove(OPERATIONS.trim_start_matches('/'));
    }
    steps.0.append(&mut joiner.steps.0);
    let clean = joiner.found.is_empty();
    findings.append(joiner.found);
    clean.then_some(document)
}

/// Where path items and operations of other files are kept until all parts are copied, because no format has a section
/// for them.
const PATH_ITEMS: &str = "/x-toolwright-path-items";
const OPERATIONS: &str = "/x-toolwright-operations";

struct Joiner {
    /// Relative to the folder, as all paths here.
    main: PathBuf,
    /// The main file's name in messages.
    file: String,
    folder: PathBuf,
    swagger: bool,
    /// Bytes that may still be read.
    left: u64,
    read: BTreeMap<PathBuf, Option<Value>>,
    /// File and pointer there → pointer in the joined document.
    placed: BTreeMap<(PathBuf, String), String>,
    /// The pointers of the joined document that are taken.
    taken: BTreeSet<String>,
    waiting: VecDeque<(PathBuf, String, String)>,
    /// Whether the bound on files and bytes was reported.
    is_full: bool,
    steps: Steps,
    found: Findings,
}

impl Joiner {
    /// Rewrites each `$ref` of `value`, which comes from the file `from`, to one within the joined
    /// document; `pointer` is the place of `value` there.
    fn rewrite(&mut self, value: &mut Value, from: &Path, pointer: &mut String) {
        let length = pointer.len();
        match value {
            Value::Object(object) => {
                self.cut_unread(object, from, pointer);
                if let Some(Value::String(reference)) = object.get_mut("$ref")
                    && let Some(target) = self.target(reference, from, pointer)
                {
                    *reference = target;
                }
                if let Some(Value::Object(mapping)) = object.get_mut("discriminator").and_then(|d| d.get_mut("mapping"))
                {
                    self.rewrite_mapping(mapping, from, pointer);
                }
                for (key, entry) in object.iter_mut() {
                    pointer.push('/');
                    pointer.push_str(&escape(key));
                    self.rewrite(entry, from, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                    self.rewrite(item, from, pointer);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// Takes references to other files out of extensions and examples: nothing reads these, and code samples are many.
    fn cut_unread(&mut self, object: &mut Map<String, Value>, from: &Path, pointer: &str) {
        // The keys of these are names.
        const NAMED: [&str; 16] = [
            "$defs",
            "callbacks",
            "content",
            "definitions",
            "encoding",
            "headers",
            "links",
            "mapping",
            "parameters",
            "patternProperties",
            "properties",
            "requestBodies",
            "responses",
            "schemas",
            "securitySchemes",
            "variables",
        ];
        let named = pointer.rsplit('/').next().is_some_and(|key| NAMED.contains(&key));
        // An extension of the document may hold what the rest refers to.
        if pointer.is_empty() || named {
            return;
        }
        let is_unread = |key: &str| key.starts_with("x-") || key == "example" || key == "examples";
        let is_main = *from == self.main;
        for (key, entry) in object.iter_mut().filter(|(key, _)| is_unread(key)) {
            if cut_references(entry, is_main) {
                let place = format!("{pointer}/{}", escape(key));
                self.steps.add("unread-file", &place, "what it refers to in other files is left out");
            }
        }
    }

    /// The values of a discriminator's mapping are references too, unless they are names of schemas.
    fn rewrite_mapping(&mut self, mapping: &mut Map<String, Value>, from: &Path, pointer: &str) {
        for (_, target) in mapping.iter_mut() {
            if let Value::String(reference) = target
                && (reference.contains('#') || reference.contains('/') || reference.contains('.'))
                && let Some(found) = self.target(reference, from, &format!("{pointer}/oneOf/0"))
            {
                *reference = found;
            }
        }
    }

    /// Returns `reference` as it is in the joined document.
    fn target(&mut self, reference: &str, from: &Path, at: &str) -> Option<String> {
        let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if path.is_empty() { from.to_owned() } else { self.locate(path, reference, from, at)? };
        if file == self.main {
            return Some(format!("#{fragment}"));
        }
        let key = (file.clone(), fragment.trim_end_matches('/').to_owned());
        if let Some(place) = self.placed.get(&key) {
            return Some(format!("#{place}"));
        }
        let section = section(at, self.swagger);
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("part");
        let wanted = fragment.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(stem);
        let name = free_name(wanted, |name| self.taken.contains(&format!("{section}/{name}")));
        let place = format!("{section}/{name}");
        self.taken.insert(place.clone());
        self.placed.insert(key.clone(), place.clone());
        self.waiting.push_back((key.0, key.1, place.clone()));
        Some(format!("#{place}"))
    }

    /// Returns the file of a `$ref`, relative to the folder.
    fn locate(&mut self, path: &str, reference: &str, from: &Path, at: &str) -> Option<PathBuf> {
        let path = path.replace("%20", " ");
        let wrong = |expected: &str, found: String, hint: &str| {
            let finding = Finding::at_pointer(&self.file, at, expected, found);
            self.found.push(finding.with_hint(Some(hint.to_owned())));
        };
        if path.contains("://") || path.starts_with("//") {
            let hint = "nothing is fetched: save that file into the folder of the description";
            wrong("a `$ref` to a file in the folder of the description", format!("`{reference}`"), hint);
            return None;
        }
        let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
        let joined = from.parent().unwrap_or(Path::new("")).join(&path);
        for part in joined.components() {
            match part {
                Component::Normal(name) => parts.push(name),
                Component::CurDir => {}
                Component::ParentDir if parts.pop().is_some() => {}
                _ => {
                    let hint = "a description is read from its own folder and those below it";
                    wrong("a `$ref` within the folder of the description", format!("`{reference}`, outside"), hint);
                    return None;
                }
            }
        }
        Some(parts.iter().collect())
    }

    /// Returns a copy of the node at `pointer` of a file.
    fn part(&mut self, file: &Path, pointer: &str) -> Option<Value> {
        if !self.read.contains_key(file) {
            let read = self.read_file(file);
            self.read.insert(file.to_owned(), read);
        }
        let document = self.read.get(file)?.as_ref()?;
        let part = document.pointer(pointer).cloned();
        if part.is_none() {
            let name = self.name(file);
            self.found.push(Finding {
                hint: Some(format!("a `$ref` of {} leads there", self.file)),
                ..Finding::of_file(&name, format!("something at `#{pointer}`"), "nothing")
            });
        }
        part
    }

    /// Returns the name in messages of a file beside the main one.
    fn name(&self, file: &Path) -> String {
        let folder = self.file.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        format!("{folder}{}", file.display())
    }

    fn read_file(&mut self, file: &Path) -> Option<Value> {
        let name = self.name(file);
        let path = match self.folder.join(file).canonicalize() {
            Ok(path) => path,
            Err(error) => {
                self.found.push(Finding {
                    hint: Some(format!("a `$ref` of {} leads there", self.file)),
                    ..Finding::of_file(&name, "a readable file", error.to_string())
                });
                return None;
            }
        };
        if !path.starts_with(&self.folder) {
            self.found.push_file(&name, "a file in the folder of the description", "a link that leads out of it");
            return None;
        }
        let size = std::fs::metadata(&path).map_or(0, |found| found.len());
        if size > self.left || self.read.len() >= MAX_FILES {
            if !self.is_full {
                self.is_full = true;
                let expected = format!("at most {LARGEST_DESCRIPTION} bytes in {MAX_FILES} files");
                self.found.push_file(&name, expected, "more, from this file on");
            }
            return None;
        }
        self.left -= size;
        load(&path, &name, &mut self.steps, &self.found)
    }
}

/// Returns the section for a part that a reference at `at` leads to.
fn section(at: &str, swagger: bool) -> &'static str {
    let steps: Vec<&str> = at.split('/').collect();
    let last = steps.last().copied().unwrap_or_default();
    let parent = steps.len().checked_sub(2).and_then(|index| steps.get(index)).copied().unwrap_or_default();
    let numbered = last.chars().all(|c| c.is_ascii_digit());
    match (parent, last) {
        ("paths", _) => PATH_ITEMS,
        (_, method) if METHODS.contains(&method) && is_operation(&steps) => OPERATIONS,
        ("parameters", _) if (numbered || steps.len() <= 4) && swagger => "/parameters",
        ("parameters", _) if numbered || steps.len() <= 4 => "/components/parameters",
        ("responses", _) if swagger => "/responses",
        ("responses", _) => "/components/responses",
        ("requestBodies", _) | (_, "requestBody") => "/components/requestBodies",
        ("headers", _) => "/components/headers",
        ("examples", _) => "/components/examples",
        ("links", _) => "/components/links",
        ("callbacks", _) => "/components/callbacks",
        ("securitySchemes", _) => "/components/securitySchemes",
        _ if swagger => "/definitions",
        _ => "/components/schemas",
    }
}

/// Whether these steps lead to an operation: below a path, or below a path item of another file.
fn is_operation(steps: &[&str]) -> bool {
    matches!(steps, ["", "paths", _, _])
        || matches!(steps, ["", section, _, _] if *section == PATH_ITEMS.trim_start_matches('/'))
}

/// Replaces references to other files by nothing; returns whether there were any. Of another file than the main one all
/// of them lead to a file.
fn cut_references(value: &mut Value, is_main: bool) -> bool {
    match value {
        Value::Object(object) => {
            let leads_out = object
                .get("$ref")
                .and_then(Value::as_str)
                .is_some_and(|reference| !is_main || !reference.starts_with('#'));
            if leads_out {
                object.clear();
                return true;
            }
            cut_references_of(object.values_mut(), is_main)
        }
        Value::Array(items) => cut_references_of(items.iter_mut(), is_main),
        _ => false,
    }
}

/// The same in each of the parts, all of which are looked at.
fn cut_references_of<'v>(parts: impl Iterator<Item = &'v mut Value>, is_main: bool) -> bool {
    let mut is_cut = false;
    for part in parts {
        is_cut |= cut_references(part, is_main);
    }
    is_cut
}

/// Returns the pointers of sections' entries, which no part may overwrite.
fn places(document: &Value) -> BTreeSet<String> {
    let components = document.get("components").and_then(Value::as_object).into_iter().flatten();
    let components = components.map(|(section, entries)| (format!("/components/{section}"), entries));
    let roots = ["definitions", "parameters", "responses"].into_iter();
    let roots = roots.filter_map(|section| Some((format!("/{section}"), document.get(section)?)));
    let names = |entries: &Value| entries.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    components
        .chain(roots)
        .flat_map(|(section, entries)| {
            let names: Vec<String> = names(entries);
            names.into_iter().map(move |name| format!("{section}/{name}"))
        })
        .collect()
}

/// Inserts a part at its pointer, and the sections above it.
fn insert(document: &mut Value, place: &str, part: Value) {
    let mut here = document;
    let mut steps = place.split('/').skip(1).peekable();
    while let Some(step) = steps.next() {
        if !here.is_object() {
            *here = json!({});
        }
        let Value::Object(object) = here else { return };
        if steps.peek().is_none() {
            object.insert(step.to_owned(), part);
            return;
        }
        here = object.entry(step).or_insert_with(|| Value::Object(Map::new()));
    }
}

//! `workflows.yaml` of a vendor, and the files of specs/workflows/ across vendors: Arazzo 1.0.1 → what a file states at
//! its head. `lower::workflows` compiles the rest.
//!
//! It is read by [`Located`] as every other file, and by no crate: `roas-arazzo` 0.3 keeps neither lines nor pointers
//! (its findings name `#.workflows[0].steps[1]`, its faults of types nothing), drops unknown keys without a word, takes
//! expressions and conditions as texts that it does not look into, knows no operation, no cycle and no step that a
//! `goto` leads to, and accepts XPath. What is left of it, which keys there are and which exclude each other, is a small part
//! of what is checked here, and it would bring `enumset` with its macros into every build.
//!
//! Refused with the reason: XPath (no vendor here answers with XML), AsyncAPI and Arazzo documents as sources,
//! descriptions at an address (a build reads no network), `operationPath` and `workflowId` in steps, `$url`, `$request`.

pub mod condition;
pub mod expression;

use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

use crate::read::finding::Findings;
use crate::read::load;
use crate::read::located::Located;
use crate::read::source::{LoadedFile, SourceFile};

/// The name of a vendor's file and of the folder of the files across vendors.
pub const WORKFLOWS: &str = "workflows";

/// An Arazzo file.
pub struct WorkflowFile {
    /// As messages and headers name it.
    pub name: String,
    /// What its tools are listed under: the vendor's id, or the stem of the file.
    pub unit: String,
    pub file: Rc<SourceFile>,
    pub value: Value,
}

/// A description that a file refers to.
#[derive(Debug, Clone)]
pub struct SourceDescription {
    /// The name by which steps refer to it.
    pub name: String,
    /// The description, as messages name it: `specs/acme/api.yaml`.
    pub file: String,
    /// The JSON pointer to its `url`.
    pub pointer: String,
}

/// Reads the file of a vendor's folder, if it has one.
pub fn read_of_vendor(folder: &Path, place: &str, vendor: &str, findings: &Findings) -> Option<WorkflowFile> {
    let names = ["yaml", "yml", "json"].map(|extension| format!("{WORKFLOWS}.{extension}"));
    let mut present = names.iter().filter(|name| folder.join(name).exists());
    let name = present.next()?;
    if let Some(other) = present.next() {
        findings.push_file(&format!("{place}/{other}"), "one file of workflows", format!("`{name}` beside it"));
    }
    read(&folder.join(name), &format!("{place}/{name}"), vendor, findings)
}

/// Reads the files across vendors, in order of their names.
pub fn read_across(specs: &Path, findings: &Findings) -> Vec<WorkflowFile> {
    let folder = specs.join(WORKFLOWS);
    let entries = std::fs::read_dir(&folder).into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let files = names.iter().filter_map(|file| {
        let (stem, "yaml" | "yml" | "json") = file.rsplit_once('.')? else { return None };
        let name = format!("specs/{WORKFLOWS}/{file}");
        if !super::vendor_folder::is_id(stem, &['-']) {
            findings.push_file(&name, "a file named with `a-z`, `0-9` and `-`, a letter first", format!("`{stem}`"));
            return None;
        }
        read(&folder.join(file), &name, stem, findings)
    });
    files.collect()
}

fn read(path: &Path, name: &str, unit: &str, findings: &Findings) -> Option<WorkflowFile> {
    let LoadedFile { file, value } = load::load(path, name, findings)?;
    Some(WorkflowFile { name: name.to_owned(), unit: unit.to_owned(), file, value })
}

/// Checks the head of a file, and returns the descriptions that it refers to.
pub fn read_head(root: &Located<'_>, name: &str) -> Vec<SourceDescription> {
    if root.object().is_none() {
        return Vec::new();
    }
    root.only(&["arazzo", "info", "sourceDescriptions", "workflows", "components"]);
    let version = root.required("arazzo", "the version of Arazzo, `1.0.1`");
    if let Some(version) =
        version.filter(|version| !version.value.as_str().is_some_and(|text| text.starts_with("1.0.")))
    {
        version.wrong("a version 1.0 of Arazzo, such as `1.0.1`");
    }
    if let Some(info) = root.required("info", "`title` and `version`") {
        info.only(&["title", "summary", "description", "version"]);
        for key in ["title", "version"] {
            info.required(key, "a text").and_then(|at| at.text());
        }
    }
    if let Some(components) = root.get("components") {
        let hint = "parts that are used in several places are not read: state each where it is used";
        components.report("no `components`", "some".to_owned(), Some(hint.to_owned()));
    }
    let sources = root.required("sourceDescriptions", "the descriptions whose operations are called");
    let mut read: Vec<SourceDescription> = Vec::new();
    for at in sources.iter().flat_map(Located::items) {
        let Some(source) = read_source(&at, name) else { continue };
        if read.iter().any(|other| other.name == source.name) {
            at.report("a name of its own for each description", format!("`{}` twice", source.name), None);
        }
        read.push(source);
    }
    read
}

fn read_source(at: &Located<'_>, file: &str) -> Option<SourceDescription> {
    at.object()?;
    at.only(&["name", "url", "type"]);
    let name = at.required("name", "the name by which steps refer to it");
    let url = at.required("url", "the path of a description, such as `./api.yaml`");
    if let Some(kind) = at.get("type").filter(|kind| kind.value.as_str() != Some("openapi")) {
        kind.wrong_with_hint("`openapi`", "only the operations of OpenAPI descriptions are compiled into tools");
    }
    let (name, url) = (name?, url?);
    let (text, path) = (name.text()?, url.text()?);
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) || text.is_empty() {
        name.wrong("a name of letters, digits, `_` and `-`");
        return None;
    }
    if path.contains("://") {
        let hint = "a build reads no network: add the description to specs/ and refer to it by its path";
        url.wrong_with_hint("the path of a description under specs/", hint);
        return None;
    }
    Some(SourceDescription { name: text.to_owned(), file: joined(file, path), pointer: url.pointer })
}

/// A path as it is from the top of the project, with `.` and `..` taken out.
fn joined(file: &str, path: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut steps: Vec<&str> = folder.split('/').collect();
    for step in path.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// Returns the vendors whose descriptions a file refers to, as far as that can be read.
pub fn vendors(file: &WorkflowFile) -> Vec<String> {
    let sources = file.value.get("sourceDescriptions").and_then(Value::as_array).into_iter().flatten();
    let vendor = |source: &Value| {
        let path = joined(&file.name, source.get("url")?.as_str()?);
        Some(path.strip_prefix("specs/")?.split_once('/')?.0.to_owned())
    };
    sources.filter_map(vendor).collect()
}

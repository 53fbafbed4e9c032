//! A vendor's published description → a look at what would come out ([`lint`]), and a new folder
//! under specs/ ([`folder`]) with its facts, ready for our words.

mod facts;
mod lint;
mod names;
mod portability;
mod vendor;
mod yaml;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

pub(crate) use crate::convert::Description;
pub(crate) use lint::{Lint, lint};

use crate::convert;
use toolwright_codegen::emit::tree::Tree;
use toolwright_codegen::is_id;
use toolwright_codegen::read::finding::{Errors, Finding, Findings};
use toolwright_codegen::read::source::{self, LoadedFile};
use toolwright_model::Effect;

/// The most that a description may weigh, in bytes.
pub(crate) const LARGEST_DESCRIPTION: u64 = convert::LARGEST_DESCRIPTION;

/// Reads a description of any format; `file` is how messages name it.
///
/// # Errors
/// It can't be read.
pub(crate) fn read(path: &Path, file: &str) -> Result<Description, Errors> {
    let findings = Findings::default();
    convert::read(path, file, &findings).ok_or_else(|| findings.into())
}

/// Reads the overlay beside a description, if there is one.
///
/// # Errors
/// It is there and can't be read.
pub(crate) fn overlay_beside(path: &Path) -> Result<Option<LoadedFile>, Errors> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let overlay = path.with_file_name(toolwright_codegen::overlay_name(stem));
    if !overlay.is_file() {
        return Ok(None);
    }
    let name = overlay.display().to_string();
    let findings = Findings::default();
    source::load(&overlay, &name, &findings).map(Some).ok_or_else(|| findings.into())
}

/// A text that a vendor may have written, for a terminal: what would steer it is spelled out.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && yaml::is_hidden(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// An id for tool names, out of the API's title.
pub(crate) fn vendor_id(description: &Description) -> String {
    const EMPTY: [&str; 8] = ["a", "an", "api", "openapi", "public", "rest", "swagger", "the"];
    let title = description.document.pointer("/info/title").and_then(Value::as_str).unwrap_or_default();
    let words = title.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let word = words.filter(|word| !EMPTY.contains(&word.as_str())).find(|word| is_vendor_id(word));
    word.unwrap_or_else(|| "vendor".to_owned())
}

/// Whether a vendor can be called that: folder, cargo feature, Rust module, head of tool names.
pub(crate) fn is_vendor_id(name: &str) -> bool {
    const FEATURES: [&str; 2] = ["default", "typed"];
    const LONGEST: usize = 20;
    is_id(name, &[])
        && name.len() <= LONGEST
        && !FEATURES.contains(&name)
        // Words of Rust can't be modules.
        && syn::parse_str::<syn::Ident>(name).is_ok()
}

/// A description that becomes one API of a new vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The API's name, which its files begin with; `api` for a vendor's only one.
    pub api: &'a str,
    /// The file, as messages name it.
    pub file: &'a str,
    /// What was read.
    pub description: &'a Description,
}

/// Whether an API can be called that: its files, a folder under `generated/`, a Rust module.
pub(crate) fn is_api_name(name: &str) -> bool {
    // Files of these names are something else in a vendor's folder.
    is_id(name, &['-']) && !matches!(name, "overlay" | "workflows")
}

/// A new vendor's files, by their paths below its folder, and what its descriptions disagree on.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The files.
    pub tree: Tree,
    /// What somebody has to settle, a line each.
    pub notes: Vec<String>,
}

/// Makes the files of a new vendor. `wanted` chooses operations by id, method and path.
///
/// # Errors
/// The name can't be a vendor's, or a description can't be read.
pub(crate) fn folder(
    sources: &[Source<'_>],
    name: &str,
    wanted: &dyn Fn(&str, &str, &str) -> bool,
) -> Result<Folder, Errors> {
    let findings = Findings::default();
    if !is_vendor_id(name) {
        let expected =
            "a name of `a-z` and `0-9`, a letter first, at most 20 of them, no word of Rust and no cargo feature";
        findings.push(Finding::of_file("NAME", expected, format!("`{name}`")));
    }
    for (index, source) in sources.iter().enumerate() {
        if !is_api_name(source.api) || sources[..index].iter().any(|other| other.api == source.api) {
            let expected = "for each description a name of its own, of `a-z`, `0-9` and `-`: `--from NAME=FILE`";
            findings.push_file(source.file, expected, format!("`{}`", source.api));
        }
    }
    findings.check(())?;
    let mut tree = Tree::default();
    let mut apis: Vec<vendor::Api> = Vec::new();
    let mut taken = BTreeSet::new();
    for source in sources {
        let description = source.description;
        // What is written must be readable as it will be read.
        let written = Description {
            document: facts::facts(&description.document, wanted),
            steps: Vec::new(),
            format: description.format.clone(),
            dropped: description.dropped.clone(),
        };
        let (drafts, _) = lint::draft(&written, source.file, name, None, &mut taken)?;
        if drafts.operations.is_empty() {
            continue;
        }
        if !drafts.faults.is_empty() {
            return Err(drafts.faults);
        }
        let title = facts::one_line(written.document.pointer("/info/title").and_then(Value::as_str).unwrap_or(name));
        let overlay_file = toolwright_codegen::overlay_name(source.api);
        let head = format!(
            "# The interface of {title}: facts only, written by `toolwright spec new` from {}.\n\
             # Each `TODO: describe` waits for words of our own; what a model sees besides is in {overlay_file}.\n",
            description.format
        );
        tree.insert(format!("{}.yaml", source.api), head + &yaml::write(&written.document));
        tree.insert(overlay_file, overlay(&title, source.api, &drafts));
        apis.push(vendor::Api { name: source.api.to_owned(), title, document: written.document });
    }
    if apis.is_empty() {
        for source in sources {
            findings.push_file(source.file, "operations", "none that are asked for");
        }
        return Err(findings.into());
    }
    let (vendor, notes) = vendor::write(name, &apis);
    tree.insert("vendor.toml", vendor);
    Ok(Folder { tree, notes })
}

/// One action per operation, with the effect left for somebody who looks.
fn overlay(title: &str, api: &str, drafts: &lint::Drafts) -> String {
    let mut out = format!(
        "# How a model meets the interface of {title}: our judgement, laid over the facts of {api}.yaml.\n\
         # An operation without `effect` is unreviewed: served under `--tags unreviewed` only. Take the mark off what you\n\
         # have looked at; each guess is made from method and path. The keys of x-toolwright: specs/README.md.\n\
         overlay: 1.0.0\ninfo:\n  title: {}\n  version: \"1\"\nextends: {api}.yaml\nactions:\n",
        yaml::quoted(&format!("{title} tools")),
    );
    for operation in &drafts.operations {
        let path = operation.path.replace('\\', "\\\\").replace('\'', "\\'");
        let target = format!("$.paths['{path}'].{}", operation.method.to_lowercase());
        // An id of its own vendor's making may hold anything; a comment ends at the line.
        let plain = |c: char| !yaml::is_hidden(c) && c != '\'' && c != '"';
        let target = if path.chars().all(plain) { target } else { yaml::quoted(&target) };
        let target = if target.contains(": ") || target.contains(" #") { yaml::quoted(&target) } else { target };
        let keys = &operation.keys.tool;
        let name = keys.name.as_deref().unwrap_or_default();
        let _ = write!(out, "  - target: {target}\n    update:\n      x-toolwright:\n        name: {name}\n");
        if let Some(verb) = keys.verb {
            let _ = writeln!(out, "        verb: {verb}");
        }
        for (index, (argument, keys)) in keys.arguments.iter().enumerate() {
            let Some(name) = &keys.name else { continue };
            out.push_str(if index == 0 { "        arguments:\n" } else { "" });
            let _ = writeln!(out, "          {}: {{name: {}}}", yaml::quoted(argument), yaml::quoted(name));
        }
        let guess = guess(&operation.method, &operation.path);
        let why = names::lie(&operation.method, &operation.path);
        let why = why.map(|word| format!(" ({} with `{word}` in its path)", operation.method)).unwrap_or_default();
        let _ = write!(
            out,
            "        # effect: {guess}  # to be reviewed{why}\n        # risks: []\n        # description: to be written\n"
        );
    }
    out
}

/// What a call probably does; nobody has looked.
fn guess(method: &str, path: &str) -> Effect {
    match (method, names::lie(method, path)) {
        ("GET" | "HEAD" | "OPTIONS" | "TRACE", None) | ("POST" | "PUT", Some(_)) => Effect::Read,
        ("DELETE", _) => Effect::Destructive,
        _ => Effect::Write,
    }
}

#[cfg(test)]
mod tests;

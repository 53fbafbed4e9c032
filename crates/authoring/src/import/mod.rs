//! A vendor's published description → a report on the tools that it would become ([`lint`]), or a
//! new folder under specs/ with its facts ([`folder`]).

pub(crate) mod facts;
pub(crate) mod lint;
mod names;
mod vendor;
pub(crate) mod yaml;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

pub(crate) use crate::convert::Description;
pub(crate) use lint::{LintReport, lint};

use crate::convert;
use toolwright_codegen::lower::spec_operation::SpecOperation;
use toolwright_codegen::read::finding::{Errors, Finding, Findings};
use toolwright_codegen::read::load;
use toolwright_codegen::read::source::LoadedFile;
use toolwright_codegen::{Tree, is_id};
use toolwright_model::Effect;

/// The largest description, in bytes.
pub(crate) const LARGEST_DESCRIPTION: u64 = convert::LARGEST_DESCRIPTION;

/// Reads a description of any format; `file` is how messages name it.
///
/// # Errors
/// It can't be read.
pub(crate) fn read(path: &Path, file: &str) -> Result<Description, Errors> {
    let findings = Findings::default();
    convert::read(path, file, &findings).ok_or_else(|| findings.into())
}

/// Reads the overlay beside a description; `None` if there is no such file.
///
/// # Errors
/// It exists and can't be read.
pub(crate) fn overlay_beside(path: &Path) -> Result<Option<LoadedFile>, Errors> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let overlay = path.with_file_name(toolwright_codegen::overlay_name(stem));
    if !overlay.is_file() {
        return Ok(None);
    }
    let name = overlay.display().to_string();
    let findings = Findings::default();
    load::load(&overlay, &name, &findings).map(Some).ok_or_else(|| findings.into())
}

/// Escapes characters that control a terminal, in a text that may contain a vendor's words.
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

/// Derives a vendor id, the prefix of tool names, from the API's title.
pub(crate) fn vendor_id(description: &Description) -> String {
    const EMPTY: [&str; 8] = ["a", "an", "api", "openapi", "public", "rest", "swagger", "the"];
    let title = description.document.pointer("/info/title").and_then(Value::as_str).unwrap_or_default();
    let words = title.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let word = words.filter(|word| !EMPTY.contains(&word.as_str())).find(|word| is_vendor_id(word));
    word.unwrap_or_else(|| "vendor".to_owned())
}

/// Returns whether `name` can be a vendor's id: a folder, cargo feature, Rust module and prefix of
/// tool names.
pub(crate) fn is_vendor_id(name: &str) -> bool {
    const FEATURES: [&str; 2] = ["default", "typed"];
    const LONGEST: usize = 20;
    is_id(name, &[])
        && name.len() <= LONGEST
        && !FEATURES.contains(&name)
        // Keywords of Rust can't name modules.
        && syn::parse_str::<syn::Ident>(name).is_ok()
}

/// A description that becomes one API of a new vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NamedDescription<'a> {
    /// The API's name, with which its files begin; `api` for a vendor's only API.
    pub api: &'a str,
    /// The file's name in messages.
    pub file: &'a str,
    /// The content.
    pub description: &'a Description,
}

/// Returns whether `name` can be an API's name: it names files, a folder under `generated/` and a Rust
/// module.
pub(crate) fn is_api_name(name: &str) -> bool {
    // Files of these names have another meaning in a vendor's folder.
    is_id(name, &['-']) && !matches!(name, "overlay" | "workflows")
}

/// The files of a new vendor's folder.
#[derive(Debug)]
pub(crate) struct VendorFolder {
    /// The files, by their paths below the folder.
    pub tree: Tree,
    /// What the author has to decide, one line each, such as which of two addresses is right.
    pub notes: Vec<String>,
}

/// Makes the files of a new vendor. `wanted` chooses operations by id, method and path.
///
/// # Errors
/// The name can't be a vendor's, or a description can't be read.
pub(crate) fn folder(
    sources: &[NamedDescription<'_>],
    name: &str,
    wanted: &dyn Fn(&str, &str, &str) -> bool,
) -> Result<VendorFolder, Errors> {
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
    let mut apis: Vec<vendor::DescribedApi> = Vec::new();
    let mut taken = BTreeSet::new();
    for source in sources {
        let description = source.description;
        // Lowered from the facts that are written, so that the build can read what it will find.
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
            "# The interface of {title}: facts only, written by `cargo spec new` from {}.\n\
             # Replace each `TODO: describe` by a text of your own; names and descriptions of tools are in {overlay_file}.\n",
            description.format
        );
        tree.insert(format!("{}.yaml", source.api), head + &yaml::write(&written.document));
        tree.insert(overlay_file, overlay(&title, source.api, &drafts));
        apis.push(vendor::DescribedApi { name: source.api.to_owned(), title, document: written.document });
    }
    if apis.is_empty() {
        for source in sources {
            findings.push_file(source.file, "operations", "none that are asked for");
        }
        return Err(findings.into());
    }
    let (vendor, notes) = vendor::write(name, &apis);
    tree.insert("vendor.toml", vendor);
    Ok(VendorFolder { tree, notes })
}

/// Writes the overlay: one action per operation. Effects are comments until a reviewer states them.
fn overlay(title: &str, api: &str, drafts: &lint::Drafts) -> String {
    let mut out = format!(
        "# How a model sees the interface of {title}: our judgement, applied to the facts of {api}.yaml.\n\
         # An operation without `effect` is unreviewed and served under `--tags unreviewed` only. Each guess is made from\n\
         # method and path: review it, then remove its comment mark. The keys of x-toolwright: specs/README.md.\n\
         overlay: 1.0.0\ninfo:\n  title: {}\n  version: \"1\"\nextends: {api}.yaml\nactions:\n",
        yaml::quoted(&format!("{title} tools")),
    );
    for operation in &drafts.operations {
        for line in action(operation).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

/// Writes the target of an operation, in quotes where it needs them.
pub(crate) fn target(method: &str, path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('\'', "\\'");
    let target = format!("$.paths['{escaped}'].{}", method.to_lowercase());
    // A path may contain any character; only harmless ones are left unquoted.
    let plain = |c: char| !yaml::is_hidden(c) && c != '\'' && c != '"';
    let is_plain = path.chars().all(plain) && !target.contains(": ") && !target.contains(" #");
    if is_plain { target } else { yaml::quoted(&target) }
}

/// Writes the action of one operation, without indentation.
pub(crate) fn action(operation: &SpecOperation) -> String {
    let mut out = String::new();
    let target = target(&operation.method, &operation.path);
    let keys = &operation.keys.tool;
    let name = keys.name.as_deref().unwrap_or_default();
    let _ = write!(out, "- target: {target}\n  update:\n    x-toolwright:\n      name: {name}\n");
    if let Some(verb) = keys.verb {
        let _ = writeln!(out, "      verb: {verb}");
    }
    for (index, (argument, keys)) in keys.arguments.iter().enumerate() {
        let Some(name) = &keys.name else { continue };
        out.push_str(if index == 0 { "      arguments:\n" } else { "" });
        let _ = writeln!(out, "        {}: {{name: {}}}", yaml::quoted(argument), yaml::quoted(name));
    }
    let guess = guess(&operation.method, &operation.path);
    let why = names::misleading_word(&operation.method, &operation.path);
    let why = why.map(|word| format!(" ({} with `{word}` in its path)", operation.method)).unwrap_or_default();
    let _ = write!(
        out,
        "      # effect: {guess}  # to be reviewed{why}\n      # risks: []\n      # description: to be written\n"
    );
    out
}

/// Guesses a call's effect from its method and path.
pub(crate) fn guess(method: &str, path: &str) -> Effect {
    match (method, names::misleading_word(method, path)) {
        ("GET" | "HEAD" | "OPTIONS" | "TRACE", None) | ("POST" | "PUT", Some(_)) => Effect::Read,
        ("DELETE", _) => Effect::Destructive,
        _ => Effect::Write,
    }
}

#[cfg(test)]
mod tests;

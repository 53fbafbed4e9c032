//! A vendor's published description → a report on the tools that it would become ([`lint`]), or a
//! new folder under specs/ with its facts ([`folder`]).

mod answers;
mod concise;
mod drafts;
mod effects;
pub(crate) mod facts;
pub(crate) mod lint;
pub(crate) mod losses;
mod names;
mod nouns;
mod paging;
mod texts;
mod vendor;
mod verbs;
mod words;
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
use toolwright_codegen::read::keys::{PagingKey, ToolKeys};
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
    /// What became of each description.
    pub reports: Vec<LintReport>,
}

/// What is taken of descriptions into a new vendor's folder.
pub(crate) struct Taken<'a> {
    /// Chooses operations by id, method and path.
    pub wanted: &'a dyn Fn(&str, &str, &str) -> bool,
    /// Whether the vendor's texts and examples are kept, which are the vendor's.
    pub keep_texts: bool,
}

/// Makes the files of a new vendor.
///
/// # Errors
/// The name can't be a vendor's, or a description can't be read.
pub(crate) fn folder(sources: &[NamedDescription<'_>], name: &str, taken: &Taken<'_>) -> Result<VendorFolder, Errors> {
    let findings = Findings::default();
    check_names(sources, name, &findings);
    findings.check(())?;
    let mut tree = Tree::default();
    let mut apis: Vec<vendor::DescribedApi> = Vec::new();
    let (mut names, mut styles) = (BTreeSet::new(), paging::Styles::default());
    let (mut reports, mut notices) = (Vec::new(), Vec::new());
    for source in sources {
        let described = source.description;
        let written = written(described, name, taken);
        let drafting = Some(lint::Drafting { document: &described.document, styles: &mut styles });
        let (drafts, lowered) = lint::draft(&written, source.file, name, None, drafting, &mut names)?;
        if drafts.operations.is_empty() {
            continue;
        }
        if !drafts.faults.is_empty() {
            return Err(drafts.faults);
        }
        let title = facts::one_line(written.document.pointer("/info/title").and_then(Value::as_str).unwrap_or(name));
        let overlay_file = toolwright_codegen::overlay_name(source.api);
        let mut head = format!(
            "# The interface of {title}: facts only, written by `cargo spec new` from {}.\n\
             # Replace each `TODO: describe` by a text of your own; names and descriptions of tools are in {overlay_file}.\n",
            described.format
        );
        if taken.keep_texts {
            let notice = texts::notice(&described.document);
            let _ = writeln!(head, "# {notice}");
            notices.push(notice);
        }
        tree.insert(format!("{}.yaml", source.api), head + &yaml::write(&written.document));
        tree.insert(overlay_file, overlay(&title, source.api, &drafts, taken.keep_texts));
        reports.push(lint::report((described, written.steps.as_slice()), (source.file, name), &drafts, &lowered));
        let mut document = written.document;
        // How a key is written is stated in words only, which are not written.
        facts::describe_schemes(&mut document, &described.document);
        apis.push(vendor::DescribedApi { name: source.api.to_owned(), title, document });
    }
    if apis.is_empty() {
        for source in sources {
            findings.push_file(source.file, "operations", "none that are asked for");
        }
        return Err(findings.into());
    }
    let (vendor, mut notes) = vendor::write(name, &apis);
    tree.insert("vendor.toml", vendor + &styles.write());
    if !notices.is_empty() {
        notices.dedup();
        let formats: Vec<&str> = sources.iter().map(|source| source.description.format.as_str()).collect();
        tree.insert("README.md", texts::readme(&apis[0].title, &formats.join(", "), &notices));
        notes.extend(notices);
    }
    Ok(VendorFolder { tree, notes, reports })
}
fn check_names(sources: &[NamedDescription<'_>], name: &str, findings: &Findings) {
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
}

/// The facts that are written. They are also what is lowered, so that the build can read what it will find.
fn written(described: &Description, name: &str, taken: &Taken<'_>) -> Description {
    let mut document = facts::facts(&described.document, taken.wanted);
    let mut steps = described.steps.clone();
    lint::note_tags(facts::tags_of_vendor(&mut document, name), name, &mut steps);
    if taken.keep_texts {
        texts::keep(&mut document, &described.document);
    }
    Description { document, steps, format: String::new(), dropped: described.dropped.clone(), text: None }
}

/// Writes the overlay: one action per operation. Effects are comments until a reviewer states them.
fn overlay(title: &str, api: &str, drafts: &lint::Drafts, has_texts: bool) -> String {
    let mut out = format!(
        "# How a model sees the interface of {title}: our judgement, applied to the facts of {api}.yaml.\n\
         # An operation without `effect` is unreviewed and served under `--tags unreviewed` only. Each guess is made from\n\
         # method and words: review it, then remove its comment mark. `paging` and `concise` are drafts too, which are used\n\
         # once the effect is `read`. The keys of x-toolwright: specs/README.md.\n\
         overlay: 1.0.0\ninfo:\n  title: {}\n  version: \"1\"\nextends: {api}.yaml\nactions:\n",
        yaml::quoted(&format!("{title} tools")),
    );
    for operation in &drafts.operations {
        let text = if has_texts && operation.description.is_some() {
            "the vendor's, until yours is here"
        } else {
            TO_BE_WRITTEN
        };
        for line in action(operation, drafts.proposals.get(&operation.pointer), text).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

/// What the overlay says of a description that is still missing.
pub(crate) const TO_BE_WRITTEN: &str = "to be written";

/// Writes the target of an operation, in quotes where it needs them.
pub(crate) fn target(method: &str, path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('\'', "\\'");
    let target = format!("$.paths['{escaped}'].{}", method.to_lowercase());
    // A path may contain any character; only harmless ones are left unquoted.
    let plain = |c: char| !yaml::is_hidden(c) && c != '\'' && c != '"';
    let is_plain = path.chars().all(plain) && !target.contains(": ") && !target.contains(" #");
    if is_plain { target } else { yaml::quoted(&target) }
}

/// Writes the action of one operation, without indentation. `text` is what is said of its description.
pub(crate) fn action(operation: &SpecOperation, proposal: Option<&drafts::Proposal>, text: &str) -> String {
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
    if let Some(proposal) = proposal {
        proposed(keys, proposal, &mut out);
    }
    let guess = effects::guess(&operation.method, &operation.path, &operation.id);
    let why = guess.why.map(|why| format!(" ({why})")).unwrap_or_default();
    let risks: Vec<&str> = guess.risks.keys().map(|risk| risk.as_str()).collect();
    let words: Vec<String> = guess.risks.values().map(|word| format!("`{word}`")).collect();
    let by = if words.is_empty() { String::new() } else { format!("  # by the words {}", words.join(", ")) };
    let _ = write!(
        out,
        "      # effect: {}  # to be reviewed{}\n      # risks: [{}]{by}\n      # description: {text}\n",
        guess.effect,
        shown(&why),
        risks.join(", ")
    );
    out
}

/// Writes the drafts of paging and concise fields, with what shows them.
fn proposed(keys: &ToolKeys, proposal: &drafts::Proposal, out: &mut String) {
    let comment = |text: &str| shown(&text.replace('\n', " "));
    if let (Some(PagingKey::Named(style)), Some(why)) = (&keys.paging, &proposal.paging) {
        let _ = writeln!(out, "      paging: {}  # {}", yaml::in_flow(style), comment(why));
    }
    if let Some(why) = &proposal.open_paging {
        let _ = writeln!(out, "      # paging:  # to be found out: {}", comment(why));
    }
    if !keys.concise.is_empty() {
        out.push_str(&yaml::entry_at("concise", &serde_json::Value::from(keys.concise.clone()), 6));
    }
}

/// Guesses a call's effect from its method and path.
pub(crate) fn guess(method: &str, path: &str) -> Effect {
    effects::guess(method, path, "").effect
}

#[cfg(test)]
mod tests;

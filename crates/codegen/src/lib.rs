//! The build-time half: `specs/` → the files that are compiled and, committed under
//! `generated/`, reviewed.

#![allow(missing_docs, reason = "an internal crate: its field names say what a sentence would repeat")]

pub mod emit;
pub mod lower;
pub mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use emit::tree::{Difference, Tree};
pub use read::finding::{Errors, Finding};

use crate::emit::{client, dispatch, index, report, sandbox_table, typed};
use crate::lower::operations::{Lowered, VendorContext};
use crate::lower::tool_draft::Claim;
use crate::lower::{fixups, operations, paging};
use crate::read::document::Document;
use crate::read::located::{Source, nearest};
use crate::read::{overlay, spec, vendor_file};
use toolwright_model::{ApiTools, CORE_TAG, Effect, Tool, api_id, api_stem};

/// The most tools of a vendor that may be `core`: what clients take and models keep apart.
const MOST_CORE_TOOLS: usize = 40;

/// What is made of each API.
const API_FILES: [&str; 5] = ["client.rs", "dispatch.rs", "report.md", "sandbox.json", "tools.json"];

/// What the generator makes of `specs/`.
#[derive(Debug)]
pub struct Generated {
    /// What is committed under `generated/`.
    pub tree: Tree,
    /// The module that ties the files together, for OUT_DIR only: it depends on which vendors
    /// are built.
    pub index: String,
    /// API id, file and description after overlay and fixups, for [`typed_clients`].
    documents: Vec<(String, String, Value)>,
    /// Values that the vendors' grammars accept: tool → argument → values. For tests.
    pub samples: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
}

/// One API of a vendor on its way through the generator.
struct Api {
    id: String,
    vendor: String,
    /// The description's file, as messages and headers name it.
    file: String,
    title: String,
    version: String,
    lowered: Lowered,
    fixups: Vec<fixups::Fixup>,
    sandbox: Value,
    document: Value,
}

/// Generates everything from the folder `specs`. `wanted` chooses vendors by id.
///
/// # Errors
/// Everything that is wrong with the files of the wanted vendors.
pub fn generate(specs: &Path, wanted: impl Fn(&str) -> bool) -> Result<Generated, Errors> {
    let mut errors = Errors::default();
    let mut vendors = Vec::new();
    let mut apis = Vec::new();
    for folder in vendor_folders(specs, &mut errors) {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !wanted(&name) {
            continue;
        }
        let place = format!("specs/{name}");
        if !is_id(&name, &[]) {
            errors.push(Finding {
                hint: Some("tool names, environment and cargo feature are made from it".to_owned()),
                ..Finding::of_file(&place, "a folder named with `a-z` and `0-9`, a letter first", format!("`{name}`"))
            });
            continue;
        }
        let before = errors.len();
        let vendor =
            vendor_file::load(&folder.join("vendor.toml"), &format!("{place}/vendor.toml"), &name, &mut errors);
        let (mut own, complete) = read_apis(
            &folder,
            &place,
            &VendorContext { id: &name, styles: vendor.as_ref().map(|vendor| vendor.paging.as_slice()) },
            &mut errors,
        );
        check_core(&own, &place, &mut errors);
        if let Some(vendor) = vendor {
            if complete {
                let stems: Vec<&str> = own.iter().map(|api| api_stem(&api.id, &name)).collect();
                let file = format!("{place}/vendor.toml");
                vendor_file::check_roots(&vendor.addresses, &stems, &file, &mut errors);
                let tools = own.iter().flat_map(|api| &api.lowered.tools);
                vendor_file::check_hidden(&vendor.settings, tools, &file, &mut errors);
            }
            // Of operations that could not be read, nothing is known.
            if complete && let Some(check) = &vendor.check {
                let sound = errors.len() == before;
                check_login(&check.operation, &own, sound, &format!("{place}/vendor.toml"), &mut errors);
            }
            if complete && errors.len() == before {
                let tools: Vec<&Tool> = own.iter().flat_map(|api| &api.lowered.tools).collect();
                paging::check_used(&vendor.paging, &tools, &format!("{place}/vendor.toml"), &mut errors);
            }
            vendors.push(vendor);
        }
        apis.append(&mut own);
    }
    check_names(&apis, &mut errors);
    // Code is emitted only from descriptions that are right: what progenitor would say of the
    // others says less than the findings.
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut tree = Tree::default();
    for api in &apis {
        emit_api(api, &mut tree, &mut errors);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let ids: Vec<(&str, &str)> = apis.iter().map(|api| (api.id.as_str(), api.vendor.as_str())).collect();
    let mut samples: BTreeMap<String, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    for (tool, argument, values) in apis.iter().flat_map(|api| &api.lowered.samples) {
        samples.entry(tool.clone()).or_default().insert(argument.clone(), values.clone());
    }
    let index = index::emit(&ids, &vendors);
    let documents = apis.into_iter().map(|api| (api.id, api.file, api.document)).collect();
    Ok(Generated { tree, index, documents, samples })
}

/// Writes what is compiled into the folder `out`: the generated files, the index over them and, if
/// `typed`, the typed clients.
///
/// # Errors
/// As [`generate`] and [`typed_clients`], or `out` can't be written to.
pub fn build(specs: &Path, out: &Path, wanted: impl Fn(&str) -> bool, typed: bool) -> Result<(), Errors> {
    let generated = generate(specs, wanted)?;
    let mut tree = generated.tree.clone();
    if typed {
        tree.extend(typed_clients(&generated)?);
    }
    tree.insert("index.rs", generated.index);
    tree.write_to(out).map_err(|error| {
        let mut errors = Errors::default();
        errors.push_file(&out.display().to_string(), "a folder that can be written to", error.to_string());
        errors
    })
}

/// Emits the typed client of each API, for OUT_DIR only.
///
/// # Errors
/// A description that progenitor can't make types of.
pub fn typed_clients(generated: &Generated) -> Result<Tree, Errors> {
    let (mut tree, mut errors) = (Tree::default(), Errors::default());
    for (api, file, document) in &generated.documents {
        match typed::emit(document) {
            Ok(code) => tree.insert(format!("{api}/typed.rs"), code),
            Err(error) => errors.push_file(file, "a description that progenitor can make types of", error),
        }
    }
    if errors.is_empty() { Ok(tree) } else { Err(errors) }
}

/// The schema of the `x-toolwright` keys.
#[cfg(feature = "schemars")]
pub fn operation_keys_schema() -> schemars::Schema {
    schemars::schema_for!(read::keys::OperationKeys)
}

/// The folders of specs/, in order of their names.
fn vendor_folders(specs: &Path, errors: &mut Errors) -> Vec<PathBuf> {
    match std::fs::read_dir(specs) {
        Ok(entries) => {
            let mut folders: Vec<PathBuf> =
                entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
            folders.sort();
            folders
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            errors.push_file("specs", "a folder with one folder per vendor", error.to_string());
            Vec::new()
        }
    }
}

/// Returns the APIs in a vendor's folder, and whether all of them could be read.
fn read_apis(folder: &Path, place: &str, vendor: &VendorContext<'_>, errors: &mut Errors) -> (Vec<Api>, bool) {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let mut apis = Vec::new();
    let mut overlays = Vec::new();
    // Stem → file.
    let mut described: BTreeMap<&str, &str> = BTreeMap::new();
    for name in &names {
        let Some((stem, "yaml" | "yml" | "json")) = name.rsplit_once('.') else { continue };
        if stem == "workflows" {
            continue;
        }
        if stem == "overlay" || stem.ends_with(".overlay") {
            overlays.push(name);
        } else if !is_id(stem, &['-']) {
            let expected = "a file named with `a-z`, `0-9` and `-`, a letter first";
            errors.push(Finding {
                hint: Some("a folder and a Rust module are made from it".to_owned()),
                ..Finding::of_file(&format!("{place}/{name}"), expected, format!("`{name}`"))
            });
        } else if let Some(other) = described.insert(stem, name) {
            errors.push_file(&format!("{place}/{name}"), "one file for each API", format!("`{other}` beside it"));
        }
    }
    for name in overlays {
        if !described.keys().any(|stem| overlay_name(stem) == *name) {
            let expected = "an overlay named after the description beside it: `overlay.yaml` for `api.yaml`, \
                            `<api>.overlay.yaml` for `<api>.yaml`";
            errors.push_file(&format!("{place}/{name}"), expected, format!("`{name}`, which belongs to none"));
        }
    }
    if described.is_empty() {
        errors.push_file(place, "an OpenAPI description, such as `api.yaml`", "none");
    }
    for (stem, name) in &described {
        let id = api_id(stem, vendor.id);
        apis.extend(read_api(folder, place, vendor, id, name, &overlay_name(stem), errors));
    }
    let complete = apis.len() == described.len() && !described.is_empty();
    (apis, complete)
}

pub fn overlay_name(stem: &str) -> String {
    if stem == "api" { "overlay.yaml".to_owned() } else { format!("{stem}.overlay.yaml") }
}

/// Whether `name` can be part of a tool name, a folder and a Rust module.
pub fn is_id(name: &str, joints: &[char]) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || joints.contains(&c))
}

fn read_api(
    folder: &Path,
    place: &str,
    vendor: &VendorContext<'_>,
    id: String,
    name: &str,
    overlay: &str,
    errors: &mut Errors,
) -> Option<Api> {
    let file = format!("{place}/{name}");
    let overlay_file = format!("{place}/{overlay}");
    let overlay_path = folder.join(overlay);
    let overlay = if overlay_path.exists() { spec::load(&overlay_path, &overlay_file, errors) } else { None };
    let mut document = spec::load(&folder.join(name), &file, errors)?;
    let source = Source::new(&file);
    spec::check_document(&source.root(&document));
    let found = source.into_errors();
    let mut sound = found.is_empty();
    errors.append(found);
    // Before the overlay: a mistake in the overlay must not hide in the sandbox.
    let described = if sound { Document::parse(document.clone()).ok() } else { None };
    let sandbox = described.map(|described| sandbox_table::emit(&id, &described)).unwrap_or_default();

    let mut origins = overlay::Origins::new();
    if let Some(overlay) = overlay {
        origins = overlay::apply(&overlay_file, &overlay, &mut document, errors);
    }
    let fixups = if sound { fixups::apply(&mut document) } else { Vec::new() };
    let source = Source::with_origins(&file, &origins);
    let root = source.root(&document);
    if sound {
        sound = check_overlaid(&file, &overlay_file, &document, &origins, errors);
    }
    spec::check_extensions(&root);
    let mut lowered = Lowered::default();
    if sound {
        lowered = operations::lower(vendor, &id, &spec::read_operations(&root), &root);
    } else {
        spec::check_keys(&root);
    }
    errors.append(source.into_errors());
    if !sound {
        return None;
    }
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (title, version) = (text("/info/title"), text("/info/version"));
    Some(Api { title, version, document, vendor: vendor.id.to_owned(), id, file, lowered, fixups, sandbox })
}

/// Checks a description once more: the overlay may have brought a fault in, or taken away what
/// something refers to.
fn check_overlaid(
    file: &str,
    overlay_file: &str,
    document: &Value,
    origins: &overlay::Origins,
    errors: &mut Errors,
) -> bool {
    let source = Source::with_origins(file, origins);
    spec::check_document(&source.root(document));
    let found = source.into_errors();
    for finding in &found {
        let mut finding = finding.clone();
        if finding.file == file {
            finding.hint = Some(format!("{overlay_file} takes it away"));
        }
        errors.push(finding);
    }
    found.is_empty()
}

/// A vendor has only so many tools that are always at hand.
fn check_core(apis: &[Api], place: &str, errors: &mut Errors) {
    let core = apis.iter().flat_map(|api| &api.lowered.tools).filter(|tool| tool.tags.contains(CORE_TAG)).count();
    if core > MOST_CORE_TOOLS {
        let expected = format!("at most {MOST_CORE_TOOLS} tools with the tag `{CORE_TAG}`");
        errors.push(Finding {
            hint: Some("the tag is for what an assistant needs every day; take it off the others".to_owned()),
            ..Finding::of_file(place, expected, core.to_string())
        });
    }
}

/// Checks that `doctor` can call the operation. What its tool says of itself counts only where
/// it was read without complaint (`sound`).
fn check_login(operation: &str, apis: &[Api], sound: bool, file: &str, errors: &mut Errors) {
    let fates = || apis.iter().flat_map(|api| &api.lowered.fates);
    let tool = apis
        .iter()
        .flat_map(|api| &api.lowered.tools)
        .find(|tool| tool.calls.len() == 1 && tool.calls.iter().any(|call| call.operation == operation));
    let (found, hint) = match tool {
        None if fates().any(|fate| fate.operation == operation) => ("which is skipped".to_owned(), None),
        None => {
            let near = nearest(operation, fates().map(|fate| fate.operation.as_str()));
            ("which is no operation".to_owned(), near.map(|near| format!("did you mean `{near}`?")))
        }
        Some(_) if !sound => return,
        Some(tool) => match (tool.effect, tool.parsed_input_schema().get("required")) {
            (None, _) => (format!("whose tool `{}` states no effect", tool.name), None),
            (Some(effect), _) if effect != Effect::Read => {
                (format!("whose tool `{}` has the effect `{effect}`", tool.name), None)
            }
            (_, Some(required)) => (format!("whose tool `{}` requires `{required}`", tool.name), None),
            (_, None) => return,
        },
    };
    errors.push(Finding {
        file: file.to_owned(),
        pointer: "/check/operation".to_owned(),
        expected: "the id of an operation that only reads and needs no arguments".to_owned(),
        found: format!("`{operation}`, {found}"),
        hint,
    });
}

/// Names and aliases lead to one tool each, over all vendors.
fn check_names(apis: &[Api], errors: &mut Errors) {
    let mut taken: BTreeMap<&str, &Claim> = BTreeMap::new();
    for claim in apis.iter().flat_map(|api| &api.lowered.claims) {
        let Some(first) = taken.get(claim.name.as_str()) else {
            taken.insert(&claim.name, claim);
            continue;
        };
        errors.push(Finding {
            file: claim.file.clone(),
            pointer: claim.pointer.clone(),
            expected: format!("a name of its own for the tool of {}", claim.owner),
            found: format!(
                "`{}`, which the tool of {} has already ({}#{})",
                claim.name, first.owner, first.file, first.pointer
            ),
            hint: Some("set `name` in the overlay of one of them".to_owned()),
        });
    }
}

fn emit_api(api: &Api, tree: &mut Tree, errors: &mut Errors) {
    let id = &api.id;
    let header = format!("// @generated by `cargo regenerate` from {}. Do not edit.\n\n", api.file);
    let operations = &api.lowered.operations;
    let code = client::emit(&api.title, &api.version, operations)
        .and_then(|client| dispatch::emit(operations, &client).map(|dispatch| (client, dispatch)));
    match code {
        Ok((client, dispatch)) => {
            tree.insert(format!("{id}/client.rs"), header.clone() + &client);
            tree.insert(format!("{id}/dispatch.rs"), header + &dispatch);
        }
        Err(error) => errors.push_file(&api.file, "a description that progenitor can make a client of", error),
    }
    let tools = ApiTools { api: id.clone(), vendor: api.vendor.clone(), tools: api.lowered.tools.clone() };
    tree.insert(format!("{id}/tools.json"), pretty(&tools));
    tree.insert(format!("{id}/sandbox.json"), pretty(&api.sandbox));
    tree.insert(format!("{id}/report.md"), report::emit(id, &api.title, &api.file, &api.lowered, &api.fixups));
}

/// Pretty JSON; raw schemas inside become part of it.
fn pretty(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("plain data with text keys is JSON");
    serde_json::to_string_pretty(&value).expect("a JSON value prints as JSON")
}

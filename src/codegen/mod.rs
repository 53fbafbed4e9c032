//! The build-time half: `specs/` → the files that are compiled and, committed under
//! `generated/`, reviewed. Reads files, writes none, and knows nothing of the run-time half:
//! build.rs mounts only `model` and this module, so the compiler sees to that.

mod client;
mod dispatch;
mod error;
mod fixups;
mod index;
pub(crate) mod keys;
mod located;
mod lower;
mod overlay;
mod report;
pub mod sandbox_table;
mod schema;
mod spec;
mod tree;
mod vendor_file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use error::{Errors, Finding};
pub use tree::{Difference, Tree};

use crate::model::{ApiTools, CORE_TAG, Effect, Tool, Vendor};
use located::Source;
use lower::Lowered;

/// The most tools of a vendor that may be `core`: what clients take and models keep apart.
const MOST_CORE_TOOLS: usize = 40;

/// What the generator makes of `specs/`.
#[derive(Debug)]
pub struct Generated {
    /// What is committed under `generated/`.
    pub tree: Tree,
    /// The module that ties the files together, for OUT_DIR only: it depends on which vendors
    /// are built.
    pub index: String,
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
        let vendor =
            vendor_file::load(&folder.join("vendor.toml"), &format!("{place}/vendor.toml"), &name, &mut errors);
        let mut own = read_apis(&folder, &place, &name, &mut errors);
        if let Some(vendor) = vendor {
            check_vendor(&vendor, &own, &place, &mut errors);
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
    Ok(Generated { tree, index: index::emit(&ids, &vendors), samples })
}

/// The schema of the `x-toolwright` keys.
#[cfg(feature = "authoring")]
pub(crate) fn operation_keys_schema() -> schemars::Schema {
    schemars::schema_for!(keys::OperationKeys)
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

fn read_apis(folder: &Path, place: &str, vendor: &str, errors: &mut Errors) -> Vec<Api> {
    let mut apis = Vec::new();
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    for name in &names {
        let Some((stem, "yaml" | "yml" | "json")) = name.rsplit_once('.') else { continue };
        if stem == "overlay" || stem.ends_with(".overlay") || stem == "workflows" {
            continue;
        }
        let overlay = if stem == "api" { "overlay.yaml".to_owned() } else { format!("{stem}.overlay.yaml") };
        let id = if stem == "api" { vendor.to_owned() } else { format!("{vendor}-{stem}") };
        apis.extend(read_api(folder, place, vendor, id, name, &overlay, errors));
    }
    if apis.is_empty() && errors.is_empty() {
        errors.push_file(place, "an OpenAPI description, such as `api.yaml`", "none");
    }
    apis
}

fn read_api(
    folder: &Path,
    place: &str,
    vendor: &str,
    id: String,
    name: &str,
    overlay: &str,
    errors: &mut Errors,
) -> Option<Api> {
    let file = format!("{place}/{name}");
    let mut document = spec::load(&folder.join(name), &file, errors)?;
    let source = Source::new(&file);
    spec::check_document(&source.root(&document));
    let found = source.into_errors();
    let sound = found.is_empty();
    errors.append(found);

    let mut origins = overlay::Origins::new();
    let overlay_path = folder.join(overlay);
    let mut sandbox = Value::Null;
    if sound {
        // Before the overlay: a mistake in the overlay must not hide in the sandbox.
        sandbox = sandbox_table::emit(&id, &document);
    }
    if overlay_path.exists() {
        let overlay_file = format!("{place}/{overlay}");
        if let Some(overlay) = spec::load(&overlay_path, &overlay_file, errors) {
            origins = overlay::apply(&overlay_file, &overlay, &mut document, errors);
        }
    }
    if !sound {
        return None;
    }
    let fixups = fixups::apply(&mut document);
    let source = Source::with_origins(&file, &origins);
    let root = source.root(&document);
    let operations = spec::read_operations(&root);
    let lowered = lower::lower(vendor, &id, &operations, &root);
    // An overlay's keys are read when it is applied and again here: the same finding counts once.
    for finding in &source.into_errors() {
        if !errors.iter().any(|known| known == finding) {
            errors.push(finding.clone());
        }
    }
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Api {
        title: text("/info/title"),
        version: text("/info/version"),
        vendor: vendor.to_owned(),
        id,
        file,
        lowered,
        fixups,
        sandbox,
    })
}

/// Checks what concerns a vendor as a whole.
fn check_vendor(vendor: &Vendor, apis: &[Api], place: &str, errors: &mut Errors) {
    let core = apis.iter().flat_map(|api| &api.lowered.tools).filter(|tool| tool.tags.contains(CORE_TAG)).count();
    if core > MOST_CORE_TOOLS {
        let expected = format!("at most {MOST_CORE_TOOLS} tools with the tag `{CORE_TAG}`");
        errors.push_file(place, expected, core.to_string());
    }
    let Some(check) = &vendor.check else { return };
    let tool = apis
        .iter()
        .flat_map(|api| &api.lowered.tools)
        .find(|tool| tool.calls.iter().any(|call| call.operation == check.operation));
    let fits = tool.is_some_and(|tool| tool.effect == Some(Effect::Read) && !requires_arguments(tool));
    if !fits {
        errors.push(Finding {
            file: format!("{place}/vendor.toml"),
            pointer: "/check/operation".to_owned(),
            expected: "the id of an operation that only reads and needs no arguments".to_owned(),
            found: format!("`{}`", check.operation),
            hint: None,
        });
    }
}

fn requires_arguments(tool: &Tool) -> bool {
    tool.parsed_input_schema().contains_key("required")
}

/// Names and aliases lead to one tool each, over all vendors.
fn check_names(apis: &[Api], errors: &mut Errors) {
    let mut taken: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    for api in apis {
        for tool in &api.lowered.tools {
            let call = &tool.calls[0];
            let owner = format!("`{}` ({} {})", call.operation, call.method, call.path);
            for name in std::iter::once(&tool.name).chain(&tool.aliases) {
                if let Some((file, other)) = taken.get(name.as_str()) {
                    errors.push(Finding {
                        file: api.file.clone(),
                        pointer: String::new(),
                        expected: format!("a name of its own for the tool `{name}` of {owner}"),
                        found: format!("the same name for {other} in {file}"),
                        hint: Some("set `name` in the overlay of one of them".to_owned()),
                    });
                } else {
                    taken.insert(name, (&api.file, owner.clone()));
                }
            }
        }
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

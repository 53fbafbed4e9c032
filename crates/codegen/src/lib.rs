//! The build-time half: `specs/` → the files that are compiled and, committed under
//! `generated/`, reviewed.

#![allow(missing_docs, reason = "an internal crate: its field names say what a sentence would repeat")]

mod emit;
pub mod lower;
pub mod read;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use emit::tree::{Difference, Tree};
pub use lower::unoffered::Unoffered;
pub use read::finding::{Errors, Finding, Findings};
pub use read::vendor_folder::{is_id, overlay_name};

use crate::emit::{api_files, compiled, index, search_index};
use crate::lower::vendor::{self, LoweredVendor};
use crate::lower::workflows::{LoweredWorkflows, across};
use crate::read::{synonyms, vendor_folder};
use toolwright_model::{Synonyms, Vendor};

/// What the generator makes of `specs/`.
#[derive(Debug)]
pub struct Generated {
    /// What is committed under `generated/`.
    pub tree: Tree,
    /// The same files as they are compiled in.
    compiled: Tree,
    /// The module that ties the files together, for OUT_DIR only: it depends on which vendors
    /// are built.
    pub index: String,
    /// The words by which the search understands people.
    synonyms: Synonyms,
    /// For the typed clients.
    #[cfg(feature = "typed")]
    descriptions: Vec<FinalDescription>,
    /// Values that the vendors' grammars accept: tool → argument → values. For tests.
    pub samples: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
    /// What no tool offers, and why: API → reasons. For tests.
    pub unoffered: BTreeMap<String, Vec<Unoffered>>,
}

/// A description after overlay and fixups.
#[cfg(feature = "typed")]
#[derive(Debug)]
struct FinalDescription {
    api: String,
    /// As messages name it.
    file: String,
    document: Value,
}

/// Generates everything from the folder `specs`. `wanted` chooses vendors by id.
///
/// # Errors
/// Everything that is wrong with the files of the wanted vendors.
pub fn generate(specs: &Path, wanted: impl Fn(&str) -> bool) -> Result<Generated, Errors> {
    let findings = Findings::default();
    let synonyms = synonyms::read(specs, &findings);
    let folders = vendor_folder::read_all(specs, &wanted, &findings);
    let vendors: Vec<LoweredVendor> = folders.map(|folder| vendor::lower(folder, &findings)).collect();
    let across = across::lower(specs, &wanted, &vendors, &findings);
    vendor::check_names(&vendors, &across, &findings);
    findings.check(())?;
    let mut tree = api_files::emit(&vendors);
    let workflows = || vendors.iter().filter_map(|vendor| vendor.workflows.as_ref()).chain(&across);
    emit::workflows::emit(workflows(), &mut tree);
    let apis: Vec<(&str, &str)> = vendors.iter().flat_map(LoweredVendor::api_ids).collect();
    let connections: Vec<Vendor> = vendors.iter().filter_map(|vendor| vendor.vendor.clone()).collect();
    let units: Vec<&str> = workflows().map(|workflows| workflows.unit.as_str()).collect();
    let compiled = compiled::compiled(&tree);
    let index = index::emit(&apis, &units, &connections, &synonyms, &compiled);
    let samples = samples(&vendors, &across);
    let lowered = vendors.iter().flat_map(|vendor| &vendor.apis);
    let unoffered = lowered.map(|api| (api.description.id.clone(), api.lowered.unoffered.clone())).collect();
    #[cfg(feature = "typed")]
    let descriptions = final_descriptions(vendors);
    Ok(Generated {
        tree,
        compiled,
        index,
        synonyms,
        #[cfg(feature = "typed")]
        descriptions,
        samples,
        unoffered,
    })
}

#[cfg(feature = "typed")]
fn final_descriptions(vendors: Vec<LoweredVendor>) -> Vec<FinalDescription> {
    let apis = vendors.into_iter().flat_map(|vendor| vendor.apis).map(|api| api.description);
    apis.map(|api| FinalDescription { api: api.id, file: api.name, document: api.document.raw }).collect()
}

fn samples(vendors: &[LoweredVendor], across: &[LoweredWorkflows]) -> BTreeMap<String, BTreeMap<String, Vec<Value>>> {
    let mut samples: BTreeMap<String, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    let of_apis = vendors.iter().flat_map(|vendor| &vendor.apis).flat_map(|api| &api.lowered.samples);
    let workflows = vendors.iter().filter_map(|vendor| vendor.workflows.as_ref()).chain(across);
    for of in of_apis.chain(workflows.flat_map(|workflows| &workflows.samples)) {
        samples.entry(of.tool.clone()).or_default().insert(of.argument.clone(), of.values.clone());
    }
    samples
}

/// Writes what is compiled into the folder `out`: the generated files, the index over them, and that of the search.
///
/// # Errors
/// As [`generate`], or `out` can't be written to.
pub fn build(specs: &Path, out: &Path, wanted: impl Fn(&str) -> bool) -> Result<(), Errors> {
    let Generated { compiled: mut tree, index, synonyms, .. } = generate(specs, wanted)?;
    let search_index = search_index::emit(&tree, &synonyms);
    tree.insert("index.rs", index);
    write(&tree, out)?;
    let findings = Findings::default();
    if let Err(error) = std::fs::write(out.join(search_index::FILE), search_index) {
        findings.push_file(&out.display().to_string(), "a folder that can be written to", error.to_string());
    }
    findings.check(())
}

fn write(tree: &Tree, out: &Path) -> Result<(), Errors> {
    let findings = Findings::default();
    if let Err(error) = tree.write_to(out) {
        findings.push_file(&out.display().to_string(), "a folder that can be written to", error.to_string());
    }
    findings.check(())
}

/// Writes the typed client of each API into the folder `out`, and `clients.rs`, which has a module for each.
///
/// # Errors
/// As [`generate`], a description that progenitor can't make types of, or `out` can't be written to.
#[cfg(feature = "typed")]
pub fn build_clients(specs: &Path, out: &Path, wanted: impl Fn(&str) -> bool) -> Result<(), Errors> {
    let Generated { descriptions, .. } = generate(specs, wanted)?;
    let (mut tree, findings) = (Tree::default(), Findings::default());
    for FinalDescription { api, file, document } in &descriptions {
        match emit::typed::emit(document) {
            Ok(code) => tree.insert(format!("{api}.rs"), code),
            Err(error) => findings.push_file(file, "a description that progenitor can make types of", error),
        }
    }
    tree.insert("clients.rs", emit::typed::index(descriptions.iter().map(|description| description.api.as_str())));
    write(&findings.check(tree)?, out)
}

/// The schema of the `x-toolwright` keys.
#[cfg(feature = "schemars")]
pub fn operation_keys_schema() -> schemars::Schema {
    schemars::schema_for!(read::keys::OperationKeys)
}

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

use crate::emit::{api_files, index, typed};
use crate::lower::vendor::{self, LoweredVendor};
use crate::read::{synonyms, vendor_folder};
use toolwright_model::Vendor;

/// What the generator makes of `specs/`.
#[derive(Debug)]
pub struct Generated {
    /// What is committed under `generated/`.
    pub tree: Tree,
    /// The module that ties the files together, for OUT_DIR only: it depends on which vendors
    /// are built.
    pub index: String,
    /// For [`typed_clients`].
    descriptions: Vec<FinalDescription>,
    /// Values that the vendors' grammars accept: tool → argument → values. For tests.
    pub samples: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
    /// What no tool offers, and why: API → reasons. For tests.
    pub unoffered: BTreeMap<String, Vec<Unoffered>>,
}

/// A description after overlay and fixups.
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
    let folders = vendor_folder::read_all(specs, wanted, &findings);
    let vendors: Vec<LoweredVendor> = folders.map(|folder| vendor::lower(folder, &findings)).collect();
    vendor::check_names(&vendors, &findings);
    // Code is emitted only from descriptions that are right: the errors of progenitor explain less
    // than the findings.
    findings.check(())?;
    let tree = api_files::emit(&vendors, &findings);
    findings.check(())?;
    let apis: Vec<(&str, &str)> = vendors.iter().flat_map(LoweredVendor::api_ids).collect();
    let connections: Vec<Vendor> = vendors.iter().filter_map(|vendor| vendor.vendor.clone()).collect();
    let index = index::emit(&apis, &connections, &synonyms);
    let samples = samples(&vendors);
    let lowered = vendors.iter().flat_map(|vendor| &vendor.apis);
    let unoffered = lowered.map(|api| (api.description.id.clone(), api.lowered.unoffered.clone())).collect();
    let descriptions = vendors.into_iter().flat_map(|vendor| vendor.apis).map(|api| FinalDescription {
        api: api.description.id,
        file: api.description.name,
        document: api.description.document.raw,
    });
    Ok(Generated { tree, index, descriptions: descriptions.collect(), samples, unoffered })
}

fn samples(vendors: &[LoweredVendor]) -> BTreeMap<String, BTreeMap<String, Vec<Value>>> {
    let mut samples: BTreeMap<String, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    for of in vendors.iter().flat_map(|vendor| &vendor.apis).flat_map(|api| &api.lowered.samples) {
        samples.entry(of.tool.clone()).or_default().insert(of.argument.clone(), of.values.clone());
    }
    samples
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
    let findings = Findings::default();
    if let Err(error) = tree.write_to(out) {
        findings.push_file(&out.display().to_string(), "a folder that can be written to", error.to_string());
    }
    findings.check(())
}

/// Emits the typed client of each API, for OUT_DIR only.
///
/// # Errors
/// A description that progenitor can't make types of.
pub fn typed_clients(generated: &Generated) -> Result<Tree, Errors> {
    let (mut tree, findings) = (Tree::default(), Findings::default());
    for FinalDescription { api, file, document } in &generated.descriptions {
        match typed::emit(document) {
            Ok(code) => tree.insert(format!("{api}/typed.rs"), code),
            Err(error) => findings.push_file(file, "a description that progenitor can make types of", error),
        }
    }
    findings.check(tree)
}

/// The schema of the `x-toolwright` keys.
#[cfg(feature = "schemars")]
pub fn operation_keys_schema() -> schemars::Schema {
    schemars::schema_for!(read::keys::OperationKeys)
}

//! The files of specs/workflows/ → tools that call several vendors.

use std::path::Path;

use super::LoweredWorkflows;
use crate::lower::vendor::{LoweredApi, LoweredVendor};
use crate::read::finding::{Finding, Findings};
use crate::read::workflows;
use toolwright_model::workflow::ACROSS_VENDORS;

/// Compiles the workflows across vendors whose vendors are all wanted.
pub fn lower(
    specs: &Path,
    wanted: impl Fn(&str) -> bool,
    vendors: &[LoweredVendor],
    findings: &Findings,
) -> Vec<LoweredWorkflows> {
    // Where something of a vendor is wrong, its operations and tools may be missing.
    if !findings.is_empty() {
        return Vec::new();
    }
    let files = workflows::read_across(specs, findings);
    let apis: Vec<&LoweredApi> = vendors.iter().flat_map(|vendor| &vendor.apis).collect();
    let units: Vec<&str> = vendors.iter().filter_map(|vendor| Some(vendor.workflows.as_ref()?.unit.as_str())).collect();
    let mut across = Vec::new();
    for file in files.iter().filter(|file| workflows::vendors(file).iter().all(|vendor| wanted(vendor))) {
        if units.contains(&file.unit.as_str()) {
            let hint = "what both become is named after them".to_owned();
            let finding = Finding::of_file(&file.name, "a name that is no vendor's", format!("`{}`", file.unit));
            findings.push(finding.with_hint(Some(hint)));
        }
        across.push(super::lower(file, ACROSS_VENDORS, &apis, findings));
    }
    across
}

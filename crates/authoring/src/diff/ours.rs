//! specs/ → the APIs that a vendor's description can be compared with: the description as it is
//! committed, its tools and the keys that the overlay states.

use std::path::Path;

use serde_json::Value;

use toolwright_codegen::lower::vendor::{self, LoweredVendor};
use toolwright_codegen::lower::workflows::across;
use toolwright_codegen::read::vendor_folder;
use toolwright_codegen::{Errors, Findings};
use toolwright_model::workflow::Step;
use toolwright_model::{DescriptionSource, SettingsFile, Tool, Vendor, api_stem};

/// An API under specs/.
pub(crate) struct OurApi {
    /// Such as `jsm-servicedesk`.
    pub(crate) id: String,
    pub(crate) vendor: String,
    /// The name with which its files begin.
    pub(crate) stem: String,
    /// The description's file, from the top of the project.
    pub(crate) file: String,
    /// The description with the overlay laid over it.
    pub(crate) overlaid: Value,
    pub(crate) tools: Vec<Tool>,
    /// The operations that no tool reaches, with the reason: `METHOD path`.
    pub(crate) skipped: Vec<(String, String)>,
    /// The tools of several calls that call it, among others.
    pub(crate) workflows: Vec<Tool>,
    /// What vendor.toml states.
    pub(crate) connection: Option<Vendor>,
}

/// Reads the APIs of the vendors that are `wanted`.
///
/// # Errors
/// What is wrong with the files.
pub(crate) fn read(specs: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<OurApi>, Errors> {
    let findings = Findings::default();
    let folders = vendor_folder::read_all(specs, &wanted, &findings);
    let vendors: Vec<LoweredVendor> = folders.map(|folder| vendor::lower(folder, &findings)).collect();
    let across = across::lower(specs, &wanted, &vendors, &findings);
    findings.check(())?;
    let files = vendors.iter().filter_map(|vendor| vendor.workflows.as_ref()).chain(&across);
    let workflows: Vec<Tool> = files.flat_map(|file| &file.tools).cloned().collect();
    let apis = vendors.into_iter().flat_map(|vendor| {
        let (connection, workflows) = (vendor.vendor, &workflows);
        vendor.apis.into_iter().map(move |api| {
            let skipped = api.lowered.results.iter().filter_map(|result| {
                let reason = result.outcome.as_ref().err()?;
                Some((format!("{} {}", result.method, result.path), reason.clone()))
            });
            OurApi {
                workflows: workflows.iter().filter(|tool| calls(tool, &api.description.id)).cloned().collect(),
                skipped: skipped.collect(),
                stem: api_stem(&api.description.id, &api.vendor).to_owned(),
                id: api.description.id,
                vendor: api.vendor,
                file: api.description.name,
                overlaid: api.description.document.raw,
                tools: api.lowered.tools,
                connection: connection.clone(),
            }
        })
    });
    Ok(apis.collect())
}

/// Whether a workflow calls an API.
fn calls(tool: &Tool, api: &str) -> bool {
    let steps = tool.workflow.iter().flat_map(|workflow| &workflow.steps);
    steps.flat_map(Step::calls).any(|call| call.api == api)
}

impl OurApi {
    /// Where the vendor publishes its description.
    pub(crate) fn source(&self) -> Option<&DescriptionSource> {
        self.connection.as_ref()?.source.get(&self.stem)
    }

    /// The keys that the overlay states of an operation; `method` in upper case.
    pub(crate) fn keys(&self, method: &str, path: &str) -> Option<&Value> {
        let operation = self.overlaid.get("paths")?.get(path)?.get(method.to_lowercase())?;
        operation.get(toolwright_codegen::read::keys::EXTENSION)
    }
}

/// Reads the profiles of a toolwright.toml; one that is missing has none.
///
/// # Errors
/// It exists and can't be read.
pub(crate) fn profiles(path: &Path) -> Result<SettingsFile, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(SettingsFile::default()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

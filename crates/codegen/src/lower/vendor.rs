//! A vendor's folder → [`LoweredVendor`]: its connection and the tools of its APIs, with the checks
//! that need both.

use std::collections::BTreeMap;

use crate::lower::argument_rules::ArgumentRules;
use crate::lower::lowered::{Lowered, VendorContext};
use crate::lower::operations;
use crate::lower::paging;
use crate::lower::phrases;
use crate::lower::promises;
use crate::lower::spec_operation::{read_left_out_of_api, read_operations};
use crate::lower::tool_draft::NameClaim;
use crate::lower::unoffered;
use crate::read::finding::{Finding, Findings};
use crate::read::located::{Located, did_you_mean};
use crate::read::source_map::SourceMap;
use crate::read::vendor_file::{self, VendorFile};
use crate::read::vendor_folder::{ApiDescription, VendorFolder};
use toolwright_model::{CORE_TAG, Effect, Tool, Vendor, api_stem};

/// The most tools of a vendor that may be `core`: what clients accept and models can tell apart.
const MOST_CORE_TOOLS: usize = 40;

/// A vendor that was lowered.
pub struct LoweredVendor {
    /// `None` where vendor.toml can't be read.
    pub vendor: Option<Vendor>,
    pub apis: Vec<LoweredApi>,
}

impl LoweredVendor {
    /// Returns the id of each API with that of the vendor.
    pub fn api_ids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.apis.iter().map(|api| (api.description.id.as_str(), api.vendor.as_str()))
    }
}

/// One API: its description and what became of it.
pub struct LoweredApi {
    /// The vendor's id.
    pub vendor: String,
    pub description: ApiDescription,
    pub lowered: Lowered,
}

/// Lowers the APIs of a vendor and checks vendor.toml against them.
pub fn lower(folder: VendorFolder, findings: &Findings) -> LoweredVendor {
    let VendorFolder { id, name, file, apis, is_complete, is_sound } = folder;
    let known = findings.len();
    let vendor = file.as_ref().and_then(|file| file.vendor.as_ref());
    let rules = vendor.map(|vendor| ArgumentRules::new(&vendor.arguments));
    let context =
        VendorContext { id: &id, styles: vendor.map(|vendor| vendor.paging.as_slice()), rules: rules.as_ref() };
    let mut apis: Vec<LoweredApi> =
        apis.into_iter().map(|description| lower_api(&context, description, findings)).collect();
    let phrase_rules = vendor.map(|vendor| vendor.phrases.as_slice()).unwrap_or_default();
    phrases::apply(phrase_rules, apis.iter_mut().flat_map(|api| &mut api.lowered.tools));
    check_core(&apis, &name, findings);
    let tools: Vec<&Tool> = apis.iter().flat_map(|api| &api.lowered.tools).collect();
    promises::check(&tools, &apis.iter().flat_map(|api| &api.lowered.answers).collect::<Vec<_>>(), findings);
    if is_complete && let Some(file) = &file {
        let sound = || is_sound && findings.len() == known;
        check_vendor(file, &id, &apis, rules.as_ref(), &sound, findings);
    }
    LoweredVendor { vendor: file.and_then(|file| file.vendor), apis }
}

fn lower_api(vendor: &VendorContext<'_>, description: ApiDescription, findings: &Findings) -> LoweredApi {
    let source = description.source(findings);
    let root = Located::root(&source, &description.document.raw);
    let of_api = read_left_out_of_api(&root);
    let operations = read_operations(&description.document, &of_api, &root);
    let mut lowered = operations::lower(vendor, &description.id, &operations, &description.document, &root);
    lowered.unoffered = unoffered::list(&operations, &of_api);
    LoweredApi { vendor: vendor.id.to_owned(), lowered, description }
}

/// Checks what vendor.toml states of operations and tools. Where one was refused, nothing is known
/// of it, and what depends on it is not checked.
fn check_vendor(
    file: &VendorFile,
    id: &str,
    apis: &[LoweredApi],
    rules: Option<&ArgumentRules<'_>>,
    sound: &dyn Fn() -> bool,
    findings: &Findings,
) {
    let Some(vendor) = &file.vendor else { return };
    let source = SourceMap::new(&file.loaded.file, findings);
    let root = Located::root(&source, &file.loaded.value);
    let tools: Vec<&Tool> = apis.iter().flat_map(|api| &api.lowered.tools).collect();
    let stems: Vec<&str> = apis.iter().map(|api| api_stem(&api.description.id, id)).collect();
    vendor_file::check_roots(&vendor.addresses, &stems, &root);
    vendor_file::check_sources(&vendor.source, &stems, &root);
    vendor_file::check_hidden(&vendor.settings, tools.iter().copied(), &root);
    if let Some(check) = &vendor.check {
        check_login(&check.operation, apis, sound(), &root);
    }
    if sound() {
        vendor_file::check_finders(&vendor.finders, &tools, &root);
        vendor_file::check_prompts(&vendor.prompts, id, &tools, &root);
        paging::check_used(&vendor.paging, &tools, &root);
        phrases::check_used(&vendor.phrases, &tools, &root);
        if let Some(rules) = rules {
            rules.check_used(&root);
        }
    }
}

/// A vendor has only so many tools that are always at hand.
fn check_core(apis: &[LoweredApi], folder: &str, findings: &Findings) {
    let core = apis.iter().flat_map(|api| &api.lowered.tools).filter(|tool| tool.tags.contains(CORE_TAG)).count();
    if core > MOST_CORE_TOOLS {
        let expected = format!("at most {MOST_CORE_TOOLS} tools with the tag `{CORE_TAG}`");
        let hint = "the tag is for what an assistant needs every day; take it off the others".to_owned();
        findings.push(Finding::of_file(folder, expected, core.to_string()).with_hint(Some(hint)));
    }
}

/// Checks that `doctor` can call the operation. The effect and arguments of its tool count only
/// where nothing was refused (`sound`).
fn check_login(operation: &str, apis: &[LoweredApi], sound: bool, root: &Located<'_>) {
    let results = || apis.iter().flat_map(|api| &api.lowered.results);
    let tool = apis
        .iter()
        .flat_map(|api| &api.lowered.tools)
        .find(|tool| tool.calls.len() == 1 && tool.calls.iter().any(|call| call.operation == operation));
    let (found, hint) = match tool {
        None if results().any(|result| result.operation == operation) => ("which is skipped".to_owned(), None),
        None => {
            let known = results().map(|result| result.operation.as_str());
            ("which is no operation".to_owned(), did_you_mean(operation, known))
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
    root.nearest("/check/operation").report(
        "the id of an operation that only reads and needs no arguments",
        format!("`{operation}`, {found}"),
        hint,
    );
}

/// Checks that names and aliases lead to one tool each, over all vendors.
pub fn check_names(vendors: &[LoweredVendor], findings: &Findings) {
    let mut taken: BTreeMap<&str, &NameClaim> = BTreeMap::new();
    for claim in vendors.iter().flat_map(|vendor| &vendor.apis).flat_map(|api| &api.lowered.claims) {
        let Some(first) = taken.get(claim.name.as_str()) else {
            taken.insert(&claim.name, claim);
            continue;
        };
        let expected = format!("a name of its own for the tool of {}", claim.owner);
        let found = format!("`{}`, which the tool of {} has already ({})", claim.name, first.owner, first.place);
        let hint = "set `name` in the overlay of one of them".to_owned();
        findings.push(Finding::at(&claim.place, expected, found).with_hint(Some(hint)));
    }
}

//! A vendor's folder → [`LoweredVendor`]: its connection and the tools of its APIs, with the checks
//! that need both.

use std::collections::BTreeMap;

use crate::lower::argument_rules::ArgumentRules;
use crate::lower::lowered::{Lowered, VendorContext};
use crate::lower::operations;
use crate::lower::paging;
use crate::lower::phrases;
use crate::lower::promises;
use crate::lower::resolve;
use crate::lower::spec_operation::{read_left_out_of_api, read_operations};
use crate::lower::tool_draft::NameClaim;
use crate::lower::unoffered;
use crate::lower::workflows::{self, LoweredWorkflows};
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
    /// The tools of several calls, if the vendor has any.
    pub workflows: Option<LoweredWorkflows>,
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
    let VendorFolder { id, name, file, apis, workflows, is_complete, is_sound } = folder;
    let known = findings.len();
    let vendor = file.as_ref().and_then(|file| file.vendor.as_ref());
    let rules = vendor.map(|vendor| ArgumentRules::new(&vendor.arguments, &vendor.resolve));
    let context = VendorContext {
        id: &id,
        styles: vendor.map(|vendor| vendor.paging.as_slice()),
        rules: rules.as_ref(),
        chooses_credentials: vendor.is_some_and(chooses_credentials),
    };
    let mut apis: Vec<LoweredApi> =
        apis.into_iter().map(|description| lower_api(&context, description, findings)).collect();
    // Where a description is missing, so are the operations that workflows name.
    let workflows = workflows.filter(|_| is_complete);
    let mut workflows = workflows.map(|file| workflows::lower(&file, &id, &apis.iter().collect::<Vec<_>>(), findings));
    let phrase_rules = vendor.map(|vendor| vendor.phrases.as_slice()).unwrap_or_default();
    let of_workflows = workflows.iter_mut().flat_map(|workflows| &mut workflows.tools);
    phrases::apply(phrase_rules, apis.iter_mut().flat_map(|api| &mut api.lowered.tools).chain(of_workflows));
    let tools: Vec<&Tool> = tools_of(&apis, workflows.as_ref());
    check_core(&tools, &name, findings);
    let of_apis = apis.iter().flat_map(|api| &api.lowered.answers);
    let answers = of_apis.chain(workflows.iter().flat_map(|workflows| &workflows.answers));
    promises::check(&tools, &answers.collect::<Vec<_>>(), findings);
    if is_complete && let Some(file) = &file {
        let sound = || is_sound && findings.len() == known;
        check_vendor(file, &id, &apis, &tools, rules.as_ref(), &sound, findings);
    }
    LoweredVendor { vendor: file.and_then(|file| file.vendor), apis, workflows }
}

/// Whether some of a vendor's credentials are for some operations only.
fn chooses_credentials(vendor: &Vendor) -> bool {
    vendor.credentials.iter().any(|credential| !credential.schemes().is_empty())
}

fn tools_of<'a>(apis: &'a [LoweredApi], workflows: Option<&'a LoweredWorkflows>) -> Vec<&'a Tool> {
    let of_apis = apis.iter().flat_map(|api| &api.lowered.tools);
    of_apis.chain(workflows.into_iter().flat_map(|workflows| &workflows.tools)).collect()
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
    tools: &[&Tool],
    rules: Option<&ArgumentRules<'_>>,
    sound: &dyn Fn() -> bool,
    findings: &Findings,
) {
    let Some(vendor) = &file.vendor else { return };
    let source = SourceMap::new(&file.loaded.file, findings);
    let root = Located::root(&source, &file.loaded.value);
    let stems: Vec<&str> = apis.iter().map(|api| api_stem(&api.description.id, id)).collect();
    vendor_file::check_roots(&vendor.addresses, &stems, &root);
    vendor_file::check_sources(&vendor.source, &stems, &root);
    vendor_file::check_refusals(&vendor.refusals, &stems, &root);
    let documents = || apis.iter().map(|api| &api.description.document);
    vendor_file::check_schemes(&vendor.credentials, documents(), &root);
    let operations = apis.iter().flat_map(|api| &api.lowered.operations);
    vendor_file::check_servers(&vendor.servers, operations, &root);
    vendor_file::check_hidden(&vendor.settings, tools.iter().copied(), &root);
    if let Some(check) = &vendor.check {
        check_asked(&check.operation, apis, sound(), &root.nearest("/check/operation"));
    }
    for (index, setting) in vendor.settings.iter().enumerate() {
        if let Some(reached) = &setting.reached {
            let at = root.nearest(&format!("/settings/{index}/reached/operation"));
            check_asked(&reached.operation, apis, sound(), &at);
        }
    }
    for (index, word) in vendor.found.iter().enumerate() {
        check_asked(&word.operation, apis, sound(), &root.nearest(&format!("/found/{index}/operation")));
    }
    let api_of = |operation: &str| {
        let is_its = |api: &&LoweredApi| api.lowered.results.iter().any(|result| result.operation == operation);
        apis.iter().find(is_its).map(|api| api_stem(&api.description.id, id).to_owned())
    };
    vendor_file::check_found(&vendor.found, &vendor.addresses, api_of, &root);
    if sound() {
        if let Some(check) = &vendor.check {
            vendor_file::check_further(check, tools, &root);
        }
        if let Some(desk) = &vendor.help_desk {
            vendor_file::check_help_desk(desk, tools, &root);
        }
        vendor_file::check_finders(&vendor.finders, tools, &root);
        vendor_file::check_prompts(&vendor.prompts, id, tools, &root);
        paging::check_used(&vendor.paging, tools, &root);
        phrases::check_used(&vendor.phrases, tools, &root);
        if let Some(rules) = rules {
            rules.check_used(&root);
        }
        check_kinds(vendor, apis, &root, findings);
    }
}

/// Checks the kinds of records that can be given by name, of vendor.toml and of the overlays.
fn check_kinds(vendor: &Vendor, apis: &[LoweredApi], root: &Located<'_>, findings: &Findings) {
    for (name, kind) in &vendor.resolve {
        let below = format!("/resolve/{}", crate::read::reference::escape(name));
        let report = |path: &str, expected: &str, found: String, hint: Option<String>| {
            root.nearest(&format!("{below}{path}")).report(expected, found, hint);
        };
        resolve::check(kind, apis, &report);
    }
    for own in apis.iter().flat_map(|api| &api.lowered.kinds) {
        let report = |path: &str, expected: &str, found: String, hint: Option<String>| {
            let expected = format!("{expected} (`resolve{}`)", path.replace('/', "."));
            findings.push(Finding::at(&own.place, expected, found).with_hint(hint));
        };
        resolve::check(&own.kind, apis, &report);
    }
}

/// A vendor has only so many tools that are always at hand.
fn check_core(tools: &[&Tool], folder: &str, findings: &Findings) {
    let core = tools.iter().filter(|tool| tool.tags.contains(CORE_TAG)).count();
    if core > MOST_CORE_TOOLS {
        let expected = format!("at most {MOST_CORE_TOOLS} tools with the tag `{CORE_TAG}`");
        let hint = "the tag is for what an assistant needs every day; take it off the others".to_owned();
        findings.push(Finding::of_file(folder, expected, core.to_string()).with_hint(Some(hint)));
    }
}

/// Checks that the program can call the operation that is named here by itself. The effect and arguments of its tool count only
/// where nothing was refused (`sound`).
fn check_asked(operation: &str, apis: &[LoweredApi], sound: bool, at: &Located<'_>) {
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
    at.report("the id of an operation that only reads and needs no arguments", format!("`{operation}`, {found}"), hint);
}

/// Checks that names and aliases lead to one tool each, over all vendors and the workflows `across` them.
pub fn check_names(vendors: &[LoweredVendor], across: &[LoweredWorkflows], findings: &Findings) {
    let mut taken: BTreeMap<&str, &NameClaim> = BTreeMap::new();
    let of_apis = vendors.iter().flat_map(|vendor| &vendor.apis).flat_map(|api| &api.lowered.claims);
    let workflows = vendors.iter().flat_map(|vendor| &vendor.workflows).chain(across);
    for claim in of_apis.chain(workflows.flat_map(|workflows| &workflows.claims)) {
        let Some(first) = taken.get(claim.name.as_str()) else {
            taken.insert(&claim.name, claim);
            continue;
        };
        let expected = format!("a name of its own for the tool of {}", claim.owner);
        let found = format!("`{}`, which the tool of {} has already ({})", claim.name, first.owner, first.place);
        let hint = "set another `name` for one of them".to_owned();
        findings.push(Finding::at(&claim.place, expected, found).with_hint(Some(hint)));
    }
}

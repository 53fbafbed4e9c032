//! A description → a report on what the build would make of it: tools with names and sizes, skipped
//! operations, conversions and corrections, and findings for the author.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::drafts::{self, Proposals};
use super::losses::{self, Places, Weight};
use super::paging::Styles;
use super::{Description, facts, names, verbs, yaml};
use crate::convert::grammar::{Role, visit};
use toolwright_codegen::lower::lowered::{Lowered, VendorContext};
use toolwright_codegen::lower::operations;
use toolwright_codegen::lower::spec_operation::{SpecOperation, read_left_out_of_api, read_operations};
use toolwright_codegen::read::document::Document;
use toolwright_codegen::read::finding::{Errors, Findings};
use toolwright_codegen::read::fixups;
use toolwright_codegen::read::located::Located;
use toolwright_codegen::read::source::{LoadedFile, SourceFile};
use toolwright_codegen::read::source_map::{Origins, SourceMap};
use toolwright_codegen::read::{check, overlay};
use toolwright_model::{Binding, Effect, Place, Tool, portability_faults};

/// A tool with more tokens than this is reported: presets would be cheaper.
const LARGE_TOOL: usize = 1_500;

/// Standard headers that state who calls or when. No model chooses them, and none with `X-`: those carry
/// keys, tenants, opt-ins and the like, with one value for all calls.
const CONSTANT_HEADERS: [&str; 4] = ["authorization", "cookie", "date", "proxy-authorization"];

/// What the build would make of a description.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LintReport {
    /// The file, as the command line names it.
    pub file: String,
    /// The format of the file, such as `Swagger 2.0`.
    pub format: String,
    /// The API's name.
    pub title: String,
    /// The vendor's id, with which tool names begin.
    pub vendor: String,
    /// How many operations the description has.
    pub operations: usize,
    /// The tools, by name.
    pub tools: Vec<ToolLine>,
    /// Operations that become no tool.
    pub skipped: Vec<SkippedLine>,
    /// Conversions and corrections.
    pub steps: Vec<StepLine>,
    /// How many of these and of the findings say less than the description, and how many drop something.
    pub weakened: usize,
    /// See `weakened`.
    pub dropped: usize,
    /// How many tools state no effect.
    pub to_review: usize,
    /// What is proposed beside names: of how many listings the paging, and of how many tools the concise fields.
    pub drafts: DraftCounts,
    /// What the author has to look at.
    pub findings: Vec<FindingLine>,
}

/// How much is proposed for a description without an overlay.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DraftCounts {
    /// Operations that list records.
    pub listings: usize,
    /// Those with a style of paging.
    pub paging: usize,
    /// Those whose parameters page in a way that is still open.
    pub open_paging: usize,
    /// Tools with concise fields.
    pub concise: usize,
}

/// A tool of the report.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ToolLine {
    /// Its name.
    pub name: String,
    /// The operation's id.
    pub operation: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The kind of call.
    pub verb: String,
    /// The effect, if it is reviewed.
    pub effect: Option<Effect>,
    /// How many arguments it takes.
    pub arguments: usize,
    /// The input schema's size.
    pub schema_bytes: usize,
    /// An estimate of the tokens that the tool costs a model.
    pub tokens: usize,
}

/// An operation that becomes no tool.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SkippedLine {
    /// Upper-case HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// Why.
    pub why: String,
    /// Whether the overlay states it.
    pub stated: bool,
}

/// A conversion or correction.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StepLine {
    /// Its name.
    pub rule: String,
    /// JSON pointer to the place.
    pub pointer: String,
    /// What was done.
    pub what: String,
    /// The line in the file, where that is known.
    pub line: Option<usize>,
    /// Whether it says the same, less, or nothing.
    pub weight: Weight,
    /// What a caller loses.
    pub loss: &'static str,
}

/// A finding for the author.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FindingLine {
    /// A word for this kind of finding.
    pub kind: &'static str,
    /// The tool, operation or place.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// The line in the file, where that is known.
    pub line: Option<usize>,
    /// Whether a tool says less than the description, or nothing, where that is what is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// JSON pointer to the place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointer: String,
}

impl FindingLine {
    pub(super) fn new(kind: &'static str, place: impl Into<String>, what: impl Into<String>) -> Self {
        let (place, what) = (place.into(), what.into());
        Self { kind, place, what, line: None, weight: None, pointer: String::new() }
    }
}

impl LintReport {
    fn find(&mut self, kind: &'static str, place: impl Into<String>, what: impl Into<String>) {
        self.findings.push(FindingLine::new(kind, place, what));
    }
}

/// The operations of a description with their names, and what they were lowered to.
pub(crate) struct Drafts {
    pub lowered: Lowered,
    pub operations: Vec<SpecOperation>,
    pub fixups: Vec<fixups::Fixup>,
    /// Ids of operations whose name differs from their first choice.
    pub renamed: Vec<String>,
    /// What is proposed beside names.
    pub proposals: Proposals,
    /// Faults of single operations.
    pub faults: Errors,
}

/// How a description without an overlay gets more than names.
pub(crate) struct Drafting<'a> {
    /// The description with the vendor's texts.
    pub document: &'a Value,
    /// The vendor's styles of paging so far; receives these.
    pub styles: &'a mut Styles,
}

/// Lowers a converted description. `taken` are the names of the vendor's other tools, and receives
/// these.
///
/// # Errors
/// The description can't be read as OpenAPI 3.0.
pub(crate) fn draft(
    description: &Description,
    file: &str,
    vendor: &str,
    overlay: Option<&LoadedFile>,
    drafting: Option<Drafting<'_>>,
    taken: &mut BTreeSet<String>,
) -> Result<(Drafts, Value), Errors> {
    let mut document = description.document.clone();
    let findings = Findings::default();
    let origins = match overlay {
        Some(overlay) => overlay::apply(overlay, &mut document, &findings),
        None => Origins::default(),
    };
    findings.check(())?;
    let source = SourceMap::with_origins(&SourceFile::without_text(file), &origins, &findings);
    check::check_document(&Located::root(&source, &document));
    findings.check(())?;
    let fixups = fixups::apply(&mut document);
    let root = Located::root(&source, &document);
    let Some(typed) = Document::read(&root) else { return Err(findings.into()) };
    check::check_extensions(&root);
    let mut operations = read_operations(&typed, &read_left_out_of_api(&root), &root);
    names::free_own_names(vendor, &mut operations);
    let renamed = names::assign(vendor, &mut operations, &document, taken);
    let mut styles = None;
    let mut proposals = Proposals::default();
    if let Some(drafting) = drafting {
        proposals = drafts::propose(&mut operations, drafting.document, drafting.styles);
        styles = Some(drafting.styles.all());
    }
    let context = VendorContext { id: vendor, styles: styles.as_deref(), rules: None, chooses_credentials: false };
    let lowered = operations::lower(&context, vendor, &operations, &typed, &root);
    drafts::keep_promises(&mut operations, &lowered);
    let faults = findings.check(()).err().unwrap_or_default();
    Ok((Drafts { lowered, operations, fixups, renamed, proposals, faults }, document))
}

/// Reports what the build would make of a description.
///
/// # Errors
/// The description can't be read.
pub(crate) fn lint(
    description: &Description,
    file: &str,
    vendor: &str,
    overlay: Option<&LoadedFile>,
) -> Result<LintReport, Errors> {
    let mut named = description.clone();
    // What has an overlay is a file of ours already.
    let tagged = if overlay.is_none() { facts::tags_of_vendor(&mut named.document, vendor) } else { 0 };
    note_tags(tagged, vendor, &mut named.steps);
    let mut styles = Styles::default();
    let drafting = overlay.is_none().then_some(Drafting { document: &description.document, styles: &mut styles });
    let (drafts, mut document) = draft(&named, file, vendor, overlay, drafting, &mut BTreeSet::new())?;
    let mut lint = report((&named, named.steps.as_slice()), (file, vendor), &drafts, &document);
    // A description with an overlay belongs to a vendor that has a vendor.toml already.
    if overlay.is_none() {
        let api =
            super::vendor::DescribedApi { name: file.to_owned(), title: String::new(), document: document.clone() };
        for note in super::vendor::write(vendor, std::slice::from_ref(&api)).1 {
            lint.find("connection", file, note);
        }
    }
    missing(&mut lint, file, &mut document);
    if description.text.as_deref().is_some_and(|text| text.starts_with('#') && text.contains(super::texts::MARK)) {
        let what =
            "holds texts and examples of the vendor's: for a private build only, until your own words replace them";
        lint.find("vendor-texts", file, what);
    }
    Ok(lint)
}

/// Records that tags of the vendor's get its id before them.
pub(super) fn note_tags(tagged: usize, vendor: &str, steps: &mut Vec<fixups::Fixup>) {
    if tagged > 0 {
        let what = format!("a tag of {tagged} operations means something here: `{vendor}-` goes before it");
        steps.push(fixups::Fixup { rule: "tags", pointer: String::new(), what });
    }
}

/// Reports what `drafts` made of a description; `document` is what was lowered. What is about operations and components
/// that it does not have is left out: they were not asked for.
pub(super) fn report(
    (description, steps): (&Description, &[fixups::Fixup]),
    (file, vendor): (&str, &str),
    drafts: &Drafts,
    document: &Value,
) -> LintReport {
    let places = Places::of(file, description.text.as_deref());
    let title = document.pointer("/info/title").and_then(Value::as_str).unwrap_or_default();
    let steps = steps.iter().chain(&drafts.fixups).filter(|step| losses::is_about(document, &step.pointer));
    let mut lint = LintReport {
        file: file.to_owned(),
        format: description.format.clone(),
        title: super::facts::one_line(title),
        vendor: vendor.to_owned(),
        operations: drafts.operations.len() + description.dropped.len(),
        tools: drafts.lowered.tools.iter().map(tool_line).collect(),
        skipped: Vec::new(),
        steps: steps.map(|step| step_line(step, &places)).collect(),
        weakened: 0,
        dropped: 0,
        to_review: drafts.lowered.tools.iter().filter(|tool| !tool.reviewed()).count(),
        drafts: drafts::count(&drafts.operations, &drafts.proposals),
        findings: Vec::new(),
    };
    for fault in &drafts.faults {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let what = format!("expected {}, found {}{hint}", fault.expected, fault.found);
        lint.find("fault", fault.place(), what);
    }
    let constructs = losses::constructs(&mut description.document.clone(), &places);
    lint.findings.extend(constructs.into_iter().filter(|found| losses::is_about(document, &found.pointer)));
    lint.findings.extend(losses::content_types(drafts, &places));
    skipped(&mut lint, description, drafts);
    tools(&mut lint, drafts);
    for operation in &drafts.operations {
        let open = drafts.proposals.get(&operation.pointer).and_then(|proposal| proposal.open_paging.as_ref());
        if let (Some(why), Some(name)) = (open, &operation.keys.tool.name) {
            lint.find("paging", name, why);
        }
    }
    let weight = |weight: Weight| {
        lint.steps.iter().filter(|step| step.weight == weight).count()
            + lint.findings.iter().filter(|finding| finding.weight == Some(weight)).count()
    };
    (lint.weakened, lint.dropped) = (weight(Weight::Weakened), weight(Weight::Dropped));
    lint
}

/// Reports what is still to be written and to be reviewed.
fn missing(lint: &mut LintReport, file: &str, document: &mut Value) {
    let open = open_texts(document);
    if open > 0 {
        let what = format!("{open} texts are missing: descriptions of operations, parameters and properties");
        lint.find("missing-text", file, what);
    }
    if lint.to_review > 0 {
        let what = format!(
            "{} of {} tools state no effect: served under `--tags unreviewed` only",
            lint.to_review,
            lint.tools.len()
        );
        lint.find("unreviewed", file, what);
    }
}

fn tool_line(tool: &Tool) -> ToolLine {
    let call = tool.calls.first();
    let schema = tool.input_schema.get();
    let arguments =
        tool.parsed_input_schema().get("properties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    // As tools/list sends it.
    let sent = json!({
        "name": tool.name, "title": tool.title, "description": tool.description,
        "annotations": tool.annotations, "inputSchema": "",
    });
    ToolLine {
        name: tool.name.clone(),
        operation: call.map(|call| call.operation.clone()).unwrap_or_default(),
        method: call.map(|call| call.method.clone()).unwrap_or_default(),
        path: call.map(|call| call.path.clone()).unwrap_or_default(),
        verb: tool.verb.to_string(),
        effect: tool.effect,
        arguments,
        schema_bytes: schema.len(),
        tokens: (sent.to_string().len() + schema.len()).div_ceil(4),
    }
}

fn step_line(step: &fixups::Fixup, places: &Places) -> StepLine {
    let (weight, loss) = losses::of_rule(step.rule);
    StepLine {
        rule: step.rule.to_owned(),
        pointer: step.pointer.clone(),
        what: step.what.clone(),
        line: places.line(&step.pointer),
        weight,
        loss,
    }
}

fn skipped(lint: &mut LintReport, description: &Description, drafts: &Drafts) {
    let stated =
        |id: &str| drafts.operations.iter().any(|operation| operation.id == id && operation.keys.skip.is_some());
    for result in &drafts.lowered.results {
        if let Err(why) = &result.outcome {
            let stated = stated(&result.operation);
            lint.skipped.push(SkippedLine {
                method: result.method.clone(),
                path: result.path.clone(),
                why: why.clone(),
                stated,
            });
        }
    }
    for dropped in &description.dropped {
        lint.skipped.push(SkippedLine {
            method: dropped.method.clone(),
            path: dropped.path.clone(),
            why: dropped.why.clone(),
            stated: false,
        });
    }
    for index in 0..lint.skipped.len() {
        let skipped = &lint.skipped[index];
        if !skipped.stated {
            let (place, why) = (format!("{} {}", skipped.method, skipped.path), skipped.why.clone());
            lint.find("skipped", place, why);
        }
    }
}

fn tools(lint: &mut LintReport, drafts: &Drafts) {
    for tool in &drafts.lowered.tools {
        let Some(call) = tool.calls.first() else { continue };
        if !tool.reviewed()
            && let Some(word) = verbs::misleading_word(&call.method, &call.path)
        {
            let what = match call.method.as_str() {
                "GET" | "HEAD" => {
                    format!("{}, but `{word}` in its path names a change: find out what it changes", call.method)
                }
                _ => format!("{}, but `{word}` in its path may only read: find out", call.method),
            };
            lint.find("misleading-verb", &tool.name, what);
        }
        let schema = Value::Object(tool.parsed_input_schema());
        for fault in portability_faults(&schema) {
            lint.find("portability", &tool.name, fault);
        }
        lint.findings.extend(losses::cut(tool));
        for header in call.bindings.iter().filter_map(header_of).filter(|header| is_constant(header)) {
            let what = format!("the header `{header}` is not a model's to choose: hide it or give it a value");
            lint.find("constant-header", &tool.name, what);
        }
    }
    for id in &drafts.renamed {
        let what = "the name that its path gives is taken: `spec new` writes another one";
        lint.find("name", id, what);
    }
    for index in 0..lint.tools.len() {
        let (name, tokens) = (lint.tools[index].name.clone(), lint.tools[index].tokens);
        if tokens > LARGE_TOOL {
            lint.find("large", name, format!("about {tokens} tokens: presets with `only` would be cheaper"));
        }
    }
}

/// Returns the header that an argument becomes.
fn header_of(binding: &Binding) -> Option<&str> {
    match &binding.place {
        Place::Header(name) => Some(name),
        _ => None,
    }
}

fn is_constant(header: &str) -> bool {
    let header = header.to_lowercase();
    header.starts_with("x-") || CONSTANT_HEADERS.contains(&header.as_str())
}

/// Returns the number of empty texts of operations, parameters and properties.
pub(super) fn open_texts(document: &mut Value) -> usize {
    let mut open = 0;
    visit(document, &mut |role, value, _| {
        if let (Role::Operation | Role::Parameter | Role::Schema, Value::Object(object)) = (role, value) {
            // The overlay's description replaces the operation's own.
            let described = object
                .get(toolwright_codegen::read::keys::EXTENSION)
                .is_some_and(|keys| keys.get("description").is_some() || keys.get("skip").is_some());
            if !described {
                open += object.iter().filter(|(key, entry)| yaml::is_open(key, entry)).count();
            }
        }
    });
    open
}

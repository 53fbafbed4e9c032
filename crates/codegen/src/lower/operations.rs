//! The operations of a description → what is compiled: each operation as the client needs it,
//! and the tools that reach it. Every operation is lowered or skipped with a reason.

use crate::lower::choice;
use crate::lower::inputs::{self, BodyChoice};
use crate::lower::lowered::{ApiContext, Lowered, OperationResult, VendorContext};
use crate::lower::read_backs::ReadBacks;
use crate::lower::spec_operation::{SpecOperation, SpecParameter};
use crate::lower::tool_draft::{FormatLookup, ToolDraft};
use crate::lower::unoffered;
use crate::lower::waits::Waits;
use crate::read::document::Document;
use crate::read::keys::{self, PresetKeys, ToolKeys};
use crate::read::located::{Located, did_you_mean};
use crate::read::reference::escape;
use toolwright_model::{CORE_TAG, Effect, Location, Operation, Parameter, QueryStyle, Tool};

/// Lowers the operations of one API; findings are reported through `root`.
pub fn lower(
    vendor: &VendorContext<'_>,
    api: &str,
    operations: &[SpecOperation],
    document: &Document,
    root: &Located<'_>,
) -> Lowered {
    let mut lowered = Lowered::default();
    let read_backs = ReadBacks::of(operations, root);
    let waits = Waits::of(operations, root);
    let api = ApiContext { vendor, api, document, read_backs: &read_backs, waits: &waits, root };
    for spec in operations {
        check_raw(spec, operations, root);
        let outcome = match &spec.keys.skip {
            Some(reason) => Err(reason.clone()),
            None => lower_operation(&api, spec, &mut lowered),
        };
        lowered.results.push(OperationResult {
            operation: spec.id.clone(),
            method: spec.method.clone(),
            path: spec.path.clone(),
            outcome,
        });
    }
    choice::lower(&api, operations, &mut lowered);
    lowered.tools.sort_by(|a, b| a.name.cmp(&b.name));
    check_lookups(&lowered, root);
    unoffered::check(operations, &lowered, root);
    lowered
}

/// An operation that is no tool itself is reached by a preset or a choice.
fn check_raw(spec: &SpecOperation, operations: &[SpecOperation], root: &Located<'_>) {
    let mut cases = operations.iter().flat_map(|operation| &operation.keys.choices).flat_map(|choice| &choice.cases);
    if spec.keys.raw == Some(false)
        && spec.keys.presets.is_empty()
        && !cases.any(|(_, operation)| *operation == spec.id)
    {
        root.nearest(&format!("{}/{}/raw", spec.pointer, keys::EXTENSION)).report(
            "`presets` beside `raw: false`".to_owned(),
            "none".to_owned(),
            Some("an operation that becomes no tool needs `skip` with the reason".to_owned()),
        );
    }
}

/// A format looks values up by itself, whatever its caller may do: the operation must only read.
fn check_lookups(lowered: &Lowered, root: &Located<'_>) {
    for lookup in &lowered.lookups {
        let of_operation = |tool: &&Tool| tool.calls.iter().any(|call| call.operation == lookup.operation);
        let mut tools = lowered.tools.iter().filter(of_operation).peekable();
        let found = match tools.peek() {
            None => "which no tool reaches".to_owned(),
            Some(_) => match tools.find(|tool| tool.effect != Some(Effect::Read)) {
                Some(tool) => {
                    let effect = tool.effect.map_or("none stated", Effect::as_str);
                    format!("whose tool `{}` has the effect: {effect}", tool.name)
                }
                None => {
                    check_asked_with(lookup, lowered, root);
                    continue;
                }
            },
        };
        let known = lowered.operations.iter().map(|operation| operation.id.as_str());
        root.nearest(&lookup.pointer).report(
            "an operation of the same API that only reads".to_owned(),
            format!("`{}`, {found}", lookup.operation),
            did_you_mean(&lookup.operation, known.filter(|known| *known != lookup.operation)),
        );
    }
}

/// Checks that the operation has the query parameters that it is asked with.
fn check_asked_with(lookup: &FormatLookup, lowered: &Lowered, root: &Located<'_>) {
    let asked = lowered.operations.iter().find(|operation| operation.id == lookup.operation);
    let parameters = asked.map(|operation| operation.parameters.as_slice()).unwrap_or_default();
    let in_query = || parameters.iter().filter(|parameter| parameter.location == Location::Query);
    for name in lookup.with.iter().filter(|name| !in_query().any(|parameter| parameter.name == **name)) {
        let at = lookup.pointer.strip_suffix("/ask").unwrap_or(&lookup.pointer);
        root.nearest(&format!("{at}/with/{}", escape(name))).report(
            format!("a query parameter of `{}`", lookup.operation),
            format!("`{name}`"),
            did_you_mean(name, in_query().map(|parameter| parameter.name.as_str())),
        );
    }
}

fn lower_operation(
    context: &ApiContext<'_>,
    spec: &SpecOperation,
    lowered: &mut Lowered,
) -> Result<Vec<String>, String> {
    let body = spec.body.as_ref().map(BodyChoice::of).transpose()?;
    let operation = Operation {
        id: spec.id.clone(),
        method: spec.method.clone(),
        // A fragment distinguishes operations of the description and is never sent.
        path: spec.path.split('#').next().unwrap_or_default().to_owned(),
        parameters: parameters(spec),
        server: spec.server.clone(),
        security: spec.security.clone().filter(|_| context.vendor.chooses_credentials),
        body: body.as_ref().map(|choice| choice.body.clone()),
        redirects: spec.redirects,
    };
    let inputs = inputs::inputs(spec, body.as_ref());
    let block = format!("{}/{}", spec.pointer, keys::EXTENSION);
    let raw = context.draft(spec, &inputs, block.clone());
    let mut names = Vec::new();
    let mut add = |draft: &ToolDraft<'_>, keys: &ToolKeys, only: Option<&[String]>| {
        let drafted = draft.tool(keys, only, None, &[spec]);
        names.push(drafted.tool.name.clone());
        lowered.add(drafted);
    };
    if spec.keys.raw.unwrap_or(true) {
        add(&raw, &spec.keys.tool, None);
    }
    for (index, preset) in spec.keys.presets.iter().enumerate() {
        let draft = ToolDraft { pointer: format!("{block}/presets/{index}"), ..raw };
        add(&draft, &inherit(preset, &spec.keys.tool), preset.only.as_deref());
    }
    lowered.operations.push(operation);
    Ok(names)
}

/// A preset states what differs; effect, risks and the like are its operation's unless it states its own.
fn inherit(preset: &PresetKeys, operation: &ToolKeys) -> ToolKeys {
    let own = &preset.tool;
    ToolKeys {
        effect: own.effect.or(operation.effect),
        risks: own.risks.clone().or_else(|| operation.risks.clone()),
        verb: own.verb.or(operation.verb),
        idempotent: own.idempotent.or(operation.idempotent),
        answers: own.answers.or(operation.answers),
        // Another choice of arguments answers with the same records.
        concise: if own.concise.is_empty() { operation.concise.clone() } else { own.concise.clone() },
        paging: own.paging.clone().or_else(|| operation.paging.clone()),
        // A tag that holds the operation back holds its presets back too; `core` is for one of them.
        tags: operation.tags.iter().filter(|tag| *tag != CORE_TAG).chain(&own.tags).cloned().collect(),
        ..own.clone()
    }
}

/// The parameters in the order of their names: a request does not change where a description is only written in another
/// order.
fn parameters(spec: &SpecOperation) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = spec.parameters.iter().map(parameter).collect();
    parameters.sort_by(|a, b| a.name.cmp(&b.name));
    parameters
}

fn parameter(spec: &SpecParameter) -> Parameter {
    // Paths and headers have one way to write a list.
    let is_one_way = matches!(spec.location, Location::Path | Location::Header) && spec.style != QueryStyle::Json;
    let style = if is_one_way { QueryStyle::default() } else { spec.style };
    Parameter { name: spec.name.clone(), location: spec.location, required: spec.required, style }
}

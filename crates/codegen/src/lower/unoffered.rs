//! What requests can carry and the tools that were made → findings about everything that no tool
//! offers without a reason, or that one offers in spite of a reason. Called by `operations`.

use std::collections::BTreeSet;

use crate::lower::inputs::{self, BodyChoice, Input};
use crate::lower::lowered::Lowered;
use crate::lower::spec_operation::{LeftOut, SpecOperation};
use crate::read::keys;
use crate::read::located::Located;
use toolwright_model::{Call, Place};

/// A parameter or body property that no tool offers, for the report and for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unoffered {
    /// The operation's id, method and path; none where no operation of the description offers it.
    pub operation: Option<[String; 3]>,
    /// As the overlay calls it.
    pub name: String,
    pub reason: String,
}

/// Lists the reasons: first those of the whole description.
pub fn list(operations: &[SpecOperation], of_api: &[LeftOut]) -> Vec<Unoffered> {
    let everywhere = of_api.iter().map(|LeftOut { name, reason, pointer: _ }| Unoffered {
        operation: None,
        name: name.clone(),
        reason: reason.clone(),
    });
    let own = operations.iter().filter(|spec| spec.keys.skip.is_none()).flat_map(|spec| {
        spec.keys.left_out.iter().map(|(name, reason)| Unoffered {
            operation: Some([spec.id.clone(), spec.method.clone(), spec.path.clone()]),
            name: name.clone(),
            reason: reason.clone(),
        })
    });
    everywhere.chain(own).collect()
}

/// Checks that everything is offered by a tool of its operation, or that there is a reason.
pub fn check(operations: &[SpecOperation], lowered: &Lowered, root: &Located<'_>) {
    for spec in operations.iter().filter(|spec| spec.keys.skip.is_none()) {
        let Ok(body) = spec.body.as_ref().map(BodyChoice::of).transpose() else { continue };
        let calls = || lowered.tools.iter().flat_map(|tool| &tool.calls).filter(|call| call.operation == spec.id);
        if calls().next().is_none() {
            // A choice that was refused; its finding is enough.
            continue;
        }
        let sent: BTreeSet<&Place> = calls().flat_map(places).collect();
        for input in inputs::inputs(spec, body.as_ref()) {
            let reason = spec.left_out.iter().find(|left_out| left_out.name == input.key);
            match (sent.contains(&input.place), reason) {
                (true, Some(reason)) => report_offered(&input, reason, spec, root),
                // What the vendor demands is reported at each tool that withholds it.
                (false, None) if !input.required => report_unoffered(&input, spec, root),
                (true | false, None) | (false, Some(_)) => {}
            }
        }
    }
}

/// The places that a call can fill.
fn places(call: &Call) -> impl Iterator<Item = &Place> {
    let bound = call.bindings.iter().map(|binding| &binding.place);
    let fixed = call.fixed.iter().map(|fixed| &fixed.place);
    bound.chain(fixed).chain(call.paging.iter().map(|paging| &paging.position))
}

fn report_offered(input: &Input, reason: &LeftOut, spec: &SpecOperation, root: &Located<'_>) {
    let found = format!("`{}`, which a tool of `{}` offers, sends or pages by", input.key, spec.id);
    let hint = "take away the reason, or what the tool states of it";
    root.nearest(&reason.pointer).report("the name of what no tool offers", found, Some(hint.to_owned()));
}

fn report_unoffered(input: &Input, spec: &SpecOperation, root: &Located<'_>) {
    let expected = format!("a tool that offers `{}`, or the reason why none does", input.key);
    let hint =
        format!("`{}: {{{}: <reason>}}` of the operation or of the whole description", keys::LEFT_OUT, input.key);
    root.nearest(&format!("{}/{}", spec.pointer, keys::EXTENSION)).report(expected, "neither", Some(hint));
}

//! Arguments by other names that the overlay states → the same by their own. A name that the tool has means itself, and an
//! argument that is given by its own name is not given again by another one: the check refuses that.

use std::borrow::Cow;

use serde_json::{Map, Value};

use toolwright_model::Tool;

/// Returns the arguments by their own names.
pub(super) fn renamed<'a>(tool: &Tool, given: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    let mut renamed = Cow::Borrowed(given);
    for name in given.keys() {
        if arguments(tool).any(|(own, _)| own == name) {
            continue;
        }
        let Some((own, _)) = arguments(tool).find(|(_, aliases)| aliases.contains(name)) else { continue };
        if !renamed.contains_key(own)
            && let Some(value) = renamed.to_mut().shift_remove(name)
        {
            renamed.to_mut().insert(own.to_owned(), value);
        }
    }
    renamed
}

/// The arguments that go to a vendor, or into a workflow, each with its other names.
fn arguments(tool: &Tool) -> impl Iterator<Item = (&str, &[String])> {
    let bindings = tool.calls.iter().flat_map(|call| &call.bindings);
    let inputs = tool.workflow.iter().flat_map(|workflow| &workflow.inputs);
    let of_calls = bindings.map(|binding| (binding.argument.as_str(), binding.aliases.as_slice()));
    of_calls.chain(inputs.map(|input| (input.name.as_str(), input.aliases.as_slice())))
}

//! Words of `include` → what they add to a list argument, or to its default.

use serde_json::{Map, Value};

use toolwright_model::{INCLUDE, Tool};

/// Replaces the words by what they stand for. The arguments were checked.
pub(super) fn merge(tool: &Tool, arguments: &mut Map<String, Value>) {
    let bindings = || tool.calls.iter().flat_map(|call| &call.bindings);
    let Some(binding) = bindings().find(|binding| !binding.include.is_empty()) else { return };
    let Some(Value::Array(words)) = arguments.shift_remove(INCLUDE) else { return };
    let list = arguments.get(&binding.argument).filter(|list| !list.is_null()).or(binding.default.as_ref());
    let Some(Value::Array(mut list)) = list.cloned() else { return };
    for value in words.iter().filter_map(|word| binding.include.get(word.as_str()?)) {
        if !list.iter().any(|known| known == value) {
            list.push(Value::from(value.as_str()));
        }
    }
    arguments.insert(binding.argument.clone(), Value::Array(list));
}

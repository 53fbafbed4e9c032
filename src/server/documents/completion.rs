//! What a person has typed of an argument → the values that it may become: names of tools, values that a schema lists, or
//! what a tool of the vendor lists, where the prompt names one.

use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, JsonObject, Reference};
use serde_json::Value;
use toolwright_model::PromptArgument;

use super::{NAME, TOOL_PAGE, View, prompts};

/// The most values that an answer is searched for.
const MOST_VALUES: usize = 1_000;

/// Where the values come from.
pub(in crate::server) enum Wish {
    /// These are all.
    Known(Vec<String>),
    /// They are in the answer of a tool, in the fields of this name.
    Ask { tool: String, arguments: JsonObject, field: String },
}

/// Returns where the values of an argument come from.
pub(in crate::server) fn known_values(request: &CompleteRequestParams, view: &View<'_>) -> Wish {
    match &request.r#ref {
        Reference::Resource(resource)
            if resource.uri == format!("{TOOL_PAGE}{{{NAME}}}") && request.argument.name == NAME =>
        {
            Wish::Known(view.tools.iter().map(|entry| entry.tool.name.clone()).collect())
        }
        Reference::Prompt(prompt) => of_prompt(&prompt.name, request, view).unwrap_or(Wish::Known(Vec::new())),
        _ => Wish::Known(Vec::new()),
    }
}

fn of_prompt(name: &str, request: &CompleteRequestParams, view: &View<'_>) -> Option<Wish> {
    let (_, prompt) = prompts::find(name, view)?;
    let argument = prompt.arguments.iter().find(|argument| argument.name == request.argument.name)?;
    of_argument(argument, request, view)
}

fn of_argument(argument: &PromptArgument, request: &CompleteRequestParams, view: &View<'_>) -> Option<Wish> {
    let values = argument.values.as_ref()?;
    view.tools.get(&values.tool)?;
    let given = request.context.as_ref();
    let mut arguments = JsonObject::new();
    for (to, from) in &values.with {
        let value = given.and_then(|given| given.get_argument(from)).filter(|value| !value.is_empty())?;
        arguments.insert(to.clone(), Value::from(value.clone()));
    }
    Some(Wish::Ask { tool: values.tool.clone(), arguments, field: values.field.clone() })
}

/// The values of all fields of a name in an answer, in order.
pub(in crate::server) fn values_in(answer: &[u8], field: &str) -> Vec<String> {
    let mut values = Vec::new();
    if let Ok(answer) = serde_json::from_slice(answer) {
        collect(&answer, field, &mut values);
    }
    values
}

fn collect(value: &Value, field: &str, values: &mut Vec<String>) {
    if values.len() >= MOST_VALUES {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, field, values)),
        Value::Object(entries) => {
            for (name, value) in entries {
                match value {
                    Value::String(text) if name == field => values.push(text.clone()),
                    Value::Number(number) if name == field => values.push(number.to_string()),
                    _ => collect(value, field, values),
                }
            }
        }
        _ => {}
    }
}

/// The values that fit what was typed: first those that begin with it. How many there are is stated only where the values
/// `are_all`: of more pages it is not known.
pub(in crate::server) fn completed(values: Vec<String>, are_all: bool, typed: &str) -> CompleteResult {
    let typed = typed.trim().to_lowercase();
    let mut fitting: Vec<(bool, String)> = Vec::new();
    for value in values {
        let lower = value.to_lowercase();
        if lower.contains(&typed) && !fitting.iter().any(|(_, known)| *known == value) {
            fitting.push((!lower.starts_with(&typed), value));
        }
    }
    fitting.sort_by_key(|(inside, _)| *inside);
    let total = u32::try_from(fitting.len()).ok().filter(|_| are_all);
    let has_more = fitting.len() > CompletionInfo::MAX_VALUES;
    let first = fitting.into_iter().take(CompletionInfo::MAX_VALUES).map(|(_, value)| value).collect();
    let mut completion = CompletionInfo::with_pagination(first, total, has_more).unwrap_or_default();
    completion.has_more = completion.has_more.filter(|has_more| *has_more || are_all);
    CompleteResult::new(completion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_begin_with_what_was_typed_come_first() {
        let values = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let completed = completed(values(&["Late network", "Network outages", "Other", "Late network"]), true, " NET");
        assert_eq!(completed.completion.values, ["Network outages", "Late network"]);
        assert_eq!((completed.completion.total, completed.completion.has_more), (Some(2), Some(false)));
        let many = super::completed((0..150).map(|number| number.to_string()).collect(), true, "");
        assert_eq!((many.completion.values.len(), many.completion.has_more), (100, Some(true)));
        let of_a_page = super::completed(values(&["Network"]), false, "net").completion;
        assert_eq!((of_a_page.values.len(), of_a_page.total, of_a_page.has_more), (1, None, None));
    }

    #[test]
    fn values_are_found_wherever_they_are_in_an_answer() {
        let answer = br#"{"page":{"size":2},"values":[{"id":1,"name":"A"},{"id":"2","of":{"name":"B"},"name":null}]}"#;
        assert_eq!(values_in(answer, "name"), ["A", "B"]);
        assert_eq!(values_in(answer, "id"), ["1", "2"]);
        assert!(values_in(b"no JSON", "id").is_empty());
    }
}

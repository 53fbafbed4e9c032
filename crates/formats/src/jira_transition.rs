//! A workflow step by its name, by the status that it leads to, or by its id → its id, by the steps
//! that are open on the issue.

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, suggest};

use crate::error::{FormatError, short};
use crate::format::{Format, LookupUse, WriteFuture};
use crate::{FormatContext, LookupError, schema};

/// A step as an object with its id.
pub(crate) const TRANSITION: JiraTransition = JiraTransition { name: "jira-transition", is_object: true };

/// A step as its id.
pub(crate) const TRANSITION_ID: JiraTransition = JiraTransition { name: "jira-transition-id", is_object: false };

/// The most steps that a refusal lists.
const MAX_LISTED: usize = 40;
const EXPECTED: &str = "the name or id of a step, such as `Done` or `31`";

pub(crate) struct JiraTransition {
    name: &'static str,
    /// Whether the vendor takes `{"id": …}`.
    is_object: bool,
}

/// A step that is open on an issue.
struct Step {
    id: String,
    name: String,
    /// The status after it, where the answer has it.
    status: Option<String>,
}

impl Format for JiraTransition {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        if self.is_object {
            "A Jira workflow step by name or id → an object with its id."
        } else {
            "A Jira workflow step by name or id → its id."
        }
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Required
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        match (schema::type_of(schema), self.is_object) {
            ("object", true) | ("string", false) => {}
            (_, true) => return Err("an object with an id"),
            (_, false) => return Err("a text"),
        }
        schema::replace(schema, "string", ("Name or id", "Name or id of the step."), &[]);
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!("31")]
    }

    fn open_parts(&self) -> &'static [&'static str] {
        &[""]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        Box::pin(async move {
            let name = match given(&value)? {
                GivenStep::Id(id) => return Ok(self.written("id", id)),
                GivenStep::Name(name) => name,
            };
            let operation = formatted.ask.as_deref().unwrap_or_default();
            match context.lookup.ask(operation, context.path.to_vec()).await {
                Ok(answer) => id_of(&name, &steps(&answer), notes).map(|id| self.written("id", id)),
                Err(LookupError::DryRun) => {
                    notes.push(format!(
                        "left as given in this dry run: {}; the real call asks the vendor for its id",
                        short(&name)
                    ));
                    Ok(self.written("name", name))
                }
                Err(LookupError::Failed(reason)) => {
                    let expected = "the id of a step, since the steps of the issue could not be looked up";
                    Err(FormatError::new(expected, format!("{} ({reason})", short(&name))))
                }
            }
        })
    }
}

impl JiraTransition {
    fn written(&self, key: &str, value: String) -> Value {
        if self.is_object { json!({key: value}) } else { Value::from(value) }
    }
}

/// What a caller wrote.
enum GivenStep {
    Id(String),
    Name(String),
}

fn given(value: &Value) -> Result<GivenStep, FormatError> {
    let wrong = || FormatError::new(EXPECTED, short(&value.to_string()));
    match value {
        Value::Number(id) => Ok(GivenStep::Id(id.to_string())),
        Value::String(text) if text.trim_start().starts_with('{') => match serde_json::from_str(text) {
            Ok(object @ Value::Object(_)) => given(&object),
            _ => Err(wrong()),
        },
        Value::String(text) => match text.trim() {
            "" => Err(wrong()),
            id if id.bytes().all(|byte| byte.is_ascii_digit()) => Ok(GivenStep::Id(id.to_owned())),
            name => Ok(GivenStep::Name(name.to_owned())),
        },
        Value::Object(entries) => {
            if let Some(other) = entries.keys().find(|name| !["id", "name"].contains(&name.as_str())) {
                let expected = format!("{EXPECTED}, or an object with its `id`, and nothing beside it");
                return Err(FormatError::new(expected, format!("`{other}`")).at(format!(".{other}")));
            }
            match (entries.get("id"), entries.get("name")) {
                (Some(step @ (Value::String(_) | Value::Number(_))), _) | (None, Some(step @ Value::String(_))) => {
                    given(step)
                }
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

/// Returns the steps of an answer: of the platform, or of the service desk.
fn steps(answer: &Value) -> Vec<Step> {
    let listed = [&answer["transitions"], &answer["values"]].into_iter().find_map(Value::as_array);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let step = |step: &Value| {
        Some(Step { id: text(&step["id"])?, name: text(&step["name"])?, status: text(&step["to"]["name"]) })
    };
    listed.into_iter().flatten().filter_map(step).collect()
}

/// Returns the id of the one step that has this name, else of the one that leads to this status.
fn id_of(wanted: &str, steps: &[Step], notes: &mut Vec<String>) -> Result<String, FormatError> {
    let same = |name: &str| name.trim().to_lowercase() == wanted.to_lowercase();
    let by_name: Vec<&Step> = steps.iter().filter(|step| same(&step.name)).collect();
    let by_status = || steps.iter().filter(|step| step.status.as_deref().is_some_and(same)).collect();
    let found: Vec<&Step> = if by_name.is_empty() { by_status() } else { by_name };
    match found.as_slice() {
        [step] => {
            notes.push(format!("`{wanted}` is the step {}", described(step)));
            Ok(step.id.clone())
        }
        [] if steps.is_empty() => {
            Err(FormatError::new("a step; on this issue none is open to this account now", short(wanted)))
        }
        [] => {
            let expected = format!("one of the steps that are open on this issue now: {}", all(steps.iter()));
            let near =
                suggest(wanted, steps.iter().map(|step| step.name.as_str())).first().map(|name| (*name).to_owned());
            Err(FormatError { suggestion: near, ..FormatError::new(expected, short(wanted)) })
        }
        several => {
            let expected = format!("one step; several fit, so give an id: {}", all(several.iter().copied()));
            Err(FormatError::new(expected, short(wanted)))
        }
    }
}

fn all<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    let mut listed: Vec<String> = steps.map(described).collect();
    let more = listed.len().saturating_sub(MAX_LISTED);
    listed.truncate(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", listed.join(", "))
}

/// `21 "Resolve" (to "Resolved")`.
fn described(step: &Step) -> String {
    let status = step.status.as_ref().map(|status| format!(" (to {})", short(status))).unwrap_or_default();
    format!("{} {}{status}", step.id, short(&step.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Bench;

    fn bench() -> Bench {
        let step = |id: &str, name: &str, status: &str| json!({"id": id, "name": name, "to": {"name": status}});
        Bench::new(Ok(json!({"transitions": [
            step("11", "Start", "In progress"),
            step("21", "Resolve", "Done"),
            step("31", "Close", "Closed"),
            step("41", "Reject", "Closed"),
            step("51", "Wait", "Waiting"),
            step("61", "wait", "On hold"),
        ]})))
    }

    fn step(name: &str) -> Formatted {
        Formatted { ask: Some("getTransitions".to_owned()), ..Formatted::whole(name) }
    }

    #[test]
    fn a_step_is_found_by_name_status_or_id() {
        for (given, id, lookups) in [
            (json!("31"), "31", 0),
            (json!(31), "31", 0),
            (json!({"id": "31"}), "31", 0),
            (json!({"id": 31}), "31", 0),
            (json!("{\"id\": \"31\"}"), "31", 0),
            (json!(" resolve "), "21", 1),
            (json!("Done"), "21", 1),
            (json!({"name": "Start"}), "11", 1),
            (json!({"id": "Start"}), "11", 1),
        ] {
            let bench = bench();
            let (written, notes) = bench.write(&[step("jira-transition")], given.clone());
            assert_eq!(written, Ok(json!({"id": id})), "{given}");
            assert_eq!((bench.lookups(), notes.len()), (lookups, lookups), "{given}");
            assert_eq!(bench.write(&[step("jira-transition-id")], given).0, Ok(json!(id)));
        }
        let notes = bench().write(&[step("jira-transition")], json!("done")).1;
        assert_eq!(notes, ["`done` is the step 21 `Resolve` (to `Done`)"]);
        // The service desk lists steps without a status.
        let desk = Bench::new(Ok(json!({"values": [{"id": "761", "name": "Close the request"}]})));
        assert_eq!(desk.write(&[step("jira-transition-id")], json!("close the request")).0, Ok(json!("761")));
    }

    #[test]
    fn an_unclear_name_is_refused_with_the_steps() {
        for (given, expected, suggestion) in [
            (json!("Resolv"), "now: 11 `Start` (to `In progress`), 21 `Resolve` (to `Done`)", Some("Resolve")),
            (json!("closed"), "give an id: 31 `Close` (to `Closed`), 41 `Reject` (to `Closed`)", None),
            (json!("WAIT"), "give an id: 51 `Wait` (to `Waiting`), 61 `wait` (to `On hold`)", None),
            (json!(""), "the name or id of a step", None),
            (json!(["Done"]), "the name or id of a step", None),
            (json!({"id": "31", "update": {}}), "nothing beside it", None),
        ] {
            let error = bench().write(&[step("jira-transition")], given.clone()).0.unwrap_err();
            assert!(error.expected.contains(expected), "{given}: {error:?}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{given}");
        }
        let none = Bench::new(Ok(json!({"transitions": []})));
        let error = none.write(&[step("jira-transition")], json!("Done")).0.unwrap_err();
        assert!(error.expected.contains("none is open"), "{error:?}");
    }

    #[test]
    fn without_a_list_a_name_is_left_or_refused() {
        let (left, notes) = Bench::new(Err(LookupError::DryRun)).write(&[step("jira-transition")], json!("Done"));
        assert_eq!(left, Ok(json!({"name": "Done"})));
        assert!(notes[0].contains("dry run: `Done`"), "{notes:?}");
        let broken = Bench::new(Err(LookupError::Failed("the vendor answered 404".to_owned())));
        let error = broken.write(&[step("jira-transition")], json!("Done")).0.unwrap_err();
        assert!(error.expected.contains("could not be looked up") && error.given.contains("404"), "{error:?}");
    }
}

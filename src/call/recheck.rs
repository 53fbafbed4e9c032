//! A recorded call and a catalog → how the call would fare with it: whether it is offered, what is wrong with its
//! arguments, which operation it reaches. What the record does not show, masked or cut, is not judged. Sends nothing.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::arguments::{ArgumentSchema, HIDDEN};
use super::failure::{ArgumentProblem, Failure, ProblemKind};
use super::format_arguments::format_arguments;
use super::lookup::NoLookup;
use super::tools::OfferedTools;
use crate::audit::is_cut;
use crate::catalog::{Catalog, CatalogEntry};
use crate::formats::{FormatContext, LookupCache};
use crate::policy::{Selection, SelectionRefusal};
use toolwright_model::{Binding, Call};

/// The format of file arguments: a path names a file of another machine and time.
const FILE: &str = "file";

/// Checks recorded calls against a catalog.
pub struct Recheck {
    tools: OfferedTools,
    now: SystemTime,
}

/// How a recorded call would fare.
#[derive(Debug)]
pub struct Rechecked<'a> {
    /// The tool that its name reaches.
    pub entry: &'a CatalogEntry,
    /// Why the policy does not offer it.
    pub refusal: Option<SelectionRefusal>,
    /// What is wrong with the arguments, as far as they can be judged.
    pub problems: Vec<ArgumentProblem>,
    /// The operation that it calls; `None` where a masked value decides.
    pub operation: Option<&'a Call>,
    /// How many values can't be judged.
    pub withheld: usize,
}

impl Recheck {
    /// Checks against the tools of a catalog, of which the selection offers a part.
    pub fn new(catalog: Catalog, selection: Selection, now: SystemTime) -> Self {
        Self { tools: OfferedTools::of_selection(catalog, selection), now }
    }

    /// Checks a call; `None` where no tool has the name. With `names`, only these are known of the arguments.
    ///
    /// # Errors
    /// The tool's input schema is not valid.
    pub async fn check(
        &self,
        tool: &str,
        arguments: &Map<String, Value>,
        names: Option<&[String]>,
    ) -> Result<Option<Rechecked<'_>>, Failure> {
        let Ok(entry) = self.tools.find(tool) else { return Ok(None) };
        let refusal = match self.tools.check_offered(entry) {
            Err(Failure::Refused { refusal, .. }) => Some(refusal),
            _ => None,
        };
        let schema = self.tools.schema(&entry.tool)?;
        let hidden: Map<String, Value>;
        let arguments = match names {
            Some(names) => {
                hidden = names.iter().map(|name| (name.clone(), Value::from(HIDDEN))).collect();
                &hidden
            }
            None => arguments,
        };
        let operation = entry.tool.call_for(arguments);
        let mut withheld = Vec::new();
        for (name, value) in arguments {
            let is_file =
                operation.is_some_and(|call| call.bindings.iter().any(|it| &it.argument == name && is_file(it)));
            collect_withheld(name, value, is_file, &mut withheld);
        }
        let chosen_unseen =
            entry.tool.calls.iter().filter_map(|call| call.when.as_ref()).any(|when| withheld.contains(&when.argument));
        let mut problems = self.problems(schema, operation, arguments).await;
        problems.retain(|problem| {
            // That a name is unknown or missing can be said without its value.
            let is_seen = problem.kind != ProblemKind::Invalid;
            is_seen || !withheld.iter().any(|path| overlap(path, &problem.argument))
        });
        let operation = operation.filter(|_| !chosen_unseen);
        Ok(Some(Rechecked { entry, refusal, problems, operation, withheld: withheld.len() }))
    }

    async fn problems(
        &self,
        schema: &ArgumentSchema,
        operation: Option<&Call>,
        arguments: &Map<String, Value>,
    ) -> Vec<ArgumentProblem> {
        let found = schema.check(arguments).err().unwrap_or_default();
        let Some(operation) = operation else { return found };
        let cache = LookupCache::default();
        let context =
            FormatContext { now: self.now, files: None, lookup: &NoLookup, cache: &cache, path: &[], properties: &[] };
        let converted = schema.converted(arguments);
        let formatted = format_arguments(operation, schema, &converted, None, &context).await;
        schema.joined(found, formatted.problems)
    }
}

fn is_file(binding: &Binding) -> bool {
    binding.formats.iter().any(|formatted| formatted.format.as_str() == FILE)
}

/// Adds the paths of what the record does not show.
fn collect_withheld(path: &str, value: &Value, is_file: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_file || text == HIDDEN || is_cut(text) => found.push(path.to_owned()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_withheld(&format!("{path}[{index}]"), item, is_file, found);
            }
        }
        Value::Object(entries) => {
            for (name, value) in entries {
                collect_withheld(&format!("{path}.{name}"), value, is_file, found);
            }
        }
        _ => {}
    }
}

/// Whether one path leads into the other.
fn overlap(a: &str, b: &str) -> bool {
    let within = |path: &str, part: &str| {
        path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || part.is_empty() || rest.starts_with(['.', '[']))
    };
    within(a, b) || within(b, a)
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn paths_overlap_where_one_leads_into_the_other() {
        for (a, b, expected) in [
            ("users[0].password", "users", true),
            ("users", "users[0].name", true),
            ("user", "users", false),
            ("body", "", true),
            ("a.b", "a.c", false),
        ] {
            assert_eq!(overlap(a, b), expected, "{a} {b}");
        }
    }
}

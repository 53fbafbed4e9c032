//! The operations that a file can call: those of its source descriptions, with the tools that call them and what they answer.

use std::collections::BTreeMap;

use super::scope::{OwnAnswer, near_or_all};
use super::shape::Shape;
use crate::lower::answers;
use crate::lower::lowered::OperationResult;
use crate::lower::spec_operation::status_class;
use crate::lower::vendor::LoweredApi;
use crate::read::document::Document;
use crate::read::located::{Located, did_you_mean};
use crate::read::workflows::SourceDescription;
use toolwright_model::answers::{DescribedAnswer, DescribedAnswers, DescribedValue};
use toolwright_model::{Call, Operation, Returns, Tool};

/// The descriptions of a file, by the names that it gives them.
pub(super) struct Sources<'a> {
    sources: Vec<(String, CallableApi<'a>)>,
}

/// An API whose operations can be called.
pub(super) struct CallableApi<'a> {
    pub(super) vendor: &'a str,
    pub(super) id: &'a str,
    pub(super) tools: &'a [Tool],
    results: &'a [OperationResult],
    operations: &'a [Operation],
    document: &'a Document,
    answers: DescribedAnswers,
}

/// An operation of an API.
#[derive(Clone, Copy)]
pub(super) struct Callable<'s> {
    pub(super) api: &'s CallableApi<'s>,
    pub(super) operation: &'s Operation,
}

impl<'a> Sources<'a> {
    /// Finds the descriptions that a file refers to; reports those that there are not.
    pub(super) fn find(stated: &[SourceDescription], apis: &[&'a LoweredApi], root: &Located<'_>) -> Self {
        let mut sources = Vec::new();
        for SourceDescription { name, file, pointer } in stated {
            let Some(api) = apis.iter().find(|api| api.description.name == *file) else {
                let known = apis.iter().map(|api| api.description.name.as_str());
                let found = format!("`{file}`, which is none");
                root.nearest(pointer).report("the path of a description under specs/", found, near_or_all(file, known));
                continue;
            };
            sources.push((name.clone(), CallableApi::of(api)));
        }
        Self { sources }
    }

    /// Returns the vendors whose descriptions these are, in order.
    pub(super) fn vendors(&self) -> Vec<&'a str> {
        let mut vendors: Vec<&str> = self.sources.iter().map(|(_, api)| api.vendor).collect();
        vendors.sort_unstable();
        vendors.dedup();
        vendors
    }

    /// Returns the operation that a step names: `getUser`, or `$sourceDescriptions.<name>.getUser` where there are
    /// several descriptions.
    pub(super) fn operation<'s>(&'s self, at: &Located<'_>) -> Option<Callable<'s>> {
        let text = at.text()?;
        let (api, id) = match text.strip_prefix("$sourceDescriptions.") {
            Some(path) => self.qualified(path, at)?,
            None => match self.sources.as_slice() {
                [(_, api)] => (api, text),
                _ => {
                    let expected = "`$sourceDescriptions.<name>.<operationId>`: the file has several descriptions";
                    let with = self.sources.iter().find(|(_, api)| api.has(text));
                    let hint = with.map(|(name, _)| format!("write `$sourceDescriptions.{name}.{text}`"));
                    at.report(expected, format!("`{text}`"), hint);
                    return None;
                }
            },
        };
        let operation = api.operations.iter().find(|operation| operation.id == id);
        if operation.is_none() {
            let result = api.results.iter().find(|result| result.operation == id);
            let (found, hint) = match result.map(|result| &result.outcome) {
                Some(Err(reason)) => (format!("`{id}`, which is skipped: {reason}"), None),
                _ => (format!("`{id}`"), did_you_mean(id, api.results.iter().map(|result| result.operation.as_str()))),
            };
            at.report("the id of an operation of the description", found, hint);
        }
        Some(Callable { api, operation: operation? })
    }

    fn qualified<'s, 't>(&'s self, path: &'t str, at: &Located<'_>) -> Option<(&'s CallableApi<'a>, &'t str)> {
        let named = |name: &str| self.sources.iter().find(|(source, _)| source == name).map(|(_, api)| api);
        let found = path.split_once('.').and_then(|(name, id)| Some((named(name)?, id)));
        if found.is_none() {
            let known: Vec<String> =
                self.sources.iter().map(|(name, _)| format!("$sourceDescriptions.{name}.<operationId>")).collect();
            let hint = near_or_all("", known.iter().map(String::as_str));
            at.report(
                "a description of the file and an operation of it",
                format!("`$sourceDescriptions.{path}`"),
                hint,
            );
        }
        found
    }
}

impl<'a> CallableApi<'a> {
    fn of(api: &'a LoweredApi) -> Self {
        Self {
            vendor: &api.vendor,
            id: &api.description.id,
            tools: &api.lowered.tools,
            results: &api.lowered.results,
            operations: &api.lowered.operations,
            document: &api.description.document,
            answers: answers::describe(&api.description.id, &api.description.name, &api.description.document),
        }
    }

    fn has(&self, operation: &str) -> bool {
        self.operations.iter().any(|known| known.id == operation)
    }
}

impl<'s> Callable<'s> {
    /// Returns the tools that call the operation, each with that call.
    pub(super) fn tools(&self) -> Vec<(&'s Tool, &'s Call)> {
        let of = |tool: &'s Tool| Some((tool, tool.calls.iter().find(|call| call.operation == self.operation.id)?));
        self.api.tools.iter().filter_map(of).collect()
    }

    /// Returns what is known of the operation's answer.
    pub(super) fn answer(&self, call: &Call) -> OwnAnswer<'s> {
        let operation = self.api.answers.operation(&self.operation.id);
        let is_success = |answer: &&DescribedAnswer| answer.status.starts_with('2') || answer.status == "default";
        let successes: Vec<&DescribedAnswer> =
            operation.into_iter().flat_map(|operation| &operation.answers).filter(is_success).collect();
        let schemas: Vec<_> = successes.iter().filter_map(|answer| answer.schema.as_ref()).collect();
        let is_empty = |answer: &&DescribedAnswer| matches!(answer.status.as_str(), "204" | "205");
        let body = if !successes.is_empty() && successes.iter().all(is_empty) {
            Shape::Object([].into())
        } else if schemas.is_empty() || call.returns == Returns::File {
            Shape::Any
        } else {
            Shape::Described(DescribedValue::new(&self.api.answers, schemas))
        };
        OwnAnswer { body, headers: self.headers() }
    }

    fn headers(&self) -> Vec<String> {
        let Operation { path, method, .. } = self.operation;
        let Some(at) = self.api.document.operation(path, &method.to_lowercase()) else { return Vec::new() };
        let successes = at.operation.responses.responses.iter().filter(|(status, _)| status_class(status) == 2);
        let all = successes.map(|(_, response)| response).chain(&at.operation.responses.default);
        let mut headers = BTreeMap::new();
        for response in all.filter_map(|response| self.api.document.follow(response)) {
            headers.extend(response.headers.keys().map(|name| (name.to_lowercase(), name.clone())));
        }
        headers.into_values().collect()
    }
}

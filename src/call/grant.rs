//! A refusal of the policy → the caller's own exception that a person has granted, or a request for one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::arguments::ArgumentSchema;
use super::caller::Caller;
use super::failure::Failure;
use super::tools::OfferedTools;
use crate::approval::{Approvals, Asker, Elevation, Hasher, Wish};
use crate::catalog::CatalogEntry;
use crate::error::Audience;

/// A call that the policy refuses.
pub(super) struct Refused<'a> {
    pub(super) approvals: &'a Approvals,
    pub(super) tools: &'a OfferedTools,
    pub(super) entry: &'a CatalogEntry,
    pub(super) schema: &'a ArgumentSchema,
    pub(super) given: &'a Map<String, Value>,
    pub(super) failure: Failure,
}

impl Refused<'_> {
    /// Returns what a person has granted to this caller, by id and by whom.
    ///
    /// # Errors
    /// The refusal, with the request for more where one can be made.
    pub(super) async fn granted(self, caller: &Caller) -> Result<(String, String), Failure> {
        let Self { approvals, tools, entry, schema, given, failure } = self;
        if !approvals.takes_requests() {
            return Err(failure);
        }
        let (tool, refusal, instead) = match failure {
            Failure::Refused { tool, refusal, instead, .. } => (tool, refusal, instead),
            other => return Err(other),
        };
        let refuse = |request| Failure::Refused { tool, refusal: refusal.clone(), instead, request };
        // Each step of a workflow would need a grant of its own, and without an account there is nothing to call.
        if entry.tool.workflow.is_some() || tools.grant().account(&entry.vendor).is_none() {
            return Err(refuse(None));
        }
        let name = &entry.tool.name;
        // A model may write the same arguments in another order.
        let sorted: BTreeMap<&String, &Value> = given.iter().collect();
        let arguments = json!(sorted).to_string();
        let wish = Wish {
            tool: name,
            title: &entry.tool.title,
            exact: Hasher::default().part(b"access").part(name.as_bytes()).part(arguments.as_bytes()).exact(),
            arguments: Value::Object(schema.masked(given)),
            refused: refusal.text(Audience::Person),
            is_beyond_server: tools.grant().is_beyond_server(entry),
        };
        let asker = Asker { principal: &caller.principal, client: caller.client.as_deref(), channel: None };
        match approvals.elevation(asker, &wish).await {
            Ok(Elevation::Granted { id, by }) => Ok((id, by)),
            Ok(Elevation::Requested(id)) => Err(refuse(Some(Box::new(id)))),
            Ok(Elevation::Declined) => Err(refuse(None)),
            Err(held) => {
                tracing::warn!("no request for `{name}` can be kept: {}", held.text(Audience::Person));
                Err(refuse(None))
            }
        }
    }
}

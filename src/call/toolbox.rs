//! A catalog, a selection of it, and connections to vendors → tools that can be called.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::advice::with_advice;
use super::api_connection::ApiConnections;
use super::call_record::CallRecord;
use super::caller::{Caller, url_settings};
use super::caller_limiter::CallerLimiter;
use super::failure::Failure;
use super::lookup::{NoLookup, VendorLookup};
use super::plan::plan;
use super::prepare::prepare;
use super::present::present;
use super::reply::cache::{ReplyCache, ReplyOwner};
use super::resolve::Resolver;
use super::result::CallResult;
use super::retry::{RetryPolicy, Sender};
use super::send::send;
use super::tools::OfferedTools;
use crate::audit::Audit;
use crate::catalog::{self, Catalog, CatalogEntry};
use crate::client_runtime::CompiledApi;
use crate::config::{ChosenSettings, ConnectionConfig};
use crate::error::CallError;
use crate::formats::{Folder, FormatContext, Lookup};
use crate::jq::Evaluator;
use crate::metrics::Metrics;
use crate::policy::Selection;

/// Tools that can be called.
pub struct Toolbox {
    tools: OfferedTools,
    connections: ApiConnections,
    limiter: CallerLimiter,
    policy: RetryPolicy,
    replies: Arc<ReplyCache>,
    evaluator: Option<Evaluator>,
    audit: Option<Audit>,
    metrics: Metrics,
    /// The folder whose files may be sent, if the operator named one.
    folder: Option<Folder>,
    clock: fn() -> SystemTime,
    /// Whether every call is a dry run.
    dry_run: bool,
}

impl Toolbox {
    /// Calls a tool by name or alias, for a caller without a session.
    ///
    /// # Errors
    /// As [`Toolbox::call_as`].
    pub async fn call(&self, name: &str, arguments: Map<String, Value>) -> Result<CallResult, Failure> {
        self.call_as(&Caller::default(), name, arguments).await
    }

    /// Calls a tool by name or alias.
    ///
    /// # Errors
    /// By stage; [`Failure::outcome`] states whether anything was sent.
    pub async fn call_as(
        &self,
        caller: &Caller,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<CallResult, Failure> {
        let mut record = CallRecord::new(self.audit.as_ref(), &self.metrics, caller, name);
        let result = match self.limiter.permit(caller, self.policy.budget).await {
            // Boxed, because futures that hold a call would be large otherwise.
            Ok(_permit) => Box::pin(self.execute(caller, name, &arguments, &mut record)).await,
            Err(throttled) => Err(CallError::Throttled(Box::new(throttled)).into()),
        };
        record.end(&result);
        result
    }

    /// Runs the stages of a call.
    async fn execute<'a>(
        &'a self,
        caller: &'a Caller,
        name: &str,
        arguments: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<CallResult, Failure> {
        let now = (self.clock)();
        let (tools, connections) = (&self.tools, &self.connections);
        let resolved =
            Resolver { tools, connections, now, dry_run: self.dry_run }.resolve(caller, name, arguments, record)?;
        let dry_run = resolved.dry_run;
        if let Some(cursor) = resolved.cursor.as_ref().filter(|_| !dry_run)
            && let Some(rest) = self.replies.rest(cursor, ReplyOwner::from(caller))
        {
            return Ok(rest.into());
        }
        let sender = Sender::new(&resolved, self.policy, &self.metrics);
        let lookup = VendorLookup { sender: &sender, catalog: &tools.catalog, api: &resolved.operation.api };
        let lookup: &dyn Lookup = if dry_run { &NoLookup } else { &lookup };
        let context = FormatContext { now, folder: self.folder.as_ref(), lookup, cache: &sender.session.lookups };
        let prepared = prepare(resolved, self.policy.records, &context).await?;
        if dry_run {
            return plan(prepared).await.map(CallResult::from);
        }
        record.intend()?;
        let pages = match send(&prepared, &sender).await {
            Ok(pages) => pages,
            Err(error) => return Err(with_advice(error, &prepared, tools, lookup).await.into()),
        };
        present(prepared, pages, self.evaluator.as_ref(), &self.replies).await.map(CallResult::from)
    }
}

impl Toolbox {
    /// Makes a toolbox over the APIs that are compiled in. `connections` are by API id or vendor id.
    pub fn new(
        catalog: Catalog,
        selection: Selection,
        connections: &HashMap<String, ConnectionConfig>,
        dry_run: bool,
    ) -> Self {
        Self::over(catalog::apis(), catalog, selection, connections, dry_run)
    }

    /// Makes a toolbox over other APIs than those that are compiled in; `catalog` has their tools.
    pub fn over(
        apis: &'static [CompiledApi],
        catalog: Catalog,
        selection: Selection,
        connections: &HashMap<String, ConnectionConfig>,
        dry_run: bool,
    ) -> Self {
        Self {
            connections: ApiConnections::new(apis, &catalog, connections),
            tools: OfferedTools::new(catalog, selection),
            limiter: CallerLimiter::default(),
            policy: RetryPolicy::default(),
            replies: Arc::default(),
            evaluator: None,
            audit: None,
            metrics: Metrics::default(),
            folder: None,
            clock: SystemTime::now,
            dry_run,
        }
    }

    /// Sets how long calls wait and what is repeated.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Records every call.
    #[must_use]
    pub fn with_record(mut self, audit: Option<Audit>) -> Self {
        self.audit = audit;
        self
    }

    /// Evaluates the filters of callers.
    #[must_use]
    pub fn with_evaluator(mut self, evaluator: Evaluator) -> Self {
        self.evaluator = Some(evaluator);
        self
    }

    /// Lets callers name files of this folder by path. Only for callers on the same machine: over
    /// a network, others would read the operator's files.
    #[must_use]
    pub fn with_files(mut self, folder: Option<Folder>) -> Self {
        self.tools.folder_is_open = folder.is_some();
        self.folder = folder;
        self
    }

    /// Sets the clock that relative times are resolved by.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> SystemTime) -> Self {
        self.clock = clock;
        self
    }

    /// Returns the metrics of all calls.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns the whole catalog, of which the selection offers a part.
    pub fn catalog(&self) -> &Catalog {
        &self.tools.catalog
    }

    /// Returns the tools that are offered, in order of their names.
    pub fn offered(&self) -> impl Iterator<Item = &CatalogEntry> {
        self.tools.iter()
    }

    /// Returns the tool with this name or alias if it is offered.
    pub fn offered_tool(&self, name: &str) -> Option<&CatalogEntry> {
        self.catalog().get(name).filter(|entry| self.tools.check_offered(entry).is_ok())
    }

    /// Returns a tool as `tools/list` sends it.
    pub fn listing(&self, entry: &CatalogEntry) -> rmcp::model::Tool {
        self.tools.listing(entry)
    }

    /// Reads which tenants a client chooses by the parameters of the URL that it connects to.
    ///
    /// # Errors
    /// A choice is not allowed.
    pub fn choose<'a>(
        &self,
        parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    ) -> Result<ChosenSettings, String> {
        let connections: Vec<&ConnectionConfig> = self.connections.configs().collect();
        url_settings(parameters, self.tools.catalog.vendors(), &connections)
    }
}

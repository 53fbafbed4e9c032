//! A catalog, a selection of it, and connections to vendors → tools that can be called.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::Instrument as _;

use super::accounts::Accounts;
use super::advice::with_advice;
use super::approve::{Cleared, cleared};
use super::call_record::{CallEnding, CallRecord};
use super::caller::{Caller, url_settings};
use super::caller_limiter::CallerLimiter;
use super::failure::Failure;
use super::find_root::find_root;
use super::lookup::{NoLookup, VendorLookup};
use super::names::{NameCache, NameContext, resolve_names};
use super::paging::Pages;
use super::plan::plan;
use super::prepare::{PreparedCall, prepare};
use super::present::{present, step_answer};
use super::reply::Reply;
use super::reply::cache::{ReplyCache, ReplyOwner};
use super::resolve::{ResolvedCall, Resolver};
use super::restore::restore;
use super::result::{CallResult, PlannedCall};
use super::retry::{RetryPolicy, Sender};
use super::send::send;
use super::step::StepResult;
use super::tenants::TenantNames;
use super::tools::{OfferedTools, ToolSets};
use super::wait::wait;
use crate::access::{Grant, ServerPolicy};
use crate::approval::Approvals;
use crate::audit::Audit;
use crate::catalog::{self, Catalog, CatalogEntry};
use crate::client_runtime::CompiledApi;
use crate::config::{Account, ChosenSettings, ConnectionConfig};
use crate::error::CallError;
use crate::formats::{Folder, FormatContext, Lookup};
use crate::jq::Evaluator;
use crate::learn::Learner;
use crate::metrics::Metrics;
use crate::policy::Selection;
use toolwright_model::truncate;

/// The longest name of a tool that is looked for, in characters: twice what MCP lets a tool have.
pub(super) const LONGEST_NAME: usize = 256;
/// The id of the grant of callers that have none of their own.
const OWN_GRANT: &str = "server";

/// Tools that can be called.
pub struct Toolbox {
    server_policy: ServerPolicy,
    sets: ToolSets,
    /// The tools as callers are offered them that have no grant of their own.
    own: OfferedTools,
    pub(super) accounts: Accounts,
    limiter: CallerLimiter,
    /// Workflows count apart from calls: were they counted together, they could hold all the places that their steps
    /// wait for.
    pub(super) workflows: CallerLimiter,
    pub(super) policy: RetryPolicy,
    pub(super) replies: Arc<ReplyCache>,
    names: NameCache,
    pub(super) tenant_names: TenantNames,
    pub(super) evaluator: Option<Evaluator>,
    pub(super) audit: Option<Audit>,
    pub(super) approvals: Option<Arc<Approvals>>,
    pub(super) metrics: Metrics,
    learner: Option<Learner>,
    /// The folder whose files may be sent, if the operator named one.
    pub(super) folder: Option<Folder>,
    pub(super) clock: fn() -> SystemTime,
    /// Whether every call is a dry run.
    pub(super) dry_run: bool,
    /// The most values that a workflow repeats a step for; `None`: as many as each workflow states.
    most_items: Option<u32>,
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
        // It is looked for, repeated and recorded.
        let name = &*truncate(name, LONGEST_NAME);
        let tools = self.tools(caller);
        let mut record = CallRecord::new(self.audit.as_ref(), &self.metrics, caller, name);
        let span = record.span();
        let result = match self.limiter.slot(caller, self.policy.budget).await {
            // Boxed, because futures that hold a call would be large otherwise.
            Ok(_slot) => Box::pin(self.execute(caller, &tools, name, &arguments, &mut record)).instrument(span).await,
            Err(throttled) => Err(CallError::Throttled(Box::new(throttled)).into()),
        };
        let ended = record.end(&CallEnding::of(&result));
        self.note_end(ended).await;
        result
    }

    /// Makes the call that is a step of a workflow, which gets the answer as the vendor gave it.
    ///
    /// # Errors
    /// As [`Toolbox::call_as`].
    pub(crate) async fn call_step(
        &self,
        caller: &Caller,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<StepResult, Failure> {
        let tools = self.tools(caller);
        let mut record = CallRecord::new(self.audit.as_ref(), &self.metrics, caller, name);
        let span = record.span();
        let result = match self.limiter.slot(caller, self.policy.budget).await {
            Ok(_slot) => {
                Box::pin(self.execute_step(caller, &tools, name, arguments, &mut record)).instrument(span).await
            }
            Err(throttled) => Err(CallError::Throttled(Box::new(throttled)).into()),
        };
        record.end(&match &result {
            Ok(StepResult::Answered(answer)) => {
                CallEnding::Answered { status: Some(answer.status), request_id: answer.request_id.as_deref() }
            }
            Ok(StepResult::Planned(_)) => CallEnding::Planned,
            Err(failure) => CallEnding::Failed(failure),
        });
        result
    }

    /// Records a call whose arguments can't be read, as `call_as` records those whose arguments don't fit. What they are is
    /// not recorded, for it is not known which of them are secret.
    pub(crate) fn refuse(&self, caller: &Caller, name: &str, failure: Failure) -> Result<CallResult, Failure> {
        let name = &*truncate(name, LONGEST_NAME);
        let mut record = CallRecord::new(self.audit.as_ref(), &self.metrics, caller, name);
        if let Some(entry) = self.catalog().get(name) {
            record.set_tool(entry);
        }
        record.end(&CallEnding::Failed(&failure));
        Err(failure)
    }

    /// Runs the stages of a call.
    async fn execute<'a>(
        &'a self,
        caller: &'a Caller,
        tools: &'a OfferedTools,
        name: &str,
        arguments: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<CallResult, Failure> {
        match self.sent(caller, tools, name, arguments, record).await? {
            Sent::Rest(rest) => Ok((*rest).into()),
            Sent::Planned(plan) => Ok((*plan).into()),
            Sent::Answered(prepared, pages) => {
                let (tool, given) = (prepared.resolved.tool(), prepared.resolved.masked.clone());
                let reply = present(*prepared, *pages, self.evaluator.as_ref(), &self.replies).await?;
                self.note_read(caller, tools, tool, &given, &reply).await;
                Ok(reply.into())
            }
        }
    }

    async fn execute_step<'a>(
        &'a self,
        caller: &'a Caller,
        tools: &'a OfferedTools,
        name: &str,
        arguments: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<StepResult, Failure> {
        match self.sent(caller, tools, name, arguments, record).await? {
            Sent::Rest(_) => Err(Failure::Internal(format!("a step called `{name}` with a cursor"))),
            Sent::Planned(plan) => Ok(StepResult::Planned(plan)),
            Sent::Answered(prepared, pages) => step_answer(*prepared, *pages).await.map(StepResult::from),
        }
    }

    /// Runs the stages of a call up to the vendor's answer.
    async fn sent<'a>(
        &'a self,
        caller: &'a Caller,
        tools: &'a OfferedTools,
        name: &str,
        arguments: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<Sent<'a>, Failure> {
        let now = (self.clock)();
        let (accounts, folder) = (&self.accounts, self.folder.as_ref());
        let stage =
            Resolver { tools, accounts, now, dry_run: self.dry_run, folder, approvals: self.approvals.as_deref() };
        let mut resolved = stage.resolve(caller, name, arguments, record).await?;
        let dry_run = resolved.dry_run;
        if let Some(cursor) = resolved.cursor.as_ref().filter(|_| !dry_run)
            && let Some(rest) = self.replies.rest(cursor, ReplyOwner::from(caller))
        {
            return Ok(Sent::Rest(Box::new(rest)));
        }
        if Box::pin(resolve_names(&mut resolved, &self.name_context(tools, now))).await? {
            // What is sent is recorded.
            record.set_arguments(|| resolved.masked.clone());
        }
        let operation = resolved.operation;
        let sender = |call: &ResolvedCall<'a>| Sender::new(call, self.policy, &self.metrics, self.learner.as_ref());
        find_root(&mut resolved, accounts, self.catalog(), sender).await?;
        let sender = sender(&resolved);
        let lookup = VendorLookup { sender: &sender, catalog: self.catalog(), api: &operation.api };
        let lookup: &dyn Lookup = if dry_run { &NoLookup } else { &lookup };
        let files = folder.map(Folder::for_call);
        let (files, cache) = (files.as_ref(), &*sender.session.lookups);
        let context = FormatContext { now, files, lookup, cache, path: &[], properties: &[] };
        if restore(&mut resolved, &sender, tools).await? {
            // What is sent is recorded.
            record.set_arguments(|| resolved.masked.clone());
        }
        let mut prepared = prepare(resolved, self.policy.records, &context, tools).await?;
        if dry_run {
            return plan(prepared).await.map(|plan| Sent::Planned(Box::new(plan)));
        }
        let approved = match cleared(&prepared, self.approvals.as_deref(), &context, record).await? {
            Cleared::Free => None,
            Cleared::Planned(plan) => return Ok(Sent::Planned(plan)),
            Cleared::Approved(session, permission) => {
                let sender = Sender::new(&prepared.resolved, self.policy, &self.metrics, self.learner.as_ref());
                Some((sender.approved(*session), permission))
            }
        };
        record.intend(caller)?;
        let sent = match &approved {
            None => send(&prepared, &sender, false).await,
            Some((sender, permission)) => {
                let sent = self.send_approved(&prepared, sender, permission.as_ref()).await?;
                if let Some(permission) = permission {
                    record.set_claimed(permission);
                }
                sent
            }
        };
        if !prepared.resolved.only_reads() {
            self.names.forget(prepared.resolved.account);
        }
        let pages = match sent {
            Ok(pages) => pages,
            Err(error) => return Err(with_advice(error, &prepared, tools, lookup).await.into()),
        };
        let pages = wait(&mut prepared, pages, &sender, tools, self.policy.background).await;
        Ok(Sent::Answered(Box::new(prepared), Box::new(pages)))
    }
}

/// How far the stages of a call lead before its answer is presented.
enum Sent<'a> {
    /// A part of an answer that is cached.
    Rest(Box<Reply>),
    /// What a dry run would send.
    Planned(Box<PlannedCall>),
    /// The vendor's answer.
    Answered(Box<PreparedCall<'a>>, Box<Pages>),
}

impl Toolbox {
    /// What names in place of ids are looked up with.
    fn name_context<'a>(&'a self, tools: &'a OfferedTools, now: SystemTime) -> NameContext<'a> {
        NameContext {
            tools,
            accounts: &self.accounts,
            cache: &self.names,
            policy: self.policy,
            audit: self.audit.as_ref(),
            metrics: &self.metrics,
            learner: self.learner.as_ref(),
            now,
        }
    }

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
        let (accounts, sets) = (Accounts::new(apis, &catalog, connections), ToolSets::new(catalog.clone(), false));
        let server_policy = ServerPolicy::new(catalog, selection);
        let own = server_policy.whole(OWN_GRANT, server_policy.accounts_named_as_vendors());
        Self {
            accounts,
            own: sets.of(&Arc::new(own)),
            server_policy,
            sets,
            limiter: CallerLimiter::default(),
            workflows: CallerLimiter::default(),
            policy: RetryPolicy::default(),
            replies: Arc::default(),
            names: NameCache::default(),
            tenant_names: TenantNames::default(),
            evaluator: None,
            audit: None,
            approvals: None,
            metrics: Metrics::default(),
            learner: None,
            folder: None,
            clock: SystemTime::now,
            dry_run,
            most_items: None,
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

    /// Has people approve calls before they are sent.
    #[must_use]
    pub fn with_approvals(mut self, approvals: Option<Arc<Approvals>>) -> Self {
        let desks = approvals.iter().flat_map(|approvals| approvals.help_desks().iter());
        self.accounts.keep_for_desks(desks.map(|desk| desk.account.clone()).collect());
        self.approvals = approvals;
        self
    }

    /// Notes where answers differ from their descriptions.
    #[must_use]
    pub fn with_learner(mut self, learner: Option<Learner>) -> Self {
        self.learner = learner;
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
        self.sets = ToolSets::new(self.catalog().clone(), folder.is_some());
        self.own = self.sets.of(self.own.grant());
        self.folder = folder;
        self
    }

    /// Adds accounts; one with the name of another takes its place.
    #[must_use]
    pub fn with_accounts(mut self, accounts: impl IntoIterator<Item = Account>) -> Self {
        for account in accounts {
            self.accounts.add(account);
        }
        self
    }

    /// Names the accounts, by vendor, that serve callers without a grant of their own. Other vendors are not offered to
    /// them.
    #[must_use]
    pub fn serving(mut self, accounts: BTreeMap<String, String>) -> Self {
        self.own = self.sets.of(&Arc::new(self.server_policy.whole(OWN_GRANT, accounts)));
        self
    }

    /// Sets the most values that a workflow repeats a step for, in place of what each workflow states.
    #[must_use]
    pub fn with_most_items(mut self, most: Option<u32>) -> Self {
        self.most_items = most;
        self
    }

    /// The most values that a workflow repeats a step for, where the operator set it.
    pub(crate) fn most_items(&self) -> Option<u32> {
        self.most_items
    }

    /// Sets the clock that relative times are resolved by.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> SystemTime) -> Self {
        self.clock = clock;
        self
    }

    /// Before a process ends: receives and stores tokens that were requested, within a bound, and requests no more.
    pub async fn settle_tokens(&self) {
        let connections = self.accounts.all();
        let credentials = connections.iter().map(|connection| connection.config.credentials.settle());
        futures_util::future::join_all(credentials).await;
    }

    /// Puts an account in the place of the one with its name, for calls from now on; returns false where there is none of
    /// this name and vendor.
    pub fn replace_account(&self, account: Account) -> bool {
        let name = account.name.clone();
        let is_there = self.accounts.replace(account);
        if is_there {
            // It may be another site now.
            self.names.forget(&name);
        }
        is_there
    }

    /// Opens the audit log anew where its file was moved; does nothing without one.
    ///
    /// # Errors
    /// The new file can't be written.
    pub fn reopen_record(&self) -> std::io::Result<()> {
        self.audit.as_ref().map_or(Ok(()), Audit::reopen)
    }

    /// Returns the metrics of all calls.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns the whole catalog, of which the selection offers a part.
    pub fn catalog(&self) -> &Catalog {
        self.server_policy.catalog()
    }

    /// What it offers at most: grants are made of it.
    pub fn server_policy(&self) -> &ServerPolicy {
        &self.server_policy
    }

    /// The account, by vendor, to whose address callers bring credentials of their own.
    pub fn accounts_of_callers(&self) -> BTreeMap<String, String> {
        self.accounts.of_callers()
    }

    /// Returns the tools that a caller is offered.
    pub fn tools(&self, caller: &Caller) -> OfferedTools {
        let tools = caller.grant.as_ref().map_or_else(|| self.own.clone(), |grant| self.sets.of(grant));
        let tenants = self.accounts.tenants(tools.grant(), &caller.chosen);
        tools.with_tenants(tenants)
    }

    /// Returns the tools that callers without a grant of their own are offered, in order of their names.
    pub fn offered(&self) -> impl Iterator<Item = &CatalogEntry> {
        self.own.iter()
    }

    /// Returns the grant of callers that have none of their own: all that the server offers.
    pub fn own_grant(&self) -> &Arc<Grant> {
        self.own.grant()
    }

    /// Reads which tenants a client chooses by the parameters of the URL that it connects to, among those of the accounts
    /// that serve it.
    ///
    /// # Errors
    /// A choice is not allowed, or a parameter is none of those that choose.
    pub fn choose<'a>(
        &self,
        grant: &Grant,
        parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    ) -> Result<ChosenSettings, String> {
        let connections = self.accounts.of(grant);
        let configs: Vec<&ConnectionConfig> = connections.iter().map(|connection| &connection.config).collect();
        url_settings(parameters, &configs)
    }
}

//! A tool's name and arguments → an answer: asks the policy, checks the arguments, puts each
//! value to its place in the request and calls the vendor, page by page where it pages. The one
//! way in for the server and the command line.

pub mod arguments;
mod attempts;
mod callers;
mod check;
mod choose;
mod continued;
mod kept;
mod line;
mod paging;
mod parts;
mod prepare;
pub mod problem;
mod project;
mod record;
pub(crate) mod records;
mod reply;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;

use crate::audit::Audit;
use crate::catalog::{self, Catalog, Entry};
use crate::client_runtime::{CompiledApi, Inputs};
use crate::config::{ChosenSettings, ConnectionConfig};
use crate::error::{CallError, Outcome};
use crate::formats::{self, Folder, FormatContext};
use crate::jq::Evaluator;
use crate::metrics::Metrics;
use crate::policy::{Refusal, Selection};
use crate::sanitize::Rules;
use crate::upstream::{Plan, RateLimiter};
use toolwright_model::{ALL, CURSOR, Call, DRY_RUN, Effect, Risk};

use arguments::ArgumentSchema;
pub use attempts::RetryPolicy;
use callers::CallerLimiter;
pub use kept::SessionId;
use kept::{Owner, ReplyCache};
use line::ApiConnection;
use paging::cursor::Cursor;
pub use paging::cursor::ReplyOffset;
use paging::{Pager, Pages, Start};
use prepare::{NoLookup, VendorLookup};
use problem::ArgumentProblem;
use record::Recording;
use reply::CacheSlot;
pub use reply::{Page, Reply};

/// Tools that can be called: a catalog, a selection of it, and the vendors' connections.
pub struct Toolbox {
    catalog: Catalog,
    selection: Selection,
    lines: HashMap<&'static str, ApiConnection>,
    /// By position in the catalog; compiled when a tool is first called.
    schemas: Vec<OnceLock<ArgumentSchema>>,
    dry_run: bool,
    patience: RetryPolicy,
    record: Option<Audit>,
    evaluator: Option<Evaluator>,
    metrics: Metrics,
    callers: CallerLimiter,
    kept: Arc<ReplyCache>,
    /// The folder whose files may be sent, if the operator opened one.
    folder: Option<Folder>,
    clock: fn() -> SystemTime,
}

/// Who calls, and what they want to hear meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The program that calls, by its own word.
    pub client: Option<String>,
    /// The session that it belongs to; what is kept for one is no other's.
    pub session: SessionId,
    /// Hears what the call waits for, while it waits.
    pub waits: Option<UnboundedSender<String>>,
    /// For whom the vendors are to act, where the connection has chosen.
    pub chosen: ChosenSettings,
}

impl Caller {
    fn tell(&self, text: String) {
        tracing::info!("{text}");
        if let Some(waits) = &self.waits {
            // Whoever stopped listening needs no word.
            let _ = waits.send(text);
        }
    }
}

/// What calling a tool ended in, if not in an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// There is no such tool.
    #[error("unknown tool `{name}`{}", did_you_mean(near))]
    UnknownTool {
        /// What was asked for.
        name: String,
        /// Names that may have been meant.
        near: Vec<String>,
    },
    /// The policy holds the tool back.
    #[error("`{tool}` is held back by toolwright's own settings, nothing was sent: {refusal}")]
    Refused {
        /// The tool.
        tool: String,
        /// Why, and what would open it.
        refusal: Refusal,
    },
    /// The tool's vendor can't be reached as configured.
    #[error("{0}")]
    NotConfigured(String),
    /// The arguments don't fit the input schema.
    #[error("{text}")]
    Arguments {
        /// All of it, for a model.
        text: String,
        /// One by one.
        problems: Vec<ArgumentProblem>,
    },
    /// The call itself failed.
    #[error("{0}")]
    Call(#[from] CallError),
    /// A dry run: this is what would have been sent.
    #[error("dry run: {} {}", .0.request.method, .0.request.url)]
    PlannedCall(Box<PlannedCall>),
    /// The vendor answered, and the answer does not have what was asked for.
    #[error("{0}")]
    Projection(String),
}

/// What a call would do, secrets masked.
#[derive(Debug, Clone, serde::Serialize)]
pub struct PlannedCall {
    /// The tool's name.
    pub tool: String,
    /// Its effect, where somebody has stated it.
    pub effect: Option<Effect>,
    /// What calling it may bring about besides.
    pub risks: BTreeSet<Risk>,
    /// Scheme, host and port of the vendor's address.
    pub site: String,
    /// For whom the vendor would act.
    #[serde(flatten)]
    pub settings: BTreeMap<String, String>,
    /// The request.
    pub request: Plan,
    /// What the caller should know of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean `{}`?", near.join("`, `")) }
}

impl Failure {
    /// Returns the stage at which the call ended.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Call(error) => error.outcome(),
            Self::Projection(_) => Outcome::Answered,
            _ => Outcome::NotSent,
        }
    }

    /// Returns the kind of error for the metrics; `None` for what is no error.
    fn kind(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownTool { .. } => "unknown_tool",
            Self::Refused { .. } => "policy",
            Self::NotConfigured(_) => "configuration",
            Self::Arguments { .. } => "arguments",
            Self::Projection(_) => "projection",
            Self::PlannedCall(_) => return None,
            Self::Call(error) => match error {
                CallError::NotSent(_) => "not_sent",
                CallError::Throttled(_) => "throttled",
                CallError::Rejected(rejection) if rejection.status == 429 => "rate_limited",
                CallError::Rejected(rejection) if rejection.status >= 500 => "vendor_fault",
                CallError::Rejected(_) => "rejected",
                CallError::Unknown(_) => "unknown",
                CallError::WebPage(_) => "web_page",
                CallError::Cancelled => "cancelled",
            },
        })
    }

    /// Returns whether settings and not the call are to blame.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::UnknownTool { .. } | Self::Refused { .. } | Self::NotConfigured(_))
    }
}

impl Toolbox {
    /// Puts together what can be called. `connections` are by vendor id.
    pub fn new(
        catalog: Catalog,
        selection: Selection,
        connections: &HashMap<String, ConnectionConfig>,
        dry_run: bool,
    ) -> Self {
        Self::over(catalog::apis(), catalog, selection, connections, dry_run)
    }

    /// The same over other APIs than those that are compiled in: `catalog` holds their tools.
    pub fn over(
        apis: &'static [CompiledApi],
        catalog: Catalog,
        selection: Selection,
        connections: &HashMap<String, ConnectionConfig>,
        dry_run: bool,
    ) -> Self {
        let mut paces: HashMap<&str, RateLimiter> = HashMap::new();
        let mut lines = HashMap::new();
        for api in apis {
            let Some(connection) = connections.get(api.id).or_else(|| connections.get(api.vendor)) else { continue };
            // The limits are the vendor's, whichever of its APIs is called.
            let pace = paces.entry(api.vendor).or_insert_with(|| RateLimiter::new(connection.pace.clone())).clone();
            let hosts = [connection.root(api.id), &connection.base].map(|address| address.host_str());
            let hosts = hosts.into_iter().flatten();
            let rules = catalog.vendor(api.vendor).map_or_else(Rules::default, |vendor| Rules::new(vendor, hosts));
            lines.insert(api.id, ApiConnection::new(api, connection.clone(), pace, rules));
        }
        let schemas = catalog.entries().iter().map(|_| OnceLock::new()).collect();
        Self {
            catalog,
            selection,
            lines,
            schemas,
            dry_run,
            patience: RetryPolicy::default(),
            record: None,
            evaluator: None,
            metrics: Metrics::default(),
            callers: CallerLimiter::default(),
            kept: Arc::default(),
            folder: None,
            clock: SystemTime::now,
        }
    }

    /// The same toolbox with more patience, or less.
    #[must_use]
    pub fn with_patience(mut self, patience: RetryPolicy) -> Self {
        self.patience = patience;
        self
    }

    /// The same toolbox, with every call recorded.
    #[must_use]
    pub fn with_record(mut self, record: Option<Audit>) -> Self {
        self.record = record;
        self
    }

    /// The same toolbox, with callers' filters evaluated.
    #[must_use]
    pub fn with_evaluator(mut self, evaluator: Evaluator) -> Self {
        self.evaluator = Some(evaluator);
        self
    }

    /// The same toolbox, which sends files of this folder when asked by path. Only for callers on
    /// the same machine: over a network nobody's folder is anybody else's.
    #[must_use]
    pub fn with_files(mut self, folder: Option<Folder>) -> Self {
        self.folder = folder;
        self
    }

    /// The same toolbox by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> SystemTime) -> Self {
        self.clock = clock;
        self
    }

    /// What is counted of the calls.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The catalog behind the selection.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The tools that are offered, in order of their names.
    pub fn offered(&self) -> impl Iterator<Item = &Entry> {
        self.catalog.entries().iter().filter(|entry| self.selection.decide(entry).is_ok())
    }

    /// Returns the tool with this name or alias if it is offered.
    pub fn offered_tool(&self, name: &str) -> Option<&Entry> {
        self.catalog.get(name).filter(|entry| self.selection.decide(entry).is_ok())
    }

    /// A tool as `tools/list` sends it: as the catalog has it, and what this toolbox adds.
    pub fn listing(&self, entry: &Entry) -> rmcp::model::Tool {
        let mut listing = entry.listing();
        if self.folder.is_some() {
            prepare::offer_paths(&entry.tool, Arc::make_mut(&mut listing.input_schema));
        }
        listing
    }

    /// Calls a tool by name or alias, for nobody in particular.
    ///
    /// # Errors
    /// As [`Toolbox::call_as`].
    pub async fn call(&self, name: &str, arguments: Map<String, Value>) -> Result<Reply, Failure> {
        self.call_as(&Caller::default(), name, arguments).await
    }

    /// Calls a tool by name or alias.
    ///
    /// # Errors
    /// By stage; everything but [`Failure::Call`] means that nothing was sent.
    pub async fn call_as(&self, caller: &Caller, name: &str, arguments: Map<String, Value>) -> Result<Reply, Failure> {
        let mut recording = Recording::new(self.record.as_ref(), &self.metrics, caller, name);
        let result = match self.callers.turn(caller, self.patience.budget).await {
            // Boxed: whatever holds a call would be large otherwise.
            Ok(_turn) => Box::pin(self.recorded(caller, name, arguments, &mut recording)).await,
            Err(throttled) => Err(CallError::Throttled(Box::new(throttled)).into()),
        };
        recording.end(&result);
        result
    }

    async fn recorded<'a>(
        &'a self,
        caller: &Caller,
        name: &str,
        arguments: Map<String, Value>,
        recording: &mut Recording<'a>,
    ) -> Result<Reply, Failure> {
        let Some(position) = self.catalog.position(name) else {
            let near = self.catalog.near(name).into_iter().map(str::to_owned).collect();
            return Err(Failure::UnknownTool { name: name.to_owned(), near });
        };
        let entry = &self.catalog.entries()[position];
        let tool = &entry.tool;
        let schema = self.schema(position)?;
        recording.about(entry, || schema.masked(&arguments));
        self.selection.decide(entry).map_err(|refusal| Failure::Refused { tool: tool.name.clone(), refusal })?;
        let (cursor, mut arguments) = continued::arguments(tool, schema, arguments)?;
        let Some(call) = tool.call_for(&arguments) else {
            return Err(Failure::NotConfigured(format!(
                "`{}` calls no operation; this is a fault of toolwright",
                tool.name
            )));
        };
        // A cursor made from them leads to the same span of time, whenever it is used.
        let notes = prepare::settle(call, &mut arguments, (self.clock)());
        // As they are sent: converted.
        let masked = schema.masked(&arguments);
        recording.arguments(|| {
            let written = cursor.as_ref().map(|cursor| (CURSOR.to_owned(), cursor.write().into()));
            masked.clone().into_iter().chain(written).collect()
        });
        recording.operation(call);
        let line = self.line(&entry.vendor, &call.api)?;
        let opened = line.opened(&caller.chosen)?;
        recording.site(|| opened.upstream.site(), || line.settings(&caller.chosen));
        let wants = |name| tool.is_own_argument(name) && arguments.get(name) == Some(&Value::Bool(true));
        let bound = wants(ALL).then_some(self.patience.records);
        let pager = tool.paging().and(call.paging.as_ref()).map(|paging| Pager::new(paging, call, &arguments, bound));
        let first = || pager.as_ref().map(|pager| pager.first(call, &arguments)).unwrap_or_default();
        let start = cursor.as_ref().map_or_else(first, |cursor| cursor.start.clone());
        let inputs = |arguments: &Map<String, Value>, start: &Start| {
            let mut inputs = bind(call, arguments);
            if let Some(pager) = &pager {
                pager.place(start, &mut inputs);
            }
            inputs
        };
        let memory = &opened.memory;
        let around =
            |ask| FormatContext { now: (self.clock)(), folder: self.folder.as_ref(), lookup: ask, cache: memory };
        if self.dry_run || wants(DRY_RUN) {
            let prepared = prepare::prepare(tool, call, schema, masked, notes, &around(&NoLookup)).await?;
            let inputs = inputs(&prepared.arguments, &start);
            return Err(line.plan(&caller.chosen, tool, call, prepared, inputs).await?);
        }
        let here = tool.is_own_argument(CURSOR).then(|| Cursor::of(&tool.name, &arguments, &masked, start.clone()));
        if let (Some(cursor), Some(here)) = (&cursor, &here)
            && let Some(reply) = self.kept_for(caller, cursor, here)
        {
            return Ok(reply);
        }
        let asking =
            VendorLookup { toolbox: self, line, opened: &opened, caller, vendor: &entry.vendor, api: &call.api };
        let prepared = prepare::prepare(tool, call, schema, arguments.clone(), notes, &around(&asking)).await?;
        if tool.effect != Some(Effect::Read) {
            recording.intend()?;
        }
        let repeatable = tool.effect == Some(Effect::Read) || tool.annotations.idempotent_hint;
        let fetch = async |start: Start| {
            let request = || opened.send(&call.operation, || inputs(&prepared.arguments, &start));
            let metrics = self.metrics.of(&entry.vendor);
            let answered = attempts::run(self.patience, repeatable, &line.pace, caller, metrics, request).await;
            answered.and_then(view::no_web_page)
        };
        let result = match &pager {
            Some(pager) => pager.run(start, caller, fetch).await,
            None => fetch(start).await.map(Pages::from),
        };
        let result = match result {
            Err(CallError::Rejected(rejection)) => Err(prepare::explained(rejection, call, &prepared, &asking).await),
            result => result,
        };
        let Pages { mut answer, mut page, next } = result.map_err(|error| {
            Failure::Call(match with_hints(line.explained(error), call, &arguments) {
                CallError::Unknown(reason) => {
                    CallError::Unknown(format!("{reason}\nhint: {}", check::advice(self, entry)))
                }
                error => error,
            })
        })?;
        if let Some(format) = call.answers.as_ref().filter(|_| !call.raw_argument().is_some_and(wants))
            && let Some(body) = formats::read(format, &answer.body)
        {
            answer.body = body.into();
        }
        let wanted = view::Projection::of(tool, &arguments);
        let viewed = view::view(answer, &wanted, &line.rules, self.evaluator.as_ref()).await?;
        let keeping = here.map(|here| {
            if let (Some(page), Some(next)) = (&mut page, next) {
                page.next_cursor = Some(Cursor { start: next, ..here.clone() }.write());
            }
            CacheSlot::new(&self.kept, Owner::of(caller), here)
        });
        // What was shown of an answer that is not kept any longer is left out of the new one.
        let from = cursor.map(|cursor| cursor.spot).unwrap_or_default();
        Ok(Reply { page, notes: prepared.notes, from, keeping, ..viewed })
    }

    /// The answer that a cursor leads into, if it is still kept. `here` is the call's beginning.
    fn kept_for(&self, caller: &Caller, cursor: &Cursor, here: &Cursor) -> Option<Reply> {
        let kept = self.kept.get(cursor.kept.as_deref()?, &here.tool, &Owner::of(caller))?;
        let here = Cursor { kept: cursor.kept.clone(), ..here.clone() };
        let keeping = Some(CacheSlot::new(&self.kept, Owner::of(caller), here));
        Some(Reply { from: cursor.spot, keeping, ..kept })
    }

    fn schema(&self, position: usize) -> Result<&ArgumentSchema, Failure> {
        let slot = &self.schemas[position];
        if let Some(schema) = slot.get() {
            return Ok(schema);
        }
        let tool = &self.catalog.entries()[position].tool;
        let mut schema = tool.parsed_input_schema();
        if self.folder.is_some() {
            prepare::offer_paths(tool, &mut schema);
        }
        let schema = ArgumentSchema::compile(&schema, &prepare::open_parts(tool)).map_err(|error| {
            Failure::NotConfigured(format!("`{}`: {error}; this is a fault of toolwright", tool.name))
        })?;
        Ok(slot.get_or_init(|| schema))
    }

    fn line(&self, vendor: &str, api: &str) -> Result<&ApiConnection, Failure> {
        self.lines.get(api).ok_or_else(|| {
            let title = self.catalog.vendor(vendor).map_or(vendor, |vendor| &vendor.title);
            Failure::NotConfigured(format!("{title} has no address and credentials configured"))
        })
    }
}

/// Puts each argument to its place; what is missing and has a default is sent with it.
fn bind(call: &Call, arguments: &Map<String, Value>) -> Inputs {
    let mut inputs = Inputs::default();
    for fixed in &call.fixed {
        inputs.insert(&fixed.place, fixed.value.clone());
    }
    for binding in &call.bindings {
        let given = arguments.get(&binding.argument).or(binding.default.as_ref());
        let Some(value) = given.filter(|value| !value.is_null()) else { continue };
        let value = if binding.single { Value::Array(vec![value.clone()]) } else { value.clone() };
        inputs.insert(&binding.place, value);
    }
    inputs
}

/// Adds what the overlay knows about this refusal.
fn with_hints(error: CallError, call: &Call, arguments: &Map<String, Value>) -> CallError {
    let CallError::Rejected(mut rejection) = error else { return error };
    for hint in &call.hints {
        if hint.status == rejection.status && arguments.get(&hint.argument) == Some(&hint.equals) {
            let before = rejection.advice.take().map(|advice| format!("{advice}; ")).unwrap_or_default();
            rejection.advice = Some(before + &hint.say);
        }
    }
    CallError::Rejected(rejection)
}

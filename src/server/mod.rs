//! MCP requests → lists of the offered tools and calls through the toolbox. One handler for every transport
//! and protocol version.

#![expect(deprecated, reason = "clients of the versions before 2026-07-28 still rely on MCP logging")]

mod approval;
mod bounds;
mod catalog_map;
mod discover;
mod documents;
pub mod http;
mod incoming;
mod instructions;
pub mod lines;
mod messages;
mod plain_call;
mod sender;
mod session;
pub(crate) mod stdio;
mod tool_call;
mod tool_list;
mod unknown;
mod unread;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::request::Parts;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, DiscoverResult,
    GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams, GetSkillResult, Implementation,
    InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListSkillsResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::time::Instant;

use crate::call::{CallResult, Caller, Failure, HasMore, ONLY_SESSION, Toolbox};
use crate::catalog::CatalogEntry;
use crate::error::ConfigError;
use crate::fairness::{Shares, Slots};
use crate::mcp_result;
use crate::policy::NamePatterns;
use crate::search::Search;
use discover::{Discovery, Meaning};
use documents::{View, Wish};
use incoming::Arguments;
use messages::Messages;
use session::OfSession;

/// How long a client may cache the list of tools, in milliseconds: it changes only with a restart.
const LIST_TTL_MS: u64 = 60 * 60 * 1000;

/// How many lists of tools are made at once, and how long a client waits for its turn: a long one takes some
/// milliseconds, in which no other request is served.
const LISTS_AT_ONCE: usize = 1;
const LIST_WITHIN: Duration = Duration::from_secs(30);

/// The MCP server over a toolbox; cheap to clone.
#[derive(Clone)]
pub struct Server {
    toolbox: Arc<Toolbox>,
    lists: Slots,
    /// Made at the first use.
    search: Arc<OnceLock<Search>>,
    /// Set where a few tools find and call all others.
    discovery: Option<Arc<Discovery>>,
    /// Not set where a request has no session, and before its session is opened.
    session: Arc<OnceLock<Arc<OfSession>>>,
    /// Whether its requests come over HTTP, where the gate has to admit each.
    is_http: bool,
}

impl Server {
    /// A server that offers what the toolbox offers, to a client that has it for itself.
    pub fn new(toolbox: Toolbox) -> Self {
        let toolbox = Arc::new(toolbox);
        toolbox.connect_help_desks();
        Self {
            toolbox,
            lists: Slots::new(Shares::all_but_one(LISTS_AT_ONCE)),
            search: Arc::default(),
            discovery: None,
            session: Arc::new(OnceLock::from(Arc::new(OfSession::new(ONLY_SESSION)))),
            is_http: false,
        }
    }

    /// Lists a few tools that find and call all others, and the pinned ones.
    ///
    /// # Errors
    /// A pinned tool is not offered.
    pub fn with_discovery(mut self, pinned: NamePatterns) -> Result<Self, ConfigError> {
        self.discovery = Some(Arc::new(Discovery::new(&self.toolbox, pinned)?));
        self.search();
        Ok(self)
    }

    /// The toolbox that it serves.
    pub(crate) fn toolbox(&self) -> &Arc<Toolbox> {
        &self.toolbox
    }

    /// Returns the server for another session over HTTP, or for a request without one.
    #[must_use]
    fn for_client(&self) -> Self {
        Self { session: Arc::default(), is_http: true, ..self.clone() }
    }

    /// The log level of this client.
    fn messages(&self) -> Messages {
        self.session.get().map(|session| session.messages.clone()).unwrap_or_default()
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let implementation = Implementation::new("toolwright", env!("CARGO_PKG_VERSION")).with_title("Toolwright");
        let capabilities = ServerCapabilities::builder().enable_tools().enable_logging();
        let capabilities =
            capabilities.enable_resources().enable_prompts().enable_completions().enable_skills().build();
        ServerConfig::new(capabilities).with_server_info(implementation)
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.info_for(&context)?))
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        if let Some(session) = context.extensions.get::<Arc<OfSession>>() {
            let _ = self.session.set(Arc::clone(session));
        }
        // A session keeps the tenant settings with which it was opened, also when it is woken up.
        if let Some(chosen) = self.session.get().map(|session| &session.chosen).filter(|chosen| chosen.get().is_none())
        {
            let _ = chosen.set(self.chosen(&context)?);
        }
        context.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        result.instructions = self.info_for(&context)?.instructions;
        Ok(result)
    }

    async fn set_level(&self, request: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.messages().set_level(request.level);
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let caller = Caller { chosen: self.chosen(&context)?, ..self.caller(&context)? };
        let turn = self.lists.acquire(caller.key(), Instant::now() + LIST_WITHIN, |_| {}).await;
        let _turn =
            turn.map_err(|_| ErrorData::internal_error("too many lists are asked for; try again later", None))?;
        let cursor = request.and_then(|request| request.cursor).filter(|cursor| !cursor.is_empty());
        let tools = self.toolbox.tools(&caller);
        let offered: Vec<&CatalogEntry> = tools.iter().collect();
        let (few, listed) = match &self.discovery {
            Some(discovery) => {
                let pinned = offered.iter().copied().filter(|entry| discovery.is_pinned(entry)).collect();
                (discover::tools(self.toolbox.catalog(), &offered), pinned)
            }
            None => (Vec::new(), offered),
        };
        let (page, next) = tool_list::page(&listed, cursor.as_deref())
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        // The few come before the first page.
        let few = few.into_iter().filter(|_| cursor.is_none());
        let listed = few.chain(tool_list::list(page, &tools));
        let mut result = ListToolsResult::with_all_items(listed.collect())
            .with_ttl_ms(LIST_TTL_MS)
            // What is offered is the caller's matter, not that of everybody behind a cache.
            .with_cache_scope(CacheScope::Private);
        result.next_cursor = next;
        Ok(result)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.viewed(&context, documents::list_prompts)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let given = request.arguments.unwrap_or_default();
        self.viewed(&context, |view| documents::get_prompt(&request.name, &given, view))?.map(Into::into)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.viewed(&context, documents::list_resources)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(documents::list_templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.viewed(&context, |view| documents::read(&request.uri, view))?.map(Into::into)
    }

    async fn list_skills(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        self.viewed(&context, documents::list_skills)
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        self.viewed(&context, |view| documents::get_skill(&request.uri, view))?
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let (values, are_all) = match self.viewed(&context, |view| documents::known_values(&request, view))? {
            Wish::Known(values) => (values, true),
            Wish::Ask { tool, arguments, field } => {
                let caller = Caller { chosen: self.chosen(&context)?, ..self.caller(&context)? };
                match self.toolbox.call_as(&caller, &tool, arguments).await {
                    Ok(CallResult::Reply(reply)) => {
                        let are_all = reply.page.as_ref().is_none_or(|page| page.has_more == HasMore::No);
                        (documents::values_in(&reply.body, &field), are_all)
                    }
                    // A person can type the value without help, so a failure is no error here.
                    Ok(_) | Err(_) => (Vec::new(), false),
                }
            }
        };
        Ok(documents::completed(values, are_all, &request.argument.value))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        // rmcp asks without the request, to compare headers with arguments: any caller's tool serves.
        let tools = self.toolbox.tools(&Caller::default());
        let offered = || tools.iter().collect::<Vec<_>>();
        let few = self.discovery.as_ref().map(|_| discover::tools(self.toolbox.catalog(), &offered()));
        let of_few = few.and_then(|few| few.into_iter().find(|tool| tool.name == name));
        of_few.or_else(|| self.toolbox.catalog().get(name).map(|entry| tools.listing(entry)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let given = approval::given(&request);
        let beside = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Arguments>()?.take());
        let arguments = beside.or(request.arguments).unwrap_or_default();
        let name = request.name.as_ref();
        if self.discovery.is_none() {
            return self.call(name, arguments, None, given, &context).await;
        }
        let arguments = self.without_arguments_of_clients(name, arguments);
        match discover::meaning(name, arguments) {
            Meaning::Call { tool, arguments, through } => self.call(&tool, arguments, through, given, &context).await,
            Meaning::Unclear { tool, text } => {
                let failure = Failure::Arguments { text, problems: Vec::new() };
                let refused = self.toolbox.refuse(&self.caller(&context)?, &tool, failure);
                Ok(mcp_result::result("", refused).into())
            }
            Meaning::Find(mut question) => {
                discover::cut_question(&mut question);
                let tools = self.toolbox.tools(&self.caller(&context)?);
                Ok(discover::find(self.search(), &question, self.toolbox.catalog(), &tools).into())
            }
        }
    }
}

impl Server {
    /// How the server presents itself to a caller.
    fn info_for(&self, context: &RequestContext<RoleServer>) -> Result<ServerConfig, ErrorData> {
        let tools = self.toolbox.tools(&self.caller(context)?);
        let write = || instructions::text(&tools, self.toolbox.catalog(), self.discovery.is_some());
        Ok(self.get_info().with_instructions(tools.instructions(write)))
    }

    /// Looks at what the caller of a request is offered.
    fn viewed<T>(
        &self,
        context: &RequestContext<RoleServer>,
        look: impl FnOnce(&View<'_>) -> T,
    ) -> Result<T, ErrorData> {
        let tools = self.toolbox.tools(&self.caller(context)?);
        Ok(look(&View { catalog: self.toolbox.catalog(), tools: &tools, discovers: self.discovery.is_some() }))
    }
}

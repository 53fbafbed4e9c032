//! Requests of a browser → pages: the catalog for the person at this machine, and for administrators what their server does.
//! Written on the server, readable without a script; every form works without one.
//!
//! ```text
//! guard            a request → who reads, or a refusal: Host, Origin, session
//! sessions, forms  cookies and the tokens that forms send back
//! catalog_pages    query → tools, one tool (tool_view, picture), clients' settings
//! try_it           a form → a call of the sandbox; no vendor is within its reach
//! provider, wanted the way in by the company's identity provider; the page that was asked for before
//! vendor_sign_ins  an administrator at a vendor's page → a token of an account, in the store
//! operating        accounts, links, approvals, record, calls: for administrators, over the store
//! files            the catalog's pages as a folder
//! ```
//!
//! Text comes into a page only through templates, which write it as text.

mod answer;
mod catalog_pages;
mod choice;
mod files;
mod forms;
mod frame;
mod guard;
mod operating;
mod picture;
mod provider;
mod query;
mod selection_texts;
mod sessions;
mod tool_view;
mod try_it;
mod vendor_sign_ins;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{Extension, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::catalog::Catalog;
use crate::server::http::Hosts;
use crate::server::http::admin::pace::Pace;
use crate::store::StoreError;
use answer::{Fault, see};
use catalog_pages::CatalogPages;
pub use files::{FilesError, write as write_files};
use forms::Form;
use frame::{Frame, Section};
pub use operating::{Operating, SignInPlace};
pub use provider::{CALLBACK, ProviderSignIn};
use query::CatalogQuery;
use sessions::{OneTimeToken, Session, Sessions};
pub use try_it::SandboxTools;
use try_it::Tried;
pub use vendor_sign_ins::{VENDOR_CALLBACK, VendorSignIns};

/// The stylesheet.
const STYLE: &str = include_str!("style.css");
/// The script: buttons that copy.
const SCRIPT: &str = include_str!("copy.js");
/// The path that the one-time token opens.
const OPEN: &str = "/open";
const LOGIN: &str = "/login";

/// The pages, for a server of its own; cheap to clone.
#[derive(Debug, Clone)]
pub struct Console(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pages: CatalogPages,
    sandbox: SandboxTools,
    entrance: Entrance,
    sessions: Sessions,
    /// The hosts that are served beside this machine's own names.
    hosts: Hosts,
    /// The cookie's name: browsers keep one jar for all ports of a host.
    cookie: String,
    clock: fn() -> SystemTime,
}

/// How a person gets in.
#[derive(Debug)]
enum Entrance {
    /// By the address that was printed on this machine.
    Printed(OneTimeToken),
    /// By a token of an administrator, or at the company's identity provider. Guesses are counted.
    Administrators(Box<Operating>, Pace),
}

impl Console {
    /// A console for the person at this machine. Returns it and the path with the one-time token, which is nowhere else.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn here(catalog: Catalog, sandbox: SandboxTools, port: u16) -> Result<(Self, String), StoreError> {
        let (token, one_time) = OneTimeToken::draw()?;
        let console = Self::new(catalog, sandbox, Entrance::Printed(one_time), Hosts::default(), port);
        Ok((console, format!("{OPEN}?token={token}")))
    }

    /// A console for administrators, also for these hosts.
    pub fn for_administrators(operating: Operating, sandbox: SandboxTools, hosts: Hosts, port: u16) -> Self {
        let catalog = operating.catalog().clone();
        Self::new(catalog, sandbox, Entrance::Administrators(Box::new(operating), Pace::default()), hosts, port)
    }

    fn new(catalog: Catalog, sandbox: SandboxTools, entrance: Entrance, hosts: Hosts, port: u16) -> Self {
        let cookie = format!("toolwright-console-{port}");
        let (pages, sessions, clock) = (CatalogPages::new(catalog), Sessions::default(), SystemTime::now);
        Self(Arc::new(Inner { pages, sandbox, entrance, sessions, hosts, cookie, clock }))
    }

    /// The routes.
    pub fn router(&self) -> Router {
        let router = Router::new()
            .route("/", get(|| async { see("/tools") }))
            .route("/tools", get(tools))
            .route("/tools/{name}", get(tool).post(try_tool))
            .route("/clients", get(clients))
            .route("/logout", post(guard::log_out));
        let router = match &self.0.entrance {
            Entrance::Printed(_) => router.route(OPEN, get(guard::open)),
            Entrance::Administrators(..) => {
                let router = router
                    .route(LOGIN, get(guard::login_page).post(guard::log_in))
                    .route(provider::AT_PROVIDER, get(provider::begin))
                    .route(CALLBACK, get(provider::callback));
                router.merge(operating::router())
            }
        };
        router
            .route("/style.css", get(|| async { file("text/css; charset=utf-8", STYLE) }))
            .route("/copy.js", get(|| async { file("text/javascript; charset=utf-8", SCRIPT) }))
            .fallback(not_found)
            .method_not_allowed_fallback(not_found)
            .layer(axum::middleware::from_fn_with_state(self.clone(), guard::guard))
            .with_state(self.clone())
    }

    /// What the pages for administrators are made of.
    fn operating(&self) -> Option<&Operating> {
        match &self.0.entrance {
            Entrance::Administrators(operating, _) => Some(operating),
            Entrance::Printed(_) => None,
        }
    }

    /// The name of a cookie beside that of the session.
    fn cookie_name(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.0.cookie)
    }

    fn now(&self) -> SystemTime {
        (self.0.clock)()
    }

    /// Makes a page of the catalog off the thread that serves: reading hundreds of tools takes a while.
    async fn made(
        &self,
        frame: Frame,
        make: impl FnOnce(&CatalogPages, Frame) -> Response + Send + 'static,
    ) -> Response {
        let console = self.clone();
        let response = tokio::task::spawn_blocking(move || make(&console.0.pages, frame)).await;
        response.unwrap_or_else(|_| axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

impl Session {
    fn frame(&self, section: Section, heading: &str) -> Frame {
        Frame::served(section, heading, self.name(), &self.csrf)
    }

    fn fault(&self, fault: &Fault) -> Response {
        fault.page(self.frame(Section::Elsewhere, fault.heading()))
    }
}

/// A file of ours, which is the same for all.
fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "max-age=600")], text).into_response()
}

async fn not_found(Extension(session): Extension<Session>) -> Response {
    session.fault(&Fault::not_found("There is no such page here."))
}

async fn tools(State(console): State<Console>, Extension(session): Extension<Session>, request: Request) -> Response {
    let query = CatalogQuery::read(request.uri().query());
    console.made(session.frame(Section::Tools, "Tools"), move |pages, frame| pages.tools(frame, query)).await
}

async fn clients(State(console): State<Console>, Extension(session): Extension<Session>, request: Request) -> Response {
    let query = CatalogQuery::read(request.uri().query());
    let frame = session.frame(Section::Clients, "Connect a client");
    console.made(frame, move |pages, frame| pages.clients(frame, &query)).await
}

async fn tool(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Response {
    show_tool(&console, &session, name, BTreeMap::new(), None).await
}

async fn show_tool(
    console: &Console,
    session: &Session,
    name: String,
    typed: BTreeMap<String, String>,
    tried: Option<Tried>,
) -> Response {
    let Some(entry) = console.0.pages.catalog.get(&name) else {
        return session.fault(&Fault::not_found("There is no tool of this name. The list of tools has a search."));
    };
    let frame = session.frame(Section::Tools, &entry.head().name);
    let page = move |pages: &CatalogPages, frame| {
        pages.tool(frame, &name, &typed, tried).unwrap_or_else(|| axum::http::StatusCode::NOT_FOUND.into_response())
    };
    console.made(frame, page).await
}

/// Calls a tool in the sandbox with what was typed into the form of its page.
async fn try_tool(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let form = match Form::read(&parts.headers, body, &session.csrf).await {
        Ok(form) => form,
        Err(fault) => return session.fault(&fault),
    };
    let typed = form.below("arg.");
    let tried = match console.0.pages.catalog.get(&name) {
        Some(entry) => Some(console.0.sandbox.call(entry, &typed).await),
        None => None,
    };
    show_tool(&console, &session, name, typed, tried).await
}

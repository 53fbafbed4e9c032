//! Pages in a browser: of the catalog for the person at this machine, of a server for its administrators, and in files.
//! What a browser makes of them is looked at by tests/clients/console.mjs.

mod administrators;
mod approvals;
mod catalog;
mod entrance;
mod files;
mod provider;
mod vendor_sign_in;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use reqwest::{Method, RequestBuilder, StatusCode};
use tokio_util::sync::CancellationToken;
use toolwright::access::links::{IssuedLink, LinkRequest, create_admin_token, issue};
use toolwright::approval::Approvals;
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::catalog::Catalog;
use toolwright::console::{Console, Operating, ProviderSignIn, SandboxTools};
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::sandbox::Sandbox;
use toolwright::server::http::admin::AccountState;
use toolwright::server::http::{Hosts, PageServer};
use toolwright::store::{Store, StoreAddress};

use crate::common::network::fresh_folder;
use crate::common::{everything, sandbox, toolbox};

/// A page as it came.
struct Page {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Page {
    /// Asserts that the page has each of these texts, and returns it.
    #[track_caller]
    fn shows(self, status: u16, parts: &[&str]) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "`{part}` is missing in\n{}", self.text);
        }
        self
    }

    /// What its forms send back.
    #[track_caller]
    fn csrf(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("{}", self.text));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A console that is served, and a browser that keeps its cookie.
struct Pages {
    address: SocketAddr,
    client: reqwest::Client,
    cookies: Mutex<Vec<(String, String)>>,
    stop: CancellationToken,
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Pages {
    fn serve(server: PageServer, console: &Console) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (address, stop) = (server.address(), CancellationToken::new());
        tokio::spawn(server.serve(console.router(), stop.clone()));
        Self { address, client, cookies: Mutex::default(), stop }
    }

    /// A request as a browser makes it, without what it adds to forms.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    /// Another browser at the same console, without cookies.
    fn another_browser(&self) -> Self {
        // That it is closed ends nothing.
        let (client, stop) = (self.client.clone(), CancellationToken::new());
        Self { address: self.address, client, cookies: Mutex::default(), stop }
    }

    async fn answer(&self, request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut kept = self.cookies.lock().unwrap();
            kept.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                kept.push((name.to_owned(), value.to_owned()));
            }
        }
        let text = response.text().await.unwrap();
        Page { status, headers, text }
    }

    async fn get(&self, path: &str) -> Page {
        self.answer(self.request(Method::GET, path)).await
    }

    /// Sends a form, with the token of the page that it is on.
    async fn send(&self, on: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = on.csrf();
        let fields: Vec<(&str, &str)> = [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.answer(self.form(path, &fields)).await
    }

    /// A form as a browser sends it from a page of this console.
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let origin = format!("http://{}", self.address);
        self.request(Method::POST, path).header("origin", origin).header("sec-fetch-site", "same-origin").form(fields)
    }
}

/// The tools over a sandbox whose answers a script has.
async fn sandbox_tools(script: Option<&str>) -> SandboxTools {
    let sandbox: Sandbox = sandbox(script).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    SandboxTools::new(toolbox, sandbox)
}

/// A console for the person at this machine, not opened yet; and the path that opens it.
async fn here(catalog: Catalog, script: Option<&str>) -> (Pages, String) {
    let server = PageServer::bind_here("--http", "127.0.0.1:0").unwrap();
    let (console, path) = Console::here(catalog, sandbox_tools(script).await, server.address().port()).unwrap();
    (Pages::serve(server, &console), path)
}

/// A console that this browser has opened.
async fn opened(catalog: Catalog, script: Option<&str>) -> Pages {
    let (pages, path) = here(catalog, script).await;
    pages.get(&path).await.shows(200, &["Go to the list of tools"]);
    pages
}

/// The console of a server, and what is behind it.
struct Served {
    pages: Pages,
    store: Store,
    /// A token of an administrator.
    admin: String,
    /// What the server calls vendors with, over a sandbox that records.
    toolbox: Arc<Toolbox>,
    /// What stands for the vendors.
    vendors: Sandbox,
    /// The record.
    audit: PathBuf,
}

/// What a server has beside its selection.
struct Behind {
    approvals: Option<fn(Store) -> Approvals>,
    defaults: Defaults,
    provider: Option<ProviderSignIn>,
    /// The console, where its address has to be known before.
    bound: Option<PageServer>,
}

impl Default for Behind {
    fn default() -> Self {
        Self { approvals: None, defaults: Defaults::CoreReads, provider: None, bound: None }
    }
}

/// A server that offers a selection, with its console.
async fn served(test: &str, words: &SelectionWords) -> Served {
    served_with(test, words, Behind::default()).await
}

async fn served_with(test: &str, words: &SelectionWords, behind: Behind) -> Served {
    let folder = fresh_folder(test);
    let store = Store::open(&StoreAddress::File(folder.join("store.db"))).await.unwrap();
    let audit = folder.join("calls.jsonl");
    let sandbox = sandbox(None).await;
    let approvals = behind.approvals.map(|of| Arc::new(of(store.clone())));
    let toolbox = toolbox(&sandbox, words, behind.defaults)
        .with_record(Some(Audit::open(&audit).unwrap()))
        .with_approvals(approvals);
    let toolbox = Arc::new(toolbox);
    let account = |vendor: &toolwright_model::Vendor| AccountState {
        name: vendor.id.clone(),
        vendor: vendor.id.clone(),
        serves: true,
        state: "ready".to_owned(),
    };
    let accounts = toolbox.catalog().vendors().iter().map(account).collect();
    let address = "https://mcp.example.com".to_owned();
    let operating = Operating::new(store.clone(), Arc::clone(&toolbox), accounts, address, Some(audit.clone()))
        .with_provider(behind.provider);
    let server = behind.bound.unwrap_or_else(|| PageServer::bind("--console", "127.0.0.1:0").unwrap());
    let hosts = Hosts::parse(&["mcp.example.com".to_owned()]).unwrap();
    let port = server.address().port();
    let console = Console::for_administrators(operating, sandbox_tools(None).await, hosts, port);
    let admin = create_admin_token(&store, "ops", SystemTime::now()).await.unwrap();
    Served { pages: Pages::serve(server, &console), store, admin, toolbox, vendors: sandbox, audit }
}

impl Served {
    /// Creates a link with a second token, as the command line does.
    async fn link(&self) -> IssuedLink {
        let request = LinkRequest {
            name: "Contractor".to_owned(),
            accounts: [("jitbit".to_owned(), "jitbit".to_owned())].into(),
            second_token: true,
            ..LinkRequest::default()
        };
        issue(&self.store, self.toolbox.catalog(), None, request, SystemTime::now()).await.unwrap()
    }

    /// Signs the administrator in.
    async fn sign_in(&self) {
        let form = self.pages.get("/login").await.shows(200, &["Token of an administrator"]);
        let token = self.admin.clone();
        let answer = self.pages.send(&form, "/login", &[("token", &token)]).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/tools"), "{}", answer.text);
    }
}

//! An administrator who signs in at a vendor for an account, from the console of a server: the way there and back, what is kept and
//! how it is used, and each way in which somebody else might get between. The vendor is a scripted one that takes each refresh
//! token once.

mod end;
mod key;
mod taken;
mod used;
mod vendor;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};
use toolwright::access::links::create_admin_token;
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::config::{Account, SignIns};
use toolwright::console::{Console, Operating, SignInPlace, VENDOR_CALLBACK, VendorSignIns};
use toolwright::server::http::admin::AccountState;
use toolwright::server::http::{Hosts, PageServer};
use toolwright::store::{Store, StoreAddress, StoreKey, VendorSignIns as Kept};
use toolwright::upstream::{SignInOf, Unencrypted};

use super::{Page, Pages, sandbox_tools};
use crate::common::acme;
use crate::common::network::fresh_folder;
use vendor::{SECRET, ScriptedVendor};

/// The account that is signed in for.
const ACCOUNT: &str = "one";

fn of() -> SignInOf {
    SignInOf { account: ACCOUNT.to_owned(), vendor: "acme".to_owned() }
}

/// A server with an account that nobody has signed in for, and a browser at its console.
struct Server {
    pages: Pages,
    admin: String,
    toolbox: Arc<Toolbox>,
    /// What it keeps; `None` where it has no key.
    kept: Option<Kept>,
    audit: PathBuf,
    /// Where its address and its credentials came from at its start, as `doctor` says it.
    source: String,
    _follows: DropGuard,
}

/// A folder for a store, with a key of it.
fn folder(test: &str) -> PathBuf {
    let folder = fresh_folder(&format!("vendor-sign-in-{test}"));
    StoreKey::create(&folder.join("store.key")).unwrap();
    folder
}

fn store(folder: &Path) -> StoreAddress {
    StoreAddress::File(folder.join("store.db"))
}

/// Starts a server over the store of a folder, with the key in this file of it.
async fn server(vendor: &ScriptedVendor, folder: &Path, name: &str, key: Option<&str>) -> Server {
    server_with(vendor, folder, name, key, &[]).await
}

async fn server_with(
    vendor: &ScriptedVendor,
    folder: &Path,
    name: &str,
    key: Option<&str>,
    more: &[(&str, &str)],
) -> Server {
    let store = Store::open(&store(folder)).await.unwrap();
    let stop = CancellationToken::new();
    let kept = match key {
        Some(key) => Some(Kept::open(store.clone(), StoreKey::read(&folder.join(key)).unwrap()).await.unwrap()),
        None => None,
    };
    let sign_ins = kept.clone().map(|kept| Arc::new(SignIns::new(Arc::new(kept))));
    let described = vendor.described();
    let given = [("ACME_ID", "app"), ("ACME_SECRET", SECRET)].iter().chain(more);
    let variables = given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let account = Account::of_settings(ACCOUNT, &described, variables, Unencrypted::default(), sign_ins.as_deref());
    let source = account.as_ref().map(|account| {
        let connection = &account.connection;
        format!("{}; {}", connection.address_source, connection.credentials_source)
    });
    let source = source.unwrap_or_default();
    let audit = folder.join(format!("{name}.jsonl"));
    let toolbox = acme::toolbox_with(described, &std::collections::HashMap::new())
        .with_accounts(account.ok())
        .serving([("acme".to_owned(), ACCOUNT.to_owned())].into())
        .with_record(Some(Audit::open(&audit).unwrap()));
    let toolbox = Arc::new(toolbox);
    let bound = PageServer::bind("--console", "127.0.0.1:0").unwrap();
    let place = match (&kept, sign_ins) {
        (Some(kept), Some(apps)) => {
            let following = kept.clone();
            let stop = stop.clone();
            tokio::spawn(async move { following.follow(&stop).await });
            SignInPlace::Here(Box::new(VendorSignIns::new(apps, kept.clone(), &bound.url())))
        }
        _ => SignInPlace::NoKey,
    };
    let state =
        AccountState { name: ACCOUNT.to_owned(), vendor: "acme".to_owned(), serves: true, state: "ready".to_owned() };
    let address = "https://mcp.example.com".to_owned();
    let operating =
        Operating::new(store.clone(), Arc::clone(&toolbox), vec![state], address, None).with_sign_ins(place);
    let port = bound.address().port();
    let console = Console::for_administrators(operating, sandbox_tools(None).await, Hosts::default(), port);
    let admin = create_admin_token(&store, name, SystemTime::now()).await.unwrap();
    Server { pages: Pages::serve(bound, &console), admin, toolbox, kept, audit, source, _follows: stop.drop_guard() }
}

/// Signs an administrator in to the console.
async fn enter(pages: &Pages, admin: &str) {
    let form = pages.get("/login").await;
    assert_eq!(pages.send(&form, "/login", &[("token", admin)]).await.status, 303);
}

/// Presses the button; returns the address of the vendor that the page leads to.
async fn begin(pages: &Pages) -> String {
    let page = pages.get("/accounts").await;
    let page = pages.send(&page, &format!("/accounts/{ACCOUNT}/sign-in"), &[]).await;
    let page = page.shows(200, &["http-equiv=\"refresh\"", "You sign in at 127.0.0.1 for the account one"]);
    let cookie = page.header("set-cookie");
    assert!(cookie.contains("-vendor=") && cookie.contains("HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
    let (_, rest) = page.text.split_once("0;url=").unwrap();
    rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")
}

/// A request as a browser makes it that another site has sent here: without the cookie of the session.
async fn back(pages: &Pages, query: &str) -> Page {
    let all = pages.cookies.lock().unwrap().clone();
    pages.cookies.lock().unwrap().retain(|(name, _)| name.ends_with("-vendor"));
    let kept = pages.cookies.lock().unwrap().clone();
    let request = pages.request(Method::GET, &format!("{VENDOR_CALLBACK}?{query}"));
    let page = pages.answer(request.header("sec-fetch-site", "cross-site")).await;
    let left = pages.cookies.lock().unwrap().clone();
    let others = all.into_iter().filter(|cookie| !kept.contains(cookie));
    *pages.cookies.lock().unwrap() = others.chain(left).collect();
    page
}

/// Signs in at the vendor for the account, whose token reaches one site.
async fn signed_in(server: &Server, vendor: &ScriptedVendor) {
    enter(&server.pages, &server.admin).await;
    let query = vendor.consents(&begin(&server.pages).await);
    back(&server.pages, &query).await.shows(200, &["url=/accounts\"", "You are signed in at the vendor"]);
}

async fn call(server: &Server) -> Result<Value, String> {
    acme::call(&server.toolbox, "acme_get_a").await
}

/// Waits until something holds: another server follows what changes within a second.
async fn soon(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(tokio::time::Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// All bytes of the store, as text.
fn stored(folder: &Path) -> String {
    let read = |ending: &str| std::fs::read(folder.join(format!("store.db{ending}"))).unwrap_or_default();
    ["", "-wal"].iter().map(|ending| String::from_utf8_lossy(&read(ending)).into_owned()).collect()
}

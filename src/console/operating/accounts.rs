//! The accounts of a server → a page of their states, and forms to sign in at a vendor for one, to choose its site and to sign out.
//! What is done is in the log and in the record with the name of the administrator.

use std::collections::BTreeSet;
use std::time::Duration;

use askama::Template;
use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::Console;
use super::super::answer::{Fault, page, see};
use super::super::choice::Choice;
use super::super::forms::Form;
use super::super::frame::{Frame, Section};
use super::super::guard::{cookie, outside};
use super::super::sessions::Session;
use super::super::vendor_sign_ins::{Done, Flow, KEPT_FOR_VENDOR, SignInsView, VendorSignIns, WITHIN, shown, sites_of};
use super::{Operating, SignInPlace};
use crate::access::links::time_text;
use crate::call::AdministrativeAct;
use crate::login::scopes_of;
use crate::server::http::admin::AccountState;
use crate::store::VendorSignIn;
use crate::upstream::SignInOf;

/// Where the page is.
const PAGE: &str = "/accounts";

#[derive(Template)]
#[template(path = "accounts.html", config = "src/console/askama.toml")]
struct AccountsPage<'a> {
    frame: Frame,
    fault: Option<String>,
    accounts: &'a [AccountState],
    sign_ins: SignInsView,
}

#[derive(Template)]
#[template(path = "site.html", config = "src/console/askama.toml")]
struct SitePage {
    frame: Frame,
    account: String,
    revision: String,
    sites: Vec<Choice>,
}

/// A page that leads to another one by itself. Not a redirect: a browser holds forms to this site, and does not return its session
/// where another site led here.
#[derive(Template)]
#[template(path = "next.html", config = "src/console/askama.toml")]
struct NextPage<'a> {
    frame: Frame,
    text: &'a str,
    address: &'a str,
    link: &'a str,
}

impl Operating {
    /// Where people sign in, and what an account is of.
    fn sign_ins(&self, account: &str) -> Result<(&VendorSignIns, SignInOf), Fault> {
        let missing = || Fault::not_found("There is no such account; the page of accounts lists them.");
        let known = self.accounts.iter().find(|known| known.name == account).ok_or_else(missing)?;
        let of = SignInOf { account: known.name.clone(), vendor: known.vendor.clone() };
        match &self.sign_ins {
            SignInPlace::Here(sign_ins) => Ok((sign_ins, of)),
            SignInPlace::NoKey => Err(Fault::new(
                StatusCode::CONFLICT,
                "Sign-ins at vendors are off: the server has no store key. An operator starts it with serve --store-key FILE.",
            )),
            SignInPlace::Sandbox => Err(Fault::new(
                StatusCode::CONFLICT,
                "Sign-ins at vendors are off: the sandbox answers without credentials.",
            )),
        }
    }

    /// The sign-in of an account that somebody is signed in for.
    fn signed_in(&self, account: &str) -> Result<(&VendorSignIns, VendorSignIn), Fault> {
        let (sign_ins, of) = self.sign_ins(account)?;
        let found = sign_ins.kept().get(&of);
        found.map(|found| (sign_ins, found)).ok_or_else(|| Fault::not_found("Nobody is signed in for this account."))
    }

    /// What the page says of sign-ins.
    fn sign_ins_view(&self) -> SignInsView {
        let title = |id: &str| self.catalog().vendor(id).map_or_else(|| id.to_owned(), |vendor| vendor.title.clone());
        let signs_in = |id: &str| self.catalog().vendor(id).is_some_and(|vendor| vendor.oauth.is_some());
        match &self.sign_ins {
            SignInPlace::Here(sign_ins) => {
                let view = |account: &AccountState| {
                    let of = SignInOf { account: account.name.clone(), vendor: account.vendor.clone() };
                    sign_ins.view(of, &title(&account.vendor), time_text)
                };
                let accounts: Vec<_> = self.accounts.iter().filter_map(view).collect();
                let note = (!accounts.is_empty())
                    .then(|| "The app at the vendor has to name this callback address:".to_owned());
                SignInsView { redirect: note.as_ref().map(|_| sign_ins.redirect().to_owned()), note, accounts }
            }
            SignInPlace::NoKey if self.accounts.iter().any(|account| signs_in(&account.vendor)) => {
                let note = "To sign in here, the server needs a key for what it keeps: toolwright store key create FILE makes one, \
                            and serve --store-key FILE (or TOOLWRIGHT_STORE_KEY_FILE) uses it.";
                SignInsView { note: Some(note.to_owned()), ..SignInsView::default() }
            }
            SignInPlace::NoKey | SignInPlace::Sandbox => SignInsView::default(),
        }
    }

    fn accounts_page(&self, session: &Session, fault: Option<&Fault>) -> Response {
        let frame = session.frame(Section::Accounts, "Accounts");
        let status = fault.map_or(StatusCode::OK, |fault| fault.status);
        let fault = fault.map(|fault| fault.text.clone());
        page(status, &AccountsPage { frame, fault, accounts: &self.accounts, sign_ins: self.sign_ins_view() })
    }

    /// The scopes that the server's tools of an account need.
    fn scopes(&self, vendor: &str) -> BTreeSet<String> {
        let selection = self.policy().selection();
        let served = self.catalog().entries().iter();
        let served = served.filter(|entry| entry.vendor == vendor && selection.decide(entry).is_ok());
        scopes_of(served.flat_map(|entry| &entry.tool.calls))
    }

    /// Records what was done, in the log and in the record of calls.
    fn record(&self, by: &str, what: &'static str, done: &Done) {
        let (account, vendor, site) = (done.of.account.as_str(), done.of.vendor.as_str(), done.site.as_deref());
        tracing::warn!(administrator = by, account, vendor, site, revoked = done.revoked, "{what}");
        let revoked = done.revoked.then_some("yes");
        self.toolbox.record_administration(&AdministrativeAct { what, by, account, vendor, site, revoked });
    }
}

/// A page that leads to another one.
fn next(frame: Frame, text: &str, address: &str, link: &str) -> Response {
    page(StatusCode::OK, &NextPage { frame, text, address, link })
}

/// Lists the accounts.
pub(super) async fn list(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    match console.of_administrator(&session) {
        Ok((operating, _)) => operating.accounts_page(&session, None),
        Err(fault) => session.fault(&fault),
    }
}

/// Begins to sign in at the vendor of an account.
pub(super) async fn sign_in(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let begun = async {
        let (operating, by) = console.of_administrator(&session)?;
        Form::read(&parts.headers, body, &session.csrf).await?;
        let (sign_ins, of) = operating.sign_ins(&account)?;
        let scopes = operating.scopes(&of.vendor);
        let begun = match sign_ins.begin(&of.account, session.key(), &scopes, console.now()) {
            Ok(begun) => begun,
            Err(fault) => return Ok(operating.accounts_page(&session, Some(&fault))),
        };
        tracing::warn!(administrator = by, account = of.account, "begins to sign in at a vendor");
        let text = format!("You sign in at {} for the account {}, and come back here.", begun.host, of.account);
        let frame = session.frame(Section::Accounts, "Sign in at the vendor");
        let answer = next(frame, &text, &begun.address, &format!("Go to {}", begun.host));
        Ok(console.with_cookie(answer, &parts.headers, KEPT_FOR_VENDOR, &begun.kept, WITHIN))
    };
    begun.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

/// Takes a browser that a vendor has sent back. It comes from another site, so without the cookie of its session: what it kept for
/// this shows which session it is.
pub(super) async fn callback(State(console): State<Console>, request: Request) -> Response {
    let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
    let Some((operating, sign_ins)) = console.sign_in_place() else {
        return outside(&Fault::not_found("Nobody signs in at vendors here."));
    };
    let kept = cookie(headers, &console.cookie_name(KEPT_FOR_VENDOR)).unwrap_or_default();
    let flow = match sign_ins.take(kept, query, console.now()) {
        Ok(flow) => flow,
        // What it keeps stays: another page can lead a browser here, and must not end what is under way.
        Err(fault) => return outside(&fault),
    };
    let account = flow.account().to_owned();
    let answer = match console.came_back(operating, sign_ins, flow, query).await {
        Ok(done) => {
            let address = if done.lacks_site { format!("{PAGE}/{account}/site") } else { PAGE.to_owned() };
            let text = format!("You are signed in at the vendor for the account {account}.");
            next(Frame::outside("Signed in", ""), &text, &address, "Go on in the console")
        }
        Err(fault) => {
            tracing::warn!(account, "nobody was signed in at a vendor: {}", fault.text);
            outside(&fault)
        }
    };
    // Of use once, whatever came of it.
    console.with_cookie(answer, headers, KEPT_FOR_VENDOR, "", Duration::ZERO)
}

impl Console {
    fn sign_in_place(&self) -> Option<(&Operating, &VendorSignIns)> {
        let operating = self.operating()?;
        match &operating.sign_ins {
            SignInPlace::Here(sign_ins) => Some((operating, sign_ins)),
            SignInPlace::NoKey | SignInPlace::Sandbox => None,
        }
    }

    /// Ends a sign-in for the administrator who began it, if the session goes on.
    async fn came_back(
        &self,
        operating: &Operating,
        sign_ins: &VendorSignIns,
        flow: Flow,
        query: &str,
    ) -> Result<Done, Fault> {
        let ended = || {
            let text =
                "Your session at the console has ended meanwhile. Sign in to it, and begin again on the page Accounts.";
            Fault::new(StatusCode::UNAUTHORIZED, text)
        };
        let session = self.session_of(flow.session).await?.ok_or_else(ended)?;
        let (_, by) = self.of_administrator(&session)?;
        let done = sign_ins.finish(flow, query, by).await?;
        operating.record(by, "signed in at a vendor", &done);
        Ok(done)
    }
}

/// Shows the sites that a sign-in reaches.
pub(super) async fn sites(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(account): Path<String>,
) -> Response {
    let listed = async {
        let (operating, _) = console.of_administrator(&session)?;
        let (_, found) = operating.signed_in(&account)?;
        let choice = |site: &crate::login::Site| Choice {
            value: site.id.clone(),
            text: shown(site),
            on: found.site.as_ref() == Some(&site.id),
        };
        let sites = sites_of(&found).iter().map(choice).collect();
        let frame = session.frame(Section::Accounts, "Choose a site");
        Ok(page(StatusCode::OK, &SitePage { frame, account: found.of.account, revision: found.revision, sites }))
    };
    listed.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

/// Has an account act at a site.
pub(super) async fn choose_site(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let choose = async |sign_ins: &VendorSignIns, found: &VendorSignIn, form: &Form| {
        sign_ins.choose(found, form.text("revision"), form.text("site")).await
    };
    acted(&console, &session, &account, request, "chose the site of an account", choose).await
}

/// Ends the sign-in of an account.
pub(super) async fn sign_out(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let end = async |sign_ins: &VendorSignIns, found: &VendorSignIn, form: &Form| {
        sign_ins.end(found, !form.text("anyway").is_empty()).await
    };
    acted(&console, &session, &account, request, "signed out at a vendor", end).await
}

/// Does what a form of an administrator asks about the sign-in of an account, and records it as `what`.
async fn acted(
    console: &Console,
    session: &Session,
    account: &str,
    request: Request,
    what: &'static str,
    act: impl AsyncFnOnce(&VendorSignIns, &VendorSignIn, &Form) -> Result<Done, Fault>,
) -> Response {
    let (parts, body) = request.into_parts();
    let done = async {
        let (operating, by) = console.of_administrator(session)?;
        let form = Form::read(&parts.headers, body, &session.csrf).await?;
        let (sign_ins, found) = operating.signed_in(account)?;
        match act(sign_ins, &found, &form).await {
            Ok(done) => {
                operating.record(by, what, &done);
                Ok(see(PAGE))
            }
            Err(fault) => Ok(operating.accounts_page(session, Some(&fault))),
        }
    };
    done.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

//! A request → who reads, or a refusal: another host (DNS rebinding), a form of another page, no session. And the ways in and
//! out: the address that was printed, an administrator's token, the end of a session. The way by the company's identity provider
//! is `provider`.

use std::time::Duration;

use askama::Template;
use axum::extract::{Extension, Request, State};
use axum::http::header::{COOKIE, HOST, HeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::answer::{Fault, page, protect, see};
use super::forms::{Form, is_foreign};
use super::frame::Frame;
use super::provider::{AT_PROVIDER, CALLBACK, KEPT_FOR_PROVIDER};
use super::sessions::{Administrator, LONGEST, Session};
use super::vendor_sign_ins::{KEPT_FOR_VENDOR, VENDOR_CALLBACK};
use super::wanted::Wanted;
use super::{Console, Entrance, LOGIN, OPEN};
use crate::error::seconds;
use crate::server::http::Hosts;
use crate::store::{AdminToken, StoreError, TokenDigest};

/// What is served to who has no session: nothing in it depends on the server.
const PUBLIC: [&str; 7] = ["/style.css", "/copy.js", OPEN, LOGIN, AT_PROVIDER, CALLBACK, VENDOR_CALLBACK];
/// What the cookie of the form for signing in is named after the session's.
const BEFORE: &str = "-login";

#[derive(Template)]
#[template(path = "opened.html", config = "src/console/askama.toml")]
struct OpenedPage {
    frame: Frame,
    /// The page that comes next.
    next: String,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/console/askama.toml")]
struct LoginPage {
    frame: Frame,
    fault: Option<String>,
    /// The identity provider's host, and the address that leads there.
    provider: Option<(String, String)>,
    /// The page that was asked for.
    wanted: Wanted,
}

/// Lets a request pass that names this server, comes from none but its pages, and has a session.
pub(super) async fn guard(State(console): State<Console>, request: Request, next: Next) -> Response {
    let mut response = match console.admit(request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused,
    };
    protect(&mut response);
    response
}

impl Console {
    async fn admit(&self, mut request: Request) -> Result<Request, Response> {
        let headers = request.headers();
        if !headers.contains_key(HOST) || self.0.hosts.foreign(headers).is_some() {
            let text = "This host is not served here. An operator names further hosts with `--host`.";
            return Err(outside(&Fault::new(StatusCode::FORBIDDEN, text)));
        }
        if request.method() != Method::GET && request.method() != Method::HEAD && is_foreign(headers) {
            return Err(outside(&Fault::new(StatusCode::FORBIDDEN, "Only pages of this console send forms to it.")));
        }
        if PUBLIC.contains(&request.uri().path()) {
            // Where these have no route here, the page that says so needs a session too.
            request.extensions_mut().insert(Session::nobody());
            return Ok(request);
        }
        match self.session(headers).await {
            Ok(Some(session)) => {
                request.headers_mut().remove(COOKIE);
                request.extensions_mut().insert(session);
                Ok(request)
            }
            Ok(None) => Err(self.way_in(request.method(), &Wanted::of_path(request.uri().path()))),
            Err(error) => Err(outside(&error.into())),
        }
    }

    /// The valid session of a request. One of an administrator ends with the token that it began with.
    async fn session(&self, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
        let Some(value) = cookie(headers, &self.0.cookie) else { return Ok(None) };
        match self.0.sessions.find(value, self.now()) {
            Some(session) => self.still_valid(session).await,
            None => Ok(None),
        }
    }

    /// The valid session that has begun something which goes on without its cookie.
    pub(super) async fn session_of(&self, key: TokenDigest) -> Result<Option<Session>, StoreError> {
        match self.0.sessions.find_by_key(key, self.now()) {
            Some(session) => self.still_valid(session).await,
            None => Ok(None),
        }
    }

    /// A session, unless the token that it began with is no administrator's any more.
    async fn still_valid(&self, session: Session) -> Result<Option<Session>, StoreError> {
        let (Some(operating), Some(Administrator::Token { name, token })) = (self.operating(), &session.administrator)
        else {
            return Ok(Some(session));
        };
        let known = operating.store().admin_token(*token).await?;
        if known.is_some_and(|known| known.name == *name) {
            return Ok(Some(session));
        }
        self.0.sessions.end(&session);
        Ok(None)
    }

    /// What is answered to who has no session.
    fn way_in(&self, method: &Method, wanted: &Wanted) -> Response {
        match self.0.entrance {
            Entrance::Administrators(..) if method == Method::GET => see(&wanted.after(LOGIN)),
            Entrance::Administrators(..) => {
                outside(&Fault::new(StatusCode::UNAUTHORIZED, "Your session has ended. Sign in again at /login."))
            }
            Entrance::Printed(_) => outside(&Fault::new(
                StatusCode::UNAUTHORIZED,
                "Open the address that `toolwright console` printed; it works once. Start the command again for another one.",
            )),
        }
    }

    pub(super) fn with_cookie(
        &self,
        mut response: Response,
        headers: &HeaderMap,
        suffix: &str,
        value: &str,
        lasts: Duration,
    ) -> Response {
        // Over plain HTTP on this machine not every browser returns a cookie that is `Secure`.
        let secure = if Hosts::is_own(headers) { "" } else { "; Secure" };
        // A provider and a vendor send the browser back from another site.
        let site = if [KEPT_FOR_PROVIDER, KEPT_FOR_VENDOR].contains(&suffix) { "Lax" } else { "Strict" };
        let text = format!(
            "{}{suffix}={value}; Path=/; HttpOnly; SameSite={site}; Max-Age={}{secure}",
            self.0.cookie,
            lasts.as_secs()
        );
        if let Ok(cookie) = HeaderValue::from_str(&text) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// Begins a session, with this answer.
    pub(super) fn begin(
        &self,
        headers: &HeaderMap,
        administrator: Option<Administrator>,
        answer: Response,
    ) -> Result<Response, Fault> {
        let value = self.0.sessions.begin(administrator, self.now())?;
        Ok(self.with_cookie(answer, headers, "", &value, LONGEST))
    }

    /// The administrator with this token. Guesses are counted before the store is asked.
    async fn administrator(&self, token: &str) -> Result<AdminToken, Fault> {
        let Entrance::Administrators(operating, pace) = &self.0.entrance else {
            return Err(Fault::not_found("Nobody signs in here."));
        };
        let digest = TokenDigest::of(token);
        pace.may_look(digest).map_err(too_many)?;
        let Some(found) = operating.store().admin_token(digest).await? else {
            pace.is_unknown(digest);
            pace.may_guess().map_err(too_many)?;
            return Err(Fault::new(StatusCode::UNAUTHORIZED, "This is no valid token of an administrator."));
        };
        pace.may_ask(digest, &found.name).map_err(too_many)?;
        operating.store().admin_token_used(&found.name, self.now()).await?;
        Ok(found)
    }

    /// The form for signing in. It has a token of its own, which its cookie has too.
    pub(super) fn login_form(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        fault: Option<&Fault>,
        wanted: Wanted,
    ) -> Response {
        // A browser asks for more than the page, such as its icon, and is led here too: the form that it shows stays good.
        let known = cookie(headers, &format!("{}{BEFORE}", self.0.cookie)).filter(|known| TokenDigest::is_drawn(known));
        let csrf =
            match known.map_or_else(|| TokenDigest::draw("").map(|(drawn, _)| drawn), |known| Ok(known.to_owned())) {
                Ok(csrf) => csrf,
                Err(error) => return outside(&error.into()),
            };
        let provider = self.operating().and_then(|operating| operating.provider());
        let form = LoginPage {
            frame: Frame::outside("Sign in", &csrf),
            fault: fault.map(|fault| fault.text.clone()),
            provider: provider.map(|provider| (provider.host(), wanted.after(AT_PROVIDER))),
            wanted,
        };
        let mut response = page(status, &form);
        if let Some(seconds) = fault.and_then(|fault| fault.retry_after) {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        self.with_cookie(response, headers, BEFORE, &csrf, Duration::from_hours(1))
    }
}

fn too_many(wait: Duration) -> Fault {
    let wait = seconds(wait);
    let text = format!("Too many attempts; try again in {wait} s.");
    Fault { retry_after: Some(wait), ..Fault::new(StatusCode::TOO_MANY_REQUESTS, &text) }
}

/// A page for who is not signed in.
pub(super) fn outside(fault: &Fault) -> Response {
    fault.page(Frame::outside(fault.heading(), ""))
}

pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Opens a console by the address that was printed: once.
pub(super) async fn open(State(console): State<Console>, request: Request) -> Response {
    let Entrance::Printed(one_time) = &console.0.entrance else { return StatusCode::NOT_FOUND.into_response() };
    let query = request.uri().query().unwrap_or_default();
    let token = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token");
    if !token.is_some_and(|(_, token)| one_time.spend(&token)) {
        return console.way_in(request.method(), &Wanted::default());
    }
    let answer = opened(&Wanted::default());
    console.begin(request.headers(), None, answer).unwrap_or_else(|fault| outside(&fault))
}

/// The page that leads to another one. Not a redirect: where a page of another site led here, the browser would not return the
/// cookie to its target.
pub(super) fn opened(next: &Wanted) -> Response {
    page(StatusCode::OK, &OpenedPage { frame: Frame::outside("Opened", ""), next: next.path() })
}

/// Shows the form for signing in.
pub(super) async fn login_page(State(console): State<Console>, request: Request) -> Response {
    let wanted = Wanted::of_query(request.uri().query());
    match console.session(request.headers()).await {
        Ok(Some(_)) => see(&wanted.path()),
        _ => console.login_form(request.headers(), StatusCode::OK, None, wanted),
    }
}

/// Signs an administrator in.
pub(super) async fn log_in(State(console): State<Console>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let before = cookie(headers, &format!("{}{BEFORE}", console.0.cookie)).unwrap_or_default();
    let mut wanted = Wanted::default();
    let signed_in = async {
        let form = Form::read(headers, body, before).await?;
        wanted = Wanted::of_id(form.text("to"));
        let found = console.administrator(form.text("token")).await?;
        tracing::warn!(administrator = found.name, "signed in to the console");
        let administrator = Administrator::Token { name: found.name, token: found.token };
        console.begin(headers, Some(administrator), see(&wanted.path()))
    };
    match signed_in.await {
        Ok(response) => console.with_cookie(response, headers, BEFORE, "", Duration::ZERO),
        Err(fault) => console.login_form(headers, fault.status, Some(&fault), wanted),
    }
}

/// Ends a session.
pub(super) async fn log_out(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(fault) = Form::read(&parts.headers, body, &session.csrf).await {
        return session.fault(&fault);
    }
    console.0.sessions.end(&session);
    console.with_cookie(console.way_in(&Method::GET, &Wanted::default()), &parts.headers, "", "", Duration::ZERO)
}

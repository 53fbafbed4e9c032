//! Requests of a browser on this machine → the code that the vendor's page has sent it back with.

use std::future::IntoFuture as _;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Authorization, Code, LoginError};

/// Where the vendor sends the browser.
pub(super) const PATH: &str = "/callback";

/// How long writing the page may take.
const END_WITHIN: Duration = Duration::from_secs(1);

/// What the vendor's page returned.
type Returned = Result<Code, LoginError>;

/// Waits for a browser.
#[derive(Clone)]
pub(super) struct Redirect {
    /// What the request has to answer: another page of the browser could send one as well.
    authorization: Arc<Authorization>,
    returned: Arc<Mutex<Option<oneshot::Sender<Returned>>>>,
}

impl Redirect {
    /// Answers the browser until it comes with the state of this sign-in.
    pub(super) async fn wait(listener: TcpListener, authorization: &Arc<Authorization>) -> Returned {
        let (sender, mut receiver) = oneshot::channel();
        let authorization = Arc::clone(authorization);
        let redirect = Self { authorization, returned: Arc::new(Mutex::new(Some(sender))) };
        let router = Router::new().route(PATH, get(answer)).with_state(redirect);
        let end = CancellationToken::new();
        let serving = axum::serve(listener, router).with_graceful_shutdown(end.clone().cancelled_owned());
        let mut serving = pin!(serving.into_future());
        tokio::select! {
            returned = &mut receiver => {
                end.cancel();
                // The browser is to show the page.
                let _ = tokio::time::timeout(END_WITHIN, serving).await;
                returned.unwrap_or_else(|_| Err(LoginError::Refused("the sign-in was given up".to_owned())))
            }
            _ = &mut serving => Err(LoginError::Refused("nothing can be received any more".to_owned())),
        }
    }

    fn end(&self, returned: Returned) {
        let sender = self.returned.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Where a second request comes, the first has decided.
        if let Some(sender) = sender {
            let _ = sender.send(returned);
        }
    }
}

async fn answer(State(redirect): State<Redirect>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if !redirect.authorization.is_answered_by(query) {
        return page(StatusCode::BAD_REQUEST, "This is not the sign-in that Toolwright waits for. Begin again.");
    }
    let returned = redirect.authorization.code(query);
    let text = if returned.is_ok() {
        "You are signed in. Close this page and go back to the terminal."
    } else {
        "Toolwright was not allowed to sign in. The terminal shows why."
    };
    redirect.end(returned);
    page(StatusCode::OK, text)
}

/// A page of one sentence, which loads nothing and whose address goes nowhere.
fn page(status: StatusCode, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    (status, headers, text).into_response()
}

//! A vendor that answers every request with what authenticated it, and keeps what came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use tokio::net::TcpListener;

/// A request that arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) authorization: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) user_agent: Option<String>,
}

/// The vendor; it ends with the test.
pub(crate) struct WhoAmI {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl WhoAmI {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen }
    }

    /// Its root.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes what has come so far.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

async fn answer(
    State(seen): State<Arc<Mutex<Vec<Seen>>>>,
    request: Request,
) -> ([(&'static str, &'static str); 1], String) {
    let found = shown(request.headers());
    let name = found.authorization.clone().or(found.key.clone()).unwrap_or_default();
    let name = name.trim_start_matches("Bearer ").to_owned();
    seen.lock().unwrap().push(found);
    // Long enough for others to come in between.
    tokio::task::yield_now().await;
    let is_list = !request.uri().path().ends_with("/Authorization");
    let person =
        serde_json::json!({"UserID": 7, "Username": name, "FullName": name, "Email": "a@example.com", "id": name});
    let body = if is_list { serde_json::json!([person]) } else { person };
    ([("content-type", "application/json")], body.to_string())
}

fn shown(headers: &HeaderMap) -> Seen {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    Seen {
        authorization: text("authorization"),
        key: text("x-api-key"),
        organization: text("x-org-id"),
        user_agent: text("user-agent"),
    }
}

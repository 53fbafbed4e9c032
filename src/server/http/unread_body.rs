//! A request that is answered before its body was read, as one that is refused → a connection that goes on, with the rest of
//! a small body read and left, or an answer that says that it ends. Without that, a client that goes on gets no answer to its
//! next request (RFC 9112, sections 9.3 and 9.6).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// The longest rest that is read, in bytes. It has to be stated.
const LONGEST: u64 = 64 * 1024;
/// How long the rest may take: what is refused is answered soon.
const WITHIN: Duration = Duration::from_millis(250);

/// A body that comes back where it is dropped before its end.
pub(super) struct ReturnedBody {
    body: Option<Incoming>,
    rest: Arc<Mutex<Option<Incoming>>>,
}

/// What has come back of a body.
pub(super) struct Rest(Arc<Mutex<Option<Incoming>>>);

impl ReturnedBody {
    pub(super) fn new(body: Incoming) -> (Self, Rest) {
        let rest = Arc::default();
        (Self { body: Some(body), rest: Arc::clone(&rest) }, Rest(rest))
    }
}

impl Body for ReturnedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for ReturnedBody {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = rest;
    }
}

impl Rest {
    /// Reads what is left, or has the answer say that the connection ends.
    pub(super) async fn leave(self, response: &mut Response) {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(rest) = rest else { return };
        let is_short = rest.size_hint().upper().is_some_and(|length| length <= LONGEST);
        if !is_short || !timeout(WITHIN, is_read(rest)).await.unwrap_or(false) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

async fn is_read(mut rest: Incoming) -> bool {
    while let Some(frame) = rest.frame().await {
        if frame.is_err() {
            return false;
        }
    }
    true
}

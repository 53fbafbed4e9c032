//! The body of a request → its bytes, within size and time. Only a few large ones are in memory at once.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout, timeout_at};

use super::SESSION_HEADER;
use super::connections::Connection;
use crate::access::Admitted;
use crate::fairness::{CallerKey, NoSlot, Shares, Slot, Slots, key_of};
use crate::server::incoming::LARGEST;

/// The largest body that needs no slot, in bytes.
const SMALL: usize = 1024 * 1024;
/// How many larger ones are in memory at once.
const LARGE_AT_ONCE: usize = 4;
/// How long a large one waits for the others.
const SLOT_WITHIN: Duration = Duration::from_secs(30);
/// How long a body may take, and each pause in it.
const WITHIN: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_secs(10);

/// Reads bodies.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    large: Slots,
}

/// A body, and the place in memory of a large one.
pub(super) struct Read {
    pub(super) bytes: Bytes,
    pub(super) _slot: Option<Slot>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { large: Slots::new(Shares::all_but_one(LARGE_AT_ONCE)) }
    }
}

impl Bodies {
    /// Reads a body.
    ///
    /// # Errors
    /// The status and the reason why it was not read to its end.
    pub(super) async fn read(
        &self,
        parts: &Parts,
        body: Body,
        connection: Option<&Connection>,
    ) -> Result<Read, (StatusCode, String)> {
        let stated = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if stated.is_some_and(|length: usize| length > LARGEST) {
            return Err(too_large());
        }
        let end = Instant::now() + WITHIN;
        let mut body = body;
        let (mut first, mut bytes, mut slot) = (Bytes::new(), Vec::new(), None);
        while let Some(frame) = next(&mut body, end).await? {
            if let Some(connection) = connection {
                connection.receives();
            }
            let read = first.len() + bytes.len() + frame.len();
            if read > LARGEST {
                return Err(too_large());
            }
            if read > SMALL && slot.is_none() {
                slot = Some(self.slot(parts).await?);
            }
            if first.is_empty() && bytes.is_empty() {
                first = frame;
            } else {
                // What is stated is no reason to take the room of a slot.
                let most = if slot.is_some() { LARGEST } else { SMALL };
                bytes.reserve(stated.unwrap_or_default().saturating_sub(bytes.len()).min(most));
                bytes.extend_from_slice(&std::mem::take(&mut first));
                bytes.extend_from_slice(&frame);
            }
        }
        // Most have a single part, which is not copied.
        Ok(Read { bytes: if bytes.is_empty() { first } else { bytes.into() }, _slot: slot })
    }

    async fn slot(&self, parts: &Parts) -> Result<Slot, (StatusCode, String)> {
        let principal = parts.extensions.get::<Admitted>().map(|admitted| &admitted.principal);
        let session = parts.headers.get(SESSION_HEADER);
        let key = match (principal.filter(|principal| !principal.is_local()), session) {
            (Some(principal), _) => CallerKey::Known(key_of(principal)),
            (None, Some(session)) => CallerKey::Known(key_of(&session.as_bytes())),
            (None, None) => CallerKey::Anonymous,
        };
        self.large.acquire(key, Instant::now() + SLOT_WITHIN, |_| {}).await.map_err(|NoSlot { own, most, .. }| {
            let whose = if own { " of this caller" } else { "" };
            let reason =
                format!("{most} large requests{whose} are being answered, and no more may be; try again later");
            (StatusCode::SERVICE_UNAVAILABLE, reason)
        })
    }
}

/// The next part of a body; `None` at its end.
async fn next(body: &mut Body, end: Instant) -> Result<Option<Bytes>, (StatusCode, String)> {
    loop {
        match timeout_at(end, timeout(PAUSE, body.frame())).await {
            Ok(Ok(Some(Ok(frame)))) => {
                // Trailers are of no interest.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Ok(Ok(None)) => return Ok(None),
            Ok(Ok(Some(Err(_)))) => return Err((StatusCode::BAD_REQUEST, "the body ends before its end".to_owned())),
            Ok(Err(_)) | Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the body took too long".to_owned())),
        }
    }
}

fn too_large() -> (StatusCode, String) {
    (StatusCode::PAYLOAD_TOO_LARGE, format!("a message may have {} MB", LARGEST / 1024 / 1024))
}

//! What a client is told beside the answers: progress of calls that it asked for, and log
//! messages from the level on that it set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use serde_json::json;

/// The levels in order; the position is what is stored.
const LEVELS: [LoggingLevel; 8] = [
    LoggingLevel::Debug,
    LoggingLevel::Info,
    LoggingLevel::Notice,
    LoggingLevel::Warning,
    LoggingLevel::Error,
    LoggingLevel::Critical,
    LoggingLevel::Alert,
    LoggingLevel::Emergency,
];
/// No level was set: nothing is sent.
const SILENT: u8 = u8::MAX;

/// What one client wants to be told.
#[derive(Debug, Clone)]
pub(super) struct Messages(Arc<AtomicU8>);

impl Default for Messages {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(SILENT)))
    }
}

fn rank(level: LoggingLevel) -> u8 {
    LEVELS.iter().position(|known| *known == level).and_then(|position| u8::try_from(position).ok()).unwrap_or(SILENT)
}

impl Messages {
    /// The client wants messages from this level on.
    pub(super) fn set_level(&self, level: LoggingLevel) {
        self.0.store(rank(level), Ordering::Relaxed);
    }

    /// Sends a log message, if the client wants it. Since 2026-07-28 each request says so itself.
    pub(super) async fn log(&self, context: &RequestContext<RoleServer>, level: LoggingLevel, text: &str) {
        let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let wanted =
            if modern { context.meta.log_level().map_or(SILENT, rank) } else { self.0.load(Ordering::Relaxed) };
        if wanted <= rank(level) {
            let message = LoggingMessageNotificationParam::new(level, json!(text)).with_logger("toolwright");
            send(&context.peer, message).await;
        }
    }

    /// Reports progress in seconds, if the client asked for it; nobody knows how many there will be.
    pub(super) async fn progress(context: &RequestContext<RoleServer>, seconds: f64, text: &str) {
        if let Some(token) = context.meta.get_progress_token() {
            let progress = ProgressNotificationParam::new(token, seconds).with_message(text);
            // A client that went away needs no progress.
            let _ = context.peer.notify_progress(progress).await;
        }
    }
}

async fn send(peer: &Peer<RoleServer>, message: LoggingMessageNotificationParam) {
    // A client that went away needs no log.
    let _ = peer.notify_logging_message(message).await;
}

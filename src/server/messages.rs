//! Events of a call → MCP notifications: progress, where the request has a token, and log messages at or
//! above the client's level.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use serde_json::json;

/// The levels in order; the position is stored as the level.
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
/// No level is set: nothing is sent.
const SILENT: u8 = u8::MAX;

/// The log level of one client.
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
    /// Sets the lowest level that is sent.
    pub(super) fn set_level(&self, level: LoggingLevel) {
        self.0.store(rank(level), Ordering::Relaxed);
    }

    /// Sends a log message, if the client's level permits it. From 2026-07-28 on each request has its own level.
    pub(super) async fn log(
        &self,
        context: &RequestContext<RoleServer>,
        level: LoggingLevel,
        text: impl FnOnce() -> String,
    ) {
        let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let level_set =
            if modern { context.meta.log_level().map_or(SILENT, rank) } else { self.0.load(Ordering::Relaxed) };
        if level_set <= rank(level) {
            let message = LoggingMessageNotificationParam::new(level, json!(text())).with_logger("toolwright");
            send(&context.peer, message).await;
        }
    }

    /// Reports progress in seconds, if the request has a progress token; the total is unknown.
    pub(super) async fn progress(context: &RequestContext<RoleServer>, seconds: f64, text: impl FnOnce() -> String) {
        if let Some(token) = context.meta.get_progress_token() {
            let progress = ProgressNotificationParam::new(token, seconds).with_message(text());
            // Fails where the client has disconnected.
            let _ = context.peer.notify_progress(progress).await;
        }
    }
}

async fn send(peer: &Peer<RoleServer>, message: LoggingMessageNotificationParam) {
    // Fails where the client has disconnected.
    let _ = peer.notify_logging_message(message).await;
}

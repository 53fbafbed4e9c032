//! `--log-format`, `--log-messages` → lines on standard error, from the first one on; with the feature `otlp`, traces for a
//! collector.

use std::time::SystemTime;

use clap::ValueEnum;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

#[cfg(feature = "otlp")]
use super::collector::Collector;
use super::printer::Printer;
use crate::access::links::time_text;
use crate::error::ConfigError;
use crate::traces;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum LogFormat {
    /// A readable line
    #[default]
    Text,
    /// A JSON object per line
    Json,
}

impl LogFormat {
    /// Prints what a person reads when the server starts or gets a signal, whatever the level of the log; in its form.
    pub(super) fn announce(self, text: &str, level: &str, printer: &mut Printer) {
        match self {
            Self::Text => printer.note(text),
            Self::Json => {
                let line = serde_json::json!({
                    "timestamp": time_text(SystemTime::now()),
                    "level": level,
                    "message": text,
                    "target": module_path!(),
                });
                printer.note(&line.to_string());
            }
        }
    }
}

/// What is sent on when the process ends.
pub(super) struct Traces {
    #[cfg(feature = "otlp")]
    collector: Option<Collector>,
}

impl Traces {
    /// Sends the traces that are left.
    #[cfg_attr(not(feature = "otlp"), allow(clippy::unused_async, clippy::unused_self, reason = "as with the feature"))]
    pub(super) async fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(collector) = self.collector {
            collector.end().await;
        }
    }
}

/// Begins the log on standard error, where MCP clients expect it; `RUST_LOG` sets the levels. rmcp's
/// warnings are off by default: they repeat faults that the client is answered, and over HTTP its errors are clients that
/// have disconnected.
///
/// # Errors
/// The variables of a collector are wrong.
#[cfg_attr(not(feature = "otlp"), allow(clippy::unnecessary_wraps, reason = "as with the feature"))]
pub(super) fn start(format: LogFormat, log_messages: bool) -> Result<Traces, ConfigError> {
    let levels = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,rmcp=error,rmcp::transport::streamable_http_server=off".into());
    // Each callsite is looked at once; the hint lets those that no level shows cost nothing.
    let shown = filter_fn(move |line| line.target() != traces::TARGET && (log_messages || holds_no_message(line)))
        .with_max_level_hint(LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let log = tracing_subscriber::registry().with(lines.with_filter(levels.and(shown)));
    #[cfg(feature = "otlp")]
    let (log, collector) = {
        let collector = Collector::of_environment()?;
        (log.with(collector.as_ref().map(Collector::layer)), collector)
    };
    // A second call, as in tests, fails and keeps the first subscriber.
    let _ = log.try_init();
    Ok(Traces {
        #[cfg(feature = "otlp")]
        collector,
    })
}

/// Whether a line of the log can hold no argument, answer or secret, whatever level is asked for: those of our own code,
/// which has none in its lines, and errors of other code, which are about connections. The protocol and HTTP libraries
/// write messages, headers and bytes at the levels below.
fn holds_no_message(line: &tracing::Metadata<'_>) -> bool {
    let is_own = line.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
    is_own || *line.level() == tracing::Level::ERROR
}

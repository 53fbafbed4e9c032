//! Data → standard output, messages → standard error, with colour where the stream shows it.

use std::io::{self, Write as _};

/// The width of a table where standard output is no terminal, in columns.
const DEFAULT_WIDTH: usize = 80;

/// Prints data and messages.
#[derive(Debug)]
pub(super) struct Printer {
    width: usize,
}

impl Printer {
    pub(super) fn new() -> Self {
        let terminal = terminal_size::terminal_size_of(io::stdout());
        Self { width: terminal.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0)) }
    }

    /// The width that a table may have, in columns.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Prints data, with a newline.
    #[expect(clippy::unused_self, reason = "data is printed by the holder of the printer only")]
    pub(super) fn data(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text.trim_end_matches('\n'))
    }

    /// Prints data as JSON that people can read too.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        self.data(&serde_json::to_string_pretty(value)?)
    }

    /// Prints a message for a person. anstream removes colour where NO_COLOR or a pipe forbids it.
    #[expect(clippy::unused_self, reason = "messages are printed by the holder of the printer only")]
    pub(super) fn note(&mut self, text: &str) {
        // Where standard error is closed, there is no other stream for messages.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Prints what went wrong.
    pub(super) fn error(&mut self, text: &str) {
        self.note(&format!("\u{1b}[1;31merror:\u{1b}[0m {text}"));
    }
}

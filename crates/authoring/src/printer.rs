//! The two streams: data on standard output, everything else on standard error. Colour only
//! helps, and anstream drops it where it is not wanted (NO_COLOR, no terminal).

use std::io::{self, Write as _};

/// Prints data and messages.
#[derive(Debug, Default)]
pub(super) struct Printer;

impl Printer {
    /// Prints data, with a newline.
    #[expect(clippy::unused_self, reason = "whoever holds the printer may print")]
    pub(super) fn data(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text.trim_end_matches('\n'))
    }

    /// Prints a message for a person.
    #[expect(clippy::unused_self, reason = "whoever holds the printer may print")]
    pub(super) fn note(&mut self, text: &str) {
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Prints what went wrong.
    pub(super) fn error(&mut self, text: &str) {
        self.note(&format!("\u{1b}[1;31merror:\u{1b}[0m {text}"));
    }
}

//! Output → standard output for data, standard error for everything else. anstream removes colour
//! where it is unwanted (NO_COLOR, no terminal).

use std::io::{self, Write as _};

/// Prints data and messages.
#[derive(Debug, Default)]
pub(crate) struct Printer;

impl Printer {
    /// Prints data, with a newline.
    #[expect(clippy::unused_self, reason = "only code that was given the printer may print")]
    pub(crate) fn data(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text.trim_end_matches('\n'))
    }

    /// Prints a message for a person.
    #[expect(clippy::unused_self, reason = "only code that was given the printer may print")]
    pub(crate) fn note(&mut self, text: &str) {
        // A closed standard error leaves no way to report the error.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Prints an error message.
    pub(crate) fn error(&mut self, text: &str) {
        self.note(&format!("\u{1b}[1;31merror:\u{1b}[0m {text}"));
    }
}

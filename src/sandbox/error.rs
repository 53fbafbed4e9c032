//! Faults of tables, script and port → why the sandbox does not start.

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// No loopback port could be had.
    #[error("the sandbox could not listen on `127.0.0.1`: {source}")]
    Listen {
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A table is not what the emitter writes.
    #[error("the sandbox table of `{api}` is not readable: {reason}; regenerate it")]
    Table {
        /// The API of the table.
        api: String,
        /// The parser's error.
        reason: String,
    },
    /// The script is not JSON.
    #[error("the sandbox script is not JSON: {source}")]
    ScriptSyntax {
        /// The parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// The script is JSON, but no list of answers.
    #[error("the sandbox script must be a list of `{{operation, when, answer, times}}`, found {found}")]
    ScriptForm {
        /// The kind of value found.
        found: &'static str,
    },
    /// An entry of the script is not of the expected form.
    #[error("entry {index} of the sandbox script: {problem}")]
    ScriptEntry {
        /// Counted from 0.
        index: usize,
        /// What was expected and what was found.
        problem: String,
    },
}

//! What can be wrong before the sandbox answers its first request.

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// No loopback port could be had.
    #[error("the sandbox could not listen on `127.0.0.1`: {source}")]
    Listen {
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A table is not what the emitter writes.
    #[error("the sandbox table of `{api}` is not readable: {reason}; regenerate it")]
    Table {
        /// The API whose table it is.
        api: String,
        /// What the parser said.
        reason: String,
    },
    /// The script is not JSON.
    #[error("the sandbox script is not JSON: {source}")]
    ScriptSyntax {
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The script is JSON, but no list of answers.
    #[error("the sandbox script must be a list of `{{operation, when, answer, times}}`, found {found}")]
    ScriptForm {
        /// The kind of value found.
        found: &'static str,
    },
    /// An entry of the script says something that is not understood.
    #[error("entry {index} of the sandbox script: {problem}")]
    ScriptEntry {
        /// Counted from 0.
        index: usize,
        /// What was expected and what was found.
        problem: String,
    },
}

//! Calls → a log of JSON Lines that is only appended to. Each line holds the hash of the line
//! before it, so that changed and missing lines are detected. A call that changes something is
//! logged twice: its intent before anything is sent, its outcome afterwards. Of an intent without
//! an outcome the result is unknown.
//!
//! Lines end with `"prev":"…","hash":"…"}`; the hash is the SHA-256 of the line's text with `}` in
//! place of `,"hash":"…"}`. Bytes are hashed, so that a checker need not format JSON as we do.
//!
//! The chain shows what was changed or left out between two lines that are known. That its end was
//! cut, or that all of it was written anew, shows by a hash that is kept elsewhere: an anchor is
//! such a hash with a signature.

mod anchor;
mod log_file;
mod record;
mod recorded;
mod verify;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::{ConfigError, Outcome};
pub use anchor::{Anchor, AnchorError, AnchorKey, read_anchors};
use log_file::LogFile;
pub use recorded::{Recorded, RecordedCall, RecordedEnd, is_cut};
pub use verify::{Fault, Report, Unfinished, Verifier, verify};

/// An audit log, written by one process at a time.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    /// The profile under which every call is made, if one was named.
    profile: Option<String>,
    log: Mutex<LogFile>,
}

/// A call, as it is known before it is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallDetails {
    /// Who calls, by name.
    pub caller: String,
    /// The client program, as it names itself.
    pub client: Option<String>,
    /// The vendor's id.
    pub vendor: String,
    /// The account that serves the call, once it is known.
    pub account: Option<String>,
    /// Scheme, host and port of the vendor's address.
    pub site: Option<String>,
    /// The settings of the call, such as the tenant it acts for, by their titles.
    pub settings: BTreeMap<String, String>,
    /// The tool's name.
    pub tool: String,
    /// The vendor's operation, once it is known.
    pub operation: Option<String>,
    /// The tool's effect.
    pub effect: Option<&'static str>,
    /// The arguments, secrets masked.
    pub arguments: Map<String, Value>,
    /// The decision: `allowed`, `refused`, `invalid`, `planned`; where a person has to approve, `asked` or `declined`.
    pub decision: &'static str,
    /// The id of the run of a workflow, of which the call is a step or the whole.
    pub workflow: Option<String>,
    /// The step, if it is one.
    pub step: Option<String>,
    /// The grant of a person beyond what the policy offers: its id, and by whom.
    pub grant: Option<(String, String)>,
    /// The approval under which it is sent: its id, by whom, and the digest.
    pub approval: Option<(String, String, String)>,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub(crate) struct CallEnd {
    /// The stage at which it ended.
    pub outcome: Outcome,
    /// The vendor's status.
    pub status: Option<u16>,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Audit {
    /// Opens a log to continue it, or creates one; only its owner can read it.
    ///
    /// # Errors
    /// The file can't be written, is not an audit log, or is in use by another process.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let log =
            LogFile::open(path).map_err(|error| ConfigError::new(format!("`--audit {}` {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), profile: None, log: Mutex::new(log) })
    }

    /// Writes with every call the profile under which it is made.
    #[must_use]
    pub fn with_profile(self, profile: Option<String>) -> Self {
        Self { profile, ..self }
    }

    /// Looks whether the file was moved, emptied or deleted, and goes on in a new one if so. Each line does that too;
    /// a rotation may want the new file at once.
    ///
    /// # Errors
    /// The new file can't be written.
    pub fn reopen(&self) -> io::Result<()> {
        self.log().follow(&self.path)
    }

    /// Returns the path of the log.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Logs that a call is about to be sent and syncs the line to disk; returns the id for its
    /// outcome.
    ///
    /// # Errors
    /// The line can't be written: the call must not be sent.
    pub(crate) fn intent(&self, call: &CallDetails) -> io::Result<u64> {
        let mut log = self.log();
        let id = log.append(&self.path, "intent", None, self.details(call))?;
        log.sync()?;
        Ok(id)
    }

    /// Logs the outcome of the call whose intent has this id; returns the hash of the line.
    ///
    /// # Errors
    /// The line can't be written.
    pub(crate) fn outcome(&self, id: u64, call: &CallDetails, end: &CallEnd) -> io::Result<String> {
        let mut entries = Map::new();
        entries.insert("tool".to_owned(), json!(call.tool));
        entries.extend(record::of_workflow(call));
        entries.extend(record::outcome(end));
        self.append("outcome", Some(id), entries)
    }

    /// Logs a call and its outcome in one line; returns its hash.
    ///
    /// # Errors
    /// The line can't be written.
    pub(crate) fn call(&self, call: &CallDetails, end: &CallEnd) -> io::Result<String> {
        let mut entries = self.details(call);
        entries.extend(record::outcome(end));
        self.append("call", None, entries)
    }

    /// Logs what becomes of the approval of a call, such as that a person was asked; returns the hash of the line.
    ///
    /// # Errors
    /// The line can't be written.
    pub(crate) fn approval(&self, call: &CallDetails, what: &[(&str, Option<&str>)]) -> io::Result<String> {
        let mut entries = Map::new();
        for (name, value) in [("caller", Some(call.caller.as_str())), ("tool", Some(call.tool.as_str()))] {
            entries.extend(value.map(|value| (name.to_owned(), record::bounded(&json!(value)))));
        }
        entries.extend(record::of_workflow(call));
        let given =
            what.iter().filter_map(|(name, value)| Some(((*name).to_owned(), record::bounded(&json!((*value)?)))));
        entries.extend(given);
        self.append("approval", None, entries)
    }

    /// Logs what an administrator has done about an account.
    ///
    /// # Errors
    /// The line can't be written.
    pub(crate) fn administration(&self, what: &[(&str, Option<&str>)]) -> io::Result<String> {
        let given =
            what.iter().filter_map(|(name, value)| Some(((*name).to_owned(), record::bounded(&json!((*value)?)))));
        self.append("administration", None, given.collect())
    }

    /// Appends a line; returns its hash.
    fn append(&self, event: &str, id: Option<u64>, entries: Map<String, Value>) -> io::Result<String> {
        let mut log = self.log();
        log.append(&self.path, event, id, entries)?;
        Ok(log.last_hash().to_owned())
    }

    fn details(&self, call: &CallDetails) -> Map<String, Value> {
        let mut entries = record::details(call);
        entries.extend(self.profile.as_ref().map(|profile| (record::PROFILE.to_owned(), json!(profile))));
        entries
    }

    fn log(&self) -> std::sync::MutexGuard<'_, LogFile> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

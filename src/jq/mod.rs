//! A jq filter of a caller and a JSON text → the filter's result.
//!
//! A filter may run forever or fill all memory, and nothing inside a process stops it. It runs in a
//! child process: this program with the command [`COMMAND`], none of its environment, memory and time
//! limits that the system enforces, and no open files but its pipes.

mod filter;
mod limits;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::error::seconds;
use crate::fairness::{CallerKey, NoSlot, Shares, Slots};
pub(crate) use filter::run_child;

/// The hidden command with which this program evaluates a filter.
pub(crate) const COMMAND: &str = "evaluate-jq";
/// How long a filter may take, including the start of its process.
const DEADLINE: Duration = Duration::from_secs(2);
/// How many filters run at once.
const AT_ONCE: usize = 4;
/// How long a filter waits for the others, and how many of one caller may wait.
const WAIT: Duration = Duration::from_secs(10);
const MOST_WAITING: usize = 64;
/// The longest filter, in bytes.
const LONGEST_FILTER: usize = 10_000;
/// The largest result, in bytes. A model receives far less of it.
const LARGEST_RESULT: usize = 4_000_000;

/// Exit codes of a child.
mod exit {
    /// The filter is invalid or failed; standard output holds the reason.
    pub(super) const FILTER_FAILED: u8 = 3;
}

/// Evaluates filters in processes of their own.
#[derive(Debug, Clone)]
pub struct Evaluator {
    program: PathBuf,
    deadline: Duration,
    slots: Slots,
}

impl Evaluator {
    /// Creates an evaluator that starts `program`, which is this one.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let shares = Shares { waiting: MOST_WAITING, ..Shares::all_but_one(AT_ONCE) };
        Self { program: program.into(), deadline: DEADLINE, slots: Slots::new(shares) }
    }

    /// Returns the same evaluator with another time limit.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Returns the result of `filter` on `answer`: a single value, or a list of several. Callers have their
    /// turns.
    ///
    /// # Errors
    /// The reason why there is no result, for the author of the filter.
    pub(crate) async fn run(&self, filter: &str, answer: &str, caller: CallerKey) -> Result<String, String> {
        if filter.len() > LONGEST_FILTER {
            return Err(format!("`jq`: the filter is longer than {LONGEST_FILTER} characters"));
        }
        let _slot = self.slots.acquire(caller, Instant::now() + WAIT, |_| {}).await.map_err(busy)?;
        let child = Command::new(&self.program)
            .arg(COMMAND)
            .env_clear()
            .envs([limits::NOTHING_RESERVED])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`jq`: the filter can't be evaluated here: {error}\nhint: call without `jq`"))?;
        // Dropping this future kills the child.
        match tokio::time::timeout(self.deadline, exchange(child, filter, answer)).await {
            Ok(result) => result,
            Err(_) => Err(format!(
                "`jq`: the filter took longer than {} s\nhint: check that it ends; select before you combine",
                self.deadline.as_secs()
            )),
        }
    }
}

/// Why a filter is not evaluated now.
fn busy(NoSlot { own, retry_after, .. }: NoSlot) -> String {
    let whose = if own { "other filters of this caller" } else { "filters of other callers" };
    let seconds = seconds(retry_after);
    format!("`jq`: {whose} are being evaluated\nhint: call again in {seconds} s, or without `jq`")
}

/// Sends a child its input and reads its result.
async fn exchange(mut child: Child, filter: &str, answer: &str) -> Result<String, String> {
    let broken = |error: std::io::Error| format!("`jq`: the filter can't be evaluated here: {error}");
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("`jq`: the filter can't be evaluated here".to_owned());
    };
    let send = async {
        // A child that stops reading reports why.
        let length = u32::try_from(filter.len()).unwrap_or_default().to_le_bytes();
        let _ = input.write_all(&length).await;
        let _ = input.write_all(filter.as_bytes()).await;
        let _ = input.write_all(answer.as_bytes()).await;
        drop(input);
    };
    let mut output_bytes = Vec::new();
    let ((), read) = tokio::join!(send, output.read_to_end(&mut output_bytes));
    read.map_err(broken)?;
    let status = child.wait().await.map_err(broken)?;
    let text = String::from_utf8(output_bytes).map_err(|_| "`jq`: the result is not text".to_owned())?;
    match status.code() {
        Some(0) => Ok(text),
        Some(code) if code == i32::from(exit::FILTER_FAILED) => Err(format!("`jq`: {text}")),
        // Ended by the system: memory, depth of recursion, processor time.
        _ => Err(format!(
            "`jq`: the filter needed more memory or a deeper recursion than one call may use ({} MB)\n\
             hint: check that it ends; select before you combine",
            limits::MEMORY / 1_000_000
        )),
    }
}

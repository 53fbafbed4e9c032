//! A caller's filter in the language of jq and a text of JSON → what the filter makes of it.
//!
//! A filter may run for ever, or fill all memory, and nothing inside a process stops it. So it runs
//! in a child: this program again, with the command [`COMMAND`], an empty environment, bounds on
//! memory and time that the system keeps, and no file but its pipes.

mod bounds;
mod filter;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

pub use filter::run_child;

/// The command by which this program evaluates a filter; not for people.
pub const COMMAND: &str = "evaluate-jq";
/// How long a filter may take, its process included.
const DEADLINE: Duration = Duration::from_secs(2);
/// How many filters run at once.
const AT_ONCE: usize = 4;
/// The longest filter, in bytes.
const LONGEST_FILTER: usize = 10_000;
/// The largest result, in bytes. What a model gets is cut to far less.
const LARGEST_RESULT: usize = 4_000_000;

/// What a child ends with.
mod exit {
    pub(super) const REFUSED: u8 = 3;
}

/// Evaluates filters in processes of their own.
#[derive(Debug, Clone)]
pub struct Evaluator {
    program: PathBuf,
    deadline: Duration,
    slots: Arc<Semaphore>,
}

impl Evaluator {
    /// An evaluator that starts `program`, which is this one.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), deadline: DEADLINE, slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The same with another bound on time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Returns what `filter` makes of `answer`: the one value, or a list of several.
    ///
    /// # Errors
    /// Why there is no result, for whoever wrote the filter.
    pub async fn run(&self, filter: &str, answer: &str) -> Result<String, String> {
        if filter.len() > LONGEST_FILTER {
            return Err(format!("`jq`: the filter is longer than {LONGEST_FILTER} characters"));
        }
        let _slot = self.slots.acquire().await.map_err(|_| "`jq`: the server is stopping".to_owned())?;
        let child = Command::new(&self.program)
            .arg(COMMAND)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`jq`: the filter can't be evaluated here: {error}\nhint: call without `jq`"))?;
        // Whatever ends this future kills the child: it is dropped.
        match tokio::time::timeout(self.deadline, talk(child, filter, answer)).await {
            Ok(result) => result,
            Err(_) => Err(format!(
                "`jq`: the filter took longer than {} s\nhint: does it end? Select before you combine",
                self.deadline.as_secs()
            )),
        }
    }
}

async fn talk(mut child: Child, filter: &str, answer: &str) -> Result<String, String> {
    let broken = |error: std::io::Error| format!("`jq`: the filter can't be evaluated here: {error}");
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("`jq`: the filter can't be evaluated here".to_owned());
    };
    let send = async {
        // A child that has enough of it says why.
        let length = u32::try_from(filter.len()).unwrap_or_default().to_le_bytes();
        let _ = input.write_all(&length).await;
        let _ = input.write_all(filter.as_bytes()).await;
        let _ = input.write_all(answer.as_bytes()).await;
        drop(input);
    };
    let mut told = Vec::new();
    let ((), read) = tokio::join!(send, output.read_to_end(&mut told));
    read.map_err(broken)?;
    let status = child.wait().await.map_err(broken)?;
    let text = String::from_utf8(told).map_err(|_| "`jq`: the result is no text".to_owned())?;
    match status.code() {
        Some(0) => Ok(text),
        Some(code) if code == i32::from(exit::REFUSED) => Err(format!("`jq`: {text}")),
        // Ended by the system: memory, depth of recursion, processor time.
        _ => Err(format!(
            "`jq`: the filter needed more memory or a deeper recursion than one call may use ({} MB)\n\
             hint: does it end? Select before you combine",
            bounds::MEMORY / 1_000_000
        )),
    }
}

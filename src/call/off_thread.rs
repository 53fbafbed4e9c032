//! Work on an answer → its result, off the thread that serves wherever it may take long: that thread has all sessions.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;
use toolwright_model::answer_limits::INLINE_BYTES;

use super::failure::Failure;
use crate::error::CallError;

/// As many at once as there are cores, so that the thread that serves is not one among many.
static AT_ONCE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(cores))
});

/// The work did not end: it panicked, or the program is stopping.
#[derive(Debug, thiserror::Error)]
#[error("work on the answer stopped: {0}")]
pub(crate) struct Stopped(String);

/// The call was sent, and its answer came.
impl From<Stopped> for CallError {
    fn from(stopped: Stopped) -> Self {
        Self::Unknown(stopped.to_string().into())
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        Self::Projection(stopped.to_string())
    }
}

/// Does work on an answer of so many bytes.
///
/// # Errors
/// It did not end.
pub(crate) async fn off_thread<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stopped> {
    if bytes <= INLINE_BYTES {
        return Ok(work());
    }
    let permit = Arc::clone(&AT_ONCE).acquire_owned().await.map_err(|error| Stopped(error.to_string()))?;
    let work = move || {
        // Kept until the work ends, also where its caller has left.
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Stopped(error.to_string()))
}

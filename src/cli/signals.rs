//! Signals to this process → the end of its command, in order and within a bound. The command runs in a thread of its own:
//! whatever a file, a disk or a lock does to that thread, this one ends the process.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::printer::Printer;

/// How long a command may take to end after a signal: calls in flight have 10 seconds, a token that was requested 21.
const END_WITHIN: Duration = Duration::from_secs(25);
/// The stack of the command's thread, as large as a main thread's.
const STACK: usize = 8 * 1024 * 1024;
/// What a shell adds to a signal's number for the exit code of a process that it has ended.
const BY_SIGNAL: u8 = 128;

/// What a command makes of signals.
#[derive(Clone, Default)]
pub(super) struct Signals(Arc<Inner>);

#[derive(Default)]
struct Inner {
    stop: CancellationToken,
    /// Whether the command ends by itself when `stop` is cancelled.
    ends_itself: AtomicBool,
    /// What SIGHUP does instead of ending the process.
    hangup: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
}

impl Signals {
    /// Has the command end by itself from now on: the token is cancelled by a signal to stop. Before, such a signal
    /// ends the process at once.
    pub(super) fn end_by(&self) -> CancellationToken {
        self.0.ends_itself.store(true, Ordering::Release);
        self.0.stop.clone()
    }

    /// Has SIGHUP do this from now on, in a thread of its own.
    pub(super) fn on_hangup(&self, action: impl Fn() + Send + Sync + 'static) {
        *self.hangup() = Some(Arc::new(action));
    }

    fn hangup(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn Fn() + Send + Sync>>> {
        self.0.hangup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what SIGHUP does; returns whether there is such a thing.
    fn hang_up(&self) -> bool {
        let Some(action) = self.hangup().clone() else { return false };
        // It may touch files, which this thread must not wait for.
        let _ = std::thread::Builder::new().name("hangup".to_owned()).spawn(move || action());
        true
    }
}

/// Runs a command, and ends it by signals.
pub(super) fn watch(command: impl FnOnce(&Signals) -> ExitCode + Send + 'static) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    runtime.block_on(async {
        // Before the command runs, which announces that it is ready.
        let mut received = match Received::new() {
            Ok(received) => received,
            Err(error) => return failed(&format!("signals can't be received: {error}")),
        };
        let signals = Signals::default();
        let (end, mut ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("command".to_owned()).stack_size(STACK).spawn({
            let signals = signals.clone();
            move || end.send(command(&signals))
        });
        if let Err(error) = thread {
            return failed(&error.to_string());
        }
        loop {
            let signal = tokio::select! {
                // Without a code, the thread has ended by a panic, which has said so.
                code = &mut ended => return code.unwrap_or(ExitCode::FAILURE),
                signal = received.next() => signal,
            };
            if signal == Signal::Hangup && signals.hang_up() {
                continue;
            }
            if !signals.0.ends_itself.load(Ordering::Acquire) {
                return ExitCode::from(BY_SIGNAL + signal as u8);
            }
            signals.0.stop.cancel();
            return match tokio::time::timeout(END_WITHIN, &mut ended).await {
                Ok(code) => code.unwrap_or(ExitCode::FAILURE),
                Err(_) => failed("something holds the process up, such as a file that can't be reached; it ends now"),
            };
        }
    })
}

fn failed(what: &str) -> ExitCode {
    Printer::new().error(what);
    ExitCode::FAILURE
}

/// A signal, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Hangup = 1,
    Interrupt = 2,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Terminate = 15,
}

/// The signals of this process.
struct Received {
    #[cfg(unix)]
    signals: [(tokio::signal::unix::Signal, Signal); 3],
}

#[cfg(unix)]
impl Received {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [
            (signal(SignalKind::hangup())?, Signal::Hangup),
            (signal(SignalKind::interrupt())?, Signal::Interrupt),
            (signal(SignalKind::terminate())?, Signal::Terminate),
        ];
        Ok(Self { signals })
    }

    async fn next(&mut self) -> Signal {
        let [hangup, interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = hangup.0.recv() => hangup.1,
            _ = interrupt.0.recv() => interrupt.1,
            _ = terminate.0.recv() => terminate.1,
        }
    }
}

#[cfg(not(unix))]
impl Received {
    #[expect(clippy::unnecessary_wraps, reason = "as where there are more signals")]
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // No handler can be installed; then the signal ends the process itself.
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}

//! Answers of vendors, while they pass → a file that says where they differ from the descriptions: names, types and
//! statuses, no values. A call pays for a copy of a pointer; all else is done by a thread of its own, and what it can't
//! keep up with is counted and not looked at.

mod notes;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::{CallError, ConfigError};
use crate::upstream::Answer;
use notes::Notes;
use store::Store;

/// The most answers that wait to be looked at.
const MOST_WAITING: usize = 256;
/// The most bytes that wait to be looked at.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// How often the file is written at most.
const WRITE_INTERVAL: Duration = Duration::from_secs(5);
/// How long the end of the server waits for the last write.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// What an API's description says of its answers: the API's id, and the text of its `answers.json`.
pub type AnswerTable = (&'static str, &'static str);

/// Learns from answers; cheap to clone.
#[derive(Debug, Clone)]
pub struct Learner {
    sender: SyncSender<Message>,
    load: Arc<Load>,
}

/// What waits, and what there was no room for.
#[derive(Debug, Default)]
struct Load {
    bytes: AtomicUsize,
    skipped: AtomicU64,
}

enum Message {
    Answer(SeenAnswer),
    /// Write the file and say so.
    Finish(SyncSender<()>),
}

/// An answer, as far as it is compared with its description.
struct SeenAnswer {
    api: String,
    operation: String,
    status: u16,
    content_type: Option<String>,
    /// `None` where only the status counts.
    body: Option<Bytes>,
}

impl Learner {
    /// Opens the file to continue it, or creates it, and starts the thread.
    ///
    /// # Errors
    /// The file can't be written, is no file of `--learn`, or is in use by another process.
    pub fn open(path: &Path, tables: Vec<AnswerTable>) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError::new(format!("`--learn {}` {what}", path.display()));
        let (store, known) = Store::open(PathBuf::from(path)).map_err(wrong)?;
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let load = Arc::new(Load::default());
        let worker = Worker { notes: Notes::new(tables, known), store, load: Arc::clone(&load), dirty: false };
        let started = std::thread::Builder::new().name("learn".to_owned()).spawn(move || worker.run(&receiver));
        started.map_err(|error| wrong(format!("can't be written beside the calls: {error}")))?;
        Ok(Self { sender, load })
    }

    /// Takes note of what the vendor answered. Never waits.
    pub(crate) fn note(&self, api: &str, operation: &str, result: &Result<Answer, CallError>) {
        let (status, content_type, body) = match result {
            // A redirect has no answer of the vendor's; its body is ours.
            Ok(answer) if answer.status >= 300 => (answer.status, None, None),
            Ok(answer) => (answer.status, answer.content_type.clone(), Some(answer.body.clone())),
            Err(error) => match error.status() {
                Some(status) => (status, None, None),
                None => return,
            },
        };
        let size = body.as_ref().map_or(0, Bytes::len);
        let waiting = self.load.bytes.fetch_add(size, Ordering::Relaxed);
        let seen = SeenAnswer { api: api.to_owned(), operation: operation.to_owned(), status, content_type, body };
        if waiting + size > MOST_BYTES || self.sender.try_send(Message::Answer(seen)).is_err() {
            self.load.bytes.fetch_sub(size, Ordering::Relaxed);
            self.load.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what was learned until now, waiting a bounded time for it.
    pub fn finish(&self) {
        let (done, written) = sync_channel(1);
        let until = Instant::now() + LAST_WRITE;
        let mut message = Message::Finish(done);
        // Behind the answers that wait, which may fill the queue.
        while let Err(std::sync::mpsc::TrySendError::Full(back)) = self.sender.try_send(message) {
            if Instant::now() >= until {
                return;
            }
            message = back;
            std::thread::sleep(Duration::from_millis(5));
        }
        // Without an answer in time the file is as it was last written.
        let _ = written.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

/// The thread that looks at answers.
struct Worker {
    notes: Notes,
    store: Store,
    load: Arc<Load>,
    dirty: bool,
}

impl Worker {
    fn run(mut self, receiver: &Receiver<Message>) {
        let mut last_write: Option<Instant> = None;
        loop {
            // Before the next answer: under load there always is one. The first change is written at once.
            let is_due = last_write.is_none_or(|last| last.elapsed() >= WRITE_INTERVAL);
            if self.dirty && is_due {
                self.write();
                last_write = Some(Instant::now());
            }
            let next = match last_write.filter(|_| self.dirty) {
                Some(last) => receiver.recv_timeout(WRITE_INTERVAL.saturating_sub(last.elapsed())),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(Message::Answer(answer)) => self.look_at(&answer),
                Ok(Message::Finish(done)) => {
                    self.write();
                    last_write = Some(Instant::now());
                    // The server may have stopped waiting.
                    let _ = done.try_send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.write(),
            }
        }
    }

    fn look_at(&mut self, answer: &SeenAnswer) {
        self.load.bytes.fetch_sub(answer.body.as_ref().map_or(0, Bytes::len), Ordering::Relaxed);
        self.notes.add(answer);
        self.dirty = true;
    }

    fn write(&mut self) {
        let skipped = self.load.skipped.swap(0, Ordering::Relaxed);
        self.notes.learned.skipped += skipped;
        // What can't be written now is tried again with the next answer.
        if std::mem::take(&mut self.dirty) || skipped > 0 {
            self.store.write(&self.notes.learned);
        }
    }
}

//! Lines of text ⇄ MCP messages, one a line: what a client writes is read leniently, and a request that can't be read
//! is answered with its id. rmcp's own transport of this kind answers it without one, and goes on reading from a client
//! that does not read its answers, until all memory is used up.

use std::collections::HashSet;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, GetMeta as _, JsonRpcMessage, ProtocolVersion,
    RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::incoming::{LARGEST, Unreadable, error, read};
use super::unread::Scan;

/// How long a client may take to read what is written when the conversation ends.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// How many requests may be unanswered, and how many bytes of answers unread, before further lines are read.
const MOST_UNANSWERED: usize = 64;
const MOST_UNREAD: usize = 4 * 1024 * 1024;

/// A line to be written, and the channel that reports that it was.
type Outgoing = (Vec<u8>, oneshot::Sender<io::Result<()>>);

/// The server's side of a stream of lines, such as standard input and output.
#[derive(Debug)]
pub struct LineTransport<R> {
    reader: BufReader<R>,
    /// What has come of the current line.
    line: Vec<u8>,
    /// What was found in the current line, where it is too long and its rest is skipped.
    skipped: Option<Scan>,
    /// The requests that are not answered yet.
    unanswered: HashSet<RequestId>,
    /// What the client has not read yet.
    unread: Arc<Unread>,
    /// `None` after the end.
    outgoing: Option<mpsc::UnboundedSender<Outgoing>>,
    /// Writes whole lines: rmcp drops the future of an answer that takes long, and half a line would spoil the next.
    writing: JoinHandle<()>,
    /// An error on its way to the client.
    answering: Option<oneshot::Receiver<io::Result<()>>>,
    /// Whether the client has begun its conversation: rmcp ends where a notification comes before.
    begun: bool,
}

enum Line {
    Whole(Vec<u8>),
    /// What was found in one that is too long.
    TooLong(Scan),
}

/// How many bytes wait to be read.
#[derive(Debug, Default)]
struct Unread {
    bytes: AtomicUsize,
    /// Some of them were.
    read: Notify,
}

impl<R: AsyncRead + Unpin> LineTransport<R> {
    /// Reads lines from one stream, and writes to the other. Within a tokio runtime only.
    pub fn new(reader: R, writer: impl AsyncWrite + Unpin + Send + 'static) -> Self {
        let (outgoing, lines) = mpsc::unbounded_channel();
        let unread = Arc::<Unread>::default();
        Self {
            reader: BufReader::new(reader),
            line: Vec::new(),
            skipped: None,
            unanswered: HashSet::new(),
            unread: Arc::clone(&unread),
            outgoing: Some(outgoing),
            writing: tokio::spawn(write_lines(writer, lines, unread)),
            answering: None,
            begun: false,
        }
    }

    /// Has a message written, and returns what tells that it was.
    fn write(&self, message: &impl Serialize) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let (done, written) = oneshot::channel();
        self.unread.bytes.fetch_add(line.len(), Ordering::Relaxed);
        let sent = self.outgoing.as_ref().map(|outgoing| outgoing.send((line, done)));
        if matches!(sent, Some(Ok(()))) { Ok(written) } else { Err(io::ErrorKind::NotConnected.into()) }
    }

    /// Reads on to the end of a line; `None` at the end of the stream. May be dropped at any await without loss: what
    /// was read is in `self`.
    async fn next_line(&mut self) -> Option<Line> {
        loop {
            let available = match self.reader.fill_buf().await {
                Ok(available) => available,
                Err(error) => {
                    tracing::error!("reading messages: {error}");
                    return None;
                }
            };
            if available.is_empty() {
                // The last line may lack its end.
                return Some(mem::take(&mut self.line)).filter(|line| !line.is_empty()).map(Line::Whole);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            let piece = &available[..taken];
            match &mut self.skipped {
                Some(scan) => scan.feed(piece),
                None if self.line.len() + taken <= LARGEST => self.line.extend_from_slice(piece),
                None => {
                    // Its id may be at its end.
                    let mut scan = Scan::of(&mem::take(&mut self.line));
                    scan.feed(piece);
                    self.skipped = Some(scan);
                }
            }
            self.reader.consume(taken);
            if end.is_some() {
                let line = mem::take(&mut self.line);
                return Some(self.skipped.take().map_or(Line::Whole(line), Line::TooLong));
            }
        }
    }

    /// Waits until the client has read what it asked for, if that is much. May be dropped at any await without loss.
    async fn until_read(&mut self) {
        while self.unread.bytes.load(Ordering::Relaxed) > MOST_UNREAD {
            self.unread.read.notified().await;
        }
        if self.unanswered.len() >= MOST_UNANSWERED {
            // Sending an answer ends this wait: it needs the transport for itself.
            std::future::pending::<()>().await;
        }
    }

    /// Notes what a message means for the requests that are unanswered; an error where its id is one of theirs.
    fn note(&mut self, message: &ClientJsonRpcMessage) -> Result<(), Unreadable> {
        match message {
            JsonRpcMessage::Request(request) if !self.unanswered.insert(request.id.clone()) => {
                let reason = "another request has this `id` and is not answered yet";
                let answer = error(ErrorCode::INVALID_REQUEST, &request.id.clone().into_json_value(), reason);
                Err(Unreadable { code: ErrorCode::INVALID_REQUEST, answer: Some(answer) })
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.unanswered.remove(id);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl<R: AsyncRead + Unpin + Send> Transport<RoleServer> for LineTransport<R> {
    type Error = io::Error;

    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let answered = match &message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            _ => None,
        };
        if let Some(id) = answered {
            self.unanswered.remove(id);
        }
        let written = self.write(&message);
        async { written?.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())) }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            // A client that does not read its errors gets no further ones.
            if let Some(answering) = &mut self.answering {
                let written = answering.await;
                self.answering = None;
                written.ok()?.ok()?;
            }
            self.until_read().await;
            let read = match self.next_line().await? {
                Line::Whole(line) if line.trim_ascii().is_empty() => continue,
                Line::Whole(line) => read(&line).map(|read| read.message),
                Line::TooLong(scan) => Err(Unreadable::too_large(&scan)),
            };
            match read.and_then(|message| self.note(&message).map(|()| message)) {
                Ok(message) => {
                    self.begun |= begins(&message);
                    if self.begun || matches!(message, JsonRpcMessage::Request(_)) {
                        return Some(message);
                    }
                }
                Err(Unreadable { answer: Some(answer), .. }) => self.answering = Some(self.write(&answer).ok()?),
                Err(_) => tracing::debug!("a message that can't be read and asks for no answer was ignored"),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.outgoing = None;
        match tokio::time::timeout(READ_WITHIN, &mut self.writing).await {
            Ok(_) => Ok(()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Writes lines until there are no more, or the client has gone.
async fn write_lines(
    mut writer: impl AsyncWrite + Unpin,
    mut lines: mpsc::UnboundedReceiver<Outgoing>,
    unread: Arc<Unread>,
) {
    while let Some((line, done)) = lines.recv().await {
        let written = async {
            writer.write_all(&line).await?;
            writer.flush().await
        };
        let written = written.await;
        unread.bytes.fetch_sub(line.len(), Ordering::Relaxed);
        unread.read.notify_one();
        let is_end = written.is_err();
        // The receiver may be gone.
        let _ = done.send(written);
        if is_end {
            break;
        }
    }
}

/// Returns whether rmcp takes this message for the beginning of a conversation: `initialize`, or a request that brings
/// along what `initialize` would agree on.
fn begins(message: &ClientJsonRpcMessage) -> bool {
    let JsonRpcMessage::Request(request) = message else { return false };
    match &request.request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                && meta.protocol_version().is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
        }
    }
}

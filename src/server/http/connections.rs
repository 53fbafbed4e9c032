//! Sockets → requests, within bounds: a connection that sends nothing is closed after a while, and where too many are
//! open, those that use theirs least make room. Descriptors are left for the vendors.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use super::tls::TlsIdentity;
use super::unread_body::ReturnedBody;

/// The most connections, where the system allows as many.
const MOST: usize = 1_024;
/// How many may wait to be accepted.
pub(super) const MOST_UNACCEPTED: u32 = 1_024;
/// How many descriptors the process needs for itself, at most.
const KEPT: usize = 32;
/// The fewest that are served, whatever the system allows.
const FEWEST: usize = 8;
/// How many more are accepted to be told that there are too many, or to be asked whether the server is alive.
const MORE: usize = 16;
/// How long the head of a request may take, and how long a connection may wait for its next one.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long an answer may wait to be read. An open stream has something to read every 15 seconds.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// How often those are looked for that don't read.
const SWEEP: Duration = Duration::from_secs(5);
/// How long to wait where the system has no further descriptor.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// What a connection does, from what can be given up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It waits for a request, or for the rest of its head.
    Waiting,
    /// It waits for the rest of a body.
    Receiving,
    /// It waits until the client reads an answer, or an open stream has another message.
    Sending,
    /// A request is being answered.
    Answering,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// The phase, and when something was received or sent last.
    phase: Mutex<(Phase, Instant)>,
    /// Cancelled where it has to make room.
    close: CancellationToken,
    /// Whether it is one too many.
    is_surplus: bool,
    /// Whether its other end is on this machine.
    is_of_this_machine: bool,
}

impl Connection {
    fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = (phase, Instant::now());
    }

    fn phase(&self) -> (Phase, Instant) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another part of a body has come.
    pub(super) fn receives(&self) {
        self.enter(Phase::Receiving);
    }

    /// The request has come completely.
    pub(super) fn answers(&self) {
        self.enter(Phase::Answering);
    }

    /// Whether its other end is on this machine.
    pub(super) fn is_of_this_machine(&self) -> bool {
        self.is_of_this_machine
    }

    /// Whether there are too many connections for this one.
    pub(super) fn is_surplus(&self) -> bool {
        self.is_surplus
    }
}

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    last: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
}

impl Default for Connections {
    fn default() -> Self {
        // The others are for vendors, filters and files.
        let most = descriptors().map_or(MOST, |descriptors| (descriptors.saturating_sub(KEPT) / 2).clamp(FEWEST, MOST));
        Self { most, last: AtomicU64::new(0), open: Mutex::default() }
    }
}

/// How many files and sockets the system lets this process have.
fn descriptors() -> Option<usize> {
    #[cfg(unix)]
    {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        limit.current.and_then(|most| usize::try_from(most).ok())
    }
    #[cfg(not(unix))]
    None
}

impl Connections {
    /// Serves until `stop` is cancelled and the requests in flight are answered.
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        tls: Option<TlsIdentity>,
        router: Router,
        stop: CancellationToken,
    ) {
        let connections = Arc::new(self);
        let tracker = TaskTracker::new();
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = sweep.tick() => {
                    connections.close_unread();
                    continue;
                }
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    if let Some((number, connection)) = connections.admit(peer.ip()) {
                        let admitted = Admitted { connections: Arc::clone(&connections), number };
                        let (router, stop) = (router.clone(), stop.clone());
                        let acceptor = tls.as_ref().map(TlsIdentity::acceptor);
                        tracker.spawn(async move {
                            // Without it an answer in two writes waits 40 ms for the client's acknowledgement.
                            let _ = stream.set_nodelay(true);
                            match acceptor {
                                None => serve_one(stream, &connection, router, stop).await,
                                Some(acceptor) => {
                                    if let Some(stream) = encrypted(acceptor, stream, &connection).await {
                                        serve_one(stream, &connection, router, stop).await;
                                    }
                                }
                            }
                            drop(admitted);
                        });
                    }
                }
                // The client has gone already.
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    tracing::warn!("a connection can't be accepted: {error}");
                    connections.make_room();
                    tokio::time::sleep(EXHAUSTED).await;
                }
            }
        }
        drop(listener);
        tracker.close();
        tracker.wait().await;
    }

    /// Makes room for another connection; `None` where there is not even room to refuse it.
    fn admit(&self, peer: IpAddr) -> Option<(u64, Arc<Connection>)> {
        let is_full = self.open().len() >= self.most;
        let is_surplus = is_full && !self.make_room();
        if self.open().len() >= self.most + MORE {
            return None;
        }
        let connection = Arc::new(Connection {
            phase: Mutex::new((Phase::Waiting, Instant::now())),
            close: CancellationToken::new(),
            is_surplus,
            is_of_this_machine: peer.to_canonical().is_loopback(),
        });
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, Arc::clone(&connection));
        Some((number, connection))
    }

    /// Closes the connection that can be given up first: of those that wait, the one that waits longest. One whose
    /// request is being answered is never closed. Returns whether there was another.
    fn make_room(&self) -> bool {
        let mut open = self.open();
        let phases = open.iter().map(|(number, connection)| (connection.phase(), *number));
        let first = phases.filter(|((phase, _), _)| *phase < Phase::Answering).min();
        let Some(closed) = first.and_then(|(_, number)| open.remove(&number)) else { return false };
        closed.close.cancel();
        true
    }

    /// Closes connections whose client does not read its answer.
    fn close_unread(&self) {
        for connection in self.open().values() {
            let (phase, since) = connection.phase();
            if phase == Phase::Sending && since.elapsed() > READ_WITHIN {
                connection.close.cancel();
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the open connections.
struct Admitted {
    connections: Arc<Connections>,
    number: u64,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Agrees with a client on the encryption; `None` where that fails, takes too long, or has to make room.
async fn encrypted(acceptor: TlsAcceptor, stream: TcpStream, connection: &Connection) -> Option<TlsStream<TcpStream>> {
    tokio::select! {
        agreed = timeout(HEAD_WITHIN, acceptor.accept(stream)) => agreed.ok()?.ok(),
        () = connection.close.cancelled() => None,
    }
}

/// Answers the requests of one connection until it ends, has to make room, or the server stops.
async fn serve_one(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: &Arc<Connection>,
    router: Router,
    stop: CancellationToken,
) {
    let service = hyper::service::service_fn(|request: hyper::Request<Incoming>| {
        let (router, connection) = (router.clone(), Arc::clone(connection));
        async move { Ok::<_, Infallible>(answer(request, connection, router).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            // Its faults are the client's.
            _ = serving.as_mut() => return,
            () = connection.close.cancelled() => return,
            () = stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn answer(request: hyper::Request<Incoming>, connection: Arc<Connection>, mut router: Router) -> Response {
    connection.enter(if request.body().is_end_stream() { Phase::Answering } else { Phase::Receiving });
    let (parts, body) = request.into_parts();
    let (body, rest) = ReturnedBody::new(body);
    let mut request = Request::from_parts(parts, Body::new(body));
    request.extensions_mut().insert(Arc::clone(&connection));
    let Ok(mut response) = router.call(request).await;
    rest.leave(&mut response).await;
    let sending = Sending(connection);
    sending.0.enter(Phase::Sending);
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            sending.0.enter(Phase::Sending);
            frame
        }))
    })
}

/// An answer that is being sent.
struct Sending(Arc<Connection>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.enter(Phase::Waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn connections(most: usize) -> Connections {
        Connections { most, ..Connections::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_is_used_least_makes_room() {
        let connections = connections(4);
        let mut admitted = Vec::new();
        for phase in [Phase::Answering, Phase::Sending, Phase::Receiving, Phase::Waiting] {
            let (_, connection) = connections.admit(NEAR).unwrap();
            connection.enter(phase);
            admitted.push(connection);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let closed = |admitted: &[Arc<Connection>]| -> Vec<bool> {
            admitted.iter().map(|connection| connection.close.is_cancelled()).collect()
        };
        for expected in [[false, false, false, true], [false, false, true, true], [false, true, true, true]] {
            let (_, next) = connections.admit(NEAR).unwrap();
            assert!(!next.is_surplus());
            next.answers();
            assert_eq!(closed(&admitted), expected);
        }
        let mut surplus = 0;
        while let Some((_, connection)) = connections.admit(NEAR) {
            assert!(connection.is_surplus());
            connection.answers();
            surplus += 1;
        }
        assert_eq!((closed(&admitted), surplus), (vec![false, true, true, true], MORE));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_is_given_up() {
        let connections = connections(4);
        let (_, unread) = connections.admit(NEAR).unwrap();
        let (_, read) = connections.admit(NEAR).unwrap();
        for connection in [&unread, &read] {
            connection.enter(Phase::Sending);
        }
        tokio::time::sleep(READ_WITHIN).await;
        read.enter(Phase::Sending);
        tokio::time::sleep(Duration::from_secs(1)).await;
        connections.close_unread();
        assert!(unread.close.is_cancelled() && !read.close.is_cancelled());
    }
}

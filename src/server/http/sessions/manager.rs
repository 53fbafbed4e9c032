//! What rmcp asks of sessions (open, use, end, resume) → the sessions of this server, with bounds.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::request::Parts;
use futures_util::Stream;
use rmcp::ErrorData;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, GetExtensions as _, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::WorkerTransport;
use rmcp::transport::common::server_side_http::session_id;
use rmcp::transport::streamable_http_server::session::local::{
    EventId, LocalSessionHandle, LocalSessionWorker, SessionConfig, create_local_session,
};
use rmcp::transport::streamable_http_server::session::{RestoreOutcome, ServerSseMessage, SessionId, SessionManager};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{MOST_UNREAD, Session, SessionFault, Sessions, close, make_room_awake};
use crate::access::Admitted;
use crate::server::session::{OfSession, SessionOwner};

/// The sessions as rmcp opens, uses and ends them, for clients of some versions.
#[derive(Debug)]
pub(in crate::server::http) struct Manager {
    sessions: Arc<Sessions>,
    config: SessionConfig,
    is_older: bool,
}

impl Manager {
    pub(in crate::server::http) fn new(sessions: &Arc<Sessions>, is_older: bool) -> Self {
        let mut config = SessionConfig::default();
        // They are put to sleep here.
        config.keep_alive = None;
        if is_older {
            config.sse_retry = None;
        }
        Self { sessions: Arc::clone(sessions), config, is_older }
    }

    fn start(&self, id: &SessionId) -> (LocalSessionHandle, WorkerTransport<LocalSessionWorker>) {
        let (handle, worker) = create_local_session(id.clone(), self.config.clone());
        (handle, WorkerTransport::spawn(worker))
    }

    /// Passes the messages of a stream on to a client that may not read them.
    fn pass_on(
        &self,
        id: &SessionId,
        mut messages: mpsc::Receiver<ServerSseMessage>,
        is_of_session: bool,
    ) -> mpsc::Receiver<ServerSseMessage> {
        let (client, unread) = mpsc::channel(MOST_UNREAD);
        let (sessions, id) = (Arc::clone(&self.sessions), id.clone());
        if is_of_session {
            sessions.with(&id, |session| session.streams += 1);
        }
        tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    message = messages.recv() => message,
                    // The answer to a request is waited for all the same: its id is in use until then.
                    () = client.closed(), if is_of_session => None,
                };
                let Some(message) = message else { break };
                let answered = message.message.as_deref().and_then(answered).cloned();
                if let Some(request) = &answered {
                    sessions.answered(&id, request);
                }
                if answered.is_some() && !is_of_session {
                    // The last one of its stream.
                    let _ = client.send(message).await;
                } else {
                    let _ = client.try_send(message);
                }
            }
            if is_of_session {
                sessions.with(&id, |session| session.streams = session.streams.saturating_sub(1));
            }
        });
        unread
    }
}

/// The id of the request that a message answers.
fn answered(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        JsonRpcMessage::Error(error) => error.id.as_ref(),
        _ => None,
    }
}

/// A request that counts as unanswered; it no longer does when this is dropped before its answer is passed on.
struct Begun<'a> {
    sessions: &'a Sessions,
    id: &'a SessionId,
    request: Option<RequestId>,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.sessions.answered(self.id, &request);
        }
    }
}

fn stream(mut messages: mpsc::Receiver<ServerSseMessage>) -> impl Stream<Item = ServerSseMessage> + Send + Sync {
    futures_util::stream::poll_fn(move |context| messages.poll_recv(context))
}

impl SessionManager for Manager {
    type Error = SessionFault;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), SessionFault> {
        if !self.sessions.make_room() {
            return Err(SessionFault::Full);
        }
        let id = session_id();
        let (handle, transport) = self.start(&id);
        let number = self.sessions.last.fetch_add(1, Ordering::Relaxed) + 1;
        let session = Session {
            awake: Some(handle),
            kept: Arc::new(OfSession::new(number)),
            stated: None,
            used: Instant::now(),
            unanswered: HashSet::new(),
            streams: 0,
            is_older: self.is_older,
            ends: 0,
        };
        self.sessions.known().insert(id.clone(), session);
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionFault> {
        let handle = self.sessions.handle(id)?;
        let kept = self.sessions.with(id, |session| Arc::clone(&session.kept)).ok_or(SessionFault::Unknown)?;
        if let JsonRpcMessage::Request(request) = &mut message {
            let extensions = request.request.extensions_mut();
            if let Some(admitted) = extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Admitted>()) {
                self.sessions.opened_by(id, &SessionOwner::of(admitted));
            }
            extensions.insert(kept);
        }
        Ok(handle.initialize(message).await?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionFault> {
        Ok(self.sessions.handle(id).is_ok())
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), SessionFault> {
        let mut known = self.sessions.known();
        let Some(session) = known.get_mut(id) else { return Ok(()) };
        if session.ends > 0 {
            // The end of a worker that was put to sleep; the session may be awake again.
            session.ends -= 1;
            return Ok(());
        }
        if let Some(handle) = session.awake.take() {
            close(handle);
        }
        if session.stated.is_none() {
            known.remove(id);
        }
        Ok(())
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionFault> {
        let handle = self.sessions.handle(id)?;
        let JsonRpcMessage::Request(request) = &message else { return Err(SessionFault::Unknown) };
        let request = request.id.clone();
        if let Err(reason) = self.sessions.begin(id, &request) {
            let (refusal, refused) = mpsc::channel(1);
            let error = JsonRpcMessage::error(ErrorData::invalid_request(reason, None), Some(request));
            let _ = refusal.try_send(ServerSseMessage::from_message(error));
            return Ok(stream(refused));
        }
        // Its client may leave at any await; then nothing else would free the id.
        let mut begun = Begun { sessions: &self.sessions, id, request: Some(request) };
        let receiver = handle.establish_request_wise_channel().await?;
        handle.push_message(message, receiver.http_request_id).await?;
        begun.request = None;
        Ok(stream(self.pass_on(id, receiver.inner, false)))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), SessionFault> {
        let handle = self.sessions.handle(id)?;
        if let JsonRpcMessage::Notification(notification) = &message
            && let ClientNotification::CancelledNotification(cancelled) = &notification.notification
            && let Some(request) = &cancelled.params.request_id
        {
            self.sessions.answered(id, request);
        }
        Ok(handle.push_message(message, None).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionFault> {
        let receiver = self.sessions.handle(id)?.establish_common_channel().await?;
        Ok(stream(self.pass_on(id, receiver.inner, true)))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionFault> {
        let last: EventId = last_event_id.parse()?;
        let receiver = self.sessions.handle(id)?.resume(last).await?;
        Ok(stream(self.pass_on(id, receiver.inner, receiver.http_request_id.is_none())))
    }

    async fn restore_session(&self, id: SessionId) -> Result<RestoreOutcome<Self::Transport>, SessionFault> {
        if !make_room_awake(&mut self.sessions.known()) {
            return Err(SessionFault::Full);
        }
        let (handle, transport) = self.start(&id);
        let woken = self.sessions.with(&id, |session| {
            session.used = Instant::now();
            session.awake = Some(handle);
        });
        Ok(woken.map_or(RestoreOutcome::NotSupported, |()| RestoreOutcome::Restored(transport)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use rmcp::model::{ClientRequest, EmptyResult, InitializeRequestParams, PingRequest, ServerResult};

    use super::super::{ENDS_AFTER, MOST, MOST_AWAKE, MOST_BUSY_OF_CALLER, MOST_OF_CALLER, SLEEPS_AFTER};
    use super::*;
    use crate::access::Principal;

    fn answer(id: i64) -> ServerSseMessage {
        let result = ServerResult::EmptyResult(EmptyResult {});
        ServerSseMessage::from_message(JsonRpcMessage::response(result, RequestId::Number(id)))
    }

    async fn opened(manager: &Manager) -> SessionId {
        let (id, transport) = manager.create_session().await.unwrap();
        drop(transport);
        let stated = serde_json::to_string(&InitializeRequestParams::default()).unwrap();
        manager.sessions.with(&id, |session| session.stated = Some(stated.into())).unwrap();
        id
    }

    #[tokio::test]
    async fn an_unread_stream_does_not_delay_its_session() {
        let manager = Manager::new(&Arc::default(), false);
        let id = opened(&manager).await;
        for is_of_session in [true, false] {
            let (worker, messages) = mpsc::channel(16);
            let mut unread = manager.pass_on(&id, messages, is_of_session);
            for _ in 0..10_000 {
                worker.send(ServerSseMessage::default()).await.unwrap();
            }
            worker.send(answer(1)).await.unwrap();
            drop(worker);
            let mut read = Vec::new();
            while let Some(message) = unread.recv().await {
                read.push(message.message.is_some());
            }
            assert!((MOST_UNREAD..2 * MOST_UNREAD).contains(&read.len()), "{}", read.len());
            assert!(is_of_session || read.last() == Some(&true), "the answer to a request is not dropped");
        }
    }

    #[tokio::test]
    async fn a_client_that_leaves_at_once_keeps_no_request_open() {
        let manager = Manager::new(&Arc::default(), false);
        let (id, _transport) = manager.create_session().await.unwrap();
        let ping = ClientRequest::PingRequest(PingRequest::default());
        let message = ClientJsonRpcMessage::request(ping, RequestId::Number(1));
        // The worker has not run yet: the request is begun, and waits.
        assert!(manager.create_stream(&id, message).now_or_never().is_none());
        assert_eq!(manager.sessions.begin(&id, &RequestId::Number(1)), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_sleep_and_are_forgotten_by_when_they_were_used() {
        let manager = Manager::new(&Arc::default(), false);
        let busy = opened(&manager).await;
        manager.sessions.begin(&busy, &RequestId::Number(1)).unwrap();
        let mut ids = Vec::new();
        for _ in 0..MOST {
            tokio::time::advance(Duration::from_millis(1)).await;
            ids.push(opened(&manager).await);
        }
        let awake = |id: &SessionId| manager.sessions.with(id, |session| session.awake.is_some());
        assert_eq!(manager.sessions.known().len(), MOST);
        assert_eq!(manager.sessions.known().values().filter(|session| session.awake.is_some()).count(), MOST_AWAKE);
        assert_eq!(awake(&busy), Some(true), "one with a request in flight stays");
        assert_eq!((awake(&ids[0]), awake(&ids[1]), awake(&ids[MOST - 1])), (None, Some(false), Some(true)));
        assert!(matches!(manager.restore_session(ids[1].clone()).await, Ok(RestoreOutcome::Restored(_))));
        assert_eq!(awake(&ids[1]), Some(true));
        tokio::time::advance(SLEEPS_AFTER).await;
        manager.sessions.put_to_sleep();
        assert_eq!((awake(&busy), awake(&ids[1])), (Some(true), Some(false)));
        tokio::time::advance(ENDS_AFTER).await;
        manager.sessions.put_to_sleep();
        assert_eq!(manager.sessions.known().len(), 1);
    }

    fn owner(name: &str) -> SessionOwner {
        SessionOwner { principal: Principal::of_link(name, name), grant: name.to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_with_many_sessions_takes_none_from_another() {
        let manager = Manager::new(&Arc::default(), false);
        let of = async |name: &str| {
            tokio::time::advance(Duration::from_millis(1)).await;
            let id = opened(&manager).await;
            manager.sessions.opened_by(&id, &owner(name));
            id
        };
        let mine = of("mine").await;
        let mut theirs = Vec::new();
        for _ in 0..MOST {
            theirs.push(of("theirs").await);
        }
        let is_known = |id: &SessionId| manager.sessions.known().contains_key(id);
        assert!(is_known(&mine), "the oldest of all, and of another caller");
        assert_eq!(manager.sessions.known().len(), 1 + MOST_OF_CALLER);
        let kept: Vec<bool> = theirs.iter().map(is_known).collect();
        let newest = MOST - MOST_OF_CALLER;
        assert!(!kept[..newest].contains(&true) && !kept[newest..].contains(&false), "its own oldest go first");
        let busy = &theirs[newest..newest + MOST_BUSY_OF_CALLER];
        for id in busy {
            manager.sessions.begin(id, &RequestId::Number(1)).unwrap();
        }
        let last = &theirs[MOST - 1];
        assert!(manager.sessions.begin(last, &RequestId::Number(1)).unwrap_err().contains("this caller"));
        assert_eq!(manager.sessions.begin(&busy[0], &RequestId::Number(2)), Ok(()), "a busy one may go on");
        assert_eq!(manager.sessions.begin(&mine, &RequestId::Number(1)), Ok(()));
        manager.sessions.answered(&busy[1], &RequestId::Number(1));
        assert_eq!(manager.sessions.begin(last, &RequestId::Number(1)), Ok(()));
    }

    #[tokio::test]
    async fn an_id_is_in_use_until_its_request_is_answered() {
        let manager = Manager::new(&Arc::default(), false);
        let id = opened(&manager).await;
        let begin = |number| manager.sessions.begin(&id, &RequestId::Number(number));
        begin(1).unwrap();
        assert!(begin(1).unwrap_err().contains("`id`"));
        manager.sessions.answered(&id, &RequestId::Number(1));
        for number in 1..=64 {
            begin(number).unwrap();
        }
        assert!(begin(65).unwrap_err().contains("too many"));
    }
}

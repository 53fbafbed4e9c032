//! The server on standard input and output. Standard output belongs to the protocol.

use std::time::Duration;

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::stdio_pipes;
use tokio_util::sync::CancellationToken;

use super::Server;

/// How long calls in flight may take to end after the server was told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Serves until the client goes away or `stop` is cancelled; then calls in flight are dropped.
///
/// # Errors
/// The handshake fails, or the connection breaks in a way that is no end of input.
pub async fn serve(server: Server, stop: CancellationToken) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let running = tokio::select! {
        running = server.serve(stdio_pipes()) => running,
        () = stop.cancelled() => return Ok(()),
    };
    let running = match running {
        Ok(running) => running,
        // A client that leaves before it speaks has nothing to complain about.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let service = running.cancellation_token();
    let mut ended = std::pin::pin!(running.waiting());
    tokio::select! {
        ended = &mut ended => drop(ended?),
        () = stop.cancelled() => {
            service.cancel();
            // A client that does not read must not keep us.
            let _ = tokio::time::timeout(STOP_WITHIN, ended).await;
        }
    }
    Ok(())
}

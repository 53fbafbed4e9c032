//! Lines on standard input → MCP answers on standard output, which belongs to the protocol.

use std::time::Duration;

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::stdio_pipes;
use tokio_util::sync::CancellationToken;

use super::Server;
use super::lines::LineTransport;

/// How long ending may take after a request to stop.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Serves until the client disconnects or `stop` is cancelled; then calls in flight are dropped.
///
/// # Errors
/// The handshake fails, or the connection ends other than by the end of input.
pub(crate) async fn serve(
    server: Server,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (input, output) = stdio_pipes();
    let running = tokio::select! {
        running = server.serve(LineTransport::new(input, output)) => running,
        () = stop.cancelled() => return Ok(()),
    };
    let running = match running {
        Ok(running) => running,
        // A client that disconnects before the handshake is no fault.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let service = running.cancellation_token();
    let mut ended = std::pin::pin!(running.waiting());
    tokio::select! {
        ended = &mut ended => drop(ended?),
        () = stop.cancelled() => {
            service.cancel();
            // A client that does not read its answers must not delay the exit.
            let _ = tokio::time::timeout(STOP_WITHIN, ended).await;
        }
    }
    Ok(())
}

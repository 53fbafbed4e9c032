//! The server on standard input and output. Standard output belongs to the protocol.

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::stdio_pipes;

use super::Server;

/// Serves until the client goes away.
///
/// # Errors
/// The handshake fails, or the connection breaks in a way that is no end of input.
pub async fn serve(server: Server) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let running = match server.serve(stdio_pipes()).await {
        Ok(running) => running,
        // A client that leaves before it speaks has nothing to complain about.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    running.waiting().await?;
    Ok(())
}

//! An address as an operator writes it → a socket that listens there; the pages of a console → a server of their own, with
//! the bounds of this one.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use super::TlsIdentity;
use super::connections::{self, Connections};
use crate::error::ConfigError;

/// A socket that listens, and its address.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
}

impl Listening {
    /// Listens on `address`, such as `127.0.0.1:8080`, `localhost:8080` or `8080`; port 0 is any free port. `flag` is what
    /// an error names, and `hint` what it advises where the address is not of this machine alone; without one it may be.
    ///
    /// # Errors
    /// The address is malformed, is not on the loopback interface, or is in use.
    pub(super) fn open(
        flag: &str,
        address: &str,
        hint: Option<&dyn Fn(SocketAddr) -> String>,
    ) -> Result<Self, ConfigError> {
        let parsed = address.parse::<SocketAddr>().ok();
        let parsed = parsed.or_else(|| format!("127.0.0.1:{address}").parse().ok().filter(|_| !address.contains(':')));
        let parsed = parsed.or_else(|| format!("127.0.0.1:{}", address.strip_prefix("localhost:")?).parse().ok());
        let Some(parsed) = parsed else {
            return Err(ConfigError::new(format!(
                "`{flag} {address}` is no address\nhint: for example `127.0.0.1:8080`"
            )));
        };
        if let Some(hint) = hint.filter(|_| !parsed.ip().is_loopback()) {
            return Err(ConfigError::new(format!("`{flag} {address}` {}", hint(parsed))));
        }
        let listening = listen(parsed).and_then(|listener| Ok(Self { address: listener.local_addr()?, listener }));
        listening.map_err(|error| ConfigError::new(format!("can't listen on `{address}`: {error}")))
    }
}

/// Listens on an address. Connections that come faster than they are accepted wait for it: with the usual short queue
/// their clients would try again after a second.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As everywhere but on Windows, where it would let two programs listen on one address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(connections::MOST_UNACCEPTED)
}

/// A bound address for pages that people read, apart from that of MCP.
#[derive(Debug)]
pub struct PageServer {
    listening: Listening,
    tls: Option<TlsIdentity>,
}

impl PageServer {
    /// Listens on an address of this machine alone. `flag` is what an error names.
    ///
    /// # Errors
    /// The address is malformed, is not on the loopback interface, or is in use.
    pub fn bind_here(flag: &str, address: &str) -> Result<Self, ConfigError> {
        let hint = |parsed: SocketAddr| {
            format!(
                "would be reachable from other machines; its pages are for the person at this one\nhint: `127.0.0.1:{}`",
                parsed.port()
            )
        };
        Ok(Self { listening: Listening::open(flag, address, Some(&hint))?, tls: None })
    }

    /// Listens on an address that other machines may reach: its pages ask who reads them.
    ///
    /// # Errors
    /// The address is malformed, or is in use.
    pub fn bind(flag: &str, address: &str) -> Result<Self, ConfigError> {
        Ok(Self { listening: Listening::open(flag, address, None)?, tls: None })
    }

    /// Serves HTTPS in place of HTTP.
    #[must_use]
    pub fn with_tls(mut self, identity: Option<TlsIdentity>) -> Self {
        self.tls = identity;
        self
    }

    /// Where the pages are.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listening.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// Whether what is sent can be read on its way to other machines.
    pub fn is_in_the_clear(&self) -> bool {
        !self.listening.address.ip().is_loopback() && self.tls.is_none()
    }

    /// Serves until `stop` is cancelled and the requests in flight are answered.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        Connections::default().serve(self.listening.listener, self.tls, router, stop).await;
    }
}

//! Sandbox tables of the generated code → an upstream in place of the vendors, on a loopback port of this process.
//!
//! It checks each request against the vendor's description and answers from the description's examples, else from its
//! schemas. `serve`, `call` and the tests start it; a [`Script`] has precedence over the description, and tests read the
//! requests that arrived. It imports no room that makes requests: a fault there would hide itself here.
//!
//! ```text
//! request → route → read → script? → credentials → checks → the description's answer
//!            404 405  400             401            400      (its page)
//! ```

mod answer;
mod body;
mod check;
mod credentials;
mod error;
mod paging;
mod problem;
mod record;
mod route;
mod schema;
mod script;
mod server;
mod table;
mod text;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use error::SandboxError;
pub use problem::RequestProblem;
pub use record::{Recorded, Verdict};
pub use script::Script;
use server::{SandboxApi, SandboxState};

/// A running sandbox, which stops when dropped.
pub struct Sandbox {
    address: SocketAddr,
    shared: Arc<SandboxState>,
    server: AbortHandle,
}

impl Sandbox {
    /// Starts a sandbox for the APIs, each an id and the text of its table.
    ///
    /// Tables are parsed at the first request to their API, unless a script must be checked against them.
    ///
    /// # Errors
    /// No port is free, or the script names an operation that is in no table.
    pub async fn start(tables: &[(&str, &str)], script: Option<Script>) -> Result<Self, SandboxError> {
        Self::launch(tables, script, None).await
    }

    /// Starts a sandbox that keeps every request for [`Sandbox::record`], so its memory grows with each.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn start_recording(tables: &[(&str, &str)], script: Option<Script>) -> Result<Self, SandboxError> {
        Self::launch(tables, script, Some(Mutex::default())).await
    }

    /// Returns the base address of the API's paths, without a `/` at its end.
    #[must_use]
    pub fn address(&self, api: &str) -> String {
        format!("http://{}/{api}", self.address)
    }

    /// Returns the requests that have arrived, in the order in which they were read completely.
    #[must_use]
    pub fn record(&self) -> Vec<Recorded> {
        let record = self.shared.record.as_ref();
        record.map_or_else(Vec::new, |record| record.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Returns the requests that have arrived and clears the record.
    pub fn take_record(&self) -> Vec<Recorded> {
        let record = self.shared.record.as_ref();
        record
            .map_or_else(Vec::new, |record| std::mem::take(&mut *record.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn launch(
        tables: &[(&str, &str)],
        script: Option<Script>,
        record: Option<Mutex<Vec<Recorded>>>,
    ) -> Result<Self, SandboxError> {
        let apis: Vec<SandboxApi> = tables.iter().map(|(id, text)| SandboxApi::new(id, text)).collect();
        if let Some(script) = &script {
            let mut known = Vec::new();
            for api in &apis {
                known.extend(api.table()?.operations.iter().map(|operation| operation.name.as_str()));
            }
            script.check(&known)?;
        }
        let listen = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen.await.map_err(|source| SandboxError::Listen { source })?;
        let shared = Arc::new(SandboxState { apis, script, record });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { address, shared, server })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

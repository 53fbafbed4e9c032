//! A certificate and its key, in files → TLS for the connections to this server. Files that change are read again, so that
//! a certificate is renewed without a restart.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::error::ConfigError;
use crate::watched_files::WatchedFiles;

/// The certificate of this server.
pub struct TlsIdentity {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    files: WatchedFiles,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl TlsIdentity {
    /// Reads a chain of certificates, the server's own first, and the key of that, both as PEM.
    ///
    /// # Errors
    /// A file can't be read or holds something else, or the key is of another certificate.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, ConfigError> {
        let files = WatchedFiles::new(vec![certificate.to_owned(), key.to_owned()]);
        let state = Mutex::new(State { config: config(certificate, key)?, files });
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), state })
    }

    /// What accepts the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.files.have_changed() {
            self.read_again(&mut state);
        }
        TlsAcceptor::from(Arc::clone(&state.config))
    }

    /// Reads the files, which have changed. Of a pair that does not fit, as while one of them is being replaced, the one
    /// before stays in use.
    fn read_again(&self, state: &mut State) {
        match config(&self.certificate, &self.key) {
            Ok(config) => {
                state.config = config;
                tracing::info!("the certificate of this server has changed and was read again");
            }
            Err(error) => tracing::warn!("the certificate of this server has changed and is not used: {error}"),
        }
    }
}

fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ConfigError> {
    let wrong =
        |flag: &str, path: &Path, what: String| ConfigError::new(format!("`{flag} {}`: {what}", path.display()));
    let of_certificate = |what: String| wrong("--tls-cert", certificate, what);
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| of_certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(of_certificate(
            "it holds no certificate\nhint: it is a chain as PEM, the server's own first".to_owned(),
        ));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("--tls-key", key, error.to_string()))?;
    // Another part of the program may have installed it.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| of_certificate(error.to_string()))?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, private).map_err(|error| of_certificate(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

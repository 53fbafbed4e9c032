//! HTTPS: the certificate that clients see, and a new one while the server runs.

use std::time::Duration;

use reqwest::StatusCode;
use toolwright::server::http::{HttpServer, TlsIdentity};

use super::{BOTH, call, run};
use crate::common::fixture::conformance;
use crate::common::network::{Authority, Certificate, fresh_folder, written};

/// A client that trusts one authority and nothing else.
fn trusting(authority: &Authority) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
    // A connection of its own for each request, to see the certificate each time.
    reqwest::Client::builder().tls_certs_only([trusted]).pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test]
async fn a_certificate_is_replaced_while_the_server_runs() {
    let folder = fresh_folder("tls-identity");
    let write = |Certificate { certificate, key }: &Certificate| {
        (written(&folder, "chain.pem", certificate), written(&folder, "key.pem", key))
    };
    let (old, new) = (Authority::new(), Authority::new());
    let (chain, key) = write(&old.server(&["localhost"]));
    let identity = TlsIdentity::read(chain.as_ref(), key.as_ref()).unwrap();
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap().with_tls(Some(identity));
    let url = http.url().replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://"), "{url}");
    let server = run(http, conformance());
    let ask = async |authority: &Authority| {
        let request = trusting(authority).post(&url).header("accept", BOTH).json(&call("test_simple_text"));
        request.send().await.map(|response| response.status())
    };
    assert_eq!(ask(&old).await.unwrap(), StatusCode::OK);
    assert!(ask(&new).await.is_err(), "another authority's");
    // Without encryption nothing is answered.
    assert!(server.post(&call("test_simple_text")).send().await.is_err());

    let replacement = new.server(&["localhost"]);
    written(&folder, "chain.pem", &replacement.certificate);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(ask(&old).await.unwrap(), StatusCode::OK, "a chain without its key is not used");
    write(&replacement);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(ask(&new).await.unwrap(), StatusCode::OK);
    assert!(ask(&old).await.is_err());
}

#[test]
fn files_that_hold_something_else_are_named() {
    let folder = fresh_folder("tls-faults");
    let authority = Authority::new();
    let (one, other) = (authority.server(&["localhost"]), authority.server(&["localhost"]));
    let chain = written(&folder, "chain.pem", &one.certificate);
    let key = written(&folder, "key.pem", &one.key);
    let of_other = written(&folder, "other.pem", &other.key);
    let empty = written(&folder, "empty.pem", "");
    for (certificate, private, expected) in [
        (&empty, &key, "`--tls-cert"),
        (&key, &key, "holds no certificate"),
        (&chain, &empty, "`--tls-key"),
        (&chain, &of_other, "`--tls-cert"),
    ] {
        let error = TlsIdentity::read(certificate.as_ref(), private.as_ref()).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("PRIVATE KEY-----\n"), "{error}");
    }
    assert!(TlsIdentity::read(chain.as_ref(), key.as_ref()).is_ok());
}

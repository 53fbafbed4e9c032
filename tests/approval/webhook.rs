//! `--approval-webhook`: what waits is reported, signed; a call does not wait for it, whatever it does.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ring::hmac;
use serde_json::json;
use toolwright::approval::Webhook;

use super::*;

const SECRET: &str = "a secret of more than sixteen bytes";

type Received = Arc<Mutex<Vec<(String, String)>>>;

async fn receive(State(received): State<Received>, headers: HeaderMap, body: String) -> StatusCode {
    let signature = headers.get("toolwright-signature").unwrap().to_str().unwrap().to_owned();
    received.lock().unwrap().push((signature, body));
    StatusCode::NO_CONTENT
}

#[tokio::test]
async fn what_waits_is_reported_and_signed() {
    let received = Received::default();
    let router = Router::new().route("/hook", post(receive)).with_state(Arc::clone(&received));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook?team=1", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    let webhook = Webhook::new(&address, SECRET).unwrap();
    let site = Site::with("webhook", Terms::default(), |approvals| approvals.with_webhook(Some(webhook))).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let arguments = json!({"username": "pat", "password": "hunter-2-secret", "email": "pat@example.com"});
    let id = id_in(&desk.call("jitbit_create_user", arguments).await);
    for _ in 0..100 {
        if !received.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (signature, body) = received.lock().unwrap().pop().unwrap();
    let message: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&message["event"], &message["id"]), (&json!("approval.pending"), &json!(id)), "{body}");
    assert!(!body.contains("hunter-2") && body.contains("pat@example.com"), "{body}");
    let (time, code) = signature.split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&code[2 * at..2 * at + 2], 16).unwrap()).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::verify(&key, format!("{time}.{body}").as_bytes(), &bytes).unwrap();
}

#[tokio::test]
async fn a_webhook_that_fails_delays_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let webhook = Webhook::new(&address, SECRET).unwrap();
    let site = Site::with("webhook-silent", Terms::default(), |approvals| approvals.with_webhook(Some(webhook))).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let started = std::time::Instant::now();
    let result = desk.call("jitbit_reply_to_customer", json!({"ticketId": 7, "body": "x"})).await;
    assert!(text(&result).contains("approval "), "{}", text(&result));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn only_https_and_this_machine_are_reported_to() {
    for (address, secret, wrong) in [
        ("http://hooks.example.com/x", SECRET, "`--approval-webhook`"),
        ("ftp://localhost/x", SECRET, "`--approval-webhook`"),
        ("https://hooks.example.com/x", "short", "fewer than 16"),
    ] {
        let error = Webhook::new(address, secret).unwrap_err().to_string();
        assert!(error.contains(wrong), "{address}: {error}");
    }
    assert!(Webhook::new("https://hooks.example.com/x?y=1", SECRET).is_ok());
}

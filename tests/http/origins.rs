//! Pages in a browser: which origins and hosts are served, and which answers a page may read.

use reqwest::{Method, Response, StatusCode};

use super::{LATEST, initialize, list, serve, start};
use crate::common::fixture::conformance;

#[tokio::test]
async fn pages_of_a_named_origin_may_read_the_answers() {
    const PAGE: &str = "https://app.example.com";
    let server = serve(conformance(), &[PAGE]).await;
    let preflight = |origin: &str| {
        server
            .request(Method::OPTIONS)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,mcp-protocol-version,mcp-session-id")
            .send()
    };
    let allowed = preflight(PAGE).await.unwrap();
    let header = |response: &Response, name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    assert_eq!(allowed.status(), 204);
    assert_eq!(header(&allowed, "access-control-allow-origin").as_deref(), Some(PAGE));
    assert_eq!(header(&allowed, "access-control-allow-methods").as_deref(), Some("GET, POST, DELETE"));
    let headers = header(&allowed, "access-control-allow-headers").unwrap();
    assert_eq!(headers, "content-type,mcp-protocol-version,mcp-session-id");
    let opened = server.post(&initialize(LATEST)).header("origin", PAGE).send().await.unwrap();
    assert_eq!(opened.status(), 200);
    assert_eq!(header(&opened, "access-control-allow-origin").as_deref(), Some(PAGE));
    assert_eq!(header(&opened, "access-control-expose-headers").as_deref(), Some("mcp-session-id"));
    assert_eq!(header(&opened, "vary").as_deref(), Some("Origin"));
    let unknown = server.post(&list()).header("origin", PAGE).header("mcp-session-id", "made-up").send().await.unwrap();
    assert_eq!(
        (unknown.status().as_u16(), header(&unknown, "access-control-allow-origin").as_deref()),
        (404, Some(PAGE))
    );
    for origin in ["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"] {
        for response in [preflight(origin).await, server.post(&list()).header("origin", origin).send().await] {
            let response = response.unwrap();
            assert_eq!(
                (response.status(), header(&response, "access-control-allow-origin")),
                (StatusCode::FORBIDDEN, None),
                "{origin}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_named_origin_no_page_may_read_an_answer() {
    let server = start().await;
    let page = "http://localhost:6274";
    let preflight =
        server.request(Method::OPTIONS).header("origin", page).header("access-control-request-method", "POST");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.status(), 405);
    let answered = server.post(&list()).header("origin", page).send().await.unwrap();
    for response in [response, answered] {
        assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control-")), "{response:?}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let server = start().await;
    for (origin, expected) in [
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("http://localhost:6274", 200),
        ("http://127.0.0.1:3000", 200),
    ] {
        let response = server.post(&list()).header("origin", origin).send().await.unwrap();
        assert_eq!(response.status(), expected, "{origin}");
    }
}

#[tokio::test]
async fn names_that_are_not_this_host_are_refused() {
    let server = start().await;
    for (host, expected) in [("evil.example", 403), ("evil.example:80", 403), ("localhost", 200), ("127.0.0.1:1", 200)]
    {
        let response = server.post(&list()).header("host", host).send().await.unwrap();
        assert_eq!(response.status(), expected, "{host}");
        if expected == 403 {
            let text = response.text().await.unwrap();
            assert!(
                text.contains(&format!("the host `{host}` is not served")) && text.contains("`localhost`"),
                "{text}"
            );
        }
    }
}

//! Cookies, addresses and credentials that a description states for an operation: what the sandbox takes and what it
//! refuses, by the tables that the generator makes of its fixtures.

use std::path::Path;

use toolwright::sandbox::Sandbox;
use toolwright_codegen::generate;

/// The status of the sandbox's answer to each of these lines: method, path, and headers after bars.
async fn statuses(case: &str, lines: &[&str]) -> Vec<String> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/codegen/tests/fixtures");
    let generated = generate(&fixtures.join(case).join("specs"), |_| true).unwrap_or_else(|errors| panic!("{errors}"));
    let table = generated.tree.get("acme/sandbox.json").unwrap();
    let sandbox = Sandbox::start(&[("acme", table)], None).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut found = Vec::new();
    for line in lines {
        let mut parts = line.split(" | ");
        let (method, path) = parts.next().unwrap().split_once(' ').unwrap();
        let mut request = http.request(method.parse().unwrap(), sandbox.address("acme") + path);
        for (name, value) in parts.map(|header| header.split_once(": ").unwrap()) {
            request = request.header(name, value);
        }
        if method == "POST" && path.ends_with("/files") {
            request = request.header("content-type", "application/json").body(r#"{"name":"a"}"#);
        }
        let answer = request.send().await.unwrap();
        found.push(format!("{} {line}", answer.status().as_u16()));
    }
    found
}

/// Sends each line and compares the status before it.
async fn check(case: &str, expected: &[&str]) {
    let lines: Vec<&str> = expected.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(statuses(case, &lines).await, expected);
}

#[tokio::test]
async fn cookies_are_required_and_checked() {
    check(
        "requests-cookies",
        &[
            "200 GET /reports | cookie: sid=s; region=eu",
            "200 GET /reports | cookie: region=us; tags=a; tags=b; ids=1,2; note=50%20%25; sid=s",
            "400 GET /reports | cookie: sid=s",
            "400 GET /reports | cookie: sid=s; region=asia",
            "400 GET /reports | cookie: sid=s; region=eu; ids=x",
            "401 GET /reports | cookie: region=eu",
            "401 GET /reports",
        ],
    )
    .await;
}

#[tokio::test]
async fn an_operation_is_known_at_its_own_address_only() {
    check(
        "requests-servers",
        &[
            "200 GET /tickets",
            "404 GET /files",
            "200 GET /@server:https%3A%2F%2Ffiles.eu.example.com%2Fv2/files",
            "404 GET /@server:https%3A%2F%2Ffiles.eu.example.com%2Fv2/tickets",
            "404 GET /@server:https%3A%2F%2Fevil.example.com/files",
            "201 POST /@server:%2Fuploads/files",
            "405 POST /@server:https%3A%2F%2Ffiles.eu.example.com%2Fv2/files",
        ],
    )
    .await;
}

#[tokio::test]
async fn an_operation_takes_the_credentials_of_its_schemes_only() {
    check(
        "requests-schemes",
        &[
            "200 GET /things | authorization: Bearer t",
            "401 GET /things | authorization: Basic dTpw",
            "200 POST /login | authorization: Basic dTpw",
            "401 POST /login | authorization: Bearer t",
            "200 GET /keys | x-key: k | x-app: a",
            "401 GET /keys | x-key: k",
            "401 GET /keys | x-app: a",
            "200 GET /keys | cookie: sid=s",
            "200 GET /alerts | authorization: GenieKey g",
            "401 GET /alerts | authorization: g",
            "401 GET /alerts | authorization: Bearer g",
            "200 GET /health",
            "200 GET /news",
        ],
    )
    .await;
}

//! The interface of administrators: what it does, whom it serves, and that its description is true.

use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::{Value, json};
use toolwright::access::links::create_admin_token;

use super::{Team, message, team, words};

async fn problem(response: reqwest::Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status, "{problem}");
    for key in ["type", "title", "detail"] {
        assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    problem
}

#[tokio::test]
async fn a_link_from_its_creation_to_its_end() {
    let team = team("team-api", &words(&["read", "write"], &["all"])).await;
    let body =
        json!({"name": "Night shift", "accounts": ["jitbit"], "config": {"methods": ["read"], "exclude": ["*_user*"]}});
    let response = team.api(Method::POST, "/links").json(&body).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let path = response.headers()["location"].to_str().unwrap().to_owned();
    let created: Value = response.json().await.unwrap();
    let (id, url) = (created["id"].as_str().unwrap(), created["url"].as_str().unwrap());
    assert_eq!(path, format!("/api/v1/links/{id}"));
    let listed = team.tools(url).await;
    let served: Value =
        team.api(Method::GET, &format!("/links/{id}/tools")).send().await.unwrap().json().await.unwrap();
    let names = served["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
    assert_eq!(names.collect::<Vec<_>>(), listed);
    let narrowed = json!({"name": "Helper", "config": {"tags": ["tickets"]}, "expires_at": "2099-01-01T00:00:00Z"});
    let narrowed = team.api(Method::POST, &format!("/links/{id}/narrow")).json(&narrowed).send().await.unwrap();
    assert_eq!(narrowed.status(), 201);
    let all = team.api(Method::GET, "/links").send().await.unwrap().text().await.unwrap();
    assert!(all.contains("Night shift") && all.contains("Helper"));
    let token = url.split('/').nth_back(1).unwrap();
    assert!(!all.contains(token), "it is shown once");
    let shown: Value = team.api(Method::GET, &format!("/links/{id}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["state"], "valid");
    assert_eq!(team.api(Method::DELETE, &format!("/links/{id}")).send().await.unwrap().status(), 204);
    let shown: Value = team.api(Method::GET, &format!("/links/{id}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["state"], "revoked");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(team.ask(url, &message("tools/list", &json!({}))).await.0, 401);
}

#[tokio::test]
async fn what_is_wrong_is_a_problem_that_names_it() {
    let team = team("team-problems", &words(&[], &[])).await;
    for (path, body, status, part) in [
        ("/links", json!({"name": "a"}), 422, "account"),
        ("/links", json!({"accounts": ["jitbit"]}), 422, "name"),
        ("/links", json!({"name": "a", "accounts": ["other"]}), 422, "/api/v1/accounts"),
        ("/links", json!({"name": "a", "accounts": ["jitbit"], "config": {"tags": ["tickts"]}}), 422, "tickets"),
        ("/links", json!({"name": "a", "accounts": ["jitbit"], "config": {"method": []}}), 422, "method"),
        ("/links", json!({"name": "a", "accounts": ["jitbit"], "expires_at": "2001-01-01T00:00:00Z"}), 422, "expired"),
        ("/links", json!({"name": "a", "accounts": ["jitbit"], "expires_at": "tomorrow"}), 422, "expires_at"),
        ("/links", json!({"name": "a\nb", "accounts": ["jitbit"]}), 422, "one line"),
        ("/accounts/other/mcp", json!({"name": "a"}), 404, "/api/v1/accounts"),
        ("/links/none/narrow", json!({"name": "a"}), 404, "none"),
        ("/tokens", json!({"name": "ops"}), 409, "already"),
        ("/tokens", json!({"name": "a b"}), 422, "letters"),
        ("/nothing", json!({}), 404, "path"),
    ] {
        let found = problem(team.api(Method::POST, path).json(&body).send().await.unwrap(), status).await;
        assert!(found["detail"].as_str().unwrap().contains(part), "{path} {body}: {found}");
    }
    problem(team.api(Method::PUT, "/links").json(&json!({})).send().await.unwrap(), 405).await;
    problem(team.api(Method::POST, "/links").body("{}").send().await.unwrap(), 415).await;
    problem(team.api(Method::POST, "/links").json(&"a".repeat(70_000)).send().await.unwrap(), 413).await;
    assert_eq!(team.store.links().await.unwrap(), []);
}

#[tokio::test]
async fn only_who_has_a_token_is_served_and_guesses_are_counted() {
    let team = team("team-tokens", &words(&[], &[])).await;
    let get = |token: Option<&str>| {
        let request = team.client.get(format!("http://{}/api/v1/links", team.address));
        if let Some(token) = token { request.bearer_auth(token) } else { request }
    };
    let response = get(None).send().await.unwrap();
    assert!(response.headers().contains_key("www-authenticate"));
    problem(response, 401).await;
    problem(get(Some("toolwright_admin_guess")).send().await.unwrap(), 401).await;
    // A link is no administrator's token, nor the other way round.
    let link = team.link("jitbit", toolwright::access::Narrowing::default(), None, true).await;
    problem(get(Some(&link.token)).send().await.unwrap(), 401).await;
    problem(get(link.second_token.as_deref()).send().await.unwrap(), 401).await;
    let created = team.api(Method::POST, "/tokens").json(&json!({"name": "ci"})).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let created: Value = created.json().await.unwrap();
    let token = created["token"].as_str().unwrap();
    assert_eq!(get(Some(token)).send().await.unwrap().status(), 200);
    let listed = team.api(Method::GET, "/tokens").send().await.unwrap().text().await.unwrap();
    assert!(listed.contains("\"ci\"") && !listed.contains(token));
    assert_eq!(team.api(Method::DELETE, "/tokens/ci").send().await.unwrap().status(), 204);
    problem(get(Some(token)).send().await.unwrap(), 401).await;
    problem(team.api(Method::DELETE, "/tokens/ci").send().await.unwrap(), 404).await;
    problem(team.api(Method::GET, "/links").header("origin", "https://page.example").send().await.unwrap(), 403).await;
    problem(team.api(Method::GET, "/links").header("host", "other.example").send().await.unwrap(), 403).await;
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(get(Some("wrong")).send().await.unwrap().status().as_u16());
    }
    assert!(statuses.contains(&401) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(team.api(Method::GET, "/links").send().await.unwrap().status(), 200, "others' guesses change nothing");
}

#[tokio::test]
async fn accounts_and_the_audit_log_are_shown_without_secrets() {
    let team = team("team-state", &words(&[], &[])).await;
    let accounts: Value = team.api(Method::GET, "/accounts").send().await.unwrap().json().await.unwrap();
    let first = accounts["accounts"][0].as_object().unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), ["name", "vendor", "serves", "state"]);
    let audit: Value = team.api(Method::GET, "/audit").send().await.unwrap().json().await.unwrap();
    assert_eq!((&audit["recorded"], &audit["fault"]), (&json!(true), &Value::Null));
}

/// Resolves what the description writes as references, for a validator.
fn with_components(schema: &Value, description: &Value) -> Value {
    let mut whole = schema.clone();
    whole["components"] = description["components"].clone();
    whole
}

/// The requests that a path and method of the description is tried with, and what is expected.
async fn tried(team: &Team, method: &str, path: &str) -> Vec<reqwest::Response> {
    let link = team.link("jitbit", toolwright::access::Narrowing::default(), None, false).await;
    let path = path.trim_start_matches("/api/v1");
    let good = path.replace("{id}", &link.link.id).replace("{account}", "jitbit").replace("{name}", "spare");
    let bad = path.replace("{id}", "missing").replace("{account}", "missing").replace("{name}", "missing");
    let body = if path == "/tokens" {
        json!({"name": "spare"})
    } else {
        json!({"name": "a", "accounts": if path == "/links" { vec!["jitbit"] } else { vec![] }})
    };
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut answers = Vec::new();
    for (path, body) in [(&good, &body), (&bad, &body), (&good, &json!({"unknown": 1}))] {
        let request = team.api(method.clone(), path);
        let request = if method == Method::POST { request.json(body) } else { request };
        answers.push(request.send().await.unwrap());
    }
    answers
}

#[tokio::test]
async fn the_description_is_what_the_server_does() {
    let mut team = team("team-openapi", &words(&[], &[])).await;
    let url = format!("http://{}/api/v1/openapi.json", team.address);
    let description: Value = team.client.get(url).send().await.unwrap().json().await.unwrap();
    let paths = description["paths"].as_object().unwrap();
    let mut operations = 0;
    for (path, methods) in paths {
        // Each token may ask only so often.
        team.admin = create_admin_token(&team.store, &format!("of{operations}"), SystemTime::now()).await.unwrap();
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            assert!(operation["security"].is_array(), "{method} {path}");
            for answer in tried(&team, method, path).await {
                let status = answer.status().as_u16().to_string();
                let stated = &operation["responses"][&status];
                assert!(stated.is_object(), "{method} {path} answered {status}, which it does not state");
                let content_type = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
                match content_type {
                    None => assert!(stated["content"].is_null(), "{method} {path}: no body"),
                    Some(content_type) => {
                        let schema = &stated["content"][&content_type]["schema"];
                        assert!(schema.is_object(), "{method} {path} {status}: {content_type} is not stated");
                        let validator = jsonschema::validator_for(&with_components(schema, &description)).unwrap();
                        let body: Value = answer.json().await.unwrap();
                        let errors: Vec<String> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
                        assert!(errors.is_empty(), "{method} {path} {status}: {errors:?} in {body}");
                    }
                }
            }
        }
        for method in ["get", "post", "put", "patch", "delete"] {
            if methods.get(method).is_none() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let path = path.trim_start_matches("/api/v1").replace(['{', '}'], "");
                assert_eq!(team.api(method.clone(), &path).send().await.unwrap().status(), 405, "{method} {path}");
            }
        }
    }
    assert_eq!(operations, 12);
}

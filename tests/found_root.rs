//! Ids in roots that the vendor states itself: each is requested once, checked, and put into the address.

use std::sync::{Arc, Mutex, PoisonError};

use crate::common::acme::{Site, SiteState, call, resolved, toolbox, vendor};
use toolwright_model::Vendor;

fn acme(pointer: &str) -> Vendor {
    vendor(&format!(
        r#"
        [[addresses]]
        variable = "ACME_URL"
        example = "https://acme.example.com"
        roots = {{ a = "{{ACME_URL}}/a/{{tenant}}/v1", b = "{{ACME_URL}}/b" }}

        [[found]]
        name = "tenant"
        operation = "find"
        value = "{pointer}"
        missing = "Acme has no tenant for this account."

        [[credentials]]
        kind = "bearer"
        token = "ACME_TOKEN"

        [[settings]]
        title = "organization"
        header = "x-org-id"
        variable = "ACME_ORG"
        "#
    ))
}

fn paths(state: &Arc<Mutex<SiteState>>) -> Vec<String> {
    state.lock().unwrap_or_else(PoisonError::into_inner).calls.iter().map(|(path, ..)| path.clone()).collect()
}

#[tokio::test]
async fn an_id_is_requested_once_and_completes_the_address() {
    let site = Site::start("").await;
    let url = format!("http://{}", site.address);
    let variables = [("ACME_URL", url.as_str()), ("ACME_TOKEN", "t0ken"), ("ACME_ORG", "tenant-7")];
    let toolbox = toolbox(acme("/organization"), &variables);
    for _ in 0..2 {
        assert_eq!(call(&toolbox, "acme_get_a").await.unwrap()["path"], "/a/tenant-7/v1/who");
    }
    assert_eq!(call(&toolbox, "acme_get_b").await.unwrap()["path"], "/b/who");
    assert_eq!(paths(&site.state), ["/b/who", "/a/tenant-7/v1/who", "/a/tenant-7/v1/who", "/b/who"]);
}

#[tokio::test]
async fn without_an_id_nothing_is_sent() {
    let site = Site::start("").await;
    let url = format!("http://{}", site.address);
    let variables = [("ACME_URL", url.as_str()), ("ACME_TOKEN", "t0ken")];
    for (pointer, variables, expected) in [
        ("/organization", &variables[..], "Acme has no tenant for this account."),
        ("/nowhere", &variables, "Acme has no tenant for this account."),
        // A path in place of an id would lead to another address.
        ("/path", &variables, "its answer has something else there"),
        ("/organization", &[variables[0], variables[1], ("ACME_ORG", "../b")], "its answer has something else there"),
    ] {
        let error = call(&toolbox(acme(pointer), variables), "acme_get_a").await.unwrap_err();
        assert!(error.contains(expected), "{pointer}: {error}");
    }
    site.set(|state| state.refusals = 9);
    let error = call(&toolbox(acme("/organization"), &variables), "acme_get_a").await.unwrap_err();
    assert!(error.contains("could not be found by `find`") && error.contains("401"), "{error}");
    assert!(paths(&site.state).iter().all(|path| path == "/b/who"), "{:?}", paths(&site.state));
}

#[test]
fn until_it_is_known_the_name_of_the_id_is_in_the_address() {
    let variables = [("ACME_URL", "https://acme.example.com"), ("ACME_TOKEN", "t0ken")];
    let connection = resolved(&acme("/organization"), &variables).unwrap().unwrap();
    assert_eq!(connection.base.as_str(), "https://acme.example.com/b/");
    assert_eq!(connection.root("acme-a").as_str(), "https://acme.example.com/a/tenant/v1/");
    assert_eq!(connection.open_roots["acme-a"].words[0].name, "tenant");
}

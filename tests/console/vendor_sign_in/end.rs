//! The end of a sign-in: it is revoked at the vendor, removed from the store, and used no more by any server.

use serde_json::json;

use super::vendor::{SITES, ScriptedVendor};
use super::{back, begin, call, folder, of, server, signed_in, soon};

#[tokio::test]
async fn signing_out_revokes_the_token_and_no_server_uses_it_any_more() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("out"));
    let a = server(&vendor, &folder, "a", Some("store.key")).await;
    let b = server(&vendor, &folder, "b", Some("store.key")).await;
    signed_in(&a, &vendor).await;
    assert_eq!(call(&a).await, Ok(json!({"site": SITES[0]})));
    soon("the other server calls by it", async || call(&b).await.is_ok()).await;
    let current = vendor.set(|issued| issued.refresh.clone()).unwrap();
    let page = a.pages.get("/accounts").await.shows(200, &["Sign out of one", "Revokes the sign-in at the vendor"]);
    assert_eq!(a.pages.send(&page, "/accounts/one/sign-out", &[]).await.status, 303);
    assert_eq!(vendor.set(|issued| issued.revoked.clone()), [current]);
    let error = call(&a).await.unwrap_err();
    assert!(error.contains("nobody has signed in") || error.contains("just changed"), "{error}");
    a.pages.get("/accounts").await.shows(200, &["Nobody is signed in."]);
    soon("the other server ends too", async || {
        call(&b).await.is_err_and(|error| error.contains("nobody has signed in"))
    })
    .await;
    let record = std::fs::read_to_string(&a.audit).unwrap();
    let line = record.lines().find(|line| line.contains("signed out at a vendor")).unwrap();
    assert!(line.contains("\"by\":\"a\"") && line.contains("\"revoked\":\"yes\""), "{line}");
    // And it begins anew.
    back(&a.pages, &vendor.consents(&begin(&a.pages).await)).await.shows(200, &["You are signed in"]);
    assert_eq!(call(&a).await, Ok(json!({"site": SITES[0]})));
}

#[tokio::test]
async fn what_the_vendor_does_not_revoke_stays_unless_it_is_to_go_anyway() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("stays"));
    let server = server(&vendor, &folder, "ops", Some("store.key")).await;
    signed_in(&server, &vendor).await;
    vendor.set(|issued| issued.revokes = 503);
    let page = server.pages.get("/accounts").await;
    let refused = server.pages.send(&page, "/accounts/one/sign-out", &[]).await;
    refused.shows(409, &["Nothing was changed", "answered 503 to the revocation", "Sign out of one"]);
    assert!(server.kept.as_ref().unwrap().get(&of()).is_some());
    assert_eq!(call(&server).await, Ok(json!({"site": SITES[0]})), "it goes on");
    assert_eq!(server.pages.send(&page, "/accounts/one/sign-out", &[("anyway", "on")]).await.status, 303);
    assert_eq!(server.kept.as_ref().unwrap().get(&of()), None);
}

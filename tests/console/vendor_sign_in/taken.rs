//! What comes back to the console and is no answer to the sign-in that was begun in this browser and session.

use std::time::SystemTime;

use reqwest::Method;
use toolwright::access::links::create_admin_token;
use toolwright::store::Store;

use super::vendor::{ScriptedVendor, state_of, way_back};
use super::{Server, back, begin, enter, folder, of, server, store};

const NOT_BEGUN: &str = "has not begun to sign in at a vendor here";

fn nothing_is_kept(server: &Server, what: &str) {
    assert_eq!(server.kept.as_ref().unwrap().get(&of()), None, "{what}");
}

#[tokio::test]
async fn a_forged_or_missing_state_is_not_taken_and_ends_nothing() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("forged"));
    let server = server(&vendor, &folder, "ops", Some("store.key")).await;
    enter(&server.pages, &server.admin).await;
    let address = begin(&server.pages).await;
    let state = state_of(&address);
    for query in [
        String::new(),
        way_back(&[("code", "c0de-1")]),
        way_back(&[("code", "c0de-1"), ("state", "forged")]),
        way_back(&[("code", "c0de-1"), ("state", &state), ("state", &state)]),
    ] {
        back(&server.pages, &query).await.shows(403, &[NOT_BEGUN]);
    }
    nothing_is_kept(&server, "forged");
    // What is under way goes on.
    back(&server.pages, &vendor.consents(&address)).await.shows(200, &["You are signed in"]);
    assert!(server.kept.as_ref().unwrap().get(&of()).is_some());
    assert_eq!(vendor.set(|issued| issued.refused), 0, "no code was exchanged that the page did not return");
}

#[tokio::test]
async fn what_came_back_once_does_not_come_back_again() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("replayed"));
    let server = server(&vendor, &folder, "ops", Some("store.key")).await;
    enter(&server.pages, &server.admin).await;
    let address = begin(&server.pages).await;
    let (query, cookies) = (vendor.consents(&address), server.pages.cookies.lock().unwrap().clone());
    back(&server.pages, &query).await.shows(200, &[]);
    let first = server.kept.as_ref().unwrap().get(&of()).unwrap();
    // Also where the browser has kept its cookie.
    *server.pages.cookies.lock().unwrap() = cookies;
    for query in [query, way_back(&[("code", "c0de-9"), ("state", &state_of(&address))])] {
        back(&server.pages, &query).await.shows(403, &[NOT_BEGUN]);
    }
    assert_eq!(server.kept.as_ref().unwrap().get(&of()), Some(first));
}

#[tokio::test]
async fn an_answer_belongs_to_the_browser_and_the_session_that_began() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("other"));
    let server = server(&vendor, &folder, "ops", Some("store.key")).await;
    let (ann, ben) = (&server.pages, server.pages.another_browser());
    enter(ann, &server.admin).await;
    let store = Store::open(&store(&folder)).await.unwrap();
    let token_of_ben = create_admin_token(&store, "ben", SystemTime::now()).await.unwrap();
    enter(&ben, &token_of_ben).await;
    let anns = vendor.consents(&begin(ann).await);
    // Another administrator's browser, which has begun one of its own; a browser that has begun none.
    begin(&ben).await;
    back(&ben, &anns).await.shows(403, &[NOT_BEGUN]);
    back(&ann.another_browser(), &anns).await.shows(403, &[NOT_BEGUN]);
    nothing_is_kept(&server, "another browser");
    // The session has ended meanwhile: by signing out, or by the token that it began with.
    let page = ann.get("/accounts").await;
    assert_eq!(ann.send(&page, "/logout", &[]).await.status, 303);
    back(ann, &anns).await.shows(401, &["Your session at the console has ended"]);
    let bens = vendor.consents(&begin(&ben).await);
    assert!(store.revoke_admin_token("ben").await.unwrap());
    back(&ben, &bens).await.shows(401, &["Your session at the console has ended"]);
    nothing_is_kept(&server, "an ended session");
    assert_eq!(vendor.set(|issued| issued.refresh.clone()), None, "no code was exchanged");
}

#[tokio::test]
async fn a_refusal_of_the_vendor_is_reported_without_what_it_says() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("refused"));
    let server = server(&vendor, &folder, "ops", Some("store.key")).await;
    enter(&server.pages, &server.admin).await;
    for (pairs, expected) in [
        (vec![("error", "access_denied"), ("error_description", "s3cret <script>")], "without consent: access_denied"),
        (vec![("error", "<script>alert(1)</script>")], "no code came back"),
        (vec![("code", "invented")], "invalid_grant"),
        (vec![("code", "c0de-1"), ("iss", "https://evil.example")], "another issuer"),
        (vec![("code", "a"), ("code", "b")], "a value twice"),
    ] {
        let state = state_of(&begin(&server.pages).await);
        let pairs: Vec<(&str, &str)> = [("state", state.as_str())].into_iter().chain(pairs).collect();
        let page = back(&server.pages, &way_back(&pairs)).await.shows(502, &["not signed in at the vendor", expected]);
        for hidden in ["s3cret", "<script>alert", "invented", "evil.example"] {
            assert!(!page.text.contains(hidden), "{hidden}: {}", page.text);
        }
        nothing_is_kept(&server, expected);
    }
    vendor.set(|issued| issued.sites = 0);
    let query = vendor.consents(&begin(&server.pages).await);
    back(&server.pages, &query).await.shows(422, &["reaches no site"]);
    assert_eq!(vendor.set(|issued| issued.revoked.len()), 1, "nobody has use for it");
    nothing_is_kept(&server, "no site");
}

#[tokio::test]
async fn each_form_needs_the_token_of_its_session() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("csrf"));
    let server = server(&vendor, &folder, "ops", Some("store.key")).await;
    let pages = &server.pages;
    for path in ["/accounts/one/sign-in", "/accounts/one/sign-out", "/accounts/one/site"] {
        pages.answer(pages.form(path, &[("csrf", "x")])).await.shows(401, &[]);
    }
    enter(pages, &server.admin).await;
    let csrf = pages.get("/accounts").await.csrf();
    for path in ["/accounts/one/sign-in", "/accounts/one/sign-out", "/accounts/one/site"] {
        pages.answer(pages.form(path, &[("csrf", "guessed")])).await.shows(403, &["not of your session"]);
        let foreign =
            pages.request(Method::POST, path).header("origin", "https://evil.example").form(&[("csrf", &csrf)]);
        pages.answer(foreign).await.shows(403, &["Only pages of this console"]);
    }
    let page = pages.get("/accounts").await;
    pages.send(&page, "/accounts/nobody/sign-in", &[]).await.shows(404, &["no such account"]);
    pages.send(&page, "/accounts/one/sign-out", &[]).await.shows(404, &["Nobody is signed in"]);
    pages.get("/accounts/one/site").await.shows(404, &["Nobody is signed in"]);
}

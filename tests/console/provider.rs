//! Administrators who sign in at the company's identity provider: who gets in, and each way in which somebody else might.

use reqwest::Method;
use serde_json::{Value, json};
use toolwright::access::Principal;
use toolwright::access::oauth::RelyingParty;
use toolwright::approval::Approvals;
use toolwright::call::Caller;
use toolwright::console::{CALLBACK, ProviderSignIn};
use toolwright::policy::Defaults;
use toolwright::server::http::PageServer;
use toolwright::store::Store;
use toolwright_model::{AdminClaim, ProviderClient};

use super::approvals::asking;
use super::{Behind, Page, Pages, Served, served_with};
use crate::common::everything;
use crate::oauth::provider::{CLIENT, Provider, SigningKey, query, way_back};

const ADMINS: &str = "it-admins";

fn admins(values: &[&str]) -> AdminClaim {
    AdminClaim { claim: "groups".to_owned(), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

/// A console whose administrators sign in at a provider, and are members of a group.
async fn at_provider(test: &str, approvals: Option<fn(Store) -> Approvals>) -> (Served, Provider) {
    let provider = Provider::start(SigningKey::p256()).await;
    let bound = PageServer::bind("--console", "127.0.0.1:0").unwrap();
    let client = ProviderClient {
        issuer: provider.issuer(),
        client_id: CLIENT.0.to_owned(),
        client_secret_file: None,
        scopes: vec!["email".to_owned(), "groups".to_owned()],
    };
    let redirect = format!("{}{CALLBACK}", bound.url());
    let secret = Some(CLIENT.1.to_owned());
    let party = RelyingParty::discover(&client, secret, &redirect, "[console] issuer").await.unwrap();
    let sign_in = ProviderSignIn::new(party, admins(&[ADMINS])).unwrap();
    let behind = Behind { approvals, defaults: Defaults::Everything, provider: Some(sign_in), bound: Some(bound) };
    (served_with(test, &everything(), behind).await, provider)
}

/// Begins to sign in; returns where the browser is sent.
async fn begun(pages: &Pages, path: &str) -> String {
    let sent = pages.get(path).await;
    let cookie = sent.header("set-cookie");
    assert!(sent.status == 303 && cookie.contains("HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
    sent.header("location").to_owned()
}

/// Comes back with a query.
async fn back(pages: &Pages, query: &str) -> Page {
    // As a browser does from another site: without the cookies that are for this one only.
    pages
        .answer(pages.request(Method::GET, &format!("{CALLBACK}?{query}")).header("sec-fetch-site", "cross-site"))
        .await
}

/// Signs a member of a group in, under this subject.
async fn signed_in(pages: &Pages, provider: &Provider, group: &str, subject: &str) -> Page {
    let address = begun(pages, "/login/provider").await;
    let mut claims = provider.identity(&address, group);
    claims["sub"] = json!(subject);
    claims["email"] = json!(format!("{subject}@example.com"));
    let query = provider.signed_in(&address, provider.identity_token(&claims));
    back(pages, &query).await
}

async fn is_outside(pages: &Pages, what: &str) {
    let page = pages.get("/accounts").await;
    assert_eq!((page.status.as_u16(), page.header("location")), (303, "/login"), "{what}");
}

#[tokio::test]
async fn a_member_of_the_group_signs_in_and_is_named_in_what_is_done() {
    let (served, provider) = at_provider("console-provider", Some(asking)).await;
    let pages = &served.pages;
    let caller = Caller::default();
    let arguments = json!({"ticketId": 7, "body": "x"});
    let (id, path) = served.waits(&caller, "jitbit_reply_to_customer", &arguments).await;
    let login = format!("/login?to={id}");
    assert_eq!(pages.get(&path).await.header("location"), login);
    let at = format!("/login/provider?to={id}");
    pages.get(&login).await.shows(200, &["Sign in at 127.0.0.1", &at, "Or with a token"]);
    let address = begun(pages, &at).await;
    let asked = query(&address);
    assert_eq!(asked["scope"], "openid email groups");
    assert_eq!(asked["redirect_uri"], format!("http://{}{CALLBACK}", pages.address));
    let claims = provider.identity(&address, ADMINS);
    let answer = back(pages, &provider.signed_in(&address, provider.identity_token(&claims))).await;
    let answer = answer.shows(200, &[&format!("url={path}"), "Go to the approval"]);
    let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.contains("HttpOnly; SameSite=Strict")), "{cookies:?}");
    assert!(cookies.iter().any(|cookie| cookie.contains("-provider=;") && cookie.contains("Max-Age=0")), "{cookies:?}");
    let page = pages.get(&path).await.shows(200, &["Signed in as <strong>ann@example.com</strong>"]);
    assert_eq!(pages.send(&page, &format!("{path}/yes"), &[]).await.status, 303);
    pages.get(&path).await.shows(200, &["by ann@example.com in the console"]);
    served.call(&caller, "jitbit_reply_to_customer", &arguments).await.unwrap();
    let left = pages.send(&page, "/logout", &[]).await;
    assert_eq!(left.status, 303);
    is_outside(pages, "after signing out").await;
    // The token of the store is another way in, as before.
    served.sign_in().await;
}

#[tokio::test]
async fn who_is_no_administrator_gets_nothing() {
    let (served, provider) = at_provider("console-provider-other", None).await;
    for group in ["staff", "it-admins-not", ""] {
        let page = signed_in(&served.pages, &provider, group, "ben").await;
        page.shows(403, &["knows you as ben@example.com", "no administrator here", "role=\"alert\""]);
        is_outside(&served.pages, group).await;
    }
    let pages = served.pages.another_browser();
    for refusal in ["error=access_denied", "error=%3Cscript%3Ealert(1)"] {
        let address = begun(&pages, "/login/provider").await;
        let state = &query(&address)["state"];
        let issuer = provider.issuer();
        let more = way_back(&[("state", state), ("iss", &issuer)]);
        let page = back(&pages, &format!("{refusal}&{more}")).await;
        let page = page.shows(403, &["You are not signed in: the identity provider answered"]);
        assert!(!page.text.contains("<script>alert"), "{}", page.text);
        is_outside(&pages, refusal).await;
    }
}

#[tokio::test]
async fn a_code_or_an_answer_of_another_sign_in_is_of_no_use() {
    let (served, provider) = at_provider("console-provider-attacks", None).await;
    let (pages, other) = (&served.pages, served.pages.another_browser());
    let not_begun = ["has not begun to sign in here"];
    // An attacker's own answer in the browser of a victim: who has not begun, and who has.
    let attackers = begun(&other, "/login/provider").await;
    let answer = provider.signed_in(&attackers, provider.identity_token(&provider.identity(&attackers, ADMINS)));
    back(pages, &answer).await.shows(403, &not_begun);
    let victims = begun(pages, "/login/provider").await;
    back(pages, &answer).await.shows(403, &not_begun);
    is_outside(pages, "an answer of another browser").await;
    // A victim's code, with the state of the attacker's browser: the verifier does not fit.
    let victims_answer = provider.signed_in(&victims, provider.identity_token(&provider.identity(&victims, ADMINS)));
    let own = begun(&other, "/login/provider").await;
    let (code, state) = (&code_of(&victims_answer), &query(&own)["state"]);
    let injected = way_back(&[("code", code), ("state", state), ("iss", &provider.issuer())]);
    back(&other, &injected).await.shows(403, &["answered `invalid_grant`"]);
    is_outside(&other, "an injected code").await;
    // The same answer twice, in the browser that it is for: also where the browser kept its cookie.
    let address = begun(pages, "/login/provider").await;
    let kept = pages.cookies.lock().unwrap().clone();
    let answer = provider.signed_in(&address, provider.identity_token(&provider.identity(&address, ADMINS)));
    back(pages, &answer).await.shows(200, &["url=/tools"]);
    back(&pages.another_browser(), &answer).await.shows(403, &not_begun);
    *pages.cookies.lock().unwrap() = kept;
    back(pages, &answer).await.shows(403, &["answered `invalid_grant`"]);
    // An answer that states another issuer, or none, where this one states itself.
    for issuer in ["https://evil.example", ""] {
        let address = begun(pages, "/login/provider").await;
        provider.signed_in(&address, provider.identity_token(&provider.identity(&address, ADMINS)));
        let state = &query(&address)["state"];
        let mixed = way_back(&[("code", &format!("c0de-{state}")), ("state", state), ("iss", issuer)]);
        back(pages, &mixed).await.shows(403, &["it is of another issuer"]);
    }
    for query in ["", "code=x", "code=x&state=", "state=a&state=b", "code=x&state=x"] {
        begun(pages, "/login/provider").await;
        back(pages, query).await.shows(403, &not_begun);
    }
    is_outside(pages, "after all of it").await;
}

fn code_of(query: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "code").unwrap().1.into_owned()
}

#[tokio::test]
async fn a_token_that_is_not_of_this_sign_in_signs_nobody_in() {
    let (served, provider) = at_provider("console-provider-tokens", None).await;
    let pages = &served.pages;
    let foreign = SigningKey::p256();
    let changed = |name: &str, value: Value| (name.to_owned(), value);
    for (what, (name, value), expected) in [
        ("another nonce", changed("nonce", json!("n")), "another sign-in"),
        ("no nonce", changed("nonce", Value::Null), "another sign-in"),
        ("another client", changed("aud", json!("another")), "another server"),
        ("several clients", changed("aud", json!([CLIENT.0, "another"])), "another client"),
        ("another party", changed("azp", json!("another")), "another client"),
        ("another issuer", changed("iss", json!("https://evil.example")), "another issuer"),
        ("it has ended", changed("exp", json!(1_600_000_000)), "has expired"),
        ("nobody", changed("sub", json!("")), "names no subject"),
    ] {
        let address = begun(pages, "/login/provider").await;
        let mut claims = provider.identity(&address, ADMINS);
        claims[name.as_str()] = value;
        let answer = provider.signed_in(&address, provider.identity_token(&claims));
        back(pages, &answer).await.shows(403, &[expected]);
        is_outside(pages, what).await;
    }
    let address = begun(pages, "/login/provider").await;
    let claims = provider.identity(&address, ADMINS);
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": "first"});
    for (what, token) in [
        ("another key", foreign.token(&header, &claims)),
        ("no algorithm", format!("{}.", crate::oauth::provider::unsigned(&json!({"alg": "none"}), &claims))),
        ("no token", "x".to_owned()),
    ] {
        let address = begun(pages, "/login/provider").await;
        let answer = provider.signed_in(&address, token);
        back(pages, &answer).await.shows(403, &["You are not signed in"]);
        is_outside(pages, what).await;
    }
}

#[tokio::test]
async fn who_asked_does_not_approve_where_somebody_else_has_to() {
    fn by_another(store: Store) -> Approvals {
        asking(store).by_another(true)
    }
    let (served, provider) = at_provider("console-provider-same", Some(by_another)).await;
    let ann = Principal::of_subject(&provider.issuer(), "ann", "ann@example.com");
    let client = Principal::of_authorization("7", "Assistant").authorized_by(&provider.issuer(), "ann");
    let arguments = json!({"ticketId": 7, "body": "x"});
    let (anns, bens) = (&served.pages, served.pages.another_browser());
    signed_in(anns, &provider, ADMINS, "ann").await.shows(200, &[]);
    signed_in(&bens, &provider, ADMINS, "ben").await.shows(200, &[]);
    for principal in [ann, client] {
        let caller = Caller { principal, ..Caller::default() };
        let (_, path) = served.waits(&caller, "jitbit_reply_to_customer", &arguments).await;
        let page = anns.get(&path).await.shows(200, &["somebody else has to approve it"]);
        assert!(!page.text.contains("Approve the change") && page.text.contains("Decline it"));
        let yes = format!("{path}/yes");
        anns.send(&page, &yes, &[]).await.shows(403, &["somebody else has to approve it"]);
        assert!(served.call(&caller, "jitbit_reply_to_customer", &arguments).await.is_err());
        let page = bens.get(&path).await.shows(200, &["Approve the change"]);
        assert_eq!(bens.send(&page, &yes, &[]).await.status, 303);
        served.call(&caller, "jitbit_reply_to_customer", &arguments).await.unwrap();
    }
    assert_eq!(served.changes(), 2);
}

#[tokio::test]
async fn settings_that_would_let_everybody_in_are_refused() {
    let provider = Provider::start(SigningKey::p256()).await;
    let client = |issuer: &str| ProviderClient {
        issuer: issuer.to_owned(),
        client_id: CLIENT.0.to_owned(),
        client_secret_file: None,
        scopes: Vec::new(),
    };
    for values in [&[][..], &[""], &["a", " "]] {
        let party = RelyingParty::discover(&client(&provider.issuer()), None, "http://x/callback", "x").await.unwrap();
        let error = ProviderSignIn::new(party, admins(values)).unwrap_err().to_string();
        assert!(error.contains("hint: such as `admins"), "{error}");
    }
    let wrong = format!("{}/", provider.issuer());
    let error = RelyingParty::discover(&client(&wrong), None, "http://x/callback", "[console] issuer").await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("[console] issuer") && error.contains("exactly as it names itself"), "{error}");
}

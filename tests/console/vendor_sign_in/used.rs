//! A sign-in, from the button to the calls that act by it: also after a restart, and of two servers at once.

use std::time::Duration;

use serde_json::{Value, json};

use super::vendor::{SITES, ScriptedVendor};
use super::{back, begin, call, enter, folder, of, server, server_with, signed_in, soon, stored};
use crate::common::logs::Logs;

#[tokio::test]
async fn an_administrator_signs_in_chooses_a_site_and_calls_act_there() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(logs.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    // Why there is a second one: tests/plan.rs.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let (vendor, folder) = (ScriptedVendor::start(2).await, folder("whole"));
    let server = server(&vendor, &folder, "ops", Some("store.key")).await;
    let mut shown = Vec::new();
    for outcome in [call(&server).await, crate::common::acme::call(&server.toolbox, "acme_change_a").await] {
        let error = outcome.unwrap_err();
        assert!(
            error.contains("nobody has signed in for the account `one`") && error.contains("page Accounts"),
            "{error}"
        );
    }
    enter(&server.pages, &server.admin).await;
    let redirect = format!("http://{}/accounts/callback", server.pages.address);
    let page = server.pages.get("/accounts").await;
    shown.push(page.shows(200, &["one at Acme", "Nobody is signed in.", "Sign in</button>", &redirect]).text);
    let address = begin(&server.pages).await;
    assert!(
        address.contains(&format!("redirect_uri={}", redirect.replace(':', "%3A").replace('/', "%2F"))),
        "{address}"
    );
    let returned = back(&server.pages, &vendor.consents(&address)).await;
    let returned = returned.shows(200, &["url=/accounts/one/site\"", "You are signed in at the vendor"]);
    assert!(returned.headers.get_all("set-cookie").iter().any(|it| it.to_str().unwrap().contains("Max-Age=0")));
    shown.push(returned.text);
    let error = call(&server).await.unwrap_err();
    assert!(error.contains("several sites") && error.contains("chooses one"), "{error}");
    shown.push(server.pages.get("/accounts").await.shows(200, &["Choose a site for one", "Sign in again"]).text);
    let choice = server.pages.get("/accounts/one/site").await.shows(200, &["site 3f0c", "site 7b1d"]);
    let (_, revision) = choice.text.split_once("name=\"revision\" value=\"").unwrap();
    let revision = revision.split('"').next().unwrap().to_owned();
    for (revision, site, status) in
        [(revision.as_str(), "elsewhere", 422), ("old", SITES[1], 409), (&revision, SITES[1], 303)]
    {
        let fields = [("revision", revision), ("site", site)];
        assert_eq!(server.pages.send(&choice, "/accounts/one/site", &fields).await.status, status, "{site}");
    }
    shown.push(choice.text);
    assert_eq!(call(&server).await, Ok(json!({"site": SITES[1]})));
    assert_eq!(call(&server).await, Ok(json!({"site": SITES[1]})), "with the same access token");
    assert_eq!(vendor.set(|issued| (issued.exchanged.len(), issued.refused)), (1, 0));
    let page = server.pages.get("/accounts").await;
    shown.push(page.shows(200, &["Signed in by ops at 20", ", at site 7b1d; its token was last renewed"]).text);
    // The record and the log name who did it; no page, log, record or row has a token or a code.
    let record = std::fs::read_to_string(&server.audit).unwrap();
    let acts = record.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let acts: Vec<Value> = acts.filter(|line| line["event"] == "administration").collect();
    assert_eq!(acts.len(), 2, "{record}");
    assert_eq!((&acts[0]["what"], &acts[0]["by"]), (&json!("signed in at a vendor"), &json!("ops")));
    assert_eq!((&acts[1]["account"], &acts[1]["site"]), (&json!("one"), &json!("site 7b1d")));
    let log = logs.text();
    assert!(log.contains("TRACE") && log.contains("signed in at a vendor"), "nothing was logged");
    let everything = [shown.concat(), record, log, stored(&folder), format!("{:?}", server.kept)].concat();
    for secret in ["r3fresh-", "acc3ss-", "c0de-", super::SECRET] {
        let at = everything
            .find(secret)
            .map(|at| everything[at.saturating_sub(200)..].chars().take(240).collect::<String>());
        assert_eq!(at, None, "{secret}");
    }
}

#[tokio::test]
async fn a_restart_goes_on_with_the_token_that_was_stored_last() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("restart"));
    {
        let first = server(&vendor, &folder, "first", Some("store.key")).await;
        assert!(first.source.contains("an example, until a site is chosen"), "{}", first.source);
        signed_in(&first, &vendor).await;
        assert_eq!(call(&first).await, Ok(json!({"site": SITES[0]})));
    }
    let second = server(&vendor, &folder, "second", Some("store.key")).await;
    let expected = "the sign-in; sign-in of the console, in the store: signed in by first at 20";
    assert!(
        second.source.starts_with(expected) && second.source.ends_with("ACME_ID and ACME_SECRET"),
        "{}",
        second.source
    );
    assert_eq!(call(&second).await, Ok(json!({"site": SITES[0]})));
    let third = server(&vendor, &folder, "third", Some("store.key")).await;
    assert_eq!(call(&third).await, Ok(json!({"site": SITES[0]})));
    let (exchanged, refused) = vendor.set(|issued| (issued.exchanged.clone(), issued.refused));
    assert_eq!((exchanged.len(), refused), (3, 0), "each token once: {exchanged:?}");
}

#[tokio::test]
async fn two_servers_with_one_store_exchange_each_token_once() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("two"));
    let a = server(&vendor, &folder, "a", Some("store.key")).await;
    let b = server(&vendor, &folder, "b", Some("store.key")).await;
    signed_in(&a, &vendor).await;
    // What is signed in at one server serves the other one within a second.
    soon("the other server follows", async || b.kept.as_ref().unwrap().get(&of()).is_some()).await;
    vendor.set(|issued| issued.delay = Duration::from_millis(300));
    // The vendor knows one access token at a time; who has an older one gets another.
    let (first, second) = tokio::join!(call(&a), call(&b));
    for answer in [first, second, call(&a).await, call(&b).await] {
        assert_eq!(answer, Ok(json!({"site": SITES[0]})));
    }
    let (exchanged, refused) = vendor.set(|issued| (issued.exchanged.clone(), issued.refused));
    assert!(exchanged.len() >= 2 && refused == 0, "{exchanged:?}, {refused} refused");
    let mut once = exchanged.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), exchanged.len(), "none twice: {exchanged:?}");
}

#[tokio::test]
async fn a_token_that_was_requested_is_stored_before_the_process_ends() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("stop"));
    let first = server(&vendor, &folder, "first", Some("store.key")).await;
    signed_in(&first, &vendor).await;
    vendor.set(|issued| issued.delay = Duration::from_millis(500));
    // The caller goes away while the token is on its way; the end of the process waits for it.
    let gone = tokio::time::timeout(Duration::from_millis(200), call(&first)).await;
    assert!(gone.is_err(), "{gone:?}");
    first.toolbox.settle_tokens().await;
    let second = server(&vendor, &folder, "second", Some("store.key")).await;
    assert_eq!(call(&second).await, Ok(json!({"site": SITES[0]})));
    assert_eq!(vendor.set(|issued| (issued.exchanged.len(), issued.refused)), (2, 0));
}

#[tokio::test]
async fn the_site_of_the_settings_is_the_only_one_that_counts() {
    let (vendor, folder) = (ScriptedVendor::start(2).await, folder("stated"));
    let stated = server_with(&vendor, &folder, "stated", Some("store.key"), &[("ACME_SITE", SITES[1])]).await;
    signed_in(&stated, &vendor).await;
    assert_eq!(call(&stated).await, Ok(json!({"site": SITES[1]})));
    // A consent that does not reach it leads to nothing, and is taken back.
    vendor.set(|issued| issued.sites = 1);
    let query = vendor.consents(&begin(&stated.pages).await);
    back(&stated.pages, &query).await.shows(422, &["settings state for this account"]);
    assert_eq!(vendor.set(|issued| issued.revoked.len()), 1);
}

//! The store as it is used: the same for a file and for PostgreSQL.

mod approvals;
mod copies;
mod files;
mod oauth;
mod vendor_sign_ins;

use std::time::{Duration, SystemTime};

use toolwright::store::{
    AdminToken, LEASE, Replica, SharedRefreshTokens, Store, StoreAddress, StoreError, StoreHealth, StoredLink,
    TokenDigest,
};
use toolwright::upstream::{Holder, RefreshTokenChains as _};

use crate::common::network::fresh_folder;

async fn in_a_file(test: &str) -> Store {
    Store::open(&StoreAddress::File(fresh_folder(test).join("store.db"))).await.unwrap()
}

/// The time in the tests, in whole seconds as rows may have them.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn link(id: &str, parent: Option<&str>, expires: Option<SystemTime>) -> StoredLink {
    StoredLink {
        id: id.to_owned(),
        token: TokenDigest::of(&format!("token of {id}")),
        second_token: (id == "second").then(|| TokenDigest::of("second token")),
        name: format!("Link „{id}“"),
        parent: parent.map(str::to_owned),
        terms: r#"{"accounts":{}}"#.to_owned(),
        created: at(0),
        expires,
        revoked: None,
        used: None,
    }
}

async fn links(store: &Store) {
    assert_eq!(store.changes_since(-1).await.unwrap().links, []);
    let first = link("first", None, Some(at(1_000)));
    let second = link("second", Some("first"), Some(at(500)));
    store.create_link(&first).await.unwrap();
    let changes = store.changes_since(-1).await.unwrap();
    assert_eq!(changes.links, std::slice::from_ref(&first));
    store.create_link(&second).await.unwrap();
    let newer = store.changes_since(changes.number).await.unwrap();
    assert_eq!(newer.links, std::slice::from_ref(&second));
    assert_eq!(store.changes_since(newer.number).await.unwrap().links, []);
    for refused in [
        link("later", Some("first"), Some(at(1_001))),
        link("endless", Some("first"), None),
        link("orphan", Some("missing"), Some(at(10))),
        link("first", None, None),
    ] {
        let error = store.create_link(&refused).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{}: {error}", refused.id);
    }
    store.links_used(&[("second".to_owned(), at(7)), ("gone".to_owned(), at(7))]).await.unwrap();
    store.links_used(&[("second".to_owned(), at(3))]).await.unwrap();
    assert_eq!(store.link("second").await.unwrap().unwrap().used, Some(at(7)));
    assert_eq!(store.changes_since(newer.number).await.unwrap().links, [], "use is no change");

    store.create_link(&link("third", Some("second"), Some(at(500)))).await.unwrap();
    store.create_link(&link("other", None, None)).await.unwrap();
    let before = store.changes_since(newer.number).await.unwrap().number;
    assert_eq!(store.revoke_link("first", at(20)).await.unwrap(), 3);
    assert_eq!(store.revoke_link("first", at(21)).await.unwrap(), 0, "once");
    assert_eq!(store.revoke_link("missing", at(21)).await.unwrap(), 0);
    let revoked = store.changes_since(before).await.unwrap().links;
    assert_eq!(revoked.len(), 3);
    assert!(revoked.iter().all(|link| link.revoked == Some(at(20)) && !link.is_valid(at(21))));
    let error = store.create_link(&link("late", Some("first"), Some(at(30)))).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");

    assert_eq!(store.sweep_links(at(559)).await.unwrap(), 0, "a minute after their end");
    assert_eq!(store.sweep_links(at(561)).await.unwrap(), 2);
    assert_eq!(store.sweep_links(at(20 + 24 * 3_600 + 1)).await.unwrap(), 1);
    assert_eq!(store.links().await.unwrap().len(), 1);
    assert_eq!(store.health(), StoreHealth::Up);
}

async fn admin_tokens(store: &Store) {
    let token = |name: &str| AdminToken {
        name: name.to_owned(),
        token: TokenDigest::of(&format!("token of {name}")),
        created: at(0),
        used: None,
    };
    store.create_admin_token(&token("ops")).await.unwrap();
    store.create_admin_token(&token("ci")).await.unwrap();
    assert!(matches!(store.create_admin_token(&token("ops")).await, Err(StoreError::Refused(_))));
    assert_eq!(store.admin_token(TokenDigest::of("token of ci")).await.unwrap(), Some(token("ci")));
    assert_eq!(store.admin_token(TokenDigest::of("token of nobody")).await.unwrap(), None);
    store.admin_token_used("ci", at(9)).await.unwrap();
    assert_eq!(store.admin_tokens().await.unwrap()[0].used, Some(at(9)));
    assert!(store.revoke_admin_token("ci").await.unwrap());
    assert!(!store.revoke_admin_token("ci").await.unwrap());
    assert_eq!(store.admin_token(TokenDigest::of("token of ci")).await.unwrap(), None);
}

fn replica(id: &str, process: &str) -> Replica {
    Replica { id: id.to_owned(), process: process.to_owned(), description: format!("{{\"id\":\"{id}\"}}") }
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
}

async fn leases(store: &Store) {
    let (a, b, c) = (replica("a", "1"), replica("b", "2"), replica("c", "3"));
    let lease = store.renew_lease(&a, false).await.unwrap();
    assert!(lease.first && lease.until.elapsed().is_zero());
    close(lease.share, 1.0);
    let joined = store.renew_lease(&b, false).await.unwrap();
    assert!(!joined.first);
    close(joined.share, 0.0);
    close(store.renew_lease(&a, true).await.unwrap().share, 0.5);
    close(store.renew_lease(&b, true).await.unwrap().share, 0.5);
    close(store.renew_lease(&c, false).await.unwrap().share, 0.0);
    close(store.renew_lease(&a, true).await.unwrap().share, 1.0 / 3.0);
    close(store.renew_lease(&c, true).await.unwrap().share, 1.0 / 6.0);
    assert_eq!(store.replicas().await.unwrap().len(), 3);
    store.end_lease(&b).await.unwrap();
    assert_eq!(store.replicas().await.unwrap(), [r#"{"id":"a"}"#, r#"{"id":"c"}"#]);
    close(store.renew_lease(&a, true).await.unwrap().share, 0.5);
    close(store.renew_lease(&c, true).await.unwrap().share, 0.5);
    // A process that was killed has left its address to the next one.
    let again = replica("a", "4");
    let taken = store.renew_lease(&again, false).await.unwrap();
    close(taken.share, 0.5);
    assert!(!taken.first);
    let error = store.renew_lease(&a, true).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    store.end_lease(&a).await.unwrap();
    assert_eq!(store.replicas().await.unwrap().len(), 2, "only its own");
    store.end_lease(&again).await.unwrap();
    store.end_lease(&c).await.unwrap();
}

async fn refresh_tokens(store: &Store) {
    let (a, b) = (SharedRefreshTokens::new(store.clone()).unwrap(), SharedRefreshTokens::new(store.clone()).unwrap());
    let (one, another) = (Holder::new(), Holder::new());
    assert_eq!(a.lease("chain", one).await, Ok(None));
    assert_eq!(a.lease("chain", one).await, Ok(None), "it has its turn already");
    // Another process, and another source of tokens in the same one.
    for (other, holder) in [(&b, one), (&a, another)] {
        let waiting = tokio::spawn({
            let other = other.clone();
            async move { other.lease("chain", holder).await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!waiting.is_finished(), "one at a time");
        assert!(other.release("chain", holder, Some("early".to_owned())).await.is_err(), "it is not its turn");
        a.release("chain", one, Some("sealed".to_owned())).await.unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(Some("sealed".to_owned())));
        assert!(a.release("chain", one, Some("late".to_owned())).await.is_err(), "it is not its turn");
        other.release("chain", holder, None).await.unwrap();
        assert_eq!(a.lease("chain", one).await, Ok(Some("sealed".to_owned())));
    }
    assert_eq!(b.lease("another", one).await, Ok(None));
}

/// Shares of processes that come, go, and are killed, over one store: never more than the whole.
async fn crowd(store: &Store) {
    let mut draw = fastrand::Rng::with_seed(7);
    let mut shares = [0.0; 6];
    for step in 0..200 {
        let number = draw.usize(0..shares.len());
        let own = replica(&format!("crowd {number}"), "1");
        let takes_part = shares[number] > 0.0;
        if takes_part && draw.u8(0..8) == 0 {
            store.end_lease(&own).await.unwrap();
            shares[number] = 0.0;
        } else {
            shares[number] = store.renew_lease(&own, takes_part).await.unwrap().share;
        }
        let all: f64 = shares.iter().sum();
        assert!(all < 1.0 + 1e-5, "step {step}: {shares:?}");
    }
    for _ in 0..3 {
        for (number, share) in shares.iter_mut().enumerate() {
            *share = store.renew_lease(&replica(&format!("crowd {number}"), "1"), *share > 0.0).await.unwrap().share;
        }
    }
    for share in shares {
        close(share, 1.0 / 6.0);
    }
}

/// What the database refuses says nothing of whether it can be reached.
async fn strange_values(store: &Store) {
    let error = store.link("\0").await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert!(matches!(store.revoke_link("\0", SystemTime::now()).await, Err(StoreError::Refused(_))));
    assert_eq!(store.health(), StoreHealth::Up);
}

/// Uses, revocations and sweeps of the same rows in opposite orders: none waits for another that waits for it. Eight at a
/// time, so that none waits for a connection: that has a bound of its own, and all of these have to pass on any machine.
async fn changes_at_once(store: &Store) {
    let now = SystemTime::now();
    let ids: Vec<String> = (0..60).map(|number| format!("at-once {number}")).collect();
    for (number, id) in ids.iter().enumerate() {
        let parent = number.checked_sub(1).map(|before| ids[before].as_str());
        store.create_link(&link(id, parent, None)).await.unwrap();
    }
    let mut changes: tokio::task::JoinSet<Result<(), StoreError>> = tokio::task::JoinSet::new();
    for round in 0..40_u64 {
        let at = now + Duration::from_secs(round);
        let mut used: Vec<(String, SystemTime)> = ids.iter().map(|id| (id.clone(), at)).collect();
        if round % 2 == 0 {
            used.reverse();
        }
        while changes.len() >= 8 {
            changes.join_next().await.unwrap().unwrap().unwrap();
        }
        let (noting, sweeping) = (store.clone(), store.clone());
        changes.spawn(async move { noting.links_used(&used).await });
        changes.spawn(async move { sweeping.sweep_links(at).await.map(drop) });
        if round == 20 {
            let (revoker, first) = (store.clone(), ids[0].clone());
            changes.spawn(async move { revoker.revoke_link(&first, at).await.map(drop) });
        }
    }
    while let Some(changed) = changes.join_next().await {
        changed.unwrap().unwrap();
    }
    assert_eq!(store.sweep_links(now + Duration::from_hours(48)).await.unwrap(), 60, "all were revoked");
}

async fn all(store: &Store) {
    links(store).await;
    oauth::authorizations(store).await;
    admin_tokens(store).await;
    leases(store).await;
    refresh_tokens(store).await;
    vendor_sign_ins::sign_ins(store).await;
    approvals::approvals(store).await;
    assert!(LEASE <= Duration::from_secs(30), "reads go on for as long at most");
}

#[tokio::test]
async fn a_file_keeps_what_is_put_into_it() {
    let store = in_a_file("store-file").await;
    all(&store).await;
    let path = store.address().clone();
    store.close().await;
    let again = Store::open(&path).await.unwrap();
    assert_eq!(again.links().await.unwrap().len(), 1);
    crowd(&again).await;
}

#[cfg(unix)]
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn postgresql_keeps_what_is_put_into_it() {
    let mut postgres = crate::common::postgres::Postgres::start("store").await;
    let store = Store::open(&postgres.address()).await.unwrap();
    all(&store).await;
    crowd(&Store::open(&postgres.address()).await.unwrap()).await;
    strange_values(&store).await;
    changes_at_once(&store).await;
    postgres.stop();
    let error = store.links().await.unwrap_err();
    assert!(matches!(&error, StoreError::Unreachable(_)), "{error}");
    assert!(matches!(store.health(), StoreHealth::Down(..)));
    postgres.resume().await;
    assert_eq!(store.links().await.unwrap().len(), 1);
    assert_eq!(store.health(), StoreHealth::Up);
    let error = store.back_up(&fresh_folder("store-postgres").join("copy")).await.unwrap_err();
    assert!(error.to_string().contains("pg_dump"), "{error}");
}

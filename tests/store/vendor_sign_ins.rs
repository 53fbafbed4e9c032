//! Sign-ins at vendors: one of several servers has the token at a time, and what each puts there is what the next one finds.

use std::time::Duration;

use toolwright::store::{NewVendorSignIn, Store, StoreKey, VendorSignIns};
use toolwright::upstream::{Holder, KeptSignIns as _, SignInOf};

use crate::common::network::fresh_folder;

const SERVERS: usize = 4;

async fn opened(store: &Store, folder: &std::path::Path) -> VendorSignIns {
    VendorSignIns::open(store.clone(), StoreKey::read(&folder.join("key")).unwrap()).await.unwrap()
}

/// Takes the token, a number, and puts the next one there.
async fn exchange(server: VendorSignIns, of: SignInOf, revision: String) -> u64 {
    let holder = Holder::new();
    let number: u64 = server.lease(&of, &revision, holder).await.unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    server.release(&of, holder, Some(&(number + 1).to_string())).await.unwrap();
    number
}

/// Leaves what it found.
pub(super) async fn sign_ins(store: &Store) {
    let folder = fresh_folder(if store.is_shared() { "store-sign-ins-shared" } else { "store-sign-ins" });
    StoreKey::create(&folder.join("key")).unwrap();
    let first = opened(store, &folder).await;
    let of = SignInOf { account: "acme".to_owned(), vendor: "jsm".to_owned() };
    assert_eq!(first.all(), []);
    let (sites, site) = (r#"[{"id":"a","names":[]}]"#.to_owned(), None);
    let new = NewVendorSignIn { of: &of, refresh_token: "0", sites: sites.clone(), site, administrator: "ops" };
    first.sign_in(new).await.unwrap();
    let found = first.get(&of).unwrap();
    assert_eq!((found.sites, found.site, found.renewed, found.administrator.as_str()), (sites, None, None, "ops"));
    let mut exchanges = tokio::task::JoinSet::new();
    for _ in 0..SERVERS {
        exchanges.spawn(exchange(opened(store, &folder).await, of.clone(), found.revision.clone()));
    }
    let mut seen = exchanges.join_all().await;
    seen.sort_unstable();
    assert_eq!(seen, (0..SERVERS as u64).collect::<Vec<_>>(), "none twice, and none lost");
    let second = opened(store, &folder).await;
    assert!(second.get(&of).unwrap().renewed.is_some());
    assert!(!second.choose_site(&of, "old", "a").await.unwrap());
    assert!(second.choose_site(&of, &found.revision, "a").await.unwrap());
    let chosen = second.get(&of).unwrap();
    assert_eq!(chosen.site.as_deref(), Some("a"));
    assert_ne!(chosen.revision, found.revision);
    assert_eq!(second.take(&chosen).await.unwrap().refresh_token, SERVERS.to_string());
    // Who holds it is gone where somebody signs in anew, or out.
    let again =
        NewVendorSignIn { of: &of, refresh_token: "9", sites: "[]".to_owned(), site: None, administrator: "ops" };
    second.sign_in(again).await.unwrap();
    assert!(!second.remove(&chosen).await.unwrap(), "not what came after it");
    let last = second.get(&of).unwrap();
    let taken = second.take(&last).await.unwrap();
    assert_eq!(taken.refresh_token, "9");
    second.put_back(taken).await;
    assert!(second.remove(&last).await.unwrap());
    assert!(!second.remove(&last).await.unwrap());
    assert_eq!(opened(store, &folder).await.all(), []);
}

//! The key of the sign-ins in a store: none, another one, and rows that somebody has changed.

use serde_json::json;
use sqlx::ConnectOptions as _;
use sqlx::any::AnyConnectOptions;
use toolwright::store::{NewVendorSignIn, Store, StoreKey, VendorSignIns as Kept};
use toolwright::upstream::{Holder, KeptSignIns as _, SignInOf};

use super::vendor::{SITES, ScriptedVendor};
use super::{back, begin, call, enter, folder, of, server, signed_in, store};

#[tokio::test]
async fn without_a_key_the_page_names_the_flag() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("none"));
    let server = server(&vendor, &folder, "ops", None).await;
    enter(&server.pages, &server.admin).await;
    let page = server.pages.get("/accounts").await;
    let page =
        page.shows(200, &["toolwright store key create FILE", "serve --store-key FILE", "TOOLWRIGHT_STORE_KEY_FILE"]);
    assert!(!page.text.contains("Sign in</button>"), "{}", page.text);
    let refused = server.pages.send(&page, "/accounts/one/sign-in", &[]).await;
    refused.shows(409, &["has no store key", "--store-key FILE"]);
    server.pages.get("/accounts/callback?code=x&state=y").await.shows(404, &["Nobody signs in at vendors here"]);
    assert!(server.kept.is_none());
}

#[tokio::test]
async fn with_another_key_nothing_is_used_and_nothing_is_lost() {
    let (vendor, folder) = (ScriptedVendor::start(1).await, folder("wrong"));
    StoreKey::create(&folder.join("other.key")).unwrap();
    {
        let right = server(&vendor, &folder, "right", Some("store.key")).await;
        signed_in(&right, &vendor).await;
    }
    {
        let wrong = server(&vendor, &folder, "wrong", Some("other.key")).await;
        let error = call(&wrong).await.unwrap_err();
        let path = folder.join("other.key").display().to_string();
        for part in ["encrypted with another key", "stays as it is", "--store-key", path.as_str()] {
            assert!(error.contains(part), "{part}: {error}");
        }
        enter(&wrong.pages, &wrong.admin).await;
        let page = wrong.pages.get("/accounts").await.shows(200, &["encrypted with another key", "Sign in again"]);
        let refused = wrong.pages.send(&page, "/accounts/one/sign-out", &[]).await;
        refused.shows(409, &["Nothing was changed", "another key"]);
    }
    let again = server(&vendor, &folder, "again", Some("store.key")).await;
    assert_eq!(call(&again).await, Ok(json!({"site": SITES[0]})));
    assert_eq!(vendor.set(|issued| (issued.exchanged.len(), issued.refused, issued.revoked.len())), (1, 0, 0));
    // Where the key is lost, a new sign-in takes the place of the old one.
    let other = server(&vendor, &folder, "other", Some("other.key")).await;
    enter(&other.pages, &other.admin).await;
    back(&other.pages, &vendor.consents(&begin(&other.pages).await)).await.shows(200, &["You are signed in"]);
    assert_eq!(call(&other).await, Ok(json!({"site": SITES[0]})));
}

#[tokio::test]
async fn a_row_of_another_account_is_of_no_use() {
    let folder = folder("swapped");
    let (store, address) = (Store::open(&store(&folder)).await.unwrap(), folder.join("store.db"));
    let kept = Kept::open(store, StoreKey::read(&folder.join("store.key")).unwrap()).await.unwrap();
    let other = SignInOf { account: "two".to_owned(), ..of() };
    for (of, token) in [(of(), "r3fresh-1"), (other.clone(), "r3fresh-2")] {
        let sign_in =
            NewVendorSignIn { of: &of, refresh_token: token, sites: "[]".to_owned(), site: None, administrator: "ops" };
        kept.sign_in(sign_in).await.unwrap();
    }
    let holder = Holder::new();
    let revision = |of: &SignInOf| kept.get(of).unwrap().revision;
    let (first, second) = (revision(&of()), revision(&other));
    assert_eq!(kept.lease(&of(), &first, holder).await.as_deref(), Ok("r3fresh-1"));
    kept.release(&of(), holder, Some("r3fresh-3")).await.unwrap();
    assert_eq!(kept.lease(&of(), &first, holder).await.as_deref(), Ok("r3fresh-3"));
    kept.release(&of(), holder, None).await.unwrap();
    assert_eq!(kept.lease(&of(), &first, holder).await.as_deref(), Ok("r3fresh-3"));
    // Who does not have it can't put anything there.
    let late = kept.release(&of(), Holder::new(), Some("r3fresh-9")).await.unwrap_err();
    assert!(late.contains("was not stored"), "{late}");
    kept.release(&of(), holder, None).await.unwrap();
    let options: AnyConnectOptions = format!("sqlite://{}", address.display()).parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    let swap = "UPDATE vendor_sign_ins SET sealed = (SELECT sealed FROM vendor_sign_ins WHERE account = 'two') \
                WHERE account = 'one'";
    sqlx::query(swap).execute(&mut connection).await.unwrap();
    let error = kept.lease(&of(), &first, holder).await.unwrap_err();
    assert!(error.contains("can't be decrypted") && !error.contains("r3fresh"), "{error}");
    assert_eq!(kept.lease(&other, &second, holder).await.as_deref(), Ok("r3fresh-2"));
    for (of, revision) in [(&of(), "old"), (&SignInOf { account: "three".to_owned(), ..of() }, &*first)] {
        assert!(kept.lease(of, revision, holder).await.unwrap_err().contains("ended or replaced"));
    }
}

#[tokio::test]
async fn space_for_the_next_token_is_there_before_the_present_one_is_spent() {
    let folder = folder("room");
    let store = Store::open(&store(&folder)).await.unwrap();
    let kept = Kept::open(store, StoreKey::read(&folder.join("store.key")).unwrap()).await.unwrap();
    let of = of();
    let new = NewVendorSignIn {
        of: &of,
        refresh_token: "r3fresh-1",
        sites: "[]".to_owned(),
        site: None,
        administrator: "ops",
    };
    kept.sign_in(new).await.unwrap();
    let sizes = || ["", "-wal"].map(|ending| folder.join(format!("store.db{ending}")).metadata().unwrap().len());
    let before = sizes();
    let (revision, holder) = (kept.get(&of).unwrap().revision, Holder::new());
    kept.lease(&of, &revision, holder).await.unwrap();
    let reserved = sizes();
    assert!(reserved[0] >= before[0] + 16 * 1024, "{before:?}, {reserved:?}");
    kept.release(&of, holder, Some(&"t".repeat(6_000))).await.unwrap();
    assert_eq!(sizes(), reserved, "nothing more was needed");
    assert_eq!(kept.lease(&of, &revision, holder).await, Ok("t".repeat(6_000)));
}

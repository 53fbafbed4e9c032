//! A store and the way back: a copy of it, an upgrade that is taken back, a program that is older than the store.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::any::AnyConnectOptions;
use toolwright::store::{Store, StoreAddress, StoreError};

use super::link;
use crate::common::network::{fresh_folder, run};

/// The ids of the links in a store.
async fn ids(address: &StoreAddress) -> Vec<String> {
    let store = Store::open(address).await.unwrap();
    let ids = store.links().await.unwrap().into_iter().map(|link| link.id).collect();
    store.close().await;
    ids
}

/// What a newer version leaves in a store: a migration that this one does not know.
async fn upgraded(path: &Path) {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = format!("sqlite://{}", path.display()).parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (999, 'later', TRUE, X'00', 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn an_upgrade_is_taken_back_with_the_copy_from_before_it() {
    let folder = fresh_folder("store-rollback");
    let (path, copy) = (folder.join("store.db"), folder.join("before.db"));
    let address = StoreAddress::File(path.clone());
    let store = Store::open(&address).await.unwrap();
    store.create_link(&link("first", None, None)).await.unwrap();
    store.close().await;
    let (store_flag, copy_flag) = (path.to_str().unwrap(), copy.to_str().unwrap());
    let (code, _, error) = run(&["store", "backup", copy_flag, "--store", store_flag], &[]).await;
    assert_eq!(code, Some(0), "{error}");
    // The upgrade, and a link that is made after it.
    let store = Store::open(&address).await.unwrap();
    store.create_link(&link("second", None, None)).await.unwrap();
    store.close().await;
    upgraded(&path).await;
    let (code, _, error) = run(&["link", "list", "--store", store_flag], &[]).await;
    assert!(code == Some(2) && error.contains("newer version"), "{error}");
    let (code, _, error) = run(&["store", "restore", copy_flag, "--store", store_flag], &[]).await;
    assert!(code == Some(0) && error.contains("store.db.before-restore"), "{error}");
    assert_eq!(ids(&address).await, ["first"]);
    assert!(copy.exists() && folder.join("store.db.before-restore").exists());
    let (code, _, error) = run(&["store", "restore", copy_flag, "--store", store_flag], &[]).await;
    assert!(code == Some(2) && error.contains("of an earlier restore"), "what was kept stays: {error}");
}

#[tokio::test]
async fn what_was_written_last_does_not_come_back_with_a_copy() {
    let folder = fresh_folder("store-wal");
    let (path, copy) = (folder.join("store.db"), folder.join("copy.db"));
    let address = StoreAddress::File(path.clone());
    let store = Store::open(&address).await.unwrap();
    store.create_link(&link("first", None, None)).await.unwrap();
    store.back_up(&copy).await.unwrap();
    store.create_link(&link("second", None, None)).await.unwrap();
    // As after a loss of power: the file beside the store holds what the store does not yet.
    let left = ["store.db", "store.db-wal"].map(|name| (folder.join(name), std::fs::read(folder.join(name)).unwrap()));
    store.close().await;
    for (file, bytes) in &left {
        std::fs::write(file, bytes).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let kept = Store::restore(&copy, &address).await.unwrap().unwrap();
    assert_eq!(ids(&address).await, ["first"]);
    assert_eq!(ids(&StoreAddress::File(kept)).await.len(), 2, "what was there is whole");
}

#[tokio::test]
async fn a_restore_that_can_not_be_leaves_the_store_as_it_is() {
    let folder = fresh_folder("store-no-restore");
    let (path, copy) = (folder.join("store.db"), folder.join("copy.db"));
    let address = StoreAddress::File(path.clone());
    let store = Store::open(&address).await.unwrap();
    store.create_link(&link("first", None, None)).await.unwrap();
    store.back_up(&copy).await.unwrap();
    let refused = async |copy: &Path, part: &str| {
        let error = Store::restore(copy, &address).await.unwrap_err();
        assert!(matches!(&error, StoreError::Refused(text) if text.contains(part)), "{part}: {error}");
    };
    store.serve_alone().unwrap();
    refused(&copy, "another server uses the store").await;
    drop(store);
    refused(&folder.join("nowhere.db"), "nowhere.db` can't be read").await;
    std::fs::write(folder.join("notes.txt"), "these are notes, and no database of any kind, however long they are")
        .unwrap();
    refused(&folder.join("notes.txt"), "notes.txt").await;
    upgraded(&copy).await;
    refused(&copy, "copy.db` was written by a newer version").await;
    assert_eq!(ids(&address).await, ["first"]);
    let mut left: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    left.retain(|name| name.contains("restore"));
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_becomes_a_store_where_there_was_none() {
    let folder = fresh_folder("store-new-place");
    let copy = folder.join("copy.db");
    let store = Store::open(&StoreAddress::File(folder.join("store.db"))).await.unwrap();
    store.create_link(&link("first", None, None)).await.unwrap();
    store.back_up(&copy).await.unwrap();
    let elsewhere = StoreAddress::File(folder.join("another machine").join("store.db"));
    assert_eq!(Store::restore(&copy, &elsewhere).await.unwrap(), None);
    assert_eq!(ids(&elsewhere).await, ["first"]);
}

//! The file of a store: who can read it, who serves it, its copies.

use toolwright::store::{Store, StoreAddress, StoreError};

use super::{in_a_file, link};
use crate::common::network::fresh_folder;

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = fresh_folder("store-mode");
    let path = folder.join("made").join("store.db");
    let address = StoreAddress::File(path.clone());
    let store = Store::open(&address).await.unwrap();
    store.create_link(&link("first", None, None)).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    store.close().await;
    for (open, shown) in [(0o640, "640"), (0o604, "604"), (0o620, "620")] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open)).unwrap();
        let error = Store::open(&address).await.unwrap_err().to_string();
        assert!(error.contains(shown) && error.contains("chmod 600"), "{error}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    Store::open(&address).await.unwrap();
}

#[tokio::test]
async fn one_server_serves_a_file() {
    let store = in_a_file("store-lock").await;
    store.serve_alone().unwrap();
    let second = Store::open(store.address()).await.unwrap();
    let error = second.serve_alone().unwrap_err().to_string();
    assert!(error.contains("--store"), "{error}");
    // The command line reads and changes it meanwhile.
    second.create_link(&link("first", None, None)).await.unwrap();
    assert_eq!(store.links().await.unwrap().len(), 1);
    drop(store);
    second.serve_alone().unwrap();
}

#[tokio::test]
async fn a_copy_is_whole_while_the_store_is_in_use() {
    let store = in_a_file("store-copy").await;
    for number in 0..50 {
        store.create_link(&link(&format!("link {number}"), None, None)).await.unwrap();
    }
    let folder = fresh_folder("store-copies");
    let copy = folder.join("copy of the 'store'.db");
    let (copied, created) = tokio::join!(store.back_up(&copy), async {
        for number in 50..80 {
            store.create_link(&link(&format!("link {number}"), None, None)).await.unwrap();
        }
    });
    let () = created;
    copied.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let restored = Store::open(&StoreAddress::File(copy.clone())).await.unwrap();
    assert!(restored.links().await.unwrap().len() >= 50);
    let error = store.back_up(&copy).await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused(reason) if reason.contains("can't be written")), "{error}");
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    let folder = fresh_folder("store-other");
    let path = folder.join("notes.txt");
    std::fs::write(&path, "these are notes, and no database of any kind, however long they are").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let error = Store::open(&StoreAddress::File(path.clone())).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    let error = Store::open(&StoreAddress::File(folder.clone())).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_) | StoreError::Unreachable(_)), "{error}");
    assert!(std::fs::read_to_string(path).unwrap().starts_with("these are notes"), "it stays as it was");
}

//! Access tokens that are requested: with a refresh token that rotates, and with client
//! credentials. A server on this machine issues them and refuses expired ones.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use toolwright::call::Toolbox;
use toolwright::store::{SharedRefreshTokens, Store, StoreAddress};
use toolwright::upstream::RefreshTokenChains;
use toolwright_model::Vendor;

use crate::common;
use crate::common::acme::{Site, call, resolved, toolbox, toolbox_over, vendor};

const SECRET: &str = "cl13nt-s3cret";

/// A file of its own for each test, with a refresh token.
fn file(test: &str, content: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tokens");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{test}-{}", std::process::id()));
    for beside in ["new", "lock"] {
        let _ = std::fs::remove_file(path.with_file_name(format!("{test}-{}.{beside}", std::process::id())));
    }
    std::fs::write(&path, content).unwrap();
    path
}

fn beside(path: &std::path::Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", path.display()))
}

fn with_refresh_token(site: &str) -> Vendor {
    vendor(&format!(
        "[[addresses]]\nvariable = \"ACME_URL\"\nexample = \"\"\n\
         [[credentials]]\nkind = \"oauth-refresh\"\nclient_id = \"ACME_ID\"\nclient_secret = \"ACME_SECRET\"\n\
         refresh_token_file = \"ACME_TOKEN_FILE\"\nendpoint = \"{site}/token\"\nclient = \"json\"\n"
    ))
}

fn renewing_at(site: &str, file: &std::path::Path) -> Toolbox {
    let variables = [
        ("ACME_URL", site),
        ("ACME_ID", "client"),
        ("ACME_SECRET", SECRET),
        ("ACME_TOKEN_FILE", file.to_str().unwrap()),
    ];
    toolbox(with_refresh_token(site), &variables)
}

fn renewing(site: &Site, file: &std::path::Path) -> Toolbox {
    renewing_at(&format!("http://{}", site.address), file)
}

/// A server with a file of its own, and what follows its token in a store.
async fn sharing(site: &Site, file: &std::path::Path, store: &std::path::Path) -> Toolbox {
    sharing_by(site, file, &chains(store).await)
}

/// What one process keeps in a store.
async fn chains(store: &std::path::Path) -> Arc<dyn RefreshTokenChains> {
    let store = Store::open(&StoreAddress::File(store.to_owned())).await.unwrap();
    Arc::new(SharedRefreshTokens::new(store).unwrap())
}

/// A store that is not there yet.
fn fresh_store(test: &str) -> PathBuf {
    let store = file(test, "");
    for name in [store.clone(), beside(&store, "db-wal")] {
        let _ = std::fs::remove_file(name);
    }
    store
}

fn sharing_by(site: &Site, file: &std::path::Path, chains: &Arc<dyn RefreshTokenChains>) -> Toolbox {
    let address = format!("http://{}", site.address);
    let variables = [
        ("ACME_URL", address.as_str()),
        ("ACME_ID", "client"),
        ("ACME_SECRET", SECRET),
        ("ACME_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let vendor = with_refresh_token(&address);
    let connection = resolved(&vendor, &variables).unwrap().unwrap();
    connection.credentials.share(chains);
    toolbox_over(vendor, connection)
}

#[tokio::test]
async fn servers_with_one_store_exchange_a_refresh_token_in_turn() {
    let site = Site::start("refresh-0").await;
    site.set(|state| state.delay = Duration::from_millis(200));
    let store = fresh_store("shared.db");
    let files = [file("shared-a", "refresh-0\n"), file("shared-b", "refresh-0\n")];
    let (a, b) = (sharing(&site, &files[0], &store).await, sharing(&site, &files[1], &store).await);
    let (first, second) = tokio::join!(call(&a, "acme_get_a"), call(&b, "acme_get_a"));
    // The vendor knows one access token at a time; who has an older one gets another.
    for answer in [first, second, call(&a, "acme_get_b").await, call(&b, "acme_get_b").await] {
        assert_eq!(answer, Ok(json!({"path": "/who", "organization": null})));
    }
    site.set(|state| {
        let given: Vec<String> =
            state.token_requests.iter().map(|request| request.fields["refresh_token"].clone()).collect();
        let expected: Vec<String> = (0..given.len()).map(|number| format!("refresh-{number}")).collect();
        assert_eq!(given, expected, "each once, in order");
        assert!(given.len() >= 2, "each server needs an access token of its own");
    });
    for file in files {
        assert_eq!(held(&file), "refresh-0", "the files stay as they are");
    }
    let bytes = std::fs::read(&store).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"refresh-"), "it is encrypted");
    // A new token in the files begins anew.
    site.set(|state| state.refresh_token = "signed-in-again".to_owned());
    let files = [file("shared-c", "signed-in-again\n")];
    let c = sharing(&site, &files[0], &store).await;
    assert_eq!(call(&c, "acme_get_a").await, Ok(json!({"path": "/who", "organization": null})));
}

/// Two accounts with the same file, or one whose credentials are read anew while it renews.
#[tokio::test]
async fn accounts_of_one_server_exchange_a_refresh_token_in_turn() {
    let site = Site::start("refresh-0").await;
    site.set(|state| state.delay = Duration::from_millis(300));
    let chains = chains(&fresh_store("accounts.db")).await;
    let file = file("accounts", "refresh-0\n");
    let (a, b) = (sharing_by(&site, &file, &chains), sharing_by(&site, &file, &chains));
    let (first, second) = tokio::join!(call(&a, "acme_get_a"), call(&b, "acme_get_a"));
    let mut answers = vec![first, second];
    for _ in 0..2 {
        answers.extend([call(&a, "acme_get_b").await, call(&b, "acme_get_b").await]);
    }
    for answer in answers {
        assert_eq!(answer, Ok(json!({"path": "/who", "organization": null})));
    }
    site.set(|state| {
        let given: Vec<String> =
            state.token_requests.iter().map(|request| request.fields["refresh_token"].clone()).collect();
        let expected: Vec<String> = (0..given.len()).map(|number| format!("refresh-{number}")).collect();
        assert_eq!(given, expected, "each once, in order");
    });
}

fn held(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_rotated_refresh_token_is_stored_before_the_access_token_is_used() {
    let site = Site::start("refresh-0").await;
    let file = file("replaced", "refresh-0\n");
    site.set(|state| state.watched = Some(file.clone()));
    let toolbox = renewing(&site, &file);
    assert_eq!(call(&toolbox, "acme_get_a").await, Ok(json!({"path": "/who", "organization": null})));
    assert_eq!(call(&toolbox, "acme_get_b").await, Ok(json!({"path": "/who", "organization": null})));
    assert_eq!(site.token_requests(), 1, "one token serves both APIs");
    site.set(|state| {
        assert_eq!(state.seen, ["refresh-1\n", "refresh-1\n"], "what the file held when an API was called");
        let request = &state.token_requests[0];
        assert_eq!(request.authorization, None);
        let field = |name: &str| request.fields.get(name).map(String::as_str);
        assert_eq!((field("grant_type"), field("refresh_token")), (Some("refresh_token"), Some("refresh-0")));
        assert_eq!((field("client_id"), field("client_secret")), (Some("client"), Some(SECRET)));
    });
    assert_eq!(held(&file), "refresh-1");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!beside(&file, "new").exists());
}

#[tokio::test]
async fn concurrent_callers_request_one_token() {
    let site = Site::start("refresh-0").await;
    site.set(|state| state.delay = Duration::from_millis(100));
    let file = file("at-once", "refresh-0");
    let toolbox = renewing(&site, &file);
    let calls = (0..20).map(|_| call(&toolbox, "acme_get_a"));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(site.token_requests(), 1);
}

#[tokio::test]
async fn servers_that_share_the_file_take_turns() {
    let site = Site::start("refresh-0").await;
    site.set(|state| state.delay = Duration::from_millis(40));
    let file = file("shared", "refresh-0");
    // Each has a lock of its own, as processes have.
    let toolboxes: Vec<Toolbox> = (0..5).map(|_| renewing(&site, &file)).collect();
    let calls = toolboxes.iter().map(|toolbox| call(toolbox, "acme_get_a"));
    futures_util::future::join_all(calls).await;
    site.set(|state| {
        let used: Vec<&str> =
            state.token_requests.iter().map(|request| request.fields["refresh_token"].as_str()).collect();
        // Here a second token revokes the first one, which costs one more request.
        let expected: Vec<String> = (0..used.len()).map(|number| format!("refresh-{number}")).collect();
        assert_eq!(used, expected, "none was used twice");
        assert!(used.len() >= 5);
    });
    assert_eq!(held(&file), format!("refresh-{}", site.token_requests()));
}

#[tokio::test]
async fn a_refused_refresh_token_asks_for_a_new_sign_in_and_is_not_tried_again() {
    let site = Site::start("another").await;
    let file = file("refused", "used-up-t0ken");
    let toolbox = renewing(&site, &file);
    for _ in 0..3 {
        let error = call(&toolbox, "acme_get_a").await.unwrap_err();
        assert!(error.starts_with("not sent: Acme: no access token was issued"), "{error}");
        assert!(error.contains("403 (invalid_grant)") && error.contains("sign in again"), "{error}");
        assert!(error.contains("`ACME_TOKEN_FILE`"), "{error}");
        assert!(!error.contains("used-up-t0ken") && !error.contains(SECRET), "{error}");
    }
    assert_eq!((site.token_requests(), held(&file).as_str()), (1, "used-up-t0ken"));
    // A new sign-in needs no restart.
    std::fs::write(&file, "another\n").unwrap();
    assert!(call(&toolbox, "acme_get_a").await.is_ok());
    assert_eq!((site.token_requests(), held(&file).as_str()), (2, "refresh-2"));
}

#[tokio::test]
async fn errors_do_not_repeat_the_token_endpoints_answer() {
    let site = Site::start("refresh-0").await;
    for (status, body, expected) in [
        (400, r#"{"error":"cl13nt-s3cret","error_description":"refresh-0"}"#, "answered 400\n"),
        (200, r#"{"refresh_token":"refresh-0"}"#, "without an access token"),
        (200, "cl13nt-s3cret", "without an access token"),
        (500, "cl13nt-s3cret", "answered 500"),
        (302, "cl13nt-s3cret", "answered 302"),
        (200, r#"{"access_token":"a\nb-s3cret"}"#, "no HTTP header can carry"),
    ] {
        site.set(|state| state.answer = Some((status, body.to_owned())));
        let file = file("repeated", "refresh-0");
        let error = call(&renewing(&site, &file), "acme_get_a").await.unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("s3cret") && !error.contains("refresh-0"), "{error}");
        assert_eq!(held(&file), "refresh-0");
    }
}

#[tokio::test]
async fn tokens_are_renewed_before_they_expire() {
    let site = Site::start("refresh-0").await;
    site.set(|state| state.expires_in = Some(4));
    let file = file("expiry", "refresh-0");
    let toolbox = renewing(&site, &file);
    call(&toolbox, "acme_get_a").await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    call(&toolbox, "acme_get_a").await.unwrap();
    assert_eq!((site.token_requests(), held(&file).as_str()), (2, "refresh-2"));
    // The endpoint is down: what is left of the token's life is used, and no more.
    site.set(|state| state.answer = Some((503, String::new())));
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    call(&toolbox, "acme_get_a").await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let error = call(&toolbox, "acme_get_a").await.unwrap_err();
    assert!(error.contains("no access token could be requested") && error.contains("answered 503"), "{error}");
    assert_eq!(site.token_requests(), 3, "no second request follows at once");
}

#[tokio::test]
async fn a_token_that_the_vendor_refuses_is_renewed_once() {
    let site = Site::start("refresh-0").await;
    let file = file("refused-once", "refresh-0");
    let toolbox = renewing(&site, &file);
    for tool in ["acme_get_a", "acme_change_a"] {
        let before = site.token_requests();
        site.set(|state| state.refusals = 1);
        call(&toolbox, tool).await.unwrap();
        assert!(site.token_requests() > before, "{tool}");
    }
    let before = site.token_requests();
    site.set(|state| {
        state.refusals = usize::MAX;
        state.calls.clear();
    });
    let error = call(&toolbox, "acme_get_a").await.unwrap_err();
    assert!(error.starts_with("rejected: the vendor answered 401"), "{error}");
    assert_eq!((site.token_requests() - before, site.set(|state| state.calls.len())), (1, 2));
    // No second token is issued: the refusal reports it and keeps its status.
    let toolbox = renewing(&site, &file);
    site.set(|state| state.refusals = 0);
    call(&toolbox, "acme_get_a").await.unwrap();
    site.set(|state| {
        state.refusals = usize::MAX;
        state.answer = Some((400, r#"{"error":"invalid_grant"}"#.to_owned()));
    });
    let error = call(&toolbox, "acme_get_a").await.unwrap_err();
    assert!(error.starts_with("rejected: the vendor answered 401") && error.contains("sign in again"), "{error}");
}

#[tokio::test]
async fn a_missing_scope_does_not_request_a_token_for_each_call() {
    let site = Site::start("refresh-0").await;
    let file = file("scope", "refresh-0");
    let toolbox = renewing(&site, &file);
    site.set(|state| state.refusals = usize::MAX);
    let mut errors = Vec::new();
    for _ in 0..20 {
        errors.push(call(&toolbox, "acme_get_a").await.unwrap_err());
    }
    assert_eq!(site.token_requests(), 2, "the first one, and one more to find out whether it helps");
    assert_eq!(site.set(|state| state.calls.len()), 21);
    assert!(errors.iter().all(|error| error.starts_with("rejected: the vendor answered 401")), "{errors:?}");
    assert!(errors[1].contains("a permission is missing") && errors[1].contains(" s at the earliest"), "{}", errors[1]);
    // What the vendor allows goes on, and a token that it withdraws meanwhile is renewed.
    site.set(|state| state.refusals = 0);
    call(&toolbox, "acme_change_a").await.unwrap();
    site.set(|state| state.access_token = "withdrawn".to_owned());
    call(&toolbox, "acme_change_a").await.unwrap();
    assert_eq!(site.token_requests(), 3);
}

#[tokio::test]
async fn no_token_is_requested_while_the_file_is_unwritable() {
    let site = Site::start("refresh-0").await;
    let file = file("unwritable", "refresh-0");
    std::fs::create_dir_all(beside(&file, "new")).unwrap();
    let toolbox = renewing(&site, &file);
    let error = call(&toolbox, "acme_get_a").await.unwrap_err();
    assert!(error.contains("can't be replaced") && error.contains("must be writable"), "{error}");
    assert_eq!(site.token_requests(), 0);
    std::fs::remove_dir(beside(&file, "new")).unwrap();
    assert!(call(&toolbox, "acme_get_a").await.is_ok());
}

#[tokio::test]
async fn a_token_is_kept_in_memory_until_it_can_be_written() {
    let site = Site::start("refresh-0").await;
    site.set(|state| state.delay = Duration::from_millis(200));
    let file = file("kept", "refresh-0");
    let toolbox = renewing(&site, &file);
    let next = beside(&file, "new");
    let disturb = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        // While the endpoint answers, a folder appears at the path of the temporary file.
        std::fs::remove_file(&next).unwrap();
        std::fs::create_dir(&next).unwrap();
    };
    let (called, ()) = tokio::join!(call(&toolbox, "acme_get_a"), disturb);
    assert!(called.unwrap_err().contains("can't be written"));
    assert_eq!(site.set(|state| state.calls.len()), 0, "the access token was not used");
    assert_eq!(held(&file), "refresh-0");
    std::fs::remove_dir(&next).unwrap();
    assert!(call(&toolbox, "acme_get_a").await.is_ok());
    assert_eq!((site.token_requests(), held(&file).as_str()), (1, "refresh-1"));
}

#[tokio::test]
async fn a_token_left_in_the_temporary_file_is_found() {
    let site = Site::start("received").await;
    for (content, good) in [("received\n", true), ("recei", false), ("", false)] {
        let file = file("received", "old");
        std::fs::write(beside(&file, "new"), content).unwrap();
        assert_eq!(call(&renewing(&site, &file), "acme_get_a").await.is_ok(), good, "{content:?}");
        let now_good = site.set(|state| state.refresh_token.clone());
        assert_eq!(held(&file), if good { now_good } else { "old".to_owned() });
        site.set(|state| state.refresh_token = "received".to_owned());
    }
    // What was put into the file later, by hand, is newer.
    let file = file("received", "old");
    std::fs::write(beside(&file, "new"), "long ago\n").unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    std::fs::write(&file, "received").unwrap();
    assert!(call(&renewing(&site, &file), "acme_get_a").await.is_ok());
}

#[tokio::test]
async fn dropping_a_call_does_not_lose_the_token() {
    let site = Site::start("refresh-0").await;
    site.set(|state| state.delay = Duration::from_millis(150));
    let file = file("away", "refresh-0");
    let toolbox = renewing(&site, &file);
    let left = tokio::time::timeout(Duration::from_millis(50), call(&toolbox, "acme_get_a")).await;
    assert!(left.is_err());
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(held(&file), "refresh-1");
    assert!(call(&toolbox, "acme_get_a").await.is_ok());
    assert_eq!(site.token_requests(), 1);
}

#[tokio::test]
async fn client_credentials_request_one_token_for_all_apis() {
    let site = Site::start("").await;
    let root = format!("http://{}", site.address);
    let own = vendor(&format!(
        "[[addresses]]\nvariable = \"ACME_URL\"\nexample = \"\"\nwords = {{ login = \"{}\" }}\n\
         [[credentials]]\nkind = \"oauth-client\"\nclient_id = \"ACME_ID\"\nclient_secret = \"ACME_SECRET\"\n\
         endpoint = \"http://{{login}}/token\"\nscope = \"api\"\n",
        site.address
    ));
    let variables = [("ACME_URL", root.as_str()), ("ACME_ID", "client:1"), ("ACME_SECRET", SECRET)];
    let connection = resolved(&own, &variables).unwrap().unwrap();
    assert!(connection.http_client().is_err(), "a typed client would keep the token for ever");
    assert!(!format!("{connection:?}").contains(SECRET), "{connection:?}");
    let toolbox = toolbox(own, &variables);
    call(&toolbox, "acme_get_a").await.unwrap();
    call(&toolbox, "acme_get_b").await.unwrap();
    site.set(|state| {
        let [request] = state.token_requests.as_slice() else { panic!("one token for both") };
        // base64 of `client%3A1:cl13nt-s3cret`
        assert_eq!(request.authorization.as_deref(), Some("Basic Y2xpZW50JTNBMTpjbDEzbnQtczNjcmV0"));
        assert_eq!(
            request.fields,
            [("grant_type", "client_credentials"), ("scope", "api")].map(|(a, b)| (a.to_owned(), b.to_owned())).into()
        );
        assert!(state.calls.iter().all(|(_, authorization, _)| authorization.as_deref() == Some("Bearer access-1")));
    });
}

#[tokio::test]
async fn a_dry_run_requests_no_token() {
    let site = Site::start("refresh-0").await;
    let file = file("dry-run", "refresh-0");
    let toolbox = renewing(&site, &file);
    let arguments = json!({"dry_run": true}).as_object().unwrap().clone();
    let planned = toolwright::mcp_result::result("acme", toolbox.call("acme_change_a", arguments).await);
    let text = common::text(&planned);
    assert!(text.contains(r#"["authorization","***"]"#), "{text}");
    assert_eq!(site.token_requests(), 0);
}

#[tokio::test]
#[ignore = "no test of its own: the process that the next test starts and kills"]
async fn renews_many_times() {
    let job = std::env::var("TOOLWRIGHT_TEST_RENEWS").expect("another test starts this one");
    let (site, file) = job.split_once(' ').unwrap();
    let rounds = if std::env::var("TOOLWRIGHT_TEST_ROUNDS").is_ok() { 3 } else { 1_000 };
    for _ in 0..rounds {
        // A toolbox of its own has no token yet.
        let called = call(&renewing_at(site, std::path::Path::new(file)), "acme_get_a").await;
        assert!(called.is_ok(), "{called:?}");
    }
}

#[tokio::test]
async fn a_killed_process_leaves_a_valid_refresh_token() {
    let site = Site::start("refresh-0").await;
    // The vendor accepts the token before the last for a while, in case its answer was lost.
    site.set(|state| state.leeway = true);
    let path = file("killed", "refresh-0");
    let address = format!("http://{}", site.address);
    for round in 0..12_u64 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--ignored", "--exact", "tokens::renews_many_times"])
            .env("TOOLWRIGHT_TEST_RENEWS", format!("{address} {}", path.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let last = round == 11;
        if last {
            command.env("TOOLWRIGHT_TEST_ROUNDS", "few");
        }
        let before = site.token_requests();
        let mut child = command.spawn().unwrap();
        if !last {
            while site.token_requests() < before + 3 {
                assert_eq!(child.try_wait().unwrap(), None, "round {round}: the process ended by itself");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_micros(fastrand::u64(0..20_000))).await;
            child.kill().unwrap();
        }
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert_eq!(status.success(), last, "round {round}");
        let held = held(&path);
        let good = site.set(|state| held == state.refresh_token || state.before.as_ref() == Some(&held));
        assert!(good, "round {round}: the file holds `{held}`");
    }
}

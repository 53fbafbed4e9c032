//! Accounts: several of one vendor, from the environment and from toolwright.toml. Each call is made with the account that
//! a setting names, and with nothing of another.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, json};
use toolwright::call::{Caller, Toolbox};
use toolwright::catalog::Catalog;
use toolwright::config::Account;
use toolwright::policy::{Defaults, Selection};
use toolwright::upstream::Unencrypted;

use crate::common::everything;
use crate::common::network::{fresh_folder, run, written};
use crate::common::whoami::WhoAmI;

const WHO: &str = "jitbit_get_current_user";

/// A settings file with two accounts at one vendor; the token of one is in a file.
fn settings(folder: &Path, vendor: &WhoAmI) -> String {
    let token = written(folder, "token", "t0ken-of-globex\n");
    let url = vendor.url();
    let text = format!(
        "[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_URL = \"{url}\"\nJITBIT_TOKEN = \"t0ken-of-acme\"\n\n\
         [accounts.globex]\nvendor = \"jitbit\"\nJITBIT_URL = \"{url}\"\nJITBIT_TOKEN_FILE = \"{token}\"\n"
    );
    written(folder, "toolwright.toml", &text)
}

#[tokio::test]
async fn the_flag_names_the_account_that_serves() {
    let vendor = WhoAmI::start().await;
    let folder = fresh_folder("accounts-flag");
    let (file, url) = (settings(&folder, &vendor), vendor.url());
    let own = [("JITBIT_URL", url.as_str()), ("JITBIT_TOKEN", "t0ken-of-environment")];
    let none: [(&str, &str); 0] = [];
    for (account, variables, expected) in [
        (Some("acme"), &own[..], Ok("t0ken-of-acme")),
        (Some("globex"), &none[..], Ok("t0ken-of-globex")),
        (Some("jitbit"), &own[..], Ok("t0ken-of-environment")),
        // The environment's is the one that is meant where none is named.
        (None, &own[..], Ok("t0ken-of-environment")),
        (None, &none[..], Err("`jitbit` has the accounts `acme`, `globex`")),
        (Some("acne"), &none[..], Err("there is no account `acne`\nhint: did you mean `acme`?")),
        (Some("jitbit"), &none[..], Err("there is no account `jitbit`")),
        (Some("acme,globex"), &none[..], Err("names two accounts of Jitbit Helpdesk")),
    ] {
        let mut arguments = vec!["call", WHO, "--config", &file];
        arguments.extend(account.iter().flat_map(|name| ["--account", name]));
        let (code, out, error) = run(&arguments, variables).await;
        match expected {
            Ok(token) => assert!(code == Some(0) && out.contains(token), "{account:?}: {out}{error}"),
            Err(text) => assert!(code == Some(2) && error.contains(text), "{account:?}: {out}{error}"),
        }
        assert!(!error.contains("t0ken"), "{error}");
    }
    let arrived = vendor.take();
    assert_eq!(arrived.len(), 4, "{arrived:?}");
}

#[tokio::test]
async fn a_file_of_the_folder_is_no_source_of_accounts() {
    let vendor = WhoAmI::start().await;
    let (here, home) = (fresh_folder("accounts-here"), fresh_folder("accounts-home"));
    settings(&here, &vendor);
    let asked = async |home: &str| {
        let mut command = crate::common::network::toolwright(&["call", WHO, "--account", "acme"], &[("HOME", home)]);
        let output = command.current_dir(&here).output().await.unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, error) = asked(home.to_str().unwrap()).await;
    assert!(code == Some(2) && error.contains("toolwright.toml has none"), "{error}");
    assert!(vendor.take().is_empty(), "the author of the file chose where credentials are sent");
    let own = home.join(".config/toolwright");
    std::fs::create_dir_all(&own).unwrap();
    settings(&own, &vendor);
    let (code, error) = asked(home.to_str().unwrap()).await;
    assert_eq!(code, Some(0), "{error}");
}

#[tokio::test]
async fn doctor_checks_each_account() {
    let vendor = WhoAmI::start().await;
    let folder = fresh_folder("accounts-doctor");
    let file = settings(&folder, &vendor);
    let (code, out, error) = run(&["doctor", "--vendor", "jitbit", "--config", &file], &[]).await;
    assert_eq!(code, Some(0), "{out}{error}");
    for (name, token) in [("acme", "t0ken-of-acme"), ("globex", "t0ken-of-globex")] {
        assert!(out.contains(&format!("account      {name}")) && out.contains(&format!("you are {token}")), "{out}");
    }
    assert_eq!(vendor.take().len(), 2, "one login each");
    let text = std::fs::read_to_string(&file).unwrap().replace("JITBIT_TOKEN = \"t0ken-of-acme\"\n", "");
    let broken = written(&folder, "broken.toml", &text);
    let (code, out, _) = run(&["doctor", "--vendor", "jitbit", "--config", &broken], &[]).await;
    assert!(code == Some(2) && out.contains("not usable") && out.contains("you are t0ken-of-globex"), "{out}");
    let (code, out, _) = run(&["doctor", "--config", &file, "--account", "globex"], &[]).await;
    assert!(code == Some(0) && !out.contains("acme"), "{out}");
}

#[tokio::test]
async fn a_fault_in_the_file_shows_no_secret() {
    let folder = fresh_folder("accounts-faults");
    for (text, expected) in [
        ("[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_TOKEN = \"s3cret\n", "line 3"),
        ("[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_TOKEN = 53214\n", "invalid type"),
        ("[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_TOKN = \"s3cret\"\n", "did you mean `JITBIT_TOKEN`?"),
        ("[accounts.acme]\nvendor = \"jitbut\"\nJITBIT_TOKEN = \"s3cret\"\n", "did you mean `jitbit`?"),
        ("[accounts.acme]\nJITBIT_TOKEN = \"s3cret\"\n", "missing field `vendor`"),
        ("[accounts.jitbit]\nvendor = \"jitbit\"\nJITBIT_TOKEN = \"s3cret\"\n", "has the name of a vendor"),
        ("[accounts.Acme]\nvendor = \"jitbit\"\nJITBIT_TOKEN = \"s3cret\"\n", "has a name other than"),
        ("[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_TOKEN = \"s3cret\"\n", "`JITBIT_URL` is not set"),
        // Nothing of the environment is added to it.
        ("[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_URL = \"https://acme.example.com\"\n", "no credentials are"),
    ] {
        let file = written(&folder, "toolwright.toml", text);
        let own = [("JITBIT_TOKEN", "t0ken-of-environment")];
        let (code, out, error) = run(&["call", WHO, "--config", &file, "--account", "acme"], &own).await;
        assert!(code == Some(2) && error.contains(expected), "{text}: {out}{error}");
        assert!(!error.contains("s3cret") && !error.contains("53214"), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_changes_is_read_again() {
    let vendor = WhoAmI::start().await;
    let folder = fresh_folder("accounts-again");
    let path = written(&folder, "token", "first");
    let catalog = Catalog::compiled();
    let jitbit = catalog.vendor("jitbit").unwrap().clone();
    let variables = [("JITBIT_URL".to_owned(), vendor.url()), ("JITBIT_TOKEN_FILE".to_owned(), path)].into();
    let account = Account::of_settings("acme", &jitbit, variables, Unencrypted::default(), None).unwrap();
    let selection = Selection::resolve(&everything(), Defaults::Reads, &catalog).unwrap();
    let toolbox = Toolbox::new(catalog, selection, &std::collections::HashMap::new(), false)
        .with_accounts([account])
        .serving([("jitbit".to_owned(), "acme".to_owned())].into());
    let ask = async || {
        toolbox.call_as(&Caller::default(), WHO, Map::new()).await.unwrap();
        vendor.take().pop().unwrap().authorization.unwrap()
    };
    assert_eq!(ask().await, "Bearer first");
    for (text, expected) in [
        ("second!", "Bearer second!"),
        // While it is being written it is empty: the one before is used.
        ("", "Bearer second!"),
        ("third", "Bearer third"),
    ] {
        written(&folder, "token", text);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert_eq!(ask().await, expected);
    }
}

#[tokio::test]
async fn serve_states_how_callers_bring_their_tokens() {
    for (arguments, variables, expected) in [
        (&["--http", "0.0.0.0:0"][..], &[][..], "state with `--access`"),
        (&["--access", "vendor-token"], &[], "--http"),
        (&["--http", "0", "--access", "vendor-tokens"], &[], "vendor-token"),
        (&["--http", "0", "--access", "vendor-token", "--vendor", "jitbit"], &[], "`JITBIT_URL`, which is not set"),
        (&["--http", "0", "--tls-cert", "none.pem", "--tls-key", "none.pem"], &[], "`--tls-cert none.pem`"),
        (&["--http", "0", "--tls-cert", "none.pem"], &[], "--tls-key"),
        (&["--http", "0", "--host", "https://a.example"], &[], "is no name of a host"),
        (&["--account", "acme", "--sandbox"], &[], "has no effect in the sandbox"),
    ] {
        let arguments = [&["serve"], arguments].concat();
        let (code, out, error) = run(&arguments, variables).await;
        assert!(code == Some(2) && error.contains(expected), "{arguments:?}: {out}{error}");
    }
}

#[tokio::test]
async fn a_plan_names_the_account() {
    let vendor = WhoAmI::start().await;
    let folder = fresh_folder("accounts-plan");
    let file = settings(&folder, &vendor);
    let (code, out, error) = run(&["call", WHO, "--dry-run", "--config", &file, "--account", "globex"], &[]).await;
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{code:?} {out}{error}"));
    assert_eq!((&plan["account"], &plan["caller"]), (&json!("globex"), &json!("local")), "{plan}");
    assert!(vendor.take().is_empty());
}

//! `toolwright link`, `admin` and `store`: whole runs, without a server.

use serde_json::Value;

use crate::common::network::{fresh_folder, run};

#[tokio::test]
async fn a_link_from_its_creation_to_its_end_on_the_command_line() {
    let folder = fresh_folder("team-commands");
    let store = folder.join("store.db").to_str().unwrap().to_owned();
    let variables = [("TOOLWRIGHT_STORE", store.as_str())];
    let link = async |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        run(&words, &variables).await
    };
    let (code, _, stderr) = link("link create --name Contractor --account jitbit").await;
    assert!(code == Some(2) && stderr.contains("--url"), "{stderr}");
    let create = "link create --name Contractor --account jitbit=acme --methods read --tags tickets --expires 30d \
                  --second-token --url https://mcp.example.com/mcp";
    let (code, stdout, stderr) = link(create).await;
    assert_eq!(code, Some(0), "{stderr}");
    let url = stdout.split_whitespace().find(|word| word.starts_with("https://mcp.example.com/c/")).unwrap();
    assert!(url.ends_with("/mcp") && stdout.contains("claude mcp add --transport http contracto https://"), "{stdout}");
    assert!(stdout.contains("toolwright_link_") && stderr.contains("shown this once"), "{stderr}");
    let (_, stdout, _) = link("link list --format json").await;
    let listed: Value = serde_json::from_str(&stdout).unwrap();
    assert!(!stdout.contains(url.split('/').nth_back(1).unwrap()), "the token is shown once");
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!((&listed[0]["state"], &listed[0]["accounts"]["jitbit"]), (&"valid".into(), &"acme".into()));
    let narrow = format!("link narrow {id} --name Helper --expires 8h --format json --url https://mcp.example.com");
    let (code, stdout, stderr) = link(&narrow).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(serde_json::from_str::<Value>(&stdout).unwrap()["second_token"].is_string(), "as its parent: {stdout}");
    let wider = format!("link narrow {id} --name Helper --methods write --url https://mcp.example.com");
    let (code, _, stderr) = link(&wider).await;
    assert!(code == Some(2) && stderr.contains("wider"), "{stderr}");
    let (_, stdout, _) = link("link list").await;
    assert!(stdout.contains("Contractor") && stdout.contains("Helper") && stdout.contains("methods read"), "{stdout}");
    let (_, _, stderr) = link(&format!("link revoke {id}")).await;
    assert!(stderr.contains("and 1 that narrowed it"), "{stderr}");
    let (_, stdout, _) = link(&format!("link show {id}")).await;
    assert!(stdout.contains("revoked"), "{stdout}");
    let (code, _, stderr) = link("link show s3cret-that-was-pasted").await;
    assert!(code == Some(2) && !stderr.contains("s3cret"), "{stderr}");
}

#[tokio::test]
async fn wrong_words_of_a_link_name_the_flag_and_create_nothing() {
    let folder = fresh_folder("team-words");
    let store = folder.join("store.db").to_str().unwrap().to_owned();
    for (words, part) in [
        ("--account jitbit --tags tickts", "did you mean `tickets`"),
        ("--account jitbit --methods GET", "HTTP method"),
        ("--account jitbit --tools nothing_*", "nothing_*"),
        ("--account jitbit --expires tomorrow", "--expires"),
        ("--account jitbit --expires 2001-01-01T00:00:00Z", "expired already"),
        ("--account other", "--account VENDOR=other"),
        ("--account jitbit,jitbit=second", "two accounts of `jitbit`"),
        ("--methods read", "needs an account"),
        ("--account jitbit --url mcp.example.com", "--url"),
    ] {
        let url = if words.contains("--url") { "" } else { " --url https://mcp.example.com" };
        let words = format!("link create --name x {words}{url}");
        let words: Vec<&str> = words.split(' ').collect();
        let (code, _, stderr) = run(&words, &[("TOOLWRIGHT_STORE", &store)]).await;
        assert!(code == Some(2) && stderr.contains(part), "{words:?}: {stderr}");
    }
    let (_, stdout, _) = run(&["link", "list", "--format", "json"], &[("TOOLWRIGHT_STORE", &store)]).await;
    assert_eq!(stdout.trim(), "[]");
}

#[tokio::test]
async fn tokens_of_administrators_and_copies() {
    let folder = fresh_folder("team-copies");
    let store = folder.join("store.db").to_str().unwrap().to_owned();
    let copy = folder.join("copy.db").to_str().unwrap().to_owned();
    let variables = [("TOOLWRIGHT_STORE", store.as_str())];
    let (code, token, _) = run(&["admin", "token", "create", "ops"], &variables).await;
    assert!(code == Some(0) && token.starts_with("toolwright_admin_"));
    let (code, _, stderr) = run(&["admin", "token", "create", "ops"], &variables).await;
    assert!(code == Some(2) && stderr.contains("already"), "{stderr}");
    let (code, _, stderr) = run(&["store", "backup", &copy], &variables).await;
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, _) = run(&["store", "backup", &copy], &variables).await;
    assert_eq!(code, Some(2), "nothing is overwritten");
    let (_, stdout, _) = run(&["admin", "token", "list", "--store", &copy], &[]).await;
    assert!(stdout.contains("ops") && stdout.contains("never"), "{stdout}");
    let (code, _, _) = run(&["admin", "token", "revoke", "ops"], &variables).await;
    assert_eq!(code, Some(0));
    let (code, _, _) = run(&["admin", "token", "revoke", "ops"], &variables).await;
    assert_eq!(code, Some(2));
}

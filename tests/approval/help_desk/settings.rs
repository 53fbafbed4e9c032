//! `[approvals.<account>]` of toolwright.toml, and a server that reads it.

use super::*;

#[test]
fn settings_that_are_wrong_say_what_to_do() {
    let catalog = Catalog::compiled();
    let refused = |settings: &DeskSettings| {
        let vendor = catalog.vendor(&settings.account).unwrap();
        Desk::new("prod", settings, vendor).unwrap_err().to_string()
    };
    let with = |name: &str, value: &str| {
        let mut settings = at_jitbit();
        settings.settings.insert(name.to_owned(), value.to_owned());
        settings
    };
    let mut missing = at_jitbit();
    missing.settings.remove("category");
    let mut callers = at_jsm();
    callers.callers.insert("somebody".to_owned(), Vec::new());
    for (settings, wrong) in [
        (missing, "`category` is missing"),
        (with("categry", "1"), "`categry` is no setting"),
        (with("category", "Approvals"), "the id of the category"),
        (with("declined", "9"), "yes and no are the same"),
        (DeskSettings { approvers: Vec::new(), ..at_jsm() }, "`approvers` has 0 people"),
        (DeskSettings { approvers: vec!["Ann Example".to_owned()], ..at_jsm() }, "is no id"),
        (DeskSettings { minutes: 0, ..at_jsm() }, "`minutes` is 0"),
        (callers, "is not among `approvers`"),
        (DeskSettings { account: "jumpcloud".to_owned(), ..at_jsm() }, "is no help desk"),
    ] {
        let error = refused(&settings);
        assert!(error.starts_with("`[approvals.prod]`: ") && error.contains(wrong), "{error}");
    }
}

#[cfg(unix)]
mod served {
    use std::process::Stdio;

    use rustix::process::Signal;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    use super::*;
    use crate::common::network::{call_lines, signal, toolwright};

    fn configuration(address: &str, approvals: &str) -> String {
        format!(
            "[accounts.desk]\nvendor = \"jitbit\"\nJITBIT_URL = \"{address}\"\nJITBIT_TOKEN = \"t0p-s3cret\"\n\n{approvals}"
        )
    }

    const APPROVALS: &str =
        "[approvals.jitbit]\naccount = \"desk\"\napprovers = [\"7\"]\ncategory = \"18\"\napproved = \"9\"\n";

    #[tokio::test]
    async fn a_server_raises_reads_and_notes_by_the_account_that_is_named() {
        let vendor = sandbox(Some(&jitbit(vec![once(row(1, 500)), row(9, 7)]).to_string())).await;
        let folder = fresh_folder("approval-desk-served");
        let address = vendor.address("jitbit");
        let config = folder.join("toolwright.toml");
        std::fs::write(&config, configuration(&address, APPROVALS)).unwrap();
        let (config, store) = (config.to_str().unwrap().to_owned(), folder.join("store.db"));
        let variables =
            [("JITBIT_URL", address.as_str()), ("JITBIT_TOKEN", "s3cret"), ("HOME", folder.to_str().unwrap())];
        let arguments = [
            "serve",
            "--methods",
            "all",
            "--tools",
            REPLY,
            "--confirm",
            "write",
            "--config",
            &config,
            "--store",
            store.to_str().unwrap(),
        ];
        let call = json!({"ticketId": 7, "body": "It works again."});
        let mut told = Vec::new();
        // Each call by a server that was started anew.
        for turn in 0..4 {
            let mut server = toolwright(&arguments, &variables);
            let mut server = server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut input = server.stdin.take().unwrap();
            input.write_all(call_lines(REPLY, &call).as_bytes()).await.unwrap();
            let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
            let result = loop {
                let line = lines.next_line().await.unwrap().unwrap();
                let message: Value = serde_json::from_str(&line).unwrap();
                if message["id"] == 2 {
                    break message["result"].clone();
                }
            };
            told.push(result["content"][0]["text"].as_str().unwrap_or_default().to_owned());
            let is_sent = result["isError"] != true;
            if is_sent {
                let notes = || {
                    let is_note = |one: &&Recorded| one.operation.as_deref() == Some("addComment");
                    vendor.record().iter().filter(is_note).count()
                };
                for _ in 0..1_500 {
                    if notes() == 2 {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                assert_eq!(notes(), 2, "the reply and the note");
            }
            signal(&server, Signal::TERM);
            let _ = server.wait().await;
            if is_sent {
                break;
            }
            assert!(turn < 3, "{told:?}");
            // One look serves all calls for a while.
            tokio::time::sleep(Duration::from_millis(5_200)).await;
        }
        assert!(told[0].contains("ticket 4711 of Jitbit"), "{told:?}");
        let raised = vendor.record().iter().filter(|one| one.operation.as_deref() == Some("createTicket")).count();
        assert_eq!(raised, 1, "{told:?}");
    }

    #[tokio::test]
    async fn a_server_with_wrong_settings_does_not_start() {
        let folder = fresh_folder("approval-desk-wrong");
        let config = folder.join("toolwright.toml");
        let path = config.to_str().unwrap().to_owned();
        let variables = [("JITBIT_URL", "http://127.0.0.1:9"), ("JITBIT_TOKEN", "s3cret")];
        for (approvals, wrong) in [
            (APPROVALS.replace("[approvals.jitbit]", "[approvals.jibit]"), "did you mean `jitbit`?"),
            (APPROVALS.replace("\"desk\"", "\"dask\""), "there is no account `dask`"),
            (APPROVALS.replace("\"desk\"", "\"jitbit\""), "this account raises tickets"),
            (APPROVALS.replace("category = \"18\"\n", ""), "`category` is missing"),
        ] {
            std::fs::write(&config, configuration("http://127.0.0.1:9", &approvals)).unwrap();
            let (code, _, error) = run(&["serve", "--methods", "all", "--config", &path], &variables).await;
            assert!(code == Some(2) && error.contains(wrong) && !error.contains("t0p-s3cret"), "{wrong}: {error}");
        }
        std::fs::write(&config, configuration("http://127.0.0.1:9", APPROVALS)).unwrap();
        let (code, _, error) = run(&["serve", "--account", "desk", "--config", &path], &variables).await;
        assert!(code == Some(2) && error.contains("serves no caller"), "{error}");
    }
}

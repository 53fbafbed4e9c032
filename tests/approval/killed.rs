//! A server that is killed between the approval and the vendor's answer, or before it has sent anything.

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};

use super::*;
use crate::common::network::{call_lines, signal, toolwright};

const REPLY: &str = "jitbit_reply_to_customer";

/// A server to which one call was written.
struct Called {
    server: tokio::process::Child,
    _input: tokio::process::ChildStdin,
    lines: Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Called {
    async fn begin(arguments: &[&str], variables: &[(&str, &str)], call: &Value) -> Self {
        let mut command = toolwright(arguments, variables);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut input = server.stdin.take().unwrap();
        input.write_all(call_lines(REPLY, call).as_bytes()).await.unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        Self { server, _input: input, lines }
    }

    /// Waits for the answer, and kills the server.
    async fn answer(mut self) -> Value {
        let answered = loop {
            let line = self.lines.next_line().await.unwrap().unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == 2 {
                break message["result"].clone();
            }
        };
        self.kill().await;
        answered
    }

    async fn kill(&mut self) {
        signal(&self.server, Signal::KILL);
        let _ = self.server.wait().await;
    }
}

fn told(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"))
}

#[tokio::test]
async fn what_was_claimed_is_never_sent_a_second_time() {
    let script = json!([{"operation": "*", "answer": {"status": 200, "body": {}, "delay_ms": 60_000}}]);
    let vendor = sandbox(Some(&script.to_string())).await;
    let folder = fresh_folder("approval-killed");
    let store = folder.join("store.db");
    let store = store.to_str().unwrap();
    let address = vendor.address("jitbit");
    let variables = [("JITBIT_URL", address.as_str()), ("JITBIT_TOKEN", "s3cret"), ("HOME", folder.to_str().unwrap())];
    let arguments = ["serve", "--methods", "all", "--tools", REPLY, "--confirm", "write", "--store", store];
    let call = json!({"ticketId": 7, "body": "It works again."});

    let asked = Called::begin(&arguments, &variables, &call).await.answer().await;
    let id: String =
        told(&asked).split("approval ").nth(1).unwrap().chars().take_while(char::is_ascii_alphanumeric).collect();
    assert!(vendor.record().is_empty());
    let opened = Store::open(&StoreAddress::File(store.into())).await.unwrap();
    assert!(opened.decide_approval(&id, &decision(true)).await.unwrap());

    // It is sent, and the server is killed before the vendor has answered.
    let mut called = Called::begin(&arguments, &variables, &call).await;
    for _ in 0..3_000 {
        if !vendor.record().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    called.kill().await;
    let sent: Vec<Recorded> = vendor.record();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(String::from_utf8_lossy(sent[0].body.as_deref().unwrap()).contains("body=It+works+again."), "{sent:?}");

    // The same call of the same caller: what became of it is not known, and nothing is sent.
    let after = Called::begin(&arguments, &variables, &call).await.answer().await;
    assert!(told(&after).contains("unknown outcome") && told(&after).contains(&id), "{after}");
    assert_eq!(after["_meta"]["toolwright/outcome"], "unknown", "{after}");
    assert_eq!(vendor.record().len(), 1);
}

#[tokio::test]
async fn what_was_claimed_and_not_sent_is_not_sent_either() {
    let site = Site::open("claimed", Terms::default()).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let call = json!({"ticketId": 7, "body": "It works again."});
    let id = id_in(&desk.call(REPLY, call.clone()).await);
    assert!(site.yes(&id).await);
    // As a server leaves it that is killed between the claim and the request.
    let row = site.store.approval(&id).await.unwrap().unwrap();
    assert!(site.store.claim_approval(&id, &row.caller, &row.digest).await.unwrap());
    assert!(!site.store.claim_approval(&id, &row.caller, &row.digest).await.unwrap(), "once");
    let result = desk.call(REPLY, call).await;
    assert!(is_error(&result) && text(&result).contains("never sent a second time"), "{}", text(&result));
    assert!(site.changes().is_empty());
}

//! The audit log when its file is moved, emptied, replaced or deleted while it is written: the chain goes on, and what is
//! missing shows. What anchors and noted hashes show that a chain by itself can't.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use toolwright::audit::{Audit, Report, Verifier};
use toolwright::call::Toolbox;
use toolwright::mcp_result::OUTCOME;
use toolwright::policy::Defaults;
use toolwright::sandbox::Sandbox;

use crate::common::{call, everything, meta, result, sandbox, text, toolbox};

/// An empty folder for one test, and the path of a log in it.
fn fresh(name: &str) -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rotation-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    (folder.join("calls.jsonl"), folder)
}

fn recording(sandbox: &Sandbox, path: &Path) -> Toolbox {
    toolbox(sandbox, &everything(), Defaults::Reads).with_record(Some(Audit::open(path).unwrap()))
}

async fn change(toolbox: &Toolbox) {
    call(toolbox, "jitbit_close_ticket", json!({"ticketId": 7})).await.unwrap();
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(path: &Path) -> Vec<(u64, String)> {
    let event = |line: &Value| (line["seq"].as_u64().unwrap(), line["event"].as_str().unwrap().to_owned());
    lines(path).iter().map(event).collect()
}

fn verified(paths: &[&Path]) -> Report {
    let mut verifier = Verifier::default();
    for path in paths {
        verifier.read(BufReader::new(File::open(path).unwrap())).unwrap();
    }
    verifier.finish()
}

#[tokio::test]
async fn a_moved_log_goes_on_in_a_new_file_and_one_chain() {
    let sandbox = sandbox(None).await;
    let (path, folder) = fresh("moved");
    let toolbox = recording(&sandbox, &path);
    change(&toolbox).await;
    let first = folder.join("calls.jsonl.1");
    std::fs::rename(&path, &first).unwrap();
    change(&toolbox).await;
    // A rotation that makes the new file itself.
    let second = folder.join("calls.jsonl.2");
    std::fs::rename(&path, &second).unwrap();
    File::create(&path).unwrap();
    change(&toolbox).await;
    assert_eq!(lines(&second)[0]["earlier_file"], "moved");
    let words = |path: &Path| events(path).into_iter().map(|(seq, event)| format!("{seq} {event}")).collect::<Vec<_>>();
    assert_eq!(words(&second), ["3 continued", "4 intent", "5 outcome"]);
    assert_eq!(words(&path), ["6 continued", "7 intent", "8 outcome"]);
    let whole = verified(&[&first, &second, &path]);
    assert_eq!((whole.lines, whole.fault, whole.begins_after, whole.unfinished.len()), (8, None, None, 0));
    // A file is missing in between, or they are in another order.
    assert_eq!(verified(&[&first, &path]).fault.map(|fault| (fault.file, fault.line)), Some((1, 1)));
    assert_eq!(verified(&[&second, &first]).fault.map(|fault| (fault.file, fault.line)), Some((1, 1)));
    let last = verified(&[&path]);
    assert_eq!(last.begins_after.map(|(seq, _)| seq), Some(5));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Another process goes on where this one ends.
    drop(toolbox);
    change(&recording(&sandbox, &path)).await;
    assert_eq!(verified(&[&first, &second, &path]).lines, 10);
}

#[tokio::test]
async fn an_outcome_may_be_in_the_file_after_its_intent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (path, folder) = fresh("between");
    let toolbox = crate::common::jitbit_at(&address, std::time::Duration::from_secs(60))
        .with_record(Some(Audit::open(&path).unwrap()));
    let running = tokio::spawn(async move { call(&toolbox, "jitbit_close_ticket", json!({"ticketId": 8})).await });
    let _held = listener.accept().await.unwrap();
    let first = folder.join("first");
    std::fs::rename(&path, &first).unwrap();
    running.abort();
    let _ = running.await;
    assert_eq!(verified(&[&first, &path]).unfinished.len(), 0);
    let alone = verified(&[&path]);
    assert_eq!((alone.fault, alone.lines), (None, 3));
}

#[tokio::test]
async fn a_deleted_emptied_or_cut_log_is_noticed_before_the_next_change() {
    let sandbox = sandbox(None).await;
    for (what, earlier) in [("deleted", "deleted"), ("emptied", "emptied"), ("cut", "cut")] {
        let (path, _) = fresh(what);
        let toolbox = recording(&sandbox, &path);
        change(&toolbox).await;
        change(&toolbox).await;
        match what {
            "deleted" => std::fs::remove_file(&path).unwrap(),
            "emptied" => File::options().write(true).open(&path).unwrap().set_len(0).unwrap(),
            _ => {
                let first = std::fs::read_to_string(&path).unwrap().find('\n').unwrap() as u64 + 1;
                File::options().write(true).open(&path).unwrap().set_len(first).unwrap();
            }
        }
        change(&toolbox).await;
        let written = std::fs::read_to_string(&path).unwrap();
        let marked = written.lines().find(|line| line.contains(r#""event":"continued""#)).unwrap();
        assert!(marked.starts_with(r#"{"seq":5,"#) && marked.contains(&format!(r#""earlier_file":"{earlier}""#)));
        let report = verified(&[&path]);
        if what == "cut" {
            assert!(report.fault.is_some(), "{report:?}");
        } else {
            assert_eq!((report.fault, report.begins_after.map(|(seq, _)| seq)), (None, Some(4)), "{what}");
        }
        let verdict = verify(&[path.to_str().unwrap()]);
        assert_eq!(verdict.status.code(), Some(1), "{what}");
    }
}

#[tokio::test]
async fn a_file_that_does_not_continue_the_log_is_not_written_to() {
    let sandbox = sandbox(None).await;
    let (path, folder) = fresh("replaced");
    let toolbox = recording(&sandbox, &path);
    change(&toolbox).await;
    let kept = folder.join("kept");
    std::fs::rename(&path, &kept).unwrap();
    for other in ["{\"name\": \"something else\"}\n".to_owned(), {
        let another = folder.join("another");
        change(&recording(&sandbox, &another)).await;
        std::fs::read_to_string(another).unwrap()
    }] {
        std::fs::write(&path, &other).unwrap();
        let before = sandbox.record().len();
        let refused = result(&toolbox, "jitbit_close_ticket", json!({"ticketId": 8})).await;
        assert_eq!(meta(&refused, OUTCOME), Some(&json!("not_sent")));
        assert!(text(&refused).contains("has taken its place"), "{}", text(&refused));
        assert_eq!((sandbox.record().len(), std::fs::read_to_string(&path).unwrap()), (before, other));
    }
    // Moved away: a new file is begun. The same lines in another file are the same log.
    std::fs::remove_file(&path).unwrap();
    change(&toolbox).await;
    let copy = folder.join("copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    change(&toolbox).await;
    assert_eq!(verified(&[&kept, &path]).lines, 7);
}

#[tokio::test]
async fn a_request_to_reopen_begins_the_new_file_at_once() {
    let sandbox = sandbox(None).await;
    let (path, folder) = fresh("reopened");
    let audit = Audit::open(&path).unwrap();
    let first = folder.join("first");
    std::fs::rename(&path, &first).unwrap();
    audit.reopen().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "", "nothing was written that could be continued");
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_record(Some(audit));
    change(&toolbox).await;
    assert_eq!(verified(&[&path]).lines, 2);
}

fn toolwright(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_toolwright")).arg("audit").args(arguments).env_clear().output().unwrap()
}

fn verify(arguments: &[&str]) -> Output {
    toolwright(&[&["verify"], arguments].concat())
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A log of six lines, and its path.
async fn log(name: &str) -> (String, PathBuf) {
    let sandbox = sandbox(None).await;
    let (path, folder) = fresh(name);
    let toolbox = recording(&sandbox, &path);
    for _ in 0..3 {
        change(&toolbox).await;
    }
    (path.to_str().unwrap().to_owned(), folder)
}

#[tokio::test]
async fn a_noted_hash_shows_a_cut_end_and_a_rewritten_chain() {
    let (path, folder) = log("noted").await;
    let hashes: Vec<String> =
        lines(path.as_ref()).iter().map(|line| line["hash"].as_str().unwrap().to_owned()).collect();
    let noted = verify(&[&path, "--expect", &hashes[5], "--expect", &hashes[1].to_uppercase()]);
    assert_eq!(noted.status.code(), Some(0), "{}", shown(&noted));
    assert!(shown(&noted).contains(&format!("hash {} is that of line 2", hashes[1])), "{}", shown(&noted));
    let whole = std::fs::read_to_string(&path).unwrap();
    let cut = whole.split_inclusive('\n').take(4).collect::<String>();
    std::fs::write(&path, &cut).unwrap();
    assert_eq!(verify(&[&path]).status.code(), Some(0), "a cut end is a whole chain");
    let found = verify(&[&path, "--expect", &hashes[5]]);
    assert_eq!(found.status.code(), Some(1));
    assert!(shown(&found).contains("it was cut off, or the log was written anew"), "{}", shown(&found));
    assert_eq!(verify(&[&path, "--expect", &hashes[3]]).status.code(), Some(0));
    for wrong in ["c38f49db", "x"] {
        assert_eq!(verify(&[&path, "--expect", wrong]).status.code(), Some(2), "{wrong}");
    }
    std::fs::write(&path, "").unwrap();
    let emptied = verify(&[&path]);
    assert_eq!(emptied.status.code(), Some(1));
    assert!(shown(&emptied).contains("nothing is proved"), "{}", shown(&emptied));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn signed_anchors_show_what_a_chain_can_not() {
    let (path, folder) = log("anchored").await;
    let key = folder.join("anchor.key");
    let key = key.to_str().unwrap();
    let made = toolwright(&["key", key]);
    assert_eq!(made.status.code(), Some(0), "{}", shown(&made));
    let public = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert_eq!(toolwright(&["key", key]).status.code(), Some(2), "a key is never replaced");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o640)).unwrap();
        let open = toolwright(&["anchor", &path, "--key", key]);
        assert!(open.status.code() == Some(2) && shown(&open).contains("can be read by others"), "{}", shown(&open));
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let anchor = toolwright(&["anchor", &path, "--key", key]);
    assert_eq!(anchor.status.code(), Some(0), "{}", shown(&anchor));
    let private = std::fs::read_to_string(key).unwrap();
    assert!(!shown(&anchor).contains(private.lines().nth(1).unwrap()));
    let anchors = folder.join("anchors.jsonl");
    let signed = anchor.stdout.clone();
    std::fs::write(&anchors, &signed).unwrap();
    let anchors = anchors.to_str().unwrap();
    let checked =
        |files: &[&str], public: &str| verify(&[files, &["--anchors", anchors, "--public-key", public]].concat());
    let fine = checked(&[&path], &public);
    assert_eq!(fine.status.code(), Some(0), "{}", shown(&fine));
    // The log may have grown.
    let sandbox = sandbox(None).await;
    change(&recording(&sandbox, path.as_ref())).await;
    assert_eq!(checked(&[&path], &public).status.code(), Some(0));
    // Its end is cut.
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.split_inclusive('\n').take(4).collect::<String>()).unwrap();
    let cut = checked(&[&path], &public);
    assert!(cut.status.code() == Some(1) && shown(&cut).contains("its end was cut"), "{}", shown(&cut));
    // All of it is written anew, as whole as before.
    std::fs::remove_file(&path).unwrap();
    let toolbox = recording(&sandbox, path.as_ref());
    for _ in 0..4 {
        change(&toolbox).await;
    }
    assert_eq!(verify(&[&path]).status.code(), Some(0));
    let anew = checked(&[&path], &public);
    assert!(anew.status.code() == Some(1) && shown(&anew).contains("was written anew"), "{}", shown(&anew));
    // An anchor that another key signed, or that was changed, proves nothing.
    std::fs::write(&path, &whole).unwrap();
    let other = String::from_utf8(toolwright(&["key", folder.join("other.key").to_str().unwrap()]).stdout).unwrap();
    assert_eq!(checked(&[&path], other.trim()).status.code(), Some(1));
    let changed = String::from_utf8(anchor.stdout).unwrap().replace("\"seq\":6", "\"seq\":4");
    std::fs::write(anchors, changed).unwrap();
    let forged = checked(&[&path], &public);
    assert!(forged.status.code() == Some(1) && shown(&forged).contains("is not signed"), "{}", shown(&forged));
    // A log with a fault is not signed, and what was not read is not called cut.
    std::fs::write(anchors, &signed).unwrap();
    std::fs::write(&path, whole.replace("\"ticketId\":7", "\"ticketId\":8")).unwrap();
    let faulty = checked(&[&path], &public);
    assert!(faulty.status.code() == Some(1) && shown(&faulty).contains("was not reached"), "{}", shown(&faulty));
    let hash = "0".repeat(64);
    let unread = shown(&verify(&[&path, "--expect", &hash]));
    assert!(unread.contains("nothing after the fault was read") && !unread.contains("cut"), "{unread}");
    assert_eq!(toolwright(&["anchor", &path, "--key", key]).status.code(), Some(1));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_beginning_of_a_rotated_log_has_to_be_known() {
    let sandbox = sandbox(None).await;
    let (path, folder) = fresh("beginning");
    let toolbox = recording(&sandbox, &path);
    change(&toolbox).await;
    let first = folder.join("first");
    std::fs::rename(&path, &first).unwrap();
    change(&toolbox).await;
    let (path, first) = (path.to_str().unwrap(), first.to_str().unwrap());
    let end = lines(first.as_ref())[1]["hash"].as_str().unwrap().to_owned();
    let other = lines(first.as_ref())[0]["hash"].as_str().unwrap().to_owned();
    for (arguments, code) in [
        (&[first, path][..], 0),
        (&[path, "--after", &end], 0),
        (&[path], 1),
        (&[path, "--after", &other], 1),
        (&[first, path, "--after", &end], 1),
        (&[path, first], 1),
    ] {
        let output = verify(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", shown(&output));
    }
    // An anchor of a file that is not there proves nothing of it.
    let key = folder.join("anchor.key").to_str().unwrap().to_owned();
    let public = String::from_utf8(toolwright(&["key", &key]).stdout).unwrap();
    let anchors = folder.join("anchors.jsonl").to_str().unwrap().to_owned();
    let earlier = folder.join("earlier").to_str().unwrap().to_owned();
    let line = std::fs::read_to_string(first).unwrap().split_inclusive('\n').next().unwrap().to_owned();
    std::fs::write(&earlier, line).unwrap();
    std::fs::write(&anchors, toolwright(&["anchor", &earlier, "--key", &key]).stdout).unwrap();
    let output = verify(&[path, "--after", &end, "--anchors", &anchors, "--public-key", public.trim()]);
    let found = shown(&output);
    assert!(output.status.code() == Some(0) && found.contains("0 anchors fit; 1 are of lines in earlier"), "{found}");
    std::fs::remove_dir_all(folder).unwrap();
}

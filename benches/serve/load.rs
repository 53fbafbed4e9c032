//! 32 concurrent callers over HTTP, with audit log and projection → calls per second and memory. The
//! sandbox and the callers run on the same cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::figures::verdict_at_least;
use crate::peer::{self, HttpPeer};

const CALLERS: usize = 32;

/// A folder for an audit log, removed when dropped.
pub(crate) struct Folder {
    path: std::path::PathBuf,
    record: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("toolwright-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let record = path.join(format!("{}.jsonl", fastrand::u64(..))).to_str().unwrap().to_owned();
        Self { path, record }
    }

    /// The path of a file of this name.
    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.path.join(name)
    }

    /// The path of the audit log.
    pub(crate) fn record(&self) -> &str {
        &self.record
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Calls for `time`; a failed call ends the bench.
pub(crate) async fn run(time: Duration) -> bool {
    let folder = Folder::new();
    let server = Arc::new(HttpPeer::start(&["--vendor", "jitbit", "--audit", folder.record()]));
    let client = peer::http_client();
    let calls = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (server, client, calls) = (Arc::clone(&server), client.clone(), Arc::clone(&calls));
            tokio::spawn(async move {
                let request = json!({"name": "jitbit_list_priorities", "arguments": {"fields": ["Name"]}});
                while began.elapsed() < time {
                    server.call(&client, &request).await;
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(time / 6).await;
    let early = server.resident_kb();
    for caller in callers {
        caller.await.unwrap();
    }
    let took = began.elapsed().as_secs_f64();
    let late = server.resident_kb();
    let calls = calls.load(Ordering::Relaxed);
    println!(
        "{CALLERS} callers over HTTP: {calls} calls in {took:.1} s, no error; resident {early} kB after a sixth, {late} kB at the end"
    );
    #[expect(clippy::cast_precision_loss, reason = "a count of calls fits a float")]
    let pace = calls as f64 / took;
    verdict_at_least("  calls per second", pace, 5_000.0, "")
}

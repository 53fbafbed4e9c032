//! 32 callers at once over HTTP, the vendor's stand-in and the callers on the same cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use toolwright::catalog::sandbox_tables;
use toolwright::sandbox::Sandbox;

use crate::figures::verdict_at_least;
use crate::peer::{self, HttpPeer};

const CALLERS: usize = 32;

/// Calls for as long as `time`; a call that fails ends the bench.
pub(crate) async fn run(time: Duration) -> bool {
    let sandbox = Sandbox::start(&sandbox_tables(), None).await.unwrap();
    let server = Arc::new(HttpPeer::start(&sandbox.address("jitbit")));
    let client = peer::http_client();
    let calls = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (server, client, calls) = (Arc::clone(&server), client.clone(), Arc::clone(&calls));
            tokio::spawn(async move {
                let request = json!({"name": "jitbit_list_priorities", "arguments": {}});
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

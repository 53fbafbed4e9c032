//! specs/ → the code that build.rs generated; the only `include!`. The same files are committed
//! under `generated/` for review, and a test proves that they are equal.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "emitted by progenitor and our own emitters, reviewed as data"
)]

include!(concat!(env!("OUT_DIR"), "/index.rs"));

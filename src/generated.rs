//! What build.rs generated from specs/. The only `include!`; the same files stand under
//! `generated/` for people to read, and tests/generated.rs proves that they are the same.

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

//! Descriptions under specs/ → a typed client of each API, made by progenitor at build time: requests and answers as Rust types,
//! one builder per operation. `toolwright::clients` is this crate. A crate of its own, so that its 300,000 generated lines are
//! compiled once, and not again with each change of the program.
//!
//! A client is made over an address and an HTTP client: `Client::new_with_client(address, http)`. The connections of
//! `toolwright::config` have both, with the credentials as default headers. Lengths, patterns and bounds are left to the
//! vendor to check; multipart bodies are left out, because progenitor does not send them.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "emitted by progenitor from data that is reviewed"
)]

use toolwright_formats::encode_path;

include!(concat!(env!("OUT_DIR"), "/clients.rs"));

/// Removes the `api-version` header that progenitor's clients set: a vendor may come to give it a meaning.
fn drop_version_mark(request: &mut reqwest::Request) {
    request.headers_mut().remove("api-version");
}

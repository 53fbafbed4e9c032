//! Inputs that others choose → what holds for all of them: each boundary with many inputs that are changed at random.
//!
//! | target | input | what holds |
//! |---|---|---|
//! | `answer` | a vendor's answer | the result is valid JSON within its bounds, without invisible characters and foreign links; a broken answer is no end of a listing |
//! | `arguments` | a tool's arguments | the request keeps to the template of its path and to the vendor's description |
//! | `cursor` | the text of a cursor | it leads to the request that the unchanged cursor leads to, and never to one that the tool could not make |
//! | `http` | a request to the server | an HTTP error, or the message that answers it; the server goes on |
//! | `jq` | a filter and an answer | as `answer`, within the filter's time; what is no JSON is refused |
//! | `specs` | a vendor's files | generated files, or findings that name their place |
//!
//! Nothing panics, and everything ends in time. The same functions run in two ways:
//!
//! - `plain` is a test like all others, on any toolchain: the corpus, then changes of it, the same in each run.
//! - `Cargo.toml` and `entries/` are a package of their own for cargo-fuzz, which finds inputs by the code that they reach and
//!   needs a nightly toolchain. It is here because it is made of these modules, and outside of the workspace because
//!   `libfuzzer-sys` brings a `main` of its own.
//!
//! `corpus/<target>/` has the inputs to begin with, and each that once found a fault. CONTRIBUTING.md has the commands.

pub(crate) mod mutation;
#[cfg(test)]
mod plain;
mod properties;
pub(crate) mod targets;
mod vendor;

//! Toolwright: OpenAPI descriptions of vendors → typed clients and MCP tools, at build time; those tools → AI
//! assistants, at run time.
//!
//! # Flow
//!
//! ```text
//! specs/<vendor>/  description + overlay + vendor.toml
//!    │  crates/codegen: read → lower → emit
//!    ▼
//! build.rs → OUT_DIR (compiled)  =  generated/ (the same files, committed for review)
//!    ▼
//! catalog → policy → call: resolve → prepare → plan | send → present → mcp_result → server | cli
//!                                               ⇅
//!                                            upstream ⇄ vendor, or the sandbox
//! ```
//!
//! Over HTTP `access` admits each request first: it finds who calls and what that caller may do.
//!
//! # Rooms
//!
//! From the bottom up. A room imports only the rooms of its row: Cargo checks it for the crates, a test that
//! reads this table for the modules of src.
//!
//! | module | turns | into | imports (of ours) |
//! |---|---|---|---|
//! | `model` | – | what a tool is: plain data, shared by build and program; a crate | – |
//! | [`formats`] | values as a model writes and reads them | values as a vendor takes and returns them; a crate | model |
//! | `codegen` | specs/ | the files of generated/, in memory; a crate, used by build.rs only | model, formats |
//! | `authoring` | a vendor's description | findings, a folder under specs/, the files of generated/; a program of its own | model, formats, codegen |
//! | [`error`] | – | how a call fails, by stage: was anything sent, did the vendor answer | – |
//! | `owner_file` | a path | a file that only its owner can read and write | – |
//! | `watched_files` | paths | whether a file was changed since it was read | – |
//! | `fairness` | callers that wait for something scarce | a slot for each of them in turn | – |
//! | [`audit`] | calls | an append-only log whose lines are chained by hashes | model, error, owner_file |
//! | [`metrics`] | calls | counters and times for Prometheus | error |
//! | [`jq`] | a jq filter and a JSON text | the filter's result, evaluated in a child process with bounds | model, error, fairness |
//! | [`sanitize`] | what outsiders wrote | what a model may read, and which fields outsiders wrote; and back | model |
//! | [`sandbox`] | requests | answers as the description promises them, or what does not fit | model |
//! | [`upstream`] | a request | the vendor's answer, within address, credentials, rate limits, time and size | model, error, owner_file, fairness |
//! | [`store`] | what outlives a process, and what several share | rows in SQLite or PostgreSQL | error, owner_file, upstream |
//! | [`learn`] | vendors' answers, as they pass | a file that says where they differ from their descriptions | model, error, owner_file, upstream |
//! | [`client_runtime`] | a call's inputs | typed arguments, requests and answers; all that generated code calls | model, error, upstream |
//! | `generated` | – | the only `include!`; with the feature `typed`, the typed clients as `clients` | client_runtime |
//! | [`catalog`] | generated tools | every tool by name | model, generated, client_runtime |
//! | [`search`] | a question in people's words | the tools that it is about, best first | model, catalog |
//! | [`policy`] | a tool and a selection | allowed, or why not and which flags would allow it | model, error, catalog |
//! | [`config`] | environment, toolwright.toml | connections and selections | model, error, watched_files, upstream, policy |
//! | [`access`] | a request's path and headers | who calls and what they may, or a refusal | model, error, upstream, store, catalog, policy |
//! | [`call`] | a tool's name and arguments | a reply, a plan or a failure; the only way to a vendor | model, formats, error, fairness, audit, metrics, jq, sanitize, upstream, learn, client_runtime, catalog, policy, config, access |
//! | [`replay`] | recorded calls and a catalog | how many would be refused, renamed or reach another operation | model, error, audit, catalog, policy, call |
//! | [`mcp_result`] | a reply or a failure | an MCP result within bounds | model, error, sanitize, upstream, call |
//! | [`server`] | MCP requests, on stdio or over HTTP | lists of tools, documents about them, and calls | model, error, watched_files, fairness, metrics, store, catalog, search, policy, config, access, call, mcp_result |
//! | [`cli`] | arguments | data on stdout, messages on stderr, an exit code | model, formats, error, audit, jq, sandbox, upstream, store, learn, catalog, search, policy, config, access, call, replay, mcp_result, server |
//!
//! # Glossary
//!
//! What is described:
//! - **vendor**: a product under specs/: one folder, one cargo feature, one prefix of tool names.
//! - **API**: one description of a vendor; a vendor may have several.
//! - **operation**: one method on one path of a description.
//! - **catalog**: all tools that are compiled in.
//! - **tool**: what a model calls: name, description, input schema, and one or more operations.
//! - **effect**: what a call does at the vendor: `read`, `write`, `destructive`; stated by a person, else *unreviewed*.
//! - **risk**: a further consequence of a call, such as `notifies`; four of them are refused unless allowed.
//! - **verb**: the kind of call: `list`, `get`, `search`, `create`, `update`, `delete`, `action`.
//! - **call tool**: `call_read`, `call_write` and `call_destructive`, by which a model calls the tools of one effect where
//!   a server discovers; `find_tools` finds them.
//! - **prompt**: a common job with several tools, for a person to choose. **skill**: a page about a vendor for a model.
//! - **format**: a named notation of a value, other for the model than for the vendor (Markdown and ADF).
//!
//! Who calls, and what is permitted:
//! - **account**: one vendor at one address with one set of credentials. **connection**: an account as configured,
//!   [`config::ConnectionConfig`].
//! - **link**: an address whose token permits a part of what the server offers, [`access::links`]. **second token**: what
//!   has to come with it where the address alone opens nothing.
//! - **store**: the database of what outlives a process. **member**, **replica**: a server among those that share a store.
//!   **lease**, **share**: for how long, and which part of vendors' limits, one of them may use.
//! - **administrator**: the bearer of a token for `/api/v1`.
//! - **settings**: headers that name the tenant; a client over HTTP may choose among the allowed values.
//! - **principal**: who calls, as far as the server knows: any program on this machine, the bearer of a link, the bearer
//!   of a vendor's token, [`access::Principal`].
//! - **grant**: what a caller may do, [`access::Grant`]: accounts, narrowings, when it ends. It only takes away from the
//!   server's own selection. **narrowing**: the words of a link, which take tools away.
//! - **caller**: who makes a call, [`call::Caller`]: principal, grant, client and MCP session, and its settings. What is
//!   kept between requests is kept for one caller.
//! - **selection**: what flags, profile and defaults leave of the catalog; **policy**: the gate that decides about a
//!   tool and a selection; **refusal**: its no, with reasons, and flags for people.
//! - **audience**: who reads a message: a model, which can call and ask, or a person, who can set flags and variables.
//!
//! What happens in a call:
//! - **call**: one use of a tool: one or more requests to the vendor, one audit record, one result.
//! - **`ApiConnection`**: an API's compiled code with its connection. **`Session`**: an `ApiConnection` opened with one
//!   caller's settings; an MCP session is a `SessionId`.
//! - **rate limiter**: the vendor's limits and what its answers report of them; **permit**: the right to send one
//!   request; **slot**: what callers share in turn, such as a place at a vendor; **retry policy**: how often a call is
//!   sent again, and how long it may wait.
//! - **lookup**: a read at the vendor that a format or a name in place of an id needs.
//! - **plan**: the exact request with secrets masked; the result of a dry run.
//! - **outcome**: the stage at which a call ended: answered, rejected, not sent, unknown.
//! - **reply**: a vendor's answer, sanitized and projected. **projection**: the part of each record that is kept; the
//!   rest is named in `omitted`. **envelope**: what is written around an answer: `page`, `untrusted`, `omitted`, `notes`.
//! - **cursor**: the opaque text that leads to the next page; **`ReplyOffset`**: where in a reply the page begins.
//! - **untrusted**: text that people or devices outside wrote; **sanitize**: make it harmless to read.
//! - **audit record**: the lines of a call in the audit log: the intent before a change is sent, the outcome after it.
//! - **anchor**: a signed statement of the last line of an audit log.
//! - **mark**: `⟦…⟧` in a text, where something was made inert or cut; **restore**: put back what marks stand for.
//! - **sandbox**: an upstream in this process in place of the vendors.
//!
//! # Invariants
//!
//! - The program links no generator; the generator imports nothing of the program.
//! - build.rs writes only into OUT_DIR, and touches no network and no git.
//! - What is compiled equals what is committed under generated/; a test proves it.
//! - Only `call` sends requests to a vendor, and it asks the policy first.
//! - No request is served with another caller's credentials: the gate of `access` admits it, or refuses it.
//! - Standard output belongs to the protocol, or to data.
//! - With default settings nothing at a vendor changes, no mail is sent, and no secret is shown.
//!
//! # Where the code differs from its plan
//!
//! - `formats` is a crate and no module of src: the build needs the formats' schemas and samples, the program needs
//!   their code, and both have to be the same.
//! - `generated` is no room of hand-written code, but has a row: `catalog` reads it, and it calls `client_runtime`.
//! - `sandbox` imports no room that makes requests, though some code is similar: a fault there would hide itself.

pub mod access;
pub mod audit;
pub mod call;
pub mod catalog;
pub mod cli;
pub mod client_runtime;
pub mod config;
pub mod error;
mod fairness;
mod generated;
pub mod jq;
pub mod learn;
pub mod mcp_result;
pub mod metrics;
mod owner_file;
pub mod policy;
pub mod replay;
pub mod sandbox;
pub mod sanitize;
pub mod search;
pub mod server;
pub mod store;
pub mod upstream;
mod watched_files;

#[cfg(feature = "typed")]
pub use generated::clients;
pub use toolwright_formats as formats;

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
//! catalog → policy → call: resolve → prepare → plan | send → present → workflow → mcp_result → server | cli
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
//! | `search-index` | texts of tools, and synonyms | the index in which the search looks, made by the build; a crate | model |
//! | `codegen` | specs/ | the files of generated/, in memory; a crate, used by build.rs only | model, formats, search-index |
//! | `clients` | specs/ | typed clients for Rust programs, by progenitor; a crate, `toolwright::clients` with the feature `typed` | formats, codegen |
//! | `authoring` | a vendor's description | findings, a folder under specs/, the files of generated/; a program of its own | model, formats, codegen |
//! | [`error`] | – | how a call fails, by stage: was anything sent, did the vendor answer | – |
//! | `owner_file` | a path | a file that only its owner can read and write | – |
//! | `keyring` | an entry's name | its secret in the operating system's keyring | – |
//! | `watched_files` | paths | whether a file was changed since it was read | – |
//! | `fairness` | callers that wait for something scarce | a slot for each of them in turn | – |
//! | [`audit`] | calls | an append-only log whose lines are chained by hashes | model, error, owner_file |
//! | `build_info` | what the compiler knew | what this program was built of | – |
//! | [`metrics`] | calls | counters and times for Prometheus | error, build_info |
//! | `traces` | calls and requests to vendors | spans without arguments and answers, for a collector | error |
//! | [`jq`] | a jq filter and a JSON text | the filter's result, evaluated in a child process with bounds | model, error, fairness |
//! | [`sanitize`] | what outsiders wrote | what a model may read, and which fields outsiders wrote; and back | model |
//! | [`sandbox`] | requests | answers as the description promises them, or what does not fit | model |
//! | [`upstream`] | a request | the vendor's answer, within address, credentials, rate limits, time and size | model, error, owner_file, fairness |
//! | [`store`] | what outlives a process, and what several share | rows in SQLite or PostgreSQL | error, owner_file, upstream |
//! | [`learn`] | vendors' answers, as they pass | a file that says where they differ from their descriptions | model, error, owner_file, upstream |
//! | [`client_runtime`] | an operation's entry of `requests.json` and a call's inputs | the request, and the vendor's answer | model, formats, error, upstream |
//! | `generated` | – | the only `include!` | client_runtime |
//! | [`catalog`] | generated tools | every tool by name | model, generated, client_runtime |
//! | [`search`] | a question in people's words | the tools that it is about, best first | model, search-index, catalog |
//! | [`policy`] | a tool and a selection | allowed, or why not and which flags would allow it | model, error, catalog |
//! | [`config`] | environment, toolwright.toml | connections and selections | model, error, keyring, watched_files, upstream, policy |
//! | [`login`] | a vendor's sign-in page and a person's consent | a refresh token, and the sites that it reaches | model, error, upstream |
//! | [`access`] | a request's path and headers | who calls and what they may, or a refusal | model, error, upstream, store, catalog, policy |
//! | [`approval`] | a planned change and a person | permission to send exactly that, once, or why it is not sent | model, error, sanitize, upstream, store, catalog, access |
//! | [`call`] | a tool's name and arguments | a reply, a plan or a failure; the only way to a vendor | model, formats, error, fairness, audit, metrics, traces, jq, sanitize, upstream, learn, client_runtime, store, catalog, policy, config, access, approval |
//! | [`workflow`] | a tool's name and arguments, also of a tool of several calls | a reply, a plan or a report of how far it came | model, error, sanitize, upstream, call |
//! | [`replay`] | recorded calls and a catalog | how many would be refused, renamed or reach another operation | model, error, audit, catalog, policy, call |
//! | [`mcp_result`] | a reply or a failure | an MCP result within bounds | model, error, sanitize, upstream, call |
//! | [`server`] | MCP requests, on stdio or over HTTP | lists of tools, documents about them, and calls | model, error, watched_files, fairness, metrics, store, catalog, search, policy, config, access, approval, call, workflow, mcp_result |
//! | `client_settings` | a server, and an AI client's name | its entry in the client's file, and what a person types or pastes | config |
//! | [`console`] | requests of a browser, forms, a selection | pages about the tools and about a server, served or in files | model, error, audit, metrics, sanitize, sandbox, upstream, store, catalog, search, policy, config, login, access, approval, call, workflow, mcp_result, client_settings, server |
//! | [`cli`] | arguments | data on stdout, messages on stderr, an exit code | model, formats, error, owner_file, keyring, audit, build_info, traces, jq, sandbox, upstream, store, learn, catalog, search, policy, config, login, access, approval, call, workflow, replay, mcp_result, client_settings, console, server |
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
//! - **keyring**: where the operating system keeps secrets; **entry**: one of them, by the name that a setting has.
//! - **link**: an address whose token permits a part of what the server offers, [`access::links`]. **second token**: what
//!   has to come with it where the address alone opens nothing.
//! - **store**: the database of what outlives a process. **member**, **replica**: a server among those that share a store.
//!   **lease**, **share**: for how long, and which part of vendors' limits, one of them may use.
//! - **sign-in**: a person's consent at a vendor for an account, and the refresh token that it led to, in a file or encrypted in
//!   the store; **app**: what the vendor knows this program by. **store key**: what the store's tokens are encrypted with.
//! - **administrator**: the bearer of a token for `/api/v1` and the console of a server.
//! - **console**: pages for people: of the catalog on their own machine, and of a server for its administrators. Its
//!   **session** is that of a browser, a cookie.
//! - **settings**: headers that name the tenant; a client over HTTP may choose among the allowed values.
//! - **tenant**: one of the allowed values, such as an organization; a tool that reads can be called for several at once.
//! - **principal**: who calls, as far as the server knows: any program on this machine, the bearer of a link, the bearer
//!   of a vendor's token or of an access token, [`access::Principal`].
//! - **access token**: what shows who calls by OAuth, issued for this server by the company's identity provider, the **issuer**,
//!   or by this server itself; **authorization**: what a person has allowed a client; **scope**: a vendor, a tag and an effect,
//!   [`access::Scopes`].
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
//! - **`ApiConnection`**: an API's compiled requests with its connection. **`Session`**: an `ApiConnection` opened with one
//!   caller's settings; an MCP session is a `SessionId`.
//! - **rate limiter**: the vendor's limits and what its answers report of them; **permit**: the right to send one
//!   request; **slot**: what callers share in turn, such as a place at a vendor; **retry policy**: how often a call is
//!   sent again, and how long it may wait.
//! - **lookup**: a read at the vendor that a format or a name in place of an id needs. **kind**: what a record is that is
//!   given by name, with its look-ups; **candidate**: a record that a name may mean; **target**: the one that it means.
//! - **plan**: the exact request with secrets masked; the result of a dry run.
//! - **approval**: what waits for a person's decision, and the decision; **channel**: the way to the person; **permission**: a
//!   yes to one request, good for sending it once. **digest**: what tells that request from any other.
//! - **workflow**: a tool of several calls; **step**: one of its calls, or one for each value of a list; **run**: one call of
//!   a workflow, whose id all its audit records have. **`Datum`**: a value on its way between steps.
//! - **outcome**: the stage at which a call ended: answered, rejected, not sent, unknown; of a workflow also partial.
//! - **reply**: a vendor's answer, sanitized and projected. **projection**: the part of each record that is kept; the
//!   rest is named in `omitted`. **envelope**: what is written around an answer: `page`, `resolved`, `untrusted`,
//!   `omitted`, `notes`.
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
pub mod approval;
pub mod audit;
mod build_info;
pub mod call;
pub mod catalog;
pub mod cli;
pub mod client_runtime;
mod client_settings;
pub mod config;
pub mod console;
pub mod error;
mod fairness;
mod generated;
pub mod jq;
mod keyring;
pub mod learn;
pub mod login;
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
mod traces;
pub mod upstream;
mod watched_files;
pub mod workflow;

#[cfg(feature = "typed")]
pub use toolwright_clients as clients;
pub use toolwright_formats as formats;

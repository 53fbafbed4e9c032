//! The tests of the product as a whole, in one program. Each module is a boundary; the comment says
//! what belongs there. What one module of src/ does by itself is tested beside it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fault fails the test")]

// What tests share: toolboxes over sandboxes, vendors that exist for tests only, random arguments.
mod common;

// Accounts of one vendor: which one serves, what `doctor` shows of each, files that change.
#[cfg(feature = "jitbit")]
mod accounts;
// Refusals as their readers get them: sources of ids, hints for the administrator, only tools that are offered.
mod advice;
// A person's yes before a change: each way to a person, what is sent then, and what might pass for a yes.
#[cfg(feature = "jitbit")]
mod approval;
// What an answer shows, and what it says is left out: `detail`, `fields`, `jq`, size; on every vendor.
#[cfg(any(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod answers;
// Jitbit: who reads a comment is an explicit choice.
#[cfg(feature = "jitbit")]
mod audience;
// Every compiled tool with random arguments: the request is one that the description allows.
mod calls;
// `catalog diff`: two catalogs, from folders, files, this program and git → what is reported, and what fails.
#[cfg(feature = "jitbit")]
mod catalog_diff;
// Rules that every compiled tool keeps: names, descriptions, schemas, annotations.
mod catalog;
// One tool over several operations: its arguments choose which one is called.
mod choice;
// Whole runs of the command line: arguments, output, exit code. The cases are in tests/cli.
#[cfg(feature = "jitbit")]
mod cli;
// `call --audit`: calls that are refused before a vendor is asked are recorded too.
#[cfg(feature = "jitbit")]
mod cli_audit;
// The tools that the official MCP conformance suite calls, over HTTP.
mod conformance;
// Pages in a browser: of the catalog, of a server for administrators, in files; who gets in, and that text stays text.
#[cfg(feature = "jitbit")]
mod console;
// Cursors: real ones are short, forged ones send nothing.
#[cfg(feature = "jitbit")]
mod cursors;
// Resources, prompts, completion and skills: made of what is offered.
#[cfg(any(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod documents;
// Environment variables → a vendor's connection, and the errors where they don't fit together.
mod connection;
// Faulty answers of a vendor → what a model gets; one test for each kind.
#[cfg(feature = "jitbit")]
mod failures;
// `serve --discover`: a few tools that find and call all others.
mod discover;
// Value formats on the way of a whole call. What each format does by itself is tested in crates/formats.
mod formats;
// Ids in addresses that the vendor is asked for.
mod found_root;
// Inputs changed at random, of every boundary where others choose them.
mod fuzz;
// The server over Streamable HTTP: sessions, origins, limits, disconnects.
mod http;
// `toolwright install`: homes → clients' files, and back. What comes out is in tests/install.
#[cfg(feature = "jitbit")]
mod install;
// Jira Service Management: its tools, workflows, guards and files, through an MCP client.
#[cfg(feature = "jsm")]
mod jsm;
// JumpCloud: the tools of its own server, filters, pages, guards, addresses.
#[cfg(feature = "jumpcloud")]
mod jumpcloud;
// Imports between the modules of src/, against the table in src/lib.rs.
mod layering;
// Secrets in the keyring of the operating system; the tests with a real one start it by themselves, and are ignored by default.
#[cfg(all(target_os = "linux", feature = "keyring", feature = "jitbit"))]
mod keyring;
// `serve --learn`: answers that differ from their descriptions → names, types and statuses in a file.
#[cfg(feature = "jitbit")]
mod learn;
// The server over lines of text, as over standard input: what clients write that are a little off.
mod lines;
// `toolwright login`: a vendor's sign-in page, the way back to this machine, and what it leads to.
#[cfg(feature = "jsm")]
mod login;
// What the list of tools costs a model in tokens, by selection, and that what it leaves out is still accepted.
mod listed;
// Listings of each vendor: what is their end, what is not, and that no record is missing or there twice.
mod listings;
// Busy vendors: rate limits, waiting, retries.
#[cfg(feature = "jitbit")]
mod limits;
// First calls with the mistakes of models: each answer names the right second call.
#[cfg(any(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod mistakes;
// Names in place of ids: which record each reaches, and what bounds a look-up.
#[cfg(any(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod names;
// Access tokens: of an identity provider, and of the server's own authorization server; and what RFC 9700 lists against both.
#[cfg(feature = "jitbit")]
mod oauth;
// The tenant header that an administrator sets and an HTTP connection may choose.
mod organization;
// Vendors that are not under specs/: these tests run in a copy of this project, which
// crates/authoring/tests/other_vendors makes.
mod other_vendors;
// Pages of every paging style, one by one and all at once, over a vendor that misbehaves.
mod paging;
// The way to a vendor through a company's network: proxies, authorities, client certificates; and what logs show.
#[cfg(feature = "jitbit")]
mod network;
// Dry runs: what they show, and that nothing is sent.
#[cfg(feature = "jitbit")]
mod plan;
// The selection: what is offered and what is refused, by every way in.
#[cfg(feature = "jitbit")]
mod policy;
// MCP itself: lists in pages, errors, log messages, progress, instructions.
mod protocol;
// The audit log of calls: its content, its hash chain, and its completeness.
#[cfg(feature = "jitbit")]
mod record;
// Vendors that answer with another address.
#[cfg(feature = "jitbit")]
mod redirects;
// SIGHUP: toolwright.toml is read again while a server runs.
#[cfg(all(unix, feature = "jitbit"))]
mod reload;
// `audit replay`: recorded calls and a changed catalog → how many are refused, renamed or reach something else.
#[cfg(feature = "jitbit")]
mod replay;
// The audit log when its file is moved, emptied, replaced or deleted; what anchors show.
#[cfg(feature = "jitbit")]
mod rotation;
// Texts that are read, changed and written back: nothing is lost on the way.
mod round_trip;
// The embedded sandbox over a socket: tables in, answers and refusals out.
mod sandbox;
// Cookies, addresses and credentials that a description states for an operation: what the sandbox refuses.
mod sandbox_targets;
// Questions in users' words → the tools that the search finds.
#[cfg(any(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod search;
// The MCP server over a pipe in memory: lists, calls, results.
#[cfg(feature = "jitbit")]
mod server;
// `toolwright setup`: what a person types → an account.
#[cfg(feature = "jitbit")]
mod setup;
// What outlives a process: links, tokens, leases; in a file and in PostgreSQL.
#[cfg(feature = "jitbit")]
mod store;
// A team's server: links, the interface of administrators, several servers with one store.
#[cfg(feature = "jitbit")]
mod team;
// Tools of several calls that are compiled in: a ticket whole, many at once, stories across vendors.
#[cfg(any(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod stories;
// Signals: the end in order, no token lost, the audit log opened anew.
#[cfg(all(unix, any(feature = "jitbit", feature = "jsm")))]
mod stops;
// Access tokens that are requested: refresh tokens that rotate, client credentials.
mod tokens;
// Spans of calls at a collector of OpenTelemetry.
#[cfg(all(feature = "otlp", feature = "jitbit"))]
mod traces;
// The typed client of the feature `typed`, against the sandbox.
#[cfg(all(feature = "typed", feature = "jitbit"))]
mod typed;
// Text written by outsiders: marked, sanitized, without live links.
#[cfg(feature = "jitbit")]
mod untrusted;
// What a model writes and what each vendor gets: null, times, ids, lists, refusals before sending.
mod values;
// Tools of several calls: answers, reports at each fault, calling again, dry runs, the policy of steps.
#[cfg(feature = "jitbit")]
mod workflows;

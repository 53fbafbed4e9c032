//! The tests of the product as a whole, in one program. Each module is a boundary; the comment says
//! what belongs there. What one module of src/ does by itself is tested beside it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fault fails the test")]

// What tests share: toolboxes over sandboxes, vendors that exist for tests only, random arguments.
mod common;

// Every compiled tool with random arguments: the request is one that the description allows.
mod calls;
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
// Environment variables → a vendor's connection, and the errors where they don't fit together.
mod connection;
// Faulty answers of a vendor → what a model gets; one test for each kind.
#[cfg(feature = "jitbit")]
mod failures;
// Value formats on the way of a whole call. What each format does by itself is tested in crates/formats.
mod formats;
// The server over Streamable HTTP: sessions, origins, limits, disconnects.
mod http;
// Jira Service Management: its tools, workflows, guards and files, through an MCP client.
#[cfg(feature = "jsm")]
mod jsm;
// JumpCloud: the tools of its own server, filters, pages, guards, addresses.
#[cfg(feature = "jumpcloud")]
mod jumpcloud;
// Imports between the modules of src/, against the table in src/lib.rs.
mod layering;
// Busy vendors: rate limits, waiting, retries.
#[cfg(feature = "jitbit")]
mod limits;
// The tenant header that an administrator sets and an HTTP connection may choose.
mod organization;
// Vendors that are not under specs/: these tests run in a copy of this project, which
// crates/authoring/tests/other_vendors makes.
mod other_vendors;
// Pages of every paging style, one by one and all at once, over a vendor that misbehaves.
mod paging;
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
// The embedded sandbox over a socket: tables in, answers and refusals out.
mod sandbox;
// The MCP server over a pipe in memory: lists, calls, results.
#[cfg(feature = "jitbit")]
mod server;
// Access tokens that are requested: refresh tokens that rotate, client credentials.
mod tokens;
// The typed client of the feature `typed`, against the sandbox.
#[cfg(all(feature = "typed", feature = "jitbit"))]
mod typed;
// Text written by outsiders: marked, sanitized, without live links.
#[cfg(feature = "jitbit")]
mod untrusted;

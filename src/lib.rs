//! Toolwright: OpenAPI descriptions of help desks and directories → typed clients and MCP tools,
//! at build time; those tools → assistants, at run time.
//!
//! ```text
//! specs/<vendor>/  description + overlay + vendor.toml
//!    │  codegen: spec → overlay → fixups → lower → model → { schema, client, dispatch, sandbox table }
//!    ▼
//! OUT_DIR (compiled)  =  generated/ (committed, for people to review)
//!    ▼
//! generated → catalog → policy → call → server | cli   ⇄   upstream ⇄ vendor (or the sandbox)
//! ```
//!
//! | module | turns | into | imports (of ours) |
//! |---|---|---|---|
//! | [`model`] | – | what a tool is: plain data | nothing |
//! | `codegen` | specs/ | files in memory; built with `authoring` and by build.rs | model |
//! | `codegen::convert` | Swagger 2.0, OpenAPI 3.1, several files | one document in OpenAPI 3.0, each step reported; with `authoring` only | codegen's |
//! | `codegen::import` | a vendor's description | what would come out (`spec lint`), a folder under specs/ (`spec new`); with `authoring` only | codegen's |
//! | `generated` | – | the only `include!`; with `typed`, the typed clients as `clients` | support |
//! | [`support`] | a call's inputs | typed arguments, requests, answers; all that generated code calls | model, error, upstream |
//! | [`formats`] | values as a model writes and reads them | values as a vendor does; by name, one file each | model, error, upstream |
//! | [`upstream`] | a request | a vendor's answer, or by which stage it failed; its pace | error |
//! | [`catalog`] | `generated` | every tool by name | generated, model, support |
//! | [`policy`] | a tool and a selection | allowed, or why not and which flag opens it | catalog, model, error |
//! | [`audit`] | calls | a record of them that shows changes and gaps | error |
//! | [`metrics`] | calls | numbers that Prometheus reads | error |
//! | [`clean`] | what outsiders wrote | what can be shown, and who wrote it | model |
//! | [`jq`] | a filter and a text of JSON | what the filter makes of it, in a process of its own | nothing |
//! | [`call`] | a tool's name and arguments | an answer: the one way in | policy, catalog, config, support, formats, audit, clean, jq, metrics |
//! | [`shape`] | an answer or failure | an MCP result | call, clean, upstream |
//! | [`server`] | MCP requests | calls | call, config, shape |
//! | [`sandbox`] | requests | what the description promises | nothing |
//! | [`config`] | environment, `toolwright.toml` | settings | model, policy, upstream, error |
//! | [`cli`] | arguments | data on stdout, an exit code | all |
//!
//! Invariants:
//! - codegen never imports the run-time half: build.rs mounts only `model` and `codegen`.
//! - build.rs writes only OUT_DIR, and touches no network and no git.
//! - What is compiled equals what is committed under `generated/`; a test proves it.
//! - Nothing calls a vendor but through [`call::Toolbox`], and that asks the policy first.
//! - stdout belongs to the protocol, or to data.
//!
//! Where this differs from the design page: `call` is a room of its own, because the server and
//! the command line need the same way in; `lower` calls `schema`, because a tool's arguments and
//! its input schema are decided together; `codegen` has `choice`, `keys`, `located`, `report`, `index`
//! and `vendor_file` besides, and with `authoring` `convert` and `import`, which the build does not
//! use.

pub mod audit;
pub mod call;
pub mod catalog;
pub mod cli;
pub mod sanitize;
#[cfg(feature = "typed")]
pub use generated::clients;
pub use toolwright_formats as formats;
pub mod client_runtime;
pub mod config;
pub mod error;
mod generated;
pub mod jq;
pub mod mcp_result;
pub mod metrics;
pub mod policy;
pub mod sandbox;
pub mod server;
pub mod upstream;

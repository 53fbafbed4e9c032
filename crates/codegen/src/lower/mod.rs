//! Operations of a description → tools: names, schemas, bindings, paging, presets, choices; workflows → tools of
//! several calls.

pub mod answers;
pub mod argument_rules;
pub mod arguments;
pub mod choice;
pub mod concise;
mod exact;
pub mod fit;
pub mod flatten;
pub mod formats;
pub mod inputs;
mod intersect;
pub mod lowered;
pub mod nulls;
pub mod operations;
pub mod paging;
mod phrases;
pub mod portable;
pub mod promises;
pub mod read_backs;
pub mod resolve;
pub mod resolved;
mod returns;
mod shape_words;
pub mod spec_operation;
mod subtypes;
mod target;
mod together;
pub mod tool_draft;
pub mod tool_names;
mod unite;
pub mod unoffered;
pub mod unshown;
pub mod vendor;
pub mod waits;
pub mod workflows;

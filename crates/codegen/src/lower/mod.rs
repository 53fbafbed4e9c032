//! Operations of a description → tools: names, schemas, bindings, paging, presets, choices.

pub mod argument_rules;
pub mod arguments;
pub mod choice;
pub mod concise;
pub mod fit;
pub mod flatten;
pub mod formats;
pub mod inputs;
pub mod lowered;
pub mod nulls;
pub mod operations;
pub mod paging;
mod phrases;
pub mod portable;
pub mod promises;
pub mod read_backs;
pub mod resolved;
mod returns;
pub mod spec_operation;
pub mod tool_draft;
pub mod tool_names;
pub mod unoffered;
pub mod unshown;
pub mod vendor;

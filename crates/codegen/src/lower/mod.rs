//! Operations of a description → tools: names, schemas, bindings, paging, presets, choices.

pub mod arguments;
pub mod choice;
pub mod concise;
pub mod fit;
pub mod flatten;
pub mod formats;
pub mod inputs;
pub mod lowered;
pub mod operations;
pub mod paging;
pub mod portable;
pub mod resolved;
pub mod spec_operation;
pub mod tool_draft;
pub mod tool_names;
pub mod vendor;

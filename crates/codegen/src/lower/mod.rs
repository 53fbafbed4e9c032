//! Operations of a description → tools: names, schemas, bindings, paging, presets, choices.

pub mod choice;
pub mod concise;
pub mod fit;
pub mod fixups;
pub mod formats;
pub mod inputs;
pub mod operations;
pub mod paging;
pub mod schema;
pub mod tool_draft;

//! Tools and operations → the files that are compiled and reviewed. Each file is an emitter.

pub(crate) mod api_files;
pub(crate) mod compiled;
pub(crate) mod index;
mod report;
mod requests;
mod sandbox_table;
pub(crate) mod search_index;
pub(crate) mod tree;
#[cfg(feature = "typed")]
pub(crate) mod typed;
pub(crate) mod workflows;

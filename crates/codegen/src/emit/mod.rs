//! Tools and operations → the files that are compiled and reviewed. Each file is an emitter.

mod answers;
pub(crate) mod api_files;
mod client;
mod dispatch;
pub(crate) mod index;
mod report;
mod sandbox_table;
pub(crate) mod tree;
pub(crate) mod typed;

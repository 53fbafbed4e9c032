//! Tools and operations → the files that are compiled and reviewed.

pub mod api_files;
pub mod client;
pub mod dispatch;
pub mod index;
pub mod report;
pub mod sandbox_table;
pub mod tree;
pub mod typed;

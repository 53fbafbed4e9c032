//! Files under specs/ → checked descriptions, overlays and vendors, each finding with its place.

pub mod check;
pub mod document;
mod faults;
pub mod finding;
pub mod fixups;
pub mod keys;
mod lines;
pub mod located;
pub mod overlay;
mod paging_styles;
pub mod paths;
pub mod reference;
pub mod source;
pub mod vendor_file;
pub mod vendor_folder;

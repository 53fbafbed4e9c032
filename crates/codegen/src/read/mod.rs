//! Files under specs/ → checked descriptions, overlays and vendors, each finding with its place.

pub mod check;
pub mod document;
pub(crate) mod faults;
pub mod file;
pub mod finding;
pub mod keys;
pub mod located;
pub mod overlay;
pub mod paths;
pub mod reference;
pub mod vendor_file;

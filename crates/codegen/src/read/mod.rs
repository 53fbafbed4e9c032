//! Files under specs/ → checked descriptions, overlays and vendors, each finding with its place.

pub mod document;
pub mod finding;
pub mod keys;
pub mod located;
pub mod overlay;
pub mod reference;
pub mod resolve;
pub mod spec;
pub mod vendor_file;

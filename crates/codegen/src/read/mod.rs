//! Files under specs/ → vendors and descriptions that were checked, each finding with file and line.
//!
//! ```text
//! vendor_folder    a folder → VendorFolder
//!   vendor_file      vendor.toml → Vendor (prompts: common jobs of several calls)
//!   source           YAML, JSON → JSON, and the line of each place (lines)
//!   check            a description's JSON → findings
//!   overlay          the overlay's actions laid over the JSON; remembers which places it wrote
//!   fixups           operation ids that the emitters need
//!   document         JSON → openapiv3::OpenAPI, and the one way to follow a `$ref`; what it refuses: faults;
//!                  fractions: typed
//!   keys             `x-toolwright` → OperationKeys
//!   workflows        an Arazzo file → its head, and the expressions and conditions in its texts
//! ```
//!
//! What `openapiv3` 2.2 does not hold as written, and what is done about it:
//!
//! - `explode` of an encoding, which is `false` if missing: [`document::explode`] tells whether it is stated.
//! - A response without `description` is refused: it gets an empty one.
//! - Bounds of numbers and values of `enum` on `type: number` become floating point: a whole one is written as such
//!   again (`lower::resolved`).
//! - `uniqueItems: false` on an array, an empty `enum`, `properties` or `required`, and `style: simple` are read as if
//!   they were missing, which means the same.
//! - A schema whose keywords belong to several types, or that has a type and a composition, is an `AnySchema` with
//!   `type` as text; so is `enum` on lists and objects, and a `type` that OpenAPI does not know.
//! - Keywords beside a `$ref` are dropped, as OpenAPI 3.0 demands.
//! - Formats that OpenAPI does not name are `VariantOrUnknownOrEmpty::Unknown`.
//! - Statuses that are none, such as `20X`, and unknown keys are ignored.
//! - References to anything but a component, such as `#/paths/~1a/get/responses/200`, are kept beside the types
//!   (`document::Elsewhere`).
//! - Places: findings and `x-toolwright` keys are read from the raw JSON, [`Document::raw`](document::Document).
//! - Of OpenAPI 3.1 (lists of types, bounds in `exclusiveMinimum`) nothing: `cargo spec` converts it.

mod argument_rules;
pub mod check;
pub mod document;
mod faults;
pub mod finding;
pub mod fixups;
pub mod keys;
mod lines;
pub mod load;
pub mod located;
pub mod overlay;
mod paging_styles;
pub mod paths;
pub mod phrase;
mod phrase_rules;
mod prompts;
pub mod reference;
pub(crate) mod resolve_kinds;
pub mod source;
pub mod source_map;
pub mod synonyms;
pub mod typed;
pub mod vendor_file;
pub mod vendor_folder;
pub mod workflows;

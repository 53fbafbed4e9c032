//! An address that a description states for some operations only → the variable that overrides it.

use serde::{Deserialize, Serialize};

/// One of a vendor's further addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The variable that holds the address of an account that has another one.
    pub variable: String,
    /// Whether accounts at an address of their own use it as described, where the variable is not set. Without it,
    /// only an account at the vendor's default address does: a server of one's own must not have its requests sent
    /// elsewhere.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !*value
}

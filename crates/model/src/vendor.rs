//! A vendor's connection: the content of `specs/<vendor>/vendor.toml`. It names the variables
//! that hold addresses and credentials, never their values.

mod address;
mod credential;
mod setting;

use serde::{Deserialize, Serialize};

use super::PagingStyle;
pub use address::{Address, AddressVariable, Holds, Template};
pub use credential::{ClientSecret, Credential, Refusal};
pub use setting::Setting;

/// How to reach one vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(transform = with_one_address))]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// The folder's name in specs/, the cargo feature and the prefix of the tool names.
    pub id: String,
    /// The product's name for a person.
    pub title: String,
    /// The ways to say where the vendor is; the first that is set and at which the credentials
    /// work is taken.
    pub addresses: Vec<Address>,
    /// The ways to authenticate; the first whose variables are set is taken.
    pub credentials: Vec<Credential>,
    /// What is sent with every request besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What to say when the vendor refuses who is calling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What a model is told once, when it connects: where ids come from, what to begin with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub guidance: String,
    /// What `doctor` calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// How much to ask of the vendor.
    #[serde(default)]
    pub limits: Limits,
    /// The ways in which listings page; the first whose parameters an operation has is its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paging: Vec<PagingStyle>,
    /// The fields of answers whose text outsiders write; a name may end in `*`. Where it is
    /// missing, any text may be an outsider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted: Option<Vec<String>>,
    /// The fields of answers whose text may be HTML, which becomes Markdown; a name may end in `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub html: Vec<String>,
    /// The hosts besides the configured address's to which links in untrusted text stay live;
    /// `*.` before a name stands for everything below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
}

/// A file with a single address says `[address]`: the same keys, without `name`.
#[cfg(feature = "schemars")]
fn with_one_address(schema: &mut schemars::Schema) {
    let Some(schema) = schema.as_object_mut() else { return };
    let one = serde_json::json!({
        "$ref": "#/$defs/Address",
        "description": "Where the vendor is, where there is one way to say it: stands for a single entry of `addresses`."
    });
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        properties.insert("address".to_owned(), one);
    }
    if let Some(required) = schema.get_mut("required").and_then(serde_json::Value::as_array_mut) {
        required.retain(|name| name != "addresses");
    }
}

/// The operation that shows whether address and credentials are right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The id of an operation that reads and takes no arguments.
    pub operation: String,
    /// JSON pointers into its answer; the first that holds text says who is calling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity: Vec<String>,
}

/// How much to ask of a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How long a call may take from start to the last byte of the answer, in seconds.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
    /// How many requests the vendor takes in any minute; no bound where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// How many requests may be under way at once; no bound where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u32>,
}

fn default_timeout() -> u64 {
    30
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout_seconds: default_timeout(), requests_per_minute: None, in_flight: None }
    }
}

//! `specs/<vendor>/vendor.toml` → a vendor's connection as plain data. It names the variables that
//! hold addresses and credentials, never their values.

mod address;
mod credential;
mod found;
mod help_desk;
mod login;
mod server;
mod setting;
mod source;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ArgumentRule, PagingStyle, PhraseRule, Prompt, ResolveKind};
pub use address::{Address, AddressVariable, Holds, Template};
pub use credential::{ClientSecret, Credential, Inbound, Refusal, in_template};
pub use found::FoundWord;
pub use help_desk::{DeskCall, DeskDecision, DeskPerson, DeskPlace, DeskSetting, DeskTicket, HelpDesk, Markup};
pub use login::{Login, LoginSites};
pub use server::Server;
pub use setting::{ReachedTenants, Setting};
pub use source::DescriptionSource;

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
    /// Alternative addresses; the first whose variable is set and at which the credentials work is
    /// used.
    pub addresses: Vec<Address>,
    /// Further addresses, as the descriptions state them for some of their operations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<String, Server>,
    /// Alternative credentials; the first whose variables are all set is used.
    pub credentials: Vec<Credential>,
    /// What a caller over HTTP may bring in place of the server's own credentials; nothing if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Inbound>,
    /// How a person signs in with `toolwright login`; nothing if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<Login>,
    /// How approvals are raised as tickets; nothing where the vendor is no help desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help_desk: Option<HelpDesk>,
    /// Ids in the roots of `addresses` that the vendor is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundWord>,
    /// Further headers of every request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// Explanations of refusals that concern the connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// Where ids come from: the name of an argument, or of a part of one → the tools that find its values. For
    /// arguments whose own description names no tool.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub finders: BTreeMap<String, Vec<String>>,
    /// Instructions that a model reads once, on connecting: where ids come from, what to call first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub guidance: String,
    /// How common jobs are done with several tools, for people to choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<Prompt>,
    /// What `doctor` calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Limits that requests to the vendor stay within.
    #[serde(default)]
    pub limits: Limits,
    /// The paging styles of listings; an operation has the first whose parameters it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paging: Vec<PagingStyle>,
    /// Formats of arguments by name. The build writes them into the tools, so the program has none here.
    #[serde(default, skip_serializing)]
    pub arguments: Vec<ArgumentRule>,
    /// The kinds of records that can be given by name. The build writes them into the tools, so the program has none here.
    #[serde(default, skip_serializing)]
    pub resolve: BTreeMap<String, ResolveKind>,
    /// How people ask for the tools of a regular family. The build writes it into the tools, so the program has none here.
    #[serde(default, skip_serializing)]
    pub phrases: Vec<PhraseRule>,
    /// Where the vendor publishes the description of an API, by the name of our file: `api` for `api.yaml`. Only
    /// `cargo spec` reads it, so the program has none here.
    #[serde(default, skip_serializing)]
    pub source: BTreeMap<String, DescriptionSource>,
    /// Fields of answers whose text outsiders write; a name may end in `*`, and one that ends in `[]` means the
    /// texts that are directly in a list of this name. Without this key, every text counts as an outsider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted: Option<Vec<String>>,
    /// Fields of answers whose text may be HTML and is converted to Markdown; a name may end in `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub html: Vec<String>,
}

/// A file with a single address has `[address]` instead: the same keys without `name`.
#[cfg(feature = "schemars")]
fn with_one_address(schema: &mut schemars::Schema) {
    let Some(schema) = schema.as_object_mut() else { return };
    let one = serde_json::json!({
        "$ref": "#/$defs/Address",
        "description": "The vendor's only address, in place of `addresses`."
    });
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        properties.insert("address".to_owned(), one);
    }
    if let Some(required) = schema.get_mut("required").and_then(serde_json::Value::as_array_mut) {
        required.retain(|name| name != "addresses");
    }
}

/// The operation by which `doctor` verifies address and credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The id of an operation that reads and takes no arguments.
    pub operation: String,
    /// JSON pointers into its answer; the first that holds text is the caller's identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity: Vec<String>,
    /// What is called after it has succeeded: APIs that may take other credentials than the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<FurtherCheck>,
}

/// An operation by which `doctor` finds out whether an API takes the credentials, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FurtherCheck {
    /// What it is about, in one word.
    pub title: String,
    /// The id of an operation that only reads.
    pub operation: String,
    /// What it is called with: by the name of the tool's argument, where a value is found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, FromAnswer>,
}

/// A value in the answer of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FromAnswer {
    /// The id of an operation that reads and takes no arguments.
    pub operation: String,
    /// JSON pointer into its answer.
    pub value: String,
}

/// Limits that requests to a vendor stay within.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The longest time from the start of a call to the last byte of its answer, in seconds.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
    /// The most requests in any minute; unlimited if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// The most requests in flight at once; unlimited if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u32>,
    /// Texts within the limit's name that a 429 answer reports (`RateLimit-Reason`) which mark a limit on
    /// a single record: requests for other records are not held back by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_limit_reasons: Vec<String>,
}

fn default_timeout() -> u64 {
    30
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout_seconds: default_timeout(),
            requests_per_minute: None,
            in_flight: None,
            record_limit_reasons: Vec::new(),
        }
    }
}

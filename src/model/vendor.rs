//! A vendor's connection: the content of `specs/<vendor>/vendor.toml`. It names the variables
//! that hold addresses and credentials, never their values.

use serde::{Deserialize, Serialize};

use super::PagingStyle;

/// How to reach one vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "authoring", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// The folder's name in specs/, the cargo feature and the prefix of the tool names.
    pub id: String,
    /// The product's name for a person.
    pub title: String,
    /// Where the vendor is.
    pub address: Address,
    /// The ways to authenticate; the first whose variables are set is taken.
    pub credentials: Vec<Credential>,
    /// What a model is told once, when it connects: where ids come from, what to begin with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub guidance: String,
    /// What `doctor` calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// How much to ask of the vendor.
    #[serde(default)]
    pub limits: Limits,
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
    /// The ways in which listings page; the first whose parameters an operation has is its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paging: Vec<PagingStyle>,
}

/// Where a vendor is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "authoring", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The variable that holds the address, such as `JITBIT_URL`.
    pub variable: String,
    /// An address for error messages and documentation.
    pub example: String,
    /// Path suffixes that people paste along with the address and that the description's paths
    /// already have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strip: Vec<String>,
}

/// One way to authenticate: the names of the variables that hold the values. For each variable
/// `X`, `X_FILE` may name a file that holds the value instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "authoring", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer {
        /// The variable that holds the token.
        token: String,
    },
    /// `Authorization: Basic …`
    Basic {
        /// The variable that holds the user name.
        user: String,
        /// The variable that holds the password.
        password: String,
    },
    /// A header of the vendor's own.
    Header {
        /// The header's name.
        header: String,
        /// The variable that holds its value.
        value: String,
    },
}

impl Credential {
    /// The variables that must be set, in the order a person would set them.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Bearer { token } => vec![token],
            Self::Basic { user, password } => vec![user, password],
            Self::Header { value, .. } => vec![value],
        }
    }
}

/// The operation that shows whether address and credentials are right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "authoring", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "authoring", derive(schemars::JsonSchema))]
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

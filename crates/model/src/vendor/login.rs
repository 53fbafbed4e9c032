//! `[oauth]` of vendor.toml → how a person signs in at the vendor in a browser, for `toolwright login`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a person signs in: the authorization code grant. The token endpoint is that of the vendor's refresh tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The page where people sign in.
    pub authorize: String,
    /// What its address holds beside what OAuth demands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// The scopes to request beside those that the tools need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Where a refresh token is revoked (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<String>,
    /// Where a person takes the consent back, if no program can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consents: Option<String>,
    /// How the sites are found that a token reaches; `None` where the address does not depend on the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<LoginSites>,
}

/// The sites that a token reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginSites {
    /// What lists them: a JSON array.
    pub endpoint: String,
    /// The variable that holds the id of one.
    pub variable: String,
    /// JSON pointer in each entry to its id.
    pub id: String,
    /// JSON pointers in each entry to what people call it.
    pub names: Vec<String>,
}

//! How a vendor is told who is calling, and what to say where it does not believe it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One way to authenticate: the names of the variables that hold the values. For each variable
/// `X`, `X_FILE` may name a file that holds the value instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer {
        /// The variable that holds the token.
        token: String,
        /// The names of the addresses at which it works; all where it is missing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
    },
    /// `Authorization: Basic …`
    Basic {
        /// The variable that holds the user name.
        user: String,
        /// The variable that holds the password.
        password: String,
        /// As at `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
    },
    /// Headers of the vendor's own.
    Header {
        /// The header's name.
        header: String,
        /// The variable that holds its value.
        value: String,
        /// Headers that go with it, each with the variable that holds its value.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        further: BTreeMap<String, String>,
        /// As at `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
    },
    /// A refresh token that buys access tokens and is replaced each time.
    OauthRefresh {
        /// The variable that holds the client's id.
        client_id: String,
        /// The variable that holds the client's secret.
        client_secret: String,
        /// The variable that names the file with the refresh token; the file is rewritten.
        refresh_token_file: String,
        /// Where tokens are bought; may have the address's words in `{}`.
        endpoint: String,
        /// How the client's id and secret travel.
        #[serde(default, skip_serializing_if = "ClientSecret::is_basic")]
        client: ClientSecret,
        /// As at `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
    },
    /// A service account that buys access tokens with its own id and secret.
    OauthClient {
        /// The variable that holds the client's id.
        client_id: String,
        /// The variable that holds the client's secret.
        client_secret: String,
        /// Where tokens are bought; may have the address's words in `{}`.
        endpoint: String,
        /// What is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// How the client's id and secret travel.
        #[serde(default, skip_serializing_if = "ClientSecret::is_basic")]
        client: ClientSecret,
        /// As at `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
    },
}

/// How a client's id and secret travel to where tokens are bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClientSecret {
    /// `Authorization: Basic …`, the rest as a form.
    #[default]
    Basic,
    /// In the form.
    Form,
    /// In a body of JSON.
    Json,
}

impl ClientSecret {
    /// Every value, by its word.
    pub const ALL: [(&str, Self); 3] = [("basic", Self::Basic), ("form", Self::Form), ("json", Self::Json)];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_basic(&self) -> bool {
        *self == Self::Basic
    }
}

impl Credential {
    /// The kinds, by the words of vendor.toml.
    pub const KINDS: [&str; 5] = ["bearer", "basic", "header", "oauth-refresh", "oauth-client"];

    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bearer { .. } => "bearer",
            Self::Basic { .. } => "basic",
            Self::Header { .. } => "header",
            Self::OauthRefresh { .. } => "oauth-refresh",
            Self::OauthClient { .. } => "oauth-client",
        }
    }

    /// The variables that must be set, in the order a person would set them.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Bearer { token, .. } => vec![token],
            Self::Basic { user, password, .. } => vec![user, password],
            Self::Header { value, further, .. } => {
                std::iter::once(value.as_str()).chain(further.values().map(String::as_str)).collect()
            }
            Self::OauthRefresh { client_id, client_secret, refresh_token_file, .. } => {
                vec![client_id, client_secret, refresh_token_file]
            }
            Self::OauthClient { client_id, client_secret, .. } => vec![client_id, client_secret],
        }
    }

    /// The names of the addresses at which it works; empty where it works at all.
    pub fn at(&self) -> &[String] {
        match self {
            Self::Bearer { at, .. }
            | Self::Basic { at, .. }
            | Self::Header { at, .. }
            | Self::OauthRefresh { at, .. }
            | Self::OauthClient { at, .. } => at,
        }
    }

    /// Whether it works at the address of this name.
    pub fn works_at(&self, address: &str) -> bool {
        self.at().is_empty() || self.at().iter().any(|name| name == address)
    }

    /// Where tokens are bought, for the kinds that buy some.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::OauthRefresh { endpoint, .. } | Self::OauthClient { endpoint, .. } => Some(endpoint),
            _ => None,
        }
    }
}

/// What to say when the vendor refuses in a way that tells of the connection and not of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The vendor's status. 401 and 403 are explained at every call, others by `doctor` only.
    pub status: u16,
    /// The names of the addresses at which it holds; all where it is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
    /// The kinds of credentials with which it holds; all where it is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// What the vendor's answer must hold, whatever the case of its letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The explanation, with a next step.
    pub say: String,
}

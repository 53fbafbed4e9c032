//! Variables → the credentials that a request carries, and explanations of a vendor's refusals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One kind of credential, as the names of the variables that hold the values. For each variable
/// `X`, `X_FILE` may name a file that holds the value instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer {
        /// The variable that holds the token.
        token: String,
        /// The names of the addresses at which it works; every address if missing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
        /// The security schemes of the descriptions that it carries; every scheme if missing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        schemes: Vec<String>,
    },
    /// `Authorization: Basic …`
    Basic {
        /// The variable that holds the user name.
        user: String,
        /// The variable that holds the password.
        password: String,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        schemes: Vec<String>,
    },
    /// Headers that the vendor defines.
    Header {
        /// The header's name.
        header: String,
        /// The variable that holds its value.
        value: String,
        /// How the value is written, with `{}` for it, such as `Token token={}`; as it is if missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<String>,
        /// Headers that are sent with it, each with the variable that holds its value.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        further: BTreeMap<String, String>,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        schemes: Vec<String>,
    },
    /// OAuth 2.0 refresh tokens: each issues an access token and is replaced by a new one.
    OauthRefresh {
        /// The variable that holds the client's id.
        client_id: String,
        /// The variable that holds the client's secret.
        client_secret: String,
        /// The variable that names the file with the refresh token; the file is rewritten.
        refresh_token_file: String,
        /// The token endpoint; may have the address's words in `{}`.
        endpoint: String,
        /// How the client's id and secret are sent.
        #[serde(default, skip_serializing_if = "ClientSecret::is_basic")]
        client: ClientSecret,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        schemes: Vec<String>,
    },
    /// OAuth 2.0 client credentials: a service account requests access tokens with its id and secret.
    OauthClient {
        /// The variable that holds the client's id.
        client_id: String,
        /// The variable that holds the client's secret.
        client_secret: String,
        /// The token endpoint; may have the address's words in `{}`.
        endpoint: String,
        /// The scopes to request, separated by spaces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// How the client's id and secret are sent.
        #[serde(default, skip_serializing_if = "ClientSecret::is_basic")]
        client: ClientSecret,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<String>,
        /// As for `bearer`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        schemes: Vec<String>,
    },
}

/// How a client's id and secret are sent to the token endpoint.
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
    /// Every value with its word in vendor.toml.
    pub const ALL: [(&str, Self); 3] = [("basic", Self::Basic), ("form", Self::Form), ("json", Self::Json)];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_basic(&self) -> bool {
        *self == Self::Basic
    }
}

/// Writes a value as a template says.
pub fn in_template(template: Option<&str>, value: &str) -> String {
    template.map_or_else(|| value.to_owned(), |template| template.replacen("{}", value, 1))
}

impl Credential {
    /// The words for the kinds in vendor.toml.
    pub const KINDS: [&str; 5] = ["bearer", "basic", "header", "oauth-refresh", "oauth-client"];

    /// Returns the word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bearer { .. } => "bearer",
            Self::Basic { .. } => "basic",
            Self::Header { .. } => "header",
            Self::OauthRefresh { .. } => "oauth-refresh",
            Self::OauthClient { .. } => "oauth-client",
        }
    }

    /// The variables that must be set, in the order in which a user sets them.
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

    /// The variables of it that hold a secret; a name, an id and the path of a file are none.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Bearer { .. } | Self::Header { .. } => self.variables(),
            Self::Basic { password, .. } => vec![password],
            Self::OauthRefresh { client_secret, .. } | Self::OauthClient { client_secret, .. } => vec![client_secret],
        }
    }

    /// The names of the addresses at which it works; empty if it works at every address.
    pub fn at(&self) -> &[String] {
        match self {
            Self::Bearer { at, .. }
            | Self::Basic { at, .. }
            | Self::Header { at, .. }
            | Self::OauthRefresh { at, .. }
            | Self::OauthClient { at, .. } => at,
        }
    }

    /// The security schemes that it carries; empty if it serves for every operation.
    pub fn schemes(&self) -> &[String] {
        match self {
            Self::Bearer { schemes, .. }
            | Self::Basic { schemes, .. }
            | Self::Header { schemes, .. }
            | Self::OauthRefresh { schemes, .. }
            | Self::OauthClient { schemes, .. } => schemes,
        }
    }

    /// Returns whether it works at the address of this name.
    pub fn works_at(&self, address: &str) -> bool {
        self.at().is_empty() || self.at().iter().any(|name| name == address)
    }

    /// The headers that it defines in place of `Authorization`.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let own = match self {
            Self::Header { header, further, .. } => Some((header, further)),
            _ => None,
        };
        own.into_iter().flat_map(|(header, further)| std::iter::once(header).chain(further.keys()).map(String::as_str))
    }

    /// Returns the token endpoint of the OAuth kinds.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::OauthRefresh { endpoint, .. } | Self::OauthClient { endpoint, .. } => Some(endpoint),
            _ => None,
        }
    }
}

/// What a caller over HTTP may bring as `Authorization: Bearer …` in place of the server's own credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Inbound {
    /// What the vendor calls it, such as `API token`.
    pub token: String,
    /// What every such token begins with; without it, any token that no other vendor's beginning fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<String>,
    /// The header that carries it to the vendor; `Authorization: Bearer …` if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The names of the addresses at which it works; every address if missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
}

impl Inbound {
    /// Returns whether it works at the address of this name.
    pub fn works_at(&self, address: &str) -> bool {
        self.at.is_empty() || self.at.iter().any(|name| name == address)
    }

    /// An example of the header by which a caller brings it.
    pub fn example(&self) -> String {
        format!("Authorization: Bearer {}…", self.begins.as_deref().unwrap_or_default())
    }
}

/// The explanation of a refusal that concerns the connection and not the single call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The status of the answer. 401 and 403 are explained at every call; any other where the answer
    /// is a web page or empty, or where the call names no id: then only the address can be wrong.
    pub status: u16,
    /// The names of the addresses for which it holds; every address if missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
    /// The APIs for which it holds, by the names of their files; every API if missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apis: Vec<String>,
    /// The kinds of credentials for which it holds; every kind if missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// A text that the answer must contain; upper and lower case are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The explanation, with a next step.
    pub say: String,
}

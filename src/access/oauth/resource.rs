//! A server's address and who issues tokens for it → what clients are told of both: the metadata of RFC 9728, and challenges.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::access::{Admitted, Grant, Refusal, Scopes};

/// The path of the resource: where MCP is served.
pub const RESOURCE_PATH: &str = "/mcp";
/// Where its metadata is, followed by the path of the resource.
const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// What access tokens are issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedResource {
    /// Scheme, host and port at which clients reach the server.
    origin: String,
    /// Who issues tokens.
    issuer: String,
    /// The scopes that a client can ask for; empty where tokens need none.
    scopes: Scopes,
}

impl ProtectedResource {
    /// The resource of a server at `origin`, such as `https://mcp.example.com`, for which `issuer` issues tokens with these
    /// scopes.
    pub fn new(origin: &str, issuer: &str, scopes: Scopes) -> Self {
        Self { origin: origin.trim_end_matches('/').to_owned(), issuer: issuer.to_owned(), scopes }
    }

    /// Its identifier, which is the audience of its tokens.
    pub fn identifier(&self) -> String {
        format!("{}{RESOURCE_PATH}", self.origin)
    }

    /// Scheme, host and port at which clients reach the server.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The scopes that a client can ask for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Where its metadata is.
    pub fn metadata_url(&self) -> String {
        format!("{}{METADATA_PATH}{RESOURCE_PATH}", self.origin)
    }

    /// The paths at which its metadata is served: the exact one, and that of the whole server, where some clients look.
    pub fn metadata_paths() -> [String; 2] {
        [format!("{METADATA_PATH}{RESOURCE_PATH}"), METADATA_PATH.to_owned()]
    }

    /// Its metadata.
    pub fn metadata(&self) -> Value {
        let mut metadata = json!({
            "resource": self.identifier(),
            "authorization_servers": [self.issuer],
            "bearer_methods_supported": ["header"],
            "resource_name": "Toolwright",
        });
        if !self.scopes.is_empty() {
            metadata["scopes_supported"] = json!(self.scopes.words());
        }
        metadata
    }

    /// The challenge to a request without a token.
    pub fn challenge(&self) -> String {
        format!("Bearer realm=\"toolwright\", resource_metadata=\"{}\"", self.metadata_url())
    }

    /// The refusal of a token, for a reason in plain words.
    pub fn invalid_token(&self, reason: &str) -> Refusal {
        let challenge = format!("{}, error=\"invalid_token\", error_description=\"{reason}\"", self.challenge());
        Refusal::Unauthorized {
            challenge: challenge.into(),
            text: format!("the access token is not taken: {reason}\nhint: have your client sign in again"),
        }
    }

    /// The refusal of a token that lacks scopes. `needed` are all that the request takes, and those that the token has, so
    /// that a client that asks for them loses none.
    pub fn insufficient_scope(&self, needed: &Scopes) -> Refusal {
        let challenge = format!("{}, error=\"insufficient_scope\", scope=\"{needed}\"", self.challenge());
        Refusal::Forbidden {
            challenge: Some(challenge),
            text: format!("the access token has not all scopes that this needs: `{needed}`"),
        }
    }
}

/// What a caller could have with more scopes than those of its token.
#[derive(Debug)]
pub struct ScopeLimits {
    /// What it may do whatever its scopes.
    pub(in crate::access) whole: Arc<Grant>,
    /// The scopes of its token.
    pub(in crate::access) granted: Scopes,
    /// For the challenge.
    pub(in crate::access) resource: Arc<ProtectedResource>,
}

impl Admitted {
    /// The refusal of a tool that only scopes keep from the caller.
    pub fn lacks_scopes(&self, tool: &str) -> Option<Refusal> {
        let limits = self.scopes.as_ref()?;
        let entry = self.grant.catalog().get(tool)?;
        if self.grant.decide(entry).is_ok() || limits.whole.decide(entry).is_err() {
            return None;
        }
        let needed = Scopes::needed_for(entry, self.grant.catalog());
        Some(limits.resource.insufficient_scope(&limits.granted.with(&needed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_challenge_name_the_same_exact_address() {
        let resource =
            ProtectedResource::new("https://mcp.example.com:8443/", "https://id.example.com/", Scopes::default());
        assert_eq!(resource.identifier(), "https://mcp.example.com:8443/mcp");
        let at = "https://mcp.example.com:8443/.well-known/oauth-protected-resource/mcp";
        assert_eq!(resource.metadata_url(), at);
        assert_eq!(resource.challenge(), format!("Bearer realm=\"toolwright\", resource_metadata=\"{at}\""));
        assert_eq!(resource.metadata()["authorization_servers"][0], "https://id.example.com/");
        assert!(resource.metadata().get("scopes_supported").is_none());
    }
}

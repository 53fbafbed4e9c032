//! An OAuth access token in `Authorization: Bearer …` → who calls and what they may. This server is the protected resource
//! (RFC 9728): it takes tokens that were issued for its own address (RFC 8707), by the company's identity provider or by its
//! own authorization server.
//!
//! Tokens of the provider are verified with `ring`, which is in this program anyway. The crates for JSON Web Tokens bring a
//! second implementation of cryptography, and can't read times where numbers keep their text, as they do in this program.

mod authorization_server;
mod claim_grants;
mod client_documents;
mod clients;
mod issued_tokens;
mod issuer;
mod issuer_tokens;
mod keys;
mod provider_login;
mod redirects;
mod relying_party;
mod request;
mod resource;
mod signed_token;

pub use authorization_server::{AuthorizationServer, Giver, Question, TokenError};
pub use claim_grants::{ClaimGrants, GrantsInUse};
pub use issued_tokens::IssuedTokens;
pub use issuer::Issuer;
pub use issuer_tokens::IssuerTokens;
pub use provider_login::{LOGIN_CALLBACK, NotAllowed, ProviderLogin};
pub use redirects::RedirectHosts;
pub use relying_party::{NotSignedIn, Person, RelyingParty, SIGN_IN_WITHIN, SignIn};
pub use request::{AuthorizationRequest, NotAsked};
pub use resource::{ProtectedResource, RESOURCE_PATH, ScopeLimits};

//! A request's path and headers → who calls and what they may, or why the request is not served.
//!
//! A [`Mode`] is a way in which callers show who they are. A request is served by the mode that it is for, with what that
//! mode returns, and by no other: what a request carries and no mode uses is refused, so that no request is served with
//! another caller's credentials.

mod caller;
mod gate;
mod grant;
pub mod links;
mod narrowing;
pub mod oauth;
mod scopes;
mod token_standing;
mod vendor_token;

pub use caller::{CredentialsDigest, Principal};
pub use gate::{Access, Admission, Admitted, BroughtCredentials, Mode, Presented, Recheck, Refusal, Standing};
pub use grant::{Grant, GrantTerms, ServerPolicy, ToolSet};
pub use narrowing::Narrowing;
pub use scopes::Scopes;
pub use vendor_token::VendorTokens;

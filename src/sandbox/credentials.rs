//! The security schemes of an operation and a request → whether its credentials are accepted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE};

use super::problem::RequestProblem;
use super::table::SecurityScheme;
use super::text::{self, EncodedPair, header};

/// The credential that is refused, so that tests can see a refusal.
const WRONG: &str = "wrong";

/// Whether a request holds the credential of one scheme.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CredentialState {
    Missing,
    Wrong,
    Accepted,
}

impl CredentialState {
    fn of(secret: &str) -> Self {
        match secret {
            "" => Self::Missing,
            WRONG => Self::Wrong,
            _ => Self::Accepted,
        }
    }
}

/// Returns the problem with the request's credentials. Every alternative is examined, so that a wrong credential is
/// refused even where none is required.
pub(super) fn problem(
    security: &[SecurityScheme],
    headers: &HeaderMap,
    pairs: &mut [EncodedPair<'_>],
) -> Option<RequestProblem> {
    let states: Vec<CredentialState> = security.iter().map(|scheme| state(scheme, headers, pairs)).collect();
    if states.contains(&CredentialState::Wrong) {
        return Some(RequestProblem::new("credentials", "are wrong"));
    }
    if states.is_empty()
        || states.contains(&CredentialState::Accepted)
        || security.iter().any(|scheme| matches!(scheme, SecurityScheme::None))
    {
        return None;
    }
    let expected: Vec<String> = security.iter().map(name).collect();
    Some(RequestProblem::new("credentials", format!("are missing; expected {}", expected.join(" or "))))
}

fn state(scheme: &SecurityScheme, headers: &HeaderMap, pairs: &mut [EncodedPair<'_>]) -> CredentialState {
    match scheme {
        SecurityScheme::Bearer => {
            authorization(headers, "bearer").map_or(CredentialState::Missing, |token| CredentialState::of(&token))
        }
        SecurityScheme::Basic => authorization(headers, "basic").map_or(CredentialState::Missing, |encoded| {
            let decoded = STANDARD.decode(encoded.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            match decoded.as_deref().and_then(|text| text.split_once(':')) {
                Some((_, WRONG)) | None => CredentialState::Wrong,
                Some(("", "")) => CredentialState::Missing,
                Some(_) => CredentialState::Accepted,
            }
        }),
        SecurityScheme::Header { name, prefix: None } => {
            header(headers, name).map_or(CredentialState::Missing, |text| CredentialState::of(text.trim()))
        }
        SecurityScheme::Header { name: _, prefix: Some(prefix) } => {
            authorization(headers, prefix).map_or(CredentialState::Missing, |text| CredentialState::of(&text))
        }
        SecurityScheme::Query { name } => {
            pairs.iter_mut().find(|pair| pair.key == *name).map_or(CredentialState::Missing, |pair| {
                pair.used = true;
                CredentialState::of(&pair.text)
            })
        }
        SecurityScheme::Cookie { name } => {
            let cookies = header(headers, COOKIE.as_str()).unwrap_or_default();
            let found = text::cookies(&cookies).into_iter().find(|pair| pair.key == *name);
            found.map_or(CredentialState::Missing, |pair| CredentialState::of(&pair.text))
        }
        SecurityScheme::All { of } => {
            let states: Vec<CredentialState> = of.iter().map(|scheme| state(scheme, headers, pairs)).collect();
            [CredentialState::Wrong, CredentialState::Missing]
                .into_iter()
                .find(|bad| states.contains(bad))
                .unwrap_or(CredentialState::Accepted)
        }
        SecurityScheme::None => CredentialState::Missing,
    }
}

/// Returns what follows the scheme in the `Authorization` header.
fn authorization(headers: &HeaderMap, scheme: &str) -> Option<String> {
    let text = header(headers, AUTHORIZATION.as_str())?;
    let (found, secret) = text.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| secret.trim().to_owned())
}

fn name(scheme: &SecurityScheme) -> String {
    match scheme {
        SecurityScheme::Bearer => "`Authorization: Bearer …`".to_owned(),
        SecurityScheme::Basic => "`Authorization: Basic …`".to_owned(),
        SecurityScheme::Header { name, prefix: None } => format!("the header `{name}`"),
        SecurityScheme::Header { name, prefix: Some(prefix) } => format!("`{name}: {prefix} …`"),
        SecurityScheme::Query { name } => format!("the query parameter `{name}`"),
        SecurityScheme::Cookie { name } => format!("the cookie `{name}`"),
        SecurityScheme::All { of } => of.iter().map(name).collect::<Vec<_>>().join(" with "),
        SecurityScheme::None => "nothing".to_owned(),
    }
}

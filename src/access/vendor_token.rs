//! A vendor's token in `Authorization: Bearer …` → its bearer, who acts at that vendor with it. The address stays the
//! server's. The token is used for the request that brings it and is kept nowhere: what is kept is keyed by its hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HeaderName};

use super::caller::{CredentialsDigest, Principal};
use super::gate::{Admission, Admitted, BroughtCredentials, Mode, Presented, Refusal};
use super::grant::{Grant, ServerPolicy};
use super::token_standing::{BroughtTokens, TokenStanding};
use crate::upstream::Credentials;
use toolwright_model::{Inbound, Vendor};

/// The longest token that is taken, in bytes.
const LONGEST: usize = 8 * 1024;

/// Callers that bring tokens of vendors.
#[derive(Debug)]
pub struct VendorTokens {
    /// The vendors whose tokens are taken.
    served: Vec<Served>,
    /// The beginnings of tokens of vendors that are compiled in: a token is sent to no other vendor.
    beginnings: Vec<(String, String)>,
    /// Headers in which vendors take their tokens, but this server does not.
    headers: Vec<HeaderName>,
}

#[derive(Debug)]
struct Served {
    vendor: String,
    title: String,
    inbound: Inbound,
    grant: Arc<Grant>,
    tokens: Arc<BroughtTokens>,
}

impl VendorTokens {
    /// Takes the tokens of the vendors that `accounts` names an account for, whose address they are sent to; each caller
    /// may do what the server offers of that vendor. `None` where no vendor among them takes tokens of callers, or nothing is
    /// offered of those.
    pub fn new(policy: &ServerPolicy, accounts: &BTreeMap<String, String>) -> Option<Self> {
        let vendors = policy.catalog().vendors();
        let served = vendors.iter().filter_map(|vendor| {
            let account = accounts.get(&vendor.id)?;
            let grant = policy.whole(&format!("{} tokens", vendor.id), [(vendor.id.clone(), account.clone())].into());
            let inbound = vendor.inbound.clone().filter(|_| !grant.offered().is_empty())?;
            Some(Served {
                vendor: vendor.id.clone(),
                title: vendor.title.clone(),
                inbound,
                grant: Arc::new(grant),
                tokens: Arc::default(),
            })
        });
        let served: Vec<Served> = served.collect();
        let begins = |vendor: &Vendor| Some((vendor.inbound.as_ref()?.begins.clone()?, vendor.title.clone()));
        let headers = served.iter().filter_map(|served| served.inbound.header.as_ref()?.parse().ok());
        let headers = headers.filter(|name| *name != AUTHORIZATION).collect();
        (!served.is_empty()).then(|| Self { beginnings: vendors.iter().filter_map(begins).collect(), headers, served })
    }

    /// Returns whose token this is, by its form and by the vendor that the address names.
    fn vendor_of(&self, token: &str, named: Option<&str>) -> Result<&Served, Refusal> {
        let begins = self.beginnings.iter().find(|(beginning, _)| token.starts_with(beginning.as_str()));
        let fits = |served: &&Served| match (&served.inbound.begins, begins) {
            (Some(own), Some((beginning, _))) => own == beginning,
            (None, None) => true,
            _ => false,
        };
        let mut fitting = self.served.iter().filter(fits).filter(|it| named.is_none_or(|named| named == it.vendor));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(Refusal::unauthorized(format!(
                "the token does not show which vendor issued it, and this server serves several\n\
                 hint: connect to {}",
                self.addresses()
            ))),
            (None, _) => Err(self.not_served(begins.map(|(_, title)| title.as_str()))),
        }
    }

    fn not_served(&self, issued_by: Option<&str>) -> Refusal {
        let found = issued_by.map_or_else(
            || "the token is of none of the vendors that are served here".to_owned(),
            |title| format!("the token is one of {title}, which is not what this address serves"),
        );
        Refusal::unauthorized(format!("{found}\nhint: {}", self.way()))
    }

    /// The addresses that name each vendor.
    fn addresses(&self) -> String {
        let addresses: Vec<String> =
            self.served.iter().map(|served| format!("`/mcp?vendor={}` with {}", served.vendor, of(served))).collect();
        addresses.join(" or ")
    }

    fn decide(&self, presented: Presented<'_>) -> Result<Admitted, Refusal> {
        let wrong_header = self.headers.iter().find(|name| presented.headers.contains_key(*name));
        if let Some(name) = wrong_header {
            return Err(Refusal::unauthorized(format!(
                "`{name}` is not how this server takes a key\nhint: {}; leave `{name}` out",
                self.way()
            )));
        }
        let token = presented.bearer().filter(|token| token.len() <= LONGEST);
        let Some(token) = token else {
            let reason = "`Authorization` is not a single `Bearer` token";
            return Err(Refusal::unauthorized(format!("{reason}\nhint: {}", self.way())));
        };
        let served = self.vendor_of(token, presented.vendor)?;
        let credentials = match &served.inbound.header {
            Some(header) => Credentials::headers(std::iter::once((header.as_str(), token))),
            None => Credentials::bearer(token),
        };
        let Ok(credentials) = credentials else {
            return Err(Refusal::unauthorized(format!("the token has characters that none has\nhint: {}", self.way())));
        };
        let standing = TokenStanding::new(&served.tokens, CredentialsDigest::of(token.as_bytes()));
        Ok(Admitted {
            principal: Principal::of_token(&served.vendor, token),
            grant: Arc::clone(&served.grant),
            brought: Some(Arc::new(BroughtCredentials { vendor: served.vendor.clone(), credentials, standing })),
            recheck: None,
            scopes: None,
        })
    }
}

/// What a vendor's token is called.
fn of(served: &Served) -> String {
    let article =
        if served.inbound.token.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {} of {}", served.inbound.token, served.title)
}

impl Mode for VendorTokens {
    fn takes(&self, presented: Presented<'_>) -> bool {
        let has_key = || self.headers.iter().any(|name| presented.headers.contains_key(name));
        presented.link.is_none() && (presented.has_authorization() || has_key())
    }

    fn admit<'a>(&'a self, presented: Presented<'a>) -> Admission<'a> {
        let decided = self.decide(presented);
        Box::pin(async { decided })
    }

    fn way(&self) -> String {
        let ways: Vec<String> =
            self.served.iter().map(|served| format!("`{}` with {}", served.inbound.example(), of(served))).collect();
        format!("send {}", ways.join(", or "))
    }
}

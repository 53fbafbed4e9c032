//! `[[grants]]` of toolwright.toml and the claims of a person → what the person may do, by the first entry that fits. The entries
//! can be replaced while requests are served: each request asks those that are in use when it comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::signed_token::Claims;
use crate::access::{CredentialsDigest, Grant, GrantTerms, Narrowing, Refusal, ServerPolicy};
use crate::error::ConfigError;
use toolwright_model::ClaimGrant;

/// How many grants are kept: one for each entry and list of scopes that came, and for each authorization that is narrowed.
const MOST_GRANTS: usize = 1_024;

/// The entries that are in use. Cheap to clone: all clones have the same.
#[derive(Debug, Clone)]
pub struct GrantsInUse(Arc<RwLock<Arc<ClaimGrants>>>);

/// The entries, in the order of the file.
#[derive(Debug)]
pub struct ClaimGrants {
    entries: Vec<Entry>,
    policy: ServerPolicy,
    /// Grants by their ids, which differ wherever the terms do.
    made: Mutex<HashMap<String, Arc<Grant>>>,
}

impl GrantsInUse {
    /// Uses these entries.
    pub fn new(grants: ClaimGrants) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(grants))))
    }

    /// Uses these entries from the next request on, in place of the others.
    pub fn replace(&self, grants: ClaimGrants) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(grants);
    }

    /// The entries that are in use now.
    pub(super) fn now(&self) -> Arc<ClaimGrants> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Entry {
    claims: BTreeMap<String, Vec<String>>,
    email_domain: Option<String>,
    terms: GrantTerms,
}

impl ClaimGrants {
    /// Checks the entries; `accounts` has the vendor of each account of the server.
    ///
    /// # Errors
    /// There is none; one fits every token, or names an account, a tag, a tool that is not there.
    pub fn new(
        entries: &[ClaimGrant],
        accounts: &BTreeMap<String, String>,
        policy: &ServerPolicy,
    ) -> Result<Self, ConfigError> {
        if entries.is_empty() {
            return Err(ConfigError::new(
                "`--issuer` and `[oauth.login]` need `[[grants]]` in toolwright.toml: they state what those may do who sign in\n\
                 hint: such as `[[grants]]`, `name = \"help desk\"`, `claims = { groups = [\"helpdesk\"] }`, `accounts = [\"jsm\"]`",
            ));
        }
        let entries = entries.iter().map(|entry| Entry::read(entry, accounts, policy)).collect::<Result<_, _>>()?;
        Ok(Self { entries, policy: policy.clone(), made: Mutex::default() })
    }

    /// The terms for a person with these claims, if an entry fits.
    pub(super) fn of(&self, claims: &Claims) -> Option<&GrantTerms> {
        self.entries.iter().find(|entry| entry.fits(claims)).map(|entry| &entry.terms)
    }

    /// The claims that the entries name, with those that a JSON Pointer reaches into.
    pub(super) fn named_claims(&self) -> BTreeSet<&str> {
        let names = self.entries.iter().flat_map(|entry| entry.claims.keys()).map(String::as_str);
        names.flat_map(|name| [Some(name), pointed_into(name)]).flatten().collect()
    }

    /// The grant of these terms, whose id tells them from all others.
    pub(super) fn grant(&self, terms: GrantTerms) -> Result<Arc<Grant>, Refusal> {
        let made = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(grant) = made().get(&terms.id) {
            return Ok(Arc::clone(grant));
        }
        let id = terms.id.clone();
        // The entries were checked when they were read.
        let grant = self.policy.grant(terms).map_err(|error| Refusal::Unavailable(error.to_string()))?;
        let grant = Arc::new(grant);
        let mut made = made();
        if made.len() >= MOST_GRANTS {
            made.clear();
        }
        made.insert(id, Arc::clone(&grant));
        Ok(grant)
    }
}

impl Entry {
    fn read(
        entry: &ClaimGrant,
        accounts: &BTreeMap<String, String>,
        policy: &ServerPolicy,
    ) -> Result<Self, ConfigError> {
        let ClaimGrant { name, claims, email_domain, methods, tags, tools, exclude, allow, .. } = entry.clone();
        let wrong = |what: String| ConfigError::new(format!("the entry `{name}` of `[[grants]]` {what}"));
        let email_domain = email_domain.map(|domain| domain.trim_start_matches('@').to_ascii_lowercase());
        let has_empty = claims.values().any(Vec::is_empty) || email_domain.as_ref().is_some_and(String::is_empty);
        if has_empty || claims.is_empty() && email_domain.is_none() {
            return Err(wrong(
                "fits every token, or none\nhint: `claims = { groups = [\"helpdesk\"] }` or `email_domain = \"example.com\"`"
                    .to_owned(),
            ));
        }
        let mut of_vendors = BTreeMap::new();
        for account in &entry.accounts {
            let Some(vendor) = accounts.get(account) else {
                let known: Vec<&str> = accounts.keys().map(String::as_str).collect();
                return Err(wrong(format!(
                    "names the account `{account}`, which this server does not have\nhint: there are {}",
                    known.join(", ")
                )));
            };
            if let Some(other) = of_vendors.insert(vendor.clone(), account.clone()) {
                return Err(wrong(format!("names two accounts of one vendor: `{other}` and `{account}`")));
            }
        }
        let narrowing = Narrowing { methods, tags, tools, exclude, allow };
        // What is kept for a grant is kept by its id: an entry that is changed must have another.
        let id = format!("grants {name} {}", digest(&of_vendors, &narrowing));
        let terms = GrantTerms { id, accounts: of_vendors, narrowings: vec![narrowing], ..GrantTerms::default() };
        let grant = policy.grant(GrantTerms { name: name.clone(), ..terms.clone() });
        if grant.map_err(|error| wrong(format!("can't be used: {error}")))?.offered().is_empty() {
            return Err(wrong("offers no tool of this server".to_owned()));
        }
        Ok(Self { claims, email_domain, terms: GrantTerms { name: name.clone(), ..terms } })
    }

    /// Whether its claims and its domain are those of a person.
    fn fits(&self, claims: &Claims) -> bool {
        let has = |(name, values): (&String, &Vec<String>)| {
            claims.texts(name).iter().any(|text| values.iter().any(|value| value == text))
        };
        let is_of_domain = |domain: &String| {
            let of_address = claims.email().and_then(|email| email.rsplit_once('@'));
            of_address.is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain))
        };
        self.claims.iter().all(has) && self.email_domain.as_ref().is_none_or(is_of_domain)
    }
}

/// The claim that a JSON Pointer reaches into.
fn pointed_into(name: &str) -> Option<&str> {
    name.strip_prefix('/')?.split_once('/').map(|(first, _)| first)
}

/// The digest of what an entry permits.
fn digest(accounts: &BTreeMap<String, String>, narrowing: &Narrowing) -> String {
    // Text and lists of text can't fail.
    let text = serde_json::to_string(&(accounts, narrowing)).unwrap_or_default();
    CredentialsDigest::of(text.as_bytes()).whole()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_entry_fits_a_token_with_each_of_its_claims() {
        let entry = |claims: &[(&str, &[&str])], email_domain: Option<&str>| Entry {
            claims: claims
                .iter()
                .map(|(name, values)| ((*name).to_owned(), values.iter().map(|it| (*it).to_owned()).collect()))
                .collect(),
            email_domain: email_domain.map(str::to_owned),
            terms: GrantTerms::default(),
        };
        let ann = json!({
            "groups": ["staff", "helpdesk"], "department": "it", "email": "ann@Example.com", "email_verified": true,
            "realm_access": {"roles": ["agent"]}, "https://acme/role": "lead"
        });
        let unverified = json!({"email": "ann@example.com"});
        let pretended = json!({"email": "ann@example.com", "email_verified": "true"});
        for (entry, claims, expected) in [
            (entry(&[("groups", &["helpdesk"])], None), &ann, true),
            (entry(&[("groups", &["admins", "staff"])], None), &ann, true),
            (entry(&[("groups", &["help"])], None), &ann, false),
            (entry(&[("groups", &["helpdesk"]), ("department", &["it"])], None), &ann, true),
            (entry(&[("groups", &["helpdesk"]), ("department", &["hr"])], None), &ann, false),
            (entry(&[("/realm_access/roles", &["agent"])], None), &ann, true),
            (entry(&[("https://acme/role", &["lead"])], None), &ann, true),
            (entry(&[("missing", &["x"])], None), &ann, false),
            (entry(&[], Some("example.com")), &ann, true),
            (entry(&[], Some("ample.com")), &ann, false),
            (entry(&[("groups", &["helpdesk"])], Some("example.org")), &ann, false),
            (entry(&[], Some("example.com")), &unverified, false),
            (entry(&[], Some("example.com")), &pretended, false),
        ] {
            let Value::Object(all) = claims.clone() else { continue };
            let claims = Claims { subject: "ann".to_owned(), expires: SystemTime::UNIX_EPOCH, all };
            assert_eq!(entry.fits(&claims), expected, "{entry:?}");
        }
    }
}

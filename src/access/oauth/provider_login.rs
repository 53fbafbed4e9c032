//! A person who has signed in at the company's identity provider → what `[[grants]]` permit the person, which is put to them as
//! what they can give a client; and at each later request, what of that the entries still permit.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use url::Url;

use super::authorization_server::{AuthorizationServer, Giver, Question};
use super::claim_grants::GrantsInUse;
use super::relying_party::{NotSignedIn, Person, RelyingParty, SIGN_IN_WITHIN, SignIn};
use super::request::AuthorizationRequest;
use super::resource::ProtectedResource;
use super::signed_token::Claims;
use crate::access::links::{AuthorizedClient, LinkTerms, SignedInPerson};
use crate::access::{Grant, GrantTerms, Refusal};
use crate::store::{self, StoreError, TokenDigest};

/// The path at which the provider sends browsers back.
pub const LOGIN_CALLBACK: &str = "/authorize/callback";
/// The claims that are kept whatever the entries name.
const ALWAYS_KEPT: [&str; 2] = ["email", "email_verified"];

/// How people sign in who allow a client.
pub struct ProviderLogin {
    party: RelyingParty,
    grants: GrantsInUse,
    /// How long what they allow lasts at most.
    lasts: Duration,
}

impl fmt::Debug for ProviderLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderLogin").field("party", &self.party).field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

/// Who is asked to allow a client, as the store has it until the answer comes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedPerson {
    pub(super) name: String,
    pub(super) terms: LinkTerms,
}

/// Why a person who has come back from the provider is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAllowed {
    /// Nobody has signed in.
    NotSignedIn(NotSignedIn),
    /// `[[grants]]` permit nothing to the person with this name.
    NothingPermitted(String),
    /// The store can't be reached, or the grant can't be made.
    Unavailable(String),
}

impl From<StoreError> for NotAllowed {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl ProviderLogin {
    /// Has people sign in at a provider. What they allow is what the entries permit them, for `lasts` at most: nobody revokes it
    /// by a link.
    pub fn new(party: RelyingParty, grants: GrantsInUse, lasts: Duration) -> Self {
        Self { party, grants, lasts }
    }

    /// The host of the provider, for people.
    pub fn host(&self) -> String {
        let issuer = Url::parse(self.party.issuer()).ok();
        issuer.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    pub(super) fn lasts(&self) -> Duration {
        self.lasts
    }

    /// What the entries permit a person, and the grant of it; `None`: nothing.
    fn permitted(&self, person: &Person) -> Result<Option<(LinkTerms, Arc<Grant>)>, Refusal> {
        let entries = self.grants.now();
        let Some(terms) = entries.of(&person.claims) else { return Ok(None) };
        let grant = entries.grant(terms.clone())?;
        let asked: BTreeSet<String> =
            entries.named_claims().into_iter().chain(ALWAYS_KEPT).map(str::to_owned).collect();
        let all = person.claims.all.iter().filter(|(name, _)| asked.contains(*name));
        let claims = all.map(|(name, value)| (name.clone(), value.clone())).collect();
        let (issuer, subject) = (self.party.issuer().to_owned(), person.subject().to_owned());
        let signed_in = SignedInPerson { issuer, subject, asked, claims };
        let (accounts, narrowings) = (terms.accounts.clone(), terms.narrowings.clone());
        Ok(Some((LinkTerms { accounts, narrowings, scopes: None, person: Some(signed_in) }, grant)))
    }

    /// What of an authorization the entries that are in use still permit: no more than was allowed, and no more than they permit
    /// now.
    fn held(&self, client: AuthorizedClient, resource: &ProtectedResource) -> Result<AuthorizedClient, Refusal> {
        let Some(person) = &client.terms.person else { return Ok(client) };
        if person.issuer != self.party.issuer() {
            return Err(resource.invalid_token("people sign in at another provider now"));
        }
        let entries = self.grants.now();
        // Whether an entry fits can't be known where it names a claim that was not kept.
        if !entries.named_claims().into_iter().all(|name| person.asked.contains(name)) {
            return Err(resource.invalid_token("what decides about it was changed since you have signed in"));
        }
        let (subject, expires) = (person.subject.clone(), SystemTime::UNIX_EPOCH);
        let claims = Claims { subject, expires, all: person.claims.clone() };
        let Some(terms) = entries.of(&claims) else {
            return Err(resource.invalid_token("this server permits nothing to you any more"));
        };
        if client.terms.accounts == terms.accounts && client.terms.narrowings.first() == terms.narrowings.first() {
            return Ok(client);
        }
        let narrowed = |what: &str, grant: &Grant| {
            let mut own: GrantTerms = grant.terms().clone();
            own.accounts.retain(|vendor, account| terms.accounts.get(vendor) == Some(account));
            own.narrowings.extend(terms.narrowings.iter().cloned());
            own.id = format!("{} {what} {}", client.id, terms.id);
            entries.grant(own)
        };
        let grant = narrowed("narrowed", &client.grant)?;
        let scopes = match &client.scopes {
            Some((scopes, whole)) => Some((scopes.clone(), narrowed("without scopes", whole)?)),
            None => None,
        };
        Ok(AuthorizedClient { grant, scopes, ..client })
    }
}

/// What of an authorization still holds, where it was given by a person who has signed in.
pub(super) fn current(
    login: Option<&ProviderLogin>,
    client: AuthorizedClient,
    resource: &ProtectedResource,
) -> Result<AuthorizedClient, Refusal> {
    match login {
        Some(login) => login.held(client, resource),
        None if client.terms.person.is_some() => Err(resource.invalid_token("people don't sign in here any more")),
        None => Ok(client),
    }
}

impl AuthorizationServer {
    /// Begins to sign in a person who is to allow what a client asks for, in this browser. Returns what the browser keeps, and
    /// where it goes; `None` where nobody signs in here.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn begin_login(
        &self,
        request: &AuthorizationRequest,
        browser: &str,
    ) -> Result<Option<(SignIn, String)>, StoreError> {
        let Some(login) = self.login() else { return Ok(None) };
        let sign_in = SignIn::begin()?;
        let request = serde_json::to_string(request).map_err(|error| StoreError::Refused(error.to_string()))?;
        let begun = store::Login {
            sign_in: TokenDigest::of(sign_in.kept()),
            browser: TokenDigest::of(browser),
            request,
            expires: self.now() + SIGN_IN_WITHIN,
        };
        self.store().create_login(&begun).await?;
        let address = login.party.address(&sign_in);
        Ok(Some((sign_in, address)))
    }

    /// Makes the question for a person who comes back from the provider with this query, once, in the browser that began it.
    ///
    /// # Errors
    /// Nobody has signed in, or the person is permitted nothing.
    pub async fn end_login(&self, sign_in: &SignIn, query: &str, browser: &str) -> Result<Question, NotAllowed> {
        let not_begun = || NotAllowed::NotSignedIn(NotSignedIn::NotBegun);
        let login = self.login().ok_or_else(not_begun)?;
        // Before it is taken: another page can lead the browser here, and must not end what is under way.
        if !sign_in.is_answered_by(query) {
            return Err(not_begun());
        }
        let (kept, browser) = (TokenDigest::of(sign_in.kept()), TokenDigest::of(browser));
        let taken = self.store().take_login(kept, browser, self.now()).await?;
        let request = taken.and_then(|text| serde_json::from_str::<AuthorizationRequest>(&text).ok());
        let request = request.ok_or_else(not_begun)?;
        let person = login.party.person(Some(sign_in), query, self.now()).await.map_err(NotAllowed::NotSignedIn)?;
        let name = person.name();
        let permitted =
            login.permitted(&person).map_err(|refusal| NotAllowed::Unavailable(refusal.text().to_owned()))?;
        let Some((terms, grant)) = permitted else { return Err(NotAllowed::NothingPermitted(name)) };
        let asked = AskedPerson { name: name.clone(), terms };
        let text = serde_json::to_string(&asked).map_err(|error| NotAllowed::Unavailable(error.to_string()))?;
        let ticket = self.ask(&request, store::Giver::Person(text), browser).await?;
        let ends = Some(self.now() + login.lasts);
        Ok(self.asked(ticket, request, Giver::Person(name), grant, ends))
    }
}

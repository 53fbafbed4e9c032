//! What an administrator asks for → a link: its token, which is shown once, and its row. A link that is wider than what it
//! is made from, the server's selection or another link, is refused, since its bearer would miss what was promised.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::known::DEEPEST;
use crate::access::{GrantTerms, Narrowing};
use crate::catalog::{Catalog, CatalogEntry};
use crate::error::{Audience, ConfigError};
use crate::policy::{RefusalReason, SelectionRefusal};
use crate::store::{AdminToken, Store, StoreError, StoredLink, TokenDigest};
use toolwright_model::ALL_TAGS;

/// The beginning of a second token: scanners for leaked secrets find it by that.
const SECOND: &str = "toolwright_link_";
/// The beginning of an administrator's token.
const ADMINISTRATOR: &str = "toolwright_admin_";
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// How many tools a refusal names.
const MOST_NAMED: usize = 3;
/// How many random digits an id has.
const ID: usize = 12;

/// What a link is to permit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkRequest {
    /// Its name for people.
    pub name: String,
    /// The account of each vendor, by the vendor's id.
    pub accounts: BTreeMap<String, String>,
    /// What it leaves of the tools.
    pub narrowing: Narrowing,
    /// When it ends.
    pub expires: Option<SystemTime>,
    /// Whether a second token has to come with each request.
    pub second_token: bool,
}

/// A link that was created. Its tokens are nowhere else.
pub struct IssuedLink {
    /// Its row.
    pub link: StoredLink,
    /// The token in its URL.
    pub token: String,
    /// The token that has to come too.
    pub second_token: Option<String>,
}

impl IssuedLink {
    /// Its URL on a server, such as one at `https://mcp.example.com`.
    pub fn url(&self, server: &str) -> String {
        format!("{}/c/{}/mcp", server.trim_end_matches('/'), self.token)
    }
}

/// Creates a token of an administrator, which is nowhere else.
///
/// # Errors
/// There is one with this name, the name is none, or the store can't be reached.
pub async fn create_admin_token(store: &Store, name: &str, now: SystemTime) -> Result<String, IssueError> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_name) {
        return Err(IssueError::Invalid(format!(
            "the name of a token has at most {LONGEST_NAME} letters, digits, `-`, `_`, `.` and `@`"
        )));
    }
    let (token, digest) = TokenDigest::draw(ADMINISTRATOR)?;
    let row = AdminToken { name: name.to_owned(), token: digest, created: now, used: None };
    store.create_admin_token(&row).await?;
    Ok(token)
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// What was asked for makes no sense, whichever server it is for.
    #[error("{0}")]
    Invalid(String),
    /// It is more than there is to give.
    #[error("{0}")]
    Wider(String),
    /// The link that it should narrow is not there, or not valid any more.
    #[error("there is no valid link `{0}`\nhint: `toolwright link list` shows the ids")]
    NoParent(String),
    /// The store refuses it or can't be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ConfigError> for IssueError {
    fn from(error: ConfigError) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// What a link permits, as its row has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTerms {
    /// The account of each vendor, by the vendor's id.
    pub accounts: BTreeMap<String, String>,
    /// What takes tools away: of the first link that was narrowed to this one.
    pub narrowings: Vec<Narrowing>,
    /// The scopes of an access token that was issued for the link; absent where it is used by its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The person of an authorization that was given after a sign-in; absent where a link was brought, and in links themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<SignedInPerson>,
}

/// A person who has signed in at the company's identity provider: what `[[grants]]` are asked with again at each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedInPerson {
    /// The provider, as it names itself.
    pub issuer: String,
    /// What no other person of the provider has.
    pub subject: String,
    /// The names of the claims that were looked for: of others nothing is known.
    pub asked: BTreeSet<String>,
    /// Those of them that there were.
    pub claims: Map<String, Value>,
}

impl LinkTerms {
    /// Reads what a row has.
    ///
    /// # Errors
    /// A newer version has written it.
    pub fn read(text: &str) -> Result<Self, ConfigError> {
        serde_json::from_str(text).map_err(|error| ConfigError::new(format!("its terms can't be read: {error}")))
    }

    pub(in crate::access) fn text(&self) -> String {
        // Text and lists of text can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The terms of a grant.
    pub fn of(self, id: &str, name: &str, expires: Option<SystemTime>) -> GrantTerms {
        let Self { accounts, narrowings, scopes, person: _ } = self;
        GrantTerms { id: id.to_owned(), name: name.to_owned(), accounts, narrowings, scopes, expires }
    }
}

/// Decides about a tool on behalf of what a link is made from.
pub type Decide<'a> = &'a (dyn Fn(&CatalogEntry) -> Result<(), SelectionRefusal> + Sync);

/// Creates a link. `offers` is what the server offers, where that is known.
///
/// # Errors
/// The request is wrong, or wider than what the server offers; the store can't be reached.
pub async fn issue(
    store: &Store,
    catalog: &Catalog,
    offers: Option<Decide<'_>>,
    request: LinkRequest,
    now: SystemTime,
) -> Result<IssuedLink, IssueError> {
    check(&request, now)?;
    if request.accounts.is_empty() {
        return Err(IssueError::Invalid("a link needs an account\nhint: `--account NAME`".to_owned()));
    }
    match offers {
        Some(offers) => check_width(catalog, &request, "this server", offers)?,
        None => check_width(catalog, &request, "this server", &|_| Ok(()))?,
    }
    let narrowings = vec![request.narrowing.clone()];
    let terms = LinkTerms { accounts: request.accounts.clone(), narrowings, ..LinkTerms::default() };
    create(store, request, &terms, None, now).await
}

/// Creates a link that narrows another one: it permits what both permit, ends no later, and is revoked with it.
///
/// # Errors
/// The request is wrong, or wider than the other link; that is not valid; the store can't be reached.
pub async fn narrow(
    store: &Store,
    catalog: &Catalog,
    parent: &str,
    mut request: LinkRequest,
    now: SystemTime,
) -> Result<IssuedLink, IssueError> {
    let missing = || IssueError::NoParent(parent.to_owned());
    let parent = store.link(parent).await?.filter(|link| link.is_valid(now)).ok_or_else(missing)?;
    check(&request, now)?;
    request.expires = match (request.expires, parent.expires) {
        (Some(own), Some(of_parent)) if own > of_parent => {
            return Err(IssueError::Wider(format!("it would end later than `{}`, which it narrows", parent.name)));
        }
        (own, of_parent) => own.or(of_parent),
    };
    // Who has the URL of the other link alone can't pass; who has this one's could.
    request.second_token |= parent.second_token.is_some();
    let mut terms = LinkTerms::read(&parent.terms)?;
    if terms.person.is_some() || terms.scopes.is_some() {
        return Err(IssueError::Invalid(format!(
            "`{}` is what a person has allowed a program: its tokens are held to more than a link can be\n\
             hint: `toolwright link create` makes a link",
            parent.name
        )));
    }
    if terms.narrowings.len() >= DEEPEST {
        return Err(IssueError::Wider(format!("`{}` is narrowed from {DEEPEST} links already", parent.name)));
    }
    if request.accounts.is_empty() {
        request.accounts.clone_from(&terms.accounts);
    }
    if let Some((vendor, account)) =
        request.accounts.iter().find(|(vendor, own)| terms.accounts.get(*vendor) != Some(own))
    {
        return Err(IssueError::Wider(format!("`{}` has no account `{account}` of `{vendor}`", parent.name)));
    }
    let above = terms.narrowings.iter().map(|one| one.resolve(catalog)).collect::<Result<Vec<_>, _>>()?;
    let offers = |entry: &CatalogEntry| above.iter().try_for_each(|selection| selection.decide(entry));
    check_width(catalog, &request, &format!("the link `{}`", parent.name), &offers)?;
    terms.accounts.clone_from(&request.accounts);
    terms.narrowings.push(request.narrowing.clone());
    create(store, request, &terms, Some(parent.id), now).await
}

async fn create(
    store: &Store,
    request: LinkRequest,
    terms: &LinkTerms,
    parent: Option<String>,
    now: SystemTime,
) -> Result<IssuedLink, IssueError> {
    let (token, digest) = TokenDigest::draw("")?;
    let second = request.second_token.then(|| TokenDigest::draw(SECOND)).transpose()?;
    let link = StoredLink {
        id: new_id()?,
        token: digest,
        second_token: second.as_ref().map(|(_, digest)| *digest),
        name: request.name.trim().to_owned(),
        parent,
        terms: terms.text(),
        created: now,
        expires: request.expires,
        revoked: None,
        used: None,
    };
    store.create_link(&link).await?;
    Ok(IssuedLink { link, token, second_token: second.map(|(token, _)| token) })
}

/// Draws the id of a link.
pub(super) fn new_id() -> Result<String, StoreError> {
    let (id, _) = TokenDigest::draw("")?;
    Ok(id.chars().filter(char::is_ascii_alphanumeric).take(ID).collect::<String>().to_ascii_lowercase())
}

/// Checks what does not depend on the tools.
fn check(request: &LinkRequest, now: SystemTime) -> Result<(), IssueError> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(IssueError::Invalid(format!(
            "a link needs a name of at most {LONGEST_NAME} characters in one line: records and logs show it"
        )));
    }
    // What ends before it was passed on is a wrong year or time zone.
    if request.expires.is_some_and(|expires| expires <= now + Duration::from_secs(1)) {
        return Err(IssueError::Invalid("the link would have expired already".to_owned()));
    }
    Ok(())
}

/// Refuses a link whose own words name what is not there to give. What it does not name, it takes as it is.
fn check_width(catalog: &Catalog, request: &LinkRequest, of: &str, offers: Decide<'_>) -> Result<(), IssueError> {
    let Narrowing { methods, tags, tools, allow, .. } = &request.narrowing;
    let own = request.narrowing.resolve(catalog)?;
    let is_named = |reason: &RefusalReason| match reason {
        RefusalReason::Effect(_) => !methods.is_empty(),
        RefusalReason::Tags(_) => !tags.is_empty(),
        RefusalReason::HeldBack(holding) => tags.iter().any(|tag| tag == ALL_TAGS || holding.contains(tag)),
        RefusalReason::Name => !tools.is_empty(),
        RefusalReason::Risks(_) => !allow.is_empty(),
        // A link has no words for these.
        RefusalReason::Vendor(_) | RefusalReason::Excluded | RefusalReason::Scopes(_) | RefusalReason::Step { .. } => {
            false
        }
    };
    let of_account = |entry: &&CatalogEntry| entry.vendors().all(|vendor| request.accounts.contains_key(vendor));
    let asked = catalog.entries().iter().filter(of_account).filter(|entry| own.decide(entry).is_ok());
    let missing: Vec<(&CatalogEntry, SelectionRefusal)> = asked
        .filter_map(|entry| Some((entry, offers(entry).err()?)))
        .filter(|(_, refusal)| refusal.reasons.iter().all(is_named))
        .collect();
    let Some((first, refusal)) = missing.first() else {
        let offers = |entry: &&CatalogEntry| own.decide(entry).is_ok() && offers(entry).is_ok();
        if catalog.entries().iter().filter(of_account).any(|entry| offers(&entry)) {
            return Ok(());
        }
        return Err(IssueError::Invalid("the link leaves no tool\nhint: its words narrow each other".to_owned()));
    };
    let names: Vec<&str> = missing.iter().take(MOST_NAMED).map(|(entry, _)| entry.tool.name.as_str()).collect();
    let more = missing.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let reasons = refusal.text(Audience::Person);
    Err(IssueError::Wider(format!(
        "it is wider than what {of} offers: `{}`{more} would be missing; `{}`: {reasons}",
        names.join("`, `"),
        first.tool.name
    )))
}

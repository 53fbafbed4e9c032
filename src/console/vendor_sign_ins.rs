//! An administrator who signs in at a vendor for an account → the account's refresh token, encrypted in the store; and its end. The
//! way there and back: a flow of this browser and of this session, for ten minutes, once. The pages are `operating::accounts`'s.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use super::answer::Fault;
use crate::config::{AccountApp, SignIns};
use crate::login::{Authorization, LoginError, SignedIn, Site, revoke};
use crate::store::{NewVendorSignIn, TokenDigest, VendorSignIn, VendorSignIns as Kept};
use crate::upstream::SignInOf;

/// The way back from a vendor; its app has to name it.
pub const VENDOR_CALLBACK: &str = "/accounts/callback";
/// What the cookie of a sign-in at a vendor that is under way is named after the session's.
pub(super) const KEPT_FOR_VENDOR: &str = "-vendor";
/// For how long a sign-in may be under way: a person may have to find a password.
pub(super) const WITHIN: Duration = Duration::from_mins(10);
/// The most sign-ins under way at once; the oldest one makes room.
const MOST: usize = 50;
/// How many codes are exchanged at once: each waits for the vendor.
const AT_ONCE: usize = 4;

/// Where people sign in for the accounts of a server.
pub struct VendorSignIns {
    apps: Arc<SignIns>,
    kept: Kept,
    /// Where vendors send browsers back to.
    redirect: String,
    flows: Mutex<Vec<Flow>>,
    exchanges: Semaphore,
}

/// A sign-in that is under way.
pub(super) struct Flow {
    of: SignInOf,
    /// What the browser keeps, and the session that began it.
    browser: TokenDigest,
    pub(super) session: TokenDigest,
    began: SystemTime,
    app: AccountApp,
    authorization: Authorization,
}

/// Where a browser is sent, and what it keeps meanwhile.
pub(super) struct Begun {
    pub(super) address: String,
    pub(super) host: String,
    pub(super) kept: String,
}

/// What came of a sign-in, a choice of a site or a sign-out, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) of: SignInOf,
    /// The site that the account acts at, where the vendor has several.
    pub(super) site: Option<String>,
    /// Whether one has to be chosen.
    pub(super) lacks_site: bool,
    /// Whether the vendor has revoked the token.
    pub(super) revoked: bool,
}

impl fmt::Debug for VendorSignIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorSignIns").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}

impl From<LoginError> for Fault {
    fn from(error: LoginError) -> Self {
        let status = match &error {
            LoginError::Configuration(_) => StatusCode::UNPROCESSABLE_ENTITY,
            LoginError::Refused(_) => StatusCode::BAD_GATEWAY,
        };
        Self::new(status, &format!("You are not signed in at the vendor: {error}"))
    }
}

/// Why a browser that comes back is not taken.
fn not_begun() -> Fault {
    let text = "This browser has not begun to sign in at a vendor here, or it took too long, or it has come back already. Begin \
                again on the page Accounts.";
    Fault::new(StatusCode::FORBIDDEN, text)
}

/// Why a form about a sign-in has no effect.
fn changed() -> Fault {
    Fault::new(StatusCode::CONFLICT, "Somebody has signed in or out meanwhile. Look at it again.")
}

/// The sites of a sign-in, as they were stored.
pub(super) fn sites_of(sign_in: &VendorSignIn) -> Vec<Site> {
    // What another version has written is no reason to fail: the person signs in again.
    serde_json::from_str(&sign_in.sites).unwrap_or_default()
}

/// A site as people know it.
pub(super) fn shown(site: &Site) -> String {
    if site.names.is_empty() { site.id.clone() } else { site.names.join(", ") }
}

impl VendorSignIns {
    /// Signs people in by these apps, keeps what comes of it there, and has vendors send browsers back to a console at this
    /// address.
    pub fn new(apps: Arc<SignIns>, kept: Kept, console: &str) -> Self {
        let redirect = format!("{console}{VENDOR_CALLBACK}");
        Self { apps, kept, redirect, flows: Mutex::default(), exchanges: Semaphore::new(AT_ONCE) }
    }

    pub(super) fn redirect(&self) -> &str {
        &self.redirect
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The app of an account; `None` where people don't sign in for it.
    pub(super) fn app(&self, account: &str) -> Option<Result<AccountApp, String>> {
        Some(self.apps.app(account)?.map_err(|error| error.to_string()))
    }

    fn usable_app(&self, account: &str) -> Result<AccountApp, Fault> {
        let missing = || Fault::not_found("There is no account of this name that people sign in for.");
        let app = self.app(account).ok_or_else(missing)?;
        app.map_err(|error| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, &error))
    }

    fn flows(&self) -> MutexGuard<'_, Vec<Flow>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a sign-in for an account, by a session.
    pub(super) fn begin(
        &self,
        account: &str,
        session: TokenDigest,
        scopes: &BTreeSet<String>,
        now: SystemTime,
    ) -> Result<Begun, Fault> {
        let app = self.usable_app(account)?;
        let no_login = || Fault::not_found("People don't sign in at the vendor of this account.");
        let login = app.vendor.oauth.as_ref().ok_or_else(no_login)?;
        let authorization = Authorization::begin(login, &app.request.client_id, scopes, self.redirect.clone())?;
        let (kept, browser) = TokenDigest::draw("")?;
        let address = authorization.url().to_string();
        let host = authorization.url().host_str().unwrap_or_default().to_owned();
        let of = SignInOf { account: account.to_owned(), vendor: app.vendor.id.clone() };
        let mut flows = self.flows();
        flows.retain(|flow| flow.is_valid(now));
        if flows.len() >= MOST {
            flows.remove(0);
        }
        flows.push(Flow { of, browser, session, began: now, app, authorization });
        Ok(Begun { address, host, kept })
    }

    /// Takes the flow that a browser comes back for, once. What another page leads here to answers none, and ends none.
    pub(super) fn take(&self, kept: &str, query: &str, now: SystemTime) -> Result<Flow, Fault> {
        let browser = TokenDigest::of(kept);
        let mut flows = self.flows();
        let found = flows.iter().position(|flow| flow.browser == browser && flow.authorization.is_answered_by(query));
        let flow = found.map(|place| flows.remove(place)).filter(|flow| flow.is_valid(now));
        flow.ok_or_else(not_begun)
    }

    /// Exchanges what the vendor's page has returned, and stores it.
    pub(super) async fn finish(&self, flow: Flow, query: &str, administrator: &str) -> Result<Done, Fault> {
        let busy = |_| Fault::new(StatusCode::SERVICE_UNAVAILABLE, "Too many sign in at once; begin again.");
        let _place = self.exchanges.try_acquire().map_err(busy)?;
        let code = flow.authorization.code(query)?;
        let signed_in = flow.authorization.exchange(&flow.app.request, code).await?;
        let kept = self.keep(&flow, &signed_in, administrator).await;
        if kept.is_err() {
            // Nobody has use for it.
            let _ = revoked(&flow.app, &signed_in.refresh_token).await;
        }
        kept
    }

    async fn keep(&self, flow: &Flow, signed_in: &SignedIn, administrator: &str) -> Result<Done, Fault> {
        let sites = match flow.app.vendor.oauth.as_ref().and_then(|login| login.sites.as_ref()) {
            Some(sites) => Some(signed_in.sites(sites, &flow.app.request.tls).await?),
            None => None,
        };
        let before = self.kept.get(&flow.of).and_then(|before| before.site);
        let site = match &sites {
            Some(sites) => site(sites, flow.app.site.as_deref(), before.as_deref())?,
            None => None,
        };
        let new = NewVendorSignIn {
            of: &flow.of,
            refresh_token: &signed_in.refresh_token,
            sites: serde_json::to_string(sites.as_deref().unwrap_or_default()).unwrap_or_default(),
            site: site.map(|site| site.id.clone()),
            administrator,
        };
        self.kept.sign_in(new).await?;
        let lacks_site = sites.is_some() && site.is_none();
        Ok(Done { of: flow.of.clone(), site: site.map(shown), lacks_site, revoked: false })
    }

    /// Chooses the site that an account acts at, of those that its sign-in with this revision reaches.
    pub(super) async fn choose(&self, sign_in: &VendorSignIn, revision: &str, id: &str) -> Result<Done, Fault> {
        let sites = sites_of(sign_in);
        let unknown = || Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "The sign-in does not reach this site.");
        let site = sites.iter().find(|site| site.id == id).ok_or_else(unknown)?;
        if !self.kept.choose_site(&sign_in.of, revision, &site.id).await? {
            return Err(changed());
        }
        Ok(Done { of: sign_in.of.clone(), site: Some(shown(site)), lacks_site: false, revoked: false })
    }

    /// Ends a sign-in: revokes its token where the vendor lets a program do that, and removes it. With `anyway` it is removed
    /// also where it can't be revoked.
    pub(super) async fn end(&self, sign_in: &VendorSignIn, anyway: bool) -> Result<Done, Fault> {
        let of = &sign_in.of;
        let refused = |reason: &str| {
            let text = format!("Nothing was changed: {reason}");
            Err(Fault::new(StatusCode::CONFLICT, &text))
        };
        let mut is_revoked = false;
        match self.kept.take(sign_in).await {
            Ok(taken) => {
                let outcome = match self.app(&of.account) {
                    Some(Ok(app)) => revoked(&app, &taken.refresh_token).await,
                    Some(Err(error)) => Err(error),
                    None => Ok(false),
                };
                match outcome {
                    Ok(by_vendor) => is_revoked = by_vendor,
                    Err(reason) if !anyway => {
                        self.kept.put_back(taken).await;
                        return refused(&reason);
                    }
                    Err(_) => {}
                }
            }
            Err(reason) if !anyway => return refused(&reason),
            Err(_) => {}
        }
        if !self.kept.remove(sign_in).await? {
            return Err(changed());
        }
        Ok(Done { of: of.clone(), site: None, lacks_site: false, revoked: is_revoked })
    }
}

impl Flow {
    fn is_valid(&self, now: SystemTime) -> bool {
        now.duration_since(self.began).unwrap_or_default() < WITHIN
    }

    /// The account that it is for.
    pub(super) fn account(&self) -> &str {
        &self.of.account
    }
}

/// Revokes a token at the vendor; returns false where the vendor lets no program do that.
async fn revoked(app: &AccountApp, refresh_token: &str) -> Result<bool, String> {
    let Some(endpoint) = app.vendor.oauth.as_ref().and_then(|login| login.revoke.as_ref()) else { return Ok(false) };
    revoke(endpoint, &app.request, refresh_token).await.map(|()| true).map_err(|error| error.to_string())
}

/// The site to act at: the one that the settings state, else that of before, else the only one; `None` where a person has to
/// choose.
fn site<'s>(sites: &'s [Site], stated: Option<&str>, before: Option<&str>) -> Result<Option<&'s Site>, Fault> {
    let wrong = |text: &str| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, text);
    let find = |id: &str| sites.iter().find(|site| site.id.eq_ignore_ascii_case(id));
    match (sites, stated) {
        ([], _) => Err(wrong("The sign-in reaches no site. Sign in again, and choose a site on the vendor's page.")),
        (_, Some(stated)) => find(stated).map(Some).ok_or_else(|| {
            wrong(
                "The sign-in does not reach the site that the server's settings state for this account. Sign in again and choose \
                 that site on the vendor's page, or have the settings changed.",
            )
        }),
        ([only], None) => Ok(Some(only)),
        (_, None) => Ok(before.and_then(find)),
    }
}

/// What a page says of the sign-ins of a server.
#[derive(Debug, Default)]
pub(super) struct SignInsView {
    pub(super) note: Option<String>,
    pub(super) redirect: Option<String>,
    pub(super) accounts: Vec<SignInView>,
}

/// What a page says of the sign-in for an account, and which forms it has.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of a page that is there or not")]
pub(super) struct SignInView {
    pub(super) account: String,
    pub(super) vendor: String,
    pub(super) text: String,
    pub(super) hindered: Option<String>,
    pub(super) signs_in: Option<&'static str>,
    pub(super) is_signed_in: bool,
    pub(super) has_sites: bool,
    pub(super) lacks_site: bool,
    pub(super) sign_out: String,
    pub(super) may_fail: bool,
}

impl VendorSignIns {
    /// What a page says of the sign-in for an account; `None` where people don't sign in for it. `time` writes times.
    pub(super) fn view(&self, of: SignInOf, title: &str, time: impl Fn(SystemTime) -> String) -> Option<SignInView> {
        let app = self.app(&of.account)?;
        let found = self.kept.get(&of);
        let is_readable = found.as_ref().is_none_or(|one| self.kept.is_readable(one));
        let login = app.as_ref().ok().and_then(|app| app.vendor.oauth.as_ref());
        let stated = app.as_ref().ok().and_then(|app| app.site.clone());
        let sites = found.as_ref().map(sites_of).unwrap_or_default();
        let chosen = found.as_ref().and_then(|one| stated.clone().or_else(|| one.site.clone()));
        let lacks_site = !sites.is_empty() && chosen.is_none();
        let site = chosen.and_then(|id| sites.iter().find(|site| site.id.eq_ignore_ascii_case(&id)).map(shown));
        let text = match (&found, &app) {
            (None, Ok(_)) => "Nobody is signed in.".to_owned(),
            (None, Err(missing)) => format!("Nobody signs in for it as it is set. {missing}"),
            (Some(one), _) => {
                let site = site.map(|site| format!(", at {site}")).unwrap_or_default();
                let renewed =
                    one.renewed.map(|at| format!("; its token was last renewed at {}", time(at))).unwrap_or_default();
                format!("Signed in by {} at {}{site}{renewed}.", one.administrator, time(one.signed_in))
            }
        };
        let other_key = "It is encrypted with another key than the one that this server has, and stays as it is. An operator names \
                         that key with serve --store-key FILE. To sign in again puts a new sign-in in its place.";
        let hindered = match &app {
            Err(error) => found.is_some().then(|| error.clone()),
            Ok(_) if !is_readable => Some(other_key.to_owned()),
            Ok(_) if lacks_site => {
                Some("It reaches several sites, and the account does nothing before one is chosen.".to_owned())
            }
            Ok(_) => None,
        };
        let sign_out = match login {
            Some(login) if login.revoke.is_some() => {
                "Revokes the sign-in at the vendor and removes it here.".to_owned()
            }
            Some(login) => {
                let page = login.consents.as_ref().map(|page| format!(" at {page}")).unwrap_or_default();
                format!("Removes the sign-in here. {title} lets no program revoke it: take your consent back{page}.")
            }
            None => "Removes the sign-in here.".to_owned(),
        };
        let may_fail = !is_readable || login.is_none_or(|login| login.revoke.is_some());
        Some(SignInView {
            vendor: title.to_owned(),
            text,
            hindered,
            signs_in: app.is_ok().then_some(if found.is_some() { "Sign in again" } else { "Sign in" }),
            is_signed_in: found.is_some(),
            has_sites: sites.len() > 1 && stated.is_none(),
            lacks_site,
            sign_out,
            may_fail,
            account: of.account,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Account;
    use crate::store::{Store, StoreAddress, StoreKey};
    use crate::upstream::Unencrypted;
    use toolwright_model::Vendor;

    const VENDOR: &str = "id = \"acme\"\ntitle = \"Acme\"\n\
        [[addresses]]\nvariable = \"ACME_URL\"\nexample = \"\"\ndefault = \"https://api.example.com\"\n\
        [[credentials]]\nkind = \"oauth-refresh\"\nclient_id = \"ACME_ID\"\nclient_secret = \"ACME_SECRET\"\n\
        refresh_token_file = \"ACME_TOKEN_FILE\"\nendpoint = \"https://auth.example.com/token\"\nclient = \"json\"\n\
        [oauth]\nauthorize = \"https://auth.example.com/authorize\"\n";

    #[tokio::test]
    async fn a_sign_in_is_under_way_for_ten_minutes_and_answered_once() {
        let folder = std::env::temp_dir().join(format!("toolwright-vendor-sign-ins-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&StoreAddress::File(folder.join("store.db"))).await.unwrap();
        let kept = Kept::open(store, StoreKey::create(&folder.join("key")).unwrap()).await.unwrap();
        let apps = Arc::new(SignIns::new(Arc::new(kept.clone())));
        let vendor: Vendor = toml::from_str(VENDOR).unwrap();
        let variables = ["ACME_ID", "ACME_SECRET"].map(|name| (name.to_owned(), "s3cret".to_owned())).into();
        Account::of_settings("one", &vendor, variables, Unencrypted::default(), Some(&apps)).unwrap();
        let sign_ins = VendorSignIns::new(apps, kept, "https://console.example.com");
        let (now, session) = (SystemTime::now(), TokenDigest::of("session"));
        let begun = || {
            let begun = sign_ins.begin("one", session, &BTreeSet::new(), now).unwrap();
            let url = url::Url::parse(&begun.address).unwrap();
            let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
            (begun.kept, format!("code=c&state={state}"))
        };
        let just_before = now + WITHIN - Duration::from_secs(1);
        let (late, answer) = begun();
        assert!(sign_ins.take(&late, &answer, now + WITHIN).is_err());
        assert!(sign_ins.take(&late, &answer, now).is_err(), "it was not answered in time");
        let (kept, answer) = begun();
        let (other, _) = begun();
        assert!(sign_ins.take(&other, &answer, now).is_err(), "of another browser");
        let flow = sign_ins.take(&kept, &answer, just_before).unwrap();
        assert!((flow.account(), flow.session) == ("one", session));
        assert!(sign_ins.take(&kept, &answer, just_before).is_err(), "once");
        for _ in 0..2 * MOST {
            begun();
        }
        assert_eq!(sign_ins.flows().len(), MOST);
        assert!(!format!("{sign_ins:?}").contains("s3cret"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn named(id: &str) -> Site {
        Site { id: id.to_owned(), names: vec![format!("site {id}")] }
    }

    #[test]
    fn the_site_is_the_stated_one_or_that_of_before_or_the_only_one() {
        let (one, two) = ([named("a")], [named("a"), named("b")]);
        let id = |sites: &[Site], stated, before| {
            site(sites, stated, before).map(|site| site.map(|site| site.id.clone())).map_err(|fault| fault.text)
        };
        assert_eq!(id(&one, None, None), Ok(Some("a".to_owned())));
        assert_eq!(id(&two, None, None), Ok(None));
        assert_eq!(id(&two, None, Some("b")), Ok(Some("b".to_owned())));
        assert_eq!(id(&two, None, Some("gone")), Ok(None));
        assert_eq!(id(&two, Some("B"), Some("a")), Ok(Some("b".to_owned())));
        assert!(id(&two, Some("c"), None).is_err_and(|text| text.contains("settings state")));
        assert!(id(&[], None, None).is_err_and(|text| text.contains("no site")));
    }
}

//! One API of an account, as it is configured → for each call a session: a client of the API with the settings (such as
//! the tenant) and the credentials of the caller.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::caller::Caller;
use crate::access::Principal;
use crate::catalog::Catalog;
use crate::client_runtime::{self, CompiledApi, Inputs, Pending, Requests};
use crate::config::{ChosenSettings, ConnectionConfig, OpenRoot};
use crate::error::{Advice, CallError, ConfigError};
use crate::formats::LookupCache;
use crate::sanitize::Rules;
use crate::upstream::{Answer, Plan, RateLimiter, RequestDigest, Upstream};
use url::Url;

/// The lookups of how many callers are kept, of those that bring their own credentials.
const MOST_LOOKUPS: usize = 256;

/// One API of an account.
pub(super) struct ApiConnection {
    api: &'static CompiledApi,
    requests: Arc<Requests>,
    pub(super) config: ConnectionConfig,
    pub(super) limiter: RateLimiter,
    /// How its answers are sanitized.
    pub(super) rules: Arc<Rules>,
    /// By the settings that are sent; the configuration bounds how many there can be.
    upstreams: Mutex<HashMap<BTreeMap<String, String>, Upstream>>,
    /// Where the root has ids that the vendor is asked for: the root with them.
    found_roots: Mutex<HashMap<LookupKey, Url>>,
    lookups: Mutex<HashMap<LookupKey, Arc<LookupCache>>>,
}

/// Whose lookups are kept together: what they find depends on the tenant and on the credentials.
type LookupKey = (BTreeMap<String, String>, Option<Principal>);

/// A client of one API, for one call.
pub(super) struct Session {
    api: &'static CompiledApi,
    requests: Arc<Requests>,
    upstream: Upstream,
    client: Box<dyn client_runtime::Connection>,
    /// What formats looked up lately.
    pub(super) lookups: Arc<LookupCache>,
}

impl ApiConnection {
    pub(super) fn new(
        api: &'static CompiledApi,
        catalog: &Catalog,
        config: ConnectionConfig,
        limiter: RateLimiter,
    ) -> Self {
        let hosts = [config.root(api.id), &config.base].map(|address| address.host_str());
        let hosts = hosts.into_iter().flatten();
        let rules = catalog.vendor(api.vendor).map_or_else(Rules::default, |vendor| Rules::new(vendor, hosts));
        let (upstreams, found_roots, lookups) = (Mutex::default(), Mutex::default(), Mutex::default());
        let requests = Arc::new(Requests::new(api.requests));
        Self { api, requests, config, limiter, rules: Arc::new(rules), upstreams, found_roots, lookups }
    }

    /// Returns the API's id.
    pub(super) fn id(&self) -> &'static str {
        self.api.id
    }

    /// Returns the settings that are sent, by their titles.
    pub(super) fn settings(&self, chosen: &ChosenSettings) -> BTreeMap<String, String> {
        let settings = self.config.settings.iter();
        settings.filter_map(|one| Some((one.setting.title.clone(), one.value_for(chosen)?.to_owned()))).collect()
    }

    /// Opens the session of a call: with the settings that its caller has chosen, and with the credentials that it brings
    /// if it brings any. Those are in the session alone, which ends with the call.
    ///
    /// # Errors
    /// A setting is not allowed, or the system's TLS can't be set up.
    pub(super) fn session(&self, caller: &Caller) -> Result<Session, ConfigError> {
        let key = self.lookup_key(caller);
        let mut upstream = self.upstream(&key.0, &caller.chosen)?.for_client(caller.client.as_deref());
        if let Some(brought) = &caller.brought {
            upstream = upstream.with_credentials(brought.credentials.clone());
        }
        if let Some(root) = self.found_root(&key) {
            upstream = upstream.with_base(root);
        }
        let client = (self.api.connect)(upstream.clone(), &self.requests);
        let requests = Arc::clone(&self.requests);
        Ok(Session { api: self.api, requests, upstream, client, lookups: self.lookups(key) })
    }

    /// Returns the root with the ids that are not known yet for this caller; `None` where the root is complete.
    pub(super) fn unknown_root(&self, caller: &Caller) -> Option<&OpenRoot> {
        let open = self.config.open_roots.get(self.api.id)?;
        self.found_root(&self.lookup_key(caller)).is_none().then_some(open)
    }

    /// Keeps a root that was completed, for the sessions of this caller.
    pub(super) fn keep_root(&self, caller: &Caller, root: Url) {
        let mut roots = self.found_roots.lock().unwrap_or_else(PoisonError::into_inner);
        if roots.len() >= MOST_LOOKUPS {
            // They are found again as they are needed.
            roots.retain(|(_, of_caller), _| of_caller.is_none());
        }
        roots.insert(self.lookup_key(caller), root);
    }

    fn found_root(&self, key: &LookupKey) -> Option<Url> {
        self.found_roots.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn lookup_key(&self, caller: &Caller) -> LookupKey {
        (self.settings(&caller.chosen), caller.brought.as_ref().map(|_| caller.principal.clone()))
    }

    /// The connection with these settings, which is made for the first call with them.
    fn upstream(&self, settings: &BTreeMap<String, String>, chosen: &ChosenSettings) -> Result<Upstream, ConfigError> {
        let mut upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(upstream) = upstreams.get(settings) {
            return Ok(upstream.clone());
        }
        let ConnectionConfig { credentials, timeout, tls, .. } = &self.config;
        let base = self.config.root(self.api.id).clone();
        let upstream = Upstream::with_rate_limiter(base, tls, credentials.clone(), *timeout, self.limiter.clone())?
            .with_servers(self.config.servers.clone())
            .with_settings(self.config.sent(chosen)?);
        upstreams.insert(settings.clone(), upstream.clone());
        Ok(upstream)
    }

    fn lookups(&self, key: LookupKey) -> Arc<LookupCache> {
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if lookups.len() >= MOST_LOOKUPS && !lookups.contains_key(&key) {
            // They are found again as they are needed.
            lookups.retain(|(_, of_caller), _| of_caller.is_none());
        }
        Arc::clone(lookups.entry(key).or_default())
    }
}

impl Session {
    /// Returns scheme, host and port of the vendor's address.
    pub(super) fn site(&self) -> String {
        self.upstream.site()
    }

    /// The same session for one request, which a person has approved: it sends no other.
    pub(super) fn approved(&self, digest: RequestDigest) -> Self {
        let upstream = self.upstream.approved(digest);
        let client = (self.api.connect)(upstream.clone(), &self.requests);
        let requests = Arc::clone(&self.requests);
        Self { api: self.api, requests, upstream, client, lookups: Arc::clone(&self.lookups) }
    }

    /// Calls an operation. Credentials that the vendor refuses are renewed, and the call is sent
    /// once more: a request without valid credentials had no effect.
    pub(super) fn send<'a>(&'a self, operation: &'a str, inputs: impl Fn() -> Inputs + Send + 'a) -> Pending<'a> {
        Box::pin(async move {
            let upstream = client_runtime::upstream_for(&self.upstream, &self.requests, operation)?;
            let used = upstream.ready().await?;
            let result = self.client.call(operation, inputs()).await;
            let Some(used) = used else { return result };
            let mut rejection = match result {
                Err(CallError::Rejected(rejection)) if rejection.status == 401 => rejection,
                result => {
                    if was_answered(&result) {
                        upstream.accepted(used, operation);
                    }
                    return result;
                }
            };
            match upstream.renew_refused(used, operation).await {
                Ok(renewed) => {
                    let again = self.client.call(operation, inputs()).await;
                    let is_refused = again.as_ref().is_err_and(|error| error.status() == Some(401));
                    if is_refused || was_answered(&again) {
                        upstream.judge(renewed, !is_refused);
                    }
                    again
                }
                Err(error) => {
                    let reason = match error {
                        CallError::NotSent(reason) => reason,
                        error => error.to_string(),
                    };
                    // Replaces the advice for fixed credentials, which can't be renewed.
                    rejection.advice =
                        vec![Advice::Caller(format!("the credentials were refused, and not renewed: {reason}"))];
                    Err(CallError::Rejected(rejection))
                }
            }
        })
    }

    /// Returns the request that the operation would send.
    ///
    /// # Errors
    /// The inputs are refused before a request is made.
    pub(super) async fn plan(&self, operation: &str, inputs: Inputs) -> Result<Plan, CallError> {
        let upstream = self.upstream.planning();
        let result = (self.api.connect)(upstream.clone(), &self.requests).call(operation, inputs).await;
        match (upstream.take_plan(), result) {
            (Some(plan), _) => Ok(plan),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(CallError::Internal("the dry run made no plan".to_owned())),
        }
    }
}

/// Whether the vendor has answered at all, so that it has seen the credentials.
fn was_answered(result: &Result<Answer, CallError>) -> bool {
    result.as_ref().map_or_else(|error| error.status().is_some(), |_| true)
}

//! A vendor's configuration → sessions: one for each API and each set of settings (such as the
//! tenant) that clients choose, opened when it is first used.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::Catalog;
use crate::client_runtime::{self, CompiledApi, Inputs, Pending};
use crate::config::{ChosenSettings, ConnectionConfig};
use crate::error::{CallError, ConfigError};
use crate::formats::LookupCache;
use crate::sanitize::Rules;
use crate::upstream::{Plan, RateLimiter, Upstream};

/// The connections of a toolbox, by API id.
pub(super) struct ApiConnections(HashMap<&'static str, ApiConnection>);

/// One API of a vendor, as it is configured.
pub(super) struct ApiConnection {
    api: &'static CompiledApi,
    pub(super) config: ConnectionConfig,
    pub(super) limiter: RateLimiter,
    /// How its answers are sanitized.
    pub(super) rules: Arc<Rules>,
    /// By the settings that are sent; the configuration bounds how many there can be.
    sessions: Mutex<HashMap<BTreeMap<String, String>, Arc<Session>>>,
}

/// A client of one API with one set of settings.
pub(super) struct Session {
    api: &'static CompiledApi,
    upstream: Upstream,
    client: Box<dyn client_runtime::Connection>,
    /// What formats looked up lately.
    pub(super) lookups: LookupCache,
}

impl ApiConnections {
    /// Connects those `apis` that `configs` has an entry for, by API id or by vendor id.
    pub(super) fn new(
        apis: &'static [CompiledApi],
        catalog: &Catalog,
        configs: &HashMap<String, ConnectionConfig>,
    ) -> Self {
        let mut limiters: HashMap<&str, RateLimiter> = HashMap::new();
        let mut connections = HashMap::new();
        for api in apis {
            let Some(config) = configs.get(api.id).or_else(|| configs.get(api.vendor)) else { continue };
            // A vendor limits all of its APIs together.
            let limiter =
                limiters.entry(api.vendor).or_insert_with(|| RateLimiter::new(config.rate_limits.clone())).clone();
            let hosts = [config.root(api.id), &config.base].map(|address| address.host_str());
            let hosts = hosts.into_iter().flatten();
            let rules = catalog.vendor(api.vendor).map_or_else(Rules::default, |vendor| Rules::new(vendor, hosts));
            let connection = ApiConnection {
                api,
                config: config.clone(),
                limiter,
                rules: Arc::new(rules),
                sessions: Mutex::default(),
            };
            connections.insert(api.id, connection);
        }
        Self(connections)
    }

    /// Returns the connection to an API, if it is configured.
    pub(super) fn get(&self, api: &str) -> Option<&ApiConnection> {
        self.0.get(api)
    }

    /// Returns the configurations of all connections.
    pub(super) fn configs(&self) -> impl Iterator<Item = &ConnectionConfig> {
        self.0.values().map(|connection| &connection.config)
    }
}

impl ApiConnection {
    /// Returns the settings that are sent, by their titles.
    pub(super) fn settings(&self, chosen: &ChosenSettings) -> BTreeMap<String, String> {
        let settings = self.config.settings.iter();
        settings.filter_map(|one| Some((one.setting.title.clone(), one.value_for(chosen)?.to_owned()))).collect()
    }

    /// Returns the session with these settings; opens it if it is the first call with them.
    ///
    /// # Errors
    /// A setting is not allowed, or the system's TLS can't be set up.
    pub(super) fn session(&self, chosen: &ChosenSettings) -> Result<Arc<Session>, ConfigError> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = self.settings(chosen);
        if let Some(session) = sessions.get(&settings) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.open(chosen)?);
        sessions.insert(settings, Arc::clone(&session));
        Ok(session)
    }

    fn open(&self, chosen: &ChosenSettings) -> Result<Session, ConfigError> {
        let ConnectionConfig { credentials, timeout, .. } = &self.config;
        let base = self.config.root(self.api.id).clone();
        let upstream = Upstream::with_rate_limiter(base, credentials.clone(), *timeout, self.limiter.clone())?
            .with_settings(self.config.sent(chosen)?);
        let client = (self.api.connect)(upstream.clone());
        Ok(Session { api: self.api, upstream, client, lookups: LookupCache::default() })
    }
}

impl Session {
    /// Returns scheme, host and port of the vendor's address.
    pub(super) fn site(&self) -> String {
        self.upstream.site()
    }

    /// Calls an operation. Credentials that the vendor refuses are renewed, and the call is sent
    /// once more: a request without valid credentials had no effect.
    pub(super) fn send<'a>(&'a self, operation: &'a str, inputs: impl Fn() -> Inputs + Send + 'a) -> Pending<'a> {
        Box::pin(async move {
            let used = self.upstream.ready().await?;
            let mut rejection = match (used, self.client.call(operation, inputs()).await) {
                (Some(_), Err(CallError::Rejected(rejection))) if rejection.status == 401 => rejection,
                (_, result) => return result,
            };
            let used = used.unwrap_or_default();
            match self.upstream.renew(used).await {
                Ok(()) => self.client.call(operation, inputs()).await,
                Err(error) => {
                    let reason = match error {
                        CallError::NotSent(reason) => reason,
                        error => error.to_string(),
                    };
                    // Replaces the advice for fixed credentials, which can't be renewed.
                    rejection.advice = vec![format!("the credentials were refused, and not renewed: {reason}")];
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
        let result = (self.api.connect)(upstream.clone()).call(operation, inputs).await;
        match (upstream.take_plan(), result) {
            (Some(plan), _) => Ok(plan),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(CallError::Internal("the dry run made no plan".to_owned())),
        }
    }
}

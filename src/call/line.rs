//! The line to one API: opened when it is first needed, once for each choice of settings that a
//! connection has made. Says who is called as whom, and explains what the vendor thinks of that.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::prepare::Prepared;
use super::{Failure, PlannedCall, with_hints};
use crate::client_runtime::{self, CompiledApi, Inputs, Pending};
use crate::config::{ChosenSettings, ConnectionConfig};
use crate::error::{CallError, ConfigError};
use crate::formats::LookupCache;
use crate::sanitize::Rules;
use crate::upstream::{RateLimiter, Upstream};
use toolwright_model::{Call, Tool};

/// Refusals of who is calling; any other status may be about what was called.
const OF_THE_CALLER: [u16; 2] = [401, 403];

/// The line to one API.
pub(super) struct ApiConnection {
    api: &'static CompiledApi,
    pub connection: ConnectionConfig,
    pub pace: RateLimiter,
    /// How its answers are cleaned.
    pub rules: Arc<Rules>,
    /// By what is sent of the settings; no more of them than a connection may choose.
    opened: Mutex<HashMap<BTreeMap<String, String>, Arc<Session>>>,
}

/// A line that is open.
pub(super) struct Session {
    pub upstream: Upstream,
    client: Box<dyn client_runtime::Connection>,
    /// What formats asked lately.
    pub memory: LookupCache,
}

impl ApiConnection {
    pub(super) fn new(
        api: &'static CompiledApi,
        connection: ConnectionConfig,
        pace: RateLimiter,
        rules: Rules,
    ) -> Self {
        Self { api, connection, pace, rules: Arc::new(rules), opened: Mutex::default() }
    }

    /// What is sent of the settings, by their titles.
    pub(super) fn settings(&self, chosen: &ChosenSettings) -> BTreeMap<String, String> {
        let settings = self.connection.settings.iter();
        settings.filter_map(|one| Some((one.setting.title.clone(), one.value_for(chosen)?.to_owned()))).collect()
    }

    pub(super) fn opened(&self, chosen: &ChosenSettings) -> Result<Arc<Session>, Failure> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = self.settings(chosen);
        if let Some(opened) = opened.get(&settings) {
            return Ok(Arc::clone(opened));
        }
        let new = self.open(chosen).map_err(|error| Failure::NotConfigured(error.to_string()))?;
        let new = Arc::new(new);
        opened.insert(settings, Arc::clone(&new));
        Ok(new)
    }

    fn open(&self, chosen: &ChosenSettings) -> Result<Session, ConfigError> {
        let ConnectionConfig { credentials, timeout, .. } = &self.connection;
        let base = self.connection.root(self.api.id).clone();
        let upstream = Upstream::with_rate_limiter(base, credentials.clone(), *timeout, self.pace.clone())?
            .with_settings(self.connection.sent(chosen)?);
        Ok(Session { client: (self.api.connect)(upstream.clone()), upstream, memory: LookupCache::default() })
    }

    /// Describes the request that the call would send. The arguments are without secrets.
    pub(super) async fn plan(
        &self,
        chosen: &ChosenSettings,
        tool: &Tool,
        call: &Call,
        prepared: Prepared,
        inputs: Inputs,
    ) -> Result<Failure, Failure> {
        let opened = self.opened(chosen)?;
        let upstream = opened.upstream.planning();
        let called = (self.api.connect)(upstream.clone()).call(&call.operation, inputs).await;
        match (upstream.take_plan(), called) {
            (Some(request), _) => Ok(Failure::PlannedCall(Box::new(PlannedCall {
                tool: tool.name.clone(),
                effect: tool.effect,
                risks: tool.risks.clone(),
                site: opened.upstream.site(),
                settings: self.settings(chosen),
                request,
                notes: prepared.notes,
            }))),
            (None, Err(error)) => Err(with_hints(error, call, &prepared.arguments).into()),
            (None, Ok(_)) => {
                Err(Failure::NotConfigured("the dry run was none; this is a fault of toolwright".to_owned()))
            }
        }
    }

    /// Adds to a refusal of who is calling what the vendor's file knows of it.
    pub(super) fn explained(&self, error: CallError) -> CallError {
        match error {
            CallError::Rejected(mut rejection) if OF_THE_CALLER.contains(&rejection.status) => {
                if let Some(say) = self.connection.explain(rejection.status, &rejection.body) {
                    let before = rejection.advice.take().map(|advice| format!("{advice}; ")).unwrap_or_default();
                    rejection.advice = Some(before + say);
                }
                CallError::Rejected(rejection)
            }
            error => error,
        }
    }
}

impl Session {
    /// Calls an operation with credentials that are good for it. Those that the vendor refuses
    /// are renewed and tried once more: a request that it has let nobody in for did nothing.
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
                    rejection.advice = Some(format!("the credentials were refused, and not renewed: {reason}"));
                    Err(CallError::Rejected(rejection))
                }
            }
        })
    }
}

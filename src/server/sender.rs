//! An MCP request → who sends it and for which tenants, by what the gate has found and by what the request states.

use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use rmcp::model::Implementation;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use super::Server;
use super::bounds::client_line;
use crate::access::{Admitted, Grant};
use crate::call::Caller;
use crate::config::ChosenSettings;

impl Server {
    /// The tenant settings in the address of an HTTP request, among those of the accounts that serve its caller.
    pub(super) fn chosen_in(&self, grant: &Grant, address: &Uri) -> Result<ChosenSettings, String> {
        self.toolbox.choose(grant, url::form_urlencoded::parse(address.query().unwrap_or_default().as_bytes()))
    }

    /// The tenant settings of a call: the session's, or the request's own where it has no session.
    pub(super) fn chosen(&self, context: &RequestContext<RoleServer>) -> Result<ChosenSettings, ErrorData> {
        let refused = |reason: String| ErrorData::invalid_request(reason, None);
        let parts = context.extensions.get::<Parts>();
        let grant = self.admitted(context)?.map_or_else(|| self.toolbox.own_grant(), |admitted| &admitted.grant);
        let requested = parts.map(|parts| self.chosen_in(grant, &parts.uri));
        let requested = requested.transpose().map_err(refused)?.unwrap_or_default();
        match self.session.get().and_then(|session| session.chosen.get()) {
            Some(session) if requested != *session && !requested.0.is_empty() => {
                Err(refused("this session was opened for another one; open a session of its own".to_owned()))
            }
            Some(session) => Ok(session.clone()),
            None => Ok(requested),
        }
    }

    /// What the gate has found of the sender of a request; `None` for a client that has the server for itself.
    ///
    /// # Errors
    /// It came over HTTP and the gate has not seen it: nothing is served to whom nothing is known of.
    pub(super) fn admitted<'a>(
        &self,
        context: &'a RequestContext<RoleServer>,
    ) -> Result<Option<&'a Admitted>, ErrorData> {
        let admitted = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Admitted>());
        if self.is_http && admitted.is_none() {
            return Err(ErrorData::internal_error("the request was not admitted", None));
        }
        Ok(admitted)
    }

    /// Who sends a request, by what the gate has found and by what the request states.
    pub(super) fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        let session = self.session.get().map(|session| session.number);
        let parts = context.extensions.get::<Parts>();
        let admitted = self.admitted(context)?.cloned();
        let headers = parts.map(|parts| &parts.headers);
        let header = |name| headers.and_then(|headers: &HeaderMap| headers.get(name));
        let stated = match session {
            Some(_) => context.client_info(),
            // rmcp states its own name for a client without a session.
            None => context.meta.client_info(),
        };
        let program =
            || header(USER_AGENT).map(|name| Implementation::new(String::from_utf8_lossy(name.as_bytes()), ""));
        let client = stated.or_else(program).map(|client| client_line(&client));
        let caller = Caller { client, session, ..Caller::default() };
        Ok(match admitted {
            Some(Admitted { principal, grant, brought, recheck, scopes: _ }) => {
                Caller { principal, grant: Some(grant), brought, recheck, ..caller }
            }
            None => caller,
        })
    }
}

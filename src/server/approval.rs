//! What a client declares about asking its user → the way on which a person approves a call: a form while the call waits, a
//! result that asks for input, or none.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientResult, ContentBlock, ElicitRequest,
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest, InputRequiredResult,
    ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, ServiceError};
use rmcp::{Peer, RoleServer};
use serde_json::Value;

use super::Server;
use crate::approval::{Answer, Channel, ClientForm, Given, Held, Question};
use crate::error::Audience;

/// The name of our question in a result that asks for input.
const QUESTION: &str = "approval";
/// The fields of the form.
const APPROVE: &str = "approve";
const NAME: &str = "name";
/// The longest state that is looked at, in bytes.
const LONGEST_STATE: usize = 1_000;

/// What the client has answered to an earlier result.
pub(super) fn given(request: &CallToolRequestParams) -> Option<Given> {
    let state = request.request_state.as_ref().filter(|state| state.len() <= LONGEST_STATE)?;
    let response = request.input_responses.as_ref()?.get(QUESTION)?;
    // What can't be read is no yes.
    let answer = serde_json::from_value(response.clone()).map_or(Answer::Declined, |result| answer(&result));
    Some(Given { state: state.clone(), answer })
}

impl Server {
    /// The way to the person at the client of a request.
    pub(super) fn channel(&self, given: Option<Given>, context: &RequestContext<RoleServer>) -> Option<Channel> {
        let elicitation = context.client_capabilities()?.elicitation?;
        // A client that names no mode has forms.
        if elicitation.form.is_none() && elicitation.url.is_some() {
            return None;
        }
        if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
            return Some(Channel::InputRequired(given));
        }
        // Without a session there is no way to ask a client of these versions.
        let has_session = self.session.get().is_some();
        has_session.then(|| Channel::Elicitation(std::sync::Arc::new(Form(context.peer.clone()))))
    }
}

/// The form of a client, for versions before 2026-07-28.
#[derive(Debug)]
struct Form(Peer<RoleServer>);

impl ClientForm for Form {
    fn ask<'a>(
        &'a self,
        question: &'a Question,
        within: Duration,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async move {
            let Some(params) = form(question) else { return Answer::Failed("the form can't be made".to_owned()) };
            let request = ServerRequest::ElicitRequest(ElicitRequest::new(params));
            let options = PeerRequestOptions::with_timeout(within);
            let answered = match self.0.send_cancellable_request(request, options).await {
                Ok(handle) => handle.await_response().await,
                Err(error) => Err(error),
            };
            match answered {
                Ok(ClientResult::ElicitResult(result)) => self::answer(&result),
                Ok(_) => Answer::Failed("the client answered with something else".to_owned()),
                Err(ServiceError::Timeout { .. }) => Answer::TimedOut,
                Err(error) => Answer::Failed(error.to_string()),
            }
        })
    }
}

/// The form that a person fills in.
fn form(question: &Question) -> Option<ElicitRequestParams> {
    let schema = ElicitationSchema::builder().required_bool_property(APPROVE, |field| {
        field.title("Send this request").description("Only yes sends it; nothing is sent otherwise.")
    });
    let schema = match &question.name {
        Some(name) => schema.required_string_property(NAME, |field| {
            let description = format!("This can't be taken back. Type {name} to confirm.");
            field.title("Name of what is changed").description(description)
        }),
        None => schema,
    };
    let requested_schema = schema.build().ok()?;
    Some(ElicitRequestParams::FormElicitationParams { meta: None, message: question.message.clone(), requested_schema })
}

fn answer(result: &ElicitResult) -> Answer {
    let content = result.content.as_ref();
    let field = |name: &str| content.and_then(|content| content.get(name));
    match result.action {
        ElicitationAction::Accept if field(APPROVE).and_then(Value::as_bool) == Some(true) => {
            Answer::Approved { typed: field(NAME).and_then(Value::as_str).map(str::to_owned) }
        }
        _ => Answer::Declined,
    }
}

/// The result by which a client of 2026-07-28 asks its user.
pub(super) fn input_required(held: Held) -> CallToolResponse {
    let text = held.text(Audience::Model);
    let asked = match held {
        Held::Ask { question, state, .. } => form(&question).map(|params| (params, state)),
        _ => None,
    };
    let Some((params, state)) = asked else { return CallToolResult::error(vec![ContentBlock::text(text)]).into() };
    let ask = InputRequest::Elicitation(ElicitRequest::new(params));
    InputRequiredResult::new(Some(BTreeMap::from([(QUESTION.to_owned(), ask)])), Some(state)).into()
}

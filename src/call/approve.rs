//! Stage 3 approve: a prepared call → a person's permission to send exactly that request, where one is needed. What is to be
//! sent is planned first; afterwards the session sends nothing else.

use serde_json::{Map, Value, json};

use super::api_connection::Session;
use super::call_record::CallRecord;
use super::caller::Caller;
use super::failure::Failure;
use super::format_arguments::format_arguments;
use super::plan::described;
use super::prepare::PreparedCall;
use super::resolve::ResolvedCall;
use super::resolved_name::ResolvedName;
use super::result::PlannedCall;
use super::steps_approval::StepsApproval;
use crate::approval::{Approvals, Asker, ChangeRequest, Exact, Hasher, Permission, Why};
use crate::error::CallError;
use crate::formats::FormatContext;
use crate::sanitize::{Rules, TextForm, marks};
use crate::upstream::{Plan, RequestDigest};
use toolwright_model::{Effect, Place, Risk, Tool, truncate};

/// How much of a body is shown, in characters. The digest is of all of it.
const LONGEST_BODY: usize = 16_000;
/// The longest text of an argument that is shown in place of a body, in characters.
const LONGEST_TEXT: usize = 500;
/// The longest name that a person has to type, in characters.
const LONGEST_NAME: usize = 120;

/// What a call may do after this stage.
pub(super) enum Cleared {
    /// It needs no approval.
    Free,
    /// It is the step of a workflow that is planned for an approval: nothing is sent.
    Planned(Box<PlannedCall>),
    /// It may send this one request.
    Approved(Box<Session>, Option<Permission>),
}

/// Lets a call pass, plans it, or asks for permission.
///
/// # Errors
/// There is no permission (yet), or what the step of a workflow would send is not what was approved.
pub(super) async fn cleared(
    prepared: &PreparedCall<'_>,
    approvals: Option<&Approvals>,
    context: &FormatContext<'_>,
    record: &mut CallRecord<'_>,
) -> Result<Cleared, Failure> {
    let call = &prepared.resolved;
    if let Some(step) = &call.caller.workflow {
        let Some(steps) = step.approval.as_ref().filter(|_| !call.only_reads()) else { return Ok(Cleared::Free) };
        let (exact, digest) = exact(prepared).await?;
        if steps.is_planning() {
            steps.add(&step.step, exact);
            return Ok(Cleared::Planned(Box::new(shown(prepared, context).await?)));
        }
        if !steps.take(&step.step, exact) {
            let reason = "it is not among the requests that were approved: what they are made of has changed since";
            return Err(CallError::NotSent(reason.to_owned()).into());
        }
        return Ok(Cleared::Approved(Box::new(call.session.approved(digest)), None));
    }
    // What has a person asked is no change that a person is asked for.
    let Some(approvals) = approvals.filter(|_| !call.caller.for_help_desk) else { return Ok(Cleared::Free) };
    let Some(why) = why(approvals, call) else { return Ok(Cleared::Free) };
    let (exact, digest) = exact(prepared).await?;
    let plan = shown(prepared, context).await?;
    let tool = call.tool();
    let request = ChangeRequest {
        tool: tool.name.clone(),
        title: tool.title.clone(),
        accounts: vec![call.account.to_owned()],
        shown: of_plan(&plan, tool, &call.masked, &why),
        name: name(call),
        why,
        exact,
    };
    let permission = obtained(approvals, call.caller, &request, record).await?;
    Ok(Cleared::Approved(Box::new(call.session.approved(digest)), Some(permission)))
}

/// Returns a person's permission, with lines in the record for what becomes of it.
///
/// # Errors
/// There is none (yet).
pub(super) async fn obtained(
    approvals: &Approvals,
    caller: &Caller,
    request: &ChangeRequest,
    record: &mut CallRecord<'_>,
) -> Result<Permission, Failure> {
    caller.report("a person has to approve this call".to_owned());
    let notes = record.approval_notes();
    let asker =
        Asker { principal: &caller.principal, client: caller.client.as_deref(), channel: caller.channel.as_deref() };
    let permission = approvals.obtain(asker, request, &|event| notes.write(event)).await?;
    record.set_approval(&permission);
    Ok(permission)
}

/// Why a person has to approve a call; `None` where nobody has to.
fn why(approvals: &Approvals, call: &ResolvedCall<'_>) -> Option<Why> {
    let caller = call.caller;
    // Where a help desk approves, nothing depends on what the client can ask.
    let can_ask = caller.channel.is_some() || approvals.help_desks().concern([call.account]);
    approvals.why(&caller.principal, call.tool(), &call.arguments, can_ask)
}

/// The digest of the request, for the approval and for what sends it.
async fn exact(prepared: &PreparedCall<'_>) -> Result<(Exact, RequestDigest), Failure> {
    let call = &prepared.resolved;
    let inputs = prepared.inputs(&prepared.start);
    // The parts of a form are streamed, and the request's own digest does not cover them.
    let body = inputs.body().map(Value::to_string).unwrap_or_default();
    let digest = call.session.plan(&call.operation.operation, inputs).await?.digest;
    let hasher = Hasher::default().part(b"request").part(call.account.as_bytes()).part(call.tool().name.as_bytes());
    Ok((hasher.part(&digest.0).part(body.as_bytes()).exact(), digest))
}

/// The request as it is shown: secrets masked.
async fn shown(prepared: &PreparedCall<'_>, context: &FormatContext<'_>) -> Result<PlannedCall, Failure> {
    let call = &prepared.resolved;
    if call.masked == call.arguments {
        return described(prepared, &prepared.values).await;
    }
    let masked = format_arguments(call.operation, call.schema, &call.arguments, Some(&call.masked), context).await;
    described(prepared, &masked.values).await
}

/// What a person is shown of a request.
fn of_plan(plan: &PlannedCall, tool: &Tool, arguments: &Map<String, Value>, why: &Why) -> Value {
    let inert = |text: &str| Rules::default().text(text, TextForm::Inert);
    let mut shown = head(tool, why);
    shown.insert("account".to_owned(), json!(plan.account));
    shown.insert("site".to_owned(), json!(plan.site));
    shown.extend(plan.settings.iter().map(|(title, value)| (title.clone(), json!(value))));
    if !plan.resolved.is_empty() {
        let target = |name: &ResolvedName| {
            let record: Vec<&str> = name.record.values().filter_map(Value::as_str).collect();
            format!("{}: {} is {} ({})", name.argument, name.given, name.id, record.join(", "))
        };
        shown.insert("target".to_owned(), plan.resolved.iter().map(target).collect());
    }
    shown.insert("request".to_owned(), json!(format!("{} {}", plan.request.method, plan.request.url)));
    match plan.request.body.as_deref() {
        None => {}
        // Bytes and parts are no text; the arguments say what is in them.
        Some(body) if body.starts_with('(') => drop(shown.insert("arguments".to_owned(), bounded(arguments))),
        Some(body) if is_form(&plan.request) => drop(shown.insert("body".to_owned(), fields(body))),
        Some(body) => drop(shown.insert("body".to_owned(), json!(marks::truncated(&inert(body), LONGEST_BODY)))),
    }
    if !plan.notes.is_empty() {
        shown.insert("notes".to_owned(), json!(plan.notes));
    }
    Value::Object(shown)
}

/// Whether the body of a request is a form, in which people can't read texts with their escapes.
fn is_form(request: &Plan) -> bool {
    let mut headers = request.headers.iter();
    headers.any(|(name, value)| name == "content-type" && value.starts_with("application/x-www-form-urlencoded"))
}

/// The fields of a form, as the vendor reads them.
fn fields(body: &str) -> Value {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(body.as_bytes()) {
        let value = json!(marks::truncated(&Rules::default().text(&value, TextForm::Inert), LONGEST_BODY));
        match fields.get_mut(&*name) {
            None => drop(fields.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(fields)
}

/// Arguments with the beginnings of long texts, such as files in base64.
fn bounded(arguments: &Map<String, Value>) -> Value {
    fn cut(value: &Value) -> Value {
        match value {
            Value::String(text) => json!(truncate(text, LONGEST_TEXT)),
            Value::Array(items) => items.iter().map(cut).collect(),
            Value::Object(entries) => entries.iter().map(|(name, value)| (name.clone(), cut(value))).collect(),
            scalar => scalar.clone(),
        }
    }
    arguments.iter().map(|(name, value)| (name.clone(), cut(value))).collect()
}

/// What is shown of any change.
fn head(tool: &Tool, why: &Why) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("does".to_owned(), json!(tool.title));
    shown.insert("effect".to_owned(), json!(tool.effect.map_or("not reviewed", Effect::as_str)));
    if !tool.risks.is_empty() {
        shown.insert("risks".to_owned(), tool.risks.iter().map(|risk| json!(risk.as_str())).collect());
    }
    if !why.sources.is_empty() {
        shown.insert("text from".to_owned(), json!(why.sources));
    }
    shown
}

/// What a person has to type before something that can't be taken back: the target as people name it, else its id.
fn name(call: &ResolvedCall<'_>) -> Option<String> {
    let tool = call.tool();
    if !tool.risks.contains(&Risk::Irreversible) {
        return None;
    }
    let of_record = call.names.first().map(|name| {
        let texts = name.record.values().filter_map(Value::as_str);
        texts.filter(|text| *text != name.id).map(str::to_owned).next().unwrap_or_else(|| name.given.clone())
    });
    let in_path = || {
        let bindings = call.operation.bindings.iter().filter(|binding| matches!(binding.place, Place::Path(_)));
        let mut given = bindings.filter_map(|binding| call.arguments.get(&binding.argument)).map(scalar);
        given.next_back().flatten()
    };
    let first = || call.arguments.values().find_map(scalar);
    let name = of_record.or_else(in_path).or_else(first).unwrap_or_else(|| tool.name.clone());
    Some(truncate(&name, LONGEST_NAME).into_owned())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What of a workflow a person is to approve.
pub(super) struct WorkflowPlan<'a> {
    pub(super) tool: &'a Tool,
    pub(super) arguments: &'a Map<String, Value>,
    /// What its calls would send, as a dry run shows it.
    pub(super) shown: Map<String, Value>,
    pub(super) steps: &'a StepsApproval,
    /// The accounts at which it changes something.
    pub(super) accounts: Vec<String>,
}

impl WorkflowPlan<'_> {
    pub(super) fn request(self, why: Why) -> ChangeRequest {
        let Self { tool, arguments, shown, steps, accounts } = self;
        let mut all = head(tool, &why);
        all.extend(shown);
        let is_final = tool.risks.contains(&Risk::Irreversible);
        let name = is_final.then(|| arguments.values().find_map(scalar).unwrap_or_else(|| tool.name.clone()));
        ChangeRequest {
            tool: tool.name.clone(),
            title: tool.title.clone(),
            accounts,
            shown: Value::Object(all),
            name: name.map(|name| truncate(&name, LONGEST_NAME).into_owned()),
            exact: steps.exact(&tool.name, arguments),
            why,
        }
    }
}

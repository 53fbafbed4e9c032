//! A call of a tool that reads, for several tenants of one account → the same call for each of them, in order. Each is checked,
//! paced and recorded as a call of its own. A change is for one tenant at a time.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::caller::{Caller, StepOf};
use super::composed::run_id;
use super::failure::{ArgumentProblem, Failure, ProblemKind};
use super::names;
use super::result::CallResult;
use super::shared_argument;
use super::tenants::{EVERY_TENANT, OF_TENANT, Tenant, TenantChoice, tenants_in};
use super::toolbox::Toolbox;
use super::tools::OfferedTools;
use crate::catalog::CatalogEntry;
use toolwright_model::{ALL, CURSOR, DETAIL, Effect, FULL, Tool};

/// The most tenants of one call, unless the operator raises the number of values of one call.
const MOST_TENANTS: u32 = 100;
/// The most tenants that a refusal names.
const MOST_NAMED: usize = 20;

/// The calls that one call for several tenants means, in order.
pub(crate) struct TenantCalls {
    /// The argument that named the tenants.
    pub(crate) argument: String,
    /// What has to be known of all answers.
    pub(crate) notes: Vec<String>,
    pub(crate) calls: Vec<TenantCall>,
}

/// A call for one tenant.
pub(crate) struct TenantCall {
    pub(crate) tenant: Tenant,
    pub(crate) caller: Caller,
    pub(crate) arguments: Map<String, Value>,
}

impl Toolbox {
    /// Returns the calls that a call for several tenants means; `None` where it is an ordinary call. A call that is refused
    /// is recorded.
    ///
    /// # Errors
    /// The tool changes something, or what it names is no tenant that may be chosen.
    pub(crate) async fn for_tenants(
        &self,
        caller: &Caller,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Option<TenantCalls>, Failure> {
        if caller.workflow.is_some() {
            return Ok(None);
        }
        let tools = self.tools(caller);
        // What is not offered is refused as any call of it is.
        let Some(entry) = tools.get(name) else { return Ok(None) };
        let Some(choice) = tools.tenants().get(&entry.vendor).filter(|choice| choice.is_about(entry)) else {
            return Ok(None);
        };
        let flat = shared_argument::flattened(&entry.tool, arguments);
        let asked = Asked::of(&flat, choice);
        if asked.is_for_one() || (entry.tool.effect == Some(Effect::Read) && !choice.is_offered(entry)) {
            return Ok(None);
        }
        match self.tenant_calls(caller, &tools, entry, choice, &asked).await {
            Ok(calls) => Ok(Some(calls)),
            Err(expected) => {
                let failure = refused(&entry.tool, choice.argument(), &asked, expected);
                self.refuse(caller, name, failure).map(|_| None)
            }
        }
    }

    async fn tenant_calls(
        &self,
        caller: &Caller,
        tools: &OfferedTools,
        entry: &CatalogEntry,
        choice: &TenantChoice,
        asked: &Asked<'_>,
    ) -> Result<TenantCalls, String> {
        let (argument, title) = (choice.argument(), &choice.setting.title);
        if entry.tool.effect != Some(Effect::Read) {
            return Err(format!(
                "a tool that only reads; a change is for one {title} at a time, without this argument"
            ));
        }
        let (known, unknown) = match self.reached(caller, tools, entry, choice).await {
            Ok(known) => (known, None),
            Err(why) => (Arc::default(), Some(why)),
        };
        let tenants: Vec<Tenant> = choice.allowed.iter().map(|id| named(id, &known)).collect();
        let chosen = asked.tenants(&tenants, argument, title, unknown.as_deref())?;
        let most = self.most_items().unwrap_or_default().max(MOST_TENANTS);
        if chosen.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(format!("at most {most} of them; {} were named", chosen.len()));
        }
        let unnamed = unknown.map(|why| format!("{argument} are named by id, their names could not be read: {why}"));
        let calls = chosen.into_iter().map(|tenant| {
            let mut caller = caller.clone();
            caller.chosen.0.insert(choice.setting.variable.clone(), tenant.id.clone());
            let mut arguments = asked.arguments.clone();
            arguments.shift_remove(argument);
            if let Some((_, cursor)) = asked.cursor {
                arguments.insert(CURSOR.to_owned(), Value::from(cursor));
            }
            TenantCall { tenant, caller, arguments }
        });
        Ok(TenantCalls { argument: argument.to_owned(), notes: unnamed.into_iter().collect(), calls: calls.collect() })
    }

    /// Returns the tenants that the credentials reach, as far as the vendor lists them.
    ///
    /// # Errors
    /// The list can't be read; says why.
    async fn reached(
        &self,
        caller: &Caller,
        tools: &OfferedTools,
        entry: &CatalogEntry,
        choice: &TenantChoice,
    ) -> Result<Arc<Vec<Tenant>>, String> {
        let reached = choice.setting.reached.as_ref().ok_or("the vendor has no list of them")?;
        let lists = |entry: &&CatalogEntry| matches!(entry.tool.calls.as_slice(), [call] if call.operation == reached.operation);
        let tool = self.catalog().entries().iter().find(lists).ok_or("no tool lists them")?;
        let account = tools.grant().account(&entry.vendor).unwrap_or_default();
        let (key, now) = ((account.to_owned(), caller.principal.clone()), (self.clock)());
        if let Some(known) = self.tenant_names.get(&key, now) {
            return Ok(known);
        }
        let mut arguments = Map::new();
        if tool.tool.is_own_argument(ALL) {
            arguments.insert(ALL.to_owned(), Value::Bool(true));
        }
        if tool.tool.is_own_argument(DETAIL) {
            arguments.insert(DETAIL.to_owned(), Value::from(FULL));
        }
        // Like the step of a workflow it is allowed for what it does, whether or not it is listed; and by whatever call tool
        // the call came.
        let step = StepOf { run: run_id().into(), step: choice.argument().into(), changes: false, approval: None };
        let caller = Caller { through: None, workflow: Some(step), ..caller.clone() };
        let answer = match self.call_as(&caller, &tool.tool.name, arguments).await {
            Ok(CallResult::Reply(reply)) => serde_json::from_slice(&reply.body).unwrap_or_default(),
            Ok(_) => Value::Null,
            Err(failure) => return Err(failure.to_string()),
        };
        let known = Arc::new(tenants_in(&answer, reached));
        self.tenant_names.insert(key, now, Arc::clone(&known));
        Ok(known)
    }
}

fn named(id: &str, known: &[Tenant]) -> Tenant {
    let name = known.iter().find(|tenant| tenant.id == id).map_or(id, |tenant| &tenant.name);
    Tenant { id: id.to_owned(), name: name.to_owned() }
}

/// What a call states of tenants.
struct Asked<'a> {
    arguments: &'a Map<String, Value>,
    words: Option<&'a Value>,
    /// Of a cursor of one of several answers: the tenant, and the cursor of its own.
    cursor: Option<(&'a str, &'a str)>,
}

impl<'a> Asked<'a> {
    fn of(arguments: &'a Map<String, Value>, choice: &TenantChoice) -> Self {
        let words = arguments.get(choice.argument()).filter(|words| !words.is_null());
        // An id may have the character, a cursor has none.
        let cursor = arguments.get(CURSOR).and_then(Value::as_str).and_then(|cursor| cursor.rsplit_once(OF_TENANT));
        Self { arguments, words, cursor }
    }

    fn is_for_one(&self) -> bool {
        self.words.is_none() && self.cursor.is_none()
    }

    /// Returns the tenants that are meant, each once.
    ///
    /// # Errors
    /// What would have been accepted.
    fn tenants(
        &self,
        allowed: &[Tenant],
        argument: &str,
        title: &str,
        unknown: Option<&str>,
    ) -> Result<Vec<Tenant>, String> {
        let chosen = self.words.map(|words| meant(words, allowed, argument, unknown)).transpose()?;
        match (chosen, self.cursor) {
            (Some(_), None) if self.arguments.contains_key(CURSOR) => {
                Err(format!("the cursor of one {title} out of an answer for several, as it was returned"))
            }
            (Some(chosen), None) => Ok(chosen),
            (chosen, Some((id, _))) => {
                let of_cursor = allowed.iter().find(|tenant| tenant.id == id);
                let of_cursor = of_cursor.filter(|one| chosen.is_none_or(|chosen| chosen.contains(one)));
                let of_cursor = of_cursor
                    .ok_or_else(|| format!("a cursor that was returned for one of the {argument} that may be read"))?;
                Ok(vec![of_cursor.clone()])
            }
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// The tenants that words mean: ids, names, or all.
fn meant(words: &Value, allowed: &[Tenant], argument: &str, unknown: Option<&str>) -> Result<Vec<Tenant>, String> {
    let words: Vec<&str> = match words {
        Value::String(word) => vec![word.as_str()],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if words.is_empty() {
        return Err(format!("a list of names or ids, or [\"{EVERY_TENANT}\"]"));
    }
    let records: Vec<(String, String)> =
        allowed.iter().map(|tenant| (tenant.id.clone(), tenant.name.clone())).collect();
    let mut chosen: Vec<Tenant> = Vec::new();
    for word in words {
        let ids: Vec<String> = match word.trim() {
            EVERY_TENANT => allowed.iter().map(|tenant| tenant.id.clone()).collect(),
            id if allowed.iter().any(|tenant| tenant.id == id) => vec![id.to_owned()],
            name => match names::named_by(name, &records).as_slice() {
                [one] => vec![one.clone()],
                [] => return Err(none_of(allowed, argument, unknown)),
                several => return Err(format!("one of {}, whose names all fit `{name}`", listed(allowed, several))),
            },
        };
        for tenant in allowed.iter().filter(|tenant| ids.contains(&tenant.id)) {
            if !chosen.contains(tenant) {
                chosen.push(tenant.clone());
            }
        }
    }
    Ok(chosen)
}

fn none_of(allowed: &[Tenant], argument: &str, unknown: Option<&str>) -> String {
    let ids: Vec<String> = allowed.iter().map(|tenant| tenant.id.clone()).collect();
    let why = unknown.map(|why| format!("; names could not be read: {why}")).unwrap_or_default();
    format!("[\"{EVERY_TENANT}\"], or of the {argument} that this server may read: {}{why}", listed(allowed, &ids))
}

fn listed(tenants: &[Tenant], ids: &[String]) -> String {
    let wanted = tenants.iter().filter(|tenant| ids.contains(&tenant.id));
    let texts: Vec<String> = wanted
        .take(MOST_NAMED)
        .map(|Tenant { id, name }| if id == name { format!("`{id}`") } else { format!("`{name}` ({id})") })
        .collect();
    let more = if ids.len() > MOST_NAMED { ", …" } else { "" };
    format!("{}{more}", texts.join(", "))
}

fn refused(tool: &Tool, argument: &str, asked: &Asked<'_>, expected: String) -> Failure {
    let at = if asked.words.is_some() { argument } else { CURSOR };
    let text =
        format!("the arguments of {} were not accepted; nothing was sent\n- `{at}`: expected {expected}", tool.name);
    let given = asked.words.map(Value::to_string).unwrap_or_default().chars().take(40).collect();
    let problem =
        ArgumentProblem { kind: ProblemKind::Invalid, argument: at.to_owned(), given, expected, suggestion: None };
    Failure::Arguments { text, problems: vec![problem] }
}

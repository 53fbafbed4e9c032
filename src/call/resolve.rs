//! Stage 1: a name and arguments → the tool, operation and session that they mean. Asks the
//! policy, checks the arguments, continues the call that a cursor belongs to, and replaces times
//! relative to now.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::api_connection::{ApiConnection, ApiConnections, Session};
use super::arguments::ArgumentSchema;
use super::call_record::CallRecord;
use super::caller::Caller;
use super::failure::{ArgumentProblem, Failure, ProblemKind};
use super::paging::cursor::Cursor;
use super::tools::OfferedTools;
use crate::catalog::CatalogEntry;
use crate::formats;
use toolwright_model::{CURSOR, Call, DRY_RUN, Effect, Tool};

/// A call that the policy allows, with arguments that fit the input schema.
pub(super) struct ResolvedCall<'a> {
    pub(super) caller: &'a Caller,
    pub(super) entry: &'a CatalogEntry,
    pub(super) operation: &'a Call,
    pub(super) schema: &'a ArgumentSchema,
    pub(super) connection: &'a ApiConnection,
    pub(super) session: Arc<Session>,
    /// Converted to the types of the schema; times are absolute.
    pub(super) arguments: Map<String, Value>,
    /// The same without secrets.
    pub(super) masked: Map<String, Value>,
    /// The cursor that the call was made with.
    pub(super) cursor: Option<Cursor>,
    pub(super) dry_run: bool,
    /// How the arguments were understood, where that is not obvious.
    pub(super) notes: Vec<String>,
}

/// What a call is resolved against.
pub(super) struct Resolver<'a> {
    pub(super) tools: &'a OfferedTools,
    pub(super) connections: &'a ApiConnections,
    pub(super) now: SystemTime,
    /// Whether every call is a dry run.
    pub(super) dry_run: bool,
}

impl<'a> Resolver<'a> {
    /// Resolves a call; `record` is completed on the way, so that refused calls are recorded too.
    ///
    /// # Errors
    /// The tool is unknown, refused or not configured, or the arguments don't fit it.
    pub(super) fn resolve(
        &self,
        caller: &'a Caller,
        name: &str,
        given: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<ResolvedCall<'a>, Failure> {
        let entry = self.tools.find(name)?;
        record.set_tool(entry);
        let schema = self.tools.schema(&entry.tool)?;
        let accepted = self.accept(entry, schema, given);
        // Refused arguments are recorded as they were given, all others as they are sent.
        let accepted = accepted.inspect_err(|_| record.set_arguments(|| schema.masked(given)))?;
        let Accepted { operation, mut arguments, cursor } = accepted;
        let notes = resolve_relative_times(operation, &mut arguments, self.now);
        let masked = schema.masked(&arguments);
        record.set_arguments(|| {
            let cursor = cursor.as_ref().map(|cursor| (CURSOR.to_owned(), cursor.write().into()));
            masked.clone().into_iter().chain(cursor).collect()
        });
        record.set_operation(operation);
        let connection = self.connection(entry, operation)?;
        let session = connection.session(&caller.chosen).map_err(|error| Failure::NotConfigured(error.to_string()))?;
        record.set_site(|| session.site(), || connection.settings(&caller.chosen));
        let dry_run = self.dry_run || is_set(&entry.tool, &arguments, DRY_RUN);
        Ok(ResolvedCall {
            caller,
            entry,
            operation,
            schema,
            connection,
            session,
            arguments,
            masked,
            cursor,
            dry_run,
            notes,
        })
    }

    /// Asks the policy first: the arguments of a refused tool are not checked.
    fn accept(
        &self,
        entry: &'a CatalogEntry,
        schema: &ArgumentSchema,
        given: &Map<String, Value>,
    ) -> Result<Accepted<'a>, Failure> {
        self.tools.check_offered(entry)?;
        let (arguments, cursor) = check_arguments(&entry.tool, schema, given)?;
        let operation = entry.tool.call_for(&arguments);
        let operation =
            operation.ok_or_else(|| Failure::Internal(format!("`{}` calls no operation", entry.tool.name)))?;
        Ok(Accepted { operation, arguments, cursor })
    }

    fn connection(&self, entry: &CatalogEntry, operation: &Call) -> Result<&'a ApiConnection, Failure> {
        self.connections.get(&operation.api).ok_or_else(|| {
            let vendor = self.tools.catalog.vendor(&entry.vendor);
            let title = vendor.map_or(&entry.vendor, |vendor| &vendor.title);
            Failure::NotConfigured(format!("{title} has no address and credentials configured"))
        })
    }
}

impl<'a> ResolvedCall<'a> {
    pub(super) fn tool(&self) -> &'a Tool {
        &self.entry.tool
    }

    /// Returns whether an argument of toolwright's own (not the vendor's) is `true`.
    pub(super) fn is_set(&self, argument: &str) -> bool {
        is_set(self.tool(), &self.arguments, argument)
    }

    pub(super) fn only_reads(&self) -> bool {
        self.tool().effect == Some(Effect::Read)
    }
}

struct Accepted<'a> {
    operation: &'a Call,
    arguments: Map<String, Value>,
    cursor: Option<Cursor>,
}

fn is_set(tool: &Tool, arguments: &Map<String, Value>, name: &str) -> bool {
    tool.is_own_argument(name) && arguments.get(name) == Some(&Value::Bool(true))
}

/// Returns the arguments, checked and converted. With a cursor among them, these are the ones of
/// the call that it continues.
fn check_arguments(
    tool: &Tool,
    schema: &ArgumentSchema,
    given: &Map<String, Value>,
) -> Result<(Map<String, Value>, Option<Cursor>), Failure> {
    let check = |arguments: &Map<String, Value>| {
        schema
            .check(arguments)
            .map_err(|problems| Failure::Arguments { text: schema.describe(&problems, &tool.name), problems })
    };
    let written = match given.get(CURSOR) {
        Some(Value::String(written)) if tool.is_own_argument(CURSOR) => written,
        _ => return Ok((check(given)?, None)),
    };
    let refused = |expected: String| refused_cursor(tool, written, expected);
    let cursor = Cursor::read(written, &tool.name).map_err(refused)?;
    let mut others = given.clone();
    others.shift_remove(CURSOR);
    let arguments = check(&cursor.with(others))?;
    // The shown fields may change from page to page, but not within one answer.
    let may_differ = |name: &str| cursor.kept.is_none() && tool.is_own_argument(name);
    cursor.check(&arguments, may_differ).map_err(refused)?;
    Ok((arguments, Some(cursor)))
}

fn refused_cursor(tool: &Tool, written: &str, expected: String) -> Failure {
    let text = format!("the arguments of {} were not accepted; nothing was sent\n- `{CURSOR}`: {expected}", tool.name);
    let problem = ArgumentProblem {
        kind: ProblemKind::Invalid,
        argument: CURSOR.to_owned(),
        given: written.chars().take(40).collect(),
        expected,
        suggestion: None,
    };
    Failure::Arguments { text, problems: vec![problem] }
}

/// Replaces times relative to now, defaults too, and returns a note for each. Done before a cursor
/// is made, so that all pages are of the same span of time. Texts that are no times are left for
/// their format to refuse.
fn resolve_relative_times(operation: &Call, arguments: &mut Map<String, Value>, now: SystemTime) -> Vec<String> {
    let mut notes = Vec::new();
    for binding in &operation.bindings {
        let given = arguments.get(&binding.argument).or(binding.default.as_ref());
        if let Some((given, time)) =
            given.and_then(|given| formats::resolve_relative_times(&binding.formats, given, now))
        {
            notes.push(format!("`{}`: {given} is {time}", binding.argument));
            arguments.insert(binding.argument.clone(), Value::from(time));
        }
    }
    notes
}

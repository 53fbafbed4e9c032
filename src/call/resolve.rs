//! Stage 1: a name and arguments → the tool, operation and session that they mean. Asks the
//! policy, checks the arguments, continues the call that a cursor belongs to, and replaces times
//! relative to now.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::accounts::Accounts;
use super::api_connection::{ApiConnection, Session};
use super::argument_aliases;
use super::arguments::ArgumentSchema;
use super::call_record::CallRecord;
use super::call_tool::CallTool;
use super::caller::Caller;
use super::failure::{ArgumentProblem, Failure, ProblemKind};
use super::format_arguments::format_arguments;
use super::grant;
use super::id_sources;
use super::include;
use super::lookup::NoLookup;
use super::paging::cursor::{Cursor, CursorFault, MALFORMED, tool_digest};
use super::resolved_name::ResolvedName;
use super::shared_argument;
use super::tools::OfferedTools;
use crate::approval::Approvals;
use crate::catalog::CatalogEntry;
use crate::formats::{self, Folder, FormatContext, LookupCache};
use toolwright_model::{CURSOR, Call, DRY_RUN, Effect, Paging, Tool};

/// A call that the policy allows, with arguments that fit the input schema.
pub(super) struct ResolvedCall<'a> {
    pub(super) caller: &'a Caller,
    pub(super) entry: &'a CatalogEntry,
    pub(super) operation: &'a Call,
    pub(super) schema: &'a ArgumentSchema,
    /// The account that serves the call.
    pub(super) account: &'a str,
    pub(super) connection: Arc<ApiConnection>,
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
    /// The records that names in the arguments mean.
    pub(super) names: Vec<ResolvedName>,
}

/// The call of a workflow that the policy allows, with arguments that fit the input schema.
pub(super) struct ResolvedWorkflow<'a> {
    pub(super) entry: &'a CatalogEntry,
    pub(super) schema: &'a ArgumentSchema,
    /// Converted to the types of the schema.
    pub(super) arguments: Map<String, Value>,
    /// The same without secrets.
    pub(super) masked: Map<String, Value>,
    /// The cursor that the call was made with.
    pub(super) cursor: Option<Cursor>,
    pub(super) dry_run: bool,
}

/// What a call is resolved against.
pub(super) struct Resolver<'a> {
    pub(super) tools: &'a OfferedTools,
    pub(super) accounts: &'a Accounts,
    pub(super) now: SystemTime,
    /// Whether every call is a dry run.
    pub(super) dry_run: bool,
    /// The folder whose files may be sent, if the operator opened one.
    pub(super) folder: Option<&'a Folder>,
    /// What people grant beyond what a caller is offered.
    pub(super) approvals: Option<&'a Approvals>,
}

impl<'a> Resolver<'a> {
    /// Resolves a call; `record` is completed on the way, so that refused calls are recorded too.
    ///
    /// # Errors
    /// The tool is unknown, refused or not configured, or the arguments don't fit it.
    pub(super) async fn resolve(
        &self,
        caller: &'a Caller,
        name: &str,
        given: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<ResolvedCall<'a>, Failure> {
        let entry = self.tools.find(name)?;
        record.set_tool(entry);
        let schema = self.tools.schema(&entry.tool)?;
        let given = &*argument_aliases::renamed(&entry.tool, given);
        let given = &*shared_argument::flattened(&entry.tool, given);
        self.admit(caller, entry, schema, given, record).await?;
        let accepted = self.accept(caller, entry, schema, given).await;
        // Refused arguments are recorded as they were given, all others as they are sent.
        let accepted = accepted.inspect_err(|_| record.set_arguments(|| schema.masked(given)))?;
        let Accepted { operation, mut arguments, cursor } = accepted;
        let notes = resolve_relative_times(operation, &mut arguments, self.now);
        let masked = schema.masked(&arguments);
        record.set_arguments(|| {
            let cursor = cursor.as_ref().and_then(|_| given.get_key_value(CURSOR));
            let cursor = cursor.map(|(name, value)| (name.clone(), value.clone()));
            masked.clone().into_iter().chain(cursor).collect()
        });
        record.set_operation(operation);
        if let Some(account) = self.tools.grant().account(&entry.vendor) {
            self.accounts.look_again(account).await;
        }
        let (account, connection) = self.connection(caller, entry, operation)?;
        let session = connection.session(caller).map_err(|error| Failure::NotConfigured(error.to_string()))?;
        record.set_site(account, || session.site(), || connection.settings(&caller.chosen));
        let dry_run = self.dry_run || is_set(&entry.tool, &arguments, DRY_RUN);
        Ok(ResolvedCall {
            caller,
            entry,
            operation,
            schema,
            account,
            connection,
            session: Arc::new(session),
            arguments,
            masked,
            cursor,
            dry_run,
            notes,
            names: Vec::new(),
        })
    }

    /// Resolves the call of a workflow: all but its steps, each of which is a call of its own.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub(super) async fn resolve_workflow(
        &self,
        caller: &'a Caller,
        name: &str,
        given: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<ResolvedWorkflow<'a>, Failure> {
        let entry = self.tools.find(name)?;
        record.set_tool(entry);
        let schema = self.tools.schema(&entry.tool)?;
        let given = &*argument_aliases::renamed(&entry.tool, given);
        let given = &*shared_argument::flattened(&entry.tool, given);
        self.admit(caller, entry, schema, given, record).await?;
        let accepted = self.accept_arguments(caller, entry, schema, given).await;
        let (arguments, cursor) = accepted.inspect_err(|_| record.set_arguments(|| schema.masked(given)))?;
        let masked = schema.masked(&arguments);
        record.set_arguments(|| masked.clone());
        let dry_run = self.dry_run || is_set(&entry.tool, &arguments, DRY_RUN);
        Ok(ResolvedWorkflow { entry, schema, arguments, masked, cursor, dry_run })
    }

    /// Asks the policy: the arguments of a refused tool are not checked.
    async fn admit(
        &self,
        caller: &Caller,
        entry: &'a CatalogEntry,
        schema: &ArgumentSchema,
        given: &Map<String, Value>,
        record: &mut CallRecord<'a>,
    ) -> Result<(), Failure> {
        let offered = match caller.workflow {
            Some(_) => self.tools.check_step(entry),
            None => self.tools.check_offered(entry),
        };
        let Err(refused) = offered else { return Ok(()) };
        record.set_arguments(|| schema.masked(given));
        let refused = match self.approvals.filter(|_| caller.workflow.is_none()) {
            None => return Err(refused),
            Some(approvals) => grant::Refused { approvals, tools: self.tools, entry, schema, given, failure: refused },
        };
        record.set_grant(refused.granted(caller).await?);
        Ok(())
    }

    async fn accept(
        &self,
        caller: &Caller,
        entry: &'a CatalogEntry,
        schema: &ArgumentSchema,
        given: &Map<String, Value>,
    ) -> Result<Accepted<'a>, Failure> {
        let (mut arguments, cursor) = self.accept_arguments(caller, entry, schema, given).await?;
        include::merge(&entry.tool, &mut arguments);
        let operation = entry.tool.call_for(&arguments);
        let operation =
            operation.ok_or_else(|| Failure::Internal(format!("`{}` calls no operation", entry.tool.name)))?;
        Ok(Accepted { operation, arguments, cursor })
    }

    async fn accept_arguments(
        &self,
        caller: &Caller,
        entry: &'a CatalogEntry,
        schema: &ArgumentSchema,
        given: &Map<String, Value>,
    ) -> Result<(Map<String, Value>, Option<Cursor>), Failure> {
        let right = CallTool::of(entry.tool.effect);
        if caller.through.is_some_and(|through| through != right) {
            return Err(Failure::OtherCallTool { tool: entry.tool.name.clone(), right });
        }
        self.check_arguments(entry, schema, given).await
    }

    /// Returns the arguments, checked and converted. With a cursor among them, these are the ones of
    /// the call that it continues.
    async fn check_arguments(
        &self,
        entry: &CatalogEntry,
        schema: &ArgumentSchema,
        given: &Map<String, Value>,
    ) -> Result<(Map<String, Value>, Option<Cursor>), Failure> {
        let tool = &entry.tool;
        shared_argument::check(tool, given)?;
        let written = match given.get(CURSOR) {
            Some(Value::String(written)) if tool.is_own_argument(CURSOR) => written,
            _ => return Ok((self.check(entry, schema, given).await?, None)),
        };
        let refused = |expected: String| refused_cursor(tool, written, expected);
        let cursor = Cursor::read(written, &tool.name, schema.names()).map_err(|fault| refused(self.told(&fault)))?;
        let mut others = given.clone();
        others.shift_remove(CURSOR);
        let arguments = self.check(entry, schema, &cursor.with(others)).await?;
        // The shown fields may change from page to page, but not within one answer.
        let may_differ = |name: &str| cursor.kept.is_none() && tool.is_own_argument(name);
        cursor.check(&arguments, may_differ).map_err(refused)?;
        let operation = tool.call_for(&arguments);
        let paging = operation.and_then(|operation| tool.paging().and(operation.paging.as_ref()));
        cursor.start.check(paging).map_err(|wrong| refused(format!("{MALFORMED} (it has {wrong})")))?;
        // What is offered as an argument, too, is bounded by the schema.
        let placed = operation.and_then(|operation| Some(pager_arguments(operation, paging?, &cursor, &arguments)));
        if let Some(placed) = placed.filter(|placed| *placed != arguments) {
            self.check(entry, schema, &placed).await?;
        }
        Ok((arguments, Some(cursor)))
    }

    /// Says what is wrong with a cursor, and what to do.
    fn told(&self, fault: &CursorFault) -> String {
        let of_tool = match fault {
            CursorFault::Malformed => None,
            CursorFault::OtherTool(digest) => {
                // Of others the caller learns nothing.
                let mut names = self.tools.iter().map(|entry| &entry.tool.name);
                names.find(|name| tool_digest(name) == *digest)
            }
        };
        match of_tool {
            Some(name) => format!("this cursor belongs to `{name}`: call that tool with it"),
            None => MALFORMED.to_owned(),
        }
    }

    /// Checks arguments against the schema. What is wrong by their formats is named in the same
    /// answer: a model that mends one thing at a time calls once for each.
    async fn check(
        &self,
        entry: &CatalogEntry,
        schema: &ArgumentSchema,
        given: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let tool = &entry.tool;
        let problems = match schema.check(given) {
            Ok(arguments) => return Ok(arguments),
            Err(problems) => problems,
        };
        let arguments = schema.converted(given);
        let operation = tool.call_for(&arguments).or(tool.calls.first());
        let more = match operation {
            Some(operation) => {
                let (now, cache) = (self.now, LookupCache::default());
                let files = self.folder.map(Folder::for_call);
                // Nothing is looked up for a call that is refused anyway.
                let context = FormatContext {
                    now,
                    files: files.as_ref(),
                    lookup: &NoLookup,
                    cache: &cache,
                    path: &[],
                    properties: &[],
                };
                format_arguments(operation, schema, &arguments, None, &context).await.problems
            }
            None => Vec::new(),
        };
        let problems = schema.joined(problems, more);
        Err(id_sources::refused(problems, schema, entry, self.tools))
    }

    /// Returns the account of the caller's grant that serves a vendor, and its connection.
    fn connection(
        &self,
        caller: &Caller,
        entry: &CatalogEntry,
        operation: &Call,
    ) -> Result<(&'a str, Arc<ApiConnection>), Failure> {
        let vendor = self.tools.catalog.vendor(&entry.vendor);
        let title = vendor.map_or(&entry.vendor, |vendor| &vendor.title);
        // A token is sent to the vendor that issued it and to no other.
        if caller.brought.as_ref().is_some_and(|brought| brought.vendor != entry.vendor) {
            return Err(Failure::NotConfigured(format!("the token of this connection is not one of {title}")));
        }
        let account = self.tools.grant().account(&entry.vendor);
        if account.is_some_and(|name| self.accounts.is_for_desks(name)) && !caller.for_help_desk {
            let reason = "is served by an account that only raises approvals, and is kept from callers";
            return Err(Failure::NotConfigured(format!("{title} {reason}")));
        }
        let connected = account.and_then(|name| Some((name, self.accounts.get(name, &operation.api)?)));
        connected.ok_or_else(|| Failure::NotConfigured(format!("{title} has no address and credentials configured")))
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

/// The arguments with position and size of a cursor's page under the names that the tool offers them by, if it does.
fn pager_arguments(
    operation: &Call,
    paging: &Paging,
    cursor: &Cursor,
    arguments: &Map<String, Value>,
) -> Map<String, Value> {
    let mut placed = arguments.clone();
    let size = paging.size.as_ref().zip(cursor.start.size.map(Value::from));
    for (place, value) in std::iter::once(&paging.position).zip(cursor.start.at.clone()).chain(size) {
        if let Some(binding) = operation.bindings.iter().find(|binding| binding.place == *place) {
            placed.insert(binding.argument.clone(), value);
        }
    }
    placed
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

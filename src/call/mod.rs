//! A tool's name and arguments → the vendor's answer, or what would be sent: the only way to call
//! a vendor, for the server and the command line. One call passes these stages, in this order:
//!
//! | stage | file | in → out | fails with |
//! |---|---|---|---|
//! | admit | `caller_limiter` | [`Caller`] → a slot to run in | `Throttled` |
//! | 1 resolve | `resolve` | name, arguments → `ResolvedCall`: tool, operation, session, checked arguments | `UnknownTool`, `Refused`, `Arguments`, `NotConfigured` |
//! | 2 names | `names` | `ResolvedCall` → the same, with ids in place of names; each look-up is a call of its own | `Arguments`, `Call` |
//! | 1 find root | `find_root` | `ResolvedCall` → the same, at the complete address where the vendor states a part of it | `Call`, `NotConfigured` |
//! | 2 restore | `restore` | `ResolvedCall` → the same, with what the marks of an earlier answer stand for | `Arguments` |
//! | 2 prepare | `prepare` | `ResolvedCall` → `PreparedCall`: values in the vendor's formats, first page | `Arguments` |
//! | 3 plan | `plan` | `PreparedCall` → [`PlannedCall`] (dry runs end here) | `Call` |
//! | 3 approve | `approve` | `PreparedCall` → a person's permission to send it, where one is needed | `Held` |
//! | 3 send | `send`, `send_approved`, `retry`, `arrived` | `PreparedCall` → `Pages`: the answer, after waits and retries, if it is what the description states | `Call`, with `advice` |
//! | 3 wait | `wait` | `Pages` that began work in the background → how the work stands at its end, or after a bound | – |
//! | 4 present | `present` | `Pages` → [`Reply`]: projected, sanitized, with what was left out and a cursor | `Projection` |
//! | record | `call_record` | the [`CallResult`] or [`Failure`] → audit log, metrics | – |
//!
//! A help desk whose agents approve calls is asked by such calls, too: `help_desk` makes them for the server itself.
//!
//! A call for several tenants is such a call for each of them: `tenant_calls` says which.
//!
//! A workflow's steps are such calls, which end at `step` in place of `present`; `composed` has what is around them.
//!
//! [`recheck`] has the checks of stage 1 and 2 for calls that were recorded; it sends nothing.
//!
//! [`Toolbox`] runs the stages. Imports within this module follow the table: stages import the
//! stages above them and what several share (`arrived`, `call_tool`, `caller`, `failure`, `format_arguments`, `id_sources`, `name_places`, `off_thread`,
//! `resolved_name`, `result`, `reply`, `rich_text`, `step`, `steps_approval`, `tenants`).

mod accounts;
mod advice;
mod api_connection;
mod approve;
mod argument_aliases;
pub mod arguments;
mod arrived;
mod call_record;
mod call_tool;
mod caller;
mod caller_limiter;
mod composed;
mod decided;
mod failure;
mod find_root;
mod format_arguments;
mod grant;
mod help_desk;
mod id_sources;
mod include;
mod lookup;
mod name_places;
mod names;
mod off_thread;
mod paging;
mod plan;
mod prepare;
mod present;
mod read_texts;
pub mod recheck;
pub(crate) mod record_slices;
mod reply;
mod resolve;
mod resolved_name;
mod restore;
mod result;
mod retry;
mod rich_text;
mod send;
mod send_approved;
mod shared_argument;
mod step;
mod steps_approval;
mod tenant_calls;
mod tenants;
mod tool_names;
mod toolbox;
mod tools;
mod wait;

pub use call_tool::CallTool;
pub(crate) use caller::ONLY_SESSION;
pub use caller::{Caller, SessionId, StepOf};
pub(crate) use composed::{Begun, ComposedCall};
pub use decided::AdministrativeAct;
pub use failure::{ArgumentProblem, Failure, ProblemKind};
pub(crate) use off_thread::off_thread;
pub use paging::cursor::ReplyOffset;
pub use paging::page::{HasMore, Page};
pub(crate) use reply::Envelope;
pub use reply::Reply;
pub use resolved_name::ResolvedName;
pub use result::{CallResult, PlannedCall, TenantResults, WorkflowReport};
pub(crate) use result::{Composed, Ending};
pub use retry::RetryPolicy;
pub(crate) use step::{StepAnswer, StepResult};
pub use steps_approval::StepsApproval;
pub(crate) use tenant_calls::{TenantCall, TenantCalls};
pub use tenants::Tenant;
pub(crate) use tenants::tenants_in;
pub use toolbox::Toolbox;
pub use tools::OfferedTools;

//! A tool's name and arguments → the vendor's answer, or what would be sent: the only way to call
//! a vendor, for the server and the command line. One call passes these stages, in this order:
//!
//! | stage | file | in → out | fails with |
//! |---|---|---|---|
//! | admit | `caller_limiter` | [`Caller`] → a slot to run in | `Throttled` |
//! | 1 resolve | `resolve` | name, arguments → `ResolvedCall`: tool, operation, session, checked arguments | `UnknownTool`, `Refused`, `Arguments`, `NotConfigured` |
//! | 2 restore | `restore` | `ResolvedCall` → the same, with what the marks of an earlier answer stand for | `Arguments` |
//! | 2 prepare | `prepare` | `ResolvedCall` → `PreparedCall`: values in the vendor's formats, first page | `Arguments` |
//! | 3 plan | `plan` | `PreparedCall` → [`PlannedCall`] (dry runs end here) | `Call` |
//! | 3 send | `send`, `retry`, `arrived` | `PreparedCall` → `Pages`: the answer, after waits and retries, if it is what the description states | `Call`, with `advice` |
//! | 4 present | `present` | `Pages` → [`Reply`]: projected, sanitized, with what was left out and a cursor | `Projection` |
//! | record | `call_record` | the [`CallResult`] or [`Failure`] → audit log, metrics | – |
//!
//! [`recheck`] has the checks of stage 1 and 2 for calls that were recorded; it sends nothing.
//!
//! [`Toolbox`] runs the stages. Imports within this module follow the table: stages import the
//! stages above them and what several share (`arrived`, `call_tool`, `caller`, `failure`, `format_arguments`, `id_sources`, `off_thread`, `result`,
//! `reply`, `rich_text`).

mod accounts;
mod advice;
mod api_connection;
pub mod arguments;
mod arrived;
mod call_record;
mod call_tool;
mod caller;
mod caller_limiter;
mod failure;
mod format_arguments;
mod id_sources;
mod lookup;
mod off_thread;
mod paging;
mod plan;
mod prepare;
mod present;
pub mod recheck;
pub(crate) mod record_slices;
mod reply;
mod resolve;
mod restore;
mod result;
mod retry;
mod rich_text;
mod send;
mod shared_argument;
mod tool_names;
mod toolbox;
mod tools;

pub use call_tool::CallTool;
pub(crate) use caller::ONLY_SESSION;
pub use caller::{Caller, SessionId};
pub use failure::{ArgumentProblem, Failure, ProblemKind};
pub(crate) use off_thread::off_thread;
pub use paging::cursor::ReplyOffset;
pub use paging::page::{HasMore, Page};
pub(crate) use reply::Envelope;
pub use reply::Reply;
pub use result::{CallResult, PlannedCall};
pub use retry::RetryPolicy;
pub use toolbox::Toolbox;
pub use tools::OfferedTools;

//! A tool's name and arguments → the vendor's answer, or what would be sent: the only way to call
//! a vendor, for the server and the command line. One call passes these stages, in this order:
//!
//! | stage | file | in → out | fails with |
//! |---|---|---|---|
//! | admit | `caller_limiter` | [`Caller`] → a permit to run | `Throttled` |
//! | 1 resolve | `resolve` | name, arguments → `ResolvedCall`: tool, operation, session, checked arguments | `UnknownTool`, `Refused`, `Arguments`, `NotConfigured` |
//! | 2 prepare | `prepare` | `ResolvedCall` → `PreparedCall`: values in the vendor's formats, first page | `Arguments` |
//! | 3 plan | `plan` | `PreparedCall` → [`PlannedCall`] (dry runs end here) | `Call` |
//! | 3 send | `send`, `retry` | `PreparedCall` → `Pages`: the answer, after waits and retries | `Call`, with `advice` |
//! | 4 present | `present` | `Pages` → [`Reply`]: projected, sanitized, with a cursor | `Projection` |
//! | record | `call_record` | the [`CallResult`] or [`Failure`] → audit log, metrics | – |
//!
//! [`Toolbox`] runs the stages. Imports within this module follow the table: stages import the
//! stages above them and the types that all share (`caller`, `failure`, `result`, `reply`).

mod advice;
mod api_connection;
pub mod arguments;
mod call_record;
mod caller;
mod caller_limiter;
mod failure;
mod lookup;
mod paging;
mod plan;
mod prepare;
mod present;
pub(crate) mod record_slices;
mod reply;
mod resolve;
mod result;
mod retry;
mod send;
mod toolbox;
mod tools;

pub use caller::{Caller, SessionId};
pub use failure::{ArgumentProblem, Failure, ProblemKind};
pub use paging::cursor::ReplyOffset;
pub use paging::page::Page;
pub use reply::Reply;
pub use result::{CallResult, PlannedCall};
pub use retry::RetryPolicy;
pub use toolbox::Toolbox;

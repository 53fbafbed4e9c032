//! Tools and vendors as plain data: the build writes them to `generated/<api>/tools.json` and the
//! program reads them back. It imports nothing of ours, so that both halves can share it.

mod format;
pub mod media_type;
mod name;
mod operation;
mod paging;
mod portability;
mod settings_file;
mod suggest;
mod summary;
mod tool;
mod truncate;
mod vendor;
mod words;

pub use format::{FormatName, Formatted};
pub use name::{
    ALL_TAGS, CORE_TAG, HELD_BACK_TAGS, MAX_TOOL_NAME, UNREVIEWED_TAG, UNVERIFIED_TAG, api_id, api_stem, function_name,
    is_tool_name, kebab_case, resource_words, snake_case,
};
pub use operation::{BodyKind, Location, Operation, Parameter, ParameterKind, QueryStyle, RequestBody};
pub use paging::{Paging, PagingKind, PagingStyle, Signs};
pub use portability::portability_faults;
pub use settings_file::{Profile, SettingsFile};
pub use suggest::{suggest, suggest_one};
pub use summary::{OperationSummary, ToolSummary};
pub use tool::{
    ALL, Annotations, ApiTools, Binding, CURSOR, Call, Condition, DETAIL, DRY_RUN, Effect, FIELDS, FULL, Fixed, Hint,
    JQ, Place, Risk, Tool, Verb,
};
pub use truncate::truncate;
pub use vendor::{
    Address, AddressVariable, Check, ClientSecret, Credential, Holds, Limits, Refusal, Setting, Template, Vendor,
};

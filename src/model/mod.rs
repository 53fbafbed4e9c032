//! What a tool is: plain data that the build writes to `generated/<api>/tools.json` and the
//! program reads back. Imports nothing of ours, so that both halves can share it.

mod name;
mod operation;
mod tool;
mod vendor;

pub use name::{
    ALL_TAGS, CORE_TAG, HELD_BACK_TAGS, MAX_TOOL_NAME, UNREVIEWED_TAG, UNVERIFIED_TAG, api_id, api_stem, function_name,
    is_tool_name, kebab_case, resource_words, snake_case,
};
pub use operation::{BodyKind, Location, Operation, Parameter, ParameterKind, QueryStyle, RequestBody};
pub use tool::{
    Annotations, ApiTools, Binding, Call, Condition, DRY_RUN, Effect, FIELDS, Fixed, Hint, Place, Risk, Tool, Verb,
};
pub use vendor::{
    Address, AddressVariable, Check, ClientSecret, Credential, Holds, Limits, Refusal, Setting, Template, Vendor,
};

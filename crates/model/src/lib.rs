//! Tools and vendors as plain data: the build writes them to `generated/<api>/tools.json` and the
//! program reads them back. It imports nothing of ours, so that both halves can share it.

pub mod answer_limits;
pub mod answers;
mod argument_rule;
pub mod comparison;
pub mod file_limits;
mod format;
mod head;
mod listing;
pub mod media_type;
mod name;
mod operation;
mod paging;
mod phrase_rule;
mod portability;
mod prompt;
mod resolve;
mod settings_file;
mod suggest;
mod summary;
mod synonyms;
mod tool;
mod truncate;
mod vendor;
mod words;
pub mod workflow;

pub use argument_rule::ArgumentRule;
pub use format::{FormatName, Formatted, Letters, TextPattern};
pub use head::{IndexedFile, IndexedTool, SharedArguments, ToolHead, ToolIndex, words_like_names};
pub use name::{
    ALL_TAGS, CORE_TAG, HELD_BACK_TAGS, MAX_ARGUMENT_NAME, MAX_TOOL_NAME, UNREVIEWED_TAG, UNVERIFIED_TAG, api_id,
    api_stem, argument_name, function_name, is_argument_name, is_tool_name, kebab_case, resource_words, snake_case,
    vendor_tag,
};
pub use operation::{BodyKind, Location, Operation, Parameter, QueryStyle, RequestBody};
pub use paging::{Paging, PagingKind, PagingStyle, Signs};
pub use phrase_rule::PhraseRule;
pub use portability::portability_faults;
pub use prompt::{Prompt, PromptArgument, PromptValues};
pub use resolve::{NAME_PREFIX, NameLookup, Resolve, ResolveKind, TEXT_PLACEHOLDER};
pub use settings_file::{
    AccountVariables, AdminClaim, ClaimGrant, ConsoleSettings, DeskSettings, LoginSettings, OauthSettings, Profile,
    ProviderClient, SettingsFile,
};
pub use suggest::{suggest, suggest_one};
pub use summary::{OperationSummary, ToolSummary};
pub use synonyms::{Synonyms, Wish, WordForm};
pub use tool::{
    ALL, ANSWER, Annotations, ApiTools, Binding, CURSOR, Call, Clear, Condition, DETAIL, DRY_RUN, EACH_ENTRY,
    EACH_ITEM, Effect, FIELDS, FULL, Fixed, Hint, INCLUDE, JQ, Place, RAW, ReadBack, Returns, Risk, Tool, Unshown,
    Verb, Wait,
};
pub use truncate::truncate;
pub use vendor::{
    Address, AddressVariable, Check, ClientSecret, Credential, DescriptionSource, DeskCall, DeskDecision, DeskPerson,
    DeskPlace, DeskSetting, DeskTicket, FoundWord, FromAnswer, FurtherCheck, HelpDesk, Holds, Inbound, Limits, Login,
    LoginSites, Markup, ReachedTenants, Refusal, Server, Setting, Template, Vendor, in_template,
};

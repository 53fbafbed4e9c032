//! A tool as it is in `tools.json`: what a model sees, what the policy weighs, and how its
//! arguments become the request of an operation.

mod asked;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Paging;
use super::format::{FormatName, Formatted};
use super::resolve::Resolve;
use super::words::words;
use super::workflow::Workflow;

/// The tools of one API: the content of `generated/<api>/tools.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiTools {
    /// The API's id, such as `jitbit` or `jumpcloud-v2`.
    pub api: String,
    /// The vendor's id.
    pub vendor: String,
    /// The tools in order of their names.
    pub tools: Vec<Tool>,
}

/// The argument of every tool that may change something: show the request and send nothing.
pub const DRY_RUN: &str = "dry_run";
/// The argument of every tool that reads and has no argument of this name at the vendor: which
/// fields of the answer's records to keep.
pub const FIELDS: &str = "fields";
/// The argument of every tool that reads: what comes after the answer before.
pub const CURSOR: &str = "cursor";
/// The argument by whose words a list argument gets further values, on tools whose overlay states some.
pub const INCLUDE: &str = "include";
/// The argument of every tool that pages: all pages, up to a bound.
pub const ALL: &str = "all";

/// The argument of every tool that reads, where its overlay states what is concise or another tool
/// writes back what it reads: how much of each record to give.
pub const DETAIL: &str = "detail";
/// The value of [`DETAIL`] that gives everything.
pub const FULL: &str = "full";
/// The value of [`DETAIL`] that gives everything as the vendor has it: to be changed and written back.
pub const RAW: &str = "raw";
/// The argument of every tool that reads: a filter over the answer.
pub const JQ: &str = "jq";

/// The argument under which clients are shown what every tool that reads has: [`DETAIL`], [`FIELDS`], [`JQ`], [`ALL`].
/// They are accepted beside it, too.
pub const ANSWER: &str = "answer";

/// One tool.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tool {
    /// `{vendor}_{verb}_{resource}`, unique across vendors.
    pub name: String,
    /// A few words for a person.
    pub title: String,
    /// What a model reads before it calls.
    pub description: String,
    /// What calling it does at the vendor; `None` while it is not reviewed.
    pub effect: Option<Effect>,
    /// What kind of call it is.
    pub verb: Verb,
    /// What else calling it may cause.
    pub risks: BTreeSet<Risk>,
    /// The vendor's tags and ours.
    pub tags: BTreeSet<String>,
    /// Names that other servers use for the same tool; a call by alias works.
    pub aliases: Vec<String>,
    /// How people ask for it, for the search only: no model is sent them with the tool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phrases: Vec<String>,
    /// The MCP hints, true to effect and risks.
    pub annotations: Annotations,
    /// Self-contained JSON Schema of the arguments, kept as text until it is needed:
    /// parsing every schema would dominate the start of the server.
    pub input_schema: Box<RawValue>,
    /// Arguments that few callers need: clients are sent their names only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlisted: Vec<String>,
    /// What is checked of the arguments beside that schema.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unshown: Vec<Unshown>,
    /// The operations it calls; the first whose condition holds is taken. None where it is a workflow.
    pub calls: Vec<Call>,
    /// The steps of a tool of several calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Box<Workflow>>,
    /// Dotted paths to what is kept of each record unless everything is requested; empty where
    /// there is no difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concise: Vec<String>,
}

/// Keywords of JSON Schema that are checked before a request is sent, and that no client is shown:
/// some refuse them, and a model can't use them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unshown {
    /// The JSON pointer into the input schema.
    pub at: String,
    /// The keywords that hold there too.
    pub keywords: Map<String, Value>,
}

/// The MCP annotations of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol has these four hints")]
pub struct Annotations {
    /// Nothing at the vendor changes.
    pub read_only_hint: bool,
    /// Something may be overwritten or lost.
    pub destructive_hint: bool,
    /// Repeating the call has no further effect.
    pub idempotent_hint: bool,
    /// The tool talks to a system outside.
    pub open_world_hint: bool,
}

/// How a tool's arguments become the request of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Call {
    /// The id of the API that the operation belongs to.
    pub api: String,
    /// The operation's id within that API.
    pub operation: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// The path as the vendor's description writes it.
    pub path: String,
    /// When this operation is the one; always where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// The scopes that a token needs: all of any one entry; none where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Vec<String>>,
    /// Where each argument goes.
    pub bindings: Vec<Binding>,
    /// What is always sent and never offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<Fixed>,
    /// The arguments of which at least one has to be given; none where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs_one_of: Vec<String>,
    /// Advice for refusals of the vendor that are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
    /// What it answers with, as the description states it.
    #[serde(default, skip_serializing_if = "Returns::is_json")]
    pub returns: Returns,
    /// The format that its answers hold, and that a model gets in a plainer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<FormatName>,
    /// How its pages are requested and read; `None` where it answers with all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// What reads the record that it changes; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<ReadBack>,
    /// Whether it reads what another operation changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub written_back: bool,
    /// How its end is waited for, where the vendor works on it in the background; `None` where its answer is the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
}

/// How the end of a change is waited for that the vendor works on in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The operation of the same API that returns how the work stands; it only reads.
    pub operation: String,
    /// Its input that names the work.
    pub input: Place,
    /// A JSON pointer to that name in the answer that began the work.
    pub value: String,
    /// A JSON pointer to the state in the answer of `operation`.
    pub state: String,
    /// The states in which the work goes on.
    pub running: Vec<String>,
}

/// What an operation answers with where it succeeds, as the description states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Returns {
    /// JSON. An answer that is text and no JSON is broken.
    #[default]
    Json,
    /// A file: bytes, or text that the description does not describe, whose names and texts its author chose.
    File,
    /// The description does not state it.
    Unstated,
}

impl Returns {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_json(&self) -> bool {
        *self == Self::Json
    }
}

/// The operation of the same API that reads the record which a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Its id.
    pub operation: String,
    /// Its inputs that name the record; the change has one of the same name for each.
    pub inputs: Vec<Place>,
}

/// Holds when an argument has a certain value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The argument's name in the input schema.
    pub argument: String,
    /// The value.
    pub equals: Value,
}

/// Where one argument goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// The argument's name in the input schema.
    pub argument: String,
    /// Other names under which it is understood; no client is shown them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Where in the request it goes.
    #[serde(flatten)]
    pub place: Place,
    /// One value is offered where the vendor takes a list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
    /// Sent when the argument is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What the words of [`INCLUDE`] add to the list: word → value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub include: BTreeMap<String, String>,
    /// How the value is written for the vendor, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<Formatted>,
    /// Which parts take a name in place of an id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolve: Vec<Resolve>,
    /// Which parts a caller clears with `null`, and what the vendor gets then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clears: Vec<Clear>,
    /// The character that separates the values of the list in the request; no value can contain it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
}

/// A part of an argument that a caller clears with `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clear {
    /// Dotted path inside the argument, with [`EACH_ITEM`] for the values of a list and
    /// [`EACH_ENTRY`] for those of an object with free names; empty: all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What the vendor takes for it; `null` where it is missing.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub send: Value,
}

/// The step of a path that leads to every value of a list.
pub const EACH_ITEM: &str = "[]";
/// The step of a path that leads to every entry of an object with free names.
pub const EACH_ENTRY: &str = "*";

/// A value that is always sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fixed {
    /// Where in the request it goes.
    #[serde(flatten)]
    pub place: Place,
    /// What is sent.
    pub value: Value,
}

/// A place in a request, by the vendor's spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "in", content = "parameter", rename_all = "kebab-case")]
pub enum Place {
    /// A path parameter.
    Path(String),
    /// A query parameter.
    Query(String),
    /// A request header.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A top-level property of the body.
    Property(String),
    /// Further top-level properties of the body: the entries of an object argument.
    Properties,
    /// The whole body.
    Body,
}

/// The advice for a model when the vendor answers with `status` to a call whose `argument` had a
/// certain value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// The status that the vendor answered with.
    pub status: u16,
    /// The argument that the hint is about.
    pub argument: String,
    /// The value that was refused.
    pub equals: Value,
    /// The advice.
    pub say: String,
}

impl Call {
    /// Returns the place of this call that has the value of another operation's `place`: the same, or
    /// one of the same name.
    pub fn place_like(&self, place: &Place) -> Option<&Place> {
        let named = |other: &&Place| place.name().is_some() && other.name() == place.name();
        self.places().find(|other| *other == place).or_else(|| self.places().find(named))
    }

    /// Returns the places of the request that it fills.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.bindings.iter().map(|b| &b.place).chain(self.fixed.iter().map(|fixed| &fixed.place))
    }
}

impl Place {
    /// Returns the name of the parameter or property; `None` for the body as a whole.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Path(name) | Self::Query(name) | Self::Header(name) | Self::Cookie(name) | Self::Property(name) => {
                Some(name)
            }
            Self::Properties | Self::Body => None,
        }
    }
}

words! {
    /// What calling an operation does at the vendor, stated by someone who looked.
    Effect {
        /// Nothing changes and no one is notified.
        Read = "read",
        /// Something is added or changed.
        Write = "write",
        /// Something is removed or cut off.
        Destructive = "destructive",
    }
}

words! {
    /// What a call may cause besides its effect.
    Risk {
        /// Reads personal or access-relevant data.
        Sensitive = "sensitive",
        /// A person gets mail or another message.
        Notifies = "notifies",
        /// Interrupts a person's work.
        Disruptive = "disruptive",
        /// Answers with a secret.
        RevealsSecret = "reveals_secret",
        /// Makes an account or a device easier to take over.
        WeakensSecurity = "weakens_security",
        /// Can't be undone through the product.
        Irreversible = "irreversible",
        /// Runs code on a managed machine.
        RunsCode = "runs_code",
    }
}

impl Risk {
    /// The risks that `--allow` must name one by one; nothing else opens them.
    pub const GATED: [Self; 4] = [Self::RevealsSecret, Self::WeakensSecurity, Self::Irreversible, Self::RunsCode];

    /// Returns whether only `--allow` opens tools with this risk.
    pub fn is_gated(self) -> bool {
        Self::GATED.contains(&self)
    }
}

words! {
    /// The kind of call.
    Verb {
        /// Several records.
        List = "list",
        /// One record.
        Get = "get",
        /// Records that match a text or a query.
        Search = "search",
        /// A new record.
        Create = "create",
        /// A changed record.
        Update = "update",
        /// A record less.
        Delete = "delete",
        /// Anything else.
        Action = "action",
    }
}

impl Binding {
    /// Returns the binding of an argument that is sent as it is given.
    pub fn plain(argument: impl Into<String>, place: Place) -> Self {
        Self {
            argument: argument.into(),
            aliases: Vec::new(),
            place,
            single: false,
            default: None,
            include: BTreeMap::new(),
            formats: Vec::new(),
            resolve: Vec::new(),
            clears: Vec::new(),
            separator: None,
        }
    }

    /// Returns what the vendor gets where the caller clears the whole argument with `null`.
    pub fn cleared(&self) -> Option<&Value> {
        self.clears.iter().find(|clear| clear.at.is_empty()).map(|clear| &clear.send)
    }
}

impl Call {
    /// Returns the argument that leaves the answer as the vendor wrote it: a switch with the name
    /// of the answer's format.
    pub fn raw_argument(&self) -> Option<&str> {
        self.answers.as_ref().map(FormatName::as_str)
    }
}

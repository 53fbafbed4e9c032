//! What can change in a description → a kind with its severity by one rule: a request that narrows or an
//! answer that loses breaks; the other way adds.

use serde::{Serialize, Serializer};

/// What a change does to the calls of our tools; the gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Not reported.
    Ignore,
    /// Only texts for people differ.
    Words,
    /// Calls go on as before; something can be added or reviewed.
    Change,
    /// Calls that were right are refused, or an answer lacks what it had.
    Breaking,
}

impl Severity {
    /// Every severity, the gravest first.
    pub(crate) const ALL: [Self; 4] = [Self::Breaking, Self::Change, Self::Words, Self::Ignore];

    /// The word in `drift.toml` and in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Words => "words",
            Self::Change => "change",
            Self::Breaking => "breaking",
        }
    }
}

/// Declares the kinds: word, severity, what it means for a call, what to do about it.
macro_rules! kinds {
    ($($variant:ident = $word:literal, $severity:ident, $means:literal, $next:literal;)+) => {
        /// A kind of change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Kind { $($variant,)+ }

        impl Kind {
            /// Every kind, in the order of reports.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in `drift.toml` and in reports.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Its severity where `drift.toml` states no other.
            pub(crate) fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// What it means for a call.
            pub(crate) fn means(self) -> &'static str {
                match self { $(Self::$variant => $means),+ }
            }

            /// What to do about it.
            pub(crate) fn next(self) -> &'static str {
                match self { $(Self::$variant => $next),+ }
            }
        }
    };
}

kinds! {
    OperationRemoved = "operation-removed", Breaking, "the operation is gone: every call is refused",
        "its tool ends: delete the action, or find what replaces it";
    OperationMoved = "operation-moved", Breaking, "the operation has another path: calls to the old one are refused",
        "retarget the action; the tool stays";
    OperationMethodChanged = "operation-method-changed", Breaking, "the operation has another method: calls with the old one are refused",
        "retarget the action and look at its effect again";
    OperationAdded = "operation-added", Change, "a new operation, which no tool reaches yet",
        "state its effect and describe it, or skip it with a reason";
    OperationDeprecated = "operation-deprecated", Change, "the vendor means to remove the operation",
        "name the replacement in the tool's description, and plan its end";
    OperationUndeprecated = "operation-undeprecated", Change, "the operation is not deprecated any more",
        "take the warning out of the tool's description";
    OperationIdChanged = "operation-id-changed", Change, "the same operation has another operationId: calls go on",
        "follow the new id where overlay and vendor.toml name the old one";
    PathParameterRenamed = "path-parameter-renamed", Change, "the same operation: only the name in its path differs, requests don't",
        "retarget the action and keep the argument's name with `name`";
    ParameterRemoved = "parameter-removed", Breaking, "the vendor takes the parameter no more: it is refused or has no effect",
        "remove the argument from overlay and descriptions";
    ParameterRenamed = "parameter-renamed", Breaking, "the vendor takes the parameter under another name only",
        "follow the name; `name` in the overlay keeps the argument's";
    ParameterMoved = "parameter-moved", Breaking, "the vendor takes the parameter at another place only",
        "follow the place; the argument keeps its name";
    ParameterAdded = "parameter-added", Change, "a new optional parameter",
        "describe it, or leave it out with a reason";
    ParameterAddedRequired = "parameter-added-required", Breaking, "calls without the new parameter are refused",
        "offer it as an argument, or send a fixed value";
    ParameterRequired = "parameter-required", Breaking, "calls without the parameter are refused",
        "the argument becomes required: look at descriptions and samples";
    ParameterOptional = "parameter-optional", Change, "calls may leave the parameter out",
        "nothing, unless the overlay demands it for that reason";
    ParameterDeprecated = "parameter-deprecated", Change, "the vendor means to remove the parameter",
        "leave it out, or name the replacement in its description";
    ParameterStyle = "parameter-style-changed", Breaking, "lists and objects are written another way: the vendor reads ours wrongly",
        "take over style and explode";
    PropertyRemoved = "property-removed", Breaking, "the vendor takes the property no more: it is refused or has no effect",
        "remove the argument from overlay and descriptions";
    PropertyRenamed = "property-renamed", Breaking, "the vendor takes the property under another name only",
        "follow the name; `name` in the overlay keeps the argument's";
    PropertyAdded = "property-added", Change, "a new optional property of the body",
        "describe it, or leave it out with a reason";
    PropertyAddedRequired = "property-added-required", Breaking, "calls without the new property are refused",
        "offer it as an argument, or send a fixed value";
    PropertyRequired = "property-required", Breaking, "calls without the property are refused",
        "the argument becomes required: look at descriptions and samples";
    PropertyOptional = "property-optional", Change, "calls may leave the property out",
        "nothing, unless the overlay demands it for that reason";
    PropertyDeprecated = "property-deprecated", Change, "the vendor means to remove the property",
        "leave it out, or name the replacement in its description";
    FurtherClosed = "further-properties-closed", Breaking, "properties of any name are refused now",
        "take the free names out of overlay and descriptions";
    FurtherOpened = "further-properties-opened", Change, "properties of any name are taken",
        "offer them with the argument key `*`, or leave it";
    TypeChanged = "type-changed", Breaking, "values of the type that we send are refused",
        "take over the type; look at format, default and samples";
    TypeWidened = "type-widened", Change, "values of further types are taken",
        "nothing, unless the further type helps a caller";
    FormatChanged = "format-changed", Breaking, "values of the notation that we send may be refused",
        "look at the argument's format in the overlay";
    FormatWidened = "format-widened", Change, "further notations are taken",
        "nothing, unless the overlay works around the old one";
    EnumNarrowed = "enum-narrowed", Breaking, "values that were right are refused",
        "take them out of overlay, defaults, presets and descriptions";
    EnumWidened = "enum-widened", Change, "further values are taken",
        "add them where the overlay lists the values";
    BoundsNarrowed = "bounds-narrowed", Breaking, "values that were within the bounds are refused",
        "look at bounds, defaults and samples in the overlay";
    BoundsWidened = "bounds-widened", Change, "values beyond the old bounds are taken",
        "nothing, unless the overlay states bounds of its own";
    DefaultChanged = "default-changed", Change, "a call that leaves it out means something else",
        "find out whether the tool should send a value";
    NullRefused = "null-refused", Breaking, "null, which cleared the value, is refused",
        "find out what clears it now";
    NullTaken = "null-taken", Change, "null clears the value",
        "nothing: the tool offers it by itself";
    BodyRemoved = "body-removed", Breaking, "the operation takes no body any more",
        "remove its arguments from the overlay";
    BodyAdded = "body-added", Change, "the operation takes an optional body",
        "describe its properties, or leave them out with a reason";
    BodyRequired = "body-required", Breaking, "calls without a body are refused",
        "offer what it must hold";
    BodyOptional = "body-optional", Change, "calls may have no body",
        "nothing";
    MediaTypeRemoved = "media-type-removed", Breaking, "a body of this kind is refused",
        "take over another kind of body";
    MediaTypeAdded = "media-type-added", Change, "bodies of a further kind are taken",
        "nothing";
    AnswerFieldRemoved = "answer-field-removed", Breaking, "the answer lacks the field",
        "take it out of `concise` and of descriptions that promise it";
    AnswerFieldRenamed = "answer-field-renamed", Breaking, "the answer has the field under another name",
        "follow the name in `concise`, descriptions and jq filters";
    AnswerFieldAdded = "answer-field-added", Change, "the answer has a further field",
        "add it to `concise` if a model needs it";
    AnswerFieldOptional = "answer-field-optional", Breaking, "the answer may lack the field",
        "descriptions must not promise it";
    AnswerFieldRequired = "answer-field-required", Change, "the answer always has the field",
        "nothing";
    AnswerFieldDeprecated = "answer-field-deprecated", Change, "the vendor means to remove the field",
        "replace it in `concise` and descriptions";
    AnswerTypeChanged = "answer-type-changed", Breaking, "the field holds values of another type",
        "look at `concise`, formats and descriptions";
    AnswerTypeNarrowed = "answer-type-narrowed", Change, "the field holds fewer types than before",
        "nothing";
    AnswerFormatChanged = "answer-format-changed", Breaking, "the field has another notation",
        "look at descriptions and at arguments that take it";
    AnswerFormatStated = "answer-format-stated", Change, "the field's notation is stated",
        "nothing";
    AnswerEnumWidened = "answer-enum-widened", Change, "the field may hold values that were unknown",
        "add them to descriptions that list the values";
    AnswerEnumNarrowed = "answer-enum-narrowed", Change, "the field holds fewer values than before",
        "take them out of descriptions";
    AnswerNullable = "answer-nullable", Breaking, "the field may be null",
        "descriptions must not promise a value";
    AnswerNotNullable = "answer-not-nullable", Change, "the field is never null",
        "nothing";
    AnswerMediaTypeRemoved = "answer-media-type-removed", Breaking, "the answer does not come in this form any more",
        "take over the other form";
    AnswerMediaTypeAdded = "answer-media-type-added", Change, "the answer also comes in a further form",
        "nothing";
    AnswerHeaderRemoved = "answer-header-removed", Breaking, "the answer lacks the header",
        "if pages are read by it, choose another style in vendor.toml";
    AnswerHeaderAdded = "answer-header-added", Change, "the answer has a further header",
        "nothing";
    AnswerStatusRemoved = "answer-status-removed", Breaking, "a success of this status, with its content, does not come any more",
        "look at what the tool promises of its answer";
    AnswerStatusAdded = "answer-status-added", Change, "a further status is a success",
        "nothing, unless its content differs";
    RefusalsChanged = "refusals-changed", Change, "other statuses of refusals are described",
        "add a hint where a refusal needs advice";
    PagingChanged = "paging-changed", Breaking, "pages can't be requested or read as before",
        "correct `[[paging]]` in vendor.toml or `paging` in the overlay";
    SignInAdded = "security-added", Change, "a further way to sign in is accepted",
        "add it to the credentials of vendor.toml if users want it";
    SignInRemoved = "security-removed", Breaking, "a way to sign in is not accepted any more",
        "look at the credentials of vendor.toml";
    SignInRequired = "security-required", Breaking, "calls without credentials are refused",
        "nothing where credentials are always sent";
    SignInDropped = "security-dropped", Change, "the call needs no credentials",
        "nothing";
    ScopeAdded = "scope-added", Breaking, "a token without the further scope is refused",
        "tell users which scope their token needs";
    ScopeRemoved = "scope-removed", Change, "a token needs fewer scopes",
        "nothing";
    ServersChanged = "servers-changed", Change, "the vendor names other addresses",
        "look at the address in vendor.toml";
    WordsChanged = "words-changed", Words, "only the vendor's text differs",
        "read whether it states a new fact, above all about effect and risks";
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| kind.severity() != Severity::Ignore));
    }

    /// The table of kinds in docs/vendor-changes.md: severity by column.
    #[test]
    fn the_page_for_users_lists_each_kind_with_its_severity() {
        let page = include_str!("../../../../docs/vendor-changes.md");
        let rows: Vec<Vec<&str>> = page.lines().map(|line| line.split('|').collect()).collect();
        for kind in Kind::ALL {
            let word = format!("`{}`", kind.as_str());
            let column = match kind.severity() {
                Severity::Breaking => 2,
                Severity::Change => 3,
                Severity::Words | Severity::Ignore => continue,
            };
            let listed = rows.iter().any(|row| row.len() == 5 && row[column].contains(&word));
            assert!(listed, "{word} is not in column {column} of the table");
        }
    }
}

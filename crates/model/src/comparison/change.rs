//! One difference between two catalogs: what it is, and what it means for callers.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// What a change means for those who call the tool.
    Impact {
        /// A call that worked is refused, or does something else.
        Breaks = "breaks",
        /// Every call works on, with another result or under another name.
        Changes = "changes",
        /// Something can be called that could not be called before.
        Adds = "adds",
        /// Only words differ.
        Words = "words",
    }
}

words! {
    /// What differs.
    ChangeKind {
        /// No tool has the name or the operations any more.
        ToolRemoved = "tool_removed",
        /// Another name for the same operations. Without an alias, calls by the old name fail.
        ToolRenamed = "tool_renamed",
        /// A tool that was not there.
        ToolAdded = "tool_added",
        /// Calls by this name fail.
        AliasRemoved = "alias_removed",
        /// A further name.
        AliasAdded = "alias_added",
        /// A name leads to another tool than before.
        OtherTool = "other_tool",
        /// The same name calls another operation of the vendor.
        OperationChanged = "operation_changed",
        /// The tool claims to do less: it may be offered where it was held back.
        EffectLowered = "effect_lowered",
        /// The tool does more than was stated: it may be held back where it was offered.
        EffectRaised = "effect_raised",
        /// A person has stated the effect.
        EffectStated = "effect_stated",
        /// The effect is no longer stated.
        EffectWithdrawn = "effect_withdrawn",
        /// A consequence is no longer stated.
        RiskLowered = "risk_lowered",
        /// A further consequence.
        RiskRaised = "risk_raised",
        /// A hint of MCP promises more than before.
        HintLowered = "hint_lowered",
        /// A hint of MCP promises less than before.
        HintRaised = "hint_raised",
        /// Selections by this tag lose the tool.
        TagRemoved = "tag_removed",
        /// Selections by this tag gain the tool.
        TagAdded = "tag_added",
        /// Selections by verb lose or gain the tool.
        VerbChanged = "verb_changed",
        /// An argument that calls have is refused.
        ArgumentRemoved = "argument_removed",
        /// The same place in the request under another name.
        ArgumentRenamed = "argument_renamed",
        /// Calls without this argument are refused.
        ArgumentRequired = "argument_required",
        /// An argument accepts less.
        ArgumentNarrowed = "argument_narrowed",
        /// An argument that was not there.
        ArgumentAdded = "argument_added",
        /// An argument that may be left out now.
        ArgumentOptional = "argument_optional",
        /// An argument accepts more.
        ArgumentWidened = "argument_widened",
        /// What is sent where an argument is left out.
        DefaultChanged = "default_changed",
        /// A token needs other scopes.
        ScopesRaised = "scopes_raised",
        /// A token needs fewer scopes.
        ScopesLowered = "scopes_lowered",
        /// The same operation is requested in another way.
        RequestChanged = "request_changed",
        /// What is kept of an answer by default, or how it is read.
        AnswerChanged = "answer_changed",
        /// Something else that `tools.json` has.
        OtherChange = "other_change",
        /// Title, descriptions, phrases, examples, advice.
        Words = "words",
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The tool's name, in the old catalog where it is in both.
    pub tool: String,
    /// What differs.
    pub kind: ChangeKind,
    /// What it means for callers.
    pub impact: Impact,
    /// Whether it takes a name away or opens what was held back: it needs someone's word that it is meant.
    pub guarded: bool,
    /// The argument, as a path such as `fields.name`; empty where it is about the tool.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What was, and what is.
    pub text: String,
}

impl Change {
    /// A change of the tool as a whole.
    pub(super) fn of(tool: &str, kind: ChangeKind, text: impl Into<String>) -> Self {
        Self {
            tool: tool.to_owned(),
            kind,
            impact: kind.impact(),
            guarded: kind.is_guarded(),
            at: String::new(),
            text: text.into(),
        }
    }

    /// The same at an argument.
    pub(super) fn at(self, at: impl Into<String>) -> Self {
        Self { at: at.into(), ..self }
    }

    /// The same where no call is refused for it: a name that still leads on, a risk that is not gated.
    pub(super) fn harmless(self) -> Self {
        Self { impact: Impact::Changes, guarded: false, ..self }
    }

    /// The same, needing someone's word.
    pub(super) fn guarded(self) -> Self {
        Self { guarded: true, ..self }
    }
}

impl ChangeKind {
    /// Returns what such a change means for callers.
    pub fn impact(self) -> Impact {
        match self {
            Self::ToolRemoved
            | Self::ToolRenamed
            | Self::AliasRemoved
            | Self::OtherTool
            | Self::OperationChanged
            | Self::EffectRaised
            | Self::EffectWithdrawn
            | Self::RiskRaised
            | Self::ArgumentRemoved
            | Self::ArgumentRenamed
            | Self::ArgumentRequired
            | Self::ArgumentNarrowed
            | Self::ScopesRaised => Impact::Breaks,
            Self::EffectLowered
            | Self::RiskLowered
            | Self::HintLowered
            | Self::HintRaised
            | Self::TagRemoved
            | Self::TagAdded
            | Self::VerbChanged
            | Self::DefaultChanged
            | Self::ScopesLowered
            | Self::RequestChanged
            | Self::AnswerChanged
            | Self::OtherChange => Impact::Changes,
            Self::ToolAdded
            | Self::AliasAdded
            | Self::EffectStated
            | Self::ArgumentAdded
            | Self::ArgumentOptional
            | Self::ArgumentWidened => Impact::Adds,
            Self::Words => Impact::Words,
        }
    }

    fn is_guarded(self) -> bool {
        matches!(
            self,
            Self::ToolRemoved
                | Self::ToolRenamed
                | Self::AliasRemoved
                | Self::OtherTool
                | Self::OperationChanged
                | Self::EffectLowered
                | Self::HintLowered
        )
    }
}

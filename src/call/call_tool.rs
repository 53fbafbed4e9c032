//! A tool's effect → the call tool that calls it. With `serve --discover` a client sees no tools of vendors, but one call
//! tool for each kind of effect, and asks its user by the hints of that one: so each calls only tools of its effect.

use toolwright_model::Effect;

/// A tool that calls the tool whose name it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallTool {
    /// Calls tools that only read.
    Read,
    /// Calls tools that change something.
    Write,
    /// Calls tools that delete or take away, and those whose effect is not reviewed.
    Destructive,
}

impl CallTool {
    /// Every one, from the most harmless on.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Destructive];

    /// Returns the one for tools of this effect.
    pub fn of(effect: Option<Effect>) -> Self {
        match effect {
            Some(Effect::Read) => Self::Read,
            Some(Effect::Write) => Self::Write,
            Some(Effect::Destructive) | None => Self::Destructive,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "call_read",
            Self::Write => "call_write",
            Self::Destructive => "call_destructive",
        }
    }

    /// The word for its effect, as `find_tools` takes it.
    pub fn effect(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }

    /// What the tools do that it calls.
    pub(super) fn deed(self) -> &'static str {
        match self {
            Self::Read => "only reads",
            Self::Write => "changes something",
            Self::Destructive => "may delete or take away something",
        }
    }
}

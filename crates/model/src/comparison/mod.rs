//! Two catalogs → what differs for those who call their tools: which names are gone, which effects are other ones,
//! what arguments are refused now that were accepted before. Words alone are no difference for a caller and are
//! reported as such.
//!
//! Each change has a direction: a request that narrows *breaks* calls that worked, one that widens *adds*. What can't
//! be told apart counts as the worse.

mod arguments;
mod bump;
mod change;
mod facts;
mod operations;
mod schema;
mod tool;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use bump::{Bump, next_version};
pub use change::{Change, ChangeKind, Impact};
pub use facts::{ToolFacts, read_tools};

use serde::Serialize;

/// What differs between two catalogs.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// How many tools there are.
    pub tools: BeforeAfter,
    /// The estimated tokens of all tools.
    pub tokens: BeforeAfter,
    /// Every change, in order of the tools' names.
    pub changes: Vec<Change>,
}

/// A figure of both catalogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BeforeAfter {
    /// In the old one.
    pub before: usize,
    /// In the new one.
    pub after: usize,
}

impl Comparison {
    /// Returns the step of the version number that the largest change asks for.
    pub fn bump(&self) -> Bump {
        self.changes.iter().map(|change| Bump::for_impact(change.impact)).max().unwrap_or(Bump::None)
    }
}

/// Compares two catalogs.
pub fn compare(old: &[ToolFacts], new: &[ToolFacts]) -> Comparison {
    let names = Names::of(new);
    let mut changes = Vec::new();
    let mut met = vec![false; new.len()];
    // `returns` is left out for JSON: only a catalog that has it somewhere states anything by leaving it out.
    let states_returns = old.iter().flat_map(|tool| &tool.calls).any(|call| call.returns.is_some());
    for tool in old {
        match names.successor(tool, old, new) {
            Some(index) => {
                met[index] = true;
                tool::compare(tool, &new[index], &names, new, states_returns, &mut changes);
            }
            None => {
                let text = format!("{} is gone", shown_operations(tool));
                changes.push(Change::of(&tool.name, ChangeKind::ToolRemoved, text));
            }
        }
    }
    for tool in new.iter().zip(&met).filter(|(_, met)| !**met).map(|(tool, _)| tool) {
        let effect = tool.effect.map_or("unreviewed", crate::Effect::as_str);
        changes.push(Change::of(
            &tool.name,
            ChangeKind::ToolAdded,
            format!("new, {effect}: {}", shown_operations(tool)),
        ));
    }
    changes.sort_by(|a, b| (&a.tool, a.impact, a.kind, &a.at).cmp(&(&b.tool, b.impact, b.kind, &b.at)));
    let sum = |tools: &[ToolFacts]| tools.iter().map(ToolFacts::tokens).sum();
    Comparison {
        tools: BeforeAfter { before: old.len(), after: new.len() },
        tokens: BeforeAfter { before: sum(old), after: sum(new) },
        changes,
    }
}

/// The names of a catalog: name or alias → position.
struct Names<'a> {
    own: HashMap<&'a str, usize>,
    aliases: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn of(tools: &'a [ToolFacts]) -> Self {
        let aliases = |(index, tool): (usize, &'a ToolFacts)| tool.aliases.iter().map(move |it| (it.as_str(), index));
        Self {
            own: tools.iter().enumerate().map(|(index, tool)| (tool.name.as_str(), index)).collect(),
            aliases: tools.iter().enumerate().flat_map(aliases).collect(),
        }
    }

    /// The tool that a call by this name reaches. A tool's own name wins over another's alias.
    fn reached(&self, name: &str) -> Option<usize> {
        self.own.get(name).or_else(|| self.aliases.get(name)).copied()
    }

    /// The tool that takes the place of an old one: the one that its name reaches, or else a new name for the same
    /// operations.
    fn successor(&self, tool: &ToolFacts, old: &[ToolFacts], new: &[ToolFacts]) -> Option<usize> {
        self.reached(&tool.name).or_else(|| {
            let is_new_name = |name: &str| !old.iter().any(|other| other.name == name);
            new.iter().position(|other| is_new_name(&other.name) && operations::are_same(tool, other))
        })
    }
}

/// The operations of a tool, for a message.
fn shown_operations(tool: &ToolFacts) -> String {
    let shown: Vec<String> = tool.calls.iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    shown.join(", ")
}

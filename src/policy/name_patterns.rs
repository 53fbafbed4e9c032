//! Globs of tool names → the tools whose name or alias matches.

use std::fmt;

use glob::{Pattern, PatternError};

use crate::catalog::{Catalog, CatalogEntry};
use crate::error::ConfigError;
use toolwright_model::ToolHead;

/// Reads globs; `flag` is what an error names them by.
///
/// # Errors
/// One is no glob, or matches no tool of the catalog.
pub(super) fn patterns(flag: &str, globs: &[String], catalog: &Catalog) -> Result<Vec<NamePattern>, ConfigError> {
    globs
        .iter()
        .map(|glob| {
            let pattern = NamePattern::parse(glob)
                .map_err(|error| ConfigError::new(format!("`{flag} {glob}` is no glob: {}", error.msg)))?;
            if catalog.entries().iter().any(|entry| pattern.matches(entry.head())) {
                return Ok(pattern);
            }
            let near = catalog.near(glob);
            let hint = match near.as_slice() {
                [] => "`toolwright catalog list` shows every name".to_owned(),
                near => format!("did you mean `{}`?", near.join("`, `")),
            };
            Err(ConfigError::new(format!("`{flag} {glob}` matches no tool\nhint: {hint}")))
        })
        .collect()
}

/// Globs of tool names, such as those of pinned tools.
#[derive(Debug, Clone, Default)]
pub struct NamePatterns {
    patterns: Vec<NamePattern>,
    /// What the globs are named by in an error.
    key: &'static str,
}

impl NamePatterns {
    /// Reads globs; `key` is what an error names them by.
    ///
    /// # Errors
    /// One is no glob, or matches no tool of the catalog.
    pub fn parse(key: &'static str, globs: &[String], catalog: &Catalog) -> Result<Self, ConfigError> {
        Ok(Self { patterns: patterns(key, globs, catalog)?, key })
    }

    /// Returns whether one of them matches the tool.
    pub fn match_tool(&self, entry: &CatalogEntry) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(entry.head()))
    }

    /// Checks that each matches one of these tools.
    ///
    /// # Errors
    /// One matches none.
    pub(crate) fn each_matches(&self, tools: &[&CatalogEntry]) -> Result<(), ConfigError> {
        match self.patterns.iter().find(|pattern| !tools.iter().any(|entry| pattern.matches(entry.head()))) {
            None => Ok(()),
            Some(pattern) => Err(ConfigError::new(format!(
                "`{} {pattern}` matches no tool that is offered\nhint: a pinned tool has to be within the selection, \
                 and its vendor configured",
                self.key
            ))),
        }
    }
}

/// A name of a tool, or a glob of such names. A start compares each with every tool; most are names, which need no glob.
#[derive(Debug, Clone)]
pub(super) enum NamePattern {
    Name(String),
    Glob(Pattern),
}

impl NamePattern {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let pattern = Pattern::new(text)?;
        Ok(if text.contains(['*', '?', '[', ']']) { Self::Glob(pattern) } else { Self::Name(text.to_owned()) })
    }

    /// Whether it is the name of a tool, or one of its aliases.
    pub(super) fn matches(&self, tool: &ToolHead) -> bool {
        let matches = |name: &String| match self {
            Self::Name(own) => own == name,
            Self::Glob(glob) => glob.matches(name),
        };
        matches(&tool.name) || tool.aliases.iter().any(matches)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Glob(glob) => f.write_str(glob.as_str()),
        }
    }
}

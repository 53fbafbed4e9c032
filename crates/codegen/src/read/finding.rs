//! What is wrong with a file under specs/: where, what was expected, what was found. Findings
//! are collected, so that one build shows all of them.

use std::fmt;

/// One thing wrong with one place of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, as a path below the project.
    pub file: String,
    /// JSON pointer to the place; empty for the file as a whole.
    pub pointer: String,
    /// What would have been right.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// What to do about it, where that is not plain.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding about a whole file or folder.
    pub fn of_file(file: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            pointer: String::new(),
            expected: expected.into(),
            found: found.into(),
            hint: None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if !self.pointer.is_empty() {
            write!(f, "#{}", self.pointer)?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// All that is wrong, in the order of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(Vec<Finding>);

impl Errors {
    /// Adds a finding; the same one twice counts once, since a place can be read more than once.
    pub fn push(&mut self, finding: Finding) {
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    /// Adds a finding about a whole file.
    pub fn push_file(&mut self, file: &str, expected: impl Into<String>, found: impl Into<String>) {
        self.push(Finding::of_file(file, expected, found));
    }

    /// Adds all findings of `other`.
    pub fn append(&mut self, other: Self) {
        other.0.into_iter().for_each(|finding| self.push(finding));
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Errors {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

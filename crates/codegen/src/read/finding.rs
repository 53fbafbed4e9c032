//! What is wrong with a file under specs/: where, what was expected, what was found. Findings are
//! collected in one [`Findings`], so that one build reports all of them.

use std::cell::RefCell;
use std::fmt;

use crate::read::source::{SourcePlace, write_place};

/// One thing wrong with one place of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, as a path below the project.
    pub file: String,
    /// The line, counted from 1; `None` for the file as a whole and where no text is known.
    pub line: Option<usize>,
    /// The keys that lead to the place, such as `update/x-toolwright/effect`; empty for the whole.
    pub path: String,
    /// What would have been right.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What to do about it, where that is not plain.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding about a whole file or folder.
    pub fn of_file(file: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            path: String::new(),
            expected: expected.into(),
            found: found.into(),
            hint: None,
        }
    }

    /// A finding about one place.
    pub fn at(place: &SourcePlace, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { line: place.line(), path: place.path(), ..Self::of_file(place.file(), expected, found) }
    }

    /// A finding about a place of a document that is no file as it is: it has no lines.
    pub fn at_pointer(file: &str, pointer: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: pointer.trim_start_matches('/').to_owned(), ..Self::of_file(file, expected, found) }
    }

    /// Adds advice.
    #[must_use]
    pub fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// The place in words: `specs/acme/overlay.yaml:12 (update/x-toolwright/effect)`.
    pub fn place(&self) -> String {
        struct Place<'a>(&'a Finding);
        impl fmt::Display for Place<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_place(f, &self.0.file, self.0.line, &self.0.path)
            }
        }
        Place(self).to_string()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.file, self.line, &self.path)?;
        write!(f, ": expected {}, found {}", self.expected, self.found)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Collects what is wrong, while files are read and lowered.
#[derive(Debug, Default)]
pub struct Findings(RefCell<Vec<Finding>>);

impl Findings {
    /// Adds a finding; the same one twice counts once, since a place can be read more than once.
    pub fn push(&self, finding: Finding) {
        let mut findings = self.0.borrow_mut();
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    /// Adds a finding about a whole file.
    pub fn push_file(&self, file: &str, expected: impl Into<String>, found: impl Into<String>) {
        self.push(Finding::of_file(file, expected, found));
    }

    /// Returns how many findings there are, to see whether a step added some.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Adds all findings of `other`.
    pub fn append(&self, other: Self) {
        other.0.into_inner().into_iter().for_each(|finding| self.push(finding));
    }

    /// Changes the findings that were added after the first `known`.
    pub(crate) fn amend_after(&self, known: usize, amend: impl FnMut(&mut Finding)) {
        self.0.borrow_mut().iter_mut().skip(known).for_each(amend);
    }

    /// Returns the value, or everything that is wrong.
    ///
    /// # Errors
    /// Something is wrong.
    pub fn check<T>(&self, value: T) -> Result<T, Errors> {
        if self.is_empty() { Ok(value) } else { Err(Errors(self.0.borrow().clone())) }
    }
}

impl From<Findings> for Errors {
    fn from(findings: Findings) -> Self {
        Self(findings.0.into_inner())
    }
}

/// All that is wrong, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(Vec<Finding>);

impl Errors {
    /// Returns how many findings there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the findings.
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

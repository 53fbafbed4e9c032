//! A file under specs/ → its JSON, and where each part of it is: file, line and keys. What an
//! overlay wrote into a description is in the overlay.

use std::cell::OnceCell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

use crate::read::finding::{Finding, Findings};
use crate::read::lines::Lines;
use crate::read::located::below;

/// A file as messages name it, with its text for the lines.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    text: Option<SourceText>,
    /// Read when the first finding needs a line.
    lines: OnceCell<Lines>,
}

#[derive(Debug)]
enum SourceText {
    /// JSON too, which is YAML.
    Yaml(String),
    Toml(String),
}

impl SourceFile {
    /// A document that is no file as it is: places in it have no lines.
    pub fn without_text(name: &str) -> Rc<Self> {
        Rc::new(Self { name: name.to_owned(), text: None, lines: OnceCell::new() })
    }

    /// A TOML file.
    pub fn toml(name: &str, text: String) -> Rc<Self> {
        Rc::new(Self { name: name.to_owned(), text: Some(SourceText::Toml(text)), lines: OnceCell::new() })
    }

    /// The path below the project.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn lines(&self) -> Option<&Lines> {
        let text = self.text.as_ref()?;
        Some(self.lines.get_or_init(|| match text {
            SourceText::Yaml(text) => Lines::of_yaml(text),
            SourceText::Toml(text) => Lines::of_toml(text),
        }))
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct LoadedFile {
    pub file: Rc<SourceFile>,
    pub value: Value,
}

/// Reads a YAML or JSON file; `name` is how messages name it.
pub fn load(path: &Path, name: &str, findings: &Findings) -> Option<LoadedFile> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            findings.push_file(name, "a readable file in UTF-8", error.to_string());
            return None;
        }
    };
    let parsed = if path.extension().is_some_and(|extension| extension == "json") {
        parse_json(&text)
    } else {
        parse_yaml(&text)
    };
    let value = match parsed {
        Ok(value) => value,
        Err(SyntaxFault { line, what }) => {
            findings.push(Finding { line, ..Finding::of_file(name, "YAML or JSON", format!("a fault in {what}")) });
            return None;
        }
    };
    let file = SourceFile { name: name.to_owned(), text: Some(SourceText::Yaml(text)), lines: OnceCell::new() };
    Some(LoadedFile { file: Rc::new(file), value })
}

/// Why a text can't be read.
struct SyntaxFault {
    line: Option<usize>,
    /// `column 8: illegal placement of ':' indicator`.
    what: String,
}

fn parse_json(text: &str) -> Result<Value, SyntaxFault> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let message = message.trim_end_matches(&format!(" at line {line} column {column}"));
        SyntaxFault { line: Some(line), what: format!("column {column}: {message}") }
    })
}

fn parse_yaml(text: &str) -> Result<Value, SyntaxFault> {
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
        // The lines of the file that follow the first one are at hand.
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let place = line.map(|line| format!("line {line} ")).unwrap_or_default();
        SyntaxFault { line, what: message.strip_prefix(&place).unwrap_or(message).to_owned() }
    })
}

/// Where a person finds something: a file and a JSON pointer into it.
#[derive(Debug, Clone)]
pub struct SourcePlace {
    file: Rc<SourceFile>,
    pointer: String,
}

impl SourcePlace {
    /// The file, as messages name it.
    pub fn file(&self) -> &str {
        &self.file.name
    }

    /// The line, counted from 1; `None` for a file as a whole and where no text is known.
    pub fn line(&self) -> Option<usize> {
        self.file.lines()?.line(&self.pointer)
    }

    /// The keys that lead there, without numbers of items where the text is known.
    pub fn path(&self) -> String {
        let path = match self.file.lines() {
            Some(lines) => lines.path(&self.pointer),
            None => self.pointer.trim_start_matches('/').to_owned(),
        };
        // The actions of an overlay have no names: the line shows which one it is.
        path.strip_prefix("actions/").map(str::to_owned).unwrap_or(path)
    }
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::finding::write_place(f, self.file(), self.line(), &self.path())
    }
}

/// Which places of a description an overlay wrote.
#[derive(Debug, Default)]
pub struct Origins {
    overlay: Option<Rc<SourceFile>>,
    pub(super) written: Vec<Origin>,
}

/// A place of a description and where the overlay wrote it, both as JSON pointers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) place: String,
    pub(super) from: String,
}

impl Origins {
    pub(super) fn new(overlay: &Rc<SourceFile>) -> Self {
        Self { overlay: Some(Rc::clone(overlay)), written: Vec::new() }
    }
}

/// A document on its way through the checks: which file it is from, which places came from an
/// overlay, and where findings go.
pub struct SourceMap<'a> {
    file: Rc<SourceFile>,
    origins: Option<&'a Origins>,
    pub(super) findings: &'a Findings,
}

impl<'a> SourceMap<'a> {
    /// A file as it was read.
    pub fn new(file: &Rc<SourceFile>, findings: &'a Findings) -> Self {
        Self { file: Rc::clone(file), origins: None, findings }
    }

    /// A description that an overlay has changed.
    pub fn with_origins(file: &Rc<SourceFile>, origins: &'a Origins, findings: &'a Findings) -> Self {
        Self { file: Rc::clone(file), origins: Some(origins), findings }
    }

    /// Where a person finds what is at `pointer` of the document.
    pub(super) fn place(&self, pointer: &str) -> SourcePlace {
        let written = self.origins.and_then(|origins| {
            let of = |origin: &Origin| below(pointer, &origin.place).map(|rest| format!("{}{rest}", origin.from));
            Some((origins.overlay.as_ref()?, origins.written.iter().rev().find_map(of)?))
        });
        match written {
            Some((overlay, pointer)) => SourcePlace { file: Rc::clone(overlay), pointer },
            None => SourcePlace { file: Rc::clone(&self.file), pointer: pointer.to_owned() },
        }
    }
}

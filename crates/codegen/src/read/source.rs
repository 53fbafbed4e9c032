//! A place in a file under specs/ → what a person finds it by: file, line and keys.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

use serde_json::Value;

use crate::read::lines::Lines;

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

    /// A YAML or JSON file.
    pub fn yaml(name: &str, text: String) -> Rc<Self> {
        Rc::new(Self { name: name.to_owned(), text: Some(SourceText::Yaml(text)), lines: OnceCell::new() })
    }

    /// A TOML file.
    pub fn toml(name: &str, text: String) -> Rc<Self> {
        Rc::new(Self { name: name.to_owned(), text: Some(SourceText::Toml(text)), lines: OnceCell::new() })
    }

    /// The path below the project.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line of a JSON pointer, or of the innermost thing around it that has one.
    pub fn line(&self, pointer: &str) -> Option<usize> {
        self.lines()?.line(pointer)
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

/// Writes a place as editors and people read it.
pub(super) fn write_place(f: &mut fmt::Formatter<'_>, file: &str, line: Option<usize>, path: &str) -> fmt::Result {
    f.write_str(file)?;
    if let Some(line) = line {
        write!(f, ":{line}")?;
    }
    if !path.is_empty() {
        write!(f, " ({path})")?;
    }
    Ok(())
}

/// Where a person finds something: a file and a JSON pointer into it.
#[derive(Debug, Clone)]
pub struct SourcePlace {
    file: Rc<SourceFile>,
    pointer: String,
}

impl SourcePlace {
    pub(super) fn new(file: &Rc<SourceFile>, pointer: String) -> Self {
        Self { file: Rc::clone(file), pointer }
    }

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
        write_place(f, self.file(), self.line(), &self.path())
    }
}

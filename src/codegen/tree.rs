//! Files in memory: what the generator makes, before anything decides where it goes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Text files by their path below the target folder, with `/` between folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, String>);

/// How a file on disk differs from the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The file is not there.
    Missing,
    /// The file's text, which is another.
    Changed(String),
    /// The file is there and should not be.
    LeftOver,
}

impl Tree {
    /// Adds a file. Text ends with exactly one newline.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<String>) {
        let mut text = text.into();
        text.truncate(text.trim_end().len());
        text.push('\n');
        self.0.insert(path.into(), text);
    }

    /// Adds all files of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The files, in order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Returns the text of a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Writes every file below `folder`; one that is the same already is left alone, so that
    /// nothing is built again because of its date.
    ///
    /// # Errors
    /// Whatever the file system says, with the path.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (path, text) in &self.0 {
            let target = folder.join(path);
            if std::fs::read_to_string(&target).is_ok_and(|present| present == *text) {
                continue;
            }
            let written =
                target.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&target, text));
            written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", target.display())))?;
        }
        Ok(())
    }

    /// Compares with what stands below `folder`; line ends of other systems don't count.
    ///
    /// # Errors
    /// Whatever the file system says, with the path.
    pub fn compare(&self, folder: &Path) -> io::Result<BTreeMap<String, Difference>> {
        let mut differences = BTreeMap::new();
        let mut present = Vec::new();
        list(folder, "", &mut present)?;
        for path in &present {
            if !self.0.contains_key(path) {
                differences.insert(path.clone(), Difference::LeftOver);
            }
        }
        for (path, text) in &self.0 {
            if !present.contains(path) {
                differences.insert(path.clone(), Difference::Missing);
                continue;
            }
            let found = std::fs::read_to_string(folder.join(path))?.replace("\r\n", "\n");
            if found != *text {
                differences.insert(path.clone(), Difference::Changed(found));
            }
        }
        Ok(differences)
    }

    /// Makes `folder` hold exactly this tree: writes what differs, deletes what is left over.
    ///
    /// # Errors
    /// Whatever the file system says, with the path.
    pub fn replace(&self, folder: &Path) -> io::Result<BTreeMap<String, Difference>> {
        let differences = self.compare(folder)?;
        for (path, difference) in &differences {
            if *difference == Difference::LeftOver {
                let leftover = folder.join(path);
                std::fs::remove_file(&leftover)?;
                // Folders that are empty now go too; one that is not stays, and that is no error.
                for parent in leftover.ancestors().skip(1).take_while(|parent| *parent != folder) {
                    if std::fs::remove_dir(parent).is_err() {
                        break;
                    }
                }
            }
        }
        self.write_to(folder)?;
        Ok(differences)
    }
}

fn list(folder: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let name = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if path.is_dir() {
            list(&path, &name, found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}

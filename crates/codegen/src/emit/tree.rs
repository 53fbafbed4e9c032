//! Generated files in memory → a folder on disk, or how the folder differs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Text files by their path below the target folder, with `/` between folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, String>);

/// How a file on disk differs from the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The file does not exist.
    Missing,
    /// The file has another text, this one.
    Changed(String),
    /// The tree has no such file.
    LeftOver,
}

impl Tree {
    /// Adds a file; its text is made to end with exactly one newline.
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

    /// Writes every file below `folder`. A file with the same text is not written, because a new
    /// date would cause a rebuild.
    ///
    /// # Errors
    /// An error of the file system, with the path.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (path, text) in &self.0 {
            let target = folder.join(path);
            if std::fs::read_to_string(&target).is_ok_and(|present| present == *text) {
                continue;
            }
            write(&target, text)?;
        }
        Ok(())
    }

    /// Compares the tree with the files below `folder`; CRLF and LF are equal.
    ///
    /// # Errors
    /// An error of the file system, with the path.
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
            let target = folder.join(path);
            let found = std::fs::read_to_string(&target).map_err(|error| at(&target, &error))?.replace("\r\n", "\n");
            if found != *text {
                differences.insert(path.clone(), Difference::Changed(found));
            }
        }
        Ok(differences)
    }

    /// Makes `folder` equal to the tree: writes the files that differ and deletes all others.
    ///
    /// # Errors
    /// An error of the file system, with the path.
    pub fn replace(&self, folder: &Path) -> io::Result<BTreeMap<String, Difference>> {
        let differences = self.compare(folder)?;
        // Deleted first, because a file may have to make room for a folder.
        for (path, _) in differences.iter().filter(|(_, difference)| **difference == Difference::LeftOver) {
            let leftover = folder.join(path);
            std::fs::remove_file(&leftover).map_err(|error| at(&leftover, &error))?;
            // Folders that became empty are deleted too; `remove_dir` refuses all others.
            for parent in leftover.ancestors().skip(1).take_while(|parent| *parent != folder) {
                if std::fs::remove_dir(parent).is_err() {
                    break;
                }
            }
        }
        for (path, text) in self.0.iter().filter(|(path, _)| differences.contains_key(*path)) {
            write(&folder.join(path), text)?;
        }
        Ok(differences)
    }
}

fn write(target: &Path, text: &str) -> io::Result<()> {
    let written = target.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(target, text));
    written.map_err(|error| at(target, &error))
}

/// Adds the path to an error.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn list(folder: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(folder, &error)),
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(|error| at(folder, &error))?;
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A new, empty folder for one test.
    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("toolwright-tree-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.insert(*path, *text);
        }
        tree
    }

    #[test]
    fn a_text_ends_with_one_newline() {
        assert_eq!(tree(&[("a", "x\n\n ")]).get("a"), Some("x\n"));
        assert_eq!(tree(&[("a", "x")]).get("a"), Some("x\n"));
    }

    #[test]
    fn replacing_makes_a_folder_equal_to_the_tree() {
        let folder = folder("exact");
        tree(&[("kept", "k"), ("changed", "before"), ("gone/deep/leftover", "l")]).write_to(&folder).unwrap();
        std::fs::write(folder.join("other"), "a file where the tree has a folder").unwrap();
        let wanted = tree(&[("kept", "k"), ("changed", "after"), ("new/file", "n"), ("other/file", "o")]);

        let found = wanted.replace(&folder).unwrap();
        let kinds: Vec<(&str, &Difference)> = found.iter().map(|(path, kind)| (path.as_str(), kind)).collect();
        assert_eq!(
            kinds,
            [
                ("changed", &Difference::Changed("before\n".to_owned())),
                ("gone/deep/leftover", &Difference::LeftOver),
                ("new/file", &Difference::Missing),
                ("other", &Difference::LeftOver),
                ("other/file", &Difference::Missing),
            ]
        );
        assert!(wanted.compare(&folder).unwrap().is_empty());
        assert!(!folder.join("gone").exists(), "folders that became empty are gone");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn equal_files_are_not_written() {
        let folder = folder("equal");
        std::fs::write(folder.join("lf"), "one\ntwo\n").unwrap();
        std::fs::write(folder.join("crlf"), "one\r\ntwo\r\n").unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for name in ["lf", "crlf"] {
            let file = std::fs::File::options().write(true).open(folder.join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }

        let found = tree(&[("lf", "one\ntwo"), ("crlf", "one\ntwo"), ("new", "n")]).replace(&folder).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["new"]);
        for name in ["lf", "crlf"] {
            let modified = std::fs::metadata(folder.join(name)).unwrap().modified().unwrap();
            assert_eq!(modified, long_ago, "{name}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}

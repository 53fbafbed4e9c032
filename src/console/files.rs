//! A selection of the catalog → a folder of pages with relative links, for a docs site. A folder that holds anything else is
//! left as it is.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::STYLE;
use super::catalog_pages::CatalogPages;
use super::frame::{Frame, Section};
use super::query::CatalogQuery;
use crate::catalog::{Catalog, CatalogEntry};
use crate::error::ConfigError;
use crate::policy::{Selection, SelectionWords};

/// The file that marks a folder as one of these, and lists what was written into it.
const MARK: &str = ".toolwright-catalog";
/// The folder of the pages of tools.
const TOOLS: &str = "tools";

/// Why no pages were written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The folder is not one to write into, or the selection is empty.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// The system's error of a file.
    #[error("`{0}` can't be written: {1}")]
    File(PathBuf, io::Error),
    /// A page could not be made.
    #[error("a page can't be made: {0}")]
    Page(#[from] askama::Error),
}

/// Writes the pages of a selection into a folder, and removes those of an earlier run that are of it no more; returns how many
/// tools there are. `words` are those of the selection, and `served` whether it starts from what `serve` offers.
///
/// # Errors
/// The folder holds something else, no tool is selected, or a file can't be written.
pub fn write(
    folder: &Path,
    catalog: &Catalog,
    selection: &Selection,
    words: SelectionWords,
    served: bool,
) -> Result<usize, FilesError> {
    let found: Vec<&CatalogEntry> = catalog.entries().iter().filter(|entry| selection.decide(entry).is_ok()).collect();
    if found.is_empty() {
        return Err(ConfigError::new("the selection leaves no tool\nhint: flags narrow each other").into());
    }
    let before = written_before(folder)?;
    let mut pages = made(catalog, &found, &CatalogQuery::of_words(words, served))?;
    pages.push(("style.css".into(), STYLE.to_owned()));
    let names: BTreeSet<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    let list = names.iter().flat_map(|name| [name, "\n"]).collect::<String>();
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |error| FilesError::File(path, error)
    };
    let tools = folder.join(TOOLS);
    fs::create_dir_all(&tools).map_err(wrong(&tools))?;
    // First, so that a run that was stopped can be repeated; what is to go is still listed.
    let kept: String =
        before.iter().filter(|name| !names.contains(name.as_str())).flat_map(|name| [name.as_str(), "\n"]).collect();
    let mark = folder.join(MARK);
    fs::write(&mark, format!("{list}{kept}")).map_err(wrong(&mark))?;
    for (name, text) in &pages {
        let path = folder.join(name);
        fs::write(&path, text).map_err(wrong(&path))?;
    }
    for name in before.iter().filter(|name| !names.contains(name.as_str())) {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(FilesError::File(path, error)),
            _ => {}
        }
    }
    fs::write(&mark, list).map_err(wrong(&mark))?;
    Ok(found.len())
}

/// Every page: its path within the folder, and its text.
fn made(catalog: &Catalog, found: &[&CatalogEntry], query: &CatalogQuery) -> Result<Vec<(String, String)>, FilesError> {
    let pages = CatalogPages::new(catalog.clone());
    let frame = |section, heading: &str| Frame::in_file(section, heading, false);
    let mut made = vec![
        ("index.html".to_owned(), pages.index_file(frame(Section::Tools, "Tools"), query, found)?),
        ("clients.html".to_owned(), pages.clients_file(frame(Section::Clients, "Connect a client"), query, found)?),
    ];
    let shown: Arc<BTreeSet<String>> = Arc::new(found.iter().map(|entry| entry.head().name.clone()).collect());
    for name in &*shown {
        let frame = Frame::in_file(Section::Elsewhere, name, true).linking_only(&shown);
        if let Some(text) = pages.tool_file(frame, name) {
            made.push((format!("{TOOLS}/{name}.html"), text?));
        }
    }
    Ok(made)
}

/// What an earlier run wrote into the folder; nothing where it is new or empty.
///
/// # Errors
/// It holds what no earlier run wrote.
fn written_before(folder: &Path) -> Result<Vec<String>, FilesError> {
    let wrong = |error| FilesError::File(folder.to_owned(), error);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(error)),
        Ok(mut entries) => {
            if entries.next().is_none() {
                return Ok(Vec::new());
            }
        }
    }
    let Ok(list) = fs::read_to_string(folder.join(MARK)) else {
        return Err(ConfigError::new(format!(
            "`{}` holds files that `catalog html` did not write, and is left as it is\nhint: name a new or an empty folder",
            folder.display()
        ))
        .into());
    };
    Ok(list.lines().filter(|name| is_ours(name)).map(str::to_owned).collect())
}

/// Whether a name is one that is written here: whatever a list says, nothing else is removed.
fn is_ours(name: &str) -> bool {
    let is_file = |name: &str, ending: &str| {
        let stem = name.strip_suffix(ending);
        stem.is_some_and(|stem| !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    match name.split_once('/') {
        Some((folder, file)) => folder == TOOLS && is_file(file, ".html"),
        None => matches!(name, "index.html" | "clients.html" | "style.css"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_files_are_removed() {
        for (name, ours) in [
            ("index.html", true),
            ("tools/jitbit_get_ticket.html", true),
            ("tools/../../etc/passwd", false),
            ("../index.html", false),
            ("tools/.html", false),
            ("/etc/x.html", false),
            ("notes.html", false),
        ] {
            assert_eq!(is_ours(name), ours, "{name}");
        }
    }
}

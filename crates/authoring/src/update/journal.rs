//! Several files that change together → all of them or none, also when the program is interrupted: what is
//! to be written is first complete in a folder beside them. The journal there is what decides: with it the
//! next run finishes, without it the next run forgets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The folder, at the top of the project; git ignores it.
pub(crate) const FOLDER: &str = ".toolwright-update";

/// The new texts by their paths below the project; `None` deletes a file.
pub(crate) type Files = BTreeMap<String, Option<String>>;

/// Where an interruption is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Never,
    /// After so many steps.
    #[cfg(test)]
    After(usize),
}

/// Writes all files.
///
/// # Errors
/// Of the file system; the next run finishes or forgets what was begun.
pub(crate) fn write(project: &Path, files: &Files) -> io::Result<()> {
    run(project, files, Stop::Never)
}

fn run(project: &Path, files: &Files, stop: Stop) -> io::Result<()> {
    let mut steps = 0;
    let mut count_step = || {
        steps += 1;
        match stop {
            #[cfg(test)]
            Stop::After(after) if after == steps => Err(io::Error::other("interrupted")),
            _ => Ok(()),
        }
    };
    recover(project)?;
    let folder = project.join(FOLDER);
    std::fs::create_dir_all(folder.join("new"))?;
    let mut journal = String::new();
    for (index, (path, text)) in files.iter().enumerate() {
        count_step()?;
        match text {
            Some(text) => {
                std::fs::write(folder.join("new").join(index.to_string()), text)?;
                let _ = writeln!(journal, "write {index} {path}");
            }
            None => {
                let _ = writeln!(journal, "delete {index} {path}");
            }
        }
    }
    count_step()?;
    std::fs::write(folder.join("journal.part"), journal)?;
    count_step()?;
    std::fs::rename(folder.join("journal.part"), folder.join("journal"))?;
    finish(project, &mut count_step)
}

/// Finishes or forgets what an interrupted run began.
///
/// # Errors
/// Of the file system.
pub(crate) fn recover(project: &Path) -> io::Result<()> {
    let folder = project.join(FOLDER);
    if !folder.is_dir() {
        return Ok(());
    }
    if folder.join("journal").is_file() {
        return finish(project, &mut || Ok(()));
    }
    std::fs::remove_dir_all(folder)
}

/// Does what the journal says; what is done already is left out.
fn finish(project: &Path, step: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
    let folder = project.join(FOLDER);
    let journal = std::fs::read_to_string(folder.join("journal"))?;
    for line in journal.lines() {
        step()?;
        let mut words = line.splitn(3, ' ');
        let (Some(what), Some(index), Some(path)) = (words.next(), words.next(), words.next()) else { continue };
        let (from, to) = (folder.join("new").join(index), project.join(path));
        if what == "delete" {
            remove(&to)?;
        } else if from.is_file() {
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::rename(&from, &to)?;
        }
    }
    step()?;
    // Without its journal the rest of the folder means nothing.
    std::fs::remove_file(folder.join("journal"))?;
    step()?;
    std::fs::remove_dir_all(folder)
}

fn remove(file: &PathBuf) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        [("a", Some("new a")), ("b/c", Some("new c")), ("d", None)]
            .into_iter()
            .map(|(path, text)| (path.to_owned(), text.map(str::to_owned)))
            .collect()
    }

    fn state(project: &Path) -> [Option<String>; 3] {
        ["a", "b/c", "d"].map(|path| std::fs::read_to_string(project.join(path)).ok())
    }

    #[test]
    fn an_interrupted_update_is_finished_or_forgotten() {
        let before = [Some("old a".to_owned()), None, Some("old d".to_owned())];
        let after = [Some("new a".to_owned()), Some("new c".to_owned()), None];
        let mut finished = 0;
        for stop in 1.. {
            let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp/journal").join(stop.to_string());
            let _ = std::fs::remove_dir_all(&project);
            std::fs::create_dir_all(&project).unwrap();
            std::fs::write(project.join("a"), "old a").unwrap();
            std::fs::write(project.join("d"), "old d").unwrap();
            let interrupted = run(&project, &files(), Stop::After(stop)).is_err();
            recover(&project).unwrap();
            let state = state(&project);
            assert!(!project.join(FOLDER).exists());
            assert!(state == before || state == after, "after {stop} steps: {state:?}");
            finished += usize::from(state == after);
            if !interrupted {
                assert_eq!(state, after);
                break;
            }
        }
        assert!(finished > 3, "it was never interrupted behind the journal");
    }
}

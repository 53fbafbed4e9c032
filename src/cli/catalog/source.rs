//! A word of the command line → the tools of a catalog: a binary of this program, a `tools.json`, a folder such as
//! `generated/`, or a git revision whose `generated/` is read.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::catalog;
use crate::error::ConfigError;

/// The folder of a revision that holds the tools.
const GENERATED: &str = "generated";
/// The file of one API's tools.
const TOOLS: &str = "tools.json";

/// A catalog that is not this program's.
#[derive(Debug)]
pub(in crate::cli) struct CatalogSource {
    /// As the command line names it.
    pub(in crate::cli) label: String,
    /// The texts of `tools.json` of each API, or lists of them.
    pub(in crate::cli) texts: Vec<String>,
    /// The commit, if it is a git revision.
    pub(in crate::cli) commit: Option<String>,
}

impl CatalogSource {
    /// What is compiled into this program.
    pub(in crate::cli) fn compiled() -> Self {
        let label = format!("this program, {}", env!("CARGO_PKG_VERSION"));
        Self { label, texts: catalog::tool_files().into_iter().map(str::to_owned).collect(), commit: None }
    }

    /// Reads what `word` names.
    ///
    /// # Errors
    /// It names nothing that can be read, or nothing that holds tools.
    pub(in crate::cli) fn read(word: &str) -> Result<Self, ConfigError> {
        let path = Path::new(word);
        let (texts, commit) = if path.is_dir() {
            (of_folder(path)?, None)
        } else if path.exists() {
            (vec![of_file(path)?], None)
        } else {
            let commit = commit(word)?;
            (of_commit(word, &commit)?, Some(commit))
        };
        Ok(Self { label: word.to_owned(), texts, commit })
    }
}

/// The `tools.json` in a folder, or in each of its folders.
fn of_folder(folder: &Path) -> Result<Vec<String>, ConfigError> {
    let wrong =
        |path: &Path, error: std::io::Error| ConfigError::new(format!("`{}` can't be read: {error}", path.display()));
    let mut files = vec![folder.join(TOOLS)];
    for entry in std::fs::read_dir(folder).map_err(|error| wrong(folder, error))? {
        files.push(entry.map_err(|error| wrong(folder, error))?.path().join(TOOLS));
    }
    files.retain(|file| file.is_file());
    files.sort();
    if files.is_empty() {
        return Err(ConfigError::new(format!(
            "`{}` holds no `{TOOLS}`, and neither does a folder in it\nhint: `{GENERATED}/` of a checkout does",
            folder.display()
        )));
    }
    files.iter().map(|file| std::fs::read_to_string(file).map_err(|error| wrong(file, error))).collect()
}

/// A file of JSON as it is; any other is a program that is asked.
fn of_file(path: &Path) -> Result<String, ConfigError> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| ConfigError::new(format!("`{shown}` can't be read: {error}")))?;
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| matches!(first, b'[' | b'{')) {
        return String::from_utf8(bytes).map_err(|_| ConfigError::new(format!("`{shown}` is not text")));
    }
    // Without a separator it would be searched for in PATH.
    let program = path.canonicalize().map_err(|error| ConfigError::new(format!("`{shown}` can't be read: {error}")))?;
    // It needs no account, so it gets none.
    let output = Command::new(program).args(["catalog", "export"]).env_clear().stdin(Stdio::null()).output();
    let hint =
        "hint: a binary of toolwright that has `catalog export`, a `tools.json`, a folder of them, or a git revision";
    match output {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout)
            .map_err(|_| ConfigError::new(format!("`{shown} catalog export` prints no text\n{hint}"))),
        Ok(output) => Err(ConfigError::new(format!("`{shown} catalog export` failed: {}\n{hint}", output.status))),
        Err(error) => Err(ConfigError::new(format!("`{shown}` is no JSON and no program that runs: {error}\n{hint}"))),
    }
}

fn commit(word: &str) -> Result<String, ConfigError> {
    let found = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{word}^{{commit}}")]);
    found.map(|text| text.trim().to_owned()).map_err(|why| {
        ConfigError::new(format!(
            "`{word}` is no file or folder here, and no git revision{why}\nhint: a shallow clone lacks older revisions: \
             `git fetch --unshallow --tags`"
        ))
    })
}

/// Reads `generated/*/tools.json` as of a commit.
fn of_commit(word: &str, commit: &str) -> Result<Vec<String>, ConfigError> {
    let wrong = |why: String| ConfigError::new(format!("the revision `{word}` can't be read{why}"));
    let listed = git(&["ls-tree", "-r", "--name-only", "--full-tree", commit, "--", GENERATED]).map_err(wrong)?;
    let files: Vec<&str> = listed.lines().filter(|path| path.ends_with(&format!("/{TOOLS}"))).collect();
    if files.is_empty() {
        return Err(ConfigError::new(format!("the revision `{word}` has no `{GENERATED}/*/{TOOLS}`")));
    }
    files.iter().map(|path| git(&["show", &format!("{commit}:{path}")]).map_err(wrong)).collect()
}

/// Runs git in this folder.
///
/// # Errors
/// What git says, as the end of a sentence.
pub(in crate::cli) fn git(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!(": git does not run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or_default().trim();
        return Err(if said.is_empty() { String::new() } else { format!(": {said}") });
    }
    String::from_utf8(output.stdout).map_err(|_| ": git prints no text".to_owned())
}

//! A file as a caller gives it → its name, bytes and type. By its bytes always; by where it lies
//! only in the folder that the operator opened.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{FormatError, short};
use crate::error::ConfigError;
use toolwright_model::LARGEST_FILE_MB;

/// A folder whose files may be sent to vendors.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let wrong = |reason: String| ConfigError::new(format!("`--files {}`: {reason}", path.display()));
        let whole = path.canonicalize().map_err(|error| wrong(error.to_string()))?;
        if whole.is_dir() { Ok(Self(whole)) } else { Err(wrong("no folder".to_owned())) }
    }

    /// Reads a file that lies in the folder, whatever way leads to it.
    fn read(&self, path: &str) -> Result<(String, Vec<u8>), String> {
        // Links are followed first: what counts is where the file is.
        let whole = self.0.join(path).canonicalize().map_err(|_| "no such file in the folder".to_owned())?;
        if !whole.starts_with(&self.0) {
            // Whether there is such a file elsewhere is nobody's business.
            return Err("no such file in the folder".to_owned());
        }
        let unreadable = |error: std::io::Error| format!("it can't be read: {}", error.kind());
        // Asked before it is opened: opening a pipe would wait.
        let about = whole.metadata().map_err(unreadable)?;
        if !about.is_file() {
            return Err("no file".to_owned());
        }
        let most = LARGEST_FILE_MB as u64 * 1024 * 1024;
        let mut bytes = Vec::new();
        File::open(&whole).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
        if bytes.len() as u64 > most {
            return Err(format!("larger than {LARGEST_FILE_MB} MB"));
        }
        let name = whole.file_name().and_then(|name| name.to_str()).ok_or("its name is no text")?;
        Ok((name.to_owned(), bytes))
    }
}

/// Completes a file, or each file of a list.
pub(super) fn write(value: Value, folder: Option<&Folder>) -> Result<Value, FormatError> {
    match value {
        Value::Array(files) => {
            let files = files.into_iter().enumerate().map(|(index, file)| {
                write(file, folder).map_err(|complaint| super::prefixed(complaint, &format!("[{index}]")))
            });
            files.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Value::Object(file) => complete(file, folder).map(Value::Object),
        other => Err(FormatError::new("a file: `filename` and `content_base64`", short(&other.to_string()))),
    }
}

fn complete(mut file: Map<String, Value>, folder: Option<&Folder>) -> Result<Map<String, Value>, FormatError> {
    let has = |file: &Map<String, Value>, key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(path) = has(&file, "path") {
        file.shift_remove("path");
        let Some(folder) = folder else {
            let expected = "`filename` and `content_base64`; a path is taken only where `--files` opened a folder";
            return Err(FormatError::new(expected, short(&path)).at(".path"));
        };
        if file.contains_key("content_base64") {
            return Err(FormatError::new("either `path` or `content_base64`", "both"));
        }
        let (name, bytes) = folder.read(&path).map_err(|reason| {
            let expected = "the path of a file in the folder that `--files` opened";
            FormatError::new(expected, format!("{}: {reason}", short(&path))).at(".path")
        })?;
        file.insert("content_base64".to_owned(), Value::from(STANDARD.encode(bytes)));
        file.entry("filename").or_insert(Value::from(name));
    }
    let missing = ["filename", "content_base64"].into_iter().find(|key| !file.contains_key(*key));
    if let Some(missing) = missing {
        return Err(FormatError::new("`path`, or `filename` and `content_base64`", format!("no `{missing}`")));
    }
    if !file.contains_key("content_type")
        && let Some(kind) = mime_guess::from_path(has(&file, "filename").unwrap_or_default()).first_raw()
    {
        file.insert("content_type".to_owned(), Value::from(kind));
    }
    Ok(file)
}

//! A file as a caller gives it, by its bytes or by its path in the folder that the operator opened →
//! its name, bytes and type.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::FormatContext;
use crate::error::{FormatError, short};
use crate::format::{Format, FormatRef, WriteFuture, written};

/// The largest file that a call may carry, in megabytes.
const MAX_FILE_MB: usize = 10;

/// The format of every part of a form, and of every body, that is a file.
pub const FILE: FormatRef = &File;

struct File;

impl Format for File {
    fn name(&self) -> &'static str {
        "file"
    }

    fn summary(&self) -> &'static str {
        "A file: its bytes, or where it lies in the folder that the operator opened."
    }

    fn fits_parts(&self) -> bool {
        false
    }

    fn argument_schema(&self, _: &Formatted, _: &mut Map<String, Value>) -> Result<(), &'static str> {
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        Vec::new()
    }

    fn offer_folder(&self, schema: &mut Value) {
        let file = if schema["type"] == "array" { &mut schema["items"] } else { schema };
        file["properties"]["path"] = json!({"type": "string", "description": "Instead of the bytes: a local file."});
        if let Some(file) = file.as_object_mut() {
            file.shift_remove("required");
        }
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        context: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(completed(value, context.folder))
    }
}

/// Returns the schema of a file as an argument: its name and its bytes.
pub fn file_schema(description: Option<&Value>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("description".to_owned(), description.cloned().unwrap_or_else(|| json!("The file to send.")));
    schema.insert(
        "properties".to_owned(),
        json!({
            "filename": {"type": "string", "description": "Name with extension, such as `report.pdf`.", "minLength": 1},
            "content_base64": {"type": "string", "description": format!("The bytes in base64, at most {MAX_FILE_MB} MB.")},
            "content_type": {"type": "string", "description": "Media type; guessed from the name if missing."},
        }),
    );
    schema.insert("required".to_owned(), json!(["filename", "content_base64"]));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

/// Returns the schema of several files as one argument.
pub fn files_schema(description: Option<&Value>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("array"));
    schema.insert("description".to_owned(), description.cloned().unwrap_or_else(|| json!("The files to send.")));
    schema.insert("items".to_owned(), Value::Object(file_schema(None)));
    schema
}

/// Why a folder can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It can't be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// The path leads to something else.
    #[error("no folder")]
    NoFolder,
}

/// A folder whose files may be sent to vendors.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let root = path.canonicalize()?;
        if root.is_dir() { Ok(Self(root)) } else { Err(FolderError::NoFolder) }
    }

    /// Reads a file of the folder, by a relative or absolute path.
    fn read(&self, path: &str) -> Result<(String, Vec<u8>), String> {
        // Links are resolved first: the file itself must be in the folder.
        let whole = self.0.join(path).canonicalize().map_err(|_| "no such file in the folder".to_owned())?;
        if !whole.starts_with(&self.0) {
            // The same reason as for a missing file: a caller must not learn what is elsewhere.
            return Err("no such file in the folder".to_owned());
        }
        let unreadable = |error: std::io::Error| format!("it can't be read: {}", error.kind());
        // Checked before it is opened: opening a pipe would block.
        let metadata = whole.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err("no file".to_owned());
        }
        let max_bytes = MAX_FILE_MB as u64 * 1024 * 1024;
        let mut bytes = Vec::new();
        std::fs::File::open(&whole)
            .and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        if bytes.len() as u64 > max_bytes {
            return Err(format!("larger than {MAX_FILE_MB} MB"));
        }
        let name = whole.file_name().and_then(|name| name.to_str()).ok_or("its name is no text")?;
        Ok((name.to_owned(), bytes))
    }
}

/// Completes a file, or each file of a list.
fn completed(value: Value, folder: Option<&Folder>) -> Result<Value, FormatError> {
    match value {
        Value::Array(files) => {
            let files = files
                .into_iter()
                .enumerate()
                .map(|(index, file)| completed(file, folder).map_err(|error| error.below(&format!("[{index}]"))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_from_the_folder_only() {
        let root = tempfile();
        let (inside, outside) = (root.join("open"), root.join("secret.txt"));
        std::fs::create_dir_all(inside.join("sub")).unwrap();
        std::fs::write(inside.join("sub/report.pdf"), b"%PDF").unwrap();
        std::fs::write(inside.join("large.bin"), vec![0; 10 * 1024 * 1024 + 1]).unwrap();
        std::fs::write(&outside, b"secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, inside.join("link.txt")).unwrap();
        let folder = Folder::open(&inside).unwrap();
        let read = |path: &str| completed(json!({"path": path}), Some(&folder));
        let report = json!({"content_base64": STANDARD.encode("%PDF"), "filename": "report.pdf", "content_type": "application/pdf"});
        assert_eq!(read("sub/report.pdf"), Ok(report.clone()));
        assert_eq!(read(inside.join("sub/report.pdf").to_str().unwrap()), Ok(report.clone()));
        let several =
            completed(json!([{"path": "sub/report.pdf", "filename": "a.txt"}, report]), Some(&folder)).unwrap();
        assert_eq!(
            (several[0]["filename"].as_str(), several[0]["content_type"].as_str()),
            (Some("a.txt"), Some("text/plain"))
        );
        for (path, reason) in [
            ("../secret.txt", "no such file in the folder"),
            (outside.to_str().unwrap(), "no such file in the folder"),
            ("missing", "no such file in the folder"),
            #[cfg(unix)]
            ("link.txt", "no such file in the folder"),
            ("sub", "no file"),
            ("large.bin", "larger than 10 MB"),
        ] {
            let error = read(path).unwrap_err();
            assert!(error.given.ends_with(reason) && error.at == ".path", "{path}: {error:?}");
        }
        for (given, folder) in [
            (json!({"path": "sub/report.pdf"}), None),
            (json!({"path": "sub/report.pdf", "content_base64": "aGk="}), Some(&folder)),
            (json!({"filename": "a.txt"}), Some(&folder)),
            (json!("a.txt"), Some(&folder)),
        ] {
            assert!(completed(given.clone(), folder).is_err(), "{given}");
        }
        assert!(Folder::open(&outside).is_err() && Folder::open(&root.join("nowhere")).is_err());
        std::fs::remove_dir_all(&root).unwrap();
    }

    /// A folder that only this test uses.
    fn tempfile() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("toolwright-formats-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }
}

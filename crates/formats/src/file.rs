//! A file as a caller gives it, by its bytes or by its path in the folder that the operator opened →
//! its name, bytes and type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use toolwright_model::Formatted;
use toolwright_model::file_limits::{LARGEST_FILE, LARGEST_FILES, MEGABYTE};

use crate::FormatContext;
use crate::error::{FormatError, short};
use crate::folder::{CallFiles, FileContent, ReadError};
use crate::format::{Format, FormatRef, WriteFuture};

/// The format of every part of a form, and of every body, that is a file.
pub const FILE: FormatRef = &File;

struct File;

impl Format for File {
    fn name(&self) -> &'static str {
        "file"
    }

    fn summary(&self) -> &'static str {
        "A file: its bytes, or its path in the folder that the operator opened."
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
        Box::pin(completed(value, context.files))
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
            "content_base64": {"type": "string", "description": format!("The bytes in base64, at most {} MB.", LARGEST_FILE / MEGABYTE)},
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

/// Completes a file, or each file of a list. The files that are named by path are read all at once, so that the sum of
/// their sizes is known first.
async fn completed(value: Value, files: Option<&CallFiles<'_>>) -> Result<Value, FormatError> {
    let (list, is_list) = match value {
        Value::Array(list) => (list, true),
        one => (vec![one], false),
    };
    let below = |index: usize, error: FormatError| if is_list { error.below(&format!("[{index}]")) } else { error };
    let mut given = Vec::with_capacity(list.len());
    for (index, file) in list.into_iter().enumerate() {
        given.push(GivenFile::new(file, files.is_some()).map_err(|error| below(index, error))?);
    }
    let paths: Vec<(usize, String)> =
        given.iter().enumerate().filter_map(|(index, file)| Some((index, file.path.clone()?))).collect();
    let mut contents = match files.filter(|_| !paths.is_empty()) {
        Some(files) => {
            let read = files.read(paths.iter().map(|(_, path)| path.clone()).collect()).await;
            read.map_err(|error| unread(error, &paths, &below))?.into_iter()
        }
        None => Vec::new().into_iter(),
    };
    let mut completed = Vec::with_capacity(given.len());
    for (index, file) in given.into_iter().enumerate() {
        let content = if file.path.is_some() { contents.next() } else { None };
        completed.push(Value::Object(file.complete(content).map_err(|error| below(index, error))?));
    }
    // A value that is no list had one entry.
    Ok(if is_list { Value::Array(completed) } else { completed.pop().unwrap_or_default() })
}

/// Why files were not read, as the error of the argument.
fn unread(
    error: ReadError,
    paths: &[(usize, String)],
    below: &impl Fn(usize, FormatError) -> FormatError,
) -> FormatError {
    match error {
        ReadError::File(position, reason) => {
            let (index, path) = paths.get(position).cloned().unwrap_or_default();
            let expected = "the path of a file in the folder that `--files` opened";
            below(index, FormatError::new(expected, format!("{}: {reason}", short(&path))).at(".path"))
        }
        ReadError::TooMuch { files, bytes } => {
            let most = LARGEST_FILES / MEGABYTE;
            let expected = format!("files of at most {most} MB together; send the others in further calls");
            FormatError::new(expected, ReadError::sum_text(files, bytes))
        }
    }
}

/// A file as it was given.
struct GivenFile {
    /// Where it lies, in place of its bytes.
    path: Option<String>,
    entries: Map<String, Value>,
}

impl GivenFile {
    fn new(file: Value, folder_is_open: bool) -> Result<Self, FormatError> {
        let mut entries = match file {
            Value::Object(entries) => entries,
            other => {
                return Err(FormatError::new("a file: `filename` and `content_base64`", short(&other.to_string())));
            }
        };
        let Some(path) = text(&entries, "path") else { return Ok(Self { path: None, entries }) };
        entries.shift_remove("path");
        if !folder_is_open {
            let expected = "`filename` and `content_base64`; a path is taken only where `--files` opened a folder";
            return Err(FormatError::new(expected, short(&path)).at(".path"));
        }
        if entries.contains_key("content_base64") {
            return Err(FormatError::new("either `path` or `content_base64`", "both"));
        }
        Ok(Self { path: Some(path), entries })
    }

    fn complete(self, content: Option<FileContent>) -> Result<Map<String, Value>, FormatError> {
        let mut file = self.entries;
        if let Some(FileContent { name, bytes }) = content {
            file.insert("content_base64".to_owned(), Value::from(STANDARD.encode(bytes)));
            file.entry("filename").or_insert(Value::from(name));
        }
        let missing = ["filename", "content_base64"].into_iter().find(|key| !file.contains_key(*key));
        if let Some(missing) = missing {
            return Err(FormatError::new("`path`, or `filename` and `content_base64`", format!("no `{missing}`")));
        }
        if !file.contains_key("content_type")
            && let Some(kind) = mime_guess::from_path(text(&file, "filename").unwrap_or_default()).first_raw()
        {
            file.insert("content_type".to_owned(), Value::from(kind));
        }
        Ok(file)
    }
}

fn text(file: &Map<String, Value>, key: &str) -> Option<String> {
    file.get(key).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::folder::testing::{fresh_folder, now};

    #[test]
    fn files_come_from_the_folder_only() {
        let inside = fresh_folder("file-format");
        std::fs::create_dir_all(inside.join("sub")).unwrap();
        std::fs::write(inside.join("sub/report.pdf"), b"%PDF").unwrap();
        let folder = Folder::open(&inside).unwrap();
        let read = |value: Value| now(completed(value, Some(&folder.for_call())));
        let report = json!({"content_base64": STANDARD.encode("%PDF"), "filename": "report.pdf", "content_type": "application/pdf"});
        assert_eq!(read(json!({"path": "sub/report.pdf"})), Ok(report.clone()));
        let several = read(json!([{"path": "sub/report.pdf", "filename": "a.txt"}, report])).unwrap();
        assert_eq!(
            (several[0]["filename"].as_str(), several[0]["content_type"].as_str()),
            (Some("a.txt"), Some("text/plain"))
        );
        assert_eq!(several[1], report);
        let error = read(json!([report, {"path": "../elsewhere"}])).unwrap_err();
        assert_eq!(
            (error.at.as_str(), error.given.as_str()),
            ("[1].path", "`../elsewhere`: no such file in the folder")
        );
        for (given, folder) in [
            (json!({"path": "sub/report.pdf"}), None),
            (json!({"path": "sub/report.pdf", "content_base64": "aGk="}), Some(&folder)),
            (json!({"filename": "a.txt"}), Some(&folder)),
            (json!("a.txt"), Some(&folder)),
        ] {
            let files = folder.map(Folder::for_call);
            assert!(now(completed(given.clone(), files.as_ref())).is_err(), "{given}");
        }
        std::fs::remove_dir_all(&inside).unwrap();
    }

    #[test]
    fn the_sum_of_the_files_is_refused_before_any_is_read() {
        let inside = fresh_folder("file-sum");
        // Without content on the disk: what is not read costs nothing.
        std::fs::File::create(inside.join("large.bin")).unwrap().set_len(9 * MEGABYTE).unwrap();
        let folder = Folder::open(&inside).unwrap();
        let files = folder.for_call();
        let many = |count: usize| Value::Array(vec![json!({"path": "large.bin"}); count]);
        let error = now(completed(many(300), Some(&files))).unwrap_err();
        assert_eq!(error.given, "300 files of 2700 MB together");
        assert!(error.expected.starts_with("files of at most 20 MB together"), "{error:?}");
        // The same bound holds for all arguments of a call.
        assert!(now(completed(many(1), Some(&files))).is_ok());
        assert!(now(completed(many(1), Some(&files))).is_ok());
        assert_eq!(now(completed(many(1), Some(&files))).unwrap_err().given, "1 files of 9 MB together");
        assert!(now(completed(many(2), Some(&folder.for_call()))).is_ok());
        std::fs::remove_dir_all(&inside).unwrap();
    }
}

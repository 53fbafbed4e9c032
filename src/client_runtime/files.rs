//! A body with files → its parts, bounded in size.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use toolwright_model::file_limits::{LARGEST_FILE, LARGEST_FILES, MEGABYTE};

use super::CallError;
use super::inputs::{refuse_null, text};

/// Builds a form as OpenAPI 3.0 (Encoding Object) describes it: a list is a part for each of its
/// values, an object is JSON.
///
/// # Errors
/// The body is no object, or a value can't be a part.
pub(super) fn multipart(
    body: Value,
    files: &[String],
    is_json: impl Fn(&str) -> bool,
) -> Result<reqwest::multipart::Form, CallError> {
    let Value::Object(fields) = body else {
        return Err(CallError::NotSent("the form has no fields".to_owned()));
    };
    let mut form = reqwest::multipart::Form::new();
    let mut budget = FilesBudget::default();
    for (name, value) in fields {
        refuse_null(&name, &value)?;
        let values = match value {
            Value::Array(items) if !is_json(&name) => items,
            other => vec![other],
        };
        for value in values {
            form = if files.contains(&name) {
                form.part(name.clone(), file_part(&name, &value, &mut budget)?)
            } else if value.is_object() || value.is_array() {
                form.part(name.clone(), json_part(&value)?)
            } else {
                form.text(name.clone(), text(&value))
            };
        }
    }
    Ok(form)
}

fn json_part(value: &Value) -> Result<reqwest::multipart::Part, CallError> {
    let part = reqwest::multipart::Part::text(value.to_string()).mime_str("application/json");
    part.map_err(|error| CallError::NotSent(error.to_string()))
}

/// How many bytes the files of a call may still have.
pub(super) struct FilesBudget(u64);

impl Default for FilesBudget {
    fn default() -> Self {
        Self(LARGEST_FILES)
    }
}

impl FilesBudget {
    /// Takes a file of this size into account.
    ///
    /// # Errors
    /// It is too large, or all files are together.
    fn take(&mut self, bytes: u64) -> Result<(), String> {
        if bytes > LARGEST_FILE {
            return Err(format!("larger than {} MB", LARGEST_FILE / MEGABYTE));
        }
        let too_much = || format!("the files are larger than {} MB together", LARGEST_FILES / MEGABYTE);
        self.0 = self.0.checked_sub(bytes).ok_or_else(too_much)?;
        Ok(())
    }
}

/// A file that came as an argument.
pub(super) struct FileArgument<'a> {
    pub(super) bytes: Vec<u8>,
    name: &'a str,
    pub(super) content_type: &'a str,
}

impl<'a> FileArgument<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// A part of it is missing or wrong, or it is too large.
    pub(super) fn read(argument: &str, file: &'a Value, budget: &mut FilesBudget) -> Result<Self, CallError> {
        let entry = |key: &str| file.get(key).and_then(Value::as_str);
        let wrong = |what: &str| CallError::NotSent(format!("file argument `{argument}`: {what}"));
        let content = entry("content_base64").ok_or_else(|| wrong("`content_base64` is missing"))?;
        budget.take(decoded_length(content)).map_err(|reason| wrong(&reason))?;
        let bytes = decoded(content).map_err(|_| wrong("`content_base64` is not base64"))?;
        // Without folders: the vendor's server might interpret them.
        let name = entry("filename").unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(wrong("`filename` is not a file name"));
        }
        let content_type = entry("content_type").unwrap_or("application/octet-stream");
        if reqwest::header::HeaderValue::from_str(content_type).is_err() {
            return Err(wrong(&format!("`{content_type}` is not a content type")));
        }
        Ok(Self { bytes, name, content_type })
    }
}

/// The size of what a text in base64 stands for, without decoding it.
fn decoded_length(base64: &str) -> u64 {
    let digits = base64.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').count() as u64;
    digits * 3 / 4
}

fn decoded(base64: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if base64.bytes().any(|byte| byte.is_ascii_whitespace()) {
        STANDARD.decode(base64.split_ascii_whitespace().collect::<String>())
    } else {
        STANDARD.decode(base64)
    }
}

fn file_part(argument: &str, file: &Value, budget: &mut FilesBudget) -> Result<reqwest::multipart::Part, CallError> {
    let file = FileArgument::read(argument, file, budget)?;
    let part = reqwest::multipart::Part::bytes(file.bytes).file_name(file.name.to_owned());
    part.mime_str(file.content_type).map_err(|_| {
        CallError::NotSent(format!("file argument `{argument}`: `{}` is not a content type", file.content_type))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_bounded_one_by_one_and_together() {
        let file = |size: u64| {
            let bytes = vec![0_u8; usize::try_from(size).unwrap()];
            json!({"filename": "a.bin", "content_base64": STANDARD.encode(bytes)})
        };
        let sent = |sizes: &[u64]| {
            let mut budget = FilesBudget::default();
            let files: Vec<Value> = sizes.iter().map(|size| file(*size)).collect();
            files.iter().try_for_each(|one| FileArgument::read("f", one, &mut budget).map(drop))
        };
        // The largest file passes to the byte, however its base64 ends.
        for size in [LARGEST_FILE - 2, LARGEST_FILE - 1, LARGEST_FILE] {
            assert!(sent(&[size]).is_ok(), "{size}");
        }
        assert!(sent(&[LARGEST_FILE, LARGEST_FILES - LARGEST_FILE]).is_ok());
        for (sizes, expected) in [
            (&[LARGEST_FILE + 1][..], "larger than 10 MB"),
            (&[LARGEST_FILE, LARGEST_FILE, 1], "the files are larger than 20 MB together"),
        ] {
            let error = sent(sizes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_length_of_base64_is_that_of_its_bytes() {
        for length in 0..70 {
            let mut text = STANDARD.encode(vec![7; length]);
            assert_eq!(decoded_length(&text), length as u64);
            text.insert_str(text.len() / 2, "\r\n ");
            assert_eq!((decoded_length(&text), decoded(&text).unwrap().len()), (length as u64, length));
        }
    }
}

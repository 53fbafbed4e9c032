//! What a sign-in found → an account of toolwright.toml, with the comments and the other entries of the file as they are.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table};

use crate::cli::CommandError;
use crate::config::{Environment, LoginClient};
use crate::error::ConfigError;
use crate::owner_file::{beside, options};

/// The variables of the app itself. A secret of the environment is not copied into a file: the variable that names one is.
pub(super) fn of_app(client: &LoginClient<'_>, env: Environment<'_>) -> BTreeMap<String, String> {
    let [id, secret] = &client.given;
    let is_copied = |variable: &&String| *variable == id || variable.ends_with("_FILE");
    [id, secret].into_iter().filter(is_copied).filter_map(|name| Some((name.clone(), env(name)?))).collect()
}

/// Writes the variables of an account.
pub(super) fn write(
    path: &Path,
    account: &str,
    vendor: &str,
    variables: &BTreeMap<String, String>,
) -> Result<(), CommandError> {
    let wrong = |what: String| ConfigError::new(format!("`{}` {what}", path.display()));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(wrong(format!("can't be read: {error}")).into()),
    };
    // The parser's message quotes the line, which may hold a secret.
    let mut document: DocumentMut =
        text.parse().map_err(|_| wrong("is no TOML, so that nothing was written".to_owned()))?;
    let mut parent = Table::new();
    parent.set_implicit(true);
    let accounts = document.entry("accounts").or_insert(Item::Table(parent));
    let accounts = accounts.as_table_like_mut().ok_or_else(|| wrong("has no table `accounts`".to_owned()))?;
    let entry = accounts.entry(account).or_insert(Item::Table(Table::new()));
    let entry = entry.as_table_like_mut().ok_or_else(|| wrong(format!("has no table `accounts.{account}`")))?;
    if !entry.contains_key("vendor") {
        entry.insert("vendor", toml_edit::value(vendor));
    }
    for (variable, value) in variables {
        entry.insert(variable, toml_edit::value(value));
    }
    put(path, &document.to_string()).map_err(|error| wrong(format!("can't be written: {error}")).into())
}

fn put(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let next = beside(path, "login");
    let _ = std::fs::remove_file(&next);
    let mut file = options().create_new(true).open(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(next, path)
}

/// A value as a shell reads it.
pub(super) fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_written_and_everything_else_stays() {
        let folder = std::env::temp_dir().join(format!("toolwright-login-settings-{}", std::process::id()));
        let path = folder.join("toolwright.toml");
        let found = |id: &str| BTreeMap::from([("JSM_CLOUD_ID".to_owned(), id.to_owned())]);
        write(&path, "acme", "jsm", &found("1")).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "[accounts.acme]\nvendor = \"jsm\"\nJSM_CLOUD_ID = \"1\"\n"
        );
        let before = "# ours\n[profiles.a]\ntags = [ 'x' ] # kept\n\n[accounts.acme]\nvendor = \"jsm\"  # the site\nJSM_CLOUD_ID = \"1\"\n";
        std::fs::write(&path, before).unwrap();
        write(&path, "acme", "jsm", &found("2")).unwrap();
        write(&path, "other", "jsm", &found("3")).unwrap();
        let after = std::fs::read_to_string(&path).unwrap();
        let expected =
            before.replace("\"1\"", "\"2\"") + "\n[accounts.other]\nvendor = \"jsm\"\nJSM_CLOUD_ID = \"3\"\n";
        assert_eq!(after, expected);
        std::fs::write(&path, "no toml: s3cret").unwrap();
        let error = write(&path, "acme", "jsm", &found("2")).unwrap_err().to_string();
        assert!(error.contains("is no TOML") && !error.contains("s3cret"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_value_is_one_word_for_a_shell() {
        assert_eq!(quoted("/a/b-c.d"), "/a/b-c.d");
        assert_eq!(quoted("it's here"), "'it'\\''s here'");
    }
}

//! A variable `X` and its companions `X_FILE` and `X_KEYRING` → the value that one of them gives, and which.

use std::path::Path;

use super::Environment;
use crate::error::ConfigError;
use crate::keyring::{self, EntryName, KeyringError};
use crate::upstream::named_file;

/// What is appended to the name of a variable for the one that names a file.
pub(crate) const FILE: &str = "_FILE";
/// What is appended for the one that names an entry of the keyring.
pub(crate) const KEYRING: &str = "_KEYRING";

/// A value and the variable that gave it: for a variable `X`, `X` itself, `X_FILE` or `X_KEYRING`.
#[derive(Clone)]
pub(super) struct GivenValue {
    pub(super) text: String,
    pub(super) variable: String,
}

/// A variable's value, the content of the file that `…_FILE` names, or the entry of the keyring that `…_KEYRING` names. Empty
/// counts as unset, because MCP clients that template their configuration pass empty values for absent ones.
pub(super) fn value(variable: &str, env: Environment<'_>) -> Result<Option<GivenValue>, ConfigError> {
    let given = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let (by_file, by_keyring) = (format!("{variable}{FILE}"), format!("{variable}{KEYRING}"));
    if let Some(name) = given(&by_keyring) {
        // Which of the two is meant would be a guess, and one of them is a secret that is thought to be out of use.
        if let Some(other) = [variable, by_file.as_str()].into_iter().find(|other| given(other).is_some()) {
            return Err(ConfigError::new(format!(
                "`{other}` and `{by_keyring}` are both set\nhint: leave one of the two out"
            )));
        }
        return in_keyring(by_keyring, &name).map(Some);
    }
    if let Some(text) = given(variable) {
        return Ok(Some(GivenValue { text, variable: variable.to_owned() }));
    }
    let Some(path) = env(&by_file).filter(|path| !path.is_empty()) else { return Ok(None) };
    in_file(by_file, &path).map(Some)
}

fn in_file(variable: String, path: &str) -> Result<GivenValue, ConfigError> {
    let named = || named_file(&variable, Path::new(path));
    let content = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::new(format!("{}, which can't be read: {error}", named())))?;
    let content = content.trim();
    if content.is_empty() {
        return Err(ConfigError::new(format!("{}, which is empty", named())));
    }
    Ok(GivenValue { text: content.to_owned(), variable })
}

fn in_keyring(variable: String, name: &str) -> Result<GivenValue, ConfigError> {
    let name = EntryName::parse(name).ok_or_else(|| {
        ConfigError::new(format!(
            "`{variable}` names no entry of a keyring (not shown: it may be the value itself, in place of its name)\n\
             hint: the form is `SERVICE/USER`, such as `toolwright/jitbit`; `toolwright setup --keyring` stores a secret and \
             names it"
        ))
    })?;
    let text = keyring::read(&name).map_err(|error| not_read(&variable, &name, &error))?;
    Ok(GivenValue { text, variable })
}

fn not_read(variable: &str, name: &EntryName, error: &KeyringError) -> ConfigError {
    ConfigError::new(format!("`{variable}` names {}: {error}\nhint: {}", name.shown(), error.hint(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Result<Option<String>, String> {
        let env = |name: &str| set.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned());
        let found = value("X_TOKEN", &env).map_err(|error| error.to_string())?;
        Ok(found.map(|given| format!("{} from {}", given.text, given.variable)))
    }

    #[test]
    fn the_keyring_and_another_way_clash() {
        let path = std::env::temp_dir().join(format!("toolwright-given-{}", std::process::id()));
        std::fs::write(&path, "of-file\n").unwrap();
        let path = path.display().to_string();
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[("X_TOKEN", "a"), ("X_TOKEN_KEYRING", " ")]), Ok(Some("a from X_TOKEN".to_owned())));
        assert_eq!(of(&[("X_TOKEN_FILE", &path)]), Ok(Some("of-file from X_TOKEN_FILE".to_owned())));
        assert_eq!(of(&[("X_TOKEN", "a"), ("X_TOKEN_FILE", &path)]), Ok(Some("a from X_TOKEN".to_owned())));
        for other in ["X_TOKEN", "X_TOKEN_FILE"] {
            let error = of(&[(other, "s3cret"), ("X_TOKEN_KEYRING", "toolwright/x")]).unwrap_err();
            assert!(error.starts_with(&format!("`{other}` and `X_TOKEN_KEYRING` are both set")), "{error}");
            assert!(error.contains("hint: leave one") && !error.contains("s3cret"), "{error}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_secret_in_place_of_a_name_is_not_repeated() {
        for pasted in ["s3cret", "s3cr/et+base64==", "s3cret s3cret/x", "/s3cret"] {
            let error = of(&[("X_TOKEN_KEYRING", pasted)]).unwrap_err();
            assert!(error.starts_with("`X_TOKEN_KEYRING` names no entry") && error.contains("SERVICE/USER"), "{error}");
            assert!(!error.contains("s3cr"), "{error}");
        }
        let name = EntryName::parse("s3cr/et").unwrap();
        let error = not_read("X_TOKEN_KEYRING", &name, &KeyringError::Missing).to_string();
        assert!(
            error.contains("no such entry\nhint: `toolwright setup --keyring`") && !error.contains("s3cr"),
            "{error}"
        );
        let own = EntryName::own("jitbit").unwrap();
        let error = not_read("X_TOKEN_KEYRING", &own, &KeyringError::Several(2)).to_string();
        assert!(error.starts_with("`X_TOKEN_KEYRING` names `toolwright/jitbit`: the keyring has 2 entries"), "{error}");
    }
}

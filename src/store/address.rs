//! `--store` → a file of SQLite or a database of PostgreSQL. What is shown of it has no password.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::error::ConfigError;

/// The name of the file in the folder of the program's data.
const FILE: &str = "store.db";

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// A file of SQLite.
    File(PathBuf),
    /// A database of PostgreSQL.
    Postgres(Url),
}

impl StoreAddress {
    /// Reads what `--store` names: a path, or `postgres://…`.
    ///
    /// # Errors
    /// It is the address of something else.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let Some((scheme, _)) = text.split_once("://") else { return Ok(Self::File(PathBuf::from(text))) };
        match (scheme, Url::parse(text)) {
            ("postgres" | "postgresql", Ok(url)) => Ok(Self::Postgres(url)),
            // The text may hold a password.
            _ => Err(ConfigError::new(
                "`--store` takes a file or a database of PostgreSQL\n\
                 hint: such as `/var/lib/toolwright/store.db` or `postgres://user@host:5432/database`",
            )),
        }
    }

    /// The file in the folder where this system keeps programs' data.
    ///
    /// # Errors
    /// The environment names no such folder.
    pub fn by_default(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let folder = data_folder(env).ok_or_else(|| {
            ConfigError::new("no folder for the store is known\nhint: `--store FILE` names a file, such as `/var/lib/toolwright/store.db`")
        })?;
        Ok(Self::File(folder.join(FILE)))
    }
}

/// The folder of this program's data; `None` where the environment names none.
pub(crate) fn data_folder(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let folder = |variable: &str| env(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library").join("Application Support"))
    } else {
        folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local").join("share")))
    };
    data.map(|data| data.join("toolwright"))
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                write!(f, "postgres://{}{port}{}", url.host_str().unwrap_or("localhost"), url.path())
            }
        }
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address = StoreAddress::parse("postgres://tw:s3cret@db.example.com:6432/links?password=s3cret").unwrap();
        let shown = format!("{address} {address:?}");
        assert!(!shown.contains("s3cret") && shown.contains("postgres://db.example.com:6432/links"), "{shown}");
        let error = StoreAddress::parse("mysql://tw:s3cret@db/links").unwrap_err().to_string();
        assert!(error.contains("PostgreSQL") && !error.contains("s3cret"), "{error}");
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_default_is_in_the_data_folder() {
        let of = |pairs: &'static [(&str, &str)]| {
            let env = |name: &str| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
            StoreAddress::by_default(&env).map(|address| address.to_string())
        };
        assert_eq!(of(&[("XDG_DATA_HOME", "/d"), ("HOME", "/h")]).unwrap(), "/d/toolwright/store.db");
        assert_eq!(of(&[("XDG_DATA_HOME", ""), ("HOME", "/h")]).unwrap(), "/h/.local/share/toolwright/store.db");
        assert!(of(&[]).unwrap_err().to_string().contains("--store"));
    }
}

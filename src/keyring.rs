//! The name of an entry → its secret in the operating system's keyring: the Secret Service on Linux, Keychain on macOS,
//! Credential Manager on Windows. No error has a secret in it.

#[cfg(not(all(feature = "keyring", any(target_os = "linux", target_os = "macos", windows))))]
mod absent;
#[cfg(all(feature = "keyring", target_os = "linux"))]
mod linux;
#[cfg(all(feature = "keyring", any(target_os = "macos", windows)))]
mod native;

use std::fmt;

#[cfg(not(all(feature = "keyring", any(target_os = "linux", target_os = "macos", windows))))]
use absent as system;
#[cfg(all(feature = "keyring", target_os = "linux"))]
use linux as system;
#[cfg(all(feature = "keyring", any(target_os = "macos", windows)))]
use native as system;

/// The service of the entries that this program stores.
const OWN_SERVICE: &str = env!("CARGO_PKG_NAME");
/// The longest part of a name, in bytes: what each system takes.
const LONGEST_PART: usize = 200;

/// The name of an entry, `SERVICE/USER`: the two attributes by which other programs find it, too.
#[derive(Clone)]
pub(crate) struct EntryName {
    service: String,
    user: String,
}

impl EntryName {
    /// Reads a name. The characters are those that a shell takes as they are: messages show commands with it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (service, user) = text.trim().split_once('/')?;
        let is_part = |part: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+' | ':' | '/');
            (1..=LONGEST_PART).contains(&part.len()) && part.chars().all(is_plain) && !part.starts_with('-')
        };
        let name = Self { service: service.to_owned(), user: user.to_owned() };
        (is_part(service) && is_part(user)).then_some(name)
    }

    /// The name under which this program stores something.
    pub(crate) fn own(user: &str) -> Option<Self> {
        Self::parse(&format!("{OWN_SERVICE}/{user}"))
    }

    /// Whether this program gave it.
    pub(crate) fn is_own(&self) -> bool {
        self.service == OWN_SERVICE
    }

    /// How a message names it. People paste the secret itself where its name belongs: one that this program would not give
    /// is not repeated.
    pub(crate) fn shown(&self) -> String {
        if self.is_own() {
            format!("`{self}`")
        } else {
            "an entry (not shown: it may be the value itself, in place of its name)".to_owned()
        }
    }

    /// The two parts as a command names them.
    fn in_command(&self) -> (&str, &str) {
        if self.is_own() { (&self.service, &self.user) } else { ("SERVICE", "USER") }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.user)
    }
}

/// Why the keyring did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(dead_code, reason = "each system has faults of its own, and a program without a keyring has one")]
pub(crate) enum KeyringError {
    #[error("this program was built without the keyring of this system")]
    NotCompiled,
    #[error("no keyring service answers on this machine")]
    NoService,
    #[error("the keyring is locked")]
    Locked,
    #[error("the keyring has no default collection")]
    NoDefault,
    #[error("the keyring has no such entry")]
    Missing,
    #[error("the keyring has {0} entries of this name")]
    Several(usize),
    #[error("the entry is empty")]
    Empty,
    #[error("the entry holds something other than text")]
    NotText,
    #[error("the keyring did not answer within {0} seconds")]
    Silent(u64),
    #[error("the keyring failed: {0}")]
    Failed(String),
}

impl KeyringError {
    /// What to do next about an entry, a command where there is one.
    pub(crate) fn hint(&self, name: &EntryName) -> String {
        let (service, user) = name.in_command();
        let by_hand = |linux: &str, apple: &str| {
            if cfg!(target_os = "macos") {
                format!(", or `security {apple} -s {service} -a {user}`")
            } else if cfg!(windows) {
                String::new()
            } else {
                format!(", or `secret-tool {linux} service {service} username {user}`")
            }
        };
        match self {
            Self::NotCompiled => "build it with the feature `keyring`, or name a file: the setting with `_FILE`".to_owned(),
            Self::NoService => "sign in to a desktop, which runs one; without a desktop run \
                 `gnome-keyring-daemon --unlock --components=secrets` in a D-Bus session (`dbus-run-session`). A server or a \
                 container has none: name a file there, by the setting with `_FILE`"
                .to_owned(),
            Self::Locked => "unlock it: sign in to the desktop or open its password manager; without a desktop \
                 `gnome-keyring-daemon --replace --unlock --components=secrets` takes the password on standard input"
                .to_owned(),
            Self::NoDefault => "make a keyring in the desktop's password manager (Passwords and Keys, KWalletManager) and set \
                 it as the default"
                .to_owned(),
            Self::Missing | Self::Empty | Self::NotText => format!(
                "`toolwright setup --keyring` stores the secrets of an account{}",
                by_hand("store --label toolwright", "add-generic-password -w")
            ),
            Self::Several(_) => format!(
                "remove them in the system's password manager{}; then `toolwright setup --keyring` stores one",
                by_hand("clear", "delete-generic-password")
            ),
            Self::Silent(_) | Self::Failed(_) => {
                "see whether the system's password manager opens it; a file works without it: the setting with `_FILE`"
                    .to_owned()
            }
        }
    }
}

/// Whether an entry could be stored now.
///
/// # Errors
/// There is no keyring, or it is locked.
pub(crate) fn check() -> Result<(), KeyringError> {
    aside(system::check)
}

/// Reads the secret of an entry.
///
/// # Errors
/// It is not there, or can't be read now.
pub(crate) fn read(name: &EntryName) -> Result<String, KeyringError> {
    let name = name.clone();
    let text = aside(move || system::read(&name))?;
    match text.trim() {
        "" => Err(KeyringError::Empty),
        secret => Ok(secret.to_owned()),
    }
}

/// Stores a secret, in place of what the entry has.
///
/// # Errors
/// It can't be stored now.
pub(crate) fn store(name: &EntryName, secret: &str) -> Result<(), KeyringError> {
    let (name, secret) = (name.clone(), secret.to_owned());
    aside(move || system::store(&name, &secret))
}

/// Removes an entry.
///
/// # Errors
/// It is not there, or can't be removed now.
pub(crate) fn remove(name: &EntryName) -> Result<(), KeyringError> {
    let name = name.clone();
    aside(move || system::remove(&name))
}

/// Does it on a thread of its own: the caller may be a task of a runtime, in which no other runtime can wait.
fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let thread = std::thread::Builder::new().name("keyring".to_owned()).spawn(work);
    let thread = thread.map_err(|error| KeyringError::Failed(error.to_string()))?;
    thread.join().unwrap_or_else(|_| Err(KeyringError::Failed("its client stopped".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_service_and_a_user() {
        for text in ["toolwright/jitbit", " other.app/pat@example.com\n", "a/b/c", "toolwright/work-JITBIT_TOKEN"] {
            let name = EntryName::parse(text).unwrap();
            assert_eq!(name.to_string(), text.trim());
        }
        let long = format!("toolwright/{}", "a".repeat(201));
        for text in ["", "jitbit", "/jitbit", "toolwright/", "a b/c", "a/b c", "a/$(b)", "a/`b`", "-a/b", "a/-b", &long]
        {
            assert!(EntryName::parse(text).is_none(), "{text}");
        }
        assert_eq!(EntryName::own("work-X").unwrap().to_string(), "toolwright/work-X");
        assert!(EntryName::own("../a b").is_none());
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let every = [
            KeyringError::NotCompiled,
            KeyringError::NoService,
            KeyringError::Locked,
            KeyringError::NoDefault,
            KeyringError::Missing,
            KeyringError::Several(2),
            KeyringError::Empty,
            KeyringError::NotText,
            KeyringError::Silent(20),
            KeyringError::Failed("why".to_owned()),
        ];
        let (pasted, own) = (EntryName::parse("s3cr3t/t0ken").unwrap(), EntryName::own("jitbit").unwrap());
        assert_eq!(own.shown(), "`toolwright/jitbit`");
        assert!(!pasted.shown().contains("s3cr3t"));
        for error in every {
            let hint = error.hint(&pasted);
            assert!(!hint.contains("s3cr3t") && !hint.contains("t0ken") && !hint.is_empty(), "{hint}");
        }
        #[cfg(target_os = "linux")]
        for (error, part) in [
            (KeyringError::Missing, "`secret-tool store --label toolwright service toolwright username jitbit`"),
            (KeyringError::Several(2), "`secret-tool clear service toolwright username jitbit`"),
            (KeyringError::Locked, "`gnome-keyring-daemon --replace --unlock --components=secrets`"),
            (KeyringError::NoService, "`_FILE`"),
        ] {
            assert!(error.hint(&own).contains(part), "{}", error.hint(&own));
        }
    }
}

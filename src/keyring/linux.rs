//! An entry's name → its secret in the Secret Service of a desktop (GNOME Keyring, KWallet, KeePassXC), over D-Bus. Nobody is
//! asked to unlock it: the program may run where no one sees a dialog.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use secret_service::{EncryptionType, Error, Item, SecretService};

use super::{EntryName, KeyringError};

/// How long the service may take. D-Bus starts it where it does not run.
const LONGEST: Duration = Duration::from_secs(20);
/// The attributes by which programs find entries, those of `secret-tool` and of Python's keyring among them.
const SERVICE: &str = "service";
const USER: &str = "username";

pub(super) fn check() -> Result<(), KeyringError> {
    run(async {
        let service = connect().await?;
        match is_locked(&service).await? {
            Some(false) => Ok(()),
            Some(true) => Err(KeyringError::Locked),
            None => Err(KeyringError::NoDefault),
        }
    })
}

pub(super) fn read(name: &EntryName) -> Result<String, KeyringError> {
    run(async {
        let service = connect().await?;
        let secret = find(&service, name).await?.get_secret().await.map_err(|error| fault(&error))?;
        String::from_utf8(secret).map_err(|_| KeyringError::NotText)
    })
}

pub(super) fn store(name: &EntryName, secret: &str) -> Result<(), KeyringError> {
    const TEXT: &str = "text/plain";
    run(async {
        let service = connect().await?;
        let bytes = secret.as_bytes();
        match find(&service, name).await {
            Ok(item) => item.set_secret(bytes, TEXT).await.map_err(|error| fault(&error)),
            Err(KeyringError::Missing) => {
                let collection = service.get_default_collection().await.map_err(|error| match error {
                    Error::NoResult => KeyringError::NoDefault,
                    error => fault(&error),
                })?;
                let created = collection.create_item(&label(name), attributes(name), bytes, true, TEXT).await;
                created.map(drop).map_err(|error| fault(&error))
            }
            Err(error) => Err(error),
        }
    })
}

pub(super) fn remove(name: &EntryName) -> Result<(), KeyringError> {
    run(async {
        let service = connect().await?;
        find(&service, name).await?.delete().await.map_err(|error| fault(&error))
    })
}

/// Waits for the service, on a runtime of its own.
fn run<T>(work: impl Future<Output = Result<T, KeyringError>>) -> Result<T, KeyringError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| KeyringError::Failed(error.to_string()))?;
    let done = runtime.block_on(async { tokio::time::timeout(LONGEST, work).await });
    runtime.shutdown_background();
    done.unwrap_or(Err(KeyringError::Silent(LONGEST.as_secs())))
}

/// Opens a session in which secrets cross the bus encrypted: others may watch it.
async fn connect() -> Result<SecretService<'static>, KeyringError> {
    SecretService::connect(EncryptionType::Dh).await.map_err(|error| fault(&error))
}

/// Finds the one entry of a name.
async fn find<'s>(service: &'s SecretService<'static>, name: &EntryName) -> Result<Item<'s>, KeyringError> {
    let found = service.search_items(attributes(name)).await.map_err(|error| fault(&error))?;
    let (mut unlocked, locked) = (found.unlocked, found.locked.len());
    match (unlocked.pop(), unlocked.len(), locked) {
        (Some(item), 0, 0) => Ok(item),
        (None, _, 1) => Err(KeyringError::Locked),
        // Some services find nothing in what is locked.
        (None, _, 0) if is_locked(service).await? == Some(true) => Err(KeyringError::Locked),
        (None, _, 0) => Err(KeyringError::Missing),
        (found, others, locked) => Err(KeyringError::Several(usize::from(found.is_some()) + others + locked)),
    }
}

/// Whether the default collection is locked; `None` where there is none.
async fn is_locked(service: &SecretService<'_>) -> Result<Option<bool>, KeyringError> {
    match service.get_default_collection().await {
        Ok(collection) => collection.is_locked().await.map(Some).map_err(|error| fault(&error)),
        Err(Error::NoResult) => Ok(None),
        Err(error) => Err(fault(&error)),
    }
}

fn attributes(name: &EntryName) -> HashMap<&'static str, &str> {
    HashMap::from([(SERVICE, name.service.as_str()), (USER, name.user.as_str())])
}

/// What password managers show.
fn label(name: &EntryName) -> String {
    format!("Toolwright: {}", name.user)
}

fn fault(error: &Error) -> KeyringError {
    match error {
        Error::Locked => KeyringError::Locked,
        Error::Unavailable => KeyringError::NoService,
        Error::NoResult => KeyringError::Missing,
        Error::Zbus(error) => of_bus(error),
        Error::ZbusFdo(error) => of_standard(error),
        error => KeyringError::Failed(error.to_string()),
    }
}

fn of_bus(error: &zbus::Error) -> KeyringError {
    match error {
        // No bus, or one that takes no one else's connection.
        zbus::Error::Connection(..)
        | zbus::Error::InputOutput(_)
        | zbus::Error::Address(_)
        | zbus::Error::Handshake(_) => KeyringError::NoService,
        zbus::Error::FDO(error) => of_standard(error),
        zbus::Error::MethodError(name, ..) => by_name(name.as_str()).unwrap_or_else(|| failed(error)),
        error => failed(error),
    }
}

fn of_standard(error: &zbus::fdo::Error) -> KeyringError {
    match error {
        zbus::fdo::Error::ZBus(error) => of_bus(error),
        error => by_name(zbus::DBusError::name(error).as_str()).unwrap_or_else(|| failed(error)),
    }
}

/// What the name of an error on the bus means here.
fn by_name(name: &str) -> Option<KeyringError> {
    const ABSENT: [&str; 4] = ["ServiceUnknown", "NameHasNoOwner", "NoServer", "Disconnected"];
    if name == "org.freedesktop.Secret.Error.IsLocked" {
        return Some(KeyringError::Locked);
    }
    let kind = name.strip_prefix("org.freedesktop.DBus.Error.")?;
    (ABSENT.contains(&kind) || kind.starts_with("Spawn.")).then_some(KeyringError::NoService)
}

fn failed(error: &impl std::fmt::Display) -> KeyringError {
    KeyringError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_without_a_keyring_is_told_from_one_that_is_locked() {
        for (name, expected) in [
            ("org.freedesktop.Secret.Error.IsLocked", Some(KeyringError::Locked)),
            ("org.freedesktop.DBus.Error.ServiceUnknown", Some(KeyringError::NoService)),
            ("org.freedesktop.DBus.Error.Spawn.ChildExited", Some(KeyringError::NoService)),
            ("org.freedesktop.DBus.Error.AccessDenied", None),
            ("org.example.Error", None),
        ] {
            assert_eq!(by_name(name), expected, "{name}");
        }
        assert_eq!(fault(&Error::Unavailable), KeyringError::NoService);
        assert_eq!(of_bus(&zbus::Error::Address("x".to_owned())), KeyringError::NoService);
        let refused = std::sync::Arc::new(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
        let refused = zbus::Error::Connection(refused, "unix:path=/no/such/bus".parse().unwrap());
        assert_eq!(of_bus(&refused), KeyringError::NoService);
        let unknown = zbus::fdo::Error::ServiceUnknown("no such name".to_owned());
        assert_eq!(fault(&Error::ZbusFdo(unknown)), KeyringError::NoService);
    }
}

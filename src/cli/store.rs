//! `--store`, `--store-key` → an open store, and the sign-ins in it; `toolwright store`: its copies, and back, and its key.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::CommandError;
use super::printer::Printer;
use super::selection::environment;
use crate::error::ConfigError;
use crate::store::{Store, StoreAddress, StoreError, StoreKey, StoreKeyError, VendorSignIns};

/// `--store FILE|URL`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct StoreArguments {
    /// Where links, administrators' tokens and approvals are: a file, or postgres://USER@HOST/DATABASE for several servers; by default
    /// a file in the folder for programs' data. PGPASSWORD or ~/.pgpass hold a password
    #[arg(long, value_name = "FILE|URL", env = "TOOLWRIGHT_STORE", hide_env_values = true)]
    store: Option<String>,
}

impl StoreArguments {
    /// Whether a store was named.
    pub(super) fn is_given(&self) -> bool {
        self.store.as_ref().is_some_and(|text| !text.is_empty())
    }

    /// Opens the store.
    pub(super) async fn open(&self) -> Result<Store, CommandError> {
        Ok(Store::open(&self.address()?).await?)
    }

    /// Where it is.
    pub(super) fn address(&self) -> Result<StoreAddress, ConfigError> {
        match self.store.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => StoreAddress::parse(text),
            None => StoreAddress::by_default(&environment),
        }
    }
}

/// `--store-key FILE`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct StoreKeyArguments {
    /// The key of people's sign-ins at vendors, which the store keeps encrypted, from `toolwright store key create`: with it
    /// accounts act by them, and administrators sign in on the page Accounts of the console
    #[arg(long, value_name = "FILE", env = "TOOLWRIGHT_STORE_KEY_FILE", hide_env_values = true)]
    store_key: Option<String>,
}

impl StoreKeyArguments {
    fn path(&self) -> Option<&Path> {
        self.store_key.as_deref().filter(|path| !path.is_empty()).map(Path::new)
    }

    /// Whether a key was named.
    pub(super) fn is_given(&self) -> bool {
        self.path().is_some()
    }

    /// Reads the key, if one was named.
    pub(super) fn read(&self) -> Result<Option<StoreKey>, CommandError> {
        Ok(self.path().map(StoreKey::read).transpose()?)
    }

    /// The sign-ins in a store; `None` without a key.
    pub(super) async fn sign_ins(key: Option<StoreKey>, store: &Store) -> Result<Option<VendorSignIns>, CommandError> {
        match key {
            Some(key) => Ok(Some(VendorSignIns::open(store.clone(), key).await?)),
            None => Ok(None),
        }
    }
}

impl From<StoreKeyError> for CommandError {
    fn from(error: StoreKeyError) -> Self {
        Self::Configuration(ConfigError::new(error.to_string()))
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(_) => Self::Configuration(ConfigError::new(error.to_string())),
            StoreError::Unreachable(_) => Self::System(Box::new(error)),
        }
    }
}

const BACKUP_HELP: &str = "\
The copy is whole while servers use the store. To go back to it, stop the server and use `toolwright store restore`.

Example:
  toolwright store backup /var/backups/toolwright-links.db";

const RESTORE_HELP: &str = "\
The server has to be stopped. What is in the store now is kept beside it, with the ending `.before-restore`.

Example:
  toolwright store restore /var/backups/toolwright-links.db";

const KEY_HELP: &str = "\
The file is for the server's user alone (mode 0600), and of several servers with one store each has the same. Keep a copy of it
apart from copies of the store: without the key people have to sign in to the vendors again. It is never replaced.

Example:
  toolwright store key create /etc/toolwright/store.key";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The key of what is encrypted in a store.
#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key, in a new file
    #[command(after_help = KEY_HELP)]
    Create {
        /// The new file; only its owner can read it
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Copy a store in a file into a new file
    #[command(after_help = BACKUP_HELP)]
    Backup {
        /// The new file; only its owner can read it
        file: PathBuf,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Put a copy in the place of a store in a file
    #[command(after_help = RESTORE_HELP)]
    Restore {
        /// The copy, of this version or an older one; it stays
        file: PathBuf,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// The key that people's sign-ins at vendors are encrypted with
    #[command(subcommand)]
    Key(KeyCommand),
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    blocking(async {
        match &arguments.command {
            Command::Backup { file, store } => {
                let store = store.open().await?;
                store.back_up(file).await?;
                store.close().await;
                printer.note(&format!("copied `{}` to `{}`", store.address(), file.display()));
            }
            Command::Restore { file, store } => {
                let address = store.address()?;
                let kept = Store::restore(file, &address).await?;
                let kept = kept.map(|path| format!("; as it was: `{}`", path.display())).unwrap_or_default();
                printer.note(&format!("restored `{address}` from `{}`{kept}", file.display()));
            }
            Command::Key(KeyCommand::Create { file }) => {
                let key = StoreKey::create(file)?;
                let shown = file.display();
                printer.note(&format!(
                    "made the store key `{shown}` (fingerprint {})\nhint: `serve --store-key {shown}`",
                    key.fingerprint()
                ));
            }
        }
        Ok(())
    })
}

/// Runs a command that waits for the store.
pub(super) fn blocking(command: impl Future<Output = Result<(), CommandError>>) -> Result<(), CommandError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

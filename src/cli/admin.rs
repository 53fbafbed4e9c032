//! `toolwright admin token` → rows of administrators' tokens in the store, for the interface under `/api/v1`; a new token is
//! printed once.

use std::time::SystemTime;

use clap::{Args, Subcommand};

use super::CommandError;
use super::printer::Printer;
use super::store::{StoreArguments, blocking};
use super::table::{ColumnFit, fitted};
use crate::access::links::{create_admin_token, time_text};
use crate::error::ConfigError;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tokens of administrators: `serve --admin-api` takes them as `Authorization: Bearer …`
    #[command(subcommand)]
    Token(Token),
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Create a token and print it, this once
    #[command(after_help = "Example:\n  toolwright admin token create ops")]
    Create {
        /// Its name, in lists and logs
        name: String,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// List the tokens
    #[command(after_help = "Example:\n  toolwright admin token list")]
    List {
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Revoke a token, at once
    #[command(after_help = "Example:\n  toolwright admin token revoke ops")]
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        store: StoreArguments,
    },
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let Command::Token(token) = &arguments.command;
    blocking(async {
        match token {
            Token::Create { name, store } => {
                let token = create_admin_token(&store.open().await?, name, SystemTime::now()).await?;
                printer.data(&token)?;
                printer.note(&format!("the token `{name}` is shown this once; the store has only its hash"));
            }
            Token::List { store } => {
                let rows: Vec<[String; 3]> = store.open().await?.admin_tokens().await?.into_iter().map(row).collect();
                let columns =
                    [("name", ColumnFit::Whole), ("created", ColumnFit::Whole), ("last used", ColumnFit::Whole)];
                printer.data(&fitted(&columns, &rows, printer.width()))?;
            }
            Token::Revoke { name, store } => {
                if !store.open().await?.revoke_admin_token(name).await? {
                    let hint = "`toolwright admin token list` shows them";
                    return Err(ConfigError::new(format!("there is no token `{name}`\nhint: {hint}")).into());
                }
                printer.note(&format!("revoked `{name}`"));
            }
        }
        Ok(())
    })
}

fn row(token: crate::store::AdminToken) -> [String; 3] {
    [token.name, time_text(token.created), token.used.map_or_else(|| "never".to_owned(), time_text)]
}

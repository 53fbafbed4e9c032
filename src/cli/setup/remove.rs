//! An account of toolwright.toml → nothing: its secrets in files or in the keyring, and its table, after a yes.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::Path;

use toml_edit::{Item, TableLike};

use super::super::printer::Printer;
use super::super::selection::environment;
use super::super::{CommandError, install};
use super::settings::Settings;
use crate::client_settings::CLIENTS;
use crate::client_settings::places::{System, user_file};
use crate::config::{FILE, KEYRING};
use crate::error::ConfigError;
use crate::keyring::{self, EntryName, KeyringError};

/// Removes the accounts that a word names: one by its name, or those of a vendor; without a word the only one.
pub(super) fn remove(
    path: &Path,
    word: Option<&str>,
    vendors: &[&str],
    yes: bool,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let mut settings = Settings::read(path)?;
    let names = chosen(settings.accounts()?, word, vendors, path)?;
    if names.is_empty() {
        let of_vendor = word.map(|word| format!(" of `{word}`")).unwrap_or_default();
        printer.note(&format!("nothing is there to remove: `{}` has no account{of_vendor}", path.display()));
        return Ok(());
    }
    for name in &names {
        if let Some(account) = settings.accounts()?.get(name) {
            show(name, account, path, printer)?;
        }
    }
    if !agreed(yes, printer)? {
        return Err(CommandError::Check);
    }
    let mut removed = Vec::new();
    for name in &names {
        removed.extend(settings.accounts()?.remove(name));
    }
    // Before the file: while the keyring is locked, the account that names its entries has to stay.
    for account in &removed {
        forget_entries(account, &settings.text())?;
    }
    settings.write()?;
    for account in &removed {
        install::forget_secrets(&[account.to_string()])?;
    }
    printer.note(&format!("removed {}", names.join(", ")));
    for name in &names {
        note_clients(name, printer);
    }
    Ok(())
}

/// Removes what an account had stored that another has replaced in these settings, but for what they or a client refer to.
pub(super) fn forget(account: &Item, settings: &Settings) -> Result<(), CommandError> {
    forget_entries(account, &settings.text())?;
    install::forget_secrets(&[account.to_string()])
}

fn forget_entries(account: &Item, settings: &str) -> Result<(), ConfigError> {
    let is_used = |entry: &EntryName| {
        let name = entry.to_string();
        has_name(settings, &name) || client_texts().any(|(_, text)| has_name(&text, &name))
    };
    own_entries(account).iter().filter(|entry| !is_used(entry)).try_for_each(forget_entry)
}

/// The entries of the keyring that an account names and this program has stored.
fn own_entries(account: &Item) -> Vec<EntryName> {
    let variables = account.as_table_like().into_iter().flat_map(TableLike::iter);
    let named = variables.filter(|(variable, _)| variable.ends_with(KEYRING));
    let entries = named.filter_map(|(_, value)| EntryName::parse(value.as_str()?));
    entries.filter(EntryName::is_own).collect()
}

/// Whether a text has a name of its own, in whatever notation, and not as a part of another.
fn has_name(text: &str, name: &str) -> bool {
    let is_own = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+' | '/');
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(is_own) && !after.is_some_and(is_own)
    })
}

fn forget_entry(entry: &EntryName) -> Result<(), ConfigError> {
    match keyring::remove(entry) {
        // Somebody has removed it already.
        Ok(()) | Err(KeyringError::Missing) => Ok(()),
        Err(error) => {
            let hint = error.hint(entry);
            Err(ConfigError::new(format!(
                "{} can't be removed: {error}; its account stays in the settings, without entries that were removed before\n\
                 hint: {hint}",
                entry.shown()
            )))
        }
    }
}

/// The settings of this person's clients.
fn client_texts() -> impl Iterator<Item = (&'static str, String)> {
    CLIENTS.iter().filter_map(|client| {
        let path = user_file(client.user.as_ref()?, System::this(), &environment)?;
        Some((client.word, std::fs::read_to_string(path).ok()?))
    })
}

/// Names the clients that still start a server with an account that is gone.
fn note_clients(name: &str, printer: &mut Printer) {
    for (client, text) in client_texts() {
        if text.contains("--account") && has_name(&text, name) {
            printer.note(&format!(
                "hint: {client} starts a server with `{name}`; `toolwright install {client} --uninstall` takes it out"
            ));
        }
    }
}

/// The accounts that a word names.
fn chosen(
    accounts: &dyn TableLike,
    word: Option<&str>,
    vendors: &[&str],
    path: &Path,
) -> Result<Vec<String>, ConfigError> {
    let all: Vec<String> = accounts.iter().map(|(name, _)| name.to_owned()).collect();
    let hint = |all: &[String]| format!("`toolwright setup --remove {}`", all.join("`, `toolwright setup --remove "));
    match word {
        None if all.len() > 1 => {
            let text = format!("`{}` has {} accounts\nhint: name one: {}", path.display(), all.len(), hint(&all));
            Err(ConfigError::new(text))
        }
        None => Ok(all),
        Some(word) if all.iter().any(|name| name == word) => Ok(vec![word.to_owned()]),
        Some(word) => {
            let is_of = |name: &&String| {
                let account = accounts.get(name).and_then(Item::as_table_like);
                account.and_then(|account| account.get("vendor")?.as_str()).is_some_and(|vendor| vendor == word)
            };
            let of_vendor: Vec<String> = all.iter().filter(is_of).cloned().collect();
            // Nothing of a vendor is what was asked for.
            if !of_vendor.is_empty() || vendors.contains(&word) || all.is_empty() {
                return Ok(of_vendor);
            }
            let path = path.display();
            Err(ConfigError::new(format!("`{path}` has no account `{word}`\nhint: there are {}", all.join(", "))))
        }
    }
}

/// Shows what is removed of an account, without secrets.
fn show(name: &str, account: &Item, path: &Path, printer: &mut Printer) -> Result<(), CommandError> {
    let table = account.as_table_like();
    let text = |key: &str| table.and_then(|table| table.get(key)?.as_str()).unwrap_or("no vendor").to_owned();
    printer.data(&format!("account {name} ({}) in {}", text("vendor"), path.display()))?;
    let folder = install::user_secrets()?;
    for (variable, value) in table.into_iter().flat_map(TableLike::iter) {
        let value = value.as_str().unwrap_or_default();
        let line = if variable.ends_with(KEYRING) {
            let entry = EntryName::parse(value).filter(EntryName::is_own);
            entry.map_or_else(
                || format!("{variable}: an entry of the keyring, which is not of toolwright and stays"),
                |entry| format!("{variable}: the entry {entry} of the keyring"),
            )
        } else if variable.ends_with(FILE) {
            let stays = if Path::new(value).starts_with(&folder) { "the file" } else { "a file that stays:" };
            let named = if Path::new(value).parent().is_some_and(Path::is_dir) { value } else { "(not shown)" };
            format!("{variable}: {stays} {named}")
        } else {
            continue;
        };
        printer.data(&format!("  {line}"))?;
    }
    Ok(())
}

/// Whether the person agrees.
fn agreed(yes: bool, printer: &mut Printer) -> Result<bool, CommandError> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        let text = "nothing was removed: nobody can be asked here\nhint: `--yes` removes it";
        return Err(ConfigError::new(text).into());
    }
    printer.note("Remove this? [y/N]");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let agreed = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if !agreed {
        printer.note("nothing was removed");
    }
    Ok(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "\
[accounts.work]
vendor = \"jitbit\"
JITBIT_TOKEN_KEYRING = \"toolwright/work-JITBIT_TOKEN\"
[accounts.home]
vendor = \"jitbit\"
JITBIT_TOKEN_KEYRING = \"other/mine\"
JITBIT_URL_KEYRING = 5
";

    fn accounts(text: &str) -> toml_edit::DocumentMut {
        text.parse().unwrap()
    }

    fn of(text: &str, word: Option<&str>) -> Result<Vec<String>, String> {
        let document = accounts(text);
        let table = document.get("accounts").and_then(Item::as_table_like).unwrap();
        chosen(table, word, &["jitbit", "jsm"], Path::new("t.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_word_names_an_account_or_those_of_a_vendor() {
        let names = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(SETTINGS, Some("work")), names(&["work"]));
        assert_eq!(of(SETTINGS, Some("jitbit")), names(&["work", "home"]));
        assert_eq!(of(SETTINGS, Some("jsm")), names(&[]));
        assert_eq!(of("[accounts.only]\nvendor = \"jsm\"\n", None), names(&["only"]));
        assert_eq!(of("[accounts]\n", None), names(&[]));
        let error = of(SETTINGS, None).unwrap_err();
        assert!(error.contains("has 2 accounts\nhint: name one: `toolwright setup --remove work`"), "{error}");
        let error = of(SETTINGS, Some("wrok")).unwrap_err();
        assert!(error.contains("no account `wrok`\nhint: there are work, home"), "{error}");
    }

    #[test]
    fn only_entries_of_our_own_are_removed() {
        let document = accounts(SETTINGS);
        let entries = |name: &str| -> Vec<String> {
            own_entries(&document["accounts"][name]).iter().map(ToString::to_string).collect()
        };
        assert_eq!(entries("work"), ["toolwright/work-JITBIT_TOKEN"]);
        assert!(entries("home").is_empty());
        for (text, expected) in [
            ("x = \"toolwright/a\"", true),
            ("x: toolwright/a\n", true),
            ("toolwright/a", true),
            ("toolwright/ab", false),
            ("mytoolwright/a", false),
            ("toolwright/a-b toolwright/a.", false),
        ] {
            assert_eq!(has_name(text, "toolwright/a"), expected, "{text}");
        }
    }
}

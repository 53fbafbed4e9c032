//! A client's file and a change of one entry → the change as a person reads it, and the file as it is then.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use similar::TextDiff;

use super::super::CommandError;
use super::super::printer::Printer;
use super::super::selection::environment;
use super::server::Secret;
use crate::client_settings::Client;
use crate::client_settings::document::{At, Change, DocumentError, edit, is_bare, read};
use crate::client_settings::entry::Entry;
use crate::config::{FILE, KEYRING};
use crate::error::ConfigError;
use crate::owner_file::{beside, replace, write_beside};

/// What is appended to the name of a file for the file as it was.
const BACKUP: &str = "toolwright-backup";
/// What stands for a value that is not shown.
const MASK: &str = "***";

/// Where an entry is.
pub(super) struct Target<'a> {
    pub(super) client: &'static Client,
    pub(super) path: &'a Path,
    pub(super) name: &'a str,
}

/// What is to be there.
pub(super) struct Wanted<'a> {
    pub(super) entry: &'a Entry,
    pub(super) secrets: &'a [Secret],
    pub(super) replace: bool,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The file had it.
    Unchanged,
    Written,
    /// The person did not agree.
    Refused,
}

/// A file as it is.
struct File {
    /// Where it is, behind links.
    path: PathBuf,
    /// `None` where there is none.
    text: Option<String>,
}

impl File {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let wrong = |error: &dyn std::fmt::Display| {
            ConfigError::new(format!("`{}` can't be read: {error}; it is left as it is", path.display()))
        };
        // A link to a file, as people have whose settings are kept elsewhere, stays a link.
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if path.is_symlink() {
                    return Err(wrong(&"it is a link that leads nowhere"));
                }
                return Ok(Self { path: path.to_owned(), text: None });
            }
            Err(error) => return Err(wrong(&error)),
        };
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        Ok(Self { path, text: Some(text) })
    }

    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Replaces the file in one step, if it is still what was read.
    fn replace(&self, text: &str) -> Result<(), CommandError> {
        let new = write_beside(&self.path, text)?;
        if self.text.is_some() {
            fs::set_permissions(&new, fs::metadata(&self.path)?.permissions())?;
        }
        if fs::read_to_string(&self.path).ok() != self.text {
            let _ = fs::remove_file(&new);
            return Err(ConfigError::new("the file was changed meanwhile; nothing was written\nhint: try again").into());
        }
        fs::rename(&new, &self.path)?;
        Ok(())
    }
}

/// Puts an entry into a client's file.
pub(super) fn put(
    target: &Target<'_>,
    wanted: &Wanted<'_>,
    yes: bool,
    printer: &mut Printer,
) -> Result<Outcome, CommandError> {
    let file = File::read(target.path)?;
    let there = entry_of(target, file.text())?;
    if let Some(there) = &there
        && !wanted.replace
        && !is_ours(there, target.client, &Meant::by(&wanted.entry.value, target.client))
    {
        return Err(ConfigError::new(format!(
            "`{}` has another server by the name `{}`\nhint: `--name` gives ours another name, `--replace` replaces it",
            target.path.display(),
            target.name
        ))
        .into());
    }
    let change = Change::Put(&wanted.entry.value, &wanted.entry.inputs);
    let after = edited(target, wanted.entry, file.text(), change)?;
    let changed: Vec<&Secret> = wanted.secrets.iter().filter(|secret| !secret.is_stored()).collect();
    if after == file.text() && changed.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    let before = there.map_or_else(String::new, |there| shown(target, there, &[]));
    let new = shown(target, wanted.entry.value.clone(), &wanted.entry.inputs);
    show(target, &before, &new, printer)?;
    for secret in &changed {
        printer.note(&format!("its secret goes into `{}`, which only you can read", secret.path.display()));
    }
    if !agreed(yes, printer)? {
        return Ok(Outcome::Refused);
    }
    for secret in changed {
        replace(&secret.path, &secret.text)?;
    }
    if file.text.is_some() {
        fs::copy(&file.path, beside(&file.path, BACKUP))?;
    }
    file.replace(&after)?;
    let kept = file.text.is_some().then(|| format!("; as it was: `{}`", beside(&file.path, BACKUP).display()));
    printer.note(&format!("wrote `{}`{}", target.path.display(), kept.unwrap_or_default()));
    Ok(Outcome::Written)
}

/// Takes an entry out of a client's file. A file that then holds nothing is removed, and so is the copy of what was.
pub(super) fn remove(target: &Target<'_>, yes: bool, printer: &mut Printer) -> Result<Outcome, CommandError> {
    let file = File::read(target.path)?;
    let at = At { key: target.client.key, name: target.name };
    let after = edit(target.client.notation, file.text(), at, Change::Remove)
        .map_err(|error| unreadable(target.path, &error))?;
    let there = entry_of(target, file.text())?.unwrap_or_default();
    show(target, &shown(target, there, &[]), "", printer)?;
    if !agreed(yes, printer)? {
        return Ok(Outcome::Refused);
    }
    if is_bare(&after) {
        fs::remove_file(&file.path)?;
    } else {
        file.replace(&after)?;
    }
    match fs::remove_file(beside(&file.path, BACKUP)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    printer.note(&format!("took `{}` out of `{}`", target.name, target.path.display()));
    Ok(Outcome::Written)
}

/// Our entries in a file with their names, or the one that is named. An address is ours if it was named, and so is another
/// program than this one.
pub(super) fn installed(
    client: &Client,
    path: &Path,
    name: Option<&str>,
    url: Option<&str>,
    command: Option<&str>,
) -> Result<Vec<(String, Value)>, ConfigError> {
    let file = File::read(path)?;
    let whole = read(client.notation, file.text()).map_err(|error| unreadable(path, &error))?;
    let servers = whole.get(client.key).and_then(Value::as_object).into_iter().flatten();
    let named = servers.filter(|(known, _)| name.is_none_or(|name| name == *known));
    let (mut ours, mut foreign) = (Vec::new(), Vec::new());
    for (known, entry) in named {
        let address = address_of(entry, client);
        // An address alone does not show whose it is; who names the server, means it.
        let is_meant = match url {
            Some(url) => {
                let whole = format!("{}/mcp", url.trim_end_matches('/'));
                address.is_some_and(|address| address == url || address == whole)
            }
            None => name.is_some() && address.is_some() || is_ours(entry, client, &Meant { address: None, command }),
        };
        if is_meant { ours.push((known.clone(), entry.clone())) } else { foreign.push(known.clone()) }
    }
    match (name, foreign.first()) {
        (Some(name), Some(_)) => {
            Err(ConfigError::new(format!("`{name}` in `{}` is another program's; it is left as it is", path.display())))
        }
        _ => Ok(ours),
    }
}

/// Removes the folders of a file that is gone, as far as they are empty; a home, and a folder that was named, stay.
pub(in crate::cli) fn remove_empty_folders(path: &Path, named: Option<&Path>) {
    let homes = ["HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA"].map(environment).into_iter().flatten();
    let kept: Vec<PathBuf> = homes.map(PathBuf::from).chain(named.map(Path::to_owned)).collect();
    if path.exists() {
        return;
    }
    for folder in path.ancestors().skip(1) {
        let is_kept = kept.iter().any(|kept| kept == folder) || folder.as_os_str().is_empty();
        if is_kept || fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

impl Secret {
    fn is_stored(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text.trim() == self.text)
    }
}

fn unreadable(path: &Path, error: &DocumentError) -> ConfigError {
    ConfigError::new(format!("`{}` is left as it is: {error}", path.display()))
}

/// The text with the change; where it can't be made, what to paste is in the error.
fn edited(target: &Target<'_>, entry: &Entry, text: &str, change: Change<'_>) -> Result<String, ConfigError> {
    let at = At { key: target.client.key, name: target.name };
    edit(target.client.notation, text, at, change).map_err(|error| match error {
        DocumentError::NotEditable => ConfigError::new(format!(
            "`{}` is left as it is: {error}\nhint: put this into it yourself:\n{}",
            target.path.display(),
            target.client.snippet(target.name, entry).trim_end()
        )),
        error => unreadable(target.path, &error),
    })
}

fn entry_of(target: &Target<'_>, text: &str) -> Result<Option<Value>, ConfigError> {
    let whole = read(target.client.notation, text).map_err(|error| unreadable(target.path, &error))?;
    Ok(whole.get(target.client.key).and_then(|servers| servers.get(target.name)).cloned())
}

/// What shows that an entry is ours, beside the name of the program that it starts.
struct Meant<'a> {
    address: Option<&'a str>,
    command: Option<&'a str>,
}

impl<'a> Meant<'a> {
    /// By an entry that is to be written.
    fn by(entry: &'a Value, client: &Client) -> Self {
        Self { address: address_of(entry, client), command: words_of(entry, client).first().copied() }
    }
}

/// Whether an entry starts this program, whatever it is called, or connects to the address that is meant.
fn is_ours(entry: &Value, client: &Client, meant: &Meant<'_>) -> bool {
    if let Some(known) = address_of(entry, client) {
        return meant.address == Some(known);
    }
    let words = words_of(entry, client);
    let Some(command) = words.first().copied() else { return false };
    let program = command.rsplit(['/', '\\']).next().unwrap_or(command);
    match program {
        // Of a package's program only the package shows whose it is.
        "npx" => words.contains(&env!("CARGO_PKG_NAME")),
        _ => {
            program.trim_end_matches(".exe") == env!("CARGO_PKG_NAME")
                // Many programs can be started by one command, `node` or a script.
                || meant.command == Some(command) && words.get(1) == Some(&"serve")
                || std::env::current_exe().is_ok_and(|own| own == Path::new(command))
        }
    }
}

fn address_of<'a>(entry: &'a Value, client: &Client) -> Option<&'a str> {
    entry.get(client.remote.as_ref()?.url)?.as_str()
}

/// The command of an entry and its arguments.
fn words_of<'a>(entry: &'a Value, client: &Client) -> Vec<&'a str> {
    use crate::client_settings::Words;
    let texts = |key: &str| match entry.get(key) {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match client.local.words {
        Words::Joined(key) => texts(key),
        Words::Separate(first, rest) => [texts(first), texts(rest)].concat(),
    }
}

/// An entry as it is shown: the snippet, without values that may be secrets.
fn shown(target: &Target<'_>, mut value: Value, inputs: &[Value]) -> String {
    mask(&mut value, target.client);
    let entry = Entry { value, inputs: inputs.to_vec(), from_environment: Vec::new() };
    target.client.snippet(target.name, &entry)
}

/// Masks what a person may have typed into an entry. What the installer writes into it are references and no secrets,
/// but for the address of a link.
fn mask(entry: &mut Value, client: &Client) {
    let Some(entry) = entry.as_object_mut() else { return };
    if let Some(Value::Object(variables)) = entry.get_mut(client.local.variables) {
        mask_values(variables, |name| {
            name.ends_with(FILE) || name.ends_with(KEYRING) || name.ends_with("_URL") || name.ends_with("_ID")
        });
    }
    for key in ["headers", "http_headers"] {
        if let Some(Value::Object(headers)) = entry.get_mut(key) {
            mask_values(headers, |_| false);
        }
    }
    let Some(remote) = &client.remote else { return };
    if let Some(Value::String(url)) = entry.get_mut(remote.url)
        && let Some((before, token)) = url.split_once("/c/")
    {
        let after = token.split_once('/').map_or("", |(_, after)| after);
        *url = format!("{before}/c/{MASK}/{after}");
    }
}

fn mask_values(map: &mut Map<String, Value>, is_plain: impl Fn(&str) -> bool) {
    for (name, value) in map {
        let is_reference = value.as_str().is_some_and(|text| text.contains("${") || text.contains("{env:"));
        if !is_reference && !is_plain(name) {
            *value = MASK.into();
        }
    }
}

/// Shows what changes in a file. What is around it is not shown: it is foreign, and may hold secrets.
fn show(target: &Target<'_>, before: &str, after: &str, printer: &mut Printer) -> Result<(), CommandError> {
    let path = target.path.display().to_string();
    let diff = TextDiff::from_lines(before, after);
    let (old, new) =
        (if before.is_empty() { "nothing" } else { &path }, if after.is_empty() { "nothing" } else { &path });
    let lines = before.lines().count() + after.lines().count();
    let text = diff.unified_diff().context_radius(lines).header(old, new).to_string();
    // A change of what is not shown.
    let text =
        if text.is_empty() { format!("--- {path}\n+++ {path}\n(a value that is not shown here)\n") } else { text };
    printer.note(&format!("{}:", target.client.title));
    Ok(printer.data(&text)?)
}

/// Whether the person agrees.
fn agreed(yes: bool, printer: &mut Printer) -> Result<bool, CommandError> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err(ConfigError::new("nothing was written: nobody can be asked here\nhint: `--yes` writes it").into());
    }
    printer.note("Write this? [y/N]");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let agreed = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if !agreed {
        printer.note("nothing was written");
    }
    Ok(agreed)
}

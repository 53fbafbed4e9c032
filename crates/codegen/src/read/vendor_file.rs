//! `specs/<vendor>/vendor.toml` → [`Vendor`]. The fields of the model and specs/README.md describe
//! the keys.

mod address;
mod check;
mod credential;
mod finders;
mod found;
mod help_desk;
mod login;
mod server;
mod setting;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use address::check_roots;
pub use check::check_further;
pub use credential::{check_refusals, check_schemes};
pub use finders::check_finders;
pub use found::check_found;
pub use help_desk::check_help_desk;
pub use prompts::check_prompts;
pub use server::{check_servers, is_whole};
pub use setting::check_hidden;
pub use source::check_sources;

use crate::read::argument_rules;
use crate::read::finding::{Finding, Findings};
use crate::read::located::{Located, did_you_mean, one_of};
use crate::read::paging_styles;
use crate::read::phrase_rules;
use crate::read::prompts;
use crate::read::resolve_kinds;
use crate::read::source::{LoadedFile, SourceFile};
use crate::read::source_map::SourceMap;
use toolwright_model::{Limits, Vendor};

/// The longest guidance, in characters; the server's instructions hold that of every vendor.
const MAX_GUIDANCE: usize = 400;

/// A vendor.toml that was read.
pub struct VendorFile {
    /// Its content, for places of findings.
    pub loaded: LoadedFile,
    /// What it states; `None` if it has faults.
    pub vendor: Option<Vendor>,
}

/// Reads a vendor file; `folder` is the name of the folder that it is in.
pub fn load(path: &Path, file: &str, folder: &str, findings: &Findings) -> Option<VendorFile> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let none = error.kind() == std::io::ErrorKind::NotFound;
            findings.push_file(file, "a vendor file", if none { "none".to_owned() } else { error.to_string() });
            return None;
        }
    };
    let value: Value = match toml::from_str(&text) {
        Ok(value) => value,
        Err(error) => {
            // The line itself is not shown: a credential may have been pasted into it.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let (line, column) = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default());
            let message = error.message().replace('\n', ", ");
            let found = format!("a fault in column {}: {message}", column.chars().count() + 1);
            findings.push(Finding { line: Some(line), ..Finding::of_file(file, "TOML", found) });
            return None;
        }
    };
    let loaded = LoadedFile { file: SourceFile::toml(file, text), value };
    let known = findings.len();
    let source = SourceMap::new(&loaded.file, findings);
    let vendor = read(&Located::root(&source, &loaded.value), folder);
    let vendor = vendor.filter(|_| findings.len() == known);
    Some(VendorFile { loaded, vendor })
}

fn read(root: &Located<'_>, folder: &str) -> Option<Vendor> {
    root.only(&[
        "id",
        "title",
        "address",
        "addresses",
        "servers",
        "credentials",
        "inbound",
        "oauth",
        "help_desk",
        "found",
        "settings",
        "refusals",
        "finders",
        "guidance",
        "prompts",
        "check",
        "limits",
        "paging",
        "arguments",
        "resolve",
        "phrases",
        "source",
        "untrusted",
        "html",
    ]);
    let id = text(root, "id", "the folder's name");
    if let Some(id) = &id
        && id != folder
        && let Some(at) = root.get("id")
    {
        at.wrong(format!("`\"{folder}\"`, the name of the folder"));
    }
    let title = text(root, "title", "the product's name");
    let list = |key: &str| root.get(key).map(|at| at.items()).unwrap_or_default();
    let found = found::read(&list("found"));
    let addresses = address::read(root, &found);
    let servers = root.get("servers").map(|at| server::read(&at)).unwrap_or_default();
    let credentials = root.required("credentials", "at least one `[[credentials]]`").map(|at| {
        if at.value.as_array().is_some_and(Vec::is_empty) {
            at.wrong("at least one `[[credentials]]`");
        }
        at.items().iter().filter_map(|at| credential::read(at, &addresses)).collect::<Vec<_>>()
    });
    let inbound = root.get("inbound").and_then(|at| credential::read_inbound(&at, &addresses));
    let signs_in = |at| login::read(&at, credentials.as_deref().unwrap_or_default(), &addresses);
    let oauth = root.get("oauth").and_then(signs_in);
    let help_desk = root.get("help_desk").and_then(|at| help_desk::read(&at));
    let settings = setting::read(&list("settings"));
    let refusals = list("refusals").iter().filter_map(|at| credential::read_refusal(at, &addresses)).collect();
    let finders = root.get("finders").map(|at| finders::read(&at)).unwrap_or_default();
    let guidance = root.get("guidance").and_then(|at| read_guidance(&at)).unwrap_or_default();
    let prompts = root.get("prompts").map(|at| prompts::read(&at)).unwrap_or_default();
    let check = root.get("check").and_then(|at| check::read(&at));
    let limits = root.get("limits").map(|at| read_limits(&at)).unwrap_or_default();
    let paging = root.get("paging").map(|at| paging_styles::read_styles(&at)).unwrap_or_default();
    let arguments = root.get("arguments").map(|at| argument_rules::read_rules(&at)).unwrap_or_default();
    let resolve = root.get("resolve").map(|at| resolve_kinds::read(&at)).unwrap_or_default();
    resolve_kinds::check_rules(&arguments, &resolve, root);
    let phrases = root.get("phrases").map(|at| phrase_rules::read_rules(&at)).unwrap_or_default();
    let source = root.get("source").map(|at| source::read(&at)).unwrap_or_default();
    let untrusted = root.get("untrusted").map(|at| read_fields(&at));
    let html = root.get("html").map(|at| read_fields(&at)).unwrap_or_default();
    let (id, title, credentials) = (id?, title?, credentials?);
    Some(Vendor {
        id,
        title,
        addresses,
        servers,
        credentials,
        inbound,
        oauth,
        help_desk,
        found,
        settings,
        refusals,
        finders,
        guidance,
        prompts,
        check,
        limits,
        paging,
        arguments,
        resolve,
        phrases,
        source,
        untrusted,
        html,
    })
}

fn text(at: &Located<'_>, key: &str, expected: &str) -> Option<String> {
    at.required(key, expected)?.text().map(str::to_owned)
}

/// The name of an environment variable.
fn variable(at: &Located<'_>, key: &str) -> Option<String> {
    let entry = at.required(key, "the name of an environment variable")?;
    let name = entry.value.as_str().unwrap_or_default();
    let right = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !right {
        // The value is not shown: it may be a pasted credential.
        entry.report(
            "the name of an environment variable, such as `ACME_TOKEN`".to_owned(),
            "something else".to_owned(),
            Some("vendor.toml names variables; it never holds their values".to_owned()),
        );
        return None;
    }
    Some(name.to_owned())
}

/// The texts of the list `key`; none if it is missing.
fn texts(at: &Located<'_>, key: &str) -> Vec<String> {
    at.get(key).map(|entry| entry.texts()).unwrap_or_default()
}

/// The text `key`, if present.
fn optional_text(at: &Located<'_>, key: &str) -> Option<String> {
    at.get(key)?.text().map(str::to_owned)
}

/// A table of texts.
fn table(at: &Located<'_>) -> BTreeMap<String, String> {
    at.entries().into_iter().filter_map(|(name, entry)| Some((name.to_owned(), entry.text()?.to_owned()))).collect()
}

/// One of a closed list of words.
fn choice<T: Copy>(at: &Located<'_>, all: &[(&str, T)]) -> Option<T> {
    let word = at.text()?;
    let found = all.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    if found.is_none() {
        let words = || all.iter().map(|(name, _)| *name);
        let near = did_you_mean(word, words());
        at.report(one_of(words()), format!("`{word}`"), near);
    }
    found
}

fn read_guidance(at: &Located<'_>) -> Option<String> {
    let text = at.text()?.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > MAX_GUIDANCE {
        let found = format!("{} characters", text.chars().count());
        at.report(format!("at most {MAX_GUIDANCE} characters"), found, None);
    }
    Some(text)
}

/// Reads names of fields; each may end in `*`.
fn read_fields(at: &Located<'_>) -> Vec<String> {
    for item in at.items() {
        let name = item.value.as_str().unwrap_or_default();
        if name.strip_suffix('*').unwrap_or(name).contains('*') || item.value.as_str() == Some("") {
            item.wrong("the name of a field, which may end in `*`");
        }
    }
    at.texts()
}

fn read_limits(at: &Located<'_>) -> Limits {
    at.only(&["timeout_seconds", "requests_per_minute", "in_flight", "record_limit_reasons"]);
    let mut limits = Limits::default();
    if let Some(entry) = at.get("timeout_seconds") {
        match entry.unsigned() {
            Some(seconds @ 1..=600) => limits.timeout_seconds = seconds,
            Some(_) => entry.wrong("1 to 600 seconds"),
            None => {}
        }
    }
    limits.requests_per_minute = at.get("requests_per_minute").and_then(|entry| read_limit(&entry, 100_000));
    limits.in_flight = at.get("in_flight").and_then(|entry| read_limit(&entry, 1_000));
    limits.record_limit_reasons = at.get("record_limit_reasons").map(|entry| read_reasons(&entry)).unwrap_or_default();
    limits
}

/// Reads parts of limit names. An empty one would be part of every name.
fn read_reasons(at: &Located<'_>) -> Vec<String> {
    for item in at.items() {
        if item.value.as_str().is_some_and(|reason| reason.trim().is_empty()) {
            item.wrong("a part of the limit's name");
        }
    }
    at.texts()
}

/// Reads a limit from 1 to `most`.
fn read_limit(at: &Located<'_>, most: u32) -> Option<u32> {
    let number = u32::try_from(at.unsigned()?).ok().filter(|number| (1..=most).contains(number));
    if number.is_none() {
        at.wrong(format!("1 to {most}"));
    }
    number
}

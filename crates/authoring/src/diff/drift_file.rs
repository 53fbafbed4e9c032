//! `specs/<vendor>/drift.toml` → other severities of kinds, and differences between our description and
//! the vendor's that are known and meant; `<api>.known` beside it → those that were accepted one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use glob::Pattern;
use serde::Deserialize;

use super::change::Change;
use super::kind::{Kind, Severity};

/// The content of drift.toml.
#[derive(Debug, Default)]
pub(crate) struct DriftFile {
    severities: BTreeMap<Kind, Severity>,
    accepted: Vec<Accepted>,
    /// The lines of `<api>.known`.
    known: BTreeSet<String>,
}

/// How `<api>.known` begins.
const HEAD: &str = "# Differences between our description and the vendor's that are known, written by `cargo spec check --accept`.\n\
                    # kind | place | before | after\n";

/// A difference that is known and meant.
#[derive(Debug)]
struct Accepted {
    /// How messages name it.
    shown: String,
    kind: Option<Kind>,
    operation: Option<Pattern>,
    place: Option<Pattern>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    severity: BTreeMap<String, String>,
    #[serde(default)]
    accepted: Vec<AcceptedEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedEntry {
    kind: Option<String>,
    operation: Option<String>,
    place: Option<String>,
    reason: String,
}

/// What drift.toml left of the changes.
#[derive(Debug, Default)]
pub(crate) struct Weighed {
    pub(crate) changes: Vec<Change>,
    /// How many were accepted.
    pub(crate) accepted: usize,
    /// Entries that accept nothing.
    pub(crate) unused: Vec<String>,
}

impl DriftFile {
    /// Reads the file; one that is missing states nothing.
    ///
    /// # Errors
    /// It exists and can't be read, with what is wrong.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|error| format!("{}: {error}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Reads the file and the known differences of one API, both in the vendor's folder.
    ///
    /// # Errors
    /// One of them exists and can't be read.
    pub(crate) fn of_api(folder: &Path, stem: &str) -> Result<Self, String> {
        let mut file = Self::load(&folder.join("drift.toml"))?;
        let path = folder.join(format!("{stem}.known"));
        match std::fs::read_to_string(&path) {
            Ok(text) => file.known = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
        Ok(file)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut severities = BTreeMap::new();
        for (kind, severity) in &file.severity {
            let of = |word: &str| Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
            let severity = of(severity).ok_or_else(|| {
                format!("severity.{kind}: expected `breaking`, `change`, `words` or `ignore`, found `{severity}`")
            })?;
            severities.insert(kind_of(kind)?, severity);
        }
        let accepted = file.accepted.iter().map(accepted).collect::<Result<_, _>>()?;
        Ok(Self { severities, accepted, known: BTreeSet::new() })
    }

    /// Gives each change its severity; takes out what is ignored and what is accepted.
    pub(crate) fn weigh(&self, changes: Vec<Change>) -> Weighed {
        let mut weighed = Weighed::default();
        let mut used = vec![false; self.accepted.len()];
        for mut change in changes {
            if let Some(at) = self.accepted.iter().position(|entry| entry.covers(&change)) {
                used[at] = true;
                weighed.accepted += 1;
                continue;
            }
            if self.known.contains(&line(&change)) {
                weighed.accepted += 1;
                continue;
            }
            change.severity = self.severities.get(&change.kind).copied().unwrap_or(change.severity);
            if change.severity != Severity::Ignore {
                weighed.changes.push(change);
            }
        }
        let unused = self.accepted.iter().zip(used).filter(|(_, used)| !used).map(|(entry, _)| entry.shown.clone());
        weighed.unused = unused.collect();
        weighed
    }
}

/// The text of `<api>.known` with these changes, too. A vendor's texts are not ours to keep, so those are left out.
pub(crate) fn known(before: &str, changes: &[Change]) -> String {
    let facts = changes.iter().filter(|change| change.kind != Kind::WordsChanged);
    let known = before.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned);
    let lines: BTreeSet<String> = known.chain(facts.map(line)).collect();
    let lines: Vec<String> = lines.into_iter().collect();
    format!("{HEAD}{}\n", lines.join("\n"))
}

/// A change as a line of `<api>.known`.
fn line(change: &Change) -> String {
    let (kind, place, before, after) = change.group();
    let [place, before, after] =
        [place.as_str(), before.unwrap_or("-"), after.unwrap_or("-")].map(|text| text.replace(['\n', '|'], " "));
    format!("{} | {} | {before} | {after}", kind.as_str(), place.trim())
}

fn kind_of(word: &str) -> Result<Kind, String> {
    Kind::ALL.iter().copied().find(|kind| kind.as_str() == word).ok_or_else(|| {
        let near = toolwright_model::suggest_one(word, Kind::ALL.iter().map(|kind| kind.as_str()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("`{word}` is no kind of change{near}")
    })
}

fn accepted(entry: &AcceptedEntry) -> Result<Accepted, String> {
    let AcceptedEntry { kind, operation, place, reason } = entry;
    let pattern = |text: &Option<String>| {
        text.as_deref().map(Pattern::new).transpose().map_err(|error| format!("[[accepted]]: {error}"))
    };
    if reason.trim().is_empty() {
        return Err("[[accepted]]: expected a `reason`".to_owned());
    }
    if kind.is_none() && operation.is_none() && place.is_none() {
        return Err("[[accepted]]: expected `kind`, `operation` or `place`: an entry without them accepts everything"
            .to_owned());
    }
    let words = [kind, operation, place].into_iter().flatten().map(String::as_str);
    Ok(Accepted {
        shown: words.collect::<Vec<_>>().join(" "),
        kind: kind.as_deref().map(kind_of).transpose()?,
        operation: pattern(operation)?,
        place: pattern(place)?,
    })
}

impl Accepted {
    fn covers(&self, change: &Change) -> bool {
        let kind = self.kind.is_none_or(|kind| kind == change.kind);
        let operation = self.operation.as_ref().is_none_or(|pattern| {
            change.operation.as_ref().is_some_and(|name| {
                let request = format!("{} {}", name.method, name.path);
                pattern.matches(&name.id) || pattern.matches(&name.path) || pattern.matches(&request)
            })
        });
        let place = self.place.as_ref().is_none_or(|pattern| {
            pattern.matches(&change.place.to_string())
                || change.shared.as_ref().is_some_and(|shared| pattern.matches(shared))
        });
        kind && operation && place
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::{OperationName, Place};
    use super::*;

    #[test]
    fn severities_and_accepted_differences() {
        let file = DriftFile::parse(
            "[severity]\nwords-changed = \"ignore\"\noperation-added = \"breaking\"\n\
             [[accepted]]\nkind = \"parameter-removed\"\noperation = \"get*\"\nplace = \"query *\"\nreason = \"Ours alone.\"\n\
             [[accepted]]\noperation = \"nothing\"\nreason = \"No more.\"\n",
        )
        .unwrap();
        let name = OperationName { method: "GET".into(), path: "/a".into(), id: "getA".into() };
        let place =
            |name: &str| Place::Parameter { location: "query".into(), name: name.into(), inside: String::new() };
        let weighed = file.weigh(vec![
            Change::new(Kind::WordsChanged, Some(&name), Place::Whole),
            Change::new(Kind::OperationAdded, Some(&name), Place::Whole),
            Change::new(Kind::ParameterRemoved, Some(&name), place("x")),
            Change::new(Kind::ParameterAdded, Some(&name), place("y")),
        ]);
        let left: Vec<(Kind, Severity)> = weighed.changes.iter().map(|change| (change.kind, change.severity)).collect();
        assert_eq!(left, [(Kind::OperationAdded, Severity::Breaking), (Kind::ParameterAdded, Severity::Change)]);
        assert_eq!((weighed.accepted, weighed.unused), (1, vec!["nothing".to_owned()]));
    }

    #[test]
    fn a_word_that_means_nothing_is_an_error() {
        for (text, expected) in [
            ("[severity]\nenum-narowed = \"ignore\"", "did you mean `enum-narrowed`?"),
            ("[severity]\nenum-narrowed = \"low\"", "expected `breaking`"),
            ("[[accepted]]\nreason = \"x\"", "accepts everything"),
            ("[[accepted]]\nkind = \"type-changed\"\nreason = \" \"", "expected a `reason`"),
            ("[other]", "unknown field"),
        ] {
            let error = DriftFile::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}

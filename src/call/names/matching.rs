//! A name and the records that a look-up returned → the one that is meant, the several that may be, or the nearest. Names
//! are compared as they are, then without case, then without accents; the closest kind of equality decides.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use toolwright_model::suggest;

/// A beginning of fewer letters is no name.
const SHORTEST_BEGINNING: usize = 2;

/// A record, reduced to what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) id: String,
    /// What it is called, by the names of the fields.
    pub(super) names: Vec<(String, String)>,
    /// Further fields by which a person tells records apart.
    pub(super) show: Vec<(String, String)>,
}

/// How a name is that of a record; the smallest is the closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closeness {
    /// It is the same text.
    Same,
    /// Letters differ in case.
    Case,
    /// Letters differ in accents.
    Accents,
    /// The record's name only begins with it.
    Beginning,
}

/// A record whose name it is, and by which field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match<'c> {
    pub(super) candidate: &'c Candidate,
    pub(super) field: &'c str,
    pub(super) closeness: Closeness,
}

/// A name in the forms in which it is compared.
pub(super) struct Name {
    composed: String,
    caseless: String,
    folded: String,
}

impl Name {
    pub(super) fn of(text: &str) -> Self {
        let composed: String = text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
        let caseless = caseless(&composed);
        let plain: String = composed.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
        // Changing the case may bring marks of its own.
        let folded = caseless_plain(&plain);
        Self { composed, caseless, folded }
    }

    fn closeness(&self, other: &Self) -> Option<Closeness> {
        if self.composed == other.composed {
            Some(Closeness::Same)
        } else if self.caseless == other.caseless {
            Some(Closeness::Case)
        } else if self.folded == other.folded {
            Some(Closeness::Accents)
        } else {
            let begins = self.folded.chars().count() >= SHORTEST_BEGINNING && other.folded.starts_with(&self.folded);
            begins.then_some(Closeness::Beginning)
        }
    }

    /// Returns the records that it is the name of, by the closest kind of equality, each once.
    pub(super) fn matches<'c>(&self, candidates: impl Iterator<Item = &'c Candidate>) -> Vec<Match<'c>> {
        let mut found: Vec<Match<'c>> = Vec::new();
        for candidate in candidates {
            let closest = candidate.names.iter().filter_map(|(field, name)| {
                let closeness = self.closeness(&Self::of(name))?;
                Some(Match { candidate, field, closeness })
            });
            let Some(closest) = closest.min_by_key(|found| found.closeness) else { continue };
            match found.first().map(|best| best.closeness) {
                Some(best) if best < closest.closeness => continue,
                Some(best) if best > closest.closeness => found.clear(),
                _ => {}
            }
            if !found.iter().any(|known| known.candidate.id == candidate.id) {
                found.push(closest);
            }
        }
        found
    }
}

/// Full case folding, by way of capitals: `ß` is `ss`, every sigma is one.
fn caseless(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

fn caseless_plain(text: &str) -> String {
    caseless(text).nfkd().filter(|letter| !is_combining_mark(*letter)).collect()
}

/// Returns the records whose names are nearest to a text that is the name of none.
pub(super) fn nearest<'c>(text: &str, candidates: &[&'c Candidate]) -> Vec<&'c Candidate> {
    let folded = Name::of(text).folded;
    let names: Vec<(String, &'c Candidate)> = candidates
        .iter()
        .flat_map(|candidate| candidate.names.iter().map(|(_, name)| (Name::of(name).folded, *candidate)))
        .collect();
    let near = suggest(&folded, names.iter().map(|(name, _)| name.as_str()));
    let mut found: Vec<&'c Candidate> = Vec::new();
    for (name, candidate) in &names {
        if near.contains(&name.as_str()) && !found.iter().any(|known| known.id == candidate.id) {
            found.push(candidate);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, names: &[&str]) -> Candidate {
        let names = names.iter().map(|name| ("name".to_owned(), (*name).to_owned())).collect();
        Candidate { id: id.to_owned(), names, show: Vec::new() }
    }

    fn found(text: &str, records: &[Candidate]) -> (Option<Closeness>, Vec<String>) {
        let found = Name::of(text).matches(records.iter());
        (found.first().map(|one| one.closeness), found.iter().map(|one| one.candidate.id.clone()).collect())
    }

    #[test]
    fn the_closest_equality_decides() {
        use Closeness::{Accents, Beginning, Case, Same};
        let records = [
            record("1", &["Müller", "m@x.example"]),
            record("2", &["Muller"]),
            record("3", &["Straße Süd"]),
            record("4", &["İstanbul"]),
            record("5", &["ΟΔΟΣ"]),
            record("6", &["Network", "net"]),
            record("7", &["network"]),
            record("8", &["Network Outages"]),
        ];
        for (text, closeness, ids) in [
            ("Müller", Some(Same), vec!["1"]),
            ("Mu\u{308}ller", Some(Same), vec!["1"]),
            ("MÜLLER", Some(Case), vec!["1"]),
            ("muller", Some(Case), vec!["2"]),
            ("Mùller", Some(Accents), vec!["1", "2"]),
            ("STRASSE  SUD", Some(Accents), vec!["3"]),
            ("istanbul", Some(Accents), vec!["4"]),
            ("οδος", Some(Case), vec!["5"]),
            ("network", Some(Same), vec!["7"]),
            ("NETWORK", Some(Case), vec!["6", "7"]),
            ("Netw", Some(Beginning), vec!["6", "7", "8"]),
            ("network o", Some(Beginning), vec!["8"]),
            ("n", None, vec![]),
            ("utages", None, vec![]),
            ("", None, vec![]),
        ] {
            assert_eq!(found(text, &records), (closeness, ids.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn a_record_with_several_names_is_one_record() {
        let twice = [record("1", &["Ann Lee", "ann lee"]), record("1", &["Ann Lee"])];
        assert_eq!(found("Ann Lee", &twice).1, ["1"]);
    }

    #[test]
    fn nearest_are_those_that_a_slip_leads_to() {
        let records = [record("1", &["Network Outages"]), record("2", &["Hardware"]), record("3", &["Höhe"])];
        let all: Vec<&Candidate> = records.iter().collect();
        let ids = |text: &str| nearest(text, &all).iter().map(|one| one.id.as_str()).collect::<Vec<_>>();
        assert_eq!(ids("Netwrok Outages"), ["1"]);
        assert_eq!(ids("hardwear"), ["2"]);
        assert_eq!(ids("hohee"), ["3"]);
        assert!(ids("zzz").is_empty());
    }
}

//! An operation before and after → its changes: path and method, parameters, body, answers, ways to
//! sign in, words.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, OperationName, Place};
use super::interface::{Answer, Content, Operation, Parameter, Way};
use super::kind::Kind;
use super::renames::{Candidate, pair};
use super::schemas::{self, Found, Schemas, type_shown};

/// How reports name what many operations share.
const SIGN_IN: &str = "the ways to sign in";

/// Compares one operation with what it became.
pub(crate) struct Comparison<'s, 'd> {
    pub(crate) schemas: &'s mut Schemas<'d>,
    pub(crate) documents: (&'d serde_json::Value, &'d serde_json::Value),
    /// The operation as our description names it.
    pub(crate) name: OperationName,
    pub(crate) changes: Vec<Change>,
}

impl<'d> Comparison<'_, 'd> {
    pub(crate) fn run(mut self, old: &Operation<'d>, new: &Operation<'d>, words: bool) -> Vec<Change> {
        self.identity(&old.name, &new.name);
        match (old.deprecated, new.deprecated) {
            (false, true) => self.add(Kind::OperationDeprecated, Place::Whole),
            (true, false) => self.add(Kind::OperationUndeprecated, Place::Whole),
            _ => {}
        }
        self.parameters(&old.parameters, &new.parameters, words);
        self.body(old, new);
        self.answers(&old.answers, &new.answers);
        self.security(&old.security, &new.security);
        if words && differ(&old.words, &new.words) {
            self.add_values(Kind::WordsChanged, Place::Whole, Some(old.words.clone()), Some(new.words.clone()));
        }
        self.changes
    }

    fn add(&mut self, kind: Kind, place: Place) {
        self.add_values(kind, place, None, None);
    }

    fn add_values(&mut self, kind: Kind, place: Place, before: Option<String>, after: Option<String>) {
        self.changes.push(Change::new(kind, Some(&self.name), place).values(before, after));
    }

    /// A change of the operation as a whole that others are likely to share.
    fn add_shared(&mut self, kind: Kind, shared: &str, before: Option<String>, after: Option<String>) {
        let mut change = Change::new(kind, Some(&self.name), Place::Whole).values(before, after);
        change.shared = Some(shared.to_owned());
        self.changes.push(change);
    }

    fn identity(&mut self, old: &OperationName, new: &OperationName) {
        let values = |old: &str, new: &str| (Some(old.to_owned()), Some(new.to_owned()));
        if old.method != new.method {
            let (before, after) = values(&old.method, &new.method);
            self.add_values(Kind::OperationMethodChanged, Place::Whole, before, after);
        }
        if old.path != new.path {
            let kind =
                if shape(&old.path) == shape(&new.path) { Kind::PathParameterRenamed } else { Kind::OperationMoved };
            let (before, after) = values(&old.path, &new.path);
            self.add_values(kind, Place::Whole, before, after);
        }
        if old.id != new.id && !old.id.is_empty() && !new.id.is_empty() {
            let (before, after) = values(&old.id, &new.id);
            self.add_values(Kind::OperationIdChanged, Place::Whole, before, after);
        }
    }

    fn found(&mut self, found: Vec<Found>, place: impl Fn(String) -> Place) {
        for Found { kind, inside, shared, before, after } in found {
            let mut change = Change::new(kind, Some(&self.name), place(inside)).values(before, after);
            change.shared = shared;
            self.changes.push(change);
        }
    }

    fn parameters(&mut self, old: &[Parameter<'d>], new: &[Parameter<'d>], words: bool) {
        let became = became(old, new, self.documents);
        for (index, parameter) in old.iter().enumerate() {
            self.parameter(parameter, became[index].map(|at| &new[at]), words);
        }
        for (at, parameter) in new.iter().enumerate().filter(|(at, _)| !became.contains(&Some(*at))) {
            let kind = if new[at].required { Kind::ParameterAddedRequired } else { Kind::ParameterAdded };
            let shape = parameter.node.shape(self.documents.1);
            self.add_values(kind, place(parameter), None, Some(type_shown(&shape)));
        }
    }

    fn parameter(&mut self, old: &Parameter<'d>, new: Option<&Parameter<'d>>, words: bool) {
        let Some(new) = new else {
            let shape = old.node.shape(self.documents.0);
            self.add_values(Kind::ParameterRemoved, place(old), Some(type_shown(&shape)), None);
            return;
        };
        // A path says by itself that a name in it differs.
        if old.name != new.name && old.location != "path" {
            let (before, after) = (old.name.to_owned(), new.name.to_owned());
            self.add_values(Kind::ParameterRenamed, place(old), Some(before), Some(after));
        }
        if old.location != new.location {
            let (before, after) = (old.location.to_owned(), new.location.to_owned());
            self.add_values(Kind::ParameterMoved, place(old), Some(before), Some(after));
        }
        match (old.required, new.required) {
            (false, true) => self.add(Kind::ParameterRequired, place(old)),
            (true, false) => self.add(Kind::ParameterOptional, place(old)),
            _ => {}
        }
        if !old.deprecated && new.deprecated {
            self.add(Kind::ParameterDeprecated, place(old));
        }
        let (before, after) = (old.node.shape(self.documents.0), new.node.shape(self.documents.1));
        let composed = ["array", "object"].iter().any(|of| before.types.contains(of) && after.types.contains(of));
        if composed && old.location == new.location && old.style != new.style {
            self.add_values(Kind::ParameterStyle, place(old), Some(old.style.clone()), Some(new.style.clone()));
        }
        let found = self.schemas.compare(old.node.clone(), new.node.clone(), schemas::Way::Request);
        let (location, name) = (old.location.to_owned(), old.name.to_owned());
        self.found(found, |inside| Place::Parameter { location: location.clone(), name: name.clone(), inside });
        if words && differ(old.words, new.words) {
            let (before, after) = (old.words.to_owned(), new.words.to_owned());
            self.add_values(Kind::WordsChanged, place(old), Some(before), Some(after));
        }
    }

    fn body(&mut self, old: &Operation<'d>, new: &Operation<'d>) {
        let whole = || Place::Body { inside: String::new() };
        let (old, new) = match (&old.body, &new.body) {
            (None, None) => return,
            (Some(_), None) => return self.add(Kind::BodyRemoved, whole()),
            (None, Some(new)) => {
                let kind = if new.required { Kind::BodyRequired } else { Kind::BodyAdded };
                return self.add(kind, whole());
            }
            (Some(old), Some(new)) => (old, new),
        };
        match (old.required, new.required) {
            (false, true) => self.add(Kind::BodyRequired, whole()),
            (true, false) => self.add(Kind::BodyOptional, whole()),
            _ => {}
        }
        self.media_types(&old.content, &new.content, (Kind::MediaTypeRemoved, Kind::MediaTypeAdded), &whole());
        self.content(&old.content, &new.content, schemas::Way::Request, |inside| Place::Body { inside });
    }

    fn media_types(&mut self, old: &Content<'d>, new: &Content<'d>, kinds: (Kind, Kind), place: &Place) {
        for kind in old.keys().filter(|kind| !new.contains_key(*kind)) {
            self.add_values(kinds.0, place.clone(), Some(kind.clone()), None);
        }
        for kind in new.keys().filter(|kind| !old.contains_key(*kind)) {
            self.add_values(kinds.1, place.clone(), None, Some(kind.clone()));
        }
    }

    /// Compares the schemas of each kind of content once; where no kind is in both, the first of each.
    fn content(&mut self, old: &Content<'d>, new: &Content<'d>, way: schemas::Way, place: impl Fn(String) -> Place) {
        let mut found = Vec::new();
        let mut add = |more: Vec<Found>| {
            for one in more {
                let known = |other: &Found| {
                    other.kind == one.kind
                        && other.inside == one.inside
                        && other.before == one.before
                        && other.after == one.after
                };
                if !found.iter().any(known) {
                    found.push(one);
                }
            }
        };
        let both: Vec<&String> = old.keys().filter(|kind| new.contains_key(*kind)).collect();
        for kind in &both {
            add(self.schemas.compare(old[*kind].clone(), new[*kind].clone(), way));
        }
        if let (true, Some(old), Some(new)) = (both.is_empty(), old.values().next(), new.values().next()) {
            add(self.schemas.compare(old.clone(), new.clone(), way));
        }
        self.found(found, place);
    }

    fn answers(&mut self, old: &[Answer<'d>], new: &[Answer<'d>]) {
        let success = |of: &[Answer<'d>]| -> Vec<usize> { (0..of.len()).filter(|at| of[*at].is_success()).collect() };
        let (before, after) = (success(old), success(new));
        let same = |answer: &Answer<'d>| after.iter().copied().find(|at| new[*at].status == answer.status);
        let mut seen: Vec<usize> = Vec::new();
        for index in &before {
            let answer = &old[*index];
            match same(answer) {
                Some(at) => {
                    seen.push(at);
                    self.answer(answer, &new[at]);
                }
                None => {
                    let status = answer.status.to_owned();
                    self.add(Kind::AnswerStatusRemoved, Place::Answer { status, inside: String::new() });
                    // Its content may come with another status.
                    let other = after.iter().copied().find(|at| old.iter().all(|old| old.status != new[*at].status));
                    if let Some(at) = other {
                        self.answer(answer, &new[at]);
                    }
                }
            }
        }
        for at in after.iter().filter(|at| !seen.contains(at)) {
            let status = new[*at].status.to_owned();
            self.add(Kind::AnswerStatusAdded, Place::Answer { status, inside: String::new() });
        }
        self.refusals(old, new);
    }

    fn answer(&mut self, old: &Answer<'d>, new: &Answer<'d>) {
        let status = old.status.to_owned();
        let whole = Place::Answer { status: status.clone(), inside: String::new() };
        let kinds = (Kind::AnswerMediaTypeRemoved, Kind::AnswerMediaTypeAdded);
        self.media_types(&old.content, &new.content, kinds, &whole);
        self.content(&old.content, &new.content, schemas::Way::Answer, |inside| Place::Answer {
            status: status.clone(),
            inside,
        });
        let known = |headers: &[&str], name: &str| headers.iter().any(|other| other.eq_ignore_ascii_case(name));
        let header = |name: &str| Place::AnswerHeader { status: status.clone(), name: name.to_owned() };
        for name in old.headers.iter().filter(|name| !known(&new.headers, name)) {
            self.add(Kind::AnswerHeaderRemoved, header(name));
        }
        for name in new.headers.iter().filter(|name| !known(&old.headers, name)) {
            self.add(Kind::AnswerHeaderAdded, header(name));
        }
    }

    /// Statuses of refusals. `4XX` and `default` cover single ones.
    fn refusals(&mut self, old: &[Answer<'d>], new: &[Answer<'d>]) {
        let refusals = |of: &[Answer<'d>]| -> BTreeSet<String> {
            of.iter().filter(|answer| !answer.is_success()).map(|answer| answer.status.to_uppercase()).collect()
        };
        let (before, after) = (refusals(old), refusals(new));
        let covered = |status: &str, by: &BTreeSet<String>| {
            let class = status.get(..1).unwrap_or_default();
            let is_range = status == "DEFAULT" || status.ends_with("XX");
            by.contains(status)
                || by.contains("DEFAULT")
                || by.contains(&format!("{class}XX"))
                || is_range && (status == "DEFAULT" || by.iter().any(|other| other.starts_with(class)))
        };
        let lost: Vec<&str> = before.iter().map(String::as_str).filter(|status| !covered(status, &after)).collect();
        let gained: Vec<&str> = after.iter().map(String::as_str).filter(|status| !covered(status, &before)).collect();
        if !lost.is_empty() || !gained.is_empty() {
            let shown = |of: &[&str]| (!of.is_empty()).then(|| of.join(", "));
            self.add_shared(Kind::RefusalsChanged, "the refusals", shown(&lost), shown(&gained));
        }
    }

    fn security(&mut self, old: &[Way], new: &[Way]) {
        let open = |ways: &[Way]| ways.is_empty() || ways.iter().any(BTreeMap::is_empty);
        match (open(old), open(new)) {
            (true, true) => return,
            (true, false) => {
                let ways: Vec<String> = new.iter().map(way_shown).collect();
                return self.add_shared(Kind::SignInRequired, SIGN_IN, None, Some(ways.join("; or ")));
            }
            (false, true) => return self.add_shared(Kind::SignInDropped, SIGN_IN, None, None),
            (false, false) => {}
        }
        let (before, after) = (by_schemes(old), by_schemes(new));
        for (schemes, _) in before.iter().filter(|(schemes, _)| !after.contains_key(*schemes)) {
            self.add_shared(Kind::SignInRemoved, SIGN_IN, Some(schemes.join(" and ")), None);
        }
        for (schemes, _) in after.iter().filter(|(schemes, _)| !before.contains_key(*schemes)) {
            self.add_shared(Kind::SignInAdded, SIGN_IN, None, Some(schemes.join(" and ")));
        }
        for (schemes, old) in &before {
            if let Some(new) = after.get(schemes) {
                self.scopes(old, new);
            }
        }
    }

    /// A token that was enough: is it still, and would a lesser one be?
    fn scopes(&mut self, old: &[BTreeSet<&str>], new: &[BTreeSet<&str>]) {
        let enough = |token: &BTreeSet<&str>, ways: &[BTreeSet<&str>]| ways.iter().any(|way| way.is_subset(token));
        let shown = |scopes: &BTreeSet<&str>| Some(scopes.iter().copied().collect::<Vec<_>>().join(" "));
        let nearest = |token: &BTreeSet<&str>, ways: &[BTreeSet<&str>]| -> Option<String> {
            shown(ways.iter().min_by_key(|way| way.difference(token).count())?)
        };
        if let Some(token) = old.iter().find(|token| !enough(token, new)) {
            self.add_shared(Kind::ScopeAdded, SIGN_IN, shown(token), nearest(token, new));
        } else if let Some(token) = new.iter().find(|token| !enough(token, old)) {
            self.add_shared(Kind::ScopeRemoved, SIGN_IN, nearest(token, old), shown(token));
        }
    }
}

/// For each parameter the one that it became: by name and place, renamed, or moved to another place.
pub(crate) fn became<'d>(
    old: &[Parameter<'d>],
    new: &[Parameter<'d>],
    documents: (&'d serde_json::Value, &'d serde_json::Value),
) -> Vec<Option<usize>> {
    let mut became: Vec<Option<usize>> = vec![None; old.len()];
    for location in ["path", "query", "header"] {
        let (before, after) = (of(old, location), of(new, location));
        let pairs = if location == "path" {
            path_pairs(old, new, &before, &after)
        } else {
            let candidates = |parameters: &[Parameter<'d>], of: &[usize], document| -> Vec<Candidate> {
                let one = |at: usize| {
                    let parameter: &Parameter<'d> = &parameters[of[at]];
                    Candidate::new(parameter.name, at, &parameter.node.shape(document))
                };
                (0..of.len()).map(one).collect()
            };
            pair(&candidates(old, &before, documents.0), &candidates(new, &after, documents.1))
        };
        for (index, at) in before.iter().zip(pairs) {
            became[*index] = at.map(|at| after[at]);
        }
    }
    // What is gone in one place and new in another has moved.
    for (index, parameter) in old.iter().enumerate().filter(|(_, parameter)| parameter.location != "path") {
        if became[index].is_none() {
            let moved = |at: &usize| new[*at].name == parameter.name && !became.contains(&Some(*at));
            became[index] = (0..new.len()).find(moved);
        }
    }
    became
}

fn of(parameters: &[Parameter<'_>], location: &str) -> Vec<usize> {
    (0..parameters.len()).filter(|at| parameters[*at].location == location).collect()
}

/// Parameters of a path: by name, and those that remain by their order.
fn path_pairs(old: &[Parameter<'_>], new: &[Parameter<'_>], before: &[usize], after: &[usize]) -> Vec<Option<usize>> {
    let named = |name: &str| after.iter().position(|at| new[*at].name == name);
    let mut pairs: Vec<Option<usize>> = before.iter().map(|index| named(old[*index].name)).collect();
    let mut left = (0..after.len()).filter(|at| !pairs.contains(&Some(*at))).collect::<Vec<_>>().into_iter();
    for pair in pairs.iter_mut().filter(|pair| pair.is_none()) {
        *pair = left.next();
    }
    pairs
}

fn place(parameter: &Parameter<'_>) -> Place {
    Place::Parameter { location: parameter.location.to_owned(), name: parameter.name.to_owned(), inside: String::new() }
}

/// Whether two texts differ in more than spaces; one that waits to be written differs from none.
fn differ(old: &str, new: &str) -> bool {
    !old.trim().is_empty() && !new.trim().is_empty() && !old.split_whitespace().eq(new.split_whitespace())
}

/// The names in braces erased.
fn shape(path: &str) -> Vec<&str> {
    path.split('/')
        .map(|segment| if segment.starts_with('{') && segment.ends_with('}') { "{}" } else { segment })
        .collect()
}

/// The scopes that are enough for each set of schemes.
fn by_schemes(ways: &[Way]) -> BTreeMap<Vec<&str>, Vec<BTreeSet<&str>>> {
    let mut by: BTreeMap<Vec<&str>, Vec<BTreeSet<&str>>> = BTreeMap::new();
    for way in ways {
        let schemes = way.keys().map(String::as_str).collect();
        by.entry(schemes).or_default().push(way.values().flatten().map(String::as_str).collect());
    }
    by
}

fn way_shown(way: &Way) -> String {
    way.keys().map(String::as_str).collect::<Vec<_>>().join(" and ")
}

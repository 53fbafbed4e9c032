//! The operations of two descriptions → which of them are the same: by method and path, by
//! `operationId`, by a path that differs in the names in its braces or in its version only.

use std::collections::{BTreeMap, BTreeSet};

use super::interface::{Interface, Operation};

/// The operations that are the same, and the rest; indexes into both interfaces.
pub(super) struct Matched {
    /// For each old operation the new one; `None` where it is gone.
    pub(super) pairs: Vec<Option<usize>>,
    pub(super) added: Vec<usize>,
}

/// By which operations are the same; the text before is what their paths lack.
type Key<'a> = dyn Fn(&str, &Operation<'_>) -> String + 'a;

pub(super) fn matched(old: &Interface<'_>, new: &Interface<'_>) -> Matched {
    let (old_base, new_base) = bases(old, new);
    let mut pairs: Vec<Option<usize>> = vec![None; old.operations.len()];
    let request =
        |base: &str, operation: &Operation<'_>| format!("{} {base}{}", operation.name.method, operation.name.path);
    let id = |_: &str, operation: &Operation<'_>| operation.name.id.clone();
    let unnamed = |base: &str, operation: &Operation<'_>| unnamed(&request(base, operation));
    let unversioned = |base: &str, operation: &Operation<'_>| unversioned(&self::unnamed(&request(base, operation)));
    let path = |base: &str, operation: &Operation<'_>| self::unnamed(&format!("{base}{}", operation.name.path));
    let rules: [&Key<'_>; 4] = [&request, &id, &unnamed, &unversioned];
    for rule in rules {
        pair_by(&mut pairs, old, new, |of| rule(&old_base, of), |of| rule(&new_base, of));
    }
    // The only operation of a path that has another method now.
    let old_paths: BTreeMap<String, usize> = counts(old.operations.iter().map(|of| path(&old_base, of)));
    let new_paths: BTreeMap<String, usize> = counts(new.operations.iter().map(|of| path(&new_base, of)));
    let lone =
        |key: String, counts: &BTreeMap<String, usize>| if counts.get(&key) == Some(&1) { key } else { String::new() };
    pair_by(
        &mut pairs,
        old,
        new,
        |of| lone(path(&old_base, of), &old_paths),
        |of| lone(path(&new_base, of), &new_paths),
    );
    let taken: BTreeSet<usize> = pairs.iter().flatten().copied().collect();
    let added = (0..new.operations.len()).filter(|at| !taken.contains(at)).collect();
    Matched { pairs, added }
}

fn counts(keys: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    keys.fold(BTreeMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}

/// Pairs what is left on both sides, where a key that is not empty occurs once on each.
fn pair_by(
    pairs: &mut [Option<usize>],
    old: &Interface<'_>,
    new: &Interface<'_>,
    old_key: impl Fn(&Operation<'_>) -> String,
    new_key: impl Fn(&Operation<'_>) -> String,
) {
    let taken: BTreeSet<usize> = pairs.iter().flatten().copied().collect();
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, operation) in new.operations.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        by_key.entry(new_key(operation)).or_default().push(at);
    }
    let left: Vec<usize> = (0..pairs.len()).filter(|index| pairs[*index].is_none()).collect();
    let old_counts = counts(left.iter().map(|index| old_key(&old.operations[*index])));
    for index in left {
        let key = old_key(&old.operations[index]);
        if let (false, Some(1), Some([at])) =
            (key.is_empty(), old_counts.get(&key), by_key.get(&key).map(Vec::as_slice))
        {
            pairs[index] = Some(*at);
        }
    }
}

/// The names in braces erased: `GET /users/{}`.
fn unnamed(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '{' => inside = true,
            '}' => {
                inside = false;
                out.push_str("{}");
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// Segments that are a version erased.
fn unversioned(path: &str) -> String {
    let version = |segment: &&str| {
        segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.len() < 4)
    };
    path.split('/').filter(|segment| !version(segment)).collect::<Vec<_>>().join("/")
}

/// What has to be written before the paths of each side, so that most are equal: one may have in its
/// address what the other has in its paths.
fn bases(old: &Interface<'_>, new: &Interface<'_>) -> (String, String) {
    let path = |interface: &Interface<'_>| {
        let server = interface.servers.first().map(String::as_str).unwrap_or_default();
        let path = match server.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default(),
            None => server.to_owned(),
        };
        if path.starts_with('/') { path } else { String::new() }
    };
    let (old_path, new_path) = (path(old), path(new));
    let ways = [("", ""), ("", new_path.as_str()), (old_path.as_str(), ""), (old_path.as_str(), new_path.as_str())];
    let common = |(one, other): &(&str, &str)| {
        let paths: BTreeSet<String> = old.operations.iter().map(|of| format!("{one}{}", of.name.path)).collect();
        new.operations.iter().filter(|of| paths.contains(&format!("{other}{}", of.name.path))).count()
    };
    // The first of the best.
    let mut best = (ways[0], common(&ways[0]));
    for way in &ways[1..] {
        let count = common(way);
        if count > best.1 {
            best = (*way, count);
        }
    }
    (best.0.0.to_owned(), best.0.1.to_owned())
}

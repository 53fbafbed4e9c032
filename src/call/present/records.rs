//! An answer → its records: the items of its list, or the one object that it is; and a field's name
//! as a caller writes it → the paths that the records have.

use std::borrow::Cow;

use crate::sanitize::json::Json;

/// The entries of an object.
pub(super) type Entries<'t> = Vec<(Cow<'t, str>, Json<'t>)>;

/// The names that lead to a value, one inside the other; lists are passed through.
pub(super) type Path = Vec<String>;

/// What the way in which a tool pages states of its answers.
#[derive(Debug, Clone, Default)]
pub(super) enum Listing {
    /// Nothing: the answer is no page.
    #[default]
    Unknown,
    /// It is a page; its records are at this JSON pointer, or in its only list.
    Page(Option<String>),
}

impl Listing {
    /// Returns the names that lead to the list of records: none where the answer itself is that
    /// list, `None` where there is no such list.
    pub(super) fn list(&self, json: &Json<'_>) -> Option<Path> {
        let entries = match json {
            Json::List(_) => return Some(Vec::new()),
            Json::Object(entries) => entries,
            Json::Plain(_) | Json::Text(_) => return None,
        };
        if let Self::Page(Some(pointer)) = self {
            let steps: Path =
                pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
            return matches!(at(json, &steps), Some(Json::List(_))).then_some(steps);
        }
        let is_list = |value: &Json<'_>| match value {
            Json::List(items) => {
                matches!(self, Self::Page(_)) || items.iter().any(|item| matches!(item, Json::Object(_)))
            }
            Json::Plain(_) | Json::Text(_) | Json::Object(_) => false,
        };
        let mut lists = entries.iter().filter(|(_, value)| is_list(value));
        let (name, _) = lists.next().filter(|_| lists.next().is_none())?;
        Some(vec![name.clone().into_owned()])
    }

    /// Returns whether a list of an answer is certainly that of the records: an object with one list
    /// may also be a record that has a list.
    pub(super) fn is_certain(&self, json: &Json<'_>) -> bool {
        matches!(json, Json::List(_)) || matches!(self, Self::Page(_))
    }
}

fn at<'a, 't>(json: &'a Json<'t>, steps: &[String]) -> Option<&'a Json<'t>> {
    let Some((step, rest)) = steps.split_first() else { return Some(json) };
    let Json::Object(entries) = json else { return None };
    at(&entries.iter().find(|(name, _)| name == step)?.1, rest)
}

/// Returns the records in the list at `steps`.
pub(super) fn items<'a, 't>(json: &'a Json<'t>, steps: &[String]) -> Vec<&'a Entries<'t>> {
    let Some(Json::List(items)) = at(json, steps) else { return Vec::new() };
    items.iter().filter_map(entries).collect()
}

/// Returns the records in the list at `steps`, to change them.
pub(super) fn items_mut<'a, 't>(mut json: &'a mut Json<'t>, steps: &[String]) -> Vec<&'a mut Entries<'t>> {
    for step in steps {
        let Json::Object(entries) = json else { return Vec::new() };
        let Some((_, value)) = entries.iter_mut().find(|(name, _)| name == step) else { return Vec::new() };
        json = value;
    }
    let Json::List(items) = json else { return Vec::new() };
    let records = items.iter_mut().filter_map(|item| match item {
        Json::Object(entries) => Some(entries),
        Json::Plain(_) | Json::Text(_) | Json::List(_) => None,
    });
    records.collect()
}

/// Returns the entries of an object.
pub(super) fn entries<'a, 't>(json: &'a Json<'t>) -> Option<&'a Entries<'t>> {
    match json {
        Json::Object(entries) => Some(entries),
        Json::Plain(_) | Json::Text(_) | Json::List(_) => None,
    }
}

/// Returns the paths of the records that a caller means by a dotted name: those spelled like it, or
/// else those that differ from it by case only.
pub(super) fn paths(records: &[&Entries<'_>], wanted: &str) -> Vec<Path> {
    // A name may hold a dot itself.
    let whole = spelled(records, wanted);
    if !whole.is_empty() {
        return whole.into_iter().map(|name| vec![name]).collect();
    }
    let Some((first, rest)) = wanted.split_once('.') else { return Vec::new() };
    let inside = |name: String| {
        let found = paths(&inner(records, &name), rest);
        found.into_iter().map(move |path| std::iter::once(name.clone()).chain(path).collect())
    };
    spelled(records, first).into_iter().flat_map(inside).collect()
}

/// Returns the names that records have, in order of occurrence, at most `most`.
pub(super) fn names(records: &[&Entries<'_>], most: usize) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for (name, _) in records.iter().copied().flatten() {
        if known.len() < most && !known.iter().any(|known| known == name) {
            known.push(name.clone().into_owned());
        }
    }
    known
}

/// Returns the names that there are beside the one at the end of a dotted name that leads nowhere:
/// those of the innermost part that exists.
pub(super) fn names_near(records: &[&Entries<'_>], wanted: &str, most: usize) -> Vec<String> {
    if let Some((first, rest)) = wanted.split_once('.')
        && let Some(name) = spelled(records, first).into_iter().next()
    {
        let near = names_near(&inner(records, &name), rest, most);
        if !near.is_empty() {
            return near.into_iter().map(|near| format!("{name}.{near}")).collect();
        }
    }
    names(records, most)
}

fn spelled(records: &[&Entries<'_>], wanted: &str) -> Vec<String> {
    let find = |is_meant: &dyn Fn(&str) -> bool| {
        let mut found: Vec<String> = Vec::new();
        for (name, _) in records.iter().copied().flatten() {
            if is_meant(name) && !found.iter().any(|found| found == name) {
                found.push(name.clone().into_owned());
            }
        }
        found
    };
    let exact = find(&|name| name == wanted);
    if exact.is_empty() { find(&|name| name.eq_ignore_ascii_case(wanted)) } else { exact }
}

/// Returns the objects under a name of the records; lists are passed through.
fn inner<'a, 't>(records: &[&'a Entries<'t>], name: &str) -> Vec<&'a Entries<'t>> {
    fn add<'a, 't>(value: &'a Json<'t>, found: &mut Vec<&'a Entries<'t>>) {
        match value {
            Json::Object(entries) => found.push(entries),
            Json::List(items) => items.iter().for_each(|item| add(item, found)),
            Json::Plain(_) | Json::Text(_) => {}
        }
    }
    let mut found = Vec::new();
    for (_, value) in records.iter().copied().flatten().filter(|(own, _)| own == name) {
        add(value, &mut found);
    }
    found
}

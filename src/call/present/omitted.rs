//! Records and the paths to keep of them → the records without the rest, and the names of what was
//! there and is left out.

use std::collections::HashSet;

use super::records::{Entries, Path};
use crate::sanitize::json::Json;

/// The names of the fields that were left out, each once however many records have it.
#[derive(Debug, Default)]
pub(super) struct Omitted {
    names: Vec<String>,
    seen: HashSet<String>,
}

/// The names that lead to a value, the nearest first.
struct Within<'w> {
    name: &'w str,
    outer: Option<&'w Within<'w>>,
}

impl Within<'_> {
    /// Returns the dotted name.
    fn dotted(&self) -> String {
        match self.outer {
            None => self.name.to_owned(),
            Some(outer) => {
                let mut dotted = outer.dotted();
                dotted.push('.');
                dotted.push_str(self.name);
                dotted
            }
        }
    }
}

impl Omitted {
    /// Returns the dotted names, those of whole fields before those of their parts.
    pub(super) fn into_names(mut self) -> Vec<String> {
        self.names.sort_by_cached_key(|name| name.matches('.').count());
        self.names
    }

    fn add(&mut self, name: String) {
        if !self.seen.contains(&name) {
            self.seen.insert(name.clone());
            self.names.push(name);
        }
    }

    /// Keeps of a record what `paths` lead to. An empty value is not counted as left out: nothing
    /// of it is missing.
    pub(super) fn keep(&mut self, record: &mut Entries<'_>, paths: &[&[String]], keeps_empty: bool) {
        self.keep_within(None, record, paths, keeps_empty);
    }

    fn keep_within(
        &mut self,
        outer: Option<&Within<'_>>,
        record: &mut Entries<'_>,
        paths: &[&[String]],
        keeps_empty: bool,
    ) {
        record.retain_mut(|(name, value)| {
            let of_name = || paths.iter().filter(|path| path.first().is_some_and(|first| first == name));
            if of_name().next().is_none() {
                if !value.is_empty() {
                    self.add(Within { name, outer }.dotted());
                }
                return false;
            }
            if matches!(value, Json::Object(_) | Json::List(_)) && of_name().all(|path| path.len() > 1) {
                let deeper: Vec<&[String]> = of_name().map(|path| &path[1..]).collect();
                self.keep_inside(&Within { name, outer }, value, &deeper, keeps_empty);
            }
            keeps_empty || !value.is_empty()
        });
    }

    fn keep_inside(&mut self, within: &Within<'_>, value: &mut Json<'_>, paths: &[&[String]], keeps_empty: bool) {
        match value {
            Json::Object(entries) => self.keep_within(Some(within), entries, paths, keeps_empty),
            Json::List(items) => {
                for item in items.iter_mut() {
                    self.keep_inside(within, item, paths, keeps_empty);
                }
            }
            // The path leads further than the value: nothing can be left out.
            Json::Plain(_) | Json::Text(_) => {}
        }
    }
}

/// Borrows paths as [`Omitted::keep`] takes them.
pub(super) fn slices(paths: &[Path]) -> Vec<&[String]> {
    paths.iter().map(Vec::as_slice).collect()
}

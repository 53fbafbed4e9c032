//! `[source.<api>]` → where the vendor publishes the description of an API. The names are checked against
//! the vendor's files: another one would never be compared.

use std::collections::BTreeMap;

use super::{text, texts};
use crate::read::located::{Located, did_you_mean};
use toolwright_model::DescriptionSource;

/// Reads the sources by the names of our files.
pub(super) fn read(at: &Located<'_>) -> BTreeMap<String, DescriptionSource> {
    let mut sources = BTreeMap::new();
    for (name, entry) in at.entries() {
        entry.only(&["from", "operations"]);
        if let Some(from) = text(&entry, "from", "the URL or the file of the vendor's description") {
            sources.insert(name.to_owned(), DescriptionSource { from, operations: texts(&entry, "operations") });
        }
    }
    sources
}

/// Checks that each name is one of the vendor's files. `root` is vendor.toml.
pub fn check_sources(sources: &BTreeMap<String, DescriptionSource>, apis: &[&str], root: &Located<'_>) {
    for name in sources.keys().filter(|name| !apis.contains(&name.as_str())) {
        let at = root.nearest(&format!("/source/{}", crate::read::reference::escape(name)));
        let near = did_you_mean(name, apis.iter().copied());
        at.report("the name of one of the vendor's files, without its ending", format!("`{name}`"), near);
    }
}

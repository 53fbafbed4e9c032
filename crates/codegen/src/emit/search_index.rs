//! The tools of all files and the synonyms → the index in which the search looks, as bytes. Like the index over the files it is
//! not committed, because it depends on the vendors that are built.

use toolwright_model::{ApiTools, Synonyms, Tool};
use toolwright_search_index::Index;

use crate::emit::tree::Tree;

/// Its name in OUT_DIR.
pub(crate) const FILE: &str = "search.bin";

/// Makes the index of the tools whose files are in `tree`, in order of their names, as the catalog has them.
pub(crate) fn emit(tree: &Tree, synonyms: &Synonyms) -> Vec<u8> {
    let texts = tree.files().filter(|(path, _)| path.ends_with("/tools.json")).map(|(_, text)| text);
    let files: Vec<ApiTools> =
        texts.map(|text| serde_json::from_str(text).expect("it was written from the same types")).collect();
    let of_files = files.iter().flat_map(|file| file.tools.iter().map(|tool| (file.vendor.as_str(), tool)));
    let mut tools: Vec<(&str, &Tool)> = of_files.collect();
    tools.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    Index::of(&tools, synonyms).bytes()
}

//! The files that are committed for readers → the same files as they are compiled in: JSON without the white space between its
//! tokens, which is half of it.

use std::path::Path;

use super::tree::Tree;

/// Returns the files as they are compiled in.
pub(crate) fn compiled(tree: &Tree) -> Tree {
    let mut compiled = Tree::default();
    for (path, text) in tree.files() {
        let is_json = Path::new(path).extension().is_some_and(|extension| extension == "json");
        // It is looked through line by line.
        let keeps_its_lines = path.ends_with("/requests.json");
        let text = if is_json && !keeps_its_lines { without_space(text) } else { text.to_owned() };
        compiled.insert(path, text);
    }
    compiled
}

/// JSON without the white space between its tokens. The tokens stay as they are, so that numbers keep their text.
fn without_space(json: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let stays = |character: &char| {
        let stays = in_text || !character.is_ascii_whitespace();
        if in_text && is_escaped {
            is_escaped = false;
        } else {
            is_escaped = in_text && *character == '\\';
            in_text ^= *character == '"';
        }
        stays
    };
    json.chars().filter(stays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_without_the_space_between_its_tokens() {
        let json = "{\n  \"a b\": [\n    1.50,\n    \"c \\\" \\\\\"\n  ],\n  \"d\": \" \"\n}";
        let mut tree = Tree::default();
        for path in ["x/tools.json", "x/requests.json", "x/report.md"] {
            tree.insert(path, json);
        }
        let compiled = compiled(&tree);
        assert_eq!(compiled.get("x/tools.json"), Some("{\"a b\":[1.50,\"c \\\" \\\\\"],\"d\":\" \"}\n"));
        for path in ["x/requests.json", "x/report.md"] {
            assert_eq!(compiled.get(path), tree.get(path), "{path}");
        }
    }
}

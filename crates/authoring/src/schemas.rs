//! specs/ → everything that is committed under `generated/`: the generator's tree and the JSON
//! Schemas of the files that people write and read. Called by `cargo regenerate` and by the test
//! that holds the committed files against it.

use std::path::Path;

use schemars::Schema;

use toolwright_codegen::{Errors, Tree};

/// The command that brings `generated/` up to date.
pub(crate) const REGENERATE: &str = "cargo regenerate";

/// Generates what is committed: every vendor, whatever features are on.
///
/// # Errors
/// Everything that is wrong with the files under `specs`.
pub(crate) fn committed_tree(specs: &Path) -> Result<Tree, Errors> {
    let mut tree = toolwright_codegen::generate(specs, |_| true)?.tree;
    tree.extend(schemas());
    Ok(tree)
}

/// The schemas of what people write (vendor.toml, the overlay's keys, toolwright.toml) and of
/// what programs read (tools.json).
fn schemas() -> Tree {
    let mut tree = Tree::default();
    let mut add = |name: &str, schema: &Schema| {
        let text = serde_json::to_string_pretty(schema.as_value()).expect("a JSON value prints as JSON");
        tree.insert(format!("schemas/{name}.schema.json"), text);
    };
    add("vendor", &schemars::schema_for!(toolwright_model::Vendor));
    add("x-toolwright", &toolwright_codegen::operation_keys_schema());
    add("toolwright", &schemars::schema_for!(toolwright_model::SettingsFile));
    add("catalog", &schemars::schema_for!(Vec<toolwright_model::ToolSummary>));
    tree
}

//! specs/ → everything that is committed under `generated/`: the generator's tree, and the JSON
//! Schemas of the files that people write and programs read.

use std::path::Path;

use schemars::Schema;

use toolwright_codegen::{Errors, Tree};

/// The command that updates `generated/`.
pub(crate) const REGENERATE: &str = "cargo regenerate";

/// Generates the committed files, for every vendor.
///
/// # Errors
/// All faults of the files under `specs`.
pub(crate) fn committed_tree(specs: &Path) -> Result<Tree, Errors> {
    let mut tree = toolwright_codegen::generate(specs, |_| true)?.tree;
    tree.extend(schemas());
    Ok(tree)
}

/// The schemas of vendor.toml, the overlay's keys, toolwright.toml and the JSON of `catalog list`.
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

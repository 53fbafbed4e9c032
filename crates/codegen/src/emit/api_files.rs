//! Lowered vendors → the files of each API, by their paths below `generated/`.

use crate::emit::tree::Tree;
use crate::emit::{report, requests, sandbox_table};
use crate::lower::answers;
use crate::lower::vendor::{LoweredApi, LoweredVendor};
use toolwright_model::{ApiTools, PagingStyle};

/// The files of each API.
pub(super) const API_FILES: [&str; 5] = ["answers.json", "report.md", "requests.json", "sandbox.json", "tools.json"];

/// Emits the files of every API.
pub(crate) fn emit(vendors: &[LoweredVendor]) -> Tree {
    let mut tree = Tree::default();
    for vendor in vendors {
        let styles = vendor.vendor.as_ref().map(|vendor| vendor.paging.as_slice()).unwrap_or_default();
        for api in &vendor.apis {
            emit_api(api, styles, &mut tree);
        }
    }
    tree
}

fn emit_api(api: &LoweredApi, styles: &[PagingStyle], tree: &mut Tree) {
    let LoweredApi { vendor, description, lowered } = api;
    let (id, file) = (&description.id, &description.name);
    let title = description.text("/info/title");
    let tools = ApiTools { api: id.clone(), vendor: vendor.clone(), tools: lowered.tools.clone() };
    tree.insert(format!("{id}/tools.json"), pretty(&tools));
    tree.insert(format!("{id}/answers.json"), pretty(&answers::describe(id, file, &description.published)));
    tree.insert(format!("{id}/requests.json"), requests::emit(&lowered.operations));
    tree.insert(format!("{id}/sandbox.json"), pretty(&sandbox_table::emit(id, &description.published, styles)));
    tree.insert(format!("{id}/report.md"), report::emit(id, title, file, lowered, &description.fixups));
}

/// Pretty JSON; raw schemas inside become part of it.
pub(super) fn pretty(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("plain data with text keys is JSON");
    serde_json::to_string_pretty(&value).expect("a JSON value prints as JSON")
}

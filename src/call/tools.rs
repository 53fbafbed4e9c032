//! A tool's name → the tool, whether the policy offers it, and its compiled input schema.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::arguments::ArgumentSchema;
use super::failure::Failure;
use crate::catalog::{Catalog, CatalogEntry};
use crate::formats;
use crate::policy::Selection;
use toolwright_model::Tool;

/// The tools of a catalog that a selection offers.
pub(super) struct OfferedTools {
    pub(super) catalog: Catalog,
    selection: Selection,
    /// By position in the catalog; compiled when a tool is first called.
    schemas: Vec<OnceLock<ArgumentSchema>>,
    /// Whether files of a folder can be named by path.
    pub(super) folder_is_open: bool,
}

impl OfferedTools {
    pub(super) fn new(catalog: Catalog, selection: Selection) -> Self {
        let schemas = catalog.entries().iter().map(|_| OnceLock::new()).collect();
        Self { catalog, selection, schemas, folder_is_open: false }
    }

    /// Returns the offered tools in order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = &CatalogEntry> {
        self.catalog.entries().iter().filter(|entry| self.selection.decide(entry).is_ok())
    }

    /// Returns the tool with this name or alias, whether it is offered or not.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn find(&self, name: &str) -> Result<&CatalogEntry, Failure> {
        self.catalog.get(name).ok_or_else(|| {
            let near = self.catalog.near(name).into_iter().map(str::to_owned).collect();
            Failure::UnknownTool { name: name.to_owned(), near }
        })
    }

    /// Asks the policy whether the tool is offered.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn check_offered(&self, entry: &CatalogEntry) -> Result<(), Failure> {
        self.selection.decide(entry).map_err(|refusal| Failure::Refused { tool: entry.tool.name.clone(), refusal })
    }

    /// Returns the tool as `tools/list` sends it.
    pub(super) fn listing(&self, entry: &CatalogEntry) -> rmcp::model::Tool {
        let mut listing = entry.listing();
        if self.folder_is_open {
            offer_folder(&entry.tool, Arc::make_mut(&mut listing.input_schema));
        }
        listing
    }

    /// Returns the tool's input schema, compiled.
    ///
    /// # Errors
    /// The schema in the catalog is not valid.
    pub(super) fn schema(&self, tool: &Tool) -> Result<&ArgumentSchema, Failure> {
        let slot = self.catalog.position(&tool.name).and_then(|position| self.schemas.get(position));
        let slot = slot.ok_or_else(|| Failure::Internal(format!("`{}` is of another catalog", tool.name)))?;
        if let Some(schema) = slot.get() {
            return Ok(schema);
        }
        let mut schema = tool.parsed_input_schema();
        if self.folder_is_open {
            offer_folder(tool, &mut schema);
        }
        let schema = ArgumentSchema::compile(&schema, &open_parts(tool))
            .map_err(|error| Failure::Internal(format!("`{}`: {error}", tool.name)))?;
        Ok(slot.get_or_init(|| schema))
    }
}

/// The parts of a tool's arguments that their formats check themselves: argument and dotted path.
fn open_parts(tool: &Tool) -> Vec<(String, String)> {
    let bindings = tool.calls.iter().flat_map(|call| &call.bindings);
    let parts = bindings.flat_map(|binding| {
        formats::open_parts(&binding.formats).into_iter().map(|path| (binding.argument.clone(), path))
    });
    parts.collect()
}

/// Adds to the schema what callers may give in addition where the operator opened a folder.
fn offer_folder(tool: &Tool, schema: &mut Map<String, Value>) {
    let bindings = tool.calls.iter().flat_map(|call| &call.bindings);
    for binding in bindings {
        if let Some(argument) = schema.get_mut("properties").and_then(|all| all.get_mut(&binding.argument)) {
            formats::offer_folder(&binding.formats, argument);
        }
    }
}

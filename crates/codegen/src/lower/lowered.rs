//! What the operations of an API are lowered to, and what they take from their vendor.

use crate::lower::tool_draft::{DraftedTool, FormatLookup, NameClaim, ToolSamples};
use toolwright_model::{Operation, PagingStyle, Tool};

/// What became of an API's operations.
#[derive(Debug, Default)]
pub struct Lowered {
    pub operations: Vec<Operation>,
    pub tools: Vec<Tool>,
    /// One entry for each operation of the description, in its order.
    pub results: Vec<OperationResult>,
    /// Values that the vendor's grammar accepts.
    pub samples: Vec<ToolSamples>,
    /// Every name and alias, with its place.
    pub claims: Vec<NameClaim>,
    /// The operations that formats look values up with.
    pub lookups: Vec<FormatLookup>,
}

impl Lowered {
    /// Adds a tool.
    pub(super) fn add(&mut self, drafted: DraftedTool) {
        let DraftedTool { tool, samples, claims, lookups } = drafted;
        self.tools.push(tool);
        self.samples.extend(samples);
        self.claims.extend(claims);
        self.lookups.extend(lookups);
    }
}

/// What became of one operation.
#[derive(Debug)]
pub struct OperationResult {
    pub operation: String,
    pub method: String,
    pub path: String,
    pub outcome: Result<Vec<String>, String>,
}

/// What an API's tools take from their vendor.
#[derive(Clone, Copy)]
pub struct VendorContext<'a> {
    pub id: &'a str,
    /// The ways in which it pages; `None` where vendor.toml could not be read.
    pub styles: Option<&'a [PagingStyle]>,
}

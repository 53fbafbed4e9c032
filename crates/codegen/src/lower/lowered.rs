//! What the operations of an API are lowered to, and what they take from their vendor.

use crate::lower::argument_rules::ArgumentRules;
use crate::lower::inputs::Input;
use crate::lower::promises::ConciseAnswer;
use crate::lower::read_backs::ReadBacks;
use crate::lower::spec_operation::SpecOperation;
use crate::lower::tool_draft::{DraftedTool, FormatLookup, NameClaim, OwnKind, ToolDraft, ToolSamples};
use crate::lower::unoffered::Unoffered;
use crate::lower::waits::Waits;
use crate::read::document::Document;
use crate::read::located::Located;
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
    /// The kinds of records that overlays state by themselves.
    pub kinds: Vec<OwnKind>,
    /// What no tool offers, and why.
    pub unoffered: Vec<Unoffered>,
    /// The answers that have a concise form.
    pub answers: Vec<ConciseAnswer>,
}

impl Lowered {
    /// Adds a tool.
    pub(super) fn add(&mut self, drafted: DraftedTool) {
        let DraftedTool { tool, samples, claims, lookups, kinds, answer } = drafted;
        self.tools.push(tool);
        self.samples.extend(samples);
        self.claims.extend(claims);
        self.lookups.extend(lookups);
        self.kinds.extend(kinds);
        self.answers.extend(answer);
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
    /// The formats that its arguments have by their names; `None` likewise.
    pub rules: Option<&'a ArgumentRules<'a>>,
    /// Whether its credentials are chosen by the security schemes of an operation.
    pub chooses_credentials: bool,
}

/// What the tools of one API have in common.
#[derive(Clone, Copy)]
pub struct ApiContext<'a> {
    pub vendor: &'a VendorContext<'a>,
    /// The API's id.
    pub api: &'a str,
    pub document: &'a Document,
    pub read_backs: &'a ReadBacks,
    pub waits: &'a Waits,
    pub root: &'a Located<'a>,
}

impl<'a> ApiContext<'a> {
    /// Begins a tool over an operation; its keys are at `pointer`.
    pub(super) fn draft<'d>(&self, spec: &'d SpecOperation, inputs: &'d [Input], pointer: String) -> ToolDraft<'d>
    where
        'a: 'd,
    {
        let Self { vendor, api, document, read_backs, waits, root } = *self;
        ToolDraft {
            vendor: vendor.id,
            styles: vendor.styles,
            rules: vendor.rules,
            api,
            spec,
            inputs,
            document,
            read_backs,
            waits,
            root,
            pointer,
        }
    }
}

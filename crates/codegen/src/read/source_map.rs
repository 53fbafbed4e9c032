//! A JSON pointer into a description → where it was written: what an overlay wrote into the
//! description is in the overlay.

use std::rc::Rc;

use crate::read::finding::Findings;
use crate::read::reference::below;
use crate::read::source::{SourceFile, SourcePlace};

/// Which places of a description an overlay wrote.
#[derive(Debug, Default)]
pub struct Origins {
    overlay: Option<Rc<SourceFile>>,
    pub(super) written: Vec<Origin>,
}

/// A place of a description and where the overlay wrote it, both as JSON pointers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) place: String,
    pub(super) from: String,
}

impl Origins {
    pub(super) fn new(overlay: &Rc<SourceFile>) -> Self {
        Self { overlay: Some(Rc::clone(overlay)), written: Vec::new() }
    }
}

/// A document on its way through the checks: which file it is from, which places came from an
/// overlay, and where findings go.
pub struct SourceMap<'a> {
    file: Rc<SourceFile>,
    origins: Option<&'a Origins>,
    pub(super) findings: &'a Findings,
}

impl<'a> SourceMap<'a> {
    /// A file as it was read.
    pub fn new(file: &Rc<SourceFile>, findings: &'a Findings) -> Self {
        Self { file: Rc::clone(file), origins: None, findings }
    }

    /// A description that an overlay has changed.
    pub fn with_origins(file: &Rc<SourceFile>, origins: &'a Origins, findings: &'a Findings) -> Self {
        Self { file: Rc::clone(file), origins: Some(origins), findings }
    }

    /// Where a person finds what is at `pointer` of the document.
    pub(super) fn place(&self, pointer: &str) -> SourcePlace {
        let written = self.origins.and_then(|origins| {
            let of = |origin: &Origin| below(pointer, &origin.place).map(|rest| format!("{}{rest}", origin.from));
            Some((origins.overlay.as_ref()?, origins.written.iter().rev().find_map(of)?))
        });
        match written {
            Some((overlay, pointer)) => SourcePlace::new(overlay, pointer),
            None => SourcePlace::new(&self.file, pointer.to_owned()),
        }
    }
}

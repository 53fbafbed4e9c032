//! The generator as a whole, in one test program: folders of specs in, files or findings out.

// Exact outputs for small specs folders, one folder under fixtures/ each.
mod golden;
// Random damage to a real vendor's specs: the generator answers and never panics.
mod mutations;

use std::path::Path;

fn is_kind(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

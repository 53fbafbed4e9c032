//! Paths of a description: the methods below them, the names in their braces, and whether a request
//! can go there.

use crate::read::reference::escape;

/// The methods of a path item, in the order in which operations are read.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Returns the pointer to an operation; `method` is in lower case.
pub fn operation_pointer(path: &str, method: &str) -> String {
    format!("/paths/{}/{method}", escape(path))
}

/// Returns why no request can go to a path as it is written, if so: a request goes to one place
/// below the vendor's address, and its query is made of parameters.
pub fn path_fault(path: &str) -> Option<&'static str> {
    let dots = |segment: &str| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if template_parameters(path).is_none() {
        Some("its path has braces that hold no name")
    } else if path.contains('?') {
        Some("its path holds a query; parameters say it with `in: query`")
    } else if path.contains(['#', '\\']) || path.chars().any(char::is_control) {
        Some("its path holds a character that no path has")
    } else if path.split('/').any(dots) {
        Some("its path leads elsewhere with `.` or `..`")
    } else {
        None
    }
}

/// Returns the names between the braces of a path; `None` where the braces don't match.
pub fn template_parameters(path: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some(open) = rest.find(['{', '}']) {
        let (name, after) = rest[open..].strip_prefix('{')?.split_once('}')?;
        if name.is_empty() || name.contains(['{', '/']) {
            return None;
        }
        names.push(name);
        rest = after;
    }
    Some(names)
}

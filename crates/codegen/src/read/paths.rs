//! Paths of a description: the methods below them, the names in their braces, and whether a request
//! can go there.

use crate::read::reference::escape;

/// The methods of a path item, in the order in which operations are read.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Returns the pointer to an operation; `method` is in lower case.
pub fn operation_pointer(path: &str, method: &str) -> String {
    format!("/paths/{}/{method}", escape(path))
}

/// A path as descriptions write it, in its parts: some distinguish operations on one path by a query that is always the
/// same (`/messages?beta=true`) or by a fragment that is never sent (`/files/{id}#share`).
pub struct PathParts<'p> {
    /// Where the request goes.
    pub path: &'p str,
    /// Names and values that are always sent.
    pub query: Vec<(&'p str, &'p str)>,
}

/// Takes a path apart.
pub fn path_parts(written: &str) -> PathParts<'_> {
    let sent = written.split_once('#').map_or(written, |(before, _)| before);
    let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    PathParts { path, query: pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect() }
}

/// Returns why no request can go to a path as it is written, if so: a request goes to one place
/// below the vendor's address.
pub fn path_fault(written: &str) -> Option<&'static str> {
    let PathParts { path, query } = path_parts(written);
    let dots = |segment: &str| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if template_parameters(path).is_none() {
        Some("its path has braces that hold no name")
    } else if query
        .iter()
        .any(|(name, value)| name.is_empty() || [name, value].iter().any(|text| text.contains(['{', '}'])))
    {
        Some("its query has values that are not always the same; parameters say it with `in: query`")
    } else if path.contains('\\') || written.chars().any(char::is_control) {
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
    let mut rest = path_parts(path).path;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart() {
        for (written, path, query) in [
            ("/a/{id}", "/a/{id}", &[][..]),
            ("/a?beta=true&x", "/a", &[("beta", "true"), ("x", "")]),
            ("/a/{id}#share", "/a/{id}", &[]),
            ("/a?b=c#d?e", "/a", &[("b", "c")]),
        ] {
            let parts = path_parts(written);
            assert_eq!((parts.path, parts.query.as_slice()), (path, query), "{written}");
            assert_eq!(path_fault(written), None, "{written}");
        }
    }

    #[test]
    fn faults_are_named() {
        for (written, fault) in [
            ("/a?b={c}", "always the same"),
            ("/a?=1", "always the same"),
            ("/a/../b", "leads elsewhere"),
            ("/a\\b", "no path has"),
            ("/a/{", "no name"),
        ] {
            assert!(path_fault(written).is_some_and(|found| found.contains(fault)), "{written}");
        }
    }
}

//! A raw request path → its operation and the still encoded texts of its path parameters.

use std::collections::HashMap;

use super::text::decoded;

/// The paths of one API, as a tree by segment.
#[derive(Default)]
pub(super) struct Routes {
    root: RouteNode,
}

/// What a path matches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RouteMatch<'a> {
    /// The operations of these indices, of which the rest of the request decides; the texts are in the order of the
    /// template's parameters.
    Operations(Vec<usize>, Vec<&'a str>),
    /// A path that has other methods only: these.
    Methods(Vec<String>),
    /// No path of the API.
    Unknown,
}

#[derive(Default)]
struct RouteNode {
    literals: HashMap<String, RouteNode>,
    templates: Vec<(SegmentTemplate, RouteNode)>,
    methods: Vec<(String, Vec<usize>)>,
}

/// A segment with parameters, as the literal texts before, between and after them.
#[derive(Clone, PartialEq, Eq)]
struct SegmentTemplate(Vec<String>);

impl Routes {
    /// Adds an operation. Several may have the same path and method: then their query or body distinguishes them.
    pub(super) fn add(&mut self, path: &str, method: &str, index: usize) {
        let mut node = &mut self.root;
        for segment in segments(path) {
            node = if segment.contains('{') {
                let template = SegmentTemplate::parse(segment);
                let position = node.templates.iter().position(|(known, _)| *known == template).unwrap_or_else(|| {
                    // Templates with more literal text are tried first.
                    let literal = template.literal();
                    let position = node.templates.partition_point(|(known, _)| known.literal() >= literal);
                    node.templates.insert(position, (template, RouteNode::default()));
                    position
                });
                &mut node.templates[position].1
            } else {
                node.literals.entry(segment.to_owned()).or_default()
            };
        }
        match node.methods.iter_mut().find(|(known, _)| known == method) {
            Some((_, operations)) => operations.push(index),
            None => node.methods.push((method.to_owned(), vec![index])),
        }
    }

    /// Finds the operation; from left to right, a literal segment has precedence over parameters.
    pub(super) fn find<'a>(&self, path: &'a str, method: &str) -> RouteMatch<'a> {
        let segments: Vec<&str> = segments(path).collect();
        let (mut texts, mut methods) = (Vec::new(), Vec::new());
        if let Some(operations) = self.root.find(&segments, method, &mut texts, &mut methods) {
            return RouteMatch::Operations(operations.to_vec(), texts);
        }
        if methods.is_empty() {
            return RouteMatch::Unknown;
        }
        methods.sort_unstable();
        methods.dedup();
        RouteMatch::Methods(methods)
    }
}

impl RouteNode {
    /// Fills `texts` on success, and `methods` with the other methods of the path.
    fn find<'a>(
        &self,
        segments: &[&'a str],
        method: &str,
        texts: &mut Vec<&'a str>,
        methods: &mut Vec<String>,
    ) -> Option<&[usize]> {
        let Some((segment, rest)) = segments.split_first() else {
            let found = self.methods.iter().find(|(known, _)| known == method);
            if found.is_none() {
                methods.extend(self.methods.iter().map(|(known, _)| known.clone()));
            }
            return found.map(|(_, operations)| operations.as_slice());
        };
        let literal = self.literals.get(*segment).or_else(|| {
            // A literal may hold characters that are sent encoded, and clients may encode more than they must.
            if segment.contains('%') { self.literals.get(decoded(segment)?.as_ref()) } else { None }
        });
        if let Some(operations) = literal.and_then(|node| node.find(rest, method, texts, methods)) {
            return Some(operations);
        }
        for (template, node) in &self.templates {
            let before = texts.len();
            if template.matches(segment, texts)
                && let Some(operations) = node.find(rest, method, texts, methods)
            {
                return Some(operations);
            }
            texts.truncate(before);
        }
        None
    }
}

impl SegmentTemplate {
    fn parse(segment: &str) -> Self {
        let mut literals = vec![String::new()];
        let mut rest = segment;
        while let Some((before, after)) = rest.split_once('{') {
            if let Some(last) = literals.last_mut() {
                last.push_str(before);
            }
            literals.push(String::new());
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        if let Some(last) = literals.last_mut() {
            last.push_str(rest);
        }
        Self(literals)
    }

    fn literal(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }

    /// Adds the texts of the parameters, none of which may be empty.
    fn matches<'a>(&self, segment: &'a str, texts: &mut Vec<&'a str>) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return false;
        };
        let Some(mut rest) = segment.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        for literal in middle {
            // Of two adjacent parameters the first takes one character.
            let end =
                if literal.is_empty() { rest.chars().next().map(char::len_utf8) } else { rest.find(literal.as_str()) };
            match end {
                Some(end) if end > 0 => {
                    texts.push(&rest[..end]);
                    rest = &rest[end + literal.len()..];
                }
                _ => return false,
            }
        }
        texts.push(rest);
        !rest.is_empty()
    }
}

/// Returns the names of the parameters in a path template, in order.
pub(super) fn parameter_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).map(|piece| piece.split_once('}').map_or(piece, |(name, _)| name))
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_operations() {
        let mut routes = Routes::default();
        for (index, (method, path)) in [
            ("GET", "/api/Tickets"),
            ("GET", "/api/{id}"),
            ("POST", "/api/{id}"),
            ("GET", "/users/me/x"),
            ("GET", "/users/{id}"),
            ("GET", "/files/v{major}.{minor}.zip"),
            ("GET", "/files/{name}"),
            ("DELETE", "/users/me"),
            ("GET", "/"),
        ]
        .into_iter()
        .enumerate()
        {
            routes.add(path, method, index);
        }
        let methods = |names: &[&str]| RouteMatch::Methods(names.iter().map(|name| (*name).to_owned()).collect());
        let cases = [
            ("GET", "/api/Tickets", RouteMatch::Operations(vec![0], vec![])),
            ("GET", "/api/tickets", RouteMatch::Operations(vec![1], vec!["tickets"])),
            ("GET", "/api/Tick%65ts", RouteMatch::Operations(vec![0], vec![])),
            ("POST", "/api/Tickets", RouteMatch::Operations(vec![2], vec!["Tickets"])),
            ("GET", "/api/a%2Fb", RouteMatch::Operations(vec![1], vec!["a%2Fb"])),
            ("GET", "/api/", RouteMatch::Unknown),
            ("GET", "/api/a/b", RouteMatch::Unknown),
            ("GET", "/users/me", RouteMatch::Operations(vec![4], vec!["me"])),
            ("PUT", "/users/me", methods(&["DELETE", "GET"])),
            ("GET", "/files/v1.20.zip", RouteMatch::Operations(vec![5], vec!["1", "20"])),
            ("GET", "/files/v1.zip", RouteMatch::Operations(vec![6], vec!["v1.zip"])),
            ("GET", "/", RouteMatch::Operations(vec![8], vec![])),
        ];
        for (method, path, expected) in cases {
            assert_eq!(routes.find(path, method), expected, "{method} {path}");
        }
        assert_eq!(parameter_names("/a/{b}/v{c}.{d}").collect::<Vec<_>>(), ["b", "c", "d"]);
    }
}

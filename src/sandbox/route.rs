//! Turns a raw request path into the operation it belongs to and the still encoded texts of its path parameters.

use std::collections::HashMap;

use super::text::decoded;

/// The paths of one API, as a tree by segment.
#[derive(Default)]
pub(super) struct Routes {
    root: Node,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// To the operation of this index; the texts stand in the order of the template's parameters.
    Operation(usize, Vec<&'a str>),
    /// To a path that is known with these methods only.
    Methods(Vec<String>),
    /// Nowhere.
    Unknown,
}

#[derive(Default)]
struct Node {
    literals: HashMap<String, Node>,
    templates: Vec<(Template, Node)>,
    methods: Vec<(String, usize)>,
}

/// A segment with parameters, as the literal texts before, between and behind them.
#[derive(Clone, PartialEq, Eq)]
struct Template(Vec<String>);

impl Routes {
    /// Adds an operation; of two with the same path and method the first stays.
    pub(super) fn add(&mut self, path: &str, method: &str, index: usize) {
        let mut node = &mut self.root;
        for segment in segments(path) {
            node = if segment.contains('{') {
                let template = Template::parse(segment);
                let position = node.templates.iter().position(|(known, _)| *known == template).unwrap_or_else(|| {
                    // The more literal text a template holds, the sooner it is tried.
                    let literal = template.literal();
                    let position = node.templates.partition_point(|(known, _)| known.literal() >= literal);
                    node.templates.insert(position, (template, Node::default()));
                    position
                });
                &mut node.templates[position].1
            } else {
                node.literals.entry(segment.to_owned()).or_default()
            };
        }
        if !node.methods.iter().any(|(known, _)| known == method) {
            node.methods.push((method.to_owned(), index));
        }
    }

    /// Finds the operation; literal segments beat parameters, from left to right.
    pub(super) fn find<'a>(&self, path: &'a str, method: &str) -> Route<'a> {
        let segments: Vec<&str> = segments(path).collect();
        let (mut texts, mut methods) = (Vec::new(), Vec::new());
        if let Some(index) = self.root.find(&segments, method, &mut texts, &mut methods) {
            return Route::Operation(index, texts);
        }
        if methods.is_empty() {
            return Route::Unknown;
        }
        methods.sort_unstable();
        methods.dedup();
        Route::Methods(methods)
    }
}

impl Node {
    /// Fills `texts` on success, and `methods` with what other methods the path is known by.
    fn find<'a>(
        &self,
        segments: &[&'a str],
        method: &str,
        texts: &mut Vec<&'a str>,
        methods: &mut Vec<String>,
    ) -> Option<usize> {
        let Some((segment, rest)) = segments.split_first() else {
            let found = self.methods.iter().find(|(known, _)| known == method);
            if found.is_none() {
                methods.extend(self.methods.iter().map(|(known, _)| known.clone()));
            }
            return found.map(|(_, index)| *index);
        };
        let literal = self.literals.get(*segment).or_else(|| {
            // A description may hold characters that travel encoded, and a client may encode more than it must.
            if segment.contains('%') { self.literals.get(decoded(segment)?.as_ref()) } else { None }
        });
        if let Some(index) = literal.and_then(|node| node.find(rest, method, texts, methods)) {
            return Some(index);
        }
        for (template, node) in &self.templates {
            let before = texts.len();
            if template.matches(segment, texts)
                && let Some(index) = node.find(rest, method, texts, methods)
            {
                return Some(index);
            }
            texts.truncate(before);
        }
        None
    }
}

impl Template {
    fn parse(segment: &str) -> Self {
        let mut literals = vec![String::new()];
        let mut rest = segment;
        while let Some((before, behind)) = rest.split_once('{') {
            if let Some(last) = literals.last_mut() {
                last.push_str(before);
            }
            literals.push(String::new());
            rest = behind.split_once('}').map_or("", |(_, behind)| behind);
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
            // Two parameters without a text between them: the first takes one character.
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
    fn paths_lead_to_operations() {
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
        let methods = |names: &[&str]| Route::Methods(names.iter().map(|name| (*name).to_owned()).collect());
        let cases = [
            ("GET", "/api/Tickets", Route::Operation(0, vec![])),
            ("GET", "/api/tickets", Route::Operation(1, vec!["tickets"])),
            ("GET", "/api/Tick%65ts", Route::Operation(0, vec![])),
            ("POST", "/api/Tickets", Route::Operation(2, vec!["Tickets"])),
            ("GET", "/api/a%2Fb", Route::Operation(1, vec!["a%2Fb"])),
            ("GET", "/api/", Route::Unknown),
            ("GET", "/api/a/b", Route::Unknown),
            ("GET", "/users/me", Route::Operation(4, vec!["me"])),
            ("PUT", "/users/me", methods(&["DELETE", "GET"])),
            ("GET", "/files/v1.20.zip", Route::Operation(5, vec!["1", "20"])),
            ("GET", "/files/v1.zip", Route::Operation(6, vec!["v1.zip"])),
            ("GET", "/", Route::Operation(8, vec![])),
        ];
        for (method, path, expected) in cases {
            assert_eq!(routes.find(path, method), expected, "{method} {path}");
        }
        assert_eq!(parameter_names("/a/{b}/v{c}.{d}").collect::<Vec<_>>(), ["b", "c", "d"]);
    }
}

//! What was there and what is there now → which of them are the same under another name, by type, place
//! and likeness. Two that are equally likely are no pair: nothing is guessed.

use toolwright_model::suggest_one;

use super::shape::Shape;

/// A parameter or property that may have been renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    name: String,
    /// Its place in its list.
    place: usize,
    /// Its type, format, values and names of properties.
    kind: String,
}

impl Candidate {
    pub(crate) fn new(name: &str, place: usize, shape: &Shape<'_>) -> Self {
        let properties: Vec<&str> = shape.properties.iter().map(|property| property.name).collect();
        let values: Vec<String> = shape.values.iter().flatten().map(ToString::to_string).collect();
        let kind = format!("{:?} {:?} {values:?} {properties:?}", shape.types, shape.format);
        Self { name: name.to_owned(), place, kind }
    }
}

/// Returns for each of `before` the place in `after` of what it became; `None` where it is gone.
pub(crate) fn pair(before: &[Candidate], after: &[Candidate]) -> Vec<Option<usize>> {
    let at = |name: &str| after.iter().position(|other| other.name == name);
    let mut pairs: Vec<Option<usize>> = before.iter().map(|one| at(&one.name)).collect();
    let gone: Vec<usize> = (0..before.len()).filter(|index| pairs[*index].is_none()).collect();
    let new: Vec<usize> = (0..after.len()).filter(|at| !pairs.contains(&Some(*at))).collect();
    for index in &gone {
        let one = &before[*index];
        let alike: Vec<usize> = new.iter().copied().filter(|at| after[*at].kind == one.kind).collect();
        let likely = |new: usize| {
            // The other way round it must be the only one, too.
            let rivals = gone.iter().filter(|other| before[**other].kind == one.kind);
            let nearest = suggest_one(&after[new].name, rivals.map(|other| before[*other].name.as_str()));
            nearest == Some(one.name.as_str())
        };
        let by_name = suggest_one(&one.name, alike.iter().map(|at| after[*at].name.as_str()));
        let by_name = by_name.and_then(&at).filter(|new| likely(*new));
        // One is gone and one is new, of the same type at the same place of a list of the same length.
        let by_place = || match (gone.as_slice(), new.as_slice()) {
            ([_], [new]) if before.len() == after.len() && after[*new].kind == one.kind => {
                Some(*new).filter(|new| after[*new].place == one.place)
            }
            _ => None,
        };
        pairs[*index] = by_name.or_else(by_place);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::shape::Node;
    use super::*;

    fn candidates(of: &[(&str, &str)]) -> Vec<Candidate> {
        let one = |(at, (name, of)): (usize, &(&str, &str))| {
            let schema = json!({"type": of});
            Candidate::new(name, at, &Node::new(&schema).shape(&json!({})))
        };
        of.iter().enumerate().map(one).collect()
    }

    #[test]
    fn renamed_by_type_place_and_likeness() {
        let pair = |before: &[(&str, &str)], after: &[(&str, &str)]| pair(&candidates(before), &candidates(after));
        assert_eq!(
            pair(&[("a", "string"), ("teamId", "string")], &[("team_id", "string"), ("a", "string")]),
            [Some(1), Some(0)]
        );
        assert_eq!(pair(&[("teamId", "string")], &[("team_id", "integer")]), [None], "another type");
        assert_eq!(
            pair(&[("colour", "string"), ("x", "string")], &[("hue", "string"), ("x", "string")]),
            [Some(0), Some(1)]
        );
        assert_eq!(pair(&[("colour", "string")], &[("hue", "string"), ("tone", "string")]), [None], "two may be meant");
        assert_eq!(pair(&[("user", "string")], &[("userId", "string"), ("userKey", "string")]), [None]);
    }
}

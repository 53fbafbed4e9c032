//! Two schemas → what differs, for a request or for an answer. Pairs of schemas that lead to each other
//! form a graph; each pair is compared once, and each operation visits what it reaches. So a change of a
//! shared component is found once per operation, however often it is used there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::kind::Kind;
use super::renames::{Candidate, pair};
use super::shape::{BOUNDS, Bound, Further, Node, NodeId, Property, Shape};

/// Which way the value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Request,
    Answer,
}

/// What differs at one place of a schema.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    /// The way to it: `fields[].name`.
    pub(crate) inside: String,
    /// The component that it belongs to, and the way inside of that.
    pub(crate) shared: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// What differs at a node itself.
#[derive(Debug, Clone)]
struct Own {
    kind: Kind,
    /// The property that it is about; empty for the node.
    step: String,
    before: Option<String>,
    after: Option<String>,
}

/// The key of a pair: two nodes and a way.
type PairId = (NodeId, NodeId, Way);

/// A pair that was compared.
#[derive(Debug, Default)]
struct Pair<'d> {
    own: Vec<Own>,
    inside: Vec<(String, Node<'d>, Node<'d>)>,
}

/// Two documents whose schemas are compared.
pub(crate) struct Schemas<'d> {
    old: &'d Value,
    new: &'d Value,
    pairs: BTreeMap<PairId, Pair<'d>>,
    /// Which component of the new document is which of the old one, by name.
    pub(crate) components: BTreeMap<String, String>,
}

/// The deepest way that is followed: nothing is said about what lies deeper.
const DEEPEST: usize = 40;

impl<'d> Schemas<'d> {
    pub(crate) fn new(old: &'d Value, new: &'d Value) -> Self {
        Self { old, new, pairs: BTreeMap::new(), components: BTreeMap::new() }
    }

    /// Compares two schemas and everything that they reach.
    pub(crate) fn compare(&mut self, old: Node<'d>, new: Node<'d>, way: Way) -> Vec<Found> {
        let mut found = Vec::new();
        let mut seen: BTreeSet<PairId> = BTreeSet::new();
        // The way from the root, and the way from the component that is nearest above.
        let mut waiting = VecDeque::from([(old, new, String::new(), None::<String>, 0)]);
        while let Some((old, new, inside, owner, depth)) = waiting.pop_front() {
            let id = (old.id(self.old), new.id(self.new), way);
            if depth > DEEPEST || !seen.insert(id.clone()) {
                continue;
            }
            let owner = match (old.component(), new.component()) {
                (Some(old), Some(new)) => {
                    self.components.entry(new).or_insert_with(|| old.clone());
                    Some(old)
                }
                (old, new) => old.or(new).or(owner),
            };
            if !self.pairs.contains_key(&id) {
                let pair = compare(&old.shape(self.old), &new.shape(self.new), way, (self.old, self.new));
                self.pairs.insert(id.clone(), pair);
            }
            let pair = &self.pairs[&id];
            for own in &pair.own {
                found.push(Found {
                    kind: own.kind,
                    inside: joined(&inside, &own.step),
                    shared: owner.as_ref().map(|owner| joined(owner, &own.step)),
                    before: own.before.clone(),
                    after: own.after.clone(),
                });
            }
            for (step, old, new) in &pair.inside {
                let owner = owner.as_ref().map(|owner| joined(owner, step));
                waiting.push_back((old.clone(), new.clone(), joined(&inside, step), owner, depth + 1));
            }
        }
        found
    }
}

/// One step further inside.
pub(crate) fn joined(inside: &str, step: &str) -> String {
    if inside.is_empty() || step.is_empty() || step.starts_with('[') {
        format!("{inside}{step}")
    } else {
        format!("{inside}.{step}")
    }
}

/// Compares two nodes themselves, and lists what is inside of both.
fn compare<'d>(old: &Shape<'d>, new: &Shape<'d>, way: Way, documents: (&'d Value, &'d Value)) -> Pair<'d> {
    let mut pair = Pair::default();
    let mut add = |kind: Kind, before: Option<String>, after: Option<String>| {
        pair.own.push(Own { kind, step: String::new(), before, after });
    };
    types(old, new, way, &mut add);
    format(old, new, way, &mut add);
    values(old, new, way, &mut add);
    nulls(old, new, way, &mut add);
    if way == Way::Request {
        bounds(old, new, &mut add);
        if old.default != new.default {
            add(Kind::DefaultChanged, old.default.map(Value::to_string), new.default.map(Value::to_string));
        }
    }
    if is_object(old) && is_object(new) {
        further(old, new, way, &mut pair);
        properties(old, new, way, documents, &mut pair);
    }
    if let (Some(old), Some(new)) = (&old.items, &new.items) {
        pair.inside.push(("[]".to_owned(), old.clone(), new.clone()));
    }
    pair
}

fn is_object(shape: &Shape<'_>) -> bool {
    shape.types.is_empty() || shape.types.contains("object")
}

type Add<'a> = dyn FnMut(Kind, Option<String>, Option<String>) + 'a;

/// Whether everything of the types `some` is also of `others`; no types at all are any.
fn within(some: &BTreeSet<&str>, others: &BTreeSet<&str>) -> bool {
    let one = |of: &&str| others.contains(of) || *of == "integer" && others.contains("number");
    others.is_empty() || !some.is_empty() && some.iter().all(one)
}

fn types(old: &Shape<'_>, new: &Shape<'_>, way: Way, add: &mut Add<'_>) {
    if old.types == new.types {
        return;
    }
    let shown = |types: &BTreeSet<&str>| {
        let words: Vec<&str> = types.iter().copied().collect();
        Some(if words.is_empty() { "any".to_owned() } else { words.join(" or ") })
    };
    let kind = match way {
        Way::Request if within(&old.types, &new.types) => Kind::TypeWidened,
        Way::Request => Kind::TypeChanged,
        Way::Answer if within(&new.types, &old.types) => Kind::AnswerTypeNarrowed,
        Way::Answer => Kind::AnswerTypeChanged,
    };
    add(kind, shown(&old.types), shown(&new.types));
}

/// Whether everything in the notation `some` is also in `other`.
fn is_within_format(some: Option<&str>, other: Option<&str>) -> bool {
    some == other
        || other.is_none()
        || matches!((some, other), (Some("int32"), Some("int64")) | (Some("float"), Some("double")))
}

fn format(old: &Shape<'_>, new: &Shape<'_>, way: Way, add: &mut Add<'_>) {
    if old.format == new.format || old.types != new.types {
        return;
    }
    let kind = match way {
        Way::Request if is_within_format(old.format, new.format) => Kind::FormatWidened,
        Way::Request => Kind::FormatChanged,
        Way::Answer if is_within_format(new.format, old.format) => Kind::AnswerFormatStated,
        Way::Answer => Kind::AnswerFormatChanged,
    };
    add(kind, old.format.map(str::to_owned), new.format.map(str::to_owned));
}

fn values(old: &Shape<'_>, new: &Shape<'_>, way: Way, add: &mut Add<'_>) {
    let shown = |values: &[&Value]| {
        let words: Vec<String> = values.iter().map(|value| shown(value)).collect();
        Some(words.join(", "))
    };
    let (narrowed, widened) = match way {
        Way::Request => (Kind::EnumNarrowed, Kind::EnumWidened),
        Way::Answer => (Kind::AnswerEnumNarrowed, Kind::AnswerEnumWidened),
    };
    match (&old.values, &new.values) {
        (Some(before), Some(after)) => {
            // null is a matter of `nullable`.
            let beyond = |some: &[&'_ Value], others: &[&Value]| -> bool {
                some.iter().any(|value| !value.is_null() && !others.contains(value))
            };
            let lost: Vec<&Value> =
                before.iter().copied().filter(|value| !value.is_null() && !after.contains(value)).collect();
            let gained: Vec<&Value> =
                after.iter().copied().filter(|value| !value.is_null() && !before.contains(value)).collect();
            if beyond(before, after) {
                add(narrowed, shown(&lost), None);
            }
            if beyond(after, before) {
                add(widened, None, shown(&gained));
            }
        }
        (None, Some(after)) => add(narrowed, Some("any value".to_owned()), shown(after)),
        (Some(before), None) => add(widened, shown(before), Some("any value".to_owned())),
        (None, None) => {}
    }
}

/// A value in a report, without the quotes of a text.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn nulls(old: &Shape<'_>, new: &Shape<'_>, way: Way, add: &mut Add<'_>) {
    let kind = match (way, old.nullable, new.nullable) {
        (Way::Request, true, false) => Kind::NullRefused,
        (Way::Request, false, true) => Kind::NullTaken,
        (Way::Answer, false, true) => Kind::AnswerNullable,
        (Way::Answer, true, false) => Kind::AnswerNotNullable,
        _ => return,
    };
    add(kind, None, None);
}

fn bounds(old: &Shape<'_>, new: &Shape<'_>, add: &mut Add<'_>) {
    for (index, (key, upper)) in BOUNDS.into_iter().enumerate() {
        let (before, after) = (&old.bounds[index], &new.bounds[index]);
        if before == after {
            continue;
        }
        let narrowed = match (before, after) {
            (None, Some(_)) => true,
            (Some(before), Some(after)) => is_narrower(before, after, upper),
            _ => false,
        };
        let shown = |bound: &Option<Bound>| {
            let bound = bound.as_ref()?;
            Some(format!("{key} {}{}", bound.number, if bound.exclusive { ", exclusive" } else { "" }))
        };
        add(if narrowed { Kind::BoundsNarrowed } else { Kind::BoundsWidened }, shown(before), shown(after));
    }
    if old.pattern != new.pattern {
        let kind = if new.pattern.is_some() { Kind::BoundsNarrowed } else { Kind::BoundsWidened };
        let shown = |pattern: Option<&str>| pattern.map(|pattern| format!("pattern {pattern}"));
        add(kind, shown(old.pattern), shown(new.pattern));
    }
}

fn is_narrower(before: &Bound, after: &Bound, upper: bool) -> bool {
    let number = |bound: &Bound| bound.number.as_f64().unwrap_or_default();
    let (was, is) = (number(before), number(after));
    match was.partial_cmp(&is) {
        Some(std::cmp::Ordering::Equal) | None => after.exclusive,
        Some(std::cmp::Ordering::Less) => !upper,
        Some(std::cmp::Ordering::Greater) => upper,
    }
}

fn further<'d>(old: &Shape<'d>, new: &Shape<'d>, way: Way, pair: &mut Pair<'d>) {
    if let (Some(Further::Of(old)), Some(Further::Of(new))) = (&old.further, &new.further) {
        pair.inside.push(("*".to_owned(), old.clone(), new.clone()));
    }
    let kind = match (way, old.is_open(), new.is_open()) {
        (Way::Request, true, false) => Kind::FurtherClosed,
        (Way::Request, false, true) => Kind::FurtherOpened,
        _ => return,
    };
    pair.own.push(Own { kind, step: String::new(), before: None, after: None });
}

/// The properties that a value of this way has: what is read-only is never sent, and the reverse.
fn sent<'a, 'd>(shape: &'a Shape<'d>, way: Way, document: &'d Value) -> Vec<(&'a Property<'d>, Shape<'d>)> {
    let properties = shape.properties.iter().map(|property| (property, property.node.shape(document)));
    properties
        .filter(|(_, shape)| match way {
            Way::Request => !shape.read_only,
            Way::Answer => !shape.write_only,
        })
        .collect()
}

fn properties<'d>(old: &Shape<'d>, new: &Shape<'d>, way: Way, documents: (&'d Value, &'d Value), pair: &mut Pair<'d>) {
    let (before, after) = (sent(old, way, documents.0), sent(new, way, documents.1));
    let candidates = |of: &[(&Property<'d>, Shape<'d>)]| -> Vec<Candidate> {
        let one =
            |(at, (property, shape)): (usize, &(&Property<'d>, Shape<'d>))| Candidate::new(property.name, at, shape);
        of.iter().enumerate().map(one).collect()
    };
    let pairs = pair_up(&candidates(&before), &candidates(&after));
    let kinds = PropertyKinds::of(way);
    for (index, (property, shape)) in before.iter().enumerate() {
        let step = property.name.to_owned();
        let mut add = |kind, before, after| pair.own.push(Own { kind, step: step.clone(), before, after });
        let Some((other, now)) = pairs[index].map(|at| &after[at]) else {
            add(kinds.removed, Some(type_shown(shape)), None);
            continue;
        };
        if other.name != property.name {
            add(kinds.renamed, Some(property.name.to_owned()), Some(other.name.to_owned()));
        }
        match (property.required, other.required) {
            (false, true) => add(kinds.required, None, None),
            (true, false) => add(kinds.optional, None, None),
            _ => {}
        }
        if !shape.deprecated && now.deprecated {
            add(kinds.deprecated, None, None);
        }
        pair.inside.push((step, property.node.clone(), other.node.clone()));
    }
    for (at, (property, shape)) in after.iter().enumerate() {
        if !pairs.contains(&Some(at)) {
            let kind = if property.required { kinds.added_required } else { kinds.added };
            pair.own.push(Own { kind, step: property.name.to_owned(), before: None, after: Some(type_shown(shape)) });
        }
    }
}

/// For each of `before` the one of `after` that it became: of the same name, or recognised.
fn pair_up(before: &[Candidate], after: &[Candidate]) -> Vec<Option<usize>> {
    pair(before, after)
}

/// A type in a few words: `list of text`.
pub(crate) fn type_shown(shape: &Shape<'_>) -> String {
    let types: Vec<&str> = shape.types.iter().copied().collect();
    let mut text = if types.is_empty() { "any".to_owned() } else { types.join(" or ") };
    if let Some(format) = shape.format {
        text = format!("{text} ({format})");
    }
    text
}

/// The kinds of what can happen to a property.
struct PropertyKinds {
    removed: Kind,
    renamed: Kind,
    required: Kind,
    optional: Kind,
    deprecated: Kind,
    added: Kind,
    added_required: Kind,
}

impl PropertyKinds {
    fn of(way: Way) -> Self {
        match way {
            Way::Request => Self {
                removed: Kind::PropertyRemoved,
                renamed: Kind::PropertyRenamed,
                required: Kind::PropertyRequired,
                optional: Kind::PropertyOptional,
                deprecated: Kind::PropertyDeprecated,
                added: Kind::PropertyAdded,
                added_required: Kind::PropertyAddedRequired,
            },
            Way::Answer => Self {
                removed: Kind::AnswerFieldRemoved,
                renamed: Kind::AnswerFieldRenamed,
                required: Kind::AnswerFieldRequired,
                optional: Kind::AnswerFieldOptional,
                deprecated: Kind::AnswerFieldDeprecated,
                added: Kind::AnswerFieldAdded,
                added_required: Kind::AnswerFieldAdded,
            },
        }
    }
}

//! A schema of ours and the vendor's → edits. What ours states is found where it stands: in the node, in a
//! component that it refers to, or in a part of it.

mod properties;

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use super::gate::Gate;
use super::merge::Merge;
use crate::convert::grammar::Role;
use crate::diff::change::Place;
use crate::diff::renames::Candidate;
use crate::diff::schemas::{Found, Schemas, Way, joined};
use crate::diff::shape::{BOUNDS, Further, Node, NodeId, Shape, component_name};
use crate::import::facts;
use toolwright_codegen::read::reference::{escape, reference_of};

/// Deeper parts of compositions than these are a circle.
const DEEPEST: usize = 16;

/// Two schemas that are merged, and where they are.
struct Step<'d> {
    /// Where ours stands; several places where parts of a composition state it together.
    ours: Vec<String>,
    old: Node<'d>,
    new: Node<'d>,
    inside: String,
    owner: Option<String>,
    depth: usize,
}

impl<'d> Merge<'d> {
    /// Merges two schemas and all that they reach.
    pub(super) fn schema(
        &mut self,
        operation: &str,
        ours: &str,
        new: Node<'d>,
        way: Way,
        place: &dyn Fn(String) -> Place,
    ) {
        let mut seen: BTreeSet<(NodeId, NodeId)> = BTreeSet::new();
        let root = Node::new(self.value(ours));
        let mut waiting = VecDeque::from([Step {
            ours: vec![ours.to_owned()],
            old: root,
            new,
            inside: String::new(),
            owner: None,
            depth: 0,
        }]);
        while let Some(step) = waiting.pop_front() {
            if step.depth > 40 || !seen.insert((step.old.id(self.ours), step.new.id(self.new))) {
                continue;
            }
            if let [ours] = step.ours.as_slice()
                && self.replace(operation, ours, &step, way, place)
            {
                continue;
            }
            let owner = step.old.component().or_else(|| step.new.component()).or(step.owner.clone());
            let (old, now) = (step.old.shape(self.ours), step.new.shape(self.new));
            let ours = step.ours.iter().map(|ours| self.target(ours)).collect();
            let here = Step { ours, owner, ..step };
            let allowed = |gate: &Gate, inside: &str| {
                let shared = here.owner.as_ref().map(|owner| joined(owner, inside));
                gate.allows(operation, &place(joined(&here.inside, inside)), shared.as_deref())
            };
            if allowed(self.gate, "") {
                self.scalars(&here.ours, &old, &now, way);
            }
            let touches = |gate: &Gate| gate.touches(operation, &place(here.inside.clone()));
            if self.alternatives(&here, &mut waiting, &touches) {
                continue;
            }
            self.properties(&here, &old, &now, &allowed, &mut waiting);
            let inner = |step: &str, ours: String, old: &Node<'d>, new: &Node<'d>| Step {
                ours: vec![ours],
                old: old.clone(),
                new: new.clone(),
                inside: joined(&here.inside, step),
                owner: here.owner.as_ref().map(|owner| joined(owner, step)),
                depth: here.depth + 1,
            };
            if let (Some(old), Some(new)) = (&old.items, &now.items) {
                waiting.push_back(inner("[]", format!("{}/items", self.holder(&here.ours, "items")), old, new));
            }
            if let (Some(Further::Of(old)), Some(Further::Of(new))) = (&old.further, &now.further) {
                let ours = format!("{}/additionalProperties", self.holder(&here.ours, "additionalProperties"));
                waiting.push_back(inner("*", ours, old, new));
            }
        }
    }

    /// Writes the vendor's schema in place of ours where they are put together in other ways; whether nothing
    /// is left to compare.
    fn replace(
        &mut self,
        operation: &str,
        ours: &str,
        step: &Step<'d>,
        way: Way,
        place: &dyn Fn(String) -> Place,
    ) -> bool {
        let target = self.target(ours);
        let is_apart = self.is_apart(ours, &step.new);
        if !is_apart && !self.is_composed_otherwise(&target, &step.new) {
            return false;
        }
        let found = Schemas::new(self.ours, self.new).compare(step.old.clone(), step.new.clone(), way);
        let is_allowed = |one: &Found| {
            let place = place(joined(&step.inside, &one.inside));
            self.gate.allows(operation, &place, one.shared.as_deref())
        };
        // What is written in place at the vendor's is written in place here: a component may be a part of it.
        let is_in_place = step.new.reference().is_none() && reference_of(self.value(ours)).is_some();
        match found.iter().any(is_allowed) {
            true if is_apart || is_in_place => self.set(ours, step.new.facts(), Role::Schema),
            true => self.rewrite(&target, &step.new),
            false => return is_apart,
        }
        true
    }

    /// Whether our place shares a component with others that the vendor's place does not share: it gets a schema
    /// of its own, unless words of ours would be lost.
    fn is_apart(&self, ours: &str, new: &Node<'d>) -> bool {
        let Some(mine) = reference_of(self.value(ours)) else { return false };
        let theirs = new.reference().map(|reference| self.our_reference(reference));
        let target = self.target(ours);
        theirs.as_deref() != Some(mine)
            && self.uses.get(mine).is_some_and(|uses| *uses > 1)
            && (!has_words(self.value(&target)) || self.gate.is_frozen(&target))
    }

    /// A reference of the vendor's as ours would write it.
    fn our_reference(&self, reference: &str) -> String {
        match reference
            .strip_prefix("#/components/schemas/")
            .and_then(|name| self.names.get(&name.replace("~1", "/").replace("~0", "~")))
        {
            Some(name) => format!("#/components/schemas/{}", escape(name)),
            None => reference.to_owned(),
        }
    }

    /// Whether our node is made of parts, and of other ones than the vendor's.
    fn is_composed_otherwise(&self, pointer: &str, new: &Node<'d>) -> bool {
        const COMPOSITIONS: [&str; 3] = ["allOf", "oneOf", "anyOf"];
        let parts = |value: &Value, is_ours: bool| -> Vec<Vec<String>> {
            let name = |part: &Value| match reference_of(part) {
                Some(reference) if is_ours => reference.to_owned(),
                Some(reference) => self.our_reference(reference),
                None => String::new(),
            };
            let list = |key| value.get(key).and_then(Value::as_array).into_iter().flatten().map(name).collect();
            COMPOSITIONS.into_iter().map(list).collect()
        };
        let mine = parts(self.value(pointer), true);
        if mine.iter().all(Vec::is_empty) {
            return false;
        }
        let theirs = new.single(self.new).map(|new| parts(new, false)).unwrap_or_default();
        // Alternatives that come and go are merged one by one.
        let is_list_of_both =
            |index: usize| !mine[index].is_empty() && theirs.get(index).is_some_and(|list| !list.is_empty());
        mine != theirs && !((1..3).any(is_list_of_both) && Some(&mine[0]) == theirs.first())
    }

    /// Writes the vendor's keywords in place of ours; what we say of the node itself stays.
    fn rewrite(&mut self, pointer: &str, new: &Node<'d>) {
        let new = match new.single(self.new) {
            Some(new) => new.clone(),
            None => new.facts(),
        };
        let inner = |key: &str| !matches!(key, "description" | "example");
        let words = self.value(pointer).as_object().into_iter().flatten().filter(|(key, _)| inner(key));
        if words.into_iter().any(|(_, value)| has_words(value)) {
            return self.conflict(pointer, "it is made of other parts now, and ours have texts");
        }
        for key in facts::keys(Role::Schema).iter().filter(|key| inner(key)) {
            let (mine, theirs) = (self.value(pointer).get(*key), new.get(*key));
            if mine != theirs {
                self.set_or_remove(&format!("{pointer}/{key}"), theirs.cloned(), Role::Schema);
            }
        }
    }

    /// The place that states a keyword: the node, or the part of its `allOf` that does.
    fn holder(&self, places: &[String], key: &str) -> String {
        let mut parts = places.iter().flat_map(|place| self.parts(place, 0));
        let stating = parts.find(|part| self.value(part).get(key).is_some());
        stating.or_else(|| places.first().cloned()).unwrap_or_default()
    }

    /// The node and, with references followed, the parts of its compositions.
    fn parts(&self, pointer: &str, depth: usize) -> Vec<String> {
        let mut parts = vec![pointer.to_owned()];
        if depth < DEEPEST {
            for key in ["allOf", "oneOf", "anyOf"] {
                let count = self.value(pointer).get(key).and_then(Value::as_array).map_or(0, Vec::len);
                for index in 0..count {
                    parts.extend(self.parts(&self.target(&format!("{pointer}/{key}/{index}")), depth + 1));
                }
            }
        }
        parts
    }

    fn scalars(&mut self, places: &[String], old: &Shape<'_>, new: &Shape<'_>, way: Way) {
        if old.types != new.types {
            self.types(places, old, new);
        }
        if old.format != new.format {
            self.scalar(places, "format", new.format.map(Value::from));
        }
        if old.pattern != new.pattern {
            self.scalar(places, "pattern", new.pattern.map(Value::from));
        }
        if old.nullable != new.nullable {
            self.scalar(places, "nullable", new.nullable.then_some(Value::Bool(true)));
        }
        if old.values != new.values {
            self.values(places, old, new);
        }
        if way == Way::Request && old.default != new.default {
            self.scalar(places, "default", new.default.cloned());
        }
        for (index, (key, _)) in BOUNDS.into_iter().enumerate() {
            let (before, after) = (&old.bounds[index], &new.bounds[index]);
            if before == after {
                continue;
            }
            self.scalar(places, key, after.as_ref().map(|bound| Value::Number(bound.number.clone())));
            let mark = match key {
                "minimum" => "exclusiveMinimum",
                "maximum" => "exclusiveMaximum",
                _ => continue,
            };
            self.scalar(places, mark, after.as_ref().filter(|bound| bound.exclusive).map(|_| Value::Bool(true)));
        }
        if old.is_open() != new.is_open() {
            self.scalar(places, "additionalProperties", (!new.is_open()).then_some(Value::Bool(false)));
        }
    }

    fn scalar(&mut self, places: &[String], key: &str, value: Option<Value>) {
        let at = format!("{}/{key}", self.holder(places, key));
        self.set_or_remove(&at, value, Role::Schema);
    }

    /// Another type: what belonged to the old one goes, what belongs to the new one comes.
    fn types(&mut self, places: &[String], old: &Shape<'_>, new: &Shape<'_>) {
        let types: Vec<&str> = new.types.iter().copied().collect();
        let ["array" | "boolean" | "integer" | "number" | "object" | "string"] = types.as_slice() else {
            if !types.is_empty() {
                return self
                    .conflict(&places[0], &format!("it holds values of several types now: {}", types.join(", ")));
            }
            return self.scalar(places, "type", None);
        };
        self.scalar(places, "type", Some(Value::from(types[0])));
        if types[0] != "object" && old.types.contains("object") {
            for key in ["properties", "required", "additionalProperties"] {
                self.scalar(places, key, None);
            }
        }
        if types[0] == "array" && old.items.is_none() {
            let items = new.items.as_ref().map_or_else(|| json!({}), Node::facts);
            self.scalar(places, "items", Some(items));
        } else if types[0] != "array" && old.items.is_some() {
            self.scalar(places, "items", None);
        }
        if types[0] == "object" && old.properties.is_empty() && !new.properties.is_empty() {
            let properties: Map<String, Value> =
                new.properties.iter().map(|property| (property.name.to_owned(), property.node.facts())).collect();
            self.scalar(places, "properties", Some(Value::Object(properties)));
            let required: Vec<Value> =
                new.properties.iter().filter(|p| p.required).map(|p| Value::from(p.name)).collect();
            if !required.is_empty() {
                self.scalar(places, "required", Some(Value::Array(required)));
            }
        }
    }

    /// The values of an `enum`: order and place of those that stay are ours.
    fn values(&mut self, places: &[String], old: &Shape<'_>, new: &Shape<'_>) {
        let holder = self.holder(places, "enum");
        let (Some(Value::Array(mine)), Some(before), Some(after)) =
            (self.value(&holder).get("enum"), &old.values, &new.values)
        else {
            let values = new.values.as_ref().map(|values| values.iter().map(|value| (*value).clone()).collect());
            return self.scalar(places, "enum", values);
        };
        if after.is_empty() {
            return;
        }
        for (index, _) in mine.iter().enumerate().filter(|(_, value)| !after.contains(value)) {
            self.remove(&format!("{holder}/enum/{index}"));
        }
        for value in after.iter().filter(|value| !before.contains(value)) {
            self.push(&format!("{holder}/enum"), (*value).clone());
        }
    }

    /// Pairs the alternatives of two nodes; whether both have some.
    fn alternatives(
        &mut self,
        here: &Step<'d>,
        waiting: &mut VecDeque<Step<'d>>,
        allowed: &dyn Fn(&Gate) -> bool,
    ) -> bool {
        let (Some(theirs), [ours]) = (here.new.single(self.new), here.ours.as_slice()) else { return false };
        let list =
            |value: &'d Value, key: &str| value.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
        let Some((key, mine, theirs)) = ["oneOf", "anyOf"]
            .into_iter()
            .find_map(|key| Some((key, list(self.value(ours), key)?, list(theirs, key)?)))
        else {
            return false;
        };
        let named = component_name;
        let mut taken = BTreeSet::new();
        for (index, one) in mine.iter().enumerate() {
            let pointer = format!("{ours}/{key}/{index}");
            let same_name = |other: &Value| {
                let name = named(other);
                let ours = name.as_ref().map(|name| self.names.get(name).unwrap_or(name).clone());
                ours.is_some() && ours == named(one)
            };
            let by_name = theirs.iter().position(same_name);
            let by_place = || (mine.len() == theirs.len() && named(one).is_none()).then_some(index);
            let kind = |value: &'d Value, document: &'d Value| Candidate::new("", 0, &Node::new(value).shape(document));
            let by_kind = || {
                let mine = named(one).is_none().then(|| kind(one, self.ours))?;
                theirs.iter().position(|other| named(other).is_none() && kind(other, self.new) == mine)
            };
            match by_name.or_else(by_place).or_else(by_kind).filter(|at| taken.insert(*at)) {
                Some(at) => waiting.push_back(Step {
                    ours: vec![pointer],
                    old: Node::new(one),
                    new: Node::new(&theirs[at]),
                    inside: here.inside.clone(),
                    owner: here.owner.clone(),
                    depth: here.depth + 1,
                }),
                None if allowed(self.gate) => self.remove(&pointer),
                None => {}
            }
        }
        for (_, other) in theirs.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
            if allowed(self.gate) {
                self.push(&format!("{ours}/{key}"), other.clone());
            }
        }
        true
    }
}

/// Whether a person wrote a text somewhere in it.
fn has_words(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().any(|(key, entry)| match entry {
            Value::String(text) => key == "description" && !text.is_empty(),
            entry => has_words(entry),
        }),
        Value::Array(items) => items.iter().any(has_words),
        _ => false,
    }
}

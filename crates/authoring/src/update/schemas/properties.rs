//! The properties of a schema of ours and those of the vendor's → edits, and the schemas of those that are on both sides.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::Step;
use crate::convert::grammar::Role;
use crate::diff::renames::{Candidate, pair};
use crate::diff::schemas::joined;
use crate::diff::shape::{Property, Shape};
use crate::update::gate::Gate;
use crate::update::merge::Merge;
use toolwright_codegen::read::reference::escape;

impl<'d> Merge<'d> {
    pub(super) fn properties(
        &mut self,
        here: &Step<'d>,
        old: &Shape<'d>,
        new: &Shape<'d>,
        allowed: &dyn Fn(&Gate, &str) -> bool,
        waiting: &mut VecDeque<Step<'d>>,
    ) {
        let candidates = |shape: &Shape<'d>, document: &'d Value| -> Vec<Candidate> {
            let one = |(at, property): (usize, &Property<'d>)| {
                Candidate::new(property.name, at, &property.node.shape(document))
            };
            shape.properties.iter().enumerate().map(one).collect()
        };
        let pairs = pair(&candidates(old, self.ours), &candidates(new, self.new));
        let mut required: Vec<(&str, Option<&str>)> = Vec::new();
        for (index, property) in old.properties.iter().enumerate() {
            let holders = self.holders(&here.ours, property.name);
            let is_allowed = allowed(self.gate, property.name);
            let Some(other) = pairs[index].map(|at| &new.properties[at]) else {
                if is_allowed {
                    for place in inside(&holders, property.name) {
                        self.remove(&place);
                    }
                    required.push((property.name, None));
                }
                continue;
            };
            if is_allowed {
                if other.name != property.name {
                    for place in inside(&holders, property.name) {
                        self.rename(&place, other.name);
                    }
                }
                if other.name != property.name || other.required != property.required {
                    required.push((property.name, other.required.then_some(other.name)));
                }
                self.marks(&holders, property, other);
            }
            if !holders.is_empty() {
                waiting.push_back(Step {
                    ours: inside(&holders, property.name),
                    old: property.node.clone(),
                    new: other.node.clone(),
                    inside: joined(&here.inside, property.name),
                    owner: here.owner.as_ref().map(|owner| joined(owner, property.name)),
                    depth: here.depth + 1,
                });
            }
        }
        let mut added = Map::new();
        for (_, property) in new.properties.iter().enumerate().filter(|(at, _)| !pairs.contains(&Some(*at))) {
            if allowed(self.gate, property.name) {
                added.insert(property.name.to_owned(), property.node.facts());
                if property.required {
                    required.push(("", Some(property.name)));
                }
            }
        }
        let home = self.home(&here.ours);
        self.required(&here.ours, &home, &required);
        let list = format!("{home}/properties");
        if added.is_empty() {
        } else if self.editor.has(&list) {
            for (name, value) in added {
                self.add(&list, &name, value);
            }
        } else {
            self.set(&list, Value::Object(added), Role::Schema);
        }
    }

    /// Marks of a property: what is only read, only written, or deprecated.
    fn marks(&mut self, holders: &[String], old: &Property<'d>, new: &Property<'d>) {
        let places: Vec<String> = inside(holders, old.name).iter().map(|place| self.target(place)).collect();
        let (old, new) = (old.node.shape(self.ours), new.node.shape(self.new));
        for (key, was, is) in [
            ("readOnly", old.read_only, new.read_only),
            ("writeOnly", old.write_only, new.write_only),
            ("deprecated", old.deprecated, new.deprecated),
        ] {
            if was != is {
                self.scalar(&places, key, is.then_some(Value::Bool(true)));
            }
        }
    }

    /// The parts that describe a property of this name.
    fn holders(&self, places: &[String], name: &str) -> Vec<String> {
        let has =
            |part: &String| self.value(part).get("properties").is_some_and(|properties| properties.get(name).is_some());
        let mut holders: Vec<String> = places.iter().flat_map(|place| self.parts(place, 0)).filter(has).collect();
        // What stands here before what is shared with others.
        holders.sort_by_key(|holder| !places.iter().any(|place| holder.starts_with(place)));
        holders
    }

    /// The part to which properties are added: the node itself, or the part that is written in it.
    fn home(&self, places: &[String]) -> String {
        let pointer = places.first().map_or("", String::as_str);
        let parts: Vec<String> = places.iter().flat_map(|place| self.parts(place, 0)).collect();
        let inside = parts.iter().filter(|part| places.iter().any(|place| part.starts_with(place)));
        let own: Vec<&String> = inside.collect();
        own.iter()
            .find(|part| self.value(part).get("properties").is_some())
            .or(own.first())
            .map_or(pointer.to_owned(), |part| (*part).clone())
    }

    /// Changes lists of required names: `(name before, name after)`; an empty name is new.
    fn required(&mut self, places: &[String], home: &str, changes: &[(&str, Option<&str>)]) {
        let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for part in places.iter().flat_map(|place| self.parts(place, 0)) {
            if let Some(list) = self.value(&part).get("required").and_then(Value::as_array) {
                lists.insert(part, list.clone());
            }
        }
        let before = lists.clone();
        for (old, new) in changes {
            for list in lists.values_mut() {
                match (list.iter().position(|name| name.as_str() == Some(old)), new) {
                    (Some(at), Some(new)) => list[at] = Value::from(*new),
                    (Some(at), None) => drop(list.remove(at)),
                    (None, _) => {}
                }
            }
            if let Some(new) = new
                && !lists.values().flatten().any(|name| name.as_str() == Some(new))
            {
                lists.entry(home.to_owned()).or_default().push(Value::from(*new));
            }
        }
        for (part, list) in lists {
            if before.get(&part) != Some(&list) {
                let value = (!list.is_empty()).then_some(Value::Array(list));
                self.set_or_remove(&format!("{part}/required"), value, Role::Schema);
            }
        }
    }
}

/// Where a property is described.
fn inside(holders: &[String], name: &str) -> Vec<String> {
    holders.iter().map(|holder| format!("{holder}/properties/{}", escape(name))).collect()
}

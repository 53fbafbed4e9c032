//! Our description, the vendor's facts and the changes between them → edits of our text: references
//! followed, components named as ours are, and what must stay left alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::editor::Editor;
use super::gate::Gate;
use crate::convert::grammar::Role;
use crate::import::facts;
use toolwright_codegen::read::reference::{escape, pointer_of, reference_of};

/// Deeper parts and references than these are a circle.
const DEEPEST: usize = 16;

/// Edits of one description.
pub(super) struct Merge<'d> {
    pub(super) ours: &'d Value,
    /// The vendor's facts.
    pub(super) new: &'d Value,
    pub(super) editor: Editor,
    pub(super) gate: &'d Gate,
    /// Where no conflict is marked: a later pass solves it.
    settled: &'d BTreeSet<String>,
    /// How ours are called that the vendor calls otherwise: `UserDTO` → `User`; schemas only.
    pub(super) names: BTreeMap<String, String>,
    /// How often our description refers to each place.
    pub(super) uses: BTreeMap<String, usize>,
    /// Paths that are new.
    paths: BTreeMap<String, Map<String, Value>>,
    /// Components that come with what is added, by section and name.
    components: BTreeMap<(String, String), Value>,
    /// What is not taken over: pointer → what a person has to decide.
    pub(super) conflicts: BTreeMap<String, String>,
    /// The components that were changed.
    pub(super) touched: BTreeSet<String>,
}

impl<'d> Merge<'d> {
    pub(super) fn new(
        (ours, new): (&'d Value, &'d Value),
        names: BTreeMap<String, String>,
        editor: Editor,
        (gate, settled): (&'d Gate, &'d BTreeSet<String>),
    ) -> Self {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        crate::convert::grammar::references(&mut ours.clone(), &mut |reference| {
            *uses.entry(reference.clone()).or_default() += 1;
        });
        Self {
            uses,
            ours,
            new,
            editor,
            gate,
            settled,
            names,
            paths: BTreeMap::new(),
            components: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Follows references of ours from a pointer to the place of the thing itself.
    pub(super) fn target(&self, pointer: &str) -> String {
        let mut here = pointer.to_owned();
        for _ in 0..DEEPEST {
            let reference = self.ours.pointer(&here).and_then(reference_of).and_then(pointer_of);
            match reference.filter(|target| self.ours.pointer(target).is_some()) {
                Some(target) => here = target.into_owned(),
                None => break,
            }
        }
        here
    }

    pub(super) fn value(&self, pointer: &str) -> &'d Value {
        static NOTHING: Value = Value::Null;
        self.ours.pointer(pointer).unwrap_or(&NOTHING)
    }

    /// Marks that a person has to decide about a place.
    pub(super) fn conflict(&mut self, pointer: &str, what: &str) {
        if self.settled.contains(pointer) {
            return;
        }
        self.conflicts.insert(pointer.to_owned(), what.to_owned());
        self.editor.comment(pointer, &format!("CONFLICT with the vendor: {what}"));
    }

    /// Whether a place can be edited; a component that stays is a conflict.
    fn can_edit(&mut self, pointer: &str) -> bool {
        if self.gate.is_frozen(pointer) {
            let component = component_pointer(pointer).unwrap_or_else(|| pointer.to_owned());
            self.conflict(
                &component,
                "what changed for some of the operations that share this did not change for others",
            );
            return false;
        }
        self.touched.extend(component_pointer(pointer));
        true
    }

    pub(super) fn set(&mut self, pointer: &str, value: Value, role: Role) {
        if self.can_edit(pointer) {
            let value = self.with_components(value);
            self.editor.set(pointer, value, facts::keys(role));
        }
    }

    pub(super) fn remove(&mut self, pointer: &str) {
        if self.editor.has(pointer) && self.can_edit(pointer) {
            self.editor.remove(pointer);
        }
    }

    pub(super) fn rename(&mut self, pointer: &str, key: &str) {
        if self.can_edit(pointer) {
            self.editor.rename(pointer, key);
        }
    }

    pub(super) fn add(&mut self, pointer: &str, key: &str, value: Value) {
        if self.can_edit(pointer) {
            let value = self.with_components(value);
            self.editor.add(pointer, key, value);
        }
    }

    pub(super) fn push(&mut self, pointer: &str, value: Value) {
        if self.can_edit(pointer) {
            let value = self.with_components(value);
            self.editor.push(pointer, value);
        }
    }

    /// Adds an operation at a path that we don't have; several may come to one.
    pub(super) fn add_path(&mut self, path: &str, method: &str, operation: Value) {
        let operation = self.with_components(operation);
        self.paths.entry(path.to_owned()).or_default().insert(method.to_owned(), operation);
    }

    /// Writes `value`, or takes the key away where there is none.
    pub(super) fn set_or_remove(&mut self, pointer: &str, value: Option<Value>, role: Role) {
        match value {
            Some(value) => self.set(pointer, value, role),
            None => self.remove(pointer),
        }
    }

    /// Gives references the names of our components, and remembers those that we don't have.
    fn with_components(&mut self, mut value: Value) -> Value {
        let mut found = Vec::new();
        crate::convert::grammar::references(&mut value, &mut |reference| {
            let Some((section, name)) = reference.strip_prefix("#/components/").and_then(|rest| rest.split_once('/'))
            else {
                return;
            };
            let name = name.replace("~1", "/").replace("~0", "~");
            let ours = self.our_name(section, &name);
            if self.ours.pointer(&format!("/components/{section}/{}", escape(&ours))).is_none() {
                found.push((section.to_owned(), name, ours.clone()));
            }
            *reference = format!("#/components/{section}/{}", escape(&ours));
        });
        for (section, theirs, ours) in found {
            if self.components.contains_key(&(section.clone(), ours.clone())) {
                continue;
            }
            let pointer = format!("/components/{section}/{}", escape(&theirs));
            let component = self.new.pointer(&pointer).cloned().unwrap_or_else(|| json!({}));
            self.components.insert((section.clone(), ours.clone()), Value::Null);
            let component = self.with_components(component);
            self.components.insert((section, ours), component);
        }
        value
    }

    /// What a component of the vendor's is called in our file. One that has no counterpart keeps its name,
    /// unless that means something else here: names that were made for parts of others are only numbers.
    fn our_name(&self, section: &str, name: &str) -> String {
        if section == "schemas"
            && let Some(ours) = self.names.get(name)
        {
            return ours.clone();
        }
        let is_taken = |name: &str| self.ours.pointer(&format!("/components/{section}/{}", escape(name))).is_some();
        if !name.starts_with(facts::SHARED) || !is_taken(name) {
            return name.to_owned();
        }
        (2..u32::MAX).map(|number| format!("{name}_{number}")).find(|name| !is_taken(name)).unwrap_or_default()
    }

    /// Adds a component that nothing refers to by `$ref`.
    pub(super) fn components_add(&mut self, section: &str, name: &str, value: Value) {
        if self.ours.pointer(&format!("/components/{section}/{}", escape(name))).is_none() {
            self.components.insert((section.to_owned(), name.to_owned()), value);
        }
    }

    /// Writes the new paths, and the components that came with what was added.
    pub(super) fn finish_components(&mut self) {
        for (path, item) in std::mem::take(&mut self.paths) {
            self.editor.add("/paths", &path, Value::Object(item));
        }
        let mut sections: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for ((section, name), value) in std::mem::take(&mut self.components) {
            sections.entry(section).or_default().insert(name, value);
        }
        let has_components = self.editor.has("/components");
        let mut all = Map::new();
        for (section, entries) in sections {
            let pointer = format!("/components/{section}");
            if self.editor.has(&pointer) {
                for (name, value) in entries {
                    self.editor.add(&pointer, &name, value);
                }
            } else if has_components {
                self.editor.add("/components", &section, Value::Object(entries));
            } else {
                all.insert(section, Value::Object(entries));
            }
        }
        if !all.is_empty() {
            self.editor.set("/components", Value::Object(all), &[]);
        }
    }
}

/// The component that a pointer leads into.
fn component_pointer(pointer: &str) -> Option<String> {
    let mut steps = pointer.strip_prefix("/components/")?.split('/');
    Some(format!("/components/{}/{}", steps.next()?, steps.next()?))
}

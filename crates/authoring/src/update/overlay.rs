//! The changes of a description → edits of its overlay: targets and names follow, what is gone goes, new
//! operations come unreviewed with a guess in a comment. Everything a person decided stays.

use serde_json::{Map, Value, json};
use serde_json_path::JsonPath;

use super::editor::Editor;
use super::gate::request;
use crate::diff::SameOperation;
use crate::diff::change::{Change, Place};
use crate::diff::kind::Kind;
use crate::diff::ours::OurApi;
use crate::import;
use toolwright_codegen::read::keys::EXTENSION;
use toolwright_codegen::read::paths::{operation_pointer, template_parameters};
use toolwright_codegen::read::reference::escape;

/// Why a new input is left out where only presets or choices offer an operation.
const NEW_INPUT: &str = "New at the vendor; to be reviewed.";

/// An overlay that is edited.
pub(super) struct OverlayEdit<'a> {
    pub(super) api: &'a OurApi,
    /// Our description before the update.
    pub(super) ours: &'a Value,
    pub(super) overlay: &'a Value,
    pub(super) editor: Editor,
    /// What a person has to decide.
    pub(super) conflicts: Vec<String>,
}

/// An action of the overlay on one operation.
struct Action {
    /// The pointer to the action.
    at: String,
    /// Method and path of ours.
    request: String,
}

impl OverlayEdit<'_> {
    /// Follows all changes; `moved` has method and path of each operation before and after.
    pub(super) fn run(&mut self, changes: &[Change], moved: &[SameOperation]) {
        for action in self.actions() {
            let of_action =
                |change: &&Change| change.operation.as_ref().is_some_and(|name| request(name) == action.request);
            let changes: Vec<&Change> = changes.iter().filter(of_action).collect();
            if changes.iter().any(|change| change.kind == Kind::OperationRemoved) {
                self.editor.remove(&action.at);
                continue;
            }
            let now = moved.iter().find(|same| format!("{} {}", same.old.0, same.old.1) == action.request);
            if let Some(SameOperation { old, new }) = now
                && old != new
            {
                self.editor.set_text(&format!("{}/target", action.at), import::target(&new.0, &new.1));
            }
            let keys = format!("{}/update/{EXTENSION}", action.at);
            for change in changes {
                self.change(&keys, change);
            }
        }
        for change in changes.iter().filter(|change| change.kind == Kind::OperationIdChanged) {
            if let (Some(before), Some(after)) = (&change.before, &change.after) {
                self.follow_id(before, after);
            }
        }
    }

    /// The actions that have one operation as their target.
    fn actions(&self) -> Vec<Action> {
        let actions = self.overlay.get("actions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut found = Vec::new();
        for (index, action) in actions.iter().enumerate() {
            let path = action.get("target").and_then(Value::as_str).and_then(|target| JsonPath::parse(target).ok());
            let Some(path) = path else { continue };
            let pointers: Vec<String> = path
                .query_located(self.ours)
                .locations()
                .map(serde_json_path::NormalizedPath::to_json_pointer)
                .collect();
            let [pointer] = pointers.as_slice() else { continue };
            for (path, item) in self.ours.get("paths").and_then(Value::as_object).into_iter().flatten() {
                let methods = item.as_object().into_iter().flatten().map(|(method, _)| method);
                for method in methods.filter(|method| operation_pointer(path, method) == *pointer) {
                    found.push(Action {
                        at: format!("/actions/{index}"),
                        request: format!("{} {path}", method.to_uppercase()),
                    });
                }
            }
        }
        found
    }

    fn value(&self, pointer: &str) -> Option<&Value> {
        self.overlay.pointer(pointer)
    }

    /// The blocks of keys that make tools: the operation's own, its presets and its choices.
    fn blocks(&self, keys: &str) -> Vec<String> {
        let mut blocks = vec![keys.to_owned()];
        for list in ["presets", "choices"] {
            let count = self.value(&format!("{keys}/{list}")).and_then(Value::as_array).map_or(0, Vec::len);
            blocks.extend((0..count).map(|index| format!("{keys}/{list}/{index}")));
        }
        blocks
    }

    fn change(&mut self, keys: &str, change: &Change) {
        let name = match &change.place {
            Place::Parameter { location, name, inside } if inside.is_empty() => Some((location.clone(), name.clone())),
            Place::Body { inside } if !inside.is_empty() && !inside.contains(['.', '[']) => {
                Some(("body".to_owned(), inside.clone()))
            }
            _ => None,
        };
        match (change.kind, name) {
            (Kind::PathParameterRenamed, _) => {
                let names = |path: &Option<String>| -> Vec<String> {
                    let names = path.as_deref().and_then(template_parameters).unwrap_or_default();
                    names.into_iter().map(str::to_owned).collect()
                };
                for (old, new) in names(&change.before).into_iter().zip(names(&change.after)) {
                    if old != new {
                        self.rename_argument(keys, change, ("path", &old), &new);
                    }
                }
            }
            (Kind::ParameterRenamed | Kind::PropertyRenamed, Some((location, old))) => {
                if let Some(new) = &change.after {
                    self.rename_argument(keys, change, (&location, &old), new);
                }
            }
            (Kind::ParameterRemoved | Kind::PropertyRemoved, Some((location, name))) => {
                self.remove_argument(keys, &location, &name);
            }
            (
                Kind::ParameterAdded | Kind::ParameterAddedRequired | Kind::PropertyAdded | Kind::PropertyAddedRequired,
                Some((_, name)),
            ) => self.new_input(keys, change, &name),
            (Kind::AnswerFieldRemoved | Kind::AnswerFieldRenamed, _) => self.concise(keys, change),
            (Kind::EnumNarrowed, _) => self.lost_values(keys, change),
            _ => {}
        }
    }

    /// How the overlay may call an argument: by its name, or by place and name.
    fn spellings(location: &str, name: &str) -> [String; 2] {
        [name.to_owned(), format!("{location}:{name}")]
    }

    fn rename_argument(&mut self, keys: &str, change: &Change, (location, old): (&str, &str), new: &str) {
        for block in self.blocks(keys) {
            for spelling in Self::spellings(location, old) {
                let now = if spelling == old { new.to_owned() } else { format!("{location}:{new}") };
                for list in ["only", "needs_one_of"] {
                    for index in self.places_of(&format!("{block}/{list}"), &spelling) {
                        self.editor.set(&format!("{block}/{list}/{index}"), Value::from(now.clone()), &[]);
                    }
                }
                for map in ["arguments", "left_out"] {
                    let at = format!("{block}/{map}/{}", escape(&spelling));
                    if self.value(&at).is_some() {
                        self.editor.rename(&at, &now);
                    }
                }
                for at in self.hints(&block, &spelling) {
                    self.editor.set(&format!("{at}/argument"), Value::from(now.clone()), &[]);
                }
            }
            self.keep_argument_name(&block, keys, change, (location, old), new);
        }
    }

    /// What a model calls the argument is an interface of ours: it stays.
    fn keep_argument_name(
        &mut self,
        block: &str,
        keys: &str,
        change: &Change,
        (location, old): (&str, &str),
        new: &str,
    ) {
        let own = self.value(&format!("{block}/name")).and_then(Value::as_str);
        let hit =
            change.hits.tools.iter().find(|tool| own.is_none() && block == keys || own == Some(tool.name.as_str()));
        let offered = hit.and_then(|tool| {
            let bindings = self
                .api
                .tools
                .iter()
                .find(|known| known.name == tool.name)?
                .calls
                .iter()
                .flat_map(|call| &call.bindings);
            bindings
                .into_iter()
                .find(|binding| binding.place.name() == Some(old))
                .map(|binding| binding.argument.clone())
        });
        let Some(offered) = offered.filter(|offered| offered != new) else { return };
        let list = format!("{block}/arguments");
        let stated = Self::spellings(location, old)
            .into_iter()
            .find(|spelling| self.value(&format!("{list}/{}", escape(spelling))).is_some());
        match stated {
            Some(spelling) => {
                let at = format!("{list}/{}", escape(&spelling));
                if self.value(&format!("{at}/name")).is_none() {
                    self.editor.set(&format!("{at}/name"), Value::from(offered), &[]);
                }
            }
            None if self.value(&list).is_some() => self.editor.add(&list, new, json!({"name": offered})),
            None => self.editor.set(&list, json!({new: {"name": offered}}), &[]),
        }
    }

    fn remove_argument(&mut self, keys: &str, location: &str, name: &str) {
        for block in self.blocks(keys) {
            for spelling in Self::spellings(location, name) {
                for list in ["only", "needs_one_of"] {
                    for index in self.places_of(&format!("{block}/{list}"), &spelling) {
                        self.editor.remove(&format!("{block}/{list}/{index}"));
                    }
                }
                for map in ["arguments", "left_out"] {
                    self.remove_entry(&format!("{block}/{map}"), &spelling);
                }
                for at in self.hints(&block, &spelling) {
                    self.editor.remove(&at);
                }
            }
        }
    }

    /// Removes an entry, and the mapping with it where it is the only one.
    fn remove_entry(&mut self, map: &str, key: &str) {
        let Some(entries) = self.value(map).and_then(Value::as_object) else { return };
        if entries.contains_key(key) {
            let only = entries.len() == 1;
            self.editor.remove(&if only { map.to_owned() } else { format!("{map}/{}", escape(key)) });
        }
    }

    fn places_of(&self, list: &str, text: &str) -> Vec<usize> {
        let items = self.value(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        (0..items.len()).filter(|index| items[*index].as_str() == Some(text)).collect()
    }

    fn hints(&self, block: &str, argument: &str) -> Vec<String> {
        let list = format!("{block}/hints");
        let hints = self.value(&list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let about = |index: &usize| hints[*index].get("argument").and_then(Value::as_str) == Some(argument);
        (0..hints.len()).filter(about).map(|index| format!("{list}/{index}")).collect()
    }

    /// An operation that only its presets and choices offer needs a reason for what they leave out.
    fn new_input(&mut self, keys: &str, change: &Change, name: &str) {
        let narrow = self.value(&format!("{keys}/raw")) == Some(&Value::Bool(false));
        let list = format!("{keys}/left_out");
        if !narrow || self.value(&format!("{list}/{}", escape(name))).is_some() {
            return;
        }
        if self.value(&list).is_some() {
            self.editor.add(&list, name, Value::from(NEW_INPUT));
        } else {
            self.editor.set(&list, json!({name: NEW_INPUT}), &[]);
        }
        if matches!(change.kind, Kind::ParameterAddedRequired | Kind::PropertyAddedRequired) {
            let operation = change.operation.as_ref().map(request).unwrap_or_default();
            self.conflict(&list, &format!("{operation}: `{name}` is required now, and no preset sends it"));
        }
    }

    fn conflict(&mut self, pointer: &str, what: &str) {
        self.editor.comment(pointer, &format!("CONFLICT with the vendor: {what}"));
        self.conflicts.push(what.to_owned());
    }

    /// Entries of `concise` begin at the records, which may lie inside of the answer.
    fn concise(&mut self, keys: &str, change: &Change) {
        const DEEPEST_RECORDS: usize = 3;
        let Place::Answer { inside, .. } = &change.place else { return };
        let way = inside.replace("[]", "");
        let way: Vec<&str> = way.split('.').filter(|step| !step.is_empty()).collect();
        for block in self.blocks(keys) {
            let list = format!("{block}/concise");
            let entries: Vec<String> = self
                .value(&list)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.as_str().map(str::to_owned))
                .collect();
            let mut gone = Vec::new();
            for (index, entry) in entries.iter().enumerate() {
                let steps: Vec<&str> = entry.split('.').collect();
                let from = (0..way.len().min(DEEPEST_RECORDS)).find(|from| steps.starts_with(&way[*from..]));
                let Some(from) = from else { continue };
                match (&change.after, change.kind) {
                    (Some(new), Kind::AnswerFieldRenamed) => {
                        let mut renamed: Vec<&str> = steps.clone();
                        renamed[way.len() - from - 1] = new;
                        self.editor.set(&format!("{list}/{index}"), Value::from(renamed.join(".")), &[]);
                    }
                    _ => gone.push(index),
                }
            }
            if !gone.is_empty() && gone.len() == entries.len() {
                self.editor.remove(&list);
            } else {
                for index in &gone {
                    self.editor.remove(&format!("{list}/{index}"));
                }
            }
        }
    }

    /// Values that are refused now leave the lists of the overlay; where one is sent, a person decides.
    fn lost_values(&mut self, keys: &str, change: &Change) {
        let (location, name) = match &change.place {
            Place::Parameter { location, name, .. } => (location.clone(), name.clone()),
            Place::Body { inside } => {
                ("body".to_owned(), inside.split(['.', '[']).next().unwrap_or_default().to_owned())
            }
            _ => return,
        };
        let lost: Vec<&str> = change.before.as_deref().unwrap_or_default().split(", ").collect();
        let is_lost =
            |value: &Value| lost.contains(&value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str());
        for block in self.blocks(keys) {
            for spelling in Self::spellings(&location, &name) {
                let at = format!("{block}/arguments/{}", escape(&spelling));
                for list in ["enum", "samples"] {
                    let values =
                        self.value(&format!("{at}/{list}")).and_then(Value::as_array).cloned().unwrap_or_default();
                    for (index, _) in values.iter().enumerate().filter(|(_, value)| is_lost(value)) {
                        self.editor.remove(&format!("{at}/{list}/{index}"));
                    }
                }
                for key in ["default", "value"] {
                    if let Some(value) = self.value(&format!("{at}/{key}")).filter(|value| is_lost(value)).cloned() {
                        self.conflict(&format!("{at}/{key}"), &format!("`{name}`: {value} is refused now"));
                    }
                }
            }
        }
    }

    /// Keys that name an operation follow its id.
    fn follow_id(&mut self, before: &str, after: &str) {
        let mut found = Vec::new();
        name_places(self.overlay, &mut String::new(), "", before, &mut found);
        for pointer in found {
            self.editor.set(&pointer, Value::from(after), &[]);
        }
    }
}

/// Where the keys `ask`, `then_ask`, `read_back`, `wait` and `cases` name an operation.
fn name_places(value: &Value, pointer: &mut String, key: &str, id: &str, found: &mut Vec<String>) {
    let length = pointer.len();
    let none = Map::new();
    let named = |name: &str| {
        matches!(name, "ask" | "then_ask" | "read_back") || (key, name) == ("wait", "operation") || key == "cases"
    };
    for (name, entry) in value.as_object().unwrap_or(&none) {
        pointer.push('/');
        pointer.push_str(&escape(name));
        if named(name) && entry.as_str() == Some(id) {
            found.push(pointer.clone());
        }
        name_places(entry, pointer, name, id, found);
        pointer.truncate(length);
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        pointer.push('/');
        pointer.push_str(&index.to_string());
        name_places(item, pointer, key, id, found);
        pointer.truncate(length);
    }
}

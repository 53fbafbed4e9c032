//! OpenAPI Overlay 1.0 over a description: each action finds its targets by JSONPath (RFC 9535)
//! and merges into them or removes them. Remembers which places came from which action, so that
//! a later finding names the overlay and not the description.

use serde_json::Value;
use serde_json_path::{JsonPath, NormalizedPath};

use crate::read::finding::Findings;
use crate::read::located::{Located, describe, did_you_mean};
use crate::read::reference::{below, escape};
use crate::read::source::LoadedFile;
use crate::read::source_map::{Origin, Origins, SourceMap};

/// Applies the overlay to the description.
pub fn apply(overlay: &LoadedFile, description: &mut Value, findings: &Findings) -> Origins {
    let source = SourceMap::new(&overlay.file, findings);
    let mut origins = Origins::new(&overlay.file);
    let root = Located::root(&source, &overlay.value);
    if root.object().is_some() {
        root.only(&["overlay", "info", "extends", "actions"]);
        match root.required("overlay", "the version of the Overlay Specification, `1.0.0`") {
            Some(version) if version.value.as_str().is_some_and(|v| v.starts_with("1.")) => {}
            Some(version) => version.wrong("`1.0.0`"),
            None => {}
        }
        if let Some(info) = root.required("info", "`title` and `version`")
            && info.object().is_some()
        {
            info.required("title", "a text");
            info.required("version", "a text");
        }
        if let Some(actions) = root.required("actions", "a list of actions") {
            for action in actions.items() {
                apply_action(&action, description, &mut origins);
            }
        }
    }
    origins
}

fn apply_action(action: &Located<'_>, description: &mut Value, origins: &mut Origins) {
    if action.object().is_none() {
        return;
    }
    action.only(&["target", "description", "update", "remove"]);
    let Some(target) = action.required("target", "a JSONPath") else { return };
    let Some(text) = target.text() else { return };
    let path = match JsonPath::parse(text) {
        Ok(path) => path,
        Err(error) => {
            target.wrong_with_hint("a JSONPath as in RFC 9535", error.to_string());
            return;
        }
    };
    let pointers: Vec<String> =
        path.query_located(description).locations().map(NormalizedPath::to_json_pointer).collect();
    if pointers.is_empty() {
        let paths = description.get("paths").and_then(Value::as_object).into_iter().flat_map(|paths| paths.keys());
        let path = text.split('\'').nth(1).unwrap_or_default();
        let near = did_you_mean(path, paths.map(String::as_str).filter(|known| *known != path));
        let correct = near
            .unwrap_or_else(|| "correct the path, or delete the action if the vendor dropped the operation".to_owned());
        let hint = format!("this action matches nothing: {correct}");
        target.wrong_with_hint("a target that is in the description", hint);
        return;
    }
    let remove = action.get("remove").and_then(|remove| remove.flag()).unwrap_or(false);
    let update = action.get("update");
    if !remove && update.is_none() {
        action.report("`update` or `remove: true`".to_owned(), "neither".to_owned(), None);
    }
    let mut writer = OverlayWriter { origins };
    // Back to front, so that removing an item leaves the pointers of earlier ones right.
    for pointer in pointers.iter().rev() {
        if remove && pointer.is_empty() {
            target.wrong("something below the root, which can't be removed");
        } else if remove {
            writer.remove(description, pointer);
        } else if let (Some(update), Some(node)) = (&update, description.pointer_mut(pointer)) {
            match node.as_array_mut() {
                // A list grows: the update is one more item.
                Some(items) => writer.push(items, pointer, update),
                None => writer.merge(node, pointer, update),
            }
        }
    }
}

/// Writes an overlay into a description and remembers each place.
struct OverlayWriter<'a> {
    origins: &'a mut Origins,
}

impl OverlayWriter<'_> {
    fn remember(&mut self, pointer: String, update: &Located<'_>) {
        self.origins.written.push(Origin { place: pointer, from: update.pointer.clone() });
    }

    fn push(&mut self, items: &mut Vec<Value>, pointer: &str, update: &Located<'_>) {
        self.remember(format!("{pointer}/{}", items.len()), update);
        items.push(update.value.clone());
    }

    /// Merges as the specification demands: objects entry by entry, lists end to end, anything else
    /// replaced; an object, a list and a scalar don't mix.
    fn merge(&mut self, node: &mut Value, pointer: &str, update: &Located<'_>) {
        match (node, update.value) {
            (Value::Object(object), Value::Object(_)) => {
                for (key, entry) in update.entries() {
                    let place = format!("{pointer}/{}", escape(key));
                    match object.get_mut(key) {
                        Some(existing) => self.merge(existing, &place, &entry),
                        None => {
                            object.insert(key.to_owned(), entry.value.clone());
                            self.remember(place, &entry);
                        }
                    }
                }
            }
            (Value::Array(items), Value::Array(_)) => {
                update.items().iter().for_each(|item| self.push(items, pointer, item));
            }
            (Value::Object(_), _) => update.wrong("an object, as in the description"),
            (Value::Array(_), _) => update.wrong("a list, as in the description"),
            (node, value) if node.is_null() || !(value.is_object() || value.is_array()) => {
                *node = value.clone();
                self.remember(pointer.to_owned(), update);
            }
            (node, _) => update.wrong(format!("something in place of {}", describe(node))),
        }
    }

    fn remove(&mut self, description: &mut Value, pointer: &str) {
        let Some((parent, key)) = pointer.rsplit_once('/') else { return };
        self.origins.written.retain(|origin| below(&origin.place, pointer).is_none());
        match description.pointer_mut(parent) {
            Some(Value::Object(object)) => {
                object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(items)) => {
                let Some(index) = key.parse::<usize>().ok().filter(|index| *index < items.len()) else { return };
                items.remove(index);
                self.move_up(parent, index);
            }
            _ => {}
        }
    }

    /// The items of the list `parent` after `removed` have moved up by one.
    fn move_up(&mut self, parent: &str, removed: usize) {
        for Origin { place, .. } in &mut self.origins.written {
            let Some(rest) = below(place, parent).and_then(|rest| rest.strip_prefix('/')) else { continue };
            let (index, tail) = rest.split_once('/').map_or((rest, None), |(index, tail)| (index, Some(tail)));
            if let Some(index) = index.parse::<usize>().ok().filter(|index| *index > removed) {
                *place = format!("{parent}/{}{}", index - 1, tail.map(|tail| format!("/{tail}")).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::read::finding::Errors;
    use crate::read::source::SourceFile;

    /// Applies the actions; returns the description, the places that changed, and the findings.
    fn apply_to(mut description: Value, actions: &Value) -> (Value, Vec<(String, String)>, String) {
        let overlay = json!({"overlay": "1.0.0", "info": {"title": "T", "version": "1"}, "actions": actions});
        let overlay = LoadedFile { file: SourceFile::without_text("o.yaml"), value: overlay };
        let findings = Findings::default();
        let origins = apply(&overlay, &mut description, &findings);
        let places = origins.written.into_iter().map(|origin| (origin.place, origin.from)).collect();
        (description, places, Errors::from(findings).to_string())
    }

    fn owned(places: &[(&str, &str)]) -> Vec<(String, String)> {
        places.iter().map(|(place, from)| ((*place).to_owned(), (*from).to_owned())).collect()
    }

    #[test]
    fn objects_merge_lists_join_scalars_are_replaced() {
        let (description, places, errors) = apply_to(
            json!({"a": {"kept": 1, "text": "old", "list": [1], "empty": null}}),
            &json!([{"target": "$.a", "update": {"text": "new", "list": [2, 3], "empty": {"x": 1}, "b/c": true}}]),
        );
        assert_eq!(errors, "");
        assert_eq!(
            description,
            json!({"a": {"kept": 1, "text": "new", "list": [1, 2, 3], "empty": {"x": 1}, "b/c": true}})
        );
        assert_eq!(
            places,
            owned(&[
                ("/a/text", "/actions/0/update/text"),
                ("/a/list/1", "/actions/0/update/list/0"),
                ("/a/list/2", "/actions/0/update/list/1"),
                ("/a/empty", "/actions/0/update/empty"),
                ("/a/b~1c", "/actions/0/update/b~1c"),
            ])
        );
    }

    #[test]
    fn an_update_of_a_list_is_one_more_item() {
        let (description, places, errors) =
            apply_to(json!({"tags": [{"name": "a"}]}), &json!([{"target": "$.tags", "update": {"name": "b"}}]));
        assert_eq!(errors, "");
        assert_eq!(description, json!({"tags": [{"name": "a"}, {"name": "b"}]}));
        assert_eq!(places, owned(&[("/tags/1", "/actions/0/update")]));
    }

    #[test]
    fn what_is_removed_is_gone_and_the_rest_keeps_its_origin() {
        let (description, places, errors) = apply_to(
            json!({"list": [{"n": 1}, {"n": 2}, {"n": 3}], "key": {"deep": 1}}),
            &json!([
                {"target": "$.list[2]", "update": {"new": true}},
                {"target": "$.key", "update": {"more": 2}},
                {"target": "$.list[?@.n < 3]", "remove": true},
                {"target": "$.key", "remove": true},
            ]),
        );
        assert_eq!(errors, "");
        assert_eq!(description, json!({"list": [{"n": 3, "new": true}]}));
        assert_eq!(places, owned(&[("/list/0/new", "/actions/0/update/new")]));
    }

    #[test]
    fn kinds_that_do_not_mix_are_refused_and_change_nothing() {
        let before = json!({"object": {"a": 1}, "list": [1], "text": "t"});
        for (update, place) in [
            (json!({"object": 5}), "object"),
            (json!({"object": [1]}), "object"),
            (json!({"list": {"a": 1}}), "list"),
            (json!({"text": {"a": 1}}), "text"),
            (json!({"text": [1]}), "text"),
        ] {
            let (description, _, errors) = apply_to(before.clone(), &json!([{"target": "$", "update": update}]));
            assert_eq!(description, before, "{update}");
            let pointer = format!("o.yaml (0/update/{place}): expected ");
            assert!(errors.starts_with(&pointer) && errors.lines().count() == 1, "{errors}");
        }
    }

    #[test]
    fn the_root_stays() {
        let (description, _, errors) = apply_to(json!({"a": 1}), &json!([{"target": "$", "remove": true}]));
        assert_eq!(description, json!({"a": 1}));
        assert!(errors.starts_with("o.yaml (0/target): expected something below the root"), "{errors}");
    }
}

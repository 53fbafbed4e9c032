//! `requestBody` of a step → the values of the body's properties, or of the body as a whole.

use serde_json::Value;

use super::scope::{Compiled, Scope, part};
use super::shape::Shape;
use crate::read::located::{Located, describe};
use crate::read::workflows::expression::{check_pointer, is_expression};
use toolwright_model::{Operation, Place};

/// A value, where in the request it goes and where the file states it.
type Placed<'w> = (Place, Located<'w>, Compiled<'w>);

/// Reads the body; `whole`: the tools take it as one argument. Returns whether nothing is wrong with it, too.
pub(super) fn read_payload<'w>(
    scope: &Scope<'w>,
    at: &Located<'w>,
    operation: &Operation,
    whole: bool,
) -> (Vec<Placed<'w>>, bool) {
    if at.object().is_none() {
        return (Vec::new(), false);
    }
    at.only(&["contentType", "payload", "replacements"]);
    let Some(body) = &operation.body else {
        at.report("no `requestBody`", format!("one, which `{}` does not take", operation.id), None);
        return (Vec::new(), false);
    };
    if let Some(stated) =
        at.get("contentType").filter(|stated| stated.value.as_str() != Some(body.content_type.as_str()))
    {
        stated.wrong(format!("`{}`, which the tools of `{}` send", body.content_type, operation.id));
        return (Vec::new(), false);
    }
    let Some(payload) = at.required("payload", "what the body holds") else { return (Vec::new(), false) };
    let Some(replaced) = replaced(at, &payload) else { return (Vec::new(), false) };
    let values = Patched { replaced, scope };
    if whole {
        let placed: Vec<Placed<'w>> =
            values.compile(&payload, "").map(|value| (Place::Body, payload, value)).into_iter().collect();
        let is_right = !placed.is_empty();
        return (placed, is_right);
    }
    if !payload.value.is_object() {
        let is_text = payload.value.as_str().is_some_and(|text| !is_expression(text));
        let hint = if is_text {
            "write it as YAML, with the expressions as its values"
        } else {
            "state its fields one by one"
        };
        payload.wrong_with_hint("an object with the fields of the body", hint);
        return (Vec::new(), false);
    }
    let mut is_right = true;
    let mut placed = Vec::new();
    for (name, entry) in payload.entries() {
        let pointer = format!("/{}", crate::read::reference::escape(name));
        match values.compile(&entry, &pointer) {
            Some(value) => placed.push((Place::Property(name.to_owned()), entry, value)),
            None => is_right = false,
        }
    }
    for (pointer, value_at) in values.new_properties(payload.value) {
        match scope.value(&value_at) {
            Some(value) => placed.push((Place::Property(pointer), value_at, value)),
            None => is_right = false,
        }
    }
    (placed, is_right)
}

/// A payload with the values that `replacements` put into it.
struct Patched<'s, 'w> {
    /// JSON pointers into the payload, each with its value.
    replaced: Vec<(String, Located<'w>)>,
    scope: &'s Scope<'w>,
}

/// Reads `replacements`; `None` where one is wrong.
fn replaced<'w>(at: &Located<'w>, payload: &Located<'w>) -> Option<Vec<(String, Located<'w>)>> {
    let mut is_right = true;
    let mut replaced: Vec<(String, Located<'w>)> = Vec::new();
    for item in at.get("replacements").map(|at| at.items()).unwrap_or_default() {
        item.only(&["target", "value"]);
        let target = item.required("target", "a JSON pointer into `payload`");
        let value = item.required("value", "what is put there");
        let (Some(target), Some(value)) = (target, value) else {
            is_right = false;
            continue;
        };
        let Some(text) = target.text() else {
            is_right = false;
            continue;
        };
        let parent = text.rsplit_once('/').map_or("", |(parent, _)| parent);
        let exists =
            payload.value.pointer(text).is_some() || payload.value.pointer(parent).is_some_and(Value::is_object);
        if text.is_empty() || check_pointer(text).is_err() || !exists {
            let hint = "XPath is for XML, which no vendor here takes".to_owned();
            let hint = text.starts_with("//").then_some(hint);
            target.report("a JSON pointer to a part of `payload`", describe(target.value), hint);
            is_right = false;
        } else if let Some((other, _)) = replaced.iter().find(|(other, _)| overlap(other, text)) {
            target.report("parts that are replaced once", format!("`{text}` and `{other}`"), None);
            is_right = false;
        } else {
            replaced.push((text.to_owned(), value));
        }
    }
    is_right.then_some(replaced)
}

/// Whether one pointer leads to, or into, what the other leads to.
fn overlap(one: &str, other: &str) -> bool {
    let within =
        |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    within(one, other) || within(other, one)
}

impl<'w> Patched<'_, 'w> {
    /// Compiles what is at `pointer` of the payload.
    fn compile(&self, at: &Located<'w>, pointer: &str) -> Option<Compiled<'w>> {
        if let Some((_, value)) = self.replaced.iter().find(|(target, _)| target == pointer) {
            return self.scope.value(value);
        }
        if !self.replaced.iter().any(|(target, _)| target.starts_with(&format!("{pointer}/"))) {
            return self.scope.value(at);
        }
        match at.value {
            Value::Object(_) => {
                let child = |name: &str| format!("{pointer}/{}", crate::read::reference::escape(name));
                let entries =
                    at.entries().into_iter().map(|(name, entry)| (name.to_owned(), self.compile(&entry, &child(name))));
                let known = at.value.as_object()?;
                let prefix = format!("{pointer}/");
                let new = self.replaced.iter().filter_map(|(target, value)| {
                    let name = unescaped(target.strip_prefix(&prefix).filter(|name| !name.contains('/'))?);
                    (!known.contains_key(&name)).then(|| (name, self.scope.value(value)))
                });
                let entries: Vec<(String, Option<Compiled<'w>>)> = entries.chain(new).collect();
                let entries =
                    entries.into_iter().map(|(name, value)| Some((name, value?))).collect::<Option<Vec<_>>>()?;
                Some(super::scope::object(entries))
            }
            Value::Array(_) => {
                let items = at.items();
                let items =
                    items.iter().enumerate().map(|(index, item)| self.compile(item, &format!("{pointer}/{index}")));
                let items = items.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
                let item = items.first().map_or(Shape::Any, |item| item.shape.clone());
                let templates = items.into_iter().map(|item| item.template).collect();
                let template = toolwright_model::workflow::Template::List(templates);
                Some(Compiled { template, shape: Shape::List(std::rc::Rc::new(item)) })
            }
            _ => {
                // Checked before: its parent is an object.
                part(&Shape::of_value(at.value), pointer, at)?;
                None
            }
        }
    }

    /// The properties that only `replacements` state, by their names.
    fn new_properties(&self, payload: &Value) -> Vec<(String, Located<'w>)> {
        let top = self.replaced.iter().filter_map(|(target, value)| {
            let name = unescaped(target.strip_prefix('/').filter(|name| !name.contains('/'))?);
            payload.get(&name).is_none().then(|| (name, value.clone()))
        });
        top.collect()
    }
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

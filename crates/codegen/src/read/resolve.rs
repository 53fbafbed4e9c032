//! A schema with `$ref`s → the same with what they lead to written out, of bounded size. Called by
//! `spec`.

use serde_json::{Map, Value};

use crate::read::spec::DEEPEST_REFERENCE;

/// The depths that are tried one after the other until a schema is small enough.
const DEEPEST_REFERENCES: [usize; 7] = [DEEPEST_REFERENCE, 8, 5, 3, 2, 1, 0];

/// The most values that a schema may have with its references written out.
const LARGEST_SCHEMA: usize = 20_000;

/// Follows every `$ref` of `value`; a reference to something that contains it is cut to an
/// object that says so, and so are the innermost ones of what would grow beyond all use.
pub fn resolve(value: &Value, document: &Value) -> Value {
    let found = DEEPEST_REFERENCES.iter().find_map(|deepest| {
        let mut inliner = Inliner { document, deepest: *deepest, left: LARGEST_SCHEMA, open: Vec::new() };
        inliner.inline(value)
    });
    // Even by itself it is larger than anything that a model could fill in.
    found.unwrap_or_else(|| serde_json::json!({"type": "object", "description": "Too large to be described here."}))
}

/// Writes out what references lead to.
struct Inliner<'d> {
    document: &'d Value,
    /// How many references may be open at once.
    deepest: usize,
    /// How many objects may still be written.
    left: usize,
    open: Vec<&'d str>,
}

impl<'d> Inliner<'d> {
    /// Returns nothing where it would be too large.
    fn inline(&mut self, value: &'d Value) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    return self.follow(reference);
                }
                let entries = object.iter().map(|(key, entry)| Some((key.clone(), self.inline(entry)?)));
                entries.collect::<Option<Map<String, Value>>>().map(Value::Object)
            }
            Value::Array(items) => items.iter().map(|item| self.inline(item)).collect::<Option<_>>().map(Value::Array),
            scalar => Some(scalar.clone()),
        }
    }

    fn follow(&mut self, reference: &'d str) -> Option<Value> {
        let target = reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        match target {
            Some(target) if !self.open.contains(&reference) && self.open.len() < self.deepest => {
                self.open.push(reference);
                let resolved = self.inline(target);
                self.open.pop();
                resolved
            }
            _ => {
                let name = reference.rsplit('/').next().unwrap_or(reference);
                let text = format!("A further {name}; its content is not described here.");
                Some(serde_json::json!({"type": "object", "description": text}))
            }
        }
    }
}

//! A schema of a description → [`Shape`]: what it allows, with references followed and compositions
//! merged, so that two descriptions that say the same in another way are equal. What is inside of
//! properties and items stays a [`Node`], read when it is needed: schemas contain themselves.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use toolwright_codegen::read::reference::{raw_target, reference_of};

/// More references, or compositions inside of each other, than these are a circle.
const DEEPEST: usize = 16;

/// One schema, or several that hold for the same value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node<'d> {
    parts: Vec<&'d Value>,
    join: Join,
}

/// How the parts of a node belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Join {
    /// All of them hold.
    All,
    /// One of them holds.
    Any,
}

/// What distinguishes nodes of one document: where their parts are in memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(Vec<usize>, Join);

impl<'d> Node<'d> {
    pub(crate) fn new(schema: &'d Value) -> Self {
        Self { parts: vec![schema], join: Join::All }
    }

    /// The node's id, with references followed: two references to one component are the same node.
    pub(crate) fn id(&self, document: &'d Value) -> NodeId {
        let address = |part: &&'d Value| std::ptr::from_ref(follow(part, document)).addr();
        NodeId(self.parts.iter().map(address).collect(), self.join)
    }

    /// The name of the component that it refers to.
    pub(crate) fn component(&self) -> Option<String> {
        let [part] = self.parts.as_slice() else { return None };
        component_name(part)
    }

    /// The reference, if the node is nothing else.
    pub(crate) fn reference(&self) -> Option<&'d str> {
        match self.parts.as_slice() {
            [part] => reference_of(part),
            _ => None,
        }
    }

    /// The schema, with its reference followed, if it is one.
    pub(crate) fn single(&self, document: &'d Value) -> Option<&'d Value> {
        match self.parts.as_slice() {
            [part] => Some(follow(part, document)),
            _ => None,
        }
    }

    /// The schema as it would be written.
    pub(crate) fn facts(&self) -> Value {
        let parts = || self.parts.iter().map(|part| (*part).clone()).collect::<Vec<_>>();
        match (self.parts.as_slice(), self.join) {
            ([part], _) => (*part).clone(),
            (_, Join::All) => serde_json::json!({"allOf": parts()}),
            (_, Join::Any) => serde_json::json!({"anyOf": parts()}),
        }
    }

    fn joined(self, other: Self, join: Join) -> Self {
        if self == other {
            return self;
        }
        let mut parts = self.parts;
        parts.extend(other.parts);
        Self { parts, join }
    }

    pub(crate) fn shape(&self, document: &'d Value) -> Shape<'d> {
        let shapes = self.parts.iter().map(|part| Shape::of(part, document, 0));
        match self.join {
            Join::All => shapes.reduce(Shape::and),
            Join::Any => shapes.reduce(Shape::or),
        }
        .unwrap_or_default()
    }
}

/// The name of the component that a schema refers to; a reference into a part of one names none.
pub(crate) fn component_name(schema: &Value) -> Option<String> {
    let name = reference_of(schema)?.strip_prefix("#/components/schemas/")?;
    (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
}

/// Follows references to their end; what leads nowhere stays as it is.
fn follow<'d>(schema: &'d Value, document: &'d Value) -> &'d Value {
    let mut here = schema;
    for _ in 0..DEEPEST {
        match reference_of(here).and_then(|reference| raw_target(document, reference)) {
            Some(target) => here = target,
            None => break,
        }
    }
    here
}

/// A property of an object.
#[derive(Debug, Clone)]
pub(crate) struct Property<'d> {
    pub(crate) name: &'d str,
    pub(crate) node: Node<'d>,
    pub(crate) required: bool,
}

/// What an object may hold beside its properties.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Further<'d> {
    None,
    Of(Node<'d>),
}

/// The bounds that a schema can state, and whether a greater number allows more.
pub(crate) const BOUNDS: [(&str, bool); 8] = [
    ("minimum", false),
    ("maximum", true),
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
    ("minProperties", false),
    ("maxProperties", true),
];

/// A bound; one that is exclusive allows less than one that is not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) number: Number,
    pub(crate) exclusive: bool,
}

/// What a schema allows.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a schema has these four keywords")]
pub(crate) struct Shape<'d> {
    /// Empty: any type.
    pub(crate) types: BTreeSet<&'d str>,
    pub(crate) nullable: bool,
    pub(crate) format: Option<&'d str>,
    pub(crate) pattern: Option<&'d str>,
    /// `None`: any value.
    pub(crate) values: Option<Vec<&'d Value>>,
    /// In the order of [`BOUNDS`].
    pub(crate) bounds: [Option<Bound>; BOUNDS.len()],
    pub(crate) default: Option<&'d Value>,
    pub(crate) read_only: bool,
    pub(crate) write_only: bool,
    pub(crate) deprecated: bool,
    pub(crate) properties: Vec<Property<'d>>,
    /// Names that are required, whether they are described or not.
    required: BTreeSet<&'d str>,
    pub(crate) further: Option<Further<'d>>,
    pub(crate) items: Option<Node<'d>>,
}

impl<'d> Shape<'d> {
    fn of(schema: &'d Value, document: &'d Value, depth: usize) -> Self {
        let Some(object) = follow(schema, document).as_object() else { return Self::default() };
        let mut shape = Self::own(object);
        if depth < DEEPEST {
            for part in list(object, "allOf") {
                shape = shape.and(Self::of(part, document, depth + 1));
            }
            for key in ["oneOf", "anyOf"] {
                shape = shape.with_alternatives(list(object, key), document, depth);
            }
        }
        for property in &mut shape.properties {
            property.required |= shape.required.contains(property.name);
        }
        shape
    }

    fn with_alternatives(self, alternatives: &'d [Value], document: &'d Value, depth: usize) -> Self {
        let shapes: Vec<Self> = alternatives.iter().map(|part| Self::of(part, document, depth + 1)).collect();
        let nullable = shapes.iter().any(|shape| shape.nullable || shape.is_null());
        let union = shapes.into_iter().filter(|shape| !shape.is_null()).reduce(Self::or);
        let mut shape = match union {
            Some(union) => self.and(Self { nullable: false, ..union }),
            None => self,
        };
        shape.nullable |= nullable;
        shape
    }

    fn is_null(&self) -> bool {
        self.types.iter().eq(["null"].iter()) || self.values.as_ref().is_some_and(|values| values == &[&Value::Null])
    }

    /// What the object states itself.
    fn own(object: &'d Map<String, Value>) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let flag = |key: &str| object.get(key).and_then(Value::as_bool).unwrap_or(false);
        let values = object.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty());
        let mut shape = Self {
            types: text("type").into_iter().collect(),
            nullable: flag("nullable") || values.is_some_and(|values| values.contains(&Value::Null)),
            format: text("format"),
            pattern: text("pattern"),
            values: values.map(|values| values.iter().collect()),
            bounds: BOUNDS.map(|(key, _)| bound(object, key)),
            // Lists and objects are no facts that a tool could send.
            default: object.get("default").filter(|default| !default.is_array() && !default.is_object()),
            read_only: flag("readOnly"),
            write_only: flag("writeOnly"),
            deprecated: flag("deprecated"),
            properties: Vec::new(),
            required: object
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect(),
            further: match object.get("additionalProperties") {
                Some(Value::Bool(false)) => Some(Further::None),
                Some(schema @ Value::Object(_)) => Some(Further::Of(Node::new(schema))),
                _ => None,
            },
            items: object.get("items").map(Node::new),
        };
        if let Some(properties) = object.get("properties").and_then(Value::as_object) {
            shape.properties = properties
                .iter()
                .map(|(name, schema)| Property {
                    name,
                    node: Node::new(schema),
                    required: shape.required.contains(name.as_str()),
                })
                .collect();
        }
        if shape.types.is_empty() {
            // What a schema states beside the type tells the type.
            if !shape.properties.is_empty() || shape.further.is_some() {
                shape.types.insert("object");
            } else if shape.items.is_some() {
                shape.types.insert("array");
            }
        }
        shape
    }

    /// Both hold.
    fn and(mut self, other: Self) -> Self {
        if self.types.is_empty() {
            self.types = other.types;
        } else if !other.types.is_empty() {
            let both: BTreeSet<&str> = self.types.intersection(&other.types).copied().collect();
            self.types = if both.is_empty() { self.types } else { both };
        }
        self.nullable |= other.nullable;
        self.format = self.format.or(other.format);
        self.pattern = self.pattern.or(other.pattern);
        self.values = match (self.values, other.values) {
            (Some(mine), Some(theirs)) => Some(mine.into_iter().filter(|value| theirs.contains(value)).collect()),
            (mine, theirs) => mine.or(theirs),
        };
        for (mine, theirs) in self.bounds.iter_mut().zip(other.bounds) {
            *mine = mine.take().or(theirs);
        }
        self.default = self.default.or(other.default);
        self.read_only |= other.read_only;
        self.write_only |= other.write_only;
        self.deprecated |= other.deprecated;
        self.required.extend(other.required);
        self.further = self.further.or(other.further);
        self.items = join(self.items, other.items, Join::All);
        add_properties(&mut self.properties, other.properties, Join::All);
        for property in &mut self.properties {
            property.required |= self.required.contains(property.name);
        }
        self
    }

    /// Either holds.
    fn or(mut self, other: Self) -> Self {
        if self.types.is_empty() || other.types.is_empty() {
            self.types.clear();
        } else {
            self.types.extend(other.types);
        }
        self.nullable |= other.nullable;
        self.format = self.format.filter(|format| other.format == Some(format));
        self.pattern = self.pattern.filter(|pattern| other.pattern == Some(pattern));
        self.values = match (self.values, other.values) {
            (Some(mut mine), Some(theirs)) => {
                mine.extend(theirs.into_iter().filter(|value| !mine.contains(value)).collect::<Vec<_>>());
                Some(mine)
            }
            _ => None,
        };
        for (mine, theirs) in self.bounds.iter_mut().zip(other.bounds) {
            *mine = mine.take().filter(|bound| Some(bound) == theirs.as_ref());
        }
        self.default = self.default.filter(|default| other.default == Some(default));
        self.read_only &= other.read_only;
        self.write_only &= other.write_only;
        self.deprecated &= other.deprecated;
        let missing = |one: &[Property<'_>], name: &str| !one.iter().any(|property| property.name == name);
        self.required.retain(|name| other.required.contains(name));
        let theirs = other.properties;
        for property in &mut self.properties {
            property.required &= theirs.iter().any(|other| other.name == property.name && other.required);
        }
        let new: Vec<Property<'d>> = theirs
            .iter()
            .filter(|property| missing(&self.properties, property.name))
            .map(|property| Property { required: false, ..property.clone() })
            .collect();
        add_properties(&mut self.properties, theirs, Join::Any);
        for property in &mut self.properties {
            property.required &= !new.iter().any(|new| new.name == property.name);
        }
        self.further = if self.further == other.further { self.further } else { None };
        self.items = join(self.items, other.items, Join::Any);
        self
    }

    /// Whether an object takes properties of any name; unless stated it may.
    pub(crate) fn is_open(&self) -> bool {
        self.further != Some(Further::None)
    }
}

fn list<'d>(object: &'d Map<String, Value>, key: &str) -> &'d [Value] {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A bound as OpenAPI 3.0 writes it, whose exclusive marks are flags.
fn bound(object: &Map<String, Value>, key: &str) -> Option<Bound> {
    let number = object.get(key)?.as_number()?.clone();
    let mark = match key {
        "minimum" => "exclusiveMinimum",
        "maximum" => "exclusiveMaximum",
        _ => "",
    };
    Some(Bound { number, exclusive: object.get(mark).and_then(Value::as_bool).unwrap_or(false) })
}

fn join<'d>(mine: Option<Node<'d>>, theirs: Option<Node<'d>>, join: Join) -> Option<Node<'d>> {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => Some(mine.joined(theirs, join)),
        (mine, theirs) => mine.or(theirs),
    }
}

fn add_properties<'d>(mine: &mut Vec<Property<'d>>, theirs: Vec<Property<'d>>, join: Join) {
    for property in theirs {
        match mine.iter_mut().find(|known| known.name == property.name) {
            Some(known) => {
                let node = std::mem::replace(&mut known.node, Node { parts: Vec::new(), join });
                known.node = node.joined(property.node, join);
                known.required |= join == Join::All && property.required;
            }
            None => mine.push(property),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_add_up_and_alternatives_unite() {
        let document = json!({"components": {"schemas": {
            "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
            "Circle": {"allOf": [{"$ref": "#/components/schemas/Circle"}, {"type": "object"}]},
        }}});
        let schema = json!({
            "allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"name": {"type": "string"}}}],
            "oneOf": [
                {"required": ["a", "b"], "properties": {"a": {"type": "integer"}, "b": {}}},
                {"required": ["a"], "properties": {"a": {"type": "string"}, "c": {}}},
                {"type": "null"},
            ],
        });
        let shape = Node::new(&schema).shape(&document);
        let found: Vec<(&str, bool)> = shape.properties.iter().map(|p| (p.name, p.required)).collect();
        assert_eq!(found, [("id", true), ("name", false), ("a", true), ("b", false), ("c", false)]);
        assert!(shape.nullable);
        let types = shape.properties[2].node.shape(&document).types;
        assert_eq!(types, ["integer", "string"].into());
        let circle = json!({"$ref": "#/components/schemas/Circle"});
        assert_eq!(Node::new(&circle).shape(&document).types, ["object"].into());
    }
}

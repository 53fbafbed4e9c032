//! The rules of vendor.toml → the formats of one argument and of the parts in it. Called by
//! `tool_draft`; what an overlay states of an argument itself goes before.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::lower::resolve;
use crate::read::located::Located;
use crate::read::reference::escape;
use toolwright_formats::{FormatRef, PATTERN, find};
use toolwright_model::{ArgumentRule, Formatted, Resolve, ResolveKind, TextPattern};

/// The rules of a vendor, and which of them applied to something.
pub struct ArgumentRules<'a> {
    rules: &'a [ArgumentRule],
    kinds: &'a BTreeMap<String, ResolveKind>,
    used: RefCell<BTreeSet<usize>>,
    used_kinds: RefCell<BTreeSet<String>>,
}

/// What a rule states of a part, and valid values of it.
pub struct RuledPart {
    pub at: String,
    /// `None` where it only has other names.
    pub ruled: Option<Ruled>,
    pub aliases: Vec<String>,
    pub samples: Vec<Value>,
}

/// What a rule states.
pub enum Ruled {
    Format(Formatted),
    Resolve(Resolve),
}

/// What an overlay states of an argument, before which no rule goes.
pub struct Stated<'a> {
    /// The argument as a whole has a format.
    pub whole: bool,
    /// The parts that have one.
    pub parts: Vec<&'a str>,
    /// Names are resolved by what the overlay states, or not at all.
    pub resolve: bool,
}

impl<'a> ArgumentRules<'a> {
    pub fn new(rules: &'a [ArgumentRule], kinds: &'a BTreeMap<String, ResolveKind>) -> Self {
        Self { rules, kinds, used: RefCell::default(), used_kinds: RefCell::default() }
    }

    /// The kind of this name, for an argument that is given by name.
    pub fn kind(&self, name: &str) -> Option<&'a ResolveKind> {
        let kind = self.kinds.get(name)?;
        self.used_kinds.borrow_mut().insert(name.to_owned());
        Some(kind)
    }

    /// The names of all kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &'a str> {
        self.kinds.keys().map(String::as_str)
    }

    /// Writes what rules state into the schema of an argument, and returns it. The values of a list whose whole has a
    /// format can have another one.
    pub fn apply(&self, argument: &str, stated: &Stated<'_>, schema: &mut Map<String, Value>) -> Vec<RuledPart> {
        let mut ruled = Vec::new();
        let mut visit = |at: &str, part: &mut Map<String, Value>| {
            let is_list = part.get("type").and_then(Value::as_str) == Some("array");
            if stated.parts.contains(&at) || at.is_empty() && stated.whole && !is_list {
                return;
            }
            ruled.extend(self.of_part(argument, at, stated.resolve, part));
        };
        each_part("", schema, &mut visit);
        ruled
    }

    /// The first rule that fits a part.
    fn of_part(
        &self,
        argument: &str,
        at: &str,
        is_resolve_stated: bool,
        part: &mut Map<String, Value>,
    ) -> Option<RuledPart> {
        let path = if at.is_empty() { argument.to_owned() } else { format!("{argument}.{at}") };
        let declared = part.get("format").and_then(Value::as_str).map(str::to_owned);
        // A choice is checked by its values, and a secret must not be told in a refusal.
        let is_open = part.get("enum").is_none() && part.get("items").is_none_or(|items| items.get("enum").is_none());
        if !is_open || declared.as_deref() == Some("password") {
            return None;
        }
        let fits = |rule: &ArgumentRule| {
            rule.declared.as_ref().is_some_and(|format| declared.as_ref() == Some(format))
                || rule.names.iter().any(|name| ends_with(&path, name))
        };
        let applies = |rule: &ArgumentRule| fits(rule) && !(is_resolve_stated && rule.resolve.is_some());
        self.rules.iter().enumerate().filter(|(_, rule)| applies(rule)).find_map(|(index, rule)| {
            let ruled = match &rule.resolve {
                Some(kind) => self.resolved(kind, at, part)?,
                None if rule.format.is_none() && rule.pattern.is_none() => {
                    RuledPart { at: at.to_owned(), ruled: None, aliases: Vec::new(), samples: Vec::new() }
                }
                None => written(rule, at, part)?,
            };
            let ruled = RuledPart { aliases: rule.aliases.clone(), ..ruled };
            self.used.borrow_mut().insert(index);
            Some(ruled)
        })
    }

    fn resolved(&self, kind: &str, at: &str, part: &mut Map<String, Value>) -> Option<RuledPart> {
        let kind = self.kind(kind)?;
        let resolve = resolve::apply(kind, at, part)?;
        Some(RuledPart {
            at: at.to_owned(),
            ruled: Some(Ruled::Resolve(resolve)),
            aliases: Vec::new(),
            samples: resolve::samples(kind, part),
        })
    }

    /// Reports each rule and each kind that applied to nothing: a name is mistyped, or other rules go before it.
    /// `root` is vendor.toml.
    pub fn check_used(&self, root: &Located<'_>) {
        for (index, rule) in self.rules.iter().enumerate().filter(|(index, _)| !self.used.borrow().contains(index)) {
            let of = match &rule.declared {
                Some(declared) => format!("an argument that the description declares as `{declared}`"),
                None => format!("an argument, or a part of one, named `{}`", rule.names.join("`, `")),
            };
            let hint = "the names are those that a model sees; a rule before it may fit first".to_owned();
            root.nearest(&format!("/arguments/{index}")).report(of, "none of the kind of value", Some(hint));
        }
        for kind in self.kinds().filter(|kind| !self.used_kinds.borrow().contains(*kind)) {
            let hint = "a rule of `[[arguments]]`, or `resolve` of an argument in an overlay, names it".to_owned();
            let at = root.nearest(&format!("/resolve/{}", escape(kind)));
            at.report("an argument whose records can be given by name", "none", Some(hint));
        }
    }
}

/// Whether a dotted path is this name, or ends with it.
fn ends_with(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Visits a schema and the parts in it, with dotted paths that go through lists.
fn each_part(at: &str, part: &mut Map<String, Value>, visit: &mut impl FnMut(&str, &mut Map<String, Value>)) {
    visit(at, part);
    // A format may have made a text of it.
    if let Some(Value::Object(items)) = part.get_mut("items") {
        if items.get("type").and_then(Value::as_str) == Some("object") {
            each_property(at, items, visit);
        }
    } else {
        each_property(at, part, visit);
    }
}

fn each_property(at: &str, part: &mut Map<String, Value>, visit: &mut impl FnMut(&str, &mut Map<String, Value>)) {
    let Some(Value::Object(properties)) = part.get_mut("properties") else { return };
    for (name, property) in properties {
        if let Value::Object(property) = property
            && !name.contains('.')
        {
            let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            each_part(&below, property, visit);
        }
    }
}

/// Writes the rule's format into a part; `None` where the part is of another kind.
fn written(rule: &ArgumentRule, at: &str, part: &mut Map<String, Value>) -> Option<RuledPart> {
    let format: FormatRef = find(rule.format.as_deref().unwrap_or(PATTERN))?;
    let text = rule.pattern.as_ref().map(|pattern| TextPattern {
        pattern: pattern.clone(),
        words: rule.words.clone().unwrap_or_default(),
        letters: rule.letters,
    });
    let formatted = Formatted { at: at.to_owned(), text, ..Formatted::whole(format.name()) };
    format.argument_schema(&formatted, part).ok()?;
    let is_list = part.get("type").and_then(Value::as_str) == Some("array");
    let samples = if rule.samples.is_empty() { format.samples(&formatted, "string") } else { rule.samples.clone() };
    let samples = if is_list { samples.into_iter().map(|sample| json!([sample])).collect() } else { samples };
    Some(RuledPart { at: at.to_owned(), ruled: Some(Ruled::Format(formatted)), aliases: Vec::new(), samples })
}

//! Two JSON Schemas of the same value → where the second accepts less (calls break), more, or differs in words.
//! A keyword that is not known here, or that changes in a way that can't be judged, counts as less.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::change::ChangeKind;

/// One difference.
#[derive(Debug)]
pub(super) struct Difference {
    /// The path of the argument, such as `fields[].name`; empty for the arguments as a whole.
    pub at: String,
    pub kind: ChangeKind,
    pub text: String,
}

/// Every type of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
/// Keywords whose value is a least number.
const LEAST: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
/// Keywords whose value is a largest number.
const MOST: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/// Keywords that a reader reads and no value is checked against.
const WORDS: [&str; 7] = ["description", "title", "examples", "example", "$comment", "deprecated", "$schema"];

/// Adds where `new` accepts other values than `old`.
pub(super) fn compare(old: &Value, new: &Value, at: &str, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    let (Some(old), Some(new)) = (keywords(old), keywords(new)) else {
        let kind = if *new == Value::Bool(false) { ChangeKind::ArgumentNarrowed } else { ChangeKind::ArgumentWidened };
        return push(found, at, kind, format!("{} → {}", shown(Some(old)), shown(Some(new))));
    };
    let mut pair = Pair { old: &old, new: &new, at, found };
    pair.types();
    pair.values();
    pair.numbers();
    pair.members();
    pair.alternatives();
    pair.others();
}

/// The keywords of a schema; `true` has none, `false` is no set of keywords.
fn keywords(schema: &Value) -> Option<Map<String, Value>> {
    match schema {
        Value::Object(keywords) => Some(keywords.clone()),
        Value::Bool(false) => None,
        _ => Some(Map::new()),
    }
}

struct Pair<'a> {
    old: &'a Map<String, Value>,
    new: &'a Map<String, Value>,
    at: &'a str,
    found: &'a mut Vec<Difference>,
}

impl Pair<'_> {
    fn add(&mut self, kind: ChangeKind, text: String) {
        push(self.found, self.at, kind, text);
    }

    fn narrowed_or_widened(&mut self, narrower: bool, wider: bool, text: &str) {
        if narrower {
            self.add(ChangeKind::ArgumentNarrowed, text.to_owned());
        } else if wider {
            self.add(ChangeKind::ArgumentWidened, text.to_owned());
        }
    }

    fn types(&mut self) {
        let (old, new) = (types(self.old), types(self.new));
        let text = format!("type: {} → {}", shown_types(&old), shown_types(&new));
        self.narrowed_or_widened(!old.is_subset(&new), !new.is_subset(&old), &text);
    }

    fn values(&mut self) {
        match (listed(self.old), listed(self.new)) {
            (None, None) => {}
            (None, Some(new)) => self.add(ChangeKind::ArgumentNarrowed, format!("only {}", list(&new))),
            (Some(old), None) => self.add(ChangeKind::ArgumentWidened, format!("no longer only {}", list(&old))),
            (Some(old), Some(new)) => {
                let without =
                    |a: &[Value], b: &[Value]| a.iter().filter(|it| !b.contains(it)).cloned().collect::<Vec<_>>();
                let (gone, come) = (without(&old, &new), without(&new, &old));
                if !gone.is_empty() {
                    self.add(ChangeKind::ArgumentNarrowed, format!("no longer accepts {}", list(&gone)));
                }
                if !come.is_empty() {
                    self.add(ChangeKind::ArgumentWidened, format!("also accepts {}", list(&come)));
                }
            }
        }
    }

    fn numbers(&mut self) {
        for (keyword, is_least) in LEAST.map(|it| (it, true)).into_iter().chain(MOST.map(|it| (it, false))) {
            let (old, new) = (self.old.get(keyword), self.new.get(keyword));
            if old == new {
                continue;
            }
            let narrower = match (old.and_then(Value::as_f64), new.and_then(Value::as_f64)) {
                // What is no number can't be judged.
                (_, None) => new.is_some_and(|new| *new != Value::Bool(false)),
                (None, Some(_)) => true,
                (Some(old), Some(new)) => (new > old) == is_least,
            };
            self.narrowed_or_widened(narrower, !narrower, &format!("{keyword}: {} → {}", shown(old), shown(new)));
        }
    }

    /// Properties and items.
    fn members(&mut self) {
        let empty = Map::new();
        let properties =
            |keywords: &'_ Map<String, Value>| keywords.get("properties").and_then(Value::as_object).cloned();
        let (old, new) = (properties(self.old).unwrap_or_default(), properties(self.new).unwrap_or(empty));
        let (required_before, required_after) = (required(self.old), required(self.new));
        let (further_before, further_after) = (further(self.old), further(self.new));
        for (name, schema) in &old {
            match new.get(name) {
                Some(other) => compare(schema, other, &join(self.at, name), self.found),
                // Values of this name are still accepted, as those of any other.
                None if further_after.is_object() => compare(schema, &further_after, &join(self.at, name), self.found),
                None => {
                    push(self.found, &join(self.at, name), ChangeKind::ArgumentRemoved, "no longer there".to_owned());
                }
            }
        }
        for (name, schema) in &new {
            let at = join(self.at, name);
            if !old.contains_key(name) && further_before.is_object() {
                compare(&further_before, schema, &at, self.found);
            }
            let kind = match (old.contains_key(name), required_before.contains(name), required_after.contains(name)) {
                (false, _, false) if further_before.is_object() => continue,
                (false, _, false) => (ChangeKind::ArgumentAdded, "new, optional"),
                (false, false, true) => (ChangeKind::ArgumentRequired, "new, required"),
                (true, false, true) => (ChangeKind::ArgumentRequired, "required now"),
                (true, true, false) => (ChangeKind::ArgumentOptional, "optional now"),
                _ => continue,
            };
            push(self.found, &at, kind.0, kind.1.to_owned());
        }
        for name in required_after.iter().filter(|name| !new.contains_key(*name) && !required_before.contains(*name)) {
            push(self.found, &join(self.at, name), ChangeKind::ArgumentRequired, "required now".to_owned());
        }
        compare_further(self.old, self.new, self.at, self.found);
        let items = |keywords: &Map<String, Value>| keywords.get("items").cloned().unwrap_or(Value::Bool(true));
        if [self.old, self.new].iter().all(|keywords| types(keywords).contains("array")) {
            compare(&items(self.old), &items(self.new), &format!("{}[]", self.at), self.found);
        }
    }

    fn alternatives(&mut self) {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let part = |keywords: &Map<String, Value>| keywords.get(keyword).and_then(Value::as_array).cloned();
            let (old, new) = match (part(self.old), part(self.new)) {
                (old, new) if old == new => continue,
                (None, Some(_)) => {
                    self.add(ChangeKind::ArgumentNarrowed, format!("one of several forms (`{keyword}`) is demanded"));
                    continue;
                }
                (Some(_), None) => {
                    self.add(ChangeKind::ArgumentWidened, format!("no form (`{keyword}`) is demanded any more"));
                    continue;
                }
                (old, new) => (old.unwrap_or_default(), new.unwrap_or_default()),
            };
            let gone: Vec<&Value> = old.iter().filter(|it| !new.contains(it)).collect();
            let come: Vec<&Value> = new.iter().filter(|it| !old.contains(it)).collect();
            if gone.len() == come.len() {
                for (old, new) in gone.into_iter().zip(come) {
                    compare(old, new, self.at, self.found);
                }
                continue;
            }
            // All parts of `allOf` have to hold, one of the others.
            let narrower = (gone.len() > come.len()) != (keyword == "allOf");
            let text = format!("`{keyword}` has {} forms, before {}", new.len(), old.len());
            self.narrowed_or_widened(narrower || !gone.is_empty() && !come.is_empty(), true, &text);
        }
    }

    fn others(&mut self) {
        const JUDGED: [&str; 11] = [
            "type",
            "enum",
            "const",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "allOf",
            "anyOf",
            "oneOf",
            "default",
        ];
        let (old, new) = (self.old.get("default"), self.new.get("default"));
        if old != new {
            self.add(ChangeKind::DefaultChanged, format!("stated default: {} → {}", shown(old), shown(new)));
        }
        let names: BTreeSet<&String> = self.old.keys().chain(self.new.keys()).collect();
        for name in names {
            let keyword = name.as_str();
            let (old, new) = (self.old.get(keyword), self.new.get(keyword));
            let is_judged = JUDGED.contains(&keyword) || LEAST.contains(&keyword) || MOST.contains(&keyword);
            if old == new || is_judged {
                continue;
            }
            let text = format!("{keyword}: {} → {}", shown(old), shown(new));
            let states_nothing = |value: Option<&Value>| value.is_none_or(|value| *value == Value::Bool(false));
            if WORDS.contains(&keyword) {
                self.add(ChangeKind::Words, keyword.to_owned());
            } else if states_nothing(new) {
                self.add(ChangeKind::ArgumentWidened, text);
            } else {
                self.add(ChangeKind::ArgumentNarrowed, text);
            }
        }
    }
}

/// The names that an object may have beside those that are listed.
fn compare_further(old: &Map<String, Value>, new: &Map<String, Value>, at: &str, found: &mut Vec<Difference>) {
    let text = |is_open: bool| if is_open { "takes further names" } else { "takes no further names" };
    match (further(old), further(new)) {
        (old, new) if old == new => {}
        (_, Value::Bool(false)) => push(found, at, ChangeKind::ArgumentNarrowed, text(false).to_owned()),
        (Value::Bool(false), _) => push(found, at, ChangeKind::ArgumentWidened, text(true).to_owned()),
        (old, new) => compare(&old, &new, &join(at, "*"), found),
    }
}

fn further(keywords: &Map<String, Value>) -> Value {
    keywords.get("additionalProperties").cloned().unwrap_or(Value::Bool(true))
}

fn required(keywords: &Map<String, Value>) -> BTreeSet<String> {
    let names = keywords.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The types that a value may have; every number that is an integer is a number too.
fn types(keywords: &Map<String, Value>) -> BTreeSet<String> {
    let stated: Vec<&str> = match keywords.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => TYPES.to_vec(),
    };
    let mut types: BTreeSet<String> = stated.into_iter().map(str::to_owned).collect();
    if types.contains("number") {
        types.insert("integer".to_owned());
    }
    types
}

fn shown_types(types: &BTreeSet<String>) -> String {
    if types.len() == TYPES.len() {
        return "any".to_owned();
    }
    let names = types.iter().map(String::as_str).filter(|name| *name != "integer" || !types.contains("number"));
    names.collect::<Vec<_>>().join(" or ")
}

fn listed(keywords: &Map<String, Value>) -> Option<Vec<Value>> {
    let one = keywords.get("const").map(|value| vec![value.clone()]);
    one.or_else(|| keywords.get("enum").and_then(Value::as_array).cloned())
}

fn list(values: &[Value]) -> String {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> = values.iter().take(SHOWN).map(|value| format!("`{}`", plain(value))).collect();
    if values.len() > SHOWN {
        shown.push(format!("{} more", values.len() - SHOWN));
    }
    shown.join(", ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: Option<&Value>) -> String {
    const LONGEST: usize = 80;
    value.map_or_else(|| "none".to_owned(), |value| crate::truncate(&plain(value), LONGEST).into_owned())
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn push(found: &mut Vec<Difference>, at: &str, kind: ChangeKind, text: String) {
    found.push(Difference { at: at.to_owned(), kind, text });
}

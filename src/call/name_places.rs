//! The arguments of a call → where in them names or ids are, in the order in which they have to be resolved: a queue is
//! looked up at its desk, so the desk comes first. Ids → numbers, where the vendor takes those.

use serde_json::{Number, Value};

use crate::formats::pattern_matches;
use toolwright_model::{Binding, NAME_PREFIX, NameLookup};

/// Where a name or an id is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamePlace {
    /// The JSON pointer in the argument.
    pub(super) pointer: String,
    /// The same as people write it: `[0]._id`.
    pub(super) shown: String,
    pub(super) text: String,
}

/// Returns the bindings that take names; those first which others need.
pub(super) fn in_order(bindings: &[Binding]) -> Vec<&Binding> {
    let mut left: Vec<&Binding> = bindings.iter().filter(|binding| !binding.resolve.is_empty()).collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |binding: &&Binding| {
            let needed = binding.resolve.iter().flat_map(|resolve| &resolve.by).flat_map(NameLookup::needed);
            needed.into_iter().any(|name| name != binding.argument && left.iter().any(|other| other.argument == name))
        };
        let (later, now): (Vec<&Binding>, Vec<&Binding>) = left.iter().copied().partition(waits);
        // In a circle none can be first.
        let (later, now) = if now.is_empty() { (Vec::new(), later) } else { (later, now) };
        ordered.extend(now);
        left = later;
    }
    ordered
}

/// Returns the texts and numbers at a dotted path of an argument, through lists element by element.
pub(super) fn places(argument: &Value, at: &str) -> Vec<NamePlace> {
    let mut found = Vec::new();
    let steps: Vec<&str> = at.split('.').filter(|step| !step.is_empty()).collect();
    collect(
        argument,
        &steps,
        NamePlace { pointer: String::new(), shown: String::new(), text: String::new() },
        &mut found,
    );
    found
}

fn collect(value: &Value, steps: &[&str], here: NamePlace, found: &mut Vec<NamePlace>) {
    match (value, steps.split_first()) {
        (Value::Array(items), _) => {
            for (index, item) in items.iter().enumerate() {
                let (pointer, shown) = (format!("{}/{index}", here.pointer), format!("{}[{index}]", here.shown));
                collect(item, steps, NamePlace { pointer, shown, text: String::new() }, found);
            }
        }
        (Value::Object(entries), Some((step, rest))) => {
            if let Some(entry) = entries.get(*step) {
                let (pointer, shown) = (format!("{}/{step}", here.pointer), format!("{}.{step}", here.shown));
                collect(entry, rest, NamePlace { pointer, shown, text: String::new() }, found);
            }
        }
        (Value::String(text), None) => found.push(NamePlace { text: text.clone(), ..here }),
        (Value::Number(number), None) => found.push(NamePlace { text: number.to_string(), ..here }),
        _ => {}
    }
}

/// Whether an argument as a whole holds a name, which is no id yet.
pub(super) fn is_name(binding: &Binding, text: &str) -> bool {
    let whole = binding.resolve.iter().find(|resolve| resolve.at.is_empty());
    whole.is_some_and(|resolve| text.starts_with(NAME_PREFIX) || !pattern_matches(&resolve.id, text.trim()))
}

/// Returns the ids in an argument that are beyond what the vendor takes, each with its place, and what it takes.
pub(super) fn out_of_bounds(binding: &Binding, value: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for resolve in binding.resolve.iter().filter(|resolve| resolve.number) {
        let (least, most) = (resolve.minimum.unwrap_or(i64::MIN), resolve.maximum.unwrap_or(i64::MAX));
        let expected = match (resolve.minimum, resolve.maximum) {
            (Some(least), Some(most)) => format!("a number from {least} to {most}"),
            (Some(least), None) => format!("a number of {least} or more"),
            (None, _) => format!("a number of at most {most}"),
        };
        for NamePlace { shown, text, .. } in places(value, &resolve.at) {
            let is_id = pattern_matches(&resolve.id, text.trim());
            let fits = text.trim().parse::<i64>().is_ok_and(|id| (least..=most).contains(&id));
            if is_id && !fits {
                found.push((shown, expected.clone(), text));
            }
        }
    }
    found
}

/// Returns a text in an argument that is no id where one has to be.
pub(super) fn unresolved(binding: &Binding, value: &Value) -> Option<String> {
    let mut places = binding.resolve.iter().flat_map(|resolve| {
        let is_open = |place: &NamePlace| !pattern_matches(&resolve.id, place.text.trim());
        places(value, &resolve.at).into_iter().filter(is_open).collect::<Vec<_>>()
    });
    places.next().map(|place| place.text)
}

/// Writes the ids of an argument as numbers, where the vendor takes those.
pub(super) fn as_vendor_takes(binding: &Binding, mut value: Value) -> Value {
    for resolve in binding.resolve.iter().filter(|resolve| resolve.number) {
        for place in places(&value, &resolve.at) {
            let number = place.text.trim().parse::<i64>().ok().map(Number::from);
            if let (Some(number), Some(at)) = (number, value.pointer_mut(&place.pointer)) {
                *at = Value::Number(number);
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, json};

    use super::*;
    use toolwright_model::{Place, Resolve};

    fn binding(argument: &str, at: &str, needs: &[&str]) -> Binding {
        let arguments: Map<String, Value> =
            needs.iter().map(|name| ((*name).to_owned(), Value::from(format!("{{{name}}}")))).collect();
        let resolve = Resolve {
            at: at.to_owned(),
            number: true,
            minimum: Some(-5),
            maximum: Some(2_147_483_647),
            called: "a thing".to_owned(),
            id: "-?[0-9]+".to_owned(),
            words: "a number".to_owned(),
            values: BTreeMap::new(),
            by: vec![NameLookup { arguments, ..NameLookup::default() }],
        };
        Binding { resolve: vec![resolve], ..Binding::plain(argument, Place::Query(argument.to_owned())) }
    }

    #[test]
    fn what_others_need_comes_first() {
        let order =
            |bindings: &[Binding]| in_order(bindings).iter().map(|one| one.argument.clone()).collect::<Vec<_>>();
        let chain = [binding("type", "", &["queue"]), binding("queue", "", &["desk"]), binding("desk", "", &[])];
        assert_eq!(order(&chain), ["desk", "queue", "type"]);
        let circle = [binding("a", "", &["b"]), binding("b", "", &["a"]), binding("c", "", &["c", "given"])];
        assert_eq!(order(&circle), ["c", "a", "b"]);
        assert!(in_order(&[Binding::plain("d", Place::Body)]).is_empty());
    }

    #[test]
    fn ids_become_numbers_wherever_they_are() {
        let nested = binding("users", "of.id", &[]);
        let given = json!([{"of": {"id": "7"}}, {"of": {"id": 8}}, {"of": {"id": "Ann"}}, {"id": "9"}, null]);
        let written = json!([{"of": {"id": 7}}, {"of": {"id": 8}}, {"of": {"id": "Ann"}}, {"id": "9"}, null]);
        assert_eq!(as_vendor_takes(&nested, given.clone()), written);
        let shown: Vec<String> = places(&given, "of.id").into_iter().map(|place| place.shown).collect();
        assert_eq!(shown, ["[0].of.id", "[1].of.id", "[2].of.id"]);
        let list = binding("ids", "", &[]);
        assert_eq!(
            as_vendor_takes(&list, json!(["1", "-1", "99999999999999999999"])),
            json!([1, -1, "99999999999999999999"])
        );
        assert_eq!(unresolved(&list, &json!(["1", "Ann"])).as_deref(), Some("Ann"));
        assert_eq!((unresolved(&list, &json!(["1", 2])), unresolved(&list, &Value::Null)), (None, None));
        let beyond = out_of_bounds(&list, &json!(["-6", 7, "Ann", "2147483648", "99999999999999999999"]));
        let at: Vec<&str> = beyond.iter().map(|(at, _, _)| at.as_str()).collect();
        assert_eq!(at, ["[0]", "[3]", "[4]"]);
        assert_eq!(beyond[0].1, "a number from -5 to 2147483647");
        let text = Binding { resolve: vec![Resolve { number: false, ..list.resolve[0].clone() }], ..list.clone() };
        assert_eq!(as_vendor_takes(&text, json!("1")), json!("1"));
        for (given, is_a_name) in [("42", false), (" 42 ", false), ("name:42", true), ("Ann", true), ("", true)] {
            assert_eq!(is_name(&list, given), is_a_name, "{given}");
        }
        assert!(!is_name(&nested, "Ann"));
    }
}

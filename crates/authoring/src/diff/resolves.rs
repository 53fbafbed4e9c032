//! A change and the tools that it hits → the kinds of records whose names are looked up by what changed: `user:
//! acme_list_users, email`.

use std::collections::BTreeSet;

use super::change::Place;
use super::hits::HitTool;
use super::ours::OurApi;
use toolwright_model::NameLookup;

/// How deep the records may be in an answer.
const DEEPEST_RECORDS: usize = 3;

/// Returns the kinds that are looked up by the tools, as far as they use what a place is about.
pub(super) fn find(api: &OurApi, tools: &[HitTool], place: &Place) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut look = |kind: &str, by: &NameLookup| {
        if tools.iter().any(|tool| tool.name == by.tool) {
            found.extend(used(by, place).into_iter().map(|what| format!("{kind}: {}{what}", by.tool)));
        }
    };
    let of_vendor = api.connection.iter().flat_map(|vendor| &vendor.resolve);
    let kinds: Vec<_> = of_vendor.collect();
    for (kind, resolve) in &kinds {
        resolve.by.iter().for_each(|by| look(kind, by));
    }
    // Those that an overlay states by itself.
    for tool in &api.tools {
        for binding in tool.calls.iter().flat_map(|call| &call.bindings) {
            let own = binding.resolve.iter().filter(|own| !kinds.iter().any(|(_, kind)| kind.called == own.called));
            own.flat_map(|own| &own.by).for_each(|by| look(&format!("{} of {}", binding.argument, tool.name), by));
        }
    }
    found.into_iter().collect()
}

/// What of a look-up a place is about: a field of its records, an argument, or all of it.
fn used(by: &NameLookup, place: &Place) -> Vec<String> {
    match place {
        Place::Answer { inside, .. } => {
            let way = inside.replace("[]", "");
            let way: Vec<&str> = way.split('.').filter(|step| !step.is_empty()).collect();
            let fields =
                by.fields.iter().flat_map(|field| field.split(' ')).chain(by.filter.keys().map(String::as_str));
            let fields = fields.chain(by.show.iter().map(String::as_str)).chain([by.id.as_str()]);
            let is_about = |field: &&str| {
                let field: Vec<&str> = field.split('.').collect();
                (0..way.len().min(DEEPEST_RECORDS))
                    .any(|from| way[from..].starts_with(&field) || field.starts_with(&way[from..]))
            };
            let mut fields: Vec<&str> = fields.filter(is_about).collect();
            fields.dedup();
            fields.into_iter().map(|field| format!(", {field}")).collect()
        }
        Place::Parameter { name, .. } => {
            by.arguments.contains_key(name).then(|| format!(", {name}")).into_iter().collect()
        }
        Place::Whole | Place::Body { .. } => vec![String::new()],
        Place::AnswerHeader { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_is_hit_by_what_it_uses() {
        let by = NameLookup {
            tool: "acme_list_users".to_owned(),
            fields: vec!["email".to_owned(), "name.first name.last".to_owned()],
            id: "id".to_owned(),
            ..NameLookup::default()
        };
        let answer = |inside: &str| Place::Answer { status: "200".to_owned(), inside: inside.to_owned() };
        for (place, expected) in [
            (answer("results[].email"), vec![", email"]),
            (answer("[].name"), vec![", name.first", ", name.last"]),
            (answer("[].id"), vec![", id"]),
            (answer("[].town"), vec![]),
            (Place::Whole, vec![""]),
        ] {
            assert_eq!(used(&by, &place), expected, "{place:?}");
        }
    }
}

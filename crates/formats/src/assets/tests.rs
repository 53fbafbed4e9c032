use std::collections::BTreeMap;

use super::*;
use crate::tests::Bench;

const ATTRIBUTES: &str = "listAttributes";

fn formatted() -> Formatted {
    let tools = [(PEOPLE, "acme_find_people"), (OBJECTS, "acme_search")];
    let tools: BTreeMap<String, String> = tools.map(|(word, tool)| (word.to_owned(), tool.to_owned())).into();
    Formatted { ask: Some(ATTRIBUTES.to_owned()), tools, ..Formatted::whole("assets-attributes") }
}

fn bench() -> Bench {
    let attribute = |id: &str, name: &str, kind: u64| json!({"id": id, "name": name, "type": kind, "editable": true});
    let mut bench = Bench::answering(&[(
        ATTRIBUTES,
        json!([
            {"id": "134", "name": "Key", "type": 0, "editable": false},
            attribute("135", "Name", 0),
            attribute("136", "Owner", 2),
            attribute("137", "Location", 1),
            attribute("138", "RAM", 0),
            attribute("139", "Note", 0),
            attribute("140", "Note", 0),
        ]),
    )]);
    bench.properties = vec![(Place::Property(TYPE.to_owned()), json!("23"))];
    bench
}

fn written(given: Value) -> Result<Value, FormatError> {
    bench().write(&[formatted()], given).0
}

#[test]
fn names_become_ids_and_values_become_lists_of_texts() {
    let given = json!({"Name": "LT-42", "owner": "712020:4be1", "Location": ["OFF-3", "17"], "RAM": 32, "140": null});
    let expected = |id: &str, values: &[&str]| {
        let values: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
        json!({"objectTypeAttributeId": id, "objectAttributeValues": values})
    };
    assert_eq!(
        written(given),
        Ok(json!([
            expected("135", &["LT-42"]),
            expected("136", &["712020:4be1"]),
            expected("137", &["OFF-3", "17"]),
            expected("138", &["32"]),
            expected("140", &[]),
        ]))
    );
}

#[test]
fn what_the_type_does_not_take_is_refused_where_it_is() {
    for (given, at, part) in [
        (json!({"Nam": "x"}), ".Nam", "such as `Name`"),
        (json!({"Note": "x"}), ".Note", "give an id: `139`, `140`"),
        (json!({"Key": "IT-1"}), ".Key", "the vendor sets this one itself"),
        (json!({"Owner": "Ann Lee"}), ".Owner", "acme_find_people"),
        (json!({"Owner": "ann@example.com"}), ".Owner", "the accountId of a person"),
        (json!({"Location": "Berlin office"}), ".Location", "acme_search"),
        (json!({"Name": "x", "135": "y"}), ".135", "each attribute once"),
        (json!({"RAM": {"value": 32}}), ".RAM", "a text, a number"),
        (json!({"RAM": [null]}), ".RAM", "a text, a number"),
        (json!(["Name"]), "", "an object with an entry for each attribute"),
    ] {
        let error = written(given.clone()).unwrap_err();
        assert_eq!(error.at, at, "{given}");
        assert!(error.expected.contains(part), "{given}: {error:?}");
    }
}

#[test]
fn attributes_are_looked_up_once_for_a_type() {
    let mut bench = bench();
    for (minutes, lookups) in [(0, 1), (9, 1), (10, 2)] {
        bench.minutes = minutes;
        bench.write(&[formatted()], json!({"Name": "x"})).0.unwrap();
        assert_eq!(bench.lookups(), lookups, "{minutes}");
    }
    bench.properties = vec![(Place::Property(TYPE.to_owned()), json!(24))];
    bench.write(&[formatted()], json!({"Name": "x"})).0.unwrap();
    assert_eq!(bench.lookups(), 3);
}

#[test]
fn a_dry_run_shows_names_and_a_failed_lookup_refuses() {
    let mut dry = Bench::new(Err(LookupError::DryRun));
    dry.properties = vec![(Place::Property(TYPE.to_owned()), json!("23"))];
    let (shown, notes) = dry.write(&[formatted()], json!({"Owner": "712020:4be1"}));
    let entry = json!({"objectTypeAttributeId": "Owner", "objectAttributeValues": [{"value": "712020:4be1"}]});
    assert_eq!((shown, notes.len()), (Ok(json!([entry])), 1));
    let mut broken = Bench::new(Ok(json!({"not": "a list"})));
    broken.properties = dry.properties;
    let error = broken.write(&[formatted()], json!({"Owner": "x"})).0.unwrap_err();
    assert!(error.expected.contains("could not be looked up"), "{error:?}");
}

#[test]
fn attributes_of_an_answer_are_read_as_people_see_them() {
    let definitions = json!([
        {"id": 134, "name": "Owner", "type": 2},
        {"id": "135", "name": "Bought", "type": 0, "defaultType": {"id": 4, "name": "Date"}},
    ]);
    let read = |attribute: Value| AssetsAttributes.read(&attribute, &definitions, &mut 1_000);
    let entry =
        |name: &str, texts: &[&str]| ReadValue::Entry(name.to_owned(), texts.iter().map(|t| (*t).to_owned()).collect());
    let user = json!({"displayValue": "Ann Lee", "user": {"displayName": "Ann Lee", "key": "712020:4be1"}});
    for (given, expected) in [
        (
            json!({"objectTypeAttributeId": "134", "objectAttributeValues": [user]}),
            entry("Owner", &["Ann Lee (712020:4be1)"]),
        ),
        (
            json!({"objectTypeAttributeId": "135", "objectAttributeValues": [{"value": "2024-03-01", "displayValue": "01/Mar/24"}]}),
            entry("Bought", &["2024-03-01"]),
        ),
        (
            json!({"objectTypeAttributeId": "9", "objectTypeAttribute": {"name": "Site"}, "objectAttributeValues": [
                {"referencedObject": {"label": "Berlin", "objectKey": "OFF-3"}}, {"displayValue": "x", "value": "y"},
                {"group": {"name": "it-staff"}}, {"status": {"id": "1", "name": "In use"}}, {"value": true}, {},
            ]}),
            entry("Site", &["Berlin (OFF-3)", "x", "it-staff", "In use", "true", ""]),
        ),
        (json!({"objectTypeAttributeId": "777", "objectAttributeValues": []}), entry("attribute 777", &[])),
        (json!({"objectAttributeValues": [5]}), entry("attribute without id", &[""])),
    ] {
        assert_eq!(read(given.clone()), expected, "{given}");
    }
}

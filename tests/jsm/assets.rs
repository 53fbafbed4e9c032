//! Everyday questions about Assets, each answered in two calls at most, over a scripted site; and what a model can do wrong
//! with them.

use serde_json::{Value, json};

use super::desk::{Desk, answers};

const ANN: &str = "712020:4be1f0aa-90c3-4d27-8d0e-6f2f7a1b9c55";
const PAT: &str = "712020:77aa10c2-5c1d-4f0e-8c6e-3b7d1f2a9e04";
const SEARCH: &str = "searchAssetsObjects";

/// A person as Assets returns them.
fn person(name: &str, id: &str) -> Value {
    json!({"displayValue": name, "user": {"displayName": name, "key": id}})
}

/// The attributes of the type Laptop.
fn definitions() -> Value {
    let attribute = |id: &str, name: &str, kind: u64| json!({"id": id, "name": name, "type": kind, "editable": true, "minimumCardinality": u64::from(name == "Name")});
    json!([
        {"id": "134", "name": "Key", "type": 0, "editable": false},
        attribute("135", "Name", 0),
        attribute("136", "Owner", 2),
        attribute("137", "Office", 1),
        attribute("138", "Status", 7),
        attribute("139", "Warranty until", 0),
    ])
}

/// A laptop with what an attribute has, by the attribute's id.
fn laptop(id: &str, name: &str, attributes: &[(&str, Value)]) -> Value {
    let label = ("135", json!({"value": name, "displayValue": name}));
    let attributes: Vec<Value> = std::iter::once(&label)
        .chain(attributes)
        .map(|(attribute, value)| json!({"id": format!("{id}{attribute}"), "objectTypeAttributeId": attribute, "objectAttributeValues": [value]}))
        .collect();
    json!({"id": id, "label": name, "objectKey": format!("ITSM-{id}"), "objectType": {"id": "23", "name": "Laptop", "icon": {"id": "1"}}, "hasAvatar": false, "attributes": attributes})
}

fn page(values: &[Value]) -> Value {
    json!({"startAt": 0, "maxResults": 25, "total": values.len(), "values": values, "objectTypeAttributes": definitions(), "isLast": true, "last": true})
}

fn found(aql: &str, values: &[Value]) -> Value {
    answers(SEARCH, &json!({"body": {"qlQuery": aql}}), &page(values))
}

fn office() -> Value {
    json!({"displayValue": "Berlin", "referencedObject": {"id": "12", "label": "Berlin", "objectKey": "ITSM-12"}})
}

/// A site with three laptops. Any other question is answered with 404.
fn site() -> Value {
    let owned = laptop("42", "LT-0042", &[("136", person("Ann Lee", ANN)), ("137", office())]);
    let free = laptop("43", "LT-0043", &[]);
    let server = laptop("90", "LT-0090", &[("139", json!({"value": "2026-12-31", "displayValue": "2026-12-31"}))]);
    let people = json!([{"accountId": ANN, "displayName": "Ann Lee", "active": true, "accountType": "atlassian"}]);
    let history = json!([
        {"id": "1", "affectedAttribute": "Owner", "oldValue": "Pat Silva", "newValue": "Ann Lee", "type": 0, "created": "2026-10-02T08:31:05.120Z", "objectId": "42", "actor": {"displayName": "Noor Haddad", "key": PAT, "avatarUrl": "x"}},
    ]);
    let tickets = json!({"allTicketsQuery": "key in (ITS-12)", "tickets": [
        {"id": "10041", "key": "ITS-12", "title": "Screen stays black", "reporter": ANN, "created": "2026-11-02T09:14:00.000Z", "updated": "2026-11-03T10:00:00.000Z", "status": {"name": "In progress"}, "type": {"name": "Incident"}, "priority": {"name": "High"}},
    ]});
    let schemas = json!({"startAt": 0, "maxResults": 25, "total": 1, "isLast": true, "last": true, "values": [{"id": "6", "name": "IT hardware", "objectSchemaKey": "ITSM", "objectCount": 214, "objectTypeCount": 2}]});
    let types = json!([
        {"id": "23", "name": "Laptop", "objectSchemaId": "6", "position": 0, "objectCount": 120},
        {"id": "24", "name": "Office", "objectSchemaId": "6", "position": 1, "objectCount": 4},
    ]);
    json!([
        // The format of AQL asks which type is meant.
        answers(SEARCH, &json!({"body": {"qlQuery": "objectType = \"Laptop\""}, "query": {"maxResults": "2"}}), &page(&[laptop("42", "LT-0042", &[])])),
        found(&format!("objectType = \"Laptop\" AND Owner = \"{ANN}\""), std::slice::from_ref(&owned)),
        found("objectType = Laptop AND Office = ITSM-12", std::slice::from_ref(&owned)),
        found("objectType = Laptop AND Owner IS EMPTY", std::slice::from_ref(&free)),
        found("Key = ITSM-42", std::slice::from_ref(&owned)),
        found("Name = LT-0043", std::slice::from_ref(&free)),
        found("objectType = Laptop AND \"Warranty until\" <= \"2026-12-31\"", std::slice::from_ref(&server)),
        answers("findUsers", &json!({"query": {"query": "Ann Lee"}}), &people),
        answers("listAssetsObjectHistory", &json!({"path": {"id": "42"}}), &history),
        answers("listAssetsObjectTickets", &json!({"path": {"objectId": "42"}}), &tickets),
        answers("listAssetsSchemas", &json!({}), &schemas),
        answers("listAssetsTypes", &json!({"path": {"id": "6"}}), &types),
        answers("listAssetsTypeAttributes", &json!({"path": {"id": "23"}}), &definitions()),
        answers("countAssetsObjects", &json!({}), &json!({"totalCount": 120})),
        answers("updateAssetsObject", &json!({"path": {"id": "43"}}), &laptop("43", "LT-0043", &[("136", person("Ann Lee", ANN))])),
        {"operation": "createAssetsObject", "answer": {"status": 201, "body": {"id": "99", "label": "LT-0099", "objectKey": "ITSM-99", "objectType": {"id": "23", "name": "Laptop"}, "hasAvatar": false}}},
        {"operation": "*", "answer": {"status": 404, "body": {"errorMessages": ["Not on this site."], "errors": {}}}},
    ])
}

/// What the first object of an answer has, by name.
fn attributes(answer: &Value) -> &Value {
    &answer["values"][0]["attributes"]
}

#[tokio::test]
async fn which_laptop_does_a_person_have() {
    let desk = Desk::served(&site()).await;
    let people = desk.answer("jsm_find_users", json!({"query": "Ann Lee"})).await;
    let owner = people.as_array().or(people["items"].as_array()).unwrap()[0]["accountId"].as_str().unwrap().to_owned();
    let answer = desk
        .answer("jsm_search_assets", json!({"aql": format!("objectType = \"Laptop\" AND Owner = \"{owner}\"")}))
        .await;
    assert_eq!(
        (&answer["values"][0]["label"], &answer["values"][0]["objectKey"]),
        (&json!("LT-0042"), &json!("ITSM-42"))
    );
    let expected = json!({"Name": "LT-0042", "Owner": format!("Ann Lee ({ANN})"), "Office": "Berlin (ITSM-12)"});
    assert_eq!(attributes(&answer), &expected);
    assert!(answer["untrusted"].to_string().contains("attributes"), "{answer}");
}

#[tokio::test]
async fn who_uses_this_device_and_where_is_it() {
    let desk = Desk::served(&site()).await;
    let answer = desk.answer("jsm_search_assets", json!({"aql": "Key = ITSM-42"})).await;
    assert_eq!(attributes(&answer)["Owner"], format!("Ann Lee ({ANN})"));
    assert_eq!(attributes(&answer)["Office"], "Berlin (ITSM-12)");
    // A key names no type, so nothing is looked up.
    assert_eq!(desk.sent().len(), 1);
}

#[tokio::test]
async fn what_is_in_an_office() {
    let desk = Desk::served(&site()).await;
    let answer = desk.answer("jsm_search_assets", json!({"aql": "objectType = Laptop AND Office = ITSM-12"})).await;
    assert_eq!(answer["values"][0]["label"], "LT-0042");
    assert_eq!(answer["page"]["has_more"], false);
}

#[tokio::test]
async fn which_laptops_have_no_owner() {
    let desk = Desk::served(&site()).await;
    let answer = desk.answer("jsm_search_assets", json!({"aql": "objectType = Laptop AND Owner IS EMPTY"})).await;
    assert_eq!(attributes(&answer), &json!({"Name": "LT-0043"}));
}

#[tokio::test]
async fn what_runs_out_of_warranty() {
    let desk = Desk::served(&site()).await;
    let aql = "objectType = Laptop AND \"Warranty until\" <= \"2026-12-31\"";
    let answer = desk.answer("jsm_search_assets", json!({"aql": aql})).await;
    assert_eq!(attributes(&answer)["Warranty until"], "2026-12-31");
}

#[tokio::test]
async fn who_had_the_laptop_before() {
    let desk = Desk::served(&site()).await;
    let id = desk.answer("jsm_search_assets", json!({"aql": "Key = ITSM-42"})).await["values"][0]["id"].clone();
    let history = desk.answer("jsm_list_asset_history", json!({"objectId": id})).await.to_string();
    for part in ["Owner", "Pat Silva", "Ann Lee", "Noor Haddad"] {
        assert!(history.contains(part), "{part}: {history}");
    }
}

#[tokio::test]
async fn which_issues_are_about_it() {
    let desk = Desk::served(&site()).await;
    let id = desk.answer("jsm_search_assets", json!({"aql": "Key = ITSM-42"})).await["values"][0]["id"].clone();
    let issues = desk.answer("jsm_list_asset_issues", json!({"objectId": id})).await;
    assert_eq!(issues["tickets"][0]["key"], "ITS-12", "{issues}");
    assert_eq!(issues["tickets"][0]["status"]["name"], "In progress");
}

#[tokio::test]
async fn what_is_kept_in_assets_and_how_much_of_it() {
    let desk = Desk::served(&site()).await;
    let schemas = desk.answer("jsm_list_asset_schemas", json!({})).await;
    let types = desk.answer("jsm_list_asset_types", json!({"schemaId": schemas["values"][0]["id"]})).await.to_string();
    assert!(types.contains("Laptop") && types.contains("120"), "{types}");
}

#[tokio::test]
async fn a_laptop_gets_another_owner() {
    let desk = Desk::open(&site()).await;
    let found = desk.answer("jsm_search_assets", json!({"aql": "Name = LT-0043"})).await;
    let object = &found["values"][0];
    desk.sent();
    let change =
        json!({"objectId": object["id"], "objectTypeId": object["objectType"]["id"], "attributes": {"Owner": ANN}});
    let changed = desk.answer("jsm_update_asset", change).await;
    assert_eq!(changed["attributes"]["Owner"].as_str(), None, "the answer has ids only: {changed}");
    let sent = desk.sent();
    let (looked_up, change) = (&sent[0], &sent[1]);
    assert_eq!((looked_up.method.as_str(), looked_up.path.as_str()), ("GET", "/objecttype/23/attributes"));
    let owner = json!([{"objectTypeAttributeId": "136", "objectAttributeValues": [{"value": ANN}]}]);
    assert_eq!(change.json().unwrap(), json!({"objectTypeId": "23", "attributes": owner}));
}

#[tokio::test]
async fn a_new_laptop_is_registered() {
    let desk = Desk::open(&site()).await;
    desk.answer("jsm_list_asset_type_attributes", json!({"objectTypeId": "23"})).await;
    desk.sent();
    let given = json!({"objectTypeId": "23", "attributes": {"name": "LT-0099", "Office": "ITSM-12", "Warranty until": "2029-11-30"}});
    let created = desk.answer("jsm_create_asset", given).await;
    assert_eq!((&created["id"], &created["objectKey"]), (&json!("99"), &json!("ITSM-99")));
    let body = desk.sent().last().unwrap().json().unwrap();
    let ids: Vec<&str> = body["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["objectTypeAttributeId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["135", "137", "139"]);
}

#[tokio::test]
async fn how_many_laptops_there_are() {
    let desk = Desk::open(&site()).await;
    assert_eq!(desk.answer("jsm_count_assets", json!({"aql": "objectType = Laptop"})).await["totalCount"], 120);
}

#[tokio::test]
async fn a_query_is_checked_before_it_is_sent() {
    let desk = Desk::served(&site()).await;
    for (aql, part) in [
        ("", "it means every object there is"),
        ("ORDER BY Name", "it means every object there is"),
        ("Name = \"LT", "opens at character 8"),
        ("objectTypeId = 23 AND Ownr = x", "Owner"),
    ] {
        let refused = desk.refusal("jsm_search_assets", json!({"aql": aql})).await;
        assert!(refused.contains(part) && refused.contains("nothing was sent"), "{aql}: {refused}");
    }
    assert!(desk.sent().iter().all(|sent| sent.path == "/objecttype/23/attributes"));
}

#[tokio::test]
async fn a_refused_query_has_the_vendors_message() {
    let message = "Expected an operator at position 12.";
    let script =
        json!([{"operation": SEARCH, "answer": {"status": 400, "body": {"errorMessages": [message], "errors": {}}}}]);
    let desk = Desk::served(&script).await;
    let refused = desk.refusal("jsm_search_assets", json!({"aql": "Name Laptop"})).await;
    assert!(refused.contains(message) && refused.contains("double quotes"), "{refused}");
}

#[tokio::test]
async fn attributes_that_the_type_does_not_take_are_refused() {
    let desk = Desk::open(&site()).await;
    for (attributes, parts) in [
        (json!({"Ownr": ANN}), &["attributes.Ownr", "Owner"][..]),
        (json!({"Owner": "Ann Lee"}), &["attributes.Owner", "jsm_find_users"]),
        (json!({"Office": "Berlin"}), &["attributes.Office", "jsm_search_assets"]),
        (json!({"Key": "ITSM-1"}), &["attributes.Key", "sets this one itself"]),
    ] {
        let given = json!({"objectId": "43", "objectTypeId": "23", "attributes": attributes});
        let refused = desk.refusal("jsm_update_asset", given).await;
        assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
    }
    let by_key = desk.refusal("jsm_get_asset", json!({"objectId": "ITSM-42"})).await;
    assert!(by_key.contains("jsm_search_assets"), "{by_key}");
    assert!(desk.sent().iter().all(|sent| sent.method == "GET"));
}

#[tokio::test]
async fn an_answer_can_be_had_as_the_vendor_sent_it() {
    let desk = Desk::served(&site()).await;
    let given = json!({"aql": "Key = ITSM-42", "answer": {"assets-attributes": true}});
    let answer = desk.answer("jsm_search_assets", given).await;
    assert_eq!(attributes(&answer)[0]["objectTypeAttributeId"], "135");
}

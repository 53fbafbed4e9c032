//! Questions as a model asks them → what JumpCloud reads: filters, lists, sorting, times, pages.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use toolwright::catalog::{Catalog, sandbox_tables};
use toolwright::policy::{Defaults, SelectionWords};
use toolwright_model::{PagingKind, Place};

use super::{ask, client, query, toolbox, tools};
use crate::common::{everything, sandbox};

/// What a call sends, percent-encoded as it travels and decoded; or why nothing was sent.
async fn sent(tool: &str, arguments: Value) -> Result<(String, String), String> {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::CoreReads)).await;
    match ask(&client, tool, &arguments).await {
        Ok(_) => {
            let recorded = sandbox.record().pop().unwrap();
            assert!(recorded.is_accepted(), "{tool}: {:?}", recorded.verdict);
            Ok((recorded.query.clone(), query(&recorded)))
        }
        Err(error) => {
            assert!(sandbox.record().is_empty(), "{tool}: refused, and sent: {error}");
            Err(error)
        }
    }
}

fn condition(field: &str, operator: &str, value: &str) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

#[tokio::test]
async fn one_filter_form_is_written_for_both_versions() {
    let os = condition("os", "eq", "Mac OS X");
    let seen = |operator| condition("lastContact", operator, "2026-11-01T00:00:00Z");
    for (tool, filter, expected) in [
        (
            "jumpcloud_list_devices",
            json!([os, seen("gte")]),
            "filter=os:$eq:Mac OS X&filter=lastContact:$gte:2026-11-01T00:00:00Z&limit=25&sort=_id",
        ),
        // The spellings of the other version and of programs mean the same.
        (
            "jumpcloud_list_devices",
            json!([seen("ge"), condition("os", "!=", "Linux")]),
            "filter=lastContact:$gte:2026-11-01T00:00:00Z&filter=os:$ne:Linux&limit=25&sort=_id",
        ),
        (
            "jumpcloud_list_users",
            json!([condition("department", "eq", "Optics, Lab & Co")]),
            "filter=department:$eq:Optics, Lab & Co&limit=25&sort=_id",
        ),
        (
            "jumpcloud_list_user_groups",
            json!([condition("name", "search", "Optics Lab"), condition("type", "$ne", "x")]),
            "filter=name:search:Optics Lab,type:ne:x&limit=25&sort=name",
        ),
        ("jumpcloud_list_user_groups", json!([condition("name", "gte", "A")]), "filter=name:ge:A&limit=25&sort=name"),
    ] {
        let (_, written) = sent(tool, json!({"filter": filter})).await.unwrap();
        assert_eq!(written, expected, "{tool}");
    }
    let (raw, _) = sent("jumpcloud_list_devices", json!({"filter": [os]})).await.unwrap();
    assert!(raw.starts_with("filter=os%3A%24eq%3AMac"), "{raw}");
    let (raw, _) =
        sent("jumpcloud_list_users", json!({"filter": [condition("department", "eq", "R&D")]})).await.unwrap();
    assert!(raw.contains("R%26D"), "{raw}");
}

#[tokio::test]
async fn a_wrong_filter_is_explained() {
    for (tool, filter, expected) in [
        ("jumpcloud_list_devices", condition("hostnam", "eq", "x"), "did you mean `hostname`"),
        ("jumpcloud_list_devices", condition("colour", "eq", "x"), "`serialNumber`"),
        ("jumpcloud_list_devices", condition("os", "contains", "x"), "`eq`, `ne`, `gt`, `gte`, `lt`, `lte`"),
        ("jumpcloud_list_devices", condition("os", "search", "x"), "`eq`, `ne`, `gt`, `gte`, `lt`, `lte`"),
        (
            "jumpcloud_list_user_groups",
            condition("name", "contains", "x"),
            "`eq`, `ne`, `gt`, `ge`, `lt`, `le`, `between`, `search`, `in`",
        ),
        ("jumpcloud_list_user_groups", condition("name", "eq", "a,b"), "a value without a comma"),
        ("jumpcloud_list_devices", json!("os:$eq:Windows"), "`field`, `operator`, `value`"),
    ] {
        let error = sent(tool, json!({"filter": [filter]})).await.unwrap_err();
        assert!(error.contains(expected), "{tool} {filter}: {error}");
    }
}

#[tokio::test]
async fn lists_are_joined_as_each_version_reads_them() {
    let (raw, written) =
        sent("jumpcloud_list_users", json!({"fields": ["username", "email"], "sort": ["-created", "email"]}))
            .await
            .unwrap();
    assert_eq!(written, "fields=username email&limit=25&sort=-created email");
    assert!(raw.contains("fields=username%20email") || raw.contains("fields=username+email"), "{raw}");
    let (_, written) = sent("jumpcloud_list_user_groups", json!({"fields": ["id", "name"]})).await.unwrap();
    assert_eq!(written, "fields=id,name&limit=25&sort=name");
    // What would fall apart into two values is kept.
    let error = sent("jumpcloud_list_users", json!({"fields": ["user name"]})).await.unwrap_err();
    assert!(error.contains("without a space"), "{error}");
}

/// Listings of the second API whose description lists no fields to sort by.
const UNSORTED: [&str; 13] = [
    "jumpcloud_list_active_directory_agents",
    "jumpcloud_list_application_accounts",
    "jumpcloud_list_device_group_effective_members",
    "jumpcloud_list_device_memberships",
    "jumpcloud_list_gsuite_rules",
    "jumpcloud_list_office365_rules",
    "jumpcloud_list_policy_group_effective_members",
    "jumpcloud_list_policy_memberships",
    "jumpcloud_list_provider_invoices",
    "jumpcloud_list_software_app_statuses",
    "jumpcloud_list_user_group_effective_members",
    "jumpcloud_list_user_memberships",
    "jumpcloud_list_workday_workers",
];

#[test]
fn listings_paged_by_number_are_sorted_where_the_api_can() {
    let mut can_sort: HashMap<(String, String), bool> = HashMap::new();
    for (api, table) in sandbox_tables() {
        let table: Value = serde_json::from_str(table).unwrap();
        for operation in table["operations"].as_array().unwrap() {
            let parameters = operation["parameters"].as_array();
            let sort = parameters.into_iter().flatten().any(|one| one["name"] == "sort" && one["in"] == "query");
            can_sort.insert((api.to_owned(), operation["operation"].as_str().unwrap().to_owned()), sort);
        }
    }
    let catalog = Catalog::compiled();
    let mut unsorted = Vec::new();
    for entry in tools(&catalog) {
        for call in &entry.tool.calls {
            let pages = call.paging.as_ref().is_some_and(|paging| paging.kind == PagingKind::Offset);
            let by_sort = |place: &Place| *place == Place::Query("sort".to_owned());
            let sorted = call.bindings.iter().any(|binding| by_sort(&binding.place) && binding.default.is_some())
                || call.fixed.iter().any(|fixed| by_sort(&fixed.place));
            if pages && !sorted && can_sort[&(call.api.clone(), call.operation.clone())] {
                unsorted.push(entry.tool.name.as_str());
            }
        }
    }
    assert_eq!(unsorted, UNSORTED);
}

/// 2026-11-21T12:00:00Z.
fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_262_400)
}

#[tokio::test]
async fn event_queries_follow_the_vendors_examples() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads).with_clock(noon);
    let client = client(toolbox).await;
    let arguments = json!({
        "service": ["sso", "directory"],
        "start_time": "-24h",
        "end_time": "2026-11-21T10:00:00+01:00",
        "search_term": {"and": {"event_type": "sso_auth", "success": false}},
        "fields": ["timestamp", "client_ip"],
        "q": "solheim",
        "limit": 50,
    });
    ask(&client, "jumpcloud_list_events", &arguments).await.unwrap();
    ask(&client, "jumpcloud_list_events", &json!({})).await.unwrap();
    ask(&client, "jumpcloud_count_events", &json!({"service": ["sso"], "start_time": "-7d"})).await.unwrap();
    let bodies: Vec<Value> = sandbox.take_record().iter().map(|recorded| recorded.json().unwrap()).collect();
    let expected = [
        json!({
            "service": ["sso", "directory"],
            "start_time": "2026-11-20T12:00:00Z",
            "end_time": "2026-11-21T09:00:00Z",
            "search_term": {"and": {"event_type": "sso_auth", "success": false}},
            "q": "solheim",
            "fields": ["timestamp", "client_ip"],
            "limit": 50,
            "sort": "DESC",
        }),
        json!({"service": ["all"], "start_time": "2026-11-20T12:00:00Z", "limit": 25, "sort": "DESC"}),
        json!({"service": ["sso"], "start_time": "2026-11-14T12:00:00Z"}),
    ];
    assert_eq!(bodies, expected);
    for (wrong, expected) in [
        (json!({"service": ["printers"]}), "`access_management`"),
        (json!({"start_time": "yesterday"}), "-24h"),
        (json!({"search_term": {"xor": {}}}), "xor"),
    ] {
        let error = ask(&client, "jumpcloud_list_events", &wrong).await.unwrap_err();
        assert!(error.contains(expected), "{wrong}: {error}");
    }
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn terms_of_an_event_search_are_sent_as_the_vendor_takes_them() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::Reads).with_clock(noon)).await;
    for (tool, more) in [
        ("jumpcloud_list_events", json!({})),
        ("jumpcloud_count_events", json!({})),
        ("jumpcloud_list_event_values", json!({"field": "event_type"})),
        ("jumpcloud_count_events_over_time", json!({"interval_unit": "d"})),
    ] {
        for search_term in [
            json!({"and": [{"username": "root"}, {"client_ip": ["192.0.2.1", "192.0.2.2"]}]}),
            json!({"and": [{"success": false}, {"or": [{"initiated_by.username": "paul"}, {"username": "paul"}]}]}),
            json!({"or": {"initiated_by.username": ["user.1", "user.2"]}}),
        ] {
            let mut arguments = more.clone();
            arguments["search_term"] = search_term.clone();
            ask(&client, tool, &arguments).await.unwrap();
            let recorded = sandbox.take_record();
            assert!(recorded[0].is_accepted(), "{tool} {search_term}: {recorded:?}");
            assert_eq!(recorded[0].json().unwrap()["search_term"], search_term, "{tool}");
        }
        for (search_term, expected) in [
            (
                json!({"or": [{"username": "root"}, {"username": "admin"}]}),
                "`search_term.or[1]`: expected `username` once",
            ),
            (json!({"and": "event_type"}), "`search_term.and`: expected a list of objects"),
            (json!({"and": [{"initiated_by": {"username": "root"}}]}), "joined by dots"),
        ] {
            let mut arguments = more.clone();
            arguments["search_term"] = search_term.clone();
            let error = ask(&client, tool, &arguments).await.unwrap_err();
            assert!(error.contains(expected), "{tool} {search_term}: {error}");
        }
        assert!(sandbox.record().is_empty(), "{tool}");
    }
}

#[tokio::test]
async fn event_pages_continue_from_the_header_of_the_page_before() {
    let events =
        |ids: &[&str]| ids.iter().map(|id| json!({"id": id, "timestamp": "2026-11-20T13:00:00Z"})).collect::<Vec<_>>();
    let answer = |ids: &[&str], after: &str| {
        let headers = json!({"X-Result-Count": ids.len().to_string(), "X-Limit": "2", "X-Search_after": after});
        json!({"status": 200, "headers": headers, "body": events(ids)})
    };
    // The pair is a number and a text; it goes back as it came.
    let after = |time: u64, id: &str| json!({"body": {"search_after": [time, id]}});
    let entry = |when: Value, answer: Value| json!({"operation": "listEvents", "when": when, "answer": answer});
    let script = json!([
        entry(after(1_795_266_000_003, "e4"), answer(&["e5"], "[1795266000001, \"e5\"]")),
        entry(after(1_795_266_000_005, "e2"), answer(&["e3", "e4"], "[1795266000003, \"e4\"]")),
        entry(json!({}), answer(&["e1", "e2"], "[1795266000005, \"e2\"]")),
    ]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads).with_clock(noon)).await;
    let first =
        json!({"service": ["sso"], "start_time": "-24h", "limit": 2, "search_term": {"not": {"success": true}}});
    let ids = |answer: &Value| -> Vec<String> {
        answer["items"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    let (mut next, mut found) = (first.clone(), Vec::new());
    loop {
        let answer = ask(&client, "jumpcloud_list_events", &next).await.unwrap();
        found.extend(ids(&answer));
        let Some(cursor) = answer["page"]["next_cursor"].as_str() else {
            assert_eq!(answer["page"]["has_more"], false, "{answer}");
            break;
        };
        assert!(!cursor.contains("e2") && !cursor.contains("e4"), "opaque: {cursor}");
        next = json!({"cursor": cursor});
    }
    assert_eq!(found, ["e1", "e2", "e3", "e4", "e5"]);
    let bodies: Vec<Value> = sandbox.take_record().iter().map(|recorded| recorded.json().unwrap()).collect();
    assert_eq!(bodies.len(), 3);
    for body in &bodies {
        // The same question each time: the beginning does not move while pages are read.
        let asked = json!({
            "service": ["sso"],
            "start_time": "2026-11-20T12:00:00Z",
            "search_term": {"not": {"success": true}},
            "limit": 2,
            "sort": "DESC",
        });
        let mut body = body.clone();
        body.as_object_mut().unwrap().shift_remove("search_after");
        assert_eq!(body, asked);
    }
    let mut all = first;
    all["all"] = json!(true);
    let answer = ask(&client, "jumpcloud_list_events", &all).await.unwrap();
    assert_eq!((ids(&answer), &answer["page"]["has_more"]), (found, &json!(false)));
}

#[tokio::test]
async fn lists_of_both_versions_report_their_total_and_continue() {
    let entry = |operation: &str, skip: Option<u64>, answer: Value| {
        let when = skip.map_or(json!({}), |skip| json!({"query": {"skip": skip}}));
        json!({"operation": operation, "when": when, "answer": answer})
    };
    let groups = |names: &[&str]| {
        let groups: Vec<Value> = names.iter().map(|name| json!({"id": name, "name": name})).collect();
        json!({"headers": {"x-total-count": "3"}, "body": groups})
    };
    let users = |id: &str| json!({"body": {"totalCount": 2, "results": [{"_id": id}]}});
    let script = json!([
        entry("listUserGroups", Some(2), groups(&["c"])),
        entry("listUserGroups", None, groups(&["a", "b"])),
        entry("listUsers", Some(1), users("u2")),
        entry("listUsers", None, users("u1")),
    ]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    for (tool, limit, total, queries) in [
        ("jumpcloud_list_user_groups", 2, 3, ["limit=2&sort=name", "limit=2&skip=2&sort=name"]),
        ("jumpcloud_list_users", 1, 2, ["limit=1&sort=_id", "limit=1&skip=1&sort=_id"]),
    ] {
        let first = ask(&client, tool, &json!({"limit": limit})).await.unwrap();
        assert_eq!((&first["page"]["total"], &first["page"]["has_more"]), (&json!(total), &json!(true)), "{first}");
        let last = ask(&client, tool, &json!({"cursor": first["page"]["next_cursor"]})).await.unwrap();
        assert_eq!((&last["page"]["total"], &last["page"]["has_more"]), (&json!(total), &json!(false)), "{last}");
        let sent: Vec<String> = sandbox.take_record().iter().map(sorted).collect();
        assert_eq!(sent, queries, "{tool}");
    }
}

/// A query with its parameters in the order of their names.
fn sorted(recorded: &toolwright::sandbox::Recorded) -> String {
    let query = query(recorded);
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

#[tokio::test]
async fn listings_of_other_services_continue_by_their_own_token() {
    let google = |answer: Value, token: Option<&str>| {
        let when = token.map_or(json!({}), |token| json!({"query": {"pageToken": token}}));
        json!({"operation": "listGsuiteAccounts", "when": when, "answer": {"body": answer}})
    };
    let microsoft = |answer: Value, token: Option<&str>| {
        let when = token.map_or(json!({}), |token| json!({"query": {"skipToken": token}}));
        json!({"operation": "listOffice365Accounts", "when": when, "answer": {"body": answer}})
    };
    let users = |id: &str| json!([{"id": id}]);
    let script = json!([
        google(json!({"users": users("g2"), "nextPageToken": ""}), Some("tok-2")),
        google(json!({"users": users("g1"), "nextPageToken": "tok-2"}), None),
        microsoft(json!({"users": users("m2"), "top": 1}), Some("tok-2")),
        microsoft(json!({"users": users("m1"), "top": 1, "skipToken": "tok-2"}), None),
    ]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::CoreReads)).await;
    for (tool, directory, size, token, ids) in [
        ("jumpcloud_list_gsuite_accounts", "gsuite_id", "maxResults", "pageToken", ["g1", "g2"]),
        ("jumpcloud_list_office365_accounts", "office365_id", "top", "skipToken", ["m1", "m2"]),
    ] {
        let first = ask(&client, tool, &json!({directory: "66f1a0c2d4e5f6a7b8c9d0e5", "limit": 1})).await.unwrap();
        let last = ask(&client, tool, &json!({"cursor": first["page"]["next_cursor"]})).await.unwrap();
        assert_eq!([&first["users"][0]["id"], &last["users"][0]["id"]], [ids[0], ids[1]], "{first} {last}");
        assert_eq!(last["page"]["has_more"], false, "{last}");
        let sent: Vec<String> = sandbox.take_record().iter().map(sorted).collect();
        let (one, two) = (format!("{size}=1"), format!("{size}=1&{token}=tok-2"));
        let mut two: Vec<&str> = two.split('&').collect();
        two.sort_unstable();
        assert_eq!(sent, [one, two.join("&")], "{tool}");
    }
}

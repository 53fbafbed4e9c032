//! Jira Service Management: lists that state their last page, lists that state a total, tokens, and ranges of users that
//! are filtered after they were cut.

use serde_json::{Value, json};

use crate::common::listing::{Asked, Listing, ids, range};

/// A site of 400 users of whom every fortieth matches: a range is taken first and filtered afterwards.
async fn site() -> Listing {
    let users: Vec<usize> = (0..400).collect();
    Listing::new("startAt", move |asked: &Asked| {
        let from = asked.number("startAt").unwrap_or(0);
        let taken = users.iter().skip(from).take(asked.number("maxResults").unwrap_or(50));
        let found = taken.filter(|user| **user % 40 == 7);
        json!(found.map(|user| json!({"accountId": format!("u{user}")})).collect::<Vec<_>>())
    })
    .await
}

fn matching() -> Vec<Value> {
    (0..10).map(|number| json!(format!("u{}", number * 40 + 7))).collect()
}

const SEARCHES: [(&str, &str); 3] = [
    ("jsm_find_assignable_users", "project"),
    ("jsm_find_users", "query"),
    ("jsm_find_users_who_can_view", "projectKey"),
];

#[tokio::test]
async fn searches_for_people_read_on_after_short_pages() {
    for (tool, argument) in SEARCHES {
        let site = site().await;
        let first = site.call(tool, json!({argument: "ITSM"})).await;
        assert_eq!((ids(&first, "accountId").len(), &first["page"]["has_more"]), (1, &json!("unknown")), "{tool}");
        assert!(first["notes"][0].as_str().unwrap().contains("`all: true`"), "{first}");
        site.positions();
        let all = site.call(tool, json!({argument: "ITSM", "all": true})).await;
        assert_eq!(ids(&all, "accountId"), matching(), "{tool}");
        // Nobody knows who is beyond the users that the vendor looks through.
        assert_eq!(
            (&all["page"]["has_more"], &all["page"]["next_cursor"]),
            (&json!("unknown"), &Value::Null),
            "{tool}"
        );
        assert!(all["notes"][0].as_str().unwrap().contains("first 1000 records"), "{all}");
        let positions: Vec<usize> = site.positions().into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(positions, (0..1000).step_by(100).collect::<Vec<_>>(), "{tool}");
    }
}

#[tokio::test]
async fn the_cursors_of_a_search_for_people_end_and_nobody_comes_twice() {
    for (tool, argument) in SEARCHES {
        let site = site().await;
        // Pages of this size come empty in between.
        let (found, last) = site.walk(tool, json!({argument: "ITSM", "maxResults": 25}), "accountId").await;
        assert_eq!((found, &last["page"]["has_more"]), (matching(), &json!("unknown")), "{tool}");
        assert_eq!(site.positions().len(), 40, "{tool}");
    }
}

#[tokio::test]
async fn every_account_ends_with_an_empty_page() {
    let accounts: Vec<Value> = (0..130).map(|number| json!({"accountId": format!("a{number}")})).collect();
    let site = Listing::new("startAt", move |asked: &Asked| {
        json!(range(&accounts, asked.number("startAt").unwrap_or(0), asked.number("maxResults").unwrap()))
    })
    .await;
    let all = site.call("jsm_list_users", json!({"all": true, "fields": ["accountId"]})).await;
    assert_eq!((ids(&all, "accountId").len(), &all["page"]["has_more"]), (130, &json!(false)), "{}", all["page"]);
    assert_eq!(site.positions(), [None, Some(100), Some(130)]);
}

/// A page of the service desk interface, with all that it states of itself.
fn desk_page(values: &[Value], start: usize, limit: usize, next: Option<usize>) -> Value {
    let mut links = json!({"base": "https://its.example", "context": "", "self": "https://its.example/x?start=0"});
    if let Some(next) = next {
        links["next"] =
            json!(format!("https://its.example/rest/servicedeskapi/servicedesk?limit={limit}&start={next}"));
    }
    json!({
        "_expands": [], "size": values.len(), "start": start, "limit": limit, "isLastPage": next.is_none(),
        "_links": links, "values": values,
    })
}

#[tokio::test]
async fn what_the_first_page_states_of_itself_is_left_out() {
    let desks: Vec<Value> = (0..3).map(|id| json!({"id": id.to_string(), "isLastPage": "own"})).collect();
    let site = Listing::new("start", move |asked: &Asked| {
        let start = asked.number("start").unwrap_or(0);
        desk_page(&range(&desks, start, 2), start, 2, (start == 0).then_some(2))
    })
    .await;
    let expected = |page: Value, ids: &[&str]| {
        let values: Vec<Value> = ids.iter().map(|id| json!({"id": id, "isLastPage": "own"})).collect();
        json!({"page": page, "_expands": [], "_links": {"base": "https://its.example", "context": ""}, "values": values})
    };
    let mut all = site.call("jsm_list_service_desks", json!({"all": true})).await;
    all.as_object_mut().unwrap().shift_remove("untrusted");
    assert_eq!(all, expected(json!({"returned": 3, "has_more": false}), &["0", "1", "2"]));
    let mut one = site.call("jsm_list_service_desks", json!({"limit": 2})).await;
    one.as_object_mut().unwrap().shift_remove("untrusted");
    let cursor = one["page"]["next_cursor"].take();
    assert!(cursor.is_string(), "{one}");
    assert_eq!(one, expected(json!({"returned": 2, "has_more": true, "next_cursor": null}), &["0", "1"]));
}

#[tokio::test]
async fn the_link_to_the_next_page_outweighs_the_number_of_records() {
    // Of each two requests one is not shown.
    let requests: Vec<Value> = (0..6).map(|id| json!({"issueId": id.to_string()})).collect();
    let site = Listing::new("start", move |asked: &Asked| {
        let start = asked.number("start").unwrap_or(0);
        desk_page(&range(&requests, start, 1), start, 2, (start < 4).then_some(start + 2))
    })
    .await;
    let (found, last) = site.walk("jsm_list_my_requests", json!({"limit": 2}), "issueId").await;
    assert_eq!((found, &last["page"]["has_more"]), (vec![json!("0"), json!("2"), json!("4")], &json!(false)));
    assert_eq!(site.positions(), [None, Some(2), Some(4)]);
}

#[tokio::test]
async fn a_missing_token_is_no_end_where_the_total_says_otherwise() {
    let issues: Vec<Value> = (0..25).map(|id| json!({"id": id.to_string(), "key": format!("ITS-{id}")})).collect();
    for (total, has_more) in [(80, true), (25, false)] {
        let issues = issues.clone();
        let site = Listing::new(
            "nextPageToken",
            move |_: &Asked| json!({"startAt": 0, "maxResults": 25, "total": total, "issues": issues}),
        )
        .await;
        for all in [false, true] {
            let answer = site.call("jsm_search_issues", json!({"jql": "project = ITS", "all": all})).await;
            let page = json!({"returned": 25, "has_more": has_more, "total": total});
            assert_eq!((&answer["page"], ids(&answer, "id").len()), (&page, 25), "{total} {all}");
            assert_eq!(answer["notes"].is_array(), has_more, "{total}: {}", answer["notes"]);
            for name in ["startAt", "maxResults", "total"] {
                assert_eq!(answer[name], Value::Null, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn lists_with_a_total_and_a_last_page_are_read_to_it() {
    let projects: Vec<Value> = (0..60).map(|id| json!({"id": id.to_string(), "key": format!("P{id}")})).collect();
    for states in ["isLast", "total"] {
        let projects = projects.clone();
        let site = Listing::new("startAt", move |asked: &Asked| {
            let from = asked.number("startAt").unwrap_or(0);
            // The vendor's largest page is smaller than the one that was requested.
            let values = range(&projects, from, 50);
            let mut answer = json!({"self": "https://its.example/x?startAt=0", "maxResults": 50, "startAt": from});
            answer[states] = if states == "isLast" { json!(from + 50 >= 60) } else { json!(60) };
            answer["values"] = json!(values);
            answer
        })
        .await;
        let all = site.call("jsm_search_projects", json!({"all": true, "fields": ["id"]})).await;
        assert_eq!((ids(&all, "id").len(), &all["page"]["has_more"]), (60, &json!(false)), "{states}");
        let mut names: Vec<&String> = all.as_object().unwrap().keys().collect();
        names.retain(|name| !["untrusted", "omitted"].contains(&name.as_str()));
        assert_eq!(names, ["page", "values"], "{states}");
    }
}

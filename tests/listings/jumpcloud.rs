//! JumpCloud: ranges of members and ties that count records which are not shown, lists with a total, events by counts.

use serde_json::{Value, json};

use crate::common::listing::{Asked, Listing, Told, ids, range};

const GROUP: &str = "66f1a0c2d4e5f6a7b8c9d0e7";

/// Ties of which some are dangling: they are counted and take a place in their range, but are not shown.
async fn directory(count: usize, dangling: &'static [usize], total: bool) -> Listing {
    let places: Vec<usize> = (0..count).collect();
    Listing::new("skip", move |asked: &Asked| {
        let taken = places.iter().skip(asked.number("skip").unwrap_or(0)).take(asked.number("limit").unwrap());
        let shown = taken.filter(|place| !dangling.contains(place));
        let body =
            shown.map(|place| json!({"to": {"id": format!("u{place}"), "type": "user"}, "id": format!("u{place}")}));
        let headers = total.then(|| ("X-Total-Count", count.to_string())).into_iter().collect();
        Told { headers, body: body.collect() }
    })
    .await
}

fn shown(count: usize, dangling: &[usize]) -> Vec<Value> {
    (0..count).filter(|place| !dangling.contains(place)).map(|place| json!(format!("u{place}"))).collect()
}

const MEMBERS: &str = "jumpcloud_list_user_group_members";
const READS: [&str; 4] = [
    MEMBERS,
    "jumpcloud_list_user_group_effective_members",
    "jumpcloud_list_user_group_applications",
    "jumpcloud_list_user_group_associations",
];

/// The arguments that name the group.
fn group(tool: &str) -> Value {
    let mut arguments = json!({"user_group_id": GROUP, "fields": ["id"]});
    if tool.ends_with("associations") {
        arguments["targets"] = json!("system");
    }
    arguments
}

#[tokio::test]
async fn members_come_once_each_though_ranges_count_dangling_ones() {
    const DANGLING: &[usize] = &[3, 150];
    for total in [true, false] {
        for tool in READS {
            let directory = directory(250, DANGLING, total).await;
            let mut arguments = group(tool);
            arguments["all"] = json!(true);
            let all = directory.call(tool, arguments).await;
            let page = &all["page"];
            // An empty page may be a range of dangling ones: without a total the end is not proved.
            let has_more = if total { json!(false) } else { json!("unknown") };
            assert_eq!((ids(&all, "id"), &page["has_more"]), (shown(250, DANGLING), &has_more), "{tool} {page}");
            let count = if total { json!(250) } else { Value::Null };
            assert_eq!((&page["total"], all["notes"].is_array()), (&count, true), "{tool}: {}", all["notes"]);
            let empty = if total { vec![] } else { vec![Some(300), Some(400), Some(500)] };
            let positions: Vec<_> = [None, Some(100), Some(200)].into_iter().chain(empty).collect();
            assert_eq!(directory.positions(), positions, "{tool}");
            let mut arguments = group(tool);
            arguments["limit"] = json!(40);
            let (found, last) = directory.walk(tool, arguments, "id").await;
            assert_eq!((found, &last["page"]["has_more"]), (shown(250, DANGLING), &has_more), "{tool}");
        }
    }
}

#[tokio::test]
async fn a_page_of_dangling_members_is_no_end_without_a_total() {
    const DANGLING: &[usize] = &[10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
    let directory = directory(35, DANGLING, false).await;
    for all in [false, true] {
        let mut arguments = group(MEMBERS);
        (arguments["limit"], arguments["all"]) = (json!(10), json!(all));
        let (found, last) = directory.walk(MEMBERS, arguments, "id").await;
        assert_eq!((found, &last["page"]["has_more"]), (shown(35, DANGLING), &json!("unknown")), "{all}");
    }
}

#[tokio::test]
async fn a_range_of_dangling_members_is_no_end_where_the_total_says_otherwise() {
    const DANGLING: &[usize] = &[10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
    let directory = directory(35, DANGLING, true).await;
    let tool = MEMBERS;
    for all in [false, true] {
        let mut arguments = group(tool);
        (arguments["limit"], arguments["all"]) = (json!(10), json!(all));
        let (found, last) = directory.walk(tool, arguments, "id").await;
        assert_eq!((found, &last["page"]["has_more"]), (shown(35, DANGLING), &json!(false)), "{all}");
    }
}

#[tokio::test]
async fn without_a_total_short_and_empty_pages_lead_on_to_a_stop_that_claims_no_end() {
    let directory = directory(30, &[5], false).await;
    let tool = MEMBERS;
    let first = directory.call(tool, group(tool)).await;
    assert_eq!((ids(&first, "id").len(), &first["page"]["has_more"]), (24, &json!("unknown")), "{first}");
    let second = directory.call(tool, json!({"cursor": first["page"]["next_cursor"]})).await;
    assert_eq!((ids(&second, "id").len(), &second["page"]["has_more"]), (5, &json!("unknown")));
    let (found, last) = directory.walk(tool, json!({"cursor": second["page"]["next_cursor"]}), "id").await;
    assert_eq!((found, &last["page"]), (vec![], &json!({"returned": 0, "has_more": "unknown"})));
    assert!(last["notes"][0].as_str().unwrap().contains("does not prove the end"), "{last}");
    assert_eq!(directory.positions(), [None, Some(25), Some(50), Some(75), Some(100)]);
}

#[tokio::test]
async fn lists_with_a_total_lose_nobody_to_a_smaller_page() {
    let users: Vec<Value> = (0..120).map(|id| json!({"_id": id.to_string()})).collect();
    let directory = Listing::new("skip", move |asked: &Asked| {
        let from = asked.number("skip").unwrap_or(0);
        json!({"totalCount": 120, "results": range(&users, from, 50)})
    })
    .await;
    let all = directory.call("jumpcloud_list_users", json!({"all": true, "fields": ["_id"]})).await;
    let page = json!({"returned": 120, "has_more": false, "total": 120});
    assert_eq!((ids(&all, "_id").len(), &all["page"], &all["totalCount"]), (120, &page, &Value::Null));
}

#[tokio::test]
async fn events_end_where_their_count_is_below_the_limit() {
    // The limit is the vendor's own, so it proves nothing about a page as long as requested.
    for (limit, has_more) in [("25", "unknown"), ("1000", "unknown"), ("26", "unknown")] {
        let log = Listing::new("search_after", move |asked: &Asked| {
            let size = asked.number("limit").unwrap();
            let events: Vec<Value> = (0..size).map(|id| json!({"id": id.to_string()})).collect();
            let headers = [("X-Result-Count", size.to_string()), ("X-Limit", limit.to_owned())];
            let after = ("X-Search_after", "[1, \"e\"]".to_owned());
            Told { headers: headers.into_iter().chain([after]).collect(), body: json!(events) }
        })
        .await;
        let asked = json!({"service": ["sso"], "start_time": "-1h"});
        let page = log.call("jumpcloud_list_events", asked).await;
        assert_eq!(page["page"]["has_more"], has_more, "{limit}");
        assert!(page["page"]["next_cursor"].is_string());
    }
}

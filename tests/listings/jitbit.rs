//! Jitbit: bare lists without a total.

use serde_json::{Value, json};

use crate::common::listing::{Asked, Listing, ids, range};

fn tickets(count: usize) -> Vec<Value> {
    (0..count).map(|id| json!({"IssueID": id, "Subject": "Printer"})).collect()
}

fn numbers(count: usize) -> Vec<Value> {
    (0..count).map(|id| json!(id)).collect()
}

/// A helpdesk with so many tickets that returns at most `most` at once.
async fn helpdesk(count: usize, most: usize) -> Listing {
    let all = tickets(count);
    Listing::new("offset", move |asked: &Asked| {
        let size = asked.number("count").unwrap().min(most);
        json!(range(&all, asked.number("offset").unwrap_or(0), size))
    })
    .await
}

#[tokio::test]
async fn only_an_empty_page_is_the_end() {
    for (tool, arguments) in
        [("jitbit_list_tickets", json!({"mode": "all"})), ("jitbit_search_tickets", json!({"query": "printer"}))]
    {
        let helpdesk = helpdesk(30, 300).await;
        let first = helpdesk.call(tool, arguments.clone()).await;
        assert_eq!(first["page"]["has_more"], "unknown", "{tool}: a full page");
        let (found, last) = helpdesk.walk(tool, arguments.clone(), "IssueID").await;
        assert_eq!((found, &last["page"]["returned"]), (numbers(30), &json!(0)), "{tool}");
        assert_eq!((&last["page"]["has_more"], &last["items"]), (&json!(false), &json!([])), "{tool}");
        let mut all = arguments;
        all["all"] = json!(true);
        let all = helpdesk.call(tool, all).await;
        assert_eq!((ids(&all, "IssueID"), &all["page"]["has_more"]), (numbers(30), &json!(false)), "{tool}");
        assert_eq!(all["notes"], Value::Null, "{tool}");
    }
}

#[tokio::test]
async fn a_smaller_page_than_requested_loses_no_ticket() {
    let helpdesk = helpdesk(230, 100).await;
    let all = helpdesk.call("jitbit_filter_tickets", json!({"all": true, "fields": ["IssueID"]})).await;
    assert_eq!((ids(&all, "IssueID"), &all["page"]["has_more"]), (numbers(230), &json!(false)));
}

#[tokio::test]
async fn a_version_that_ignores_the_page_is_not_called_complete() {
    let people = json!([{"UserID": 1, "Username": "a"}, {"UserID": 2, "Username": "b"}]);
    let helpdesk = Listing::new("page", move |_: &Asked| people.clone()).await;
    let all = helpdesk.call("jitbit_list_users", json!({"all": true})).await;
    assert_eq!(ids(&all, "UserID"), [1, 2], "once each: {all}");
    assert_eq!((&all["page"]["has_more"], &all["page"]["next_cursor"]), (&json!("unknown"), &Value::Null));
    assert!(all["notes"][0].as_str().unwrap().contains("ignores `page`"), "{all}");
    assert_eq!(helpdesk.positions().len(), 2);
}

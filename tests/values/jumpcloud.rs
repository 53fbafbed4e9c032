//! JumpCloud: fields that are cleared, ids, addresses, times, lists.

use serde_json::json;

use super::{Bench, described};

const USER: &str = "5f0c1e2d3b4a596877665544";

#[tokio::test]
async fn a_manager_is_taken_off_with_null() {
    let bench = Bench::new(&json!([])).await;
    let body = bench.body("jumpcloud_update_user", json!({"user_id": USER, "manager": null, "company": "Acme"})).await;
    assert_eq!(body, json!({"manager": null, "company": "Acme"}));
    let body = bench.body("jumpcloud_update_user_account", json!({"user_id": USER, "delegatedAuthority": null})).await;
    assert_eq!(body, json!({"delegatedAuthority": null}));
    assert!(described(&bench, "jumpcloud_update_user", "manager").contains("null clears it"));
}

#[tokio::test]
async fn null_is_refused_where_it_clears_nothing() {
    let bench = Bench::new(&json!([])).await;
    for (tool, arguments, place) in [
        ("jumpcloud_update_user", json!({"user_id": USER, "company": null}), "`company`"),
        (
            "jumpcloud_update_user_account",
            json!({"user_id": USER, "addresses": [{"country": null}]}),
            "`addresses[0].country`",
        ),
        ("jumpcloud_update_user_account", json!({"user_id": USER, "addresses": [null]}), "`addresses[0]`"),
        ("jumpcloud_list_users", json!({"limit": null}), "`limit`"),
        ("jumpcloud_list_users", json!({"sort": null}), "`sort`"),
    ] {
        bench.refuses(tool, arguments, &[place, "leave it out, but got null"]).await;
    }
}

#[tokio::test]
async fn ids_are_hexadecimal() {
    let bench = Bench::new(&json!([])).await;
    for wrong in ["anna", "anna@example.com", "5f0c1e2d3b4a5968776655", "5f0c1e2d3b4a59687766554g", "../systems", ""] {
        bench.refuses_name("jumpcloud_get_user", json!({"user_id": wrong}), &["`user_id`: "]).await;
    }
    bench
        .refuses_name(
            "jumpcloud_get_user",
            json!({"user_id": "anna@example.com"}),
            &["an id of 24 hexadecimal digits, or the name of a user"],
        )
        .await;
    let pasted = json!({"user_id": format!("https://console.jumpcloud.com/#/users/{USER}/details")});
    bench.refuses("jumpcloud_get_user", pasted, &[&format!("did you mean `{USER}`?")]).await;
    let ties = json!({"user_group_id": USER, "op": "add", "type": "user", "target_id": "anna"});
    bench.refuses_name("jumpcloud_update_user_group_member", ties, &["`target_id`"]).await;
    let sent = bench.sent("jumpcloud_get_user", json!({"user_id": format!(" {USER} ")})).await;
    assert!(sent.path.ends_with(&format!("/systemusers/{USER}")), "{}", sent.path);
}

#[tokio::test]
async fn addresses_are_addresses() {
    let bench = Bench::new(&json!([])).await;
    for wrong in ["", "anna", "anna@", "Anna Lind"] {
        bench.refuses("jumpcloud_create_user", json!({"username": "anna", "email": wrong}), &["`email`"]).await;
    }
    let body = bench.body("jumpcloud_create_user", json!({"username": "anna", "email": "anna@example.com "})).await;
    assert_eq!(body["email"], "anna@example.com");
}

#[tokio::test]
async fn times_are_rfc_3339_in_utc() {
    let bench = Bench::new(&json!([])).await;
    let call = |when: &str| json!({"user_id": USER, "mfa": {"exclusion": true, "exclusionUntil": when}});
    for (given, sent) in [("+2d", "2026-11-22T08:00:00Z"), ("2026-12-01", "2026-12-01T00:00:00Z")] {
        let body = bench.body("jumpcloud_update_user_account", call(given)).await;
        assert_eq!(body["mfa"]["exclusionUntil"], sent, "{given}");
    }
    bench
        .refuses("jumpcloud_update_user_account", call("tomorrow"), &["`mfa.exclusionUntil`: expected a time such as"])
        .await;
}

#[tokio::test]
async fn comma_and_space_lists_are_split_or_refused_at_the_same_stage() {
    let bench = Bench::new(&json!([])).await;
    let query = bench.sent("jumpcloud_list_users", json!({"sort": "-username, email"})).await.query;
    assert!(query.contains("sort=-username%20email") || query.contains("sort=-username+email"), "{query}");
    let query = bench.sent("jumpcloud_list_ip_lists", json!({"sort": "-name,id"})).await.query;
    assert!(query.contains("sort=-name%2Cid") || query.contains("sort=-name,id"), "{query}");
    for (tool, list) in [("jumpcloud_list_users", json!(["a b"])), ("jumpcloud_list_ip_lists", json!(["a,b"]))] {
        let refusal = bench.refused(tool, json!({"sort": list, "limit": 1000})).await;
        for part in ["`sort[0]`: expected a value without", "`limit`: expected", "valid arguments:"] {
            assert!(refusal.contains(part), "{tool}: `{part}` is not in\n{refusal}");
        }
    }
}

//! Parameters that the vendor states → what of them a model can use, and which bounds are held
//! before anything is sent.

use serde_json::{Value, json};
use toolwright::policy::Defaults;

use super::{APPLICATION, USER, ask, client, query, toolbox};
use crate::common::{everything, sandbox};

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::Everything)).await;
    let filter = json!([{"field": "object_id", "operator": "eq", "value": "x"}]);
    for (tool, given, expected) in [
        ("jumpcloud_list_user_memberships", json!({"user_id": USER, "filter": filter}), "filter=object_id:eq:x&"),
        ("jumpcloud_list_user_applications", json!({"user_id": USER, "filter": filter}), "filter=object_id:eq:x&"),
        ("jumpcloud_list_user_devices", json!({"user_id": USER, "filter": filter}), "filter=object_id:eq:x&"),
        (
            "jumpcloud_list_application_users",
            json!({"application_id": APPLICATION, "filter": filter}),
            "filter=object_id:eq:x&",
        ),
        ("jumpcloud_list_user_memberships", json!({"user_id": USER, "sort": ["-type", "id"]}), "sort=-type,id"),
        ("jumpcloud_list_software_app_statuses", json!({"software_app_id": APPLICATION, "sort": ["id"]}), "sort=id"),
        ("jumpcloud_list_approval_flows", json!({"sort": "name"}), "sort=name"),
    ] {
        ask(&client, tool, &given).await.unwrap_or_else(|error| panic!("{tool} {given}: {error}"));
        let recorded = sandbox.take_record().pop().unwrap();
        assert!(recorded.is_accepted(), "{tool}: {:?}", recorded.verdict);
        let sent = query(&recorded);
        assert!(format!("{sent}&").contains(expected), "{tool} {given}: {sent}");
    }
}

#[tokio::test]
async fn events_are_matched_exactly() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::Everything)).await;
    for tool in ["jumpcloud_list_events", "jumpcloud_count_events"] {
        ask(&client, tool, &json!({"exact_match": "ada@example.com"})).await.unwrap();
        let recorded = sandbox.take_record().pop().unwrap();
        assert_eq!(recorded.json().unwrap()["exact_match"], "ada@example.com", "{tool}");
    }
}

/// `attributes` of a tie is free-form and can make a person administrator of a device.
#[tokio::test]
async fn ties_outside_of_the_risk_take_no_attributes() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::Everything)).await;
    let sudo = json!({"sudo": {"enabled": true, "withoutPassword": true}});
    for (tool, given) in [
        (
            "jumpcloud_update_user_group_member",
            json!({"user_group_id": USER, "target_id": USER, "op": "add", "type": "user"}),
        ),
        (
            "jumpcloud_update_application_association",
            json!({"application_id": APPLICATION, "target_id": USER, "op": "add", "type": "user"}),
        ),
        ("jumpcloud_add_user_to_group", json!({"user_group_id": USER, "user_id": USER})),
    ] {
        let mut given = given;
        given["attributes"] = sudo.clone();
        let refused = ask(&client, tool, &given).await.unwrap_err();
        assert!(refused.contains("`attributes`: unknown argument"), "{tool}: {refused}");
    }
    assert!(sandbox.take_record().is_empty());
}

#[tokio::test]
async fn bounds_are_held_before_anything_is_sent() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &everything(), Defaults::Everything)).await;
    let refused = |tool: &'static str, given: Value, expected: &'static str| {
        let client = &client;
        async move {
            let refused = ask(client, tool, &given).await.unwrap_err();
            assert!(refused.contains(expected), "{tool} {given}: {refused}");
        }
    };
    refused("jumpcloud_update_admin", json!({"admin_id": USER, "email": "nobody"}), "an email address").await;
    refused(
        "jumpcloud_update_access_request_settings",
        json!({"channelEvents": [{"channelObjectId": "no bytes!"}]}),
        "base64 text",
    )
    .await;
    let apps = json!({"trustedAppConfig": {"checksum": "c", "trustedApps": []}});
    refused("jumpcloud_update_organization", json!({"organization_id": USER, "settings": apps}), "at least 1 item")
        .await;
    assert!(sandbox.take_record().is_empty());

    // What keeps the bounds is sent.
    for (tool, given) in [
        ("jumpcloud_update_admin", json!({"admin_id": USER, "email": "ada@example.com"})),
        ("jumpcloud_update_access_request_settings", json!({"channelEvents": [{"channelObjectId": "aGVsbG8="}]})),
    ] {
        ask(&client, tool, &given).await.unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert!(sandbox.take_record().pop().unwrap().is_accepted(), "{tool}");
    }
}

//! Parameters that the vendor states → what of them a model can use: what arrives, what needs a
//! person's consent, and which bounds are held before anything is sent.

use serde_json::{Value, json};
use toolwright::catalog::Catalog;
use toolwright::policy::{Defaults, Selection, SelectionWords};

use super::desk::Desk;
use crate::common::{everything, text};

const ISSUE: &str = "ITS-1";
const GROUP: &str = "3f6c1b7e-2d8a-4c59-9b0e-7a4d5e6f8091";

#[tokio::test]
async fn what_a_body_can_carry_arrives() {
    let desk = Desk::open(&json!([])).await;
    let role = json!({"type": "role", "value": "Administrators"});
    let shares = json!([{"type": "group", "group": {"groupId": GROUP}}]);
    let own = json!([{"type": "user", "user": {"accountId": "712020:4be1f0aa"}}]);
    for (tool, given, name, expected) in [
        ("jsm_add_internal_note", json!({"issueIdOrKey": ISSUE, "body": "b", "visibility": role}), "visibility", &role),
        (
            "jsm_add_public_comment",
            json!({"issueIdOrKey": ISSUE, "body": "b", "visibility": role}),
            "visibility",
            &role,
        ),
        (
            "jsm_edit_internal_note",
            json!({"issueIdOrKey": ISSUE, "commentId": "7", "body": "b", "visibility": role}),
            "visibility",
            &role,
        ),
        ("jsm_add_worklog", json!({"issueIdOrKey": ISSUE, "timeSpent": "1h", "visibility": role}), "visibility", &role),
        (
            "jsm_search_issues",
            json!({"jql": "project = ITS", "expand": "changelog,names"}),
            "expand",
            &json!("changelog,names"),
        ),
        (
            "jsm_search_issues",
            json!({"jql": "project = ITS", "reconcileIssues": [48213]}),
            "reconcileIssues",
            &json!([48213]),
        ),
        ("jsm_get_issues", json!({"issueIdsOrKeys": [ISSUE], "expand": ["names"]}), "expand", &json!(["names"])),
        ("jsm_get_issues", json!({"issueIdsOrKeys": [ISSUE], "properties": ["x"]}), "properties", &json!(["x"])),
        (
            "jsm_create_shared_filter",
            json!({"name": "n", "jql": "project = ITS", "sharePermissions": shares}),
            "sharePermissions",
            &shares,
        ),
        (
            "jsm_edit_filter_permissions",
            json!({"filterId": 10455, "name": "n", "editPermissions": own}),
            "editPermissions",
            &own,
        ),
        ("jsm_edit_project", json!({"projectIdOrKey": "ITS", "key": "HELP"}), "key", &json!("HELP")),
        (
            "jsm_set_project_schemes",
            json!({"projectIdOrKey": "ITS", "permissionScheme": 4}),
            "permissionScheme",
            &json!(4),
        ),
        (
            "jsm_create_request",
            json!({"serviceDeskId": "4", "requestTypeId": "52", "requestFieldValues": {"summary": "s"}, "isAdfRequest": true}),
            "isAdfRequest",
            &json!(true),
        ),
        (
            "jsm_send_issue_mail",
            json!({"issueIdOrKey": ISSUE, "to": {"reporter": true}, "restrict": {"groupIds": [GROUP]}}),
            "restrict",
            &json!({"groupIds": [GROUP]}),
        ),
    ] {
        let result = desk.call(tool, given.clone()).await;
        assert_ne!(result.is_error, Some(true), "{tool} {given}: {}", text(&result));
        assert_eq!(desk.one().json().unwrap()[name], *expected, "{tool} {given}");
    }
}

#[tokio::test]
async fn what_an_address_can_carry_arrives() {
    let desk = Desk::open(&json!([])).await;
    for (tool, given, expected) in [
        ("jsm_list_my_requests", json!({"expand": ["sla", "status"]}), "expand=sla&expand=status"),
        (
            "jsm_list_request_types",
            json!({"serviceDeskId": "4", "restrictionStatus": "open"}),
            "restrictionStatus=open",
        ),
        ("jsm_search_request_types", json!({"expand": ["field"]}), "expand=field"),
        ("jsm_check_my_permissions", json!({"permissions": "EDIT_ISSUES", "commentId": "7"}), "commentId=7"),
        ("jsm_search_projects", json!({"keys": ["ITS", "HELP"], "orderBy": "-issueCount"}), "keys=ITS&keys=HELP"),
        ("jsm_search_projects", json!({"status": ["archived"]}), "status=archived"),
        ("jsm_search_filters", json!({"groupId": GROUP, "filterIds": [10455]}), "id=10455"),
        ("jsm_search_dashboards", json!({"projectId": 10041, "orderBy": "-favorite_count"}), "orderBy=-favorite_count"),
        ("jsm_list_versions", json!({"projectIdOrKey": "ITS", "orderBy": "-releaseDate"}), "orderBy=-releaseDate"),
        ("jsm_find_assignable_users", json!({"issueKey": ISSUE, "accountId": "712020:4be1f0aa"}), "accountId=712020"),
        (
            "jsm_find_users_by_property",
            json!({"property": "onboarding.state=done"}),
            "property=onboarding.state%3Ddone",
        ),
        (
            "jsm_list_issue_transitions",
            json!({"issueIdOrKey": ISSUE, "includeUnavailableTransitions": true}),
            "includeUnavailableTransitions=true",
        ),
    ] {
        let result = desk.call(tool, given.clone()).await;
        assert_ne!(result.is_error, Some(true), "{tool} {given}: {}", text(&result));
        let sent = desk.one();
        assert!(sent.query.contains(expected), "{tool} {given}: {}", sent.query);
    }
}

/// A filter that is shared may show a query to everybody, a scheme decides who may do what.
#[tokio::test]
async fn what_opens_things_to_others_has_tools_behind_a_risk() {
    let catalog = Catalog::compiled();
    let all =
        SelectionWords { methods: vec!["all".to_owned()], tags: vec!["all".to_owned()], ..SelectionWords::default() };
    let selection = Selection::resolve(&all, Defaults::Reads, &catalog).unwrap();
    for tool in ["jsm_create_shared_filter", "jsm_edit_filter_permissions", "jsm_set_project_schemes"] {
        let refusal = selection.decide(catalog.get(tool).unwrap()).unwrap_err();
        assert_eq!(refusal.flags, ["--allow weakens_security"], "{tool}");
    }
    let desk = Desk::open(&json!([])).await;
    for (tool, given, name) in [
        ("jsm_create_filter", json!({"name": "n", "jql": "project = ITS"}), "sharePermissions"),
        ("jsm_edit_filter", json!({"filterId": 1, "name": "n"}), "editPermissions"),
        ("jsm_edit_project", json!({"projectIdOrKey": "ITS"}), "permissionScheme"),
        ("jsm_edit_project", json!({"projectIdOrKey": "ITS"}), "releasedProjectKeys"),
        ("jsm_transition_request", json!({"issueIdOrKey": ISSUE, "transitionId": "5"}), "additionalComment"),
        ("jsm_link_issues", json!({}), "comment"),
    ] {
        let mut given = given;
        given[name] = json!([]);
        let refused = desk.refusal(tool, given).await;
        assert!(refused.contains(&format!("`{name}`: unknown argument")), "{tool}: {refused}");
    }
    assert!(desk.sent().is_empty());
}

#[tokio::test]
async fn bounds_are_held_before_anything_is_sent() {
    let long = "1".repeat(129);
    let twice = |value: Value| json!([value, value]);
    let permissions = |name: &str, value: Value| {
        let mut one = json!({"permissions": ["EDIT_ISSUES"]});
        one[name] = value;
        json!({"projectPermissions": [one]})
    };
    let desk = Desk::with(&json!([]), &everything(), Defaults::Everything, None).await;
    for (tool, given, expected) in [
        ("jsm_list_changes_of_issues", json!({"issueIdsOrKeys": []}), "with 1 to 1000 items"),
        (
            "jsm_list_changes_of_issues",
            json!({"issueIdsOrKeys": [ISSUE], "fieldIds": ["a", "a"]}),
            "without repeated items",
        ),
        ("jsm_check_jql", json!({"queries": [""]}), "at least 1 character"),
        ("jsm_check_jql", json!({"queries": []}), "at least 1 item"),
        ("jsm_list_my_requests", json!({"serviceDeskId": 2_147_483_648_i64}), "2147483647"),
        ("jsm_get_users", json!({"accountId": [long]}), "at most 128 characters"),
        ("jsm_get_comments_by_id", json!({"ids": twice(json!(7))}), "without repeated items"),
        ("jsm_match_issues", json!({"jqls": ["project = ITS"], "issueIds": twice(json!(7))}), "without repeated items"),
        ("jsm_check_permissions", json!({"globalPermissions": twice(json!("ADMINISTER"))}), "without repeated items"),
        ("jsm_check_permissions", permissions("permissions", twice(json!("EDIT_ISSUES"))), "without repeated items"),
        ("jsm_check_permissions", permissions("projects", twice(json!(1))), "without repeated items"),
        ("jsm_check_permissions", permissions("issues", twice(json!(1))), "without repeated items"),
        (
            "jsm_add_service_desk_customers",
            json!({"serviceDeskId": "4", "accountIds": twice(json!("a"))}),
            "without repeated items",
        ),
        (
            "jsm_remove_service_desk_customers",
            json!({"serviceDeskId": "4", "accountIds": twice(json!("a"))}),
            "without repeated items",
        ),
    ] {
        let refused = desk.refusal(tool, given.clone()).await;
        assert!(refused.contains(expected), "{tool} {given}: {refused}");
    }
    assert!(desk.sent().is_empty());
}

//! Scopes of a token and scopes that tools need → the scopes that are missing, with their tools.

use std::collections::BTreeMap;

use crate::catalog::CatalogEntry;

/// Lists the tools whose scopes the token lacks; `None` where no tool needs any.
pub(super) fn text(tools: &[&CatalogEntry], granted: Option<&[String]>) -> Option<String> {
    let scoped = || tools.iter().filter(|entry| entry.tool.calls.iter().any(|call| !call.scopes.is_empty()));
    let count = scoped().count();
    if count == 0 {
        return None;
    }
    let Some(granted) = granted else {
        return Some(
            "unknown: these credentials name none, like a classic token, which may do what its account may".to_owned(),
        );
    };
    let mut lacking: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for entry in scoped() {
        let missing = entry.tool.calls.iter().filter_map(|call| missing(&call.scopes, granted));
        let mut missing: Vec<&str> = missing.flatten().collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            lacking.entry(missing.join(" and ")).or_default().push(&entry.tool.name);
        }
    }
    if lacking.is_empty() {
        return Some(format!("the token has the scopes of all {count} tools that need some"));
    }
    let lines = lacking.iter().map(|(scopes, names)| format!("{scopes} is missing for {}", names.join(", ")));
    let lines: Vec<String> = lines.collect();
    Some(lines.join("\n"))
}

/// The scopes missing from the alternative that lacks fewest; `None` where one alternative lacks none.
fn missing<'a>(alternatives: &'a [Vec<String>], granted: &[String]) -> Option<Vec<&'a str>> {
    let missing = |alternative: &'a Vec<String>| -> Vec<&'a str> {
        alternative.iter().filter(|scope| !granted.contains(scope)).map(String::as_str).collect()
    };
    alternatives.iter().map(missing).min_by_key(Vec::len).filter(|missing| !missing.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alternative_is_enough() {
        let ways = |ways: &[&[&str]]| -> Vec<Vec<String>> {
            ways.iter().map(|way| way.iter().map(|scope| (*scope).to_owned()).collect()).collect()
        };
        let granted = ["read:work".to_owned(), "read:issue".to_owned()];
        for (needed, expected) in [
            (ways(&[]), None),
            (ways(&[&["read:work"]]), None),
            (ways(&[&["write:work"]]), Some(vec!["write:work"])),
            (ways(&[&["write:work"], &["read:issue"]]), None),
            (ways(&[&["a", "b"], &["read:issue", "c"]]), Some(vec!["c"])),
        ] {
            assert_eq!(missing(&needed, &granted), expected, "{needed:?}");
        }
    }

    #[test]
    #[cfg(feature = "jsm")]
    fn tools_whose_scopes_are_missing_are_named() {
        let catalog = crate::catalog::Catalog::compiled();
        let of_jsm: Vec<&CatalogEntry> = catalog.entries().iter().filter(|entry| entry.vendor == "jsm").collect();
        let report = |granted: &[&str]| {
            let granted: Vec<String> = granted.iter().map(|scope| (*scope).to_owned()).collect();
            text(&of_jsm, Some(&granted)).unwrap()
        };
        let reading = report(&["read:jira-work", "read:jira-user", "read:servicedesk-request"]);
        let line = |scope: &str| reading.lines().find(|line| line.starts_with(scope)).unwrap_or_default().to_owned();
        assert!(line("write:jira-work is missing").contains("jsm_edit_issue"), "{reading}");
        assert!(line("write:servicedesk-request is missing").contains("jsm_add_request_comment"), "{reading}");
        for open in
            ["jsm_get_issue,", "jsm_search_issues", "jsm_list_queues", "jsm_list_request_comments", "jsm_get_user,"]
        {
            assert!(!reading.contains(open), "{open}: {reading}");
        }
        let nothing = report(&["offline_access"]);
        assert!(nothing.contains("jsm_list_queues") && nothing.contains("jsm_search_issues"), "{nothing}");
        assert!(text(&of_jsm, None).unwrap().starts_with("unknown: "));
    }
}

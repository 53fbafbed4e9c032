//! Scopes of a token and scopes that tools need → the scopes that are missing, with their tools; where the token's are not
//! known, those that are needed.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, CatalogEntry};
use toolwright_model::Call;
use toolwright_model::workflow::Step;

/// Lists the tools whose scopes the token lacks, or which scopes the tools need where those of the token are not known;
/// `None` where no tool needs any.
pub(super) fn text(catalog: &Catalog, tools: &[&CatalogEntry], granted: Option<&[String]>) -> Option<String> {
    let scoped = || tools.iter().filter(|entry| calls_of(catalog, entry).iter().any(|call| !call.scopes.is_empty()));
    let count = scoped().count();
    if count == 0 {
        return None;
    }
    let by_scopes = |granted: &[String]| {
        let mut lacking: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for entry in scoped() {
            let calls = calls_of(catalog, entry);
            let missing = calls.iter().filter_map(|call| missing(&call.scopes, granted));
            let mut missing: Vec<&str> = missing.flatten().collect();
            missing.sort_unstable();
            missing.dedup();
            if !missing.is_empty() {
                lacking.entry(missing.join(" and ")).or_default().push(&entry.tool.name);
            }
        }
        lacking
    };
    let lines = |lacking: BTreeMap<String, Vec<&str>>, is: &str| {
        let lines = lacking.iter().map(|(scopes, names)| format!("{scopes} {is} {}", names.join(", ")));
        lines.collect::<Vec<_>>().join("\n")
    };
    let Some(granted) = granted else {
        let unknown = "unknown: these credentials name none, like a classic token, which may do what its account may";
        return Some(format!("{unknown}\n{}", lines(by_scopes(&[]), "is needed for")));
    };
    let lacking = by_scopes(granted);
    if lacking.is_empty() {
        return Some(format!("the token has the scopes of all {count} tools that need some"));
    }
    Some(lines(lacking, "is missing for"))
}

/// The calls of a tool; of a workflow those of the tools that its steps call, also those that it can do without.
fn calls_of<'a>(catalog: &'a Catalog, entry: &'a CatalogEntry) -> Vec<&'a Call> {
    let steps = entry.tool.workflow.iter().flat_map(|workflow| &workflow.steps);
    let of_vendor = steps.flat_map(Step::calls).filter(|call| call.vendor == entry.vendor);
    let of_steps = of_vendor.flat_map(|step| {
        let tool = catalog.get(&step.tool).map(|called| called.tool.calls.as_slice()).unwrap_or_default();
        tool.iter().filter(|call| call.operation == step.operation)
    });
    entry.tool.calls.iter().chain(of_steps).collect()
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
            text(&catalog, &of_jsm, Some(&granted)).unwrap()
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
        let unknown = text(&catalog, &of_jsm, None).unwrap();
        assert!(unknown.starts_with("unknown: "), "{unknown}");
        let needed = unknown.lines().find(|line| line.starts_with("read:jira-work is needed for")).unwrap_or_default();
        assert!(needed.contains("jsm_get_issue,") && needed.contains("jsm_search_issues"), "{unknown}");
        // A tool of several calls needs what its steps need.
        assert!(unknown.lines().any(|line| line.contains("jsm_triage_issue")), "{unknown}");
    }
}

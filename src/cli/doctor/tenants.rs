//! The tenants that an account's credentials reach → a text for a person: which they are, and which of those that callers may
//! choose are not among them.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::call_with_all;
use crate::call::{Caller, Tenant, Toolbox, tenants_in};
use crate::config::ConfiguredSetting;

/// The most tenants that are named.
const MOST_NAMED: usize = 50;

/// Lists them; `None` where the vendor has no list.
pub(super) async fn text(toolbox: &Toolbox, caller: &Caller, one: &ConfiguredSetting) -> Option<String> {
    let reached = one.setting.reached.as_ref()?;
    let answer = match call_with_all(toolbox, caller, &reached.operation, Map::new()).await {
        Ok(answer) => answer,
        Err(reason) => return Some(format!("not known: {reason}")),
    };
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    Some(described(&tenants_in(&answer, reached), one))
}

fn described(tenants: &[Tenant], one: &ConfiguredSetting) -> String {
    let named = tenants.iter().take(MOST_NAMED);
    let named = named.map(|Tenant { id, name }| if id == name { id.clone() } else { format!("{name} ({id})") });
    let mut text = named.collect::<Vec<_>>().join("\n");
    if tenants.is_empty() {
        text.push_str("none that the vendor lists");
    }
    if let Some(more) = tenants.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        let _ = write!(text, "\nand {more} more");
    }
    let is_reached = |id: &&String| tenants.iter().any(|tenant| tenant.id == **id);
    let beyond: Vec<&str> = one.allowed.iter().filter(|id| !is_reached(id)).map(String::as_str).collect();
    if !beyond.is_empty() {
        let list = one.setting.allowed.as_deref().unwrap_or(&one.setting.variable);
        let _ = write!(text, "\nnot listed, but in `{list}`: {}", beyond.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolwright_model::Setting;

    #[test]
    fn what_is_allowed_and_not_reached_is_named() {
        let setting = Setting {
            title: "organization".to_owned(),
            header: "x-org-id".to_owned(),
            variable: "ACME_ORG_ID".to_owned(),
            allowed: Some("ACME_ORG_IDS".to_owned()),
            query: None,
            several: Some("organizations".to_owned()),
            reached: None,
        };
        let allowed = vec!["a1".to_owned(), "c3".to_owned()];
        let one = ConfiguredSetting { setting, value: Some("a1".to_owned()), allowed };
        let tenant = |id: &str, name: &str| Tenant { id: id.to_owned(), name: name.to_owned() };
        let tenants = [tenant("a1", "Larkfield"), tenant("b2", "b2")];
        assert_eq!(described(&tenants, &one), "Larkfield (a1)\nb2\nnot listed, but in `ACME_ORG_IDS`: c3");
        assert!(described(&[], &one).starts_with("none that the vendor lists\n"));
    }
}

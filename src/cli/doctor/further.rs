//! A vendor's further APIs → whether each takes the credentials, too. They are tried after the login has succeeded, so that
//! no wrong password is sent twice.

use serde_json::{Map, Value};

use super::call;
use crate::call::{Caller, Toolbox};
use toolwright_model::{Check, FromAnswer, FurtherCheck};

/// An API that was tried.
pub(super) struct CheckedApi {
    pub(super) title: String,
    /// What became of it, for a person.
    pub(super) result: String,
}

/// Tries each further API once. What they answer does not decide whether the vendor can be used: a site may have none of them.
pub(super) async fn check(toolbox: &Toolbox, caller: &Caller, check: &Check) -> Vec<CheckedApi> {
    let mut checked = Vec::new();
    for further in &check.further {
        let result = match call_further(toolbox, caller, further).await {
            Ok(()) => "ok: these credentials are taken".to_owned(),
            Err(reason) => reason,
        };
        checked.push(CheckedApi { title: further.title.clone(), result });
    }
    checked
}

async fn call_further(toolbox: &Toolbox, caller: &Caller, further: &FurtherCheck) -> Result<(), String> {
    let mut arguments = Map::new();
    for (name, from) in &further.with {
        let value = value_of(toolbox, caller, from).await.map_err(|reason| format!("not tried: {reason}"))?;
        arguments.insert(name.clone(), value);
    }
    call(toolbox, caller, &further.operation, arguments).await.map(drop).map_err(|reason| format!("failed: {reason}"))
}

async fn value_of(toolbox: &Toolbox, caller: &Caller, from: &FromAnswer) -> Result<Value, String> {
    let answer = call(toolbox, caller, &from.operation, Map::new()).await?;
    let answer: Value =
        serde_json::from_slice(&answer).map_err(|_| format!("`{}` answered no JSON", from.operation))?;
    let found = answer.pointer(&from.value).filter(|value| value.is_string() || value.is_number());
    found.cloned().ok_or_else(|| format!("`{}` found nothing to try it with", from.operation))
}

#[cfg(test)]
#[cfg(feature = "jsm")]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;
    use crate::catalog::{Catalog, sandbox_tables};
    use crate::config::{ConnectionConfig, sandbox_credentials};
    use crate::policy::{Defaults, Selection, SelectionWords};
    use crate::sandbox::{Sandbox, Script};
    use crate::upstream::{Unencrypted, parse_address};

    /// What the further APIs of JSM answer where the sandbox answers from this script.
    async fn checked(script: &str) -> Vec<(String, String)> {
        let catalog = Catalog::compiled();
        let vendor = catalog.vendor("jsm").unwrap();
        let sandbox = Sandbox::start(&sandbox_tables(), Some(Script::parse(script).unwrap())).await.unwrap();
        let tables = sandbox_tables();
        let connected = tables.iter().map(|(api, _)| {
            let base = parse_address(&sandbox.address(api), &[], Unencrypted::default()).unwrap();
            let credentials = sandbox_credentials(Some(vendor)).unwrap();
            ((*api).to_owned(), ConnectionConfig::new(base, credentials, Duration::from_secs(20)))
        });
        let connections: HashMap<String, ConnectionConfig> = connected.collect();
        let reads = Selection::resolve(&SelectionWords::default(), Defaults::Reads, &catalog).unwrap();
        let toolbox = Toolbox::new(catalog.clone(), reads, &connections, false);
        let checked = check(&toolbox, &Caller::default(), vendor.check.as_ref().unwrap()).await;
        checked.into_iter().map(|one| (one.title, one.result)).collect()
    }

    #[tokio::test]
    async fn each_further_api_is_tried_and_reported() {
        let taken = "ok: these credentials are taken";
        let fine = checked("[]").await;
        assert_eq!(fine, [("operations".to_owned(), taken.to_owned()), ("forms".to_owned(), taken.to_owned())]);
        let refused = checked(
            r#"[{"operation": "listTeams", "answer": {"status": 403, "body": {"errors": [{"title": "no access"}]}}},
                {"operation": "searchProjects", "answer": {"body": {"values": []}}}]"#,
        )
        .await;
        assert!(refused[0].1.starts_with("failed: ") && refused[0].1.contains("no access"), "{refused:?}");
        assert_eq!(refused[1].1, "not tried: `searchProjects` found nothing to try it with");
    }
}

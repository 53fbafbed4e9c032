//! `--ask-for-more`: a refusal of the policy becomes a request; what a person grants is one tool, for one caller, for a while.

use serde_json::json;
use toolwright::access::{GrantTerms, Narrowing, Principal};
use toolwright::call::{Caller, Failure};
use toolwright::policy::SelectionWords;

use super::*;
use crate::common::network::run;

const REPLY: &str = "jitbit_reply_to_customer";

struct Reader {
    sandbox: Sandbox,
    store: Store,
    toolbox: Toolbox,
}

/// A server that offers reads, and takes requests.
async fn reader(test: &str) -> Reader {
    let folder = fresh_folder(&format!("approval-more-{test}"));
    let store = Store::open(&StoreAddress::File(folder.join("store.db"))).await.unwrap();
    let sandbox = sandbox(None).await;
    let none = Confirm::parse(&["none".to_owned()]).unwrap();
    let approvals = Approvals::in_store(none, store.clone()).taking_requests(true);
    let toolbox =
        toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads).with_approvals(Some(Arc::new(approvals)));
    Reader { sandbox, store, toolbox }
}

impl Reader {
    async fn call(&self, caller: &Caller, tool: &str, arguments: &Value) -> Result<(), String> {
        let outcome = self.toolbox.call_as(caller, tool, arguments.as_object().unwrap().clone()).await;
        outcome.map(drop).map_err(|failure: Failure| failure.to_string())
    }

    async fn approve(&self, words: &[&str]) -> (Option<i32>, String) {
        let store = self.store.address().to_string();
        let words: Vec<&str> = ["approve"].iter().chain(words).copied().chain(["--store", store.as_str()]).collect();
        let (code, out, error) = run(&words, &[]).await;
        (code, out + &error)
    }

    fn changes(&self) -> usize {
        self.sandbox.record().iter().filter(|request| request.method != "GET").count()
    }
}

fn id_of(refusal: &str) -> String {
    let rest = refusal.split("as request ").nth(1).unwrap_or_else(|| panic!("{refusal}"));
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[tokio::test]
async fn a_person_grants_one_tool_with_these_arguments() {
    let reader = reader("call").await;
    let (local, other) = (Caller::default(), Caller { principal: Principal::of_link("1", "a"), ..Caller::default() });
    let arguments = json!({"ticketId": 7, "body": "x"});
    let id = id_of(&reader.call(&local, REPLY, &arguments).await.unwrap_err());
    assert_eq!(id_of(&reader.call(&local, REPLY, &arguments).await.unwrap_err()), id, "one request for the same call");
    let (code, shown) = reader.approve(&["list"]).await;
    assert!(code == Some(0) && shown.contains(&id), "{shown}");
    let (code, told) = reader.approve(&["yes", &id]).await;
    assert!(code == Some(2) && told.contains("--beyond-selection"), "the server itself does not offer it: {told}");
    let (code, told) = reader.approve(&["yes", &id, "--beyond-selection", "--minutes", "5"]).await;
    assert!(code == Some(0) && told.contains("granted"), "{told}");
    assert_eq!(reader.changes(), 0, "a grant sends nothing");
    reader.call(&local, REPLY, &arguments).await.unwrap();
    assert_eq!(reader.changes(), 1);
    for (caller, tool, arguments, why) in [
        (&local, REPLY, json!({"ticketId": 8, "body": "x"}), "another target"),
        (&local, "jitbit_close_ticket", json!({"ticketId": 7}), "another tool"),
        (&other, REPLY, arguments.clone(), "another caller"),
    ] {
        assert!(reader.call(caller, tool, &arguments).await.is_err(), "{why}");
    }
    assert_eq!(reader.changes(), 1);
    let (code, told) = reader.approve(&["no", &id]).await;
    assert!(code == Some(0) && told.contains("taken back"), "{told}");
    assert!(reader.call(&local, REPLY, &arguments).await.is_err(), "it is taken back");
}

#[tokio::test]
async fn a_grant_for_any_arguments_ends_by_itself() {
    let reader = reader("tool").await;
    let local = Caller::default();
    let refusal = reader.call(&local, REPLY, &json!({"ticketId": 7, "body": "x"})).await.unwrap_err();
    let granted =
        Decision { scope: Some("tool".to_owned()), lasts: Some(Duration::from_millis(400)), ..decision(true) };
    assert!(reader.store.decide_approval(&id_of(&refusal), &granted).await.unwrap());
    reader.call(&local, REPLY, &json!({"ticketId": 8, "body": "y"})).await.unwrap();
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert!(reader.call(&local, REPLY, &json!({"ticketId": 8, "body": "y"})).await.is_err());
    assert_eq!(reader.changes(), 1);
}

#[tokio::test]
async fn the_bearer_of_a_link_asks_within_the_selection() {
    let reader = reader("link").await;
    let policy = reader.toolbox.server_policy().clone();
    let terms = GrantTerms {
        id: "1".to_owned(),
        name: "Contractor".to_owned(),
        accounts: [("jitbit".to_owned(), "jitbit".to_owned())].into(),
        narrowings: vec![Narrowing { tools: vec!["jitbit_get_ticket".to_owned()], ..Narrowing::default() }],
        scopes: None,
        expires: None,
    };
    let grant = Some(Arc::new(policy.grant(terms).unwrap()));
    let bearer = Caller { principal: Principal::of_link("1", "Contractor"), grant, ..Caller::default() };
    let arguments = json!({"query": "printer"});
    let refusal = reader.call(&bearer, "jitbit_search_tickets", &arguments).await.unwrap_err();
    let (code, told) = reader.approve(&["yes", &id_of(&refusal)]).await;
    assert_eq!(code, Some(0), "the server offers it: {told}");
    reader.call(&bearer, "jitbit_search_tickets", &arguments).await.unwrap();
    // Another vendor, of which the link has no account.
    let refusal = reader.call(&bearer, "jumpcloud_list_users", &json!({})).await.unwrap_err();
    assert!(!refusal.contains("as request"), "{refusal}");
}

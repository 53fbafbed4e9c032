//! What a grant offers: a part of what the server does, whatever its words, and texts that name no more.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;
use toolwright::access::{Grant, GrantTerms, Narrowing};
use toolwright::call::{Caller, Toolbox};
use toolwright::catalog::Catalog;
use toolwright::policy::{Defaults, Selection, SelectionWords};

use super::callers::toolbox;
use crate::common::everything;
use crate::common::whoami::WhoAmI;

/// A caller under a grant with these narrowings.
fn caller(toolbox: &Toolbox, narrowings: &[Narrowing]) -> Caller {
    let terms = GrantTerms {
        id: "1".to_owned(),
        accounts: [("jitbit".to_owned(), "jitbit".to_owned())].into(),
        narrowings: narrowings.to_vec(),
        ..GrantTerms::default()
    };
    Caller { grant: Some(Arc::new(toolbox.server_policy().grant(terms).unwrap())), ..Caller::default() }
}

fn names(toolbox: &Toolbox, caller: &Caller) -> Vec<String> {
    toolbox.tools(caller).iter().map(|entry| entry.tool.name.clone()).collect()
}

#[tokio::test]
async fn a_grant_offers_its_tools_and_its_texts_name_no_others() {
    let vendor = WhoAmI::start().await;
    let toolbox = toolbox(&vendor);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let reads = Narrowing { methods: words(&["read"]), tags: words(&["tickets"]), ..Narrowing::default() };
    let caller = caller(&toolbox, &[reads]);
    let offered = names(&toolbox, &caller);
    assert!(
        offered.contains(&"jitbit_get_ticket".to_owned()) && offered.len() < toolbox.offered().count(),
        "{offered:?}"
    );
    let tools = toolbox.tools(&caller);
    for entry in tools.iter() {
        let text = json!(tools.listing(entry)).to_string();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let others: Vec<&str> = words
            .filter(|word| toolbox.catalog().get(word).is_some_and(|named| named.tool.name == *word))
            .filter(|word| !offered.iter().any(|name| name == word))
            .collect();
        assert!(others.is_empty(), "{} names {others:?}", entry.tool.name);
    }
    // What is offered to all is not changed by what was made for the grant.
    let whole = toolbox.tools(&Caller::default());
    let listed = json!(whole.listing(whole.get("jitbit_get_ticket").unwrap())).to_string();
    let fresh = super::callers::toolbox(&vendor);
    let fresh = fresh.tools(&Caller::default());
    assert_eq!(listed, json!(fresh.listing(fresh.get("jitbit_get_ticket").unwrap())).to_string());
    let asked = toolbox.call_as(&caller, "jitbit_update_ticket", serde_json::Map::new()).await.unwrap_err();
    assert!(asked.to_string().contains("its effect is `write`"), "{asked}");
    assert!(!asked.to_string().contains("--methods"), "{asked}");
    assert!(vendor.take().is_empty());
}

#[tokio::test]
async fn gated_risks_are_named_by_the_grant_too() {
    let vendor = WhoAmI::start().await;
    let toolbox = toolbox(&vendor);
    let gated = |caller: &Caller| {
        let tools = toolbox.tools(caller);
        let of_vendor = tools.iter().filter(|entry| entry.vendor == "jitbit");
        of_vendor.filter(|entry| entry.tool.risks.iter().any(|risk| risk.is_gated())).count()
    };
    assert!(gated(&Caller::default()) > 0);
    assert_eq!(gated(&caller(&toolbox, &[Narrowing::default()])), 0);
    let allow = everything().allow;
    assert_eq!(gated(&caller(&toolbox, &[Narrowing { allow, ..Narrowing::default() }])), gated(&Caller::default()));
}

#[tokio::test]
async fn a_longer_chain_never_offers_more() {
    let vendor = WhoAmI::start().await;
    let toolbox = toolbox(&vendor);
    let catalog = Catalog::compiled();
    let tags: Vec<String> = catalog.entries().iter().flat_map(|entry| entry.tool.tags.iter().cloned()).collect();
    let tools: Vec<String> = catalog.entries().iter().map(|entry| entry.tool.name.clone()).collect();
    let methods =
        ["read", "write", "destructive", "all", "list", "get", "create", "delete"].map(str::to_owned).to_vec();
    let mut random = fastrand::Rng::with_seed(7);
    let grant = |narrowings: &[Narrowing]| -> Arc<Grant> { caller(&toolbox, narrowings).grant.unwrap() };
    for _ in 0..300 {
        let mut some = |from: &[String], most: usize| -> Vec<String> {
            (0..random.usize(..=most)).map(|_| from[random.usize(..from.len())].clone()).collect()
        };
        let mut chain = Vec::new();
        let mut before = grant(&chain);
        for _ in 0..3 {
            let globs: Vec<String> =
                some(&tools, 3).iter().map(|name| format!("{}*", &name[..name.len() * 2 / 3])).collect();
            chain.push(Narrowing {
                methods: some(&methods, 2),
                tags: some(&tags, 3),
                tools: globs,
                exclude: some(&tools, 2),
                allow: some(&everything().allow, 2),
            });
            let after = grant(&chain);
            assert!(after.offered().is_within(before.offered()), "{chain:?}");
            for (position, entry) in catalog.entries().iter().enumerate() {
                assert_eq!(after.decide(entry).is_ok(), after.offered().contains(position), "{chain:?}");
            }
            before = after;
        }
    }
}

#[test]
fn a_grant_without_an_account_of_a_vendor_offers_nothing_of_it() {
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(&SelectionWords::default(), Defaults::CoreReads, &catalog).unwrap();
    let toolbox = Toolbox::new(catalog, selection, &HashMap::new(), false);
    let none = toolbox.server_policy().whole("none", BTreeMap::new());
    assert!(none.offered().is_empty());
    let entry = toolbox.catalog().get("jitbit_get_ticket").unwrap();
    let refusal = none.decide(entry).unwrap_err();
    assert!(refusal.text(toolwright::error::Audience::Model).contains("`jitbit` is not among"), "{refusal:?}");
}

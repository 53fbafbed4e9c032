//! First calls with the mistakes that models make → answers that name the right second call: its tool or its argument. The
//! cases were written before the answers were looked at; a file per vendor.

use std::collections::BTreeMap;

use rmcp::model::CallToolRequestParams;
use rmcp::service::ServiceError;
use rmcp::{RoleClient, ServiceExt as _, service::RunningService};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toolwright::policy::{Defaults, NamePatterns, SelectionWords};
use toolwright::server::Server;

use crate::common::{sandbox, toolbox};

type Client = RunningService<RoleClient, ()>;

/// The least share of answers that lead to the right second call, in percent.
const LEAST: usize = 95;
/// The fewest cases of a vendor.
const FEWEST: usize = 40;

/// A first call, and what the answer has to name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    call: String,
    with: Map<String, Value>,
    /// The methods that the server offers; reads unless stated.
    #[serde(default)]
    methods: Vec<String>,
    /// Whether the server discovers; it then offers every method.
    #[serde(default)]
    discover: bool,
    /// What the vendor answers.
    vendor: Option<VendorAnswer>,
    /// All that the answer has to contain.
    right: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorAnswer {
    operation: String,
    status: u16,
    body: Value,
}

/// What a model reads of a refused call; `None` where it was accepted.
async fn refusal(case: &Case, client: &Client) -> Option<String> {
    let request = CallToolRequestParams::new(case.call.clone()).with_arguments(case.with.clone());
    match client.call_tool(request).await {
        Ok(result) if result.is_error == Some(true) => Some(crate::common::text(&result).to_owned()),
        Ok(_) => None,
        Err(ServiceError::McpError(error)) => Some(error.message.into_owned()),
        Err(error) => panic!("{error}"),
    }
}

/// What distinguishes the servers that cases need: their methods, whether they discover, and what the vendor answers.
type Offer = (Vec<String>, bool, Option<String>);

fn offer(case: &Case) -> Offer {
    let script = case.vendor.as_ref().map(|answer| {
        json!([{"operation": answer.operation, "answer": {"status": answer.status, "body": answer.body}}]).to_string()
    });
    (case.methods.clone(), case.discover, script)
}

async fn client((methods, discover, script): &Offer, vendor: &str) -> Client {
    let sandbox = Box::leak(Box::new(sandbox(script.as_deref()).await));
    let methods = if *discover { vec!["all".to_owned()] } else { methods.clone() };
    let allow = if *discover { vec!["irreversible".to_owned()] } else { Vec::new() };
    let selection = SelectionWords { methods, allow, vendors: vec![vendor.to_owned()], ..SelectionWords::default() };
    let defaults = if *discover { Defaults::Reads } else { Defaults::CoreReads };
    let server = Server::new(toolbox(sandbox, &selection, defaults));
    let server = if *discover { server.with_discovery(NamePatterns::default()).unwrap() } else { server };
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(server.serve(server_side)).await.unwrap().waiting().await });
    ().serve(client_side).await.unwrap()
}

#[expect(clippy::print_stdout, reason = "a line for each miss is what the test is read for")]
async fn check(vendor: &str, cases: &str) {
    let cases: Vec<Case> = cases.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() >= FEWEST, "{} cases of {vendor}", cases.len());
    let mut misses = Vec::new();
    let mut by_kind: BTreeMap<bool, usize> = BTreeMap::new();
    let mut clients: BTreeMap<Offer, Client> = BTreeMap::new();
    for case in &cases {
        let offer = offer(case);
        if !clients.contains_key(&offer) {
            clients.insert(offer.clone(), client(&offer, vendor).await);
        }
        let answer = refusal(case, &clients[&offer]).await;
        let leads = answer.as_ref().is_some_and(|text| case.right.iter().all(|right| text.contains(right.as_str())));
        *by_kind.entry(case.discover).or_default() += 1;
        if !leads {
            let given = Value::Object(case.with.clone());
            misses.push(format!(
                "{} {given} → {}; right: {:?}",
                case.call,
                answer.unwrap_or("accepted".to_owned()),
                case.right
            ));
        }
    }
    let right = cases.len() - misses.len();
    println!("{vendor}: {right} of {} answers lead to the right second call\n{}", cases.len(), misses.join("\n"));
    assert!(right * 100 >= LEAST * cases.len(), "{vendor}: {right} of {}\n{}", cases.len(), misses.join("\n"));
    assert!(by_kind.len() == 2, "both ways of offering tools are tried");
}

#[cfg(feature = "jitbit")]
#[tokio::test]
async fn jitbit_answers_to_mistakes_lead_on() {
    check("jitbit", include_str!("jitbit.jsonl")).await;
}

#[cfg(feature = "jsm")]
#[tokio::test]
async fn jsm_answers_to_mistakes_lead_on() {
    check("jsm", include_str!("jsm.jsonl")).await;
}

#[cfg(feature = "jumpcloud")]
#[tokio::test]
async fn jumpcloud_answers_to_mistakes_lead_on() {
    check("jumpcloud", include_str!("jumpcloud.jsonl")).await;
}

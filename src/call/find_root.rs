//! The ids in an API's root that the vendor states itself → the call's session at the complete address. Each id is
//! requested once for each account, by an operation of another API of the same vendor, and kept with the connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::accounts::Accounts;
use super::failure::Failure;
use super::lookup::VendorLookup;
use super::resolve::ResolvedCall;
use super::retry::Sender;
use crate::catalog::Catalog;
use crate::config::OpenRoot;
use crate::error::CallError;
use crate::formats::{Lookup, LookupError};
use toolwright_model::FoundWord;

/// Completes the address of a call's API where it is not known yet. `sender` sends with the limits of the call.
///
/// # Errors
/// The vendor states no such id, or does not answer.
pub(super) async fn find_root<'a>(
    call: &mut ResolvedCall<'a>,
    accounts: &Accounts,
    catalog: &Catalog,
    sender: impl Fn(&ResolvedCall<'a>) -> Sender<'a>,
) -> Result<(), Failure> {
    let connection = Arc::clone(&call.connection);
    let Some(open) = connection.unknown_root(call.caller) else { return Ok(()) };
    if call.dry_run {
        call.notes.push(note(open));
        return Ok(());
    }
    let mut ids = BTreeMap::new();
    for word in &open.words {
        let api = api_of(catalog, &call.entry.vendor, &word.operation);
        let asked = api.and_then(|api| Some((api, accounts.get(call.account, api)?)));
        let (api, asked) = asked.ok_or_else(|| fault(word, "no API of the account has it"))?;
        let session = asked.session(call.caller).map_err(|error| Failure::NotConfigured(error.to_string()))?;
        let sender = sender(call).over(asked, session);
        let id = ask(word, &VendorLookup { sender: &sender, catalog, api }).await?;
        ids.insert(word.name.clone(), id);
    }
    let root = open.fill(&ids).map_err(|error| Failure::NotConfigured(error.to_string()))?;
    connection.keep_root(call.caller, root);
    call.session =
        Arc::new(connection.session(call.caller).map_err(|error| Failure::NotConfigured(error.to_string()))?);
    Ok(())
}

/// Asks the vendor for an id.
async fn ask(word: &FoundWord, lookup: &dyn Lookup) -> Result<String, Failure> {
    let answer = lookup.ask(&word.operation, Vec::new()).await.map_err(|error| {
        let reason = match error {
            LookupError::DryRun => "this is a dry run".to_owned(),
            LookupError::Failed(reason) => reason,
        };
        let text =
            format!("`{}`, a part of the address, could not be found by `{}`: {reason}", word.name, word.operation);
        Failure::Call(CallError::NotSent(text))
    })?;
    match answer.pointer(&word.value) {
        Some(Value::String(id)) if FoundWord::accepts(id) => Ok(id.clone()),
        Some(Value::Number(id)) if id.is_u64() => Ok(id.to_string()),
        None | Some(Value::Null) => Err(Failure::NotConfigured(word.missing.clone())),
        // It would lead to another address.
        Some(_) => Err(fault(word, "its answer has something else there")),
    }
}

fn fault(word: &FoundWord, what: &str) -> Failure {
    let text = format!("`{}`, a part of the address, is not stated by `{}`: {what}", word.name, word.operation);
    Failure::Call(CallError::NotSent(text))
}

/// The API of a vendor's operation.
fn api_of<'c>(catalog: &'c Catalog, vendor: &str, operation: &str) -> Option<&'c str> {
    let of_vendor = catalog.entries().iter().filter(|entry| entry.vendor == vendor);
    let mut calls = of_vendor.flat_map(|entry| &entry.tool.calls);
    calls.find(|call| call.operation == operation).map(|call| call.api.as_str())
}

/// The note of a dry run, which requests nothing.
fn note(open: &OpenRoot) -> String {
    let names: Vec<String> = open.words.iter().map(|word| format!("`{}`", word.name)).collect();
    let names = names.join(" and ");
    format!("{names} in the address: the vendor is asked for it when the call is made, and a dry run sends nothing")
}

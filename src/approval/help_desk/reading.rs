//! A vendor's answers → what was decided on a ticket, and by whom. Only values that the vendor itself sets count, at the places
//! that vendor.toml names: no text of a ticket or a comment is looked at.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::DeskAnswer;
use super::desk::Desk;
use crate::approval::request::hex;
use toolwright_model::{DeskDecision, DeskPerson};

/// The most records and people of an answer that are looked at.
const MOST: usize = 1_000;

/// What the vendor states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing, yet.
    Open,
    /// A no, by these people.
    No(BTreeSet<String>),
    /// A yes: of each record, the people who have said it.
    Yes(Vec<BTreeSet<String>>),
}

/// An id or a word of a vendor: a text, or a number in digits.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The word at a place.
pub(super) fn word_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(word)
}

/// The words at a place in each record of a list, or in the answer itself; `None` where one has none.
pub(super) fn words(answer: &Value, pointer: &str) -> Option<BTreeSet<String>> {
    match answer {
        Value::Array(records) if records.len() <= MOST => {
            records.iter().map(|record| word_at(record, pointer)).collect()
        }
        Value::Array(_) => None,
        one => Some(BTreeSet::from([word_at(one, pointer)?])),
    }
}

/// Reads what was decided. An answer of another form decides nothing.
pub(super) fn decision(desk: &Desk, ticket: &str, answer: &DeskAnswer) -> Reading {
    let DeskDecision { records, whole, of, is, yes, no, by, .. } = &desk.form.decision;
    if *whole && !answer.is_whole {
        return Reading::Open;
    }
    let Some(all) = answer.body.pointer(records).and_then(Value::as_array).filter(|all| all.len() <= MOST) else {
        return Reading::Open;
    };
    let is_of = |record: &&Value| of.as_ref().is_none_or(|of| word_at(record, of).as_deref() == Some(ticket));
    let own: Vec<&Value> = all.iter().filter(is_of).collect();
    // Two records of one ticket where each has one of its own contradict each other.
    if own.is_empty() || of.is_some() && own.len() > 1 {
        return Reading::Open;
    }
    let (yes, no) = (desk.filled(yes, &[]), desk.filled(no, &[]));
    let stated = |record: &Value| word_at(record, is).unwrap_or_default();
    if let Some(record) = own.iter().find(|record| stated(record) == no) {
        return Reading::No(people(by, record, &no));
    }
    if own.iter().all(|record| stated(record) == yes) {
        return Reading::Yes(own.iter().map(|record| people(by, record, &yes)).collect());
    }
    Reading::Open
}

/// Who has said a word about a record.
fn people(by: &DeskPerson, record: &Value, said: &str) -> BTreeSet<String> {
    let DeskPerson { people, id, says } = by;
    let has_said =
        |one: &&Value| says.as_ref().is_none_or(|says| one.pointer(says).and_then(word).as_deref() == Some(said));
    match people {
        Some(people) => {
            let all = record.pointer(people).and_then(Value::as_array).into_iter().flatten().take(MOST);
            all.filter(has_said).filter_map(|one| word_at(one, id)).collect()
        }
        None => Some(record).filter(has_said).and_then(|one| word_at(one, id)).into_iter().collect(),
    }
}

/// A hash of the texts of a ticket, as the vendor shows them; `None` where one is missing.
pub(super) fn texts(desk: &Desk, answer: &Value) -> Option<String> {
    let mut hasher = Sha256::new();
    for pointer in &desk.form.shown.texts {
        let value = answer.pointer(&desk.filled(pointer, &[])).filter(|value| !value.is_null())?;
        let text = value.to_string();
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    Some(hex(hasher.finalize().as_slice()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;
    use toolwright_model::DeskSettings;

    fn desk(vendor: &str, settings: &[(&str, &str)]) -> Option<Desk> {
        let catalog = Catalog::compiled();
        let vendor = catalog.vendor(vendor)?;
        let given = DeskSettings {
            account: "desk".to_owned(),
            approvers: vec!["7".to_owned()],
            callers: BTreeMap::new(),
            minutes: 10,
            irreversible: false,
            settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        Some(Desk::new("prod", &given, vendor).unwrap())
    }

    #[test]
    fn a_request_is_approved_by_each_of_its_approvals() {
        let Some(desk) = desk("jsm", &[("service_desk", "4"), ("request_type", "52")]) else { return };
        let one = |is: &str, says: &str| json!({"finalDecision": is, "approvers": [{"approver": {"accountId": "7"}, "approverDecision": says}]});
        let page = |values: Vec<Value>| json!({"values": values});
        let read_as =
            |answer: &Value, is_whole| decision(&desk, "ITS-1", &DeskAnswer { body: answer.clone(), is_whole });
        let read = |answer: &Value| read_as(answer, true);
        let seven = || BTreeSet::from(["7".to_owned()]);
        assert_eq!(read(&page(vec![one("approved", "approved")])), Reading::Yes(vec![seven()]));
        assert_eq!(read(&page(vec![one("approved", "pending")])), Reading::Yes(vec![BTreeSet::new()]));
        assert_eq!(read(&page(vec![one("approved", "approved"), one("declined", "declined")])), Reading::No(seven()));
        for open in [
            page(vec![]),
            page(vec![one("approved", "approved"), one("pending", "pending")]),
            page(vec![one("Approved", "approved")]),
            page(vec![json!({"name": "approved", "comment": "approved"})]),
            json!("approved"),
            Value::Null,
        ] {
            assert_eq!(read(&open), Reading::Open, "{open}");
        }
        let part = page(vec![one("approved", "approved")]);
        assert_eq!(read_as(&part, false), Reading::Open, "there may be more");
    }

    #[test]
    fn a_ticket_is_approved_by_its_status() {
        let Some(desk) = desk("jitbit", &[("category", "18"), ("approved", "9")]) else { return };
        let read = |answer: &Value| decision(&desk, "42", &DeskAnswer { body: answer.clone(), is_whole: true });
        let row = |id: u64, status: u64| json!({"IssueID": id, "StatusID": status, "LastUpdatedByUserID": 7});
        let seven = BTreeSet::from(["7".to_owned()]);
        assert_eq!(read(&json!([row(41, 3), row(42, 9)])), Reading::Yes(vec![seven.clone()]));
        assert_eq!(read(&json!([row(42, 3)])), Reading::No(seven));
        for open in [json!([]), json!([row(41, 9)]), json!([row(42, 9), row(42, 9)]), json!([row(42, 1)])] {
            assert_eq!(read(&open), Reading::Open, "{open}");
        }
        let nobody = json!([{"IssueID": 42, "StatusID": 9, "LastUpdatedByUserID": null}]);
        assert_eq!(read(&nobody), Reading::Yes(vec![BTreeSet::new()]));
    }
}

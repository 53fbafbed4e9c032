//! Where a page of records begins, and which part of all records an answer holds.

use serde::{Serialize, Serializer};
use serde_json::Value;
use toolwright_model::{Paging, PagingKind};

/// The longest position of a vendor's, as a text of JSON, in bytes.
const LONGEST_POSITION: usize = 8_000;
/// More pages than these never come empty in a row: a person would have to follow as many cursors.
const MOST_EMPTY: u32 = 100_000;
/// The largest number that every program reads alike.
const LARGEST_NUMBER: u64 = 1 << 53;

/// Where a page begins.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::call) struct Start {
    /// The vendor's position; none for the first page.
    pub(in crate::call) at: Option<Value>,
    /// How many records were read before it, if reading began with the first.
    pub(in crate::call) seen: Option<u64>,
    /// A digest of the records of the page before.
    pub(in crate::call) mark: Option<String>,
    /// How many records to request, if the arguments don't state it.
    pub(in crate::call) size: Option<u64>,
    /// How many pages before it came empty, in a row.
    pub(in crate::call) empty: u32,
}

impl Start {
    /// Checks a start that a caller brings: it has nothing that reading a listing does not lead to.
    ///
    /// # Errors
    /// It has; says in a few words what.
    pub(in crate::call) fn check(&self, paging: Option<&Paging>) -> Result<(), &'static str> {
        let Some(paging) = paging else {
            return if *self == Self::default() { Ok(()) } else { Err("this call has no pages") };
        };
        let fits = match (&self.at, paging.kind) {
            (None, _) => true,
            (Some(at), PagingKind::Offset) => count(at).is_some(),
            (Some(at), PagingKind::Page) => count(at).is_some_and(|page| page >= paging.signs.first),
            (Some(at), PagingKind::Token) => is_token(at),
        };
        if !fits {
            return Err("a position that no page has");
        }
        let most = paging.most.filter(|_| paging.size.is_some()).unwrap_or_default();
        if self.size.is_some_and(|size| size == 0 || size > most) {
            return Err("a size that no page has");
        }
        if self.empty > MOST_EMPTY || self.seen.is_some_and(|seen| seen > LARGEST_NUMBER) {
            return Err("more pages before it than are read");
        }
        Ok(())
    }
}

/// A number of records or of a page, also as a text.
fn count(at: &Value) -> Option<u64> {
    let number = at.as_u64().or_else(|| at.as_str()?.parse().ok());
    number.filter(|number| *number <= LARGEST_NUMBER)
}

/// Whether a vendor can have sent this as the token of a page: a text or a number, or a list of such.
fn is_token(at: &Value) -> bool {
    let plain = |value: &Value| value.is_string() || value.is_number();
    let list = at.as_array().is_some_and(|items| !items.is_empty() && items.len() <= 16 && items.iter().all(plain));
    (plain(at) || list) && at.to_string().len() <= LONGEST_POSITION
}

/// Whether there are more records than an answer holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HasMore {
    /// No: the vendor stated the end.
    #[default]
    No,
    /// Yes: the vendor stated more, or there is more of this answer.
    Yes,
    /// The vendor stated neither.
    Unknown,
}

impl Serialize for HasMore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::No => serializer.serialize_bool(false),
            Self::Yes => serializer.serialize_bool(true),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

/// Which part of all matching records an answer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// How many records the answer holds.
    pub returned: usize,
    /// Whether there are more records; `false` only if that is proved.
    pub has_more: HasMore,
    /// The `cursor` argument for the next records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many matching records there are in all, as the vendor states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What else a reader has to know of this part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What a reader has to know of the end of this page; shown among the answer's `notes`, with its last part.
    #[serde(skip)]
    pub end_notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use toolwright_model::{Place, Signs};

    fn paging(kind: PagingKind) -> Paging {
        Paging {
            kind,
            position: Place::Query("start".to_owned()),
            always: false,
            size: Some(Place::Query("limit".to_owned())),
            most: Some(100),
            signs: Signs { first: u64::from(kind == PagingKind::Page), ..Signs::default() },
        }
    }

    #[test]
    fn a_start_has_only_what_reading_leads_to() {
        use PagingKind::{Offset, Page, Token};
        for (kind, at, fits) in [
            (Offset, json!(0), true),
            (Offset, json!("50"), true),
            (Offset, json!(-5), false),
            (Offset, json!(1.5), false),
            (Offset, json!(u64::MAX), false),
            (Offset, json!({"$ne": 1}), false),
            (Offset, json!("50; drop"), false),
            (Page, json!(1), true),
            (Page, json!(0), false),
            (Token, json!("CAEaAggD"), true),
            (Token, json!([1_762_911_607_331_u64, "Qm9y"]), true),
            (Token, json!({"$ne": 1}), false),
            (Token, json!([{"$ne": 1}]), false),
            (Token, json!([]), false),
            (Token, json!(null), false),
            (Token, json!(true), false),
            (Token, json!("x".repeat(10_000)), false),
        ] {
            let start = Start { at: Some(at.clone()), ..Start::default() };
            assert_eq!(start.check(Some(&paging(kind))).is_ok(), fits, "{kind:?} {at}");
            assert!(start.check(None).is_err());
        }
        for (size, fits) in [(1, true), (100, true), (0, false), (101, false), (1_000_000_000, false)] {
            let start = Start { size: Some(size), ..Start::default() };
            assert_eq!(start.check(Some(&paging(Offset))).is_ok(), fits, "{size}");
            let unbounded = Paging { most: None, ..paging(Offset) };
            assert!(start.check(Some(&unbounded)).is_err(), "{size}");
        }
    }
}

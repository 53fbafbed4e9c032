//! How a vendor pages: what a person states of it once in vendor.toml, and what of it the tool of
//! one operation needs.

use serde::{Deserialize, Serialize};

use super::Place;
use super::words::words;

words! {
    /// What the position of a page is.
    PagingKind {
        /// How many records come before it.
        Offset = "offset",
        /// The number of the page.
        Page = "page",
        /// The token that the vendor sent with the page before.
        Token = "token",
    }
}

/// One way in which a vendor pages: `[[paging]]` in vendor.toml.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PagingStyle {
    /// The name by which overlays choose it.
    pub name: String,
    /// What the position is.
    pub kind: PagingKind,
    /// The parameter or body property for where a page begins.
    pub position: String,
    /// The parameter or body property for how many records a page holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// What an answer states of its page.
    #[serde(flatten)]
    pub signs: Signs,
}

/// How the pages of one operation are requested and read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paging {
    /// What the position is.
    pub kind: PagingKind,
    /// Where the position goes.
    pub position: Place,
    /// Whether the vendor demands the position for the first page too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
    /// Where the number of records goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Place>,
    /// The most records that the vendor gives at once, where that is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// What an answer states of its page.
    #[serde(flatten)]
    pub signs: Signs,
}

/// What an answer states of its page: JSON pointers into it, names of its headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Signs {
    /// The number of the first page; 0 unless stated.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first: u64,
    /// The list of records; unless stated the answer itself, or else its only list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// How many records there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// `true` on the last page, `false` on the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The position of the next page: itself, or an address that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The header with how many records there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_header: Option<String>,
    /// The header with the position of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_header: Option<String>,
    /// The header with how many records the answer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count_header: Option<String>,
    /// The header with how many records it could hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_header: Option<String>,
    /// Whether the vendor cuts a range of records first and leaves out some of it afterwards: pages come short, and
    /// the position advances by the range that was requested.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cuts: bool,
    /// How many records the vendor looks through at most; then only that is the end, and no empty page is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<u64>,
    /// Further entries of an answer that describe its page; they are left out, as the signs are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
}

impl Signs {
    /// Returns the JSON pointers to what an answer states of its page.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        let signs = [&self.total, &self.last, &self.next].into_iter().filter_map(Option::as_deref);
        signs.chain(self.replaced.iter().map(String::as_str))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

//! Listings of each vendor as its paging styles describe them: `has_more` is false only where the vendor states the end, no
//! record is missing or there twice, and what an answer states of its own page is left out.

#[cfg(feature = "jitbit")]
mod jitbit;
#[cfg(feature = "jsm")]
mod jsm;
#[cfg(feature = "jumpcloud")]
mod jumpcloud;

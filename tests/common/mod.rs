//! What the tests share.

pub(crate) mod acme;
pub(crate) mod arrival;
#[cfg(feature = "jitbit")]
pub(crate) mod changed;
pub(crate) mod desk;
pub(crate) mod draw;
pub(crate) mod fixture;
pub(crate) mod inert;
pub(crate) mod listing;
#[cfg(feature = "jitbit")]
pub(crate) mod logs;
#[cfg(any(feature = "jitbit", feature = "jsm"))]
pub(crate) mod network;
pub(crate) mod pages;
#[cfg(all(unix, feature = "jitbit"))]
pub(crate) mod postgres;
pub(crate) mod toolboxes;
#[cfg(feature = "jitbit")]
pub(crate) mod whoami;

pub(crate) use toolboxes::*;

//! An approval that waits for a client's answer ⇄ a state that the client returns with it. The state is the client's to
//! read and nobody's to change: it has a code by the approval's own key over caller, tool, digest and end.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::store::StoredApproval;

const PURPOSE: &str = "toolwright approval state 1";
/// The longest state that is looked at, in bytes.
const LONGEST: usize = 200;

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn message(approval: &StoredApproval, until: u64) -> String {
    let StoredApproval { id, caller, tool, digest, .. } = approval;
    format!("{PURPOSE}\0{id}\0{caller}\0{tool}\0{digest}\0{until}")
}

fn key(approval: &StoredApproval) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, approval.key.as_bytes())
}

/// Writes the state of an approval that is good until a time.
pub(super) fn seal(approval: &StoredApproval, until: SystemTime) -> String {
    let until = seconds(until);
    let tag = hmac::sign(&key(approval), message(approval, until).as_bytes());
    format!("{}.{until}.{}", approval.id, URL_SAFE_NO_PAD.encode(tag))
}

/// The id of the approval that a state is of, which is not checked yet.
pub(super) fn id(state: &str) -> Option<&str> {
    state.split_once('.').map(|(id, _)| id).filter(|_| state.len() <= LONGEST)
}

/// Returns until when a state is good, where it was written for this approval.
pub(super) fn open(state: &str, approval: &StoredApproval) -> Option<SystemTime> {
    let (id, rest) = state.split_once('.')?;
    let (until, tag) = rest.split_once('.')?;
    let (until, tag) = (until.parse::<u64>().ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
    if id != approval.id {
        return None;
    }
    hmac::verify(&key(approval), message(approval, until).as_bytes(), &tag).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(until))
}

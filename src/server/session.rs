//! A session of MCP → what is kept of it between its requests: its client's log level, its tenants, its owner.

use std::sync::OnceLock;

use super::messages::Messages;
use crate::access::{Admitted, Principal};
use crate::config::ChosenSettings;

/// What is kept of a session between its requests, also while it is asleep.
#[derive(Debug)]
pub(super) struct OfSession {
    pub(super) number: u64,
    /// The log level of its client.
    pub(super) messages: Messages,
    /// The tenant settings that it has chosen when it was opened.
    pub(super) chosen: OnceLock<ChosenSettings>,
    /// Who opened it, and under which grant: no other caller can use it.
    pub(super) owner: OnceLock<SessionOwner>,
}

/// The caller that opened a session, and the id of its grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionOwner {
    pub(super) principal: Principal,
    pub(super) grant: String,
}

impl SessionOwner {
    pub(super) fn of(admitted: &Admitted) -> Self {
        Self { principal: admitted.principal.clone(), grant: admitted.grant.id().to_owned() }
    }
}

impl OfSession {
    pub(super) fn new(number: u64) -> Self {
        Self { number, messages: Messages::default(), chosen: OnceLock::new(), owner: OnceLock::new() }
    }
}

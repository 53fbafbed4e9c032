//! A tool, and what its arguments repeat of what outsiders wrote → why a person has to approve the call, if anybody has to.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Approvals, Repeated, Why};
use crate::access::Principal;
use toolwright_model::{Effect, Risk, Tool};

impl Approvals {
    /// Why a person has to approve a call: by what it does, or because its arguments repeat what outsiders wrote where that
    /// would steer it. `None` where nobody has to.
    pub fn why(
        &self,
        principal: &Principal,
        tool: &Tool,
        arguments: &Map<String, Value>,
        can_ask: bool,
    ) -> Option<Why> {
        let reason = self.confirm.reason(tool.effect, &tool.risks, can_ask);
        if tool.effect == Some(Effect::Read) {
            return reason.map(|text| Why { text, sources: Vec::new() });
        }
        let repeated = self.read.repeated(&principal.key(), arguments);
        let steered = steers(tool, &repeated).map(|what| {
            format!("its arguments repeat text that outsiders wrote, from {}, and {what}", repeated.sources.join(", "))
        });
        let text = match (reason, steered) {
            (Some(reason), Some(steered)) => format!("{reason}, and {steered}"),
            (reason, steered) => reason.or(steered)?,
        };
        Some(Why { text, sources: repeated.sources })
    }
}

/// What a tool does that repeated text must not lead to unseen, in a few words. Replies and notes quote freely.
fn steers(tool: &Tool, repeated: &Repeated) -> Option<&'static str> {
    if repeated.sources.is_empty() {
        return None;
    }
    let has = |risk: Risk| tool.risks.contains(&risk);
    match () {
        () if has(Risk::RunsCode) => Some("it runs code"),
        () if has(Risk::WeakensSecurity) => Some("it weakens security"),
        () if has(Risk::Irreversible) => Some("it can't be taken back"),
        () if has(Risk::Notifies) && repeated.has_address => Some("it sends something to an address from there"),
        () => None,
    }
}

/// Whether text of outsiders could lead to a call of this tool that needs an approval for that alone.
pub(crate) fn is_steerable(effect: Option<Effect>, risks: &BTreeSet<Risk>) -> bool {
    let steered = [Risk::RunsCode, Risk::WeakensSecurity, Risk::Irreversible, Risk::Notifies];
    effect != Some(Effect::Read) && steered.iter().any(|risk| risks.contains(risk))
}

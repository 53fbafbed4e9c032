//! Why a call that a person has to approve is not sent → what a model, or a person at the command line, reads of it.

use std::time::SystemTime;

use super::channel::Question;
use super::request::Why;
use crate::access::links::time_text;
use crate::error::{Audience, Outcome};

/// What a model is told wherever it could try another way.
const NO_OTHER_WAY: &str = "no tool approves it, and no other way leads around it";

/// What waits for a person, and where the person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// Its id.
    pub id: String,
    /// Its page in the console, where one is served.
    pub page: Option<String>,
    /// The ticket by which an agent of a help desk decides, where it has one.
    pub ticket: Option<String>,
}

impl Waits {
    /// How a person approves it.
    pub fn how(&self) -> String {
        let Self { id, page, ticket } = self;
        match (ticket, page) {
            (Some(ticket), _) => format!("at the help desk, by {ticket}"),
            (None, Some(page)) => format!("at {page} in the console, or with `toolwright approve yes {id}`"),
            (None, None) => format!("with `toolwright approve yes {id}`"),
        }
    }

    /// Who decides, and how.
    fn who_decides(&self) -> String {
        match &self.ticket {
            Some(ticket) => format!("an agent of the help desk approves or declines it, by {ticket}"),
            None => {
                let how = self.how();
                format!("a person approves it {how}, or declines it there or with `toolwright approve no {}`", self.id)
            }
        }
    }
}

/// Why a call is not sent.
#[derive(Debug, Clone)]
pub enum Held {
    /// The client is to ask its person, and to call again with the answer and this state.
    Ask {
        /// What to ask.
        question: Box<Question>,
        /// What the client returns with the answer.
        state: String,
        /// The approval's id.
        id: String,
    },
    /// It waits from now on.
    Pending {
        /// The approval.
        waits: Box<Waits>,
        /// Until when.
        until: SystemTime,
        /// Why it needs an approval.
        why: Why,
    },
    /// It waits since an earlier call.
    Waiting {
        /// The approval.
        waits: Box<Waits>,
        /// Until when.
        until: SystemTime,
    },
    /// A person has declined.
    Declined {
        /// The approval's id.
        id: String,
        /// Who.
        by: String,
        /// Why, if that was said.
        reason: Option<String>,
    },
    /// Nobody has decided in time, or the call came too late.
    Expired {
        /// The approval's id.
        id: String,
    },
    /// It was approved and claimed for sending by an earlier call, whose end is not known here.
    Sending {
        /// The approval's id.
        id: String,
        /// When it was claimed.
        at: SystemTime,
    },
    /// The approval was used, or serves for nothing any more.
    Spent {
        /// The approval's id.
        id: String,
    },
    /// What would be sent is not what the person was shown.
    Changed {
        /// The approval's id.
        id: String,
    },
    /// The state that came is none of this caller's approvals for this tool.
    BadState,
    /// Approvals can't be kept, so none can be given.
    Unavailable(String),
}

impl Held {
    /// What happened and what its reader can do.
    pub fn text(&self, audience: Audience) -> String {
        let text = match self {
            Self::Ask { id, .. } => format!("not sent: a person has to approve it first (approval {id})"),
            Self::Pending { waits, until, why } => format!(
                "not sent: a person has to approve this call first, because {}. It waits as approval {} until {}\n\
                 hint: tell the user; {}. After that make the same call with the same arguments again: it sends what was approved, \
                 or says what was decided; {NO_OTHER_WAY}",
                why.text,
                waits.id,
                time_text(*until),
                waits.who_decides()
            ),
            Self::Waiting { waits, until } => format!(
                "not sent: approval {} is not decided yet; it waits until {}\n\
                 hint: wait for the user; a person approves it {}; {NO_OTHER_WAY}",
                waits.id,
                time_text(*until),
                waits.how()
            ),
            Self::Declined { id, by, reason } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                format!(
                    "not sent: declined by {by} (approval {id}){reason}\n\
                     hint: don't make this call again, nor another one to the same end, unless the user asks for it"
                )
            }
            Self::Expired { id } => format!(
                "not sent: approval {id} has ended: nobody decided in time, or the call came after that, which counts as a no\n\
                 hint: where the user still wants it, the same call asks anew"
            ),
            Self::Sending { id, at } => format!(
                "unknown outcome: this was approved (approval {id}), and an earlier call took the approval at {}. Whether that one \
                 was sent is not recorded; it is never sent a second time on this approval\n\
                 hint: find out by a read whether it took effect, and tell the user",
                time_text(*at)
            ),
            Self::Spent { id } => format!(
                "not sent: approval {id} is used up or serves for nothing any more; each is good for one request\n\
                 hint: where the user wants it once more, the same call asks anew"
            ),
            Self::Changed { id } => format!(
                "not sent: what this call would send is not what the person was shown (approval {id})\n\
                 hint: call again, so that a person is asked for this request"
            ),
            Self::BadState => {
                "not sent: the `requestState` of this call is not one that this server gave to this caller for this \
                 tool\nhint: call without it, so that a person is asked"
                    .to_owned()
            }
            Self::Unavailable(reason) => format!(
                "not sent: a person has to approve it, and approvals can't be kept now: {reason}\n\
                 hint: the server's administrator has to see to the store; reads go on meanwhile"
            ),
        };
        match (self, audience) {
            (Self::Unavailable(_), Audience::Person) => format!("{text}; `--store` names it"),
            _ => text,
        }
    }

    /// The stage at which the call ended.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Sending { .. } => Outcome::Unknown,
            _ => Outcome::NotSent,
        }
    }

    /// The decision, as records name it.
    pub fn decision(&self) -> &'static str {
        match self {
            Self::Ask { .. } | Self::Pending { .. } | Self::Waiting { .. } => "asked",
            _ => "declined",
        }
    }
}

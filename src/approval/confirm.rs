//! The words of `--confirm` and what a tool does → whether a person has to approve its calls.

use std::collections::BTreeSet;

use crate::error::ConfigError;
use toolwright_model::{Effect, Risk, suggest_one};

/// Nothing needs an approval but what outsiders' text would steer.
const NONE: &str = "none";

/// Which calls a person has to approve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirm {
    destructive: bool,
    write: bool,
    risks: BTreeSet<Risk>,
    /// Whether only calls of clients are meant that can ask their person.
    only_where_asked: bool,
}

impl Confirm {
    /// Destructive calls.
    pub fn destructive() -> Self {
        Self { destructive: true, ..Self::default() }
    }

    /// Destructive calls of clients that can ask their person; those of others as they are.
    pub fn destructive_where_asked() -> Self {
        Self { only_where_asked: true, ..Self::destructive() }
    }

    /// Reads the words; none of them means nothing is asked for.
    ///
    /// # Errors
    /// An unknown word, or `none` beside others.
    pub fn parse(words: &[String]) -> Result<Self, ConfigError> {
        let mut confirm = Self::default();
        for word in words {
            match word.as_str() {
                NONE if words.len() == 1 => {}
                NONE => {
                    return Err(ConfigError::new(
                        "`--confirm none` has no further words\nhint: `none` asks for nothing",
                    ));
                }
                "destructive" => confirm.destructive = true,
                "write" => (confirm.destructive, confirm.write) = (true, true),
                risk => drop(confirm.risks.insert(risk.parse().map_err(|()| unknown(risk))?)),
            }
        }
        Ok(confirm)
    }

    /// Why a tool's calls have to be approved, in a few words; `None` where they need not. `can_ask` states whether the
    /// client can ask its person.
    pub fn reason(&self, effect: Option<Effect>, risks: &BTreeSet<Risk>, can_ask: bool) -> Option<String> {
        if self.only_where_asked && !can_ask {
            return None;
        }
        let found: Vec<&str> = self.risks.intersection(risks).map(|risk| risk.as_str()).collect();
        if !found.is_empty() {
            return Some(format!("its risks are {}", found.join(", ")));
        }
        match effect {
            Some(Effect::Destructive) if self.destructive => Some("it is destructive".to_owned()),
            // Nobody has stated what it does.
            None if self.destructive => Some("what it does was not reviewed".to_owned()),
            Some(Effect::Write) if self.write => Some("it changes something".to_owned()),
            _ => None,
        }
    }
}

fn unknown(word: &str) -> ConfigError {
    let known = ["destructive", "write", NONE].into_iter().chain(Risk::ALL.iter().map(|risk| risk.as_str()));
    let hint = match suggest_one(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    ConfigError::new(format!("unknown word `{word}` in `--confirm`\nhint: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirm(words: &[&str]) -> Result<Confirm, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Confirm::parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn words_add_up_and_unknown_ones_are_refused() {
        let risky = BTreeSet::from([Risk::RunsCode]);
        let none = BTreeSet::new();
        for (words, effect, risks, expected) in [
            (&["none"][..], Some(Effect::Destructive), &risky, false),
            (&["destructive"], Some(Effect::Destructive), &none, true),
            (&["destructive"], None, &none, true),
            (&["destructive"], Some(Effect::Write), &risky, false),
            (&["write"], Some(Effect::Destructive), &none, true),
            (&["write"], Some(Effect::Write), &none, true),
            (&["write"], Some(Effect::Read), &risky, false),
            (&["runs_code"], Some(Effect::Write), &risky, true),
            (&["runs_code", "destructive"], Some(Effect::Write), &none, false),
        ] {
            assert_eq!(
                confirm(words).unwrap().reason(effect, risks, false).is_some(),
                expected,
                "{words:?} {effect:?}"
            );
        }
        assert!(confirm(&["destruktive"]).unwrap_err().contains("did you mean `destructive`?"));
        assert!(confirm(&["none", "write"]).unwrap_err().contains("no further words"));
        let where_asked = Confirm::destructive_where_asked();
        for can_ask in [false, true] {
            assert_eq!(where_asked.reason(Some(Effect::Destructive), &none, can_ask).is_some(), can_ask);
        }
    }
}

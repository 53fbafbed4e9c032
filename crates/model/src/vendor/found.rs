//! An id that a vendor states of itself → a word of the roots of its APIs.

use serde::{Deserialize, Serialize};

/// An id that is a part of roots and that no variable holds: the vendor is asked for it, once for each account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FoundWord {
    /// Its name in `{}`, in the roots of addresses.
    pub name: String,
    /// The id of the operation that states it: one of another API, which reads and needs no arguments.
    pub operation: String,
    /// A JSON pointer to the id in the operation's answer.
    pub value: String,
    /// What it means, and what to do, where the answer has no such id.
    pub missing: String,
}

impl FoundWord {
    /// The longest id.
    const LONGEST: usize = 128;

    /// Whether a text can be such an id: one segment of a path that changes no other.
    pub fn accepts(text: &str) -> bool {
        (1..=Self::LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_of_a_path() {
        for (text, expected) in [
            ("3f0c9d7e-8a41-4b6e-9c52-d17e60b2a945", true),
            ("W_7", true),
            ("", false),
            ("a/b", false),
            ("..", false),
            ("a.b", false),
            ("a%2Fb", false),
            ("ü", false),
        ] {
            assert_eq!(FoundWord::accepts(text), expected, "{text}");
        }
        assert!(!FoundWord::accepts(&"a".repeat(129)));
    }
}

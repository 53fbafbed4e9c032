//! What a call would send → what a person is shown of it, and a digest of all that matters in it.

use std::fmt;
use std::fmt::Write as _;

use ring::hmac;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::channel::Question;
use toolwright_model::truncate;

const PURPOSE: &[u8] = b"toolwright approval digest 1";
/// The longest request that a form shows, in characters: people read no more, and clients cut.
const LONGEST_SHOWN: usize = 3_000;

/// Why a call has to be approved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Why {
    /// In a few words that complete "because".
    pub text: String,
    /// Where text in its arguments was read that outsiders wrote, such as `ticket 4521 (jitbit_get_ticket)`.
    pub sources: Vec<String>,
}

/// The SHA-256 over all that matters in a request: method, address, headers without credentials, body, account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact([u8; 32]);

/// Not shown: of a short secret in the request it would be a test.
impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exact")
    }
}

/// Makes an [`Exact`] of parts, each with its length.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds a part.
    #[must_use]
    pub fn part(mut self, part: &[u8]) -> Self {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    /// The digest of all parts.
    pub fn exact(self) -> Exact {
        Exact(self.0.finalize().into())
    }
}

impl Exact {
    /// Its bytes, to be a part of another one.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The digest that is stored and shown: by a key, so that nothing in the request can be guessed by it.
    pub fn keyed(&self, key: &str) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
        context.update(PURPOSE);
        context.update(&self.0);
        hex(context.sign().as_ref())
    }

    /// Whether a stored digest is of this.
    pub fn is(&self, key: &str, digest: &str) -> bool {
        self.keyed(key).as_bytes().ct_eq(digest.as_bytes()).into()
    }
}

/// A change that a person has to approve.
#[derive(Debug, Clone)]
pub struct ChangeRequest {
    /// The tool.
    pub tool: String,
    /// Its title for people.
    pub title: String,
    /// The accounts at which it changes something.
    pub accounts: Vec<String>,
    /// Why it has to be approved.
    pub why: Why,
    /// What is shown of it, without secrets.
    pub shown: Value,
    /// What the person types, where the change can't be taken back.
    pub name: Option<String>,
    /// What is approved.
    pub exact: Exact,
}

impl ChangeRequest {
    /// What a person at a client is asked.
    pub(super) fn question(&self) -> Question {
        let text = self.text();
        let message = format!(
            "{} ({}) needs your approval, because {}.\n{}",
            self.title,
            self.tool,
            self.why.text,
            truncate(&text, LONGEST_SHOWN)
        );
        Question { message, name: self.name.clone() }
    }

    /// What is shown, a line for each entry.
    fn text(&self) -> String {
        lines(&self.shown)
    }

    /// What is stored of it: what is shown, why, and the name that has to be typed.
    pub(super) fn stored(&self) -> Value {
        let mut stored = self.shown.as_object().cloned().unwrap_or_default();
        stored.insert("because".to_owned(), Value::from(self.why.text.clone()));
        stored.extend(self.name.clone().map(|name| ("name".to_owned(), Value::from(name))));
        Value::Object(stored)
    }

    /// Whether what was typed names the target, where that is asked for.
    pub(super) fn is_named_by(&self, typed: Option<&str>) -> bool {
        self.name.as_deref().is_none_or(|name| typed.map(str::trim) == Some(name.trim()))
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The entries of what is shown, a line each: no text in them can begin another one.
fn lines(shown: &Value) -> String {
    let Some(entries) = shown.as_object() else { return shown.to_string() };
    let ends_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}: {}", text.replace(ends_line, " ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("\n  {name}: {value}"));
            format!("{name}:{}", fields.collect::<String>())
        }
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), |text| text.replace(ends_line, " ")))
                .collect();
            format!("{name}: {}", items.join("; "))
        }
        other => format!("{name}: {other}"),
    };
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

//! The file of `serve --learn`: what answers showed that their descriptions do not say.

use serde::{Deserialize, Serialize};

use super::misfit::Misfit;

/// The form of the file that this version writes.
const VERSION: u32 = 1;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// The form of the file.
    #[serde(rename = "toolwright_learned")]
    version: u32,
    /// How many answers were not looked at, because others were.
    #[serde(default)]
    pub skipped: u64,
    /// The operations that answered.
    pub operations: Vec<LearnedOperation>,
}

/// What the answers of one operation showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedOperation {
    /// The API's id.
    pub api: String,
    /// The operation's id.
    pub operation: String,
    /// How many answers were looked at.
    pub answers: u64,
    /// Where they differ from the description.
    pub misfits: Vec<LearnedMisfit>,
    /// How often a misfit was met that there was no room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
}

/// One misfit, and in how many answers it was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnedMisfit {
    /// The misfit.
    #[serde(flatten)]
    pub misfit: Misfit,
    /// In how many answers.
    pub seen: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Default for Learned {
    fn default() -> Self {
        Self { version: VERSION, skipped: 0, operations: Vec::new() }
    }
}

impl Learned {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// It is none, or one of another version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let learned: Self =
            serde_json::from_str(text).map_err(|error| format!("it is no file of `--learn`: {error}"))?;
        match learned.version {
            VERSION => Ok(learned),
            other => Err(format!("it has the form {other}; this version reads {VERSION}")),
        }
    }

    /// Returns the text of the file.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        text + "\n"
    }
}

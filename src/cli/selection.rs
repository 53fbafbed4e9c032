//! The SELECTION flags, the same for every command → a selection.

use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use crate::catalog::Catalog;
use crate::config::{self, Environment};
use crate::policy::{Defaults, Selection, SelectionWords};

/// Which tools: values within a flag add up, flags narrow each other, --exclude wins.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectionArguments {
    /// Vendors, such as jitbit
    #[arg(long, value_delimiter = ',', value_name = "VENDOR,…", env = "TOOLWRIGHT_VENDOR")]
    vendor: Vec<String>,
    /// Effects (read, write, destructive, all) or verbs (list, get, search, create, update, delete,
    /// action), instead of the default `read`
    #[arg(long, value_delimiter = ',', value_name = "METHOD,…", env = "TOOLWRIGHT_METHODS")]
    methods: Vec<String>,
    /// Tags, or all; tools tagged experimental, undocumented, unverified or unreviewed are offered
    /// only where that tag is named. Without --tags and --tools, `serve` offers the tag core
    #[arg(long, value_delimiter = ',', value_name = "TAG,…", env = "TOOLWRIGHT_TAGS")]
    tags: Vec<String>,
    /// Tool names; * and ? are wildcards
    #[arg(long, value_delimiter = ',', value_name = "GLOB,…", env = "TOOLWRIGHT_TOOLS")]
    tools: Vec<String>,
    /// Tool names to leave out; has precedence over every other flag
    #[arg(long, value_delimiter = ',', value_name = "GLOB,…", env = "TOOLWRIGHT_EXCLUDE")]
    exclude: Vec<String>,
    /// Risks to accept, of those that are refused by default: reveals_secret, weakens_security, irreversible, runs_code
    #[arg(long, value_delimiter = ',', value_name = "RISK,…", env = "TOOLWRIGHT_ALLOW")]
    allow: Vec<String>,
    /// A profile of toolwright.toml, from this folder or the user's configuration folder; flags
    /// replace its lists
    #[arg(long, value_name = "NAME", env = "TOOLWRIGHT_PROFILE")]
    profile: Option<String>,
    /// The settings file that holds the profile
    #[arg(long, value_name = "FILE", env = "TOOLWRIGHT_CONFIG")]
    config: Option<PathBuf>,
}

impl SelectionArguments {
    /// Resolves the flags; the profile applies where a flag is absent, the defaults where both are.
    pub(super) fn resolve(
        &self,
        defaults: Defaults,
        catalog: &Catalog,
        env: Environment<'_>,
    ) -> Result<Selection, CommandError> {
        // MCP clients that template their configuration pass empty values for absent ones.
        let present = |words: &[String]| -> Vec<String> {
            words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
        };
        let typed = SelectionWords {
            vendors: present(&self.vendor),
            methods: present(&self.methods),
            tags: present(&self.tags),
            tools: present(&self.tools),
            exclude: present(&self.exclude),
            allow: present(&self.allow),
        };
        let words = config::with_profile(typed, self.profile.as_deref(), self.config.as_deref(), env)?;
        Ok(Selection::resolve(&words, defaults, catalog)?)
    }
}

/// The process environment.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

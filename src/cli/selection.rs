//! The SELECTION flags, the same for every command → a selection.

use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandError;
use crate::catalog::Catalog;
use crate::config::{self, Environment};
use crate::error::ConfigError;
use crate::policy::{Defaults, NamePatterns, Selection, SelectionWords};

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
    /// Returns the profile that was named.
    pub(super) fn profile(&self) -> Option<&str> {
        self.profile.as_deref().filter(|name| !name.is_empty())
    }

    /// Returns the tools that the profile pins, for `serve --discover`.
    pub(super) fn pinned(&self, catalog: &Catalog, env: Environment<'_>) -> Result<NamePatterns, ConfigError> {
        NamePatterns::parse("pin", &self.pins(env)?, catalog)
    }

    /// Returns the globs of the tools that the profile pins.
    pub(super) fn pins(&self, env: Environment<'_>) -> Result<Vec<String>, ConfigError> {
        config::pinned(self.profile(), self.config.as_deref(), env)
    }

    /// Returns which calls a person has to approve, by the profile.
    pub(super) fn confirmed(&self, env: Environment<'_>) -> Result<Vec<String>, ConfigError> {
        config::confirmed(self.profile(), self.config.as_deref(), env)
    }

    /// Returns the settings file that was named.
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Returns whether any flag but `--config` is given.
    pub(super) fn is_given(&self) -> bool {
        let lists = [&self.vendor, &self.methods, &self.tags, &self.tools, &self.exclude, &self.allow];
        self.profile().is_some() || lists.into_iter().flatten().any(|word| !word.trim().is_empty())
    }

    /// Returns the selection of a profile alone, of the same settings file.
    pub(super) fn of_profile(&self, name: &str) -> Self {
        Self { profile: Some(name.to_owned()), config: self.config.clone(), ..Self::default() }
    }

    /// Resolves the flags; the profile applies where a flag is absent, the defaults where both are.
    pub(super) fn resolve(
        &self,
        defaults: Defaults,
        catalog: &Catalog,
        env: Environment<'_>,
    ) -> Result<Selection, CommandError> {
        Ok(Selection::resolve(&self.words(env)?, defaults, catalog)?)
    }

    /// Returns the words of the flags, and of the profile where a flag is absent.
    pub(super) fn words(&self, env: Environment<'_>) -> Result<SelectionWords, ConfigError> {
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
        config::with_profile(typed, self.profile.as_deref(), self.config.as_deref(), env)
    }
}

/// The process environment.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

//! The servers that use a store → the accounts they have, what they offer, and where clients reach them. Each describes
//! itself in the store while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::catalog::{Catalog, CatalogEntry};
use crate::error::ConfigError;
use crate::policy::{Defaults, Selection, SelectionRefusal, SelectionWords};
use crate::store::{Store, StoreError};

/// What a server states of itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::cli) struct ServerDescription {
    /// Where clients reach it, such as `https://mcp.example.com`.
    pub(in crate::cli) address: String,
    /// The vendor of each account.
    pub(in crate::cli) accounts: BTreeMap<String, String>,
    /// The words of its selection.
    #[serde(default)]
    vendors: Vec<String>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    tools: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    allow: Vec<String>,
    /// Whether its selection starts from every tool that reads, as `--discover` has it.
    #[serde(default)]
    discovers: bool,
}

impl ServerDescription {
    /// A server at an address, with accounts and the words of its selection.
    pub(in crate::cli) fn new(
        address: String,
        accounts: BTreeMap<String, String>,
        words: SelectionWords,
        defaults: Defaults,
    ) -> Self {
        let SelectionWords { vendors, methods, tags, tools, exclude, allow } = words;
        let discovers = defaults == Defaults::Reads;
        Self { address, accounts, vendors, methods, tags, tools, exclude, allow, discovers }
    }

    /// As the store has it.
    pub(in crate::cli) fn text(&self) -> String {
        // Text and lists of text can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn selection(&self, catalog: &Catalog) -> Result<Selection, ConfigError> {
        let words = SelectionWords {
            vendors: self.vendors.clone(),
            methods: self.methods.clone(),
            tags: self.tags.clone(),
            tools: self.tools.clone(),
            exclude: self.exclude.clone(),
            allow: self.allow.clone(),
        };
        let defaults = if self.discovers { Defaults::Reads } else { Defaults::CoreReads };
        Selection::resolve(&words, defaults, catalog)
    }
}

/// The servers that use a store.
pub(super) struct Servers(Vec<(ServerDescription, Selection)>);

impl Servers {
    pub(super) async fn read(store: &Store, catalog: &Catalog) -> Result<Self, StoreError> {
        // A server of another version may have words that are not known here.
        let read = |text: String| {
            let description: ServerDescription = serde_json::from_str(&text).ok()?;
            let selection = description.selection(catalog).ok()?;
            Some((description, selection))
        };
        Ok(Self(store.replicas().await?.into_iter().filter_map(read).collect()))
    }

    pub(super) fn are_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// Where clients reach them.
    pub(super) fn address(&self) -> Option<String> {
        self.0.first().map(|(server, _)| server.address.clone())
    }

    /// Decides about a tool: each server has to offer it.
    pub(super) fn decide(&self, entry: &CatalogEntry) -> Result<(), SelectionRefusal> {
        self.0.iter().try_for_each(|(_, selection)| selection.decide(entry))
    }

    /// The vendor and the name of an account.
    pub(super) fn account(&self, word: &str, catalog: &Catalog) -> Result<(String, String), ConfigError> {
        if let Some((vendor, name)) = word.split_once('=') {
            if catalog.vendor(vendor).is_none() {
                return Err(ConfigError::new(format!("`--account {word}`: there is no vendor `{vendor}`")));
            }
            return Ok((vendor.to_owned(), name.to_owned()));
        }
        if let Some(vendor) = self.0.iter().find_map(|(server, _)| server.accounts.get(word)) {
            return Ok((vendor.clone(), word.to_owned()));
        }
        let mut known: Vec<&str> =
            self.0.iter().flat_map(|(server, _)| server.accounts.keys().map(String::as_str)).collect();
        known.sort_unstable();
        known.dedup();
        match (catalog.vendor(word), known.is_empty()) {
            (Some(vendor), true) => Ok((vendor.id.clone(), word.to_owned())),
            (None, true) => Err(ConfigError::new(format!(
                "the vendor of the account `{word}` is not known, since no server with this store is running\n\
                 hint: `--account VENDOR={word}`"
            ))),
            (_, false) => Err(ConfigError::new(format!(
                "the servers with this store have no account `{word}`\nhint: they have {}",
                known.join(", ")
            ))),
        }
    }
}

/// Checks the address of a server.
pub(super) fn checked_url(text: &str) -> Result<String, ConfigError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.filter(|url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
    let url = url.ok_or_else(|| {
        ConfigError::new("`--url` is no address of a server\nhint: such as `https://mcp.example.com`")
    })?;
    let text = url.as_str().trim_end_matches('/');
    Ok(text.strip_suffix("/mcp").unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_offers_what_its_way_to_list_starts_from() {
        let catalog = Catalog::compiled();
        let offered = |text: &str| {
            let description: ServerDescription = serde_json::from_str(text).unwrap();
            let selection = description.selection(&catalog).unwrap();
            catalog.entries().iter().filter(|entry| selection.decide(entry).is_ok()).count()
        };
        let described = |defaults| {
            ServerDescription::new(
                "https://mcp.example.com".to_owned(),
                BTreeMap::new(),
                SelectionWords::default(),
                defaults,
            )
            .text()
        };
        let (listing, discovering) = (offered(&described(Defaults::CoreReads)), offered(&described(Defaults::Reads)));
        assert!(0 < listing && listing < discovering, "{listing} {discovering}");
        let older = r#"{"address": "https://mcp.example.com", "accounts": {}}"#;
        assert_eq!(offered(older), listing, "what an older server wrote");
    }
}

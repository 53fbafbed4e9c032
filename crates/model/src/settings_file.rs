//! toolwright.toml → named selections and accounts as plain data.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The content of `toolwright.toml`. A file in the folder in which a client starts the program must not grant anything by
/// itself: a profile has no effect unless `--profile` names it, and accounts are read only from the file in the user's
/// configuration folder, or from the one that `--config` names.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename = "toolwright.toml"))]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// Selections by name, for `--profile`.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// Accounts by name, for `--account` and for links.
    #[serde(default)]
    pub accounts: BTreeMap<String, AccountVariables>,
    /// Where changes of an account are raised for approval, by the account's name: as tickets of a help desk. Read where
    /// accounts are read.
    #[serde(default)]
    pub approvals: BTreeMap<String, DeskSettings>,
    /// What callers with access tokens of the company's identity provider may do: the first entry that fits a token, in the
    /// order of the file. For `serve --access oauth --issuer`.
    #[serde(default)]
    pub grants: Vec<ClaimGrant>,
    /// How access tokens are taken, for `serve --access oauth`.
    #[serde(default)]
    pub oauth: OauthSettings,
    /// Where the console is, and how administrators sign in to it, for `serve --console`.
    #[serde(default)]
    pub console: Option<ConsoleSettings>,
}

/// This server, as a client of an identity provider at which people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProviderClient {
    /// The provider, as it names itself, such as `https://id.example.com`.
    pub issuer: String,
    /// The id of the client that is registered there.
    pub client_id: String,
    /// A file that holds the client's secret, where it has one.
    #[serde(default)]
    pub client_secret_file: Option<String>,
    /// The scopes that are asked for beside `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
}

fn usual_scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

/// Where the console is, and who signs in to it at the company's identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConsoleSettings {
    /// The console's address as browsers have it, such as `https://console.example.com`, where a proxy is before it. Results of
    /// tools name it, and the provider sends people back to it.
    #[serde(default)]
    pub address: Option<String>,
    /// The provider, as it names itself, such as `https://id.example.com`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The id of the client that is registered there, with the console's address and `/callback` as its redirect.
    #[serde(default)]
    pub client_id: Option<String>,
    /// A file that holds the client's secret, where it has one.
    #[serde(default)]
    pub client_secret_file: Option<String>,
    /// The scopes that are asked for beside `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// Who of those that sign in there is an administrator.
    #[serde(default)]
    pub admins: Option<AdminClaim>,
}

/// The claim by which a person is an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AdminClaim {
    /// The claim, such as `groups`; `sub` and `email` name one person each, and `/realm_access/roles` reaches into a claim.
    pub claim: String,
    /// The values of which one is needed.
    pub values: Vec<String>,
}

impl ConsoleSettings {
    /// The client at the provider, and who is an administrator; `None` where the section states no provider.
    ///
    /// # Errors
    /// The names of the settings that are missing.
    pub fn sign_in(&self) -> Result<Option<(ProviderClient, AdminClaim)>, Vec<&'static str>> {
        let Self { issuer, client_id, client_secret_file, scopes, admins, .. } = self.clone();
        match (issuer, client_id, admins) {
            (Some(issuer), Some(client_id), Some(admins)) => {
                Ok(Some((ProviderClient { issuer, client_id, client_secret_file, scopes }, admins)))
            }
            (None, None, None) if client_secret_file.is_none() => Ok(None),
            (issuer, client_id, admins) => {
                let given =
                    [("issuer", issuer.is_some()), ("client_id", client_id.is_some()), ("admins", admins.is_some())];
                Err(given.into_iter().filter(|(_, is_given)| !is_given).map(|(name, _)| name).collect())
            }
        }
    }
}

/// What the bearers of tokens with certain claims may do: a part of what the server offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimGrant {
    /// Its name, for logs.
    pub name: String,
    /// Claims that a token must have all of, each with one of these values, such as `groups = ["helpdesk"]`. A claim may be a
    /// text or a list of texts.
    #[serde(default)]
    pub claims: BTreeMap<String, Vec<String>>,
    /// The domain of the token's `email`, which the provider must have verified.
    #[serde(default)]
    pub email_domain: Option<String>,
    /// The accounts that its bearers act with, one of a vendor.
    pub accounts: Vec<String>,
    /// As `--methods`.
    #[serde(default)]
    pub methods: Vec<String>,
    /// As `--tags`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// As `--tools`.
    #[serde(default)]
    pub tools: Vec<String>,
    /// As `--exclude`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// As `--allow`.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// How access tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OauthSettings {
    /// Whether a token of the identity provider needs scopes such as `jsm:read`. Where it does not, one without any is offered
    /// what its grant permits, and one with some of them is still held to these.
    pub require_scopes: bool,
    /// A further audience that tokens may be for, where the provider does not issue tokens for the server's address.
    pub audience: Option<String>,
    /// Hosts beside the known clients' that people may be sent back to, for the server's own sign-in.
    pub redirect_hosts: Vec<String>,
    /// How people sign in at the company's identity provider on the page where they allow a client, in place of bringing a link.
    /// What `[[grants]]` permit them is what they can allow.
    pub login: Option<LoginSettings>,
}

/// How people sign in who allow a client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginSettings {
    /// The provider, as it names itself, such as `https://id.example.com`.
    pub issuer: String,
    /// The id of the client that is registered there, with this server's address and `/authorize/callback` as its redirect.
    pub client_id: String,
    /// A file that holds the client's secret, where it has one.
    #[serde(default)]
    pub client_secret_file: Option<String>,
    /// The scopes that are asked for beside `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// How long what a person allows lasts at most, in hours: between 1 and 720.
    #[serde(default = "a_day")]
    pub lasts_hours: u32,
}

fn a_day() -> u32 {
    24
}

impl LoginSettings {
    /// The client at the provider.
    pub fn client(&self) -> ProviderClient {
        let Self { issuer, client_id, client_secret_file, scopes, .. } = self.clone();
        ProviderClient { issuer, client_id, client_secret_file, scopes }
    }
}

impl Default for OauthSettings {
    fn default() -> Self {
        Self { require_scopes: true, audience: None, redirect_hosts: Vec::new(), login: None }
    }
}

/// One vendor at one address with one set of credentials.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct AccountVariables {
    /// The vendor's id.
    pub vendor: String,
    /// The variables of the vendor, as they would be in the environment; each also with `_FILE`, for a file that holds the
    /// value; those of secrets also with `_KEYRING`, for an entry of the operating system's keyring.
    #[serde(flatten)]
    pub variables: BTreeMap<String, String>,
}

/// The values may be secrets.
impl fmt::Debug for AccountVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        f.debug_struct("AccountVariables").field("vendor", &self.vendor).field("variables", &names).finish()
    }
}

/// A help desk whose agents approve the changes of an account.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct DeskSettings {
    /// The account that raises the tickets. It serves no caller.
    pub account: String,
    /// The ids of the people at the vendor whose yes counts.
    pub approvers: Vec<String>,
    /// By the id of an approver, the callers that this person is: the name of a link, or the one that a caller signs in by. What they
    /// ask for, the same person can't approve.
    #[serde(default)]
    pub callers: BTreeMap<String, Vec<String>>,
    /// How long an agent has to decide, in minutes.
    #[serde(default = "default_minutes")]
    pub minutes: u64,
    /// Whether what can't be taken back is raised too, without the name of what is changed being typed.
    #[serde(default)]
    pub irreversible: bool,
    /// What the vendor's help desk needs besides, such as `service_desk` or `category`.
    #[serde(flatten)]
    pub settings: BTreeMap<String, String>,
}

fn default_minutes() -> u64 {
    240
}

/// A named selection. A flag replaces the profile's list of the same name.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// As `--vendor`.
    #[serde(default)]
    pub vendor: Vec<String>,
    /// As `--methods`.
    #[serde(default)]
    pub methods: Vec<String>,
    /// As `--tags`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// As `--tools`.
    #[serde(default)]
    pub tools: Vec<String>,
    /// As `--exclude`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// As `--allow`.
    #[serde(default)]
    pub allow: Vec<String>,
    /// As `serve --confirm`.
    #[serde(default)]
    pub confirm: Vec<String>,
    /// Globs of the tools that `serve --discover` lists besides its own.
    #[serde(default)]
    pub pin: Vec<String>,
}

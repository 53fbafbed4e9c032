//! A vendor's kinds of credentials and the variables that are set → the credentials that are complete, and
//! the variables to set where none are.

use std::path::PathBuf;

use url::Url;

use super::address::ConfiguredAddress;
use super::given_value::{FILE, KEYRING};
use super::{Environment, GivenValue, value};
use crate::error::ConfigError;
use crate::upstream::{
    AccountSignIn, ClientAuthentication, Credentials, SchemeCredentials, Tls, TokenRequest, Unencrypted, parse_address,
};
use toolwright_model::{ClientSecret, Credential, Template, Vendor, in_template};

/// Credentials whose variables are all set.
pub(super) struct CompleteCredentials<'v> {
    pub credential: &'v Credential,
    values: Vec<(&'v str, GivenValue)>,
    /// Whose refresh token is used, in place of one in a file.
    sign_in: Option<AccountSignIn>,
}

/// Returns the credentials that are complete, and the missing variables of the first that are incomplete.
pub(super) fn complete<'v>(
    vendor: &'v Vendor,
    env: Environment<'_>,
) -> Result<(Vec<CompleteCredentials<'v>>, Option<String>), ConfigError> {
    let mut complete = Vec::new();
    let mut partial = None;
    for credential in &vendor.credentials {
        let mut values = Vec::new();
        let mut missing = Vec::new();
        for variable in credential.variables() {
            let is_file = matches!(credential, Credential::OauthRefresh { refresh_token_file, .. } if refresh_token_file == variable);
            let set = if is_file { named_file(variable, env)? } else { value(variable, env)? };
            match set {
                Some(value) => {
                    if let Some(found) = pasted_along(credential, variable, &value.text) {
                        return Err(found.error(&value.variable));
                    }
                    values.push((variable, value));
                }
                None => missing.push(variable),
            }
        }
        if missing.is_empty() {
            complete.push(CompleteCredentials { credential, values, sign_in: None });
        } else if !values.is_empty() && partial.is_none() {
            partial = Some(missing.join("`, `"));
        }
    }
    Ok((complete, partial))
}

/// The credentials of an account that a person signs in for, where the variables of its app are set.
pub(super) fn signed_in<'v>(
    vendor: &'v Vendor,
    env: Environment<'_>,
    sign_in: &AccountSignIn,
) -> Result<Option<CompleteCredentials<'v>>, ConfigError> {
    for credential in &vendor.credentials {
        let Credential::OauthRefresh { client_id, client_secret, .. } = credential else { continue };
        let (Some(id), Some(secret)) = (value(client_id, env)?, value(client_secret, env)?) else { return Ok(None) };
        let values = vec![(client_id.as_str(), id), (client_secret.as_str(), secret)];
        return Ok(Some(CompleteCredentials { credential, values, sign_in: Some(sign_in.clone()) }));
    }
    Ok(None)
}

/// The path of a file that holds a refresh token: each use replaces the token, so a variable can't hold it.
pub(super) fn named_file(variable: &str, env: Environment<'_>) -> Result<Option<GivenValue>, ConfigError> {
    let path = env(variable).filter(|path| !path.is_empty());
    let bare = variable.strip_suffix(FILE).unwrap_or(variable);
    let others = [bare.to_owned(), format!("{bare}{KEYRING}")];
    let set = others.iter().find(|other| env(other).is_some_and(|value| !value.trim().is_empty()));
    if let (None, Some(set)) = (&path, set.filter(|set| *set != variable)) {
        return Err(ConfigError::new(format!(
            "`{set}` holds a refresh token, which is replaced each time it is used\n\
             hint: put it into a file that only you can read, and name the file in `{variable}`"
        )));
    }
    Ok(path.map(|text| GivenValue { text, variable: variable.to_owned() }))
}

/// What was pasted along with a credential: the name of a header, or a scheme.
struct PastedAlong(String);

impl PastedAlong {
    /// The error; it shows what was pasted along, never the credential.
    fn error(&self, variable: &str) -> ConfigError {
        ConfigError::new(format!(
            "`{variable}` holds `{}` before the value itself\nhint: give the value alone; toolwright sends the rest",
            self.0
        ))
    }
}

/// Returns what was pasted before a credential: `Authorization:`, the credential's own header, or a scheme such as
/// `Bearer` before a single word.
fn pasted_along(credential: &Credential, variable: &str, value: &str) -> Option<PastedAlong> {
    const SCHEMES: [&str; 3] = ["Bearer", "Basic", "Token"];
    match credential {
        // Names of people and files may look like anything.
        Credential::Basic { user, .. } if user == variable => return None,
        Credential::OauthRefresh { refresh_token_file, .. } if refresh_token_file == variable => return None,
        _ => {}
    }
    let own: Vec<&str> = match credential {
        Credential::Header { header, further, .. } => {
            std::iter::once(header).chain(further.keys()).map(String::as_str).collect()
        }
        _ => Vec::new(),
    };
    if let Credential::Header { value: own, template: Some(template), .. } = credential
        && own == variable
        && let Some((before, _)) = template.split_once("{}")
        && !before.trim().is_empty()
        && value.trim_start().starts_with(before.trim())
    {
        return Some(PastedAlong(before.trim().to_owned()));
    }
    let header = value.split_once(':').and_then(|(name, _)| {
        own.into_iter().chain(["Authorization"]).find(|known| known.eq_ignore_ascii_case(name.trim()))
    });
    if let Some(header) = header {
        return Some(PastedAlong(format!("{header}:")));
    }
    let words: Vec<&str> = value.split_whitespace().collect();
    let [scheme, _] = words.as_slice() else { return None };
    let scheme = SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
    Some(PastedAlong((*scheme).to_owned()))
}

impl CompleteCredentials<'_> {
    pub(super) fn variables(&self) -> Vec<&str> {
        self.values.iter().map(|(variable, _)| *variable).collect()
    }

    /// The kind of the credentials and the variables that gave them.
    pub(super) fn source(&self) -> String {
        let given: Vec<&str> = self.values.iter().map(|(_, value)| value.variable.as_str()).collect();
        if let Some(sign_in) = &self.sign_in {
            let source = sign_in.known.as_ref().map_or("nobody has signed in", |known| &known.source);
            return format!("sign-in of the console, in the store: {source}; the app from {}", given.join(" and "));
        }
        format!("{} from {}", title(self.credential), given.join(" and "))
    }

    /// Makes the credentials of requests to this address.
    pub(super) fn credentials(
        &self,
        vendor: &Vendor,
        address: &ConfiguredAddress<'_>,
        tls: &Tls,
    ) -> Result<Credentials, ConfigError> {
        // The certificate names us to the vendor's own addresses only.
        let tls = tls.without_client_certificate();
        let value = |index: usize| self.values.get(index).map(|(_, value)| value.text.as_str()).unwrap_or_default();
        // A sign-in in the store has no file.
        let file = self.values.get(2);
        let made = match self.credential {
            Credential::Bearer { .. } => Credentials::bearer(value(0)),
            Credential::Basic { .. } => Credentials::basic(value(0), value(1)),
            Credential::Header { header, template, further, .. } => {
                let names = std::iter::once(header).chain(further.keys()).map(String::as_str);
                let first = in_template(template.as_deref(), value(0));
                let further = self.values.iter().skip(1).map(|(_, value)| value.text.as_str());
                Credentials::headers(names.zip(std::iter::once(first.as_str()).chain(further)))
            }
            Credential::OauthRefresh { endpoint, client, .. } => {
                return Ok(Credentials::renewed(TokenRequest {
                    vendor: vendor.title.clone(),
                    endpoint: self::endpoint(vendor, endpoint, address)?,
                    client: authentication(*client),
                    client_id: value(0).to_owned(),
                    client_secret: value(1).to_owned(),
                    scope: None,
                    refresh_token_file: file.map(|(name, path)| ((*name).to_owned(), PathBuf::from(&path.text))),
                    sign_in: self.sign_in.clone(),
                    tls,
                }));
            }
            Credential::OauthClient { endpoint, client, scope, .. } => {
                return Ok(Credentials::renewed(TokenRequest {
                    vendor: vendor.title.clone(),
                    endpoint: self::endpoint(vendor, endpoint, address)?,
                    client: authentication(*client),
                    client_id: value(0).to_owned(),
                    client_secret: value(1).to_owned(),
                    scope: scope.clone(),
                    refresh_token_file: None,
                    sign_in: None,
                    tls,
                }));
            }
        };
        made.map_err(|error| ConfigError::new(format!("`{}` {error}", self.variables().join("`, `"))))
    }
}

/// The credentials of a connection. Where the security schemes of an operation choose, with all others that work at the
/// address, or the variables to set for them. `chosen` are those that serve where nothing else is stated.
pub(super) fn by_scheme(
    vendor: &Vendor,
    chosen: (&CompleteCredentials<'_>, Credentials),
    complete: &[CompleteCredentials<'_>],
    address: &ConfiguredAddress<'_>,
    tls: &Tls,
) -> Result<Credentials, ConfigError> {
    let (first, made) = chosen;
    if vendor.credentials.iter().all(|credential| credential.schemes().is_empty()) {
        return Ok(made);
    }
    let mut several = Vec::new();
    for credential in vendor.credentials.iter().filter(|credential| credential.works_at(&address.address.name)) {
        let set = complete.iter().find(|set| std::ptr::eq(set.credential, credential));
        let credentials = match set {
            // A refresh token has one owner.
            Some(set) if std::ptr::eq(set, first) => Ok(made.clone()),
            Some(set) => Ok(set.credentials(vendor, address, tls)?),
            None => Err(format!("`{}`", credential.variables().join("` and `"))),
        };
        several.push(SchemeCredentials { schemes: credential.schemes().to_vec(), credentials });
    }
    Ok(made.by_scheme(several))
}

/// The token endpoint. Only the vendor's file states it: a variable could send the client secret elsewhere.
fn endpoint(vendor: &Vendor, template: &str, address: &ConfiguredAddress<'_>) -> Result<Url, ConfigError> {
    token_endpoint(vendor, Template(template).fill(|name| address.word(name)).ok())
}

/// The token endpoint of a vendor where it does not depend on the address.
pub(super) fn endpoint_without_words(vendor: &Vendor, endpoint: &str) -> Result<Url, ConfigError> {
    token_endpoint(vendor, Some(endpoint.to_owned()))
}

fn token_endpoint(vendor: &Vendor, text: Option<String>) -> Result<Url, ConfigError> {
    let mut url =
        text.and_then(|text| parse_address(&text, &[], Unencrypted::OnThisMachine).ok()).ok_or_else(|| {
            ConfigError::new(format!("{}: no token endpoint; this is a fault of toolwright", vendor.title))
        })?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

pub(super) fn authentication(client: ClientSecret) -> ClientAuthentication {
    match client {
        ClientSecret::Basic => ClientAuthentication::Basic,
        ClientSecret::Form => ClientAuthentication::Form,
        ClientSecret::Json => ClientAuthentication::Json,
    }
}

fn title(credential: &Credential) -> &'static str {
    match credential {
        Credential::Bearer { .. } => "bearer token",
        Credential::Basic { .. } => "user and password",
        Credential::Header { .. } => "key",
        Credential::OauthRefresh { .. } => "OAuth refresh token",
        Credential::OauthClient { .. } => "OAuth service account",
    }
}

/// Credentials for the sandbox, which checks that they are sent as the vendor requires.
///
/// # Errors
/// The vendor's file names an invalid header.
pub fn sandbox_credentials(vendor: Option<&Vendor>) -> Result<Credentials, ConfigError> {
    let all = vendor.map(|vendor| vendor.credentials.as_slice()).unwrap_or_default();
    let first = in_sandbox(all.first())?;
    if all.iter().all(|credential| credential.schemes().is_empty()) {
        return Ok(first);
    }
    let several = all.iter().map(|credential| {
        let schemes = credential.schemes().to_vec();
        Ok(SchemeCredentials { schemes, credentials: Ok(in_sandbox(Some(credential))?) })
    });
    Ok(first.by_scheme(several.collect::<Result<_, ConfigError>>()?))
}

fn in_sandbox(credential: Option<&Credential>) -> Result<Credentials, ConfigError> {
    const VALUE: &str = "sandbox";
    let made = match credential {
        Some(Credential::Basic { .. }) => Credentials::basic(VALUE, VALUE),
        Some(Credential::Header { header, template, further, .. }) => {
            let first = in_template(template.as_deref(), VALUE);
            let further = further.keys().map(|name| (name.as_str(), VALUE));
            Credentials::headers(std::iter::once((header.as_str(), first.as_str())).chain(further))
        }
        _ => Credentials::bearer(VALUE),
    };
    made.map_err(|error| ConfigError::new(error.to_string()))
}

/// The variables of each kind of credentials, as a list of alternatives.
pub(super) fn alternatives(vendor: &Vendor) -> String {
    let kinds: Vec<String> =
        vendor.credentials.iter().map(|credential| format!("`{}`", credential.variables().join("` and `"))).collect();
    kinds.join(", or ")
}

/// The variables that configure a vendor, addresses and credentials, as a list of alternatives.
pub fn setup_options(vendor: &Vendor) -> String {
    if let [address] = vendor.addresses.as_slice()
        && address.default.is_none()
    {
        return format!("`{}` (such as `{}`) and {}", address.variable, address.example, alternatives(vendor));
    }
    let options: Vec<String> = vendor
        .credentials
        .iter()
        .map(|credential| {
            let credentials = format!("`{}`", credential.variables().join("` and `"));
            let mut at = vendor.addresses.iter().filter(|address| credential.works_at(&address.name));
            if at.clone().any(|address| address.default.is_some()) {
                return credentials;
            }
            let names: Vec<String> = at
                .by_ref()
                .map(|address| format!("`{}`", address.variables().collect::<Vec<_>>().join("` and `")))
                .collect();
            format!("{} with {credentials}", names.join(" or "))
        })
        .collect();
    options.join("; or ")
}

//! A vendor's `[oauth]` and the variables of its app → what a sign-in needs.

use std::path::PathBuf;

use super::credentials::{authentication, endpoint_without_words, named_file};
use super::{Environment, tls, value};
use crate::error::ConfigError;
use crate::upstream::TokenRequest;
use toolwright_model::{Credential, Login, Vendor};

/// An app of the vendor that people sign in to, and where their refresh token is kept.
#[derive(Debug)]
pub struct LoginClient<'v> {
    /// How people sign in.
    pub login: &'v Login,
    /// How tokens are requested.
    pub request: TokenRequest,
    /// The variable that names the file with the refresh token.
    pub file_variable: &'v str,
    /// That file, where the variable is set.
    pub file: Option<PathBuf>,
    /// The variables that gave the app's id and secret.
    pub given: [String; 2],
}

/// Reads the app of a vendor.
///
/// # Errors
/// The vendor has no sign-in, or a variable of the app is missing.
pub fn login_client<'v>(vendor: &'v Vendor, env: Environment<'_>) -> Result<LoginClient<'v>, ConfigError> {
    let title = &vendor.title;
    let Some(login) = &vendor.oauth else {
        return Err(ConfigError::new(format!(
            "{title} has no sign-in in a browser\nhint: set {}",
            super::setup_options(vendor)
        )));
    };
    let app = vendor.credentials.iter().find_map(|credential| match credential {
        Credential::OauthRefresh { client_id, client_secret, refresh_token_file, endpoint, client, .. } => {
            Some((client_id, client_secret, refresh_token_file, endpoint, client))
        }
        _ => None,
    });
    let Some((id, secret, file_variable, endpoint, client)) = app else {
        return Err(ConfigError::new(format!("{title}: no app for a sign-in; this is a fault of toolwright")));
    };
    let missing = || {
        let hint = format!(
            "make an OAuth app at the vendor, with the callback address that `toolwright login {}` names, and set both",
            vendor.id
        );
        ConfigError::new(format!("{title}: a sign-in needs `{id}` and `{secret}`\nhint: {hint}"))
    };
    let (id, secret) = (value(id, env)?.ok_or_else(missing)?, value(secret, env)?.ok_or_else(missing)?);
    let request = TokenRequest {
        vendor: title.clone(),
        endpoint: endpoint_without_words(vendor, endpoint)?,
        client: authentication(*client),
        client_id: id.text,
        client_secret: secret.text,
        scope: None,
        refresh_token_file: None,
        sign_in: None,
        tls: tls::tls(vendor, env)?.tls.without_client_certificate(),
    };
    let file = named_file(file_variable, env)?.map(|given| PathBuf::from(given.text));
    Ok(LoginClient { login, request, file_variable, file, given: [id.variable, secret.variable] })
}

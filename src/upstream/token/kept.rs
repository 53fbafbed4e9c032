//! Where a refresh token is kept, if it is not in a file alone → the token that is valid now, for one holder at a time, and its
//! successor: a chain that begins with a file's token, or the sign-in of an account in a store.

use std::fmt;
use std::sync::Arc;

use super::shared::{Answer, Chain, Holder};

/// An account that people sign in for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignInOf {
    /// The account's name.
    pub account: String,
    /// The vendor's id.
    pub vendor: String,
}

/// What is known of a sign-in without a request to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSignIn {
    /// Another one with each sign-in and each choice of a site.
    pub revision: String,
    /// The id of the site to act at, where one was chosen.
    pub site: Option<String>,
    /// Who signed in and when, for people.
    pub source: String,
}

/// The sign-ins of accounts, where their refresh tokens are kept.
pub trait KeptSignIns: Send + Sync + fmt::Debug {
    /// What is known of an account's sign-in; `None` where there is none.
    fn known(&self, of: &SignInOf) -> Option<KnownSignIn>;

    /// Waits until no other holder uses the token, in this process or another one, makes space for the next one, and returns
    /// the token, if the sign-in is still the one with this revision.
    fn lease<'a>(&'a self, of: &'a SignInOf, revision: &'a str, holder: Holder) -> Answer<'a, String>;

    /// Puts the next token there, if there is one, and lets other holders use it.
    fn release<'a>(&'a self, of: &'a SignInOf, holder: Holder, next: Option<&'a str>) -> Answer<'a, ()>;
}

/// The sign-in of one account, as it was when its connection was made.
#[derive(Debug, Clone)]
pub struct AccountSignIn {
    /// Where it is kept.
    pub kept: Arc<dyn KeptSignIns>,
    /// The account.
    pub of: SignInOf,
    /// What was known then; `None` where nobody had signed in.
    pub known: Option<KnownSignIn>,
    /// Whether a site has to be chosen first.
    pub lacks_site: bool,
}

impl AccountSignIn {
    /// Checks that it is still the one that the connection was made with, and can be used: tokens of a sign-in that was ended
    /// or replaced are not used any more.
    ///
    /// # Errors
    /// Why nothing can be sent, and what to do.
    pub(crate) fn check(&self) -> Result<(), String> {
        let account = &self.of.account;
        let now = self.kept.known(&self.of);
        if self.known.as_ref().map(|known| &known.revision) != now.as_ref().map(|known| &known.revision) {
            return Err(format!("the sign-in of the account `{account}` has just changed; try again"));
        }
        match now {
            None => Err(format!(
                "nobody has signed in for the account `{account}`\n\
                 hint: an administrator signs in on the page Accounts of the console"
            )),
            Some(_) if self.lacks_site => Err(format!(
                "the sign-in of the account `{account}` reaches several sites, and none is chosen\n\
                 hint: an administrator chooses one on the page Accounts of the console"
            )),
            Some(_) => Ok(()),
        }
    }
}

/// A refresh token that several holders exchange in turn.
pub(super) enum Kept {
    /// It follows one that is in a file.
    Chain(Box<Chain>),
    /// A person has signed in for the account.
    SignIn(AccountSignIn, Holder),
}

impl Kept {
    /// Waits for its turn; returns the token that is valid now.
    pub(super) async fn lease(&self) -> Result<String, String> {
        match self {
            Self::Chain(chain) => chain.lease().await,
            Self::SignIn(sign_in, holder) => {
                let revision = sign_in.known.as_ref().map_or("", |known| &known.revision);
                sign_in.kept.lease(&sign_in.of, revision, *holder).await
            }
        }
    }

    /// Stores the next token, if there is one, and ends its turn.
    pub(super) async fn release(&self, next: Option<&str>) -> Result<(), String> {
        match self {
            Self::Chain(chain) => chain.release(next).await,
            Self::SignIn(sign_in, holder) => sign_in.kept.release(&sign_in.of, *holder, next).await,
        }
    }
}

/// What the operator does about a token that was refused, by where it is kept.
pub(super) fn hint(sign_in: Option<&AccountSignIn>, file_variable: Option<&str>) -> String {
    match (sign_in, file_variable) {
        (Some(sign_in), _) => format!(
            "an administrator has to sign in again for the account `{}`, on the page Accounts of the console",
            sign_in.of.account
        ),
        (None, Some(variable)) => format!(
            "the operator of this server has to sign in again, and put the new refresh token into the file that `{variable}` names"
        ),
        (None, None) => {
            "the client's id or secret is wrong, or was replaced: the operator of this server configures them"
                .to_owned()
        }
    }
}

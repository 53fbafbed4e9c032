//! The flags of `toolwright serve` → what they are read into.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::accounts::AccountArguments;
use super::super::approvals::ApprovalArguments;
use super::super::logs::LogFormat;
use super::super::oauth::OauthArguments;
use super::super::selection::SelectionArguments;
use super::super::start::{
    AuditArguments, FilesArguments, LearnArguments, NetworkArguments, RetryArguments, SandboxArguments,
    WorkflowArguments,
};
use super::super::team::TeamArguments;
use crate::catalog::Catalog;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Serve Streamable HTTP at http://ADDR/mcp instead of stdio, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDR")]
    pub(super) http: Option<String>,
    /// Let web pages of this origin call from a browser, such as https://app.example.com; may be repeated
    #[arg(long, value_name = "URL", requires = "http")]
    pub(super) origin: Vec<String>,
    /// List a few tools that find and call all others, in place of these; starts from every tool that reads, not only
    /// those tagged core
    #[arg(long)]
    pub(super) discover: bool,
    /// How callers over HTTP show who they are; without it every program on this machine is served, and no other. Needed
    /// where other machines reach the address
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WAY,…", requires = "http")]
    pub(super) access: Vec<AccessWay>,
    /// Serve requests for this host too, such as mcp.example.com; may be repeated
    #[arg(long, value_name = "HOST", requires = "http")]
    pub(super) host: Vec<String>,
    /// Serve HTTPS with this chain of certificates, as PEM, the server's own first; read again when it changes
    #[arg(long, value_name = "FILE", requires_all = ["http", "tls_key"])]
    pub(super) tls_cert: Option<PathBuf>,
    /// The private key of the certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) accounts: AccountArguments,
    #[command(flatten)]
    pub(super) oauth: OauthArguments,
    #[command(flatten)]
    pub(super) team: TeamArguments,
    #[command(flatten)]
    pub(super) approval: ApprovalArguments,
    /// How to write logs on standard error
    #[arg(long, value_enum, default_value_t)]
    pub(super) log_format: LogFormat,
    /// Let the log show whole messages where RUST_LOG asks for them: arguments, answers, and the secrets in them
    #[arg(long)]
    pub(super) log_messages: bool,
    #[command(flatten)]
    pub(super) audit: AuditArguments,
    #[command(flatten)]
    pub(super) learn: LearnArguments,
    #[command(flatten)]
    pub(super) files: FilesArguments,
    #[command(flatten)]
    pub(super) network: NetworkArguments,
    #[command(flatten)]
    pub(super) retry: RetryArguments,
    #[command(flatten)]
    pub(super) workflow: WorkflowArguments,
    #[command(flatten)]
    pub(super) sandbox: SandboxArguments,
    /// Under which names tools are listed; called by the others, they are understood too
    #[arg(long, value_enum, default_value_t, env = "TOOLWRIGHT_NAMES")]
    pub(super) names: Names,
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
}

/// The names of tools.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum Names {
    /// Ours, alike at all vendors
    #[default]
    Own,
    /// Those of the vendors' own servers and documents, where they have one
    Official,
}

impl Names {
    pub(super) fn catalog(self) -> Catalog {
        match self {
            Self::Own => Catalog::compiled(),
            Self::Official => Catalog::under_official_names(),
        }
    }
}

/// A way in which callers show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AccessWay {
    /// Each request comes to a link's address, from `toolwright link create`
    Link,
    /// Each request brings a token of the vendor in `Authorization: Bearer`, and acts with it
    VendorToken,
    /// Each request brings an access token in `Authorization: Bearer` that was issued for this server: by the identity provider
    /// of --issuer, or without one by this server itself, to clients that people authorize with their link
    Oauth,
}

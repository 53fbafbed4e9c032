//! An approval that waits → a signed message to an address of the operator's, so that people need not look for it. It decides
//! nothing, and a call does not wait for it.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use ring::hmac;
use serde_json::json;
use url::Url;

use super::request::{ChangeRequest, hex};
use crate::access::links::time_text;
use crate::error::ConfigError;
use crate::store::StoredApproval;
use crate::upstream::{Tls, Unencrypted, http_client, parse_address};

/// The header with the time and the code: `t=SECONDS,v1=HEX`, the HMAC-SHA256 of `SECONDS.BODY`.
const SIGNATURE: &str = "toolwright-signature";
/// How long one message may take.
const WITHIN: Duration = Duration::from_secs(10);
/// The fewest bytes of a secret.
const SHORTEST_SECRET: usize = 16;

/// Where approvals that wait are reported; cheap to clone.
#[derive(Clone)]
pub struct Webhook {
    http: reqwest::Client,
    address: Url,
    key: hmac::Key,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Webhook").field(&self.address.host_str()).finish()
    }
}

impl Webhook {
    /// Reports to an address, over HTTPS or to this machine, signed with a secret.
    ///
    /// # Errors
    /// The address is another one, or the secret is too short.
    pub fn new(address: &str, secret: &str) -> Result<Self, ConfigError> {
        let checked = parse_address(address, &[], Unencrypted::OnThisMachine);
        checked.map_err(|error| ConfigError::new(format!("`--approval-webhook`: {error}")))?;
        // Checked above; a path and a query are part of it.
        let address = Url::parse(address)
            .map_err(|error| ConfigError::new(format!("`--approval-webhook` is no address: {error}")))?;
        if secret.trim().len() < SHORTEST_SECRET {
            return Err(ConfigError::new(format!(
                "the secret of `--approval-webhook` has fewer than {SHORTEST_SECRET} characters\n\
                 hint: TOOLWRIGHT_APPROVAL_WEBHOOK_SECRET_FILE names a file that holds one, such as `openssl rand -hex 32` makes"
            )));
        }
        let http = http_client(&address, &Tls::default(), WITHIN, None, &[])?;
        Ok(Self { http, address, key: hmac::Key::new(hmac::HMAC_SHA256, secret.trim().as_bytes()) })
    }

    /// Reports an approval that waits; what goes wrong is logged.
    pub(super) fn send(&self, approval: &StoredApproval, request: &ChangeRequest, page: Option<&str>) {
        let body = json!({
            "event": "approval.pending",
            "id": approval.id,
            "tool": approval.tool,
            "title": request.title,
            "why": request.why.text,
            "sources": request.why.sources,
            "caller": approval.caller_name,
            "client": approval.client,
            "digest": approval.digest,
            "ends_at": time_text(approval.ends),
            "plan": request.shown,
            "approve": format!("toolwright approve yes {}", approval.id),
            "page": page,
        });
        let (this, id, body) = (self.clone(), approval.id.clone(), body.to_string());
        tokio::spawn(async move {
            if let Err(reason) = this.post(body).await {
                tracing::warn!("approval {id} was not reported to the webhook: {reason}");
            }
        });
    }

    async fn post(&self, body: String) -> Result<(), String> {
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let tag = hmac::sign(&self.key, format!("{seconds}.{body}").as_bytes());
        let hex = hex(tag.as_ref());
        let request = self.http.post(self.address.clone()).header(SIGNATURE, format!("t={seconds},v1={hex}"));
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        // The error may repeat the address, and a token in it.
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        if response.status().is_success() { Ok(()) } else { Err(format!("it answered {}", response.status().as_u16())) }
    }
}

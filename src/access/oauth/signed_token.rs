//! A JSON Web Token (RFC 7519, RFC 9068) → its parts, and whether its claims are for this server now.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::keys::Algorithm;

/// The longest token that is read, in bytes.
pub(super) const LONGEST: usize = 16 * 1024;
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(60);
/// The longest subject, in bytes.
const LONGEST_SUBJECT: usize = 255;

/// A token whose signature is not verified yet.
pub(super) struct SignedToken<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key: Option<String>,
    /// What is signed.
    pub(super) message: &'a str,
    pub(super) signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// What a token that was taken states.
#[derive(Clone)]
pub(super) struct Claims {
    pub(super) subject: String,
    pub(super) expires: SystemTime,
    pub(super) all: Map<String, Value>,
}

impl<'a> SignedToken<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// Why it is none that can be verified.
    pub(super) fn read(text: &'a str) -> Result<Self, &'static str> {
        const NO_TOKEN: &str = "it is no signed token";
        if text.len() > LONGEST {
            return Err("it is too long");
        }
        let (message, signature) = text.rsplit_once('.').ok_or(NO_TOKEN)?;
        let (header, claims) = message.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or(NO_TOKEN)?;
        let object = |part: &str| -> Option<Map<String, Value>> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let header = object(header).ok_or(NO_TOKEN)?;
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::read);
        let algorithm = algorithm.ok_or("its algorithm is none that is taken")?;
        let kind = header.get("typ").map(|kind| kind.as_str().unwrap_or_default().to_ascii_lowercase());
        if kind.is_some_and(|kind| !matches!(kind.trim_start_matches("application/"), "jwt" | "at+jwt")) {
            return Err("it is a token of another kind");
        }
        if header.contains_key("crit") {
            return Err("it has extensions that this server does not know");
        }
        let key = match header.get("kid") {
            Some(id) => Some(id.as_str().ok_or(NO_TOKEN)?.to_owned()),
            None => None,
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| NO_TOKEN)?;
        Ok(Self { algorithm, key, message, signature, claims: object(claims).ok_or(NO_TOKEN)? })
    }

    /// Whether it states this issuer: what tells it from other tokens before it is verified.
    pub(super) fn states(&self, issuer: &str) -> bool {
        self.claims.get("iss").is_some_and(|stated| stated == issuer)
    }

    /// What it states, where it is of this issuer, for one of these audiences and valid now. Its signature must be verified.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(super) fn claims(self, issuer: &str, audiences: &[String], now: SystemTime) -> Result<Claims, &'static str> {
        if !self.states(issuer) {
            return Err("another issuer has issued it");
        }
        let Self { claims, .. } = self;
        let is_ours = |audience: &Value| audience.as_str().is_some_and(|one| audiences.iter().any(|own| own == one));
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        };
        if !is_for_us {
            return Err("it was issued for another server");
        }
        let time =
            |name: &str| claims.get(name).map(|value| value.as_f64().and_then(moment).ok_or("its times are none"));
        let expires = time("exp").transpose()?.ok_or("it has no end")?;
        if now >= expires + LEEWAY {
            return Err("it has expired");
        }
        for name in ["nbf", "iat"] {
            if time(name).transpose()?.is_some_and(|begins| begins > now + LEEWAY) {
                return Err("it is not valid yet");
            }
        }
        let subject = claims.get("sub").and_then(Value::as_str).filter(|it| (1..=LONGEST_SUBJECT).contains(&it.len()));
        let subject = subject.ok_or("it names no subject")?.to_owned();
        Ok(Claims { subject, expires: expires + LEEWAY, all: claims })
    }
}

/// Seconds since 1970, which may have a fraction.
fn moment(seconds: f64) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    // A time so late that the clock has none for it is no end.
    SystemTime::UNIX_EPOCH.checked_add(since).filter(|at| at.checked_add(LEEWAY).is_some())
}

impl Claims {
    /// The scopes: a text as in RFC 8693, or a list as some providers write it.
    pub(super) fn scopes(&self) -> Vec<&str> {
        match self.all.get("scope").or_else(|| self.all.get("scp")) {
            Some(Value::String(scopes)) => scopes.split(' ').collect(),
            Some(Value::Array(scopes)) => scopes.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The address for mail that the provider has verified.
    pub(super) fn email(&self) -> Option<&str> {
        let is_verified = self.all.get("email_verified").is_some_and(|it| *it == Value::Bool(true));
        self.all.get("email").and_then(Value::as_str).filter(|_| is_verified)
    }

    /// What records and messages show of a person: the verified address for mail, or the subject.
    pub(super) fn name(&self) -> String {
        let name = self.email().unwrap_or(&self.subject);
        name.chars().filter(|c| c.is_ascii_graphic() || c.is_alphanumeric()).take(100).collect()
    }

    /// The texts of a claim, by its name, or by a JSON Pointer into a claim such as `/realm_access/roles`.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        let by_pointer = || {
            let (first, rest) = name.strip_prefix('/')?.split_once('/')?;
            self.all.get(first)?.pointer(&format!("/{rest}"))
        };
        match self.all.get(name).or_else(by_pointer) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(header), part(claims))
    }

    fn taken(claims: &Value) -> Result<Claims, &'static str> {
        let text = token(&json!({"alg": "ES256", "typ": "at+jwt"}), claims);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        SignedToken::read(&text)?.claims("https://id.example.com", &["https://mcp.example.com/mcp".to_owned()], now)
    }

    #[test]
    fn a_token_is_for_this_server_from_this_issuer_and_valid_now() {
        let claims = |name: &str, value: Value| {
            let mut claims = json!({
                "iss": "https://id.example.com", "aud": "https://mcp.example.com/mcp", "sub": "ann", "exp": 1_800_000_300
            });
            claims[name] = value;
            claims
        };
        for (name, value, expected) in [
            ("exp", json!(1_800_000_001), None),
            ("exp", json!(1_799_999_941), None),
            ("exp", json!(1_800_000_001.5), None),
            ("exp", json!(1_799_999_940), Some("it has expired")),
            ("exp", json!("1800000300"), Some("its times are none")),
            ("exp", json!(-1), Some("its times are none")),
            ("exp", json!(1e300), Some("its times are none")),
            ("exp", json!(null), Some("its times are none")),
            ("nbf", json!(1_800_000_060), None),
            ("nbf", json!(1_800_000_061), Some("it is not valid yet")),
            ("iat", json!(1_800_000_061), Some("it is not valid yet")),
            ("aud", json!(["x", "https://mcp.example.com/mcp"]), None),
            ("aud", json!("https://mcp.example.com"), Some("it was issued for another server")),
            ("aud", json!("https://mcp.example.com/mcp/"), Some("it was issued for another server")),
            ("aud", json!(["https://other.example.com/mcp"]), Some("it was issued for another server")),
            ("aud", json!([]), Some("it was issued for another server")),
            ("iss", json!("https://id.example.com/"), Some("another issuer has issued it")),
            ("iss", json!(["https://id.example.com"]), Some("another issuer has issued it")),
            ("sub", json!(""), Some("it names no subject")),
            ("sub", json!(7), Some("it names no subject")),
        ] {
            assert_eq!(taken(&claims(name, value.clone())).err(), expected, "{name} {value}");
        }
    }

    #[test]
    fn a_header_that_asks_for_anything_else_is_refused() {
        for (header, expected) in [
            (json!({"alg": "none"}), "its algorithm is none that is taken"),
            (json!({"alg": "HS256"}), "its algorithm is none that is taken"),
            (json!({}), "its algorithm is none that is taken"),
            (json!({"alg": "RS256", "typ": "logout+jwt"}), "it is a token of another kind"),
            (
                json!({"alg": "RS256", "crit": ["b64"], "b64": false}),
                "it has extensions that this server does not know",
            ),
            (json!({"alg": "RS256", "kid": 7}), "it is no signed token"),
        ] {
            assert_eq!(SignedToken::read(&token(&header, &json!({}))).err(), Some(expected), "{header}");
        }
        for text in ["", "a", "a.b", "a.b.c.d", "e30.e30.", "....", "e30.e30.c2ln=", "é.é.é"] {
            assert!(SignedToken::read(text).is_err(), "{text}");
        }
        assert_eq!(SignedToken::read(&"a".repeat(LONGEST + 1)).err(), Some("it is too long"));
    }
}

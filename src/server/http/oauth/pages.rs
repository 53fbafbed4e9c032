//! What a person is shown who authorizes a client → pages without a script, which a phone and a screen reader can read. What comes
//! from outside is escaped by the templates, whatever it is.

use askama::Template;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::access::links::time_text;
use crate::access::oauth::{AuthorizationRequest, Giver, Question};
use toolwright_model::Effect;

/// The style of all pages. The policy names its hash, so that no other style applies.
const STYLE: &str = "
:root{color-scheme:light dark;font:1.05rem/1.5 system-ui,sans-serif}
body{margin:0;background:Canvas;color:CanvasText}
main{max-width:34rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.5rem;line-height:1.25}
h2{font-size:1.15rem;margin:1.75rem 0 0}
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.4rem 1rem;margin:1rem 0}
dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
label{display:block;font-weight:600;margin:1rem 0 .25rem}
label.choice{font-weight:400;display:flex;gap:.6rem;align-items:flex-start}
input[type=password]{box-sizing:border-box;width:100%;padding:.6rem;font:inherit;border:1px solid GrayText;border-radius:.3rem}
button{font:inherit;padding:.7rem 1.2rem;margin:1.25rem .6rem 0 0;border:1px solid ButtonText;border-radius:.3rem;min-height:2.75rem}
button.main{font-weight:600}
:focus-visible{outline:3px solid Highlight;outline-offset:2px}
.note,.wrong{border-left:.3rem solid GrayText;padding:.2rem .8rem}
.wrong{border-color:#b00020;font-weight:600}
small{display:block;font-size:.9rem}
ul{padding-left:1.2rem;overflow-wrap:anywhere}
";

/// Asks for a link.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Connect {{ client }} - Toolwright</title><style>{{ style|safe }}</style></head>
<body><main>
<h1>Connect {{ client }} to Toolwright</h1>
{% if let Some(wrong) = wrong %}<p class="wrong" role="alert">{{ wrong }}</p>{% endif %}
<p>A program that calls itself <strong>{{ client }}</strong> asks for access to this server.
{% if let Some(host) = host %}Its address is <strong>{{ host }}</strong>.{% else %}Nobody has verified this name.{% endif %}
You are sent back to <strong>{{ back }}</strong>.</p>
<p class="note">Go on only if you have just connected this program yourself.</p>
{% if let Some(provider) = provider %}<form method="post" action="/authorize/login" autocomplete="off">
<input type="hidden" name="request" value="{{ query }}"><input type="hidden" name="csrf" value="{{ csrf }}">
<button class="main">Sign in at {{ provider }}</button>
</form>
<h2>Or bring a link</h2>{% endif %}
<form method="post" action="/authorize" autocomplete="off">
<input type="hidden" name="request" value="{{ query }}"><input type="hidden" name="csrf" value="{{ csrf }}">
<label for="link">Your link</label>
<input type="password" id="link" name="link" required autocomplete="off" spellcheck="false" aria-describedby="about-link">
<small id="about-link">The address that the administrator gave you, such as {{ example }}</small>
<label for="second">Its second token, if it has one</label>
<input type="password" id="second" name="second_token" autocomplete="off" spellcheck="false">
<button class="main">Continue</button>
</form></main></body></html>"#
)]
struct LinkPage<'a> {
    style: &'a str,
    client: &'a str,
    host: Option<&'a str>,
    back: &'a str,
    query: &'a str,
    csrf: &'a str,
    example: &'a str,
    provider: Option<&'a str>,
    wrong: Option<&'a str>,
}

/// Asks for a decision.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Allow {{ client }}? - Toolwright</title><style>{{ style|safe }}</style></head>
<body><main>
<h1>Allow {{ client }} to act for you?</h1>
<dl>
<dt>Program</dt><dd>{{ client }}{% if let Some(host) = host %} ({{ host }}){% else %} (nobody has verified this name){% endif %}</dd>
<dt>Sends you to</dt><dd>{{ back }}</dd>
<dt>{{ giver.0 }}</dt><dd>{{ giver.1 }}</dd>
<dt>Accounts</dt><dd>{% for account in accounts %}{{ account }}{% if !loop.last %}, {% endif %}{% endfor %}</dd>
<dt>Ends</dt><dd>{{ ends }}</dd>
</dl>
<h2>What it may do</h2>
{% for effect in effects %}<details><summary>{{ effect.tools.len() }} {{ effect.what }}</summary>
<ul>{% for tool in effect.tools %}<li>{{ tool }}</li>{% endfor %}</ul></details>
{% endfor %}
<form method="post" action="/authorize/decision" autocomplete="off">
<input type="hidden" name="ticket" value="{{ ticket }}"><input type="hidden" name="csrf" value="{{ csrf }}">
{% if may_change %}<label class="choice"><input type="checkbox" name="only_reads" value="yes"> Allow only what reads, and no changes</label>{% endif %}
<button class="main" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form></main></body></html>"#
)]
struct DecisionPage<'a> {
    style: &'a str,
    client: &'a str,
    host: Option<&'a str>,
    back: &'a str,
    giver: (&'a str, &'a str),
    accounts: Vec<String>,
    ends: String,
    effects: Vec<ToolsOfEffect<'a>>,
    ticket: &'a str,
    csrf: &'a str,
    may_change: bool,
}

/// Leads to the identity provider.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={{ address }}">
<title>Sign in - Toolwright</title><style>{{ style|safe }}</style></head>
<body><main><h1>Sign in at {{ provider }}</h1>
<p><a href="{{ address }}">Continue to {{ provider }}</a></p></main></body></html>"#
)]
struct ProviderPage<'a> {
    style: &'a str,
    provider: &'a str,
    address: &'a str,
}

/// The tools of one effect.
struct ToolsOfEffect<'a> {
    what: &'static str,
    tools: Vec<&'a str>,
}

/// Says why nothing is asked.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not connected - Toolwright</title><style>{{ style|safe }}</style></head>
<body><main><h1>This program was not connected</h1>
<p class="wrong" role="alert">{{ reason }}</p>
<p>You can close this page, and connect the program again.</p></main></body></html>"#
)]
struct FaultPage<'a> {
    style: &'a str,
    reason: &'a str,
}

/// The page that leads to the identity provider. A form that was answered with a redirect could not: the policy of its page would have
/// to name every host that the provider leads to in turn.
pub(super) fn go_to_provider(provider: &str, address: &str) -> Response {
    answer(StatusCode::OK, &ProviderPage { style: STYLE, provider, address }, "")
}

/// The page that asks for a link, or for a sign-in at a provider. `query` is the client's request, which comes back with the form.
pub(super) fn ask_for_link(
    request: &AuthorizationRequest,
    query: &str,
    csrf: &str,
    origin: &str,
    provider: Option<&str>,
    wrong: Option<(StatusCode, &str)>,
) -> Response {
    let (back, example) = (back(request), format!("{origin}/c/…/mcp"));
    let page = LinkPage {
        style: STYLE,
        client: &request.client_name,
        host: request.client_host.as_deref(),
        back: &back,
        query,
        csrf,
        example: &example,
        provider,
        wrong: wrong.map(|(_, text)| text),
    };
    answer(wrong.map_or(StatusCode::OK, |(status, _)| status), &page, &request.redirect_source())
}

/// The page that asks for a decision.
pub(super) fn ask_for_decision(question: &Question, csrf: &str) -> Response {
    let Question { ticket, request, giver, grant, ends, scopes } = question;
    let entries = grant.catalog().entries().iter();
    let permitted = entries.filter(|entry| grant.decide(entry).is_ok());
    let permitted: Vec<_> =
        permitted.filter(|entry| scopes.as_ref().is_none_or(|scopes| scopes.permits(entry))).collect();
    let of = |what, effect| {
        let tools = permitted.iter().map(|entry| entry.head()).filter(|head| head.effect == effect);
        ToolsOfEffect { what, tools: tools.map(|head| head.name.as_str()).collect() }
    };
    let effects = [
        of("tools that only read", Some(Effect::Read)),
        of("tools that change things", Some(Effect::Write)),
        of("tools that delete or destroy", Some(Effect::Destructive)),
        of("tools whose effect nobody has reviewed", None),
    ];
    let effects: Vec<_> = effects.into_iter().filter(|effect| !effect.tools.is_empty()).collect();
    let giver = match giver {
        Giver::Link(name) => ("Your link", name.as_str()),
        Giver::Person(name) => ("Signed in as", name.as_str()),
    };
    let page = DecisionPage {
        style: STYLE,
        client: &request.client_name,
        host: request.client_host.as_deref(),
        back: &back(request),
        giver,
        accounts: grant.terms().accounts.iter().map(|(vendor, account)| format!("{account} ({vendor})")).collect(),
        ends: ends.map_or_else(|| "when your link is revoked".to_owned(), time_text),
        may_change: permitted.iter().any(|entry| entry.head().effect != Some(Effect::Read)),
        effects,
        ticket,
        csrf,
    };
    answer(StatusCode::OK, &page, &request.redirect_source())
}

/// A page that says why nothing is asked.
pub(super) fn fault(status: StatusCode, reason: &str) -> Response {
    answer(status, &FaultPage { style: STYLE, reason }, "")
}

/// Where a person is sent back to.
fn back(request: &AuthorizationRequest) -> String {
    if request.is_of_this_machine() {
        "a program on the machine of this browser".to_owned()
    } else {
        request.redirect_host()
    }
}

/// A page with what keeps others from using it: no script, no frame around it, forms to this server and back to the client only.
fn answer(status: StatusCode, page: &impl Template, redirect: &str) -> Response {
    let Ok(text) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {redirect}; frame-ancestors 'none'; base-uri 'none'"
    );
    let Ok(policy) = HeaderValue::try_from(policy) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, policy),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // With `no-referrer` browsers would leave out the origin of a form, by which others' forms are refused.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, text).into_response()
}

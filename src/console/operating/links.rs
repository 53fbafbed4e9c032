//! Forms about links → links in the store, from their creation to their end. A new one is shown once.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::Console;
use super::super::answer::{Fault, page, see};
use super::super::choice::Choice;
use super::super::forms::Form;
use super::super::frame::{Frame, Section};
use super::super::sessions::Session;
use super::Operating;
use crate::access::links::{IssuedLink, LinkRequest, LinkTerms, issue, narrow as narrow_link, read_end, time_text};
use crate::access::{Grant, Narrowing};
use crate::catalog::CatalogEntry;
use crate::client_settings::{ClientText, of_link};
use crate::store::StoredLink;

/// How long a link lasts unless something else is typed.
const USUAL_END: &str = "30d";

/// A link, without what opens it.
#[derive(Debug)]
struct LinkView {
    id: String,
    name: String,
    state: &'static str,
    is_valid: bool,
    permits: String,
    second_token: bool,
    parent: Option<String>,
    created: String,
    ends: String,
    used: String,
}

/// The fields of a form for a new link.
#[derive(Debug, Default)]
struct NewLinkForm {
    name: String,
    accounts: Vec<Choice>,
    accounts_legend: &'static str,
    methods: Vec<Choice>,
    tags: String,
    tools: String,
    exclude: String,
    risks: Vec<Choice>,
    expires: String,
    second_token: bool,
}

#[derive(Template)]
#[template(path = "links.html", config = "src/console/askama.toml")]
struct LinksPage {
    frame: Frame,
    fault: Option<String>,
    links: Vec<LinkView>,
    new: NewLinkForm,
}

#[derive(Template)]
#[template(path = "link.html", config = "src/console/askama.toml")]
struct LinkPage {
    frame: Frame,
    fault: Option<String>,
    link: LinkView,
    tools: String,
    new: NewLinkForm,
}

#[derive(Template)]
#[template(path = "created.html", config = "src/console/askama.toml")]
struct CreatedPage {
    frame: Frame,
    id: String,
    name: String,
    tools: usize,
    url: String,
    second_token: Option<String>,
    clients: Vec<ClientText>,
}

impl LinkView {
    fn of(link: StoredLink, now: std::time::SystemTime) -> Self {
        let terms = LinkTerms::read(&link.terms).unwrap_or_default();
        Self {
            state: link.state(now),
            is_valid: link.is_valid(now),
            permits: permits(&terms),
            id: link.id,
            name: link.name,
            second_token: link.second_token.is_some(),
            parent: link.parent,
            created: time_text(link.created),
            ends: link.expires.map_or_else(|| "never".to_owned(), time_text),
            used: link.used.map_or_else(|| "never".to_owned(), time_text),
        }
    }
}

/// What a link permits, in words: its accounts, and what each narrowing leaves.
fn permits(terms: &LinkTerms) -> String {
    let accounts: Vec<&str> = terms.accounts.values().map(String::as_str).collect();
    let words = |narrowing: &Narrowing| {
        let lists = [
            ("methods", &narrowing.methods),
            ("tags", &narrowing.tags),
            ("tools", &narrowing.tools),
            ("without", &narrowing.exclude),
            ("accepts", &narrowing.allow),
        ];
        let given = lists.into_iter().filter(|(_, words)| !words.is_empty());
        given.map(|(name, words)| format!("{name} {}", words.join(", "))).collect::<Vec<_>>().join("; ")
    };
    let narrowings: Vec<String> = terms.narrowings.iter().map(words).filter(|words| !words.is_empty()).collect();
    let narrowings =
        if narrowings.is_empty() { "all that the server offers".to_owned() } else { narrowings.join(" / ") };
    format!("{}: {narrowings}", accounts.join(", "))
}

impl NewLinkForm {
    /// An empty form.
    fn empty(operating: &Operating) -> Self {
        let served = operating.accounts.iter().filter(|account| account.serves);
        let served: Vec<String> = served.map(|account| account.name.clone()).collect();
        Self {
            // One account is chosen already; of several, one of a vendor is to be.
            accounts: accounts(operating, if served.len() == 1 { &served } else { &[] }),
            accounts_legend: "Accounts that serve it, one of a vendor",
            methods: Choice::effects(&["read".to_owned()]),
            risks: Choice::risks(&[]),
            expires: USUAL_END.to_owned(),
            second_token: true,
            ..Self::default()
        }
    }

    /// An empty form for a narrower link, which has the accounts of the other one.
    fn narrower(link: &LinkView) -> Self {
        Self {
            methods: Choice::effects(&[]),
            risks: Choice::risks(&[]),
            second_token: link.second_token,
            ..Self::default()
        }
    }

    /// The form as it was sent.
    fn sent(form: &Form, accounts: Vec<Choice>) -> Self {
        Self {
            name: form.text("name").to_owned(),
            accounts,
            accounts_legend: "Accounts that serve it, one of a vendor",
            methods: Choice::effects(&form.words("methods")),
            tags: form.words("tags").join(","),
            tools: form.words("tools").join(","),
            exclude: form.words("exclude").join(","),
            risks: Choice::risks(&form.words("allow")),
            expires: form.text("expires").to_owned(),
            second_token: !form.text("second_token").is_empty(),
        }
    }
}

fn accounts(operating: &Operating, on: &[String]) -> Vec<Choice> {
    let choice = |account: &crate::server::http::admin::AccountState| Choice {
        value: account.name.clone(),
        text: format!("{} ({})", account.name, account.vendor),
        on: on.contains(&account.name),
    };
    operating.accounts.iter().map(choice).collect()
}

impl Operating {
    /// What a form asks for.
    fn request(&self, form: &Form, now: std::time::SystemTime) -> Result<LinkRequest, Fault> {
        let wrong = |text: &str| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, text);
        let mut accounts = BTreeMap::new();
        for name in form.words("account") {
            let known = self.accounts.iter().find(|account| account.name == name);
            let account = known.ok_or_else(|| wrong("There is no such account; the page of accounts lists them."))?;
            if accounts.insert(account.vendor.clone(), name).is_some() {
                return Err(wrong(&format!("Choose one account of the vendor `{}`.", account.vendor)));
            }
        }
        let expires = Some(form.text("expires")).filter(|text| !text.is_empty());
        Ok(LinkRequest {
            name: form.text("name").to_owned(),
            accounts,
            narrowing: Narrowing {
                methods: form.words("methods"),
                tags: form.words("tags"),
                tools: form.words("tools"),
                exclude: form.words("exclude"),
                allow: form.words("allow"),
            },
            expires: expires.map(|text| read_end(text, now)).transpose().map_err(|error| wrong(&error))?,
            second_token: !form.text("second_token").is_empty(),
        })
    }

    async fn link(&self, id: &str) -> Result<StoredLink, Fault> {
        let found = self.store.link(id).await?;
        found
            .ok_or_else(|| Fault::not_found("There is no link with this id. It may have expired, and is deleted then."))
    }

    /// What a link permits on this server.
    fn grant(&self, link: &StoredLink) -> Option<Grant> {
        let terms = LinkTerms::read(&link.terms).ok()?;
        self.policy().grant(terms.of(&link.id, &link.name, link.expires)).ok()
    }

    async fn links_page(
        &self,
        console: &Console,
        session: &Session,
        fault: Option<Fault>,
        new: NewLinkForm,
    ) -> Result<Response, Fault> {
        let now = console.now();
        let links = self.store.links().await?.into_iter().map(|link| LinkView::of(link, now)).collect();
        let status = fault.as_ref().map_or(StatusCode::OK, |fault| fault.status);
        let frame = session.frame(Section::Links, "Links");
        Ok(page(status, &LinksPage { frame, fault: fault.map(|fault| fault.text), links, new }))
    }

    fn link_page(
        &self,
        console: &Console,
        session: &Session,
        link: StoredLink,
        fault: Option<Fault>,
        form: Option<&Form>,
    ) -> Response {
        let tools = match self.grant(&link) {
            Some(grant) => grant.offered().len().to_string(),
            None => "it can't be read: another version has written it".to_owned(),
        };
        let link = LinkView::of(link, console.now());
        let new = form.map_or_else(|| NewLinkForm::narrower(&link), |form| NewLinkForm::sent(form, Vec::new()));
        let status = fault.as_ref().map_or(StatusCode::OK, |fault| fault.status);
        let frame = session.frame(Section::Links, &link.name);
        page(status, &LinkPage { frame, fault: fault.map(|fault| fault.text), link, tools, new })
    }

    /// The page of a link that was created: the only one that shows its tokens.
    fn created(&self, session: &Session, by: &str, issued: IssuedLink) -> Response {
        tracing::warn!(administrator = by, link = issued.link.id, name = issued.link.name, "created a link");
        let url = issued.url(&self.address);
        let created = CreatedPage {
            frame: session.frame(Section::Links, "The link is created"),
            tools: self.grant(&issued.link).map_or(0, |grant| grant.offered().len()),
            clients: of_link(&issued.link.name, &url, issued.second_token.as_deref()),
            id: issued.link.id,
            name: issued.link.name,
            url,
            second_token: issued.second_token,
        };
        page(StatusCode::OK, &created)
    }
}

/// Lists the links.
pub(super) async fn list(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let listed = async {
        let (operating, _) = console.of_administrator(&session)?;
        operating.links_page(&console, &session, None, NewLinkForm::empty(operating)).await
    };
    listed.await.unwrap_or_else(|fault| session.fault(&fault))
}

/// Creates a link; what the server itself does not offer is refused.
pub(super) async fn create(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let created = async {
        let (operating, by) = console.of_administrator(&session)?;
        let form = Form::read(&parts.headers, body, &session.csrf).await?;
        let issued = async {
            let asked = operating.request(&form, console.now())?;
            let offers = |entry: &CatalogEntry| operating.policy().selection().decide(entry);
            Ok(issue(&operating.store, operating.catalog(), Some(&offers), asked, console.now()).await?)
        };
        match issued.await {
            Ok(issued) => Ok(operating.created(&session, by, issued)),
            Err(fault) => {
                let new = NewLinkForm::sent(&form, accounts(operating, &form.words("account")));
                operating.links_page(&console, &session, Some(fault), new).await
            }
        }
    };
    created.await.unwrap_or_else(|fault| session.fault(&fault))
}

/// Shows a link.
pub(super) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Response {
    let shown = async {
        let (operating, _) = console.of_administrator(&session)?;
        let link = operating.link(&id).await?;
        Ok(operating.link_page(&console, &session, link, None, None))
    };
    shown.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

/// Creates a link that permits a part of what another one does.
pub(super) async fn narrow(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let created = async {
        let (operating, by) = console.of_administrator(&session)?;
        let form = Form::read(&parts.headers, body, &session.csrf).await?;
        let link = operating.link(&id).await?;
        let issued = async {
            let asked = operating.request(&form, console.now())?;
            Ok(narrow_link(&operating.store, operating.catalog(), &id, asked, console.now()).await?)
        };
        Ok(match issued.await {
            Ok(issued) => operating.created(&session, by, issued),
            Err(fault) => operating.link_page(&console, &session, link, Some(fault), Some(&form)),
        })
    };
    created.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

/// Revokes a link and all that narrow it.
pub(super) async fn revoke(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let revoked = async {
        let (operating, by) = console.of_administrator(&session)?;
        Form::read(&parts.headers, body, &session.csrf).await?;
        let link = operating.link(&id).await?;
        let count = operating.store.revoke_link(&link.id, console.now()).await?;
        tracing::warn!(administrator = by, link = link.id, name = link.name, count, "revoked a link");
        Ok(see(&format!("/links/{}", link.id)))
    };
    revoked.await.unwrap_or_else(|fault: Fault| session.fault(&fault))
}

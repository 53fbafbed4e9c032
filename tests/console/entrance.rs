//! Who gets in: the address that was printed, an administrator's token, a session; and who does not.

use std::time::SystemTime;

use reqwest::Method;
use toolwright::access::links::create_admin_token;
use toolwright::catalog::Catalog;
use toolwright::policy::SelectionWords;
use toolwright::server::http::PageServer;

use super::{Page, here, opened, served};

fn cookie(page: &Page) -> &str {
    page.header("set-cookie")
}

#[tokio::test]
async fn the_printed_address_opens_the_console_once() {
    let (pages, path) = here(Catalog::compiled(), None).await;
    pages.get("/tools").await.shows(401, &["`toolwright console` printed"]);
    pages.get("/open?token=wrong").await.shows(401, &["works once"]);
    pages.get("/open").await.shows(401, &["works once"]);
    let page = pages.get(&path).await.shows(200, &["url=/tools"]);
    let cookie = cookie(&page);
    let name = format!("toolwright-console-{}=", pages.address.port());
    assert!(cookie.starts_with(&name) && cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    pages.get("/tools").await.shows(200, &["<h1>Tools</h1>"]);
    // Another browser has no use for the address.
    let kept = std::mem::take(&mut *pages.cookies.lock().unwrap());
    pages.get(&path).await.shows(401, &[]);
    pages.get("/tools").await.shows(401, &[]);
    *pages.cookies.lock().unwrap() = vec![(kept[0].0.clone(), format!("{}x", kept[0].1))];
    pages.get("/tools").await.shows(401, &[]);
    *pages.cookies.lock().unwrap() = kept;
    // There are no pages of a server here.
    for path in ["/login", "/links", "/record", "/accounts", "/figures"] {
        pages.get(path).await.shows(404, &[]);
    }
}

#[tokio::test]
async fn other_hosts_and_pages_are_refused() {
    let pages = opened(Catalog::compiled(), None).await;
    for host in ["evil.example", "127.0.0.1.evil.example", "mcp.example.com"] {
        let page = pages.answer(pages.request(Method::GET, "/tools").header("host", host)).await;
        assert_eq!(page.status, 403, "{host}");
        assert!(!page.text.contains("<table"), "{host}");
    }
    let tool = pages.get("/tools/jitbit_search_tickets").await;
    let csrf = tool.csrf();
    let (path, fields) = ("/tools/jitbit_search_tickets", [("csrf", csrf.as_str()), ("arg.query", "printer")]);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let page = pages.answer(pages.request(Method::POST, path).header(name, value).form(&fields)).await;
        assert_eq!(page.status, 403, "{name}: {value}");
        assert!(!page.text.contains("IssueID"), "{name}: {value}");
    }
    // A form of no session, or of none at all.
    for csrf in ["", "wrong"] {
        pages.answer(pages.form(path, &[("csrf", csrf), ("arg.query", "printer")])).await.shows(403, &["your session"]);
    }
    pages.answer(pages.request(Method::POST, path).body("csrf=x")).await.shows(415, &[]);
    pages.answer(pages.form(path, &fields)).await.shows(200, &["IssueID"]);
    // Only addresses of this machine.
    let error = PageServer::bind_here("--http", "0.0.0.0:0").unwrap_err().to_string();
    assert!(error.contains("other machines") && error.contains("--http"), "{error}");
}

#[tokio::test]
async fn administrators_sign_in_with_their_token_and_out() {
    let served = served("console-entrance", &SelectionWords::default()).await;
    let pages = &served.pages;
    for path in ["/", "/tools", "/links", "/record", "/accounts", "/figures", "/nothing"] {
        let page = pages.get(path).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (303, "/login"), "{path}");
        assert!(page.text.is_empty(), "{path}");
    }
    let page = pages.answer(pages.form("/links", &[("name", "x")])).await;
    assert_eq!(page.status, 401, "a form without a session");
    let link = served.link().await;
    for wrong in ["", "toolwright_admin_guess", &link.token, link.second_token.as_deref().unwrap()] {
        let form = pages.get("/login").await;
        let page = pages.send(&form, "/login", &[("token", wrong)]).await;
        let page = page.shows(401, &["no valid token of an administrator"]);
        assert!(page.header("set-cookie").contains("-login="), "no session for {wrong}");
        assert!(wrong.is_empty() || !page.text.contains(wrong), "it is not repeated");
    }
    // A form that another page made has no cookie to go with it.
    let page = pages.answer(pages.form("/login", &[("csrf", "x"), ("token", &served.admin)])).await;
    assert_eq!(page.status, 403);
    served.sign_in().await;
    let page = pages.get("/links").await.shows(200, &["Signed in as <strong>ops</strong>", "Create a link"]);
    assert!(!page.text.contains(&served.admin));
    let out = pages.send(&page, "/logout", &[]).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/login"));
    assert_eq!(pages.get("/links").await.status, 303);
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let served = served("console-revoked", &SelectionWords::default()).await;
    served.sign_in().await;
    served.pages.get("/links").await.shows(200, &[]);
    served.store.revoke_admin_token("ops").await.unwrap();
    assert_eq!(served.pages.get("/links").await.header("location"), "/login");
    // Another token by the same name does not bring it back.
    create_admin_token(&served.store, "ops", SystemTime::now()).await.unwrap();
    assert_eq!(served.pages.get("/links").await.header("location"), "/login");
}

#[tokio::test]
async fn guesses_are_counted_and_do_not_keep_out_who_has_a_token() {
    let served = served("console-guesses", &SelectionWords::default()).await;
    let mut statuses = Vec::new();
    for guess in 0..40 {
        let form = served.pages.get("/login").await;
        let page = served.pages.send(&form, "/login", &[("token", &format!("guess-{guess}"))]).await;
        if page.status == 429 {
            assert!(!page.header("retry-after").is_empty());
        }
        statuses.push(page.status.as_u16());
    }
    assert!(statuses.contains(&401) && statuses.contains(&429), "{statuses:?}");
    served.sign_in().await;
}

#[tokio::test]
async fn a_named_host_gets_a_cookie_for_https_only() {
    let served = served("console-host", &SelectionWords::default()).await;
    let pages = &served.pages;
    let named = |method, path| pages.request(method, path).header("host", "mcp.example.com");
    let form = pages.answer(named(Method::GET, "/login")).await.shows(200, &[]);
    assert!(cookie(&form).contains("; Secure"), "{}", cookie(&form));
    let fields = [("csrf", form.csrf()), ("token", served.admin.clone())];
    let sent = named(Method::POST, "/login").header("origin", "https://mcp.example.com").form(&fields);
    let page = pages.answer(sent).await;
    assert_eq!(page.status, 303, "{}", page.text);
    assert!(cookie(&page).contains("HttpOnly; SameSite=Strict") && cookie(&page).contains("; Secure"));
    let sent = named(Method::POST, "/login").header("origin", "https://evil.example").form(&fields);
    assert_eq!(pages.answer(sent).await.status, 403);
}

//! The pages of a server: accounts, links from their creation to their end, the record, figures; without anything secret.

use serde_json::{Value, json};
use toolwright::call::Caller;
use toolwright::policy::SelectionWords;
use toolwright::workflow;

use super::{Served, served};

fn words(methods: &[&str]) -> SelectionWords {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    SelectionWords { methods: owned(methods), tags: owned(&["all"]), ..SelectionWords::default() }
}

/// What is between two texts of a page.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("`{before}` is missing in\n{text}"));
    rest.split(after).next().unwrap_or_default()
}

async fn call(served: &Served, tool: &str, arguments: Value) {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    let _ = workflow::call_as(&served.toolbox, &Caller::default(), tool, arguments).await;
}

#[tokio::test]
async fn a_link_is_created_shown_once_narrowed_and_revoked() {
    let served = served("console-links", &words(&["read"])).await;
    served.sign_in().await;
    let pages = &served.pages;
    let list = pages.get("/links").await.shows(200, &["There is no link yet"]);
    let fields = [
        ("name", "Night <b>shift</b>"),
        ("account", "jitbit"),
        ("methods", "read"),
        ("expires", "8h"),
        ("second_token", "on"),
    ];
    let created = pages.send(&list, "/links", &fields).await;
    let created = created.shows(200, &["https://mcp.example.com/c/", "Second token", "toolwright_link_", "mcpServers"]);
    assert!(!created.text.contains("<b>shift") && created.text.contains("Night &#60;b&#62;shift"), "{}", created.text);
    let token = between(&created.text, "https://mcp.example.com/c/", "/mcp").to_owned();
    let second = format!("toolwright_link_{}", between(&created.text, "<pre>toolwright_link_", "<"));
    let id = between(&created.text, "href=\"/links/", "\"").to_owned();
    let path = format!("/links/{id}");
    let link = pages.get(&path).await.shows(200, &["valid", "demanded", "never", "Revoke the link"]);
    let tools: usize = between(&link.text, "offers on this server</dt><dd>", "<").parse().unwrap();
    assert!(tools > 10, "{tools}");
    let narrowed = pages.send(&link, &format!("{path}/narrow"), &[("name", "Helper"), ("tags", "tickets")]).await;
    // With a second token, because the other one has one.
    let narrowed = narrowed.shows(200, &["The link is created", "Second token"]);
    let helper = between(&narrowed.text, "href=\"/links/", "\"").to_owned();
    pages.get(&format!("/links/{helper}")).await.shows(200, &["Narrows", &path, "tags tickets"]);
    let revoked = pages.send(&link, &format!("{path}/revoke"), &[]).await;
    assert_eq!((revoked.status.as_u16(), revoked.header("location")), (303, path.as_str()));
    for id in [&id, &helper] {
        let page = pages.get(&format!("/links/{id}")).await.shows(200, &["<dd>revoked</dd>"]);
        assert!(!page.text.contains("Revoke the link"));
    }
    pages.send(&link, &format!("{path}/narrow"), &[("name", "Late")]).await.shows(422, &["no valid link"]);
    for path in ["/links", "/tools", "/clients", "/accounts", "/record", "/figures", &path] {
        let page = pages.get(path).await;
        for secret in [&token, &second, &served.admin] {
            assert!(!page.text.contains(secret.as_str()), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_wider_than_the_server_or_makes_no_sense_is_refused_with_the_reason() {
    let served = served("console-wider", &words(&["read"])).await;
    served.sign_in().await;
    let list = served.pages.get("/links").await;
    for (fields, part) in [
        (vec![("name", "x")], "needs an account"),
        (vec![("account", "jitbit")], "needs a name"),
        (vec![("name", "x"), ("account", "other")], "no such account"),
        (vec![("name", "x"), ("account", "jitbit"), ("account", "jitbit")], "one account of the vendor"),
        (vec![("name", "x"), ("account", "jitbit"), ("methods", "write")], "wider than what this server offers"),
        (vec![("name", "x"), ("account", "jitbit"), ("tags", "tickts")], "did you mean"),
        (vec![("name", "x"), ("account", "jitbit"), ("expires", "tomorrow")], "is no time"),
    ] {
        let page = served.pages.send(&list, "/links", &fields).await;
        let page = page.shows(422, &["role=\"alert\"", part]);
        if fields.contains(&("name", "x")) {
            assert!(page.text.contains("name=\"name\" required maxlength=\"100\" value=\"x\""), "what was typed stays");
        }
    }
    assert_eq!(served.store.links().await.unwrap(), []);
    served.pages.get("/links/none").await.shows(404, &["no link with this id"]);
    let csrf = list.csrf();
    for path in ["/links", "/links/none/narrow", "/links/none/revoke", "/logout"] {
        let sent = served.pages.answer(served.pages.form(path, &[("csrf", &csrf[1..])])).await;
        assert_eq!(sent.status, 403, "{path}");
    }
}

#[tokio::test]
async fn the_record_shows_masked_calls_by_filter_and_the_state_of_the_chain() {
    let served = served("console-record", &super::everything()).await;
    served.sign_in().await;
    let pages = &served.pages;
    pages.get("/record").await.shows(200, &["No call matches", "The chain of 0 lines is whole"]);
    let user = json!({"username": "pat", "email": "pat@example.com", "password": "pl4nted"});
    call(&served, "jitbit_create_user", user).await;
    call(&served, "jitbit_search_tickets", json!({"query": "<script>alert(1)</script>"})).await;
    call(&served, "jitbit_search_tickets", json!({})).await;
    let page = pages.get("/record").await;
    let page = page.shows(200, &["jitbit_create_user", "***", "answered, status 200", "The last 3 of 3 calls"]);
    assert!(!page.text.contains("pl4nted") && !page.text.contains("test-token"));
    assert!(!page.text.contains("<script>alert") && page.text.contains("script&#62;alert(1)"), "{}", page.text);
    for (query, count) in [
        ("tool=search", 2),
        ("effect=write", 1),
        ("decision=invalid", 1),
        ("outcome=answered", 2),
        ("outcome=open", 0),
        ("caller=nobody", 0),
        ("account=jitbit&tool=create", 1),
    ] {
        let page = pages.get(&format!("/record?{query}")).await;
        let text = if count == 0 { "No call matches".to_owned() } else { format!("of {count} calls that match") };
        page.shows(200, &[&text]);
    }
    let log = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("console-record/calls.jsonl");
    let changed = std::fs::read_to_string(&log).unwrap().replacen("\"pat\"", "\"eve\"", 1);
    std::fs::write(&log, changed).unwrap();
    let page = pages.get("/record").await.shows(200, &["The chain is broken at line 1"]);
    assert!(!page.text.contains("is whole"));
}

#[tokio::test]
async fn accounts_and_figures_show_states_and_counts() {
    let served = served("console-figures", &words(&["read"])).await;
    served.sign_in().await;
    let page = served.pages.get("/accounts").await;
    page.shows(200, &["<th scope=\"row\">jitbit</th>", "<td>ready</td>", "shown nowhere"]);
    served.pages.get("/figures").await.shows(200, &["No call has ended yet", "No call has waited"]);
    call(&served, "jitbit_search_tickets", json!({"query": "printer"})).await;
    call(&served, "jitbit_close_ticket", json!({"ticketId": 7})).await;
    let page = served.pages.get("/figures").await;
    page.shows(200, &["<th scope=\"row\">jitbit_search_tickets</th>", "answered", "not_sent", "policy"]);
    // The catalog's pages are there too, and the form that tries a tool has no vendor within its reach.
    let tool = served.pages.get("/tools/jitbit_close_ticket").await;
    served.pages.send(&tool, "/tools/jitbit_close_ticket", &[("arg.ticketId", "7")]).await.shows(200, &["The answer"]);
    assert!(served.vendors.record().iter().all(|request| !request.path.contains("Close")), "the server's vendor");
}

//! The pages of the catalog: what is on each, and that every text in them is text.

use serde_json::{Value, json};
use toolwright::catalog::Catalog;
use toolwright_model::{ApiTools, Tool};

use super::{Page, opened};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

/// The number that a page states of its tools.
fn count(page: &Page) -> usize {
    let (_, rest) = page.text.split_once("role=\"status\"><strong>").unwrap();
    rest.split('<').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_list_is_searched_and_filtered_as_the_flags_do() {
    let catalog = Catalog::compiled();
    let pages = opened(catalog.clone(), None).await;
    let all = pages.get("/tools").await.shows(200, &["<h1>Tools</h1>", "<th scope=\"col\">Tool</th>", "aria-current"]);
    assert_eq!(count(&all), catalog.entries().len());
    // Another page of the list keeps the query.
    let second = pages.get("/tools?vendor=jsm&page=2").await.shows(200, &["/tools?vendor=jsm&#38;page=2"]);
    assert!(count(&second) > 100);
    let reads = pages.get("/tools?vendor=jitbit&served=on").await;
    let reads =
        reads.shows(200, &["toolwright serve --vendor jitbit", "[profiles.selection]", "vendor = [&#34;jitbit&#34;]"]);
    let served = catalog.entries().iter().filter(|entry| {
        entry.vendor == "jitbit"
            && entry.tool.is_core()
            && entry.tool.effect.is_some_and(|effect| effect.as_str() == "read")
    });
    assert_eq!(count(&reads), served.count());
    assert!(reads.text.contains("--account jitbit --methods read --tags core"), "{}", reads.text);
    let found = pages.get("/tools?q=close+a+ticket&vendor=jitbit").await;
    found.shows(200, &["value=\"close a ticket\"", "/tools/jitbit_close_ticket", "--tools "]);
    pages.get("/tools?tools=jitbit_get_ticket&exclude=jitbit_get_*").await.shows(200, &["No tool matches"]);
    let wrong = pages.get("/tools?tags=tickts").await;
    wrong.shows(422, &["unknown tag `tickts`", "did you mean", "value=\"tickts\""]);
}

#[tokio::test]
async fn the_page_of_a_tool_has_what_a_model_reads_and_what_it_does() {
    let catalog = Catalog::compiled();
    let pages = opened(catalog.clone(), None).await;
    let page = pages.get("/tools/jitbit_close_ticket").await;
    let page = page.shows(
        200,
        &[
            "<h1>jitbit_close_ticket</h1>",
            "class=\"effect write\">write",
            "<code>ticketId</code>",
            "required",
            "GET /api/Close",
            "Input schema",
        ],
    );
    assert!(page.text.contains("would allow it") && page.text.contains("--methods read,write"), "{}", page.text);
    let workflow = catalog.entries().iter().find(|entry| entry.tool.workflow.is_some() && entry.vendor == "jitbit");
    let workflow = workflow.unwrap();
    let page = pages.get(&format!("/tools/{}", workflow.tool.name)).await;
    let page = page.shows(200, &["<svg", "role=\"img\"", "<desc id=\"steps-text\">", "<h3>Its steps</h3>"]);
    for step in &workflow.tool.workflow.as_ref().unwrap().steps {
        assert!(page.text.contains(&format!("<strong>{}</strong>", step.id)), "{}", step.id);
    }
    // By an alias too, and not by anything else.
    let aliased = catalog.entries().iter().find(|entry| !entry.tool.aliases.is_empty()).unwrap();
    let heading = format!("<h1>{}</h1>", aliased.tool.name);
    pages.get(&format!("/tools/{}", aliased.tool.aliases[0])).await.shows(200, &[&heading]);
    pages.get("/tools/%3Cscript%3E").await.shows(404, &["There is no tool of this name"]);
    pages.get("/nothing").await.shows(404, &["There is no such page"]);
}

#[tokio::test]
async fn clients_settings_are_those_of_install() {
    let pages = opened(Catalog::compiled(), None).await;
    let page = pages.get("/clients?vendor=jitbit&served=on").await;
    let page = page.shows(200, &["Claude Code", "mcpServers", "VS Code", "LibreChat", "[mcp_servers.helpdesk]"]);
    assert!(page.text.contains("&#34;--vendor&#34;,\n") && page.text.contains("&#34;jitbit&#34;"), "{}", page.text);
    pages.get("/clients?tools=nothing_*").await.shows(422, &["matches no tool"]);
}

#[tokio::test]
async fn a_form_calls_the_sandbox_and_what_is_wrong_is_said() {
    let pages = opened(Catalog::compiled(), None).await;
    let tool = pages.get("/tools/jitbit_search_tickets").await;
    let answer =
        pages.send(&tool, "/tools/jitbit_search_tickets", &[("arg.query", "printer"), ("arg.cursor", "")]).await;
    answer.shows(200, &["<h3 id=\"answer-title\">The answer</h3>", "IssueID", "value=\"printer\""]);
    let answer = pages.send(&tool, "/tools/jitbit_search_tickets", &[("arg.query", "")]).await;
    answer.shows(200, &["It failed", "`query`"]);
    // What changes something at a vendor changes nothing here.
    let tool = pages.get("/tools/jitbit_close_ticket").await;
    let answer = pages.send(&tool, "/tools/jitbit_close_ticket", &[("arg.ticketId", "7")]).await;
    answer.shows(200, &["The answer"]);
    pages.send(&tool, "/tools/nothing", &[]).await.shows(404, &["There is no tool"]);
    let long = "x".repeat(300_000);
    pages.send(&tool, "/tools/jitbit_close_ticket", &[("arg.ticketId", &long)]).await.shows(413, &["256 KB"]);
}

/// The compiled tools, of which one has hostile texts wherever a page shows one.
fn hostile() -> Catalog {
    let compiled = Catalog::compiled();
    let mut tool: Tool = (*compiled.get("jitbit_get_ticket_record").unwrap().tool).clone();
    HOSTILE.clone_into(&mut tool.title);
    HOSTILE.clone_into(&mut tool.description);
    tool.tags.insert(HOSTILE.to_owned());
    tool.aliases.push(HOSTILE.to_owned());
    HOSTILE.clone_into(&mut tool.calls[0].path);
    let mut schema = tool.parsed_input_schema();
    schema["properties"]["ticketId"]["description"] = json!(HOSTILE);
    schema["properties"][HOSTILE] = json!({"type": "string", "enum": [HOSTILE]});
    tool.input_schema = serde_json::value::to_raw_value(&Value::Object(schema)).unwrap();
    let api = ApiTools { api: "jitbit".to_owned(), vendor: "jitbit".to_owned(), tools: vec![tool] };
    let mut vendors = compiled.vendors().to_vec();
    for vendor in &mut vendors {
        HOSTILE.clone_into(&mut vendor.title);
    }
    Catalog::new(vec![api], vendors)
}

#[tokio::test]
async fn texts_of_tools_tickets_and_people_stay_text() {
    let ticket = json!({"IssueID": 7, "TicketID": 7, "Subject": HOSTILE, "Body": HOSTILE});
    let script = json!([{"operation": "getTicket", "answer": {"status": 200, "body": ticket}}]).to_string();
    let pages = opened(hostile(), Some(&script)).await;
    let encoded = "%3Cscript%3Ealert(1)%3C/script%3E%22'%3E%3Cimg%20src=x%20onerror=alert(2)%3E";
    let name = "/tools/jitbit_get_ticket_record";
    let tool = pages.get(name).await;
    let tried = pages.send(&tool, name, &[("arg.ticketId", "7"), ("arg.fields", HOSTILE)]).await;
    let answered = pages.send(&tool, name, &[("arg.ticketId", "7")]).await;
    assert!(answered.text.contains("The answer") && answered.text.contains("IssueID"), "{}", answered.text);
    let mut seen = vec![tool, tried, answered];
    for path in [
        "/tools",
        "/clients",
        &format!("/tools?q={encoded}"),
        &format!("/tools?tags={encoded}"),
        &format!("/x{encoded}"),
    ] {
        seen.push(pages.get(path).await);
    }
    for page in seen {
        assert!(!page.text.contains("<script>alert") && !page.text.contains("<img"), "{}", page.text);
        assert!(!page.text.contains("style=\"") && !page.text.contains(" onclick"), "{}", page.text);
        let scripts = page.text.matches("<script").count();
        assert_eq!(scripts, page.text.matches("<script src=\"/copy.js\" defer></script>").count(), "{}", page.text);
    }
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need() {
    let pages = opened(Catalog::compiled(), None).await;
    for path in ["/tools", "/tools/jitbit_get_ticket", "/clients", "/style.css", "/copy.js", "/nothing"] {
        let page = pages.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        let is_page = page.header("content-type").starts_with("text/html");
        assert_eq!(page.header("cache-control") == "no-store", is_page, "{path}");
    }
}

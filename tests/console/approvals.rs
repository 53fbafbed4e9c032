//! Approvals in the console: what a person sees of one, the decision, and whatever else might pass for one. What counts is what the
//! vendor has seen: nothing, or exactly the approved request, once.

use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::{Value, json};
use toolwright::access::links::create_admin_token;
use toolwright::approval::{Approvals, Confirm};
use toolwright::call::Caller;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::store::{ApprovalKind, ApprovalState, Store, StoredApproval};

use super::{Behind, Pages, Served, here, served_with};
use crate::common::everything;

const DELETE: &str = "jitbit_delete_ticket";
const REPLY: &str = "jitbit_reply_to_customer";
const ADDRESS: &str = "https://console.example.com";

pub(super) fn asking(store: Store) -> Approvals {
    let words = Confirm::parse(&["write".to_owned()]).unwrap();
    Approvals::in_store(words, store).with_console(Some(ADDRESS.to_owned()))
}

async fn approving(test: &str) -> Served {
    let behind = Behind { approvals: Some(asking), defaults: Defaults::Everything, ..Behind::default() };
    served_with(test, &everything(), behind).await
}

impl Served {
    /// Calls a tool; the refusal's text where it is refused.
    pub(super) async fn call(&self, caller: &Caller, tool: &str, arguments: &Value) -> Result<(), String> {
        let arguments = arguments.as_object().unwrap().clone();
        self.toolbox.call_as(caller, tool, arguments).await.map(drop).map_err(|failure| failure.to_string())
    }

    /// Has a call wait for an approval; returns its id and its page.
    pub(super) async fn waits(&self, caller: &Caller, tool: &str, arguments: &Value) -> (String, String) {
        let refusal = self.call(caller, tool, arguments).await.unwrap_err();
        let rest = refusal.split("/approvals/").nth(1).unwrap_or_else(|| panic!("{refusal}"));
        assert!(refusal.contains(&format!("{ADDRESS}/approvals/")) && refusal.contains("toolwright approve yes"));
        let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        (id.clone(), format!("/approvals/{id}"))
    }

    pub(super) fn changes(&self) -> usize {
        self.vendors.record().iter().filter(|request| request.method != "GET").count()
    }

    /// Lines of the record that are of approvals: what, through which channel, by whom, why.
    fn decisions(&self) -> Vec<[String; 4]> {
        let text = std::fs::read_to_string(&self.audit).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let of_approvals = lines.filter(|line| line["event"] == "approval");
        of_approvals.map(|line| ["what", "channel", "by", "reason"].map(|name| word(&line, name))).collect()
    }

    /// The console in the browser of another administrator.
    async fn of_another(&self, name: &str) -> Pages {
        let token = create_admin_token(&self.store, name, SystemTime::now()).await.unwrap();
        let pages = self.pages.another_browser();
        let form = pages.get("/login").await;
        let answer = pages.send(&form, "/login", &[("token", &token)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        pages
    }
}

#[tokio::test]
async fn a_change_is_shown_whole_approved_by_its_name_and_sent_once() {
    let served = approving("console-approve").await;
    served.sign_in().await;
    let (caller, arguments) = (Caller::default(), json!({"ticketId": 7}));
    let pages = &served.pages;
    pages.get("/approvals").await.shows(200, &["Nothing waits for a decision", "Nothing was decided"]);
    let (id, path) = served.waits(&caller, DELETE, &arguments).await;
    pages.get("/approvals").await.shows(200, &["1 waiting", &path, DELETE, "to send a change"]);
    let shown = [
        "/api/deleteTicket",
        "&#34;id&#34;: &#34;7&#34;",
        "destructive",
        "irreversible",
        "because it is destructive",
        "<dt>Account</dt><dd>jitbit",
        "<dt>Who asks</dt><dd>local",
        "<dt>Ends</dt>",
        "<strong>7</strong>",
        "href=\"/tools/jitbit_delete_ticket\"",
    ];
    let page = pages.get(&path).await.shows(200, &shown);
    let stored = served.store.approval(&id).await.unwrap().unwrap();
    assert!(page.text.contains(&stored.digest) && !page.text.contains(&stored.key), "the key of the digest is secret");
    let yes = format!("{path}/yes");
    for name in ["", "8", "seven"] {
        let page = pages.send(&page, &yes, &[("name", name)]).await;
        page.shows(422, &["role=\"alert\"", "the name of what is changed was not given", "Approve the change"]);
    }
    assert_eq!(served.changes(), 0);
    let sent = pages.send(&page, &yes, &[("name", " 7 "), ("reason", "agreed <b>today</b>")]).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, path.as_str()), "{}", sent.text);
    assert_eq!(served.changes(), 0, "a yes sends nothing by itself");
    pages
        .get(&path)
        .await
        .shows(200, &["approved", "by administrator ops in the console", "agreed &#60;b&#62;today", "Take it back"]);
    served.call(&caller, DELETE, &arguments).await.unwrap();
    assert_eq!(served.changes(), 1);
    let page = pages.get(&path).await.shows(200, &["<dt>State</dt><dd>done", "<dt>Outcome</dt><dd>answered"]);
    assert!(!page.text.contains("Approve the change") && !page.text.contains("Take it back"));
    // The same form again: the decision was used.
    let again = pages.answer(pages.form(&yes, &[("csrf", &pages.get("/links").await.csrf()), ("name", "7")])).await;
    again.shows(409, &["othing to decide: it is done by administrator ops", "role=\"alert\""]);
    assert!(served.call(&caller, DELETE, &arguments).await.is_err(), "it asks anew");
    assert_eq!(served.changes(), 1);
    let by_console =
        ["approved", "console", "administrator ops in the console", "agreed <b>today</b>"].map(str::to_owned);
    assert!(served.decisions().contains(&by_console), "{:?}", served.decisions());
    pages.get("/record?tool=delete&decision=allowed").await.shows(200, &["by approval", &path]);
    pages.get("/approvals").await.shows(200, &["1 waiting", "done"]);
}

#[tokio::test]
async fn a_no_has_its_reason_and_a_yes_can_be_taken_back() {
    let served = approving("console-decline").await;
    served.sign_in().await;
    let (caller, pages) = (Caller::default(), &served.pages);
    let arguments = json!({"ticketId": 7, "body": "It works again."});
    let (_, path) = served.waits(&caller, REPLY, &arguments).await;
    let page = pages.get(&path).await.shows(200, &["Approve the change", "Decline it"]);
    assert!(!page.text.contains("can’t be taken back"));
    let sent = pages.send(&page, &format!("{path}/no"), &[("reason", "the customer has left")]).await;
    assert_eq!(sent.status, 303);
    let told = served.call(&caller, REPLY, &arguments).await.unwrap_err();
    assert!(told.contains("declined by administrator ops in the console") && told.contains("has left"), "{told}");
    let other = json!({"ticketId": 8, "body": "It works again."});
    let (_, path) = served.waits(&caller, REPLY, &other).await;
    let page = pages.get(&path).await;
    assert_eq!(pages.send(&page, &format!("{path}/yes"), &[]).await.status, 303);
    let page = pages.get(&path).await.shows(200, &["Take it back"]);
    assert_eq!(pages.send(&page, &format!("{path}/no"), &[("reason", "wrong ticket")]).await.status, 303);
    let told = served.call(&caller, REPLY, &other).await.unwrap_err();
    assert!(told.contains("wrong ticket"), "{told}");
    assert_eq!(served.changes(), 0);
    let whats: Vec<String> =
        served.decisions().into_iter().filter(|line| line[1] == "console").map(|line| line[0].clone()).collect();
    assert_eq!(whats, ["declined", "approved", "taken back"]);
}

#[tokio::test]
async fn of_two_administrators_at_once_one_decides() {
    let served = approving("console-two").await;
    served.sign_in().await;
    let other = served.of_another("night").await;
    for ticket in 1..=4 {
        let arguments = json!({"ticketId": ticket, "body": "x"});
        let (id, path) = served.waits(&Caller::default(), REPLY, &arguments).await;
        let (mine, theirs) = (served.pages.get(&path).await, other.get(&path).await);
        let yes = format!("{path}/yes");
        let (mine, theirs) = tokio::join!(served.pages.send(&mine, &yes, &[]), other.send(&theirs, &yes, &[]));
        let statuses = [mine.status.as_u16(), theirs.status.as_u16()];
        let winner = if statuses == [303, 409] { "ops" } else { "night" };
        assert!(statuses == [303, 409] || statuses == [409, 303], "{statuses:?}");
        let by = served.store.approval(&id).await.unwrap().unwrap().decided_by.unwrap();
        assert_eq!(by, format!("administrator {winner} in the console"));
        let told = if winner == "ops" { theirs } else { mine };
        told.shows(409, &[&format!("it is approved by administrator {winner}")]);
        served.call(&Caller::default(), REPLY, &arguments).await.unwrap();
    }
    assert_eq!(served.changes(), 4);
    assert_eq!(
        served.decisions().iter().filter(|line| line[1] == "console").count(),
        4,
        "what did not count is not recorded"
    );
}

#[tokio::test]
async fn no_other_page_session_or_method_decides() {
    let served = approving("console-forged").await;
    served.sign_in().await;
    let other = served.of_another("night").await;
    let (id, path) = served.waits(&Caller::default(), REPLY, &json!({"ticketId": 7, "body": "x"})).await;
    let pages = &served.pages;
    let (page, yes) = (pages.get(&path).await, format!("{path}/yes"));
    let (csrf, foreign) = (page.csrf(), other.get(&path).await.csrf());
    for (what, csrf) in [("none", ""), ("a part", &csrf[1..]), ("that of another session", &foreign)] {
        let sent = pages.answer(pages.form(&yes, &[("csrf", csrf)])).await;
        assert_eq!(sent.status, 403, "{what}");
    }
    let fields = [("csrf", csrf.as_str())];
    for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let sent = pages.answer(pages.request(Method::POST, &yes).header(name, value).form(&fields)).await;
        assert_eq!(sent.status, 403, "{name}: {value}");
    }
    assert_eq!(pages.get(&format!("{yes}?csrf={csrf}")).await.status, 404, "no address decides");
    let json = pages.request(Method::POST, &yes).json(&json!({"csrf": csrf}));
    assert_eq!(pages.answer(json).await.status, 415);
    // Who is not signed in is asked to, and then led to the page.
    let stranger = pages.another_browser();
    let sent = stranger.answer(stranger.form(&yes, &fields)).await;
    assert_eq!(sent.status, 401);
    let led = stranger.get(&path).await;
    assert_eq!((led.status.as_u16(), led.header("location")), (303, format!("/login?to={id}").as_str()));
    let form = stranger.get(led.header("location")).await.shows(200, &["An approval waits", &path]);
    let signed_in = stranger.send(&form, "/login", &[("token", &served.admin), ("to", &id)]).await;
    assert_eq!((signed_in.status.as_u16(), signed_in.header("location")), (303, path.as_str()));
    let form = pages.another_browser();
    let login = form.get("/login?to=//evil.example").await;
    assert!(!login.text.contains("evil"), "{}", login.text);
    // The console of one machine's own person has none of it.
    let (own, open) = here(served.toolbox.catalog().clone(), None).await;
    own.get(&open).await;
    for path in ["/approvals", path.as_str()] {
        own.get(path).await.shows(404, &[]);
    }
    let state = served.store.approval(&id).await.unwrap().unwrap().state;
    assert_eq!((state, served.changes()), (ApprovalState::Pending, 0));
}

#[tokio::test]
async fn what_outsiders_wrote_stays_text_and_is_seen_whole() {
    let served = approving("console-hostile").await;
    served.sign_in().await;
    let hostile = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}";
    let client = Some("<i>client</i>\u{200b}".to_owned());
    let caller = Caller { client, ..Caller::default() };
    let (id, path) = served.waits(&caller, REPLY, &json!({"ticketId": 7, "body": hostile})).await;
    let stored = served.store.approval(&id).await.unwrap().unwrap();
    let name = "x\"><script>alert(3)</script>\u{200b}";
    let plan = json!({
        "does": hostile, "effect": "<b>", "risks": [hostile], "text from": [hostile], "because": hostile, "name": name,
        hostile: hostile, "request": hostile, "body": json!({hostile: hostile}).to_string(), "steps": [{"x": hostile}]
    });
    let planted = StoredApproval { id: "planted".to_owned(), plan: plan.to_string(), ..stored };
    served.store.create_approval(&planted).await.unwrap();
    for path in [path.as_str(), "/approvals", "/approvals/planted"] {
        let page = served.pages.get(path).await.shows(200, &[]);
        for part in ["<script>alert", "<img src=x", "<i>client", "\u{202e}", "\u{200b}"] {
            assert!(!page.text.contains(part), "{part:?} in {path}\n{}", page.text);
        }
    }
    let page =
        served.pages.get("/approvals/planted").await.shows(200, &["⟨U+202E⟩", "⟨U+200B⟩", "that outsiders wrote"]);
    // The name as the page shows it is the name.
    let typed = "x\"><script>alert(3)</script>⟨U+200B⟩";
    let sent = served.pages.send(&page, "/approvals/planted/yes", &[("name", typed)]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let wrong = served.pages.send(&page, "/approvals/none/yes", &[("name", typed)]).await;
    wrong.shows(404, &["no approval with this id"]);
}

#[tokio::test]
async fn what_the_person_at_a_client_is_asked_is_not_approved_here() {
    let served = approving("console-client").await;
    served.sign_in().await;
    let (id, _) = served.waits(&Caller::default(), REPLY, &json!({"ticketId": 7, "body": "x"})).await;
    let stored = served.store.approval(&id).await.unwrap().unwrap();
    let form = StoredApproval { id: "form".to_owned(), channel: "elicitation".to_owned(), ..stored };
    served.store.create_approval(&form).await.unwrap();
    let page = served.pages.get("/approvals/form").await.shows(200, &["only that person can approve it", "Decline it"]);
    assert!(!page.text.contains("Approve the change"));
    served.pages.send(&page, "/approvals/form/yes", &[]).await.shows(409, &["only that person"]);
    assert_eq!(served.pages.send(&page, "/approvals/form/no", &[]).await.status, 303);
}

#[tokio::test]
async fn what_has_ended_is_shown_and_not_decided() {
    fn short(store: Store) -> Approvals {
        asking(store).within(Duration::from_millis(100), Duration::from_millis(100))
    }
    let behind = Behind { approvals: Some(short), defaults: Defaults::Everything, ..Behind::default() };
    let served = served_with("console-ended", &everything(), behind).await;
    served.sign_in().await;
    let (_, path) = served.waits(&Caller::default(), REPLY, &json!({"ticketId": 7, "body": "x"})).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let page = served.pages.get(&path).await.shows(200, &["<dt>State</dt><dd>expired"]);
    assert!(!page.text.contains("Approve the change"));
    served.pages.send(&page, &format!("{path}/yes"), &[]).await.shows(409, &["it is expired"]);
    served.pages.get("/approvals").await.shows(200, &["Nothing waits for a decision", "expired"]);
}

#[tokio::test]
async fn a_tool_that_is_held_back_is_granted_for_a_while() {
    fn taking(store: Store) -> Approvals {
        let none = Confirm::parse(&["none".to_owned()]).unwrap();
        Approvals::in_store(none, store).taking_requests(true).with_console(Some(ADDRESS.to_owned()))
    }
    let behind = Behind { approvals: Some(taking), ..Behind::default() };
    let served = served_with("console-more", &SelectionWords::default(), behind).await;
    served.sign_in().await;
    let (caller, pages) = (Caller::default(), &served.pages);
    let arguments = json!({"ticketId": 7, "body": "x"});
    let (id, path) = served.waits(&caller, REPLY, &arguments).await;
    let shown = ["Grant the tool", "offers this tool to nobody", "Held back", "for a tool that is held back"];
    let page = pages.get(&path).await.shows(200, &shown[..3]);
    pages.get("/approvals").await.shows(200, &shown[3..]);
    let yes = format!("{path}/yes");
    pages.send(&page, &yes, &[("minutes", "5")]).await.shows(422, &["Tick that you grant it", "value=\"5\""]);
    for minutes in ["0", "61", "-1", "many"] {
        pages.send(&page, &yes, &[("minutes", minutes), ("beyond", "on")]).await.shows(422, &["1 to 60 minutes"]);
    }
    let sent = pages.send(&page, &yes, &[("minutes", "5"), ("scope", "tool"), ("beyond", "on")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let granted = served.store.approval(&id).await.unwrap().unwrap();
    assert_eq!((granted.kind, granted.scope.as_deref()), (ApprovalKind::Access, Some("tool")));
    assert!(granted.ends <= SystemTime::now() + Duration::from_mins(5));
    served.call(&caller, REPLY, &json!({"ticketId": 8, "body": "y"})).await.unwrap();
    let page = pages.get(&path).await.shows(200, &["with any arguments", "Take it back"]);
    assert_eq!(pages.send(&page, &format!("{path}/no"), &[]).await.status, 303);
    assert!(served.call(&caller, REPLY, &arguments).await.is_err(), "it is taken back");
    assert_eq!(served.changes(), 1);
    let whats: Vec<String> = served.decisions().into_iter().map(|line| line[0].clone()).collect();
    assert_eq!(whats, ["granted", "taken back"]);
}

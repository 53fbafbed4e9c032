//! The client's own form, in both eras of the protocol.

use serde_json::json;

use super::*;

const REPLY: &str = "jitbit_reply_to_customer";

#[tokio::test]
async fn exactly_what_the_person_saw_is_sent_once() {
    for era in Era::BOTH {
        let site = Site::open(&format!("form-{era:?}"), Terms::default()).await;
        let desk = site.client(era, true, yes()).await;
        let arguments = json!({"ticketId": 7, "body": "It works again."});
        let result = desk.call(REPLY, arguments.clone()).await;
        assert!(!is_error(&result), "{era:?}: {}", text(&result));
        let (asked, changes) = (desk.asked(), site.changes());
        assert_eq!((asked.len(), changes.len()), (1, 1), "{era:?}");
        let (message, schema) = &asked[0];
        for part in [REPLY, "It works again.", "because it changes something", "POST http://"] {
            assert!(message.contains(part), "{era:?}: `{part}` is not in {message}");
        }
        assert_eq!(schema["required"], json!(["approve"]), "{era:?}");
        let body = changes[0].body.clone().unwrap();
        let fields: Vec<_> = url::form_urlencoded::parse(&body).collect();
        assert_eq!(fields.len(), 3, "{fields:?}");
        for (name, value) in fields {
            assert!(message.contains(&format!("\n  {name}: \"{value}\"")), "{era:?}: {name} is not shown: {message}");
        }
        // Another call needs another yes.
        desk.call(REPLY, arguments).await;
        assert_eq!((desk.asked().len(), site.changes().len()), (2, 2), "{era:?}");
        let of_one = [("asked", ""), ("approved", "the person at desk 1")];
        let expected: Vec<(String, String)> =
            of_one.iter().cycle().take(4).map(|(what, by)| ((*what).to_owned(), (*by).to_owned())).collect();
        assert_eq!(site.recorded(), expected, "{era:?}");
        let (intents, log) = (r#""event":"intent""#, std::fs::read_to_string(&site.audit).unwrap());
        let intent = log.lines().find(|line| line.contains(intents)).unwrap();
        assert!(intent.contains(r#""approval":{"id":"#) && intent.contains("the person at desk 1"), "{intent}");
    }
}

#[tokio::test]
async fn whatever_is_no_yes_sends_nothing() {
    for era in Era::BOTH {
        for (name, person, said) in [
            ("declines", Person::Declines, "declined by the person at desk 1"),
            ("closes", Person::Closes, "declined by the person at desk 1"),
            ("no", Person::Answers(json!({"approve": false})), "declined by the person at desk 1"),
            ("text", Person::Answers(json!({"approve": "true"})), "declined by the person at desk 1"),
        ] {
            let site = Site::open(&format!("no-{era:?}-{name}"), Terms::default()).await;
            let desk = site.client(era, true, person).await;
            let result = desk.call(REPLY, json!({"ticketId": 7, "body": "x"})).await;
            assert!(is_error(&result) && text(&result).contains(said), "{era:?} {name}: {}", text(&result));
            assert!(site.changes().is_empty(), "{era:?} {name}");
            assert_eq!(site.recorded().last().unwrap().0, "declined", "{era:?} {name}");
        }
    }
}

#[tokio::test]
async fn a_person_may_think_better_of_a_no_and_is_not_worn_out() {
    for era in Era::BOTH {
        let site = Site::open(&format!("noes-{era:?}"), Terms::default()).await;
        let desk = site.client(era, true, Person::Declines).await;
        let arguments = json!({"ticketId": 7, "body": "x"});
        assert!(is_error(&desk.call(REPLY, arguments.clone()).await));
        desk.becomes(yes());
        assert!(!is_error(&desk.call(REPLY, arguments.clone()).await), "{era:?}");
        desk.becomes(Person::Declines);
        for _ in 0..2 {
            assert!(is_error(&desk.call(REPLY, arguments.clone()).await));
        }
        desk.becomes(yes());
        let result = desk.call(REPLY, arguments.clone()).await;
        assert!(is_error(&result) && text(&result).contains("declined by"), "{era:?}: {}", text(&result));
        assert_eq!((desk.asked().len(), site.changes().len()), (4, 1), "{era:?}");
        // Another call is another question.
        assert!(!is_error(&desk.call(REPLY, json!({"ticketId": 8, "body": "x"})).await), "{era:?}");
    }
}

#[tokio::test]
async fn silence_is_a_no() {
    let terms = Terms { form_within: Duration::from_millis(300), ..Terms::default() };
    let site = Site::open("silence", terms).await;
    let desk = site.client(Era::Handshake, true, Person::Sleeps).await;
    let result = desk.call(REPLY, json!({"ticketId": 7, "body": "x"})).await;
    assert!(is_error(&result), "{}", text(&result));
    let told = text(&result);
    assert!(told.contains("there was no answer in time") || told.contains("nobody decided in time"), "{told}");
    assert!(site.changes().is_empty());
}

#[tokio::test]
async fn what_can_not_be_taken_back_needs_its_name() {
    for era in Era::BOTH {
        let terms = Terms { confirm: &["destructive"], ..Terms::default() };
        let site = Site::open(&format!("name-{era:?}"), terms).await;
        let desk = site.client(era, true, yes()).await;
        for (typed, sent) in [
            (json!({"approve": true}), 0),
            (json!({"approve": true, "name": "8"}), 0),
            (json!({"approve": true, "name": " 7 "}), 1),
        ] {
            desk.becomes(Person::Answers(typed.clone()));
            let result = desk.call("jitbit_delete_ticket", json!({"ticketId": 7})).await;
            assert_eq!(is_error(&result), sent == 0, "{era:?} {typed}: {} {:?}", text(&result), desk.asked());
            assert_eq!(site.changes().len(), sent, "{era:?} {typed}");
        }
        let (message, schema) = desk.asked().pop().unwrap();
        assert!(message.contains("irreversible"), "{message}");
        assert_eq!(schema["required"], json!(["approve", "name"]));
    }
}

#[tokio::test]
async fn a_client_that_can_not_ask_after_all_leads_to_the_command_line() {
    let site = Site::open("cannot", Terms::default()).await;
    let desk = site.client(Era::Handshake, true, Person::CantBeAsked).await;
    let arguments = json!({"ticketId": 7, "body": "x"});
    let result = desk.call(REPLY, arguments.clone()).await;
    assert!(is_error(&result) && text(&result).contains("toolwright approve yes"), "{}", text(&result));
    assert!(site.changes().is_empty());
    assert!(site.yes(&id_in(&result)).await);
    let result = desk.call(REPLY, arguments).await;
    assert!(!is_error(&result), "{}", text(&result));
    assert_eq!(site.changes().len(), 1);
}

#[tokio::test]
async fn nothing_is_asked_where_nothing_has_to_be() {
    let site = Site::open("free", Terms { confirm: &["destructive"], ..Terms::default() }).await;
    let desk = site.client(Era::Handshake, true, Person::Declines).await;
    for (tool, arguments) in [
        ("jitbit_get_ticket", json!({"ticketId": 7})),
        (REPLY, json!({"ticketId": 7, "body": "x"})),
        ("jitbit_delete_ticket", json!({"ticketId": 7, "dry_run": true})),
    ] {
        let result = desk.call(tool, arguments).await;
        assert!(!is_error(&result), "{tool}: {}", text(&result));
    }
    assert!(desk.asked().is_empty());
    assert_eq!(site.changes().len(), 1, "the reply alone");
}

#[tokio::test]
async fn no_form_and_no_record_shows_a_secret() {
    let site = Site::open("secret", Terms::default()).await;
    let desk = site.client(Era::Handshake, true, yes()).await;
    let arguments = json!({"username": "pat", "password": "hunter-2-secret", "email": "pat@example.com"});
    let result = desk.call("jitbit_create_user", arguments).await;
    assert!(!is_error(&result), "{}", text(&result));
    let sent = String::from_utf8(site.changes()[0].body.clone().unwrap()).unwrap();
    assert!(sent.contains("hunter-2-secret"), "the vendor gets it: {sent}");
    let stored = site.store.approvals(false).await.unwrap();
    let shown = format!("{:?} {} {stored:?}", desk.asked(), stored[0].plan);
    let log = std::fs::read_to_string(&site.audit).unwrap();
    assert!(!shown.contains("hunter-2") && !log.contains("hunter-2"), "{shown}{log}");
    assert!(shown.contains("***") && shown.contains("pat@example.com"), "{shown}");
}

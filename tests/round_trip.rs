//! A text that is read, changed and written back: it reaches the vendor as it was, but for the
//! change. What can't be put back is refused before anything changes.

use serde_json::{Value, json};
use toolwright::call::Toolbox;
use toolwright::catalog::Catalog;
use toolwright::policy::Defaults;
use toolwright::sandbox::{Recorded, Sandbox};
use toolwright_model::Effect;

use crate::common::{everything, result, sandbox, text, toolbox};

/// A vendor that answers operations with these bodies.
struct Site {
    sandbox: Sandbox,
    toolbox: Toolbox,
}

impl Site {
    async fn with(answers: &[(&str, &Value)]) -> Self {
        let script = answers.iter().map(|(operation, body)| json!({"operation": operation, "answer": {"body": body}}));
        let sandbox = sandbox(Some(&script.collect::<Value>().to_string())).await;
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
        Self { sandbox, toolbox }
    }

    /// Calls, and returns the answer.
    async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let result = result(&self.toolbox, tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{tool}: {}", text(&result));
        serde_json::from_str(text(&result)).unwrap()
    }

    /// Calls, and returns the text of the answer.
    async fn done(&self, tool: &str, arguments: Value) -> String {
        let result = result(&self.toolbox, tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{tool}: {}", text(&result));
        text(&result).to_owned()
    }

    /// Calls, and returns why that was refused; nothing but reads was sent.
    async fn refusal(&self, tool: &str, arguments: Value) -> String {
        self.sandbox.take_record();
        let result = result(&self.toolbox, tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {}", text(&result));
        let sent = self.sandbox.take_record();
        assert!(sent.iter().all(|sent| sent.method == "GET"), "{sent:?}");
        text(&result).to_owned()
    }

    /// The request that changed something.
    fn change(&self) -> Recorded {
        let mut sent: Vec<Recorded> = self.sandbox.take_record();
        assert!(sent.iter().all(Recorded::is_accepted), "{sent:?}");
        sent.retain(|sent| sent.method != "GET");
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }
}

/// Texts in which something is made inert, or looks as if it had been.
const TEXTS: [&str; 9] = [
    "https://wiki.example.org/x?page=7",
    "https://start.example.org/home",
    "see [the page](https://wiki.example.org/a/b?c=d#e \"title\") and <https://wiki.example.org/z>",
    "![logo](https://cdn.example.org/l.png?v=2)",
    "Köln <b>2</b> <a href=\"https://x.example/?y=1\">x</a> www.example.org cat <<EOF",
    "HTTPS://User:pw@Files.Example.org/x ftp://old.example/y",
    "hxxps://evil.example/a `hxxps⟦:⟧//evil.example/b` ⟦1a2b3c4d⟧ ⟦<⟧ ⟦cut, 7 items⟧",
    "[ref]: https://wiki.example.org/?q=1",
    "",
];

#[cfg(feature = "jumpcloud")]
mod jumpcloud {
    use super::*;

    const DEVICE: &str = "66f1a0c2d4e5f6a7b8c9d0e2";

    fn device() -> Value {
        let attribute = |(number, text): (usize, &&str)| json!({"name": format!("own{number}"), "value": text});
        json!({"_id": DEVICE, "hostname": "mac1", "attributes": TEXTS.iter().enumerate().map(attribute).collect::<Vec<_>>()})
    }

    #[tokio::test]
    async fn other_attributes_of_a_device_stay_as_they_are() {
        let device = device();
        for detail in
            [json!({}), json!({"detail": "full"}), json!({"detail": "raw"}), json!({"fields": ["attributes"]})]
        {
            let site = Site::with(&[("getDevice", &device), ("updateDevice", &json!({}))]).await;
            let mut given = detail.clone();
            given["device_id"] = json!(DEVICE);
            let read = site.answer("jumpcloud_get_device", given).await;
            assert_eq!(read["untrusted"].as_array().map(|names| names.contains(&json!("value"))), Some(true), "{read}");
            let mut attributes = read["attributes"].clone();
            attributes.as_array_mut().unwrap().push(json!({"name": "owner", "value": "Mira"}));
            site.sandbox.take_record();
            let answer =
                site.answer("jumpcloud_update_device", json!({"device_id": DEVICE, "attributes": attributes})).await;
            assert!(answer["notes"][0].as_str().unwrap().contains("`attributes`: "), "{answer}");
            let mut expected = device["attributes"].clone();
            expected.as_array_mut().unwrap().push(json!({"name": "owner", "value": "Mira"}));
            assert_eq!(site.change().json().unwrap()["attributes"], expected, "{detail}");
        }
    }

    #[tokio::test]
    async fn other_values_of_a_policy_stay_as_they_are() {
        const POLICY: &str = "66f1a0c2d4e5f6a7b8c9d0e4";
        let id = |number: usize| format!("66f1a0c2d4e5f6a7b8c9d0{number:02}");
        let value = |(number, text): (usize, &&str)| json!({"configFieldID": id(number), "value": text});
        let values: Vec<Value> = TEXTS.iter().enumerate().map(value).collect();
        let policy = json!({"id": POLICY, "name": "Start page", "values": values});
        let site = Site::with(&[("getPolicy", &policy), ("updatePolicy", &json!({}))]).await;
        let read = site.answer("jumpcloud_get_policy", json!({"policy_id": POLICY})).await;
        assert!(!read.to_string().contains("https://start.example.org"), "{read}");
        let changed = |values: &Value| {
            let mut values = values.clone();
            values[1]["value"] = json!("https://new.example.org/");
            values
        };
        site.sandbox.take_record();
        let given = json!({"policy_id": POLICY, "name": "Start page", "values": changed(&read["values"])});
        site.done("jumpcloud_update_policy", given).await;
        assert_eq!(site.change().json().unwrap()["values"], changed(&policy["values"]));
    }

    #[tokio::test]
    async fn a_link_is_put_into_no_other_record() {
        let device = device();
        let site = Site::with(&[("getDevice", &device)]).await;
        let read = site.answer("jumpcloud_get_device", json!({"device_id": DEVICE})).await;
        let shown = read["attributes"][0]["value"].as_str().unwrap();
        let given = json!({"username": "mira", "email": "m@example.org", "displayname": shown});
        let refused = site.refusal("jumpcloud_create_user_account", given).await;
        assert!(refused.contains("`displayname`") && refused.contains("`detail: raw`"), "{refused}");
        assert!(!refused.contains("page=7"), "{refused}");
    }

    #[tokio::test]
    async fn a_changed_mark_is_refused_and_the_way_named() {
        let device = device();
        let site = Site::with(&[("getDevice", &device)]).await;
        let read = site.answer("jumpcloud_get_device", json!({"device_id": DEVICE})).await;
        let mut attributes = read["attributes"].clone();
        let changed = attributes[0]["value"].as_str().unwrap().replace("wiki.example.org", "evil.example");
        attributes[0]["value"] = json!(changed);
        let refused =
            site.refusal("jumpcloud_update_device", json!({"device_id": DEVICE, "attributes": attributes})).await;
        assert!(refused.contains("`attributes[0].value`"), "{refused}");
        assert!(refused.contains("`jumpcloud_get_device` with `detail: raw`"), "{refused}");
        let given = json!({"device_id": DEVICE, "attributes": read["attributes"], "dry_run": true});
        let planned = site.answer("jumpcloud_update_device", given).await;
        assert!(planned["notes"][0].as_str().unwrap().contains("a dry run reads nothing"), "{planned}");
        assert!(site.sandbox.take_record().is_empty());
    }
}

#[cfg(feature = "jsm")]
mod jsm {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "texts are written where they are passed")]
    fn document(texts: Value) -> Value {
        json!({"version": 1, "type": "doc", "content": [{"type": "paragraph", "content": texts}]})
    }

    fn issue() -> Value {
        let link = json!([{"type": "link", "attrs": {"href": "https://wiki.example.org/x?page=7"}}]);
        let texts = json!([{"type": "text", "text": "See "}, {"type": "text", "text": "the page", "marks": link}]);
        let panel =
            json!({"type": "panel", "attrs": {"panelType": "info"}, "content": document(texts.clone())["content"]});
        let mut description = document(texts);
        description["content"].as_array_mut().unwrap().push(panel);
        json!({"id": "7", "key": "ITS-1", "fields": {"summary": "x", "description": description}})
    }

    #[tokio::test]
    async fn a_link_in_a_description_survives_as_markdown() {
        let mut issue = issue();
        issue["fields"]["description"]["content"].as_array_mut().unwrap().pop();
        let site = Site::with(&[("getIssue", &issue), ("getFields", &json!([]))]).await;
        let read = site.answer("jsm_get_issue", json!({"issueIdOrKey": "ITS-1"})).await;
        let description = read["fields"]["description"].as_str().unwrap();
        assert!(description.starts_with("See [the page] (`hxxps⟦"), "{description}");
        site.sandbox.take_record();
        let given = json!({"issueIdOrKey": "ITS-1", "fields": {"description": format!("{description}\n\nMore.")}});
        site.done("jsm_edit_issue", given).await;
        let sent = site.change().json().unwrap();
        let content = &sent["fields"]["description"]["content"];
        assert_eq!(content[0], issue["fields"]["description"]["content"][0], "{sent}");
        assert_eq!(content[1]["content"][0]["text"], "More.", "{sent}");
    }

    #[tokio::test]
    async fn a_document_comes_and_goes_unchanged() {
        let issue = issue();
        for raw in [json!({"issueIdOrKey": "ITS-1", "adf": true}), json!({"issueIdOrKey": "ITS-1", "detail": "raw"})] {
            let site = Site::with(&[("getIssue", &issue), ("getFields", &json!([]))]).await;
            let read = site.answer("jsm_get_issue", raw.clone()).await;
            assert!(read["untrusted"].to_string().contains("description"), "{read}");
            assert_eq!(read["fields"]["description"], issue["fields"]["description"], "{raw}");
            site.sandbox.take_record();
            let fields = json!({"description": read["fields"]["description"]});
            site.done("jsm_edit_issue", json!({"issueIdOrKey": "ITS-1", "fields": fields})).await;
            assert_eq!(site.change().json().unwrap()["fields"]["description"], issue["fields"]["description"]);
        }
    }

    #[tokio::test]
    async fn a_file_without_a_type_is_what_it_is() {
        let file = |body: &str, headers: Value| json!([{"operation": "getAttachmentContent", "answer": {"headers": headers, "body": body}}]);
        let bytes = json!({"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"});
        let page = json!({"Content-Type": "text/html", "Content-Disposition": "attachment; filename*=UTF-8''Bericht%20%C3%BC.html"});
        for (script, expected) in [
            (file("GIF89a....", bytes.clone()), json!(["image", "image/gif"])),
            (file("%PDF-1.7", bytes), json!(["resource", null])),
        ] {
            let sandbox = sandbox(Some(&script.to_string())).await;
            let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
            let result = result(&toolbox, "jsm_download_attachment", json!({"attachmentId": "7"})).await;
            let block = json!(result)["content"][0].clone();
            assert_eq!(json!([block["type"], block["mimeType"]]), expected, "{block}");
        }
        let sandbox = sandbox(Some(&file("<p>a report</p>", page).to_string())).await;
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
        let result = result(&toolbox, "jsm_download_attachment", json!({"attachmentId": "7"})).await;
        let shown: Value = serde_json::from_str(text(&result)).unwrap();
        assert_eq!(shown, json!({"untrusted": ["*"], "name": "Bericht ü.html", "text": "a report"}));
    }
}

#[cfg(feature = "jitbit")]
mod jitbit {
    use super::*;

    #[tokio::test]
    async fn the_text_of_a_ticket_is_written_back_as_it_was() {
        for body in TEXTS.iter().filter(|text| !text.is_empty() && !text.contains("<b>")) {
            let ticket = json!({"IssueID": 7, "TicketID": 7, "Subject": "x", "Body": body});
            let site = Site::with(&[("getTicket", &ticket)]).await;
            let read = site.answer("jitbit_get_ticket_record", json!({"ticketId": 7})).await;
            site.sandbox.take_record();
            let changed = format!("{} Done.", read["Body"].as_str().unwrap());
            site.done("jitbit_update_ticket", json!({"ticketId": 7, "body": changed})).await;
            let sent = site.change();
            let form = String::from_utf8(sent.body.clone().unwrap()).unwrap();
            let fields: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            assert!(fields.contains(&("body".to_owned(), format!("{body} Done."))), "{fields:?}");
        }
    }

    #[tokio::test]
    async fn html_is_written_back_from_the_raw_text() {
        let body = "<!--html--><p>Hello <a href='https://evil.example/login?t=1'>you</a>,</p>\u{202e}<img src='https://e.example/p.png?u=1'>";
        let ticket = json!({"IssueID": 7, "TicketID": 7, "Origin": "Email", "Subject": "x", "Body": body});
        let site = Site::with(&[("getTicket", &ticket)]).await;
        let read = site.answer("jitbit_get_ticket_record", json!({"ticketId": 7, "detail": "raw"})).await;
        assert_eq!(read["Origin"], "Email", "whole records");
        assert_eq!(read["untrusted"], json!(["Subject", "Body"]));
        assert!(read["notes"].to_string().contains("invisible characters are left out of `Body`"), "{read}");
        assert_eq!(read["Body"], body.replace('\u{202e}', ""));
        site.sandbox.take_record();
        site.done("jitbit_update_ticket", json!({"ticketId": 7, "body": read["Body"]})).await;
        let sent = site.change();
        let form = String::from_utf8(sent.body.clone().unwrap()).unwrap();
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        assert!(fields.contains(&("body".to_owned(), body.replace('\u{202e}', ""))), "{fields:?}");
    }

    #[tokio::test]
    async fn text_of_a_person_passes_and_marks_without_their_record_do_not() {
        let site = Site::with(&[]).await;
        let comment = |body: &str| json!({"ticketId": 7, "body": body});
        for body in ["blocked `hxxps://evil.example/a?b`, see hxxp://x.example", "⟦ and ⟦x⟧", "… (cut, 3 items)"]
        {
            site.done("jitbit_add_internal_note", comment(body)).await;
            let sent = String::from_utf8(site.change().body.unwrap()).unwrap();
            let fields: Vec<(String, String)> = url::form_urlencoded::parse(sent.as_bytes()).into_owned().collect();
            assert!(fields.contains(&("body".to_owned(), body.to_owned())), "{fields:?}");
        }
        for (body, expected) in [
            ("see `hxxps⟦1a2b3c4d⟧//intra.example/reset…`", "the link itself"),
            ("a long text…⟦cut, 60000 characters⟧", "the whole text"),
        ] {
            let refused = site.refusal("jitbit_add_internal_note", comment(body)).await;
            assert!(refused.contains("`body`: expected ") && refused.contains(expected), "{refused}");
            assert!(refused.contains("`detail: raw`"), "{refused}");
        }
    }

    #[tokio::test]
    async fn marks_that_an_outsider_wrote_bring_no_link_back() {
        let secret =
            json!({"IssueID": 5, "TicketID": 5, "Subject": "x", "Body": "https://id.example/reset?token=s3cret"});
        let site = Site::with(&[("getTicket", &secret)]).await;
        let mark =
            site.answer("jitbit_get_ticket_record", json!({"ticketId": 5})).await["Body"].as_str().unwrap().to_owned();
        // The outsider knows even the mark of another ticket's link.
        let forged = format!("{mark} `hxxps⟦:⟧//evil.example/a` ⟦<⟧img src=x>");
        let ticket = json!({"IssueID": 9, "TicketID": 9, "Subject": "x", "Body": forged});
        let site = Site::with(&[("getTicket", &ticket)]).await;
        for detail in ["concise", "full", "raw"] {
            let read = site.answer("jitbit_get_ticket_record", json!({"ticketId": 9, "detail": detail})).await;
            site.sandbox.take_record();
            site.done("jitbit_update_ticket", json!({"ticketId": 9, "body": read["Body"]})).await;
            let sent = String::from_utf8(site.change().body.unwrap()).unwrap();
            let fields: Vec<(String, String)> = url::form_urlencoded::parse(sent.as_bytes()).into_owned().collect();
            assert!(fields.contains(&("body".to_owned(), forged.clone())), "{detail}: {fields:?}");
        }
        let refused = site.refusal("jitbit_update_ticket", json!({"ticketId": 9, "body": mark})).await;
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}

/// Words that announce that what is not sent is lost.
const REPLACES: [&str; 9] = [
    "replaces all",
    "replaces the whole",
    "replaced whole",
    "replaces the old one",
    "What is not sent is",
    "WHAT IS NOT SENT FALLS",
    "What you do not send becomes",
    "what is not sent is",
    "The old text is lost",
];

#[test]
fn what_replaces_a_whole_names_how_to_change_a_part() {
    let mut found = 0;
    for entry in Catalog::compiled().entries().iter().filter(|entry| entry.tool.effect != Some(Effect::Read)) {
        let (tool, schema) = (&entry.tool, entry.tool.parsed_input_schema());
        let texts = schema["properties"].as_object().into_iter().flatten();
        let texts = texts.filter_map(|(_, argument)| argument["description"].as_str());
        let announces = |text: &str| REPLACES.iter().any(|words| text.contains(words));
        if texts.chain([tool.description.as_str()]).any(announces) {
            found += 1;
            let names_how = tool.description.contains("detail: raw");
            assert!(names_how, "{}: {}", tool.name, tool.description);
        }
    }
    if cfg!(feature = "jumpcloud") {
        assert!(found >= 10, "{found}");
    }
}
